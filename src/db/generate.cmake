# sql/queries/*.sql and sql/migrations/*.sql become the table of statements and the migrations.
file(GLOB WPA_QUERY_FILES CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/sql/queries/*.sql)
file(GLOB WPA_MIGRATION_FILES CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/sql/migrations/*.sql)
list(SORT WPA_QUERY_FILES)
list(SORT WPA_MIGRATION_FILES)

add_executable(wpa_gen_sql ${CMAKE_SOURCE_DIR}/src/db/gen/sql.c)
target_link_libraries(wpa_gen_sql PRIVATE wpa_base)

file(MAKE_DIRECTORY ${WPA_GENERATED_DIR}/gen)
add_custom_command(
  OUTPUT ${WPA_GENERATED_DIR}/gen/sql.h ${WPA_GENERATED_DIR}/gen/sql.c
  COMMAND wpa_gen_sql ${WPA_GENERATED_DIR}/gen/sql.h ${WPA_GENERATED_DIR}/gen/sql.c
          ${WPA_QUERY_FILES} ${WPA_MIGRATION_FILES}
  DEPENDS wpa_gen_sql ${WPA_QUERY_FILES} ${WPA_MIGRATION_FILES}
  COMMENT "embed sql/"
  VERBATIM)
list(APPEND WPA_ENGINE_SOURCES ${WPA_GENERATED_DIR}/gen/sql.c ${WPA_GENERATED_DIR}/gen/sql.h)
