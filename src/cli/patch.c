#include <inttypes.h>
#include <string.h>

#include <wpa/clock.h>
#include <wpa/text.h>

#include "cli/commands.h"
#include "cli/work.h"
#include "gen/sql.h"
#include "json/json.h"

enum {
    POLL_MS = 300
};

/* clang-format off */
static const wpa_cli_option list_options[] = {
    {"state", 0, WPA_CLI_TEXT, "NAME", "only pending, testing, tested, approved, deployed, failed or rolled_back ones"},
    {"before", 0, WPA_CLI_TEXT, "P-ID", "only patches older than this one"},
    WPA_CLI_OPTION_LIMIT,
};
static const wpa_cli_option wait_options[] = {WPA_CLI_OPTION_WAIT, WPA_CLI_OPTION_TIMEOUT};
static const wpa_cli_option reason_options[] = {WPA_CLI_OPTION_REASON};

static const wpa_cli_column columns[] = {
    {"id", "ID", WPA_CLI_AS_ID, 'p'},
    {"state", "STATE", WPA_CLI_AS_TEXT, 0},
    {"reason", "REASON", WPA_CLI_AS_TEXT, 0},
    {"name", "NAME", WPA_CLI_AS_TEXT, 0},
    {"version", "VERSION", WPA_CLI_AS_TEXT, 0},
    {"type", "TYPE", WPA_CLI_AS_TEXT, 0},
    {"severity", "SEVERITY", WPA_CLI_AS_TEXT, 0},
    {"files", "FILES", WPA_CLI_AS_INT, 0},
    {"lines_added", "+", WPA_CLI_AS_INT, 0},
    {"lines_removed", "-", WPA_CLI_AS_INT, 0},
    {"author", NULL, WPA_CLI_AS_TEXT, 0},
    {"requested_by", "FOR", WPA_CLI_AS_TEXT, 0},
    {"created_at", "CREATED", WPA_CLI_AS_TIME, 0},
    {"uid", NULL, WPA_CLI_AS_TEXT, 0},
};
static const wpa_cli_column record[] = {
    {"id", "patch", WPA_CLI_AS_ID, 'p'},
    {"state", "state", WPA_CLI_AS_TEXT, 0},
    {"reason", "reason", WPA_CLI_AS_TEXT, 0},
    {"name", "name", WPA_CLI_AS_TEXT, 0},
    {"version", "version", WPA_CLI_AS_TEXT, 0},
    {"revision", "revision", WPA_CLI_AS_INT, 0},
    {"type", "type", WPA_CLI_AS_TEXT, 0},
    {"severity", "severity", WPA_CLI_AS_TEXT, 0},
    {"issue", "issue", WPA_CLI_AS_TEXT, 0},
    {"description", "description", WPA_CLI_AS_TEXT, 0},
    {"comment", "comment", WPA_CLI_AS_TEXT, 0},
    {"author", "author", WPA_CLI_AS_TEXT, 0},
    {"requested_by", "requested by", WPA_CLI_AS_TEXT, 0},
    {"created_at", "created", WPA_CLI_AS_TIME, 0},
    {"tested_at", "tested", WPA_CLI_AS_TIME, 0},
    {"digest", "digest", WPA_CLI_AS_TEXT, 0},
    {"lines_added", "lines added", WPA_CLI_AS_INT, 0},
    {"lines_removed", "lines removed", WPA_CLI_AS_INT, 0},
    {"uid", NULL, WPA_CLI_AS_TEXT, 0},
    {"row_version", NULL, WPA_CLI_AS_INT, 0},
    {"plan", NULL, WPA_CLI_AS_JSON, 0},
    {"rollback", NULL, WPA_CLI_AS_JSON, 0},
    {"confidence", NULL, WPA_CLI_AS_JSON, 0},
};
static const wpa_cli_column file_columns[] = {
    {"repository", "REPOSITORY", WPA_CLI_AS_TEXT, 0},
    {"path", "PATH", WPA_CLI_AS_TEXT, 0},
    {"ref", "BRANCH", WPA_CLI_AS_TEXT, 0},
    {"before", NULL, WPA_CLI_AS_TEXT, 0},
    {"after", NULL, WPA_CLI_AS_TEXT, 0},
};
static const wpa_cli_column finding_columns[] = {
    {"id", "ANSWERS", WPA_CLI_AS_ID, 'f'},
    {"severity", "SEVERITY", WPA_CLI_AS_TEXT, 0},
    {"rule", "RULE", WPA_CLI_AS_TEXT, 0},
    {"state", "STATE", WPA_CLI_AS_TEXT, 0},
    {"message", "MESSAGE", WPA_CLI_AS_TEXT, 0},
};
static const wpa_cli_column check_columns[] = {
    {"phase", "PHASE", WPA_CLI_AS_TEXT, 0},
    {"check", "CHECK", WPA_CLI_AS_TEXT, 0},
    {"result", "RESULT", WPA_CLI_AS_TEXT, 0},
    {"subject", "SUBJECT", WPA_CLI_AS_TEXT, 0},
    {"title", "WHAT", WPA_CLI_AS_TEXT, 0},
    {"required", NULL, WPA_CLI_AS_BOOL, 0},
    {"cases", "CASES", WPA_CLI_AS_INT, 0},
    {"cases_failed", "FAILED", WPA_CLI_AS_INT, 0},
    {"duration_ms", "TIME", WPA_CLI_AS_DURATION, 0},
    {"test_run", NULL, WPA_CLI_AS_ID, 0},
    {"reason", "REASON", WPA_CLI_AS_TEXT, 0},
};
static const wpa_cli_column approval_columns[] = {
    {"guardian", "APPROVED BY", WPA_CLI_AS_TEXT, 0},
    {"at", "AT", WPA_CLI_AS_TIME, 0},
    {"expires_at", "UNTIL", WPA_CLI_AS_TIME, 0},
    {"withdrawn_at", "WITHDRAWN", WPA_CLI_AS_TIME, 0},
    {"explicit", NULL, WPA_CLI_AS_BOOL, 0},
    {"comment", "COMMENT", WPA_CLI_AS_TEXT, 0},
    {"counts", "COUNTS", WPA_CLI_AS_BOOL, 0},
};
/* clang-format on */

