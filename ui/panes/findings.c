#include <inttypes.h>
#include <math.h>

#include "panes/panes.h"

static const wpa_verb hints[] = {
    WPA_VERB_OPEN, WPA_VERB_NEXT_PANE, WPA_VERB_COMMAND,
    WPA_VERB_HELP, WPA_VERB_QUIT,      WPA_VERB_NONE,
};

static int64_t sum(const wpa_finding_summary *summary, int column)
{
    int64_t total = 0;
    for (int i = 0; i < WPA_DIMENSION_COUNT; i++) {
        total += summary->open[i][column];
    }
    return total;
}

static int64_t newest(const wpa_finding_summary *summary)
{
    int64_t latest = 0;
    for (int i = 0; i < WPA_DIMENSION_COUNT; i++) {
        latest = summary->newest_us[i] > latest ? summary->newest_us[i] : latest;
    }
    return latest;
}

static void draw_line(wpa_ui *ui, const wpa_canvas *canvas)
{
    const wpa_finding_summary *summary = &ui->dash->findings;
    char n[WPA_SHORT], age[WPA_SHORT];
    int col = 1;
    if (!summary->n_analysed) {
        (void)wpa_put(canvas, 0, 2, WPA_PAINT_MUTED,
                      "Nothing analysed yet.  a analyses the selected workflow, :analyse all "
                      "everything.");
        return;
    }
    for (int i = 0; i < WPA_TALLY_COUNT; i++) {
        const wpa_tally_column *column = &wpa_tally_columns[i];
        int64_t count = sum(summary, column->index);
        col = wpa_put(canvas, 0, col, count ? column->paint : WPA_PAINT_MUTED, column->word);
        col =
            wpa_putf(canvas, 0, col + 1, WPA_PAINT_TEXT, "%s", wpa_count_text(count, n, sizeof n)) +
            2;
    }
    if (newest(summary)) {
        char text[WPA_SHORT * 2];
        (void)wpa_text_format(text, sizeof text, "newest %s ago",
                              wpa_age_text(newest(summary), wpa_ui_now(ui), age, sizeof age));
        (void)wpa_put_right(canvas, 0, canvas->cols - 1, WPA_PAINT_MUTED, text);
    }
}

static void draw_row(wpa_ui *ui, const wpa_canvas *canvas, int row, int dimension)
{
    const wpa_finding_summary *summary = &ui->dash->findings;
    char text[WPA_SHORT];
    (void)wpa_put(canvas, row, 2, WPA_PAINT_TEXT, wpa_dimension_text((wpa_dimension)dimension));
    for (int i = 0; i < WPA_TALLY_COUNT; i++) {
        int64_t count = summary->open[dimension][wpa_tally_columns[i].index];
        (void)wpa_put(canvas, row, 16 + 10 * i,
                      count ? wpa_tally_columns[i].paint : WPA_PAINT_MUTED,
                      wpa_count_text(count, text, sizeof text));
    }
    double week[14], high = 1;
    for (int i = 0; i < 14; i++) {
        week[i] = (double)summary->week[dimension][i];
        high = week[i] > high ? week[i] : high;
    }
    if (canvas->cols >= 100) {
        (void)wpa_spark(canvas, row, 68, 14, week, 14, 0, high, WPA_PAINT_CHART_1);
        (void)wpa_put(
            canvas, row, 85, WPA_PAINT_MUTED,
            summary->newest_us[dimension]
                ? wpa_age_text(summary->newest_us[dimension], wpa_ui_now(ui), text, sizeof text)
                : "-");
    }
    if (canvas->cols >= 130) {
        (void)wpa_put(canvas, row, 95, WPA_PAINT_TEXT,
                      wpa_count_text(summary->opened_24h[dimension], text, sizeof text));
        (void)wpa_put(canvas, row, 109, WPA_PAINT_TEXT,
                      wpa_count_text(summary->fixed_24h[dimension], text, sizeof text));
    }
}

void wpa_finding_matrix_draw(wpa_ui *ui, const wpa_canvas *canvas)
{
    for (int i = 0; i < WPA_TALLY_COUNT; i++) {
        (void)wpa_put(canvas, 0, 16 + 10 * i, WPA_PAINT_MUTED, wpa_tally_columns[i].word);
    }
    if (canvas->cols >= 100) {
        (void)wpa_put(canvas, 0, 68, WPA_PAINT_MUTED, "7 days           newest");
    }
    if (canvas->cols >= 130) {
        (void)wpa_put(canvas, 0, 95, WPA_PAINT_MUTED, "opened 24 h   fixed 24 h");
    }
    for (int i = 0; i < WPA_DIMENSION_COUNT; i++) {
        draw_row(ui, canvas, i + 1, i);
    }
}

static void draw(wpa_ui *ui, const wpa_canvas *canvas)
{
    if (canvas->rows >= 1 + WPA_DIMENSION_COUNT && ui->dash->findings.n_analysed) {
        wpa_finding_matrix_draw(ui, canvas);
    } else {
        draw_line(ui, canvas);
    }
}

static void right(wpa_ui *ui, char *text, size_t size_bytes)
{
    char n[WPA_SHORT];
    if (ui->dash) {
        (void)wpa_text_format(text, size_bytes, "%s open",
                              wpa_count_text(ui->dash->findings.n_open, n, sizeof n));
    }
}

const wpa_pane wpa_pane_findings = {
    .id = "findings",
    .title = "Findings",
    .hints = hints,
    .draw = draw,
    .right = right,
};

void wpa_health_draw(wpa_ui *ui, const wpa_canvas *canvas, int row)
{
    const wpa_dashboard_view *dash = ui->dash;
    char text[WPA_SHORT];
    if (!dash) {
        (void)wpa_put(canvas, row, 1, WPA_PAINT_MUTED, "Health ⋯");
        return;
    }
    int col = wpa_put(canvas, row, 1, WPA_PAINT_TITLE, "Health ");
    col = wpa_put(canvas, row, col, wpa_score_paint(dash->scores.overall),
                  wpa_score_text(dash->scores.overall, text, sizeof text));
    if (fabs(dash->change_24h) >= 0.5) {
        col = wpa_putf(canvas, row, col + 1,
                       dash->change_24h > 0 ? WPA_PAINT_SCORE_GOOD : WPA_PAINT_SCORE_POOR, "%s%.0f",
                       dash->change_24h > 0 ? "▴" : "▾", fabs(dash->change_24h));
    }
    col += 3;
    int meter = canvas->cols >= 180 ? 16 : canvas->cols >= 110 ? 7 : 0;
    for (int i = 0; i < WPA_DIMENSION_COUNT; i++) {
        double score = dash->scores.dimension[i];
        col = wpa_putf(canvas, row, col, WPA_PAINT_TEXT, "%s ",
                       wpa_dimension_short((wpa_dimension)i));
        if (meter) {
            wpa_meter(canvas, row, col, meter, score / 100, -1, wpa_score_paint(score));
            col += meter + 1;
        }
        col = wpa_put(canvas, row, col, wpa_score_paint(score),
                      wpa_score_text(score, text, sizeof text)) +
              2;
    }
    int room = canvas->cols - col - 8;
    if (dash->n_history > 0 && room >= 4) {
        int width = room > 30 ? 30 : room;
        col = wpa_putf(canvas, row, col + 1, WPA_PAINT_MUTED, "%d d ",
                       dash->n_history > (size_t)width ? width : (int)dash->n_history);
        (void)wpa_spark(canvas, row, col, width, dash->history, dash->n_history, 0, 100,
                        WPA_PAINT_CHART_1);
    }
}
