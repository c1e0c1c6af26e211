#include <inttypes.h>
#include <string.h>

#include <wpa/text.h>

#include "cli/commands.h"
#include "cli/work.h"
#include "gen/sql.h"
#include "json/json.h"

/* clang-format off */
static const wpa_cli_option options[] = {WPA_CLI_OPTION_LIMIT};

static const wpa_cli_column columns[] = {
    {"id", "ID", WPA_CLI_AS_ID, 'w'},
    {"workflow", "WORKFLOW", WPA_CLI_AS_TEXT, 0},
    {"score", "SCORE", WPA_CLI_AS_REAL, 0},
    {"grade", "GRADE", WPA_CLI_AS_TEXT, 0},
    {"security", "SEC", WPA_CLI_AS_REAL, 0},
    {"performance", "PERF", WPA_CLI_AS_REAL, 0},
    {"efficiency", "EFF", WPA_CLI_AS_REAL, 0},
    {"compatibility", "COMPAT", WPA_CLI_AS_REAL, 0},
    {"quality", "QUAL", WPA_CLI_AS_REAL, 0},
    {"run_history", "RUNS", WPA_CLI_AS_REAL, 0},
    {"open_findings", "OPEN", WPA_CLI_AS_INT, 0},
    {"cap_reason", "CAPPED BY", WPA_CLI_AS_TEXT, 0},
    {"computed_at", NULL, WPA_CLI_AS_TIME, 0},
};
/* clang-format on */

/* They have no score, and would be missed: why not, a line each. */
static int say_unread(wpa_cli *cli, wpa_error *err)
{
    const char *params[] = {NULL};
    WPA_AUTO(wpa_rows) *rows = wpa_cli_read(cli, WPA_SQL_CLI_UNREAD, params, 1, err);
    for (size_t i = 0; rows && i < wpa_rows_count(rows); i++) {
        const char *name = wpa_rows_text(rows, i, 1), *why = wpa_rows_text(rows, i, 2);
        fprintf(cli->err, "wpa: w-%s %s cannot be analysed: %s\n", wpa_rows_text(rows, i, 0),
                wpa_text_visible(cli->arena, name, strlen(name), false),
                wpa_text_visible(cli->arena, why, strlen(why), false));
    }
    return rows ? WPA_EXIT_OK : WPA_CLI_FAILED;
}

/* The one that was asked for has no score. */
static int fail_unscored(wpa_cli *cli, const char *id, wpa_error *err)
{
    const char *name = cli->operands[0], *params[] = {id};
    WPA_AUTO(wpa_rows) *rows = wpa_cli_read(cli, WPA_SQL_CLI_UNREAD, params, 1, err);
    if (rows && wpa_rows_count(rows)) {
        WPA_FAIL(err, WPA_E_NOT_FOUND, "'%s' cannot be analysed: %s", name,
                 wpa_rows_text(rows, 0, 2));
    } else if (rows) {
        WPA_FAIL(err, WPA_E_NOT_FOUND, "'%s' has not been analysed yet (wpa analyse %s --wait)",
                 name, name);
    }
    return WPA_CLI_FAILED;
}

static int run_health(wpa_cli *cli, wpa_error *err)
{
    char id[WPA_DB_NUMBER_SIZE], limit[WPA_DB_NUMBER_SIZE];
    const char *params[] = {NULL, wpa_cli_limit(cli, limit)};
    wpa_workflow_ref workflow;
    if (cli->n_operands > 0) {
        if (!wpa_cli_find_workflow(cli, cli->operands[0], &workflow, err)) {
            return WPA_CLI_FAILED;
        }
        params[0] = wpa_db_number(workflow.id, id);
    }
    WPA_AUTO(wpa_rows) *rows =
        wpa_cli_read(cli, WPA_SQL_CLI_HEALTH, params, WPA_COUNT(params), err);
    if (!rows) {
        return WPA_CLI_FAILED;
    }
    if (cli->n_operands > 0 && wpa_rows_count(rows) == 0) {
        return fail_unscored(cli, params[0], err);
    }
    wpa_cli_print_rows(cli, rows, columns, WPA_COUNT(columns), "no workflow has been analysed yet");
    return cli->n_operands > 0 ? WPA_EXIT_OK : say_unread(cli, err);
}

const wpa_cli_command wpa_cli_health = {
    .name = "health",
    .operands = "[WORKFLOW]",
    .summary = "list health scores, the worst first",
    .options = options,
    .n_options = WPA_COUNT(options),
    .max_operands = 1,
    .has_json = true,
    .run = run_health,
};

/* Lines of {"text", "points"}, most points first, with "finding" if one is behind it. */
static void print_explanation(wpa_cli *cli, const wpa_json *lines)
{
    for (size_t i = 0; i < wpa_json_count(lines); i++) {
        const wpa_json *line = wpa_json_at(lines, i);
        const char *text = wpa_json_text_of(wpa_json_find(line, "text"));
        text = text ? text : "";
        int64_t finding = wpa_json_int_of(wpa_json_find(line, "finding"), 0);
        fprintf(cli->out, "  %6.2f  %s", -wpa_json_real_of(wpa_json_find(line, "points"), 0),
                wpa_text_visible(cli->arena, text, strlen(text), false));
        if (finding) {
            fprintf(cli->out, "  f-%" PRId64, finding);
        }
        (void)fputc('\n', cli->out);
    }
}

static int run_explain(wpa_cli *cli, wpa_error *err)
{
    wpa_workflow_ref workflow;
    wpa_health health = {0};
    wpa_engine *engine = wpa_cli_engine(cli, err);
    if (!engine || !wpa_cli_find_workflow(cli, cli->operands[0], &workflow, err) ||
        !wpa_agent_get_workflow_health(engine, workflow.id, cli->arena, &health, err)) {
        return WPA_CLI_FAILED;
    }
    wpa_json *lines = wpa_json_parse(health.explanation, strlen(health.explanation),
                                     WPA_JSON_MAX_BYTES, cli->arena, err);
    if (!lines) {
        return WPA_CLI_FAILED;
    }
    if (wpa_cli_wants_json(cli)) {
        wpa_json *object = wpa_json_new_object(cli->arena);
        wpa_json_set_text(object, "workflow", workflow.slash_name);
        wpa_json_set_real(object, "score", health.total);
        wpa_json_set_real(object, "uncapped", health.uncapped);
        wpa_json_set_text(object, "grade", health.grade);
        wpa_json_set(object, "explanation", lines);
        fprintf(cli->out, "%s\n", wpa_json_dump_pretty(object, cli->arena));
        return WPA_EXIT_OK;
    }
    fprintf(cli->out, "%s  %.1f  %s", workflow.slash_name, health.total, health.grade);
    if (health.uncapped > health.total) {
        fprintf(cli->out, "  (%.1f without the cap: %s)", health.uncapped, health.cap_reason);
    }
    (void)fputc('\n', cli->out);
    print_explanation(cli, lines);
    return WPA_EXIT_OK;
}

const wpa_cli_command wpa_cli_score_explain = {
    .name = "score explain",
    .operands = "WORKFLOW",
    .summary = "tell line by line what a health score is made of",
    .min_operands = 1,
    .max_operands = 1,
    .has_json = true,
    .run = run_explain,
};
