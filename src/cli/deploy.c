#include <inttypes.h>
#include <string.h>

#include <wpa/clock.h>
#include <wpa/text.h>

#include "cli/commands.h"
#include "cli/work.h"
#include "gen/sql.h"
#include "json/json.h"

enum {
    POLL_MS = 250
};

/* clang-format off */
static const wpa_cli_option start_options[] = {
    {"plan-digest", 0, WPA_CLI_TEXT, "HEX", "refuse if the plan is no longer the one that wpa deploy plan showed"},
    {"watch", 'w', WPA_CLI_FLAG, NULL, "watch it until it has ended"},
    WPA_CLI_OPTION_TIMEOUT,
};
static const wpa_cli_option status_options[] = {
    {"live", 0, WPA_CLI_FLAG, NULL, "only those that have not ended"},
    {"before", 0, WPA_CLI_TEXT, "D-ID", "only deployments older than this one"},
    WPA_CLI_OPTION_LIMIT,
};
static const wpa_cli_option watch_options[] = {WPA_CLI_OPTION_TIMEOUT};
#define IF_VERSION {"if-version", 0, WPA_CLI_INT, "N", "only if the row's version is still this one (row_version of deploy status --json)"}
static const wpa_cli_option version_options[] = {IF_VERSION};
static const wpa_cli_option reason_options[] = {WPA_CLI_OPTION_REASON, IF_VERSION};
static const wpa_cli_option rollback_options[] = {
    WPA_CLI_OPTION_REASON,
    IF_VERSION,
    {"delay", 0, WPA_CLI_DURATION, "TIME", "wait so long, during which it can be taken back (default: at once)"},
    {"cancel", 0, WPA_CLI_FLAG, NULL, "take an order back whose time has not come yet"},
    {"watch", 'w', WPA_CLI_FLAG, NULL, "watch it until it has ended"},
    WPA_CLI_OPTION_TIMEOUT,
};

