/*
 * SEC-014: an expression is put into code before the code is parsed, so what an attacker writes
 * into it is code as well.
 */
#include <ctype.h>
#include <string.h>

#include "rules/flow.h"
#include "rules/pin.h"
#include "rules/trust.h"

#define FENCES_MAX 32

/* A text that is run as code. */
typedef struct sink {
    const wpa_outline_job *job;
    const wpa_outline_step *step;
    const wpa_yaml_node *node; /* scalar */
    bool is_javascript;        /* of github-script */
    const char *what;          /* "bash code", ... */
} sink;

/* One context in one sink, with every fence that holds it. */
typedef struct subject {
    sink sink;
    const char *path;
    wpa_span fences[FENCES_MAX]; /* bytes of the decoded scalar */
    wpa_span insides[FENCES_MAX];
    size_t n;
} subject;

typedef struct level {
    wpa_severity severity;
    wpa_confidence confidence;
    wpa_persona persona;
    const char *why;
} level;

static const level nothing = {WPA_SEVERITY_LOW, WPA_CONFIDENCE_HIGH, WPA_PERSONA_AUDITOR,
                              "is put into it; nothing says that an attacker chooses it"};
static const level doubtful = {WPA_SEVERITY_LOW, WPA_CONFIDENCE_LOW, WPA_PERSONA_PEDANTIC,
                               "is put into it as text; quote it through env"};

/* ---- how bad -----------------------------------------------------------------------------------
 */

/* The trigger by which the value can come in; NULL if there is none. */
static const wpa_outline_trigger *carrier_of(const wpa_outline *o, wpa_fact_list triggers)
{
    const wpa_outline_trigger *found = NULL;
    for (size_t i = 0; i < o->n_triggers; i++) {
        const wpa_outline_trigger *t = &o->triggers[i];
        bool carries = wpa_fact_list_has(triggers, wpa_slice_of("*")) ||
                       wpa_fact_list_has(triggers, wpa_slice_of(t->name));
        bool is_worse = t->event && t->event->trust == WPA_TRUST_OUTSIDER_PRIVILEGED;
        if (carries && (!found || is_worse)) {
            found = t;
        }
    }
    return found;
}

static bool is_inherited(const wpa_outline *o)
{
    return o->trust == WPA_TRUST_INHERITED || wpa_outline_trigger_find(o, "workflow_call");
}

static level level_of_row(const wpa_outline *o, const sink *s, const wpa_fact_untrusted *row,
                          wpa_arena *arena)
{
    const wpa_outline_trigger *t = carrier_of(o, row->triggers);
    if (!t && !is_inherited(o)) {
        return nothing; /* it is empty under every trigger there is */
    }
    level l = {WPA_SEVERITY_HIGH, WPA_CONFIDENCE_HIGH, WPA_PERSONA_DEFAULT, NULL};
    bool is_guarded =
        wpa_trust_is_guarded(s->job->condition) || wpa_trust_is_guarded(s->step->condition);
    bool is_worst = t && t->event && t->event->trust == WPA_TRUST_OUTSIDER_PRIVILEGED &&
                    wpa_trust_is_privileged(o, s->job) && !is_guarded;
    if (row->taint == WPA_TAINT_STRUCTURED) {
        l.severity = WPA_SEVERITY_MEDIUM;
    } else if (is_worst) {
        l.severity = WPA_SEVERITY_CRITICAL;
    }
    if (t) {
        l.why = wpa_arena_printf(arena, "is chosen by whoever causes %s (%s)", t->name, row->shape);
    } else {
        l.confidence = WPA_CONFIDENCE_MEDIUM;
        l.why = wpa_arena_printf(arena,
                                 "is chosen by a stranger if this is called from an "
                                 "outsider's trigger (%s)",
                                 row->shape);
    }
    return l;
}

/* The declaration of an input, and the event it belongs to; NULL if there is none. */
static const wpa_yaml_node *input_of(const wpa_outline *o, const char *event, const char *name)
{
    const wpa_outline_trigger *t = wpa_outline_trigger_find(o, event);
    const wpa_yaml_node *inputs =
        t ? wpa_yaml_get(t->config, "inputs") : wpa_yaml_get(o->root, "inputs");
    const wpa_yaml_pair *pair = wpa_yaml_find_ci(inputs, name);
    return pair ? wpa_yaml_resolve(pair->value) : NULL;
}

