/* QUA-008: nobody is asked when workflows change. */
#include <string.h>

#include "rules/graph.h"
#include "rules/own.h"
#include "rules/rule.h"
#include "rules/settings.h"
#include "rules/work.h"

#define OWNERS_MAX_BYTES ((size_t)3 * 1024 * 1024)

static const char *const places[] = {".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS",
                                     ".gitea/CODEOWNERS", ".forgejo/CODEOWNERS"};

/* Does a pattern of CODEOWNERS fit the path? Anchored by any slash but the last, as in gitignore.
 */
static bool fits(wpa_arena *arena, wpa_slice pattern, const char *path)
{
    size_t length = pattern.length;
    bool is_folder = length && pattern.at[length - 1] == '/';
    length -= is_folder;
    bool is_anchored = length && memchr(pattern.at, '/', length) != NULL;
    size_t skip = length && pattern.at[0] == '/';
    const char *glob = wpa_arena_slice(arena, pattern.at + skip, length - skip);
    const char *prefix = is_anchored || !*glob ? "" : "**/";
    if (!*glob) {
        return is_folder || skip;
    }
    return wpa_glob_fits(wpa_arena_printf(arena, "%s%s", prefix, glob), path) ||
           wpa_glob_fits(glob, path) ||
           wpa_glob_fits(wpa_arena_printf(arena, "%s%s/**", prefix, glob), path) ||
           wpa_glob_fits(wpa_arena_printf(arena, "%s/**", glob), path);
}

/* Has the last line that fits the path an owner? */
static bool is_owned(wpa_arena *arena, const char *text, const char *path)
{
    bool has_owner = false;
    while (*text) {
        size_t line = strcspn(text, "\r\n");
        size_t start = strspn(text, " \t");
        size_t word = start < line ? strcspn(text + start, " \t\r\n") : 0;
        bool is_rule = word && text[start] != '#' && text[start] != '[' && text[start] != '^';
        if (is_rule && word < 400 && fits(arena, (wpa_slice){text + start, word}, path)) {
            size_t behind = start + word + strspn(text + start + word, " \t");
            has_owner = behind < line && text[behind] != '#';
        }
        text += line;
        text += strspn(text, "\r\n");
    }
    return has_owner;
}

/* What a line of the fix has to name. */
typedef struct subject {
    const char *file;    /* CODEOWNERS, or NULL: there is none */
    const char *pattern; /* "/.github/" */
} subject;

/* The folder that a rule would name: what lies in .github belongs together. */
static const char *pattern_of(wpa_rule_run *run, const char *path)
{
    const char *slash = strrchr(path, '/');
    return wpa_text_starts(path, ".github/") || !slash
               ? (slash ? "/.github/" : wpa_arena_printf(run->arena, "/%s", path))
               : wpa_arena_printf(run->arena, "/%.*s/", (int)(slash - path), path);
}

static const char *find_owners(const wpa_surroundings *around)
{
    for (size_t i = 0; i < WPA_COUNT(places); i++) {
        if (wpa_surroundings_has(around, places[i])) {
            return places[i];
        }
    }
    return NULL;
}

/* One finding for all definitions that nobody owns. */
static void check_owned(wpa_rule_run *run, const char *file, const char *text, wpa_span at)
{
    const wpa_graph *graph = run->source->around->graph;
    const char *first = NULL;
    size_t n = 0;
    for (size_t i = 0; i < wpa_graph_count(graph); i++) {
        const wpa_graph_file *other = wpa_graph_at(graph, i);
        bool is_code = other->kind == WPA_INPUT_WORKFLOW || other->kind == WPA_INPUT_ACTION;
        if (is_code && !is_owned(run->arena, text, other->path)) {
            first = first ? first : other->path;
            n++;
        }
    }
    if (first) {
        subject *s = wpa_arena_alloc(run->arena, sizeof *s);
        *s = (subject){file, pattern_of(run, first)};
        wpa_rule_report(run, at, NULL, s,
                        "no rule of %s has an owner for %s%s: nobody is asked when %s", file,
                        wpa_rule_quote(run, first, strlen(first)),
                        n > 1 ? wpa_arena_printf(run->arena, " and %zu more", n - 1) : "",
                        n > 1 ? "they change" : "it changes");
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_surroundings *around = run->source->around;
    const wpa_yaml_node *root = wpa_yaml_resolve(run->source->yaml->root);
    if (!around || !around->has_paths || !around->graph || !wpa_yaml_is(root, WPA_YAML_MAPPING) ||
        root->n_pairs == 0 || !wpa_graph_is_first(around->graph, run->source)) {
        return true;
    }
    const char *path = find_owners(around);
    size_t size = 0;
    const char *text =
        path ? wpa_surroundings_read(around, path, OWNERS_MAX_BYTES, run->arena, &size) : NULL;
    wpa_span at = root->pairs[0].key->span;
    if (!path && wpa_work_knows_tree(run)) { /* workflows alone are no checkout to judge by */
        subject *s = wpa_arena_alloc(run->arena, sizeof *s);
        *s = (subject){NULL, "/.github/"};
        wpa_rule_report(run, at, NULL, s,
                        "there is no CODEOWNERS file: anyone who may approve may change what runs "
                        "with the repository's secrets");
    } else if (text) {
        check_owned(run, path, text, at);
    }
    return true;
}

/* The last line that fits decides: a new one goes to the end. */
static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const subject *s = finding->subject;
    const char *owners = wpa_rule_codeowners(run);
    size_t size = 0;
    if (!owners || !*owners || strpbrk(owners, "\r\n#")) {
        return; /* who owns it is not for wpa to say */
    }
    wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "let %s own %s", owners, s->pattern);
    const char *text = s->file ? wpa_rule_text_at(run, s->file, &size) : NULL;
    if (!s->file) {
        wpa_rule_create(run, fix, places[0], "%s %s\n", s->pattern, owners);
    } else if (text) {
        const char *line_break = memmem(text, size, "\r\n", 2) ? "\r\n" : "\n";
        bool is_open = size && text[size - 1] != '\n';
        wpa_rule_edit_file(run, fix, s->file, (wpa_span){size, size}, "%s%s %s%s",
                           is_open ? line_break : "", s->pattern, owners, line_break);
    }
}

const wpa_rule wpa_rule_missing_codeowners = {
    .code = "QUA-008",
    .id = "missing-codeowners",
    .dimension = WPA_DIMENSION_QUALITY,
    .kind = WPA_KIND_OPPORTUNITY,
    .severity = WPA_SEVERITY_LOW,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "No owner is named for the workflows of the repository",
    .why = "Workflows hold the keys to releases; a change to them should be seen by who knows.",
    .fix = "Add a line for /.github/ to CODEOWNERS. Whom it names is taken from owners.codeowners "
           "of wpa.yml; without it there is no fix by machine.",
    .claims_absence = true,
    .check = check,
    .repair = repair,
};
