/* Where notices go, what is on its way there, and whose webhooks are taken. */
#include <string.h>

#include <wpa/text.h>

#include "agent/pool.h"
#include "api/routes.h"
#include "gen/sql.h"
#include "notify/notify.h"

static const char *const channels[] = {"webhook", "slack",   "alertmanager",
                                       "email",   "command", NULL};
/* What a command runs is said at a terminal. */
static const char *const new_channels[] = {"webhook", "slack", "alertmanager", "email", NULL};
static const char *const severities[] = {"info", "warning", "error", "critical", NULL};
static const char *const states[] = {"waiting", "sending", "sent", "dead", "cancelled", NULL};
static const char no_destination[] = "there is no such destination";
static const char no_delivery[] = "there is no such delivery";
static const char no_hook[] = "there is no such webhook";

/* ---- fields -------------------------------------------------------------------------------------
 */

static const wpa_api_field destination_fields[] = {
    {.name = "id", .type = WPA_API_TEXT, .is_required = true, .words = "UUID"},
    {.name = "short_id", .type = WPA_API_TEXT, .is_required = true, .example = "\"o-1\""},
    {.name = "name", .type = WPA_API_TEXT, .is_required = true},
    {.name = "channel", .type = WPA_API_TEXT, .is_required = true, .choices = channels},
    {.name = "settings",
     .type = WPA_API_OBJECT,
     .is_required = true,
     .words = "of the channel; of an address of Slack only the host"},
    {.name = "has_secret",
     .type = WPA_API_BOOL,
     .is_required = true,
     .words = "neither it nor where it is is ever shown"},
    {.name = "events", .type = WPA_API_LIST, .item = WPA_API_TEXT, .is_required = true},
    {.name = "min_severity", .type = WPA_API_TEXT, .is_required = true, .choices = severities},
    {.name = "repositories", .type = WPA_API_LIST, .item = WPA_API_TEXT, .is_required = true},
    {.name = "timeout_ms", .type = WPA_API_INT, .is_required = true},
    {.name = "max_tries", .type = WPA_API_INT, .is_required = true},
    {.name = "private_addresses", .type = WPA_API_BOOL, .is_required = true},
    {.name = "is_enabled", .type = WPA_API_BOOL, .is_required = true},
    {.name = "waiting", .type = WPA_API_INT, .is_required = true, .words = "deliveries to come"},
    {.name = "dead", .type = WPA_API_INT, .is_required = true, .words = "deliveries given up"},
    {.name = "failing_since", .type = WPA_API_TIME, .is_required = true, .is_nullable = true},
    {.name = "last_sent_at", .type = WPA_API_TIME, .is_required = true, .is_nullable = true},
    {.name = "error",
     .type = WPA_API_TEXT,
     .is_required = true,
     .is_nullable = true,
     .words = "of the last delivery that failed, while it fails"},
    {.name = "created_by", .type = WPA_API_TEXT, .is_required = true},
    {.name = "created_at", .type = WPA_API_TIME, .is_required = true},
    {0},
};

#define SETTINGS_WORDS                                                                             \
    "webhook: url; slack: url, channel; alertmanager: url, labels; email: server, from, to, "      \
    "user, no_tls; ca_file for all of them"
#define SECRET_WORDS                                                                               \
    "where the secret is, read by whoever delivers: env:WPA_SECRET_NAME or "                       \
    "file:/etc/wpa/secrets/NAME. Of a "                                                            \
    "webhook it signs, of slack it is the URL, of alertmanager the bearer token, of email the "    \
    "password"
#define EVENTS_WORDS                                                                               \
    "names in which * stands for any text: notice.*, finding.new, finding.fixed, alert.*, or any " \
    "action of the audit log, as deployment.* and patch.approved"
#define REPOSITORIES_WORDS                                                                         \
    "only what concerns these: names in which * stands for any text, owner:NAME, label:NAME; "     \
    "empty: everything"
