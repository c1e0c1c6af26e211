/* SEC-003: a token that may do more than the workflow does. */
#include <string.h>

#include "rules/needs.h"
#include "rules/pin.h"

typedef enum shape {
    SHAPE_ABSENT, /* X1 */
    SHAPE_VALUE,  /* X2, X3: write-all, read-all */
    SHAPE_SCOPE   /* X4, X5 */
} shape;

typedef struct subject {
    shape shape;
    const wpa_yaml_node *value; /* of the permissions, or of the scope */
    const wpa_outline_job *job; /* NULL at workflow level */
} subject;

static const void *subject_new(wpa_rule_run *run, shape what, const wpa_yaml_node *value,
                               const wpa_outline_job *job)
{
    subject *s = wpa_arena_alloc(run->arena, sizeof *s);
    *s = (subject){what, value, job};
    return s;
}

static wpa_severity severity_named(const char *name)
{
    return wpa_text_is(name, "high")     ? WPA_SEVERITY_HIGH
           : wpa_text_is(name, "medium") ? WPA_SEVERITY_MEDIUM
                                         : WPA_SEVERITY_LOW;
}

static const char *const call_only[] = {"workflow_call", NULL};

/* X1: nothing said at all. */
static void check_absent(wpa_rule_run *run, const wpa_outline *o)
{
    const wpa_yaml_pair *jobs = wpa_yaml_find(o->root, "jobs");
    const wpa_outline_job *without = NULL;
    size_t n_without = 0;
    for (size_t i = 0; i < o->n_jobs; i++) {
        if (!wpa_yaml_find(o->jobs[i].node, "permissions")) {
            without = without ? without : &o->jobs[i];
            n_without++;
        }
    }
    if (!jobs) {
        return;
    }
    bool is_open = o->trust == WPA_TRUST_OUTSIDER_PRIVILEGED;
    bool is_minor =
        !without || (o->n_jobs == 1 && !is_open) || wpa_outline_only_triggers(o, call_only);
    if (is_minor && !wpa_rule_is_wanted(run, WPA_PERSONA_PEDANTIC)) {
        return;
    }
    if (!without) {
        wpa_finding *finding = wpa_rule_report(
            run, jobs->key->span, "X1", subject_new(run, SHAPE_ABSENT, jobs->value, NULL),
            "each job sets its permissions, but one that is added runs with whatever the "
            "repository's default is, often write");
        finding->severity = WPA_SEVERITY_MEDIUM;
        finding->confidence = WPA_CONFIDENCE_MEDIUM;
        finding->persona = WPA_PERSONA_PEDANTIC;
        wpa_rule_relate(run, finding, o->root->pairs[0].key->span, "nothing is said here");
        return;
    }
    wpa_finding *finding = wpa_rule_report(
        run, jobs->key->span, "X1", subject_new(run, SHAPE_ABSENT, jobs->value, NULL),
        "no permissions are set: job %s%s with whatever the repository's default is, often write",
        wpa_rule_quote(run, without->id, strlen(without->id)),
        n_without > 1 ? " and others run" : " runs");
    finding->severity = is_open ? WPA_SEVERITY_HIGH : WPA_SEVERITY_MEDIUM;
    finding->confidence = WPA_CONFIDENCE_MEDIUM;
    for (size_t i = 0; i < o->n_jobs; i++) {
        if (!wpa_yaml_find(o->jobs[i].node, "permissions")) {
            wpa_rule_relate(run, finding, o->jobs[i].key->span, "has none of its own");
        }
    }
    wpa_rule_relate(run, finding, o->root->pairs[0].key->span, "nor has the workflow");
    if (is_minor) {
        finding->persona = WPA_PERSONA_PEDANTIC;
    }
}

/* How many jobs take their permissions from the workflow. */
static size_t count_inheriting(const wpa_outline *o)
{
    size_t n = 0;
    for (size_t i = 0; i < o->n_jobs; i++) {
        n += !wpa_yaml_find(o->jobs[i].node, "permissions");
    }
    return n;
}

/* X2, X3: write-all and read-all, at either level. */
static void check_value(wpa_rule_run *run, const wpa_yaml_node *value, const wpa_outline_job *job)
{
    const char *text = wpa_yaml_text(value);
    const wpa_outline *o = run->source->outline;
    size_t n_inheriting = count_inheriting(o);
    bool is_of_none = !job && n_inheriting == 0;
    const char *whose = job                        ? "the job"
                        : is_of_none               ? "a job that is added (each here sets its own)"
                        : n_inheriting < o->n_jobs ? "every job without permissions of its own"
                                                   : "every job";
    wpa_finding *finding = NULL;
    if (wpa_text_is(text, "write-all")) {
        finding = wpa_rule_report(
            run, value->span, "X2", subject_new(run, SHAPE_VALUE, value, job),
            "write-all lets every step of %s change everything in the repository", whose);
    } else if (wpa_text_is(text, "read-all")) {
        finding = wpa_rule_report(
            run, value->span, "X3", subject_new(run, SHAPE_VALUE, value, job),
            "read-all lets every step of %s read everything, security alerts too", whose);
        finding->severity = WPA_SEVERITY_MEDIUM;
    }
    if (finding && is_of_none) {
        finding->persona = WPA_PERSONA_PEDANTIC;
    }
}

