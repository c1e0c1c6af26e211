/* SEC-026: a pinned commit that no tag of the action stands for. */
#include <string.h>

#include "rules/pin.h"

/* How many version tags the snapshot has of the repository. */
static size_t count_tags(const wpa_fact_repo *repo)
{
    size_t n = 0;
    for (size_t i = 0; i < wpa_facts_repo_ref_count(repo); i++) {
        n += wpa_facts_repo_ref_at(repo, i).kind == WPA_FACT_TAG;
    }
    return n;
}

static bool has_tag(const wpa_fact_use *fact)
{
    wpa_fact_ref refs[64];
    if (fact->tag) {
        return true;
    }
    size_t n = wpa_facts_commit_refs(fact->repo, fact->commit, refs, WPA_COUNT(refs));
    for (size_t i = 0; i < n && i < WPA_COUNT(refs); i++) {
        if (refs[i].kind != WPA_FACT_BRANCH) {
            return true;
        }
    }
    return false;
}

/* Is the comment's version newer than all that the snapshot knows, and the commit with it? */
static bool is_newer_than_snapshot(wpa_rule_run *run, const wpa_outline_uses *uses)
{
    wpa_version claimed;
    return wpa_version_parse(uses->hint, &claimed) &&
           !wpa_rule_tags_beside(run, uses, &claimed).reaches;
}

static void check_uses(wpa_rule_run *run, const wpa_outline_uses *uses,
                       const wpa_outline_step *step, const wpa_outline_job *job)
{
    (void)step;
    (void)job;
    const wpa_fact_use *fact = uses->fact;
    if (uses->kind != WPA_OUTLINE_REPOSITORY || fact->pin != WPA_PIN_COMMIT || !fact->repo ||
        (fact->commit && has_tag(fact)) || (!fact->commit && is_newer_than_snapshot(run, uses))) {
        return;
    }
    bool is_untagged = count_tags(fact->repo) == 0;
    wpa_finding *finding = wpa_rule_report(
        run, uses->ref_span, NULL, NULL,
        is_untagged ? "%s has no tags: nothing says what this commit of it holds"
                    : "no tag of %s stands for this commit, so no release notes or advisories "
                      "speak of it",
        wpa_rule_quote(run, uses->repo.at, uses->repo.length));
    if (!fact->commit) { /* it may have been tagged since */
        finding->confidence = uses->hint.length ? WPA_CONFIDENCE_MEDIUM : WPA_CONFIDENCE_LOW;
    }
    if (is_untagged) {
        finding->persona = WPA_PERSONA_AUDITOR;
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    wpa_rule_each_uses(run, check_uses);
    return true;
}

const wpa_rule wpa_rule_stale_action_refs = {
    .code = "SEC-026",
    .id = "stale-action-refs",
    .dimension = WPA_DIMENSION_SECURITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_LOW,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_PEDANTIC,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "An action is pinned to a commit that is no release",
    .why = "What was found wrong before the next release is written down nowhere for it.",
    .fix = "Pin the commit of a release. There is no fix by machine, since which one was meant a "
           "person must say.",
    .elsewhere = (const char *const[]){"zizmor/stale-action-refs", NULL},
    .tables = 1U << WPA_FACTS_TAGS,
    .check = check,
};