#define SHARED_FIELDS                                                                              \
    {.name = "secret", .type = WPA_API_TEXT, .max = 1100, .words = SECRET_WORDS},                  \
        {.name = "events", .type = WPA_API_LIST, .item = WPA_API_TEXT, .words = EVENTS_WORDS},     \
        {.name = "min_severity", .type = WPA_API_TEXT, .choices = severities, .fallback = "info"}, \
        {.name = "repositories",                                                                   \
         .type = WPA_API_LIST,                                                                     \
         .item = WPA_API_TEXT,                                                                     \
         .words = REPOSITORIES_WORDS},                                                             \
        {.name = "timeout_ms",                                                                     \
         .type = WPA_API_INT,                                                                      \
         .min = 500,                                                                               \
         .max = 60000,                                                                             \
         .fallback = "10000"},                                                                     \
        {.name = "max_tries", .type = WPA_API_INT, .min = 1, .max = 50, .fallback = "12"},         \
        {.name = "private_addresses",                                                              \
         .type = WPA_API_BOOL,                                                                     \
         .fallback = "false",                                                                      \
         .words = "true: it may lead into the own network, and to this host"},                     \
        {.name = "is_enabled", .type = WPA_API_BOOL, .fallback = "true"},                          \
    {                                                                                              \
        0                                                                                          \
    }

static const wpa_api_field new_fields[] = {
    {.name = "name", .type = WPA_API_TEXT, .is_required = true, .min = 1, .max = 63},
    {.name = "channel",
     .type = WPA_API_TEXT,
     .is_required = true,
     .choices = new_channels,
     .words = "a command is added at a terminal: wpa notices add"},
    {.name = "settings", .type = WPA_API_OBJECT, .is_required = true, .words = SETTINGS_WORDS},
    SHARED_FIELDS,
};

static const wpa_api_field change_fields[] = {
    {.name = "name", .type = WPA_API_TEXT, .min = 1, .max = 63},
    {.name = "settings", .type = WPA_API_OBJECT, .words = SETTINGS_WORDS},
    SHARED_FIELDS,
};

static const wpa_api_field outbox_query[] = {
    {.name = "status_filter", .type = WPA_API_TEXT, .choices = states},
    {.name = "destination", .type = WPA_API_TEXT, .min = 1, .max = 63},
    {0},
};

static const wpa_api_field delivery_fields[] = {
    {.name = "id",
     .type = WPA_API_TEXT,
     .is_required = true,
     .words = "UUID, the same for every try: X-Wpa-Delivery"},
    {.name = "short_id", .type = WPA_API_TEXT, .is_required = true, .example = "\"m-9\""},
    {.name = "destination", .type = WPA_API_TEXT, .is_required = true},
    {.name = "channel", .type = WPA_API_TEXT, .is_required = true, .choices = channels},
    {.name = "event", .type = WPA_API_TEXT, .is_required = true},
    {.name = "severity", .type = WPA_API_TEXT, .is_required = true, .choices = severities},
    WPA_API_SUBJECT(true),
    {.name = "message", .type = WPA_API_TEXT, .is_required = true},
    {.name = "repositories", .type = WPA_API_LIST, .item = WPA_API_TEXT, .is_required = true},
    {.name = "is_test", .type = WPA_API_BOOL, .is_required = true},
    {.name = "is_over",
     .type = WPA_API_BOOL,
     .is_required = true,
     .words = "it tells of an alert's end"},
    {.name = "state", .type = WPA_API_TEXT, .is_required = true, .choices = states},
    {.name = "tries", .type = WPA_API_INT, .is_required = true},
    {.name = "max_tries", .type = WPA_API_INT, .is_required = true},
    {.name = "at", .type = WPA_API_TIME, .is_required = true},
    {.name = "due_at", .type = WPA_API_TIME, .is_required = true, .is_nullable = true},
    {.name = "sent_at", .type = WPA_API_TIME, .is_required = true, .is_nullable = true},
    {.name = "answer_status", .type = WPA_API_INT, .is_required = true, .is_nullable = true},
    {.name = "answer", .type = WPA_API_TEXT, .is_required = true, .is_nullable = true},
    {.name = "latency_ms", .type = WPA_API_INT, .is_required = true, .is_nullable = true},
    {.name = "error", .type = WPA_API_TEXT, .is_required = true, .is_nullable = true},
    {0},
};

