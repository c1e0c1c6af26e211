/*
 * EFF-011: definitions that nothing reads. U3 job outputs, U4 step ids (pedantic), U5 matrix rows,
 * U9 defaults that no run step uses, U10 YAML anchors.
 */
#include <ctype.h>
#include <string.h>

#include "rules/outline.h"
#include "rules/rule.h"

static bool is_name_char(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '-';
}

/* Is "prefix<name>" or "prefix['name']" anywhere in the file, as a whole name, without case? */
static bool is_read(const wpa_yaml_doc *doc, const char *prefix, const char *name)
{
    size_t prefix_length = strlen(prefix), length = strlen(name);
    for (const char *at = doc->source; (at = strcasestr(at, prefix)); at += prefix_length) {
        bool is_start = at == doc->source || !is_name_char(at[-1]);
        const char *behind = at + prefix_length;
        bool is_member = behind[0] == '.' && strncasecmp(behind + 1, name, length) == 0 &&
                         !is_name_char(behind[1 + length]);
        bool is_index = behind[0] == '[' && strncasecmp(behind + 2, name, length) == 0;
        bool is_any = behind[0] == '[' && behind[1] != '\'' && behind[1] != '"';
        bool is_whole = strchr("),", behind[strspn(behind, " ")]) != NULL; /* toJSON(matrix) */
        bool is_star = behind[0] == '.' && behind[1] == '*';
        if (is_start && (is_member || is_index || is_any || is_whole || is_star)) {
            return true;
        }
    }
    return false;
}

static const char *quote(wpa_rule_run *run, const char *text)
{
    return wpa_rule_quote(run, text, strlen(text));
}

/* U3: an output of a job that no other job, nor the workflow's callers, read. */
static void check_outputs(wpa_rule_run *run, const wpa_outline_job *job)
{
    const wpa_yaml_node *outputs = wpa_yaml_get(job->node, "outputs");
    const wpa_yaml_doc *doc = run->source->yaml;
    for (size_t i = 0; wpa_yaml_is(outputs, WPA_YAML_MAPPING) && i < outputs->n_pairs; i++) {
        const char *name = wpa_yaml_text(outputs->pairs[i].key);
        const char *needs = wpa_arena_printf(run->arena, "needs.%s.outputs", job->id);
        const char *jobs = wpa_arena_printf(run->arena, "jobs.%s.outputs", job->id);
        bool is_opaque =
            strstr(doc->source, "needs[") || strcasestr(doc->source, "toJSON(needs") ||
            strcasestr(doc->source, "toJson( needs") || strstr(doc->source, "needs.*") ||
            strcasestr(doc->source, wpa_arena_printf(run->arena, "toJSON(needs.%s", job->id));
        if (name && !wpa_text_is(name, "<<") && !is_opaque && !is_read(doc, needs, name) &&
            !is_read(doc, jobs, name)) {
            (void)wpa_rule_report(run, outputs->pairs[i].key->span, "U3", outputs->pairs[i].value,
                                  "nothing reads output %s of job %s", quote(run, name),
                                  quote(run, job->id));
        }
    }
}

/* U4: a step id by which nobody calls the step. */
static void check_ids(wpa_rule_run *run, const wpa_outline_job *job)
{
    const char *source = run->source->yaml->source;
    bool is_opaque =
        strstr(source, "steps[") || strcasestr(source, "toJSON(steps") || strstr(source, "steps.*");
    for (size_t i = 0; !is_opaque && i < job->n_steps; i++) {
        const wpa_yaml_pair *id = wpa_yaml_find(job->steps[i].node, "id");
        const char *text = id ? wpa_yaml_text(id->value) : NULL;
        bool is_waited_for = wpa_yaml_find(job->steps[i].node, "background") != NULL;
        if (!text || is_waited_for || is_read(run->source->yaml, "steps", text)) {
            continue;
        }
        wpa_finding *finding = wpa_rule_report(run, id->key->span, "U4", id->value,
                                               "nothing refers to step id %s", quote(run, text));
        finding->persona = WPA_PERSONA_PEDANTIC;
    }
}

/* [1, 2, 3]: copies that share the work among themselves, a known idiom. */
static bool is_counter(const wpa_yaml_node *row)
{
    for (size_t i = 0; i < row->n_items; i++) {
        const wpa_yaml_node *item = wpa_yaml_resolve(row->items[i]);
        if (!item || item->kind != WPA_YAML_SCALAR || wpa_yaml_scalar_type(item) != WPA_YAML_INT) {
            return false;
        }
    }
    return true;
}

