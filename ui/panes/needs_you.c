#include "panes/panes.h"
#include "views/tables.h"

static const wpa_verb hints[] = {
    WPA_VERB_OPEN,   WPA_VERB_PATCH,   WPA_VERB_TEST,      WPA_VERB_APPROVE,   WPA_VERB_DEPLOY,
    WPA_VERB_REJECT, WPA_VERB_ANALYSE, WPA_VERB_ROLL_BACK, WPA_VERB_NEXT_PANE, WPA_VERB_COMMAND,
    WPA_VERB_HELP,   WPA_VERB_QUIT,    WPA_VERB_NONE,
};

static size_t count(const wpa_ui *ui)
{
    return ui->dash ? ui->dash->n_needs : 0;
}

static wpa_object at(const void *ui, size_t i)
{
    return ((const wpa_ui *)ui)->dash->needs[i].object;
}

static void draw_row(wpa_ui *ui, const wpa_canvas *canvas, int row, size_t i, const char *mark,
                     bool is_selected, bool is_focused)
{
    wpa_table_row(&wpa_needs_table, canvas, row, &ui->dash->needs[i], wpa_ui_now(ui), mark,
                  is_selected, is_focused);
}

static void right(wpa_ui *ui, char *text, size_t size_bytes)
{
    if (ui->dash) {
        (void)wpa_count_text(ui->dash->n_needs_all, text, size_bytes);
    }
}

static const char *empty(wpa_ui *ui)
{
    (void)ui;
    return "Nothing waits for you.";
}

const wpa_pane wpa_pane_needs_you = {
    .id = "needs_you",
    .title = "Needs you",
    .hints = hints,
    .count = count,
    .at = at,
    .draw_row = draw_row,
    .right = right,
    .empty = empty,
};
