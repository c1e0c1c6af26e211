/* CMP-036: containers where the runner cannot start one, and images that lack what steps need. */
#include <string.h>

#include "rules/outline.h"
#include "rules/rule.h"

/* Why the label's runner starts no container, or NULL. */
static const char *refusal(const wpa_outline_label *label)
{
    if (!label->runner) {
        return NULL;
    }
    if (wpa_text_is_ci(label->text, "ubuntu-slim")) {
        return "it is a container itself";
    }
    return label->runner->os == WPA_OS_MACOS || label->runner->os == WPA_OS_WINDOWS
               ? "containers run on Linux only"
               : NULL;
}

/* A label that refuses: all of a job's if its labels are alternatives, one is enough otherwise. */
static const wpa_outline_label *find_refusing(const wpa_outline_job *job)
{
    for (size_t i = 0; !job->is_self_hosted && i < job->n_labels; i++) {
        if (refusal(&job->labels[i])) {
            return &job->labels[i];
        }
    }
    return NULL;
}

static bool mentions_leg(const wpa_yaml_node *node)
{
    const char *text = wpa_yaml_text(node);
    return text && (strstr(text, "matrix.") || strstr(text, "runner.os"));
}

static void report(wpa_rule_run *run, wpa_span span, const wpa_outline_label *label,
                   const char *what)
{
    wpa_finding *finding =
        wpa_rule_report(run, span, NULL, NULL, "%s cannot start on %s: %s", what,
                        wpa_rule_quote(run, label->text, strlen(label->text)), refusal(label));
    wpa_rule_relate(run, finding, label->node->span, "the runner");
}

static bool has_computed_image(const wpa_yaml_node *container)
{
    const wpa_yaml_node *image =
        wpa_yaml_is(container, WPA_YAML_MAPPING) ? wpa_yaml_get(container, "image") : container;
    return wpa_outline_has_expression(wpa_yaml_text(image));
}

/* label: one that refuses. */
static void check_keys(wpa_rule_run *run, const wpa_outline_job *job,
                       const wpa_outline_label *label)
{
    static const char *const keys[] = {"container", "services"};
    for (size_t i = 0; i < WPA_COUNT(keys); i++) {
        const wpa_yaml_pair *pair = wpa_yaml_find(job->node, keys[i]);
        /* an image that is an expression may be empty on this leg: then there is no container */
        bool is_empty = pair && (wpa_yaml_is_null(wpa_yaml_resolve(pair->value)) ||
                                 has_computed_image(wpa_yaml_resolve(pair->value)));
        if (pair && !is_empty) {
            report(run, pair->key->span, label,
                   wpa_arena_printf(run->arena, "%s of job '%s'", keys[i], job->id));
        }
    }
}

static bool is_docker_action(const wpa_outline_uses *uses)
{
    return uses->kind == WPA_OUTLINE_DOCKER ||
           (uses->kind == WPA_OUTLINE_REPOSITORY && uses->fact->has_major &&
            wpa_text_is(uses->fact->major.using, "docker"));
}

static void check_docker_steps(wpa_rule_run *run, const wpa_outline_job *job,
                               const wpa_outline_label *label)
{
    for (size_t i = 0; i < job->n_steps; i++) {
        const wpa_outline_step *step = &job->steps[i];
        bool is_guarded =
            mentions_leg(step->condition) || (label->is_from_matrix && step->condition);
        if (is_docker_action(&step->uses) && !is_guarded) {
            report(run, step->uses.span, label,
                   wpa_arena_printf(
                       run->arena, "the container action %s",
                       wpa_rule_quote(run, step->uses.node->text, step->uses.node->length)));
        }
    }
}

/* ---- docker in scripts: no daemon ---- */

static bool has_no_daemon(const wpa_outline_label *label)
{
    return label->runner &&
           (label->runner->os == WPA_OS_MACOS || wpa_text_is_ci(label->text, "ubuntu-slim"));
}

