#include <inttypes.h>

#include "cli/commands.h"
#include "cli/work.h"
#include "gen/sql.h"

/* clang-format off */
static const wpa_cli_option create_options[] = {
    {"workflow", 0, WPA_CLI_TEXT, "NAME", "all open findings of this workflow that have a fix"},
    {"rule", 0, WPA_CLI_TEXT, "ID", "all open findings of this rule that have a fix"},
    {"name", 0, WPA_CLI_TEXT, "NAME", "name of the patch (default: made from the rules it answers)"},
    WPA_CLI_OPTION_WAIT,
    WPA_CLI_OPTION_TIMEOUT,
};
/* clang-format on */

/* Findings named, or all fixable ones of a workflow, a rule, or both. */
static int64_t *choose_findings(wpa_cli *cli, size_t *n, wpa_error *err)
{
    char id[WPA_DB_NUMBER_SIZE];
    const char *name = wpa_cli_text(cli, "workflow");
    const char *params[] = {NULL, wpa_cli_text(cli, "rule")};
    wpa_workflow_ref workflow;
    if ((cli->n_operands > 0) == (name || params[1])) {
        WPA_FAIL(err, WPA_E_INVALID, "name findings, or say --workflow NAME, --rule ID, or both");
        return NULL;
    }
    if (cli->n_operands > 0) {
        return wpa_cli_parse_ids(cli, 0, 'f', n, err);
    }
    if (name && !wpa_cli_find_workflow(cli, name, &workflow, err)) {
        return NULL;
    }
    if (name) {
        params[0] = wpa_db_number(workflow.id, id);
    }
    WPA_AUTO(wpa_rows) *rows =
        wpa_cli_read(cli, WPA_SQL_CLI_FIXABLE, params, WPA_COUNT(params), err);
    if (!rows) {
        return NULL;
    }
    *n = wpa_rows_count(rows);
    if (*n == 0) {
        WPA_FAIL(err, WPA_E_NOT_FOUND,
                 "no open finding of that kind has a fix that is in no patch yet");
        return NULL;
    }
    int64_t *ids = wpa_arena_array(cli->arena, *n, sizeof *ids);
    for (size_t i = 0; i < *n; i++) {
        ids[i] = wpa_rows_int(rows, i, 0);
    }
    return ids;
}

static int run_create(wpa_cli *cli, wpa_error *err)
{
    size_t n = 0, n_answered = 0;
    int64_t id = 0;
    const wpa_actor *actor = wpa_cli_actor(cli, err);
    wpa_engine *engine = actor ? wpa_cli_engine(cli, err) : NULL;
    int64_t *ids = engine ? choose_findings(cli, &n, err) : NULL;
    if (!ids || !wpa_agent_create_patch(engine, actor, ids, n, wpa_cli_text(cli, "name"), &id,
                                        &n_answered, err)) {
        return WPA_CLI_FAILED;
    }
    if (wpa_cli_is_given(cli, "wait")) {
        wpa_cli_say(cli, "p-%" PRId64 " answers %zu of %zu findings", id, n_answered, n);
        return wpa_cli_wait_for_test(cli, id, err);
    }
    wpa_cli_answer(cli, "id", id, "p-%" PRId64 " answers %zu of %zu findings; its test is queued",
                   id, n_answered, n);
    return WPA_EXIT_OK;
}

const wpa_cli_command wpa_cli_patch_create = {
    .name = "patch create",
    .operands = "[F-ID...]",
    .summary = "make a patch out of the fixes of findings, and order its test",
    .details = "Exit status with --wait: 0 tested, 4 the test failed, 5 it could not be done.",
    .options = create_options,
    .n_options = WPA_COUNT(create_options),
    .max_operands = WPA_CLI_MANY,
    .has_json = true,
    .run = run_create,
};
