/* QUA-008: nobody is asked when workflows change. */
#include <string.h>

#include "rules/graph.h"
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

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_surroundings *around = run->source->around;
    const wpa_yaml_node *root = wpa_yaml_resolve(run->source->yaml->root);
    if (!around || !around->has_paths || !around->graph || !wpa_yaml_is(root, WPA_YAML_MAPPING) ||
        root->n_pairs == 0 || !wpa_graph_is_first(around->graph, run->source)) {
        return true;
    }
    const char *path = NULL;
    for (size_t i = 0; !path && i < WPA_COUNT(places); i++) {
        path = wpa_surroundings_has(around, places[i]) ? places[i] : NULL;
    }
    size_t size = 0;
    const char *text =
        path ? wpa_surroundings_read(around, path, OWNERS_MAX_BYTES, run->arena, &size) : NULL;
    const char *own = wpa_source_identity(run->source);
    if (!path && wpa_work_knows_tree(run)) { /* workflows alone are no checkout to judge by */
        wpa_rule_report(run, root->pairs[0].key->span, NULL, NULL,
                        "there is no CODEOWNERS file: anyone who may approve may change what runs "
                        "with the repository's secrets");
    } else if (text && !is_owned(run->arena, text, own)) {
        wpa_rule_report(run, root->pairs[0].key->span, NULL, NULL,
                        "no rule of %s has an owner for %s: nobody is asked when it changes", path,
                        wpa_rule_quote(run, own, strlen(own)));
    }
    return true;
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
    .fix = "Add a line for /.github/ to CODEOWNERS; who owns it is not for wpa to say.",
    .claims_absence = true,
    .check = check,
};
