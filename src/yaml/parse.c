#include <string.h>

#include "core/room.h"
#include "yaml/builder.h"

typedef wpa_yaml_builder builder;

bool wpa_yaml_is_allowed(uint32_t c)
{
    return c == '\t' || c == '\n' || c == '\r' || (c >= 0x20 && c <= 0x7e) || c == 0x85 ||
           (c >= 0xa0 && c <= 0xd7ff) || (c >= 0xe000 && c <= 0xfffd) ||
           (c >= 0x10000 && c <= 0x10ffff);
}

/** What nearly all bytes are: printable ASCII and line feeds. */
static bool is_plain(char c)
{
    return (c >= 0x20 && c <= 0x7e) || c == '\n';
}

/** Past bytes that are plain, many at a time; what it stops at may be plain too. */
static size_t skip_plain(const char *text, size_t at, size_t end)
{
    for (; at + WPA_LANES <= end; at += WPA_LANES) {
        wpa_lanes bytes = wpa_lanes_at(text + at);
        wpa_lanes odd = (wpa_lanes)((bytes < 0x20) & (bytes != '\n')) | (wpa_lanes)(bytes > 0x7e);
        if (wpa_lanes_bits(odd)) {
            break;
        }
    }
    return at;
}

/** By its byte-order mark. */
static bool is_utf16(const wpa_yaml_doc *doc)
{
    return doc->size_bytes >= 2 &&
           (memcmp(doc->source, "\xff\xfe", 2) == 0 || memcmp(doc->source, "\xfe\xff", 2) == 0);
}

/*
 * One bad byte makes libyaml refuse the whole file. It is given a copy with question marks, byte
 * for byte, so that the rest can be read and offsets stay true.
 */
static const char *clean(builder *b, wpa_yaml_survey found)
{
    const wpa_yaml_doc *doc = b->doc;
    if (found.is_plain) {
        return doc->source;
    }
    char *copy = NULL;
    for (size_t at = skip_plain(doc->source, b->bom, doc->size_bytes); at < doc->size_bytes;) {
        size_t start = at;
        if (is_plain(doc->source[at])) {
            at = skip_plain(doc->source, at + 1, doc->size_bytes);
            continue;
        }
        uint32_t c = wpa_utf8_next(doc->source, doc->size_bytes, &at);
        b->has_inner_bom |= c == 0xfeff;
        b->doc->has_odd_breaks |= c == 0x85 || c == 0x2028 || c == 0x2029;
        /* U+FFFD is what a bad byte decodes to, and takes three bytes if it was really written. */
        bool is_good = c == 0xfffd
                           ? at - start == 3 && !memcmp(doc->source + start, "\xef\xbf\xbd", 3)
                           : wpa_yaml_is_allowed(c);
        if (is_good) {
            continue;
        }
        if (!copy) {
            copy = wpa_arena_dup(b->scratch, doc->source, doc->size_bytes + 1);
            wpa_yaml_report(b, WPA_YAML_FAULT_ENCODING, (wpa_span){start, at}, (wpa_span){0, 0},
                            "%s is not allowed in a file that is YAML%s",
                            c == 0xfffd ? "a byte that is not UTF-8" : "a control character",
                            start == 0 && is_utf16(doc) ? ": save it as UTF-8, not UTF-16" : "");
        }
        memset(copy + start, '?', at - start);
    }
    return copy ? copy : doc->source;
}

/* ---- reading ---- */

/* libyaml, which few files come to, counts characters, and all else bytes. */
static void index_chars(builder *b, const char *text)
{
    const wpa_yaml_doc *doc = b->doc;
    b->n_chars = 0;
    b->offsets = NULL;
    if (wpa_text_is_ascii(text + b->bom, doc->size_bytes - b->bom)) {
        return;
    }
    b->offsets = wpa_arena_array(b->scratch, doc->size_bytes - b->bom + 1, sizeof *b->offsets);
    size_t at = b->bom;
    while (at < doc->size_bytes) {
        b->offsets[b->n_chars++] = (uint32_t)at;
        wpa_utf8_next(text, doc->size_bytes, &at);
    }
    b->offsets[b->n_chars] = (uint32_t)doc->size_bytes;
}

