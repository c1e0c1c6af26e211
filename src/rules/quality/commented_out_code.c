/* QUA-009: steps, jobs or keys that are commented out. */
#include <string.h>

#include <wpa/buf.h>

#include "rules/rule.h"

#define LINES_MIN 3
#define LINES_MAX 400
#define BLOCKS_MAX 200

/* Keys that say: this is a piece of a workflow. */
static const char *const keys[] = {"uses",
                                   "run",
                                   "with",
                                   "env",
                                   "steps",
                                   "runs-on",
                                   "needs",
                                   "if",
                                   "strategy",
                                   "matrix",
                                   "jobs",
                                   "name",
                                   "permissions",
                                   "services",
                                   "container",
                                   "timeout-minutes",
                                   "shell",
                                   "id",
                                   "working-directory",
                                   "on",
                                   "push",
                                   "pull_request",
                                   "schedule",
                                   "workflow_dispatch",
                                   "branches",
                                   "paths",
                                   "concurrency",
                                   "outputs",
                                   "environment",
                                   "continue-on-error",
                                   "defaults",
                                   "secrets",
                                   "include",
                                   "exclude",
                                   "fail-fast",
                                   "os"};
/* One of these has to be among them: prose has names as well. */
static const char *const telling[] = {"uses",  "run",      "steps",  "runs-on", "jobs",
                                      "needs", "strategy", "matrix", "with"};

/* How many pairs of the mapping are keys of a workflow; SIZE_MAX if one surely is not. */
static size_t known_keys(const wpa_yaml_node *mapping, bool *is_telling)
{
    size_t n = 0;
    for (size_t i = 0; i < mapping->n_pairs; i++) {
        const char *key = wpa_yaml_text(mapping->pairs[i].key);
        n += wpa_text_index(key ? key : "", keys, WPA_COUNT(keys)) >= 0;
        *is_telling =
            *is_telling || wpa_text_index(key ? key : "", telling, WPA_COUNT(telling)) >= 0;
    }
    return n;
}

/* A step ("- uses: ..."), the body of a job, or a job under its name. */
static bool is_code(const wpa_yaml_node *node)
{
    bool is_telling = false;
    node = wpa_yaml_resolve(node);
    if (wpa_yaml_is(node, WPA_YAML_SEQUENCE)) {
        for (size_t i = 0; i < node->n_items; i++) {
            const wpa_yaml_node *item = wpa_yaml_resolve(node->items[i]);
            if (!wpa_yaml_is(item, WPA_YAML_MAPPING) ||
                known_keys(item, &is_telling) != item->n_pairs) {
                return false;
            }
        }
        return node->n_items > 0 && is_telling;
    }
    if (!wpa_yaml_is(node, WPA_YAML_MAPPING) || node->n_pairs == 0) {
        return false;
    }
    if (known_keys(node, &is_telling) == node->n_pairs) {
        return is_telling;
    }
    const wpa_yaml_node *only = wpa_yaml_resolve(node->pairs[0].value);
    return node->n_pairs == 1 && wpa_yaml_is(only, WPA_YAML_MAPPING) &&
           known_keys(only, &is_telling) == only->n_pairs && is_telling;
}

/* Does a key that tells stand at the beginning of a line? Only then it is worth parsing. */
static bool may_be_code(const wpa_yaml_doc *doc, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        const char *at = doc->source + doc->comments[i].span.start;
        at += strspn(at, "# \t-{[?\"'&*!");
        for (size_t k = 0; k < WPA_COUNT(telling); k++) {
            if (*at == *telling[k] && wpa_text_starts(at, telling[k])) {
                return true;
            }
        }
    }
    return false;
}

