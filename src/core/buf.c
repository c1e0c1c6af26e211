#include <stdio.h>
#include <string.h>

#include <wpa/buf.h>
#include <wpa/memory.h>

#include "core/pieces.h"

/* What a buffer that is drained holds before it hands it over. */
#define DRAIN_BYTES ((size_t)64 * 1024)

struct wpa_buf {
    char *data;
    size_t size_bytes, capacity, max_bytes;
    size_t untended_bytes; /* up to here neither ceiling nor drain is in question */
    bool is_full;
    wpa_buf_drain drain;
    void *context;
};

wpa_buf *wpa_buf_new(size_t max_bytes)
{
    wpa_buf *buf = wpa_alloc(sizeof *buf);
    buf->max_bytes = buf->untended_bytes = max_bytes;
    buf->capacity = 256;
    buf->data = wpa_realloc(NULL, buf->capacity);
    buf->data[0] = '\0';
    return buf;
}

void wpa_buf_free(wpa_buf *buf)
{
    if (buf) {
        wpa_free(buf->data);
        wpa_free(buf);
    }
}

static bool make_room(wpa_buf *buf, size_t size_bytes)
{
    if (buf->drain && buf->size_bytes + size_bytes > DRAIN_BYTES) {
        (void)!wpa_buf_flush(buf);
    }
    if (size_bytes > buf->max_bytes - buf->size_bytes) {
        buf->is_full = true;
        return false;
    }
    size_t needed = buf->size_bytes + size_bytes + 1;
    if (needed > buf->capacity) {
        while (buf->capacity < needed) {
            buf->capacity *= 2;
        }
        buf->data = wpa_realloc(buf->data, buf->capacity);
    }
    return true;
}

/* Room for size_bytes more and a NUL, or false and the mark that something was left out. */
static bool reserve(wpa_buf *buf, size_t size_bytes)
{
    bool has_room = size_bytes < buf->capacity - buf->size_bytes &&
                    buf->size_bytes + size_bytes <= buf->untended_bytes;
    return has_room || make_room(buf, size_bytes);
}

void wpa_buf_drain_to(wpa_buf *buf, wpa_buf_drain drain, void *context)
{
    buf->drain = drain;
    buf->untended_bytes = buf->max_bytes < DRAIN_BYTES ? buf->max_bytes : DRAIN_BYTES;
    buf->context = context;
}

bool wpa_buf_flush(wpa_buf *buf)
{
    if (buf->size_bytes && !buf->drain(buf->context, buf->data, buf->size_bytes)) {
        buf->is_full = true;
    }
    buf->size_bytes = 0;
    buf->data[0] = '\0';
    return !buf->is_full;
}

char *wpa_buf_extend(wpa_buf *buf, size_t size_bytes)
{
    if (!reserve(buf, size_bytes)) {
        return NULL;
    }
    char *added = buf->data + buf->size_bytes;
    buf->size_bytes += size_bytes;
    added[size_bytes] = '\0';
    return added;
}

void wpa_buf_append(wpa_buf *buf, const void *data, size_t size_bytes)
{
    char *added = size_bytes ? wpa_buf_extend(buf, size_bytes) : NULL;
    if (added) {
        memcpy(added, data, size_bytes);
    }
}

void wpa_buf_text(wpa_buf *buf, const char *text)
{
    wpa_buf_append(buf, text, strlen(text));
}

void wpa_buf_char(wpa_buf *buf, char c)
{
    char *added = wpa_buf_extend(buf, 1);
    if (added) {
        *added = c;
    }
}

/** A format of which only printf knows what it comes to. */
static WPA_PRINTF(2, 0) void print(wpa_buf *buf, const char *format, va_list values)
{
    char small[512]; /* most are; the others are printed once more, where there is room */
    va_list again;
    va_copy(again, values);
    int length = vsnprintf(small, sizeof small, format, values);
    if (length > 0 && (size_t)length < sizeof small) {
        wpa_buf_append(buf, small, (size_t)length);
    } else if (length > 0 && reserve(buf, (size_t)length)) {
        (void)vsnprintf(buf->data + buf->size_bytes, (size_t)length + 1, format, again);
        buf->size_bytes += (size_t)length;
    }
    va_end(again);
}

void wpa_buf_vprintf(wpa_buf *buf, const char *format, va_list values)
{
    wpa_pieces pieces;
    if (!wpa_pieces_read(&pieces, format, values)) {
        print(buf, format, values);
    } else if (reserve(buf, pieces.length)) {
        wpa_pieces_write(&pieces, buf->data + buf->size_bytes);
        buf->size_bytes += pieces.length;
    }
}

void wpa_buf_printf(wpa_buf *buf, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    wpa_buf_vprintf(buf, format, values);
    va_end(values);
}

void wpa_buf_truncate(wpa_buf *buf, size_t size_bytes)
{
    if (size_bytes < buf->size_bytes) {
        buf->size_bytes = size_bytes;
        buf->data[size_bytes] = '\0';
    }
}

const char *wpa_buf_data(const wpa_buf *buf)
{
    return buf->data;
}

size_t wpa_buf_size(const wpa_buf *buf)
{
    return buf->size_bytes;
}

bool wpa_buf_is_full(const wpa_buf *buf)
{
    return buf->is_full;
}

bool wpa_buf_check(const wpa_buf *buf, const char *what, wpa_error *err)
{
    return !buf->is_full ||
           WPA_FAIL(err, WPA_E_LIMIT, "%s is larger than %zu bytes", what, buf->max_bytes);
}

char *wpa_buf_dup(const wpa_buf *buf, wpa_arena *arena)
{
    return wpa_arena_slice(arena, buf->data, buf->size_bytes);
}
