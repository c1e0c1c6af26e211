#include <inttypes.h>

#include "views/detail.h"
#include "views/tables.h"

static const wpa_verb hints[] = {
    WPA_VERB_DIFF,   WPA_VERB_TEST,      WPA_VERB_APPROVE, WPA_VERB_DEPLOY,
    WPA_VERB_REJECT, WPA_VERB_ROLL_BACK, WPA_VERB_OPEN,    WPA_VERB_COMMENT,
    WPA_VERB_COPY,   WPA_VERB_BACK,      WPA_VERB_HELP,    WPA_VERB_NONE,
};

typedef struct patch_state {
    wpa_detail_state detail;
    int phase; /* selected one; its checks stand below */
} patch_state;

static void draw_head(wpa_ui *ui, wpa_doc *doc, const wpa_patch_detail *it)
{
    char right[WPA_SHORT * 2], title[512], id[WPA_SHORT], made[WPA_SHORT];
    const wpa_patch_row *row = &it->row;
    (void)wpa_text_format(title, sizeof title, "%s  %s",
                          wpa_object_text((wpa_object){WPA_OBJECT_PATCH, row->id}, id, sizeof id),
                          row->name);
    (void)wpa_text_format(right, sizeof right, "%s %s%s%s", wpa_patch_glyph(row->state),
                          wpa_patch_state_words[row->state], row->reason ? ": " : "",
                          row->reason ? row->reason : "");
    wpa_doc_rule(doc, title, right);
    wpa_doc_fieldf(doc, "fixes",
                   "%" PRId64 " finding%s (%s)   %" PRId64 " workflow%s   +%" PRId64 " -%" PRId64
                   "   %s %s, made by %s %sZ",
                   it->n_findings_all, it->n_findings_all == 1 ? "" : "s",
                   it->rules ? it->rules : "-", row->n_workflows, row->n_workflows == 1 ? "" : "s",
                   it->n_lines_added, it->n_lines_removed, wpa_patch_type_words[row->type],
                   row->version ? row->version : "", row->author ? row->author : "agent",
                   wpa_time_text(row->created_at_us, wpa_ui_now(ui), made, sizeof made));
    if (it->issue) {
        wpa_doc_field(doc, "answers", it->issue);
    }
    if (it->risk) {
        wpa_doc_field(doc, "risk", it->risk);
    }
    if (it->n_approvals || it->approved_by) {
        wpa_doc_fieldf(doc, "approved", "%d of %d%s%s", it->n_approvals, it->n_approvals_required,
                       it->approved_by ? " by " : "", it->approved_by ? it->approved_by : "");
    }
    if (row->deployment_id) {
        wpa_doc_fieldf(doc, "deploy", "d-%" PRId64 "%s", row->deployment_id,
                       row->is_live ? "  live: 5 shows it, R rolls it back" : "");
    }
}

static void draw_phase(wpa_doc *doc, const wpa_test_phase *phase, int i, bool is_selected)
{
    char took[WPA_SHORT];
    wpa_canvas line = wpa_canvas_part(&doc->canvas, doc->row, 0, 1, doc->canvas.cols);
    if (is_selected) {
        line.paint = WPA_PAINT_SELECTED;
        wpa_fill(&line, 0, 0, line.cols, WPA_PAINT_SELECTED, ' ');
        (void)wpa_put(&line, 0, 0, WPA_PAINT_FOCUS, "▸");
    }
    (void)wpa_putf(&line, 0, 2, wpa_suite_paint(phase->state), "%s %s",
                   wpa_suite_glyph(phase->state), wpa_phase_words[i]);
    (void)wpa_put(&line, 0, 18, wpa_suite_paint(phase->state), wpa_suite_text(phase->state));
    (void)wpa_putf(&line, 0, 30, WPA_PAINT_TEXT, "%d/%d", phase->n_passed, phase->n_total);
    (void)wpa_put(&line, 0, 40, WPA_PAINT_TEXT, wpa_took_text(phase->took_ms, took, sizeof took));
    (void)wpa_put_fit(&line, 0, 49, line.cols - 50, WPA_PAINT_MUTED,
                      phase->note ? phase->note : "");
    doc->row++;
}

