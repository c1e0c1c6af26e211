/* CMP-022: background steps that nothing waits for, and waits for what does not run behind. */
#include <string.h>

#include "expr/expr.h"
#include "rules/outline.h"
#include "rules/rule.h"

/** Steps that are looked at of one job: each is compared with all others. */
#define STEPS_MAX 400

/* The list of steps of one job, from top to bottom. */
typedef struct steps {
    wpa_rule_run *run;
    const wpa_yaml_node *list;
    size_t n;
} steps;

static const wpa_yaml_node *step_at(const steps *s, size_t i)
{
    const wpa_yaml_node *step = wpa_yaml_resolve(s->list->items[i]);
    return wpa_yaml_is(step, WPA_YAML_MAPPING) ? step : NULL;
}

/* Index of the step with this id, or the number of steps. */
static size_t find_step(const steps *s, const char *id)
{
    size_t i = 0;
    while (i < s->n && !wpa_text_is_ci(wpa_yaml_text(wpa_yaml_get(step_at(s, i), "id")), id)) {
        i++;
    }
    return i;
}

static bool is_background(const wpa_yaml_node *step)
{
    const char *text = wpa_yaml_text(wpa_yaml_get(step, "background"));
    return text && !wpa_text_is(text, "false");
}

/* May the step have any of the keys that are looked for here? Hardly any step has. */
static bool may_matter(const wpa_yaml_node *step)
{
    const uint32_t bits = wpa_yaml_name_of("wait").bit | wpa_yaml_name_of("wait-all").bit |
                          wpa_yaml_name_of("cancel").bit | wpa_yaml_name_of("parallel").bit |
                          wpa_yaml_name_of("background").bit;
    return (step->keys & bits) != 0;
}

/* ---- wait and cancel --------------------------------------------------------------------------*/

static void check_target(const steps *s, size_t at, const char *deed, const wpa_yaml_node *written)
{
    const wpa_yaml_node *node = wpa_yaml_resolve(written);
    const char *id = wpa_yaml_text(node);
    if (!id || !*id || wpa_outline_has_expression(id)) {
        return; /* the rule schema says what shape it must have */
    }
    size_t target = find_step(s, id);
    const char *name = wpa_rule_quote(s->run, id, strlen(id));
    const char *fault = target == s->n ? "there is no step with this id"
                        : target == at ? "this is the step itself"
                        : target > at  ? "that step comes later"
                        : !is_background(step_at(s, target))
                            ? "that step is no background step, so it has ended"
                            : NULL;
    if (fault) {
        wpa_rule_report(s->run, node->span, NULL, NULL, "%s cannot name %s: %s", deed, name, fault);
    }
}

static void check_targets(const steps *s, size_t at, const wpa_yaml_node *step, const char *deed)
{
    const wpa_yaml_node *value = wpa_yaml_get(step, deed);
    for (size_t i = 0; wpa_yaml_is(value, WPA_YAML_SEQUENCE) && i < value->n_items; i++) {
        check_target(s, at, deed, value->items[i]);
    }
    if (wpa_yaml_is(value, WPA_YAML_SCALAR)) {
        check_target(s, at, deed, value);
    }
}

static void check_wait_all(const steps *s, const wpa_yaml_node *step)
{
    const wpa_yaml_pair *pair = wpa_yaml_find(step, "wait-all");
    if (pair && wpa_text_is_ci(wpa_yaml_text(pair->value), "false")) {
        wpa_rule_report(s->run, pair->value->span, NULL, NULL,
                        "wait-all cannot be false: GitHub refuses the file");
    }
}

/* ---- groups -----------------------------------------------------------------------------------*/

static void check_group(wpa_rule_run *run, const wpa_yaml_node *step)
{
    static const char *const forbidden[] = {"background", "wait", "wait-all", "cancel", "parallel"};
    const wpa_yaml_node *group = wpa_yaml_get(step, "parallel");
    for (size_t i = 0; wpa_yaml_is(group, WPA_YAML_SEQUENCE) && i < group->n_items; i++) {
        for (size_t k = 0; k < WPA_COUNT(forbidden); k++) {
            const wpa_yaml_pair *pair = wpa_yaml_find(group->items[i], forbidden[k]);
            if (pair) {
                wpa_rule_report(run, pair->key->span, NULL, NULL,
                                "'%s' may not stand in a parallel group: GitHub refuses the file",
                                forbidden[k]);
            }
        }
    }
}

