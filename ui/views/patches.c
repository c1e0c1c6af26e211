#include <inttypes.h>

#include "views/list_view.h"

#define LABEL_COLS 10

static const wpa_verb hints[] = {
    WPA_VERB_OPEN,   WPA_VERB_DIFF,      WPA_VERB_TEST,   WPA_VERB_APPROVE, WPA_VERB_DEPLOY,
    WPA_VERB_REJECT, WPA_VERB_ROLL_BACK, WPA_VERB_FILTER, WPA_VERB_HELP,    WPA_VERB_NONE,
};

static const wpa_sort sorts[] = {WPA_SORT_DEFAULT, WPA_SORT_AGE, WPA_SORT_STATE, WPA_SORT_NAME,
                                 WPA_SORT_COUNT};

/* Cut below the list, where each has one row; beside it there are rows to wrap to. */
static int put_line(const wpa_canvas *canvas, int row, const char *label, const char *text)
{
    int width = canvas->cols - LABEL_COLS - 1;
    (void)wpa_put(canvas, row, 2, WPA_PAINT_MUTED, label);
    if (canvas->rows > WPA_STRIP_TALL_ROWS) {
        return wpa_put_wrapped(canvas, row, LABEL_COLS, width, WPA_PAINT_TEXT, text);
    }
    (void)wpa_put_fit(canvas, row, LABEL_COLS, width, WPA_PAINT_TEXT, text);
    return row + 1;
}

/* The next step, with who may take it. */
static const char *next_step(const wpa_patch_row *row)
{
    static const char *const steps[WPA_PATCH_STATE_COUNT] = {
        [WPA_PATCH_PENDING] = "t tests it; nothing can be deployed before that",
        [WPA_PATCH_TESTING] = "wait for the test; X stops it",
        [WPA_PATCH_TESTED] = "A approve, or D deploy, which approves as well",
        [WPA_PATCH_APPROVED] = "D deploy",
        [WPA_PATCH_DEPLOYED] = "done; R puts it back",
        [WPA_PATCH_FAILED] = "Enter shows why; t tests again, X rejects it",
        [WPA_PATCH_ROLLED_BACK] = "a new attempt is a new patch: p on its finding",
    };
    if (row->is_live && row->state == WPA_PATCH_APPROVED) {
        return "under rollout: 5 shows it, R rolls it back";
    }
    return row->state < WPA_PATCH_STATE_COUNT ? steps[row->state] : "";
}

static int draw_tests(const wpa_canvas *canvas, int row, const wpa_patch_tests *report)
{
    static const char *const names[WPA_PHASE_COUNT] = {"isolated", "integration", "safety",
                                                       "compat"};
    (void)wpa_put(canvas, row, 2, WPA_PAINT_MUTED, "tests");
    int col = LABEL_COLS;
    for (int i = 0; report && i < WPA_PHASE_COUNT; i++) {
        const wpa_test_phase *phase = &report->phases[i];
        char n[WPA_SHORT];
        (void)wpa_text_format(n, sizeof n, " %d/%d   ", phase->n_passed, phase->n_total);
        bool has_room = col + wpa_text_cells(names[i]) + 2 + wpa_text_cells(n) - 3 < canvas->cols;
        if (!has_room && canvas->rows > WPA_STRIP_TALL_ROWS) {
            row++;
            col = LABEL_COLS;
        }
        col = wpa_putf(canvas, row, col, WPA_PAINT_TEXT, "%s ", names[i]);
        col =
            wpa_put(canvas, row, col, wpa_suite_paint(phase->state), wpa_suite_glyph(phase->state));
        col = wpa_put(canvas, row, col, WPA_PAINT_TEXT, n);
    }
    if (!report) {
        (void)wpa_put(canvas, row, LABEL_COLS, WPA_PAINT_MUTED, "not tested yet");
    }
    return row + 1;
}

static void strip(wpa_ui *ui, const wpa_canvas *canvas, const void *data,
                  const wpa_detail_view *detail)
{
    const wpa_patch_row *row = data;
    char id[WPA_SHORT], title[512], right[WPA_SHORT * 2], text[1024];
    (void)ui;
    (void)wpa_text_format(title, sizeof title, "%s  %s",
                          wpa_object_text((wpa_object){WPA_OBJECT_PATCH, row->id}, id, sizeof id),
                          row->name);
    (void)wpa_text_format(right, sizeof right, "%s %s", wpa_patch_glyph(row->state),
                          wpa_patch_state_words[row->state]);
    wpa_rule(canvas, 0, title, right, false);
    if (!detail || detail->missing) {
        (void)wpa_put(canvas, 1, 2, WPA_PAINT_MUTED, detail ? detail->missing : "⋯");
        (void)put_line(canvas, 4, "next", next_step(row));
        return;
    }
    const wpa_patch_detail *patch = detail->patch;
    (void)wpa_text_format(text, sizeof text,
                          "%" PRId64 " finding%s (%s)   %" PRId64 " workflow%s in %" PRId64
                          " repositor%s   +%" PRId64 " -%" PRId64,
                          patch->n_findings_all, patch->n_findings_all == 1 ? "" : "s",
                          patch->rules ? patch->rules : "-", row->n_workflows,
                          row->n_workflows == 1 ? "" : "s", row->n_repositories,
                          row->n_repositories == 1 ? "y" : "ies", patch->n_lines_added,
                          patch->n_lines_removed);
    int at = put_line(canvas, 1, "fixes", text);
    const char *risk = patch->risk ? patch->risk : "not rated";
    static const char undo[] = "undo: one commit per repo, by R";
    bool has_room = canvas->rows > WPA_STRIP_TALL_ROWS ||
                    LABEL_COLS + wpa_text_cells(risk) + wpa_text_cells(undo) + 4 < canvas->cols;
    (void)wpa_text_format(text, sizeof text, "%s   %s", risk, has_room ? undo : "R undoes it");
    at = put_line(canvas, at, "risk", text);
    at = draw_tests(canvas, at, patch->report);
    at = put_line(canvas, at, "next", next_step(row));
    if (row->reason) {
        (void)put_line(canvas, at, "reason", row->reason);
    }
}

static const wpa_list_kind kind = {
    .title = "Patches",
    .table = &wpa_patch_table,
    .strip_rows = 6,
    .strip = strip,
    .empty = "No patches.  Choose a finding (3) and press p.",
    .sorts = sorts,
};

const wpa_view wpa_view_patches = {
    .id = "patches",
    .tab = 4,
    .topic = "patches",
    .contexts = WPA_IN_LIST,
    .list = WPA_LIST_PATCHES,
    .hints = hints,
    .data = &kind,
    WPA_LIST_VIEW,
};
