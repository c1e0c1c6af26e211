/* SEC-010: text that a stranger chose is written where the runner reads variables from. */
#include <string.h>

#include "expr/expr.h"
#include "match/words.h"
#include "rules/exports.h"
#include "rules/python_text.h"
#include "rules/steps.h"
#include "rules/taint.h"

typedef struct subject {
    const wpa_outline_step *step;
    const wpa_export *written;
} subject;

/* A value may hold line breaks, and so lines of its own, only if it comes from free text. */
static bool may_have_lines(const wpa_taint *taint)
{
    static const char *const endings[] = {"body",           "message", "description",
                                          "client_payload", "payload", "the artifact",
                                          "the tree",       "summary", "the fetched diff"};
    for (size_t i = 0; taint->path && i < WPA_COUNT(endings); i++) {
        if (wpa_text_ends(taint->path, endings[i])) {
            return true;
        }
    }
    return false;
}

/* What other programs print is whatever they like. */
static bool is_printed_by_script(const char *text, wpa_span value)
{
    static const char *const printers[] = {
        "echo",     "printf", "cat", "Write-Output", "{",    "Add-Content", "\"",        "'",
        "Out-File", "Set-",   "if",  "for",          "test", "[",           "Write-Host"};
    size_t start = value.start;
    while (start < value.end && strchr(" \t\r\n@(", text[start])) {
        start++;
    }
    if (start < value.end && text[start] == '>') { /* ">>%GITHUB_ENV% echo x" of cmd */
        start += strcspn(text + start, "%\r\n");
        start += strcspn(text + start, " \t\r\n");
        start += strspn(text + start, " \t");
    }
    for (size_t i = 0; i < WPA_COUNT(printers); i++) {
        if (strncasecmp(text + start, printers[i], strlen(printers[i])) == 0) {
            return true;
        }
    }
    return false;
}

/* is_fixed: what its expressions give nobody chooses. */
static bool is_literal(const wpa_outline_step *step, wpa_span value, const char *file,
                       bool is_fixed)
{
    const char *text = step->run->text;
    if (step->shell == WPA_SHELL_PYTHON) {
        bool has_fence = memmem(text + value.start, wpa_span_length(value), "${{", 3) != NULL;
        return (is_fixed || !has_fence) && wpa_python_writes_constant(text, value);
    }
    size_t n = strlen(file);
    bool is_of_file = wpa_text_starts(text + value.start, "cat") &&
                      !memmem(text + value.start, wpa_span_length(value), "<<", 2);
    if (is_of_file || !is_printed_by_script(text, value)) {
        return false;
    }
    for (size_t i = value.start; i < value.end; i++) {
        bool is_file = strchr("$%", text[i]) && i + n < value.end &&
                       memmem(text + i, n + 6 < value.end - i ? n + 6 : value.end - i, file, n);
        bool is_fence = is_fixed && i + 3 < value.end && memcmp(text + i, "${{", 3) == 0;
        size_t close = is_fence ? wpa_expr_close(text, value.end, i + 3) : SIZE_MAX;
        if (is_file) {
            i += n + (text[i] == '%' ? 1 : 0);
        } else if (close != SIZE_MAX) {
            i = close + 1;
        } else if (strchr("$`%", text[i])) {
            return false;
        }
    }
    return true;
}

/* A delimiter that nobody can guess keeps a value from ending early. Most files have no source of
   such, and most values no delimiter. */
static bool has_random_delimiter(const wpa_yaml_node *script, wpa_span value)
{
    static const char *const random[] = {"uuidgen",   "openssl rand", "/dev/urandom", "RANDOM",
                                         "sha256sum", "<<$",          "<<\"$",        "<<${"};
    const char *text = script->text + value.start;
    bool may_hold = memmem(text, wpa_span_length(value), "<<", 2) != NULL;
    for (size_t i = 0; i < WPA_COUNT(random) && !may_hold && *random[i] != '<'; i++) {
        may_hold = wpa_yaml_may_hold(script->doc, random[i]);
    }
    return may_hold &&
           wpa_words_find(text, wpa_span_length(value), random, WPA_COUNT(random), NULL) != NULL;
}

