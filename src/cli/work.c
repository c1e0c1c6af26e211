#include "cli/work.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include <wpa/clock.h>
#include <wpa/text.h>

#include "gen/sql.h"
#include "json/json.h"

enum {
    SLICE_MS = 500
};

wpa_rows *wpa_cli_read(wpa_cli *cli, const wpa_sql *statement, const char *const params[], size_t n,
                       wpa_error *err)
{
    wpa_db *db = wpa_cli_reader(cli, err);
    return db ? wpa_db_exec(db, statement, params, n, err) : NULL;
}

wpa_rows *wpa_cli_read_one(wpa_cli *cli, const wpa_sql *statement, char letter, int64_t id,
                           wpa_error *err)
{
    char text[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(id, text)};
    WPA_AUTO(wpa_rows) *rows = wpa_cli_read(cli, statement, params, 1, err);
    if (rows && wpa_rows_count(rows) == 0) {
        WPA_FAIL(err, WPA_E_NOT_FOUND, "there is no %c-%s", letter, text);
        return NULL;
    }
    return WPA_STEAL(rows);
}

const char *wpa_cli_limit(const wpa_cli *cli, char *text)
{
    return wpa_db_number(wpa_cli_int(cli, "limit", WPA_CLI_DEFAULT_LIMIT), text);
}

bool wpa_cli_id_option(const wpa_cli *cli, const char *name, char letter, char *text,
                       const char **param, wpa_error *err)
{
    const char *given = wpa_cli_text(cli, name);
    int64_t id = 0;
    *param = NULL;
    if (given && !wpa_cli_parse_id(given, letter, &id, err)) {
        return wpa_error_within(err, "--%s", name);
    }
    if (given) {
        *param = wpa_db_number(id, text);
    }
    return true;
}

int64_t *wpa_cli_parse_ids(wpa_cli *cli, size_t first, char letter, size_t *n, wpa_error *err)
{
    *n = cli->n_operands - first;
    int64_t *ids = wpa_arena_array(cli->arena, *n + 1, sizeof *ids);
    for (size_t i = 0; i < *n; i++) {
        if (!wpa_cli_parse_id(cli->operands[first + i], letter, &ids[i], err)) {
            return NULL;
        }
    }
    return ids;
}

bool wpa_cli_find_workflow(wpa_cli *cli, const char *name, wpa_workflow_ref *workflow,
                           wpa_error *err)
{
    wpa_db *db = wpa_cli_reader(cli, err);
    return db && wpa_fleet_find_workflow(db, name, cli->arena, workflow, err);
}

void wpa_cli_answer(wpa_cli *cli, const char *key, int64_t value, const char *format, ...)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    if (wpa_cli_wants_json(cli)) {
        wpa_json *object = wpa_json_new_object(arena);
        wpa_json_set_int(object, key, value);
        fprintf(cli->out, "%s\n", wpa_json_dump_pretty(object, arena));
        return;
    }
    va_list values;
    va_start(values, format);
    char *text = wpa_arena_vprintf(arena, format, values);
    va_end(values);
    fprintf(cli->out, "%s\n", wpa_text_visible(arena, text, strlen(text), true));
}

/* ---- waiting ------------------------------------------------------------------------------------
 */

static int64_t deadline_of(const wpa_cli *cli)
{
    return wpa_monotonic_ms() + wpa_cli_duration_ms(cli, "timeout", WPA_CLI_DEFAULT_TIMEOUT_MS);
}

/* True: ask again. A wait that only ran out of its slice is no error. */
static bool go_on(wpa_cli *cli, int64_t deadline, wpa_error *err)
{
    if (err->code != WPA_E_TIMEOUT) {
        return false;
    }
    if (wpa_cli_is_stopped(cli)) {
        wpa_error_clear(err);
        return WPA_FAIL(err, WPA_E_CANCELLED, "stopped waiting; the work stays queued");
    }
    if (wpa_monotonic_ms() > deadline) {
        return false;
    }
    wpa_error_clear(err);
    return wpa_cli_need_workers(cli, err); /* the agent that did it may be gone by now */
}

