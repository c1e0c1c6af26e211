/*
 * T205: concurrency groups. Two workflows that come into one group, a workflow and its own job in
 * one, and a group that stops what deploys: each only where it was not so before.
 */
#include <ctype.h>
#include <string.h>

#include <wpa/buf.h>
#include <wpa/map.h>
#include <wpa/text.h>

#include "expr/expr.h"
#include "rules/engine.h"
#include "rules/finding.h"
#include "testing/around.h"
#include "testing/checks.h"
#include "workflow/workflow.h"

#define GROUPS_MAX 5000 /* of one repository */
#define NAME_MAX_BYTES 2000

/** A group of one workflow or one of its jobs. */
typedef struct group {
    const char *name; /* the same for all whose runs are in one group */
    const char *path;
    const char *job; /* NULL: of the workflow */
    size_t offset;
    bool cancels;
} group;

typedef struct groups {
    wpa_arena *arena;
    group *items; /* [n] by path */
    size_t n, capacity;
    bool is_cut; /* there are more */
} groups;

/* ---- the name of a group ---- */

/** Is the value another one in each run, or known to one workflow alone? */
static bool is_own(const char *path)
{
    static const char *const own[] = {"github.run_id", "github.run_number", "github.sha",
                                      "github.workflow_ref", "github.workflow_sha"};
    bool is_common = wpa_text_starts(path, "github.") || wpa_text_starts(path, "vars.");
    return !is_common || wpa_text_index(path, own, WPA_COUNT(own)) >= 0;
}

/** An expression as all who write it so mean it: without blanks and without case. */
static bool put_expression(wpa_buf *name, const wpa_expr_place *place, const char *text,
                           const char *workflow, wpa_arena *arena)
{
    size_t n;
    const wpa_expr *root = place->parsed.root;
    const wpa_expr_reference *references = wpa_expr_references(root, arena, &n);
    if (!root) {
        return false;
    }
    if (n == 1 && references[0].node == root &&
        wpa_text_is(references[0].path, "github.workflow")) {
        wpa_buf_text(name, workflow);
        return true;
    }
    for (size_t i = 0; i < n; i++) {
        if (is_own(references[i].path) || wpa_text_is(references[i].path, "github.workflow")) {
            return false;
        }
    }
    wpa_buf_text(name, "${{");
    for (size_t i = place->inner.start; i < place->inner.end; i++) {
        if (!isspace((unsigned char)text[i])) {
            wpa_buf_char(name, text[i]);
        }
    }
    wpa_buf_text(name, "}}");
    return true;
}

/** NULL: no other workflow can be in the same group, as far as that can be told. */
static const char *name_of(const wpa_value *value, const char *workflow, wpa_arena *scratch,
                           wpa_arena *arena)
{
    WPA_AUTO(wpa_buf) *name = wpa_buf_new(NAME_MAX_BYTES);
    size_t n = 0, at = 0;
    if (!value->text) {
        return NULL;
    }
    const wpa_expr_place *places = wpa_expr_find(value->node, scratch, &n);
    for (size_t i = 0; i < n; i++) {
        wpa_buf_append(name, value->text + at, places[i].outer.start - at);
        if (!put_expression(name, &places[i], value->text, workflow, scratch)) {
            return NULL;
        }
        at = places[i].outer.end;
    }
    wpa_buf_text(name, value->text + at);
    char *text = wpa_buf_is_full(name) ? NULL : wpa_buf_dup(name, arena);
    for (char *c = text; c && *c; c++) {
        *c = (char)tolower((unsigned char)*c);
    }
    return text && *text ? text : NULL;
}

static void add_group(groups *list, const wpa_concurrency *concurrency, const char *path,
                      const char *job, const char *workflow, wpa_arena *scratch)
{
    const char *name = name_of(&concurrency->group, workflow, scratch, list->arena);
    list->is_cut = list->is_cut || list->n == GROUPS_MAX;
    if (!name || list->is_cut) {
        return;
    }
    const wpa_value *cancel = &concurrency->cancel_in_progress;
    list->items =
        wpa_arena_grow(list->arena, list->items, list->n, &list->capacity, sizeof *list->items);
    list->items[list->n++] =
        (group){.name = name,
                .path = wpa_arena_text(list->arena, path),
                .job = job ? wpa_arena_text(list->arena, job) : NULL,
                .offset = concurrency->group.node->span.start,
                .cancels = wpa_value_is_set(cancel) && wpa_value_bool(cancel) != 0};
}

static bool collect(const wpa_test_definition *definition, wpa_arena *scratch, void *context)
{
    groups *list = context;
    wpa_error ignored = {0};
    if (!wpa_test_is_run(definition->path) || !strstr(definition->text, "concurrency")) {
        return true;
    }
    const wpa_model *model = wpa_model_parse(definition->path, WPA_FILE_OTHER, definition->text,
                                             definition->size_bytes, scratch, &ignored);
    const wpa_workflow *workflow = model ? model->workflow : NULL;
    if (!workflow ||
        (workflow->n_triggers == 1 && wpa_workflow_trigger(workflow, "workflow_call"))) {
        return true; /* one that is only called runs in its caller's name: see the rule's G5 */
    }
    const char *name = workflow->name.text ? workflow->name.text : definition->path;
    add_group(list, &workflow->concurrency, definition->path, NULL, name, scratch);
    for (size_t i = 0; i < workflow->n_jobs; i++) {
        const wpa_workflow_job *job = &workflow->jobs[i];
        add_group(list, &job->concurrency, definition->path, job->id, name, scratch);
    }
    return !list->is_cut;
}

