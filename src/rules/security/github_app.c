/* SEC-041: a GitHub App token that may do more, or lives longer, than the job needs. */
#include <string.h>

#include "rules/outline.h"
#include "rules/rule.h"

static const char slug[] = "actions/create-github-app-token";

typedef struct inputs {
    bool has_permissions; /* any permission-* */
    bool has_wider;       /* one that is not about the organisation */
    const wpa_yaml_pair *owner;
    bool has_repositories;
} inputs;

static bool is_given(const wpa_yaml_node *value)
{
    const char *text = wpa_yaml_text(value);
    return text && text[strspn(text, " \t\r\n")];
}

/* A permission over the organisation, its members or the enterprise: no repository belongs to it.
 */
static bool is_over_organisation(const char *permission)
{
    return strncasecmp(permission, "organization-", strlen("organization-")) == 0 ||
           strncasecmp(permission, "enterprise-", strlen("enterprise-")) == 0 ||
           wpa_text_is_ci(permission, "members") || wpa_text_is_ci(permission, "team-discussions");
}

static inputs read_inputs(const wpa_outline_step *step)
{
    static const char prefix[] = "permission-";
    inputs in = {0};
    for (size_t i = 0; step->with && i < step->with->n_pairs; i++) {
        const wpa_yaml_pair *pair = &step->with->pairs[i];
        const char *name = wpa_yaml_text(pair->key);
        if (!name || !is_given(pair->value)) {
            continue;
        }
        if (strncasecmp(name, prefix, sizeof prefix - 1) == 0) {
            in.has_permissions = true;
            in.has_wider = in.has_wider || !is_over_organisation(name + sizeof prefix - 1);
        } else if (wpa_text_is_ci(name, "owner")) {
            in.owner = pair;
        } else if (wpa_text_is_ci(name, "repositories")) {
            in.has_repositories = true;
        }
    }
    return in;
}

/* A token that is not taken back when the job ends. */
static void check_revoke(wpa_rule_run *run, const wpa_outline_step *step)
{
    static const char *const names[] = {"skip-token-revoke", "skip_token_revoke"};
    for (size_t i = 0; i < WPA_COUNT(names); i++) {
        const wpa_yaml_node *value = wpa_outline_with(step, names[i]);
        const char *text = wpa_yaml_text(value);
        bool is_open = wpa_outline_has_expression(text);
        if (!is_open && !wpa_text_is_ci(text, "true")) {
            continue;
        }
        wpa_finding *finding = wpa_rule_report(
            run, (wpa_span){value->key->span.start, value->span.end}, NULL, NULL,
            is_open ? "the app's token may stay valid after the job, as this expression says"
                    : "the app's token stays valid for an hour, also when the job has ended");
        finding->confidence = is_open ? WPA_CONFIDENCE_LOW : WPA_CONFIDENCE_HIGH;
    }
}

static void check_step(wpa_rule_run *run, const wpa_outline_step *step)
{
    if (wpa_yaml_find(step->node, "with") && !step->with) {
        return; /* computed: nothing can be told */
    }
    inputs in = read_inputs(step);
    check_revoke(run, step);
    bool is_about_organisation = in.has_permissions && !in.has_wider;
    if (in.owner && !in.has_repositories && !is_about_organisation) {
        (void)wpa_rule_report(run, (wpa_span){in.owner->key->span.start, in.owner->value->span.end},
                              NULL, NULL,
                              "the token reaches every repository of the owner that the app is "
                              "installed in: no repositories are named");
    }
    if (!in.has_permissions) {
        (void)wpa_rule_report(run, step->uses.span, NULL, NULL,
                              "the token has every permission of the app's installation: no "
                              "permission-* input narrows it");
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    for (size_t i = 0; i < o->n_jobs; i++) {
        for (size_t k = 0; k < o->jobs[i].n_steps; k++) {
            if (wpa_outline_step_uses(&o->jobs[i].steps[k], slug)) {
                check_step(run, &o->jobs[i].steps[k]);
            }
        }
    }
    return true;
}

const wpa_rule wpa_rule_github_app = {
    .code = "SEC-041",
    .id = "github-app",
    .dimension = WPA_DIMENSION_SECURITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_HIGH,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "A token of a GitHub App may do more than this job needs",
    .why = "Whoever gets hold of the token has all of the app's permissions, in all of its "
           "repositories.",
    .fix = "Name the permissions (permission-contents: read) and repositories that the job needs, "
           "and let the token be revoked. There is no fix by machine, since which ones those are a "
           "person must say.",
    .elsewhere = (const char *const[]){"zizmor/github-app", NULL},
    .check = check,
};
