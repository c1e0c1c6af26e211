/*
 * T108: the token of each job may still do what its steps are known to need, by the rule
 * missing-permission and the facts it asks; and what it may do more is told.
 */
#include <string.h>

#include <wpa/map.h>
#include <wpa/text.h>

#include "analysis/analysis.h"
#include "facts/facts.h"
#include "rules/needs.h"
#include "testing/around.h"
#include "testing/checks.h"
#include "testing/rights.h"
#include "workflow/workflow.h"

#define RULE "missing-permission"

/* ---- what a step writes ---- */

static size_t count_findings(const wpa_result *result, const char *message)
{
    size_t n = 0;
    for (size_t i = 0; i < result->n_findings; i++) {
        const wpa_finding *finding = result->findings[i];
        n += !finding->check && (!message || wpa_text_is(finding->message, message));
    }
    return n;
}

/** Of all files of the patch in this repository, in one version. */
static bool count_all(const wpa_test_context *context, bool is_after, size_t *n, wpa_error *err)
{
    for (size_t i = 0; i < context->patch->n_files; i++) {
        const wpa_test_file *file = &context->patch->files[i];
        const wpa_result *result =
            file->target == context->target && file->is_definition
                ? wpa_test_rule_result(context, file->path, RULE, is_after, err)
                : NULL;
        if (err->code) {
            return false;
        }
        *n += result ? count_findings(result, NULL) : 0;
    }
    return true;
}

/** Does the patch as a whole bring none: what a job lacks was there under another name, or in
    another file? */
static bool is_none_new(const wpa_test_context *context, bool *yes, wpa_error *err)
{
    size_t before = 0, after = 0;
    bool is_counted =
        count_all(context, false, &before, err) && count_all(context, true, &after, err);
    *yes = is_counted && after <= before;
    return is_counted;
}

static bool had_job(const wpa_test_context *context, const wpa_finding *finding)
{
    const wpa_workflow *before = wpa_test_workflow_of(context, &context->file->before);
    return before && finding->n_structure > 1 &&
           wpa_workflow_job_find(before, finding->structure[1]);
}

static bool compare_missing(const wpa_test_context *context, wpa_test_outcome *outcome,
                            wpa_error *err)
{
    const char *path = context->file->path;
    bool is_moved = false;
    const wpa_result *before = wpa_test_rule_result(context, path, RULE, false, err);
    const wpa_result *after = before ? wpa_test_rule_result(context, path, RULE, true, err) : NULL;
    if (!after || (count_findings(after, NULL) && !is_none_new(context, &is_moved, err))) {
        return false;
    }
    for (size_t i = 0; i < after->n_findings; i++) {
        const wpa_finding *finding = after->findings[i];
        if (finding->check) {
            continue; /* about forks, which no permissions help */
        }
        bool is_known =
            count_findings(after, finding->message) <= count_findings(before, finding->message);
        bool was_there = is_known || (is_moved && !had_job(context, finding));
        wpa_test_evidence_at(outcome, context->arena, context->file, &context->file->after,
                             finding->span.bytes.start, was_there ? "there before" : "missing",
                             finding->message);
        if (was_there) {
            wpa_test_warn(outcome, context->arena, "not of the patch, but there: %s",
                          finding->message);
        } else {
            wpa_test_fail(outcome, context->arena, "%s", finding->message);
        }
    }
    return true;
}

/* ---- what a step reads, and what nothing needs ---- */

typedef struct comparison {
    const wpa_test_context *context;
    wpa_test_outcome *outcome;
    const wpa_outline *before, *after; /* before NULL: the file is new */
    size_t n_known, n_unknown;         /* steps */
} comparison;

static const wpa_outline *outline_of(const wpa_test_context *context, wpa_test_image *image)
{
    return image->bytes
               ? wpa_test_image_analysis(context, context->file, image)->result.source->outline
               : NULL;
}

static const char *name_of(const char *scope, wpa_arena *arena)
{
    return wpa_arena_slice(arena, scope, strcspn(scope, ":"));
}

/** A public repository is read without a token, so it depends on what is not in the files. */
static void tell_unreadable(comparison *with, const wpa_outline_job *job,
                            const wpa_outline_step *step, const char *scope)
{
    const wpa_test_context *context = with->context;
    const wpa_settings *settings = context->target->settings;
    wpa_visibility visibility = settings ? settings->own.visibility : WPA_VISIBILITY_UNKNOWN;
    const wpa_yaml_node *at = step->run ? step->run : step->uses.node;
    if (visibility == WPA_VISIBILITY_PUBLIC) {
        return;
    }
    const char *text =
        wpa_arena_printf(context->arena, "job '%s' needs '%s', and had it", job->id, scope);
    wpa_test_evidence_at(with->outcome, context->arena, context->file, &context->file->after,
                         at->span.start, "missing", text);
    if (visibility == WPA_VISIBILITY_PRIVATE) {
        wpa_test_fail(with->outcome, context->arena, "%s", text);
    } else {
        wpa_test_warn(with->outcome, context->arena,
                      "%s: without it a private repository cannot be read", text);
    }
}

