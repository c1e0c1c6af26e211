/* S1 to S3: no data is lost, nobody who relies on it is broken, the way back is open. */
#include <inttypes.h>
#include <string.h>

#include <wpa/text.h>

#include "analysis/analysis.h"
#include "rules/outline.h"
#include "testing/checks.h"
#include "testing/commands.h"
#include "testing/danger.h"

#define REVERT_SECONDS_A_TARGET 2 /* one compare-and-swap and its read-back; rate limits aside */

typedef bool (*file_look)(const wpa_test_context *context, wpa_test_outcome *outcome,
                          wpa_error *err);

/** For each file of the patch that is or was a workflow or action. */
static bool each_definition(const wpa_test_context *context, file_look look,
                            wpa_test_outcome *outcome, wpa_error *err)
{
    wpa_test_context at = *context;
    for (size_t i = 0; i < context->patch->n_files; i++) {
        at.file = &context->patch->files[i];
        at.target = at.file->target;
        if (at.file->is_definition && !look(&at, outcome, err)) {
            return false;
        }
    }
    return true;
}

static const wpa_outline *outline_of(const wpa_test_context *context, wpa_test_image *image)
{
    return wpa_test_image_analysis(context, context->file, image)->result.source->outline;
}

/* ---- S1: commands ---- */

static void judge_new_command(const wpa_test_context *context, const wpa_test_command *command,
                              wpa_test_outcome *outcome)
{
    wpa_danger_finding danger =
        wpa_danger_of(command->step->script, command->command, context->arena);
    if (danger.level == WPA_DANGER_NONE) {
        return;
    }
    wpa_span span = wpa_outline_script_span(command->step, command->command->span);
    wpa_test_evidence_at(outcome, context->arena, context->file, &context->file->after, span.start,
                         danger.what, command->text);
    if (danger.level == WPA_DANGER_CERTAIN) {
        wpa_test_fail(outcome, context->arena, "a new command %s: %s", danger.what, command->text);
    } else {
        wpa_test_warn(outcome, context->arena, "a new command %s: %s", danger.what, command->text);
    }
}

/** In all workflows and actions of the patch in this repository: what moves is not removed. */
static size_t count_keeping(const wpa_test_context *context, const char *what, bool is_after)
{
    wpa_test_context at = *context;
    size_t n = 0;
    for (size_t i = 0; i < context->patch->n_files; i++) {
        at.file = &context->patch->files[i];
        if (at.file->target != context->target) {
            continue;
        }
        wpa_test_commands list =
            wpa_test_commands_of(&at, is_after ? &at.file->after : &at.file->before);
        for (size_t k = 0; k < list.n; k++) {
            n += wpa_text_is(wpa_danger_keeps(list.items[k].command), what);
        }
    }
    return n;
}

static void compare_keeping(const wpa_test_context *context, const wpa_test_commands *before,
                            const wpa_test_commands *after, wpa_test_outcome *outcome)
{
    for (size_t i = 0; i < before->n; i++) {
        const char *what = wpa_danger_keeps(before->items[i].command);
        bool is_fewer = what && wpa_test_commands_count(after, before->items[i].text) <
                                    wpa_test_commands_count(before, before->items[i].text);
        if (is_fewer && count_keeping(context, what, true) < count_keeping(context, what, false)) {
            wpa_test_evidence(outcome, context->arena, "removed", before->items[i].text);
            wpa_test_fail(outcome, context->arena, "%s is removed: %s", what,
                          before->items[i].text);
        }
    }
}

static bool compare_commands(const wpa_test_context *context, wpa_test_outcome *outcome,
                             wpa_error *err)
{
    wpa_test_commands before = wpa_test_commands_of(context, &context->file->before);
    wpa_test_commands after = wpa_test_commands_of(context, &context->file->after);
    (void)err;
    for (size_t i = 0; i < after.n; i++) {
        if (wpa_test_commands_count(&after, after.items[i].text) >
            wpa_test_commands_count(&before, after.items[i].text)) {
            judge_new_command(context, &after.items[i], outcome);
        }
    }
    compare_keeping(context, &before, &after, outcome);
    if (after.has_unreadable && !before.has_unreadable) {
        wpa_test_warn(outcome, context->arena, "a script of %s can no longer be followed",
                      context->file->subject);
    }
    return true;
}

/* ---- S1: steps that keep something ---- */

static const char *const keeping_actions[] = {
    "actions/upload-artifact",
    "actions/cache",
    "actions/cache/save",
    "actions/upload-pages-artifact",
    "actions/deploy-pages",
    "softprops/action-gh-release",
    "pypa/gh-action-pypi-publish",
    "docker/build-push-action",
    "peaceiris/actions-gh-pages",
    "ncipollo/release-action",
    "actions/attest-build-provenance",
    "actions/create-release",
};

