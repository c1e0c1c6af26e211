#include <inttypes.h>
#include <string.h>

#include "views/detail.h"
#include "views/tables.h"

static const wpa_verb hints[] = {
    WPA_VERB_ROLL_BACK, WPA_VERB_HOLD,        WPA_VERB_DIFF, WPA_VERB_OPEN, WPA_VERB_COPY,
    WPA_VERB_BACK,      WPA_VERB_ACKNOWLEDGE, WPA_VERB_HELP, WPA_VERB_NONE,
};

static bool is_going_back(const wpa_deployment_row *row)
{
    return row->state == WPA_DEPLOYMENT_ROLLING_BACK || row->state == WPA_DEPLOYMENT_ROLLED_BACK ||
           row->state == WPA_DEPLOYMENT_STUCK;
}

static void draw_head(wpa_ui *ui, wpa_doc *doc, const wpa_deployment_row *row)
{
    char title[512], right[256], id[WPA_SHORT], took[WPA_SHORT];
    int64_t end_us = row->ended_at_us ? row->ended_at_us : wpa_ui_now(ui);
    const char *word =
        row->state == WPA_DEPLOYMENT_RUNNING ? "running" : wpa_ui_deployment_text(row);
    (void)wpa_text_format(
        title, sizeof title, "%s  p-%" PRId64 " %s",
        wpa_object_text((wpa_object){WPA_OBJECT_DEPLOYMENT, row->id}, id, sizeof id), row->patch_id,
        row->patch);
    (void)wpa_text_format(right, sizeof right, "%s %s%s  %s%s  %s", wpa_deployment_glyph(row), word,
                          row->is_automatic && is_going_back(row) ? "  automatic" : "",
                          row->started_by ? "by " : "", row->started_by ? row->started_by : "",
                          wpa_took_text((end_us - row->started_at_us) / 1000, took, sizeof took));
    wpa_doc_rule(doc, title, right);
    if (row->reason && !is_going_back(row)) {
        wpa_doc_field(doc, "Reason", row->reason);
    }
}

static void stage_bake(wpa_ui *ui, const wpa_stage_row *stage, char *text, size_t size_bytes)
{
    char done[WPA_SHORT], of[WPA_SHORT];
    int64_t baked = stage->baked_ms;
    if (stage->state == WPA_STAGE_BAKING && stage->bake_until_us) {
        int64_t left = (stage->bake_until_us - wpa_ui_now(ui)) / 1000;
        baked = stage->bake_ms - (left < 0 ? 0 : left);
        baked = baked < 0 ? 0 : baked;
    }
    (void)wpa_text_format(text, size_bytes, "%s/%s", wpa_timer_text(baked, done, sizeof done),
                          wpa_timer_text(stage->bake_ms, of, sizeof of));
    if (stage->state == WPA_STAGE_REVERTED && stage->baked_ms >= 0 &&
        stage->baked_ms < stage->bake_ms) {
        (void)wpa_text_format(text, size_bytes, "stopped %s", done);
    }
}

static const struct {
    const char *glyph;
    wpa_paint paint;
} stage_looks[WPA_STAGE_STATE_COUNT] = {
    [WPA_STAGE_WAITING] = {"◌", WPA_PAINT_STATE_PENDING},
    [WPA_STAGE_APPLYING] = {"▸", WPA_PAINT_STATE_TESTING},
    [WPA_STAGE_BAKING] = {"▸", WPA_PAINT_STATE_TESTING},
    [WPA_STAGE_PASSED] = {"✓", WPA_PAINT_STATE_DEPLOYED},
    [WPA_STAGE_FAILED] = {"✗", WPA_PAINT_STATE_FAILED},
    [WPA_STAGE_SKIPPED] = {"∙", WPA_PAINT_MUTED},
    [WPA_STAGE_REVERTED] = {"↺", WPA_PAINT_STATE_ROLLED_BACK},
};

