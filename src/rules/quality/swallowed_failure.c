/* QUA-017: a test, build, deployment or scan whose failure nobody will see. */
#include <string.h>

#include "rules/shell_roles.h"
#include "rules/steps.h"
#include "rules/work.h"

#define ROLES_THAT_MATTER                                                                          \
    (WPA_DOES_TEST | WPA_DOES_BUILD | WPA_DOES_LINT | WPA_DOES_PUBLISH | WPA_DOES_SCAN)

/* A reason that somebody wrote down: a comment on the line, or alone on the one above. */
static bool has_reason(const char *text, size_t length, size_t at)
{
    size_t start = at, end = at;
    while (start > 0 && text[start - 1] != '\n') {
        start--;
    }
    while (end < length && text[end] != '\n') {
        end++;
    }
    const char *hash = memmem(text + start, end - start, " #", 2);
    if (hash) {
        return true;
    }
    size_t above = start ? start - 1 : 0;
    while (above > 0 && text[above - 1] != '\n') {
        above--;
    }
    above += strspn(text + above, " \t");
    return start > 0 && text[above] == '#';
}

static bool has_reason_in_file(const wpa_rule_run *run, size_t at)
{
    return has_reason(run->source->yaml->source, run->source->yaml->size_bytes, at);
}

/* Does a comment say why something may fail? */
static bool says_why(const char *comment, size_t length)
{
    static const char *const words[] = {"fail",        "error",     "tolerat",   "flak",
                                        "allow",       "ignor",     "optional",  "best effort",
                                        "best-effort", "not block", "non-block", "exit code"};
    for (size_t i = 0; i < WPA_COUNT(words); i++) {
        if (wpa_text_find_ci(comment, length, words[i])) {
            return true;
        }
    }
    return false;
}

/* A comment in front of the step, or of its script, that says why it may fail. */
static bool is_explained_above(const wpa_rule_run *run, size_t at)
{
    const char *text = run->source->yaml->source;
    for (size_t line = at; line > 0;) {
        while (line > 0 && text[line - 1] != '\n') {
            line--;
        }
        size_t end = line ? line - 1 : 0;
        line = end;
        while (line > 0 && text[line - 1] != '\n') {
            line--;
        }
        size_t start = line + strspn(text + line, " \t");
        if (start >= end || text[start] != '#') {
            return false;
        }
        if (says_why(text + start, end - start)) {
            return true;
        }
    }
    return false;
}

/* A comment that stands among the job's keys, in their column, between its name and this key. */
static bool is_explained_in_job(const wpa_rule_run *run, const wpa_outline_job *job,
                                const wpa_yaml_node *key)
{
    const char *text = run->source->yaml->source;
    size_t column = 0;
    while (key->span.start > column && text[key->span.start - column - 1] != '\n') {
        column++;
    }
    for (size_t line = job->key->span.start; line < key->span.start;) {
        size_t end = line + strcspn(text + line, "\n");
        size_t start = line + strspn(text + line, " \t");
        if (text[start] == '#' && start - line == column && says_why(text + start, end - start)) {
            return true;
        }
        line = end + 1;
    }
    return is_explained_above(run, job->key->span.start);
}

static bool is_explained(const wpa_rule_run *run, const wpa_outline_step *step)
{
    bool has_run = step->run && step->run->key;
    return is_explained_above(run, step->node->span.start) ||
           (has_run && is_explained_above(run, step->run->key->span.start));
}

/* ---- continue-on-error -------------------------------------------------------------------------
 */

static bool uses_scanner(const wpa_outline_step *step)
{
    static const char *const actions[] = {"github/codeql-action/analyze",
                                          "aquasecurity/trivy-action",
                                          "golangci/golangci-lint-action",
                                          "anchore/scan-action",
                                          "snyk/actions/node",
                                          "docker/build-push-action",
                                          "pre-commit/action",
                                          "goreleaser/goreleaser-action",
                                          "cypress-io/github-action",
                                          "super-linter/super-linter",
                                          "actions/dependency-review-action"};
    for (size_t i = 0; i < WPA_COUNT(actions); i++) {
        if (wpa_outline_step_uses(step, actions[i])) {
            return true;
        }
    }
    return false;
}

static bool is_set(const wpa_yaml_node *node)
{
    return wpa_text_is_ci(wpa_yaml_text(node), "true");
}

/* Does a later step ask what came of this one? */
static bool is_asked_for(const wpa_rule_run *run, const wpa_outline_step *step)
{
    const char *source = run->source->yaml->source;
    wpa_span span = step->job->node->span;
    const char *id = step->id ? wpa_arena_printf(run->arena, "steps.%s.", step->id) : NULL;
    return id && memmem(source + span.start, wpa_span_length(span), id, strlen(id));
}

