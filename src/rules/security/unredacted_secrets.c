/*
 * SEC-018: a secret in a form that the log does not mask: only its exact text is.
 */
#include <string.h>

#include "rules/outline.h"
#include "rules/references.h"

/* ---- parts of a structured secret in expressions ---- */

typedef struct search {
    bool is_found;
} search;

static void look(const wpa_expr *node, const wpa_expr *parent, void *context)
{
    (void)parent;
    search *s = context;
    s->is_found =
        s->is_found || (node->kind == WPA_EXPR_NAME && wpa_text_is_ci(node->text, "secrets"));
}

typedef struct visit {
    wpa_rule_run *run;
    const wpa_expr_place *place;
} visit;

static void check_call(const wpa_expr *node, const wpa_expr *parent, void *context)
{
    (void)parent;
    const visit *v = context;
    search s = {0};
    if (node->kind != WPA_EXPR_CALL || !wpa_text_is_ci(node->text, "fromJSON")) {
        return;
    }
    const wpa_expr *text = node->n_args ? node->args[0] : NULL;
    if (text && text->kind == WPA_EXPR_CALL && wpa_text_is_ci(text->text, "toJSON")) {
        return; /* there and back: it is the text that it was, and masked */
    }
    for (size_t i = 0; i < node->n_args; i++) {
        wpa_expr_walk(node->args[i], look, &s);
    }
    if (s.is_found) {
        (void)wpa_rule_report(v->run, wpa_expr_source_span(v->place, node->span), NULL, NULL,
                              "a part of the secret is no secret to the log: it is not masked");
    }
}

static void check_expression(wpa_rule_run *run, const wpa_expression *expression, void *context)
{
    const wpa_expr_place *place = expression->place;
    (void)context;
    visit v = {run, place};
    if (wpa_expr_may_have(&place->parsed, 1U << WPA_EXPR_CALL) &&
        wpa_expression_mentions(expression, "fromJSON")) {
        wpa_expr_walk(place->parsed.root, check_call, &v);
    }
}

/* ---- secrets that a script takes apart ---- */

/* Does a variable of this name hold a secret, by the env of the step, its job or the workflow? */
static bool holds_secret(const wpa_outline *o, const wpa_outline_step *step, wpa_slice name,
                         wpa_arena *arena)
{
    const char *key = wpa_arena_slice(arena, name.at, name.length);
    const wpa_yaml_node *scopes[] = {step->env, wpa_yaml_get(step->job->node, "env"),
                                     wpa_yaml_get(o->root, "env")};
    for (size_t i = 0; i < WPA_COUNT(scopes); i++) {
        const char *text = wpa_yaml_text(wpa_yaml_get(scopes[i], key));
        if (text) {
            return strcasestr(text, "secrets.") && wpa_outline_has_expression(text);
        }
    }
    return false;
}

static bool names_secret(const wpa_outline *o, const wpa_outline_step *step, const char *word,
                         wpa_arena *arena)
{
    for (const char *at = strchr(word, '$'); at; at = strchr(at + 1, '$')) {
        const char *name = at + 1 + (at[1] == '{');
        size_t n = wpa_text_name_length(name);
        if (n && holds_secret(o, step, (wpa_slice){name, n}, arena)) {
            return true;
        }
    }
    return false;
}

static bool command_names_secret(const wpa_outline *o, const wpa_outline_step *step,
                                 const wpa_shell_command *command, wpa_arena *arena)
{
    for (size_t i = command->first; i < command->n_words; i++) {
        if (names_secret(o, step, command->words[i].text, arena)) {
            return true;
        }
    }
    for (size_t i = 0; i < command->n_redirects; i++) {
        if (wpa_text_is(command->redirects[i].operator, "<<<") &&
            names_secret(o, step, command->redirects[i].target.text, arena)) {
            return true;
        }
    }
    return false;
}

static const char *const cutters[] = {"cut", "jq", "yq", "xxd", "awk", "rev", "gunzip", "zcat"};
static const char *const decoders[] = {"base64", "base32", "openssl"};

/* Does the command make another text of its input? */
static bool changes_text(const wpa_shell_command *command)
{
    if (wpa_text_index(command->name, cutters, WPA_COUNT(cutters)) >= 0) {
        return true;
    }
    return wpa_text_index(command->name, decoders, WPA_COUNT(decoders)) >= 0 &&
           (wpa_shell_word_find(command, "-d") || wpa_shell_word_find(command, "--decode") ||
            wpa_shell_word_find(command, "-D") || wpa_text_is(command->name, "base64"));
}