static void draw_stages(wpa_ui *ui, wpa_doc *doc, const wpa_deployment_detail *it)
{
    int cols = doc->canvas.cols, meter = cols >= 110 ? 30 : 16, at = 24 + meter;
    (void)wpa_put(&doc->canvas, doc->row, 2, WPA_PAINT_MUTED, "STAGE          SCOPE  PROGRESS");
    (void)wpa_put(&doc->canvas, doc->row, at + 13, WPA_PAINT_MUTED, "BAKE");
    (void)wpa_put(&doc->canvas, doc->row++, at + 27, WPA_PAINT_MUTED, "DOWNTIME");
    for (size_t i = 0; i < it->n_stages; i++, doc->row++) {
        const wpa_stage_row *stage = &it->stages[i];
        char text[WPA_SHORT * 2], n[WPA_SHORT];
        size_t look = stage->state < WPA_STAGE_STATE_COUNT ? stage->state : 0;
        (void)wpa_put_fitf(&doc->canvas, doc->row, 2, 14, stage_looks[look].paint, "%s %d %s",
                           stage_looks[look].glyph, stage->n, stage->label ? stage->label : "");
        (void)wpa_put_right(&doc->canvas, doc->row, 22, WPA_PAINT_TEXT,
                            wpa_count_text(stage->n_scope, n, sizeof n));
        wpa_meter(&doc->canvas, doc->row, 24, meter,
                  stage->n_total > 0 ? (double)stage->n_done / (double)stage->n_total : 0, -1,
                  stage_looks[look].paint);
        (void)wpa_text_format(text, sizeof text, "%" PRId64 "/%" PRId64, stage->n_done,
                              stage->n_total);
        (void)wpa_put_right(&doc->canvas, doc->row, at + 10, WPA_PAINT_TEXT, text);
        stage_bake(ui, stage, text, sizeof text);
        (void)wpa_put(&doc->canvas, doc->row, at + 13, WPA_PAINT_TEXT, text);
        (void)wpa_put_right(&doc->canvas, doc->row, at + 35,
                            stage->downtime_ms > 0 ? WPA_PAINT_CHECK_OVER : WPA_PAINT_TEXT,
                            wpa_downtime_text(stage->downtime_ms, n, sizeof n));
    }
}

#define CELL(name) static void name(const wpa_canvas *cell, const void *row, int64_t now_us)

CELL(check_name)
{
    (void)now_us;
    wpa_cell_text(cell, WPA_PAINT_TEXT, ((const wpa_check_row *)row)->name);
}

CELL(check_now)
{
    const wpa_check_row *check = row;
    (void)now_us;
    wpa_cell_right(cell, wpa_check_paint(check->state), check->now ? check->now : "-");
}

CELL(check_baseline)
{
    const wpa_check_row *check = row;
    (void)now_us;
    wpa_cell_right(cell, WPA_PAINT_MUTED, check->baseline ? check->baseline : "-");
}

CELL(check_limit)
{
    const wpa_check_row *check = row;
    (void)now_us;
    wpa_cell_text(cell, WPA_PAINT_TEXT, check->limit ? check->limit : "-");
}

CELL(check_meter)
{
    const wpa_check_row *check = row;
    (void)now_us;
    if (check->meter_limit >= 0) {
        wpa_meter(cell, 0, 0, cell->cols, check->meter, check->meter_limit,
                  wpa_check_paint(check->state));
    }
}

CELL(check_state)
{
    wpa_check_state state = ((const wpa_check_row *)row)->state;
    (void)now_us;
    wpa_cell_text(cell, wpa_check_paint(state), wpa_check_text(state));
}

CELL(check_hits)
{
    const wpa_check_row *check = row;
    char text[WPA_SHORT];
    (void)now_us;
    (void)wpa_text_format(text, sizeof text, "%d/%d", check->hits, check->hit_limit);
    wpa_cell_text(cell, check->hits ? WPA_PAINT_CHECK_OVER : WPA_PAINT_TEXT, text);
}

