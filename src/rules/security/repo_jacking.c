/* SEC-028: an action by an owner's old name, which anyone may take. */
#include "facts/supply.h"
#include "rules/pin.h"

static void check_uses(wpa_rule_run *run, const wpa_outline_uses *uses,
                       const wpa_outline_step *step, const wpa_outline_job *job)
{
    (void)step;
    (void)job;
    const wpa_fact_renamed_owner *renamed =
        uses->kind == WPA_OUTLINE_REPOSITORY ? wpa_facts_renamed_owner_find(uses->owner) : NULL;
    if (renamed) {
        wpa_span span = {uses->slug_span.start, uses->slug_span.start + uses->owner.length};
        (void)wpa_rule_report(run, span, NULL, uses,
                              "%s is called %s now: whoever takes the old name can answer for %s",
                              wpa_rule_quote(run, uses->owner.at, uses->owner.length),
                              renamed->name, wpa_rule_quote(run, uses->repo.at, uses->repo.length));
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
    const wpa_fact_renamed_owner *renamed = wpa_facts_renamed_owner_find(uses->owner);
    wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "write %s", renamed->name);
    fix->needs = wpa_rule_needs(run, WPA_FACTS_SUPPLY);
    wpa_span span = {uses->slug_span.start, uses->slug_span.start + uses->owner.length};
    wpa_rule_edit(run, fix, span, "%s", renamed->name);
}

const wpa_rule wpa_rule_repo_jacking = {
    .code = "SEC-028",
    .id = "repo-jacking",
    .dimension = WPA_DIMENSION_SECURITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_HIGH,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION | WPA_INPUT_PRE_COMMIT,
    .summary = "An action is used by a name that its owner has given up",
    .why = "A name that is free can be registered by anyone, with a repository of the same name in "
           "it, and runs in this job.",
    .fix = "Write the owner's new name.",
    .elsewhere = (const char *const[]){"octoscan/repo-jacking", NULL},
    .declares = WPA_DECLARES_PINS,
    .tables = 1U << WPA_FACTS_SUPPLY,
    .check = check,
    .repair = repair,
};
