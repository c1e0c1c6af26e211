/*
 * CMP-031: an output of a script that the script never writes. Only of scripts that are understood
 * to the last command.
 */
#include <ctype.h>
#include <string.h>

#include <wpa/map.h>

#include "rules/expressions.h"
#include "rules/outputs.h"
#include "rules/rule.h"
#include "rules/upgrade.h"

typedef struct subject {
    const wpa_expression *expression;
    wpa_span member;   /* in the tree's text */
    const char *right; /* what is written, if one edit leads there; or NULL */
} subject;

/* A step by its id, read when it is first asked for. */
typedef struct entry {
    const wpa_outline_step *step; /* NULL: several have the id */
    const wpa_outputs *outputs;
} entry;

typedef struct search {
    wpa_rule_run *run;
    const wpa_expression *expression;
    const wpa_outline_job *job; /* of which these are the steps */
    wpa_map *entries;
} search;

static const char *folded(wpa_arena *arena, const char *id)
{
    char *copy = wpa_arena_text(arena, id);
    for (char *c = copy; *c; c++) {
        *c = (char)tolower((unsigned char)*c);
    }
    return copy;
}

static void read_job(search *s, const wpa_outline_job *job)
{
    s->job = job;
    s->entries = wpa_map_new(s->run->arena);
    for (size_t i = 0; i < job->n_steps; i++) {
        const char *id = job->steps[i].id ? folded(s->run->arena, job->steps[i].id) : NULL;
        entry *known = id ? wpa_map_get(s->entries, id) : NULL;
        if (known) {
            known->step = NULL;
        } else if (id) {
            entry *made = wpa_arena_alloc(s->run->arena, sizeof *made);
            made->step = &job->steps[i];
            wpa_map_put(s->entries, id, made);
        }
    }
}

/** The only step with this id, if it stands in front of the expression. */
static const entry *find_step(search *s, const char *id)
{
    const wpa_expression *e = s->expression;
    if (s->job != e->job) {
        read_job(s, e->job);
    }
    entry *found = wpa_map_get(s->entries, folded(s->run->arena, id));
    if (!found || !found->step || found->step->index >= e->step) {
        return NULL;
    }
    if (!found->outputs) {
        found->outputs = wpa_outputs_of(s->run, found->step);
    }
    return found;
}

static void check_output(const search *s, const entry *at, wpa_span member, const char *name)
{
    const wpa_outline_step *step = at->step;
    if (!at->outputs->is_complete || wpa_outputs_has(at->outputs, name)) {
        return;
    }
    subject *made = wpa_arena_alloc(s->run->arena, sizeof *made);
    *made = (subject){s->expression, member, wpa_rule_find_meant(name, at->outputs->names)};
    wpa_finding *finding = wpa_rule_report(
        s->run, wpa_expression_span(s->expression, member), NULL, made,
        "the step %s never writes the output %s, so it is always empty%s%s%s",
        wpa_rule_quote(s->run, step->id, strlen(step->id)),
        wpa_rule_quote(s->run, name, strlen(name)), made->right ? " (did you mean '" : "",
        made->right ? made->right : "", made->right ? "'?)" : "");
    const wpa_yaml_pair *id = wpa_yaml_find(step->node, "id");
    if (id) {
        wpa_rule_relate(s->run, finding, id->value->span, "the step");
    }
}

/** Name of a member, by a dot or by a literal index; NULL for anything else. */
static const char *member_name(const wpa_expr *node)
{
    bool is_index = node->kind == WPA_EXPR_INDEX && node->args[1]->kind == WPA_EXPR_STRING;
    return node->kind == WPA_EXPR_MEMBER ? node->text : is_index ? node->args[1]->text : NULL;
}

/** steps.<id>.outputs.<name> */
static void look(const wpa_expr *node, const wpa_expr *parent, void *context)
{
    search *s = context;
    (void)parent;
    const char *name = member_name(node);
    const wpa_expr *outputs = name ? node->args[0] : NULL;
    const char *word = outputs ? member_name(outputs) : NULL;
    const wpa_expr *owner = word && wpa_text_is_ci(word, "outputs") ? outputs->args[0] : NULL;
    const char *id = owner ? member_name(owner) : NULL;
    bool is_step = id && owner->args[0]->kind == WPA_EXPR_NAME &&
                   wpa_text_is_ci(owner->args[0]->text, "steps");
    const entry *at = is_step ? find_step(s, id) : NULL;
    if (at) {
        check_output(s, at, node->kind == WPA_EXPR_MEMBER ? node->name_span : node->args[1]->span,
                     name);
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_expressions *all = run->source->expressions;
    search s = {.run = run};
    for (size_t i = 0; i < all->n; i++) {
        s.expression = &all->items[i];
        const wpa_expr_parsed *parsed = &s.expression->place->parsed;
        if (s.expression->is_evaluated && s.expression->job &&
            wpa_expr_may_refer(parsed, "steps")) {
            wpa_expr_walk(parsed->root, look, &s);
        }
    }
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const subject *s = finding->subject;
    wpa_span span = wpa_expression_span(s->expression, s->member);
    const char *text = s->expression->place->node->doc->source + span.start;
    if (s->right && *text != '\'') {
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_SAFE, "read '%s'", s->right);
        wpa_rule_edit(run, fix, span, "%s", s->right);
    }
}

const wpa_rule wpa_rule_undefined_output = {
    .code = "CMP-031",
    .id = "undefined-output",
    .dimension = WPA_DIMENSION_COMPATIBILITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_MEDIUM,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "An output is read that its step never writes",
    .why = "GitHub reads it as an empty text: a test is never true, a value is missing.",
    .fix = "Correct the name, or write the output; a name with one wrong letter is corrected by "
           "wpa.",
    .declares = WPA_DECLARES_SCRIPT | WPA_DECLARES_ENV | WPA_DECLARES_JOBS,
    .words = (const char *const[]){"outputs", NULL},
    .check = check,
    .repair = repair,
};
