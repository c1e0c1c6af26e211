#include "views/tables.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "widgets/format.h"

#define CELL(name) static void name(const wpa_canvas *cell, const void *row, int64_t now_us)
#define TABLE(columns_, type, at_)                                                                 \
    {                                                                                              \
        .columns = (columns_), .n_columns = WPA_COUNT(columns_), .row_bytes = sizeof(type),        \
        .at = (at_)                                                                                \
    }

static void put_age(const wpa_canvas *cell, int64_t then_us, int64_t now_us)
{
    char text[WPA_SHORT];
    wpa_cell_right(cell, WPA_PAINT_MUTED, wpa_age_text(then_us, now_us, text, sizeof text));
}

static void put_count(const wpa_canvas *cell, int64_t count)
{
    char text[WPA_SHORT];
    wpa_cell_right(cell, WPA_PAINT_TEXT, wpa_count_text(count, text, sizeof text));
}

static void put_id(const wpa_canvas *cell, wpa_object_kind kind, int64_t id)
{
    char text[WPA_SHORT];
    wpa_cell_text(cell, WPA_PAINT_TEXT, wpa_object_text((wpa_object){kind, id}, text, sizeof text));
}

/* ---- workflows ------------------------------------------------------------------------------- */

static wpa_object workflow_at(const void *rows, size_t i)
{
    return (wpa_object){WPA_OBJECT_WORKFLOW, ((const wpa_workflow_row *)rows)[i].id};
}

static void put_score(const wpa_canvas *cell, double score)
{
    char text[WPA_SHORT];
    wpa_cell_right(cell, wpa_score_paint(score), wpa_score_text(score, text, sizeof text));
}

CELL(workflow_score)
{
    (void)now_us;
    put_score(cell, ((const wpa_workflow_row *)row)->scores.overall);
}

CELL(workflow_change)
{
    (void)now_us;
    double change = ((const wpa_workflow_row *)row)->change_24h;
    if (fabs(change) >= 0.5) {
        (void)wpa_putf(cell, 0, 1, change > 0 ? WPA_PAINT_SCORE_GOOD : WPA_PAINT_SCORE_POOR,
                       "%s%.0f", change > 0 ? "▴" : "▾", fabs(change));
    }
}

#define DIMENSION_CELL(name, which)                                                                \
    CELL(name)                                                                                     \
    {                                                                                              \
        (void)now_us;                                                                              \
        put_score(cell, ((const wpa_workflow_row *)row)->scores.dimension[which]);                 \
    }

DIMENSION_CELL(workflow_security, WPA_DIMENSION_SECURITY)
DIMENSION_CELL(workflow_performance, WPA_DIMENSION_PERFORMANCE)
DIMENSION_CELL(workflow_efficiency, WPA_DIMENSION_EFFICIENCY)
DIMENSION_CELL(workflow_compatibility, WPA_DIMENSION_COMPATIBILITY)
DIMENSION_CELL(workflow_quality, WPA_DIMENSION_QUALITY)

CELL(workflow_name)
{
    (void)now_us;
    const wpa_workflow_row *workflow = row;
    wpa_cell_text(cell, workflow->error ? WPA_PAINT_NOTICE_ERROR : WPA_PAINT_TEXT, workflow->name);
}

CELL(workflow_findings)
{
    (void)now_us;
    put_count(cell, ((const wpa_workflow_row *)row)->n_findings);
}

/* Tall is ok, middle stopped, low failed. */
CELL(workflow_runs)
{
    (void)now_us;
    static const struct {
        uint32_t bar;
        wpa_paint paint;
    } bars[] = {[WPA_RUN_FAILED] = {0x2581, WPA_PAINT_SCORE_POOR},
                [WPA_RUN_STOPPED] = {0x2583, WPA_PAINT_MUTED},
                [WPA_RUN_OK] = {0x2587, WPA_PAINT_SCORE_GOOD}};
    const wpa_workflow_row *workflow = row;
    if (!workflow->n_runs) {
        wpa_cell_text(cell, WPA_PAINT_MUTED, "-");
    }
    size_t room = cell->cols > 0 ? (size_t)cell->cols : 0;
    size_t first = workflow->n_runs > room ? workflow->n_runs - room : 0;
    for (size_t i = first; i < workflow->n_runs; i++) {
        size_t result = workflow->runs[i] < WPA_COUNT(bars) ? workflow->runs[i] : 0;
        wpa_fill(cell, 0, (int)(i - first), 1, bars[result].paint, bars[result].bar);
    }
}

