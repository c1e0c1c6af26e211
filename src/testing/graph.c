/* T103 and T104: the graph of jobs holds together, the matrix gives the same combinations. */
#include <string.h>

#include <wpa/buf.h>
#include <wpa/map.h>
#include <wpa/text.h>

#include "testing/checks.h"
#include "workflow/workflow.h"

#define DECLARES_MATRIX (1U << 1) /* bits of wpa_declares, see rules/finding.h */

/* ---- references in expressions ---- */

typedef struct reference {
    const char *kind; /* "needs" or "steps" */
    const char *id;
    const char *output; /* NULL: none named */
    const wpa_yaml_node *node;
    size_t offset; /* in the file */
} reference;

typedef struct references {
    wpa_arena *arena;
    reference *items;
    size_t n, capacity;
} references;

static bool is_word_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
}

/** A part behind a dot ("x.y"), or NULL. */
static const char *take_part(const char **at, wpa_arena *arena)
{
    if (**at != '.' || !is_word_char((*at)[1])) {
        return NULL;
    }
    const char *start = ++*at;
    while (is_word_char(**at)) {
        ++*at;
    }
    return wpa_arena_slice(arena, start, (size_t)(*at - start));
}

static void add_reference(references *list, const char *kind, const char *at,
                          const wpa_yaml_node *node, size_t offset)
{
    const char *id = take_part(&at, list->arena);
    if (!id) {
        return; /* needs[...], steps.*: cannot be followed here */
    }
    const char *field = take_part(&at, list->arena);
    const char *output = wpa_text_is(field, "outputs") ? take_part(&at, list->arena) : NULL;
    list->items =
        wpa_arena_grow(list->arena, list->items, list->n, &list->capacity, sizeof *list->items);
    list->items[list->n++] =
        (reference){.kind = kind, .id = id, .output = output, .node = node, .offset = offset};
}

/** In the text of one expression; quoted strings are passed over. */
static void scan_expression(references *list, const char *text, size_t length,
                            const wpa_yaml_node *node)
{
    static const char *const kinds[] = {"needs", "steps"};
    bool is_quoted = false;
    for (size_t i = 0; i < length; i++) {
        is_quoted = text[i] == '\'' ? !is_quoted : is_quoted;
        bool is_start =
            !is_quoted && (i == 0 || (!is_word_char(text[i - 1]) && text[i - 1] != '.'));
        for (size_t k = 0; is_start && k < WPA_COUNT(kinds); k++) {
            size_t n = strlen(kinds[k]);
            if (length - i > n && strncmp(text + i, kinds[k], n) == 0 && text[i + n] == '.') {
                const char *copy = wpa_arena_slice(list->arena, text + i + n, length - i - n);
                add_reference(list, kinds[k], copy, node, node->span.start);
            }
        }
    }
}

static void scan_scalar(references *list, const wpa_yaml_node *node)
{
    const char *text = wpa_yaml_text(node);
    bool is_condition = node->key && wpa_text_is(node->key->text, "if");
    const char *open = text ? strstr(text, "${{") : NULL;
    if (text && is_condition && !open) {
        scan_expression(list, text, strlen(text), node);
    }
    while (open) {
        const char *close = strstr(open, "}}");
        size_t length = close ? (size_t)(close - open) : strlen(open);
        scan_expression(list, open + 3, length < 3 ? 0 : length - 3, node);
        open = close ? strstr(close, "${{") : NULL;
    }
}

static void scan_node(references *list, const wpa_yaml_node *node)
{
    if (!node) {
        return;
    }
    if (node->kind == WPA_YAML_SCALAR) {
        scan_scalar(list, node);
    }
    for (size_t i = 0; i < node->n_pairs; i++) {
        scan_node(list, node->pairs[i].value);
    }
    for (size_t i = 0; i < node->n_items; i++) {
        scan_node(list, node->items[i]);
    }
}

/* ---- T103 ---- */

static bool is_workflow_after(const wpa_test_context *context)
{
    const wpa_test_file *file = context->file;
    if (!file->is_definition || !file->after.bytes) {
        return false;
    }
    const wpa_model *model = wpa_test_image_model(file, &context->file->after, context->arena);
    return model && model->workflow;
}

static bool needs_job(const wpa_workflow_job *job, const char *id)
{
    for (size_t i = 0; i < job->needs.n; i++) {
        if (wpa_text_is_ci(job->needs.items[i].text, id)) {
            return true;
        }
    }
    return job->needs.is_unknown;
}

