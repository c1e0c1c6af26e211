/* QUA-026: files that steps write results to, written in a way that loses or mangles them. */
#include <string.h>
#include <strings.h>

#include "rules/steps.h"

static const char *const files[] = {"GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH",
                                    "GITHUB_STEP_SUMMARY"};

/* What a repair needs of a redirection. */
typedef struct subject {
    wpa_span operator_span; /* in the file */
    wpa_span word_span;
    const char *file;
    bool is_only_writer;
} subject;

/**
 * Name of the file that a word stands for, in any shell: $GITHUB_OUTPUT, "${GITHUB_OUTPUT}",
 * $env:GITHUB_OUTPUT, %GITHUB_OUTPUT%; NULL if none.
 */
static const char *file_of(const char *word)
{
    static const char common[] = "GITHUB_"; /* what all begin with */
    static const size_t n_common = sizeof common - 1;
    bool is_variable = *word == '$', is_percent = *word == '%';
    bool has_brace = is_variable && word[1] == '{';
    const char *name = word + 1 + has_brace;
    if (!is_variable && !is_percent) {
        return NULL;
    }
    bool is_environment = is_variable && (*name | 0x20) == 'e' && strncasecmp(name, "env:", 4) == 0;
    name += is_environment ? 4 : 0;
    if ((*name | 0x20) != (*common | 0x20) || strncasecmp(name, common, n_common) != 0) {
        return NULL;
    }
    const char *end = has_brace ? "}" : is_percent ? "%" : "";
    bool ignores_case = is_environment || is_percent;
    for (size_t i = 0; i < WPA_COUNT(files); i++) {
        if ((name[n_common] ^ files[i][n_common]) & ~0x20) {
            continue;
        }
        size_t length = strlen(files[i]);
        bool is_it = ignores_case ? strncasecmp(name, files[i], length) == 0
                                  : strncmp(name, files[i], length) == 0;
        if (is_it && wpa_text_is(name + length, end)) {
            return files[i];
        }
    }
    return NULL;
}

static bool is_writing(const wpa_shell_redirect *redirect)
{
    return wpa_text_is(redirect->operator, ">") || wpa_text_is(redirect->operator, ">>") ||
           wpa_text_is(redirect->operator, ">|");
}

/** Is this the one redirection of the script that writes to the file? Two are all that is asked. */
static bool is_only_writer(const wpa_script *script, const char *file)
{
    size_t n = 0;
    for (size_t i = 0; i < script->n_commands && n < 2; i++) {
        const wpa_shell_command *command = &script->commands[i];
        for (size_t j = 0; j < command->n_redirects; j++) {
            n += is_writing(&command->redirects[j]) &&
                 wpa_text_is(file_of(command->redirects[j].target.text), file);
        }
    }
    return n == 1;
}

/** Does the script write to the file before this redirection, or come by it again? */
static bool is_written_before(const wpa_script *script, const wpa_shell_command *command,
                              const wpa_shell_redirect *redirect, const char *file)
{
    for (size_t i = 0; i < script->n_commands; i++) {
        const wpa_shell_command *c = &script->commands[i];
        for (size_t j = 0; j < c->n_redirects; j++) {
            const wpa_shell_redirect *r = &c->redirects[j];
            if (r->target.span.start < redirect->target.span.start && is_writing(r) &&
                wpa_text_is(file_of(r->target.text), file)) {
                return true;
            }
        }
    }
    return command->loops > 0;
}

/** Where the operator stands: right before the word, blanks between. */
static wpa_span operator_span(const wpa_script *script, const wpa_shell_redirect *redirect)
{
    size_t end = redirect->target.span.start, length = strlen(redirect->operator);
    while (end > 0 && strchr(" \t", script->text[end - 1])) {
        end--;
    }
    return (wpa_span){end > length ? end - length : 0, end};
}

