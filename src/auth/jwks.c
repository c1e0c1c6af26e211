#include "auth/jwks.h"

#include <string.h>

#include <wpa/text.h>

#include "auth/hash.h"
#include "json/json.h"

enum {
    RSA_MIN_BYTES = 256,
    RSA_MAX_BYTES = 1024,
    EXPONENT_MAX_BYTES = 4,
    P256_BYTES = 32,
    KID_MAX_BYTES = 256,
    DER_MAX_BYTES = RSA_MAX_BYTES + 64,
    PEM_LINE = 64
};

/* ---- DER ----------------------------------------------------------------------------------------
 * Written from the inside out: content first, then its header in front of it.
 */

typedef struct der {
    uint8_t bytes[DER_MAX_BYTES];
    size_t at; /* what is written lies behind here */
} der;

static void put(der *out, const void *bytes, size_t n)
{
    out->at -= n;
    memcpy(out->bytes + out->at, bytes, n);
}

static void put_byte(der *out, size_t value)
{
    out->bytes[--out->at] = (uint8_t)value;
}

/* Tag and length of what was written since the end stood at this place. */
static void close_tag(der *out, size_t end, uint8_t tag)
{
    size_t length = end - out->at;
    if (length < 0x80) {
        put_byte(out, length);
    } else {
        size_t n = 0;
        for (size_t rest = length; rest > 0; rest >>= 8, n++) {
            put_byte(out, rest & 0xff);
        }
        put_byte(out, 0x80 | n);
    }
    put_byte(out, tag);
}

static void put_integer(der *out, const uint8_t *bytes, size_t n)
{
    size_t end = out->at;
    put(out, bytes, n);
    if (bytes[0] & 0x80) {
        put_byte(out, 0); /* positive */
    }
    close_tag(out, end, 0x02);
}

/* SubjectPublicKeyInfo of RFC 5280 around a key that ends at the buffer's end. */
static void close_key(der *out, const void *algorithm, size_t n)
{
    put_byte(out, 0); /* no bits unused */
    close_tag(out, sizeof out->bytes, 0x03);
    put(out, algorithm, n);
    close_tag(out, sizeof out->bytes, 0x30);
}

static const char *make_pem(const der *key, wpa_arena *arena)
{
    const char *text =
        wpa_base64_encode(arena, key->bytes + key->at, sizeof key->bytes - key->at, false);
    size_t length = strlen(text);
    char *pem = wpa_arena_alloc(arena, length + length / PEM_LINE + 64);
    char *to = stpcpy(pem, "-----BEGIN PUBLIC KEY-----\n");
    for (size_t i = 0; i < length; i += PEM_LINE) {
        size_t n = length - i < PEM_LINE ? length - i : PEM_LINE;
        to = mempcpy(to, text + i, n);
        *to++ = '\n';
    }
    (void)stpcpy(to, "-----END PUBLIC KEY-----\n");
    return pem;
}

/* ---- keys ---------------------------------------------------------------------------------------
 */

/* A member in base64url as a big-endian number without zeros in front; NULL if it is none. */
static const uint8_t *read_number(const wpa_json *key, const char *name, size_t max_bytes,
                                  wpa_arena *arena, size_t *n)
{
    wpa_error unread = {0};
    const char *text = wpa_json_text_of(wpa_json_find(key, name));
    uint8_t *bytes = text ? wpa_base64_decode(arena, text, strlen(text), true, n, &unread) : NULL;
    while (bytes && *n > 0 && bytes[0] == 0) {
        bytes++;
        --*n;
    }
    return bytes && *n > 0 && *n <= max_bytes ? bytes : NULL;
}

static const char *read_rsa(const wpa_json *key, wpa_arena *arena)
{
    /* SEQUENCE { OID rsaEncryption, NULL } */
    static const uint8_t algorithm[] = {0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
                                        0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00};
    size_t n_bytes = 0, e_bytes = 0;
    const uint8_t *n = read_number(key, "n", RSA_MAX_BYTES, arena, &n_bytes);
    const uint8_t *e = read_number(key, "e", EXPONENT_MAX_BYTES, arena, &e_bytes);
    bool is_good = n && e && n_bytes >= RSA_MIN_BYTES && (e[e_bytes - 1] & 1) != 0 &&
                   (e_bytes > 1 || e[0] >= 3);
    if (!is_good) {
        return NULL;
    }
    der out = {.at = sizeof out.bytes};
    put_integer(&out, e, e_bytes);
    put_integer(&out, n, n_bytes);
    close_tag(&out, sizeof out.bytes, 0x30);
    close_key(&out, algorithm, sizeof algorithm);
    return make_pem(&out, arena);
}

