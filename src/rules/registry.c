#include "rules/registry.h"

#include <pthread.h>
#include <stdint.h>
#include <string.h>

#include <wpa/text.h>

#include "gen/rules_version.h"

/* One line a rule, by code. A new rule is its file, its line here, and its fixtures. */
/* clang-format off */
#define WPA_RULES(X) \
    X(unpinned_uses) \
    X(unpinned_images) \
    X(excessive_permissions) \
    X(dangerous_triggers) \
    X(untrusted_checkout) \
    X(persisted_credentials) \
    X(artifact_exposure) \
    X(artifact_poisoning) \
    X(cache_poisoning) \
    X(env_injection) \
    X(insecure_commands) \
    X(hardcoded_container_credentials) \
    X(hardcoded_secret) \
    X(template_injection) \
    X(indirect_injection) \
    X(secrets_inherit) \
    X(overprovisioned_secrets) \
    X(unredacted_secrets) \
    X(secrets_outside_env) \
    X(secret_exposure) \
    X(known_vulnerable_actions) \
    X(archived_uses) \
    X(impostor_commit) \
    X(ref_confusion) \
    X(ref_version_mismatch) \
    X(stale_action_refs) \
    X(typosquat_uses) \
    X(repo_jacking) \
    X(forbidden_uses) \
    X(unverified_creator) \
    X(unpinnable_action) \
    X(unpinned_tools) \
    X(adhoc_packages) \
    X(unverified_script_exec) \
    X(bot_conditions) \
    X(confused_deputy_merge) \
    X(toctou_checkout) \
    X(ungated_command) \
    X(prompt_injection) \
    X(token_to_third_party) \
    X(github_app) \
    X(use_trusted_publishing) \
    X(static_cloud_credentials) \
    X(oidc_misuse) \
    X(self_hosted_runner) \
    X(privileged_container) \
    X(debug_enabled) \
    X(tls_disabled) \
    X(insecure_url_scheme) \
    X(obfuscation) \
    X(dependabot_cooldown) \
    X(dependabot_execution) \
    X(reusable_overgrant) \
    X(platform_advisory) \
    X(attack_surface) \
    X(missing_timeout) \
    X(ineffective_timeout) \
    X(missing_concurrency) \
    X(concurrency_scope) \
    X(full_history_checkout) \
    X(heavy_checkout) \
    X(missing_dependency_cache) \
    X(ineffective_cache_key) \
    X(duplicate_cache) \
    X(docker_layer_cache) \
    X(needless_needs) \
    X(repeated_package_index) \
    X(slow_tool_install) \
    X(npm_install_in_ci) \
    X(artifact_bloat) \
    X(artifact_as_output) \
    X(emulated_build) \
    X(serial_matrix) \
    X(cache_disabled) \
    X(fixed_sleep) \
    X(fail_fast_off) \
    X(parallelisable_steps) \
    X(service_start_wait) \
    X(container_provisioning) \
    X(sequential_callees) \
    X(push_pr_double_run) \
    X(missing_path_filter) \
    X(duplicate_steps) \
    X(duplicate_jobs) \
    X(matrix_duplicate_legs) \
    X(matrix_explosion) \
    X(expensive_runner) \
    X(oversized_runner) \
    X(redundant_setup) \
    X(constant_condition) \
    X(unused_definition) \
    X(schedule_collision) \
    X(excessive_schedule) \
    X(dead_workflow) \
    X(superfluous_actions) \
    X(preinstalled_tool) \
    X(broad_trigger) \
    X(always_runs) \
    X(artifact_retention) \
    X(unused_artifact) \
    X(repeated_build) \
    X(tiny_jobs) \
    X(redundant_leg) \
    X(no_op_step) \
    X(update_noise) \
    X(syntax) \
    X(schema) \
    X(expression_syntax) \
    X(retired_runner) \
    X(runner_label) \
    X(expression_type) \
    X(context_availability) \
    X(config_names) \
    X(action_inputs) \
    X(action_metadata) \
    X(uses_format) \
    X(call_contract) \
    X(events) \
    X(dispatch_inputs) \
    X(glob) \
    X(job_graph) \
    X(matrix_shape) \
    X(permission_scope) \
    X(shell_name) \
    X(id_naming) \
    X(env_name) \
    X(parallel_steps) \
    X(platform_limits) \
    X(dependabot_schema) \
    X(pre_commit_schema) \
    X(deprecated_commands) \
    X(node_runtime) \
    X(deprecated_action_version) \
    X(outdated_action_major) \
    X(artifact_contract) \
    X(undefined_output) \
    X(local_action_order) \
    X(self_repository) \
    X(forge_unsupported) \
    X(shell_os_mismatch) \
    X(container_os) \
    X(tool_not_on_image) \
    X(latest_label_drift) \
    X(arch_mismatch) \
    X(permission_chain) \
    X(missing_permission) \
    X(secret_availability) \
    X(token_no_trigger) \
    X(eol_toolchain) \
    X(lockfile_drift) \
    X(hardcoded_path) \
    X(required_check_gap) \
    X(shellcheck) \
    X(python_lint) \
    X(script_syntax) \
    X(long_script) \
    X(repeated_value) \
    X(inconsistent_action_versions) \
    X(missing_tests) \
    X(missing_codeowners) \
    X(commented_out_code) \
    X(yaml_hazards) \
    X(missing_pipefail) \
    X(unsound_ternary) \
    X(unsound_condition) \
    X(unsound_contains) \
    X(suspicious_comparison) \
    X(ambiguous_names) \
    X(swallowed_failure) \
    X(unchecked_needs_result) \
    X(ungated_release) \
    X(anonymous_definition) \
    X(undocumented_permissions) \
    X(missing_description) \
    X(misfeature) \
    X(unpinned_toolchain) \
    X(toolchain_drift) \
    X(output_file_misuse) \
    X(expression_style) \
    X(no_update_bot) \
    X(complex_workflow) \
    X(unused_ignore)
