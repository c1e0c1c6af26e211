/* Details of a patch: what it answers, its test report, its diff, its plan. */
#include <string.h>

#include <wpa/text.h>

#include "deploy/deploy.h"
#include "edit/diff.h"
#include "feed/detail.h"
#include "gen/sql.h"

#define HUNK_LINES_MAX 5000

/* ---- test report --------------------------------------------------------------------------------
 */

static void fill_evidence(const wpa_json *evidence, const char *output, wpa_arena *arena,
                          wpa_patch_check *check)
{
    const wpa_json *items = wpa_json_find(evidence, "items"); /* label and text, in order */
    size_t n = wpa_json_count(evidence), n_items = wpa_json_count(items);
    wpa_evidence_row *rows = wpa_arena_array(arena, n + n_items + 1, sizeof *rows);
    for (size_t i = 0; i < n_items; i++) {
        const wpa_json *item = wpa_json_at(items, i);
        rows[check->n_evidence++] = (wpa_evidence_row){.label = wpa_feed_text(item, "label"),
                                                       .text = wpa_feed_text(item, "text")};
    }
    for (size_t i = 0; i < n; i++) {
        if (items && wpa_text_is(wpa_json_key_at(evidence, i), "items")) {
            continue;
        }
        const wpa_json *value = wpa_json_at(evidence, i);
        const char *text = wpa_json_text_of(value);
        rows[check->n_evidence++] =
            (wpa_evidence_row){.label = wpa_json_key_at(evidence, i),
                               .text = text ? text : wpa_json_dump_pretty(value, arena)};
    }
    if (output && output[0]) {
        rows[check->n_evidence++] = (wpa_evidence_row){.label = "output", .text = output};
    }
    check->evidence = rows;
}

static void fill_check(const wpa_json *row, wpa_arena *arena, wpa_patch_check *check)
{
    const char *subject = wpa_feed_text(row, "subject");
    *check = (wpa_patch_check){
        .id = wpa_feed_text(row, "check_id"),
        .name = wpa_feed_text(row, "title"),
        .phase = (wpa_phase)wpa_feed_word(row, "phase", wpa_phase_words, WPA_PHASE_COUNT, 0),
        .result =
            (wpa_check_result)wpa_feed_word(row, "result", wpa_result_words, WPA_RESULT_COUNT, 0),
        .is_running = wpa_feed_text(row, "result") == NULL,
        .is_required = wpa_feed_bool(row, "required"),
        .is_waivable = wpa_feed_bool(row, "waivable"),
        .reason = wpa_feed_text(row, "reason"),
        .waiver = wpa_feed_text(row, "waiver"),
        .took_ms = wpa_feed_int(row, "duration_ms", WPA_UNKNOWN),
        .workflow = subject && subject[0] ? subject : NULL,
    };
    fill_evidence(wpa_json_find(row, "evidence"), wpa_feed_text(row, "output"), arena, check);
}

static void add_to_phase(const wpa_patch_check *check, wpa_patch_tests *report)
{
    wpa_test_phase *phase = &report->phases[check->phase];
    phase->n_total++;
    bool is_bad = !check->is_running && check->is_required &&
                  (check->result == WPA_RESULT_FAIL || check->result == WPA_RESULT_ERROR);
    if (!check->is_running && !is_bad) {
        phase->n_passed++;
    }
    phase->took_ms += check->took_ms > 0 ? check->took_ms : 0;
    if (is_bad && !phase->note) {
        phase->note = check->reason;
        report->failure = report->failure ? report->failure : check->reason;
    }
}

static bool add_report(wpa_db *db, const wpa_json *row, wpa_arena *arena, wpa_patch_detail *d,
                       wpa_error *err)
{
    char text[WPA_DB_NUMBER_SIZE];
    int64_t run_id = wpa_feed_int(row, "test_run_id", 0);
    if (run_id == 0) {
        return true;
    }
    wpa_patch_tests *report = wpa_arena_alloc(arena, sizeof *report);
    const char *params[] = {wpa_db_number(run_id, text)};
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_FEED_PATCH_CHECKS, params, 1, err);
    const wpa_json **items = rows ? wpa_feed_parse(rows, 0, arena, &report->n_checks, err) : NULL;
    if (!items) {
        return false;
    }
    wpa_patch_check *checks = wpa_arena_array(arena, report->n_checks + 1, sizeof *checks);
    for (size_t i = 0; i < report->n_checks; i++) {
        fill_check(items[i], arena, &checks[i]);
        add_to_phase(&checks[i], report);
    }
    report->checks = checks;
    report->run = wpa_feed_int(row, "test_attempt", 1);
    report->started_at_us = wpa_feed_int(row, "test_started_us", 0);
    report->finished_at_us = wpa_feed_int(row, "test_finished_us", 0);
    for (int i = 0; i < WPA_PHASE_COUNT; i++) {
        report->phases[i].state = d->row.suites[i];
    }
    d->report = report;
    return true;
}

