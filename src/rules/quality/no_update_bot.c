/* QUA-028: actions are used, and nothing brings their updates. */
#include <string.h>

#include "rules/graph.h"
#include "rules/rule.h"
#include "rules/settings.h"
#include "rules/work.h"

#define CONFIG_MAX_BYTES ((size_t)256 * 1024)
#define FOLDERS_MAX 100

static const char *const renovate_files[] = {
    "renovate.json",          "renovate.json5",        ".github/renovate.json",
    ".github/renovate.json5", ".gitlab/renovate.json", ".renovaterc",
    ".renovaterc.json",       ".renovaterc.json5",     "renovate.config.js"};

static const char *read_text(const wpa_rule_run *run, const char *path, size_t *size)
{
    const wpa_surroundings *around = run->source->around;
    return wpa_surroundings_has(around, path)
               ? wpa_surroundings_read(around, path, CONFIG_MAX_BYTES, run->arena, size)
               : NULL;
}

static bool has_renovate(const wpa_rule_run *run)
{
    for (size_t i = 0; i < WPA_COUNT(renovate_files); i++) {
        if (wpa_surroundings_has(run->source->around, renovate_files[i])) {
            return true;
        }
    }
    size_t size = 0;
    const char *text = read_text(run, "package.json", &size);
    return text && memmem(text, size, "\"renovate\"", 10);
}

/* The workflow itself may run a bot. */
static bool runs_bot(const wpa_graph *graph)
{
    static const char *const bots[] = {"renovate", "frizbee", "ratchet", "actions-update"};
    for (size_t i = 0; i < wpa_graph_count(graph); i++) {
        const wpa_graph_file *file = wpa_graph_at(graph, i);
        for (size_t k = 0; k < file->n_uses; k++) {
            wpa_slice text = wpa_slice_of(file->uses[k].text);
            for (size_t b = 0; b < WPA_COUNT(bots); b++) {
                if (wpa_text_find_ci(text.at, text.length, bots[b])) {
                    return true;
                }
            }
        }
    }
    return false;
}

/* ---- dependabot ---- */

/* Folders as dependabot names them, globs among them; workflows are in the root. */
static bool names_folder(wpa_arena *arena, const char *pattern, const char *folder)
{
    pattern += strspn(pattern, "/");
    size_t length = strlen(pattern);
    while (length && pattern[length - 1] == '/') {
        length--;
    }
    const char *glob = wpa_arena_slice(arena, pattern, length);
    return wpa_text_is(glob, folder) || (*glob && wpa_glob_fits(glob, folder)) ||
           wpa_text_is(glob, "**") || wpa_text_is(glob, "**/*");
}

static bool entry_names(wpa_arena *arena, const wpa_yaml_node *entry, const char *folder)
{
    const char *one = wpa_yaml_text(wpa_yaml_get(entry, "directory"));
    const wpa_yaml_node *many = wpa_yaml_get(entry, "directories");
    if (one && names_folder(arena, one, folder)) {
        return true;
    }
    for (size_t i = 0; wpa_yaml_is(many, WPA_YAML_SEQUENCE) && i < many->n_items; i++) {
        const char *text = wpa_yaml_text(many->items[i]);
        if (text && names_folder(arena, text, folder)) {
            return true;
        }
    }
    return false;
}

typedef struct bot {
    bool is_there; /* an entry for github-actions */
    const wpa_yaml_node *updates;
} bot;

static bool is_actions(const wpa_yaml_node *entry)
{
    const char *ecosystem = wpa_yaml_text(wpa_yaml_get(entry, "package-ecosystem"));
    return wpa_text_is(ecosystem, "github-actions") || wpa_text_is(ecosystem, "github_actions");
}

static const char *config_path(const wpa_rule_run *run)
{
    static const char *const paths[] = {".github/dependabot.yml", ".github/dependabot.yaml"};
    for (size_t i = 0; i < WPA_COUNT(paths); i++) {
        if (wpa_surroundings_has(run->source->around, paths[i])) {
            return paths[i];
        }
    }
    return NULL;
}

