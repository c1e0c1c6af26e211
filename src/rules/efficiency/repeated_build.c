/* EFF-021: jobs that wait for each other build the same thing. */
#include <string.h>

#include "rules/shell_roles.h"
#include "rules/work.h"

#define NEEDS_MAX 64

/* Builds, and does nothing else; what make and its like do hangs on what was configured before. */
static bool is_build(const wpa_shell_command *c)
{
    static const char *const configured[] = {"make", "ninja", "cmake", "meson", "gmake", "nmake"};
    bool is_run = wpa_shell_is(c, "go", "run"); /* what is built is not what it is there for */
    return wpa_shell_roles(c) == WPA_DOES_BUILD && !is_run && !c->is_nested_script && !c->loops &&
           wpa_text_index(c->name, configured, WPA_COUNT(configured)) < 0;
}

static wpa_slice text_of(const wpa_outline_step *step, const wpa_shell_command *c)
{
    return (wpa_slice){wpa_step_commands(step)->text + c->span.start, wpa_span_length(c->span)};
}

static const char *folder_of(const wpa_outline_step *step)
{
    const char *own = wpa_yaml_text(wpa_yaml_get(step->node, "working-directory"));
    return own ? own : "";
}

/* The same command in the same folder, with the same variables beside it. */
static const wpa_outline_step *find_same(const wpa_outline_job *job, const wpa_outline_step *step,
                                         const wpa_shell_command *c,
                                         const wpa_shell_command **found)
{
    wpa_slice text = text_of(step, c);
    for (size_t i = 0; i < job->n_steps; i++) {
        const wpa_outline_step *other = &job->steps[i];
        const wpa_script *script = wpa_step_commands(other);
        bool is_alike = script && wpa_text_is(folder_of(step), folder_of(other)) && !other->env &&
                        !other->condition;
        for (size_t k = 0; is_alike && k < script->n_commands; k++) {
            wpa_slice own = text_of(other, &script->commands[k]);
            if (own.length == text.length && memcmp(own.at, text.at, own.length) == 0 &&
                is_build(&script->commands[k])) {
                *found = &script->commands[k];
                return other;
            }
        }
    }
    return NULL;
}

static bool is_same_machine(const wpa_outline_job *a, const wpa_outline_job *b)
{
    bool is_same =
        a->n_labels == 1 && b->n_labels == 1 && wpa_text_is(a->labels[0].text, b->labels[0].text);
    return is_same && !wpa_yaml_find(a->node, "strategy") && !wpa_yaml_find(b->node, "strategy") &&
           !wpa_yaml_find(a->node, "container") && !wpa_yaml_find(b->node, "container") &&
           !wpa_yaml_find(a->node, "env") && !wpa_yaml_find(b->node, "env");
}

/* Commands of one word ("make") mean whatever the tree says, and take no time to write twice. */
static bool is_worth(wpa_slice text)
{
    return memchr(text.at, ' ', text.length) != NULL && !memchr(text.at, '_', text.length);
}

static void check_pair(wpa_rule_run *run, const wpa_outline_job *job, const wpa_outline_job *before)
{
    for (size_t i = 0; i < job->n_steps; i++) {
        const wpa_outline_step *step = &job->steps[i];
        const wpa_script *script = wpa_step_commands(step);
        for (size_t k = 0; script && !step->condition && !step->env && k < script->n_commands;
             k++) {
            const wpa_shell_command *c = &script->commands[k], *found = NULL;
            if (!is_build(c) || !is_worth(text_of(step, c))) {
                continue;
            }
            const wpa_outline_step *other = find_same(before, step, c, &found);
            if (other) {
                wpa_slice text = text_of(step, c);
                wpa_finding *finding =
                    wpa_rule_report(run, wpa_outline_script_span(step, c->span), NULL, NULL,
                                    "%s ran already in job %s, which this one waits for",
                                    wpa_rule_quote(run, text.at, text.length),
                                    wpa_rule_quote(run, before->id, strlen(before->id)));
                wpa_rule_relate(run, finding, wpa_outline_script_span(other, found->span), "here");
                return;
            }
        }
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    if (wpa_work_is_large(o)) {
        return true;
    }
    for (size_t i = 0; i < o->n_jobs; i++) {
        wpa_work_need needs[NEEDS_MAX];
        size_t n = wpa_work_needs(o, &o->jobs[i], needs, NEEDS_MAX);
        for (size_t k = 0; k < n; k++) {
            if (needs[k].job && needs[k].job != &o->jobs[i] &&
                is_same_machine(&o->jobs[i], needs[k].job)) {
                check_pair(run, &o->jobs[i], needs[k].job);
            }
        }
    }
    return true;
}

const wpa_rule wpa_rule_repeated_build = {
    .code = "EFF-021",
    .id = "repeated-build",
    .dimension = WPA_DIMENSION_EFFICIENCY,
    .kind = WPA_KIND_INEFFICIENCY,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_MEDIUM,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "A job builds again what the job before it has built",
    .why = "The same tree gives the same result on the same runner, and everybody waits for it "
           "twice.",
    .fix = "Build once, and hand the result on as an artifact or by a cache. There is no fix by "
           "machine.",
    .tables = 1U << WPA_FACTS_COMMANDS,
    .check = check,
};
