#include "auth/token.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jwt.h>

#include <wpa/file.h>
#include <wpa/memory.h>
#include <wpa/text.h>

#include "auth/hash.h"
#include "gen/calls_jwt.h"
#include "json/json.h"

enum {
    MAX_KEYS = 8,
    KID_SIZE = 40,
    KEY_BYTES = 32,
    KEY_FILE_MAX_BYTES = 8192,
    CLOCK_SKEW_S = 60
};

/* The one algorithm that our own tokens use; what a header asks for does not count. */
static const char *const algorithm = "HS256";

typedef struct token_key {
    char kid[KID_SIZE];
    wpa_secret *secret;
} token_key;

struct wpa_token_keys {
    token_key keys[MAX_KEYS];
    size_t n_keys;
};

/* ---- the key file ------------------------------------------------------------------------------
 */

void wpa_token_keys_free(wpa_token_keys *keys)
{
    for (size_t i = 0; i < keys->n_keys; i++) {
        wpa_secret_free(keys->keys[i].secret);
    }
    wpa_free(keys);
}

/* Whole or not at all: written beside, then linked, so that of two starters one wins for both. */
static bool make_key_file(const char *path, wpa_arena *arena, wpa_error *err)
{
    uint8_t key[KEY_BYTES], id[8];
    char kid[2 * sizeof id + 1];
    wpa_random_bytes(key, sizeof key);
    wpa_random_bytes(id, sizeof id);
    wpa_hex_encode(id, sizeof id, kid);
    char *encoded = wpa_base64_encode(arena, key, sizeof key, true);
    char *line = wpa_arena_printf(arena, "%s %s %s\n", algorithm, kid, encoded);
    char *beside = wpa_arena_printf(arena, "%s.%s", path, kid);
    bool is_good = wpa_file_replace(beside, line, strlen(line), 0600, err);
    wpa_wipe(key, sizeof key);
    wpa_wipe(encoded, strlen(encoded));
    wpa_wipe(line, strlen(line));
    if (is_good && link(beside, path) != 0 && errno != EEXIST) {
        is_good = WPA_FAIL(err, WPA_E_IO, "cannot make '%s': %s", path, wpa_strerror(errno));
    }
    unlink(beside);
    return is_good;
}

static bool check_key_file(const char *path, wpa_error *err)
{
    struct stat info;
    if (lstat(path, &info) != 0) {
        return WPA_FAIL(err, WPA_E_IO, "cannot read '%s': %s", path, wpa_strerror(errno));
    }
    if (!S_ISREG(info.st_mode) || info.st_uid != geteuid() || (info.st_mode & 077) != 0) {
        return WPA_FAIL(err, WPA_E_DENIED,
                        "the key file '%s' must belong to you and be closed to others (chmod 600)",
                        path);
    }
    return true;
}

/* "HS256 kid key": cut in place. */
static bool read_key(wpa_token_keys *keys, char *line, wpa_arena *arena)
{
    char *kid = strchr(line, ' ');
    char *encoded = kid ? strchr(kid + 1, ' ') : NULL;
    if (!encoded || keys->n_keys == MAX_KEYS) {
        return false;
    }
    *kid++ = 0;
    *encoded++ = 0;
    token_key *key = &keys->keys[keys->n_keys];
    size_t size = 0;
    wpa_error unread = {0};
    uint8_t *bytes = wpa_base64_decode(arena, encoded, strlen(encoded), true, &size, &unread);
    if (!bytes || strcmp(line, algorithm) != 0 || !*kid ||
        !wpa_text_copy(key->kid, sizeof key->kid, kid)) {
        return false;
    }
    key->secret = wpa_secret_new(bytes, size);
    keys->n_keys++;
    wpa_wipe(bytes, size);
    return size >= KEY_BYTES;
}