CELL(workflow_analysed)
{
    put_age(cell, ((const wpa_workflow_row *)row)->analysed_at_us, now_us);
}

static const wpa_column workflow_columns[] = {
    {.title = "SCO", .width = 3, .is_right = true, .draw = workflow_score},
    {.title = "24h", .width = 4, .priority = 4, .draw = workflow_change},
    {.title = "SEC", .width = 3, .priority = 3, .is_right = true, .draw = workflow_security},
    {.title = "PRF", .width = 3, .priority = 3, .is_right = true, .draw = workflow_performance},
    {.title = "EFF", .width = 3, .priority = 3, .is_right = true, .draw = workflow_efficiency},
    {.title = "CMP", .width = 3, .priority = 3, .is_right = true, .draw = workflow_compatibility},
    {.title = "QUA", .width = 3, .priority = 3, .is_right = true, .draw = workflow_quality},
    {.title = "WORKFLOW", .width = 32, .gap = 2, .grows = true, .draw = workflow_name},
    {.title = "FIND", .width = 4, .priority = 2, .is_right = true, .draw = workflow_findings},
    {.title = "RUNS", .width = 8, .gap = 2, .priority = 5, .draw = workflow_runs},
    {.title = "SEEN",
     .width = 5,
     .gap = 2,
     .priority = 6,
     .is_right = true,
     .draw = workflow_analysed},
};
const wpa_table wpa_workflow_table = TABLE(workflow_columns, wpa_workflow_row, workflow_at);

/* ---- findings -------------------------------------------------------------------------------- */

static wpa_object finding_at(const void *rows, size_t i)
{
    return (wpa_object){WPA_OBJECT_FINDING, ((const wpa_finding_row *)rows)[i].id};
}

CELL(finding_severity)
{
    (void)now_us;
    const wpa_finding_row *finding = row;
    wpa_cell_text(cell, wpa_severity_paint(finding->severity, finding->kind),
                  wpa_severity_short(finding->severity, finding->kind));
}

CELL(finding_code)
{
    (void)now_us;
    wpa_cell_text(cell, WPA_PAINT_TEXT, ((const wpa_finding_row *)row)->code);
}

CELL(finding_dimension)
{
    (void)now_us;
    wpa_cell_text(cell, WPA_PAINT_MUTED,
                  wpa_dimension_short(((const wpa_finding_row *)row)->dimension));
}

CELL(finding_where)
{
    (void)now_us;
    const wpa_finding_row *finding = row;
    char line[WPA_SHORT];
    (void)wpa_text_format(line, sizeof line, ":%d", finding->line);
    int col =
        wpa_put_fit(cell, 0, 0, cell->cols - (int)strlen(line), WPA_PAINT_TEXT, finding->workflow);
    (void)wpa_put(cell, 0, col, WPA_PAINT_TEXT, line); /* the line is never what is cut */
}

CELL(finding_what)
{
    (void)now_us;
    wpa_cell_text(cell, WPA_PAINT_TEXT, ((const wpa_finding_row *)row)->message);
}

CELL(finding_state)
{
    (void)now_us;
    const wpa_finding_row *finding = row;
    if (finding->patch_id) {
        put_id(cell, WPA_OBJECT_PATCH, finding->patch_id);
    } else {
        wpa_cell_text(cell, WPA_PAINT_MUTED,
                      finding->state != WPA_FINDING_OPEN ? wpa_ui_finding_text(finding->state)
                      : finding->has_fix                 ? "p fix"
                                                         : "");
    }
}

CELL(finding_age)
{
    put_age(cell, ((const wpa_finding_row *)row)->first_seen_us, now_us);
}

static const wpa_column finding_columns[] = {
    {.title = "SEV", .width = 4, .draw = finding_severity},
    {.title = "RULE", .width = 8, .draw = finding_code},
    {.title = "CAT", .width = 6, .priority = 5, .draw = finding_dimension},
    {.title = "WHERE", .width = 24, .draw = finding_where},
    {.title = "WHAT", .width = 16, .gap = 2, .priority = 1, .grows = true, .draw = finding_what},
    {.title = "PATCH", .width = 8, .priority = 3, .draw = finding_state},
    {.title = "AGE", .width = 5, .priority = 2, .is_right = true, .draw = finding_age},
};
const wpa_table wpa_finding_table = TABLE(finding_columns, wpa_finding_row, finding_at);