/* Does any script of the file call a program that may? */
static bool may_change_text(const wpa_yaml_doc *doc)
{
    bool may = false;
    for (size_t i = 0; i < WPA_COUNT(cutters) && !may; i++) {
        may = wpa_yaml_may_name(doc, cutters[i]);
    }
    for (size_t i = 0; i < WPA_COUNT(decoders) && !may; i++) {
        may = wpa_yaml_may_name(doc, decoders[i]);
    }
    return may;
}

/* Does the command print what it reads, or made of it? gpg --import and their like keep it. */
static bool prints_input(const wpa_shell_command *command)
{
    static const char *const printers[] = {"base64", "base32", "openssl", "cat",  "sed",
                                           "tr",     "head",   "tail",    "grep", "sort",
                                           "fold",   "tac",    "nl",      "tee",  "xargs"};
    static const char *const files[] = {"-o", "-out", "--out", "--output"};
    for (size_t i = command->first; i < command->n_words; i++) {
        const char *word = command->words[i].text;
        size_t length = strcspn(word, "=");
        for (size_t k = 0; k < WPA_COUNT(files); k++) {
            if (strlen(files[k]) == length && memcmp(word, files[k], length) == 0) {
                return false;
            }
        }
    }
    return changes_text(command) ||
           wpa_text_index(command->name, printers, WPA_COUNT(printers)) >= 0;
}

/* Where what the command prints goes that others read: NULL if nowhere that is logged or exported.
 */
static const char *printed_to(const wpa_shell_command *command)
{
    static const char *const files[] = {"GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_STEP_SUMMARY"};
    bool is_redirected = false;
    for (size_t i = 0; i < command->n_redirects; i++) {
        const wpa_shell_redirect *r = &command->redirects[i];
        if (r->operator[0] != '>' && r->operator[0] != '&') {
            continue;
        }
        is_redirected = true;
        for (size_t k = 0; k < WPA_COUNT(files); k++) {
            if (strstr(r->target.text, files[k])) {
                return files[k];
            }
        }
    }
    bool is_kept = is_redirected || command->nested || wpa_text_is(command->name, "tee");
    return is_kept ? NULL : "the log";
}

/* The same of what the command reads, as far as it prints that. */
static const char *sink_of(const wpa_shell_command *command)
{
    const char *sink = printed_to(command);
    return wpa_text_is(sink, "the log") && !prints_input(command) ? NULL : sink;
}

/* From the first to the last: what one command prints the next one reads. */
static void check_pipe(wpa_rule_run *run, const wpa_outline_step *step, size_t first, size_t last)
{
    const wpa_script *script = step->script;
    bool is_secret = false, is_changed = false;
    for (size_t i = first; i <= last; i++) {
        const wpa_shell_command *command = &script->commands[i];
        is_secret =
            is_secret || command_names_secret(run->source->outline, step, command, run->arena);
        is_changed = is_changed || (is_secret && changes_text(command));
        bool is_end = !wpa_text_is(command->after, "|");
        const char *sink = is_end && is_secret && is_changed ? sink_of(command) : NULL;
        if (sink) {
            wpa_span span = {script->commands[first].span.start, command->span.end};
            wpa_finding *finding = wpa_rule_report(
                run, wpa_outline_script_span(step, span), NULL, NULL,
                "what is made of the secret here goes to %s, and is not masked", sink);
            finding->confidence = WPA_CONFIDENCE_MEDIUM;
        }
    }
}

#define MADE_MAX 8       /* variables of one script that are followed */
#define MADE_LOOKBACK 16 /* commands before an assignment that may stand in its substitution */

/* Variables that hold what a script makes of a secret: "KEY=$(echo "$SECRET" | jq -r .key)". */
typedef struct made {
    wpa_slice names[MADE_MAX];
    size_t n;
} made;

/* Does a substitution within the word make something of a secret? */
static bool is_made_of_secret(wpa_rule_run *run, const wpa_outline_step *step, size_t outer,
                              wpa_span word)
{
    bool is_secret = false, is_changed = false;
    for (size_t back = 1; back <= outer && back <= MADE_LOOKBACK; back++) {
        const wpa_shell_command *c = &step->script->commands[outer - back];
        if (!wpa_span_contains(word, c->span)) {
            break; /* what stands in it comes right before it */
        }
        /* A password for curl is no part of what it fetches. */
        bool hands_on =
            changes_text(c) || wpa_text_is(c->name, "echo") || wpa_text_is(c->name, "printf");
        is_changed = is_changed || changes_text(c);
        is_secret = is_secret ||
                    (hands_on && command_names_secret(run->source->outline, step, c, run->arena));
    }
    return is_secret && is_changed;
}