static void compare_reads(comparison *with, const wpa_outline_job *job,
                          const wpa_outline_step *step, const wpa_needs *needs)
{
    const wpa_outline_job *was = with->before ? wpa_outline_job_find(with->before, job->id) : NULL;
    for (size_t i = 0; was && i < needs->n; i++) {
        const char *name = name_of(needs->scopes[i], with->context->arena);
        bool had = wpa_test_right(with->before, was->node, name) >= WPA_TEST_RIGHT_READ;
        bool has = wpa_test_right(with->after, job->node, name) >= WPA_TEST_RIGHT_READ;
        if (wpa_text_ends(needs->scopes[i], ": read") && had && !has &&
            wpa_needs_own_token(with->after, step)) {
            tell_unreadable(with, job, step, needs->scopes[i]);
        }
    }
}

/** May the token write there although every step is known, and none needs it? */
static bool is_excess(const wpa_outline *outline, const wpa_outline_job *job, const char *scope)
{
    wpa_needs needs = {.is_complete = true};
    if (!wpa_test_permissions(outline, job->node) ||
        wpa_test_right(outline, job->node, scope) < WPA_TEST_RIGHT_WRITE) {
        return false;
    }
    wpa_needs_add_job(&needs, job);
    size_t length = strlen(scope);
    for (size_t i = 0; i < needs.n; i++) {
        if (strncmp(needs.scopes[i], scope, length) == 0 &&
            wpa_text_is(needs.scopes[i] + length, ": write")) {
            return false;
        }
    }
    return needs.is_complete;
}

static void tell_excess(comparison *with, const wpa_outline_job *job)
{
    const wpa_test_context *context = with->context;
    const wpa_outline_job *was = with->before ? wpa_outline_job_find(with->before, job->id) : NULL;
    const wpa_yaml_node *at = wpa_test_permissions(with->after, job->node);
    const wpa_fact_list scopes = wpa_facts_permission_names();
    for (size_t k = 0; at && scopes[k]; k++) {
        if (!is_excess(with->after, job, scopes[k])) {
            continue;
        }
        bool was_there = was && is_excess(with->before, was, scopes[k]);
        const char *text = wpa_arena_printf(context->arena,
                                            "no step of job '%s' is known to need "
                                            "'%s: write'",
                                            job->id, scopes[k]);
        wpa_test_evidence_at(with->outcome, context->arena, context->file, &context->file->after,
                             at->span.start, was_there ? "there before" : "more than is needed",
                             text);
        if (!was_there) {
            wpa_test_warn(with->outcome, context->arena, "%s", text);
        }
    }
}

static void compare_job(comparison *with, const wpa_outline_job *job)
{
    for (size_t i = 0; i < job->n_steps; i++) {
        wpa_needs needs = {.is_complete = true};
        wpa_needs_add_step(&needs, &job->steps[i]);
        *(needs.is_complete || needs.n ? &with->n_known : &with->n_unknown) += 1;
        compare_reads(with, job, &job->steps[i], &needs);
    }
    tell_excess(with, job);
}

/* ---- the check ---- */

static bool declares_any(const wpa_workflow *workflow)
{
    bool does = workflow && workflow->permissions.key;
    for (size_t i = 0; workflow && !does && i < workflow->n_jobs; i++) {
        does = workflow->jobs[i].permissions.key != NULL;
    }
    return does;
}

/** What nothing declares is as wide as the forge lets it be, which no file says. */
static bool has_permissions(const wpa_test_context *context)
{
    return context->file->is_definition &&
           declares_any(wpa_test_workflow_of(context, &context->file->after));
}

static bool check_permissions(const wpa_test_context *context, wpa_test_outcome *outcome,
                              wpa_error *err)
{
    comparison with = {.context = context, .outcome = outcome};
    if (!compare_missing(context, outcome, err)) {
        return false;
    }
    with.before = outline_of(context, &context->file->before);
    with.after = outline_of(context, &context->file->after);
    for (size_t i = 0; with.after && i < with.after->n_jobs; i++) {
        compare_job(&with, &with.after->jobs[i]);
    }
    wpa_test_evidence(outcome, context->arena, "looked at",
                      wpa_arena_printf(context->arena,
                                       "%zu steps whose needs are known, %zu of which nothing is "
                                       "known",
                                       with.n_known, with.n_unknown));
    return true;
}

const wpa_test_check wpa_test_t108 = {.id = "T108",
                                      .phase = WPA_TEST_ISOLATED,
                                      .version = 1,
                                      .scope = WPA_TEST_OF_FILE,
                                      .title = "tokens may still do what steps need",
                                      .applies = has_permissions,
                                      .run = check_permissions};