/* Does the step bring one up? */
static bool installs_docker(const wpa_outline_step *step)
{
    static const char *const words[] = {"colima", "lima", "orbstack", "setup-docker",
                                        "brew install"};
    const char *text = step->run ? step->run->text : wpa_yaml_text(step->uses.node);
    for (size_t k = 0; text && k < WPA_COUNT(words); k++) {
        if (wpa_text_seek_ci(text, words[k])) {
            return true;
        }
    }
    return false;
}

static void check_docker_commands(wpa_rule_run *run, const wpa_outline_step *step,
                                  const wpa_outline_label *label)
{
    static const char *const verbs[] = {"run", "build", "compose", "pull", "push", "buildx"};
    for (size_t i = 0; step->script && i < step->script->n_commands; i++) {
        const wpa_shell_command *c = &step->script->commands[i];
        const wpa_shell_word *verb =
            wpa_text_is(c->name, "docker") ? wpa_shell_argument(c, 0) : NULL;
        bool is_docker = verb && wpa_text_index(verb->text, verbs, WPA_COUNT(verbs)) >= 0;
        if (is_docker && c->nested == 0 && !wpa_text_is(c->before, "||")) {
            wpa_finding *finding =
                wpa_rule_report(run, wpa_outline_script_span(step, c->span), NULL, NULL,
                                "docker has no daemon on %s: the command fails",
                                wpa_rule_quote(run, label->text, strlen(label->text)));
            finding->confidence = WPA_CONFIDENCE_MEDIUM;
            return;
        }
    }
}

static void check_scripts(wpa_rule_run *run, const wpa_outline_job *job)
{
    const wpa_outline_label *label = job->n_labels == 1 ? &job->labels[0] : NULL;
    if (!wpa_yaml_may_name(run->source->yaml, "docker")) {
        return; /* no script calls it */
    }
    bool is_plain = label && !job->is_self_hosted && has_no_daemon(label) && !label->is_from_matrix;
    for (size_t i = 0; is_plain && i < job->n_steps; i++) {
        const wpa_outline_step *step = &job->steps[i];
        if (installs_docker(step)) {
            return;
        }
        if (!mentions_leg(step->condition)) {
            check_docker_commands(run, step, label);
        }
    }
}

/* ---- what known images lack ---- */

typedef struct lack {
    const char *image;   /* name without registry; "*x": ends so */
    const char *program; /* that steps call */
} lack;

static const lack lacks[] = {{"alpine", "bash"}, {"alpine", "git"},   {"alpine", "curl"},
                             {"debian", "git"},  {"debian", "curl"},  {"ubuntu", "git"},
                             {"ubuntu", "curl"}, {"busybox", "bash"}, {"busybox", "git"}};

/* "alpine" of "docker.io/library/alpine:3.20". */
static const char *bare_image(const char *image, wpa_arena *arena)
{
    static const char *const registries[] = {"docker.io/library/", "docker.io/", "library/"};
    for (size_t i = 0; i < WPA_COUNT(registries); i++) {
        image += wpa_text_starts(image, registries[i]) ? strlen(registries[i]) : 0;
    }
    return strchr(image, '/') ? NULL : wpa_arena_slice(arena, image, strcspn(image, ":@"));
}

static bool lacks_program(const char *image, const char *program)
{
    for (size_t i = 0; i < WPA_COUNT(lacks); i++) {
        if (wpa_text_is(lacks[i].image, image) && wpa_text_is(lacks[i].program, program)) {
            return true;
        }
    }
    return false;
}

static bool installs_something(const wpa_outline_step *step)
{
    static const char *const managers[] = {"apk", "apt", "apt-get", "dnf", "yum", "microdnf"};
    for (size_t i = 0; step->script && i < step->script->n_commands; i++) {
        if (wpa_text_index(step->script->commands[i].name, managers, WPA_COUNT(managers)) >= 0) {
            return true;
        }
    }
    return step->run && !step->script;
}

