/* PRF-007: a setup action could keep the dependencies between runs, and is not asked to. */
#include <string.h>

#include "rules/caches.h"
#include "rules/pin.h"
#include "rules/work.h"

#define NEEDS_MAX 64

typedef struct subject {
    const wpa_outline_step *step;
    const wpa_outline_step *install;
    const wpa_shell_command *command;
    const wpa_fact_cache *cache;
} subject;

/* Does another step of the job keep the same folder, or set the tool up with a cache of its own? */
static bool is_cached_elsewhere(const wpa_outline_step *setup, const wpa_fact_cache *cache)
{
    const wpa_outline_job *job = setup->job;
    static const char *const own[] = {"gradle/actions/setup-gradle", "gradle/gradle-build-action",
                                      "bahmutov/npm-install", "cypress-io/github-action"};
    for (size_t i = 0; i < job->n_steps; i++) {
        const wpa_outline_step *step = &job->steps[i];
        for (size_t k = 0; k < WPA_COUNT(own); k++) {
            if (wpa_outline_step_uses(step, own[k])) {
                return true;
            }
        }
        size_t at = 0;
        const wpa_fact_cache *other;
        while ((other = wpa_caches_next(step, &at))) {
            wpa_cache_state state = wpa_caches_state(step, other);
            if (step != setup && wpa_text_is(other->manager, cache->manager) &&
                state != WPA_CACHE_STATE_OFF) {
                return true;
            }
        }
        const char *path = wpa_outline_with_text(step, "path");
        bool is_cache = step->uses.kind == WPA_OUTLINE_REPOSITORY &&
                        wpa_text_find_ci(step->uses.node->text, step->uses.node->length, "cache");
        bool holds_installed = path && (strstr(path, "node_modules") || strstr(path, "venv"));
        if (is_cache && (!path || wpa_caches_covers(cache, path) || holds_installed ||
                         strstr(path, cache->manager) || wpa_outline_has_expression(path))) {
            return true;
        }
    }
    return false;
}

/* For tags, and at most by hand beside them: what it builds is a release. */
static bool is_for_tags(const wpa_outline *o)
{
    static const char *const rare[] = {"push", "workflow_dispatch", NULL};
    const wpa_outline_trigger *push = wpa_outline_trigger_find(o, "push");
    return push && wpa_yaml_find(push->config, "tags") &&
           !wpa_yaml_find(push->config, "branches") && wpa_outline_only_triggers(o, rare);
}

static bool has_words(const wpa_outline_job *job, const char *const words[])
{
    for (size_t i = 0; i < job->n_steps; i++) {
        const wpa_yaml_node *node = job->steps[i].run ? job->steps[i].run : job->steps[i].uses.node;
        for (size_t k = 0; node && words[k]; k++) {
            if (wpa_yaml_may_hold(node->doc, words[k]) &&
                wpa_text_find_ci(node->text, node->length, words[k])) {
                return true;
            }
        }
    }
    return false;
}

/* Does a job that waits for this one publish what this one uploads? */
static bool is_published_later(const wpa_outline *o, const wpa_outline_job *job,
                               const char *const words[])
{
    static const char *const upload[] = {"actions/upload-artifact", NULL};
    for (size_t i = 0; has_words(job, upload) && i < o->n_jobs; i++) {
        wpa_work_need needs[NEEDS_MAX];
        size_t n = wpa_work_needs(o, &o->jobs[i], needs, NEEDS_MAX);
        for (size_t k = 0; k < n; k++) {
            if (needs[k].job == job && has_words(&o->jobs[i], words)) {
                return true;
            }
        }
    }
    return false;
}

/* What is published must not come out of a cache that others can write. */
static bool publishes(const wpa_outline *o, const wpa_outline_job *job)
{
    static const char *const words[] = {"publish", "release", "deploy", "twine", NULL};
    return is_for_tags(o) || wpa_outline_trigger_find(o, "release") ||
           o->trust == WPA_TRUST_OUTSIDER_PRIVILEGED || has_words(job, words) ||
           is_published_later(o, job, words);
}

/* The lockfile by which the cache would be kept; where the tree is not known, the install tells of
 * it, but for managers whose projects mostly have none. */
