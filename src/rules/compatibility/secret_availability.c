/* CMP-042: a secret is used where there is none. */
#include <string.h>

#include "rules/callee.h"
#include "rules/expressions.h"
#include "rules/graph.h"
#include "rules/own.h"
#include "rules/trust.h"
#include "rules/work.h"

#define NAMES_MAX 64
#define LINE_MAX_BYTES 1000
#define GUARD "github.event.pull_request.head.repo.full_name == github.repository"

/* A secret of one job that has been told of. */
typedef struct seen {
    const wpa_outline_job *job;
    const char *name;
    wpa_finding *finding;
} seen;

typedef struct checker {
    wpa_rule_run *run;
    const wpa_outline_trigger *trigger; /* pull_request, or NULL */
    bool is_callee;                     /* called, and by no caller that hands everything on */
    seen seen[NAMES_MAX];
    size_t n_seen;
} checker;

/* Name of the one secret that a reference means, as written; NULL if it means none, or many. */
static const char *secret_name(const wpa_expr_reference *reference)
{
    const wpa_expr *node = reference->node;
    const char *name = node->kind == WPA_EXPR_MEMBER  ? node->text
                       : node->kind == WPA_EXPR_INDEX ? node->args[1]->text
                                                      : NULL;
    bool is_secret = name && wpa_text_starts(reference->path, "secrets.") &&
                     !strpbrk(reference->path + strlen("secrets."), ".*[") &&
                     !wpa_text_is_ci(name, "GITHUB_TOKEN");
    return is_secret ? name : NULL;
}

/* Uploads and caches that do without their token where there is none. */
static bool does_without(const wpa_outline_step *step, const char *name)
{
    static const char *const owners[] = {"codecov", "coverallsapp", "codacy",       "CodSpeedHQ",
                                         "cachix",  "gradle",       "julia-actions"};
    static const char *const tokens[] = {"TURBO_TOKEN", "NX_CLOUD_ACCESS_TOKEN",
                                         "DEVELOCITY_ACCESS_KEY", "GRADLE_ENTERPRISE_ACCESS_KEY",
                                         "GRADLE_ENCRYPTION_KEY"};
    for (size_t i = 0; i < WPA_COUNT(tokens); i++) {
        if (wpa_text_is_ci(name, tokens[i])) {
            return true;
        }
    }
    for (size_t i = 0; step && i < WPA_COUNT(owners); i++) {
        if (wpa_slice_is_ci(step->uses.owner, owners[i])) {
            return true;
        }
    }
    return false;
}

/* Do all steps of a local action that read the input do without it where it is empty? */
static bool is_passed_on_alone(wpa_rule_run *run, const wpa_expression *e, const char *name)
{
    const wpa_outline_step *step = wpa_expression_step(e);
    const wpa_yaml_node *value = e->place->node;
    const char *input =
        step && value->key && value->parent == step->with ? wpa_yaml_text(value->key) : NULL;
    const wpa_surroundings *around = run->source->around;
    const wpa_graph_file *file = input && around && around->graph
                                     ? wpa_graph_used(around->graph, &step->uses, run->arena)
                                     : NULL;
    const wpa_source *action = file ? wpa_rule_source_at(run, file->path) : NULL;
    const char *read = action ? wpa_arena_printf(run->arena, "inputs.%s", input) : NULL;
    size_t n_readers = 0;
    for (size_t j = 0; action && j < action->outline->n_jobs; j++) {
        const wpa_outline_job *job = &action->outline->jobs[j];
        for (size_t i = 0; i < job->n_steps; i++) {
            wpa_span span = job->steps[i].node->span;
            if (!wpa_text_find(action->yaml->source + span.start, wpa_span_length(span), read)) {
                continue;
            }
            if (!does_without(&job->steps[i], name)) {
                return false;
            }
            n_readers++;
        }
    }
    return n_readers > 0;
}

/* Handed to a workflow of the repository that declares it, and not as one that it needs. */
static bool is_optional(wpa_rule_run *run, const wpa_expression *e)
{
    const wpa_yaml_node *node = e->place->node, *given = wpa_yaml_get(e->job->node, "secrets");
    wpa_callee callee;
    if (!e->job->is_call || !node->key || node->parent != wpa_yaml_resolve(given) ||
        !wpa_callee_read(run, e->job, &callee)) {
        return false;
    }
    const wpa_yaml_pair *declared = wpa_yaml_find_ci(callee.declared, wpa_yaml_text(node->key));
    return declared &&
           !wpa_text_is_ci(wpa_yaml_text(wpa_yaml_get(declared->value, "required")), "true");
}

