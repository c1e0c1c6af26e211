#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <wpa/text.h>

#include "auth/otp.h"

static void hmacs_are_those_of_rfc_2202(void **state)
{
    (void)state;
    char eighty[81];
    memset(eighty, 0xaa, 80);
    eighty[80] = '\0';
    const struct {
        const char *key;
        size_t key_bytes;
        const char *data, *mac;
    } rows[] = {
        {"\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b", 20,
         "Hi There", "b617318655057264e28bc0b6fb378c8ef146be00"},
        {"Jefe", 4, "what do ya want for nothing?", "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"},
        {eighty, 80, "Test Using Larger Than Block-Size Key - Hash Key First",
         "aa4ae5e15272d00e95705637ce8a3b55ed402112"},
        {eighty, 80, "Test Using Larger Than Block-Size Key and Larger Than One Block-Size Data",
         "e8e99d0f45237d786d6bbaa7965c7808bbff1a91"},
    };
    for (size_t i = 0; i < WPA_COUNT(rows); i++) {
        uint8_t mac[WPA_SHA1_SIZE];
        char hex[2 * WPA_SHA1_SIZE + 1];
        wpa_hmac_sha1(rows[i].key, rows[i].key_bytes, rows[i].data, strlen(rows[i].data), mac);
        wpa_hex_encode(mac, sizeof mac, hex);
        assert_string_equal(hex, rows[i].mac);
    }
}

/* RFC 4226 appendix D by counter, RFC 6238 appendix B by time (its last six digits). */
static void codes_are_those_of_the_standards(void **state)
{
    (void)state;
    static const struct {
        int64_t step;
        const char *code;
    } rows[] = {
        {0, "755224"},
        {1, "287082"},
        {2, "359152"},
        {9, "520489"},
        {INT64_C(59) / 30, "287082"},
        {INT64_C(1111111109) / 30, "081804"},
        {INT64_C(1111111111) / 30, "050471"},
        {INT64_C(1234567890) / 30, "005924"},
        {INT64_C(2000000000) / 30, "279037"},
        {INT64_C(20000000000) / 30, "353130"},
    };
    WPA_AUTO(wpa_secret) *secret = wpa_secret_new("12345678901234567890", 20);
    for (size_t i = 0; i < WPA_COUNT(rows); i++) {
        char code[WPA_OTP_CODE_SIZE];
        assert_string_equal(wpa_otp_code(secret, rows[i].step, code), rows[i].code);
    }
}

static void steps_around_now_count_once(void **state)
{
    (void)state;
    const int64_t now_s = 1800000015, now = now_s / 30;
    WPA_AUTO(wpa_secret) *secret = wpa_secret_new("12345678901234567890", 20);
    for (int64_t step = now - 3; step <= now + 3; step++) {
        char code[WPA_OTP_CODE_SIZE];
        (void)wpa_otp_code(secret, step, code);
        bool is_near = step >= now - 1 && step <= now + 1;
        assert_int_equal(wpa_otp_step(secret, code, now_s, 0), is_near ? step : 0);
        assert_int_equal(wpa_otp_step(secret, code, now_s, step), 0); /* used */
        assert_int_equal(wpa_otp_step(secret, code, now_s, step - 1), is_near ? step : 0);
    }
    static const char *const wrong[] = {"", "1", "abcdef", "0000000", "12345"};
    for (size_t i = 0; i < WPA_COUNT(wrong); i++) {
        assert_int_equal(wpa_otp_step(secret, wrong[i], now_s, 0), 0);
    }
}

static void base32_is_that_of_rfc_4648(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"", ""},
        {"f", "MY"},
        {"fo", "MZXQ"},
        {"foo", "MZXW6"},
        {"foob", "MZXW6YQ"},
        {"fooba", "MZXW6YTB"},
        {"foobar", "MZXW6YTBOI"},
    };
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    for (size_t i = 0; i < WPA_COUNT(rows); i++) {
        assert_string_equal(wpa_base32_encode(arena, rows[i][0], strlen(rows[i][0])), rows[i][1]);
    }
    WPA_AUTO(wpa_secret) *secret = wpa_secret_new("12345678901234567890", 20);
    assert_string_equal(wpa_otp_uri(secret, "a b@c", arena),
                        "otpauth://totp/wpa:a%20b%40c?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&"
                        "issuer=wpa&algorithm=SHA1&digits=6&period=30");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hmacs_are_those_of_rfc_2202),
        cmocka_unit_test(codes_are_those_of_the_standards),
        cmocka_unit_test(steps_around_now_count_once),
        cmocka_unit_test(base32_is_that_of_rfc_4648),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
