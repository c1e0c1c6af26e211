/* Windows of lists, by key. */
#include <string.h>

#include <wpa/clock.h>
#include <wpa/text.h>

#include "feed/reader.h"
#include "feed/terms.h"
#include "gen/sql.h"

#define WINDOW_MAX 1000
#define WITHOUT_WITHIN_US                                                                          \
    ((int64_t)2 * 1000000) /* a big fleet's rows are not counted once more                         \
                            */

static const wpa_row_kind *const kinds[WPA_LIST_COUNT] = {
    [WPA_LIST_WORKFLOWS] = &wpa_workflow_kind,
    [WPA_LIST_FINDINGS] = &wpa_finding_kind,
    [WPA_LIST_PATCHES] = &wpa_patch_kind,
    [WPA_LIST_DEPLOYMENTS] = &wpa_deployment_kind,
    [WPA_LIST_AUDIT] = &wpa_audit_kind,
    [WPA_LIST_NOTICES] = &wpa_notice_kind,
    [WPA_LIST_JOBS] = &wpa_job_kind,
    [WPA_LIST_RUNS] = &wpa_run_kind,
    [WPA_LIST_DESTINATIONS] = &wpa_destination_kind,
};

typedef struct page {
    const char *list, *sort, *descending, *terms;
    char scope[WPA_DB_NUMBER_SIZE];
} page;

static wpa_rows *read_window(wpa_db *db, const page *p, const wpa_list_query *query,
                             wpa_arena *arena, wpa_error *err)
{
    char before[WPA_DB_NUMBER_SIZE];
    char after[WPA_DB_NUMBER_SIZE];
    char *key = wpa_arena_text(arena, query->cursor);
    char *id = key ? strrchr(key, '\x1f') : NULL;
    if (id) {
        *id++ = '\0';
    } else {
        key = NULL;
    }
    const char *params[] = {
        p->list,
        p->sort,
        p->descending,
        p->terms,
        p->scope,
        key,
        id,
        wpa_db_bool(query->from_end),
        wpa_db_number(query->n_before < WINDOW_MAX ? query->n_before : WINDOW_MAX, before),
        wpa_db_number(query->n_after < WINDOW_MAX ? query->n_after : WINDOW_MAX, after),
    };
    return wpa_db_exec(db, WPA_SQL_FEED_LIST, params, WPA_COUNT(params), err);
}

static bool count(wpa_db *db, const page *p, const wpa_rows *rows, wpa_list_view *view,
                  wpa_error *err)
{
    bool is_empty = wpa_rows_count(rows) == 0;
    const char *params[] = {
        p->list,
        p->sort,
        p->descending,
        p->terms,
        p->scope,
        is_empty ? "" : wpa_rows_text(rows, 0, 1),
        is_empty ? "0" : wpa_rows_text(rows, 0, 2),
    };
    WPA_AUTO(wpa_rows) *counts =
        wpa_db_exec(db, WPA_SQL_FEED_LIST_COUNT, params, WPA_COUNT(params), err);
    if (!counts) {
        return false;
    }
    view->n_matching = wpa_rows_int(counts, 0, 0);
    view->n_all = wpa_rows_int(counts, 0, 1);
    view->position = is_empty ? 0 : wpa_rows_int(counts, 0, 2);
    view->has_before = view->position > 0;
    view->has_after = view->position + (int64_t)view->n_rows < view->n_matching;
    return true;
}

static bool fill_rows(const wpa_rows *rows, const wpa_row_kind *kind, wpa_arena *arena,
                      wpa_list_view *view, wpa_error *err)
{
    const wpa_json **items = wpa_feed_parse(rows, 0, arena, &view->n_rows, err);
    if (!items) {
        return false;
    }
    char *out = wpa_arena_array(arena, view->n_rows + 1, kind->size_bytes);
    for (size_t i = 0; i < view->n_rows; i++) {
        char *row = out + i * kind->size_bytes;
        kind->fill(items[i], arena, row);
        const char *cursor = wpa_arena_printf(arena, "%s\x1f%s", wpa_rows_text(rows, i, 1),
                                              wpa_rows_text(rows, i, 2));
        memcpy(row + kind->cursor_at, &cursor, sizeof cursor);
    }
    view->rows = out;
    return true;
}

