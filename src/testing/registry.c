#include "testing/checks.h"

static const wpa_test_check *const checks[] = {
    &wpa_test_t001, &wpa_test_t002, &wpa_test_t003, &wpa_test_t004, &wpa_test_t005, &wpa_test_t006,
    &wpa_test_t007, &wpa_test_t008, &wpa_test_t101, &wpa_test_t102, &wpa_test_t103, &wpa_test_t104,
    &wpa_test_t105, &wpa_test_t106, &wpa_test_t107, &wpa_test_t108, &wpa_test_t109, &wpa_test_t111,
    &wpa_test_t112, &wpa_test_t201, &wpa_test_t202, &wpa_test_t203, &wpa_test_t204, &wpa_test_t205,
    &wpa_test_t206, &wpa_test_t207, &wpa_test_t208, &wpa_test_t210, &wpa_test_s1,   &wpa_test_s2,
    &wpa_test_s3,   &wpa_test_s4,   &wpa_test_s5,   &wpa_test_v103, &wpa_test_v104, &wpa_test_v107,
};

const wpa_test_check *const *wpa_test_checks(size_t *n)
{
    *n = WPA_COUNT(checks);
    return checks;
}
