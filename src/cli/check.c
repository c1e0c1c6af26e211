#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <wpa/file.h>
#include <wpa/text.h>

#include "cli/check_options.h"
#include "cli/commands.h"
#include "edit/diff.h"
#include "lint/lint.h"
#include "rules/fix.h"

/* The same for every format. */
typedef enum exit_code {
    EXIT_CLEAN = 0,
    EXIT_FINDINGS = 1,
    EXIT_USAGE = 2,
    EXIT_INPUT = 3,
    EXIT_INTERNAL = 4
} exit_code;

/* ---- writing out ---- */

static bool print(wpa_cli *cli, const char *text, size_t size_bytes, wpa_error *err)
{
    bool ok = fwrite(text, 1, size_bytes, cli->out) == size_bytes && fflush(cli->out) == 0;
    return ok || WPA_FAIL(err, WPA_E_IO, "cannot write to standard output");
}

static void print_note(wpa_cli *cli, const wpa_note *note)
{
    const char *path = wpa_text_visible(cli->arena, note->path, strlen(note->path), false);
    (void)fprintf(cli->err, "note: %s: %s: %s\n", path, note->rule, note->text);
}

/** Is standard output a terminal? */
static bool is_terminal(const wpa_cli *cli)
{
    int fd = fileno(cli->out); /* a test writes to memory, which has none */
    return fd >= 0 && isatty(fd) == 1;
}

static bool is_coloured(const wpa_cli *cli)
{
    const char *none = getenv("NO_COLOR"); /* NOLINT(concurrency-mt-unsafe): before any thread */
    return is_terminal(cli) && !(none && *none);
}

/* ---- rules in words ---- */

static void list_rules_as_text(wpa_buf *out)
{
    size_t n;
    const wpa_rule *const *rules = wpa_rules_all(&n);
    for (size_t i = 0; i < n; i++) {
        wpa_buf_printf(out, "%s  %-30s %-13s %-12s %-8s %-8s %s%s\n", rules[i]->code, rules[i]->id,
                       wpa_dimension_name(rules[i]->dimension), wpa_kind_name(rules[i]->kind),
                       wpa_severity_name(rules[i]->severity), wpa_persona_name(rules[i]->persona),
                       rules[i]->summary, rules[i]->repair ? " [fix]" : "");
    }
}

static wpa_json *describe_rule(const wpa_rule *rule, wpa_arena *arena)
{
    wpa_json *item = wpa_json_new_object(arena);
    wpa_json_set_text(item, "id", rule->id);
    wpa_json_set_text(item, "code", rule->code);
    wpa_json_set_text(item, "dimension", wpa_dimension_name(rule->dimension));
    wpa_json_set_text(item, "kind", wpa_kind_name(rule->kind));
    wpa_json_set_text(item, "severity", wpa_severity_name(rule->severity));
    wpa_json_set_text(item, "confidence", wpa_confidence_name(rule->confidence));
    wpa_json_set_text(item, "persona", wpa_persona_name(rule->persona));
    wpa_json_set_text(item, "summary", rule->summary);
    wpa_json_set_text(item, "why", rule->why);
    wpa_json_set_text(item, "fix", rule->fix);
    wpa_json_set_bool(item, "has_fix", rule->repair != NULL);
    wpa_json *aliases = wpa_json_set_array(item, "aliases");
    for (const char *const *at = rule->elsewhere; at && *at; at++) {
        wpa_json_push_text(aliases, *at);
    }
    wpa_json *options = wpa_json_set_object(item, "options");
    for (const wpa_rule_option *at = rule->options; at && at->name; at++) {
        wpa_json_set_text(options, at->name, at->value);
    }
    return item;
}

static void list_rules_as_json(wpa_buf *out, wpa_arena *arena)
{
    size_t n;
    const wpa_rule *const *rules = wpa_rules_all(&n);
    wpa_json *list = wpa_json_new_array(arena);
    for (size_t i = 0; i < n; i++) {
        wpa_json_push(list, describe_rule(rules[i], arena));
    }
    wpa_buf_text(out, wpa_json_dump_pretty(list, arena));
    wpa_buf_char(out, '\n');
}

