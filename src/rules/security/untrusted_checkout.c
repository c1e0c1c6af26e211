/* SEC-005: code of strangers is fetched into a job with rights, and then it is run. */
#include <string.h>

#include "facts/commands.h"
#include "rules/handover.h"
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
            is_closed = (step->script->commands[k].known & WPA_KNOWN_CLOSED) != 0;
            n_commands++;
        }
        if (!is_closed && step != intake->step &&
            !wpa_outline_step_uses(step, "actions/upload-artifact")) {
            return false;
        }
    }
    return n_commands > 0;
}

/* Where what the job makes of that code goes on to run: it is handed over as an artifact. */
typedef struct downstream {
    const wpa_source *source;
    const wpa_outline_job *job; /* NULL: nowhere that is known */
    wpa_span upload, download, run;
} downstream;

/* Does the job that takes the artifact have rights, and run what it takes? */
static bool is_run_there(wpa_rule_run *run, const wpa_handover *item, downstream *d)
{
    const wpa_outline_step *step = wpa_handover_step(run, item, &d->source);
    wpa_site site = {.source = d->source, .job = step ? step->job : NULL, .step = step};
    if (!step || !wpa_trust_site_is_privileged(&site) ||
        wpa_trust_of(run, &site).trust != WPA_TRUST_OUTSIDER_PRIVILEGED) {
        return false;
    }
    wpa_intake taken = wpa_intake_of_download(step);
    for (size_t i = step->index + 1; i < step->job->n_steps; i++) {
        if (wpa_intake_is_run_by(&taken, &step->job->steps[i], &d->run)) {
            d->job = step->job;
            d->download = item->artifact->span;
            return true;
        }
    }
    return false;
}

/* Another job of this run that takes it. */
static bool goes_on_here(wpa_rule_run *run, const wpa_graph_file *own,
                         const wpa_store_artifact *upload, downstream *d)
{
    for (size_t i = 0; i < own->stores.n_artifacts; i++) {
        const wpa_store_artifact *a = &own->stores.artifacts[i];
        wpa_handover item = {own, a};
        if (!a->is_upload && !a->is_of_other_run && a->job != upload->job &&
            wpa_stores_may_fit(upload, a) && is_run_there(run, &item, d)) {
            return true;
        }
    }
    return false;
}

/* A workflow that follows this run and takes it. */
static bool goes_on_elsewhere(wpa_rule_run *run, const wpa_graph *graph, const wpa_graph_file *own,
                              const wpa_store_artifact *upload, downstream *d)
{
    wpa_handovers found = wpa_handover_downloads(graph, own, upload);
    for (size_t i = 0; i < found.n; i++) {
        if (found.items[i].artifact->is_of_other_run && is_run_there(run, &found.items[i], d)) {
            return true;
        }
    }
    return false;
}

static downstream find_downstream(wpa_rule_run *run, const wpa_site *site, const wpa_intake *intake)
{
    downstream d = {0};
    const wpa_outline *o = site->source->outline;
    const wpa_graph *graph = site->source->around ? site->source->around->graph : NULL;
    const wpa_graph_file *own = wpa_graph_own(graph, site->source, run->arena);
    for (size_t i = 0; i < own->stores.n_artifacts && !d.job; i++) {
        const wpa_store_artifact *a = &own->stores.artifacts[i];
        bool is_behind =
            a->is_upload && &o->jobs[a->job] == site->job && a->step > intake->step->index;
        if (is_behind && (goes_on_here(run, own, a, &d) ||
                          (graph && goes_on_elsewhere(run, graph, own, a, &d)))) {
            d.upload = a->span;
        }
    }
    return d;
}

static void relate_downstream(wpa_rule_run *run, wpa_finding *finding, const downstream *d)
{
    finding->severity = WPA_SEVERITY_CRITICAL;
    finding->confidence = WPA_CONFIDENCE_HIGH;
    wpa_rule_relate(run, finding, d->upload, "hands over what was made of it");
    wpa_rule_relate_in(run, finding, d->source, d->download, "job %s takes it",
                       wpa_rule_quote(run, d->job->id, strlen(d->job->id)));
    wpa_rule_relate_in(run, finding, d->source, d->run, "runs it");
}

static void report(wpa_rule_run *run, const wpa_site *site, const wpa_intake *intake)
{
    wpa_span span;
    const wpa_outline_step *user = find_run(site->job, intake, &span);
    bool is_privileged = wpa_trust_site_is_privileged(site);
    bool is_done = (user && is_privileged) || intake->is_refused;
    downstream d = is_done ? (downstream){0} : find_downstream(run, site, intake);
    const char *event = intake->trust.event ? intake->trust.event : "its trigger";
    const char *end = intake->is_refused ? ": this version of the action refuses to, so it fails"
                      : d.job ? ", and what is made of it runs in a job with rights further down"
                      : user  ? ", and then runs it"
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
    wpa_intake_relate_runs(run, finding, site->job, intake);
    if (intake->step->uses.node) {
        wpa_rule_relate(run, finding, intake->step->uses.span, "brings it in");
    }
    const wpa_yaml_node *repository = wpa_outline_with(intake->step, "repository");
    if (repository && repository->span.start != intake->span.start) {
        wpa_rule_relate(run, finding, repository->span, "from this repository");
    }
    if (d.job) {
        relate_downstream(run, finding, &d);
    }
}

/*
 * A called workflow or an action that takes the tree from the event of whoever calls it: none of
 * the callers that are known is a stranger's, but it would not notice one.
 */
static void check_called(wpa_rule_run *run, const wpa_site *site)
{
    static const char *const inputs[] = {"ref", "repository"};
    for (size_t i = 0; i < WPA_COUNT(inputs); i++) {
        const wpa_yaml_node *node = wpa_outline_with(site->step, inputs[i]);
        wpa_taint taint = wpa_taint_of_scalar(run, site, node, WPA_TAINT_CODE);
        bool is_assumed = taint.trust.is_assumed && taint.grade == WPA_TAINT_OF_ARBITRARY;
        if (is_assumed && wpa_text_starts(taint.path, "github.") &&
            !wpa_text_ends(taint.path, "number")) {
            wpa_finding *finding = wpa_rule_report(
                run, node->span, NULL, node,
                "if called from pull_request_target or the like, strangers choose the code that "
                "is checked out, with the caller's rights");
            finding->severity = WPA_SEVERITY_MEDIUM;
            finding->confidence = WPA_CONFIDENCE_LOW;
            finding->persona = WPA_PERSONA_AUDITOR;
            return;
        }
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    bool is_called = wpa_rule_is_wanted(run, WPA_PERSONA_AUDITOR) &&
                     (run->source->kind == WPA_INPUT_ACTION ||
                      wpa_outline_trigger_find(o, "workflow_call") != NULL);
    for (size_t i = 0; i < o->n_jobs; i++) {
        wpa_site site = {.source = run->source, .job = &o->jobs[i]};
        bool is_in = wpa_intake_is_in_job(run, &site);
        for (size_t k = 0; (is_in || is_called) && k < o->jobs[i].n_steps; k++) {
            site.step = &o->jobs[i].steps[k];
            wpa_intake intake;
            if (is_in && wpa_intake_of(run, &site, &intake) && intake.kind == WPA_INTAKE_CHECKOUT) {
                report(run, &site, wpa_arena_dup(run->arena, &intake, sizeof intake));
            } else if (is_called && wpa_outline_step_uses(site.step, "actions/checkout")) {
                check_called(run, &site);
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
