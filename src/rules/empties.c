#include "rules/empties.h"

#include "rules/outline.h"

/** A key with nothing behind it. */
static bool is_nothing(const wpa_yaml_pair *pair)
{
    const wpa_yaml_node *value = pair ? wpa_yaml_resolve(pair->value) : NULL;
    return wpa_yaml_is(value, WPA_YAML_SCALAR) && !value->is_incomplete &&
           (value->length == 0 || wpa_yaml_is_null(value));
}

static wpa_finding *report_empty(wpa_rule_run *run, const wpa_yaml_pair *pair, const char *check)
{
    const wpa_yaml_node *value = wpa_yaml_resolve(pair->value);
    wpa_finding *finding = wpa_rule_report(
        run, wpa_span_length(value->span) ? value->span : pair->key->span, check, NULL,
        "%s is empty, so it does nothing", wpa_rule_quote(run, pair->key->text, pair->key->length));
    finding->severity = WPA_SEVERITY_LOW;
    return finding;
}

/** A value that is nothing, or entries that come from elsewhere: hardly any mapping has one. */
static bool may_hold_empty(const wpa_yaml_node *mapping)
{
    mapping = wpa_yaml_resolve(mapping);
    for (size_t i = 0; mapping && i < mapping->n_pairs; i++) {
        const wpa_yaml_node *value = mapping->pairs[i].value;
        if (value->kind == WPA_YAML_SCALAR && value->length >= sizeof "null" &&
            !value->has_properties) {
            continue; /* as most are */
        }
        value = value->kind == WPA_YAML_ALIAS ? value->target : value;
        if (!value) {
            continue;
        }
        bool may_say_null = value->kind == WPA_YAML_SCALAR &&
                            (value->length < sizeof "null" || value->has_properties);
        if (value->length + value->n_pairs + value->n_items == 0 ||
            (may_say_null && wpa_yaml_is_null(value))) {
            return true;
        }
    }
    return mapping && mapping->keys == UINT32_MAX; /* keys that may merge set all the bits */
}

/** "env: {}" and the like, which GitHub takes and makes nothing of. */
static void check_empty_mappings(wpa_rule_run *run, const wpa_yaml_node *mapping)
{
    static const char *const keys[] = {"env",      "with",     "outputs", "secrets",
                                       "services", "strategy", "runs-on", "run"};
    for (size_t i = 0; mapping && i < WPA_COUNT(keys); i++) {
        const wpa_yaml_pair *pair = wpa_yaml_find(mapping, keys[i]);
        const wpa_yaml_node *value = pair ? wpa_yaml_resolve(pair->value) : NULL;
        if (wpa_yaml_is(value, WPA_YAML_MAPPING) && !value->n_pairs && !value->is_incomplete) {
            report_empty(run, pair, "S4")->persona = WPA_PERSONA_PEDANTIC;
        }
    }
}

/** Legs that are added or taken out: none, or one that names no value, which ends the run. */
static void check_empty_legs(wpa_rule_run *run, const wpa_yaml_node *matrix)
{
    static const char *const keys[] = {"include", "exclude"};
    for (size_t i = 0; i < WPA_COUNT(keys); i++) {
        const wpa_yaml_pair *pair = wpa_yaml_find(matrix, keys[i]);
        const wpa_yaml_node *list = pair ? wpa_yaml_resolve(pair->value) : NULL;
        if (!wpa_yaml_is(list, WPA_YAML_SEQUENCE) || list->is_incomplete) {
            continue;
        }
        if (list->n_items == 0) {
            report_empty(run, pair, "S6")->persona = WPA_PERSONA_PEDANTIC;
        }
        for (size_t k = 0; k < list->n_items; k++) {
            const wpa_yaml_node *leg = wpa_yaml_resolve(list->items[k]);
            if (wpa_yaml_is(leg, WPA_YAML_MAPPING) && !leg->n_pairs && !leg->is_incomplete) {
                wpa_rule_report(run, leg->span, "S4", NULL,
                                "an entry of '%s' names no value: the job does not start", keys[i]);
            }
        }
    }
}

