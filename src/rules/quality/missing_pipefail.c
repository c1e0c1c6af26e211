/* QUA-011: a pipeline whose first command may fail without the step failing. */
#include <string.h>

#include "rules/shell_roles.h"
#include "rules/steps.h"

/* What a program must do for its failure to be the point of the step. */
#define ROLES_THAT_MATTER                                                                          \
    (WPA_DOES_TEST | WPA_DOES_BUILD | WPA_DOES_LINT | WPA_DOES_PUBLISH | WPA_DOES_SCAN |           \
     WPA_DOES_FETCH | WPA_DOES_INSTALL)
#define ROLES_OF_WORK (ROLES_THAT_MATTER & ~(unsigned)WPA_DOES_FETCH)

/* Interpreters and others that run the project's own code. */
static const char *const sources[] = {"python", "python3", "node", "ruby", "perl", "php",
                                      "docker", "bundle",  "npx",  "bash", "sh"};
/* Commands that end well whatever they read. */
static const char *const sinks[] = {
    "tee", "tail",   "head", "tar", "sh", "bash", "xcpretty", "sort", "xcbeautify", "cat", "less",
    "ts",  "column", "uniq", "wc",  "jq", "sed",  "awk",      "cut",  "tr",         "nl"};
/* Filters: what they find decides over the step, rather than what ran. */
static const char *const filters[] = {"grep", "egrep", "fgrep", "rg"};

static bool is_one_of(const char *name, const char *const names[], size_t n)
{
    return wpa_text_index(name, names, n) >= 0;
}

/** May this command fail, and does anybody want to know? */
static bool matters(const wpa_shell_command *c, bool is_filtered)
{
    unsigned roles = wpa_shell_roles(c);
    bool is_script = strchr(c->first < c->n_words ? c->words[c->first].text : "", '/') &&
                     wpa_text_starts(c->words[c->first].text, "./");
    return (roles & (is_filtered ? ROLES_OF_WORK : ROLES_THAT_MATTER)) || is_script ||
           (!is_filtered && is_one_of(c->name, sources, WPA_COUNT(sources)));
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

/** The shell as the runner starts it: named "bash" it sets pipefail, by itself it does not. */
static bool lacks_pipefail(const wpa_outline_step *step)
{
    if (!step->has_named_shell) {
        return step->shell == WPA_SHELL_BASH;
    }
    const char *own = wpa_yaml_text(wpa_yaml_get(step->node, "shell"));
    return own && wpa_text_starts(own, "bash ") && !strstr(own, "pipefail"); /* bash -e {0} */
}

static void check_step(wpa_rule_run *run, const wpa_outline_step *step)
{
    const wpa_script *script = step->script;
    if (!script || !lacks_pipefail(step) || sets_pipefail(script)) {
        return;
    }
    for (size_t i = 0; i < script->n_commands; i++) {
        const wpa_shell_command *first = &script->commands[i];
        bool begins = wpa_text_is(first->after, "|") && !wpa_text_is(first->before, "|");
        size_t end = begins ? end_of_pipeline(script, i) : i;
        const wpa_shell_command *last = &script->commands[end];
        bool is_filter = is_one_of(last->name, filters, WPA_COUNT(filters)) &&
                         wpa_shell_word_find(last, "-v"); /* others are asked whether they find */
        bool ends_well = is_filter || is_one_of(last->name, sinks, WPA_COUNT(sinks));
        if (end > i && ends_well && matters(first, is_filter) && !is_forgiven(first, last) &&
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
    wpa_rule_each_step(run, check_step);
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const wpa_outline_step *step = finding->subject;
    if (step->has_named_shell) {
        return; /* whoever wrote out the command line had a reason */
    }
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
    .tables = 1U << WPA_FACTS_COMMANDS,
    .declares = WPA_DECLARES_SCRIPT,
    .check = check,
    .repair = repair,
};
