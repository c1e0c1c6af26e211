#include <wpa/text.h>

#include "cli/commands.h"
#include "cli/session.h"
#include "cli/work.h"
#include "db/source.h"

/* clang-format off */
static const wpa_cli_option options[] = {
    {"workers", 0, WPA_CLI_INT, "N", "jobs done at the same time (default: as many as cores, at most 8)"},
    {"name", 0, WPA_CLI_TEXT, "NAME", "name in wpa agents (default: the host's)"},
};
/* clang-format on */

static void tell_progress(void *context, const char *step)
{
    wpa_cli *cli = context;
    wpa_log_write(cli->log, WPA_LOG_INFO, "agent", "%s", step);
}

/* Until told to stop; then the jobs at hand come to their next safe point. */
static int run(wpa_cli *cli, wpa_error *err)
{
    wpa_db_source source;
    const char *state = wpa_cli_state(cli, err);
    if (!state || !wpa_db_source_find(wpa_cli_text(cli, "db"), cli->arena, &source, err)) {
        return WPA_CLI_FAILED;
    }
    wpa_engine_options engine_options = {
        .dsn = source.dsn,
        .state_folder = state,
        .n_workers = (int)wpa_cli_int(cli, "workers", -1),
        .name = wpa_cli_text(cli, "name"),
        .log = cli->log,
        .progress = tell_progress,
        .context = cli,
    };
    if (wpa_cli_is_given(cli, "workers") &&
        (engine_options.n_workers < 1 || wpa_cli_int(cli, "workers", 1) > 64)) {
        WPA_FAIL(err, WPA_E_INVALID, "--workers: between 1 and 64");
        return WPA_CLI_FAILED;
    }
    wpa_cli_signal_fd(cli);
    WPA_AUTO(wpa_engine) *engine = wpa_engine_open(&engine_options, err);
    if (!engine) {
        wpa_error_within(err, "open the database (%s)", source.origin);
        return WPA_CLI_FAILED;
    }
    wpa_cli_say(cli, "agent is working (database: %s)", source.origin);
    (void)fflush(cli->out);
    while (wpa_cli_pause(cli, INT32_MAX)) {
    }
    wpa_cli_say(cli, "agent stops");
    (void)fflush(cli->out);
    return WPA_EXIT_OK;
}

const wpa_cli_command wpa_cli_agent = {
    .name = "agent",
    .operands = "",
    .summary = "work without a screen, until stopped",
    .details = "Claims jobs from the database beside all other agents and consoles. SIGTERM lets "
               "the jobs at hand come to a safe point and gives them back.",
    .options = options,
    .n_options = WPA_COUNT(options),
    .run = run,
};
