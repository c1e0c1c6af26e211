/*
 * Definitions that are made to hurt, each short enough for every run of the tests: what the rules
 * do with them is counted in work and bytes, so that a slow machine fails nobody, and it has to
 * grow with what is there and not with its square. tests/hostile.py has the long ones, by the
 * clock.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <wpa/buf.h>
#include <wpa/map.h>

#include "rules/engine.h"
#include "rules/graph.h"

#define TEXT_MAX_BYTES WPA_YAML_MAX_BYTES
/* What may be held beside the file, and what one byte of it may cost where rules are many. */
#define HELD_MAX_BYTES ((size_t)64 * 1024 * 1024)
#define WORK_MAX (WPA_RULES_WORK_MAX + 2 * WPA_RULE_WORK_MAX)
#define HEAD "name: CI\non: [push, pull_request_target]\npermissions: {}\n"
#define ONE_JOB "jobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n"
#define JOB HEAD ONE_JOB

static wpa_settings *loudest(wpa_arena *arena)
{
    wpa_settings *settings = wpa_settings_new(0, arena);
    settings->persona = WPA_PERSONA_AUDITOR;
    return settings;
}

/* ---- one file ---- */

typedef void (*maker)(wpa_buf *out, size_t n);

static void make_jobs(wpa_buf *out, size_t n)
{
    wpa_buf_printf(out, HEAD "jobs:\n");
    for (size_t i = 0; i < n; i++) {
        wpa_buf_printf(out, "  j%zu: {runs-on: x, steps: [{run: a}]}\n", i);
    }
}

static void make_expressions(wpa_buf *out, size_t n)
{
    wpa_buf_printf(out, JOB);
    for (size_t i = 0; i < n; i++) {
        wpa_buf_printf(out, "      - run: a ${{github.head_ref}}\n");
    }
}

static void make_conditions(wpa_buf *out, size_t n)
{
    wpa_buf_printf(out, JOB);
    for (size_t i = 0; i < n; i++) {
        wpa_buf_printf(out,
                       "      - {id: s%zu, if: steps.s%zu.outputs.x == 'a', run: 'echo x=%zu >> "
                       "$GITHUB_OUTPUT'}\n",
                       i, i / 2, i);
    }
}

static void make_env_chain(wpa_buf *out, size_t n)
{
    wpa_buf_printf(out, HEAD "env:\n");
    for (size_t i = 0; i < n; i++) {
        wpa_buf_printf(out, "  K%zu: ${{ env.K%zu }}\n", i + 1, i);
    }
    wpa_buf_printf(out, ONE_JOB);
    for (size_t i = 0; i < n / 4; i++) {
        wpa_buf_printf(out, "      - run: echo ${{ env.K%zu }}\n", n);
    }
}

static void make_ring(wpa_buf *out, size_t n)
{
    wpa_buf_printf(out, HEAD "jobs:\n");
    for (size_t i = 0; i < n; i++) {
        wpa_buf_printf(out, "  a%zu: {needs: a%zu, runs-on: x, steps: [{run: a}]}\n", i,
                       (i + 1) % n);
    }
}

static void make_matrices(wpa_buf *out, size_t n)
{
    wpa_buf_printf(out, HEAD "jobs:\n");
    for (size_t i = 0; i < n; i++) {
        wpa_buf_printf(out, "  j%zu:\n    strategy: {matrix: {a: [", i);
        for (size_t k = 0; k < 32; k++) {
            wpa_buf_printf(out, "%zu, ", k);
        }
        wpa_buf_printf(out, "x], b: [");
        for (size_t k = 0; k < 30; k++) {
            wpa_buf_printf(out, "%zu, ", k);
        }
        wpa_buf_printf(out, "x]}}\n    runs-on: x\n    steps: [{run: 'a ${{ matrix.a }}'}]\n");
    }
}

static void make_aliases(wpa_buf *out, size_t n)
{
    wpa_buf_printf(out, HEAD "jobs:\n  a: &a\n    runs-on: ubuntu-latest\n    steps:\n");
    for (size_t i = 0; i < n; i++) {
        wpa_buf_printf(out, "      - run: make\n");
    }
    for (size_t i = 0; i < 10 * n; i++) {
        wpa_buf_printf(out, "  j%zu: *a\n", i);
    }
}

