/* wpa session: who is signed in, and ending that. */
#include "cli/commands.h"
#include "cli/session.h"
#include "cli/work.h"
#include "gen/sql.h"

/* clang-format off */
static const wpa_cli_column columns[] = {
    {"id", "ID", WPA_CLI_AS_TEXT, 0},
    {"name", "NAME", WPA_CLI_AS_TEXT, 0},
    {"role", "ROLE", WPA_CLI_AS_TEXT, 0},
    {"kind", "KIND", WPA_CLI_AS_TEXT, 0},
    {"opened_at", "OPENED", WPA_CLI_AS_TIME, 0},
    {"expires_at", "EXPIRES", WPA_CLI_AS_TIME, 0},
    {"address", "ADDRESS", WPA_CLI_AS_TEXT, 0},
    {"user_agent", NULL, WPA_CLI_AS_TEXT, 0},
};
/* clang-format on */

static int run_list(wpa_cli *cli, wpa_error *err)
{
    const char *params[] = {cli->n_operands ? cli->operands[0] : NULL};
    const wpa_actor *actor = wpa_cli_actor(cli, err);
    if (!actor || !wpa_actor_check(actor, WPA_ACTION_CHANGE_PRINCIPALS, err)) {
        return WPA_CLI_FAILED;
    }
    WPA_AUTO(wpa_rows) *rows =
        wpa_cli_read(cli, WPA_SQL_SESSION_LIST, params, WPA_COUNT(params), err);
    if (!rows) {
        return WPA_CLI_FAILED;
    }
    wpa_cli_print_rows(cli, rows, columns, WPA_COUNT(columns), "nobody is signed in");
    return WPA_EXIT_OK;
}

const wpa_cli_command wpa_cli_session_list = {
    .name = "session list",
    .operands = "[NAME]",
    .summary = "list the sessions that stand, of one person or of all",
    .max_operands = 1,
    .has_json = true,
    .run = run_list,
};

static int run_end(wpa_cli *cli, wpa_error *err)
{
    const wpa_actor *actor = wpa_cli_actor(cli, err);
    if (!actor || !wpa_session_revoke(wpa_cli_db(cli, err), actor, cli->operands[0], err)) {
        return WPA_CLI_FAILED;
    }
    wpa_cli_say(cli, "the session has ended, and its token with it");
    return WPA_EXIT_OK;
}

const wpa_cli_command wpa_cli_session_end = {
    .name = "session end",
    .operands = "ID",
    .summary = "end anybody's session: its token is refused everywhere at once",
    .min_operands = 1,
    .max_operands = 1,
    .run = run_end,
};
