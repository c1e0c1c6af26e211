#include "auth/signature.h"

#include <string.h>

#include <wpa/text.h>

#include "gen/calls_crypto.h"

#define P256_BYTES 32
#define DER_MAX_BYTES (2 + 2 * (2 + 1 + P256_BYTES))

bool wpa_signature_open(wpa_error *err)
{
    return wpa_crypto_open(err);
}

/* ---- ES256 as OpenSSL wants it ------------------------------------------------------------------
 */

/* INTEGER: without zeros in front, but with one where it would be negative. */
static size_t put_number(uint8_t *to, const uint8_t number[P256_BYTES])
{
    size_t from = 0;
    while (from < P256_BYTES - 1 && number[from] == 0) {
        from++;
    }
    size_t zeros = number[from] >= 0x80 ? 1 : 0, n = P256_BYTES - from;
    to[0] = 0x02;
    to[1] = (uint8_t)(zeros + n);
    to[2] = 0;
    memcpy(to + 2 + zeros, number + from, n);
    return 2 + zeros + n;
}

/* SEQUENCE { r, s }; 0: these are no two numbers. */
static size_t to_der(const uint8_t *signature, size_t size_bytes, uint8_t der[DER_MAX_BYTES])
{
    if (size_bytes != (size_t)2 * P256_BYTES) {
        return 0;
    }
    size_t n = put_number(der + 2, signature);
    n += put_number(der + 2 + n, signature + P256_BYTES);
    der[0] = 0x30;
    der[1] = (uint8_t)n;
    return 2 + n;
}

/* ---- keys ---------------------------------------------------------------------------------------
 */

static void free_key(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
}

static void free_context(EVP_MD_CTX **context)
{
    EVP_MD_CTX_free(*context);
}

static EVP_PKEY *read_key(const char *pem)
{
    BIO *from = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *key = from ? PEM_read_bio_PUBKEY(from, NULL, NULL, NULL) : NULL;
    BIO_free(from);
    return key;
}

bool wpa_signature_is_good(const char *algorithm, const char *pem, const void *data,
                           size_t size_bytes, const uint8_t *signature, size_t signature_bytes)
{
    uint8_t der[DER_MAX_BYTES];
    const bool is_ec = wpa_text_is(algorithm, "ES256");
    if (!is_ec && !wpa_text_is(algorithm, "RS256")) {
        return false;
    }
    if (is_ec) {
        signature_bytes = to_der(signature, signature_bytes, der);
        signature = der;
    }
    __attribute__((cleanup(free_key))) EVP_PKEY *key = signature_bytes ? read_key(pem) : NULL;
    __attribute__((cleanup(free_context))) EVP_MD_CTX *context = key ? EVP_MD_CTX_new() : NULL;
    return context && EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
           EVP_DigestVerify(context, signature, signature_bytes, data, size_bytes) == 1;
}
