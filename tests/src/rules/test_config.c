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
    {"ignore:\n  - {path: a, until: 2027-02-29}\n", "is no date"},
    {"ignore:\n  - {fingerprint: 3f1c}\n", NULL},
    {"ignore:\n  - {fingerprint: 3g1c}\n", "is no fingerprint"},
    {"runners: {rates: {'gpu-*': 0.07}}\n", NULL},
    {"runners: {rates: {'gpu-*': cheap}}\n", "is no number"},
    {"owners: {codeowners: '@o/team'}\n", NULL},
    {"owners: {codeowners: 5}\n", "owns nothing"},
    {"rules: {unpinned-uses: {policies: {'actions/*': ref, 'o/*': hash-pin}}}\n", NULL},
    {"rules: {unpinned-uses: {policies: {'actions/*': reff}}}\n", "'actions/*=reff'"},
    {"rules: {unpinned-uses: {policies: [any]}}\n", "'any' sets no policy"},
    {"rules: {ambiguous-names: {job: '^[a-z]{1,3}$'}}\n", NULL},
    {"rules: {ambiguous-names: {job: '['}}\n", "c.yml:1:"},
    {"rules: {hardcoded-secret: {patterns: ['a{1,3}', 'b c']}}\n", NULL},
    {"rules: {hardcoded-secret: {patterns: ['a{1,3}', '(']}}\n", "pattern '('"},
    {"rules: {runner-label: {unknown: maybe}}\n", "expected on or off"},
    {"rules: {ineffective-timeout: {max: long}}\n", "is no whole number"},
    {"rules: {duplicate-steps: {similarity: much}}\n", "is no number"},
    {"rules: {excessive-schedule: {min-interval: often}}\n", "is no length of time"},
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

static void test_every_fault_is_told_by_its_place(void **state)
{
    (void)state;
    static const char text[] = "persona: loud\n"
                               "unknown: 1\n"
                               "rules:\n"
                               "  shema: off\n"
                               "  long-script: {max-lines: many, colour: red}\n"
                               "fail-on: {isue: low, opportunity: often}\n"
                               "paths:\n"
                               "  a/**: {rules: {schema: sometimes}}\n"
                               "ignore:\n"
                               "  - {reason: r}\n"
                               "  - {path: a, until: soon}\n"
                               "  - {path: fine}\n"
                               "names: {secrets: {a: b}, vars: [A]}\n"
                               "version: 2\n";
    static const char *const places[] = {"1:10", "2:1",  "4:3",  "5:28",  "5:34",  "6:11",
                                         "6:35", "8:26", "10:5", "11:22", "13:18", "14:10"};
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_error err = {0};
    wpa_settings *settings = wpa_settings_new(TODAY_US, arena);
    assert_false(wpa_config_read("c.yml", text, sizeof text - 1, settings, arena, &err));
    assert_string_equal(err.message, settings->faults.items[0]);
    for (size_t i = 0; i < settings->faults.n && i < WPA_COUNT(places); i++) {
        const char *start = wpa_arena_printf(arena, "c.yml:%s: ", places[i]);
        if (!wpa_text_starts(settings->faults.items[i], start)) {
            fail_msg("%s\nis not at %s", settings->faults.items[i], places[i]);
        }
    }
    assert_int_equal(settings->faults.n, WPA_COUNT(places));
    assert_true(wpa_config_read("c.yml", "version: 1\n", 11, settings, arena, &err));
    assert_int_equal(settings->faults.n, 0);
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
        cmocka_unit_test(test_every_fault_is_told_by_its_place),
        cmocka_unit_test(test_globs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
