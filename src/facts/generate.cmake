# The fact tables: data/*.json turned into C by a small program that is built first.
set(WPA_FACTS_DIR ${CMAKE_SOURCE_DIR}/src/facts)
file(GLOB WPA_FACTS_DATA CONFIGURE_DEPENDS ${WPA_FACTS_DIR}/data/*.json)
set(WPA_FACTS_OUT ${WPA_GENERATED_DIR}/gen/facts_actions.c ${WPA_GENERATED_DIR}/gen/facts_tables.c
    ${WPA_GENERATED_DIR}/gen/facts_platforms.c)
file(MAKE_DIRECTORY ${WPA_GENERATED_DIR}/gen)

add_executable(wpa_gen_facts ${WPA_FACTS_DIR}/gen/facts.c ${WPA_FACTS_DIR}/gen/actions.c
               ${WPA_FACTS_DIR}/gen/tables.c ${WPA_FACTS_DIR}/gen/commands.c
               ${WPA_FACTS_DIR}/gen/contexts.c ${WPA_FACTS_DIR}/gen/platforms.c
               ${WPA_FACTS_DIR}/gen/schema.c ${WPA_FACTS_DIR}/gen/originals.c
               ${WPA_FACTS_DIR}/likeness.c
               ${WPA_FACTS_DIR}/gen/supply.c ${WPA_FACTS_DIR}/gen/payloads.c)
target_include_directories(wpa_gen_facts PRIVATE include src)
target_link_libraries(wpa_gen_facts PRIVATE wpa_flags wpa_base PkgConfig::JANSSON)
add_custom_command(OUTPUT ${WPA_FACTS_OUT}
  COMMAND wpa_gen_facts ${WPA_FACTS_DIR}/data ${WPA_FACTS_OUT}
  DEPENDS wpa_gen_facts ${WPA_FACTS_DATA} COMMENT "Generating the fact tables" VERBATIM)
list(APPEND WPA_ENGINE_SOURCES ${WPA_FACTS_OUT})