static const wpa_cli_column columns[] = {
    {"id", "ID", WPA_CLI_AS_ID, 'd'},
    {"state", "STATE", WPA_CLI_AS_TEXT, 0},
    {"reason", "REASON", WPA_CLI_AS_TEXT, 0},
    {"patch", "PATCH", WPA_CLI_AS_ID, 'p'},
    {"patch_name", "NAME", WPA_CLI_AS_TEXT, 0},
    {"stage", "STAGE", WPA_CLI_AS_INT, 0},
    {"stages", "OF", WPA_CLI_AS_INT, 0},
    {"targets", "TARGETS", WPA_CLI_AS_INT, 0},
    {"started_by", "BY", WPA_CLI_AS_TEXT, 0},
    {"created_at", "STARTED", WPA_CLI_AS_TIME, 0},
    {"finished_at", "ENDED", WPA_CLI_AS_TIME, 0},
    {"rollback_at", NULL, WPA_CLI_AS_TIME, 0},
};
static const wpa_cli_column record[] = {
    {"id", "deployment", WPA_CLI_AS_ID, 'd'},
    {"state", "state", WPA_CLI_AS_TEXT, 0},
    {"reason", "reason", WPA_CLI_AS_TEXT, 0},
    {"rule", "rule", WPA_CLI_AS_TEXT, 0},
    {"patch", "patch", WPA_CLI_AS_ID, 'p'},
    {"patch_name", "name", WPA_CLI_AS_TEXT, 0},
    {"stage", "stage", WPA_CLI_AS_INT, 0},
    {"started_by", "started by", WPA_CLI_AS_TEXT, 0},
    {"created_at", "ordered", WPA_CLI_AS_TIME, 0},
    {"started_at", "started", WPA_CLI_AS_TIME, 0},
    {"finished_at", "ended", WPA_CLI_AS_TIME, 0},
    {"rollback_at", "rollback at", WPA_CLI_AS_TIME, 0},
    {"rolled_back_by", "rolled back by", WPA_CLI_AS_TEXT, 0},
    {"rollback_reason", "because", WPA_CLI_AS_TEXT, 0},
    {"digest", "digest", WPA_CLI_AS_TEXT, 0},
    {"row_version", NULL, WPA_CLI_AS_INT, 0},
    {"uid", NULL, WPA_CLI_AS_TEXT, 0},
    {"summary", NULL, WPA_CLI_AS_JSON, 0},
    {"plan", NULL, WPA_CLI_AS_JSON, 0},
};
static const wpa_cli_column stage_columns[] = {
    {"n", "STAGE", WPA_CLI_AS_INT, 0},
    {"name", "NAME", WPA_CLI_AS_TEXT, 0},
    {"state", "STATE", WPA_CLI_AS_TEXT, 0},
    {"reason", "REASON", WPA_CLI_AS_TEXT, 0},
    {"applied", "APPLIED", WPA_CLI_AS_INT, 0},
    {"targets", "OF", WPA_CLI_AS_INT, 0},
    {"bake_ms", "BAKES", WPA_CLI_AS_DURATION, 0},
    {"bake_left_ms", "LEFT", WPA_CLI_AS_DURATION, 0},
    {"started_at", "STARTED", WPA_CLI_AS_TIME, 0},
    {"finished_at", "ENDED", WPA_CLI_AS_TIME, 0},
};
static const wpa_cli_column target_columns[] = {
    {"stage", "STAGE", WPA_CLI_AS_INT, 0},
    {"repository", "TARGET", WPA_CLI_AS_TEXT, 0},
    {"ref", "BRANCH", WPA_CLI_AS_TEXT, 0},
    {"state", "STATE", WPA_CLI_AS_TEXT, 0},
    {"base", "BASE", WPA_CLI_AS_TEXT, 0},
    {"applied", "APPLIED", WPA_CLI_AS_TEXT, 0},
    {"reverted", "REVERTED", WPA_CLI_AS_TEXT, 0},
    {"note", "NOTE", WPA_CLI_AS_TEXT, 0},
    {"repository_id", NULL, WPA_CLI_AS_ID, 0},
};
static const wpa_cli_column probe_columns[] = {
    {"stage", "STAGE", WPA_CLI_AS_INT, 0},
    {"name", "HEALTH CHECK", WPA_CLI_AS_TEXT, 0},
    {"kind", "KIND", WPA_CLI_AS_TEXT, 0},
    {"repository", "TARGET", WPA_CLI_AS_TEXT, 0},
    {"verdict", "VERDICT", WPA_CLI_AS_TEXT, 0},
    {"last_result", "LAST", WPA_CLI_AS_TEXT, 0},
    {"value", "VALUE", WPA_CLI_AS_REAL, 0},
    {"limit", "LIMIT", WPA_CLI_AS_TEXT, 0},
    {"message", "MESSAGE", WPA_CLI_AS_TEXT, 0},
    {"critical", NULL, WPA_CLI_AS_BOOL, 0},
    {"measured_at", NULL, WPA_CLI_AS_TIME, 0},
};
/* clang-format on */

/* ---- looking ---- */

static int list(wpa_cli *cli, wpa_error *err)
{
    char before[WPA_DB_NUMBER_SIZE], limit[WPA_DB_NUMBER_SIZE];
    const char *params[3] = {wpa_db_bool(wpa_cli_is_given(cli, "live")), NULL,
                             wpa_cli_limit(cli, limit)};
    if (!wpa_cli_id_option(cli, "before", 'd', before, &params[1], err)) {
        return WPA_CLI_FAILED;
    }
    WPA_AUTO(wpa_rows) *rows =
        wpa_cli_read(cli, WPA_SQL_CLI_DEPLOYMENTS, params, WPA_COUNT(params), err);
    if (!rows) {
        return WPA_CLI_FAILED;
    }
    wpa_cli_print_rows(cli, rows, columns, WPA_COUNT(columns), "no deployment");
    return WPA_EXIT_OK;
}

