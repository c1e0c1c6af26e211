/* What the table of supplies says: who publishes, logs in, replaces, and which versions are bad. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "facts/commands.h"
#include "facts/likeness.h"
#include "facts/platforms.h"
#include "facts/supply.h"

typedef struct publish_case {
    const char *words[5];
    size_t n;
    const char *registry; /* NULL: does not publish */
} publish_case;

static const publish_case publishes[] = {
    {{"npm", "publish", "--access", "public"}, 4, "npm"},
    {{"npm", "run", "publish"}, 3, "npm"}, /* a script that is called so */
    {{"npm", "run", "build"}, 3, NULL},
    {{"python", "-m", "twine", "upload", "dist/*"}, 5, "PyPI"},
    {{"python", "-m", "build"}, 3, NULL},
    {{"uv", "publish"}, 2, "PyPI"},
    {{"cargo", "publish"}, 2, "crates.io"},
    {{"cargo", "build"}, 2, NULL},
    {{"gem", "push", "x.gem"}, 3, "RubyGems"},
    {{"dotnet", "nuget", "push", "x"}, 4, "NuGet"},
    {{"dotnet", "publish"}, 2, NULL},
};

static void commands_that_publish(void **state)
{
    (void)state;
    for (size_t i = 0; i < WPA_COUNT(publishes); i++) {
        const publish_case *c = &publishes[i];
        const wpa_fact_publish_command *row =
            wpa_facts_publish_command_find(c->words[0], c->words + 1, c->n - 1);
        if (c->registry) {
            assert_non_null(row);
            assert_string_equal(row->registry, c->registry);
        } else {
            assert_null(row);
        }
    }
}

typedef struct platform_case {
    const char *platform, *id, *version;
    bool is_affected;
} platform_case;

static const platform_case versions[] = {
    {"ghes", "CVE-2024-4985", "3.12.3", true},
    {"ghes", "CVE-2024-4985", "3.12.4", false},
    {"ghes", "CVE-2024-4985", "3.8.20", true}, /* older than every line that was fixed */
    {"ghes", "CVE-2024-4985", "3.13.0", false},
    {"runner", "GHSA-2c6m-6gqh-6qg3", "2.296.1", true},
    {"runner", "GHSA-2c6m-6gqh-6qg3", "2.319.0", false},
};

static void versions_with_advisories(void **state)
{
    (void)state;
    for (size_t i = 0; i < WPA_COUNT(versions); i++) {
        const platform_case *c = &versions[i];
        bool is_seen = false;
        for (size_t k = 0; k < wpa_facts_platform_count(); k++) {
            const wpa_fact_platform *row = wpa_facts_platform_at(k);
            wpa_version version;
            assert_true(wpa_version_parse(wpa_slice_of(c->version), &version));
            if (wpa_text_is(row->platform, c->platform) && wpa_text_is(row->id, c->id)) {
                is_seen = true;
                assert_int_equal(wpa_facts_platform_affects(row, &version), c->is_affected);
            }
        }
        assert_true(is_seen);
    }
}

static void rows_by_name(void **state)
{
    (void)state;
    assert_string_equal(wpa_facts_replacement_find(wpa_slice_of("Actions-RS/cargo"))->how, "cargo");
    assert_null(wpa_facts_replacement_find(wpa_slice_of("actions-rs/cargo/sub")));
    assert_non_null(wpa_facts_publish_action_find(wpa_slice_of("pypa/gh-action-pypi-publish")));
    assert_non_null(wpa_facts_cloud_login_find(wpa_slice_of("azure/login")));
    assert_string_equal(wpa_facts_cloud_variable_find("AWS_SECRET_ACCESS_KEY")->cloud, "AWS");
    assert_null(wpa_facts_cloud_variable_find("AWS_REGION"));
    assert_string_equal(wpa_facts_cloud_registry_find("x.azurecr.io")->cloud, "Azure");
    assert_null(wpa_facts_cloud_registry_find("ghcr.io"));
    /* a repository's row speaks of what lies below it */
    assert_non_null(wpa_facts_oidc_action_find(
        wpa_slice_of("slsa-framework/slsa-github-generator/.github/workflows/x.yml")));
    assert_null(wpa_facts_oidc_action_find(wpa_slice_of("actions/checkout")));
    assert_true(wpa_facts_is_debug_action(wpa_slice_of("mxschmitt/action-tmate")));
    assert_true(wpa_facts_is_known_creator(wpa_slice_of("Docker")));
    assert_false(wpa_facts_is_known_creator(wpa_slice_of("docker-")));
    assert_string_equal(wpa_facts_renamed_owner_find(wpa_slice_of("returntocorp"))->name,
                        "semgrep");
    assert_false(wpa_facts_is_impostor(wpa_slice_of("actions/checkout"),
                                       wpa_slice_of("565ece486c7c1652754d7b6d2b5ed9cb4097f9d5")));
}

