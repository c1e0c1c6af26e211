/* EFF-012: a schedule at the minute when everybody's schedules fire. */
#include <string.h>

#include "auth/hash.h"
#include "rules/cron.h"
#include "rules/graph.h"
#include "rules/outline.h"
#include "rules/rule.h"

static const wpa_rule_option options[] = {
    {"per-minute", "5", "other workflows at the same time that are fine", WPA_OPTION_NUMBER},
    {0},
};

/* Only at minute 0 or 30. */
static bool is_crowded(const wpa_cron *cron)
{
    uint64_t crowded = (uint64_t)1 | (uint64_t)1 << 30;
    return cron->minutes && !(cron->minutes & ~crowded) && __builtin_popcountll(cron->minutes) == 1;
}

/* Other schedules of the repository with this very cron. */
static size_t count_same(const wpa_rule_run *run, const char *text)
{
    const wpa_graph *graph = run->source->around ? run->source->around->graph : NULL;
    const char *self = wpa_source_identity(run->source);
    size_t n = 0;
    for (size_t i = 0; graph && i < wpa_graph_count(graph); i++) {
        const wpa_graph_file *file = wpa_graph_at(graph, i);
        const wpa_graph_trigger *t = wpa_graph_trigger_find(file, "schedule");
        for (size_t k = 0; t && t->crons && t->crons[k] && !wpa_text_is(file->path, self); k++) {
            n += wpa_text_is(t->crons[k], text);
        }
    }
    return n;
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
        int64_t most = wpa_rule_option_int(run, "per-minute", 1, 1000, 5);
        size_t n_same = text ? count_same(run, text) : 0;
        if ((int64_t)n_same >= most && wpa_cron_parse(text, &cron) && !is_crowded(&cron)) {
            (void)wpa_rule_report(run, node->span, NULL, node,
                                  "cron %s is that of %zu other workflows of this repository: they "
                                  "wait for each other's runners",
                                  wpa_rule_quote(run, text, strlen(text)), n_same);
        } else if (text && wpa_cron_parse(text, &cron) && is_crowded(&cron)) {
            bool is_half = !(cron.minutes & 1);
            wpa_finding *finding =
                wpa_rule_report(run, node->span, NULL, node,
                                "cron %s fires at minute %d, when so many do that runs start "
                                "late or are dropped",
                                wpa_rule_quote(run, text, strlen(text)), is_half ? 30 : 0);
            if (is_half) { /* the forge itself names the start of the hour alone */
                finding->persona = WPA_PERSONA_PEDANTIC;
            }
        }
    }
    return true;
}

/* A minute of this file's own: the same each time, away from the full and half hour. */
static int minute_of(const wpa_rule_run *run)
{
    const wpa_surroundings *around = run->source->around;
    const char *repository = around && around->repository ? around->repository : "";
    const char *key =
        wpa_arena_printf(run->arena, "%s/%s", repository, wpa_source_identity(run->source));
    uint8_t hash[32];
    wpa_sha256(key, strlen(key), hash);
    int minute = 7 + (hash[0] << 8 | hash[1]) % 46; /* 7 to 52 */
    return minute >= 28 && minute <= 32 ? minute + 6 : minute;
}

static bool names_time(const char *text, size_t length)
{
    static const char *const words[] = {"midnight", "noon"};
    for (size_t i = 0; i < length; i++) {
        if (text[i] >= '0' && text[i] <= '9') {
            return true;
        }
    }
    return wpa_text_find_ci(text, length, words[0]) || wpa_text_find_ci(text, length, words[1]);
}

/* By a comment on the line or above it, which another minute would make wrong. */
static bool is_told(const wpa_yaml_node *node)
{
    const wpa_yaml_doc *doc = node->doc;
    size_t line = wpa_yaml_line_of(doc, node->span.start);
    size_t i = wpa_yaml_comment_from(doc, line > 1 ? line - 1 : 1);
    for (; i < doc->n_comments && doc->comments[i].line <= line; i++) {
        const wpa_yaml_comment *comment = &doc->comments[i];
        bool is_its_own = comment->line == line || comment->is_own_line;
        if (is_its_own &&
            names_time(doc->source + comment->span.start, wpa_span_length(comment->span))) {
            return true;
        }
    }
    return false;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const wpa_yaml_node *node = finding->subject;
    if (is_told(node)) {
        return;
    }
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
    .words = (const char *const[]){"schedule", NULL},
    .summary = "A schedule fires on the full or half hour",
    .why = "GitHub starts such runs late when many are due, and drops some.",
    .fix = "Take another minute; the hour can stay.",
    .options = options,
    .declares = WPA_DECLARES_TRIGGERS,
    .check = check,
    .repair = repair,
};
