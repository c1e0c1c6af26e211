/* CMP-025: what stands in .pre-commit-config.yaml that pre-commit refuses or warns of. */
#include <string.h>

#include "match/regex.h"
#include "rules/shape.h"
#include "rules/upgrade.h"

/* Names of stages that pre-commit 3.2 renamed. */
static const struct {
    const char *old, *now;
} stages[] = {{"commit", "pre-commit"}, {"push", "pre-push"}, {"merge-commit", "pre-merge-commit"}};

typedef struct subject {
    const wpa_yaml_node *node;
    const char *text;
} subject;

static const char *check_of(wpa_shape_wrong wrong, const char *form)
{
    bool is_empty = wrong == WPA_SHAPE_EMPTY_MAPPING || wrong == WPA_SHAPE_EMPTY_SEQUENCE;
    (void)form;
    return wrong == WPA_SHAPE_DUPLICATE     ? "C1"
           : wrong == WPA_SHAPE_UNKNOWN_KEY ? "C2"
           : wrong == WPA_SHAPE_MISSING_KEY ? "C3"
           : is_empty                       ? NULL
                                            : "C4";
}

static const wpa_shape_set lenient = {.refusal = "pre-commit warns of it and reads on"};

static bool tell_unknown(wpa_rule_run *run, const wpa_schema_def *def, const wpa_yaml_node *mapping,
                         const wpa_yaml_node *key)
{
    wpa_shape_report_unknown(run, &lenient, "C2", def, mapping, key);
    return true;
}

static const wpa_shape_set set = {
    .refusal = "pre-commit does not run",
    .check_of = check_of,
    .tell_unknown = tell_unknown,
};

static const char *quote(wpa_rule_run *run, const wpa_yaml_node *node)
{
    return wpa_rule_quote(run, node->text, node->length);
}

/* C5 */
static void check_stages(wpa_rule_run *run, const wpa_yaml_node *list)
{
    for (size_t i = 0; wpa_yaml_is(list, WPA_YAML_SEQUENCE) && i < list->n_items; i++) {
        const wpa_yaml_node *node = wpa_yaml_resolve(list->items[i]);
        for (size_t k = 0; k < WPA_COUNT(stages); k++) {
            if (wpa_text_is(wpa_yaml_text(node), stages[k].old)) {
                subject *s = wpa_arena_alloc(run->arena, sizeof *s);
                *s = (subject){node, stages[k].now};
                wpa_finding *finding = wpa_rule_report(
                    run, node->span, "C5", s, "stage %s is called %s now, and its old name goes",
                    quote(run, node), stages[k].now);
                finding->severity = WPA_SEVERITY_LOW;
            }
        }
    }
}

/* C6: Python's expressions and these differ in corners, so only what neither can read is told. */
static void check_pattern(wpa_rule_run *run, const wpa_yaml_node *owner, const char *key)
{
    const wpa_yaml_node *node = wpa_yaml_get(owner, key);
    const char *text = wpa_yaml_text(node);
    wpa_error err = {0};
    if (!text || !*text || strstr(text, "(?P") || strstr(text, "(?x")) {
        return;
    }
    WPA_AUTO(wpa_regex) *regex = wpa_regex_new(text, 0, &err);
    if (!regex) {
        wpa_finding *finding =
            wpa_rule_report(run, node->span, "C6", NULL, "%s is no regular expression: %s",
                            quote(run, node), err.message);
        finding->confidence = WPA_CONFIDENCE_MEDIUM;
    }
}

/* C7: what a hook that is written here must say itself. */
static void check_local(wpa_rule_run *run, const wpa_yaml_node *hook)
{
    static const char *const keys[] = {"name", "entry", "language"};
    for (size_t i = 0; i < WPA_COUNT(keys) && !hook->is_incomplete; i++) {
        if (!wpa_yaml_find(hook, keys[i])) {
            const wpa_yaml_pair *id = wpa_yaml_find(hook, "id");
            (void)wpa_rule_report(run, id ? id->value->span : hook->span, "C7", NULL,
                                  "a local hook needs '%s': pre-commit does not run", keys[i]);
        }
    }
}

