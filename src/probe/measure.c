#include "probe/measure.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include <wpa/buf.h>
#include <wpa/clock.h>
#include <wpa/text.h>

#include "http/http.h"
#include "sandbox/sandbox.h"

#define BODY_MAX_BYTES ((size_t)1 << 20)
#define STDOUT_MAX_BYTES (64 << 10)
#define EXIT_INCONCLUSIVE 75 /* sysexits: try again later */
#define MESSAGE_MAX_CHARS 400
#define MAX_VALUES 8

typedef struct measuring {
    const wpa_probe_check *check;
    const wpa_probe_context *context;
    wpa_arena *arena;
    wpa_measurement *out;
    wpa_condition_value values[MAX_VALUES]; /* "value", "samples", "baseline", then the kind's */
    wpa_condition_scope scope;
    wpa_measured by_default; /* without conditions */
    const char *why;         /* behind by_default */
} measuring;

static void set_number(measuring *at, const char *name, double number)
{
    at->values[at->scope.n_values++] =
        (wpa_condition_value){.name = name, .number = number, .is_unknown = false};
}

static void set_text(measuring *at, const char *name, const char *text)
{
    at->values[at->scope.n_values++] = (wpa_condition_value){.name = name, .text = text};
}

static const char *shown(const measuring *at, const char *text)
{
    const char *visible = wpa_text_visible(at->arena, text, strlen(text), false);
    return wpa_text_ellipsis(at->arena, visible, MESSAGE_MAX_CHARS);
}

static bool fail_with(const measuring *at, const wpa_error *err)
{
    char text[1100];
    at->out->result = WPA_MEASURED_ERROR;
    at->out->message = shown(at, wpa_error_text(err, text, sizeof text));
    return false;
}

/* ---- kinds: each sets value, values, the default and what it resolved to; false: an error ---- */

static const char *const *all_headers(const measuring *at, wpa_error *err)
{
    const wpa_probe_http *http = &at->check->http;
    size_t n = 0, n_secret = 0;
    while (http->headers[n]) {
        n++;
    }
    while (http->secret_headers[n_secret]) {
        n_secret += 2;
    }
    const char **headers = wpa_arena_array(at->arena, n + n_secret / 2 + 1, sizeof *headers);
    memcpy(headers, http->headers, n * sizeof *headers);
    for (size_t i = 0; i < n_secret; i += 2) {
        const char *name = http->secret_headers[i + 1];
        const char *secret =
            at->context->secret ? at->context->secret(at->context->context, name) : NULL;
        if (!secret) {
            WPA_FAIL(err, WPA_E_NOT_FOUND, "there is no secret '%s'", name);
            return NULL;
        }
        headers[n++] = wpa_arena_printf(at->arena, "%s: %s", http->secret_headers[i], secret);
    }
    return headers;
}

static bool is_expected(const wpa_probe_http *http, int status)
{
    for (size_t i = 0; i < http->n_expect; i++) {
        if (status >= http->expect[2 * i] && status <= http->expect[2 * i + 1]) {
            return true;
        }
    }
    return false;
}

static void judge_http(measuring *at, const wpa_http_response *response)
{
    const wpa_probe_http *http = &at->check->http;
    at->by_default = WPA_MEASURED_FAILURE;
    if (!is_expected(http, response->status)) {
        at->why = wpa_arena_printf(at->arena, "status %d", response->status);
    } else if (http->max_latency_ms && response->latency_ms > http->max_latency_ms) {
        at->why = wpa_arena_printf(at->arena, "took %" PRId64 " ms (at most %" PRId64 ")",
                                   response->latency_ms, http->max_latency_ms);
    } else if (http->body_match && !memmem(response->body, response->body_bytes, http->body_match,
                                           strlen(http->body_match))) {
        at->why = wpa_arena_printf(at->arena, "the body lacks '%s'", http->body_match);
    } else {
        at->by_default = WPA_MEASURED_SUCCESS;
    }
}