/* ---- patches --------------------------------------------------------------------------------- */

static wpa_object patch_at(const void *rows, size_t i)
{
    return (wpa_object){WPA_OBJECT_PATCH, ((const wpa_patch_row *)rows)[i].id};
}

CELL(patch_id)
{
    (void)now_us;
    put_id(cell, WPA_OBJECT_PATCH, ((const wpa_patch_row *)row)->id);
}

CELL(patch_state)
{
    (void)now_us;
    const wpa_patch_row *patch = row;
    char stage[WPA_SHORT] = "";
    if (patch->n_stages && patch->state == WPA_PATCH_APPROVED) {
        (void)wpa_text_format(stage, sizeof stage, " %d/%d", patch->stage, patch->n_stages);
    }
    const char *word =
        patch->state < WPA_PATCH_STATE_COUNT ? wpa_patch_state_words[patch->state] : "?";
    (void)wpa_put_fitf(cell, 0, 0, cell->cols, wpa_patch_paint(patch->state), "%s %s%s",
                       wpa_patch_glyph(patch->state), word, stage);
}

CELL(patch_name)
{
    (void)now_us;
    wpa_cell_text(cell, WPA_PAINT_TEXT, ((const wpa_patch_row *)row)->name);
}

CELL(patch_workflows)
{
    (void)now_us;
    put_count(cell, ((const wpa_patch_row *)row)->n_workflows);
}

CELL(patch_suites)
{
    (void)now_us;
    const wpa_patch_row *patch = row;
    for (int i = 0; i < WPA_PHASE_COUNT; i++) {
        (void)wpa_put(cell, 0, 2 * i, wpa_suite_paint(patch->suites[i]),
                      wpa_suite_glyph(patch->suites[i]));
    }
}

CELL(patch_author)
{
    (void)now_us;
    wpa_cell_text(cell, WPA_PAINT_MUTED, ((const wpa_patch_row *)row)->author);
}

CELL(patch_age)
{
    put_age(cell, ((const wpa_patch_row *)row)->updated_at_us, now_us);
}

static const wpa_column patch_columns[] = {
    {.title = "ID", .width = 6, .draw = patch_id},
    {.title = "STATE", .width = 14, .draw = patch_state},
    {.title = "TITLE", .width = 16, .grows = true, .draw = patch_name},
    {.title = "WF", .width = 4, .priority = 2, .is_right = true, .draw = patch_workflows},
    {.title = "I N S C", .width = 7, .gap = 2, .priority = 3, .draw = patch_suites},
    {.title = "BY", .width = 7, .gap = 2, .priority = 4, .draw = patch_author},
    {.title = "AGE", .width = 5, .priority = 1, .is_right = true, .draw = patch_age},
};
const wpa_table wpa_patch_table = TABLE(patch_columns, wpa_patch_row, patch_at);

/* ---- deployments ----------------------------------------------------------------------------- */

static wpa_object deployment_at(const void *rows, size_t i)
{
    return (wpa_object){WPA_OBJECT_DEPLOYMENT, ((const wpa_deployment_row *)rows)[i].id};
}

CELL(deployment_id)
{
    (void)now_us;
    put_id(cell, WPA_OBJECT_DEPLOYMENT, ((const wpa_deployment_row *)row)->id);
}

CELL(deployment_state)
{
    const wpa_deployment_row *deployment = row;
    if (deployment->rollback_at_us > now_us) {
        (void)wpa_put_fitf(cell, 0, 0, cell->cols, WPA_PAINT_STATE_ROLLED_BACK, "↺ held %d s",
                           (int)((deployment->rollback_at_us - now_us) / 1000000) + 1);
        return;
    }
    (void)wpa_put_fitf(cell, 0, 0, cell->cols, wpa_deployment_paint(deployment), "%s %s",
                       wpa_deployment_glyph(deployment), wpa_ui_deployment_text(deployment));
}

CELL(deployment_patch)
{
    (void)now_us;
    wpa_cell_text(cell, WPA_PAINT_TEXT, ((const wpa_deployment_row *)row)->patch);
}

