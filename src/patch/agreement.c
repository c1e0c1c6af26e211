/* Files that say the same in two places: do they still, with the patch? A manifest and its lock
 * file, workflows and what the project itself says of its toolchains. */
#include "patch/agreement.h"

#include <string.h>

#include <wpa/text.h>

#include "rules/fix_tree.h"
#include "rules/graph.h"
#include "workflow/workflow.h"

#define WORKFLOWS_MAX 50 /* that are looked at where a file of the project has changed */
#define SHOWN_MAX 3
#define NAMED_MAX 20 /* dependencies that are looked for */
#define REQUIREMENTS_MAX 1000

static const struct {
    const char *manifest, *lock;
} pairs[] = {{"package.json", "package-lock.json"}, {"go.mod", "go.sum"}};

/* What a project says of its toolchains stands in these. */
static const char *const project_files[] = {"package.json", "go.mod", "pyproject.toml"};

static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* ---- gathering ----------------------------------------------------------------------------------
 */

typedef struct gathering {
    const wpa_surroundings *base;
    wpa_patch_draft *draft;
    int64_t repository_id;
    wpa_arena *arena;
} gathering;

static const wpa_patch_file *file_at(const gathering *g, const char *path)
{
    for (size_t i = 0; i < g->draft->n_files; i++) {
        const wpa_patch_file *file = &g->draft->files[i];
        if (file->repository_id == g->repository_id && wpa_text_is(file->path, path)) {
            return file;
        }
    }
    return NULL;
}

/** Both sides of a file, changed by the patch or not; an absent one has no text. */
static wpa_patch_side side_of(const gathering *g, const char *path)
{
    const wpa_patch_file *file = file_at(g, path);
    wpa_patch_side side = {.path = path};
    if (file) {
        side.before = file->before;
        side.before_bytes = file->before_bytes;
        side.after = file->after;
        side.after_bytes = file->after_bytes;
    } else if (!g->base->has_paths || wpa_surroundings_has(g->base, path)) {
        side.before = wpa_surroundings_read(g->base, path, WPA_PATCH_FILE_MAX_BYTES, g->arena,
                                            &side.before_bytes);
        side.after = side.before;
        side.after_bytes = side.before_bytes;
    }
    return side;
}

static wpa_json *parse(const char *text, size_t size_bytes, wpa_arena *arena)
{
    wpa_error ignored = {0};
    return text ? wpa_json_parse(text, size_bytes, WPA_PATCH_FILE_MAX_BYTES, arena, &ignored)
                : NULL;
}

/** Once, however many dependencies are looked for in it. */
static void read_pair(wpa_patch_pair *pair, wpa_arena *arena)
{
    const wpa_patch_side *m = &pair->manifest, *k = &pair->lock;
    if (pair->is_go) {
        pair->sums = k->after ? wpa_arena_printf(arena, "\n%s", k->after) : NULL;
        return;
    }
    pair->json = parse(m->after, m->after_bytes, arena);
    pair->lock_json = parse(k->after, k->after_bytes, arena);
    pair->lock_json_before = parse(k->before, k->before_bytes, arena);
}

static void add_pair(const gathering *g, const char *path, size_t kind)
{
    wpa_patch_draft *draft = g->draft;
    const char *folder = wpa_arena_slice(g->arena, path, (size_t)(base_of(path) - path));
    const char *manifest = wpa_arena_printf(g->arena, "%s%s", folder, pairs[kind].manifest);
    for (size_t i = 0; i < draft->n_pairs; i++) {
        const wpa_patch_pair *other = &draft->pairs[i];
        if (other->repository_id == g->repository_id &&
            wpa_text_is(other->manifest.path, manifest)) {
            return;
        }
    }
    if (draft->n_pairs < WPA_PATCH_PAIRS_MAX) {
        const char *lock = wpa_arena_printf(g->arena, "%s%s", folder, pairs[kind].lock);
        wpa_patch_pair *pair = &draft->pairs[draft->n_pairs++];
        *pair = (wpa_patch_pair){.repository_id = g->repository_id,
                                 .is_go = kind == 1,
                                 .manifest = side_of(g, manifest),
                                 .lock = side_of(g, lock)};
        read_pair(pair, g->arena);
    }
}

