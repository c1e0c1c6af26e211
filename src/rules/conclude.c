/* What rules have found in a file, once they have run: put in order, known again, silenced. */
#include <stdlib.h>

#include <wpa/text.h>

#include "rules/sink.h"

/** Most are in order already: rules go through the file from its beginning. */
static void sort(wpa_rule_sink *sink)
{
    size_t n_sorted = 1;
    while (n_sorted < sink->n_findings &&
           wpa_finding_compare(&sink->findings[n_sorted - 1], &sink->findings[n_sorted]) <= 0) {
        n_sorted++;
    }
    if (n_sorted < sink->n_findings) {
        qsort(sink->findings, sink->n_findings, sizeof *sink->findings, wpa_finding_compare);
    }
}

static bool names_fingerprints(const wpa_settings *settings)
{
    bool does = false;
    for (size_t i = 0; i < settings->n_ignores; i++) {
        does = does || settings->ignores[i].fingerprint;
    }
    return does;
}

static size_t index_of(const wpa_settings *settings, const wpa_finding *finding)
{
    return (size_t)(wpa_settings_of(settings, finding->rule) - settings->rules);
}

static bool *mark_none(const wpa_rule_sink *sink)
{
    size_t n_rules;
    (void)wpa_rules_all(&n_rules);
    return wpa_arena_array(sink->arena, n_rules + 1, sizeof(bool));
}

/** Findings that are alike are numbered, those that are not seen too; but not those of a rule of
    which nothing is seen. */
static bool *mark_seen(const wpa_rule_sink *sink, size_t from)
{
    const wpa_settings *settings = sink->settings;
    bool *is_meant = mark_none(sink);
    bool are_all = names_fingerprints(settings);
    for (size_t i = from; i < sink->n_findings; i++) {
        bool *is_rule_meant = &is_meant[index_of(settings, sink->findings[i])];
        *is_rule_meant = *is_rule_meant || are_all || !sink->findings[i]->is_unseen;
    }
    return is_meant;
}

/** Where nobody asks for fingerprints: rules with findings that nothing else puts in order. Up to
    n_sorted those would be neighbours; what is behind may be one of them. NULL: there is none. */
static bool *mark_tied(const wpa_rule_sink *sink, size_t n_sorted)
{
    bool *is_meant = NULL;
    bool are_last_meant = sink->n_findings > n_sorted + 1;
    for (size_t i = 0; i < sink->n_findings; i++) {
        bool ties =
            (i >= n_sorted && are_last_meant) ||
            (i > 0 && wpa_finding_compare_places(sink->findings[i - 1], sink->findings[i]) == 0);
        if (ties) {
            is_meant = is_meant ? is_meant : mark_none(sink);
            is_meant[index_of(sink->settings, sink->findings[i])] = true;
        }
    }
    return is_meant;
}

static void identify(const wpa_rule_sink *sink, size_t from, const bool *is_meant)
{
    if (from >= sink->n_findings) {
        return;
    }
    for (size_t i = from; i < sink->n_findings; i++) {
        if (is_meant[index_of(sink->settings, sink->findings[i])]) {
            wpa_finding_identify(sink->source, sink->findings[i], sink->arena);
        }
    }
    wpa_findings_number(sink->findings + from, sink->n_findings - from, sink->arena);
}

/** Only findings that nothing else puts in order have a fingerprint. */
static void fingerprint_ties(wpa_rule_sink *sink)
{
    sort(sink);
    for (size_t from = 0, i = 1; i <= sink->n_findings; i++) {
        bool ties = i < sink->n_findings &&
                    wpa_finding_compare_places(sink->findings[from], sink->findings[i]) == 0;
        if (!ties && i - from > 1) {
            wpa_findings_fingerprint(sink->source, sink->findings + from, i - from);
        }
        from = ties ? from : i;
    }
}

static void limit_file(wpa_rule_sink *sink)
{
    if (sink->n_findings > WPA_FINDINGS_PER_FILE_MAX && !sink->settings->is_unlimited) {
        wpa_finding *last = sink->findings[WPA_FINDINGS_PER_FILE_MAX];
        last->message =
            wpa_arena_printf(sink->arena, "%zu more findings in this file are not listed",
                             sink->n_findings - WPA_FINDINGS_PER_FILE_MAX);
        last->n_fixes = last->n_related = 0;
        sink->n_findings = WPA_FINDINGS_PER_FILE_MAX + 1;
    }
}

/** Comments and entries silence by lines, also what nobody would see: they have a use then. */
static void locate_unseen(const wpa_rule_sink *sink)
{
    for (size_t i = 0; i < sink->n_findings; i++) {
        if (sink->findings[i]->is_unseen) {
            wpa_finding_locate(sink->source, sink->findings[i]);
        }
    }
}

static void silence(wpa_rule_sink *sink, wpa_result *result)
{
    const wpa_settings *settings = sink->settings;
    if (!settings->ignores_off && sink->may_ignore) {
        locate_unseen(sink);
        wpa_ignores_apply(sink->ignores, sink->findings, sink->n_findings);
        wpa_ignore_entries_apply(settings, sink->source, sink->findings, sink->n_findings,
                                 sink->arena, &result->used, &result->n_used);
    }
}

size_t wpa_sink_silence(wpa_rule_sink *sink, wpa_result *result)
{
    bool has_winners = sink->n_won > 0;
    sink->n_won = 0;
    sort(sink);
    wpa_sink_drop_repeated(sink, has_winners);
    if (names_fingerprints(sink->settings)) { /* else only what is seen needs one */
        identify(sink, 0, mark_seen(sink, 0));
        wpa_findings_fingerprint(sink->source, sink->findings, sink->n_findings);
    }
    silence(sink, result);
    return sink->n_findings;
}

/** Where nobody asks for other places of a finding they have done what they were for. */
static void drop_related(wpa_rule_sink *sink)
{
    for (size_t i = 0; i < sink->n_findings && sink->settings->has_no_related; i++) {
        sink->findings[i]->n_related = 0;
    }
}

void wpa_sink_conclude(wpa_rule_sink *sink, size_t n_before)
{
    bool are_named = names_fingerprints(sink->settings);
    bool are_asked_for = are_named || !sink->settings->has_no_identities;
    size_t from = are_named ? n_before : 0;
    const bool *is_meant = are_asked_for ? mark_seen(sink, from) : mark_tied(sink, n_before);
    if (is_meant) {
        identify(sink, from, is_meant);
    }
    wpa_sink_drop_unseen(sink);
    if (are_asked_for) {
        wpa_findings_fingerprint(sink->source, sink->findings, sink->n_findings);
    } else if (is_meant) {
        fingerprint_ties(sink);
    }
    sort(sink);
    limit_file(sink);
    drop_related(sink);
    wpa_sink_repair(sink);
}
