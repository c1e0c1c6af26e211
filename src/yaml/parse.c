#include <string.h>

#include <yaml.h>

#include <wpa/map.h>
#include <wpa/yaml.h>

#include "internal.h"

/** How many mistakes of a file are read around. */
#define RECOVERY_MAX 16

/* A collection that is still open. */
typedef struct frame {
    wpa_yaml_node *node;
    wpa_yaml_node *key; /* of the pair whose value is awaited */
    size_t weight;      /* nodes in it with aliases expanded */
} frame;

/* Where the children of the collection of some depth gather until it is closed. */
typedef struct lot {
    void *children;
    size_t capacity;
} lot;

typedef struct anchor {
    wpa_yaml_node *node;
    size_t weight; /* 0 while it is open */
} anchor;

typedef struct alias_use {
    wpa_yaml_node *node;
    anchor *anchor;
    size_t weight;
} alias_use;

typedef struct builder {
    wpa_yaml_doc *doc;
    wpa_arena *scratch;
    yaml_parser_t parser;
    size_t bom;
    const char *text;  /* what is parsed: the file, bad bytes and broken entries blotted out */
    uint32_t *offsets; /* of each character, NULL if all are ASCII */
    size_t n_chars;
    frame frames[WPA_YAML_MAX_DEPTH];
    lot pairs[WPA_YAML_MAX_DEPTH], items[WPA_YAML_MAX_DEPTH];
    size_t depth;
    bool is_stopped;
    wpa_map *anchors;
    alias_use *aliases;
    size_t n_aliases, aliases_capacity;
    wpa_span *scalars;
    size_t n_scalars, scalars_capacity;
    wpa_yaml_diagnostic *diagnostics;
    size_t diagnostics_capacity, anchored_capacity;
    size_t end;                           /* how far the parser came */
    wpa_yaml_broken broken[RECOVERY_MAX]; /* what was left out, in order of detection */
    size_t n_broken;
} builder;

static void report(builder *b, wpa_yaml_fault fault, wpa_span span, wpa_span related,
                   const char *format, ...) WPA_PRINTF(5, 6);

static void report(builder *b, wpa_yaml_fault fault, wpa_span span, wpa_span related,
                   const char *format, ...)
{
    wpa_yaml_doc *doc = b->doc;
    if (doc->n_diagnostics >= WPA_YAML_MAX_DIAGNOSTICS) {
        return;
    }
    va_list values;
    va_start(values, format);
    char *message = wpa_arena_vprintf(b->scratch, format, values);
    va_end(values);
    b->diagnostics = wpa_arena_grow(doc->arena, b->diagnostics, doc->n_diagnostics,
                                    &b->diagnostics_capacity, sizeof *b->diagnostics);
    b->diagnostics[doc->n_diagnostics++] = (wpa_yaml_diagnostic){
        fault, span, related, wpa_text_visible(doc->arena, message, strlen(message), false)};
    doc->diagnostics = b->diagnostics;
}

static const char *cut(builder *b, const char *text)
{
    return wpa_text_ellipsis(b->scratch, text, 80);
}

/* ---- from the parser's characters to bytes ---- */

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

static size_t byte_of(const builder *b, const yaml_mark_t *mark)
{
    size_t size_bytes = b->doc->size_bytes;
    if (b->offsets) {
        return b->offsets[mark->index < b->n_chars ? mark->index : b->n_chars];
    }
    return mark->index < size_bytes - b->bom ? mark->index + b->bom : size_bytes;
}

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
    typedef uint8_t lanes __attribute__((vector_size(16)));
    for (lanes bytes; at + sizeof bytes <= end; at += sizeof bytes) {
        memcpy(&bytes, text + at, sizeof bytes);
        lanes odd = (lanes)((bytes < 0x20) & (bytes != '\n')) | (lanes)(bytes > 0x7e);
        uint64_t halves[2];
        memcpy(halves, &odd, sizeof odd);
        if (halves[0] | halves[1]) {
            break;
        }
    }
    return at;
}

