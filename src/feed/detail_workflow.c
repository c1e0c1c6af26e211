/* Details of a workflow and of a finding. */
#include <string.h>

#include <wpa/text.h>

#include "feed/detail.h"
#include "gen/sql.h"
#include "git/git.h"
#include "rules/registry.h"

#define LINES_AROUND 30
#define LINES_MAX 400
#define TRIGGERS_MAX 40
#define TRIGGER_MAX_CHARS 40

static const char *or_null(const char *text)
{
    return text && text[0] ? text : NULL;
}

static void fill_lines(const wpa_json *row, wpa_arena *arena, wpa_workflow_detail *d)
{
    const wpa_json *lines = wpa_json_find(row, "explanation");
    d->n_lines = wpa_json_count(lines);
    wpa_score_line *out = wpa_arena_array(arena, d->n_lines + 1, sizeof *out);
    for (size_t i = 0; i < d->n_lines; i++) {
        const wpa_json *line = wpa_json_at(lines, i);
        int64_t finding = wpa_feed_int(line, "finding", 0);
        out[i] = (wpa_score_line){
            .text = wpa_feed_text(line, "text"),
            .points = wpa_feed_real(line, "points", 0),
            .object = {finding ? WPA_OBJECT_FINDING : WPA_OBJECT_NONE, finding},
        };
    }
    d->lines = out;
}

/* What the workflow uses, or who uses it: rows of both queries are alike. */
static const wpa_use_row *read_uses(wpa_db *db, const wpa_sql *query, int64_t id, wpa_arena *arena,
                                    size_t *n, wpa_error *err)
{
    char text[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(id, text)};
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, query, params, 1, err);
    if (!rows) {
        return NULL;
    }
    *n = wpa_rows_count(rows);
    wpa_use_row *out = wpa_arena_array(arena, *n + 1, sizeof *out);
    for (size_t i = 0; i < *n; i++) {
        bool is_ours = !wpa_rows_is_null(rows, i, 3), is_scored = !wpa_rows_is_null(rows, i, 4);
        out[i] = (wpa_use_row){.ref = wpa_rows_dup(rows, i, 0, arena),
                               .line = (int)wpa_rows_int(rows, i, 1),
                               .score = is_scored ? wpa_rows_double(rows, i, 4) : WPA_UNKNOWN};
        out[i].name = is_ours ? wpa_rows_dup(rows, i, 2, arena) : out[i].ref;
        if (is_ours) {
            out[i].object = (wpa_object){WPA_OBJECT_WORKFLOW, wpa_rows_int(rows, i, 3)};
        }
    }
    return out;
}

static const char *triggers_of(const wpa_json *row, wpa_arena *arena)
{
    const wpa_json *triggers = wpa_json_find(row, "triggers");
    const char *text = NULL;
    for (size_t i = 0; i < wpa_json_count(triggers) && i < TRIGGERS_MAX; i++) {
        const char *name = wpa_json_text_of(wpa_json_at(triggers, i));
        name = name ? wpa_text_ellipsis(arena, name, TRIGGER_MAX_CHARS) : NULL;
        text = !name ? text : text ? wpa_arena_printf(arena, "%s, %s", text, name) : name;
    }
    return text;
}

static void fill_workflow(const wpa_json *row, wpa_arena *arena, wpa_workflow_detail *d)
{
    static const char *const columns[WPA_TALLY_COUNT] = {"low", "medium", "high", "critical",
                                                         "opportunity"};
    wpa_workflow_kind.fill(row, arena, &d->row);
    d->url = wpa_git_url_visible(arena, wpa_feed_text(row, "url"));
    d->branch = wpa_feed_text(row, "branch");
    d->path = wpa_feed_text(row, "path");
    d->commit = or_null(wpa_feed_text(row, "head_commit"));
    d->n_jobs = (int)wpa_feed_int(row, "jobs", WPA_UNKNOWN);
    d->uncapped = wpa_feed_real(row, "uncapped", WPA_UNKNOWN);
    d->cap = or_null(wpa_feed_text(row, "cap_reason"));
    d->n_parts = (int)wpa_feed_int(row, "parts", 0);
    for (size_t i = 0; i < WPA_TALLY_COUNT; i++) {
        d->tally[i] = wpa_feed_int(wpa_json_find(row, "tally"), columns[i], 0);
    }
    fill_lines(row, arena, d);
    d->triggers = triggers_of(row, arena);
}

