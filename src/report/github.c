/* One line a finding, and the annotations of a GitHub Actions run. */
#include <string.h>

#include <wpa/text.h>

#include "report/formats.h"

/* What is written as it is visited. */
typedef struct writer {
    wpa_buf *out;
    wpa_arena *scratch;
    const char *path, *visible; /* of the file that the last line was of */
} writer;

static const char *visible_path(writer *w, const wpa_result *file)
{
    if (w->path != file->path) {
        wpa_arena_reset(w->scratch);
        w->path = file->path;
        w->visible = wpa_visible_path(file->path, w->scratch);
    }
    return w->visible;
}

/* Lines are many, and formatting them by printf takes longer than finding them in the cache. */

static void put_number(wpa_buf *out, size_t number)
{
    char digits[24];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    digits[--at] = ':';
    wpa_buf_append(out, digits + at, sizeof digits - at);
}

static void put_texts(wpa_buf *out, const char *const texts[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        wpa_buf_text(out, texts[i]);
    }
}

static void put_line(void *context, const wpa_result *file, const wpa_finding *finding)
{
    writer *w = context;
    wpa_buf_text(w->out, visible_path(w, file));
    put_number(w->out, finding->span.start.line);
    put_number(w->out, finding->span.start.column);
    put_texts(w->out,
              (const char *[]){": ", wpa_severity_name(finding->severity), ": ", finding->message,
                               " [", finding->rule->id},
              6);
    if (finding->check) {
        put_texts(w->out, (const char *[]){"/", finding->check}, 2);
    }
    wpa_buf_char(w->out, ']');
    if (finding->state != WPA_FINDING_OPEN) {
        wpa_buf_printf(w->out, " (%s)", wpa_finding_state_name(finding->state));
    }
    wpa_buf_char(w->out, '\n');
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
