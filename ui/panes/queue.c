#include "panes/panes.h"

static const wpa_verb hints[] = {
    WPA_VERB_OPEN, WPA_VERB_NEXT_PANE, WPA_VERB_COMMAND,
    WPA_VERB_HELP, WPA_VERB_QUIT,      WPA_VERB_NONE,
};

static int64_t total(const wpa_ui *ui)
{
    int64_t sum = 0;
    for (int i = 0; i < WPA_PATCH_STATE_COUNT; i++) {
        sum += ui->dash->patches[i];
    }
    return sum;
}

static void draw_line(wpa_ui *ui, const wpa_canvas *canvas)
{
    char n[WPA_SHORT];
    int col = 1;
    for (int i = 0; i < WPA_PATCH_STATE_COUNT; i++) {
        int64_t count = ui->dash->patches[i];
        wpa_paint paint = count ? wpa_patch_paint((wpa_patch_state)i) : WPA_PAINT_MUTED;
        col = wpa_putf(canvas, 0, col, paint, "%s ", wpa_patch_state_words[i]);
        col = wpa_put(canvas, 0, col, count ? WPA_PAINT_TEXT : WPA_PAINT_MUTED,
                      wpa_count_text(count, n, sizeof n)) +
              1;
    }
}

static void draw(wpa_ui *ui, const wpa_canvas *canvas)
{
    int64_t all = total(ui);
    char n[WPA_SHORT];
    if (!all) {
        (void)wpa_put_fit(canvas, 0, 2, canvas->cols - 3, WPA_PAINT_MUTED,
                          "No patches.  Choose a finding (3) and press p.");
        return;
    }
    if (canvas->rows < WPA_PATCH_STATE_COUNT) {
        draw_line(ui, canvas);
        return;
    }
    for (int i = 0; i < WPA_PATCH_STATE_COUNT; i++) {
        int64_t count = ui->dash->patches[i];
        (void)wpa_put(canvas, i, 2, wpa_patch_paint((wpa_patch_state)i), wpa_patch_state_words[i]);
        (void)wpa_put_right(canvas, i, 18, WPA_PAINT_TEXT, wpa_count_text(count, n, sizeof n));
        wpa_meter(canvas, i, 20, canvas->cols - 22, (double)count / (double)all, -1,
                  wpa_patch_paint((wpa_patch_state)i));
    }
}

static void right(wpa_ui *ui, char *text, size_t size_bytes)
{
    if (ui->dash) {
        (void)wpa_count_text(total(ui), text, size_bytes);
    }
}

const wpa_pane wpa_pane_queue = {
    .id = "queue",
    .title = "Patch queue",
    .hints = hints,
    .draw = draw,
    .right = right,
};
