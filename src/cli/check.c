#include <stdio.h>
#include <string.h>

#include <wpa/file.h>
#include <wpa/memory.h>
#include <wpa/text.h>

#include "analysis/seen.h"
#include "cli/check_kept.h"
#include "cli/commands.h"
#include "core/heap.h"
#include "lint/lint.h"

/* The same for every format. */
typedef enum exit_code {
    EXIT_CLEAN = 0,
    EXIT_FINDINGS = 1,
    EXIT_USAGE = 2,
    EXIT_INPUT = 3,
    EXIT_INTERNAL = 4
} exit_code;

#define FIX_ROUNDS_MAX 5
/* Repositories with ignores of their own, of which what silences nothing is told. */
#define CONFIGURED_MAX 200

/* ---- the whole ---- */

static bool collect(wpa_cli *cli, const wpa_check_options *options, wpa_tree *tree, wpa_error *err)
{
    wpa_arena *arena = cli->arena;
    if (options->n_paths == 0) {
        const char *root = wpa_tree_root(".", arena);
        const char *here = wpa_tree_real_path(".", arena);
        const char *start = root && !wpa_text_is(root, here) ? root : ".";
        return wpa_tree_add(tree, start, err);
    }
    for (size_t i = 0; i < options->n_paths; i++) {
        if (!wpa_tree_add(tree, options->paths[i], err)) {
            return false;
        }
    }
    return true;
}

static int conclude(const wpa_check_options *options, size_t n_files, size_t n_unreadable,
                    const wpa_report *report)
{
    bool fails = wpa_report_fails(report, options->settings) && !options->exits_zero;
    bool lacks_input = n_unreadable > 0 || n_files == 0;
    if (lacks_input && !(fails && options->keeps_going)) {
        return EXIT_INPUT;
    }
    return fails ? EXIT_FINDINGS : EXIT_CLEAN;
}

/** What could not be read or was left out: on standard error where the output has no place for it.
 */
static void say_notes(wpa_cli *cli, const wpa_check_options *options, const wpa_report *report,
                      bool has_report, wpa_buf *said)
{
    for (size_t i = 0; has_report && i < options->n_formats; i++) {
        if (!options->formats[i].file && wpa_text_is(options->formats[i].format->name, "text")) {
            return;
        }
    }
    for (size_t i = 0; i < report->n_notes; i++) {
        const wpa_note *note = &report->notes[i];
        const char *path = note->path ? note->path : "";
        wpa_buf_printf(said, "wpa: %s%s%s\n",
                       wpa_text_visible(cli->arena, path, strlen(path), false), *path ? ": " : "",
                       note->text);
    }
}

/** --diff prints a patch and --fix of - a file: no report may stand in between. */
static bool wants_report(const wpa_check_options *options)
{
    bool prints_text = options->fix != WPA_CHECK_FIX_NONE && options->n_paths == 1 &&
                       wpa_text_is(options->paths[0], "-");
    return !options->is_diff && !prints_text;
}

static void on_fixed(void *context, const wpa_tree_file *file)
{
    wpa_check_deliver_fix(context, file);
}

static void on_together(void *context, const wpa_tree_together *together)
{
    wpa_check_deliver_together(context, together);
}

/** Without one on disk it is worth having only where two trees are looked at that are much alike.
 */
static wpa_cache *open_cache(const wpa_check_options *options, wpa_arena *arena)
{
    wpa_error err = {0};
    if (options->has_no_cache && !options->diff_base) {
        return NULL;
    }
    const char *folder = options->has_no_cache ? NULL : wpa_path_cache(arena, &err);
    return wpa_cache_open(folder ? wpa_path_join(arena, folder, "check") : NULL);
}

static wpa_arena *on_batch(void *context, wpa_tree_file *const files[], size_t n)
{
    wpa_check_run *run = context;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_lint_file *asked = wpa_arena_array(arena, n + 1, sizeof *asked);
    for (size_t i = 0; i < n; i++) {
        asked[i] = (wpa_lint_file){files[i]->source, &files[i]->settings};
    }
    return wpa_lint_batch(run->lint, asked, n);
}

