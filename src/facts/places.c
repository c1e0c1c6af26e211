#include "facts/places.h"

#include <stdlib.h>
#include <string.h>

#include <wpa/file.h>

#define SYSTEM_FOLDERS "/usr/local/share:/usr/share"
#define PLACES_MAX 16

static const char *file_in(const char *folder, wpa_arena *arena)
{
    return wpa_arena_printf(arena, "%s/facts/" WPA_FACTS_FILE, folder);
}

/** The i-th folder of the system for data, or NULL; those that are not absolute do not count. */
static const char *system_file(size_t i, wpa_arena *arena)
{
    const char *list = getenv("XDG_DATA_DIRS"); /* NOLINT(concurrency-mt-unsafe): before threads */
    for (list = list && *list ? list : SYSTEM_FOLDERS; *list;) {
        size_t length = strcspn(list, ":");
        if (*list == '/' && i-- == 0) {
            return file_in(wpa_arena_printf(arena, "%.*s/wpa", (int)length, list), arena);
        }
        list += length + (list[length] == ':');
    }
    return NULL;
}

const char *wpa_facts_place(bool is_system, wpa_arena *arena, wpa_error *err)
{
    const char *folder = is_system ? NULL : wpa_path_data(arena, err);
    const char *file = is_system ? system_file(0, arena) : folder ? file_in(folder, arena) : NULL;
    if (is_system && !file) {
        (void)WPA_FAIL(err, WPA_E_INVALID, "XDG_DATA_DIRS names no absolute folder");
    }
    return file;
}

static void take(const char *path, const char *today, wpa_facts_loaded *loaded, wpa_arena *arena)
{
    wpa_error err = {0};
    size_t size_bytes;
    const char *text = wpa_file_read(path, WPA_REFRESHED_MAX_BYTES, arena, &size_bytes, &err);
    const wpa_refreshed *table =
        text ? wpa_refreshed_parse(path, text, size_bytes, today, arena, &err) : NULL;
    if (!table) {
        if (err.code != WPA_E_NOT_FOUND && !loaded->fault) {
            loaded->fault = wpa_arena_printf(arena, "refreshed facts are ignored: %s", err.message);
        }
        return;
    }
    bool is_newer =
        !loaded->table || strcmp(wpa_refreshed_date(table), wpa_refreshed_date(loaded->table)) > 0;
    if (is_newer) {
        loaded->table = table;
        loaded->path = path;
    }
}

wpa_facts_loaded wpa_facts_load(const char *today, wpa_arena *arena)
{
    wpa_facts_loaded loaded = {0};
    wpa_error err = {0};
    const char *path = wpa_facts_place(false, arena, &err);
    for (size_t i = 0; i < PLACES_MAX; i++) {
        if (path) {
            take(path, today, &loaded, arena);
        }
        path = system_file(i, arena);
        if (!path) {
            break;
        }
    }
    loaded.is_used = loaded.table && wpa_refreshed_use(loaded.table);
    return loaded;
}
