/* The graph of a repository: what its files say, who uses what, and that hostile ones do no harm.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rules/graph.h"

typedef struct file {
    const char *path, *text;
} file;

static const file repository[] = {
    {".github/workflows/b.yml", "name: Build\n"
                                "on:\n"
                                "  push:\n"
                                "  schedule:\n"
                                "    - cron: '1 2 * * *'\n"
                                "jobs:\n"
                                "  one:\n"
                                "    name: First\n"
                                "    runs-on: x\n"
                                "    steps:\n"
                                "      - uses: ./act/\n"
                                "      - uses: actions/checkout@v4\n"
                                "  two:\n"
                                "    needs: [one]\n"
                                "    uses: ./.github/workflows/a.yml\n"
                                "    secrets: inherit\n"},
    {".github/workflows/a.yml", "on: workflow_call\n"
                                "jobs:\n"
                                "  x:\n"
                                "    needs: y\n"
                                "    steps: [{uses: $/act}, {uses: ./missing}, {uses: .//act}]\n"},
    {".github/workflows/c.yml", "on:\n"
                                "  workflow_run: {workflows: [Build], types: [completed]}\n"},
    {"act/action.yaml", "name: act\nruns: {using: composite, steps: []}\n"},
};

static const wpa_graph *build(const file *files, size_t n, wpa_arena *arena)
{
    wpa_graph *graph = wpa_graph_new("owner/name", arena);
    for (size_t i = 0; i < n; i++) {
        wpa_input_kind kind = WPA_INPUT_WORKFLOW;
        assert_true(wpa_input_of_path(files[i].path, &kind));
        wpa_graph_add(graph, wpa_source_read(kind, files[i].path, files[i].text,
                                             strlen(files[i].text), NULL, arena));
    }
    wpa_graph_close(graph);
    return graph;
}

static void files_in_order(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const wpa_graph *graph = build(repository, WPA_COUNT(repository), arena);
    assert_int_equal(wpa_graph_count(graph), WPA_COUNT(repository));
    for (size_t i = 1; i < wpa_graph_count(graph); i++) {
        assert_true(strcmp(wpa_graph_at(graph, i - 1)->path, wpa_graph_at(graph, i)->path) < 0);
    }
    assert_null(wpa_graph_find(graph, "nowhere.yml"));
}

static void what_a_file_says(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const wpa_graph *graph = build(repository, WPA_COUNT(repository), arena);
    const wpa_graph_file *b = wpa_graph_find(graph, ".github/workflows/b.yml");
    assert_string_equal(b->name, "Build");
    assert_string_equal(wpa_graph_trigger_find(b, "schedule")->crons[0], "1 2 * * *");
    assert_null(wpa_graph_trigger_find(b, "pull_request"));
    assert_int_equal(b->n_jobs, 2);
    assert_string_equal(b->jobs[0].name, "First");
    assert_string_equal(b->jobs[1].needs[0], "one");
    assert_null(b->jobs[1].needs[1]);
    assert_int_equal(b->n_uses, 3);
    assert_string_equal(b->uses[0].local_path, "act");
    assert_null(b->uses[1].local_path);
    assert_true(b->uses[2].is_call && b->uses[2].inherits_secrets && b->uses[2].job == 1);
    const wpa_graph_file *a = wpa_graph_find(graph, ".github/workflows/a.yml");
    assert_null(a->name);
    assert_int_equal(a->name_span.start, 0);
    assert_string_equal(a->jobs[0].needs[0], "y");
    const wpa_graph_file *c = wpa_graph_find(graph, ".github/workflows/c.yml");
    assert_string_equal(c->triggers[0].workflows[0], "Build");
    assert_string_equal(c->triggers[0].types[0], "completed");
}

static void local_uses(void **state)
{
    (void)state;
    static const struct {
        const char *use, *path;
    } cases[] = {
        {"act", "act/action.yaml"},
        {".github/workflows/a.yml", ".github/workflows/a.yml"},
        {"missing", NULL},
        {"", NULL},
    };
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const wpa_graph *graph = build(repository, WPA_COUNT(repository), arena);
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        const wpa_graph_file *found = wpa_graph_local(graph, cases[i].use);
        if (!wpa_text_is(found ? found->path : NULL, cases[i].path)) {
            fail_msg("%s: %s", cases[i].use, found ? found->path : "none");
        }
    }
    static const struct {
        const char *text, *path;
    } texts[] = {{"./act/", "act"}, {"$/act", "act"}, {".//a/b//", "a/b"},
                 {"a/b@v1", NULL},  {"./", ""},       {"../act", NULL}};
    for (size_t i = 0; i < WPA_COUNT(texts); i++) {
        if (!wpa_text_is(wpa_graph_local_path(texts[i].text, arena), texts[i].path)) {
            fail_msg("%s", texts[i].text);
        }
    }
}

/* What is of this repository by its look, and may be shorter than "./". */
static void used(void **state)
{
    (void)state;
    static const struct {
        const char *text, *path;
    } cases[] = {
        {".", NULL},
        {"..", NULL},
        {"./", NULL},
        {"../act", NULL},
        {"./act/", "act/action.yaml"},
        {"$/act", "act/action.yaml"},
        {"act", NULL},
        {"$/", NULL},
        {"a/act@v1", NULL},
        {"./${{ github.ref }}", NULL},
        {"./.github/workflows/a.yml", ".github/workflows/a.yml"},
    };
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const wpa_graph *graph = build(repository, WPA_COUNT(repository), arena);
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        const char *text =
            wpa_arena_printf(arena, "on: push\njobs: {a: {uses: '%s'}}\n", cases[i].text);
        const wpa_source *source =
            wpa_source_read(WPA_INPUT_WORKFLOW, "w.yml", text, strlen(text), NULL, arena);
        const wpa_outline_uses *uses = &source->outline->jobs[0].uses;
        const wpa_graph_file *found = wpa_graph_used(graph, uses, arena);
        assert_null(wpa_graph_used(NULL, uses, arena));
        if (!wpa_text_is(found ? found->path : NULL, cases[i].path)) {
            fail_msg("%s: %s", cases[i].text, found ? found->path : "none");
        }
    }
}

