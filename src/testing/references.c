/* T210: what scripts and steps refer to in the tree is there once the patch is. */
#include <string.h>

#include <wpa/map.h>
#include <wpa/text.h>

#include "analysis/analysis.h"
#include "rules/graph.h"
#include "rules/outline.h"
#include "testing/around.h"
#include "testing/checks.h"

#define FAULTS_MAX 50 /* that are told */
#define NAMES_MAX 100 /* that are looked for in a text */

/** A file of the tree that a definition names. */
typedef struct reference {
    const char *word; /* as written */
    const char *path; /* in the repository; of an action its folder */
    size_t offset;
    bool is_uses;
} reference;

typedef struct references {
    wpa_arena *arena;
    reference *items;
    size_t n, capacity;
} references;

/* ---- collecting ---- */

static void add_reference(references *list, const char *word, const char *folder, size_t offset,
                          bool is_uses)
{
    const char *local =
        is_uses ? word : wpa_arena_printf(list->arena, "./%s/%s", folder ? folder : "", word);
    const char *path = wpa_graph_local_path(local, list->arena);
    if (!path || !*path) {
        return; /* leads out of the tree, or names its root */
    }
    list->items =
        wpa_arena_grow(list->arena, list->items, list->n, &list->capacity, sizeof *list->items);
    list->items[list->n++] = (reference){word, path, offset, is_uses};
}

/** Does every checkout of the job put this repository, as it is, at the workspace? */
static bool has_plain_checkout(const wpa_outline_job *job)
{
    bool has_one = !job->key; /* an action runs in the tree that its caller has checked out */
    for (size_t i = 0; i < job->n_steps; i++) {
        const wpa_outline_step *step = &job->steps[i];
        if (!wpa_outline_step_uses(step, "actions/checkout")) {
            continue;
        }
        if (wpa_outline_with(step, "path") || wpa_outline_with(step, "repository") ||
            wpa_outline_with(step, "ref")) {
            return false;
        }
        has_one = true;
    }
    return has_one;
}

static const wpa_yaml_node *default_folder(const wpa_yaml_node *owner)
{
    return wpa_yaml_get(wpa_yaml_get(wpa_yaml_get(owner, "defaults"), "run"), "working-directory");
}

/** Where the step's script runs: "" at the workspace; NULL if that cannot be told. */
static const char *folder_of(const wpa_outline *outline, const wpa_outline_step *step)
{
    const wpa_yaml_node *node = wpa_yaml_get(step->node, "working-directory");
    node = node ? node : default_folder(step->job->node);
    node = node ? node : default_folder(outline->root);
    const char *text = node ? wpa_yaml_text(node) : "";
    bool is_known = text && *text != '/' && *text != '~' && !strpbrk(text, "$\\");
    return is_known ? text : NULL;
}

/** The word that names the file which a command runs, or NULL. */
static const wpa_shell_word *file_of(const wpa_shell_command *command)
{
    static const char *const readers[] = {"bash", "sh",      "dash", "zsh",  "source", ".",
                                          "node", "python3", "ruby", "perl", "python"};
    if (command->first >= command->n_words) {
        return NULL;
    }
    const wpa_shell_word *word = &command->words[command->first];
    if (wpa_text_index(command->name, readers, WPA_COUNT(readers)) >= 0) {
        bool has_argument = command->first + 1 < command->n_words;
        word = has_argument ? word + 1 : NULL;
        bool is_file = word && *word->text != '-' && strpbrk(word->text, "./");
        return is_file ? word : NULL;
    }
    return strchr(word->text, '/') ? word : NULL;
}

static void collect_script(references *list, const wpa_outline *outline,
                           const wpa_outline_step *step)
{
    const char *folder = folder_of(outline, step);
    for (size_t i = 0; folder && i < step->script->n_commands; i++) {
        const wpa_shell_command *command = &step->script->commands[i];
        const wpa_shell_word *word = file_of(command);
        bool moves = wpa_text_is(command->name, "cd") || wpa_text_is(command->name, "pushd");
        if (moves) {
            return; /* where it goes on is not followed */
        }
        bool is_in_tree = word && word->is_literal && *word->text != '/' && *word->text != '~' &&
                          !strstr(word->text, "://");
        if (is_in_tree) {
            add_reference(list, word->text, folder, wpa_outline_script_span(step, word->span).start,
                          false);
        }
    }
}

static void collect(references *list, const wpa_source *source)
{
    const wpa_outline *outline = source->outline;
    for (size_t i = 0; i < outline->n_users; i++) {
        const wpa_outline_uses *uses = outline->users[i].uses;
        const char *text = uses->kind == WPA_OUTLINE_LOCAL ? wpa_yaml_text(uses->node) : NULL;
        if (text) {
            add_reference(list, text, NULL, uses->span.start, true);
        }
    }
    for (size_t i = 0; i < outline->n_jobs; i++) {
        const wpa_outline_job *job = &outline->jobs[i];
        bool is_plain = has_plain_checkout(job);
        for (size_t k = 0; is_plain && k < job->n_steps; k++) {
            if (job->steps[k].script && !job->steps[k].is_elsewhere) {
                collect_script(list, outline, &job->steps[k]);
            }
        }
    }
}

