/* QUA-007: the repository has tests, and nothing runs them for a change. */
#include <string.h>

#include "facts/commands.h"
#include "json/json.h"
#include "rules/graph.h"
#include "rules/outline.h"
#include "rules/rule.h"

#define MANIFEST_MAX_BYTES ((size_t)256 * 1024)

static const wpa_rule_option options[] = {
    {"commands", "", "words of scripts that test here, separated by commas", WPA_OPTION_TEXT},
    {0},
};

/* Where tests of the usual languages lie. */
static const char *const globs[] = {
    "**/*_test.go",    "**/test_*.py",  "**/*_test.py", "**/*.test.js",   "**/*.test.ts",
    "**/*.test.tsx",   "**/*.spec.ts",  "**/*.spec.js", "**/*_spec.rb",   "**/*Test.java",
    "**/*Tests.cs",    "**/*Test.php",  "**/*Test.kt",  "**/*_test.dart", "tests/**/*.rs",
    "**/*Tests.swift", "**/*_test.exs", "test_*.py",    "*_test.go",      "*.test.js"};

/* What says that the repository has tests: a file, or the test script of package.json. */
static const char *find_tests(const wpa_rule_run *run)
{
    const wpa_surroundings *around = run->source->around;
    for (size_t i = 0; i < WPA_COUNT(globs); i++) {
        const char *path = wpa_surroundings_match(around, globs[i]);
        if (path && !strstr(path, "node_modules/") && !strstr(path, "vendor/") &&
            !strstr(path, "testdata/")) {
            return path;
        }
    }
    size_t size = 0;
    wpa_error err = {0};
    const char *text =
        wpa_surroundings_has(around, "package.json")
            ? wpa_surroundings_read(around, "package.json", MANIFEST_MAX_BYTES, run->arena, &size)
            : NULL;
    const wpa_json *root =
        text ? wpa_json_parse(text, size, MANIFEST_MAX_BYTES, run->arena, &err) : NULL;
    const char *script = wpa_json_text_of(wpa_json_find(wpa_json_find(root, "scripts"), "test"));
    return script && !strstr(script, "no test specified") ? "package.json" : NULL;
}

static bool is_for_changes(const wpa_graph_file *file)
{
    static const char *const events[] = {"pull_request", "pull_request_target", "push",
                                         "merge_group",  "workflow_call",       "workflow_run"};
    for (size_t i = 0; i < WPA_COUNT(events); i++) {
        if (wpa_graph_trigger_find(file, events[i])) {
            return true;
        }
    }
    return false;
}

/* Does the job test, or run what may well test and cannot be read? */
static bool may_test(const wpa_graph_file *file, size_t job)
{
    if ((file->jobs[job].roles & WPA_DOES_TEST) || file->jobs[job].is_open) {
        return true;
    }
    for (size_t i = 0; i < file->n_uses; i++) {
        if (file->uses[i].job == job && file->uses[i].is_call) {
            return true;
        }
    }
    return false;
}

static bool is_tested(const wpa_graph *graph, size_t *n_searched)
{
    for (size_t i = 0; i < wpa_graph_count(graph); i++) {
        const wpa_graph_file *file = wpa_graph_at(graph, i);
        bool is_searched = file->kind == WPA_INPUT_ACTION || is_for_changes(file);
        *n_searched += is_searched && file->kind == WPA_INPUT_WORKFLOW;
        if (is_searched && file->is_partial) {
            return true;
        }
        for (size_t k = 0; is_searched && k < file->n_jobs; k++) {
            if (may_test(file, k)) {
                return true;
            }
        }
    }
    return false;
}

/* Words that the configuration knows as tests, in this file: others have their own run. */
static bool has_own_command(const wpa_rule_run *run)
{
    const char *text = wpa_rule_option_text(run, "commands");
    const wpa_yaml_doc *doc = run->source->yaml;
    while (text && *text) {
        text += strspn(text, " ,");
        size_t length = strcspn(text, ",");
        if (length && memmem(doc->source, doc->size_bytes, text, length)) {
            return true;
        }
        text += length;
    }
    return false;
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_surroundings *around = run->source->around;
    const wpa_yaml_node *root = wpa_yaml_resolve(run->source->yaml->root);
    size_t n_searched = 0;
    if (!around || !around->has_paths || !around->graph || !wpa_yaml_is(root, WPA_YAML_MAPPING) ||
        root->n_pairs == 0 || !wpa_graph_is_first(around->graph, run->source) ||
        is_tested(around->graph, &n_searched) || has_own_command(run)) {
        return true;
    }
    const char *tests = find_tests(run);
    if (tests) {
        const char *quoted = wpa_rule_quote(run, tests, strlen(tests));
        const char *where =
            n_searched ? wpa_arena_printf(run->arena,
                                          "nothing in the %zu workflow%s that run%s for a change "
                                          "runs them",
                                          n_searched, n_searched == 1 ? "" : "s",
                                          n_searched == 1 ? "s" : "")
                       : "no workflow runs for a change";
        wpa_rule_report(run, root->pairs[0].key->span, NULL, NULL,
                        "the repository has tests (%s), and %s", quoted, where);
    }
    return true;
}

const wpa_rule wpa_rule_missing_tests = {
    .code = "QUA-007",
    .id = "missing-tests",
    .dimension = WPA_DIMENSION_QUALITY,
    .kind = WPA_KIND_OPPORTUNITY,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_MEDIUM,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "The repository has tests that no workflow runs for a change",
    .why = "A change that breaks them is merged, and found out by whoever comes next.",
    .fix = "Run them on pull_request; how is known to the project.",
    .options = options,
    .tables = 1U << WPA_FACTS_COMMANDS,
    .claims_absence = true,
    .check = check,
};