static void gather_pairs(const gathering *g)
{
    for (size_t i = 0; i < g->draft->n_files; i++) {
        const wpa_patch_file *file = &g->draft->files[i];
        for (size_t k = 0; file->repository_id == g->repository_id && k < WPA_COUNT(pairs); k++) {
            const char *name = base_of(file->path);
            if (wpa_text_is(name, pairs[k].manifest) || wpa_text_is(name, pairs[k].lock)) {
                add_pair(g, file->path, k);
            }
        }
    }
}

/* ---- toolchains ---------------------------------------------------------------------------------
 */

/** What the rule says of this workflow as it will be; NULL: nothing. */
static const char *drift_in(const gathering *g, const char *path, const wpa_surroundings *around,
                            const wpa_settings *settings)
{
    wpa_patch_side side = side_of(g, path);
    if (!side.after || wpa_file_kind_of(path) != WPA_FILE_WORKFLOW) {
        return NULL;
    }
    wpa_analysis seen =
        wpa_analysis_of(path, side.after, side.after_bytes, around, settings, g->arena);
    for (size_t i = 0; i < seen.result.n_findings; i++) {
        const wpa_finding *finding = seen.result.findings[i];
        if (wpa_text_is(finding->rule->id, "toolchain-drift")) {
            return wpa_arena_printf(g->arena, "%s: %s", path, finding->message);
        }
    }
    return NULL;
}

static void look_at_toolchains(const gathering *g, const wpa_settings *settings)
{
    wpa_patch_agreement *said = &g->draft->toolchains;
    bool is_project = false, is_workflow = false;
    WPA_AUTO(wpa_fix_tree) *tree = wpa_fix_tree_new(g->base, g->arena);
    for (size_t i = 0; i < g->draft->n_files; i++) {
        const wpa_patch_file *file = &g->draft->files[i];
        if (file->repository_id == g->repository_id && file->after) {
            is_workflow |= wpa_file_kind_of(file->path) == WPA_FILE_WORKFLOW;
            is_project |= wpa_text_index(file->path, project_files, WPA_COUNT(project_files)) >= 0;
            wpa_fix_tree_put(tree, file->path, file->after, file->after_bytes);
        }
    }
    if ((!is_project && !is_workflow) || wpa_text_is(said->result, "warn")) {
        return;
    }
    const wpa_surroundings *around = wpa_fix_tree_around(tree);
    size_t n = is_project && g->base->graph ? wpa_graph_count(g->base->graph) : 0;
    const char *message = NULL;
    for (size_t i = 0; i < g->draft->n_files && !message; i++) {
        if (g->draft->files[i].repository_id == g->repository_id) {
            message = drift_in(g, g->draft->files[i].path, around, settings);
        }
    }
    for (size_t i = 0; i < n && i < WORKFLOWS_MAX && !message; i++) {
        message = drift_in(g, wpa_graph_at(g->base->graph, i)->path, around, settings);
    }
    *said = message ? (wpa_patch_agreement){"warn", message}
                    : (wpa_patch_agreement){"pass", "workflows and the project's own files agree"};
}

void wpa_patch_look_at_agreement(const wpa_surroundings *base, const wpa_settings *settings,
                                 int64_t repository_id, wpa_arena *arena, wpa_patch_draft *draft)
{
    const gathering g = {base, draft, repository_id, arena};
    gather_pairs(&g);
    look_at_toolchains(&g, settings);
}

/* ---- lock files ---------------------------------------------------------------------------------
 */

typedef struct locking {
    const wpa_patch_pair *pair;
    const char *name, *to;        /* of the dependency; to: NULL if it is not known */
    const char *names[NAMED_MAX]; /* all that the patch names */
    size_t n_names;
    wpa_arena *arena;
    const char *problem; /* the first; NULL: none */
    const char *moved;   /* others, with commas between */
    size_t n_moved;
} locking;

const char *wpa_patch_dependency_name(const wpa_json *item, wpa_arena *arena, const char **to)
{
    const char *name = wpa_json_text_of(wpa_json_find(item, "name"));
    const char *text = wpa_json_text_of(item);
    const char *at = text ? strrchr(text, '@') : NULL;
    *to = name ? wpa_json_text_of(wpa_json_find(item, "to")) : at && at > text ? at + 1 : NULL;
    return name ? name : at && at > text ? wpa_arena_slice(arena, text, (size_t)(at - text)) : text;
}

static bool is_named(const locking *l, const char *name)
{
    return wpa_text_index(name, l->names, l->n_names) >= 0;
}

static void note_moved(locking *l, const char *name)
{
    if (l->n_moved++ < SHOWN_MAX) {
        l->moved = wpa_arena_printf(l->arena, "%s%s%s", l->moved, *l->moved ? ", " : "", name);
    }
}

