/* CMP-023: sizes that GitHub refuses. */
#include <string.h>

#include "rules/expressions.h"
#include "rules/steps.h"
#include "rules/work.h"

#define FILE_MAX_BYTES ((size_t)500 * 1024)
#define LEGS_MAX 256
#define UPLOADS_MAX 500
#define GROUP_MAX 400
/** Of one variable, its name and '=' included: what the kernel takes, and what Windows takes. */
#define LINUX_VARIABLE_MAX ((size_t)128 * 1024)
#define WINDOWS_VARIABLE_MAX ((size_t)32767)
#define CMD_LINE_MAX ((size_t)8191)
/** Nesting below which an expression is not parsed only to measure its depth. */
#define NESTING_SUSPECT 20

static void check_file(wpa_rule_run *run)
{
    if (run->source->size_bytes > FILE_MAX_BYTES) {
        wpa_rule_report(run, (wpa_span){0, 0}, NULL, NULL,
                        "the file has %zu bytes, and GitHub refuses more than %zu",
                        run->source->size_bytes, FILE_MAX_BYTES);
    }
}

static void check_matrix(wpa_rule_run *run, const wpa_outline_job *job)
{
    if (!wpa_yaml_find(job->node, "strategy")) {
        return;
    }
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new_within(wpa_arena_budget(run->arena));
    const wpa_work_matrix *matrix = wpa_work_matrix_of(run, job, arena);
    const wpa_matrix m = matrix->strategy.matrix;
    if (!m.node || m.is_open) {
        return;
    }
    const wpa_matrix_legs legs = matrix->legs;
    if (legs.n > LEGS_MAX) {
        wpa_rule_report(run, m.key->span, NULL, NULL,
                        "this matrix makes %s%zu jobs, and GitHub refuses more than %d",
                        legs.is_truncated ? "at least " : "", legs.n, LEGS_MAX);
    }
}

/* Opening brackets that are open at once, at most, in these bytes. */
static size_t nesting(const char *text, const char *end)
{
    size_t depth = 0, most = 0;
    for (; text < end; text++) {
        depth += *text == '(' || *text == '[' || *text == '!';
        depth -= depth && (*text == ')' || *text == ']');
        most = depth > most ? depth : most;
    }
    return most;
}

/* Is any expression of the text suspect, by its brackets alone? */
static bool may_be_too_deep(const char *text, size_t length)
{
    const char *open = wpa_expr_open(text, length, 0);
    while (open) {
        size_t start = (size_t)(open - text) + strlen("${{");
        size_t close = wpa_expr_close(text, length, start);
        size_t end = close == SIZE_MAX ? length : close;
        bool has_room = end >= start + NESTING_SUSPECT; /* for as many brackets: most have not */
        if (has_room && nesting(text + start, text + end) >= NESTING_SUSPECT) {
            return true;
        }
        open = wpa_expr_open(text, length, end);
    }
    return false;
}

/*
 * A text with expressions in it becomes one expression, format('…', …), so the length of all of it
 * counts.
 *
 * least  bytes of a text that may be too much of something.
 */
static void check_scalar(wpa_rule_run *run, const wpa_yaml_node *node, size_t least)
{
    if (node->length < least || !wpa_outline_has_expression(wpa_yaml_text(node))) {
        return;
    }
    if (node->length > WPA_EXPR_MAX_BYTES) {
        wpa_rule_report(run, node->key ? node->key->span : node->span, NULL, NULL,
                        "this text of %u characters holds an expression, and GitHub refuses more "
                        "than %d",
                        node->length, WPA_EXPR_MAX_BYTES);
        return;
    }
    if (!may_be_too_deep(node->text, node->length)) {
        return;
    }
    size_t n;
    wpa_expr_place *places = wpa_expr_find(node, run->arena, &n);
    for (size_t i = 0; i < n; i++) {
        if (places[i].parsed.fault == WPA_EXPR_LIMIT) {
            wpa_rule_report(run, wpa_expr_outer_span(&places[i]), NULL, NULL,
                            "this expression is nested deeper than the %d levels that GitHub reads",
                            WPA_EXPR_MAX_DEPTH);
        }
    }
}

static bool has_limit(const wpa_expressions *all)
{
    for (size_t i = 0; i < all->n; i++) {
        if (all->items[i].place->parsed.fault == WPA_EXPR_LIMIT) {
            return true;
        }
    }
    return false;
}

/* What two bytes of the file stand for has three at most ("\L"): a short node has no long text. */
static void walk(wpa_rule_run *run, const wpa_yaml_node *node, size_t least, int depth)
{
    if (!node || depth > WPA_YAML_MAX_DEPTH || wpa_span_length(node->span) < least / 2) {
        return;
    }
    if (node->kind == WPA_YAML_SCALAR) {
        check_scalar(run, node, least);
    }
    for (size_t i = 0; i < node->n_pairs; i++) {
        walk(run, node->pairs[i].value, least, depth + 1);
    }
    for (size_t i = 0; i < node->n_items; i++) {
        walk(run, node->items[i], least, depth + 1);
    }
}

/* ---- what becomes an environment variable, or a line of cmd ---- */

