/* SEC-021: an action at a version that an advisory covers. */
#include <string.h>

#include <wpa/buf.h>

#include "rules/pin.h"

static const wpa_rule_option options[] = {
    {"allow", "", "advisories that do not count, separated by blanks", WPA_OPTION_TEXT},
    {0},
};

static wpa_severity severity_of(const wpa_fact_advisory *advisory, wpa_fact_affected affected)
{
    return affected == WPA_AFFECTED_MALICIOUS            ? WPA_SEVERITY_CRITICAL
           : wpa_text_is(advisory->severity, "critical") ? WPA_SEVERITY_CRITICAL
           : wpa_text_is(advisory->severity, "high")     ? WPA_SEVERITY_HIGH
           : wpa_text_is(advisory->severity, "low")      ? WPA_SEVERITY_LOW
                                                         : WPA_SEVERITY_MEDIUM;
}

static bool is_allowed(const wpa_rule_run *run, const char *id)
{
    const char *allowed = wpa_rule_option_text(run, "allow");
    return allowed && strstr(allowed, id) != NULL;
}

static const char *without_stop(wpa_rule_run *run, const char *sentence)
{
    size_t length = strlen(sentence);
    return wpa_arena_slice(run->arena, sentence,
                           length && sentence[length - 1] == '.' ? length - 1 : length);
}

static void check_uses(wpa_rule_run *run, const wpa_outline_uses *uses,
                       const wpa_outline_step *step, const wpa_outline_job *job)
{
    (void)step;
    (void)job;
    if (uses->kind != WPA_OUTLINE_REPOSITORY) {
        return;
    }
    size_t n = wpa_facts_advisory_count(), first = wpa_facts_advisory_of(uses->slug, 0);
    if (first == n) {
        return;
    }
    WPA_AUTO(wpa_buf) *others = wpa_buf_new(4096);
    const wpa_fact_advisory *worst = NULL;
    wpa_severity severity = WPA_SEVERITY_LOW;
    bool is_malicious = false;
    for (size_t i = first; i < n; i = wpa_facts_advisory_of(uses->slug, i + 1)) {
        const wpa_fact_advisory *advisory = wpa_facts_advisory_at(i);
        wpa_fact_affected affected =
            wpa_facts_advisory_affects(advisory, uses->slug, uses->ref, uses->fact);
        bool is_told = worst && (wpa_text_is(advisory->id, worst->id) ||
                                 strstr(wpa_buf_data(others), advisory->id));
        if (affected < WPA_AFFECTED_YES || is_told || is_allowed(run, advisory->id)) {
            continue; /* one may name an action and a folder of it, each in a row of its own */
        }
        if (!worst || severity_of(advisory, affected) > severity) {
            if (worst) {
                wpa_buf_printf(others, ", %s", worst->id);
            }
            worst = advisory;
            severity = severity_of(advisory, affected);
        } else {
            wpa_buf_printf(others, ", %s", advisory->id);
        }
        is_malicious = is_malicious || affected == WPA_AFFECTED_MALICIOUS;
    }
    if (worst) {
        wpa_finding *finding = wpa_rule_report(
            run, uses->ref_span, NULL, uses, "%s %s %s%s: %s", wpa_rule_quote_uses(run, uses),
            is_malicious ? "is a malicious commit of" : "is affected by", worst->id,
            wpa_buf_data(others), without_stop(run, worst->summary));
        finding->severity = severity;
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    wpa_rule_each_uses(run, check_uses);
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const wpa_outline_uses *uses = finding->subject;
    wpa_fact_ref fixed;
    if (!wpa_rule_find_clean(uses, &fixed)) {
        return;
    }
    wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "go to %s", fixed.name);
    (void)wpa_rule_pin(run, fix, uses, NULL, fixed.commit, fixed.name);
}

const wpa_rule wpa_rule_known_vulnerable_actions = {
    .code = "SEC-021",
    .id = "known-vulnerable-actions",
    .dimension = WPA_DIMENSION_SECURITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_CRITICAL,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION | WPA_INPUT_PRE_COMMIT,
    .summary = "An action is used at a version that a security advisory covers",
    .why = "The weakness is public, and so is how to use it against this workflow.",
    .fix = "Go to the nearest version that the advisory calls fixed.",
    .elsewhere =
        (const char *const[]){"zizmor/known-vulnerable-actions", "octoscan/known-vulnerability",
                              "poutine/known_vulnerability_in_build_component", NULL},
    .options = options,
    .declares = WPA_DECLARES_PINS,
    .tables = 1U << WPA_FACTS_ADVISORIES,
    .check = check,
    .repair = repair,
};