static void check_empty(wpa_rule_run *run, const wpa_yaml_node *mapping)
{
    static const char *const texts[] = {"run",         "if",        "run-name",
                                        "environment", "container", "working-directory"};
    static const char *const lists[] = {"needs", "runs-on", "labels"};
    if (!may_hold_empty(mapping)) {
        return;
    }
    for (size_t i = 0; i < WPA_COUNT(texts); i++) {
        const wpa_yaml_pair *pair = wpa_yaml_find(mapping, texts[i]);
        if (is_nothing(pair)) {
            (void)report_empty(run, pair, "S8");
        }
    }
    for (size_t i = 0; i < WPA_COUNT(lists); i++) {
        const wpa_yaml_pair *pair = wpa_yaml_find(mapping, lists[i]);
        const wpa_yaml_node *value = pair ? wpa_yaml_resolve(pair->value) : NULL;
        if (wpa_yaml_is(value, WPA_YAML_SEQUENCE) && value->n_items == 0) {
            (void)report_empty(run, pair, "S6");
        }
    }
    check_empty_mappings(run, mapping);
}

/** A key and nothing behind it, where GitHub takes that: the name of an environment. */
static void check_empty_text(wpa_rule_run *run, const wpa_yaml_node *mapping, const char *key)
{
    const wpa_yaml_pair *pair = wpa_yaml_find(mapping, key);
    if (is_nothing(pair)) {
        (void)report_empty(run, pair, "S8");
    }
}

/** Filters with nothing behind them let everything pass; an empty text there is refused. */
static void check_empty_filters(wpa_rule_run *run, const wpa_yaml_node *config)
{
    static const char *const keys[] = {"branches",    "branches-ignore", "tags",
                                       "tags-ignore", "paths",           "paths-ignore"};
    for (size_t i = 0; may_hold_empty(config) && i < WPA_COUNT(keys); i++) {
        const wpa_yaml_pair *pair = wpa_yaml_find(config, keys[i]);
        if (is_nothing(pair) && wpa_yaml_is_null(wpa_yaml_resolve(pair->value))) {
            (void)report_empty(run, pair, "S8");
        }
    }
}

static void check_empty_outputs(wpa_rule_run *run)
{
    const wpa_outline_trigger *call =
        wpa_outline_trigger_find(run->source->outline, "workflow_call");
    const wpa_yaml_node *outputs = call ? wpa_yaml_get(call->config, "outputs") : NULL;
    for (size_t i = 0; wpa_yaml_is(outputs, WPA_YAML_MAPPING) && i < outputs->n_pairs; i++) {
        check_empty_text(run, wpa_yaml_resolve(outputs->pairs[i].value), "value");
    }
}

/** Of the workflow alone: that of a job is refused by the schema. */
static void check_empty_group(wpa_rule_run *run, const wpa_yaml_node *root)
{
    const wpa_yaml_pair *pair = wpa_yaml_find(root, "concurrency");
    if (is_nothing(pair)) {
        wpa_finding *finding = report_empty(run, pair, "S8");
        finding->severity = WPA_SEVERITY_MEDIUM;
        finding->message = "the concurrency group has no name: every run fails";
    }
}

void wpa_empties_check(wpa_rule_run *run)
{
    const wpa_outline *o = run->source->outline;
    check_empty(run, o->root);
    check_empty_group(run, o->root);
    check_empty_mappings(run, wpa_yaml_get(o->root, "defaults"));
    for (size_t i = 0; i < o->n_triggers; i++) {
        check_empty_filters(run, wpa_yaml_resolve(o->triggers[i].config));
    }
    check_empty_outputs(run);
    for (size_t i = 0; i < o->n_jobs; i++) {
        const wpa_yaml_node *job = o->jobs[i].node;
        check_empty(run, job);
        check_empty(run, wpa_yaml_get(job, "runs-on"));
        check_empty_mappings(run, wpa_yaml_get(job, "defaults"));
        const wpa_yaml_node *environment = wpa_yaml_get(job, "environment");
        if (environment) {
            check_empty_text(run, environment, "name");
            check_empty_text(run, environment, "url");
        }
        check_empty_legs(run, wpa_yaml_get(wpa_yaml_get(job, "strategy"), "matrix"));
        for (size_t k = 0; k < o->jobs[i].n_steps; k++) {
            check_empty(run, o->jobs[i].steps[k].node);
        }
    }
}
