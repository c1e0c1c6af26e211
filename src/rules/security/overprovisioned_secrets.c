/* SEC-017: an expression that takes all secrets where one was meant. */
#include "rules/references.h"
#include "rules/steps.h"

/* The innermost call that the reference is given to, for its bytes; the reference itself if none.
 */
typedef struct search {
    const wpa_expr *reference;
    wpa_span span;
} search;

static void look(const wpa_expr *node, const wpa_expr *parent, void *context)
{
    (void)parent;
    search *s = context;
    bool holds =
        node->span.start <= s->reference->span.start && node->span.end >= s->reference->span.end;
    if (node->kind == WPA_EXPR_CALL && holds) {
        s->span = node->span;
    }
}

/* secrets[...] of the chain that the reference is. */
static const wpa_expr *index_of(const wpa_expr *node)
{
    while (node->n_args && node->args[0]->kind != WPA_EXPR_NAME) {
        node = node->args[0];
    }
    return node->kind == WPA_EXPR_INDEX ? node->args[1] : NULL;
}

/* The matrix alone decides: which secrets those are, the file says. */
static bool is_of_matrix(const wpa_expr *index, const wpa_expr_reference *references, size_t n)
{
    bool is_of_matrix = false;
    for (size_t i = 0; index && i < n; i++) {
        if (wpa_span_contains(index->span, references[i].node->span)) {
            if (!wpa_text_starts(references[i].path, "matrix.")) {
                return false;
            }
            is_of_matrix = true;
        }
    }
    return is_of_matrix;
}

static void check_expression(wpa_rule_run *run, const wpa_expression *expression, void *context)
{
    const wpa_expr_place *place = expression->place;
    (void)context;
    size_t n;
    const wpa_expr_reference *references = wpa_expression_references(run, expression, &n);
    for (size_t i = 0; i < n; i++) {
        const wpa_expr_reference *r = &references[i];
        bool is_whole = wpa_text_is(r->path, "secrets") || wpa_text_is(r->path, "secrets.*");
        bool is_indexed = wpa_text_starts(r->path, "secrets.[]");
        if (!is_whole && !is_indexed) {
            continue;
        }
        search s = {r->node, r->node->span};
        wpa_expr_walk(place->parsed.root, look, &s);
        wpa_finding *finding = wpa_rule_report(
            run, wpa_expr_source_span(place, is_whole ? s.span : r->node->span), NULL, NULL,
            is_whole ? "every secret is handed over at once"
                     : "the secret is chosen at run time, so every secret is sent to the runner");
        if (expression->job && expression->job->key) {
            wpa_rule_relate(run, finding, expression->job->key->span, "in this job");
        }
        wpa_rule_relate_script(run, finding, place->node,
                               wpa_expr_source_span(place, r->node->span));
        if (is_indexed && is_of_matrix(index_of(r->node), references, n)) {
            finding->severity = WPA_SEVERITY_LOW;
        }
        return;
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    wpa_rule_each_secret(run, run->source->outline->root, check_expression, NULL);
    return true;
}

const wpa_rule wpa_rule_overprovisioned_secrets = {
    .code = "SEC-017",
    .id = "overprovisioned-secrets",
    .dimension = WPA_DIMENSION_SECURITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "All secrets are given where one is used",
    .why = "The runner, and whatever runs on it, then holds every secret of the repository.",
    .fix = "Name each secret that is used. There is no fix by machine, since which ones those are "
           "a person must say.",
    .elsewhere =
        (const char *const[]){"zizmor/overprovisioned-secrets", "poutine/job_all_secrets", NULL},
    .words = (const char *const[]){"secrets", NULL},
    .check = check,
};