static void explain_rule(const wpa_rule *rule, wpa_buf *out)
{
    wpa_buf_printf(out, "%s %s\n%s, %s, severity %s, confidence %s, shown to persona %s\n\n",
                   rule->code, rule->id, wpa_dimension_name(rule->dimension),
                   wpa_kind_name(rule->kind), wpa_severity_name(rule->severity),
                   wpa_confidence_name(rule->confidence), wpa_persona_name(rule->persona));
    wpa_buf_printf(out, "what  %s\nwhy   %s\nfix   %s%s\n", rule->summary, rule->why, rule->fix,
                   rule->repair ? " wpa check --fix can do it." : "");
    for (const wpa_rule_option *at = rule->options; at && at->name; at++) {
        wpa_buf_printf(out, "option %s (default %s): %s\n", at->name, at->value, at->words);
    }
    for (const char *const *at = rule->elsewhere; at && *at; at++) {
        wpa_buf_printf(out, "%s%s", at == rule->elsewhere ? "also known as " : ", ", *at);
    }
    wpa_buf_printf(out, "%ssilence it with  # wpa: ignore[%s] reason\n",
                   rule->elsewhere ? "\n" : "", rule->id);
}

static int explain(wpa_cli *cli, const char *name, wpa_error *err)
{
    const char *check;
    const wpa_rule *rule = wpa_rules_find(name, &check, err);
    if (!rule) {
        return WPA_CLI_FAILED;
    }
    WPA_AUTO(wpa_buf) *out = wpa_buf_new(WPA_REPORT_MAX_BYTES);
    explain_rule(rule, out);
    return print(cli, wpa_buf_data(out), wpa_buf_size(out), err) ? EXIT_CLEAN : WPA_CLI_FAILED;
}

static int list_rules(wpa_cli *cli, const wpa_check_options *options, wpa_error *err)
{
    WPA_AUTO(wpa_buf) *out = wpa_buf_new(WPA_REPORT_MAX_BYTES);
    if (options->lists_rules_as_json) {
        list_rules_as_json(out, cli->arena);
    } else {
        list_rules_as_text(out);
    }
    return print(cli, wpa_buf_data(out), wpa_buf_size(out), err) ? EXIT_CLEAN : WPA_CLI_FAILED;
}

/* ---- reports ---- */

/** The table that GitHub shows on the page of the run. */
static bool write_step_summary(const wpa_report *report, wpa_arena *arena, wpa_error *err)
{
    const char *path = getenv("GITHUB_STEP_SUMMARY"); /* NOLINT(concurrency-mt-unsafe) */
    FILE *file = path && *path ? fopen(path, "ae") : NULL;
    if (!path || !*path) {
        return true;
    }
    if (!file) {
        return WPA_FAIL(err, WPA_E_IO, "cannot write the step summary '%s'", path);
    }
    wpa_report_counts counts = wpa_report_count(report);
    const char *row = "| severity | findings |\n| --- | --- |\n";
    for (size_t i = WPA_SEVERITY_COUNT; i-- > 0;) {
        row = wpa_arena_printf(arena, "%s| %s | %zu |\n", row, wpa_severity_name((wpa_severity)i),
                               counts.by_severity[i]);
    }
    bool ok = fputs(row, file) >= 0;
    ok = fclose(file) == 0 && ok;
    return ok || WPA_FAIL(err, WPA_E_IO, "cannot write the step summary '%s'", path);
}

static bool write_report(wpa_cli *cli, const wpa_check_format *to, const wpa_report *report,
                         wpa_error *err)
{
    WPA_AUTO(wpa_buf) *out = wpa_buf_new(WPA_REPORT_MAX_BYTES);
    wpa_report copy = *report;
    copy.has_colour = !to->file && is_coloured(cli);
    to->format->write(&copy, out);
    bool ok = wpa_buf_check(out, "report", err);
    if (ok && to->file) {
        ok = wpa_file_replace(to->file, wpa_buf_data(out), wpa_buf_size(out), 0644, err);
    } else if (ok) {
        ok = print(cli, wpa_buf_data(out), wpa_buf_size(out), err);
    }
    if (ok && wpa_text_is(to->format->name, "github")) {
        ok = write_step_summary(report, cli->arena, err);
    }
    return ok;
}

static bool write_reports(wpa_cli *cli, const wpa_check_options *options, const wpa_report *report,
                          wpa_error *err)
{
    for (size_t i = 0; i < options->n_formats; i++) {
        if (!write_report(cli, &options->formats[i], report, err)) {
            return false;
        }
    }
    return true;
}

/* ---- fixing ---- */

/* What the threads that fix share. */
typedef struct fixing {
    const wpa_settings *settings;
    wpa_fix_choice choice;
    wpa_fix_outcome *outcomes; /* [n_files] */
} fixing;

