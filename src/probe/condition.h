/*
 * Conditions of health checks: numbers, strings, true and false, && || !, comparison, and len(x),
 * isnan(x), abs(x), delta, ratio, json("$.path"). A condition that cannot be evaluated is an
 * error, never false.
 */
#pragma once

#include <stdint.h>

#include "json/json.h"

#define WPA_CONDITION_MAX_BYTES 1000

typedef struct wpa_condition wpa_condition;

/** What a name stands for in one measurement; text NULL: a number. */
typedef struct wpa_condition_value {
    const char *name;
    const char *text;
    double number;
    bool is_unknown; /* a name that has no value now: using it is an error */
} wpa_condition_value;

typedef struct wpa_condition_scope {
    const wpa_condition_value *values; /* [n_values]; "value" and "baseline" feed delta and ratio */
    size_t n_values;
    const char *json; /* [json_bytes] text that json("…") reads; NULL: none */
    size_t json_bytes;
} wpa_condition_scope;

/**
 * names     [n_names] that may be used; others are refused here, not first at night.
 *
 * Errors    WPA_E_INVALID with the column, WPA_E_LIMIT.
 */
const wpa_condition *wpa_condition_parse(const char *text, const char *const names[],
                                         size_t n_names, wpa_arena *arena, wpa_error *err);

/** Errors WPA_E_INVALID: kinds that do not fit, a missing value or path, a result that is no truth
 * value. */
bool wpa_condition_evaluate(const wpa_condition *condition, const wpa_condition_scope *scope,
                            bool *is_true, wpa_error *err) WPA_CHECK;

/** The text with numbers put in for names: "412 <= 500". */
const char *wpa_condition_resolve(const wpa_condition *condition, const wpa_condition_scope *scope,
                                  wpa_arena *arena);
