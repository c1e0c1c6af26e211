/* T107: scripts that the patch changes do the same as before, run with stand-ins. */
#include <string.h>

#include <wpa/text.h>

#include "analysis/analysis.h"
#include "testing/checks.h"
#include "testing/commands.h"
#include "testing/trials.h"

#define PAIRS_MAX 40
#define LOOKED_AT_MAX 400 /* steps that are made ready to see whether they differ */
#define JOBS_MAX 1000
#define STEPS_MAX 1000 /* of one job */
#define SHOWN_MAX_BYTES 200

typedef struct pairs {
    wpa_trial_pair *items; /* [n] that differ */
    size_t n, capacity, n_looked_at;
    bool is_cut;
} pairs;

/* ---- the same step in both versions ---- */

static const wpa_outline *outline_of(const wpa_test_context *context, wpa_test_image *image)
{
    return wpa_test_image_analysis(context, context->file, image)->result.source->outline;
}

static void add_pair(const wpa_test_context *context, const wpa_outline *before,
                     const wpa_outline *after, const wpa_outline_step *was,
                     const wpa_outline_step *is, pairs *list)
{
    wpa_arena *arena = context->arena;
    wpa_trial_pair pair = {.before = wpa_trial_of(before, was, arena),
                           .after = wpa_trial_of(after, is, arena)};
    wpa_trial_share(&pair.before, &pair.after, arena);
    if (wpa_trial_is_same(&pair.before, &pair.after)) {
        return;
    }
    list->is_cut = list->is_cut || list->n == PAIRS_MAX;
    if (!list->is_cut) {
        pair.trouble = pair.before.trouble ? pair.before.trouble : pair.after.trouble;
        list->items =
            wpa_arena_grow(arena, list->items, list->n, &list->capacity, sizeof *list->items);
        list->items[list->n++] = pair;
    }
}

/** Is it word for word the same in both files? */
static bool is_as_before(const wpa_yaml_node *was, const wpa_yaml_node *is)
{
    if (!was || !is) {
        return was == is;
    }
    size_t length = wpa_span_length(was->span);
    return length == wpa_span_length(is->span) &&
           memcmp(was->doc->source + was->span.start, is->doc->source + is->span.start, length) ==
               0;
}

/** Most steps of a file are left alone, with all that they are given. */
static bool is_untouched(const wpa_outline_step *was, const wpa_outline_step *is)
{
    return is_as_before(was->node, is->node) && was->shell == is->shell &&
           was->has_named_shell == is->has_named_shell &&
           is_as_before(wpa_yaml_get(was->job->node, "env"), wpa_yaml_get(is->job->node, "env"));
}

static pairs pairs_of(const wpa_test_context *context)
{
    pairs list = {.n = 0};
    const wpa_outline *before = outline_of(context, &context->file->before);
    const wpa_outline *after = outline_of(context, &context->file->after);
    bool is_same_env =
        before && after &&
        is_as_before(wpa_yaml_get(before->root, "env"), wpa_yaml_get(after->root, "env"));
    list.is_cut = before && after && (before->n_jobs > JOBS_MAX || after->n_jobs > JOBS_MAX);
    for (size_t i = 0; before && after && i < after->n_jobs && !list.is_cut; i++) {
        const wpa_outline_job *job = wpa_outline_job_find(before, after->jobs[i].id);
        list.is_cut = job && (job->n_steps > STEPS_MAX || after->jobs[i].n_steps > STEPS_MAX);
        for (size_t k = 0; job && k < after->jobs[i].n_steps && !list.is_cut; k++) {
            const wpa_outline_step *is = &after->jobs[i].steps[k];
            const wpa_outline_step *was = is->run ? wpa_test_step_like(job, is) : NULL;
            if (was && was->run && !(is_same_env && is_untouched(was, is))) {
                list.is_cut = list.n_looked_at++ == LOOKED_AT_MAX;
                add_pair(context, before, after, was, is, &list);
            }
        }
    }
    return list;
}

/* ---- judging ---- */

/** The first line in which two texts differ. */
static const char *line_at_difference(const char *text, const char *other, wpa_arena *arena)
{
    size_t same = 0, begin = 0;
    for (; text[same] && text[same] == other[same]; same++) {
        begin = text[same] == '\n' ? same + 1 : begin;
    }
    size_t length = strcspn(text + begin, "\n");
    return length ? wpa_text_ellipsis(arena, wpa_text_visible(arena, text + begin, length, false),
                                      SHOWN_MAX_BYTES)
                  : "nothing";
}

