/*
 * libyaml gives a scalar's decoded text and the span: here the decoding is followed once more, and
 * each step is checked against the text.
 */
#include "yaml/origins.h"

#include <string.h>

#include "yaml/internal.h"

typedef struct cursor {
    const wpa_yaml_node *scalar;
    const char *source;
    size_t at;  /* in the source */
    size_t end; /* of the source to read */
    wpa_yaml_origin *origins;
    size_t n; /* decoded bytes so far */
} cursor;

static inline bool emit(cursor *c, char byte, size_t start, size_t end)
{
    if (c->n >= c->scalar->length || c->scalar->text[c->n] != byte) {
        return false;
    }
    c->origins[c->n++] = (wpa_yaml_origin){(uint32_t)start, (uint32_t)end};
    return true;
}

/* The source byte itself; one that was not UTF-8 decodes as a question mark. */
static inline bool emit_same(cursor *c)
{
    if (c->n >= c->scalar->length) {
        return false;
    }
    char byte = c->source[c->at];
    char decoded = c->scalar->text[c->n];
    bool is_done = emit(c, decoded == '?' ? '?' : byte, c->at, c->at + 1);
    c->at++;
    return is_done;
}

/** Can a line break begin with this byte? */
static inline bool may_break(unsigned char first)
{
    return first == '\r' || first == '\n' || first == 0xc2 || first == 0xe2;
}

/*
 * Length of the line break at the cursor and the text it decodes to: all become a line feed but
 * U+2028 and U+2029, which stay.
 */
static size_t break_at(const cursor *c, const char **decoded)
{
    static const struct {
        const char *bytes, *decoded;
    } breaks[] = {{"\r\n", "\n"},
                  {"\n", "\n"},
                  {"\r", "\n"},
                  {"\xc2\x85", "\n"},
                  {"\xe2\x80\xa8", "\xe2\x80\xa8"},
                  {"\xe2\x80\xa9", "\xe2\x80\xa9"}};
    for (size_t i = 0; i < WPA_COUNT(breaks); i++) {
        size_t length = strlen(breaks[i].bytes);
        if (c->at + length <= c->end && !memcmp(c->source + c->at, breaks[i].bytes, length)) {
            *decoded = breaks[i].decoded;
            return length;
        }
    }
    return 0;
}

static inline size_t break_length(const cursor *c, const char **decoded)
{
    bool may_be = c->at < c->end && may_break((unsigned char)c->source[c->at]);
    return may_be ? break_at(c, decoded) : 0;
}

static bool emit_text(cursor *c, const char *text, size_t start, size_t end)
{
    for (size_t i = 0; text[i]; i++) {
        if (!emit(c, text[i], start, end)) {
            return false;
        }
    }
    return true;
}

/* ---- plain and quoted ---- */

/* Where a fold stands: behind blanks, with a break next. */
static bool is_at_fold(const cursor *c)
{
    cursor ahead = *c;
    while (ahead.at < ahead.end && wpa_yaml_is_blank(ahead.source[ahead.at])) {
        ahead.at++;
    }
    const char *decoded;
    return break_length(&ahead, &decoded) > 0;
}

/*
 * Blanks, a break, and any number of blank lines: one break is a blank, more are all but the first.
 * With an escaped break nothing stands for the first.
 */
static bool follow_fold(cursor *c, bool is_escaped)
{
    const char *first = NULL;
    size_t first_start = 0, first_end = 0, n_more = 0;
    while (c->at < c->end) {
        const char *decoded;
        size_t length = break_length(c, &decoded);
        if (length == 0 && !wpa_yaml_is_blank(c->source[c->at])) {
            break;
        }
        if (length > 0 && !first) {
            first = decoded;
            first_start = c->at;
            first_end = c->at + length;
        } else if (length > 0) {
            if (n_more++ == 0 && !is_escaped && *first != '\n' &&
                !emit_text(c, first, first_start, first_end)) {
                return false;
            }
            if (!emit_text(c, decoded, c->at, c->at + length)) {
                return false;
            }
        }
        c->at += length > 0 ? length : 1;
    }
    if (is_escaped || n_more > 0 || !first) {
        return true;
    }
    return *first == '\n' ? emit(c, ' ', first_start, first_end)
                          : emit_text(c, first, first_start, first_end);
}