static void check_redirect(wpa_rule_run *run, const wpa_outline_step *step,
                           const wpa_shell_command *command, const wpa_shell_redirect *redirect,
                           const char *file)
{
    const wpa_script *script = step->script;
    size_t length = wpa_span_length(redirect->target.span);
    bool empties = !wpa_text_is(redirect->operator, ">>");
    bool is_bare = length && script->text[redirect->target.span.start] == '$' &&
                   wpa_rule_is_wanted(run, WPA_PERSONA_PEDANTIC);
    if (!empties && !is_bare) {
        return;
    }
    subject *s = wpa_arena_alloc(run->arena, sizeof *s);
    s->file = file;
    s->word_span = wpa_outline_script_span(step, redirect->target.span);
    s->operator_span = wpa_outline_script_span(step, operator_span(script, redirect));
    s->is_only_writer = is_only_writer(script, file) && !command->loops;
    if (empties) {
        bool loses = is_written_before(script, command, redirect, file);
        wpa_finding *finding = wpa_rule_report(
            run, s->operator_span, "F1", s,
            loses ? "'%s' empties %s: what the step wrote to it before is lost"
                  : "'%s' empties %s: a line that the step writes to it before this one is lost",
            redirect->operator, file);
        finding->severity = loses ? finding->severity : WPA_SEVERITY_LOW;
    }
    if (is_bare) {
        wpa_finding *finding = wpa_rule_report(run, s->word_span, "F2", s,
                                               "$%s is not quoted: a blank in its path would make "
                                               "two words of it",
                                               file);
        finding->severity = WPA_SEVERITY_LOW;
        finding->persona = WPA_PERSONA_PEDANTIC;
    }
}

/* ---- F3, F4: values of several lines -----------------------------------------------------------
 */

/* "name=$(command that prints lines)" echoed to a file that takes one line a value. */
static bool prints_lines(const wpa_script *script, wpa_span word, unsigned nested, bool *is_sure)
{
    static const char *const printers[] = {"cat",  "ls",   "find", "git",    "jq",     "grep",
                                           "sort", "curl", "tree", "docker", "kubectl"};
    for (size_t i = 0; i < script->n_commands; i++) {
        const wpa_shell_command *c = &script->commands[i];
        bool is_inside = c->nested == nested + 1 && wpa_span_contains(word, c->span);
        if (!is_inside || wpa_text_starts(c->after, "|") ||
            wpa_text_index(c->name, printers, WPA_COUNT(printers)) < 0) {
            continue;
        }
        bool is_log = wpa_text_is(c->name, "git") &&
                      (wpa_shell_is(c, "git", "log") || wpa_shell_is(c, "git", "diff") ||
                       wpa_shell_is(c, "git", "ls-files"));
        bool is_list = wpa_text_is(c->name, "find") ||
                       (wpa_text_is(c->name, "ls") && wpa_shell_argument(c, 0));
        if ((is_log && !wpa_shell_word_find(c, "-1") && !wpa_shell_word_find(c, "-n1")) ||
            is_list) {
            /* "ls dist/pkg-*.whl" is mostly written where there is one such file. */
            *is_sure = !wpa_text_is(c->name, "ls");
            return true;
        }
    }
    return false;
}

static void check_value(wpa_rule_run *run, const wpa_outline_step *step,
                        const wpa_shell_command *command, const char *file)
{
    const wpa_script *script = step->script;
    bool is_named = wpa_text_is(file, "GITHUB_OUTPUT") || wpa_text_is(file, "GITHUB_ENV");
    const wpa_shell_word *word =
        wpa_text_is(command->name, "echo") ? wpa_shell_argument(command, 0) : NULL;
    const char *equals = word ? strchr(word->text, '=') : NULL;
    bool is_sure = true,
         is_plain = equals && (equals == word->text || equals[-1] != '<') && strpbrk(equals, "$`");
    if (is_named && is_plain && wpa_rule_spend(run, script->n_commands) &&
        prints_lines(script, word->span, command->nested, &is_sure)) {
        wpa_finding *finding = wpa_rule_report(
            run, wpa_outline_script_span(step, word->span), "F3", NULL,
            "a value of several lines breaks %s: it takes a delimiter (name<<EOF)", file);
        finding->confidence = is_sure ? WPA_CONFIDENCE_MEDIUM : WPA_CONFIDENCE_LOW;
        finding->persona = is_sure ? finding->persona : WPA_PERSONA_PEDANTIC;
    }
}

