/* EFF-004: jobs of several workflows that differ in little. */
#include <string.h>

#include "rules/graph.h"
#include "rules/similarity.h"
#include "rules/work.h"

#define ALIKE_MAX 64
#define SHOWN_MAX 8
#define HOLES_MAX 4
#define WEIGHT_MIN 30 /* below that a call is longer than what it replaces */

static const wpa_rule_option options[] = {
    {"similarity", "0.85", "share from which jobs are alike"},
    {"min-steps", "3", "jobs of fewer steps are left alone"},
    {0},
};

/* Another file's job that is alike. */
typedef struct twin {
    const wpa_graph_file *file;
    size_t job;
    double alike;
} twin;

static size_t find_twins(const wpa_graph *graph, const wpa_graph_file *file,
                         const wpa_similarity_job *own, double least, twin twins[])
{
    wpa_similarity_member members[ALIKE_MAX];
    size_t n_members =
        wpa_similarity_index_find(wpa_graph_similar(graph), own, UINT32_MAX, members, ALIKE_MAX);
    size_t n = 0;
    for (size_t i = 0; i < n_members; i++) {
        const wpa_graph_file *owner = members[i].owner;
        const wpa_similarity_job *other = owner->jobs[members[i].job].likeness;
        if (!other || owner == file || wpa_text_is(owner->path, file->path)) {
            continue;
        }
        double alike = wpa_similarity_of_jobs(own, other);
        if (alike >= least) {
            twins[n++] = (twin){owner, members[i].job, alike};
        }
    }
    return n;
}

/* What differs between the two, to become inputs: "node-version", "script of step 4". */
static const char *holes_between(wpa_rule_run *run, const wpa_outline_job *a,
                                 const wpa_outline_job *b)
{
    const char *text = "";
    size_t n = 0;
    for (size_t i = 0; i < a->n_steps && a->n_steps == b->n_steps && n < HOLES_MAX; i++) {
        const wpa_yaml_node *x = a->steps[i].with, *y = b->steps[i].with;
        for (size_t k = 0; x && y && k < x->n_pairs && n < HOLES_MAX; k++) {
            const char *key = wpa_yaml_text(x->pairs[k].key);
            const char *other = key ? wpa_yaml_text(wpa_yaml_get(y, key)) : NULL;
            if (key && !wpa_text_is(wpa_yaml_text(x->pairs[k].value), other)) {
                text = wpa_arena_printf(run->arena, "%s%s%s", text, n++ ? ", " : "", key);
            }
        }
        bool is_script = a->steps[i].run && b->steps[i].run;
        if (is_script && n < HOLES_MAX &&
            !wpa_text_is(wpa_yaml_text(a->steps[i].run), wpa_yaml_text(b->steps[i].run))) {
            text = wpa_arena_printf(run->arena, "%s%sthe script of step %zu", text, n++ ? ", " : "",
                                    i + 1);
        }
    }
    return n ? text : NULL;
}

static void report(wpa_rule_run *run, const wpa_outline_job *job, const twin twins[], size_t n)
{
    const twin *best = &twins[0];
    bool has_callee = false;
    for (size_t i = 0; i < n; i++) {
        best = twins[i].alike > best->alike ? &twins[i] : best;
        has_callee = has_callee || wpa_graph_trigger_find(twins[i].file, "workflow_call");
    }
    const wpa_source *other = wpa_rule_source_at(run, best->file->path);
    const char *holes = other && best->job < other->outline->n_jobs
                            ? holes_between(run, job, &other->outline->jobs[best->job])
                            : NULL;
    wpa_finding *finding = wpa_rule_report(
        run, job->key->span, NULL, NULL, "job %s is %d %% the same as job %s of %s%s%s%s",
        wpa_rule_quote(run, job->id, strlen(job->id)), (int)(best->alike * 100),
        wpa_rule_quote(run, best->file->jobs[best->job].id, strlen(best->file->jobs[best->job].id)),
        wpa_rule_quote(run, best->file->path, strlen(best->file->path)),
        has_callee ? ", which can be called" : "", holes ? "; they differ in " : "",
        holes ? holes : "");
    for (size_t i = 0; i < n && i < SHOWN_MAX; i++) {
        const wpa_source *source = wpa_rule_source_at(run, twins[i].file->path);
        if (source) {
            wpa_rule_relate_in(run, finding, source, twins[i].file->jobs[twins[i].job].key_span,
                               "%d %% the same", (int)(twins[i].alike * 100));
        }
    }
    if (has_callee) {
        finding->severity = WPA_SEVERITY_HIGH;
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    if (wpa_work_is_large(o)) {
        return true;
    }
    const wpa_graph *graph = run->source->around ? run->source->around->graph : NULL;
    const wpa_graph_file *file = graph ? wpa_graph_own(graph, run->source, run->arena) : NULL;
    const char *self = wpa_source_identity(run->source);
    double least = wpa_rule_option_real(run, "similarity", 0.5, 1, 0.85);
    int64_t least_steps = wpa_rule_option_int(run, "min-steps", 1, 64, 3);
    for (size_t i = 0; file && i < file->n_jobs; i++) {
        const wpa_similarity_job *own = file->jobs[i].likeness;
        if (!own || (int64_t)own->n_steps < least_steps || own->n_real < 2 ||
            own->weight < WEIGHT_MIN) {
            continue;
        }
        twin twins[ALIKE_MAX];
        size_t n = find_twins(graph, file, own, least, twins);
        bool is_first = n > 0;
        for (size_t k = 0; k < n; k++) { /* said once, where the first of them stands */
            is_first = is_first && strcmp(twins[k].file->path, self) > 0;
        }
        if (is_first) {
            report(run, &o->jobs[i], twins, n);
        }
    }
    return true;
}

const wpa_rule wpa_rule_duplicate_jobs = {
    .code = "EFF-004",
    .id = "duplicate-jobs",
    .dimension = WPA_DIMENSION_EFFICIENCY,
    .kind = WPA_KIND_OPPORTUNITY,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_MEDIUM,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "The same job stands in several workflows",
    .why = "A change has to be made in each of them, and is forgotten in one.",
    .fix = "Move it into a workflow that is called, with inputs for what differs. There is no fix "
           "by machine.",
    .options = options,
    .check = check,
};
