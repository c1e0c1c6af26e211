/* How often one network may try: whose bucket is whose, and when it is full again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <wpa/arena.h>
#include <wpa/text.h>

#include "api/limits.h"

#define NOW_MS INT64_C(1000000)
#define WHAT "sign-in"

static int take_all(wpa_api_limits *limits, const char *what, const char *address, int64_t now_ms)
{
    int n = 0;
    for (int64_t wait_s = 0;
         n < 1000 && wpa_api_limits_take(limits, what, address, now_ms, &wait_s);) {
        assert_int_equal(wait_s, 0);
        n++;
    }
    return n;
}

static bool is_left(wpa_api_limits *limits, const char *address)
{
    int64_t wait_s = 0;
    return wpa_api_limits_take(limits, WHAT, address, NOW_MS, &wait_s);
}

static void a_network_has_so_many_tries(void **state)
{
    (void)state;
    wpa_api_limits *limits = wpa_api_limits_new();
    int64_t wait_s = 0;
    int burst = take_all(limits, WHAT, "192.0.2.1", NOW_MS);
    assert_in_range(burst, 5, 100);
    assert_false(wpa_api_limits_take(limits, WHAT, "192.0.2.1", NOW_MS, &wait_s));
    assert_in_range(wait_s, 1, 60);
    assert_int_equal(take_all(limits, WHAT, "192.0.2.1", NOW_MS + wait_s * 1000), 1);
    assert_false(wpa_api_limits_has(limits, WHAT, "192.0.2.1", NOW_MS));
    assert_true(wpa_api_limits_has(limits, "hook", "192.0.2.1", NOW_MS)); /* another count */
    assert_int_equal(take_all(limits, "hook", "192.0.2.1", NOW_MS), burst);
    wpa_api_limits_free(limits);
}

static void addresses_of_one_network_share_its_tries(void **state)
{
    (void)state;
    static const struct {
        const char *first, *second;
        bool is_one;
    } rows[] = {
        {"192.0.2.1", "192.0.2.1", true},
        {"192.0.2.1", "192.0.2.2", false},
        {"192.0.2.1", "::ffff:192.0.2.1", true},
        {"::ffff:192.0.2.1", "::ffff:192.0.2.2", false},
        {"2001:db8:0:1::1", "2001:db8:0:1:ffff:ffff:ffff:ffff", true},
        {"2001:db8:0:1::1", "2001:0DB8::1:0:0:0:2", true},
        {"2001:db8:0:1::1", "2001:db8:0:2::1", false},
        {"fe80::1%eth0", "fe80::2", true},
        {"fe80::1%eth0", "2001:db8::1%eth0", false},
        {"local", "local", true},
        {"local", "unknown", false},
        {"", "local", false},
    };
    for (size_t i = 0; i < WPA_COUNT(rows); i++) {
        wpa_api_limits *limits = wpa_api_limits_new();
        (void)take_all(limits, WHAT, rows[i].first, NOW_MS);
        if (is_left(limits, rows[i].second) == rows[i].is_one) {
            fail_msg("%s, %s", rows[i].first, rows[i].second);
        }
        wpa_api_limits_free(limits);
    }
}

static uint32_t known_hash(const char *text)
{
    uint32_t hash = 2166136261U; /* FNV-1a: anybody can work it out */
    for (; *text; text++) {
        hash = (hash ^ (unsigned char)*text) * 16777619U;
    }
    return hash;
}

/* Somebody with two addresses must not get his tries back by using them in turn, whatever he works
   out beforehand. */
static void a_neighbour_does_not_give_tries_back(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_api_limits *limits = wpa_api_limits_new();
    const char *own = "198.51.100.7";
    int n_neighbours = 0;
    (void)take_all(limits, WHAT, own, NOW_MS);
    for (int i = 0; i < 1 << 16 && n_neighbours < 3; i++) {
        const char *other = wpa_arena_printf(arena, "203.%d.%d.9", i >> 8, i & 255);
        if (known_hash(other) % 4096 == known_hash(own) % 4096) {
            n_neighbours++;
            assert_true(is_left(limits, other));
            assert_false(is_left(limits, own));
        }
    }
    assert_int_equal(n_neighbours, 3);
    wpa_api_limits_free(limits);
}

/* With as many strangers as there are places, each of whom tried once, hardly anybody who has used
   up his tries has them back. */
static void strangers_displace_those_who_tried_least(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_api_limits *limits = wpa_api_limits_new();
    const char *own = "198.51.100.7";
    (void)take_all(limits, WHAT, own, NOW_MS);
    for (int i = 0; i < 1 << 16; i++) {
        (void)is_left(limits, wpa_arena_printf(arena, "203.%d.%d.9", i >> 8, i & 255));
    }
    assert_false(is_left(limits, own));
    wpa_api_limits_free(limits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_network_has_so_many_tries),
        cmocka_unit_test(addresses_of_one_network_share_its_tries),
        cmocka_unit_test(a_neighbour_does_not_give_tries_back),
        cmocka_unit_test(strangers_displace_those_who_tried_least),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
