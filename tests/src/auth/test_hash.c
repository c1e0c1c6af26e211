#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <wpa/text.h>

#include "auth/hash.h"

static void test_sha256_known_answers(void **state)
{
    (void)state;
    static const struct {
        const char *in, *hex;
    } cases[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"wpa audit v1", "6dc6c43c7e7344c5431bda92cc420ec76877a0117a1301beef658588fdcac316"},
    };
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        char hex[WPA_SHA256_HEX_SIZE];
        assert_string_equal(wpa_sha256_hex(cases[i].in, strlen(cases[i].in), hex), cases[i].hex);
        wpa_sha256_state streaming;
        uint8_t digest[WPA_SHA256_SIZE];
        wpa_sha256_init(&streaming);
        for (const char *c = cases[i].in; *c; c++) {
            wpa_sha256_update(&streaming, c, 1);
        }
        wpa_sha256_final(&streaming, digest);
        wpa_hex_encode(digest, sizeof digest, hex);
        assert_string_equal(hex, cases[i].hex);
    }
}

/* Around the ends of blocks, whole and in pieces: the digest of all digests. */
static void test_sha256_of_every_length(void **state)
{
    (void)state;
    uint8_t data[256], digest[WPA_SHA256_SIZE], pieces[WPA_SHA256_SIZE];
    char hex[WPA_SHA256_HEX_SIZE];
    wpa_sha256_state all;
    wpa_sha256_init(&all);
    for (size_t n = 0; n <= sizeof data; n++) {
        wpa_sha256_state streaming;
        for (size_t i = 0; i < n; i++) {
            data[i] = (uint8_t)(i * 7 + n);
        }
        wpa_sha256_init(&streaming);
        for (size_t i = 0, size = 1; i < n; i += size, size = 1 + (size * 5 + n) % 90) {
            wpa_sha256_update(&streaming, data + i, size < n - i ? size : n - i);
        }
        wpa_sha256_final(&streaming, pieces);
        wpa_sha256(data, n, digest);
        assert_memory_equal(digest, pieces, sizeof digest);
        wpa_sha256_update(&all, digest, sizeof digest);
    }
    wpa_sha256_final(&all, digest);
    wpa_hex_encode(digest, sizeof digest, hex);
    assert_string_equal(hex, "8c87921c70e710c77b598f6aed63e551969111a288541684ba32dc1203143503");
}

static void test_blake2b_known_answers(void **state)
{
    (void)state; /* RFC 7693, 16 bytes, no key */
    char hex[WPA_BLAKE2B_HEX_SIZE];
    assert_string_equal(wpa_blake2b_hex("", 0, hex), "cae66941d9efbd404e4d88758ea67670");
    assert_string_equal(wpa_blake2b_hex("abc", 3, hex), "cf4ab791c62b8d2b2109c90275287816");
}

static void test_hmac_known_answer(void **state)
{
    (void)state; /* RFC 4231, test case 2 */
    uint8_t mac[WPA_SHA256_SIZE];
    char hex[WPA_SHA256_HEX_SIZE];
    wpa_hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, mac);
    wpa_hex_encode(mac, sizeof mac, hex);
    assert_string_equal(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

static void test_uuids_are_valid_and_differ(void **state)
{
    (void)state;
    char a[WPA_UUID_SIZE], b[WPA_UUID_SIZE];
    wpa_uuid_new(a);
    wpa_uuid_new(b);
    assert_true(wpa_uuid_is_valid(a));
    assert_string_not_equal(a, b);
    assert_int_equal(a[14], '4');
    assert_false(wpa_uuid_is_valid("p-2217"));
    assert_false(wpa_uuid_is_valid(NULL));
    a[8] = '0';
    assert_false(wpa_uuid_is_valid(a));
}

static void test_base64(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is_url, is_good;
        const char *data;
    } cases[] = {
        {"YWI+Pz8=", false, true, "ab>??"},
        {"YWI-Pz8", true, true, "ab>??"},
        {"YWI-Pz8=", true, false, NULL},
        {"YW I", false, false, NULL},
        {"", false, true, ""},
        {"Y", false, false, NULL},
    };
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        wpa_error err = {0};
        size_t size = 0;
        uint8_t *data = wpa_base64_decode(arena, cases[i].text, strlen(cases[i].text),
                                          cases[i].is_url, &size, &err);
        assert_int_equal(data != NULL, cases[i].is_good);
        if (data) {
            assert_string_equal((const char *)data, cases[i].data);
            assert_string_equal(wpa_base64_encode(arena, data, size, cases[i].is_url),
                                cases[i].text);
        } else {
            assert_int_equal(err.code, WPA_E_INVALID);
        }
    }
}

static void test_constant_time_comparison(void **state)
{
    (void)state;
    assert_true(wpa_equal_constant_time("abc", "abc", 3));
    assert_false(wpa_equal_constant_time("abc", "abd", 3));
    assert_true(wpa_random_below(1) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sha256_known_answers),
        cmocka_unit_test(test_sha256_of_every_length),
        cmocka_unit_test(test_blake2b_known_answers),
        cmocka_unit_test(test_hmac_known_answer),
        cmocka_unit_test(test_uuids_are_valid_and_differ),
        cmocka_unit_test(test_base64),
        cmocka_unit_test(test_constant_time_comparison),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
