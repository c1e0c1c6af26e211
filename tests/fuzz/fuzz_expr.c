/*
 * Any bytes as an expression: it parses or says where it does not, folds and has a type without
 * harm.
 */
#include <stdlib.h>

#include "expr/check.h"

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

/* One context with something of each kind in it. */
static const wpa_type *type_of(const char *context, void *data, wpa_arena *arena)
{
    (void)data;
    wpa_type_builder builder = wpa_type_builder_new(arena);
    const wpa_type *string = wpa_type_of(WPA_TYPE_STRING);
    wpa_type_builder_add(&builder, "s", string);
    wpa_type_builder_add(&builder, "n", wpa_type_of(WPA_TYPE_NUMBER));
    wpa_type_builder_add(&builder, "a", wpa_type_array(arena, wpa_type_map(arena, string)));
    return wpa_text_is(context, "github") ? wpa_type_builder_end(&builder) : NULL;
}

static void check_types(const wpa_expr *root, size_t length, wpa_arena *arena)
{
    static const char *const known[] = {"github", "env", "steps", NULL};
    wpa_expr_scope scope = {.contexts = 0x3, .known_contexts = known, .type_of = type_of};
    wpa_expr_checked checked = wpa_expr_check(root, &scope, arena);
    need(checked.type != NULL);
    for (size_t i = 0; i < checked.n_problems; i++) {
        wpa_span span = checked.problems[i].span;
        need(span.start <= span.end && span.end <= length && checked.problems[i].message);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const char *text = wpa_arena_slice(arena, (const char *)data, size_bytes);
    wpa_expr_parsed parsed = wpa_expr_parse(text, size_bytes, arena);
    need((parsed.root != NULL) == (parsed.fault == WPA_EXPR_FINE));
    need(parsed.fault_span.end <= size_bytes);
    wpa_expr_walk(parsed.root, check, &size_bytes);
    check_types(parsed.root, size_bytes, arena);
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