static const wpa_api_field retry_fields[] = {
    {.name = "retried", .type = WPA_API_INT, .is_required = true},
    {0},
};

/* ---- what they share ----------------------------------------------------------------------------
 */

static wpa_api_next show(wpa_api_request *request, const wpa_sql *statement, int64_t id,
                         const char *missing, wpa_error *err)
{
    char number[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(id, number)};
    return wpa_api_one(request, statement, params, 1, missing, err);
}

/** "o-3", "3", a UUID, or the name of a destination. */
static bool find(wpa_api_request *request, int64_t *id, wpa_error *err)
{
    wpa_error ignored = {0};
    return wpa_api_id(request, 0, 'o', id, &ignored) ||
           wpa_notify_find(request->db, request->values[0], id, err);
}

/* ---- destinations -------------------------------------------------------------------------------
 */

static wpa_api_next list(wpa_api_request *request, wpa_error *err)
{
    const char *params[] = {NULL, NULL};
    return wpa_api_list(request, WPA_SQL_API_DESTINATIONS, params, 2, err);
}

static wpa_api_next show_one(wpa_api_request *request, wpa_error *err)
{
    int64_t id;
    return find(request, &id, err) ? show(request, WPA_SQL_API_DESTINATION, id, no_destination, err)
                                   : WPA_API_FAILED;
}

static wpa_api_next add(wpa_api_request *request, wpa_error *err)
{
    int64_t id = 0;
    wpa_db *db = wpa_engine_take(request->engine, err);
    bool is_added = db && wpa_notify_add(db, &request->actor, WPA_NOTIFY_FROM_AFAR, request->body,
                                         request->arena, &id, err);
    wpa_engine_give(request->engine, db);
    request->location =
        wpa_arena_printf(request->arena, WPA_API_BASE "/destinations/o-%lld", (long long)id);
    return is_added ? show(request, WPA_SQL_API_DESTINATION, id, no_destination, err)
                    : WPA_API_FAILED;
}

static wpa_api_next change(wpa_api_request *request, wpa_error *err)
{
    int64_t id, version;
    if (!find(request, &id, err) || !wpa_api_version_wanted(request, &version, err)) {
        return WPA_API_FAILED;
    }
    wpa_db *db = wpa_engine_take(request->engine, err);
    bool is_changed = db && wpa_notify_change(db, &request->actor, WPA_NOTIFY_FROM_AFAR, id,
                                              version, request->body, request->arena, err);
    wpa_engine_give(request->engine, db);
    return is_changed ? show(request, WPA_SQL_API_DESTINATION, id, no_destination, err)
                      : WPA_API_FAILED;
}

static wpa_api_next take_away(wpa_api_request *request, wpa_error *err)
{
    int64_t id;
    if (!find(request, &id, err)) {
        return WPA_API_FAILED;
    }
    wpa_db *db = wpa_engine_take(request->engine, err);
    bool is_removed = db && wpa_notify_remove(db, &request->actor, id, err);
    wpa_engine_give(request->engine, db);
    return is_removed ? WPA_API_DONE : WPA_API_FAILED;
}

