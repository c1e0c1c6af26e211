/*
 * SEC-014: an expression is put into code before the code is parsed, so what an attacker writes
 * into it is code as well.
 */
#include <string.h>

#include "rules/binding.h"
#include "rules/expressions.h"
#include "rules/steps.h"
#include "rules/taint.h"
#include "rules/variables.h"

#define FENCES_MAX 256
#define SUBJECTS_MAX 256

/* A text that is run as code. */
typedef struct sink {
    wpa_site site;
    const wpa_outline_step *step;
    const wpa_yaml_node *node; /* scalar */
    bool is_javascript;        /* of github-script */
    bool is_minor;             /* no code of its own: told only if strangers choose it */
    const char *what;          /* "bash code", ... */
} sink;

/* One context in one sink, with every fence that holds it. */
typedef struct subject {
    sink sink;
    const char *path;
    bool is_inert;     /* only decides, or is made of nothing that could carry text */
    wpa_span *fences;  /* bytes of the decoded scalar */
    wpa_span *insides; /* likewise */
    size_t n, fences_capacity, insides_capacity;
} subject;

typedef struct level {
    wpa_severity severity;
    wpa_confidence confidence;
    wpa_persona persona;
} level;

/* ---- how bad -----------------------------------------------------------------------------------
 */

static const level levels[] = {
    [WPA_TAINT_NONE] = {WPA_SEVERITY_LOW, WPA_CONFIDENCE_HIGH, WPA_PERSONA_AUDITOR},
    [WPA_TAINT_UNKNOWN] = {WPA_SEVERITY_LOW, WPA_CONFIDENCE_LOW, WPA_PERSONA_PEDANTIC},
    [WPA_TAINT_OF_CALLER] = {WPA_SEVERITY_MEDIUM, WPA_CONFIDENCE_MEDIUM, WPA_PERSONA_DEFAULT},
    [WPA_TAINT_OF_DISPATCH] = {WPA_SEVERITY_MEDIUM, WPA_CONFIDENCE_HIGH, WPA_PERSONA_DEFAULT},
    [WPA_TAINT_OF_STRUCTURED] = {WPA_SEVERITY_MEDIUM, WPA_CONFIDENCE_HIGH, WPA_PERSONA_DEFAULT},
    [WPA_TAINT_OF_PAYLOAD] = {WPA_SEVERITY_HIGH, WPA_CONFIDENCE_MEDIUM, WPA_PERSONA_DEFAULT},
    [WPA_TAINT_OF_ARBITRARY] = {WPA_SEVERITY_HIGH, WPA_CONFIDENCE_HIGH, WPA_PERSONA_DEFAULT},
};

/* Labels and milestones: strangers send events that hold them, and cannot word them. */
static bool is_of_members(const wpa_taint *taint)
{
    return taint->trust.trust == WPA_TRUST_INSIDER && taint->shape &&
           wpa_text_starts(taint->shape, "text of people");
}

static level level_of(const wpa_taint *taint)
{
    level l = levels[taint->grade];
    if (taint->grade == WPA_TAINT_OF_ARBITRARY && taint->is_privileged &&
        taint->trust.trust == WPA_TRUST_OUTSIDER_PRIVILEGED) {
        l.severity = WPA_SEVERITY_CRITICAL;
    }
    if (taint->grade == WPA_TAINT_OF_STRUCTURED && taint->shape &&
        wpa_text_starts(taint->shape, "login")) {
        l.severity = WPA_SEVERITY_LOW; /* letters, digits and hyphens are no code in any shell */
    }
    if (taint->grade == WPA_TAINT_OF_ARBITRARY && is_of_members(taint)) {
        l.severity = WPA_SEVERITY_MEDIUM;
    }
    bool is_less_sure =
        taint->grade > WPA_TAINT_UNKNOWN && (taint->n_hops > 1 || taint->trust.is_assumed);
    if (is_less_sure) {
        l.confidence = WPA_CONFIDENCE_MEDIUM;
    }
    return l;
}

