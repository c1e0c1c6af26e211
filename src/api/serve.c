/* A call from its path to its answer. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <microhttpd.h>

#include <wpa/clock.h>
#include <wpa/text.h>

#include "api/idempotency.h"
#include "api/kept.h"
#include "api/limits.h"
#include "api/server.h"
#include "auth/hash.h"
#include "gen/calls_microhttpd.h"

#define WAIT_DEFAULT_S 30
#define WAIT_MAX_S 300
#define SUBJECT_MAX_CHARS 200

/* ---- query --------------------------------------------------------------------------------------
 */

typedef struct query_reading {
    wpa_api_call *call;
    wpa_json *query;
    wpa_error *err;
    bool has_failed;
} query_reading;

/* What every list and every long call takes besides its own. */
static const wpa_api_field common_fields[] = {
    {.name = "limit",
     .type = WPA_API_INT,
     .min = 1,
     .max = 500,
     .fallback = "50",
     .words = "rows of a page"},
    {.name = "cursor", .type = WPA_API_TEXT, .max = 512, .words = "from the Link of a page before"},
    {.name = "wait",
     .type = WPA_API_INT,
     .min = 0,
     .max = WAIT_MAX_S,
     .fallback = "30",
     .words = "seconds to wait for the result; 202 if it takes longer"},
    {0},
};

const wpa_api_field *wpa_api_common_field(const wpa_api_route *route, size_t i)
{
    bool is_taken[] = {route->is_list, route->is_list, route->may_wait};
    size_t seen = 0;
    for (size_t k = 0; k < WPA_COUNT(is_taken); k++) {
        if (is_taken[k] && seen++ == i) {
            return &common_fields[k];
        }
    }
    return NULL;
}

static const wpa_api_field *query_field(const wpa_api_route *route, const char *name)
{
    const wpa_api_field *field = wpa_api_field_find(route->query, name);
    const wpa_api_field *common;
    for (size_t i = 0; !field && (common = wpa_api_common_field(route, i)); i++) {
        field = wpa_text_is(common->name, name) ? common : NULL;
    }
    /* A body's fields may stand in the query instead, where there is no body. */
    return field || !route->is_query_body ? field : wpa_api_field_find(route->body, name);
}

static enum MHD_Result read_parameter(void *context, enum MHD_ValueKind kind, const char *name,
                                      const char *value)
{
    query_reading *reading = context;
    wpa_arena *arena = reading->call->arena;
    const wpa_api_field *field = query_field(reading->call->request.route, name);
    (void)kind;
    if (!field) {
        reading->has_failed = true;
        (void)WPA_FAIL(reading->err, WPA_E_INVALID, "unknown parameter '%s'", name);
        return MHD_NO;
    }
    wpa_json *parsed = wpa_api_field_parse(field, value ? value : "", arena, reading->err);
    reading->has_failed = !parsed || wpa_json_find(reading->query, name);
    if (parsed && reading->has_failed) {
        (void)WPA_FAIL(reading->err, WPA_E_INVALID, "parameter '%s' is given twice", name);
    }
    if (!reading->has_failed) {
        wpa_json_set(reading->query, name, parsed);
    }
    return reading->has_failed ? MHD_NO : MHD_YES;
}

static bool read_query(wpa_api_call *call, wpa_error *err)
{
    query_reading reading = {.call = call, .query = wpa_json_new_object(call->arena), .err = err};
    (void)MHD_get_connection_values(call->connection, MHD_GET_ARGUMENT_KIND, read_parameter,
                                    &reading);
    call->request.query = reading.query;
    call->request.wait_ms = wpa_api_query_int(&call->request, "wait", WAIT_DEFAULT_S) * 1000;
    return !reading.has_failed;
}

/* ---- body ---------------------------------------------------------------------------------------
 */

static bool is_json(const char *type)
{
    static const char json[] = "application/json";
    size_t length = type ? strcspn(type, "; \t") : 0;
    return !type || (length == sizeof json - 1 && strncasecmp(type, json, length) == 0);
}

/** Fields of the body that came as parameters. */
static bool add_parameters(const wpa_api_request *r, wpa_json *body, wpa_error *err)
{
    for (size_t i = 0; i < wpa_json_count(r->query); i++) {
        const char *name = wpa_json_key_at(r->query, i);
        if (!wpa_api_field_find(r->route->body, name)) {
            continue;
        }
        if (wpa_json_find(body, name)) {
            return WPA_FAIL(err, WPA_E_INVALID, "parameter '%s' stands in the body too", name);
        }
        wpa_json_set(body, name, wpa_json_dup(wpa_json_at(r->query, i), r->arena));
    }
    return true;
}

