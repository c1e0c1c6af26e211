#include "rules/trust.h"

#include <string.h>

#include "match/words.h"
#include "rules/graph.h"
#include "rules/own.h"
#include "rules/work.h"

#define KEY_BYTES 128

/* Callers that one question may lead to. */
#define FOLLOWED_MAX 200

/* ---- checks of membership by a step ------------------------------------------------------------
 */

/* What scripts call to ask for somebody's rights. */
static const char *const permission_calls[] = {
    "getCollaboratorPermissionLevel",
    "checkCollaborator",
    "checkMembershipForUser",
    "getMembershipForUserInOrg",
    "/permission",
    "author_association",
    "AUTHOR_ASSOCIATION",
    "checkMembershipForOrg",
    "getMembershipForUser",
    "/memberships/",
    "orgs/${ORG}/members/",
};

/* Does the script call one of them? Hardly any file holds one, and scripts are long. */
static bool asks(const wpa_yaml_doc *doc, const char *script)
{
    bool does = false;
    for (size_t i = 0; i < WPA_COUNT(permission_calls) && !does; i++) {
        does = wpa_yaml_may_hold(doc, permission_calls[i]) && strstr(script, permission_calls[i]);
    }
    return does;
}

static bool has_word(const char *text, const char *const words[], size_t n)
{
    return wpa_words_find_ci(text, strlen(text), words, n, NULL) != NULL;
}

/* Of all the words that follow, and in few names. */
static bool may_name_check(const char *text)
{
    static const char *const parts[] = {"check", "member", "authoriz", "verify-", "permission"};
    size_t length = strlen(text);
    bool may = false;
    for (size_t i = 0; i < WPA_COUNT(parts) && !may; i++) {
        may = wpa_text_find_ci(text, length, parts[i]) != NULL;
    }
    return may;
}

/* What actions and called workflows that ask for rights are named after; one that sets permissions
 * of files is named so too. */
static bool is_named_check(const wpa_outline_uses *uses)
{
    static const char *const words[] = {
        "membership", "check-user",  "authoriz",     "is-member",      "check-run.yml",
        "check-org",  "check-actor", "check-member", "check-run.yaml", "verify-actor"};
    static const char *const asking[] = {"check", "verif", "actor", "user", "require", "has-"};
    const char *text = uses->kind == WPA_OUTLINE_NONE ? NULL : wpa_yaml_text(uses->node);
    return text && may_name_check(text) &&
           (has_word(text, words, WPA_COUNT(words)) ||
            (wpa_text_seek_ci(text, "permission") && has_word(text, asking, WPA_COUNT(asking))));
}

/* Does the script do anything with what it has heard: stop, or tell a later step? */
static bool decides(const char *text)
{
    static const char *const words[] = {"exit",   "if",     "[[",        "case",           "grep",
                                        "test",   "&&",     "throw",     "return",         "assert",
                                        "OUTPUT", "Output", "setFailed", "exportVariable", "_ENV"};
    return wpa_words_find(text, strlen(text), words, WPA_COUNT(words), NULL) != NULL;
}

bool wpa_trust_step_checks_members(const wpa_outline_step *step)
{
    if (wpa_outline_uses_trait(step, WPA_TRAIT_MEMBER_CHECK)) {
        return !wpa_outline_with(step, "allowed_non_write_users");
    }
    if (is_named_check(&step->uses)) {
        return true;
    }
    const wpa_yaml_node *script = step->run ? step->run : wpa_outline_with(step, "script");
    const char *text = step->run ? step->run->text : wpa_yaml_text(script);
    return text && asks(script->doc, text) && decides(text);
}

static wpa_trust_guard stronger(wpa_trust_guard a, wpa_trust_guard b)
{
    return a > b ? a : b;
}

/* ---- answers that are asked for again and again ---- */

static wpa_map *memo_of(wpa_rule_run *run)
{
    run->memo = run->memo ? run->memo : wpa_map_new(run->lasting);
    return run->memo;
}

/* A thing under a question, as a key. */
static const char *key_of(char key[KEY_BYTES], const char *question, const void *thing,
                          const char *event)
{
    char address[WPA_SITE_KEY_SIZE];
    wpa_site_key(address, *question, thing, NULL);
    size_t length = strlen(address), n = strlen(event);
    n = n < KEY_BYTES - length - 1 ? n : KEY_BYTES - length - 1;
    memcpy(key, address, length);
    memcpy(key + length, event, n);
    key[length + n] = '\0';
    return key;
}

