/* EFF-004: jobs of several workflows that differ in little. */
#include <string.h>

#include "rules/extract_jobs.h"
#include "rules/fleet.h"
#include "rules/graph.h"
#include "rules/similarity.h"
#include "rules/work.h"

#define ALIKE_MAX WPA_SIMILARITY_FOUND_MAX
#define SHOWN_MAX 8
#define HOLES_MAX 4
#define FAR_MAX 256        /* repositories that are looked at */
#define FAR_COUNT 2        /* others that have the job: three make many */
#define CALLABLE_ALIKE 0.9 /* so near to what can be called, it had better call that */
#define FAR_LEAST 0.95     /* how alike it is there */
#define WEIGHT_MIN 30      /* below that a call is longer than what it replaces */

static const wpa_rule_option options[] = {
    {"similarity", "0.85", "share from which jobs are alike", WPA_OPTION_SHARE},
    {"min-steps", "3", "jobs of fewer steps are left alone", WPA_OPTION_NUMBER},
    {0},
};

/* Another file's job that is alike. */
typedef struct twin {
    const wpa_graph_file *file;
    size_t job;
    double alike;
} twin;

/* What the repair has to do with. */
typedef struct subject {
    const wpa_outline_job *job;
    const twin *twins; /* [n] */
    size_t n;
} subject;

/* Those that are alike, of other files; one of a file before this one is enough: it is told of
 * there. */
static size_t find_twins(wpa_similarity_kin *kin, const wpa_graph_file *file, double least,
                         twin twins[])
{
    wpa_similarity_member members[ALIKE_MAX];
    size_t n_members = wpa_similarity_kin_jobs(kin, least, members), n = 0;
    for (size_t i = 0; i < n_members; i++) { /* by path */
        const wpa_graph_file *owner = members[i].owner;
        int order = owner == file ? 0 : strcmp(owner->path, file->path);
        double alike =
            order == 0 ? 0
                       : wpa_similarity_kin_alike(kin, owner->jobs[members[i].job].likeness, least);
        if (alike > 0) {
            twins[n++] = (twin){owner, members[i].job, alike};
        }
        if (alike > 0 && order < 0) {
            break;
        }
    }
    return n;
}

/* What differs between the two, to become inputs: "the runner", "node-version", "script of step 4".
 */
