#include <string.h>

#include <wpa/text.h>

#include "cli/commands.h"
#include "cli/work.h"

/* clang-format off */
static const wpa_cli_option options[] = {
    {"all", 'a', WPA_CLI_FLAG, NULL, "all workflows of the fleet"},
    {"dimension", 'd', WPA_CLI_TEXT, "NAME", "only security, performance, efficiency, compatibility or quality"},
    WPA_CLI_OPTION_WAIT,
    WPA_CLI_OPTION_TIMEOUT,
};
/* clang-format on */

static int analyse_all(wpa_cli *cli, wpa_engine *engine, const wpa_actor *actor,
                       const char *dimension, wpa_error *err)
{
    static const char *const kinds[] = {"scan", "analyse", NULL}; /* a scan brings analyses */
    if (!wpa_agent_analyze_workflow(engine, actor, 0, dimension, NULL, err)) {
        return WPA_CLI_FAILED;
    }
    if (wpa_cli_is_given(cli, "wait")) {
        int code = wpa_cli_wait_idle(cli, kinds, NULL, err);
        if (code == WPA_EXIT_OK) {
            wpa_cli_say(cli, "the fleet is analysed");
        }
        return code;
    }
    wpa_cli_say(cli, "the analysis of the fleet is queued (see wpa queue)");
    return WPA_EXIT_OK;
}

static int run(wpa_cli *cli, wpa_error *err)
{
    bool is_all = wpa_cli_is_given(cli, "all");
    const char *dimension = wpa_cli_text(cli, "dimension");
    if (is_all == (cli->n_operands > 0)) {
        WPA_FAIL(err, WPA_E_INVALID, "name workflows, or say --all");
        return WPA_CLI_FAILED;
    }
    const wpa_actor *actor = wpa_cli_actor(cli, err);
    wpa_engine *engine = actor ? wpa_cli_engine(cli, err) : NULL;
    if (!engine) {
        return WPA_CLI_FAILED;
    }
    if (is_all) {
        return analyse_all(cli, engine, actor, dimension, err);
    }
    int worst = WPA_EXIT_OK;
    for (size_t i = 0; i < cli->n_operands; i++) {
        wpa_workflow_ref workflow;
        int64_t job_id = 0;
        if (!wpa_cli_find_workflow(cli, cli->operands[i], &workflow, err) ||
            !wpa_agent_analyze_workflow(engine, actor, workflow.id, dimension, &job_id, err)) {
            return WPA_CLI_FAILED;
        }
        int code = wpa_cli_finish_job(cli, job_id, workflow.slash_name, err);
        if (code == WPA_CLI_FAILED) {
            return code;
        }
        worst = code > worst ? code : worst;
    }
    return worst;
}

const wpa_cli_command wpa_cli_analyse = {
    .name = "analyse",
    .operands = "WORKFLOW...",
    .summary = "order the analysis of workflows",
    .details =
        "A workflow is called ledger-api-ci, ledger-api/ci.yml or w-88. Exit status with --wait: 4 "
        "if one could not be analysed.",
    .options = options,
    .n_options = WPA_COUNT(options),
    .max_operands = WPA_CLI_MANY,
    .has_json = true,
    .run = run,
};
