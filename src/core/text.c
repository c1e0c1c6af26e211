#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <wpa/text.h>

#include "core/lanes.h"
#include "core/pieces.h"
#include "core/visible.h"

bool wpa_text_is_alike(const char *a, const char *b)
{
    while (*a && wpa_bytes_are_ci(a, b, 1)) {
        a++;
        b++;
    }
    return !*a && !*b;
}

typedef wpa_lanes lanes;

static lanes in_all(char c)
{
    return (lanes){0} + (uint8_t)c;
}

/* The bit that the cases of a letter differ in. */
#define CASE_BIT 0x20

/* What is looked for, and its first and its last byte; of all bytes that bit is set if case is none
   of the question. */
typedef struct wanted {
    wpa_slice word;
    bool is_ci;
    lanes fold, first, last;
} wanted;

/* Places at which both of these bytes may be where they have to: with the bit set, some that are no
   letters are taken for others, and then compared as the rest is. */
static inline lanes places_at(const char *at, const wanted *w)
{
    return (lanes)((wpa_lanes_at(at) | w->fold) == w->first) &
           (lanes)((wpa_lanes_at(at + w->word.length - 1) | w->fold) == w->last);
}

static inline bool is_at(const char *place, wpa_slice word, bool is_ci)
{
    return is_ci ? wpa_bytes_are_ci(place, word.at, word.length)
                 : wpa_bytes_are(place, word.at, word.length);
}

/** The word, if it stands at one of these places from at on, a bit for each. */
static const char *find_among(const char *at, unsigned places, wpa_slice word, bool is_ci)
{
    for (; places; places &= places - 1) {
        const char *place = at + __builtin_ctz(places);
        if (is_at(place, word, is_ci)) {
            return place;
        }
    }
    return NULL;
}

static const char *find_in_few(const char *at, size_t n_places, wpa_slice word, bool is_ci)
{
    for (size_t i = 0; i < n_places; i++) {
        if (is_at(at + i, word, is_ci)) {
            return at + i;
        }
    }
    return NULL;
}

/* As many places as a stride has are ruled out together; most texts have few that are not. */
#define STRIDE (4 * sizeof(lanes))

static inline bool may_be_in_stride(const char *at, const wanted *w)
{
    return wpa_lanes_bits(places_at(at, w) | places_at(at + sizeof(lanes), w) |
                          places_at(at + 2 * sizeof(lanes), w) |
                          places_at(at + 3 * sizeof(lanes), w));
}

/* Only where its first and its last byte are in their places the word is compared. */
static inline const char *find(const char *text, size_t n_places, const wanted *w)
{
    for (size_t at = 0; at < n_places;) {
        size_t end = at + STRIDE;
        if (end <= n_places && !may_be_in_stride(text + at, w)) {
            at = end;
            continue;
        }
        for (end = end < n_places ? end : n_places; at < end; at += sizeof(lanes)) {
            size_t last = n_places - sizeof(lanes); /* it overlaps those before it */
            const char *place = text + (at < last ? at : last);
            unsigned places = wpa_lanes_bits(places_at(place, w));
            const char *found = places ? find_among(place, places, w->word, w->is_ci) : NULL;
            if (found) {
                return found;
            }
        }
    }
    return NULL;
}

static const char *find_word(const char *text, size_t length, wpa_slice word, bool is_ci)
{
    if (word.length == 0 || word.length > length) {
        return word.length ? NULL : text;
    }
    size_t n_places = length - word.length + 1;
    if (n_places < sizeof(lanes)) {
        return find_in_few(text, n_places, word, is_ci);
    }
    char fold = is_ci ? CASE_BIT : 0;
    const wanted w = {word, is_ci, in_all(fold), in_all((char)(word.at[0] | fold)),
                      in_all((char)(word.at[word.length - 1] | fold))};
    return find(text, n_places, &w);
}

const char *wpa_text_find_slice(const char *text, size_t length, wpa_slice word)
{
    return find_word(text, length, word, false);
}

const char *wpa_text_find_slice_ci(const char *text, size_t length, wpa_slice word)
{
    return find_word(text, length, word, true);
}