static int run_status(wpa_cli *cli, wpa_error *err)
{
    int64_t id = 0;
    if (cli->n_operands == 0) {
        return list(cli, err);
    }
    if (!wpa_cli_parse_id(cli->operands[0], 'd', &id, err)) {
        return WPA_CLI_FAILED;
    }
    WPA_AUTO(wpa_rows) *rows = wpa_cli_read_one(cli, WPA_SQL_CLI_DEPLOYMENT, 'd', id, err);
    if (!rows) {
        return WPA_CLI_FAILED;
    }
    wpa_cli_book *book = wpa_cli_book_new(cli, rows, record, WPA_COUNT(record));
    if (!wpa_cli_book_add(book, "stages", WPA_SQL_CLI_DEPLOYMENT_STAGES, id, stage_columns,
                          WPA_COUNT(stage_columns), err) ||
        !wpa_cli_book_add(book, "targets", WPA_SQL_CLI_DEPLOYMENT_TARGETS, id, target_columns,
                          WPA_COUNT(target_columns), err) ||
        !wpa_cli_book_add(book, "checks", WPA_SQL_CLI_DEPLOYMENT_PROBES, id, probe_columns,
                          WPA_COUNT(probe_columns), err)) {
        return WPA_CLI_FAILED;
    }
    wpa_cli_book_print(book);
    return WPA_EXIT_OK;
}

const wpa_cli_command wpa_cli_deploy_status = {
    .name = "deploy status",
    .operands = "[D-ID]",
    .summary = "list deployments, or show one: stages, targets, health checks",
    .options = status_options,
    .n_options = WPA_COUNT(status_options),
    .max_operands = 1,
    .has_json = true,
    .run = run_status,
};

/* ---- watching ---- */

static const struct {
    const char *state;
    int code, code_after_rollback; /* once it has ended */
} ends[] = {
    {"succeeded", WPA_EXIT_OK, WPA_EXIT_FAILED},
    {"rolled_back", WPA_EXIT_FAILED, WPA_EXIT_OK},
    {"aborted", WPA_EXIT_FAILED, WPA_EXIT_FAILED},
    {"stuck", WPA_EXIT_INCONCLUSIVE, WPA_EXIT_INCONCLUSIVE},
    {"paused", WPA_EXIT_INCONCLUSIVE, -1}, /* waits for a guardian */
};

/* Exit code of a state that nothing follows by itself, -1 of any other. */
static int judge(const char *state, bool is_rollback)
{
    for (size_t i = 0; i < WPA_COUNT(ends); i++) {
        if (wpa_text_is(state, ends[i].state)) {
            return is_rollback ? ends[i].code_after_rollback : ends[i].code;
        }
    }
    return -1;
}

static void print_change(wpa_cli *cli, int64_t id, const wpa_rows *rows)
{
    const char *reason = wpa_rows_text(rows, 0, 1);
    if (wpa_cli_wants_json(cli)) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        wpa_json *object = wpa_json_new_object(arena);
        wpa_json_set_int(object, "id", id);
        wpa_json_set_text(object, "state", wpa_rows_text(rows, 0, 0));
        wpa_json_set_text(object, "reason", reason);
        wpa_json_set_int(object, "stage", wpa_rows_int(rows, 0, 2));
        wpa_json_set_text(object, "stage_state", wpa_rows_text(rows, 0, 3));
        fprintf(cli->out, "%s\n", wpa_json_dump(object, arena));
    } else if (wpa_rows_int(rows, 0, 2) > 0) {
        wpa_cli_say(cli, "d-%" PRId64 "  %s  stage %" PRId64 " %s %s%s%s", id,
                    wpa_rows_text(rows, 0, 0), wpa_rows_int(rows, 0, 2), wpa_rows_text(rows, 0, 4),
                    wpa_rows_text(rows, 0, 3), reason ? ": " : "", reason ? reason : "");
    } else {
        wpa_cli_say(cli, "d-%" PRId64 "  %s%s%s", id, wpa_rows_text(rows, 0, 0), reason ? ": " : "",
                    reason ? reason : "");
    }
    (void)fflush(cli->out);
}

/* A succeeded deployment whose rollback has been ordered has not come to rest. */
static bool is_at_rest(const wpa_rows *rows, bool is_rollback)
{
    return !wpa_rows_bool(rows, 0, 6) &&
           !(is_rollback && wpa_text_is(wpa_rows_text(rows, 0, 0), "succeeded"));
}

