/*
 * Filters over the rows that are loaded, for as long as there is no database to ask, and their
 * order. What the rows
 * do not tell (the path of a file, a regular expression as the database has them) is told of as not
 * understood; the rest is compared as the database would.
 */
#include <ctype.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "console/ui.h"

static const size_t row_bytes[WPA_LIST_COUNT] = {
    [WPA_LIST_WORKFLOWS] = sizeof(wpa_workflow_row),
    [WPA_LIST_FINDINGS] = sizeof(wpa_finding_row),
    [WPA_LIST_PATCHES] = sizeof(wpa_patch_row),
    [WPA_LIST_DEPLOYMENTS] = sizeof(wpa_deployment_row),
    [WPA_LIST_AUDIT] = sizeof(wpa_audit_row),
    [WPA_LIST_NOTICES] = sizeof(wpa_notice_row),
    [WPA_LIST_JOBS] = sizeof(wpa_job_row),
    [WPA_LIST_RUNS] = sizeof(wpa_run_row),
    [WPA_LIST_DESTINATIONS] = sizeof(wpa_destination_row),
};

/* ---- what a row tells ------------------------------------------------------------------------ */

typedef const char *(*teller)(const void *row, wpa_arena *arena);

#define TELLS(name, type, value)                                                                   \
    static const char *name(const void *row, wpa_arena *arena)                                     \
    {                                                                                              \
        const type *it = row;                                                                      \
        (void)arena;                                                                               \
        return value;                                                                              \
    }

static const char *time_text(int64_t time_us, wpa_arena *arena)
{
    return wpa_arena_printf(arena, "%lld", (long long)time_us);
}

static const char *repository_of(const char *slash_name, wpa_arena *arena)
{
    return wpa_arena_slice(arena, slash_name, strcspn(slash_name, "/"));
}

/* clang-format off */
TELLS(workflow_name, wpa_workflow_row, it->name)
TELLS(workflow_repository, wpa_workflow_row, it->repository)
TELLS(workflow_score, wpa_workflow_row, wpa_arena_printf(arena, "%.3f", it->scores.overall))
TELLS(finding_severity, wpa_finding_row,
      it->kind == WPA_KIND_OPPORTUNITY ? "opportunity" : wpa_severity_name(it->severity))
TELLS(finding_rule, wpa_finding_row, it->rule)
TELLS(finding_category, wpa_finding_row, wpa_dimension_name(it->dimension))
TELLS(finding_workflow, wpa_finding_row, it->workflow)
TELLS(finding_repository, wpa_finding_row, repository_of(it->workflow, arena))
TELLS(finding_state, wpa_finding_row, wpa_finding_state_name(it->state))
TELLS(finding_age, wpa_finding_row, time_text(it->first_seen_us, arena))
TELLS(finding_has, wpa_finding_row,
      wpa_arena_printf(arena, "%s%s", it->has_fix ? "fix " : "", it->patch_id ? "patch " : ""))
TELLS(finding_text, wpa_finding_row, it->message)
TELLS(patch_severity, wpa_patch_row, wpa_severity_name(it->severity))
TELLS(patch_state, wpa_patch_row, wpa_patch_state_words[it->state])
TELLS(patch_age, wpa_patch_row, time_text(it->created_at_us, arena))
TELLS(patch_author, wpa_patch_row, it->author)
TELLS(patch_text, wpa_patch_row, it->name)
TELLS(deployment_state, wpa_deployment_row, wpa_deployment_state_words[it->state])
TELLS(deployment_age, wpa_deployment_row, time_text(it->started_at_us, arena))
TELLS(deployment_by, wpa_deployment_row, it->started_by)
TELLS(deployment_text, wpa_deployment_row, it->patch)
TELLS(audit_state, wpa_audit_row, it->action)
TELLS(audit_age, wpa_audit_row, time_text(it->at_us, arena))
TELLS(audit_by, wpa_audit_row, it->who)
TELLS(audit_text, wpa_audit_row,
      wpa_arena_printf(arena, "%s %s %s", it->action, it->subject ? it->subject : "",
                       it->detail ? it->detail : ""))
