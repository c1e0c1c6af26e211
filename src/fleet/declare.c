#include "fleet/declare.h"

#include <string.h>

#include "fleet/fields.h"
#include "probe/check.h"

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define CHECKS_MAX 64

#define CHOICES(names) .choices = (names), .n_choices = WPA_COUNT(names)
#define FIELDS(rows)                                                                               \
    {                                                                                              \
        .items = (rows), .n = WPA_COUNT(rows)                                                      \
    }

static const char *const strategies[] = {"waves-percent", "waves-count", "canary", "all-at-once"};
static const char *const on_failures[] = {"rollback", "hold"};
static const char *const on_inconclusives[] = {"hold"};
static const char *const thens[] = {"rollback"};
static const char *const gates[] = {"auto", "guardian"};
static const char *const kinds[] = {"http", "command", "rescore"};
static const char *const phases[] = {"baseline", "apply", "bake", "after"};
static const char *const no_datas[] = {"inconclusive", "success", "failure"};
static const char *const methods[] = {"GET", "HEAD", "POST"};
static const char *const compares[] = {"none", "baseline"};
static const char *const dimensions[] = {"total",      "security",      "performance",
                                         "efficiency", "compatibility", "quality"};

/* How far and how fast a patch goes out. */
static const wpa_field rollout_rows[] = {
    {.key = "strategy", .type = WPA_FIELD_CHOICE, CHOICES(strategies)},
    {.key = "percents", .type = WPA_FIELD_INTS, .min = 1, .max = 100},
    {.key = "counts", .type = WPA_FIELD_INTS, .min = 1, .max = 1000000},
    {.key = "canary", .type = WPA_FIELD_TEXTS},
    {.key = "canary_labels", .type = WPA_FIELD_TEXTS},
    {.key = "bake", .type = WPA_FIELD_DURATION, .max = 30 * DAY},
    {.key = "canary_bake", .type = WPA_FIELD_DURATION, .max = 30 * DAY},
    {.key = "max_parallel", .type = WPA_FIELD_INT, .min = 1, .max = 100},
    {.key = "max_failures", .type = WPA_FIELD_INT, .max = 1000000},
    {.key = "max_conflicts", .type = WPA_FIELD_INT, .max = 1000000},
    {.key = "deadline", .type = WPA_FIELD_DURATION, .min = SECOND, .max = 7 * DAY},
    {.key = "checks", .type = WPA_FIELD_TEXTS},
    {.key = "on_failure", .type = WPA_FIELD_CHOICE, CHOICES(on_failures)},
    {.key = "on_inconclusive", .type = WPA_FIELD_CHOICE, CHOICES(on_inconclusives)},
    {.key = "inconclusive_deadline", .type = WPA_FIELD_DURATION, .min = SECOND, .max = 30 * DAY},
    {.key = "then", .type = WPA_FIELD_CHOICE, CHOICES(thens)},
    {.key = "gate", .type = WPA_FIELD_CHOICE, CHOICES(gates)},
    {.key = "rollback_verify", .type = WPA_FIELD_DURATION, .max = DAY},
};
static const wpa_fields rollout_fields = FIELDS(rollout_rows);

