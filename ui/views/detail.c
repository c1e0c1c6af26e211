#include "views/detail.h"

const wpa_detail_view *wpa_detail_need(wpa_ui *ui, wpa_page *page, const wpa_canvas *canvas)
{
    char id[WPA_SHORT];
    const wpa_detail_view *detail = wpa_ui_detail(ui, page->object);
    (void)wpa_object_text(page->object, id, sizeof id);
    if (!detail) {
        wpa_rule(canvas, 0, id, "⋯", false);
        (void)wpa_putf(canvas, 2, 3, WPA_PAINT_MUTED,
                       wpa_ui_is_lost(ui) ? "%s was not loaded before the database was lost."
                                          : "reading %s ...",
                       id);
        return NULL;
    }
    if (detail->missing) {
        wpa_rule(canvas, 0, id, NULL, false);
        (void)wpa_put_wrapped(canvas, 2, 3, canvas->cols - 6, WPA_PAINT_NOTICE_ERROR,
                              detail->missing);
        return NULL;
    }
    return detail;
}

bool wpa_detail_verb(wpa_ui *ui, wpa_page *page, wpa_verb verb)
{
    wpa_detail_state *state = page->state;
    (void)ui;
    return wpa_doc_verb(&state->doc, verb);
}

void wpa_detail_end(wpa_ui *ui, wpa_doc *doc, const wpa_canvas *canvas)
{
    wpa_doc_end(doc, canvas);
    if (doc->state->is_lost) {
        ui->hold_keys_until_us = ui->local_us + (int64_t)750 * 1000;
        ui->is_dirty = true; /* the row that is selected now is drawn as such */
    }
}

wpa_object wpa_detail_selected(wpa_ui *ui, wpa_page *page)
{
    const wpa_detail_state *state = page->state;
    (void)ui;
    if (state->doc.n_items && state->doc.selected_object.kind != WPA_OBJECT_NONE) {
        return state->doc.selected_object;
    }
    return page->object;
}

wpa_object wpa_detail_watched(wpa_ui *ui, wpa_page *page)
{
    (void)ui;
    return page->object;
}

wpa_doc_state *wpa_detail_doc(wpa_page *page)
{
    return &((wpa_detail_state *)page->state)->doc;
}

void wpa_detail_go(wpa_ui *ui, wpa_page *page, wpa_object object)
{
    if (object.kind != WPA_OBJECT_NONE) {
        wpa_detail_state *state = page->state;
        page->object = object;
        wpa_doc_restart(&state->doc);
        state->place = 0;
        wpa_ui_sync(ui);
    }
}

void wpa_ui_detail_comments(wpa_doc *doc, const wpa_comment_row *comments, size_t n, int64_t now_us)
{
    char time[WPA_SHORT];
    if (n) {
        wpa_doc_rule(doc, "Comments", NULL);
    }
    for (size_t i = 0; i < n; i++) {
        (void)wpa_putf(&doc->canvas, doc->row++, 2, WPA_PAINT_MUTED, "%s  %s",
                       wpa_time_text(comments[i].at_us, now_us, time, sizeof time),
                       comments[i].who);
        wpa_doc_text(doc, WPA_PAINT_TEXT, comments[i].text);
    }
}

void wpa_detail_activity(wpa_doc *doc, const wpa_activity_row *rows, size_t n, int64_t now_us)
{
    char time[WPA_SHORT];
    for (size_t i = 0; i < n; i++) {
        int col = wpa_put(&doc->canvas, doc->row, 2, WPA_PAINT_MUTED,
                          wpa_time_text(rows[i].at_us, now_us, time, sizeof time));
        col = wpa_putf(&doc->canvas, doc->row, col + 2, WPA_PAINT_MUTED, "%-8s ",
                       rows[i].who ? rows[i].who : "");
        doc->row = wpa_put_wrapped(&doc->canvas, doc->row, col, doc->canvas.cols - col - 1,
                                   WPA_PAINT_TEXT, rows[i].text);
    }
}