/** What many clients send where there is nothing to say. */
static bool is_empty_object(const char *text, size_t size_bytes)
{
    const char *end = text + size_bytes;
    char kept[2] = "";
    size_t n = 0;
    for (; text < end; text++) {
        if (!strchr(" \t\r\n", *text) || !*text) {
            if (n == sizeof kept) {
                return false;
            }
            kept[n++] = *text;
        }
    }
    return n == sizeof kept && kept[0] == '{' && kept[1] == '}';
}

/** The parser repeats what it did not understand: a passphrase, maybe, and its words stand in the
    audit log. Line and column are enough for whoever sent it. */
static wpa_json *parse_body(wpa_api_call *call, wpa_error *err)
{
    const wpa_api_request *r = &call->request;
    wpa_json *body = wpa_json_parse(r->raw, r->raw_bytes, WPA_API_BODY_MAX_BYTES, call->arena, err);
    char *quoted = body ? NULL : strstr(err->message, " near '");
    if (quoted) {
        *quoted = '\0';
    }
    return body;
}

static bool read_body(wpa_api_call *call, wpa_error *err)
{
    wpa_api_request *r = &call->request;
    size_t size_bytes = wpa_buf_size(call->upload);
    r->raw = wpa_buf_data(call->upload);
    r->raw_bytes = size_bytes;
    if (!r->route->body) {
        return size_bytes == 0 || r->route->takes_raw || is_empty_object(r->raw, size_bytes) ||
               WPA_FAIL(err, WPA_E_INVALID, "%s %s takes no body", r->method, r->path);
    }
    if (!is_json(wpa_api_header(call, MHD_HTTP_HEADER_CONTENT_TYPE))) {
        r->status = 415;
        return WPA_FAIL(err, WPA_E_INVALID, "the body's Content-Type must be application/json");
    }
    wpa_json *body = size_bytes ? parse_body(call, err) : wpa_json_new_object(call->arena);
    r->body = body;
    /* Of a body that is no object the fields' check says so. */
    bool takes_parameters =
        body && r->route->is_query_body && wpa_json_kind_of(body) == WPA_JSON_OBJECT;
    return body && (!takes_parameters || add_parameters(r, body, err)) &&
           wpa_api_fields_check(r->route->body, body, err);
}

/* ---- the answer ---------------------------------------------------------------------------------
 */

static void read_conditions(wpa_api_call *call)
{
    wpa_api_request *r = &call->request;
    r->if_match = wpa_api_header(call, MHD_HTTP_HEADER_IF_MATCH);
    r->if_none_match = wpa_api_header(call, MHD_HTTP_HEADER_IF_NONE_MATCH);
    r->idempotency_key = wpa_api_header(call, "Idempotency-Key");
}

/** No longer than the document says. */
static bool check_conditions(const wpa_api_call *call, wpa_error *err)
{
    static const char *const names[] = {MHD_HTTP_HEADER_IF_MATCH, MHD_HTTP_HEADER_IF_NONE_MATCH};
    for (size_t i = 0; i < WPA_COUNT(names); i++) {
        const char *value = wpa_api_header(call, names[i]);
        if (value && strlen(value) > WPA_API_TEXT_MAX_BYTES) {
            return WPA_FAIL(err, WPA_E_INVALID, "parameter '%s' must have at most %d bytes",
                            names[i], WPA_API_TEXT_MAX_BYTES);
        }
    }
    return true;
}

/** What is read has an ETag, of its text if nothing else says in what state it is. */
static void name_state(wpa_api_request *r)
{
    bool is_read = wpa_text_is(r->route->method, "GET") && r->route->access != WPA_API_OPEN;
    if (!is_read || r->status != 200 || r->etag || !r->answer || r->text) {
        return;
    }
    char *hex = wpa_arena_alloc(r->arena, WPA_BLAKE2B_HEX_SIZE);
    r->text = wpa_json_dump(r->answer, r->arena);
    r->text_bytes = strlen(r->text);
    r->etag = wpa_blake2b_hex(r->text, r->text_bytes, hex);
}

