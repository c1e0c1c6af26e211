/* SEC-030: an action of an owner of whom nothing is known. */
#include "facts/supply.h"
#include "rules/pin.h"
#include "rules/trust.h"

static const wpa_rule_option options[] = {
    {"allow", "", "owners and slugs that are trusted: 'my-org other/action x*'", WPA_OPTION_TEXT},
    {0},
};

/* Is the action given a secret, or a call all of them? */
static bool gets_secret(const wpa_outline_step *step, const wpa_outline_job *job)
{
    if (!step) {
        return wpa_yaml_find(job->node, "secrets") != NULL;
    }
    return wpa_outline_names_secret(step->node);
}

static void check_uses(wpa_rule_run *run, const wpa_outline_uses *uses,
                       const wpa_outline_step *step, const wpa_outline_job *job)
{
    if (uses->kind != WPA_OUTLINE_REPOSITORY || wpa_facts_is_known_creator(uses->owner) ||
        wpa_rule_is_trusted_owner(run, uses->owner) ||
        wpa_rule_option_lists(run, "allow", uses->owner) ||
        wpa_rule_option_lists(run, "allow", uses->repo)) {
        return;
    }
    bool is_given = gets_secret(step, job);
    wpa_finding *finding =
        wpa_rule_report(run, uses->slug_span, NULL, NULL,
                        is_given ? "nothing is known of %s, whose action is given secrets here"
                                 : "nothing is known of %s, whose action runs here",
                        wpa_rule_quote(run, uses->owner.at, uses->owner.length));
    if (is_given) {
        finding->severity = WPA_SEVERITY_MEDIUM;
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    wpa_rule_each_uses(run, check_uses);
    return true;
}

const wpa_rule wpa_rule_unverified_creator = {
    .code = "SEC-030",
    .id = "unverified-creator",
    .dimension = WPA_DIMENSION_SECURITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_LOW,
    .confidence = WPA_CONFIDENCE_MEDIUM,
    .persona = WPA_PERSONA_AUDITOR,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "An action comes from an owner that is not known",
    .why = "What an action does with the job's token rests on who made it.",
    .fix = "Look at the action and its owner, then allow it, or use another one. There is no fix "
           "by machine.",
    .elsewhere = (const char *const[]){"poutine/github_action_from_unverified_creator_used", NULL},
    .options = options,
    .tables = 1U << WPA_FACTS_SUPPLY,
    .check = check,
};