/* Fields of all checks, then those of one kind; defaults are the probe's own. */
static const wpa_field check_rows[] = {
    {.key = "name", .type = WPA_FIELD_TEXT, .is_required = true},
    {.key = "kind", .type = WPA_FIELD_CHOICE, .is_required = true, CHOICES(kinds)},
    {.key = "when", .type = WPA_FIELD_CHOICE, CHOICES(phases)},
    {.key = "interval", .type = WPA_FIELD_DURATION, .min = 100, .max = DAY},
    {.key = "count", .type = WPA_FIELD_INT, .max = 100000},
    {.key = "initial_delay", .type = WPA_FIELD_DURATION, .max = DAY},
    {.key = "timeout", .type = WPA_FIELD_DURATION, .min = 50, .max = HOUR},
    {.key = "success", .type = WPA_FIELD_TEXT},
    {.key = "failure", .type = WPA_FIELD_TEXT},
    {.key = "no_data", .type = WPA_FIELD_CHOICE, CHOICES(no_datas)},
    {.key = "min_samples", .type = WPA_FIELD_INT, .max = 1000000},
    {.key = "failure_limit", .type = WPA_FIELD_INT, .max = 100000},
    {.key = "failure_streak", .type = WPA_FIELD_INT, .max = 100000},
    {.key = "success_streak", .type = WPA_FIELD_INT, .max = 100000},
    {.key = "inconclusive_limit", .type = WPA_FIELD_INT, .max = 100000},
    {.key = "error_limit", .type = WPA_FIELD_INT, .max = 100000},
    {.key = "critical", .type = WPA_FIELD_BOOL},
    {.key = "dry_run", .type = WPA_FIELD_BOOL},
    {.key = "compare", .type = WPA_FIELD_CHOICE, CHOICES(compares)},
    {.key = "url", .type = WPA_FIELD_TEXT, .kind = "http", .is_required = true},
    {.key = "method", .type = WPA_FIELD_CHOICE, .kind = "http", CHOICES(methods)},
    {.key = "headers", .type = WPA_FIELD_MAP, .kind = "http"},
    {.key = "body", .type = WPA_FIELD_TEXT, .kind = "http"},
    {.key = "expect", .type = WPA_FIELD_INTS, .min = 100, .max = 599, .kind = "http"},
    {.key = "body_match", .type = WPA_FIELD_TEXT, .kind = "http"},
    {.key = "max_latency", .type = WPA_FIELD_DURATION, .min = 1, .max = HOUR, .kind = "http"},
    {.key = "argv", .type = WPA_FIELD_TEXTS, .kind = "command", .is_required = true},
    {.key = "env", .type = WPA_FIELD_MAP, .kind = "command"},
    {.key = "network", .type = WPA_FIELD_BOOL, .kind = "command"},
    {.key = "dimension", .type = WPA_FIELD_CHOICE, .kind = "rescore", CHOICES(dimensions)},
};
static const wpa_fields check_fields = {
    .items = check_rows, .n = WPA_COUNT(check_rows), .has_plain_durations = true};

static const wpa_field test_rows[] = {
    {.key = "command", .type = WPA_FIELD_TEXTS, .is_required = true},
    {.key = "timeout", .type = WPA_FIELD_DURATION, .min = SECOND, .max = 10 * MINUTE},
    {.key = "network", .type = WPA_FIELD_BOOL},
    {.key = "env", .type = WPA_FIELD_MAP},
};
static const char *const test_beside[] = {"reports"};
static const wpa_fields test_fields = {.items = test_rows,
                                       .n = WPA_COUNT(test_rows),
                                       .beside = test_beside,
                                       .n_beside = WPA_COUNT(test_beside)};

static const wpa_field report_rows[] = {
    {.key = "junit", .type = WPA_FIELD_TEXT},
    {.key = "tap", .type = WPA_FIELD_TEXT},
    {.key = "lcov", .type = WPA_FIELD_TEXT},
    {.key = "cobertura", .type = WPA_FIELD_TEXT},
};
static const wpa_fields report_fields = FIELDS(report_rows);

static const char *const integration_kinds[] = {
    "openapi", "alembic", "reusable_workflow", "composite_action", "service", "database", "event"};
static const wpa_field integration_rows[] = {
    {.key = "name", .type = WPA_FIELD_TEXT, .is_required = true},
    {.key = "kind", .type = WPA_FIELD_CHOICE, .is_required = true, CHOICES(integration_kinds)},
    {.key = "path", .type = WPA_FIELD_TEXT},
    {.key = "url", .type = WPA_FIELD_TEXT},
    {.key = "used_by", .type = WPA_FIELD_TEXTS},
};
static const wpa_fields integration_fields = FIELDS(integration_rows);

/* ---- defaults ---- */

