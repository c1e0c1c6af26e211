#include "probe/check.h"

#include <inttypes.h>
#include <string.h>

#include <wpa/buf.h>
#include <wpa/text.h>

#define MAX_ITEMS 100
#define MAX_DURATION_MS ((int64_t)30 * 24 * 3600 * 1000)

static const char *const kind_names[] = {
    [WPA_PROBE_HTTP] = "http", [WPA_PROBE_COMMAND] = "command", [WPA_PROBE_RESCORE] = "rescore"};
static const char *const no_data_names[] = {[WPA_NO_DATA_INCONCLUSIVE] = "inconclusive",
                                            [WPA_NO_DATA_SUCCESS] = "success",
                                            [WPA_NO_DATA_FAILURE] = "failure"};
static const char *const compare_names[] = {[WPA_COMPARE_NONE] = "none",
                                            [WPA_COMPARE_BASELINE] = "baseline",
                                            [WPA_COMPARE_CONTROL] = "control"};
static const char *const when_names[] = {"baseline", "apply", "bake", "after"};
static const char *const dimensions[] = {"total",      "security",      "performance",
                                         "efficiency", "compatibility", "quality"};

/* Fields of every check; what a kind adds stands in its row below. */
#define COMMON                                                                                     \
    "name", "kind", "when", "interval", "count", "initial_delay", "timeout", "success", "failure", \
        "no_data", "min_samples", "failure_limit", "failure_streak", "success_streak",             \
        "inconclusive_limit", "error_limit", "critical", "dry_run", "compare"
static const char *const http_fields[] = {COMMON,   "url",        "method",      "headers",  "body",
                                          "expect", "body_match", "max_latency", "tls_roots"};
static const char *const command_fields[] = {COMMON, "argv", "env", "network"};
static const char *const rescore_fields[] = {COMMON, "dimension"};

static const char *const http_values[] = {"value",  "samples", "baseline",
                                          "status", "latency", "body"};
static const char *const command_values[] = {"value",     "samples", "baseline",
                                             "exit_code", "stdout",  "duration"};
static const char *const rescore_values[] = {"value", "samples", "baseline", "new_findings"};

typedef struct reader {
    const wpa_json *json;
    wpa_probe_check *check;
    wpa_arena *arena;
    wpa_error *err;
} reader;

const char *wpa_probe_kind_name(wpa_probe_kind kind)
{
    return kind_names[kind];
}

static bool fail_field(const reader *in, const char *key, const char *what)
{
    const wpa_json *value = wpa_json_find(in->json, key);
    return value ? wpa_json_fail(value, in->err, what)
                 : WPA_FAIL(in->err, WPA_E_INVALID, "field '%s' %s", key, what);
}

static bool read_duration(const reader *in, const char *key, int64_t min_ms, int64_t *ms)
{
    const wpa_json *value = wpa_json_find(in->json, key);
    int64_t read_ms = 0;
    switch (wpa_json_kind_of(value)) {
    case WPA_JSON_NULL:
        return true;
    case WPA_JSON_INT:
        read_ms = wpa_json_int_of(value, 0);
        read_ms = read_ms < 0 || read_ms > MAX_DURATION_MS / 1000 ? -1 : read_ms * 1000;
        break;
    case WPA_JSON_TEXT:
        if (!wpa_text_to_duration_ms(wpa_json_text_of(value), &read_ms)) {
            read_ms = -1;
        }
        break;
    case WPA_JSON_BOOL:
    case WPA_JSON_REAL:
    case WPA_JSON_ARRAY:
    case WPA_JSON_OBJECT:
        read_ms = -1;
        break;
    }
    if (read_ms < min_ms || read_ms > MAX_DURATION_MS) {
        return fail_field(in, key, "must be a duration such as '250ms', '10s', '5m', '2h'");
    }
    *ms = read_ms;
    return true;
}

/** Index of a text among names; *index stays if the field is missing. */
static bool read_choice(const reader *in, const char *key, const char *const names[], size_t n,
                        int *index)
{
    const char *text = NULL;
    if (!wpa_json_opt_text(in->json, key, &text, in->err)) {
        return false;
    }
    int found = text ? wpa_text_index(text, names, n) : *index;
    if (found < 0) {
        const char *nearest = wpa_text_nearest(text, names, n);
        return fail_field(in, key,
                          wpa_arena_printf(in->arena, "has no meaning '%s' (such as '%s')", text,
                                           nearest ? nearest : names[0]));
    }
    *index = found;
    return true;
}

