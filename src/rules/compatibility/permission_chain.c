/* CMP-040: called workflows that ask for more of the token than their caller has. */
#include <string.h>

#include <wpa/map.h>

#include "rules/graph.h"
#include "rules/needs.h"

#define SCOPES_MAX 64
#define LEVELS_MAX 10

typedef enum level {
    LEVEL_NONE,
    LEVEL_READ,
    LEVEL_WRITE
} level;

static const char *const level_names[] = {"none", "read", "write"};

/* What a token may do, by the order of the table of permissions. */
typedef struct grant {
    level levels[SCOPES_MAX];
    bool is_known; /* false: the repository's default, which is not in the file */
} grant;

/* What a repair needs: the most that is asked for of one scope. */
typedef struct subject {
    const wpa_outline_job *job;
    const wpa_yaml_node *permissions; /* that count for the call; NULL: those of a call behind it */
    const char *scope;
    level wanted;
} subject;

/* A called workflow that is to be looked at. */
typedef struct visit {
    const grant *granted;
    const wpa_source *callee;
    size_t depth;
} visit;

/* A finding's way: the call in this file, and what was granted to it. */
typedef struct chain {
    wpa_rule_run *run;
    const grant *root; /* what this file grants to the call */
    const wpa_graph *graph;
    const wpa_outline_job *job;        /* the call in this file */
    wpa_finding *by_scope[SCOPES_MAX]; /* reported for this call: each scope once */
    subject *subjects[SCOPES_MAX];     /* of those */
    size_t n_reported;
    wpa_map *seen; /* callee and what it is granted → on which level it was looked at */
    visit *visits; /* level by level, so that nothing is looked at again for being nearer */
    size_t n_visits, capacity;
} chain;

static level level_of(const char *text)
{
    return wpa_text_is(text, "write")  ? LEVEL_WRITE
           : wpa_text_is(text, "read") ? LEVEL_READ
                                       : LEVEL_NONE;
}

/* What a "permissions" says; false if there is none, or none that can be read. */
static bool read_grant(const wpa_yaml_node *owner, grant *out)
{
    const wpa_yaml_pair *pair = wpa_yaml_find(owner, "permissions");
    const wpa_yaml_node *node = pair ? wpa_yaml_resolve(pair->value) : NULL;
    const char *text = wpa_yaml_text(node);
    wpa_fact_list names = wpa_facts_permission_names();
    *out = (grant){.is_known = true};
    bool is_all = wpa_text_is(text, "read-all") || wpa_text_is(text, "write-all");
    if (!is_all && !wpa_yaml_is(node, WPA_YAML_MAPPING)) {
        out->is_known = false;
        return false;
    }
    for (size_t i = 0; names[i] && i < SCOPES_MAX; i++) {
        const wpa_fact_permission *fact = wpa_facts_permission_find(wpa_slice_of(names[i]));
        bool can_read = fact && fact->can_read;
        out->levels[i] = !is_all ? level_of(wpa_yaml_text(wpa_yaml_get(node, names[i])))
                         : wpa_text_is(text, "write-all") ? LEVEL_WRITE
                         : can_read                       ? LEVEL_READ
                                                          : LEVEL_NONE;
    }
    return true;
}

static const wpa_yaml_node *place_of(const wpa_yaml_node *owner, const char *scope)
{
    const wpa_yaml_pair *pair = wpa_yaml_find(owner, "permissions");
    const wpa_yaml_pair *entry = pair ? wpa_yaml_find(pair->value, scope) : NULL;
    return entry ? entry->key : pair ? pair->key : NULL;
}

/* Scopes that a job of a called workflow asks for and is not granted. */
static void compare(chain *c, const grant *granted, const grant *wanted, const wpa_source *source,
                    const wpa_outline_job *job, const wpa_yaml_node *owner)
{
    wpa_fact_list names = wpa_facts_permission_names();
    for (size_t i = 0; names[i] && i < SCOPES_MAX; i++) {
        if (wanted->levels[i] <= granted->levels[i]) {
            continue;
        }
        const wpa_yaml_node *place = place_of(owner, names[i]);
        wpa_finding *finding = c->by_scope[i];
        c->n_reported++;
        if (finding) {
            subject *s = c->subjects[i];
            s->wanted = wanted->levels[i] > s->wanted ? wanted->levels[i] : s->wanted;
            if (place && owner == job->node) {
                wpa_rule_relate_in(c->run, finding, source, place->span, "and here");
            }
            continue;
        }
        const wpa_yaml_pair *own = wpa_yaml_find(c->job->node, "permissions");
        own = own ? own : wpa_yaml_find(c->run->source->outline->root, "permissions");
        subject *s = c->subjects[i] = wpa_arena_alloc(c->run->arena, sizeof *s);
        bool is_here = own && granted == c->root;
        const char *path = wpa_source_identity(source); /* however it is shown */
        *s = (subject){c->job, is_here ? wpa_yaml_resolve(own->value) : NULL, names[i],
                       wanted->levels[i]};
        finding = c->by_scope[i] = wpa_rule_report(
            c->run, c->job->uses.span, NULL, s,
            "job %s of %s asks for '%s: %s', and this call grants %s: GitHub refuses the run",
            wpa_rule_quote(c->run, job->id, strlen(job->id)),
            wpa_rule_quote(c->run, path, strlen(path)), names[i], level_names[wanted->levels[i]],
            granted->levels[i] == LEVEL_NONE ? "nothing of it" : level_names[granted->levels[i]]);
        if (owner != job->node) { /* for all jobs at once, which may be meant as a ceiling */
            finding->confidence = WPA_CONFIDENCE_MEDIUM;
        }
        if (place) {
            wpa_rule_relate_in(c->run, finding, source, place->span, "asked for here");
        }
        if (own) {
            wpa_rule_relate(c->run, finding, own->key->span, "granted here");
        }
    }
}