/* ---- results that are read too early ----------------------------------------------------------*/

static bool waits_for(const wpa_yaml_node *step, const char *id)
{
    const wpa_yaml_node *wait = wpa_yaml_get(step, "wait");
    bool does = wpa_yaml_find(step, "wait-all") || wpa_text_is_ci(wpa_yaml_text(wait), id);
    for (size_t i = 0; wpa_yaml_is(wait, WPA_YAML_SEQUENCE) && i < wait->n_items; i++) {
        does = does || wpa_text_is_ci(wpa_yaml_text(wait->items[i]), id);
    }
    return does;
}

/* The first place below node that reads steps.<id>, or an empty span. */
static wpa_span find_read(const steps *s, const wpa_yaml_node *node, const char *id, int depth)
{
    wpa_span none = {0, 0}, found = none;
    if (!node || depth > WPA_YAML_MAX_DEPTH) {
        return none;
    }
    if (node->kind == WPA_YAML_SCALAR && strstr(node->text, "steps")) {
        size_t n_places, n;
        bool is_if = node->key && wpa_text_is(node->key->text, "if");
        wpa_expr_place *places = is_if ? wpa_expr_find_condition(node, s->run->arena, &n_places)
                                       : wpa_expr_find(node, s->run->arena, &n_places);
        const char *wanted = wpa_arena_printf(s->run->arena, "steps.%s", id);
        for (size_t i = 0; i < n_places; i++) {
            wpa_expr_reference *list =
                wpa_expr_references(places[i].parsed.root, s->run->arena, &n);
            for (size_t k = 0; k < n; k++) {
                size_t length = strlen(wanted);
                bool is_it = strncasecmp(list[k].path, wanted, length) == 0 &&
                             strchr(".", list[k].path[length]);
                if (is_it) {
                    return wpa_expr_source_span(&places[i], list[k].node->span);
                }
            }
        }
    }
    for (size_t i = 0; i < node->n_pairs && !wpa_span_length(found); i++) {
        found = find_read(s, node->pairs[i].value, id, depth + 1);
    }
    for (size_t i = 0; i < node->n_items && !wpa_span_length(found); i++) {
        found = find_read(s, node->items[i], id, depth + 1);
    }
    return found;
}

static void check_awaited(const steps *s, size_t at)
{
    const wpa_yaml_node *step = step_at(s, at);
    const wpa_yaml_node *id_node = wpa_yaml_get(step, "id");
    const char *id = wpa_yaml_text(id_node);
    for (size_t i = at + 1; id && is_background(step) && i < s->n; i++) {
        if (waits_for(step_at(s, i), id)) {
            return;
        }
        wpa_span span = find_read(s, step_at(s, i), id, 0);
        if (wpa_span_length(span)) {
            wpa_finding *finding =
                wpa_rule_report(s->run, span, NULL, NULL,
                                "background step %s may still run here: nothing waits for it "
                                "before its results are read",
                                wpa_rule_quote(s->run, id, strlen(id)));
            finding->severity = WPA_SEVERITY_MEDIUM;
            wpa_rule_relate(s->run, finding, id_node->span, "started in the background");
            return;
        }
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    for (size_t i = 0; i < o->n_jobs; i++) {
        steps s = {run, wpa_yaml_get(o->jobs[i].node, "steps"), 0};
        s.n = wpa_yaml_is(s.list, WPA_YAML_SEQUENCE) && s.list->n_items <= STEPS_MAX
                  ? s.list->n_items
                  : 0;
        for (size_t k = 0; k < s.n; k++) {
            const wpa_yaml_node *step = step_at(&s, k);
            if (step && may_matter(step)) {
                check_targets(&s, k, step, "wait");
                check_targets(&s, k, step, "cancel");
                check_wait_all(&s, step);
                check_group(run, step);
                check_awaited(&s, k);
            }
        }
    }
    return true;
}

const wpa_rule wpa_rule_parallel_steps = {
    .code = "CMP-022",
    .id = "parallel-steps",
    .dimension = WPA_DIMENSION_COMPATIBILITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_HIGH,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "Steps that run side by side are waited for or grouped in a way that cannot work",
    .why = "GitHub refuses the file, or a step reads results that are not there yet.",
    .fix = "Wait for background steps above, by their id, before their results are read. There is "
           "no fix by machine.",
    .reads_dead_code = true,
    .words = (const char *const[]){"wait", "cancel", "parallel", "background", NULL},
    .check = check,
};