/* ---- judging ---- */

static bool is_there(const wpa_surroundings *around, const reference *ref, wpa_arena *arena)
{
    static const char *const names[] = {"action.yml", "action.yaml", "Dockerfile"};
    if (wpa_surroundings_has(around, ref->path)) {
        return true;
    }
    for (size_t i = 0; ref->is_uses && i < WPA_COUNT(names); i++) {
        if (wpa_surroundings_has(around, wpa_arena_printf(arena, "%s/%s", ref->path, names[i]))) {
            return true;
        }
    }
    return !ref->is_uses && wpa_surroundings_has_folder(around, ref->path);
}

/** Is it a script in a folder of the tree, which nothing else in the file speaks of? */
static bool is_surely_missing(const wpa_test_context *context, const reference *ref)
{
    static const char *const endings[] = {".sh", ".bash", ".py", ".js", ".mjs", ".rb", ".pl"};
    const char *slash = strrchr(ref->path, '/');
    const char *name = slash ? slash + 1 : NULL;
    bool is_script = false;
    for (size_t i = 0; name && i < WPA_COUNT(endings); i++) {
        is_script = is_script || wpa_text_ends(name, endings[i]);
    }
    if (!is_script || ref->is_uses ||
        !wpa_surroundings_has_folder(
            context->target->around_after,
            wpa_arena_slice(context->arena, ref->path, (size_t)(slash - ref->path)))) {
        return false;
    }
    const char *first = strstr(context->file->after.bytes, name);
    return first && !strstr(first + 1, name); /* else a step may write it */
}

/** References by their paths, or by their words. */
static wpa_map *index_by(const references *list, bool is_by_path)
{
    wpa_map *map = wpa_map_new(list->arena);
    for (size_t i = 0; i < list->n; i++) {
        wpa_map_put(map, is_by_path ? list->items[i].path : list->items[i].word, &list->items[i]);
    }
    return map;
}

static void judge(const wpa_test_context *context, const reference *ref, const wpa_map *old_words,
                  wpa_test_outcome *outcome)
{
    const wpa_test_target *target = context->target;
    const reference *old = wpa_map_get(old_words, ref->word);
    const char *label = "missing";
    if (is_there(target->around, ref, context->arena)) {
        label = "removed";
        wpa_test_fail(outcome, context->arena, "%s uses '%s', which the patch removes",
                      context->file->subject, ref->path);
    } else if (old && is_there(target->around, old, context->arena)) {
        label = "moved";
        wpa_test_fail(outcome, context->arena, "'%s' is looked for at '%s', and lies at '%s'",
                      ref->word, ref->path, old->path);
    } else if (is_surely_missing(context, ref)) {
        wpa_test_fail(outcome, context->arena, "'%s' is not in the tree", ref->path);
    } else {
        wpa_test_warn(outcome, context->arena,
                      "'%s' is not in the tree: a step before must put it there", ref->path);
    }
    wpa_test_evidence_at(outcome, context->arena, context->file, &context->file->after, ref->offset,
                         label, ref->word);
}

static const wpa_source *source_of(const wpa_test_context *context, wpa_test_image *image)
{
    return image->bytes ? wpa_test_image_analysis(context, context->file, image)->result.source
                        : NULL;
}

/** Paths that the patched files of the target name before the patch: what moves is not new. */
static wpa_map *paths_before(const wpa_test_context *context)
{
    wpa_test_context at = *context;
    references was = {.arena = context->arena};
    for (size_t i = 0; i < context->patch->n_files; i++) {
        at.file = &context->patch->files[i];
        const wpa_source *before = at.file->target == context->target && at.file->is_definition
                                       ? source_of(&at, &at.file->before)
                                       : NULL;
        if (before) {
            collect(&was, before);
        }
    }
    return index_by(&was, true);
}

static size_t check_file(const wpa_test_context *context, const wpa_map *old_paths,
                         wpa_test_outcome *outcome)
{
    const wpa_source *before = source_of(context, &context->file->before);
    const wpa_source *after = source_of(context, &context->file->after);
    references was = {.arena = context->arena}, is = {.arena = context->arena};
    size_t n_faults = 0;
    if (before) {
        collect(&was, before);
    }
    if (after) {
        collect(&is, after);
    }
    const wpa_map *old_words = index_by(&was, false);
    for (size_t i = 0; i < is.n && n_faults < FAULTS_MAX; i++) {
        /* What was not there before is made by a step, or missing already: not of the patch. */
        if (!is_there(context->target->around_after, &is.items[i], context->arena) &&
            (is_there(context->target->around, &is.items[i], context->arena) ||
             !wpa_map_has(old_paths, is.items[i].path))) {
            judge(context, &is.items[i], old_words, outcome);
            n_faults++;
        }
    }
    return is.n;
}

