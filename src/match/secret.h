/*
 * Secrets in text: tokens of known providers, private keys, and values that look random where a
 * secret is assigned. What is found is never shown, only its kind and place.
 */
#pragma once

#include <wpa/arena.h>
#include <wpa/span.h>

typedef struct wpa_secret_scanner wpa_secret_scanner;

typedef struct wpa_found_secret {
    const char *kind; /* "GitHub token": static */
    bool is_guess;    /* it looks like one; its form does not prove it */
    bool is_doubtful; /* its format has a checksum, and this one's is wrong: made up, most likely */
    wpa_span span;    /* the secret itself */
} wpa_found_secret;

/** Never NULL; patterns are compiled as they are needed. Thread: any number may scan with one. */
wpa_secret_scanner *wpa_secret_scanner_new(void);
void wpa_secret_scanner_free(wpa_secret_scanner *scanner);
WPA_DEFINE_AUTO(wpa_secret_scanner, wpa_secret_scanner_free);

/** One scanner for the whole program, made at its first use and never freed. Thread: any. */
const wpa_secret_scanner *wpa_secret_scanner_shared(void);

/** All secrets of a text by place, at most WPA_SECRETS_MAX. */
#define WPA_SECRETS_MAX 200
wpa_found_secret *wpa_secrets_find(const wpa_secret_scanner *scanner, const char *text,
                                   size_t length, wpa_arena *arena, size_t *n);

/** Of a text that has been indexed: false only of a word that stands nowhere in it, letters' case
   no matter. */
typedef struct wpa_secret_filter {
    bool (*may_hold)(const void *text, const char *word);
    const void *text;
} wpa_secret_filter;
/** The same with less to look for; filter may be NULL. */
wpa_found_secret *wpa_secrets_find_in(const wpa_secret_scanner *scanner, const char *text,
                                      size_t length, const wpa_secret_filter *filter,
                                      wpa_arena *arena, size_t *n);

/** Bits of entropy in each byte of text: 0 for one repeated character, at most 8. */
double wpa_entropy(const char *text, size_t length);
