#include "rules/lint.h"

#include <ctype.h>
#include <string.h>

#include "rules/sink.h"

/* ---- scripts -----------------------------------------------------------------------------------
 */

static const char *dialect_of(const wpa_outline_step *step)
{
    return step->shell == WPA_SHELL_BASH                                ? "bash"
           : step->shell == WPA_SHELL_SH                                ? "sh"
           : step->shell == WPA_SHELL_PYTHON                            ? "python"
           : step->shell == WPA_SHELL_UNKNOWN && !step->has_named_shell ? "bash"
                                                                        : NULL;
}

static bool reads(wpa_lint_tool tool, const char *dialect)
{
    bool is_shell = wpa_text_is(dialect, "bash") || wpa_text_is(dialect, "sh");
    bool is_python = wpa_text_is(dialect, "python");
    return tool == WPA_LINT_SHELLCHECK ? is_shell : tool == WPA_LINT_PYTHON ? is_python : true;
}

bool wpa_lint_script_of(const wpa_outline_step *step, wpa_lint_tool tool, wpa_arena *arena,
                        wpa_lint_script *script)
{
    const wpa_yaml_node *code = wpa_step_javascript(step);
    *script = (wpa_lint_script){.step = step, .node = step->run, .dialect = dialect_of(step)};
    if (step->run && step->lexed && script->dialect) {
        script->text = step->lexed->text;
        script->length = step->lexed->length;
    } else if (code && tool == WPA_LINT_SYNTAX && strlen(code->text) == code->length) {
        script->node = code;
        script->dialect = "node";
        /* The lexer of another language blanks as well as any. */
        script->text = wpa_script_read_as(WPA_SCRIPT_CMD, code->text, code->length, arena)->text;
        script->length = code->length;
    } else {
        return false;
    }
    script->fails_early =
        wpa_text_is(script->dialect, "bash") || wpa_text_is(script->dialect, "sh");
    return script->length <= WPA_SHELL_MAX_BYTES && reads(tool, script->dialect);
}

const char *wpa_lint_key(wpa_lint_tool tool, const wpa_lint_script *script, wpa_arena *arena)
{
    return wpa_arena_printf(arena, "%d %s\n%s", (int)tool, script->dialect, script->text);
}

bool wpa_lint_touches_blank(const wpa_lint_script *script, wpa_span span)
{
    for (size_t i = span.start; i < span.end && i < script->length; i++) {
        if (script->text[i] != script->node->text[i]) {
            return true;
        }
    }
    return false;
}

size_t wpa_lint_offset(const char *text, size_t length, int64_t line, int64_t column,
                       unsigned tab_width)
{
    size_t at = 0;
    for (int64_t i = 1; i < line; i++) {
        const char *end = memchr(text + at, '\n', length - at);
        if (!end) {
            return length;
        }
        at = (size_t)(end - text) + 1;
    }
    for (int64_t i = 1; i < column && at < length && text[at] != '\n';) {
        i += text[at] == '\t' ? tab_width - (i - 1) % tab_width : 1;
        (void)wpa_utf8_next(text, length, &at);
    }
    return at;
}

/* ---- comments ----------------------------------------------------------------------------------
 */

/* Where the shell is not known, a script that does not parse is one of another shell. */
static bool is_another_language(const wpa_lint_script *script, const wpa_lint_answer *answer)
{
    for (size_t i = 0; script->step->shell == WPA_SHELL_UNKNOWN && i < answer->n; i++) {
        const wpa_lint_comment *comment = &answer->comments[i];
        bool is_syntax = !comment->code || wpa_text_starts(comment->code, "SC1");
        if (is_syntax && wpa_text_is(comment->level, "error")) {
            return true;
        }
    }
    return false;
}

void wpa_lint_each(wpa_rule_run *run, wpa_lint_tool tool, wpa_lint_visitor visit)
{
    const wpa_lint_answers *answers = run->sink->settings->lint;
    const wpa_outline *outline = run->source->outline;
    for (size_t i = 0; answers && i < outline->n_jobs; i++) {
        for (size_t k = 0; k < outline->jobs[i].n_steps; k++) {
            wpa_lint_script script;
            if (!wpa_lint_script_of(&outline->jobs[i].steps[k], tool, run->arena, &script)) {
                continue;
            }
            const wpa_lint_answer *answer =
                wpa_map_get(answers->by_script, wpa_lint_key(tool, &script, run->arena));
            bool is_foreign = answer && is_another_language(&script, answer);
            for (size_t c = 0; answer && !is_foreign && c < answer->n; c++) {
                visit(run, &script, &answer->comments[c]);
            }
        }
    }
}

/* The tool's sentence as ours are: lower case in front, no full stop behind. */
static const char *reword(const char *message, wpa_arena *arena)
{
    char *text = wpa_arena_text(arena, message + strspn(message, " "));
    size_t length = strlen(text);
    size_t n_lower = 1; /* of the first word: a name such as ShellCheck keeps its capitals */
    while (islower((unsigned char)text[n_lower])) {
        n_lower++;
    }
    if (isupper((unsigned char)text[0]) && n_lower > 1 && !isupper((unsigned char)text[n_lower])) {
        text[0] = (char)tolower((unsigned char)text[0]);
    }
    if (length > 1 && text[length - 1] == '.' && text[length - 2] != '.') {
        text[length - 1] = '\0';
    }
    return text;
}

/* An empty span points at the character behind it; one at the end, at the last that is there. */
static wpa_span visible_span(const wpa_lint_script *script, wpa_span span)
{
    size_t end = script->length;
    while (end > 1 && (script->text[end - 1] == '\n' || script->text[end - 1] == '\r')) {
        end--;
    }
    if (span.start >= end && end) {
        return (wpa_span){end - 1, end};
    }
    if (span.start == span.end && span.end < script->length && script->text[span.end] != '\n') {
        span.end++;
    }
    return span;
}

wpa_finding *wpa_lint_report(wpa_rule_run *run, const wpa_lint_script *script,
                             const wpa_lint_comment *comment, const char *check)
{
    wpa_span span = visible_span(script, comment->span);
    wpa_finding *finding =
        wpa_rule_report(run, wpa_step_span(script->step, script->node, span.start, span.end), check,
                        comment, "%s", reword(comment->message, run->arena));
    if (script->step->shell == WPA_SHELL_UNKNOWN) {
        finding->confidence = WPA_CONFIDENCE_MEDIUM;
    }
    if (script->node->key) {
        wpa_rule_relate(run, finding, script->node->key->span, "in this script");
    }
    return finding;
}
