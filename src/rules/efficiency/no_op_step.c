/* EFF-024: a step that does nothing. */
#include <string.h>

#include "rules/steps.h"

static bool is_idle_command(const wpa_shell_command *c)
{
    bool is_idle = wpa_text_is(c->name, "true") || wpa_text_is(c->name, ":");
    return is_idle && c->n_words == 1 && !c->n_redirects;
}

/* Nothing but blank lines and comments: of PowerShell and Python by "#", of cmd by rem and "::". */
static bool holds_comments_alone(const wpa_script *script)
{
    bool is_cmd = script->language == WPA_SCRIPT_CMD;
    for (const char *at = script->text; *at;) {
        size_t length = strcspn(at, "\n"), lead = strspn(at, " \t\r");
        const char *line = at + (lead < length ? lead : length);
        bool is_comment =
            is_cmd ? strncasecmp(line, "rem ", 4) == 0 || wpa_text_starts(line, "::")
                   : *line == '#' || strncmp(line, "pass\n", 5) == 0 || wpa_text_is(line, "pass");
        if (line < at + length && !is_comment) {
            return false;
        }
        at += length + (at[length] == '\n');
    }
    return true;
}

static bool does_nothing(const wpa_script *script)
{
    if (!script || !script->is_readable || script->length == 0) {
        return false;
    }
    if (script->language != WPA_SCRIPT_POSIX) {
        return holds_comments_alone(script);
    }
    for (size_t i = 0; i < script->n_commands; i++) {
        if (!is_idle_command(&script->commands[i])) {
            return false;
        }
    }
    return true;
}

/* ---- a job that only says something ------------------------------------------------------------
 */

static bool only_speaks(const wpa_outline_step *step)
{
    static const char *const speakers[] = {"echo", "printf",     "true",
                                           ":",    "Write-Host", "Write-Output"};
    const wpa_script *script = step->lexed;
    if (!script || !script->is_readable || step->condition || strstr(script->text, "GITHUB_") ||
        script->n_commands == 0) {
        return false;
    }
    for (size_t i = 0; i < script->n_commands; i++) {
        const wpa_shell_command *c = &script->commands[i];
        bool speaks = wpa_text_index(c->name, speakers, WPA_COUNT(speakers)) >= 0 ||
                      wpa_text_is(c->name, "exit");
        if (!speaks || c->n_redirects || wpa_text_starts(c->after, "|") || c->nested ||
            (wpa_text_is(c->name, "exit") && !wpa_shell_word_find(c, "0") && c->n_words > 1)) {
            return false;
        }
    }
    return true;
}

/* Without conditions anywhere such a job can only stand for others: a name that must be green. */
static void check_job(wpa_rule_run *run, const wpa_outline_job *job)
{
    bool is_speaking = job->n_steps > 0 && job->key && !job->condition &&
                       wpa_yaml_find(job->node, "needs") &&
                       wpa_rule_is_wanted(run, WPA_PERSONA_AUDITOR);
    for (size_t i = 0; i < job->n_steps; i++) {
        is_speaking = is_speaking && only_speaks(&job->steps[i]);
    }
    if (is_speaking) {
        wpa_finding *finding = wpa_rule_report(
            run, job->key->span, "N2", NULL,
            "job '%s' does nothing but print: it takes a runner to be a name for what it waits for",
            job->id);
        finding->persona = WPA_PERSONA_AUDITOR;
        finding->confidence = WPA_CONFIDENCE_MEDIUM;
    }
    const wpa_yaml_node *continues = wpa_yaml_get(job->node, "continue-on-error");
    if (job->is_call && continues && wpa_yaml_is(job->node, WPA_YAML_MAPPING)) {
        (void)wpa_rule_report(run, wpa_yaml_find(job->node, "continue-on-error")->key->span, "N3",
                              NULL, "'continue-on-error' does nothing for a called workflow");
    }
}

/* ---- variables set to what they are ------------------------------------------------------------
 */

static const char *value_in(const wpa_yaml_node *scope, const char *name)
{
    const wpa_yaml_node *env =
        wpa_yaml_is(scope, WPA_YAML_MAPPING) ? wpa_yaml_resolve(wpa_yaml_get(scope, "env")) : NULL;
    return wpa_yaml_is(env, WPA_YAML_MAPPING) ? wpa_yaml_text(wpa_yaml_get(env, name)) : NULL;
}

static void check_env(wpa_rule_run *run, const wpa_outline_step *step)
{
    for (size_t i = 0; step->env && i < step->env->n_pairs; i++) {
        const wpa_yaml_pair *pair = &step->env->pairs[i];
        const char *name = wpa_yaml_text(pair->key), *value = wpa_yaml_text(pair->value);
        const char *outer = name ? value_in(step->job->node, name) : NULL;
        outer = outer || !name ? outer : value_in(run->source->outline->root, name);
        if (outer && wpa_text_is(outer, value) && !wpa_outline_has_expression(name)) {
            (void)wpa_rule_report(run, pair->key->span, "N4", pair,
                                  "'%s' has this value already, from around the step", name);
        }
    }
}

static void check_step(wpa_rule_run *run, const wpa_outline_step *step)
{
    /* A name with an expression is there to show its value in the log. */
    if (step->run && does_nothing(step->lexed) &&
        !wpa_outline_has_expression(wpa_yaml_text(wpa_yaml_get(step->node, "name")))) {
        (void)wpa_rule_report(run, wpa_yaml_find(step->node, "run")->key->span, "N1", step,
                              "this step's script does nothing");
    }
    check_env(run, step);
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    wpa_rule_each_step(run, check_step);
    for (size_t i = 0; i < run->source->outline->n_jobs; i++) {
        check_job(run, &run->source->outline->jobs[i]);
    }
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    if (wpa_text_is(finding->check, "N4")) {
        const wpa_yaml_pair *pair = finding->subject;
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "remove it");
        (void)wpa_rule_remove_entry(run, fix, pair->value);
        return;
    }
    const wpa_outline_step *step = finding->subject;
    if (wpa_text_is(finding->check, "N1") && !step->id && step->job->n_steps > 1) {
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "remove the step");
        (void)wpa_rule_remove_entry(run, fix, step->node); /* an id may be read elsewhere */
    }
}

const wpa_rule wpa_rule_no_op_step = {
    .code = "EFF-024",
    .id = "no-op-step",
    .dimension = WPA_DIMENSION_EFFICIENCY,
    .kind = WPA_KIND_INEFFICIENCY,
    .severity = WPA_SEVERITY_LOW,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "A step, a job or a setting does nothing",
    .why = "It starts a shell, and makes readers look for what it is for.",
    .fix = "Remove it.",
    .checks = (const char *const[]){"N1", "N2", "N3", "N4", NULL},
    .declares = WPA_DECLARES_SCRIPT | WPA_DECLARES_ENV,
    .check = check,
    .repair = repair,
};