/** Why a reference of a job leads nowhere, or NULL. */
static const char *judge_reference(const wpa_workflow *workflow, const wpa_workflow_job *job,
                                   const reference *ref, wpa_arena *arena)
{
    if (wpa_text_is(ref->kind, "steps")) {
        return wpa_workflow_job_step(job, ref->id) || job->has_unknown_steps
                   ? NULL
                   : wpa_arena_printf(arena, "no step '%s' in job '%s'", ref->id, job->id);
    }
    if (!needs_job(job, ref->id)) {
        return wpa_arena_printf(arena, "job '%s' does not need '%s'", job->id, ref->id);
    }
    const wpa_workflow_job *other = wpa_workflow_job_find(workflow, ref->id);
    bool is_known = other && other->uses.kind == WPA_REFERENCE_NONE && !other->outputs.is_unknown;
    if (ref->output && is_known && !wpa_value_map_find_ci(&other->outputs, ref->output)) {
        return wpa_arena_printf(arena, "job '%s' has no output '%s'", ref->id, ref->output);
    }
    return NULL;
}

/** A fault of the graph; key is the same for the same fault in the other version. */
typedef struct fault {
    const char *text;
    size_t offset;
} fault;

typedef struct faults {
    wpa_arena *arena;
    fault *items;
    size_t n, capacity;
} faults;

static void add_fault(faults *list, size_t offset, const char *text)
{
    list->items =
        wpa_arena_grow(list->arena, list->items, list->n, &list->capacity, sizeof *list->items);
    list->items[list->n++] = (fault){.text = text, .offset = offset};
}

static void check_needs(const wpa_workflow *workflow, const wpa_workflow_job *job, faults *list)
{
    for (size_t i = 0; i < job->needs.n; i++) {
        const wpa_value *value = &job->needs.items[i];
        if (value->text && !wpa_workflow_job_find(workflow, value->text)) {
            add_fault(list, value->node->span.start,
                      wpa_arena_printf(list->arena, "job '%s' needs '%s', which does not exist",
                                       job->id, value->text));
        }
    }
}

static void check_step_ids(const wpa_workflow_job *job, faults *list)
{
    for (size_t i = 0; i < job->n_steps; i++) {
        const char *id = job->steps[i].id.text;
        if (id && wpa_workflow_job_step(job, id) != &job->steps[i]) {
            add_fault(list, job->steps[i].id.node->span.start,
                      wpa_arena_printf(list->arena, "job '%s' has two steps '%s'", job->id, id));
        }
    }
}

static void check_job(const wpa_workflow *workflow, const wpa_workflow_job *job, faults *list)
{
    references found = {.arena = list->arena};
    check_needs(workflow, job, list);
    check_step_ids(job, list);
    scan_node(&found, job->node);
    for (size_t i = 0; i < found.n; i++) {
        const char *why = judge_reference(workflow, job, &found.items[i], list->arena);
        if (why) {
            add_fault(list, found.items[i].offset, why);
        }
    }
}

static faults faults_of(const wpa_workflow *workflow, wpa_arena *arena)
{
    faults list = {.arena = arena};
    size_t n = 0;
    const wpa_workflow_cycle *cycles = wpa_workflow_cycles(workflow, arena, &n);
    for (size_t i = 0; i < n; i++) {
        add_fault(&list, cycles[i].jobs[0]->key->span.start,
                  wpa_arena_printf(arena, "jobs need each other in a circle: '%s'",
                                   cycles[i].jobs[0]->id));
    }
    for (size_t i = 0; i < workflow->n_jobs; i++) {
        check_job(workflow, &workflow->jobs[i], &list);
    }
    return list;
}

static bool has_fault(const faults *list, const char *text)
{
    for (size_t i = 0; i < list->n; i++) {
        if (wpa_text_is(list->items[i].text, text)) {
            return true;
        }
    }
    return false;
}

static bool check_graph(const wpa_test_context *context, wpa_test_outcome *outcome, wpa_error *err)
{
    const wpa_workflow *before = wpa_test_workflow_of(context, &context->file->before);
    const wpa_workflow *after = wpa_test_workflow_of(context, &context->file->after);
    faults old_faults = {0};
    (void)err;
    if (before) {
        old_faults = faults_of(before, context->arena);
    }
    faults new_faults = faults_of(after, context->arena);
    for (size_t i = 0; i < new_faults.n; i++) {
        const fault *at = &new_faults.items[i];
        bool was_there = has_fault(&old_faults, at->text);
        wpa_test_evidence_at(outcome, context->arena, context->file, &context->file->after,
                             at->offset, was_there ? "there before" : "new", at->text);
        if (was_there) {
            wpa_test_warn(outcome, context->arena, "not of the patch, but there: %s", at->text);
        } else {
            wpa_test_fail(outcome, context->arena, "%s", at->text);
        }
    }
    return true;
}