/** Do both scripts call the same programs with the same words, as far as they are written out? */
static bool has_same_commands(const wpa_trial_pair *pair, wpa_arena *arena)
{
    const wpa_script *one = pair->before.step->script, *other = pair->after.step->script;
    bool is_same = one->n_commands == other->n_commands;
    for (size_t i = 0; i < one->n_commands && is_same; i++) {
        is_same = wpa_text_is(wpa_test_command_text(&one->commands[i], arena),
                              wpa_test_command_text(&other->commands[i], arena));
    }
    return is_same;
}

static void judge_part(const wpa_test_context *context, const wpa_trial_pair *pair,
                       wpa_trial_part part, wpa_test_outcome *outcome)
{
    wpa_arena *arena = context->arena;
    const char *was = line_at_difference(pair->was[part], pair->is[part], arena);
    const char *is = line_at_difference(pair->is[part], pair->was[part], arena);
    const char *text =
        wpa_arena_printf(arena, "%s: %s, and was: %s", wpa_trial_part_name(part), is, was);
    wpa_test_evidence_at(outcome, arena, context->file, &context->file->after,
                         pair->after.step->run->span.start, "does something else", text);
    /* Other commands are for T106 to say, which knows whether they are declared. */
    if (part == WPA_TRIAL_CALLS && !has_same_commands(pair, arena)) {
        return;
    }
    if (wpa_test_is_declared(context, WPA_DECLARES_SCRIPT)) {
        wpa_test_warn(outcome, arena, "a script does something else than before: %s", text);
    } else {
        wpa_test_fail(outcome, arena,
                      "a script does something else than before, which is not declared: %s", text);
    }
}

static void judge_pair(const wpa_test_context *context, const wpa_trial_pair *pair,
                       wpa_test_outcome *outcome)
{
    size_t n_same = 0;
    for (wpa_trial_part part = 0; part < WPA_TRIAL_PARTS; part++) {
        if (wpa_text_is(pair->was[part], pair->is[part])) {
            n_same++;
        } else {
            judge_part(context, pair, part, outcome);
        }
    }
    if (n_same == WPA_TRIAL_PARTS) {
        wpa_test_evidence_at(outcome, context->arena, context->file, &context->file->after,
                             pair->after.step->run->span.start, "does the same",
                             pair->after.script);
    }
}

/* ---- the check ---- */

static bool has_changed_scripts(const wpa_test_context *context)
{
    if (!context->file->is_definition || !context->file->before.bytes ||
        !context->file->after.bytes) {
        return false;
    }
    const pairs list = pairs_of(context);
    return list.n > 0 || list.is_cut;
}

static void tell_trouble(const wpa_test_context *context, const pairs *list,
                         wpa_test_outcome *outcome)
{
    for (size_t i = 0; i < list->n; i++) {
        const wpa_trial_pair *pair = &list->items[i];
        if (pair->trouble) {
            wpa_test_evidence_at(outcome, context->arena, context->file, &context->file->after,
                                 pair->after.step->run->span.start, "not compared", pair->trouble);
            wpa_test_skip_with(outcome, WPA_TEST_SKIP_NO_TOOL, context->arena,
                               "a script that changes cannot be tried here: %s", pair->trouble);
        }
    }
    if (list->is_cut) {
        wpa_test_skip_with(outcome, WPA_TEST_SKIP_NO_TOOL, context->arena,
                           "there are more scripts than are tried");
    }
}

static bool check_behaviour(const wpa_test_context *context, wpa_test_outcome *outcome,
                            wpa_error *err)
{
    pairs list = pairs_of(context);
    size_t n_able = 0;
    wpa_trial_pair *able = wpa_arena_array(context->arena, list.n + 1, sizeof *able);
    for (size_t i = 0; i < list.n; i++) {
        if (!list.items[i].trouble) {
            able[n_able++] = list.items[i];
        }
    }
    tell_trouble(context, &list, outcome);
    if (n_able && context->no_sandbox) {
        wpa_test_skip_with(outcome, WPA_TEST_SKIP_NO_SANDBOX, context->arena, "no sandbox: %s",
                           context->no_sandbox);
        return true;
    }
    if (n_able && !wpa_trials_run(context, able, n_able, err)) {
        return false;
    }
    context->file->trials = able;
    context->file->n_trials = n_able;
    tell_trouble(context, &(pairs){.items = able, .n = n_able}, outcome);
    for (size_t i = 0; i < n_able; i++) {
        if (!able[i].trouble) {
            judge_pair(context, &able[i], outcome);
        }
    }
    return true;
}

const wpa_test_check wpa_test_t107 = {.id = "T107",
                                      .phase = WPA_TEST_ISOLATED,
                                      .version = 1,
                                      .scope = WPA_TEST_OF_FILE,
                                      .is_waivable = true,
                                      .title = "scripts do the same as before, with stand-ins",
                                      .applies = has_changed_scripts,
                                      .run = check_behaviour};
