/* What the fields of a filter take, list by list: as the database's views have them. */
#include <ctype.h>
#include <string.h>

#include <wpa/filter.h>
#include <wpa/text.h>

#define FIELDS_MAX 12

static const char *const fields[WPA_LIST_COUNT][FIELDS_MAX] = {
    [WPA_LIST_WORKFLOWS] = {"wf", "repo", "path", "state", "age", "score", "text"},
    [WPA_LIST_FINDINGS] = {"sev", "rule", "cat", "wf", "repo", "path", "state", "age", "has",
                           "text"},
    [WPA_LIST_PATCHES] = {"sev", "rule", "wf", "repo", "state", "age", "by", "requester", "text"},
    [WPA_LIST_DEPLOYMENTS] = {"rule", "repo", "state", "age", "by", "text"},
    [WPA_LIST_AUDIT] = {"state", "age", "by", "text"},
    [WPA_LIST_NOTICES] = {"state", "age", "by", "text"},
    [WPA_LIST_JOBS] = {"state", "age", "text"},
    [WPA_LIST_RUNS] = {"wf", "repo", "state", "age", "text"},
    [WPA_LIST_DESTINATIONS] = {"state", "text"},
};

static const char *const severities[] = {"critical", "high", "medium", "low", "opportunity"};
static const char *const categories[] = {"security", "performance", "efficiency", "compatibility",
                                         "quality"};
static const char *const had[] = {"fix", "patch"};
static const char *const workflow_states[] = {"present", "gone"};
static const char *const finding_states[] = {"open",     "ignored",   "baseline",
                                             "in_patch", "verifying", "fixed"};
static const char *const run_states[] = {"success",   "failure",         "cancelled", "skipped",
                                         "timed_out", "action_required", "none"};
static const char *const destination_states[] = {"on", "failing", "off"};

#define ANY_LIST WPA_LIST_COUNT
static const struct {
    const char *field;
    wpa_list list;
    const char *const *words;
    size_t n;
} word_sets[] = {
    {"sev", ANY_LIST, severities, WPA_COUNT(severities)},
    {"cat", ANY_LIST, categories, WPA_COUNT(categories)},
    {"has", ANY_LIST, had, WPA_COUNT(had)},
    {"state", WPA_LIST_WORKFLOWS, workflow_states, WPA_COUNT(workflow_states)},
    {"state", WPA_LIST_FINDINGS, finding_states, WPA_COUNT(finding_states)},
    {"state", WPA_LIST_PATCHES, wpa_patch_state_words, WPA_PATCH_STATE_COUNT},
    {"state", WPA_LIST_DEPLOYMENTS, wpa_deployment_state_words, WPA_DEPLOYMENT_STATE_COUNT},
    {"state", WPA_LIST_NOTICES, wpa_notice_level_words, WPA_NOTICE_LEVEL_COUNT},
    {"state", WPA_LIST_JOBS, wpa_job_state_words, WPA_JOB_STATE_COUNT},
    {"state", WPA_LIST_RUNS, run_states, WPA_COUNT(run_states)},
    {"state", WPA_LIST_DESTINATIONS, destination_states, WPA_COUNT(destination_states)},
};

const char *const *wpa_filter_fields(wpa_list list)
{
    return fields[list];
}

bool wpa_filter_has_field(wpa_list list, const char *field)
{
    bool has = wpa_text_is(field, "text") || wpa_text_is(field, "regex");
    for (int i = 0; i < FIELDS_MAX && fields[list][i]; i++) {
        has |= wpa_text_is(fields[list][i], field);
    }
    return has;
}

const char *const *wpa_filter_words(wpa_list list, const char *field, size_t *n)
{
    for (size_t i = 0; i < WPA_COUNT(word_sets); i++) {
        bool is_here = word_sets[i].list == ANY_LIST || word_sets[i].list == list;
        if (is_here && wpa_text_is(word_sets[i].field, field)) {
            *n = word_sets[i].n;
            return word_sets[i].words;
        }
    }
    *n = 0;
    return NULL;
}

static bool is_number(const char *value, const char *units)
{
    size_t whole = strspn(value, "0123456789"), at = whole;
    if (value[at] == '.') {
        size_t part = strspn(value + at + 1, "0123456789");
        at += part ? 1 + part : 0;
    }
    bool has_unit = value[at] && strchr(units, value[at]);
    return whole > 0 && (*units ? has_unit && !value[at + 1] : !value[at]);
}

static bool is_date(const char *value)
{
    static const char shape[] = "dddd-dd-dd";
    for (size_t i = 0; i < sizeof shape; i++) {
        bool fits = shape[i] == 'd' ? isdigit((unsigned char)value[i]) : value[i] == shape[i];
        if (!fits) {
            return false;
        }
    }
    int month = 10 * (value[5] - '0') + value[6] - '0',
        day = 10 * (value[8] - '0') + value[9] - '0';
    return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

/** "high" and "hi", but not "h": so many letters tell the severities from each other. */
static bool is_word(const char *field, const char *value, const char *const *words, size_t n)
{
    static const char *const others[] = {"cmp", "prf"}; /* categories as the columns have them */
    bool is_short = wpa_text_is(field, "cat") || wpa_text_is(field, "sev");
    size_t length = strlen(value), least = wpa_text_is(field, "sev") ? 2 : 1;
    for (size_t i = 0; is_short && i < WPA_COUNT(others); i++) {
        if (wpa_text_is(field, "cat") && wpa_text_is_ci(others[i], value)) {
            return true;
        }
    }
    for (size_t i = 0; i < n; i++) {
        bool is_start = length >= least && strncasecmp(words[i], value, length) == 0;
        if (wpa_text_is_ci(words[i], value) || (is_short && is_start)) {
            return true;
        }
    }
    return false;
}

bool wpa_filter_takes(wpa_list list, const wpa_filter_term *term, const char *value)
{
    size_t n = 0;
    const char *const *words = wpa_filter_words(list, term->field, &n);
    bool is_range = strpbrk(term->op, "<>") != NULL;
    if (wpa_text_is(term->field, "age")) {
        return is_range && (is_number(value, "smhdw") || is_date(value));
    }
    if (wpa_text_is(term->field, "score")) {
        return is_number(value, "");
    }
    if (is_range && !wpa_text_is(term->field, "sev")) {
        return false;
    }
    bool has_wildcards = strpbrk(value, "*?") && wpa_text_is(term->field, "state");
    return !words || has_wildcards || is_word(term->field, value, words, n);
}

const char *wpa_filter_fault(wpa_list list, const wpa_filter_term *term, wpa_arena *arena)
{
    const char *fault = NULL;
    if (wpa_text_is(term->field, "@")) {
        return wpa_arena_printf(arena, "@%s", term->n_values ? term->values[0] : "");
    }
    if (!wpa_filter_has_field(list, term->field)) {
        return term->field;
    }
    for (size_t i = 0; i < term->n_values; i++) {
        if (!wpa_filter_takes(list, term, term->values[i])) {
            fault = fault
                        ? wpa_arena_printf(arena, "%s,%s", fault, term->values[i])
                        : wpa_arena_printf(arena, "%s%s%s", term->field, term->op, term->values[i]);
        }
    }
    return fault;
}
