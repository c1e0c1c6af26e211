#include <inttypes.h>

#include "views/detail.h"
#include "views/tables.h"

static const wpa_verb hints[] = {
    WPA_VERB_OPEN, WPA_VERB_ANALYSE, WPA_VERB_PATCH, WPA_VERB_SCOPE,
    WPA_VERB_COPY, WPA_VERB_BACK,    WPA_VERB_HELP,  WPA_VERB_NONE,
};

static void draw_scores(wpa_doc *doc, const wpa_workflow_detail *it)
{
    char text[WPA_SHORT];
    for (int i = 0; i < WPA_DIMENSION_COUNT; i++, doc->row++) {
        double score = it->row.scores.dimension[i];
        (void)wpa_put(&doc->canvas, doc->row, 2, WPA_PAINT_TEXT,
                      wpa_dimension_text((wpa_dimension)i));
        (void)wpa_put_right(&doc->canvas, doc->row, 20, wpa_score_paint(score),
                            wpa_score_text(score, text, sizeof text));
        wpa_meter(&doc->canvas, doc->row, 22, 30, score / 100, -1, wpa_score_paint(score));
    }
    double runs = it->row.scores.runs;
    (void)wpa_put(&doc->canvas, doc->row, 2, WPA_PAINT_TEXT, "run history");
    (void)wpa_put_right(&doc->canvas, doc->row, 20, wpa_score_paint(runs),
                        wpa_score_text(runs, text, sizeof text));
    if (runs < 0) {
        (void)wpa_put(&doc->canvas, doc->row, 22, WPA_PAINT_MUTED, "no runs recorded yet");
    }
    doc->row++;
    if (it->uncapped >= 0) {
        wpa_doc_fieldf(doc, "Overall", "%.1f, based on %d of 6 parts%s%s", it->row.scores.overall,
                       it->n_parts, it->cap ? "; capped: " : "", it->cap ? it->cap : "");
    }
}

static void draw_lines(wpa_doc *doc, const wpa_workflow_detail *it)
{
    if (it->n_lines) {
        wpa_doc_rule(doc, "What costs most", NULL);
    }
    for (size_t i = 0; i < it->n_lines && i < 5; i++) {
        (void)wpa_putf(&doc->canvas, doc->row, 2, WPA_PAINT_SCORE_POOR, "%6.1f",
                       -it->lines[i].points);
        (void)wpa_put_fit(&doc->canvas, doc->row++, 10, doc->canvas.cols - 11, WPA_PAINT_TEXT,
                          it->lines[i].text);
    }
}

static void draw_table(wpa_ui *ui, wpa_doc *doc, const char *title, const wpa_table *table,
                       const void *rows, size_t n)
{
    char right[WPA_SHORT];
    if (!n) {
        return;
    }
    wpa_doc_rule(doc, title, wpa_count_text((int64_t)n, right, sizeof right));
    wpa_table_head(table, &doc->canvas, doc->row++);
    for (size_t i = 0; i < n && doc->row < WPA_DOC_ROWS - 2; i++) {
        bool is_selected = wpa_doc_item(doc, table->at(rows, i));
        wpa_table_row(table, &doc->canvas, doc->row++, (const char *)rows + i * table->row_bytes,
                      wpa_ui_now(ui), is_selected ? "▸" : " ", is_selected, true);
    }
}

static void draw(wpa_ui *ui, wpa_page *page, const wpa_canvas *canvas)
{
    wpa_detail_state *state = page->state;
    const wpa_detail_view *detail = wpa_detail_need(ui, page, canvas);
    if (!detail) {
        return;
    }
    const wpa_workflow_detail *it = detail->workflow;
    char title[512], right[512], id[WPA_SHORT];
    (void)wpa_text_format(title, sizeof title, "%s  %s",
                          wpa_object_text(page->object, id, sizeof id), it->row.name);
    (void)wpa_text_format(right, sizeof right, "%s  %s  %.7s", it->url ? it->url : "",
                          it->branch ? it->branch : "", it->commit ? it->commit : "");
    wpa_doc doc = wpa_doc_begin(&state->doc, ui->scratch, canvas);
    wpa_doc_rule(&doc, title, right);
    if (it->row.error) {
        wpa_doc_text(&doc, WPA_PAINT_NOTICE_ERROR, it->row.error);
    }
    draw_scores(&doc, it);
    draw_lines(&doc, it);
    draw_table(ui, &doc, "Findings", &wpa_finding_table, it->findings, it->n_findings);
    if (!it->n_findings) {
        wpa_doc_rule(&doc, "Findings", "0");
        wpa_doc_text(&doc, WPA_PAINT_MUTED,
                     it->row.analysed_at_us ? "No open findings."
                                            : "Not analysed yet: a analyses it.");
    }
    draw_table(ui, &doc, "Patches", &wpa_patch_table, it->patches, it->n_patches);
    draw_table(ui, &doc, "Deploys", &wpa_deployment_table, it->deployments, it->n_deployments);
    draw_table(ui, &doc, "Runs", &wpa_run_table, it->runs, it->n_runs);
    wpa_detail_end(ui, &doc, canvas);
}

/* a and . mean the workflow, whatever row is selected in it. */
static bool verb(wpa_ui *ui, wpa_page *page, wpa_verb verb)
{
    if (verb == WPA_VERB_ANALYSE && wpa_ui_check_change(ui, verb, page->object)) {
        wpa_command *command = wpa_command_new(WPA_COMMAND_ANALYSE);
        command->object = page->object;
        (void)wpa_ui_send(ui, command);
    }
    if (verb == WPA_VERB_OPEN && wpa_object_is(wpa_detail_selected(ui, page), page->object)) {
        return true;
    }
    return verb == WPA_VERB_ANALYSE || wpa_detail_verb(ui, page, verb);
}

const wpa_view wpa_view_workflow = {
    .id = "workflow",
    .topic = "a workflow",
    .state_bytes = sizeof(wpa_detail_state),
    .contexts = WPA_IN_DETAIL | WPA_ON_WORKFLOW,
    .list = -1,
    .hints = hints,
    .draw = draw,
    .verb = verb,
    .selected = wpa_detail_selected,
    .watched = wpa_detail_watched,
    .doc = wpa_detail_doc,
};
