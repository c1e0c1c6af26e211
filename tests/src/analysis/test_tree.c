/* A folder of repositories: the same outcome with any number of threads and any state of the cache.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <wpa/file.h>
#include <wpa/text.h>

#include "analysis/baseline.h"
#include "analysis/sarif.h"
#include "analysis/tree.h"
#include "report/report.h"

static const char caller[] = "on: push\n"
                             "jobs:\n"
                             "  call:\n"
                             "    uses: ./.github/workflows/callee.yml\n"
                             "  build:\n"
                             "    runs-on: ubuntu-24.04\n"
                             "    steps:\n"
                             "      - uses: actions/checkout@v4\n";
static const char callee[] = "on: workflow_call\n"
                             "jobs:\n"
                             "  a:\n"
                             "    runs-on: macos-12\n"
                             "    steps:\n"
                             "      - run: echo ${{ github.event.issue.title }}\n";

typedef struct fixture {
    wpa_arena *arena;
    char *folder, *cache;
    wpa_settings *settings;
} fixture;

static void put(const fixture *f, const char *path, const char *text)
{
    wpa_error err = {0};
    const char *full = wpa_path_join(f->arena, f->folder, path);
    const char *slash = strrchr(full, '/');
    assert_true(wpa_dir_make(wpa_arena_slice(f->arena, full, (size_t)(slash - full)), 0755, &err));
    assert_true(wpa_file_replace(full, text, strlen(text), 0644, &err));
}

static int open_fixture(void **state)
{
    wpa_arena *arena = wpa_arena_new();
    fixture *f = wpa_arena_alloc(arena, sizeof *f);
    wpa_error err = {0};
    f->arena = arena;
    f->folder = wpa_dir_temp("/tmp/wpa-test-tree-", arena, &err);
    assert_non_null(f->folder);
    f->cache = wpa_path_join(arena, f->folder, "cache");
    f->settings = wpa_settings_new(0, arena);
    f->settings->persona = WPA_PERSONA_AUDITOR;
    for (int i = 0; i < 5; i++) {
        put(f, wpa_arena_printf(arena, "r/%d/.github/workflows/ci.yml", i), caller);
        put(f, wpa_arena_printf(arena, "r/%d/.github/workflows/callee.yml", i), callee);
    }
    *state = f;
    return 0;
}

static int close_fixture(void **state)
{
    fixture *f = *state;
    wpa_error err = {0};
    assert_true(wpa_dir_remove(f->folder, &err));
    wpa_arena_free(f->arena);
    return 0;
}

static const char *written(const fixture *f, wpa_tree *tree)
{
    wpa_report report = {.results = wpa_tree_results(tree), .shows_ignored = true};
    WPA_AUTO(wpa_buf) *out = wpa_buf_new(WPA_REPORT_MAX_BYTES);
    size_t n;
    wpa_formats_all(&n)[0].write(&report, out);
    return wpa_buf_dup(out, f->arena);
}

static const char *run(const fixture *f, size_t n_threads, const char *folder,
                       wpa_baseline *baseline, const wpa_outside *outside)
{
    wpa_error err = {0};
    WPA_AUTO(wpa_cache) *cache = folder ? wpa_cache_open(folder) : NULL;
    wpa_tree_options options = {.settings = f->settings,
                                .stdin_fd = -1,
                                .n_threads = n_threads,
                                .has_excerpts = true,
                                .cache = cache,
                                .baseline = baseline,
                                .outside = outside};
    WPA_AUTO(wpa_tree) *tree = wpa_tree_new(&options);
    assert_true(wpa_tree_add(tree, wpa_path_join(f->arena, f->folder, "r"), &err));
    assert_true(wpa_tree_finish(tree, &err));
    assert_int_equal(wpa_results_count(wpa_tree_results(tree)), 10);
    return written(f, tree);
}

static void test_threads_and_cache_change_nothing(void **state)
{
    fixture *f = *state;
    const char *plain = run(f, 1, NULL, NULL, NULL);
    assert_non_null(strstr(plain, "callee.yml"));
    assert_string_equal(run(f, 4, NULL, NULL, NULL), plain);
    assert_string_equal(run(f, 2, f->cache, NULL, NULL), plain);
    assert_string_equal(run(f, 2, f->cache, NULL, NULL), plain);
}

/** Whatever stands in its files: broken bytes cost time and nothing else. */
static void test_a_broken_cache_is_none(void **state)
{
    fixture *f = *state;
    const char *plain = run(f, 1, f->cache, NULL, NULL);
    for (size_t i = 0; i < 64; i++) {
        wpa_error err = {0};
        size_t size_bytes;
        const char *path = wpa_arena_printf(f->arena, "%s/%02zx.results", f->cache, i);
        char *text = wpa_file_read(path, (size_t)4 << 20, f->arena, &size_bytes, &err);
        for (size_t k = 100; text && k < size_bytes; k += 97) {
            text[k] = (char)~text[k];
        }
        assert_true(!text || wpa_file_replace(path, text, size_bytes - i % 7, 0600, &err));
    }
    assert_string_equal(run(f, 1, f->cache, NULL, NULL), plain);
}

