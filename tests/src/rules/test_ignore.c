/* How far comments of zizmor's reach. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <wpa/text.h>

#include "rules/engine.h"

#define TODAY_US INT64_C(1795305600000000) /* 2026-11-22 */
#define JOB(name) "  " name ":\n    runs-on: ubuntu-24.04\n    steps:\n      - run: make\n"
#define STEPS "jobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n"

static wpa_result run(const char *rule, const char *text, wpa_arena *arena)
{
    wpa_settings *settings = wpa_settings_new(TODAY_US, arena);
    size_t n;
    const wpa_rule *const *all = wpa_rules_all(&n);
    for (size_t i = 0; i < n; i++) {
        settings->rules[i].toggle = wpa_text_is(rule, all[i]->id) ? WPA_TOGGLE_ON : WPA_TOGGLE_OFF;
    }
    const wpa_source *source =
        wpa_source_read(WPA_INPUT_WORKFLOW, "ci.yml", text, strlen(text), NULL, arena);
    return wpa_rules_run(source, settings, arena);
}

/* Each text has one finding of the rule, and a comment of zizmor's beside it. */
static const struct {
    const char *title, *rule, *text;
    bool is_ignored;
} cases[] = {
    {"name of the step", "unpinned-uses",
     STEPS "      - name: s # zizmor: ignore[unpinned-uses]\n        uses: a/b@v1\n", true},
    {"behind the last of the step", "unpinned-uses",
     STEPS "      - uses: a/b@v1\n        with:\n          a: b # zizmor: ignore[unpinned-uses]\n",
     true},
    {"alone in the step", "unpinned-uses",
     STEPS "      - name: s\n        # zizmor: ignore[unpinned-uses]\n        uses: a/b@v1\n",
     true},
    {"alone below the step", "unpinned-uses",
     STEPS "      - uses: a/b@v1\n        # zizmor: ignore[unpinned-uses]\n      - run: x\n", true},
    {"between two steps", "unpinned-uses",
     STEPS "      - uses: a/b@v1\n      # zizmor: ignore[unpinned-uses]\n      - run: x\n", false},
    {"the step before", "unpinned-uses",
     STEPS "      - run: x # zizmor: ignore[unpinned-uses]\n      - uses: a/b@v1\n", false},
    {"the step behind", "unpinned-uses",
     STEPS "      - uses: a/b@v1\n      - run: x # zizmor: ignore[unpinned-uses]\n", false},
    {"another rule", "unpinned-uses",
     STEPS "      - name: s # zizmor: ignore[artipacked]\n        uses: a/b@v1\n", false},
    {"elsewhere in the script", "template-injection",
     "on: issues\n" STEPS "      - run: |\n          # zizmor: ignore[template-injection]\n"
     "          echo ${{ github.event.issue.title }}\n",
     false},
    {"the job of the step", "unpinned-uses",
     "jobs:\n  a: # zizmor: ignore[unpinned-uses]\n    runs-on: x\n    steps:\n"
     "      - uses: a/b@v1\n",
     false},
    {"a call", "unpinned-uses",
     "jobs:\n  a: # zizmor: ignore[unpinned-uses]\n    uses: a/b/.github/workflows/c.yml@v1\n",
     true},
    {"end of a call", "unpinned-uses",
     "jobs:\n  a:\n    uses: a/b/.github/workflows/c.yml@v1\n    with:\n"
     "      x: y # zizmor: ignore[unpinned-uses]\n",
     true},
    {"types of a trigger", "dangerous-triggers",
     "on:\n  pull_request_target:\n    types: [opened] # zizmor: ignore[dangerous-triggers]\n" STEPS
     "      - run: make\n",
     true},
    {"alone above the trigger", "dangerous-triggers",
     "on:\n  # zizmor: ignore[dangerous-triggers]\n  pull_request_target:\n" STEPS
     "      - run: make\n",
     true},
    {"above all triggers", "dangerous-triggers",
     "# zizmor: ignore[dangerous-triggers]\non: pull_request_target\n" STEPS "      - run: make\n",
     false},
    {"permissions, one by one", "excessive-permissions",
     "permissions:\n  contents: write\n  issues: read # zizmor: ignore[excessive-permissions]\n"
     "jobs:\n" JOB("a") JOB("b"),
     false},
};

static void test_comments_of_zizmor_silence(void **state)
{
    (void)state;
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        wpa_result result = run(cases[i].rule, cases[i].text, arena);
        if (result.n_findings != 1 ||
            (result.findings[0]->state == WPA_FINDING_IGNORED) != cases[i].is_ignored) {
            print_error("%s: %zu\n", cases[i].title, result.n_findings);
            fail();
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_comments_of_zizmor_silence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
