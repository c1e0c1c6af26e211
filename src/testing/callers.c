/*
 * T201: the contracts of workflows that can be called and of actions, against everybody in the
 * fleet who uses them: in their own repository as it would be, in others as they were analysed.
 */
#include <string.h>

#include <wpa/text.h>

#include "rules/engine.h"
#include "rules/finding.h"
#include "rules/graph.h"
#include "testing/around.h"
#include "testing/checks.h"
#include "testing/contract.h"

#define CHANGES_MAX 200 /* of one contract that are held against callers */
#define CALLERS_MAX 500 /* steps and jobs that are looked at */

typedef struct search {
    const wpa_test_context *context;
    wpa_test_outcome *outcome;
    const wpa_contract_change *changes;
    size_t n_changes;
    const char *used_as; /* "./" left out: the workflow's path, or the action's folder */
    const char *slug;    /* as other repositories call it, or NULL */
    bool *is_answered;   /* [n_changes] somebody was found whom it concerns */
    size_t n_callers;
} search;

/* ---- one caller ---- */

static void judge(search *s, const wpa_contract_caller *caller, const char *who, bool is_pinned)
{
    wpa_arena *arena = s->context->arena;
    for (size_t i = 0; i < s->n_changes; i++) {
        const wpa_contract_change *change = &s->changes[i];
        if (!wpa_contract_concerns(change, caller, arena)) {
            continue;
        }
        s->is_answered[i] = true;
        wpa_test_evidence(s->outcome, arena, change->rule,
                          wpa_arena_printf(arena, "%s: %s%s", who, change->text,
                                           is_pinned ? " (once it takes a newer commit)" : ""));
        if (change->is_error && !is_pinned) {
            wpa_test_fail(s->outcome, arena, "%s %s, on which %s relies", change->rule,
                          change->text, who);
        } else {
            wpa_test_warn(s->outcome, arena, "%s %s, which %s would notice", change->rule,
                          change->text, who);
        }
    }
}

static bool is_it(const search *s, const wpa_reference *uses, wpa_arena *arena)
{
    if (uses->kind == WPA_REFERENCE_LOCAL) {
        return wpa_text_is(wpa_graph_local_path(uses->text, arena), s->used_as);
    }
    if (uses->kind != WPA_REFERENCE_REPOSITORY || !s->slug) {
        return false;
    }
    const char *path =
        *uses->path ? wpa_arena_printf(arena, "%s/%s", uses->slug, uses->path) : uses->slug;
    return wpa_text_is_ci(path, s->slug);
}

static void judge_steps(search *s, const wpa_contract_caller *of, const wpa_step *steps, size_t n,
                        const char *who, wpa_arena *scratch)
{
    wpa_contract_caller caller = *of;
    for (size_t i = 0; i < n && s->n_callers < CALLERS_MAX; i++) {
        if (is_it(s, &steps[i].uses, scratch)) {
            caller.step = &steps[i];
            s->n_callers++;
            judge(s, &caller, who, steps[i].uses.ref_kind == WPA_REF_COMMIT);
        }
    }
}

/** All steps and jobs of a definition that use it. */
static void judge_file(search *s, const char *path, const char *who, const char *text,
                       size_t size_bytes, wpa_arena *scratch)
{
    wpa_error ignored = {0}; /* too large: its own analysis says so */
    const wpa_model *model =
        wpa_model_parse(path, WPA_FILE_OTHER, text, size_bytes, scratch, &ignored);
    wpa_contract_caller caller = {.model = model, .text = text};
    if (!model) {
        return;
    }
    if (model->action) {
        judge_steps(s, &caller, model->action->steps, model->action->n_steps, who, scratch);
    }
    for (size_t i = 0; model->workflow && i < model->workflow->n_jobs; i++) {
        const wpa_workflow_job *job = &model->workflow->jobs[i];
        caller.job = job;
        caller.step = NULL;
        if (is_it(s, &job->uses, scratch) && s->n_callers < CALLERS_MAX) {
            s->n_callers++;
            judge(s, &caller, who, job->uses.ref_kind == WPA_REF_COMMIT);
        }
        judge_steps(s, &caller, job->steps, job->n_steps, who, scratch);
    }
}

static bool look_in(const wpa_test_definition *definition, wpa_arena *scratch, void *of)
{
    search *s = of;
    const char *slash = strrchr(s->used_as, '/');
    if (strstr(definition->text, slash ? slash + 1 : s->used_as)) {
        judge_file(s, definition->path, definition->path, definition->text, definition->size_bytes,
                   scratch);
    }
    return s->n_callers < CALLERS_MAX;
}