/* Letters, digits and "_": told apart by one look, since where a name ends nobody foresees. */
static const bool is_of_name[256] = {
    ['0'] = true, ['1'] = true, ['2'] = true, ['3'] = true, ['4'] = true, ['5'] = true,
    ['6'] = true, ['7'] = true, ['8'] = true, ['9'] = true, ['A'] = true, ['B'] = true,
    ['C'] = true, ['D'] = true, ['E'] = true, ['F'] = true, ['G'] = true, ['H'] = true,
    ['I'] = true, ['J'] = true, ['K'] = true, ['L'] = true, ['M'] = true, ['N'] = true,
    ['O'] = true, ['P'] = true, ['Q'] = true, ['R'] = true, ['S'] = true, ['T'] = true,
    ['U'] = true, ['V'] = true, ['W'] = true, ['X'] = true, ['Y'] = true, ['Z'] = true,
    ['_'] = true, ['a'] = true, ['b'] = true, ['c'] = true, ['d'] = true, ['e'] = true,
    ['f'] = true, ['g'] = true, ['h'] = true, ['i'] = true, ['j'] = true, ['k'] = true,
    ['l'] = true, ['m'] = true, ['n'] = true, ['o'] = true, ['p'] = true, ['q'] = true,
    ['r'] = true, ['s'] = true, ['t'] = true, ['u'] = true, ['v'] = true, ['w'] = true,
    ['x'] = true, ['y'] = true, ['z'] = true,
};

size_t wpa_text_name_length(const char *text)
{
    size_t length = 0;
    while (is_of_name[(unsigned char)text[length]]) {
        length++;
    }
    return length;
}

bool wpa_text_is_ascii(const char *text, size_t length)
{
    unsigned char high = 0;
    uint64_t all = 0, words[4];
    for (; length >= sizeof words; length -= sizeof words, text += sizeof words) {
        memcpy(words, text, sizeof words);
        all |= words[0] | words[1] | words[2] | words[3];
    }
    for (; length >= sizeof *words; length -= sizeof *words, text += sizeof *words) {
        memcpy(words, text, sizeof *words);
        all |= *words;
    }
    for (; length; length--, text++) {
        high |= (unsigned char)*text;
    }
    return !(all & UINT64_C(0x8080808080808080)) && high < 0x80;
}

/* Many differ in their second byte alone: options, names of one prefix. */
static inline bool begins_as(const char *name, const char *text)
{
    return *name == *text && (!*text || name[1] == text[1]);
}

/* Apart: the few that come here need registers, which all others would keep for nothing. */
__attribute__((noinline)) static int index_from(const char *text, const char *const names[],
                                                size_t n, size_t i)
{
    while (i < n && !(begins_as(names[i], text) && strcmp(names[i], text) == 0)) {
        i++;
    }
    return i < n ? (int)i : -1;
}

int wpa_text_index(const char *text, const char *const names[], size_t n)
{
    /* Most texts are none of them, which is told without a call. */
    for (size_t i = 0; text && i < n; i++) {
        if (begins_as(names[i], text)) {
            return index_from(text, names, n, i);
        }
    }
    return -1;
}

bool wpa_text_copy(char *to, size_t size_bytes, const char *from)
{
    return wpa_text_format(to, size_bytes, "%s", from);
}

/** How much of text[length] is whole characters, if it was cut behind that. */
static size_t whole_length(const char *text, size_t length)
{
    size_t lead = length;
    while (lead > 0 && ((unsigned char)text[lead - 1] & 0xc0) == 0x80) {
        lead--;
    }
    unsigned char first = lead > 0 ? (unsigned char)text[lead - 1] : 0;
    size_t needed = first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    return length - lead + 1 < needed ? lead - 1 : length;
}

bool wpa_text_format(char *to, size_t size_bytes, const char *format, ...)
{
    va_list values;
    wpa_pieces pieces;
    va_start(values, format);
    bool fits = wpa_pieces_read(&pieces, format, values) && pieces.length < size_bytes;
    if (fits) {
        wpa_pieces_write(&pieces, to);
    } else {
        int length = vsnprintf(to, size_bytes, format, values);
        fits = length >= 0 && (size_t)length < size_bytes;
        if (!fits && length >= 0 && size_bytes > 0) {
            to[whole_length(to, size_bytes - 1)] = '\0';
        }
    }
    va_end(values);
    return fits;
}

/* So many digits are a number of 64 bits whatever they are. */
#define SURE_DIGITS 18

/** The number that a text of few digits is; false: it is something else, or a longer one. */
static bool read_digits(const char *text, int64_t *number)
{
    size_t n = 0;
    for (*number = 0; n < SURE_DIGITS && text[n] >= '0' && text[n] <= '9'; n++) {
        *number = *number * 10 + (text[n] - '0');
    }
    return n > 0 && !text[n];
}

bool wpa_text_to_int(const char *text, int64_t min, int64_t max, int64_t *value)
{
    int64_t plain;
    if (text && read_digits(text, &plain)) { /* as nearly all are */
        bool is_within = plain >= min && plain <= max;
        *value = is_within ? plain : *value;
        return is_within;
    }
    if (!text || !(isdigit((unsigned char)text[0]) || text[0] == '-')) {
        return false;
    }
    char *end = NULL;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (errno || end == text || *end || number < min || number > max) {
        return false;
    }
    *value = number;
    return true;
}

