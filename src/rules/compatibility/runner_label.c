/* CMP-005: a runner label that GitHub does not know, or labels that no runner has together. */
#include <string.h>

#include "rules/own.h"
#include "rules/settings.h"
#include "rules/upgrade.h"

/** Labels of one job that are looked at. */
#define LABELS_MAX 200

static const wpa_rule_option options[] = {
    {"labels", "", "globs of labels of your own runners, separated by blanks", WPA_OPTION_TEXT},
    {"unknown", "on", "off: do not report labels that are merely unknown (L1)", WPA_OPTION_SWITCH},
    {0},
};

static bool is_own_label(const wpa_rule_run *run, const char *text)
{
    const char *globs = wpa_rule_option_text(run, "labels");
    while (globs && *globs) {
        globs += strspn(globs, " ,");
        size_t length = strcspn(globs, " ,");
        const char *glob = wpa_arena_slice(run->arena, globs, length);
        if (length && wpa_glob_fits(glob, text)) {
            return true;
        }
        globs += length;
    }
    return false;
}

/* The hosted label that this one is a slip of, or NULL. */
static const char *find_near(const char *text)
{
    wpa_fact_list names = wpa_facts_runner_names();
    for (size_t i = 0; names[i]; i++) {
        bool may_be = wpa_rule_is_one_edit(wpa_slice_of(text), names[i]); /* few are */
        const wpa_fact_runner *runner =
            may_be ? wpa_facts_runner_find(wpa_slice_of(names[i])) : NULL;
        if (runner && runner->state == WPA_RUNNER_CURRENT && !runner->size) {
            return names[i];
        }
    }
    return NULL;
}

/* A system, with its version or without, and nothing else: hosted runners are called so,
   "linux-latest" is none. What self-hosted runners have as a label is not asked for. */
static bool has_hosted_form(const char *text)
{
    if (wpa_text_is_ci(text, "ubuntu")) {
        return true;
    }
    static const char *const systems[] = {"ubuntu-", "windows-", "macos-", "linux-",
                                          "mac-",    "osx-",     "win-",   "darwin-"};
    size_t length = 0;
    for (size_t i = 0; i < WPA_COUNT(systems) && !length; i++) {
        size_t n = strlen(systems[i]);
        length = strncasecmp(text, systems[i], n) == 0 ? n : 0;
    }
    const char *version = text + length;
    bool is_number = *version && version[strspn(version, "0123456789.")] == '\0';
    return length && (is_number || wpa_text_is_ci(version, "latest"));
}

/* Known labels with commas or blanks between them: GitHub reads one label. Some who offer runners
   have settings with commas in their labels, but those are no labels by themselves. */
static bool is_list_in_text(const char *text)
{
    if (!strpbrk(text, ", ")) {
        return false;
    }
    for (const char *part = text; *part;) {
        part += strspn(part, ", ");
        wpa_slice label = {part, strcspn(part, ", ")};
        if (label.length && !wpa_facts_runner_find(label) &&
            !wpa_facts_runner_is_self_hosted_label(label)) {
            return false;
        }
        part += label.length;
    }
    return true;
}

/* L1; beside "self-hosted" or a group a label is most likely one of the user's own. */
static void check_label(wpa_rule_run *run, const wpa_outline_job *job,
                        const wpa_outline_label *label)
{
    if (label->runner || wpa_facts_runner_is_self_hosted_label(wpa_slice_of(label->text)) ||
        is_own_label(run, label->text)) {
        return;
    }
    const char *near = job->is_self_hosted ? NULL : find_near(label->text);
    const char *name = wpa_rule_quote(run, label->text, strlen(label->text));
    if (near) {
        (void)wpa_rule_report(run, label->node->span, "L1", label,
                              "no hosted runner is called %s: the job waits for ever (did you "
                              "mean %s?)",
                              name, near);
    } else if (is_list_in_text(label->text)) {
        (void)wpa_rule_report(run, label->node->span, "L1", NULL,
                              "%s is one label to GitHub, and no runner has it: labels of one "
                              "runner go into a list, several runners into a matrix",
                              name);
    } else if (!wpa_text_is(wpa_rule_option_text(run, "unknown"), "off")) {
        wpa_finding *finding =
            wpa_rule_report(run, label->node->span, "L1", NULL,
                            "%s is no label of GitHub's: unless you run such a runner, the job "
                            "waits for ever",
                            name);
        if (!job->is_self_hosted && has_hosted_form(label->text)) {
            finding->severity = WPA_SEVERITY_MEDIUM;
            finding->confidence = WPA_CONFIDENCE_MEDIUM;
            return;
        }
        finding->severity = WPA_SEVERITY_LOW;
        finding->confidence = WPA_CONFIDENCE_LOW;
        finding->persona = job->is_self_hosted ? WPA_PERSONA_AUDITOR : WPA_PERSONA_PEDANTIC;
    }
}

/* L4: GitHub takes it, but conditions and tools that compare labels do not. */
static void check_spelling(wpa_rule_run *run, const wpa_outline_label *label)
{
    const char *name = label->runner ? label->runner->label : NULL;
    if (!name || !wpa_text_is_ci(name, label->text) || wpa_text_is(name, label->text)) {
        return;
    }
    wpa_finding *finding =
        wpa_rule_report(run, label->node->span, "L4", label,
                        "the label is spelt %s now; other tools compare it letter by letter", name);
    finding->severity = WPA_SEVERITY_LOW;
    finding->persona = WPA_PERSONA_PEDANTIC;
}

