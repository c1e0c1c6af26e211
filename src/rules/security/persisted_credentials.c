/* SEC-006: checkout leaves its token behind, and the job then hands it on. */
#include <string.h>

#include "rules/hidden.h"
#include "rules/intake.h"
#include "rules/needs.h"
#include "rules/pin.h"
#include "rules/steps.h"

typedef struct exposure {
    const wpa_yaml_node *node; /* where, or NULL */
    const char *how;
    wpa_severity severity;
} exposure;

/* ".git" or ".git/config", behind the folder whose length is given. */
static bool is_git_of(wpa_slice path, size_t folder)
{
    size_t at = folder + (folder && folder < path.length && path.at[folder] == '/');
    return path.length >= at + 4 && memcmp(path.at + at, ".git", 4) == 0 &&
           (path.length == at + 4 || path.at[at + 4] == '/');
}

/* Is it the folder, everything in it, or its .git? */
static bool is_folder(wpa_slice path, wpa_slice folder)
{
    static const char *const rest[] = {"", "/", "/*", "/**", "/**/*"};
    if (path.length < folder.length || memcmp(path.at, folder.at, folder.length) != 0) {
        return false;
    }
    wpa_slice behind = {path.at + folder.length, path.length - folder.length};
    for (size_t i = 0; i < WPA_COUNT(rest); i++) {
        if (wpa_slice_is(behind, rest[i])) {
            return true;
        }
    }
    return is_git_of(path, folder.length);
}

static wpa_slice without_dot(wpa_slice path)
{
    bool is_dotted = path.length > 2 && path.at[0] == '.' && path.at[1] == '/';
    return is_dotted ? (wpa_slice){path.at + 2, path.length - 2} : path;
}

/* Does one of the paths cover .git of the workspace, or of the folder if one is given? */
static bool covers_git(const char *paths, wpa_slice folder)
{
    bool covers = false;
    while (*paths) {
        paths += strspn(paths, " \t\r\n");
        size_t length = strcspn(paths, "\n");
        size_t end = length;
        while (end && strchr(" \t\r", paths[end - 1])) {
            end--;
        }
        wpa_slice path = without_dot((wpa_slice){paths, end});
        bool is_it = folder.length ? is_folder(path, folder)
                                   : wpa_path_is_workspace((wpa_slice){paths, end}) ||
                                         wpa_path_is_above_workspace(path) || is_git_of(path, 0);
        if (end && *paths == '!' && wpa_text_find(paths, end, ".git")) {
            return false; /* taken out again */
        }
        covers = covers || is_it;
        paths += length;
    }
    return covers;
}

static bool uploads_git(const wpa_outline_step *step, wpa_slice folder)
{
    const char *path = wpa_outline_step_uses(step, "actions/upload-artifact")
                           ? wpa_outline_with_text(step, "path")
                           : NULL;
    if (!path || !covers_git(path, folder)) {
        return false;
    }
    return !wpa_hidden_is_left_out(step); /* .git is one of them */
}

static bool is_docker_action(const wpa_outline_uses *uses)
{
    return uses->kind == WPA_OUTLINE_DOCKER ||
           (uses->fact && uses->fact->has_major && wpa_text_is(uses->fact->major.using, "docker"));
}

/* Does the step run files that strangers brought in before? */
static bool runs_their_code(wpa_rule_run *run, const wpa_outline_step *step)
{
    wpa_site site = {.source = run->source, .job = step->job, .step = step};
    wpa_intake intake;
    wpa_span ran;
    return wpa_intake_before(run, &site, &intake) && !intake.is_refused &&
           wpa_intake_is_run_by(&intake, step, &ran);
}

