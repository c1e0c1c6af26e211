/* What the tables say about dependencies that come with a patch. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <wpa/text.h>

#include "patch/agreement.h"

static wpa_json *check(wpa_arena *arena, const char *list, wpa_error *err)
{
    wpa_json *given = wpa_json_parse(list, strlen(list), WPA_JSON_MAX_BYTES, arena, err);
    assert_non_null(given);
    return wpa_patch_check_dependencies(given, NULL, arena, err);
}

/** Result of a check of the first dependency; NULL: it is not listed. */
static const char *result_of(const wpa_json *list, const char *id)
{
    const wpa_json *checks = wpa_json_find(wpa_json_at(list, 0), "checks");
    for (size_t i = 0; i < wpa_json_count(checks); i++) {
        const wpa_json *one = wpa_json_at(checks, i);
        if (wpa_text_is(wpa_json_text_of(wpa_json_find(one, "check")), id)) {
            return wpa_json_text_of(wpa_json_find(one, "result"));
        }
    }
    return NULL;
}

static void checks_say_what_is_known(void **state)
{
    static const struct {
        const char *list, *id, *result; /* result NULL: not listed */
    } cases[] = {
        {"[\"actions/checkout@v4\"]", "V101", "pass"},
        {"[\"actions/checkout@v4\"]", "V112", "warn"},
        {"[\"actions/checkout@v4\"]", "V102", "skipped"},
        {"[\"actions/checkout@v4\"]", "V108", "skipped"},
        {"[\"actions/checkout@v4\"]", "V113", NULL},
        {"[\"actions/checkout@v4\"]", "V115", "pass"},
        {"[\"actions/checkout@v999\"]", "V101", "warn"},
        {"[\"actions/checkout@0123456789012345678901234567890123456789\"]", "V101", "skipped"},
        {"[\"actions/checkout@0123456789012345678901234567890123456789\"]", "V112", "pass"},
        {"[\"actions/checkout@main\"]", "V112", "warn"},
        {"[\"nobody-at-all/no-such-thing@v1\"]", "V101", "skipped"},
        {"[\"action/checkout@v4\"]", "V115", "warn"},
        {"[{\"name\":\"actions/checkout\",\"from\":\"v3\",\"to\":\"v4\"}]", "V103", "warn"},
        {"[{\"name\":\"actions/checkout\",\"from\":\"v3\",\"to\":\"v4\"}]", "V104", "pass"},
        {"[{\"name\":\"actions/checkout\",\"from\":\"v4\",\"to\":\"v3\"}]", "V104", "warn"},
        {"[{\"name\":\"actions/checkout\",\"from\":\"v4.1.0\",\"to\":\"v4\"}]", "V102", "warn"},
        {"[{\"name\":\"actions/checkout\",\"from\":\"v4\",\"to\":\"main\"}]", "V102", "warn"},
        {"[\"docker://alpine:3.20\"]", "V113", "warn"},
        {"[\"alpine@sha256:0123\"]", "V113", "pass"},
        {"[\"lodash\"]", "V101", "skipped"},
        {"[\"github.com/spf13/cobra@v1.8.0\"]", "V112", NULL},
    };
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    (void)state;
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        wpa_error err = {0};
        const wpa_json *list = check(arena, cases[i].list, &err);
        assert_non_null(list);
        const char *result = result_of(list, cases[i].id);
        if (!wpa_text_is(result ? result : "", cases[i].result ? cases[i].result : "")) {
            fail_msg("%s %s: %s", cases[i].list, cases[i].id, result ? result : "not listed");
        }
    }
}

static void advisories_are_refused(void **state)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_error err = {0};
    (void)state;
    assert_null(check(arena, "[\"tj-actions/changed-files@v44\"]", &err));
    assert_int_equal(err.code, WPA_E_REFUSED);
    wpa_error_clear(&err);
    assert_null(check(arena, "[{\"name\":\"tj-actions/changed-files\",\"to\":\"v44\"}]", &err));
}

static void what_names_nothing_is_refused(void **state)
{
    static const char *const lists[] = {
        "[17]",
        "[{}]",
        "[\"\"]",
        "[null]",
        "[\"actions/checkout@v4\", [\"x\"]]",
        "[{\"name\":\"actions/checkout\"}]",
        "[{\"name\":\"actions/checkout\",\"to\":4}]",
        "[{\"name\":\"actions/checkout\",\"to\":\"v4\",\"from\":\"\"}]",
        "[{\"name\":\"actions/checkout\",\"to\":\"v4\",\"taste\":\"x\"}]",
    };
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    (void)state;
    for (size_t i = 0; i < WPA_COUNT(lists); i++) {
        wpa_error err = {0};
        assert_null(check(arena, lists[i], &err));
        assert_int_equal(err.code, WPA_E_INVALID);
        assert_non_null(strstr(err.message, "field 'patch_content.dependencies["));
    }
}

