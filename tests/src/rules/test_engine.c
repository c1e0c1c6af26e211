/* The engine of rules: identity, order, silencing, limits, fixes, what is configured. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <wpa/buf.h>
#include <wpa/text.h>

#include "rules/config.h"
#include "rules/fix_internal.h"
#include "rules/graph.h"

#define TODAY_US INT64_C(1795305600000000) /* 2026-11-22 */
#define JOB(name) "  " name ":\n    runs-on: ubuntu-24.04\n    steps:\n      - run: make\n"

static wpa_settings *only(const char *rules, wpa_arena *arena)
{
    wpa_settings *settings = wpa_settings_new(TODAY_US, arena);
    size_t n;
    const wpa_rule *const *all = wpa_rules_all(&n);
    for (size_t i = 0; i < n; i++) {
        bool is_wanted = strstr(rules, all[i]->id) != NULL;
        settings->rules[i].toggle = is_wanted ? WPA_TOGGLE_ON : WPA_TOGGLE_OFF;
    }
    return settings;
}

static wpa_result run(const char *text, const wpa_settings *settings, wpa_arena *arena)
{
    const wpa_source *source =
        wpa_source_read(WPA_INPUT_WORKFLOW, "ci.yml", text, strlen(text), NULL, arena);
    return wpa_rules_run(source, settings, arena);
}

static size_t count(const wpa_result *result, wpa_finding_state state)
{
    size_t n = 0;
    for (size_t i = 0; i < result->n_findings; i++) {
        n += result->findings[i]->state == state;
    }
    return n;
}

static void test_identity_survives_moves(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_settings *settings = only("missing-timeout", arena);
    wpa_result a = run("jobs:\n" JOB("one") JOB("two"), settings, arena);
    wpa_result b = run("# up\n\njobs:\n" JOB("two") JOB("one"), settings, arena);
    assert_int_equal(a.n_findings, 2);
    assert_int_equal(b.n_findings, 2);
    assert_string_equal(a.findings[0]->fingerprint, b.findings[1]->fingerprint);
    assert_string_equal(a.findings[1]->fingerprint, b.findings[0]->fingerprint);
    assert_string_not_equal(a.findings[0]->fingerprint, a.findings[1]->fingerprint);
    assert_int_equal(strlen(a.findings[0]->fingerprint), 40);
    assert_int_equal(a.findings[0]->n_structure, 2);
    assert_string_equal(a.findings[0]->structure[1], "one");
    assert_string_equal(a.findings[0]->evidence, "one");
}

/** Where only fingerprints put findings in order, they are there whoever asks for them. */
static void test_order_is_the_same_without_identities(void **state)
{
    (void)state;
    static const char text[] =
        "jobs:\n"
        "  build:\n"
        "    strategy: {matrix: {tag: ['a/b:1', 'a/b:2', 'a/b:3', 'a/b:4', 'a/b:5', 'a/b:6']}}\n"
        "    container: ${{ matrix.tag }}\n" JOB("one");
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_settings *with = only("unpinned-images", arena), *without = only("unpinned-images", arena);
    without->has_no_identities = true;
    wpa_result a = run(text, with, arena), b = run(text, without, arena);
    assert_int_equal(a.n_findings, 6);
    assert_int_equal(b.n_findings, a.n_findings);
    for (size_t i = 0; i < a.n_findings; i++) {
        assert_int_equal(a.findings[i]->span.bytes.start, a.findings[0]->span.bytes.start);
        assert_string_equal(b.findings[i]->message, a.findings[i]->message);
        assert_string_equal(b.findings[i]->fingerprint, a.findings[i]->fingerprint);
    }
    without = only("missing-timeout", arena);
    without->has_no_identities = true;
    b = run(text, without, arena);
    assert_int_equal(b.n_findings, 1);
    assert_string_equal(b.findings[0]->fingerprint, "");
}

static void test_what_an_anchor_holds_is_found_once(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_result result = run("on: push\n"
                            "jobs:\n"
                            "  a:\n"
                            "    runs-on: x\n"
                            "    steps: &s\n"
                            "      - run: make\n"
                            "        if: ${{ github.ref }} x\n"
                            "  b:\n"
                            "    runs-on: x\n"
                            "    steps: *s\n",
                            only("unsound-condition", arena), arena);
    assert_int_equal(result.n_findings, 1);
    assert_int_equal(result.findings[0]->span.start.line, 7);
    const wpa_finding *finding = result.findings[0];
    assert_int_equal(finding->related[finding->n_related - 1].span.start.line, 10);
}

