/*
 * EFF-017: events that start a workflow for nothing. B1 types that no step reads, B2 tags
 * beside a workflow for releases, B3 drafts where
 * the end of being one is waited for, B4 a runner that starts only to skip.
 */
#include <string.h>

#include "rules/graph.h"
#include "rules/jobs.h"
#include "rules/work.h"

#define FILES_MAX 100
#define LEGS_MAX 2048 /* that are counted: nobody writes more */

static const wpa_rule_option options[] = {
    {"draft-legs", "16", "jobs of one commit from which drafts should be told apart",
     WPA_OPTION_NUMBER},
    {0},
};

typedef struct type_use {
    const char *type;
    const char *words[4]; /* what a job that cares for it would mention */
} type_use;

static const type_use types[] = {
    {"labeled", {"label", NULL}},
    {"unlabeled", {"label", NULL}},
    {"assigned", {"assignee", "assign", NULL}},
    {"unassigned", {"assignee", "assign", NULL}},
    {"edited", {"title", "body", "base.ref", NULL}},
    {"review_requested", {"review", NULL}},
    {"review_request_removed", {"review", NULL}},
    {"milestoned", {"milestone", NULL}},
    {"demilestoned", {"milestone", NULL}},
    {"locked", {"lock", NULL}},
    {"unlocked", {"lock", NULL}},
    {"auto_merge_enabled", {"auto_merge", "merge", NULL}},
    {"auto_merge_disabled", {"auto_merge", "merge", NULL}},
};

/* In jobs, name and the rest, but not in the list of types itself. */
static bool is_cared_for(const wpa_outline *o, const type_use *use)
{
    static const char *const events[] = {"github.event.action", "toJSON(github", "event_path",
                                         "GITHUB_EVENT_PATH",   "github-script", NULL};
    const wpa_yaml_node *jobs = wpa_yaml_get(o->root, "jobs");
    return wpa_work_mentions_any(jobs, use->words) || wpa_work_mentions_any(jobs, events) ||
           wpa_work_mentions_any(wpa_yaml_get(o->root, "concurrency"), use->words) ||
           wpa_work_mentions_any(wpa_yaml_get(o->root, "name"), use->words);
}

/* What is not known may read the event by itself: only plain work is told of. */
static bool is_plain_work(const wpa_outline *o)
{
    unsigned roles = 0;
    for (size_t i = 0; i < o->n_jobs; i++) {
        roles |= wpa_work_job_roles(&o->jobs[i]);
        if (o->jobs[i].is_call) {
            return false;
        }
        for (size_t k = 0; k < o->jobs[i].n_steps; k++) {
            const wpa_outline_step *step = &o->jobs[i].steps[k];
            bool is_known = step->run || wpa_work_is_setup(step) || wpa_work_step_roles(step) ||
                            wpa_slice_is_ci(step->uses.owner, "actions");
            if (!is_known) {
                return false;
            }
        }
    }
    return (roles & (unsigned)(WPA_DOES_BUILD | WPA_DOES_TEST | WPA_DOES_LINT)) != 0;
}

static void check_types(wpa_rule_run *run, const wpa_outline *o, const wpa_outline_trigger *t)
{
    const wpa_yaml_node *list = wpa_yaml_get(t->config, "types");
    for (size_t i = 0; wpa_yaml_is(list, WPA_YAML_SEQUENCE) && i < list->n_items; i++) {
        const char *type = wpa_yaml_text(list->items[i]);
        for (size_t k = 0; type && k < WPA_COUNT(types); k++) {
            if (wpa_text_is(type, types[k].type) && !is_cared_for(o, &types[k])) {
                (void)wpa_rule_report(run, list->items[i]->span, "B1", list->items[i],
                                      "everything runs again when a pull request is %s, which no "
                                      "step looks at",
                                      type);
            }
        }
    }
}

static void check_drafts(wpa_rule_run *run, const wpa_outline *o, const wpa_outline_trigger *t)
{
    const wpa_yaml_node *list = wpa_yaml_get(t->config, "types");
    for (size_t i = 0; wpa_yaml_is(list, WPA_YAML_SEQUENCE) && i < list->n_items; i++) {
        if (wpa_text_is(wpa_yaml_text(list->items[i]), "ready_for_review") &&
            wpa_work_mentions(list, "synchronize") && !wpa_work_mentions(o->root, "draft")) {
            (void)wpa_rule_report(run, list->items[i]->span, "B3", list->items[i],
                                  "the commit that was tested as a draft is tested again when the "
                                  "pull request is ready: no job leaves drafts out");
        }
    }
}

/* Legs that one commit of a pull request starts. */
static size_t count_legs(wpa_rule_run *run, const wpa_outline *o)
{
    size_t n = 0;
    for (size_t i = 0; i < o->n_jobs && n < LEGS_MAX && !wpa_work_is_large(o); i++) {
        size_t own = wpa_work_legs(run, &o->jobs[i], run->arena).n;
        n += own ? own : 1;
    }
    return n;
}

/* B3 without a list of types: much work for what its author calls unfinished. */
static void check_heavy(wpa_rule_run *run, const wpa_outline *o, const wpa_outline_trigger *t)
{
    size_t least = (size_t)wpa_rule_option_int(run, "draft-legs", 2, 1024, 16);
    if (wpa_yaml_find(t->config, "types") || wpa_work_mentions(o->root, "draft")) {
        return;
    }
    size_t n = count_legs(run, o);
    if (n >= least) {
        wpa_finding *finding =
            wpa_rule_report(run, t->node->span, "B3", NULL,
                            "each commit of a draft starts %zu jobs: no job leaves drafts out", n);
        finding->persona = WPA_PERSONA_PEDANTIC;
    }
}

