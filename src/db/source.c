#include "db/source.h"

#include <stdlib.h>
#include <string.h>

#include <wpa/file.h>
#include <wpa/text.h>
#include <wpa/yaml.h>

/* Those that say where; a user name or password alone does not. */
static const char *const place_variables[] = {
    "PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGSERVICE",
};

static bool is_set(const char *text)
{
    return text && *text;
}

/* Nothing but white space and comments: a file with everything switched off. */
static bool is_blank(const char *text)
{
    for (text += strspn(text, " \t\r\n"); *text == '#'; text += strspn(text, " \t\r\n")) {
        text += strcspn(text, "\n");
    }
    return !*text;
}

/* "db" of a configuration file; leaves the source alone if there is no file or it names none. */
static bool read_file(const char *path, wpa_arena *arena, wpa_db_source *source, wpa_error *err)
{
    if (!wpa_path_exists(path)) {
        return true;
    }
    size_t size = 0;
    char *text = wpa_file_read(path, WPA_YAML_MAX_BYTES, arena, &size, err);
    if (!text) {
        return false;
    }
    if (is_blank(text)) {
        return true;
    }
    const wpa_yaml_doc *doc = wpa_yaml_parse_strict(path, text, size, arena, err);
    const char *dsn = NULL;
    if (!doc || !wpa_yaml_get_text(doc->root, "db", &dsn, err)) {
        return false;
    }
    if (is_set(dsn)) {
        *source = (wpa_db_source){.dsn = dsn, .origin = path};
    }
    return true;
}

bool wpa_db_source_find(const char *option, wpa_arena *arena, wpa_db_source *source, wpa_error *err)
{
    *source = (wpa_db_source){.origin = "embedded"};
    if (is_set(option)) {
        *source = (wpa_db_source){.dsn = option, .origin = "--db"};
        return true;
    }
    const char *variable = getenv("WPA_DB");
    if (is_set(variable)) {
        *source = (wpa_db_source){.dsn = wpa_arena_text(arena, variable), .origin = "WPA_DB"};
        return true;
    }
    for (size_t i = 0; i < WPA_COUNT(place_variables); i++) {
        if (is_set(getenv(place_variables[i]))) {
            *source = (wpa_db_source){.dsn = "", .origin = place_variables[i]};
            return true;
        }
    }
    const char *folder = wpa_path_config(arena, err);
    return folder && read_file("/etc/wpa/console.yaml", arena, source, err) &&
           read_file(wpa_path_join(arena, folder, "console.yaml"), arena, source, err);
}
