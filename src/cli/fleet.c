#include <inttypes.h>
#include <string.h>

#include <wpa/clock.h>
#include <wpa/text.h>

#include "cli/commands.h"
#include "cli/work.h"
#include "gen/sql.h"
#include "git/git.h"
#include "json/json.h"

/* clang-format off */
static const wpa_cli_option add_options[] = {
    {"name", 0, WPA_CLI_TEXT, "NAME", "unique name (default: the last part of the path or URL)"},
    {"branch", 'b', WPA_CLI_TEXT, "BRANCH", "branch to watch and deploy to (default: the repository's own)"},
    WPA_CLI_OPTION_WAIT,
    WPA_CLI_OPTION_TIMEOUT,
};
static const wpa_cli_option wait_options[] = {WPA_CLI_OPTION_WAIT, WPA_CLI_OPTION_TIMEOUT};
/* clang-format on */

/* A scan finds workflows, and their analyses follow by themselves. */
static const char *const scan_kinds[] = {"scan", "analyse", NULL};

/* A queued scan that nobody does would be waited for in vain. */
static int say_who_works(wpa_cli *cli, wpa_error *err)
{
    wpa_db *db = wpa_cli_reader(cli, err);
    WPA_AUTO(wpa_rows) *rows = db ? wpa_db_exec(db, WPA_SQL_CLI_AGENTS_ALIVE, NULL, 0, err) : NULL;
    if (!rows) {
        return WPA_CLI_FAILED;
    }
    if (wpa_rows_int(rows, 0, 0) == 0) {
        wpa_cli_say(cli,
                    "no agent is running, scans wait for one (wpa agent, the console, --wait)");
    }
    return WPA_EXIT_OK;
}

/* name: the repository that was meant, or NULL for all. */
static int say_failed_scans(wpa_cli *cli, const char *name, wpa_error *err)
{
    wpa_repositories all = {0};
    wpa_db *db = wpa_cli_reader(cli, err);
    if (!db || !wpa_fleet_list(db, cli->arena, &all, err)) {
        return WPA_CLI_FAILED;
    }
    int code = WPA_EXIT_OK;
    for (size_t i = 0; i < all.n; i++) {
        const wpa_repository *item = &all.items[i];
        if (item->error && (!name || wpa_text_is(item->name, name))) {
            fprintf(cli->err, "wpa: %s cannot be scanned: %s\n", item->name,
                    wpa_text_visible(cli->arena, item->error, strlen(item->error), false));
            code = WPA_EXIT_INCONCLUSIVE;
        }
    }
    return code;
}

static int finish(wpa_cli *cli, const char *name, wpa_error *err)
{
    if (!wpa_cli_is_given(cli, "wait")) {
        return say_who_works(cli, err);
    }
    int given_up = wpa_cli_wait_idle(cli, scan_kinds, name, err);
    int code = given_up == WPA_CLI_FAILED ? given_up : say_failed_scans(cli, name, err);
    return code == WPA_EXIT_OK ? given_up : code;
}

static int run_add(wpa_cli *cli, wpa_error *err)
{
    wpa_repository declared;
    int64_t id = 0;
    const wpa_actor *actor = wpa_cli_actor(cli, err);
    if (!actor ||
        !wpa_fleet_declare(wpa_cli_text(cli, "name"), cli->operands[0], wpa_cli_text(cli, "branch"),
                           cli->arena, &declared, err) ||
        !wpa_fleet_add(wpa_cli_db(cli, err), actor, &declared, &id, err)) {
        return WPA_CLI_FAILED;
    }
    wpa_cli_answer(cli, "id", id, "added '%s'; its scan is queued", declared.name);
    return finish(cli, declared.name, err);
}

const wpa_cli_command wpa_cli_fleet_add = {
    .name = "fleet add",
    .operands = "PATH|URL",
    .summary = "add a repository to the fleet and scan it",
    .details =
        "A path of this host, or any URL that libgit2 reads. What wpa should know beyond "
        "that (owner, labels, criticality, test command, health checks, rollout) stands in "
        "a fleet.yml: see wpa fleet import. Exit status with --wait: 5 if it cannot be scanned, "
        "4 if one of its workflows cannot be analysed.",
    .options = add_options,
    .n_options = WPA_COUNT(add_options),
    .min_operands = 1,
    .max_operands = 1,
    .has_json = true,
    .run = run_add,
};

static void set_optional(wpa_json *object, const char *key, const char *text)
{
    if (text && *text) {
        wpa_json_set_text(object, key, text);
    } else {
        wpa_json_set_null(object, key);
    }
}

