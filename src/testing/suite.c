/* T112: the repository's own test command, before and after, in the sandbox. */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <wpa/file.h>
#include <wpa/text.h>

#include "core/scratch.h"
#include "runner/runner.h"
#include "testing/checks.h"

#define EXPORT_MAX_FILES 100000
#define EXPORT_MAX_BYTES ((size_t)512 << 20)
#define OUTPUT_TAIL_BYTES 4000

static bool export_base(const wpa_test_context *context, wpa_scratch *folder, wpa_error *err)
{
    const wpa_test_target *target = context->target;
    const wpa_git_export_limits limits = {.max_files = EXPORT_MAX_FILES,
                                          .max_bytes = EXPORT_MAX_BYTES};
    size_t n_left_out = 0;
    if (!target->git) {
        return WPA_FAIL(err, WPA_E_UNAVAILABLE, "cannot reach '%s'", target->repository);
    }
    const char *parent = context->scratch ? context->scratch : "/tmp";
    if (!wpa_scratch_open(folder, parent, "wpa-test", context->arena, err)) {
        return false;
    }
    const char *tree = wpa_path_join(context->arena, folder->path, "tree");
    return wpa_git_export(target->git, target->base_commit, tree, limits, &n_left_out, err);
}

/** No folder on the way may be a symlink of the repository's: it could lead out of the tree. */
static bool check_no_link(const char *tree, const char *path, wpa_arena *arena, wpa_error *err)
{
    for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
        const char *part = wpa_arena_slice(arena, path, (size_t)(slash - path));
        struct stat info;
        if (lstat(wpa_path_join(arena, tree, part), &info) == 0 && S_ISLNK(info.st_mode)) {
            return WPA_FAIL(err, WPA_E_REFUSED, "'%s' lies behind the symlink '%s'", path, part);
        }
    }
    return true;
}

/** Put the patch's versions over the exported tree. */
static bool apply_files(const wpa_test_context *context, const char *tree, wpa_error *err)
{
    for (size_t i = 0; i < context->patch->n_files; i++) {
        const wpa_test_file *file = &context->patch->files[i];
        if (file->target != context->target) {
            continue;
        }
        if (!wpa_path_check_relative(file->path, err) ||
            !check_no_link(tree, file->path, context->arena, err)) {
            return false;
        }
        const char *path = wpa_path_join(context->arena, tree, file->path);
        char *folder = wpa_arena_text(context->arena, path);
        *strrchr(folder, '/') = '\0';
        bool is_done =
            file->after.bytes
                ? wpa_dir_make(folder, 0755, err) &&
                      wpa_file_replace(path, file->after.bytes, file->after.size_bytes,
                                       file->mode & 0777, err)
                : unlink(path) == 0 || WPA_FAIL(err, WPA_E_IO, "cannot remove '%s'", file->path);
        if (!is_done) {
            return false;
        }
    }
    return true;
}

static const wpa_runner_result *run_suite(const wpa_test_context *context, const char *tree,
                                          wpa_error *err)
{
    const wpa_runner_spec spec = {
        .argv = context->target->test.argv,
        .environment = context->target->test.environment,
        .reports = context->target->test.reports,
        .has_network = context->target->test.has_network,
        .timeout_ms = context->target->test.timeout_ms,
        .is_cancelled = context->is_cancelled,
        .cancel_context = context->context,
    };
    const wpa_runner_result *result = wpa_runner_run(&spec, tree, context->arena, err);
    if (result && result->run->end == WPA_SANDBOX_CANCELLED) {
        WPA_FAIL(err, WPA_E_CANCELLED, "told to stop");
        return NULL;
    }
    return result;
}

static const char *summary(const wpa_runner_result *result, wpa_arena *arena)
{
    const wpa_case_report *report = result->report;
    double coverage = wpa_case_report_coverage(report);
    const char *end = result->run->end == WPA_SANDBOX_EXITED
                          ? wpa_arena_printf(arena, "exit %d", result->run->exit_code)
                          : wpa_sandbox_end_name(result->run->end);
    const char *cases =
        report->n_cases ? wpa_arena_printf(arena, ", %zu passed, %zu failed, %zu skipped",
                                           report->n_passed, report->n_failed, report->n_skipped)
                        : ", no cases reported";
    const char *covered =
        coverage >= 0 ? wpa_arena_printf(arena, ", coverage %.1f %%", coverage) : "";
    return wpa_arena_printf(arena, "%s%s%s in %.1f s", end, cases, covered,
                            (double)result->run->duration_ms / 1000);
}

static const char *tail(const wpa_sandbox_text *text, wpa_arena *arena)
{
    size_t skip = text->size_bytes > OUTPUT_TAIL_BYTES ? text->size_bytes - OUTPUT_TAIL_BYTES : 0;
    return wpa_text_visible(arena, text->text + skip, text->size_bytes - skip, true);
}