static const struct {
    const char *glyph, *word;
    wpa_paint paint;
} results[WPA_RESULT_COUNT] = {
    [WPA_RESULT_PASS] = {"✓", "pass", WPA_PAINT_STATE_TESTED},
    [WPA_RESULT_WARN] = {"▴", "warn", WPA_PAINT_CHECK_NEAR},
    [WPA_RESULT_FAIL] = {"✗", "fail", WPA_PAINT_STATE_FAILED},
    [WPA_RESULT_SKIPPED] = {"∙", "skipped", WPA_PAINT_MUTED},
    [WPA_RESULT_ERROR] = {"✗", "error", WPA_PAINT_STATE_FAILED},
};

static void draw_evidence(wpa_doc *doc, const wpa_patch_check *check)
{
    for (size_t i = 0; i < check->n_evidence && doc->row < WPA_DOC_ROWS - 20; i++) {
        (void)wpa_put(&doc->canvas, doc->row, 6, WPA_PAINT_MUTED, check->evidence[i].label);
        int next = wpa_put_wrapped(&doc->canvas, doc->row, 16, doc->canvas.cols - 18,
                                   WPA_PAINT_TEXT, check->evidence[i].text);
        doc->row = next > doc->row ? next : doc->row + 1;
    }
}

static bool is_passed(const wpa_patch_check *check)
{
    return !check->is_running && check->result == WPA_RESULT_PASS && !check->waiver;
}

/* A check of many targets that passed in all of them is one row. Returns how many rows it is. */
static size_t same_passes(const wpa_patch_tests *report, size_t i)
{
    size_t n = 1;
    while (is_passed(&report->checks[i]) && i + n < report->n_checks &&
           is_passed(&report->checks[i + n]) &&
           wpa_text_is(report->checks[i].id, report->checks[i + n].id)) {
        n++;
    }
    return n;
}

static void draw_check(wpa_doc *doc, const wpa_patch_check *check, size_t n_targets)
{
    char took[WPA_SHORT], where[WPA_SHORT] = "";
    size_t result = check->result < WPA_RESULT_COUNT ? check->result : WPA_RESULT_ERROR;
    const char *glyph = check->is_running ? "⟳" : results[result].glyph;
    wpa_paint paint = check->is_running ? WPA_PAINT_STATE_TESTING : results[result].paint;
    (void)wpa_putf(&doc->canvas, doc->row, 2, paint, "%s %-5s", glyph, check->id);
    if (n_targets > 1) {
        (void)wpa_text_format(where, sizeof where, "  %zu target%s", n_targets,
                              n_targets == 1 ? "" : "s");
    }
    const char *target = n_targets == 1 && check->workflow ? check->workflow : "";
    (void)wpa_put_fitf(&doc->canvas, doc->row, 10, doc->canvas.cols - 36, WPA_PAINT_TEXT,
                       "%s%s%s%s", check->name, where, *target ? "  " : "", target);
    (void)wpa_put(&doc->canvas, doc->row, doc->canvas.cols - 24, paint,
                  check->is_running ? "running" : results[result].word);
    (void)wpa_put(&doc->canvas, doc->row, doc->canvas.cols - 14, WPA_PAINT_MUTED,
                  check->is_required ? "" : "optional");
    (void)wpa_put_right(&doc->canvas, doc->row++, doc->canvas.cols - 1, WPA_PAINT_MUTED,
                        wpa_took_text(check->took_ms, took, sizeof took));
    if (check->reason) {
        doc->row = wpa_put_wrapped(&doc->canvas, doc->row, 10, doc->canvas.cols - 12, paint,
                                   check->reason);
    }
    if (check->waiver) {
        doc->row = wpa_put_wrapped(&doc->canvas, doc->row, 10, doc->canvas.cols - 12,
                                   WPA_PAINT_CHECK_NEAR, check->waiver);
    }
    bool is_bad = check->result == WPA_RESULT_FAIL || check->result == WPA_RESULT_ERROR ||
                  check->result == WPA_RESULT_WARN;
    if (!check->is_running && is_bad) {
        draw_evidence(doc, check);
    }
}