/** The caller has this already: nothing to send. */
static void leave_out_unchanged(wpa_api_call *call)
{
    wpa_api_request *r = &call->request;
    bool is_read = wpa_text_is(r->method, "GET") || wpa_text_is(r->method, "HEAD");
    if (is_read && r->status == 200 && r->etag &&
        wpa_api_etag_is_named(r, r->if_none_match, r->etag, true)) {
        r->status = 304;
        r->answer = NULL;
        r->text = NULL;
        r->text_bytes = 0;
    }
}

/**
 * What was refused stands in the audit log, by whom and from where; nobody in particular only as
 * often as an address may try, so that strangers cannot fill it, and calls that were meant to
 * change something but were not understood as often, so that no broken machine does. A failed
 * sign-in writes its own row.
 */
static bool is_worth_recording(wpa_api_call *call)
{
    const wpa_api_request *r = &call->request;
    int64_t wait_s;
    bool is_refusal = r->status == 401 || r->status == 403 || r->status == 409 || r->status == 412;
    bool is_change = r->route && !wpa_text_is(r->route->method, "GET");
    bool is_mistaken = r->is_known && is_change && r->status < 500 && !is_refusal;
    if (!r->route ||
        (r->route->access == WPA_API_OPEN ? r->status != 429 : !is_refusal && !is_mistaken)) {
        return false;
    }
    return (r->is_known && is_refusal) ||
           wpa_api_limits_take(call->api->limits, is_mistaken ? "mistaken" : "refused",
                               r->actor.address, wpa_monotonic_ms(), &wait_s);
}

static void fail(wpa_api_call *call, const wpa_error *err)
{
    wpa_api_request *r = &call->request;
    wpa_api_problem(r, err);
    if (r->status == 503) {
        wpa_api_set_header(call, MHD_HTTP_HEADER_RETRY_AFTER, "2");
    }
    if (r->status == 401) {
        wpa_api_set_header(call, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer realm=\"wpa\"");
    }
    if (r->status >= 500) {
        wpa_log_error(call->api->log, "api", err);
    }
    if (is_worth_recording(call)) {
        wpa_error ignored = {0};
        const char *subject = wpa_text_ellipsis(
            call->arena, wpa_arena_printf(call->arena, "%s %s", r->method, r->path),
            SUBJECT_MAX_CHARS);
        (void)!wpa_agent_record_refusal(r->engine, &r->actor, err->message, subject, &ignored);
    }
}

/* ---- the whole ----------------------------------------------------------------------------------
 */

/** There is no such path; maybe there is one without the slash at its end. */
static bool fail_unknown(const wpa_api_call *call, wpa_error *err)
{
    const wpa_api_request *r = &call->request;
    const char *values[4], *allowed = NULL;
    size_t length = strlen(r->path);
    if (length > 1 && r->path[length - 1] == '/') {
        const char *bare = wpa_arena_slice(call->arena, r->path, length - 1);
        if (wpa_api_route_find(r->method, bare, call->arena, values, &allowed) || allowed) {
            return WPA_FAIL(err, WPA_E_NOT_FOUND, "there is no %s, but %s: without the slash",
                            r->path, bare);
        }
    }
    return WPA_FAIL(err, WPA_E_NOT_FOUND, "there is no %s (see %s/docs)", r->path, WPA_API_BASE);
}

static bool find_route(wpa_api_call *call, wpa_error *err)
{
    wpa_api_request *r = &call->request;
    const char *allowed = NULL;
    bool is_head = wpa_text_is(r->method, "HEAD");
    if (!wpa_utf8_is_valid(r->path, strlen(r->path))) {
        return WPA_FAIL(err, WPA_E_NOT_FOUND, "a path is UTF-8, %%-encoded");
    }
    r->route =
        wpa_api_route_find(is_head ? "GET" : r->method, r->path, call->arena, r->values, &allowed);
    if (r->route) {
        return true;
    }
    if (allowed) {
        wpa_api_set_header(call, MHD_HTTP_HEADER_ALLOW, allowed);
        (void)WPA_FAIL(err, WPA_E_INVALID, "%s is not for %s (allowed: %s)", r->path, r->method,
                       allowed);
        r->status = 405;
        return false;
    }
    return fail_unknown(call, err);
}

