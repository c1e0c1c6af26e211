/* T204: environments, and by what clouds know the jobs that log in with a token of the run. */
#include <string.h>

#include <wpa/map.h>
#include <wpa/text.h>

#include "rules/finding.h"
#include "rules/graph.h"
#include "testing/checks.h"
#include "workflow/workflow.h"

/** What a trust rule of a cloud can see of a job: the claims of its token. */
typedef struct identity {
    const wpa_workflow_job *job;
    const char *environment; /* as written, without what does not matter; NULL: none */
    bool has_token;          /* may ask for one */
} identity;

/** Does this block give the scope? -1: there is no block. */
static int gives_token(const wpa_value_map *permissions)
{
    const wpa_named *scope = wpa_value_map_find(permissions, "id-token");
    if (!permissions->key) {
        return -1;
    }
    return wpa_text_is(permissions->scalar.text, "write-all") ||
           (scope && wpa_text_is(scope->value.text, "write"));
}

static identity identity_of(const wpa_workflow *workflow, const wpa_workflow_job *job)
{
    int own = gives_token(&job->permissions);
    int shared = own >= 0 ? own : gives_token(&workflow->permissions);
    /* Who calls a workflow may lend it the scope, where it says nothing itself. */
    bool is_lent = shared < 0 && wpa_workflow_trigger(workflow, "workflow_call");
    return (identity){
        .job = job, .environment = job->environment.text, .has_token = shared > 0 || is_lent};
}

/** The same name, however the expression in it is spaced. */
static bool is_same_name(const char *a, const char *b)
{
    while (a && b) {
        a += strspn(a, " \t");
        b += strspn(b, " \t");
        if (*a != *b) {
            return false;
        }
        if (*a == '\0') {
            return true;
        }
        a++;
        b++;
    }
    return a == b;
}

typedef struct comparison {
    const wpa_test_context *context;
    wpa_test_outcome *outcome;
    const wpa_workflow *before, *after; /* after NULL: it is no workflow any more */
    const identity *new_jobs;           /* [n_new_jobs] of ids that were not there */
    size_t n_new_jobs;
    bool is_declared;
} comparison;

static void differ(const comparison *with, const identity *of, const char *what, bool is_certain)
{
    const wpa_test_context *context = with->context;
    wpa_test_evidence_at(with->outcome, context->arena, context->file, &context->file->before,
                         of->job->key->span.start, "changed",
                         wpa_arena_printf(context->arena, "job '%s': %s", of->job->id, what));
    if (is_certain && !with->is_declared) {
        wpa_test_fail(with->outcome, context->arena, "job '%s': %s", of->job->id, what);
    } else {
        wpa_test_warn(with->outcome, context->arena, "job '%s': %s", of->job->id, what);
    }
}

/** The same file of the same repository, at whatever commit. */
static bool calls_same_file(const wpa_reference *was, const wpa_reference *is, wpa_arena *arena)
{
    bool was_local = was->kind == WPA_REFERENCE_LOCAL, is_local = is->kind == WPA_REFERENCE_LOCAL;
    const char *old = was_local ? wpa_graph_local_path(was->text, arena) : was->path;
    const char *new = is_local ? wpa_graph_local_path(is->text, arena) : is->path;
    /* Of another repository there is hardly one at the path of an own one: it was named in full. */
    return old && new &&wpa_text_is(old, new) &&
           (was_local || is_local || wpa_text_is(was->slug, is->slug));
}

static void compare_job(const comparison *with, const identity *was, const identity *is)
{
    wpa_arena *arena = with->context->arena;
    const char *subject = was->has_token ? ", and the subject of its token with it" : "";
    bool is_same = is_same_name(was->environment, is->environment);
    bool had_call = was->job->uses.kind != WPA_REFERENCE_NONE;
    bool has_call = is->job->uses.kind != WPA_REFERENCE_NONE;
    if (!is_same && was->environment) {
        differ(with, was,
               is->environment
                   ? wpa_arena_printf(arena, "environment '%s' becomes '%s'%s", was->environment,
                                      is->environment, subject)
                   : wpa_arena_printf(arena, "environment '%s' goes%s", was->environment, subject),
               true);
    } else if (!is_same) {
        differ(with, was,
               wpa_arena_printf(arena, "it gets the environment '%s'%s", is->environment, subject),
               was->has_token);
    }
    if (was->has_token && had_call != has_call) {
        differ(with, was, "another workflow than before asks for its token (job_workflow_ref)",
               true);
    } else if (was->has_token && had_call &&
               !wpa_text_is(was->job->uses.text, is->job->uses.text)) {
        differ(with, was, "the workflow that asks for its token changes (job_workflow_ref)",
               !calls_same_file(&was->job->uses, &is->job->uses, arena));
    }
}