static const char *reason_of(wpa_rule_run *run, const subject *s, const wpa_taint *taint)
{
    const char *holder =
        wpa_text_is_ci(s->path, taint->path) || !taint->path
            ? ""
            : wpa_arena_printf(run->arena, "holds %s, which ",
                               wpa_rule_quote(run, taint->path, strlen(taint->path)));
    switch (taint->grade) {
    case WPA_TAINT_NONE:
        return "is put into it; nothing says that an attacker chooses it";
    case WPA_TAINT_UNKNOWN:
        return "is put into it as text; quote it through env";
    case WPA_TAINT_OF_CALLER:
    case WPA_TAINT_OF_DISPATCH:
        return wpa_arena_printf(run->arena, "%sis %s", holder, taint->shape);
    case WPA_TAINT_OF_STRUCTURED:
    case WPA_TAINT_OF_PAYLOAD:
    case WPA_TAINT_OF_ARBITRARY:
        break;
    }
    if (is_of_members(taint)) {
        return wpa_arena_printf(run->arena, "%sis %s", holder, taint->shape);
    }
    const char *path = taint->path ? taint->path : s->path;
    if (wpa_text_is_ci(path, "github.base_ref") || wpa_text_ends(path, ".pull_request.base.ref")) {
        return wpa_arena_printf(run->arena,
                                "%sis a branch of the repository, which whoever can push has named",
                                holder);
    }
    if (taint->trust.is_assumed || !taint->trust.event) {
        return wpa_arena_printf(run->arena,
                                "%sis chosen by a stranger if this is called from an outsider's "
                                "trigger (%s)",
                                holder, taint->shape);
    }
    return wpa_arena_printf(run->arena, "%sis chosen by whoever causes %s (%s)", holder,
                            taint->trust.event, taint->shape);
}

/* ---- finding -----------------------------------------------------------------------------------
 */

static void report(wpa_rule_run *run, subject *s)
{
    wpa_taint taint = {0};
    if (!s->is_inert) {
        taint = wpa_taint_of_path(run, &s->sink.site, s->path, WPA_TAINT_TEXT);
    }
    if (s->sink.is_minor && taint.grade < WPA_TAINT_OF_STRUCTURED) {
        return;
    }
    level l = level_of(&taint);
    if (!wpa_rule_is_wanted(run, l.persona)) {
        return;
    }
    wpa_span span = wpa_site_span(run, s->sink.node, s->insides[0].start, s->insides[0].end);
    wpa_finding *finding = wpa_rule_report(run, span, NULL, s, "%s reaches %s: it %s",
                                           wpa_rule_quote(run, s->path, strlen(s->path)),
                                           s->sink.what, reason_of(run, s, &taint));
    finding->severity = l.severity;
    finding->confidence = l.confidence;
    finding->persona = l.persona;
    wpa_taint_relate(run, finding, &taint);
    for (size_t i = 1; i < s->n; i++) {
        wpa_rule_relate(run, finding,
                        wpa_site_span(run, s->sink.node, s->insides[i].start, s->insides[i].end),
                        "and here");
    }
    wpa_rule_relate_script(run, finding, s->sink.node, span);
}

typedef struct subjects {
    subject **items;
    size_t n, capacity;
} subjects;

static subject *subject_for(wpa_rule_run *run, subjects *list, const sink *where, const char *path)
{
    for (size_t i = 0; i < list->n; i++) {
        if (wpa_text_is_ci(list->items[i]->path, path)) {
            return list->items[i];
        }
    }
    if (list->n == SUBJECTS_MAX) {
        return NULL;
    }
    subject *s = wpa_arena_alloc(run->arena, sizeof *s);
    s->sink = *where;
    s->path = path;
    list->items =
        wpa_arena_grow(run->arena, list->items, list->n, &list->capacity, sizeof *list->items);
    return list->items[list->n++] = s;
}

static void add_fence(wpa_rule_run *run, subject *s, wpa_span fence, wpa_span inside)
{
    if (!s || s->n >= FENCES_MAX || (s->n && s->fences[s->n - 1].start == fence.start)) {
        return;
    }
    s->fences = wpa_arena_grow(run->arena, s->fences, s->n, &s->fences_capacity, sizeof *s->fences);
    s->insides =
        wpa_arena_grow(run->arena, s->insides, s->n, &s->insides_capacity, sizeof *s->insides);
    s->fences[s->n] = fence;
    s->insides[s->n++] = inside;
}

/* A literal alone is what is written there. */
static bool is_literal(const char *text, size_t length)
{
    return length == 0 ||
           (text[0] == '\'' && memchr(text + 1, '\'', length - 1) == text + length - 1);
}

