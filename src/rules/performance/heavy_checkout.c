/* PRF-006: a checkout fetches more than the job reads. */
#include <string.h>

#include "rules/shell_roles.h"
#include "rules/variables.h"
#include "rules/work.h"

#define LOOK_BACK 32

static const wpa_rule_option options[] = {
    {"max-files", "20000", "files of a repository from which jobs should fetch a part",
     WPA_OPTION_NUMBER},
    {0},
};

typedef struct subject {
    const wpa_outline_step *step;
    const wpa_yaml_node *input; /* NULL: the whole step */
    bool is_large;              /* then it only fetches less */
} subject;

static void report(wpa_rule_run *run, const wpa_outline_step *step, const wpa_yaml_node *input,
                   const char *message)
{
    subject *s = wpa_arena_alloc(run->arena, sizeof *s);
    *s = (subject){step, input, false};
    (void)wpa_rule_report(run, input ? input->span : step->uses.span, NULL, s, "%s", message);
}

/* Looks at the sources and nothing else. */
static bool only_lints(const wpa_outline_job *job)
{
    unsigned roles = wpa_work_job_roles(job);
    return (roles & WPA_DOES_LINT) && !(roles & ~(unsigned)(WPA_DOES_LINT | WPA_DOES_INSTALL)) &&
           !wpa_work_has_unknown(job);
}

static void check_inputs(wpa_rule_run *run, const wpa_outline_step *step)
{
    const wpa_yaml_node *submodules = wpa_outline_with(step, "submodules");
    const wpa_yaml_node *lfs = wpa_outline_with(step, "lfs");
    const char *depth = wpa_yaml_text(submodules);
    if (!only_lints(step->job)) {
        return;
    }
    if (wpa_text_is_ci(depth, "recursive") || wpa_text_is_ci(depth, "true")) {
        report(run, step, submodules, "a job that only lints fetches all submodules");
    }
    if (wpa_text_is_ci(wpa_yaml_text(lfs), "true")) {
        report(run, step, lfs, "a job that only lints fetches all files of Git LFS");
    }
}

static bool is_same_input(const wpa_outline_step *a, const wpa_outline_step *b, const char *name)
{
    const char *x = wpa_outline_with_text(a, name), *y = wpa_outline_with_text(b, name);
    return wpa_text_is(x ? x : "", y ? y : "");
}

/* A script of the repository may move the tree. */
static bool runs_own_script(const wpa_outline_step *step)
{
    const wpa_script *script = wpa_step_commands(step);
    for (size_t i = 0; script && i < script->n_commands; i++) {
        const wpa_shell_command *c = &script->commands[i];
        if (c->first < c->n_words && strpbrk(c->words[c->first].text, "/\\")) {
            return true;
        }
    }
    return false;
}

/* Nothing between the two that would change what a checkout brings. */
static void check_again(wpa_rule_run *run, const wpa_outline_step *step)
{
    static const char *const inputs[] = {
        "repository",      "ref",    "path",    "fetch-depth",        "token", "submodules", "lfs",
        "sparse-checkout", "filter", "ssh-key", "persist-credentials"};
    static const char *const moves[] = {"git ", "rm -rf", "rm -r", NULL};
    size_t least = step->index > LOOK_BACK ? step->index - LOOK_BACK : 0;
    for (size_t i = step->index; i-- > least && !step->condition;) {
        const wpa_outline_step *before = &step->job->steps[i];
        bool is_same = wpa_outline_step_uses(before, "actions/checkout") && !before->condition;
        for (size_t k = 0; is_same && k < WPA_COUNT(inputs); k++) {
            is_same = is_same_input(step, before, inputs[k]);
        }
        if (is_same) {
            report(run, step, NULL, "the same repository at the same ref is checked out again");
            return;
        }
        bool is_unknown = before->uses.kind == WPA_OUTLINE_LOCAL ||
                          (before->run && !wpa_step_commands(before)) || runs_own_script(before);
        if (is_unknown || wpa_work_mentions_any(before->run, moves)) {
            return;
        }
    }
}

/* ---- much fetched, little read ---- */

/* Reads single files at most: nothing of the project runs, and no path leads to all of it. */
static bool reads_little(const wpa_outline_step *checkout)
{
    static const char *const all[] = {"find ", "grep -r", "-R", "git ", "**",
                                      "tar ",  "zip ",    "./", NULL};
    const wpa_outline_job *job = checkout->job;
    for (size_t i = checkout->index + 1; i < job->n_steps; i++) {
        const wpa_outline_step *step = &job->steps[i];
        bool is_light = wpa_outline_uses_trait(step, WPA_TRAIT_METADATA_ONLY);
        if (step->run ? wpa_variables_readers(step) != WPA_READERS_NONE ||
                            wpa_work_mentions_any(step->run, all)
                      : !is_light) {
            return false;
        }
    }
    return checkout->index + 1 < job->n_steps;
}

static void check_large(wpa_rule_run *run, const wpa_outline_step *step)
{
    static const char *const partial[] = {"sparse-checkout", "filter", "repository", "ref", "path",
                                          "submodules",      "lfs"};
    const wpa_surroundings *around = run->source->around;
    size_t most = (size_t)wpa_rule_option_int(run, "max-files", 1, 10000000, 20000);
    bool is_whole = around && around->has_paths && around->n_paths > most &&
                    run->source->kind == WPA_INPUT_WORKFLOW;
    for (size_t i = 0; is_whole && i < WPA_COUNT(partial); i++) {
        is_whole = !wpa_outline_with(step, partial[i]);
    }
    if (is_whole && reads_little(step)) {
        subject *s = wpa_arena_alloc(run->arena, sizeof *s);
        *s = (subject){step, NULL, true};
        (void)wpa_rule_report(run, step->uses.span, NULL, s,
                              "all %zu files are fetched for a job that reads a few of them",
                              around->n_paths);
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
            const wpa_outline_step *step = &o->jobs[i].steps[k];
            if (wpa_outline_step_uses(step, "actions/checkout")) {
                check_inputs(run, step);
                check_again(run, step);
                check_large(run, step);
            }
        }
    }
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const subject *s = finding->subject;
    if (s->is_large) {
        wpa_fix *less = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "fetch files as they are read");
        (void)wpa_rule_add_in(run, less, s->step->node, "with", "uses", "filter", "blob:none");
        return;
    }
    wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "remove it");
    if (!s->input && !s->step->id) {
        (void)wpa_rule_remove_entry(run, fix, s->step->node);
    } else if (s->input) {
        bool is_only = s->step->with->n_pairs == 1;
        (void)wpa_rule_remove_entry(run, fix, is_only ? s->step->with : s->input);
    }
}

const wpa_rule wpa_rule_heavy_checkout = {
    .code = "PRF-006",
    .id = "heavy-checkout",
    .dimension = WPA_DIMENSION_PERFORMANCE,
    .kind = WPA_KIND_INEFFICIENCY,
    .severity = WPA_SEVERITY_LOW,
    .confidence = WPA_CONFIDENCE_MEDIUM,
    .persona = WPA_PERSONA_PEDANTIC,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "A checkout fetches more than the job reads",
    .why = "Submodules and large files are downloaded by every run, and so is a second copy.",
    .fix = "Leave out submodules, lfs and the second checkout where nothing reads them.",
    .options = options,
    .declares = WPA_DECLARES_SCRIPT,
    .words = (const char *const[]){"actions/checkout", NULL},
    .check = check,
    .repair = repair,
};
