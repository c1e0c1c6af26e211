/* T202 and T203: names that others rely on are still there. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <wpa/buf.h>
#include <wpa/map.h>
#include <wpa/text.h>

#include "match/filter.h"
#include "testing/around.h"
#include "testing/checks.h"
#include "workflow/workflow.h"

#define DECLARES_MATRIX (1U << 1) /* bits of wpa_declares, see rules/finding.h */
#define DECLARES_JOBS (1U << 2)
#define DECLARES_NAMES (1U << 4)
#define DECLARES_CACHE (1U << 7)
#define WORKFLOWS_MAX 500

/* ---- T202 ---- */

/** Name with "${{ matrix.x }}" put in; NULL if something else stands in an expression. */
static const char *fill_name(const char *name, const wpa_matrix_leg *leg, wpa_arena *arena)
{
    WPA_AUTO(wpa_buf) *out = wpa_buf_new(4096);
    const char *open;
    while ((open = strstr(name, "${{"))) {
        const char *close = strstr(open, "}}");
        char inside[256] = {0}, variable[200] = {0};
        if (!close || (size_t)(close - open) > sizeof inside) {
            return NULL;
        }
        memcpy(inside, open + 3, (size_t)(close - open) - 3);
        /* One whole "matrix.x" and nothing else. */
        char rest = '\0';
        if (sscanf(inside, " matrix.%199[A-Za-z0-9_-] %c", variable, &rest) != 1 || !leg) {
            return NULL;
        }
        const char *value = wpa_test_value_text(wpa_matrix_leg_get(leg, variable), arena);
        if (!value) {
            return NULL;
        }
        wpa_buf_append(out, name, (size_t)(open - name));
        wpa_buf_text(out, value);
        name = close + 2;
    }
    wpa_buf_text(out, name);
    return wpa_buf_dup(out, arena);
}

/** "build (ubuntu-22.04, 20)": how a leg is called whose job's name does not say it. */
static const char *default_leg_name(const char *base, const wpa_matrix_leg *leg, wpa_arena *arena)
{
    WPA_AUTO(wpa_buf) *out = wpa_buf_new(4096);
    wpa_buf_printf(out, "%s (", base);
    for (size_t i = 0; i < leg->n; i++) {
        const char *text = wpa_test_value_text(leg->values[i].node, arena);
        wpa_buf_printf(out, "%s%s", i ? ", " : "", text ? text : "…");
    }
    wpa_buf_char(out, ')');
    return wpa_buf_dup(out, arena);
}

static void add_job_names(const wpa_workflow_job *job, wpa_map *names, wpa_arena *arena)
{
    const char *base = job->name.text ? job->name.text : job->id;
    bool has_hole = strstr(base, "${{") != NULL;
    wpa_matrix_legs legs = wpa_matrix_expand(&job->strategy.matrix, arena);
    if (legs.n == 0) {
        const char *name = fill_name(base, NULL, arena);
        wpa_map_put(names, name ? name : base, names);
    }
    for (size_t i = 0; i < legs.n; i++) {
        const char *name = has_hole ? fill_name(base, &legs.legs[i], arena)
                                    : default_leg_name(base, &legs.legs[i], arena);
        wpa_map_put(names, name ? name : base, names);
    }
}

static const wpa_map *check_names_of(const wpa_workflow *workflow, wpa_arena *arena)
{
    wpa_map *names = wpa_map_new(arena);
    for (size_t i = 0; i < workflow->n_jobs; i++) {
        add_job_names(&workflow->jobs[i], names, arena);
    }
    return names;
}

static bool check_check_names(const wpa_test_context *context, wpa_test_outcome *outcome,
                              wpa_error *err)
{
    const wpa_workflow *before = wpa_test_workflow_of(context, &context->file->before);
    const wpa_workflow *after = wpa_test_workflow_of(context, &context->file->after);
    bool is_declared =
        wpa_test_is_declared(context, DECLARES_NAMES | DECLARES_JOBS | DECLARES_MATRIX);
    (void)err;
    const wpa_map *old_names = check_names_of(before, context->arena);
    const wpa_map *new_names =
        after ? check_names_of(after, context->arena) : wpa_map_new(context->arena);
    for (size_t i = 0; i < wpa_map_count(old_names); i++) {
        const char *name = wpa_map_at(old_names, i, NULL);
        if (wpa_map_has(new_names, name)) {
            continue;
        }
        wpa_test_evidence(outcome, context->arena, "lost", name);
        if (is_declared) {
            wpa_test_warn(outcome, context->arena,
                          "check name '%s' goes, as declared; a branch rule may require it", name);
        } else {
            wpa_test_fail(outcome, context->arena, "check name '%s' would be lost", name);
        }
    }
    wpa_test_evidence(
        outcome, context->arena, "compared",
        wpa_arena_printf(context->arena, "%zu check names", wpa_map_count(old_names)));
    return true;
}

