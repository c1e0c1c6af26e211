/*
 * Values that a workflow gives names to, of the kind that has to agree between files: versions,
 * images, addresses. Those of one name in several files are compared.
 */
#pragma once

#include "rules/outline.h"

/** Of a file the values that are looked at. */
#define WPA_VALUES_MAX 64

typedef struct wpa_named_value {
    const char *name; /* "env REGISTRY", "image postgres" */
    const char *text;
    wpa_span span;
} wpa_named_value;

/** A version, an image, a path, a region or an address: not a word of the language. */
bool wpa_value_is_telling(const char *text);
/** Do the two differ in nothing but their numbers? */
bool wpa_value_is_alike(const char *a, const char *b);
/**
 * Variables at all levels and images of a workflow, names that have one value in it alone;
 * copies all it keeps into the arena.
 */
const wpa_named_value *wpa_values_read(const wpa_outline *outline, wpa_arena *arena, size_t *n);