static const wpa_column check_columns[] = {
    {.title = "CHECK", .width = 12, .grows = true, .draw = check_name},
    {.title = "NOW", .width = 10, .is_right = true, .draw = check_now},
    {.title = "BASELINE", .width = 10, .is_right = true, .priority = 3, .draw = check_baseline},
    {.title = "LIMIT", .width = 14, .gap = 2, .priority = 1, .draw = check_limit},
    {.title = "METER ┃", .width = 8, .priority = 2, .draw = check_meter},
    {.title = "STATE", .width = 5, .draw = check_state},
    {.title = "HITS", .width = 5, .draw = check_hits},
};
static const wpa_column wide_check_columns[] = {
    {.title = "CHECK", .width = 12, .grows = true, .draw = check_name},
    {.title = "NOW", .width = 12, .is_right = true, .draw = check_now},
    {.title = "BASELINE", .width = 12, .is_right = true, .draw = check_baseline},
    {.title = "LIMIT", .width = 26, .gap = 2, .draw = check_limit},
    {.title = "METER (┃ limit)", .width = 16, .gap = 2, .draw = check_meter},
    {.title = "STATE", .width = 5, .gap = 2, .draw = check_state},
    {.title = "HITS", .width = 6, .draw = check_hits},
};
#define CHECK_TABLE(list)                                                                          \
    {                                                                                              \
        .columns = (list), .n_columns = WPA_COUNT(list), .row_bytes = sizeof(wpa_check_row)        \
    }
static const wpa_table check_table = CHECK_TABLE(check_columns);
static const wpa_table wide_check_table = CHECK_TABLE(wide_check_columns);

/* A sentence that only says the value again is no news. */
static void draw_check(wpa_doc *doc, const wpa_table *table, const wpa_check_row *check)
{
    wpa_table_row(table, &doc->canvas, doc->row++, check, 0, " ", false, false);
    if (check->message && (check->state == WPA_CHECK_OVER || check->state == WPA_CHECK_NONE)) {
        doc->row = wpa_put_wrapped(&doc->canvas, doc->row, 4, doc->canvas.cols - 6, WPA_PAINT_MUTED,
                                   check->message);
    }
}

static void draw_checks(wpa_ui *ui, wpa_doc *doc, const wpa_deployment_detail *it)
{
    char title[WPA_SHORT], right[WPA_SHORT * 2] = "", every[WPA_SHORT];
    int64_t next_us = 0;
    for (size_t i = 0; i < it->n_checks; i++) {
        int64_t at = it->checks[i].next_at_us;
        next_us = at && (!next_us || at < next_us) ? at : next_us;
    }
    if (next_us && it->n_checks && it->row.state == WPA_DEPLOYMENT_RUNNING) {
        int64_t left = (next_us - wpa_ui_now(ui)) / 1000000;
        (void)wpa_text_format(right, sizeof right, "every %s, next in %d s",
                              wpa_took_text(it->checks[0].interval_ms, every, sizeof every),
                              left < 0 ? 0 : (int)left);
    }
    (void)wpa_text_format(title, sizeof title, "Health checks, stage %d", it->checks_stage);
    wpa_doc_rule(doc, title, right);
    if (!it->n_checks) {
        wpa_doc_text(doc, WPA_PAINT_MUTED, "No check has measured anything yet.");
        return;
    }
    const wpa_table *table = doc->canvas.cols >= 110 ? &wide_check_table : &check_table;
    wpa_table_head(table, &doc->canvas, doc->row++);
    for (size_t i = 0; i < it->n_checks; i++) {
        draw_check(doc, table, &it->checks[i]);
    }
}

static void draw_downtime(wpa_doc *doc, const wpa_deployment_detail *it)
{
    char right[WPA_SHORT], certain[WPA_SHORT], unknown[WPA_SHORT], every[WPA_SHORT];
    char possible[WPA_SHORT], probes[WPA_SHORT];
    (void)wpa_downtime_text(it->downtime_possible_ms, right, sizeof right);
    wpa_doc_rule(doc, "Measured downtime", right);
    if (it->downtime_possible_ms < 0) {
        wpa_doc_text(doc, WPA_PAINT_MUTED,
                     it->probe_interval_ms > 0
                         ? "Not measured yet: the probes begin when the first stage bakes."
                         : "Not measured: no http or command check watches these workflows.");
        return;
    }
    (void)wpa_count_text(it->n_probes, probes, sizeof probes);
    (void)wpa_took_text(it->probe_interval_ms, every, sizeof every);
    if (it->n_probes_failed == 0) {
        wpa_doc_textf(doc, WPA_PAINT_TEXT,
                      "%s probe%s, one every %s, none failed: the true value is under %s.", probes,
                      it->n_probes == 1 ? "" : "s", every, every);
    } else {
        wpa_doc_textf(doc, WPA_PAINT_TEXT,
                      "%s probes, one every %s, %" PRId64 " failed: %s certain, %s possible.",
                      probes, every, it->n_probes_failed,
                      wpa_downtime_text(it->downtime_certain_ms, certain, sizeof certain),
                      wpa_downtime_text(it->downtime_possible_ms, possible, sizeof possible));
    }
    if (it->downtime_unknown_ms > 0) {
        wpa_doc_textf(doc, WPA_PAINT_TEXT, "Not probed for %s: unknown, not counted as up.",
                      wpa_took_text(it->downtime_unknown_ms, unknown, sizeof unknown));
    }
}