/*
 * One bad byte makes libyaml refuse the whole file. It is given a copy with question marks, byte
 * for byte, so that the rest can be read and offsets stay true.
 */
static const char *clean(builder *b)
{
    const wpa_yaml_doc *doc = b->doc;
    char *copy = NULL;
    for (size_t at = skip_plain(doc->source, b->bom, doc->size_bytes); at < doc->size_bytes;) {
        size_t start = at;
        if (is_plain(doc->source[at])) {
            at = skip_plain(doc->source, at + 1, doc->size_bytes);
            continue;
        }
        uint32_t c = wpa_utf8_next(doc->source, doc->size_bytes, &at);
        /* U+FFFD is what a bad byte decodes to, and takes three bytes if it was really written. */
        bool is_good = c == 0xfffd
                           ? at - start == 3 && !memcmp(doc->source + start, "\xef\xbf\xbd", 3)
                           : wpa_yaml_is_allowed(c);
        if (is_good) {
            continue;
        }
        if (!copy) {
            copy = wpa_arena_dup(b->scratch, doc->source, doc->size_bytes + 1);
            report(b, WPA_YAML_FAULT_ENCODING, (wpa_span){start, at}, (wpa_span){0, 0},
                   "%s is not allowed in a file that is YAML",
                   c == 0xfffd ? "a byte that is not UTF-8" : "a control character");
        }
        memset(copy + start, '?', at - start);
    }
    return copy ? copy : doc->source;
}

/* ---- spans ---- */

static bool is_space(char c)
{
    return wpa_yaml_is_blank(c) || c == '\n' || c == '\r';
}

/* Behind anchor and tag, blanks, comments and line breaks: where the node itself begins. */
static size_t skip_properties(const wpa_yaml_doc *doc, const char *source, size_t at, size_t end)
{
    while (at < end && (source[at] == '&' || source[at] == '!')) {
        size_t property_end = at;
        while (property_end < end && !is_space(source[property_end])) {
            property_end++;
        }
        at = property_end;
        while (at < end && (is_space(source[at]) || source[at] == '#')) {
            if (source[at] == '#') {
                while (at < end && !wpa_yaml_break_at(doc, at)) {
                    at++;
                }
            } else {
                at++;
            }
        }
        if (at >= end) {
            return end;
        }
    }
    return at;
}

/* The end of a block scalar without its trailing blank lines and last break. */
static size_t trim_block(const wpa_yaml_doc *doc, const char *text, wpa_span span)
{
    size_t header_end = span.start;
    while (header_end < span.end && !is_space(text[header_end])) {
        header_end++;
    }
    size_t end = span.end;
    while (end > header_end && is_space(text[end - 1])) {
        end--;
    }
    size_t first_line_end = header_end;
    while (first_line_end < span.end && !wpa_yaml_break_at(doc, first_line_end)) {
        first_line_end++;
    }
    if (end <= first_line_end) {
        return header_end; /* no text, at most a comment behind the header */
    }
    while (end < span.end && !wpa_yaml_break_at(doc, end)) {
        end++; /* blanks at the end of the last line are content */
    }
    return end;
}

/* ---- nodes ---- */

static void stop(builder *b)
{
    b->is_stopped = true;
    b->doc->is_partial = true;
}

static wpa_yaml_node *node_new(builder *b, wpa_yaml_kind kind, wpa_yaml_style style, wpa_span full)
{
    wpa_yaml_node *node = wpa_arena_alloc(b->doc->arena, sizeof *node);
    node->kind = kind;
    node->style = style;
    node->doc = b->doc;
    node->span = full;
    node->text = "";
    b->doc->n_nodes++;
    return node;
}

/** Room for one more child of the innermost collection, which has n. */
static void *make_room(builder *b, lot *lots, size_t n, size_t item_bytes)
{
    lot *own = &lots[b->depth - 1];
    own->children = wpa_arena_grow(b->scratch, own->children, n, &own->capacity, item_bytes);
    return own->children;
}

