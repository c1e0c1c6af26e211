/* SEC-012: a registry password written into the workflow. */
#include <ctype.h>
#include <string.h>

#include <wpa/buf.h>

#include "expr/expr.h"
#include "rules/outline.h"
#include "rules/rule.h"

typedef struct subject {
    const wpa_yaml_node *value;
    const char *name; /* of job or service */
} subject;

/* What a password is, by its expression. */
typedef enum source {
    SOURCE_SECRET,  /* computed from something that is not in the file */
    SOURCE_LITERAL, /* stands here, however it is put together */
    SOURCE_VARIABLE /* vars.X: not masked */
} source;

/* Does any of it but blanks and line breaks stand outside of its expressions? */
static bool has_text_between(const wpa_yaml_node *password, const wpa_expr_place *places, size_t n)
{
    const char *text = password->text;
    size_t at = strspn(text, " \n");
    for (size_t i = 0; i < n && places[i].outer.start == at; i++) {
        at = places[i].outer.end;
        at += strspn(text + at, " \n");
    }
    return at < password->length;
}

/* "${{ 'a' }}", "${{ 1234 }}": text that an expression only writes in another way. */
static bool folds_to_text(const wpa_expr *root, wpa_arena *arena)
{
    wpa_expr_value value = root ? wpa_expr_fold(root, NULL, NULL, arena) : (wpa_expr_value){0};
    const char *text = root ? wpa_expr_value_text(&value, arena) : NULL;
    return text && *text && value.type != WPA_EXPR_IS_UNKNOWN;
}

static source source_of(const wpa_yaml_node *password, wpa_arena *arena)
{
    size_t n, n_references;
    wpa_expr_place *places = wpa_expr_find(password, arena, &n);
    bool has_text = has_text_between(password, places, n);
    for (size_t i = 0; i < n; i++) {
        if (folds_to_text(places[i].parsed.root, arena)) {
            return SOURCE_LITERAL;
        }
    }
    if (n != 1 || has_text || !places[0].parsed.root) {
        bool is_read = n != 1 || places[0].parsed.root;
        return is_read && has_text ? SOURCE_LITERAL : SOURCE_SECRET;
    }
    const wpa_expr *root = places[0].parsed.root;
    wpa_expr_reference *references = wpa_expr_references(root, arena, &n_references);
    bool is_variable = n_references == 1 && references[0].node == root &&
                       wpa_text_starts(references[0].path, "vars.");
    return is_variable ? SOURCE_VARIABLE : SOURCE_SECRET;
}

static void check_container(wpa_rule_run *run, const wpa_yaml_node *container, const char *name)
{
    const wpa_yaml_node *password =
        wpa_yaml_get(wpa_yaml_get(container, "credentials"), "password");
    const char *text = wpa_yaml_text(password);
    if (!text || !*text || wpa_yaml_is_null(password)) {
        return;
    }
    source from = source_of(password, run->arena);
    if (from == SOURCE_SECRET) {
        return;
    }
    bool is_variable = from == SOURCE_VARIABLE;
    subject *s = wpa_arena_alloc(run->arena, sizeof *s);
    *s = (subject){password, name};
    wpa_finding *finding = wpa_rule_report(
        run, password->span, NULL, s,
        is_variable ? "the registry password of %s is a configuration variable, which is not masked"
                    : "the registry password of %s stands in the workflow for everyone to read",
        wpa_rule_quote(run, name, strlen(name)));
    finding->is_secret = !is_variable;
    wpa_rule_relate(run, finding, password->parent->key->span, "in these credentials");
    if (is_variable) {
        finding->severity = WPA_SEVERITY_LOW;
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *outline = run->source->outline;
    for (size_t i = 0; i < outline->n_jobs; i++) {
        const wpa_outline_job *job = &outline->jobs[i];
        check_container(run, wpa_yaml_get(job->node, "container"), job->id);
        const wpa_yaml_node *services = wpa_yaml_get(job->node, "services");
        for (size_t k = 0; wpa_yaml_is(services, WPA_YAML_MAPPING) && k < services->n_pairs; k++) {
            const char *name = wpa_yaml_text(services->pairs[k].key);
            check_container(run, wpa_yaml_resolve(services->pairs[k].value), name ? name : job->id);
        }
    }
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const subject *s = finding->subject;
    WPA_AUTO(wpa_buf) *name = wpa_buf_new(256);
    for (const char *c = s->name; *c; c++) {
        wpa_buf_char(name, isalnum((unsigned char)*c) ? (char)toupper((unsigned char)*c) : '_');
    }
    if (isdigit((unsigned char)s->name[0]) || wpa_buf_is_full(name)) {
        return;
    }
    wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "take it from secret %s_PASSWORD",
                                wpa_buf_data(name));
    wpa_rule_edit(run, fix, s->value->span, "${{ secrets.%s_PASSWORD }}", wpa_buf_data(name));
}

const wpa_rule wpa_rule_hardcoded_container_credentials = {
    .code = "SEC-012",
    .id = "hardcoded-container-credentials",
    .dimension = WPA_DIMENSION_SECURITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_HIGH,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW,
    .words = (const char *const[]){"credentials", NULL},
    .summary = "A registry password is written into the workflow",
    .why = "Everyone who can read the repository can push to or pull from that registry.",
    .fix = "Change the password, store it as a secret, and name the secret here.",
    .elsewhere = (const char *const[]){"zizmor/hardcoded-container-credentials",
                                       "actionlint/credentials", "octoscan/credentials", NULL},
    .declares = WPA_DECLARES_CONTAINER,
    .check = check,
    .repair = repair,
};
