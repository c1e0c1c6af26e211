/* Signed JSON by POST, and what the other channels share with it. */
#include <string.h>

#include <wpa/clock.h>
#include <wpa/text.h>

#include "auth/hash.h"
#include "http/http.h"
#include "notify/channel.h"

#define ANSWER_MAX_BYTES ((size_t)64 << 10)
#define STATUS_GONE 410

const char *wpa_delivery_text(const wpa_delivery *delivery, const char *setting)
{
    return wpa_json_text_of(wpa_json_find(delivery->settings, setting));
}

static void set_time(wpa_json *object, const char *key, int64_t time_us)
{
    char text[WPA_TIMESTAMP_SIZE];
    if (time_us) {
        wpa_json_set_text(object, key, wpa_timestamp_format(time_us, text));
    } else {
        wpa_json_set_null(object, key);
    }
}

static wpa_json *matter_json(const wpa_delivery *delivery)
{
    const wpa_matter *matter = delivery->matter;
    wpa_json *object = wpa_json_new_object(delivery->arena);
    wpa_json_set_text(object, "key", matter->key);
    wpa_json_set_text(object, "kind", matter->kind);
    wpa_json_set_text(object, "status", delivery->is_over ? "resolved" : "firing");
    wpa_json_set_text(object, "summary", matter->summary);
    set_time(object, "started_at", matter->started_at_us);
    set_time(object, "ended_at", delivery->is_over ? matter->ended_at_us : 0);
    return object;
}

const char *wpa_delivery_json(const wpa_delivery *delivery)
{
    wpa_arena *arena = delivery->arena;
    wpa_json *object = wpa_json_new_object(arena);
    wpa_json_set_text(object, "delivery", delivery->uid);
    wpa_json_set_text(object, "event", delivery->event);
    wpa_json_set_text(object, "severity", delivery->severity);
    set_time(object, "at", delivery->at_us);
    wpa_json_set_text(object, "subject", delivery->subject);
    wpa_json_set_text(object, "id", delivery->short_name);
    wpa_json_set_text(object, "message", delivery->message);
    wpa_json_set(object, "repositories", wpa_json_dup(delivery->repositories, arena));
    wpa_json_set(object, "detail", wpa_json_dup(delivery->detail, arena));
    wpa_json_set(object, "matter",
                 delivery->matter ? matter_json(delivery) : wpa_json_new_null(arena));
    wpa_json_set_bool(object, "test", delivery->is_test);
    wpa_json_set_text(object, "sender", "wpa/" WPA_VERSION);
    return wpa_json_dump(object, arena);
}

/** What may be told of an address: as the destination's settings are shown, the path of one of
   Slack and any query are secrets. */
static const char *visible_url(const wpa_delivery *delivery, const char *url)
{
    bool is_slack = wpa_text_is(delivery->channel, "slack");
    const char *host = strstr(url, "://");
    if (is_slack && (delivery->secret || !host)) {
        return "the address in the secret";
    }
    size_t length =
        is_slack ? (size_t)(host + 3 - url) + strcspn(host + 3, "/?#") : strcspn(url, "?");
    const char *rest = is_slack ? "/..." : url[length] ? "?..." : "";
    return wpa_arena_printf(delivery->arena, "%.*s%s", (int)length, url, rest);
}

bool wpa_delivery_post(const wpa_delivery *delivery, const char *url, const char *body,
                       const char *const *headers, wpa_outcome *outcome, wpa_error *err)
{
    const wpa_http_request request = {
        .method = "POST",
        .url = url,
        .shown_url = visible_url(delivery, url),
        .headers = headers,
        .body = body,
        .body_bytes = strlen(body),
        .timeout_ms = delivery->timeout_ms,
        .max_body_bytes = ANSWER_MAX_BYTES,
        .is_redirect_refused = true,
        .is_private_refused = !delivery->is_private_allowed,
        .tls_roots = wpa_delivery_text(delivery, "ca_file"),
        .is_cancelled = delivery->is_stopped,
        .cancel_context = delivery->context,
    };
    int64_t started_ms = wpa_monotonic_ms();
    const wpa_http_response *response = wpa_http_send(&request, delivery->arena, err);
    outcome->latency_ms = wpa_monotonic_ms() - started_ms;
    if (!response) {
        return false;
    }
    size_t length = response->body_bytes < WPA_NOTIFY_ANSWER_MAX_BYTES
                        ? response->body_bytes
                        : WPA_NOTIFY_ANSWER_MAX_BYTES;
    outcome->status = response->status;
    outcome->answer = wpa_text_visible(delivery->arena, response->body, length, false);
    outcome->retry_after_ms = response->retry_after_ms;
    outcome->is_final = response->status == STATUS_GONE;
    if (response->status >= 300 && response->status < 400) {
        return WPA_FAIL(err, WPA_E_REFUSED,
                        "answered %d: redirects are not followed, give the address it leads to",
                        response->status);
    }
    return (response->status >= 200 && response->status < 300) ||
           WPA_FAIL(err, WPA_E_UNAVAILABLE, "answered %d%s%s", response->status,
                    outcome->answer[0] ? ": " : "",
                    wpa_text_ellipsis(delivery->arena, outcome->answer, 200));
}

/** sha256=<hex> of "<timestamp>.<body>": an old delivery cannot be sent again as a new one. */
static const char *sign(const wpa_delivery *delivery, const char *timestamp, const char *body)
{
    uint8_t mac[WPA_SHA256_SIZE];
    wpa_arena *arena = delivery->arena;
    const char *text = wpa_arena_printf(arena, "%s.%s", timestamp, body);
    wpa_hmac_sha256(wpa_secret_bytes(delivery->secret), wpa_secret_size(delivery->secret), text,
                    strlen(text), mac);
    char *hex = wpa_arena_alloc(arena, 2 * sizeof mac + 1);
    wpa_hex_encode(mac, sizeof mac, hex);
    return hex;
}

bool wpa_webhook_send(const wpa_delivery *delivery, wpa_outcome *outcome, wpa_error *err)
{
    wpa_arena *arena = delivery->arena;
    const char *body = wpa_delivery_json(delivery);
    const char *timestamp = wpa_arena_printf(arena, "%lld", (long long)(wpa_now_us() / 1000000));
    const char *signature = delivery->secret
                                ? wpa_arena_printf(arena, "X-Wpa-Signature-256: sha256=%s",
                                                   sign(delivery, timestamp, body))
                                : NULL;
    const char *const headers[] = {
        "Content-Type: application/json",
        wpa_arena_printf(arena, "X-Wpa-Event: %s", delivery->event),
        wpa_arena_printf(arena, "X-Wpa-Delivery: %s", delivery->uid),
        wpa_arena_printf(arena, "X-Wpa-Attempt: %d", delivery->tries),
        wpa_arena_printf(arena, "X-Wpa-Timestamp: %s", timestamp),
        signature,
        NULL,
    };
    return wpa_delivery_post(delivery, wpa_delivery_text(delivery, "url"), body, headers, outcome,
                             err);
}
