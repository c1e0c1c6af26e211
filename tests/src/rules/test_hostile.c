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

#include "rules/fix_tree.h"
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

/** Each can go up, and some only with the others. */
static void make_known_uses(wpa_buf *out, size_t n)
{
    static const char *const uses[] = {"checkout@v2", "cache@v1", "upload-artifact@v2",
                                       "download-artifact@v3"};
    wpa_buf_printf(out, JOB);
    for (size_t i = 0; i < n; i++) {
        wpa_buf_printf(out, "      - uses: actions/%s\n", uses[i % WPA_COUNT(uses)]);
    }
}

static void make_outputs(wpa_buf *out, size_t n)
{
    wpa_buf_printf(out, JOB "      - run: |\n");
    for (size_t i = 0; i < n; i++) {
        wpa_buf_printf(out, "          echo \"a=$b\" >> $GITHUB_OUTPUT\n");
    }
}

#define STOPPED "stopped: it has looked at as much as a rule may in one file"

/* By the processor's time, of which sanitizers take many times as much: no fault of the file's. */
#ifdef WPA_SANITIZED
#define MAY_BE_LATE true
/* What is looked at is the same number with and without them: the release compares sizes and fixes
   the whole, here the same code goes over enough of it to be seen. */
#define COMPARES_SIZES false
#define SHARE_OF_FIXES 8
#else
#define MAY_BE_LATE false
#define COMPARES_SIZES true
#define SHARE_OF_FIXES 1
#endif

static bool is_of_time(const char *note)
{
    return MAY_BE_LATE && (wpa_text_is(note, "not run: the file has used up its time") ||
                           strstr(note, "findings are shown without their fixes"));
}

static const struct {
    const char *title;
    maker make;
    size_t n;
    const char *note; /* the only one that there is, once it is twice as long; NULL: none */
} files[] = {
    {"jobs", make_jobs, 2000, "more than 1000 jobs"},
    {"expressions", make_expressions, 2000, NULL},
    {"conditions", make_conditions, 1000, NULL},
    {"env chain", make_env_chain, 1000, NULL},
    {"ring of needs", make_ring, 1500, "more than 1000 jobs"},
    {"matrices", make_matrices, 300, NULL},
    {"aliases", make_aliases, 200, "more than 1000 jobs"},
    {"scripts", make_scripts, 1000, STOPPED},
    {"uses that go up", make_known_uses, 1000, NULL},
    {"writers of one file", make_outputs, 1000, NULL},
};

static wpa_result run_over(const wpa_buf *text, wpa_arena *arena)
{
    const wpa_source *source = wpa_source_read(WPA_INPUT_WORKFLOW, ".github/workflows/ci.yml",
                                               wpa_buf_data(text), wpa_buf_size(text), NULL, arena);
    return wpa_rules_run(source, loudest(arena), arena);
}

/** Whoever is within the budget has nothing to remark but what is expected, which may be NULL. */
static void check_notes(const char *title, const wpa_result *result, const char *expected)
{
    for (size_t i = 0; i < result->n_notes; i++) {
        const wpa_note *note = &result->notes[i];
        if (!wpa_text_is(note->text, expected) && !is_of_time(note->text)) {
            fail_msg("%s: %s: %s", title, note->rule ? note->rule : "no rule", note->text);
        }
    }
}

static size_t measure(size_t row, size_t n, size_t *size_bytes)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    WPA_AUTO(wpa_buf) *text = wpa_buf_new(TEXT_MAX_BYTES);
    const char *title = files[row].title;
    files[row].make(text, n);
    assert_false(wpa_buf_is_full(text));
    wpa_result result = run_over(text, arena);
    *size_bytes = wpa_buf_size(text);
    check_notes(title, &result, files[row].note);
    if (n > files[row].n && files[row].note && !result.n_notes) {
        fail_msg("%s: is not said: %s", title, files[row].note);
    }
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
        size_t once = measure(i, files[i].n, &size_bytes);
        if (!COMPARES_SIZES) {
            continue;
        }
        size_t twice = measure(i, 2 * files[i].n, &twice_bytes);
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

