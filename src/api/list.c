/* Lists by key, single things, and what is waited for. */
#include <string.h>

#include <wpa/buf.h>
#include <wpa/text.h>

#include "api/item.h"
#include "api/server.h"
#include "auth/hash.h"

#define LIMIT_DEFAULT 50
#define ANSWER_MAX_BYTES ((size_t)64 << 20)

static const char *digest_of(const wpa_api_request *request)
{
    char *hex = wpa_arena_alloc(request->arena, WPA_BLAKE2B_HEX_SIZE);
    return wpa_blake2b_hex(request->text, request->text_bytes, hex);
}

static bool take_text(wpa_api_request *request, const wpa_buf *out, wpa_error *err)
{
    request->text = wpa_buf_dup(out, request->arena);
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
    WPA_AUTO(wpa_buf) *out = wpa_buf_new(ANSWER_MAX_BYTES);
    if (!rows) {
        return WPA_API_FAILED;
    }
    bool has_more = wpa_rows_count(rows) > (size_t)wanted;
    size_t n_shown = has_more ? (size_t)wanted : wpa_rows_count(rows);
    write_items(rows, n_shown, out, request->arena);
    if (!take_text(request, out, err)) {
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
    WPA_AUTO(wpa_buf) *out = wpa_buf_new(ANSWER_MAX_BYTES);
    wpa_api_form_write(wpa_api_form_of(rows, 1, request->arena), rows, 0, out);
    if (!take_text(request, out, err)) {
        return WPA_API_FAILED;
    }
    request->etag = wpa_rows_is_null(rows, 0, 0)
                        ? digest_of(request)
                        : wpa_arena_printf(request->arena, "v%s", wpa_rows_text(rows, 0, 0));
    return WPA_API_DONE;
}

bool wpa_api_id_or_uid(wpa_api_request *request, size_t i, char letter, const wpa_sql *by_uid,
                       int64_t *id, wpa_error *err)
{
    const char *text = request->values[i];
    if (!wpa_uuid_is_valid(text)) {
        return wpa_api_id(request, i, letter, id, err);
    }
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(request->db, by_uid, &text, 1, err);
    if (!rows) {
        return false;
    }
    if (wpa_rows_count(rows) == 0) {
        return WPA_FAIL(err, WPA_E_NOT_FOUND, "there is no %s", text);
    }
    *id = wpa_rows_int(rows, 0, 0);
    return true;
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