/** Who they are, in words. */
static const char *takers_of(wpa_rule_run *run, size_t n_inheriting)
{
    switch (n_inheriting) {
    case 0:
        return "the whole workflow: no job takes it now, but each that is added will";
    case 1:
        return "the whole workflow: one job takes it now, and each that is added will";
    case 2:
        return "both jobs that set no permissions of their own";
    default:
        return wpa_arena_printf(run->arena, "all %zu jobs that set no permissions of their own",
                                n_inheriting);
    }
}

/* X4: a write scope for all jobs that few of them need. */
static void check_shared(wpa_rule_run *run, const wpa_outline *o, const wpa_yaml_node *scopes)
{
    size_t n_inheriting = count_inheriting(o);
    bool is_minor = n_inheriting <= 1 || wpa_outline_only_triggers(o, call_only);
    if (is_minor && !wpa_rule_is_wanted(run, WPA_PERSONA_PEDANTIC)) {
        return;
    }
    for (size_t i = 0; i < scopes->n_pairs; i++) {
        const wpa_yaml_pair *pair = &scopes->pairs[i];
        const char *name = wpa_yaml_text(pair->key);
        const wpa_fact_permission *scope =
            name ? wpa_facts_permission_find(wpa_slice_of(name)) : NULL;
        if (!scope || !wpa_text_is(wpa_yaml_text(pair->value), "write")) {
            continue;
        }
        wpa_finding *finding = wpa_rule_report(
            run, pair->key->span, "X4", subject_new(run, SHAPE_SCOPE, pair->value, NULL),
            "'%s: write' is given to %s%s", name, takers_of(run, n_inheriting),
            n_inheriting > 1 ? ", needed or not" : "");
        finding->severity = severity_named(scope->write_severity);
        if (is_minor) {
            finding->persona = WPA_PERSONA_PEDANTIC;
        }
    }
}

/* X5: a job's scope that no step needs, when every step is known. */
static void check_unneeded(wpa_rule_run *run, const wpa_outline_job *job,
                           const wpa_yaml_node *scopes)
{
    wpa_needs needs = {.is_complete = true};
    wpa_needs_add_job(&needs, job);
    for (size_t i = 0; needs.is_complete && i < scopes->n_pairs; i++) {
        const wpa_yaml_pair *pair = &scopes->pairs[i];
        const char *name = wpa_yaml_text(pair->key), *level = wpa_yaml_text(pair->value);
        if (!name || !wpa_text_is(level, "write") ||
            !wpa_facts_permission_find(wpa_slice_of(name))) {
            continue;
        }
        bool is_needed = false;
        for (size_t k = 0; k < needs.n; k++) {
            is_needed = is_needed || (wpa_text_starts(needs.scopes[k], name) &&
                                      wpa_text_is(needs.scopes[k] + strlen(name), ": write"));
        }
        if (!is_needed) {
            wpa_finding *finding = wpa_rule_report(
                run, pair->key->span, "X5", subject_new(run, SHAPE_SCOPE, pair->value, job),
                "no step of job %s is known to need '%s: write'",
                wpa_rule_quote(run, job->id, strlen(job->id)), name);
            finding->severity = WPA_SEVERITY_LOW;
            finding->confidence = WPA_CONFIDENCE_MEDIUM;
            finding->persona = WPA_PERSONA_PEDANTIC;
        }
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    const wpa_yaml_pair *pair = wpa_yaml_find(o->root, "permissions");
    if (!pair && !run->source->is_partial) {
        check_absent(run, o);
    } else if (pair && wpa_yaml_is(pair->value, WPA_YAML_MAPPING)) {
        check_shared(run, o, wpa_yaml_resolve(pair->value));
    } else if (pair) {
        check_value(run, wpa_yaml_resolve(pair->value), NULL);
    }
    for (size_t i = 0; i < o->n_jobs; i++) {
        const wpa_yaml_node *value = wpa_yaml_get(o->jobs[i].node, "permissions");
        if (wpa_yaml_is(value, WPA_YAML_MAPPING)) {
            if (wpa_rule_is_wanted(run, WPA_PERSONA_PEDANTIC)) {
                check_unneeded(run, &o->jobs[i], value);
            }
        } else if (value) {
            check_value(run, value, &o->jobs[i]);
        }
    }
    return true;
}

static bool is_read_contents(const wpa_needs *needs)
{
    return needs->n == 0 || (needs->n == 1 && wpa_text_is(needs->scopes[0], "contents: read"));
}

/* Reading for all; a job that needs more says so itself. */
static void repair_absent(wpa_rule_run *run, wpa_finding *finding, const subject *s)
{
    const wpa_outline *o = run->source->outline;
    wpa_needs all = wpa_needs_of(o);
    wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "set the permissions that %s",
                                all.is_complete ? "the steps need"
                                                : "the known steps need; look at the others");
    fix->needs = wpa_rule_needs(run, WPA_FACTS_PERMISSIONS);
    bool is_alone = o->n_jobs == 1 && all.n && !wpa_yaml_find(o->jobs[0].node, "permissions");
    bool is_covered = count_inheriting(o) == 0;
    if (!wpa_rule_insert_section(run, fix, s->value,
                                 is_alone     ? wpa_needs_text(&all, run->arena)
                                 : is_covered ? "permissions: {}"
                                              : "permissions:\n  contents: read")) {
        return;
    }
    for (size_t i = 0; !is_alone && i < o->n_jobs; i++) {
        wpa_needs needs = {.is_complete = true};
        wpa_needs_add_job(&needs, &o->jobs[i]);
        const wpa_yaml_pair *runs_on = wpa_yaml_find(o->jobs[i].node, "runs-on");
        if (runs_on && !is_read_contents(&needs) &&
            !wpa_yaml_find(o->jobs[i].node, "permissions")) {
            (void)wpa_rule_insert_behind(run, fix, runs_on->value, "%s",
                                         wpa_needs_text(&needs, run->arena));
        }
    }
}

