/*
 * The typed checker: what of an expression GitHub refuses, or evaluates to something nobody meant.
 * What is not known is ANY, and nothing is said about it.
 */
#pragma once

#include "expr/expr.h"
#include "expr/type.h"

/** Where an expression stands: what it may name, and what that is. */
typedef struct wpa_expr_scope {
    uint32_t contexts;            /* allowed here: 1 << index in known_contexts */
    const char *const *functions; /* of those not allowed everywhere; NULL: every one */
    /* Every name that exists, in lower case, at most 32 and NULL-terminated. */
    const char *const *known_contexts;
    const char *key; /* for messages: "jobs.<job_id>.if"; may be NULL */
    /** Type of a context by its name, one of the known ones; NULL: not known. */
    const wpa_type *(*type_of)(const char *context, void *data, wpa_arena *arena);
    void *data;
} wpa_expr_scope;

typedef struct wpa_expr_problem {
    const char *check; /* "E13" to "E34" */
    wpa_span span;     /* in the text that was parsed */
    const char *message;
    const wpa_expr *node;
    bool is_minor; /* GitHub converts the value: a smell more than a fault */
} wpa_expr_problem;

typedef struct wpa_expr_checked {
    const wpa_type *type; /* of the whole; never NULL */
    const wpa_expr_problem *problems;
    size_t n_problems;
    uint32_t contexts; /* that it names and may */
    /* It asks for a function that is not allowed everywhere: the key says what comes of it. */
    bool depends_on_key;
} wpa_expr_checked;

/** root may be NULL: any value, no problem. */
wpa_expr_checked wpa_expr_check(const wpa_expr *root, const wpa_expr_scope *scope,
                                wpa_arena *arena);

/** Type of a JSON text; NULL if it is not JSON. why, if not NULL, receives the reader's words. */
const wpa_type *wpa_expr_json_type(const char *text, wpa_arena *arena, const char **why);
