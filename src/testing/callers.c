/*
 * T201: the contracts of workflows that can be called and of actions, against everybody in the
 * fleet who uses them: in their own repository as it would be, in others as they were analysed.
 */
#include <string.h>
#include <strings.h>

#include <wpa/text.h>

#include "rules/engine.h"
#include "rules/finding.h"
#include "rules/graph.h"
#include "testing/around.h"
#include "testing/checks.h"
#include "testing/contract.h"

#define CHANGES_MAX 200 /* of one contract that are held against callers */
#define CALLERS_MAX 500 /* steps and jobs that are looked at */
#define MOVED "C330"    /* which fixes of pins declare */

typedef struct search {
    const wpa_test_context *context;
    wpa_test_outcome *outcome;
    const wpa_contract_change *changes;
    size_t n_changes;
    const char *used_as; /* "./" left out: the workflow's path, or the action's folder */
    const char *slug;    /* as other repositories call it, or NULL */
    const char *name;    /* of the workflow before, or NULL */
    bool *is_answered;   /* [n_changes] somebody was found whom it concerns */
    size_t n_callers;
} search;

/* ---- one caller ---- */

/** The i-th change concerns somebody. */
static void answer(search *s, size_t i, const char *who, bool is_pinned)
{
    wpa_arena *arena = s->context->arena;
    const wpa_contract_change *change = &s->changes[i];
    s->is_answered[i] = true;
    wpa_test_evidence(s->outcome, arena, change->rule,
                      wpa_arena_printf(arena, "%s: %s%s", who, change->text,
                                       is_pinned ? " (once it takes a newer commit)" : ""));
    if (change->is_error && !is_pinned) {
        wpa_test_fail(s->outcome, arena, "%s %s, on which %s relies", change->rule, change->text,
                      who);
    } else {
        wpa_test_warn(s->outcome, arena, "%s %s, which %s would notice", change->rule, change->text,
                      who);
    }
}

static void judge(search *s, const wpa_contract_caller *caller, const char *who, bool is_pinned)
{
    for (size_t i = 0; i < s->n_changes; i++) {
        bool is_declared_move = wpa_text_is(s->changes[i].rule, MOVED) &&
                                wpa_test_is_declared(s->context, WPA_DECLARES_PINS);
        if (!is_declared_move && wpa_contract_concerns(&s->changes[i], caller, s->context->arena)) {
            answer(s, i, who, is_pinned);
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

/* ---- scripts that start it: "gh workflow run it.yml -f input=value" ---- */

/** Is it this workflow that the command starts: by its file, or by its name? */
static bool is_started(const search *s, const wpa_shell_command *command)
{
    const char *slash = strrchr(s->used_as, '/');
    const char *file = slash ? slash + 1 : s->used_as;
    return wpa_shell_is(command, "gh", "workflow") && wpa_shell_word_find(command, "run") &&
           (wpa_shell_word_find(command, file) ||
            (s->name && wpa_shell_word_find(command, s->name)));
}

/** Does the command give the input, or the value of it that the change is about? */
static bool is_given(const wpa_contract_change *change, const wpa_shell_command *command)
{
    static const char *const flags[] = {"--raw-field=", "--field=", "-f", "-F"};
    size_t length = strlen(change->name);
    for (size_t i = command->first + 1; i < command->n_words; i++) {
        const char *word = command->words[i].text;
        for (size_t k = 0; k < WPA_COUNT(flags); k++) {
            if (wpa_text_starts(word, flags[k])) {
                word += strlen(flags[k]);
                break;
            }
        }
        if (strncasecmp(word, change->name, length) == 0 && word[length] == '=' &&
            (!change->value || wpa_text_is(word + length + 1, change->value))) {
            return true;
        }
    }
    return false;
}

static void judge_starts(search *s, const wpa_test_definition *definition, wpa_arena *scratch)
{
    wpa_input_kind kind = WPA_INPUT_WORKFLOW;
    (void)!wpa_input_of_path(definition->path, &kind);
    const wpa_source *source = wpa_source_read(kind, definition->path, definition->text,
                                               definition->size_bytes, NULL, scratch);
    const wpa_outline *o = source->outline;
    for (size_t i = 0; o && i < o->n_jobs; i++) {
        for (size_t k = 0; k < o->jobs[i].n_steps; k++) {
            const wpa_script *script = o->jobs[i].steps[k].script;
            for (size_t c = 0; script && c < script->n_commands; c++) {
                bool is_start = is_started(s, &script->commands[c]);
                for (size_t n = 0; is_start && n < s->n_changes; n++) {
                    if (s->changes[n].concern == WPA_CONTRACT_STARTS &&
                        is_given(&s->changes[n], &script->commands[c])) {
                        answer(s, n, definition->path, false);
                    }
                }
            }
        }
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
    if (strstr(definition->text, "workflow run")) {
        judge_starts(s, definition, scratch);
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
    bool are_names = wpa_test_is_declared(s->context, WPA_DECLARES_NAMES);
    bool are_pins = wpa_test_is_declared(s->context, WPA_DECLARES_PINS);
    bool is_cut = s->n_callers >= CALLERS_MAX || s->context->patch->has_more_callers;
    for (size_t i = 0; i < s->n_changes; i++) {
        if (s->is_answered[i]) {
            continue;
        }
        const wpa_contract_change *change = &s->changes[i];
        bool is_declared = wpa_text_is(change->rule, MOVED) ? are_pins : are_names;
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
    const wpa_model *before = model_of(context, &context->file->before);
    s.name = before && before->workflow ? before->workflow->name.text : NULL;
    s.changes = wpa_contract_compare(before, model_of(context, &context->file->after),
                                     context->arena, &s.n_changes);
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

/** Is it called or started with inputs, or does a part of it come from somewhere else now? */
static bool is_relied_on(const wpa_test_context *context)
{
    const wpa_model *before = model_of(context, &context->file->before);
    size_t n = 0;
    if (!before || wpa_contract_is_callable(before) || wpa_contract_is_startable(before)) {
        return before != NULL;
    }
    (void)wpa_contract_compare(before, model_of(context, &context->file->after), context->arena,
                               &n);
    return n > 0;
}

static bool has_contract(const wpa_test_context *context)
{
    return context->file->is_definition &&
           (is_relied_on(context) || calls_own(model_of(context, &context->file->after)));
}

static bool check_contracts(const wpa_test_context *context, wpa_test_outcome *outcome,
                            wpa_error *err)
{
    if (calls_own(model_of(context, &context->file->after)) &&
        !wpa_test_ask_rule(context, "call-contract", counts, outcome, err)) {
        return false;
    }
    return !is_relied_on(context) || compare_contract(context, outcome, err);
}

const wpa_test_check wpa_test_t201 = {.id = "T201",
                                      .phase = WPA_TEST_INTEGRATION,
                                      .version = 2,
                                      .scope = WPA_TEST_OF_FILE,
                                      .title = "contracts hold for all who call",
                                      .applies = has_contract,
                                      .run = check_contracts};