static void print_json(wpa_cli *cli, const wpa_repositories *all)
{
    wpa_json *list = wpa_json_new_array(cli->arena);
    for (size_t i = 0; i < all->n; i++) {
        const wpa_repository *item = &all->items[i];
        wpa_json *object = wpa_json_push_object(list);
        char time[WPA_TIMESTAMP_SIZE];
        wpa_json_set_int(object, "id", item->id);
        wpa_json_set_text(object, "name", item->name);
        wpa_json_set_text(object, "url", wpa_git_url_visible(cli->arena, item->url));
        wpa_json_set_text(object, "branch", item->branch);
        set_optional(object, "owner", item->owner);
        wpa_json_set_int(object, "criticality", item->criticality);
        wpa_json_set_text(object, "state", item->state);
        set_optional(object, "error", item->error);
        set_optional(object, "head", item->head);
        set_optional(object, "scanned_at",
                     item->scanned_at_us ? wpa_timestamp_format(item->scanned_at_us, time) : NULL);
        wpa_json_set_int(object, "workflows", item->n_workflows);
    }
    fprintf(cli->out, "%s\n", wpa_json_dump_pretty(list, cli->arena));
}

static int run_list(wpa_cli *cli, wpa_error *err)
{
    wpa_repositories all = {0};
    wpa_db *db = wpa_cli_reader(cli, err);
    if (!db || !wpa_fleet_list(db, cli->arena, &all, err)) {
        return WPA_CLI_FAILED;
    }
    if (wpa_cli_wants_json(cli)) {
        print_json(cli, &all);
        return WPA_EXIT_OK;
    }
    if (all.n == 0) {
        wpa_cli_say(cli, "no repository yet (wpa fleet add PATH, wpa fleet import fleet.yml)");
        return WPA_EXIT_OK;
    }
    int width = 10;
    for (size_t i = 0; i < all.n; i++) {
        int length = (int)strlen(all.items[i].name);
        width = length > width ? length : width;
    }
    fprintf(cli->out, "%-*s  %-10s  %-7s  %9s  %s\n", width, "NAME", "BRANCH", "STATE", "WORKFLOWS",
            "URL");
    for (size_t i = 0; i < all.n; i++) {
        const wpa_repository *item = &all.items[i];
        const char *what = item->error ? item->error : wpa_git_url_visible(cli->arena, item->url);
        fprintf(cli->out, "%-*s  %-10s  %-7s  %9" PRId64 "  %s\n", width, item->name,
                wpa_text_visible(cli->arena, item->branch, strlen(item->branch), false),
                item->state, item->n_workflows,
                wpa_text_visible(cli->arena, what, strlen(what), false));
    }
    return WPA_EXIT_OK;
}

const wpa_cli_command wpa_cli_fleet_list = {
    .name = "fleet list",
    .operands = "",
    .summary = "list the repositories of the fleet",
    .has_json = true,
    .run = run_list,
};

static int run_remove(wpa_cli *cli, wpa_error *err)
{
    const wpa_actor *actor = wpa_cli_actor(cli, err);
    if (!actor || !wpa_fleet_remove(wpa_cli_db(cli, err), actor, cli->operands[0], err)) {
        return WPA_CLI_FAILED;
    }
    wpa_cli_say(cli, "removed '%s'; its history stays", cli->operands[0]);
    return WPA_EXIT_OK;
}

const wpa_cli_command wpa_cli_fleet_remove = {
    .name = "fleet remove",
    .operands = "NAME",
    .summary = "take a repository out of the fleet; its history stays",
    .min_operands = 1,
    .max_operands = 1,
    .run = run_remove,
};

static int run_import(wpa_cli *cli, wpa_error *err)
{
    wpa_repositories all = {0};
    wpa_fleet_import result;
    const wpa_actor *actor = wpa_cli_actor(cli, err);
    if (!actor || !wpa_fleet_read(cli->operands[0], cli->arena, &all, err) ||
        !wpa_fleet_store(wpa_cli_db(cli, err), actor, &all, &result, err)) {
        return WPA_CLI_FAILED;
    }
    wpa_cli_say(cli, "%zu added, %zu changed, %zu as before%s", result.n_added, result.n_changed,
                result.n_unchanged, wpa_cli_is_given(cli, "wait") ? "" : "; scans are queued");
    return finish(cli, NULL, err);
}

const wpa_cli_command wpa_cli_fleet_import = {
    .name = "fleet import",
    .operands = "FLEET.YML",
    .summary = "add or change the repositories that a file declares, all or none",
    .options = wait_options,
    .n_options = WPA_COUNT(wait_options),
    .min_operands = 1,
    .max_operands = 1,
    .run = run_import,
};

static int run_scan(wpa_cli *cli, wpa_error *err)
{
    size_t n = 0;
    const char *name = cli->n_operands ? cli->operands[0] : NULL;
    const wpa_actor *actor = wpa_cli_actor(cli, err);
    wpa_engine *engine = actor ? wpa_cli_engine(cli, err) : NULL;
    if (!engine || !wpa_agent_scan(engine, actor, name, &n, err)) {
        return WPA_CLI_FAILED;
    }
    wpa_cli_answer(cli, "scans", (int64_t)n, "%zu scan%s queued", n, n == 1 ? "" : "s");
    return finish(cli, name, err);
}

const wpa_cli_command wpa_cli_fleet_scan = {
    .name = "fleet scan",
    .operands = "[NAME]",
    .summary = "look for workflows at the heads of the branches, and analyse what has changed",
    .options = wait_options,
    .n_options = WPA_COUNT(wait_options),
    .max_operands = 1,
    .has_json = true,
    .run = run_scan,
};
