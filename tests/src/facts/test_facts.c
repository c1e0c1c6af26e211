/* Look-ups in the compiled-in facts, against values that are known by themselves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "facts/platforms.h"

#define S(text) wpa_slice_of(text)

static void assert_commit(const uint8_t *commit, const char *hex)
{
    char text[2 * WPA_COMMIT_BYTES + 1];
    assert_non_null(commit);
    wpa_hex_encode(commit, WPA_COMMIT_BYTES, text);
    assert_string_equal(text, hex);
}

static void tables_say_their_date(void **state)
{
    (void)state;
    for (int i = 0; i < WPA_FACTS_COUNT; i++) {
        assert_true(strlen(wpa_facts_table_name((wpa_fact_table)i)) > 3);
        assert_int_equal(strlen(wpa_facts_date((wpa_fact_table)i)), 10);
        assert_true(strlen(wpa_facts_source((wpa_fact_table)i)) > 3);
    }
}

static void versions_are_ordered(void **state)
{
    (void)state;
    static const char *const ordered[] = {
        "0",     "v1.0.0-alpha", "v1.0.0-alpha.2", "1.0.0-rc.9", "1.0.0-rc.10", "v1",
        "1.0.1", "v1.2",         "1.10.0",         "2",          "v41.0.0",     "2024.1.1"};
    wpa_version a, b;
    for (size_t i = 0; i < WPA_COUNT(ordered); i++) {
        for (size_t k = 0; k < WPA_COUNT(ordered); k++) {
            assert_true(wpa_version_parse(S(ordered[i]), &a));
            assert_true(wpa_version_parse(S(ordered[k]), &b));
            int order = wpa_version_compare(&a, &b);
            assert_int_equal((order > 0) - (order < 0), (i > k) - (i < k));
        }
    }
    static const char *const wrong[] = {
        "",          "v",   "main", "v1.", "1..2",        "v1.2.3.4.5",
        "1.2x",      "v1-", "1 ",   "-1",  "v1.2.3-rc/1", "9999999999999999999",
        "release/v1"};
    for (size_t i = 0; i < WPA_COUNT(wrong); i++) {
        assert_false(wpa_version_parse(S(wrong[i]), &a));
    }
}

static void refs_and_commits_find_each_other(void **state)
{
    (void)state;
    const wpa_fact_repo *repo = wpa_facts_repo_find(S("Actions/Checkout"));
    assert_non_null(repo);
    assert_string_equal(wpa_facts_repo_name(repo), "actions/checkout");
    assert_ptr_equal(wpa_facts_repo_find(S("actions/checkout/some/path")), repo);
    assert_null(wpa_facts_repo_find(S("actions/checkou")));
    assert_null(wpa_facts_repo_find(S("")));
    wpa_fact_ref ref;
    assert_true(wpa_facts_ref_find(repo, S("v4.2.2"), &ref));
    assert_commit(ref.commit, "11bd71901bbe5b1630ceea73d27597364c9af683");
    assert_int_equal(ref.kind, WPA_FACT_TAG);
    assert_false(wpa_facts_ref_find(repo, S("v4.2.999"), &ref));
    assert_true(wpa_facts_ref_find(repo, S("main"), &ref));
    assert_int_equal(ref.kind, WPA_FACT_BRANCH);
    uint8_t commit[WPA_COMMIT_BYTES];
    assert_true(wpa_hex_decode("11bd71901bbe5b1630ceea73d27597364c9af683", commit, sizeof commit));
    assert_true(wpa_facts_commit_version(repo, commit, &ref));
    assert_string_equal(ref.name, "v4.2.2");
    commit[0] ^= 1;
    assert_false(wpa_facts_commit_version(repo, commit, &ref));
    /* A moving tag shares its commit with the full version, which is the better name. */
    assert_true(wpa_facts_ref_find(repo, S("v7"), &ref));
    assert_true(wpa_facts_commit_version(repo, ref.commit, &ref));
    assert_string_equal(ref.name, "v7.0.1");
}

