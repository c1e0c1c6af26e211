/* SEC-022: an action whose repository nobody maintains any more. */
#include <string.h>

#include "rules/pin.h"

static wpa_severity severity_of(const wpa_fact_archived *archived)
{
    return wpa_text_is(archived->status, "archived") ||
                   wpa_text_is(archived->status, "deprecated") ||
                   wpa_text_is(archived->status, "unmaintained")
               ? WPA_SEVERITY_MEDIUM
               : WPA_SEVERITY_LOW;
}

typedef struct subject {
    const wpa_outline_uses *uses;
    const wpa_outline_step *step; /* NULL for a call */
    const wpa_fact_archived *archived;
} subject;

/* "is archived and gets no fixes any more; its successor is x/y" */
static const char *fate_of(wpa_rule_run *run, const wpa_fact_archived *archived)
{
    const char *successor = archived->successors[0];
    if (successor && wpa_text_starts(successor, "run: ")) {
        return wpa_arena_printf(run->arena, "is %s: '%s' does the same", archived->status,
                                successor + strlen("run: "));
    }
    if (wpa_text_is(archived->status, "moved") && successor) {
        return wpa_arena_printf(run->arena, "has moved to %s", successor);
    }
    if (wpa_text_is(archived->status, "superseded") && successor) {
        return wpa_arena_printf(run->arena, "is superseded by %s", successor);
    }
    return wpa_arena_printf(run->arena, "is %s and gets no fixes any more%s%s", archived->status,
                            successor ? "; its successor is " : "", successor ? successor : "");
}

static void check_uses(wpa_rule_run *run, const wpa_outline_uses *uses,
                       const wpa_outline_step *step, const wpa_outline_job *job)
{
    (void)job;
    const wpa_fact_archived *archived =
        uses->kind == WPA_OUTLINE_REPOSITORY ? wpa_facts_archived_find(uses->repo) : NULL;
    bool is_told = archived && wpa_text_is(archived->status, "unneeded") && uses->fact &&
                   uses->fact->replacement; /* by superfluous-actions, in the same words */
    if (!archived || is_told) {
        return;
    }
    subject *s = wpa_arena_alloc(run->arena, sizeof *s);
    *s = (subject){uses, step, archived};
    wpa_finding *finding = wpa_rule_report(run, uses->slug_span, NULL, s, "%s %s",
                                           wpa_rule_quote(run, uses->repo.at, uses->repo.length),
                                           fate_of(run, archived));
    finding->severity = severity_of(archived);
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    wpa_rule_each_uses(run, check_uses);
    return true;
}

/* Does the successor take every input that the step gives, and need no other? */
static bool takes_inputs(const wpa_outline_step *step, const wpa_fact_major *major)
{
    wpa_fact_input input;
    for (size_t i = 0; step->with && i < step->with->n_pairs; i++) {
        const char *name = wpa_yaml_text(step->with->pairs[i].key);
        if (!name || !wpa_facts_input_find(major, wpa_slice_of(name), &input)) {
            return false;
        }
    }
    for (size_t i = 0; i < major->n_inputs; i++) {
        input = wpa_facts_input_at(major, i);
        if (input.is_required && !input.has_default && !wpa_outline_with(step, input.name)) {
            return false;
        }
    }
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const subject *s = finding->subject;
    const char *successor = s->archived->successors[0];
    const wpa_fact_action *action =
        successor && s->step ? wpa_facts_action_find(wpa_slice_of(successor)) : NULL;
    if (!action || s->uses->slug.length != s->uses->repo.length ||
        wpa_facts_major_count(action) == 0) {
        return;
    }
    wpa_fact_major major = wpa_facts_major_at(action, 0);
    if (!major.newest || !major.newest_commit || !takes_inputs(s->step, &major)) {
        return;
    }
    wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "use %s %s", successor, major.newest);
    (void)wpa_rule_pin(run, fix, s->uses, wpa_facts_action_name(action), major.newest_commit,
                       major.newest);
}

const wpa_rule wpa_rule_archived_uses = {
    .code = "SEC-022",
    .id = "archived-uses",
    .dimension = WPA_DIMENSION_SECURITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION | WPA_INPUT_PRE_COMMIT,
    .summary = "An action's repository is archived or given up",
    .why = "Nobody answers for its faults any more, and its runtime will be switched off.",
    .fix = "Move to the successor, or to a step of your own.",
    .elsewhere = (const char *const[]){"zizmor/archived-uses", NULL},
    .declares = WPA_DECLARES_PINS,
    .tables = 1U << WPA_FACTS_ARCHIVED,
    .check = check,
    .repair = repair,
};
