/* PRF-024: a container is filled anew by every run. */
#include <string.h>

#include "rules/shell_roles.h"
#include "rules/work.h"

#define PACKAGES_MIN 3
#define COMMANDS_MAX 2

static const char *const installers[][2] = {
    {"apt-get", "install"}, {"apt", "install"},      {"apk", "add"},       {"dnf", "install"},
    {"yum", "install"},     {"microdnf", "install"}, {"zypper", "install"}};

/* Packages that the command installs; 0 if it is no install. */
static size_t count_packages(const wpa_shell_command *c)
{
    for (size_t i = 0; i < WPA_COUNT(installers); i++) {
        if (!wpa_shell_is(c, installers[i][0], installers[i][1])) {
            continue;
        }
        size_t n = 0;
        while (wpa_shell_argument(c, n + 1)) {
            n++;
        }
        return n;
    }
    return 0;
}

static void check_job(wpa_rule_run *run, const wpa_outline_job *job)
{
    const wpa_outline_step *at = NULL;
    const wpa_shell_command *first = NULL;
    size_t n = 0;
    for (size_t i = 0; i < job->n_steps; i++) {
        const wpa_script *script = wpa_step_commands(&job->steps[i]);
        for (size_t k = 0; script && k < script->n_commands; k++) {
            size_t own = count_packages(&script->commands[k]);
            at = own && !first ? &job->steps[i] : at;
            first = own && !first ? &script->commands[k] : first;
            n += own;
        }
    }
    if (n >= PACKAGES_MIN) {
        (void)wpa_rule_report(run, wpa_outline_script_span(at, first->span), NULL, NULL,
                              "every run installs %zu packages into its container: an image that "
                              "has them would start at once",
                              n);
    }
}

/* A large image for one or two commands. */
static void check_image(wpa_rule_run *run, const wpa_outline_job *job)
{
    const wpa_yaml_node *container = wpa_yaml_get(job->node, "container");
    const wpa_yaml_node *image =
        wpa_yaml_text(container) ? wpa_yaml_resolve(container) : wpa_yaml_get(container, "image");
    const char *text = wpa_yaml_text(image);
    const char *slash = text ? strrchr(text, '/') : NULL;
    size_t n = 0;
    for (size_t i = 0; i < job->n_steps; i++) {
        const wpa_outline_step *step = &job->steps[i];
        const wpa_script *script = wpa_step_commands(step);
        if (step->run ? !script : !wpa_work_is_setup(step)) {
            return;
        }
        n += script ? script->n_commands : 0;
    }
    if (text && n && n <= COMMANDS_MAX &&
        wpa_facts_image_is_large((wpa_slice){text, (size_t)(slash ? slash - text : 0) +
                                                       strcspn(slash ? slash : text, ":@")})) {
        (void)wpa_rule_report(run, image->span, NULL, NULL,
                              "more than a gigabyte of %s is fetched for %zu command%s",
                              wpa_rule_quote(run, text, strlen(text)), n, n == 1 ? "" : "s");
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    for (size_t i = 0; i < o->n_jobs; i++) {
        if (wpa_yaml_find(o->jobs[i].node, "container")) {
            check_job(run, &o->jobs[i]);
            check_image(run, &o->jobs[i]);
        }
    }
    return true;
}

const wpa_rule wpa_rule_container_provisioning = {
    .code = "PRF-024",
    .id = "container-provisioning",
    .dimension = WPA_DIMENSION_PERFORMANCE,
    .kind = WPA_KIND_INEFFICIENCY,
    .severity = WPA_SEVERITY_LOW,
    .confidence = WPA_CONFIDENCE_MEDIUM,
    .persona = WPA_PERSONA_PEDANTIC,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "A job's container is filled anew by every run, or is far larger than its work",
    .why = "The install takes longer than fetching an image that has the packages.",
    .fix = "Build an image with what is needed and name it under container. There is no fix by "
           "machine.",
    .tables = 1U << WPA_FACTS_SPEEDUPS,
    .check = check,
};
