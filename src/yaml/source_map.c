/* From a decoded scalar back to the bytes it was written with. */
#include <string.h>

#include <wpa/yaml.h>

#include "yaml/internal.h"
#include "yaml/origins.h"

/* A line of a literal scalar: its bytes stand together in the file. */
typedef struct literal_line {
    uint32_t start;  /* in the decoded text */
    uint32_t source; /* of its first byte in the file */
} literal_line;

struct wpa_yaml_map {
    const wpa_yaml_node *scalar;
    literal_line *lines; /* [n_lines] or NULL */
    size_t n_lines;
    wpa_yaml_origin *origins; /* or NULL */
    size_t base;              /* no lines, no origins: decoded byte i is source byte base + i */
    bool is_exact;
};

/* ---- lines of a literal scalar ---- */

static size_t count_lines(const wpa_yaml_node *scalar)
{
    const char *at = scalar->text, *end = at + scalar->length;
    size_t n = 1;
    while ((at = memchr(at, '\n', (size_t)(end - at)))) {
        at++;
        n++;
    }
    return n;
}

/** Where text[length] stands at the end of the file's line; false if it does not. */
static bool find_line(const wpa_yaml_doc *doc, size_t line, const char *text, size_t length,
                      size_t *source)
{
    wpa_span span = wpa_yaml_line(doc, line);
    if (line > doc->n_lines || wpa_span_length(span) < length) {
        return false;
    }
    *source = span.end - length;
    return memcmp(doc->source + *source, text, length) == 0 &&
           span.start + strspn(doc->source + span.start, " ") >= *source;
}

/**
 * The lines of a literal scalar are those of the file below its header, without indentation. False
 * where that does not hold to the last byte: then the decoding is followed.
 */
static bool map_lines(wpa_yaml_map *map, wpa_arena *arena)
{
    const wpa_yaml_node *scalar = map->scalar;
    const wpa_yaml_doc *doc = scalar->doc;
    if (scalar->style != WPA_YAML_LITERAL || !scalar->length || doc->has_odd_breaks) {
        return false;
    }
    map->lines = wpa_arena_array(arena, count_lines(scalar), sizeof *map->lines);
    size_t header = wpa_yaml_line_of(doc, scalar->span.start);
    for (size_t at = 0; at < scalar->length;) {
        const char *start = scalar->text + at;
        const char *end = memchr(start, '\n', scalar->length - at);
        size_t length = end ? (size_t)(end - start) : scalar->length - at, source = 0;
        if (!find_line(doc, header + 1 + map->n_lines, start, length, &source) ||
            (end && !wpa_yaml_break_at(doc, source + length))) {
            map->lines = NULL;
            return false;
        }
        map->lines[map->n_lines++] = (literal_line){(uint32_t)at, (uint32_t)source};
        at += length + (end != NULL);
    }
    return true;
}

static wpa_yaml_origin origin_in_lines(const wpa_yaml_map *map, size_t offset)
{
    size_t low = 0, high = map->n_lines;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        low = map->lines[middle].start <= offset ? middle : low;
        high = map->lines[middle].start <= offset ? high : middle;
    }
    size_t at = map->lines[low].source + (offset - map->lines[low].start);
    size_t n_break =
        map->scalar->text[offset] == '\n' ? wpa_yaml_break_at(map->scalar->doc, at) : 0;
    return (wpa_yaml_origin){(uint32_t)at, (uint32_t)(at + (n_break ? n_break : 1))};
}

/* ---- the map ---- */

/* Written as it reads: one line, no escapes. */
static bool find_verbatim(const wpa_yaml_node *scalar, size_t *base)
{
    size_t quotes =
        scalar->style == WPA_YAML_PLAIN ? 0
        : scalar->style == WPA_YAML_SINGLE_QUOTED || scalar->style == WPA_YAML_DOUBLE_QUOTED
            ? 1
            : SIZE_MAX;
    *base = scalar->span.start + (quotes == SIZE_MAX ? 0 : quotes);
    return quotes != SIZE_MAX && wpa_span_length(scalar->span) == scalar->length + 2 * quotes &&
           memcmp(scalar->doc->source + *base, scalar->text, scalar->length) == 0;
}

/** Begin a map; true if that is all of it, as it is for most. */
static bool begin_map(wpa_yaml_map *map, const wpa_yaml_node *scalar)
{
    *map = (wpa_yaml_map){.scalar = wpa_yaml_resolve(scalar)};
    if (!map->scalar || map->scalar->kind != WPA_YAML_SCALAR || map->scalar->is_incomplete) {
        return true;
    }
    map->is_exact = find_verbatim(map->scalar, &map->base);
    return map->is_exact;
}

