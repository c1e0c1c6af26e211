/* CMP-038: a label whose image changes by itself, where that is soon or matters. */
#include <string.h>

#include "rules/own.h"
#include "rules/pin.h"
#include "rules/toolchain.h"

#define NEAR_DAYS 60

typedef struct subject {
    const wpa_outline_label *label;
    const char *concrete;
} subject;

static bool is_near(const wpa_fact_move *move)
{
    int64_t today = wpa_facts_days(wpa_facts_date(WPA_FACTS_IMAGES));
    int64_t begins = wpa_facts_days(move->begins), ends = wpa_facts_days(move->ends);
    return begins - today <= NEAR_DAYS && today - ends <= NEAR_DAYS;
}

static bool is_release(const wpa_outline_job *job)
{
    static const char *const actions[] = {
        "softprops/action-gh-release",     "ncipollo/release-action",
        "pypa/gh-action-pypi-publish",     "goreleaser/goreleaser-action",
        "actions/attest-build-provenance", "actions/attest",
        "sigstore/cosign-installer",       "actions/create-release"};
    for (size_t i = 0; i < job->n_steps; i++) {
        for (size_t k = 0; k < WPA_COUNT(actions); k++) {
            if (wpa_outline_step_uses(&job->steps[i], actions[k])) {
                return true;
            }
        }
    }
    return false;
}

/* Follows one alias at a time down to a label that says its version. */
static const char *concrete_label(const wpa_fact_runner *runner)
{
    for (int i = 0; i < 4 && runner && runner->alias_of; i++) {
        if (!strstr(runner->label, "latest")) {
            return runner->label;
        }
        runner = wpa_facts_runner_find(wpa_slice_of(runner->alias_of));
    }
    return runner ? runner->label : NULL;
}

static void check_label(wpa_rule_run *run, const wpa_outline_job *job,
                        const wpa_outline_label *label)
{
    if (!label->runner || !wpa_text_ends(label->text, "-latest")) {
        return;
    }
    const wpa_fact_move *move = wpa_facts_move_of(label->text);
    const char *name = wpa_rule_quote(run, label->text, strlen(label->text));
    subject *s = wpa_arena_alloc(run->arena, sizeof *s);
    *s = (subject){label, concrete_label(label->runner)};
    if (move && is_near(move)) {
        s->concrete = move->from;
        wpa_rule_report(run, label->node->span, NULL, s, "%s goes from %s to %s between %s and %s",
                        name, move->from, move->to, move->begins, move->ends);
    } else if (is_release(job)) {
        wpa_rule_report(run, label->node->span, NULL, s,
                        "what is released here is built on %s, which is another image one day",
                        name);
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    bool has_hosted = wpa_rule_is_on_github(run);
    for (size_t i = 0; has_hosted && i < o->n_jobs; i++) {
        for (size_t k = 0; !o->jobs[i].is_self_hosted && k < o->jobs[i].n_labels; k++) {
            check_label(run, &o->jobs[i], &o->jobs[i].labels[k]);
        }
    }
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const subject *s = finding->subject;
    const wpa_yaml_node *node = s->label->node;
    if (s->concrete) {
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "run on %s", s->concrete);
        fix->needs = wpa_rule_needs(run, WPA_FACTS_IMAGES);
        wpa_rule_edit(run, fix, wpa_yaml_source_span(node, 0, node->length), "%s", s->concrete);
    }
}

const wpa_rule wpa_rule_latest_label_drift = {
    .code = "CMP-038",
    .id = "latest-label-drift",
    .dimension = WPA_DIMENSION_COMPATIBILITY,
    .kind = WPA_KIND_OPPORTUNITY,
    .severity = WPA_SEVERITY_LOW,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_AUDITOR,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "A -latest label moves to another image soon, or builds what is released",
    .why = "Tools and their versions change under the job on a day that others choose.",
    .fix = "Name the image, and move to the next one when the job has been tried on it.",
    .tables = 1U << WPA_FACTS_IMAGES | 1U << WPA_FACTS_RUNNERS,
    .declares = WPA_DECLARES_RUNNER | WPA_DECLARES_MATRIX,
    .check = check,
    .repair = repair,
};
