/*
 * EFF-009: steps that prepare what nothing uses. R1 a checkout nobody reads, R2 a tool nobody runs,
 * R3 the same setup again, R4 Docker without an image, R5 the same install
 * again, or the setup of what the image has.
 */
#include <string.h>

#include "facts/platforms.h"
#include "rules/shell_roles.h"
#include "rules/work.h"

#define LOOK_BACK 32
#define INSTALLS_MAX 8

/* Programs that come with the runner, and neither read the tree nor start another tool. */
static const char *const plain[] = {
    "echo", "printf", "exit",     "true",        "false",       "curl",
    "wget", "jq",     "sleep",    "date",        "test",        "[",
    "[[",   "export", "set",      ":",           "write-host",  "write-output",
    "rem",  "throw",  "get-date", "write-error", "start-sleep", "write-warning"};

static bool is_plain_program(const char *name)
{
    for (size_t i = 0; i < WPA_COUNT(plain); i++) {
        bool may_be = !((*name ^ *plain[i]) & ~0x20);
        if (may_be && wpa_text_is_ci(name, plain[i])) {
            return true;
        }
    }
    return false;
}

/* A file that such a program reads by its name: jq's second word, what is tested for, "< file". */
static bool reads_file(const wpa_shell_command *c)
{
    static const char *const tests[] = {"-f", "-d", "-e", "-s", "-r", "-x", "-L", "-h"};
    bool is_test =
        wpa_text_is(c->name, "test") || wpa_text_is(c->name, "[") || wpa_text_is(c->name, "[[");
    for (size_t i = 0; is_test && i < WPA_COUNT(tests); i++) {
        if (wpa_shell_word_find(c, tests[i])) {
            return true;
        }
    }
    for (size_t i = 0; i < c->n_redirects; i++) {
        if (wpa_text_is(c->redirects[i].operator, "<")) {
            return true;
        }
    }
    return wpa_text_is(c->name, "jq") && wpa_shell_argument(c, 1);
}

/* Nothing but such programs, and no file of the tree among their words. */
static bool is_plain(const wpa_outline_step *step)
{
    static const char *const files[] = {"./",
                                        "@",
                                        "$(",
                                        "`",
                                        "cat ",
                                        "Get-Content",
                                        "type ",
                                        "--data-binary",
                                        "-T ",
                                        "< ",
                                        "<<<",
                                        "github.workspace",
                                        "GITHUB_WORKSPACE",
                                        NULL};
    if (step->uses.kind == WPA_OUTLINE_REPOSITORY) {
        return wpa_outline_uses_trait(step, WPA_TRAIT_METADATA_ONLY) &&
               !wpa_work_mentions(step->node, "script") && !wpa_work_mentions(step->node, "path") &&
               !wpa_work_mentions(step->node, "file") && !wpa_work_mentions(step->node, "config") &&
               !wpa_work_mentions(step->node, "manifest") &&
               !wpa_work_mentions(step->node, ".github/") &&
               !wpa_outline_step_uses(step, "actions/labeler");
    }
    const wpa_script *script = wpa_step_commands(step);
    for (size_t i = 0; script && i < script->n_commands; i++) { /* most have another */
        const wpa_shell_command *c = &script->commands[i];
        if ((*c->name && !is_plain_program(c->name)) || reads_file(c)) {
            return false;
        }
    }
    return script && !wpa_work_mentions_any(step->run, files);
}

/* All that follows is plain, and there is something: a checkout may be all that is wanted. */
static bool is_unread(const wpa_outline_step *step)
{
    const wpa_outline_job *job = step->job;
    for (size_t i = step->index + 1; i < job->n_steps; i++) {
        if (!is_plain(&job->steps[i])) {
            return false;
        }
    }
    return step->index + 1 < job->n_steps;
}

static wpa_finding *report(wpa_rule_run *run, const wpa_outline_step *step, const char *check,
                           const char *message)
{
    return wpa_rule_report(run, step->uses.span, check, step, "%s", message);
}

static void check_unread(wpa_rule_run *run, const wpa_outline_step *step)
{
    bool is_checkout = wpa_outline_step_uses(step, "actions/checkout");
    bool is_tool = !is_checkout && step->uses.fact->has_major && !step->id &&
                   wpa_work_is_setup(step) && !wpa_outline_step_uses(step, "docker/login-action") &&
                   step->uses.fact->action;
    bool is_composite = run->source->kind == WPA_INPUT_ACTION; /* the caller may read it */
    if (is_composite || !(is_checkout || is_tool) || !is_unread(step)) {
        return;
    }
    if (is_checkout) {
        (void)report(run, step, "R1", "no later step reads the repository that is checked out");
    } else {
        (void)report(run, step, "R2", "no later step runs the tool that is set up");
    }
}

/* ---- R3, R5: again ---- */