static void users(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        size_t n;
        const char *first;
    } cases[] = {
        {"act/action.yaml", 3, ".github/workflows/a.yml"},
        {".github/workflows/a.yml", 1, ".github/workflows/b.yml"},
        {".github/workflows/b.yml", 0, NULL},
        {"nowhere", 0, NULL},
    };
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const wpa_graph *graph = build(repository, WPA_COUNT(repository), arena);
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        size_t n = 99;
        const wpa_graph_user *found = wpa_graph_users(graph, cases[i].path, &n);
        if (n != cases[i].n || (n && strcmp(found[0].file->path, cases[i].first) != 0)) {
            fail_msg("%s: %zu", cases[i].path, n);
        }
    }
}

static void odd_files(void **state)
{
    (void)state;
    static const file odd[] = {
        {".github/workflows/empty.yml", ""},
        {".github/workflows/list.yml", "- a\n- b\n"},
        {".github/workflows/broken.yml", "on: [push\njobs:\n  a: {"},
        {".github/workflows/types.yml", "name: {a: b}\non: {schedule: 5, push: [x]}\n"
                                        "jobs: {a: {needs: {x: y}, uses: [z]}, b: 7}\n"},
        {".github/workflows/self.yml", "on: workflow_call\njobs:\n  a:\n"
                                       "    uses: ./.github/workflows/self.yml\n"},
    };
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const wpa_graph *graph = build(odd, WPA_COUNT(odd), arena);
    assert_int_equal(wpa_graph_count(graph), WPA_COUNT(odd));
    size_t n;
    (void)wpa_graph_users(graph, ".github/workflows/self.yml", &n);
    assert_int_equal(n, 1);
    const wpa_graph *none = build(NULL, 0, arena);
    assert_int_equal(wpa_graph_count(none), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_in_order), cmocka_unit_test(what_a_file_says),
        cmocka_unit_test(local_uses),     cmocka_unit_test(used),
        cmocka_unit_test(users),          cmocka_unit_test(odd_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
