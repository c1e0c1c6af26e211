/* What the database knows of the fleet, as far as it is about one repository's definitions. */
#include "rules/fleet.h"

#include <ctype.h>
#include <string.h>

#include <wpa/map.h>
#include <wpa/text.h>

#include "analysis/internal.h"
#include "gen/sql.h"

#define SLUGS_MAX 2000

enum {
    U_SLUG,
    U_MAJOR,
    U_PLACES,
    U_REPOSITORIES
};

typedef struct slugs {
    const char **items; /* [n] each once */
    size_t n;
    wpa_map *seen;
    wpa_arena *arena;
} slugs;

static void add_slug(slugs *s, const char *slug)
{
    if (s->n < SLUGS_MAX && !wpa_map_has(s->seen, slug)) {
        s->items[s->n] = wpa_arena_text(s->arena, slug);
        wpa_map_put(s->seen, s->items[s->n], s);
        s->n++;
    }
}

/** "owner/repo/path" of a definition, as others call it; NULL if the owner is not known. */
static const char *called_as(const wpa_surroundings *around, const char *path, wpa_arena *arena)
{
    const char *name = around->repository, *slash = name ? strrchr(name, '/') : NULL;
    if (!name || !around->owner) {
        return NULL;
    }
    char *slug = wpa_arena_printf(arena, "%s/%s/%s", around->owner, slash ? slash + 1 : name, path);
    for (char *at = slug; *at; at++) {
        *at = (char)tolower((unsigned char)*at);
    }
    return slug;
}

/**
 * One figure of it, 87 is 80: rules want shares, and what they found in a file is kept for as long
 * as these are what they were.
 */
static size_t rounded(size_t n)
{
    size_t step = 1;
    while (n / step >= 10) {
        step *= 10;
    }
    return n / step * step;
}

/** The first row counts all repositories; one that is alone makes no fleet. */
static const wpa_fleet *read_rows(const wpa_rows *rows, bool knows_calls, wpa_arena *arena)
{
    size_t n = wpa_rows_count(rows);
    int64_t n_repositories = n ? wpa_rows_int(rows, 0, U_REPOSITORIES) : 0;
    if (n_repositories < 2) {
        return NULL;
    }
    wpa_fleet_use *uses = wpa_arena_array(arena, n, sizeof *uses);
    wpa_fleet *fleet = wpa_arena_alloc(arena, sizeof *fleet);
    for (size_t i = 1; i < n; i++) {
        uses[i - 1] = (wpa_fleet_use){
            .slug = wpa_rows_dup(rows, i, U_SLUG, arena),
            .major = (int)wpa_rows_int(rows, i, U_MAJOR),
            .n_places = rounded((size_t)wpa_rows_int(rows, i, U_PLACES)),
            .n_repositories = rounded((size_t)wpa_rows_int(rows, i, U_REPOSITORIES)),
        };
    }
    wpa_fleet_sort(uses, n - 1);
    *fleet = (wpa_fleet){.n_repositories = (size_t)n_repositories,
                         .knows_calls = knows_calls,
                         .uses = uses,
                         .n_uses = n - 1};
    return fleet;
}

bool wpa_analysis_ask_fleet(wpa_db *db, wpa_surroundings *around,
                            const wpa_graph_file *const files[], size_t n, wpa_arena *arena,
                            wpa_error *err)
{
    slugs s = {.items = wpa_arena_array(arena, SLUGS_MAX, sizeof *s.items),
               .seen = wpa_map_new(arena),
               .arena = arena};
    bool knows_calls = false;
    for (size_t i = 0; i < n; i++) {
        char slug[WPA_FLEET_SLUG_MAX];
        const char *own = called_as(around, files[i]->path, arena);
        if (own) {
            add_slug(&s, own);
            knows_calls = true;
        }
        for (size_t k = 0; k < files[i]->n_uses; k++) {
            if (wpa_fleet_slug(&files[i]->uses[k], slug)) {
                add_slug(&s, slug);
            }
        }
    }
    if (!s.n) {
        return true;
    }
    const char *params[] = {wpa_db_array(arena, s.items, s.n)};
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_ANALYSIS_FLEET, params, 1, err);
    around->fleet = rows ? read_rows(rows, knows_calls, arena) : NULL;
    return rows != NULL;
}

/** [[slug, major, places]] of a definition, each slug and major once. */
wpa_json *wpa_analysis_list_uses(const wpa_graph_file *file, wpa_arena *arena)
{
    const wpa_fleet *fleet = wpa_fleet_of_file(file, arena);
    wpa_json *list = wpa_json_new_array(arena);
    for (size_t i = 0; i < fleet->n_uses && i < SLUGS_MAX; i++) {
        wpa_json *use = wpa_json_new_array(arena);
        wpa_json_push_text(use, fleet->uses[i].slug);
        wpa_json_push_int(use, fleet->uses[i].major);
        wpa_json_push_int(use, (int64_t)fleet->uses[i].n_places);
        wpa_json_push(list, use);
    }
    return list;
}

bool wpa_analysis_store_uses(wpa_db *db, const char *workflow, const wpa_json *uses,
                             wpa_arena *arena, wpa_error *err)
{
    size_t n = wpa_json_count(uses);
    const char **slugs_of = wpa_arena_array(arena, n + 1, sizeof *slugs_of);
    int64_t *majors = wpa_arena_array(arena, n + 1, sizeof *majors);
    int64_t *places = wpa_arena_array(arena, n + 1, sizeof *places);
    for (size_t i = 0; i < n; i++) {
        const wpa_json *use = wpa_json_at(uses, i);
        const char *slug = wpa_json_text_of(wpa_json_at(use, 0));
        slugs_of[i] = slug ? slug : "";
        majors[i] = wpa_json_int_of(wpa_json_at(use, 1), -1);
        places[i] = wpa_json_int_of(wpa_json_at(use, 2), 1);
    }
    const char *params[] = {workflow, wpa_db_array(arena, slugs_of, n),
                            wpa_db_array_int(arena, majors, n), wpa_db_array_int(arena, places, n)};
    return wpa_db_run(db, WPA_SQL_ANALYSIS_USES_FORGET, params, 3, err) &&
           wpa_db_run(db, WPA_SQL_ANALYSIS_USES_STORE, params, 4, err);
}