static void draw_armed(wpa_doc *doc, const wpa_deployment_detail *it)
{
    char right[WPA_SHORT * 2];
    (void)wpa_text_format(right, sizeof right, "%s%s%s", it->is_armed ? "armed" : "not armed",
                          it->row.back_to ? ", back to " : "",
                          it->row.back_to ? it->row.back_to : "");
    wpa_doc_rule(doc, "Auto-rollback", right);
    wpa_doc_text(doc, WPA_PAINT_TEXT,
                 it->armed_note ? it->armed_note
                 : it->is_armed ? "fires as soon as any check reaches its HITS limit; R does the "
                                  "same by hand"
                                : "R rolls back by hand");
}

static void draw_step(wpa_doc *doc, const wpa_rollback_step *step)
{
    char state[WPA_SHORT], took[WPA_SHORT];
    const char *glyph = step->is_failed ? "✗" : step->is_done ? "✓" : step->is_running ? "▸" : "◌";
    wpa_paint paint = step->is_failed ? WPA_PAINT_STATE_FAILED
                      : step->is_done ? WPA_PAINT_CHECK_OK
                                      : WPA_PAINT_TEXT;
    if (step->n_total >= 0 && !step->is_done) {
        (void)wpa_text_format(state, sizeof state, "%" PRId64 "/%" PRId64, step->n_done,
                              step->n_total);
    } else {
        (void)wpa_text_copy(state, sizeof state,
                            step->is_failed    ? "failed"
                            : step->is_done    ? "done"
                            : step->is_running ? "running"
                                               : "waiting");
    }
    (void)wpa_putf(&doc->canvas, doc->row, 2, paint, "%s ", glyph);
    (void)wpa_put_fit(&doc->canvas, doc->row, 4, 36, WPA_PAINT_TEXT, step->name);
    (void)wpa_put(&doc->canvas, doc->row, 41, WPA_PAINT_TEXT, state);
    (void)wpa_put_right(&doc->canvas, doc->row++, 60, WPA_PAINT_TEXT,
                        wpa_took_text(step->took_ms, took, sizeof took));
}

static void draw_hits(wpa_ui *ui, wpa_doc *doc, const wpa_deployment_detail *it)
{
    char time[WPA_SHORT];
    if (it->n_hits) {
        wpa_doc_rule(doc, "What tripped", NULL);
    }
    for (size_t i = 0; i < it->n_hits; i++) {
        const wpa_hit_row *hit = &it->hits[i];
        (void)wpa_put_fitf(&doc->canvas, doc->row++, 2, doc->canvas.cols - 3, WPA_PAINT_TEXT,
                           "%s  %s  %s  hit %d  limit %s  %s",
                           wpa_time_text(hit->at_us, wpa_ui_now(ui), time, sizeof time), hit->check,
                           hit->value ? hit->value : "-", hit->hit, hit->limit ? hit->limit : "-",
                           hit->message ? hit->message : "");
    }
}

