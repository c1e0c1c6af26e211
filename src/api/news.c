/* News of the database in a client's words: tables become resources, numbers UUIDs. */
#include <string.h>

#include <wpa/text.h>

#include "api/events.h"
#include "gen/sql.h"

/* The table that changed, what clients call it, and of what kind the number is that its trigger
   tells. Without a kind the number is an entry's place (audit) or means nothing to others. */
static const struct {
    const char *table, *resource, *kind;
} tables[] = {
    {"repository", "repository", "repository"},
    {"workflow", "workflow", "workflow"},
    {"workflow_analysis", "analysis", "workflow"},
    {"finding", "finding", "workflow"},
    {"health", "health", "workflow"},
    {"patch", "patch", "patch"},
    {"approval", "approval", "patch"},
    {"test_run", "test", "patch"},
    {"test_check", "test", "test"},
    {"deployment", "deployment", "deployment"},
    {"deployment_stage", "stage", "deployment"},
    {"deployment_target", "target", "deployment"},
    {"probe", "check", "deployment"},
    {"measurement", "check", "probe"},
    {"job", "job", "job"},
    {"notice", "notice", "notice"},
    {"destination", "destination", "destination"},
    {"outbox", "delivery", "destination"},
    {"principal", "guardian", "principal"},
    {"session", "session", "principal"},
    {"setting", "setting", NULL},
    {"audit", "audit", NULL},
};

typedef struct news {
    const char *resource, *kind; /* kind "": nothing to be looked up */
    int64_t number;
} news;

/** "patch:12"; of a comment "comment:patch:12"; false: nobody is told of it. */
static bool read_payload(const char *payload, wpa_arena *arena, news *out)
{
    const char *colon = strchr(payload, ':');
    if (!colon) {
        return false;
    }
    const char *table = wpa_arena_slice(arena, payload, (size_t)(colon - payload));
    *out = (news){.resource = table, .kind = ""};
    for (size_t i = 0; i < WPA_COUNT(tables); i++) {
        if (wpa_text_is(table, tables[i].table)) {
            out->resource = tables[i].resource;
            out->kind = tables[i].kind ? tables[i].kind : "";
        }
    }
    const char *within = strchr(colon + 1, ':');
    if (within) {
        out->kind = wpa_arena_slice(arena, colon + 1, (size_t)(within - colon - 1));
        colon = within;
    }
    if (!wpa_text_to_int(colon + 1, 1, INT64_MAX, &out->number)) {
        out->number = 0; /* many at once */
    }
    return true;
}

static wpa_rows *look_up(wpa_db *db, const news *all, size_t n, wpa_arena *arena)
{
    wpa_error ignored = {0}; /* then the ids are null: who is told reads again */
    const char *kinds[WPA_API_NEWS_MAX];
    int64_t numbers[WPA_API_NEWS_MAX];
    for (size_t i = 0; i < n; i++) {
        kinds[i] = all[i].kind;
        numbers[i] = all[i].number;
    }
    const char *params[] = {wpa_db_array(arena, kinds, n), wpa_db_array_int(arena, numbers, n)};
    return wpa_db_exec(db, WPA_SQL_API_NEWS, params, WPA_COUNT(params), &ignored);
}

static const char *write_one(const news *one, const wpa_rows *rows, size_t row, wpa_arena *arena)
{
    wpa_json *data = wpa_json_new_object(arena);
    bool is_found = rows && row < wpa_rows_count(rows);
    wpa_json_set_text(data, "resource", one->resource);
    wpa_json_set_text(data, "of", is_found ? wpa_rows_text(rows, row, 0) : NULL);
    wpa_json_set_text(data, "id", is_found ? wpa_rows_text(rows, row, 1) : NULL);
    wpa_json_set_text(data, "short_id", is_found ? wpa_rows_text(rows, row, 2) : NULL);
    if (wpa_text_is(one->resource, "audit") && one->number) {
        wpa_json_set_int(data, "seq", one->number);
    }
    return wpa_json_dump(data, arena);
}

void wpa_api_news_tell(wpa_api *api, wpa_db *db, const char *const payloads[], size_t n)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    news all[WPA_API_NEWS_MAX];
    size_t n_news = 0;
    for (size_t i = 0; i < n && i < WPA_API_NEWS_MAX && wpa_api_streams_any(api); i++) {
        n_news += read_payload(payloads[i], arena, &all[n_news]);
    }
    if (n_news == 0) {
        return;
    }
    WPA_AUTO(wpa_rows) *rows = look_up(db, all, n_news, arena);
    for (size_t i = 0; i < n_news; i++) {
        wpa_api_streams_tell(api, "change", write_one(&all[i], rows, i, arena));
    }
}
