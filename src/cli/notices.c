#include <inttypes.h>
#include <string.h>

#include <wpa/text.h>

#include "cli/commands.h"
#include "cli/work.h"
#include "gen/sql.h"
#include "json/json.h"
#include "notify/notify.h"

/* clang-format off */
#define DESTINATION_OPTIONS \
    {"set", 0, WPA_CLI_LIST, "NAME=VALUE", "a setting of the channel; again for each item of a list"}, \
    {"secret", 0, WPA_CLI_TEXT, "WHERE", "where its secret is: env:WPA_SECRET_NAME or file:/etc/wpa/secrets/NAME"}, \
    {"event", 'e', WPA_CLI_LIST, "PATTERN", "only these events; may be repeated (default: notice.* and finding.new)"}, \
    {"min-severity", 0, WPA_CLI_TEXT, "LEVEL", "info (the default), warning, error or critical"}, \
    {"repository", 0, WPA_CLI_LIST, "PATTERN", "only these: names with *, owner:NAME, label:NAME; may be repeated"}, \
    {"timeout", 0, WPA_CLI_DURATION, "TIME", "for one try (default 10s)"}, \
    {"max-tries", 0, WPA_CLI_INT, "N", "give up after so many (default 12)"}, \
    {"any-address", 0, WPA_CLI_FLAG, NULL, "it may lead into the own network, and to this host"}, \
    {"public-only", 0, WPA_CLI_FLAG, NULL, "refuse addresses of the own network (default)"}

static const wpa_cli_option add_options[] = {
    {"channel", 'c', WPA_CLI_TEXT, "CHANNEL", "webhook, slack, alertmanager, email or command"},
    DESTINATION_OPTIONS,
};
static const wpa_cli_option change_options[] = {
    DESTINATION_OPTIONS,
    {"on", 0, WPA_CLI_FLAG, NULL, "send there again"},
    {"off", 0, WPA_CLI_FLAG, NULL, "tell it nothing; what waits for it goes when it is on again"},
};
static const wpa_cli_option outbox_options[] = {
    {"state", 0, WPA_CLI_TEXT, "STATE", "only those: waiting, sending, sent, dead, cancelled"},
    {"to", 0, WPA_CLI_TEXT, "NAME", "only those for this destination"},
    WPA_CLI_OPTION_LIMIT,
};
static const wpa_cli_option test_options[] = {WPA_CLI_OPTION_TIMEOUT};

static const wpa_cli_column destination_columns[] = {
    {"id", NULL, WPA_CLI_AS_ID, 'o'},
    {"name", "NAME", WPA_CLI_AS_TEXT, 0},
    {"channel", "CHANNEL", WPA_CLI_AS_TEXT, 0},
    {"state", "STATE", WPA_CLI_AS_TEXT, 0},
    {"events", "EVENTS", WPA_CLI_AS_TEXT, 0},
    {"min_severity", "FROM", WPA_CLI_AS_TEXT, 0},
    {"repositories", "REPOSITORIES", WPA_CLI_AS_TEXT, 0},
    {"waiting", "WAITING", WPA_CLI_AS_INT, 0},
    {"dead", "DEAD", WPA_CLI_AS_INT, 0},
    {"last_sent_at", "LAST SENT", WPA_CLI_AS_TIME, 0},
    {"error", "ERROR", WPA_CLI_AS_TEXT, 0},
    {"settings", NULL, WPA_CLI_AS_JSON, 0},
};
static const wpa_cli_column outbox_columns[] = {
    {"id", "ID", WPA_CLI_AS_ID, 'm'},
    {"at", "TIME", WPA_CLI_AS_TIME, 0},
    {"state", "STATE", WPA_CLI_AS_TEXT, 0},
    {"destination", "TO", WPA_CLI_AS_TEXT, 0},
    {"event", "EVENT", WPA_CLI_AS_TEXT, 0},
    {"message", "WHAT", WPA_CLI_AS_TEXT, 0},
    {"tries", "TRIES", WPA_CLI_AS_INT, 0},
    {"max_tries", NULL, WPA_CLI_AS_INT, 0},
    {"answer_status", "ANSWER", WPA_CLI_AS_INT, 0},
    {"error", "ERROR", WPA_CLI_AS_TEXT, 0},
    {"due_at", NULL, WPA_CLI_AS_TIME, 0},
    {"delivery", NULL, WPA_CLI_AS_TEXT, 0},
};
static const wpa_cli_column hook_columns[] = {
    {"id", "ID", WPA_CLI_AS_ID, 'h'},
    {"repository", "REPOSITORY", WPA_CLI_AS_TEXT, 0},
    {"created_by", "ADDED BY", WPA_CLI_AS_TEXT, 0},
    {"created_at", "ADDED", WPA_CLI_AS_TIME, 0},
    {"deliveries", "DELIVERIES", WPA_CLI_AS_INT, 0},
    {"last_event", "LAST", WPA_CLI_AS_TEXT, 0},
    {"last_at", "AT", WPA_CLI_AS_TIME, 0},
};
/* clang-format on */

