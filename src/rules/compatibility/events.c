/* CMP-013: what stands under "on" that GitHub refuses or never starts (V1 to V12). */
#include <string.h>

#include "rules/cron.h"
#include "rules/own.h"
#include "rules/upgrade.h"

#define LEAST_MINUTES 5
/** Patterns of one list that are compared with each other. */
#define PATTERNS_MAX 500

typedef struct subject {
    const wpa_yaml_node *node; /* to rewrite, or NULL */
    const char *text;
} subject;

static const void *subject_new(wpa_rule_run *run, const wpa_yaml_node *node, const char *text)
{
    subject *s = wpa_arena_alloc(run->arena, sizeof *s);
    *s = (subject){node, text};
    return s;
}

static const char *quote(wpa_rule_run *run, const char *text)
{
    return wpa_rule_quote(run, text, strlen(text));
}

/* V1 */
static void check_name(wpa_rule_run *run, const wpa_outline_trigger *t)
{
    if (!*t->name && t->node == wpa_yaml_get(run->source->outline->root, "on")) {
        return; /* what is empty is said by the rule schema, here and below */
    }
    const char *const *names = wpa_facts_event_names();
    const char *meant = wpa_rule_find_meant(t->name, names);
    const char *near = meant ? meant : wpa_text_nearest(t->name, names, wpa_facts_event_count());
    (void)wpa_rule_report(run, t->node->span, "V1", subject_new(run, meant ? t->node : NULL, meant),
                          "there is no event %s: the workflow is invalid%s%s%s",
                          quote(run, t->name), near ? " (did you mean '" : "", near ? near : "",
                          near ? "'?)" : "");
}

/* Events that GitHub knows by name and sends no more, those of its old projects. */
static void check_legacy(wpa_rule_run *run, const wpa_outline_trigger *t)
{
    if (t->event->is_legacy) {
        wpa_finding *finding = wpa_rule_report(
            run, t->node->span, "V1", subject_new(run, NULL, NULL),
            "event %s is sent no more: it never starts the workflow", quote(run, t->name));
        finding->severity = WPA_SEVERITY_MEDIUM;
    }
}

/* V2 */
static void check_type(wpa_rule_run *run, const wpa_outline_trigger *t, const wpa_yaml_node *node)
{
    const char *type = wpa_yaml_text(node);
    if (!type || !*type || t->event->has_free_types || wpa_outline_has_expression(type) ||
        wpa_fact_list_has(t->event->types, wpa_slice_of(type))) {
        return;
    }
    const char *meant = wpa_rule_find_meant(type, t->event->types);
    (void)wpa_rule_report(run, node->span, "V2", subject_new(run, meant ? node : NULL, meant),
                          "%s has no activity type %s: it never starts the workflow%s", t->name,
                          quote(run, type), wpa_rule_hint(meant, t->event->types, run->arena));
}

static void check_types(wpa_rule_run *run, const wpa_outline_trigger *t)
{
    const wpa_yaml_pair *pair = wpa_yaml_find(t->config, "types");
    if (!pair) {
        return;
    }
    if (!t->event->takes_types) {
        wpa_finding *finding = wpa_rule_report(
            run, pair->key->span, "V2", subject_new(run, NULL, NULL), "%s takes no types", t->name);
        wpa_rule_relate(run, finding, t->node->span, "the event");
        return;
    }
    const wpa_yaml_node *types = wpa_yaml_resolve(pair->value);
    if (wpa_yaml_is(types, WPA_YAML_SEQUENCE) && types->n_items == 0 && !types->is_incomplete) {
        (void)wpa_rule_report(run, pair->key->span, "V9", subject_new(run, NULL, NULL),
                              "types of %s is empty: nothing fits it", t->name);
    }
    for (size_t i = 0; wpa_yaml_is(types, WPA_YAML_SEQUENCE) && i < types->n_items; i++) {
        check_type(run, t, wpa_yaml_resolve(types->items[i]));
    }
    if (wpa_yaml_is(types, WPA_YAML_SCALAR)) {
        check_type(run, t, types);
    }
}

static const char *const filters[] = {"branches",    "branches-ignore", "tags",
                                      "tags-ignore", "paths",           "paths-ignore"};