/* ---- who is in one group ---- */

/** "a.yml|b.yml": the two have a group in common; value: the groups. */
typedef struct collision {
    const group *one, *other;
} collision;

static const char *describe(const group *g, wpa_arena *arena)
{
    return g->job ? wpa_arena_printf(arena, "job '%s' of %s", g->job, g->path) : g->path;
}

/** Each group with the first one of its name that another workflow, or its own, has. */
static wpa_map *collisions_of(const groups *list)
{
    wpa_map *found = wpa_map_new(list->arena), *firsts = wpa_map_new(list->arena);
    for (size_t i = 0; i < list->n; i++) {
        group *g = &list->items[i], *first = wpa_map_get(firsts, g->name);
        if (!first) {
            wpa_map_put(firsts, g->name, g);
            continue;
        }
        /* Jobs of one workflow that share a group take turns, which is what it is for. */
        bool is_inside = wpa_text_is(first->path, g->path);
        if (is_inside && (first->job || !g->job)) {
            continue;
        }
        collision *c = wpa_arena_alloc(list->arena, sizeof *c);
        *c = (collision){first, g};
        wpa_map_put(found,
                    wpa_arena_printf(list->arena, "%s|%s", describe(first, list->arena),
                                     describe(g, list->arena)),
                    c);
    }
    return found;
}

static bool is_of_patch(const wpa_test_context *context, const collision *c)
{
    return wpa_test_patched(context, c->one->path) || wpa_test_patched(context, c->other->path);
}

static void judge_collision(const wpa_test_context *context, const collision *c,
                            wpa_test_outcome *outcome)
{
    wpa_arena *arena = context->arena;
    const char *one = describe(c->one, arena), *other = describe(c->other, arena);
    wpa_test_evidence(outcome, arena, "one group",
                      wpa_arena_printf(arena, "%s: %s and %s", c->one->name, one, other));
    if (wpa_text_is(c->one->path, c->other->path)) {
        wpa_test_fail(outcome, arena, "%s waits for the group that its own run holds", other);
    } else if (c->one->cancels || c->other->cancels) {
        wpa_test_fail(outcome, arena, "%s and %s come into one group and would cancel each other",
                      one, other);
    } else {
        wpa_test_warn(outcome, arena, "%s and %s come into one group and would wait for each other",
                      one, other);
    }
}

static bool compare_collisions(const wpa_test_context *context, wpa_test_outcome *outcome,
                               wpa_error *err)
{
    groups was = {.arena = context->arena}, is = {.arena = context->arena};
    if (!wpa_test_each_definition(context, false, collect, &was, err) ||
        !wpa_test_each_definition(context, true, collect, &is, err)) {
        return false;
    }
    const wpa_map *before = collisions_of(&was), *after = collisions_of(&is);
    for (size_t i = 0; i < wpa_map_count(after); i++) {
        void *value;
        const char *key = wpa_map_at(after, i, &value);
        if (!wpa_map_has(before, key) && is_of_patch(context, value)) {
            judge_collision(context, value, outcome);
        }
    }
    wpa_test_evidence(
        outcome, context->arena, "compared",
        wpa_arena_printf(context->arena, "%zu groups before, %zu after", was.n, is.n));
    if (was.is_cut || is.is_cut) {
        wpa_test_skip_with(outcome, WPA_TEST_SKIP_OTHER, context->arena,
                           "more than %d groups in one repository", GROUPS_MAX);
    }
    return true;
}

/* ---- deployments, and callers and callees: as the rule sees them ---- */

static bool counts(const wpa_finding *finding)
{
    bool is_about = wpa_text_is(finding->check, "G3") || wpa_text_is(finding->check, "G5");
    return is_about && finding->severity >= WPA_SEVERITY_HIGH;
}

/* ---- the check ---- */

static bool is_about_groups(const wpa_test_file *file)
{
    return wpa_test_is_run(file->path) && file->after.bytes &&
           strstr(file->after.bytes, "concurrency");
}

static bool has_groups(const wpa_test_context *context)
{
    for (size_t i = 0; i < context->patch->n_files; i++) {
        if (context->patch->files[i].target == context->target &&
            is_about_groups(&context->patch->files[i])) {
            return true;
        }
    }
    return false;
}

static bool check_groups(const wpa_test_context *context, wpa_test_outcome *outcome, wpa_error *err)
{
    wpa_test_context at = *context;
    for (size_t i = 0; i < context->patch->n_files; i++) {
        at.file = &context->patch->files[i];
        if (at.file->target == context->target && is_about_groups(at.file) &&
            !wpa_test_ask_rule(&at, "concurrency-scope", counts, outcome, err)) {
            return false;
        }
    }
    return compare_collisions(context, outcome, err);
}

const wpa_test_check wpa_test_t205 = {.id = "T205",
                                      .phase = WPA_TEST_INTEGRATION,
                                      .version = 1,
                                      .scope = WPA_TEST_OF_TARGET,
                                      .is_waivable = true,
                                      .title = "no new collision of concurrency groups",
                                      .applies = has_groups,
                                      .run = check_groups};