static void test_a_change_beside_is_seen(void **state)
{
    fixture *f = *state;
    const char *before = run(f, 1, f->cache, NULL, NULL);
    put(f, "r/3/.github/workflows/callee.yml", "on: workflow_call\njobs: {}\n");
    const char *after = run(f, 1, f->cache, NULL, NULL);
    assert_string_not_equal(after, before);
    assert_string_equal(after, run(f, 1, NULL, NULL, NULL));
}

/** The report of one path alone, and how many files it is about. */
static const char *report_of(const fixture *f, const char *path, size_t *n_files)
{
    wpa_error err = {0};
    wpa_tree_options options = {.settings = f->settings, .stdin_fd = -1, .n_threads = 2};
    WPA_AUTO(wpa_tree) *tree = wpa_tree_new(&options);
    assert_true(wpa_tree_add(tree, wpa_path_join(f->arena, f->folder, path), &err));
    assert_true(wpa_tree_finish(tree, &err));
    *n_files = wpa_results_count(wpa_tree_results(tree));
    return written(f, tree);
}

static void test_a_part_is_told_with_its_repository_around_it(void **state)
{
    fixture *f = *state;
    size_t n_whole, n_part, n_named, n_alone;
    put(f, "r/0/.git/HEAD", "ref: refs/heads/main\n");
    put(f, "r/0/.github/workflows/ci.yml",
        "on: push\n"
        "jobs:\n"
        "  a:\n"
        "    uses: ./.github/workflows/callee.yml\n"
        "    with: {wrong: 1}\n"
        "  b:\n"
        "    runs-on: ubuntu-24.04\n"
        "    steps:\n"
        "      - uses: actions/checkout@v4\n"
        "      - uses: ./tools/act\n"
        "        with: {nope: 1}\n");
    put(f, "r/0/tools/act/action.yml",
        "name: act\n"
        "description: does it\n"
        "runs:\n"
        "  using: composite\n"
        "  steps:\n"
        "    - run: echo ${{ github.event.issue.title }}\n"
        "      shell: bash\n");
    const char *whole = report_of(f, "r/0", &n_whole);
    const char *part = report_of(f, "r/0/.github/workflows", &n_part);
    const char *named = report_of(f, "r/0/.github/workflows/ci.yml", &n_named);
    (void)report_of(f, "r/0/tools/act/action.yml", &n_alone);
    assert_int_equal(n_named, 1);
    assert_int_equal(n_alone, 1);
    assert_non_null(strstr(named, "'./tools/act' has no input 'nope'"));
    assert_non_null(strstr(named, "takes no input 'wrong'"));
    assert_int_equal(n_whole, 3);
    assert_int_equal(n_part, 2);
    assert_non_null(strstr(part, "'./tools/act' has no input 'nope'"));
    assert_non_null(strstr(part, "takes no input 'wrong'"));
    assert_non_null(strstr(whole, "tools/act/action.yml:"));
    assert_null(strstr(part, "tools/act/action.yml:"));
    /* However the folder is called. */
    assert_int_equal(symlink("0/.github/workflows", wpa_path_join(f->arena, f->folder, "r/link")),
                     0);
    static const char *const ways[] = {"r/0/.github/workflows/.", "r/link"};
    for (size_t i = 0; i < WPA_COUNT(ways); i++) {
        const char *same = report_of(f, ways[i], &n_part);
        assert_int_equal(n_part, 2);
        assert_non_null(strstr(same, "'./tools/act' has no input 'nope'"));
        assert_non_null(strstr(same, "takes no input 'wrong'"));
    }
}

