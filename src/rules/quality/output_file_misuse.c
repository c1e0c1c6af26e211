/* QUA-026: files that steps write results to, written in a way that loses or mangles them. */
#include <string.h>

#include "rules/outline.h"
#include "rules/rule.h"

static const char *const files[] = {"GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH",
                                    "GITHUB_STEP_SUMMARY"};

/* What a repair needs of a redirection. */
typedef struct subject {
    wpa_span operator_span; /* in the file */
    wpa_span word_span;
    const char *file;
    bool is_only_writer;
} subject;

/** Name of the file that a word stands for: $GITHUB_OUTPUT, "${GITHUB_OUTPUT}"; NULL if none. */
static const char *file_of(const char *word)
{
    if (*word != '$') {
        return NULL;
    }
    word += word[1] == '{' ? 2 : 1;
    for (size_t i = 0; i < WPA_COUNT(files); i++) {
        size_t length = strlen(files[i]);
        if (strncmp(word, files[i], length) == 0 &&
            (word[length] == '\0' || wpa_text_is(word + length, "}"))) {
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

static size_t count_writers(const wpa_script *script, const char *file)
{
    size_t n = 0;
    for (size_t i = 0; i < script->n_commands; i++) {
        const wpa_shell_command *command = &script->commands[i];
        for (size_t j = 0; j < command->n_redirects; j++) {
            bool is_there = wpa_text_is(file_of(command->redirects[j].target.text), file);
            n += is_there && is_writing(&command->redirects[j]);
        }
    }
    return n;
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
                           const wpa_shell_command *command, const wpa_shell_redirect *redirect)
{
    const wpa_script *script = step->script;
    const char *file = file_of(redirect->target.text);
    if (!file || !is_writing(redirect)) {
        return;
    }
    subject *s = wpa_arena_alloc(run->arena, sizeof *s);
    s->file = file;
    s->word_span = wpa_outline_script_span(step, redirect->target.span);
    s->operator_span = wpa_outline_script_span(step, operator_span(script, redirect));
    s->is_only_writer = count_writers(script, file) == 1 && !command->loops;
    if (!wpa_text_is(redirect->operator, ">>")) {
        wpa_rule_report(run, s->operator_span, "F1", s,
                        "'%s' empties %s: what the step wrote to it before is lost",
                        redirect->operator, file);
    }
    size_t length = wpa_span_length(redirect->target.span);
    if (length && script->text[redirect->target.span.start] == '$') {
        wpa_finding *finding = wpa_rule_report(run, s->word_span, "F2", s,
                                               "$%s is not quoted: a blank in its path would make "
                                               "two words of it",
                                               file);
        finding->severity = WPA_SEVERITY_LOW;
        finding->persona = WPA_PERSONA_PEDANTIC;
    }
}

static void check_step(wpa_rule_run *run, const wpa_outline_step *step)
{
    const wpa_script *script = step->script;
    for (size_t i = 0; script && i < script->n_commands; i++) {
        const wpa_shell_command *command = &script->commands[i];
        for (size_t j = 0; j < command->n_redirects && !command->is_nested_script; j++) {
            check_redirect(run, step, command, &command->redirects[j]);
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
    const subject *s = finding->subject;
    const char *source = run->source->yaml->source;
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
    .summary = "A step's output file is overwritten, or named without quotes",
    .why = "Outputs, variables or summary lines that the step wrote before are lost.",
    .fix = "Append with >> and quote the name: >> \"$GITHUB_OUTPUT\".",
    .checks = (const char *const[]){"F1", "F2", NULL},
    .declares = WPA_DECLARES_SCRIPT,
    .check = check,
    .repair = repair,
};