static bool is_text_input(const wpa_yaml_node *input)
{
    const char *type = wpa_yaml_text(wpa_yaml_get(input, "type"));
    return !type || wpa_text_is(type, "string");
}

static level level_of_input(const wpa_outline *o, const char *name, bool is_action)
{
    const wpa_yaml_node *dispatched = input_of(o, "workflow_dispatch", name);
    const wpa_yaml_node *called = input_of(o, "workflow_call", name);
    if (is_action) {
        return (level){WPA_SEVERITY_MEDIUM, WPA_CONFIDENCE_MEDIUM, WPA_PERSONA_DEFAULT,
                       "is whatever a caller of this action puts in"};
    }
    if (wpa_outline_trigger_find(o, "workflow_dispatch") && dispatched &&
        is_text_input(dispatched)) {
        return (level){WPA_SEVERITY_MEDIUM, WPA_CONFIDENCE_HIGH, WPA_PERSONA_DEFAULT,
                       "is free text of whoever starts the workflow"};
    }
    if (wpa_outline_trigger_find(o, "workflow_call") && called && is_text_input(called)) {
        return (level){WPA_SEVERITY_MEDIUM, WPA_CONFIDENCE_MEDIUM, WPA_PERSONA_DEFAULT,
                       "is whatever a caller of this workflow puts in"};
    }
    return nothing;
}

/* Last parts of payload members that are ids, numbers, times and the like. */
static bool is_plain_member(const char *path)
{
    static const char *const plain[] = {"number",
                                        "id",
                                        "node_id",
                                        "sha",
                                        "after",
                                        "before",
                                        "action",
                                        "draft",
                                        "merged",
                                        "state",
                                        "url",
                                        "html_url",
                                        "size",
                                        "type",
                                        "private",
                                        "fork",
                                        "run_id",
                                        "run_number",
                                        "conclusion",
                                        "status",
                                        "event",
                                        "created_at",
                                        "updated_at",
                                        "closed_at",
                                        "merged_at",
                                        "head_sha",
                                        "merge_commit_sha",
                                        "commits",
                                        "additions",
                                        "deletions",
                                        "changed_files",
                                        "author_association",
                                        "forced",
                                        "created",
                                        "deleted",
                                        "schedule",
                                        "prerelease",
                                        "check_suite_id",
                                        "comments",
                                        "run_attempt",
                                        "upload_url",
                                        "assets_url",
                                        "pull_request",
                                        "comments_url"};
    const char *last = strrchr(path, '.');
    return wpa_text_index(last ? last + 1 : path, plain, WPA_COUNT(plain)) >= 0 ||
           wpa_text_starts(path, "github.event.repository") ||
           wpa_text_starts(path, "github.event.organization") ||
           wpa_text_starts(path, "github.event.installation") ||
           wpa_text_starts(path, "github.event.enterprise");
}

static level level_of_payload(const wpa_outline *o, const char *path)
{
    static const char *const free_text[] = {"issues",
                                            "issue_comment",
                                            "pull_request",
                                            "pull_request_target",
                                            "discussion",
                                            "discussion_comment",
                                            "pull_request_review",
                                            "pull_request_review_comment",
                                            "workflow_run",
                                            NULL};
    if (carrier_of(o, free_text) && !is_plain_member(path)) {
        return (level){WPA_SEVERITY_HIGH, WPA_CONFIDENCE_MEDIUM, WPA_PERSONA_DEFAULT,
                       "comes from an event that strangers fill"};
    }
    return nothing;
}

static const wpa_outline_step *step_by_id(const wpa_outline_job *job, const char *id, size_t length)
{
    for (size_t i = 0; i < job->n_steps; i++) {
        if (job->steps[i].id && wpa_slice_is_ci((wpa_slice){id, length}, job->steps[i].id)) {
            return &job->steps[i];
        }
    }
    return NULL;
}

