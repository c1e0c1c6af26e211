#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <wpa/buf.h>

#include "workflow/workflow.h"

static const wpa_model *parse(wpa_arena *arena, const char *path, const char *text)
{
    wpa_error err = {0};
    const wpa_model *model = wpa_model_parse(path, WPA_FILE_OTHER, text, strlen(text), arena, &err);
    assert_non_null(model);
    return model;
}

static const wpa_workflow *workflow(wpa_arena *arena, const char *text)
{
    const wpa_model *model = parse(arena, ".github/workflows/t.yml", text);
    assert_non_null(model->workflow);
    return model->workflow;
}

static void test_files_are_known_by_their_place(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        wpa_file_kind kind;
    } cases[] = {
        {".github/workflows/ci.yml", WPA_FILE_WORKFLOW},
        {"sub/.github/workflows/ci.yaml", WPA_FILE_WORKFLOW},
        {".github/workflows/action.yml", WPA_FILE_WORKFLOW},
        {".github/workflows/deep/ci.yml", WPA_FILE_OTHER},
        {".github/workflows/ci.json", WPA_FILE_OTHER},
        {"action.yml", WPA_FILE_ACTION},
        {".github/actions/x/action.yaml", WPA_FILE_ACTION},
        {".github/dependabot.yml", WPA_FILE_DEPENDABOT},
        {"x/dependabot.yml", WPA_FILE_OTHER},
        {"my.github/workflows/ci.yml", WPA_FILE_OTHER},
    };
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        print_message("%s\n", cases[i].path);
        assert_int_equal(wpa_file_kind_of(cases[i].path), cases[i].kind);
    }
}

static void test_references(void **state)
{
    (void)state;
    static const struct {
        const char *uses, *written_ref;
        wpa_reference_kind kind;
        wpa_ref_kind ref_kind;
        const char *slug, *path, *ref;
    } cases[] = {
        {"actions/Checkout@v4", "v4", WPA_REFERENCE_REPOSITORY, WPA_REF_VERSION, "actions/checkout",
         "", "v4"},
        {"a/b/c/d@1.2.3-rc.1", "1.2.3-rc.1", WPA_REFERENCE_REPOSITORY, WPA_REF_VERSION, "a/b",
         "c/d", "1.2.3-rc.1"},
        {"a/b@0123456789012345678901234567890123456789", "0123456789012345678901234567890123456789",
         WPA_REFERENCE_REPOSITORY, WPA_REF_COMMIT, "a/b", "",
         "0123456789012345678901234567890123456789"},
        {"'a/b@abcdef1'", "abcdef1", WPA_REFERENCE_REPOSITORY, WPA_REF_SHORT_COMMIT, "a/b", "",
         "abcdef1"},
        {"a/b@main", "main", WPA_REFERENCE_REPOSITORY, WPA_REF_OTHER, "a/b", "", "main"},
        {"a/b@20240101", "20240101", WPA_REFERENCE_REPOSITORY, WPA_REF_VERSION, "a/b", "",
         "20240101"},
        {"./x/y", NULL, WPA_REFERENCE_LOCAL, WPA_REF_NONE, NULL, "./x/y", NULL},
        {"docker://alpine:3", NULL, WPA_REFERENCE_DOCKER, WPA_REF_NONE, NULL, NULL, NULL},
        {"a/b", NULL, WPA_REFERENCE_INVALID, WPA_REF_NONE, NULL, NULL, NULL},
        {"a@v1", "v1", WPA_REFERENCE_INVALID, WPA_REF_VERSION, NULL, NULL, "v1"},
        {"a/b@${{ x }}", "${{ x }}", WPA_REFERENCE_INVALID, WPA_REF_NONE, NULL, NULL, NULL},
    };
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        const char *text = wpa_arena_printf(
            arena, "jobs:\n  j:\n    steps:\n      - uses: %s # v1.2 \n", cases[i].uses);
        const wpa_model *model = parse(arena, ".github/workflows/t.yml", text);
        const wpa_reference *uses = &model->workflow->jobs[0].steps[0].uses;
        print_message("%s\n", cases[i].uses);
        assert_int_equal(uses->kind, cases[i].kind);
        assert_int_equal(uses->ref_kind, cases[i].ref_kind);
        assert_true(wpa_text_is(uses->slug, cases[i].slug));
        assert_true(wpa_text_is(uses->path, cases[i].path));
        assert_true(wpa_text_is(uses->ref, cases[i].ref));
        assert_string_equal(uses->comment, "v1.2");
        if (cases[i].written_ref) {
            const char *written = wpa_arena_slice(arena, text + uses->ref_span.start,
                                                  wpa_span_length(uses->ref_span));
            assert_string_equal(written, cases[i].written_ref);
        }
    }
}

