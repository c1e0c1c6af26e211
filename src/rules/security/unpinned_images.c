/* SEC-002: a container image by a name that can come to mean another image. */
#include <string.h>

#include "rules/outline.h"
#include "rules/rule.h"

/* Tags that are meant to move. */
static const char *const moving[] = {"latest", "edge", "nightly", "main",
                                     "master", "dev",  "canary"};

/* The tag of an image, empty if it has none; a port of the registry is no tag. */
static wpa_slice tag_of(const char *image)
{
    const char *slash = strrchr(image, '/');
    const char *colon = strrchr(slash ? slash : image, ':');
    return wpa_slice_of(colon ? colon + 1 : "");
}

static bool is_exempt(const char *image)
{
    return !*image || strchr(image, '@') || wpa_text_is(image, "scratch") ||
           wpa_text_starts(image, "localhost:") || wpa_text_starts(image, "localhost/") ||
           strcasestr(image, "dockerfile") != NULL;
}

static void check_image(wpa_rule_run *run, const wpa_yaml_node *node, size_t skip)
{
    const char *text = wpa_yaml_text(node);
    const char *image = text && strlen(text) >= skip ? text + skip : "";
    if (is_exempt(image)) {
        return;
    }
    wpa_span span = wpa_yaml_source_span(node, skip, node->length);
    const char *name = wpa_rule_quote(run, image, strlen(image));
    if (wpa_outline_has_expression(image)) {
        wpa_finding *finding = wpa_rule_report(
            run, span, NULL, NULL, "image %s is chosen at run time; nothing pins it", name);
        finding->severity = WPA_SEVERITY_MEDIUM;
        finding->confidence = WPA_CONFIDENCE_LOW;
        finding->persona = WPA_PERSONA_PEDANTIC;
        return;
    }
    wpa_slice tag = tag_of(image);
    bool is_moving = tag.length == 0;
    for (size_t i = 0; i < WPA_COUNT(moving); i++) {
        is_moving = is_moving || wpa_slice_is_ci(tag, moving[i]);
    }
    wpa_finding *finding =
        wpa_rule_report(run, span, NULL, NULL,
                        is_moving ? "image %s is whatever was pushed last"
                                  : "image %s is pinned by a tag, which can be pushed again",
                        name);
    if (!is_moving) {
        finding->severity = WPA_SEVERITY_MEDIUM;
        finding->persona = WPA_PERSONA_PEDANTIC;
    }
}

/* "container: image" and "container: {image: ...}". */
static void check_container(wpa_rule_run *run, const wpa_yaml_node *container)
{
    const wpa_yaml_node *image =
        wpa_yaml_is(container, WPA_YAML_MAPPING) ? wpa_yaml_get(container, "image") : container;
    if (wpa_yaml_is(image, WPA_YAML_SCALAR)) {
        check_image(run, image, 0);
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    for (size_t i = 0; i < o->n_jobs; i++) {
        const wpa_outline_job *job = &o->jobs[i];
        check_container(run, wpa_yaml_get(job->node, "container"));
        const wpa_yaml_node *services = wpa_yaml_get(job->node, "services");
        for (size_t k = 0; wpa_yaml_is(services, WPA_YAML_MAPPING) && k < services->n_pairs; k++) {
            check_container(run, wpa_yaml_resolve(services->pairs[k].value));
        }
        for (size_t k = 0; k < job->n_steps; k++) {
            if (job->steps[k].uses.kind == WPA_OUTLINE_DOCKER) {
                check_image(run, job->steps[k].uses.node, strlen("docker://"));
            }
        }
    }
    const wpa_yaml_node *runs = wpa_yaml_get(o->root, "runs");
    const wpa_yaml_node *image = wpa_yaml_get(runs, "image");
    if (run->source->kind == WPA_INPUT_ACTION && wpa_yaml_text(image) &&
        wpa_text_starts(wpa_yaml_text(image), "docker://")) {
        check_image(run, image, strlen("docker://"));
    }
    return true;
}

const wpa_rule wpa_rule_unpinned_images = {
    .code = "SEC-002",
    .id = "unpinned-images",
    .dimension = WPA_DIMENSION_SECURITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_HIGH,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "A container image is named without a digest",
    .why = "Whoever can push to the tag runs code in this job, and results change under you.",
    .fix = "Append the image's digest: image:tag@sha256:... There is no fix by machine, since "
           "digests have to be asked for.",
    .elsewhere = (const char *const[]){"zizmor/unpinned-images", NULL},
    .check = check,
};