wpa_json *wpa_declare_default_rollout(wpa_arena *arena)
{
    wpa_json *rollout = wpa_json_new_object(arena);
    wpa_json_set_text(rollout, "strategy", "waves-percent");
    wpa_json *percents = wpa_json_set_array(rollout, "percents");
    static const int64_t waves[] = {1, 5, 25, 50, 100};
    for (size_t i = 0; i < WPA_COUNT(waves); i++) {
        wpa_json_push_int(percents, waves[i]);
    }
    wpa_json_set_int(rollout, "bake_ms", 30 * MINUTE);
    wpa_json_set_int(rollout, "canary_bake_ms", DAY);
    wpa_json_set_int(rollout, "rollback_verify_ms", 30 * MINUTE);
    wpa_json_set_int(rollout, "max_parallel", 5);
    wpa_json_set_int(rollout, "max_failures", 0);
    wpa_json_set_int(rollout, "max_conflicts", 0);
    wpa_json_set_int(rollout, "deadline_ms", HOUR);
    wpa_json_set_text(rollout, "on_failure", "rollback");
    wpa_json_set_text(rollout, "on_inconclusive", "hold");
    wpa_json_set_int(rollout, "inconclusive_deadline_ms", DAY);
    wpa_json_set_text(rollout, "then", "rollback");
    wpa_json_set_text(rollout, "gate", "auto");
    return rollout;
}

wpa_json *wpa_declare_default_checks(wpa_arena *arena)
{
    wpa_json *checks = wpa_json_new_array(arena);
    wpa_json *check = wpa_json_new_object(arena);
    wpa_json_set_text(check, "name", "rescore");
    wpa_json_set_text(check, "kind", "rescore");
    wpa_json_push(checks, check);
    return checks;
}

/* ---- reading -------------------------------------------------------------------------------- */

static bool percents_grow(const wpa_json *rollout, const wpa_yaml_node *mapping, wpa_error *err)
{
    const wpa_json *percents = wpa_json_find(rollout, "percents");
    int64_t last = 0;
    for (size_t i = 0; i < wpa_json_count(percents); i++) {
        const int64_t percent = wpa_json_int_of(wpa_json_at(percents, i), 0);
        if (percent <= last) {
            return wpa_yaml_fail(wpa_yaml_get(mapping, "percents"), err,
                                 "each wave must be larger than the one before it");
        }
        last = percent;
    }
    return last == 100 ||
           wpa_yaml_fail(wpa_yaml_get(mapping, "percents"), err, "the last wave must be 100");
}

wpa_json *wpa_declare_rollout(const wpa_yaml_node *mapping, const wpa_json *base, wpa_arena *arena,
                              wpa_error *err)
{
    if (!wpa_yaml_expect(mapping, WPA_YAML_MAPPING, err)) {
        return NULL;
    }
    wpa_json *rollout = wpa_fields_read(&rollout_fields, mapping, NULL, base, arena, err);
    if (rollout == NULL ||
        (wpa_yaml_get(mapping, "percents") != NULL && !percents_grow(rollout, mapping, err))) {
        return NULL;
    }
    return rollout;
}

static wpa_json *read_check(const wpa_yaml_node *mapping, wpa_arena *arena, wpa_error *err)
{
    int kind = -1;
    if (!wpa_yaml_expect(mapping, WPA_YAML_MAPPING, err) ||
        wpa_yaml_need(mapping, "kind", err) == NULL ||
        !wpa_yaml_get_choice(mapping, "kind", kinds, WPA_COUNT(kinds), &kind, err)) {
        return NULL;
    }
    wpa_error why = {0};
    wpa_json *check = wpa_fields_read(&check_fields, mapping, kinds[kind], NULL, arena, err);
    if (check == NULL) {
        return NULL;
    }
    /* What no table can say (conditions, times that must fit together) is said by its reader. */
    if (wpa_probe_check_parse(check, arena, &why) == NULL) {
        char text[sizeof why.message + sizeof why.context];
        wpa_yaml_fail(mapping, err, "%s", wpa_error_text(&why, text, sizeof text));
        return NULL;
    }
    return check;
}

static const wpa_json *check_by_name(const wpa_json *checks, const char *name)
{
    for (size_t i = 0; i < wpa_json_count(checks); i++) {
        const wpa_json *check = wpa_json_at(checks, i);
        if (wpa_text_is(wpa_json_text_of(wpa_json_find(check, "name")), name)) {
            return check;
        }
    }
    return NULL;
}

