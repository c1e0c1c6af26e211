#include "panes/panes.h"

void wpa_pane_draw(wpa_ui *ui, const wpa_pane *pane, const wpa_canvas *canvas, wpa_cursor *cursor,
                   bool is_focused)
{
    char right[WPA_SHORT] = "";
    if (canvas->rows <= 0) {
        return;
    }
    if (pane->right) {
        pane->right(ui, right, sizeof right);
    }
    wpa_rule(canvas, 0, pane->title, right, is_focused);
    wpa_canvas body = wpa_canvas_part(canvas, 1, 0, canvas->rows - 1, canvas->cols);
    if (!ui->dash) {
        (void)wpa_put(&body, 0, 2, WPA_PAINT_MUTED, "⋯");
        return;
    }
    size_t n = pane->count ? pane->count(ui) : 1;
    if (!n) {
        (void)wpa_put_fit(&body, 0, 2, body.cols - 3, WPA_PAINT_MUTED,
                          pane->empty ? pane->empty(ui) : "nothing");
        return;
    }
    if (!pane->count) {
        pane->draw(ui, &body);
        return;
    }
    if (pane->draw_head) {
        pane->draw_head(ui, &body);
    }
    wpa_canvas rows =
        wpa_canvas_part(&body, pane->head_rows, 0, body.rows - pane->head_rows, body.cols);
    wpa_cursor_show(cursor, n, rows.rows);
    for (int i = 0; i < rows.rows && cursor->top + i < (int)n; i++) {
        size_t index = (size_t)cursor->top + (size_t)i;
        bool is_selected = (int)index == cursor->index;
        wpa_zone_add(&rows, i, 0, 1, rows.cols, WPA_ZONE_ROW, (int)index);
        pane->draw_row(ui, &rows, i, index, is_selected && is_focused ? "▸" : " ",
                       is_selected && is_focused, is_focused);
    }
}

int wpa_pane_rows(wpa_ui *ui, const wpa_pane *pane)
{
    size_t n = pane->count && ui->dash ? pane->count(ui) : 1;
    return 1 + pane->head_rows + (n > 60 ? 60 : n < 1 ? 1 : (int)n);
}
