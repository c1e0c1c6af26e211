/* QUA-011: a pipeline whose first command may fail without the step failing. */
#include <string.h>

#include "rules/outline.h"
#include "rules/rule.h"

/* Commands whose failure is the point of the step. */
static const char *const sources[] = {
    "make",    "cmake",     "ctest",   "npm",  "npx",   "pnpm",      "yarn",  "pytest",
    "tox",     "python",    "python3", "go",   "cargo", "mvn",       "mvnw",  "gradle",
    "gradlew", "dotnet",    "bundle",  "rake", "rspec", "docker",    "bazel", "swift",
    "mix",     "terraform", "helm",    "curl", "wget",  "xcodebuild"};
/* Commands that end well whatever they read. */
static const char *const sinks[] = {"tee", "tail", "head", "tar", "sh", "bash", "xcpretty", "sort"};

static bool is_one_of(const char *name, const char *const names[], size_t n)
{
    return wpa_text_index(name, names, n) >= 0;
}

static bool sets_pipefail(const wpa_script *script)
{
    return strstr(script->text, "pipefail") != NULL || strstr(script->text, "PIPESTATUS") != NULL;
}

/** The last command of the pipeline that begins at i. */
static size_t end_of_pipeline(const wpa_script *script, size_t i)
{
    while (wpa_text_is(script->commands[i].after, "|") && i + 1 < script->n_commands) {
        i++;
    }
    return i;
}

static bool is_forgiven(const wpa_shell_command *first, const wpa_shell_command *last)
{
    return first->nested || wpa_text_is(last->after, "||") || wpa_text_is(last->after, "&&") ||
           wpa_text_is(last->after, "&") || wpa_text_is(first->before, "||");
}

/** A condition ("if make | tee log; then") decides nothing about the step. */
static bool is_condition(const wpa_shell_command *first)
{
    static const char *const words[] = {"if", "while", "until", "!", "elif"};
    return first->n_words && is_one_of(first->words[0].text, words, WPA_COUNT(words));
}

static void check_step(wpa_rule_run *run, const wpa_outline_step *step)
{
    const wpa_script *script = step->script;
    bool is_implicit = script && step->shell == WPA_SHELL_BASH && !step->has_named_shell;
    if (!is_implicit || sets_pipefail(script)) {
        return;
    }
    for (size_t i = 0; i < script->n_commands; i++) {
        const wpa_shell_command *first = &script->commands[i];
        bool begins = wpa_text_is(first->after, "|") && !wpa_text_is(first->before, "|");
        size_t end = begins ? end_of_pipeline(script, i) : i;
        const wpa_shell_command *last = &script->commands[end];
        if (end > i && is_one_of(first->name, sources, WPA_COUNT(sources)) &&
            is_one_of(last->name, sinks, WPA_COUNT(sinks)) && !is_forgiven(first, last) &&
            !is_condition(first)) {
            wpa_rule_report(
                run, wpa_outline_script_span(step, (wpa_span){first->span.start, last->span.end}),
                NULL, step,
                "a failure of '%s' is not noticed: the pipeline's result is that "
                "of '%s'",
                first->name, last->name);
            return; /* one shell setting cures all of the script */
        }
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *outline = run->source->outline;
    for (size_t i = 0; i < outline->n_jobs; i++) {
        for (size_t j = 0; j < outline->jobs[i].n_steps; j++) {
            check_step(run, &outline->jobs[i].steps[j]);
        }
    }
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const wpa_outline_step *step = finding->subject;
    wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE,
                                "add shell: bash, which fails with any part of a pipeline");
    (void)wpa_rule_insert_behind(run, fix, step->run, "shell: bash");
}

const wpa_rule wpa_rule_missing_pipefail = {
    .code = "QUA-011",
    .id = "missing-pipefail",
    .dimension = WPA_DIMENSION_QUALITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_MEDIUM,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "A test, build or download is piped on, and its failure does not fail the step",
    .why = "Without a named shell, Linux and macOS steps run 'bash -e' without pipefail: only the "
           "last command of a pipeline counts.",
    .fix = "Write 'shell: bash', which sets pipefail, or 'set -o pipefail' in the script.",
    .declares = WPA_DECLARES_SCRIPT,
    .check = check,
    .repair = repair,
};
