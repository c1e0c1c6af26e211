/* SEC-001: a repository action or workflow, or a pre-commit hook, by a ref that can move. */
#include <string.h>

#include "rules/pin.h"

static const wpa_rule_option options[] = {
    {"policies", "", "what to ask of which slug: 'actions/*=any my-org/*=ref', else hash",
     WPA_OPTION_POLICIES},
    {"min-age-days", "7", "the fix pins no release younger than this", WPA_OPTION_NUMBER},
    {0},
};

/* The policy of the most exact pattern that covers the use; "hash" if none does. */
static wpa_slice policy_of(wpa_rule_run *run, const wpa_outline_uses *uses)
{
    const char *text = wpa_rule_option_text(run, "policies");
    wpa_slice best = wpa_slice_of("hash");
    size_t best_rank = 0;
    while (text && *text) {
        text += strspn(text, " ,");
        size_t length = strcspn(text, " ,");
        const char *equals = memchr(text, '=', length);
        wpa_slice pattern = {text, equals ? (size_t)(equals - text) : 0};
        size_t rank = equals ? wpa_rule_pattern_fits(pattern, uses->slug, uses->ref) : 0;
        if (rank > best_rank) {
            best = (wpa_slice){equals + 1, length - pattern.length - 1};
            best_rank = rank;
        }
        text += length;
    }
    return best;
}

static bool is_one_of(wpa_slice policy, const char *const names[2])
{
    return wpa_slice_is(policy, names[0]) || wpa_slice_is(policy, names[1]);
}

static bool is_allowed(wpa_rule_run *run, const wpa_outline_uses *uses)
{
    static const char *const refs[] = {"ref", "ref-pin"};
    wpa_slice policy = policy_of(run, uses);
    return wpa_slice_is(policy, "any") || (is_one_of(policy, refs) && uses->ref.length);
}

static const char *describe(wpa_slice ref)
{
    static const char *const tags = "refs/tags/";
    wpa_fact_pin pin = wpa_facts_pin_of(ref);
    bool is_tag = pin == WPA_PIN_VERSION ||
                  (ref.length > strlen(tags) && memcmp(ref.at, tags, strlen(tags)) == 0);
    return pin == WPA_PIN_SHORT_COMMIT ? "a shortened commit, which another commit can be made to "
                                         "match"
           : is_tag                    ? "a tag: whoever can move it runs code in this job"
                                       : "a branch: whoever pushes to it runs code in this job";
}

/* Workflows that verify the tag they were called by, and refuse a commit. */
static bool wants_tag(const wpa_outline_uses *uses)
{
    return wpa_slice_is_ci(uses->repo, "slsa-framework/slsa-github-generator") &&
           uses->fact->pin == WPA_PIN_VERSION;
}

static void check_uses(wpa_rule_run *run, const wpa_outline_uses *uses,
                       const wpa_outline_step *step, const wpa_outline_job *job)
{
    (void)step;
    (void)job;
    if (uses->kind != WPA_OUTLINE_REPOSITORY || uses->fact->pin == WPA_PIN_COMMIT ||
        is_allowed(run, uses)) {
        return;
    }
    wpa_finding *finding = wpa_rule_report(run, uses->ref_span, NULL, uses, "%s is pinned to %s",
                                           wpa_rule_quote_uses(run, uses), describe(uses->ref));
    if (wpa_rule_is_trusted_owner(run, uses->owner)) {
        finding->severity = WPA_SEVERITY_LOW;
    }
    if (wants_tag(uses)) {
        finding->severity = WPA_SEVERITY_LOW;
        finding->persona = WPA_PERSONA_AUDITOR;
    }
}

static void check_hooks(wpa_rule_run *run)
{
    const wpa_yaml_node *repos = wpa_yaml_get(run->source->outline->root, "repos");
    for (size_t i = 0; wpa_yaml_is(repos, WPA_YAML_SEQUENCE) && i < repos->n_items; i++) {
        const char *repo = wpa_yaml_text(wpa_yaml_get(repos->items[i], "repo"));
        const wpa_yaml_node *node = wpa_yaml_get(repos->items[i], "rev");
        const char *rev = wpa_yaml_text(node);
        if (!repo || !rev || wpa_text_is(repo, "local") || wpa_text_is(repo, "meta") ||
            wpa_facts_pin_of(wpa_slice_of(rev)) == WPA_PIN_COMMIT) {
            continue;
        }
        (void)wpa_rule_report(run, node->span, NULL, NULL, "hook repository %s is pinned to %s",
                              wpa_rule_quote(run, repo, strlen(repo)), describe(wpa_slice_of(rev)));
    }
}

/* ---- the lockfile of GitHub's own ---------------------------------------------------------------
 */

#define LOCK_PATH ".github/workflows/actions.lock"
#define LOCK_MAX_BYTES ((size_t)1024 * 1024)

/* The lockfile's root; NULL if there is none, or it cannot be read. */
static const wpa_yaml_node *read_lock(wpa_rule_run *run)
{
    size_t size;
    wpa_error err = {0};
    const char *text =
        wpa_surroundings_read(run->source->around, LOCK_PATH, LOCK_MAX_BYTES, run->arena, &size);
    const wpa_yaml_doc *doc = text ? wpa_yaml_parse(LOCK_PATH, text, size, run->arena, &err) : NULL;
    return doc && wpa_yaml_is(doc->root, WPA_YAML_MAPPING) ? wpa_yaml_resolve(doc->root) : NULL;
}