/* Rows of a use are asked for by what is known of its slug: no table must be left out by that. */
static void assert_rows_of(wpa_slice slug)
{
    wpa_fact_use use;
    size_t n;
    wpa_facts_use_resolve(slug, wpa_slice_of("v1"), wpa_slice_of(""), &use);
    assert_ptr_equal(use.role, wpa_facts_action_role_find(slug));
    assert_ptr_equal(use.runtime, wpa_facts_runtime_of_action(slug));
    assert_ptr_equal(use.need, wpa_facts_action_need(slug));
    assert_ptr_equal(use.tool, wpa_facts_tool_find(slug));
    assert_ptr_equal(use.publish, wpa_facts_publish_action_find(slug));
    assert_ptr_equal(use.replacement, wpa_facts_replacement_find(slug));
    assert_ptr_equal(use.login, wpa_facts_cloud_login_find(slug));
    assert_ptr_equal(use.caches, wpa_facts_caches_of(slug, &n));
    assert_int_equal(use.n_caches, n);
    assert_ptr_equal(use.values, wpa_facts_values_of(slug, &n));
    assert_int_equal(use.n_values, n);
    assert_ptr_equal(use.migrations, wpa_facts_migrations_of(slug, &n));
    assert_int_equal(use.n_migrations, n);
    assert_int_equal(use.traits, wpa_facts_action_traits(slug));
    assert_int_equal(use.is_debug, wpa_facts_is_debug_action(slug));
}

static void uses_have_all_their_rows(void **state)
{
    (void)state;
    static const char *const others[] = {"mxschmitt/action-tmate", "Actions/Labeler",
                                         "ACTIONS/setup-python",   "Azure/login",
                                         "actions-rs/cargo",       "nobody/nothing"};
    for (size_t i = 0; i < wpa_facts_action_count(); i++) {
        assert_rows_of(wpa_slice_of(wpa_facts_action_name(wpa_facts_action_at(i))));
    }
    for (size_t i = 0; i < wpa_facts_cache_count(); i++) {
        assert_rows_of(wpa_slice_of(wpa_facts_cache_at(i)->action));
    }
    for (size_t i = 0; i < WPA_COUNT(others); i++) {
        assert_rows_of(wpa_slice_of(others[i]));
    }
}

static bool may_be_like(const wpa_fact_original *a, const wpa_fact_original *b)
{
    uint32_t bits = wpa_slug_letters(a->name) ^ wpa_slug_letters(b->name);
    return __builtin_popcount(bits) <= 2 ||
           wpa_slug_letters(a->blurred) == wpa_slug_letters(b->blurred);
}

/* By fours, and one by one at the end: each in turn that letters do not rule out. */
static void names_like_others_are_found(void **state)
{
    (void)state;
    size_t n;
    const wpa_fact_original *all = wpa_facts_originals(&n);
    for (size_t i = 0; i < n; i++) {
        uint32_t letters = wpa_slug_letters(all[i].name);
        uint32_t blurred = wpa_slug_letters(all[i].blurred);
        size_t found = wpa_facts_original_like(letters, blurred, 0);
        for (size_t k = 0; k < n; k++) {
            assert_int_equal(found == k, may_be_like(&all[i], &all[k]));
            found = found == k ? wpa_facts_original_like(letters, blurred, k + 1) : found;
        }
        assert_int_equal(found, n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_that_publish),
        cmocka_unit_test(versions_with_advisories),
        cmocka_unit_test(rows_by_name),
        cmocka_unit_test(uses_have_all_their_rows),
        cmocka_unit_test(names_like_others_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