typedef struct step_count {
    size_t all, unconditional;
    int64_t retention_days; /* least named; 0: none named */
} step_count;

/** Whatever comes before it, it runs at least as often as without a condition. */
static bool is_unconditional(const wpa_yaml_node *condition)
{
    static const char *const always[] = {"always()", "!cancelled()", "success()",
                                         "success() || failure()"};
    for (size_t i = 0; condition && i < WPA_COUNT(always); i++) {
        if (wpa_test_says(condition, always[i])) {
            return true;
        }
    }
    return !condition;
}

static void count_steps(const wpa_outline *outline, const char *slug, step_count *count)
{
    for (size_t i = 0; i < outline->n_jobs; i++) {
        const wpa_outline_job *job = &outline->jobs[i];
        for (size_t k = 0; k < job->n_steps; k++) {
            const wpa_outline_step *step = &job->steps[k];
            if (!wpa_slice_is_ci(step->uses.slug, slug)) {
                continue;
            }
            int64_t days = 0;
            const char *text = wpa_outline_with_text(step, "retention-days");
            if (text && wpa_text_to_int(text, 1, 400, &days) &&
                (count->retention_days == 0 || days < count->retention_days)) {
                count->retention_days = days;
            }
            count->all++;
            count->unconditional +=
                is_unconditional(step->condition) && is_unconditional(job->condition);
        }
    }
}

/** In all workflows and actions of the patch in this repository: what moves is not removed. */
static step_count count_all_steps(const wpa_test_context *context, const char *slug, bool is_after)
{
    wpa_test_context at = *context;
    step_count count = {0};
    for (size_t i = 0; i < context->patch->n_files; i++) {
        at.file = &context->patch->files[i];
        wpa_test_image *image = is_after ? &at.file->after : &at.file->before;
        if (at.file->target == context->target && at.file->is_definition && image->bytes) {
            count_steps(outline_of(&at, image), slug, &count);
        }
    }
    return count;
}

static bool compare_steps(const wpa_test_context *context, wpa_test_outcome *outcome,
                          wpa_error *err)
{
    (void)err;
    for (size_t i = 0; i < WPA_COUNT(keeping_actions); i++) {
        const char *slug = keeping_actions[i];
        step_count old = count_all_steps(context, slug, false);
        step_count now = count_all_steps(context, slug, true);
        if (now.all < old.all) {
            wpa_test_fail(outcome, context->arena, "a step with %s is removed", slug);
        } else if (now.unconditional < old.unconditional) {
            wpa_test_fail(outcome, context->arena, "a step with %s is made conditional", slug);
        }
        if (old.retention_days && now.retention_days && now.retention_days < old.retention_days) {
            wpa_test_fail(outcome, context->arena,
                          "artifacts would be kept %" PRId64 " days instead of %" PRId64,
                          now.retention_days, old.retention_days);
        } else if (!old.retention_days && now.retention_days && old.all) {
            wpa_test_warn(outcome, context->arena,
                          "artifacts would be kept %" PRId64
                          " days instead of what the repository says",
                          now.retention_days);
        }
    }
    return true;
}

/* ---- S1: git ---- */

/** The rehearsal's commit has the base as its parent; T003 has compared the trees. */
static bool check_fast_forward(const wpa_test_context *context, wpa_test_outcome *outcome,
                               wpa_error *err)
{
    wpa_git_commit commit;
    if (!wpa_test_rehearse(context, err) ||
        !wpa_git_commit_read(context->target->git, context->target->after, context->arena, &commit,
                             err)) {
        return false;
    }
    wpa_test_evidence(outcome, context->arena, "fast-forward",
                      wpa_arena_printf(context->arena, "%s: child of %.12s",
                                       context->target->repository, commit.parent));
    if (strcmp(commit.parent, context->target->base_commit) != 0) {
        wpa_test_fail(outcome, context->arena, "the change of %s is no fast-forward",
                      context->target->repository);
    }
    return true;
}

static bool each_target(const wpa_test_context *context, file_look look, wpa_test_outcome *outcome,
                        wpa_error *err)
{
    wpa_test_context at = *context;
    at.file = NULL;
    for (size_t i = 0; i < context->patch->n_targets; i++) {
        at.target = &context->patch->targets[i];
        if (!look(&at, outcome, err)) {
            return false;
        }
    }
    return true;
}

