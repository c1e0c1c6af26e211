#include "panes/panes.h"
#include "views/tables.h"

static const wpa_verb hints[] = {
    WPA_VERB_OPEN,    WPA_VERB_ANALYSE, WPA_VERB_SCOPE, WPA_VERB_NEXT_PANE,
    WPA_VERB_FILTER,  WPA_VERB_COMMAND, WPA_VERB_HELP,  WPA_VERB_QUIT,
    WPA_VERB_NOTICES, WPA_VERB_JOBS,    WPA_VERB_NONE,
};

static size_t count(const wpa_ui *ui)
{
    return ui->dash ? ui->dash->n_worst : 0;
}

static wpa_object at(const void *ui, size_t i)
{
    const wpa_ui *console = ui;
    return (wpa_object){WPA_OBJECT_WORKFLOW, console->dash->worst[i].id};
}

static void draw_head(wpa_ui *ui, const wpa_canvas *canvas)
{
    (void)ui;
    wpa_table_head(&wpa_workflow_table, canvas, 0);
}

static void draw_row(wpa_ui *ui, const wpa_canvas *canvas, int row, size_t i, const char *mark,
                     bool is_selected, bool is_focused)
{
    wpa_table_row(&wpa_workflow_table, canvas, row, &ui->dash->worst[i], wpa_ui_now(ui), mark,
                  is_selected, is_focused);
}

static void right(wpa_ui *ui, char *text, size_t size_bytes)
{
    char all[WPA_SHORT];
    if (ui->dash) {
        (void)wpa_text_format(text, size_bytes, "%zu of %s", ui->dash->n_worst,
                              wpa_count_text(ui->dash->n_workflows, all, sizeof all));
    }
}

static const char *empty(wpa_ui *ui)
{
    (void)ui;
    return "No workflows are being watched yet: 'wpa fleet add PATH-or-URL' adds a repository.";
}

const wpa_pane wpa_pane_workflows = {
    .id = "workflows",
    .title = "Workflows, worst first",
    .hints = hints,
    .head_rows = 1,
    .draw_head = draw_head,
    .count = count,
    .at = at,
    .draw_row = draw_row,
    .right = right,
    .empty = empty,
};
