/* CMP-004: a runner image that is gone or going. */
#include <string.h>

#include "facts/platforms.h"
#include "rules/own.h"
#include "rules/pin.h"
#include "rules/steps.h"

#define FAR_DAYS 180
#define TOOLS_MAX 10

typedef struct subject {
    const wpa_outline_job *job;
    const wpa_outline_label *label;
} subject;

/* The image that takes its place, of the same architecture; NULL: none is known. */
static const wpa_fact_runner *successor_of(const wpa_fact_runner *runner)
{
    for (size_t i = 0; runner->successors[i]; i++) {
        const wpa_fact_runner *next = wpa_facts_runner_find(wpa_slice_of(runner->successors[i]));
        if (next && next->state == WPA_RUNNER_CURRENT && wpa_text_is(next->arch, runner->arch)) {
            return next;
        }
    }
    return NULL;
}

/* Is the tool known to be on the one image, and not on the other? */
static bool is_lost(const wpa_fact_program *tool, const wpa_fact_image *here,
                    const wpa_fact_image *there)
{
    const wpa_fact_presence *now = wpa_facts_program_on(tool, here->name);
    const wpa_fact_presence *then = wpa_facts_program_on(tool, there->name);
    return now && now->version && then && !then->version;
}

static bool is_set_up(const wpa_outline_job *job, const wpa_fact_program *tool)
{
    bool is_so = false;
    for (size_t i = 0; tool->setup && i < job->n_steps && !is_so; i++) {
        is_so = wpa_outline_step_uses(&job->steps[i], tool->setup);
    }
    return is_so;
}

/* Tools that the job finds on the image, and not on its successor's. */
static void relate_tools(wpa_rule_run *run, wpa_finding *finding, const wpa_outline_job *job,
                         const wpa_fact_runner *runner)
{
    const wpa_fact_runner *next = successor_of(runner);
    const wpa_fact_image *image = next ? wpa_facts_image_of(next) : NULL;
    const wpa_fact_image *here = image ? wpa_facts_image_of(runner) : NULL;
    bool is_on_image = here && !wpa_yaml_find(job->node, "container");
    size_t n = 0;
    for (size_t i = 0; is_on_image && i < job->n_steps; i++) {
        const wpa_script *script = job->steps[i].lexed;
        for (size_t k = 0; script && k < script->n_commands && n < TOOLS_MAX; k++) {
            const wpa_shell_command *c = &script->commands[k];
            const wpa_fact_program *tool = wpa_facts_program_find(wpa_slice_of(c->name));
            if (tool && is_lost(tool, here, image) && c->first < c->n_words &&
                !is_set_up(job, tool)) {
                wpa_span word = c->words[c->first].span;
                wpa_rule_relate(
                    run, finding,
                    wpa_step_span(&job->steps[i], job->steps[i].run, word.start, word.end),
                    "%s does not have %s", next->label, c->name);
                n++;
            }
        }
    }
}

static void check_label(wpa_rule_run *run, const wpa_outline_job *job,
                        const wpa_outline_label *label)
{
    const wpa_fact_runner *runner = label->runner;
    bool is_going =
        runner && (runner->state == WPA_RUNNER_REMOVED || runner->state == WPA_RUNNER_DEPRECATED);
    if (!is_going) {
        return;
    }
    subject *s = wpa_arena_alloc(run->arena, sizeof *s);
    *s = (subject){job, label};
    const char *name = wpa_rule_quote(run, label->text, strlen(label->text));
    wpa_finding *finding;
    int64_t left = runner->removed_on ? wpa_facts_days(runner->removed_on) -
                                            wpa_facts_days(wpa_facts_date(WPA_FACTS_RUNNERS))
                                      : 0;
    if (runner->state == WPA_RUNNER_REMOVED || (runner->removed_on && left <= 0)) {
        finding = wpa_rule_report(run, label->node->span, NULL, s,
                                  "runner %s was removed%s%s: the job waits and then fails", name,
                                  runner->removed_on ? " on " : "",
                                  runner->removed_on ? runner->removed_on : "");
        relate_tools(run, finding, job, runner);
        return;
    }
    finding = wpa_rule_report(run, label->node->span, NULL, s,
                              "runner %s is deprecated%s%s; after that the job never starts", name,
                              runner->removed_on ? " and will be removed on " : "",
                              runner->removed_on ? runner->removed_on : "");
    finding->severity =
        runner->removed_on && left > FAR_DAYS ? WPA_SEVERITY_LOW : WPA_SEVERITY_MEDIUM;
    relate_tools(run, finding, job, runner);
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    bool has_hosted = wpa_rule_is_on_github(run);
    for (size_t i = 0; has_hosted && i < o->n_jobs; i++) {
        for (size_t k = 0; !o->jobs[i].is_self_hosted && k < o->jobs[i].n_labels; k++) {
            check_label(run, &o->jobs[i], &o->jobs[i].labels[k]);
        }
    }
    return true;
}