static void draw_rollback(wpa_ui *ui, wpa_doc *doc, const wpa_deployment_detail *it)
{
    char took[WPA_SHORT], time[WPA_SHORT], text[WPA_SHORT * 2];
    const wpa_deployment_row *row = &it->row;
    int64_t end_us = it->rollback_finished_us ? it->rollback_finished_us : wpa_ui_now(ui);
    int64_t start_us =
        it->rollback_started_us ? it->rollback_started_us : it->rollback_requested_us;
    wpa_doc_rule(doc, "Rollback", NULL);
    wpa_doc_fieldf(doc, "Reason", "%s at %sZ", it->rollback_reason ? it->rollback_reason : "-",
                   wpa_time_text(it->rollback_requested_us, wpa_ui_now(ui), time, sizeof time));
    if (row->back_to) {
        wpa_doc_fieldf(doc, "Target", "%s, the version before d-%" PRId64, row->back_to, row->id);
    }
    int width = doc->canvas.cols >= 110 ? 60 : 40;
    int64_t all = row->n_switched + row->n_back;
    wpa_meter(&doc->canvas, doc->row, 2, width, all > 0 ? (double)row->n_back / (double)all : 0, -1,
              WPA_PAINT_STATE_ROLLED_BACK);
    (void)wpa_text_format(
        text, sizeof text, "%" PRId64 " of %" PRId64 " workflow%s back   %s", row->n_back, all,
        all == 1 ? "" : "s",
        wpa_took_text(start_us ? (end_us - start_us) / 1000 : WPA_UNKNOWN, took, sizeof took));
    (void)wpa_put(&doc->canvas, doc->row++, width + 4, WPA_PAINT_TEXT, text);
    for (size_t i = 0; i < it->n_steps; i++) {
        draw_step(doc, &it->steps[i]);
    }
    if (row->state == WPA_DEPLOYMENT_STUCK && it->by_hand) {
        wpa_doc_rule(doc, "By hand", "y copies it");
        wpa_doc_text(doc, WPA_PAINT_TEXT, it->by_hand);
    }
}

static void draw_rest(wpa_ui *ui, wpa_doc *doc, const wpa_deployment_detail *it)
{
    char n[WPA_SHORT];
    wpa_doc_rule(doc, "Events", wpa_ui_is_live(ui) ? "live" : "not live");
    wpa_detail_activity(doc, it->events, it->n_events, wpa_ui_now(ui));
    wpa_doc_rule(doc, "Targets", wpa_count_text((int64_t)it->n_targets, n, sizeof n));
    wpa_table_head(&wpa_target_table, &doc->canvas, doc->row++);
    for (size_t i = 0; i < it->n_targets && doc->row < WPA_DOC_ROWS - 4; i++) {
        wpa_table_row(&wpa_target_table, &doc->canvas, doc->row++, &it->targets[i], wpa_ui_now(ui),
                      " ", false, false);
    }
}

static void draw(wpa_ui *ui, wpa_page *page, const wpa_canvas *canvas)
{
    wpa_detail_state *state = page->state;
    const wpa_detail_view *detail = wpa_detail_need(ui, page, canvas);
    if (!detail) {
        return;
    }
    const wpa_deployment_detail *it = detail->deployment;
    wpa_doc doc = wpa_doc_begin(&state->doc, ui->scratch, canvas);
    draw_head(ui, &doc, &it->row);
    bool is_back = is_going_back(&it->row);
    if (is_back) {
        draw_rollback(ui, &doc, it);
        draw_hits(ui, &doc, it);
    }
    if (is_back) {
        wpa_doc_rule(&doc, "Stages", NULL);
    }
    draw_stages(ui, &doc, it);
    draw_checks(ui, &doc, it);
    draw_downtime(&doc, it);
    if (!is_back) {
        draw_armed(&doc, it);
    }
    draw_rest(ui, &doc, it);
    wpa_doc_end(&doc, canvas);
}

static bool verb(wpa_ui *ui, wpa_page *page, wpa_verb verb)
{
    const wpa_detail_view *detail = wpa_ui_detail(ui, page->object);
    const wpa_deployment_row *row = wpa_ui_deployment(ui, page->object.id);
    if (verb == WPA_VERB_OPEN) {
        if (row) {
            wpa_ui_open(ui, (wpa_object){WPA_OBJECT_PATCH, row->patch_id});
        }
        return true;
    }
    bool is_stuck = row && row->state == WPA_DEPLOYMENT_STUCK;
    if (verb == WPA_VERB_COPY && is_stuck && detail && !detail->missing &&
        detail->deployment->by_hand) {
        wpa_ui_copy(ui, detail->deployment->by_hand);
        return true;
    }
    return wpa_detail_verb(ui, page, verb);
}

const wpa_view wpa_view_deployment = {
    .id = "deployment",
    .topic = "a deploy",
    .state_bytes = sizeof(wpa_detail_state),
    .contexts = WPA_IN_DETAIL,
    .list = -1,
    .hints = hints,
    .draw = draw,
    .verb = verb,
    .selected = wpa_detail_watched,
    .watched = wpa_detail_watched,
    .doc = wpa_detail_doc,
};
