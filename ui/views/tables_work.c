/* Tables of workflows, findings and patches. */
#include <math.h>
#include <string.h>

#include "views/tables_cell.h"
#include "widgets/format.h"

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
    wpa_cell_count(cell, ((const wpa_workflow_row *)row)->n_findings);
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
    wpa_cell_age(cell, ((const wpa_workflow_row *)row)->analysed_at_us, now_us);
}

static const wpa_column workflow_columns[] = {
    {.title = "SCO", .width = 3, .is_right = true, .can_sort = true, .draw = workflow_score},
    {.title = "24h", .width = 4, .priority = 4, .draw = workflow_change},
    {.title = "SEC", .width = 3, .priority = 3, .is_right = true, .draw = workflow_security},
    {.title = "PRF", .width = 3, .priority = 3, .is_right = true, .draw = workflow_performance},
    {.title = "EFF", .width = 3, .priority = 3, .is_right = true, .draw = workflow_efficiency},
    {.title = "CMP", .width = 3, .priority = 3, .is_right = true, .draw = workflow_compatibility},
    {.title = "QUA", .width = 3, .priority = 3, .is_right = true, .draw = workflow_quality},
    {.title = "WORKFLOW",
     .width = 32,
     .gap = 2,
     .grows = true,
     .can_sort = true,
     .sort = WPA_SORT_NAME,
     .draw = workflow_name},
    {.title = "FIND",
     .width = 4,
     .priority = 2,
     .is_right = true,
     .can_sort = true,
     .sort = WPA_SORT_FINDINGS,
     .draw = workflow_findings},
    {.title = "RUNS", .width = 8, .gap = 2, .priority = 5, .draw = workflow_runs},
    {.title = "SEEN",
     .width = 5,
     .gap = 2,
     .priority = 6,
     .is_right = true,
     .can_sort = true,
     .sort = WPA_SORT_AGE,
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
        wpa_cell_id(cell, WPA_OBJECT_PATCH, finding->patch_id);
    } else {
        wpa_cell_text(cell, WPA_PAINT_MUTED,
                      finding->state != WPA_FINDING_OPEN ? wpa_ui_finding_text(finding->state)
                      : finding->has_fix                 ? "p fix"
                                                         : "");
    }
}

CELL(finding_age)
{
    wpa_cell_age(cell, ((const wpa_finding_row *)row)->first_seen_us, now_us);
}

static const wpa_column finding_columns[] = {
    {.title = "SEV", .width = 4, .can_sort = true, .draw = finding_severity},
    {.title = "RULE", .width = 8, .draw = finding_code},
    {.title = "CAT", .width = 6, .priority = 5, .draw = finding_dimension},
    {.title = "WHERE", .width = 24, .can_sort = true, .sort = WPA_SORT_NAME, .draw = finding_where},
    {.title = "WHAT", .width = 16, .gap = 2, .priority = 1, .grows = true, .draw = finding_what},
    {.title = "PATCH",
     .width = 8,
     .priority = 3,
     .can_sort = true,
     .sort = WPA_SORT_STATE,
     .draw = finding_state},
    {.title = "AGE",
     .width = 5,
     .priority = 2,
     .is_right = true,
     .can_sort = true,
     .sort = WPA_SORT_AGE,
     .draw = finding_age},
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
    wpa_cell_id(cell, WPA_OBJECT_PATCH, ((const wpa_patch_row *)row)->id);
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
    wpa_cell_count(cell, ((const wpa_patch_row *)row)->n_workflows);
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
    wpa_cell_age(cell, ((const wpa_patch_row *)row)->updated_at_us, now_us);
}

static const wpa_column patch_columns[] = {
    {.title = "ID", .width = 6, .draw = patch_id},
    {.title = "STATE", .width = 14, .can_sort = true, .sort = WPA_SORT_STATE, .draw = patch_state},
    {.title = "TITLE",
     .width = 16,
     .grows = true,
     .can_sort = true,
     .sort = WPA_SORT_NAME,
     .draw = patch_name},
    {.title = "WF", .width = 4, .priority = 2, .is_right = true, .draw = patch_workflows},
    {.title = "I N S C", .width = 7, .gap = 2, .priority = 3, .draw = patch_suites},
    {.title = "BY", .width = 7, .gap = 2, .priority = 4, .draw = patch_author},
    {.title = "AGE",
     .width = 5,
     .priority = 1,
     .is_right = true,
     .can_sort = true,
     .sort = WPA_SORT_AGE,
     .draw = patch_age},
};
const wpa_table wpa_patch_table = TABLE(patch_columns, wpa_patch_row, patch_at);
