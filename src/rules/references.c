#include "rules/references.h"

#include <string.h>

#include "rules/sink.h"

/* An expression that is looked at. */
#define VISIT_WORK 4

void wpa_rule_each_expression(wpa_rule_run *run, const wpa_yaml_node *node,
                              wpa_expression_visitor visit, void *context)
{
    const wpa_expressions *all = run->source->expressions;
    size_t first = node ? wpa_expressions_from(all, node->span.start) : all->n;
    for (size_t i = first; i < all->n && wpa_rule_spend(run, VISIT_WORK); i++) {
        const wpa_expr_place *place = all->items[i].place;
        if (place->node->span.start >= node->span.end) {
            return;
        }
        if (place->node->span.end <= node->span.end && place->parsed.root) {
            visit(run, &all->items[i], context);
        }
    }
}

bool wpa_expression_mentions(const wpa_expression *expression, const char *word)
{
    const wpa_expr_place *place = expression->place;
    return wpa_text_find_ci(place->node->text + place->inner.start, wpa_span_length(place->inner),
                            word) != NULL;
}

/* ---- secrets ---- */

static void list_secrets(wpa_shared *shared, const wpa_source *source, wpa_arena *arena)
{
    static const char context[] = "secrets";
    const wpa_expressions *all = source->expressions;
    bool may_hold = source->yaml && wpa_yaml_may_hold(source->yaml, context);
    size_t capacity = 0;
    for (size_t i = 0; may_hold && i < all->n; i++) {
        const wpa_expr_parsed *parsed = &all->items[i].place->parsed;
        bool may_refer = !parsed->root || wpa_expr_may_refer(parsed, context);
        if (may_refer && wpa_expression_mentions(&all->items[i], context)) {
            shared->with_secrets =
                wpa_arena_grow(arena, shared->with_secrets, shared->n_with_secrets, &capacity,
                               sizeof(const wpa_expression *));
            shared->with_secrets[shared->n_with_secrets++] = &all->items[i];
        }
    }
    shared->are_secrets_known = true;
}

/** Of the file; *first is the number of those that begin before the node. */
static const wpa_shared *secrets_from(wpa_rule_run *run, const wpa_yaml_node *node, size_t *first)
{
    wpa_shared *shared = &run->sink->shared;
    if (!shared->are_secrets_known) {
        list_secrets(shared, run->source, run->lasting);
    }
    size_t low = 0, high = shared->n_with_secrets;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        bool is_before = shared->with_secrets[middle]->place->node->span.start < node->span.start;
        low = is_before ? middle + 1 : low;
        high = is_before ? high : middle;
    }
    *first = low;
    return shared;
}

void wpa_rule_each_secret(wpa_rule_run *run, const wpa_yaml_node *node,
                          wpa_expression_visitor visit, void *context)
{
    size_t i = 0;
    const wpa_shared *shared = node ? secrets_from(run, node, &i) : &run->sink->shared;
    for (; node && i < shared->n_with_secrets && wpa_rule_spend(run, VISIT_WORK); i++) {
        const wpa_expr_place *place = shared->with_secrets[i]->place;
        if (place->node->span.start >= node->span.end) {
            return;
        }
        if (place->node->span.end <= node->span.end && place->parsed.root) {
            visit(run, shared->with_secrets[i], context);
        }
    }
}

bool wpa_rule_may_hold_secret(wpa_rule_run *run, const wpa_yaml_node *node)
{
    size_t i;
    if (!node || node->doc->n_aliases) {
        return node != NULL;
    }
    const wpa_shared *shared = secrets_from(run, node, &i);
    return i < shared->n_with_secrets &&
           shared->with_secrets[i]->place->node->span.start < node->span.end;
}

const char *wpa_expr_secret_name(const wpa_expr_reference *reference)
{
    static const char prefix[] = "secrets.";
    if (!wpa_text_starts(reference->path, prefix) || reference->is_computed) {
        return NULL;
    }
    const wpa_expr *at = reference->node;
    while (at->args[0]->kind != WPA_EXPR_NAME) { /* secrets.A.b: the member next to the context */
        at = at->args[0];
    }
    return at->kind == WPA_EXPR_MEMBER  ? at->text
           : at->kind == WPA_EXPR_INDEX ? at->args[1]->text
                                        : NULL;
}