static void every_ref_is_found_both_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < wpa_facts_action_count(); i++) {
        const char *name = wpa_facts_action_name(wpa_facts_action_at(i));
        assert_ptr_equal(wpa_facts_action_find(S(name)), wpa_facts_action_at(i));
        const wpa_fact_repo *repo = wpa_facts_repo_find(S(name));
        assert_non_null(repo);
        for (size_t k = 0; k < wpa_facts_repo_ref_count(repo); k++) {
            wpa_fact_ref ref = wpa_facts_repo_ref_at(repo, k), found;
            assert_true(wpa_facts_ref_find(repo, S(ref.name), &found));
            assert_true(wpa_facts_commit_refs(repo, ref.commit, &found, 1) >= 1);
            assert_memory_equal(found.commit, ref.commit, WPA_COMMIT_BYTES);
        }
    }
}

static void actions_have_metadata(void **state)
{
    (void)state;
    const wpa_fact_action *action = wpa_facts_action_find(S("ACTIONS/checkout"));
    assert_non_null(action);
    assert_int_equal(wpa_facts_action_rank(action), 1);
    wpa_fact_major major, v9;
    assert_true(wpa_facts_major_find(action, 4, &major));
    assert_string_equal(major.using, "node20");
    assert_string_equal(major.ref, "v4");
    assert_false(wpa_facts_major_find(action, 9, &v9));
    assert_int_equal(wpa_facts_major_at(action, 0).number, 7);
    wpa_fact_input input;
    assert_true(wpa_facts_input_find(&major, S("Fetch-Depth"), &input));
    assert_true(input.has_default && !input.is_required && !input.deprecated);
    assert_false(wpa_facts_input_find(&major, S("fetch-dept"), &input));
    assert_true(wpa_facts_output_has(&major, S("commit")));
    assert_non_null(wpa_facts_action_find(S("github/codeql-action/init")));
    assert_null(wpa_facts_action_find(S("github/codeql-action/INIT")));
    wpa_fact_ref latest;
    const char *date;
    assert_true(wpa_facts_action_latest(action, &latest, &date));
    assert_string_equal(latest.name, "v7.0.1");
    assert_string_equal(date, "2026-07-17");
}

static void uses_are_resolved(void **state)
{
    (void)state;
    static const struct {
        const char *slug, *ref, *hint;
        wpa_fact_pin pin;
        uint64_t major, minor, patch;
        bool has_version, has_major;
    } cases[] = {
        {"actions/checkout", "11bd71901bbe5b1630ceea73d27597364c9af683", "", WPA_PIN_COMMIT, 4, 2,
         2, true, true},
        {"actions/checkout", "v4", "", WPA_PIN_VERSION, 4, 4, 0, true, true},
        {"actions/checkout", "main", "", WPA_PIN_OTHER, 0, 0, 0, false, false},
        {"actions/checkout", "11bd719", "", WPA_PIN_SHORT_COMMIT, 0, 0, 0, false, false},
        {"no/such", "v2.1", "", WPA_PIN_VERSION, 2, 1, 0, true, false},
        {"no/such", "0123456789012345678901234567890123456789", "v3.4.5", WPA_PIN_COMMIT, 3, 4, 5,
         true, false},
        {"no/such", "0123456789012345678901234567890123456789", "", WPA_PIN_COMMIT, 0, 0, 0, false,
         false},
    };
    for (size_t k = 0; k < 2 * WPA_COUNT(cases); k++) { /* looked up, then remembered */
        size_t i = k % WPA_COUNT(cases);
        wpa_fact_use use;
        wpa_facts_use_resolve(S(cases[i].slug), S(cases[i].ref), S(cases[i].hint), &use);
        assert_int_equal(use.pin, cases[i].pin);
        assert_int_equal(use.has_version, cases[i].has_version);
        assert_int_equal(use.has_major, cases[i].has_major);
        if (use.has_version) {
            assert_int_equal(use.version.parts[0], cases[i].major);
            assert_int_equal(use.version.parts[1], cases[i].minor);
            assert_int_equal(use.version.parts[2], cases[i].patch);
        }
    }
}