/* After a failure its phase is what a guardian wants to see first. */
static int first_phase(const wpa_patch_tests *report)
{
    for (int i = 0; i < WPA_PHASE_COUNT; i++) {
        wpa_suite_state state = report->phases[i].state;
        if (state == WPA_SUITE_FAILED || state == WPA_SUITE_ERROR || state == WPA_SUITE_RUNNING) {
            return i;
        }
    }
    return 0;
}

static void draw_report(wpa_ui *ui, wpa_doc *doc, patch_state *state, const wpa_patch_detail *it)
{
    const wpa_patch_tests *report = it->report;
    char right[WPA_SHORT * 3] = "", time[WPA_SHORT], took[WPA_SHORT];
    if (report) {
        int64_t end_us = report->finished_at_us ? report->finished_at_us : wpa_ui_now(ui);
        (void)wpa_text_format(
            right, sizeof right, "run %" PRId64 "  started %sZ  %s %s", report->run,
            wpa_time_text(report->started_at_us, wpa_ui_now(ui), time, sizeof time),
            report->finished_at_us ? "took" : "for",
            wpa_took_text((end_us - report->started_at_us) / 1000, took, sizeof took));
    }
    wpa_doc_rule(doc, "Test report", right);
    if (!report) {
        wpa_doc_text(doc, WPA_PAINT_MUTED, "Not tested yet: t tests it.");
        return;
    }
    (void)wpa_put(&doc->canvas, doc->row++, 2, WPA_PAINT_MUTED,
                  "SUITE           RESULT      CASES     TIME     WHAT IT SHOWS");
    int shown = state->phase ? state->phase - 1 : first_phase(report);
    for (int i = 0; i < WPA_PHASE_COUNT; i++) {
        draw_phase(doc, &report->phases[i], i, i == shown);
    }
    wpa_doc_rule(doc, wpa_phase_words[shown], report->phases[shown].note);
    for (size_t i = 0; i < report->n_checks && doc->row < WPA_DOC_ROWS - 60; i++) {
        if ((int)report->checks[i].phase == shown) {
            size_t n = same_passes(report, i);
            draw_check(doc, &report->checks[i], n);
            i += n - 1;
        }
    }
    if (report->failure) {
        wpa_doc_field(doc, "cause", report->failure);
    }
}

static void draw_rest(wpa_ui *ui, wpa_doc *doc, const wpa_patch_detail *it)
{
    char text[WPA_SHORT], n[WPA_SHORT];
    wpa_doc_rule(doc, "Plan", it->n_plan ? wpa_took_text(it->plan_ms, text, sizeof text) : NULL);
    for (size_t i = 0; i < it->n_plan; i++) {
        (void)wpa_put_fitf(&doc->canvas, doc->row++, 2, doc->canvas.cols - 3, WPA_PAINT_TEXT,
                           "stage %zu  %-8s  %s workflow%s  bake %s  %s", i + 1, it->plan[i].label,
                           wpa_count_text(it->plan[i].n_workflows, n, sizeof n),
                           it->plan[i].n_workflows == 1 ? "" : "s",
                           wpa_took_text(it->plan[i].bake_ms, text, sizeof text),
                           it->plan[i].targets ? it->plan[i].targets : "");
    }
    if (it->n_findings) {
        wpa_doc_rule(doc, "Findings it answers", wpa_count_text(it->n_findings_all, n, sizeof n));
    }
    for (size_t i = 0; i < it->n_findings && doc->row < WPA_DOC_ROWS - 40; i++) {
        wpa_table_row(&wpa_finding_table, &doc->canvas, doc->row++, &it->findings[i],
                      wpa_ui_now(ui), " ", false, false);
    }
    if (it->n_history) {
        wpa_doc_rule(doc, "History", NULL);
        wpa_detail_activity(doc, it->history, it->n_history, wpa_ui_now(ui));
    }
    wpa_ui_detail_comments(doc, it->comments, it->n_comments, wpa_ui_now(ui));
    wpa_doc_fieldf(doc, "digest", "%s", it->digest ? it->digest : "-");
}