static bool recall(wpa_rule_run *run, const char *key, wpa_trust_guard *guard)
{
    uintptr_t value = (uintptr_t)wpa_map_get(memo_of(run), key);
    *guard = value ? (wpa_trust_guard)(value - 1) : WPA_GUARD_NONE;
    return value != 0;
}

static void remember(wpa_rule_run *run, const char *key, wpa_trust_guard guard)
{
    wpa_map_put(memo_of(run), key, (void *)(uintptr_t)((unsigned)guard + 1));
}

static wpa_trust_guard condition_once(wpa_rule_run *run, const wpa_source *source,
                                      const wpa_yaml_node *condition, const char *event)
{
    char key[KEY_BYTES];
    wpa_trust_guard guard;
    const char *question = run->asks_for_thread ? "C" : "c";
    if (condition && !recall(run, key_of(key, question, condition, event), &guard)) {
        guard = wpa_trust_condition(source, condition, event, run->asks_for_thread);
        remember(run, key, guard);
    }
    return condition ? guard : WPA_GUARD_NONE;
}

static size_t find_check(const wpa_outline_job *job)
{
    size_t i = 0;
    while (i < job->n_steps && !wpa_trust_step_checks_members(&job->steps[i])) {
        i++;
    }
    return i;
}

/* Jobs with fewer steps are as soon looked through again. */
#define KEPT_MIN_STEPS 3

/* Index of the first step that stops for strangers; the number of steps if none does. */
static size_t first_check(wpa_rule_run *run, const wpa_outline_job *job)
{
    char key[KEY_BYTES];
    if (job->n_steps < KEPT_MIN_STEPS) {
        return find_check(job);
    }
    uintptr_t known = (uintptr_t)wpa_map_get(memo_of(run), key_of(key, "s", job, ""));
    size_t i = known ? known - 1 : find_check(job);
    if (!known) {
        wpa_map_put(memo_of(run), key, (void *)(uintptr_t)(i + 1));
    }
    return i;
}

/* Steps that are looked at for whether they fail for strangers: such stand at the front. */
#define STOPS_MAX 8

/* "if: head.repo.fork" with "exit 1" among the first steps of the job: kept for the event. */
static wpa_trust_guard guard_of_stops(wpa_rule_run *run, const wpa_source *source,
                                      const wpa_outline_job *job, size_t n, const char *event)
{
    wpa_trust_guard guard = WPA_GUARD_NONE;
    n = wpa_yaml_get(job->node, "continue-on-error") ? 0 : n;
    for (size_t i = 0; i < n && i < STOPS_MAX; i++) {
        const wpa_outline_step *step = &job->steps[i];
        char key[KEY_BYTES];
        wpa_trust_guard own = WPA_GUARD_NONE;
        if (step->condition && step->run && !recall(run, key_of(key, "x", step, event), &own)) {
            own = wpa_trust_stop(source, step, event);
            remember(run, key, own);
        }
        guard = stronger(guard, own);
    }
    return guard;
}

/* Steps before this one (all of them for a job) that stop for strangers. */
static wpa_trust_guard guard_of_steps(wpa_rule_run *run, const wpa_source *source,
                                      const wpa_outline_job *job, const wpa_outline_step *before,
                                      const char *event)
{
    bool is_own = before && before->job == job;
    size_t n = is_own ? before->index : job->n_steps;
    if (is_named_check(&job->uses) || first_check(run, job) < n) {
        return WPA_GUARD_MEMBERS;
    }
    bool runs_anyway = is_own && wpa_work_runs_anyway(before->condition);
    return runs_anyway ? WPA_GUARD_NONE : guard_of_stops(run, source, job, n, event);
}

static wpa_trust_guard guard_of_job(wpa_rule_run *run, const wpa_source *source,
                                    const wpa_outline_job *job, const char *event, unsigned depth);

/* What keeps strangers from the jobs that this one waits for. */
static wpa_trust_guard guard_of_needs(wpa_rule_run *run, const wpa_source *source,
                                      const wpa_outline_job *job, const char *event, unsigned depth)
{
    wpa_trust_guard guard = WPA_GUARD_NONE;
    const wpa_yaml_node *needs = wpa_yaml_get(job->node, "needs");
    if (depth >= WPA_SITE_DEPTH_MAX || wpa_work_runs_anyway(job->condition) || !needs) {
        return guard;
    }
    size_t n = needs->kind == WPA_YAML_SEQUENCE ? needs->n_items : 1;
    for (size_t i = 0; i < n && i < 16; i++) {
        const char *id = wpa_yaml_text(needs->kind == WPA_YAML_SEQUENCE ? needs->items[i] : needs);
        const wpa_outline_job *other = id ? wpa_site_job(source, id) : NULL;
        if (other && other != job) {
            guard = stronger(guard, guard_of_job(run, source, other, event, depth + 1));
        }
    }
    return guard;
}

