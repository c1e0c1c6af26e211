#include <string.h>

#include "core/room.h"
#include "yaml/builder.h"

size_t wpa_yaml_break_at(const wpa_yaml_doc *doc, size_t offset)
{
    if (offset >= doc->size_bytes) {
        return 0;
    }
    char c = doc->source[offset];
    if (c == '\r') {
        return doc->source[offset + 1] == '\n' && offset + 1 < doc->size_bytes ? 2 : 1;
    }
    return c == '\n' ? 1 : 0;
}

/* Columns in lines longer than this are counted from the nearest mark, one each so many bytes. */
#define LONG_LINE_BYTES 4096
#define MARK_BYTES 1024

/** Every place in a line of a megabyte would else be counted from its start. */
static void index_chars(wpa_yaml_doc *doc)
{
    size_t at = doc->line_starts[0], n_chars = 0, n = 0;
    wpa_yaml_mark *marks =
        wpa_arena_array(doc->arena, doc->size_bytes / MARK_BYTES + 2, sizeof *marks);
    for (; at < doc->size_bytes; n_chars++) {
        if (at >= doc->line_starts[0] + n * MARK_BYTES) {
            marks[n++] = (wpa_yaml_mark){at, n_chars};
        }
        wpa_utf8_next(doc->source, doc->size_bytes, &at);
    }
    doc->marks = marks;
    doc->n_marks = n;
}

static bool has_long_line(const wpa_yaml_doc *doc)
{
    for (size_t i = 0; doc->size_bytes > LONG_LINE_BYTES && i < doc->n_lines; i++) {
        size_t end = i + 1 < doc->n_lines ? doc->line_starts[i + 1] : doc->size_bytes;
        if (end - doc->line_starts[i] > LONG_LINE_BYTES) {
            return true;
        }
    }
    return false;
}

/** Characters in front of an offset. */
static size_t count_chars(const wpa_yaml_doc *doc, size_t offset)
{
    size_t i = (offset - doc->line_starts[0]) / MARK_BYTES;
    i = i < doc->n_marks ? i : doc->n_marks - 1;
    while (i > 0 && doc->marks[i].at > offset) {
        i--;
    }
    size_t n = doc->marks[i].n_chars;
    for (size_t at = doc->marks[i].at; at < offset; n++) {
        wpa_utf8_next(doc->source, doc->size_bytes, &at);
    }
    return n;
}

/* So many bytes of the file share a hint at their line. */
#define HINT_BYTES (4 * WPA_LANES)
/* How many lines are taken to begin in as many bytes. */
#define USUAL_LINES 3

/**
 * Adds where a line begins behind each of the bytes that is a break. The first few are written
 * before it is known that there are as many: how many lines end within 64 bytes cannot be foreseen,
 * and more hardly ever do.
 */
static inline size_t add_lines(uint64_t feeds, size_t at, size_t *starts, size_t n)
{
#pragma GCC unroll 3
    for (unsigned i = 0; i < USUAL_LINES; i++) {
        starts[n] = at + (size_t)__builtin_ctzll(feeds | UINT64_C(1) << 63) + 1;
        n += feeds != 0;
        feeds &= feeds - 1;
    }
    for (; feeds; feeds &= feeds - 1) {
        starts[n++] = at + (size_t)__builtin_ctzll(feeds) + 1;
    }
    return n;
}

static inline wpa_lanes feeds_at(const char *text)
{
    return (wpa_lanes)(wpa_lanes_at(text) == '\n');
}

/** Where a line begins behind each break, of a file whose breaks are line feeds alone. */
static size_t list_lines(const wpa_yaml_doc *doc, size_t start, size_t *starts, uint32_t *hints)
{
    size_t n = 0;
    starts[n++] = start;
    for (size_t at = 0; at < doc->size_bytes; at += HINT_BYTES) {
        const char *text = doc->source + at;
        *hints++ = (uint32_t)n;
        n = add_lines(wpa_lanes_bits_of_four(feeds_at(text), feeds_at(text + WPA_LANES),
                                             feeds_at(text + 2 * WPA_LANES),
                                             feeds_at(text + 3 * WPA_LANES)),
                      at, starts, n);
    }
    n -= n > 1 && starts[n - 1] == doc->size_bytes;
    if (doc->size_bytes % HINT_BYTES == 0) {
        *hints = (uint32_t)n;
    }
    return n;
}