static const wpa_settings *configure(void *context, const char *folder, wpa_arena *arena,
                                     wpa_error *err)
{
    wpa_check_run *run = context;
    const wpa_settings *settings = wpa_check_configure(run->cli, run->options, folder, arena, err);
    bool is_own = settings && settings != run->options->settings;
    if (!is_own || settings->n_ignores == 0 || run->n_configured == CONFIGURED_MAX) {
        return settings;
    }
    /* At the end it is asked what it has silenced. */
    settings = wpa_check_configure(run->cli, run->options, folder, run->cli->arena, err);
    if (settings) {
        run->configured = wpa_arena_grow(run->cli->arena, run->configured, run->n_configured,
                                         &run->configured_capacity, sizeof(const wpa_settings *));
        run->configured[run->n_configured++] = settings;
    }
    return settings;
}

static const wpa_note *all_notes(const wpa_check_run *run, const wpa_tree *tree, size_t *n)
{
    size_t n_tree, n_lint;
    const wpa_note *of_tree = wpa_tree_notes(tree, &n_tree);
    const wpa_note *of_lint = wpa_lint_notes(run->lint, &n_lint);
    const char *of_facts[] = {
        run->cli->facts.fault,
        wpa_facts_age_note(run->options->settings->today, run->cli->arena),
    };
    size_t n_facts = WPA_COUNT(of_facts);
    wpa_note *all =
        wpa_arena_array(run->cli->arena, n_tree + n_lint + run->n_notes + n_facts, sizeof *all);
    memcpy(all, n_tree ? of_tree : all, n_tree * sizeof *all);
    memcpy(all + n_tree, n_lint ? of_lint : all, n_lint * sizeof *all);
    *n = n_tree + n_lint;
    memcpy(all + *n, run->n_notes ? run->notes : all, run->n_notes * sizeof *all);
    *n += run->n_notes;
    for (size_t i = 0; i < n_facts; i++) {
        if (of_facts[i]) {
            all[(*n)++] = (wpa_note){.text = of_facts[i]};
        }
    }
    return all;
}

/** What could not be told is no finding; -v says how much of it there was. */
static void say_undecided(const wpa_check_run *run, const wpa_results *results, wpa_buf *said)
{
    wpa_undecided all = {0};
    if (!wpa_cli_is_given(run->cli, "verbose")) {
        return;
    }
    WPA_AUTO(wpa_arena) *scratch = wpa_arena_new();
    for (size_t i = 0; i < wpa_results_count(results); i++) {
        wpa_arena_reset(scratch);
        wpa_undecided one = wpa_results_at(results, i, scratch).undecided;
        all.n_unknown += one.n_unknown;
        all.n_unversioned += one.n_unversioned;
        all.n_unread += one.n_unread;
    }
    wpa_buf_printf(
        said,
        "undecided: %zu uses of repositories that no table has, %zu at refs that no table "
        "has, %zu scripts that could not be read\n",
        all.n_unknown, all.n_unversioned, all.n_unread);
}

static int report_on(const wpa_check_run *run, wpa_tree *tree, wpa_error *err)
{
    wpa_cli *cli = run->cli;
    const wpa_check_options *options = run->options;
    wpa_report report = {
        .results = wpa_tree_results(tree),
        .shows_ignored = options->shows_ignored,
        .has_baseline = run->baseline != NULL,
        .order = options->order,
    };
    report.notes = all_notes(run, tree, &report.n_notes);
    wpa_check_kept_begin(run->kept, run, tree);
    if (wants_report(options) && !wpa_check_write_reports(run, &report, err)) {
        return WPA_CLI_FAILED;
    }
    WPA_AUTO(wpa_buf) *said = wpa_buf_new(WPA_REPORT_MAX_BYTES);
    size_t n_left = wpa_results_total(report.results)->n_fixable;
    if (options->fix == WPA_CHECK_FIX_SAFE && !options->fix_rules && n_left > 0) {
        wpa_buf_printf(said, "%zu with a fix left; --fix=all applies unsafe fixes too\n", n_left);
    }
    say_notes(cli, options, &report, wants_report(options), said);
    say_undecided(run, report.results, said);
    size_t n_files = wpa_results_count(report.results);
    size_t n_unreadable = wpa_tree_count_unreadable(tree);
    if (n_files == 0 && n_unreadable == 0) {
        wpa_buf_text(said, "no workflow, action file, dependabot.yml or pre-commit file found\n");
    }
    (void)fwrite(wpa_buf_data(said), 1, wpa_buf_size(said), cli->err);
    if (!wpa_results_are_whole(report.results)) {
        (void)WPA_FAIL(err, WPA_E_IO, "a temporary file of results could not be read back");
        return WPA_CLI_FAILED;
    }
    int code = conclude(options, n_files, n_unreadable, &report);
    wpa_check_kept_finish(run->kept, wpa_buf_data(said), wpa_buf_size(said), code);
    return code;
}