static void check_image(wpa_rule_run *run, const wpa_outline_job *job)
{
    const wpa_yaml_node *container = wpa_yaml_get(job->node, "container");
    const wpa_yaml_node *image =
        wpa_yaml_is(container, WPA_YAML_MAPPING) ? wpa_yaml_get(container, "image") : container;
    const char *text = wpa_yaml_text(image);
    const char *name =
        text && !wpa_outline_has_expression(text) ? bare_image(text, run->arena) : NULL;
    for (size_t i = 0; name && i < job->n_steps; i++) {
        const wpa_outline_step *step = &job->steps[i];
        if (installs_something(step) || step->uses.kind == WPA_OUTLINE_LOCAL) {
            return;
        }
        for (size_t k = 0; step->script && k < step->script->n_commands; k++) {
            const wpa_shell_command *c = &step->script->commands[k];
            if (lacks_program(name, c->name)) {
                wpa_finding *finding =
                    wpa_rule_report(run, wpa_outline_script_span(step, c->span), NULL, NULL,
                                    "the image %s has no %s, and no step installs it",
                                    wpa_rule_quote(run, text, strlen(text)), c->name);
                finding->confidence = WPA_CONFIDENCE_MEDIUM;
                wpa_rule_relate(run, finding, image->span, "the image");
                return;
            }
        }
        bool wants_bash = step->run && step->has_named_shell && !step->is_elsewhere &&
                          step->shell == WPA_SHELL_BASH;
        if (wants_bash && lacks_program(name, "bash")) {
            wpa_finding *finding =
                wpa_rule_report(run, step->run->key->span, NULL, NULL,
                                "the step asks for bash, which the image %s does not have",
                                wpa_rule_quote(run, text, strlen(text)));
            wpa_rule_relate(run, finding, image->span, "the image");
            return;
        }
    }
}

/* JavaScript actions bring a node that is built for glibc; for musl there is one on x64 only. */
static void check_alpine_arm(wpa_rule_run *run, const wpa_outline_job *job)
{
    const wpa_yaml_pair *pair = wpa_yaml_find(job->node, "container");
    const wpa_yaml_node *value = pair ? wpa_yaml_resolve(pair->value) : NULL;
    const char *image =
        wpa_yaml_text(wpa_yaml_is(value, WPA_YAML_MAPPING) ? wpa_yaml_get(value, "image") : value);
    bool is_alpine = image && strstr(image, "alpine") && !wpa_outline_has_expression(image);
    bool is_arm = job->n_labels == 1 && job->labels[0].runner &&
                  wpa_text_is(job->labels[0].runner->arch, "arm64") &&
                  job->labels[0].runner->os == WPA_OS_LINUX;
    for (size_t i = 0; is_alpine && is_arm && i < job->n_steps; i++) {
        const wpa_outline_uses *uses = &job->steps[i].uses;
        bool is_script = uses->kind == WPA_OUTLINE_REPOSITORY && uses->fact->has_major &&
                         uses->fact->major.using &&
                         wpa_text_starts(uses->fact->major.using, "node");
        if (is_script) {
            wpa_finding *finding = wpa_rule_report(
                run, pair->key->span, NULL, NULL,
                "JavaScript actions do not run in an Alpine container on arm64: %s fails",
                wpa_rule_quote(run, uses->node->text, uses->node->length));
            wpa_rule_relate(run, finding, uses->node->span, "a JavaScript action");
            return;
        }
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    for (size_t i = 0; i < o->n_jobs; i++) {
        const wpa_outline_job *job = &o->jobs[i];
        const wpa_outline_label *label = find_refusing(job);
        if (label) {
            check_keys(run, job, label);
            check_docker_steps(run, job, label);
        }
        check_scripts(run, job);
        check_image(run, job);
        check_alpine_arm(run, job);
    }
    return true;
}

const wpa_rule wpa_rule_container_os = {
    .code = "CMP-036",
    .id = "container-os",
    .dimension = WPA_DIMENSION_COMPATIBILITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_HIGH,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "A container where none can start, or one without what the steps call",
    .why = "Containers and container actions run on full Linux runners only; elsewhere the job "
           "fails at its start.",
    .fix = "Run the job on a Linux runner, or take an image that has what the steps need; wpa "
           "cannot choose for you.",
    .tables = 1U << WPA_FACTS_RUNNERS | 1U << WPA_FACTS_ACTIONS,
    .check = check,
};