static bool names_outputs(const wpa_rule_run *run, const wpa_outline_step *step)
{
    const char *use = step->id ? wpa_arena_printf(run->arena, "steps.%s.outputs", step->id) : NULL;
    return use && wpa_yaml_may_hold(run->source->yaml, use) &&
           wpa_text_find(run->source->yaml->source, run->source->yaml->size_bytes, use);
}

/** Once a step, which may write many outputs. */
static bool is_used_later(wpa_rule_run *run, const wpa_outline_step *step)
{
    bool is_new, *is_used = wpa_site_keep(run, 'U', step, NULL, sizeof *is_used, &is_new);
    if (is_new) {
        *is_used = names_outputs(run, step);
    }
    return *is_used;
}

static bool is_of_strangers(const wpa_outline *o)
{
    return o->trust == WPA_TRUST_OUTSIDER_PRIVILEGED;
}

/* The key of the script, behind which the line stands. */
static void relate_script(wpa_rule_run *run, wpa_finding *finding, const wpa_outline_step *step)
{
    const wpa_yaml_pair *pair = wpa_yaml_find(step->node, "run");
    if (pair) {
        wpa_rule_relate(run, finding, pair->key->span, "in this script");
    }
}

static wpa_finding *report_unknown(wpa_rule_run *run, subject *s, const wpa_taint *taint)
{
    bool is_action = run->source->kind == WPA_INPUT_ACTION;
    wpa_finding *finding = wpa_rule_report(
        run, wpa_outline_script_span(s->step, s->written->redirect), NULL, s,
        "what is written to %s is not fixed, and %s: it sets %s", s->written->file,
        is_action ? "any caller may run this" : "strangers can start this",
        wpa_text_is(s->written->file, "GITHUB_OUTPUT") ? "what later steps put to use"
                                                       : "variables for every later step");
    finding->severity = WPA_SEVERITY_MEDIUM;
    finding->confidence = WPA_CONFIDENCE_LOW;
    finding->persona = WPA_PERSONA_AUDITOR;
    relate_script(run, finding, s->step);
    wpa_taint_relate(run, finding, taint);
    return finding;
}

static void check_variables(wpa_rule_run *run, const wpa_site *site, subject *s)
{
    if (has_random_delimiter(site->step->run, s->written->value)) {
        return;
    }
    wpa_taint taint = wpa_taint_of_script(run, site, s->written->value, WPA_TAINT_TEXT);
    bool is_open = is_of_strangers(run->source->outline) || run->source->kind == WPA_INPUT_ACTION;
    if (!wpa_taint_is_of_outsider(&taint)) {
        if (is_open && wpa_rule_is_wanted(run, WPA_PERSONA_AUDITOR) &&
            !is_literal(site->step, s->written->value, s->written->file,
                        taint.grade == WPA_TAINT_NONE)) {
            report_unknown(run, s, &taint);
        }
        return;
    }
    bool is_path = wpa_text_is(s->written->file, "GITHUB_PATH");
    bool is_line = !is_path && !may_have_lines(&taint); /* titles, branches and logins are */
    wpa_finding *finding = wpa_rule_report(
        run, wpa_outline_script_span(s->step, s->written->redirect), NULL, s,
        "%s, which whoever causes %s chooses, is written to %s: %s",
        wpa_rule_quote(run, taint.path, strlen(taint.path)), taint.trust.event, s->written->file,
        is_path   ? "later commands are looked for there"
        : is_line ? "later steps have it as a variable"
                  : "it can set any variable of later steps");
    if (taint.grade == WPA_TAINT_OF_STRUCTURED || !taint.is_privileged) {
        finding->severity = WPA_SEVERITY_MEDIUM;
    }
    if (is_line && taint.trust.trust != WPA_TRUST_OUTSIDER_PRIVILEGED) {
        finding->severity = WPA_SEVERITY_LOW;
        finding->persona = WPA_PERSONA_AUDITOR;
    }
    relate_script(run, finding, s->step);
    wpa_taint_relate(run, finding, &taint);
}

