/* CMP-018: a permission that does not exist, or a level it does not have. */
#include <string.h>

#include "rules/upgrade.h"

typedef struct subject {
    const wpa_yaml_node *node;
    const char *text; /* what was meant, or NULL */
} subject;

static const void *subject_new(wpa_rule_run *run, const wpa_yaml_node *node, const char *text)
{
    subject *s = wpa_arena_alloc(run->arena, sizeof *s);
    *s = (subject){node, text};
    return s;
}

static void check_level(wpa_rule_run *run, const wpa_fact_permission *scope,
                        const wpa_yaml_node *node)
{
    static const char *const levels[] = {"read", "write", "none", NULL};
    const char *level = wpa_yaml_text(node);
    if (node && !level && node->kind != WPA_YAML_ALIAS) {
        (void)wpa_rule_report(run, wpa_yaml_full(node), NULL, subject_new(run, NULL, NULL),
                              "the level of %s must be one word, and is %s", scope->scope,
                              wpa_yaml_describe(node));
    }
    if (!level) {
        return;
    }
    bool is_fine = wpa_text_is(level, "none") || (wpa_text_is(level, "read") && scope->can_read) ||
                   (wpa_text_is(level, "write") && scope->can_write);
    if (is_fine) {
        return;
    }
    const char *meant = wpa_rule_find_meant(level, levels);
    bool is_level = wpa_fact_list_has(levels, wpa_slice_of(level));
    (void)wpa_rule_report(
        run, node->span, NULL, subject_new(run, node, is_level ? NULL : meant),
        "%s is no level of %s: it takes %s%s%s", wpa_rule_quote(run, level, strlen(level)),
        scope->scope, scope->can_read ? "read, " : "", scope->can_write ? "write, " : "", "none");
}

static void check_scopes(wpa_rule_run *run, const wpa_yaml_node *value)
{
    for (size_t i = 0; i < value->n_pairs; i++) {
        const wpa_yaml_node *key = value->pairs[i].key;
        const char *name = wpa_yaml_text(key);
        if (!name || wpa_text_is(name, "<<")) {
            continue;
        }
        const wpa_fact_permission *scope = wpa_facts_permission_find(wpa_slice_of(name));
        if (scope) {
            check_level(run, scope, wpa_yaml_resolve(value->pairs[i].value));
            continue;
        }
        wpa_fact_list names = wpa_facts_permission_names();
        const char *meant = wpa_rule_find_meant(name, names);
        const char *near =
            meant ? meant : wpa_text_nearest(name, names, wpa_fact_list_count(names));
        (void)wpa_rule_report(run, key->span, NULL, subject_new(run, key, meant),
                              "there is no permission %s: the workflow is invalid%s%s%s",
                              wpa_rule_quote(run, name, strlen(name)),
                              near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "");
    }
}

static void check_permissions(wpa_rule_run *run, const wpa_yaml_node *mapping)
{
    static const char *const shorthands[] = {"read-all", "write-all", NULL};
    const wpa_yaml_node *value = wpa_yaml_get(mapping, "permissions");
    if (wpa_yaml_is(value, WPA_YAML_MAPPING)) {
        check_scopes(run, value);
        return;
    }
    const char *text = wpa_yaml_text(value);
    const wpa_yaml_pair *pair = wpa_yaml_find(mapping, "permissions");
    bool is_empty = value && (wpa_yaml_is_null(value) || (text && !*text));
    if (is_empty && !value->is_incomplete) {
        (void)wpa_rule_report(run, pair->key->span, NULL, subject_new(run, NULL, NULL),
                              "permissions is empty: the workflow is invalid (write {} for none)");
        return;
    }
    if (text && !is_empty && !wpa_fact_list_has(shorthands, wpa_slice_of(text))) {
        const char *meant = wpa_rule_find_meant(text, shorthands);
        (void)wpa_rule_report(run, value->span, NULL, subject_new(run, value, meant),
                              "%s is neither read-all nor write-all: the workflow is invalid",
                              wpa_rule_quote(run, text, strlen(text)));
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    check_permissions(run, o->root);
    for (size_t i = 0; i < o->n_jobs; i++) {
        check_permissions(run, o->jobs[i].node);
    }
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const subject *s = finding->subject;
    if (s->text) {
        wpa_rule_rewrite(run, finding, s->node, s->text)->needs =
            wpa_rule_needs(run, WPA_FACTS_PERMISSIONS);
    }
}

const wpa_rule wpa_rule_permission_scope = {
    .code = "CMP-018",
    .id = "permission-scope",
    .dimension = WPA_DIMENSION_COMPATIBILITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_HIGH,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW,
    .words = (const char *const[]){"permissions", NULL},
    .summary = "A permission or its level does not exist",
    .why = "GitHub refuses the whole workflow.",
    .fix = "Write one of the scopes and levels that GitHub knows.",
    .elsewhere = (const char *const[]){"actionlint/permissions", NULL},
    .tables = 1U << WPA_FACTS_PERMISSIONS,
    .declares = WPA_DECLARES_PERMISSIONS,
    .reads_dead_code = true,
    .check = check,
    .repair = repair,
};