static bool is_merge(const wpa_yaml_node *key)
{
    return key->length == 2 && memcmp(key->text, "<<", 2) == 0;
}

/* A merge may bring any key, and so may what stands for a key. */
static uint32_t bits_of(const wpa_yaml_node *key)
{
    if (key->kind == WPA_YAML_ALIAS || is_merge(key)) {
        return UINT32_MAX;
    }
    return key->kind == WPA_YAML_SCALAR ? wpa_yaml_key_bit(key->text, key->length) : 0;
}

static void attach(builder *b, wpa_yaml_node *node)
{
    if (b->depth == 0) {
        if (!b->doc->root) {
            b->doc->root = node;
        }
        return;
    }
    frame *top = &b->frames[b->depth - 1];
    wpa_yaml_node *parent = top->node;
    node->parent = parent;
    top->weight++;
    if (parent->kind == WPA_YAML_SEQUENCE) {
        parent->items = make_room(b, b->items, parent->n_items, sizeof *parent->items);
        node->index = parent->n_items;
        parent->items[parent->n_items++] = node;
    } else if (!top->key) {
        node->index = parent->n_pairs;
        top->key = node;
    } else {
        parent->pairs = make_room(b, b->pairs, parent->n_pairs, sizeof *parent->pairs);
        node->key = top->key;
        node->index = parent->n_pairs;
        parent->pairs[parent->n_pairs++] = (wpa_yaml_pair){top->key, node};
        parent->keys |= bits_of(top->key);
        top->key = NULL;
    }
}

static void set_properties(builder *b, wpa_yaml_node *node, const wpa_yaml_event *event)
{
    wpa_yaml_doc *doc = b->doc;
    const char *name = event->anchor, *tag = event->tag;
    size_t start = event->span.start;
    if (!name && !tag) {
        return;
    }
    wpa_yaml_properties *own = wpa_arena_alloc(doc->arena, sizeof *own);
    *own = (wpa_yaml_properties){.anchor = wpa_arena_text(doc->arena, name),
                                 .tag = wpa_arena_text(doc->arena, tag),
                                 .start = start};
    node->properties = own;
    if (name) {
        const anchor *old = wpa_map_get(b->anchors, own->anchor);
        if (old) {
            report(
                b, WPA_YAML_FAULT_REDEFINED_ANCHOR, wpa_yaml_full(node), wpa_yaml_full(old->node),
                "anchor '%s' is defined twice; aliases below mean this one", cut(b, own->anchor));
        }
        anchor *new = wpa_arena_alloc(b->scratch, sizeof *new);
        new->node = node;
        wpa_map_put(b->anchors, own->anchor, new);
        doc->anchored = wpa_arena_grow(doc->arena, doc->anchored, doc->n_anchored,
                                       &b->anchored_capacity, sizeof(const wpa_yaml_node *));
        doc->anchored[doc->n_anchored++] = node;
    }
    if (tag) {
        report(b, WPA_YAML_FAULT_TAG, (wpa_span){start, node->span.start}, (wpa_span){0, 0},
               "tag '%s' is not understood by GitHub", cut(b, own->tag));
    }
}

/* The anchor is complete: aliases to it are worth this many nodes. */
static void close_anchor(builder *b, const wpa_yaml_node *node, size_t weight)
{
    const char *name = node->kind == WPA_YAML_ALIAS ? NULL : wpa_yaml_anchor(node);
    anchor *own = name ? wpa_map_get(b->anchors, name) : NULL;
    if (own && own->node == node) {
        own->weight = weight;
    }
}

static void check_key(builder *b, const wpa_yaml_node *node)
{
    if (b->depth == 0 || b->frames[b->depth - 1].key != node) {
        return;
    }
    if (node->length > WPA_YAML_MAX_KEY_BYTES) {
        report(b, WPA_YAML_FAULT_LIMIT, node->span, (wpa_span){0, 0},
               "key of %u bytes; the limit is %d", node->length, WPA_YAML_MAX_KEY_BYTES);
    }
    if (node->style == WPA_YAML_PLAIN && !wpa_yaml_tag(node) && wpa_text_is(node->text, "<<")) {
        report(b, WPA_YAML_FAULT_MERGE_KEY, node->span, (wpa_span){0, 0},
               "merge key '<<' is refused by GitHub");
    }
}

