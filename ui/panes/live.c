#include <inttypes.h>

#include "panes/panes.h"
#include "views/tables.h"

#define WIDE 100

static const wpa_verb hints[] = {
    WPA_VERB_OPEN,    WPA_VERB_ROLL_BACK, WPA_VERB_HOLD, WPA_VERB_DIFF, WPA_VERB_NEXT_PANE,
    WPA_VERB_COMMAND, WPA_VERB_HELP,      WPA_VERB_QUIT, WPA_VERB_NONE,
};

static size_t count(const wpa_ui *ui)
{
    return ui->dash ? ui->dash->n_live + ui->dash->n_testing : 0;
}

static wpa_object at(const void *ui, size_t i)
{
    const wpa_dashboard_view *dash = ((const wpa_ui *)ui)->dash;
    if (i < dash->n_live) {
        return (wpa_object){WPA_OBJECT_DEPLOYMENT, dash->live[i].id};
    }
    return (wpa_object){WPA_OBJECT_PATCH, dash->testing[i - dash->n_live].id};
}

static void draw_head(wpa_ui *ui, const wpa_canvas *canvas)
{
    if (canvas->cols >= WIDE && ui->dash->n_live) {
        wpa_table_head(&wpa_live_wide_table, canvas, 0);
    }
}

static const char *phase_of(const wpa_patch_row *patch)
{
    for (int i = 0; i < WPA_PHASE_COUNT; i++) {
        if (patch->suites[i] == WPA_SUITE_RUNNING) {
            return wpa_phase_words[i];
        }
    }
    return "waits for a worker";
}

static int phases_done(const wpa_patch_row *patch)
{
    int n = 0;
    for (int i = 0; i < WPA_PHASE_COUNT; i++) {
        n += patch->suites[i] == WPA_SUITE_PASSED;
    }
    return n;
}

static void draw_test(wpa_ui *ui, const wpa_canvas *canvas, int row, const wpa_patch_row *patch,
                      const char *mark, bool is_selected)
{
    wpa_canvas line = wpa_canvas_part(canvas, row, 0, 1, canvas->cols);
    char id[WPA_SHORT], age[WPA_SHORT], n[WPA_SHORT] = "";
    if (is_selected) {
        line.paint = WPA_PAINT_SELECTED;
        wpa_fill(&line, 0, 0, line.cols, WPA_PAINT_SELECTED, ' ');
        wpa_rest_cursor(&line, 0, 2);
    }
    int right = line.cols - 46 < 20 ? 20 : line.cols - 46;
    (void)wpa_put(&line, 0, 0, WPA_PAINT_MARK, mark);
    (void)wpa_put(&line, 0, 2, WPA_PAINT_TEXT,
                  wpa_object_text((wpa_object){WPA_OBJECT_PATCH, patch->id}, id, sizeof id));
    (void)wpa_put_fit(&line, 0, 9, right - 11, WPA_PAINT_TEXT, patch->name);
    int done = phases_done(patch);
    int col = wpa_putf(&line, 0, right, WPA_PAINT_STATE_TESTING, "%d/4 test  ", done);
    bool is_counted = patch->n_checks > 0;
    wpa_meter(&line, 0, col, 9,
              is_counted ? (double)patch->n_checks_done / (double)patch->n_checks : done / 4.0, -1,
              WPA_PAINT_STATE_TESTING);
    if (is_counted) {
        (void)wpa_text_format(n, sizeof n, "%" PRId64 "/%" PRId64, patch->n_checks_done,
                              patch->n_checks);
    }
    (void)wpa_put_right(&line, 0, col + 16, WPA_PAINT_TEXT, n);
    (void)wpa_put_fitf(&line, 0, col + 18, line.cols - col - 18, WPA_PAINT_TEXT, "%s %s",
                       phase_of(patch),
                       wpa_age_text(patch->updated_at_us, wpa_ui_now(ui), age, sizeof age));
}

static void draw_row(wpa_ui *ui, const wpa_canvas *canvas, int row, size_t i, const char *mark,
                     bool is_selected, bool is_focused)
{
    const wpa_dashboard_view *dash = ui->dash;
    if (i >= dash->n_live) {
        draw_test(ui, canvas, row, &dash->testing[i - dash->n_live], mark, is_selected);
        return;
    }
    wpa_table_row(canvas->cols >= WIDE ? &wpa_live_wide_table : &wpa_live_table, canvas, row,
                  &dash->live[i], wpa_ui_now(ui), mark, is_selected, is_focused);
}

static void right(wpa_ui *ui, char *text, size_t size_bytes)
{
    (void)wpa_text_format(text, size_bytes, "%zu", count(ui));
}

static const char *empty(wpa_ui *ui)
{
    (void)ui;
    return "Nothing is being tested or deployed.";
}

const wpa_pane wpa_pane_live = {
    .id = "live",
    .title = "Live tests and deploys",
    .hints = hints,
    .draw_head = NULL,
    .count = count,
    .at = at,
    .draw_row = draw_row,
    .right = right,
    .empty = empty,
};

const wpa_pane wpa_pane_live_wide = {
    .id = "live",
    .title = "Live tests and deploys",
    .hints = hints,
    .head_rows = 1,
    .draw_head = draw_head,
    .count = count,
    .at = at,
    .draw_row = draw_row,
    .right = right,
    .empty = empty,
};