static void test_settings_are_part_of_the_key(void **state)
{
    fixture *f = *state;
    const char *before = run(f, 1, f->cache, NULL, NULL);
    f->settings->persona = WPA_PERSONA_DEFAULT;
    const char *after = run(f, 1, f->cache, NULL, NULL);
    assert_string_not_equal(after, before);
    assert_string_equal(after, run(f, 1, NULL, NULL, NULL));
}

static void test_a_baseline_takes_findings_out(void **state)
{
    fixture *f = *state;
    wpa_error err = {0};
    WPA_AUTO(wpa_baseline) *baseline = wpa_baseline_new("2026-01-01");
    wpa_tree_options options = {.settings = f->settings, .stdin_fd = -1};
    WPA_AUTO(wpa_tree) *tree = wpa_tree_new(&options);
    assert_true(wpa_tree_add(tree, wpa_path_join(f->arena, f->folder, "r"), &err));
    assert_true(wpa_tree_finish(tree, &err));
    const wpa_results *results = wpa_tree_results(tree);
    for (size_t i = 0; i < wpa_results_count(results); i++) {
        wpa_result result = wpa_results_at(results, i, f->arena);
        for (size_t j = 0; j < result.n_findings; j++) {
            wpa_baseline_add(baseline, result.findings[j], wpa_results_identity(results, i),
                             "known");
        }
    }
    const char *path = wpa_path_join(f->arena, f->folder, "baseline.json");
    assert_true(wpa_baseline_write(baseline, path, false, &err));
    WPA_AUTO(wpa_baseline) *again = wpa_baseline_new("2026-02-02");
    assert_true(wpa_baseline_read(again, path, &err));
    assert_non_null(strstr(run(f, 1, NULL, again, NULL), "0 findings in 10 files"));
    assert_int_equal(wpa_baseline_count_gone(again), 0);
    put(f, "r/0/.github/workflows/callee.yml", "on: push\njobs: {}\n");
    WPA_AUTO(wpa_baseline) *other = wpa_baseline_new("2026-02-02");
    assert_false(wpa_baseline_parse(other, "x", "{\"schema\":\"y\",\"findings\":[]}", 28, &err));
}

static void test_other_analysers_join(void **state)
{
    fixture *f = *state;
    static const char log[] =
        "{\"runs\":[{\"results\":[{\"ruleId\":\"R\\u001b1\",\"level\":\"error\","
        "\"message\":{\"text\":\"is odd\"},\"locations\":[{\"physicalLocation\":{"
        "\"artifactLocation\":{\"uri\":\"/repo/.github/workflows/ci.yml\"},"
        "\"region\":{\"startLine\":2}}}]},{\"ruleId\":3},{\"message\":{\"text\":\"x\"},"
        "\"locations\":[{\"physicalLocation\":{\"artifactLocation\":{\"uri\":\"../x\"}}}]}]}]}";
    wpa_outside *outside = wpa_outside_new(f->arena);
    wpa_error err = {0};
    assert_true(wpa_outside_read(outside, "mine", "/repo", log, strlen(log), &err));
    assert_int_equal(wpa_outside_count(outside), 1);
    const char *text = run(f, 2, NULL, NULL, outside);
    assert_non_null(strstr(text, "ext/mine/R"));
    assert_null(strchr(text, 033));
    assert_false(wpa_outside_read(outside, "mine", "", "garbage", 7, &err));
}

