#include <inttypes.h>

#include "views/list_view.h"

static const wpa_verb hints[] = {
    WPA_VERB_OPEN,   WPA_VERB_ANALYSE, WPA_VERB_MARK, WPA_VERB_SORT, WPA_VERB_SCOPE,
    WPA_VERB_FILTER, WPA_VERB_COMMAND, WPA_VERB_HELP, WPA_VERB_NONE,
};

static const wpa_sort sorts[] = {WPA_SORT_DEFAULT, WPA_SORT_NAME, WPA_SORT_FINDINGS, WPA_SORT_AGE,
                                 WPA_SORT_COUNT};

static void draw_more(wpa_ui *ui, const wpa_canvas *canvas, int row, const wpa_workflow_detail *it)
{
    char id[WPA_SHORT];
    int col = 2;
    (void)ui;
    for (size_t i = 0; i < it->n_findings && row < canvas->rows - 2; i++, row++) {
        const wpa_finding_row *finding = &it->findings[i];
        (void)wpa_put(canvas, row, 2, wpa_severity_paint(finding->severity, finding->kind),
                      wpa_severity_short(finding->severity, finding->kind));
        (void)wpa_put_fitf(canvas, row, 7, canvas->cols - 8, WPA_PAINT_TEXT, "%s line %d  %s",
                           finding->code, finding->line, finding->message);
    }
    if (it->n_patches && row < canvas->rows) {
        col = wpa_put(canvas, row, 2, WPA_PAINT_MUTED, "patches ");
        for (size_t i = 0; i < it->n_patches && col < canvas->cols - 20; i++) {
            col = wpa_putf(
                canvas, row, col, WPA_PAINT_TEXT, "%s %s  ",
                wpa_object_text((wpa_object){WPA_OBJECT_PATCH, it->patches[i].id}, id, sizeof id),
                wpa_patch_state_words[it->patches[i].state]);
        }
    }
}

static void strip(wpa_ui *ui, const wpa_canvas *canvas, const void *data,
                  const wpa_detail_view *detail)
{
    const wpa_workflow_row *row = data;
    char right[256] = "", text[WPA_SHORT];
    const wpa_workflow_detail *it = detail && !detail->missing ? detail->workflow : NULL;
    if (it) {
        (void)wpa_text_format(right, sizeof right, "%s  %s", it->url ? it->url : "",
                              it->branch ? it->branch : "");
    }
    wpa_rule(canvas, 0, row->name, canvas->cols >= 80 ? right : NULL, false);
    if (row->error) {
        (void)wpa_put_wrapped(canvas, 1, 2, canvas->cols - 3, WPA_PAINT_NOTICE_ERROR, row->error);
        return;
    }
    if (!row->analysed_at_us) {
        (void)wpa_put(canvas, 1, 2, WPA_PAINT_MUTED, "Not analysed yet: a analyses it.");
        return;
    }
    int col = wpa_putf(canvas, 1, 2, WPA_PAINT_TEXT, "%" PRId64 " finding%s  ", row->n_findings,
                       row->n_findings == 1 ? "" : "s");
    for (int i = 0; it && i < WPA_TALLY_COUNT; i++) {
        int64_t n = it->tally[wpa_tally_columns[i].index];
        if (n) {
            col = wpa_putf(canvas, 1, col, wpa_tally_columns[i].paint, "%s",
                           wpa_tally_columns[i].word);
            col = wpa_putf(canvas, 1, col, WPA_PAINT_TEXT, " %" PRId64 "  ", n);
        }
    }
    (void)wpa_put_fitf(canvas, 2, 2, canvas->cols - 3, WPA_PAINT_MUTED, "analysed %s ago",
                       wpa_age_text(row->analysed_at_us, wpa_ui_now(ui), text, sizeof text));
    if (it) {
        draw_more(ui, canvas, 3, it);
    }
}

static const wpa_list_kind kind = {
    .title = "Workflows",
    .table = &wpa_workflow_table,
    .strip_rows = 6,
    .strip = strip,
    .empty = "No workflows are being watched yet: 'wpa fleet add PATH-or-URL' adds a repository.",
    .sorts = sorts,
};

const wpa_view wpa_view_workflows = {
    .id = "workflows",
    .tab = 2,
    .topic = "workflows",
    .contexts = WPA_IN_LIST,
    .list = WPA_LIST_WORKFLOWS,
    .hints = hints,
    .data = &kind,
    WPA_LIST_VIEW,
};