static void test_every_step_that_runs_it_is_named(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_result result = run("on: pull_request_target\n"
                            "jobs:\n"
                            "  a:\n"
                            "    runs-on: x\n"
                            "    steps:\n"
                            "      - uses: actions/checkout@v4.2.2\n"
                            "        with: {ref: '${{ github.head_ref }}', path: pr}\n"
                            "      - run: bash pr/a.sh\n"
                            "      - run: make\n"
                            "        working-directory: base\n"
                            "      - run: make -C pr\n",
                            only("untrusted-checkout", arena), arena);
    assert_int_equal(result.n_findings, 1);
    const wpa_finding *finding = result.findings[0];
    assert_int_equal(finding->n_related, 4); /* where the branch comes from, both, the action */
    assert_int_equal(finding->related[1].span.start.line, 8);
    assert_int_equal(finding->related[2].span.start.line, 11);
}

/** Where nobody asks for other places there are none, but a comment there silences all the same. */
static void test_other_places_are_not_kept(void **state)
{
    (void)state;
    static const char format[] = "on: issues\n"
                                 "jobs:\n"
                                 "  a:\n"
                                 "    runs-on: x\n"
                                 "    env:\n"
                                 "      TITLE: ${{ github.event.issue.title }}%s\n"
                                 "    steps:\n"
                                 "      - run: echo ${{ env.TITLE }}\n";
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_settings *with = only("template-injection", arena);
    wpa_settings *without = only("template-injection", arena);
    without->has_no_related = true;
    const char *open = wpa_arena_printf(arena, format, "");
    wpa_result a = run(open, with, arena), b = run(open, without, arena);
    assert_int_equal(a.n_findings, 1);
    assert_int_equal(a.findings[0]->related[0].span.start.line, 6);
    assert_int_equal(b.n_findings, 1);
    assert_string_equal(b.findings[0]->message, a.findings[0]->message);
    assert_int_equal(b.findings[0]->n_related, 0);
    b = run(wpa_arena_printf(arena, format, " # zizmor: ignore[template-injection]"), without,
            arena);
    assert_int_equal(b.n_findings, 1);
    assert_int_equal(b.findings[0]->state, WPA_FINDING_IGNORED);
    assert_int_equal(b.findings[0]->n_related, 0);
}

static void test_positions_count_characters(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_result result = run("jobs: {\"\xc3\xa4\": 1, b: {runs-on: x, steps: []}}\n",
                            only("missing-timeout", arena), arena);
    assert_int_equal(result.n_findings, 1);
    assert_int_equal(result.findings[0]->span.start.column, 16);
    assert_int_equal(result.findings[0]->span.bytes.start, 16);
    assert_int_equal(result.findings[0]->span.end.column, 17);
}

/* Each text has one finding of missing-timeout in job a. */
static const struct {
    const char *title, *text;
    bool is_ignored;
} ignores[] = {
    {"none", "jobs:\n" JOB("a"), false},
    {"end of the line", "jobs:\n  a: # wpa: ignore[missing-timeout] r\n    runs-on: x\n", true},
    {"line above", "jobs:\n  # wpa: ignore[missing-timeout] r\n" JOB("a"), true},
    {"line above a comment", "jobs:\n  # wpa: ignore[PRF-001]\n  # more\n" JOB("a"), true},
    {"another rule", "jobs:\n  # wpa: ignore[schema] r\n" JOB("a"), false},
    {"inside the job", "jobs:\n  a:\n    runs-on: x # wpa: ignore[missing-timeout]\n", false},
    {"file", "jobs:\n" JOB("a") "# wpa: ignore-file[missing-timeout]\n", true},
    {"next line", "jobs:\n  # wpa: ignore-next-line[missing-timeout]\n" JOB("a"), true},
    {"region", "# wpa: ignore-start[*] why\njobs:\n" JOB("a") "# wpa: ignore-end\n", true},
    {"region over", "# wpa: ignore-start[*] why\n# wpa: ignore-end\njobs:\n" JOB("a"), false},
    {"region left open", "# wpa: ignore-start[*] why\njobs:\n" JOB("a"), false},
    {"all without a reason", "jobs:\n  # wpa: ignore[*]\n" JOB("a"), false},
    {"all with a reason", "jobs:\n  # wpa: ignore[*] why\n" JOB("a"), true},
    {"dimension", "jobs:\n  # wpa: ignore[dimension:performance]\n" JOB("a"), true},
    {"other dimension", "jobs:\n  # wpa: ignore[dimension:security]\n" JOB("a"), false},
    {"foreign name", "jobs:\n  # wpa: ignore[require-job-timeout]\n" JOB("a"), true},
    {"until today", "jobs:\n  # wpa: ignore[PRF-001] until=2026-11-22 r\n" JOB("a"), true},
    {"ended", "jobs:\n  # wpa: ignore[PRF-001] until=2026-11-21 r\n" JOB("a"), false},
    {"no date", "jobs:\n  # wpa: ignore[PRF-001] until=soon r\n" JOB("a"), false},
    {"no bracket", "jobs:\n  # wpa: ignore[PRF-001 r\n" JOB("a"), false},
    {"two rules", "jobs:\n  # wpa: ignore[schema, missing-timeout]\n" JOB("a"), true},
};

