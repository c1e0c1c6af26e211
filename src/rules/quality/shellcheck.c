/* QUA-001: what ShellCheck says of a script. */
#include <ctype.h>
#include <string.h>

#include "rules/lint.h"
#include "rules/one_word.h"
#include "rules/variables.h"

#define LOOKED_AT 4096 /* bytes of a script that tell its language */

/* Comments that blanked expressions bring about: constants, loops of one, comparisons that cannot
 * hold. */
static const char *const of_blanks[] = {"SC2050", "SC2043", "SC2078", "SC2157", "SC2193", "SC2194",
                                        "SC2160", "SC2161", "SC2288", "SC2335", "SC2170"};

/*
 * What nearly every workflow that has it means: a "source" of a file that is not here, text of
 * another language in single quotes, "pip install .[extra]"; "a && b || true"; files that the job
 * itself has made, by "*.zip" and by "ls", which can sort them by their age.
 */
static const char *const usually_meant[] = {"SC1090", "SC1091", "SC2016", "SC2102",
                                            "SC2015", "SC2035", "SC2012"};

static bool has_expression(const wpa_lint_script *script)
{
    return wpa_outline_has_expression(script->node->text);
}

/* "$name = ...", "$env:NAME", "| Out-File": no shell's line, where the runner that implies the
 * shell cannot be told. */
static bool is_powershell(const wpa_lint_script *script)
{
    static const char *const words[] = {"$env:", "$Env:", "| Out-File ", "| Select-Object ",
                                        "Write-Host "};
    bool is_start = true, is_unknown = script->step->shell == WPA_SHELL_UNKNOWN;
    for (size_t i = 0; is_unknown && i < script->length && i < LOOKED_AT; i++) {
        for (size_t j = 0; j < WPA_COUNT(words); j++) {
            size_t length = strlen(words[j]);
            if (i + length <= script->length && memcmp(script->text + i, words[j], length) == 0) {
                return true;
            }
        }
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

/* "for i in $(seq 30)": a loop that only counts has no use for its counter. Names of read have to
 * be there for the ones after them, and ${!name} may use any. */
static bool is_counter(const wpa_lint_script *script, wpa_span span)
{
    static const char word[] = "for ";
    size_t length = sizeof word - 1;
    bool is_inside = span.start + length <= script->length;
    size_t start = is_inside ? span.start : 0;
    while (start > 0 && script->text[start - 1] != '\n') {
        start--;
    }
    for (size_t i = start; is_inside && i + 5 <= span.start; i++) {
        if (memcmp(script->text + i, "read ", 5) == 0) {
            return true;
        }
    }
    return (is_inside && memcmp(script->text + span.start, word, length) == 0) ||
           (is_inside && span.start >= length &&
            memcmp(script->text + span.start - length, word, length) == 0) ||
           memmem(script->text, script->length, "${!", 3);
}

/* The variable that the comment is about: "NAME" of $NAME and ${NAME}; empty if it is none. */
static wpa_slice variable_at(const wpa_lint_script *script, wpa_span span)
{
    if (span.end > script->length || span.end < span.start + 2 || script->text[span.start] != '$') {
        return (wpa_slice){script->text, 0};
    }
    size_t braces = script->text[span.start + 1] == '{';
    size_t start = span.start + 1 + braces;
    return (wpa_slice){script->text + start,
                       span.end - braces > start ? span.end - braces - start : 0};
}

/* What is called arguments, flags or files is meant to become several words. */
static bool is_list(const wpa_lint_script *script, wpa_span span)
{
    bool is_word = (span.start == 0 || strchr(" \t\n", script->text[span.start - 1])) &&
                   (span.end >= script->length || strchr(" \t\n)", script->text[span.end]));
    wpa_slice name = variable_at(script, span);
    const char *value = memchr(name.at, ':', name.length); /* "${ARGS:-}" */
    name.length = value ? (size_t)(value - name.at) : name.length;
    return is_word && wpa_variable_holds_list(name);
}

/* Quotes around what is one word anyway are a matter of style. */
static bool is_one_word(wpa_rule_run *run, const wpa_lint_script *script, wpa_span span)
{
    return wpa_one_word_variable(run, script->step, variable_at(script, span));
}

/* The same of "$(nproc)" and "`pwd`". */
static bool prints_one_word(const wpa_lint_script *script, wpa_span span)
{
    size_t open = span.start < script->length && script->text[span.start] == '`' ? 1 : 2;
    bool is_call = span.end <= script->length && span.end > span.start + open + 1 &&
                   (open == 1 || memcmp(script->text + span.start, "$(", open) == 0);
    wpa_slice inside = {script->text + span.start + open,
                        is_call ? span.end - span.start - open - 1 : 0};
    return is_call && wpa_one_word_command(script->step, inside);
}

/* "-I{LIST}", "{}": a pair of braces around one word means itself in every shell. */
static bool is_literal_pair(const wpa_lint_script *script, wpa_span span)
{
    size_t start = span.start, end = span.start;
    while (start > 0 && !strchr(" \t\n", script->text[start - 1])) {
        start--;
    }
    while (end < script->length && !strchr(" \t\n", script->text[end])) {
        end++;
    }
    wpa_slice word = {script->text + start, end - start};
    const char *open = memchr(word.at, '{', word.length);
    const char *close = memchr(word.at, '}', word.length);
    return open && close && open < close && !memchr(open, ',', (size_t)(close - open));
}

/* "container: ${{ matrix.image }}" may name none, or one whose sh is bash. */
static bool may_be_bash(const wpa_lint_script *script)
{
    const wpa_outline_step *step = script->step;
    const wpa_yaml_node *node = wpa_yaml_resolve(wpa_yaml_get(step->job->node, "container"));
    bool is_map = wpa_yaml_is(node, WPA_YAML_MAPPING);
    const char *container = wpa_yaml_text(is_map ? wpa_yaml_get(node, "image") : node);
    return !step->has_named_shell && container && wpa_outline_has_expression(container);
}

static bool is_style(wpa_rule_run *run, const wpa_lint_script *script,
                     const wpa_lint_comment *comment)
{
    const char *code = comment->code;
    wpa_span span = comment->span;
    bool is_meant =
        wpa_text_is(code, "SC2034")   ? is_counter(script, span)
        : wpa_text_is(code, "SC2086") ? is_list(script, span) || is_one_word(run, script, span)
        : wpa_text_is(code, "SC2046") ? prints_one_word(script, span)
        : wpa_text_is(code, "SC1083") ? is_literal_pair(script, span)
                                      : strncmp(code, "SC3", 3) == 0 && may_be_bash(script);
    return is_meant || wpa_text_is(comment->level, "style") ||
           wpa_text_index(code, usually_meant, WPA_COUNT(usually_meant)) >= 0;
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
    if (is_style(run, script, comment)) {
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
    /* "test -f x && exit 1" in place of "! test -f x" ends a script badly where all is well. */
    bool is_harm = wpa_text_is(comment->code, "SC2251");
    if (!comment->n_replacements || is_harm || !find_script(run, finding, &script) ||
        script.node->style != WPA_YAML_LITERAL) {
        return; /* elsewhere a quote would need care of its own */
    }
    if (wpa_text_is(comment->code, "SC2086") && is_list(&script, comment->span)) {
        return; /* quotes would make one word of what are several */
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