static wpa_result fix_file(const wpa_tree_file *file, size_t index, wpa_arena *arena, void *context)
{
    fixing *f = context;
    const wpa_source *source =
        wpa_source_read(file->kind, file->path, file->text, file->size_bytes, file->around, arena);
    f->outcomes[index] = wpa_rules_fix(source, f->settings, &f->choice, arena);
    return f->outcomes[index].result;
}

static bool is_changed(const wpa_tree_file *file, const wpa_fix_outcome *outcome)
{
    return outcome->n_applied > 0 && (outcome->size_bytes != file->size_bytes ||
                                      memcmp(outcome->text, file->text, file->size_bytes) != 0);
}

/** Written only if the file still is what was read. */
static bool write_fixed(const wpa_tree_file *file, const wpa_fix_outcome *outcome, wpa_arena *arena,
                        wpa_error *err)
{
    struct stat status;
    size_t size_bytes;
    const char *path = wpa_tree_real_path(file->path, arena); /* a symlink stays one */
    const char *now =
        path ? wpa_file_read(path, WPA_YAML_MAX_BYTES, arena, &size_bytes, err) : NULL;
    if (!now || stat(path, &status) != 0) {
        return WPA_FAIL(err, WPA_E_IO, "%s cannot be read again", file->path);
    }
    if (size_bytes != file->size_bytes || memcmp(now, file->text, size_bytes) != 0) {
        return WPA_FAIL(err, WPA_E_CONFLICT, "%s was changed meanwhile and left alone", file->path);
    }
    if ((status.st_mode & (S_IWUSR | S_IWGRP | S_IWOTH)) == 0) { /* replacing would go past that */
        return WPA_FAIL(err, WPA_E_IO, "%s is read-only and was left alone (chmod u+w allows it)",
                        file->path);
    }
    return wpa_file_replace(path, outcome->text, outcome->size_bytes, status.st_mode & 07777, err);
}

static bool is_stdin(const wpa_check_options *options, const wpa_tree_file *file)
{
    bool has_stdin = false;
    for (size_t i = 0; i < options->n_paths; i++) {
        has_stdin = has_stdin || wpa_text_is(options->paths[i], "-");
    }
    return has_stdin &&
           wpa_text_is(file->path, options->stdin_path ? options->stdin_path : "<stdin>");
}

static bool print_diff(wpa_cli *cli, const wpa_tree_file *file, const wpa_fix_outcome *outcome,
                       wpa_error *err)
{
    const char *diff = wpa_diff_unified(file->path, file->text, file->size_bytes, outcome->text,
                                        outcome->size_bytes, cli->arena);
    if (is_terminal(cli)) {
        diff = wpa_text_visible(cli->arena, diff, strlen(diff), true);
    }
    return print(cli, diff, strlen(diff), err);
}

static bool deliver_fix(wpa_cli *cli, const wpa_check_options *options, const wpa_tree_file *file,
                        const wpa_fix_outcome *outcome, wpa_error *err)
{
    if (options->is_diff) {
        return !is_changed(file, outcome) || print_diff(cli, file, outcome, err);
    }
    if (is_stdin(options, file)) {
        return print(cli, outcome->text, outcome->size_bytes, err);
    }
    if (!is_changed(file, outcome)) {
        return true;
    }
    if (!write_fixed(file, outcome, cli->arena, err)) {
        return false;
    }
    (void)fprintf(cli->err, "fixed %zu in %s\n", outcome->n_applied,
                  wpa_text_visible(cli->arena, file->path, strlen(file->path), false));
    return true;
}

/** What came of the fixes: texts written or shown, notes about those that were dropped. A file that
    cannot be written keeps none of the others back; *err is the last one's. */
static bool deliver_fixes(wpa_cli *cli, const wpa_check_options *options, const wpa_tree *tree,
                          const fixing *f, wpa_error *err)
{
    bool ok = true;
    for (size_t i = 0; i < tree->n_files; i++) {
        for (size_t j = 0; j < f->outcomes[i].n_notes; j++) {
            print_note(cli, &f->outcomes[i].notes[j]);
        }
        wpa_error why = {0};
        if (!deliver_fix(cli, options, &tree->files[i], &f->outcomes[i], &why)) {
            if (!ok) { /* the last one is said by the caller */
                (void)fprintf(cli->err, "wpa: %s\n", err->message);
            }
            *err = why;
            ok = false;
        }
    }
    return ok;
}

/* ---- the whole ---- */

