#include "rules/upgrade.h"

#include <string.h>

bool wpa_rule_is_one_edit(wpa_slice a, const char *b)
{
    size_t n = a.length, m = strlen(b), head = 0, tail = 0;
    size_t least = n < m ? n : m;
    while (head < least && a.at[head] == b[head]) {
        head++;
    }
    while (tail < least - head && a.at[n - 1 - tail] == b[m - 1 - tail]) {
        tail++;
    }
    size_t rest_a = n - head - tail, rest_b = m - head - tail;
    bool is_swap =
        rest_a == 2 && rest_b == 2 && a.at[head] == b[head + 1] && a.at[head + 1] == b[head];
    return (rest_a <= 1 && rest_b <= 1 && rest_a + rest_b > 0) || is_swap;
}

const char *wpa_rule_find_meant(const char *text, const char *const names[])
{
    const char *meant = NULL;
    bool are_several = false;
    for (size_t i = 0; names && names[i]; i++) {
        if (wpa_text_is_ci(text, names[i])) {
            return names[i];
        }
        if (wpa_rule_is_one_edit(wpa_slice_of(text), names[i])) {
            are_several = meant != NULL;
            meant = names[i];
        }
    }
    return are_several ? NULL : meant;
}

wpa_upgrade wpa_upgrade_look(const wpa_outline_step *step, const wpa_fact_major *major)
{
    wpa_upgrade upgrade = {0};
    wpa_fact_input input;
    bool is_docker = wpa_text_is(major->using, "docker");
    for (size_t i = 0; step && step->with && i < step->with->n_pairs; i++) {
        const char *name = wpa_yaml_text(step->with->pairs[i].key);
        bool is_own = is_docker && (wpa_text_is(name, "args") || wpa_text_is(name, "entrypoint"));
        if (name && !is_own && !wpa_facts_input_find(major, wpa_slice_of(name), &input) &&
            upgrade.n_removed < WPA_COUNT(upgrade.removed)) {
            upgrade.removed[upgrade.n_removed++] = name;
        }
    }
    for (size_t i = 0; step && i < major->n_inputs; i++) {
        input = wpa_facts_input_at(major, i);
        if (input.is_required && !input.has_default && !wpa_outline_with(step, input.name)) {
            upgrade.required = input.name;
        }
    }
    return upgrade;
}

bool wpa_upgrade_is_clean(const wpa_upgrade *upgrade)
{
    return upgrade->n_removed == 0 && !upgrade->required;
}

/* Is nothing of this major switched off, as far as the tables know? */
static bool is_supported(const wpa_outline_uses *uses, const wpa_fact_major *major)
{
    wpa_fact_use use = {.has_version = true};
    wpa_slice newest = wpa_slice_of(major->newest);
    return wpa_version_parse(newest, &use.version) &&
           !wpa_facts_end_find(uses->slug, newest, &use) && !wpa_facts_runtime_end(major->using);
}

bool wpa_upgrade_find(const wpa_outline_uses *uses, const wpa_outline_step *step,
                      wpa_fact_major *major)
{
    const wpa_fact_action *action = uses->fact->action;
    int current = wpa_outline_major(uses);
    bool is_found = false;
    for (size_t i = 0; action && current >= 0 && i < wpa_facts_major_count(action); i++) {
        wpa_fact_major candidate = wpa_facts_major_at(action, i);
        wpa_upgrade upgrade = wpa_upgrade_look(step, &candidate);
        if (candidate.number > current && candidate.newest && candidate.newest_commit &&
            is_supported(uses, &candidate) && wpa_upgrade_is_clean(&upgrade)) {
            *major = candidate; /* newest first: the last that fits is the lowest */
            is_found = true;
        }
    }
    return is_found;
}

void wpa_upgrade_offer(wpa_rule_run *run, wpa_finding *finding, wpa_safety safety,
                       const wpa_outline_uses *uses, const wpa_fact_major *major)
{
    wpa_version written;
    bool is_version = wpa_version_parse(uses->ref, &written);
    bool is_moving = is_version && written.n_parts == 1 && major->ref && major->ref[0] == 'v';
    const char *name = is_moving ? major->ref : major->newest;
    wpa_fix *fix = wpa_rule_fix(run, finding, safety, "go to %s", name);
    if (uses->fact->pin == WPA_PIN_COMMIT) {
        (void)wpa_rule_pin(run, fix, uses, NULL, major->newest_commit, major->newest);
        return;
    }
    fix->needs = wpa_rule_needs(run, WPA_FACTS_ACTIONS);
    wpa_rule_edit(run, fix, uses->ref_span, "%s", name);
    if (uses->hint.length) { /* a comment that names the old version would lie */
        size_t start = (size_t)(uses->hint.at - uses->node->doc->source);
        wpa_rule_edit(run, fix, (wpa_span){start, start + uses->hint.length}, "%s", name);
    }
}