static int watch(wpa_cli *cli, int64_t id, bool is_rollback, wpa_error *err)
{
    int64_t timeout_ms = wpa_cli_duration_ms(cli, "timeout", -1);
    int64_t begun = wpa_monotonic_ms();
    char shown[256] = "", now[256];
    for (;;) {
        if (!wpa_cli_need_workers(cli, err)) { /* the agent that did it may be gone by now */
            return WPA_CLI_FAILED;
        }
        WPA_AUTO(wpa_rows) *rows =
            wpa_cli_read_one(cli, WPA_SQL_CLI_DEPLOYMENT_STATE, 'd', id, err);
        if (!rows) {
            return WPA_CLI_FAILED;
        }
        wpa_text_format(now, sizeof now, "%s/%s/%s", wpa_rows_text(rows, 0, 0),
                        wpa_rows_text(rows, 0, 2), wpa_rows_text(rows, 0, 3));
        if (strcmp(now, shown) != 0) {
            print_change(cli, id, rows);
            wpa_text_copy(shown, sizeof shown, now);
        }
        int code = judge(wpa_rows_text(rows, 0, 0), is_rollback);
        if (code >= 0 && is_at_rest(rows, is_rollback)) {
            if (wpa_text_is(wpa_rows_text(rows, 0, 0), "paused")) {
                wpa_cli_say(cli,
                            "held until a guardian decides: wpa deploy resume, promote or "
                            "rollback d-%" PRId64,
                            id);
            }
            return code;
        }
        if (timeout_ms >= 0 && wpa_monotonic_ms() - begun > timeout_ms) {
            WPA_FAIL(err, WPA_E_TIMEOUT, "d-%" PRId64 " goes on", id);
            return WPA_CLI_FAILED;
        }
        if (!wpa_cli_pause(cli, POLL_MS)) {
            WPA_FAIL(err, WPA_E_CANCELLED, "stopped watching; d-%" PRId64 " goes on", id);
            return WPA_CLI_FAILED;
        }
    }
}

static int run_watch(wpa_cli *cli, wpa_error *err)
{
    int64_t id = 0;
    return wpa_cli_parse_id(cli->operands[0], 'd', &id, err) ? watch(cli, id, false, err)
                                                             : WPA_CLI_FAILED;
}

const wpa_cli_command wpa_cli_deploy_watch = {
    .name = "deploy watch",
    .operands = "D-ID",
    .summary = "tell each change of a deployment until it has ended",
    .details = "Does the work itself if no agent is running. Exit status: 0 succeeded, 4 rolled "
               "back or aborted, 5 stuck, or held until a guardian decides.",
    .options = watch_options,
    .n_options = WPA_COUNT(watch_options),
    .min_operands = 1,
    .max_operands = 1,
    .has_json = true,
    .run = run_watch,
};

/* ---- acting ---- */

/* Operand 0 as the id of a deployment or patch; who acts; the engine. */
static bool prepare(wpa_cli *cli, char letter, int64_t *id, const wpa_actor **actor,
                    wpa_engine **engine, wpa_error *err)
{
    *actor = wpa_cli_actor(cli, err);
    *engine = *actor ? wpa_cli_engine(cli, err) : NULL;
    return *engine && wpa_cli_parse_id(cli->operands[0], letter, id, err);
}

static int run_start(wpa_cli *cli, wpa_error *err)
{
    int64_t patch_id = 0, id = 0;
    const wpa_actor *actor;
    wpa_engine *engine;
    if (!prepare(cli, 'p', &patch_id, &actor, &engine, err) ||
        !wpa_agent_deploy_patch(engine, actor, patch_id, wpa_cli_text(cli, "plan-digest"), &id,
                                err)) {
        return WPA_CLI_FAILED;
    }
    if (wpa_cli_is_given(cli, "watch")) {
        return watch(cli, id, false, err);
    }
    wpa_cli_answer(cli, "id", id, "d-%" PRId64 " started: p-%" PRId64, id, patch_id);
    return WPA_EXIT_OK;
}