static bool follow_escape(cursor *c)
{
    static const char letters[] = "0abt\tnvfre \"/\\N_LP";
    static const uint32_t values[] = {0,    7,   8,   9,   9,    10,   11,   12,     13,
                                      0x1b, ' ', '"', '/', '\\', 0x85, 0xa0, 0x2028, 0x2029};
    size_t start = c->at;
    if (start + 1 >= c->end) {
        return false;
    }
    char letter = c->source[start + 1];
    size_t n_digits = letter == 'x' ? 2 : letter == 'u' ? 4 : letter == 'U' ? 8 : 0;
    uint32_t value = 0;
    const char *known = letter ? strchr(letters, letter) : NULL;
    if (n_digits == 0 && known) {
        value = values[known - letters];
    } else if (n_digits == 0 || start + 2 + n_digits > c->end) {
        return false;
    }
    for (size_t i = 0; i < n_digits; i++) {
        char digit = c->source[start + 2 + i];
        uint32_t nibble =
            digit <= '9' ? (uint32_t)(digit - '0') : (uint32_t)((digit | 32) - 'a' + 10);
        value = value * 16 + (nibble & 15);
    }
    c->at = start + 2 + n_digits;
    char bytes[4];
    size_t n_bytes = wpa_utf8_encode(value, bytes);
    for (size_t i = 0; i < n_bytes; i++) {
        if (!emit(c, bytes[i], start, c->at)) {
            return false;
        }
    }
    return true;
}

static bool follow_flow(cursor *c)
{
    wpa_yaml_style style = c->scalar->style;
    if (style != WPA_YAML_PLAIN) {
        c->at++;
        c->end--;
    }
    while (c->at < c->end) {
        char byte = c->source[c->at];
        bool is_done;
        if ((wpa_yaml_is_blank(byte) || may_break((unsigned char)byte)) && is_at_fold(c)) {
            is_done = follow_fold(c, false);
        } else if (style == WPA_YAML_SINGLE_QUOTED && byte == '\'') {
            is_done = emit(c, '\'', c->at, c->at + 2);
            c->at += 2;
        } else if (style == WPA_YAML_DOUBLE_QUOTED && byte == '\\') {
            cursor behind = *c;
            behind.at++;
            const char *decoded;
            if (break_length(&behind, &decoded) > 0) {
                c->at++;
                is_done = follow_fold(c, true);
            } else {
                is_done = follow_escape(c);
            }
        } else {
            is_done = emit_same(c);
        }
        if (!is_done) {
            return false;
        }
    }
    return c->n == c->scalar->length;
}

/* ---- literal and folded ---- */

static void skip_line(cursor *c)
{
    const char *decoded;
    while (c->at < c->end && break_length(c, &decoded) == 0) {
        c->at++;
    }
    c->at += break_length(c, &decoded);
}

static size_t count_blanks(const char *text, size_t length)
{
    size_t n = 0;
    while (n < length && text[n] == ' ') {
        n++;
    }
    return n;
}

/*
 * How far the block is indented: blanks before its first line with text, less those that belong to
 * the text (with an indentation indicator a line may begin with blanks).
 */
static size_t block_indent(const cursor *c)
{
    const char *text = c->scalar->text;
    size_t at = 0, length = c->scalar->length, line = 0;
    while (at < length && (text[at] == '\n' || text[at] == ' ')) {
        line = text[at] == '\n' ? at + 1 : line;
        at++;
    }
    size_t own = at < length ? count_blanks(text + line, length - line) : 0;
    cursor source = *c;
    while (source.at < source.end) {
        size_t blanks = count_blanks(source.source + source.at, source.end - source.at);
        cursor first = source;
        first.at += blanks;
        const char *decoded;
        if (first.at < first.end && break_length(&first, &decoded) == 0) {
            return blanks >= own ? blanks - own : 0;
        }
        skip_line(&source);
    }
    return SIZE_MAX; /* nothing but blank lines */
}

/* A break that is waiting to be written: as itself, as a blank, or not at all. */
typedef struct pending {
    const char *decoded;
    size_t start, end;
} pending;

