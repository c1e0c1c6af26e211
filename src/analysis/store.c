/* Findings and health into the database, in the transaction that is open. */
#include <string.h>

#include <wpa/text.h>

#include "analysis/internal.h"
#include "gen/sql.h"

#define RECOMMENDATIONS_MAX 10
#define FIXED_MAX 50

/* ---- findings ---- */

/** The records of the dimension that is asked for. */
static wpa_json *choose(const wpa_json *findings, wpa_dimension dimension, wpa_arena *arena)
{
    wpa_json *chosen = wpa_json_new_array(arena);
    for (size_t i = 0; i < wpa_json_count(findings); i++) {
        const wpa_json *record = wpa_json_at(findings, i);
        const char *name = wpa_json_text_of(wpa_json_find(record, "dimension"));
        if (dimension == WPA_DIMENSION_ALL || wpa_text_is(name, wpa_dimension_name(dimension))) {
            wpa_json_push(chosen, wpa_json_dup(record, arena));
        }
    }
    return chosen;
}

static const char *texts_of(const wpa_json *list, const char *key, wpa_arena *arena)
{
    size_t n = wpa_json_count(list);
    const char **texts = wpa_arena_array(arena, n ? n : 1, sizeof *texts);
    for (size_t i = 0; i < n; i++) {
        const wpa_json *item = wpa_json_at(list, i);
        texts[i] = wpa_json_text_of(key ? wpa_json_find(item, key) : item);
    }
    return wpa_db_array(arena, texts, n);
}

static bool store_findings(wpa_db *db, const wpa_analysis_request *request,
                           const wpa_analysis_subject *subject, const wpa_analysis_outcome *outcome,
                           wpa_arena *arena, wpa_analysis_summary *summary, wpa_error *err)
{
    char workflow[WPA_DB_NUMBER_SIZE], analysis[WPA_DB_NUMBER_SIZE];
    wpa_db_number(request->workflow_id, workflow);
    wpa_db_number(summary->id, analysis);
    const char *dimension = wpa_analysis_dimension_name(request->dimension);
    wpa_json *chosen = choose(outcome->findings, request->dimension, arena);
    const char *records = wpa_json_dump(chosen, arena);
    const char *join[] = {workflow, dimension, records};
    if (!wpa_db_run(db, WPA_SQL_ANALYSIS_JOIN_MOVED, join, WPA_COUNT(join), err)) {
        return false;
    }
    const char *store[] = {workflow, analysis, subject->blob_oid, records};
    WPA_AUTO(wpa_rows) *stored =
        wpa_db_exec(db, WPA_SQL_ANALYSIS_FINDINGS_STORE, store, WPA_COUNT(store), err);
    for (size_t i = 0; stored && i < wpa_rows_count(stored); i++) {
        summary->n_new += wpa_rows_bool(stored, i, 0);
    }
    const char *gone[] = {workflow, dimension, texts_of(chosen, "fingerprint", arena),
                          texts_of(outcome->rules_done, NULL, arena)};
    WPA_AUTO(wpa_rows) *fixed =
        stored ? wpa_db_exec(db, WPA_SQL_ANALYSIS_FINDINGS_FIXED, gone, WPA_COUNT(gone), err)
               : NULL;
    summary->n_fixed = fixed ? (size_t)wpa_rows_affected(fixed) : 0;
    return fixed != NULL;
}

/* ---- health ---- */

/* Open findings as the database has them now, for the score and the summary. */
typedef struct open_findings {
    wpa_score_finding *items;
    const char **fixes; /* title of the best fix, or NULL */
    size_t n;
} open_findings;

static wpa_score_finding read_finding(const wpa_rows *rows, size_t i, wpa_arena *arena)
{
    wpa_score_finding finding = {
        .id = wpa_rows_int(rows, i, 0),
        .rule = wpa_rows_dup(rows, i, 1, arena),
        .check = wpa_rows_dup(rows, i, 2, arena),
        .job = wpa_rows_dup(rows, i, 3, arena),
    };
    /* The columns are constrained to these words. */
    (void)!wpa_dimension_from(wpa_rows_text(rows, i, 4), &finding.dimension);
    (void)!wpa_kind_from(wpa_rows_text(rows, i, 5), &finding.kind);
    (void)!wpa_severity_from(wpa_rows_text(rows, i, 6), &finding.severity);
    (void)!wpa_confidence_from(wpa_rows_text(rows, i, 7), &finding.confidence);
    (void)!wpa_persona_from(wpa_rows_text(rows, i, 8), &finding.persona);
    return finding;
}

