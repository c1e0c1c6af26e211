/*
 * SEC-023: a commit that can be had through the repository's name, but is in none of its branches
 * and tags: it came from a fork.
 */
#include <string.h>

#include "facts/supply.h"
#include "rules/pin.h"

/* The tag that the comment names, when it is a full version the snapshot knows. */
static bool find_claimed(const wpa_outline_uses *uses, wpa_fact_ref *tag)
{
    wpa_version claimed;
    return uses->hint.length && wpa_version_parse(uses->hint, &claimed) && claimed.n_parts >= 3 &&
           wpa_facts_ref_find(uses->fact->repo, uses->hint, tag) && tag->kind == WPA_FACT_TAG;
}

static void check_uses(wpa_rule_run *run, const wpa_outline_uses *uses,
                       const wpa_outline_step *step, const wpa_outline_job *job)
{
    (void)step;
    (void)job;
    const wpa_fact_use *fact = uses->fact;
    wpa_fact_ref tag;
    if (uses->kind != WPA_OUTLINE_REPOSITORY || fact->pin != WPA_PIN_COMMIT || fact->commit) {
        return;
    }
    if (wpa_facts_is_impostor(uses->repo, uses->ref)) {
        (void)wpa_rule_report(run, uses->ref_span, NULL, uses,
                              "this commit is in no branch or tag of %s: it is a stranger's, from "
                              "a fork",
                              wpa_rule_quote(run, uses->repo.at, uses->repo.length));
    } else if (fact->repo && find_claimed(uses, &tag)) {
        wpa_finding *finding = wpa_rule_report(
            run, uses->ref_span, NULL, uses,
            "the comment calls this commit %s, which is another one: it may be a stranger's, from "
            "a fork of %s",
            tag.name, wpa_rule_quote(run, uses->repo.at, uses->repo.length));
        finding->severity = WPA_SEVERITY_MEDIUM;
        finding->confidence = WPA_CONFIDENCE_LOW; /* the tag may have been moved */
        finding->persona = WPA_PERSONA_AUDITOR;
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    wpa_rule_each_uses(run, check_uses);
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const wpa_outline_uses *uses = finding->subject;
    wpa_fact_ref tag;
    if (uses->fact->repo && find_claimed(uses, &tag)) {
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "pin the commit of %s", tag.name);
        (void)wpa_rule_pin(run, fix, uses, NULL, tag.commit, tag.name);
    }
}

const wpa_rule wpa_rule_impostor_commit = {
    .code = "SEC-023",
    .id = "impostor-commit",
    .dimension = WPA_DIMENSION_SECURITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_HIGH,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION | WPA_INPUT_PRE_COMMIT,
    .summary = "A pinned commit is not the repository's own",
    .why = "The forge hands out commits of any fork under the name of the repository, so a pin can "
           "look right and run a stranger's code.",
    .fix = "Pin the commit of the version that was meant.",
    .elsewhere = (const char *const[]){"zizmor/impostor-commit", NULL},
    .declares = WPA_DECLARES_PINS,
    .tables = 1U << WPA_FACTS_TAGS | 1U << WPA_FACTS_SUPPLY,
    .check = check,
    .repair = repair,
};
