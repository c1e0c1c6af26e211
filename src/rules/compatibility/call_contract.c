/* CMP-012: calls of workflows that do not fit what the called workflow declares. */
#include <string.h>

#include <wpa/map.h>

#include "rules/expressions.h"
#include "rules/graph.h"
#include "rules/own.h"
#include "rules/upgrade.h"
#include "rules/work.h"

#define LEVELS_MAX 10 /* the first caller included */
#define NAMES_MAX 1000
#define ENV_MAX 100

/* How many levels and callees a forge follows. */
typedef struct reach {
    size_t levels, callees;
} reach;

static reach reach_of(const wpa_rule_run *run)
{
    bool is_server = wpa_text_is(wpa_rule_forge(run).name, "ghes");
    return is_server ? (reach){4, 20} : (reach){LEVELS_MAX, 50};
}

/* One call, and what stands at its other end. */
typedef struct call {
    wpa_rule_run *run;
    const wpa_outline_job *job;
    const wpa_graph *graph;
    const wpa_graph_file *callee;
    const wpa_source *source;       /* the callee's tree */
    const wpa_yaml_node *interface; /* what stands below workflow_call; NULL: nothing */
    const char *name;               /* of the callee, quoted */
    wpa_map *asked;                 /* names of its env that were looked for */
} call;

typedef struct subject {
    const wpa_yaml_node *key;
    const char *meant;
} subject;

static const char *quote(const call *c, const char *text)
{
    return wpa_rule_quote(c->run, text, strlen(text));
}

static wpa_finding *report(const call *c, wpa_span span, const char *check, const void *subject_of,
                           const wpa_yaml_node *declared, const char *message)
{
    wpa_finding *finding = wpa_rule_report(c->run, span, check, subject_of, "%s", message);
    if (declared) {
        wpa_rule_relate_in(c->run, finding, c->source, declared->span, "declared here");
    }
    return finding;
}

static bool is_true(const wpa_yaml_node *declaration, const char *key)
{
    return wpa_text_is(wpa_yaml_text(wpa_yaml_get(declaration, key)), "true");
}

/* Names that a mapping of the callee declares, NULL-terminated. */
static const char *const *names_of(const call *c, const wpa_yaml_node *declared)
{
    size_t n_pairs = wpa_yaml_is(declared, WPA_YAML_MAPPING) ? declared->n_pairs : 0, n = 0;
    const char **names = wpa_arena_array(c->run->arena, n_pairs + 1, sizeof *names);
    for (size_t i = 0; i < n_pairs; i++) {
        const char *name = wpa_yaml_text(declared->pairs[i].key);
        if (name) {
            names[n++] = name;
        }
    }
    return names;
}

/* ---- names (K2, K3) ---------------------------------------------------------------------------*/

static void check_given(const call *c, const wpa_yaml_node *declared, const wpa_yaml_node *key,
                        const char *what)
{
    const char *name = wpa_yaml_text(key);
    if (!name || wpa_text_is(name, "<<") || wpa_outline_has_expression(name) ||
        wpa_yaml_find_ci(declared, name)) {
        return;
    }
    const char *const *names = names_of(c, declared);
    const char *meant = wpa_rule_find_meant(name, names);
    const char *near = meant ? meant : wpa_text_nearest(name, names, wpa_fact_list_count(names));
    subject *s = meant ? wpa_arena_alloc(c->run->arena, sizeof *s) : NULL;
    if (s) {
        *s = (subject){key, meant};
    }
    report(c, key->span, "K3", s, NULL,
           wpa_arena_printf(c->run->arena, "%s takes no %s %s: GitHub refuses the call%s", c->name,
                            what, quote(c, name), wpa_rule_hint(near, names, c->run->arena)));
}

/* inputs or secrets; given is the caller's mapping, NULL if there is none. */
static void check_names(const call *c, const char *declared_key, const wpa_yaml_node *given,
                        bool is_open, const char *what)
{
    const wpa_yaml_node *declared = wpa_yaml_get(c->interface, declared_key);
    size_t n_given = wpa_yaml_is(given, WPA_YAML_MAPPING) ? given->n_pairs : 0;
    size_t n_declared = wpa_yaml_is(declared, WPA_YAML_MAPPING) ? declared->n_pairs : 0;
    if (n_given > NAMES_MAX || n_declared > NAMES_MAX) {
        return; /* each name is compared with all others */
    }
    for (size_t i = 0; i < n_given; i++) {
        check_given(c, declared, given->pairs[i].key, what);
    }
    for (size_t i = 0; i < n_declared; i++) {
        const wpa_yaml_pair *pair = &declared->pairs[i];
        const char *name = wpa_yaml_text(pair->key);
        if (name && !is_open && is_true(pair->value, "required") &&
            !wpa_yaml_find_ci(given, name)) {
            report(c, c->job->uses.span, "K2", NULL, pair->key,
                   wpa_arena_printf(c->run->arena,
                                    "%s needs %s %s, which is not given: GitHub refuses the call",
                                    c->name, what, quote(c, name)));
        }
    }
}

