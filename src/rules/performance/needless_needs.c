/* PRF-011: a job waits for another one of which it uses nothing. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "rules/caches.h"
#include "rules/jobs.h"
#include "rules/work.h"

#define NEEDS_MAX 64
#define COST_FACTOR 5 /* from here on a gate may be meant */

typedef struct subject {
    const wpa_outline_job *job;
    wpa_work_need need;
} subject;

/* ---- what one job hands to another ---- */

/* Ends however the others did: it is there to see how. */
static bool is_aggregator(const wpa_outline_job *job)
{
    static const char *const tests[] = {"always()", "failure()", "cancelled()", "result", NULL};
    return wpa_work_mentions_any(job->condition, tests) || !wpa_work_is_real(job);
}

static bool has_step(const wpa_outline_job *job, const char *const slugs[])
{
    for (size_t i = 0; i < job->n_steps; i++) {
        for (size_t k = 0; slugs[k]; k++) {
            if (wpa_outline_step_uses(&job->steps[i], slugs[k])) {
                return true;
            }
        }
    }
    return false;
}

/* Leaves something in the world, or a place in a queue, that a later job may find there. */
static bool leaves_something(const wpa_outline_job *job)
{
    /* What it finds out is whether the program may be run that the next job runs. */
    static const char *const trust[] = {"gradle/actions/wrapper-validation",
                                        "gradle/wrapper-validation-action", NULL};
    static const char *const words[] = {
        "push: true",          "docker push",  "git push", "git tag", "workflow_dispatch",
        "repository_dispatch", "kubectl",      "aws ",     "gcloud ", "az ",
        "gh release",          "outputs=type", NULL};
    return job->is_call || has_step(job, trust) || wpa_work_job_ships(job) ||
           wpa_yaml_find(job->node, "concurrency") || wpa_work_mentions_any(job->node, words);
}

static bool uploads(const wpa_outline_job *job)
{
    static const char *const slugs[] = {"actions/upload-artifact", "actions/upload-pages-artifact",
                                        "actions/upload-artifact/merge", NULL};
    return has_step(job, slugs);
}

static bool downloads(const wpa_outline_job *job)
{
    static const char *const slugs[] = {"actions/download-artifact", "actions/deploy-pages",
                                        "dawidd6/action-download-artifact", NULL};
    return has_step(job, slugs) || wpa_work_mentions(job->node, "gh run download") ||
           wpa_work_mentions(job->node, "getArtifact");
}

static bool saves_cache(const wpa_outline_step *step)
{
    size_t at = 0;
    const wpa_fact_cache *cache;
    while ((cache = wpa_caches_next(step, &at))) {
        wpa_cache_state state = wpa_caches_state(step, cache);
        if (state == WPA_CACHE_STATE_ON || state == WPA_CACHE_STATE_UNKNOWN) {
            return true;
        }
    }
    return false;
}

/* Is a step of the job given this key? "shared-key" is that of one action's caches of many jobs. */
static bool has_key(const wpa_outline_job *job, const char *input, const char *key)
{
    for (size_t i = 0; i < job->n_steps; i++) {
        const char *other = wpa_outline_with_text(&job->steps[i], input);
        if (other && wpa_text_is(key, other)) {
            return true;
        }
    }
    return false;
}

/* The first fills a cache from which the second starts: the same key in both, or layers of images.
 */
static bool shares_cache(const wpa_outline_job *a, const wpa_outline_job *b)
{
    static const char *const inputs[] = {"key", "shared-key"};
    for (size_t i = 0; i < a->n_steps; i++) {
        for (size_t k = 0; k < WPA_COUNT(inputs); k++) {
            const char *key = wpa_outline_with_text(&a->steps[i], inputs[k]);
            if (key && has_key(b, inputs[k], key) && saves_cache(&a->steps[i])) {
                return true;
            }
        }
    }
    return wpa_work_mentions(a->node, "cache-to") && wpa_work_mentions(b->node, "cache-from");
}

/* ---- the shape of the graph ---- */

/* What is asked of a job once for each edge that it is part of. */
typedef struct member {
    wpa_work_need *needs;
    size_t n_needs;
    bool uploads;
    bool leaves, has_left; /* known once has_left is set */
    bool is_gate, has_gate;
    bool uploads_before; /* itself, or one that it waits for */
    /* Of those that need others, once they are asked: */
    bool downloads;
    bool reads_all;       /* of its needs, or by names that are not written out */
    const wpa_map *reads; /* ids behind "needs." */
} member;

