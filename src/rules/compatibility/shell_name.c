/* CMP-019: a shell that the runner does not have, or none where one is needed. */
#include <string.h>

#include "rules/pin.h"

static const char *const known[] = {"bash", "sh", "pwsh", "python", "cmd", "powershell"};

static void check_shell(wpa_rule_run *run, const wpa_yaml_node *node, wpa_fact_os os)
{
    const char *text = wpa_yaml_text(node);
    if (!text || wpa_outline_has_expression(text) || strstr(text, "{0}")) {
        return;
    }
    const char *name = wpa_rule_quote(run, text, strlen(text));
    bool is_known = wpa_text_index(text, known, WPA_COUNT(known)) >= 0;
    bool is_windows_only = wpa_text_is(text, "cmd") || wpa_text_is(text, "powershell");
    if (!is_known) {
        const char *near = wpa_text_nearest(text, known, WPA_COUNT(known));
        (void)wpa_rule_report(run, node->span, NULL, NULL,
                              "%s is no shell that GitHub knows, and a command of your own needs "
                              "{0} for the script%s%s%s",
                              name, near ? " (did you mean '" : "", near ? near : "",
                              near ? "'?)" : "");
    } else if (os == WPA_OS_WINDOWS && wpa_text_is(text, "sh")) {
        wpa_finding *finding = wpa_rule_report(
            run, node->span, NULL, NULL,
            "shell 'sh' is not offered on Windows: it is there only as far as Git brings it");
        finding->severity = WPA_SEVERITY_MEDIUM;
    } else if (is_windows_only && (os == WPA_OS_LINUX || os == WPA_OS_MACOS)) {
        (void)wpa_rule_report(run, node->span, NULL, NULL,
                              "shell %s exists on Windows alone, and this job runs on %s", name,
                              os == WPA_OS_LINUX ? "Linux" : "macOS");
    }
}

static const wpa_yaml_node *default_shell(const wpa_yaml_node *scope)
{
    return wpa_yaml_get(wpa_yaml_get(wpa_yaml_get(scope, "defaults"), "run"), "shell");
}

static void check_job(wpa_rule_run *run, const wpa_outline_job *job)
{
    bool is_composite = run->source->kind == WPA_INPUT_ACTION;
    check_shell(run, default_shell(job->node), job->os);
    for (size_t i = 0; i < job->n_steps; i++) {
        const wpa_outline_step *step = &job->steps[i];
        check_shell(run, wpa_yaml_get(step->node, "shell"), job->os);
        if (is_composite && step->run && !wpa_yaml_find(step->node, "shell")) {
            (void)wpa_rule_report(run, wpa_yaml_find(step->node, "run")->key->span, NULL, step,
                                  "a composite step must name its shell: the action is refused");
        }
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    if (run->source->kind == WPA_INPUT_WORKFLOW) {
        check_shell(run, default_shell(o->root), WPA_OS_UNKNOWN);
    }
    for (size_t i = 0; i < o->n_jobs; i++) {
        check_job(run, &o->jobs[i]);
    }
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const wpa_outline_step *step = finding->subject;
    if (step) {
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_SAFE, "add shell: bash");
        (void)wpa_rule_insert_behind(run, fix, wpa_yaml_find(step->node, "run")->value,
                                     "shell: bash");
    }
}

const wpa_rule wpa_rule_shell_name = {
    .code = "CMP-019",
    .id = "shell-name",
    .dimension = WPA_DIMENSION_COMPATIBILITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_HIGH,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "A shell is unknown, missing, or not there on this system",
    .why = "The step fails before its first command.",
    .fix = "Use bash, sh, pwsh or python; cmd and powershell on Windows alone.",
    .elsewhere = (const char *const[]){"actionlint/shell-name", NULL},
    .declares = WPA_DECLARES_SCRIPT,
    .reads_dead_code = true,
    .check = check,
    .repair = repair,
};