/* ---- files that say the same ------------------------------------------------------------------
 */

#define ROOT(range) "\"\":{\"dependencies\":{\"left\":\"" range "\"}}"
#define LOCK(root, left, right)                                                                    \
    "{\"packages\":{" root ",\"node_modules/left\":{\"version\":\"" left                           \
    "\"},\"node_modules/right\":{\"version\":\"" right "\"}}}"
#define MANIFEST(range) "{\"dependencies\":{\"left\":\"" range "\"}}"
#define MOD(left, right)                                                                           \
    "module x\n\nrequire example.org/left " left "\n\nrequire (\n\texample.org/right " right       \
    " // indirect\n)\n"
#define SUM(left, right)                                                                           \
    "example.org/left " left "/go.mod h1:a=\nexample.org/right " right "/go.mod h1:b=\n"

typedef struct lock_case {
    const char *title, *manifest, *lock; /* paths */
    const char *before[2], *after[2];    /* of both; NULL: absent */
    const char *list, *result, *words;
} lock_case;

static const lock_case lock_cases[] = {
    {"agree",
     "web/package.json",
     "web/package-lock.json",
     {MANIFEST("^1.0.0"), LOCK(ROOT("^1.0.0"), "1.0.0", "3.0.0")},
     {MANIFEST("^2.0.0"), LOCK(ROOT("^2.0.0"), "2.1.0", "3.0.0")},
     "[\"left@2.1.0\"]",
     "pass",
     "nothing else has moved"},
    {"a range that the lock file was not made for",
     "package-lock.json",
     "web/package-lock.json",
     {NULL, LOCK(ROOT("^1.0.0"), "1.0.0", "3.0.0")},
     {NULL, LOCK(ROOT("^1.0.0"), "1.0.0", "3.0.0")},
     "[\"left@2.1.0\"]",
     "skipped",
     "there is no"},
    {"another range",
     "web/package.json",
     "web/package-lock.json",
     {MANIFEST("^1.0.0"), LOCK(ROOT("^1.0.0"), "1.0.0", "3.0.0")},
     {MANIFEST("^2.0.0"), LOCK(ROOT("^1.0.0"), "1.0.0", "3.0.0")},
     "[\"left@2.1.0\"]",
     "warn",
     "web/package.json asks for left ^2.0.0"},
    {"another version than the one that is named",
     "web/package.json",
     "web/package-lock.json",
     {NULL, NULL},
     {MANIFEST("^2.0.0"), LOCK(ROOT("^2.0.0"), "2.0.9", "3.0.0")},
     "[{\"name\":\"left\",\"to\":\"2.1.0\"}]",
     "warn",
     "has left 2.0.9, not 2.1.0"},
    {"something else moves",
     "web/package.json",
     "web/package-lock.json",
     {MANIFEST("^1.0.0"), LOCK(ROOT("^1.0.0"), "1.0.0", "3.0.0")},
     {MANIFEST("^2.0.0"), LOCK(ROOT("^2.0.0"), "2.1.0", "3.0.1")},
     "[\"left@2.1.0\"]",
     "warn",
     "1 more moves in web/package-lock.json: right"},
    {"no JSON",
     "web/package.json",
     "web/package-lock.json",
     {NULL, NULL},
     {MANIFEST("^2.0.0"), "{"},
     "[\"left@2.1.0\"]",
     "warn",
     "is no JSON"},
    {"an old lock file",
     "web/package.json",
     "web/package-lock.json",
     {NULL, NULL},
     {MANIFEST("^2.0.0"), "{\"lockfileVersion\":1}"},
     "[\"left@2.1.0\"]",
     "skipped",
     "does not say"},
    {"modules agree",
     "a/go.mod",
     "a/go.sum",
     {MOD("v1.0.0", "v0.1.0"), SUM("v1.0.0", "v0.1.0")},
     {MOD("v1.1.0", "v0.1.0"), SUM("v1.1.0", "v0.1.0")},
     "[\"example.org/left@v1.1.0\"]",
     "pass",
     "agree"},
    {"another version than the one that is named, of a module",
     "a/go.mod",
     "a/go.sum",
     {MOD("v1.0.0", "v0.1.0"), SUM("v1.0.0", "v0.1.0")},
     {MOD("v1.1.0", "v0.1.0"), SUM("v1.1.0", "v0.1.0")},
     "[\"example.org/left@v1.2.0\"]",
     "warn",
     "has example.org/left v1.1.0, not v1.2.0"},
    {"modules agree by name",
     "a/go.mod",
     "a/go.sum",
     {MOD("v1.0.0", "v0.1.0"), SUM("v1.0.0", "v0.1.0")},
     {MOD("v1.1.0", "v0.1.0"), SUM("v1.1.0", "v0.1.0")},
     "[\"example.org/left\"]",
     "pass",
     "agree"},
    {"a module without a sum",
     "a/go.mod",
     "a/go.sum",
     {MOD("v1.0.0", "v0.1.0"), SUM("v1.0.0", "v0.1.0")},
     {MOD("v1.1.0", "v0.1.0"), SUM("v1.0.0", "v0.1.0")},
     "[\"example.org/left\"]",
     "warn",
     "requires example.org/left v1.1.0, which a/go.sum does not have"},
    {"another module moves",
     "a/go.mod",
     "a/go.sum",
     {MOD("v1.0.0", "v0.1.0"), SUM("v1.0.0", "v0.1.0")},
     {MOD("v1.1.0", "v0.2.0"), SUM("v1.1.0", "v0.2.0")},
     "[\"example.org/left\"]",
     "warn",
     "1 more moves in a/go.sum: example.org/right"},
    {"neither",
     "README.md",
     "a.txt",
     {"x", "x"},
     {"y", "y"},
     "[\"left@2.1.0\"]",
     "skipped",
     "no manifest"},
};

