/* Who else is signed in to a console, from where, and what they look at or decide. */
#include "views/detail.h"

static const wpa_verb hints[] = {WPA_VERB_OPEN, WPA_VERB_BACK, WPA_VERB_HELP, WPA_VERB_COMMAND,
                                 WPA_VERB_NONE};

#define WIDE_COLS 72

static void draw_person(wpa_ui *ui, wpa_doc *doc, const wpa_person_row *it)
{
    char age[WPA_SHORT];
    bool is_selected = wpa_doc_item(doc, wpa_place_object(it->place));
    wpa_canvas line = wpa_canvas_part(&doc->canvas, doc->row++, 0, 1, doc->canvas.cols);
    bool is_wide = line.cols >= WIDE_COLS;
    int at = is_wide ? line.cols / 3 : line.cols / 2;
    if (is_selected) {
        line.paint = WPA_PAINT_SELECTED;
        wpa_fill(&line, 0, 0, line.cols, WPA_PAINT_SELECTED, ' ');
        (void)wpa_put(&line, 0, 0, WPA_PAINT_FOCUS, "▸");
    }
    bool is_me = ui->session->name && wpa_text_is(ui->session->name, it->name);
    (void)wpa_put_fitf(&line, 0, 2, at - 3, WPA_PAINT_TEXT, "%s%s", it->name,
                       is_me ? " (you)" : "");
    (void)wpa_put_fit(&line, 0, at, line.cols - at - (is_wide ? 42 : 8), WPA_PAINT_TEXT, it->place);
    if (is_wide) {
        (void)wpa_put_fit(&line, 0, line.cols - 40, 10, WPA_PAINT_MUTED,
                          it->role == WPA_ROLE_GUARDIAN ? "guardian" : "viewer");
        (void)wpa_put_fit(&line, 0, line.cols - 30, 20, WPA_PAINT_MUTED, it->address);
    }
    (void)wpa_put_right(&line, 0, line.cols - 1, WPA_PAINT_MUTED,
                        wpa_age_text(it->seen_at_us, wpa_ui_now(ui), age, sizeof age));
}

static void draw(wpa_ui *ui, wpa_page *page, const wpa_canvas *canvas)
{
    wpa_detail_state *state = page->state;
    char right[WPA_SHORT];
    size_t n = ui->dash ? ui->dash->n_people : 0;
    wpa_doc doc = wpa_doc_begin(&state->doc, ui->scratch, canvas);
    wpa_doc_rule(&doc, "Guardians on line", wpa_count_text((int64_t)n, right, sizeof right));
    for (size_t i = 0; i < n; i++) {
        draw_person(ui, &doc, &ui->dash->people[i]);
    }
    if (!n) {
        wpa_doc_text(&doc, WPA_PAINT_MUTED,
                     ui->dash ? "Nobody is seen yet: it takes some seconds." : "⋯");
    }
    doc.row++;
    wpa_doc_text(&doc, WPA_PAINT_MUTED,
                 "Of consoles that are signed in: what they look at, and when they told it last.  "
                 "Enter opens it.");
    wpa_detail_end(ui, &doc, canvas);
}

const wpa_view wpa_view_who = {
    .id = "who",
    .topic = "who is on line",
    .state_bytes = sizeof(wpa_detail_state),
    .contexts = WPA_IN_DETAIL,
    .list = -1,
    .hints = hints,
    .draw = draw,
    .verb = wpa_detail_verb,
    .selected = wpa_detail_selected,
    .doc = wpa_detail_doc,
};
