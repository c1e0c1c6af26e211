#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include <wpa/clock.h>
#include <wpa/file.h>
#include <wpa/text.h>

#include "cli/commands.h"
#include "cli/session.h"
#include "cli/work.h"
#include "guardian/vouched.h"
#include "json/json.h"

/* clang-format off */
static const wpa_cli_option login_options[] = {
    WPA_CLI_OPTION_PASSPHRASE,
    {"code", 0, WPA_CLI_TEXT, "CODE", "one-time or recovery code; asked for where one is switched on"},
    {"oidc", 0, WPA_CLI_FLAG, NULL, "sign in with a browser elsewhere (OpenID Connect, see wpa oidc set)"},
    {"print", 0, WPA_CLI_FLAG, NULL, "print the token for WPA_TOKEN instead of keeping it"},
};
/* clang-format on */

static const char *account_name(wpa_arena *arena)
{
    char text[4096];
    struct passwd entry, *found = NULL;
    if (getpwuid_r(getuid(), &entry, text, sizeof text, &found) != 0 || !found) {
        return "";
    }
    return wpa_arena_text(arena, found->pw_name);
}

/* ---- by passphrase ------------------------------------------------------------------------------
 */

static bool sign_in_by_passphrase(wpa_cli *cli, wpa_db *db, const char *name, wpa_session *session,
                                  wpa_error *err)
{
    const char *file = wpa_cli_text(cli, "passphrase-file"), *code = wpa_cli_text(cli, "code");
    wpa_actor where = wpa_cli_where();
    WPA_AUTO(wpa_secret) *passphrase = wpa_cli_ask_passphrase(
        cli, wpa_arena_printf(cli->arena, "passphrase of %s: ", name), file, false, err);
    if (!passphrase || wpa_session_sign_in(db, &where, name, passphrase, wpa_cli_codes_key(cli),
                                           code, "cli", session, err)) {
        return passphrase != NULL;
    }
    if (!session->needs_code || code || file) {
        return false; /* a script says it by --code */
    }
    wpa_error_clear(err);
    WPA_AUTO(wpa_secret) *typed = wpa_cli_ask_passphrase(cli, "one-time code: ", NULL, false, err);
    return typed && wpa_session_sign_in(db, &where, name, passphrase, wpa_cli_codes_key(cli),
                                        (const char *)wpa_secret_bytes(typed), "cli", session, err);
}

/* ---- by a browser elsewhere ---------------------------------------------------------------------
 */

static void show_code(wpa_cli *cli, const wpa_device_flow *flow)
{
    (void)fprintf(cli->err, "Open %s and type the code %s\n", flow->url, flow->user_code);
    if (flow->whole_url) {
        (void)fprintf(cli->err, "or open %s\n", flow->whole_url);
    }
    (void)fflush(cli->err);
}

/* The ID token, once somebody has said yes in the browser; NULL otherwise. */
static const char *wait_for_browser(wpa_cli *cli, wpa_issuer *issuer, wpa_device_flow *flow,
                                    wpa_error *err)
{
    const char *id_token = NULL;
    while (wpa_cli_pause(cli, flow->interval_ms)) {
        switch (wpa_device_poll(issuer, flow, cli->arena, &id_token, err)) {
        case WPA_DEVICE_PENDING:
            break;
        case WPA_DEVICE_DONE:
            return id_token;
        case WPA_DEVICE_FAILED:
            return NULL;
        }
    }
    (void)WPA_FAIL(err, WPA_E_CANCELLED, "stopped before anybody had signed in");
    return NULL;
}

static bool sign_in_by_browser(wpa_cli *cli, wpa_db *db, wpa_session *session, wpa_error *err)
{
    wpa_vouched_settings settings;
    wpa_device_flow flow;
    wpa_actor where = wpa_cli_where();
    if (!wpa_vouched_read_all(db, cli->arena, &settings, err)) {
        return false;
    }
    WPA_AUTO(wpa_issuer) *issuer = wpa_vouched_issuer(&settings, cli->log, err);
    if (!issuer || !wpa_device_begin(issuer, cli->arena, &flow, err)) {
        return false;
    }
    show_code(cli, &flow);
    const char *id_token = wait_for_browser(cli, issuer, &flow, err);
    return id_token && wpa_vouched_sign_in(db, issuer, id_token, flow.nonce, &where, "cli",
                                           cli->log, session, err);
}