/* ---- lists --------------------------------------------------------------------------------------
 */

static int run_list(wpa_cli *cli, wpa_error *err)
{
    WPA_AUTO(wpa_rows) *rows = wpa_cli_read(cli, WPA_SQL_CLI_DESTINATIONS, NULL, 0, err);
    if (!rows) {
        return WPA_CLI_FAILED;
    }
    wpa_cli_print_rows(cli, rows, destination_columns, WPA_COUNT(destination_columns),
                       "notices go nowhere (wpa notices add)");
    return WPA_EXIT_OK;
}

static int run_outbox(wpa_cli *cli, wpa_error *err)
{
    char limit[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_cli_text(cli, "state"), wpa_cli_text(cli, "to"),
                            wpa_cli_limit(cli, limit)};
    WPA_AUTO(wpa_rows) *rows =
        wpa_cli_read(cli, WPA_SQL_CLI_OUTBOX, params, WPA_COUNT(params), err);
    if (!rows) {
        return WPA_CLI_FAILED;
    }
    wpa_cli_print_rows(cli, rows, outbox_columns, WPA_COUNT(outbox_columns), "nothing");
    return WPA_EXIT_OK;
}

const wpa_cli_command wpa_cli_notices_list = {
    .name = "notices list",
    .operands = "",
    .summary = "list where notices go",
    .has_json = true,
    .run = run_list,
};

const wpa_cli_command wpa_cli_notices_outbox = {
    .name = "notices outbox",
    .operands = "",
    .summary = "list what was sent, waits to be sent and was given up, the latest first",
    .options = outbox_options,
    .n_options = WPA_COUNT(outbox_options),
    .has_json = true,
    .run = run_outbox,
};

/* ---- adding and changing ------------------------------------------------------------------------
 */

static const wpa_notify_setting *setting_of(const wpa_notify_channel *channel, const char *name)
{
    for (size_t i = 0; i < channel->n_settings; i++) {
        if (wpa_text_is(channel->settings[i].name, name)) {
            return &channel->settings[i];
        }
    }
    return NULL;
}

/** "labels=team=ops" is a member of an object, "to=a@b" one of a list, "no_tls=true" a truth. */
static bool put_setting(wpa_json *settings, const wpa_notify_setting *setting, const char *value,
                        wpa_arena *arena, wpa_error *err)
{
    wpa_json *before = (wpa_json *)(uintptr_t)wpa_json_find(settings, setting->name);
    const char *equals = strchr(value, '=');
    switch (setting->type) {
    case WPA_NOTIFY_MAILS:
    case WPA_NOTIFY_ARGV:
        wpa_json_push_text(before ? before : wpa_json_set_array(settings, setting->name), value);
        return true;
    case WPA_NOTIFY_LABELS:
        if (!equals) {
            return WPA_FAIL(err, WPA_E_INVALID, "--set %s='%s': expected NAME=TEXT", setting->name,
                            value);
        }
        wpa_json_set_text(before ? before : wpa_json_set_object(settings, setting->name),
                          wpa_arena_slice(arena, value, (size_t)(equals - value)), equals + 1);
        return true;
    case WPA_NOTIFY_BOOL:
        wpa_json_set_bool(settings, setting->name, wpa_text_is(value, "true"));
        return wpa_text_is(value, "true") || wpa_text_is(value, "false") ||
               WPA_FAIL(err, WPA_E_INVALID, "--set %s='%s': expected true or false", setting->name,
                        value);
    case WPA_NOTIFY_URL:
    case WPA_NOTIFY_TEXT:
    case WPA_NOTIFY_MAIL:
    case WPA_NOTIFY_FILE:
        break;
    }
    wpa_json_set_text(settings, setting->name, value);
    return true;
}