/** The delivery that the test was, with what was answered. */
static wpa_api_next answer_test(wpa_api_request *request, wpa_error *err)
{
    wpa_job_state_view view;
    if (!wpa_job_look(request->db, request->job_id, &view, err)) {
        return WPA_API_FAILED;
    }
    if (view.ending != WPA_JOB_ENDED_DONE) {
        (void)WPA_FAIL(err, WPA_E_UNAVAILABLE, "the test could not be sent: %s", view.last_error);
        return WPA_API_FAILED;
    }
    const wpa_json *result =
        wpa_json_parse(view.result, strlen(view.result), sizeof view.result, request->arena, err);
    return result ? show(request, WPA_SQL_API_OUTBOX_ONE,
                         wpa_json_int_of(wpa_json_find(result, "delivery_id"), 0), no_delivery, err)
                  : WPA_API_FAILED;
}

static wpa_api_next test(wpa_api_request *request, wpa_error *err)
{
    int64_t id, job_id = 0;
    if (request->is_woken && request->has_job_ended) {
        return answer_test(request, err);
    }
    if (request->is_woken) {
        return wpa_api_accepted(
            request, wpa_arena_printf(request->arena, "/jobs/j-%lld", (long long)request->job_id));
    }
    if (!find(request, &id, err)) {
        return WPA_API_FAILED;
    }
    wpa_db *db = wpa_engine_take(request->engine, err);
    bool is_ordered = db && wpa_notify_order_test(db, &request->actor, id, &job_id, err);
    wpa_engine_give(request->engine, db);
    return is_ordered ? wpa_api_wait_for(request, job_id) : WPA_API_FAILED;
}

const wpa_api_route wpa_api_destinations = {
    .method = "GET",
    .path = "/destinations",
    .access = WPA_API_GUARDIAN,
    .scope = "admin",
    .tag = "notices",
    .summary = "Where notices go, the newest first",
    .answer = destination_fields,
    .is_list = true,
    .run = list,
};

const wpa_api_route wpa_api_destination = {
    .method = "GET",
    .path = "/destinations/{destination}",
    .access = WPA_API_GUARDIAN,
    .scope = "admin",
    .tag = "notices",
    .summary = "One destination, by id or name",
    .answer = destination_fields,
    .example = "/destinations/ops",
    .run = show_one,
};

const wpa_api_route wpa_api_destination_add = {
    .method = "POST",
    .path = "/destinations",
    .access = WPA_API_GUARDIAN,
    .scope = "admin",
    .tag = "notices",
    .summary = "Let notices go somewhere",
    .details =
        "Deliveries are made at least once, in the order of each matter, each under an id of "
        "its own (X-Wpa-Delivery). A webhook is signed: X-Wpa-Signature-256 is sha256= and "
        "the HMAC of X-Wpa-Timestamp, a dot and the body. What fails is tried again after 2 "
        "s, 4 s and so on up to an hour, max_tries times. Redirects are not followed.",
    .body = new_fields,
    .answer = destination_fields,
    .status = 201,
    .example_body = "{\"name\": \"ops\", \"channel\": \"webhook\", \"settings\": {\"url\": "
                    "\"http://127.0.0.1:9/hook\"}, \"events\": [\"deployment.stuck\"], "
                    "\"min_severity\": \"critical\", \"max_tries\": 3}",
    .run = add,
};

const wpa_api_route wpa_api_destination_change = {
    .method = "PATCH",
    .path = "/destinations/{destination}",
    .access = WPA_API_GUARDIAN,
    .scope = "admin",
    .tag = "notices",
    .summary = "Change a destination",
    .details =
        "What is left out stays. Settings are given as a whole, and with them the secret "
        "anew, so that nobody sends it elsewhere; a secret of \"\" takes it away. Those of a "
        "command are changed at a terminal.",
    .body = change_fields,
    .answer = destination_fields,
    .example = "/destinations/ops",
    .example_body = "{\"min_severity\": \"error\"}",
    .run = change,
};

