/* Look-ups in the tables of images, runtimes, forges, values and migrations. */
#include "facts/platforms.h"

#include <string.h>

#include "facts/index.h"
#include "facts/platform_tables.h"

/* Aliases of labels are a few steps deep; a circle in the table would be a mistake in it. */
#define MAX_ALIASES 4

const wpa_fact_image *wpa_facts_image_find(const char *name)
{
    for (size_t i = 0; i < wpa_fact_n_images; i++) {
        if (wpa_text_is(wpa_fact_images[i].name, name)) {
            return &wpa_fact_images[i];
        }
    }
    return NULL;
}

const wpa_fact_image *wpa_facts_image_of(const wpa_fact_runner *runner)
{
    for (int i = 0; runner && runner->alias_of && i < MAX_ALIASES; i++) {
        runner = wpa_facts_runner_find(wpa_slice_of(runner->alias_of));
    }
    return runner && runner->image_row ? &wpa_fact_images[runner->image_row - 1] : NULL;
}

const wpa_fact_move *wpa_facts_move_of(const char *label)
{
    for (size_t i = 0; i < wpa_fact_n_moves; i++) {
        if (wpa_text_is_ci(wpa_fact_moves[i].label, label)) {
            return &wpa_fact_moves[i];
        }
    }
    return NULL;
}

const wpa_fact_program *wpa_facts_program_find(wpa_slice command)
{
    for (size_t i = 0; (i = wpa_facts_row(WPA_COLUMN_PROGRAMS, command, i)) != WPA_NO_ROW; i++) {
        if (wpa_slice_is(command, wpa_fact_programs[i].command) ||
            wpa_fact_list_has(wpa_fact_programs[i].aliases, command)) {
            return &wpa_fact_programs[i];
        }
    }
    return NULL;
}

size_t wpa_facts_program_count(void)
{
    return wpa_fact_n_programs;
}

const wpa_fact_program *wpa_facts_program_at(size_t i)
{
    return &wpa_fact_programs[i];
}

const wpa_fact_presence *wpa_facts_program_on(const wpa_fact_program *tool, const char *image)
{
    for (size_t i = 0; i < tool->n_images; i++) {
        if (wpa_text_is(tool->images[i].image, image)) {
            return &tool->images[i];
        }
    }
    return NULL;
}

wpa_fact_list wpa_facts_cached(const char *runtime, const char *image)
{
    for (size_t i = 0; i < wpa_fact_n_cached_versions; i++) {
        const wpa_fact_cached *row = &wpa_fact_cached_versions[i];
        if (wpa_text_is(row->runtime, runtime) && wpa_text_is(row->image, image)) {
            return row->versions;
        }
    }
    return NULL;
}

/* ---- runtimes ---- */

size_t wpa_facts_runtime_count(void)
{
    return wpa_fact_n_runtimes;
}

const wpa_fact_runtime *wpa_facts_runtime_at(size_t i)
{
    return &wpa_fact_runtimes[i];
}

const wpa_fact_runtime *wpa_facts_runtime_of_action(wpa_slice slug)
{
    size_t row = wpa_facts_row(WPA_COLUMN_RUNTIMES, slug, 0);
    return row == WPA_NO_ROW ? NULL : &wpa_fact_runtimes[row];
}

const wpa_fact_runtime *wpa_facts_runtime_of_image(wpa_slice image)
{
    for (size_t i = 0; i < wpa_fact_n_runtimes; i++) {
        if (wpa_fact_list_has(wpa_fact_runtimes[i].images, image)) {
            return &wpa_fact_runtimes[i];
        }
    }
    return NULL;
}

/* Does version say this release: "3.8" of "3.8", "v3.8.18", "3.8.x", "3.8-slim"? */
static bool is_of_release(wpa_slice version, const char *release)
{
    size_t skip = version.length && (version.at[0] == 'v' || version.at[0] == 'V');
    if (version.length == skip || version.at[skip] != *release) { /* as most do */
        return false;
    }
    size_t length = strlen(release);
    if (version.length - skip < length || memcmp(version.at + skip, release, length) != 0) {
        return false;
    }
    return version.length - skip == length || strchr(".-", version.at[skip + length]) != NULL;
}

const wpa_fact_release *wpa_facts_release_find(const wpa_fact_runtime *runtime, wpa_slice version)
{
    for (size_t i = runtime ? runtime->n_releases : 0; i > 0; i--) { /* the last that fits */
        const wpa_fact_release *row = &wpa_fact_releases[runtime->first_release + i - 1];
        if (is_of_release(version, row->version)) {
            return row;
        }
    }
    return NULL;
}

const wpa_fact_release *wpa_facts_release_next(const wpa_fact_runtime *runtime,
                                               const wpa_fact_release *above, int64_t days)
{
    for (const wpa_fact_release *row = above + 1; row < wpa_fact_releases + wpa_fact_n_releases;
         row++) {
        bool is_open = row->released && !row->ends;
        if (wpa_text_is(row->runtime, runtime->name) &&
            (is_open || (row->ends && wpa_facts_days(row->ends) > days))) {
            return row;
        }
    }
    return NULL;
}

/* ---- forges, values and migrations ---- */

size_t wpa_facts_feature_count(void)
{
    return wpa_fact_n_features;
}

const wpa_fact_feature *wpa_facts_feature_at(size_t i)
{
    return &wpa_fact_features[i];
}

wpa_fact_list wpa_facts_forge_names(void)
{
    return wpa_fact_forge_names;
}

const wpa_fact_values *wpa_facts_values_of(wpa_slice slug, size_t *n)
{
    size_t first = wpa_facts_rows(WPA_COLUMN_VALUES, slug, n);
    return first == WPA_NO_ROW ? NULL : &wpa_fact_value_rows[first];
}

const wpa_fact_migration *wpa_facts_migrations_of(wpa_slice slug, size_t *n)
{
    size_t first = wpa_facts_rows(WPA_COLUMN_MIGRATIONS, slug, n);
    return first == WPA_NO_ROW ? NULL : &wpa_fact_migrations[first];
}