static bool put_settings(wpa_cli *cli, wpa_json *given, const wpa_notify_channel *channel,
                         wpa_error *err)
{
    size_t n;
    const char *const *pairs = wpa_cli_texts(cli, "set", &n);
    wpa_json *settings = wpa_json_set_object(given, "settings");
    for (size_t i = 0; i < n; i++) {
        const char *equals = strchr(pairs[i], '=');
        const char *name =
            equals ? wpa_arena_slice(cli->arena, pairs[i], (size_t)(equals - pairs[i])) : pairs[i];
        const wpa_notify_setting *setting = setting_of(channel, name);
        if (!equals || !setting) {
            return WPA_FAIL(err, WPA_E_INVALID,
                            "--set '%s': expected NAME=VALUE with a setting of %s (wpa help "
                            "notices add)",
                            pairs[i], channel->name);
        }
        if (!put_setting(settings, setting, equals + 1, cli->arena, err)) {
            return false;
        }
    }
    return true;
}

static void put_list(wpa_cli *cli, wpa_json *given, const char *option, const char *key)
{
    size_t n;
    const char *const *texts = wpa_cli_texts(cli, option, &n);
    wpa_json *list = n ? wpa_json_set_array(given, key) : NULL;
    for (size_t i = 0; i < n; i++) {
        wpa_json_push_text(list, texts[i]);
    }
}

static void put_rest(wpa_cli *cli, wpa_json *given)
{
    put_list(cli, given, "event", "events");
    put_list(cli, given, "repository", "repositories");
    if (wpa_cli_is_given(cli, "secret")) {
        wpa_json_set_text(given, "secret", wpa_cli_text(cli, "secret"));
    }
    if (wpa_cli_is_given(cli, "min-severity")) {
        wpa_json_set_text(given, "min_severity", wpa_cli_text(cli, "min-severity"));
    }
    if (wpa_cli_is_given(cli, "timeout")) {
        wpa_json_set_int(given, "timeout_ms", wpa_cli_duration_ms(cli, "timeout", 0));
    }
    if (wpa_cli_is_given(cli, "max-tries")) {
        wpa_json_set_int(given, "max_tries", wpa_cli_int(cli, "max-tries", 0));
    }
    if (wpa_cli_is_given(cli, "any-address") || wpa_cli_is_given(cli, "public-only")) {
        wpa_json_set_bool(given, "private_addresses", wpa_cli_is_given(cli, "any-address"));
    }
}

static int run_add(wpa_cli *cli, wpa_error *err)
{
    int64_t id = 0;
    const char *name = cli->operands[0];
    wpa_json *given = wpa_json_new_object(cli->arena);
    const wpa_actor *actor = wpa_cli_actor(cli, err);
    const wpa_notify_channel *channel =
        actor ? wpa_notify_channel_find(wpa_cli_text(cli, "channel"), err) : NULL;
    if (!channel || !put_settings(cli, given, channel, err)) {
        return WPA_CLI_FAILED;
    }
    wpa_json_set_text(given, "name", name);
    wpa_json_set_text(given, "channel", channel->name);
    put_rest(cli, given);
    if (!wpa_notify_add(wpa_cli_db(cli, err), actor, WPA_NOTIFY_FROM_TERMINAL, given, cli->arena,
                        &id, err)) {
        return WPA_CLI_FAILED;
    }
    wpa_cli_answer(cli, "id", id, "notices go to '%s' (wpa notices test %s)", name, name);
    return WPA_EXIT_OK;
}

