#include "rules/guests.h"

#include <string.h>

#include <wpa/text.h>

#include "rules/sink.h"

static void keep_seen(const wpa_settings *settings, size_t from, wpa_result *result)
{
    size_t n_kept = from;
    for (size_t i = from; i < result->n_findings; i++) {
        wpa_finding *finding = result->findings[i];
        bool is_off = wpa_settings_of(settings, finding->rule)->toggle == WPA_TOGGLE_OFF;
        wpa_finding_configure(settings, finding);
        if (!is_off && wpa_finding_is_seen(settings, finding)) {
            result->findings[n_kept++] = finding;
        }
    }
    result->n_findings = n_kept;
}

/** Does this say that a name of the comment silences nothing, before the guests came? */
static bool denies_use(const wpa_finding *finding, const wpa_ignore *ignore)
{
    bool denies = false;
    for (size_t i = 0; i < ignore->n_names && finding->rule->runs_last; i++) {
        char name[128];
        bool fits = wpa_text_format(name, sizeof name, "'%s'", ignore->names[i]);
        denies = denies || (ignore->is_used[i] && fits && wpa_text_is(finding->check, "I1") &&
                            finding->span.bytes.start == ignore->span.start &&
                            strstr(finding->message, name));
    }
    return denies;
}

static void take_back(const wpa_ignores *ignores, wpa_result *result)
{
    size_t n_kept = 0;
    for (size_t i = 0; i < result->n_findings; i++) {
        bool is_wrong = false;
        for (size_t k = 0; k < ignores->n && !is_wrong; k++) {
            is_wrong = denies_use(result->findings[i], &ignores->items[k]);
        }
        if (!is_wrong) {
            result->findings[n_kept++] = result->findings[i];
        }
    }
    result->n_findings = n_kept;
}

void wpa_guests_settle(const wpa_source *source, const wpa_settings *settings, size_t from,
                       wpa_result *result, wpa_arena *arena)
{
    keep_seen(settings, from, result);
    if (settings->ignores_off || from == result->n_findings) {
        return;
    }
    wpa_finding **guests = result->findings + from;
    size_t n_guests = result->n_findings - from;
    wpa_ignores *ignores = wpa_ignores_read(source, settings->today, arena);
    wpa_ignores_apply(ignores, guests, n_guests);
    wpa_ignore_entries_apply(settings, source, guests, n_guests, arena, &result->used,
                             &result->n_used);
    take_back(ignores, result);
}