TELLS(notice_state, wpa_notice_row, wpa_notice_level_words[it->level])
TELLS(notice_age, wpa_notice_row, time_text(it->at_us, arena))
TELLS(notice_text, wpa_notice_row, it->text)
TELLS(job_state, wpa_job_row, wpa_job_state_words[it->state])
TELLS(job_text, wpa_job_row, it->what)
TELLS(run_workflow, wpa_run_row, it->workflow)
TELLS(run_repository, wpa_run_row, repository_of(it->workflow, arena))
TELLS(run_age, wpa_run_row, time_text(it->started_at_us, arena))
TELLS(destination_state, wpa_destination_row, it->state)
TELLS(destination_text, wpa_destination_row, it->name)

static const struct {
    wpa_list list;
    const char *field;
    teller tell;
} tellers[] = {
    {WPA_LIST_WORKFLOWS, "wf", workflow_name}, {WPA_LIST_WORKFLOWS, "repo", workflow_repository},
    {WPA_LIST_WORKFLOWS, "score", workflow_score}, {WPA_LIST_WORKFLOWS, "text", workflow_name},
    {WPA_LIST_FINDINGS, "sev", finding_severity}, {WPA_LIST_FINDINGS, "rule", finding_rule},
    {WPA_LIST_FINDINGS, "cat", finding_category}, {WPA_LIST_FINDINGS, "wf", finding_workflow},
    {WPA_LIST_FINDINGS, "repo", finding_repository}, {WPA_LIST_FINDINGS, "state", finding_state},
    {WPA_LIST_FINDINGS, "age", finding_age}, {WPA_LIST_FINDINGS, "has", finding_has},
    {WPA_LIST_FINDINGS, "text", finding_text},
    {WPA_LIST_PATCHES, "sev", patch_severity}, {WPA_LIST_PATCHES, "state", patch_state},
    {WPA_LIST_PATCHES, "age", patch_age}, {WPA_LIST_PATCHES, "by", patch_author},
    {WPA_LIST_PATCHES, "text", patch_text},
    {WPA_LIST_DEPLOYMENTS, "state", deployment_state}, {WPA_LIST_DEPLOYMENTS, "age", deployment_age},
    {WPA_LIST_DEPLOYMENTS, "by", deployment_by}, {WPA_LIST_DEPLOYMENTS, "text", deployment_text},
    {WPA_LIST_AUDIT, "state", audit_state}, {WPA_LIST_AUDIT, "age", audit_age},
    {WPA_LIST_AUDIT, "by", audit_by}, {WPA_LIST_AUDIT, "text", audit_text},
    {WPA_LIST_NOTICES, "state", notice_state}, {WPA_LIST_NOTICES, "age", notice_age},
    {WPA_LIST_NOTICES, "text", notice_text},
    {WPA_LIST_JOBS, "state", job_state}, {WPA_LIST_JOBS, "text", job_text},
    {WPA_LIST_RUNS, "wf", run_workflow}, {WPA_LIST_RUNS, "repo", run_repository},
    {WPA_LIST_RUNS, "age", run_age},
    {WPA_LIST_DESTINATIONS, "state", destination_state},
    {WPA_LIST_DESTINATIONS, "text", destination_text},
};
/* clang-format on */

static teller teller_of(wpa_list list, const char *field)
{
    for (size_t i = 0; i < WPA_COUNT(tellers); i++) {
        if (tellers[i].list == list && wpa_text_is(tellers[i].field, field)) {
            return tellers[i].tell;
        }
    }
    return NULL;
}

/* ---- does it hold ---------------------------------------------------------------------------- */

/* The whole text, with * and ? unless is_exact; a character that is not ASCII is several of ?. */
static bool fits_pattern(const char *text, const char *pattern, bool is_exact)
{
    const char *star = NULL, *again = text;
    while (*text) {
        bool is_same = tolower((unsigned char)*text) == tolower((unsigned char)*pattern);
        if (!is_exact && *pattern == '*') {
            star = pattern++;
            again = text;
        } else if (*pattern && (is_same || (!is_exact && *pattern == '?'))) {
            text++;
            pattern++;
        } else if (star) {
            text = ++again;
            pattern = star + 1;
        } else {
            return false;
        }
    }
    while (!is_exact && *pattern == '*') {
        pattern++;
    }
    return !*pattern;
}

static bool fits_word(const char *text, const char *word, bool is_exact)
{
    return is_exact || !strpbrk(word, "*?") ? strcasestr(text, word) != NULL
                                            : fits_pattern(text, word, false);
}

