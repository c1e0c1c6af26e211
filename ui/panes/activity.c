#include "panes/panes.h"

static const wpa_verb hints[] = {WPA_VERB_OPEN, WPA_VERB_NEXT_PANE, WPA_VERB_HELP, WPA_VERB_NONE};

static size_t count(const wpa_ui *ui)
{
    return ui->dash ? ui->dash->n_activity : 0;
}

static wpa_object at(const void *ui, size_t i)
{
    return ((const wpa_ui *)ui)->dash->activity[i].object;
}

static void draw_row(wpa_ui *ui, const wpa_canvas *canvas, int row, size_t i, const char *mark,
                     bool is_selected, bool is_focused)
{
    const wpa_activity_row *activity = &ui->dash->activity[i];
    char time[WPA_SHORT];
    wpa_canvas line = wpa_canvas_part(canvas, row, 0, 1, canvas->cols);
    if (is_selected && is_focused) {
        line.paint = WPA_PAINT_SELECTED;
        wpa_fill(&line, 0, 0, line.cols, WPA_PAINT_SELECTED, ' ');
    }
    (void)wpa_put(&line, 0, 0, WPA_PAINT_MARK, mark);
    int col = wpa_put(&line, 0, 2, WPA_PAINT_MUTED,
                      wpa_time_text(activity->at_us, wpa_ui_now(ui), time, sizeof time));
    (void)wpa_put_fit(&line, 0, col + 2, 8, WPA_PAINT_TEXT, activity->who);
    (void)wpa_put_fit(&line, 0, col + 11, line.cols - col - 12, WPA_PAINT_TEXT, activity->text);
}

static void right(wpa_ui *ui, char *text, size_t size_bytes)
{
    (void)wpa_text_copy(text, size_bytes, wpa_ui_is_live(ui) ? "live" : "not live");
}

static const char *empty(wpa_ui *ui)
{
    (void)ui;
    return "Nothing has happened yet.";
}

const wpa_pane wpa_pane_activity = {
    .id = "activity",
    .title = "Activity",
    .hints = hints,
    .count = count,
    .at = at,
    .draw_row = draw_row,
    .right = right,
    .empty = empty,
};