static void test_comments_silence(void **state)
{
    (void)state;
    for (size_t i = 0; i < WPA_COUNT(ignores); i++) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        wpa_settings *settings = only("missing-timeout", arena);
        wpa_result result = run(ignores[i].text, settings, arena);
        if (result.n_findings != 1 ||
            (result.findings[0]->state == WPA_FINDING_IGNORED) != ignores[i].is_ignored) {
            print_error("%s\n", ignores[i].title);
            fail();
        }
        settings->ignores_off = true;
        result = run(ignores[i].text, settings, arena);
        assert_int_equal(result.findings[0]->state, WPA_FINDING_OPEN);
    }
}

static void test_comments_of_scripts_silence(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const char *text = "jobs:\n  a:\n    runs-on: x\n    timeout-minutes: 3\n    steps:\n"
                       "      - run: |\n          make\n"
                       "          sleep 60 # wpa: ignore[fixed-sleep] slow start\n";
    wpa_result result = run(text, only("fixed-sleep", arena), arena);
    assert_int_equal(count(&result, WPA_FINDING_IGNORED), 1);
    assert_string_equal(result.findings[0]->state_reason, "slow start");
}

/** A rule that nobody would see anything of is run for what silences it. */
static void test_comment_against_what_is_not_seen(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const char *text =
        "name: n\non: push\njobs:\n  # wpa: ignore[anonymous-definition] r\n" JOB("a");
    wpa_settings *settings = only("unused-ignore anonymous-definition", arena);
    wpa_error err = {0};
    const char *check;
    wpa_rule_setting *setting =
        wpa_settings_of(settings, wpa_rules_find("anonymous-definition", &check, &err));
    setting->toggle = WPA_TOGGLE_UNSET;
    assert_int_equal(run(text, settings, arena).n_findings, 0);
    setting->toggle = WPA_TOGGLE_OFF;
    assert_int_equal(run(text, settings, arena).n_findings, 0);
    setting->toggle = WPA_TOGGLE_ON;
    assert_int_equal(count((wpa_result[]){run(text, settings, arena)}, WPA_FINDING_IGNORED), 1);
    settings->persona = WPA_PERSONA_AUDITOR;
    setting->toggle = WPA_TOGGLE_UNSET;
    assert_int_equal(count((wpa_result[]){run(text, settings, arena)}, WPA_FINDING_IGNORED), 1);
}

static void assert_same(const wpa_result *a, const wpa_result *b)
{
    assert_int_equal(a->n_findings, b->n_findings);
    assert_int_equal(a->n_notes, b->n_notes);
    assert_int_equal(a->work, b->work);
    for (size_t i = 0; i < a->n_findings; i++) {
        assert_int_equal(wpa_finding_compare(&a->findings[i], &b->findings[i]), 0);
        assert_string_equal(a->findings[i]->message, b->findings[i]->message);
        assert_int_equal(a->findings[i]->state, b->findings[i]->state);
        assert_int_equal(a->findings[i]->n_fixes, b->findings[i]->n_fixes);
    }
}