/* is_in: something of strangers is brought into the job. */
static exposure exposure_of(wpa_rule_run *run, const wpa_outline_step *step, bool is_in)
{
    if (uploads_git(step, (wpa_slice){0})) {
        return (exposure){step->node, "it is uploaded with the workspace", WPA_SEVERITY_HIGH};
    }
    if (is_in && runs_their_code(run, step)) {
        return (exposure){step->node, "code of strangers that runs here can read it",
                          WPA_SEVERITY_MEDIUM};
    }
    if (is_docker_action(&step->uses)) {
        return (exposure){step->uses.node, "it is mounted into a Docker action",
                          WPA_SEVERITY_MEDIUM};
    }
    bool is_loose = step->uses.kind == WPA_OUTLINE_REPOSITORY &&
                    step->uses.fact->pin != WPA_PIN_COMMIT &&
                    !wpa_rule_is_trusted_owner(run, step->uses.owner);
    if (is_loose) {
        return (exposure){step->uses.node, "an action that is not pinned can read it",
                          WPA_SEVERITY_MEDIUM};
    }
    return (exposure){0};
}

/* What stands behind the checkout in its job. */
typedef struct aftermath {
    exposure worst;
    bool needs_credentials;
} aftermath;

/* [n_steps] for each step of the job; from the last to the first, or many checkouts would each look
   at all that is behind them. */
static aftermath *look_behind(wpa_rule_run *run, const wpa_outline_job *job)
{
    aftermath *all = wpa_arena_array(run->arena, job->n_steps + 1, sizeof *all);
    wpa_site site = {.source = run->source, .job = job};
    bool is_in = wpa_intake_is_in_job(run, &site);
    for (size_t i = job->n_steps; i-- > 1;) {
        aftermath *after = &all[i - 1];
        exposure e = exposure_of(run, &job->steps[i], is_in);
        *after = all[i];
        if (e.node && (!after->worst.node || e.severity >= after->worst.severity)) {
            after->worst = e; /* of equals the first in the file */
        }
    }
    return all;
}

static void look_for_needs(const wpa_source *source, const wpa_outline_job *job, aftermath *all)
{
    wpa_release_words words = wpa_release_words_of(source->yaml);
    for (size_t i = job->n_steps; i-- > 1;) {
        all[i - 1].needs_credentials =
            all[i].needs_credentials || wpa_needs_git_credentials(&job->steps[i], &words);
    }
}

/* Steps behind a checkout that are asked whether they upload its own folder. */
#define OWN_FOLDER_STEPS 64

/* Of a checkout into a folder of its own: the step that uploads that folder. */
static exposure exposure_of_folder(const wpa_outline_step *checkout)
{
    const char *path = wpa_outline_with_text(checkout, "path");
    wpa_slice folder = without_dot(wpa_slice_of(path ? path : ""));
    while (folder.length && folder.at[folder.length - 1] == '/') {
        folder.length--;
    }
    const wpa_outline_job *job = checkout->job;
    for (size_t i = checkout->index + 1; folder.length && i < job->n_steps; i++) {
        if (i > checkout->index + OWN_FOLDER_STEPS) {
            break;
        }
        if (uploads_git(&job->steps[i], folder)) {
            return (exposure){job->steps[i].node, "it is uploaded with its folder",
                              WPA_SEVERITY_HIGH};
        }
    }
    return (exposure){0};
}

/* Of a finding. */
typedef struct subject {
    const wpa_outline_step *step;
    bool needs_credentials;
} subject;

static wpa_severity one_lower(wpa_severity severity)
{
    return severity > WPA_SEVERITY_LOW ? severity - 1 : severity;
}

/* Does the checkout leave the token, as far as its inputs tell? */
static bool leaves_token(const wpa_outline_step *step)
{
    const wpa_yaml_node *value = wpa_outline_with(step, "persist-credentials");
    const char *text = wpa_yaml_text(value);
    bool with_is_open = wpa_yaml_find(step->node, "with") && !step->with;
    return !with_is_open &&
           (!value || wpa_text_is_ci(text, "true") || wpa_outline_has_expression(text));
}

/* A job with checkouts that leave the token. */
typedef struct leaving {
    const wpa_outline_job *job;
    aftermath *after; /* [n_steps] */
    bool are_needs_known;
    bool is_for_all; /* what most people do not want to hear of is told as well */
} leaving;