static void note_made(wpa_rule_run *run, const wpa_outline_step *step, size_t i, made *m)
{
    const wpa_shell_command *c = &step->script->commands[i];
    bool declares = wpa_text_is(c->name, "export") || wpa_text_is(c->name, "local");
    for (size_t k = 0; k < (declares ? c->n_words : c->first) && m->n < MADE_MAX; k++) {
        const char *word = c->words[k].text;
        size_t length = wpa_text_name_length(word);
        if (length && word[length] == '=' && strstr(word + length, "$(") &&
            is_made_of_secret(run, step, i, c->words[k].span)) {
            m->names[m->n++] = (wpa_slice){word, length};
        }
    }
}

static bool names_made(const char *word, const made *m)
{
    for (const char *at = strchr(word, '$'); at; at = strchr(at + 1, '$')) {
        const char *name = at + 1 + (at[1] == '{');
        wpa_slice read = {name, wpa_text_name_length(name)};
        for (size_t i = 0; i < m->n; i++) {
            if (read.length == m->names[i].length &&
                memcmp(read.at, m->names[i].at, read.length) == 0) {
                return true;
            }
        }
    }
    return false;
}

/* What is made of a secret and put into a variable, printed later on. */
static void check_made(wpa_rule_run *run, const wpa_outline_step *step)
{
    made m = {0};
    for (size_t i = 0; i < step->script->n_commands; i++) {
        const wpa_shell_command *c = &step->script->commands[i];
        bool prints = wpa_text_is(c->name, "echo") || wpa_text_is(c->name, "printf");
        const char *sink = m.n && prints && !wpa_text_is(c->after, "|") ? printed_to(c) : NULL;
        for (size_t k = c->first + 1; sink && k < c->n_words; k++) {
            if (names_made(c->words[k].text, &m)) {
                wpa_finding *finding = wpa_rule_report(
                    run, wpa_outline_script_span(step, c->span), NULL, NULL,
                    "what is made of the secret before goes to %s, and is not masked", sink);
                finding->confidence = WPA_CONFIDENCE_MEDIUM;
                break;
            }
        }
        note_made(run, step, i, &m);
    }
}

/* Where nothing does, nothing is made of a secret, and most scripts are of that kind. */
static bool has_changes(const wpa_script *script)
{
    bool has = false;
    for (size_t i = 0; i < script->n_commands && !has; i++) {
        has = changes_text(&script->commands[i]);
    }
    return has;
}

static void check_script(wpa_rule_run *run, const wpa_outline_step *step)
{
    const wpa_script *script = step->script;
    if (!script || !script->is_readable || !has_changes(script) ||
        (wpa_outline_script_holds(step, "::add-mask::") && strstr(script->text, "::add-mask::"))) {
        return;
    }
    check_made(run, step);
    for (size_t i = 0, last; i < script->n_commands; i = last + 1) {
        bool is_changed = changes_text(&script->commands[i]);
        for (last = i;
             last + 1 < script->n_commands && wpa_text_is(script->commands[last + 1].before, "|");
             last++) {
            is_changed = is_changed || changes_text(&script->commands[last + 1]);
        }
        if (is_changed) {
            check_pipe(run, step, i, last);
        }
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    if (wpa_yaml_may_hold(run->source->yaml, "fromJSON")) {
        wpa_rule_each_expression(run, o->root, check_expression, NULL);
    }
    bool may_change = may_change_text(run->source->yaml);
    for (size_t i = 0; may_change && i < o->n_jobs; i++) {
        for (size_t k = 0; k < o->jobs[i].n_steps; k++) {
            check_script(run, &o->jobs[i].steps[k]);
        }
    }
    return true;
}

const wpa_rule wpa_rule_unredacted_secrets = {
    .code = "SEC-018",
    .id = "unredacted-secrets",
    .dimension = WPA_DIMENSION_SECURITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "A part or another form of a secret is used, which the log does not mask",
    .why = "The runner masks the exact text of a secret and nothing else.",
    .fix = "Store each part as a secret of its own, or mask what is made of it with ::add-mask:: "
           "first. There is no fix by machine.",
    .elsewhere = (const char *const[]){"zizmor/unredacted-secrets", NULL},
    .words = (const char *const[]){"secrets", NULL},
    .check = check,
};