static bool read_when(const reader *in)
{
    const wpa_json *value = wpa_json_find(in->json, "when");
    if (wpa_json_kind_of(value) == WPA_JSON_NULL) {
        return true;
    }
    in->check->when = 0;
    size_t n = wpa_json_kind_of(value) == WPA_JSON_ARRAY ? wpa_json_count(value) : 1;
    for (size_t i = 0; i < n; i++) {
        const wpa_json *item =
            wpa_json_kind_of(value) == WPA_JSON_ARRAY ? wpa_json_at(value, i) : value;
        const char *text = wpa_json_text_of(item);
        /* "during apply" is how the specification says it, "apply" how one writes it. */
        text = wpa_text_is(text, "during apply") ? "apply" : text;
        int bit = text ? wpa_text_index(text, when_names, WPA_COUNT(when_names)) : -1;
        if (bit < 0) {
            return wpa_json_fail(item, in->err, "must be baseline, apply, bake or after");
        }
        in->check->when |= 1U << bit;
    }
    return in->check->when != 0 || wpa_json_fail(value, in->err, "must not be empty");
}

static bool read_condition(const reader *in, const char *key, const char **text,
                           const wpa_condition **condition)
{
    static const struct {
        const char *const *names;
        size_t n;
    } rows[] = {[WPA_PROBE_HTTP] = {http_values, WPA_COUNT(http_values)},
                [WPA_PROBE_COMMAND] = {command_values, WPA_COUNT(command_values)},
                [WPA_PROBE_RESCORE] = {rescore_values, WPA_COUNT(rescore_values)}};
    if (!wpa_json_opt_text(in->json, key, text, in->err)) {
        return false;
    }
    if (!*text) {
        return true;
    }
    wpa_probe_kind kind = in->check->kind;
    *text = wpa_arena_text(in->arena, *text);
    *condition = wpa_condition_parse(*text, rows[kind].names, rows[kind].n, in->arena, in->err);
    return *condition || wpa_error_within(in->err, "field '%s'", key);
}

static bool read_limits(const reader *in)
{
    wpa_probe_check *check = in->check;
    const struct {
        const char *key;
        int64_t *value;
    } rows[] = {{"count", &check->count},
                {"min_samples", &check->min_samples},
                {"failure_limit", &check->failure_limit},
                {"failure_streak", &check->failure_streak},
                {"success_streak", &check->success_streak},
                {"inconclusive_limit", &check->inconclusive_limit},
                {"error_limit", &check->error_limit}};
    for (size_t i = 0; i < WPA_COUNT(rows); i++) {
        if (!wpa_json_opt_int(in->json, rows[i].key, 0, 1000000, rows[i].value, in->err)) {
            return false;
        }
    }
    return true;
}

static bool read_common(const reader *in)
{
    wpa_probe_check *check = in->check;
    int no_data = WPA_NO_DATA_INCONCLUSIVE, compare = WPA_COMPARE_NONE;
    if (!read_when(in) || !read_duration(in, "interval", 1, &check->interval_ms) ||
        !read_duration(in, "initial_delay", 0, &check->initial_delay_ms)) {
        return false;
    }
    /* Where only the interval is given, and short, the default timeout must not stand in its way.
     */
    if (check->timeout_ms >= check->interval_ms) {
        check->timeout_ms = check->interval_ms > 1 ? check->interval_ms - 1 : 1;
    }
    if (!read_duration(in, "timeout", 1, &check->timeout_ms) || !read_limits(in) ||
        !read_choice(in, "no_data", no_data_names, WPA_COUNT(no_data_names), &no_data) ||
        !read_choice(in, "compare", compare_names, WPA_COUNT(compare_names), &compare) ||
        !wpa_json_opt_bool(in->json, "critical", &check->is_critical, in->err) ||
        !wpa_json_opt_bool(in->json, "dry_run", &check->is_dry_run, in->err) ||
        !read_condition(in, "success", &check->success_text, &check->success) ||
        !read_condition(in, "failure", &check->failure_text, &check->failure)) {
        return false;
    }
    check->no_data = (wpa_probe_no_data)no_data;
    check->compare = (wpa_probe_compare)compare;
    if (wpa_json_find(in->json, "timeout") && check->timeout_ms >= check->interval_ms) {
        return fail_field(in, "timeout", "must be shorter than the interval");
    }
    if (check->compare == WPA_COMPARE_CONTROL) {
        return fail_field(in, "compare", "'control' is for checks of CI runs");
    }
    return true;
}

/** A list of texts, NULL behind the last. */
static bool read_texts(const reader *in, const char *key, const char *const **texts)
{
    const wpa_json *list = NULL;
    if (!wpa_json_opt_array(in->json, key, &list, in->err)) {
        return false;
    }
    if (wpa_json_count(list) > MAX_ITEMS) {
        return fail_field(in, key, "has too many items");
    }
    const char **copy = wpa_arena_array(in->arena, wpa_json_count(list) + 1, sizeof *copy);
    for (size_t i = 0; i < wpa_json_count(list); i++) {
        const char *text = wpa_json_text_of(wpa_json_at(list, i));
        if (!text) {
            return wpa_json_fail(wpa_json_at(list, i), in->err, "must be text");
        }
        copy[i] = wpa_arena_text(in->arena, text);
    }
    *texts = copy;
    return true;
}