/* Is the label spoken of elsewhere, in a condition or in exclude, which would then miss it? */
static bool is_named_elsewhere(const wpa_rule_run *run, const subject *s)
{
    const wpa_yaml_doc *doc = run->source->yaml;
    const char *quoted = wpa_arena_printf(run->arena, "'%s'", s->label->text);
    for (const char *at = doc->source; (at = strstr(at, quoted)); at++) {
        size_t offset = (size_t)(at - doc->source);
        if (offset < s->label->node->span.start || offset >= s->label->node->span.end) {
            return true;
        }
    }
    const wpa_yaml_node *matrix = wpa_yaml_get(wpa_yaml_get(s->job->node, "strategy"), "matrix");
    const wpa_yaml_pair *exclude = wpa_yaml_find(matrix, "exclude");
    if (!exclude) {
        return false;
    }
    wpa_span span = exclude->value->span;
    return wpa_text_find(doc->source + span.start, wpa_span_length(span), s->label->text) != NULL;
}

/* A value of the same row that runs there already: the two would be alike. */
static bool is_there_already(const subject *s, const wpa_fact_runner *next)
{
    const wpa_yaml_node *row = s->label->node->parent;
    for (size_t i = 0; wpa_yaml_is(row, WPA_YAML_SEQUENCE) && i < row->n_items; i++) {
        const char *text = wpa_yaml_text(wpa_yaml_resolve(row->items[i]));
        const wpa_fact_runner *other = text ? wpa_facts_runner_find(wpa_slice_of(text)) : NULL;
        if (other && (other == next || wpa_text_is(other->alias_of, next->label))) {
            return true;
        }
    }
    return false;
}

/* Each place of the matrix that says the label: an include goes by the row's value. */
static void rename_all(wpa_rule_run *run, wpa_fix *fix, const subject *s, const char *to)
{
    for (size_t i = 0; i < s->job->n_labels; i++) {
        const wpa_outline_label *other = &s->job->labels[i];
        bool is_same = other->is_from_matrix && s->label->is_from_matrix &&
                       wpa_text_is(other->text, s->label->text);
        if (other->node == s->label->node || is_same) {
            wpa_rule_edit(run, fix, wpa_yaml_source_span(other->node, 0, other->node->length), "%s",
                          to);
        }
    }
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const subject *s = finding->subject;
    const wpa_fact_runner *next = successor_of(s->label->runner);
    if (next && !is_named_elsewhere(run, s) && !is_there_already(s, next)) {
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "run on %s", next->label);
        fix->needs = wpa_rule_needs(run, WPA_FACTS_RUNNERS);
        rename_all(run, fix, s, next->label);
    }
}

const wpa_rule wpa_rule_retired_runner = {
    .code = "CMP-004",
    .id = "retired-runner",
    .dimension = WPA_DIMENSION_COMPATIBILITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_HIGH,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "A job asks for a runner image that is removed or will be",
    .why = "Nothing takes such a job: it waits for a day and then fails.",
    .fix = "Move to the successor of the same architecture and try the job there.",
    .supersedes = (const char *const[]){"runner-label", NULL},
    .tables = 1U << WPA_FACTS_RUNNERS | 1U << WPA_FACTS_IMAGES,
    .declares = WPA_DECLARES_RUNNER | WPA_DECLARES_MATRIX,
    .check = check,
    .repair = repair,
};