static void make_scripts(wpa_buf *out, size_t n)
{
    wpa_buf_printf(out, JOB);
    for (size_t i = 0; i < n; i++) {
        wpa_buf_printf(out,
                       "      - run: |\n          A%zu=$A%zu; echo \"x=$A%zu\" >> $GITHUB_ENV\n"
                       "          make $x\n",
                       i, i / 2, i);
    }
}

static const struct {
    const char *title;
    maker make;
    size_t n;
} files[] = {
    {"jobs", make_jobs, 2000},
    {"expressions", make_expressions, 2000},
    {"conditions", make_conditions, 1000},
    {"env chain", make_env_chain, 1000},
    {"ring of needs", make_ring, 1500},
    {"matrices", make_matrices, 300},
    {"aliases", make_aliases, 200},
    {"scripts", make_scripts, 1000},
};

static wpa_result run_over(const wpa_buf *text, wpa_arena *arena)
{
    const wpa_source *source = wpa_source_read(WPA_INPUT_WORKFLOW, ".github/workflows/ci.yml",
                                               wpa_buf_data(text), wpa_buf_size(text), NULL, arena);
    return wpa_rules_run(source, loudest(arena), arena);
}

static size_t measure(maker make, size_t n, const char *title, size_t *size_bytes)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    WPA_AUTO(wpa_buf) *text = wpa_buf_new(TEXT_MAX_BYTES);
    make(text, n);
    assert_false(wpa_buf_is_full(text));
    wpa_result result = run_over(text, arena);
    *size_bytes = wpa_buf_size(text);
    if (result.work > WORK_MAX || wpa_arena_used_bytes(arena) > HELD_MAX_BYTES) {
        fail_msg("%s: %zu of %zu looked at, %zu bytes", title, result.work, WORK_MAX,
                 wpa_arena_used_bytes(arena));
    }
    return result.work;
}

static void files_stay_within_their_budget(void **state)
{
    (void)state;
    for (size_t i = 0; i < WPA_COUNT(files); i++) {
        size_t size_bytes, twice_bytes;
        size_t once = measure(files[i].make, files[i].n, files[i].title, &size_bytes);
        size_t twice = measure(files[i].make, 2 * files[i].n, files[i].title, &twice_bytes);
        if (twice > 3 * once + WPA_RULE_WORK_MAX / 10) {
            fail_msg("%s: twice the file is %zu work after %zu", files[i].title, twice, once);
        }
    }
}

/* ---- a rule that is stopped ---- */

static void what_is_stopped_is_noted_and_others_go_on(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    WPA_AUTO(wpa_buf) *text = wpa_buf_new(TEXT_MAX_BYTES);
    make_matrices(text, 3000);
    wpa_result result = run_over(text, arena);
    size_t n_stopped = 0, n_others = 0;
    for (size_t i = 0; i < result.n_notes; i++) {
        bool is_stopped = wpa_text_starts(result.notes[i].text, "stopped: ");
        n_stopped += is_stopped;
        for (size_t k = 0; is_stopped && k < result.n_findings; k++) {
            n_others += !wpa_text_is(result.findings[k]->rule->id, result.notes[i].rule);
        }
    }
    assert_true(n_stopped > 0);
    assert_true(n_others > 0);
    assert_true(result.work <= WORK_MAX);
}

/* ---- repositories ---- */

typedef struct repository {
    wpa_arena *arena;
    wpa_graph *graph;
    const wpa_source **sources;
    size_t n, size_bytes;
    wpa_map *by_path;
    wpa_surroundings around;
} repository;

static const wpa_source *find(void *context, const char *path)
{
    return wpa_map_get(context, path);
}

static void add(repository *r, const char *path, const wpa_buf *text)
{
    const wpa_source *source = wpa_source_read(WPA_INPUT_WORKFLOW, path, wpa_buf_data(text),
                                               wpa_buf_size(text), &r->around, r->arena);
    r->sources[r->n++] = source;
    r->size_bytes += wpa_buf_size(text);
    wpa_map_put(r->by_path, path, (void *)(uintptr_t)source);
    wpa_graph_add(r->graph, source);
}

typedef void (*text_of)(wpa_buf *out, size_t i, size_t n);