/* Which jobs each job waits for, directly or not. */
typedef struct order {
    const wpa_outline *o;
    bool *reach; /* [n_jobs * n_jobs] */
    member *members;
} order;

static member *member_of(const order *g, const wpa_outline_job *job)
{
    return &g->members[job - g->o->jobs];
}

static void reach_from(const order *g, size_t from, const wpa_outline_job *job)
{
    const member *m = member_of(g, job);
    for (size_t i = 0; i < m->n_needs; i++) {
        const wpa_outline_job *needed = m->needs[i].job;
        bool *seen = needed ? &g->reach[from * g->o->n_jobs + (size_t)(needed - g->o->jobs)] : NULL;
        if (seen && !*seen) {
            *seen = true;
            reach_from(g, from, needed);
        }
    }
}

static bool reaches(const order *g, const wpa_outline_job *a, const wpa_outline_job *b)
{
    return g->reach[(size_t)(a - g->o->jobs) * g->o->n_jobs + (size_t)(b - g->o->jobs)];
}

/* Ids are compared without case. */
static const char *lower_of(wpa_arena *arena, const char *id, size_t length)
{
    char *text = wpa_arena_alloc(arena, length + 1);
    for (size_t i = 0; i < length; i++) {
        text[i] = (char)tolower((unsigned char)id[i]);
    }
    text[length] = '\0';
    return text;
}

/* The ids that the job's text names as "needs.<id>", in lower case. */
static const wpa_map *read_mentions(const wpa_outline_job *job, wpa_arena *arena)
{
    static const char word[] = "needs.";
    wpa_map *ids = wpa_map_new(arena);
    wpa_slice text = wpa_work_text(job->node);
    const char *at = text.at, *end = text.at + text.length;
    while ((at = wpa_text_find_ci(at, (size_t)(end - at), word))) {
        const char *start = at + sizeof word - 1;
        for (at = start; at < end && (isalnum((unsigned char)*at) || *at == '_' || *at == '-');) {
            at++;
        }
        wpa_map_put(ids, lower_of(arena, start, (size_t)(at - start)), ids);
    }
    return ids;
}

static void read_member(wpa_rule_run *run, const wpa_outline *o, const wpa_outline_job *job,
                        member *m)
{
    wpa_work_need needs[NEEDS_MAX];
    m->n_needs = wpa_work_needs(o, job, needs, NEEDS_MAX);
    m->needs = wpa_arena_array(run->arena, m->n_needs + 1, sizeof *needs);
    memcpy(m->needs, needs, m->n_needs * sizeof *needs);
    m->uploads = job->is_call || uploads(job);
}

static void read_uses(wpa_rule_run *run, const wpa_outline_job *job, member *m)
{
    static const char *const all[] = {"needs.*", "toJSON(needs", "needs[", NULL};
    if (!m->reads) {
        m->downloads = downloads(job);
        m->reads_all = wpa_work_mentions_any(job->node, all);
        m->reads = read_mentions(job, run->arena);
    }
}

static order read_order(wpa_rule_run *run, const wpa_outline *o)
{
    order g = {o, wpa_arena_array(run->arena, o->n_jobs * o->n_jobs + 1, sizeof *g.reach),
               wpa_arena_array(run->arena, o->n_jobs + 1, sizeof *g.members)};
    for (size_t i = 0; i < o->n_jobs; i++) {
        read_member(run, o, &o->jobs[i], &g.members[i]);
    }
    for (size_t i = 0; i < o->n_jobs; i++) {
        member *m = &g.members[i];
        reach_from(&g, i, &o->jobs[i]);
        for (size_t k = 0; k < o->n_jobs && !m->uploads_before; k++) {
            m->uploads_before =
                g.members[k].uploads && (k == i || reaches(&g, &o->jobs[i], &o->jobs[k]));
        }
    }
    return g;
}

/* Another of its needs waits for the same job: without this edge nothing starts earlier. */
static bool is_transitive(const order *g, const wpa_outline_job *job, const wpa_outline_job *needed)
{
    const member *m = member_of(g, job);
    for (size_t i = 0; i < m->n_needs; i++) {
        const wpa_outline_job *other = m->needs[i].job;
        if (other && other != needed && reaches(g, other, needed)) {
            return true;
        }
    }
    return false;
}

static bool leaves(const order *g, const wpa_outline_job *job)
{
    member *m = member_of(g, job);
    if (!m->has_left) {
        m->leaves = leaves_something(job);
        m->has_left = true;
    }
    return m->leaves;
}