static bool is_empty(const wpa_yaml_node *value)
{
    return !value || (value->kind == WPA_YAML_SEQUENCE && value->n_items == 0) ||
           wpa_yaml_is_null(value);
}

/* V9, V10: filters that let nothing through. */
static void check_patterns(wpa_rule_run *run, const wpa_outline_trigger *t,
                           const wpa_yaml_pair *pair)
{
    const wpa_yaml_node *value = wpa_yaml_resolve(pair->value);
    if (is_empty(value)) {
        if (value && value->kind == WPA_YAML_SEQUENCE && !strstr(pair->key->text, "ignore")) {
            (void)wpa_rule_report(run, pair->key->span, "V9", subject_new(run, NULL, NULL),
                                  "%s of %s is empty: nothing fits it", pair->key->text, t->name);
        }
        return;
    }
    size_t n_negative = 0;
    for (size_t i = 0; value->kind == WPA_YAML_SEQUENCE && i < value->n_items; i++) {
        const char *pattern = wpa_yaml_text(value->items[i]);
        n_negative += pattern && pattern[0] == '!';
    }
    if (n_negative && n_negative == value->n_items && !strstr(pair->key->text, "ignore")) {
        (void)wpa_rule_report(run, pair->key->span, "V10", subject_new(run, NULL, NULL),
                              "%s of %s has only patterns that exclude: nothing starts the "
                              "workflow",
                              pair->key->text, t->name);
    }
}

/* Does every name that pattern fits fit other too, as far as their texts tell? */
static bool covers(const char *other, const char *pattern)
{
    return wpa_text_is(other, pattern) || wpa_text_is(other, "**") ||
           (wpa_text_is(other, "*") && !strchr(pattern, '/') && !strstr(pattern, "**"));
}

/* V11: the last pattern that fits decides, so that what stands before it may do nothing. */
static void check_order(wpa_rule_run *run, const wpa_outline_trigger *t, const wpa_yaml_pair *pair)
{
    const wpa_yaml_node *list = wpa_yaml_resolve(pair->value);
    bool is_list = wpa_yaml_is(list, WPA_YAML_SEQUENCE) && list->n_items <= PATTERNS_MAX &&
                   !strstr(pair->key->text, "ignore");
    for (size_t i = 0; is_list && i < list->n_items; i++) {
        const char *own = wpa_yaml_text(list->items[i]);
        for (size_t k = i + 1; own && *own && k < list->n_items; k++) {
            const char *later = wpa_yaml_text(list->items[k]);
            bool is_out = own[0] == '!', is_later_out = later && later[0] == '!';
            if (!later || is_out == is_later_out || !covers(later + is_later_out, own + is_out)) {
                continue;
            }
            wpa_finding *finding = wpa_rule_report(
                run, wpa_yaml_resolve(list->items[i])->span, "V11", subject_new(run, NULL, NULL),
                "pattern %s of %s does nothing: %s below it %s again", quote(run, own), t->name,
                quote(run, later), is_out ? "lets the same in" : "takes the same out");
            finding->severity = WPA_SEVERITY_MEDIUM;
            wpa_rule_relate(run, finding, list->items[k]->span, "the last that fits decides");
            break;
        }
    }
}

/* V12: branches of a pull request are those it goes into, not those it comes from. */
static void check_heads(wpa_rule_run *run, const wpa_outline_trigger *t, const wpa_yaml_pair *pair)
{
    static const char *const heads[] = {"feature/", "feat/",  "fix/",        "bugfix/",
                                        "hotfix/",  "chore/", "dependabot/", "renovate/"};
    bool is_pull =
        wpa_text_is(t->name, "pull_request") || wpa_text_is(t->name, "pull_request_target");
    const wpa_yaml_node *list = wpa_yaml_resolve(pair->value);
    bool is_list = is_pull && wpa_text_starts(pair->key->text, "branches") &&
                   wpa_yaml_is(list, WPA_YAML_SEQUENCE);
    for (size_t i = 0; is_list && i < list->n_items; i++) {
        const char *text = wpa_yaml_text(list->items[i]);
        for (size_t k = 0; text && k < WPA_COUNT(heads); k++) {
            if (wpa_text_starts(text, heads[k])) {
                wpa_finding *finding = wpa_rule_report(
                    run, list->items[i]->span, "V12", subject_new(run, NULL, NULL),
                    "%s is compared with the branch a pull request goes into, and reads like one "
                    "it comes from",
                    quote(run, text));
                finding->severity = WPA_SEVERITY_LOW;
                finding->persona = WPA_PERSONA_PEDANTIC;
                break;
            }
        }
    }
}