CELL(deployment_patch_long)
{
    (void)now_us;
    const wpa_deployment_row *deployment = row;
    (void)wpa_put_fitf(cell, 0, 0, cell->cols, WPA_PAINT_TEXT, "p-%" PRId64 " %s",
                       deployment->patch_id, deployment->patch);
}

CELL(deployment_stage)
{
    (void)now_us;
    const wpa_deployment_row *deployment = row;
    const char *label = deployment->stage_label ? deployment->stage_label : "";
    (void)wpa_put_fitf(cell, 0, 0, cell->cols, WPA_PAINT_TEXT, "%d/%d %s", deployment->stage,
                       deployment->n_stages, label);
}

CELL(deployment_done)
{
    (void)now_us;
    const wpa_deployment_row *deployment = row;
    char text[WPA_SHORT];
    (void)wpa_text_format(text, sizeof text, "%" PRId64 "/%" PRId64, deployment->n_done,
                          deployment->n_total);
    wpa_cell_right(cell, WPA_PAINT_TEXT, text);
}

CELL(deployment_checks)
{
    (void)now_us;
    const wpa_deployment_row *deployment = row;
    char text[WPA_SHORT] = "auto";
    if (!deployment->is_automatic) {
        (void)wpa_text_format(text, sizeof text, "%d/%d", deployment->n_checks_ok,
                              deployment->n_checks);
    }
    bool is_bad = deployment->is_automatic || deployment->n_checks_ok < deployment->n_checks;
    wpa_cell_right(cell, is_bad ? WPA_PAINT_CHECK_NEAR : WPA_PAINT_TEXT, text);
}

CELL(deployment_by)
{
    (void)now_us;
    wpa_cell_text(cell, WPA_PAINT_MUTED, ((const wpa_deployment_row *)row)->started_by);
}

CELL(deployment_age)
{
    put_age(cell, ((const wpa_deployment_row *)row)->started_at_us, now_us);
}

CELL(deployment_meter)
{
    (void)now_us;
    const wpa_deployment_row *deployment = row;
    double part =
        deployment->n_total > 0 ? (double)deployment->n_done / (double)deployment->n_total : 0;
    wpa_meter(cell, 0, 0, cell->cols, part, -1, wpa_deployment_paint(deployment));
}

/* How long it has baked: elapsed of needed, counted here from the time it ends. */
static int64_t baked_ms(const wpa_deployment_row *row, int64_t now_us)
{
    if (row->bake_left_ms >= 0 && row->state == WPA_DEPLOYMENT_PAUSED) {
        return row->bake_ms - row->bake_left_ms;
    }
    if (!row->bake_until_us) {
        return WPA_UNKNOWN;
    }
    int64_t left_ms = (row->bake_until_us - now_us) / 1000;
    int64_t baked = row->bake_ms - (left_ms < 0 ? 0 : left_ms);
    return baked < 0 ? 0 : baked;
}

CELL(deployment_bake)
{
    char done[WPA_SHORT];
    wpa_cell_text(cell, WPA_PAINT_TEXT, wpa_timer_text(baked_ms(row, now_us), done, sizeof done));
}

CELL(deployment_bake_of)
{
    const wpa_deployment_row *deployment = row;
    char done[WPA_SHORT], of[WPA_SHORT];
    (void)wpa_put_fitf(cell, 0, 0, cell->cols, WPA_PAINT_TEXT, "%s/%s",
                       wpa_timer_text(baked_ms(deployment, now_us), done, sizeof done),
                       wpa_timer_text(deployment->bake_ms, of, sizeof of));
}

CELL(deployment_nearest)
{
    (void)now_us;
    const wpa_check_row *check = ((const wpa_deployment_row *)row)->nearest;
    if (!check) {
        wpa_cell_text(cell, WPA_PAINT_MUTED, "-");
        return;
    }
    int width = cell->cols - 5;
    if (check->meter_limit >= 0) {
        wpa_meter(cell, 0, 0, width, check->meter, check->meter_limit,
                  wpa_check_paint(check->state));
    } else {
        (void)wpa_put_fit(cell, 0, 0, width, WPA_PAINT_MUTED, check->name);
    }
    (void)wpa_put(cell, 0, width + 1, wpa_check_paint(check->state), wpa_check_text(check->state));
}

