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
           : step->shell == WPA_SHELL_PWSH                              ? "pwsh"
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
        script->text = wpa_script_blank(code->text, code->length, arena);
        script->length = code->length;
    } else {
        return false;
    }
    script->fails_early =
        wpa_text_is(script->dialect, "bash") || wpa_text_is(script->dialect, "sh");
    return script->length <= WPA_SHELL_MAX_BYTES && reads(tool, script->dialect);
}

/* ---- Python within a shell's script ------------------------------------------------------------
 */

static bool is_python(const char *name)
{
    return wpa_text_is(name, "python") || wpa_text_starts(name, "python3");
}

/* Does the shell hand these bytes on as they are? */
static bool is_verbatim(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (strchr("$`\\\"", text[i])) {
            return false;
        }
    }
    return true;
}

/* Bytes within the quotes of a word that is one quoted text. */
static bool read_quoted(const wpa_script *script, wpa_span span, wpa_span *inner)
{
    const char *text = script->text + span.start;
    size_t length = wpa_span_length(span);
    if (length < 3 || (text[0] != '\'' && text[0] != '"') || text[length - 1] != text[0]) {
        return false;
    }
    *inner = (wpa_span){span.start + 1, span.end - 1};
    return text[0] == '\'' ? !memchr(text + 1, '\'', length - 2)
                           : is_verbatim(text + 1, length - 2);
}

/* "-c", also behind other letters ("-Ic"): the word behind it is the program. */
static bool is_command_option(const char *word)
{
    size_t length = strlen(word);
    return length > 1 && word[0] == '-' && word[1] != '-' && word[length - 1] == 'c' &&
           strspn(word + 1, "bBdEiIOsSuc") == length - 1;
}

static bool find_python(const wpa_script *script, const wpa_shell_command *command, wpa_span *code)
{
    if (!is_python(command->name) || command->is_nested_script) {
        return false;
    }
    for (size_t i = command->first + 1; i < command->n_words; i++) {
        const char *word = command->words[i].text;
        if (is_command_option(word)) {
            return i + 1 < command->n_words &&
                   read_quoted(script, command->words[i + 1].span, code);
        }
        if (word[0] != '-' || wpa_text_is(word, "-m")) {
            return false; /* a file of its own */
        }
    }
    for (size_t i = 0; i < command->n_redirects; i++) {
        const wpa_shell_redirect *redirect = &command->redirects[i];
        size_t length = wpa_span_length(redirect->body);
        if (length && wpa_text_is(redirect->operator, "<<")) {
            *code = redirect->body;
            return script->contexts && (script->contexts[code->start] == WPA_SHELL_HEREDOC_QUOTED ||
                                        is_verbatim(script->text + code->start, length));
        }
    }
    return false;
}

static void each_python(const wpa_lint_script *shell, wpa_arena *arena,
                        wpa_lint_script_visitor visit, void *context)
{
    const wpa_script *script = shell->step->script;
    for (size_t i = 0; script && i < script->n_commands; i++) {
        wpa_span code;
        if (find_python(script, &script->commands[i], &code)) {
            wpa_lint_script part = *shell;
            part.dialect = "python";
            part.fails_early = false;
            part.offset = code.start;
            part.length = wpa_span_length(code);
            part.text = wpa_arena_slice(arena, script->text + code.start, part.length);
            visit(context, &part);
        }
    }
}

/* ---- the repository's settings -----------------------------------------------------------------
 */

#define RC_MAX_BYTES 4096

/* Lines of .shellcheckrc that cannot reach outside of the script, as directives in front of it. */
static const char *read_directives(const char *text, wpa_arena *arena)
{
    static const char *const keys[] = {"disable=", "enable="};
    const char *all = NULL;
    while (*text) {
        text += strspn(text, " \t\r\n");
        size_t length = strcspn(text, "\r\n");
        for (size_t i = 0; i < WPA_COUNT(keys); i++) {
            if (wpa_text_starts(text, keys[i])) {
                const char *value = text + strlen(keys[i]);
                size_t n = strspn(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                         "0123456789,-_");
                all = wpa_arena_printf(arena, "%s# shellcheck %s%.*s\n", all ? all : "", keys[i],
                                       (int)n, value);
            }
        }
        text += length;
    }
    return all;
}

