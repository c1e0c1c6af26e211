/* SEC-055: what a review looks at first; an inventory, not faults. */
#include <string.h>

#include <wpa/buf.h>

#include "facts/supply.h"
#include "rules/pin.h"
#include "rules/references.h"

static void check_uses(wpa_rule_run *run, const wpa_outline_uses *uses,
                       const wpa_outline_step *step, const wpa_outline_job *job)
{
    (void)job;
    if (uses->kind == WPA_OUTLINE_LOCAL) {
        (void)wpa_rule_report(run, uses->node->span, "I1", NULL,
                              "%s is the repository's own: what it does is in the tree",
                              wpa_rule_quote_uses(run, uses));
    }
    if (uses->kind != WPA_OUTLINE_REPOSITORY || !step) {
        return;
    }
    const wpa_fact_cloud_login *login = uses->fact->login;
    if (login) {
        (void)wpa_rule_report(run, uses->slug_span, "I4", NULL, "the job logs in to %s",
                              login->cloud);
    }
    if (wpa_outline_step_uses(step, "actions/upload-artifact")) {
        (void)wpa_rule_report(run, uses->slug_span, "I2", NULL,
                              "what is uploaded here anyone may download who can read the "
                              "repository");
    }
}

/* Functions by which a script of github-script starts programs. */
static void check_spawn(wpa_rule_run *run, const wpa_outline_step *step)
{
    static const char *const calls[] = {"child_process", "exec.exec", "exec.getExecOutput",
                                        "execSync(",     "spawn(",    "spawnSync("};
    const wpa_yaml_node *script = wpa_outline_step_uses(step, "actions/github-script")
                                      ? wpa_outline_with(step, "script")
                                      : NULL;
    const char *text = wpa_yaml_text(script);
    for (size_t i = 0; text && i < WPA_COUNT(calls); i++) {
        const char *at = strstr(text, calls[i]);
        if (at) {
            size_t start = (size_t)(at - text), length = strcspn(calls[i], "(");
            (void)wpa_rule_report(run, wpa_yaml_source_span(script, start, start + length), "I3",
                                  NULL, "the script starts programs");
            return;
        }
    }
}

typedef struct secrets {
    const char *names[32];
    size_t n;
} secrets;

static void add_secret(wpa_rule_run *run, const wpa_expression *expression, void *context)
{
    secrets *s = context;
    size_t n;
    const wpa_expr_reference *references = wpa_expression_references(run, expression, &n);
    for (size_t i = 0; i < n; i++) {
        const char *name = wpa_expr_secret_name(&references[i]);
        if (name && wpa_text_index(name, s->names, s->n) < 0 && s->n < WPA_COUNT(s->names)) {
            s->names[s->n++] = name;
        }
    }
}

static void check_secrets(wpa_rule_run *run, const wpa_outline_job *job)
{
    secrets s = {0};
    if (job->key) {
        wpa_rule_each_secret(run, job->node, add_secret, &s);
    }
    if (!s.n) {
        return;
    }
    WPA_AUTO(wpa_buf) *list = wpa_buf_new(8192);
    for (size_t i = 0; i < s.n; i++) {
        wpa_buf_printf(list, "%s%s", i ? ", " : "", s.names[i]);
    }
    (void)wpa_rule_report(run, job->key->span, "I6", NULL, "the job holds %s", wpa_buf_data(list));
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    wpa_rule_each_uses(run, check_uses);
    for (size_t i = 0; i < o->n_triggers; i++) {
        const wpa_fact_event *event = o->triggers[i].event;
        if (event &&
            (event->trust == WPA_TRUST_OUTSIDER || event->trust == WPA_TRUST_OUTSIDER_PRIVILEGED)) {
            (void)wpa_rule_report(run, o->triggers[i].node->span, "I5", NULL,
                                  "strangers can start this by '%s'", event->name);
        }
    }
    for (size_t i = 0; i < o->n_jobs; i++) {
        check_secrets(run, &o->jobs[i]);
        for (size_t k = 0; k < o->jobs[i].n_steps; k++) {
            check_spawn(run, &o->jobs[i].steps[k]);
        }
    }
    return true;
}

const wpa_rule wpa_rule_attack_surface = {
    .code = "SEC-055",
    .id = "attack-surface",
    .dimension = WPA_DIMENSION_SECURITY,
    .kind = WPA_KIND_OPPORTUNITY,
    .severity = WPA_SEVERITY_LOW,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_AUDITOR,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "What a review of the workflow looks at first",
    .why = "An inventory: where strangers, secrets, clouds and the outside meet the workflow.",
    .fix = "Nothing has to be done; look at each.",
    .checks = (const char *const[]){"I1", "I2", "I3", "I4", "I5", "I6", NULL},
    .elsewhere = (const char *const[]){"octoscan/local-action", "octoscan/debug-artefacts",
                                       "octoscan/debug-js-exec", "octoscan/debug-oidc-action",
                                       "octoscan/debug-external-trigger", NULL},
    .tables = 1U << WPA_FACTS_SUPPLY,
    .check = check,
};