/* L3 */
static void check_globs(wpa_rule_run *run)
{
    const char *globs = wpa_rule_option_text(run, "labels");
    const char *open = globs ? strpbrk(globs, "[]{}") : NULL;
    if (open && run->source->outline->on) {
        (void)wpa_rule_report(run, run->source->outline->on->key->span, "L3", NULL,
                              "the configured labels %s hold %c, which means nothing in a glob: it "
                              "fits no label",
                              wpa_rule_quote(run, globs, strlen(globs)), *open);
    }
}

/* What a label says of the machine it is on. */
typedef struct machine {
    wpa_fact_os os;
    const char *arch;  /* or NULL */
    const char *image; /* of a hosted runner, or NULL */
} machine;

static machine machine_of(const wpa_outline_label *label)
{
    static const struct {
        const char *label;
        machine machine;
    } words[] = {
        {"linux", {WPA_OS_LINUX, NULL, NULL}},      {"macos", {WPA_OS_MACOS, NULL, NULL}},
        {"windows", {WPA_OS_WINDOWS, NULL, NULL}},  {"x64", {WPA_OS_UNKNOWN, "x64", NULL}},
        {"x86", {WPA_OS_UNKNOWN, "x86", NULL}},     {"arm", {WPA_OS_UNKNOWN, "arm", NULL}},
        {"arm64", {WPA_OS_UNKNOWN, "arm64", NULL}},
    };
    for (size_t i = 0; i < WPA_COUNT(words); i++) {
        if (wpa_text_is_ci(label->text, words[i].label)) {
            return words[i].machine;
        }
    }
    const wpa_fact_runner *runner = label->runner;
    return runner ? (machine){runner->os, runner->arch, runner->image} : (machine){0};
}

static bool is_same_word(const char *a, const char *b)
{
    return !a || !b || wpa_text_is(a, b);
}

static bool can_meet(machine a, machine b)
{
    bool is_same_os = a.os == b.os || a.os == WPA_OS_UNKNOWN || b.os == WPA_OS_UNKNOWN;
    return is_same_os && is_same_word(a.arch, b.arch) && is_same_word(a.image, b.image);
}

/* L2: runs-on: [ubuntu-latest, windows-latest] wants one runner that has both. */
static void check_set(wpa_rule_run *run, const wpa_outline_job *job)
{
    size_t n = job->n_labels < LABELS_MAX ? job->n_labels : LABELS_MAX;
    for (size_t i = 0; i < n; i++) {
        const wpa_outline_label *label = &job->labels[i];
        for (size_t k = 0; k < n; k++) {
            const wpa_outline_label *other = &job->labels[k];
            bool is_pair = other->set == label->set ? k < i : !other->is_from_matrix;
            bool are_alternatives =
                (label->is_from_matrix && other->is_from_matrix && label->set != other->set) ||
                (!label->is_from_matrix && other->is_from_matrix);
            if (!is_pair || are_alternatives || can_meet(machine_of(label), machine_of(other))) {
                continue;
            }
            wpa_finding *finding =
                wpa_rule_report(run, label->node->span, "L2", NULL,
                                "no runner has both labels %s and %s: the job waits for ever",
                                wpa_rule_quote(run, other->text, strlen(other->text)),
                                wpa_rule_quote(run, label->text, strlen(label->text)));
            wpa_rule_relate(run, finding, other->node->span, "wanted together with this");
            break;
        }
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    bool has_hosted = wpa_rule_is_on_github(run);
    check_globs(run);
    for (size_t i = 0; i < o->n_jobs; i++) {
        const wpa_outline_job *job = &o->jobs[i];
        for (size_t k = 0; has_hosted && k < job->n_labels && k < LABELS_MAX; k++) {
            check_label(run, job, &job->labels[k]);
            check_spelling(run, &job->labels[k]);
        }
        check_set(run, job);
    }
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const wpa_outline_label *label = finding->subject;
    bool is_spelling = wpa_text_is(finding->check, "L4");
    const char *near = is_spelling ? label->runner->label : label ? find_near(label->text) : NULL;
    if (near && !(is_spelling && label->is_from_matrix)) { /* conditions may name it so */
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_SAFE, "write the label as %s", near);
        fix->needs = wpa_rule_needs(run, WPA_FACTS_RUNNERS);
        wpa_rule_edit(run, fix, wpa_yaml_source_span(label->node, 0, label->node->length), "%s",
                      near);
    }
}

const wpa_rule wpa_rule_runner_label = {
    .code = "CMP-005",
    .id = "runner-label",
    .dimension = WPA_DIMENSION_COMPATIBILITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_HIGH,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "A job asks for a runner that does not exist",
    .why = "GitHub queues such a job until it gives up a day later.",
    .fix = "Write a label of a hosted runner, or name your own in the configuration.",
    .checks = (const char *const[]){"L1", "L2", "L3", "L4", NULL},
    .elsewhere = (const char *const[]){"actionlint/runner-label", NULL},
    .options = options,
    .tables = 1U << WPA_FACTS_RUNNERS,
    .declares = WPA_DECLARES_RUNNER | WPA_DECLARES_MATRIX,
    .check = check,
    .repair = repair,
};