const wpa_api_route wpa_api_destination_test = {
    .method = "POST",
    .path = "/destinations/{destination}/test",
    .access = WPA_API_GUARDIAN,
    .scope = "admin",
    .tag = "notices",
    .summary = "Send a test, and say what was answered",
    .details = "The answer is the delivery: sent, or dead with its error. A test is tried once.",
    .answer = delivery_fields,
    .may_wait = true,
    .example = "/destinations/ops/test",
    .run = test,
};

const wpa_api_route wpa_api_destination_remove = {
    .method = "DELETE",
    .path = "/destinations/{destination}",
    .access = WPA_API_GUARDIAN,
    .scope = "admin",
    .tag = "notices",
    .summary = "Let notices go there no more; what waits is cancelled",
    .status = 204,
    .example = "/destinations/ops",
    .run = take_away,
};

/* ---- the outbox ---------------------------------------------------------------------------------
 */

static wpa_api_next list_outbox(wpa_api_request *request, wpa_error *err)
{
    const char *params[] = {NULL, NULL, wpa_api_query_text(request, "status_filter"),
                            wpa_api_query_text(request, "destination")};
    return wpa_api_list(request, WPA_SQL_API_OUTBOX, params, WPA_COUNT(params), err);
}

static wpa_api_next retry(wpa_api_request *request, int64_t delivery_id, int64_t destination_id,
                          wpa_error *err)
{
    size_t n = 0;
    wpa_db *db = wpa_engine_take(request->engine, err);
    bool is_done =
        db && wpa_notify_retry(db, &request->actor, delivery_id, destination_id, &n, err);
    wpa_engine_give(request->engine, db);
    if (!is_done) {
        return WPA_API_FAILED;
    }
    if (delivery_id) {
        return show(request, WPA_SQL_API_OUTBOX_ONE, delivery_id, no_delivery, err);
    }
    wpa_json *answer = wpa_json_new_object(request->arena);
    wpa_json_set_int(answer, "retried", (int64_t)n);
    return wpa_api_answer(request, answer);
}

static wpa_api_next retry_one(wpa_api_request *request, wpa_error *err)
{
    int64_t id;
    return wpa_api_id(request, 0, 'm', &id, err) ? retry(request, id, 0, err) : WPA_API_FAILED;
}

static wpa_api_next retry_all(wpa_api_request *request, wpa_error *err)
{
    int64_t id;
    if (!find(request, &id, err) ||
        show(request, WPA_SQL_API_DESTINATION, id, no_destination, err) != WPA_API_DONE) {
        return WPA_API_FAILED;
    }
    request->text = NULL; /* it is there, no more was asked */
    request->etag = NULL;
    return retry(request, 0, id, err);
}

const wpa_api_route wpa_api_outbox = {
    .method = "GET",
    .path = "/outbox",
    .access = WPA_API_GUARDIAN,
    .scope = "admin",
    .tag = "notices",
    .summary = "What was sent, is to be sent and was given up, the newest first",
    .query = outbox_query,
    .answer = delivery_fields,
    .is_list = true,
    .example = "/outbox?status_filter=dead",
    .run = list_outbox,
};

const wpa_api_route wpa_api_outbox_retry = {
    .method = "POST",
    .path = "/outbox/{delivery_id}/retry",
    .access = WPA_API_GUARDIAN,
    .scope = "admin",
    .tag = "notices",
    .summary = "Try a delivery again that was given up",
    .answer = delivery_fields,
    .example = "/outbox/m-1/retry",
    .run = retry_one,
};

const wpa_api_route wpa_api_destination_retry = {
    .method = "POST",
    .path = "/destinations/{destination}/retry",
    .access = WPA_API_GUARDIAN,
    .scope = "admin",
    .tag = "notices",
    .summary = "Try everything again that was given up for a destination",
    .answer = retry_fields,
    .example = "/destinations/ops/retry",
    .run = retry_all,
};

/* ---- whose webhooks are taken -------------------------------------------------------------------
 */