/** The same of one that may have carriage returns, alone or in front of line feeds. */
static size_t list_odd_lines(wpa_yaml_doc *doc, size_t at, size_t *starts)
{
    size_t n = 0;
    starts[n++] = at;
    while (at < doc->size_bytes) {
        size_t length = wpa_yaml_break_at(doc, at);
        at += length ? length : 1;
        if (length && n == 1) {
            doc->has_crlf = length == 2;
        }
        if (length && at < doc->size_bytes) {
            starts[n++] = at;
        }
    }
    return n;
}

/** In which line each stretch of the file begins, whose lines are known. */
static void list_hints(const wpa_yaml_doc *doc, uint32_t *hints)
{
    uint32_t line = 1;
    for (size_t at = 0; at <= doc->size_bytes; at += HINT_BYTES) {
        while (line < doc->n_lines && doc->line_starts[line] <= at) {
            line++;
        }
        *hints++ = line;
    }
}

/** Printable ASCII: what is one too much for it becomes negative. */
static inline wpa_lanes are_printable(wpa_lanes bytes)
{
    typedef int8_t signed_lanes __attribute__((vector_size(WPA_LANES)));
    return (wpa_lanes)((signed_lanes)(bytes + 1) > ' ');
}

wpa_yaml_survey wpa_yaml_take_over(char *copy, const char *text, size_t length)
{
    wpa_yaml_survey found = {.is_plain = true};
    size_t i = 0;
    while (i + WPA_LANES <= length) {
        wpa_lanes n_feeds = {0}, odd = {0}; /* each lane counts as far as it can */
        size_t n = (length - i) / WPA_LANES;
        size_t end = i + (n < UINT8_MAX ? n : UINT8_MAX) * WPA_LANES;
        for (; i < end; i += WPA_LANES) {
            wpa_lanes bytes = wpa_lanes_at(text + i), feeds = (wpa_lanes)(bytes == '\n');
            memcpy(copy + i, &bytes, sizeof bytes);
            n_feeds -= feeds;
            odd |= ~(are_printable(bytes) | feeds);
        }
        for (size_t k = 0; k < sizeof n_feeds; k++) {
            found.n_feeds += n_feeds[k];
        }
        found.is_plain = found.is_plain && !wpa_lanes_bits(odd);
    }
    for (; i < length; i++) {
        copy[i] = text[i];
        found.n_feeds += text[i] == '\n';
        found.is_plain = found.is_plain && ((text[i] >= ' ' && text[i] <= '~') || text[i] == '\n');
    }
    return found;
}

static size_t count_of(const char *text, size_t length, char c)
{
    size_t n = 0;
    const char *end = text + length;
    while ((text = memchr(text, c, (size_t)(end - text)))) {
        text++;
        n++;
    }
    return n;
}

void wpa_yaml_index_lines(wpa_yaml_doc *doc, wpa_yaml_survey found)
{
    size_t start = doc->has_bom ? 3 : 0;
    size_t n_returns = found.is_plain ? 0 : count_of(doc->source, doc->size_bytes, '\r');
    size_t n_starts = found.n_feeds + n_returns + 1 + USUAL_LINES; /* some are not kept */
    size_t *starts = wpa_arena_room(doc->arena, n_starts * sizeof *starts);
    uint32_t *hints =
        wpa_arena_room(doc->arena, (doc->size_bytes / HINT_BYTES + 1) * sizeof *hints);
    doc->line_starts = starts;
    doc->line_hints = hints;
    if (n_returns) {
        doc->n_lines = list_odd_lines(doc, start, starts);
        list_hints(doc, hints);
    } else {
        doc->n_lines = list_lines(doc, start, starts, hints);
    }
    doc->is_plain = found.is_plain;
    if (has_long_line(doc)) {
        index_chars(doc);
    }
}

