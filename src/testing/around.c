#include "testing/around.h"

#include <string.h>

#include <wpa/clock.h>
#include <wpa/text.h>

#include "analysis/analysis.h"
#include "rules/engine.h"
#include "rules/finding.h"
#include "rules/graph.h"
#include "workflow/workflow.h"

/* One version of the target's repository, for whoever reads its files. */
typedef struct version {
    const wpa_test_patch *patch;
    const wpa_test_target *target;
    bool is_after;
} version;

static const wpa_test_file *patched_in(const version *at, const char *path)
{
    for (size_t i = 0; i < at->patch->n_files; i++) {
        const wpa_test_file *file = &at->patch->files[i];
        if (file->target == at->target && wpa_text_is(file->path, path)) {
            return file;
        }
    }
    return NULL;
}

const wpa_test_file *wpa_test_patched(const wpa_test_context *context, const char *path)
{
    const version at = {context->patch, context->target, true};
    return patched_in(&at, path);
}

static const char *read_text(void *context, const char *path, size_t max_bytes, wpa_arena *arena,
                             size_t *size_bytes)
{
    const version *at = context;
    const wpa_test_file *file = patched_in(at, path);
    wpa_git_entry entry;
    wpa_error ignored = {0}; /* what cannot be read is as good as not there */
    if (file) {
        const wpa_test_image *image = at->is_after ? &file->after : &file->before;
        *size_bytes = image->size_bytes;
        return image->bytes && image->size_bytes <= max_bytes ? image->bytes : NULL;
    }
    bool is_file = wpa_git_tree_find(at->target->git, at->target->base_commit, path, arena, &entry,
                                     &ignored) &&
                   entry.kind == WPA_GIT_FILE;
    return is_file ? wpa_git_blob_read(at->target->git, entry.oid, max_bytes, arena, size_bytes,
                                       &ignored)
                   : NULL;
}

bool wpa_test_each_definition(const wpa_test_context *context, bool is_after,
                              wpa_test_definition_visitor visit, void *visitor_context,
                              wpa_error *err)
{
    const wpa_test_target *target = context->target;
    const wpa_surroundings *around = is_after ? target->around_after : target->around;
    version at = {context->patch, target, is_after};
    if (!target->git) {
        return WPA_FAIL(err, WPA_E_UNAVAILABLE, "cannot reach '%s': %s", target->repository,
                        target->git_trouble);
    }
    if (!around || !around->has_paths) {
        return WPA_FAIL(err, WPA_E_LIMIT, "the tree of '%s' cannot be listed", target->repository);
    }
    for (size_t i = 0; i < around->n_paths; i++) {
        wpa_input_kind kind;
        wpa_test_definition one = {.path = around->paths[i]};
        if (!wpa_input_of_path(one.path, &kind) ||
            (kind != WPA_INPUT_WORKFLOW && kind != WPA_INPUT_ACTION)) {
            continue;
        }
        if (context->is_cancelled && context->is_cancelled(context->context)) {
            return WPA_FAIL(err, WPA_E_CANCELLED, "told to stop");
        }
        WPA_AUTO(wpa_arena) *scratch = wpa_arena_new();
        one.patched = patched_in(&at, one.path);
        one.text = read_text(&at, one.path, WPA_YAML_MAX_BYTES, scratch, &one.size_bytes);
        if (one.text && !visit(&one, scratch, visitor_context)) {
            return true;
        }
    }
    return true;
}

bool wpa_test_is_run(const char *path)
{
    static const char folder[] = ".github/workflows/";
    return wpa_text_starts(path, folder) && wpa_file_kind_of(path) == WPA_FILE_WORKFLOW;
}

/* ---- with a graph ---- */

typedef struct joining {
    wpa_graph *graph;
    const wpa_surroundings *around;
} joining;

static bool add_to_graph(const wpa_test_definition *definition, wpa_arena *scratch, void *context)
{
    joining *to = context;
    wpa_input_kind kind = WPA_INPUT_WORKFLOW;
    (void)!wpa_input_of_path(definition->path, &kind);
    wpa_graph_add(to->graph, wpa_source_read(kind, definition->path, definition->text,
                                             definition->size_bytes, to->around, scratch));
    return true;
}