/* U5: a row of the matrix that no step, name or label reads makes legs that are all alike. */
static void check_rows(wpa_rule_run *run, const wpa_outline_job *job)
{
    const wpa_yaml_node *matrix = wpa_yaml_get(wpa_yaml_get(job->node, "strategy"), "matrix");
    bool is_plain = wpa_yaml_is(matrix, WPA_YAML_MAPPING) && !job->is_call;
    for (size_t i = 0; is_plain && i < matrix->n_pairs; i++) {
        const char *name = wpa_yaml_text(matrix->pairs[i].key);
        const wpa_yaml_node *row = wpa_yaml_resolve(matrix->pairs[i].value);
        if (!name || wpa_text_is(name, "include") || wpa_text_is(name, "exclude") ||
            !wpa_yaml_is(row, WPA_YAML_SEQUENCE) || row->n_items < 2 || is_counter(row) ||
            is_read(run->source->yaml, "matrix", name)) {
            continue;
        }
        (void)wpa_rule_report(run, matrix->pairs[i].key->span, "U5", NULL,
                              "nothing reads matrix.%s: its %zu values make runs that are alike",
                              name, row->n_items);
    }
}

static bool has_run_step(const wpa_outline_job *job)
{
    for (size_t i = 0; i < job->n_steps; i++) {
        if (job->steps[i].run) {
            return true;
        }
    }
    return false;
}

/* U9 */
static void check_defaults(wpa_rule_run *run, const wpa_outline *o)
{
    bool is_used = false;
    for (size_t i = 0; i < o->n_jobs; i++) {
        const wpa_yaml_pair *own = wpa_yaml_find(o->jobs[i].node, "defaults");
        is_used = is_used || has_run_step(&o->jobs[i]);
        if (own && !o->jobs[i].is_call && !has_run_step(&o->jobs[i])) {
            (void)wpa_rule_report(run, own->key->span, "U9", own->value,
                                  "no run step of job %s uses these defaults",
                                  quote(run, o->jobs[i].id));
        }
    }
    const wpa_yaml_pair *all = wpa_yaml_find(o->root, "defaults");
    if (all && !is_used && o->n_jobs) {
        (void)wpa_rule_report(run, all->key->span, "U9", all->value,
                              "no run step of this workflow uses these defaults");
    }
}

/* U10 */
static void check_anchors(wpa_rule_run *run)
{
    const wpa_yaml_doc *doc = run->source->yaml;
    for (size_t i = 0; i < doc->n_anchored; i++) {
        const wpa_yaml_node *node = doc->anchored[i];
        if (node->kind != WPA_YAML_ALIAS && node->anchor && node->n_uses == 0) {
            size_t length = strlen(node->anchor) + 1;
            const char *mark =
                memchr(doc->source + node->full.start, '&', wpa_span_length(node->full));
            size_t start = mark ? (size_t)(mark - doc->source) : node->full.start;
            (void)wpa_rule_report(run, (wpa_span){start, start + length}, "U10", NULL,
                                  "no alias refers to anchor %s", quote(run, node->anchor));
        }
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    check_anchors(run);
    for (size_t i = 0; i < o->n_jobs; i++) {
        check_ids(run, &o->jobs[i]);
        if (run->source->kind == WPA_INPUT_WORKFLOW) {
            check_outputs(run, &o->jobs[i]);
            check_rows(run, &o->jobs[i]);
        }
    }
    if (run->source->kind == WPA_INPUT_WORKFLOW) {
        check_defaults(run, o);
    }
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const wpa_yaml_node *value = finding->subject;
    if (!value) {
        return;
    }
    bool is_output = wpa_text_is(finding->check, "U3");
    wpa_fix *fix =
        wpa_rule_fix(run, finding, is_output ? WPA_FIX_UNSAFE : WPA_FIX_SAFE, "remove it");
    bool is_only = is_output && value->parent->n_pairs == 1; /* then the whole mapping goes */
    (void)wpa_rule_remove_entry(run, fix, is_only ? value->parent : value);
}

const wpa_rule wpa_rule_unused_definition = {
    .code = "EFF-011",
    .id = "unused-definition",
    .dimension = WPA_DIMENSION_EFFICIENCY,
    .kind = WPA_KIND_INEFFICIENCY,
    .severity = WPA_SEVERITY_LOW,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "Something is defined that nothing reads",
    .why = "Readers look for what it is for, and a matrix row of it makes runs that are alike.",
    .fix = "Remove it, or use it where it was meant.",
    .checks = (const char *const[]){"U3", "U4", "U5", "U9", "U10", NULL},
    .declares = WPA_DECLARES_JOBS | WPA_DECLARES_NAMES,
    .claims_absence = true,
    .check = check,
    .repair = repair,
};
