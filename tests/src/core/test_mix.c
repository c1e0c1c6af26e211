/* Every byte counts, and the length. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <wpa/text.h>

#include "core/mix.h"

#define LONGEST 130

static int compare(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

/** All lengths, and in each length each byte changed: no two are alike. */
static void no_two_are_alike(void **state)
{
    (void)state;
    static uint64_t seen[(LONGEST + 1) * (LONGEST + 2) / 2];
    unsigned char bytes[LONGEST] = {0};
    size_t n = 0;
    for (size_t length = 0; length <= LONGEST; length++) {
        seen[n++] = wpa_mix(bytes, length);
        for (size_t i = 0; i < length; i++) {
            bytes[i] = 1;
            seen[n++] = wpa_mix(bytes, length);
            bytes[i] = 0;
        }
    }
    assert_int_equal(n, WPA_COUNT(seen));
    qsort(seen, n, sizeof *seen, compare);
    for (size_t i = 1; i < n; i++) {
        assert_true(seen[i] != seen[i - 1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(no_two_are_alike)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
