#include <string.h>

#include <wpa/clock.h>
#include <wpa/text.h>

#include "cli/commands.h"
#include "cli/work.h"
#include "gen/sql.h"

enum {
    CONTEXT_LINES = 2,
    DEFAULT_IGNORE_DAYS = 90
};

/* clang-format off */
static const wpa_cli_option list_options[] = {
    {"workflow", 'w', WPA_CLI_TEXT, "NAME", "only those of this workflow"},
    {"severity", 's', WPA_CLI_TEXT, "NAME", "only critical, high, medium or low ones"},
    {"rule", 0, WPA_CLI_TEXT, "ID", "only those of this rule"},
    {"dimension", 'd', WPA_CLI_TEXT, "NAME", "only those of this dimension"},
    {"state", 0, WPA_CLI_TEXT, "NAME", "open, ignored, in_patch, verifying or fixed (default: all that count as open)"},
    {"after", 0, WPA_CLI_TEXT, "F-ID", "go on behind this finding"},
    WPA_CLI_OPTION_LIMIT,
};
static const wpa_cli_option ignore_options[] = {
    WPA_CLI_OPTION_REASON,
    {"until", 0, WPA_CLI_TEXT, "DATE", "ignored until then, as 2026-12-31 or 30d (default 90d)"},
    {"undo", 0, WPA_CLI_FLAG, NULL, "take the ignoring back"},
};

static const wpa_cli_column columns[] = {
    {"id", "ID", WPA_CLI_AS_ID, 'f'},
    {"severity", "SEVERITY", WPA_CLI_AS_TEXT, 0},
    {"rule", "RULE", WPA_CLI_AS_TEXT, 0},
    {"workflow", "WORKFLOW", WPA_CLI_AS_TEXT, 0},
    {"line", "LINE", WPA_CLI_AS_INT, 0},
    {"column", NULL, WPA_CLI_AS_INT, 0},
    {"message", "MESSAGE", WPA_CLI_AS_TEXT, 0},
    {"fixable", "FIX", WPA_CLI_AS_BOOL, 0},
    {"state", "STATE", WPA_CLI_AS_TEXT, 0},
    {"kind", NULL, WPA_CLI_AS_TEXT, 0},
    {"dimension", NULL, WPA_CLI_AS_TEXT, 0},
    {"confidence", NULL, WPA_CLI_AS_TEXT, 0},
    {"persona", NULL, WPA_CLI_AS_TEXT, 0},
    {"first_seen", NULL, WPA_CLI_AS_TIME, 0},
    {"last_seen", NULL, WPA_CLI_AS_TIME, 0},
    {"path", NULL, WPA_CLI_AS_TEXT, 0},
    {"fingerprint", NULL, WPA_CLI_AS_TEXT, 0},
    {"workflow_id", NULL, WPA_CLI_AS_ID, 0},
};

/* Message, help and source are printed below, as text of several lines. */
static const wpa_cli_column record[] = {
    {"id", "finding", WPA_CLI_AS_ID, 'f'},
    {"severity", "severity", WPA_CLI_AS_TEXT, 0},
    {"kind", "kind", WPA_CLI_AS_TEXT, 0},
    {"dimension", "dimension", WPA_CLI_AS_TEXT, 0},
    {"confidence", "confidence", WPA_CLI_AS_TEXT, 0},
    {"rule", "rule", WPA_CLI_AS_TEXT, 0},
    {"workflow", "workflow", WPA_CLI_AS_TEXT, 0},
    {"path", "path", WPA_CLI_AS_TEXT, 0},
    {"start_line", "line", WPA_CLI_AS_INT, 0},
    {"start_column", "column", WPA_CLI_AS_INT, 0},
    {"end_line", NULL, WPA_CLI_AS_INT, 0},
    {"end_column", NULL, WPA_CLI_AS_INT, 0},
    {"state", "state", WPA_CLI_AS_TEXT, 0},
    {"message", "message", WPA_CLI_AS_TEXT, 0},
    {"help", NULL, WPA_CLI_AS_TEXT, 0},
    {"evidence", "evidence", WPA_CLI_AS_TEXT, 0},
    {"first_seen", "first seen", WPA_CLI_AS_TIME, 0},
    {"last_seen", "last seen", WPA_CLI_AS_TIME, 0},
    {"fixed_at", "fixed at", WPA_CLI_AS_TIME, 0},
    {"ignored_by", "ignored by", WPA_CLI_AS_TEXT, 0},
    {"ignored_reason", "because", WPA_CLI_AS_TEXT, 0},
    {"ignored_until", "until", WPA_CLI_AS_TIME, 0},
    {"fingerprint", "fingerprint", WPA_CLI_AS_TEXT, 0},
    {"fixes", NULL, WPA_CLI_AS_JSON, 0},
    {"related", NULL, WPA_CLI_AS_JSON, 0},
    {"data", NULL, WPA_CLI_AS_JSON, 0},
};
/* clang-format on */