/** Folders that are given side by side are repositories that go together. */
static bool is_fleet(const wpa_check_options *options)
{
    bool are_folders = options->n_paths > 1;
    for (size_t i = 0; i < options->n_paths; i++) {
        are_folders = are_folders && wpa_path_is_dir(options->paths[i]);
    }
    return are_folders;
}

static wpa_tree_options tree_options(wpa_check_run *run, const wpa_fix_choice *choice)
{
    const wpa_check_options *options = run->options;
    const char *programs = wpa_lint_programs_asked(run->lint);
    return (wpa_tree_options){
        .settings = options->settings,
        .kind = options->has_kind ? &options->kind : NULL,
        .stdin_fd = fileno(run->cli->in),
        .stdin_path = options->stdin_path,
        .has_excerpts = wants_report(options) && wpa_check_shows(options, WPA_SHOWS_LINES),
        .is_fleet = is_fleet(options),
        .n_threads = (size_t)options->n_threads,
        .cache = choice ? NULL : run->cache,
        .seen = run->kept ? options->seen : NULL,
        .tools = programs,
        .baseline = run->baseline,
        .outside = run->outside,
        .fixes = choice,
        .on_fixed = on_fixed,
        .on_together = on_together,
        .configure = configure,
        .batch = *programs ? on_batch : NULL,
        .context = run,
    };
}

/** One look at everything there is; with fixes the last one is that which changes nothing. */
static int run_round(wpa_check_run *run, bool is_last, wpa_error *err)
{
    const wpa_check_options *options = run->options;
    bool fixes = options->fix != WPA_CHECK_FIX_NONE || options->is_diff;
    wpa_fix_choice choice = {.has_unsafe = options->fix == WPA_CHECK_FIX_ALL,
                             .rules = options->fix_rules};
    if (!wpa_check_open_baseline(run, err)) {
        return WPA_CLI_FAILED;
    }
    wpa_check_run_outside(run);
    wpa_tree_options o = tree_options(run, fixes ? &choice : NULL);
    WPA_AUTO(wpa_tree) *tree = wpa_tree_new(&o);
    if (!collect(run->cli, options, tree, err) || !wpa_tree_finish(tree, err) ||
        !wpa_check_close_baseline(run, tree, err)) {
        return WPA_CLI_FAILED;
    }
    wpa_check_add_leftovers(run, tree);
    if (run->watch) {
        wpa_check_watch_add(run->watch, options, tree);
    }
    if (run->has_failed) {
        *err = run->failure;
        return WPA_CLI_FAILED;
    }
    return run->n_written && !is_last ? EXIT_CLEAN : report_on(run, tree, err);
}

/**
 * What one file's fixes do may make a fix in another one right (versions that go together), and the
 * programs outside see only what is written: look again until nothing changes.
 */
static int run_tree(wpa_check_run *run, wpa_error *err)
{
    for (int round = 1;; round++) {
        run->n_written = 0;
        bool is_last = round == FIX_ROUNDS_MAX;
        int code = run_round(run, is_last, err);
        if (run->n_written == 0 || is_last || code == WPA_CLI_FAILED) {
            return code;
        }
    }
}