/* A delimiter that everybody knows, around text that somebody else wrote. */
static bool is_foreign(const char *text)
{
    static const char *const marks[] = {"github.event.", "github.head_ref", "steps.",   "curl ",
                                        "git log",       "gh pr",           "gh issue", "gh api",
                                        "BODY",          "TITLE",           "body",     "comment"};
    for (size_t i = 0; i < WPA_COUNT(marks); i++) {
        if (strstr(text, marks[i])) {
            return true;
        }
    }
    return false;
}

static void check_delimiter(wpa_rule_run *run, const wpa_outline_step *step,
                            const wpa_shell_command *command)
{
    const wpa_shell_word *word =
        wpa_text_is(command->name, "echo") ? wpa_shell_argument(command, 0) : NULL;
    const char *mark = word ? strstr(word->text, "<<") : NULL;
    bool is_fixed = mark && mark > word->text && mark[2] && !strpbrk(mark + 2, "$`_ ");
    /* Up to the line that ends the value. */
    const char *from = step->run->text + (word ? word->span.end : 0);
    const char *end = is_fixed ? strstr(from, mark + 2) : NULL;
    if (end && is_foreign(wpa_arena_slice(run->arena, from, (size_t)(end - from)))) {
        wpa_finding *finding = wpa_rule_report(
            run, wpa_outline_script_span(step, word->span), "F4", NULL,
            "whoever writes the text may write the line %s too, and values of their own behind it",
            wpa_rule_quote(run, mark + 2, strlen(mark + 2)));
        finding->confidence = WPA_CONFIDENCE_LOW;
    }
}

/* ---- F5, F6: variables that are not where they are looked for ----------------------------------
 */

/* The name in "NAME=..." that echo writes to GITHUB_ENV. */
static wpa_slice name_written(const wpa_shell_command *command)
{
    const wpa_shell_word *word =
        wpa_text_is(command->name, "echo") ? wpa_shell_argument(command, 0) : NULL;
    size_t n = word ? strspn(word->text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"
                                         "0123456789")
                    : 0;
    return (wpa_slice){word ? word->text : "", n && word->text[n] == '=' ? n : 0};
}

/* How far behind a writer its readers are looked for. */
#define READ_MAX_BYTES 4096

/* The first place from at on where the script reads $NAME; its length if it does not. */
static size_t read_at(const wpa_script *script, wpa_slice name, size_t at)
{
    size_t end = at + READ_MAX_BYTES < script->length ? at + READ_MAX_BYTES : script->length;
    for (size_t i = at; i + name.length < end; i++) {
        if (script->text[i] != '$' || script->contexts[i] == WPA_SHELL_SINGLE ||
            script->contexts[i] == WPA_SHELL_COMMENT) {
            continue;
        }
        size_t k = i + 1 + (script->text[i + 1] == '{');
        char next = k + name.length < script->length ? script->text[k + name.length] : '\0';
        bool goes_on = next == '_' || (next >= '0' && next <= '9') ||
                       (next >= 'A' && next <= 'Z') || (next >= 'a' && next <= 'z');
        if (k + name.length <= script->length &&
            memcmp(script->text + k, name.at, name.length) == 0 && !goes_on) {
            return i;
        }
    }
    return script->length;
}

/* Is it set in the script or for the step as well, so that reading it means that? */
static bool is_set_otherwise(const wpa_rule_run *run, const wpa_outline_step *step, wpa_slice name)
{
    char *text = wpa_arena_slice(run->arena, name.at, name.length);
    const wpa_yaml_node *root = run->source->outline->root;
    const wpa_yaml_node *scopes[] = {step->env, wpa_yaml_get(step->job->node, "env"),
                                     wpa_yaml_is(root, WPA_YAML_MAPPING) ? wpa_yaml_get(root, "env")
                                                                         : NULL};
    for (size_t i = 0; i < WPA_COUNT(scopes); i++) {
        const wpa_yaml_node *env = wpa_yaml_resolve(scopes[i]);
        if (wpa_yaml_is(env, WPA_YAML_MAPPING) && wpa_yaml_find(env, text)) {
            return true;
        }
    }
    for (size_t i = 0; i < step->script->n_commands; i++) {
        const wpa_shell_command *c = &step->script->commands[i];
        for (size_t k = 0; k < c->n_words; k++) {
            const char *word = c->words[k].text;
            bool assigns = strncmp(word, text, name.length) == 0 && word[name.length] == '=' &&
                           !wpa_text_is(c->name, "echo");
            bool reads = (wpa_text_is(c->name, "read") || wpa_text_is(c->name, "mapfile") ||
                          wpa_text_is(c->words[0].text, "for")) &&
                         wpa_text_is(word, text);
            if (assigns || reads) {
                return true;
            }
        }
    }
    return false;
}

