#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <wpa/text.h>

#include "match/regex.h"
#include "match/secret.h"
#include "match/secret_kinds.h"

static void test_regular_expressions(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *text;
        unsigned flags;
        wpa_regex_answer answer;
        size_t start, end, group_start;
    } cases[] = {
        {"b(c)", "abcd", 0, WPA_REGEX_YES, 1, 3, 2},
        {"B(c)", "abcd", 0, WPA_REGEX_NO, 0, 0, 0},
        {"B(c)", "abcd", WPA_REGEX_CASELESS, WPA_REGEX_YES, 1, 3, 2},
        {"^(c)", "ab\ncd", 0, WPA_REGEX_NO, 0, 0, 0},
        {"^(c)", "ab\ncd", WPA_REGEX_MULTILINE, WPA_REGEX_YES, 3, 4, 3},
        {"x(.)", "ä\xffxö", 0, WPA_REGEX_YES, 3, 6, 4},
        {"^(?:(a+)+)+$", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", 0, WPA_REGEX_UNDECIDED, 0,
         0, 0},
    };
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        wpa_error err = {0};
        WPA_AUTO(wpa_regex) *regex = wpa_regex_new(cases[i].pattern, cases[i].flags, &err);
        assert_non_null(regex);
        wpa_regex_match match = {0};
        print_message("%s\n", cases[i].pattern);
        assert_int_equal(wpa_regex_find(regex, cases[i].text, strlen(cases[i].text), 0, &match),
                         cases[i].answer);
        assert_int_equal(match.spans[0].start, cases[i].start);
        assert_int_equal(match.spans[0].end, cases[i].end);
        assert_int_equal(match.spans[1].start, cases[i].group_start);
    }
    wpa_error err = {0};
    assert_null(wpa_regex_new("x(", 0, &err));
    assert_int_equal(err.code, WPA_E_INVALID);
    assert_non_null(strstr(err.message, "'x('"));
}

/* Made-up values in the providers' formats; written in halves so that no scanner takes this file
 * for a leak. */
static void test_secrets(void **state)
{
    (void)state;
    static const struct {
        const char *head, *tail, *kind; /* NULL: none */
    } cases[] = {
        {"token: ghp_", "a8Bq2ZtR5wXk9Lm3Nv7Yc1Jd4Hf6Gs0PeUiO", "GitHub token"},
        {"AKIA", "Q3EGRT7YHBVZLPWX", "AWS access key"},
        {"not_ghp_", "a8Bq2ZtR5wXk9Lm3Nv7Yc1Jd4Hf6Gs0PeUiO", NULL},
        {"-----BEGIN PUB", "LIC KEY-----\n", NULL},
        {"x xoxb-", "123456789012-abcdefGHIJKL", "Slack token"},
        {"-----BEGIN RSA PRIV", "ATE KEY-----\n", "private key"},
        {"postgres://app:", "s3cr3tPw9x@db.example.org/x", "password in a URL"},
        {"API_KEY=", "9fK2mQ7xZ4bV1nR8tY3wL6pJ5", "secret value"},
        {"KEY_OF_A_SERVICE_ACCESS_TOKEN: \"", "9fK2mQ7xZ4bV1nR8tY3wL6pJ5\"", "secret value"},
        {"API_KEY=$", "{{ secrets.API_KEY_OF_THE_PRODUCTION }}", NULL},
        {"postgres://app:", "postgres@localhost/x", NULL},
        {"postgres://app:", "${DB_PASSWORD}@db.example.org/x", NULL},
        {"token: ", "${{ secrets.GITHUB_TOKEN }}", NULL},
        {"token_path: ", "/etc/some/long/path/to/file1/x2", NULL},
        {"uses: a/b@", "0123456789abcdef0123456789abcdef01234567", NULL},
        {"cache-token: ", "0123456789abcdef0123456789abcdef01234567", NULL},
        {"ghp_", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL},
        {"persist-credentials: ", "false", NULL},
    };
    WPA_AUTO(wpa_secret_scanner) *scanner = wpa_secret_scanner_new();
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        const char *text = wpa_arena_printf(arena, "%s%s\n", cases[i].head, cases[i].tail);
        size_t n;
        const wpa_found_secret *found = wpa_secrets_find(scanner, text, strlen(text), arena, &n);
        print_message("%s…\n", cases[i].head);
        assert_int_equal(n, cases[i].kind ? 1 : 0);
        assert_true(!cases[i].kind || wpa_text_is(found[0].kind, cases[i].kind));
    }
}

static void test_kinds_of_secrets(void **state)
{
    (void)state;
    for (size_t i = 0; i < WPA_SECRET_KINDS; i++) {
        const wpa_secret_kind *kind = &wpa_secret_kinds[i];
        wpa_error err = {0};
        assert_non_null(kind->kind);
        WPA_AUTO(wpa_regex) *pattern = wpa_regex_new(kind->pattern, 0, &err);
        assert_non_null(pattern);
        assert_true(kind->place != WPA_SECRET_IN_RUN || kind->markers[0]);
    }
}

static void test_entropy(void **state)
{
    (void)state;
    assert_true(wpa_entropy("aaaa", 4) < 0.001);
    assert_true(wpa_entropy("abcd", 4) > 1.999 && wpa_entropy("abcd", 4) < 2.001);
    assert_true(wpa_entropy("", 0) < 0.001);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_regular_expressions),
        cmocka_unit_test(test_secrets),
        cmocka_unit_test(test_kinds_of_secrets),
        cmocka_unit_test(test_entropy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
