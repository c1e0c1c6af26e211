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
/* The same of PowerShell, where "tee" and "sort" may be its own, which keep the code of a program,
 * and of cmd. */
static const char *const pwsh_sinks[] = {"tar", "tail", "head", "jq",
                                         "sed", "awk",  "wc",   "more.com"};
static const char *const cmd_sinks[] = {"more", "sort", "clip", "tee", "tail", "head", "tar", "jq"};
/* Filters: what they find decides over the step, rather than what ran. */
static const char *const filters[] = {"grep", "egrep", "fgrep", "rg", "findstr", "find"};

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
    static const char *const words[] = {"pipefail", "PIPESTATUS", "LASTEXITCODE",
                                        "PSNativeCommandUseErrorActionPreference"};
    for (size_t i = 0; i < WPA_COUNT(words); i++) {
        if (wpa_text_find_ci(script->text, script->length, words[i])) {
            return true;
        }
    }
    return false;
}

/** tar and jq -e fail where what they read is cut off or empty, and so notice for the others. */
static bool notices(const wpa_shell_command *c)
{
    if (wpa_text_is(c->name, "jq")) {
        return wpa_shell_word_find(c, "-e") || wpa_shell_word_find(c, "--exit-status");
    }
    if (!wpa_text_is(c->name, "tar") || c->first + 1 >= c->n_words) {
        return false;
    }
    const char *mode = c->words[c->first + 1].text;
    return wpa_shell_word_find(c, "--extract") || wpa_shell_word_find(c, "--list") ||
           (!wpa_text_starts(mode, "--") && !strpbrk(mode, "./") && strpbrk(mode, "xt"));
}

static bool is_sink_by_name(const wpa_script *script, const wpa_shell_command *c)
{
    return script->language == WPA_SCRIPT_PWSH
               ? is_one_of(c->name, pwsh_sinks, WPA_COUNT(pwsh_sinks))
           : script->language == WPA_SCRIPT_CMD
               ? is_one_of(c->name, cmd_sinks, WPA_COUNT(cmd_sinks))
               : is_one_of(c->name, sinks, WPA_COUNT(sinks));
}

/** Does the command end well whatever it reads? A filter that leaves lines out does, nearly. */
static bool is_sink(const wpa_script *script, const wpa_shell_command *c, bool is_filter)
{
    return is_filter || (!notices(c) && is_sink_by_name(script, c));
}

/** Others are asked whether they find something. */
static bool leaves_lines_out(const wpa_shell_command *c)
{
    return is_one_of(c->name, filters, WPA_COUNT(filters)) &&
           (wpa_shell_word_find(c, "-v") || wpa_shell_word_find(c, "/v") ||
            wpa_shell_word_find(c, "/V"));
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

/** "lint | tee log", and behind it "test ! -s log": what was written decides. */
static bool is_decided_by_file(wpa_rule_run *run, const wpa_script *script, size_t end)
{
    static const char *const judges[] = {"test", "[", "[[", "grep", "cmp", "diff"};
    const wpa_shell_command *last = &script->commands[end];
    for (size_t i = end; i > 0 && !wpa_text_is(last->name, "tee"); i--) {
        bool is_piped = wpa_text_is(script->commands[i - 1].after, "|");
        last = is_piped ? &script->commands[i - 1] : last;
        if (!is_piped) {
            return false;
        }
    }
    const wpa_shell_word *file =
        wpa_text_is(last->name, "tee") ? wpa_shell_argument(last, 0) : NULL;
    bool may_look = file && wpa_rule_spend(run, script->n_commands);
    for (size_t k = end + 1; may_look && k < script->n_commands; k++) {
        const wpa_shell_command *c = &script->commands[k];
        if (is_one_of(c->name, judges, WPA_COUNT(judges)) && wpa_shell_word_find(c, file->text)) {
            return true;
        }
    }
    return false;
}

/** The shell as the runner starts it: named "bash" it sets pipefail, by itself it does not. */
static bool lacks_pipefail(const wpa_outline_step *step)
{
    if (step->lexed->language == WPA_SCRIPT_PWSH || step->lexed->language == WPA_SCRIPT_CMD) {
        return true; /* there is no such thing */
    }
    if (!step->has_named_shell) {
        return step->shell == WPA_SHELL_BASH;
    }
    const char *own = wpa_yaml_text(wpa_yaml_get(step->node, "shell"));
    bool is_bash = step->shell == WPA_SHELL_BASH || step->shell == WPA_SHELL_ZSH;
    bool is_told = own && !wpa_text_is(own, "bash") && !step->is_elsewhere; /* "bash -e {0}" */
    return is_bash && is_told && !strstr(own, "pipefail");
}

/** What shows why a job failed: it has failed already, whatever becomes of this step. */
static bool runs_after_failure(const wpa_outline_step *step)
{
    const char *text = wpa_yaml_text(step->condition);
    const char *at = text ? strstr(text, "failure()") : NULL;
    return at && !strstr(text, "||") && !strchr(text, '!');
}

static void check_step(wpa_rule_run *run, const wpa_outline_step *step)
{
    const wpa_script *script = step->lexed;
    if (!script || !lacks_pipefail(step) || runs_after_failure(step)) {
        return;
    }
    for (size_t i = 0; i < script->n_commands; i++) {
        const wpa_shell_command *first = &script->commands[i];
        bool begins = wpa_text_is(first->after, "|") && !wpa_text_is(first->before, "|");
        size_t end = begins ? end_of_pipeline(script, i) : i;
        const wpa_shell_command *last = &script->commands[end];
        bool is_filter = end > i && leaves_lines_out(last);
        if (end > i && is_sink(script, last, is_filter) && matters(first, is_filter) &&
            !is_forgiven(first, last) && !is_condition(first) &&
            !is_decided_by_file(run, script, end)) {
            if (sets_pipefail(script)) {
                return;
            }
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
    if (step->has_named_shell || step->lexed->language != WPA_SCRIPT_POSIX) {
        return; /* whoever wrote out the command line had a reason; other shells have no such way */
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
    .why =
        "Without a named shell, Linux and macOS steps run 'bash -e' without pipefail, and pwsh and "
        "cmd know nothing like it: only the last program of a pipeline counts.",
    .fix =
        "Write 'shell: bash', which sets pipefail, or 'set -o pipefail' in the script; elsewhere "
        "write to a file first and look at it in a command of its own.",
    .tables = 1U << WPA_FACTS_COMMANDS,
    .declares = WPA_DECLARES_SCRIPT,
    .check = check,
    .repair = repair,
};