static bool add_verification(wpa_db *db, wpa_arena *arena, wpa_list_view *view, wpa_error *err)
{
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_FEED_VERIFICATION, NULL, 0, err);
    if (rows && wpa_rows_count(rows) > 0) {
        view->chain_verified_to_us = wpa_rows_int(rows, 0, 0);
        view->chain_rows = wpa_rows_int(rows, 0, 1);
        view->chain_fault = wpa_rows_dup(rows, 0, 2, arena);
    }
    return rows != NULL;
}

/* ---- filters --------------------------------------------------------------------------------- */

/** The database alone knows which regular expressions it takes; one that it refuses is told of. */
static bool check_regex(wpa_db *db, const wpa_filter_term *term, wpa_arena *arena,
                        const char **fault, wpa_error *err)
{
    const char *params[] = {term->values[0]};
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_FEED_REGEX, params, WPA_COUNT(params), err);
    if (rows || err->code != WPA_E_INVALID) {
        return rows != NULL;
    }
    *fault = wpa_arena_printf(arena, "~%s~ (%s)", term->values[0], err->message);
    wpa_error_clear(err);
    return true;
}

/** The query's terms without the expressions that the database refuses. */
static bool take_terms(wpa_db *db, const wpa_list_query *query, wpa_arena *arena,
                       wpa_filter_term *terms, size_t *n, const char **ignored, wpa_error *err)
{
    for (size_t i = 0; i < query->n_terms; i++) {
        const char *fault = NULL;
        if (wpa_text_is(query->terms[i].field, "regex") &&
            !check_regex(db, &query->terms[i], arena, &fault, err)) {
            return false;
        }
        if (fault) {
            *ignored = *ignored ? wpa_arena_printf(arena, "%s %s", *ignored, fault) : fault;
        } else {
            terms[(*n)++] = query->terms[i];
        }
    }
    return true;
}

static const char *name_of(const wpa_filter_term *term, wpa_arena *arena)
{
    const char *not = term->is_negated ? "!" : "";
    if (wpa_text_is(term->field, "regex")) {
        return wpa_arena_printf(arena, "%s~%s~", not, term->values[0]);
    }
    if (wpa_text_is(term->field, "text")) {
        return wpa_arena_printf(arena, term->is_exact ? "%s\"%s\"" : "%s%s", not, term->values[0]);
    }
    return wpa_arena_printf(arena, "%s%s%s", not, term->field, term->op);
}

static size_t count_meant(wpa_list list, const wpa_filter_term *terms, size_t n)
{
    size_t n_meant = 0;
    for (size_t i = 0; i < n; i++) {
        n_meant += wpa_feed_term_is_meant(list, &terms[i]);
    }
    return n_meant;
}

/** Which term is in the way, or keeps others out? Each is left out once. */
static bool count_without(wpa_db *db, const page *p, const wpa_filter_term *terms, size_t n,
                          wpa_list list, wpa_arena *arena, int64_t until_us, wpa_list_view *view,
                          wpa_error *err)
{
    wpa_without *without = wpa_arena_array(arena, n, sizeof *without);
    wpa_filter_term *others = wpa_arena_array(arena, n, sizeof *others);
    for (size_t i = 0; i < n && wpa_now_us() < until_us; i++) {
        if (!wpa_feed_term_is_meant(list, &terms[i])) {
            continue;
        }
        const char *ignored = NULL;
        page part = *p;
        memcpy(others, terms, i * sizeof *terms);
        memcpy(others + i, terms + i + 1, (n - 1 - i) * sizeof *terms);
        part.terms = wpa_feed_terms(list, others, n - 1, arena, &ignored);
        const char *params[] = {part.list, part.sort, part.descending, part.terms, part.scope,
                                "",        "0"};
        WPA_AUTO(wpa_rows) *counts =
            wpa_db_exec(db, WPA_SQL_FEED_LIST_COUNT, params, WPA_COUNT(params), err);
        if (!counts) {
            return false;
        }
        if (wpa_rows_int(counts, 0, 0) > view->n_matching) {
            without[view->n_without++] = (wpa_without){.term = name_of(&terms[i], arena),
                                                       .n_matching = wpa_rows_int(counts, 0, 0)};
        }
    }
    view->without = without;
    return true;
}

