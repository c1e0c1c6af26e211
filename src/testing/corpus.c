/*
 * T105: the trigger corpus. Events are made up from the triggers of both versions; for each, the
 * jobs that run are the same before and after, whatever nobody can tell of their conditions.
 */
#include <string.h>

#include <wpa/map.h>
#include <wpa/text.h>

#include "analysis/analysis.h"
#include "rules/finding.h"
#include "testing/checks.h"
#include "testing/runs.h"

#define JOBS_MAX 500
#define WORK_MAX 30000000  /* nodes and letters of conditions */
#define DIFFERENCES_MAX 20 /* that are shown */

/** Of a file that was no whole document nobody can say what it started. */
static bool has_both_versions(const wpa_test_context *context)
{
    return context->file->is_definition && wpa_test_workflow_of(context, &context->file->before) &&
           !wpa_test_image_model(context->file, &context->file->before, context->arena)
                ->doc->is_partial &&
           wpa_test_workflow_of(context, &context->file->after);
}

/* ---- nothing that counts has changed ---- */

static bool is_same_node(const wpa_yaml_node *a, const wpa_test_image *of_a, const wpa_yaml_node *b,
                         const wpa_test_image *of_b)
{
    if (!a || !b) {
        return a == b;
    }
    size_t length = wpa_span_length(a->span);
    return length == wpa_span_length(b->span) &&
           memcmp(of_a->bytes + a->span.start, of_b->bytes + b->span.start, length) == 0;
}

/** The same bytes under "on", and for each job under "if" and "needs", in the same order. */
static bool is_untouched(const wpa_test_file *file, const wpa_workflow *before,
                         const wpa_workflow *after)
{
    const wpa_test_image *was = &file->before, *is = &file->after;
    bool is_same =
        before->n_jobs == after->n_jobs && is_same_node(before->on_node, was, after->on_node, is);
    for (size_t i = 0; is_same && i < before->n_jobs; i++) {
        const wpa_workflow_job *a = &before->jobs[i], *b = &after->jobs[i];
        is_same = wpa_text_is(a->id, b->id) &&
                  is_same_node(a->condition.node, was, b->condition.node, is) &&
                  is_same_node(a->needs.node, was, b->needs.node, is);
    }
    return is_same;
}

/* ---- comparing ---- */

typedef struct comparison {
    const wpa_test_context *context;
    wpa_test_outcome *outcome;
    const wpa_workflow *before, *after;
    wpa_runs *runs_before, *runs_after;
    bool *run_before, *run_after; /* [n_jobs] */
    const wpa_workflow_job **now; /* [n_jobs] of before: the same job after, or NULL */
    bool *is_new;                 /* [n_jobs] of after */
    size_t n_differences;
    bool was_invalid;               /* before, by the rules of what the forge accepts */
    wpa_map *told;                  /* jobs whose difference was told */
    wpa_map *new_names, *old_names; /* of workflows that the patch renames */
} comparison;

static void tell(comparison *with, const wpa_occasion *occasion, const char *what)
{
    if (with->n_differences++ < DIFFERENCES_MAX) {
        wpa_test_evidence(with->outcome, with->context->arena,
                          wpa_occasion_text(occasion, with->context->arena), what);
    }
}

/** May the versions differ there: it is declared, or before the forge took the file for wrong? */
static bool is_free(comparison *with, const wpa_occasion *occasion, unsigned declares)
{
    /* Inputs are part of a trigger, and what asks for them changes with them. */
    bool has_inputs = wpa_text_is(occasion->event, "workflow_dispatch") ||
                      wpa_text_is(occasion->event, "workflow_call");
    if (wpa_test_is_declared(with->context, declares | (has_inputs ? WPA_DECLARES_TRIGGERS : 0U))) {
        return true;
    }
    if (with->was_invalid) {
        wpa_test_warn(with->outcome, with->context->arena,
                      "it starts other jobs than it says before, where the forge refuses it");
    }
    return with->was_invalid;
}