static bool has_lockfile(const wpa_rule_run *run, const wpa_fact_cache *cache)
{
    static const char *const seldom[] = {"nuget", "deno", "pub"};
    const wpa_surroundings *around = run->source->around;
    for (size_t i = 0; cache->lockfiles[i]; i++) {
        if (around && around->has_paths
                ? wpa_surroundings_has(around, cache->lockfiles[i])
                : wpa_work_mentions(run->source->outline->root, cache->lockfiles[i])) {
            return true;
        }
    }
    return !(around && around->has_paths) &&
           wpa_text_index(cache->manager, seldom, WPA_COUNT(seldom)) < 0;
}

/* The pnpm action has the input only in late releases, and setup-node does the same. */
static bool is_better_elsewhere(const wpa_outline_step *step)
{
    bool is_pnpm = wpa_outline_step_uses(step, "pnpm/action-setup");
    for (size_t i = 0; is_pnpm && i < step->job->n_steps; i++) {
        if (wpa_outline_step_uses(&step->job->steps[i], "actions/setup-node")) {
            return true;
        }
    }
    return is_pnpm && wpa_outline_major(&step->uses) < 5;
}

/* Off by itself where package.json does not name the package manager. */
static bool is_off(wpa_rule_run *run, const wpa_outline_step *step, const wpa_fact_cache *cache)
{
    size_t size;
    wpa_cache_state state = wpa_caches_state(step, cache);
    if (state != WPA_CACHE_STATE_UNKNOWN || cache->by_default != WPA_CACHE_PACKAGE_MANAGER ||
        wpa_outline_with(step, cache->input) || wpa_outline_major(&step->uses) < 0) {
        return state == WPA_CACHE_STATE_OFF;
    }
    const char *package = wpa_surroundings_read(run->source->around, "package.json",
                                                (size_t)1024 * 1024, run->arena, &size);
    return package && !strstr(package, "\"packageManager\"") && !strstr(package, "\"devEngines\"");
}

static const wpa_outline_step *find_install(const wpa_outline_step *setup,
                                            const wpa_fact_cache *cache,
                                            const wpa_shell_command **command)
{
    for (size_t i = setup->index + 1; i < setup->job->n_steps; i++) {
        *command = wpa_caches_install(&setup->job->steps[i], cache);
        if (*command) {
            return &setup->job->steps[i];
        }
    }
    return NULL;
}

/* A job while its steps are looked at: whether it publishes is asked where that matters. */
typedef struct place {
    const wpa_outline_job *job;
    bool is_asked, publishes;
} place;

static bool is_published(const wpa_rule_run *run, place *at)
{
    at->publishes = at->is_asked ? at->publishes : publishes(run->source->outline, at->job);
    at->is_asked = true;
    return at->publishes;
}

/* setup-go goes on without a cache where it finds no lockfile to name it by. */
static bool is_in_vain(const wpa_outline_step *step, const wpa_fact_cache *cache)
{
    return wpa_outline_step_uses(step, "actions/setup-go") &&
           wpa_caches_state(step, cache) == WPA_CACHE_STATE_ON && wpa_work_is_before_checkout(step);
}

static void check_early(wpa_rule_run *run, place *at_job, const wpa_outline_step *step,
                        const wpa_fact_cache *cache)
{
    const wpa_shell_command *command = NULL;
    const wpa_outline_step *install = find_install(step, cache, &command);
    if (install && has_lockfile(run, cache) && !is_cached_elsewhere(step, cache) &&
        !is_published(run, at_job)) {
        wpa_finding *finding = wpa_rule_report(
            run, step->uses.span, NULL, NULL,
            "every run downloads the dependencies anew: before the checkout there is no lockfile "
            "to name a cache by; set up behind it");
        wpa_rule_relate(run, finding, install->run->span, "installs them here");
    }
}

