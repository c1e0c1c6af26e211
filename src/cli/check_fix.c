/* What becomes of fixed texts: written, printed, or shown as a patch. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <wpa/file.h>
#include <wpa/file_set.h>
#include <wpa/text.h>

#include "cli/check_options.h"
#include "edit/diff.h"

static bool is_changed(const wpa_tree_file *file)
{
    const wpa_fix_outcome *outcome = file->fixed;
    return outcome->n_applied > 0 && (outcome->size_bytes != file->size_bytes ||
                                      memcmp(outcome->text, file->text, file->size_bytes) != 0);
}

/** Written only if the file still is what was read. */
static bool write_fixed(const wpa_tree_file *file, wpa_arena *arena, wpa_error *err)
{
    const wpa_fix_outcome *outcome = file->fixed;
    struct stat status;
    size_t size_bytes;
    if (file->oid) {
        return WPA_FAIL(err, WPA_E_INVALID,
                        "%s is in git's history and was left alone (see --diff)", file->path);
    }
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

static bool print_diff(wpa_cli *cli, const char *path, const wpa_fix_change *change,
                       wpa_arena *arena, wpa_error *err)
{
    const char *diff = wpa_diff_unified(path, change->before, change->before_bytes, change->after,
                                        change->after_bytes, arena);
    if (wpa_check_is_terminal(cli)) {
        diff = wpa_text_visible(arena, diff, strlen(diff), true);
    }
    return wpa_check_print(cli, diff, strlen(diff), err);
}

static wpa_fix_change change_of(const wpa_tree_file *file)
{
    return (wpa_fix_change){.before = file->text,
                            .before_bytes = file->size_bytes,
                            .after = file->fixed->text,
                            .after_bytes = file->fixed->size_bytes};
}

static bool deliver_fix(wpa_check_run *run, const wpa_tree_file *file, wpa_arena *arena,
                        wpa_error *err)
{
    wpa_cli *cli = run->cli;
    const wpa_check_options *options = run->options;
    if (options->is_diff) {
        const wpa_fix_change change = change_of(file);
        return !is_changed(file) || print_diff(cli, file->path, &change, arena, err);
    }
    if (is_stdin(options, file)) {
        return wpa_check_print(cli, file->fixed->text, file->fixed->size_bytes, err);
    }
    if (!is_changed(file)) {
        return true;
    }
    if (!write_fixed(file, arena, err)) {
        return false;
    }
    run->n_written++;
    (void)fprintf(cli->err, "fixed %zu in %s\n", file->fixed->n_applied,
                  wpa_text_visible(arena, file->path, strlen(file->path), false));
    return true;
}

static void print_note(wpa_cli *cli, const wpa_note *note, wpa_arena *arena)
{
    const char *path = wpa_text_visible(arena, note->path, strlen(note->path), false);
    (void)fprintf(cli->err, "note: %s: %s%s%s\n", path, note->rule ? note->rule : "",
                  note->rule ? ": " : "", note->text);
}

static void fail(wpa_check_run *run, const wpa_error *why)
{
    if (run->has_failed) { /* the last one is said by the caller */
        (void)fprintf(run->cli->err, "wpa: %s\n", run->failure.message);
    }
    run->failure = *why;
    run->has_failed = true;
}

void wpa_check_deliver_fix(wpa_check_run *run, const wpa_tree_file *file)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    for (size_t i = 0; i < file->fixed->n_notes; i++) {
        print_note(run->cli, &file->fixed->notes[i], arena);
    }
    wpa_error why = {0};
    if (!deliver_fix(run, file, arena, &why)) {
        fail(run, &why);
    }
}

/* ---- files that change together ---- */

static bool print_diffs(wpa_cli *cli, const wpa_tree_together *together, wpa_arena *arena,
                        wpa_error *err)
{
    bool ok = true;
    for (size_t i = 0; i < together->n && ok; i++) {
        const wpa_fix_change *change = &together->changes[i];
        const char *path = wpa_arena_printf(arena, "%s%s", together->prefix, change->path);
        ok = print_diff(cli, path, change, arena, err);
    }
    return ok;
}

static bool write_together(const wpa_tree_together *together, wpa_arena *arena, wpa_error *err)
{
    wpa_file_write *writes = wpa_arena_array(arena, together->n, sizeof *writes);
    if (together->is_revision) {
        return WPA_FAIL(err, WPA_E_INVALID,
                        "%s%s is in git's history and was left alone (see --diff)",
                        together->prefix, together->changes[0].path);
    }
    for (size_t i = 0; i < together->n; i++) {
        const wpa_fix_change *c = &together->changes[i];
        writes[i] = (wpa_file_write){c->path, c->before, c->before_bytes, c->after, c->after_bytes};
    }
    const char *folder = *together->prefix ? together->prefix : ".";
    return wpa_files_write(folder, writes, together->n, arena, err) ||
           wpa_error_within(err, "none of %zu files was changed", together->n);
}

static void tell_of(wpa_cli *cli, const wpa_tree_together *together, wpa_arena *arena)
{
    (void)fprintf(cli->err, "fixed %zu over %zu file%s:\n", together->n_applied, together->n,
                  together->n == 1 ? "" : "s");
    for (size_t i = 0; i < together->n; i++) {
        const wpa_fix_change *change = &together->changes[i];
        const char *path = wpa_arena_printf(arena, "%s%s", together->prefix, change->path);
        (void)fprintf(cli->err, "  %s%s\n", wpa_text_visible(arena, path, strlen(path), false),
                      change->before ? "" : " (new)");
    }
}

void wpa_check_deliver_together(wpa_check_run *run, const wpa_tree_together *together)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_error why = {0};
    for (size_t i = 0; i < together->n_notes; i++) {
        print_note(run->cli, &together->notes[i], arena);
    }
    if (together->n == 0) {
        return;
    }
    if (run->options->is_diff) {
        if (!print_diffs(run->cli, together, arena, &why)) {
            fail(run, &why);
        }
    } else if (write_together(together, arena, &why)) {
        run->n_written += together->n;
        tell_of(run->cli, together, arena);
    } else {
        fail(run, &why);
    }
}
