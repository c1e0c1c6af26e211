#include <inttypes.h>

#include "views/list_view.h"

static const wpa_verb hints[] = {WPA_VERB_OPEN, WPA_VERB_LOG,  WPA_VERB_REJECT, WPA_VERB_FILTER,
                                 WPA_VERB_BACK, WPA_VERB_HELP, WPA_VERB_NONE};

static void right(wpa_ui *ui, const wpa_list_view *view, char *text, size_t size_bytes)
{
    (void)view;
    if (ui->dash) {
        (void)wpa_text_format(text, size_bytes, "%" PRId64 " running  %" PRId64 " waiting",
                              ui->dash->n_jobs_running, ui->dash->n_jobs_waiting);
    }
}

static void strip(wpa_ui *ui, const wpa_canvas *canvas, const void *data,
                  const wpa_detail_view *detail)
{
    const wpa_job_row *row = data;
    char id[WPA_SHORT], title[512], attempt[WPA_SHORT];
    (void)ui;
    (void)wpa_text_format(title, sizeof title, "%s  %s",
                          wpa_object_text((wpa_object){WPA_OBJECT_JOB, row->id}, id, sizeof id),
                          row->what);
    wpa_rule(canvas, 0, title, NULL, false);
    (void)wpa_put_fitf(canvas, 1, 2, canvas->cols - 3, WPA_PAINT_TEXT, "attempt %s%s%s",
                       wpa_attempt_text(row, attempt, sizeof attempt),
                       row->owner ? "   agent " : "", row->owner ? row->owner : "");
    int at = 2;
    if (row->error) {
        at = wpa_put_wrapped(canvas, at, 2, canvas->cols - 3, WPA_PAINT_NOTICE_ERROR, row->error);
    }
    bool has_log = detail && !detail->missing && detail->job->n_log;
    size_t room = canvas->rows > at ? (size_t)(canvas->rows - at) : 0;
    size_t first = has_log && detail->job->n_log > room ? detail->job->n_log - room : 0;
    for (size_t i = first; has_log && i < detail->job->n_log; i++) {
        (void)wpa_put_fit(canvas, at++, 2, canvas->cols - 3, WPA_PAINT_MUTED, detail->job->log[i]);
    }
}

static const wpa_list_kind kind = {
    .title = "Jobs",
    .table = &wpa_job_table,
    .strip_rows = 8,
    .strip = strip,
    .empty = "No jobs.",
    .right = right,
};

static bool verb(wpa_ui *ui, wpa_page *page, wpa_verb verb)
{
    const wpa_job_row *row = wpa_list_row(ui, page);
    if (verb == WPA_VERB_OPEN && row && row->subject.kind != WPA_OBJECT_NONE) {
        wpa_ui_open(ui, row->subject);
        return true;
    }
    return wpa_list_verb(ui, page, verb);
}

const wpa_view wpa_view_jobs = {
    .id = "jobs",
    .topic = "jobs",
    .contexts = WPA_IN_LIST,
    .list = WPA_LIST_JOBS,
    .hints = hints,
    .data = &kind,
    .state_bytes = sizeof(wpa_list_state),
    .open = wpa_list_open,
    .draw = wpa_list_draw,
    .verb = verb,
    .selected = wpa_list_selected,
    .changed = wpa_list_changed,
    .cursor = wpa_list_cursor,
    .row_text = wpa_list_row_text,
};