/* V4, V5 */
static void check_filters(wpa_rule_run *run, const wpa_outline_trigger *t)
{
    const wpa_yaml_node *config = wpa_yaml_resolve(t->config);
    bool has_keys = config && config->keys; /* most events have none */
    for (size_t i = 0; has_keys && i < WPA_COUNT(filters); i++) {
        const wpa_yaml_pair *pair = wpa_yaml_find(t->config, filters[i]);
        if (!pair) {
            continue;
        }
        if (!wpa_fact_list_has(t->event->filters, wpa_slice_of(filters[i]))) {
            (void)wpa_rule_report(run, pair->key->span, "V4", subject_new(run, NULL, NULL),
                                  "%s takes no filter %s", t->name, filters[i]);
            continue;
        }
        check_patterns(run, t, pair);
        check_order(run, t, pair);
        check_heads(run, t, pair);
        const wpa_yaml_pair *other = i % 2 == 0 ? wpa_yaml_find(t->config, filters[i + 1]) : NULL;
        if (other && !is_empty(wpa_yaml_resolve(pair->value)) &&
            !is_empty(wpa_yaml_resolve(other->value))) {
            wpa_finding *finding =
                wpa_rule_report(run, other->key->span, "V5", subject_new(run, NULL, NULL),
                                "%s and %s cannot stand together; use '!' patterns in %s",
                                filters[i], filters[i + 1], filters[i]);
            wpa_rule_relate(run, finding, pair->key->span, "the other one");
        }
    }
}

/** Events behind which GitHub's schema has nothing. */
static bool is_bare(const wpa_outline_trigger *t)
{
    const wpa_schema_def *all = wpa_schema_workflow_find("on-mapping-strict");
    const wpa_schema_property *own =
        all ? wpa_schema_property_find(all, wpa_slice_of(t->name)) : NULL;
    return own && own->def->takes == 1U << WPA_SCHEMA_NULL;
}

/* V4: what stands behind an event that takes nothing, other than the names of filters. */
static void check_nothing(wpa_rule_run *run, const wpa_outline_trigger *t)
{
    const wpa_yaml_node *config = t->config;
    bool is_empty_one = !config || wpa_yaml_is_null(config) || config->is_incomplete ||
                        config->length + config->n_items + config->n_pairs == 0;
    if (is_empty_one || !is_bare(t)) {
        return;
    }
    if (config->kind != WPA_YAML_MAPPING) {
        wpa_rule_report(run, wpa_yaml_full(config), "V4", subject_new(run, NULL, NULL),
                        "%s takes nothing, and here is %s", t->name, wpa_yaml_describe(config))
            ->severity = WPA_SEVERITY_MEDIUM;
    }
    for (size_t i = 0; i < config->n_pairs; i++) {
        const wpa_yaml_node *key = config->pairs[i].key;
        const char *name = wpa_yaml_text(key);
        bool is_told = !name || wpa_text_index(name, filters, WPA_COUNT(filters)) >= 0 ||
                       wpa_text_is(name, "types") || wpa_text_is(name, "workflows");
        if (!is_told) {
            wpa_rule_report(run, key->span, "V4", subject_new(run, NULL, NULL), "%s takes no %s",
                            t->name, quote(run, name))
                ->severity = WPA_SEVERITY_MEDIUM;
        }
    }
}

/* V3 */
static void check_parent(wpa_rule_run *run, const wpa_outline_trigger *t)
{
    const wpa_yaml_pair *pair = wpa_yaml_find(t->config, "workflows");
    bool is_run = wpa_text_is(t->name, "workflow_run");
    if (is_run && (!pair || is_empty(wpa_yaml_resolve(pair->value)))) {
        wpa_finding *finding = wpa_rule_report(
            run, pair ? pair->key->span : t->node->span, "V3", subject_new(run, NULL, NULL),
            "workflow_run names no workflows: nothing starts it");
        if (pair) {
            wpa_rule_relate(run, finding, t->node->span, "the event");
        }
    } else if (!is_run && pair) {
        wpa_finding *finding =
            wpa_rule_report(run, pair->key->span, "V3", subject_new(run, NULL, NULL),
                            "%s takes no workflows", t->name);
        wpa_rule_relate(run, finding, t->node->span, "the event");
    }
}

