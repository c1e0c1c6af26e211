/* wpa code: one-time codes as a second thing to be asked for at sign-in. */
#include "guardian/code.h"

#include <wpa/clock.h>

#include "cli/commands.h"
#include "cli/session.h"
#include "cli/work.h"
#include "json/json.h"

/* clang-format off */
static const wpa_cli_option enrol_options[] = {WPA_CLI_OPTION_PASSPHRASE};
/* clang-format on */

static int run_enrol(wpa_cli *cli, wpa_error *err)
{
    wpa_code_secret made;
    const wpa_actor *actor = wpa_cli_actor(cli, err);
    if (!actor) {
        return WPA_CLI_FAILED;
    }
    WPA_AUTO(wpa_secret) *passphrase =
        wpa_cli_ask_passphrase(cli, wpa_arena_printf(cli->arena, "passphrase of %s: ", actor->name),
                               wpa_cli_text(cli, "passphrase-file"), false, err);
    if (!passphrase || !wpa_code_enrol(wpa_cli_db(cli, err), wpa_cli_codes_key(cli), actor,
                                       passphrase, cli->arena, &made, err)) {
        return WPA_CLI_FAILED;
    }
    if (wpa_cli_wants_json(cli)) {
        wpa_json *object = wpa_json_new_object(cli->arena);
        wpa_json_set_text(object, "secret", made.secret);
        wpa_json_set_text(object, "uri", made.uri);
        fprintf(cli->out, "%s\n", wpa_json_dump_pretty(object, cli->arena));
        return WPA_EXIT_OK;
    }
    fprintf(cli->out, "%s\n", made.uri);
    wpa_cli_say(cli,
                "Give this to an authenticator app, or type the key %s into it; it is shown this "
                "once. Then: wpa code confirm CODE",
                made.secret);
    return WPA_EXIT_OK;
}

const wpa_cli_command wpa_cli_code_enrol = {
    .name = "code enrol",
    .operands = "",
    .summary = "begin to use one-time codes (RFC 6238): print the secret",
    .details =
        "The passphrase is asked for, so that a session alone is not enough. Nothing is asked "
        "for at sign-in before wpa code confirm has shown that the app has the secret.",
    .options = enrol_options,
    .n_options = WPA_COUNT(enrol_options),
    .has_json = true,
    .run = run_enrol,
};

static int run_confirm(wpa_cli *cli, wpa_error *err)
{
    const char *recovery[WPA_CODE_RECOVERY_COUNT];
    const wpa_actor *actor = wpa_cli_actor(cli, err);
    if (!actor ||
        !wpa_code_confirm(wpa_cli_db(cli, err), wpa_cli_codes_key(cli), actor, cli->operands[0],
                          wpa_now_us() / 1000000, cli->arena, recovery, err)) {
        return WPA_CLI_FAILED;
    }
    if (wpa_cli_wants_json(cli)) {
        wpa_json *object = wpa_json_new_object(cli->arena);
        wpa_json *codes = wpa_json_set_array(object, "recovery_codes");
        for (size_t i = 0; i < WPA_CODE_RECOVERY_COUNT; i++) {
            wpa_json_push_text(codes, recovery[i]);
        }
        fprintf(cli->out, "%s\n", wpa_json_dump_pretty(object, cli->arena));
        return WPA_EXIT_OK;
    }
    wpa_cli_say(cli, "A code is asked for at each sign-in from now on. These take its place when "
                     "the device is lost, each of them once; they are shown this once:");
    for (size_t i = 0; i < WPA_CODE_RECOVERY_COUNT; i++) {
        fprintf(cli->out, "%s\n", recovery[i]);
    }
    return WPA_EXIT_OK;
}

const wpa_cli_command wpa_cli_code_confirm = {
    .name = "code confirm",
    .operands = "CODE",
    .summary = "switch one-time codes on with a first code; prints recovery codes",
    .min_operands = 1,
    .max_operands = 1,
    .has_json = true,
    .run = run_confirm,
};

/* clang-format off */
static const wpa_cli_option off_options[] = {
    {"code", 0, WPA_CLI_TEXT, "CODE", "a last one-time or recovery code, for one's own"},
};
/* clang-format on */

static int run_off(wpa_cli *cli, wpa_error *err)
{
    const char *name = cli->n_operands ? cli->operands[0] : NULL;
    const wpa_actor *actor = wpa_cli_actor(cli, err);
    if (!actor || !wpa_code_remove(wpa_cli_db(cli, err), wpa_cli_codes_key(cli), actor, name,
                                   wpa_cli_text(cli, "code"), wpa_now_us() / 1000000, err)) {
        return WPA_CLI_FAILED;
    }
    wpa_cli_say(cli, "'%s' signs in without a one-time code from now on",
                name ? name : actor->name);
    return WPA_EXIT_OK;
}

const wpa_cli_command wpa_cli_code_off = {
    .name = "code off",
    .operands = "[NAME]",
    .summary = "ask for no one-time code any more",
    .details = "For oneself with a last code; a guardian can do it for somebody else who has lost "
               "the device and the recovery codes.",
    .options = off_options,
    .n_options = WPA_COUNT(off_options),
    .max_operands = 1,
    .run = run_off,
};