/** "env": {"NAME": "value"} */
static bool read_environment(const reader *in, const char *const **texts)
{
    const wpa_json *object = NULL;
    if (!wpa_json_opt_object(in->json, "env", &object, in->err)) {
        return false;
    }
    size_t n = wpa_json_count(object);
    if (n > MAX_ITEMS) {
        return fail_field(in, "env", "has too many items");
    }
    const char **copy = wpa_arena_array(in->arena, n + 1, sizeof *copy);
    for (size_t i = 0; i < n; i++) {
        const char *text = wpa_json_text_of(wpa_json_at(object, i));
        const char *key = wpa_json_key_at(object, i);
        if (!text || !*key || strpbrk(key, "=\n")) {
            return wpa_json_fail(wpa_json_at(object, i), in->err, "must be a name and a text");
        }
        copy[i] = wpa_arena_printf(in->arena, "%s=%s", key, text);
    }
    *texts = copy;
    return true;
}

/** "headers": {"Accept": "text/plain", "Authorization": {"secret": "name"}} */
static bool read_headers(const reader *in)
{
    const wpa_json *object = NULL;
    if (!wpa_json_opt_object(in->json, "headers", &object, in->err)) {
        return false;
    }
    size_t n = wpa_json_count(object), n_plain = 0, n_secret = 0;
    if (n > MAX_ITEMS) {
        return fail_field(in, "headers", "has too many items");
    }
    const char **plain = wpa_arena_array(in->arena, n + 1, sizeof *plain);
    const char **secret = wpa_arena_array(in->arena, 2 * n + 1, sizeof *secret);
    for (size_t i = 0; i < n; i++) {
        const wpa_json *value = wpa_json_at(object, i);
        const char *key = wpa_json_key_at(object, i), *text = wpa_json_text_of(value);
        const char *reference = wpa_json_text_of(wpa_json_find(value, "secret"));
        if ((!text && !reference) || !*key || strpbrk(key, ": \r\n") ||
            strpbrk(text ? text : "", "\r\n")) {
            return wpa_json_fail(value, in->err, "must be a header's text or {\"secret\": name}");
        }
        if (text) {
            plain[n_plain++] = wpa_arena_printf(in->arena, "%s: %s", key, text);
        } else {
            secret[n_secret++] = wpa_arena_text(in->arena, key);
            secret[n_secret++] = wpa_arena_text(in->arena, reference);
        }
    }
    in->check->http.headers = plain;
    in->check->http.secret_headers = secret;
    return true;
}

/** 200, "200" or "200-299". */
static bool read_status_range(const wpa_json *item, int64_t *low, int64_t *high, wpa_arena *arena)
{
    const char *text = wpa_json_text_of(item);
    if (!text) {
        *low = *high = wpa_json_int_of(item, 0);
    } else {
        size_t dash = strcspn(text, "-");
        const char *first = wpa_arena_slice(arena, text, dash);
        if (!wpa_text_to_int(first, 100, 599, low) ||
            !wpa_text_to_int(text[dash] ? text + dash + 1 : first, 100, 599, high)) {
            return false;
        }
    }
    return *low >= 100 && *high <= 599 && *low <= *high;
}

static bool read_expect(const reader *in)
{
    const wpa_json *value = wpa_json_find(in->json, "expect");
    bool is_list = wpa_json_kind_of(value) == WPA_JSON_ARRAY;
    size_t n = is_list ? wpa_json_count(value) : value ? 1 : 0;
    if (n > MAX_ITEMS) {
        return fail_field(in, "expect", "has too many items");
    }
    int64_t *pairs = wpa_arena_array(in->arena, 2 * (n + 1), sizeof *pairs);
    for (size_t i = 0; i < n; i++) {
        const wpa_json *item = is_list ? wpa_json_at(value, i) : value;
        if (!read_status_range(item, &pairs[2 * i], &pairs[2 * i + 1], in->arena)) {
            return wpa_json_fail(item, in->err, "must be a status such as 200 or \"200-299\"");
        }
    }
    if (n == 0) {
        pairs[0] = 200;
        pairs[1] = 399;
        n = 1;
    }
    in->check->http.expect = pairs;
    in->check->http.n_expect = n;
    return true;
}