wpa_token_keys *wpa_token_keys_open(const char *path, wpa_error *err)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    if (!wpa_jwt_open(err) || (!wpa_path_exists(path) && !make_key_file(path, arena, err)) ||
        !check_key_file(path, err)) {
        return NULL;
    }
    size_t size = 0;
    char *text = wpa_file_read(path, KEY_FILE_MAX_BYTES, arena, &size, err);
    if (!text) {
        return NULL;
    }
    WPA_AUTO(wpa_token_keys) *keys = wpa_alloc(sizeof *keys);
    bool is_good = true;
    int number = 1;
    for (char *line = text, *end; is_good && *line; line = end, number++) {
        end = strchrnul(line, '\n');
        end += *end ? 1 : 0;
        if (end[-1] == '\n') {
            end[-1] = 0;
        }
        is_good = read_key(keys, line, arena);
    }
    wpa_wipe(text, size);
    if (!is_good || keys->n_keys == 0) {
        WPA_FAIL(err, WPA_E_INVALID, "key file '%s', line %d: expected '%s <kid> <key>'", path,
                 number - (is_good ? 0 : 1), algorithm);
        return NULL;
    }
    return WPA_STEAL(keys);
}

/* ---- issue ---- */

static void free_jwt(jwt_t **jwt)
{
    if (*jwt) {
        jwt_free(*jwt);
    }
}

#define AUTO_JWT __attribute__((cleanup(free_jwt))) jwt_t

char *wpa_token_issue(const wpa_token_keys *keys, const wpa_token_claims *claims, wpa_arena *arena,
                      wpa_error *err)
{
    const token_key *key = &keys->keys[0];
    AUTO_JWT *jwt = NULL;
    wpa_json *payload = wpa_json_new_object(arena);
    wpa_json_set_text(payload, "iss", WPA_TOKEN_ISSUER);
    wpa_json_set_text(payload, "aud", WPA_TOKEN_AUDIENCE);
    wpa_json_set_text(payload, "sub", claims->subject);
    wpa_json_set_text(payload, "role", claims->role);
    wpa_json_set_text(payload, "jti", claims->jti);
    wpa_json_set_int(payload, "iat", claims->issued_at_s);
    wpa_json_set_int(payload, "exp", claims->expires_at_s);
    bool is_good = jwt_new(&jwt) == 0 &&
                   jwt_add_grants_json(jwt, wpa_json_dump(payload, arena)) == 0 &&
                   jwt_add_header(jwt, "kid", key->kid) == 0 &&
                   jwt_set_alg(jwt, JWT_ALG_HS256, wpa_secret_bytes(key->secret),
                               (int)wpa_secret_size(key->secret)) == 0;
    char *encoded = is_good ? jwt_encode_str(jwt) : NULL;
    if (!encoded) {
        WPA_FAIL(err, WPA_E_INTERNAL, "cannot sign a token: %s", wpa_strerror(errno));
        return NULL;
    }
    char *token = wpa_arena_text(arena, encoded);
    wpa_wipe(encoded, strlen(encoded));
    free(encoded); /* 1.10 has no function of its own for it */
    return token;
}

/* ---- verify ---- */

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

static const token_key *choose_key(const wpa_token_keys *keys, const wpa_json *header)
{
    const char *kid = wpa_json_text_of(wpa_json_find(header, "kid"));
    for (size_t i = 0; kid && i < keys->n_keys; i++) {
        if (strcmp(keys->keys[i].kid, kid) == 0) {
            return &keys->keys[i];
        }
    }
    return NULL;
}

static const char *check_header(const wpa_json *header)
{
    const wpa_json *type = wpa_json_find(header, "typ");
    if (!wpa_text_is(wpa_json_text_of(wpa_json_find(header, "alg")), algorithm)) {
        return "algorithm";
    }
    if (type && !wpa_text_is(wpa_json_text_of(type), "JWT")) {
        return "type";
    }
    return wpa_json_find(header, "crit") ? "critical header" : NULL;
}

static const char *check_signature(const token_key *key, const char *token)
{
    AUTO_JWT *jwt = NULL;
    bool is_signed = jwt_decode(&jwt, token, wpa_secret_bytes(key->secret),
                                (int)wpa_secret_size(key->secret)) == 0;
    /* The library takes the algorithm from the token: ask which one it was. */
    return is_signed && jwt_get_alg(jwt) == JWT_ALG_HS256 ? NULL : "signature";
}