static bool read_bot(wpa_rule_run *run, bot *b)
{
    const char *path = config_path(run);
    const wpa_source *source = path ? wpa_rule_source_at(run, path) : NULL;
    const wpa_yaml_doc *doc = source ? source->yaml : NULL;
    bool is_unread = path && !doc;
    b->updates = doc ? wpa_yaml_get(doc->root, "updates") : NULL;
    for (size_t i = 0; wpa_yaml_is(b->updates, WPA_YAML_SEQUENCE) && i < b->updates->n_items; i++) {
        b->is_there = b->is_there || is_actions(wpa_yaml_resolve(b->updates->items[i]));
    }
    return !is_unread && !(doc && doc->is_partial);
}

static bool covers(const wpa_rule_run *run, const bot *b, const char *folder)
{
    for (size_t i = 0; i < b->updates->n_items; i++) {
        const wpa_yaml_node *entry = wpa_yaml_resolve(b->updates->items[i]);
        if (is_actions(entry) && entry_names(run->arena, entry, folder)) {
            return true;
        }
    }
    return false;
}

/* ---- uses ---- */

static bool is_foreign(const wpa_rule_run *run, const char *text)
{
    const char *owner = run->source->around->owner;
    size_t length = owner ? strlen(owner) : 0;
    bool is_own = owner && strncasecmp(text, owner, length) == 0 && text[length] == '/';
    return strchr(text, '@') && text[0] != '.' && text[0] != '$' &&
           !wpa_text_starts(text, "docker://") && !is_own;
}

static const char *first_foreign(const wpa_rule_run *run, const wpa_graph_file *file)
{
    for (size_t k = 0; k < file->n_uses; k++) {
        if (is_foreign(run, file->uses[k].text)) {
            return file->uses[k].text;
        }
    }
    return NULL;
}

static bool only_github(const wpa_rule_run *run, const wpa_graph_file *file)
{
    for (size_t k = 0; k < file->n_uses; k++) {
        const char *text = file->uses[k].text;
        if (is_foreign(run, text) && strncasecmp(text, "actions/", 8) != 0 &&
            strncasecmp(text, "github/", 7) != 0) {
            return false;
        }
    }
    return true;
}

/* Folders of actions that no entry covers: what the fix has to name. */
typedef struct folders {
    const char *items[FOLDERS_MAX];
    size_t n;
    const char *used; /* by the action in the first of them */
} folders;

static void list_folders(wpa_rule_run *run, const bot *b, folders *f)
{
    const wpa_graph *graph = run->source->around->graph;
    for (size_t i = 0; i < wpa_graph_count(graph) && f->n < FOLDERS_MAX; i++) {
        const wpa_graph_file *file = wpa_graph_at(graph, i);
        const char *slash = strrchr(file->path, '/');
        const char *used =
            file->kind == WPA_INPUT_ACTION && slash ? first_foreign(run, file) : NULL;
        const char *folder =
            used ? wpa_arena_slice(run->arena, file->path, (size_t)(slash - file->path)) : NULL;
        if (folder && !(b->is_there && covers(run, b, folder))) {
            f->used = f->used ? f->used : used;
            f->items[f->n++] = folder;
        }
    }
}

typedef struct subject {
    folders folders;
    bool needs_root;    /* the workflows themselves are not covered either */
    const char *config; /* of Dependabot, or NULL: there is none */
} subject;

static void report_folders(wpa_rule_run *run, const subject *s, wpa_span at)
{
    const folders *f = &s->folders;
    wpa_rule_report(run, at, NULL, s, "no update bot looks into %s%s, whose action uses %s",
                    wpa_rule_quote(run, f->items[0], strlen(f->items[0])),
                    f->n > 1 ? wpa_arena_printf(run->arena, " and %zu more folder%s", f->n - 1,
                                                f->n > 2 ? "s" : "")
                             : "",
                    wpa_rule_quote(run, f->used, strlen(f->used)));
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_surroundings *around = run->source->around;
    const wpa_yaml_node *root = wpa_yaml_resolve(run->source->yaml->root);
    bot b = {0};
    if (!around || !around->has_paths || !around->graph || !wpa_yaml_is(root, WPA_YAML_MAPPING) ||
        root->n_pairs == 0 || !wpa_graph_is_first(around->graph, run->source) ||
        has_renovate(run) || runs_bot(around->graph) || !read_bot(run, &b)) {
        return true;
    }
    const char *used = NULL;
    bool is_github = true;
    for (size_t i = 0; i < wpa_graph_count(around->graph); i++) {
        is_github = is_github && only_github(run, wpa_graph_at(around->graph, i));
    }
    for (size_t i = 0; !used && i < wpa_graph_count(around->graph); i++) {
        used = first_foreign(run, wpa_graph_at(around->graph, i));
    }
    wpa_span at = root->pairs[0].key->span;
    subject *s = wpa_arena_alloc(run->arena, sizeof *s);
    s->needs_root = !b.is_there;
    s->config = config_path(run);
    list_folders(run, &b, &s->folders);
    if (used && !b.updates && !wpa_work_knows_tree(run)) {
        return true; /* workflows alone: Renovate's file lies outside of them */
    }
    if (used && !b.is_there) {
        wpa_finding *finding = wpa_rule_report(
            run, at, NULL, s,
            "actions such as %s are used, and no Dependabot entry for github-actions "
            "or Renovate configuration brings their fixes",
            wpa_rule_quote(run, used, strlen(used)));
        finding->persona = is_github ? WPA_PERSONA_PEDANTIC : finding->persona;
    } else if (used && s->folders.n) {
        report_folders(run, s, at);
    }
    return true;
}

