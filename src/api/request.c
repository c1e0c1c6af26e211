/* What handlers share: values out, answers and problems in. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <wpa/clock.h>
#include <wpa/text.h>

#include "api/server.h"

const char *wpa_api_query_text(const wpa_api_request *request, const char *name)
{
    return wpa_json_text_of(wpa_json_find(request->query, name));
}

const char *wpa_api_body_text(const wpa_api_request *request, const char *name)
{
    return wpa_json_text_of(wpa_json_find(request->body, name));
}

wpa_secret *wpa_api_body_passphrase(const wpa_api_request *request)
{
    const char *text = wpa_api_body_text(request, "passphrase");
    return wpa_secret_new(text, strlen(text));
}

const char *wpa_api_query_flag(const wpa_api_request *request, const char *name)
{
    const wpa_json *value = wpa_json_find(request->query, name);
    return value ? wpa_db_bool(wpa_json_bool_of(value, false)) : NULL;
}

int64_t wpa_api_query_int(const wpa_api_request *request, const char *name, int64_t fallback)
{
    return wpa_json_int_of(wpa_json_find(request->query, name), fallback);
}

wpa_api_next wpa_api_answer(wpa_api_request *request, wpa_json *answer)
{
    request->answer = answer;
    return WPA_API_DONE;
}

/** The next of `"a", W/"b"`, without quotes; NULL at the end. */
static const char *next_etag(const char **list, bool *is_weak, wpa_arena *arena)
{
    *list += strspn(*list, ", \t");
    size_t length = strcspn(*list, ", \t"); /* our own have neither */
    *is_weak = wpa_text_starts(*list, "W/");
    const char *start = *list + (*is_weak ? 2 : 0);
    size_t n = length - (size_t)(start - *list);
    bool is_quoted = n >= 2 && start[0] == '"' && start[n - 1] == '"';
    *list += length;
    return length == 0 ? NULL
                       : wpa_arena_slice(arena, start + is_quoted, n - (is_quoted ? 2U : 0U));
}

bool wpa_api_etag_is_named(const wpa_api_request *request, const char *list, const char *etag,
                           bool may_be_weak)
{
    const char *one;
    bool is_it = false, is_weak;
    while (list && !is_it && (one = next_etag(&list, &is_weak, request->arena))) {
        bool counts = may_be_weak || !is_weak;
        is_it = counts && (wpa_text_is(one, "*") || wpa_text_is(one, etag));
    }
    return is_it;
}

bool wpa_api_is_as_read(const wpa_api_request *request, wpa_error *err)
{
    return !request->if_match ||
           wpa_api_etag_is_named(request, request->if_match, request->etag, false) ||
           WPA_FAIL(err, WPA_E_CONFLICT, "If-Match names another state: it is %s now",
                    request->etag);
}

/* Versions only grow: of several that were read, none but the newest can be that of now. */
bool wpa_api_version_wanted(const wpa_api_request *request, int64_t *version, wpa_error *err)
{
    const char *list = request->if_match, *one;
    bool is_any = !list, is_weak;
    *version = -1;
    while (!is_any && (one = next_etag(&list, &is_weak, request->arena))) {
        int64_t number = -1;
        if (is_weak) {
            continue;
        }
        is_any = wpa_text_is(one, "*");
        if (wpa_text_to_int(one + (*one == 'v'), 0, INT64_MAX, &number) && number > *version) {
            *version = number;
        }
    }
    *version = is_any ? -1 : *version;
    return is_any || *version >= 0 ||
           WPA_FAIL(err, WPA_E_CONFLICT, "If-Match names no state of this thing");
}

void wpa_api_set_time(wpa_json *object, const char *key, int64_t time_us)
{
    char text[WPA_TIMESTAMP_SIZE];
    if (time_us == 0 || time_us == INT64_MAX || time_us == INT64_MIN) {
        wpa_json_set_null(object, key);
    } else {
        wpa_json_set_text(object, key, wpa_timestamp_format(time_us, text));
    }
}

const char *wpa_api_request_header(const wpa_api_request *request, const char *name)
{
    return wpa_api_header(request->call, name);
}

/* ---- problems -----------------------------------------------------------------------------------
 */

int wpa_api_status_of(const wpa_api_request *request, const wpa_error *err)
{
    static const int statuses[WPA_CODE_COUNT] = {
        [WPA_OK] = 500,           [WPA_E_INVALID] = 422,     [WPA_E_NOT_FOUND] = 404,
        [WPA_E_DENIED] = 403,     [WPA_E_REFUSED] = 409,     [WPA_E_CONFLICT] = 409,
        [WPA_E_LEASE_LOST] = 409, [WPA_E_LIMIT] = 413,       [WPA_E_CANCELLED] = 503,
        [WPA_E_TIMEOUT] = 504,    [WPA_E_UNAVAILABLE] = 503, [WPA_E_IO] = 500,
        [WPA_E_INTERNAL] = 500,
    };
    if (err->code == WPA_E_DENIED && !request->is_known) {
        return 401;
    }
    if (err->code == WPA_E_CONFLICT && request->if_match) {
        return 412;
    }
    return statuses[err->code];
}

/** The field that an error is about: what its message quotes behind "field" or "parameter". */
static const char *field_of(const wpa_error *err, wpa_arena *arena)
{
    static const char *const leads[] = {"field '", "parameter '"};
    for (size_t i = 0; i < WPA_COUNT(leads); i++) {
        const char *at = strstr(err->message, leads[i]);
        const char *start = at ? at + strlen(leads[i]) : NULL;
        const char *end = start ? strchr(start, '\'') : NULL;
        if (end) {
            return wpa_arena_slice(arena, start, (size_t)(end - start));
        }
    }
    return NULL;
}

void wpa_api_problem(wpa_api_request *request, const wpa_error *err)
{
    char text[sizeof err->message + sizeof err->context];
    int status = request->status >= 400 ? request->status : wpa_api_status_of(request, err);
    const char *field = field_of(err, request->arena);
    field = field ? field : request->field;
    wpa_json *problem = wpa_json_new_object(request->arena);
    wpa_json_set_text(
        problem, "type",
        wpa_arena_printf(request->arena, "%s/docs#%s", WPA_API_BASE, wpa_code_name(err->code)));
    wpa_json_set_text(problem, "title", wpa_code_name(err->code));
    wpa_json_set_int(problem, "status", status);
    wpa_json_set_text(problem, "detail",
                      status == 500   ? "an error of the server; its log says more"
                      : status == 422 ? wpa_error_text(err, text, sizeof text)
                                      : err->message);
    wpa_json_set_text(problem, "instance", request->path);
    if (field) {
        wpa_json_set_text(problem, "field", field);
    }
    request->status = status;
    request->answer = problem;
    request->text = NULL;
    request->etag = NULL; /* nor what the handler had made already */
    request->link = NULL;
    request->location = NULL;
}