/** A part of the ref is the caller's: it does not outlive his text. */
static void what_is_remembered_is_of_the_tables(void **state)
{
    (void)state;
    char ref[] = "v1.2.3-rc.1";
    wpa_fact_use use, again;
    wpa_facts_use_resolve(S("no/such"), S(ref), S(""), &use);
    wpa_facts_use_resolve(S("no/such"), S("v1.2.3-rc.1"), S(""), &again);
    ref[sizeof ref - 2] = '7';
    assert_true(wpa_slice_is(use.version.suffix, "rc.7"));
    assert_true(wpa_slice_is(again.version.suffix, "rc.1"));
    wpa_facts_use_resolve(S("no/such"), S("0123456789012345678901234567890123456789"), S("v1"),
                          &use);
    wpa_facts_use_resolve(S("no/such"), S("0123456789012345678901234567890123456789"), S("v2"),
                          &again);
    assert_int_equal(use.version.parts[0], 1);
    assert_int_equal(again.version.parts[0], 2);
}

static const char *end_of(const char *slug, const char *ref)
{
    wpa_fact_use use;
    wpa_facts_use_resolve(S(slug), S(ref), S(""), &use);
    const wpa_fact_end *end = wpa_facts_end_find(S(slug), S(ref), &use);
    return end ? end->status : "";
}

static void ends_of_life_are_known(void **state)
{
    (void)state;
    assert_string_equal(end_of("actions/upload-artifact", "v3"), "removed");
    assert_string_equal(end_of("Actions/upload-artifact", "v2.3.1"), "removed");
    assert_string_equal(end_of("actions/upload-artifact", "v4"), "");
    assert_string_equal(end_of("actions/cache", "v2"), "removed");
    assert_string_equal(end_of("actions/cache", "v4.1.0"), "removed");
    assert_string_equal(end_of("actions/cache", "v4"), "");
    assert_string_equal(end_of("github/codeql-action/init", "v2"), "unsupported");
    assert_string_equal(end_of("actions/cachette", "v2"), "");
    assert_string_equal(wpa_facts_runtime_end("node16")->status, "removed");
    assert_null(wpa_facts_runtime_end("node24"));
    assert_null(wpa_facts_runtime_end(NULL));
}

static bool is_affected(const char *slug, const char *ref, const char *id)
{
    wpa_fact_use use;
    wpa_facts_use_resolve(S(slug), S(ref), S(""), &use);
    for (size_t i = 0; i < wpa_facts_advisory_count(); i++) {
        const wpa_fact_advisory *advisory = wpa_facts_advisory_at(i);
        if (strcmp(advisory->id, id) == 0 &&
            wpa_facts_advisory_affects(advisory, S(slug), S(ref), &use) >= WPA_AFFECTED_YES) {
            return true;
        }
    }
    return false;
}

static void advisories_cover_their_ranges(void **state)
{
    (void)state;
    assert_true(is_affected("actions/download-artifact", "v4.1.2", "GHSA-cxww-7g56-2vh6"));
    assert_false(is_affected("actions/download-artifact", "v4.1.3", "GHSA-cxww-7g56-2vh6"));
    assert_false(is_affected("actions/download-artifact", "v4", "GHSA-cxww-7g56-2vh6"));
    assert_false(is_affected("actions/download-artifact", "v3", "GHSA-cxww-7g56-2vh6"));
    assert_true(is_affected("tj-actions/changed-files", "0e58ed8671d6b60d0890c21b07f8835ace038e67",
                            "GHSA-mrrh-fwg8-r2c3"));
    assert_true(is_affected("tj-actions/changed-files", "v35", "GHSA-mcph-m25j-8j63"));
    assert_true(is_affected("embano1/wip", "v1", "GHSA-rg3q-prf8-qxmp")); /* all of v1 */
    assert_false(is_affected("embano1/wip", "v2", "GHSA-rg3q-prf8-qxmp"));
    assert_false(is_affected("embano1/wip", "main", "GHSA-rg3q-prf8-qxmp"));
    /* A branch that went on since the snapshot, older than the advisory, was taken. */
    assert_false(is_affected("pypa/gh-action-pypi-publish", "release/v1", "GHSA-vxmw-7h4f-hqxh"));
    assert_true(is_affected("pypa/gh-action-pypi-publish", "v1.8.14", "GHSA-vxmw-7h4f-hqxh"));
    assert_true(is_affected("github/codeql-action/init", "v2", "GHSA-vqf5-2xx6-9wfm"));
    assert_true(is_affected("reviewdog/action-setup", "v1", "GHSA-qmg3-hpqr-gqvc") ||
                !is_affected("reviewdog/action-setup", "v1.3.0", "GHSA-qmg3-hpqr-gqvc"));
    const wpa_fact_archived *archived = wpa_facts_archived_find(S("Actions-RS/toolchain"));
    assert_non_null(archived);
    assert_null(wpa_facts_archived_find(S("actions/checkout")));
}