/** A version and nothing else: no range, no tag. */
static bool is_version(const char *text)
{
    return text && *text >= '0' && *text <= '9' && strchr(text, '.') && !strpbrk(text, " xX*|<>");
}

/* ---- npm ---- */

static const char *const sections[] = {"dependencies", "devDependencies", "optionalDependencies",
                                       "peerDependencies"};

static void compare_section(locking *l, const wpa_json *manifest, const wpa_json *root,
                            const char *section)
{
    const wpa_json *asked = wpa_json_find(manifest, section), *made = wpa_json_find(root, section);
    for (size_t i = 0; i < wpa_json_count(asked) && !l->problem; i++) {
        const char *key = wpa_json_key_at(asked, i);
        const char *range = wpa_json_text_of(wpa_json_at(asked, i));
        const char *locked = wpa_json_text_of(wpa_json_find(made, key));
        if (range && !wpa_text_is(range, locked ? locked : "")) {
            l->problem = wpa_arena_printf(l->arena, "%s asks for %s %s, and %s was made for %s",
                                          l->pair->manifest.path, key, range, l->pair->lock.path,
                                          locked ? locked : "none");
        }
    }
    for (size_t i = 0; i < wpa_json_count(made) && !l->problem; i++) {
        if (!wpa_json_find(asked, wpa_json_key_at(made, i))) {
            l->problem = wpa_arena_printf(l->arena, "%s was made for %s, which %s does not ask for",
                                          l->pair->lock.path, wpa_json_key_at(made, i),
                                          l->pair->manifest.path);
        }
    }
}

/** "a" of "node_modules/b/node_modules/a". */
static const char *package_of(const char *key)
{
    static const char folder[] = "node_modules/";
    const char *found = NULL;
    for (const char *at = key; (at = strstr(at, folder)); at += sizeof folder - 1) {
        found = at + sizeof folder - 1;
    }
    return found;
}

static const char *version_of(const wpa_json *packages, const char *key)
{
    const char *version = wpa_json_text_of(wpa_json_find(wpa_json_find(packages, key), "version"));
    return version ? version : "";
}

static void compare_packages(locking *l, const wpa_json *before, const wpa_json *after)
{
    for (size_t i = 0; before && i < wpa_json_count(after); i++) {
        const char *key = wpa_json_key_at(after, i), *name = package_of(key);
        if (name && !is_named(l, name) &&
            !wpa_text_is(version_of(before, key), version_of(after, key))) {
            note_moved(l, name);
        }
    }
    for (size_t i = 0; i < wpa_json_count(before); i++) {
        const char *key = wpa_json_key_at(before, i), *name = package_of(key);
        if (name && !is_named(l, name) && !wpa_json_find(after, key)) {
            note_moved(l, name);
        }
    }
}

static const char *look_at_npm(locking *l)
{
    const wpa_patch_side *m = &l->pair->manifest, *k = &l->pair->lock;
    const wpa_json *manifest = l->pair->json, *lock = l->pair->lock_json;
    const wpa_json *packages = wpa_json_find(lock, "packages");
    const wpa_json *root = wpa_json_find(packages, "");
    if (!manifest || !lock) {
        l->problem = wpa_arena_printf(l->arena, "%s is no JSON", manifest ? k->path : m->path);
        return NULL;
    }
    if (!root) {
        return "a lock file without 'packages' does not say what it was made for";
    }
    for (size_t i = 0; i < WPA_COUNT(sections) && !l->problem; i++) {
        compare_section(l, manifest, root, sections[i]);
    }
    const char *locked =
        version_of(packages, wpa_arena_printf(l->arena, "node_modules/%s", l->name));
    if (!l->problem && *locked && is_version(l->to) && !wpa_text_is(locked, l->to)) {
        l->problem =
            wpa_arena_printf(l->arena, "%s has %s %s, not %s", k->path, l->name, locked, l->to);
    }
    compare_packages(l, wpa_json_find(l->pair->lock_json_before, "packages"), packages);
    return NULL;
}

/* ---- go ---- */

typedef struct requirement {
    const char *module, *version;
} requirement;