enum {
    COLUMN_FIRST_LINE = 8,
    COLUMN_LAST_LINE = 10,
    COLUMN_HELP = 14
};

static int run_list(wpa_cli *cli, wpa_error *err)
{
    char workflow_id[WPA_DB_NUMBER_SIZE], after[WPA_DB_NUMBER_SIZE], limit[WPA_DB_NUMBER_SIZE];
    const char *params[7] = {NULL,
                             wpa_cli_text(cli, "severity"),
                             wpa_cli_text(cli, "rule"),
                             wpa_cli_text(cli, "dimension"),
                             wpa_cli_text(cli, "state"),
                             NULL,
                             wpa_cli_limit(cli, limit)};
    const char *name = wpa_cli_text(cli, "workflow");
    wpa_workflow_ref workflow;
    if (name) {
        if (!wpa_cli_find_workflow(cli, name, &workflow, err)) {
            return WPA_CLI_FAILED;
        }
        params[0] = wpa_db_number(workflow.id, workflow_id);
    }
    if (!wpa_cli_id_option(cli, "after", 'f', after, &params[5], err)) {
        return WPA_CLI_FAILED;
    }
    WPA_AUTO(wpa_rows) *rows =
        wpa_cli_read(cli, WPA_SQL_CLI_FINDINGS, params, WPA_COUNT(params), err);
    if (!rows) {
        return WPA_CLI_FAILED;
    }
    wpa_cli_print_rows(cli, rows, columns, WPA_COUNT(columns), "no finding");
    return WPA_EXIT_OK;
}

const wpa_cli_command wpa_cli_finding_list = {
    .name = "finding list",
    .operands = "",
    .summary = "list findings, the worst and newest first",
    .options = list_options,
    .n_options = WPA_COUNT(list_options),
    .has_json = true,
    .run = run_list,
};

/* The lines around the finding, as they were analysed. */
static bool print_source(wpa_cli *cli, int64_t id, int64_t first, int64_t last, wpa_error *err)
{
    char text[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(id, text)};
    WPA_AUTO(wpa_rows) *rows = wpa_cli_read(cli, WPA_SQL_CLI_FINDING_SOURCE, params, 1, err);
    if (!rows || wpa_rows_count(rows) == 0) {
        return rows != NULL;
    }
    size_t size = 0;
    const char *at = (const char *)wpa_rows_bytes(rows, 0, 0, cli->arena, &size);
    const char *end = at ? at + size : NULL;
    (void)fputc('\n', cli->out);
    for (int64_t number = 1; at && at < end && number <= last + CONTEXT_LINES; number++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t length = (size_t)((stop ? stop : end) - at);
        if (number >= first - CONTEXT_LINES) {
            fprintf(cli->out, "%c %5lld  %s\n", number >= first && number <= last ? '>' : ' ',
                    (long long)number, wpa_text_visible(cli->arena, at, length, true));
        }
        at += length + 1;
    }
    return true;
}