bool wpa_detail_workflow(wpa_db *db, int64_t id, wpa_arena *arena, wpa_detail_view *view,
                         bool *is_found, wpa_error *err)
{
    const wpa_json *row = NULL;
    if (!wpa_detail_one(db, WPA_SQL_FEED_WORKFLOW, id, arena, &row, err)) {
        return false;
    }
    *is_found = row != NULL;
    if (!row) {
        return true;
    }
    wpa_workflow_detail *d = wpa_arena_alloc(arena, sizeof *d);
    fill_workflow(row, arena, d);
    view->workflow = d;
    return (d->findings = wpa_detail_rows(db, WPA_SQL_FEED_WORKFLOW_FINDINGS, id, &wpa_finding_kind,
                                          arena, &d->n_findings, err)) &&
           (d->patches = wpa_detail_rows(db, WPA_SQL_FEED_WORKFLOW_PATCHES, id, &wpa_patch_kind,
                                         arena, &d->n_patches, err)) &&
           (d->deployments =
                wpa_detail_rows(db, WPA_SQL_FEED_WORKFLOW_DEPLOYMENTS, id, &wpa_deployment_kind,
                                arena, &d->n_deployments, err)) &&
           (d->runs = wpa_detail_rows(db, WPA_SQL_FEED_WORKFLOW_RUNS, id, &wpa_run_kind, arena,
                                      &d->n_runs, err)) &&
           (d->uses = read_uses(db, WPA_SQL_FEED_WORKFLOW_USES, id, arena, &d->n_uses, err)) &&
           (d->used_by =
                read_uses(db, WPA_SQL_FEED_WORKFLOW_USED_BY, id, arena, &d->n_used_by, err));
}

/* ---- finding ------------------------------------------------------------------------------------
 */

static wpa_place place_of(const wpa_json *span, const char *label, const char *path)
{
    const wpa_json *start = wpa_json_find(span, "start");
    const wpa_json *end = wpa_json_find(span, "end");
    return (wpa_place){
        .path = path,
        .line = (int)wpa_feed_int(start, "line", 0),
        .column = (int)wpa_feed_int(start, "column", 0),
        .end_line = (int)wpa_feed_int(end, "line", 0),
        .end_column = (int)wpa_feed_int(end, "column", 0),
        .label = label,
    };
}

static void fill_places(const wpa_json *row, wpa_arena *arena, wpa_finding_detail *d)
{
    const wpa_json *related = wpa_json_find(row, "related");
    size_t n = wpa_json_count(related);
    wpa_place *places = wpa_arena_array(arena, n + 1, sizeof *places);
    places[0] = (wpa_place){
        .line = (int)wpa_feed_int(row, "start_line", 0),
        .column = (int)wpa_feed_int(row, "start_column", 0),
        .end_line = (int)wpa_feed_int(row, "end_line", 0),
        .end_column = (int)wpa_feed_int(row, "end_column", 0),
        .is_primary = true,
    };
    for (size_t i = 0; i < n; i++) {
        const wpa_json *item = wpa_json_at(related, i);
        const char *path = wpa_feed_text(item, "path");
        bool is_same = !path || wpa_text_is(path, d->path);
        places[i + 1] = place_of(wpa_json_find(item, "span"), wpa_feed_text(item, "label"),
                                 is_same ? NULL : path);
    }
    d->places = places;
    d->n_places = n + 1;
}

/** First and last line to show: around every place in this file, as far as they fit. */
static void find_window(const wpa_finding_detail *d, int *from, int *to)
{
    *from = d->places[0].line - LINES_AROUND;
    *to = d->places[0].end_line + LINES_AROUND;
    for (size_t i = 1; i < d->n_places; i++) {
        int low = d->places[i].line - LINES_AROUND;
        int high = d->places[i].end_line + LINES_AROUND;
        if (!d->places[i].path && d->places[i].line > 0 &&
            (high > *to ? high : *to) - (low < *from ? low : *from) < LINES_MAX) {
            *from = low < *from ? low : *from;
            *to = high > *to ? high : *to;
        }
    }
    *from = *from < 1 ? 1 : *from;
    *to = *to - *from >= LINES_MAX ? *from + LINES_MAX - 1 : *to;
}

static void fill_source(const char *text, size_t size_bytes, wpa_arena *arena,
                        wpa_finding_detail *d)
{
    int from = 0;
    int to = 0;
    find_window(d, &from, &to);
    wpa_source_line *lines = wpa_arena_array(arena, (size_t)to - (size_t)from + 1, sizeof *lines);
    const char *end = text + size_bytes;
    int number = 1;
    for (const char *at = text; at < end && number <= to; number++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t length = (size_t)((stop ? stop : end) - at);
        size_t kept = length > 0 && at[length - 1] == '\r' ? length - 1 : length;
        if (number >= from) {
            lines[d->n_lines++] =
                (wpa_source_line){.number = number, .text = wpa_arena_slice(arena, at, kept)};
        }
        at += length + 1;
    }
    d->lines = lines;
}

