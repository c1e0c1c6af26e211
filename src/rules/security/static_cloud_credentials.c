/* SEC-043: long-lived keys of a cloud that takes the run's own token. */
#include <string.h>

#include "facts/supply.h"
#include "rules/outline.h"
#include "rules/rule.h"

static bool is_stored(const char *text)
{
    return text && strcasestr(text, "secrets.") && wpa_outline_has_expression(text);
}

static void report(wpa_rule_run *run, const wpa_yaml_node *value, const char *cloud,
                   const char *instead)
{
    (void)wpa_rule_report(run, (wpa_span){value->key->span.start, value->span.end}, NULL, NULL,
                          "a stored key of %s is good for whoever gets hold of it, until it is "
                          "revoked; use %s instead, and none is stored",
                          cloud, instead);
}

/* Without a server, or with another's, it logs in at Docker Hub or wherever that is. */
static bool is_elsewhere(const wpa_outline_step *step)
{
    const char *server = wpa_outline_with_text(step, "login-server");
    return wpa_outline_step_uses(step, "azure/docker-login") &&
           (!server || (!strstr(server, "azurecr") && !wpa_outline_has_expression(server)));
}

/* A key with a session token beside it ends with the session. */
static bool is_of_session(const wpa_yaml_node *entries)
{
    const wpa_yaml_pair *pair = wpa_yaml_find_ci(entries, "AWS_SESSION_TOKEN");
    pair = pair ? pair : wpa_yaml_find_ci(entries, "aws-session-token");
    return pair && is_stored(wpa_yaml_text(pair->value));
}

static void check_login(wpa_rule_run *run, const wpa_outline_step *step)
{
    const wpa_fact_cloud_login *login = step->uses.fact ? step->uses.fact->login : NULL;
    for (size_t i = 0; login && login->inputs[i]; i++) {
        const wpa_yaml_node *value = wpa_outline_with(step, login->inputs[i]);
        if (is_stored(wpa_yaml_text(value)) && !is_elsewhere(step) && !is_of_session(step->with)) {
            report(run, value, login->cloud, login->instead);
        }
    }
}

/* "docker login" to a registry that is part of a cloud. */
static void check_registry(wpa_rule_run *run, const wpa_outline_step *step)
{
    const char *registry = wpa_outline_with_text(step, "registry");
    const wpa_yaml_node *password = wpa_outline_with(step, "password");
    const wpa_fact_cloud_registry *found =
        registry && wpa_outline_step_uses(step, "docker/login-action")
            ? wpa_facts_cloud_registry_find(registry)
            : NULL;
    if (found && is_stored(wpa_yaml_text(password))) {
        report(run, password, found->cloud, "a login by OIDC before it");
    }
}

/* Keys for storage of others that speaks the same protocol, and takes no tokens. */
static bool is_other_storage(const wpa_yaml_node *env, const char *text)
{
    static const char *const words[] = {"_R2", "R2_", "MINIO", "SPACES", "WASABI", "B2_"};
    for (size_t i = 0; i < WPA_COUNT(words); i++) {
        if (strstr(text, words[i])) {
            return true;
        }
    }
    for (size_t i = 0; i < env->n_pairs; i++) {
        const char *name = wpa_yaml_text(env->pairs[i].key);
        if (name && strcasestr(name, "ENDPOINT")) {
            return true;
        }
    }
    return false;
}

static void check_env(wpa_rule_run *run, const wpa_yaml_node *scope)
{
    const wpa_yaml_node *env = wpa_yaml_get(scope, "env");
    for (size_t i = 0; wpa_yaml_is(env, WPA_YAML_MAPPING) && i < env->n_pairs; i++) {
        const char *name = wpa_yaml_text(env->pairs[i].key);
        const wpa_fact_cloud_variable *row = name ? wpa_facts_cloud_variable_find(name) : NULL;
        const wpa_yaml_node *value = wpa_yaml_resolve(env->pairs[i].value);
        if (row && is_stored(wpa_yaml_text(value)) && value->key &&
            !is_other_storage(env, wpa_yaml_text(value)) && !is_of_session(env)) {
            report(run, value, row->cloud, row->instead);
        }
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    check_env(run, o->root);
    for (size_t i = 0; i < o->n_jobs; i++) {
        check_env(run, o->jobs[i].node);
        for (size_t k = 0; k < o->jobs[i].n_steps; k++) {
            const wpa_outline_step *step = &o->jobs[i].steps[k];
            check_env(run, step->node);
            check_login(run, step);
            check_registry(run, step);
        }
    }
    return true;
}

const wpa_rule wpa_rule_static_cloud_credentials = {
    .code = "SEC-043",
    .id = "static-cloud-credentials",
    .dimension = WPA_DIMENSION_SECURITY,
    .kind = WPA_KIND_OPPORTUNITY,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "A cloud is reached with a stored key where none is needed",
    .why = "A stored key can be stolen and used from anywhere; the run's own token lives for "
           "minutes and is bound to the repository.",
    .fix = "Let the cloud trust this repository's tokens (OIDC), log in by role, and delete the "
           "key. There is no fix by machine, since the cloud has to be told.",
    .elsewhere = (const char *const[]){"octoscan/oidc-action", NULL},
    .tables = 1U << WPA_FACTS_SUPPLY,
    .words = (const char *const[]){"secrets.", NULL},
    .check = check,
};
