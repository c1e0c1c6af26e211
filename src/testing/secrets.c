/*
 * T109: secrets reach no more than before. Each step is held against the same step of the other
 * version: which secrets it is given by its own env, its job's and its workflow's, by inputs and in
 * its script; and so is each job, for what it hands on. What reaches logs and artifacts the rules
 * say, and the runs of T107 show, where each secret has a stand-in by which it is known again.
 */
#include <string.h>
#include <strings.h>

#include <wpa/map.h>
#include <wpa/text.h>

#include "analysis/analysis.h"
#include "expr/expr.h"
#include "testing/around.h"
#include "testing/checks.h"
#include "testing/commands.h"
#include "testing/trials.h"

#define STEPS_MAX 1000 /* of one job that are told apart */
#define DEPTH_MAX 20
#define ALL "every secret" /* toJSON(secrets), secrets[…], inherit */
#define MARKER "value_of_secrets_"

/** Secrets by name, in lower case; the values are the places where they are named first. */
typedef wpa_map secrets;

/** What one version of a file gives to its steps. */
typedef struct giving {
    const wpa_outline *outline;
    const secrets *shared; /* env of the workflow */
} giving;

/** Keys of a job that hand secrets on to others than its own steps. */
static const char *const keys[] = {"outputs", "container", "services",
                                   "secrets", "with",      "environment"};
#define KEYS WPA_COUNT(keys)

typedef struct comparison {
    const wpa_test_context *context;
    wpa_test_outcome *outcome;
    giving before, after;
    const wpa_map *n_before, *n_after; /* secret → how many steps it reaches, in all files */
    const secrets *elsewhere[KEYS];    /* what any job had under a key of keys before */
    size_t n_compared;
} comparison;

/* ---- what a text names ---- */

static void add_reference(secrets *into, const wpa_expr_reference *reference,
                          const wpa_yaml_node *node)
{
    static const char prefix[] = "secrets.";
    const char *path = reference->path;
    const char *name = wpa_text_starts(path, prefix) && !reference->is_computed
                           ? path + strlen(prefix)
                       : wpa_text_is(path, "secrets") || wpa_text_starts(path, "secrets") ? ALL
                                                                                          : NULL;
    if (name && !wpa_text_is(name, "github_token") && !wpa_map_has(into, name)) {
        wpa_map_put(into, name, (void *)(uintptr_t)node);
    }
}

static void add_scalar(secrets *into, const wpa_yaml_node *value, bool is_condition,
                       wpa_arena *arena)
{
    const wpa_yaml_node *node = wpa_yaml_resolve(value);
    const char *text = node ? wpa_yaml_text(node) : NULL;
    size_t n = 0;
    if (!text || !strcasestr(text, "secrets")) {
        return;
    }
    const wpa_expr_place *places =
        is_condition ? wpa_expr_find_condition(node, arena, &n) : wpa_expr_find(node, arena, &n);
    for (size_t i = 0; i < n; i++) {
        size_t n_references = 0;
        const wpa_expr_reference *references =
            wpa_expr_references(places[i].parsed.root, arena, &n_references);
        for (size_t k = 0; k < n_references; k++) {
            add_reference(into, &references[k], node);
        }
    }
}

/** Values of a mapping of texts, as env and with are. */
static void add_values(secrets *into, const wpa_yaml_node *mapping, wpa_arena *arena)
{
    add_scalar(into, mapping, false, arena); /* an expression in place of all */
    for (size_t i = 0; wpa_yaml_is(mapping, WPA_YAML_MAPPING) && i < mapping->n_pairs; i++) {
        add_scalar(into, mapping->pairs[i].value, false, arena);
    }
}

/** Whatever stands below; aliases are not followed but where they stand for a text. */
static void add_tree(secrets *into, const wpa_yaml_node *node, int depth, wpa_arena *arena)
{
    add_scalar(into, node, false, arena);
    for (size_t i = 0; node && depth < DEPTH_MAX && i < node->n_pairs; i++) {
        add_tree(into, node->pairs[i].value, depth + 1, arena);
    }
    for (size_t i = 0; node && depth < DEPTH_MAX && i < node->n_items; i++) {
        add_tree(into, node->items[i], depth + 1, arena);
    }
}

/* ---- what a step and a job are given ---- */

static secrets *of_script(const wpa_outline_step *step, wpa_arena *arena)
{
    secrets *given = wpa_map_new(arena);
    add_scalar(given, step->run, false, arena);
    return given;
}

static void add_all(secrets *into, const secrets *from)
{
    for (size_t i = 0; i < wpa_map_count(from); i++) {
        void *node;
        const char *name = wpa_map_at(from, i, &node);
        if (!wpa_map_has(into, name)) {
            wpa_map_put(into, name, node);
        }
    }
}