static const char *directives_of(const wpa_source *source, wpa_arena *arena)
{
    static const char *const names[] = {".shellcheckrc", "shellcheckrc"};
    const wpa_surroundings *around = source->around;
    for (size_t i = 0; around && i < WPA_COUNT(names); i++) {
        size_t size_bytes;
        const char *text =
            !around->has_paths || wpa_surroundings_has(around, names[i])
                ? wpa_surroundings_read(around, names[i], RC_MAX_BYTES, arena, &size_bytes)
                : NULL;
        if (text) {
            return read_directives(text, arena);
        }
    }
    return NULL;
}

void wpa_lint_each_script(const wpa_source *source, wpa_lint_tool tool, wpa_arena *arena,
                          wpa_lint_script_visitor visit, void *context)
{
    const wpa_outline *outline = source->outline;
    const char *directives = NULL;
    bool has_directives = false;
    for (size_t i = 0; i < outline->n_jobs; i++) {
        for (size_t k = 0; k < outline->jobs[i].n_steps; k++) {
            const wpa_outline_step *step = &outline->jobs[i].steps[k];
            wpa_lint_script script;
            bool is_read = wpa_lint_script_of(step, tool, arena, &script);
            if (is_read && !has_directives) {
                directives = directives_of(source, arena);
                has_directives = true;
            }
            script.directives = directives;
            if (is_read) {
                visit(context, &script);
            }
            if (tool != WPA_LINT_SHELLCHECK) {
                each_python(&script, arena, visit, context);
            }
        }
    }
}

const char *wpa_lint_key(wpa_lint_tool tool, const wpa_lint_script *script, wpa_arena *arena)
{
    const char *directives = script->directives ? script->directives : "";
    const char *parts[] = {script->dialect, "\n", directives, script->text};
    size_t lengths[WPA_COUNT(parts)], length = 1;
    for (size_t i = 0; i < WPA_COUNT(parts); i++) {
        lengths[i] = strlen(parts[i]);
        length += lengths[i];
    }
    char *key = wpa_arena_alloc(arena, length + 1), *end = key;
    *end++ = (char)('0' + (int)tool);
    for (size_t i = 0; i < WPA_COUNT(parts); i++) {
        memcpy(end, parts[i], lengths[i]);
        end += lengths[i];
    }
    *end = '\0';
    return key;
}

bool wpa_lint_touches_blank(const wpa_lint_script *script, wpa_span span)
{
    for (size_t i = span.start; i < span.end && i < script->length; i++) {
        if (script->text[i] != script->node->text[script->offset + i]) {
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

typedef struct comment_walk {
    wpa_rule_run *run;
    wpa_lint_tool tool;
    wpa_lint_visitor visit;
} comment_walk;

static void visit_comments(void *context, const wpa_lint_script *script)
{
    const comment_walk *walk = context;
    wpa_rule_run *run = walk->run;
    const wpa_lint_answer *answer = wpa_map_get(run->sink->settings->lint->by_script,
                                                wpa_lint_key(walk->tool, script, run->arena));
    bool is_foreign = answer && is_another_language(script, answer);
    for (size_t i = 0; answer && !is_foreign && i < answer->n; i++) {
        walk->visit(run, script, &answer->comments[i]);
    }
}

void wpa_lint_each(wpa_rule_run *run, wpa_lint_tool tool, wpa_lint_visitor visit)
{
    comment_walk walk = {run, tool, visit};
    const wpa_lint_answers *lint = run->sink->settings->lint;
    if (lint && wpa_map_count(lint->by_script)) {
        wpa_lint_each_script(run->source, tool, run->arena, visit_comments, &walk);
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
        wpa_rule_report(run,
                        wpa_step_span(script->step, script->node, script->offset + span.start,
                                      script->offset + span.end),
                        check, comment, "%s", reword(comment->message, run->arena));
    if (script->step->shell == WPA_SHELL_UNKNOWN) {
        finding->confidence = WPA_CONFIDENCE_MEDIUM;
    }
    if (script->node->key) {
        wpa_rule_relate(run, finding, script->node->key->span, "in this script");
    }
    return finding;
}
