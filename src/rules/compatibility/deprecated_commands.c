/* CMP-026: "::set-output" and the other commands by printing, which runners read no more. */
#include <string.h>

#include <wpa/buf.h>

#include "rules/outline.h"
#include "rules/pin.h"
#include "rules/steps.h"

typedef struct command_name {
    const char *text; /* as printed, with its colons */
    const char *file; /* that took its place */
    bool is_disabled; /* the runner refuses it, and fails the step */
    bool has_name;    /* name=...::value rather than value alone */
} command_name;

static const command_name names[] = {
    {"::set-output ", "GITHUB_OUTPUT", false, true},
    {"::save-state ", "GITHUB_STATE", false, true},
    {"::set-env ", "GITHUB_ENV", true, true},
    {"::add-path::", "GITHUB_PATH", true, false},
    {"##[set-output ", "GITHUB_OUTPUT", false, true}, /* as it was written before that */
    {"##[save-state ", "GITHUB_STATE", false, true},
    {"##[set-env ", "GITHUB_ENV", true, true},
    {"##[add-path]", "GITHUB_PATH", true, false},
};

/* With this in the environment the runner obeys the disabled ones, too. */
#define SWITCH "ACTIONS_ALLOW_UNSECURE_COMMANDS"

typedef struct subject {
    const wpa_outline_step *step;     /* NULL: of JavaScript */
    const wpa_shell_command *command; /* an echo with one word, or NULL */
    const command_name *name;
} subject;

static const wpa_shell_command *command_at(const wpa_script *script, size_t offset)
{
    for (size_t i = 0; script && i < script->n_commands; i++) {
        const wpa_shell_command *c = &script->commands[i];
        if (!c->is_nested_script && c->span.start <= offset && offset < c->span.end) {
            return c;
        }
    }
    return NULL;
}

/* Is this text printed, as far as can be told? */
static bool is_printed(const wpa_script *script, size_t offset)
{
    if (!script || !script->is_readable) {
        return true;
    }
    wpa_shell_context context = (wpa_shell_context)script->contexts[offset];
    return context != WPA_SHELL_COMMENT && context != WPA_SHELL_HEREDOC_QUOTED;
}

/* A line of JavaScript that is a comment. */
static bool is_comment_line(const char *text, size_t offset)
{
    size_t start = offset;
    while (start > 0 && text[start - 1] != '\n') {
        start--;
    }
    start += strspn(text + start, " \t");
    return text[start] == '*' || (text[start] == '/' && strchr("/*", text[start + 1]));
}

static bool sets_switch(const wpa_yaml_node *scope)
{
    const char *text = wpa_yaml_text(wpa_yaml_get(wpa_yaml_get(scope, "env"), SWITCH));
    return text && !wpa_text_is_ci(text, "false");
}

static bool is_switched_on(const wpa_outline_step *step)
{
    bool is_on = sets_switch(step->node) || sets_switch(step->job->node) ||
                 sets_switch(step->node->doc->root);
    for (size_t i = 0; i < step->index && !is_on; i++) {
        is_on = wpa_outline_script_holds(&step->job->steps[i], SWITCH); /* for those behind it */
    }
    return is_on;
}

static void report(wpa_rule_run *run, const wpa_yaml_node *node, size_t offset,
                   const wpa_outline_step *step, const subject *s)
{
    const command_name *name = s->name;
    bool is_old = name->text[0] == '#';
    bool is_refused = name->is_disabled && !is_switched_on(step);
    size_t shown = strlen(name->text) - (name->has_name ? 1 : is_old ? 0 : 2);
    wpa_finding *finding =
        wpa_rule_report(run, wpa_step_span(s->step, node, offset, offset + shown), NULL, s,
                        is_refused ? "%.*s is switched off: the step fails; write to %s instead"
                                   : "%.*s is deprecated: write to %s instead",
                        (int)shown, name->text, name->file);
    finding->severity = is_refused ? WPA_SEVERITY_HIGH : WPA_SEVERITY_MEDIUM;
    if (node->key) {
        wpa_rule_relate(run, finding, node->key->span, "in this script");
    }
}

static void check_script(wpa_rule_run *run, const wpa_outline_step *step, const command_name *name)
{
    const char *text = step->run->text, *end = text + strlen(text);
    for (const char *at = text; (at = wpa_text_find_ci(at, (size_t)(end - at), name->text));
         at += strlen(name->text)) {
        size_t offset = (size_t)(at - text);
        if (is_printed(step->lexed, offset)) {
            subject *s = wpa_arena_alloc(run->arena, sizeof *s);
            *s = (subject){step, command_at(step->lexed, offset), name};
            report(run, step->run, offset, step, s);
        }
    }
}

static void check_javascript(wpa_rule_run *run, const wpa_outline_step *step,
                             const wpa_yaml_node *node, const command_name *name)
{
    const char *end = node->text + strlen(node->text);
    for (const char *at = node->text; (at = wpa_text_find_ci(at, (size_t)(end - at), name->text));
         at += strlen(name->text)) {
        size_t offset = (size_t)(at - node->text);
        if (!is_comment_line(node->text, offset)) {
            subject *s = wpa_arena_alloc(run->arena, sizeof *s);
            *s = (subject){NULL, NULL, name};
            report(run, node, offset, step, s);
        }
    }
}