/* ---- other definitions, if files go ---- */

typedef struct search {
    const wpa_test_context *context;
    wpa_test_outcome *outcome;
    const char *const *names; /* [n] last parts of the paths that go */
    size_t n, n_faults, n_found;
} search;

static bool names_one(const search *s, const char *text)
{
    if (s->n > NAMES_MAX) {
        return true; /* as fast as looking for each of very many */
    }
    for (size_t i = 0; i < s->n; i++) {
        if (strstr(text, s->names[i])) {
            return true;
        }
    }
    return false;
}

static bool look_in(const wpa_test_definition *definition, wpa_arena *scratch, void *of)
{
    search *s = of;
    const wpa_test_target *target = s->context->target;
    if (definition->patched || !names_one(s, definition->text)) {
        return true;
    }
    wpa_input_kind kind = WPA_INPUT_WORKFLOW;
    references list = {.arena = scratch};
    (void)!wpa_input_of_path(definition->path, &kind);
    collect(&list, wpa_source_read(kind, definition->path, definition->text, definition->size_bytes,
                                   target->around_after, scratch));
    for (size_t i = 0; i < list.n && s->n_faults < FAULTS_MAX; i++) {
        const reference *ref = &list.items[i];
        s->n_found++;
        if (is_there(target->around, ref, scratch) &&
            !is_there(target->around_after, ref, scratch)) {
            s->n_faults++;
            wpa_test_fail(s->outcome, s->context->arena, "%s uses '%s', which the patch removes",
                          definition->path, ref->path);
            wpa_test_evidence(s->outcome, s->context->arena, "removed",
                              wpa_arena_printf(scratch, "%s: %s", definition->path, ref->word));
        }
    }
    return s->n_faults < FAULTS_MAX;
}

/** What a definition would write to name this path: its file, or the folder of an action. */
static const char *last_part(const char *path, wpa_arena *arena)
{
    static const char *const names[] = {"action.yml", "action.yaml", "Dockerfile"};
    const char *slash = strrchr(path, '/');
    if (!slash || wpa_text_index(slash + 1, names, WPA_COUNT(names)) < 0) {
        return slash ? slash + 1 : path;
    }
    const char *folder = memrchr(path, '/', (size_t)(slash - path));
    folder = folder ? folder + 1 : path;
    return wpa_arena_slice(arena, folder, (size_t)(slash - folder));
}

static bool check_others(const wpa_test_context *context, size_t *n, wpa_test_outcome *outcome,
                         wpa_error *err)
{
    const char **names =
        wpa_arena_array(context->arena, context->patch->n_files + 1, sizeof *names);
    search s = {.context = context, .outcome = outcome, .names = names};
    for (size_t i = 0; i < context->patch->n_files; i++) {
        const wpa_test_file *file = &context->patch->files[i];
        if (file->target == context->target && file->before.bytes && !file->after.bytes) {
            names[s.n++] = last_part(file->path, context->arena);
        }
    }
    bool is_done = s.n == 0 || wpa_test_each_definition(context, true, look_in, &s, err);
    *n += s.n_found;
    return is_done;
}

static bool has_subject(const wpa_test_context *context)
{
    for (size_t i = 0; i < context->patch->n_files; i++) {
        const wpa_test_file *file = &context->patch->files[i];
        if (file->target == context->target && (file->is_definition || !file->after.bytes)) {
            return true;
        }
    }
    return false;
}

static bool check_references(const wpa_test_context *context, wpa_test_outcome *outcome,
                             wpa_error *err)
{
    const wpa_surroundings *around = context->target->around;
    wpa_test_context at = *context;
    size_t n = 0;
    if (!context->target->git) {
        return WPA_FAIL(err, WPA_E_UNAVAILABLE, "cannot reach '%s'", context->target->repository);
    }
    if (!around || !around->has_paths) {
        wpa_test_skip_with(outcome, WPA_TEST_SKIP_OTHER, context->arena,
                           "the tree of '%s' has more files than are listed",
                           context->target->repository);
        return true;
    }
    const wpa_map *old_paths = paths_before(context);
    for (size_t i = 0; i < context->patch->n_files; i++) {
        at.file = &context->patch->files[i];
        if (at.file->target == context->target && at.file->is_definition) {
            n += check_file(&at, old_paths, outcome);
        }
    }
    if (!check_others(context, &n, outcome, err)) {
        return false;
    }
    wpa_test_evidence(outcome, context->arena, "looked up",
                      wpa_arena_printf(context->arena, "%zu references to files of the tree", n));
    return true;
}

const wpa_test_check wpa_test_t210 = {.id = "T210",
                                      .phase = WPA_TEST_INTEGRATION,
                                      .version = 1,
                                      .scope = WPA_TEST_OF_TARGET,
                                      .title = "files that are referred to are there",
                                      .applies = has_subject,
                                      .run = check_references};
