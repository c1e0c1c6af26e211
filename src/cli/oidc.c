/* wpa oidc: the OpenID Connect provider that vouches for people. */
#include <string.h>

#include <wpa/text.h>

#include "cli/commands.h"
#include "cli/session.h"
#include "guardian/vouched.h"
#include "json/json.h"

/* clang-format off */
static const wpa_cli_option set_options[] = {
    {"client-id", 0, WPA_CLI_TEXT, "ID", "what wpa is called there"},
    {"client-secret-file", 0, WPA_CLI_TEXT, "FILE", "its secret (first line; - is standard input), if it is no public client"},
    {"audience", 0, WPA_CLI_TEXT, "NAME", "of access tokens that the REST API takes; without it, it takes none"},
    {"claim", 0, WPA_CLI_TEXT, "NAME", "claim with the guardian's name (default preferred_username; email must be verified)"},
    {"jwks", 0, WPA_CLI_TEXT, "URL|FILE", "where its keys are, if not where its discovery document says"},
};
/* clang-format on */

static bool read_settings(wpa_cli *cli, wpa_vouched_settings *settings, wpa_error *err)
{
    const char *path = wpa_cli_text(cli, "client-secret-file");
    *settings = (wpa_vouched_settings){
        .issuer = cli->operands[0],
        .client_id = wpa_cli_text(cli, "client-id"),
        .audience = wpa_cli_text(cli, "audience"),
        .claim = wpa_cli_text(cli, "claim"),
        .jwks = wpa_cli_text(cli, "jwks"),
    };
    if (path) {
        WPA_AUTO(wpa_secret) *secret = wpa_cli_ask_passphrase(cli, "", path, false, err);
        settings->client_secret =
            secret ? wpa_arena_text(cli->arena, (const char *)wpa_secret_bytes(secret)) : NULL;
        return secret != NULL;
    }
    return true;
}

static int run_set(wpa_cli *cli, wpa_error *err)
{
    wpa_vouched_settings settings;
    const wpa_actor *actor = wpa_cli_actor(cli, err);
    if (!actor || !read_settings(cli, &settings, err) ||
        !wpa_vouched_configure(wpa_cli_db(cli, err), actor, &settings, err)) {
        return WPA_CLI_FAILED;
    }
    wpa_cli_say(cli, "%s vouches for people from now on", settings.issuer);
    return WPA_EXIT_OK;
}

const wpa_cli_command wpa_cli_oidc_set = {
    .name = "oidc set",
    .operands = "ISSUER",
    .summary = "let an OpenID Connect provider vouch for people",
    .details = "ISSUER is the provider's name, an https URL below which its discovery document "
               "lies. People are told by the claim, whose value is the name of a guardian or "
               "viewer that exists; what he may do is wpa's to say. Which account of the provider "
               "is his is said by wpa oidc bind. Holds for every console, agent and server of this "
               "database, at once.",
    .options = set_options,
    .n_options = WPA_COUNT(set_options),
    .min_operands = 1,
    .max_operands = 1,
    .run = run_set,
};

static int run_show(wpa_cli *cli, wpa_error *err)
{
    wpa_vouched_settings settings;
    wpa_db *db = wpa_cli_reader(cli, err);
    if (!db || !wpa_vouched_read(db, cli->arena, &settings, err)) {
        return WPA_CLI_FAILED;
    }
    const struct {
        const char *key, *value;
    } rows[] = {
        {"issuer", settings.issuer},
        {"client_id", settings.client_id},
        {"audience", settings.audience},
        {"claim", settings.claim ? settings.claim : "preferred_username"},
        {"jwks", settings.jwks},
    };
    if (wpa_cli_wants_json(cli)) {
        wpa_json *object = wpa_json_new_object(cli->arena);
        for (size_t i = 0; i < WPA_COUNT(rows); i++) {
            wpa_json_set_text(object, rows[i].key, settings.issuer ? rows[i].value : NULL);
        }
        fprintf(cli->out, "%s\n", wpa_json_dump_pretty(object, cli->arena));
        return WPA_EXIT_OK;
    }
    if (!settings.issuer) {
        wpa_cli_say(cli, "no provider is set");
        return WPA_EXIT_OK;
    }
    for (size_t i = 0; i < WPA_COUNT(rows); i++) {
        const char *value = rows[i].value ? rows[i].value : "-";
        fprintf(cli->out, "%-10s %s\n", rows[i].key,
                wpa_text_visible(cli->arena, value, strlen(value), false));
    }
    return WPA_EXIT_OK;
}

const wpa_cli_command wpa_cli_oidc_show = {
    .name = "oidc show",
    .operands = "",
    .summary = "tell which provider vouches for people",
    .has_json = true,
    .run = run_show,
};

static int run_off(wpa_cli *cli, wpa_error *err)
{
    const wpa_vouched_settings none = {0};
    const wpa_actor *actor = wpa_cli_actor(cli, err);
    if (!actor || !wpa_vouched_configure(wpa_cli_db(cli, err), actor, &none, err)) {
        return WPA_CLI_FAILED;
    }
    wpa_cli_say(cli, "nobody but wpa itself vouches for people from now on");
    return WPA_EXIT_OK;
}

const wpa_cli_command wpa_cli_oidc_off = {
    .name = "oidc off",
    .operands = "",
    .summary = "take no provider's word any more; sessions that stand stay",
    .run = run_off,
};

static int run_bind(wpa_cli *cli, wpa_error *err)
{
    const char *name = cli->operands[0], *subject = cli->operands[1];
    const wpa_actor *actor = wpa_cli_actor(cli, err);
    if (!actor || !wpa_vouched_bind(wpa_cli_db(cli, err), actor, name, subject, err)) {
        return WPA_CLI_FAILED;
    }
    wpa_cli_say(cli, "the provider's account %s is '%s' from now on",
                wpa_text_visible(cli->arena, subject, strlen(subject), false), name);
    return WPA_EXIT_OK;
}

const wpa_cli_command wpa_cli_oidc_bind = {
    .name = "oidc bind",
    .operands = "NAME SUBJECT",
    .summary = "say which account of the provider a person has",
    .details = "SUBJECT is the account's sub claim, as the provider shows it; a sign-in that is "
               "refused for want of it tells it, too. Whoever has a passphrase or one-time codes "
               "is bound by a guardian alone; without either the first account that comes with "
               "the name is bound to it.",
    .min_operands = 2,
    .max_operands = 2,
    .run = run_bind,
};

static int run_unbind(wpa_cli *cli, wpa_error *err)
{
    const wpa_actor *actor = wpa_cli_actor(cli, err);
    if (!actor || !wpa_vouched_unbind(wpa_cli_db(cli, err), actor, cli->operands[0], err)) {
        return WPA_CLI_FAILED;
    }
    wpa_cli_say(cli, "'%s' has no account of a provider any more", cli->operands[0]);
    return WPA_EXIT_OK;
}

const wpa_cli_command wpa_cli_oidc_unbind = {
    .name = "oidc unbind",
    .operands = "NAME",
    .summary = "forget which account of the provider a person has, and end his sessions",
    .min_operands = 1,
    .max_operands = 1,
    .run = run_unbind,
};
