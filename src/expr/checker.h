/* What the parts of the checker share. Private to src/expr. */
#pragma once

#include "expr/check.h"

/** A value, and what is left of it if it counts as true, or as false. */
typedef struct wpa_typed {
    const wpa_type *whole;
    const wpa_type *truthy;
    const wpa_type *falsy;
} wpa_typed;

typedef struct wpa_checker {
    const wpa_expr_scope *scope;
    wpa_arena *arena;
    wpa_expr_problem *problems;
    size_t n, capacity;
    uint32_t contexts;   /* see wpa_expr_checked */
    bool depends_on_key; /* see there */
} wpa_checker;

/** A problem; the returned record may be changed at once. */
wpa_expr_problem *wpa_checker_problem(wpa_checker *c, const char *check, const wpa_expr *node,
                                      wpa_span span, const char *format, ...) WPA_PRINTF(5, 6);
/** A name for a message: visible, cut, in single quotes. */
const char *wpa_checker_quote(wpa_checker *c, const char *text);
/** " (did you mean 'x'?)" or "". */
const char *wpa_checker_hint(wpa_checker *c, const char *text, const char *const names[], size_t n);
wpa_typed wpa_typed_of(const wpa_type *type);
bool wpa_checker_has_function(const char *name);
/** Function, arguments and what it gives; types are those of the arguments. */
wpa_typed wpa_checker_call(wpa_checker *c, const wpa_expr *call, const wpa_typed *types);