static bool load_open(wpa_db *db, const char *workflow, wpa_arena *arena, open_findings *open,
                      wpa_error *err)
{
    const char *params[] = {workflow};
    WPA_AUTO(wpa_rows) *rows =
        wpa_db_exec(db, WPA_SQL_ANALYSIS_OPEN_FINDINGS, params, WPA_COUNT(params), err);
    open->n = rows ? wpa_rows_count(rows) : 0;
    open->items = wpa_arena_array(arena, open->n + 1, sizeof *open->items);
    open->fixes = wpa_arena_array(arena, open->n + 1, sizeof *open->fixes);
    for (size_t i = 0; i < open->n; i++) {
        open->items[i] = read_finding(rows, i, arena);
        open->fixes[i] = wpa_rows_dup(rows, i, 9, arena);
    }
    return rows != NULL;
}

static bool load_runs(wpa_db *db, const char *workflow, wpa_score_runs *runs, wpa_error *err)
{
    const char *params[] = {workflow};
    WPA_AUTO(wpa_rows) *rows =
        wpa_db_exec(db, WPA_SQL_ANALYSIS_RUNS, params, WPA_COUNT(params), err);
    if (rows) {
        *runs = (wpa_score_runs){
            .n_runs = wpa_rows_int(rows, 0, 0),
            .n_good = wpa_rows_int(rows, 0, 1),
            .n_commits = wpa_rows_int(rows, 0, 2),
            .n_flaky = wpa_rows_int(rows, 0, 3),
            .p50_now = wpa_rows_double(rows, 0, 4),
            .p50_before = wpa_rows_double(rows, 0, 5),
        };
    }
    return rows != NULL;
}

static size_t index_of(const open_findings *open, int64_t id)
{
    size_t i = 0;
    while (i < open->n && open->items[i].id != id) {
        i++;
    }
    return i;
}

static wpa_json *push_line(wpa_json *list, const char *text, int64_t lost)
{
    wpa_json *line = wpa_json_push_object(list);
    wpa_json_set_text(line, "text", text);
    wpa_json_set_real(line, "points", (double)lost / 100);
    return line;
}

/**
 * [{"text", "points", "finding"?, "fix"?, "fixed"?}], dearest finding first, then run history, then
 * cap. fixed is the total once that finding is gone, told of the dearest ones.
 */
static wpa_json *explain(const wpa_score_input *input, const wpa_score *score,
                         const open_findings *open, wpa_arena *arena)
{
    wpa_json *list = wpa_json_new_array(arena);
    for (size_t i = 0; i < score->n_lines; i++) {
        size_t at = index_of(open, score->lines[i].id);
        wpa_json *line = push_line(list, open->items[at].rule, score->lines[i].lost);
        wpa_json_set_int(line, "finding", score->lines[i].id);
        wpa_json_set_text(line, "fix", open->fixes[at]);
        if (i < FIXED_MAX) {
            wpa_json_set_real(line, "fixed", wpa_score_without(input, score->lines[i].id));
        }
    }
    if (score->parts[WPA_SCORE_RUNS].lost) {
        push_line(list, wpa_score_part_name(WPA_SCORE_RUNS), score->parts[WPA_SCORE_RUNS].lost);
    }
    if (score->cap != WPA_SCORE_UNCAPPED) {
        push_line(list, wpa_score_cap_words(score->cap), score->cap_lost);
    }
    return list;
}

static const char *number_text(double value, wpa_arena *arena)
{
    return wpa_arena_printf(arena, "%.6f", value);
}

static bool store_health(wpa_db *db, const char *workflow, const wpa_score_input *input,
                         const wpa_score *score, const open_findings *open, wpa_arena *arena,
                         wpa_error *err)
{
    const char *scores[WPA_SCORE_PARTS];
    for (size_t i = 0; i < WPA_SCORE_PARTS; i++) {
        scores[i] = score->parts[i].has_data ? number_text(score->parts[i].score, arena) : NULL;
    }
    bool is_capped = score->cap != WPA_SCORE_UNCAPPED;
    const char grade[] = {score->grade, '\0'};
    const char *params[] = {
        workflow,
        number_text(score->total, arena),
        number_text(score->uncapped, arena),
        is_capped ? number_text(score->total, arena) : NULL,
        is_capped ? wpa_score_cap_words(score->cap) : NULL,
        grade,
        wpa_db_array(arena, scores, WPA_SCORE_PARTS),
        wpa_arena_printf(arena, "%zu", score->n_parts),
        wpa_json_dump(explain(input, score, open, arena), arena),
    };
    return wpa_db_run(db, WPA_SQL_ANALYSIS_HEALTH_STORE, params, WPA_COUNT(params), err);
}

