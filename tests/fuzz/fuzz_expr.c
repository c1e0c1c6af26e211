/* Any bytes as an expression: it parses or says where it does not, and folds without harm. */
#include <stdlib.h>

#include "expr/expr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

static void need(bool is_true)
{
    if (!is_true) {
        abort();
    }
}

static void check(const wpa_expr *node, const wpa_expr *parent, void *context)
{
    size_t length = *(const size_t *)context;
    (void)parent;
    need(node->span.start < node->span.end && node->span.end <= length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const char *text = wpa_arena_slice(arena, (const char *)data, size_bytes);
    wpa_expr_parsed parsed = wpa_expr_parse(text, size_bytes, arena);
    need((parsed.root != NULL) == (parsed.fault == WPA_EXPR_FINE));
    need(parsed.fault_span.end <= size_bytes);
    wpa_expr_walk(parsed.root, check, &size_bytes);
    size_t n;
    (void)wpa_expr_references(parsed.root, arena, &n);
    wpa_expr_value value = wpa_expr_fold(parsed.root, NULL, NULL, arena);
    (void)wpa_expr_value_text(&value, arena);

    wpa_error err = {0};
    const wpa_yaml_doc *doc = wpa_yaml_parse("fuzz.yml", data, size_bytes, arena, &err);
    const wpa_expr_place *places = doc ? wpa_expr_find(doc->root, arena, &n) : NULL;
    for (size_t i = 0; places && i < n; i++) {
        need(wpa_expr_source_span(&places[i], places[i].parsed.fault_span).end <= size_bytes);
    }
    return 0;
}
