/* Text helpers: everything takes sizes or NUL-terminated UTF-8, nothing overruns, nothing guesses.
 */
#pragma once

#include <stdint.h>
#include <string.h>

#include <wpa/arena.h>

/** A borrowed piece of text, not NUL-terminated. */
typedef struct wpa_slice {
    const char *at;
    size_t length;
} wpa_slice;

#define WPA_SLICE_FORMAT "%.*s"
#define WPA_SLICE_ARGS(slice) (int)(slice).length, (slice).at

static inline wpa_slice wpa_slice_of(const char *text)
{
    return (wpa_slice){text, strlen(text)};
}

/** Are the bytes equal? For names, most of which are shorter than what a call costs. */
static inline bool wpa_bytes_are(const char *a, const char *b, size_t n)
{
    uint32_t first[2], last[2];
    if (n < sizeof *first || n > 2 * sizeof *first) {
        return n == 0 || (*a == *b && memcmp(a, b, n) == 0);
    }
    memcpy(&first[0], a, sizeof *first);
    memcpy(&first[1], b, sizeof *first);
    memcpy(&last[0], a + n - sizeof *last, sizeof *last); /* what both hold is compared twice */
    memcpy(&last[1], b + n - sizeof *last, sizeof *last);
    return first[0] == first[1] && last[0] == last[1];
}

/** Are the bytes equal, ASCII case folded? */
static inline bool wpa_bytes_are_ci(const char *a, const char *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (a[i] != b[i] && ((a[i] ^ b[i]) != 0x20 || (a[i] | 0x20) < 'a' || (a[i] | 0x20) > 'z')) {
            return false; /* bit 0x20 is what the cases of a letter differ in */
        }
    }
    return true;
}

/* Here, since most texts that are compared differ in their first byte: the call would cost more. */

static inline bool wpa_slice_is(wpa_slice slice, const char *text)
{
    return !(slice.length && *slice.at != *text) && strlen(text) == slice.length &&
           memcmp(slice.at, text, slice.length) == 0;
}

static inline bool wpa_slice_is_ci(wpa_slice slice, const char *text)
{
    return !(slice.length && ((*slice.at ^ *text) & ~0x20)) && strlen(text) == slice.length &&
           wpa_bytes_are_ci(slice.at, text, slice.length);
}

/** Equal; NULL equals only NULL. */
static inline bool wpa_text_is(const char *a, const char *b)
{
    /* Most words that begin with one letter differ in the next: they are told apart without a call.
     */
    return a == b || (a && b && *a == *b && (!*a || (a[1] == b[1] && strcmp(a, b) == 0)));
}

/** What wpa_text_is_ci comes to where the first bytes do not differ. */
bool wpa_text_is_alike(const char *a, const char *b);

/** The same, ASCII case folded. */
static inline bool wpa_text_is_ci(const char *a, const char *b)
{
    return a == b || (a && b && !((*a ^ *b) & ~0x20) && wpa_text_is_alike(a, b));
}

/* The others here have mostly literals for what is looked for, whose length the compiler knows. */

static inline bool wpa_text_starts(const char *text, const char *prefix)
{
    return *text == *prefix ? strncmp(text, prefix, strlen(prefix)) == 0 : !*prefix;
}

static inline bool wpa_text_ends(const char *text, const char *suffix)
{
    size_t length = strlen(text), tail = strlen(suffix);
    return length >= tail && memcmp(text + length - tail, suffix, tail) == 0;
}

/** Where word stands in text[length] first; NULL if nowhere. Many bytes at a time, unlike memmem.
 */
const char *wpa_text_find_slice(const char *text, size_t length, wpa_slice word);
/** The same, ASCII case folded. */
const char *wpa_text_find_slice_ci(const char *text, size_t length, wpa_slice word);

static inline const char *wpa_text_find(const char *text, size_t length, const char *word)
{
    return wpa_text_find_slice(text, length, wpa_slice_of(word));
}

static inline const char *wpa_text_find_ci(const char *text, size_t length, const char *word)
{
    return wpa_text_find_slice_ci(text, length, wpa_slice_of(word));
}

/** In text up to its NUL: whose length is asked for, so not for what looks again and again. */
static inline const char *wpa_text_seek(const char *text, const char *word)
{
    return wpa_text_find(text, strlen(text), word);
}

static inline const char *wpa_text_seek_ci(const char *text, const char *word)
{
    return wpa_text_find_ci(text, strlen(text), word);
}

/** How many letters, digits and underscores text begins with: strspn is slow with many of them. */
size_t wpa_text_name_length(const char *text);
bool wpa_text_is_ascii(const char *text, size_t length);
/** Index of text in names[n], or -1. */
int wpa_text_index(const char *text, const char *const names[], size_t n);
/** Copy, cut behind the last character that fits, always terminated; false if cut. */
bool wpa_text_copy(char *to, size_t size_bytes, const char *from);
/** snprintf that is always terminated, and cut between characters; false if cut. */
bool wpa_text_format(char *to, size_t size_bytes, const char *format, ...) WPA_PRINTF(3, 4);

/** Text for a query: everything but letters, digits and -._~ as %XX (RFC 3986). */
char *wpa_text_url_encode(wpa_arena *arena, const char *text);

/** Whole text as a decimal integer within [min, max]; false otherwise, *value untouched. */
bool wpa_text_to_int(const char *text, int64_t min, int64_t max, int64_t *value) WPA_CHECK;
/** Whole text as a finite decimal number. */
bool wpa_text_to_double(const char *text, double *value) WPA_CHECK;
/** "90s", "10m", "2h", "1d", "250ms" into milliseconds. */
bool wpa_text_to_duration_ms(const char *text, int64_t *ms) WPA_CHECK;

/** Value of a hex digit of either case; -1: it is none. */
int wpa_hex_digit(char c);
/** hex[2 * n + 1] of data[n], lower case. */
void wpa_hex_encode(const uint8_t *data, size_t n, char *hex);
/** data[n] from exactly 2 * n hex digits. */
bool wpa_hex_decode(const char *hex, uint8_t *data, size_t n) WPA_CHECK;

/** Next code point of text[length] at *at, which moves on; U+FFFD for a bad byte. */
uint32_t wpa_utf8_next(const char *text, size_t length, size_t *at);
/** Bytes written to out[4]. */
size_t wpa_utf8_encode(uint32_t code_point, char out[4]);
bool wpa_utf8_is_valid(const char *text, size_t length);

/**
 * Text from outside made fit for a terminal, a log or a message: control characters, escape
 * sequences, bidirectional overrides and zero-width characters become marks such as ‹1b› ‹u202e›,
 * bad UTF-8 ‹ff›. With keep_lines, line feeds and tabs stay.
 */
char *wpa_text_visible(wpa_arena *arena, const char *text, size_t length, bool keep_lines);
/** Is this a character that wpa_text_visible marks? */
bool wpa_char_is_hidden(uint32_t code_point);
/** At most max_chars code points, "..." behind if cut. */
char *wpa_text_ellipsis(wpa_arena *arena, const char *text, size_t max_chars);

/** Nearest of names[n] by edit distance, NULL if none is near: for "did you mean". */
const char *wpa_text_nearest(const char *text, const char *const names[], size_t n);
