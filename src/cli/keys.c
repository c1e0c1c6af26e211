/* wpa keys: the keys that sign sessions. */
#include <wpa/clock.h>
#include <wpa/file.h>
#include <wpa/text.h>

#include "audit/audit.h"
#include "auth/seal.h"
#include "cli/commands.h"
#include "cli/session.h"
#include "json/json.h"

static int run_list(wpa_cli *cli, wpa_error *err)
{
    size_t n = 0;
    const wpa_token_keys *keys = wpa_cli_token_keys(cli, err);
    if (!keys) {
        return WPA_CLI_FAILED;
    }
    const wpa_token_key_info *items = wpa_token_keys_list(keys, cli->arena, &n);
    wpa_json *list = wpa_json_new_array(cli->arena);
    for (size_t i = 0; i < n; i++) {
        char until[WPA_TIMESTAMP_SIZE] = "";
        if (items[i].until_s) {
            (void)wpa_timestamp_format(items[i].until_s * 1000000, until);
        }
        wpa_json *object = wpa_json_push_object(list);
        wpa_json_set_text(object, "kid", items[i].kid);
        wpa_json_set_bool(object, "signs", items[i].is_signing);
        wpa_json_set_text(object, "until", items[i].until_s ? until : NULL);
        if (!wpa_cli_wants_json(cli)) {
            fprintf(cli->out, "%-20s %s%.16s%s\n", items[i].kid,
                    items[i].is_signing ? "signs"
                    : until[0]          ? "verifies until "
                                        : "verifies",
                    until, until[0] ? "Z" : "");
        }
    }
    if (wpa_cli_wants_json(cli)) {
        fprintf(cli->out, "%s\n", wpa_json_dump_pretty(list, cli->arena));
    }
    return WPA_EXIT_OK;
}

const wpa_cli_command wpa_cli_keys_list = {
    .name = "keys list",
    .operands = "",
    .summary = "list the keys of this account that sign sessions",
    .has_json = true,
    .run = run_list,
};

/* clang-format off */
static const wpa_cli_option rotate_options[] = {
    {"revoke", 0, WPA_CLI_FLAG, NULL, "trust the keys before no more: every token ends, everybody signs in again"},
};
/* clang-format on */

typedef struct rotation {
    const wpa_actor *actor;
    const char *path;
    bool is_revoking;
} rotation;

/* The audit log says it if it was done, and it is done only if the audit log can say it. */
static bool rotate(wpa_db *db, void *context, wpa_error *err)
{
    const rotation *r = context;
    return wpa_audit_append(db, r->actor, "keys.rotated", "keys:session",
                            r->is_revoking ? "{\"revoke\":true}" : "{}", err) &&
           wpa_token_keys_rotate(r->path, wpa_now_us() / 1000000,
                                 r->is_revoking ? 0 : WPA_SESSION_SECONDS, err);
}

static int run_rotate(wpa_cli *cli, wpa_error *err)
{
    bool is_revoking = wpa_cli_is_given(cli, "revoke");
    const wpa_actor *actor = wpa_cli_actor(cli, err);
    const char *state = actor ? wpa_cli_state(cli, err) : NULL;
    wpa_db *db = state ? wpa_cli_db(cli, err) : NULL;
    if (!db || !wpa_actor_check(actor, WPA_ACTION_CHANGE_PRINCIPALS, err)) {
        return WPA_CLI_FAILED;
    }
    rotation r = {actor, wpa_path_join(cli->arena, state, WPA_CLI_KEYS_FILE), is_revoking};
    if (!wpa_db_transact(db, actor, rotate, &r, err)) {
        return WPA_CLI_FAILED;
    }
    wpa_cli_say(cli, is_revoking ? "a new key signs; every token before it has ended"
                                 : "a new key signs; those before it verify for twelve hours yet");
    return WPA_EXIT_OK;
}

const wpa_cli_command wpa_cli_keys_rotate = {
    .name = "keys rotate",
    .operands = "",
    .summary = "sign sessions with a new key",
    .details = "The keys are in session.keys in the state folder. Running servers see the change "
               "at once; what the keys before have signed stands until it ends by itself.",
    .options = rotate_options,
    .n_options = WPA_COUNT(rotate_options),
    .run = run_rotate,
};

static bool make_codes_key(wpa_db *db, void *context, wpa_error *err)
{
    const rotation *r = context;
    return wpa_audit_append(db, r->actor, "keys.made", "keys:codes", "{}", err) &&
           wpa_seal_make_key(r->path, err);
}

static int run_codes(wpa_cli *cli, wpa_error *err)
{
    const wpa_actor *actor = wpa_cli_actor(cli, err);
    wpa_db *db = actor ? wpa_cli_db(cli, err) : NULL;
    if (!db || !wpa_actor_check(actor, WPA_ACTION_CHANGE_PRINCIPALS, err)) {
        return WPA_CLI_FAILED;
    }
    rotation r = {.actor = actor, .path = wpa_cli_codes_key(cli)};
    bool is_there = wpa_seal_has_key(r.path);
    if (!is_there && !wpa_db_transact(db, actor, make_codes_key, &r, err)) {
        return WPA_CLI_FAILED;
    }
    wpa_cli_say(cli, "%s seals the secrets of one-time codes%s", r.path,
                is_there ? ""
                         : "; copy it to the state folder of everybody who signs in elsewhere");
    return WPA_EXIT_OK;
}

const wpa_cli_command wpa_cli_keys_codes = {
    .name = "keys codes",
    .operands = "",
    .summary = "make the key that the secrets of one-time codes are encrypted with",
    .details =
        "It is codes.key in the state folder, and is there from the start where the database "
        "is wpa's own. With another database it must be in the state folder of every "
        "account and server that signs people in: where it is missing, recovery codes alone "
        "are taken. Secrets from before are encrypted when their code is next used.",
    .run = run_codes,
};