/* ---- T203 ---- */

/** What a workflow offers under a name, and what it takes from others by theirs. */
typedef struct published {
    wpa_map *workflow;                       /* its own name, one entry */
    wpa_map *uploads, *downloads, *patterns; /* patterns: downloads of several */
    wpa_map *cache_keys;
    wpa_map *outputs; /* of workflow_call, and of jobs as "job.output" */
    wpa_map *awaited; /* names in workflow_run */
} published;

static void put_input(const wpa_step *step, const char *input, wpa_map *into)
{
    const wpa_named *named = wpa_value_map_find_ci(&step->with, input);
    if (named && named->value.text) {
        wpa_map_put(into, named->value.text, into);
    }
}

static void add_step(const wpa_step *step, published *all)
{
    static const struct {
        const char *slug, *input;
        size_t into;
    } rows[] = {
        {"actions/upload-artifact", "name", offsetof(published, uploads)},
        {"actions/download-artifact", "name", offsetof(published, downloads)},
        {"actions/download-artifact", "pattern", offsetof(published, patterns)},
        {"dawidd6/action-download-artifact", "name", offsetof(published, downloads)},
        {"actions/cache", "key", offsetof(published, cache_keys)},
        {"actions/cache", "restore-keys", offsetof(published, cache_keys)},
    };
    for (size_t i = 0; i < WPA_COUNT(rows); i++) {
        if (wpa_text_is(step->uses.slug, rows[i].slug)) {
            put_input(step, rows[i].input, *(wpa_map **)(void *)((char *)all + rows[i].into));
        }
    }
}

static published published_by(const wpa_workflow *workflow, wpa_arena *arena)
{
    published all = {wpa_map_new(arena), wpa_map_new(arena), wpa_map_new(arena), wpa_map_new(arena),
                     wpa_map_new(arena), wpa_map_new(arena), wpa_map_new(arena)};
    if (workflow->name.text) {
        wpa_map_put(all.workflow, workflow->name.text, all.workflow);
    }
    for (size_t i = 0; i < workflow->n_triggers; i++) {
        const wpa_trigger *trigger = &workflow->triggers[i];
        for (size_t k = 0; k < trigger->workflows.n; k++) {
            const char *name = trigger->workflows.items[k].text;
            wpa_map_put(all.awaited, name ? name : "", all.awaited);
        }
        for (size_t k = 0; k < trigger->n_outputs; k++) {
            wpa_map_put(all.outputs, trigger->outputs[k].name, all.outputs);
        }
    }
    for (size_t i = 0; i < workflow->n_jobs; i++) {
        const wpa_workflow_job *job = &workflow->jobs[i];
        for (size_t k = 0; k < job->outputs.n; k++) {
            wpa_map_put(all.outputs,
                        wpa_arena_printf(arena, "%s.%s", job->id, job->outputs.items[k].name),
                        all.outputs);
        }
        for (size_t k = 0; k < job->n_steps; k++) {
            add_step(&job->steps[k], &all);
        }
    }
    return all;
}

/** What other workflows of the repository publish and use, with the patch. */
typedef struct others {
    const wpa_test_context *context;
    published *items;
    size_t n, capacity;
} others;

static bool add_other(const wpa_test_definition *definition, wpa_arena *scratch, void *of)
{
    others *list = of;
    wpa_arena *arena = list->context->arena;
    wpa_error ignored = {0};
    if (wpa_text_is(definition->path, list->context->file->path) ||
        !wpa_test_is_run(definition->path)) {
        return true;
    }
    const wpa_model *model = wpa_model_parse(definition->path, WPA_FILE_WORKFLOW, definition->text,
                                             definition->size_bytes, scratch, &ignored);
    if (model && model->workflow) {
        list->items =
            wpa_arena_grow(arena, list->items, list->n, &list->capacity, sizeof *list->items);
        list->items[list->n++] = published_by(model->workflow, arena);
    }
    return list->n < WORKFLOWS_MAX;
}

typedef struct comparison {
    const wpa_test_context *context;
    wpa_test_outcome *outcome;
    const published *others;
    size_t n_others;
} comparison;

/** Is name used by another workflow, in the map at this offset of its published names? */
static bool is_used_elsewhere(const comparison *with, const char *name, size_t offset)
{
    for (size_t i = 0; i < with->n_others; i++) {
        const char *at = (const char *)&with->others[i] + offset;
        if (wpa_map_has(*(wpa_map *const *)(const void *)at, name)) {
            return true;
        }
    }
    return false;
}

