#include "auth/jws.h"

#include <string.h>

#include <jwt.h>

#include <wpa/text.h>

#include "auth/hash.h"
#include "auth/signature.h"
#include "auth/token.h"
#include "gen/calls_jwt.h"

/* A part of the token as JSON; NULL unless it is an object without repeated keys. */
static const wpa_json *read_part(const char *at, size_t length, wpa_arena *arena)
{
    wpa_error unread = {0};
    size_t size = 0;
    uint8_t *text = wpa_base64_decode(arena, at, length, true, &size, &unread);
    const wpa_json *value =
        text ? wpa_json_parse((char *)text, size, WPA_TOKEN_MAX_BYTES, arena, &unread) : NULL;
    return value && wpa_json_kind_of(value) == WPA_JSON_OBJECT ? value : NULL;
}

/* RFC 7515 section 4.1.9: "application/" may be left out, case does not count. */
static bool is_type(const wpa_json *type, wpa_jws_kind kind)
{
    const char *name = wpa_json_text_of(type);
    return !type || wpa_text_is_ci(name, "JWT") ||
           (kind == WPA_JWS_ACCESS &&
            (wpa_text_is_ci(name, "at+jwt") || wpa_text_is_ci(name, "application/at+jwt")));
}

static const char *check_header(wpa_jws *jws, const char *const algorithms[], size_t n,
                                wpa_jws_kind kind)
{
    jws->algorithm = wpa_json_text_of(wpa_json_find(jws->header, "alg"));
    jws->kid = wpa_json_text_of(wpa_json_find(jws->header, "kid"));
    if (!jws->algorithm || wpa_text_index(jws->algorithm, algorithms, n) < 0) {
        return "algorithm";
    }
    if (!is_type(wpa_json_find(jws->header, "typ"), kind)) {
        return "type";
    }
    return wpa_json_find(jws->header, "crit") ? "critical header" : NULL;
}

const char *wpa_jws_read(const char *token, const char *const algorithms[], size_t n,
                         wpa_jws_kind kind, wpa_arena *arena, wpa_jws *jws)
{
    size_t size = token ? strnlen(token, WPA_TOKEN_MAX_BYTES + 1) : 0;
    *jws = (wpa_jws){.token = token};
    if (size > WPA_TOKEN_MAX_BYTES) {
        return "too long";
    }
    const char *first_dot = size ? strchr(token, '.') : NULL;
    const char *second_dot = first_dot ? strchr(first_dot + 1, '.') : NULL;
    if (!second_dot || strchr(second_dot + 1, '.')) {
        return "not three parts";
    }
    jws->header = read_part(token, (size_t)(first_dot - token), arena);
    jws->payload = read_part(first_dot + 1, (size_t)(second_dot - first_dot - 1), arena);
    return jws->header && jws->payload ? check_header(jws, algorithms, n, kind) : "malformed";
}

static void free_jwt(jwt_t **jwt)
{
    if (*jwt) {
        jwt_free(*jwt);
    }
}

/* The library takes the algorithm from the token: it is asked which one it was. */
static bool is_signed_by_us(const wpa_jws *jws, const void *key, size_t size_bytes)
{
    __attribute__((cleanup(free_jwt))) jwt_t *jwt = NULL;
    return jwt_decode(&jwt, jws->token, key, (int)size_bytes) == 0 &&
           jwt_get_alg(jwt) == JWT_ALG_HS256;
}

/* Not by libjwt, which takes no token of another type than JWT. */
static bool is_signed_by_issuer(const wpa_jws *jws, const char *algorithm, const char *pem,
                                wpa_arena *arena)
{
    wpa_error unread = {0};
    size_t size = 0;
    const char *dot = strrchr(jws->token, '.');
    uint8_t *signature = wpa_base64_decode(arena, dot + 1, strlen(dot + 1), true, &size, &unread);
    return signature && wpa_signature_is_good(algorithm, pem, jws->token,
                                              (size_t)(dot - jws->token), signature, size);
}

const char *wpa_jws_check_signature(const wpa_jws *jws, const char *algorithm, const void *key,
                                    size_t size_bytes, wpa_arena *arena)
{
    if (!wpa_text_is(jws->algorithm, algorithm)) {
        return "algorithm"; /* this key is of another kind: RFC 8725 section 3.1 */
    }
    bool is_good = wpa_text_is(algorithm, "HS256")
                       ? is_signed_by_us(jws, key, size_bytes)
                       : is_signed_by_issuer(jws, algorithm, key, arena);
    return is_good ? NULL : "signature";
}

const char *wpa_jws_check_times(const wpa_jws *jws, int64_t now_s, wpa_jws_times *times)
{
    wpa_error unread = {0};
    int64_t not_before_s = 0;
    if (!wpa_json_get_int(jws->payload, "exp", 1, INT64_MAX, &times->expires_at_s, &unread) ||
        !wpa_json_get_int(jws->payload, "iat", 0, INT64_MAX - WPA_JWS_CLOCK_SKEW_S,
                          &times->issued_at_s, &unread) ||
        !wpa_json_opt_int(jws->payload, "nbf", 0, INT64_MAX, &not_before_s, &unread)) {
        return "times";
    }
    if (now_s >= times->expires_at_s) {
        return "expired";
    }
    int64_t latest_s = now_s + WPA_JWS_CLOCK_SKEW_S;
    return not_before_s > latest_s || times->issued_at_s > latest_s ? "not yet valid" : NULL;
}

bool wpa_jws_is_for(const wpa_jws *jws, const char *audience)
{
    const wpa_json *named = wpa_json_find(jws->payload, "aud");
    if (wpa_text_is(wpa_json_text_of(named), audience)) {
        return true;
    }
    bool is_named = false;
    for (size_t i = 0;
         named && wpa_json_kind_of(named) == WPA_JSON_ARRAY && i < wpa_json_count(named); i++) {
        is_named |= wpa_text_is(wpa_json_text_of(wpa_json_at(named, i)), audience);
    }
    return is_named;
}