static void check_results(wpa_rule_run *run, const wpa_site *site, subject *s)
{
    bool is_output = wpa_text_is(s->written->file, "GITHUB_OUTPUT");
    if (!is_output || !is_used_later(run, s->step) ||
        has_random_delimiter(site->step->run, s->written->value)) {
        return;
    }
    wpa_taint taint = wpa_taint_of_script(run, site, s->written->value, WPA_TAINT_TEXT);
    if (!wpa_taint_is_of_outsider(&taint) || !may_have_lines(&taint)) {
        bool is_fixed = taint.grade == WPA_TAINT_NONE;
        if (is_of_strangers(run->source->outline) && wpa_rule_is_wanted(run, WPA_PERSONA_AUDITOR) &&
            !is_literal(site->step, s->written->value, s->written->file, is_fixed)) {
            report_unknown(run, s, &taint)->severity = WPA_SEVERITY_LOW;
        }
        return;
    }
    wpa_finding *finding = wpa_rule_report(
        run, wpa_outline_script_span(s->step, s->written->redirect), NULL, s,
        "%s, which whoever causes %s chooses, is written to %s: a line of it can set any output "
        "of the step",
        wpa_rule_quote(run, taint.path, strlen(taint.path)), taint.trust.event, s->written->file);
    finding->severity = WPA_SEVERITY_MEDIUM;
    relate_script(run, finding, s->step);
    wpa_taint_relate(run, finding, &taint);
}

/* Written by a command of its own behind one that opens with a delimiter nobody can guess? */
static bool is_between(const wpa_yaml_node *script, const wpa_export *exports, size_t i)
{
    if (exports[i].name) {
        return false;
    }
    for (size_t k = i; k > 0; k--) {
        const wpa_export *before = &exports[k - 1];
        if (!wpa_text_is(before->file, exports[i].file)) {
            return false;
        }
        if (before->name) {
            return memmem(script->text + before->value.start, wpa_span_length(before->value), "<<",
                          2) &&
                   has_random_delimiter(script, before->value);
        }
    }
    return false;
}

static void report_call(wpa_rule_run *run, const wpa_site *site, const wpa_yaml_node *node,
                        wpa_span call, const char *file, const wpa_taint *taint)
{
    bool is_path = wpa_text_is(file, "GITHUB_PATH");
    wpa_finding *finding = wpa_rule_report(
        run, wpa_step_span(site->step, node, call.start, call.end), NULL, NULL,
        "%s, which whoever causes %s chooses, is written to %s: %s",
        wpa_rule_quote(run, taint->path, strlen(taint->path)), taint->trust.event, file,
        is_path ? "later commands are looked for there" : "it can set any variable of later steps");
    wpa_taint_relate(run, finding, taint);
}

/* "core.addPath(...)", "core.exportVariable(NAME, ...)" of github-script: the value of a variable
 * is kept to it, but whoever chooses its name sets any. */
static void check_calls(wpa_rule_run *run, const wpa_site *site, const wpa_yaml_node *node)
{
    static const char *const calls[][2] = {{"addPath(", "GITHUB_PATH"},
                                           {"exportVariable(", "GITHUB_ENV"}};
    for (size_t i = 0; i < WPA_COUNT(calls); i++) {
        bool is_asked = wpa_yaml_may_hold(node->doc, calls[i][0]);
        for (const char *at = is_asked ? strstr(node->text, calls[i][0]) : NULL; at;
             at = strstr(at, calls[i][0])) {
            size_t from = (size_t)(at - node->text);
            at += strlen(calls[i][0]);
            size_t start = (size_t)(at - node->text);
            wpa_span named = {start, start + strcspn(at, ",)\r\n")};
            wpa_taint taint = {0};
            if (*at != '\'' && *at != '"' && wpa_rule_spend(run, wpa_span_length(named))) {
                taint = wpa_taint_of_javascript(run, site, node, named);
            }
            if (wpa_taint_is_of_outsider(&taint)) {
                report_call(run, site, node, (wpa_span){from, named.end}, calls[i][1], &taint);
            }
        }
    }
}

