/* Webhooks in: the route that forges call. */
#include <string.h>

#include <wpa/clock.h>
#include <wpa/text.h>

#include "agent/pool.h"
#include "api/limits.h"
#include "api/routes.h"
#include "api/server.h"
#include "notify/notify.h"

#define TRIED "hook" /* what an address may try so often */

static const wpa_api_field answer_fields[] = {
    {.name = "status",
     .type = WPA_API_TEXT,
     .is_required = true,
     .words = "pong, queued (a scan), recorded (a run), ignored"},
    {.name = "event", .type = WPA_API_TEXT, .is_required = true},
    {.name = "reason", .type = WPA_API_TEXT, .words = "why it is ignored"},
    {.name = "scans", .type = WPA_API_LIST, .item = WPA_API_TEXT, .words = "repositories"},
    {.name = "workflows", .type = WPA_API_LIST, .item = WPA_API_TEXT},
    {.name = "duplicate", .type = WPA_API_BOOL, .words = "this delivery was taken before"},
    {0},
};

/** Whoever must wait anyway has nothing parsed, and no repository looked for. */
static bool may_be_read(void *context)
{
    const wpa_api_request *request = context;
    return wpa_api_limits_has(request->api->limits, TRIED, request->actor.address,
                              wpa_monotonic_ms());
}

/** Whoever is refused too often waits, and fills no log meanwhile. */
static bool refuse(wpa_api_request *request, wpa_error *err)
{
    int64_t wait_s = 0;
    wpa_error ignored = {0};
    request->status = 401;
    if (!wpa_api_limits_take(request->api->limits, TRIED, request->actor.address,
                             wpa_monotonic_ms(), &wait_s)) {
        wpa_api_set_header(request->call, "Retry-After",
                           wpa_arena_printf(request->arena, "%lld", (long long)wait_s));
        request->status = 429;
        wpa_error_clear(err);
        return WPA_FAIL(err, WPA_E_DENIED, "too many refused calls from %s: try again in %lld s",
                        request->actor.address, (long long)wait_s);
    }
    const wpa_actor nobody = request->actor;
    (void)!wpa_agent_record_refusal(request->engine, &nobody, err->message, "webhook", &ignored);
    return false;
}

static bool check_type(wpa_api_request *request, wpa_error *err)
{
    const char *type = wpa_api_request_header(request, "Content-Type");
    if (type && wpa_text_starts(type, "application/json")) {
        return true;
    }
    request->status = 415;
    return WPA_FAIL(err, WPA_E_INVALID, "the webhook's content type must be application/json");
}

static wpa_api_next take(wpa_api_request *request, wpa_error *err)
{
    bool is_done = false;
    /* The engine does what a forge asks for, from the forge's address. */
    wpa_actor actor = *wpa_engine_actor(request->engine);
    (void)wpa_text_copy(actor.address, sizeof actor.address, request->actor.address);
    (void)wpa_text_copy(actor.user_agent, sizeof actor.user_agent, request->actor.user_agent);
    const wpa_hook_call call = {
        .event = wpa_api_request_header(request, "X-GitHub-Event"),
        .delivery = wpa_api_request_header(request, "X-GitHub-Delivery"),
        .signature = wpa_api_request_header(request, "X-Hub-Signature-256"),
        .body = request->raw ? request->raw : "",
        .body_bytes = request->raw_bytes,
        .actor = &actor,
        .log = request->api->log,
        .may_be_read = may_be_read,
        .context = request,
    };
    if (!check_type(request, err)) {
        return WPA_API_FAILED;
    }
    wpa_db *db = wpa_engine_take(request->engine, err);
    const wpa_json *answer = db ? wpa_hook_github(db, &call, &is_done, request->arena, err) : NULL;
    wpa_engine_give(request->engine, db);
    if (!answer) {
        if (err->code == WPA_E_DENIED) {
            (void)refuse(request, err);
        }
        return WPA_API_FAILED;
    }
    request->status = is_done ? 200 : 202;
    return wpa_api_answer(request, wpa_json_dup(answer, request->arena));
}

const wpa_api_route wpa_api_webhook_github = {
    .method = "POST",
    .path = "/webhooks/github",
    .access = WPA_API_OPEN,
    .tag = "webhooks",
    .summary = "Take a webhook of GitHub, or of who sends the same",
    .details =
        "Signed by X-Hub-Signature-256 over the body as it comes, which is JSON of at most 4 MiB. "
        "A "
        "push to a followed branch queues a scan, a completed workflow_run goes into the run "
        "history and scores the workflow anew; anything else is answered 202 with the reason. A "
        "delivery (X-GitHub-Delivery) that comes again is answered the same and changes nothing. "
        "What is refused is in the audit log, and an address that is refused often must wait.",
    .answer = answer_fields,
    .takes_raw = true,
    .run = take,
};
