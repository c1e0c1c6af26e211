/*
 * T206: runners that jobs newly ask for exist, as far as is known here (GitHub's own, those that
 * the configuration names, those that the repository's jobs run on already), and scripts are for
 * the system that they run on.
 */
#include <string.h>

#include <wpa/map.h>
#include <wpa/text.h>

#include "analysis/analysis.h"
#include "facts/facts.h"
#include "rules/outline.h"
#include "rules/settings.h"
#include "testing/around.h"
#include "testing/checks.h"
#include "workflow/workflow.h"

/* ---- labels ---- */

static const wpa_outline *outline_of(const wpa_test_context *context, wpa_test_image *image)
{
    return image->bytes && context->file->is_definition
               ? wpa_test_image_analysis(context, context->file, image)->result.source->outline
               : NULL;
}

static wpa_map *labels_of(const wpa_test_context *context, wpa_test_image *image)
{
    wpa_map *labels = wpa_map_new(context->arena);
    const wpa_outline *outline = outline_of(context, image);
    for (size_t i = 0; outline && i < outline->n_jobs; i++) {
        for (size_t k = 0; k < outline->jobs[i].n_labels; k++) {
            const wpa_outline_label *label = &outline->jobs[i].labels[k];
            wpa_map_put(labels, label->text, (void *)(uintptr_t)label);
        }
    }
    return labels;
}

static bool add_labels(const wpa_test_definition *definition, wpa_arena *scratch, void *of)
{
    wpa_map *labels = of;
    wpa_error ignored = {0}; /* too large: its own analysis says so */
    const wpa_model *model = wpa_model_parse(definition->path, WPA_FILE_OTHER, definition->text,
                                             definition->size_bytes, scratch, &ignored);
    for (size_t i = 0; model && model->workflow && i < model->workflow->n_jobs; i++) {
        const wpa_value_list *list = &model->workflow->jobs[i].runs_on;
        for (size_t k = 0; k < list->n; k++) {
            if (list->items[k].text && !wpa_map_has(labels, list->items[k].text)) {
                wpa_map_put(labels, list->items[k].text, labels);
            }
        }
    }
    return true;
}

/** Of all jobs of the repository as it is. */
static const wpa_map *labels_in_use(const wpa_test_context *context, wpa_error *err)
{
    wpa_map *labels = wpa_map_new(context->arena);
    return wpa_test_each_definition(context, false, add_labels, labels, err) ? labels : NULL;
}

static bool is_listed(const wpa_text_list *globs, const char *text)
{
    for (size_t i = 0; i < globs->n; i++) {
        if (wpa_glob_fits(globs->items[i], text)) {
            return true;
        }
    }
    return false;
}

static const wpa_text_list *configured(const wpa_test_context *context)
{
    static const wpa_text_list none = {0};
    const wpa_settings *settings = context->target->settings;
    return settings ? &settings->own.runner_labels : &none;
}

static void judge_label(const wpa_test_context *context, const wpa_outline_label *label,
                        const wpa_map *in_use, wpa_test_outcome *outcome)
{
    wpa_arena *arena = context->arena;
    const wpa_text_list *own = configured(context);
    const char *known = label->runner                                ? "one of GitHub's own"
                        : is_listed(own, label->text)                ? "the configuration names it"
                        : wpa_map_has(in_use, label->text)           ? "jobs run on it already"
                        : wpa_text_is_ci(label->text, "self-hosted") ? "any runner of one's own"
                                                                     : NULL;
    wpa_test_evidence_at(
        outcome, arena, context->file, &context->file->after, label->node->span.start,
        known ? "known" : "not known",
        wpa_arena_printf(arena, "%s%s%s", label->text, known ? ": " : "", known ? known : ""));
    if (!known && own->n) {
        wpa_test_fail(outcome, arena, "no runner that the configuration names has the label '%s'",
                      label->text);
    } else if (!known) {
        wpa_test_skip_with(outcome, WPA_TEST_SKIP_NO_FORGE, arena,
                           "whether a runner has the label '%s' is not known here", label->text);
    }
}

/* ---- the check ---- */

static bool counts(const wpa_finding *finding)
{
    return finding->severity >= WPA_SEVERITY_MEDIUM;
}

/** Jobs or scripts are there that need a runner. */
static bool has_jobs(const wpa_test_context *context)
{
    return wpa_map_count(labels_of(context, &context->file->after)) > 0;
}

static bool check_runners(const wpa_test_context *context, wpa_test_outcome *outcome,
                          wpa_error *err)
{
    static const char *const rules[] = {"shell-os-mismatch", "shell-name", "retired-runner",
                                        "runner-label"};
    const wpa_map *was = labels_of(context, &context->file->before);
    const wpa_map *is = labels_of(context, &context->file->after);
    const wpa_map *in_use = labels_in_use(context, err);
    for (size_t i = 0; in_use && i < wpa_map_count(is); i++) {
        void *label;
        if (!wpa_map_has(was, wpa_map_at(is, i, &label))) {
            judge_label(context, label, in_use, outcome);
        }
    }
    /* Where runners are configured the last rule would not know of them. */
    size_t n_rules = WPA_COUNT(rules) - (configured(context)->n > 0);
    for (size_t i = 0; in_use && i < n_rules; i++) {
        if (!wpa_test_ask_rule(context, rules[i], counts, outcome, err)) {
            return false;
        }
    }
    wpa_test_evidence(outcome, context->arena, "compared",
                      wpa_arena_printf(context->arena, "%zu labels before, %zu after",
                                       wpa_map_count(was), wpa_map_count(is)));
    return in_use != NULL;
}

const wpa_test_check wpa_test_t206 = {.id = "T206",
                                      .phase = WPA_TEST_INTEGRATION,
                                      .version = 1,
                                      .scope = WPA_TEST_OF_FILE,
                                      .is_waivable = true,
                                      .title = "runners exist, and scripts are for their system",
                                      .applies = has_jobs,
                                      .run = check_runners};