/* Bytes of a call of JavaScript that are looked at. */
#define CALL_MAX_BYTES 2048

/* What stands behind the first argument, to the bracket that closes the call. */
static wpa_span arguments_behind(const char *text, size_t first)
{
    size_t depth = 1, comma = 0, i = first;
    for (; text[i] && depth && i - first < CALL_MAX_BYTES; i++) {
        depth += strchr("([{", text[i]) ? 1 : 0;
        depth -= strchr(")]}", text[i]) ? 1 : 0;
        comma = !comma && depth == 1 && text[i] == ',' ? i + 1 : comma;
    }
    return (wpa_span){comma ? comma : i, i};
}

/* The runner's file that the argument names, "process.env.GITHUB_ENV", or a name holds that is
 * declared as that; NULL if it is none. */
static const char *file_of_argument(const char *text, size_t start, size_t end)
{
    static const char *const files[] = {"GITHUB_ENV", "GITHUB_PATH"};
    size_t length = wpa_text_name_length(text + start);
    for (size_t i = 0; i < WPA_COUNT(files); i++) {
        size_t n = strlen(files[i]);
        if (memmem(text + start, end - start, files[i], n)) {
            return files[i];
        }
        const char *file = start + length == end ? strstr(text, files[i]) : NULL;
        const char *line = file ? memrchr(text, '\n', (size_t)(file - text)) : NULL;
        line = line ? line + 1 : text;
        const char *held = file ? memmem(line, (size_t)(file - line), text + start, length) : NULL;
        if (held && strchr(" =", held[length]) && held > line && held[-1] == ' ') {
            return files[i];
        }
    }
    return NULL;
}

/* "fs.appendFileSync(process.env.GITHUB_ENV, ...)" and the like. */
static void check_writes(wpa_rule_run *run, const wpa_site *site, const wpa_yaml_node *node)
{
    static const char *const calls[] = {"appendFileSync(", "writeFileSync(", "appendFile(",
                                        "writeFile("};
    const char *text = node->text;
    bool is_asked = strstr(text, "GITHUB_ENV") || strstr(text, "GITHUB_PATH");
    for (size_t i = 0; is_asked && i < WPA_COUNT(calls); i++) {
        for (const char *at = strstr(text, calls[i]); at; at = strstr(at + 1, calls[i])) {
            size_t from = (size_t)(at - text), start = from + strlen(calls[i]);
            if (!wpa_rule_spend(run, node->length + CALL_MAX_BYTES)) {
                return;
            }
            wpa_span value = arguments_behind(text, start);
            start += strspn(text + start, " \t\r\n");
            size_t end = start + strcspn(text + start, ",)\r\n");
            const char *file = file_of_argument(text, start, end);
            wpa_taint taint = {0};
            if (file) {
                taint = wpa_taint_of_javascript(run, site, node, value);
            }
            if (wpa_taint_is_of_outsider(&taint) && taint.grade == WPA_TAINT_OF_ARBITRARY) {
                report_call(run, site, node, (wpa_span){from, end}, file, &taint);
            }
        }
    }
}

static void check_javascript(wpa_rule_run *run, const wpa_site *site)
{
    const wpa_yaml_node *node = wpa_step_javascript(site->step);
    if (node && node->text) {
        check_calls(run, site, node);
        check_writes(run, site, node);
    }
}