static void test_a_whole_workflow(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const wpa_workflow *w =
        workflow(arena, "name: CI\n"
                        "on:\n"
                        "  push:\n"
                        "    branches: [main, 'rel/**']\n"
                        "    paths-ignore: docs/**\n"
                        "  schedule:\n"
                        "    - cron: '0 4 * * *'\n"
                        "  workflow_dispatch:\n"
                        "    inputs:\n"
                        "      level: {type: choice, options: [a, b], default: a}\n"
                        "permissions: read-all\n"
                        "env: {A: 1}\n"
                        "defaults: {run: {shell: sh}}\n"
                        "concurrency: {group: g, cancel-in-progress: true}\n"
                        "jobs:\n"
                        "  build:\n"
                        "    runs-on: [self-hosted, linux]\n"
                        "    timeout-minutes: 10\n"
                        "    container: node:20\n"
                        "    services:\n"
                        "      db: {image: 'postgres:16', ports: ['5432:5432']}\n"
                        "    outputs: {v: '${{ steps.s.outputs.v }}'}\n"
                        "    steps:\n"
                        "      - id: s\n"
                        "        run: echo\n"
                        "      - name: Two\n"
                        "        run: echo 2\n"
                        "        shell: bash\n"
                        "        continue-on-error: true\n"
                        "  call:\n"
                        "    needs: build\n"
                        "    environment: {name: prod, url: u}\n"
                        "    uses: ./.github/workflows/x.yml\n"
                        "    secrets: inherit\n");
    assert_string_equal(w->name.text, "CI");
    assert_int_equal(w->n_triggers, 3);
    assert_true(wpa_value_list_has(&wpa_workflow_trigger(w, "push")->branches, "rel/**"));
    assert_string_equal(wpa_workflow_trigger(w, "push")->paths_ignore.items[0].text, "docs/**");
    assert_string_equal(wpa_workflow_trigger(w, "schedule")->schedules[0].cron.text, "0 4 * * *");
    assert_string_equal(wpa_workflow_trigger(w, "workflow_dispatch")->inputs[0].name, "level");
    assert_int_equal(wpa_workflow_trigger(w, "workflow_dispatch")->inputs[0].options.n, 2);
    assert_string_equal(w->permissions.scalar.text, "read-all");
    assert_string_equal(wpa_value_map_find(&w->env, "A")->value.text, "1");
    assert_int_equal(wpa_value_bool(&w->concurrency.cancel_in_progress), 1);
    const wpa_workflow_job *build = wpa_workflow_job_find(w, "build");
    double minutes = 0;
    assert_true(wpa_value_number(&build->timeout_minutes, &minutes) && minutes > 9 && minutes < 11);
    assert_string_equal(build->runs_on.items[1].text, "linux");
    assert_string_equal(build->container.image.text, "node:20");
    assert_string_equal(build->services[0].image.text, "postgres:16");
    assert_true(build->outputs.items[0].value.has_expression);
    assert_string_equal(wpa_step_shell(&build->steps[0], build, w)->text, "sh");
    assert_string_equal(wpa_step_shell(&build->steps[1], build, w)->text, "bash");
    assert_ptr_equal(wpa_workflow_job_step(build, "S"), &build->steps[0]);
    assert_string_equal(wpa_step_identity(&build->steps[1], arena), "Two");
    const wpa_workflow_job *call = wpa_workflow_job_find(w, "call");
    assert_int_equal(call->uses.kind, WPA_REFERENCE_LOCAL);
    assert_string_equal(call->secrets.scalar.text, "inherit");
    assert_string_equal(call->environment.text, "prod");
    assert_true(wpa_workflow_job_depends_on(w, call, build));
    assert_false(wpa_workflow_job_depends_on(w, build, call));
}