/* Of a whole job that another one waits for. */
static wpa_trust_guard guard_of_job(wpa_rule_run *run, const wpa_source *source,
                                    const wpa_outline_job *job, const char *event, unsigned depth)
{
    char key[KEY_BYTES];
    wpa_trust_guard guard;
    const char *question = run->asks_for_thread ? "J" : "j";
    if (!recall(run, key_of(key, question, job, event), &guard)) {
        remember(run, key, WPA_GUARD_NONE); /* for jobs that wait for each other */
        guard = condition_once(run, source, job->condition, event);
        guard = stronger(guard, guard_of_steps(run, source, job, NULL, event));
        guard = stronger(guard, guard_of_needs(run, source, job, event, depth));
        remember(run, key, guard);
    }
    return guard;
}

wpa_trust_guard wpa_trust_guard_of(wpa_rule_run *run, const wpa_site *site, const char *event)
{
    wpa_trust_guard guard = WPA_GUARD_NONE;
    if (site->step) {
        guard = condition_once(run, site->source, site->step->condition, event);
    }
    if (site->job) {
        guard = stronger(guard, condition_once(run, site->source, site->job->condition, event));
        guard = stronger(guard, guard_of_steps(run, site->source, site->job, site->step, event));
        guard = stronger(guard, guard_of_needs(run, site->source, site->job, event, 0));
    }
    return guard;
}

/* ---- triggers ----------------------------------------------------------------------------------
 */

static int badness(wpa_fact_trust trust)
{
    return trust == WPA_TRUST_OUTSIDER_PRIVILEGED ? 3 : trust == WPA_TRUST_OUTSIDER ? 2 : 1;
}

/* Can strangers start this workflow by any of its triggers? */
static bool outsiders_start(const wpa_graph_file *file)
{
    for (size_t i = 0; i < file->n_triggers; i++) {
        const wpa_fact_event *event = wpa_facts_event_find(wpa_slice_of(file->triggers[i].name));
        if (event && badness(event->trust) > 1) {
            return true;
        }
    }
    return false;
}

/* Is every run that starts it known to be an insider's? */
static bool follows_insiders(const wpa_source *source, const wpa_outline_trigger *trigger)
{
    const wpa_graph *graph = source->around ? source->around->graph : NULL;
    const wpa_yaml_node *names = wpa_yaml_get(trigger->config, "workflows");
    size_t n_names = wpa_yaml_is(names, WPA_YAML_SEQUENCE) ? names->n_items : 0;
    for (size_t i = 0; graph && i < n_names; i++) {
        const char *name = wpa_yaml_text(names->items[i]);
        size_t n = 0;
        const wpa_graph_file *const *files = name ? wpa_graph_named(graph, name, &n) : NULL;
        for (size_t k = 0; k < n; k++) {
            if (outsiders_start(files[k])) {
                return false;
            }
        }
        if (n == 0) {
            return false;
        }
    }
    return graph && n_names;
}

wpa_fact_trust wpa_trust_of_trigger(wpa_rule_run *run, const wpa_source *source,
                                    const wpa_outline_trigger *trigger)
{
    (void)run;
    if (!trigger->event) {
        return WPA_TRUST_INSIDER;
    }
    bool is_safe = wpa_text_is(trigger->name, "workflow_run") && follows_insiders(source, trigger);
    return is_safe ? WPA_TRUST_INSIDER : trigger->event->trust;
}

#define AWAITED_MAX 32

/* Does it, or a job that it waits for, wait for a reviewer of an environment? */
static bool is_reviewed(const wpa_rule_run *run, const wpa_source *source,
                        const wpa_outline_job *job)
{
    const wpa_outline_job *jobs[AWAITED_MAX];
    size_t n = wpa_work_awaited(source->outline, job, jobs, AWAITED_MAX);
    bool is = false;
    for (size_t i = 0; i < n && !is; i++) {
        is = wpa_rule_is_reviewed(run, jobs[i]) == WPA_LISTED_YES;
    }
    return is;
}