/* ---- types (K4, K6) ---------------------------------------------------------------------------*/

static const wpa_expression *expression_of(const call *c, const wpa_yaml_node *node)
{
    const wpa_expressions *all = wpa_expressions_check(c->run);
    for (size_t i = 0; i < all->n; i++) {
        if (all->items[i].place->node == node && all->items[i].is_whole) {
            return &all->items[i];
        }
    }
    return NULL;
}

/* What kind of value it is, or NULL if that cannot be told. */
static const char *type_of(const call *c, const wpa_yaml_node *value)
{
    if (!wpa_outline_has_expression(value->text)) {
        wpa_yaml_type type = wpa_yaml_scalar_type(value);
        return type == WPA_YAML_BOOL                            ? "boolean"
               : type == WPA_YAML_INT || type == WPA_YAML_FLOAT ? "number"
               : type != WPA_YAML_NULL                          ? "string"
               : value->length                                  ? "null"
                                                                : NULL;
    }
    const wpa_expression *e = expression_of(c, value);
    const wpa_type *type =
        e && e->place->parsed.root ? wpa_expression_type(c->run, e, e->place->parsed.root) : NULL;
    type = type ? wpa_type_resolve(type) : NULL;
    if (!e) {
        return "string"; /* text around an expression */
    }
    return !type                           ? NULL
           : type->kind == WPA_TYPE_BOOL   ? "boolean"
           : type->kind == WPA_TYPE_NUMBER ? "number"
           : type->kind == WPA_TYPE_STRING ? "string"
           : type->kind == WPA_TYPE_ARRAY  ? "list"
           : type->kind == WPA_TYPE_OBJECT ? "mapping"
                                           : NULL;
}

static void check_type(const call *c, const wpa_yaml_pair *given)
{
    const wpa_yaml_node *value = wpa_yaml_resolve(given->value);
    const char *name = wpa_yaml_text(given->key);
    const wpa_yaml_pair *declared =
        name ? wpa_yaml_find_ci(wpa_yaml_get(c->interface, "inputs"), name) : NULL;
    const char *wanted = declared ? wpa_yaml_text(wpa_yaml_get(declared->value, "type")) : NULL;
    bool is_scalar = value && value->kind == WPA_YAML_SCALAR && !value->is_incomplete;
    bool is_typed = wpa_text_is(wanted, "boolean") || wpa_text_is(wanted, "number");
    if (!is_scalar || (!is_typed && !wpa_text_is(wanted, "string"))) {
        return;
    }
    bool is_empty = is_typed && wpa_yaml_is_null(value) && !value->length;
    const char *type = is_empty ? "empty" : type_of(c, value);
    bool is_text_wanted =
        !is_typed && (wpa_text_is(type, "boolean") || wpa_text_is(type, "number"));
    if (!type || wpa_text_is(type, wanted) || is_text_wanted) {
        return;
    }
    bool is_word = !wpa_outline_has_expression(value->text) && wpa_text_is(type, "string");
    double number;
    bool is_quoted = is_word && value->style != WPA_YAML_PLAIN &&
                     (wpa_text_is(wanted, "number")
                          ? wpa_text_to_double(value->text, &number)
                          : wpa_text_is(value->text, "true") || wpa_text_is(value->text, "false"));
    subject *s = is_quoted ? wpa_arena_alloc(c->run->arena, sizeof *s) : NULL;
    if (s) {
        *s = (subject){value, value->text};
    }
    bool is_nothing = is_empty || wpa_text_is(type, "null");
    wpa_finding *finding =
        report(c, wpa_span_length(value->span) ? value->span : given->key->span,
               is_quoted ? "K6" : "K4", s, declared->key,
               wpa_arena_printf(c->run->arena, "input %s of %s is a %s, and this is %s%s",
                                quote(c, name), c->name, wanted, is_nothing ? "" : "a ", type));
    if (is_nothing && !is_typed) {
        finding->severity = WPA_SEVERITY_MEDIUM;
    }
}