/* ---- B2: a tag names a commit that has been built as one of its branch ---- */

static bool is_by_tag(wpa_rule_run *run, const wpa_graph_file *file)
{
    if (wpa_graph_trigger_find(file, "release")) {
        return true;
    }
    const wpa_source *source =
        wpa_graph_trigger_find(file, "push") ? wpa_rule_source_at(run, file->path) : NULL;
    const wpa_outline_trigger *push =
        source ? wpa_outline_trigger_find(source->outline, "push") : NULL;
    return push && wpa_yaml_find(push->config, "tags");
}

static void check_tags(wpa_rule_run *run, const wpa_outline *o)
{
    static const char *const filters[] = {"branches",    "branches-ignore", "tags",
                                          "tags-ignore", "paths",           "paths-ignore"};
    static const char *const words[] = {"refs/tags", "ref_type", "ref_name", NULL};
    const wpa_outline_trigger *push = wpa_outline_trigger_find(o, "push");
    const wpa_graph *graph = run->source->around ? run->source->around->graph : NULL;
    bool is_open = push && graph && is_plain_work(o) && !wpa_work_ships(run) &&
                   !wpa_work_mentions_any(o->root, words);
    for (size_t i = 0; is_open && i < WPA_COUNT(filters); i++) {
        is_open = !wpa_yaml_find(push->config, filters[i]);
    }
    for (size_t i = 0; is_open && i < wpa_graph_count(graph) && i < FILES_MAX; i++) {
        const wpa_graph_file *file = wpa_graph_at(graph, i);
        if (file->kind == WPA_INPUT_WORKFLOW &&
            !wpa_text_is(file->path, wpa_source_identity(run->source)) && is_by_tag(run, file)) {
            wpa_finding *finding = wpa_rule_report(
                run, push->node->span, "B2", NULL,
                "a tag builds again what was built as a commit of its branch; releases have a "
                "workflow of their own");
            const wpa_source *other = wpa_rule_source_at(run, file->path);
            if (other && other->outline->on) {
                wpa_rule_relate_in(run, finding, other, other->outline->on->key->span,
                                   "runs for the tag");
            }
            return;
        }
    }
}

/* ---- B4 ---- */

static bool skips_all(const wpa_outline_job *job)
{
    size_t n_guarded = 0;
    for (size_t i = 0; i < job->n_steps; i++) {
        n_guarded += wpa_work_mentions(job->steps[i].condition, "github.event");
    }
    return !job->condition && job->n_steps > 0 && n_guarded == job->n_steps;
}

static void check_skips(wpa_rule_run *run, const wpa_outline *o)
{
    static const char *const often[] = {"issue_comment", "workflow_run", "check_suite",
                                        "check_run",     "status",       NULL};
    for (size_t i = 0; wpa_outline_only_triggers(o, often) && i < o->n_jobs; i++) {
        if (skips_all(&o->jobs[i]) && !wpa_yaml_find(o->jobs[i].node, "needs")) {
            (void)wpa_rule_report(run, o->jobs[i].key->span, "B4", NULL,
                                  "each event starts a runner whose steps are all skipped: the "
                                  "test belongs to the job");
        }
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    const wpa_outline_trigger *t = wpa_outline_trigger_find(o, "pull_request");
    if (t && is_plain_work(o)) {
        check_types(run, o, t);
        check_drafts(run, o, t);
        check_heavy(run, o, t);
    }
    check_tags(run, o);
    check_skips(run, o);
    return true;
}

/* Drafts skip the jobs that wait for no other; those that do are skipped with them. */
static void repair_drafts(wpa_rule_run *run, wpa_finding *finding)
{
    const wpa_outline *o = run->source->outline;
    wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "skip drafts");
    for (size_t i = 0; i < o->n_jobs; i++) {
        const wpa_outline_job *job = &o->jobs[i];
        const wpa_yaml_pair *first = wpa_yaml_find(job->node, "runs-on");
        if (wpa_yaml_find(job->node, "needs")) {
            continue;
        }
        if (job->condition || !first) {
            return; /* how the two go together a person must say */
        }
    }
    for (size_t i = 0; i < o->n_jobs; i++) {
        const wpa_yaml_pair *runs_on = wpa_yaml_find(o->jobs[i].node, "runs-on");
        if (!wpa_yaml_find(o->jobs[i].node, "needs")) {
            (void)wpa_rule_insert_before(run, fix, runs_on->value,
                                         "if: ${{ !github.event.pull_request.draft }}");
        }
    }
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const wpa_yaml_node *item = finding->subject;
    if (item && wpa_text_is(finding->check, "B3")) {
        repair_drafts(run, finding);
    } else if (item) {
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "do not run for it");
        (void)wpa_rule_remove_entry(run, fix, item);
    }
}

const wpa_rule wpa_rule_broad_trigger = {
    .code = "EFF-017",
    .id = "broad-trigger",
    .dimension = WPA_DIMENSION_EFFICIENCY,
    .kind = WPA_KIND_INEFFICIENCY,
    .severity = WPA_SEVERITY_LOW,
    .confidence = WPA_CONFIDENCE_MEDIUM,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "Events start a workflow that does nothing new for them",
    .why = "Each label or draft commit runs everything, or a runner starts only to skip.",
    .fix = "Drop types that nothing reads, test for drafts, put the test on the job.",
    .options = options,
    .checks = (const char *const[]){"B1", "B2", "B3", "B4", NULL},
    .declares = WPA_DECLARES_TRIGGERS,
    .check = check,
    .repair = repair,
};