/* V6, V7 */
static void check_cron(wpa_rule_run *run, const wpa_yaml_node *node)
{
    const char *text = wpa_yaml_text(node);
    wpa_cron cron;
    if (!text || !*text || (*text == '@' && !wpa_rule_forge_lacks(run, "cron", "@"))) {
        return;
    }
    if (!wpa_cron_parse(text, &cron)) {
        size_t end = cron.fault_at + strcspn(text + cron.fault_at, " ");
        wpa_span span =
            end > cron.fault_at ? wpa_yaml_source_span(node, cron.fault_at, end) : node->span;
        (void)wpa_rule_report(run, span, "V6", subject_new(run, NULL, NULL),
                              "cron %s is not valid: %s", quote(run, text), cron.fault);
    } else if (!wpa_cron_is_possible(&cron)) {
        (void)wpa_rule_report(run, node->span, "V6", subject_new(run, NULL, NULL),
                              "cron %s names a day that never comes", quote(run, text));
    } else if (wpa_cron_interval(&cron) < LEAST_MINUTES) {
        wpa_finding *finding = wpa_rule_report(
            run, node->span, "V7", subject_new(run, NULL, NULL),
            "cron %s has two runs %d minutes apart; GitHub starts at most one in %d",
            quote(run, text), wpa_cron_interval(&cron), LEAST_MINUTES);
        finding->severity = WPA_SEVERITY_MEDIUM;
    }
}

/* V8 */
static void check_zone(wpa_rule_run *run, const wpa_yaml_node *node)
{
    const char *zone = wpa_yaml_text(node);
    wpa_fact_list names = wpa_facts_timezone_names();
    if (!zone || !*zone || wpa_outline_has_expression(zone) ||
        wpa_fact_list_has(names, wpa_slice_of(zone))) {
        return;
    }
    const char *meant = wpa_rule_find_meant(zone, names);
    (void)wpa_rule_report(run, node->span, "V8", subject_new(run, meant ? node : NULL, meant),
                          "%s is no IANA time zone%s%s%s", quote(run, zone),
                          meant ? " (did you mean '" : " such as Europe/Berlin", meant ? meant : "",
                          meant ? "'?)" : "");
}

static void check_schedule(wpa_rule_run *run, const wpa_outline_trigger *t)
{
    for (size_t i = 0; wpa_yaml_is(t->config, WPA_YAML_SEQUENCE) && i < t->config->n_items; i++) {
        check_cron(run, wpa_yaml_get(t->config->items[i], "cron"));
        check_zone(run, wpa_yaml_get(t->config->items[i], "timezone"));
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    for (size_t i = 0; i < o->n_triggers; i++) {
        const wpa_outline_trigger *t = &o->triggers[i];
        if (!t->event) {
            check_name(run, t);
        } else if (wpa_text_is(t->name, "schedule")) {
            check_schedule(run, t);
        } else {
            check_legacy(run, t);
            check_types(run, t);
            check_filters(run, t);
            check_nothing(run, t);
            check_parent(run, t);
        }
    }
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const subject *s = finding->subject;
    if (s->node) {
        wpa_rule_rewrite(run, finding, s->node, s->text)->needs =
            wpa_rule_needs(run, WPA_FACTS_EVENTS);
    }
}

const wpa_rule wpa_rule_events = {
    .code = "CMP-013",
    .id = "events",
    .dimension = WPA_DIMENSION_COMPATIBILITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_HIGH,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "An event, type, filter or schedule that GitHub refuses or that never fires",
    .why = "The workflow is invalid, or waits for something that never happens.",
    .fix = "Write the event as GitHub knows it; the nearest name is given.",
    .checks = (const char *const[]){"V1", "V2", "V3", "V4", "V5", "V6", "V7", "V8", "V9", "V10",
                                    "V11", "V12", NULL},
    .elsewhere = (const char *const[]){"actionlint/events", NULL},
    .tables = 1U << WPA_FACTS_EVENTS,
    .declares = WPA_DECLARES_TRIGGERS,
    .reads_dead_code = true,
    .check = check,
    .repair = repair,
};