const wpa_cli_command wpa_cli_deploy_start = {
    .name = "deploy start",
    .operands = "P-ID",
    .summary = "deploy a tested patch, stage by stage",
    .details = "The start of a tested patch approves it, unless policy wants approvals to be said "
               "or more than one. Exit status with --watch as of wpa deploy watch.",
    .options = start_options,
    .n_options = WPA_COUNT(start_options),
    .min_operands = 1,
    .max_operands = 1,
    .has_json = true,
    .run = run_start,
};

typedef bool (*order)(wpa_engine *engine, const wpa_actor *actor, int64_t id, int64_t if_version,
                      const char *reason, wpa_error *err);

static int give(wpa_cli *cli, order do_it, const char *reason, const char *done, wpa_error *err)
{
    int64_t id = 0;
    const wpa_actor *actor;
    wpa_engine *engine;
    if (!prepare(cli, 'd', &id, &actor, &engine, err) ||
        !do_it(engine, actor, id, wpa_cli_int(cli, "if-version", -1), reason ? reason : "", err)) {
        return WPA_CLI_FAILED;
    }
    wpa_cli_answer(cli, "id", id, "d-%" PRId64 " %s", id, done);
    return WPA_EXIT_OK;
}

static int run_pause(wpa_cli *cli, wpa_error *err)
{
    return give(cli, wpa_agent_pause, wpa_cli_text(cli, "reason"), "paused", err);
}

static bool resume(wpa_engine *engine, const wpa_actor *actor, int64_t id, int64_t if_version,
                   const char *reason, wpa_error *err)
{
    (void)reason;
    return wpa_agent_resume(engine, actor, id, if_version, err);
}

static int run_resume(wpa_cli *cli, wpa_error *err)
{
    return give(cli, resume, NULL, "goes on", err);
}

static int run_promote(wpa_cli *cli, wpa_error *err)
{
    return give(cli, wpa_agent_promote, wpa_cli_text(cli, "reason"), "promoted", err);
}

static int run_abort(wpa_cli *cli, wpa_error *err)
{
    return give(cli, wpa_agent_abort, wpa_cli_text(cli, "reason"), "aborted", err);
}

static int run_conclude(wpa_cli *cli, wpa_error *err)
{
    return give(cli, wpa_agent_conclude, wpa_cli_text(cli, "reason"), "concluded as it is", err);
}

static bool retry(wpa_engine *engine, const wpa_actor *actor, int64_t id, int64_t if_version,
                  const char *reason, wpa_error *err)
{
    (void)reason;
    return wpa_agent_retry_stage(engine, actor, id, if_version, err);
}

static int run_retry(wpa_cli *cli, wpa_error *err)
{
    return give(cli, retry, NULL, "tries its stage again", err);
}

/* clang-format off */
#define DEPLOY_COMMAND(verb, what)                                                                 \
    const wpa_cli_command wpa_cli_deploy_##verb = {                                                \
        .name = "deploy " #verb, .operands = "D-ID", .summary = what, .options = reason_options,   \
        .n_options = WPA_COUNT(reason_options), .min_operands = 1, .max_operands = 1,              \
        .has_json = true, .run = run_##verb,                                                       \
    }
/* clang-format on */

DEPLOY_COMMAND(pause, "hold a deployment before its next step");
DEPLOY_COMMAND(promote, "end the bake of the current stage as passed, with a reason");
DEPLOY_COMMAND(abort, "give up a deployment that has changed nothing yet");
DEPLOY_COMMAND(conclude, "stop, and leave changed targets changed, with a reason");

const wpa_cli_command wpa_cli_deploy_resume = {
    .name = "deploy resume",
    .operands = "D-ID",
    .summary = "let a held deployment go on",
    .options = version_options,
    .n_options = WPA_COUNT(version_options),
    .min_operands = 1,
    .max_operands = 1,
    .has_json = true,
    .run = run_resume,
};

const wpa_cli_command wpa_cli_deploy_retry = {
    .name = "deploy retry",
    .operands = "D-ID",
    .summary = "try the failed stage of a deployment again",
    .options = version_options,
    .n_options = WPA_COUNT(version_options),
    .min_operands = 1,
    .max_operands = 1,
    .has_json = true,
    .run = run_retry,
};

