/* SEC-037: somebody approves what they see, and then something newer is checked out. */
#include <string.h>

#include "rules/intake.h"
#include "rules/own.h"
#include "rules/work.h"

typedef struct subject {
    wpa_intake intake;
    bool has_head; /* the event names the commit itself */
} subject;

static bool mentions(const wpa_yaml_node *node, const char *word)
{
    const char *text = wpa_yaml_text(node);
    return text && wpa_text_seek_ci(text, word);
}

/* What a condition, or an environment of the job, asks somebody to approve; NULL: nothing. */
static const char *own_gate(const wpa_rule_run *run, const wpa_yaml_node *condition,
                            const wpa_outline_job *job, bool is_comment)
{
    if (mentions(condition, "pull_request.merged")) {
        return NULL; /* what is merged changes no more */
    }
    if (mentions(condition, "label.name") || mentions(condition, "labels.*.name")) {
        return "a label";
    }
    if (is_comment &&
        (mentions(condition, "comment.body") || mentions(condition, "author_association"))) {
        return "a comment";
    }
    bool may_be_reviewed =
        wpa_yaml_find(job->node, "environment") && wpa_rule_is_reviewed(run, job) != WPA_LISTED_NO;
    return may_be_reviewed ? "a reviewer of the environment" : NULL;
}

#define AWAITED_MAX 32

/* The same of the job and of those that it waits for: without their leave it does not start. */
static const char *gate_of_jobs(const wpa_rule_run *run, const wpa_outline_job *job,
                                bool is_comment)
{
    const wpa_outline_job *jobs[AWAITED_MAX];
    size_t n = wpa_work_awaited(run->source->outline, job, jobs, AWAITED_MAX);
    const char *gate = NULL;
    for (size_t i = 0; i < n && !gate; i++) {
        gate = own_gate(run, jobs[i]->condition, jobs[i], is_comment);
    }
    return gate;
}

/* What approves the run: words for it, or NULL if nothing does. */
static const char *gate_of(const wpa_rule_run *run, const wpa_site *site,
                           const wpa_outline_trigger *trigger)
{
    bool is_comment = wpa_text_is(trigger->name, "issue_comment");
    const char *gate = own_gate(run, site->step->condition, site->job, is_comment);
    const wpa_yaml_node *types = wpa_yaml_get(trigger->config, "types");
    bool is_labeled = wpa_text_is(trigger->name, "pull_request_target") && types &&
                      types->kind == WPA_YAML_SEQUENCE && types->n_items == 1 &&
                      wpa_text_is(wpa_yaml_text(types->items[0]), "labeled");
    gate = gate || !is_labeled ? gate : "a label";
    return gate ? gate : gate_of_jobs(run, site->job, is_comment);
}

static void check_step(wpa_rule_run *run, const wpa_site *site, const wpa_outline_trigger *trigger)
{
    subject s = {.has_head = wpa_text_is(trigger->name, "pull_request_target")};
    const char *gate = gate_of(run, site, trigger);
    if (!gate || !wpa_intake_of_approved(run, site, &s.intake) || !s.intake.is_mutable ||
        s.intake.kind != WPA_INTAKE_CHECKOUT || s.intake.is_refused ||
        wpa_trust_guard_of(run, site, trigger->name) >= WPA_GUARD_FORKS) {
        return;
    }
    wpa_finding *finding =
        wpa_rule_report(run, s.intake.span, NULL, wpa_arena_dup(run->arena, &s, sizeof s),
                        "%s approves one commit, and whatever is on the branch by then is checked "
                        "out: it can be changed in between",
                        gate);
    wpa_taint_relate(run, finding, &s.intake.taint);
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    const wpa_outline_trigger *trigger = wpa_outline_trigger_find(o, "pull_request_target");
    trigger = trigger ? trigger : wpa_outline_trigger_find(o, "issue_comment");
    for (size_t i = 0; trigger && i < o->n_jobs; i++) {
        wpa_site site = {.source = run->source, .job = &o->jobs[i]};
        for (size_t k = 0; k < o->jobs[i].n_steps; k++) {
            site.step = &o->jobs[i].steps[k];
            check_step(run, &site, trigger);
        }
    }
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const subject *s = finding->subject;
    const wpa_yaml_node *ref = wpa_outline_with(s->intake.step, "ref");
    if (s->has_head && ref && ref->span.start == s->intake.span.start) {
        wpa_fix *fix =
            wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "check out the commit of the event");
        wpa_rule_edit(run, fix, ref->span, "${{ github.event.pull_request.head.sha }}");
    }
}

const wpa_rule wpa_rule_toctou_checkout = {
    .code = "SEC-037",
    .id = "toctou-checkout",
    .dimension = WPA_DIMENSION_SECURITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_HIGH,
    .confidence = WPA_CONFIDENCE_MEDIUM,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW,
    .words = (const char *const[]){"pull_request_target", "issue_comment", NULL},
    .summary = "What is approved is not what is checked out",
    .why =
        "Between the approval and the checkout the author pushes once more, and code that nobody "
        "looked at runs with the job's rights.",
    .fix = "Check out the commit that the event names: github.event.pull_request.head.sha.",
    .tables = 1U << WPA_FACTS_EVENTS | 1U << WPA_FACTS_UNTRUSTED,
    .declares = WPA_DECLARES_SCRIPT,
    .check = check,
    .repair = repair,
};