static const char *holes_between(wpa_rule_run *run, const wpa_outline_job *a,
                                 const wpa_outline_job *b)
{
    bool is_elsewhere = !wpa_text_is(wpa_yaml_text(wpa_yaml_get(a->node, "runs-on")),
                                     wpa_yaml_text(wpa_yaml_get(b->node, "runs-on")));
    const char *text = is_elsewhere ? "the runner" : "";
    size_t n = is_elsewhere;
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
        has_callee = has_callee || (twins[i].alike >= CALLABLE_ALIKE &&
                                    wpa_graph_trigger_find(twins[i].file, "workflow_call"));
    }
    const wpa_source *other = wpa_rule_source_at(run, best->file->path);
    const char *holes = other && best->job < other->outline->n_jobs
                            ? holes_between(run, job, &other->outline->jobs[best->job])
                            : NULL;
    subject *s = wpa_arena_alloc(run->arena, sizeof *s);
    *s = (subject){job, wpa_arena_dup(run->arena, twins, n * sizeof *twins), n};
    wpa_finding *finding = wpa_rule_report(
        run, job->key->span, NULL, s, "job %s is %d %% the same as job %s of %s%s%s%s",
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

/* ---- in other repositories ---- */

/* Does another repository have a job that is nearly the same? */
static const wpa_graph_file *find_far(const wpa_graph *other, const wpa_similarity_job *own,
                                      wpa_arena *scratch)
{
    wpa_similarity_member members[ALIKE_MAX];
    wpa_similarity_kin *kin = wpa_similarity_kin_of(wpa_graph_similar(other), own, 1, scratch);
    size_t n = wpa_similarity_kin_jobs(kin, FAR_LEAST, members);
    for (size_t i = 0; i < n; i++) {
        const wpa_graph_file *file = members[i].owner;
        const wpa_similarity_job *job = file->jobs[members[i].job].likeness;
        if (job != own && wpa_similarity_kin_alike(kin, job, FAR_LEAST) > 0) {
            return file;
        }
    }
    return NULL;
}

/* The job of this file in the whole fleet: what is in many repositories belongs into a shared one.
 */
static void check_far(wpa_rule_run *run, const wpa_outline_job *job, const wpa_similarity_job *own,
                      wpa_arena *scratch)
{
    const wpa_fleet *fleet = run->source->around->fleet;
    const char *self = run->source->around->repository, *first = NULL, *path = NULL;
    size_t n = 0;
    for (size_t i = 0; fleet && i < fleet->n_graphs && i < FAR_MAX; i++) {
        const char *name = wpa_graph_repository(fleet->graphs[i]);
        const wpa_graph_file *file =
            wpa_text_is(name, self) ? NULL : find_far(fleet->graphs[i], own, scratch);
        if (file) {
            first = first ? first : name;
            path = path ? path : file->path;
            n++;
        }
    }
    if (n >= FAR_COUNT && first) {
        wpa_rule_report(
            run, job->key->span, NULL, NULL,
            "job %s stands in %zu more repositories, nearly the same, such as %s of %s: a workflow "
            "in a shared repository would hold it once",
            wpa_rule_quote(run, job->id, strlen(job->id)), n,
            wpa_rule_quote(run, path, strlen(path)), wpa_rule_quote(run, first, strlen(first)));
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
    if (!file) {
        return true; /* read without its repository */
    }
    const char *self = wpa_source_identity(run->source);
    WPA_AUTO(wpa_arena) *scratch = wpa_arena_new();
    double least = wpa_rule_option_real(run, "similarity", 0.5, 1, 0.85);
    int64_t least_steps = wpa_rule_option_int(run, "min-steps", 1, 64, 3);
    for (size_t i = 0; i < file->n_jobs; i++) {
        const wpa_similarity_job *own = file->jobs[i].likeness;
        if (!own || (int64_t)own->n_steps < least_steps || own->n_real < 2 ||
            own->weight < WEIGHT_MIN) {
            continue;
        }
        twin twins[ALIKE_MAX];
        wpa_arena_reset(scratch);
        wpa_similarity_kin *kin = wpa_work_kin(run, wpa_graph_similar(graph), own, least);
        size_t n = find_twins(kin, file, least, twins);
        bool is_first = n > 0;
        for (size_t k = 0; k < n; k++) { /* said once, where the first of them stands */
            is_first = is_first && strcmp(twins[k].file->path, self) > 0;
        }
        if (is_first) {
            report(run, &o->jobs[i], twins, n);
        } else if (n == 0) {
            check_far(run, &o->jobs[i], own, scratch);
        }
    }
    return true;
}

static bool read_twin(wpa_rule_run *run, const twin *t, wpa_extract_copy *copy)
{
    const wpa_source *source = wpa_rule_source_at(run, t->file->path);
    if (!source || !source->yaml || t->job >= source->outline->n_jobs) {
        return false;
    }
    *copy = (wpa_extract_copy){source, &source->outline->jobs[t->job]};
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const subject *s = finding->subject;
    if (!s) {
        return; /* no file of this repository */
    }
    wpa_extract_copy copies[1 + ALIKE_MAX];
    copies[0] = (wpa_extract_copy){run->source, s->job};
    size_t n = 1;
    for (size_t i = 0; i < s->n; i++) {
        n += read_twin(run, &s->twins[i], &copies[n]);
    }
    wpa_extract_jobs(run, finding, copies, n);
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
    .fix = "Move it into a workflow that is called, with inputs for what differs, and call it.",
    .declares = WPA_DECLARES_JOBS | WPA_DECLARES_NAMES | WPA_DECLARES_SCRIPT | WPA_DECLARES_ENV |
                WPA_DECLARES_MATRIX | WPA_DECLARES_RUNNER | WPA_DECLARES_CONTAINER |
                WPA_DECLARES_TIMEOUTS | WPA_DECLARES_CONCURRENCY | WPA_DECLARES_PERMISSIONS,
    .options = options,
    .compares = true,
    .check = check,
    .repair = repair,
};
