#include "analysis/default_config.h"

#include <string.h>

#include <wpa/clock.h>
#include <wpa/text.h>

#include "gen/sql.h"
#include "rules/config.h"

bool wpa_default_config_read(wpa_db *db, wpa_arena *arena, wpa_default_config *config,
                             wpa_error *err)
{
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_DEFAULT_CONFIG_GET, NULL, 0, err);
    *config = (wpa_default_config){0};
    if (rows && wpa_rows_count(rows) > 0) {
        config->version = wpa_rows_int(rows, 0, 0);
        config->content = wpa_rows_dup(rows, 0, 1, arena);
        config->changed_by = wpa_rows_dup(rows, 0, 2, arena);
        config->changed_at_us = config->changed_by ? wpa_rows_time_us(rows, 0, 3) : 0;
    }
    return rows != NULL;
}

static wpa_settings *new_settings(wpa_persona persona, int64_t now_us, wpa_arena *arena)
{
    wpa_settings *settings = wpa_settings_new(now_us, arena);
    settings->persona = persona;
    return settings;
}

wpa_settings *wpa_default_config_settings(const char *content, wpa_persona persona, int64_t now_us,
                                          wpa_arena *arena)
{
    wpa_settings *settings = new_settings(persona, now_us, arena);
    wpa_error err = {0};
    bool is_read = !content || wpa_config_read(WPA_DEFAULT_CONFIG_NAME, content, strlen(content),
                                               settings, arena, &err);
    return is_read ? settings : new_settings(persona, now_us, arena);
}

static bool names_program(const wpa_settings *settings)
{
    for (size_t i = 0; i < WPA_TOOL_COUNT; i++) {
        if (settings->tools[i].path) {
            return true;
        }
    }
    return false;
}

/** What it may say: nothing that leads to files, or to programs, of whoever reads it. */
static bool check(const char *content, wpa_arena *arena, wpa_error *err)
{
    wpa_settings *settings = wpa_settings_new(wpa_now_us(), arena);
    size_t size_bytes = strlen(content);
    if (size_bytes > WPA_DEFAULT_CONFIG_MAX_BYTES) {
        return WPA_FAIL(err, WPA_E_LIMIT, "it is larger than %zu bytes",
                        WPA_DEFAULT_CONFIG_MAX_BYTES);
    }
    if (!wpa_config_read(WPA_DEFAULT_CONFIG_NAME, content, size_bytes, settings, arena, err)) {
        err->code = WPA_E_INVALID;
        return false;
    }
    const struct {
        bool is_there;
        const char *key;
    } kept_out[] = {
        {settings->baseline != NULL, "baseline"},
        {settings->n_analysers > 0, "analysers"},
        {settings->reads_zizmor || settings->reads_actionlint, "compat"},
        {names_program(settings), "the path of a program under tools"},
    };
    for (size_t i = 0; i < WPA_COUNT(kept_out); i++) {
        if (kept_out[i].is_there) {
            return WPA_FAIL(err, WPA_E_INVALID,
                            "%s is a repository's own to say: it holds for "
                            "files and programs beside it",
                            kept_out[i].key);
        }
    }
    return true;
}

typedef struct change {
    const char *content;
    int64_t version;
} change;

static bool write_change(wpa_db *db, void *context, wpa_error *err)
{
    const change *c = context;
    char version[WPA_DB_NUMBER_SIZE];
    const char *params[] = {c->content, c->version < 0 ? NULL : wpa_db_number(c->version, version)};
    WPA_AUTO(wpa_rows) *rows =
        wpa_db_exec(db, WPA_SQL_DEFAULT_CONFIG_SET, params, WPA_COUNT(params), err);
    return rows &&
           (wpa_rows_count(rows) > 0 ||
            WPA_FAIL(err, WPA_E_CONFLICT, "somebody has changed the fleet's configuration since"));
}

bool wpa_default_config_set(wpa_db *db, const wpa_actor *actor, const char *content,
                            int64_t version, wpa_error *err)
{
    change c = {content, version};
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    return wpa_actor_check(actor, WPA_ACTION_CHANGE_POLICY, err) &&
           (!content || check(content, arena, err)) &&
           wpa_db_transact(db, actor, write_change, &c, err);
}
