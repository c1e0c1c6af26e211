/* CMP-027: an action that wants a Node.js which runners have no more. */
#include <string.h>

#include "rules/own.h"
#include "rules/upgrade.h"

#define CURRENT_RUNTIME "node24"

typedef struct subject {
    const wpa_outline_uses *uses;
    const wpa_outline_step *step;
    const wpa_yaml_node *using; /* of an action file */
} subject;

static const void *subject_new(wpa_rule_run *run, const wpa_outline_uses *uses,
                               const wpa_outline_step *step, const wpa_yaml_node *using)
{
    subject *s = wpa_arena_alloc(run->arena, sizeof *s);
    *s = (subject){uses, step, using};
    return s;
}

/*
 * Actions for Node 20 are run on the current one instead, and mostly work there. Runners of other
 * forges keep older ones for longer.
 */
static wpa_severity severity_of(const wpa_rule_run *run, const char *using)
{
    bool is_fatal = !wpa_text_is(using, "node20") && wpa_rule_is_on_github(run);
    return is_fatal ? WPA_SEVERITY_HIGH : WPA_SEVERITY_MEDIUM;
}

static const char *fate_of(const char *using)
{
    return strcmp(using, "node20") == 0 ? "runners run it on " CURRENT_RUNTIME
                                          ", which it was not made for"
                                        : "runners do not have it any more";
}

/* A composite whose own steps use such an action, one level deep. */
static void check_composite(wpa_rule_run *run, const wpa_outline_uses *uses)
{
    const wpa_fact_major *major = &uses->fact->major;
    for (size_t i = 0; i < major->n_uses; i++) {
        const char *used = wpa_facts_used_at(major, i);
        const char *at = strchr(used, '@');
        wpa_fact_use inner;
        if (!at || used[0] == '.') {
            continue;
        }
        wpa_facts_use_resolve((wpa_slice){used, (size_t)(at - used)}, wpa_slice_of(at + 1),
                              (wpa_slice){used, 0}, &inner);
        const char *using = inner.has_major ? inner.major.using : NULL;
        if (using && !wpa_text_is(using, "node20") && wpa_facts_runtime_end(using)) {
            wpa_finding *finding =
                wpa_rule_report(run, uses->ref_span, NULL, subject_new(run, NULL, NULL, NULL),
                                "%s uses %s, which wants %s: %s", wpa_rule_quote_uses(run, uses),
                                wpa_rule_quote(run, used, strlen(used)), using, fate_of(using));
            finding->severity = WPA_SEVERITY_MEDIUM;
            finding->confidence = WPA_CONFIDENCE_MEDIUM;
            return;
        }
    }
}

/* Most actions want the same as the one before them, in whatever file it was. */
typedef struct last_runtime {
    const char *using;
    const wpa_fact_end *end;
} last_runtime;

static const wpa_fact_end *end_of(wpa_rule_run *run, const char *using)
{
    last_runtime *last = wpa_rule_keep(run, sizeof *last);
    if (!wpa_text_is(last->using, using)) {
        *last = (last_runtime){using, wpa_facts_runtime_end(using)};
    }
    return last->end;
}

static void check_uses(wpa_rule_run *run, const wpa_outline_uses *uses,
                       const wpa_outline_step *step, const wpa_outline_job *job)
{
    (void)job;
    if (uses->kind != WPA_OUTLINE_REPOSITORY || !uses->fact->has_major) {
        return;
    }
    const char *using = uses->fact->major.using;
    const wpa_fact_end *end = end_of(run, using);
    bool may_want_it = end || uses->fact->major.n_uses > 0;
    if (!may_want_it || wpa_rule_forge_holds_back(run, uses->slug)) {
        return;
    }
    if (end) {
        wpa_finding *finding =
            wpa_rule_report(run, uses->ref_span, NULL, subject_new(run, uses, step, NULL),
                            "%s wants %s, which ended on %s: %s", wpa_rule_quote_uses(run, uses),
                            using, end->since ? end->since : "an unknown day", fate_of(using));
        finding->severity = severity_of(run, using);
    } else {
        check_composite(run, uses);
    }
}

static void check_action_file(wpa_rule_run *run)
{
    const wpa_yaml_node *using =
        wpa_yaml_get(wpa_yaml_get(run->source->outline->root, "runs"), "using");
    const char *text = wpa_yaml_text(using);
    if (text && wpa_facts_runtime_end(text)) {
        wpa_finding *finding =
            wpa_rule_report(run, using->span, NULL, subject_new(run, NULL, NULL, using),
                            "this action wants %s: %s", text, fate_of(text));
        finding->severity = severity_of(run, text);
        wpa_rule_relate_users(run, finding);
    }
}

static void check_env(wpa_rule_run *run, const wpa_yaml_node *scope)
{
    static const char *const names[] = {"ACTIONS_ALLOW_USE_UNSECURE_NODE_VERSION",
                                        "ACTIONS_ALLOW_USE_UNSECURE_NODE20_VERSION"};
    const wpa_yaml_node *env = wpa_yaml_get(scope, "env");
    for (size_t i = 0; i < WPA_COUNT(names); i++) {
        const wpa_yaml_pair *pair = wpa_yaml_find(env, names[i]);
        if (pair && !wpa_text_is(wpa_yaml_text(pair->value), "false")) {
            wpa_finding *finding =
                wpa_rule_report(run, pair->key->span, NULL, subject_new(run, NULL, NULL, NULL),
                                "%s asks for a Node.js that gets no security fixes", names[i]);
            finding->severity = WPA_SEVERITY_LOW;
        }
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    wpa_rule_each_uses(run, check_uses);
    if (run->source->kind == WPA_INPUT_ACTION) {
        check_action_file(run);
        return true;
    }
    if (!wpa_yaml_may_hold(run->source->yaml, "ACTIONS_ALLOW_USE_UNSECURE_NODE")) {
        return true;
    }
    check_env(run, o->root);
    for (size_t i = 0; i < o->n_jobs; i++) {
        check_env(run, o->jobs[i].node);
        for (size_t k = 0; k < o->jobs[i].n_steps; k++) {
            check_env(run, o->jobs[i].steps[k].node);
        }
    }
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const subject *s = finding->subject;
    wpa_fact_major major;
    if (s->using) {
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "run on " CURRENT_RUNTIME);
        wpa_rule_edit(run, fix, wpa_yaml_source_span(s->using, 0, s->using->length),
                      CURRENT_RUNTIME);
    } else if (s->uses && wpa_upgrade_find(s->uses, s->step, &major)) {
        wpa_upgrade_offer(run, finding, WPA_FIX_UNSAFE, s->uses, &major);
    }
}

const wpa_rule wpa_rule_node_runtime = {
    .code = "CMP-027",
    .id = "node-runtime",
    .dimension = WPA_DIMENSION_COMPATIBILITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_HIGH,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "An action wants a Node.js version that runners have no more",
    .why = "It fails, or runs on a newer Node.js than it was tested with.",
    .fix = "Go to the lowest version of the action that wants the current runtime.",
    .elsewhere = (const char *const[]){"actionlint/action", NULL},
    .supersedes = (const char *const[]){"outdated-action-major", NULL},
    .tables = 1U << WPA_FACTS_ACTIONS | 1U << WPA_FACTS_ARCHIVED,
    .declares = WPA_DECLARES_PINS,
    .check = check,
    .repair = repair,
};