static void check_step(wpa_rule_run *run, const wpa_site *site)
{
    if (!site->step->run) {
        check_javascript(run, site);
        return;
    }
    size_t n = 0;
    const wpa_export *exports = wpa_exports_of(run, site->step, &n);
    for (size_t i = 0; i < n; i++) {
        if (is_between(site->step->run, exports, i)) {
            continue;
        }
        subject *s = wpa_arena_alloc(run->arena, sizeof *s);
        *s = (subject){site->step, &exports[i]};
        bool is_variable = wpa_text_is(exports[i].file, "GITHUB_ENV") ||
                           wpa_text_is(exports[i].file, "GITHUB_PATH");
        if (is_variable) {
            check_variables(run, site, s);
        } else {
            check_results(run, site, s);
        }
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    if (run->source->outline->may_be_of_outsiders) {
        wpa_site_each_step(run, check_step);
    }
    return true;
}

#define HEAD "{ delimiter=\"$(openssl rand -hex 16)\"; echo \"%s<<$delimiter\"; "

/* echo "NAME=$X" with the redirection alone behind it. */
static bool is_echo(const wpa_script *script, const wpa_shell_command *c, const char *name)
{
    size_t length = strlen(name);
    return c->n_words == 2 && wpa_text_is(c->name, "echo") &&
           strncmp(c->words[1].text, name, length) == 0 && c->words[1].text[length] == '=' &&
           script->text[c->words[1].span.start] == '"';
}

/* printf 'NAME=%s\n' "$X" */
static bool is_printf(const wpa_script *script, const wpa_shell_command *c, const char *name)
{
    size_t length = strlen(name);
    return c->n_words == 3 && wpa_text_is(c->name, "printf") &&
           strncmp(c->words[1].text, name, length) == 0 &&
           wpa_text_is(c->words[1].text + length, "=%s\\n") &&
           script->text[c->words[2].span.start] == '"';
}

/* A write of one line in a script of whole lines: between two lines that cannot be guessed. */
static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const subject *s = finding->subject;
    if (!s) {
        return; /* of JavaScript, where the call writes it */
    }
    const wpa_script *script = s->step->script;
    const wpa_export *e = s->written;
    bool is_known = e->name && script && script->is_readable &&
                    s->step->run->style == WPA_YAML_LITERAL && !wpa_text_is(e->file, "GITHUB_PATH");
    for (size_t i = 0; is_known && i < script->n_commands; i++) {
        const wpa_shell_command *c = &script->commands[i];
        bool is_alone = c->span.start == e->value.start && c->n_redirects == 1 &&
                        !wpa_text_is(c->before, "|") && c->n_words &&
                        c->words[c->n_words - 1].span.end <= e->redirect.start;
        bool by_echo = is_alone && is_echo(script, c, e->name);
        if (!by_echo && !(is_alone && is_printf(script, c, e->name))) {
            continue;
        }
        wpa_span last = c->words[c->n_words - 1].span;
        size_t from = by_echo ? last.start + 1 + strlen(e->name) + 1 : last.start;
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE,
                                    "write it between delimiters that "
                                    "cannot be guessed");
        wpa_rule_edit(run, fix, wpa_outline_script_span(s->step, (wpa_span){c->span.start, from}),
                      HEAD "%s", e->name, by_echo ? "echo \"" : "printf '%s\\n' ");
        wpa_rule_edit(run, fix,
                      wpa_outline_script_span(s->step, (wpa_span){last.end, e->redirect.start}),
                      "; echo \"$delimiter\"; } ");
        return;
    }
}

const wpa_rule wpa_rule_env_injection = {
    .code = "SEC-010",
    .id = "env-injection",
    .dimension = WPA_DIMENSION_SECURITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_HIGH,
    .confidence = WPA_CONFIDENCE_MEDIUM,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "Text that a stranger chose is written to the runner's variables, path or outputs",
    .why =
        "A line break in it starts a variable of the stranger's own, LD_PRELOAD or NODE_OPTIONS, "
        "and the next program runs their code.",
    .fix = "Write no such text there; pass it by env to the step that needs it, or between "
           "delimiters that cannot be guessed.",
    .elsewhere = (const char *const[]){"zizmor/github-env", "octoscan/dangerous-write", NULL},
    .tables = 1U << WPA_FACTS_EVENTS | 1U << WPA_FACTS_UNTRUSTED,
    .declares = WPA_DECLARES_SCRIPT,
    .words = (const char *const[]){"GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH",
                                   "GITHUB_STEP_SUMMARY", "github.env", "github.path",
                                   "github.output", "addPath(", "exportVariable(", NULL},
    .check = check,
    .repair = repair,
};