/* "steps.ID.outputs.NAME" */
static level level_of_output(const sink *s, const char *path)
{
    const char *id = path + strlen("steps.");
    size_t length = strcspn(id, ".");
    const wpa_outline_step *step = step_by_id(s->job, id, length);
    const char *name = strstr(id + length, ".outputs.");
    if (wpa_text_starts(id + length, ".outcome") || wpa_text_starts(id + length, ".conclusion")) {
        return nothing;
    }
    bool is_tainted =
        step && name && step->uses.kind == WPA_OUTLINE_REPOSITORY &&
        wpa_facts_output_is_tainted(step->uses.slug, wpa_slice_of(name + strlen(".outputs.")));
    return is_tainted ? (level){WPA_SEVERITY_HIGH, WPA_CONFIDENCE_MEDIUM, WPA_PERSONA_DEFAULT,
                                "holds names of files or branches, which strangers choose"}
                      : doubtful;
}

static level level_of(wpa_rule_run *run, const sink *s, const char *path, int hops);

/* The worst of what an environment variable is set to, innermost definition first. */
static level level_of_env(wpa_rule_run *run, const sink *s, const char *name, int hops)
{
    const wpa_yaml_node *scopes[] = {s->step->node, s->job->node, run->source->outline->root};
    for (size_t i = 0; i < WPA_COUNT(scopes); i++) {
        const wpa_yaml_node *value = wpa_yaml_get(wpa_yaml_get(scopes[i], "env"), name);
        const char *text = wpa_yaml_text(value);
        size_t at = 0;
        wpa_span fence, inside;
        if (!text) {
            continue;
        }
        level worst = doubtful;
        while (wpa_flow_next_fence(text, value->length, &at, &fence, &inside)) {
            wpa_flow flow = wpa_flow_read(text + inside.start, wpa_span_length(inside), run->arena);
            for (size_t k = 0; k < flow.n; k++) {
                level l = level_of(run, s, flow.paths[k], hops + 1);
                worst = l.persona < worst.persona ? l : worst;
            }
        }
        return worst;
    }
    return doubtful;
}

static level level_of(wpa_rule_run *run, const sink *s, const char *path, int hops)
{
    const wpa_outline *o = run->source->outline;
    const wpa_fact_untrusted *row = wpa_facts_untrusted_find(wpa_slice_of(path));
    char lower[256];
    if (!wpa_text_copy(lower, sizeof lower, path) || hops > 8) {
        return nothing;
    }
    for (char *c = lower; *c; c++) {
        *c = (char)tolower((unsigned char)*c);
    }
    if (wpa_text_starts(lower, "github.event.inputs.")) {
        return level_of_input(o, path + strlen("github.event.inputs."), false);
    }
    if (wpa_text_starts(lower, "inputs.")) {
        return level_of_input(o, path + strlen("inputs."), run->source->kind == WPA_INPUT_ACTION);
    }
    if (wpa_text_starts(lower, "env.")) {
        return level_of_env(run, s, path + strlen("env."), hops);
    }
    if (wpa_text_starts(lower, "steps.")) {
        return level_of_output(s, lower);
    }
    if (wpa_text_starts(lower, "needs.")) {
        return wpa_text_ends(lower, ".result") ? nothing : doubtful;
    }
    if (wpa_text_starts(lower, "vars.")) {
        return doubtful;
    }
    if (row && row->taint != WPA_TAINT_FLOW) {
        return row->taint == WPA_TAINT_FIXED ? nothing : level_of_row(o, s, row, run->arena);
    }
    return wpa_text_starts(lower, "github.event.") ? level_of_payload(o, lower) : nothing;
}

/* ---- finding -----------------------------------------------------------------------------------
 */

static void report(wpa_rule_run *run, subject *s)
{
    level l = level_of(run, &s->sink, s->path, 0);
    wpa_span span = wpa_yaml_source_span(s->sink.node, s->insides[0].start, s->insides[0].end);
    wpa_finding *finding =
        wpa_rule_report(run, span, NULL, s, "%s reaches %s: it %s",
                        wpa_rule_quote(run, s->path, strlen(s->path)), s->sink.what, l.why);
    finding->severity = l.severity;
    finding->confidence = l.confidence;
    finding->persona = l.persona;
    for (size_t i = 1; i < s->n; i++) {
        wpa_rule_relate(run, finding,
                        wpa_yaml_source_span(s->sink.node, s->insides[i].start, s->insides[i].end),
                        "and here");
    }
}

