/* The tree, node by node, out of events that a reader of YAML comes by. */
#include <string.h>

#include "core/large.h"
#include "core/room.h"
#include "yaml/builder.h"

typedef wpa_yaml_builder builder;

builder *wpa_yaml_builder_new(wpa_yaml_doc *doc, wpa_arena *scratch)
{
    builder *b = wpa_arena_alloc(scratch, sizeof *b);
    b->doc = doc;
    b->scratch = scratch;
    b->text = doc->source;
    b->bom = doc->has_bom ? 3 : 0;
    b->anchors = wpa_map_new(scratch);
    b->frames = wpa_arena_room(scratch, WPA_YAML_MAX_DEPTH * sizeof *b->frames);
    b->pairs = wpa_arena_room(scratch, WPA_YAML_MAX_DEPTH * sizeof *b->pairs);
    b->items = wpa_arena_room(scratch, WPA_YAML_MAX_DEPTH * sizeof *b->items);
    return b;
}

void wpa_yaml_report(builder *b, wpa_yaml_fault fault, wpa_span span, wpa_span related,
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

/* ---- spans ---- */

/* Behind anchor and tag, blanks, comments and line breaks: where the node itself begins. */
static size_t skip_properties(const wpa_yaml_doc *doc, const char *source, size_t at, size_t end)
{
    while (at < end && (source[at] == '&' || source[at] == '!')) {
        size_t property_end = at;
        while (property_end < end && !wpa_yaml_is_space(source[property_end])) {
            property_end++;
        }
        at = property_end;
        while (at < end && (wpa_yaml_is_space(source[at]) || source[at] == '#')) {
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
    while (header_end < span.end && !wpa_yaml_is_space(text[header_end])) {
        header_end++;
    }
    size_t end = span.end;
    while (end > header_end && wpa_yaml_is_space(text[end - 1])) {
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

void wpa_yaml_stop(builder *b)
{
    b->is_stopped = true;
    b->doc->is_partial = true;
}

/* Nodes for which room is made together; a sanitizer tells them apart. */
#ifdef WPA_SANITIZED
#define NODES_AT_ONCE 1
#else
#define NODES_AT_ONCE 16
#endif

static wpa_yaml_node *more_room(builder *b)
{
    b->spare = wpa_arena_room(b->doc->arena, NODES_AT_ONCE * sizeof *b->spare);
    b->spare_end = b->spare + NODES_AT_ONCE;
    return b->spare;
}

static inline void begin_node(builder *b, wpa_yaml_node *node, wpa_yaml_kind kind,
                              wpa_yaml_style style, wpa_span full)
{
    /* Each by itself: what compilers make of {0} takes longer than all else that is done here. */
    memset(node, 0, offsetof(wpa_yaml_node, keys));
    node->kind = kind;
    node->style = style;
    node->keys = node->length = node->n_pairs = node->n_items = node->index = 0;
    node->text = "";
    node->pairs = NULL;
    node->span = full;
    node->doc = b->doc;
    node->parent = node->key = NULL;
    b->doc->n_nodes++;
}

static inline wpa_yaml_node *node_new(builder *b, wpa_yaml_kind kind, wpa_yaml_style style,
                                      wpa_span full)
{
    wpa_yaml_node *node = b->spare == b->spare_end ? more_room(b) : b->spare;
    b->spare = node + 1;
    begin_node(b, node, kind, style, full);
    return node;
}

/** One that has properties. */
static wpa_yaml_node *tagged_new(builder *b, wpa_yaml_kind kind, wpa_yaml_style style,
                                 wpa_span full)
{
    wpa_yaml_tagged *tagged = wpa_arena_alloc(b->doc->arena, sizeof *tagged);
    begin_node(b, &tagged->node, kind, style, full);
    tagged->node.has_properties = true;
    return &tagged->node;
}

/** Room for one more child of the innermost collection, which has n. */
static void *make_room(builder *b, wpa_yaml_lot *lots, size_t n, size_t item_bytes)
{
    wpa_yaml_lot *own = &lots[b->depth - 1];
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
    return key->kind == WPA_YAML_SCALAR ? key->keys : 0;
}

/** The bits of a key among those of the keys before it: without one that is new in it, the same key
    may have been there. */
static void add_bits(wpa_yaml_frame *top, const wpa_yaml_node *key)
{
    uint32_t bits = bits_of(key), before = top->node->keys;
    top->may_repeat = top->may_repeat || (bits & ~before) == 0 || key->holds_nul;
    top->node->keys = before | bits;
}

/** Into the innermost collection; true if it is a key there. */
static inline bool attach(builder *b, wpa_yaml_node *node)
{
    if (b->depth == 0) {
        if (!b->doc->root) {
            b->doc->root = node;
        }
        return false;
    }
    wpa_yaml_frame *top = &b->frames[b->depth - 1];
    wpa_yaml_node *parent = top->node;
    node->parent = parent;
    top->weight++;
    if (parent->kind == WPA_YAML_SEQUENCE) {
        parent->items = make_room(b, b->items, parent->n_items, sizeof *parent->items);
        node->index = parent->n_items;
        parent->items[parent->n_items++] = node;
        return false;
    }
    node->index = parent->n_pairs;
    if (!top->key) {
        top->key = node;
        return true;
    }
    parent->pairs = make_room(b, b->pairs, parent->n_pairs, sizeof *parent->pairs);
    node->key = top->key;
    parent->pairs[parent->n_pairs++] = (wpa_yaml_pair){top->key, node};
    add_bits(top, top->key);
    top->key = NULL;
    return false;
}

/** "&name" itself, which a tag may stand before. */
static wpa_span anchor_span(const wpa_yaml_doc *doc, const wpa_yaml_properties *own)
{
    size_t length = strlen(own->anchor);
    for (size_t at = own->start; at + length < doc->size_bytes; at++) {
        if (doc->source[at] == '&' && memcmp(doc->source + at + 1, own->anchor, length) == 0) {
            return (wpa_span){at, at + 1 + length};
        }
    }
    return (wpa_span){own->start, own->start};
}

/** weight   what aliases of the node are worth; 0 while that is not known */
static void set_properties(builder *b, wpa_yaml_node *node, const wpa_yaml_event *event,
                           size_t weight)
{
    wpa_yaml_doc *doc = b->doc;
    const char *name = event->anchor, *tag = event->tag;
    size_t start = event->span.start;
    wpa_yaml_properties *own = wpa_yaml_properties_of(node);
    *own = (wpa_yaml_properties){.anchor = wpa_arena_text(doc->arena, name),
                                 .tag = wpa_arena_text(doc->arena, tag),
                                 .start = start};
    if (name) {
        const wpa_yaml_anchored *old = wpa_map_get(b->anchors, own->anchor);
        if (old) {
            wpa_yaml_report(b, WPA_YAML_FAULT_REDEFINED_ANCHOR, anchor_span(doc, own),
                            anchor_span(doc, wpa_yaml_properties_of(old->node)),
                            "anchor '%s' is defined twice; aliases below mean this one",
                            cut(b, own->anchor));
        }
        wpa_yaml_anchored *new = wpa_arena_alloc(b->scratch, sizeof *new);
        *new = (wpa_yaml_anchored){node, weight};
        wpa_map_put(b->anchors, own->anchor, new);
        doc->anchored = wpa_arena_grow(doc->arena, doc->anchored, doc->n_anchored,
                                       &b->anchored_capacity, sizeof(const wpa_yaml_node *));
        doc->anchored[doc->n_anchored++] = node;
    }
    if (tag && !wpa_yaml_tag_is_taken(node)) {
        wpa_yaml_report(b, WPA_YAML_FAULT_TAG, (wpa_span){start, node->span.start},
                        (wpa_span){0, 0}, "GitHub refuses the tag '%s' at this value",
                        cut(b, own->tag));
    }
}

/* The anchor is complete: aliases to it are worth this many nodes. */
static void close_anchor(builder *b, const wpa_yaml_node *node, size_t weight)
{
    const char *name = wpa_yaml_anchor(node);
    wpa_yaml_anchored *own = name ? wpa_map_get(b->anchors, name) : NULL;
    if (own && own->node == node) {
        own->weight = weight;
    }
}

static void on_key(builder *b, wpa_yaml_node *node)
{
    node->keys = wpa_yaml_key_bit(node->text, node->length);
    if (node->length > WPA_YAML_MAX_KEY_BYTES) {
        wpa_yaml_report(b, WPA_YAML_FAULT_LIMIT, node->span, (wpa_span){0, 0},
                        "key of %u bytes; the limit is %d", node->length, WPA_YAML_MAX_KEY_BYTES);
    }
    if (is_merge(node) && node->style == WPA_YAML_PLAIN && !wpa_yaml_tag(node)) {
        wpa_yaml_report(b, WPA_YAML_FAULT_MERGE_KEY, node->span, (wpa_span){0, 0},
                        "merge key '<<' is refused by GitHub");
    }
}

static void set_text(builder *b, wpa_yaml_node *node, const wpa_yaml_event *event)
{
    const wpa_yaml_doc *doc = b->doc;
    if (event->length > WPA_YAML_MAX_SCALAR_BYTES) {
        wpa_yaml_report(b, WPA_YAML_FAULT_LIMIT, node->span, (wpa_span){0, 0},
                        "scalar of %zu bytes is not read; the limit is %zu", event->length,
                        WPA_YAML_MAX_SCALAR_BYTES);
        node->is_incomplete = true;
        b->doc->is_partial = true;
        return;
    }
    node->length = (uint32_t)event->length;
    node->text =
        event->is_kept ? event->text : wpa_arena_slice(doc->arena, event->text, event->length);
    node->holds_nul = event->holds_nul;
    if (event->is_escaped) {
        wpa_yaml_add_text(doc, node->text, node->length);
    }
}

static void check_size(builder *b, const wpa_yaml_event *event)
{
    if (b->doc->n_nodes > WPA_YAML_MAX_NODES && !b->is_stopped) {
        wpa_yaml_report(b, WPA_YAML_FAULT_LIMIT, event->span, (wpa_span){0, 0},
                        "more than %d nodes; the rest is not read", WPA_YAML_MAX_NODES);
        wpa_yaml_stop(b);
    }
}

void wpa_yaml_build_scalar(builder *b, const wpa_yaml_event *event)
{
    wpa_span full = event->span;
    bool has_properties = event->anchor || event->tag;
    wpa_yaml_node *node = has_properties ? tagged_new(b, WPA_YAML_SCALAR, event->style, full)
                                         : node_new(b, WPA_YAML_SCALAR, event->style, full);
    /* Without a property the first character is content: a plain scalar cannot start with & or !.
     */
    if (has_properties) {
        node->span.start = skip_properties(b->doc, b->text, full.start, full.end);
    }
    if (node->style == WPA_YAML_LITERAL || node->style == WPA_YAML_FOLDED) {
        node->span.end = trim_block(b->doc, b->text, node->span);
    }
    set_text(b, node, event);
    if (has_properties) {
        set_properties(b, node, event, 1);
    }
    if (attach(b, node)) {
        on_key(b, node);
    }
    if (!b->tells_comments) {
        b->scalars = wpa_arena_grow(b->scratch, b->scalars, b->n_scalars, &b->scalars_capacity,
                                    sizeof *b->scalars);
        b->scalars[b->n_scalars++] = (wpa_span){node->span.start, full.end};
    }
    check_size(b, event);
}

static void on_alias(builder *b, const wpa_yaml_event *event)
{
    wpa_span full = event->span;
    wpa_yaml_node *node = tagged_new(b, WPA_YAML_ALIAS, WPA_YAML_PLAIN, full);
    const char *name = wpa_arena_text(b->doc->arena, event->anchor);
    *wpa_yaml_properties_of(node) = (wpa_yaml_properties){.anchor = name, .start = full.start};
    (void)attach(b, node);
    wpa_yaml_anchored *used = wpa_map_get(b->anchors, name);
    if (!used) {
        wpa_yaml_report(b, WPA_YAML_FAULT_UNDEFINED_ALIAS, full, (wpa_span){0, 0},
                        "alias '*%s' has no anchor above it", cut(b, name));
        return;
    }
    wpa_yaml_properties_of(used->node)->n_uses++;
    if (used->weight == 0) {
        wpa_yaml_report(b, WPA_YAML_FAULT_RECURSIVE_ALIAS, full, wpa_yaml_full(used->node),
                        "alias '*%s' stands inside the node it refers to", cut(b, name));
        return;
    }
    node->target = used->node;
    b->aliases = wpa_arena_grow(b->scratch, b->aliases, b->n_aliases, &b->aliases_capacity,
                                sizeof *b->aliases);
    b->aliases[b->n_aliases++] = (wpa_yaml_alias_use){node, used, used->weight};
    if (b->depth > 0) {
        b->frames[b->depth - 1].weight += used->weight;
    }
}

void wpa_yaml_build_start(builder *b, wpa_yaml_kind kind, const wpa_yaml_event *event)
{
    wpa_span full = event->span;
    if (b->depth >= WPA_YAML_MAX_DEPTH) {
        wpa_yaml_report(b, WPA_YAML_FAULT_LIMIT, full, (wpa_span){0, 0},
                        "nested more than %d deep; the rest is not read", WPA_YAML_MAX_DEPTH);
        wpa_yaml_stop(b);
        return;
    }
    bool has_properties = event->anchor || event->tag;
    wpa_yaml_node *node = has_properties ? tagged_new(b, kind, event->style, full)
                                         : node_new(b, kind, event->style, full);
    if (has_properties) {
        node->span.start = skip_properties(b->doc, b->text, full.start, b->doc->size_bytes);
        set_properties(b, node, event, 0);
    }
    (void)attach(b, node);
    if (b->depth == b->n_lots) { /* never so deep before */
        b->pairs[b->n_lots] = b->items[b->n_lots] = (wpa_yaml_lot){0};
        b->n_lots++;
    }
    b->frames[b->depth++] = (wpa_yaml_frame){.node = node, .weight = 1};
    check_size(b, event);
}

static void report_duplicate(builder *b, const wpa_yaml_node *key, const wpa_yaml_node *first)
{
    wpa_yaml_report(b, WPA_YAML_FAULT_DUPLICATE_KEY, key->span, first->span,
                    "key '%s' is written twice", cut(b, key->text));
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

/* Ten thousand questions to ten thousand keys must not take the product of both. */
static void index_keys(builder *b, wpa_yaml_node *mapping)
{
    if (mapping->n_pairs < WPA_YAML_INDEX_MIN_PAIRS) {
        return;
    }
    wpa_map *by_key = wpa_map_new(b->doc->arena);
    for (size_t i = 0; i < mapping->n_pairs; i++) {
        const char *text = wpa_yaml_text(mapping->pairs[i].key);
        if (text && !wpa_map_has(by_key, text)) {
            wpa_map_put_borrowed(by_key, text, &mapping->pairs[i]);
        }
    }
    *wpa_yaml_key_index(mapping) = by_key;
}

/** Out of the builder's room, which the next collection of this depth wants. */
static void keep_children(const builder *b, wpa_yaml_node *node)
{
    if (node->n_items) {
        node->items =
            wpa_arena_dup(b->doc->arena, node->items, node->n_items * sizeof *node->items);
    } else if (node->n_pairs) {
        size_t size_bytes = node->n_pairs * sizeof *node->pairs;
        size_t n_marks = wpa_yaml_marks_bytes(node->n_pairs);
        size_t index_bytes = node->n_pairs < WPA_YAML_INDEX_MIN_PAIRS ? 0 : sizeof(wpa_map *);
        wpa_yaml_pair *pairs = wpa_arena_room(b->doc->arena, size_bytes + n_marks + index_bytes);
        memcpy(pairs, node->pairs, size_bytes);
        uint8_t *marks = (uint8_t *)pairs + size_bytes;
        memset(marks + n_marks - sizeof(uint64_t), WPA_YAML_NO_MARK, sizeof(uint64_t));
        for (size_t i = 0; i < node->n_pairs; i++) {
            const wpa_yaml_node *key = pairs[i].key;
            marks[i] =
                key->kind == WPA_YAML_SCALAR ? wpa_yaml_mark_of(key->keys) : WPA_YAML_NO_MARK;
        }
        node->pairs = pairs;
    }
}

void wpa_yaml_build_end(builder *b, size_t flow_end)
{
    wpa_yaml_frame *top = &b->frames[--b->depth];
    wpa_yaml_node *node = top->node;
    size_t last = node->span.start;
    if (node->style == WPA_YAML_FLOW && !b->is_stopped) {
        last = flow_end;
    } else if (node->n_items > 0) {
        last = node->items[node->n_items - 1]->span.end;
    } else if (node->n_pairs > 0) {
        last = node->pairs[node->n_pairs - 1].value->span.end;
    }
    node->span.end = last < node->span.start ? node->span.start : last;
    keep_children(b, node);
    if (top->may_repeat) {
        check_duplicates(b, node);
    }
    if (node->kind == WPA_YAML_MAPPING) {
        index_keys(b, node);
    }
    if (node->has_properties) {
        close_anchor(b, node, top->weight);
    }
    if (b->depth > 0) {
        b->frames[b->depth - 1].weight += top->weight;
    }
}

/* ---- the events ---- */

void wpa_yaml_build(builder *b, const wpa_yaml_event *event)
{
    b->end = event->span.end > b->end ? event->span.end : b->end;
    switch (event->kind) {
    case WPA_YAML_EVENT_SCALAR:
        wpa_yaml_build_scalar(b, event);
        break;
    case WPA_YAML_EVENT_ALIAS:
        on_alias(b, event);
        check_size(b, event);
        break;
    case WPA_YAML_EVENT_MAPPING:
        wpa_yaml_build_start(b, WPA_YAML_MAPPING, event);
        break;
    case WPA_YAML_EVENT_SEQUENCE:
        wpa_yaml_build_start(b, WPA_YAML_SEQUENCE, event);
        break;
    case WPA_YAML_EVENT_END:
        wpa_yaml_build_end(b, event->span.end);
        break;
    case WPA_YAML_EVENT_DOCUMENT:
        if (b->doc->root) {
            wpa_yaml_report(b, WPA_YAML_FAULT_SECOND_DOCUMENT, event->span, (wpa_span){0, 0},
                            "a second document begins here; only the first is read");
            wpa_yaml_stop(b);
        }
        break;
    case WPA_YAML_EVENT_NONE:
        break;
    }
}

void wpa_yaml_close_open(builder *b)
{
    while (b->depth > 0) {
        wpa_yaml_frame *top = &b->frames[b->depth - 1];
        top->node->is_incomplete = true;
        if (top->key) {
            wpa_span empty = {top->key->span.end, top->key->span.end};
            wpa_yaml_node *value = node_new(b, WPA_YAML_SCALAR, WPA_YAML_PLAIN, empty);
            value->is_incomplete = true;
            (void)attach(b, value);
        }
        wpa_yaml_build_end(b, top->node->span.end);
    }
}
