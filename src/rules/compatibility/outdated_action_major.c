/* CMP-029: a newer major version of the action is out. */
#include <string.h>

#include <wpa/buf.h>

#include "rules/own.h"
#include "rules/upgrade.h"

static const wpa_rule_option options[] = {
    {"min-age-days", "30", "majors that are younger are not spoken of", WPA_OPTION_NUMBER},
    {0},
};

typedef struct subject {
    const wpa_outline_uses *uses;
    const wpa_outline_step *step;
} subject;

/* The newest major that has been out for a while; false if this use has it. */
static bool find_newer(const wpa_rule_run *run, const wpa_outline_uses *uses, wpa_fact_major *newer)
{
    const wpa_fact_action *action = uses->fact->action;
    int current = wpa_outline_major(uses);
    for (size_t i = 0; action && current >= 0 && i < wpa_facts_major_count(action); i++) {
        wpa_fact_major major = wpa_facts_major_at(action, i);
        if (major.number <= current) {
            return false; /* as those behind it */
        }
        bool is_known = major.newest && major.newest_commit;
        int64_t released = is_known ? wpa_facts_days(major.metadata_date) : -1; /* or before */
        if (released >= 0 && wpa_facts_days(wpa_facts_date(WPA_FACTS_ACTIONS)) - released >=
                                 wpa_rule_option_int(run, "min-age-days", 0, 3650, 30)) {
            *newer = major;
            return true;
        }
    }
    return false;
}

/* "it does not take 'x'" and the like; empty if nothing of this use is touched. */
static const char *describe(wpa_rule_run *run, const wpa_upgrade *upgrade)
{
    if (!upgrade->n_removed && !upgrade->n_lost && !upgrade->required && !upgrade->n_renamed &&
        !upgrade->n_notes) {
        return "";
    }
    WPA_AUTO(wpa_buf) *buf = wpa_buf_new(1024);
    for (size_t i = 0; i < upgrade->n_removed; i++) {
        wpa_buf_printf(buf, "%s '%s'", i ? "," : "; it does not take", upgrade->removed[i]);
    }
    for (size_t i = 0; i < upgrade->n_lost; i++) {
        wpa_buf_printf(buf, "%s '%s'", i ? "," : "; it does not set", upgrade->lost[i]);
    }
    if (upgrade->required) {
        wpa_buf_printf(buf, "; it needs '%s'", upgrade->required);
    }
    for (size_t i = 0; i < upgrade->n_renamed; i++) {
        wpa_buf_printf(buf, "; '%s' is called '%s'", upgrade->renamed[i]->name,
                       upgrade->renamed[i]->replacement);
    }
    for (size_t i = 0; i < upgrade->n_notes; i++) {
        wpa_buf_printf(buf, "; it %s", upgrade->notes[i]->text);
    }
    return wpa_buf_dup(buf, run->arena);
}

static void check_uses(wpa_rule_run *run, const wpa_outline_uses *uses,
                       const wpa_outline_step *step, const wpa_outline_job *job)
{
    (void)job;
    wpa_fact_major newer;
    if (uses->kind != WPA_OUTLINE_REPOSITORY || !uses->fact->has_major ||
        wpa_rule_is_superseded(run, uses->ref_span) || !find_newer(run, uses, &newer) ||
        wpa_rule_forge_holds_back(run, uses->slug)) {
        return;
    }
    subject *s = wpa_arena_alloc(run->arena, sizeof *s);
    *s = (subject){uses, step};
    wpa_upgrade upgrade = wpa_upgrade_look(step, &newer);
    (void)wpa_rule_report(run, uses->ref_span, NULL, s, "%s is behind %s of %s%s",
                          wpa_rule_quote_uses(run, uses), newer.newest, newer.newest_date,
                          describe(run, &upgrade));
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    wpa_rule_each_uses(run, check_uses);
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const subject *s = finding->subject;
    wpa_fact_major newer;
    if (!find_newer(run, s->uses, &newer)) {
        return;
    }
    wpa_upgrade upgrade = wpa_upgrade_look(s->step, &newer);
    if (wpa_upgrade_is_clean(&upgrade)) {
        wpa_upgrade_offer(run, finding, WPA_FIX_UNSAFE, s->uses, &newer);
    }
}

const wpa_rule wpa_rule_outdated_action_major = {
    .code = "CMP-029",
    .id = "outdated-action-major",
    .dimension = WPA_DIMENSION_COMPATIBILITY,
    .kind = WPA_KIND_OPPORTUNITY,
    .severity = WPA_SEVERITY_LOW,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "A newer major version of an action is out",
    .why = "Old majors stop getting fixes, and the jump grows with every release.",
    .fix = "Go to the newest major after reading what it changes.",
    .options = options,
    .tables = 1U << WPA_FACTS_ACTIONS | 1U << WPA_FACTS_MIGRATIONS,
    .declares = WPA_DECLARES_PINS,
    .check = check,
    .repair = repair,
};