/* ---- diff ---------------------------------------------------------------------------------------
 */

typedef struct hunk_reader {
    wpa_arena *arena;
    wpa_diff_file *file;
    wpa_diff_hunk *hunks;
    size_t hunk_capacity;
    wpa_diff_line *lines; /* of the hunk at work */
    size_t line_capacity;
    int old_line, new_line;
} hunk_reader;

static void begin_hunk(hunk_reader *r, const char *line)
{
    const char *behind = strstr(line + 2, "@@");
    int64_t old_line = 1;
    int64_t new_line = 1;
    const char *minus = strchr(line, '-');
    const char *plus = strchr(line, '+');
    if (minus && plus) {
        char number[16];
        (void)wpa_text_format(number, sizeof number, "%.*s", (int)strcspn(minus + 1, ", "),
                              minus + 1);
        (void)!wpa_text_to_int(number, 0, INT32_MAX, &old_line);
        (void)wpa_text_format(number, sizeof number, "%.*s", (int)strcspn(plus + 1, ", "),
                              plus + 1);
        (void)!wpa_text_to_int(number, 0, INT32_MAX, &new_line);
    }
    r->hunks =
        wpa_arena_grow(r->arena, r->hunks, r->file->n_hunks, &r->hunk_capacity, sizeof *r->hunks);
    r->hunks[r->file->n_hunks++] = (wpa_diff_hunk){
        .header = behind && behind[2] == ' ' ? wpa_arena_text(r->arena, behind + 3) : NULL};
    r->lines = NULL;
    r->line_capacity = 0;
    r->old_line = (int)old_line;
    r->new_line = (int)new_line;
}

static void add_line(hunk_reader *r, const char *line)
{
    wpa_diff_hunk *hunk = &r->hunks[r->file->n_hunks - 1];
    if (hunk->n_lines >= HUNK_LINES_MAX) {
        return;
    }
    r->lines =
        wpa_arena_grow(r->arena, r->lines, hunk->n_lines, &r->line_capacity, sizeof *r->lines);
    r->lines[hunk->n_lines++] = (wpa_diff_line){
        .kind = line[0],
        .old_line = line[0] == '+' ? 0 : r->old_line++,
        .new_line = line[0] == '-' ? 0 : r->new_line++,
        .text = wpa_arena_text(r->arena, line + 1),
    };
    hunk->lines = r->lines;
}

static void read_diff(char *diff, wpa_arena *arena, wpa_diff_file *file)
{
    hunk_reader r = {.arena = arena, .file = file};
    for (char *line = strsep(&diff, "\n"); line; line = strsep(&diff, "\n")) {
        if (wpa_text_starts(line, "@@")) {
            begin_hunk(&r, line);
        } else if (file->n_hunks > 0 && (line[0] == ' ' || line[0] == '-' || line[0] == '+')) {
            add_line(&r, line);
        }
    }
    file->hunks = r.hunks;
}

static bool add_files(wpa_db *db, int64_t id, wpa_arena *arena, wpa_patch_detail *d, wpa_error *err)
{
    char text[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(id, text)};
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_FEED_PATCH_EDITS, params, 1, err);
    if (!rows) {
        return false;
    }
    d->n_files = wpa_rows_count(rows);
    wpa_diff_file *files = wpa_arena_array(arena, d->n_files + 1, sizeof *files);
    for (size_t i = 0; i < d->n_files; i++) {
        size_t before_bytes = 0;
        size_t after_bytes = 0;
        const char *before = (const char *)wpa_rows_bytes(rows, i, 4, arena, &before_bytes);
        const char *after = (const char *)wpa_rows_bytes(rows, i, 5, arena, &after_bytes);
        files[i] = (wpa_diff_file){
            .repository = wpa_rows_dup(rows, i, 0, arena),
            .path = wpa_rows_dup(rows, i, 1, arena),
            .before = wpa_rows_dup(rows, i, 2, arena),
            .after = wpa_rows_dup(rows, i, 3, arena),
        };
        read_diff(wpa_diff_unified(files[i].path, before, before_bytes, after, after_bytes, arena),
                  arena, &files[i]);
    }
    d->files = files;
    return true;
}

/* ---- plan ---------------------------------------------------------------------------------------
 */

static const char *names_of(const wpa_json *targets, wpa_arena *arena)
{
    const char *names = NULL;
    for (size_t i = 0; i < wpa_json_count(targets) && i < 3; i++) {
        const char *name = wpa_feed_text(wpa_json_at(targets, i), "repository");
        names = names ? wpa_arena_printf(arena, "%s, %s", names, name) : name;
    }
    return names;
}

