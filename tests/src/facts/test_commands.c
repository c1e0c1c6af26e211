/* What the table of commands says of commands as people write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "facts/commands.h"

typedef struct role_case {
    const char *command; /* words with one blank between */
    unsigned roles;      /* these must be among them */
    unsigned absent;     /* these must not */
} role_case;

#define WORDS_MAX 16

static size_t split(char *text, const char *words[])
{
    size_t n = 0;
    for (char *at = text; n < WORDS_MAX;) {
        words[n++] = at;
        char *blank = strchr(at, ' ');
        if (!blank) {
            break;
        }
        *blank = '\0';
        at = blank + 1;
    }
    return n;
}

static const role_case cases[] = {
    {"pytest -q", WPA_DOES_TEST, WPA_DOES_BUILD},
    {"python -m pytest", WPA_DOES_TEST, WPA_DOES_INSTALL},
    {"python -m pip install x", WPA_DOES_INSTALL, WPA_DOES_TEST},
    {"uv run --frozen pytest", WPA_DOES_TEST, 0},
    {"uv run --group dev bundle exec rspec", WPA_DOES_TEST, 0},
    {"npm ci", WPA_DOES_INSTALL, WPA_DOES_TEST | WPA_DOES_BUILD},
    {"npm --prefix web run build:prod", WPA_DOES_BUILD, WPA_DOES_INSTALL},
    {"npm run lint", WPA_DOES_LINT, WPA_DOES_TEST},
    {"make", WPA_DOES_BUILD, WPA_DOES_TEST},
    {"make -C sub test-unit", WPA_DOES_TEST, 0},
    {"mvn -B -q clean verify", WPA_DOES_TEST | WPA_DOES_BUILD, WPA_DOES_PUBLISH},
    {"gradlew :app:assembleDebug", WPA_DOES_BUILD, WPA_DOES_PUBLISH},
    {"git describe --tags", WPA_DOES_HISTORY, WPA_DOES_PUBLISH},
    {"git diff --name-only origin/main...HEAD", WPA_DOES_HISTORY, 0},
    {"git status", 0, WPA_DOES_HISTORY},
    {"git push origin main", WPA_DOES_PUBLISH, WPA_DOES_HISTORY},
    {"cargo publish", WPA_DOES_PUBLISH, WPA_DOES_TEST},
    {"docker buildx build --push .", WPA_DOES_BUILD | WPA_DOES_PUBLISH, 0},
    {"curl -fsSL x", WPA_DOES_FETCH, WPA_DOES_INSTALL},
    {"frobnicate test", 0, UINT32_MAX},
};

static void roles_of_commands(void **state)
{
    (void)state;
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        char text[256];
        const char *words[WORDS_MAX];
        assert_true(wpa_text_copy(text, sizeof text, cases[i].command));
        size_t n = split(text, words);
        unsigned roles =
            wpa_facts_command_roles(words[0], wpa_facts_program_known(words[0]), words + 1, n - 1);
        if ((roles & cases[i].roles) != cases[i].roles || (roles & cases[i].absent) != 0) {
            fail_msg("'%s' has roles %#x", cases[i].command, roles);
        }
    }
}

static void installers(void **state)
{
    (void)state;
    static const char *const words[] = {"pip", "install", "-r", "x.txt"};
    size_t behind;
    const wpa_fact_installer *row = wpa_facts_installer_find("uv", words, 4, &behind);
    assert_non_null(row);
    assert_int_equal(behind, 2);
    assert_string_equal(row->kind, "pypi");
    assert_true(wpa_fact_list_has(row->lock_options, wpa_slice_of("-r")));
    assert_null(wpa_facts_installer_find("uv", words + 2, 1, &behind));
    assert_null(wpa_facts_installer_find("frobnicate", words, 4, &behind));
}

static void other_rows(void **state)
{
    (void)state;
    assert_int_equal(wpa_facts_wrapper_find("timeout")->arguments, 1);
    assert_null(wpa_facts_wrapper_find("npm"));
    assert_non_null(wpa_facts_tool_find(wpa_slice_of("Astral-sh/setup-uv")));
    assert_null(wpa_facts_tool_find(wpa_slice_of("astral-sh/other")));
    assert_int_equal(wpa_facts_action_role_find(wpa_slice_of("Docker/bake-action"))->roles,
                     WPA_DOES_BUILD);
    assert_true(wpa_facts_action_role_find(wpa_slice_of("actions/checkout"))->is_setup);
    assert_null(wpa_facts_action_role_find(wpa_slice_of("actions/check")));
    assert_null(wpa_facts_action_role_find(wpa_slice_of("actions/checkout/sub")));
    assert_true(wpa_facts_program_known("printf") & WPA_KNOWN_CLOSED);
    assert_false(wpa_facts_program_known("make") & WPA_KNOWN_CLOSED);
    assert_true(wpa_facts_is_tool_variable("CARGO_TERM_COLOR"));
    assert_false(wpa_facts_is_tool_variable("MY_CARGO"));
    assert_true(wpa_facts_host_find(wpa_slice_of("sh.rustup.rs"))->is_vendor);
    assert_null(wpa_facts_host_find(wpa_slice_of("rustup.rs.example")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(roles_of_commands),
        cmocka_unit_test(installers),
        cmocka_unit_test(other_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