static secrets *of_step(const giving *of, const wpa_outline_step *step, wpa_arena *arena)
{
    secrets *given = of_script(step, arena);
    add_values(given, step->env, arena);
    add_values(given, step->with, arena);
    add_scalar(given, step->condition, true, arena);
    add_values(given, wpa_yaml_get(step->job->node, "env"), arena);
    add_all(given, of->shared);
    return given;
}

/** Under one key of the job that is not for its steps. */
static secrets *of_key(const wpa_outline_job *job, const char *key, wpa_arena *arena)
{
    secrets *given = wpa_map_new(arena);
    const wpa_yaml_node *node = wpa_yaml_get(job->node, key);
    bool is_inherited =
        wpa_text_is(key, "secrets") && node && wpa_text_is(wpa_yaml_text(node), "inherit");
    if (is_inherited) {
        wpa_map_put(given, ALL, (void *)(uintptr_t)node);
    }
    add_tree(given, node, 0, arena);
    return given;
}

static giving giving_of(const wpa_test_context *context, wpa_test_file *file, wpa_test_image *image)
{
    secrets *shared = wpa_map_new(context->arena);
    giving of = {.shared = shared};
    if (image->bytes && file->is_definition) {
        of.outline = wpa_test_image_analysis(context, file, image)->result.source->outline;
        add_values(shared, wpa_yaml_get(of.outline->root, "env"), context->arena);
    }
    return of;
}

/** How many steps each secret reaches, over all files of the patch in the repository. */
static wpa_map *count_reached(const wpa_test_context *context, bool is_after)
{
    wpa_map *counts = wpa_map_new(context->arena);
    for (size_t f = 0; f < context->patch->n_files; f++) {
        wpa_test_file *file = &context->patch->files[f];
        const giving of = file->target == context->target
                              ? giving_of(context, file, is_after ? &file->after : &file->before)
                              : (giving){0};
        for (size_t i = 0; of.outline && i < of.outline->n_jobs; i++) {
            for (size_t k = 0; k < of.outline->jobs[i].n_steps; k++) {
                WPA_AUTO(wpa_arena) *scratch = wpa_arena_new();
                const secrets *given = of_step(&of, &of.outline->jobs[i].steps[k], scratch);
                for (size_t s = 0; s < wpa_map_count(given); s++) {
                    const char *name = wpa_map_at(given, s, NULL);
                    size_t *n = wpa_map_get(counts, name);
                    if (!n) {
                        n = wpa_arena_alloc(context->arena, sizeof *n);
                        wpa_map_put(counts, wpa_arena_text(context->arena, name), n);
                    }
                    *n += 1;
                }
            }
        }
    }
    return counts;
}

/* ---- comparing ---- */

static void judge(comparison *with, const char *secret, const wpa_yaml_node *node, const char *who,
                  bool is_certain)
{
    const wpa_test_context *context = with->context;
    const char *text = wpa_arena_printf(context->arena, "%s gets %s%s%s, which it did not", who,
                                        wpa_text_is(secret, ALL) ? "" : "secret '", secret,
                                        wpa_text_is(secret, ALL) ? "" : "'");
    wpa_test_evidence_at(with->outcome, context->arena, context->file, &context->file->after,
                         node->span.start, is_certain ? "reaches more" : "reaches another", text);
    if (is_certain) {
        wpa_test_fail(with->outcome, context->arena, "%s", text);
    } else {
        wpa_test_warn(with->outcome, context->arena, "%s", text);
    }
}

static size_t count_of(const wpa_map *counts, const char *secret)
{
    const size_t *n = wpa_map_get(counts, secret);
    return n ? *n : 0;
}

static void compare(comparison *with, const secrets *was, const secrets *is, const char *who)
{
    for (size_t i = 0; i < wpa_map_count(is); i++) {
        void *node;
        const char *secret = wpa_map_at(is, i, &node);
        if (!was || (!wpa_map_has(was, secret) && !wpa_map_has(was, ALL))) {
            /* A step that was none before may be what another one has become. */
            bool is_more =
                was || count_of(with->n_after, secret) > count_of(with->n_before, secret);
            judge(with, secret, node, who, is_more);
        }
    }
}

static const char *name_of(const wpa_outline_step *step, wpa_arena *arena)
{
    const char *name = wpa_yaml_text(wpa_yaml_get(step->node, "name"));
    const char *shown = step->id ? step->id : name;
    const char *job = *step->job->id ? wpa_arena_printf(arena, " of job '%s'", step->job->id) : "";
    return shown ? wpa_arena_printf(arena, "step '%s'%s", shown, job)
                 : wpa_arena_printf(arena, "step %zu%s", step->index + 1, job);
}

static void compare_step(comparison *with, const wpa_outline_job *old, const wpa_outline_step *step)
{
    wpa_arena *arena = with->context->arena;
    const wpa_outline_step *was = old ? wpa_test_step_like(old, step) : NULL;
    const secrets *is = of_step(&with->after, step, arena);
    if (wpa_map_count(is) == 0) {
        return;
    }
    const char *who = name_of(step, arena);
    compare(with, was ? of_step(&with->before, was, arena) : NULL, is, who);
    if (was) { /* what stands in a script is seen where its commands are listed */
        compare(with, of_script(was, arena), of_script(step, arena),
                wpa_arena_printf(arena, "the script of %s", who));
    }
    with->n_compared++;
}

