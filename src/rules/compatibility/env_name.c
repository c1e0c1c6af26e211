/* CMP-021: names of environment variables that cannot be set, or that the runner sets itself. */
#include <string.h>

#include "rules/outline.h"
#include "rules/rule.h"

#define NAMES_MAX 1000

static const char *quote(wpa_rule_run *run, const wpa_yaml_node *key)
{
    return wpa_rule_quote(run, key->text, key->length);
}

/* Variables that the runner sets for each step, whatever env says. */
static bool is_runners_own(const char *name)
{
    static const char *const names[] = {"GITHUB_ACTION",
                                        "GITHUB_ACTION_PATH",
                                        "GITHUB_ACTION_REPOSITORY",
                                        "GITHUB_ACTIONS",
                                        "GITHUB_ACTOR",
                                        "GITHUB_ACTOR_ID",
                                        "GITHUB_API_URL",
                                        "GITHUB_BASE_REF",
                                        "GITHUB_ENV",
                                        "GITHUB_EVENT_NAME",
                                        "GITHUB_EVENT_PATH",
                                        "GITHUB_GRAPHQL_URL",
                                        "GITHUB_HEAD_REF",
                                        "GITHUB_JOB",
                                        "GITHUB_OUTPUT",
                                        "GITHUB_PATH",
                                        "GITHUB_REF",
                                        "GITHUB_REF_NAME",
                                        "GITHUB_REF_PROTECTED",
                                        "GITHUB_REF_TYPE",
                                        "GITHUB_REPOSITORY",
                                        "GITHUB_REPOSITORY_ID",
                                        "GITHUB_REPOSITORY_OWNER",
                                        "GITHUB_REPOSITORY_OWNER_ID",
                                        "GITHUB_RETENTION_DAYS",
                                        "GITHUB_RUN_ATTEMPT",
                                        "GITHUB_RUN_ID",
                                        "GITHUB_RUN_NUMBER",
                                        "GITHUB_SERVER_URL",
                                        "GITHUB_SHA",
                                        "GITHUB_STEP_SUMMARY",
                                        "GITHUB_TRIGGERING_ACTOR",
                                        "GITHUB_WORKFLOW",
                                        "GITHUB_WORKFLOW_REF",
                                        "GITHUB_WORKFLOW_SHA",
                                        "GITHUB_WORKSPACE",
                                        "RUNNER_ARCH",
                                        "RUNNER_DEBUG",
                                        "RUNNER_ENVIRONMENT",
                                        "RUNNER_NAME",
                                        "RUNNER_OS",
                                        "RUNNER_TEMP",
                                        "RUNNER_TOOL_CACHE",
                                        "RUNNER_TRACKING_ID"};
    bool may_be = (wpa_text_starts(name, "GITHUB_") && !wpa_text_is(name, "GITHUB_TOKEN")) ||
                  wpa_text_starts(name, "RUNNER_");
    return may_be && wpa_text_index(name, names, WPA_COUNT(names)) >= 0;
}

/* "${{ github.sha }}" for GITHUB_SHA: what the runner sets anyway. */
static bool is_same_anyway(wpa_rule_run *run, const char *name, const wpa_yaml_node *value)
{
    const char *text = wpa_yaml_text(value);
    const char *rest = strchr(name, '_');
    if (!text || !rest) {
        return false;
    }
    size_t start = strspn(text, "${ ");
    size_t length = strcspn(text + start, " }");
    const char *same = wpa_arena_printf(run->arena, "%.*s.%s", (int)(rest - name), name, rest + 1);
    return wpa_slice_is_ci((wpa_slice){text + start, length}, same);
}

static void check_key(wpa_rule_run *run, const wpa_yaml_node *key, const wpa_yaml_node *value)
{
    const char *name = wpa_yaml_text(key);
    if (!name || wpa_outline_has_expression(name) || wpa_text_is(name, "<<")) {
        return;
    }
    size_t at = strcspn(name, "&= \t\n");
    if (!*name) {
        wpa_rule_report(run, key->span, "N1", NULL, "a variable without a name cannot be set");
    } else if (name[at]) {
        wpa_rule_report(run, wpa_yaml_source_span(key, at, at + 1), "N1", NULL,
                        "environment variable %s has a character that no name may have: a shell "
                        "cannot read it",
                        quote(run, key));
    } else if (is_runners_own(name) && !is_same_anyway(run, name, value)) {
        wpa_finding *finding =
            wpa_rule_report(run, key->span, "N2", NULL,
                            "the runner sets %s itself, so this value is ignored", quote(run, key));
        finding->severity = WPA_SEVERITY_LOW;
    }
}