static void fill_words(const wpa_json *row, wpa_arena *arena, wpa_finding_detail *d)
{
    wpa_error unknown = {0};
    const char *check = NULL;
    const wpa_rule *rule = wpa_rules_find(d->row.rule, &check, &unknown);
    if (rule) { /* a rule of another version may be gone */
        d->why = rule->why;
        d->todo = rule->fix;
    }
    const wpa_json *fixes = wpa_json_find(row, "fixes");
    d->n_fixes = wpa_json_count(fixes);
    wpa_fix_row *out = wpa_arena_array(arena, d->n_fixes + 1, sizeof *out);
    for (size_t i = 0; i < d->n_fixes; i++) {
        const wpa_json *fix = wpa_json_at(fixes, i);
        const char *safety = wpa_feed_text(fix, "safety");
        out[i] = (wpa_fix_row){.title = wpa_feed_text(fix, "title"),
                               .is_safe = safety && wpa_text_is(safety, "safe")};
    }
    d->fixes = out;
}

static void fill_finding(const wpa_json *row, wpa_arena *arena, wpa_finding_detail *d)
{
    wpa_finding_kind.fill(row, arena, &d->row);
    d->repository = wpa_feed_text(row, "repository");
    d->path = wpa_feed_text(row, "path");
    d->fingerprint = wpa_feed_text(row, "fingerprint");
    d->commit = or_null(wpa_feed_text(row, "commit"));
    d->last_seen_us = wpa_feed_int(row, "last_seen_us", 0);
    d->ignore_reason = wpa_feed_text(row, "ignored_reason");
    d->ignored_until_us = wpa_feed_int(row, "ignored_until_us", 0);
    d->reach = wpa_feed_text(wpa_json_find(row, "data"), "reach");
    d->score_now = wpa_feed_real(row, "score", WPA_UNKNOWN);
    d->score_fixed = wpa_feed_real(row, "score_fixed", WPA_UNKNOWN);
    d->help = wpa_feed_text(row, "help");
    fill_places(row, arena, d);
    fill_words(row, arena, d);
}

static bool add_also(wpa_db *db, int64_t id, wpa_arena *arena, wpa_finding_detail *d,
                     wpa_error *err)
{
    char text[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(id, text)};
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_FEED_FINDING_ALSO, params, 1, err);
    WPA_AUTO(wpa_rows) *beside =
        rows ? wpa_db_exec(db, WPA_SQL_FEED_FINDING_NEIGHBOURS, params, 1, err) : NULL;
    const wpa_json **items = beside ? wpa_feed_parse(rows, 0, arena, &d->n_also, err) : NULL;
    if (!items) {
        return false;
    }
    wpa_finding_row *also = wpa_arena_array(arena, d->n_also + 1, sizeof *also);
    for (size_t i = 0; i < d->n_also; i++) {
        wpa_finding_kind.fill(items[i], arena, &also[i]);
        d->n_also_all = wpa_rows_int(rows, i, 1);
    }
    d->also = also;
    int64_t previous = wpa_rows_int(beside, 0, 0);
    int64_t next = wpa_rows_int(beside, 0, 1);
    d->previous = (wpa_object){previous ? WPA_OBJECT_FINDING : WPA_OBJECT_NONE, previous};
    d->next = (wpa_object){next ? WPA_OBJECT_FINDING : WPA_OBJECT_NONE, next};
    return true;
}

static bool add_patch(wpa_db *db, wpa_arena *arena, wpa_finding_detail *d, wpa_error *err)
{
    const wpa_json *row = NULL;
    if (!d->row.patch_id) {
        return true;
    }
    if (!wpa_detail_one(db, WPA_SQL_FEED_PATCH, d->row.patch_id, arena, &row, err)) {
        return false;
    }
    if (row) {
        wpa_patch_row *patch = wpa_arena_alloc(arena, sizeof *patch);
        wpa_patch_kind.fill(row, arena, patch);
        d->patch = patch;
    }
    return true;
}

bool wpa_detail_finding(wpa_db *db, int64_t id, wpa_arena *arena, wpa_detail_view *view,
                        bool *is_found, wpa_error *err)
{
    char text[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(id, text)};
    size_t n = 0;
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_FEED_FINDING, params, 1, err);
    const wpa_json **items = rows ? wpa_feed_parse(rows, 0, arena, &n, err) : NULL;
    *is_found = n > 0;
    if (n == 0) {
        return items != NULL;
    }
    wpa_finding_detail *d = wpa_arena_alloc(arena, sizeof *d);
    size_t size_bytes = 0;
    fill_finding(items[0], arena, d);
    const char *source = (const char *)wpa_rows_bytes(rows, 0, 1, arena, &size_bytes);
    if (source) {
        fill_source(source, size_bytes, arena, d);
    }
    view->finding = d;
    d->comments = wpa_detail_comments(db, wpa_arena_printf(arena, "finding:%s", text), arena,
                                      &d->n_comments, err);
    return d->comments && add_also(db, id, arena, d, err) && add_patch(db, arena, d, err);
}