static void call_all(wpa_buf *out, size_t i, size_t n)
{
    (void)i;
    wpa_buf_printf(out, "on: [push, workflow_call]\njobs:\n");
    for (size_t k = 0; k < n; k++) {
        wpa_buf_printf(
            out, "  a%zu:\n    uses: ./.github/workflows/w%zu.yml\n    secrets: inherit\n", k, k);
    }
}

static void call_next(wpa_buf *out, size_t i, size_t n)
{
    wpa_buf_printf(out, "on: workflow_call\njobs:\n  a:\n    uses: ./.github/workflows/w%zu.yml\n",
                   (i + 1) % n);
}

static void call_first(wpa_buf *out, size_t i, size_t n)
{
    if (i) {
        wpa_buf_printf(out, "on: pull_request_target\njobs:\n  a:\n"
                            "    uses: ./.github/workflows/w0.yml\n"
                            "    with: {x: '${{ github.head_ref }}'}\n");
        return;
    }
    wpa_buf_printf(out, "on: {workflow_call: {inputs: {x: {type: string}}}}\n"
                        "jobs:\n  a:\n    runs-on: x\n    steps:\n");
    for (size_t k = 0; k < n; k++) {
        wpa_buf_printf(out, "      - run: a ${{ inputs.x }}\n");
    }
}

static void follow(wpa_buf *out, size_t i, size_t n)
{
    wpa_buf_printf(out,
                   "name: n%zu\non: {workflow_run: {workflows: [n%zu, n%zu]}}\n"
                   "jobs: {a: {runs-on: x, steps: [{run: a}, {uses: actions/download-artifact@v5, "
                   "with: {name: a%zu, run-id: '${{ github.event.workflow_run.id }}'}}, {uses: "
                   "actions/upload-artifact@v4, with: {name: a%zu, path: a}}]}}\n",
                   i, (i + 1) % n, i * 7 % n, i % 5, i % 7);
}

/** All work over all files. */
static size_t run_repository(text_of text, size_t n, size_t *size_bytes)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    repository r = {.arena = arena, .graph = wpa_graph_new("owner/name", arena)};
    r.sources = wpa_arena_array(arena, n, sizeof(void *));
    r.by_path = wpa_map_new(arena);
    r.around = (wpa_surroundings){.prefix = "", .parsed = find, .parsed_context = r.by_path};
    for (size_t i = 0; i < n; i++) {
        WPA_AUTO(wpa_buf) *out = wpa_buf_new(TEXT_MAX_BYTES);
        text(out, i, n);
        add(&r, wpa_arena_printf(arena, ".github/workflows/w%zu.yml", i), out);
    }
    wpa_graph_close(r.graph);
    r.around.graph = r.graph;
    size_t work = 0;
    const wpa_settings *settings = loudest(arena);
    for (size_t i = 0; i < n; i++) {
        WPA_AUTO(wpa_arena) *rules = wpa_arena_new();
        wpa_result result = wpa_rules_run(r.sources[i], settings, rules);
        assert_true(result.work <= WORK_MAX);
        assert_true(wpa_arena_used_bytes(rules) <= HELD_MAX_BYTES);
        work += result.work;
    }
    *size_bytes = r.size_bytes;
    return work;
}

static void repositories_cost_what_they_hold(void **state)
{
    (void)state;
    static const struct {
        const char *title;
        text_of text;
        size_t n;
        double slope; /* how much faster than the bytes the work may grow */
    } cases[] = {
        /* Each looks at all the others, until it has read as much beside itself as it may. */
        {"all call all", call_all, 30, 2.4},
        {"a ring of calls", call_next, 200, 1.3},
        {"many callers of one", call_first, 150, 1.3},
        /* Versions of actions are compared over the records of all files, for each of them. */
        {"runs that follow runs", follow, 150, 2.0},
    };
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        size_t bytes, more_bytes;
        size_t work = run_repository(cases[i].text, cases[i].n, &bytes);
        size_t more = run_repository(cases[i].text, 2 * cases[i].n, &more_bytes);
        double growth = (double)more / (double)(work + 1),
               size = (double)more_bytes / (double)bytes;
        if (growth > cases[i].slope * size) {
            fail_msg("%s: %zu bytes cost %zu, %zu bytes %zu", cases[i].title, bytes, work,
                     more_bytes, more);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_stay_within_their_budget),
        cmocka_unit_test(what_is_stopped_is_noted_and_others_go_on),
        cmocka_unit_test(repositories_cost_what_they_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