static bool check_data_loss(const wpa_test_context *context, wpa_test_outcome *outcome,
                            wpa_error *err)
{
    return each_definition(context, compare_commands, outcome, err) &&
           each_target(context, compare_steps, outcome, err) &&
           each_target(context, check_fast_forward, outcome, err);
}

/* ---- S2 ---- */

static const wpa_test_check *const compatibility_parts[] = {
    &wpa_test_t104, &wpa_test_t105, &wpa_test_t201, &wpa_test_t202, &wpa_test_t203, &wpa_test_t204};

static bool run_parts(const wpa_test_context *context, wpa_test_outcome *outcome, wpa_error *err)
{
    if (!context->file->after.bytes) { /* T202 and T203 speak of it themselves */
        return true;
    }
    for (size_t i = 0; i < WPA_COUNT(compatibility_parts); i++) {
        const wpa_test_check *part = compatibility_parts[i];
        if (!part->applies || part->applies(context)) {
            if (!part->run(context, outcome, err)) {
                return wpa_error_within(err, "%s", part->id);
            }
            wpa_test_evidence(outcome, context->arena, part->id, context->file->subject);
        }
    }
    return true;
}

static bool check_compatible(const wpa_test_context *context, wpa_test_outcome *outcome,
                             wpa_error *err)
{
    wpa_test_evidence(
        outcome, context->arena, "proven by",
        "T104 matrix, T105 trigger corpus, T201 contracts, T202 names of checks, T203 names that "
        "others use, T204 environments");
    wpa_test_evidence(outcome, context->arena, "not examined",
                      "callers outside the fleet, which nobody knows");
    return each_definition(context, run_parts, outcome, err);
}

/* ---- S3 ---- */

static bool rehearse_target(const wpa_test_context *context, wpa_test_outcome *outcome,
                            wpa_error *err)
{
    const wpa_test_target *target = context->target;
    wpa_git_commit base, reverted;
    wpa_error refusal = {0};
    if (!wpa_test_rehearse(context, err) ||
        !wpa_git_commit_read(target->git, target->base_commit, context->arena, &base, err) ||
        !wpa_git_commit_read(target->git, target->reverted, context->arena, &reverted, err)) {
        return false;
    }
    wpa_test_evidence(outcome, context->arena, "tree before", base.tree);
    wpa_test_evidence(outcome, context->arena, "tree after apply and revert", reverted.tree);
    if (strcmp(base.tree, reverted.tree) != 0) {
        wpa_test_fail(outcome, context->arena, "applying and reverting does not give %s back",
                      target->repository);
    }
    if (!wpa_git_can_push(target->git, target->ref, &refusal)) {
        if (refusal.code != WPA_E_REFUSED && refusal.code != WPA_E_DENIED) {
            *err = refusal;
            return false;
        }
        wpa_test_fail(outcome, context->arena, "no right to write to %s: %s", target->repository,
                      refusal.message);
    }
    return true;
}

static bool check_rollback(const wpa_test_context *context, wpa_test_outcome *outcome,
                           wpa_error *err)
{
    wpa_test_context at = *context;
    for (size_t i = 0; i < context->patch->n_files; i++) {
        at.file = &context->patch->files[i];
        at.target = at.file->target;
        if (wpa_test_t007.applies(&at) && !wpa_test_t007.run(&at, outcome, err)) {
            return false;
        }
    }
    wpa_test_evidence(outcome, context->arena, "estimated duration of a rollback",
                      wpa_arena_printf(context->arena, "%zu s for %zu target%s",
                                       REVERT_SECONDS_A_TARGET * context->patch->n_targets,
                                       context->patch->n_targets,
                                       context->patch->n_targets == 1 ? "" : "s"));
    return each_target(context, rehearse_target, outcome, err);
}

const wpa_test_check wpa_test_s1 = {.id = "S1",
                                    .phase = WPA_TEST_SAFETY,
                                    .version = 2,
                                    .scope = WPA_TEST_OF_PATCH,
                                    .title = "no data loss",
                                    .run = check_data_loss};
const wpa_test_check wpa_test_s2 = {.id = "S2",
                                    .phase = WPA_TEST_SAFETY,
                                    .version = 4,
                                    .scope = WPA_TEST_OF_PATCH,
                                    .is_waivable = true,
                                    .title = "backward compatible",
                                    .run = check_compatible};
const wpa_test_check wpa_test_s3 = {.id = "S3",
                                    .phase = WPA_TEST_SAFETY,
                                    .version = 1,
                                    .scope = WPA_TEST_OF_PATCH,
                                    .title = "rollback available",
                                    .run = check_rollback};
