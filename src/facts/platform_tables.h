/* The shape of the generated tables of platforms.h; included by the code that reads them. */
#pragma once

#include "facts/platforms.h"

typedef struct wpa_fact_cached {
    const char *runtime;
    const char *image;
    wpa_fact_list versions;
} wpa_fact_cached;

extern const wpa_fact_image wpa_fact_images[];
extern const size_t wpa_fact_n_images;
extern const wpa_fact_move wpa_fact_moves[];
extern const size_t wpa_fact_n_moves;
extern const wpa_fact_program wpa_fact_programs[];
extern const size_t wpa_fact_n_programs;
extern const wpa_fact_cached wpa_fact_cached_versions[];
extern const size_t wpa_fact_n_cached_versions;
extern const wpa_fact_runtime wpa_fact_runtimes[];
extern const size_t wpa_fact_n_runtimes;
extern const wpa_fact_release wpa_fact_releases[];
extern const size_t wpa_fact_n_releases;
extern const wpa_fact_feature wpa_fact_features[];
extern const size_t wpa_fact_n_features;
extern const wpa_fact_list wpa_fact_forge_names;
extern const wpa_fact_values wpa_fact_value_rows[];
extern const size_t wpa_fact_n_value_rows;
extern const wpa_fact_migration wpa_fact_migrations[];
extern const size_t wpa_fact_n_migrations;