/* A called workflow that takes more memory than files may that stay together. */
static const char *read_large(void *context, const char *path, size_t max_bytes, wpa_arena *arena,
                              size_t *size_bytes)
{
    (void)context;
    (void)path;
    (void)max_bytes;
    WPA_AUTO(wpa_buf) *text = wpa_buf_new(1 << 20);
    wpa_buf_text(text, "on: {workflow_call: {secrets: {a: {required: true}}}}\njobs:\n");
    for (int i = 0; i < 4000; i++) {
        wpa_buf_printf(text, "  j%d:\n    runs-on: x\n    env: {A: '${{ secrets.a }}'}\n", i);
    }
    *size_bytes = wpa_buf_size(text);
    return wpa_arena_text(arena, wpa_buf_data(text));
}

#define LARGE ".github/workflows/large.yml"

static const wpa_graph *graph_with_large(wpa_arena *arena)
{
    size_t size_bytes;
    const char *text = read_large(NULL, LARGE, SIZE_MAX, arena, &size_bytes);
    wpa_graph *graph = wpa_graph_new(NULL, arena);
    wpa_graph_put(graph, wpa_graph_read(wpa_source_read(WPA_INPUT_WORKFLOW, LARGE, text, size_bytes,
                                                        NULL, arena),
                                        arena));
    wpa_graph_close(graph);
    return graph;
}

static void test_together_as_one_by_one(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const char *texts[] = {
        "on: push\njobs:\n" JOB("a"),
        "on: pull_request_target\njobs:\n  a:\n    runs-on: x\n    steps:\n"
        "      - uses: actions/checkout@v1\n      - run: echo ${{ github.head_ref }}\n",
        "jobs: [",
        "on: push # wpa: ignore-file[missing-timeout]\njobs:\n" JOB("a") JOB("b"),
        "on: push\njobs:\n  a:\n    uses: ./" LARGE "\n    secrets: {b: x}\n", /* all end alone */
    };
    wpa_surroundings around = {.prefix = "", .read = read_large, .graph = graph_with_large(arena)};
    wpa_settings *settings = wpa_settings_new(TODAY_US, arena);
    settings->persona = WPA_PERSONA_AUDITOR;
    for (size_t n = 1; n <= WPA_COUNT(texts); n++) {
        wpa_rules_task tasks[WPA_COUNT(texts)] = {0};
        for (size_t i = 0; i < n; i++) {
            tasks[i].source = wpa_source_read(WPA_INPUT_WORKFLOW, "ci.yml", texts[i],
                                              strlen(texts[i]), &around, arena);
            tasks[i].settings = settings;
        }
        wpa_rules_run_together(tasks, n, arena);
        for (size_t i = 0; i < n; i++) {
            wpa_result alone = wpa_rules_run(tasks[i].source, settings, arena);
            assert_true(alone.n_findings > 0);
            assert_same(&alone, &tasks[i].result);
        }
    }
}

static void test_limit_of_a_rule(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    WPA_AUTO(wpa_buf) *text = wpa_buf_new(1 << 20);
    wpa_buf_text(text, "jobs:\n");
    for (int i = 0; i < 250; i++) {
        wpa_buf_printf(text, "  j%d:\n    runs-on: x\n", i);
    }
    wpa_result result = run(wpa_buf_data(text), only("missing-timeout", arena), arena);
    assert_int_equal(result.n_findings, WPA_FINDINGS_PER_RULE_MAX + 1);
    size_t n_summaries = 0;
    for (size_t i = 0; i < result.n_findings; i++) {
        n_summaries += strstr(result.findings[i]->message, "50 more findings") != NULL;
    }
    assert_int_equal(n_summaries, 1);
}

/* However many come before it, and though all of them are seen. */
static void test_a_worse_finding_that_is_not_listed_is_told(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    WPA_AUTO(wpa_buf) *text = wpa_buf_new(1 << 20);
    wpa_buf_text(text, "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n");
    for (size_t i = 0; i < WPA_FINDINGS_PER_RULE_MAX + 50; i++) {
        wpa_buf_text(text, "      - uses: actions/checkout@v7\n");
    }
    wpa_buf_text(text, "      - uses: acme/tool@main\n      - uses: actions/checkout@v7\n");
    wpa_result result = run(wpa_buf_data(text), only("unpinned-uses", arena), arena);
    assert_int_equal(result.n_findings, WPA_FINDINGS_PER_RULE_MAX + 1);
    const wpa_finding none = {.message = ""}, *summary = &none;
    for (size_t i = 0; i < result.n_findings; i++) {
        summary = result.findings[i]->is_summary ? result.findings[i] : summary;
    }
    assert_int_equal(summary->severity, WPA_SEVERITY_HIGH);
    assert_int_equal(summary->span.start.line, 5 + WPA_FINDINGS_PER_RULE_MAX + 51);
    assert_string_equal(summary->message, "52 more findings of this rule in this file are not "
                                          "listed, the first one of high severity is here");
}

