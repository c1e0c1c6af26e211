/* What may be written in a configuration, and the globs in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <wpa/text.h>

#include "rules/config.h"

#define TODAY_US INT64_C(1795305600000000) /* 2026-11-22 */

static const struct {
    const char *text, *error; /* NULL: fine */
} configs[] = {
    {"version: 1\n", NULL},
    {"version: 2\n", "version '2' is not known"},
    {"rules:\n  missing-timeout: off\n  schema/S2: off\n  PRF-001: {default: 5}\n", NULL},
    {"rules:\n  mising-timeout: off\n", "c.yml:2:3: "},
    {"rules:\n  missing-timeout: {defualt: 3}\n", "did you mean 'default'?"},
    {"rules:\n  missing-timeout: [a]\n", "expected on, off"},
    {"rules: [a]\n", "c.yml:1:8"},
    {"ruls: {}\n", "did you mean 'rules'"},
    {"persona: strict\n", "is no persona"},
    {"fail-on: high\n", NULL},
    {"fail-on: {issue: high, opportunity: none}\n", NULL},
    {"fail-on: {isue: high}\n", "issue"},
    {"ignore:\n  - {path: 'a/**', rules: [schema], reason: r, until: 2027-01-01}\n", NULL},
    {"ignore:\n  - {rules: [shema]}\n", "did you mean 'schema'"},
    {"ignore:\n  - {path: a, until: soon}\n", "is no date"},
    {"ignore:\n  - {reason: r}\n", "needs a path"},
    {"ignore:\n  - {message: 'job .* has'}\n", NULL},
    {"ignore:\n  - {message: 'job ('}\n", "c.yml:2:15: "},
    {"paths: {exclude: [a, b]}\n", NULL},
    {"paths: {exclude: {a: b}}\n", "c.yml:1:"},
    {"dimensions: {efficiency: {persona: pedantic}, quality: off}\n", NULL},
    {"dimensions: {speed: off}\n", "is no dimension"},
    {"profile: loud\n", "is no profile"},
    {"a: [\n", "c.yml:"},
    {"rules: {missing-timeout: off\n", "c.yml:"},
};

static void test_configuration_is_checked(void **state)
{
    (void)state;
    for (size_t i = 0; i < WPA_COUNT(configs); i++) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        wpa_error err = {0};
        wpa_settings *settings = wpa_settings_new(TODAY_US, arena);
        bool ok = wpa_config_read("c.yml", configs[i].text, strlen(configs[i].text), settings,
                                  arena, &err);
        bool is_expected = configs[i].error ? !ok && strstr(err.message, configs[i].error) : ok;
        if (!is_expected) {
            print_error("%s: %s\n", configs[i].text, err.message);
            fail();
        }
    }
}

static const struct {
    const char *glob, *path;
    bool fits;
} globs[] = {
    {"a.yml", "a.yml", true},
    {"*.yml", "a.yml", true},
    {"*.yml", "d/a.yml", false},
    {"**/*.yml", "a.yml", true},
    {"**/*.yml", "d/e/a.yml", true},
    {"d/**", "d/e/f", true},
    {"d/**", "e/d/f", false},
    {"d/*/f", "d/e/f", true},
    {"d/*/f", "d/e/g/f", false},
    {"?.yml", "a.yml", true},
    {"?.yml", "ab.yml", false},
    {"**", "anything/at/all", true},
    {"a*b*c", "axxbxxc", true},
    {"a*b*c", "axxbxx", false},
    {"**/b/**", "a/b/c", true},
    {"*.{yml,yaml}", "a.yaml", true},
    {"**/*.{yml,yaml}", "d/a.yml", true},
    {"*.{yml,yaml}", "a.yam", false},
    {"{a,b{c,d}}/{e,}f", "bd/f", true},
    {"{a,b{c,d}}/{e,}f", "b/f", false},
    {"a{b", "a{b", true},
    {"a{b}", "ab", true},
};

static void test_globs(void **state)
{
    (void)state;
    for (size_t i = 0; i < WPA_COUNT(globs); i++) {
        if (wpa_glob_fits(globs[i].glob, globs[i].path) != globs[i].fits) {
            print_error("%s on %s\n", globs[i].glob, globs[i].path);
            fail();
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_configuration_is_checked),
        cmocka_unit_test(test_globs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