static int run_login(wpa_cli *cli, wpa_error *err)
{
    const char *name = cli->n_operands ? cli->operands[0] : account_name(cli->arena);
    wpa_db *db = wpa_cli_db(cli, err);
    const wpa_token_keys *keys = db ? wpa_cli_token_keys(cli, err) : NULL;
    const char *path = keys ? wpa_cli_token_path(cli, err) : NULL;
    wpa_session session;
    bool is_in = path && (wpa_cli_is_given(cli, "oidc")
                              ? sign_in_by_browser(cli, db, &session, err)
                              : sign_in_by_passphrase(cli, db, name, &session, err));
    if (!is_in) {
        return WPA_CLI_FAILED;
    }
    char *token = wpa_session_token(keys, &session, cli->arena, err);
    if (!token) {
        return WPA_CLI_FAILED;
    }
    if (wpa_cli_is_given(cli, "print")) {
        fprintf(cli->out, "%s\n", token);
        return WPA_EXIT_OK;
    }
    if (!wpa_file_replace(path, token, strlen(token), 0600, err)) {
        return WPA_CLI_FAILED;
    }
    char until[WPA_TIMESTAMP_SIZE];
    wpa_cli_say(cli, "signed in as %s (%s) until %.16sZ", session.actor.name,
                wpa_role_name(session.actor.role),
                wpa_timestamp_format(session.expires_at_us, until));
    return WPA_EXIT_OK;
}

const wpa_cli_command wpa_cli_login = {
    .name = "login",
    .operands = "[NAME]",
    .summary = "sign in for the commands of this account",
    .details = "NAME is the account's name if left out. The token is kept in the state folder, "
               "readable by this account alone, and is good for twelve hours. The console asks "
               "by itself and does not use it.\n\n"
               "With --oidc a browser on any device does the rest: it is told an address and a "
               "code, and the name comes from the provider.",
    .options = login_options,
    .n_options = WPA_COUNT(login_options),
    .max_operands = 1,
    .run = run_login,
};

static int run_logout(wpa_cli *cli, wpa_error *err)
{
    const char *path = wpa_cli_token_path(cli, err);
    const wpa_session *session = path ? wpa_cli_session_get(cli, err) : NULL;
    bool is_ended = session && wpa_session_end(wpa_cli_db(cli, err), session, err);
    if (!path || (!is_ended && err->code != WPA_E_DENIED)) {
        return WPA_CLI_FAILED;
    }
    if (unlink(path) != 0 && errno != ENOENT) {
        wpa_error_clear(err);
        WPA_FAIL(err, WPA_E_IO, "cannot remove '%s': %s", path, wpa_strerror(errno));
        return WPA_CLI_FAILED;
    }
    wpa_cli_say(cli, is_ended ? "signed out" : "nobody was signed in");
    return WPA_EXIT_OK;
}

const wpa_cli_command wpa_cli_logout = {
    .name = "logout",
    .operands = "",
    .summary = "end the session of wpa login, everywhere",
    .run = run_logout,
};

static int run_whoami(wpa_cli *cli, wpa_error *err)
{
    const wpa_session *session = wpa_cli_session_get(cli, err);
    char until[WPA_TIMESTAMP_SIZE];
    if (!session) {
        return WPA_CLI_FAILED;
    }
    wpa_timestamp_format(session->expires_at_us, until);
    if (wpa_cli_wants_json(cli)) {
        wpa_json *object = wpa_json_new_object(cli->arena);
        wpa_json_set_text(object, "name", session->actor.name);
        wpa_json_set_text(object, "role", wpa_role_name(session->actor.role));
        wpa_json_set_text(object, "session", session->jti);
        wpa_json_set_text(object, "expires_at", until);
        fprintf(cli->out, "%s\n", wpa_json_dump_pretty(object, cli->arena));
        return WPA_EXIT_OK;
    }
    fprintf(cli->out, "%s (%s) until %.16sZ\n", session->actor.name,
            wpa_role_name(session->actor.role), until);
    return WPA_EXIT_OK;
}

const wpa_cli_command wpa_cli_whoami = {
    .name = "whoami",
    .operands = "",
    .summary = "tell who has signed in",
    .has_json = true,
    .run = run_whoami,
};