CELL(deployment_downtime)
{
    (void)now_us;
    char text[WPA_SHORT];
    int64_t ms = ((const wpa_deployment_row *)row)->downtime_ms;
    wpa_cell_right(cell, ms > 0 ? WPA_PAINT_CHECK_OVER : WPA_PAINT_TEXT,
                   wpa_downtime_text(ms, text, sizeof text));
}

static const wpa_column deployment_columns[] = {
    {.title = "ID", .width = 6, .draw = deployment_id},
    {.title = "STATE", .width = 14, .gap = 2, .draw = deployment_state},
    {.title = "PATCH", .width = 16, .grows = true, .draw = deployment_patch},
    {.title = "STAGE", .width = 9, .priority = 2, .draw = deployment_stage},
    {.title = "DONE", .width = 7, .priority = 1, .is_right = true, .draw = deployment_done},
    {.title = "CHECK", .width = 5, .priority = 3, .is_right = true, .draw = deployment_checks},
    {.title = "BY", .width = 6, .gap = 2, .priority = 4, .draw = deployment_by},
    {.title = "AGO", .width = 5, .priority = 2, .is_right = true, .draw = deployment_age},
};
const wpa_table wpa_deployment_table = TABLE(deployment_columns, wpa_deployment_row, deployment_at);

static const wpa_column live_columns[] = {
    {.title = "ID", .width = 6, .draw = deployment_id},
    {.title = "PATCH", .width = 14, .grows = true, .draw = deployment_patch},
    {.title = "STAGE", .width = 9, .gap = 2, .draw = deployment_stage},
    {.title = "PROGRESS", .width = 7, .priority = 3, .draw = deployment_meter},
    {.title = "", .width = 6, .priority = 1, .is_right = true, .draw = deployment_done},
    {.title = "BAKE", .width = 5, .gap = 2, .draw = deployment_bake},
    {.title = "CHECK", .width = 10, .priority = 2, .draw = deployment_nearest},
};
const wpa_table wpa_live_table = TABLE(live_columns, wpa_deployment_row, deployment_at);

static const wpa_column live_wide_columns[] = {
    {.title = "ID", .width = 6, .draw = deployment_id},
    {.title = "PATCH", .width = 20, .gap = 2, .grows = true, .draw = deployment_patch_long},
    {.title = "STATE", .width = 14, .gap = 2, .priority = 4, .draw = deployment_state},
    {.title = "STAGE", .width = 10, .draw = deployment_stage},
    {.title = "PROGRESS", .width = 12, .priority = 3, .draw = deployment_meter},
    {.title = "", .width = 7, .is_right = true, .draw = deployment_done},
    {.title = "BAKE", .width = 11, .gap = 2, .draw = deployment_bake_of},
    {.title = "CHECKS", .width = 6, .gap = 2, .is_right = true, .draw = deployment_checks},
    {.title = "", .width = 12, .priority = 2, .draw = deployment_nearest},
    {.title = "DOWNTIME",
     .width = 8,
     .gap = 2,
     .priority = 1,
     .is_right = true,
     .draw = deployment_downtime},
};
const wpa_table wpa_live_wide_table = TABLE(live_wide_columns, wpa_deployment_row, deployment_at);

/* ---- needs you ------------------------------------------------------------------------------- */

static wpa_object needs_at(const void *rows, size_t i)
{
    return ((const wpa_needs_row *)rows)[i].object;
}

CELL(needs_id)
{
    (void)now_us;
    char text[WPA_SHORT];
    wpa_cell_text(cell, WPA_PAINT_TEXT,
                  wpa_object_text(((const wpa_needs_row *)row)->object, text, sizeof text));
}

CELL(needs_verb)
{
    (void)now_us;
    const char *verb = ((const wpa_needs_row *)row)->verb;
    wpa_cell_text(cell, wpa_text_is(verb, "alarm") ? WPA_PAINT_BANNER_ALARM : WPA_PAINT_FOCUS,
                  verb);
}

CELL(needs_text)
{
    (void)now_us;
    wpa_cell_text(cell, WPA_PAINT_TEXT, ((const wpa_needs_row *)row)->text);
}

CELL(needs_state)
{
    (void)now_us;
    wpa_cell_text(cell, WPA_PAINT_MUTED, ((const wpa_needs_row *)row)->state);
}

CELL(needs_age)
{
    put_age(cell, ((const wpa_needs_row *)row)->since_us, now_us);
}

