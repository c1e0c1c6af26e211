# cmake -P train.cmake: builds the program below TRAINING with OPTIONS and has it check all workflows below
# WORKFLOWS; it writes its counts to COUNTS.
cmake_minimum_required(VERSION 3.25)
set(log ${TRAINING}/log.txt)
file(MAKE_DIRECTORY ${TRAINING})
file(WRITE ${log} "")
file(REMOVE_RECURSE ${COUNTS})

function(run)
  execute_process(COMMAND ${ARGN} OUTPUT_VARIABLE said ERROR_VARIABLE complaint RESULT_VARIABLE code)
  if(NOT code EQUAL 0)
    file(APPEND ${log} "${said}${complaint}")
    message(FATAL_ERROR "Counting branches failed (${code}), see ${log}; -DWPA_PGO=OFF does without.")
  endif()
endfunction()

run(${CMAKE_COMMAND} -S ${SOURCE} -B ${TRAINING} ${OPTIONS})
run(${CMAKE_COMMAND} --build ${TRAINING} --target wpa --parallel)

file(GLOB_RECURSE workflows ${WORKFLOWS}/*.yml)
set(off ${TRAINING}/off.yml) # no other program is to be started
file(WRITE ${off} "tools:\n  shellcheck: off\n  pyflakes: off\n  node: off\n  pwsh: off\n")
foreach(format oneline sarif)
  run(${TRAINING}/wpa check --no-cache --threads 1 --config ${off} --exit-zero --format ${format} ${workflows})
endforeach()
file(GLOB counted ${COUNTS}/*.gcda)
if(NOT counted)
  message(FATAL_ERROR "Counting branches left no counts in ${COUNTS}; -DWPA_PGO=OFF does without.")
endif()
