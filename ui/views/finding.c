#include <inttypes.h>

#include "views/detail.h"
#include "views/source.h"
#include "views/tables.h"

static const wpa_verb hints[] = {
    WPA_VERB_PATCH,
    WPA_VERB_DIFF,
    WPA_VERB_TEST,
    WPA_VERB_IGNORE,
    WPA_VERB_COMMENT,
    WPA_VERB_COPY,
    WPA_VERB_PREVIOUS_SIBLING,
    WPA_VERB_NEXT_SIBLING,
    WPA_VERB_MORE,
    WPA_VERB_BACK,
    WPA_VERB_HELP,
    WPA_VERB_NONE,
};

#define POINTS_MIN 0.05 /* of a score: fewer are shown as none */

static void draw_facts(wpa_ui *ui, wpa_doc *doc, const wpa_finding_detail *it)
{
    char first[WPA_SHORT], last[WPA_SHORT];
    const wpa_place *place = it->n_places ? &it->places[0] : NULL;
    wpa_doc_fieldf(doc, "Where", "%s  %s  line %d, columns %d-%d", it->repository, it->path,
                   it->row.line, place ? place->column : 0, place ? place->end_column - 1 : 0);
    wpa_doc_fieldf(doc, "Seen", "first %sZ  last %sZ   commit %.7s   state %s",
                   wpa_time_text(it->row.first_seen_us, wpa_ui_now(ui), first, sizeof first),
                   wpa_time_text(it->last_seen_us, wpa_ui_now(ui), last, sizeof last),
                   it->commit ? it->commit : "-", wpa_ui_finding_text(it->row.state));
    if (it->reach) {
        wpa_doc_field(doc, "Reach", it->reach);
    }
    double points = it->score_fixed - it->score_now;
    bool is_scored = it->score_now >= 0 && it->score_fixed >= 0;
    if (is_scored && points < POINTS_MIN) { /* a cap that others set as well */
        wpa_doc_fieldf(doc, "Score", "nothing by itself: others keep %s at %.0f", it->row.workflow,
                       it->score_now);
    } else if (is_scored) {
        wpa_doc_fieldf(doc, "Score", "-%.*f for %s, by %s (%.0f now, %.0f once fixed)",
                       points < 1 ? 1 : 0, points, it->row.workflow,
                       wpa_dimension_text(it->row.dimension), it->score_now, it->score_fixed);
    }
    if (it->ignore_reason) {
        wpa_doc_fieldf(doc, "Ignored", "until %s: %s",
                       wpa_time_text(it->ignored_until_us, wpa_ui_now(ui), first, sizeof first),
                       it->ignore_reason);
    }
}

static void draw_patch(wpa_doc *doc, const wpa_finding_detail *it)
{
    char id[WPA_SHORT];
    if (it->patch) {
        (void)wpa_object_text((wpa_object){WPA_OBJECT_PATCH, it->patch->id}, id, sizeof id);
        wpa_doc_fieldf(doc, "Patch", "%s  %s  %s %s   p opens it, d shows the diff", id,
                       it->patch->name, wpa_patch_glyph(it->patch->state),
                       wpa_patch_state_words[it->patch->state]);
        return;
    }
    for (size_t i = 0; i < it->n_fixes; i++) {
        wpa_doc_fieldf(doc, i ? "or" : "Fix", "%s (%s)%s", it->fixes[i].title,
                       it->fixes[i].is_safe ? "safe" : "a person must review it",
                       i ? "" : "   p makes the patch");
    }
    if (!it->n_fixes) {
        wpa_doc_field(doc, "Fix", "none that can be made by itself");
    }
}

static void draw_also(wpa_ui *ui, wpa_doc *doc, const wpa_finding_detail *it)
{
    char n[WPA_SHORT];
    (void)ui;
    if (!it->n_also) {
        return;
    }
    wpa_doc_rule(doc, "Also here", wpa_count_text(it->n_also_all, n, sizeof n));
    for (size_t i = 0; i < it->n_also; i++) {
        (void)wpa_put_fitf(&doc->canvas, doc->row++, 2, doc->canvas.cols - 3, WPA_PAINT_TEXT,
                           "f-%-6" PRId64 " %s:%d  %s", it->also[i].id, it->also[i].workflow,
                           it->also[i].line, it->also[i].message);
    }
}