static bool is_same_text(const wpa_yaml_node *a, const wpa_yaml_node *b)
{
    wpa_slice x = wpa_work_text(a), y = wpa_work_text(b);
    return x.length == y.length && memcmp(x.at, y.at, x.length) == 0;
}

/* Does something stand in the job that is no setup? */
static bool has_work(const wpa_outline_job *job)
{
    for (size_t i = 0; i < job->n_steps; i++) {
        if (!wpa_work_is_setup(&job->steps[i])) {
            return true;
        }
    }
    return false;
}

static bool is_setup_of_tool(const wpa_outline_step *step)
{
    return !step->condition && wpa_work_is_setup(step) &&
           !wpa_outline_step_uses(step, "actions/checkout") &&
           !wpa_outline_step_uses(step, "docker/login-action") &&
           !wpa_work_mentions(step->uses.node, "cache");
}

/* Is the tree checked out between these two steps? */
static bool is_checked_out_between(const wpa_outline_step *before, const wpa_outline_step *step)
{
    for (const wpa_outline_step *s = before + 1; s < step; s++) {
        if (s->uses.kind == WPA_OUTLINE_REPOSITORY &&
            wpa_slice_is_ci(s->uses.repo, "actions/checkout")) {
            return true;
        }
    }
    return false;
}

static void check_again(wpa_rule_run *run, const wpa_outline_step *step)
{
    size_t least = step->index > LOOK_BACK ? step->index - LOOK_BACK : 0;
    for (size_t i = least; i < step->index; i++) {
        const wpa_outline_step *before = &step->job->steps[i];
        bool is_same = before->uses.kind == WPA_OUTLINE_REPOSITORY && !before->condition &&
                       before->uses.slug.length == step->uses.slug.length &&
                       is_same_text(before->uses.node, step->uses.node) &&
                       is_same_text(before->with, step->with);
        if (is_same && is_setup_of_tool(step) && has_work(step->job) &&
            !is_checked_out_between(before, step)) {
            wpa_finding *finding = report(run, step, "R3", "the same setup ran before in this job");
            wpa_rule_relate(run, finding, before->uses.span, "here");
            return;
        }
    }
}

static bool is_install(const wpa_shell_command *c)
{
    static const struct {
        const char *name, *sub;
    } installs[] = {
        {"npm", "ci"},           {"npm", "install"},    {"yarn", "install"},  {"pnpm", "install"},
        {"bundle", "install"},   {"poetry", "install"}, {"uv", "sync"},       {"pip", "install"},
        {"composer", "install"}, {"dotnet", "restore"}, {"nuget", "restore"}, {"choco", "install"},
    };
    for (size_t i = 0; i < WPA_COUNT(installs) && (c->known & WPA_KNOWN_INSTALLER); i++) {
        if (wpa_shell_is(c, installs[i].name, installs[i].sub)) {
            return true;
        }
    }
    return false;
}

/* The tree, the folder or the tool may have changed in between. */
static bool moves(const wpa_outline_step *step)
{
    static const char *const words[] = {
        "cd ",          "git ",          "rm ",         "pushd",      "if ",      "for ",
        "venv",         "uninstall",     "sed ",        "deactivate", "activate", "foreach",
        "Set-Location", "Push-Location", "Remove-Item", "del ",       NULL};
    return step->condition || wpa_yaml_find(step->node, "working-directory") ||
           wpa_yaml_find(step->node, "env") || wpa_work_mentions_any(step->run, words) ||
           wpa_outline_step_uses(step, "actions/checkout") || wpa_work_is_setup(step);
}

static void check_install(wpa_rule_run *run, const wpa_outline_step *step,
                          const wpa_shell_command *c)
{
    wpa_slice text = {wpa_step_commands(step)->text + c->span.start, wpa_span_length(c->span)};
    size_t least = step->index > LOOK_BACK ? step->index - LOOK_BACK : 0;
    for (size_t i = step->index; i-- > least;) {
        const wpa_outline_step *before = &step->job->steps[i];
        if (moves(before)) {
            return;
        }
        const wpa_script *script = wpa_step_commands(before);
        for (size_t k = 0; script && k < script->n_commands; k++) {
            const wpa_shell_command *other = &script->commands[k];
            wpa_span span = other->span;
            if (wpa_span_length(span) == text.length &&
                memcmp(script->text + span.start, text.at, text.length) == 0) {
                wpa_finding *finding = wpa_rule_report(run, wpa_outline_script_span(step, c->span),
                                                       "R5", NULL, "%s ran before in this job",
                                                       wpa_rule_quote(run, text.at, text.length));
                wpa_rule_relate(run, finding, wpa_outline_script_span(before, span), "here");
                return;
            }
        }
    }
}

/* Newer majors do so by themselves: of Go from 4 on, of Node from 5 on. */
static bool keeps_cache(const wpa_outline_step *step, const wpa_fact_runtime *runtime)
{
    return wpa_outline_major(&step->uses) > (wpa_text_is(runtime->name, "go") ? 3 : 4);
}