void wpa_yaml_add_comment(wpa_yaml_builder *b, wpa_span span, bool is_own_line)
{
    wpa_yaml_doc *doc = b->doc;
    b->comments = wpa_arena_grow(doc->arena, b->comments, doc->n_comments, &b->comments_capacity,
                                 sizeof *b->comments);
    b->comments[doc->n_comments++] =
        (wpa_yaml_comment){span, wpa_yaml_line_of(doc, span.start), is_own_line};
    doc->comments = b->comments;
}

/** Returns where it ends. */
static size_t add_comment(wpa_yaml_builder *b, size_t at)
{
    const wpa_yaml_doc *doc = b->doc;
    size_t end = at, start = at;
    while (end < doc->size_bytes && !wpa_yaml_break_at(doc, end)) {
        end++;
    }
    while (start > doc->line_starts[0] && wpa_yaml_is_blank(doc->source[start - 1])) {
        start--;
    }
    bool is_own_line = start == doc->line_starts[wpa_yaml_line_of(doc, at) - 1];
    wpa_yaml_add_comment(b, (wpa_span){at, end}, is_own_line);
    return end;
}

static bool can_start_comment(const wpa_yaml_doc *doc, size_t at)
{
    size_t first = doc->line_starts[0];
    if (at <= first) {
        return true;
    }
    char before = doc->source[at - 1];
    return wpa_yaml_is_blank(before) || before == '\n' || before == '\r';
}

/* Where to go on behind a scalar: a literal or folded one may have a comment behind its header. */
static size_t skip_scalar(const wpa_yaml_doc *doc, wpa_span scalar, size_t *header_comment)
{
    char first = doc->source[scalar.start];
    if (first != '|' && first != '>') {
        return scalar.end;
    }
    for (size_t at = scalar.start; at < scalar.end && !wpa_yaml_break_at(doc, at); at++) {
        if (doc->source[at] == '#' && can_start_comment(doc, at)) {
            *header_comment = at;
            break;
        }
    }
    return scalar.end;
}

void wpa_yaml_index_comments(wpa_yaml_builder *b, size_t end)
{
    const wpa_yaml_doc *doc = b->doc;
    const wpa_span *scalars = b->scalars;
    size_t n = b->n_scalars, next = 0;
    for (size_t at = doc->line_starts[0]; at < end;) {
        while (next < n && scalars[next].end <= at) {
            next++;
        }
        if (next < n && scalars[next].start <= at) {
            size_t header_comment = SIZE_MAX;
            at = skip_scalar(doc, scalars[next++], &header_comment);
            if (header_comment != SIZE_MAX) {
                (void)add_comment(b, header_comment);
            }
            continue;
        }
        size_t stop = next < n && scalars[next].start < end ? scalars[next].start : end;
        const char *mark = memchr(doc->source + at, '#', stop - at);
        at = mark ? (size_t)(mark - doc->source) : stop;
        if (mark) {
            at = can_start_comment(doc, at) ? add_comment(b, at) : at + 1;
        }
    }
}

size_t wpa_yaml_line_of(const wpa_yaml_doc *doc, size_t offset)
{
    size_t at = offset < doc->size_bytes ? offset : doc->size_bytes;
    size_t line = doc->line_hints[at / HINT_BYTES];
    while (line < doc->n_lines && doc->line_starts[line] <= offset) {
        line++;
    }
    return line;
}

size_t wpa_yaml_line_end(const wpa_yaml_doc *doc, size_t offset)
{
    size_t line = wpa_yaml_line_of(doc, offset);
    return line < doc->n_lines ? doc->line_starts[line] : doc->size_bytes;
}

wpa_span wpa_yaml_line(const wpa_yaml_doc *doc, size_t line)
{
    if (line < 1 || line > doc->n_lines) {
        return (wpa_span){doc->size_bytes, doc->size_bytes};
    }
    wpa_span span = {doc->line_starts[line - 1], 0};
    span.end = line < doc->n_lines ? doc->line_starts[line] : doc->size_bytes;
    if (span.end > span.start && doc->source[span.end - 1] == '\n') {
        span.end--;
    }
    if (span.end > span.start && doc->source[span.end - 1] == '\r') {
        span.end--;
    }
    return span;
}