typedef struct block {
    size_t indent;
    bool is_folded;
    bool was_blank; /* the line before began with a blank */
    bool has_break;
    pending leading;
    cursor breaks; /* where the blank lines behind the last text line begin */
} block;

/* Writes the breaks of blank lines from b->breaks up to the cursor. */
static bool emit_blank_lines(cursor *c, const block *b, bool *has_any)
{
    cursor line = b->breaks;
    *has_any = false;
    while (line.at < c->at) {
        const char *decoded;
        size_t length = break_length(&line, &decoded);
        if (length > 0) {
            *has_any = true;
            if (!emit_text(c, decoded, line.at, line.at + length)) {
                return false;
            }
        }
        line.at += length > 0 ? length : 1;
    }
    return true;
}

static bool has_blank_lines(const cursor *c, const block *b)
{
    cursor line = b->breaks;
    const char *decoded;
    for (; line.at < c->at; line.at++) {
        if (break_length(&line, &decoded) > 0) {
            return true;
        }
    }
    return false;
}

static void skip_blank_lines(cursor *c, const block *b)
{
    while (c->at < c->end) {
        cursor line = *c;
        const char *decoded;
        size_t blanks = count_blanks(line.source + line.at, line.end - line.at);
        line.at += blanks < b->indent ? blanks : b->indent;
        size_t length = break_length(&line, &decoded);
        if (length == 0) {
            c->at = line.at >= line.end ? line.end : c->at;
            return;
        }
        c->at = line.at + length;
    }
}

static bool follow_line(cursor *c, block *b)
{
    size_t text_at = c->at + b->indent;
    bool is_blank = text_at < c->end && wpa_yaml_is_blank(c->source[text_at]);
    bool has_any = false;
    if (b->has_break) {
        bool is_joined = b->is_folded && *b->leading.decoded == '\n' && !b->was_blank && !is_blank;
        bool is_done = !is_joined
                           ? emit_text(c, b->leading.decoded, b->leading.start, b->leading.end)
                       : has_blank_lines(c, b) ? true
                                               : emit(c, ' ', b->leading.start, b->leading.end);
        if (!is_done) {
            return false;
        }
    }
    if (!emit_blank_lines(c, b, &has_any)) {
        return false;
    }
    b->was_blank = is_blank;
    c->at = text_at;
    const char *decoded = NULL;
    size_t length = 0;
    while (c->at < c->end && (length = break_length(c, &decoded)) == 0) {
        if (!emit_same(c)) {
            return false;
        }
    }
    b->has_break = length > 0;
    b->leading = (pending){decoded, c->at, c->at + length};
    c->at += length;
    b->breaks = *c;
    return true;
}

static bool follow_block(cursor *c)
{
    const wpa_yaml_doc *doc = c->scalar->doc;
    skip_line(c);
    c->end = doc->size_bytes; /* trailing blank lines are content if kept */
    if (c->n == c->scalar->length) {
        return true;
    }
    block b = {.indent = block_indent(c), .is_folded = c->scalar->style == WPA_YAML_FOLDED};
    b.breaks = *c;
    skip_blank_lines(c, &b);
    while (c->n < c->scalar->length && c->at < c->scalar->span.end) {
        if (!follow_line(c, &b)) {
            return false;
        }
        skip_blank_lines(c, &b);
    }
    /* What is left of the text are the last break and kept blank lines. */
    bool has_any;
    if (c->n < c->scalar->length && b.has_break &&
        !emit_text(c, b.leading.decoded, b.leading.start, b.leading.end)) {
        return false;
    }
    return c->n == c->scalar->length ||
           (emit_blank_lines(c, &b, &has_any) && c->n == c->scalar->length);
}

bool wpa_yaml_origins_find(const wpa_yaml_node *scalar, wpa_yaml_origin origins[])
{
    cursor c = {scalar, scalar->doc->source, scalar->span.start, scalar->span.end, origins, 0};
    bool is_block = scalar->style == WPA_YAML_LITERAL || scalar->style == WPA_YAML_FOLDED;
    return is_block ? follow_block(&c) : follow_flow(&c);
}
