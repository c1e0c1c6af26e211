#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "patch/digest.h"

static const wpa_patch_content one = {3, "refs/heads/main", "a.yml", "b1", "b2", "text", 4};

static bool is_same(const wpa_patch_content *a, size_t n_a, const wpa_patch_content *b, size_t n_b)
{
    uint8_t x[32], y[32];
    wpa_patch_digest(a, n_a, x);
    wpa_patch_digest(b, n_b, y);
    return memcmp(x, y, sizeof x) == 0;
}

/* sha256 of "\0\0\0\0\0\0\0\1" "3" "\0…\x0f" "refs/heads/main" ..., computed elsewhere. */
static void test_the_bytes_that_are_hashed(void **state)
{
    (void)state;
    static const uint8_t expected[32] = {0x3d, 0x3c, 0x3a, 0x92, 0x56, 0x89, 0xde, 0x27,
                                         0x33, 0x45, 0x3d, 0xf8, 0xeb, 0x4d, 0xb8, 0x9b,
                                         0xd8, 0xaf, 0x57, 0x79, 0xcc, 0x80, 0xc0, 0x07,
                                         0xb7, 0x9b, 0x67, 0xb6, 0xa1, 0x7d, 0x91, 0xd5};
    uint8_t digest[32];
    wpa_patch_digest(&one, 1, digest);
    assert_memory_equal(digest, expected, sizeof digest);
}

static void test_order_does_not_matter(void **state)
{
    (void)state;
    wpa_patch_content other = one;
    other.repository_id = 20;
    const wpa_patch_content ab[] = {one, other}, ba[] = {other, one};
    assert_true(is_same(ab, 2, ba, 2));
}

static void test_every_field_matters(void **state)
{
    (void)state;
    wpa_patch_content changed[] = {one, one, one, one, one, one, one, one};
    changed[0].repository_id = 4;
    changed[1].ref = "refs/heads/dev";
    changed[2].path = "b.yml";
    changed[3].before_oid = "b3";
    changed[4].before_oid = NULL;
    changed[5].after_oid = "b3";
    changed[6].after_oid = NULL;
    changed[7].after = "next";
    for (size_t i = 0; i < WPA_COUNT(changed); i++) {
        assert_false(is_same(&one, 1, &changed[i], 1));
    }
    /* Fields cannot run into each other. */
    wpa_patch_content a = one, b = one;
    a.ref = "ab";
    a.path = "c";
    b.ref = "a";
    b.path = "bc";
    assert_false(is_same(&a, 1, &b, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_bytes_that_are_hashed),
        cmocka_unit_test(test_order_does_not_matter),
        cmocka_unit_test(test_every_field_matters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
