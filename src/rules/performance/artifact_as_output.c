/* PRF-016: an artifact that carries one short text, which a job output would. */
#include <string.h>

#include "rules/work.h"

/* Does a command before the upload write a line of text into exactly this file? */
static bool is_written_by_echo(const wpa_outline_step *upload, const char *path)
{
    const char *bare = wpa_text_starts(path, "./") ? path + 2 : path;
    bool is_written = false;
    for (size_t i = 0; i < upload->index; i++) {
        const wpa_script *script = upload->job->steps[i].script;
        for (size_t k = 0; script && k < script->n_commands; k++) {
            const wpa_shell_command *c = &script->commands[k];
            for (size_t r = 0; r < c->n_redirects; r++) {
                const char *target = c->redirects[r].target.text;
                target = wpa_text_starts(target, "./") ? target + 2 : target;
                if (!wpa_text_is(target, bare)) {
                    continue;
                }
                bool is_text = wpa_text_is(c->name, "echo") || wpa_text_is(c->name, "printf");
                if (!is_text || !wpa_text_is(c->redirects[r].operator, ">") || is_written) {
                    return false; /* more than a line, or not known what */
                }
                is_written = true;
            }
        }
    }
    return is_written;
}

/* A later job that downloads it and reads the file. */
static const wpa_outline_step *find_reader(const wpa_outline *o, const wpa_outline_step *upload,
                                           const char *name, const char *path)
{
    const char *slash = strrchr(path, '/');
    for (size_t i = 0; i < o->n_jobs; i++) {
        bool has_download = false;
        for (size_t k = 0; &o->jobs[i] != upload->job && k < o->jobs[i].n_steps; k++) {
            const wpa_outline_step *step = &o->jobs[i].steps[k];
            const char *wanted = wpa_outline_with_text(step, "name");
            has_download =
                has_download || (wpa_outline_step_uses(step, "actions/download-artifact") &&
                                 wpa_text_is(wanted, name));
            if (has_download && step->run &&
                wpa_work_mentions(step->run, slash ? slash + 1 : path) &&
                (wpa_work_mentions(step->run, "cat ") || wpa_work_mentions(step->run, "$(<"))) {
                return step;
            }
        }
    }
    return NULL;
}

static void check_step(wpa_rule_run *run, const wpa_outline *o, const wpa_outline_step *step)
{
    const char *path = wpa_outline_with_text(step, "path");
    const char *name = wpa_outline_with_text(step, "name");
    if (!path || strpbrk(path, "\n*?{$!") || wpa_yaml_find(step->job->node, "strategy") ||
        !is_written_by_echo(step, path)) {
        return;
    }
    const wpa_outline_step *reader = find_reader(o, step, name ? name : "artifact", path);
    if (reader) {
        wpa_finding *finding =
            wpa_rule_report(run, step->uses.node->span, NULL, NULL,
                            "an artifact carries one line of text from job to job: an output of "
                            "the job would do it without upload and download");
        wpa_rule_relate(run, finding, reader->run->span, "reads it");
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
        for (size_t k = 0; k < o->jobs[i].n_steps; k++) {
            if (wpa_outline_step_uses(&o->jobs[i].steps[k], "actions/upload-artifact")) {
                check_step(run, o, &o->jobs[i].steps[k]);
            }
        }
    }
    return true;
}

const wpa_rule wpa_rule_artifact_as_output = {
    .code = "PRF-016",
    .id = "artifact-as-output",
    .dimension = WPA_DIMENSION_PERFORMANCE,
    .kind = WPA_KIND_OPPORTUNITY,
    .severity = WPA_SEVERITY_LOW,
    .confidence = WPA_CONFIDENCE_MEDIUM,
    .persona = WPA_PERSONA_PEDANTIC,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "An artifact carries one short text between jobs",
    .why = "Upload and download take seconds each and leave an artifact behind.",
    .fix = "Write it to GITHUB_OUTPUT and declare it under the job's outputs. How its readers are "
           "to change a person must say.",
    .check = check,
};
