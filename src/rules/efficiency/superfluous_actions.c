/* EFF-015: an action for what one line with a tool of the image does. */
#include <string.h>

#include "facts/supply.h"
#include "rules/pin.h"

static const wpa_rule_option options[] = {
    {"allow", "", "slugs that may stay, separated by blanks"},
    {0},
};

static void check_step(wpa_rule_run *run, const wpa_outline_step *step, bool may_lack)
{
    const wpa_fact_replacement *r = step->uses.kind == WPA_OUTLINE_REPOSITORY
                                        ? wpa_facts_replacement_find(step->uses.slug)
                                        : NULL;
    if (!r || wpa_rule_option_lists(run, "allow", step->uses.slug)) {
        return;
    }
    wpa_finding *finding = wpa_rule_report(
        run, step->uses.slug_span, NULL, NULL,
        may_lack ? "%s does what '%s' does without foreign code, if it is where the job runs"
                 : "%s does what '%s', which is on the runner, does without foreign code",
        wpa_rule_quote(run, step->uses.slug.at, step->uses.slug.length), r->how);
    if (may_lack) {
        finding->confidence = WPA_CONFIDENCE_LOW;
        finding->persona = WPA_PERSONA_AUDITOR;
    } else if (r->is_opinion) {
        finding->persona = WPA_PERSONA_PEDANTIC;
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    for (size_t i = 0; i < o->n_jobs; i++) {
        const wpa_outline_job *job = &o->jobs[i];
        bool lacks_tools = job->is_self_hosted || wpa_yaml_find(job->node, "container");
        for (size_t k = 0; k < job->n_steps; k++) {
            check_step(run, &job->steps[k], lacks_tools);
        }
    }
    return true;
}

const wpa_rule wpa_rule_superfluous_actions = {
    .code = "EFF-015",
    .id = "superfluous-actions",
    .dimension = WPA_DIMENSION_EFFICIENCY,
    .kind = WPA_KIND_OPPORTUNITY,
    .severity = WPA_SEVERITY_LOW,
    .confidence = WPA_CONFIDENCE_MEDIUM,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "An action does what a tool of the image does in one line",
    .why = "Each action is foreign code to trust, pin, update and download.",
    .fix = "Call the tool in a run step, with values through env. There is no fix by machine, "
           "since the inputs have no fixed counterpart.",
    .elsewhere = (const char *const[]){"zizmor/superfluous-actions", NULL},
    .options = options,
    .tables = 1U << WPA_FACTS_SUPPLY,
    .check = check,
};
