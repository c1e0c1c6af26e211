/* CMP-039: something built for another processor than the runner's. */
#include <string.h>

#include "rules/pin.h"
#include "rules/toolchain.h"

static const char *quote(wpa_rule_run *run, const char *text)
{
    return wpa_rule_quote(run, text, strlen(text));
}

static bool is_arch(const wpa_outline_label *label, wpa_fact_os os, const char *arch)
{
    return label->runner && label->runner->os == os && wpa_text_is(label->runner->arch, arch);
}

/* The job's only label, if it is plain; NULL otherwise. */
static const wpa_outline_label *only_label(const wpa_outline_job *job)
{
    bool is_plain = job->n_labels == 1 && !job->is_self_hosted && !job->has_open_labels;
    return is_plain ? &job->labels[0] : NULL;
}

/* Does text hold the word, with no letter or digit around it? */
static bool has_word(const char *text, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = text; (at = strcasestr(at, word)); at++) {
        char before = at == text ? ' ' : at[-1], after = at[length];
        bool is_start =
            !strchr("abcdefghijklmnopqrstuvwxyz0123456789", before | 0x20) || before == '_';
        bool is_end = !after || !strchr("abcdefghijklmnopqrstuvwxyz0123456789", after | 0x20);
        if (is_start && is_end) {
            return true;
        }
    }
    return false;
}

static bool names_arch(const char *text, const char *const words[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (has_word(text, words[i])) {
            return true;
        }
    }
    return false;
}

static const char *const x64_words[] = {"x86_64", "amd64", "linux-x64", "linux64", "x64"};
static const char *const arm_words[] = {"aarch64", "arm64"};

/* ---- programs that a script downloads ---- */

static bool is_download(const wpa_shell_command *c)
{
    return wpa_text_is(c->name, "curl") || wpa_text_is(c->name, "wget");
}

static void check_downloads(wpa_rule_run *run, const wpa_outline_step *step,
                            const wpa_outline_label *label)
{
    bool emulates = wpa_text_find(step->script->text, step->script->length, "qemu") ||
                    wpa_text_find(step->script->text, step->script->length, "docker");
    for (size_t i = 0; !emulates && i < step->script->n_commands; i++) {
        const wpa_shell_command *c = &step->script->commands[i];
        for (size_t k = c->first + 1; is_download(c) && k < c->n_words; k++) {
            const char *word = c->words[k].text;
            const char *slash = strrchr(word, '/');
            bool is_other = strstr(word, "://") && slash &&
                            names_arch(slash, x64_words, WPA_COUNT(x64_words)) &&
                            !names_arch(slash, arm_words, WPA_COUNT(arm_words));
            if (is_other) {
                wpa_finding *finding =
                    wpa_rule_report(run, wpa_outline_script_span(step, c->words[k].span), NULL,
                                    NULL, "%s is built for x64, and %s is an arm64 runner",
                                    quote(run, slash + 1), quote(run, label->text));
                wpa_rule_relate(run, finding, label->node->span, "the runner");
            }
        }
    }
}

/* ---- virtual machines inside of one ---- */

static bool starts_machine(const wpa_shell_command *c)
{
    static const char *const starters[] = {"colima", "limactl", "minikube", "vagrant"};
    const wpa_shell_word *verb = wpa_shell_argument(c, 0);
    return wpa_text_index(c->name, starters, WPA_COUNT(starters)) >= 0 && verb &&
           (wpa_text_is(verb->text, "start") || wpa_text_is(verb->text, "up"));
}

static void report_machine(wpa_rule_run *run, wpa_span span, const wpa_outline_label *label,
                           const char *what)
{
    wpa_finding *finding = wpa_rule_report(
        run, span, NULL, NULL, "%s starts a virtual machine, which arm64 macOS runners (%s) cannot",
        what, quote(run, label->text));
    wpa_rule_relate(run, finding, label->node->span, "the runner");
}

static void check_machines(wpa_rule_run *run, const wpa_outline_step *step,
                           const wpa_outline_label *label)
{
    static const char *const actions[] = {
        "reactivecircus/android-emulator-runner", "docker/setup-docker-action",
        "docker-practice/actions-setup-docker",   "douglascamata/setup-docker-macos-action",
        "cross-platform-actions/action",          "vmactions/freebsd-vm"};
    for (size_t i = 0; i < WPA_COUNT(actions); i++) {
        if (wpa_outline_step_uses(step, actions[i])) {
            report_machine(run, step->uses.span, label, wpa_rule_quote_uses(run, &step->uses));
        }
    }
    for (size_t i = 0; step->script && i < step->script->n_commands; i++) {
        if (starts_machine(&step->script->commands[i])) {
            const wpa_shell_command *c = &step->script->commands[i];
            report_machine(run, wpa_outline_script_span(step, c->span), label, c->name);
        }
    }
}

/* ---- setup actions and images ---- */

