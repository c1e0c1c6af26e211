/* SEC-008: files of a run that strangers started are used in a job with rights. */
#include <string.h>

#include "rules/exports.h"
#include "rules/handover.h"
#include "rules/intake.h"

typedef enum use {
    ONLY_KEPT,      /* in a folder of its own */
    OVER_WORKSPACE, /* mixed with the job's own files */
    PUT_IN_RESULTS, /* read into env, outputs or the like */
    EXECUTED
} use;

/* Does the step read its files into variables or outputs of the job? */
static bool exports_files(wpa_rule_run *run, const wpa_site *site, wpa_span *span)
{
    size_t n = 0;
    const wpa_export *exports = wpa_exports_of(run, site->step, &n);
    for (size_t i = 0; i < n; i++) {
        wpa_taint taint = wpa_taint_of_script(run, site, exports[i].value, WPA_TAINT_TEXT);
        if (wpa_taint_is_of_outsider(&taint) && wpa_text_starts(taint.path, "a file ")) {
            *span = wpa_outline_script_span(site->step, exports[i].redirect);
            return true;
        }
    }
    return false;
}

/* "unzip -d folder", "gh run download -D folder", "mkdir": is it kept apart by the script? */
static bool is_kept_apart(const wpa_intake *intake)
{
    static const char *const options[] = {"-d", "-D", "--dir", "-C"};
    const wpa_script *script = intake->step->script;
    for (size_t i = 0; script && i < script->n_commands; i++) {
        for (size_t k = 0; k < WPA_COUNT(options); k++) {
            if (wpa_shell_word_find(&script->commands[i], options[k])) {
                return true;
            }
        }
    }
    return intake->folder && *intake->folder;
}

static use worst_use(wpa_rule_run *run, const wpa_site *site, const wpa_intake *intake,
                     wpa_span *span)
{
    use worst = is_kept_apart(intake) || !intake->folder ? ONLY_KEPT : OVER_WORKSPACE;
    *span = intake->span;
    for (size_t i = intake->step->index; i < site->job->n_steps; i++) {
        wpa_site at = *site;
        at.step = &site->job->steps[i];
        wpa_span there;
        if (wpa_intake_is_run_by(intake, at.step, &there)) {
            *span = there;
            return EXECUTED;
        }
        if (worst < PUT_IN_RESULTS && at.step->run && exports_files(run, &at, &there)) {
            worst = PUT_IN_RESULTS;
            *span = there;
        }
    }
    return worst;
}

/* Outside the workspace, and nothing behind it looks there by a command. */
static bool is_put_away(const wpa_site *site, const wpa_intake *intake)
{
    const char *folder = intake->folder;
    if (!folder ||
        !(wpa_text_starts(folder, "${{ runner.temp") || wpa_text_starts(folder, "/tmp"))) {
        return false;
    }
    for (size_t i = intake->step->index + 1; i < site->job->n_steps; i++) {
        const wpa_outline_step *later = &site->job->steps[i];
        if (later->run || later->uses.kind == WPA_OUTLINE_LOCAL) {
            return false;
        }
    }
    return true;
}

/* ---- who made it ---- */

/* What the graph says of the uploads that a download may take. */
typedef struct makers {
    bool are_insiders;        /* all are known, and strangers start none of them */
    bool are_of_last_run;     /* of whatever ran last, and strangers may have started that */
    const wpa_source *source; /* of an upload in a run that strangers start, or NULL */
    wpa_span span;
    const char *event;
} makers;

static makers find_makers(wpa_rule_run *run, const wpa_site *site)
{
    makers m = {0};
    const wpa_graph *graph = site->source->around ? site->source->around->graph : NULL;
    const wpa_graph_file *own = graph ? wpa_graph_own(graph, site->source, run->arena) : NULL;
    const wpa_store_artifact *download =
        own ? wpa_handover_of(own, site->step, site->source->outline) : NULL;
    if (!download) {
        return m;
    }
    wpa_handovers found = wpa_handover_uploads(graph, own, download);
    for (size_t i = 0; i < found.n && !m.source; i++) {
        const wpa_source *source;
        const wpa_outline_step *step = wpa_handover_step(run, &found.items[i], &source);
        wpa_site at = {.source = source, .job = step ? step->job : NULL, .step = step};
        wpa_trust trust = step ? wpa_trust_of(run, &at) : (wpa_trust){0};
        if (!step) {
            found.is_open = true;
        } else if (trust.trust != WPA_TRUST_INSIDER) {
            m.source = source;
            m.span = found.items[i].artifact->span;
            m.event = trust.event;
        }
    }
    /* Under pull_request the definition that runs is the stranger's own: any name may come of it.
     */
    m.are_insiders = found.n && !m.source && !found.is_open && !found.has_strangers;
    m.are_of_last_run = download->workflow && download->is_of_any_run && found.has_strangers &&
                        !wpa_text_is_ci(wpa_outline_with_text(site->step, "allow_forks"), "false");
    return m;
}