bool wpa_text_to_double(const char *text, double *value)
{
    if (!text || !text[0] || isspace((unsigned char)text[0])) {
        return false;
    }
    char *end = NULL;
    errno = 0;
    double number = strtod(text, &end);
    if (errno || end == text || *end || !isfinite(number)) {
        return false;
    }
    *value = number;
    return true;
}

bool wpa_text_to_duration_ms(const char *text, int64_t *ms)
{
    static const struct {
        const char *unit;
        double ms;
    } units[] = {{"ms", 1}, {"s", 1e3}, {"m", 6e4}, {"min", 6e4}, {"h", 36e5}, {"d", 864e5}};
    if (!text || !isdigit((unsigned char)text[0])) {
        return false;
    }
    char *end = NULL;
    double number = strtod(text, &end);
    while (*end == ' ') {
        end++;
    }
    for (size_t i = 0; i < WPA_COUNT(units); i++) {
        if (strcmp(end, units[i].unit) == 0 && number * units[i].ms < 9e15) {
            *ms = (int64_t)(number * units[i].ms);
            return true;
        }
    }
    return false;
}

void wpa_hex_encode(const uint8_t *data, size_t n, char *hex)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        hex[2 * i] = digits[data[i] >> 4];
        hex[2 * i + 1] = digits[data[i] & 15];
    }
    hex[2 * n] = '\0';
}

