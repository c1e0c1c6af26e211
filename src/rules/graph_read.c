/* What one file says, as the graph keeps it. */
#include <string.h>

#include "match/words.h"
#include "rules/expressions.h"
#include "rules/graph.h"
#include "rules/outline.h"
#include "rules/references.h"
#include "rules/shell_roles.h"
#include "rules/similarity.h"
#include "rules/steps.h"
#include "rules/toolchain.h"

/** Texts of a scalar or a sequence; NULL if there is none. */
static const char *const *copy_texts(wpa_arena *arena, const wpa_yaml_node *node)
{
    node = wpa_yaml_resolve(node);
    bool is_list = wpa_yaml_is(node, WPA_YAML_SEQUENCE);
    size_t n = is_list ? node->n_items : wpa_yaml_text(node) ? 1 : 0, n_kept = 0;
    if (n == 0) {
        return NULL;
    }
    const char **texts = wpa_arena_array(arena, n + 1, sizeof *texts);
    for (size_t i = 0; i < n; i++) {
        const char *text = wpa_yaml_text(is_list ? node->items[i] : node);
        if (text) {
            texts[n_kept++] = wpa_arena_text(arena, text);
        }
    }
    return texts;
}

static const char *const *copy_crons(wpa_arena *arena, const wpa_yaml_node *node)
{
    node = wpa_yaml_resolve(node);
    if (!wpa_yaml_is(node, WPA_YAML_SEQUENCE)) {
        return NULL;
    }
    const char **texts = wpa_arena_array(arena, node->n_items + 1, sizeof *texts);
    size_t n = 0;
    for (size_t i = 0; i < node->n_items; i++) {
        const char *text = wpa_yaml_text(wpa_yaml_get(node->items[i], "cron"));
        if (text) {
            texts[n++] = wpa_arena_text(arena, text);
        }
    }
    return texts;
}

static void read_triggers(wpa_arena *arena, wpa_graph_file *file, const wpa_outline *o)
{
    wpa_graph_trigger *triggers = wpa_arena_array(arena, o->n_triggers, sizeof *triggers);
    for (size_t i = 0; i < o->n_triggers; i++) {
        const wpa_outline_trigger *t = &o->triggers[i];
        triggers[i] = (wpa_graph_trigger){
            .name = wpa_arena_text(arena, t->name),
            .workflows = copy_texts(arena, wpa_yaml_get(t->config, "workflows")),
            .types = copy_texts(arena, wpa_yaml_get(t->config, "types")),
            .crons = wpa_text_is(t->name, "schedule") ? copy_crons(arena, t->config) : NULL,
        };
    }
    file->triggers = triggers;
    file->n_triggers = o->n_triggers;
}

const char *wpa_graph_local_path(const char *text, wpa_arena *arena)
{
    bool is_local = wpa_text_starts(text, "./") || wpa_text_starts(text, "$/");
    if (!is_local) {
        return NULL;
    }
    return wpa_path_in_tree("", wpa_slice_of(text + 2), arena);
}

static wpa_graph_use use_of(wpa_arena *arena, const wpa_outline_uses *uses, size_t job)
{
    const char *text = wpa_arena_text(arena, wpa_yaml_text(uses->node));
    return (wpa_graph_use){
        .text = text,
        .local_path = wpa_graph_local_path(text, arena),
        .job = job,
        .span = uses->node->span,
        .major = uses->kind == WPA_OUTLINE_REPOSITORY ? wpa_outline_major(uses) : -1,
    };
}

static bool is_use(const wpa_outline_uses *uses)
{
    return uses->kind != WPA_OUTLINE_NONE && wpa_yaml_text(uses->node);
}

static void read_uses(wpa_arena *arena, wpa_graph_file *file, const wpa_outline *o)
{
    size_t n = 0;
    for (size_t i = 0; i < o->n_jobs; i++) {
        n += o->jobs[i].is_call && is_use(&o->jobs[i].uses);
        for (size_t k = 0; k < o->jobs[i].n_steps; k++) {
            n += is_use(&o->jobs[i].steps[k].uses);
        }
    }
    wpa_graph_use *uses = n ? wpa_arena_array(arena, n, sizeof *uses) : NULL;
    for (size_t i = 0; i < o->n_jobs; i++) {
        const wpa_outline_job *job = &o->jobs[i];
        if (job->is_call && is_use(&job->uses)) {
            wpa_graph_use *use = &uses[file->n_uses++];
            *use = use_of(arena, &job->uses, i);
            use->is_call = true;
            use->inherits_secrets =
                wpa_text_is(wpa_yaml_text(wpa_yaml_get(job->node, "secrets")), "inherit");
        }
        for (size_t k = 0; k < job->n_steps; k++) {
            if (is_use(&job->steps[k].uses)) {
                uses[file->n_uses++] = use_of(arena, &job->steps[k].uses, i);
            }
        }
    }
    file->uses = uses;
}