static const wpa_source *callee_of(chain *c, const wpa_outline_job *job)
{
    const wpa_graph_file *file = wpa_graph_used(c->graph, &job->uses, c->run->arena);
    const wpa_source *source =
        file && file->kind == WPA_INPUT_WORKFLOW ? wpa_rule_source_at(c->run, file->path) : NULL;
    return source && source->yaml && !source->is_partial ? source : NULL;
}

/* Looking at the permissions of a job, scope by scope. */
#define GRANT_WORK 100

/** Has the callee been looked at with this grant, as far down at least? From now on it has. */
static bool is_known(chain *c, const grant *granted, const wpa_source *callee, size_t depth)
{
    char levels[SCOPES_MAX + 1] = {0};
    for (size_t i = 0; i < SCOPES_MAX; i++) {
        levels[i] = (char)('0' + granted->levels[i]);
    }
    const char *key = wpa_arena_printf(c->run->arena, "%s %s", levels, callee->path);
    size_t *known = wpa_map_get(c->seen, key);
    if (known && *known <= depth) {
        return true;
    }
    wpa_map_put(c->seen, key, wpa_arena_dup(c->run->arena, &depth, sizeof depth));
    return false;
}

static void plan(chain *c, const grant *granted, const wpa_source *callee, size_t depth)
{
    if (is_known(c, granted, callee, depth)) {
        return;
    }
    c->visits =
        wpa_arena_grow(c->run->arena, c->visits, c->n_visits, &c->capacity, sizeof *c->visits);
    c->visits[c->n_visits++] = (visit){granted, callee, depth};
}

static void look_at(chain *c, visit v)
{
    const wpa_outline *o = v.callee->outline;
    grant *top = wpa_arena_alloc(c->run->arena, sizeof *top);
    bool has_top = read_grant(o->root, top);
    for (size_t i = 0; i < o->n_jobs && wpa_rule_spend(c->run, GRANT_WORK); i++) {
        const wpa_outline_job *job = &o->jobs[i];
        grant own;
        bool has_own = read_grant(job->node, &own);
        const grant *wanted = has_own ? &own : has_top ? top : NULL;
        size_t n_before = c->n_reported;
        if (wanted) {
            compare(c, v.granted, wanted, v.callee, job, has_own ? job->node : o->root);
        }
        const wpa_source *next = job->is_call && v.depth < LEVELS_MAX ? callee_of(c, job) : NULL;
        if (next && c->n_reported == n_before) {
            const grant *handed = has_own  ? wpa_arena_dup(c->run->arena, &own, sizeof own)
                                  : wanted ? wanted
                                           : v.granted;
            plan(c, handed, next, v.depth + 1);
        }
    }
}

static void follow(chain *c, const wpa_source *callee)
{
    plan(c, c->root, callee, 1);
    for (size_t i = 0; i < c->n_visits; i++) {
        look_at(c, c->visits[i]);
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    const wpa_surroundings *around = run->source->around;
    if (!around || !around->graph) {
        return true;
    }
    grant top;
    bool has_top = read_grant(o->root, &top);
    wpa_map *seen = wpa_map_new(run->arena); /* by calls of which nothing was to be said */
    for (size_t i = 0; i < o->n_jobs; i++) {
        if (!o->jobs[i].is_call) {
            continue;
        }
        grant own;
        chain c = {.run = run, .graph = around->graph, .job = &o->jobs[i]};
        bool has_own = read_grant(o->jobs[i].node, &own);
        bool has_grant = has_own || has_top;
        const wpa_source *callee =
            has_grant && o->jobs[i].uses.node ? callee_of(&c, &o->jobs[i]) : NULL;
        if (callee) {
            c.root = has_own ? &own : &top;
            c.seen = seen;
            follow(&c, callee);
            seen = c.n_reported ? wpa_map_new(run->arena) : seen;
        }
    }
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const subject *s = finding->subject;
    const char *scope = wpa_arena_printf(run->arena, "%s: %s", s->scope, level_names[s->wanted]);
    if (s->permissions) {
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "grant %s to the call", scope);
        wpa_needs_grant(run, fix, s->job, s->permissions, scope);
    }
}

const wpa_rule wpa_rule_permission_chain = {
    .code = "CMP-040",
    .id = "permission-chain",
    .dimension = WPA_DIMENSION_COMPATIBILITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_HIGH,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "A called workflow asks for more permissions than its caller has",
    .why = "GitHub refuses the whole run when it starts.",
    .fix = "Grant the scope to the job that calls, or ask for less in the called workflow.",
    .tables = 1U << WPA_FACTS_PERMISSIONS,
    .reads_dead_code = true,
    .declares = WPA_DECLARES_PERMISSIONS,
    .check = check,
    .repair = repair,
};