wpa_position wpa_yaml_position(const wpa_yaml_doc *doc, size_t offset)
{
    offset = offset < doc->size_bytes ? offset : doc->size_bytes;
    size_t line = wpa_yaml_line_of(doc, offset);
    size_t start = doc->line_starts[line - 1], column = 1;
    offset = offset > start ? offset : start; /* in front of the first is a byte order mark */
    if (doc->n_marks && offset - start > LONG_LINE_BYTES) {
        column += count_chars(doc, offset) - count_chars(doc, start);
        return (wpa_position){line, column};
    }
    if (doc->is_plain || wpa_text_is_ascii(doc->source + start, offset - start)) {
        return (wpa_position){line, column + offset - start};
    }
    for (size_t at = start; at < offset; column++) {
        wpa_utf8_next(doc->source, doc->size_bytes, &at);
    }
    return (wpa_position){line, column};
}

size_t wpa_yaml_offset(const wpa_yaml_doc *doc, wpa_position position)
{
    wpa_span line = wpa_yaml_line(doc, position.line);
    size_t at = line.start;
    for (size_t column = 1; column < position.column && at < line.end; column++) {
        wpa_utf8_next(doc->source, line.end, &at);
    }
    return at;
}

size_t wpa_yaml_indent(const wpa_yaml_doc *doc, size_t offset)
{
    size_t start = doc->line_starts[wpa_yaml_line_of(doc, offset) - 1];
    size_t at = start;
    while (at < doc->size_bytes && doc->source[at] == ' ') {
        at++;
    }
    return at - start;
}

/* The last dash in [start, end) of one line that is neither in nor behind a comment. */
static size_t last_dash(const wpa_yaml_doc *doc, size_t start, size_t end)
{
    size_t found = SIZE_MAX;
    for (size_t at = start; at < end && doc->source[at] != '#'; at++) {
        found = doc->source[at] == '-' ? at : found;
    }
    return found;
}

/* The dash may stand on a line above, with comments between it and its value. */
size_t wpa_yaml_dash(const wpa_yaml_node *node)
{
    const wpa_yaml_doc *doc = node->doc;
    const wpa_yaml_node *parent = node->parent;
    if (!parent || parent->kind != WPA_YAML_SEQUENCE || parent->style != WPA_YAML_BLOCK) {
        return wpa_yaml_full(node).start;
    }
    size_t floor = node->index > 0 ? parent->items[node->index - 1]->span.end : parent->span.start;
    for (size_t at = wpa_yaml_full(node).start; at > floor;) {
        size_t start = doc->line_starts[wpa_yaml_line_of(doc, at - 1) - 1];
        start = start > floor ? start : floor;
        size_t dash = last_dash(doc, start, at);
        if (dash != SIZE_MAX) {
            return dash;
        }
        at = start;
    }
    return wpa_yaml_full(node).start;
}

wpa_span wpa_yaml_entry_span(const wpa_yaml_node *node)
{
    const wpa_yaml_doc *doc = node->doc;
    const wpa_yaml_node *parent = node->parent;
    wpa_span span = {wpa_yaml_full(node->key ? node->key : node).start, node->span.end};
    if (parent && parent->style == WPA_YAML_FLOW) {
        return span;
    }
    if (parent && parent->kind == WPA_YAML_SEQUENCE) {
        span.start = wpa_yaml_dash(node);
    }
    size_t line_start = doc->line_starts[wpa_yaml_line_of(doc, span.start) - 1];
    size_t at = span.start;
    while (at > line_start && wpa_yaml_is_blank(doc->source[at - 1])) {
        at--;
    }
    span.start = at == line_start ? line_start : span.start;
    span.end = wpa_yaml_line_end(doc, span.end);
    return span;
}

size_t wpa_yaml_comment_from(const wpa_yaml_doc *doc, size_t line)
{
    size_t low = 0, high = doc->n_comments;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (doc->comments[middle].line < line) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

bool wpa_yaml_is_commented(const wpa_yaml_node *node)
{
    const wpa_yaml_doc *doc = node->doc;
    size_t line = wpa_yaml_line_of(doc, node->span.start);
    size_t i = wpa_yaml_comment_from(doc, line > 1 ? line - 1 : 1);
    return i < doc->n_comments && doc->comments[i].line <= line;
}