/* ---- fixes ---- */

/* All tries together, the last of them and what it is told by behind. */
#define FIX_WORK_MAX (2 * WPA_RULES_WORK_MAX + 3 * WORK_MAX)

static wpa_fix_outcome fix_all(const wpa_buf *text, wpa_arena *arena)
{
    const wpa_source *source = wpa_source_read(WPA_INPUT_WORKFLOW, ".github/workflows/ci.yml",
                                               wpa_buf_data(text), wpa_buf_size(text), NULL, arena);
    return wpa_rules_fix(source, loudest(arena), &(wpa_fix_choice){.has_unsafe = true}, arena);
}

static void fixes_stay_within_their_budget(void **state)
{
    (void)state;
    for (size_t i = 0; i < WPA_COUNT(files); i++) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        WPA_AUTO(wpa_buf) *text = wpa_buf_new(TEXT_MAX_BYTES);
        files[i].make(text, files[i].n / SHARE_OF_FIXES);
        wpa_fix_outcome outcome = fix_all(text, arena);
        if (outcome.work > FIX_WORK_MAX) {
            fail_msg("%s: %zu of %zu looked at", files[i].title, outcome.work, FIX_WORK_MAX);
        }
    }
}

/** Every repair that moves its partners along has all of them to look at. */
static void repairs_are_stopped_and_it_is_said(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    WPA_AUTO(wpa_buf) *text = wpa_buf_new(TEXT_MAX_BYTES);
    wpa_settings *settings = loudest(arena);
    settings->is_unlimited = true;
    make_known_uses(text, 8000);
    const wpa_source *source = wpa_source_read(WPA_INPUT_WORKFLOW, ".github/workflows/ci.yml",
                                               wpa_buf_data(text), wpa_buf_size(text), NULL, arena);
    wpa_result result = wpa_rules_run(source, settings, arena);
    bool is_said = false;
    for (size_t i = 0; i < result.n_notes; i++) {
        is_said = is_said || strstr(result.notes[i].text, "shown without their fixes");
    }
    assert_true(is_said);
    assert_true(result.work <= WORK_MAX);
}