static void check_step(wpa_rule_run *run, place *at_job, const wpa_outline_step *step)
{
    size_t at = 0;
    const wpa_fact_cache *cache;
    while ((cache = wpa_caches_next(step, &at))) {
        if (is_in_vain(step, cache)) {
            check_early(run, at_job, step, cache);
            return;
        }
        const char *given = cache->input ? wpa_outline_with_text(step, cache->input) : NULL;
        const wpa_shell_command *command = NULL;
        bool is_asked = given && *given; /* for another manager, or switched off on purpose */
        if (is_asked || !cache->input || !is_off(run, step, cache)) {
            continue;
        }
        const wpa_outline_step *install = find_install(step, cache, &command);
        bool is_missing = install && has_lockfile(run, cache) && !is_better_elsewhere(step) &&
                          !is_cached_elsewhere(step, cache);
        if (is_missing && is_published(run, at_job)) {
            return;
        }
        if (is_missing) {
            subject *s = wpa_arena_alloc(run->arena, sizeof *s);
            *s = (subject){step, install, command, cache};
            wpa_finding *finding = wpa_rule_report(
                run, step->uses.span, NULL, s,
                "every run downloads the dependencies anew: %s keeps them with '%s: %s'",
                wpa_rule_quote_uses(run, &step->uses), cache->input, cache->on);
            wpa_rule_relate(run, finding, install->run->span, "installs them here");
            return;
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
        const wpa_outline_job *job = &o->jobs[i];
        bool is_exempt =
            job->is_self_hosted || job->has_open_labels || wpa_yaml_find(job->node, "container");
        place at = {.job = job};
        for (size_t k = 0; !is_exempt && k < job->n_steps; k++) {
            check_step(run, &at, &job->steps[k]);
        }
    }
    return true;
}

/* The cache of pnpm needs pnpm to be there before. */
static bool is_ready(const subject *s)
{
    if (!wpa_text_is(s->cache->manager, "pnpm") ||
        wpa_outline_step_uses(s->step, "pnpm/action-setup")) {
        return true;
    }
    for (size_t i = 0; i < s->step->index; i++) {
        if (wpa_outline_step_uses(&s->step->job->steps[i], "pnpm/action-setup")) {
            return true;
        }
    }
    return false;
}

/* The action looks for the lockfile at the root: is the install done there, from such a file? */
static bool is_at_root(const wpa_rule_run *run, const subject *s)
{
    const wpa_yaml_node *scopes[] = {s->step->job->node, run->source->outline->root};
    if (wpa_yaml_find(s->install->node, "working-directory")) {
        return false;
    }
    for (size_t i = 0; i < WPA_COUNT(scopes); i++) {
        const wpa_yaml_node *defaults = wpa_yaml_get(wpa_yaml_get(scopes[i], "defaults"), "run");
        if (wpa_yaml_find(defaults, "working-directory")) {
            return false;
        }
    }
    for (size_t i = 0; i < s->install->script->n_commands; i++) {
        const wpa_shell_command *c = &s->install->script->commands[i];
        bool is_elsewhere = wpa_text_is(c->name, "cd") || wpa_text_is(c->name, "pushd") ||
                            wpa_shell_word_find(c, "--prefix") || wpa_shell_word_find(c, "--cwd") ||
                            wpa_shell_word_find(c, "-C");
        /* "pip install -r other.txt": the action would look at requirements.txt. */
        bool is_other_file = c == s->command && wpa_shell_word_find(c, "-r") &&
                             !wpa_shell_word_find(c, s->cache->lockfiles[0]);
        if (is_elsewhere || is_other_file) {
            return false;
        }
    }
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const subject *s = finding->subject;
    if (s && is_ready(s) && is_at_root(run, s)) {
        wpa_fix *fix =
            wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "add %s: %s", s->cache->input, s->cache->on);
        (void)wpa_rule_add_in(run, fix, s->step->node, "with", "uses", s->cache->input,
                              s->cache->on);
    }
}

const wpa_rule wpa_rule_missing_dependency_cache = {
    .code = "PRF-007",
    .id = "missing-dependency-cache",
    .dimension = WPA_DIMENSION_PERFORMANCE,
    .kind = WPA_KIND_INEFFICIENCY,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "Dependencies are downloaded anew by every run",
    .why = "The setup action offers a cache by lockfile, and it is off.",
    .fix = "Switch the cache of the setup action on.",
    .tables = 1U << WPA_FACTS_ACTIONS | 1U << WPA_FACTS_CACHES,
    .declares = WPA_DECLARES_CACHE,
    .claims_absence = true,
    .check = check,
    .repair = repair,
};
