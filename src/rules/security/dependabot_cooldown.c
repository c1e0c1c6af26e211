/* SEC-051: releases are taken on the day they come out. */
#include <string.h>

#include "rules/outline.h"
#include "rules/rule.h"

static const wpa_rule_option options[] = {
    {"days", "7", "how long a release must have been out", WPA_OPTION_NUMBER},
    {0},
};

static int64_t days_wanted(const wpa_rule_run *run)
{
    return wpa_rule_option_int(run, "days", 1, 90, 7);
}

typedef struct subject {
    const wpa_yaml_node *update;
    const wpa_yaml_node *days; /* or NULL */
} subject;

/* Waits of their own for each level of a version go before the default. */
static const char *const levels[] = {"semver-major-days", "semver-minor-days", "semver-patch-days"};

typedef enum wait {
    WAIT_UNKNOWN,
    WAIT_NONE,
    WAIT_SHORT,
    WAIT_LONG
} wait;

static wait wait_of(const wpa_rule_run *run, const wpa_yaml_node *days)
{
    int64_t value;
    const char *text = wpa_yaml_text(days);
    return !days                                                ? WAIT_NONE
           : !text || !wpa_text_to_int(text, 0, 100000, &value) ? WAIT_UNKNOWN
           : value < days_wanted(run)                           ? WAIT_SHORT
                                                                : WAIT_LONG;
}

static bool is_long_at_each_level(const wpa_rule_run *run, const wpa_yaml_node *cooldown)
{
    for (size_t i = 0; i < WPA_COUNT(levels); i++) {
        if (wait_of(run, wpa_yaml_get(cooldown, levels[i])) != WAIT_LONG) {
            return false;
        }
    }
    return true;
}

static void report(wpa_rule_run *run, wpa_span span, const wpa_yaml_node *update,
                   const wpa_yaml_node *days)
{
    const wpa_yaml_node *ecosystem = wpa_yaml_get(update, "package-ecosystem");
    const char *name = wpa_yaml_text(ecosystem);
    subject *s = wpa_arena_alloc(run->arena, sizeof *s);
    *s = (subject){update, days};
    const char *quoted = wpa_rule_quote(run, name ? name : "", name ? strlen(name) : 0);
    const char *text = wpa_yaml_text(days);
    if (text) {
        (void)wpa_rule_report(
            run, span, NULL, s,
            "updates of %s are taken after %s, and what is wrong with a release is "
            "often found later: wait %d days",
            quoted,
            wpa_arena_printf(run->arena, "%.8s day%s", text, wpa_text_is(text, "1") ? "" : "s"),
            (int)days_wanted(run));
        return;
    }
    (void)wpa_rule_report(
        run, span, NULL, s,
        "updates of %s are taken on the day they come out, before anyone can have "
        "found what is wrong with a release",
        quoted);
}

static void check_update(wpa_rule_run *run, const wpa_yaml_node *update)
{
    const char *limit = wpa_yaml_text(wpa_yaml_get(update, "open-pull-requests-limit"));
    const wpa_yaml_pair *ecosystem = wpa_yaml_find(update, "package-ecosystem");
    const wpa_yaml_pair *cooldown = wpa_yaml_find(update, "cooldown");
    const wpa_yaml_node *waits = cooldown ? wpa_yaml_resolve(cooldown->value) : NULL;
    if (!ecosystem || wpa_yaml_is_null(ecosystem->value) || wpa_text_is(limit, "0") ||
        (cooldown && !wpa_yaml_is(waits, WPA_YAML_MAPPING))) {
        return;
    }
    const wpa_yaml_node *days = wpa_yaml_get(waits, "default-days");
    wait first = wait_of(run, days);
    if (first == WAIT_SHORT || (first == WAIT_NONE && !is_long_at_each_level(run, waits))) {
        report(run,
               days       ? days->span
               : cooldown ? cooldown->key->span
                          : ecosystem->value->span,
               update, days);
    }
    for (size_t i = 0; i < WPA_COUNT(levels); i++) {
        const wpa_yaml_node *own = wpa_yaml_get(waits, levels[i]);
        if (wait_of(run, own) == WAIT_SHORT) {
            report(run, own->span, update, own);
        }
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_yaml_node *updates = wpa_yaml_get(run->source->outline->root, "updates");
    for (size_t i = 0; wpa_yaml_is(updates, WPA_YAML_SEQUENCE) && i < updates->n_items; i++) {
        const wpa_yaml_node *update = wpa_yaml_resolve(updates->items[i]);
        if (wpa_yaml_is(update, WPA_YAML_MAPPING)) {
            check_update(run, update);
        }
    }
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const subject *s = finding->subject;
    int days = (int)days_wanted(run);
    wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_SAFE, "wait %d days", days);
    if (s->days) {
        wpa_rule_edit(run, fix, wpa_yaml_source_span(s->days, 0, s->days->length), "%d", days);
    } else {
        const char *behind =
            wpa_yaml_find(s->update, "schedule") ? "schedule" : "package-ecosystem";
        (void)wpa_rule_add_in(run, fix, s->update, "cooldown", behind, "default-days",
                              wpa_arena_printf(run->arena, "%d", days));
    }
}

const wpa_rule wpa_rule_dependabot_cooldown = {
    .code = "SEC-051",
    .id = "dependabot-cooldown",
    .dimension = WPA_DIMENSION_SECURITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_DEPENDABOT,
    .summary = "Dependabot takes releases before they have been out for some days",
    .why = "Malicious releases are mostly found and withdrawn within days.",
    .fix = "Set cooldown.default-days; security updates are not held back by it.",
    .elsewhere = (const char *const[]){"zizmor/dependabot-cooldown", NULL},
    .options = options,
    .declares = WPA_DECLARES_SCRIPT,
    .check = check,
    .repair = repair,
};
