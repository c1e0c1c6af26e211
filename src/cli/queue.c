#include "cli/commands.h"
#include "cli/work.h"
#include "gen/sql.h"

/* clang-format off */
static const wpa_cli_option options[] = {
    {"kind", 'k', WPA_CLI_TEXT, "NAME", "only jobs of this kind (scan, analyse, test, deploy)"},
    {"history", 0, WPA_CLI_FLAG, NULL, "those that have ended instead"},
    WPA_CLI_OPTION_LIMIT,
};

static const wpa_cli_column live[] = {
    {"id", "ID", WPA_CLI_AS_ID, 'j'},
    {"state", "STATE", WPA_CLI_AS_TEXT, 0},
    {"kind", "KIND", WPA_CLI_AS_TEXT, 0},
    {"subject", "SUBJECT", WPA_CLI_AS_TEXT, 0},
    {"label", "WHAT", WPA_CLI_AS_TEXT, 0},
    {"attempt", "TRY", WPA_CLI_AS_INT, 0},
    {"max_attempts", NULL, WPA_CLI_AS_INT, 0},
    {"run_after", NULL, WPA_CLI_AS_TIME, 0},
    {"on_hold", NULL, WPA_CLI_AS_BOOL, 0},
    {"done", "DONE", WPA_CLI_AS_INT, 0},
    {"total", "OF", WPA_CLI_AS_INT, 0},
    {"note", "NOTE", WPA_CLI_AS_TEXT, 0},
    {"owner", NULL, WPA_CLI_AS_TEXT, 0},
    {"requested_by", "FOR", WPA_CLI_AS_TEXT, 0},
    {"last_error", "LAST ERROR", WPA_CLI_AS_TEXT, 0},
    {"created_at", NULL, WPA_CLI_AS_TIME, 0},
};
static const wpa_cli_column ended[] = {
    {"id", "ID", WPA_CLI_AS_ID, 'j'},
    {"state", "STATE", WPA_CLI_AS_TEXT, 0},
    {"kind", "KIND", WPA_CLI_AS_TEXT, 0},
    {"subject", "SUBJECT", WPA_CLI_AS_TEXT, 0},
    {"label", "WHAT", WPA_CLI_AS_TEXT, 0},
    {"attempt", "TRIES", WPA_CLI_AS_INT, 0},
    {"requested_by", "FOR", WPA_CLI_AS_TEXT, 0},
    {"last_error", "LAST ERROR", WPA_CLI_AS_TEXT, 0},
    {"finished_at", "ENDED", WPA_CLI_AS_TIME, 0},
};
static const wpa_cli_column agents[] = {
    {"name", "NAME", WPA_CLI_AS_TEXT, 0},
    {"host", "HOST", WPA_CLI_AS_TEXT, 0},
    {"pid", "PID", WPA_CLI_AS_INT, 0},
    {"version", "VERSION", WPA_CLI_AS_TEXT, 0},
    {"state", "STATE", WPA_CLI_AS_TEXT, 0},
    {"busy", "BUSY", WPA_CLI_AS_INT, 0},
    {"capacity", "OF", WPA_CLI_AS_INT, 0},
    {"started_at", "STARTED", WPA_CLI_AS_TIME, 0},
    {"seen_at", "LAST SEEN", WPA_CLI_AS_TIME, 0},
};
/* clang-format on */

static int run_queue(wpa_cli *cli, wpa_error *err)
{
    char limit[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_cli_text(cli, "kind"), wpa_cli_limit(cli, limit)};
    bool is_history = wpa_cli_is_given(cli, "history");
    WPA_AUTO(wpa_rows) *rows =
        wpa_cli_read(cli, is_history ? WPA_SQL_CLI_QUEUE_HISTORY : WPA_SQL_CLI_QUEUE, params,
                     WPA_COUNT(params), err);
    if (!rows) {
        return WPA_CLI_FAILED;
    }
    wpa_cli_print_rows(cli, rows, is_history ? ended : live,
                       is_history ? WPA_COUNT(ended) : WPA_COUNT(live), "no job");
    return WPA_EXIT_OK;
}

const wpa_cli_command wpa_cli_queue = {
    .name = "queue",
    .operands = "",
    .summary = "list the jobs that are running or waiting",
    .options = options,
    .n_options = WPA_COUNT(options),
    .has_json = true,
    .run = run_queue,
};

static int run_agents(wpa_cli *cli, wpa_error *err)
{
    WPA_AUTO(wpa_rows) *rows = wpa_cli_read(cli, WPA_SQL_CLI_AGENTS, NULL, 0, err);
    if (!rows) {
        return WPA_CLI_FAILED;
    }
    wpa_cli_print_rows(cli, rows, agents, WPA_COUNT(agents), "no agent is running");
    return WPA_EXIT_OK;
}

const wpa_cli_command wpa_cli_agents = {
    .name = "agents",
    .operands = "",
    .summary = "list the agents that do the work",
    .has_json = true,
    .run = run_agents,
};
