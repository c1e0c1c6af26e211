#include <inttypes.h>
#include <string.h>

#include <wpa/clock.h>
#include <wpa/text.h>

#include "cli/commands.h"
#include "cli/work.h"
#include "deploy/deploy.h"

static void print_text(wpa_cli *cli, const wpa_json *value)
{
    const char *text = wpa_json_text_of(value);
    wpa_cli_print_visible(cli, text ? text : "", false);
}

/* "ledger-api main  .github/workflows/ci.yml  checks rescore, service" */
static void print_target(wpa_cli *cli, const wpa_json *target)
{
    const wpa_json *paths = wpa_json_find(target, "paths");
    const wpa_json *checks = wpa_json_find(target, "checks");
    (void)fputs("    ", cli->out);
    print_text(cli, wpa_json_find(target, "repository"));
    (void)fputs("  ", cli->out);
    print_text(cli, wpa_json_find(target, "ref"));
    for (size_t i = 0; i < wpa_json_count(paths); i++) {
        (void)fputs("  ", cli->out);
        print_text(cli, wpa_json_at(paths, i));
    }
    (void)fputs(wpa_json_count(checks) ? "  checks:" : "  no checks", cli->out);
    for (size_t i = 0; i < wpa_json_count(checks); i++) {
        (void)fputs(i ? ", " : " ", cli->out);
        print_text(cli, wpa_json_find(wpa_json_at(checks, i), "name"));
    }
    (void)fputc('\n', cli->out);
}

static void print_plan(wpa_cli *cli, int64_t patch_id, const wpa_json *plan, const char *digest)
{
    const wpa_json *stages = wpa_json_find(plan, "stages");
    fprintf(cli->out, "plan for p-%" PRId64 ": ", patch_id);
    print_text(cli, wpa_json_find(plan, "strategy"));
    fprintf(cli->out, ", %" PRId64 " target%s, %zu stage%s\n",
            wpa_json_int_of(wpa_json_find(plan, "n_targets"), 0),
            wpa_json_int_of(wpa_json_find(plan, "n_targets"), 0) == 1 ? "" : "s",
            wpa_json_count(stages), wpa_json_count(stages) == 1 ? "" : "s");
    for (size_t i = 0; i < wpa_json_count(stages); i++) {
        const wpa_json *stage = wpa_json_at(stages, i);
        const wpa_json *targets = wpa_json_find(stage, "targets");
        char bake[WPA_TIMESTAMP_SIZE];
        fprintf(cli->out, "  stage %" PRId64 "  ", wpa_json_int_of(wpa_json_find(stage, "n"), 0));
        print_text(cli, wpa_json_find(stage, "name"));
        fprintf(cli->out, "  to %.0f %%, bakes %s\n",
                wpa_json_real_of(wpa_json_find(stage, "percent"), 0),
                wpa_duration_format(wpa_json_int_of(wpa_json_find(stage, "bake_ms"), 0), bake));
        for (size_t k = 0; k < wpa_json_count(targets); k++) {
            print_target(cli, wpa_json_at(targets, k));
        }
    }
    fprintf(cli->out, "plan digest  %s\n", digest);
}

static int run(wpa_cli *cli, wpa_error *err)
{
    int64_t id = 0;
    char digest[65];
    wpa_db *db = wpa_cli_reader(cli, err);
    if (!db || !wpa_cli_parse_id(cli->operands[0], 'p', &id, err)) {
        return WPA_CLI_FAILED;
    }
    const wpa_json *plan = wpa_deploy_plan(db, id, cli->arena, digest, err);
    if (!plan) {
        return WPA_CLI_FAILED;
    }
    if (wpa_cli_wants_json(cli)) {
        wpa_json *object = wpa_json_new_object(cli->arena);
        wpa_json_set_int(object, "patch", id);
        wpa_json_set_text(object, "plan_digest", digest);
        wpa_json_set(object, "plan", wpa_json_dup(plan, cli->arena));
        fprintf(cli->out, "%s\n", wpa_json_dump_pretty(object, cli->arena));
    } else {
        print_plan(cli, id, plan, digest);
    }
    return WPA_EXIT_OK;
}

const wpa_cli_command wpa_cli_deploy_plan = {
    .name = "deploy plan",
    .operands = "P-ID",
    .summary = "show what the deployment of a patch would do: stages, targets, bake times, checks",
    .details = "Changes nothing. The digest, given to wpa deploy start --plan-digest, makes sure "
               "that what is started is what was shown.",
    .min_operands = 1,
    .max_operands = 1,
    .has_json = true,
    .run = run,
};
