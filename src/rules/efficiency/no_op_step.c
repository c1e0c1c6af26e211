/* EFF-024: a step that does nothing. */
#include <string.h>

#include "rules/outline.h"
#include "rules/rule.h"

/* Nothing but comments, true, ":" and blank lines. */
static bool does_nothing(const wpa_outline_step *step)
{
    const wpa_script *script = step->script;
    if (!script || !script->is_readable) {
        return false;
    }
    for (size_t i = 0; i < script->n_commands; i++) {
        const wpa_shell_command *c = &script->commands[i];
        bool is_idle = wpa_text_is(c->name, "true") || wpa_text_is(c->name, ":");
        if (!is_idle || c->n_words > 1 || c->n_redirects) {
            return false;
        }
    }
    return script->length > 0;
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    for (size_t i = 0; i < o->n_jobs; i++) {
        for (size_t k = 0; k < o->jobs[i].n_steps; k++) {
            const wpa_outline_step *step = &o->jobs[i].steps[k];
            const char *name = wpa_yaml_text(wpa_yaml_get(step->node, "name"));
            /* A name with an expression is there to show its value in the log. */
            if (step->run && !wpa_outline_has_expression(name) && does_nothing(step)) {
                (void)wpa_rule_report(run, wpa_yaml_find(step->node, "run")->key->span, NULL, step,
                                      "this step's script does nothing");
            }
        }
    }
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const wpa_outline_step *step = finding->subject;
    if (!step->id && step->job->n_steps > 1) { /* an id may be read elsewhere */
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "remove the step");
        (void)wpa_rule_remove_entry(run, fix, step->node);
    }
}

const wpa_rule wpa_rule_no_op_step = {
    .code = "EFF-024",
    .id = "no-op-step",
    .dimension = WPA_DIMENSION_EFFICIENCY,
    .kind = WPA_KIND_INEFFICIENCY,
    .severity = WPA_SEVERITY_LOW,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "A step does nothing",
    .why = "It starts a shell, and makes readers look for what it is for.",
    .fix = "Remove it.",
    .declares = WPA_DECLARES_SCRIPT,
    .check = check,
    .repair = repair,
};
