/* CMP-034: something the forge that runs this does not know, or ignores. */
#include <string.h>

#include "rules/expressions.h"
#include "rules/own.h"
#include "rules/pin.h"
#include "rules/steps.h"
#include "rules/toolchain.h"

static const wpa_rule_option options[] = {
    {"forge", "",
     "github.com, ghes@3.18, gitea@1.25, forgejo@12; as \"forge\" of the configuration if unset",
     WPA_OPTION_TEXT},
    {0},
};

static wpa_forge forge_of(const wpa_rule_run *run)
{
    const char *option = wpa_rule_option_text(run, "forge");
    return option && *option ? wpa_forge_parse(option, run->arena) : wpa_rule_forge(run);
}

static const char *since_text(const wpa_rule_run *run, const wpa_forge *f,
                              const wpa_fact_feature *feature)
{
    for (size_t i = 0; feature->forges[i]; i++) {
        if (wpa_text_is(feature->forges[i], f->name) && *feature->since[i]) {
            return wpa_arena_printf(run->arena, " before %s", feature->since[i]);
        }
    }
    return "";
}

typedef struct subject {
    wpa_span span;
    const wpa_fact_feature *feature;
} subject;

static void report(wpa_rule_run *run, const wpa_forge *f, const wpa_fact_feature *feature,
                   wpa_span span)
{
    const char *text = run->source->yaml->source + span.start;
    subject *s = wpa_arena_alloc(run->arena, sizeof *s);
    *s = (subject){span, feature};
    wpa_rule_report(run, span, NULL, s, "%s %s on %s%s",
                    wpa_rule_quote(run, text, wpa_span_length(span)), feature->say, f->name,
                    since_text(run, f, feature));
}

static void check_key(wpa_rule_run *run, const wpa_forge *f, const wpa_fact_feature *feature,
                      const wpa_yaml_node *mapping)
{
    const char *dot = strchr(feature->match, '.');
    const char *name =
        dot ? wpa_arena_slice(run->arena, feature->match, (size_t)(dot - feature->match))
            : feature->match;
    const wpa_yaml_pair *pair = wpa_yaml_find(mapping, name);
    pair = pair && dot ? wpa_yaml_find(wpa_yaml_resolve(pair->value), dot + 1) : pair;
    if (pair) {
        report(run, f, feature, pair->key->span);
    }
}

/* "actions/upload-artifact@>=4" */
static void check_action(wpa_rule_run *run, const wpa_forge *f, const wpa_fact_feature *feature,
                         const wpa_outline_uses *uses)
{
    const char *at = strchr(feature->match, '@');
    size_t length = at ? (size_t)(at - feature->match) : strlen(feature->match);
    int64_t least = 0;
    bool has_least = at && wpa_text_starts(at, "@>=") && wpa_text_to_int(at + 3, 0, 999, &least);
    bool is_slug = uses->kind == WPA_OUTLINE_REPOSITORY && uses->slug.length == length &&
                   strncasecmp(uses->slug.at, feature->match, length) == 0;
    int major = is_slug ? wpa_outline_major(uses) : -1;
    if (is_slug && (!has_least || least <= 1 || major >= least)) {
        report(run, f, feature, uses->node->span);
    }
}

static void check_permission(wpa_rule_run *run, const wpa_forge *f, const wpa_fact_feature *feature,
                             const wpa_yaml_node *owner)
{
    const wpa_yaml_pair *pair = wpa_yaml_find(wpa_yaml_get(owner, "permissions"), feature->match);
    if (pair) {
        report(run, f, feature, pair->key->span);
    }
}

static void check_uses(wpa_rule_run *run, const wpa_forge *f, const wpa_fact_feature *feature,
                       const wpa_outline_uses *uses)
{
    if (uses->kind == WPA_OUTLINE_NONE) {
        return;
    }
    if (wpa_text_is(feature->kind, "action")) {
        check_action(run, f, feature, uses);
    } else if (wpa_text_is(feature->kind, "uses") &&
               wpa_text_starts(wpa_yaml_text(uses->node), feature->match)) {
        report(run, f, feature, uses->node->span);
    }
}

static void check_jobs(wpa_rule_run *run, const wpa_forge *f, const wpa_fact_feature *feature)
{
    const wpa_outline *o = run->source->outline;
    for (size_t i = 0; i < o->n_jobs; i++) {
        const wpa_outline_job *job = &o->jobs[i];
        if (wpa_text_is(feature->kind, "job-key")) {
            check_key(run, f, feature, job->node);
        } else if (wpa_text_is(feature->kind, "permission")) {
            check_permission(run, f, feature, job->node);
        }
        check_uses(run, f, feature, &job->uses);
        for (size_t k = 0; k < job->n_steps; k++) {
            check_uses(run, f, feature, &job->steps[k].uses);
            if (wpa_text_is(feature->kind, "step-key")) {
                check_key(run, f, feature, job->steps[k].node);
            }
        }
    }
}

