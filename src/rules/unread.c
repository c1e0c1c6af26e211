#include "rules/unread.h"

#include <string.h>

#include "rules/generated.h"
#include "rules/outputs.h"
#include "rules/readings.h"
#include "rules/steps.h"

static const char *quote(wpa_rule_run *run, const char *text)
{
    return wpa_rule_quote(run, text, strlen(text));
}

/* What is read of jobs: by expressions, and in the whole file once somebody asks. */
typedef struct job_readings {
    wpa_readings needs, jobs, whole;
    bool is_whole_known;
    bool is_generated; /* by a program that writes all outputs that there are; known then, too */
} job_readings;

static const wpa_readings *whole_of(wpa_rule_run *run, job_readings *read)
{
    if (!read->is_whole_known) {
        const wpa_yaml_doc *doc = run->source->yaml;
        wpa_span where;
        read->is_whole_known = true;
        read->whole = wpa_readings_of_outputs(run, doc);
        read->is_generated = wpa_generated_find(doc->source, doc->size_bytes, &where);
    }
    return &read->whole;
}

static bool is_output_of_job_read(wpa_rule_run *run, job_readings *read, const char *job,
                                  const char *name)
{
    return wpa_readings_tell_output(run, &read->needs, "needs", job, name) ||
           wpa_readings_tell_output(run, &read->jobs, "jobs", job, name) ||
           wpa_readings_have_output(run, whole_of(run, read), job, name);
}

/* U3: an output of a job that no other job, nor the workflow's callers, read. */
static void check_outputs(wpa_rule_run *run, job_readings *read, const wpa_outline_job *job)
{
    const wpa_yaml_node *outputs = wpa_yaml_get(job->node, "outputs");
    for (size_t i = 0; wpa_yaml_is(outputs, WPA_YAML_MAPPING) && i < outputs->n_pairs; i++) {
        const char *name = wpa_yaml_text(outputs->pairs[i].key);
        if (name && !wpa_text_is(name, "<<") && !is_output_of_job_read(run, read, job->id, name)) {
            wpa_finding *finding = wpa_rule_report(
                run, outputs->pairs[i].key->span, "U3", outputs->pairs[i].value,
                "nothing reads output %s of job %s", quote(run, name), quote(run, job->id));
            if (read->is_generated) {
                finding->persona = WPA_PERSONA_PEDANTIC;
            }
        }
    }
}

void wpa_unread_of_jobs(wpa_rule_run *run)
{
    const wpa_outline *o = run->source->outline;
    job_readings read = {.is_whole_known = false};
    for (size_t i = 0; i < o->n_jobs; i++) {
        check_outputs(run, &read, &o->jobs[i]);
    }
}

/* What is read of steps. */
typedef struct step_readings {
    wpa_readings steps;
    bool is_opacity_known, are_opaque;
} step_readings;

/* Are steps read by names that are computed, or all of them? */
static bool are_opaque(wpa_rule_run *run, step_readings *read)
{
    const wpa_yaml_doc *doc = run->source->yaml;
    if (!read->is_opacity_known) {
        read->is_opacity_known = true;
        read->are_opaque = wpa_readings_find_text(doc, "steps[") ||
                           wpa_readings_find_word(doc, "toJSON(steps") ||
                           wpa_readings_find_text(doc, "steps.*");
    }
    return read->are_opaque;
}

static bool is_read(wpa_rule_run *run, step_readings *read, const char *id)
{
    return wpa_readings_tell(run, &read->steps, "steps", id) || are_opaque(run, read) ||
           wpa_readings_have(run, wpa_readings_once(run, &read->steps, "steps"), id);
}

/* U4: a step id by which nobody calls the step. */
static void check_ids(wpa_rule_run *run, step_readings *read, const wpa_outline_job *job)
{
    for (size_t i = 0; i < job->n_steps; i++) {
        const char *text = job->steps[i].id;
        if (!text || is_read(run, read, text) ||
            wpa_yaml_find(job->steps[i].node, "background")) { /* which is waited for by its id */
            continue;
        }
        const wpa_yaml_pair *id = wpa_yaml_find(job->steps[i].node, "id");
        wpa_finding *finding = wpa_rule_report(run, id->key->span, "U4", id->value,
                                               "nothing refers to step id %s", quote(run, text));
        finding->persona = WPA_PERSONA_PEDANTIC;
    }
}

