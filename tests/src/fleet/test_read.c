/* fleet.yml: what is read, and what is said about mistakes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <wpa/file.h>
#include <wpa/text.h>

#include "fleet/fleet.h"
#include "fleet/scan.h"
#include "git/git.h"
#include "harness/readme.h"
#include "json/json.h"

typedef struct state {
    wpa_arena *arena;
    char *folder;
} state;

static int setup(void **out)
{
    wpa_error err = {0};
    state *s = test_calloc(1, sizeof *s);
    s->arena = wpa_arena_new();
    s->folder = wpa_dir_temp("/tmp/wpa-fleet", s->arena, &err);
    assert_non_null(s->folder);
    *out = s;
    return 0;
}

static int teardown(void **in)
{
    state *s = *in;
    wpa_error err = {0};
    assert_true(wpa_dir_remove(s->folder, &err));
    wpa_arena_free(s->arena);
    test_free(s);
    return 0;
}

static bool read_text(state *s, const char *text, wpa_repositories *all, wpa_error *err)
{
    const char *path = wpa_path_join(s->arena, s->folder, "fleet.yml");
    assert_true(wpa_file_replace(path, text, strlen(text), 0644, err));
    return wpa_fleet_read(path, s->arena, all, err);
}

static const wpa_json *json_of(state *s, const char *text)
{
    wpa_error err = {0};
    const wpa_json *json = wpa_json_parse(text, strlen(text), 1 << 20, s->arena, &err);
    assert_non_null(json);
    return json;
}

static void defaults_and_overrides(void **in)
{
    state *s = *in;
    wpa_error err = {0};
    wpa_repositories all;
    assert_true(
        read_text(s,
                  "rollout: {bake: 4s, percents: [50, 100]}\n"
                  "health_checks:\n"
                  "  - {name: up, kind: http, url: 'http://x/{repository}', interval: 2s}\n"
                  "repositories:\n"
                  "  - path: ./pay.git\n"
                  "    branch: trunk\n"
                  "  - name: web\n"
                  "    url: https://example.org/a/web-front.git\n"
                  "    labels: [a, b]\n"
                  "    criticality: 3\n"
                  "    test: {command: [sh, t.sh], timeout: 30s, reports: {tap: '-'}}\n"
                  "    rollout: {strategy: all-at-once, checks: [up]}\n"
                  "    health_checks:\n"
                  "      - {name: up, kind: http, url: http://y, interval: 1s, timeout: 500ms}\n",
                  &all, &err));
    assert_int_equal(all.n, 2);
    const wpa_repository *pay = &all.items[0];
    assert_string_equal(pay->name, "pay");
    assert_string_equal(pay->branch, "trunk");
    assert_true(*pay->url == '/' && wpa_text_ends(pay->url, "/pay.git"));
    assert_int_equal(pay->criticality, 2);
    assert_string_equal(pay->test_json, "{}");
    const wpa_json *rollout = json_of(s, pay->rollout_json);
    assert_int_equal(wpa_json_int_of(wpa_json_find(rollout, "bake_ms"), 0), 4000);
    assert_string_equal(wpa_json_text_of(wpa_json_find(rollout, "strategy")), "waves-percent");
    const wpa_json *checks = json_of(s, pay->checks_json);
    assert_int_equal(wpa_json_count(checks), 2);
    const wpa_json *up = wpa_json_at(checks, 1);
    assert_string_equal(wpa_json_text_of(wpa_json_find(up, "url")), "http://x/pay");
    assert_string_equal(wpa_json_text_of(wpa_json_find(up, "interval")), "2000ms");

    const wpa_repository *web = &all.items[1];
    assert_string_equal(web->branch, "main");
    assert_string_equal(web->labels_json, "[\"a\",\"b\"]");
    checks = json_of(s, web->checks_json);
    assert_int_equal(wpa_json_count(checks), 2);
    up = wpa_json_at(checks, 1);
    assert_string_equal(wpa_json_text_of(wpa_json_find(up, "url")), "http://y");
    const wpa_json *test = json_of(s, web->test_json);
    assert_int_equal(wpa_json_int_of(wpa_json_find(test, "timeout_ms"), 0), 30000);
    assert_string_equal(wpa_json_text_of(wpa_json_find(wpa_json_find(test, "reports"), "tap")),
                        "-");
}

#define REPO "repositories:\n  - url: /x/a.git\n"

static void mistakes_name_their_place(void **in)
{
    state *s = *in;
    static const struct {
        const char *text;
        const char *said; /* each part between '*' must be in the message */
    } cases[] = {
        {"repositories: 3\n", "fleet.yml:1"},
        {"", "fleet.yml"},
        {"repos: []\n", "repos"},
        {"version: 2\n" REPO, "fleet.yml:1:10"},
        {REPO "    brunch: x\n", "fleet.yml:3:5*branch"},
        {REPO "    criticality: 4\n", "fleet.yml:3:18*criticality"},
        {REPO "    criticality: high\n", "fleet.yml:3:18"},
        {REPO "    path: /y\n", "either 'url' or 'path'"},
        {"repositories:\n  - name: a\n", "fleet.yml:2"},
        {REPO "    name: '../x'\n", "fleet.yml:2*no name for a repository"},
        {REPO "  - url: /y/a\n", "second repository named 'a'"},
        {REPO "    test: {}\n", "command"},
        {REPO "    test: {command: []}\n", "fleet.yml:3*expected a program"},
        {REPO "    test: {command: [sh], timeout: 3h}\n", "fleet.yml:3:36*timeout"},
        {REPO "    health_checks: [{name: x}]\n", "kind"},
        {REPO "    health_checks: [{name: x, kind: httpx, url: y}]\n", "fleet.yml:3*http"},
        {REPO "    health_checks: [{name: x, kind: http}]\n", "url"},
        {REPO "    health_checks: [{name: x, kind: http, url: http://y, argv: [z]}]\n", "argv"},
        {REPO
         "    health_checks: [{name: x, kind: http, url: http://y, interval: 1s, timeout: 2s}]\n",
         "shorter than the interval"},
        {REPO
         "    health_checks:\n    - {name: x, kind: rescore}\n    - {name: x, kind: rescore}\n",
         "fleet.yml:5*name of its own"},
        {REPO "    health_checks: [{name: x, kind: command, argv: [y], success: '1 +'}]\n",
         "fleet.yml:3*success"},
        {REPO "    rollout: {checks: [nope]}\n", "'nope'"},
        {REPO "    rollout: {percents: [50, 20, 100]}\n", "larger than the one before"},
        {REPO "    rollout: {percents: [50]}\n", "must be 100"},
        {REPO "    rollout: {strategy: yolo}\n", "fleet.yml:3*waves-percent"},
        {REPO "    integration: [{name: x, kind: y}]\n", "openapi"},
        {"repositories: [\n", "fleet.yml:"},
        {"a: &a [*a]\n", "fleet.yml:"},
    };
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        wpa_error err = {0};
        wpa_repositories all;
        if (read_text(s, cases[i].text, &all, &err)) {
            fail_msg("accepted: %s", cases[i].text);
        }
        char *parts = wpa_arena_text(s->arena, cases[i].said);
        for (char *part = parts, *next; part != NULL; part = next) {
            next = strchr(part, '*');
            if (next != NULL) {
                *next++ = '\0';
            }
            if (strstr(err.message, part) == NULL) {
                fail_msg("case %zu: no '%s' in '%s'", i, part, err.message);
            }
        }
    }
}

