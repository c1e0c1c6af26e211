#include "rules/forms.h"

#include <string.h>

#include <wpa/text.h>

#include "rules/outline.h"

static const char *quote(wpa_rule_run *run, const wpa_yaml_node *node)
{
    return wpa_rule_quote(run, node->text, node->length);
}

static bool is_computed(const wpa_yaml_node *node)
{
    return strstr(node->text, "${{") != NULL;
}

/** The scalar under the key, if it is there and no expression. */
static const wpa_yaml_node *literal(const wpa_yaml_node *mapping, const char *key)
{
    const wpa_yaml_node *node = wpa_yaml_get(mapping, key);
    return wpa_yaml_is(node, WPA_YAML_SCALAR) && !is_computed(node) ? node : NULL;
}

/** May a key stand for entries that an expression gives? */
static bool holds_insertion(const wpa_yaml_node *mapping)
{
    for (size_t i = 0; i < mapping->n_pairs; i++) {
        const char *key = wpa_yaml_text(mapping->pairs[i].key);
        if (!key || strstr(key, "${{")) {
            return true;
        }
    }
    return false;
}

/* ---- images -----------------------------------------------------------------------------------*/

static void check_image(wpa_rule_run *run, const wpa_yaml_node *image)
{
    if (wpa_text_is(wpa_yaml_text(image), "docker://")) {
        wpa_rule_report(run, image->span, "S8", NULL,
                        "'docker://' names no image: GitHub refuses the file");
    }
}

/** Without an image, or with an empty one, GitHub makes no container of a job's. */
static void check_container(wpa_rule_run *run, const wpa_yaml_pair *pair)
{
    const wpa_yaml_node *container = wpa_yaml_resolve(pair->value);
    const wpa_yaml_node *image = wpa_yaml_resolve(wpa_yaml_get(container, "image"));
    if (!wpa_yaml_is(container, WPA_YAML_MAPPING) || container->is_incomplete) {
        check_image(run, container);
    } else if (!image && !holds_insertion(container)) {
        wpa_rule_report(run, pair->key->span, "S19", NULL,
                        "'container' names no image: the job runs on the runner itself")
            ->severity = WPA_SEVERITY_MEDIUM;
    } else if (wpa_yaml_is(image, WPA_YAML_SCALAR) && image->length == 0) {
        wpa_rule_report(run, wpa_span_length(image->span) ? image->span : pair->key->span, "S8",
                        NULL, "'image' is empty, so there is no container")
            ->severity = WPA_SEVERITY_LOW;
    } else {
        check_image(run, image);
    }
}

static void check_services(wpa_rule_run *run, const wpa_yaml_node *services)
{
    for (size_t i = 0; wpa_yaml_is(services, WPA_YAML_MAPPING) && i < services->n_pairs; i++) {
        const wpa_yaml_node *service = wpa_yaml_resolve(services->pairs[i].value);
        bool is_mapping = wpa_yaml_is(service, WPA_YAML_MAPPING);
        check_image(run, is_mapping ? wpa_yaml_resolve(wpa_yaml_get(service, "image")) : service);
    }
}

/* ---- runners, snapshots, matrices -------------------------------------------------------------*/

/** A name, or one behind the word for whose group it is. */
static void check_group(wpa_rule_run *run, const wpa_yaml_node *runs_on)
{
    static const char *const owners[] = {"org", "organization", "ent", "enterprise"};
    const wpa_yaml_node *group = literal(runs_on, "group");
    const char *slash = group ? strchr(group->text, '/') : NULL;
    if (!slash) {
        return;
    }
    bool is_known = false;
    for (size_t i = 0; i < WPA_COUNT(owners); i++) {
        is_known = is_known ||
                   wpa_slice_is((wpa_slice){group->text, (size_t)(slash - group->text)}, owners[i]);
    }
    if (!is_known || !slash[1] || strchr(slash + 1, '/')) {
        wpa_rule_report(run, group->span, "S29", NULL,
                        "%s names no group of runners, only 'organization/' or 'enterprise/' may "
                        "stand before a name: GitHub refuses the file",
                        quote(run, group));
    }
}

static void check_snapshot(wpa_rule_run *run, const wpa_yaml_node *snapshot)
{
    const wpa_yaml_node *version = literal(snapshot, "version");
    size_t n_digits = version ? strspn(version->text, "0123456789") : 0;
    if (version && version->length && !(n_digits && wpa_text_is(version->text + n_digits, ".*"))) {
        wpa_rule_report(run, version->span, "S20", NULL,
                        "version %s is not of the form '1.*': GitHub refuses the file",
                        quote(run, version));
    }
}

/** What is there may make legs: rows, a list that is not empty, or whatever an expression gives. */
static bool may_have_legs(const wpa_yaml_node *matrix)
{
    for (size_t i = 0; i < matrix->n_pairs; i++) {
        const char *name = wpa_yaml_text(matrix->pairs[i].key);
        const wpa_yaml_node *value = wpa_yaml_resolve(matrix->pairs[i].value);
        bool is_empty = wpa_yaml_is(value, WPA_YAML_SEQUENCE) && value->n_items == 0;
        bool is_of_rows =
            wpa_text_is(name, "exclude") || (wpa_text_is(name, "include") && is_empty);
        if (!is_of_rows) {
            return true;
        }
    }
    return matrix->n_pairs == 0 || matrix->is_incomplete;
}

static void check_matrix(wpa_rule_run *run, const wpa_yaml_pair *pair)
{
    const wpa_yaml_node *matrix = pair ? wpa_yaml_resolve(pair->value) : NULL;
    if (wpa_yaml_is(matrix, WPA_YAML_MAPPING) && !may_have_legs(matrix)) {
        wpa_rule_report(run, pair->key->span, "S4", NULL,
                        "the matrix has neither rows nor legs: GitHub refuses the file");
    }
}

void wpa_forms_check(wpa_rule_run *run)
{
    const wpa_outline *o = run->source->outline;
    for (size_t i = 0; i < o->n_jobs; i++) {
        const wpa_yaml_node *job = o->jobs[i].node;
        const wpa_yaml_pair *container = wpa_yaml_find(job, "container");
        if (container) {
            check_container(run, container);
        }
        check_services(run, wpa_yaml_get(job, "services"));
        check_group(run, wpa_yaml_get(job, "runs-on"));
        check_snapshot(run, wpa_yaml_get(job, "snapshot"));
        check_matrix(run, wpa_yaml_find(wpa_yaml_get(job, "strategy"), "matrix"));
    }
}