static void check_reading(wpa_rule_run *run, const wpa_outline_step *step,
                          const wpa_shell_command *command)
{
    wpa_slice name = name_written(command);
    size_t end = command->n_redirects ? command->redirects[0].target.span.end : command->span.end;
    size_t at = name.length ? read_at(step->script, name, end) : step->script->length;
    if (at < step->script->length && wpa_rule_spend(run, 4 * step->script->n_commands) &&
        !is_set_otherwise(run, step, name)) {
        (void)wpa_rule_report(
            run, wpa_outline_script_span(step, (wpa_span){at, at + 1 + name.length}), "F5", NULL,
            "what GITHUB_ENV holds is there from the next step on: '" WPA_SLICE_FORMAT
            "' is not set here",
            WPA_SLICE_ARGS(name));
    }
}

/* "export NAME=..." that nothing in this script needs, and that a later step reads. */
static void check_export(wpa_rule_run *run, const wpa_outline_step *step,
                         const wpa_shell_command *command)
{
    const wpa_shell_word *word =
        wpa_text_is(command->name, "export") ? wpa_shell_argument(command, 0) : NULL;
    const char *equals = word ? strchr(word->text, '=') : NULL;
    bool is_last = command == &step->script->commands[step->script->n_commands - 1];
    wpa_slice name = {word ? word->text : "", equals ? (size_t)(equals - word->text) : 0};
    if (!name.length || !is_last || wpa_slice_is(name, "PATH")) {
        return;
    }
    for (size_t i = step->index + 1; i < step->job->n_steps; i++) {
        const wpa_outline_step *later = &step->job->steps[i];
        if (later->script && later->script->is_readable &&
            read_at(later->script, name, 0) < later->script->length &&
            !is_set_otherwise(run, later, name)) {
            (void)wpa_rule_report(run, wpa_outline_script_span(step, word->span), "F6", NULL,
                                  "an exported variable ends with its step: the later step that "
                                  "reads '" WPA_SLICE_FORMAT
                                  "' finds it empty (write it to GITHUB_ENV)",
                                  WPA_SLICE_ARGS(name));
            return;
        }
    }
}

static void check_writing(wpa_rule_run *run, const wpa_outline_step *step,
                          const wpa_shell_command *command)
{
    for (size_t j = 0; j < command->n_redirects; j++) {
        const wpa_shell_redirect *redirect = &command->redirects[j];
        const char *file = is_writing(redirect) ? file_of(redirect->target.text) : NULL;
        (void)wpa_rule_spend(run, command->n_words);
        if (file) {
            check_redirect(run, step, command, redirect, file);
            check_value(run, step, command, file);
            check_delimiter(run, step, command);
        }
        if (wpa_text_is(file, "GITHUB_ENV")) {
            check_reading(run, step, command);
        }
    }
}

/* ---- other shells ------------------------------------------------------------------------------
 */

/* "Out-File -Append" in any of its spellings. */
static bool appends(const wpa_shell_command *command)
{
    for (size_t i = command->first + 1; i < command->n_words; i++) {
        const char *word = command->words[i].text;
        size_t length = strcspn(word, ":");
        if (length > 1 && length <= strlen("-append") &&
            strncasecmp(word, "-append", length) == 0) {
            return true;
        }
    }
    return false;
}

