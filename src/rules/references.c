#include "rules/references.h"

#include <string.h>

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
