#include "rules/fleet.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <wpa/map.h>

/* One action or workflow while it is counted. */
typedef struct tally {
    wpa_fleet_use use;
    size_t last; /* repository that was counted last, from 1 */
} tally;

static int compare_uses(const void *a, const void *b)
{
    const wpa_fleet_use *x = a, *y = b;
    int by_slug = strcmp(x->slug, y->slug);
    return by_slug ? by_slug : (x->major > y->major) - (x->major < y->major);
}

void wpa_fleet_sort(wpa_fleet_use *uses, size_t n)
{
    if (n) {
        qsort(uses, n, sizeof *uses, compare_uses);
    }
}

bool wpa_fleet_slug(const wpa_graph_use *use, char slug[WPA_FLEET_SLUG_MAX])
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "._-/";
    size_t length = use->text ? strspn(use->text, plain) : 0;
    if (use->local_path || length < 3 || length >= WPA_FLEET_SLUG_MAX || use->text[length] != '@' ||
        !memchr(use->text, '/', length)) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        slug[i] = (char)tolower((unsigned char)use->text[i]);
    }
    slug[length] = '\0';
    return true;
}

static void count_use(wpa_map *tallies, const wpa_graph_use *use, size_t repository,
                      wpa_arena *arena)
{
    char slug[WPA_FLEET_SLUG_MAX];
    if (!wpa_fleet_slug(use, slug)) {
        return;
    }
    const char *key = wpa_arena_printf(arena, "%s@%d", slug, use->major);
    tally *t = wpa_map_get(tallies, key);
    if (!t) {
        t = wpa_arena_alloc(arena, sizeof *t);
        t->use = (wpa_fleet_use){.slug = wpa_arena_text(arena, slug), .major = use->major};
        wpa_map_put(tallies, key, t);
    }
    t->use.n_places++;
    t->use.n_repositories += t->last != repository;
    t->last = repository;
}

static wpa_fleet *fleet_of(const wpa_map *tallies, wpa_arena *arena)
{
    size_t n = wpa_map_count(tallies);
    wpa_fleet_use *uses = wpa_arena_array(arena, n + 1, sizeof *uses);
    for (size_t i = 0; i < n; i++) {
        void *value;
        (void)wpa_map_at(tallies, i, &value);
        uses[i] = ((const tally *)value)->use;
    }
    wpa_fleet_sort(uses, n);
    wpa_fleet *fleet = wpa_arena_alloc(arena, sizeof *fleet);
    *fleet = (wpa_fleet){.knows_calls = true, .uses = uses, .n_uses = n};
    return fleet;
}

static void count_file(wpa_map *tallies, const wpa_graph_file *file, size_t repository,
                       wpa_arena *arena)
{
    for (size_t i = 0; i < file->n_uses; i++) {
        count_use(tallies, &file->uses[i], repository, arena);
    }
}

wpa_fleet *wpa_fleet_of(const wpa_graph *const graphs[], size_t n, wpa_arena *arena)
{
    wpa_map *tallies = wpa_map_new(arena);
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < wpa_graph_count(graphs[i]); k++) {
            count_file(tallies, wpa_graph_at(graphs[i], k), i + 1, arena);
        }
    }
    wpa_fleet *fleet = fleet_of(tallies, arena);
    fleet->n_repositories = fleet->n_graphs = n;
    fleet->graphs = wpa_arena_dup(arena, graphs, n * sizeof(void *));
    return fleet;
}

wpa_fleet *wpa_fleet_of_file(const wpa_graph_file *file, wpa_arena *arena)
{
    wpa_map *tallies = wpa_map_new(arena);
    count_file(tallies, file, 1, arena);
    return fleet_of(tallies, arena);
}

/** Like strcmp over the slug in lower case. */
static int compare_slug(wpa_slice slug, const char *other)
{
    for (size_t i = 0; i < slug.length; i++) {
        int difference = tolower((unsigned char)slug.at[i]) - (int)(unsigned char)other[i];
        if (difference) {
            return difference;
        }
    }
    return other[slug.length] ? -1 : 0;
}

const wpa_fleet_use *wpa_fleet_uses_find(const wpa_fleet *fleet, wpa_slice slug, size_t *n)
{
    size_t low = 0, high = fleet ? fleet->n_uses : 0;
    *n = 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_slug(slug, fleet->uses[middle].slug) > 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    while (fleet && low + *n < fleet->n_uses &&
           compare_slug(slug, fleet->uses[low + *n].slug) == 0) {
        ++*n;
    }
    return *n ? &fleet->uses[low] : NULL;
}

/** What others call the repository: by its owner too, if that is known. */
static bool is_of_repository(const wpa_surroundings *around, const char *slug, size_t length)
{
    const char *name = around->repository, *slash = memchr(slug, '/', length);
    const char *bare = name && strrchr(name, '/') ? strrchr(name, '/') + 1 : name;
    size_t owner = slash ? (size_t)(slash - slug) : 0;
    return bare && slash && strlen(bare) == length - owner - 1 &&
           strncasecmp(slash + 1, bare, strlen(bare)) == 0 &&
           (!around->owner ||
            (strlen(around->owner) == owner && strncasecmp(around->owner, slug, owner) == 0));
}

bool wpa_fleet_calls(const wpa_source *source)
{
    const wpa_surroundings *around = source->around;
    const wpa_fleet *fleet = around ? around->fleet : NULL;
    const char *path = wpa_source_identity(source);
    size_t length = strlen(path);
    for (size_t i = 0; fleet && i < fleet->n_uses; i++) {
        const char *slug = fleet->uses[i].slug;
        size_t n = strlen(slug);
        if (n > length + 1 && slug[n - length - 1] == '/' &&
            strcasecmp(slug + n - length, path) == 0 &&
            is_of_repository(around, slug, n - length - 1)) {
            return true;
        }
    }
    return false;
}