static const wpa_column needs_columns[] = {
    {.title = "ID", .width = 7, .draw = needs_id},
    {.title = "WHAT", .width = 7, .draw = needs_verb},
    {.title = "", .width = 14, .grows = true, .gap = 2, .draw = needs_text},
    {.title = "STATE", .width = 8, .priority = 2, .draw = needs_state},
    {.title = "AGE", .width = 5, .priority = 1, .is_right = true, .draw = needs_age},
};
const wpa_table wpa_needs_table = TABLE(needs_columns, wpa_needs_row, needs_at);

/* ---- audit ----------------------------------------------------------------------------------- */

static wpa_object audit_at(const void *rows, size_t i)
{
    return (wpa_object){WPA_OBJECT_AUDIT, ((const wpa_audit_row *)rows)[i].seq};
}

CELL(audit_time)
{
    char text[WPA_SHORT];
    wpa_cell_text(cell, WPA_PAINT_TEXT,
                  wpa_time_text(((const wpa_audit_row *)row)->at_us, now_us, text, sizeof text));
}

CELL(audit_who)
{
    (void)now_us;
    wpa_cell_text(cell, WPA_PAINT_TEXT, ((const wpa_audit_row *)row)->who);
}

CELL(audit_from)
{
    (void)now_us;
    const char *address = ((const wpa_audit_row *)row)->address;
    wpa_cell_text(cell, WPA_PAINT_MUTED, address ? address : "-");
}

CELL(audit_what)
{
    (void)now_us;
    const wpa_audit_row *audit = row;
    wpa_cell_text(cell, WPA_PAINT_TEXT, audit->text ? audit->text : audit->action);
}

CELL(audit_target)
{
    (void)now_us;
    const wpa_audit_row *audit = row;
    char text[WPA_SHORT];
    wpa_cell_text(cell, WPA_PAINT_TEXT,
                  audit->object.kind != WPA_OBJECT_NONE
                      ? wpa_object_text(audit->object, text, sizeof text)
                      : audit->subject);
}

static const wpa_column audit_columns[] = {
    {.title = "TIME (UTC)", .width = 13, .draw = audit_time},
    {.title = "WHO", .width = 8, .gap = 2, .draw = audit_who},
    {.title = "FROM", .width = 12, .priority = 2, .draw = audit_from},
    {.title = "WHAT", .width = 20, .grows = true, .draw = audit_what},
    {.title = "TARGET", .width = 14, .priority = 1, .draw = audit_target},
};
const wpa_table wpa_audit_table = TABLE(audit_columns, wpa_audit_row, audit_at);

/* ---- notices, jobs, runs, targets ------------------------------------------------------------ */

static wpa_object notice_at(const void *rows, size_t i)
{
    return (wpa_object){WPA_OBJECT_NOTICE, ((const wpa_notice_row *)rows)[i].id};
}

CELL(notice_time)
{
    char text[WPA_SHORT];
    wpa_cell_text(cell, WPA_PAINT_TEXT,
                  wpa_time_text(((const wpa_notice_row *)row)->at_us, now_us, text, sizeof text));
}

CELL(notice_level)
{
    (void)now_us;
    static const char *const words[WPA_NOTICE_LEVEL_COUNT] = {"ok", "note", "error", "ALARM"};
    wpa_notice_level level = ((const wpa_notice_row *)row)->level;
    wpa_cell_text(cell, wpa_notice_paint(level),
                  level < WPA_NOTICE_LEVEL_COUNT ? words[level] : "?");
}

CELL(notice_text)
{
    (void)now_us;
    const wpa_notice_row *notice = row;
    char count[WPA_SHORT] = "";
    if (notice->count > 1) {
        (void)wpa_text_format(count, sizeof count, "  x%d", notice->count);
    }
    (void)wpa_put_fitf(cell, 0, 0, cell->cols, notice->is_read ? WPA_PAINT_MUTED : WPA_PAINT_TEXT,
                       "%s%s", notice->text, count);
}

CELL(notice_state)
{
    (void)now_us;
    const wpa_notice_row *notice = row;
    bool is_open = notice->level == WPA_NOTICE_ALARM && !notice->is_acknowledged;
    wpa_cell_text(cell, is_open ? WPA_PAINT_KEY : WPA_PAINT_MUTED, is_open ? "K" : "");
}