const wpa_cli_command wpa_cli_notices_add = {
    .name = "notices add",
    .operands = "NAME",
    .summary = "let notices go somewhere",
    .details =
        "Settings (--set) of each channel:\n\n"
        "webhook: url. JSON by POST; the secret signs it (X-Wpa-Signature-256: sha256= and the "
        "HMAC of X-Wpa-Timestamp, a dot and the body). X-Wpa-Delivery is the same for every "
        "try.\n\n"
        "slack: url, or the secret is the whole URL; channel.\n\n"
        "alertmanager: url of the server, labels=NAME=TEXT; the secret is a bearer token. Gets "
        "alert.* events unless told otherwise: what begins and ends.\n\n"
        "email: server=smtp://host:587 (STARTTLS) or smtps://host:465, from, to (again for each), "
        "user with the secret as password, no_tls=true.\n\n"
        "command: argv (again for each word, the first a whole path), network=true. Run without a "
        "shell in the sandbox, with the same JSON on its standard input.\n\n"
        "ca_file names certificates to trust instead of the system's.\n\n"
        "Where an address leads into the own network, or to this host, nothing is sent without "
        "--any-address.\n\n"
        "Events are notice.ok, notice.note, notice.error, notice.alarm (what the console shows), "
        "finding.new, finding.fixed, alert.deployment, alert.patch, alert.repository, "
        "alert.findings, alert.audit, and every action of the audit log, as deployment.rolled_back "
        "or patch.approved. What cannot be delivered is tried again after 2 s, 4 s and so on up to "
        "an hour; what is given up stays in wpa notices outbox until wpa notices retry.",
    .options = add_options,
    .n_options = WPA_COUNT(add_options),
    .min_operands = 1,
    .max_operands = 1,
    .has_json = true,
    .run = run_add,
};

static const wpa_notify_channel *channel_of(wpa_db *db, int64_t id, wpa_arena *arena,
                                            wpa_error *err)
{
    char number[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(id, number)};
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_API_DESTINATION, params, 1, err);
    const wpa_json *item =
        rows && wpa_rows_count(rows)
            ? wpa_json_parse(wpa_rows_text(rows, 0, 1), wpa_rows_length(rows, 0, 1),
                             WPA_JSON_MAX_BYTES, arena, err)
            : NULL;
    return item ? wpa_notify_channel_find(wpa_json_text_of(wpa_json_find(item, "channel")), err)
                : NULL;
}

static int run_change(wpa_cli *cli, wpa_error *err)
{
    int64_t id = 0;
    wpa_json *given = wpa_json_new_object(cli->arena);
    const wpa_actor *actor = wpa_cli_actor(cli, err);
    wpa_db *db = actor ? wpa_cli_db(cli, err) : NULL;
    const wpa_notify_channel *channel = db && wpa_notify_find(db, cli->operands[0], &id, err)
                                            ? channel_of(db, id, cli->arena, err)
                                            : NULL;
    if (!channel || (wpa_cli_is_given(cli, "set") && !put_settings(cli, given, channel, err))) {
        return WPA_CLI_FAILED;
    }
    put_rest(cli, given);
    if (wpa_cli_is_given(cli, "on") || wpa_cli_is_given(cli, "off")) {
        wpa_json_set_bool(given, "is_enabled", wpa_cli_is_given(cli, "on"));
    }
    if (!wpa_notify_change(db, actor, WPA_NOTIFY_FROM_TERMINAL, id, -1, given, cli->arena, err)) {
        return WPA_CLI_FAILED;
    }
    wpa_cli_answer(cli, "id", id, "'%s' is changed", cli->operands[0]);
    return WPA_EXIT_OK;
}

const wpa_cli_command wpa_cli_notices_change = {
    .name = "notices change",
    .operands = "NAME",
    .summary = "change where notices go",
    .details = "What is not named stays. Settings are given as a whole, and with them the secret "
               "anew, so that nobody sends it elsewhere; --secret '' takes it away.",
    .options = change_options,
    .n_options = WPA_COUNT(change_options),
    .min_operands = 1,
    .max_operands = 1,
    .has_json = true,
    .run = run_change,
};

static int run_remove(wpa_cli *cli, wpa_error *err)
{
    int64_t id = 0;
    const wpa_actor *actor = wpa_cli_actor(cli, err);
    wpa_db *db = actor ? wpa_cli_db(cli, err) : NULL;
    if (!db || !wpa_notify_find(db, cli->operands[0], &id, err) ||
        !wpa_notify_remove(db, actor, id, err)) {
        return WPA_CLI_FAILED;
    }
    wpa_cli_say(cli, "notices do not go to '%s' any more", cli->operands[0]);
    return WPA_EXIT_OK;
}

