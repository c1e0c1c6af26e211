/* Tables of deployments and their targets. */
#include <inttypes.h>

#include "views/tables_cell.h"
#include "widgets/format.h"

/* ---- deployments ----------------------------------------------------------------------------- */

static wpa_object deployment_at(const void *rows, size_t i)
{
    return (wpa_object){WPA_OBJECT_DEPLOYMENT, ((const wpa_deployment_row *)rows)[i].id};
}

CELL(deployment_id)
{
    (void)now_us;
    wpa_cell_id(cell, WPA_OBJECT_DEPLOYMENT, ((const wpa_deployment_row *)row)->id);
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
    wpa_cell_age(cell, ((const wpa_deployment_row *)row)->started_at_us, now_us);
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

/* ---- targets --------------------------------------------------------------------------------- */

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