static void events_have_types_and_trust(void **state)
{
    (void)state;
    const wpa_fact_event *event = wpa_facts_event_find(S("pull_request"));
    assert_non_null(event);
    assert_int_equal(event->trust, WPA_TRUST_OUTSIDER);
    assert_true(wpa_fact_list_has(event->types, S("synchronize")));
    assert_true(wpa_fact_list_has(event->filters, S("paths-ignore")));
    assert_false(wpa_fact_list_has(event->filters, S("tags")));
    assert_int_equal(wpa_facts_event_find(S("issue_comment"))->trust,
                     WPA_TRUST_OUTSIDER_PRIVILEGED);
    assert_int_equal(wpa_facts_event_find(S("workflow_call"))->trust, WPA_TRUST_INHERITED);
    assert_int_equal(wpa_facts_event_find(S("push"))->trust, WPA_TRUST_INSIDER);
    assert_null(wpa_facts_event_find(S("Push")));
    assert_int_equal(wpa_facts_event_count(), 37);
    assert_string_equal(wpa_facts_event_names()[0], wpa_facts_event_at(0)->name);
}

static void contexts_know_where_they_may_stand(void **state)
{
    (void)state;
    const wpa_fact_availability *row = wpa_facts_availability_find("jobs.<job_id>.if");
    assert_non_null(row);
    assert_true(wpa_fact_list_has(row->contexts, S("needs")));
    assert_false(wpa_fact_list_has(row->contexts, S("secrets")));
    assert_true(wpa_fact_list_has(row->functions, S("always")));
    assert_non_null(wpa_facts_context_find(S("GITHUB")));
    assert_false(wpa_facts_context_find(S("github"))->is_open);
    assert_true(wpa_facts_context_find(S("env"))->is_open);
    const wpa_fact_function *function = wpa_facts_function_find(S("startswith"));
    assert_non_null(function);
    assert_int_equal(function->min_args, 2);
    assert_true(wpa_facts_function_find(S("case"))->needs_odd);
    assert_true(wpa_fact_list_count(wpa_facts_function_names()) == 13);
    assert_true(wpa_fact_list_count(wpa_facts_context_names()) == 12);
}

static void caches_are_of_known_actions(void **state)
{
    (void)state;
    assert_true(wpa_facts_cache_count() > 50);
    for (size_t i = 0; i < wpa_facts_cache_count(); i++) {
        const wpa_fact_cache *cache = wpa_facts_cache_at(i);
        assert_non_null(strchr(cache->action, '/'));
        assert_non_null(cache->manager);
        assert_true(cache->since <= cache->until);
        /* What is off until asked for needs a way to ask. */
        assert_true(cache->by_default != WPA_CACHE_OFF || cache->input);
    }
    const wpa_fact_runner *slim = wpa_facts_runner_find(wpa_slice_of("ubuntu-slim"));
    const wpa_fact_runner *linux_runner = wpa_facts_runner_find(wpa_slice_of("ubuntu-24.04"));
    assert_true(slim->usd_per_1000_minutes < linux_runner->usd_per_1000_minutes);
}

