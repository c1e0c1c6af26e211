/*
 * V103, V104 and V107: versions of actions and workflows that the patch changes, as far as the
 * tables know them. A major step is shown with what of its inputs goes; a step back, and a version
 * of which an advisory speaks, fail.
 */
#include <inttypes.h>
#include <string.h>

#include <wpa/map.h>
#include <wpa/text.h>

#include "analysis/analysis.h"
#include "rules/outline.h"
#include "testing/checks.h"

/** A use whose ref the file did not have before, and one that it had. */
typedef struct step_taken {
    const wpa_outline_step *step; /* NULL: a job calls it */
    const wpa_outline_uses *from, *to;
    const char *text; /* "actions/cache: v3 -> v4" */
} step_taken;

typedef struct steps_taken {
    const wpa_test_context *context;
    wpa_map *refs; /* "slug@ref" before */
    wpa_map *uses; /* slug → the first use of it before */
    wpa_map *told; /* "slug@ref" after */
    step_taken *items;
    size_t n, capacity;
} steps_taken;

/* ---- which they are ---- */

typedef void (*uses_visitor)(steps_taken *list, const wpa_outline_uses *uses,
                             const wpa_outline_step *step);

static void each_uses(steps_taken *list, wpa_test_image *image, uses_visitor visit)
{
    const wpa_test_context *context = list->context;
    const wpa_outline *outline =
        image->bytes
            ? wpa_test_image_analysis(context, context->file, image)->result.source->outline
            : NULL;
    for (size_t i = 0; outline && i < outline->n_jobs; i++) {
        visit(list, &outline->jobs[i].uses, NULL);
        for (size_t k = 0; k < outline->jobs[i].n_steps; k++) {
            visit(list, &outline->jobs[i].steps[k].uses, &outline->jobs[i].steps[k]);
        }
    }
}

static const char *slug_of(const wpa_outline_uses *uses, wpa_arena *arena)
{
    char *slug = wpa_arena_slice(arena, uses->slug.at, uses->slug.length);
    for (char *at = slug; *at; at++) {
        *at = (char)(*at >= 'A' && *at <= 'Z' ? *at + 32 : *at);
    }
    return slug;
}

static const char *key_of(const wpa_outline_uses *uses, wpa_arena *arena)
{
    return wpa_arena_printf(arena, "%s@%.*s", slug_of(uses, arena), (int)uses->ref.length,
                            uses->ref.at);
}

static void note_before(steps_taken *list, const wpa_outline_uses *uses,
                        const wpa_outline_step *step)
{
    wpa_arena *arena = list->context->arena;
    (void)step;
    if (uses->kind != WPA_OUTLINE_REPOSITORY || !uses->fact) {
        return;
    }
    const char *slug = slug_of(uses, arena);
    wpa_map_put(list->refs, key_of(uses, arena), list->refs);
    if (!wpa_map_has(list->uses, slug)) {
        wpa_map_put(list->uses, slug, (void *)(uintptr_t)uses);
    }
}

/** "v4.2.2", or the ref as it is written. */
static const char *version_of(const wpa_outline_uses *uses, wpa_arena *arena)
{
    return uses->fact->tag ? uses->fact->tag
                           : wpa_arena_slice(arena, uses->ref.at, uses->ref.length);
}

static void note_after(steps_taken *list, const wpa_outline_uses *uses,
                       const wpa_outline_step *step)
{
    wpa_arena *arena = list->context->arena;
    if (uses->kind != WPA_OUTLINE_REPOSITORY || !uses->fact) {
        return;
    }
    const char *slug = slug_of(uses, arena), *key = key_of(uses, arena);
    const wpa_outline_uses *from = wpa_map_get(list->uses, slug);
    if (wpa_map_has(list->refs, key) || (wpa_map_has(list->told, key) && !step)) {
        return;
    }
    wpa_map_put(list->told, key, list->told);
    list->items = wpa_arena_grow(arena, list->items, list->n, &list->capacity, sizeof *list->items);
    list->items[list->n++] = (step_taken){
        .step = step,
        .from = from,
        .to = uses,
        .text = from ? wpa_arena_printf(arena, "%s: %s after %s", slug, version_of(uses, arena),
                                        version_of(from, arena))
                     : wpa_arena_printf(arena, "%s: %s", slug, version_of(uses, arena))};
}

