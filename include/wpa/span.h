/* A range of bytes in a text: 0-based, the end is exclusive. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

typedef struct wpa_span {
    size_t start;
    size_t end;
} wpa_span;

/** A place for people: both count from 1, columns in code points, a tab is one. */
typedef struct wpa_position {
    size_t line;
    size_t column;
} wpa_position;

static inline size_t wpa_span_length(wpa_span span)
{
    return span.end - span.start;
}

static inline bool wpa_span_contains(wpa_span outer, wpa_span inner)
{
    return outer.start <= inner.start && inner.end <= outer.end;
}

static inline bool wpa_span_overlaps(wpa_span a, wpa_span b)
{
    return a.start < b.end && b.start < a.end;
}