static int run_skip(wpa_cli *cli, wpa_error *err)
{
    int64_t id = 0;
    const wpa_actor *actor;
    wpa_engine *engine;
    const char *reason = wpa_cli_text(cli, "reason");
    if (!prepare(cli, 'd', &id, &actor, &engine, err) ||
        !wpa_agent_skip_target(engine, actor, id, wpa_cli_int(cli, "if-version", -1),
                               cli->operands[1], reason ? reason : "", err)) {
        return WPA_CLI_FAILED;
    }
    wpa_cli_answer(cli, "id", id, "d-%" PRId64 " leaves out '%s'", id, cli->operands[1]);
    return WPA_EXIT_OK;
}

const wpa_cli_command wpa_cli_deploy_skip = {
    .name = "deploy skip",
    .operands = "D-ID REPOSITORY",
    .summary = "leave a target out, with a reason",
    .options = reason_options,
    .n_options = WPA_COUNT(reason_options),
    .min_operands = 2,
    .max_operands = 2,
    .has_json = true,
    .run = run_skip,
};

/* "d-4", or the latest deployment of "p-3". */
static bool find_deployment(wpa_cli *cli, int64_t *id, wpa_error *err)
{
    int64_t patch_id = 0;
    if (cli->operands[0][0] != 'p') {
        return wpa_cli_parse_id(cli->operands[0], 'd', id, err);
    }
    char text[WPA_DB_NUMBER_SIZE];
    if (!wpa_cli_parse_id(cli->operands[0], 'p', &patch_id, err)) {
        return false;
    }
    const char *params[] = {wpa_db_number(patch_id, text)};
    WPA_AUTO(wpa_rows) *rows = wpa_cli_read(cli, WPA_SQL_CLI_DEPLOYMENT_OF_PATCH, params, 1, err);
    if (rows && wpa_rows_count(rows) == 0) {
        return WPA_FAIL(err, WPA_E_NOT_FOUND, "p-%s has never been deployed", text);
    }
    *id = rows ? wpa_rows_int(rows, 0, 0) : 0;
    return rows != NULL;
}

static int run_rollback(wpa_cli *cli, wpa_error *err)
{
    int64_t id = 0;
    const char *reason = wpa_cli_text(cli, "reason");
    int64_t delay_ms = wpa_cli_duration_ms(cli, "delay", 0);
    const wpa_actor *actor = wpa_cli_actor(cli, err);
    wpa_engine *engine = actor ? wpa_cli_engine(cli, err) : NULL;
    if (!engine || !find_deployment(cli, &id, err)) {
        return WPA_CLI_FAILED;
    }
    if (wpa_cli_is_given(cli, "cancel")) {
        if (!wpa_agent_cancel_rollback(engine, actor, id, err)) {
            return WPA_CLI_FAILED;
        }
        wpa_cli_answer(cli, "id", id, "d-%" PRId64 ": the rollback is taken back", id);
        return WPA_EXIT_OK;
    }
    if (!wpa_agent_rollback_patch(engine, actor, id, wpa_cli_int(cli, "if-version", -1), delay_ms,
                                  reason ? reason : "ordered by a guardian", err)) {
        return WPA_CLI_FAILED;
    }
    if (wpa_cli_is_given(cli, "watch")) {
        return watch(cli, id, true, err);
    }
    wpa_cli_answer(cli, "id", id, "d-%" PRId64 ": the rollback is ordered", id);
    return WPA_EXIT_OK;
}

const wpa_cli_command wpa_cli_deploy_rollback = {
    .name = "deploy rollback",
    .operands = "D-ID|P-ID",
    .summary = "take a deployment back by revert commits",
    .details = "Of a patch its latest deployment is meant. The order stands in the database once "
               "the command has returned. Exit status with --watch: 0 rolled back, 5 stuck.",
    .options = rollback_options,
    .n_options = WPA_COUNT(rollback_options),
    .min_operands = 1,
    .max_operands = 1,
    .has_json = true,
    .run = run_rollback,
};