static void on_scalar(builder *b, const wpa_yaml_event *event)
{
    const wpa_yaml_doc *doc = b->doc;
    wpa_span full = event->span;
    wpa_yaml_node *node = node_new(b, WPA_YAML_SCALAR, event->style, full);
    /* Without a property the first character is content: a plain scalar cannot start with & or !.
     */
    if (event->anchor || event->tag) {
        node->span.start = skip_properties(doc, b->text, full.start, full.end);
    }
    if (node->style == WPA_YAML_LITERAL || node->style == WPA_YAML_FOLDED) {
        node->span.end = trim_block(doc, b->text, node->span);
    }
    if (event->length > WPA_YAML_MAX_SCALAR_BYTES) {
        report(b, WPA_YAML_FAULT_LIMIT, node->span, (wpa_span){0, 0},
               "scalar of %zu bytes is not read; the limit is %zu", event->length,
               WPA_YAML_MAX_SCALAR_BYTES);
        node->is_incomplete = true;
        b->doc->is_partial = true;
    } else {
        node->length = (uint32_t)event->length;
        node->text = wpa_arena_slice(doc->arena, event->text, node->length);
        node->holds_nul = memchr(node->text, '\0', node->length) != NULL;
        if (node->style == WPA_YAML_DOUBLE_QUOTED &&
            memchr(doc->source + full.start, '\\', wpa_span_length(full))) {
            wpa_yaml_add_text(doc, node->text, node->length);
        }
    }
    set_properties(b, node, event);
    attach(b, node);
    check_key(b, node);
    close_anchor(b, node, 1);
    b->scalars = wpa_arena_grow(b->scratch, b->scalars, b->n_scalars, &b->scalars_capacity,
                                sizeof *b->scalars);
    b->scalars[b->n_scalars++] = (wpa_span){node->span.start, full.end};
}

static void on_alias(builder *b, const wpa_yaml_event *event)
{
    wpa_span full = event->span;
    wpa_yaml_node *node = node_new(b, WPA_YAML_ALIAS, WPA_YAML_PLAIN, full);
    const char *name = wpa_arena_text(b->doc->arena, event->anchor);
    node->properties = wpa_arena_alloc(b->doc->arena, sizeof *node->properties);
    *node->properties = (wpa_yaml_properties){.anchor = name, .start = full.start};
    attach(b, node);
    anchor *used = wpa_map_get(b->anchors, name);
    if (!used) {
        report(b, WPA_YAML_FAULT_UNDEFINED_ALIAS, full, (wpa_span){0, 0},
               "alias '*%s' has no anchor above it", cut(b, name));
        return;
    }
    used->node->properties->n_uses++;
    if (used->weight == 0) {
        report(b, WPA_YAML_FAULT_RECURSIVE_ALIAS, full, wpa_yaml_full(used->node),
               "alias '*%s' stands inside the node it refers to", cut(b, name));
        return;
    }
    node->target = used->node;
    b->aliases = wpa_arena_grow(b->scratch, b->aliases, b->n_aliases, &b->aliases_capacity,
                                sizeof *b->aliases);
    b->aliases[b->n_aliases++] = (alias_use){node, used, used->weight};
    if (b->depth > 0) {
        b->frames[b->depth - 1].weight += used->weight;
    }
}