wpa_msg *wpa_feed_list(wpa_db *db, const wpa_list_watch *watch, wpa_error *err)
{
    const wpa_list_query *query = &watch->query;
    WPA_AUTO(wpa_msg) *msg = wpa_msg_new(WPA_FEED_LIST);
    msg->arena = msg->arena ? msg->arena : wpa_arena_new();
    int64_t started_us = wpa_now_us();
    wpa_list_view *view = wpa_arena_alloc(msg->arena, sizeof *view);
    page p = {
        .list = wpa_list_words[query->list],
        .sort = wpa_sort_words[query->sort],
        .descending = wpa_db_bool(query->is_descending),
    };
    size_t n_terms = 0;
    wpa_filter_term *terms = wpa_arena_array(msg->arena, query->n_terms + 1, sizeof *terms);
    if (!take_terms(db, query, msg->arena, terms, &n_terms, &view->ignored, err)) {
        return NULL;
    }
    p.terms = wpa_feed_terms(query->list, terms, n_terms, msg->arena, &view->ignored);
    (void)wpa_db_number(query->scope.kind == WPA_OBJECT_WORKFLOW ? query->scope.id : 0, p.scope);
    WPA_AUTO(wpa_rows) *rows = read_window(db, &p, query, msg->arena, err);
    if (!rows || !fill_rows(rows, kinds[query->list], msg->arena, view, err) ||
        !count(db, &p, rows, view, err) ||
        (query->list == WPA_LIST_AUDIT && !add_verification(db, msg->arena, view, err))) {
        return NULL;
    }
    bool counts_terms = view->n_matching == 0 || watch->counts_terms;
    if (counts_terms && count_meant(query->list, terms, n_terms) > 1 &&
        !count_without(db, &p, terms, n_terms, query->list, msg->arena,
                       started_us + WITHOUT_WITHIN_US, view, err)) {
        return NULL;
    }
    view->request_id = watch->request_id;
    view->list = query->list;
    view->sort = query->sort;
    view->is_descending = query->is_descending;
    view->took_us = wpa_now_us() - started_us;
    msg->body = view;
    return WPA_STEAL(msg);
}

int64_t *wpa_feed_matching(wpa_db *db, const wpa_list_query *query, size_t n_max, wpa_arena *arena,
                           size_t *n, wpa_error *err)
{
    size_t n_terms = 0;
    char scope[WPA_DB_NUMBER_SIZE], limit[WPA_DB_NUMBER_SIZE];
    const char *ignored = NULL;
    wpa_filter_term *terms = wpa_arena_array(arena, query->n_terms + 1, sizeof *terms);
    if (!take_terms(db, query, arena, terms, &n_terms, &ignored, err)) {
        return NULL;
    }
    const char *params[] = {
        wpa_list_words[query->list],
        wpa_feed_terms(query->list, terms, n_terms, arena, &ignored),
        wpa_db_number(query->scope.kind == WPA_OBJECT_WORKFLOW ? query->scope.id : 0, scope),
        wpa_db_number((int64_t)n_max, limit),
    };
    if (ignored) {
        (void)WPA_FAIL(err, WPA_E_INVALID, "not understood: %s", ignored);
        return NULL;
    }
    WPA_AUTO(wpa_rows) *rows =
        wpa_db_exec(db, WPA_SQL_FEED_LIST_IDS, params, WPA_COUNT(params), err);
    if (!rows) {
        return NULL;
    }
    *n = wpa_rows_count(rows);
    if (*n > n_max) {
        (void)WPA_FAIL(err, WPA_E_LIMIT, "more than %zu at once: narrow the filter", n_max);
        return NULL;
    }
    int64_t *ids = wpa_arena_array(arena, *n + 1, sizeof *ids);
    for (size_t i = 0; i < *n; i++) {
        ids[i] = wpa_rows_int(rows, i, 0);
    }
    return ids;
}