static steps_taken steps_of(const wpa_test_context *context)
{
    wpa_arena *arena = context->arena;
    steps_taken list = {.context = context,
                        .refs = wpa_map_new(arena),
                        .uses = wpa_map_new(arena),
                        .told = wpa_map_new(arena)};
    if (context->file->is_definition) {
        each_uses(&list, &context->file->before, note_before);
        each_uses(&list, &context->file->after, note_after);
    }
    return list;
}

static bool has_both(const step_taken *one)
{
    return one->from && one->from->fact->has_version && one->to->fact->has_version;
}

static bool has_steps(const wpa_test_context *context)
{
    const steps_taken list = steps_of(context);
    for (size_t i = 0; i < list.n; i++) {
        if (list.items[i].from) {
            return true;
        }
    }
    return false;
}

static void tell(const steps_taken *list, const step_taken *one, wpa_test_outcome *outcome,
                 const char *label, const char *text)
{
    wpa_test_evidence_at(outcome, list->context->arena, list->context->file,
                         &list->context->file->after, one->to->ref_span.start, label, text);
}

/** Two versions that cannot be told apart are not compared. */
static void leave_open(const steps_taken *list, const step_taken *one, wpa_test_outcome *outcome)
{
    tell(list, one, outcome, "not known", one->text);
    wpa_test_skip_with(outcome, WPA_TEST_SKIP_NO_FORGE, list->context->arena,
                       "no table has both versions of %s", one->text);
}

/* ---- V103 ---- */

/** Inputs that the step gives, and the new major does not take any more. */
static void look_at_inputs(const steps_taken *list, const step_taken *one,
                           wpa_test_outcome *outcome)
{
    const wpa_fact_use *was = one->from->fact, *is = one->to->fact;
    const wpa_yaml_node *with = one->step ? one->step->with : NULL;
    wpa_arena *arena = list->context->arena;
    wpa_fact_input input;
    bool is_known = was->has_major && is->has_major && was->major.using && is->major.using;
    for (size_t i = 0; is_known && wpa_yaml_is(with, WPA_YAML_MAPPING) && i < with->n_pairs; i++) {
        const char *name = wpa_yaml_text(with->pairs[i].key);
        if (name && wpa_facts_input_find(&was->major, wpa_slice_of(name), &input) &&
            !wpa_facts_input_find(&is->major, wpa_slice_of(name), &input)) {
            const char *text =
                wpa_arena_printf(arena, "%s takes no input '%s' any more", one->text, name);
            tell(list, one, outcome, "breaks", text);
            wpa_test_fail(outcome, arena, "%s", text);
        }
    }
}

static bool check_major(const wpa_test_context *context, wpa_test_outcome *outcome, wpa_error *err)
{
    const steps_taken list = steps_of(context);
    (void)err;
    for (size_t i = 0; i < list.n; i++) {
        const step_taken *one = &list.items[i];
        if (!one->from) {
            continue;
        }
        if (!has_both(one)) {
            leave_open(&list, one, outcome);
            continue;
        }
        if (one->to->fact->version.parts[0] <= one->from->fact->version.parts[0]) {
            tell(&list, one, outcome, "no major step", one->text);
            continue;
        }
        const wpa_fact_use *is = one->to->fact, *was = one->from->fact;
        bool has_using = was->has_major && is->has_major && was->major.using && is->major.using;
        tell(&list, one, outcome, "major step",
             has_using ? wpa_arena_printf(context->arena, "%s; it runs by %s, and did by %s",
                                          one->text, is->major.using, was->major.using)
                       : one->text);
        wpa_test_warn(outcome, context->arena, "a major step: %s", one->text);
        look_at_inputs(&list, one, outcome);
    }
    return true;
}

/* ---- V107 ---- */

