/*
 * Entries of a configuration or a baseline that answer to no finding: findings of unused-ignore in
 * the file that they stand in, which no rule reads.
 */
#pragma once

#include "rules/engine.h"

typedef struct wpa_leftover {
    wpa_span span; /* of the entry in the file */
    const char *check;
    const char *message; /* visible */
    bool is_for_auditors;
} wpa_leftover;

/**
 * The result of a file with such entries, as the rules' results are; without a source: its lines go
 * with it.
 *
 * path       as shown; identity: in its repository.
 * text       [size_bytes]; borrowed as long as the result.
 * items      [n] by span.
 */
wpa_result wpa_leftovers_report(const char *path, const char *identity, const char *text,
                                size_t size_bytes, const wpa_leftover *items, size_t n,
                                const wpa_settings *settings, wpa_arena *arena);
