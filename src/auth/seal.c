#include "auth/seal.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include <wpa/file.h>
#include <wpa/text.h>

#include "auth/hash.h"
#include "auth/key_file.h"
#include "auth/sodium.h"

#define KEY_BYTES crypto_aead_xchacha20poly1305_ietf_KEYBYTES
#define NONCE_BYTES crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_BYTES crypto_aead_xchacha20poly1305_ietf_ABYTES
#define KEY_FILE_MAX_BYTES 256

static_assert(NONCE_BYTES + TAG_BYTES == WPA_SEAL_EXTRA_BYTES, "a nonce in front, a tag behind");

/* What the line of a key file begins with. */
static const char cipher[] = "XC20P ";

bool wpa_seal_has_key(const char *path)
{
    struct stat info;
    return path && (lstat(path, &info) == 0 || errno != ENOENT);
}

bool wpa_seal_make_key(const char *path, wpa_error *err)
{
    if (wpa_seal_has_key(path)) {
        return true;
    }
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    WPA_AUTO(wpa_secret) *key = wpa_secret_new_random(KEY_BYTES);
    char *encoded = wpa_base64_encode(arena, wpa_secret_bytes(key), KEY_BYTES, true);
    char *line = wpa_arena_printf(arena, "%s%s\n", cipher, encoded);
    bool is_made = wpa_key_file_make(path, line, strlen(line), err);
    wpa_wipe(encoded, strlen(encoded));
    wpa_wipe(line, strlen(line));
    return is_made;
}

static wpa_secret *read_key(const char *path, wpa_error *err)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    struct stat info;
    size_t size = 0, n = 0;
    wpa_error unread = {0};
    char *text = wpa_key_file_check(path, &info, err)
                     ? wpa_file_read(path, KEY_FILE_MAX_BYTES, arena, &size, err)
                     : NULL;
    if (!text) {
        return NULL;
    }
    const char *encoded = text + sizeof cipher - 1;
    uint8_t *bytes =
        wpa_text_starts(text, cipher)
            ? wpa_base64_decode(arena, encoded, strcspn(encoded, "\n"), true, &n, &unread)
            : NULL;
    wpa_secret *key = bytes && n == KEY_BYTES ? wpa_secret_new(bytes, n) : NULL;
    if (bytes) {
        wpa_wipe(bytes, n);
    }
    wpa_wipe(text, size);
    if (!key) {
        (void)WPA_FAIL(err, WPA_E_INVALID, "key file '%s': expected '%s<key>'", path, cipher);
    }
    return key;
}

uint8_t *wpa_seal(const char *path, const char *what, const void *plain, size_t plain_bytes,
                  wpa_arena *arena, wpa_error *err)
{
    WPA_AUTO(wpa_secret) *key = read_key(path, err);
    if (!key) {
        return NULL;
    }
    uint8_t *sealed = wpa_arena_alloc(arena, plain_bytes + WPA_SEAL_EXTRA_BYTES);
    wpa_random_bytes(sealed, NONCE_BYTES);
    (void)crypto_aead_xchacha20poly1305_ietf_encrypt(sealed + NONCE_BYTES, NULL, plain, plain_bytes,
                                                     (const uint8_t *)what, strlen(what), NULL,
                                                     sealed, wpa_secret_bytes(key));
    return sealed;
}

wpa_secret *wpa_unseal(const char *path, const char *what, const uint8_t *sealed,
                       size_t sealed_bytes, wpa_error *err)
{
    if (!wpa_seal_has_key(path)) {
        (void)WPA_FAIL(err, WPA_E_UNAVAILABLE, "'%s' is not there to open what is sealed with it",
                       path ? path : "a key file");
        return NULL;
    }
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    WPA_AUTO(wpa_secret) *key = read_key(path, err);
    if (!key) {
        return NULL;
    }
    size_t n = sealed_bytes > WPA_SEAL_EXTRA_BYTES ? sealed_bytes - WPA_SEAL_EXTRA_BYTES : 0;
    uint8_t *plain = wpa_arena_alloc(arena, n + 1);
    bool is_open =
        n > 0 && crypto_aead_xchacha20poly1305_ietf_decrypt(
                     plain, NULL, NULL, sealed + NONCE_BYTES, sealed_bytes - NONCE_BYTES,
                     (const uint8_t *)what, strlen(what), sealed, wpa_secret_bytes(key)) == 0;
    wpa_secret *opened = is_open ? wpa_secret_new(plain, n) : NULL;
    wpa_wipe(plain, n + 1);
    if (!opened) {
        (void)WPA_FAIL(err, WPA_E_INVALID, "what is sealed does not open with the key of '%s'",
                       path);
    }
    return opened;
}