static int run_show(wpa_cli *cli, wpa_error *err)
{
    int64_t id = 0;
    if (!wpa_cli_parse_id(cli->operands[0], 'f', &id, err)) {
        return WPA_CLI_FAILED;
    }
    WPA_AUTO(wpa_rows) *rows = wpa_cli_read_one(cli, WPA_SQL_CLI_FINDING, 'f', id, err);
    if (!rows) {
        return WPA_CLI_FAILED;
    }
    wpa_cli_print_record(cli, rows, 0, record, WPA_COUNT(record));
    if (wpa_cli_wants_json(cli)) {
        return WPA_EXIT_OK;
    }
    if (!print_source(cli, id, wpa_rows_int(rows, 0, COLUMN_FIRST_LINE),
                      wpa_rows_int(rows, 0, COLUMN_LAST_LINE), err)) {
        return WPA_CLI_FAILED;
    }
    wpa_cli_say(cli, "\n%s", wpa_rows_text(rows, 0, COLUMN_HELP));
    return WPA_EXIT_OK;
}

const wpa_cli_command wpa_cli_finding_show = {
    .name = "finding show",
    .operands = "F-ID",
    .summary = "show a finding with its source",
    .min_operands = 1,
    .max_operands = 1,
    .has_json = true,
    .run = run_show,
};

/* "30d" from now, or the end of a day. */
static bool parse_until(const char *text, int64_t *until_us, wpa_error *err)
{
    int64_t ms = 0;
    char time[WPA_TIMESTAMP_SIZE];
    wpa_error unread = {0};
    if (!text) {
        ms = (int64_t)DEFAULT_IGNORE_DAYS * 24 * 3600 * 1000;
    }
    if (ms > 0 || wpa_text_to_duration_ms(text, &ms)) {
        *until_us = wpa_now_us() + ms * 1000;
        return true;
    }
    if (!wpa_text_format(time, sizeof time, "%s 23:59:59.000000+00", text) ||
        !wpa_timestamp_parse(time, until_us, &unread)) {
        return WPA_FAIL(err, WPA_E_INVALID,
                        "--until: '%s' is neither a date such as 2026-12-31 nor a "
                        "time such as 30d",
                        text);
    }
    return *until_us > wpa_now_us() ||
           WPA_FAIL(err, WPA_E_INVALID, "--until: '%s' is over: a day to come is needed", text);
}

static int run_ignore(wpa_cli *cli, wpa_error *err)
{
    size_t n = 0;
    int64_t until_us = 0;
    bool is_undone = wpa_cli_is_given(cli, "undo");
    const char *reason = wpa_cli_text(cli, "reason");
    int64_t *ids = wpa_cli_parse_ids(cli, 0, 'f', &n, err);
    if (!ids || (!is_undone && !parse_until(wpa_cli_text(cli, "until"), &until_us, err))) {
        return WPA_CLI_FAILED;
    }
    if (!is_undone && (!reason || !*reason)) {
        WPA_FAIL(err, WPA_E_INVALID, "say why: --reason TEXT");
        return WPA_CLI_FAILED;
    }
    const wpa_actor *actor = wpa_cli_actor(cli, err);
    wpa_engine *engine = actor ? wpa_cli_engine(cli, err) : NULL;
    if (!engine ||
        !wpa_agent_ignore_findings(engine, actor, ids, n, reason ? reason : "", until_us, err)) {
        return WPA_CLI_FAILED;
    }
    wpa_cli_say(cli, "%zu finding%s %s", n, n == 1 ? "" : "s",
                is_undone ? "open again" : "ignored");
    return WPA_EXIT_OK;
}

const wpa_cli_command wpa_cli_finding_ignore = {
    .name = "finding ignore",
    .operands = "F-ID...",
    .summary = "ignore findings until a date, with a reason",
    .options = ignore_options,
    .n_options = WPA_COUNT(ignore_options),
    .min_operands = 1,
    .max_operands = WPA_CLI_MANY,
    .run = run_ignore,
};