/** The next of "require (" blocks and lines; *at moves on. */
static bool next_requirement(const char **at, bool *is_block, wpa_arena *arena, requirement *r)
{
    while (**at) {
        const char *line = *at + strspn(*at, " \t");
        size_t length = strcspn(line, "\r\n");
        *at = line + length;
        *at += strspn(*at, "\r\n");
        const char *words = wpa_arena_slice(arena, line, length);
        if (wpa_text_starts(words, "require (")) {
            *is_block = true;
            continue;
        }
        bool is_single = wpa_text_starts(words, "require ");
        *is_block = *is_block && *words != ')';
        words += is_single ? strlen("require ") : 0;
        size_t n = strcspn(words, " \t");
        const char *version = words + n + strspn(words + n, " \t");
        if ((is_single || *is_block) && n && *version == 'v') {
            r->module = wpa_arena_slice(arena, words, n);
            r->version = wpa_arena_slice(arena, version, strcspn(version, " \t"));
            return true;
        }
    }
    return false;
}

/** Does a line say just this module and version? */
static bool has_requirement(const char *mod, const requirement *r, wpa_arena *arena)
{
    const char *words = wpa_arena_printf(arena, "%s %s", r->module, r->version);
    size_t length = strlen(words);
    for (const char *at = mod; (at = strstr(at, words)); at += length) {
        bool is_start = at > mod && strchr(" \t\n", at[-1]);
        if (is_start && strchr(" \t\r\n", at[length])) {
            return true;
        }
    }
    return false;
}

static const char *look_at_go(locking *l)
{
    const wpa_patch_side *m = &l->pair->manifest, *k = &l->pair->lock;
    const char *at = m->after;
    requirement r;
    size_t n = 0;
    for (bool is_block = false; next_requirement(&at, &is_block, l->arena, &r);) {
        if (n++ == REQUIREMENTS_MAX) {
            return "go.mod requires more modules than are looked at";
        }
        const char *line = wpa_arena_printf(l->arena, "\n%s %s/go.mod ", r.module, r.version);
        if (!l->problem && !strstr(l->pair->sums, line)) {
            l->problem = wpa_arena_printf(l->arena, "%s requires %s %s, which %s does not have",
                                          m->path, r.module, r.version, k->path);
        }
        bool is_it = wpa_text_is(r.module, l->name);
        if (!l->problem && is_it && l->to && *l->to == 'v' && !wpa_text_is(r.version, l->to)) {
            l->problem = wpa_arena_printf(l->arena, "%s has %s %s, not %s", m->path, r.module,
                                          r.version, l->to);
        }
        if (m->before && !is_named(l, r.module) && !has_requirement(m->before, &r, l->arena)) {
            note_moved(l, r.module);
        }
    }
    return NULL;
}

/* ---- the verdict ---- */

wpa_patch_agreement wpa_patch_locks_agree(const wpa_patch_draft *draft, const wpa_json *named,
                                          const wpa_json *item, wpa_arena *arena)
{
    const char *skipped = "the patch changes no manifest and no lock file that is known here";
    bool has_looked = false;
    if (wpa_json_count(named) > NAMED_MAX) {
        return (wpa_patch_agreement){
            "skipped",
            wpa_arena_printf(arena, "the patch names more than %d dependencies", NAMED_MAX)};
    }
    for (size_t i = 0; draft && i < draft->n_pairs; i++) {
        const wpa_patch_pair *pair = &draft->pairs[i];
        locking l = {.pair = pair, .arena = arena, .moved = ""};
        for (size_t k = 0; k < wpa_json_count(named); k++) {
            l.names[l.n_names++] = wpa_patch_dependency_name(wpa_json_at(named, k), arena, &l.to);
        }
        l.name = wpa_patch_dependency_name(item, arena, &l.to);
        if (!pair->manifest.after || !pair->lock.after) {
            const wpa_patch_side *gone = pair->lock.after ? &pair->manifest : &pair->lock;
            skipped = wpa_arena_printf(arena, "there is no %s that can be read", gone->path);
            continue;
        }
        const char *why = pair->is_go ? look_at_go(&l) : look_at_npm(&l);
        if (l.problem || l.n_moved) {
            return (wpa_patch_agreement){
                "warn", l.problem
                            ? l.problem
                            : wpa_arena_printf(arena, "%zu more move%s in %s: %s%s", l.n_moved,
                                               l.n_moved == 1 ? "s" : "", pair->lock.path, l.moved,
                                               l.n_moved > SHOWN_MAX ? ", ..." : "")};
        }
        skipped = why ? why : skipped;
        has_looked |= !why;
    }
    return has_looked ? (wpa_patch_agreement){"pass", "manifest and lock file agree, and nothing "
                                                      "else has moved"}
                      : (wpa_patch_agreement){"skipped", skipped};
}