static int run_once(wpa_cli *cli, wpa_check_options *options, wpa_check_watch *watch,
                    wpa_error *err)
{
    WPA_AUTO(wpa_cache) *cache = open_cache(options, cli->arena);
    WPA_AUTO(wpa_lint) *lint =
        wpa_lint_open(options->settings, (size_t)options->n_threads, !options->has_no_cache, err);
    wpa_check_run run = {
        .cli = cli, .options = options, .cache = cache, .lint = lint, .watch = watch};
    if (!lint) {
        return WPA_CLI_FAILED;
    }
    WPA_AUTO(wpa_check_kept) *kept = run.kept = wpa_check_kept_open(&run);
    const wpa_check_told *told = wpa_check_kept_find(kept);
    if (!kept) {
        options->seen = NULL; /* nobody wants to know */
    }
    int code = told ? wpa_check_tell_again(&run, told, err) : run_tree(&run, err);
    wpa_baseline_free(run.baseline);
    return code;
}

/** A configuration that is being written: what is wrong is said, and the next change waited for. */
static bool is_passing(const wpa_cli *cli, bool is_first, wpa_error *err)
{
    if (is_first || err->code != WPA_E_INVALID) {
        return false;
    }
    wpa_cli_print_error(cli, err);
    wpa_error_clear(err);
    return true;
}

/** Until the user ends it; what is unchanged comes out of the cache. */
static int run_watching(wpa_cli *cli, wpa_check_options *options, wpa_error *err)
{
    wpa_check_watch *watch = wpa_check_watch_new(cli->arena, err);
    int code = watch ? EXIT_CLEAN : WPA_CLI_FAILED;
    for (bool is_first = true; code != WPA_CLI_FAILED; is_first = false) {
        if (wpa_check_is_terminal(cli)) {
            (void)fputs("\033[H\033[2J", cli->out);
        }
        code = run_once(cli, options, watch, err);
        if (code == WPA_CLI_FAILED && is_passing(cli, is_first, err)) {
            code = EXIT_USAGE;
        }
        if (code == WPA_CLI_FAILED) {
            break;
        }
        code = wpa_check_watch_wait(watch, err) ? code : WPA_CLI_FAILED;
    }
    wpa_check_watch_close(watch);
    return code;
}

static int run_rules(wpa_cli *cli, wpa_check_options *options, wpa_error *err)
{
    return options->is_watching ? run_watching(cli, options, err)
                                : run_once(cli, options, NULL, err);
}

static int check(wpa_cli *cli, wpa_error *err)
{
    wpa_heap_for_blocks();
    WPA_AUTO(wpa_seen) *seen = wpa_seen_new();
    wpa_check_options options = {.seen = seen};
    if (!wpa_check_options_read(cli, &options, err)) {
        /* Whatever is wrong here, a missing file too, is the user's to put right. */
        err->code = WPA_E_INVALID;
        return WPA_CLI_FAILED;
    }
    if (options.explain) {
        return wpa_check_explain(cli, options.explain, err);
    }
    if (options.lists_rules) {
        return wpa_check_list_rules(cli, options.lists_rules_as_json, err);
    }
    if (options.n_formats == 0) {
        size_t n;
        options.formats[options.n_formats++].format = &wpa_formats_all(&n)[0];
    }
    return run_rules(cli, &options, err);
}

static int explain_command(wpa_cli *cli, wpa_error *err)
{
    return wpa_check_explain(cli, cli->operands[0], err);
}

static int exit_code_of(wpa_code code)
{
    return code == WPA_E_INVALID ? EXIT_USAGE : EXIT_INTERNAL;
}

