#include <string.h>

#include "console/ui.h"

static wpa_rows *rows_of(wpa_ui *ui)
{
    int list = wpa_ui_page(ui)->view->list;
    return list >= 0 ? &ui->lists[list] : NULL;
}

static wpa_doc_state *doc_of(wpa_ui *ui)
{
    wpa_page *page = wpa_ui_page(ui);
    return page->view->doc ? page->view->doc(page) : NULL;
}

void wpa_filter_open(wpa_ui *ui)
{
    wpa_rows *rows = rows_of(ui);
    if (doc_of(ui)) {
        ui->mode = WPA_MODE_FILTER;
        wpa_field_set(&ui->prompt, "");
    } else if (rows) {
        ui->mode = WPA_MODE_FILTER;
        (void)wpa_text_copy(rows->kept_filter, sizeof rows->kept_filter, rows->filter);
        wpa_field_set(&ui->prompt, rows->filter);
    }
}

static void apply_filter(wpa_ui *ui, const char *text)
{
    wpa_rows *rows = rows_of(ui);
    if (!wpa_text_is(rows->filter, text)) {
        (void)wpa_text_copy(rows->filter, sizeof rows->filter, text);
        wpa_ui_watch_list(ui, (wpa_list)wpa_ui_page(ui)->view->list, NULL, false);
    }
}

static void search_key(wpa_ui *ui, const wpa_key *key)
{
    if (key->code == WPA_KEY_ENTER) {
        ui->mode = WPA_MODE_NORMAL;
    } else if (key->code == WPA_KEY_ESC || (key->code == WPA_KEY_CTRL && key->character == 'c')) {
        wpa_doc_search(doc_of(ui), "");
        ui->mode = WPA_MODE_NORMAL;
    } else if (wpa_field_key(&ui->prompt, key)) {
        wpa_doc_search(doc_of(ui), ui->prompt.text);
    }
}

void wpa_filter_key(wpa_ui *ui, const wpa_key *key)
{
    wpa_rows *rows = rows_of(ui);
    if (doc_of(ui)) {
        search_key(ui, key);
    } else if (!rows) {
        ui->mode = WPA_MODE_NORMAL;
    } else if (key->code == WPA_KEY_ENTER) {
        ui->mode = WPA_MODE_NORMAL;
    } else if (key->code == WPA_KEY_ESC || (key->code == WPA_KEY_CTRL && key->character == 'c')) {
        apply_filter(ui, rows->kept_filter);
        ui->mode = WPA_MODE_NORMAL;
    } else if (wpa_field_key(&ui->prompt, key)) {
        apply_filter(ui, ui->prompt.text);
    }
}

static void draw_help_box(const wpa_canvas *canvas, int top)
{
    static const char *const lines[] = {
        "sev:crit,high       severity is one of        age<7d      newer than 7 days",
        "wf:web/*            workflow matches          !rule:QUA-* not this rule",
        "\"exact words\"       in the title              ~regex~     regular expression",
        "has:patch           a patch exists            state:open  state is",
        "fields: sev rule cat wf repo path state age score has by text",
    };
    wpa_rule(canvas, top, "Filter", "Enter keep   Esc undo   Ctrl-U clear", false);
    for (int i = 0; i < (int)WPA_COUNT(lines); i++) {
        wpa_fill(canvas, top + 1 + i, 0, canvas->cols, WPA_PAINT_TEXT, ' ');
        (void)wpa_put(canvas, top + 1 + i, 2, WPA_PAINT_MUTED, lines[i]);
    }
}

void wpa_filter_draw(wpa_ui *ui, const wpa_canvas *canvas)
{
    const wpa_rows *rows = rows_of(ui);
    int bottom = canvas->rows - 1;
    wpa_doc_state *doc = doc_of(ui);
    if (doc) {
        wpa_fill(canvas, bottom, 0, canvas->cols, WPA_PAINT_TEXT, ' ');
        (void)wpa_put(canvas, bottom, 1, WPA_PAINT_PROMPT, "/");
        wpa_field_draw(&ui->prompt, canvas, bottom, 2, canvas->cols - 20, 0, true);
        if (doc->has_no_match && ui->prompt.length) {
            (void)wpa_put_right(canvas, bottom, canvas->cols - 1, WPA_PAINT_PROMPT_ERROR,
                                "not found");
        }
        return;
    }
    if (!rows) {
        return;
    }
    if (canvas->rows >= 20) {
        draw_help_box(canvas, bottom - 8);
        wpa_fill(canvas, bottom - 2, 0, canvas->cols, WPA_PAINT_TEXT, ' ');
    }
    wpa_fill(canvas, bottom - 1, 0, canvas->cols, WPA_PAINT_TEXT, ' ');
    wpa_fill(canvas, bottom, 0, canvas->cols, WPA_PAINT_TEXT, ' ');
    char n[WPA_SHORT];
    if (rows->view && !rows->is_asking) {
        int col = wpa_putf(canvas, bottom - 1, 1, WPA_PAINT_TEXT, "%s%s match, %d ms",
                           rows->view->is_at_least ? ">=" : "",
                           wpa_count_text(rows->view->n_matching, n, sizeof n),
                           (int)(rows->view->took_us / 1000));
        if (rows->view->ignored) {
            (void)wpa_put_fitf(canvas, bottom - 1, col + 3, canvas->cols - col - 4,
                               WPA_PAINT_PROMPT_ERROR, "not understood: %s", rows->view->ignored);
        }
    } else {
        (void)wpa_put(canvas, bottom - 1, 1, WPA_PAINT_MUTED, "looking ...");
    }
    (void)wpa_put(canvas, bottom, 1, WPA_PAINT_PROMPT, "/");
    wpa_field_draw(&ui->prompt, canvas, bottom, 2, canvas->cols - 3, 0, true);
}
