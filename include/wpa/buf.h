/*
 * Growable byte buffers with a ceiling. Appending past the ceiling keeps nothing of that append,
 * and the buffer remembers it: check once at the end.
 */
#pragma once

#include <stdarg.h>
#include <stdint.h>

#include <wpa/arena.h>

typedef struct wpa_buf wpa_buf;

wpa_buf *wpa_buf_new(size_t max_bytes);
void wpa_buf_free(wpa_buf *buf);
WPA_DEFINE_AUTO(wpa_buf, wpa_buf_free);

void wpa_buf_append(wpa_buf *buf, const void *data, size_t size_bytes);
void wpa_buf_text(wpa_buf *buf, const char *text);
void wpa_buf_char(wpa_buf *buf, char c);
/** What was appended is for the caller to fill, at once; NULL if there was no room for it. */
char *wpa_buf_extend(wpa_buf *buf, size_t size_bytes);
void wpa_buf_printf(wpa_buf *buf, const char *format, ...) WPA_PRINTF(2, 3);
void wpa_buf_vprintf(wpa_buf *buf, const char *format, va_list values) WPA_PRINTF(2, 0);
/** Takes what a buffer holds; false if it could not be written. */
typedef bool (*wpa_buf_drain)(void *context, const void *data, size_t size_bytes);
/**
 * Hand the content over whenever there is much of it, so that what passes through may be larger
 * than what is held. The ceiling then is of what is held.
 */
void wpa_buf_drain_to(wpa_buf *buf, wpa_buf_drain drain, void *context);
/** Hand over the rest; false if anything could not be written or was left out. */
bool wpa_buf_flush(wpa_buf *buf) WPA_CHECK;
/** Keep only the first size_bytes. */
void wpa_buf_truncate(wpa_buf *buf, size_t size_bytes);

/** NUL-terminated; valid until the next append. */
const char *wpa_buf_data(const wpa_buf *buf);
size_t wpa_buf_size(const wpa_buf *buf);
bool wpa_buf_is_full(const wpa_buf *buf);
/** False with WPA_E_LIMIT if anything was left out; what names the buffer in the message. */
bool wpa_buf_check(const wpa_buf *buf, const char *what, wpa_error *err) WPA_CHECK;
/** A copy in the arena. */
char *wpa_buf_dup(const wpa_buf *buf, wpa_arena *arena);
