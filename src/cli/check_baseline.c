/* Findings that do not count again: of a file, or of another revision. */
#include <stdio.h>
#include <string.h>

#include <wpa/file.h>
#include <wpa/text.h>

#include "cli/check_options.h"

#define DEFAULT_FILE ".wpa-baseline.json"

/** Only such a one counts: a file that merely lies there silences nothing. */
static bool is_named(const wpa_check_options *options)
{
    return options->baseline || options->settings->baseline;
}

const char *wpa_check_baseline_file(const wpa_check_run *run)
{
    const wpa_check_options *options = run->options;
    return options->baseline             ? options->baseline
           : options->settings->baseline ? options->settings->baseline
                                         : DEFAULT_FILE;
}

/** Add every finding of a finished tree. */
static void add_all(wpa_baseline *baseline, wpa_tree *tree, const char *reason)
{
    WPA_AUTO(wpa_arena) *scratch = wpa_arena_new();
    const wpa_results *results = wpa_tree_results(tree);

    for (size_t i = 0; i < wpa_results_count(results); i++) {
        wpa_arena_reset(scratch);
        wpa_result result = wpa_results_at(results, i, scratch);
        const char *identity = wpa_results_identity(results, i);
        for (size_t j = 0; j < result.n_findings; j++) {
            if (result.findings[j]->state != WPA_FINDING_IGNORED) {
                wpa_baseline_add(baseline, result.findings[j], identity, reason);
            }
        }
    }
}

/** What the revision has, found with the same settings. */
static bool read_revision(wpa_check_run *run, wpa_error *err)
{
    const wpa_check_options *options = run->options;
    wpa_arena *arena = run->cli->arena;
    wpa_tree_options o = {.settings = options->settings,
                          .stdin_fd = -1,
                          .n_threads = (size_t)options->n_threads,
                          .cache = run->cache};
    const char *start =
        options->n_paths && wpa_path_exists(options->paths[0]) ? options->paths[0] : ".";
    const char *root = wpa_tree_root(start, arena);
    if (!root) {
        return WPA_FAIL(err, WPA_E_INVALID, "--diff-base: there is no git repository around %s",
                        start);
    }
    WPA_AUTO(wpa_tree) *tree = wpa_tree_new(&o);
    if (!wpa_tree_add_revision(tree, root, options->diff_base, "", err) ||
        !wpa_tree_finish(tree, err)) {
        err->code = WPA_E_INVALID; /* the user's word, whatever is wrong with it */
        return wpa_error_within(err, "--diff-base");
    }
    add_all(run->baseline, tree, wpa_arena_printf(arena, "in %s", options->diff_base));
    return true;
}

bool wpa_check_open_baseline(wpa_check_run *run, wpa_error *err)
{
    const wpa_check_options *options = run->options;
    const char *file = wpa_check_baseline_file(run);
    if (!is_named(options) && !options->writes_baseline && !options->updates_baseline &&
        !options->diff_base) {
        return true;
    }
    wpa_baseline_free(run->baseline); /* of the round before */
    run->baseline = wpa_baseline_new(options->settings->today);
    if (options->diff_base && !read_revision(run, err)) {
        return false;
    }
    bool is_there = wpa_path_exists(file);
    if (options->baseline && !is_there && !options->writes_baseline) {
        return WPA_FAIL(err, WPA_E_INVALID, "there is no baseline '%s' (--write-baseline makes it)",
                        file);
    }
    return options->diff_base || !is_there || wpa_baseline_read(run->baseline, file, err);
}

bool wpa_check_close_baseline(wpa_check_run *run, wpa_tree *tree, wpa_error *err)
{
    const wpa_check_options *options = run->options;
    if (!run->baseline || options->diff_base) {
        return true;
    }
    wpa_baseline_judge(run->baseline, wpa_check_covers(run, wpa_check_baseline_file(run)),
                       wpa_check_has_run, run);
    size_t n_gone = wpa_baseline_count_gone(run->baseline);
    bool writes = options->writes_baseline && !run->has_written_baseline;
    if (writes) {
        add_all(run->baseline, tree, "baseline");
    } else if (n_gone && !options->updates_baseline) {
        (void)fprintf(run->cli->err,
                      "%zu of the baseline are gone; --update-baseline takes them out\n", n_gone);
    }
    if (!writes && !options->updates_baseline) {
        return true;
    }
    const char *file = wpa_check_baseline_file(run);
    if (!wpa_baseline_write(run->baseline, file, true, err)) {
        return false;
    }
    if (!is_named(options) && run->n_written == 0) {
        (void)fprintf(run->cli->err,
                      "written; read with '--baseline %s', or by 'baseline: %s' in wpa.yml\n", file,
                      file);
    }
    if (writes && run->n_written == 0 && !wpa_check_reads_stdin(options)) {
        /* The report is what the next run will say: what was written down counts apart. */
        run->has_written_baseline = true;
        run->n_written++;
    }
    return true;
}