static void check_repo(wpa_rule_run *run, const wpa_yaml_node *repo)
{
    const wpa_yaml_pair *url = wpa_yaml_find(repo, "repo"), *rev = wpa_yaml_find(repo, "rev");
    const char *text = url ? wpa_yaml_text(url->value) : NULL;
    bool is_local = wpa_text_is(text, "local"), is_meta = wpa_text_is(text, "meta");
    const wpa_yaml_node *hooks = wpa_yaml_get(repo, "hooks");
    if (text && !is_local && !is_meta && !rev && !repo->is_incomplete) {
        (void)wpa_rule_report(run, url->value->span, "C3", NULL,
                              "%s has no rev: pre-commit does not run",
                              quote(run, wpa_yaml_resolve(url->value)));
    } else if ((is_local || is_meta) && rev) {
        (void)wpa_rule_report(run, rev->key->span, "C2", NULL,
                              "a %s repository takes no rev: pre-commit does not run", text);
    }
    for (size_t i = 0; wpa_yaml_is(hooks, WPA_YAML_SEQUENCE) && i < hooks->n_items; i++) {
        const wpa_yaml_node *hook = wpa_yaml_resolve(hooks->items[i]);
        if (!wpa_yaml_is(hook, WPA_YAML_MAPPING)) {
            continue;
        }
        check_stages(run, wpa_yaml_get(hook, "stages"));
        check_pattern(run, hook, "files");
        check_pattern(run, hook, "exclude");
        if (is_local) {
            check_local(run, hook);
        }
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    const wpa_yaml_node *root = run->source->yaml->root;
    const wpa_schema_def *def = wpa_schema_pre_commit_find("pre-commit-root");
    if (!def) {
        return WPA_FAIL(err, WPA_E_INTERNAL, "the schema has no root");
    }
    if (!root || wpa_yaml_is_null(root)) {
        return true; /* syntax says that it is empty */
    }
    wpa_shape_check(run, &set, def, root);
    check_stages(run, wpa_yaml_get(root, "default_stages"));
    check_pattern(run, root, "files");
    check_pattern(run, root, "exclude");
    const wpa_yaml_node *repos = wpa_yaml_get(root, "repos");
    for (size_t i = 0; wpa_yaml_is(repos, WPA_YAML_SEQUENCE) && i < repos->n_items; i++) {
        const wpa_yaml_node *repo = wpa_yaml_resolve(repos->items[i]);
        if (wpa_yaml_is(repo, WPA_YAML_MAPPING)) {
            check_repo(run, repo);
        }
    }
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const subject *s = finding->subject;
    if (!wpa_text_is(finding->check, "C5")) {
        wpa_shape_repair(run, finding);
    } else if (s) {
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_SAFE, "call it %s", s->text);
        wpa_rule_edit(run, fix, wpa_yaml_source_span(s->node, 0, s->node->length), "%s", s->text);
    }
}

const wpa_rule wpa_rule_pre_commit_schema = {
    .code = "CMP-025",
    .id = "pre-commit-schema",
    .dimension = WPA_DIMENSION_COMPATIBILITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_PRE_COMMIT,
    .summary = "The configuration of pre-commit says something that it refuses",
    .why = "pre-commit ends before its first hook, or warns on every commit.",
    .fix = "Write keys and values as pre-commit knows them; old names of stages are written anew "
           "by wpa.",
    .checks = (const char *const[]){"C1", "C2", "C3", "C4", "C5", "C6", "C7", NULL},
    .tables = 1U << WPA_FACTS_SCHEMA,
    .declares = WPA_DECLARES_NAMES,
    .check = check,
    .repair = repair,
};