/* The comments [from, to) without their marks; parsed on its own. */
static const wpa_yaml_node *parse_block(wpa_rule_run *run, size_t from, size_t to)
{
    const wpa_yaml_doc *doc = run->source->yaml;
    WPA_AUTO(wpa_buf) *buf = wpa_buf_new(64 * 1024);
    for (size_t i = from; i < to; i++) {
        wpa_span span = doc->comments[i].span;
        size_t marks = strspn(doc->source + span.start, "#");
        if (marks > 1 || wpa_span_length(span) > 400) {
            return NULL;
        }
        wpa_buf_printf(buf, "%.*s\n", (int)(wpa_span_length(span) - marks),
                       doc->source + span.start + marks);
    }
    wpa_error err = {0};
    const char *text = wpa_buf_dup(buf, run->arena);
    const wpa_yaml_doc *inner = wpa_yaml_parse("comment", text, strlen(text), run->arena, &err);
    return inner && inner->n_diagnostics == 0 && !inner->is_partial ? inner->root : NULL;
}

/* Does another comment above, a blank line between them at most, say why? */
static bool has_reason(const wpa_yaml_doc *doc, size_t from)
{
    const wpa_yaml_comment *here = &doc->comments[from], *above = here - 1;
    return from > 0 && above->is_own_line && above->line + 2 >= here->line &&
           wpa_yaml_position(doc, above->span.start).column ==
               wpa_yaml_position(doc, here->span.start).column;
}

static void check_block(wpa_rule_run *run, size_t from, size_t to)
{
    const wpa_yaml_doc *doc = run->source->yaml;
    if (to - from < LINES_MIN || to - from > LINES_MAX || has_reason(doc, from) ||
        !may_be_code(doc, from, to)) {
        return;
    }
    const wpa_yaml_node *root = parse_block(run, from, to);
    if (root && is_code(root)) {
        wpa_span *span = wpa_arena_alloc(run->arena, sizeof *span);
        *span = (wpa_span){doc->comments[from].span.start, doc->comments[to - 1].span.end};
        wpa_rule_report(run, *span, NULL, span,
                        "%zu lines of code are commented out: nobody knows whether they still work",
                        to - from);
    }
}

/* Is the comment one line below the other, at the same column? */
static bool follows(const wpa_yaml_doc *doc, size_t i)
{
    const wpa_yaml_comment *before = &doc->comments[i - 1], *here = &doc->comments[i];
    return here->is_own_line && before->is_own_line && here->line == before->line + 1 &&
           wpa_yaml_position(doc, here->span.start).column ==
               wpa_yaml_position(doc, before->span.start).column;
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_yaml_doc *doc = run->source->yaml;
    size_t head = doc->root ? doc->root->span.start : doc->size_bytes, n_blocks = 0;
    for (size_t from = 0; from < doc->n_comments && n_blocks < BLOCKS_MAX;) {
        size_t to = from + 1;
        while (to < doc->n_comments && follows(doc, to)) {
            to++;
        }
        bool is_example = doc->comments[from].span.start < head; /* at the top, for readers */
        if (doc->comments[from].is_own_line && !is_example) {
            check_block(run, from, to);
            n_blocks += to - from >= LINES_MIN;
        }
        from = to;
    }
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const wpa_span *span = finding->subject;
    const wpa_yaml_doc *doc = run->source->yaml;
    wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "remove the lines");
    size_t start = wpa_yaml_line(doc, wpa_yaml_line_of(doc, span->start)).start;
    wpa_rule_edit(run, fix, (wpa_span){start, wpa_yaml_line_end(doc, span->end - 1)}, "%s", "");
}

const wpa_rule wpa_rule_commented_out_code = {
    .code = "QUA-009",
    .id = "commented-out-code",
    .dimension = WPA_DIMENSION_QUALITY,
    .kind = WPA_KIND_OPPORTUNITY,
    .severity = WPA_SEVERITY_LOW,
    .confidence = WPA_CONFIDENCE_MEDIUM,
    .persona = WPA_PERSONA_PEDANTIC,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "Steps, jobs or keys are commented out",
    .why = "It ages unseen, and hides whether it is off for good or by mistake; history keeps it.",
    .fix = "Remove it, or say above it why it is kept.",
    .declares = WPA_DECLARES_NAMES,
    .check = check,
    .repair = repair,
};