static const wpa_column notice_columns[] = {
    {.title = "TIME (UTC)", .width = 12, .draw = notice_time},
    {.title = "LEVEL", .width = 5, .draw = notice_level},
    {.title = "WHAT", .width = 20, .grows = true, .gap = 2, .draw = notice_text},
    {.title = "", .width = 1, .draw = notice_state},
};
const wpa_table wpa_notice_table = TABLE(notice_columns, wpa_notice_row, notice_at);

static wpa_object job_at(const void *rows, size_t i)
{
    return (wpa_object){WPA_OBJECT_JOB, ((const wpa_job_row *)rows)[i].id};
}

CELL(job_id)
{
    (void)now_us;
    put_id(cell, WPA_OBJECT_JOB, ((const wpa_job_row *)row)->id);
}

CELL(job_what)
{
    (void)now_us;
    wpa_cell_text(cell, WPA_PAINT_TEXT, ((const wpa_job_row *)row)->what);
}

CELL(job_progress)
{
    const wpa_job_row *job = row;
    char n[WPA_SHORT];
    if (job->state == WPA_JOB_RUNNING && job->n_total > 0) {
        (void)wpa_text_format(n, sizeof n, "%" PRId64 "/%" PRId64, job->n_done, job->n_total);
        int width = cell->cols - (int)strlen(n) - 1;
        wpa_meter(cell, 0, 0, width, (double)job->n_done / (double)job->n_total, -1,
                  WPA_PAINT_METER_FILL);
        wpa_cell_right(cell, WPA_PAINT_TEXT, n);
    } else if (job->state == WPA_JOB_QUEUED) {
        bool is_later = job->run_after_us > now_us;
        char wait[WPA_SHORT];
        (void)wpa_took_text((job->run_after_us - now_us) / 1000, wait, sizeof wait);
        (void)wpa_putf(cell, 0, 0, WPA_PAINT_MUTED,
                       is_later ? "waiting, again in %s" : "waiting for a worker", wait);
    } else {
        wpa_cell_text(cell, job->state == WPA_JOB_DEAD ? WPA_PAINT_STATE_FAILED : WPA_PAINT_TEXT,
                      job->state < WPA_JOB_STATE_COUNT ? wpa_job_state_words[job->state] : "?");
    }
}

CELL(job_time)
{
    const wpa_job_row *job = row;
    char text[WPA_SHORT];
    int64_t end_us = job->finished_at_us ? job->finished_at_us : now_us;
    wpa_cell_right(
        cell, WPA_PAINT_TEXT,
        wpa_took_text(job->started_at_us ? (end_us - job->started_at_us) / 1000 : WPA_UNKNOWN, text,
                      sizeof text));
}

CELL(job_owner)
{
    (void)now_us;
    const char *owner = ((const wpa_job_row *)row)->owner;
    wpa_cell_text(cell, WPA_PAINT_MUTED, owner ? owner : "-");
}

static const wpa_column job_columns[] = {
    {.title = "JOB", .width = 6, .draw = job_id},
    {.title = "WHAT", .width = 22, .gap = 2, .grows = true, .draw = job_what},
    {.title = "PROGRESS", .width = 24, .priority = 1, .draw = job_progress},
    {.title = "TIME", .width = 8, .is_right = true, .draw = job_time},
    {.title = "AGENT", .width = 16, .gap = 2, .priority = 3, .draw = job_owner},
};
const wpa_table wpa_job_table = TABLE(job_columns, wpa_job_row, job_at);

static wpa_object run_at(const void *rows, size_t i)
{
    return (wpa_object){WPA_OBJECT_RUN, ((const wpa_run_row *)rows)[i].id};
}

CELL(run_id)
{
    (void)now_us;
    put_id(cell, WPA_OBJECT_RUN, ((const wpa_run_row *)row)->id);
}

CELL(run_result)
{
    (void)now_us;
    static const struct {
        const char *text;
        wpa_paint paint;
    } looks[] = {[WPA_RUN_FAILED] = {"✗ failed", WPA_PAINT_STATE_FAILED},
                 [WPA_RUN_STOPPED] = {"∙ stopped", WPA_PAINT_MUTED},
                 [WPA_RUN_OK] = {"✓ ok", WPA_PAINT_CHECK_OK}};
    size_t result = ((const wpa_run_row *)row)->result;
    result = result < WPA_COUNT(looks) ? result : 0;
    wpa_cell_text(cell, looks[result].paint, looks[result].text);
}