/* ---- the entry ---- */

static const char *write_entry(wpa_rule_run *run, const subject *s, const char *quote)
{
    const folders *f = &s->folders;
    const char *places = "";
    if (f->n + s->needs_root == 1) {
        places = wpa_arena_printf(run->arena, "directory: %s/%s%s\n", quote,
                                  f->n ? f->items[0] : "", quote);
    } else {
        places = wpa_arena_printf(run->arena, "directories:\n");
        for (size_t i = 0; i < f->n + s->needs_root; i++) {
            bool is_root = s->needs_root && i == 0;
            const char *folder = is_root ? "" : f->items[i - s->needs_root];
            places =
                wpa_arena_printf(run->arena, "%s    - %s/%s%s\n", places, quote, folder, quote);
        }
    }
    return wpa_arena_printf(run->arena,
                            "- package-ecosystem: %sgithub-actions%s\n"
                            "  %s"
                            "  schedule:\n"
                            "    interval: %sweekly%s\n"
                            "  cooldown:\n"
                            "    default-days: 7\n"
                            "  groups:\n"
                            "    actions:\n"
                            "      patterns:\n"
                            "        - %s*%s\n",
                            quote, quote, places, quote, quote, *quote ? quote : "\"",
                            *quote ? quote : "\"");
}

static const char *quote_of(const wpa_yaml_node *entry)
{
    const wpa_yaml_node *value = wpa_yaml_get(entry, "package-ecosystem");
    return !value || value->style == WPA_YAML_PLAIN ? ""
           : value->style == WPA_YAML_SINGLE_QUOTED ? "'"
                                                    : "\"";
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const subject *s = finding->subject;
    const wpa_source *config = s->config ? wpa_rule_source_at(run, s->config) : NULL;
    wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE,
                                "let Dependabot bring updates of actions, a week old and grouped");
    if (!s->config) {
        const char *entry = write_entry(run, s, "");
        const char *text = "version: 2\nupdates:\n";
        for (const char *line = entry; *line; line += strcspn(line, "\n") + 1) {
            text = wpa_arena_printf(run->arena, "%s  %.*s\n", text, (int)strcspn(line, "\n"), line);
        }
        wpa_rule_create(run, fix, ".github/dependabot.yml", "%s", text);
        return;
    }
    const wpa_yaml_node *updates =
        config && config->yaml ? wpa_yaml_get(config->yaml->root, "updates") : NULL;
    if (wpa_yaml_is(updates, WPA_YAML_SEQUENCE) && updates->n_items) {
        const wpa_yaml_node *last = updates->items[updates->n_items - 1];
        (void)wpa_rule_insert_behind(run, fix, last, "%s", write_entry(run, s, quote_of(last)));
    }
}

const wpa_rule wpa_rule_no_update_bot = {
    .code = "QUA-028",
    .id = "no-update-bot",
    .dimension = WPA_DIMENSION_QUALITY,
    .kind = WPA_KIND_OPPORTUNITY,
    .severity = WPA_SEVERITY_LOW,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "Nothing brings updates of the actions that the workflows use",
    .why = "Pinned actions stay at the commit they were pinned at, fixes of their holes included.",
    .fix = "Add an entry for github-actions, with a cooldown and a group, to "
           ".github/dependabot.yml, or let Renovate see the workflows.",
    .claims_absence = true,
    .check = check,
    .repair = repair,
};