static void check_continue(wpa_rule_run *run, const wpa_outline_step *step)
{
    const wpa_yaml_node *node = wpa_yaml_get(step->node, "continue-on-error");
    if (!is_set(node)) {
        return;
    }
    bool matters = (wpa_step_roles(step) & ROLES_THAT_MATTER) || uses_scanner(step);
    if (matters && !is_asked_for(run, step) && !has_reason_in_file(run, node->span.start) &&
        !is_explained(run, step)) {
        (void)wpa_rule_report(run, node->span, "W1", NULL,
                              "the step may fail and nobody is told: the job goes on as if it had "
                              "not");
    }
}

static void check_job(wpa_rule_run *run, const wpa_outline_job *job)
{
    const wpa_yaml_node *node = wpa_yaml_get(job->node, "continue-on-error");
    bool is_free = is_set(node), matters = false;
    for (size_t i = 0; i < job->n_steps && is_free; i++) {
        matters = matters || (wpa_step_roles(&job->steps[i]) & ROLES_THAT_MATTER) != 0;
    }
    if (matters && !job->is_call && !has_reason_in_file(run, node->span.start) &&
        !is_explained_in_job(run, job, node->key)) {
        (void)wpa_rule_report(run, node->span, "W1", NULL,
                              "job '%s' may fail and the run still ends well", job->id);
    }
}

/* ---- in scripts --------------------------------------------------------------------------------
 */

/* "git push origin :branch", "make clean": what may be gone already is taken away. */
static bool takes_away(const wpa_shell_command *c)
{
    static const char *const targets[] = {"clean", "distclean", "mrproper", "uninstall", "down"};
    bool is_push = wpa_shell_is(c, "git", "push");
    for (size_t i = c->first + 1; i < c->n_words; i++) {
        const char *word = c->words[i].text;
        bool is_deletion = is_push && ((word[0] == ':' && word[1]) ||
                                       wpa_text_is(word, "--delete") || wpa_text_is(word, "-d"));
        if (is_deletion || (wpa_text_is(c->name, "make") && i == c->first + 1 &&
                            wpa_text_index(word, targets, WPA_COUNT(targets)) >= 0)) {
            return true;
        }
    }
    return false;
}

static bool matters(const wpa_shell_command *c)
{
    static const char *const questions[] = {"--version", "-version", "-v",    "--help",
                                            "-showsdks", "version",  "--list"};
    bool does = (wpa_shell_roles(c) & ROLES_THAT_MATTER) != 0;
    for (size_t i = 0; i < WPA_COUNT(questions) && does; i++) {
        does = !wpa_shell_word_find(c, questions[i]);
    }
    return does && !takes_away(c);
}

/* "exit 0", and "exit /b 0" of cmd */
static bool ends_well(const wpa_shell_command *c)
{
    return wpa_text_is_ci(c->name, "exit") && c->n_words > 1 &&
           wpa_text_is(c->words[c->n_words - 1].text, "0");
}

static bool is_nothing(const wpa_shell_command *c)
{
    bool is_true = (wpa_text_is(c->name, "true") || wpa_text_is(c->name, ":")) && c->n_words == 1;
    return is_true || ends_well(c);
}

/* "make check > log || true; grep FAIL log": what came of it is read from what it wrote. */
static bool is_read_later(wpa_rule_run *run, const wpa_script *script, const wpa_shell_command *c)
{
    for (size_t i = 0; i < c->n_redirects && wpa_rule_spend(run, script->length / 16); i++) {
        const wpa_shell_redirect *r = &c->redirects[i];
        size_t end = r->target.span.end;
        bool is_file = *r->operator!= '<' && r->target.text[0] &&
                        r->target.text[0] != '/' && !strchr("0123456789", r->target.text[0]);
        if (is_file && end < script->length &&
            wpa_text_find(script->text + end, script->length - end, r->target.text)) {
            return true;
        }
    }
    return false;
}

static void report(wpa_rule_run *run, const wpa_outline_step *step, wpa_span span,
                   const char *check, const char *name)
{
    const wpa_script *script = step->lexed;
    if (!has_reason(script->text, script->length, span.start) && !is_explained(run, step)) {
        (void)wpa_rule_report_script(run, step, span, check, NULL,
                                     "a failure of '%s' is passed over: the step ends well", name);
    }
}