const wpa_surroundings *wpa_test_around(const wpa_test_context *context, bool is_after,
                                        wpa_error *err)
{
    wpa_test_target *target = context->target;
    const wpa_surroundings *plain = is_after ? target->around_after : target->around;
    const wpa_surroundings **kept = is_after ? &target->joined_after : &target->joined;
    if (*kept) {
        return *kept;
    }
    joining to = {.graph = wpa_graph_new(target->repository, context->arena), .around = plain};
    if (!wpa_test_each_definition(context, is_after, add_to_graph, &to, err)) {
        return NULL;
    }
    wpa_graph_close(to.graph);
    version *at = wpa_arena_alloc(context->arena, sizeof *at);
    *at = (version){context->patch, target, is_after};
    wpa_surroundings *joined = wpa_arena_dup(context->arena, plain, sizeof *joined);
    joined->graph = to.graph;
    joined->read = read_text;
    joined->read_context = at;
    *kept = joined;
    return joined;
}

/* ---- analyses ---- */

const wpa_analysis *wpa_test_image_analysis(const wpa_test_context *context,
                                            const wpa_test_file *file, wpa_test_image *image)
{
    if (!image->analysis) {
        wpa_test_context at = *context;
        at.target = file->target;
        bool is_after = image == &file->after;
        wpa_error ignored = {0}; /* checks that need the whole repository say why it is not there */
        const wpa_surroundings *around = wpa_test_around(&at, is_after, &ignored);
        around = around ? around : is_after ? file->target->around_after : file->target->around;
        wpa_analysis *analysis = wpa_arena_alloc(context->arena, sizeof *analysis);
        *analysis = wpa_analysis_of(file->path, image->bytes, image->size_bytes, around,
                                    file->target->settings, context->arena);
        image->analysis = analysis;
    }
    return image->analysis;
}

/** Defaults, with one rule and no repairs. */
static const wpa_settings *settings_of(const char *rule, wpa_arena *arena)
{
    size_t n;
    const wpa_rule *const *rules = wpa_rules_all(&n);
    wpa_settings *settings = wpa_settings_new(wpa_now_us(), arena);
    for (size_t i = 0; i < n; i++) {
        wpa_settings_of(settings, rules[i])->toggle =
            wpa_text_is(rules[i]->id, rule) ? WPA_TOGGLE_ON : WPA_TOGGLE_OFF;
    }
    settings->has_only = true;
    settings->has_no_repairs = true;
    return settings;
}

const wpa_result *wpa_test_rule_result(const wpa_test_context *context, const char *path,
                                       const char *rule, bool is_after, wpa_error *err)
{
    wpa_input_kind kind = WPA_INPUT_WORKFLOW;
    size_t size_bytes = 0;
    (void)!wpa_input_of_path(path, &kind);
    const wpa_surroundings *around = wpa_test_around(context, is_after, err);
    if (!around) {
        return NULL;
    }
    wpa_result *result = wpa_arena_alloc(context->arena, sizeof *result);
    const char *text =
        wpa_surroundings_read(around, path, WPA_YAML_MAX_BYTES, context->arena, &size_bytes);
    if (text) {
        *result =
            wpa_rules_run(wpa_source_read(kind, path, text, size_bytes, around, context->arena),
                          settings_of(rule, context->arena), context->arena);
    }
    return result;
}

static size_t count_like(const wpa_result *result, const wpa_finding *like)
{
    size_t n = 0;
    for (size_t i = 0; i < result->n_findings; i++) {
        const wpa_finding *finding = result->findings[i];
        n += wpa_text_is(finding->check, like->check) && finding->severity >= like->severity;
    }
    return n;
}

bool wpa_test_ask_rule(const wpa_test_context *context, const char *rule,
                       bool (*counts)(const wpa_finding *finding), wpa_test_outcome *outcome,
                       wpa_error *err)
{
    const char *path = context->file->path;
    const wpa_result *before = wpa_test_rule_result(context, path, rule, false, err);
    const wpa_result *after = before ? wpa_test_rule_result(context, path, rule, true, err) : NULL;
    if (!after) {
        return false;
    }
    for (size_t i = 0; i < after->n_findings; i++) {
        const wpa_finding *finding = after->findings[i];
        if (counts(finding) && count_like(after, finding) > count_like(before, finding)) {
            wpa_test_evidence_at(outcome, context->arena, context->file, &context->file->after,
                                 finding->span.bytes.start, rule, finding->message);
            wpa_test_fail(outcome, context->arena, "%s: %s", context->file->subject,
                          finding->message);
        }
    }
    return true;
}
