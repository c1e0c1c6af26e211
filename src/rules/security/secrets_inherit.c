/* SEC-016: a called workflow is given every secret there is. */
#include <string.h>

#include "rules/pin.h"

static bool is_own(const wpa_rule_run *run, const wpa_outline_uses *uses)
{
    const wpa_surroundings *around = run->source->around;
    return uses->kind == WPA_OUTLINE_LOCAL ||
           (uses->kind == WPA_OUTLINE_REPOSITORY && around && around->owner &&
            wpa_slice_is_ci(uses->owner, around->owner));
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    for (size_t i = 0; i < o->n_jobs; i++) {
        const wpa_outline_job *job = &o->jobs[i];
        const wpa_yaml_node *secrets = wpa_yaml_get(job->node, "secrets");
        if (!job->is_call || !wpa_text_is(wpa_yaml_text(secrets), "inherit") || !job->uses.node) {
            continue;
        }
        wpa_finding *finding =
            wpa_rule_report(run, secrets->span, NULL, NULL,
                            "%s gets every secret of the repository, whichever it uses",
                            wpa_rule_quote_uses(run, &job->uses));
        wpa_rule_relate(run, finding, job->uses.node->span, "the workflow that gets them");
        if (is_own(run, &job->uses)) {
            finding->severity = WPA_SEVERITY_LOW;
        }
    }
    return true;
}

const wpa_rule wpa_rule_secrets_inherit = {
    .code = "SEC-016",
    .id = "secrets-inherit",
    .dimension = WPA_DIMENSION_SECURITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "A reusable workflow inherits all secrets",
    .why = "Whoever changes the called workflow has secrets it was never meant to see.",
    .fix = "Pass the secrets that the called workflow declares, by name. There is no fix by "
           "machine, since its declaration may lie in another repository.",
    .elsewhere = (const char *const[]){"zizmor/secrets-inherit", NULL},
    .check = check,
};