/* ---- looking ---- */

static int run_list(wpa_cli *cli, wpa_error *err)
{
    char before[WPA_DB_NUMBER_SIZE], limit[WPA_DB_NUMBER_SIZE];
    const char *params[3] = {wpa_cli_text(cli, "state"), NULL, wpa_cli_limit(cli, limit)};
    if (!wpa_cli_id_option(cli, "before", 'p', before, &params[1], err)) {
        return WPA_CLI_FAILED;
    }
    WPA_AUTO(wpa_rows) *rows =
        wpa_cli_read(cli, WPA_SQL_CLI_PATCHES, params, WPA_COUNT(params), err);
    if (!rows) {
        return WPA_CLI_FAILED;
    }
    wpa_cli_print_rows(cli, rows, columns, WPA_COUNT(columns), "no patch");
    return WPA_EXIT_OK;
}

const wpa_cli_command wpa_cli_patch_list = {
    .name = "patch list",
    .operands = "",
    .summary = "list patches, the newest first",
    .options = list_options,
    .n_options = WPA_COUNT(list_options),
    .has_json = true,
    .run = run_list,
};

typedef struct part {
    const wpa_sql *statement;
    const wpa_cli_column *columns;
    size_t n_columns;
    const char *key;
} part;

static int run_show(wpa_cli *cli, wpa_error *err)
{
    const part parts[] = {
        {WPA_SQL_CLI_PATCH_FILES, file_columns, WPA_COUNT(file_columns), "files"},
        {WPA_SQL_CLI_PATCH_FINDINGS, finding_columns, WPA_COUNT(finding_columns), "findings"},
        {WPA_SQL_CLI_PATCH_CHECKS, check_columns, WPA_COUNT(check_columns), "checks"},
        {WPA_SQL_CLI_PATCH_APPROVALS, approval_columns, WPA_COUNT(approval_columns), "approvals"},
    };
    int64_t id = 0;
    if (!wpa_cli_parse_id(cli->operands[0], 'p', &id, err)) {
        return WPA_CLI_FAILED;
    }
    WPA_AUTO(wpa_rows) *rows = wpa_cli_read_one(cli, WPA_SQL_CLI_PATCH, 'p', id, err);
    if (!rows) {
        return WPA_CLI_FAILED;
    }
    wpa_cli_book *book = wpa_cli_book_new(cli, rows, record, WPA_COUNT(record));
    for (size_t i = 0; i < WPA_COUNT(parts); i++) {
        if (!wpa_cli_book_add(book, parts[i].key, parts[i].statement, id, parts[i].columns,
                              parts[i].n_columns, err)) {
            return WPA_CLI_FAILED;
        }
    }
    wpa_cli_book_print(book);
    return WPA_EXIT_OK;
}

