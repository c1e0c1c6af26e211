/* Tables of what happens: what needs somebody, audit log, notices, jobs, runs. */
#include <inttypes.h>
#include <string.h>

#include "views/tables_cell.h"
#include "widgets/format.h"

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
    wpa_cell_age(cell, ((const wpa_needs_row *)row)->since_us, now_us);
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

/* ---- notices, jobs, runs --------------------------------------------------------------------- */

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

/* ---- where notices go ------------------------------------------------------------------------ */

static wpa_object destination_at(const void *rows, size_t i)
{
    return (wpa_object){WPA_OBJECT_DESTINATION, ((const wpa_destination_row *)rows)[i].id};
}

CELL(destination_name)
{
    (void)now_us;
    wpa_cell_text(cell, WPA_PAINT_TEXT, ((const wpa_destination_row *)row)->name);
}

CELL(destination_channel)
{
    (void)now_us;
    wpa_cell_text(cell, WPA_PAINT_TEXT, ((const wpa_destination_row *)row)->channel);
}

CELL(destination_state)
{
    (void)now_us;
    const wpa_destination_row *destination = row;
    bool is_failing = wpa_text_is(destination->state, "failing");
    bool is_on = wpa_text_is(destination->state, "on");
    wpa_cell_text(cell,
                  is_failing ? WPA_PAINT_NOTICE_ERROR
                  : is_on    ? WPA_PAINT_NOTICE_OK
                             : WPA_PAINT_MUTED,
                  destination->state);
}

CELL(destination_what)
{
    (void)now_us;
    wpa_cell_text(cell, WPA_PAINT_MUTED, ((const wpa_destination_row *)row)->what);
}

CELL(destination_waiting)
{
    (void)now_us;
    wpa_cell_count(cell, ((const wpa_destination_row *)row)->n_waiting);
}

CELL(destination_dead)
{
    (void)now_us;
    wpa_cell_count(cell, ((const wpa_destination_row *)row)->n_dead);
}

CELL(destination_sent)
{
    wpa_cell_age(cell, ((const wpa_destination_row *)row)->last_sent_at_us, now_us);
}

static const wpa_column destination_columns[] = {
    {.title = "NAME", .width = 14, .draw = destination_name},
    {.title = "CHANNEL", .width = 12, .priority = 1, .draw = destination_channel},
    {.title = "STATE", .width = 7, .draw = destination_state},
    {.title = "EVENTS", .width = 16, .grows = true, .priority = 2, .draw = destination_what},
    {.title = "WAITING", .width = 7, .is_right = true, .draw = destination_waiting},
    {.title = "GIVEN UP", .width = 8, .is_right = true, .draw = destination_dead},
    {.title = "SENT", .width = 6, .is_right = true, .draw = destination_sent},
};
const wpa_table wpa_destination_table =
    TABLE(destination_columns, wpa_destination_row, destination_at);

static wpa_object job_at(const void *rows, size_t i)
{
    return (wpa_object){WPA_OBJECT_JOB, ((const wpa_job_row *)rows)[i].id};
}

CELL(job_id)
{
    (void)now_us;
    wpa_cell_id(cell, WPA_OBJECT_JOB, ((const wpa_job_row *)row)->id);
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
    wpa_cell_id(cell, WPA_OBJECT_RUN, ((const wpa_run_row *)row)->id);
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