static void permissions_and_runners_are_known(void **state)
{
    (void)state;
    const wpa_fact_permission *scope = wpa_facts_permission_find(S("id-token"));
    assert_non_null(scope);
    assert_true(scope->can_write && !scope->can_read);
    assert_string_equal(wpa_facts_permission_find(S("contents"))->write_severity, "high");
    assert_int_equal(wpa_fact_list_count(wpa_facts_permission_names()), 20);
    const wpa_fact_runner *runner = wpa_facts_runner_find(S("Ubuntu-20.04"));
    assert_non_null(runner);
    assert_int_equal(runner->state, WPA_RUNNER_REMOVED);
    assert_int_equal(runner->os, WPA_OS_LINUX);
    assert_string_equal(runner->successors[0], "ubuntu-22.04");
    runner = wpa_facts_runner_find(S("ubuntu-22.04"));
    assert_int_equal(runner->state, WPA_RUNNER_DEPRECATED);
    assert_string_equal(runner->removed_on, "2027-04-17");
    assert_int_equal(wpa_facts_runner_find(S("macos-14"))->state, WPA_RUNNER_REMOVED);
    assert_string_equal(wpa_facts_runner_find(S("ubuntu-24.04-arm"))->arch, "arm64");
    assert_null(wpa_facts_runner_find(S("ubuntu-latst")));
    assert_true(wpa_facts_runner_is_self_hosted_label(S("Self-Hosted")));
    assert_true(wpa_fact_list_count(wpa_facts_runner_names()) == 47);
}

static wpa_fact_taint taint_of(const char *path)
{
    const wpa_fact_untrusted *row = wpa_facts_untrusted_find(S(path));
    return row ? row->taint : WPA_TAINT_FIXED;
}

static void attackers_control_what_the_table_says(void **state)
{
    (void)state;
    assert_int_equal(taint_of("github.event.issue.title"), WPA_TAINT_ARBITRARY);
    assert_int_equal(taint_of("GitHub.Event.Issue.Title"), WPA_TAINT_ARBITRARY);
    assert_int_equal(taint_of("github.event.commits.0.message"), WPA_TAINT_ARBITRARY);
    assert_int_equal(taint_of("github.event.commits.*.message"), WPA_TAINT_ARBITRARY);
    assert_int_equal(taint_of("github.head_ref"), WPA_TAINT_ARBITRARY);
    assert_int_equal(taint_of("github.actor"), WPA_TAINT_STRUCTURED);
    assert_int_equal(taint_of("github.event.pull_request.head.sha"), WPA_TAINT_FIXED);
    assert_int_equal(taint_of("inputs.name"), WPA_TAINT_FLOW);
    assert_int_equal(taint_of("steps.x.outputs.y"), WPA_TAINT_FLOW);
    assert_int_equal(taint_of("github.event.client_payload.a.b"), WPA_TAINT_ARBITRARY);
    assert_null(wpa_facts_untrusted_find(S("github.event.issue.number")));
    assert_null(wpa_facts_untrusted_find(S("github.event.issue")));
    assert_true(wpa_facts_input_is_code(S("actions/github-script"), S("script")));
    assert_false(wpa_facts_input_is_code(S("actions/github-script"), S("result-encoding")));
    assert_true(wpa_facts_output_is_tainted(S("tj-actions/changed-files"), S("all_changed_files")));
    assert_true(wpa_facts_output_is_tainted(S("dorny/paths-filter"), S("src_files")));
    assert_false(wpa_facts_output_is_tainted(S("dorny/paths-filter"), S("src")));
    assert_true(wpa_facts_action_is(S("actions/labeler"), WPA_TRAIT_METADATA_ONLY));
}

static void schema_describes_workflows_and_actions(void **state)
{
    (void)state;
    const wpa_schema_def *root = wpa_schema_workflow_find("workflow-root-strict");
    assert_non_null(root);
    assert_int_equal(root->kind, WPA_SCHEMA_MAPPING);
    const wpa_schema_property *jobs = wpa_schema_property_find(root, S("jobs"));
    assert_non_null(jobs);
    assert_true(jobs->is_required);
    assert_null(wpa_schema_property_find(root, S("job")));
    assert_true(wpa_schema_workflow_find("step-if")->takes_expressions);
    assert_false(wpa_schema_workflow_find("step-uses")->takes_expressions);
    assert_false(root->takes_expressions);
    const wpa_schema_def *step = wpa_schema_workflow_find("steps-item");
    assert_int_equal(step->kind, WPA_SCHEMA_ONE_OF);
    assert_string_equal(step->choices[0]->name, "run-step");
    assert_true(wpa_schema_property_find(step->choices[0], S("run"))->is_required);
    assert_non_null(wpa_schema_action_find("action-root-strict"));
    assert_null(wpa_schema_action_find("nothing"));
}

