# gen/rules_version.h: changes whenever the sources of the rules, or of what they stand on, change.
file(GLOB_RECURSE rules_inputs CONFIGURE_DEPENDS
     src/rules/*.[ch] src/workflow/*.[ch] src/expr/*.[ch] src/yaml/*.[ch] src/facts/*.[ch]
     src/facts/*.json src/match/*.[ch])
file(MAKE_DIRECTORY ${WPA_GENERATED_DIR}/gen)
string(REPLACE ";" "\n" rules_lines "${rules_inputs}")
file(CONFIGURE OUTPUT ${WPA_GENERATED_DIR}/rules_inputs.txt CONTENT "${rules_lines}\n")
add_custom_command(
  OUTPUT ${WPA_GENERATED_DIR}/gen/rules_version.h
  COMMAND ${CMAKE_COMMAND} -DINPUTS=${WPA_GENERATED_DIR}/rules_inputs.txt
          -DOUT=${WPA_GENERATED_DIR}/gen/rules_version.h
          -P ${CMAKE_SOURCE_DIR}/src/rules/version.cmake
  DEPENDS ${rules_inputs} ${CMAKE_SOURCE_DIR}/src/rules/version.cmake
          ${WPA_GENERATED_DIR}/rules_inputs.txt
  VERBATIM)
list(APPEND WPA_ENGINE_SOURCES ${WPA_GENERATED_DIR}/gen/rules_version.h)

# gen/rules_examples.c: out of the tests of the rules.
file(GLOB rules_examples CONFIGURE_DEPENDS tests/fixtures/rules/*/bad*.yml
     tests/fixtures/rules/*/good*.yml)
add_custom_command(
  OUTPUT ${WPA_GENERATED_DIR}/gen/rules_examples.c
  COMMAND ${CMAKE_COMMAND} -DFOLDER=${CMAKE_SOURCE_DIR}/tests/fixtures/rules
          -DOUT=${WPA_GENERATED_DIR}/gen/rules_examples.c
          -P ${CMAKE_SOURCE_DIR}/src/rules/examples.cmake
  DEPENDS ${rules_examples} ${CMAKE_SOURCE_DIR}/src/rules/examples.cmake
  VERBATIM)
list(APPEND WPA_ENGINE_SOURCES ${WPA_GENERATED_DIR}/gen/rules_examples.c)