/* Does the text of a condition ask for the secret, by way of a variable or an output? */
static bool asks_first(const wpa_yaml_node *condition)
{
    static const char *const words[] = {"env.", "secrets.", "outputs.", "dependabot"};
    const char *text = wpa_yaml_text(condition);
    for (size_t i = 0; text && i < WPA_COUNT(words); i++) {
        if (strstr(text, words[i])) {
            return true;
        }
    }
    return false;
}

/* A script's line that looks whether the secret is empty: "[ -n "${{ secrets.X }}" ]". */
static bool is_tested(const wpa_yaml_doc *doc, wpa_span span)
{
    static const char *const tests[] = {"[ ", "[[ ", "test "};
    static const char *const empties[] = {"-z ", "-n ", "= ''", "= \"\"", "=''", "=\"\""};
    size_t start = span.start, end = span.end;
    while (start > 0 && doc->source[start - 1] != '\n' && span.start - start < LINE_MAX_BYTES) {
        start--;
    }
    while (end < doc->size_bytes && doc->source[end] != '\n' && end - span.end < LINE_MAX_BYTES) {
        end++;
    }
    bool is_test = false, is_empty = false;
    for (size_t i = 0; i < WPA_COUNT(tests); i++) {
        is_test = is_test || memmem(doc->source + start, end - start, tests[i], strlen(tests[i]));
    }
    for (size_t i = 0; i < WPA_COUNT(empties); i++) {
        is_empty =
            is_empty || memmem(doc->source + start, end - start, empties[i], strlen(empties[i]));
    }
    return is_test && is_empty;
}

/* Does the text that ends here end with the word? */
static bool ends_with(const char *text, size_t end, const char *word)
{
    size_t length = strlen(word);
    return end >= length && memcmp(text + end - length, word, length) == 0;
}

/* Is a test open on the line that leads up to here: "if [ -f x ] && [ -n "? */
static bool is_in_test(const char *text, size_t end)
{
    size_t start = end;
    while (start > 0 && text[start - 1] != '\n' && end - start < LINE_MAX_BYTES) {
        start--;
    }
    return wpa_text_find(text + start, end - start, "[ ") ||
           wpa_text_find(text + start, end - start, "test ");
}

/* "[ -n "$X" ]", "if ($env:X)", "environ.get('X')": what stands in front of the name. */
static bool is_asked_in_front(const char *text, size_t at)
{
    static const char *const words[] = {"[", "if", "-not", "get", "getenv", "IsNullOrEmpty"};
    at -= ends_with(text, at, "env:") ? strlen("env:") : 0;
    while (at > 0 && strchr("\"'{$ (", text[at - 1])) {
        at--;
    }
    bool is_empty_test = ends_with(text, at, "-z") || ends_with(text, at, "-n");
    for (size_t i = 0; i < WPA_COUNT(words); i++) {
        if (ends_with(text, at, words[i])) {
            return true;
        }
    }
    return is_empty_test && is_in_test(text, at);
}

/* "${X:-none}", "$X" != "": what stands behind the name. */
static bool is_asked_behind(const char *text, bool is_in_braces)
{
    size_t colon = text[0] == ':';
    if (is_in_braces && (text[colon] == '-' || text[colon] == '+')) {
        return true;
    }
    text += strspn(text, "}\"' ");
    bool is_compared = *text == '=' || (*text == '!' && text[1] == '=');
    text += strspn(text, "!= ");
    return is_compared && (strncmp(text, "\"\"", 2) == 0 || strncmp(text, "''", 2) == 0);
}

/* Does the script look whether the variable is empty that the secret is given by? */
static bool is_variable_tested(const wpa_outline_step *step, const wpa_yaml_node *value)
{
    const char *name = value->key && value->parent == step->env ? wpa_yaml_text(value->key) : NULL;
    size_t length = name ? strlen(name) : 0;
    const char *text = length ? step->run->text : NULL;
    for (const char *at = text ? strstr(text, name) : NULL; at; at = strstr(at + length, name)) {
        size_t start = (size_t)(at - text);
        bool is_part = (start > 0 && wpa_text_name_length((const char[]){at[-1], '\0'})) ||
                       wpa_text_name_length(at + length);
        bool is_in_braces = start > 0 && at[-1] == '{';
        if (!is_part &&
            (is_asked_in_front(text, start) || is_asked_behind(at + length, is_in_braces))) {
            return true;
        }
    }
    return false;
}

static bool may_fail(const wpa_yaml_node *node)
{
    const char *text = wpa_yaml_text(wpa_yaml_get(node, "continue-on-error"));
    return text && !wpa_text_is(text, "false");
}

static bool is_in_fallback(const wpa_expr *root)
{
    return root->kind != WPA_EXPR_NAME && root->kind != WPA_EXPR_MEMBER &&
           root->kind != WPA_EXPR_INDEX;
}