/* Actions that test, by their names: there is no end of them. */
static const char *const testing[] = {"test", "cypress", "playwright", "emulator",  "jest",
                                      "spec", "check",   "coverage",   "benchmark", "verify"};

static bool names_test(const wpa_outline_uses *uses, const wpa_words *words)
{
    return uses->kind == WPA_OUTLINE_REPOSITORY &&
           wpa_words_seek(words, uses->slug.at, uses->slug.length, NULL) &&
           !wpa_slice_is_ci(uses->slug, "actions/checkout");
}

/* A script, a target or a task of the project's own: it may do anything. */
static bool runs_own(const wpa_outline_step *step)
{
    static const char *const runners[] = {
        "make",  "just",    "task",   "bash",      "sh",   "python",         "npm",   "yarn",
        "pnpm",  "python3", "node",   "docker",    "rake", "bundle",         "mage",  "nox",
        "tox",   "earthly", "bun",    "deno",      "pwsh", "docker-compose", "nix",   "rye",
        "hatch", "uv",      "poetry", "invoke",    "ant",  "bazel",          "buck2", "cmake",
        "ninja", "meson",   "swift",  "xcodebuild"};
    const wpa_script *script = wpa_step_commands(step);
    for (size_t i = 0; script && i < script->n_commands; i++) {
        const wpa_shell_command *c = &script->commands[i];
        const char *word = c->first < c->n_words ? c->words[c->first].text : "";
        bool is_known = wpa_shell_roles(c) != 0;
        if (!is_known &&
            (wpa_text_index(c->name, runners, WPA_COUNT(runners)) >= 0 || strpbrk(word, "/\\$"))) {
            return true;
        }
    }
    return step->run && !script;
}

static void read_work(const wpa_outline_job *job, const wpa_words *words, wpa_graph_job *row)
{
    for (size_t i = 0; i < job->n_steps; i++) {
        row->roles |= wpa_step_roles(&job->steps[i]);
        row->is_open =
            row->is_open || runs_own(&job->steps[i]) || names_test(&job->steps[i].uses, words);
    }
}

static void read_jobs(wpa_arena *arena, wpa_graph_file *file, const wpa_outline *o, bool with_work)
{
    wpa_graph_job *jobs = wpa_arena_array(arena, o->n_jobs, sizeof *jobs);
    const wpa_words words = wpa_words_of(testing, WPA_COUNT(testing));
    wpa_similarity_seen seen[WPA_SIMILARITY_SEEN_MAX] = {0};
    for (size_t i = 0; i < o->n_jobs; i++) {
        const wpa_outline_job *job = &o->jobs[i];
        jobs[i] = (wpa_graph_job){
            .id = wpa_arena_text(arena, job->id),
            .name = wpa_arena_text(arena, wpa_yaml_text(wpa_yaml_get(job->node, "name"))),
            .needs = copy_texts(arena, wpa_yaml_get(job->node, "needs")),
            .key_span = job->key ? job->key->span : job->node->span,
            .likeness = wpa_similarity_read(job, seen, arena),
        };
        if (with_work) {
            read_work(job, &words, &jobs[i]);
        }
    }
    file->jobs = jobs;
    file->n_jobs = o->n_jobs;
}

static void read_toolchains(wpa_arena *arena, wpa_graph_file *file, const wpa_source *source)
{
    if (file->kind != WPA_INPUT_WORKFLOW) {
        return;
    }
    size_t n, n_kept = 0;
    WPA_AUTO(wpa_arena) *scratch = wpa_arena_new();
    const wpa_toolchain_use *uses = wpa_toolchain_read(source, scratch, &n);
    wpa_graph_toolchain *rows = n ? wpa_arena_array(arena, n, sizeof *rows) : NULL;
    for (size_t i = 0; i < n; i++) {
        const char *line = uses[i].is_image ? NULL : wpa_toolchain_line(&uses[i]);
        if (line) {
            rows[n_kept++] = (wpa_graph_toolchain){uses[i].runtime, line, uses[i].span,
                                                   wpa_toolchain_is_leg(&uses[i])};
        }
    }
    file->toolchains = rows;
    file->n_toolchains = n_kept;
}