/* What was given up since then, a line each. */
static int say_given_up(wpa_cli *cli, const char *const kinds[], const char *repository,
                        const char *since, wpa_error *err)
{
    size_t n_kinds = 0;
    while (kinds[n_kinds]) {
        n_kinds++;
    }
    const char *params[] = {wpa_db_array(cli->arena, kinds, n_kinds), since, repository};
    WPA_AUTO(wpa_rows) *rows =
        wpa_cli_read(cli, WPA_SQL_CLI_GIVEN_UP, params, WPA_COUNT(params), err);
    if (!rows) {
        return WPA_CLI_FAILED;
    }
    for (size_t i = 0; i < wpa_rows_count(rows); i++) {
        const char *what = wpa_rows_text(rows, i, 1), *why = wpa_rows_text(rows, i, 2);
        fprintf(cli->err, "wpa: j-%s %s: given up: %s\n", wpa_rows_text(rows, i, 0),
                wpa_text_visible(cli->arena, what, strlen(what), false),
                wpa_text_visible(cli->arena, why, strlen(why), false));
    }
    return wpa_rows_count(rows) ? WPA_EXIT_FAILED : WPA_EXIT_OK;
}

int wpa_cli_wait_idle(wpa_cli *cli, const char *const kinds[], const char *repository,
                      wpa_error *err)
{
    WPA_AUTO(wpa_rows) *since = wpa_cli_read(cli, WPA_SQL_CLI_NOW, NULL, 0, err);
    wpa_engine *engine = since ? wpa_cli_engine(cli, err) : NULL;
    if (!engine || !wpa_cli_need_workers(cli, err)) {
        return WPA_CLI_FAILED;
    }
    int64_t deadline = deadline_of(cli);
    do {
        if (wpa_agent_wait_idle(engine, kinds, SLICE_MS, err)) {
            return say_given_up(cli, kinds, repository, wpa_rows_text(since, 0, 0), err);
        }
    } while (go_on(cli, deadline, err));
    return WPA_CLI_FAILED;
}

bool wpa_cli_wait_job(wpa_cli *cli, int64_t job_id, wpa_job_outcome *outcome, wpa_error *err)
{
    wpa_engine *engine = wpa_cli_engine(cli, err);
    if (!engine || !wpa_cli_need_workers(cli, err)) {
        return false;
    }
    int64_t deadline = deadline_of(cli);
    do {
        if (wpa_agent_wait(engine, job_id, SLICE_MS, outcome, err)) {
            return true;
        }
    } while (go_on(cli, deadline, err));
    return false;
}

/* Nobody may be there to do it. */
static int say_queued(wpa_cli *cli, int64_t job_id, const char *what, wpa_error *err)
{
    WPA_AUTO(wpa_rows) *rows = wpa_cli_read(cli, WPA_SQL_CLI_AGENTS_ALIVE, NULL, 0, err);
    if (!rows) {
        return WPA_CLI_FAILED;
    }
    wpa_cli_answer(
        cli, "job", job_id, "%s: queued as j-%" PRId64 "%s", what, job_id,
        wpa_rows_int(rows, 0, 0) > 0
            ? ""
            : "; no agent is running, it waits for one (wpa agent, the console, --wait)");
    return WPA_EXIT_OK;
}

int wpa_cli_finish_job(wpa_cli *cli, int64_t job_id, const char *what, wpa_error *err)
{
    wpa_job_outcome outcome;
    if (!wpa_cli_is_given(cli, "wait")) {
        return say_queued(cli, job_id, what, err);
    }
    if (!wpa_cli_wait_job(cli, job_id, &outcome, err)) {
        return WPA_CLI_FAILED;
    }
    switch (outcome.end) {
    case WPA_JOB_END_DONE:
        wpa_cli_answer(cli, "job", job_id, "%s: done", what);
        return WPA_EXIT_OK;
    case WPA_JOB_END_CANCELLED:
        WPA_FAIL(err, WPA_E_CANCELLED, "%s: cancelled", what);
        return WPA_CLI_FAILED;
    case WPA_JOB_END_DEAD:
        fprintf(cli->err, "wpa: %s: given up: ", what);
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        fprintf(cli->err, "%s\n",
                wpa_text_visible(arena, outcome.message, strlen(outcome.message), false));
        return WPA_EXIT_FAILED;
    }
    return WPA_EXIT_INTERNAL;
}