static wpa_trust trust_of_callers(wpa_rule_run *run, const wpa_site *site);

wpa_trust wpa_trust_by(wpa_rule_run *run, const wpa_site *site, const wpa_outline_trigger *trigger)
{
    wpa_trust trust = {.trust = wpa_trust_of_trigger(run, site->source, trigger),
                       .event = trigger->name};
    if (trust.trust == WPA_TRUST_INHERITED) {
        return trust_of_callers(run, site);
    }
    if (trust.trust != WPA_TRUST_INSIDER) {
        wpa_trust_guard guard = wpa_trust_guard_of(run, site, trigger->name);
        bool is_open =
            guard == WPA_GUARD_NONE || (guard == WPA_GUARD_MEMBERS && run->ignores_members);
        trust.trust = is_open ? trust.trust : WPA_TRUST_INSIDER;
        trust.event = guard == WPA_GUARD_EVENT ? NULL : trust.event;
        trust.is_by_members = guard == WPA_GUARD_MEMBERS && !run->ignores_members;
        if (is_open && !run->ignores_members && site->job &&
            is_reviewed(run, site->source, site->job)) {
            trust.trust = WPA_TRUST_INSIDER; /* somebody looks at it before it runs */
        }
    }
    return trust;
}

static wpa_trust worse(wpa_trust a, wpa_trust b)
{
    bool is_b = badness(b.trust) > badness(a.trust) || (!a.event && b.event);
    wpa_trust result = is_b ? b : a;
    result.is_by_members = a.is_by_members || b.is_by_members;
    result.is_assumed = a.is_assumed || b.is_assumed;
    return result;
}

static wpa_trust trust_of_callers(wpa_rule_run *run, const wpa_site *site)
{
    wpa_trust trust = {.trust = WPA_TRUST_INSIDER};
    if (site->caller) {
        return wpa_trust_of(run, site->caller);
    }
    wpa_site callers[WPA_SITE_CALLERS_MAX];
    size_t n = wpa_site_callers(run, site->source, callers);
    trust.is_assumed = n == 0;
    run->followed = run->depth ? run->followed : 0;
    for (size_t i = 0; i < n && run->depth < WPA_SITE_DEPTH_MAX; i++) {
        if (run->followed++ >= FOLLOWED_MAX) {
            break; /* definitions that call each other in circles */
        }
        run->depth++;
        trust = worse(trust, wpa_trust_of(run, &callers[i]));
        run->depth--;
    }
    return trust;
}

wpa_trust wpa_trust_of(wpa_rule_run *run, const wpa_site *site)
{
    const wpa_outline *o = site->source->outline;
    wpa_trust trust = {.trust = WPA_TRUST_INSIDER};
    if (site->source->kind == WPA_INPUT_ACTION) {
        return trust_of_callers(run, site);
    }
    for (size_t i = 0; i < o->n_triggers; i++) {
        trust = worse(trust, wpa_trust_by(run, site, &o->triggers[i]));
    }
    return trust;
}

/* ---- power -------------------------------------------------------------------------------------
 */

/* Does the effective token write? Unset counts as writing. */
bool wpa_trust_may_write(const wpa_outline *o, const wpa_outline_job *job)
{
    const wpa_yaml_node *value = wpa_yaml_get(job->node, "permissions");
    value = value ? value : wpa_yaml_get(o->root, "permissions");
    if (!value || wpa_text_is(wpa_yaml_text(value), "write-all")) {
        return true;
    }
    for (size_t i = 0; value->kind == WPA_YAML_MAPPING && i < value->n_pairs; i++) {
        if (wpa_text_is(wpa_yaml_text(value->pairs[i].value), "write")) {
            return true;
        }
    }
    return false;
}

bool wpa_trust_is_privileged(const wpa_outline *o, const wpa_outline_job *job)
{
    return wpa_trust_may_write(o, job) || job->is_self_hosted ||
           wpa_yaml_find(job->node, "environment") ||
           wpa_text_is(wpa_yaml_text(wpa_yaml_get(job->node, "secrets")), "inherit") ||
           wpa_outline_names_secret(job->node);
}

bool wpa_trust_site_is_privileged(const wpa_site *site)
{
    while (site->source->kind == WPA_INPUT_ACTION && site->caller) {
        site = site->caller;
    }
    return !site->job || site->source->kind == WPA_INPUT_ACTION ||
           wpa_trust_is_privileged(site->source->outline, site->job);
}