static void the_sample_fleet_is_found(void **in)
{
    state *s = *in;
    wpa_error err = {0};
    const char *source = getenv("WPA_SOURCE_DIR");
    assert_non_null(source);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        execl("/bin/sh", "sh", wpa_path_join(s->arena, source, "tests/fleet/make.sh"),
              wpa_path_join(s->arena, s->folder, "sample"), "1", (char *)NULL);
        _exit(127);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    wpa_repositories all;
    if (!wpa_fleet_read(wpa_arena_printf(s->arena, "%s/sample/fleet.yml", s->folder), s->arena,
                        &all, &err)) {
        fail_msg("%s", err.message);
    }
    assert_int_equal(all.n, 6);
    WPA_AUTO(wpa_git) *git = wpa_git_open(all.items[4].url, &err);
    assert_non_null(git);
    wpa_scan scan;
    assert_true(wpa_scan_read(git, "release-tools", "main", s->arena, &scan, &err));
    assert_int_equal(scan.n, 3);
    static const char *const names[] = {"release-tools-ci", "release-tools-release",
                                        "release-tools-release-notes"};
    static const char *const kinds[] = {"workflow", "workflow", "action"};
    for (size_t i = 0; i < scan.n; i++) {
        assert_string_equal(scan.files[i].name, names[i]);
        assert_string_equal(scan.files[i].kind, kinds[i]);
        assert_null(scan.files[i].error);
    }
    assert_false(wpa_scan_read(git, "release-tools", "none", s->arena, &scan, &err));
    assert_int_equal(err.code, WPA_E_NOT_FOUND);
}

static void the_example_of_the_readme(void **in)
{
    state *s = *in;
    wpa_error err = {0};
    wpa_repositories all = {0};
    if (!read_text(s, wpa_test_readme_example("fleet.yml", s->arena), &all, &err)) {
        fail_msg("%s", err.message);
    }
    assert_int_equal(all.n, 2);
}

int main(void)
{
    wpa_error err = {0};
    if (!wpa_git_init(&err)) {
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(defaults_and_overrides, setup, teardown),
        cmocka_unit_test_setup_teardown(mistakes_name_their_place, setup, teardown),
        cmocka_unit_test_setup_teardown(the_sample_fleet_is_found, setup, teardown),
        cmocka_unit_test_setup_teardown(the_example_of_the_readme, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