int wpa_hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20; /* in lower case, if it is a letter */
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool wpa_hex_decode(const char *hex, uint8_t *data, size_t n)
{
    if (strlen(hex) != 2 * n) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        int high = wpa_hex_digit(hex[2 * i]), low = wpa_hex_digit(hex[2 * i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        data[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

/* Length of the well-formed UTF-8 sequence at text[length], 0 if there is none (Unicode 15, D92).
 */
static size_t sequence_length(const unsigned char *text, size_t length)
{
    static const struct {
        unsigned char first, last, low, high;
        size_t length;
    } forms[] = {
        {0x00, 0x7f, 0x80, 0xbf, 1}, {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    if (text[0] < 0x80 && length) {
        return 1;
    }
    for (size_t i = 0; i < WPA_COUNT(forms); i++) {
        if (text[0] < forms[i].first || text[0] > forms[i].last) {
            continue;
        }
        if (forms[i].length > length) {
            return 0;
        }
        if (forms[i].length > 1 && (text[1] < forms[i].low || text[1] > forms[i].high)) {
            return 0;
        }
        for (size_t k = 2; k < forms[i].length; k++) {
            if ((text[k] & 0xc0) != 0x80) {
                return 0;
            }
        }
        return forms[i].length;
    }
    return 0;
}

uint32_t wpa_utf8_next(const char *text, size_t length, size_t *at)
{
    const unsigned char *bytes = (const unsigned char *)text + *at;
    if (*at < length && bytes[0] < 0x80) {
        (*at)++;
        return bytes[0];
    }
    size_t n = sequence_length(bytes, length - *at);
    if (n <= 1) {
        (*at)++;
        return n ? bytes[0] : 0xfffd;
    }
    *at += n;
    uint32_t code_point = bytes[0] & (0x7fU >> n);
    for (size_t i = 1; i < n; i++) {
        code_point = code_point << 6 | (bytes[i] & 0x3f);
    }
    return code_point;
}

size_t wpa_utf8_encode(uint32_t code_point, char out[4])
{
    if (code_point < 0x80) {
        out[0] = (char)code_point;
        return 1;
    }
    size_t n = code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (code_point & 0x3f));
        code_point >>= 6;
    }
    out[0] = (char)((0xf00U >> n) | code_point);
    return n;
}

bool wpa_utf8_is_valid(const char *text, size_t length)
{
    size_t at = wpa_text_is_ascii(text, length) ? length : 0; /* as nearly all texts are */
    while (at < length) {
        size_t n = sequence_length((const unsigned char *)text + at, length - at);
        if (!n) {
            return false;
        }
        at += n;
    }
    return true;
}

bool wpa_char_is_hidden(uint32_t c)
{
    static const struct {
        uint32_t first, last;
    } hidden[] = {
        {0x00, 0x1f},     {0x7f, 0x9f},     {0xad, 0xad},       {0x61c, 0x61c},
        {0x180e, 0x180e}, {0x200b, 0x200f}, {0x2028, 0x202e},   {0x2060, 0x206f},
        {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe007f},
    };
    if (c >= 0x20 && c < 0x7f) {
        return false;
    }
    for (size_t i = 0; i < WPA_COUNT(hidden); i++) {
        if (c >= hidden[i].first && c <= hidden[i].last) {
            return true;
        }
    }
    return false;
}

size_t wpa_visible_copy(char *to, size_t size_bytes, const char *text, size_t length,
                        bool keep_lines)
{
    size_t total = 0, written = 0;
    bool is_cut = false;
    for (size_t at = 0; at < length;) {
        char piece[16];
        size_t begin = at, n;
        uint32_t c = wpa_utf8_next(text, length, &at);
        bool is_bad = c == 0xfffd && at == begin + 1;
        if (is_bad) {
            n = (size_t)snprintf(piece, sizeof piece, "‹%02x›", (unsigned char)text[begin]);
        } else if (wpa_char_is_hidden(c) && !(keep_lines && (c == '\n' || c == '\t'))) {
            n = (size_t)snprintf(piece, sizeof piece, c < 0x100 ? "‹%02x›" : "‹u%04x›", c);
        } else {
            n = at - begin;
            memcpy(piece, text + begin, n);
        }
        is_cut = is_cut || written + n >= size_bytes;
        if (!is_cut) {
            memcpy(to + written, piece, n);
            written += n;
        }
        total += n;
    }
    if (size_bytes) {
        to[written] = '\0';
    }
    return total;
}

/* Is none of sixteen bytes a control character, or of more than ASCII? */
static bool are_visible(const char *at)
{
    return !wpa_lanes_bits((lanes)(wpa_lanes_at(at) - 0x20 > 0x7E - 0x20));
}

bool wpa_text_is_visible(const char *text, size_t length)
{
    size_t i = 0;
    if (length < sizeof(lanes)) {
        while (i < length && text[i] >= 0x20 && text[i] <= 0x7E) {
            i++;
        }
        return i == length;
    }
    for (; i + sizeof(lanes) <= length; i += sizeof(lanes)) {
        if (!are_visible(text + i)) {
            return false;
        }
    }
    return are_visible(text + length - sizeof(lanes)); /* some of them for the second time */
}

char *wpa_text_visible(wpa_arena *arena, const char *text, size_t length, bool keep_lines)
{
    char none[1];
    if (wpa_text_is_visible(text, length)) {
        return wpa_arena_slice(arena, text, length);
    }
    size_t total = wpa_visible_copy(none, sizeof none, text, length, keep_lines);
    char *visible = wpa_arena_alloc(arena, total + 1);
    wpa_visible_copy(visible, total + 1, text, length, keep_lines);
    return visible;
}

char *wpa_text_ellipsis(wpa_arena *arena, const char *text, size_t max_chars)
{
    size_t length = strlen(text), at = 0;
    for (size_t n = 0; at < length && n < max_chars; n++) {
        (void)wpa_utf8_next(text, length, &at);
    }
    return at == length ? wpa_arena_text(arena, text)
                        : wpa_arena_printf(arena, "%.*s...", (int)at, text);
}

/* Levenshtein distance with two rows; names longer than the rows are never near. */
static size_t edit_distance(const char *a, const char *b)
{
    size_t row[64], n = strlen(b);
    if (n >= WPA_COUNT(row)) {
        return SIZE_MAX;
    }
    for (size_t j = 0; j <= n; j++) {
        row[j] = j;
    }
    for (size_t i = 1; a[i - 1]; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            size_t change =
                diagonal + (tolower((unsigned char)a[i - 1]) != tolower((unsigned char)b[j - 1]));
            size_t step = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            diagonal = row[j];
            row[j] = change < step ? change : step;
        }
    }
    return row[n];
}

const char *wpa_text_nearest(const char *text, const char *const names[], size_t n)
{
    const char *nearest = NULL;
    size_t best = strlen(text) / 3 + 2;
    for (size_t i = 0; i < n; i++) {
        size_t distance = names[i] ? edit_distance(text, names[i]) : SIZE_MAX;
        if (distance < best) {
            best = distance;
            nearest = names[i];
        }
    }
    return nearest;
}

char *wpa_text_url_encode(wpa_arena *arena, const char *text)
{
    static const char hex[] = "0123456789ABCDEF";
    char *encoded = wpa_arena_alloc(arena, strlen(text) * 3 + 1);
    char *to = encoded;
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (isalnum(c) || strchr("-._~", c)) {
            *to++ = *text;
        } else {
            *to++ = '%';
            *to++ = hex[c >> 4];
            *to++ = hex[c & 15];
        }
    }
    *to = '\0';
    return encoded;
}
