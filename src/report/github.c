/* One line a finding, and the annotations of a GitHub Actions run. */
#include <string.h>

#include <wpa/text.h>

#include "report/formats.h"

void wpa_format_oneline(const wpa_report *report, wpa_buf *out)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    size_t n;
    wpa_listed *list =
        wpa_report_list(report, report->is_sorted_by_severity, report->shows_ignored, arena, &n);
    for (size_t i = 0; i < n; i++) {
        const wpa_finding *finding = list[i].finding;
        wpa_buf_printf(out, "%s:%zu:%zu: %s: %s [%s]%s\n", wpa_visible_path(finding->path, arena),
                       finding->span.start.line, finding->span.start.column,
                       wpa_severity_name(finding->severity), finding->message,
                       wpa_finding_name(finding, arena),
                       finding->state == WPA_FINDING_OPEN ? "" : " (ignored)");
    }
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

void wpa_format_github(const wpa_report *report, wpa_buf *out)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    size_t n;
    wpa_listed *list = wpa_report_list(report, true, false, arena, &n);
    for (size_t i = 0; i < n; i++) {
        const wpa_finding *finding = list[i].finding;
        const wpa_finding_span *span = &finding->span;
        wpa_buf_printf(out, "::%s file=", level_of(finding->severity));
        escape(out, wpa_visible_path(finding->path, arena), true);
        wpa_buf_printf(out, ",line=%zu,col=%zu,endLine=%zu,endColumn=%zu,title=", span->start.line,
                       span->start.column, span->end.line, span->end.column);
        escape(out, wpa_finding_name(finding, arena), true);
        wpa_buf_text(out, "::");
        escape(out, finding->message, false);
        wpa_buf_char(out, '\n');
    }
}
