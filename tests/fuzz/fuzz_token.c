/* What strangers show as tokens, and what an issuer gives as keys: nothing is taken that was not
   signed, and whatever is read as a key is one that can be written down. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <wpa/file.h>

#include "auth/issuer.h"
#include "auth/jwks.h"
#include "auth/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

static wpa_token_keys *own_keys(void)
{
    static wpa_token_keys *keys;
    if (!keys) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        wpa_error err = {0};
        char *folder = wpa_dir_temp("/tmp/wpa-fuzz-", arena, &err);
        keys = folder ? wpa_token_keys_open(wpa_path_join(arena, folder, "keys"), &err) : NULL;
        if (!keys || !wpa_dir_remove(folder, &err)) {
            abort();
        }
    }
    return keys;
}

static void read_keys(const char *text, size_t size_bytes, wpa_arena *arena)
{
    wpa_error err = {0};
    wpa_jwks set;
    if (!wpa_jwks_parse(text, size_bytes, arena, &set, &err)) {
        return;
    }
    for (size_t i = 0; i < set.n; i++) {
        assert(wpa_jwks_find(&set, set.keys[i].kid, set.keys[i].algorithm));
        assert(strstr(set.keys[i].pem, "-----BEGIN PUBLIC KEY-----\n") == set.keys[i].pem);
        assert(strlen(set.keys[i].pem) < 2048);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_error err = {0};
    wpa_token_claims claims;
    const char *token = wpa_arena_slice(arena, (const char *)data, size_bytes);
    assert(!wpa_token_verify(own_keys(), token, 1800000000, arena, &claims, NULL, &err));
    (void)wpa_issuer_is_for(token);
    read_keys(token, size_bytes, arena);
    return 0;
}