static void check_checkout(wpa_rule_run *run, const wpa_outline_step *step, leaving *l)
{
    aftermath after = l->after[step->index];
    const char *text = wpa_outline_with_text(step, "persist-credentials");
    bool is_explicit = wpa_text_is_ci(text, "true");
    bool is_computed = wpa_outline_has_expression(text);
    exposure of_folder = exposure_of_folder(step);
    after.worst = of_folder.node ? of_folder : after.worst;
    if (!l->is_for_all && (!after.worst.node || is_explicit || is_computed)) {
        return;
    }
    if (!l->are_needs_known) {
        look_for_needs(run->source, l->job, l->after);
        l->are_needs_known = true;
    }
    after.needs_credentials = l->after[step->index].needs_credentials;
    if (!l->is_for_all && after.needs_credentials) {
        return;
    }
    const wpa_yaml_node *first = step->node->n_pairs ? step->node->pairs[0].key : NULL;
    const char *how = after.worst.how ? after.worst.how : "every later step can read it";
    subject *s = wpa_arena_alloc(run->arena, sizeof *s);
    *s = (subject){step, after.needs_credentials};
    wpa_finding *finding = wpa_rule_report(
        run, step->uses.span, NULL, s, "checkout leaves the job's token on disk, where %s", how);
    if (after.worst.node) {
        finding->severity = after.worst.severity;
        finding->confidence =
            after.worst.severity == WPA_SEVERITY_HIGH ? WPA_CONFIDENCE_HIGH : WPA_CONFIDENCE_MEDIUM;
        bool is_step = wpa_yaml_is(after.worst.node, WPA_YAML_MAPPING) && after.worst.node->n_pairs;
        wpa_rule_relate(run, finding,
                        is_step ? after.worst.node->pairs[0].key->span : after.worst.node->span,
                        "here");
    } else {
        finding->severity = WPA_SEVERITY_LOW;
        finding->confidence = WPA_CONFIDENCE_LOW;
        finding->persona = WPA_PERSONA_PEDANTIC;
    }
    if (first && first->span.start < step->uses.node->key->span.start) {
        wpa_rule_relate(run, finding, first->span, "this step");
    }
    if (wpa_outline_major(&step->uses) >= 6) { /* kept outside of the workspace since */
        finding->severity = one_lower(finding->severity);
    }
    if (is_explicit || is_computed || after.needs_credentials) {
        finding->persona = WPA_PERSONA_AUDITOR;
    }
    if (is_computed) {
        finding->severity = WPA_SEVERITY_LOW;
        finding->confidence = WPA_CONFIDENCE_LOW;
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    bool is_for_all = wpa_rule_is_wanted(run, WPA_PERSONA_PEDANTIC);
    for (size_t i = 0; i < o->n_jobs; i++) {
        leaving l = {.job = &o->jobs[i], .is_for_all = is_for_all};
        for (size_t k = 0; k < o->jobs[i].n_steps; k++) {
            const wpa_outline_step *step = &o->jobs[i].steps[k];
            if (wpa_outline_step_uses(step, "actions/checkout") && leaves_token(step)) {
                l.after = l.after ? l.after : look_behind(run, &o->jobs[i]);
                check_checkout(run, step, &l);
            }
        }
    }
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const subject *s = finding->subject;
    const wpa_outline_step *step = s->step;
    const wpa_yaml_node *given = wpa_outline_with(step, "persist-credentials");
    if (s->needs_credentials || wpa_outline_has_expression(wpa_yaml_text(given))) {
        return;
    }
    wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "add persist-credentials: false");
    if (given) {
        wpa_rule_edit(run, fix, given->span, "false");
    } else {
        (void)wpa_rule_add_in(run, fix, step->node, "with", "uses", "persist-credentials", "false");
    }
}

const wpa_rule wpa_rule_persisted_credentials = {
    .code = "SEC-006",
    .id = "persisted-credentials",
    .dimension = WPA_DIMENSION_SECURITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_MEDIUM,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "Checkout leaves the job's token where later steps can take it",
    .why = "An artifact of the workspace, or any action of the job, carries the token away.",
    .fix = "Set persist-credentials: false unless a later step pushes.",
    .elsewhere = (const char *const[]){"zizmor/artipacked", NULL},
    .declares = WPA_DECLARES_SCRIPT, /* what a step does with its inputs */
    .tables = 1U << WPA_FACTS_ACTIONS,
    .words = (const char *const[]){"actions/checkout", NULL},
    .check = check,
    .repair = repair,
};
