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

/** Findings that are alike are numbered, those that are not seen too; but not those of a rule of
    which nothing is seen. */
static void identify(const wpa_rule_sink *sink, size_t from)
{
    const wpa_settings *settings = sink->settings;
    size_t n_rules;
    if (from >= sink->n_findings) {
        return;
    }
    (void)wpa_rules_all(&n_rules);
    bool *is_seen = wpa_arena_array(sink->arena, n_rules + 1, sizeof *is_seen);
    bool are_all = names_fingerprints(settings);
    for (size_t i = from; i < sink->n_findings; i++) {
        const wpa_finding *finding = sink->findings[i];
        bool *is_rule_seen = &is_seen[wpa_settings_of(settings, finding->rule) - settings->rules];
        *is_rule_seen = *is_rule_seen || are_all || !finding->is_unseen;
    }
    for (size_t i = from; i < sink->n_findings; i++) {
        const wpa_finding *finding = sink->findings[i];
        if (is_seen[wpa_settings_of(settings, finding->rule) - settings->rules]) {
            wpa_finding_identify(sink->source, sink->findings[i], sink->arena);
        }
    }
    wpa_findings_number(sink->findings + from, sink->n_findings - from, sink->arena);
}

/** Is there anything that only fingerprints put in order? Up to n_sorted they are neighbours. */
static bool needs_fingerprints(const wpa_rule_sink *sink, size_t n_sorted)
{
    bool does = !sink->settings->has_no_identities || sink->n_findings > n_sorted + 1;
    for (size_t i = 1; i < n_sorted && !does; i++) {
        does = wpa_finding_compare_places(sink->findings[i - 1], sink->findings[i]) == 0;
    }
    return does;
}

/** Where nobody asks for fingerprints, only findings that nothing else puts in order have one. */
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
    sink->n_won = 0;
    sort(sink);
    wpa_sink_drop_repeated(sink);
    if (names_fingerprints(sink->settings)) { /* else only what is seen needs one */
        identify(sink, 0);
        wpa_findings_fingerprint(sink->source, sink->findings, sink->n_findings);
    }
    silence(sink, result);
    return sink->n_findings;
}

void wpa_sink_conclude(wpa_rule_sink *sink, size_t n_before)
{
    bool are_named = names_fingerprints(sink->settings);
    bool has_fingerprints = are_named || needs_fingerprints(sink, n_before);
    if (has_fingerprints) {
        identify(sink, are_named ? n_before : 0);
    }
    wpa_sink_drop_unseen(sink);
    if (has_fingerprints && sink->settings->has_no_identities) {
        fingerprint_ties(sink);
    } else if (has_fingerprints) {
        wpa_findings_fingerprint(sink->source, sink->findings, sink->n_findings);
    }
    sort(sink);
    limit_file(sink);
    wpa_sink_repair(sink);
}