/* ---- what a script writes for others ----------------------------------------------------------
 */

static bool is_repeated(const wpa_outputs *outputs, size_t i)
{
    size_t k = 0;
    while (k < i && !wpa_text_is_ci(outputs->names[k], outputs->names[i])) {
        k++;
    }
    return k < i;
}

static const char output_file[] = "GITHUB_OUTPUT", output_command[] = "set-output name=";

/* What is asked of the file once, and once a step is found that has outputs. */
typedef struct step_outputs {
    bool may_hold_file, may_hold_command;
    bool is_known; /* what is read */
    wpa_readings read;
    step_readings *steps;
} step_outputs;

/* Does the step's code name what sets an output? */
static bool may_set_output(const step_outputs *asked, const wpa_outline_step *step)
{
    if (!step->run) {
        return wpa_step_javascript(step) != NULL;
    }
    return (asked->may_hold_file && wpa_text_seek(step->run->text, output_file)) ||
           (asked->may_hold_command && wpa_text_seek(step->run->text, output_command));
}

static void find_step_readings(wpa_rule_run *run, step_outputs *asked)
{
    wpa_readings *steps = &asked->steps->steps;
    asked->is_known = true;
    asked->read = are_opaque(run, asked->steps)
                      ? (wpa_readings){.is_any = true}
                      : wpa_readings_of_step_outputs(run, wpa_readings_once(run, steps, "steps"));
}

static bool is_output_read(wpa_rule_run *run, step_outputs *asked, const char *id, const char *name)
{
    if (id && wpa_readings_tell_output(run, &asked->steps->steps, "steps", id, name)) {
        return true;
    }
    if (!asked->is_known) {
        find_step_readings(run, asked);
    }
    return asked->read.is_any || (id && wpa_readings_have_output(run, &asked->read, id, name));
}

static void check_step_outputs(wpa_rule_run *run, step_outputs *asked, const wpa_outline_step *step)
{
    if (!may_set_output(asked, step)) {
        return;
    }
    const wpa_outputs *outputs = wpa_outputs_of(run, step);
    for (size_t k = 0; k < outputs->n && !asked->read.is_any; k++) {
        const char *name = outputs->names[k];
        if (!step->run && wpa_text_is(name, "result")) {
            continue; /* github-script sets it by itself */
        }
        if (is_repeated(outputs, k) || is_output_read(run, asked, step->id, name)) {
            continue;
        }
        wpa_finding *finding =
            wpa_rule_report(run, wpa_outputs_place(step, name), "U3", NULL,
                            step->id ? "nothing reads output %s of this step"
                                     : "nothing can read output %s of this step, which has no id",
                            quote(run, name));
        finding->persona = WPA_PERSONA_PEDANTIC;
    }
}

static void check_all_step_outputs(wpa_rule_run *run, step_readings *steps)
{
    const wpa_outline *o = run->source->outline;
    const wpa_yaml_doc *doc = run->source->yaml;
    step_outputs asked = {.may_hold_file = wpa_yaml_may_hold(doc, output_file),
                          .may_hold_command = wpa_yaml_may_hold(doc, output_command),
                          .steps = steps};
    for (size_t i = 0; i < o->n_jobs && !asked.read.is_any; i++) {
        for (size_t k = 0; k < o->jobs[i].n_steps; k++) {
            check_step_outputs(run, &asked, &o->jobs[i].steps[k]);
        }
    }
}

void wpa_unread_of_steps(wpa_rule_run *run)
{
    const wpa_outline *o = run->source->outline;
    step_readings steps = {.are_opaque = false};
    for (size_t i = 0; i < o->n_jobs; i++) {
        check_ids(run, &steps, &o->jobs[i]);
    }
    check_all_step_outputs(run, &steps);
}
