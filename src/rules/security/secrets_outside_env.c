/* SEC-019: a secret that no environment guards. */
#include <string.h>

#include "rules/outline.h"
#include "rules/publish.h"
#include "rules/references.h"

static const wpa_rule_option options[] = {
    {"allow", "", "names of secrets that may be used anywhere, separated by blanks or commas",
     WPA_OPTION_TEXT},
    {0},
};

typedef struct search {
    const wpa_outline_job *job;
    bool is_publishing;
    bool is_for_all; /* what only auditors want to hear of is told as well */
} search;

/* What is kept beside a secret, and opens nothing without it. */
static bool is_no_key(const char *name)
{
    static const char *const ends[] = {
        "_USER",       "_USERNAME",   "_LOGIN",    "_EMAIL",     "_APP_ID",         "_CLIENT_ID",
        "_ACCOUNT_ID", "_PROJECT_ID", "_KEY_ID",   "_TENANT_ID", "_REGION",         "_BUCKET",
        "_ROLE",       "_ROLES",      "_ROLE_ARN", "_SITE_ID",   "_SUBSCRIPTION_ID"};
    for (size_t i = 0; name && i < WPA_COUNT(ends); i++) {
        if (wpa_text_ends(name, ends[i])) {
            return true;
        }
    }
    return false;
}

static void check_expression(wpa_rule_run *run, const wpa_expression *expression, void *context)
{
    const wpa_expr_place *place = expression->place;
    const search *s = context;
    size_t n;
    const wpa_expr_reference *references = wpa_expression_references(run, expression, &n);
    for (size_t i = 0; i < n; i++) {
        const wpa_expr_reference *r = &references[i];
        const char *name = wpa_expr_secret_name(r);
        bool is_secret = wpa_text_is(r->path, "secrets") || wpa_text_starts(r->path, "secrets.");
        if (!is_secret || wpa_text_is_ci(name, "GITHUB_TOKEN") ||
            (name && wpa_rule_option_lists(run, "allow", wpa_slice_of(name)))) {
            continue;
        }
        bool is_grave = s->is_publishing && !is_no_key(name);
        if (!is_grave && !s->is_for_all) {
            continue;
        }
        wpa_finding *finding = wpa_rule_report(
            run, wpa_expr_source_span(place, r->node->span), NULL, NULL,
            "%s is used in job %s without an environment: whoever can push any branch can read it",
            name ? wpa_rule_quote(run, name, strlen(name)) : "a secret chosen at run time",
            wpa_rule_quote(run, s->job->id, strlen(s->job->id)));
        if (is_grave) {
            finding->severity = WPA_SEVERITY_MEDIUM;
            finding->persona = WPA_PERSONA_DEFAULT;
        }
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    if (wpa_outline_trigger_find(o, "workflow_call")) {
        return true; /* where the secrets come from is the caller's matter */
    }
    bool is_for_all = wpa_rule_is_wanted(run, WPA_PERSONA_AUDITOR);
    search shared = {0}; /* of the workflow's env, which goes to every job: the worst of them */
    for (size_t i = 0; i < o->n_jobs; i++) {
        if (!wpa_yaml_find(o->jobs[i].node, "environment")) {
            search s = {&o->jobs[i], wpa_publish_in_job(&o->jobs[i]), is_for_all};
            if (is_for_all || s.is_publishing) {
                wpa_rule_each_secret(run, o->jobs[i].node, check_expression, &s);
            }
            shared = !shared.job || (s.is_publishing && !shared.is_publishing) ? s : shared;
        }
    }
    const wpa_yaml_node *env = wpa_yaml_get(o->root, "env");
    if (shared.job && env && (is_for_all || shared.is_publishing)) {
        wpa_rule_each_secret(run, env, check_expression, &shared);
    }
    return true;
}

const wpa_rule wpa_rule_secrets_outside_env = {
    .code = "SEC-019",
    .id = "secrets-outside-env",
    .dimension = WPA_DIMENSION_SECURITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_LOW,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_AUDITOR,
    .has_wider_findings = true,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "A secret is used in a job without an environment",
    .why = "Secrets of the repository go to every job of every branch; those of an environment "
           "only where its rules allow.",
    .fix = "Move the secret into an environment with protection rules, and name it in the job. "
           "There is no fix by machine, since the secret itself has to move.",
    .elsewhere = (const char *const[]){"zizmor/secrets-outside-env", NULL},
    .options = options,
    .words = (const char *const[]){"secrets", NULL},
    .check = check,
};