/* Is it "slug@ref", of the action or of its repository? */
static bool names_use(const char *entry, const wpa_outline_uses *uses)
{
    const char *at = entry ? strrchr(entry, '@') : NULL;
    if (!at || !wpa_slice_is(uses->ref, at + 1)) {
        return false;
    }
    size_t length = (size_t)(at - entry);
    bool is_slug = length == uses->slug.length && strncasecmp(entry, uses->slug.at, length) == 0;
    bool is_repo = length == uses->repo.length && strncasecmp(entry, uses->repo.at, length) == 0;
    return is_slug || is_repo;
}

/* Does the lockfile hold the use: by the workflow's own list, or for an action by any entry? */
static bool is_held(const wpa_rule_run *run, const wpa_yaml_node *lock,
                    const wpa_outline_uses *uses)
{
    bool is_action = run->source->kind == WPA_INPUT_ACTION;
    const wpa_yaml_node *held =
        is_action ? wpa_yaml_get(lock, "dependencies")
                  : wpa_yaml_get(wpa_yaml_get(lock, "workflows"), wpa_source_identity(run->source));
    for (size_t i = 0; held && i < held->n_items; i++) {
        if (names_use(wpa_yaml_text(held->items[i]), uses)) {
            return true;
        }
    }
    for (size_t i = 0; held && i < held->n_pairs; i++) {
        if (names_use(wpa_yaml_text(held->pairs[i].key), uses)) {
            return true;
        }
    }
    return false;
}

static void check_unheld(wpa_rule_run *run, const wpa_yaml_node *lock)
{
    const wpa_outline *o = run->source->outline;
    for (size_t i = 0; i < o->n_jobs; i++) {
        const wpa_outline_job *job = &o->jobs[i];
        if (job->uses.kind == WPA_OUTLINE_REPOSITORY && !is_held(run, lock, &job->uses)) {
            check_uses(run, &job->uses, NULL, job);
        }
        for (size_t k = 0; k < job->n_steps; k++) {
            const wpa_outline_uses *uses = &job->steps[k].uses;
            if (uses->kind == WPA_OUTLINE_REPOSITORY && !is_held(run, lock, uses)) {
                check_uses(run, uses, &job->steps[k], job);
            }
        }
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_surroundings *around = run->source->around;
    bool is_locked = around && around->has_paths && wpa_surroundings_has(around, LOCK_PATH);
    const wpa_yaml_node *lock = is_locked ? read_lock(run) : NULL;
    if (run->source->kind == WPA_INPUT_PRE_COMMIT) {
        check_hooks(run);
    } else if (lock) {
        check_unheld(run, lock);
    } else if (!is_locked) { /* one that cannot be read may hold anything */
        wpa_rule_each_uses(run, check_uses);
    }
    return true;
}

/* Was the release made shortly before its tags were collected? */
static bool is_young(const wpa_rule_run *run, const wpa_fact_use *fact)
{
    bool is_newest = fact->has_major && fact->major.newest_commit &&
                     memcmp(fact->major.newest_commit, fact->commit, WPA_COMMIT_BYTES) == 0;
    int64_t released = is_newest ? wpa_facts_days(fact->major.newest_date) : -1;
    int64_t age = wpa_facts_days(wpa_facts_date(WPA_FACTS_TAGS)) - released;
    return released >= 0 && age < wpa_rule_option_int(run, "min-age-days", 0, 3650, 7);
}

/* A branch or "v1" is at a newer release by now if an advisory speaks of the one it was at. */
static bool has_moved(const wpa_outline_uses *uses, const char *tag)
{
    wpa_version asked, version;
    bool is_exact = wpa_version_parse(uses->ref, &asked) && asked.n_parts >= 3;
    return !is_exact && wpa_version_parse(wpa_slice_of(tag), &version) &&
           !wpa_rule_is_clean(uses, tag, &version);
}

/* Where it is by now nobody here knows, but which release is the first that is sound. */
static void repair_moved(wpa_rule_run *run, wpa_finding *finding, const wpa_outline_uses *uses)
{
    wpa_fact_ref sound;
    if (wpa_rule_find_clean(uses, &sound)) {
        wpa_fix *fix =
            wpa_rule_fix(run, finding, WPA_FIX_UNSAFE,
                         "pin to the commit of %s, which no advisory speaks of", sound.name);
        (void)wpa_rule_pin(run, fix, uses, NULL, sound.commit, sound.name);
    }
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const wpa_outline_uses *uses = finding->subject;
    const wpa_fact_use *fact = uses ? uses->fact : NULL;
    if (!fact || !fact->commit || wants_tag(uses)) {
        return;
    }
    wpa_fact_ref tag;
    char ref[128];
    bool is_named = wpa_text_format(ref, sizeof ref, WPA_SLICE_FORMAT, WPA_SLICE_ARGS(uses->ref));
    const char *name = wpa_facts_commit_version(fact->repo, fact->commit, &tag) ? tag.name : ref;
    if (is_named && has_moved(uses, name)) {
        repair_moved(run, finding, uses);
    } else if (is_named && !is_young(run, fact)) {
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "pin to the commit of %s", name);
        (void)wpa_rule_pin(run, fix, uses, NULL, fact->commit, name);
    }
}

const wpa_rule wpa_rule_unpinned_uses = {
    .code = "SEC-001",
    .id = "unpinned-uses",
    .dimension = WPA_DIMENSION_SECURITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_HIGH,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION | WPA_INPUT_PRE_COMMIT,
    .summary = "An action, reusable workflow or hook is used by a ref that can move",
    .why = "Whoever can move the tag or branch runs code with this job's token and secrets.",
    .fix = "Pin the full commit and keep the version in a comment, which update bots read.",
    .elsewhere =
        (const char *const[]){"zizmor/unpinned-uses", "actionlint-fork/require-commit-hash", NULL},
    .options = options,
    .declares = WPA_DECLARES_PINS,
    .tables = 1U << WPA_FACTS_TAGS,
    .check = check,
    .repair = repair,
};