static bool compares(double a, const char *op, double b)
{
    bool is_less = a < b, is_same = !(a < b) && !(a > b);
    return *op == '<'   ? is_less || (op[1] && is_same)
           : *op == '>' ? (!is_less && !is_same) || (op[1] && is_same)
                        : is_same;
}

/* 4 critical to 0 opportunity, as the database ranks them; -1 none. */
static int severity_rank(const char *text)
{
    static const char *const starts[] = {"opp", "lo", "med", "hi", "crit"};
    int rank = -1;
    for (int i = 0; i < (int)WPA_COUNT(starts); i++) {
        rank = strncasecmp(text, starts[i], strlen(starts[i])) == 0 ? i : rank;
    }
    return rank;
}

static bool fits_category(const char *told, const char *value)
{
    bool is_cmp = strncasecmp(value, "cmp", 3) == 0 && wpa_text_is(told, "compatibility");
    bool is_prf = strncasecmp(value, "prf", 3) == 0 && wpa_text_is(told, "performance");
    return is_cmp || is_prf || strncasecmp(told, value, strnlen(value, 3)) == 0;
}

static bool fits_age(const char *told, const wpa_filter_term *term, const char *value,
                     int64_t now_us)
{
    int64_t ms = 0, at_us = 0;
    return wpa_text_to_int(told, 0, INT64_MAX, &at_us) && wpa_text_to_duration_ms(value, &ms) &&
           compares((double)(now_us - at_us) / 1000, term->op, (double)ms);
}

static bool fits_score(const char *told, const wpa_filter_term *term, const char *value)
{
    double score = 0, wanted = 0;
    return wpa_text_to_double(told, &score) && wpa_text_to_double(value, &wanted) &&
           compares(score, term->op, wanted);
}

static bool fits_value(const void *row, wpa_list list, const wpa_filter_term *term,
                       const char *told, const char *value, int64_t now_us)
{
    if (wpa_text_is(term->field, "age")) {
        return fits_age(told, term, value, now_us);
    }
    if (wpa_text_is(term->field, "score")) {
        return fits_score(told, term, value);
    }
    if (wpa_text_is(term->field, "sev")) {
        int rank = severity_rank(value);
        return rank >= 0 && compares(severity_rank(told), term->op, rank);
    }
    if (wpa_text_is(term->field, "cat")) {
        return fits_category(told, value);
    }
    if (wpa_text_is(term->field, "has")) {
        return strcasestr(told, value) != NULL;
    }
    if (wpa_text_is(term->field, "text")) {
        return fits_word(told, value, term->is_exact);
    }
    bool is_rule = wpa_text_is(term->field, "rule") && list == WPA_LIST_FINDINGS;
    return fits_pattern(told, value, term->is_exact) ||
           (is_rule && fits_pattern(((const wpa_finding_row *)row)->code, value, term->is_exact));
}

static bool holds(const void *row, wpa_list list, const wpa_filter_term *term, int64_t now_us,
                  wpa_arena *arena)
{
    const char *told = teller_of(list, term->field)(row, arena);
    bool is_any = false;
    for (size_t i = 0; told && i < term->n_values && !is_any; i++) {
        is_any = wpa_filter_takes(list, term, term->values[i]) &&
                 fits_value(row, list, term, told, term->values[i], now_us);
    }
    return is_any != term->is_negated;
}

/* ---- the list -------------------------------------------------------------------------------- */

/* Terms that can be looked at; ignored receives the others, as the database would tell of them. */
static size_t take_terms(wpa_list list, const wpa_filter_term *all, size_t n,
                         const wpa_filter_term **taken, const char **ignored, wpa_arena *arena)
{
    size_t n_taken = 0;
    for (size_t i = 0; i < n; i++) {
        bool can_look = teller_of(list, all[i].field) != NULL, takes_any = false;
        const char *fault = wpa_filter_fault(list, &all[i], arena);
        for (size_t k = 0; k < all[i].n_values; k++) {
            takes_any |= wpa_filter_takes(list, &all[i], all[i].values[k]);
        }
        fault = fault ? fault : can_look ? NULL : all[i].field;
        if (fault) {
            *ignored = *ignored ? wpa_arena_printf(arena, "%s %s", *ignored, fault) : fault;
        }
        if (can_look && takes_any) {
            taken[n_taken++] = &all[i];
        }
    }
    return n_taken;
}

