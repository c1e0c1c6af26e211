#include "core/pieces.h"

#include <stdint.h>
#include <string.h>

/* Digits of 64 bits, and a sign. */
#define NUMBER_CHARS 20

static bool add(wpa_pieces *p, const char *at, size_t length)
{
    if (p->n == WPA_PIECES_MAX) {
        return false;
    }
    p->items[p->n].at = at;
    p->items[p->n++].length = length;
    p->length += length;
    return true;
}

static bool add_text(wpa_pieces *p, const char *text)
{
    return text && add(p, text, strlen(text));
}

/** A negative length is none. */
static bool add_part(wpa_pieces *p, int max, const char *text)
{
    return text && max >= 0 && add(p, text, strnlen(text, (size_t)max));
}

static bool add_char(wpa_pieces *p, int c)
{
    if (p->n_room == WPA_PIECES_ROOM) {
        return false;
    }
    p->room[p->n_room] = (char)c;
    return add(p, p->room + p->n_room++, 1);
}

static bool add_number(wpa_pieces *p, uint64_t number, bool is_negative)
{
    if (p->n_room + NUMBER_CHARS > WPA_PIECES_ROOM) {
        return false;
    }
    size_t end = p->n_room += NUMBER_CHARS, at = end; /* written from its end */
    do {
        p->room[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    if (is_negative) {
        p->room[--at] = '-';
    }
    return add(p, p->room + at, end - at);
}

static bool add_signed(wpa_pieces *p, int64_t number)
{
    return add_number(p, number < 0 ? -(uint64_t)number : (uint64_t)number, number < 0);
}

/** What stands behind a percent sign; NULL if that is none of ours. */
static const char *add_value(wpa_pieces *p, const char *at, va_list *values)
{
    switch (*at) {
    case 's':
        return add_text(p, va_arg(*values, const char *)) ? at + 1 : NULL;
    case 'c':
        return add_char(p, va_arg(*values, int)) ? at + 1 : NULL;
    case 'd':
        return add_signed(p, va_arg(*values, int)) ? at + 1 : NULL;
    case 'u':
        return add_number(p, va_arg(*values, unsigned), false) ? at + 1 : NULL;
    case '%':
        return add(p, at, 1) ? at + 1 : NULL;
    case 'z':
        return at[1] == 'u' && add_number(p, va_arg(*values, size_t), false) ? at + 2 : NULL;
    case '.':
        if (at[1] == '*' && at[2] == 's') {
            int max = va_arg(*values, int);
            return add_part(p, max, va_arg(*values, const char *)) ? at + 3 : NULL;
        }
        return NULL;
    case 'l':
        if (at[1] == 'd') {
            return add_signed(p, va_arg(*values, long)) ? at + 2 : NULL;
        }
        return at[1] == 'l' && at[2] == 'd' && add_signed(p, va_arg(*values, long long)) ? at + 3
                                                                                         : NULL;
    default:
        return NULL;
    }
}

bool wpa_pieces_read(wpa_pieces *pieces, const char *format, va_list values)
{
    va_list own;
    va_copy(own, values);
    pieces->n = pieces->length = pieces->n_room = 0;
    const char *at = format;
    while (at && *at) {
        const char *percent = strchrnul(at, '%');
        if (percent > at && !add(pieces, at, (size_t)(percent - at))) {
            at = NULL;
        } else {
            at = *percent ? add_value(pieces, percent + 1, &own) : percent;
        }
    }
    va_end(own);
    return at != NULL;
}

void wpa_pieces_write(const wpa_pieces *pieces, char *to)
{
    for (size_t i = 0; i < pieces->n; i++) {
        memcpy(to, pieces->items[i].at, pieces->items[i].length);
        to += pieces->items[i].length;
    }
    *to = '\0';
}