const wpa_cli_command wpa_cli_notices_remove = {
    .name = "notices remove",
    .operands = "NAME",
    .summary = "let notices go there no more; what waits is cancelled",
    .min_operands = 1,
    .max_operands = 1,
    .run = run_remove,
};

/* ---- test and retry -----------------------------------------------------------------------------
 */

static int64_t delivery_of(const wpa_job_outcome *outcome, wpa_arena *arena)
{
    wpa_error ignored = {0};
    const wpa_json *result = wpa_json_parse(outcome->result, strlen(outcome->result),
                                            sizeof outcome->result, arena, &ignored);
    return wpa_json_int_of(wpa_json_find(result, "delivery_id"), 0);
}

static const char *text_of(const wpa_json *item, const char *key)
{
    const char *text = wpa_json_text_of(wpa_json_find(item, key));
    return text ? text : "";
}

static int print_test(wpa_cli *cli, const wpa_json *item)
{
    bool is_sent = wpa_text_is(text_of(item, "state"), "sent");
    int64_t status = wpa_json_int_of(wpa_json_find(item, "answer_status"), -1);
    if (wpa_cli_wants_json(cli)) {
        (void)fprintf(cli->out, "%s\n", wpa_json_dump_pretty(item, cli->arena));
    } else if (is_sent) {
        wpa_cli_say(cli, "'%s' took it in %" PRId64 " ms: %" PRId64 " %s",
                    text_of(item, "destination"),
                    wpa_json_int_of(wpa_json_find(item, "latency_ms"), 0), status,
                    wpa_text_ellipsis(cli->arena, text_of(item, "answer"), 200));
    } else {
        (void)fprintf(cli->err, "wpa: '%s' did not take it: %s\n", text_of(item, "destination"),
                      text_of(item, "error"));
    }
    return is_sent ? WPA_EXIT_OK : WPA_EXIT_FAILED;
}

static int show_test(wpa_cli *cli, int64_t delivery_id, wpa_error *err)
{
    WPA_AUTO(wpa_rows) *rows = wpa_cli_read_one(cli, WPA_SQL_API_OUTBOX_ONE, 'm', delivery_id, err);
    const wpa_json *item =
        rows ? wpa_json_parse(wpa_rows_text(rows, 0, 1), wpa_rows_length(rows, 0, 1),
                              WPA_JSON_MAX_BYTES, cli->arena, err)
             : NULL;
    return item ? print_test(cli, item) : WPA_CLI_FAILED;
}

static int run_test(wpa_cli *cli, wpa_error *err)
{
    int64_t id = 0, job_id = 0;
    wpa_job_outcome outcome;
    const wpa_actor *actor = wpa_cli_actor(cli, err);
    wpa_db *db = actor ? wpa_cli_db(cli, err) : NULL;
    if (!db || !wpa_notify_find(db, cli->operands[0], &id, err) ||
        !wpa_notify_order_test(db, actor, id, &job_id, err) ||
        !wpa_cli_wait_job(cli, job_id, &outcome, err)) {
        return WPA_CLI_FAILED;
    }
    if (outcome.end != WPA_JOB_END_DONE) {
        WPA_FAIL(err, WPA_E_UNAVAILABLE, "the test could not be sent: %s", outcome.message);
        return WPA_CLI_FAILED;
    }
    return show_test(cli, delivery_of(&outcome, cli->arena), err);
}

const wpa_cli_command wpa_cli_notices_test = {
    .name = "notices test",
    .operands = "NAME",
    .summary = "send a test there and say what was answered",
    .details = "Exit status: 0 it was taken, 4 it was not. Without an agent it is sent from here.",
    .options = test_options,
    .n_options = WPA_COUNT(test_options),
    .min_operands = 1,
    .max_operands = 1,
    .has_json = true,
    .run = run_test,
};

/* "m-12" is a delivery, anything else a destination. */
static bool read_retry(wpa_cli *cli, wpa_db *db, int64_t *delivery_id, int64_t *destination_id,
                       wpa_error *err)
{
    const char *operand = cli->n_operands ? cli->operands[0] : NULL;
    *delivery_id = *destination_id = 0;
    if (!operand) {
        return true;
    }
    return wpa_text_starts(operand, "m-") ? wpa_cli_parse_id(operand, 'm', delivery_id, err)
                                          : wpa_notify_find(db, operand, destination_id, err);
}

