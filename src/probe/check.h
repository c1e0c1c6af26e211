/* Health checks as their people write them: read from JSON, every field validated. */
#pragma once

#include <stdint.h>

#include "probe/condition.h"

typedef enum wpa_probe_kind {
    WPA_PROBE_HTTP,
    WPA_PROBE_COMMAND,
    WPA_PROBE_RESCORE,
    WPA_PROBE_KIND_COUNT
} wpa_probe_kind;

/** When a check measures; any of them together. */
enum {
    WPA_PROBE_BASELINE = 1,
    WPA_PROBE_APPLY = 2,
    WPA_PROBE_BAKE = 4,
    WPA_PROBE_AFTER = 8
};

typedef enum wpa_probe_no_data {
    WPA_NO_DATA_INCONCLUSIVE,
    WPA_NO_DATA_SUCCESS,
    WPA_NO_DATA_FAILURE
} wpa_probe_no_data;

typedef enum wpa_probe_compare {
    WPA_COMPARE_NONE,
    WPA_COMPARE_BASELINE,
    WPA_COMPARE_CONTROL
} wpa_probe_compare;

typedef struct wpa_probe_http {
    const char *url;
    const char *method;                /* NULL: GET or POST */
    const char *const *headers;        /* "Name: value", NULL behind the last */
    const char *const *secret_headers; /* name, secret's name, …, NULL */
    const char *body;                  /* NULL: none */
    const int64_t *expect;             /* [n_expect] pairs: lowest and highest status of a range */
    size_t n_expect;
    const char *body_match; /* text the body must contain; NULL: whatever */
    int64_t max_latency_ms; /* 0: no limit */
    const char *tls_roots;
} wpa_probe_http;

typedef struct wpa_probe_command {
    const char *const *argv;        /* NULL behind the last */
    const char *const *environment; /* "NAME=value", NULL behind the last */
    bool has_network;
} wpa_probe_command;

typedef struct wpa_probe_rescore {
    const char *dimension; /* "total" or a dimension's name */
} wpa_probe_rescore;

typedef struct wpa_probe_check {
    const char *name;
    wpa_probe_kind kind;
    unsigned when; /* WPA_PROBE_BASELINE | … */
    int64_t interval_ms, initial_delay_ms, timeout_ms;
    int64_t count;                          /* 0: for the whole bake */
    const wpa_condition *success, *failure; /* NULL: absent */
    const char *success_text, *failure_text;
    wpa_probe_no_data no_data;
    int64_t min_samples;
    int64_t failure_limit, failure_streak, success_streak, inconclusive_limit, error_limit;
    bool is_critical, is_dry_run;
    wpa_probe_compare compare;
    wpa_probe_http http;       /* of kind HTTP */
    wpa_probe_command command; /* of kind COMMAND */
    wpa_probe_rescore rescore; /* of kind RESCORE */
} wpa_probe_check;

/** "http", "command", "rescore": stored. */
const char *wpa_probe_kind_name(wpa_probe_kind kind);

/**
 * Read one check. Durations are "250ms", "10s", "5m", … or whole seconds.
 *
 * Errors    WPA_E_INVALID naming the field: unknown, of the wrong kind, out of range, a condition
 *           that does not parse.
 */
const wpa_probe_check *wpa_probe_check_parse(const wpa_json *json, wpa_arena *arena,
                                             wpa_error *err);

/** Can it fail at all? A plan needs one such check in every stage. */
bool wpa_probe_can_fail(const wpa_probe_check *check);

/** The limit in words: "200-399 within 500 ms", "exit 0", or the conditions as written. */
const char *wpa_probe_limit_text(const wpa_probe_check *check, wpa_arena *arena);