/** The rule that would speak against a fix may be the one that was stopped. */
static void nothing_is_fixed_where_a_rule_was_stopped(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    WPA_AUTO(wpa_buf) *text = wpa_buf_new(TEXT_MAX_BYTES);
    make_matrices(text, 1500);
    wpa_buf_printf(text, "  last:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: make\n");
    wpa_fix_outcome outcome = fix_all(text, arena);
    assert_int_equal(outcome.n_applied, 0);
    if (MAY_BE_LATE && !outcome.n_notes) { /* no fix was left to be tried */
        bool is_said = false;
        for (size_t i = 0; i < outcome.result.n_notes; i++) {
            is_said = is_said || is_of_time(outcome.result.notes[i].text);
        }
        assert_true(is_said);
        return;
    }
    assert_int_equal(outcome.n_notes, 1);
    assert_non_null(strstr(outcome.notes[0].text, "no fix is tried"));
    assert_non_null(outcome.notes[0].rule);
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
        check_notes(r.sources[i]->path, &result, NULL);
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

/* ---- fixes over several files ---- */

/* Long scripts, each of which a fix moves into a file of its own. */
static void write_scripts(wpa_buf *out, size_t i, size_t n_jobs)
{
    wpa_buf_printf(out, "name: w%zu\non: push\npermissions: {}\njobs:\n", i);
    for (size_t k = 0; k < n_jobs; k++) {
        wpa_buf_printf(out,
                       "  j%zu:\n    runs-on: ubuntu-24.04\n    timeout-minutes: 5\n    steps:\n"
                       "      - uses: actions/checkout@v6\n      - name: Do %zu\n        run: |\n",
                       k, k);
        for (size_t line = 0; line < 60; line++) {
            wpa_buf_printf(out, "          echo line %zu %zu %zu | tee -a log\n", i, k, line);
        }
    }
}

static const char *read_parsed(void *context, const char *path, size_t max_bytes, wpa_arena *arena,
                               size_t *size_bytes)
{
    const wpa_source *source = find(context, path);
    bool fits = source && source->yaml->size_bytes <= max_bytes;
    *size_bytes = fits ? source->yaml->size_bytes : 0;
    return fits ? wpa_arena_slice(arena, source->yaml->source, *size_bytes) : NULL;
}

/* What became of a repository; all in its arena. */
typedef struct moved {
    size_t n_applied, n_notes, held_bytes;
    const char *note; /* the last one */
} moved;

static moved move_scripts(size_t n, size_t n_jobs, wpa_arena *arena)
{
    repository r = {.arena = wpa_arena_new(), .graph = wpa_graph_new("owner/name", arena)};
    r.sources = wpa_arena_array(arena, n, sizeof(void *));
    r.by_path = wpa_map_new(arena);
    const char **paths = wpa_arena_array(arena, n, sizeof *paths);
    r.around = (wpa_surroundings){.prefix = "",
                                  .parsed = find,
                                  .parsed_context = r.by_path,
                                  .read = read_parsed,
                                  .read_context = r.by_path,
                                  .paths = paths,
                                  .n_paths = n,
                                  .has_paths = true};
    for (size_t i = 0; i < n; i++) {
        WPA_AUTO(wpa_buf) *out = wpa_buf_new(TEXT_MAX_BYTES);
        write_scripts(out, i, n_jobs);
        paths[i] = wpa_arena_printf(arena, ".github/workflows/w%03zu.yml", i);
        add(&r, paths[i], out);
    }
    wpa_graph_close(r.graph);
    r.around.graph = r.graph;
    WPA_AUTO(wpa_arena) *own = wpa_arena_new();
    WPA_AUTO(wpa_fix_tree) *tree = wpa_fix_tree_new(&r.around, own);
    moved m = {0};
    for (size_t i = 0; i < n && !wpa_fix_tree_is_stopped(tree); i++) {
        wpa_fix_outcome outcome =
            wpa_fix_tree_fix(tree, paths[i], loudest(arena), &(wpa_fix_choice){.has_unsafe = true});
        m.n_applied += outcome.n_applied;
        m.n_notes += outcome.n_notes;
        m.note = outcome.n_notes ? wpa_arena_text(arena, outcome.notes[outcome.n_notes - 1].text)
                                 : m.note;
    }
    m.held_bytes = wpa_arena_used_bytes(own);
    wpa_arena_free(r.arena);
    return m;
}

static void fixes_over_many_files_hold_what_these_hold(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    moved once = move_scripts(25, 1, arena), twice = move_scripts(50, 1, arena);
    assert_int_equal(once.n_applied, 25);
    assert_int_equal(twice.n_applied, 50);
    assert_int_equal(once.n_notes + twice.n_notes, 0);
    if (twice.held_bytes > 3 * once.held_bytes) {
        fail_msg("%zu bytes for twice the files, %zu before", twice.held_bytes, once.held_bytes);
    }
}

static void fixes_over_many_files_come_to_an_end(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    moved m = move_scripts(1, 150, arena);
    assert_true(m.n_applied > 0 && m.n_applied < 150);
    assert_int_equal(m.n_notes, 1);
    assert_non_null(strstr(m.note, "as much was tried for this repository as may be"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_stay_within_their_budget),
        cmocka_unit_test(what_is_stopped_is_noted_and_others_go_on),
        cmocka_unit_test(fixes_stay_within_their_budget),
        cmocka_unit_test(repairs_are_stopped_and_it_is_said),
        cmocka_unit_test(nothing_is_fixed_where_a_rule_was_stopped),
        cmocka_unit_test(repositories_cost_what_they_hold),
        cmocka_unit_test(fixes_over_many_files_hold_what_these_hold),
        cmocka_unit_test(fixes_over_many_files_come_to_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