/* ---- summary ---- */

static void count(const open_findings *open, wpa_analysis_summary *summary)
{
    for (size_t i = 0; i < open->n; i++) {
        if (open->items[i].persona != WPA_PERSONA_DEFAULT) {
            continue;
        }
        switch (open->items[i].kind) {
        case WPA_KIND_ISSUE:
            summary->n_issues++;
            break;
        case WPA_KIND_INEFFICIENCY:
            summary->n_inefficiencies++;
            break;
        case WPA_KIND_OPPORTUNITY:
        case WPA_KIND_COUNT:
            summary->n_opportunities++;
            break;
        }
    }
}

static wpa_json *measure(const wpa_score *score, const open_findings *open, int64_t duration_ms,
                         wpa_arena *arena)
{
    int64_t by_severity[WPA_SEVERITY_COUNT] = {0};
    for (size_t i = 0; i < open->n; i++) {
        by_severity[open->items[i].severity] += open->items[i].persona == WPA_PERSONA_DEFAULT;
    }
    const char grade[] = {score->grade, '\0'};
    wpa_json *metrics = wpa_json_new_object(arena);
    wpa_json_set_real(metrics, "score", score->total);
    wpa_json_set_real(metrics, "uncapped", score->uncapped);
    wpa_json_set_text(metrics, "grade", grade);
    wpa_json_set_int(metrics, "duration_ms", duration_ms);
    wpa_json *parts = wpa_json_set_object(metrics, "parts");
    for (size_t i = 0; i < WPA_SCORE_PARTS; i++) {
        wpa_json_set(parts, wpa_score_part_name(i),
                     score->parts[i].has_data ? wpa_json_new_real(arena, score->parts[i].score)
                                              : wpa_json_new_null(arena));
    }
    wpa_json *severities = wpa_json_set_object(metrics, "severity");
    for (size_t i = WPA_SEVERITY_COUNT; i-- > 0;) {
        wpa_json_set_int(severities, wpa_severity_name((wpa_severity)i), by_severity[i]);
    }
    return metrics;
}

static wpa_json *recommend(const wpa_score *score, const open_findings *open, wpa_arena *arena)
{
    wpa_json *list = wpa_json_new_array(arena);
    for (size_t i = 0; i < score->n_lines && wpa_json_count(list) < RECOMMENDATIONS_MAX; i++) {
        size_t at = index_of(open, score->lines[i].id);
        if (open->fixes[at]) {
            wpa_json *item = wpa_json_push_object(list);
            wpa_json_set_int(item, "finding", score->lines[i].id);
            wpa_json_set_text(item, "rule", open->items[at].rule);
            wpa_json_set_text(item, "title", open->fixes[at]);
            wpa_json_set_real(item, "points", (double)score->lines[i].lost / 100);
        }
    }
    return list;
}

/* ---- the whole ---- */

static bool store_workflow(wpa_db *db, const char *workflow, const wpa_analysis_outcome *outcome,
                           wpa_arena *arena, wpa_error *err)
{
    const char *params[] = {
        workflow,
        wpa_db_bool(outcome->is_valid),
        wpa_arena_printf(arena, "%lld", (long long)outcome->n_jobs),
        outcome->title ? outcome->title : "",
        wpa_json_dump(outcome->triggers, arena),
        wpa_json_dump(outcome->uses, arena),
        wpa_rules_version(),
    };
    return wpa_db_run(db, WPA_SQL_ANALYSIS_WORKFLOW_STORE, params, WPA_COUNT(params), err) &&
           wpa_analysis_store_uses(db, workflow, outcome->fleet_uses, arena, err) &&
           wpa_analysis_store_marks(db, workflow, outcome->fleet_marks, arena, err);
}

static bool keep_source(wpa_db *db, const wpa_analysis_subject *subject,
                        const wpa_analysis_outcome *outcome, wpa_arena *arena, wpa_error *err)
{
    const char *params[] = {subject->blob_oid,
                            wpa_db_bytes(arena, outcome->content, outcome->size_bytes)};
    return wpa_db_run(db, WPA_SQL_ANALYSIS_SOURCE_KEEP, params, WPA_COUNT(params), err);
}