/* clang-format on */

#define DECLARE(name) extern const wpa_rule wpa_rule_##name;
WPA_RULES(DECLARE)

#define LIST(name) &wpa_rule_##name,
static const wpa_rule *const rules[] = {WPA_RULES(LIST)};

const wpa_rule *const *wpa_rules_all(size_t *n)
{
    *n = WPA_COUNT(rules);
    return rules;
}

const char *wpa_rules_version(void)
{
    return WPA_RULES_VERSION;
}

/* Rows by the address of their rule, made by the first who asks: everything that is told of a
 * finding asks for the row of its rule. */
#define PLACES_BITS 10
_Static_assert(WPA_COUNT(rules) < (1U << PLACES_BITS) / 2, "half of the places stay empty");
static uint16_t places[1U << PLACES_BITS]; /* row + 1, 0: none; those of one hash in a row */
static pthread_once_t places_once = PTHREAD_ONCE_INIT;

static uint32_t place_of(const wpa_rule *rule)
{
    return (uint32_t)((uintptr_t)rule / sizeof(void *)) * 0x9e3779b1U >> (32 - PLACES_BITS);
}

static uint32_t next_place(uint32_t place)
{
    return (place + 1) % WPA_COUNT(places);
}

static void make_places(void)
{
    for (size_t i = 0; i < WPA_COUNT(rules); i++) {
        uint32_t at = place_of(rules[i]);
        while (places[at]) {
            at = next_place(at);
        }
        places[at] = (uint16_t)(i + 1);
    }
}

size_t wpa_rules_index(const wpa_rule *rule)
{
    (void)pthread_once(&places_once, make_places);
    for (uint32_t at = place_of(rule); places[at]; at = next_place(at)) {
        if (rules[places[at] - 1] == rule) {
            return places[at] - 1U;
        }
    }
    return WPA_COUNT(rules);
}

static bool no_check(wpa_rule_run *run, wpa_error *err)
{
    (void)run;
    (void)err;
    return true;
}

const wpa_rule wpa_rule_external = {
    .code = "EXT",
    .id = "ext",
    .dimension = WPA_DIMENSION_QUALITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_MEDIUM,
    .summary = "What a program outside wpa reports",
    .why = "The configuration names the program under analysers.",
    .fix = "See the program's own documentation.",
    .check = no_check,
};

static const char *bare(const char *foreign)
{
    const char *slash = strchr(foreign, '/');
    return slash ? slash + 1 : foreign;
}

static bool has_foreign(const wpa_rule *rule, const char *name, bool is_bare)
{
    for (const char *const *at = rule->elsewhere; at && *at; at++) {
        if (wpa_text_is_ci(is_bare ? bare(*at) : *at, name)) {
            return true;
        }
    }
    return false;
}

bool wpa_rule_is_named(const wpa_rule *rule, const char *name)
{
    return wpa_text_is_ci(rule->id, name) || wpa_text_is_ci(rule->code, name) ||
           has_foreign(rule, name, false) || has_foreign(rule, name, true);
}

static const wpa_rule *find_own(const char *name, size_t length)
{
    for (size_t i = 0; i < WPA_COUNT(rules); i++) {
        wpa_slice slice = {name, length};
        if (wpa_slice_is_ci(slice, rules[i]->id) || wpa_slice_is_ci(slice, rules[i]->code)) {
            return rules[i];
        }
    }
    return NULL;
}

static const wpa_rule *find_foreign(const char *name, bool is_bare, size_t *n_fitting)
{
    const wpa_rule *found = NULL;
    *n_fitting = 0;
    for (size_t i = 0; i < WPA_COUNT(rules); i++) {
        if (has_foreign(rules[i], name, is_bare)) {
            found = found ? found : rules[i];
            *n_fitting += 1;
        }
    }
    return found;
}

static const wpa_rule *refuse(const char *name, wpa_error *err)
{
    const char *ids[WPA_COUNT(rules)];
    for (size_t i = 0; i < WPA_COUNT(rules); i++) {
        ids[i] = rules[i]->id;
    }
    const char *near = wpa_text_nearest(name, ids, WPA_COUNT(ids));
    if (near) {
        (void)WPA_FAIL(err, WPA_E_INVALID, "unknown rule '%s' (did you mean '%s'?)", name, near);
    } else {
        (void)WPA_FAIL(err, WPA_E_INVALID, "unknown rule '%s' (see wpa check --list-rules)", name);
    }
    return NULL;
}

const wpa_rule *wpa_rules_find(const char *name, const char **check, wpa_error *err)
{
    *check = NULL;
    const wpa_rule *rule = find_own(name, strlen(name));
    const char *slash = strchr(name, '/');
    wpa_slice head = {name, slash ? (size_t)(slash - name) : strlen(name)};
    if (wpa_slice_is_ci(head, wpa_rule_external.id)) {
        *check = slash ? slash + 1 : NULL;
        return &wpa_rule_external;
    }
    if (!rule && slash) {
        rule = find_own(name, (size_t)(slash - name));
        *check = rule ? slash + 1 : NULL;
    }
    size_t n_fitting = 0;
    rule = rule ? rule : find_foreign(name, false, &n_fitting);
    if (rule) {
        return rule;
    }
    rule = find_foreign(name, true, &n_fitting);
    if (n_fitting > 1) {
        (void)WPA_FAIL(err, WPA_E_INVALID,
                       "'%s' is the name of %zu rules of other tools (write tool/%s)", name,
                       n_fitting, name);
        return NULL;
    }
    return rule ? rule : refuse(name, err);
}
