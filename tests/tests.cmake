# One executable a test file, found by its name: tests/src/db/test_pool.c is the test "db.pool" and
# links the engine; tests/ui/test_keymap.c is "ui.keymap" and links the console without the engine.

pkg_check_modules(CMOCKA REQUIRED IMPORTED_TARGET cmocka)
pkg_check_modules(VTERM REQUIRED IMPORTED_TARGET vterm)

# What needs the engine (a database of its own for each test) stands apart: the console's tests
# link no engine.
file(GLOB WPA_HARNESS_SOURCES CONFIGURE_DEPENDS tests/harness/*.c)
list(FILTER WPA_HARNESS_SOURCES EXCLUDE REGEX "/pg\\.c$")
add_library(wpa_harness_pg STATIC tests/harness/pg.c)
target_include_directories(wpa_harness_pg PUBLIC tests PRIVATE src ${WPA_GENERATED_DIR})
target_link_libraries(wpa_harness_pg PUBLIC wpa_engine PRIVATE PkgConfig::PQ PkgConfig::CMOCKA)
if(WPA_HARNESS_SOURCES)
  add_library(wpa_harness STATIC ${WPA_HARNESS_SOURCES})
  target_include_directories(wpa_harness PUBLIC tests PRIVATE src)
  target_link_libraries(wpa_harness PUBLIC wpa_base PkgConfig::CMOCKA PRIVATE PkgConfig::VTERM
                        PkgConfig::PQ)
endif()

# No facts that somebody has refreshed here.
set(WPA_NO_FACTS "XDG_DATA_HOME=/nonexistent;XDG_DATA_DIRS=/nonexistent")

# The end of what hangs: beside other work on the machine a test takes many times as long as alone.
set(WPA_TEST_SECONDS 1800)

# The tests of what has threads: they run under ThreadSanitizer too (ctest -L threads).
set(WPA_THREAD_TESTS "^(analysis\\.(pool|tree)|core\\.(command|memory)|db\\.(pg|source)|job\\.|agent\\.|\
facts\\.(ask|update)|feed\\.|http\\.|lint\\.|notify\\.|probe\\.measure|cli\\.check|ui\\.pty)")
add_custom_target(thread_tests)

function(wpa_add_test source name)
  string(REPLACE "." "_" target "test_${name}")
  add_executable(${target} ${source})
  target_include_directories(${target} PRIVATE tests src ui ${WPA_GENERATED_DIR})
  target_link_libraries(${target} PRIVATE ${ARGN} wpa_base PkgConfig::CMOCKA)
  if(TARGET wpa_harness)
    target_link_libraries(${target} PRIVATE wpa_harness)
  endif()
  add_test(NAME ${name} COMMAND ${target})
  if(name MATCHES "^(cli|api)\\.|^e2e\\.api$")
    target_link_libraries(${target} PRIVATE wpa_front)
  endif()
  set_tests_properties(${name} PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT ${WPA_TEST_SECONDS}
    ENVIRONMENT "WPA_SOURCE_DIR=${CMAKE_SOURCE_DIR};WPA_BUILD_DIR=${CMAKE_BINARY_DIR};\
${WPA_NO_FACTS}")
  if(name MATCHES "${WPA_THREAD_TESTS}")
    set_tests_properties(${name} PROPERTIES LABELS threads)
    add_dependencies(thread_tests ${target})
  endif()
endfunction()

# Every header compiles alone, and all of one side together: no name stands for two things.
function(wpa_add_header_check target)
  set(sources)
  set(all "")
  foreach(header ${ARGN})
    string(REGEX REPLACE "^${CMAKE_SOURCE_DIR}/(include|src|ui)/" "" name ${header})
    string(MAKE_C_IDENTIFIER ${name} file)
    file(CONFIGURE OUTPUT ${WPA_GENERATED_DIR}/${target}/${file}.c
         CONTENT "#include \"${name}\"\n" @ONLY)
    list(APPEND sources ${WPA_GENERATED_DIR}/${target}/${file}.c)
    string(APPEND all "#include \"${name}\"\n")
  endforeach()
  file(CONFIGURE OUTPUT ${WPA_GENERATED_DIR}/${target}/all.c CONTENT "${all}" @ONLY)
  add_library(${target} OBJECT ${sources} ${WPA_GENERATED_DIR}/${target}/all.c)
  target_link_libraries(${target} PRIVATE wpa_flags)
  target_include_directories(${target} PRIVATE include ${WPA_GENERATED_DIR})
endfunction()

if(NOT WPA_SANITIZE) # they read alike there
  file(GLOB WPA_PUBLIC_HEADERS CONFIGURE_DEPENDS include/wpa/*.h)
  file(GLOB_RECURSE WPA_ENGINE_HEADERS CONFIGURE_DEPENDS src/*.h)
  file(GLOB_RECURSE WPA_UI_HEADERS CONFIGURE_DEPENDS ui/*.h)
  wpa_add_header_check(wpa_engine_headers ${WPA_PUBLIC_HEADERS} ${WPA_ENGINE_HEADERS})
  target_include_directories(wpa_engine_headers PRIVATE src)
  target_link_libraries(wpa_engine_headers PRIVATE PkgConfig::JANSSON PkgConfig::PQ PkgConfig::GIT2)
  add_dependencies(wpa_engine_headers wpa_engine) # headers that are generated
  wpa_add_header_check(wpa_ui_headers ${WPA_PUBLIC_HEADERS} ${WPA_UI_HEADERS})
  target_include_directories(wpa_ui_headers PRIVATE ui)
  if(TARGET wpa_ui)
    add_dependencies(wpa_ui_headers wpa_ui)
  endif()
endif()

function(wpa_add_tests folder prefix)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${folder}/test_*.c)
  if(NOT WPA_HAS_FAULTS) # it kills the program at places that a release does not have
    list(FILTER sources EXCLUDE REGEX "deploy/test_kill\\.c$")
  endif()
  foreach(source ${sources})
    file(RELATIVE_PATH name ${CMAKE_SOURCE_DIR}/${folder} ${source})
    string(REGEX REPLACE "test_([a-z0-9_]+)\\.c$" "\\1" name ${name})
    string(REPLACE "/" "." name "${prefix}${name}")
    wpa_add_test(${source} ${name} ${ARGN})
  endforeach()
endfunction()

wpa_add_tests(tests/src "" wpa_harness_pg)
if(TARGET wpa_ui)
  wpa_add_tests(tests/ui "ui." wpa_ui)
  # The console on a scripted engine, for tests in a pseudo-terminal and for looking at it.
  add_executable(ui_demo tests/tools/ui_demo.c)
  target_include_directories(ui_demo PRIVATE tests)
  target_link_libraries(ui_demo PRIVATE wpa_ui wpa_base wpa_harness)
endif()
if(TARGET wpa)
  wpa_add_tests(tests/e2e "e2e." wpa_harness_pg)
endif()

if(TEST ui.pty) # it measures what a key does at once: nothing beside it
  set_tests_properties(ui.pty PROPERTIES RUN_SERIAL TRUE)
  add_dependencies(test_ui_pty ui_demo)
  add_dependencies(test_ui_plain ui_demo)
endif()
if(TARGET wpa)
  add_test(NAME e2e.story COMMAND ${CMAKE_SOURCE_DIR}/tests/story.sh $<TARGET_FILE:wpa>)
  set_tests_properties(e2e.story PROPERTIES TIMEOUT ${WPA_TEST_SECONDS} ENVIRONMENT "${WPA_NO_FACTS}")
  add_test(NAME e2e.tmux COMMAND ${CMAKE_SOURCE_DIR}/tests/e2e/tmux.sh $<TARGET_FILE:wpa>)
  set_tests_properties(e2e.tmux PROPERTIES TIMEOUT ${WPA_TEST_SECONDS} SKIP_RETURN_CODE 77
    ENVIRONMENT "${WPA_NO_FACTS}")
endif()

# The server as other programs meet it: tests/e2e/api_<what>.py, each with a database of its own.
find_package(Python3 COMPONENTS Interpreter)
if(Python3_FOUND AND TARGET wpa)
  file(GLOB scripts CONFIGURE_DEPENDS tests/e2e/api_*.py)
  if(WPA_SANITIZE) # it asks what the database plans; the program's part is that of e2e.api
    list(FILTER scripts EXCLUDE REGEX "/api_lists\\.py$")
  endif()
  foreach(script ${scripts})
    get_filename_component(name ${script} NAME_WE)
    add_test(NAME e2e.${name} COMMAND ${Python3_EXECUTABLE} ${script} $<TARGET_FILE:wpa>)
    set_tests_properties(e2e.${name} PROPERTIES TIMEOUT ${WPA_TEST_SECONDS} SKIP_RETURN_CODE 77)
  endforeach()
  # What needs a program that may not be here (WITH_TOOLS in the script): skipped, and seen to be.
  set(checks tls_serves)
  if(NOT WPA_SANITIZE) # other programs judge what the program wrote: nothing of ours runs that does not elsewhere
    list(APPEND checks unit_files_are_good promtool_agrees)
  endif()
  foreach(check ${checks})
    add_test(NAME e2e.api_contract.${check} COMMAND ${Python3_EXECUTABLE}
             ${CMAKE_SOURCE_DIR}/tests/e2e/api_contract.py $<TARGET_FILE:wpa> ${check})
    set_tests_properties(e2e.api_contract.${check} PROPERTIES TIMEOUT ${WPA_TEST_SECONDS} SKIP_RETURN_CODE 77)
  endforeach()
endif()

find_package(Python3 COMPONENTS Interpreter)
if(Python3_FOUND AND NOT WPA_SANITIZE) # it reads sources
  add_test(NAME includes COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tests/includes.py
           ${CMAKE_SOURCE_DIR})
  if(TARGET wpa) # counted by the system, in the program as it is
    add_test(NAME memory COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tests/hostile.py
             $<TARGET_FILE:wpa> --memory)
  endif()
  add_test(NAME bench COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_SOURCE_DIR}/tests/bench/test_bench.py)
endif()

# It is about what the program says, and starts it hundreds of times: under a sanitizer the tests of rules and
# commands run the same code in fewer processes.
if(Python3_FOUND AND TARGET wpa AND NOT WPA_SANITIZE)
  add_test(NAME readme COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tests/readme.py
           $<TARGET_FILE:wpa>)
  set_tests_properties(readme PROPERTIES ENVIRONMENT "${WPA_NO_FACTS}")
endif()

# What samples begin with is made once for all of them.
if(TARGET wpa)
  set(WPA_TEST_TEMPLATE ${CMAKE_BINARY_DIR}/template)
  add_test(NAME template COMMAND ${CMAKE_SOURCE_DIR}/tests/harness/template.sh $<TARGET_FILE:wpa>
           ${WPA_TEST_TEMPLATE})
  set_tests_properties(template PROPERTIES FIXTURES_SETUP template COST 1000 TIMEOUT ${WPA_TEST_SECONDS})
  get_property(all DIRECTORY PROPERTY TESTS)
  list(FILTER all INCLUDE REGEX "^(e2e\\.|deploy\\.(sample|kill)$|cli\\.commands$|readme$)")
  set_property(TEST ${all} PROPERTY FIXTURES_REQUIRED template)
  set_property(TEST ${all} APPEND PROPERTY ENVIRONMENT "WPA_TEST_TEMPLATE=${WPA_TEST_TEMPLATE}")
endif()

# The longest begin first, so that none of them runs alone at the end (seconds that they took).
foreach(pair e2e.kill=105 e2e.api_faults=87 rules.hostile=70 e2e.story=66 e2e.notices=65 cli.commands=60
        e2e.api_lists=50 db.embedded=45 deploy.kill=40 e2e.api_contract=58 e2e.sign_in=48
        e2e.stopped=40 e2e.console=29 e2e.wall=29 e2e.tmux=28 e2e.api=25 guardian.session=24
        guardian.code=24 guardian.vouched=24 testing.corpus=30 testing.behaviour=28 readme=29 memory=29
        deploy.sample=20 deploy.deploy=18 deploy.bake=6
        e2e.webhooks=17 analysis.store=16 audit.audit=12 testing.testing=12 e2e.api_fuzz=11
        db.invariants=10 e2e.rollback=10 job.job=10)
  string(REPLACE "=" ";" pair ${pair})
  list(GET pair 0 name)
  list(GET pair 1 seconds)
  if(TEST ${name})
    set_tests_properties(${name} PROPERTIES COST ${seconds})
  endif()
endforeach()

# ---- fuzz targets: tests/fuzz/fuzz_<what>.c, seeds in tests/fuzz/seeds/<what>/ -------------------
if(WPA_FUZZ)
  file(GLOB fuzzers CONFIGURE_DEPENDS tests/fuzz/fuzz_*.c)
  add_custom_target(fuzzers)
  foreach(source ${fuzzers})
    get_filename_component(target ${source} NAME_WE)
    add_executable(${target} ${source})
    target_include_directories(${target} PRIVATE tests src ui ${WPA_GENERATED_DIR})
    target_link_libraries(${target} PRIVATE wpa_engine $<TARGET_NAME_IF_EXISTS:wpa_ui>
                          wpa_base -fsanitize=fuzzer)
    add_dependencies(fuzzers ${target})
  endforeach()
endif()

# ---- what benches run beside the program (tests/bench/run) --------------------------------------
add_executable(bench_yaml EXCLUDE_FROM_ALL tests/bench/yaml_events.c)
target_link_libraries(bench_yaml PRIVATE PkgConfig::YAML)
add_executable(bench_engine EXCLUDE_FROM_ALL tests/bench/engine.c)
target_include_directories(bench_engine PRIVATE tests src ${WPA_GENERATED_DIR})
target_link_libraries(bench_engine PRIVATE wpa_harness_pg wpa_engine wpa_base PkgConfig::CMOCKA)
add_executable(bench_load EXCLUDE_FROM_ALL tests/bench/load.c)
target_link_libraries(bench_load PRIVATE wpa_base)