static const wpa_api_field hook_fields[] = {
    {.name = "id", .type = WPA_API_TEXT, .is_required = true, .words = "UUID"},
    {.name = "short_id", .type = WPA_API_TEXT, .is_required = true, .example = "\"h-1\""},
    {.name = "repository",
     .type = WPA_API_TEXT,
     .is_required = true,
     .is_nullable = true,
     .words = "null: all that have no webhook of their own"},
    {.name = "created_by", .type = WPA_API_TEXT, .is_required = true},
    {.name = "created_at", .type = WPA_API_TIME, .is_required = true},
    {.name = "deliveries", .type = WPA_API_INT, .is_required = true, .words = "in thirty days"},
    {.name = "last_event", .type = WPA_API_TEXT, .is_required = true, .is_nullable = true},
    {.name = "last_at", .type = WPA_API_TIME, .is_required = true, .is_nullable = true},
    {0},
};

static const wpa_api_field new_hook_fields[] = {
    {.name = "repository",
     .type = WPA_API_TEXT,
     .min = 1,
     .max = 100,
     .words = "of the fleet; left out: all that have no webhook of their own"},
    {.name = "secret",
     .type = WPA_API_TEXT,
     .is_required = true,
     .min = 1,
     .max = 1100,
     .words = "where the secret is, read by this server: env:WPA_SECRET_NAME or "
              "file:/etc/wpa/secrets/NAME"},
    {0},
};

static wpa_api_next list_hooks(wpa_api_request *request, wpa_error *err)
{
    const char *params[] = {NULL, NULL};
    return wpa_api_list(request, WPA_SQL_API_HOOKS, params, 2, err);
}

static wpa_api_next add_hook(wpa_api_request *request, wpa_error *err)
{
    int64_t id = 0;
    wpa_db *db = wpa_engine_take(request->engine, err);
    bool is_added =
        db && wpa_hook_add(db, &request->actor, wpa_api_body_text(request, "repository"),
                           wpa_api_body_text(request, "secret"), &id, err);
    wpa_engine_give(request->engine, db);
    return is_added ? show(request, WPA_SQL_API_HOOK, id, no_hook, err) : WPA_API_FAILED;
}

static wpa_api_next remove_hook(wpa_api_request *request, wpa_error *err)
{
    int64_t id;
    if (!wpa_api_id(request, 0, 'h', &id, err)) {
        return WPA_API_FAILED;
    }
    wpa_db *db = wpa_engine_take(request->engine, err);
    bool is_removed = db && wpa_hook_remove(db, &request->actor, id, err);
    wpa_engine_give(request->engine, db);
    return is_removed ? WPA_API_DONE : WPA_API_FAILED;
}

const wpa_api_route wpa_api_hooks = {
    .method = "GET",
    .path = "/webhooks",
    .access = WPA_API_GUARDIAN,
    .scope = "admin",
    .tag = "webhooks",
    .summary = "Whose webhooks are taken, the newest first",
    .answer = hook_fields,
    .is_list = true,
    .run = list_hooks,
};

const wpa_api_route wpa_api_hook_add = {
    .method = "POST",
    .path = "/webhooks",
    .access = WPA_API_GUARDIAN,
    .scope = "admin",
    .tag = "webhooks",
    .summary = "Take webhooks that are signed with a secret",
    .body = new_hook_fields,
    .answer = hook_fields,
    .status = 201,
    .example_body = "{\"repository\": \"ledger-api\", \"secret\": \"env:WPA_SECRET_LEDGER\"}",
    .run = add_hook,
};

const wpa_api_route wpa_api_hook_remove = {
    .method = "DELETE",
    .path = "/webhooks/{webhook_id}",
    .access = WPA_API_GUARDIAN,
    .scope = "admin",
    .tag = "webhooks",
    .summary = "Take them no more",
    .status = 204,
    .example = "/webhooks/h-1",
    .run = remove_hook,
};
