# Libraries that are opened when they are first needed: wpa_open_late(PREFIX name header FILE).
# FILE lists the functions that we call and the variables that we read, one a line;
# gen/calls_<name>.h includes the library's header and turns each use into one through a pointer, and
# wpa_<name>_open fills the pointers. The type of each is the library's own, so nothing is said twice
# and a call is checked as ever.
function(wpa_open_late prefix name header file)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  file(STRINGS ${file} functions REGEX "^[A-Za-z]")
  find_library(WPA_${prefix}_LIBRARY NAMES ${${prefix}_LIBRARIES} HINTS ${${prefix}_LIBRARY_DIRS}
               REQUIRED)
  file(READ ${WPA_${prefix}_LIBRARY} script LIMIT 1024) # of the linker, some are
  if(NOT script MATCHES "INPUT *\\( *([^ )]*\\.so\\.[^ )]+)")
    execute_process(COMMAND ${CMAKE_READELF} -d ${WPA_${prefix}_LIBRARY} OUTPUT_VARIABLE dynamic
                    COMMAND_ERROR_IS_FATAL ANY)
    if(NOT dynamic MATCHES "\\(SONAME\\)[^[]*\\[([^]]+)\\]")
      message(FATAL_ERROR "${WPA_${prefix}_LIBRARY} has no soname")
    endif()
  endif()
  set(soname ${CMAKE_MATCH_1})
  set(members "")
  set(macros "")
  set(names "")
  foreach(function ${functions})
    string(APPEND members "    __typeof__(${function}) *${function}_;\n")
    string(APPEND macros "#undef ${function}\n#define ${function} (*wpa_${name}_calls.${function}_)\n")
    string(APPEND names "    \"${function}\",\n")
  endforeach()
  file(CONFIGURE OUTPUT ${WPA_GENERATED_DIR}/gen/calls_${name}.h @ONLY CONTENT [[
#pragma once
#include <@header@>
#include <wpa/error.h>
typedef struct wpa_@name@_calls_table {
@members@} wpa_@name@_calls_table;
extern wpa_@name@_calls_table wpa_@name@_calls;
/** Before the first of these calls; UNAVAILABLE if the library is not there. Any thread. */
bool wpa_@name@_open(wpa_error *err) WPA_CHECK;
@macros@]])
  file(CONFIGURE OUTPUT ${WPA_GENERATED_DIR}/gen/calls_${name}.c @ONLY CONTENT [[
#include "gen/calls_@name@.h"
#include "core/library.h"
static const char *const names[] = {
@names@};
wpa_@name@_calls_table wpa_@name@_calls;
bool wpa_@name@_open(wpa_error *err)
{
    return wpa_library_open("@soname@", names, sizeof names / sizeof *names, &wpa_@name@_calls, err);
}
]])
endfunction()
