/*
 * CMP-008: names of secrets, variables and environments that cannot exist, or are not among those
 * that the configuration lists.
 */
#include <ctype.h>
#include <string.h>

#include "rules/expressions.h"
#include "rules/rule.h"

#define NAMES_MAX 500

/* What the configuration lists; not listed at all: unchecked. */
typedef struct known {
    const char *names[NAMES_MAX];
    size_t n;
    bool is_listed;
} known;

static void read_known(wpa_rule_run *run, const char *option, known *k)
{
    const char *text = wpa_rule_option_text(run, option);
    k->is_listed = text && !wpa_text_is(text, "null");
    k->n = 0; /* the names are many, and not zeroed */
    for (const char *at = text; k->is_listed && *at && k->n < NAMES_MAX;) {
        at += strspn(at, " ,[]\n\"'");
        size_t length = strcspn(at, " ,[]\n\"'");
        if (length) {
            k->names[k->n++] = wpa_arena_slice(run->arena, at, length);
        }
        at += length;
    }
}

static bool is_known(const known *k, const char *name)
{
    bool is_there = !k->is_listed;
    for (size_t i = 0; i < k->n && !is_there; i++) {
        is_there = wpa_text_is_ci(k->names[i], name);
    }
    return is_there;
}

static bool is_legal(const char *name)
{
    if (!isalpha((unsigned char)name[0]) && name[0] != '_') {
        return false;
    }
    size_t n = 0;
    while (isalnum((unsigned char)name[n]) || name[n] == '_') {
        n++;
    }
    return name[n] == '\0';
}

static const char *hint(wpa_rule_run *run, const known *k, const char *name)
{
    const char *near = wpa_text_nearest(name, k->names, k->n);
    return near ? wpa_arena_printf(run->arena, " (did you mean '%s'?)", near) : "";
}

/* Contexts whose members have names of the owner's choosing. */
typedef struct search {
    wpa_rule_run *run;
    const wpa_expression *expression;
    const known *secrets, *vars;
} search;

static bool is_builtin(const char *name, bool is_secret)
{
    return is_secret &&
           (wpa_text_is_ci(name, "GITHUB_TOKEN") || wpa_text_is_ci(name, "ACTIONS_STEP_DEBUG") ||
            wpa_text_is_ci(name, "ACTIONS_RUNNER_DEBUG"));
}

/** Secrets of a called workflow have whatever names it declares. */
static bool is_declared(const wpa_source *source, const char *name)
{
    const wpa_yaml_node *on = wpa_yaml_get(source->outline->root, "on");
    const wpa_yaml_node *call = wpa_yaml_get(on, "workflow_call");
    return wpa_yaml_find_ci(wpa_yaml_get(call, "secrets"), name) != NULL;
}

static void check_name(const search *s, wpa_span in_tree, const char *name, bool is_secret)
{
    const known *k = is_secret ? s->secrets : s->vars;
    const char *what = is_secret ? "secret" : "variable";
    const char *quoted = wpa_rule_quote(s->run, name, strlen(name));
    wpa_span span = wpa_expression_span(s->expression, in_tree);
    if (is_builtin(name, is_secret) || (is_secret && is_declared(s->run->source, name))) {
        return;
    }
    if (!is_legal(name)) {
        (void)wpa_rule_report(s->run, span, NULL, NULL,
                              "%s is no name of a %s: it takes letters, digits and '_', and no "
                              "digit first",
                              quoted, what);
    } else if (strncasecmp(name, "GITHUB_", strlen("GITHUB_")) == 0) {
        (void)wpa_rule_report(s->run, span, NULL, NULL,
                              "no %s can be named %s: GitHub keeps names that begin so for itself",
                              what, quoted);
    } else if (!is_known(k, name)) {
        (void)wpa_rule_report(s->run, span, NULL, NULL,
                              "%s is no %s that the configuration lists%s", quoted, what,
                              hint(s->run, k, name));
    }
}

static void look(const wpa_expr *node, const wpa_expr *parent, void *context)
{
    const search *s = context;
    (void)parent;
    bool is_index = node->kind == WPA_EXPR_INDEX && node->args[1]->kind == WPA_EXPR_STRING;
    if ((node->kind != WPA_EXPR_MEMBER && !is_index) || node->args[0]->kind != WPA_EXPR_NAME) {
        return;
    }
    bool is_secret = wpa_text_is_ci(node->args[0]->text, "secrets");
    if (is_secret || wpa_text_is_ci(node->args[0]->text, "vars")) {
        check_name(s, is_index ? node->args[1]->span : node->name_span,
                   is_index ? node->args[1]->text : node->text, is_secret);
    }
}

static void check_environment(wpa_rule_run *run, const wpa_outline_job *job, const known *k)
{
    const wpa_yaml_node *value = wpa_yaml_get(job->node, "environment");
    value = wpa_yaml_is(value, WPA_YAML_MAPPING) ? wpa_yaml_get(value, "name") : value;
    const char *name = wpa_yaml_text(value);
    if (name && *name && !wpa_outline_has_expression(name) && !is_known(k, name)) {
        wpa_rule_report(run, value->span, NULL, NULL,
                        "%s is no environment that the configuration lists%s",
                        wpa_rule_quote(run, name, strlen(name)), hint(run, k, name))
            ->severity = WPA_SEVERITY_LOW;
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_expressions *all = run->source->expressions;
    const wpa_outline *outline = run->source->outline;
    known secrets, vars, environments;
    read_known(run, "secrets", &secrets);
    read_known(run, "vars", &vars);
    read_known(run, "environments", &environments);
    for (size_t i = 0; i < all->n; i++) {
        search s = {run, &all->items[i], &secrets, &vars};
        const wpa_expr_parsed *parsed = &s.expression->place->parsed;
        if (s.expression->is_evaluated &&
            (wpa_expr_may_refer(parsed, "secrets") || wpa_expr_may_refer(parsed, "vars"))) {
            wpa_expr_walk(parsed->root, look, &s);
        }
    }
    for (size_t i = 0; environments.is_listed && i < outline->n_jobs; i++) {
        check_environment(run, &outline->jobs[i], &environments);
    }
    return true;
}

const wpa_rule wpa_rule_config_names = {
    .code = "CMP-008",
    .id = "config-names",
    .dimension = WPA_DIMENSION_COMPATIBILITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "A secret, variable or environment that cannot exist or is not listed",
    .why = "GitHub reads a secret or variable that is not there as an empty text and says nothing.",
    .fix = "Correct the name, or list it in the configuration.",
    .elsewhere = (const char *const[]){"actionlint/expression", NULL},
    .options =
        (const wpa_rule_option[]){
            {"secrets", "null", "names of the secrets there are; null: not checked",
             WPA_OPTION_TEXT},
            {"vars", "null", "names of the variables there are; null: not checked",
             WPA_OPTION_TEXT},
            {"environments", "null", "names of the environments there are; null: not checked",
             WPA_OPTION_TEXT},
            {0}},
    .words = (const char *const[]){"secrets", "vars", "environment", NULL},
    .check = check,
};
