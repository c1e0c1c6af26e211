/*
 * EFF-010: a condition whose outcome is known beforehand. C1 it is a literal; C2 it asks for an
 * event that never starts the workflow, or for the only one that does; C4 a test repeated or
 * contradicted within one chain of &&.
 */
#include <ctype.h>
#include <string.h>

#include "rules/outline.h"
#include "rules/rule.h"

#define TERMS_MAX 16

typedef struct subject {
    const wpa_yaml_node *condition;
    const wpa_yaml_node *owner; /* job or step mapping */
    bool is_true;
} subject;

typedef struct terms {
    wpa_slice items[TERMS_MAX];
    size_t n;
    bool has_or; /* somewhere at the top */
} terms;

static wpa_slice trim(wpa_slice text)
{
    while (text.length && isspace((unsigned char)text.at[0])) {
        text.at++;
        text.length--;
    }
    while (text.length && isspace((unsigned char)text.at[text.length - 1])) {
        text.length--;
    }
    return text;
}

/* The expression of a condition: inside its one fence, or the bare text. Empty if it is neither. */
static wpa_slice expression_of(const wpa_yaml_node *condition)
{
    wpa_slice text = trim((wpa_slice){condition->text, condition->length});
    const char *open = memmem(text.at, text.length, "${{", 3);
    if (!open) {
        return text;
    }
    const char *close = memmem(text.at, text.length, "}}", 2);
    bool is_whole = open == text.at && close && close + 2 == text.at + text.length;
    return is_whole ? trim((wpa_slice){text.at + 3, text.length - 5}) : (wpa_slice){text.at, 0};
}

/* Split at the && of the top level. */
static terms split(wpa_slice text)
{
    terms t = {0};
    size_t start = 0, depth = 0;
    bool is_quoted = false;
    for (size_t i = 0; i <= text.length; i++) {
        char c = i < text.length ? text.at[i] : '\0';
        char next = i + 1 < text.length ? text.at[i + 1] : '\0';
        is_quoted = is_quoted != (c == '\'');
        if (!is_quoted && (c == '(' || c == '[')) {
            depth++;
        } else if (!is_quoted && (c == ')' || c == ']') && depth) {
            depth--;
        }
        t.has_or = t.has_or || (!is_quoted && !depth && c == '|' && next == '|');
        bool is_end = i == text.length || (!is_quoted && !depth && c == '&' && next == '&');
        if (is_end && t.n < TERMS_MAX) {
            t.items[t.n++] = trim((wpa_slice){text.at + start, i - start});
            start = i + 2;
            i++;
        }
    }
    return t;
}

static const void *subject_new(wpa_rule_run *run, const wpa_yaml_node *condition,
                               const wpa_yaml_node *owner, bool is_true)
{
    subject *s = wpa_arena_alloc(run->arena, sizeof *s);
    *s = (subject){condition, owner, is_true};
    return s;
}

static bool has_comment(const wpa_yaml_node *condition)
{
    const wpa_yaml_doc *doc = condition->doc;
    size_t line = wpa_yaml_line_of(doc, condition->span.start);
    for (size_t i = 0; i < doc->n_comments; i++) {
        if (doc->comments[i].line == line || doc->comments[i].line + 1 == line) {
            return true;
        }
    }
    return false;
}

/* C1 */
static bool check_literal(wpa_rule_run *run, const wpa_yaml_node *condition,
                          const wpa_yaml_node *owner, const char *what, wpa_slice text)
{
    bool is_true = wpa_slice_is(text, "true") || wpa_slice_is(text, "success()");
    bool is_false = wpa_slice_is(text, "false");
    if (wpa_slice_is(text, "success()")) {
        return true; /* the default, written out */
    }
    if (!is_true && !is_false) {
        return false;
    }
    wpa_finding *finding = wpa_rule_report(
        run, condition->span, "C1", subject_new(run, condition, owner, is_true),
        is_true ? "this condition is always true, so it says nothing" : "this %s never runs", what);
    if (is_true || has_comment(condition)) {
        finding->severity = WPA_SEVERITY_LOW;
    }
    return true;
}

/* "push" of "github.event_name == 'push'", either way round; empty if it is no such test. */
static wpa_slice event_tested(wpa_slice term, bool *is_equal)
{
    wpa_slice none = {term.at, 0};
    const char *sign = memmem(term.at, term.length, "==", 2);
    *is_equal = sign != NULL;
    sign = sign ? sign : memmem(term.at, term.length, "!=", 2);
    if (!sign || memchr(term.at, '(', term.length)) {
        return none;
    }
    wpa_slice left = trim((wpa_slice){term.at, (size_t)(sign - term.at)});
    wpa_slice right = trim((wpa_slice){sign + 2, term.length - (size_t)(sign - term.at) - 2});
    wpa_slice value = wpa_slice_is_ci(left, "github.event_name")    ? right
                      : wpa_slice_is_ci(right, "github.event_name") ? left
                                                                    : none;
    bool is_literal = value.length >= 2 && value.at[0] == '\'' &&
                      value.at[value.length - 1] == '\'' &&
                      !memchr(value.at + 1, '\'', value.length - 2);
    return is_literal ? (wpa_slice){value.at + 1, value.length - 2} : none;
}

