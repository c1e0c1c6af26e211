/*
 * Did an edit change the meaning of text it did not touch? The bytes outside are the same; here
 * every scalar outside must also decode to the same text, under the same keys. (A line indented
 * wrongly changes no other byte, and yet another's parent.) Keys that an edit wrote or removed are
 * left out of the comparison: they are what it meant to change.
 */
#include <string.h>

#include <wpa/text.h>
#include <wpa/yaml.h>

#include "testing/checks.h"

typedef struct leaf {
    const wpa_yaml_node *node;
    size_t start; /* in the after image's coordinates */
    bool is_touched;
} leaf;

typedef struct leaves {
    leaf *items;
    size_t n, capacity;
} leaves;

/** Edits with their spans in one of the two images. */
typedef struct region {
    const wpa_test_edits *edits;
    bool is_after;
} region;

/** An empty edit touches what begins or ends at its place only if it puts text there. */
static bool touches(region of, wpa_span span)
{
    long shift = 0;
    for (size_t i = 0; i < of.edits->n; i++) {
        const wpa_test_edit *edit = &of.edits->items[i];
        size_t start = edit->start, end = edit->end;
        if (of.is_after) {
            start = (size_t)((long)edit->start + shift);
            end = start + edit->text_bytes;
        }
        shift += (long)edit->text_bytes - (long)(edit->end - edit->start);
        if (start < span.end && span.start < end) {
            return true;
        }
        /* Something removed or inserted inside, or at the very edge of a plain scalar. */
        if (start == end && start >= span.start && start <= span.end) {
            return true;
        }
        if (end == span.start || start == span.end) {
            return true;
        }
    }
    return false;
}

static size_t shifted(const wpa_test_edits *edits, size_t offset)
{
    long shift = 0;
    for (size_t i = 0; i < edits->n && edits->items[i].end <= offset; i++) {
        const wpa_test_edit *edit = &edits->items[i];
        shift += (long)edit->text_bytes - (long)(edit->end - edit->start);
    }
    return (size_t)((long)offset + shift);
}

static void collect(const wpa_yaml_node *node, region of, wpa_arena *arena, leaves *list)
{
    if (node->kind == WPA_YAML_SCALAR || node->kind == WPA_YAML_ALIAS) {
        list->items =
            wpa_arena_grow(arena, list->items, list->n, &list->capacity, sizeof *list->items);
        size_t start = node->span.start;
        list->items[list->n++] = (leaf){.node = node,
                                        .start = of.is_after ? start : shifted(of.edits, start),
                                        .is_touched = touches(of, node->span)};
    }
    for (size_t i = 0; i < node->n_pairs; i++) {
        collect(node->pairs[i].key, of, arena, list);
        if (node->pairs[i].value) {
            collect(node->pairs[i].value, of, arena, list);
        }
    }
    for (size_t i = 0; i < node->n_items; i++) {
        collect(node->items[i], of, arena, list);
    }
}

/** The nearest key above node that no edit touches. */
static const wpa_yaml_node *next_key(const wpa_yaml_node **node, region of)
{
    while (*node) {
        const wpa_yaml_node *key = (*node)->key;
        *node = (*node)->parent;
        if (key && !touches(of, key->span)) {
            return key;
        }
    }
    return NULL;
}

static bool has_same_path(const wpa_yaml_node *a, region of_a, const wpa_yaml_node *b, region of_b)
{
    for (;;) {
        const wpa_yaml_node *key_a = next_key(&a, of_a), *key_b = next_key(&b, of_b);
        if (!key_a || !key_b) {
            return !key_a && !key_b;
        }
        if (!wpa_text_is(key_a->text, key_b->text)) {
            return false;
        }
    }
}

static bool has_same_text(const wpa_yaml_node *a, const wpa_yaml_node *b)
{
    if (a->kind != b->kind) {
        return false;
    }
    if (a->kind == WPA_YAML_ALIAS) {
        return wpa_text_is(wpa_yaml_anchor(a), wpa_yaml_anchor(b));
    }
    return a->length == b->length && memcmp(a->text, b->text, a->length) == 0 &&
           wpa_yaml_scalar_type(a) == wpa_yaml_scalar_type(b);
}

static const leaf *next_untouched(const leaves *list, size_t *at)
{
    while (*at < list->n && list->items[*at].is_touched) {
        ++*at;
    }
    return *at < list->n ? &list->items[(*at)++] : NULL;
}

static void report(const wpa_test_context *context, const wpa_test_image *image, const leaf *where,
                   wpa_test_outcome *outcome)
{
    const char *path = wpa_yaml_path(where->node, context->arena);
    wpa_test_evidence_at(outcome, context->arena, context->file, image, where->node->span.start,
                         "changed", path);
    wpa_test_fail(outcome, context->arena,
                  "the edit changes the meaning of '%s', which it does not touch", path);
}

void wpa_test_compare_nodes(const wpa_test_context *context, wpa_test_outcome *outcome)
{
    const wpa_test_file *file = context->file;
    wpa_error ignored = {0}; /* too large to be read: T101 and the analysis say so */
    const wpa_yaml_doc *before = wpa_yaml_parse(file->path, file->before.bytes,
                                                file->before.size_bytes, context->arena, &ignored);
    const wpa_yaml_doc *after = wpa_yaml_parse(file->path, file->after.bytes,
                                               file->after.size_bytes, context->arena, &ignored);
    /* A file that was no whole document has no tree to compare; that the new one is, T004 says. */
    if (!before || !after || !before->root || !after->root || before->is_partial) {
        return;
    }
    const region old_region = {.edits = &file->edits},
                 new_region = {.edits = &file->edits, .is_after = true};
    leaves old_leaves = {0}, new_leaves = {0};
    collect(before->root, old_region, context->arena, &old_leaves);
    collect(after->root, new_region, context->arena, &new_leaves);
    size_t i = 0, k = 0;
    for (;;) {
        const leaf *was = next_untouched(&old_leaves, &i), *is = next_untouched(&new_leaves, &k);
        if (!was && !is) {
            return;
        }
        if (!was || !is) {
            report(context, was ? &file->before : &file->after, was ? was : is, outcome);
            return;
        }
        if (was->start != is->start || !has_same_text(was->node, is->node) ||
            !has_same_path(was->node, old_region, is->node, new_region)) {
            report(context, &file->after, is, outcome);
            return;
        }
    }
}