/* ---- secrets that the caller does not have (K9) -----------------------------------------------*/

/* Do all who call this workflow name the secrets they hand over? */
static bool gets_only_declared(const call *c)
{
    const wpa_outline *o = c->run->source->outline;
    if (o->n_triggers != 1 || !wpa_text_is(o->triggers[0].name, "workflow_call")) {
        return false;
    }
    size_t n;
    const wpa_graph_user *users =
        wpa_graph_users(c->graph, wpa_source_identity(c->run->source), &n);
    for (size_t i = 0; i < n; i++) {
        if (users[i].use->inherits_secrets) {
            return false;
        }
    }
    return n > 0;
}

static void check_passed_secrets(const call *c, const wpa_yaml_node *given)
{
    const wpa_outline_trigger *own =
        wpa_outline_trigger_find(c->run->source->outline, "workflow_call");
    bool is_closed = own && wpa_yaml_is(given, WPA_YAML_MAPPING) && gets_only_declared(c);
    for (size_t i = 0; is_closed && i < given->n_pairs; i++) {
        size_t n_places, n;
        const wpa_yaml_node *value = wpa_yaml_resolve(given->pairs[i].value);
        if (!wpa_yaml_is(value, WPA_YAML_SCALAR)) {
            continue;
        }
        const wpa_expr_place *places = wpa_expr_find(value, c->run->arena, &n_places);
        for (size_t k = 0; k < n_places; k++) {
            const wpa_expr_reference *list =
                wpa_expr_references(places[k].parsed.root, c->run->arena, &n);
            for (size_t j = 0; j < n; j++) {
                const char *name =
                    wpa_text_starts(list[j].path, "secrets.") ? list[j].path + 8 : NULL;
                if (!name || wpa_text_is(name, "github_token") || strpbrk(name, ".*[") ||
                    wpa_yaml_find_ci(wpa_yaml_get(own->config, "secrets"), name)) {
                    continue;
                }
                wpa_finding *finding = wpa_rule_report(
                    c->run, wpa_expr_source_span(&places[k], list[j].node->span), "K9", NULL,
                    "this workflow never receives secret %s, so it hands on nothing",
                    quote(c, name));
                finding->severity = WPA_SEVERITY_MEDIUM;
            }
        }
    }
}

/* ---- env, which stays behind (K10) ------------------------------------------------------------*/

typedef struct env_search {
    const call *c;
    const wpa_yaml_node *env;  /* of the caller, for all its jobs */
    const wpa_yaml_pair *told; /* the last one that was told */
} env_search;

/* Does the callee set it anywhere: in an env, or in a script that writes to the runner's file? */
static bool sets(const wpa_source *callee, const char *name)
{
    const wpa_outline *o = callee->outline;
    bool is_set = wpa_yaml_find_ci(wpa_yaml_get(o->root, "env"), name) != NULL;
    for (size_t i = 0; i < o->n_jobs && !is_set; i++) {
        is_set = wpa_yaml_find_ci(wpa_yaml_get(o->jobs[i].node, "env"), name) != NULL;
        for (size_t k = 0; k < o->jobs[i].n_steps && !is_set; k++) {
            const wpa_outline_step *step = &o->jobs[i].steps[k];
            const char *script = step->run ? step->run->text : NULL;
            is_set = wpa_yaml_find_ci(step->env, name) ||
                     (script && strstr(script, "GITHUB_ENV") && strstr(script, name)) ||
                     (step->uses.kind != WPA_OUTLINE_NONE && wpa_work_mentions(step->with, name));
        }
    }
    return is_set;
}

static void look_for_env(const wpa_expr *node, const wpa_expr *parent, void *context)
{
    env_search *s = context;
    (void)parent;
    bool is_env = node->kind == WPA_EXPR_MEMBER && node->args[0]->kind == WPA_EXPR_NAME &&
                  wpa_text_is_ci(node->args[0]->text, "env");
    const wpa_yaml_pair *own = is_env ? wpa_yaml_find_ci(s->env, node->text) : NULL;
    if (!own || own == s->told || wpa_map_has(s->c->asked, node->text) ||
        wpa_map_count(s->c->asked) >= ENV_MAX) {
        return;
    }
    wpa_map_put(s->c->asked, node->text, s);
    if (!sets(s->c->source, node->text)) {
        s->told = own;
    }
}