static void compare_start(comparison *with, const wpa_occasion *occasion, wpa_occasion_answer was,
                          wpa_occasion_answer is)
{
    wpa_arena *arena = with->context->arena;
    bool is_known = was != WPA_OCCASION_UNKNOWN && is != WPA_OCCASION_UNKNOWN;
    tell(with, occasion,
         !is_known                ? "whether it starts the workflow cannot be told"
         : is == WPA_OCCASION_YES ? "starts the workflow, and did not"
                                  : "starts the workflow no more");
    if (is_free(with, occasion, WPA_DECLARES_TRIGGERS)) {
        return;
    }
    if (is_known) {
        wpa_test_fail(with->outcome, arena, "%s: the workflow would %s start",
                      wpa_occasion_text(occasion, arena),
                      is == WPA_OCCASION_YES ? "newly" : "no longer");
    } else {
        wpa_test_skip_with(with->outcome, WPA_TEST_SKIP_OTHER, arena,
                           "%s: the filters are too long or cannot be read",
                           wpa_occasion_text(occasion, arena));
    }
}

/** Has one version asked for something that the other has not? */
static bool asks_more(const wpa_runs *of, const wpa_runs *than)
{
    const wpa_map *asked = wpa_runs_unknown(of), *other = wpa_runs_unknown(than);
    for (size_t i = 0; i < wpa_map_count(asked); i++) {
        if (!wpa_map_has(other, wpa_map_at(asked, i, NULL))) {
            return true;
        }
    }
    return false;
}

static void compare_job(comparison *with, const wpa_occasion *occasion, const char *id, bool was,
                        bool is)
{
    wpa_arena *arena = with->context->arena;
    if (was == is || wpa_map_has(with->told, id)) {
        return;
    }
    wpa_map_put(with->told, id, with->told);
    tell(with, occasion,
         wpa_arena_printf(arena, is ? "job '%s' may run, and did not" : "job '%s' may run no more",
                          id));
    if (is_free(with, occasion, WPA_DECLARES_JOBS)) {
        return;
    }
    /* Each version asks for something of its own: they may well be two words for one thing. */
    bool is_open = asks_more(with->runs_before, with->runs_after) &&
                   asks_more(with->runs_after, with->runs_before);
    if (is_open) {
        wpa_test_skip_with(with->outcome, WPA_TEST_SKIP_OTHER, arena,
                           "whether job '%s' runs as before cannot be decided", id);
    } else {
        wpa_test_fail(with->outcome, arena, "job '%s' would %s on %s", id,
                      is ? "newly run" : "not run any more", wpa_occasion_text(occasion, arena));
    }
}

static bool play(comparison *with, const wpa_occasion *occasion, const wpa_occasion *seen,
                 size_t world)
{
    if (!wpa_runs_play(with->runs_before, occasion, world, with->run_before) ||
        !wpa_runs_play(with->runs_after, seen, world, with->run_after)) {
        return false;
    }
    for (size_t i = 0; i < with->before->n_jobs; i++) {
        const wpa_workflow_job *now = with->now[i];
        compare_job(with, occasion, with->before->jobs[i].id, with->run_before[i],
                    now && with->run_after[now->index]);
    }
    for (size_t i = 0; i < with->after->n_jobs; i++) {
        if (with->is_new[i]) {
            compare_job(with, occasion, with->after->jobs[i].id, false, with->run_after[i]);
        }
    }
    return true;
}

/** What the patch calls other workflows than before; each way from one name to the other. */
static void read_renames(comparison *with)
{
    wpa_test_context at = *with->context;
    with->new_names = wpa_map_new(at.arena);
    with->old_names = wpa_map_new(at.arena);
    for (size_t i = 0; i < at.patch->n_files; i++) {
        at.file = &at.patch->files[i];
        if (at.file->target != at.target || !has_both_versions(&at)) {
            continue;
        }
        const wpa_workflow *was = wpa_test_workflow_of(&at, &at.file->before);
        const wpa_workflow *is = wpa_test_workflow_of(&at, &at.file->after);
        if (was && is && was->name.text && is->name.text &&
            !wpa_text_is(was->name.text, is->name.text)) {
            wpa_map_put(with->new_names, was->name.text, wpa_arena_text(at.arena, is->name.text));
            wpa_map_put(with->old_names, is->name.text, with->old_names);
        }
    }
}

/** The same event as the version after sees it: runs of a workflow that the patch renames. */
static wpa_occasion seen_after(const comparison *with, const wpa_occasion *occasion)
{
    wpa_occasion seen = *occasion;
    const char *renamed =
        occasion->workflow ? wpa_map_get(with->new_names, occasion->workflow) : NULL;
    seen.workflow = renamed ? renamed : occasion->workflow;
    return seen;
}