static void draw(wpa_ui *ui, wpa_page *page, const wpa_canvas *canvas)
{
    patch_state *state = page->state;
    const wpa_detail_view *detail = wpa_detail_need(ui, page, canvas);
    if (!detail) {
        return;
    }
    wpa_doc doc = wpa_doc_begin(&state->detail.doc, ui->scratch, canvas);
    draw_head(ui, &doc, detail->patch);
    draw_report(ui, &doc, state, detail->patch);
    draw_rest(ui, &doc, detail->patch);
    wpa_doc_end(&doc, canvas);
}

static void step_phase(wpa_ui *ui, wpa_page *page, int by)
{
    patch_state *state = page->state;
    const wpa_detail_view *detail = wpa_ui_detail(ui, page->object);
    if (!detail || detail->missing || !detail->patch->report) {
        state->detail.doc.scroll += by;
        return;
    }
    int shown = state->phase ? state->phase - 1 : first_phase(detail->patch->report);
    shown += by;
    if (shown < 0 || shown >= WPA_PHASE_COUNT) {
        state->detail.doc.scroll += by; /* past the last suite the page scrolls */
        return;
    }
    state->phase = shown + 1;
}

static void go_to_sibling(wpa_ui *ui, wpa_page *page, int by)
{
    const wpa_list_view *list = ui->lists[WPA_LIST_PATCHES].view;
    for (size_t i = 0; list && i < list->n_rows; i++) {
        int64_t other = (int64_t)i + by;
        if (list->patches[i].id == page->object.id && other >= 0 && other < (int64_t)list->n_rows) {
            wpa_detail_go(ui, page, (wpa_object){WPA_OBJECT_PATCH, list->patches[other].id});
            return;
        }
    }
}

static bool verb(wpa_ui *ui, wpa_page *page, wpa_verb verb)
{
    const wpa_patch_row *row = wpa_ui_patch(ui, page->object.id);
    switch ((int)verb) {
    case WPA_VERB_DOWN:
    case WPA_VERB_UP:
        step_phase(ui, page, verb == WPA_VERB_DOWN ? 1 : -1);
        return true;
    case WPA_VERB_PREVIOUS_SIBLING:
    case WPA_VERB_NEXT_SIBLING:
        go_to_sibling(ui, page, verb == WPA_VERB_NEXT_SIBLING ? 1 : -1);
        return true;
    case WPA_VERB_OPEN: /* its deployment, if there is one */
        if (row && row->deployment_id) {
            wpa_ui_open(ui, (wpa_object){WPA_OBJECT_DEPLOYMENT, row->deployment_id});
        } else {
            wpa_ui_push(ui, wpa_view_named("diff"), page->object);
        }
        return true;
    default:
        return wpa_detail_verb(ui, page, verb);
    }
}

const wpa_view wpa_view_patch = {
    .id = "patch",
    .topic = "a patch",
    .state_bytes = sizeof(patch_state),
    .contexts = WPA_IN_DETAIL,
    .list = -1,
    .hints = hints,
    .draw = draw,
    .verb = verb,
    .selected = wpa_detail_watched,
    .watched = wpa_detail_watched,
    .doc = wpa_detail_doc,
};
