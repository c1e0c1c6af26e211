#include "auth/secret.h"

#include <stdlib.h>
#include <string.h>

#include <wpa/memory.h>

#include "auth/sodium.h"

struct wpa_secret {
    size_t size_bytes;
    uint8_t *bytes; /* sodium_malloc: guard pages, locked, wiped by sodium_free */
};

static wpa_secret *allocate(size_t size_bytes)
{
    wpa_sodium_need();
    wpa_secret *secret = wpa_alloc(sizeof *secret);
    secret->size_bytes = size_bytes;
    secret->bytes = sodium_malloc(size_bytes + 1);
    if (!secret->bytes) {
        abort(); /* out of memory, as everywhere */
    }
    secret->bytes[size_bytes] = 0;
    return secret;
}

wpa_secret *wpa_secret_new(const void *data, size_t size_bytes)
{
    wpa_secret *secret = allocate(size_bytes);
    if (size_bytes > 0) {
        memcpy(secret->bytes, data, size_bytes);
    }
    return secret;
}

wpa_secret *wpa_secret_new_random(size_t size_bytes)
{
    wpa_secret *secret = allocate(size_bytes);
    randombytes_buf(secret->bytes, size_bytes);
    return secret;
}

wpa_secret *wpa_secret_dup(const wpa_secret *secret)
{
    return wpa_secret_new(secret->bytes, secret->size_bytes);
}

void wpa_secret_free(wpa_secret *secret)
{
    if (secret) {
        sodium_free(secret->bytes);
        wpa_free(secret);
    }
}

const uint8_t *wpa_secret_bytes(const wpa_secret *secret)
{
    return secret->bytes;
}

size_t wpa_secret_size(const wpa_secret *secret)
{
    return secret->size_bytes;
}

bool wpa_secret_is(const wpa_secret *a, const wpa_secret *b)
{
    return a->size_bytes == b->size_bytes && sodium_memcmp(a->bytes, b->bytes, a->size_bytes) == 0;
}

void wpa_wipe(void *data, size_t size_bytes)
{
    wpa_sodium_need();
    sodium_memzero(data, size_bytes);
}
