/* CMP-020: ids that GitHub refuses. */
#include <string.h>

#include <wpa/map.h>

#include "rules/outline.h"
#include "rules/rule.h"

#define ID_MAX 100

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/** How much of it an id may hold. */
static size_t count_legal(const char *id)
{
    size_t n = 0;
    while (is_letter(id[n]) || (id[n] >= '0' && id[n] <= '9') || id[n] == '-') {
        n++;
    }
    return n;
}

/* What is wrong with an id, or NULL. */
static const char *fault_of(const char *id)
{
    size_t legal = count_legal(id);
    return !*id                        ? "is empty"
           : !is_letter(id[0])         ? "must begin with a letter or _"
           : id[legal]                 ? "may hold letters, digits, - and _ only"
           : strncmp(id, "__", 2) == 0 ? "begins with __, which GitHub keeps for itself"
           : legal >= ID_MAX           ? "is longer than 99 characters"
                                       : NULL;
}

static void check_id(wpa_rule_run *run, const wpa_yaml_node *node, const char *what)
{
    const char *id = wpa_yaml_text(node);
    bool is_step = wpa_text_is(what, "step");
    bool is_open = id && wpa_outline_has_expression(id);
    const char *fault = id && !is_open ? fault_of(id) : NULL;
    if (is_open && is_step) {
        fault = "is an expression, which GitHub does not evaluate in an id";
    }
    bool is_told = is_step && id && (!*id || wpa_yaml_is_null(node)); /* by the rule schema */
    if (fault && !is_told) {
        (void)wpa_rule_report(run, node->span, NULL, NULL, "%s id %s %s: the file is refused", what,
                              wpa_rule_quote(run, id, strlen(id)), fault);
    }
}

/* NULL: the first one of this id, which is noted. */
static const wpa_outline_step *find_first(wpa_rule_run *run, wpa_map *seen,
                                          const wpa_outline_step *step)
{
    char *folded = wpa_arena_text(run->arena, step->id);
    for (char *c = folded; *c; c++) {
        *c = (char)(*c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c);
    }
    const wpa_outline_step *first = wpa_map_get(seen, folded);
    if (!first) {
        wpa_map_put(seen, folded, (void *)(uintptr_t)step);
    }
    return first;
}

static size_t count_ids(const wpa_outline_job *job)
{
    size_t n = 0;
    for (size_t i = 0; i < job->n_steps; i++) {
        n += job->steps[i].id != NULL;
    }
    return n;
}

static void check_steps(wpa_rule_run *run, const wpa_outline_job *job)
{
    size_t n = count_ids(job);
    wpa_map *seen = n > 1 ? wpa_map_new(run->arena) : NULL;
    for (size_t i = 0; n > 0 && i < job->n_steps; i++) {
        const wpa_outline_step *step = &job->steps[i];
        if (!step->id) {
            continue;
        }
        const wpa_yaml_node *node = wpa_yaml_get(step->node, "id");
        check_id(run, node, "step");
        const wpa_outline_step *first = seen ? find_first(run, seen, step) : NULL;
        if (first) {
            wpa_finding *finding =
                wpa_rule_report(run, node->span, NULL, NULL,
                                "step id %s is there twice in this job: the file is refused",
                                wpa_rule_quote(run, step->id, strlen(step->id)));
            wpa_rule_relate(run, finding, wpa_yaml_get(first->node, "id")->span, "first here");
        }
    }
}

static void check_inputs(wpa_rule_run *run, const wpa_yaml_node *inputs)
{
    for (size_t i = 0; wpa_yaml_is(inputs, WPA_YAML_MAPPING) && i < inputs->n_pairs; i++) {
        if (!wpa_text_is(inputs->pairs[i].key->text, "<<")) {
            check_id(run, inputs->pairs[i].key, "input");
        }
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    wpa_rule_visits visits = {.mark = wpa_rule_here(run)};
    for (size_t i = 0; i < o->n_jobs; i++) {
        if (o->jobs[i].key) {
            check_id(run, o->jobs[i].key, "job");
        }
        check_steps(run, &o->jobs[i]);
        wpa_rule_end_visit(run, &visits);
    }
    if (run->source->kind == WPA_INPUT_ACTION) {
        check_inputs(run, wpa_yaml_get(o->root, "inputs"));
    }
    for (size_t i = 0; i < o->n_triggers; i++) {
        check_inputs(run, wpa_yaml_get(o->triggers[i].config, "inputs"));
    }
    return true;
}

const wpa_rule wpa_rule_id_naming = {
    .code = "CMP-020",
    .id = "id-naming",
    .dimension = WPA_DIMENSION_COMPATIBILITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_HIGH,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "An id of a job, step or input is one that GitHub refuses",
    .why = "The whole file is invalid then.",
    .fix = "Begin with a letter or _, go on with letters, digits, - and _, and use each id once. "
           "There is no fix by machine, since others may refer to it.",
    .elsewhere = (const char *const[]){"actionlint/id", NULL},
    .reads_dead_code = true,
    .check = check,
};
