/* The device flow (RFC 8628): a person at a terminal without a browser signs in with one elsewhere.
 */
#include <string.h>

#include <wpa/text.h>

#include "auth/hash.h"
#include "auth/provider.h"

#define GRANT "urn:ietf:params:oauth:grant-type:device_code"
#define INTERVAL_S 5
#define INTERVAL_MAX_S 120
#define SLOWER_MS 5000
#define UNWELL_MAX_MS 60000
#define CODE_MAX_BYTES 64
#define DEVICE_CODE_MAX_BYTES 4096
#define LIFE_MAX_S 3600
#define NONCE_BYTES 16

/* ---- forms --------------------------------------------------------------------------------------
 */

static const char *add_field(const char *form, const char *name, const char *value,
                             wpa_arena *arena)
{
    return value ? wpa_arena_printf(arena, "%s%s%s=%s", form, *form ? "&" : "", name,
                                    wpa_text_url_encode(arena, value))
                 : form;
}

static const char *add_client(const wpa_issuer *issuer, const char *form, wpa_arena *arena)
{
    form = add_field(form, "client_id", issuer->options.client_id, arena);
    return add_field(form, "client_secret", issuer->options.client_secret, arena);
}

/* Shown in a terminal, so just what a person can type. */
static bool is_typeable(const char *code)
{
    size_t length = code ? strlen(code) : 0;
    for (size_t i = 0; i < length; i++) {
        if (code[i] <= 0x20 || code[i] >= 0x7f) {
            return false;
        }
    }
    return length > 0 && length <= CODE_MAX_BYTES;
}

/* {"error": ...} of RFC 6749 section 5.2; "" if it is none. */
static const char *error_of(const wpa_json *answer)
{
    const char *error = wpa_json_text_of(wpa_json_find(answer, "error"));
    return error ? error : "";
}

/* ---- the start ----------------------------------------------------------------------------------
 */

static bool read_start(const wpa_issuer *issuer, const wpa_json *answer, wpa_arena *arena,
                       wpa_device_flow *flow, wpa_error *err)
{
    int64_t life_s = 0, interval_s = INTERVAL_S;
    const char *code = wpa_json_get_text(answer, "device_code", err);
    const char *user_code = code ? wpa_json_get_text(answer, "user_code", err) : NULL;
    const char *url = user_code ? wpa_json_get_text(answer, "verification_uri", err) : NULL;
    const char *whole = NULL;
    if (!url || !wpa_json_opt_text(answer, "verification_uri_complete", &whole, err) ||
        !wpa_json_get_int(answer, "expires_in", 1, INT32_MAX, &life_s, err) ||
        !wpa_json_opt_int(answer, "interval", 0, INT32_MAX, &interval_s, err)) {
        return false;
    }
    if (!is_typeable(user_code) || strlen(code) > DEVICE_CODE_MAX_BYTES ||
        !wpa_issuer_may_name(issuer->options.url, url) ||
        (whole && !wpa_issuer_may_name(issuer->options.url, whole))) {
        return WPA_FAIL(err, WPA_E_INVALID, "a code or address that cannot be shown");
    }
    interval_s = interval_s < 1 ? 1 : interval_s > INTERVAL_MAX_S ? INTERVAL_MAX_S : interval_s;
    life_s = life_s > LIFE_MAX_S ? LIFE_MAX_S : life_s;
    flow->device_code = wpa_arena_text(arena, code);
    flow->user_code = wpa_arena_text(arena, user_code);
    flow->url = wpa_arena_text(arena, url);
    flow->whole_url = wpa_arena_text(arena, whole);
    flow->interval_ms = flow->usual_interval_ms = interval_s * 1000;
    flow->expires_at_ms = wpa_issuer_now_ms(issuer) + life_s * 1000;
    return true;
}

bool wpa_device_begin(wpa_issuer *issuer, wpa_arena *arena, wpa_device_flow *flow, wpa_error *err)
{
    wpa_issuer_endpoints endpoints;
    uint8_t random[NONCE_BYTES];
    char nonce[2 * NONCE_BYTES + 1];
    int status = 0;
    *flow = (wpa_device_flow){0};
    if (!wpa_issuer_discover(issuer, arena, &endpoints, err)) {
        return false;
    }
    if (!endpoints.device || !endpoints.token) {
        return WPA_FAIL(err, WPA_E_INVALID, "issuer '%s' has no device flow", issuer->options.url);
    }
    wpa_random_bytes(random, sizeof random);
    wpa_hex_encode(random, sizeof random, nonce);
    const char *form = add_client(issuer, "", arena);
    form = add_field(form, "scope", "openid profile email", arena);
    form = add_field(form, "nonce", nonce, arena);
    const wpa_json *answer = wpa_issuer_ask(issuer, endpoints.device, form, arena, &status, err);
    if (!answer) {
        return false;
    }
    if (status != 200) {
        return WPA_FAIL(err, WPA_E_DENIED, "'%s' answers %d: %s", endpoints.device, status,
                        error_of(answer));
    }
    flow->nonce = wpa_arena_text(arena, nonce);
    flow->token_url = endpoints.token;
    return read_start(issuer, answer, arena, flow, err) ||
           wpa_error_within(err, "%s", endpoints.device);
}