static bool measure_http(measuring *at, wpa_error *err)
{
    const wpa_probe_http *http = &at->check->http;
    at->out->resolved = http->url;
    const wpa_http_request request = {
        .method = http->method,
        .url = http->url,
        .headers = all_headers(at, err),
        .body = http->body,
        .body_bytes = http->body ? strlen(http->body) : 0,
        .timeout_ms = at->check->timeout_ms,
        .max_body_bytes = BODY_MAX_BYTES,
        .is_redirect_refused = http->secret_headers[0] != NULL, /* secrets go to one host only */
        .tls_roots = http->tls_roots,
        .is_cancelled = at->context->is_cancelled,
        .cancel_context = at->context->context,
    };
    const wpa_http_response *response =
        request.headers ? wpa_http_send(&request, at->arena, err) : NULL;
    if (!response) {
        return false;
    }
    if ((response->status == 401 || response->status == 403) &&
        !is_expected(http, response->status)) {
        return WPA_FAIL(err, WPA_E_DENIED, "not authorised: status %d", response->status);
    }
    at->out->latency_ms = response->latency_ms;
    at->out->value = response->status;
    at->out->value_text =
        wpa_arena_printf(at->arena, "%d in %" PRId64 " ms", response->status, response->latency_ms);
    set_number(at, "status", response->status);
    set_number(at, "latency", (double)response->latency_ms);
    set_text(at, "body", response->body);
    at->scope.json = response->body;
    at->scope.json_bytes = response->body_bytes;
    judge_http(at, response);
    return true;
}

static const char *join_argv(const char *const *argv, wpa_arena *arena)
{
    WPA_AUTO(wpa_buf) *text = wpa_buf_new(2000);
    for (size_t i = 0; argv[i]; i++) {
        wpa_buf_printf(text, i ? " %s" : "%s", argv[i]);
    }
    return wpa_buf_dup(text, arena);
}

static bool measure_command(measuring *at, wpa_error *err)
{
    const wpa_probe_command *command = &at->check->command;
    at->out->resolved = join_argv(command->argv, at->arena);
    const wpa_sandbox_request request = {
        .argv = command->argv,
        .source = at->context->tree,
        .environment = command->environment,
        .has_network = command->has_network,
        .limits = {.wall_ms = at->check->timeout_ms, .keep_bytes = STDOUT_MAX_BYTES},
        .is_cancelled = at->context->is_cancelled,
        .cancel_context = at->context->context,
    };
    const wpa_sandbox_result *run = wpa_sandbox_run(&request, at->arena, err);
    if (!run) {
        return false;
    }
    if (run->end == WPA_SANDBOX_CANCELLED) {
        return WPA_FAIL(err, WPA_E_CANCELLED, "told to stop");
    }
    if (run->end != WPA_SANDBOX_EXITED) {
        return WPA_FAIL(err, WPA_E_TIMEOUT, "the command %s after %" PRId64 " ms",
                        wpa_sandbox_end_name(run->end), run->duration_ms);
    }
    at->out->latency_ms = run->duration_ms;
    at->out->value = run->exit_code;
    at->out->value_text = wpa_arena_printf(at->arena, "exit %d", run->exit_code);
    set_number(at, "exit_code", run->exit_code);
    set_text(at, "stdout", run->out.text);
    set_number(at, "duration", (double)run->duration_ms);
    at->scope.json = run->out.text;
    at->scope.json_bytes = run->out.size_bytes;
    at->by_default = run->exit_code == 0                   ? WPA_MEASURED_SUCCESS
                     : run->exit_code == EXIT_INCONCLUSIVE ? WPA_MEASURED_INCONCLUSIVE
                                                           : WPA_MEASURED_FAILURE;
    if (run->exit_code != 0) {
        const char *text = run->err.size_bytes ? run->err.text : run->out.text;
        at->why = wpa_arena_printf(at->arena, "exit %d: %s", run->exit_code, text);
    }
    return true;
}

static bool measure_rescore(measuring *at, wpa_error *err)
{
    wpa_probe_scores scores = {.summary = ""};
    at->out->resolved =
        wpa_arena_printf(at->arena, "%s score of the tip", at->check->rescore.dimension);
    if (!at->context->rescore) {
        return WPA_FAIL(err, WPA_E_INTERNAL, "nothing here can analyse");
    }
    if (!at->context->rescore(at->context->context, at->check, &scores, at->arena, err)) {
        return false;
    }
    at->out->value = scores.delta;
    at->out->value_text = scores.summary;
    set_number(at, "new_findings", (double)scores.new_findings);
    at->by_default =
        scores.delta >= 0 && scores.new_findings == 0 ? WPA_MEASURED_SUCCESS : WPA_MEASURED_FAILURE;
    at->why = scores.summary;
    return true;
}