static void fill_plan(const wpa_json *plan, wpa_arena *arena, wpa_patch_detail *d)
{
    const wpa_json *stages = wpa_json_find(plan, "stages");
    int64_t n_workflows = 0;
    int64_t n_targets = 0;
    d->n_plan = wpa_json_count(stages);
    wpa_plan_stage *out = wpa_arena_array(arena, d->n_plan + 1, sizeof *out);
    for (size_t i = 0; i < d->n_plan; i++) {
        const wpa_json *stage = wpa_json_at(stages, i);
        const wpa_json *targets = wpa_json_find(stage, "targets");
        for (size_t t = 0; t < wpa_json_count(targets); t++) {
            const wpa_json *target = wpa_json_at(targets, t);
            n_workflows += (int64_t)wpa_json_count(wpa_json_find(target, "paths"));
            d->n_plan_checks += (int)wpa_json_count(wpa_json_find(target, "checks"));
            n_targets++;
        }
        out[i] = (wpa_plan_stage){
            .label = wpa_feed_text(stage, "name"),
            .n_workflows = n_workflows,
            .n_targets = n_targets,
            .targets = names_of(targets, arena),
            .bake_ms = wpa_feed_int(stage, "bake_ms", 0),
        };
        d->plan_ms += out[i].bake_ms;
    }
    d->plan = out;
}

/** The plan of now: what a start would freeze. A plan that is refused says why instead. */
static bool add_plan(wpa_db *db, int64_t id, wpa_arena *arena, wpa_patch_detail *d, wpa_error *err)
{
    char digest[65] = "";
    wpa_error refused = {0};
    if (d->row.state != WPA_PATCH_TESTED && d->row.state != WPA_PATCH_APPROVED) {
        return true;
    }
    const wpa_json *plan = wpa_deploy_plan(db, id, arena, digest, &refused);
    if (plan) {
        fill_plan(plan, arena, d);
        d->plan_digest = wpa_arena_text(arena, digest);
        d->plan_note = "a check that fails rolls it back";
        return true;
    }
    if (wpa_db_is_lost(db)) {
        *err = refused;
        return false;
    }
    d->plan_note = wpa_arena_text(arena, refused.message);
    return true;
}

/* ---- the whole ----------------------------------------------------------------------------------
 */

static bool add_more(wpa_db *db, int64_t id, wpa_arena *arena, wpa_patch_detail *d, wpa_error *err)
{
    const wpa_json *more = NULL;
    if (!wpa_detail_one(db, WPA_SQL_FEED_PATCH_MORE, id, arena, &more, err)) {
        return false;
    }
    const char *description = wpa_feed_text(more, "description");
    d->issue = wpa_feed_text(more, "issue");
    d->description = description && description[0] ? description : NULL;
    d->rules = wpa_feed_text(more, "rules");
    d->digest = wpa_feed_text(more, "digest");
    d->requested_by = wpa_feed_text(more, "requester");
    d->n_lines_added = wpa_feed_int(more, "added", 0);
    d->n_lines_removed = wpa_feed_int(more, "removed", 0);
    d->n_findings_all = wpa_feed_int(more, "n_findings", 0);
    d->n_approvals = (int)wpa_feed_int(more, "approvals", 0);
    d->n_approvals_required = (int)wpa_feed_int(more, "required", 1);
    d->approved_by = wpa_feed_text(more, "approved_by");
    d->needs_explicit_approval = wpa_feed_bool(more, "explicit");
    d->overlaps = wpa_feed_text(more, "overlaps");
    d->risk = wpa_feed_bool(more, "safe") ? "low: every edit is a safe fix of its rule"
                                          : "a person must review: not every edit is a safe fix";
    return true;
}

bool wpa_detail_patch(wpa_db *db, int64_t id, wpa_arena *arena, wpa_detail_view *view,
                      bool *is_found, wpa_error *err)
{
    const wpa_json *row = NULL;
    if (!wpa_detail_one(db, WPA_SQL_FEED_PATCH, id, arena, &row, err)) {
        return false;
    }
    *is_found = row != NULL;
    if (!row) {
        return true;
    }
    wpa_patch_detail *d = wpa_arena_alloc(arena, sizeof *d);
    wpa_patch_kind.fill(row, arena, &d->row);
    view->patch = d;
    const char *subject = wpa_arena_printf(arena, "patch:%lld", (long long)id);
    return add_more(db, id, arena, d, err) && add_report(db, row, arena, d, err) &&
           add_files(db, id, arena, d, err) && add_plan(db, id, arena, d, err) &&
           (d->findings = wpa_detail_rows(db, WPA_SQL_FEED_PATCH_FINDINGS, id, &wpa_finding_kind,
                                          arena, &d->n_findings, err)) &&
           (d->targets = wpa_detail_rows(db, WPA_SQL_FEED_TARGETS_OF_PATCH, id, &wpa_target_kind,
                                         arena, &d->n_targets, err)) &&
           (d->history = wpa_detail_history(db, subject, subject, arena, &d->n_history, err)) &&
           (d->comments = wpa_detail_comments(db, subject, arena, &d->n_comments, err));
}
