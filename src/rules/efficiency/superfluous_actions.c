/* EFF-015: an action for what one line with a tool of the image does. */
#include <string.h>

#include "rules/outline.h"
#include "rules/pin.h"

static const wpa_rule_option options[] = {
    {"allow", "", "slugs that may stay, separated by blanks"},
    {0},
};

typedef struct replacement {
    const char *slug;
    const char *how; /* what does the same */
    bool is_opinion;
} replacement;

static const replacement replacements[] = {
    {"actions-rs/cargo", "cargo", false},
    {"actions-rs/toolchain", "rustup toolchain install", false},
    {"actions/create-release", "gh release create", false},
    {"actions/upload-release-asset", "gh release upload", false},
    {"ncipollo/release-action", "gh release create", false},
    {"softprops/action-gh-release", "gh release create", true},
    {"peter-evans/create-or-update-comment", "gh issue comment or gh pr comment", true},
    {"peter-evans/close-issue", "gh issue close", false},
    {"peter-evans/enable-pull-request-automerge", "gh pr merge --auto", false},
    {"peter-evans/close-pull", "gh pr close", false},
    {"actions-ecosystem/action-add-labels", "gh issue edit --add-label", false},
    {"actions-ecosystem/action-remove-labels", "gh issue edit --remove-label", false},
    {"hmarr/auto-approve-action", "gh pr review --approve", true},
    {"juliangruber/approve-pull-request-action", "gh pr review --approve", false},
    {"sergeysova/jq-action", "jq", false},
    {"mikefarah/yq", "yq", true},
    {"fjogeleit/http-request-action", "curl", false},
    {"satackey/action-js-inline", "node -e", false},
    {"jsdaniell/create-json", "jq -n", false},
    {"ad-m/github-push-action", "git push", false},
    {"endbug/add-and-commit", "git commit and git push", true},
    {"mathieudutour/github-tag-action", "git tag and git push", true},
    {"dtolnay/rust-toolchain", "rustup toolchain install", true},
    {"thedoctor0/zip-release", "zip or tar", false},
    {"jwalton/gh-find-current-pr", "gh pr view", false},
    {"benc-uk/workflow-dispatch", "gh workflow run", false},
    {"convictional/trigger-workflow-and-wait", "gh workflow run and gh run watch", false},
    {"geekyeggo/delete-artifact", "gh api --method DELETE", false},
    {"jakejarvis/wait-action", "sleep", false},
    {"bhowell2/github-substring-action", "a shell expansion", false},
    {"frabert/replace-string-action", "a shell expansion or sed", false},
    {"ashley-taylor/regex-property-action", "a shell expansion or sed", false},
    {"8398a7/action-slack", "curl", true},
};

static void check_step(wpa_rule_run *run, const wpa_outline_step *step)
{
    const char *allowed = wpa_rule_option_text(run, "allow");
    for (size_t i = 0; i < WPA_COUNT(replacements); i++) {
        const replacement *r = &replacements[i];
        if (!wpa_outline_step_uses(step, r->slug) || (allowed && strcasestr(allowed, r->slug))) {
            continue;
        }
        wpa_finding *finding = wpa_rule_report(
            run, step->uses.slug_span, NULL, NULL,
            "%s does what '%s', which is on the runner, does without foreign code",
            wpa_rule_quote(run, step->uses.slug.at, step->uses.slug.length), r->how);
        if (r->is_opinion) {
            finding->persona = WPA_PERSONA_PEDANTIC;
        }
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    for (size_t i = 0; i < o->n_jobs; i++) {
        const wpa_outline_job *job = &o->jobs[i];
        bool lacks_tools = job->is_self_hosted || wpa_yaml_find(job->node, "container");
        for (size_t k = 0; !lacks_tools && k < job->n_steps; k++) {
            check_step(run, &job->steps[k]);
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
    .check = check,
};
