/*
 * One text read twice: as it is, and behind a comment that ends in CRLF, which libyaml alone reads.
 * Both must come to the same tree and say the same of it.
 */
#pragma once

#include <string.h>

#include <wpa/text.h>
#include <wpa/yaml.h>

#define WPA_TWICE_LEAD "#\r\n"

static inline bool wpa_twice_span(wpa_span a, wpa_span b)
{
    size_t lead = strlen(WPA_TWICE_LEAD);
    return a.start + lead == b.start && a.end + lead == b.end;
}

static inline bool wpa_twice_node(const wpa_yaml_node *a, const wpa_yaml_node *b)
{
    bool is_same = a->kind == b->kind && a->style == b->style && a->length == b->length &&
                   wpa_twice_span(a->span, b->span) && a->n_items == b->n_items &&
                   a->n_pairs == b->n_pairs && a->is_incomplete == b->is_incomplete &&
                   wpa_text_is(wpa_yaml_anchor(a), wpa_yaml_anchor(b)) &&
                   wpa_yaml_n_uses(a) == wpa_yaml_n_uses(b) &&
                   wpa_twice_span(wpa_yaml_full(a), wpa_yaml_full(b)) &&
                   (a->kind != WPA_YAML_SCALAR || memcmp(a->text, b->text, a->length) == 0);
    if (is_same && a->kind == WPA_YAML_ALIAS) {
        return a->target && b->target ? wpa_twice_span(a->target->span, b->target->span)
                                      : a->target == b->target;
    }
    for (size_t i = 0; is_same && i < a->n_items; i++) {
        is_same = wpa_twice_node(a->items[i], b->items[i]);
    }
    for (size_t i = 0; is_same && i < a->n_pairs; i++) {
        is_same = wpa_twice_node(a->pairs[i].key, b->pairs[i].key) &&
                  wpa_twice_node(a->pairs[i].value, b->pairs[i].value);
    }
    return is_same;
}

static inline bool wpa_twice_diagnostics(const wpa_yaml_doc *a, const wpa_yaml_doc *b)
{
    bool is_same = a->n_diagnostics == b->n_diagnostics;
    for (size_t i = 0; is_same && i < a->n_diagnostics; i++) {
        const wpa_yaml_diagnostic *x = &a->diagnostics[i], *y = &b->diagnostics[i];
        is_same = x->fault == y->fault && wpa_text_is(x->message, y->message) &&
                  (x->span.end == 0 || wpa_twice_span(x->span, y->span));
    }
    return is_same;
}

/** Of UTF-8, or of UTF-16, which is told of where it stands first. */
static inline bool wpa_twice_has_mark(const wpa_yaml_doc *doc)
{
    return doc->has_bom || (doc->size_bytes >= 2 && (memcmp(doc->source, "\xff\xfe", 2) == 0 ||
                                                     memcmp(doc->source, "\xfe\xff", 2) == 0));
}

/** Is the text the same to both? One with a byte-order mark is not asked about. */
static inline bool wpa_twice_is_same(const char *text, size_t size_bytes, wpa_arena *arena)
{
    wpa_error err = {0};
    size_t lead = strlen(WPA_TWICE_LEAD);
    char *behind = wpa_arena_alloc(arena, lead + size_bytes + 1);
    memcpy(behind, WPA_TWICE_LEAD, lead);
    memcpy(behind + lead, text, size_bytes);
    const wpa_yaml_doc *a = wpa_yaml_parse("t.yml", text, size_bytes, arena, &err);
    const wpa_yaml_doc *b = wpa_yaml_parse("t.yml", behind, lead + size_bytes, arena, &err);
    if (!a || !b || wpa_twice_has_mark(a)) {
        return true; /* !b: too large for one of them */
    }
    bool is_same = (a->root != NULL) == (b->root != NULL) && a->is_partial == b->is_partial &&
                   a->n_nodes == b->n_nodes && wpa_twice_diagnostics(a, b) &&
                   a->n_comments + 1 == b->n_comments;
    for (size_t i = 0; is_same && i < a->n_comments; i++) {
        const wpa_yaml_comment *x = &a->comments[i], *y = &b->comments[i + 1];
        is_same = wpa_twice_span(x->span, y->span) && x->line + 1 == y->line &&
                  x->is_own_line == y->is_own_line;
    }
    return is_same && (!a->root || wpa_twice_node(a->root, b->root));
}