static void check_architecture(wpa_rule_run *run, const wpa_outline_step *step,
                               const wpa_outline_label *label)
{
    const wpa_yaml_node *node = wpa_outline_with(step, "architecture");
    const char *text = wpa_yaml_text(node);
    bool is_setup = wpa_outline_runtime(step) != NULL;
    bool is_x64 = wpa_text_is_ci(text, "x64") || wpa_text_is_ci(text, "x86");
    bool is_arm = wpa_text_is_ci(text, "arm64") || wpa_text_is_ci(text, "aarch64");
    bool is_wrong = (is_x64 && is_arch(label, WPA_OS_LINUX, "arm64")) ||
                    (is_arm && label->runner && wpa_text_is(label->runner->arch, "x64"));
    if (is_setup && is_wrong) {
        wpa_finding *finding = wpa_rule_report(
            run, node->span, NULL, NULL, "architecture %s on %s, a runner with an %s processor",
            quote(run, text), quote(run, label->text), label->runner->arch);
        finding->confidence = WPA_CONFIDENCE_HIGH;
        wpa_rule_relate(run, finding, label->node->span, "the runner");
    }
}

static void check_container(wpa_rule_run *run, const wpa_outline_job *job,
                            const wpa_outline_label *label)
{
    const wpa_yaml_node *container = wpa_yaml_get(job->node, "container");
    const wpa_yaml_node *image =
        wpa_yaml_is(container, WPA_YAML_MAPPING) ? wpa_yaml_get(container, "image") : container;
    const char *text = wpa_yaml_text(image);
    bool is_arm_image = text && (wpa_text_starts(text, "arm64v8/") || strstr(text, "_aarch64") ||
                                 wpa_text_ends(text, "-arm64"));
    bool is_x64_image = text && (wpa_text_starts(text, "amd64/") || strstr(text, "_x86_64") ||
                                 wpa_text_ends(text, "-amd64"));
    bool is_wrong = (is_x64_image && is_arch(label, WPA_OS_LINUX, "arm64")) ||
                    (is_arm_image && is_arch(label, WPA_OS_LINUX, "x64"));
    for (size_t i = 0; is_wrong && i < job->n_steps; i++) {
        is_wrong = !wpa_outline_step_uses(&job->steps[i], "docker/setup-qemu-action");
    }
    if (is_wrong) {
        wpa_finding *finding = wpa_rule_report(
            run, image->span, NULL, NULL, "the image %s is not for the %s processor of %s",
            quote(run, text), label->runner->arch, quote(run, label->text));
        wpa_rule_relate(run, finding, label->node->span, "the runner");
    }
}

/* The setup action has no build of this version for the system of one of the job's labels. */
static void check_version(wpa_rule_run *run, const wpa_toolchain_use *use)
{
    const wpa_fact_release *release = wpa_facts_release_find(use->runtime, use->version);
    const wpa_outline_job *job = use->job;
    const wpa_yaml_node *matrix = wpa_yaml_get(wpa_yaml_get(job->node, "strategy"), "matrix");
    bool is_cut = wpa_yaml_find(matrix, "exclude") || wpa_yaml_find(matrix, "include");
    bool is_plain = !(use->is_matrix && is_cut) && use->step && !use->step->condition &&
                    !wpa_outline_with(use->step, "architecture") && !job->is_self_hosted;
    for (size_t i = 0; release && is_plain && i < job->n_labels; i++) {
        const wpa_outline_label *label = &job->labels[i];
        bool is_crossed = !label->is_from_matrix || !is_cut;
        for (size_t k = 0; is_crossed && release->not_on[k]; k++) {
            if (strchr(release->not_on[k], '/') && wpa_label_is_on(label, release->not_on[k])) {
                wpa_finding *finding = wpa_rule_report(
                    run, use->span, NULL, NULL, "%s %s has no build for %s, which %s runs on",
                    use->runtime->name, wpa_rule_quote(run, use->version.at, use->version.length),
                    release->not_on[k], quote(run, label->text));
                finding->confidence = WPA_CONFIDENCE_HIGH;
                wpa_rule_relate(run, finding, label->node->span, "the runner");
                return;
            }
        }
    }
}

static bool mentions_runner(const wpa_outline_step *step)
{
    const char *text = wpa_yaml_text(step->condition);
    return text && (strstr(text, "runner.") || strstr(text, "matrix."));
}

static void check_job(wpa_rule_run *run, const wpa_outline_job *job)
{
    const wpa_outline_label *label = only_label(job);
    if (!label) {
        return;
    }
    check_container(run, job, label);
    for (size_t i = 0; i < job->n_steps; i++) {
        const wpa_outline_step *step = &job->steps[i];
        if (mentions_runner(step)) {
            continue;
        }
        check_architecture(run, step, label);
        if (step->script && is_arch(label, WPA_OS_LINUX, "arm64")) {
            check_downloads(run, step, label);
        }
        if (is_arch(label, WPA_OS_MACOS, "arm64")) {
            check_machines(run, step, label);
        }
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    for (size_t i = 0; i < o->n_jobs; i++) {
        check_job(run, &o->jobs[i]);
    }
    size_t n;
    const wpa_toolchain_use *uses = wpa_toolchain_uses(run, &n);
    for (size_t i = 0; i < n; i++) {
        check_version(run, &uses[i]);
    }
    return true;
}

const wpa_rule wpa_rule_arch_mismatch = {
    .code = "CMP-039",
    .id = "arch-mismatch",
    .dimension = WPA_DIMENSION_COMPATIBILITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_MEDIUM,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "Something is built for another processor than the runner's",
    .why = "It does not start, or the setup action finds no such version, and the job fails.",
    .fix = "Take the build for the runner's processor, or the runner for the build; wpa cannot "
           "choose for you.",
    .tables = 1U << WPA_FACTS_RUNNERS | 1U << WPA_FACTS_TOOLCHAINS,
    .check = check,
};