static bool names_us(const wpa_json *audience)
{
    if (wpa_text_is(wpa_json_text_of(audience), WPA_TOKEN_AUDIENCE)) {
        return true;
    }
    bool is_named = false;
    for (size_t i = 0;
         audience && wpa_json_kind_of(audience) == WPA_JSON_ARRAY && i < wpa_json_count(audience);
         i++) {
        is_named |= wpa_text_is(wpa_json_text_of(wpa_json_at(audience, i)), WPA_TOKEN_AUDIENCE);
    }
    return is_named;
}

static const char *check_times(const wpa_json *payload, int64_t now_s, wpa_token_claims *claims)
{
    wpa_error unread = {0};
    int64_t not_before_s = 0;
    if (!wpa_json_get_int(payload, "exp", 1, INT64_MAX, &claims->expires_at_s, &unread) ||
        !wpa_json_get_int(payload, "iat", 0, INT64_MAX - CLOCK_SKEW_S, &claims->issued_at_s,
                          &unread) ||
        !wpa_json_opt_int(payload, "nbf", 0, INT64_MAX, &not_before_s, &unread)) {
        return "times";
    }
    if (now_s >= claims->expires_at_s) {
        return "expired";
    }
    if (not_before_s > now_s + CLOCK_SKEW_S || claims->issued_at_s > now_s + CLOCK_SKEW_S) {
        return "not yet valid";
    }
    return NULL;
}

static const char *check_claims(const wpa_json *payload, int64_t now_s, wpa_token_claims *claims)
{
    if (!wpa_text_is(wpa_json_text_of(wpa_json_find(payload, "iss")), WPA_TOKEN_ISSUER)) {
        return "issuer";
    }
    if (!names_us(wpa_json_find(payload, "aud"))) {
        return "audience";
    }
    claims->subject = wpa_json_text_of(wpa_json_find(payload, "sub"));
    claims->role = wpa_json_text_of(wpa_json_find(payload, "role"));
    claims->jti = wpa_json_text_of(wpa_json_find(payload, "jti"));
    if (!claims->subject || !claims->role || !wpa_uuid_is_valid(claims->jti)) {
        return "identity";
    }
    return check_times(payload, now_s, claims);
}

static const char *verify(const wpa_token_keys *keys, const char *token, int64_t now_s,
                          wpa_arena *arena, wpa_token_claims *claims)
{
    size_t size = token ? strnlen(token, WPA_TOKEN_MAX_BYTES + 1) : 0;
    if (size > WPA_TOKEN_MAX_BYTES) {
        return "too long";
    }
    const char *first_dot = size ? strchr(token, '.') : NULL;
    const char *second_dot = first_dot ? strchr(first_dot + 1, '.') : NULL;
    if (!second_dot || strchr(second_dot + 1, '.')) {
        return "not three parts";
    }
    const wpa_json *header = read_part(token, (size_t)(first_dot - token), arena);
    const wpa_json *payload = read_part(first_dot + 1, (size_t)(second_dot - first_dot - 1), arena);
    if (!header || !payload) {
        return "malformed";
    }
    const char *fault = check_header(header);
    const token_key *key = choose_key(keys, header);
    if (!fault) {
        fault = key ? check_signature(key, token) : "unknown key";
    }
    return fault ? fault : check_claims(payload, now_s, claims);
}

bool wpa_token_verify(const wpa_token_keys *keys, const char *token, int64_t now_s,
                      wpa_arena *arena, wpa_token_claims *claims, const char **why, wpa_error *err)
{
    *claims = (wpa_token_claims){0};
    const char *fault = verify(keys, token, now_s, arena, claims);
    if (why) {
        *why = fault;
    }
    if (fault) {
        *claims = (wpa_token_claims){0};
        return WPA_FAIL(err, WPA_E_DENIED, "the token is not valid; sign in again");
    }
    return true;
}
