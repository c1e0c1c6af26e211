#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <wpa/text.h>

#include "harness/http.h"
#include "harness/patience.h"
#include "http/http.h"

static wpa_http_server *server;

static const struct {
    const char *title, *url; /* "%d" is the server's port */
    wpa_code code;
    int status;
    const char *text; /* part of the body or of the message */
} cases[] = {
    {"plain", "http://127.0.0.1:%d/ok", WPA_OK, 200, "fine"},
    {"by name", "http://localhost:%d/ok", WPA_OK, 200, "fine"},
    {"any status is an answer", "http://127.0.0.1:%d/status/503", WPA_OK, 503, ""},
    {"redirect", "http://127.0.0.1:%d/to?/ok", WPA_OK, 200, "fine"},
    {"redirects without end", "http://127.0.0.1:%d/loop", WPA_E_LIMIT, 0, "redirects"},
    {"metadata", "http://169.254.169.254/latest", WPA_E_REFUSED, 0, "link-local"},
    {"redirect to metadata", "http://127.0.0.1:%d/to?http://169.254.169.254/", WPA_E_REFUSED, 0,
     "link-local"},
    {"decimal address", "http://2852039166/", WPA_E_REFUSED, 0, "link-local"},
    {"mapped address", "http://[::ffff:169.254.169.254]/", WPA_E_REFUSED, 0, "link-local"},
    {"other protocol", "file:///etc/passwd", WPA_E_INVALID, 0, "rotocol"},
    {"redirect to file", "http://127.0.0.1:%d/to?file:///etc/passwd", WPA_E_INVALID, 0, "rotocol"},
    {"no URL", "http://", WPA_E_INVALID, 0, ""},
    {"too slow", "http://127.0.0.1:%d/slow", WPA_E_TIMEOUT, 0, "timed out"},
    {"too big", "http://127.0.0.1:%d/big", WPA_E_LIMIT, 0, "too long"},
    {"nobody there", "http://127.0.0.1:1/", WPA_E_UNAVAILABLE, 0, ""},
};

static void sends(void **state)
{
    (void)state;
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        wpa_error err = {0};
        print_message("%s\n", cases[i].title);
        const char *port = wpa_arena_printf(arena, "%d", wpa_http_server_port(server));
        const char *hole = strstr(cases[i].url, "%d");
        const char *url = hole ? wpa_arena_printf(arena, "%.*s%s%s", (int)(hole - cases[i].url),
                                                  cases[i].url, port, hole + 2)
                               : cases[i].url;
        const wpa_http_request request = {
            .url = url, .timeout_ms = cases[i].code == WPA_E_TIMEOUT ? 500 : WPA_PATIENCE_MS};
        const wpa_http_response *response = wpa_http_send(&request, arena, &err);
        assert_int_equal(cases[i].code, response ? WPA_OK : err.code);
        if (response) {
            assert_int_equal(cases[i].status, response->status);
            assert_in_range(response->latency_ms, 0, WPA_PATIENCE_MS);
        }
        assert_non_null(strstr(response ? response->body : err.message, cases[i].text));
    }
}

static bool always(void *context)
{
    (void)context;
    return true;
}

static void carries_what_it_is_given(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_error err = {0};
    const char *headers[] = {"X-Token: abc", NULL};
    wpa_http_request request = {
        .url = wpa_arena_printf(arena, "http://127.0.0.1:%d/echo", wpa_http_server_port(server)),
        .headers = headers,
        .body = "{}",
        .body_bytes = 2};
    const wpa_http_response *response = wpa_http_send(&request, arena, &err);
    assert_non_null(response);
    assert_true(wpa_text_starts(response->body, "POST /echo"));
    assert_non_null(strstr(response->body, "X-Token: abc"));
    assert_string_equal("text/plain", response->content_type);
    assert_string_equal("127.0.0.1", response->address);
    headers[0] = "X: a\r\nY: b";
    assert_null(wpa_http_send(&request, arena, &err));
    assert_int_equal(WPA_E_INVALID, err.code);
    request = (wpa_http_request){
        .url = wpa_arena_printf(arena, "http://127.0.0.1:%d/slow", wpa_http_server_port(server)),
        .is_cancelled = always};
    assert_null(wpa_http_send(&request, arena, &err));
    assert_int_equal(WPA_E_CANCELLED, err.code);
    request = (wpa_http_request){
        .url = wpa_arena_printf(arena, "http://127.0.0.1:%d/loop", wpa_http_server_port(server)),
        .is_redirect_refused = true};
    response = wpa_http_send(&request, arena, &err);
    assert_int_equal(302, response->status);
}

