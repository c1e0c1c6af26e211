#include "panes/panes.h"

static void draw(wpa_ui *ui, const wpa_canvas *canvas)
{
    const wpa_engine_view *engine = &ui->dash->engine;
    char n[WPA_SHORT];
    (void)wpa_putf(canvas, 0, 2, WPA_PAINT_TEXT, "workers %d busy of %d    queue %s",
                   engine->n_busy, engine->n_workers,
                   wpa_count_text(engine->n_queued, n, sizeof n));
    int col = wpa_put(canvas, 1, 2, WPA_PAINT_TEXT, "database ");
    col = engine->database_ms < 0
              ? wpa_put(canvas, 1, col, WPA_PAINT_MUTED, "-")
              : wpa_putf(canvas, 1, col, WPA_PAINT_TEXT, "%.1f ms", engine->database_ms);
    if (engine->notify_lag_ms >= 0) {
        (void)wpa_putf(canvas, 1, col, WPA_PAINT_TEXT, "    notify lag %.0f ms",
                       engine->notify_lag_ms);
    }
    for (size_t i = 0; i < engine->n_agents; i++) {
        (void)wpa_put_fitf(canvas, 2 + (int)i, 2, canvas->cols - 4, WPA_PAINT_MUTED, "agent %s",
                           engine->agents[i]);
    }
}

static void right(wpa_ui *ui, char *text, size_t size_bytes)
{
    bool has_workers = ui->dash && ui->dash->engine.n_workers > 0;
    (void)wpa_text_copy(text, size_bytes, has_workers ? "ok" : "no agent is alive");
}

const wpa_pane wpa_pane_engine = {
    .id = "engine",
    .title = "Engine",
    .draw = draw,
    .right = right,
};