static seen *find_seen(checker *c, const wpa_outline_job *job, const char *name)
{
    for (size_t i = 0; i < c->n_seen; i++) {
        if (c->seen[i].job == job && wpa_text_is_ci(c->seen[i].name, name)) {
            return &c->seen[i];
        }
    }
    return NULL;
}

static void remember(checker *c, const wpa_outline_job *job, const char *name, wpa_finding *finding)
{
    if (c->n_seen < NAMES_MAX) {
        c->seen[c->n_seen++] = (seen){job, name, finding};
    }
}

/* A1: forks and Dependabot get none under pull_request. */
static void check_fork(checker *c, const wpa_expression *e, const wpa_expr_reference *r,
                       const char *name)
{
    wpa_site site = {.source = c->run->source, .job = e->job, .step = wpa_expression_step(e)};
    if (!c->trigger || !e->job || does_without(site.step, name) || is_optional(c->run, e) ||
        is_passed_on_alone(c->run, e, name) || is_in_fallback(e->place->parsed.root) ||
        asks_first(e->job->condition) || may_fail(e->job->node) ||
        (site.step && (asks_first(site.step->condition) || may_fail(site.step->node))) ||
        wpa_trust_guard_of(c->run, &site, "pull_request") != WPA_GUARD_NONE) {
        return;
    }
    wpa_span span = wpa_expression_span(e, r->node->span);
    seen *before = find_seen(c, e->job, name);
    if (site.step && site.step->run &&
        (is_tested(c->run->source->yaml, span) || is_variable_tested(site.step, e->place->node))) {
        return;
    }
    if (before) {
        wpa_rule_relate(c->run, before->finding, span, "and here");
        return;
    }
    bool is_there = wpa_rule_has_dependabot_secret(c->run, name) == WPA_LISTED_YES;
    wpa_finding *finding = wpa_rule_report(
        c->run, span, "A1", site.step,
        "secret %s is empty in pull requests of forks%s, and nothing here asks for that",
        wpa_rule_quote(c->run, name, strlen(name)), is_there ? "" : " and of Dependabot");
    wpa_rule_relate(c->run, finding, c->trigger->node->span, "starts it for forks");
    remember(c, e->job, name, finding);
}

/* What a condition says of Dependabot. */
typedef enum mention {
    MENTIONS_NOTHING,
    MENTIONS_IT, /* in a way that is not understood, or to leave it out */
    ASKS_FOR_IT
} mention;

static mention mention_of(const wpa_yaml_node *condition)
{
    const char *text = wpa_yaml_text(condition);
    if (!text || !strcasestr(text, "dependabot")) {
        return MENTIONS_NOTHING;
    }
    bool is_test =
        strstr(text, "== 'dependabot[bot]'") && !strstr(text, "||") && !strchr(text, '!');
    return is_test ? ASKS_FOR_IT : MENTIONS_IT;
}

/* Does the job or its step run when Dependabot sends a pull request, which it does from within? */
static bool runs_for_dependabot(checker *c, const wpa_site *site)
{
    mention by_job = mention_of(site->job->condition);
    const wpa_yaml_node *own = site->step ? site->step->condition : NULL;
    mention by_step = mention_of(own);
    if (by_job == MENTIONS_IT || by_step == MENTIONS_IT) {
        return false;
    }
    bool is_asked_for = by_job == ASKS_FOR_IT || by_step == ASKS_FOR_IT;
    return is_asked_for || (!asks_first(site->job->condition) && !asks_first(own) &&
                            wpa_trust_guard_of(c->run, site, "pull_request") == WPA_GUARD_FORKS);
}

/* A3: runs that Dependabot starts have the secrets of its own store, and no others. */
static void check_dependabot(checker *c, const wpa_expression *e, const wpa_expr_reference *r,
                             const char *name)
{
    wpa_site site = {.source = c->run->source, .job = e->job, .step = wpa_expression_step(e)};
    if (!c->trigger || !e->job || wpa_rule_has_dependabot_secret(c->run, name) != WPA_LISTED_NO ||
        does_without(site.step, name) || is_optional(c->run, e) ||
        is_in_fallback(e->place->parsed.root) || may_fail(e->job->node) ||
        (site.step && may_fail(site.step->node)) || !runs_for_dependabot(c, &site)) {
        return;
    }
    wpa_span span = wpa_expression_span(e, r->node->span);
    seen *before = find_seen(c, e->job, name);
    if (before) {
        wpa_rule_relate(c->run, before->finding, span, "and here");
        return;
    }
    wpa_finding *finding = wpa_rule_report(
        c->run, span, "A3", NULL,
        "secret %s is not among those of Dependabot, whose pull requests come here: it is empty",
        wpa_rule_quote(c->run, name, strlen(name)));
    finding->confidence = WPA_CONFIDENCE_HIGH;
    remember(c, e->job, name, finding);
}