/* N3: Windows does not tell them apart, so one of them is lost. */
static void check_case(wpa_rule_run *run, const wpa_yaml_node *env, const wpa_yaml_node *outer)
{
    for (size_t i = 0; i < env->n_pairs && i < NAMES_MAX && outer->n_pairs < NAMES_MAX; i++) {
        const char *name = wpa_yaml_text(env->pairs[i].key);
        const wpa_yaml_pair *other = name ? wpa_yaml_find_ci(outer, name) : NULL;
        if (other && !wpa_text_is(other->key->text, name) && other->key != env->pairs[i].key) {
            wpa_finding *finding =
                wpa_rule_report(run, env->pairs[i].key->span, "N3", NULL,
                                "%s and %s are one variable on Windows, where this job runs",
                                quote(run, env->pairs[i].key), quote(run, other->key));
            finding->severity = WPA_SEVERITY_LOW;
            wpa_rule_relate(run, finding, other->key->span, "the other one");
        }
    }
}

static const wpa_yaml_node *env_of(const wpa_yaml_node *scope)
{
    const wpa_yaml_node *env = wpa_yaml_get(scope, "env");
    return wpa_yaml_is(env, WPA_YAML_MAPPING) ? env : NULL;
}

static void check_keys(wpa_rule_run *run, const wpa_yaml_node *env)
{
    for (size_t i = 0; env && i < env->n_pairs; i++) {
        check_key(run, env->pairs[i].key, env->pairs[i].value);
    }
}

static const wpa_yaml_node *check_env(wpa_rule_run *run, const wpa_yaml_node *scope)
{
    const wpa_yaml_node *env = env_of(scope);
    check_keys(run, env);
    return env;
}

/* N4: echo "NODE_OPTIONS=..." >> "$GITHUB_ENV" */
static void check_script(wpa_rule_run *run, const wpa_outline_step *step)
{
    bool may_be = step->script && wpa_yaml_may_hold(step->node->doc, "NODE_OPTIONS=");
    for (size_t i = 0; may_be && i < step->script->n_commands; i++) {
        const wpa_shell_command *c = &step->script->commands[i];
        bool is_to_env = false;
        for (size_t k = 0; k < c->n_redirects; k++) {
            is_to_env = is_to_env || strstr(c->redirects[k].target.text, "GITHUB_ENV");
        }
        for (size_t k = c->first + 1; is_to_env && k < c->n_words; k++) {
            if (wpa_text_starts(c->words[k].text, "NODE_OPTIONS=")) {
                wpa_rule_report(run, wpa_outline_script_span(step, c->words[k].span), "N4", NULL,
                                "NODE_OPTIONS cannot be set through GITHUB_ENV: the runner refuses "
                                "it and the step fails");
            }
        }
    }
}

static void check_containers(wpa_rule_run *run, const wpa_yaml_node *job)
{
    const wpa_yaml_node *services = wpa_yaml_get(job, "services");
    (void)check_env(run, wpa_yaml_get(job, "container"));
    for (size_t i = 0; wpa_yaml_is(services, WPA_YAML_MAPPING) && i < services->n_pairs; i++) {
        (void)check_env(run, services->pairs[i].value);
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    const wpa_yaml_node *top =
        run->source->kind == WPA_INPUT_WORKFLOW ? check_env(run, o->root) : NULL;
    for (size_t i = 0; i < o->n_jobs; i++) {
        const wpa_outline_job *job = &o->jobs[i];
        const wpa_yaml_node *env = check_env(run, job->node);
        check_containers(run, job->node);
        bool is_windows = job->os == WPA_OS_WINDOWS;
        if (is_windows && env && top) {
            check_case(run, env, top);
        }
        for (size_t k = 0; k < job->n_steps; k++) {
            const wpa_yaml_node *own = job->steps[k].env;
            check_keys(run, own);
            if (is_windows && own && (env || top)) {
                check_case(run, own, env ? env : top);
            }
            check_script(run, &job->steps[k]);
        }
    }
    return true;
}

const wpa_rule wpa_rule_env_name = {
    .code = "CMP-021",
    .id = "env-name",
    .dimension = WPA_DIMENSION_COMPATIBILITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "An environment variable has a name that cannot be used",
    .why = "The variable is not set, or not to this value, and the script reads something else.",
    .fix = "Choose a name of letters, digits and _ that is not GitHub's own. There is no fix by "
           "machine, since scripts read the name.",
    .checks = (const char *const[]){"N1", "N2", "N3", "N4", NULL},
    .elsewhere = (const char *const[]){"actionlint/env-var", NULL},
    .reads_dead_code = true,
    .check = check,
};