const wpa_cli_command wpa_cli_patch_show = {
    .name = "patch show",
    .operands = "P-ID",
    .summary = "show a patch: its files, what it answers, its test report, its approvals",
    .min_operands = 1,
    .max_operands = 1,
    .has_json = true,
    .run = run_show,
};

static int run_diff(wpa_cli *cli, wpa_error *err)
{
    int64_t id = 0;
    if (!wpa_cli_parse_id(cli->operands[0], 'p', &id, err)) {
        return WPA_CLI_FAILED;
    }
    WPA_AUTO(wpa_rows) *rows = wpa_cli_read_one(cli, WPA_SQL_CLI_PATCH_DIFF, 'p', id, err);
    if (!rows) {
        return WPA_CLI_FAILED;
    }
    wpa_cli_print_visible(cli, wpa_rows_text(rows, 0, 0), true);
    return WPA_EXIT_OK;
}

const wpa_cli_command wpa_cli_patch_diff = {
    .name = "patch diff",
    .operands = "P-ID",
    .summary = "print a patch as a unified diff",
    .min_operands = 1,
    .max_operands = 1,
    .run = run_diff,
};

/* ---- making and testing ---- */

/* How a patch stands: an exit code once nothing is going on, -1 while it is tested. */
static int judge(const wpa_rows *rows)
{
    const char *state = wpa_rows_text(rows, 0, 0), *test = wpa_rows_text(rows, 0, 2);
    if (wpa_text_is(state, "failed") || wpa_text_is(state, "rolled_back")) {
        return WPA_EXIT_FAILED;
    }
    if (wpa_text_is(state, "pending") || wpa_text_is(state, "testing")) {
        bool has_ended = wpa_text_is(test, "error") || wpa_text_is(test, "cancelled");
        return wpa_text_is(state, "pending") && has_ended ? WPA_EXIT_INCONCLUSIVE : -1;
    }
    return WPA_EXIT_OK;
}

static void say_end(wpa_cli *cli, int64_t id, const wpa_rows *rows)
{
    const char *reason = wpa_rows_text(rows, 0, 1);
    wpa_cli_answer(cli, "id", id, "p-%" PRId64 " is %s%s%s", id, wpa_rows_text(rows, 0, 0),
                   reason ? ": " : "", reason ? reason : "");
    if (wpa_text_is(reason, "test_failed")) {
        wpa_cli_say(cli, "which check and why: wpa patch show p-%" PRId64, id);
    }
}

int wpa_cli_wait_for_test(wpa_cli *cli, int64_t id, wpa_error *err)
{
    int64_t deadline =
        wpa_monotonic_ms() + wpa_cli_duration_ms(cli, "timeout", WPA_CLI_DEFAULT_TIMEOUT_MS);
    for (;;) {
        if (!wpa_cli_need_workers(cli, err)) { /* the agent that did it may be gone by now */
            return WPA_CLI_FAILED;
        }
        WPA_AUTO(wpa_rows) *rows = wpa_cli_read_one(cli, WPA_SQL_CLI_PATCH_STATE, 'p', id, err);
        if (!rows) {
            return WPA_CLI_FAILED;
        }
        int code = judge(rows);
        if (code >= 0) {
            say_end(cli, id, rows);
            return code;
        }
        if (wpa_monotonic_ms() > deadline) {
            WPA_FAIL(err, WPA_E_TIMEOUT, "p-%" PRId64 " is still being tested", id);
            return WPA_CLI_FAILED;
        }
        if (!wpa_cli_pause(cli, POLL_MS)) {
            WPA_FAIL(err, WPA_E_CANCELLED, "stopped waiting; the test goes on");
            return WPA_CLI_FAILED;
        }
    }
}