static void check_value(wpa_rule_run *run, const wpa_outline_step *step, const wpa_yaml_pair *pair,
                        size_t n_prefix)
{
    const wpa_yaml_node *key_node = wpa_yaml_resolve(pair->key);
    const wpa_yaml_node *value = wpa_yaml_resolve(pair->value);
    const char *key = wpa_yaml_text(key_node), *text = wpa_yaml_text(value);
    size_t length = key && text ? n_prefix + key_node->length + 1 + value->length : 0;
    if (length < WINDOWS_VARIABLE_MAX) {
        return; /* as nearly all */
    }
    bool is_windows = step && step->job->os == WPA_OS_WINDOWS;
    bool is_linux = !step || step->job->os == WPA_OS_LINUX;
    size_t most = is_windows ? WINDOWS_VARIABLE_MAX : LINUX_VARIABLE_MAX;
    if (length < most || (!is_windows && !is_linux) || wpa_outline_has_expression(text)) {
        return;
    }
    (void)wpa_rule_report(run, pair->key->span, NULL, NULL,
                          "%s becomes a variable of %zu bytes, and %s starts no program with one "
                          "of more than %zu",
                          wpa_rule_quote(run, key, strlen(key)), length,
                          is_windows ? "Windows" : "Linux", most - 1);
}

static void check_variable(wpa_rule_run *run, const wpa_outline_step *step,
                           const wpa_yaml_pair *variable)
{
    check_value(run, step, variable, 0);
}

/* The command interpreter of Windows cuts no line short: it refuses it. */
static void check_cmd_lines(wpa_rule_run *run, const wpa_outline_step *step)
{
    const char *text = step->run->text;
    for (size_t at = 0; text[at];) {
        size_t length = strcspn(text + at, "\n");
        if (length > CMD_LINE_MAX) {
            (void)wpa_rule_report(run, wpa_step_span(step, step->run, at, at + 1), NULL, NULL,
                                  "this line has %zu characters, and cmd refuses more than %zu",
                                  length, CMD_LINE_MAX);
        }
        at += length + (text[at + length] == '\n');
    }
}

static void check_step(wpa_rule_run *run, const wpa_outline_step *step)
{
    bool has_inputs = step->uses.kind != WPA_OUTLINE_NONE && step->with;
    for (size_t i = 0; has_inputs && i < step->with->n_pairs; i++) {
        check_value(run, step, &step->with->pairs[i], strlen("INPUT_"));
    }
    if (step->run && step->shell == WPA_SHELL_CMD) {
        check_cmd_lines(run, step);
    }
}

static void check_uploads(wpa_rule_run *run, const wpa_outline_job *job)
{
    size_t n = 0;
    for (size_t i = 0; job->n_steps > UPLOADS_MAX && i < job->n_steps && n <= UPLOADS_MAX; i++) {
        n += wpa_outline_step_uses(&job->steps[i], "actions/upload-artifact");
        if (n > UPLOADS_MAX) {
            (void)wpa_rule_report(run, job->steps[i].uses.span, NULL, NULL,
                                  "this is artifact %zu of its job, and GitHub keeps no more than "
                                  "%d of one",
                                  n, UPLOADS_MAX);
        }
    }
}

/* Characters of the text that are there whatever its expressions give. */
static size_t fixed_length(const char *text, size_t length)
{
    size_t n = 0;
    for (size_t at = 0; at < length;) {
        const char *open = wpa_expr_open(text, length, at);
        size_t end = open ? (size_t)(open - text) : length;
        for (; at < end; at++) {
            n += ((unsigned char)text[at] & 0xC0) != 0x80; /* the first byte of a character */
        }
        size_t close = open ? wpa_expr_close(text, length, end + strlen("${{")) : SIZE_MAX;
        at = close == SIZE_MAX ? length : close + strlen("}}");
    }
    return n;
}

/* owner: the workflow, or a job. */
static void check_group(wpa_rule_run *run, const wpa_yaml_node *owner)
{
    const wpa_yaml_node *group = wpa_yaml_get(owner, "concurrency");
    group = wpa_yaml_is(group, WPA_YAML_MAPPING) ? wpa_yaml_get(group, "group") : group;
    bool may_be = wpa_yaml_is(group, WPA_YAML_SCALAR) && group->text && group->length > GROUP_MAX;
    size_t length = may_be ? fixed_length(group->text, group->length) : 0;
    if (length > GROUP_MAX) {
        (void)wpa_rule_report(run, group->span, NULL, NULL,
                              "this concurrency group has a name of %s%zu characters, and GitHub "
                              "refuses more than %d",
                              wpa_outline_has_expression(group->text) ? "more than " : "", length,
                              GROUP_MAX);
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    bool may_have_group = run->source->kind == WPA_INPUT_WORKFLOW &&
                          run->source->size_bytes > GROUP_MAX &&
                          wpa_yaml_may_hold(run->source->yaml, "concurrency");
    if (run->source->size_bytes >=
        CMD_LINE_MAX) { /* the least of what a text can have too much of */
        wpa_rule_each_env(run, check_variable);
        wpa_rule_each_step(run, check_step);
        check_file(run);
    }
    bool is_nested = has_limit(run->source->expressions);
    if (is_nested || run->source->size_bytes > WPA_EXPR_MAX_BYTES) {
        walk(run, run->source->yaml->root, is_nested ? NESTING_SUSPECT : WPA_EXPR_MAX_BYTES, 0);
    }
    if (may_have_group) {
        check_group(run, o->root);
    }
    for (size_t i = 0; run->source->kind == WPA_INPUT_WORKFLOW && i < o->n_jobs; i++) {
        check_matrix(run, &o->jobs[i]);
        if (may_have_group) {
            check_group(run, o->jobs[i].node);
        }
        check_uploads(run, &o->jobs[i]);
    }
    return true;
}

const wpa_rule wpa_rule_platform_limits = {
    .code = "CMP-023",
    .id = "platform-limits",
    .dimension = WPA_DIMENSION_COMPATIBILITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_HIGH,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "Something is larger than GitHub accepts",
    .why = "GitHub refuses the file, or the job, when it gets there.",
    .fix = "Move long scripts into files of the repository and split large matrices. There is no "
           "fix by machine.",
    .reads_dead_code = true,
    .check = check,
};