static void test_unseen_findings_leave_room(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    WPA_AUTO(wpa_buf) *text = wpa_buf_new(1 << 20);
    wpa_buf_text(text, "on: issues\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n");
    for (size_t i = 0; i <= WPA_FINDINGS_PER_RULE_MAX; i++) {
        wpa_buf_text(text, "      - run: echo ${{ github.sha }}\n");
    }
    wpa_buf_text(text, "      - run: echo ${{ github.event.issue.title }}\n");
    const wpa_settings *settings = wpa_settings_new(TODAY_US, arena);
    wpa_result result = run(wpa_buf_data(text), settings, arena);
    size_t n_seen = 0, n_of_title = 0;
    for (size_t i = 0; i < result.n_findings; i++) {
        const wpa_finding *finding = result.findings[i];
        bool is_injection = wpa_text_is(finding->rule->id, "template-injection");
        n_seen += is_injection && !finding->is_unseen;
        n_of_title += is_injection && strstr(finding->message, "issue.title") != NULL;
    }
    assert_int_equal(n_seen, 1);
    assert_int_equal(n_of_title, 1);
}

/* What is not listed is counted if it would be seen: the other half is for auditors alone. */
static void test_unseen_findings_are_not_counted(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    WPA_AUTO(wpa_buf) *text = wpa_buf_new(1 << 20);
    wpa_buf_text(text, "on: issues\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n");
    for (size_t i = 0; i < WPA_FINDINGS_PER_RULE_MAX + 7; i++) {
        wpa_buf_text(text, "      - run: echo ${{ github.event.issue.title }} ${{ github.sha }}\n");
    }
    const wpa_settings *settings = wpa_settings_new(TODAY_US, arena);
    wpa_result result = run(wpa_buf_data(text), settings, arena);
    size_t n_summaries = 0;
    for (size_t i = 0; i < result.n_findings; i++) {
        const wpa_finding *finding = result.findings[i];
        n_summaries += wpa_text_is(finding->rule->id, "template-injection") &&
                       wpa_text_starts(finding->message, "7 more findings of this rule");
    }
    assert_int_equal(n_summaries, 1);
}

/* node-runtime says more of all but the last: they are no findings of the other rule, and keep none
   from being listed. */
static void test_superseded_findings_leave_room(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    WPA_AUTO(wpa_buf) *text = wpa_buf_new(1 << 20);
    wpa_buf_text(text, "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n");
    for (size_t i = 0; i <= WPA_FINDINGS_PER_RULE_MAX; i++) {
        wpa_buf_text(text, "      - uses: actions/checkout@v3\n");
    }
    wpa_buf_text(text, "      - uses: actions/checkout@v5\n");
    const wpa_settings *settings = only("node-runtime outdated-action-major", arena);
    wpa_result result = run(wpa_buf_data(text), settings, arena);
    size_t n_outdated = 0, line = 0;
    for (size_t i = 0; i < result.n_findings; i++) {
        if (wpa_text_is(result.findings[i]->rule->id, "outdated-action-major")) {
            n_outdated++;
            line = result.findings[i]->span.start.line;
        }
    }
    assert_int_equal(n_outdated, 1);
    assert_int_equal(line, 5 + WPA_FINDINGS_PER_RULE_MAX + 2);
}

static void test_more_fixes_than_the_limit_of_findings(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    WPA_AUTO(wpa_buf) *text = wpa_buf_new(1 << 20);
    wpa_buf_text(text, "jobs:\n");
    for (int i = 0; i < 250; i++) {
        wpa_buf_printf(text, "  j%d:\n    runs-on: x\n", i);
    }
    const wpa_source *source = wpa_source_read(WPA_INPUT_WORKFLOW, "ci.yml", wpa_buf_data(text),
                                               wpa_buf_size(text), NULL, arena);
    wpa_fix_outcome outcome = wpa_rules_fix(source, only("missing-timeout", arena),
                                            &(wpa_fix_choice){.has_unsafe = true}, arena);
    assert_int_equal(outcome.n_applied, 250);
    assert_int_equal(outcome.result.n_findings, 0);
}