static int run_test(wpa_cli *cli, wpa_error *err)
{
    int64_t id = 0, job_id = 0;
    const wpa_actor *actor = wpa_cli_actor(cli, err);
    wpa_engine *engine = actor ? wpa_cli_engine(cli, err) : NULL;
    if (!engine || !wpa_cli_parse_id(cli->operands[0], 'p', &id, err) ||
        !wpa_agent_test_patch(engine, actor, id, &job_id, err)) {
        return WPA_CLI_FAILED;
    }
    if (wpa_cli_is_given(cli, "wait")) {
        return wpa_cli_wait_for_test(cli, id, err);
    }
    return wpa_cli_finish_job(cli, job_id, wpa_arena_printf(cli->arena, "test of p-%" PRId64, id),
                              err);
}

const wpa_cli_command wpa_cli_patch_test = {
    .name = "patch test",
    .operands = "P-ID",
    .summary = "order the test of a patch, again if it was tested before",
    .details = "Exit status with --wait: 0 tested, 4 the test failed, 5 it could not be done.",
    .options = wait_options,
    .n_options = WPA_COUNT(wait_options),
    .min_operands = 1,
    .max_operands = 1,
    .has_json = true,
    .run = run_test,
};

/* ---- deciding ---- */

typedef bool (*decision)(wpa_engine *engine, const wpa_actor *actor, int64_t patch_id,
                         const char *text, wpa_error *err);

static int decide(wpa_cli *cli, decision give, const char *text, wpa_error *err)
{
    int64_t id = 0;
    const wpa_actor *actor = wpa_cli_actor(cli, err);
    wpa_engine *engine = actor ? wpa_cli_engine(cli, err) : NULL;
    if (!engine || !wpa_cli_parse_id(cli->operands[0], 'p', &id, err) ||
        !give(engine, actor, id, text, err)) {
        return WPA_CLI_FAILED;
    }
    WPA_AUTO(wpa_rows) *rows = wpa_cli_read_one(cli, WPA_SQL_CLI_PATCH_STATE, 'p', id, err);
    if (!rows) {
        return WPA_CLI_FAILED;
    }
    say_end(cli, id, rows);
    return WPA_EXIT_OK;
}

static int run_approve(wpa_cli *cli, wpa_error *err)
{
    const char *reason = wpa_cli_text(cli, "reason");
    return decide(cli, wpa_agent_approve_patch, reason ? reason : "", err);
}

const wpa_cli_command wpa_cli_patch_approve = {
    .name = "patch approve",
    .operands = "P-ID",
    .summary = "approve a tested patch",
    .options = reason_options,
    .n_options = WPA_COUNT(reason_options),
    .min_operands = 1,
    .max_operands = 1,
    .has_json = true,
    .run = run_approve,
};

static int run_reject(wpa_cli *cli, wpa_error *err)
{
    const char *reason = wpa_cli_text(cli, "reason");
    if (!reason || !*reason) {
        WPA_FAIL(err, WPA_E_INVALID, "say why: --reason TEXT");
        return WPA_CLI_FAILED;
    }
    return decide(cli, wpa_agent_reject_patch, reason, err);
}

const wpa_cli_command wpa_cli_patch_reject = {
    .name = "patch reject",
    .operands = "P-ID",
    .summary = "reject a patch, with a reason",
    .options = reason_options,
    .n_options = WPA_COUNT(reason_options),
    .min_operands = 1,
    .max_operands = 1,
    .has_json = true,
    .run = run_reject,
};

static bool withdraw(wpa_engine *engine, const wpa_actor *actor, int64_t patch_id, const char *text,
                     wpa_error *err)
{
    (void)text;
    return wpa_agent_withdraw_approval(engine, actor, patch_id, err);
}

static int run_withdraw(wpa_cli *cli, wpa_error *err)
{
    return decide(cli, withdraw, NULL, err);
}

const wpa_cli_command wpa_cli_patch_withdraw = {
    .name = "patch withdraw",
    .operands = "P-ID",
    .summary = "withdraw one's approval",
    .min_operands = 1,
    .max_operands = 1,
    .has_json = true,
    .run = run_withdraw,
};