static bool has_trigger(const wpa_outline *o, wpa_slice event)
{
    for (size_t i = 0; i < o->n_triggers; i++) {
        if (wpa_slice_is_ci(event, o->triggers[i].name)) {
            return true;
        }
    }
    return false;
}

static wpa_span span_of(const wpa_yaml_node *condition, wpa_slice term)
{
    size_t start = (size_t)(term.at - condition->text);
    return wpa_yaml_source_span(condition, start, start + term.length);
}

/* C2. A called workflow sees its caller's event, so nothing is known there. */
static void check_event(wpa_rule_run *run, const wpa_yaml_node *condition,
                        const wpa_yaml_node *owner, const char *what, const terms *t)
{
    const wpa_outline *o = run->source->outline;
    if (!o->n_triggers || wpa_outline_trigger_find(o, "workflow_call")) {
        return;
    }
    for (size_t i = 0; i < t->n; i++) {
        bool is_equal;
        wpa_slice event = event_tested(t->items[i], &is_equal);
        if (event.length && is_equal && !has_trigger(o, event)) {
            (void)wpa_rule_report(run, span_of(condition, t->items[i]), "C2",
                                  subject_new(run, condition, owner, false),
                                  "%s never starts this workflow, so this %s never runs",
                                  wpa_rule_quote(run, event.at, event.length), what);
            return;
        }
        bool is_only = event.length && o->n_triggers == 1 && has_trigger(o, event) && is_equal;
        bool is_needless = event.length && !is_equal && !has_trigger(o, event);
        if (is_only || is_needless) {
            wpa_finding *finding = wpa_rule_report(
                run, span_of(condition, t->items[i]), "C2",
                subject_new(run, t->n == 1 ? condition : NULL, owner, t->n == 1),
                is_only ? "%s is all that starts this workflow, so the test is always true"
                        : "%s never starts this workflow, so the test is always true",
                wpa_rule_quote(run, event.at, event.length));
            finding->severity = WPA_SEVERITY_LOW;
        }
    }
}

static bool is_same(wpa_slice a, wpa_slice b)
{
    return a.length == b.length && a.length && strncasecmp(a.at, b.at, a.length) == 0;
}

/* C4: "a && a", "a == 'x' && a == 'y'". */
static void check_chain(wpa_rule_run *run, const wpa_yaml_node *condition,
                        const wpa_yaml_node *owner, const char *what, const terms *t)
{
    for (size_t i = 0; i < t->n; i++) {
        for (size_t k = 0; k < i; k++) {
            bool a_equal, b_equal;
            wpa_slice a = event_tested(t->items[k], &a_equal);
            wpa_slice b = event_tested(t->items[i], &b_equal);
            bool excludes = a.length && b.length && a_equal && b_equal && !is_same(a, b);
            if (!excludes && !is_same(t->items[i], t->items[k])) {
                continue;
            }
            wpa_finding *finding = wpa_rule_report(
                run, span_of(condition, t->items[i]), "C4",
                subject_new(run, NULL, owner, !excludes),
                excludes ? "this excludes the test in front of it: the %s never runs"
                         : "this repeats a test in front of it",
                what);
            finding->severity = excludes ? WPA_SEVERITY_MEDIUM : WPA_SEVERITY_LOW;
            wpa_rule_relate(run, finding, span_of(condition, t->items[k]), "the other test");
            return;
        }
    }
}

static void check_condition(wpa_rule_run *run, const wpa_yaml_node *condition,
                            const wpa_yaml_node *owner, const char *what)
{
    wpa_slice text = condition && condition->text ? expression_of(condition) : (wpa_slice){0};
    if (!text.length || check_literal(run, condition, owner, what, text)) {
        return;
    }
    terms t = split(text);
    if (t.has_or || t.n == TERMS_MAX) {
        return;
    }
    check_event(run, condition, owner, what, &t);
    check_chain(run, condition, owner, what, &t);
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    for (size_t i = 0; i < o->n_jobs; i++) {
        const wpa_outline_job *job = &o->jobs[i];
        check_condition(run, job->condition, job->node, "job");
        for (size_t k = 0; k < job->n_steps; k++) {
            check_condition(run, job->steps[k].condition, job->steps[k].node, "step");
        }
    }
    return true;
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const subject *s = finding->subject;
    if (!s->condition) {
        return;
    }
    bool is_step = s->owner->parent && s->owner->parent->kind == WPA_YAML_SEQUENCE;
    if (s->is_true) {
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_SAFE, "remove the condition");
        (void)wpa_rule_remove_entry(run, fix, s->condition);
    } else if (is_step && !wpa_yaml_find(s->owner, "id") && !has_comment(s->condition)) {
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "remove the dead step");
        (void)wpa_rule_remove_entry(run, fix, s->owner);
    }
}

const wpa_rule wpa_rule_constant_condition = {
    .code = "EFF-010",
    .id = "constant-condition",
    .dimension = WPA_DIMENSION_EFFICIENCY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "A condition is always true or always false",
    .why = "What looks guarded is not, or what looks as if it ran never does.",
    .fix = "Remove the condition, or the code that never runs.",
    .checks = (const char *const[]){"C1", "C2", "C4", NULL},
    .elsewhere = (const char *const[]){"actionlint/if-cond", NULL},
    .tables = 1U << WPA_FACTS_EVENTS,
    .declares = WPA_DECLARES_JOBS,
    .check = check,
    .repair = repair,
};