static int run_retry(wpa_cli *cli, wpa_error *err)
{
    int64_t delivery_id, destination_id;
    size_t n = 0;
    const wpa_actor *actor = wpa_cli_actor(cli, err);
    wpa_db *db = actor ? wpa_cli_db(cli, err) : NULL;
    if (!db || !read_retry(cli, db, &delivery_id, &destination_id, err) ||
        !wpa_notify_retry(db, actor, delivery_id, destination_id, &n, err)) {
        return WPA_CLI_FAILED;
    }
    wpa_cli_answer(cli, "retried", (int64_t)n, "%zu %s tried again", n,
                   n == 1 ? "delivery is" : "deliveries are");
    return WPA_EXIT_OK;
}

const wpa_cli_command wpa_cli_notices_retry = {
    .name = "notices retry",
    .operands = "[NAME|m-ID]",
    .summary = "try again what was given up: all, of one destination, or one delivery",
    .max_operands = 1,
    .has_json = true,
    .run = run_retry,
};

/* ---- webhooks in --------------------------------------------------------------------------------
 */

static const wpa_cli_option hook_options[] = {
    {"repository", 0, WPA_CLI_TEXT, "NAME",
     "of this repository alone (default: of all that have none of their own)"},
    {"secret", 0, WPA_CLI_TEXT, "WHERE",
     "where wpa serve finds the secret: env:WPA_SECRET_NAME or file:/etc/wpa/secrets/NAME"},
};

static int run_hooks(wpa_cli *cli, wpa_error *err)
{
    WPA_AUTO(wpa_rows) *rows = wpa_cli_read(cli, WPA_SQL_CLI_HOOKS, NULL, 0, err);
    if (!rows) {
        return WPA_CLI_FAILED;
    }
    wpa_cli_print_rows(cli, rows, hook_columns, WPA_COUNT(hook_columns),
                       "no webhook is taken (wpa webhook add)");
    return WPA_EXIT_OK;
}

static int run_hook_add(wpa_cli *cli, wpa_error *err)
{
    int64_t id = 0;
    const char *repository = wpa_cli_text(cli, "repository");
    const char *secret = wpa_cli_text(cli, "secret");
    const wpa_actor *actor = wpa_cli_actor(cli, err);
    if (!actor ||
        !wpa_hook_add(wpa_cli_db(cli, err), actor, repository, secret ? secret : "", &id, err)) {
        return WPA_CLI_FAILED;
    }
    wpa_cli_answer(cli, "id", id, "webhooks of %s are taken (h-%" PRId64 ")",
                   repository ? repository : "the fleet", id);
    return WPA_EXIT_OK;
}

static int run_hook_remove(wpa_cli *cli, wpa_error *err)
{
    int64_t id = 0;
    const wpa_actor *actor = wpa_cli_actor(cli, err);
    if (!actor || !wpa_cli_parse_id(cli->operands[0], 'h', &id, err) ||
        !wpa_hook_remove(wpa_cli_db(cli, err), actor, id, err)) {
        return WPA_CLI_FAILED;
    }
    wpa_cli_say(cli, "h-%" PRId64 " is removed", id);
    return WPA_EXIT_OK;
}

const wpa_cli_command wpa_cli_webhook_list = {
    .name = "webhook list",
    .operands = "",
    .summary = "list whose webhooks wpa serve takes",
    .has_json = true,
    .run = run_hooks,
};

const wpa_cli_command wpa_cli_webhook_add = {
    .name = "webhook add",
    .operands = "",
    .summary = "let wpa serve take GitHub's webhooks that are signed with a secret",
    .details = "The forge sends them to .../webhooks/github below the API's base, as "
               "application/json, with this secret. A push to a followed branch queues a scan, a "
               "completed workflow run goes into the run history.",
    .options = hook_options,
    .n_options = WPA_COUNT(hook_options),
    .has_json = true,
    .run = run_hook_add,
};

const wpa_cli_command wpa_cli_webhook_remove = {
    .name = "webhook remove",
    .operands = "ID",
    .summary = "take them no more",
    .min_operands = 1,
    .max_operands = 1,
    .run = run_hook_remove,
};