/* A coordinate has all its zeros (RFC 7518 section 6.2.1.2). */
static const uint8_t *read_coordinate(const wpa_json *key, const char *name, wpa_arena *arena)
{
    wpa_error unread = {0};
    size_t n = 0;
    const char *text = wpa_json_text_of(wpa_json_find(key, name));
    const uint8_t *bytes =
        text ? wpa_base64_decode(arena, text, strlen(text), true, &n, &unread) : NULL;
    return bytes && n == P256_BYTES ? bytes : NULL;
}

static const char *read_ec(const wpa_json *key, wpa_arena *arena)
{
    /* SEQUENCE { OID ecPublicKey, OID prime256v1 } */
    static const uint8_t algorithm[] = {0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                        0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
                                        0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
    const uint8_t *x = read_coordinate(key, "x", arena);
    const uint8_t *y = read_coordinate(key, "y", arena);
    if (!x || !y || !wpa_text_is(wpa_json_text_of(wpa_json_find(key, "crv")), "P-256")) {
        return NULL;
    }
    der out = {.at = sizeof out.bytes};
    put(&out, y, P256_BYTES);
    put(&out, x, P256_BYTES);
    put_byte(&out, 0x04); /* not compressed; that it lies on the curve is checked when it is used */
    close_key(&out, algorithm, sizeof algorithm);
    return make_pem(&out, arena);
}

static const struct {
    const char *type, *algorithm;
    const char *(*read)(const wpa_json *key, wpa_arena *arena);
} types[] = {{"RSA", "RS256", read_rsa}, {"EC", "ES256", read_ec}};

static bool is_for_signatures(const wpa_json *key)
{
    const wpa_json *use = wpa_json_find(key, "use"), *operations = wpa_json_find(key, "key_ops");
    bool may_verify = !operations;
    for (size_t i = 0; operations && i < wpa_json_count(operations); i++) {
        may_verify |= wpa_text_is(wpa_json_text_of(wpa_json_at(operations, i)), "verify");
    }
    return may_verify && (!use || wpa_text_is(wpa_json_text_of(use), "sig"));
}

static bool read_key(const wpa_json *key, wpa_arena *arena, wpa_jwk *into)
{
    const wpa_json *algorithm = wpa_json_find(key, "alg");
    const char *type = wpa_json_text_of(wpa_json_find(key, "kty"));
    *into = (wpa_jwk){.kid = wpa_json_text_of(wpa_json_find(key, "kid"))};
    if (!into->kid || !*into->kid || strlen(into->kid) > KID_MAX_BYTES || wpa_json_find(key, "d") ||
        !is_for_signatures(key)) {
        return false;
    }
    for (size_t i = 0; i < WPA_COUNT(types); i++) {
        if (wpa_text_is(types[i].type, type)) {
            into->algorithm = types[i].algorithm;
            into->pem = types[i].read(key, arena);
        }
    }
    return into->pem && (!algorithm || wpa_text_is(wpa_json_text_of(algorithm), into->algorithm));
}

bool wpa_jwks_parse(const char *text, size_t size_bytes, wpa_arena *arena, wpa_jwks *set,
                    wpa_error *err)
{
    const wpa_json *document = wpa_json_parse(text, size_bytes, WPA_JWKS_MAX_BYTES, arena, err);
    const wpa_json *keys = document ? wpa_json_get_array(document, "keys", err) : NULL;
    *set = (wpa_jwks){0};
    if (!keys) {
        return wpa_error_within(err, "key set");
    }
    size_t n = wpa_json_count(keys);
    wpa_jwk *read = wpa_arena_array(arena, WPA_JWKS_MAX_KEYS, sizeof *read);
    for (size_t i = 0; i < n && set->n < WPA_JWKS_MAX_KEYS; i++) {
        set->n += read_key(wpa_json_at(keys, i), arena, &read[set->n]);
    }
    set->keys = read;
    return true;
}

const wpa_jwk *wpa_jwks_find(const wpa_jwks *set, const char *kid, const char *algorithm)
{
    const wpa_jwk *found = NULL;
    for (size_t i = 0; kid && i < set->n; i++) {
        bool is_named = strcmp(set->keys[i].kid, kid) == 0;
        if (is_named && wpa_text_is(set->keys[i].algorithm, algorithm)) {
            return &set->keys[i];
        }
        found = is_named && !found ? &set->keys[i] : found;
    }
    return found;
}