static void test_wrong_shapes_are_unknown_and_hide_nothing(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const wpa_model *model = parse(arena, ".github/workflows/t.yml",
                                   "on: {push: nonsense}\n"
                                   "jobs:\n"
                                   "  a: text\n"
                                   "  b:\n"
                                   "    name: [1]\n"
                                   "    needs: {x: 1}\n"
                                   "    env: [a]\n"
                                   "    strategy: {matrix: {os: linux, v: '${{ x }}'}}\n"
                                   "    steps:\n"
                                   "      - text\n"
                                   "      - run: echo\n"
                                   "  c:\n"
                                   "    steps: {}\n");
    const wpa_workflow *w = model->workflow;
    assert_int_equal(w->n_jobs, 3);
    assert_true(w->triggers[0].is_unknown);
    assert_true(w->jobs[0].is_unknown);
    assert_true(w->jobs[1].name.is_unknown);
    assert_true(w->jobs[1].needs.is_unknown);
    assert_true(w->jobs[1].env.is_unknown);
    assert_true(w->jobs[1].strategy.matrix.is_open);
    assert_true(w->jobs[1].steps[0].is_unknown);
    assert_string_equal(w->jobs[1].steps[1].run.text, "echo");
    assert_true(w->jobs[2].has_unknown_steps);
    assert_int_equal(model->n_shape_faults, 8);
    const wpa_workflow *odd = workflow(arena, "[1, 2]\n");
    assert_int_equal(odd->n_jobs, 0);
    (void)workflow(arena, "");
    (void)workflow(arena, "on: [{}, push]\njobs: []\n");
}

static void test_action_files(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const wpa_action_file *a =
        parse(arena, "x/action.yml",
              "name: X\ninputs:\n  who: {required: true, default: me}\noutputs:\n"
              "  v: {value: '${{ steps.s.outputs.v }}'}\nruns:\n  using: composite\n  steps:\n"
              "    - run: echo\n      shell: bash\n")
            ->action;
    assert_int_equal(a->kind, WPA_ACTION_COMPOSITE);
    assert_string_equal(a->inputs[0].default_value.text, "me");
    assert_true(a->outputs[0].value.has_expression);
    assert_int_equal(a->n_steps, 1);
    a = parse(arena, "action.yml", "runs: {using: node20, main: index.js}\n")->action;
    assert_int_equal(a->kind, WPA_ACTION_JAVASCRIPT);
    a = parse(arena, "action.yml", "runs: {using: docker, image: Dockerfile}\n")->action;
    assert_int_equal(a->kind, WPA_ACTION_DOCKER);
}

static void test_dependabot_files(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const wpa_dependabot *d =
        parse(arena, ".github/dependabot.yml",
              "version: 2\nupdates:\n  - package-ecosystem: npm\n    directory: /\n"
              "    schedule: {interval: weekly}\n  - text\n")
            ->dependabot;
    assert_string_equal(d->version.text, "2");
    assert_int_equal(d->n_updates, 2);
    assert_string_equal(d->updates[0].ecosystem.text, "npm");
    assert_string_equal(d->updates[0].interval.text, "weekly");
    assert_true(d->updates[1].is_unknown);
}

static const char *legs_text(const wpa_matrix_legs *legs, wpa_arena *arena)
{
    WPA_AUTO(wpa_buf) *buf = wpa_buf_new(65536);
    for (size_t i = 0; i < legs->n; i++) {
        wpa_buf_text(buf, i ? " | " : "");
        for (size_t k = 0; k < legs->legs[i].n; k++) {
            const wpa_matrix_leg_value *v = &legs->legs[i].values[k];
            wpa_buf_printf(buf, "%s%s=%s", k ? "," : "", v->name, v->node ? v->node->text : "?");
        }
    }
    return wpa_buf_dup(buf, arena);
}

