/* CMP-033: a local action or workflow by where it lies on disk, not by the repository it is of. */
#include <string.h>

#include "rules/graph.h"
#include "rules/own.h"
#include "rules/pin.h"

typedef struct subject {
    const wpa_outline_uses *uses;
    const char *path; /* in the tree */
    bool is_same;     /* the tree on disk is the repository at the commit that runs */
} subject;

/* A checkout of this very repository and commit into the workspace. */
static bool is_plain_checkout(const wpa_outline_step *step)
{
    static const char *const moving[] = {"repository", "ref", "path"};
    bool is_plain = wpa_outline_step_uses(step, "actions/checkout") &&
                    (step->with || !wpa_yaml_find(step->node, "with"));
    for (size_t i = 0; is_plain && i < WPA_COUNT(moving); i++) {
        is_plain = !wpa_outline_with(step, moving[i]);
    }
    return is_plain;
}

/* Does nothing but a plain checkout come before the step, so that nobody has changed the tree? */
static bool is_untouched(const wpa_outline_step *step)
{
    const wpa_outline_job *job = step->job;
    for (size_t i = 0; i < step->index; i++) {
        if (!is_plain_checkout(&job->steps[i])) {
            return false;
        }
    }
    return step->index > 0;
}

/* Is there no such action in the repository, as far as its tree is known? */
static bool is_elsewhere(wpa_rule_run *run, const char *path)
{
    const wpa_surroundings *around = run->source->around;
    if (!around || !around->has_paths) {
        return false;
    }
    static const char *const files[] = {"action.yml", "action.yaml", "Dockerfile"};
    bool is_there = *path && wpa_surroundings_has(around, path);
    for (size_t i = 0; i < WPA_COUNT(files); i++) {
        const char *file = wpa_arena_printf(run->arena, "%s%s%s", path, *path ? "/" : "", files[i]);
        is_there = is_there || wpa_surroundings_has(around, file);
    }
    return !is_there;
}

static void check_uses(wpa_rule_run *run, const wpa_outline_uses *uses,
                       const wpa_outline_step *step, const wpa_outline_job *job)
{
    const char *text = wpa_yaml_text(uses->node);
    if (uses->kind != WPA_OUTLINE_LOCAL || !wpa_text_starts(text, "./")) {
        return;
    }
    const char *path = wpa_graph_local_path(text, run->arena);
    if (!path || is_elsewhere(run, path)) {
        wpa_finding *finding =
            wpa_rule_report(run, uses->node->span, NULL, NULL,
                            "%s lies where no file of the repository does: what is there, the "
                            "steps before decide",
                            wpa_rule_quote_uses(run, uses));
        finding->confidence = WPA_CONFIDENCE_LOW;
        finding->persona = WPA_PERSONA_AUDITOR;
        return;
    }
    subject *s = wpa_arena_alloc(run->arena, sizeof *s);
    *s = (subject){uses, path, !step || (job->key && is_untouched(step))};
    (void)wpa_rule_report(run, uses->node->span, NULL, s,
                          step
                              ? "%s is taken from the disk, wherever that came from; '$/%s' names "
                                "it in this repository"
                              : "%s is not found by lockfiles and other checkouts; '$/%s' names it "
                                "in this repository",
                          wpa_rule_quote_uses(run, uses), path);
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    if (!wpa_rule_forge_lacks(run, "uses", "$/")) {
        wpa_rule_each_uses(run, check_uses);
    }
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const subject *s = finding->subject;
    if (!s) {
        return;
    }
    wpa_fix *fix = wpa_rule_fix(run, finding, s->is_same ? WPA_FIX_SAFE : WPA_FIX_UNSAFE,
                                "write $/%s", s->path);
    const wpa_yaml_node *node = s->uses->node;
    bool is_plain = wpa_text_starts(node->text + 2, s->path); /* perhaps with a slash behind */
    if (is_plain) {
        wpa_rule_edit(run, fix, wpa_yaml_source_span(node, 0, 1), "$");
    } else {
        wpa_rule_edit(run, fix, wpa_yaml_source_span(node, 0, node->length), "$/%s", s->path);
    }
}

const wpa_rule wpa_rule_self_repository = {
    .code = "CMP-033",
    .id = "self-repository",
    .dimension = WPA_DIMENSION_COMPATIBILITY,
    .kind = WPA_KIND_OPPORTUNITY,
    .severity = WPA_SEVERITY_LOW,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_PEDANTIC,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "A local action or workflow is named by its place on disk",
    .why = "What lies there depends on the checkouts before it, and lockfiles cannot hold it.",
    .fix = "Write $/path: it is this repository at the commit that runs, without a checkout.",
    .elsewhere = (const char *const[]){"zizmor/self-repository", NULL},
    .declares = WPA_DECLARES_PINS,
    .check = check,
    .repair = repair,
};