/* PowerShell's commands that begin a file anew. */
static void check_cmdlet(wpa_rule_run *run, const wpa_outline_step *step,
                         const wpa_shell_command *command)
{
    static const char *const names[] = {"Set-Content", "Out-File", "Tee-Object"};
    size_t which = 0;
    while (which < WPA_COUNT(names) && strcasecmp(command->name, names[which]) != 0) {
        which++;
    }
    if (which == WPA_COUNT(names) || (which > 0 && appends(command))) {
        return;
    }
    for (size_t i = command->first + 1; i < command->n_words; i++) {
        const char *file = file_of(command->words[i].text);
        bool is_value =
            i > command->first + 1 && (strncasecmp(command->words[i - 1].text, "-value", 6) == 0 ||
                                       strncasecmp(command->words[i - 1].text, "-input", 6) == 0);
        if (file && !is_value) {
            (void)wpa_rule_report(run, wpa_outline_script_span(step, command->words[i].span), "F1",
                                  NULL, "%s%s empties %s: what the step wrote to it before is lost",
                                  names[which], which > 0 ? " without -Append" : "", file);
            return;
        }
    }
}

static void check_other_shell(wpa_rule_run *run, const wpa_outline_step *step)
{
    const wpa_script *script = step->lexed;
    for (size_t i = 0; i < script->n_commands; i++) {
        const wpa_shell_command *command = &script->commands[i];
        for (size_t k = 0; k < command->n_redirects; k++) {
            const wpa_shell_redirect *redirect = &command->redirects[k];
            const char *file = file_of(redirect->target.text);
            if (!file || !wpa_text_is(redirect->operator, ">")) {
                continue;
            }
            subject *s = wpa_arena_alloc(run->arena, sizeof *s);
            *s = (subject){.file = file};
            s->operator_span = wpa_outline_script_span(step, operator_span(script, redirect));
            s->is_only_writer = false; /* cmdlets may write to it too */
            wpa_rule_report(run, s->operator_span, "F1", s,
                            "'>' empties %s: what the step wrote to it before is lost", file);
        }
        if (script->language == WPA_SCRIPT_PWSH) {
            check_cmdlet(run, step, command);
        }
    }
}

static void check_step(wpa_rule_run *run, const wpa_outline_step *step)
{
    const wpa_script *script = step->script;
    bool is_other = !script && step->lexed && step->lexed->is_readable &&
                    step->lexed->language != WPA_SCRIPT_PYTHON;
    if (is_other) {
        check_other_shell(run, step);
    }
    for (size_t i = 0; script && i < script->n_commands; i++) {
        if (!script->commands[i].is_nested_script) {
            check_writing(run, step, &script->commands[i]);
            check_export(run, step, &script->commands[i]);
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
    const subject *s = finding->subject;
    const char *source = run->source->yaml->source;
    if (!s) {
        return;
    }
    if (wpa_text_is(finding->check, "F1")) {
        bool is_plain =
            wpa_span_length(s->operator_span) == 1 && source[s->operator_span.start] == '>';
        wpa_fix *fix = wpa_rule_fix(run, finding, s->is_only_writer ? WPA_FIX_SAFE : WPA_FIX_UNSAFE,
                                    "append with >>");
        if (is_plain) {
            wpa_rule_edit(run, fix, s->operator_span, "%s", ">>");
        }
    } else if (source[s->word_span.start] == '$') {
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_SAFE, "quote it");
        const wpa_yaml_node *node = wpa_yaml_node_at(run->source->yaml, s->word_span.start);
        bool is_block = node && (node->style == WPA_YAML_LITERAL || node->style == WPA_YAML_PLAIN);
        if (is_block) { /* within quotes of YAML a quote would need care of its own */
            wpa_rule_edit(run, fix, s->word_span, "\"%.*s\"", (int)wpa_span_length(s->word_span),
                          source + s->word_span.start);
        }
    }
}

const wpa_rule wpa_rule_output_file_misuse = {
    .code = "QUA-026",
    .id = "output-file-misuse",
    .dimension = WPA_DIMENSION_QUALITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "A step's output file is written in a way that loses or mangles values",
    .why = "Outputs, variables or summary lines that the step wrote before are lost.",
    .fix = "Append with >> and quote the name: >> \"$GITHUB_OUTPUT\".",
    .checks = (const char *const[]){"F1", "F2", "F3", "F4", "F5", "F6", NULL},
    .declares = WPA_DECLARES_SCRIPT,
    .words = (const char *const[]){"GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH",
                                   "GITHUB_STEP_SUMMARY", NULL},
    .check = check,
    .repair = repair,
};