static subject *subject_for(wpa_rule_run *run, subject **subjects, size_t *n, const sink *where,
                            const char *path)
{
    for (size_t i = 0; i < *n; i++) {
        if (wpa_text_is_ci(subjects[i]->path, path)) {
            return subjects[i];
        }
    }
    if (*n == FENCES_MAX) {
        return NULL;
    }
    subject *s = wpa_arena_alloc(run->arena, sizeof *s);
    s->sink = *where;
    s->path = path;
    return subjects[(*n)++] = s;
}

static void check_sink(wpa_rule_run *run, const sink *where)
{
    subject *subjects[FENCES_MAX];
    size_t n = 0, at = 0;
    wpa_span fence, inside;
    const wpa_yaml_node *node = where->node;
    while (wpa_flow_next_fence(node->text, node->length, &at, &fence, &inside)) {
        wpa_flow flow =
            wpa_flow_read(node->text + inside.start, wpa_span_length(inside), run->arena);
        for (size_t i = 0; i < flow.n; i++) {
            subject *s = subject_for(run, subjects, &n, where, flow.paths[i]);
            if (s && s->n < FENCES_MAX && (!s->n || s->fences[s->n - 1].start != fence.start)) {
                s->fences[s->n] = fence;
                s->insides[s->n++] = inside;
            }
        }
    }
    for (size_t i = 0; i < n; i++) {
        report(run, subjects[i]);
    }
}

static const char *code_of(wpa_shell shell)
{
    return shell == WPA_SHELL_PWSH     ? "PowerShell code"
           : shell == WPA_SHELL_PYTHON ? "Python code"
           : shell == WPA_SHELL_CMD    ? "cmd code"
                                       : "shell code";
}