/** Jobs that are new are what jobs that are gone may have become: renamed, or split. */
static bool goes_on_elsewhere(const comparison *with, const identity *was)
{
    for (size_t i = 0; i < with->n_new_jobs; i++) {
        const identity *is = &with->new_jobs[i];
        if (is_same_name(was->environment, is->environment) && (is->has_token || !was->has_token)) {
            return true;
        }
    }
    return false;
}

static void list_new_jobs(comparison *with)
{
    size_t n = with->after ? with->after->n_jobs : 0;
    identity *list = wpa_arena_array(with->context->arena, n + 1, sizeof *list);
    for (size_t i = 0; i < n; i++) {
        const wpa_workflow_job *job = &with->after->jobs[i];
        if (!wpa_workflow_job_find(with->before, job->id)) {
            list[with->n_new_jobs++] = identity_of(with->after, job);
        }
    }
    with->new_jobs = list;
}

static void compare_gone(const comparison *with, const identity *was)
{
    if ((!was->environment && !was->has_token) || goes_on_elsewhere(with, was)) {
        return;
    }
    wpa_arena *arena = with->context->arena;
    differ(with, was,
           was->environment
               ? wpa_arena_printf(arena, "it goes, and environment '%s' with it", was->environment)
               : "it goes, and nothing here asks for its token any more",
           was->environment != NULL);
}

/** Which events give a subject of which form, for jobs without an environment. */
static const char *subject_form(const wpa_trigger *trigger)
{
    return wpa_text_is(trigger->name, "pull_request") ? "pull_request" : "ref";
}

/** Where a token names what started the run: does a form of it come that was not there? */
static void compare_forms(const comparison *with)
{
    const wpa_test_context *context = with->context;
    bool has_ref = false, has_pull_request = false;
    for (size_t i = 0; i < with->before->n_triggers; i++) {
        bool is_ref = wpa_text_is(subject_form(&with->before->triggers[i]), "ref");
        has_ref = has_ref || is_ref;
        has_pull_request = has_pull_request || !is_ref;
    }
    for (size_t i = 0; i < with->after->n_triggers; i++) {
        const char *form = subject_form(&with->after->triggers[i]);
        if (wpa_text_is(form, "ref") ? has_ref : has_pull_request) {
            continue;
        }
        wpa_test_evidence(
            with->outcome, context->arena, "new subject",
            wpa_arena_printf(context->arena, "%s, by '%s'", form, with->after->triggers[i].name));
        if (!wpa_test_is_declared(context, WPA_DECLARES_TRIGGERS)) {
            wpa_test_fail(with->outcome, context->arena,
                          "tokens would have a subject of the form '%s', which they had not", form);
        }
    }
}

static bool check_identity(const wpa_test_context *context, wpa_test_outcome *outcome,
                           wpa_error *err)
{
    comparison with = {
        .context = context,
        .outcome = outcome,
        .before = wpa_test_workflow_of(context, &context->file->before),
        .after = wpa_test_workflow_of(context, &context->file->after),
        .is_declared = wpa_test_is_declared(context, WPA_DECLARES_NAMES),
    };
    size_t n_environments = 0, n_tokens = 0;
    bool has_subject = false;
    (void)err;
    list_new_jobs(&with);
    for (size_t i = 0; i < with.before->n_jobs; i++) {
        const identity was = identity_of(with.before, &with.before->jobs[i]);
        const wpa_workflow_job *now =
            with.after ? wpa_workflow_job_find(with.after, was.job->id) : NULL;
        n_environments += was.environment != NULL;
        n_tokens += was.has_token;
        has_subject = has_subject || (was.has_token && !was.environment);
        if (now) {
            const identity is = identity_of(with.after, now);
            compare_job(&with, &was, &is);
        } else {
            compare_gone(&with, &was);
        }
    }
    if (has_subject && with.after) {
        compare_forms(&with);
    }
    wpa_test_evidence(outcome, context->arena, "compared",
                      wpa_arena_printf(context->arena,
                                       "%zu environments, %zu jobs that may ask for a token",
                                       n_environments, n_tokens));
    return true;
}

const wpa_test_check wpa_test_t204 = {.id = "T204",
                                      .phase = WPA_TEST_INTEGRATION,
                                      .version = 1,
                                      .scope = WPA_TEST_OF_FILE,
                                      .title = "environments and identities stay",
                                      .applies = wpa_test_had_workflow,
                                      .run = check_identity};