static void relate_makers(wpa_rule_run *run, wpa_finding *finding, const makers *m)
{
    if (m->source) {
        wpa_rule_relate_in(run, finding, m->source, m->span, "made here, in a run that %s starts",
                           m->event ? m->event : "a stranger");
    }
}

static void report(wpa_rule_run *run, const wpa_site *site, const wpa_intake *intake,
                   const makers *m)
{
    static const char *const ends[] = {
        [ONLY_KEPT] = "; whatever reads them later reads theirs",
        [OVER_WORKSPACE] = ", over the files of the workspace",
        [PUT_IN_RESULTS] = ", and their text is put into variables or outputs of the job",
        [EXECUTED] = ", and then they are run",
    };
    wpa_span span;
    use how = worst_use(run, site, intake, &span);
    wpa_finding *finding = wpa_rule_report(
        run, intake->span, NULL, intake->step,
        m->are_of_last_run && intake->trust.trust != WPA_TRUST_OUTSIDER_PRIVILEGED
            ? "files of the last run of a workflow that strangers can start are fetched into a job "
              "with a write token or secrets%s"
            : "files of a run that strangers can start are fetched into a job with a write token "
              "or "
              "secrets%s",
        ends[how]);
    relate_makers(run, finding, m);
    if (how == EXECUTED) {
        finding->severity = WPA_SEVERITY_CRITICAL;
    } else if (how == ONLY_KEPT) {
        finding->severity = WPA_SEVERITY_MEDIUM;
        finding->confidence = WPA_CONFIDENCE_MEDIUM;
    }
    if (how == EXECUTED) {
        wpa_intake_relate_runs(run, finding, site->job, intake);
    } else if (span.start != intake->span.start) {
        wpa_rule_relate(run, finding, span, "reads them");
    }
}

static void check_step(wpa_rule_run *run, const wpa_site *site)
{
    wpa_intake intake;
    bool is_intake = wpa_intake_of(run, site, &intake) && intake.kind == WPA_INTAKE_ARTIFACT;
    bool may_be = is_intake || (site->step->uses.kind == WPA_OUTLINE_REPOSITORY &&
                                wpa_outline_with(site->step, "workflow"));
    if (!may_be || !wpa_trust_site_is_privileged(site)) {
        return;
    }
    makers m = find_makers(run, site);
    if (!is_intake && m.are_of_last_run) {
        intake = wpa_intake_of_download(site->step);
        is_intake = true;
    }
    if (is_intake && !m.are_insiders && !is_put_away(site, &intake)) {
        report(run, site, &intake, &m);
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
            check_step(run, &site);
        }
    }
    return true;
}

/* A folder of its own, if nothing behind it can have been written for the default one. */
static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const wpa_outline_step *step = finding->subject;
    if (step->run || wpa_outline_with(step, "path") || wpa_outline_with(step, "script")) {
        return;
    }
    for (size_t i = step->index + 1; i < step->job->n_steps; i++) {
        const wpa_outline_step *later = &step->job->steps[i];
        if (later->run || later->uses.kind == WPA_OUTLINE_LOCAL) {
            return;
        }
    }
    wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "unpack it in a folder of its own");
    (void)wpa_rule_add_in(run, fix, step->node, "with", "uses", "path",
                          "${{ runner.temp }}/artifact");
}

const wpa_rule wpa_rule_artifact_poisoning = {
    .code = "SEC-008",
    .id = "artifact-poisoning",
    .dimension = WPA_DIMENSION_SECURITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_HIGH,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "A job with rights uses an artifact of a run that strangers can start",
    .why = "Whoever sends a pull request chooses what is in the artifact: scripts that it replaces "
           "run with the job's rights, text that it holds ends in variables and commands.",
    .fix = "Unpack it in a folder of its own outside the workspace, take from it only what has the "
           "expected form, and run nothing of it.",
    .elsewhere = (const char *const[]){"octoscan/dangerous-action", NULL},
    .supersedes = (const char *const[]){"dangerous-triggers", NULL},
    .tables = 1U << WPA_FACTS_EVENTS | 1U << WPA_FACTS_UNTRUSTED,
    .declares = WPA_DECLARES_SCRIPT,
    .check = check,
    .repair = repair,
};