static void check_step(wpa_rule_run *run, const wpa_outline_job *job, const wpa_outline_step *step)
{
    sink s = {.job = job, .step = step};
    if (step->run && step->run->text) {
        s.node = step->run;
        s.what = code_of(step->shell);
        check_sink(run, &s);
    }
    for (size_t i = 0;
         step->with && step->uses.kind == WPA_OUTLINE_REPOSITORY && i < step->with->n_pairs; i++) {
        const char *name = wpa_yaml_text(step->with->pairs[i].key);
        const wpa_yaml_node *value = wpa_yaml_resolve(step->with->pairs[i].value);
        if (name && wpa_yaml_is(value, WPA_YAML_SCALAR) &&
            wpa_facts_input_is_code(step->uses.slug, wpa_slice_of(name))) {
            s.node = value;
            s.is_javascript = wpa_outline_step_uses(step, "actions/github-script");
            s.what = s.is_javascript ? "JavaScript code" : "an input that is run as code";
            check_sink(run, &s);
        }
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    for (size_t i = 0; i < o->n_jobs; i++) {
        for (size_t k = 0; k < o->jobs[i].n_steps; k++) {
            check_step(run, &o->jobs[i], &o->jobs[i].steps[k]);
        }
    }
    return true;
}

/* ---- binding to env ----------------------------------------------------------------------------
 */

/* Variables that the runner sets to the same value anyway. */
static const char *const defaults[][2] = {
    {"github.head_ref", "GITHUB_HEAD_REF"}, {"github.ref_name", "GITHUB_REF_NAME"},
    {"github.base_ref", "GITHUB_BASE_REF"}, {"github.ref", "GITHUB_REF"},
    {"github.actor", "GITHUB_ACTOR"},       {"github.triggering_actor", "GITHUB_TRIGGERING_ACTOR"},
};

static const char *default_of(const char *expression)
{
    for (size_t i = 0; i < WPA_COUNT(defaults); i++) {
        if (wpa_text_is_ci(expression, defaults[i][0])) {
            return defaults[i][1];
        }
    }
    /* What env holds is there as a variable. */
    bool is_env = strncasecmp(expression, "env.", 4) == 0 && !strpbrk(expression, " []()*-");
    return is_env ? expression + 4 : NULL;
}

/* "ISSUE_TITLE" of "github.event.issue.title". */
static const char *name_of(wpa_rule_run *run, const char *path)
{
    static const char *const prefixes[] = {"github.event.", "github.", "env."};
    for (size_t i = 0; i < WPA_COUNT(prefixes); i++) {
        if (strncasecmp(path, prefixes[i], strlen(prefixes[i])) == 0) {
            path += strlen(prefixes[i]);
            break;
        }
    }
    char *name = wpa_arena_text(run->arena, path);
    for (char *c = name; *c; c++) {
        *c = (char)(isalnum((unsigned char)*c) ? toupper((unsigned char)*c) : '_');
    }
    bool is_bad = isdigit((unsigned char)name[0]) || wpa_text_starts(name, "GITHUB_") ||
                  wpa_text_starts(name, "RUNNER_") || !*name;
    return is_bad ? wpa_arena_printf(run->arena, "VALUE_%s", name) : name;
}

/* How the variable is written at one fence; NULL where it would not be expanded, or would be code.
 */
static const char *spelling_at(wpa_rule_run *run, const subject *s, size_t i, const char *name)
{
    const wpa_outline_step *step = s->sink.step;
    bool is_plain_start = s->sink.node->style == WPA_YAML_PLAIN && s->fences[i].start == 0;
    if (step->shell == WPA_SHELL_PWSH && !s->sink.is_javascript) {
        const char *text = s->sink.node->text;
        size_t quotes = 0;
        for (size_t k = s->fences[i].start; k > 0 && text[k - 1] != '\n'; k--) {
            quotes += text[k - 1] == '\'';
        }
        bool is_fine = quotes % 2 == 0 && !strstr(text, "@'");
        return is_fine ? wpa_arena_printf(run->arena, "${env:%s}", name) : NULL;
    }
    bool is_shell = step->shell == WPA_SHELL_BASH || step->shell == WPA_SHELL_SH;
    if (!is_shell || !step->script || !step->script->is_readable || is_plain_start) {
        return NULL;
    }
    wpa_shell_context context = (wpa_shell_context)step->script->contexts[s->fences[i].start];
    if (context == WPA_SHELL_DOUBLE || context == WPA_SHELL_HEREDOC) {
        return wpa_arena_printf(run->arena, "${%s}", name);
    }
    bool takes_quotes = s->sink.node->style != WPA_YAML_DOUBLE_QUOTED;
    return context == WPA_SHELL_PLAIN && takes_quotes
               ? wpa_arena_printf(run->arena, "\"${%s}\"", name)
               : NULL;
}

/* In JavaScript a fence that fills a string literal; *span grows by its quotes. */
static const char *spelling_in_script(wpa_rule_run *run, const subject *s, size_t i,
                                      const char *name, wpa_span *span)
{
    const char *text = s->sink.node->text;
    wpa_span fence = s->fences[i];
    if (fence.start == 0 || fence.end >= s->sink.node->length ||
        s->sink.node->style == WPA_YAML_DOUBLE_QUOTED) {
        return NULL;
    }
    char quote = text[fence.start - 1];
    if (!strchr("'\"`", quote) || text[fence.end] != quote) {
        return NULL;
    }
    *span = (wpa_span){fence.start - 1, fence.end + 1};
    return wpa_arena_printf(run->arena, "process.env.%s", name);
}

/* Is the value already bound under a name of its own? */
static const char *existing_name(const subject *s, const char *value)
{
    const wpa_yaml_node *env = s->sink.step->env;
    for (size_t i = 0; env && i < env->n_pairs; i++) {
        const char *name = wpa_yaml_text(env->pairs[i].key);
        if (name && wpa_text_is(wpa_yaml_text(env->pairs[i].value), value)) {
            return name;
        }
    }
    return NULL;
}

static const char *unique_name(wpa_rule_run *run, const subject *s, const char *name)
{
    const char *unique = name;
    for (int i = 2; s->sink.step->env && wpa_yaml_find_ci(s->sink.step->env, unique); i++) {
        unique = wpa_arena_printf(run->arena, "%s_%d", name, i);
    }
    return unique;
}

/* Is every fence of this context the same expression? */
static bool is_uniform(const subject *s)
{
    const char *text = s->sink.node->text;
    for (size_t i = 1; i < s->n; i++) {
        size_t length = wpa_span_length(s->insides[0]);
        if (wpa_span_length(s->insides[i]) != length ||
            memcmp(text + s->insides[i].start, text + s->insides[0].start, length) != 0) {
            return false;
        }
    }
    return true;
}

/* Put all fences through the variable; false, with nothing to be kept, if one of them cannot. */
static bool replace_all(wpa_rule_run *run, wpa_fix *fix, const subject *s, const char *name)
{
    for (size_t i = 0; i < s->n; i++) {
        wpa_span span = s->fences[i];
        const char *text = s->sink.is_javascript ? spelling_in_script(run, s, i, name, &span)
                                                 : spelling_at(run, s, i, name);
        if (!text) {
            return false;
        }
        wpa_rule_edit(run, fix, wpa_yaml_source_span(s->sink.node, span.start, span.end), "%s",
                      text);
    }
    return true;
}

static bool can_replace_all(wpa_rule_run *run, const subject *s)
{
    for (size_t i = 0; i < s->n; i++) {
        wpa_span span;
        if (!(s->sink.is_javascript ? spelling_in_script(run, s, i, "X", &span)
                                    : spelling_at(run, s, i, "X"))) {
            return false;
        }
    }
    return is_uniform(s) &&
           wpa_text_is(s->sink.step->run ? "run" : "with", s->sink.is_javascript ? "with" : "run");
}

static void bind(wpa_rule_run *run, wpa_fix *fix, const subject *s, const char *name,
                 const char *value)
{
    const wpa_outline_step *step = s->sink.step;
    bool is_flow = step->env && step->env->style == WPA_YAML_FLOW;
    const char *text = is_flow ? wpa_arena_printf(run->arena, "\"%s\"", value) : value;
    (void)wpa_rule_add_in(run, fix, step->node, "env", s->sink.is_javascript ? "with" : "run", name,
                          text);
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const subject *s = finding->subject;
    const char *expression = wpa_arena_slice(run->arena, s->sink.node->text + s->insides[0].start,
                                             wpa_span_length(s->insides[0]));
    bool is_awkward = strchr(expression, '"') || strchr(expression, '\n') ||
                      strstr(expression, ": ") || strstr(expression, " #");
    if (is_awkward || !can_replace_all(run, s) || finding->persona != WPA_PERSONA_DEFAULT) {
        return;
    }
    const char *value = wpa_arena_printf(run->arena, "${{ %s }}", expression);
    const char *known = default_of(expression);
    known = known ? known : existing_name(s, value);
    const char *name = known ? known : unique_name(run, s, name_of(run, s->path));
    wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE,
                                known ? "read it from %s" : "bind it to %s in env", name);
    /* Edits go in the order of the file. */
    bool is_env_first =
        !known && s->sink.step->env && s->sink.step->env->span.start < s->sink.node->span.start;
    if (is_env_first) {
        bind(run, fix, s, name, value);
    }
    if (!known && is_env_first && !fix->n_edits) {
        return;
    }
    if (!replace_all(run, fix, s, name)) {
        fix->n_edits = 0;
    } else if (!known && !is_env_first) {
        size_t n_fences = fix->n_edits;
        bind(run, fix, s, name, value);
        fix->n_edits = fix->n_edits == n_fences ? 0 : fix->n_edits; /* not bound: all or nothing */
    }
}

const wpa_rule wpa_rule_template_injection = {
    .code = "SEC-014",
    .id = "template-injection",
    .dimension = WPA_DIMENSION_SECURITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_CRITICAL,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "Text that others choose is put into code before it is parsed",
    .why = "A title such as `\"; curl ... | sh` runs as a command with the job's token.",
    .fix = "Bind the expression to an environment variable and use the variable, in quotes.",
    .elsewhere = (const char *const[]){"zizmor/template-injection", "actionlint/expression",
                                       "octoscan/expression-injection", "poutine/injection", NULL},
    .tables = 1U << WPA_FACTS_UNTRUSTED | 1U << WPA_FACTS_EVENTS,
    .declares = WPA_DECLARES_ENV | WPA_DECLARES_SCRIPT,
    .check = check,
    .repair = repair,
};
