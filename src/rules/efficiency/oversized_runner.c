/* EFF-008: a job that would fit the smallest runner. */
#include <string.h>

#include "facts/platforms.h"
#include "rules/shell_roles.h"
#include "rules/work.h"

#define SLIM "ubuntu-slim"

/* What every Linux has. */
static const char *const base[] = {
    "echo",   "printf", "exit",     "true",    "false", "test",   "[",         "[[",    "cd",
    "export", "set",    "cat",      "head",    "tail",  "sed",    "grep",      "awk",   "tr",
    "cut",    "sort",   "uniq",     "wc",      "date",  "sleep",  "mkdir",     "rm",    "cp",
    "mv",     "ls",     "touch",    "tee",     "xargs", "find",   "env",       "read",  "local",
    "return", "shift",  "basename", "dirname", "seq",   "base64", "sha256sum", "chmod", ":",
    "eval",   "source", "declare",  "mktemp"};

/* What PowerShell brings with it, in any case. */
static const char *const cmdlets[] = {"Write-Host",
                                      "Write-Output",
                                      "Write-Error",
                                      "Get-Content",
                                      "Set-Content",
                                      "Add-Content",
                                      "Out-File",
                                      "Out-Null",
                                      "Get-Date",
                                      "Start-Sleep",
                                      "New-Item",
                                      "Remove-Item",
                                      "Test-Path",
                                      "Join-Path",
                                      "Get-ChildItem",
                                      "ForEach-Object",
                                      "Where-Object",
                                      "Sort-Object",
                                      "Select-Object",
                                      "Select-String",
                                      "ConvertTo-Json",
                                      "throw",
                                      "if",
                                      "ConvertFrom-Json",
                                      "elseif",
                                      "else",
                                      "foreach",
                                      "Write-Warning",
                                      "Invoke-WebRequest"};

static bool is_on_slim(const wpa_script *script, const char *name)
{
    const wpa_fact_program *program = wpa_facts_program_find(wpa_slice_of(name));
    const wpa_fact_presence *on = program ? wpa_facts_program_on(program, SLIM) : NULL;
    for (size_t i = 0; script->language == WPA_SCRIPT_PWSH && i < WPA_COUNT(cmdlets); i++) {
        if (wpa_text_is_ci(name, cmdlets[i])) {
            return true;
        }
    }
    return !*name || wpa_text_index(name, base, WPA_COUNT(base)) >= 0 || (on && on->version);
}

static bool is_light_script(const wpa_outline_step *step)
{
    static const char *const heavy[] = {"docker", "sudo", "make", "install", "systemctl", NULL};
    const wpa_script *script = wpa_step_commands(step);
    if (!script || wpa_work_step_roles(step) || wpa_work_mentions_any(step->run, heavy)) {
        return false;
    }
    for (size_t i = 0; i < script->n_commands; i++) {
        const wpa_shell_command *c = &script->commands[i];
        bool is_path = c->first < c->n_words && strpbrk(c->words[c->first].text, "/\\");
        if (is_path || !is_on_slim(script, c->name)) {
            return false;
        }
    }
    return true;
}

/* Talks to the forge, and runs as JavaScript. */
static bool is_light_action(const wpa_outline_step *step)
{
    const wpa_fact_use *fact = step->uses.fact;
    bool is_js =
        fact && fact->has_major && fact->major.using && wpa_text_starts(fact->major.using, "node");
    return is_js && (wpa_outline_uses_trait(step, WPA_TRAIT_METADATA_ONLY) ||
                     wpa_outline_step_uses(step, "actions/github-script"));
}

static bool is_small(const wpa_outline_job *job)
{
    size_t n_scripts = 0, n_light = 0;
    for (size_t i = 0; i < job->n_steps; i++) {
        const wpa_outline_step *step = &job->steps[i];
        bool is_checkout = wpa_outline_step_uses(step, "actions/checkout");
        bool is_script = step->run && is_light_script(step);
        if (!is_checkout && !is_script && !is_light_action(step)) {
            return false;
        }
        if (is_checkout && wpa_outline_with(step, "fetch-depth")) {
            return false; /* as large as the history */
        }
        n_scripts += is_script;
        n_light += !is_checkout;
    }
    return n_light > 0 && n_scripts <= 3;
}

/* A standard x64 Linux runner, and nothing around the job that asks for more. */
static bool is_candidate(const wpa_outline_job *job)
{
    static const char *const asks[] = {"container", "services", "strategy"};
    for (size_t i = 0; i < WPA_COUNT(asks); i++) {
        if (wpa_yaml_find(job->node, asks[i])) {
            return false;
        }
    }
    const wpa_fact_runner *runner = job->n_labels == 1 ? job->labels[0].runner : NULL;
    double minutes = 0;
    const char *timeout = wpa_yaml_text(wpa_yaml_get(job->node, "timeout-minutes"));
    bool is_long = timeout && (!wpa_text_to_double(timeout, &minutes) || minutes > 15);
    return runner && runner->os == WPA_OS_LINUX && !runner->size &&
           wpa_text_is(runner->arch, "x64") && !job->has_open_labels && !is_long;
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    for (size_t i = 0; i < o->n_jobs; i++) {
        const wpa_outline_job *job = &o->jobs[i];
        if (is_candidate(job) && is_small(job)) {
            (void)wpa_rule_report(run, job->labels[0].node->span, NULL, job->labels[0].node,
                                  "this job is small enough for " SLIM ", whose minutes cost a "
                                  "third");
        }
    }
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const wpa_yaml_node *label = finding->subject;
    wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "run it on " SLIM);
    wpa_rule_edit(run, fix, label->span, SLIM);
}

const wpa_rule wpa_rule_oversized_runner = {
    .code = "EFF-008",
    .id = "oversized-runner",
    .dimension = WPA_DIMENSION_EFFICIENCY,
    .kind = WPA_KIND_OPPORTUNITY,
    .severity = WPA_SEVERITY_LOW,
    .confidence = WPA_CONFIDENCE_MEDIUM,
    .persona = WPA_PERSONA_PEDANTIC,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "A small job runs on a full runner",
    .why = "A job that only talks to the forge pays for processors that it never uses.",
    .fix = "Run it on ubuntu-slim: one processor, 15 minutes, no Docker, fewer tools.",
    .tables = 1U << WPA_FACTS_IMAGES | 1U << WPA_FACTS_RUNNERS,
    .declares = WPA_DECLARES_RUNNER,
    .check = check,
    .repair = repair,
};