static bool read_http(const reader *in)
{
    static const char *const methods[] = {"GET",   "HEAD",   "POST",   "PUT",
                                          "PATCH", "DELETE", "OPTIONS"};
    wpa_probe_http *http = &in->check->http;
    const char *url = wpa_json_get_text(in->json, "url", in->err);
    int method = -1;
    if (!url) {
        return false;
    }
    if (!wpa_text_starts(url, "http://") && !wpa_text_starts(url, "https://")) {
        return fail_field(in, "url", "must begin with http:// or https://");
    }
    http->url = wpa_arena_text(in->arena, url);
    if (wpa_json_find(in->json, "method")) {
        method = 0;
        if (!read_choice(in, "method", methods, WPA_COUNT(methods), &method)) {
            return false;
        }
    }
    http->method = method >= 0 ? methods[method] : NULL;
    return read_headers(in) && read_expect(in) &&
           wpa_json_opt_text(in->json, "body", &http->body, in->err) &&
           wpa_json_opt_text(in->json, "body_match", &http->body_match, in->err) &&
           wpa_json_opt_text(in->json, "tls_roots", &http->tls_roots, in->err) &&
           read_duration(in, "max_latency", 1, &http->max_latency_ms);
}

static bool read_command(const reader *in)
{
    wpa_probe_command *command = &in->check->command;
    if (!read_texts(in, "argv", &command->argv) || !read_environment(in, &command->environment)) {
        return false;
    }
    if (!command->argv[0] || !*command->argv[0]) {
        return fail_field(in, "argv", "must name a program");
    }
    return wpa_json_opt_bool(in->json, "network", &command->has_network, in->err);
}

static bool read_rescore(const reader *in)
{
    int dimension = 0;
    bool is_read = read_choice(in, "dimension", dimensions, WPA_COUNT(dimensions), &dimension);
    in->check->rescore.dimension = dimensions[dimension];
    return is_read;
}

static const struct {
    const char *const *fields;
    size_t n_fields;
    bool (*read)(const reader *in);
} kinds[] = {
    [WPA_PROBE_HTTP] = {http_fields, WPA_COUNT(http_fields), read_http},
    [WPA_PROBE_COMMAND] = {command_fields, WPA_COUNT(command_fields), read_command},
    [WPA_PROBE_RESCORE] = {rescore_fields, WPA_COUNT(rescore_fields), read_rescore},
};

const wpa_probe_check *wpa_probe_check_parse(const wpa_json *json, wpa_arena *arena, wpa_error *err)
{
    wpa_probe_check *check = wpa_arena_alloc(arena, sizeof *check);
    *check = (wpa_probe_check){.when = WPA_PROBE_BAKE,
                               .interval_ms = 60000,
                               .timeout_ms = 10000,
                               .inconclusive_limit = 3,
                               .error_limit = 4};
    reader in = {.json = json, .check = check, .arena = arena, .err = err};
    int kind = -1;
    const char *kind_text = wpa_json_get_text(json, "kind", err);
    if (!kind_text || !read_choice(&in, "kind", kind_names, WPA_COUNT(kind_names), &kind)) {
        return NULL;
    }
    check->kind = (wpa_probe_kind)kind;
    const char *name = wpa_json_get_text(json, "name", err);
    if (!name || !wpa_json_check_keys(json, kinds[kind].fields, kinds[kind].n_fields, err)) {
        return NULL;
    }
    if (!*name || strlen(name) > 100) {
        fail_field(&in, "name", "must have 1 to 100 characters");
        return NULL;
    }
    check->name = wpa_text_visible(arena, name, strlen(name), false);
    return read_common(&in) && kinds[kind].read(&in) ? check : NULL;
}

bool wpa_probe_can_fail(const wpa_probe_check *check)
{
    return !check->is_dry_run;
}

static const char *http_limit(const wpa_probe_http *http, wpa_arena *arena)
{
    WPA_AUTO(wpa_buf) *text = wpa_buf_new(1000);
    for (size_t i = 0; i < http->n_expect; i++) {
        int64_t low = http->expect[2 * i], high = http->expect[2 * i + 1];
        wpa_buf_printf(text, low == high ? "%s%" PRId64 : "%s%" PRId64 "-%" PRId64, i ? ", " : "",
                       low, high);
    }
    if (http->max_latency_ms) {
        wpa_buf_printf(text, " within %" PRId64 " ms", http->max_latency_ms);
    }
    return wpa_buf_dup(text, arena);
}

const char *wpa_probe_limit_text(const wpa_probe_check *check, wpa_arena *arena)
{
    if (check->success && check->failure) {
        return wpa_arena_printf(arena, "%s; fails if %s", check->success_text, check->failure_text);
    }
    if (check->success) {
        return check->success_text;
    }
    if (check->failure) {
        return wpa_arena_printf(arena, "fails if %s", check->failure_text);
    }
    switch (check->kind) {
    case WPA_PROBE_HTTP:
        return http_limit(&check->http, arena);
    case WPA_PROBE_COMMAND:
        return "exit 0";
    case WPA_PROBE_RESCORE:
        return "delta >= 0, nothing new";
    case WPA_PROBE_KIND_COUNT:
        break;
    }
    return "";
}