static size_t count_fitting(const wpa_map *names, const char *pattern)
{
    wpa_error ignored = {0}; /* one that is none takes nothing */
    WPA_AUTO(wpa_filter) *filter = wpa_filter_new(&pattern, 1, NULL, &ignored);
    size_t n = 0;
    for (size_t i = 0; filter && i < wpa_map_count(names); i++) {
        n += wpa_filter_fits(filter, wpa_map_at(names, i, NULL)) == WPA_REGEX_YES;
    }
    return n;
}

/** Does whoever downloads by a pattern still get as many artifacts? */
static void compare_patterns(const comparison *with, const wpa_map *patterns, const wpa_map *before,
                             const wpa_map *after)
{
    for (size_t i = 0; i < wpa_map_count(patterns); i++) {
        const char *pattern = wpa_map_at(patterns, i, NULL);
        if (count_fitting(after, pattern) < count_fitting(before, pattern)) {
            wpa_test_fail(with->outcome, with->context->arena,
                          "an artifact goes that is downloaded by the pattern '%s'", pattern);
        }
    }
}

/** used: offset of the map in which a user of such a name would say it; -1: nobody can be seen. */
static void compare_names(const comparison *with, const wpa_map *before, const wpa_map *after,
                          const char *what, long used, bool is_declared)
{
    for (size_t i = 0; i < wpa_map_count(before); i++) {
        const char *name = wpa_map_at(before, i, NULL);
        if (wpa_map_has(after, name)) {
            continue;
        }
        wpa_test_evidence(with->outcome, with->context->arena, "lost",
                          wpa_arena_printf(with->context->arena, "%s '%s'", what, name));
        if (used >= 0 && is_used_elsewhere(with, name, (size_t)used)) {
            wpa_test_fail(with->outcome, with->context->arena,
                          "%s '%s' goes, and another workflow uses it", what, name);
        } else if (!is_declared) {
            wpa_test_warn(with->outcome, with->context->arena,
                          "%s '%s' goes; no user of it is known", what, name);
        }
    }
}

static bool check_published(const wpa_test_context *context, wpa_test_outcome *outcome,
                            wpa_error *err)
{
    const wpa_workflow *before = wpa_test_workflow_of(context, &context->file->before);
    const wpa_workflow *after = wpa_test_workflow_of(context, &context->file->after);
    others around = {.context = context};
    if (!wpa_test_each_definition(context, true, add_other, &around, err)) {
        return false;
    }
    const comparison with = {
        .context = context, .outcome = outcome, .others = around.items, .n_others = around.n};
    if (!after) {
        wpa_test_fail(outcome, context->arena, "the patched file is no workflow any more");
        return true;
    }
    published old_names = published_by(before, context->arena);
    published new_names = published_by(after, context->arena);
    bool is_named = wpa_test_is_declared(context, DECLARES_NAMES);
    bool is_cached = wpa_test_is_declared(context, DECLARES_CACHE);
    compare_names(&with, old_names.workflow, new_names.workflow, "workflow name",
                  offsetof(published, awaited), is_named);
    compare_names(&with, old_names.uploads, new_names.uploads, "artifact",
                  offsetof(published, downloads), is_named);
    compare_names(&with, old_names.cache_keys, new_names.cache_keys, "cache key",
                  offsetof(published, cache_keys), is_cached);
    compare_names(&with, old_names.outputs, new_names.outputs, "output", -1, is_named);
    compare_patterns(&with, new_names.patterns, old_names.uploads, new_names.uploads);
    for (size_t i = 0; i < with.n_others; i++) {
        compare_patterns(&with, with.others[i].patterns, old_names.uploads, new_names.uploads);
    }
    /* What this file itself downloads must still be uploaded by it, if it was. */
    for (size_t i = 0; i < wpa_map_count(new_names.downloads); i++) {
        const char *name = wpa_map_at(new_names.downloads, i, NULL);
        if (wpa_map_has(old_names.uploads, name) && !wpa_map_has(new_names.uploads, name)) {
            wpa_test_fail(outcome, context->arena, "artifact '%s' is downloaded and no longer made",
                          name);
        }
    }
    wpa_test_evidence(outcome, context->arena, "compared",
                      wpa_arena_printf(context->arena, "with %zu other workflows", with.n_others));
    return true;
}

const wpa_test_check wpa_test_t202 = {.id = "T202",
                                      .phase = WPA_TEST_INTEGRATION,
                                      .version = 2,
                                      .scope = WPA_TEST_OF_FILE,
                                      .title = "names of checks are produced as before",
                                      .applies = wpa_test_had_workflow,
                                      .run = check_check_names};
const wpa_test_check wpa_test_t203 = {.id = "T203",
                                      .phase = WPA_TEST_INTEGRATION,
                                      .version = 2,
                                      .scope = WPA_TEST_OF_FILE,
                                      .title = "names that others use are still there",
                                      .applies = wpa_test_had_workflow,
                                      .run = check_published};