const wpa_yaml_map *wpa_yaml_map_new(const wpa_yaml_node *scalar, wpa_arena *arena)
{
    scalar = wpa_yaml_resolve(scalar);
    wpa_yaml_map *map = wpa_arena_alloc(arena, sizeof *map);
    if (begin_map(map, scalar)) {
        return map;
    }
    map->is_exact = map_lines(map, arena);
    if (map->is_exact) {
        return map;
    }
    map->origins = wpa_arena_array(arena, scalar->length + 1, sizeof *map->origins);
    map->is_exact = wpa_yaml_origins_find(scalar, map->origins);
    size_t last = scalar->length > 0 && map->is_exact ? map->origins[scalar->length - 1].end
                                                      : scalar->span.end;
    map->origins[scalar->length] = (wpa_yaml_origin){(uint32_t)last, (uint32_t)last};
    return map;
}

const wpa_yaml_map *wpa_yaml_places_map(wpa_yaml_places *places)
{
    if (!places->map) {
        places->map = wpa_yaml_map_new(places->scalar, places->arena);
    }
    return places->map;
}

bool wpa_yaml_map_is_exact(const wpa_yaml_map *map)
{
    return map->is_exact;
}

wpa_span wpa_yaml_map_span(const wpa_yaml_map *map, size_t from, size_t to)
{
    if (!map->scalar) {
        return (wpa_span){0, 0};
    }
    if (!map->is_exact) {
        return map->scalar->span;
    }
    size_t length = map->scalar->length;
    from = from < length ? from : length;
    to = to < from ? from : to < length ? to : length;
    if (map->lines) {
        size_t end = to > from ? origin_in_lines(map, to - 1).end : 0;
        size_t begin =
            from < length ? origin_in_lines(map, from).start : origin_in_lines(map, length - 1).end;
        return (wpa_span){begin, to > from ? end : begin};
    }
    if (!map->origins) {
        return (wpa_span){map->base + from, map->base + to};
    }
    size_t start = map->origins[from].start;
    return (wpa_span){start, to > from ? map->origins[to - 1].end : start};
}

/* ---- one place of a literal scalar ---- */

/**
 * Where the character at an offset of a literal scalar stands in the file: its lines are those of
 * the file without their indentation. False where that does not hold, or at a line break.
 */
static bool find_in_literal(const wpa_yaml_node *scalar, size_t offset, size_t *found)
{
    const wpa_yaml_doc *doc = scalar->doc;
    const char *text = scalar->text, *start = text, *at = text + offset, *next;
    size_t line = wpa_yaml_line_of(doc, scalar->span.start) + 1;
    while ((next = memchr(start, '\n', (size_t)(at - start)))) {
        start = next + 1;
        line++;
    }
    const char *end = memchr(start, '\n', scalar->length - (size_t)(start - text));
    size_t length = end ? (size_t)(end - start) : scalar->length - (size_t)(start - text);
    wpa_span source = line <= doc->n_lines ? wpa_yaml_line(doc, line) : (wpa_span){0, 0};
    if (offset >= (size_t)(start - text) + length || wpa_span_length(source) < length) {
        return false;
    }
    size_t indent = wpa_span_length(source) - length;
    *found = source.start + indent + (size_t)(at - start);
    return memcmp(doc->source + source.start + indent, start, length) == 0 &&
           strspn(doc->source + source.start, " ") >= indent;
}

static bool find_literal_span(const wpa_yaml_node *scalar, size_t from, size_t to, wpa_span *span)
{
    if (!scalar || scalar->kind != WPA_YAML_SCALAR || scalar->style != WPA_YAML_LITERAL ||
        scalar->is_incomplete || from >= to || to > scalar->length || scalar->doc->has_odd_breaks) {
        return false;
    }
    if (!find_in_literal(scalar, from, &span->start)) {
        return false;
    }
    if (!memchr(scalar->text + from, '\n', to - from)) { /* in one line, as most are */
        span->end = span->start + (to - from);
        return true;
    }
    size_t last;
    bool ok = find_in_literal(scalar, to - 1, &last);
    span->end = ok ? last + 1 : 0;
    return ok;
}

wpa_span wpa_yaml_source_span(const wpa_yaml_node *scalar, size_t from, size_t to)
{
    wpa_span span;
    wpa_yaml_map map;
    if (find_literal_span(wpa_yaml_resolve(scalar), from, to, &span)) {
        return span;
    }
    if (begin_map(&map, scalar)) {
        return wpa_yaml_map_span(&map, from, to);
    }
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    return wpa_yaml_map_span(wpa_yaml_map_new(scalar, arena), from, to);
}
