# Profile-guided optimisation (WPA_PGO): the program is built twice. A first build below "training" in the
# binary folder counts which way its branches go while it checks the workflows of tests/fixtures; the second
# is laid out by these counts. Between 8 and 15 percent of the analyser's processor time goes.

# For the first build, which is configured by the second with -DWPA_TRAINING=FOLDER.
function(wpa_count_branches target folder)
  # Counts are found again by an object's name below its own binary folder.
  set(flags -fprofile-generate=${folder} -fprofile-prefix-path=${CMAKE_BINARY_DIR} -fprofile-update=single)
  target_compile_options(${target} INTERFACE ${flags})
  target_link_options(${target} INTERFACE -fprofile-generate=${folder})
endfunction()

# wpa_use_counts(FLAGS-TARGET SOURCES...): counts are made anew when one of the sources has changed.
function(wpa_use_counts target)
  set(training ${CMAKE_BINARY_DIR}/training)
  set(counts ${training}/counts)
  set(sources ${ARGN})
  list(FILTER sources EXCLUDE REGEX "^${CMAKE_BINARY_DIR}/")
  set(options -G ${CMAKE_GENERATOR} -DCMAKE_BUILD_TYPE=Release -DCMAKE_C_COMPILER=${CMAKE_C_COMPILER}
              -DCMAKE_C_FLAGS=${CMAKE_C_FLAGS} -DWPA_TESTS=OFF -DWPA_WERROR=OFF -DWPA_LTO=OFF -DWPA_PGO=OFF
              -DWPA_TRAINING=${counts})
  add_custom_command(
    OUTPUT ${training}/trained
    COMMAND ${CMAKE_COMMAND} -DSOURCE=${CMAKE_SOURCE_DIR} -DTRAINING=${training} -DCOUNTS=${counts}
            -DWORKFLOWS=${CMAKE_SOURCE_DIR}/tests/fixtures/rules "-DOPTIONS=${options}"
            -P ${CMAKE_SOURCE_DIR}/src/core/train.cmake
    COMMAND ${CMAKE_COMMAND} -E touch ${training}/trained
    DEPENDS ${sources} ${CMAKE_SOURCE_DIR}/src/core/train.cmake
    COMMENT "Building once more, to count branches (-DWPA_PGO=OFF does without)" USES_TERMINAL VERBATIM)
  add_custom_target(wpa_trained DEPENDS ${training}/trained)
  # What the counts do not reach (the console, the API) is compiled as without them.
  set(flags -fprofile-use=${counts} -fprofile-prefix-path=${CMAKE_BINARY_DIR} -fprofile-partial-training
            -Wno-missing-profile -Wno-coverage-mismatch -Wno-error)
  target_compile_options(${target} INTERFACE ${flags})
  target_link_options(${target} INTERFACE ${flags})
endfunction()