static void on_start(builder *b, wpa_yaml_kind kind, const wpa_yaml_event *event)
{
    wpa_span full = event->span;
    if (b->depth >= WPA_YAML_MAX_DEPTH) {
        report(b, WPA_YAML_FAULT_LIMIT, full, (wpa_span){0, 0},
               "nested more than %d deep; the rest is not read", WPA_YAML_MAX_DEPTH);
        stop(b);
        return;
    }
    wpa_yaml_node *node = node_new(b, kind, event->style, full);
    if (event->anchor || event->tag) {
        node->span.start = skip_properties(b->doc, b->text, full.start, b->doc->size_bytes);
    }
    set_properties(b, node, event);
    attach(b, node);
    b->frames[b->depth++] = (frame){.node = node, .weight = 1};
}

static void report_duplicate(builder *b, const wpa_yaml_node *key, const wpa_yaml_node *first)
{
    report(b, WPA_YAML_FAULT_DUPLICATE_KEY, key->span, first->span, "key '%s' is written twice",
           cut(b, key->text));
}

/** Of a mapping so small that looking through what came before is quicker than a map. */
static void check_few(builder *b, const wpa_yaml_node *mapping)
{
    for (size_t i = 1; i < mapping->n_pairs; i++) {
        const wpa_yaml_node *key = mapping->pairs[i].key;
        for (size_t k = 0; k < i && key->kind == WPA_YAML_SCALAR && !is_merge(key); k++) {
            const wpa_yaml_node *first = mapping->pairs[k].key;
            if (first->kind == WPA_YAML_SCALAR && wpa_text_is(first->text, key->text)) {
                report_duplicate(b, key, first);
                break;
            }
        }
    }
}

#define FEW_PAIRS 16

static void check_duplicates(builder *b, const wpa_yaml_node *mapping)
{
    if (mapping->n_pairs <= FEW_PAIRS) {
        check_few(b, mapping);
        return;
    }
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_map *seen = wpa_map_new(arena);
    for (size_t i = 0; i < mapping->n_pairs; i++) {
        wpa_yaml_node *key = mapping->pairs[i].key;
        if (key->kind != WPA_YAML_SCALAR || is_merge(key)) {
            continue;
        }
        const wpa_yaml_node *first = wpa_map_get(seen, key->text);
        if (first) {
            report_duplicate(b, key, first);
        } else {
            wpa_map_put(seen, key->text, key);
        }
    }
}

/* Few pairs are found as fast one by one. */
#define INDEX_MIN_PAIRS 32

/* Ten thousand questions to ten thousand keys must not take the product of both. */
static void index_keys(builder *b, wpa_yaml_node *mapping)
{
    if (mapping->n_pairs < INDEX_MIN_PAIRS) {
        return;
    }
    wpa_map *by_key = wpa_map_new(b->doc->arena);
    for (size_t i = 0; i < mapping->n_pairs; i++) {
        const char *text = wpa_yaml_text(mapping->pairs[i].key);
        if (text && !wpa_map_has(by_key, text)) {
            wpa_map_put(by_key, text, &mapping->pairs[i]);
        }
    }
    mapping->by_key = by_key;
}

/** Out of the builder's room, which the next collection of this depth wants. */
static void keep_children(const builder *b, wpa_yaml_node *node)
{
    if (node->n_items) {
        node->items =
            wpa_arena_dup(b->doc->arena, node->items, node->n_items * sizeof *node->items);
    } else if (node->n_pairs) {
        node->pairs =
            wpa_arena_dup(b->doc->arena, node->pairs, node->n_pairs * sizeof *node->pairs);
    }
}

static void on_end(builder *b, wpa_span end)
{
    frame *top = &b->frames[--b->depth];
    wpa_yaml_node *node = top->node;
    size_t last = node->span.start;
    if (node->style == WPA_YAML_FLOW && !b->is_stopped) {
        last = end.end;
    } else if (node->n_items > 0) {
        last = node->items[node->n_items - 1]->span.end;
    } else if (node->n_pairs > 0) {
        last = node->pairs[node->n_pairs - 1].value->span.end;
    }
    node->span.end = last < node->span.start ? node->span.start : last;
    keep_children(b, node);
    if (node->kind == WPA_YAML_MAPPING) {
        check_duplicates(b, node);
        index_keys(b, node);
    }
    close_anchor(b, node, top->weight);
    if (b->depth > 0) {
        b->frames[b->depth - 1].weight += top->weight;
    }
}