CELL(run_workflow)
{
    (void)now_us;
    wpa_cell_text(cell, WPA_PAINT_TEXT, ((const wpa_run_row *)row)->workflow);
}

CELL(run_ended_by)
{
    (void)now_us;
    wpa_cell_text(cell, WPA_PAINT_TEXT, ((const wpa_run_row *)row)->ended_by);
}

CELL(run_took)
{
    (void)now_us;
    char text[WPA_SHORT];
    wpa_cell_right(cell, WPA_PAINT_TEXT,
                   wpa_took_text(((const wpa_run_row *)row)->took_ms, text, sizeof text));
}

CELL(run_started)
{
    char text[WPA_SHORT];
    wpa_cell_right(
        cell, WPA_PAINT_MUTED,
        wpa_time_text(((const wpa_run_row *)row)->started_at_us, now_us, text, sizeof text));
}

static const wpa_column run_columns[] = {
    {.title = "RUN", .width = 8, .draw = run_id},
    {.title = "RESULT", .width = 10, .draw = run_result},
    {.title = "WORKFLOW", .width = 16, .grows = true, .draw = run_workflow},
    {.title = "JOB THAT ENDED IT", .width = 18, .priority = 2, .draw = run_ended_by},
    {.title = "TOOK", .width = 9, .is_right = true, .draw = run_took},
    {.title = "STARTED", .width = 12, .priority = 1, .is_right = true, .draw = run_started},
};
const wpa_table wpa_run_table = TABLE(run_columns, wpa_run_row, run_at);

static wpa_object target_at(const void *rows, size_t i)
{
    (void)rows;
    (void)i;
    return (wpa_object){WPA_OBJECT_NONE, 0};
}

CELL(target_name)
{
    (void)now_us;
    wpa_cell_text(cell, WPA_PAINT_TEXT, ((const wpa_target_row *)row)->name);
}

CELL(target_ref)
{
    (void)now_us;
    wpa_cell_text(cell, WPA_PAINT_MUTED, ((const wpa_target_row *)row)->ref);
}

CELL(target_stage)
{
    (void)now_us;
    (void)wpa_putf(cell, 0, 0, WPA_PAINT_TEXT, "%d", ((const wpa_target_row *)row)->stage);
}

CELL(target_state)
{
    (void)now_us;
    const wpa_target_row *target = row;
    bool is_bad = target->state == WPA_TARGET_FAILED || target->state == WPA_TARGET_CONFLICT ||
                  target->state == WPA_TARGET_REVERT_BLOCKED;
    bool is_good = target->state == WPA_TARGET_VERIFIED || target->state == WPA_TARGET_APPLIED;
    wpa_cell_text(cell,
                  is_bad    ? WPA_PAINT_STATE_FAILED
                  : is_good ? WPA_PAINT_STATE_DEPLOYED
                            : WPA_PAINT_TEXT,
                  target->state < WPA_TARGET_STATE_COUNT ? wpa_target_state_words[target->state]
                                                         : "?");
}

static void put_commit(const wpa_canvas *cell, const char *oid)
{
    char text[8];
    (void)wpa_text_copy(text, sizeof text, oid ? oid : "-");
    wpa_cell_text(cell, WPA_PAINT_TEXT, text);
}

CELL(target_base)
{
    (void)now_us;
    put_commit(cell, ((const wpa_target_row *)row)->base);
}

CELL(target_applied)
{
    (void)now_us;
    const wpa_target_row *target = row;
    put_commit(cell, target->reverted ? target->reverted : target->applied);
}

CELL(target_note)
{
    (void)now_us;
    wpa_cell_text(cell, WPA_PAINT_MUTED, ((const wpa_target_row *)row)->note);
}

static const wpa_column target_columns[] = {
    {.title = "TARGET", .width = 14, .grows = true, .draw = target_name},
    {.title = "REF", .width = 16, .priority = 3, .draw = target_ref},
    {.title = "ST", .width = 2, .draw = target_stage},
    {.title = "STATE", .width = 15, .draw = target_state},
    {.title = "BASE", .width = 7, .priority = 2, .draw = target_base},
    {.title = "NOW", .width = 7, .priority = 1, .draw = target_applied},
    {.title = "NOTE", .width = 16, .priority = 4, .draw = target_note},
};
const wpa_table wpa_target_table = TABLE(target_columns, wpa_target_row, target_at);