static void compare_job(comparison *with, const wpa_outline_job *job)
{
    wpa_arena *arena = with->context->arena;
    const wpa_outline_job *was =
        with->before.outline ? wpa_outline_job_find(with->before.outline, job->id) : NULL;
    if (job->n_steps > STEPS_MAX || (was && was->n_steps > STEPS_MAX)) {
        wpa_test_skip_with(with->outcome, WPA_TEST_SKIP_OTHER, arena,
                           "job '%s' has more than %d steps", job->id, STEPS_MAX);
        return;
    }
    for (size_t i = 0; i < job->n_steps; i++) {
        compare_step(with, was, &job->steps[i]);
    }
    for (size_t k = 0; k < KEYS; k++) { /* a job that was none may be what another has become */
        compare(with, was ? of_key(was, keys[k], arena) : with->elsewhere[k],
                of_key(job, keys[k], arena),
                wpa_arena_printf(arena, "%s of job '%s'", keys[k], job->id));
    }
}

static void look_elsewhere(comparison *with)
{
    const wpa_outline *before = with->before.outline;
    for (size_t k = 0; k < KEYS; k++) {
        secrets *any = wpa_map_new(with->context->arena);
        for (size_t i = 0; before && i < before->n_jobs; i++) {
            add_all(any, of_key(&before->jobs[i], keys[k], with->context->arena));
        }
        with->elsewhere[k] = any;
    }
}

/* ---- what the runs of T107 have shown ---- */

static size_t count_marks(const char *text)
{
    size_t n = 0;
    for (const char *at = text; (at = strstr(at, MARKER)); at += strlen(MARKER)) {
        n++;
    }
    return n;
}

static void compare_runs(comparison *with)
{
    const wpa_test_context *context = with->context;
    const wpa_test_file *file = context->file;
    for (size_t i = 0; i < file->n_trials; i++) {
        const wpa_trial_pair *pair = &file->trials[i];
        for (wpa_trial_part part = 0; !pair->trouble && part < WPA_TRIAL_PARTS; part++) {
            if (count_marks(pair->is[part]) <= count_marks(pair->was[part])) {
                continue;
            }
            const char *text = wpa_arena_printf(context->arena,
                                                "run with a stand-in, a secret is "
                                                "in its %s, and was not",
                                                wpa_trial_part_name(part));
            wpa_test_evidence_at(with->outcome, context->arena, file, &file->after,
                                 pair->after.step->run->span.start, "marker", text);
            wpa_test_fail(with->outcome, context->arena, "%s: %s", file->subject, text);
        }
    }
    wpa_test_evidence(with->outcome, context->arena, "compared",
                      wpa_arena_printf(context->arena,
                                       "%zu steps that secrets reach, %zu scripts by what they did",
                                       with->n_compared, file->n_trials));
}

/* ---- the check ---- */

/** Rules that say where a secret, or a token, goes on to. */
static const char *const rules[] = {"secret-exposure", "unredacted-secrets", "artifact-exposure",
                                    "overprovisioned-secrets"};

static bool counts(const wpa_finding *finding)
{
    return finding->severity >= WPA_SEVERITY_MEDIUM;
}

static bool names_secrets(const wpa_test_image *image)
{
    return image->bytes && strcasestr(image->bytes, "secrets");
}

static bool has_secrets(const wpa_test_context *context)
{
    return context->file->is_definition && context->file->after.bytes &&
           (names_secrets(&context->file->before) || names_secrets(&context->file->after));
}

static bool check_secrets(const wpa_test_context *context, wpa_test_outcome *outcome,
                          wpa_error *err)
{
    comparison with = {.context = context,
                       .outcome = outcome,
                       .before = giving_of(context, context->file, &context->file->before),
                       .after = giving_of(context, context->file, &context->file->after),
                       .n_before = count_reached(context, false),
                       .n_after = count_reached(context, true)};
    look_elsewhere(&with);
    for (size_t i = 0; with.after.outline && i < with.after.outline->n_jobs; i++) {
        compare_job(&with, &with.after.outline->jobs[i]);
    }
    compare_runs(&with);
    for (size_t i = 0; i < WPA_COUNT(rules); i++) {
        if (!wpa_test_ask_rule(context, rules[i], counts, outcome, err)) {
            return false;
        }
    }
    return true;
}

const wpa_test_check wpa_test_t109 = {.id = "T109",
                                      .phase = WPA_TEST_ISOLATED,
                                      .version = 1,
                                      .scope = WPA_TEST_OF_FILE,
                                      .title = "secrets reach no more than before",
                                      .applies = has_secrets,
                                      .run = check_secrets};
