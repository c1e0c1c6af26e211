/*
 * Secrets in text: tokens of known providers by their published forms, and private keys. Says where
 * and of what kind, never what.
 */
#pragma once

#include <wpa/error.h>

typedef struct wpa_secret_find {
    const char *kind;  /* "GitHub token" */
    size_t start, end; /* bytes */
    size_t line;       /* from 1 */
} wpa_secret_find;

/** First secret at or after byte from; false if there is none. */
bool wpa_secret_next(const char *text, size_t size_bytes, size_t from, wpa_secret_find *find);
