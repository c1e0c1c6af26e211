/* QUA-001: what ShellCheck says of a script. */
#include <ctype.h>
#include <string.h>

#include "rules/lint.h"

#define LOOKED_AT 4096 /* bytes of a script that tell its language */

/* Comments that blanked expressions bring about: constants, loops of one, comparisons that cannot
 * hold. */
static const char *const of_blanks[] = {"SC2050", "SC2043", "SC2078", "SC2157", "SC2193",
                                        "SC2194", "SC2160", "SC2161", "SC2288", "SC2335"};

static bool has_expression(const wpa_lint_script *script)
{
    return wpa_outline_has_expression(script->node->text);
}

/* "$name = ...": no shell's line, where the runner that implies the shell cannot be told. */
static bool is_powershell(const wpa_lint_script *script)
{
    bool is_start = true, is_unknown = script->step->shell == WPA_SHELL_UNKNOWN;
    for (size_t i = 0; is_unknown && i < script->length && i < LOOKED_AT; i++) {
        if (is_start && script->text[i] == '$') {
            size_t end = i + 1;
            while (end < script->length &&
                   (isalnum((unsigned char)script->text[end]) || strchr("_:", script->text[end]))) {
                end++;
            }
            if (end + 3 <= script->length && memcmp(script->text + end, " = ", 3) == 0) {
                return true;
            }
        }
        is_start = script->text[i] == '\n' || (is_start && script->text[i] == ' ');
    }
    return false;
}

static wpa_severity severity_of(const char *level)
{
    bool is_grave = wpa_text_is(level, "error") || wpa_text_is(level, "warning");
    return is_grave ? WPA_SEVERITY_MEDIUM : WPA_SEVERITY_LOW;
}

/* Paths that the runner makes itself hold no blanks; quotes around them are a matter of style. */
static bool is_path_of_runner(const wpa_lint_script *script, wpa_span span)
{
    static const char *const names[] = {"GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH",
                                        "GITHUB_STATE", "GITHUB_STEP_SUMMARY"};
    if (span.end > script->length || span.end < span.start + 2 || script->text[span.start] != '$') {
        return false;
    }
    size_t braces = script->text[span.start + 1] == '{';
    size_t start = span.start + 1 + braces;
    wpa_slice name = {script->text + start,
                      span.end - braces > start ? span.end - braces - start : 0};
    for (size_t i = 0; i < WPA_COUNT(names); i++) {
        if (wpa_slice_is(name, names[i])) {
            return true;
        }
    }
    return false;
}

/* "for i in $(seq 30)": a loop that only counts has no use for its counter. */
static bool is_counter(const wpa_lint_script *script, wpa_span span)
{
    static const char word[] = "for ";
    size_t length = sizeof word - 1;
    bool is_inside = span.start + length <= script->length;
    return (is_inside && memcmp(script->text + span.start, word, length) == 0) ||
           (is_inside && span.start >= length &&
            memcmp(script->text + span.start - length, word, length) == 0);
}

static void visit(wpa_rule_run *run, const wpa_lint_script *script, const wpa_lint_comment *comment)
{
    if ((has_expression(script) &&
         wpa_text_index(comment->code, of_blanks, WPA_COUNT(of_blanks)) >= 0) ||
        is_powershell(script)) {
        return;
    }
    wpa_finding *finding = wpa_lint_report(run, script, comment, comment->code);
    finding->severity = severity_of(comment->level);
    if (wpa_text_is(comment->level, "style") ||
        (wpa_text_is(comment->code, "SC2034") && is_counter(script, comment->span)) ||
        (wpa_text_is(comment->code, "SC2086") && is_path_of_runner(script, comment->span))) {
        finding->persona = WPA_PERSONA_PEDANTIC;
    }
    if (wpa_text_is(comment->code, "SC1009")) { /* where the error is in, beside what it is */
        finding->persona = WPA_PERSONA_AUDITOR;
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    wpa_lint_each(run, WPA_LINT_SHELLCHECK, visit);
    return true;
}

/* The script that holds the finding: where the comment's bytes lie in the file. */
static bool find_script(wpa_rule_run *run, const wpa_finding *finding, wpa_lint_script *script)
{
    const wpa_outline *outline = run->source->outline;
    for (size_t i = 0; i < outline->n_jobs; i++) {
        for (size_t k = 0; k < outline->jobs[i].n_steps; k++) {
            const wpa_outline_step *step = &outline->jobs[i].steps[k];
            if (step->run && wpa_span_contains(step->run->span, finding->span.bytes) &&
                wpa_lint_script_of(step, WPA_LINT_SHELLCHECK, run->arena, script)) {
                return true;
            }
        }
    }
    return false;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const wpa_lint_comment *comment = finding->subject;
    wpa_lint_script script;
    if (!comment->n_replacements || !find_script(run, finding, &script) ||
        script.node->style != WPA_YAML_LITERAL) {
        return; /* elsewhere a quote would need care of its own */
    }
    for (size_t i = 0; i < comment->n_replacements; i++) {
        wpa_span span = comment->replacements[i].span;
        bool spans_lines = memchr(script.text + span.start, '\n', wpa_span_length(span)) ||
                           strchr(comment->replacements[i].text, '\n');
        if (wpa_lint_touches_blank(&script, comment->span) || spans_lines) {
            return;
        }
    }
    wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "do as ShellCheck proposes");
    for (size_t i = 0; i < comment->n_replacements; i++) {
        const wpa_lint_replacement *r = &comment->replacements[i];
        wpa_rule_edit(run, fix, wpa_yaml_source_span(script.node, r->span.start, r->span.end), "%s",
                      r->text);
    }
}

const wpa_rule wpa_rule_shellcheck = {
    .code = "QUA-001",
    .id = "shellcheck",
    .dimension = WPA_DIMENSION_QUALITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "ShellCheck has something to say of a script",
    .why = "Unquoted variables, commands that cannot fail as meant, and other traps of the shell "
           "show up in one run of a thousand.",
    .fix = "Change the script as the comment says, or put '# shellcheck disable=SC…' above the "
           "line. Needs the program shellcheck; without it this rule is silent.",
    .elsewhere = (const char *const[]){"actionlint/shellcheck", "octoscan/shellcheck", NULL},
    .declares = WPA_DECLARES_SCRIPT,
    .check = check,
    .repair = repair,
};