/* Forget the tree, keep what was said of broken places and of bytes. */
static void restart(builder *b, size_t n_kept)
{
    wpa_yaml_doc *doc = b->doc;
    size_t n = n_kept;
    for (size_t i = n_kept; i < doc->n_diagnostics; i++) {
        wpa_yaml_fault fault = b->diagnostics[i].fault;
        if (fault == WPA_YAML_FAULT_SYNTAX || fault == WPA_YAML_FAULT_TAB) {
            b->diagnostics[n++] = b->diagnostics[i];
        }
    }
    doc->n_diagnostics = n;
    doc->root = NULL;
    doc->n_nodes = doc->n_anchored = 0;
    doc->anchored = NULL;
    b->anchored_capacity = 0;
    b->anchors = wpa_map_new(b->scratch);
    b->n_aliases = b->n_scalars = b->depth = 0;
    b->is_stopped = false;
}

/** Most files need no more than this. */
static bool parse_quickly(builder *b, const char *text)
{
    wpa_yaml_doc *doc = b->doc;
    /* Where nothing was said yet, all can be forgotten that is said until the reader gives up. */
    bool is_fit = text == doc->source && !doc->has_bom && !b->has_inner_bom &&
                  !doc->has_odd_breaks && !b->diagnostics;
    if (!is_fit) {
        return false;
    }
    wpa_arena_mark mark = wpa_arena_here(doc->arena);
    b->text = text;
    b->tells_comments = true;
    if (wpa_yaml_read_quickly(b, text)) {
        b->end = doc->size_bytes;
        return true;
    }
    restart(b, 0);
    doc->is_partial = b->tells_comments = false;
    b->end = doc->n_comments = b->comments_capacity = b->diagnostics_capacity = 0;
    b->spare = b->spare_end = NULL;
    b->comments = NULL;
    b->diagnostics = NULL;
    doc->comments = NULL;
    doc->diagnostics = NULL;
    wpa_arena_rewind(doc->arena, mark);
    return false;
}

/*
 * Parse; around a mistake the broken entry is left out and all is parsed again, so that offsets
 * stay true and the tree is whole but for that entry.
 */
static void run_parser(builder *b, const char *text)
{
    size_t n_kept = b->doc->n_diagnostics, broken_at = 0;
    char *rest = NULL;
    b->text = text;
    index_chars(b, text);
    while (!wpa_yaml_read_by_library(b, b->text, &broken_at) &&
           b->n_broken < WPA_YAML_RECOVERY_MAX) {
        rest = rest ? rest : wpa_arena_dup(b->scratch, text, b->doc->size_bytes + 1);
        b->text = rest;
        wpa_yaml_broken broken = wpa_yaml_find_broken(b->doc, rest, broken_at);
        if (wpa_span_length(broken.span) == 0) {
            return;
        }
        memset(rest + broken.span.start, '\n', wpa_span_length(broken.span));
        b->broken[b->n_broken++] = broken;
        restart(b, n_kept);
        index_chars(b, rest);
    }
    for (size_t i = 0; i < b->n_broken; i++) {
        wpa_yaml_mark_broken(b->doc, &b->broken[i]);
    }
}

static void limit_expansion(builder *b)
{
    size_t left = 10 * b->doc->n_nodes + WPA_YAML_MAX_EXPANSION;
    for (size_t i = 0; i < b->n_aliases; i++) {
        wpa_yaml_alias_use *use = &b->aliases[i];
        if (use->weight <= left) {
            left -= use->weight;
            continue;
        }
        if (left > 0) {
            wpa_yaml_report(b, WPA_YAML_FAULT_LIMIT, use->node->span,
                            wpa_yaml_full(use->node->target),
                            "aliases stand for too many nodes; from here on they are not followed");
        }
        left = 0;
        use->node->target = NULL;
        b->doc->is_partial = true;
    }
}

