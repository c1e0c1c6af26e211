/* Lists by key, single things, and what is waited for. */
#include <string.h>

#include <wpa/buf.h>
#include <wpa/text.h>

#include "api/item.h"
#include "api/server.h"
#include "auth/hash.h"
#include "core/mix.h"
#include "gen/sql.h"

#define LIMIT_DEFAULT 50
#define ANSWER_MAX_BYTES ((size_t)64 << 20)

static const char *digest_of(const wpa_api_request *request)
{
    return wpa_arena_printf(request->arena, "%016llx%zx",
                            (unsigned long long)wpa_mix(request->text, request->text_bytes),
                            request->text_bytes);
}

/** Where the answer is written: it stays with the call. */
static wpa_buf *written(const wpa_api_request *request)
{
    wpa_buf_free(request->call->written);
    request->call->written = wpa_buf_new(ANSWER_MAX_BYTES);
    return request->call->written;
}

static bool take_text(wpa_api_request *request, wpa_error *err)
{
    const wpa_buf *out = request->call->written;
    request->text = wpa_buf_data(out);
    request->text_bytes = wpa_buf_size(out);
    return wpa_buf_check(out, "answer", err);
}

static const char *next_link(wpa_api_request *request, int64_t last_id)
{
    const char *query = "";
    for (size_t i = 0; i < wpa_json_count(request->query); i++) {
        const char *key = wpa_json_key_at(request->query, i);
        const wpa_json *value = wpa_json_at(request->query, i);
        if (wpa_text_is(key, "cursor")) {
            continue;
        }
        const char *text = wpa_json_text_of(value) ? wpa_json_text_of(value)
                                                   : wpa_json_dump(value, request->arena);
        query = wpa_arena_printf(request->arena, "%s%s=%s&", query, key,
                                 wpa_text_url_encode(request->arena, text));
    }
    return wpa_arena_printf(request->arena, "<%s?%scursor=%lld>; rel=\"next\"", request->path,
                            query, (long long)last_id);
}

static void write_items(const wpa_rows *rows, size_t n, wpa_buf *out, wpa_arena *arena)
{
    const wpa_api_form *form = wpa_api_form_of(rows, 1, arena);
    wpa_buf_text(out, "{\"items\":[");
    for (size_t i = 0; i < n; i++) {
        wpa_buf_text(out, i ? "," : "");
        wpa_api_form_write(form, rows, i, out);
    }
    wpa_buf_text(out, "]}");
}

wpa_api_next wpa_api_list(wpa_api_request *request, const wpa_sql *statement, const char *params[],
                          size_t n, wpa_error *err)
{
    char limit[WPA_DB_NUMBER_SIZE];
    int64_t before = 0, wanted = wpa_api_query_int(request, "limit", LIMIT_DEFAULT);
    const char *cursor = wpa_api_query_text(request, "cursor");
    if (cursor && !wpa_text_to_int(cursor, 1, INT64_MAX, &before)) {
        (void)WPA_FAIL(err, WPA_E_INVALID, "parameter 'cursor' is none that a Link gave");
        return WPA_API_FAILED;
    }
    params[0] = cursor;
    params[1] = wpa_db_number(wanted + 1, limit);
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(request->db, statement, params, n, err);
    if (!rows) {
        return WPA_API_FAILED;
    }
    bool has_more = wpa_rows_count(rows) > (size_t)wanted;
    size_t n_shown = has_more ? (size_t)wanted : wpa_rows_count(rows);
    write_items(rows, n_shown, written(request), request->arena);
    if (!take_text(request, err)) {
        return WPA_API_FAILED;
    }
    request->etag = digest_of(request);
    request->link = has_more ? next_link(request, wpa_rows_int(rows, n_shown - 1, 0)) : NULL;
    return WPA_API_DONE;
}

wpa_api_next wpa_api_one(wpa_api_request *request, const wpa_sql *statement,
                         const char *const params[], size_t n, const char *missing, wpa_error *err)
{
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(request->db, statement, params, n, err);
    if (!rows) {
        return WPA_API_FAILED;
    }
    if (wpa_rows_count(rows) == 0) {
        (void)WPA_FAIL(err, WPA_E_NOT_FOUND, "%s", missing);
        return WPA_API_FAILED;
    }
    wpa_api_form_write(wpa_api_form_of(rows, 1, request->arena), rows, 0, written(request));
    if (!take_text(request, err)) {
        return WPA_API_FAILED;
    }
    request->etag = wpa_rows_is_null(rows, 0, 0)
                        ? digest_of(request)
                        : wpa_arena_printf(request->arena, "v%s", wpa_rows_text(rows, 0, 0));
    return WPA_API_DONE;
}

