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
    (void)wpa_rule_report(run, pr->node->span, NULL, filter,
                          "a change of %s alone builds and tests everything",
                          wpa_rule_quote(run, filter, strlen(filter)));
    return true;
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
           "changed files and the others depend on it. A workflow that does not start leaves a "
           "required check "
           "waiting, so there is no fix by machine.",
    .claims_absence = true,
    .check = check,
};