static bool finish(wpa_db *db, const wpa_analysis_outcome *outcome, int64_t duration_ms,
                   wpa_arena *arena, const wpa_analysis_summary *summary, wpa_error *err)
{
    char id[WPA_DB_NUMBER_SIZE];
    size_t n_open = summary->n_issues + summary->n_inefficiencies + summary->n_opportunities;
    const char *params[] = {
        wpa_db_number(summary->id, id),
        summary->status,
        wpa_db_bool(outcome->is_complete),
        wpa_db_bool(outcome->is_cached),
        wpa_arena_printf(arena, "%zu", n_open),
        wpa_arena_printf(arena, "%zu", summary->n_new),
        wpa_arena_printf(arena, "%zu", summary->n_fixed),
        wpa_arena_printf(arena, "%lld", (long long)duration_ms),
        summary->error,
        wpa_arena_printf(arena, "%zu", wpa_json_count(outcome->rules_done)),
    };
    return wpa_db_run(db, WPA_SQL_ANALYSIS_FINISH, params, WPA_COUNT(params), err);
}

static bool resolve_older(wpa_db *db, const char *workflow, const wpa_analysis_summary *summary,
                          wpa_error *err)
{
    char id[WPA_DB_NUMBER_SIZE];
    const char *params[] = {workflow, wpa_db_number(summary->id, id)};
    return wpa_db_run(db, WPA_SQL_ANALYSIS_RESOLVE_OLDER, params, WPA_COUNT(params), err);
}

static bool store_result(wpa_db *db, const wpa_analysis_request *request,
                         const wpa_analysis_subject *subject, const wpa_analysis_outcome *outcome,
                         int64_t duration_ms, wpa_arena *arena, wpa_analysis_summary *summary,
                         wpa_error *err)
{
    char workflow[WPA_DB_NUMBER_SIZE];
    wpa_db_number(request->workflow_id, workflow);
    open_findings open;
    wpa_score_runs runs;
    if (!keep_source(db, subject, outcome, arena, err) ||
        !store_findings(db, request, subject, outcome, arena, summary, err) ||
        !load_open(db, workflow, arena, &open, err) || !load_runs(db, workflow, &runs, err)) {
        return false;
    }
    wpa_score_input input = {open.items, open.n, (size_t)outcome->n_jobs, &runs,
                             !outcome->is_valid};
    wpa_score score = wpa_score_compute(&input, arena);
    count(&open, summary);
    summary->status = open.n ? "new" : "resolved";
    summary->metrics = measure(&score, &open, duration_ms, arena);
    if (outcome->notes && wpa_json_count(outcome->notes)) {
        wpa_json_set(summary->metrics, "notes", wpa_json_dup(outcome->notes, arena));
    }
    summary->recommendations = recommend(&score, &open, arena);
    return store_health(db, workflow, &input, &score, &open, arena, err) &&
           store_workflow(db, workflow, outcome, arena, err) &&
           finish(db, outcome, duration_ms, arena, summary, err) &&
           resolve_older(db, workflow, summary, err);
}

/** What is wrong with the outcome, or with keeping it; NULL: nothing. False: the database fails. */
static bool find_fault(wpa_db *db, int64_t workflow_id, const wpa_analysis_outcome *outcome,
                       const char **fault, wpa_error *err)
{
    char workflow[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(workflow_id, workflow)};
    WPA_AUTO(wpa_rows) *rows =
        wpa_db_exec(db, WPA_SQL_ANALYSIS_HOLD, params, WPA_COUNT(params), err);
    bool is_there = rows && wpa_rows_count(rows) > 0 && wpa_rows_bool(rows, 0, 0);
    *fault = outcome->fault ? outcome->fault : is_there ? NULL : WPA_ANALYSIS_GONE;
    return rows != NULL;
}

bool wpa_analysis_store(wpa_db *db, const wpa_analysis_request *request,
                        const wpa_analysis_subject *subject, const wpa_analysis_outcome *outcome,
                        int64_t duration_ms, wpa_arena *arena, wpa_analysis_summary *summary,
                        wpa_error *err)
{
    const char *fault = NULL;
    if (!find_fault(db, request->workflow_id, outcome, &fault, err)) {
        return false;
    }
    if (!fault) {
        return store_result(db, request, subject, outcome, duration_ms, arena, summary, err);
    }
    summary->status = "failed";
    summary->error = fault;
    summary->metrics = wpa_json_new_object(arena);
    summary->recommendations = wpa_json_new_array(arena);
    return finish(db, outcome, duration_ms, arena, summary, err);
}