/* ---- what a path names -------------------------------------------------------------------------
 */

/* What is asked for most has a statement of its own. */
static const struct {
    char letter;
    const char *kind;
    const wpa_sql *by_uid;
} things[] = {
    {'p', "patch", WPA_SQL_API_PATCH_BY_UID},
    {'f', "finding", WPA_SQL_API_FINDING_BY_UID},
    {'a', "analysis", WPA_SQL_API_ANALYSIS_BY_UID},
    {'d', "deployment", WPA_SQL_API_DEPLOYMENT_BY_UID},
    {'j', "job", NULL},
    {'n', "notice", NULL},
    {'t', "token", NULL},
    {'o', "destination", NULL},
    {'m', "delivery", NULL},
    {'h', "webhook", NULL},
};

static wpa_rows *find_by_uid(wpa_api_request *request, size_t thing, const char *uid,
                             wpa_error *err)
{
    const char *params[] = {things[thing].kind, uid};
    return things[thing].by_uid
               ? wpa_db_exec(request->db, things[thing].by_uid, params + 1, 1, err)
               : wpa_db_exec(request->db, WPA_SQL_API_THING_BY_UID, params, 2, err);
}

bool wpa_api_id_of(wpa_api_request *request, const char *text, char letter, int64_t *id,
                   wpa_error *err)
{
    bool has_letter = text[0] == letter && text[1] == '-';
    if (wpa_text_to_int(text + (has_letter ? 2 : 0), 1, INT64_MAX, id)) {
        return true;
    }
    size_t thing = 0;
    while (things[thing].letter != letter) {
        thing++;
    }
    if (!wpa_uuid_is_valid(text)) {
        return WPA_FAIL(err, WPA_E_NOT_FOUND,
                        "'%s' names no %s (expected a UUID, or a short id as %c-17)", text,
                        things[thing].kind, letter);
    }
    WPA_AUTO(wpa_rows) *rows = find_by_uid(request, thing, text, err);
    if (!rows) {
        return false;
    }
    if (wpa_rows_count(rows) == 0) {
        return WPA_FAIL(err, WPA_E_NOT_FOUND, "there is no %s %s", things[thing].kind, text);
    }
    *id = wpa_rows_int(rows, 0, 0);
    return true;
}

bool wpa_api_id(wpa_api_request *request, size_t i, char letter, int64_t *id, wpa_error *err)
{
    return wpa_api_id_of(request, request->values[i], letter, id, err);
}

bool wpa_api_repository_name(wpa_api_request *request, const char *text, const char **name,
                             wpa_error *err)
{
    int64_t id = 0;
    char number[WPA_DB_NUMBER_SIZE];
    *name = text;
    if (!text) {
        return true;
    }
    bool is_short = wpa_text_starts(text, "r-") && wpa_text_to_int(text + 2, 1, INT64_MAX, &id);
    bool is_uid = wpa_uuid_is_valid(text);
    if (!is_short && !is_uid) {
        return true; /* nothing but a name */
    }
    const char *params[] = {text, is_short ? wpa_db_number(id, number) : NULL,
                            is_uid ? text : NULL};
    WPA_AUTO(wpa_rows) *rows =
        wpa_db_exec(request->db, WPA_SQL_API_REPOSITORY_NAME, params, WPA_COUNT(params), err);
    *name = rows && wpa_rows_count(rows) ? wpa_rows_dup(rows, 0, 0, request->arena) : text;
    return rows != NULL;
}

bool wpa_api_principal_name(wpa_api_request *request, const char **name, wpa_error *err)
{
    const char *text = request->values[0];
    const char *params[] = {text, wpa_uuid_is_valid(text) ? text : NULL};
    WPA_AUTO(wpa_rows) *rows =
        wpa_db_exec(request->db, WPA_SQL_API_PRINCIPAL_NAME, params, WPA_COUNT(params), err);
    *name = rows && wpa_rows_count(rows) ? wpa_rows_dup(rows, 0, 0, request->arena) : text;
    return rows != NULL;
}

wpa_api_next wpa_api_wait_for(wpa_api_request *request, int64_t job_id)
{
    request->job_id = job_id;
    return WPA_API_WAIT;
}

wpa_api_next wpa_api_accepted(wpa_api_request *request, const char *location)
{
    wpa_json *answer = wpa_json_new_object(request->arena);
    request->location = wpa_arena_printf(request->arena, "%s%s", WPA_API_BASE, location);
    request->status = 202;
    wpa_json_set_text(answer, "location", request->location);
    return wpa_api_answer(request, answer);
}