static bool compare_occasion(comparison *with, const wpa_occasion *occasion)
{
    const wpa_occasion seen = seen_after(with, occasion);
    wpa_occasion_answer was = wpa_occasion_starts(occasion, with->before);
    wpa_occasion_answer is = wpa_occasion_starts(&seen, with->after);
    if (was != is) {
        compare_start(with, occasion, was, is);
        return true;
    }
    for (size_t world = 0; was != WPA_OCCASION_NO && world < WPA_RUNS_WORLDS; world++) {
        if (!play(with, occasion, &seen, world)) {
            return false;
        }
    }
    return true;
}

/** Returns false if there was too much to play. */
static bool compare_occasions(comparison *with, const wpa_occasions *all)
{
    for (size_t i = 0; i < all->n; i++) {
        const char *name = all->items[i].workflow;
        /* Under a new name of another workflow nothing ran before: its old name stands for it. */
        bool is_new =
            name && wpa_map_has(with->old_names, name) && !wpa_map_has(with->new_names, name);
        if (!is_new && !compare_occasion(with, &all->items[i])) {
            return false;
        }
    }
    return true;
}

static void join_jobs(comparison *with)
{
    wpa_arena *arena = with->context->arena;
    const wpa_workflow *before = with->before, *after = with->after;
    with->now = wpa_arena_array(arena, before->n_jobs + 1, sizeof(const wpa_workflow_job *));
    with->is_new = wpa_arena_array(arena, after->n_jobs + 1, sizeof *with->is_new);
    for (size_t i = 0; i < before->n_jobs; i++) {
        with->now[i] = wpa_workflow_job_find(after, before->jobs[i].id);
    }
    for (size_t i = 0; i < after->n_jobs; i++) {
        with->is_new[i] = wpa_workflow_job_find(before, after->jobs[i].id) == NULL;
    }
}

static void play_all(const wpa_test_context *context, const wpa_workflow *before,
                     const wpa_workflow *after, wpa_test_outcome *outcome)
{
    wpa_arena *arena = context->arena;
    const wpa_surroundings *around = context->target->around;
    size_t work = WORK_MAX;
    comparison with = {.context = context,
                       .outcome = outcome,
                       .before = before,
                       .after = after,
                       .runs_before = wpa_runs_new(before, &work, arena),
                       .runs_after = wpa_runs_new(after, &work, arena),
                       .run_before = wpa_arena_array(arena, before->n_jobs + 1, sizeof(bool)),
                       .run_after = wpa_arena_array(arena, after->n_jobs + 1, sizeof(bool)),
                       .told = wpa_map_new(arena)};
    with.was_invalid = wpa_test_was_invalid(context);
    read_renames(&with);
    join_jobs(&with);
    wpa_occasions all =
        wpa_occasions_of(before, after, around ? around->default_branch : NULL, arena);
    if (!compare_occasions(&with, &all)) {
        wpa_test_skip_with(outcome, WPA_TEST_SKIP_OTHER, arena,
                           "the conditions are too much to be played through");
    }
    wpa_test_evidence(outcome, arena, "compared",
                      wpa_arena_printf(arena, "%zu events%s, %zu parts of conditions open", all.n,
                                       all.is_cut ? " (and there would be more)" : "",
                                       wpa_map_count(wpa_runs_unknown(with.runs_after))));
}

static bool check_corpus(const wpa_test_context *context, wpa_test_outcome *outcome, wpa_error *err)
{
    const wpa_workflow *before = wpa_test_workflow_of(context, &context->file->before);
    const wpa_workflow *after = wpa_test_workflow_of(context, &context->file->after);
    (void)err;
    if (!before || !after) {
        return true; /* then it has no subject here */
    }
    if (is_untouched(context->file, before, after)) {
        wpa_test_evidence(outcome, context->arena, "compared",
                          "triggers, needs and conditions of jobs: word for word the same");
    } else if (before->n_jobs > JOBS_MAX || after->n_jobs > JOBS_MAX) {
        wpa_test_skip_with(outcome, WPA_TEST_SKIP_OTHER, context->arena, "more than %d jobs",
                           JOBS_MAX);
    } else {
        play_all(context, before, after, outcome);
    }
    return true;
}

const wpa_test_check wpa_test_t105 = {.id = "T105",
                                      .phase = WPA_TEST_ISOLATED,
                                      .version = 1,
                                      .scope = WPA_TEST_OF_FILE,
                                      .is_waivable = true,
                                      .title = "the same events start the same jobs",
                                      .applies = has_both_versions,
                                      .run = check_corpus};