/* ---- the events ---- */

static void on_event(builder *b, const wpa_yaml_event *event)
{
    b->end = event->span.end > b->end ? event->span.end : b->end;
    switch (event->kind) {
    case WPA_YAML_EVENT_SCALAR:
        on_scalar(b, event);
        break;
    case WPA_YAML_EVENT_ALIAS:
        on_alias(b, event);
        break;
    case WPA_YAML_EVENT_MAPPING:
        on_start(b, WPA_YAML_MAPPING, event);
        break;
    case WPA_YAML_EVENT_SEQUENCE:
        on_start(b, WPA_YAML_SEQUENCE, event);
        break;
    case WPA_YAML_EVENT_END:
        on_end(b, event->span);
        break;
    case WPA_YAML_EVENT_DOCUMENT:
        if (b->doc->root) {
            report(b, WPA_YAML_FAULT_SECOND_DOCUMENT, event->span, (wpa_span){0, 0},
                   "a second document begins here; only the first is read");
            stop(b);
        }
        break;
    case WPA_YAML_EVENT_NONE:
        break;
    }
    if (b->doc->n_nodes > WPA_YAML_MAX_NODES && !b->is_stopped) {
        report(b, WPA_YAML_FAULT_LIMIT, event->span, (wpa_span){0, 0},
               "more than %d nodes; the rest is not read", WPA_YAML_MAX_NODES);
        stop(b);
    }
}

static void set_scalar(wpa_yaml_event *event, const yaml_event_t *from)
{
    static const wpa_yaml_style styles[] = {
        [YAML_ANY_SCALAR_STYLE] = WPA_YAML_PLAIN,
        [YAML_PLAIN_SCALAR_STYLE] = WPA_YAML_PLAIN,
        [YAML_SINGLE_QUOTED_SCALAR_STYLE] = WPA_YAML_SINGLE_QUOTED,
        [YAML_DOUBLE_QUOTED_SCALAR_STYLE] = WPA_YAML_DOUBLE_QUOTED,
        [YAML_LITERAL_SCALAR_STYLE] = WPA_YAML_LITERAL,
        [YAML_FOLDED_SCALAR_STYLE] = WPA_YAML_FOLDED,
    };
    event->kind = WPA_YAML_EVENT_SCALAR;
    event->style = styles[from->data.scalar.style];
    event->text = (const char *)from->data.scalar.value;
    event->length = from->data.scalar.length;
    event->anchor = (const char *)from->data.scalar.anchor;
    event->tag = (const char *)from->data.scalar.tag;
}

/* As libyaml has it; borrows from that. */
static wpa_yaml_event event_of(const builder *b, const yaml_event_t *from)
{
    wpa_yaml_event event = {.span = {byte_of(b, &from->start_mark), byte_of(b, &from->end_mark)}};
    bool is_flow;
    switch (from->type) {
    case YAML_SCALAR_EVENT:
        set_scalar(&event, from);
        break;
    case YAML_ALIAS_EVENT:
        event.kind = WPA_YAML_EVENT_ALIAS;
        event.anchor = (const char *)from->data.alias.anchor;
        break;
    case YAML_MAPPING_START_EVENT:
        is_flow = from->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE;
        event.kind = WPA_YAML_EVENT_MAPPING;
        event.style = is_flow ? WPA_YAML_FLOW : WPA_YAML_BLOCK;
        event.anchor = (const char *)from->data.mapping_start.anchor;
        event.tag = (const char *)from->data.mapping_start.tag;
        break;
    case YAML_SEQUENCE_START_EVENT:
        is_flow = from->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE;
        event.kind = WPA_YAML_EVENT_SEQUENCE;
        event.style = is_flow ? WPA_YAML_FLOW : WPA_YAML_BLOCK;
        event.anchor = (const char *)from->data.sequence_start.anchor;
        event.tag = (const char *)from->data.sequence_start.tag;
        break;
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        event.kind = WPA_YAML_EVENT_END;
        break;
    case YAML_DOCUMENT_START_EVENT:
        event.kind = WPA_YAML_EVENT_DOCUMENT;
        break;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        break;
    }
    return event;
}