/* The checks of base that the new ones do not replace, then the new ones. */
static wpa_json *join_checks(const wpa_json *base, const wpa_json *own, wpa_arena *arena)
{
    wpa_json *joined = wpa_json_new_array(arena);
    for (size_t i = 0; i < wpa_json_count(base); i++) {
        const wpa_json *check = wpa_json_at(base, i);
        if (check_by_name(own, wpa_json_text_of(wpa_json_find(check, "name"))) == NULL) {
            wpa_json_push(joined, wpa_json_dup(check, arena));
        }
    }
    for (size_t i = 0; i < wpa_json_count(own); i++) {
        wpa_json_push(joined, wpa_json_dup(wpa_json_at(own, i), arena));
    }
    return joined;
}

wpa_json *wpa_declare_checks(const wpa_yaml_node *list, const wpa_json *base, wpa_arena *arena,
                             wpa_error *err)
{
    if (!wpa_yaml_expect(list, WPA_YAML_SEQUENCE, err)) {
        return NULL;
    }
    if (list->n_items > CHECKS_MAX) {
        wpa_yaml_fail(list, err, "at most %d health checks", CHECKS_MAX);
        return NULL;
    }
    wpa_json *own = wpa_json_new_array(arena);
    for (size_t i = 0; i < list->n_items; i++) {
        wpa_json *check = read_check(list->items[i], arena, err);
        if (check == NULL) {
            return NULL;
        }
        const char *name = wpa_json_text_of(wpa_json_find(check, "name"));
        if (name == NULL || *name == '\0' || check_by_name(own, name) != NULL) {
            wpa_yaml_fail(list->items[i], err, "a check needs a name of its own");
            return NULL;
        }
        wpa_json_push(own, check);
    }
    return join_checks(base, own, arena);
}

wpa_json *wpa_declare_test(const wpa_yaml_node *mapping, wpa_arena *arena, wpa_error *err)
{
    if (!wpa_yaml_expect(mapping, WPA_YAML_MAPPING, err)) {
        return NULL;
    }
    wpa_json *base = wpa_json_new_object(arena);
    wpa_json_set_int(base, "timeout_ms", MINUTE);
    wpa_json_set_bool(base, "network", false);
    wpa_json *test = wpa_fields_read(&test_fields, mapping, NULL, base, arena, err);
    const wpa_yaml_node *reports = NULL;
    if (test == NULL || !wpa_yaml_get_mapping(mapping, "reports", &reports, err)) {
        return NULL;
    }
    if (wpa_json_count(wpa_json_find(test, "command")) == 0) {
        wpa_yaml_fail(wpa_yaml_get(mapping, "command"), err,
                      "expected a program and its arguments");
        return NULL;
    }
    if (reports != NULL) {
        wpa_json *read = wpa_fields_read(&report_fields, reports, NULL, NULL, arena, err);
        if (read == NULL) {
            return NULL;
        }
        wpa_json_set(test, "reports", read);
    }
    return test;
}

wpa_json *wpa_declare_integration(const wpa_yaml_node *list, wpa_arena *arena, wpa_error *err)
{
    if (!wpa_yaml_expect(list, WPA_YAML_SEQUENCE, err)) {
        return NULL;
    }
    wpa_json *points = wpa_json_new_array(arena);
    for (size_t i = 0; i < list->n_items; i++) {
        if (!wpa_yaml_expect(list->items[i], WPA_YAML_MAPPING, err)) {
            return NULL;
        }
        wpa_json *point =
            wpa_fields_read(&integration_fields, list->items[i], NULL, NULL, arena, err);
        if (point == NULL) {
            return NULL;
        }
        wpa_json_push(points, point);
    }
    return points;
}

bool wpa_declare_check_names(const wpa_json *rollout, const wpa_json *checks,
                             const wpa_yaml_node *at, wpa_error *err)
{
    const wpa_json *names = wpa_json_find(rollout, "checks");
    for (size_t i = 0; i < wpa_json_count(names); i++) {
        const char *name = wpa_json_text_of(wpa_json_at(names, i));
        if (check_by_name(checks, name) == NULL) {
            return wpa_yaml_fail(at, err, "the rollout names the check '%s', which is not declared",
                                 name);
        }
    }
    return true;
}