static void check_sink(wpa_rule_run *run, const sink *where)
{
    subjects list = {0};
    size_t at = 0;
    wpa_span fence, inside;
    const wpa_yaml_node *node = where->node;
    while (wpa_flow_next_fence(node->text, node->length, &at, &fence, &inside)) {
        const char *text = node->text + inside.start;
        size_t length = wpa_span_length(inside);
        wpa_flow flow = wpa_flow_at(where->site.source, node, inside, run->arena);
        for (size_t i = 0; i < flow.n; i++) {
            add_fence(run, subject_for(run, &list, where, flow.paths[i]), fence, inside);
        }
        if (flow.is_readable && !flow.n && !is_literal(text, length)) {
            subject *s = subject_for(run, &list, where, wpa_arena_slice(run->arena, text, length));
            if (s) {
                s->is_inert = true;
                add_fence(run, s, fence, inside);
            }
        }
    }
    for (size_t i = 0; i < list.n; i++) {
        report(run, list.items[i]);
    }
}

static const char *code_of(wpa_shell shell)
{
    return shell == WPA_SHELL_PWSH     ? "PowerShell code"
           : shell == WPA_SHELL_PYTHON ? "Python code"
           : shell == WPA_SHELL_CMD    ? "cmd code"
                                       : "shell code";
}

/* Values that name what is started rather than being code. */
static void check_minor(wpa_rule_run *run, const wpa_site *site, const wpa_yaml_node *value,
                        const char *what)
{
    if (value && wpa_outline_has_expression(wpa_yaml_text(value))) {
        sink s = {.site = *site, .step = site->step, .node = value, .what = what};
        s.is_minor = true;
        check_sink(run, &s);
    }
}

static void check_inputs(wpa_rule_run *run, const wpa_site *site)
{
    const wpa_outline_step *step = site->step;
    for (size_t i = 0; step->with && i < step->with->n_pairs; i++) {
        const char *name = wpa_yaml_text(step->with->pairs[i].key);
        const wpa_yaml_node *value = wpa_yaml_resolve(step->with->pairs[i].value);
        if (name && wpa_yaml_is(value, WPA_YAML_SCALAR) &&
            wpa_expr_open(value->text, value->length, 0) && /* few have one */
            wpa_facts_input_is_code(step->uses.slug, wpa_slice_of(name))) {
            sink s = {.site = *site, .step = step, .node = value};
            s.is_javascript = wpa_outline_step_uses(step, "actions/github-script");
            s.what = s.is_javascript ? "JavaScript code" : "an input that is run as code";
            check_sink(run, &s);
        }
    }
}

/* "docker://image" with a shell to start: its arguments are a script. */
static void check_container(wpa_rule_run *run, const wpa_site *site)
{
    const wpa_yaml_node *args = wpa_outline_with(site->step, "args");
    const char *text = wpa_yaml_text(args);
    const char *entry = wpa_outline_with_text(site->step, "entrypoint");
    bool is_shell = (entry && wpa_text_ends(entry, "sh")) || (text && strstr(text, "sh -c")) ||
                    (text && strstr(text, "sh -lc")) || (text && strstr(text, "sh -ec"));
    if (text && is_shell) {
        sink s = {.site = *site, .step = site->step, .node = args, .what = "shell code"};
        check_sink(run, &s);
    }
    check_minor(run, site, wpa_yaml_get(site->step->with, "entrypoint"),
                "the program that the container runs");
}

static void check_step(wpa_rule_run *run, const wpa_site *site)
{
    const wpa_outline_step *step = site->step;
    if (step->run && step->run->text) {
        sink s = {.site = *site, .step = step, .node = step->run, .what = code_of(step->shell)};
        check_sink(run, &s);
        check_minor(run, site, wpa_yaml_get(step->node, "shell"),
                    "the command that starts the script");
        check_minor(run, site, wpa_yaml_get(step->node, "working-directory"),
                    "the folder that it runs in");
    }
    if (step->uses.kind == WPA_OUTLINE_REPOSITORY) {
        check_inputs(run, site);
    } else if (step->uses.kind == WPA_OUTLINE_DOCKER) {
        check_container(run, site);
    }
}