static void draw(wpa_ui *ui, wpa_page *page, const wpa_canvas *canvas)
{
    wpa_detail_state *state = page->state;
    const wpa_detail_view *detail = wpa_detail_need(ui, page, canvas);
    if (!detail) {
        return;
    }
    const wpa_finding_detail *it = detail->finding;
    char title[1024], right[WPA_SHORT], id[WPA_SHORT];
    (void)wpa_text_format(
        title, sizeof title, "%s  %s  %s  %s", wpa_object_text(page->object, id, sizeof id),
        wpa_severity_short(it->row.severity, it->row.kind), it->row.code, it->row.message);
    (void)wpa_text_format(right, sizeof right, "%s", it->row.rule);
    wpa_doc doc = wpa_doc_begin(&state->doc, ui->scratch, canvas);
    wpa_doc_rule(&doc, title, right);
    draw_facts(ui, &doc, it);
    (void)wpa_text_format(right, sizeof right, "commit %.7s", it->commit ? it->commit : "-");
    wpa_doc_rule(&doc, "Source", right);
    doc.row = wpa_source_draw(&doc.canvas, doc.row, 120, it, state->place, 3 + state->context);
    wpa_doc_rule(&doc, "Why and what to do", NULL);
    if (it->why) {
        wpa_doc_text(&doc, WPA_PAINT_TEXT, it->why);
    }
    if (it->todo) {
        wpa_doc_text(&doc, WPA_PAINT_TEXT, it->todo);
    }
    draw_patch(&doc, it);
    if (it->help) {
        wpa_doc_field(&doc, "More", it->help);
    }
    draw_also(ui, &doc, it);
    wpa_ui_detail_comments(&doc, it->comments, it->n_comments, wpa_ui_now(ui));
    wpa_doc_end(&doc, canvas);
}

/* Without neighbours from the engine, those of the list the guardian came from. */
static wpa_object neighbour(wpa_ui *ui, const wpa_page *page, int by)
{
    const wpa_list_view *list = ui->lists[WPA_LIST_FINDINGS].view;
    for (size_t i = 0; list && i < list->n_rows; i++) {
        int64_t other = (int64_t)i + by;
        if (list->findings[i].id == page->object.id && other >= 0 &&
            other < (int64_t)list->n_rows) {
            return (wpa_object){WPA_OBJECT_FINDING, list->findings[other].id};
        }
    }
    return (wpa_object){WPA_OBJECT_NONE, 0};
}

static void go_to_sibling(wpa_ui *ui, wpa_page *page, int by)
{
    const wpa_detail_view *detail = wpa_ui_detail(ui, page->object);
    wpa_object next = neighbour(ui, page, by);
    if (next.kind == WPA_OBJECT_NONE && detail && !detail->missing) {
        next = by < 0 ? detail->finding->previous : detail->finding->next;
    }
    wpa_detail_go(ui, page, next);
}

static void step_place(wpa_ui *ui, wpa_page *page, int by)
{
    wpa_detail_state *state = page->state;
    const wpa_detail_view *detail = wpa_ui_detail(ui, page->object);
    size_t n = detail && !detail->missing ? detail->finding->n_places : 0;
    if (n) {
        state->place = (state->place + n + (size_t)(by + (int)n)) % n;
    }
}

static bool verb(wpa_ui *ui, wpa_page *page, wpa_verb verb)
{
    wpa_detail_state *state = page->state;
    switch ((int)verb) {
    case WPA_VERB_PREVIOUS_SIBLING:
    case WPA_VERB_NEXT_SIBLING:
        go_to_sibling(ui, page, verb == WPA_VERB_NEXT_SIBLING ? 1 : -1);
        return true;
    case WPA_VERB_PREVIOUS_PLACE:
    case WPA_VERB_NEXT_PLACE:
        step_place(ui, page, verb == WPA_VERB_NEXT_PLACE ? 1 : -1);
        return true;
    case WPA_VERB_MORE:
        state->context += state->context < 40 ? 3 : 0;
        return true;
    case WPA_VERB_LESS:
        state->context -= state->context >= 3 ? 3 : 0;
        return true;
    case WPA_VERB_OPEN: {
        const wpa_finding_row *row = wpa_ui_finding(ui, page->object.id);
        if (row && row->patch_id) {
            wpa_ui_open(ui, (wpa_object){WPA_OBJECT_PATCH, row->patch_id});
        }
        return true;
    }
    default:
        return wpa_detail_verb(ui, page, verb);
    }
}

const wpa_view wpa_view_finding = {
    .id = "finding",
    .topic = "a finding",
    .state_bytes = sizeof(wpa_detail_state),
    .contexts = WPA_IN_DETAIL | WPA_IN_SOURCE,
    .list = -1,
    .hints = hints,
    .draw = draw,
    .verb = verb,
    .selected = wpa_detail_watched,
    .watched = wpa_detail_watched,
    .doc = wpa_detail_doc,
};