static wpa_span char_span(const builder *b, size_t at)
{
    size_t size_bytes = b->doc->size_bytes;
    at = at > size_bytes ? size_bytes : at;
    return (wpa_span){at, at < size_bytes ? at + 1 : at};
}

/* Does the mistake lie where the parser began to read something, rather than where it gave up? */
static bool is_at_start(const yaml_parser_t *p)
{
    bool is_flow = p->context && strstr(p->context, "flow");
    return p->context && p->context_mark.index <= p->problem_mark.index &&
           (p->error == YAML_SCANNER_ERROR || is_flow);
}

/* Was this piece left out because of a mistake that is reported already? */
static bool is_known_mistake(const builder *b, size_t at)
{
    for (size_t i = 0; i < b->n_broken; i++) {
        size_t next = b->broken[i].span.end;
        while (next < b->doc->size_bytes && is_space(b->doc->source[next])) {
            next++;
        }
        if (at >= b->broken[i].span.start && at < wpa_yaml_line_end(b->doc, next)) {
            return true;
        }
    }
    return false;
}

/* Returns where the broken entry is to be looked for. */
static size_t report_parser(builder *b)
{
    const yaml_parser_t *p = &b->parser;
    const char *problem = p->problem ? p->problem : "cannot be read";
    size_t at =
        p->error == YAML_READER_ERROR ? p->problem_offset + b->bom : byte_of(b, &p->problem_mark);
    wpa_span span = char_span(b, at), begun = {0, 0};
    b->end = span.start > b->end ? span.start : b->end;
    bool is_tab = span.start < b->doc->size_bytes && b->doc->source[span.start] == '\t';
    bool is_begun = !is_tab && is_at_start(p);
    if (p->context && p->error != YAML_READER_ERROR) {
        begun = char_span(b, byte_of(b, &p->context_mark));
    }
    size_t broken_at = is_begun ? begun.start : span.start;
    if (is_known_mistake(b, broken_at)) {
        return broken_at;
    }
    bool is_far =
        is_begun && wpa_yaml_line_of(b->doc, begun.start) != wpa_yaml_line_of(b->doc, span.start);
    if (is_far) { /* what is never closed is told where it was opened */
        wpa_span given_up = span;
        span = begun;
        begun = given_up;
    }
    if (p->error == YAML_READER_ERROR) {
        report(b, WPA_YAML_FAULT_ENCODING, span, begun, "%s", problem);
    } else if (is_tab) {
        report(b, WPA_YAML_FAULT_TAB, span, begun, "a tab cannot indent; use blanks");
    } else {
        report(b, WPA_YAML_FAULT_SYNTAX, span, begun, "%s%s%s", problem, p->context ? " " : "",
               p->context ? p->context : "");
    }
    return broken_at;
}

/* Whatever is open when the parser stops stays as far as it came. */
static void close_frames(builder *b)
{
    while (b->depth > 0) {
        frame *top = &b->frames[b->depth - 1];
        top->node->is_incomplete = true;
        if (top->key) {
            wpa_span empty = {top->key->span.end, top->key->span.end};
            wpa_yaml_node *value = node_new(b, WPA_YAML_SCALAR, WPA_YAML_PLAIN, empty);
            value->is_incomplete = true;
            attach(b, value);
        }
        on_end(b, top->node->span);
    }
}

