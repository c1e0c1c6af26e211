/* Of the findings of a file those that stay: not those of code that never runs, not one twice, not
 * what a more specific rule says of the same place. */
#include <string.h>

#include <wpa/text.h>

#include "rules/expressions.h"
#include "rules/sink.h"

/* ---- code that never runs ---------------------------------------------------------------------*/

/** Is it false whatever the context holds? */
static bool is_false(const wpa_expression *e)
{
    return e->is_whole && wpa_expr_truth_of(&e->place->parsed) == WPA_EXPR_FALSY;
}

static bool is_false_condition(const wpa_source *source, const wpa_yaml_node *condition)
{
    const wpa_yaml_node *value = wpa_yaml_resolve(condition);
    const wpa_expression *e = value ? wpa_expressions_in(source->expressions, value) : NULL;
    return e && is_false(e);
}

/** Is any condition of the file so? In most none is. */
static bool has_dead_code(wpa_shared *shared, const wpa_source *source)
{
    const wpa_expressions *all = source->expressions;
    for (size_t i = 0; i < all->n && !shared->is_dead_code_known; i++) {
        const wpa_expression *e = &all->items[i];
        shared->has_dead_code =
            shared->has_dead_code || (e->use == WPA_EXPRESSION_CONDITION && is_false(e));
    }
    shared->is_dead_code_known = true;
    return shared->has_dead_code;
}

/** Does the place lie in a job or step whose condition is constantly false? */
static bool is_dead(const wpa_source *source, const wpa_finding *finding)
{
    const wpa_yaml_node *node = wpa_yaml_node_at(source->yaml, finding->span.bytes.start);
    for (; node; node = node->parent) {
        const wpa_yaml_node *list = node->parent;
        bool is_block = node->kind == WPA_YAML_MAPPING && list &&
                        ((node->key && list->key && wpa_text_is(list->key->text, "jobs")) ||
                         (list->kind == WPA_YAML_SEQUENCE && list->key &&
                          wpa_text_is(list->key->text, "steps")));
        const wpa_yaml_node *condition = is_block ? wpa_yaml_get(node, "if") : NULL;
        /* The condition itself is what constant-condition speaks of. */
        if (condition && is_false_condition(source, condition) &&
            !wpa_span_contains(wpa_yaml_entry_span(condition), finding->span.bytes)) {
            return true;
        }
    }
    return false;
}

/* ---- lists of findings ---- */

typedef bool (*finding_test)(const wpa_rule_sink *sink, wpa_finding **findings, size_t i);

static void drop_where(wpa_rule_sink *sink, size_t from, finding_test is_dropped)
{
    size_t n_kept = from;
    for (size_t i = from; i < sink->n_findings; i++) {
        if (!is_dropped(sink, sink->findings, i)) {
            sink->findings[n_kept++] = sink->findings[i];
        }
    }
    sink->n_findings = n_kept;
}

static bool stands_in_dead_code(const wpa_rule_sink *sink, wpa_finding **findings, size_t i)
{
    return sink->source->yaml && !findings[i]->rule->reads_dead_code &&
           is_dead(sink->source, findings[i]);
}

void wpa_sink_drop_dead(wpa_rule_sink *sink, size_t from)
{
    if (has_dead_code(&sink->shared, sink->source)) {
        drop_where(sink, from, stands_in_dead_code);
    }
}

/* ---- what is said twice ---- */

/** In sorted order equals are neighbours, but for a related check in between: look back a little.
 */
#define LOOK_BACK_MAX 64

static bool repeats_another(const wpa_rule_sink *sink, wpa_finding **findings, size_t i)
{
    (void)sink;
    const wpa_finding *finding = findings[i];
    for (size_t j = i; j-- > 0 && i - j <= LOOK_BACK_MAX;) {
        const wpa_finding *before = findings[j];
        if (before->span.bytes.start != finding->span.bytes.start) {
            return false;
        }
        if (before->rule == finding->rule && wpa_text_is(before->check, finding->check) &&
            before->span.bytes.end == finding->span.bytes.end &&
            wpa_text_is(before->message, finding->message)) {
            return true;
        }
    }
    return false;
}