/** Returns how many of them could not be read. */
static size_t look_in_others(search *s)
{
    const wpa_test_patch *patch = s->context->patch;
    size_t n_unread = 0;
    for (size_t i = 0; s->slug && i < patch->n_callers; i++) {
        const wpa_test_caller *other = &patch->callers[i];
        if (!wpa_text_is(other->slug, s->slug)) {
            continue;
        }
        if (!other->text) {
            n_unread++;
            continue;
        }
        WPA_AUTO(wpa_arena) *scratch = wpa_arena_new();
        judge_file(s, other->path, other->who, other->text, other->size_bytes, scratch);
    }
    return n_unread;
}

/* ---- the contract of one file ---- */

static void tell_open(const search *s, size_t n_unread)
{
    wpa_arena *arena = s->context->arena;
    bool is_declared = wpa_test_is_declared(s->context, WPA_DECLARES_NAMES);
    bool is_cut = s->n_callers >= CALLERS_MAX || s->context->patch->has_more_callers;
    for (size_t i = 0; i < s->n_changes; i++) {
        if (s->is_answered[i]) {
            continue;
        }
        const wpa_contract_change *change = &s->changes[i];
        wpa_test_evidence(
            s->outcome, arena, change->rule,
            wpa_arena_printf(arena, "%s; nobody is known whom it concerns", change->text));
        if (change->is_error && (n_unread || is_cut)) {
            wpa_test_skip_with(s->outcome, WPA_TEST_SKIP_OTHER, arena,
                               "%s %s, and not all who use it could be looked at", change->rule,
                               change->text);
        } else if (change->is_error && !is_declared) {
            wpa_test_warn(s->outcome, arena, "%s %s; nobody is known whom it concerns",
                          change->rule, change->text);
        }
    }
}

static bool hold_against_callers(search *s, wpa_error *err)
{
    const wpa_test_context *context = s->context;
    s->slug = wpa_test_slug(context->target, context->file->path, context->arena);
    if (!wpa_test_each_definition(context, true, look_in, s, err)) {
        return false;
    }
    tell_open(s, look_in_others(s));
    wpa_test_evidence(s->outcome, context->arena, "looked at",
                      wpa_arena_printf(context->arena, "%zu steps and jobs that use it%s",
                                       s->n_callers,
                                       s->slug ? ""
                                               : "; who owns the repository is not known, so "
                                                 "nobody in others was looked for"));
    return true;
}

static const wpa_model *model_of(const wpa_test_context *context, wpa_test_image *image)
{
    return image->bytes ? wpa_test_image_model(context->file, image, context->arena) : NULL;
}

static bool compare_contract(const wpa_test_context *context, wpa_test_outcome *outcome,
                             wpa_error *err)
{
    search s = {.context = context, .outcome = outcome};
    s.changes = wpa_contract_compare(model_of(context, &context->file->before),
                                     model_of(context, &context->file->after), context->arena,
                                     &s.n_changes);
    if (s.n_changes == 0) {
        wpa_test_evidence(outcome, context->arena, "compared",
                          "inputs, outputs, secrets, permissions: what callers rely on stays");
        return true;
    }
    if (s.n_changes > CHANGES_MAX) {
        wpa_test_skip_with(outcome, WPA_TEST_SKIP_OTHER, context->arena,
                           "more than %d differences of what callers rely on", CHANGES_MAX);
        s.n_changes = CHANGES_MAX;
    }
    s.used_as = wpa_test_used_as(context->file->path, context->arena);
    s.is_answered = wpa_arena_array(context->arena, s.n_changes, sizeof *s.is_answered);
    return hold_against_callers(&s, err);
}

/* ---- calls that the patch changes: as the rule sees them ---- */

static bool counts(const wpa_finding *finding)
{
    return finding->severity >= WPA_SEVERITY_MEDIUM;
}

/* ---- the check ---- */

static bool calls_own(const wpa_model *model)
{
    for (size_t i = 0; model && model->workflow && i < model->workflow->n_jobs; i++) {
        if (model->workflow->jobs[i].uses.kind == WPA_REFERENCE_LOCAL) {
            return true;
        }
    }
    return false;
}

static bool has_contract(const wpa_test_context *context)
{
    const wpa_model *before = model_of(context, &context->file->before);
    return context->file->is_definition && ((before && wpa_contract_is_callable(before)) ||
                                            calls_own(model_of(context, &context->file->after)));
}

static bool check_contracts(const wpa_test_context *context, wpa_test_outcome *outcome,
                            wpa_error *err)
{
    const wpa_model *before = model_of(context, &context->file->before);
    if (calls_own(model_of(context, &context->file->after)) &&
        !wpa_test_ask_rule(context, "call-contract", counts, outcome, err)) {
        return false;
    }
    return !before || !wpa_contract_is_callable(before) || compare_contract(context, outcome, err);
}

const wpa_test_check wpa_test_t201 = {.id = "T201",
                                      .phase = WPA_TEST_INTEGRATION,
                                      .version = 1,
                                      .scope = WPA_TEST_OF_FILE,
                                      .title = "contracts hold for all who call",
                                      .applies = has_contract,
                                      .run = check_contracts};