/* One pass over the text; false if it ended in a mistake, which lies at *broken_at. */
static bool parse_once(builder *b, const char *text, size_t *broken_at)
{
    if (!yaml_parser_initialize(&b->parser)) {
        report(b, WPA_YAML_FAULT_LIMIT, (wpa_span){0, 0}, (wpa_span){0, 0}, "out of memory");
        stop(b);
        return true;
    }
    yaml_parser_set_encoding(&b->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&b->parser, (const unsigned char *)text + b->bom,
                                 b->doc->size_bytes - b->bom);
    bool is_done = false, is_broken = false;
    while (!is_done && !b->is_stopped) {
        yaml_event_t event;
        if (!yaml_parser_parse(&b->parser, &event)) {
            *broken_at = report_parser(b);
            is_broken = b->parser.error != YAML_READER_ERROR;
            stop(b);
            break;
        }
        is_done = event.type == YAML_STREAM_END_EVENT;
        const wpa_yaml_event own = event_of(b, &event);
        on_event(b, &own);
        yaml_event_delete(&event);
    }
    close_frames(b);
    yaml_parser_delete(&b->parser);
    return !is_broken;
}

/** Most files need no more than this. */
static bool parse_quickly(builder *b, const char *text)
{
    const wpa_yaml_doc *doc = b->doc;
    size_t n = 0;
    bool is_as_written = text == doc->source && !doc->has_bom;
    const wpa_yaml_event *events =
        is_as_written ? wpa_yaml_read_quickly(text, doc->size_bytes, !b->offsets, b->scratch, &n)
                      : NULL;
    b->text = text;
    for (size_t i = 0; i < n; i++) {
        on_event(b, &events[i]);
    }
    b->end = events ? doc->size_bytes : 0;
    return events != NULL;
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

/*
 * Parse; around a mistake the broken entry is left out and all is parsed again, so that offsets
 * stay true and the tree is whole but for that entry.
 */
static void run_parser(builder *b, const char *text)
{
    size_t n_kept = b->doc->n_diagnostics, broken_at = 0;
    char *rest = NULL;
    b->text = text;
    while (!parse_once(b, b->text, &broken_at) && b->n_broken < RECOVERY_MAX) {
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
        alias_use *use = &b->aliases[i];
        if (use->weight <= left) {
            left -= use->weight;
            continue;
        }
        if (left > 0) {
            report(b, WPA_YAML_FAULT_LIMIT, use->node->span, wpa_yaml_full(use->node->target),
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

static void check_bytes(builder *b)
{
    wpa_yaml_doc *doc = b->doc;
    if (doc->has_bom) {
        report(b, WPA_YAML_FAULT_BOM, (wpa_span){0, b->bom}, (wpa_span){0, 0},
               "the file begins with a byte-order mark");
    }
    const char *end = doc->source + doc->size_bytes, *next = doc->source;
    while ((next = memchr(next, '\r', (size_t)(end - next)))) {
        size_t at = (size_t)(next++ - doc->source);
        if (*next != '\n') {
            report(b, WPA_YAML_FAULT_CR_LINE, (wpa_span){at, at + 1}, (wpa_span){0, 0},
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
        report(b, WPA_YAML_FAULT_EMPTY, (wpa_span){0, 0}, (wpa_span){0, 0},
               "the document is empty");
    }
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
    doc->source = wpa_arena_slice(arena, size_bytes ? data : "", size_bytes);
    doc->size_bytes = size_bytes;
    doc->has_bom = size_bytes >= 3 && memcmp(doc->source, "\xef\xbb\xbf", 3) == 0;
    builder *b = wpa_arena_alloc(scratch, sizeof *b);
    b->doc = doc;
    b->scratch = scratch;
    b->bom = doc->has_bom ? 3 : 0;
    b->anchors = wpa_map_new(scratch);
    wpa_yaml_index_lines(doc);
    wpa_yaml_index_grams(doc);
    check_bytes(b);
    const char *text = clean(b);
    index_chars(b, text);
    if (!parse_quickly(b, text)) {
        run_parser(b, text);
    }
    limit_expansion(b);
    list_aliases(b);
    check_empty(b);
    wpa_yaml_index_comments(doc, b->scalars, b->n_scalars,
                            doc->is_partial && !b->n_broken ? b->end : doc->size_bytes);
    return doc;
}