static void test_dead_code_is_left_alone(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const char *text = "jobs:\n  a:\n    if: ${{ false }}\n    runs-on: x\n    steps:\n"
                       "      - run: sleep 99\n";
    wpa_result result = run(text, only("fixed-sleep", arena), arena);
    assert_int_equal(result.n_findings, 0);
}

static void test_hostile_text_is_made_visible(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_result result =
        run("jobs:\n  \"a\\e[31m\":\n    runs-on: x\n", only("missing-timeout", arena), arena);
    assert_int_equal(result.n_findings, 1);
    assert_null(strchr(result.findings[0]->message, 033));
    assert_null(strchr(result.findings[0]->structure[1], 033));
}

static void test_too_large_a_file_is_a_finding(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_settings *settings = wpa_settings_new(TODAY_US, arena);
    const wpa_source *source = wpa_source_read(WPA_INPUT_WORKFLOW, "ci.yml", "",
                                               WPA_YAML_MAX_BYTES + (size_t)1, NULL, arena);
    wpa_result result = wpa_rules_run(source, settings, arena);
    assert_int_equal(result.n_findings, 1);
    assert_string_equal(result.findings[0]->check, "Y9");
    wpa_fix_outcome outcome =
        wpa_rules_fix(source, settings, &(wpa_fix_choice){.has_unsafe = true}, arena);
    assert_int_equal(outcome.n_applied, 0);
}

static void test_fixes_keep_every_other_byte(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const char *text = "jobs:\r\n  a:\r\n    runs-on: 'x'   # why\r\n    steps: [{run: make}]";
    const wpa_source *source =
        wpa_source_read(WPA_INPUT_WORKFLOW, "ci.yml", text, strlen(text), NULL, arena);
    wpa_fix_choice choice = {.has_unsafe = true};
    wpa_fix_outcome outcome = wpa_rules_fix(source, only("missing-timeout", arena), &choice, arena);
    assert_int_equal(outcome.n_applied, 1);
    assert_string_equal(outcome.text, "jobs:\r\n  a:\r\n    runs-on: 'x'   # why\r\n"
                                      "    timeout-minutes: 30\r\n    steps: [{run: make}]");
    choice.has_unsafe = false;
    outcome = wpa_rules_fix(source, only("missing-timeout", arena), &choice, arena);
    assert_int_equal(outcome.n_applied, 0);
    assert_string_equal(outcome.text, text);
}

/* One fix removes the second step, another one would add to it. */
static void test_fixes_add_nothing_to_what_is_removed(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const char *text = "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n"
                       "      - uses: actions/checkout@v3\n      - uses: actions/setup-go@v3\n\n"
                       "      - run: |\n          go test ./...\n          go tool cover\n";
    const wpa_source *source =
        wpa_source_read(WPA_INPUT_WORKFLOW, "ci.yml", text, strlen(text), NULL, arena);
    wpa_fix_outcome outcome =
        wpa_rules_fix(source, only("redundant-setup missing-dependency-cache node-runtime", arena),
                      &(wpa_fix_choice){.has_unsafe = true}, arena);
    const char *behind = strstr(strstr(outcome.text, "actions/checkout"), "\n");
    assert_true(wpa_text_starts(behind, "\n      - "));
}

static void test_flow_mappings_are_not_guessed_at(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_result result = run("jobs:\n  a: {runs-on: x, steps: [{run: make}]}\n",
                            only("missing-timeout", arena), arena);
    assert_int_equal(result.n_findings, 1);
    assert_int_equal(result.findings[0]->n_fixes, 0);
}

/* A pin to what the branch is at now would be a pin to what no release is. */
#define BRANCH                                                                                     \
    "on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n"                               \
    "      - uses: actions/checkout@master\n"

static void configure(wpa_settings *settings, const char *text, wpa_arena *arena)
{
    wpa_error err = {0};
    assert_true(wpa_config_read("wpa.yml", text, strlen(text), settings, arena, &err));
}