/* A setup without a version takes what the path has, and then there was nothing to set up. */
static void check_present(wpa_rule_run *run, const wpa_outline_step *step)
{
    const wpa_fact_runtime *runtime = wpa_outline_runtime(step);
    const wpa_fact_program *program =
        runtime ? wpa_facts_program_find(wpa_slice_of(runtime->command)) : NULL;
    bool is_lenient =
        runtime && (wpa_text_is(runtime->name, "node") || wpa_text_is(runtime->name, "go"));
    bool is_bare = !step->with || step->with->n_pairs == 0;
    if (!program || !is_lenient || !is_bare || step->condition || step->id || is_unread(step) ||
        keeps_cache(step, runtime) || !wpa_work_is_hosted(step->job) ||
        wpa_yaml_find(step->job->node, "container")) {
        return;
    }
    for (size_t i = 0; i < step->job->n_labels; i++) {
        const wpa_fact_image *image = wpa_facts_image_of(step->job->labels[i].runner);
        const wpa_fact_presence *on = image ? wpa_facts_program_on(program, image->name) : NULL;
        if (!on || !on->version) {
            return;
        }
    }
    (void)wpa_rule_report(run, step->uses.span, "R5", step,
                          "no version is asked for: the %s that the runner has is used as it is",
                          runtime->command);
}

/* ---- R4: Docker ---- */

/* May a later step have to do with images? What is not known may. */
static bool may_use_docker(const wpa_outline_step *step)
{
    static const char *const words[] = {"docker", "buildx",  "image", "container",  "push",
                                        "ghcr",   "compose", "helm",  "ko ",        "cosign",
                                        "skopeo", "crane",   "oras",  "podman",     "platform",
                                        "make",   "task ",   "bake",  "goreleaser", NULL};
    for (size_t i = step->index + 1; i < step->job->n_steps; i++) {
        const wpa_outline_step *later = &step->job->steps[i];
        bool is_known = wpa_work_is_setup(later) || wpa_work_step_roles(later) || is_plain(later);
        bool runs_file = later->run && (wpa_work_mentions(later->run, "/") ||
                                        wpa_work_mentions(later->run, "\\"));
        if (!is_known || runs_file || wpa_work_mentions_any(later->node, words)) {
            return true;
        }
    }
    return false;
}

/* Programs of another machine run by QEMU without any image, where what is built or tested is. */
static bool may_emulate(const wpa_outline_job *job)
{
    static const char *const words[] = {"arch",  "--target", "s390x", "ppc64",
                                        "riscv", "mips",     NULL};
    return wpa_work_mentions_any(job->node, words);
}

static void check_docker(wpa_rule_run *run, const wpa_outline_step *step)
{
    bool is_qemu = wpa_outline_step_uses(step, "docker/setup-qemu-action");
    bool is_docker = (is_qemu && !may_emulate(step->job)) ||
                     wpa_outline_step_uses(step, "docker/login-action") ||
                     wpa_outline_step_uses(step, "docker/setup-buildx-action");
    if (is_docker && run->source->kind == WPA_INPUT_WORKFLOW && !step->id &&
        step->index + 1 < step->job->n_steps && !is_unread(step) && !may_use_docker(step)) {
        (void)report(run, step, "R4", "no later step builds, fetches or pushes an image");
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
            if (step->uses.kind == WPA_OUTLINE_REPOSITORY) {
                check_unread(run, step);
                check_again(run, step);
                check_docker(run, step);
                check_present(run, step);
            }
            const wpa_script *script = wpa_step_commands(step);
            size_t n = 0;
            for (size_t c = 0; script && n < INSTALLS_MAX && c < script->n_commands; c++) {
                if (!is_install(&script->commands[c])) {
                    continue;
                }
                if (moves(step)) {
                    break;
                }
                check_install(run, step, &script->commands[c]);
                n++;
            }
        }
    }
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const wpa_outline_step *step = finding->subject;
    if (step && !step->id) {
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "remove the step");
        (void)wpa_rule_remove_entry(run, fix, step->node);
    }
}

const wpa_rule wpa_rule_redundant_setup = {
    .code = "EFF-009",
    .id = "redundant-setup",
    .dimension = WPA_DIMENSION_EFFICIENCY,
    .kind = WPA_KIND_INEFFICIENCY,
    .severity = WPA_SEVERITY_LOW,
    .confidence = WPA_CONFIDENCE_MEDIUM,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "A step prepares what nothing uses, or what is there already",
    .why = "Each such step costs seconds of every run, and makes readers look for its use.",
    .fix = "Remove it.",
    .checks = (const char *const[]){"R1", "R2", "R3", "R4", "R5", NULL},
    .supersedes = (const char *const[]){"unpinned-toolchain", NULL},
    .tables = 1U << WPA_FACTS_COMMANDS | 1U << WPA_FACTS_IMAGES,
    .declares = WPA_DECLARES_SCRIPT,
    .check = check,
    .repair = repair,
};
