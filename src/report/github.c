/* One line a finding, and the annotations of a GitHub Actions run. */
#include <string.h>

#include <wpa/text.h>

#include "report/formats.h"

/* What is written as it is visited. */
typedef struct writer {
    wpa_buf *out;
    wpa_arena *scratch;
    const char *path; /* of the file that the last line was of */
    wpa_slice visible;
} writer;

static wpa_slice visible_path(writer *w, const wpa_result *file)
{
    if (w->path != file->path) {
        wpa_arena_reset(w->scratch);
        w->path = file->path;
        w->visible = wpa_slice_of(wpa_visible_path(file->path, w->scratch));
    }
    return w->visible;
}

/* Lines are many, and formatting them by printf, or piece by piece, takes longer than finding them
 * in the cache. */

#define NUMBER_SIZE 24

/** ":12", so that it ends there. Returns where it begins. */
static char *write_number(size_t number, char *end)
{
    for (; number >= 10; number /= 10) {
        *--end = (char)('0' + number % 10);
    }
    *--end = (char)('0' + number);
    *--end = ':';
    return end;
}

/** ":12:5". */
static wpa_slice write_place(wpa_position at, char digits[2 * NUMBER_SIZE])
{
    char *end = digits + (size_t)2 * NUMBER_SIZE;
    char *start = write_number(at.line, write_number(at.column, end));
    return (wpa_slice){start, (size_t)(end - start)};
}

/** All of them at once, or none. */
static void put_pieces(wpa_buf *out, const wpa_slice pieces[], size_t n)
{
    size_t length = 0;
    for (size_t i = 0; i < n; i++) {
        length += pieces[i].length;
    }
    char *to = wpa_buf_extend(out, length);
    for (size_t i = 0; to && i < n; i++) {
        memcpy(to, pieces[i].at, pieces[i].length);
        to += pieces[i].length;
    }
}

static void put_line(void *context, const wpa_result *file, const wpa_finding *finding)
{
    writer *w = context;
    char digits[2 * NUMBER_SIZE];
    const wpa_slice none = {"", 0};
    bool has_check = finding->check != NULL, is_open = finding->state == WPA_FINDING_OPEN;
    const wpa_slice pieces[] = {
        visible_path(w, file),
        write_place(finding->span.start, digits),
        wpa_slice_of(": "),
        wpa_slice_of(wpa_severity_name(finding->severity)),
        wpa_slice_of(": "),
        wpa_slice_of(finding->message),
        wpa_slice_of(" ["),
        wpa_slice_of(finding->rule->id),
        has_check ? wpa_slice_of("/") : none,
        has_check ? wpa_slice_of(finding->check) : none,
        is_open ? wpa_slice_of("]\n") : wpa_slice_of("] ("),
        /* of those that are not open: */
        is_open ? none : wpa_slice_of(wpa_finding_state_name(finding->state)),
        wpa_slice_of(")\n"),
    };
    put_pieces(w->out, pieces, WPA_COUNT(pieces) - (is_open ? 2 : 0));
}

void wpa_format_oneline(const wpa_report *report, wpa_buf *out)
{
    WPA_AUTO(wpa_arena) *scratch = wpa_arena_new();
    writer w = {.out = out, .scratch = scratch};
    wpa_pick pick = wpa_report_pick(report);
    wpa_report_visit(report, &pick, put_line, &w);
}

/** Escaped as workflow commands want it; properties escape ":" and "," too. */
static void escape(wpa_buf *out, const char *text, bool is_property)
{
    for (; *text; text++) {
        bool is_special = strchr("%\r\n", *text) || (is_property && strchr(":,", *text));
        if (is_special) {
            wpa_buf_printf(out, "%%%02X", (unsigned)*text);
        } else {
            wpa_buf_char(out, *text);
        }
    }
}

static const char *level_of(wpa_severity severity)
{
    switch (severity) {
    case WPA_SEVERITY_CRITICAL:
    case WPA_SEVERITY_HIGH:
        return "error";
    case WPA_SEVERITY_MEDIUM:
        return "warning";
    case WPA_SEVERITY_LOW:
    case WPA_SEVERITY_COUNT:
        break;
    }
    return "notice";
}

static void put_annotation(void *context, const wpa_result *file, const wpa_finding *finding)
{
    writer *w = context;
    const wpa_finding_span *span = &finding->span;
    wpa_arena_reset(w->scratch);
    wpa_buf_printf(w->out, "::%s file=", level_of(finding->severity));
    escape(w->out, wpa_visible_path(file->path, w->scratch), true);
    wpa_buf_printf(w->out, ",line=%zu,col=%zu,endLine=%zu,endColumn=%zu,title=", span->start.line,
                   span->start.column, span->end.line, span->end.column);
    escape(w->out, wpa_finding_name(finding, w->scratch), true);
    wpa_buf_text(w->out, "::");
    escape(w->out, finding->message, false);
    wpa_buf_char(w->out, '\n');
}

void wpa_format_github(const wpa_report *report, wpa_buf *out)
{
    WPA_AUTO(wpa_arena) *scratch = wpa_arena_new();
    writer w = {.out = out, .scratch = scratch};
    wpa_pick pick = {.order = WPA_ORDER_SEVERITY};
    wpa_report_visit(report, &pick, put_annotation, &w);
}