/* ---- T104 ---- */

static const char *leg_text(const wpa_matrix_leg *leg, const wpa_test_image *image,
                            wpa_arena *arena)
{
    WPA_AUTO(wpa_buf) *text = wpa_buf_new(4096);
    for (size_t i = 0; i < leg->n; i++) {
        const wpa_yaml_node *node = leg->values[i].node;
        const char *value = node ? wpa_test_value_text(node, arena) : "?";
        wpa_buf_printf(text, "%s%s=", i ? ", " : "", leg->values[i].name);
        if (value) {
            wpa_buf_text(text, value);
        } else {
            wpa_buf_append(text, image->bytes + node->span.start, wpa_span_length(node->span));
        }
    }
    return wpa_buf_dup(text, arena);
}

static wpa_map *legs_of(const wpa_workflow_job *job, const wpa_test_image *image, bool *is_open,
                        wpa_arena *arena)
{
    wpa_map *legs = wpa_map_new(arena);
    wpa_matrix_legs all = wpa_matrix_expand(&job->strategy.matrix, arena);
    *is_open = *is_open || all.is_open || all.is_truncated;
    for (size_t i = 0; i < all.n; i++) {
        wpa_map_put(legs, leg_text(&all.legs[i], image, arena), legs);
    }
    return legs;
}

static void show_missing(const wpa_test_context *context, const wpa_map *of, const wpa_map *from,
                         const char *job, const char *label, wpa_test_outcome *outcome)
{
    for (size_t i = 0; i < wpa_map_count(of); i++) {
        const char *leg = wpa_map_at(of, i, NULL);
        if (!wpa_map_has(from, leg)) {
            wpa_test_evidence(outcome, context->arena, label,
                              wpa_arena_printf(context->arena, "%s: %s", job, leg));
            if (!wpa_test_is_declared(context, DECLARES_MATRIX)) {
                wpa_test_fail(outcome, context->arena, "the matrix of job '%s' changes", job);
            }
        }
    }
}

static bool has_matrix(const wpa_test_context *context)
{
    if (!is_workflow_after(context)) {
        return false;
    }
    const wpa_workflow *before = wpa_test_workflow_of(context, &context->file->before);
    for (size_t i = 0; before && i < before->n_jobs; i++) {
        if (before->jobs[i].strategy.matrix.node) {
            return true;
        }
    }
    return false;
}

static bool check_matrix(const wpa_test_context *context, wpa_test_outcome *outcome, wpa_error *err)
{
    const wpa_workflow *before = wpa_test_workflow_of(context, &context->file->before);
    const wpa_workflow *after = wpa_test_workflow_of(context, &context->file->after);
    (void)err;
    for (size_t i = 0; i < before->n_jobs; i++) {
        const wpa_workflow_job *old = &before->jobs[i],
                               *now = wpa_workflow_job_find(after, old->id);
        bool is_open = false;
        if (!now || (!old->strategy.matrix.node && !now->strategy.matrix.node)) {
            continue;
        }
        const wpa_map *old_legs = legs_of(old, &context->file->before, &is_open, context->arena);
        const wpa_map *new_legs = legs_of(now, &context->file->after, &is_open, context->arena);
        show_missing(context, old_legs, new_legs, old->id, "lost", outcome);
        show_missing(context, new_legs, old_legs, old->id, "new", outcome);
        if (is_open) {
            wpa_test_warn(outcome, context->arena,
                          "the matrix of job '%s' holds an expression: not all of it is known",
                          old->id);
        }
    }
    return true;
}

const wpa_test_check wpa_test_t103 = {.id = "T103",
                                      .phase = WPA_TEST_ISOLATED,
                                      .version = 1,
                                      .scope = WPA_TEST_OF_FILE,
                                      .title = "the graph of jobs holds together",
                                      .applies = is_workflow_after,
                                      .run = check_graph};
const wpa_test_check wpa_test_t104 = {.id = "T104",
                                      .phase = WPA_TEST_ISOLATED,
                                      .version = 2,
                                      .scope = WPA_TEST_OF_FILE,
                                      .is_waivable = true,
                                      .title = "the matrix gives the same combinations",
                                      .applies = has_matrix,
                                      .run = check_matrix};
