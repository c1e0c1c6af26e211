/* One-time codes: switching them on and off. */
#include <string.h>

#include <wpa/clock.h>

#include "agent/pool.h"
#include "api/routes.h"
#include "guardian/code.h"

static const wpa_api_field secret_answer[] = {
    {.name = "secret", .type = WPA_API_TEXT, .is_required = true, .words = "base32, for typing"},
    {.name = "uri",
     .type = WPA_API_TEXT,
     .is_required = true,
     .words = "for an authenticator app, as text or picture",
     .example = "\"otpauth://totp/wpa:ada?secret=...\""},
    {0},
};

static const wpa_api_field enrol_body[] = {
    WPA_API_PASSPHRASE,
    {0},
};

static const wpa_api_field code_body[] = {
    {.name = "code",
     .type = WPA_API_TEXT,
     .is_required = true,
     .min = 1,
     .max = 64,
     .example = "\"123456\""},
    {0},
};

static const wpa_api_field recovery_answer[] = {
    {.name = "recovery_codes",
     .type = WPA_API_LIST,
     .item = WPA_API_TEXT,
     .is_required = true,
     .words = "each takes the place of a one-time code once"},
    {0},
};

/* A person's own: a machine has no device. */
static bool is_person(const wpa_api_request *request, wpa_error *err)
{
    return !request->scopes || WPA_FAIL(err, WPA_E_REFUSED, "a machine has no one-time codes");
}

static wpa_api_next enrol(wpa_api_request *request, wpa_error *err)
{
    wpa_code_secret made;
    WPA_AUTO(wpa_secret) *passphrase = wpa_api_body_passphrase(request);
    wpa_db *db = is_person(request, err) ? wpa_engine_take(request->engine, err) : NULL;
    bool is_made = db && wpa_code_enrol(db, wpa_engine_codes_key(request->engine), &request->actor,
                                        passphrase, request->arena, &made, err);
    wpa_engine_give(request->engine, db);
    if (!is_made) {
        return WPA_API_FAILED;
    }
    request->holds_secret = true;
    wpa_json *answer = wpa_json_new_object(request->arena);
    wpa_json_set_text(answer, "secret", made.secret);
    wpa_json_set_text(answer, "uri", made.uri);
    return wpa_api_answer(request, answer);
}

static wpa_api_next confirm(wpa_api_request *request, wpa_error *err)
{
    const char *recovery[WPA_CODE_RECOVERY_COUNT];
    wpa_db *db = is_person(request, err) ? wpa_engine_take(request->engine, err) : NULL;
    bool is_on = db && wpa_code_confirm(db, wpa_engine_codes_key(request->engine), &request->actor,
                                        wpa_api_body_text(request, "code"), wpa_now_us() / 1000000,
                                        request->arena, recovery, err);
    wpa_engine_give(request->engine, db);
    if (!is_on) {
        return WPA_API_FAILED;
    }
    request->holds_secret = true;
    wpa_json *answer = wpa_json_new_object(request->arena);
    wpa_json *codes = wpa_json_set_array(answer, "recovery_codes");
    for (size_t i = 0; i < WPA_CODE_RECOVERY_COUNT; i++) {
        wpa_json_push_text(codes, recovery[i]);
    }
    return wpa_api_answer(request, answer);
}

static wpa_api_next switch_off(wpa_api_request *request, const char *name, wpa_error *err)
{
    wpa_db *db = is_person(request, err) ? wpa_engine_take(request->engine, err) : NULL;
    bool is_off =
        db && wpa_code_remove(db, wpa_engine_codes_key(request->engine), &request->actor, name,
                              wpa_api_body_text(request, "code"), wpa_now_us() / 1000000, err);
    wpa_engine_give(request->engine, db);
    return is_off ? WPA_API_DONE : WPA_API_FAILED;
}

static wpa_api_next switch_off_own(wpa_api_request *request, wpa_error *err)
{
    return switch_off(request, NULL, err);
}

static wpa_api_next switch_off_other(wpa_api_request *request, wpa_error *err)
{
    const char *name;
    return wpa_api_principal_name(request, &name, err) ? switch_off(request, name, err)
                                                       : WPA_API_FAILED;
}

const wpa_api_route wpa_api_code_enrol = {
    .method = "POST",
    .path = "/auth/code",
    .access = WPA_API_READ,
    .scope = "admin",
    .tag = "sign-in",
    .summary = "Begin to use one-time codes (RFC 6238)",
    .details =
        "The passphrase is wanted, so that a token alone is not enough to lock its owner out. "
        "The secret is shown this once; nothing is asked for at sign-in before it is "
        "confirmed with a first code.",
    .body = enrol_body,
    .answer = secret_answer,
    .status = 201,
    .example_body = "{\"passphrase\": \"correct horse battery staple\"}",
    .run = enrol,
};

const wpa_api_route wpa_api_code_confirm = {
    .method = "POST",
    .path = "/auth/code/confirm",
    .access = WPA_API_READ,
    .scope = "admin",
    .tag = "sign-in",
    .summary = "Switch one-time codes on with a first code",
    .details = "From then on each sign-in with the passphrase needs the field `code`. The recovery "
               "codes are shown this once.",
    .body = code_body,
    .answer = recovery_answer,
    .example_body = "{\"code\": \"123456\"}",
    .run = confirm,
};

const wpa_api_route wpa_api_code_off = {
    .method = "POST",
    .path = "/auth/code/off",
    .access = WPA_API_READ,
    .scope = "admin",
    .tag = "sign-in",
    .summary = "Switch one's own one-time codes off with a last code",
    .body = code_body,
    .status = 204,
    .example_body = "{\"code\": \"123456\"}",
    .run = switch_off_own,
};

const wpa_api_route wpa_api_guardian_code_off = {
    .method = "DELETE",
    .path = "/guardians/{name}/code",
    .access = WPA_API_GUARDIAN,
    .scope = "admin",
    .tag = "guardians",
    .summary = "Ask a person who has lost his device for no one-time code any more",
    .status = 204,
    .example = "/guardians/hall/code",
    .run = switch_off_other,
};