/** Whatever the user makes of the rule that is mended, or of the one that would find more. */
static void test_what_a_fix_may_break_is_not_a_matter_of_settings(void **state)
{
    (void)state;
    static const char *const changes[] = {
        "{}\n",
        "rules: {unpinned-uses: {severity: critical}}\n",
        "rules: {stale-action-refs: {severity: low}, unpinned-uses: {severity: medium}}\n",
        "rules: {stale-action-refs: {persona: auditor}}\n",
        "rules: {stale-action-refs: {paths: ['other/**']}}\n",
        "rules: {stale-action-refs: off}\n",
    };
    for (size_t i = 0; i < WPA_COUNT(changes); i++) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        wpa_settings *settings = only("unpinned-uses", arena);
        configure(settings, changes[i], arena);
        const wpa_source *source =
            wpa_source_read(WPA_INPUT_WORKFLOW, "ci.yml", BRANCH, strlen(BRANCH), NULL, arena);
        wpa_fix_outcome outcome =
            wpa_rules_fix(source, settings, &(wpa_fix_choice){.has_unsafe = true}, arena);
        if (outcome.n_applied || outcome.n_notes != 1 ||
            !strstr(outcome.notes[0].text, "a new finding of stale-action-refs")) {
            fail_msg("%s%s", changes[i], outcome.text);
        }
    }
}

/** A file with a finding, and what is said of it once that one is mended. */
typedef struct mended {
    wpa_result before, after;
    wpa_fix_candidate candidate;
    wpa_finding *found[2]; /* [after.n_findings] */
} mended;

static void mend(mended *m, wpa_arena *arena)
{
    m->before = run("jobs:\n" JOB("a"), only("missing-timeout", arena), arena);
    assert_int_equal(m->before.n_findings, 1);
    m->candidate = (wpa_fix_candidate){m->before.findings[0], NULL};
    m->after = (wpa_result){.path = m->before.path, .findings = m->found};
}

static const char *fault_of(mended *m, wpa_arena *arena)
{
    const wpa_fix_candidates list = {&m->candidate, 1, 1};
    return wpa_fix_fault(&list, false, &m->before, &m->after, arena);
}

/** What is not found by a rule that was stopped is not gone, and not if it was stopped before. */
static void test_a_rule_that_is_cut_short_proves_nothing(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    mended m;
    mend(&m, arena);
    assert_null(fault_of(&m, arena));
    const wpa_note stopped = {"ci.yml", "schema", "stopped: it has looked at enough"};
    const wpa_note other = {"ci.yml", NULL, "shellcheck is not installed"};
    m.after.notes = &stopped;
    m.after.n_notes = 1;
    assert_non_null(strstr(fault_of(&m, arena), "schema"));
    m.before.notes = &stopped;
    m.before.n_notes = 1;
    assert_non_null(fault_of(&m, arena));
    m.after.notes = &other;
    assert_null(fault_of(&m, arena));
}

/** What is new counts as the configuration has it, and as its rule has it. */
static void test_what_is_new_counts_by_either_severity(void **state)
{
    (void)state;
    static const struct {
        wpa_severity severity, own;
        wpa_persona persona, own_persona;
        bool is_harm;
    } cases[] = {
        {WPA_SEVERITY_LOW, WPA_SEVERITY_LOW, WPA_PERSONA_DEFAULT, WPA_PERSONA_DEFAULT, false},
        {WPA_SEVERITY_CRITICAL, WPA_SEVERITY_LOW, WPA_PERSONA_DEFAULT, WPA_PERSONA_DEFAULT, true},
        {WPA_SEVERITY_LOW, WPA_SEVERITY_HIGH, WPA_PERSONA_DEFAULT, WPA_PERSONA_DEFAULT, true},
        {WPA_SEVERITY_HIGH, WPA_SEVERITY_HIGH, WPA_PERSONA_AUDITOR, WPA_PERSONA_DEFAULT, true},
        {WPA_SEVERITY_HIGH, WPA_SEVERITY_HIGH, WPA_PERSONA_DEFAULT, WPA_PERSONA_AUDITOR, true},
        {WPA_SEVERITY_HIGH, WPA_SEVERITY_HIGH, WPA_PERSONA_AUDITOR, WPA_PERSONA_AUDITOR, false},
    };
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_error err = {0};
    const char *check;
    mended m;
    mend(&m, arena);
    assert_int_equal(m.candidate.finding->severity, WPA_SEVERITY_MEDIUM);
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        wpa_finding new = *m.before.findings[0];
        new.rule = wpa_rules_find("unpinned-uses", &check, &err);
        new.severity = cases[i].severity;
        new.own_severity = cases[i].own;
        new.persona = cases[i].persona;
        new.own_persona = cases[i].own_persona;
        m.found[0] = &new;
        m.after.n_findings = 1;
        if ((fault_of(&m, arena) != NULL) != cases[i].is_harm) {
            fail_msg("row %zu", i);
        }
    }
}