static bool collect(wpa_cli *cli, const wpa_check_options *options, wpa_tree *tree, wpa_error *err)
{
    wpa_arena *arena = cli->arena;
    wpa_tree_options o = {
        .stdin_fd = fileno(cli->in),
        .kind = options->has_kind ? &options->kind : NULL,
        .stdin_path = options->stdin_path,
        .exclude = options->settings->exclude,
        .n_exclude = options->settings->n_exclude,
    };
    if (options->n_paths == 0) {
        const char *root = wpa_tree_root(".", arena);
        const char *here = wpa_tree_real_path(".", arena);
        const char *start = root && !wpa_text_is(root, here) ? root : ".";
        return wpa_tree_add(tree, start, &o, err);
    }
    for (size_t i = 0; i < options->n_paths; i++) {
        if (!wpa_tree_add(tree, options->paths[i], &o, err)) {
            return false;
        }
    }
    return true;
}

static int conclude(const wpa_check_options *options, const wpa_tree *tree,
                    const wpa_report *report)
{
    bool fails = wpa_report_fails(report, options->settings) && !options->exits_zero;
    bool lacks_input = tree->n_unreadable > 0 || tree->n_files == 0;
    if (lacks_input && !(fails && options->keeps_going)) {
        return EXIT_INPUT;
    }
    return fails ? EXIT_FINDINGS : EXIT_CLEAN;
}

/** What could not be read or was left out: on standard error where the output has no place for it.
 */