/* ---- asking again -------------------------------------------------------------------------------
 */

static wpa_device_state fail_poll(const wpa_device_flow *flow, const wpa_json *answer, int status,
                                  wpa_error *err)
{
    const char *error = error_of(answer);
    if (wpa_text_is(error, "access_denied")) {
        (void)WPA_FAIL(err, WPA_E_DENIED, "the sign-in was refused in the browser");
    } else if (wpa_text_is(error, "expired_token")) {
        (void)WPA_FAIL(err, WPA_E_TIMEOUT, "the code '%s' has expired: begin again",
                       flow->user_code);
    } else {
        (void)WPA_FAIL(err, WPA_E_INVALID, "'%s' answers %d: %s", flow->token_url, status, error);
    }
    return WPA_DEVICE_FAILED;
}

/* Did the issuer answer nothing that a person has decided? Proxies before it that are unwell answer
   with pages of their own. */
static bool is_unwell(const wpa_json *answer, int status, const wpa_error *err)
{
    static const char *const words[] = {"server_error", "temporarily_unavailable"};
    if (status == 0) {
        return err->code == WPA_E_TIMEOUT || err->code == WPA_E_UNAVAILABLE;
    }
    return status >= 500 || status == 429 || status == 408 ||
           (answer && wpa_text_index(error_of(answer), words, WPA_COUNT(words)) >= 0);
}

/* It is asked again, later each time (RFC 8628 section 3.5), but never behind the code's end. */
static wpa_device_state bear(const wpa_issuer *issuer, wpa_device_flow *flow, wpa_error *err)
{
    int64_t longest_ms =
        flow->usual_interval_ms > UNWELL_MAX_MS ? flow->usual_interval_ms : UNWELL_MAX_MS;
    int64_t left_ms = flow->expires_at_ms - wpa_issuer_now_ms(issuer);
    wpa_error_clear(err);
    flow->interval_ms = flow->interval_ms * 2 > longest_ms ? longest_ms : flow->interval_ms * 2;
    if (flow->interval_ms > left_ms) {
        flow->interval_ms = left_ms > 0 ? left_ms : 0;
    }
    return WPA_DEVICE_PENDING;
}

wpa_device_state wpa_device_poll(wpa_issuer *issuer, wpa_device_flow *flow, wpa_arena *arena,
                                 const char **id_token, wpa_error *err)
{
    int status = 0;
    if (wpa_issuer_now_ms(issuer) >= flow->expires_at_ms) {
        (void)WPA_FAIL(err, WPA_E_TIMEOUT, "the code '%s' has expired: begin again",
                       flow->user_code);
        return WPA_DEVICE_FAILED;
    }
    const char *form = add_client(issuer, "", arena);
    form = add_field(form, "grant_type", GRANT, arena);
    form = add_field(form, "device_code", flow->device_code, arena);
    const wpa_json *answer = wpa_issuer_ask(issuer, flow->token_url, form, arena, &status, err);
    if ((!answer || status != 200) && is_unwell(answer, status, err)) {
        return bear(issuer, flow, err);
    }
    if (!answer) {
        return WPA_DEVICE_FAILED;
    }
    flow->interval_ms = flow->usual_interval_ms;
    if (status == 200) {
        *id_token = wpa_json_text_of(wpa_json_find(answer, "id_token"));
        if (*id_token) {
            return WPA_DEVICE_DONE;
        }
        (void)WPA_FAIL(err, WPA_E_INVALID, "'%s' gives no id_token", flow->token_url);
        return WPA_DEVICE_FAILED;
    }
    if (wpa_text_is(error_of(answer), "slow_down")) {
        flow->interval_ms = flow->usual_interval_ms += SLOWER_MS;
        return WPA_DEVICE_PENDING;
    }
    return wpa_text_is(error_of(answer), "authorization_pending")
               ? WPA_DEVICE_PENDING
               : fail_poll(flow, answer, status, err);
}