static wpa_msg *filtered(const wpa_ui *ui, const wpa_list_view *from, const wpa_rows *wanted)
{
    wpa_msg *msg = wpa_msg_new(WPA_FEED_LIST);
    WPA_AUTO(wpa_arena) *scratch = wpa_arena_new();
    msg->arena = msg->arena ? msg->arena : wpa_arena_new();
    size_t bytes = row_bytes[from->list], n_terms = 0;
    wpa_list_view *view = wpa_arena_dup(msg->arena, from, sizeof *from);
    char *rows = wpa_arena_array(msg->arena, from->n_rows + 1, bytes);
    view->ignored = NULL;
    const wpa_filter_term *all =
        wpa_filter_terms(ui, from->list, wanted->filter, msg->arena, &n_terms);
    const wpa_filter_term **terms = wpa_arena_array(msg->arena, n_terms + 1, sizeof *terms);
    n_terms = take_terms(from->list, all, n_terms, terms, &view->ignored, msg->arena);
    view->n_rows = 0;
    for (size_t i = 0; i < from->n_rows; i++) {
        const char *row = (const char *)from->rows + i * bytes;
        bool fits = true;
        for (size_t k = 0; k < n_terms && fits; k++) {
            fits = holds(row, from->list, terms[k], wpa_ui_now(ui), scratch);
        }
        if (fits) {
            memcpy(rows + bytes * view->n_rows++, row, bytes);
        }
    }
    wpa_loaded_sort(view, rows, bytes, wanted->sort, wanted->is_descending);
    view->rows = rows;
    view->position = 0;
    view->n_matching = (int64_t)view->n_rows;
    view->n_all = (int64_t)from->n_rows;
    view->is_at_least = view->has_before = view->has_after = false;
    view->n_without = 0;
    msg->body = view;
    return msg;
}

static const size_t cursor_at[WPA_LIST_COUNT] = {
    [WPA_LIST_WORKFLOWS] = offsetof(wpa_workflow_row, cursor),
    [WPA_LIST_FINDINGS] = offsetof(wpa_finding_row, cursor),
    [WPA_LIST_PATCHES] = offsetof(wpa_patch_row, cursor),
    [WPA_LIST_DEPLOYMENTS] = offsetof(wpa_deployment_row, cursor),
    [WPA_LIST_AUDIT] = offsetof(wpa_audit_row, cursor),
    [WPA_LIST_NOTICES] = offsetof(wpa_notice_row, cursor),
    [WPA_LIST_JOBS] = offsetof(wpa_job_row, cursor),
    [WPA_LIST_RUNS] = offsetof(wpa_run_row, cursor),
    [WPA_LIST_DESTINATIONS] = offsetof(wpa_destination_row, cursor),
};

static const char *row_at(const wpa_list_view *view, size_t i)
{
    return (const char *)view->rows + i * row_bytes[view->list];
}

const char *wpa_loaded_cursor(const wpa_list_view *view, size_t i)
{
    const char *cursor = NULL;
    memcpy(&cursor, row_at(view, i) + cursor_at[view->list], sizeof cursor);
    return cursor;
}

const char *wpa_loaded_row_cursor(const wpa_list_view *view, int index, int64_t id)
{
    int64_t its_id = 0;
    if (index < 0 || (size_t)index >= view->n_rows) {
        return NULL;
    }
    memcpy(&its_id, row_at(view, (size_t)index), sizeof its_id);
    return its_id == id ? wpa_loaded_cursor(view, (size_t)index) : NULL;
}

size_t wpa_loaded_row_bytes(wpa_list list)
{
    return row_bytes[list];
}

void wpa_loaded_forget(wpa_rows *rows)
{
    rows->is_order_held = false;
    wpa_msg_free(rows->local);
    rows->local = NULL;
    rows->view = rows->msg ? rows->msg->body : NULL;
}

void wpa_loaded_filter(wpa_ui *ui, wpa_list list)
{
    wpa_rows *rows = &ui->lists[list];
    if (!wpa_ui_is_lost(ui) || !rows->msg) {
        return;
    }
    wpa_loaded_forget(rows);
    rows->local = filtered(ui, rows->view, rows);
    rows->view = rows->local->body;
    ui->is_dirty = true;
}
