/* SEC-005: code of strangers is fetched into a job with rights, and then it is run. */
#include "facts/commands.h"
#include "rules/intake.h"

/* The first step behind the intake, or the intake's own, that runs what came in. */
static const wpa_outline_step *find_run(const wpa_outline_job *job, const wpa_intake *intake,
                                        wpa_span *span)
{
    for (size_t i = intake->step->index; i < job->n_steps; i++) {
        if (wpa_intake_is_run_by(intake, &job->steps[i], span)) {
            return &job->steps[i];
        }
    }
    return NULL;
}

/* Is all that comes behind it known to run nothing of a tree: programs that only read? */
static bool is_only_read(const wpa_outline_job *job, const wpa_intake *intake)
{
    size_t n_commands = 0;
    for (size_t i = intake->step->index; i < job->n_steps; i++) {
        const wpa_outline_step *step = &job->steps[i];
        bool is_closed = step->script && step->script->is_readable;
        for (size_t k = 0; is_closed && k < step->script->n_commands; k++) {
            is_closed = wpa_facts_is_closed_program(step->script->commands[k].name);
            n_commands++;
        }
        if (!is_closed && step != intake->step &&
            !wpa_outline_step_uses(step, "actions/upload-artifact")) {
            return false;
        }
    }
    return n_commands > 0;
}

static void report(wpa_rule_run *run, const wpa_site *site, const wpa_intake *intake)
{
    wpa_span span;
    const wpa_outline_step *user = find_run(site->job, intake, &span);
    bool is_privileged = wpa_trust_site_is_privileged(site);
    const char *event = intake->trust.event ? intake->trust.event : "its trigger";
    const char *end = intake->is_refused ? ": this version of the action refuses to, so it fails"
                      : user             ? ", and then runs it"
                                         : "; whatever runs a file of it later is theirs";
    wpa_finding *finding =
        wpa_rule_report(run, intake->span, NULL, intake,
                        "%s lets strangers choose the code that is checked out%s%s", event,
                        is_privileged ? " with a write token or secrets at hand" : "", end);
    if (intake->is_refused) {
        finding->severity = WPA_SEVERITY_LOW;
    } else if (!user && is_only_read(site->job, intake)) {
        finding->severity = WPA_SEVERITY_LOW;
        finding->persona = WPA_PERSONA_AUDITOR;
    } else if (!user || !is_privileged) {
        finding->severity = WPA_SEVERITY_MEDIUM;
        finding->confidence = WPA_CONFIDENCE_MEDIUM;
    }
    wpa_taint_relate(run, finding, &intake->taint);
    const char *file = user ? wpa_intake_file_at(user, span) : NULL;
    if (file) {
        wpa_rule_relate(run, finding, span, "runs it, as %s says", file);
    } else if (user) {
        wpa_rule_relate(run, finding, span, "runs it");
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    for (size_t i = 0; i < o->n_jobs; i++) {
        wpa_site site = {.source = run->source, .job = &o->jobs[i]};
        for (size_t k = 0; k < o->jobs[i].n_steps; k++) {
            site.step = &o->jobs[i].steps[k];
            wpa_intake intake;
            if (wpa_intake_of(run, &site, &intake) && intake.kind == WPA_INTAKE_CHECKOUT) {
                report(run, &site, wpa_arena_dup(run->arena, &intake, sizeof intake));
            }
        }
    }
    return true;
}

const wpa_rule wpa_rule_untrusted_checkout = {
    .code = "SEC-005",
    .id = "untrusted-checkout",
    .dimension = WPA_DIMENSION_SECURITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_CRITICAL,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "A stranger's code is checked out, and run, in a job with a write token or secrets",
    .why = "Build files, hooks and tests are code: whoever sends a pull request runs theirs with "
           "the job's rights.",
    .fix = "Build pull requests under pull_request, and keep what needs rights to a job that does "
           "not touch their files. There is no fix by machine.",
    .elsewhere = (const char *const[]){"poutine/untrusted_checkout_exec",
                                       "octoscan/dangerous-checkout", NULL},
    .supersedes = (const char *const[]){"dangerous-triggers", NULL},
    .tables = 1U << WPA_FACTS_EVENTS | 1U << WPA_FACTS_UNTRUSTED,
    .check = check,
};
