#include "facts/places.h"

#include <stdlib.h>
#include <string.h>

#include <wpa/file.h>

#define SYSTEM_FOLDERS "/usr/local/share:/usr/share"
#define PLACES_MAX 16

static const char *file_in(const char *folder, const char *file, wpa_arena *arena)
{
    return wpa_arena_printf(arena, "%s/facts/%s", folder, file);
}

/** The i-th folder of the system for data, or NULL; those that are not absolute do not count. */
static const char *system_file(size_t i, const char *file, wpa_arena *arena)
{
    const char *list = getenv("XDG_DATA_DIRS"); /* NOLINT(concurrency-mt-unsafe): before threads */
    for (list = list && *list ? list : SYSTEM_FOLDERS; *list;) {
        size_t length = strcspn(list, ":");
        if (*list == '/' && i-- == 0) {
            return file_in(wpa_arena_printf(arena, "%.*s/wpa", (int)length, list), file, arena);
        }
        list += length + (list[length] == ':');
    }
    return NULL;
}

const char *wpa_facts_place(const char *file, bool is_system, wpa_arena *arena, wpa_error *err)
{
    const char *folder = is_system ? NULL : wpa_path_data(arena, err);
    const char *path = is_system ? system_file(0, file, arena)
                       : folder  ? file_in(folder, file, arena)
                                 : NULL;
    if (is_system && !path) {
        (void)WPA_FAIL(err, WPA_E_INVALID, "XDG_DATA_DIRS names no absolute folder");
    }
    return path;
}

static void take_tags(const char *path, const char *text, size_t size_bytes, const char *today,
                      wpa_facts_loaded *loaded, wpa_arena *arena, wpa_error *err)
{
    const wpa_refreshed *table = wpa_refreshed_parse(path, text, size_bytes, today, arena, err);
    bool is_newer = table && (!loaded->table || strcmp(wpa_refreshed_date(table),
                                                       wpa_refreshed_date(loaded->table)) > 0);
    if (is_newer) {
        loaded->table = table;
        loaded->path = path;
    }
}

static void take_told(const char *path, const char *text, size_t size_bytes, const char *today,
                      wpa_facts_loaded *loaded, wpa_arena *arena, wpa_error *err)
{
    const wpa_told *told = wpa_told_parse(path, text, size_bytes, today, arena, err);
    if (told && (!loaded->told || strcmp(told->date, loaded->told->date) > 0)) {
        loaded->told = told;
        loaded->told_path = path;
    }
}

static const struct {
    const char *file;
    void (*take)(const char *path, const char *text, size_t size_bytes, const char *today,
                 wpa_facts_loaded *loaded, wpa_arena *arena, wpa_error *err);
} kinds[] = {{WPA_FACTS_FILE, take_tags}, {WPA_TOLD_FILE, take_told}};

static void take(size_t kind, const char *path, const char *today, wpa_facts_loaded *loaded,
                 wpa_arena *arena)
{
    wpa_error err = {0};
    size_t size_bytes;
    const char *text = wpa_file_read(path, WPA_REFRESHED_MAX_BYTES, arena, &size_bytes, &err);
    if (text) {
        kinds[kind].take(path, text, size_bytes, today, loaded, arena, &err);
    }
    if (err.code != WPA_OK && err.code != WPA_E_NOT_FOUND && !loaded->fault) {
        loaded->fault = wpa_arena_printf(arena, "refreshed facts are ignored: %s", err.message);
    }
}

wpa_facts_loaded wpa_facts_load(const char *today, wpa_arena *arena)
{
    wpa_facts_loaded loaded = {0};
    for (size_t kind = 0; kind < WPA_COUNT(kinds); kind++) {
        wpa_error err = {0};
        const char *path = wpa_facts_place(kinds[kind].file, false, arena, &err);
        for (size_t i = 0; i < PLACES_MAX; i++) {
            if (path) {
                take(kind, path, today, &loaded, arena);
            }
            path = system_file(i, kinds[kind].file, arena);
            if (!path) {
                break;
            }
        }
    }
    loaded.is_used = loaded.table && wpa_refreshed_use(loaded.table);
    wpa_told_use(loaded.told, arena);
    return loaded;
}

void wpa_facts_unload(void)
{
    (void)wpa_refreshed_use(NULL);
    wpa_told_use(NULL, NULL);
}