static const wpa_fact_advisory *advisory_of(const wpa_outline_uses *uses)
{
    for (size_t i = wpa_facts_advisory_of(uses->slug, 0); i < wpa_facts_advisory_count();
         i = wpa_facts_advisory_of(uses->slug, i + 1)) {
        const wpa_fact_advisory *advisory = wpa_facts_advisory_at(i);
        wpa_fact_affected affected =
            wpa_facts_advisory_affects(advisory, uses->slug, uses->ref, uses->fact);
        if (affected == WPA_AFFECTED_YES || affected == WPA_AFFECTED_MALICIOUS) {
            return advisory;
        }
    }
    return NULL;
}

static bool check_advisories(const wpa_test_context *context, wpa_test_outcome *outcome,
                             wpa_error *err)
{
    const steps_taken list = steps_of(context);
    (void)err;
    for (size_t i = 0; i < list.n; i++) {
        const step_taken *one = &list.items[i];
        const wpa_fact_advisory *is = advisory_of(one->to);
        const wpa_fact_advisory *was = one->from ? advisory_of(one->from) : NULL;
        if (is) {
            const char *text =
                wpa_arena_printf(context->arena, "%s: %s (%s)", one->text, is->summary, is->id);
            tell(&list, one, outcome, "advisory", text);
            wpa_test_fail(outcome, context->arena, "%s", text);
        } else {
            tell(&list, one, outcome, was ? "left behind" : "none known",
                 was ? wpa_arena_printf(context->arena, "%s leaves %s behind", one->text, was->id)
                     : one->text);
        }
    }
    return true;
}

static bool has_new_versions(const wpa_test_context *context)
{
    return steps_of(context).n > 0;
}

/* ---- V104 ---- */

static bool check_back(const wpa_test_context *context, wpa_test_outcome *outcome, wpa_error *err)
{
    const steps_taken list = steps_of(context);
    (void)err;
    for (size_t i = 0; i < list.n; i++) {
        const step_taken *one = &list.items[i];
        if (!one->from) {
            continue;
        }
        if (!has_both(one)) {
            leave_open(&list, one, outcome);
            continue;
        }
        const wpa_fact_use *is = one->to->fact, *was = one->from->fact;
        bool is_back = wpa_version_compare(&is->version, &was->version) < 0;
        /* "v4" is any version of it: nothing is known to be older. */
        bool is_within = is_back && is->version.n_parts < was->version.n_parts &&
                         memcmp(is->version.parts, was->version.parts,
                                is->version.n_parts * sizeof *is->version.parts) == 0;
        tell(&list, one, outcome, is_back && !is_within ? "step back" : "no step back", one->text);
        if (is_back && !is_within && advisory_of(one->from)) {
            wpa_test_warn(outcome, context->arena, "back from a version with an advisory: %s",
                          one->text);
        } else if (is_back && !is_within) {
            wpa_test_fail(outcome, context->arena, "an older version than before: %s", one->text);
        }
    }
    return true;
}

const wpa_test_check wpa_test_v103 = {.id = "V103",
                                      .phase = WPA_TEST_COMPATIBILITY,
                                      .version = 1,
                                      .scope = WPA_TEST_OF_FILE,
                                      .is_waivable = true,
                                      .title = "major steps are shown, inputs stay",
                                      .applies = has_steps,
                                      .run = check_major};
const wpa_test_check wpa_test_v104 = {.id = "V104",
                                      .phase = WPA_TEST_COMPATIBILITY,
                                      .version = 1,
                                      .scope = WPA_TEST_OF_FILE,
                                      .is_waivable = true,
                                      .title = "no version steps back",
                                      .applies = has_steps,
                                      .run = check_back};
const wpa_test_check wpa_test_v107 = {.id = "V107",
                                      .phase = WPA_TEST_COMPATIBILITY,
                                      .version = 1,
                                      .scope = WPA_TEST_OF_FILE,
                                      .is_waivable = true,
                                      .title = "no known advisory in new versions",
                                      .applies = has_new_versions,
                                      .run = check_advisories};