/* "defaults: run:" of a job, or of the file: then for the first job that has scripts. */
static void check_defaults(wpa_rule_run *run, const wpa_site *site, const wpa_yaml_node *owner)
{
    const wpa_yaml_node *defaults = wpa_yaml_get(wpa_yaml_get(owner, "defaults"), "run");
    if (defaults) {
        check_minor(run, site, wpa_yaml_get(defaults, "shell"),
                    "the command that starts the scripts");
        check_minor(run, site, wpa_yaml_get(defaults, "working-directory"),
                    "the folder that they run in");
    }
}

static bool has_scripts(const wpa_outline_job *job)
{
    for (size_t i = 0; i < job->n_steps; i++) {
        if (job->steps[i].run) {
            return true;
        }
    }
    return false;
}

static void check_services(wpa_rule_run *run, const wpa_site *site)
{
    const wpa_yaml_node *services = wpa_yaml_get(site->job->node, "services");
    for (size_t i = 0; services && i < services->n_pairs; i++) {
        const wpa_yaml_node *service = wpa_yaml_resolve(services->pairs[i].value);
        check_minor(run, site, wpa_yaml_get(service, "image"), "the image of a service");
        check_minor(run, site, wpa_yaml_get(service, "options"), "options of the container");
    }
}

static void check_container_of(wpa_rule_run *run, const wpa_site *site)
{
    const wpa_yaml_node *container = wpa_yaml_get(site->job->node, "container");
    if (wpa_yaml_is(container, WPA_YAML_SCALAR)) {
        check_minor(run, site, container, "the image that the job runs in");
    } else if (container) {
        check_minor(run, site, wpa_yaml_get(container, "image"), "the image that the job runs in");
        check_minor(run, site, wpa_yaml_get(container, "options"), "options of the container");
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    bool has_defaults = false; /* those of the file have been looked at */
    wpa_rule_visits visits = {.mark = wpa_rule_here(run)};
    size_t next = 0; /* expression */
    for (size_t i = 0; i < o->n_jobs; i++) {
        wpa_site site = {.source = run->source, .job = &o->jobs[i]};
        check_services(run, &site);
        bool is_first = !has_defaults && o->jobs[i].key && has_scripts(&o->jobs[i]);
        if (is_first) {
            check_defaults(run, &site, o->root);
            has_defaults = true;
        }
        check_defaults(run, &site, o->jobs[i].key ? o->jobs[i].node : NULL);
        check_container_of(run, &site);
        for (size_t k = 0; k < o->jobs[i].n_steps; k++) {
            site.step = &o->jobs[i].steps[k];
            if (wpa_expressions_may_be_in(run->source->expressions, site.step->node, &next)) {
                check_step(run, &site);
                wpa_rule_end_visit(run, &visits);
            }
        }
    }
    return true;
}

/* ---- binding to env ----------------------------------------------------------------------------
 */

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

static const char *spelling_at(wpa_rule_run *run, const subject *s, size_t i, const char *name,
                               wpa_span *span)
{
    wpa_binding binding = {s->sink.step, s->sink.node, s->sink.is_javascript,
                           s->path,      s->fences[i], s->insides[i]};
    return wpa_binding_spell(run, &binding, name, span);
}

/* Put all fences through the variable; false, with nothing to be kept, if one of them cannot. */
static bool replace_all(wpa_rule_run *run, wpa_fix *fix, const subject *s, const char *name)
{
    for (size_t i = 0; i < s->n; i++) {
        wpa_span span;
        const char *text = spelling_at(run, s, i, name, &span);
        if (!text) {
            return false;
        }
        wpa_rule_edit(run, fix, wpa_site_span(run, s->sink.node, span.start, span.end), "%s", text);
    }
    return true;
}

static bool can_replace_all(wpa_rule_run *run, const subject *s)
{
    if (!s->sink.step) {
        return false;
    }
    for (size_t i = 0; i < s->n; i++) {
        wpa_span span;
        if (!spelling_at(run, s, i, "X", &span)) {
            return false;
        }
    }
    bool is_code =
        s->sink.step && !s->sink.is_minor && (s->sink.step->run != NULL) == !s->sink.is_javascript;
    return is_code && is_uniform(s);
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
    const char *known = wpa_variable_set(expression);
    known = known ? known : existing_name(s, value);
    const char *name = known ? known : unique_name(run, s, wpa_variable_name(s->path, run->arena));
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