/* ---- the more specific rule on one place ---- */

/* Findings that win against others, by start; reach is the furthest end up to each. */
typedef struct winners {
    const wpa_finding **items; /* [n] */
    size_t *reach;             /* [n] */
    size_t n;
} winners;

static winners list_winners(const wpa_rule_sink *sink)
{
    winners w = {0};
    w.items = wpa_arena_array(sink->arena, sink->n_findings + 1, sizeof *w.items);
    w.reach = wpa_arena_array(sink->arena, sink->n_findings + 1, sizeof *w.reach);
    for (size_t i = 0; i < sink->n_findings; i++) { /* sorted by start */
        const wpa_finding *finding = sink->findings[i];
        if (finding->rule->supersedes) {
            size_t end = finding->span.bytes.end;
            w.reach[w.n] = w.n && w.reach[w.n - 1] > end ? w.reach[w.n - 1] : end;
            w.items[w.n++] = finding;
        }
    }
    return w;
}

static bool names_rule(const char *const *names, const wpa_rule *rule)
{
    for (; names && *names; names++) {
        if (wpa_text_is(*names, rule->id)) {
            return true;
        }
    }
    return false;
}

static bool share_place(wpa_span a, wpa_span b)
{
    return wpa_span_contains(a, b) || wpa_span_contains(b, a);
}

static bool has_won(const wpa_rule_run *run, wpa_won *w, wpa_span span)
{
    wpa_finding *const *findings = run->sink->findings;
    if (!names_rule(findings[w->from]->rule->supersedes, run->rule)) {
        return false;
    }
    w->at = w->asker == run->rule ? w->at : w->from;
    w->asker = run->rule;
    while (w->at < w->to && findings[w->at]->span.bytes.end < span.start) {
        w->at++;
    }
    return w->at < w->to && share_place(findings[w->at]->span.bytes, span);
}

bool wpa_rule_is_superseded(const wpa_rule_run *run, wpa_span span)
{
    bool is = false;
    for (size_t i = 0; i < run->sink->n_won && !is; i++) {
        is = has_won(run, &run->sink->won[i], span);
    }
    return is;
}

/** How many of them start at or before the offset. */
static size_t count_before(const winners *w, size_t offset)
{
    size_t low = 0, high = w->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (w->items[middle]->span.bytes.start <= offset) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/** Loses against a more specific rule on the same place. */
static bool is_superseded(const winners *w, const wpa_finding *loser)
{
    /* Those that lie within it start within it; those around it reach as far as it starts. */
    for (size_t i = count_before(w, loser->span.bytes.end); i-- > 0;) {
        if (w->reach[i] < loser->span.bytes.start) {
            return false;
        }
        if (names_rule(w->items[i]->rule->supersedes, loser->rule) &&
            share_place(w->items[i]->span.bytes, loser->span.bytes)) {
            return true;
        }
    }
    return false;
}

static void drop_superseded(wpa_rule_sink *sink)
{
    winners w = list_winners(sink);
    size_t n_kept = 0;
    bool *is_lost = wpa_arena_array(sink->arena, sink->n_findings + 1, sizeof *is_lost);
    for (size_t i = 0; w.n && i < sink->n_findings; i++) {
        is_lost[i] = is_superseded(&w, sink->findings[i]);
    }
    for (size_t i = 0; i < sink->n_findings; i++) {
        if (!is_lost[i]) {
            sink->findings[n_kept++] = sink->findings[i];
        }
    }
    sink->n_findings = n_kept;
}

void wpa_sink_drop_repeated(wpa_rule_sink *sink, bool has_winners)
{
    drop_where(sink, 0, repeats_another);
    if (has_winners) {
        drop_superseded(sink);
    }
}

/* ---- what nobody wants to see ---- */

static bool is_unseen(const wpa_rule_sink *sink, wpa_finding **findings, size_t i)
{
    (void)sink;
    return findings[i]->is_unseen;
}

void wpa_sink_drop_unseen(wpa_rule_sink *sink)
{
    drop_where(sink, 0, is_unseen);
}
