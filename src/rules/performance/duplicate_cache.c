/* PRF-009: one folder is cached by two steps of a job. */
#include <string.h>

#include "rules/caches.h"
#include "rules/site.h"
#include "rules/work.h"

/* A cache that is on: of which step, and by which row of the table. */
typedef struct kept {
    const wpa_outline_step *step; /* of the file under analysis */
    const wpa_fact_cache *cache;
    const char *paths; /* of a cache step: what it names; else NULL */
    bool is_local;     /* by way of a local action */
} kept;

#define KEPT_MAX 64

typedef struct kept_list {
    kept items[KEPT_MAX];
    size_t n;
} kept_list;

static void add(kept_list *list, kept item)
{
    if (list->n < KEPT_MAX) {
        list->items[list->n++] = item;
    }
}

/* A key of the run is saved each time: it keeps what grows, which a setup saves but once. */
static bool is_of_run(const wpa_outline_step *step)
{
    static const char *const words[] = {"github.run_id", "github.run_number", "github.sha", NULL};
    return wpa_work_mentions_any(wpa_outline_with(step, "key"), words);
}

/* What a step keeps, said of a step of this file that stands for it. */
static void add_step(kept_list *list, const wpa_outline_step *step, const wpa_outline_step *at)
{
    size_t i = 0;
    const wpa_fact_cache *cache;
    while ((cache = wpa_caches_next(step, &i))) {
        bool is_manual = !*cache->manager;
        /* Before the tree is there, a setup finds no lockfile to name its cache by. */
        bool is_none = is_manual ? is_of_run(step) : wpa_work_is_before_checkout(at);
        if (is_none || wpa_caches_state(step, cache) != WPA_CACHE_STATE_ON) {
            continue;
        }
        const char *paths = is_manual ? wpa_outline_with_text(step, "path") : NULL;
        if (!is_manual || (paths && !wpa_outline_has_expression(paths))) {
            add(list, (kept){at, cache, paths, at != step});
        }
    }
}

/* A local composite action keeps what its steps keep. */
static void add_local(wpa_rule_run *run, kept_list *list, const wpa_outline_step *step)
{
    const wpa_source *source = wpa_site_callee(run, &step->uses);
    for (size_t i = 0; source && i < source->outline->n_jobs; i++) {
        for (size_t k = 0; k < source->outline->jobs[i].n_steps; k++) {
            add_step(list, &source->outline->jobs[i].steps[k], step);
        }
    }
}

static bool share_folder(const wpa_fact_cache *a, const wpa_fact_cache *b)
{
    for (size_t i = 0; a->paths[i]; i++) {
        if (wpa_caches_covers(b, a->paths[i])) {
            return true;
        }
    }
    return false;
}

static bool is_same(const kept *a, const kept *b)
{
    if (a->paths && b->paths) {
        return wpa_text_is(a->paths, b->paths);
    }
    return a->paths   ? wpa_caches_covers(b->cache, a->paths)
           : b->paths ? wpa_caches_covers(a->cache, b->paths)
                      : share_folder(a->cache, b->cache);
}

/* Either runs, never both, as far as the conditions tell; or one action is called twice. */
static bool is_no_pair(const kept *a, const kept *b)
{
    bool is_again = !a->paths && !b->paths && wpa_text_is(a->cache->action, b->cache->action);
    return a->step == b->step || (a->step->condition && b->step->condition) || is_again ||
           (a->is_local && b->is_local);
}

static void check_job(wpa_rule_run *run, const wpa_outline_job *job)
{
    kept_list list;
    list.n = 0; /* all else is written before it is read */
    for (size_t i = 0; i < job->n_steps; i++) {
        add_step(&list, &job->steps[i], &job->steps[i]);
        add_local(run, &list, &job->steps[i]);
    }
    for (size_t i = 0; i < list.n; i++) {
        for (size_t k = 0; k < i; k++) {
            const kept *first = &list.items[k], *second = &list.items[i];
            if (is_no_pair(first, second) || !is_same(first, second)) {
                continue;
            }
            const kept *manual = first->paths && !second->paths ? first : second;
            const kept *other = manual == first ? second : first;
            wpa_finding *finding = wpa_rule_report(run, manual->step->uses.span, NULL, manual->step,
                                                   "this folder is cached twice: %s keeps it too",
                                                   other->cache->action);
            wpa_rule_relate(run, finding, other->step->uses.span, "keeps it too");
            break;
        }
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    if (wpa_work_is_large(o)) {
        return true;
    }
    for (size_t i = 0; i < o->n_jobs; i++) {
        check_job(run, &o->jobs[i]);
    }
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const wpa_outline_step *step = finding->subject;
    if (wpa_outline_step_uses(step, "actions/cache") && !step->id) {
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "remove this cache");
        (void)wpa_rule_remove_entry(run, fix, step->node);
    }
}

const wpa_rule wpa_rule_duplicate_cache = {
    .code = "PRF-009",
    .id = "duplicate-cache",
    .dimension = WPA_DIMENSION_PERFORMANCE,
    .kind = WPA_KIND_INEFFICIENCY,
    .severity = WPA_SEVERITY_LOW,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "Two steps of a job cache the same folder",
    .why = "It is downloaded and saved twice, and takes twice its room in the repository's quota.",
    .fix = "Keep the cache of the setup action, and remove the other with its key.",
    .tables = 1U << WPA_FACTS_CACHES,
    .declares = WPA_DECLARES_CACHE,
    .check = check,
    .repair = repair,
};