static void check_step(wpa_rule_run *run, const wpa_outline_step *step)
{
    const wpa_yaml_node *javascript = wpa_step_javascript(step);
    for (size_t i = 0; i < WPA_COUNT(names); i++) {
        if (step->run) {
            check_script(run, step, &names[i]);
        }
        if (javascript) {
            check_javascript(run, step, javascript, &names[i]);
        }
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    wpa_rule_each_step(run, check_step);
    return true;
}

/* "name=N::V" taken apart; both as written in the script. */
typedef struct parts {
    wpa_slice name, value;
} parts;

static bool take_apart(const subject *s, wpa_slice word, parts *p)
{
    const char *at = wpa_text_find(word.at, word.length, s->name->text);
    const char *end = word.at + word.length;
    if (!at || (size_t)(at - word.at) > 1) {
        return false; /* something is printed in front of it */
    }
    at += strlen(s->name->text);
    if (s->name->text[0] == '#') {
        return false;
    }
    if (s->name->has_name) {
        const char *colons = wpa_text_find(at, (size_t)(end - at), "::");
        if (!colons || strncmp(at, "name=", 5) != 0) {
            return false;
        }
        p->name = (wpa_slice){at + 5, (size_t)(colons - at) - 5};
        at = colons + 2;
    }
    p->value = (wpa_slice){at, (size_t)(end - at)};
    return !s->name->has_name || (p->name.length && !memchr(p->name.at, ',', p->name.length));
}

/* The echo's only word, without the quotes around it; *quote is their kind, or 0. */
static bool find_word(const subject *s, wpa_slice *word, char *quote)
{
    static const char *const printers[] = {"echo", "Write-Host", "Write-Output"};
    const wpa_shell_command *c = s->command;
    if (!c || wpa_text_index(c->name, printers, WPA_COUNT(printers)) < 0 || c->n_redirects ||
        c->first != 0 || c->n_words < 2) {
        return false;
    }
    const wpa_shell_word *first = &c->words[1];
    const wpa_shell_word *last = &c->words[c->n_words - 1];
    const char *text = s->step->run->text; /* with its expressions, unlike script->text */
    *word = (wpa_slice){text + first->span.start, last->span.end - first->span.start};
    *quote = '\0';
    if (c->n_words == 2 && (word->at[0] == '"' || word->at[0] == '\'')) {
        *quote = word->at[0];
        if (word->length < 2 || word->at[word->length - 1] != *quote ||
            memchr(word->at + 1, *quote, word->length - 2)) {
            return false;
        }
        word->at++;
        word->length -= 2;
        return true;
    }
    /* Unquoted: only if quoting the whole changes nothing but word splitting. */
    return !memchr(word->at, '"', word->length) && !memchr(word->at, '\'', word->length) &&
           !memchr(word->at, '\\', word->length) && !memchr(word->at, '*', word->length);
}

static bool is_literal(wpa_slice text)
{
    for (size_t i = 0; i < text.length; i++) {
        if (strchr("$`\\%", text.at[i])) {
            return false;
        }
    }
    return true;
}

/* The line that does the same in the step's shell. */
static const char *rewrite(wpa_rule_run *run, const subject *s, const parts *p, char quote)
{
    char mark = quote ? quote : '"';
    const char *equals = s->name->has_name ? "=" : "";
    if (s->step->shell == WPA_SHELL_CMD) {
        /* In brackets: "=2>>" would redirect standard error. */
        return wpa_arena_printf(
            run->arena, "(echo " WPA_SLICE_FORMAT "%s" WPA_SLICE_FORMAT ")>> \"%%%s%%\"",
            WPA_SLICE_ARGS(p->name), equals, WPA_SLICE_ARGS(p->value), s->name->file);
    }
    const char *program = s->command->name;
    bool is_power = s->step->shell == WPA_SHELL_PWSH;
    return wpa_arena_printf(run->arena,
                            "%s %c" WPA_SLICE_FORMAT "%s" WPA_SLICE_FORMAT "%c >> %s%s%s",
                            wpa_text_is(program, "Write-Host") ? "Write-Output" : program, mark,
                            WPA_SLICE_ARGS(p->name), equals, WPA_SLICE_ARGS(p->value), mark,
                            is_power ? "$env:" : "\"$", s->name->file, is_power ? "" : "\"");
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const subject *s = finding->subject;
    wpa_slice word;
    char quote;
    parts p = {0};
    if (!s->step || !find_word(s, &word, &quote) || !take_apart(s, word, &p) ||
        wpa_text_find(p.value.at, p.value.length, "%0") || s->step->shell == WPA_SHELL_PYTHON) {
        return;
    }
    bool is_posix = s->step->lexed->language == WPA_SCRIPT_POSIX;
    bool is_safe = is_posix && is_literal(p.value) && is_literal(p.name);
    wpa_fix *fix = wpa_rule_fix(run, finding, is_safe ? WPA_FIX_SAFE : WPA_FIX_UNSAFE,
                                "write to %s", s->name->file);
    wpa_span span = wpa_outline_script_span(s->step, s->command->span);
    wpa_rule_edit(run, fix, span, "%s", rewrite(run, s, &p, quote));
}

const wpa_rule wpa_rule_deprecated_commands = {
    .code = "CMP-026",
    .id = "deprecated-commands",
    .dimension = WPA_DIMENSION_COMPATIBILITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "A script prints a workflow command that runners no longer want",
    .why = "set-env and add-path fail the step; set-output and save-state are to follow.",
    .fix = "Write name=value to the file that GITHUB_OUTPUT, GITHUB_STATE, GITHUB_ENV or "
           "GITHUB_PATH names.",
    .elsewhere = (const char *const[]){"actionlint/deprecated-commands", NULL},
    .tables = 1U << WPA_FACTS_ARCHIVED,
    .declares = WPA_DECLARES_SCRIPT,
    .words =
        (const char *const[]){"::set-output", "::save-state", "::set-env", "::add-path",
                              "##[set-output", "##[save-state", "##[set-env", "##[add-path", NULL},
    .check = check,
    .repair = repair,
};