/* What says who we are is said to the host that was asked, and to none that it names. */
static void credentials_stay_with_the_host_that_was_asked(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    static const char *const hosts[] = {"localhost", "127.0.0.1"};
    const char *headers[] = {"Authorization: Bearer abc", "Cookie: id=abc", "X-Kept: yes", NULL};
    int port = wpa_http_server_port(server);
    for (size_t i = 0; i < WPA_COUNT(hosts); i++) {
        wpa_error err = {0};
        bool is_same = strcmp(hosts[i], "127.0.0.1") == 0;
        const wpa_http_request request = {
            .url = wpa_arena_printf(arena, "http://127.0.0.1:%d/to?http://%s:%d/echo", port,
                                    hosts[i], port),
            .headers = headers};
        const wpa_http_response *response = wpa_http_send(&request, arena, &err);
        assert_non_null(response);
        assert_non_null(strstr(response->body, "X-Kept: yes"));
        assert_int_equal(strstr(response->body, "Authorization: Bearer abc") != NULL, is_same);
        assert_int_equal(strstr(response->body, "Cookie: id=abc") != NULL, is_same);
    }
}

static const struct {
    const char *address;
    bool is_refused; /* always */
    bool is_private; /* where that is asked for */
} addresses[] = {
    {"127.0.0.1", false, true},
    {"10.0.0.1", false, true},
    {"192.168.1.1", false, true},
    {"169.253.0.1", false, false},
    {"169.254.0.1", true, false},
    {"0.0.0.0", true, false},
    {"224.0.0.1", true, false},
    {"239.255.255.255", true, false},
    {"240.0.0.1", false, true},
    {"255.255.255.254", false, true},
    {"255.255.255.255", true, true},
    {"::1", false, true},
    {"::", true, false},
    {"fe80::1", true, false},
    {"febf::1", true, false},
    {"fec0::1", false, true},
    {"fd00:ec2::254", true, true},
    {"fd00::1", false, true},
    {"64:ff9b::a9fe:a9fe", true, false},
    {"2002:a9fe:a9fe::", true, false},
    {"::ffff:10.0.0.1", false, true},
    {"100.100.100.200", true, true},
    {"172.15.0.1", false, false},
    {"172.16.0.1", false, true},
    {"172.31.255.255", false, true},
    {"100.64.0.1", false, true},
    {"8.8.8.8", false, false},
    {"2001:4860:4860::8888", false, false},
    {"64:ff9b::a00:1", false, true},
    {"64:ff9b::808:808", false, false},
    {"64:ff9b:1::a9fe:a9fe", true, true},
    {"64:ff9b:1:a9fe:a9:fe00::", true, true},
    {"64:ff9b:1::a00:1", false, true},
    {"64:ff9b:1::808:808", false, true},
    {"64:ff9b:2::a9fe:a9fe", false, false},
    {"2002:a00:1::1", false, true},
    {"2002:7f00:1::", false, true},
    {"2002:808:808::1", false, false},
    {"2001:0:808:808::1", false, true},
    {"2001:1::1", false, false},
    {"::7f00:1", false, true},
    {"::ffff:240.0.0.1", false, true},
    {"fd00:ec2::23", true, true},
    {"fd00:ec3::23", false, true},
    {"fd00:c1::a9fe:a9fe", true, true},
    {"fd00:42::42", true, true},
};

static void knows_addresses(void **state)
{
    (void)state;
    for (size_t i = 0; i < WPA_COUNT(addresses); i++) {
        struct sockaddr_in ip4 = {.sin_family = AF_INET};
        struct sockaddr_in6 ip6 = {.sin6_family = AF_INET6};
        bool is_ip4 = inet_pton(AF_INET, addresses[i].address, &ip4.sin_addr) == 1;
        assert_true(is_ip4 || inet_pton(AF_INET6, addresses[i].address, &ip6.sin6_addr) == 1);
        const struct sockaddr *address =
            is_ip4 ? (const struct sockaddr *)&ip4 : (const struct sockaddr *)&ip6;
        if (addresses[i].is_refused != (wpa_http_address_refusal(address) != NULL) ||
            addresses[i].is_private != (wpa_http_address_private(address) != NULL)) {
            fail_msg("%s", addresses[i].address);
        }
    }
}

int main(void)
{
    wpa_error err = {0};
    if (!wpa_http_init(&err)) {
        return 1;
    }
    server = wpa_http_server_start();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sends),
        cmocka_unit_test(carries_what_it_is_given),
        cmocka_unit_test(credentials_stay_with_the_host_that_was_asked),
        cmocka_unit_test(knows_addresses),
    };
    int failures = cmocka_run_group_tests(tests, NULL, NULL);
    wpa_http_server_stop(server);
    return failures;
}
