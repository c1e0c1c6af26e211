#include <inttypes.h>

#include "views/detail.h"

static const wpa_verb hints[] = {WPA_VERB_REJECT, WPA_VERB_COPY, WPA_VERB_BACK, WPA_VERB_HELP,
                                 WPA_VERB_NONE};

static void draw(wpa_ui *ui, wpa_page *page, const wpa_canvas *canvas)
{
    wpa_detail_state *state = page->state;
    const wpa_detail_view *detail = wpa_detail_need(ui, page, canvas);
    if (!detail) {
        return;
    }
    const wpa_job_detail *it = detail->job;
    char title[512], id[WPA_SHORT], attempt[WPA_SHORT];
    const char *word =
        it->row.state < WPA_JOB_STATE_COUNT ? wpa_job_state_words[it->row.state] : "?";
    (void)wpa_text_format(title, sizeof title, "%s  %s",
                          wpa_object_text(page->object, id, sizeof id), it->row.what);
    wpa_doc doc = wpa_doc_begin(&state->doc, ui->scratch, canvas);
    wpa_doc_rule(&doc, title, word);
    wpa_doc_field(&doc, "attempt", wpa_attempt_text(&it->row, attempt, sizeof attempt));
    wpa_doc_field(&doc, "agent", it->row.owner);
    if (it->row.error) {
        wpa_doc_field(&doc, "error", it->row.error);
    }
    wpa_doc_rule(&doc, "Log", NULL);
    for (size_t i = 0; i < it->n_log && doc.row < WPA_DOC_ROWS - 4; i++) {
        wpa_doc_text(&doc, WPA_PAINT_TEXT, it->log[i]);
    }
    if (!it->n_log) {
        wpa_doc_text(&doc, WPA_PAINT_MUTED, "It has written nothing.");
    }
    wpa_doc_end(&doc, canvas);
}

const wpa_view wpa_view_job = {
    .id = "job",
    .topic = "a job",
    .state_bytes = sizeof(wpa_detail_state),
    .contexts = WPA_IN_DETAIL,
    .list = -1,
    .hints = hints,
    .draw = draw,
    .verb = wpa_detail_verb,
    .selected = wpa_detail_watched,
    .watched = wpa_detail_watched,
    .doc = wpa_detail_doc,
};
