/* CMP-028: a version of an action that is switched off, or will be. */
#include <string.h>

#include "rules/own.h"
#include "rules/upgrade.h"

typedef struct subject {
    const wpa_outline_uses *uses;
    const wpa_outline_step *step;
} subject;

static void check_uses(wpa_rule_run *run, const wpa_outline_uses *uses,
                       const wpa_outline_step *step, const wpa_outline_job *job)
{
    (void)job;
    const wpa_fact_end *end = uses->kind == WPA_OUTLINE_REPOSITORY
                                  ? wpa_facts_end_find(uses->slug, uses->ref, uses->fact)
                                  : NULL;
    if (!end || wpa_rule_forge_holds_back(run, uses->slug)) {
        return;
    }
    subject *s = wpa_arena_alloc(run->arena, sizeof *s);
    *s = (subject){uses, step};
    bool is_removed = wpa_text_is(end->status, "removed");
    bool is_ahead = end->since &&
                    wpa_facts_days(end->since) > wpa_facts_days(wpa_facts_date(WPA_FACTS_ARCHIVED));
    wpa_finding *finding = wpa_rule_report(
        run, uses->ref_span, NULL, s, "%s %s%s%s: %s%s%s", wpa_rule_quote_uses(run, uses),
        is_removed ? "is switched off"
        : is_ahead ? "will not be supported"
                   : "is not supported any more",
        end->since ? (is_ahead ? " from " : " since ") : "", end->since ? end->since : "",
        is_removed ? "the step fails" : "it gets no fixes, and may stop working",
        end->replacement ? "; go to " : "", end->replacement ? end->replacement : "");
    finding->severity = is_removed ? WPA_SEVERITY_HIGH : WPA_SEVERITY_MEDIUM;
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    wpa_rule_each_uses(run, check_uses);
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const subject *s = finding->subject;
    wpa_fact_major major;
    if (wpa_upgrade_find(s->uses, s->step, &major)) {
        wpa_upgrade_offer(run, finding, WPA_FIX_UNSAFE, s->uses, &major);
    }
}

const wpa_rule wpa_rule_deprecated_action_version = {
    .code = "CMP-028",
    .id = "deprecated-action-version",
    .dimension = WPA_DIMENSION_COMPATIBILITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_HIGH,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "A version of an action is switched off or will be",
    .why = "The service behind it refuses it, so the step fails whatever the workflow does.",
    .fix = "Go to the nearest version that is supported; artifacts need both ends moved together.",
    .supersedes = (const char *const[]){"node-runtime", "outdated-action-major", NULL},
    .tables = 1U << WPA_FACTS_ARCHIVED | 1U << WPA_FACTS_ACTIONS | 1U << WPA_FACTS_MIGRATIONS,
    .declares = WPA_DECLARES_PINS,
    .check = check,
    .repair = repair,
};