/* ---- calls of a function, and what scripts print for the runner ---- */

typedef struct search {
    wpa_rule_run *run;
    const wpa_forge *forge;
    const wpa_fact_feature *feature;
    const wpa_expression *expression;
} search;

static void look(const wpa_expr *node, const wpa_expr *parent, void *context)
{
    const search *s = context;
    (void)parent;
    if (node->kind == WPA_EXPR_CALL && wpa_text_is_ci(node->text, s->feature->match)) {
        report(s->run, s->forge, s->feature, wpa_expression_span(s->expression, node->name_span));
    }
}

static void check_function(wpa_rule_run *run, const wpa_forge *f, const wpa_fact_feature *feature)
{
    const wpa_expressions *all = run->source->expressions;
    for (size_t i = 0; i < all->n; i++) {
        search s = {run, f, feature, &all->items[i]};
        if (s.expression->is_evaluated && s.expression->place->parsed.root) {
            wpa_expr_walk(s.expression->place->parsed.root, look, &s);
        }
    }
}

/* "::add-matcher::", once a step. */
static void check_printed(wpa_rule_run *run, const wpa_forge *f, const wpa_fact_feature *feature)
{
    const wpa_outline *o = run->source->outline;
    size_t length = strlen(feature->match);
    for (size_t i = 0; i < o->n_jobs; i++) {
        for (size_t k = 0; k < o->jobs[i].n_steps; k++) {
            const wpa_outline_step *step = &o->jobs[i].steps[k];
            const char *at = step->run ? strstr(step->run->text, feature->match) : NULL;
            if (at) {
                size_t from = (size_t)(at - step->run->text);
                report(run, f, feature, wpa_step_span(step, step->run, from, from + length));
            }
        }
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    wpa_forge f = forge_of(run);
    if (wpa_text_is(f.name, "github.com")) {
        return true; /* what it refuses is said by the rules of the format */
    }
    for (size_t i = 0; i < wpa_facts_feature_count(); i++) {
        const wpa_fact_feature *feature = wpa_facts_feature_at(i);
        if (!wpa_forge_lacks(&f, feature)) {
            continue;
        }
        if (wpa_text_is(feature->kind, "workflow-key")) {
            check_key(run, &f, feature, o->root);
        } else if (wpa_text_is(feature->kind, "permission")) {
            check_permission(run, &f, feature, o->root);
        } else if (wpa_text_is(feature->kind, "trigger")) {
            const wpa_outline_trigger *trigger = wpa_outline_trigger_find(o, feature->match);
            if (trigger) {
                report(run, &f, feature, trigger->node->span);
            }
        }
        if (wpa_text_is(feature->kind, "function")) {
            check_function(run, &f, feature);
        } else if (wpa_text_is(feature->kind, "command")) {
            check_printed(run, &f, feature);
        } else {
            check_jobs(run, &f, feature);
        }
    }
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const subject *s = finding->subject;
    if (!s->feature->replacement) {
        return;
    }
    wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "write %s", s->feature->replacement);
    fix->needs = wpa_rule_needs(run, WPA_FACTS_FORGES);
    bool is_prefix = wpa_text_is(s->feature->kind, "uses");
    wpa_span head = {s->span.start, s->span.start + strlen(s->feature->match)};
    const char *source = run->source->yaml->source;
    bool is_plain = strncmp(source + head.start, s->feature->match, strlen(s->feature->match)) == 0;
    if (is_prefix && is_plain) {
        wpa_rule_edit(run, fix, head, "%s", s->feature->replacement);
    } else if (!is_prefix) {
        wpa_rule_edit(run, fix, s->span, "%s", s->feature->replacement);
    }
}

const wpa_rule wpa_rule_forge_unsupported = {
    .code = "CMP-034",
    .id = "forge-unsupported",
    .dimension = WPA_DIMENSION_COMPATIBILITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "The forge that runs this does not know, or ignores, what stands here",
    .why = "What is ignored gives no protection and no limit; what is refused stops the run.",
    .fix = "Leave it out, or write what the forge's version understands.",
    .options = options,
    .tables = 1U << WPA_FACTS_FORGES,
    .declares = WPA_DECLARES_PINS,
    .check = check,
    .repair = repair,
};