static const struct {
    bool (*measure)(measuring *at, wpa_error *err);
    bool is_error_failure; /* deterministic: what cannot be analysed is broken */
} kinds[] = {
    [WPA_PROBE_HTTP] = {measure_http, false},
    [WPA_PROBE_COMMAND] = {measure_command, false},
    [WPA_PROBE_RESCORE] = {measure_rescore, true},
};

/* ---- from a value to a result ---- */

static bool evaluate_one(measuring *at, const wpa_condition *condition, wpa_truth *truth,
                         wpa_error *err)
{
    bool is_true = false;
    *truth = WPA_TRUTH_ABSENT;
    if (!condition) {
        return true;
    }
    if (!wpa_condition_evaluate(condition, &at->scope, &is_true, err)) {
        return false;
    }
    *truth = is_true ? WPA_TRUTH_TRUE : WPA_TRUTH_FALSE;
    return true;
}

static const char *resolve_both(const measuring *at)
{
    const char *texts[2] = {NULL, NULL};
    const wpa_condition *conditions[] = {at->check->success, at->check->failure};
    for (size_t i = 0; i < 2; i++) {
        texts[i] = conditions[i] ? wpa_condition_resolve(conditions[i], &at->scope, at->arena) : "";
    }
    return wpa_arena_printf(at->arena, "%s%s%s%s", texts[0], texts[0][0] && texts[1][0] ? "; " : "",
                            texts[1][0] ? "fails if " : "", texts[1]);
}

static bool judge(measuring *at, wpa_error *err)
{
    wpa_truth success, failure;
    bool is_contradictory = false;
    at->out->conditions = resolve_both(at);
    if (!evaluate_one(at, at->check->success, &success, err) ||
        !evaluate_one(at, at->check->failure, &failure, err)) {
        return false;
    }
    if (success == WPA_TRUTH_ABSENT && failure == WPA_TRUTH_ABSENT) {
        at->out->result = at->by_default;
        at->out->message =
            at->by_default != WPA_MEASURED_SUCCESS && at->why ? shown(at, at->why) : "";
        return true;
    }
    at->out->result = wpa_measured_of(success, failure, &is_contradictory);
    if (is_contradictory) {
        at->out->message = "contradictory: success and failure condition both hold";
    } else if (at->out->result != WPA_MEASURED_SUCCESS) {
        at->out->message = at->out->conditions;
    }
    return true;
}

static bool judge_no_data(measuring *at)
{
    static const wpa_measured results[] = {[WPA_NO_DATA_INCONCLUSIVE] = WPA_MEASURED_INCONCLUSIVE,
                                           [WPA_NO_DATA_SUCCESS] = WPA_MEASURED_SUCCESS,
                                           [WPA_NO_DATA_FAILURE] = WPA_MEASURED_FAILURE};
    bool has_data = isfinite(at->out->value) && at->out->samples >= at->check->min_samples;
    if (!has_data) {
        at->out->result = results[at->check->no_data];
        at->out->message = "no data";
    }
    return !has_data;
}

static void set_common_values(measuring *at)
{
    double baseline = at->context->baseline;
    set_number(at, "value", at->out->value);
    set_number(at, "samples", (double)at->out->samples);
    set_number(at, "baseline", baseline);
    at->values[at->scope.n_values - 1].is_unknown = isnan(baseline);
}

bool wpa_probe_measure(const wpa_probe_check *check, const wpa_probe_context *context,
                       wpa_arena *arena, wpa_measurement *measurement, wpa_error *err)
{
    *measurement = (wpa_measurement){.started_us = wpa_now_us(),
                                     .value = NAN,
                                     .latency_ms = -1,
                                     .samples = 1,
                                     .baseline = context->baseline,
                                     .resolved = "",
                                     .conditions = "",
                                     .message = ""};
    measuring at = {.check = check, .context = context, .arena = arena, .out = measurement};
    at.scope.values = at.values;
    wpa_error why = {0};
    bool is_measured = kinds[check->kind].measure(&at, &why);
    if (!is_measured && why.code == WPA_E_CANCELLED) {
        *err = why;
        return false;
    }
    if (is_measured) {
        set_common_values(&at);
    }
    if (!is_measured) {
        fail_with(&at, &why);
        if (kinds[check->kind].is_error_failure) {
            measurement->result = WPA_MEASURED_FAILURE;
        }
    } else if (!judge_no_data(&at) && !judge(&at, &why)) {
        fail_with(&at, &why);
    }
    measurement->ended_us = wpa_now_us();
    return true;
}
