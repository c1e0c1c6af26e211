# themes/*.yaml become a table in the program.
file(GLOB theme_files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/themes/*.yaml)
list(SORT theme_files)
add_executable(gen_themes ${CMAKE_CURRENT_LIST_DIR}/gen/themes.c)
target_link_libraries(gen_themes PRIVATE wpa_base)
set(themes_c ${WPA_GENERATED_DIR}/themes.c)
add_custom_command(OUTPUT ${themes_c}
  COMMAND gen_themes ${themes_c} ${theme_files}
  DEPENDS gen_themes ${theme_files} VERBATIM)
list(APPEND WPA_UI_SOURCES ${themes_c})