static void check_env(const call *c)
{
    const wpa_yaml_node *env = wpa_yaml_get(c->run->source->outline->root, "env");
    const wpa_expressions *all = c->source->expressions;
    for (size_t i = 0; wpa_yaml_is(env, WPA_YAML_MAPPING) && i < all->n; i++) {
        const wpa_expr_place *place = all->items[i].place;
        env_search s = {.c = c, .env = env};
        wpa_expr_walk(place->parsed.root, look_for_env, &s);
        if (!s.told) {
            continue;
        }
        const char *name = s.told->key->text;
        wpa_finding *finding = wpa_rule_report(
            c->run, c->job->uses.span, "K10", NULL,
            "%s reads env.%s, which is set here: env is not handed on by a call, so it is empty "
            "there",
            c->name, name);
        finding->severity = WPA_SEVERITY_MEDIUM;
        finding->confidence = WPA_CONFIDENCE_MEDIUM;
        wpa_rule_relate(c->run, finding, s.told->key->span, "set here");
        wpa_rule_relate_in(c->run, finding, c->source, place->node->span, "read here");
    }
}

/* ---- the other end, and how far the way is (K1, K7, K8) ---------------------------------------*/

typedef struct trail {
    const wpa_graph *graph;
    const wpa_graph_file *files[LEVELS_MAX + 1];
    size_t n;
    size_t deepest;
    bool is_circle; /* leads back to the first file */
    size_t n_looked;
} trail;

static const wpa_graph_file *called_by(const trail *t, const wpa_graph_use *use)
{
    const wpa_graph_file *file =
        use->is_call && use->local_path ? wpa_graph_local(t->graph, use->local_path) : NULL;
    return file && file->kind == WPA_INPUT_WORKFLOW ? file : NULL;
}

static void follow(trail *t)
{
    const wpa_graph_file *last = t->files[t->n - 1];
    t->deepest = t->n > t->deepest ? t->n : t->deepest;
    for (size_t i = 0; i < last->n_uses && !t->is_circle && t->n_looked < 2000; i++) {
        const wpa_graph_file *next = called_by(t, &last->uses[i]);
        bool is_known = !next;
        t->n_looked++;
        for (size_t k = 0; k < t->n && next; k++) {
            is_known = is_known || t->files[k] == next;
        }
        if (next == t->files[0] && next) {
            t->is_circle = true;
            return;
        }
        if (!is_known && t->n <= LEVELS_MAX) {
            t->files[t->n++] = next;
            follow(t);
            if (!t->is_circle) {
                t->n--;
            }
        }
    }
}

static void check_way(const call *c, const wpa_graph_file *own)
{
    trail t = {.graph = c->graph, .files = {own, c->callee}, .n = 2};
    if (c->callee == own) {
        t.is_circle = true;
        t.n = 1;
    } else {
        follow(&t);
    }
    size_t levels = reach_of(c->run).levels;
    if (!t.is_circle && t.deepest > levels) {
        report(c, c->job->uses.span, "K8", NULL, NULL,
               wpa_arena_printf(c->run->arena,
                                "workflows call each other over more than the %zu levels that "
                                "GitHub follows",
                                levels));
    }
    const char *path = own->path;
    for (size_t i = 1; t.is_circle && i < t.n; i++) {
        if (strcmp(t.files[i]->path, own->path) < 0) {
            return; /* told once, at its first file */
        }
        path = wpa_arena_printf(c->run->arena, "%s → %s", path, t.files[i]->path);
    }
    if (t.is_circle) {
        report(c, c->job->uses.span, "K7", NULL, NULL,
               wpa_arena_printf(c->run->arena, "workflows call each other in a circle: %s → %s",
                                path, own->path));
    }
}

