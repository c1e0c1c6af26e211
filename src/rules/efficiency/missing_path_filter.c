/* EFF-002: a change of the documentation builds and tests everything. */
#include <string.h>

#include "rules/work.h"

/* Folders of documentation, by the globs that find and filter them. */
static const char *const docs[][2] = {
    {"docs/**/*.md", "docs/**"},  {"doc/**/*.md", "doc/**"},         {"docs/**/*.rst", "docs/**"},
    {"docs/**/*.mdx", "docs/**"}, {"website/**/*.md", "website/**"},
};

static bool has_filter(const wpa_outline_trigger *t)
{
    return wpa_yaml_find(t->config, "paths") || wpa_yaml_find(t->config, "paths-ignore") ||
           (wpa_yaml_find(t->config, "tags") && !wpa_yaml_find(t->config, "branches"));
}

/* A job that looks at what has changed, and lets the others run or not. */
static bool has_gate(const wpa_outline *o)
{
    static const char *const words[] = {
        "paths-filter", "changed-files", "git diff --name-only",   "changes.outputs",
        "path-filter",  "nx affected",   "skip-duplicate-actions", NULL};
    return wpa_work_mentions_any(o->root, words);
}

static bool is_about_docs(const wpa_rule_run *run)
{
    static const char *const words[] = {"doc",  "site",     "page",      "link",  "spell", "codeql",
                                        "scan", "security", "scorecard", "label", "title", NULL};
    const char *slash = strrchr(run->source->path, '/');
    return wpa_work_has_word(slash ? slash + 1 : run->source->path, words) ||
           wpa_work_has_word(wpa_yaml_text(wpa_yaml_get(run->source->outline->root, "name")),
                             words);
}

static bool builds(const wpa_outline *o)
{
    unsigned roles = 0;
    for (size_t i = 0; i < o->n_jobs; i++) {
        roles |= wpa_work_job_roles(&o->jobs[i]);
    }
    return (roles & (unsigned)(WPA_DOES_BUILD | WPA_DOES_TEST)) && !(roles & WPA_DOES_SCAN);
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    const wpa_outline_trigger *pr = wpa_outline_trigger_find(o, "pull_request");
    const char *found = NULL, *filter = NULL;
    for (size_t i = 0; wpa_work_knows_tree(run) && !found && i < WPA_COUNT(docs); i++) {
        found = wpa_surroundings_match(run->source->around, docs[i][0]);
        filter = docs[i][1];
    }
    if (!found || !pr || has_filter(pr) || has_gate(o) || is_about_docs(run) ||
        wpa_work_ships(run) || !builds(o)) {
        return true;
    }
    (void)wpa_rule_report(run, pr->node->span, NULL, pr,
                          "a change of %s alone builds and tests everything",
                          wpa_rule_quote(run, filter, strlen(filter)));
    return true;
}

/* The folder that holds documentation alone, and texts wherever they stand, as far as they exist.
 */
static const char *filters_of(wpa_rule_run *run)
{
    const char *list = "";
    for (size_t i = 0; i < WPA_COUNT(docs); i++) {
        if (wpa_surroundings_match(run->source->around, docs[i][0]) && !strstr(list, docs[i][1])) {
            list = wpa_arena_printf(run->arena, "%s%s'%s'", list, *list ? ", " : "", docs[i][1]);
        }
    }
    return wpa_surroundings_match(run->source->around, "*.md")
               ? wpa_arena_printf(run->arena, "'*.md', %s", list)
               : list;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const wpa_outline_trigger *pr = finding->subject;
    const char *list = filters_of(run);
    const wpa_yaml_node *config = wpa_yaml_resolve(pr->config);
    const wpa_yaml_pair *on = run->source->outline->on;
    wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE,
                                "ignore these paths, if none of its checks is required to merge");
    if (wpa_yaml_is(config, WPA_YAML_MAPPING) && config->n_pairs) {
        (void)wpa_rule_insert_behind(run, fix, config->pairs[config->n_pairs - 1].value,
                                     "paths-ignore: [%s]", list);
    } else if (wpa_yaml_is(on->value, WPA_YAML_MAPPING) && on->value->style != WPA_YAML_FLOW &&
               (!config || wpa_yaml_scalar_type(config) == WPA_YAML_NULL)) {
        size_t end = pr->node->span.end + 1; /* "pull_request:" */
        size_t indent = wpa_yaml_indent(run->source->yaml, pr->node->span.start);
        wpa_rule_edit(run, fix, (wpa_span){end, end}, "\n%*spaths-ignore: [%s]", (int)(2 * indent),
                      "", list);
    } else if (wpa_yaml_text(on->value)) { /* "on: pull_request" */
        wpa_span span = {on->key->span.end + 1, on->value->span.end};
        wpa_rule_edit(run, fix, span, "\n  pull_request:\n    paths-ignore: [%s]", list);
    }
}

const wpa_rule wpa_rule_missing_path_filter = {
    .code = "EFF-002",
    .id = "missing-path-filter",
    .dimension = WPA_DIMENSION_EFFICIENCY,
    .kind = WPA_KIND_INEFFICIENCY,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_MEDIUM,
    .persona = WPA_PERSONA_PEDANTIC, /* whether its checks are required nobody here can tell */
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "A change of documentation alone runs the whole build",
    .why = "The result is known before: nothing that is built has changed.",
    .fix = "Add paths-ignore for what exists; where the checks are required, let a job look at the "
           "changed files and the others depend on it: a workflow that does not start leaves a "
           "required check waiting.",
    .declares = WPA_DECLARES_TRIGGERS,
    .claims_absence = true,
    .check = check,
    .repair = repair,
};
