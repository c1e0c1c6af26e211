#include "views/list_view.h"
#include "views/source.h"

static const wpa_verb hints[] = {
    WPA_VERB_OPEN, WPA_VERB_PATCH,   WPA_VERB_MARK, WPA_VERB_IGNORE, WPA_VERB_FILTER, WPA_VERB_SORT,
    WPA_VERB_DIFF, WPA_VERB_COMMENT, WPA_VERB_COPY, WPA_VERB_HELP,   WPA_VERB_NONE,
};

static const wpa_sort sorts[] = {WPA_SORT_DEFAULT, WPA_SORT_AGE, WPA_SORT_NAME, WPA_SORT_STATE,
                                 WPA_SORT_COUNT};

static void strip(wpa_ui *ui, const wpa_canvas *canvas, const void *data,
                  const wpa_detail_view *detail)
{
    const wpa_finding_row *row = data;
    char id[WPA_SHORT], title[512], right[WPA_SHORT * 2] = "";
    (void)ui;
    (void)wpa_text_format(title, sizeof title, "%s  %s",
                          wpa_object_text((wpa_object){WPA_OBJECT_FINDING, row->id}, id, sizeof id),
                          row->message);
    if (row->patch_id) {
        (void)wpa_text_format(
            right, sizeof right, "patch %s",
            wpa_object_text((wpa_object){WPA_OBJECT_PATCH, row->patch_id}, id, sizeof id));
    }
    wpa_rule(canvas, 0, title, right, false);
    if (!detail || detail->missing) {
        (void)wpa_put(canvas, 1, 2, WPA_PAINT_MUTED, detail ? detail->missing : "⋯");
        return;
    }
    const wpa_finding_detail *finding = detail->finding;
    bool is_tall = canvas->rows > WPA_STRIP_TALL_ROWS;
    int context = is_tall ? 4 : 1, top = 1, width = canvas->cols - 3;
    if (is_tall && wpa_text_cells(title) + wpa_text_cells(right) + 6 > canvas->cols) {
        top = wpa_put_wrapped(canvas, top, 2, width, WPA_PAINT_TEXT, row->message) + 1;
    }
    int at = wpa_source_draw(canvas, top, canvas->rows - (is_tall ? 8 : 3), finding, 0, context);
    char text[1024] = "";
    if (finding->n_fixes) {
        (void)wpa_text_format(text, sizeof text, "Fix: %s.  Confidence %s.  %s",
                              finding->fixes[0].title,
                              row->confidence == WPA_CONFIDENCE_HIGH     ? "high"
                              : row->confidence == WPA_CONFIDENCE_MEDIUM ? "medium"
                                                                         : "low",
                              finding->fixes[0].is_safe ? "" : "A person must review it.");
    } else if (finding->todo) {
        (void)wpa_text_copy(text, sizeof text, finding->todo);
    }
    if (text[0] && at < canvas->rows) {
        at = wpa_put_wrapped(canvas, at, 2, width, WPA_PAINT_TEXT, text);
    }
    if (is_tall && finding->why) {
        (void)wpa_put_wrapped(canvas, at + 1, 2, width, WPA_PAINT_MUTED, finding->why);
    }
}

static const wpa_list_kind kind = {
    .title = "Findings",
    .table = &wpa_finding_table,
    .strip_rows = 7,
    .strip = strip,
    .empty =
        "No open findings here.  If nothing was analysed yet: a in view 2 analyses the selected "
        "workflow, :analyse all everything.",
    .sorts = sorts,
};

const wpa_view wpa_view_findings = {
    .id = "findings",
    .tab = 3,
    .topic = "findings",
    .contexts = WPA_IN_LIST,
    .list = WPA_LIST_FINDINGS,
    .hints = hints,
    .data = &kind,
    WPA_LIST_VIEW,
};
