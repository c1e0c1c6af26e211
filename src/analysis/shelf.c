#include "analysis/shelf.h"

#include <pthread.h>

#include <wpa/map.h>
#include <wpa/memory.h>

#include "core/large.h"

typedef struct place {
    size_t size_bytes;
    bool is_asked; /* and source is what came of it */
    const wpa_source *source;
} place;

struct wpa_shelf {
    const wpa_surroundings *around;
    wpa_arena *arena;  /* of the places */
    wpa_arena *trees;  /* that are not held anyway */
    wpa_map *places;   /* path -> place */
    size_t size_bytes; /* of texts that were read … */
    size_t tree_bytes; /* … and of what their trees take */
    pthread_mutex_t lock;
};

wpa_shelf *wpa_shelf_new(const wpa_surroundings *around)
{
    wpa_shelf *shelf = wpa_alloc(sizeof *shelf);
    shelf->around = around;
    shelf->arena = wpa_arena_new_large();
    shelf->trees = wpa_arena_new();
    shelf->places = wpa_map_new(shelf->arena);
    (void)pthread_mutex_init(&shelf->lock, NULL);
    return shelf;
}

void wpa_shelf_free(wpa_shelf *shelf)
{
    if (shelf) {
        (void)pthread_mutex_destroy(&shelf->lock);
        wpa_arena_free(shelf->arena);
        wpa_arena_free(shelf->trees);
        wpa_free(shelf);
    }
}

void wpa_shelf_put(wpa_shelf *shelf, const char *path, size_t size_bytes, const wpa_source *source)
{
    place *own = wpa_arena_alloc(shelf->arena, sizeof *own);
    *own = (place){size_bytes, source != NULL, source};
    wpa_map_put_borrowed(shelf->places, path, own);
}

static void read_file(wpa_shelf *shelf, const char *path, place *own)
{
    wpa_input_kind kind;
    const wpa_surroundings *around = shelf->around;
    own->is_asked = true;
    shelf->size_bytes += own->size_bytes;
    if (!around->read || !wpa_input_of_path(path, &kind)) {
        return;
    }
    WPA_AUTO(wpa_arena) *scratch = wpa_arena_new(); /* the tree keeps a copy of the text */
    size_t size_bytes;
    const char *text =
        around->read(around->read_context, path, WPA_YAML_MAX_BYTES, scratch, &size_bytes);
    const char *shown =
        wpa_arena_printf(scratch, "%s%s", around->prefix ? around->prefix : "", path);
    own->source =
        text ? wpa_source_read(kind, shown, text, size_bytes, around, shelf->trees) : NULL;
    shelf->tree_bytes = wpa_arena_used_bytes(shelf->trees);
}

static bool has_room(const wpa_shelf *shelf, const place *own)
{
    return shelf->size_bytes + own->size_bytes <= WPA_SHELF_MAX_BYTES &&
           shelf->tree_bytes <= WPA_SHELF_TREES_MAX_BYTES;
}

const wpa_source *wpa_shelf_find(void *context, const char *path)
{
    wpa_shelf *shelf = context;
    place *own = wpa_map_get(shelf->places, path);
    if (!own) {
        return NULL;
    }
    (void)pthread_mutex_lock(&shelf->lock);
    if (!own->is_asked && has_room(shelf, own)) {
        read_file(shelf, path, own);
    }
    const wpa_source *source = own->source;
    (void)pthread_mutex_unlock(&shelf->lock);
    return source;
}