/* "write-all" becomes the scopes proved by the table, if every step is known. */
static void repair_value(wpa_rule_run *run, wpa_finding *finding, const subject *s)
{
    wpa_needs needs = {.is_complete = true};
    if (s->job) {
        wpa_needs_add_job(&needs, s->job);
    } else {
        needs = wpa_needs_of(run->source->outline);
    }
    const wpa_yaml_node *value = s->value;
    bool is_block = value->key && value->parent->style == WPA_YAML_BLOCK;
    if (!needs.is_complete || !is_block) {
        return;
    }
    wpa_fix *fix =
        wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "set the permissions that the steps need");
    fix->needs = wpa_rule_needs(run, WPA_FACTS_PERMISSIONS);
    if (!needs.n) {
        wpa_rule_edit(run, fix, value->span, "{}");
        return;
    }
    const char *text = wpa_needs_text(&needs, run->arena) + strlen("permissions:\n");
    size_t indent = wpa_yaml_position(value->doc, value->key->span.start).column - 1;
    const char *line_break = value->doc->has_crlf ? "\r\n" : "\n";
    char *lines = wpa_arena_text(run->arena, "");
    while (*text) {
        size_t length = strcspn(text, "\n");
        lines = wpa_arena_printf(run->arena, "%s%s%*s%.*s", lines, line_break, (int)indent, "",
                                 (int)length, text);
        text += length + (text[length] == '\n');
    }
    size_t start = value->key->span.end + 1; /* behind the colon */
    wpa_rule_edit(run, fix, (wpa_span){start, value->span.end}, "%s", lines);
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const subject *s = finding->subject;
    switch (s->shape) {
    case SHAPE_ABSENT:
        repair_absent(run, finding, s);
        break;
    case SHAPE_VALUE:
        repair_value(run, finding, s);
        break;
    case SHAPE_SCOPE:
        break; /* which job needs it, a person must say */
    }
}

const wpa_rule wpa_rule_excessive_permissions = {
    .code = "SEC-003",
    .id = "excessive-permissions",
    .dimension = WPA_DIMENSION_SECURITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_HIGH,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW,
    .summary = "The token may do more than the workflow needs",
    .why = "Whoever gets a foot into one step, by an action or by input, has all of it.",
    .fix = "Set permissions: contents: read for the workflow and add to single jobs what they "
           "need.",
    .checks = (const char *const[]){"X1", "X2", "X3", "X4", "X5", NULL},
    .elsewhere = (const char *const[]){"zizmor/excessive-permissions",
                                       "poutine/default_permissions_on_risky_events", NULL},
    .declares = WPA_DECLARES_PERMISSIONS,
    .tables = 1U << WPA_FACTS_PERMISSIONS,
    .check = check,
    .repair = repair,
};
