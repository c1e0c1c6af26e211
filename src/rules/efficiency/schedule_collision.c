/* EFF-012: a schedule at the minute when everybody's schedules fire. */
#include <string.h>

#include "auth/hash.h"
#include "rules/cron.h"
#include "rules/outline.h"
#include "rules/rule.h"

/* Only at minute 0 or 30. */
static bool is_crowded(const wpa_cron *cron)
{
    uint64_t crowded = (uint64_t)1 | (uint64_t)1 << 30;
    return cron->minutes && !(cron->minutes & ~crowded) && __builtin_popcountll(cron->minutes) == 1;
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline_trigger *t = wpa_outline_trigger_find(run->source->outline, "schedule");
    const wpa_yaml_node *list = wpa_yaml_resolve(t ? t->config : NULL);
    for (size_t i = 0; list && list->kind == WPA_YAML_SEQUENCE && i < list->n_items; i++) {
        const wpa_yaml_node *node = wpa_yaml_get(list->items[i], "cron");
        const char *text = wpa_yaml_text(node);
        wpa_cron cron;
        if (text && wpa_cron_parse(text, &cron) && is_crowded(&cron)) {
            (void)wpa_rule_report(run, node->span, NULL, node,
                                  "cron %s fires at minute %d, when so many do that runs start "
                                  "late or are dropped",
                                  wpa_rule_quote(run, text, strlen(text)),
                                  cron.minutes & 1 ? 0 : 30);
        }
    }
    return true;
}

/* A minute of this file's own: the same each time, away from the full and half hour. */
static int minute_of(const wpa_rule_run *run)
{
    const wpa_surroundings *around = run->source->around;
    const char *repository = around && around->repository ? around->repository : "";
    const char *key = wpa_arena_printf(run->arena, "%s/%s", repository, run->source->path);
    uint8_t hash[32];
    wpa_sha256(key, strlen(key), hash);
    int minute = 7 + (hash[0] << 8 | hash[1]) % 46; /* 7 to 52 */
    return minute >= 28 && minute <= 32 ? minute + 6 : minute;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const wpa_yaml_node *node = finding->subject;
    const char *text = wpa_yaml_text(node);
    size_t start = strspn(text, " "), length = strcspn(text + start, " ");
    int minute = minute_of(run);
    wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "fire at minute %d", minute);
    wpa_rule_edit(run, fix, wpa_yaml_source_span(node, start, start + length), "%d", minute);
}

const wpa_rule wpa_rule_schedule_collision = {
    .code = "EFF-012",
    .id = "schedule-collision",
    .dimension = WPA_DIMENSION_EFFICIENCY,
    .kind = WPA_KIND_INEFFICIENCY,
    .severity = WPA_SEVERITY_LOW,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "A schedule fires on the full or half hour",
    .why = "GitHub starts such runs late when many are due, and drops some.",
    .fix = "Take another minute; the hour can stay.",
    .declares = WPA_DECLARES_TRIGGERS,
    .check = check,
    .repair = repair,
};
