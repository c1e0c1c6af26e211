#include "testing/run.h"

#include <string.h>

#include <wpa/clock.h>
#include <wpa/text.h>

typedef struct planner {
    const wpa_test_context *around;
    wpa_test_run *run;
    size_t capacity;
} planner;

static void plan_one(planner *at, const wpa_test_check *check, wpa_test_target *target,
                     wpa_test_file *file)
{
    wpa_test_context context = *at->around;
    context.target = target;
    context.file = file;
    if (check->applies && !check->applies(&context)) {
        return;
    }
    wpa_test_run *run = at->run;
    run->items =
        wpa_arena_grow(context.arena, run->items, run->n_items, &at->capacity, sizeof *run->items);
    run->items[run->n_items++] = (wpa_test_item){.check = check,
                                                 .target = target,
                                                 .file = file,
                                                 .subject = file     ? file->subject
                                                            : target ? target->repository
                                                                     : ""};
}

static void plan_check(planner *at, const wpa_test_check *check)
{
    wpa_test_patch *patch = at->around->patch;
    switch (check->scope) {
    case WPA_TEST_OF_PATCH:
        plan_one(at, check, NULL, NULL);
        return;
    case WPA_TEST_OF_TARGET:
        for (size_t i = 0; i < patch->n_targets; i++) {
            plan_one(at, check, &patch->targets[i], NULL);
        }
        return;
    case WPA_TEST_OF_FILE:
        for (size_t i = 0; i < patch->n_files; i++) {
            plan_one(at, check, patch->files[i].target, &patch->files[i]);
        }
        return;
    }
}

bool wpa_test_skip_is_allowed(const wpa_test_check *check, wpa_test_skip skip)
{
    return (check->is_waivable || check->may_be_unproven) && skip != WPA_TEST_SKIP_NONE &&
           skip != WPA_TEST_SKIP_OTHER;
}

/** What a check could not do: its own error, unless the whole run was told to stop. */
static bool note_error(wpa_test_item *item, wpa_arena *arena, wpa_error *why, wpa_error *err)
{
    char text[1100];
    if (why->code == WPA_E_CANCELLED || why->code == WPA_E_LEASE_LOST) {
        *err = *why;
        return false;
    }
    /* What it had found out before stands beside the error. */
    if (item->outcome.result != WPA_TEST_FAIL) {
        item->outcome.result = WPA_TEST_ERROR;
        item->outcome.reason = wpa_arena_text(arena, wpa_error_text(why, text, sizeof text));
    }
    return true;
}

static bool run_item(const wpa_test_context *around, wpa_test_item *item, wpa_error *err)
{
    wpa_test_context context = *around;
    wpa_error why = {0};
    int64_t started_ms = wpa_monotonic_ms();
    context.target = item->target;
    context.file = item->file;
    if (context.is_cancelled && context.is_cancelled(context.context)) {
        return WPA_FAIL(err, WPA_E_CANCELLED, "told to stop");
    }
    item->outcome = (wpa_test_outcome){.reason = "",
                                       .evidence = wpa_json_new_array(context.arena),
                                       .output = "",
                                       .n_cases = -1,
                                       .n_cases_failed = -1,
                                       .coverage = -1};
    if (!item->check->run(&context, &item->outcome, &why) &&
        !note_error(item, context.arena, &why, err)) {
        return false;
    }
    item->outcome.duration_ms = wpa_monotonic_ms() - started_ms;
    item->is_done = true;
    return true;
}

/** What one outcome means for the whole. */
static void weigh(wpa_test_run *run, const wpa_test_item *item, wpa_arena *arena)
{
    const wpa_test_outcome *outcome = &item->outcome;
    bool is_skipped = outcome->result == WPA_TEST_SKIPPED &&
                      !wpa_test_skip_is_allowed(item->check, outcome->skip);
    wpa_test_verdict verdict = outcome->result == WPA_TEST_FAIL ? WPA_TEST_FAILED
                               : outcome->result == WPA_TEST_ERROR || is_skipped
                                   ? WPA_TEST_UNDECIDED
                                   : WPA_TEST_PASSED;
    run->can_retry = run->can_retry || outcome->result == WPA_TEST_ERROR;
    bool outweighs = verdict == WPA_TEST_FAILED
                         ? run->verdict != WPA_TEST_FAILED
                         : verdict > run->verdict && run->verdict == WPA_TEST_PASSED;
    if (outweighs) {
        run->verdict = verdict;
        run->reason = wpa_arena_printf(arena, "%s%s%s: %s", item->check->id,
                                       *item->subject ? " " : "", item->subject, outcome->reason);
    }
}

static bool run_phase(const wpa_test_context *around, const wpa_test_recorder *recorder,
                      wpa_test_run *run, wpa_test_phase_kind phase, wpa_error *err)
{
    if (recorder->begin_phase && !recorder->begin_phase(recorder->context, run, phase, err)) {
        return false;
    }
    for (size_t i = 0; i < run->n_items; i++) {
        wpa_test_item *item = &run->items[i];
        if (item->check->phase != phase) {
            continue;
        }
        if (recorder->begin_check && !recorder->begin_check(recorder->context, run, item, err)) {
            return false;
        }
        if (!run_item(around, item, err)) {
            return false;
        }
        run->n_done++;
        weigh(run, item, around->arena);
        if (recorder->end_check && !recorder->end_check(recorder->context, run, item, err)) {
            return false;
        }
    }
    return true;
}

bool wpa_test_run_all(const wpa_test_context *around, const wpa_test_options *options,
                      const wpa_test_recorder *recorder, wpa_test_run *run, wpa_error *err)
{
    size_t n = 0;
    *run = (wpa_test_run){.reason = ""};
    planner plan = {.around = around, .run = run};
    const wpa_test_check *const *checks = wpa_test_checks(&n);
    for (size_t i = 0; i < n; i++) {
        plan_check(&plan, checks[i]);
    }
    for (int phase = 0; phase < WPA_TEST_PHASES; phase++) {
        if (run->verdict == WPA_TEST_FAILED && !options->runs_all) {
            return true;
        }
        if (!run_phase(around, recorder, run, (wpa_test_phase_kind)phase, err)) {
            return false;
        }
    }
    return true;
}
