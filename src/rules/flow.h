/*
 * Which contexts reach the value of an expression: through ||, the right of &&, format, join,
 * toJSON, fromJSON, case, members; not through comparisons, contains, startsWith, endsWith,
 * hashFiles.
 */
#pragma once

#include <wpa/span.h>
#include <wpa/text.h>

#include "expr/expr.h"
#include "rules/source.h"

#define WPA_FLOW_MAX_PATHS 16

typedef struct wpa_flow {
    const char *paths[WPA_FLOW_MAX_PATHS]; /* "github.event.issue.title", ".*" for other indexes */
    size_t n;
    bool is_readable; /* false: the text is no expression */
} wpa_flow;

/** Of a parsed expression; NULL is not readable. Paths live in the arena. */
wpa_flow wpa_flow_of(const wpa_expr *root, wpa_arena *arena);
/** expression is the text inside a fence. Paths live in the arena. */
wpa_flow wpa_flow_read(const char *expression, size_t length, wpa_arena *arena);
/**
 * The same of what stands inside a fence of a scalar of the file, where it has been parsed already.
 * inside is what wpa_flow_next_fence gives.
 */
wpa_flow wpa_flow_at(const wpa_source *source, const wpa_yaml_node *scalar, wpa_span inside,
                     wpa_arena *arena);

/** The next ${{ }} in text from *at on: fence with braces, inside trimmed; *at moves behind it. */
bool wpa_flow_next_fence(const char *text, size_t length, size_t *at, wpa_span *fence,
                         wpa_span *inside);