/* A2: a called workflow has what it declares, and what a caller hands on as a whole. */
static void check_callee(checker *c, const wpa_expression *e, const wpa_expr_reference *r,
                         const char *name)
{
    const wpa_outline_trigger *call =
        wpa_outline_trigger_find(c->run->source->outline, "workflow_call");
    const wpa_yaml_node *declared = wpa_yaml_get(call->config, "secrets");
    if (!c->is_callee || wpa_yaml_find_ci(declared, name)) {
        return;
    }
    wpa_rule_report(c->run, wpa_expression_span(e, r->node->span), "A2", NULL,
                    "secret %s is not declared under workflow_call, and no caller hands on all of "
                    "its secrets: it is empty",
                    wpa_rule_quote(c->run, name, strlen(name)));
}

static bool is_closed_callee(wpa_rule_run *run)
{
    static const char *const callable[] = {"workflow_call", NULL};
    const wpa_surroundings *around = run->source->around;
    size_t n = 0;
    const wpa_graph_user *users =
        around && around->graph && wpa_outline_only_triggers(run->source->outline, callable)
            ? wpa_graph_users(around->graph, wpa_source_identity(run->source), &n)
            : NULL;
    for (size_t i = 0; i < n; i++) {
        if (users[i].use->inherits_secrets) {
            return false;
        }
    }
    return n > 0;
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    checker c = {
        .run = run,
        .trigger = wpa_outline_trigger_find(run->source->outline, "pull_request"),
        .is_callee = is_closed_callee(run),
    };
    const wpa_expressions *all = c.trigger || c.is_callee ? run->source->expressions : NULL;
    for (size_t i = 0; all && i < all->n; i++) {
        const wpa_expression *e = &all->items[i];
        size_t n = 0;
        const wpa_expr_reference *list = wpa_expr_may_refer(&e->place->parsed, "secrets")
                                             ? wpa_expression_references(run, e, &n)
                                             : NULL;
        for (size_t k = 0; k < n; k++) {
            const char *name = secret_name(&list[k]);
            if (name) {
                check_fork(&c, e, &list[k], name);
                check_dependabot(&c, e, &list[k], name);
                if (c.is_callee) {
                    check_callee(&c, e, &list[k], name);
                }
            }
        }
    }
    return true;
}

/* Tests, builds and what prepares them are what a pull request is checked by. */
static bool is_of_the_job(const wpa_outline_step *step)
{
    static const char *const words[] = {"test",  "build", "docker", "install", "check",
                                        "bench", "lint",  "e2e",    "python",  NULL};
    unsigned work = WPA_DOES_TEST | WPA_DOES_BUILD | WPA_DOES_LINT | WPA_DOES_INSTALL;
    return step->uses.kind == WPA_OUTLINE_LOCAL || (wpa_work_step_roles(step) & work) ||
           wpa_work_mentions_any(step->run, words);
}

/* A step that asks for nothing yet is left out for forks. */
static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const wpa_outline_step *step = finding->subject;
    if (!step || step->condition || !wpa_text_is(finding->check, "A1") || is_of_the_job(step)) {
        return;
    }
    const wpa_yaml_pair *pair = wpa_yaml_find(step->node, step->run ? "run" : "uses");
    static const char *const pull_request[] = {"pull_request", NULL};
    bool is_only = wpa_outline_only_triggers(run->source->outline, pull_request);
    if (pair) {
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "leave the step out for forks");
        (void)wpa_rule_insert_behind(run, fix, pair->value, "if: %s",
                                     is_only ? GUARD
                                             : "github.event_name != 'pull_request' || " GUARD);
    }
}

static const char *const checks[] = {"A1", "A2", "A3", NULL};

const wpa_rule wpa_rule_secret_availability = {
    .code = "CMP-042",
    .id = "secret-availability",
    .dimension = WPA_DIMENSION_COMPATIBILITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_MEDIUM,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "A secret is used where it is empty: in pull requests of forks or of Dependabot, in "
               "a called "
               "workflow",
    .why = "The step fails for everybody who sends a pull request from a fork, or works with an "
           "empty value.",
    .fix = "Leave the step out where the secret is not there; declare the secrets of a called "
           "workflow.",
    .checks = checks,
    .tables = 1U << WPA_FACTS_EVENTS,
    .declares = WPA_DECLARES_JOBS,
    .words = (const char *const[]){"secrets", NULL},
    .check = check,
    .repair = repair,
};
