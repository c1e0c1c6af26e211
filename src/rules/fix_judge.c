/* Whether a file is better with fixes than it was without: what rules say of both. */
#include <string.h>

#include <wpa/text.h>

#include "rules/fix_internal.h"

const wpa_settings *wpa_fix_judge(const wpa_settings *settings, wpa_arena *arena)
{
    size_t n_rules;
    (void)wpa_rules_all(&n_rules);
    wpa_settings *judge = wpa_arena_dup(arena, settings, sizeof *settings);
    judge->rules = wpa_arena_dup(arena, settings->rules, (n_rules + 1) * sizeof *settings->rules);
    for (size_t i = 0; i <= n_rules; i++) {
        wpa_rule_setting *rule = &judge->rules[i];
        rule->toggle = WPA_TOGGLE_UNSET;
        rule->checks_off = NULL;
        rule->paths = (wpa_text_list){0};
    }
    judge->is_unlimited = true;
    judge->has_no_repairs = true;
    judge->persona = WPA_PERSONA_AUDITOR;
    judge->min_severity = WPA_SEVERITY_LOW;
    judge->min_confidence = WPA_CONFIDENCE_LOW;
    judge->ignores_off = false; /* ignored findings are counted as any other */
    memset(judge->dimension_off, 0, sizeof judge->dimension_off);
    memset(judge->kind_off, 0, sizeof judge->kind_off);
    return judge;
}

const char *wpa_fix_unfinished(const wpa_result *result)
{
    for (size_t i = 0; i < result->n_notes; i++) {
        if (result->notes[i].rule) {
            return result->notes[i].rule;
        }
    }
    return NULL;
}

/* How many findings there are of a kind, which is one check of one rule for the same readers. */
typedef struct kind_count {
    const char *check;
    wpa_persona persona;
    size_t n_before, n_after, n_fixed;
    struct kind_count *next;
} kind_count;

typedef struct tally {
    kind_count **of_rule; /* [number of rules + 1] in the order of the registry */
    wpa_arena *arena;
} tally;

static kind_count *count_of(const tally *t, const wpa_finding *finding)
{
    kind_count **at = &t->of_rule[wpa_rules_index(finding->rule)];
    while (*at &&
           !((*at)->persona == finding->own_persona && wpa_text_is((*at)->check, finding->check))) {
        at = &(*at)->next;
    }
    if (!*at) {
        *at = wpa_arena_alloc(t->arena, sizeof **at);
        (*at)->check = finding->check;
        (*at)->persona = finding->own_persona;
    }
    return *at;
}

static tally count_kinds(const wpa_fix_candidates *list, const wpa_result *before,
                         const wpa_result *after, wpa_arena *arena)
{
    size_t n_rules;
    (void)wpa_rules_all(&n_rules);
    tally t = {wpa_arena_array(arena, n_rules + 1, sizeof(kind_count *)), arena};
    for (size_t i = 0; i < before->n_findings; i++) {
        count_of(&t, before->findings[i])->n_before++;
    }
    for (size_t i = 0; i < after->n_findings; i++) {
        count_of(&t, after->findings[i])->n_after++;
    }
    for (size_t i = 0; i < list->n; i++) {
        count_of(&t, list->items[i].finding)->n_fixed++;
    }
    return t;
}

/* Up to where a fix may bring something new: by the configuration, and by the rules themselves. */
typedef struct bar {
    wpa_severity severity, own;
} bar;

/** Of the worst of them, or of the least. */
static bar bar_of(const wpa_fix_candidates *list, bool is_strict)
{
    bar of = {list->items[0].finding->severity, list->items[0].finding->own_severity};
    for (size_t i = 1; i < list->n; i++) {
        const wpa_finding *finding = list->items[i].finding;
        of.severity =
            (finding->severity < of.severity) == is_strict ? finding->severity : of.severity;
        of.own = (finding->own_severity < of.own) == is_strict ? finding->own_severity : of.own;
    }
    return of;
}

/** Would this one be harm if it were new? */
static bool is_harm(const wpa_finding *finding, bar from)
{
    /* To be looked at, no harm. */
    bool is_inventory =
        finding->persona == WPA_PERSONA_AUDITOR && finding->own_persona == WPA_PERSONA_AUDITOR;
    /* "As that one is": now they are, where one was mended before the other. */
    bool is_likeness = finding->rule->compares ||
                       (finding->rule->kind == WPA_KIND_OPPORTUNITY && !finding->rule->repair);
    return (finding->severity >= from.severity || finding->own_severity >= from.own) &&
           !is_inventory && !is_likeness;
}

/* What a fix leaves behind of its own rule for those who ask for more: "and now nothing reads the
 * step's output either". */
static bool is_echo(const wpa_fix_candidates *list, const wpa_finding *finding)
{
    for (size_t i = 0; i < list->n; i++) {
        const wpa_finding *fixed = list->items[i].finding;
        if (fixed->rule == finding->rule && finding->own_persona > fixed->own_persona) {
            return true;
        }
    }
    return false;
}

const char *wpa_fix_fault(const wpa_fix_candidates *list, bool is_strict, const wpa_result *before,
                          const wpa_result *after, wpa_arena *arena)
{
    const char *unfinished = wpa_fix_unfinished(after);
    if (unfinished) { /* what it would have found is not known */
        return wpa_arena_printf(arena, "%s would not come to its end", unfinished);
    }
    tally t = count_kinds(list, before, after, arena);
    bar from = bar_of(list, is_strict);
    for (size_t i = 0; i < list->n; i++) {
        const kind_count *n = count_of(&t, list->items[i].finding);
        if (n->n_after + n->n_fixed > n->n_before) {
            return "the finding would still be there";
        }
    }
    for (size_t i = 0; i < after->n_findings; i++) {
        const wpa_finding *finding = after->findings[i];
        const kind_count *n = count_of(&t, finding);
        if (n->n_after > n->n_before && is_harm(finding, from) && !is_echo(list, finding)) {
            return wpa_arena_printf(arena, "it would bring a new finding of %s", finding->rule->id);
        }
    }
    return NULL;
}