static void check_call(wpa_rule_run *run, const wpa_graph *graph, const wpa_graph_file *own,
                       const wpa_outline_job *job, wpa_map *known)
{
    const char *text = wpa_yaml_text(job->uses.node);
    call c = {.run = run, .job = job, .graph = graph};
    c.callee = wpa_graph_used(graph, &job->uses, run->arena);
    c.source = c.callee && c.callee->kind == WPA_INPUT_WORKFLOW
                   ? wpa_rule_source_at(run, c.callee->path)
                   : NULL;
    c.name = text ? quote(&c, text) : "";
    if (c.source && c.source->yaml && c.source->is_partial && c.source->yaml->n_diagnostics) {
        wpa_finding *finding = wpa_rule_report(run, job->uses.span, "K1", NULL,
                                               "%s is no YAML that can be read, so it cannot be "
                                               "called",
                                               c.name);
        wpa_rule_relate_in(run, finding, c.source, c.source->yaml->diagnostics[0].span,
                           "what is wrong");
        return;
    }
    if (!c.source || !c.source->yaml || c.source->is_partial) {
        return;
    }
    const wpa_outline_trigger *t = wpa_outline_trigger_find(c.source->outline, "workflow_call");
    if (!t) {
        report(&c, job->uses.span, "K1", NULL,
               c.source->outline->on ? c.source->outline->on->key : NULL,
               wpa_arena_printf(run->arena,
                                "%s does not have workflow_call under 'on', so it "
                                "cannot be called",
                                c.name));
        return;
    }
    c.interface = t->config;
    const wpa_yaml_pair *with = wpa_yaml_find(job->node, "with");
    const wpa_yaml_pair *secrets = wpa_yaml_find(job->node, "secrets");
    const wpa_yaml_node *given = with ? wpa_yaml_resolve(with->value) : NULL;
    const wpa_yaml_node *handed = secrets ? wpa_yaml_resolve(secrets->value) : NULL;
    check_names(&c, "inputs", given, given && given->kind != WPA_YAML_MAPPING, "input");
    check_names(&c, "secrets", handed, handed && handed->kind != WPA_YAML_MAPPING, "secret");
    size_t n_typed = wpa_yaml_is(given, WPA_YAML_MAPPING) ? given->n_pairs : 0;
    for (size_t i = 0; i < n_typed && n_typed <= NAMES_MAX; i++) {
        check_type(&c, &given->pairs[i]);
    }
    check_passed_secrets(&c, handed);
    if (!wpa_map_has(known, c.callee->path)) { /* once for all calls of it */
        wpa_map_put(known, c.callee->path, known);
        c.asked = wpa_map_new(run->arena);
        check_env(&c);
    }
    if (own) {
        check_way(&c, own);
    }
}

/* K8: how many workflows are called in all; the run counts each once. */
static void check_count(wpa_rule_run *run)
{
    const wpa_outline *o = run->source->outline;
    size_t n = 0, most = reach_of(run).callees;
    for (size_t i = 0; i < o->n_jobs; i++) {
        const char *text = wpa_yaml_text(o->jobs[i].uses.node);
        bool is_new = o->jobs[i].is_call && text;
        for (size_t k = 0; k < i && is_new; k++) {
            is_new = !o->jobs[k].is_call || !wpa_text_is(wpa_yaml_text(o->jobs[k].uses.node), text);
        }
        n += is_new;
        if (is_new && n == most + 1) {
            wpa_rule_report(
                run, o->jobs[i].uses.span, "K8", NULL,
                "this is the %zust workflow that is called: GitHub refuses more than %zu", most + 1,
                most);
        }
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    const wpa_surroundings *around = run->source->around;
    check_count(run);
    if (!around || !around->graph) {
        return true;
    }
    const wpa_graph_file *own = wpa_graph_find(around->graph, wpa_source_identity(run->source));
    wpa_map *known = wpa_map_new(run->arena);
    for (size_t i = 0; i < o->n_jobs; i++) {
        if (o->jobs[i].is_call && o->jobs[i].uses.node) {
            check_call(run, around->graph, own, &o->jobs[i], known);
        }
    }
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const subject *s = finding->subject;
    if (s) {
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_SAFE, "write it as %s", s->meant);
        wpa_rule_edit(run, fix,
                      wpa_text_is(finding->check, "K6")
                          ? s->key->span
                          : wpa_yaml_source_span(s->key, 0, s->key->length),
                      "%s", s->meant);
    }
}

const wpa_rule wpa_rule_call_contract = {
    .code = "CMP-012",
    .id = "call-contract",
    .dimension = WPA_DIMENSION_COMPATIBILITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_HIGH,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "A call of a workflow does not fit what the called workflow declares",
    .why = "GitHub refuses the run before its first job, or the called workflow gets nothing.",
    .fix = "Give what is declared as required, by its name and in its type.",
    .checks = (const char *const[]){"K1", "K2", "K3", "K4", "K6", "K7", "K8", "K9", "K10", NULL},
    .elsewhere = (const char *const[]){"actionlint/workflow-call", "actionlint/E38", NULL},
    .declares = WPA_DECLARES_JOBS,
    .reads_dead_code = true,
    .check = check,
    .repair = repair,
};