static const wpa_cli_option option_rows[] = {
    {"fix", 0, WPA_CLI_OPTIONAL, "all|RULE,...",
     "apply safe fixes; all, or rules by name: unsafe ones of theirs too"},
    {"diff", 0, WPA_CLI_FLAG, NULL, "print what --fix would change, write nothing"},
    {"format", 0, WPA_CLI_LIST, "FORMAT[=FILE]",
     "text, oneline, json, jsonl, sarif, github, junit, gitlab, markdown; may be repeated"},
    {"persona", 0, WPA_CLI_TEXT, "PERSONA", "default, pedantic, auditor"},
    {"only", 0, WPA_CLI_TEXT, "RULE,...", "run these rules alone"},
    {"skip", 0, WPA_CLI_TEXT, "RULE,...", "leave these rules out"},
    {"dimension", 0, WPA_CLI_TEXT, "DIMENSION,...", "of these dimensions alone"},
    {"kind", 0, WPA_CLI_TEXT, "KIND,...", "issue, inefficiency, opportunity"},
    {"min-severity", 0, WPA_CLI_TEXT, "SEVERITY", "nothing below low, medium, high, critical"},
    {"min-confidence", 0, WPA_CLI_TEXT, "CONFIDENCE", "nothing below low, medium, high"},
    {"fail-on", 0, WPA_CLI_TEXT, "SEVERITY|KIND=SEVERITY,...",
     "what makes the exit code 1 (default issue=medium)"},
    {"baseline", 0, WPA_CLI_TEXT, "FILE",
     "count findings that are in it apart, and do not fail for them"},
    {"write-baseline", 0, WPA_CLI_FLAG, NULL, "put every finding there is into the baseline"},
    {"update-baseline", 0, WPA_CLI_FLAG, NULL, "take what is gone out of the baseline"},
    {"diff-base", 0, WPA_CLI_TEXT, "REVISION", "only findings that this revision has not"},
    {"watch", 0, WPA_CLI_FLAG, NULL, "check again whenever something changes, until interrupted"},
    {"exit-zero", 0, WPA_CLI_FLAG, NULL, "exit code 0 whatever is found"},
    {"keep-going", 0, WPA_CLI_FLAG, NULL, "exit code 1 rather than 3 if both hold"},
    {"show-ignored", 0, WPA_CLI_FLAG, NULL, "list ignored findings too"},
    {"no-ignores", 0, WPA_CLI_FLAG, NULL, "as if nothing were ignored"},
    {"sort", 0, WPA_CLI_TEXT, "ORDER", "path, severity, rule, age"},
    {"config", 0, WPA_CLI_TEXT, "FILE", "instead of the wpa.yml found by itself"},
    {"no-config", 0, WPA_CLI_FLAG, NULL, "read no wpa.yml"},
    {"as", 0, WPA_CLI_TEXT, "KIND", "workflow, action, dependabot, pre-commit"},
    {"stdin-path", 0, WPA_CLI_TEXT, "PATH", "name of what comes from -"},
    {"no-cache", 0, WPA_CLI_FLAG, NULL, "neither read nor keep results of earlier runs"},
    {"threads", 0, WPA_CLI_TEXT, "N", "instead of as many as cores"},
    {"list-rules", 0, WPA_CLI_OPTIONAL, "json", "all rules, one a line"},
    {"explain", 0, WPA_CLI_TEXT, "RULE", "what a rule means and what to do"},
};

const wpa_cli_command wpa_cli_check = {
    .name = "check",
    .operands = "[PATH|REVISION:PATH|-]...",
    .summary = "check workflow files; no database, no sign-in",
    .details = "Checks workflows, action files, dependabot.yml and pre-commit files: in files and "
               "folders, or standard input with -; without a path in the repository around the "
               "current folder. Repositories given side by side go together: what one of them "
               "uses or calls is known to the rules about the others. Settings come from the "
               "nearest wpa.yml.\n\n"
               "What is kept of thousands of files lies in TMPDIR, in files without names.\n\n"
               "Exit code: 0 nothing found that --fail-on names, 1 something found, 2 a wrong "
               "option or configuration, 3 no input or input that cannot be read, 4 an internal "
               "error, a limit, or a fix that could not be written.",
    .options = option_rows,
    .n_options = WPA_COUNT(option_rows),
    .max_operands = WPA_CLI_MANY,
    .is_light = true,
    .run = check,
    .exit_code = exit_code_of,
};

const wpa_cli_command wpa_cli_explain = {
    .name = "explain",
    .operands = "RULE",
    .summary = "what a rule finds, why, and what to do about it",
    .details = "RULE is an id (missing-timeout), a code (PRF-001), or the name that another tool "
               "has for it (zizmor/artipacked, SC2086).",
    .min_operands = 1,
    .max_operands = 1,
    .is_light = true,
    .run = explain_command,
    .exit_code = exit_code_of,
};