bool wpa_api_may_call(const wpa_api_call *call, wpa_error *err)
{
    const wpa_api_request *r = &call->request;
    const wpa_api_options *o = &call->api->options;
    wpa_api_access access = r->route->access;
    if (access == WPA_API_OPEN || (access == WPA_API_METRICS && o->are_metrics_open)) {
        return true;
    }
    if (!r->is_known) {
        return WPA_FAIL(err, WPA_E_DENIED, "a token is needed (Authorization: Bearer ...)");
    }
    if (r->scopes && !wpa_api_scopes_have(r->scopes, r->route->scope)) {
        return WPA_FAIL(err, WPA_E_DENIED, "the token has no scope '%s'", r->route->scope);
    }
    bool is_enough = r->actor.role == WPA_ROLE_GUARDIAN || access == WPA_API_METRICS ||
                     access == WPA_API_ANYBODY || (access == WPA_API_READ && o->is_open_to_viewers);
    return is_enough || WPA_FAIL(err, WPA_E_DENIED,
                                 "'%s' may not do that: the role %s does not "
                                 "allow it",
                                 r->actor.name, wpa_role_name(r->actor.role));
}

bool wpa_api_is_immediate(wpa_api_call *call)
{
    const char *values[4], *allowed;
    const wpa_api_request *r = &call->request;
    const wpa_api_route *route =
        wpa_text_is(r->method, "GET")
            ? wpa_api_route_find(r->method, r->path, call->arena, values, &allowed)
            : NULL;
    return route && route->is_immediate;
}

static bool prepare(wpa_api_call *call, wpa_db *db, wpa_error *err)
{
    wpa_api_request *r = &call->request;
    r->db = db;
    r->call = call;
    read_conditions(call);
    return find_route(call, err) && wpa_api_identify(call, db, err) &&
           (call->is_gated || wpa_api_may_call(call, err)) && read_query(call, err) &&
           read_body(call, err) && check_conditions(call, err);
}

static void take_outcome(wpa_api_call *call, wpa_api_next next, const wpa_error *err)
{
    wpa_api_request *r = &call->request;
    switch (next) {
    case WPA_API_FAILED:
        fail(call, err);
        break;
    case WPA_API_WAIT:
        atomic_store(&call->state, WPA_CALL_PARKED);
        return;
    case WPA_API_DONE:
        if (r->is_stream) {
            atomic_store(&call->state, WPA_CALL_STREAMING);
            return;
        }
        r->status = r->status ? r->status : r->route->status ? r->route->status : 200;
        name_state(r);
        wpa_api_kept_put(call);
        leave_out_unchanged(call);
        break;
    }
    if (r->is_idempotent) {
        wpa_api_idempotency_keep(call);
    }
}

static wpa_api_next run(wpa_api_call *call, wpa_db *db, wpa_error *err)
{
    wpa_api_request *r = &call->request;
    if (!db && r->route->access != WPA_API_OPEN) {
        (void)WPA_FAIL(err, WPA_E_UNAVAILABLE, "the database cannot be reached");
        return WPA_API_FAILED;
    }
    return wpa_api_kept_find(call, db) ? WPA_API_DONE : r->route->run(r, err);
}

/** Who may not call learns nothing else, whatever the outcome. */
static wpa_api_next pass_gate(wpa_api_call *call, wpa_db *db, wpa_api_next next, wpa_error *err)
{
    wpa_error refusal = {0};
    if (call->is_gated && !wpa_db_gate_ask(db, &refusal)) {
        *err = refusal;
        call->request.status = 0;
        call->request.field = NULL;
        next = WPA_API_FAILED;
    }
    return next;
}

/** OPTIONS: what the path takes, without a token. */
static bool tell_methods(wpa_api_call *call)
{
    wpa_api_request *r = &call->request;
    const char *allowed = NULL;
    if (!wpa_text_is(r->method, "OPTIONS")) {
        return false;
    }
    (void)wpa_api_route_find(r->method, r->path, call->arena, r->values, &allowed);
    if (allowed) {
        wpa_api_set_header(call, MHD_HTTP_HEADER_ALLOW, allowed);
        r->status = 204;
    }
    return allowed != NULL;
}

void wpa_api_serve(wpa_api_call *call, wpa_db *db)
{
    wpa_api_request *r = &call->request;
    wpa_error err = {0};
    bool is_answered = !r->is_woken && tell_methods(call);
    r->db = db;
    bool is_ready =
        !is_answered && (r->is_woken || (prepare(call, db, &err) &&
                                         wpa_api_idempotency_begin(call, &is_answered, &err)));
    if (!is_answered) {
        wpa_api_next next = is_ready ? run(call, db, &err) : WPA_API_FAILED;
        take_outcome(call, pass_gate(call, db, next, &err), &err);
    }
    if (db) {
        wpa_db_gate_end(db);
    }
}