static void test_cut_results_are_refused(void **state)
{
    fixture *f = *state;
    const wpa_source *source =
        wpa_source_read(WPA_INPUT_WORKFLOW, "a.yml", callee, strlen(callee), NULL, f->arena);
    wpa_result result = wpa_rules_run(source, f->settings, f->arena), back;
    WPA_AUTO(wpa_buf) *out = wpa_buf_new((size_t)1 << 20);
    wpa_result_pack(&result, true, out);
    assert_true(
        wpa_result_unpack(wpa_buf_data(out), wpa_buf_size(out), "a.yml", "", f->arena, &back));
    assert_int_equal(back.n_findings, result.n_findings);
    assert_string_equal(back.findings[0]->message, result.findings[0]->message);
    for (size_t n = 0; n < wpa_buf_size(out); n++) {
        void *copy = wpa_arena_dup(f->arena, wpa_buf_data(out), n);
        assert_false(wpa_result_unpack(copy, n, "a.yml", "", f->arena, &back));
    }
}

static wpa_arena *count_batch(void *context, wpa_tree_file *const files[], size_t n)
{
    size_t *n_seen = context;
    for (size_t i = 0; i < n; i++) {
        assert_non_null(files[i]->source);
    }
    *n_seen += n;
    return NULL;
}

/** More text than trees are held for at a time: programs outside must see all of it nevertheless.
 */
static void test_every_file_is_in_a_batch(void **state)
{
    fixture *f = *state;
    wpa_error err = {0};
    char *text = wpa_arena_alloc(f->arena, 300001);
    memset(text, '#', 300000);
    static const char jobs[] = "\non: push\njobs: {}\n";
    memcpy(text + 200000, jobs, sizeof jobs - 1);
    for (size_t i = 0; i < 6; i++) {
        put(f, wpa_arena_printf(f->arena, "r/1/.github/workflows/large%zu.yml", i), text);
    }
    for (size_t n_threads = 1; n_threads < 4; n_threads += 2) {
        size_t n_seen = 0;
        wpa_tree_options options = {.settings = f->settings,
                                    .stdin_fd = -1,
                                    .n_threads = n_threads,
                                    .batch = count_batch,
                                    .context = &n_seen};
        WPA_AUTO(wpa_tree) *tree = wpa_tree_new(&options);
        assert_true(wpa_tree_add(tree, wpa_path_join(f->arena, f->folder, "r"), &err));
        assert_true(wpa_tree_finish(tree, &err));
        assert_int_equal(n_seen, wpa_results_count(wpa_tree_results(tree)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_threads_and_cache_change_nothing, open_fixture,
                                        close_fixture),
        cmocka_unit_test_setup_teardown(test_a_broken_cache_is_none, open_fixture, close_fixture),
        cmocka_unit_test_setup_teardown(test_a_change_beside_is_seen, open_fixture, close_fixture),
        cmocka_unit_test_setup_teardown(test_a_part_is_told_with_its_repository_around_it,
                                        open_fixture, close_fixture),
        cmocka_unit_test_setup_teardown(test_settings_are_part_of_the_key, open_fixture,
                                        close_fixture),
        cmocka_unit_test_setup_teardown(test_a_baseline_takes_findings_out, open_fixture,
                                        close_fixture),
        cmocka_unit_test_setup_teardown(test_other_analysers_join, open_fixture, close_fixture),
        cmocka_unit_test_setup_teardown(test_cut_results_are_refused, open_fixture, close_fixture),
        cmocka_unit_test_setup_teardown(test_every_file_is_in_a_batch, open_fixture, close_fixture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