static void say_notes(wpa_cli *cli, const wpa_check_options *options, const wpa_tree *tree,
                      bool has_report)
{
    for (size_t i = 0; has_report && i < options->n_formats; i++) {
        if (!options->formats[i].file && wpa_text_is(options->formats[i].format->name, "text")) {
            return;
        }
    }
    for (size_t i = 0; i < tree->n_notes; i++) {
        const wpa_note *note = &tree->notes[i];
        const char *path = note->path ? note->path : "";
        (void)fprintf(cli->err, "wpa: %s%s%s\n",
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

static int run_rules(wpa_cli *cli, wpa_check_options *options, wpa_error *err)
{
    wpa_tree *tree = wpa_tree_new(cli->arena);
    if (!collect(cli, options, tree, err)) {
        return WPA_CLI_FAILED;
    }
    wpa_tree_load(tree);
    if (!wpa_lint_tree(tree, options->settings, (size_t)options->n_threads, err)) {
        return WPA_CLI_FAILED;
    }
    bool fixes = options->fix != WPA_CHECK_FIX_NONE || options->is_diff;
    fixing f = {
        .settings = options->settings,
        .choice = {.has_unsafe = options->fix == WPA_CHECK_FIX_ALL, .rules = options->fix_rules},
        .outcomes = wpa_arena_array(cli->arena, tree->n_files + 1, sizeof *f.outcomes),
    };
    WPA_AUTO(wpa_tree_results) *results =
        wpa_tree_run(tree, (size_t)options->n_threads, fixes ? fix_file : wpa_tree_check,
                     fixes ? (void *)&f : (void *)options->settings);
    wpa_report report = {
        .files = results->results,
        .n_files = results->n,
        .notes = tree->notes,
        .n_notes = tree->n_notes,
        .shows_ignored = options->shows_ignored,
        .is_sorted_by_severity = options->is_sorted_by_severity,
    };
    if ((fixes && !deliver_fixes(cli, options, tree, &f, err)) ||
        (wants_report(options) && !write_reports(cli, options, &report, err))) {
        return WPA_CLI_FAILED;
    }
    size_t n_left = wpa_report_count(&report).n_fixable;
    if (options->fix == WPA_CHECK_FIX_SAFE && !options->fix_rules && n_left > 0) {
        (void)fprintf(cli->err, "%zu with a fix left; --fix=all applies unsafe fixes too\n",
                      n_left);
    }
    say_notes(cli, options, tree, wants_report(options));
    if (tree->n_files == 0 && tree->n_unreadable == 0) {
        (void)fputs("no workflow, action file, dependabot.yml or pre-commit file found\n",
                    cli->err);
    }
    return conclude(options, tree, &report);
}

static int check(wpa_cli *cli, wpa_error *err)
{
    wpa_check_options options = {0};
    if (!wpa_check_options_read(cli, &options, err)) {
        /* Whatever is wrong here, a missing file too, is the user's to put right. */
        err->code = WPA_E_INVALID;
        return WPA_CLI_FAILED;
    }
    if (options.explain) {
        return explain(cli, options.explain, err);
    }
    if (options.lists_rules) {
        return list_rules(cli, &options, err);
    }
    if (options.n_formats == 0) {
        size_t n;
        options.formats[options.n_formats++].format = &wpa_formats_all(&n)[0];
    }
    return run_rules(cli, &options, err);
}

static int explain_command(wpa_cli *cli, wpa_error *err)
{
    return explain(cli, cli->operands[0], err);
}

static int exit_code_of(wpa_code code)
{
    return code == WPA_E_INVALID ? EXIT_USAGE : EXIT_INTERNAL;
}

static const wpa_cli_option option_rows[] = {
    {"fix", 0, WPA_CLI_OPTIONAL, "all|RULE,...", "apply safe fixes; all: also unsafe ones"},
    {"diff", 0, WPA_CLI_FLAG, NULL, "print what --fix would change, write nothing"},
    {"format", 0, WPA_CLI_LIST, "FORMAT[=FILE]",
     "text, oneline, json, jsonl, sarif, github; may be repeated"},
    {"persona", 0, WPA_CLI_TEXT, "PERSONA", "default, pedantic, auditor"},
    {"only", 0, WPA_CLI_TEXT, "RULE,...", "run these rules alone"},
    {"skip", 0, WPA_CLI_TEXT, "RULE,...", "leave these rules out"},
    {"dimension", 0, WPA_CLI_TEXT, "DIMENSION,...", "of these dimensions alone"},
    {"kind", 0, WPA_CLI_TEXT, "KIND,...", "issue, inefficiency, opportunity"},
    {"min-severity", 0, WPA_CLI_TEXT, "SEVERITY", "nothing below low, medium, high, critical"},
    {"min-confidence", 0, WPA_CLI_TEXT, "CONFIDENCE", "nothing below low, medium, high"},
    {"fail-on", 0, WPA_CLI_TEXT, "SEVERITY|KIND=SEVERITY,...",
     "what makes the exit code 1 (default issue=medium)"},
    {"exit-zero", 0, WPA_CLI_FLAG, NULL, "exit code 0 whatever is found"},
    {"keep-going", 0, WPA_CLI_FLAG, NULL, "exit code 1 rather than 3 if both hold"},
    {"show-ignored", 0, WPA_CLI_FLAG, NULL, "list ignored findings too"},
    {"no-ignores", 0, WPA_CLI_FLAG, NULL, "as if nothing were ignored"},
    {"sort", 0, WPA_CLI_TEXT, "ORDER", "path, severity"},
    {"config", 0, WPA_CLI_TEXT, "FILE", "instead of the wpa.yml found by itself"},
    {"no-config", 0, WPA_CLI_FLAG, NULL, "read no wpa.yml"},
    {"as", 0, WPA_CLI_TEXT, "KIND", "workflow, action, dependabot, pre-commit"},
    {"stdin-path", 0, WPA_CLI_TEXT, "PATH", "name of what comes from -"},
    {"threads", 0, WPA_CLI_TEXT, "N", "instead of as many as cores"},
    {"list-rules", 0, WPA_CLI_OPTIONAL, "json", "all rules, one a line"},
    {"explain", 0, WPA_CLI_TEXT, "RULE", "what a rule means and what to do"},
};

const wpa_cli_command wpa_cli_check = {
    .name = "check",
    .operands = "[PATH|-]...",
    .summary = "check workflow files; no database, no sign-in",
    .details = "Checks workflows, action files, dependabot.yml and pre-commit files: in files and "
               "folders, or standard input with -; without a path in the repository around the "
               "current folder. Settings come from the nearest wpa.yml.\n\n"
               "Exit code: 0 nothing found that --fail-on names, 1 something found, 2 a wrong "
               "option or configuration, 3 no input or input that cannot be read, 4 an internal "
               "error, a limit, or a fix that could not be written.",
    .options = option_rows,
    .n_options = WPA_COUNT(option_rows),
    .max_operands = WPA_CLI_MANY,
    .run = check,
    .exit_code = exit_code_of,
};

const wpa_cli_command wpa_cli_explain = {
    .name = "explain",
    .operands = "RULE",
    .summary = "what a rule finds, why, and what to do about it",
    .details = "RULE is an id (missing-timeout), a code (PRF-001), or the name that another tool "
               "has for it (zizmor/artipacked).",
    .min_operands = 1,
    .max_operands = 1,
    .run = explain_command,
    .exit_code = exit_code_of,
};