/** What the configuration says of a rule is still there when fixes are judged. */
static void test_the_judge_keeps_what_is_configured(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_settings *settings = only("schema", arena);
    configure(settings, "rules: {missing-timeout: {severity: critical}}\n", arena);
    wpa_result result = run("jobs:\n" JOB("a"), wpa_fix_judge(settings, arena), arena);
    const wpa_finding *found = NULL;
    for (size_t i = 0; i < result.n_findings; i++) {
        bool is_it = wpa_text_is(result.findings[i]->rule->id, "missing-timeout");
        found = is_it ? result.findings[i] : found;
    }
    assert_true(found && found->severity == WPA_SEVERITY_CRITICAL);
    assert_true(found && found->own_severity == WPA_SEVERITY_MEDIUM);
}

static void test_configuration_takes_effect(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const char *text = "jobs:\n" JOB("a");
    wpa_settings *settings = only("missing-timeout", arena);
    configure(settings, "rules: {missing-timeout: {severity: critical, default: 7}}\n", arena);
    wpa_result result = run(text, settings, arena);
    assert_int_equal(result.findings[0]->severity, WPA_SEVERITY_CRITICAL);
    assert_string_equal(result.findings[0]->fixes[0]->title, "add timeout-minutes: 7");
    configure(settings, "ignore: [{path: '*.yml', rules: [PRF-001], reason: frozen}]\n", arena);
    result = run(text, settings, arena);
    assert_int_equal(result.findings[0]->state, WPA_FINDING_IGNORED);
    assert_string_equal(result.findings[0]->state_reason, "frozen");
    configure(settings, "ignore: [{message: 'no (such|thing)'}]\n", arena);
    assert_int_equal(run(text, settings, arena).findings[0]->state, WPA_FINDING_OPEN);
    configure(settings, "ignore: [{message: \"^job 'a' has\"}]\n", arena);
    assert_int_equal(run(text, settings, arena).findings[0]->state, WPA_FINDING_IGNORED);
    configure(settings, "rules: {missing-timeout: off}\n", arena);
    result = run(text, settings, arena);
    assert_int_equal(result.n_findings, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_identity_survives_moves),
        cmocka_unit_test(test_order_is_the_same_without_identities),
        cmocka_unit_test(test_what_an_anchor_holds_is_found_once),
        cmocka_unit_test(test_every_step_that_runs_it_is_named),
        cmocka_unit_test(test_other_places_are_not_kept),
        cmocka_unit_test(test_positions_count_characters),
        cmocka_unit_test(test_comments_silence),
        cmocka_unit_test(test_comments_of_scripts_silence),
        cmocka_unit_test(test_comment_against_what_is_not_seen),
        cmocka_unit_test(test_together_as_one_by_one),
        cmocka_unit_test(test_limit_of_a_rule),
        cmocka_unit_test(test_unseen_findings_leave_room),
        cmocka_unit_test(test_unseen_findings_are_not_counted),
        cmocka_unit_test(test_superseded_findings_leave_room),
        cmocka_unit_test(test_more_fixes_than_the_limit_of_findings),
        cmocka_unit_test(test_dead_code_is_left_alone),
        cmocka_unit_test(test_hostile_text_is_made_visible),
        cmocka_unit_test(test_too_large_a_file_is_a_finding),
        cmocka_unit_test(test_fixes_keep_every_other_byte),
        cmocka_unit_test(test_a_worse_finding_that_is_not_listed_is_told),
        cmocka_unit_test(test_fixes_add_nothing_to_what_is_removed),
        cmocka_unit_test(test_flow_mappings_are_not_guessed_at),
        cmocka_unit_test(test_what_a_fix_may_break_is_not_a_matter_of_settings),
        cmocka_unit_test(test_a_rule_that_is_cut_short_proves_nothing),
        cmocka_unit_test(test_what_is_new_counts_by_either_severity),
        cmocka_unit_test(test_the_judge_keeps_what_is_configured),
        cmocka_unit_test(test_configuration_takes_effect),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
