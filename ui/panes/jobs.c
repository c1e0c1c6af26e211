#include "panes/panes.h"
#include "views/tables.h"

static const wpa_verb hints[] = {WPA_VERB_OPEN, WPA_VERB_REJECT, WPA_VERB_NEXT_PANE, WPA_VERB_HELP,
                                 WPA_VERB_NONE};

static size_t count(const wpa_ui *ui)
{
    return ui->dash ? ui->dash->n_jobs : 0;
}

static wpa_object at(const void *ui, size_t i)
{
    return (wpa_object){WPA_OBJECT_JOB, ((const wpa_ui *)ui)->dash->jobs[i].id};
}

static void draw_row(wpa_ui *ui, const wpa_canvas *canvas, int row, size_t i, const char *mark,
                     bool is_selected, bool is_focused)
{
    wpa_table_row(&wpa_job_table, canvas, row, &ui->dash->jobs[i], wpa_ui_now(ui), mark,
                  is_selected, is_focused);
}

static void right(wpa_ui *ui, char *text, size_t size_bytes)
{
    char n[WPA_SHORT];
    if (ui->dash) {
        (void)wpa_count_text(ui->dash->n_jobs_running + ui->dash->n_jobs_waiting, n, sizeof n);
        (void)wpa_text_copy(text, size_bytes, n);
    }
}

static const char *empty(wpa_ui *ui)
{
    (void)ui;
    return "No jobs.";
}

const wpa_pane wpa_pane_jobs = {
    .id = "jobs",
    .title = "Jobs",
    .hints = hints,
    .count = count,
    .at = at,
    .draw_row = draw_row,
    .right = right,
    .empty = empty,
};