static void lock_files_agree_with_manifests(void **state)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const wpa_surroundings nothing = {0};
    (void)state;
    for (size_t i = 0; i < WPA_COUNT(lock_cases); i++) {
        const lock_case *c = &lock_cases[i];
        const char *paths[] = {c->manifest, c->lock};
        wpa_error err = {0};
        wpa_patch_file files[2];
        wpa_patch_draft draft = {.files = files};
        for (size_t k = 0; k < 2; k++) {
            const char *before = c->before[k], *after = c->after[k];
            files[k] = (wpa_patch_file){.path = paths[k],
                                        .before = before,
                                        .before_bytes = before ? strlen(before) : 0,
                                        .after = after,
                                        .after_bytes = after ? strlen(after) : 0};
        }
        draft.n_files = 2;
        wpa_patch_look_at_agreement(&nothing, NULL, 0, arena, &draft);
        const wpa_json *named = wpa_json_parse(c->list, strlen(c->list), 4096, arena, &err);
        const wpa_json *checked = wpa_patch_check_dependencies(named, &draft, arena, &err);
        assert_non_null(checked);
        const wpa_json *checks = wpa_json_find(wpa_json_at(checked, 0), "checks");
        const char *said = wpa_json_dump(checks, arena);
        if (!wpa_text_is(result_of(checked, "V109"), c->result) || !strstr(said, c->words)) {
            fail_msg("%s: %s", c->title, said);
        }
    }
}

static void versions_are_semantic(void **state)
{
    static const struct {
        const char *text;
        bool is_good;
    } cases[] = {
        {"1.0.0", true},      {"0.0.0", true},           {"10.20.30", true},
        {"1.0.0-rc.1", true}, {"1.0.0-0", true},         {"1.0.0-alpha-1.x", true},
        {"1.0.0+b5", true},   {"1.0.0-rc.1+001", true},  {"1.0.0--", true},
        {"01.0.0", false},    {"1.0.00", false},         {"1.0", false},
        {"1.0.0.0", false},   {"v1.0.0", false},         {"1.0.0-", false},
        {"1.0.0+", false},    {"1.0.0-01", false},       {"1.0.0-a..b", false},
        {"1.0.0 ", false},    {"1.0.0-\xc3\xa9", false}, {"", false},
        {"1..0", false},      {"-1.0.0", false},         {"1.0.0+a+b", false},
    };
    (void)state;
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        if (wpa_patch_version_is(cases[i].text) != cases[i].is_good) {
            fail_msg("%s", cases[i].text);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checks_say_what_is_known),        cmocka_unit_test(advisories_are_refused),
        cmocka_unit_test(what_names_nothing_is_refused),   cmocka_unit_test(versions_are_semantic),
        cmocka_unit_test(lock_files_agree_with_manifests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