static void read_group(wpa_arena *arena, wpa_graph_file *file, const wpa_yaml_node *root)
{
    const wpa_yaml_node *concurrency = wpa_yaml_get(root, "concurrency");
    bool is_mapping = wpa_yaml_is(concurrency, WPA_YAML_MAPPING);
    const wpa_yaml_node *group = is_mapping ? wpa_yaml_get(concurrency, "group") : concurrency;
    if (file->kind != WPA_INPUT_WORKFLOW || !wpa_yaml_text(group)) {
        return;
    }
    const char *cancels = wpa_yaml_text(wpa_yaml_get(concurrency, "cancel-in-progress"));
    file->group = wpa_arena_text(arena, wpa_yaml_text(group));
    file->group_span = group->span;
    file->cancels = cancels && !wpa_text_is_ci(cancels, "false");
}

/* ---- what a called workflow asks for ---- */

typedef struct secret_list {
    const char *names[WPA_GRAPH_SECRETS_MAX];
    size_t n;
    bool has_more;
} secret_list;

static void add_secrets(secret_list *list, const wpa_expr_place *place, wpa_arena *arena)
{
    size_t n;
    wpa_expr_reference *references = wpa_expr_references(place->parsed.root, arena, &n);
    for (size_t i = 0; i < n; i++) {
        const char *path = references[i].path;
        if (!wpa_text_is(path, "secrets") && !wpa_text_starts(path, "secrets.")) {
            continue;
        }
        const char *name = wpa_expr_secret_name(&references[i]);
        bool is_known = false;
        for (size_t k = 0; name && k < list->n; k++) {
            is_known = is_known || wpa_text_is_ci(list->names[k], name);
        }
        if (!name || wpa_text_is(name, "*") || (!is_known && list->n == WPA_GRAPH_SECRETS_MAX)) {
            list->has_more = true;
        } else if (!is_known && !wpa_text_is_ci(name, "GITHUB_TOKEN")) {
            list->names[list->n++] = name;
        }
    }
}

/** Once a repository, not once a caller: a workflow may have thousands of them. */
static void read_secrets(wpa_arena *arena, wpa_graph_file *file, const wpa_source *source)
{
    if (!wpa_graph_trigger_find(file, "workflow_call")) {
        return;
    }
    WPA_AUTO(wpa_arena) *scratch = wpa_arena_new();
    secret_list list = {0};
    for (size_t i = 0; i < source->expressions->n; i++) {
        const wpa_expr_place *place = source->expressions->items[i].place;
        if (place->parsed.root && strcasestr(place->node->text, "secrets")) {
            add_secrets(&list, place, scratch);
        }
    }
    for (size_t i = 0; i < file->n_uses; i++) {
        list.has_more = list.has_more || file->uses[i].inherits_secrets;
    }
    const char **names = wpa_arena_array(arena, list.n + 1, sizeof *names);
    for (size_t i = 0; i < list.n; i++) {
        names[i] = wpa_arena_text(arena, list.names[i]);
    }
    file->secrets = names;
    file->n_secrets = list.n;
    file->names_more_secrets = list.has_more;
}

static wpa_graph_file *read_file(const wpa_source *source, wpa_arena *arena, bool with_work)
{
    wpa_graph_file *file = wpa_arena_alloc(arena, sizeof *file);
    const wpa_yaml_node *root = source->yaml ? source->yaml->root : NULL;
    const wpa_yaml_node *name = wpa_yaml_get(root, "name");
    *file = (wpa_graph_file){
        .path = wpa_arena_text(arena, wpa_source_identity(source)),
        .kind = source->kind,
        .is_partial = source->is_partial,
        .digest = source->digest,
        .name = wpa_arena_text(arena, wpa_yaml_text(name)),
    };
    file->is_of_copy = strstr(file->path, "/.github/") != NULL;
    if (name) {
        file->name_span = name->span;
    } else if (wpa_yaml_is(root, WPA_YAML_MAPPING) && root->n_pairs) {
        file->name_span = root->pairs[0].key->span;
    }
    read_jobs(arena, file, source->outline, with_work);
    return file;
}

wpa_graph_file *wpa_graph_read_likeness(const wpa_source *source, wpa_arena *arena)
{
    return read_file(source, arena, false);
}

wpa_graph_file *wpa_graph_read(const wpa_source *source, wpa_arena *arena)
{
    wpa_graph_file *file = read_file(source, arena, true);
    read_group(arena, file, source->yaml ? source->yaml->root : NULL);
    read_triggers(arena, file, source->outline);
    read_uses(arena, file, source->outline);
    read_toolchains(arena, file, source);
    read_secrets(arena, file, source);
    if (file->kind == WPA_INPUT_WORKFLOW) {
        file->values = wpa_values_read(source->outline, arena, &file->n_values);
    }
    file->stores = wpa_stores_read(source, arena);
    return file;
}
