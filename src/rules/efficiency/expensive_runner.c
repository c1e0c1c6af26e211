/* EFF-007: a dear runner does what the cheapest one would. */
#include <string.h>

#include "rules/work.h"

/* What the repair needs. */
typedef struct subject {
    const wpa_yaml_node *label; /* to be replaced, or NULL */
} subject;

static const wpa_rule_option options[] = {
    {"portable", "", "programs that do the same on every runner, separated by blanks or commas",
     WPA_OPTION_TEXT},
    {0},
};

/* Words that tie work to a system. */
static const char *const bound[] = {
    "xcode",  "swift",           "codesign",      "notary",  "pod ",      "cocoapods", "ios",
    "macos",  "darwin",          ".app",          "dmg",     "brew",      "msbuild",   "signtool",
    "vcvars", "choco",           "windows",       "wix",     "nuget",     ".exe",      "powershell",
    "pwsh",   "registry",        "visual studio", "vswhere", "simulator", "fastlane",  "apple",
    "osx",    "metal",           "mingw",         "msys",    "cl.exe",    "winget",    ".dll",
    "hvf",    "androidemulator", "emulator",      NULL};

static bool is_dear(const wpa_fact_runner *runner)
{
    bool is_larger = runner && runner->size && !wpa_text_is(runner->size, "slim");
    return runner && (is_larger || runner->os == WPA_OS_MACOS || runner->os == WPA_OS_WINDOWS);
}

/* Looks at the sources, which are the same on every system. */
static bool only_looks(const wpa_outline_job *job)
{
    unsigned roles = wpa_work_job_roles(job);
    return (roles & WPA_DOES_LINT) && !(roles & ~(unsigned)(WPA_DOES_LINT | WPA_DOES_INSTALL)) &&
           !wpa_work_has_unknown(job);
}

/* These read what is compiled, and files of other systems are left out of that. */
static bool reads_by_system(const wpa_outline_job *job)
{
    static const char *const words[] = {"golangci",   "staticcheck", "go vet",      "revive",
                                        "gosec",      "errcheck",    "govulncheck", "clippy",
                                        "clang-tidy", "mypy",        "pyright",     NULL};
    for (size_t i = 0; i < job->n_steps; i++) {
        if (wpa_work_mentions_any(job->steps[i].node, words)) {
            return true;
        }
    }
    return false;
}

/* Does the script call nothing but programs that the configuration names? */
static bool is_portable(const wpa_rule_run *run, const wpa_outline_step *step)
{
    const wpa_script *script = step->script;
    bool is = script && script->is_readable && script->n_commands > 0;
    for (size_t i = 0; is && i < script->n_commands; i++) {
        is = wpa_rule_option_lists(run, "portable", wpa_slice_of(script->commands[i].name));
    }
    return is;
}

/* Talks to the forge or decides something: no tool of any system in it. */
static bool only_asks(const wpa_rule_run *run, const wpa_outline_job *job)
{
    for (size_t i = 0; i < job->n_steps; i++) {
        const wpa_outline_step *step = &job->steps[i];
        if (!wpa_work_is_quick(step) && !is_portable(run, step) &&
            !wpa_outline_step_uses(step, "actions/checkout") &&
            !wpa_outline_step_uses(step, "actions/github-script")) {
            return false;
        }
    }
    return job->n_steps > 0;
}

/* Without the labels themselves, does anything speak of the system? */
static bool is_bound(const wpa_outline_job *job)
{
    const char *name = wpa_yaml_text(wpa_yaml_get(job->node, "name"));
    for (size_t i = 0; i < job->n_steps; i++) {
        if (wpa_work_mentions_any(job->steps[i].node, bound)) {
            return true;
        }
    }
    static const char *const systems[] = {"mac", "win", "ios", "osx", "darwin", NULL};
    return wpa_work_has_word(job->id, systems) || wpa_work_has_word(name, systems) ||
           wpa_work_mentions_any(wpa_yaml_get(job->node, "defaults"), bound);
}

static void report(wpa_rule_run *run, const wpa_outline_label *label, bool is_leg)
{
    subject *s = wpa_arena_alloc(run->arena, sizeof *s);
    *s = (subject){is_leg ? NULL : label->node};
    const wpa_fact_runner *cheap = wpa_facts_runner_find(wpa_slice_of("ubuntu-latest"));
    unsigned rate = label->runner->usd_per_1000_minutes;
    unsigned least = cheap ? cheap->usd_per_1000_minutes : 0;
    const char *price =
        rate && least ? wpa_arena_printf(run->arena, ", whose minute costs %.1f times as much",
                                         (double)rate / (double)least)
                      : "";
    (void)wpa_rule_report(run, label->node->span, NULL, s,
                          is_leg ? "linters say the same on every system: this leg repeats the one "
                                   "on Linux%s"
                                 : "nothing in this job needs this runner%s",
                          price);
}

static void check_job(wpa_rule_run *run, const wpa_outline_job *job)
{
    const wpa_outline_label *dear = NULL;
    bool has_linux = false;
    for (size_t i = 0; i < job->n_labels; i++) {
        const wpa_fact_runner *runner = job->labels[i].runner;
        has_linux = has_linux || (runner && runner->os == WPA_OS_LINUX && !is_dear(runner));
        dear = is_dear(runner) && !dear ? &job->labels[i] : dear;
    }
    if (!dear || job->is_self_hosted || job->has_open_labels ||
        (!only_looks(job) && !only_asks(run, job))) {
        return;
    }
    if (dear->runner->os != WPA_OS_LINUX && reads_by_system(job)) {
        return;
    }
    if (dear->is_from_matrix && has_linux && only_looks(job)) {
        report(run, dear, true);
    } else if (!dear->is_from_matrix && job->n_labels == 1 && !is_bound(job)) {
        report(run, dear, false);
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    for (size_t i = 0; i < o->n_jobs; i++) {
        check_job(run, &o->jobs[i]);
    }
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const subject *s = finding->subject;
    if (s->label) {
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "run it on ubuntu-latest");
        wpa_rule_edit(run, fix, s->label->span, "ubuntu-latest");
    }
}

const wpa_rule wpa_rule_expensive_runner = {
    .code = "EFF-007",
    .id = "expensive-runner",
    .dimension = WPA_DIMENSION_EFFICIENCY,
    .kind = WPA_KIND_INEFFICIENCY,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_MEDIUM,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "A macOS, Windows or larger runner does what the standard Linux runner would",
    .why = "Its minutes cost more, there are fewer of them at a time, and it starts later.",
    .fix = "Run on ubuntu-latest, or take the system out of a matrix that only lints.",
    .tables = 1U << WPA_FACTS_RUNNERS | 1U << WPA_FACTS_COMMANDS,
    .declares = WPA_DECLARES_RUNNER,
    .options = options,
    .check = check,
    .repair = repair,
};