static void test_matrices_expand_as_github_does(void **state)
{
    (void)state;
    static const struct {
        const char *title, *matrix, *legs;
        bool is_open;
    } cases[] = {
        {"product", "{os: [a, b], v: [1, 2]}", "os=a,v=1 | os=a,v=2 | os=b,v=1 | os=b,v=2", false},
        {"exclude by subset", "{os: [a, b], v: [1, 2], exclude: [{os: a}, {os: b, v: 2}]}",
         "os=b,v=1", false},
        {"exclude equal numbers", "{v: [1.0, 2], exclude: [{v: 1}]}", "v=2", false},
        {"include extends", "{os: [a, b], include: [{os: a, x: 1}]}", "os=a,x=1 | os=b", false},
        {"include extends all", "{os: [a, b], include: [{x: 1}]}", "os=a,x=1 | os=b,x=1", false},
        {"include appends", "{os: [a], include: [{os: c, x: 1}]}", "os=a | os=c,x=1", false},
        {"include alone", "{include: [{x: 1}, {x: 2}]}", "x=1 | x=2", false},
        {"include overwrites what include added", "{os: [a], include: [{x: 1}, {x: 2}]}",
         "os=a,x=2", false},
        {"open row", "{os: [a], v: '${{ fromJSON(x) }}'}", "os=a,v=?", true},
        {"open matrix", "'${{ fromJSON(x) }}'", "", true},
        {"open include", "{os: [a], include: '${{ x }}'}", "os=a", true},
        {"empty row", "{os: [], v: [1]}", "", false},
        {"exclude of what is no row", "{os: [a], exclude: [{x: 1}]}", "os=a", false},
    };
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        const wpa_workflow *w = workflow(
            arena, wpa_arena_printf(arena, "jobs:\n  j:\n    strategy:\n      matrix: %s\n",
                                    cases[i].matrix));
        wpa_matrix_legs legs = wpa_matrix_expand(&w->jobs[0].strategy.matrix, arena);
        print_message("%s\n", cases[i].title);
        assert_string_equal(legs_text(&legs, arena), cases[i].legs);
        assert_int_equal(legs.is_open, cases[i].is_open);
    }
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const char *ten = "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]";
    const wpa_workflow *w = workflow(
        arena,
        wpa_arena_printf(arena, "jobs: {j: {strategy: {matrix: {a: %s, b: %s, c: %s, d: %s}}}}\n",
                         ten, ten, ten, ten));
    wpa_matrix_legs legs = wpa_matrix_expand(&w->jobs[0].strategy.matrix, arena);
    assert_true(legs.is_truncated);
    assert_int_equal(legs.n, WPA_MATRIX_MAX_LEGS);
}

static void test_cycles_and_order(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const wpa_workflow *w = workflow(arena, "jobs:\n"
                                            "  d: {needs: [a, c]}\n"
                                            "  a: {needs: b}\n"
                                            "  b: {needs: c}\n"
                                            "  c: {}\n");
    size_t n;
    (void)wpa_workflow_cycles(w, arena, &n);
    assert_int_equal(n, 0);
    const wpa_workflow_job *const *order = wpa_workflow_order(w, arena);
    assert_string_equal(order[0]->id, "c");
    assert_string_equal(order[1]->id, "b");
    assert_string_equal(order[2]->id, "a");
    assert_string_equal(order[3]->id, "d");
    w = workflow(arena, "jobs:\n"
                        "  a: {needs: [b, x]}\n"
                        "  b: {needs: c}\n"
                        "  c: {needs: a}\n"
                        "  d: {needs: d}\n"
                        "  e: {needs: a}\n");
    const wpa_workflow_cycle *cycles = wpa_workflow_cycles(w, arena, &n);
    assert_int_equal(n, 2);
    assert_int_equal(cycles[0].n, 3);
    assert_string_equal(cycles[0].jobs[1]->id, "b");
    assert_string_equal(cycles[0].jobs[2]->id, "c");
    assert_int_equal(cycles[1].n, 1);
    (void)wpa_workflow_order(w, arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files_are_known_by_their_place),
        cmocka_unit_test(test_references),
        cmocka_unit_test(test_a_whole_workflow),
        cmocka_unit_test(test_wrong_shapes_are_unknown_and_hide_nothing),
        cmocka_unit_test(test_action_files),
        cmocka_unit_test(test_dependabot_files),
        cmocka_unit_test(test_matrices_expand_as_github_does),
        cmocka_unit_test(test_cycles_and_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