/* Options that make a program end well whatever it finds. */
static bool has_option(const wpa_shell_word *word)
{
    static const char *const options[] = {"--exit-zero", "-Dmaven.test.failure.ignore=true",
                                          "-Dmaven.test.failure.ignore", "--suppress-tests-failure",
                                          "--no-error-on-test-failure"};
    return *word->text == '-' && wpa_text_index(word->text, options, WPA_COUNT(options)) >= 0;
}

static void check_options(wpa_rule_run *run, const wpa_outline_step *step,
                          const wpa_shell_command *c)
{
    for (size_t i = c->first + 1; i < c->n_words; i++) {
        if (has_option(&c->words[i]) && matters(c)) {
            report(run, step, c->words[i].span, "W4", c->name);
        }
    }
}

/* "set +e" that nothing takes back and after which nobody looks at the result. */
static void check_set(wpa_rule_run *run, const wpa_outline_step *step, size_t i)
{
    const wpa_script *script = step->script;
    const wpa_shell_command *c = &script->commands[i];
    const wpa_shell_word *word = wpa_shell_word_find(c, "+e");
    const char *behind = script->text + c->span.end;
    bool is_minded = strstr(behind, "$?") || strstr(behind, "set -e") ||
                     strstr(behind, "PIPESTATUS") || strstr(behind, "||") ||
                     strstr(behind, "if ") || strstr(behind, "exit");
    for (size_t k = i + 1; word && !is_minded && k + 1 < script->n_commands; k++) {
        if (matters(&script->commands[k])) {
            report(run, step, word->span, "W3", script->commands[k].name);
            return;
        }
    }
}

/* PowerShell and cmd go on behind a program that failed: "exit 0" at the end says it did not. */
static void check_end(wpa_rule_run *run, const wpa_outline_step *step, const wpa_script *script)
{
    static const char *const minds[] = {"LASTEXITCODE", "ERRORLEVEL", "throw", "if ",   "if(", "||",
                                        "trap",         "errorlevel", "&&",    "catch", NULL};
    const wpa_shell_command *last =
        script->n_commands ? &script->commands[script->n_commands - 1] : NULL;
    if (step->script || !last || !ends_well(last) || wpa_work_mentions_any(step->run, minds)) {
        return;
    }
    for (size_t i = script->n_commands - 1; i-- > 0;) {
        if (matters(&script->commands[i])) {
            report(run, step, last->span, "W2", script->commands[i].name);
            return;
        }
    }
}

static void check_script(wpa_rule_run *run, const wpa_outline_step *step)
{
    const wpa_script *script = wpa_step_commands(step);
    bool is_set_seen = false;
    if (script) {
        check_end(run, step, script);
    }
    for (size_t i = 0; script && i < script->n_commands; i++) {
        const wpa_shell_command *c = &script->commands[i];
        const wpa_shell_command *next = i + 1 < script->n_commands ? c + 1 : NULL;
        if (!(wpa_shell_roles(c) & ROLES_THAT_MATTER)) {
            if (!is_set_seen && step->script && wpa_text_is(c->name, "set") &&
                wpa_shell_word_find(c, "+e")) {
                is_set_seen = true;
                check_set(run, step, i);
            }
            continue;
        }
        check_options(run, step, c);
        bool is_forgiven = next && wpa_text_is(c->after, "||") && is_nothing(next) &&
                           c->nested == next->nested && c->nested == 0;
        if (is_forgiven && matters(c) && !is_read_later(run, script, c)) {
            report(run, step, next->span, "W2", c->name);
        }
    }
}

static void check_step(wpa_rule_run *run, const wpa_outline_step *step)
{
    check_continue(run, step);
    check_script(run, step);
}

/* Most files do not name the key. */
static bool may_continue(const wpa_yaml_doc *doc)
{
    return wpa_yaml_may_hold(doc, "continue-on-error");
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    wpa_rule_each_step(run, may_continue(run->source->yaml) ? check_step : check_script);
    for (size_t i = 0; i < run->source->outline->n_jobs; i++) {
        check_job(run, &run->source->outline->jobs[i]);
    }
    return true;
}

const wpa_rule wpa_rule_swallowed_failure = {
    .code = "QUA-017",
    .id = "swallowed-failure",
    .dimension = WPA_DIMENSION_QUALITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_MEDIUM,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "The failure of a test, build, deployment or scan is passed over",
    .why = "The run is green, and what it was to find out is not known.",
    .fix = "Let it fail; or say in a comment on the line why it may. There is no fix by machine.",
    .checks = (const char *const[]){"W1", "W2", "W3", "W4", NULL},
    .tables = 1U << WPA_FACTS_COMMANDS,
    .check = check,
};