static void compare_cases(const wpa_test_context *context, const wpa_runner_result *before,
                          const wpa_runner_result *after, wpa_test_outcome *outcome)
{
    wpa_case_report_change change =
        wpa_case_report_compare(before->report, after->report, context->arena);
    for (size_t i = 0; i < change.n_broken; i++) {
        wpa_test_evidence(outcome, context->arena, "broken",
                          wpa_arena_printf(context->arena, "%s: %s", change.broken[i]->name,
                                           change.broken[i]->message));
    }
    for (size_t i = 0; i < change.n_missing; i++) {
        wpa_test_evidence(outcome, context->arena, "missing", change.missing[i]->name);
    }
    for (size_t i = 0; i < change.n_skipped; i++) {
        wpa_test_evidence(outcome, context->arena, "skipped", change.skipped[i]->name);
    }
    if (change.n_broken) {
        wpa_test_fail(outcome, context->arena, "%zu case%s passed before and fail%s now",
                      change.n_broken, change.n_broken == 1 ? "" : "s",
                      change.n_broken == 1 ? "s" : "");
    }
    if (change.n_missing) {
        wpa_test_warn(outcome, context->arena, "%zu cases that passed are not reported any more",
                      change.n_missing);
    }
    if (change.n_skipped) { /* nothing is red, and less is proven: no false green */
        wpa_test_warn(outcome, context->arena, "%zu case%s that passed before %s skipped now",
                      change.n_skipped, change.n_skipped == 1 ? "" : "s",
                      change.n_skipped == 1 ? "is" : "are");
    }
}

static void judge(const wpa_test_context *context, const wpa_runner_result *before,
                  const wpa_runner_result *after, wpa_test_outcome *outcome)
{
    wpa_test_evidence(outcome, context->arena, "command", context->target->test.words);
    wpa_test_evidence(outcome, context->arena, "before", summary(before, context->arena));
    wpa_test_evidence(outcome, context->arena, "after", summary(after, context->arena));
    outcome->n_cases = after->report->n_cases ? (int64_t)after->report->n_cases : -1;
    outcome->n_cases_failed = after->report->n_cases ? (int64_t)after->report->n_failed : -1;
    outcome->coverage = wpa_case_report_coverage(after->report);
    const wpa_sandbox_text *text = after->run->err.size_bytes ? &after->run->err : &after->run->out;
    outcome->output = tail(text, context->arena);
    if (after->trouble) {
        wpa_test_evidence(outcome, context->arena, "trouble", after->trouble);
        wpa_test_warn(outcome, context->arena, "a report could not be read: %s", after->trouble);
    }
    compare_cases(context, before, after, outcome);
    bool was_good = wpa_runner_is_success(before), is_good = wpa_runner_is_success(after);
    if (was_good && !is_good) {
        wpa_test_fail(outcome, context->arena, "the tests succeed before and do not now: %s",
                      summary(after, context->arena));
    } else if (!is_good) {
        wpa_test_warn(outcome, context->arena, "the tests fail before as well: %s",
                      summary(after, context->arena));
    }
}

static bool has_command(const wpa_test_context *context)
{
    return context->target->test.argv && context->target->test.argv[0];
}

static bool check_suite(const wpa_test_context *context, wpa_test_outcome *outcome, wpa_error *err)
{
    if (context->no_sandbox) {
        wpa_test_skip_with(outcome, WPA_TEST_SKIP_NO_SANDBOX, context->arena, "no sandbox: %s",
                           context->no_sandbox);
        return true;
    }
    wpa_scratch storage = {0};
    WPA_AUTO(wpa_scratch) *folder = &storage;
    if (!export_base(context, folder, err)) {
        return wpa_error_within(err, "export the base");
    }
    const char *tree = wpa_path_join(context->arena, folder->path, "tree");
    const wpa_runner_result *before = run_suite(context, tree, err);
    if (!before) {
        return wpa_error_within(err, "run the tests before");
    }
    if (!apply_files(context, tree, err)) {
        return false;
    }
    const wpa_runner_result *after = run_suite(context, tree, err);
    if (!after) {
        return wpa_error_within(err, "run the tests after");
    }
    judge(context, before, after, outcome);
    return true;
}

const wpa_test_check wpa_test_t112 = {.id = "T112",
                                      .phase = WPA_TEST_ISOLATED,
                                      .version = 2,
                                      .scope = WPA_TEST_OF_TARGET,
                                      .is_waivable = true,
                                      .title = "the repository's own tests, before and after",
                                      .applies = has_command,
                                      .run = check_suite};
