#include "guardian/guardian.h"

#include <string.h>

#include "cli/commands.h"
#include "cli/session.h"
#include "cli/work.h"
#include "gen/sql.h"

/* clang-format off */
static const wpa_cli_option add_options[] = {
    {"role", 0, WPA_CLI_TEXT, "ROLE", "guardian (the default) or viewer"},
    WPA_CLI_OPTION_PASSPHRASE,
};
static const wpa_cli_option passphrase_options[] = {
    {"old-passphrase-file", 0, WPA_CLI_TEXT, "FILE", "read one's own old passphrase from a file's first line (-: standard input)"},
    WPA_CLI_OPTION_PASSPHRASE,
};

static const wpa_cli_column columns[] = {
    {"id", NULL, WPA_CLI_AS_ID, 0},
    {"name", "NAME", WPA_CLI_AS_TEXT, 0},
    {"role", "ROLE", WPA_CLI_AS_TEXT, 0},
    {"active", "ACTIVE", WPA_CLI_AS_BOOL, 0},
    {"created_at", "ADDED", WPA_CLI_AS_TIME, 0},
    {"last_sign_in_at", "LAST SIGN-IN", WPA_CLI_AS_TIME, 0},
    {"sessions", "SESSIONS", WPA_CLI_AS_INT, 0},
    {"one_time_code", "CODE", WPA_CLI_AS_BOOL, 0},
};
/* clang-format on */

static int run_list(wpa_cli *cli, wpa_error *err)
{
    WPA_AUTO(wpa_rows) *rows = wpa_cli_read(cli, WPA_SQL_GUARDIAN_LIST, NULL, 0, err);
    if (!rows) {
        return WPA_CLI_FAILED;
    }
    wpa_cli_print_rows(cli, rows, columns, WPA_COUNT(columns), "nobody");
    return WPA_EXIT_OK;
}

const wpa_cli_command wpa_cli_guardian_list = {
    .name = "guardian list",
    .operands = "",
    .summary = "list the guardians, viewers and agents",
    .has_json = true,
    .run = run_list,
};

/* Who adds: a guardian, or nobody when there is none yet. */
static bool add(wpa_cli *cli, const char *name, wpa_role role, const wpa_secret *passphrase,
                wpa_error *err)
{
    wpa_db *db = wpa_cli_db(cli, err);
    bool exists = true;
    if (!db || !wpa_guardian_exists(db, &exists, err)) {
        return false;
    }
    if (!exists && role == WPA_ROLE_GUARDIAN) {
        wpa_actor where = wpa_cli_where();
        return wpa_guardian_create_first(db, &where, name, passphrase, err);
    }
    const wpa_actor *actor = wpa_cli_actor(cli, err);
    return actor && wpa_guardian_add(db, actor, name, role, passphrase, err);
}

static int run_add(wpa_cli *cli, wpa_error *err)
{
    const char *name = cli->operands[0];
    const char *role_name = wpa_cli_text(cli, "role");
    wpa_role role = WPA_ROLE_GUARDIAN;
    if ((role_name && !wpa_role_parse(role_name, &role, err)) ||
        !wpa_guardian_check_name(name, err)) {
        return WPA_CLI_FAILED;
    }
    WPA_AUTO(wpa_secret) *passphrase = wpa_cli_ask_passphrase(
        cli, "new passphrase: ", wpa_cli_text(cli, "passphrase-file"), true, err);
    if (!passphrase || !add(cli, name, role, passphrase, err)) {
        return WPA_CLI_FAILED;
    }
    wpa_cli_say(cli, "added %s '%s'", wpa_role_name(role), name);
    return WPA_EXIT_OK;
}

const wpa_cli_command wpa_cli_guardian_add = {
    .name = "guardian add",
    .operands = "NAME",
    .summary = "add a guardian or viewer",
    .details = "The first guardian of a database can be added by whoever can reach it; every "
               "further one by a guardian who has signed in (wpa login). The passphrase is asked "
               "for without echo and never taken from the command line.",
    .options = add_options,
    .n_options = WPA_COUNT(add_options),
    .min_operands = 1,
    .max_operands = 1,
    .run = run_add,
};

static int set_active(wpa_cli *cli, bool is_active, wpa_error *err)
{
    const char *name = cli->operands[0];
    const wpa_actor *actor = wpa_cli_actor(cli, err);
    if (!actor || !wpa_guardian_set_active(wpa_cli_db(cli, err), actor, name, is_active, err)) {
        return WPA_CLI_FAILED;
    }
    wpa_cli_say(cli, "'%s' is %s", name,
                is_active ? "enabled" : "disabled; all sessions have ended");
    return WPA_EXIT_OK;
}

static int run_disable(wpa_cli *cli, wpa_error *err)
{
    return set_active(cli, false, err);
}

static int run_enable(wpa_cli *cli, wpa_error *err)
{
    return set_active(cli, true, err);
}

const wpa_cli_command wpa_cli_guardian_disable = {
    .name = "guardian disable",
    .operands = "NAME",
    .summary = "forbid a person to sign in, and end all sessions of his",
    .details = "His approvals stop counting at once. Disabling 'viewer' forbids looking without "
               "signing in.",
    .min_operands = 1,
    .max_operands = 1,
    .run = run_disable,
};

const wpa_cli_command wpa_cli_guardian_enable = {
    .name = "guardian enable",
    .operands = "NAME",
    .summary = "let a disabled person sign in again",
    .min_operands = 1,
    .max_operands = 1,
    .run = run_enable,
};

static int run_passwd(wpa_cli *cli, wpa_error *err)
{
    const wpa_session *session = wpa_cli_session_get(cli, err);
    if (!session) {
        return WPA_CLI_FAILED;
    }
    const char *name = cli->n_operands ? cli->operands[0] : session->actor.name;
    bool is_own = wpa_guardian_is_self(&session->actor, name);
    WPA_AUTO(wpa_secret) *old =
        is_own ? wpa_cli_ask_passphrase(
                     cli, "old passphrase: ", wpa_cli_text(cli, "old-passphrase-file"), false, err)
               : NULL;
    WPA_AUTO(wpa_secret) *passphrase =
        is_own && !old
            ? NULL
            : wpa_cli_ask_passphrase(cli, "new passphrase: ", wpa_cli_text(cli, "passphrase-file"),
                                     true, err);
    if (!passphrase || !wpa_guardian_set_passphrase(wpa_cli_db(cli, err), &session->actor, name,
                                                    old, passphrase, session->jti, err)) {
        return WPA_CLI_FAILED;
    }
    wpa_cli_say(cli, "'%s' has a new passphrase; the other sessions have ended", name);
    return WPA_EXIT_OK;
}

const wpa_cli_command wpa_cli_guardian_passwd = {
    .name = "guardian passwd",
    .operands = "[NAME]",
    .summary = "give oneself, or as guardian somebody else, a new passphrase",
    .details = "One's own is changed by the old one, so that a terminal that was left open is not "
               "enough. With both files standard input, the old one is its first line.",
    .options = passphrase_options,
    .n_options = WPA_COUNT(passphrase_options),
    .max_operands = 1,
    .run = run_passwd,
};
