#include "auth/password.h"

#include <assert.h>

#include <wpa/text.h>

#include "auth/sodium.h"

static_assert(WPA_PASSWORD_HASH_SIZE >= crypto_pwhash_STRBYTES, "hash must fit");

/* The library is no sanitizer's business, and what hashing costs is tested without them. */
#ifdef WPA_SANITIZED
#define WORK crypto_pwhash_OPSLIMIT_MIN
#define MEMORY_BYTES crypto_pwhash_MEMLIMIT_MIN
#else
#define WORK crypto_pwhash_OPSLIMIT_INTERACTIVE
#define MEMORY_BYTES crypto_pwhash_MEMLIMIT_INTERACTIVE
#endif

/* Of a random passphrase that was thrown away: what a sign-in with an unknown name is checked with.
 */
static const char nobody[crypto_pwhash_STRBYTES] =
    "$argon2id$v=19$m=65536,t=2,p=1$ldiJ75hqaVr9k31D8UxprQ$"
    "B9UchUqtOnDUiIJXnSkRueTYsO/HY/g4gZ6Xt7t/Z/M";

bool wpa_passphrase_check(const wpa_secret *passphrase, wpa_error *err)
{
    size_t size = wpa_secret_size(passphrase);
    if (size < WPA_PASSPHRASE_MIN_BYTES) {
        return WPA_FAIL(err, WPA_E_INVALID, "a passphrase has at least %d characters",
                        WPA_PASSPHRASE_MIN_BYTES);
    }
    if (size > WPA_PASSPHRASE_MAX_BYTES) {
        return WPA_FAIL(err, WPA_E_INVALID, "a passphrase has at most %d bytes",
                        WPA_PASSPHRASE_MAX_BYTES);
    }
    const uint8_t *bytes = wpa_secret_bytes(passphrase);
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] < 0x20 || bytes[i] == 0x7f) {
            return WPA_FAIL(err, WPA_E_INVALID, "a passphrase holds no control characters");
        }
    }
    return true;
}

bool wpa_password_hash(const wpa_secret *passphrase, char *hash, wpa_error *err)
{
    wpa_sodium_need();
    if (crypto_pwhash_str_alg(hash, (const char *)wpa_secret_bytes(passphrase),
                              wpa_secret_size(passphrase), WORK, MEMORY_BYTES,
                              crypto_pwhash_ALG_ARGON2ID13) != 0) {
        return WPA_FAIL(err, WPA_E_UNAVAILABLE, "not enough memory to hash a passphrase");
    }
    return true;
}

bool wpa_password_verify(const char *hash, const wpa_secret *passphrase)
{
    wpa_sodium_need();
    bool is_right =
        crypto_pwhash_str_verify(hash ? hash : nobody, (const char *)wpa_secret_bytes(passphrase),
                                 wpa_secret_size(passphrase)) == 0;
    return is_right && hash;
}

bool wpa_password_is_outdated(const char *hash)
{
    wpa_sodium_need();
    return crypto_pwhash_str_needs_rehash(hash, WORK, MEMORY_BYTES) != 0;
}