/* Aliases that lead somewhere, for who wants to know the uses of an anchor. */
static void list_aliases(builder *b)
{
    wpa_yaml_doc *doc = b->doc;
    doc->aliases = wpa_arena_array(doc->arena, b->n_aliases + 1, sizeof(const wpa_yaml_node *));
    for (size_t i = 0; i < b->n_aliases; i++) {
        if (b->aliases[i].node->target) {
            doc->aliases[doc->n_aliases++] = b->aliases[i].node;
        }
    }
}

static void check_bytes(builder *b, wpa_yaml_survey found)
{
    wpa_yaml_doc *doc = b->doc;
    if (found.is_plain) {
        return;
    }
    if (doc->has_bom) {
        wpa_yaml_report(b, WPA_YAML_FAULT_BOM, (wpa_span){0, b->bom}, (wpa_span){0, 0},
                        "the file begins with a byte-order mark");
    }
    const char *end = doc->source + doc->size_bytes, *next = doc->source;
    while ((next = memchr(next, '\r', (size_t)(end - next)))) {
        size_t at = (size_t)(next++ - doc->source);
        if (*next != '\n') {
            wpa_yaml_report(b, WPA_YAML_FAULT_CR_LINE, (wpa_span){at, at + 1}, (wpa_span){0, 0},
                            "the line ends with a carriage return alone");
            return;
        }
    }
}

static void check_empty(builder *b)
{
    const wpa_yaml_doc *doc = b->doc;
    if ((!doc->root || (wpa_yaml_is_null(doc->root) && !doc->root->is_incomplete)) &&
        !doc->is_partial) {
        wpa_yaml_report(b, WPA_YAML_FAULT_EMPTY, (wpa_span){0, 0}, (wpa_span){0, 0},
                        "the document is empty");
    }
}

/** The document's own copy, with WPA_YAML_BEHIND_BYTES of nothing behind it. */
static wpa_yaml_survey take_source(wpa_yaml_doc *doc, const void *data, size_t size_bytes)
{
    char *copy = wpa_arena_room(doc->arena, size_bytes + WPA_YAML_BEHIND_BYTES);
    wpa_yaml_survey found = wpa_yaml_take_over(copy, data, size_bytes);
    memset(copy + size_bytes, 0, WPA_YAML_BEHIND_BYTES);
    doc->source = copy;
    doc->size_bytes = size_bytes;
    return found;
}

const wpa_yaml_doc *wpa_yaml_parse(const char *path, const void *data, size_t size_bytes,
                                   wpa_arena *arena, wpa_error *err)
{
    if (size_bytes > WPA_YAML_MAX_BYTES) {
        WPA_FAIL(err, WPA_E_LIMIT, "%s: %zu bytes; the limit is %zu", path, size_bytes,
                 WPA_YAML_MAX_BYTES);
        return NULL;
    }
    WPA_AUTO(wpa_arena) *scratch = wpa_arena_new();
    wpa_yaml_doc *doc = wpa_arena_alloc(arena, sizeof *doc);
    doc->arena = arena;
    doc->path = wpa_arena_text(arena, path);
    wpa_yaml_survey found = take_source(doc, data, size_bytes);
    doc->has_bom = size_bytes >= 3 && memcmp(doc->source, "\xef\xbb\xbf", 3) == 0;
    builder *b = wpa_yaml_builder_new(doc, scratch);
    wpa_yaml_index_lines(doc, found);
    wpa_yaml_index_grams(doc);
    check_bytes(b, found);
    const char *text = clean(b, found);
    if (!parse_quickly(b, text)) {
        run_parser(b, text);
    }
    limit_expansion(b);
    list_aliases(b);
    check_empty(b);
    if (!b->tells_comments) {
        wpa_yaml_index_comments(b, doc->is_partial && !b->n_broken ? b->end : doc->size_bytes);
    }
    return doc;
}