/* A quick look at the sources that spares the rest when it fails. */
static bool is_gate(const order *g, const wpa_outline_job *job)
{
    member *m = member_of(g, job);
    if (!m->has_gate) {
        static const char *const looks[] = {"lint", "format", "fmt", "style", "typecheck", NULL};
        unsigned roles = wpa_work_job_roles(job);
        m->is_gate = !(roles & (unsigned)(WPA_DOES_TEST | WPA_DOES_BUILD)) ||
                     wpa_work_has_word(job->id, looks) || wpa_work_has_unknown(job);
        m->has_gate = true;
    }
    return m->is_gate;
}

/* Runners' money for a minute of all its legs. */
static size_t cost_of(wpa_rule_run *run, const wpa_outline_job *job)
{
    size_t n_legs = wpa_work_legs(run, job, run->arena).n;
    return (n_legs ? n_legs : 1) * wpa_work_rate(run, job);
}

/* Much that need not be spent where the first fails. */
static bool is_spared(wpa_rule_run *run, const wpa_outline_job *job, const wpa_outline_job *needed)
{
    size_t cost = cost_of(run, needed);
    return cost && cost_of(run, job) >= COST_FACTOR * cost;
}

/* May it be meant to wait? */
static bool is_minor(wpa_rule_run *run, const order *g, const wpa_outline_job *job,
                     const wpa_outline_job *needed)
{
    return is_gate(g, needed) || is_spared(run, job, needed);
}

static void check_need(wpa_rule_run *run, const order *g, const wpa_outline_job *job,
                       const wpa_work_need *need)
{
    member *own = member_of(g, job), *other = member_of(g, need->job);
    bool is_for_all = wpa_rule_is_wanted(run, WPA_PERSONA_PEDANTIC);
    if (is_transitive(g, job, need->job) || (!is_for_all && is_minor(run, g, job, need->job))) {
        return;
    }
    read_uses(run, job, own);
    if (own->reads_all ||
        wpa_map_has(own->reads, lower_of(run->arena, need->id, strlen(need->id))) ||
        (own->downloads && other->uploads_before) || shares_cache(need->job, job) ||
        leaves(g, need->job)) {
        return;
    }
    subject *s = wpa_arena_alloc(run->arena, sizeof *s);
    *s = (subject){job, *need};
    wpa_finding *finding = wpa_rule_report(
        run, need->node->span, NULL, s,
        "job %s waits for %s and uses nothing of it: they could run at the same time",
        wpa_rule_quote(run, job->id, strlen(job->id)),
        wpa_rule_quote(run, need->id, strlen(need->id)));
    if (need->job->key) {
        wpa_rule_relate(run, finding, need->job->key->span, "the job it waits for");
    }
    if (is_for_all && is_minor(run, g, job, need->job)) {
        finding->persona = WPA_PERSONA_PEDANTIC;
        finding->confidence = WPA_CONFIDENCE_LOW;
    }
}

static bool has_needs(const wpa_outline *o)
{
    for (size_t i = 0; i < o->n_jobs; i++) {
        if (wpa_yaml_find(o->jobs[i].node, "needs")) {
            return true;
        }
    }
    return false;
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    if (!has_needs(o) || wpa_work_is_large(o) || wpa_work_ships(run)) {
        return true;
    }
    order g = read_order(run, o);
    for (size_t i = 0; i < o->n_jobs; i++) {
        const wpa_outline_job *job = &o->jobs[i];
        const member *m = &g.members[i];
        bool may_wait = m->n_needs == 0 || job->is_call || is_aggregator(job) || leaves(&g, job);
        for (size_t k = 0; k < m->n_needs && !may_wait; k++) {
            if (m->needs[k].job && m->needs[k].job != job) {
                check_need(run, &g, job, &m->needs[k]);
            }
        }
    }
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const subject *s = finding->subject;
    if (finding->confidence != WPA_CONFIDENCE_LOW) { /* what may be meant a person must say */
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "do not wait for it");
        wpa_jobs_drop_need(run, fix, s->need.node);
    }
}

const wpa_rule wpa_rule_needless_needs = {
    .code = "PRF-011",
    .id = "needless-needs",
    .dimension = WPA_DIMENSION_PERFORMANCE,
    .kind = WPA_KIND_INEFFICIENCY,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_MEDIUM,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "A job waits for another one of which it uses nothing",
    .why = "The run takes as long as both together where it could take as long as the longer one.",
    .fix = "Remove the edge, unless the first is there to spare the second.",
    .tables = 1U << WPA_FACTS_CACHES | 1U << WPA_FACTS_COMMANDS,
    .declares = WPA_DECLARES_JOBS,
    .check = check,
    .repair = repair,
};