static void images_say_what_they_have(void **state)
{
    (void)state;
    const wpa_fact_image *image = wpa_facts_image_of(wpa_facts_runner_find(S("Ubuntu-22.04")));
    assert_non_null(image);
    assert_string_equal(image->name, "ubuntu-22.04");
    const wpa_fact_runner *latest = wpa_facts_runner_find(S("windows-latest"));
    assert_string_equal(wpa_facts_image_of(latest)->name, "windows-2025");
    assert_null(wpa_facts_image_of(wpa_facts_runner_find(S("ubuntu-18.04"))));
    assert_null(wpa_facts_image_of(NULL));
    const wpa_fact_program *tool = wpa_facts_program_find(S("ansible-playbook"));
    assert_string_equal(tool->command, "ansible");
    assert_non_null(wpa_facts_program_on(tool, "ubuntu-24.04")->version);
    assert_null(wpa_facts_program_on(tool, "ubuntu-slim")->version);
    assert_null(wpa_facts_program_on(tool, "beos"));
    assert_null(wpa_facts_program_find(S("terrafor")));
    assert_true(wpa_fact_list_has(wpa_facts_cached("node", "ubuntu-24.04"), S("22")));
    for (size_t i = 0; i < wpa_facts_program_count(); i++) {
        const wpa_fact_program *row = wpa_facts_program_at(i);
        assert_true(row->n_images > 0);
        for (size_t k = 0; k < row->n_images; k++) {
            assert_non_null(wpa_facts_image_find(row->images[k].image));
        }
    }
}

static void releases_are_found_by_any_of_their_versions(void **state)
{
    (void)state;
    const wpa_fact_runtime *python = wpa_facts_runtime_of_action(S("Actions/Setup-Python"));
    assert_non_null(python);
    static const char *const same[] = {"3.8", "3.8.18", "3.8.x", "v3.8", "3.8-slim"};
    for (size_t i = 0; i < WPA_COUNT(same); i++) {
        const wpa_fact_release *release = wpa_facts_release_find(python, S(same[i]));
        assert_non_null(release);
        assert_string_equal(release->ends, "2024-10-07");
    }
    assert_null(wpa_facts_release_find(python, S("3.80")));
    assert_null(wpa_facts_release_find(python, S("3")));
    assert_null(wpa_facts_release_find(python, S("")));
    const wpa_fact_release *old = wpa_facts_release_find(python, S("3.7"));
    const wpa_fact_release *next =
        wpa_facts_release_next(python, old, wpa_facts_days("2026-11-22"));
    assert_string_equal(next->version, "3.11");
    assert_string_equal(wpa_facts_runtime_of_image(S("golang"))->name, "go");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_say_their_date),
        cmocka_unit_test(images_say_what_they_have),
        cmocka_unit_test(releases_are_found_by_any_of_their_versions),
        cmocka_unit_test(versions_are_ordered),
        cmocka_unit_test(refs_and_commits_find_each_other),
        cmocka_unit_test(every_ref_is_found_both_ways),
        cmocka_unit_test(actions_have_metadata),
        cmocka_unit_test(uses_are_resolved),
        cmocka_unit_test(what_is_remembered_is_of_the_tables),
        cmocka_unit_test(ends_of_life_are_known),
        cmocka_unit_test(advisories_cover_their_ranges),
        cmocka_unit_test(events_have_types_and_trust),
        cmocka_unit_test(contexts_know_where_they_may_stand),
        cmocka_unit_test(caches_are_of_known_actions),
        cmocka_unit_test(permissions_and_runners_are_known),
        cmocka_unit_test(attackers_control_what_the_table_says),
        cmocka_unit_test(schema_describes_workflows_and_actions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
