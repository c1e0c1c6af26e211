/* Reports of wpa check: into files, to standard output, and on the page of a run at GitHub. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <wpa/text.h>

#include "cli/check_kept.h"
#include "cli/commands.h"

#define STEP_SUMMARY_MAX_ROWS 200

/* ---- writing out ---- */

bool wpa_check_print(wpa_cli *cli, const char *text, size_t size_bytes, wpa_error *err)
{
    bool ok = fwrite(text, 1, size_bytes, cli->out) == size_bytes && fflush(cli->out) == 0;
    return ok || wpa_cli_fail_output(cli, err);
}

bool wpa_check_is_terminal(const wpa_cli *cli)
{
    int fd = fileno(cli->out); /* a test writes to memory, which has none */
    return fd >= 0 && isatty(fd) == 1;
}

bool wpa_check_has_colour(const wpa_cli *cli)
{
    const char *none = getenv("NO_COLOR"); /* NOLINT(concurrency-mt-unsafe): before any thread */
    return wpa_check_is_terminal(cli) && !(none && *none);
}

/* ---- reports ---- */

static bool write_through(void *file, const void *data, size_t size_bytes)
{
    return fwrite(data, 1, size_bytes, file) == size_bytes;
}

/** The table that GitHub shows on the page of the run. */
static bool write_step_summary(const wpa_report *report, wpa_error *err)
{
    const char *path = getenv("GITHUB_STEP_SUMMARY"); /* NOLINT(concurrency-mt-unsafe) */
    FILE *file = path && *path ? fopen(path, "ae") : NULL;
    if (!path || !*path) {
        return true;
    }
    if (!file) {
        return WPA_FAIL(err, WPA_E_IO, "cannot write the step summary '%s'", path);
    }
    WPA_AUTO(wpa_buf) *out = wpa_buf_new(WPA_REPORT_MAX_BYTES);
    wpa_buf_drain_to(out, write_through, file);
    wpa_report_table(report, STEP_SUMMARY_MAX_ROWS, out);
    bool ok = wpa_buf_flush(out);
    ok = fclose(file) == 0 && ok;
    return ok || WPA_FAIL(err, WPA_E_IO, "cannot write the step summary '%s'", path);
}

/* What a report says: made now, or told again. */
typedef struct report_text {
    size_t i;                 /* of the format */
    const wpa_report *report; /* NULL: told again */
    wpa_check_kept *kept;     /* gets it too; or NULL */
    const char *told;         /* [told_bytes] */
    size_t told_bytes;
} report_text;

/* Where it goes. */
typedef struct sink {
    const report_text *text;
    FILE *file;
} sink;

static bool write_and_keep(void *context, const void *data, size_t size_bytes)
{
    const sink *to = context;
    wpa_check_kept_add(to->text->kept, to->text->i, data, size_bytes);
    return write_through(to->file, data, size_bytes);
}

static bool write_to(const wpa_check_format *to, const report_text *text, bool has_colour,
                     FILE *file)
{
    if (!text->report) {
        return write_through(file, text->told, text->told_bytes) && fflush(file) == 0;
    }
    WPA_AUTO(wpa_buf) *out = wpa_buf_new(WPA_REPORT_MAX_BYTES);
    sink both = {text, file};
    wpa_report report = *text->report;
    report.has_colour = has_colour;
    wpa_buf_drain_to(out, write_and_keep, &both);
    to->format->write(&report, out);
    bool ok = wpa_buf_flush(out);
    return fflush(file) == 0 && ok;
}

/** Beside and renamed, so that a reader sees the old report or the new one; a device as it is. */
static bool write_file(const wpa_check_format *to, const report_text *text, wpa_arena *arena,
                       wpa_error *err)
{
    struct stat status;
    bool is_plain = stat(to->file, &status) != 0 || S_ISREG(status.st_mode);
    char *draft =
        is_plain ? wpa_arena_printf(arena, "%s.XXXXXX", to->file) : wpa_arena_text(arena, to->file);
    int fd = is_plain ? mkostemp(draft, O_CLOEXEC) : open(draft, O_WRONLY | O_CLOEXEC);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    bool ok = file && write_to(to, text, false, file);
    ok = ok && (!is_plain || fchmod(fd, 0644) == 0);
    if (file) {
        ok = fclose(file) == 0 && ok;
    } else if (fd >= 0) {
        (void)close(fd);
    }
    ok = ok && (!is_plain || rename(draft, to->file) == 0);
    int why = errno;
    if (!ok && is_plain && fd >= 0) {
        (void)unlink(draft);
    }
    return ok ||
           WPA_FAIL(err, WPA_E_IO, "cannot write the report '%s': %s", to->file, wpa_strerror(why));
}

static bool write_report(wpa_cli *cli, const wpa_check_format *to, const report_text *text,
                         wpa_error *err)
{
    if (to->file) {
        if (!write_file(to, text, cli->arena, err)) {
            return false;
        }
    } else if (!write_to(to, text, wpa_check_has_colour(cli), cli->out)) {
        return wpa_cli_fail_output(cli, err);
    }
    return !text->report || !wpa_text_is(to->format->name, "github") ||
           write_step_summary(text->report, err);
}

bool wpa_check_write_reports(const wpa_check_run *run, const wpa_report *report, wpa_error *err)
{
    const wpa_check_options *options = run->options;
    for (size_t i = 0; i < options->n_formats; i++) {
        const report_text text = {.i = i, .report = report, .kept = run->kept};
        if (!write_report(run->cli, &options->formats[i], &text, err)) {
            return false;
        }
    }
    return true;
}

int wpa_check_tell_again(const wpa_check_run *run, const wpa_check_told *told, wpa_error *err)
{
    const wpa_check_options *options = run->options;
    for (size_t i = 0; i < options->n_formats; i++) {
        const report_text text = {
            .i = i, .told = told->texts[i], .told_bytes = told->text_bytes[i]};
        if (!write_report(run->cli, &options->formats[i], &text, err)) {
            return WPA_CLI_FAILED;
        }
    }
    (void)fwrite(told->said, 1, told->said_bytes, run->cli->err);
    return told->code;
}
