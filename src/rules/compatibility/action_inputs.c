/* CMP-009: inputs that an action does not take, needs, or no longer wants. */
#include <string.h>

#include "rules/graph.h"
#include "rules/upgrade.h"

#define STALE_DAYS 180
#define NAMES_MAX 1000

typedef struct subject {
    const wpa_yaml_node *key;
    const char *near; /* the input that was meant, or NULL */
} subject;

/* The only input one edit away that is not given already, or NULL. */
static const char *find_near(const wpa_outline_step *step, const wpa_fact_major *major,
                             const char *name)
{
    const char *near = NULL;
    for (size_t i = 0; i < major->n_inputs; i++) {
        wpa_fact_input input = wpa_facts_input_at(major, i);
        if (wpa_rule_is_one_edit(wpa_slice_of(name), input.name) &&
            !wpa_outline_with(step, input.name)) {
            if (near) {
                return NULL;
            }
            near = input.name;
        }
    }
    return near;
}

static const char *const *names_of(wpa_rule_run *run, const wpa_fact_major *major)
{
    const char **names = wpa_arena_array(run->arena, major->n_inputs + 1, sizeof *names);
    for (size_t i = 0; i < major->n_inputs; i++) {
        names[i] = wpa_facts_input_at(major, i).name;
    }
    return names;
}

/* A release that came after what the inputs were read from may have more of them. */
static bool is_beyond_metadata(const wpa_fact_use *fact)
{
    wpa_version read;
    const char *metadata = fact->has_major ? fact->major.metadata : NULL;
    return metadata && fact->has_version && fact->version.n_parts >= 3 &&
           wpa_version_parse(wpa_slice_of(metadata), &read) &&
           wpa_version_compare(&fact->version, &read) > 0;
}

/* A moving tag of a repository that was last looked at long ago may have got inputs since. */
static bool may_be_stale(const wpa_outline_uses *uses)
{
    wpa_version version;
    if (is_beyond_metadata(uses->fact)) {
        return true;
    }
    int64_t age = wpa_facts_days(wpa_facts_date(WPA_FACTS_ACTIONS)) -
                  wpa_facts_days(wpa_facts_repo_date(uses->fact->repo));
    bool is_moving = !wpa_version_parse(uses->ref, &version) || version.n_parts < 3;
    return uses->fact->pin != WPA_PIN_COMMIT && is_moving && age > STALE_DAYS;
}

/** Does a key of "with" stand for inputs that an expression gives? Any may be among them. */
static bool has_computed_key(const wpa_outline_step *step)
{
    for (size_t i = 0; step->with && i < step->with->n_pairs; i++) {
        if (wpa_outline_has_expression(wpa_yaml_text(step->with->pairs[i].key))) {
            return true;
        }
    }
    return false;
}

/* "core.getInput('x')": a script of github-script reads whatever inputs it likes. */
static bool is_read_by_script(const wpa_outline_step *step, const char *name)
{
    const char *text = wpa_outline_with_text(step, "script");
    return text && strstr(text, "getInput") && strstr(text, name);
}

static void check_given(wpa_rule_run *run, const wpa_outline_step *step,
                        const wpa_fact_major *major, const wpa_yaml_node *key)
{
    const char *name = wpa_yaml_text(key);
    wpa_fact_input input;
    bool is_docker_own = wpa_text_is(major->using, "docker") &&
                         (wpa_text_is_ci(name, "args") || wpa_text_is_ci(name, "entrypoint"));
    if (!name || is_docker_own || wpa_text_is(name, "<<")) {
        return;
    }
    wpa_slice slice = {name, wpa_yaml_resolve(key)->length};
    if (!wpa_facts_input_find(major, slice, &input)) {
        if (wpa_outline_has_expression(name) || is_read_by_script(step, name)) {
            return;
        }
        subject *s = wpa_arena_alloc(run->arena, sizeof *s);
        *s = (subject){key, find_near(step, major, name)};
        const char *const *names = names_of(run, major);
        const char *meant = s->near ? s->near : wpa_text_nearest(name, names, major->n_inputs);
        wpa_finding *finding = wpa_rule_report(
            run, key->span, "I1", s, "%s has no input %s, so it is ignored%s",
            wpa_rule_quote_uses(run, &step->uses), wpa_rule_quote(run, name, strlen(name)),
            wpa_rule_hint(meant, names, run->arena));
        if (may_be_stale(&step->uses)) {
            finding->severity = WPA_SEVERITY_LOW;
            finding->confidence = WPA_CONFIDENCE_MEDIUM;
        }
    } else if (input.deprecated) {
        wpa_finding *finding = wpa_rule_report(
            run, key->span, "I3", NULL, "input %s of %s is deprecated: %s",
            wpa_rule_quote(run, name, strlen(name)), wpa_rule_quote_uses(run, &step->uses),
            wpa_text_ellipsis(run->arena, input.deprecated, 120));
        finding->severity = WPA_SEVERITY_LOW;
    }
}

/* ---- what inputs accept (I4) ------------------------------------------------------------------*/

typedef struct misfit {
    const wpa_yaml_node *value;
    const char *meant; /* NULL: cannot be told */
    bool is_spelt;     /* the same word, by another spelling */
} misfit;

static bool accepts(const wpa_fact_values *row, const char *text)
{
    int64_t count;
    if (row->kind == WPA_VALUE_COUNT) {
        return wpa_text_to_int(text, INT64_MIN, INT64_MAX, &count); /* -1: no limit */
    }
    bool is_one = false;
    for (size_t i = 0; row->words[i] && !is_one; i++) {
        is_one = wpa_text_is_ci(row->words[i], text);
    }
    return is_one;
}

static const char *show_words(wpa_rule_run *run, const wpa_fact_values *row)
{
    const char *text = "";
    for (size_t i = 0; row->kind != WPA_VALUE_COUNT && row->words[i]; i++) {
        text = wpa_arena_printf(run->arena, "%s%s%s", text, i ? ", " : "", row->words[i]);
    }
    return row->kind == WPA_VALUE_COUNT ? "a whole number" : text;
}

/* "yes" where only true and false are read. */
static const char *boolean_of(const char *text)
{
    static const char *const words[][2] = {{"yes", "true"}, {"on", "true"},   {"1", "true"},
                                           {"no", "false"}, {"off", "false"}, {"0", "false"}};
    const char *meant = NULL;
    for (size_t i = 0; i < WPA_COUNT(words) && !meant; i++) {
        meant = wpa_text_is_ci(words[i][0], text) ? words[i][1] : NULL;
    }
    return meant;
}

static void check_value(wpa_rule_run *run, const wpa_outline_step *step, const wpa_fact_values *row)
{
    const wpa_yaml_node *value = wpa_yaml_resolve(wpa_outline_with(step, row->input));
    const char *text = wpa_yaml_text(value);
    bool is_nothing = !text || !text[strspn(text, " \n")] || wpa_yaml_is_null(value);
    if (is_nothing || value->is_incomplete || wpa_outline_has_expression(text) ||
        accepts(row, text)) {
        return;
    }
    misfit *m = wpa_arena_alloc(run->arena, sizeof *m);
    const char *near = row->kind == WPA_VALUE_COUNT ? NULL : wpa_rule_find_meant(text, row->words);
    *m = (misfit){value, near, near != NULL};
    m->meant = !near && row->kind == WPA_VALUE_BOOLEAN ? boolean_of(text) : near;
    (void)wpa_rule_report(run, value->span, "I4", m,
                          "input '%s' of %s takes %s, and not %s: the step fails, or goes on as if "
                          "nothing was given",
                          row->input, wpa_rule_quote_uses(run, &step->uses), show_words(run, row),
                          wpa_rule_quote(run, text, strlen(text)));
}

static void check_values(wpa_rule_run *run, const wpa_outline_step *step)
{
    const wpa_fact_use *fact = step->uses.fact;
    for (size_t i = 0; step->with && i < fact->n_values; i++) {
        check_value(run, step, &fact->values[i]);
    }
}

/* ---- actions that the tables know ---- */

static void check_step(wpa_rule_run *run, const wpa_outline_step *step)
{
    if (step->uses.kind != WPA_OUTLINE_REPOSITORY) {
        return;
    }
    check_values(run, step);
    const wpa_fact_use *fact = step->uses.fact;
    bool with_is_open = !step->with && wpa_yaml_find(step->node, "with");
    if (!fact->has_major || !fact->commit || with_is_open) {
        return; /* a version that the tables do not know may take other inputs */
    }
    const wpa_fact_major *major = &fact->major;
    for (size_t i = 0; step->with && i < step->with->n_pairs; i++) {
        check_given(run, step, major, step->with->pairs[i].key);
    }
    for (size_t i = 0; major->wants_input && i < major->n_inputs; i++) {
        wpa_fact_input input = wpa_facts_input_at(major, i);
        if (input.is_required && !input.has_default && !input.deprecated &&
            !wpa_outline_with(step, input.name) && !wpa_yaml_find_ci(step->with, input.name) &&
            !has_computed_key(step)) {
            (void)wpa_rule_report(run, step->uses.span, "I2", NULL,
                                  "%s needs input '%s', which is not given",
                                  wpa_rule_quote_uses(run, &step->uses), input.name);
        }
    }
}

/* ---- actions of this repository ---------------------------------------------------------------*/

static void check_local_given(wpa_rule_run *run, const wpa_outline_step *step,
                              const wpa_source *action, const wpa_yaml_node *inputs,
                              const wpa_yaml_node *key)
{
    const char *name = wpa_yaml_text(key);
    const char *using =
        wpa_yaml_text(wpa_yaml_get(wpa_yaml_get(action->outline->root, "runs"), "using"));
    bool is_docker_own = wpa_text_is_ci(using, "docker") &&
                         (wpa_text_is_ci(name, "args") || wpa_text_is_ci(name, "entrypoint"));
    if (!name || is_docker_own || wpa_text_is(name, "<<")) {
        return;
    }
    const wpa_yaml_pair *declared = wpa_yaml_find_ci(inputs, name);
    const char *message =
        declared ? wpa_yaml_text(wpa_yaml_get(declared->value, "deprecationMessage")) : NULL;
    const char *uses = wpa_rule_quote(run, step->uses.node->text, step->uses.node->length);
    if (declared && message && *message) {
        wpa_finding *finding =
            wpa_rule_report(run, key->span, "I3", NULL, "input %s of %s is deprecated: %s",
                            wpa_rule_quote(run, name, strlen(name)), uses,
                            wpa_text_ellipsis(run->arena, message, 120));
        finding->severity = WPA_SEVERITY_LOW;
        wpa_rule_relate_in(run, finding, action, declared->key->span, "declared here");
    }
    if (declared || wpa_outline_has_expression(name) || is_read_by_script(step, name)) {
        return;
    }
    size_t n = wpa_yaml_is(inputs, WPA_YAML_MAPPING) ? inputs->n_pairs : 0, n_names = 0, n_open = 0;
    const char **names = wpa_arena_array(run->arena, n + 1, sizeof *names);
    const char **open = wpa_arena_array(run->arena, n + 1, sizeof *open); /* not given as well */
    for (size_t i = 0; i < n; i++) {
        const char *other = wpa_yaml_text(inputs->pairs[i].key);
        if (other) {
            names[n_names++] = other;
        }
        if (other && !wpa_outline_with(step, other)) {
            open[n_open++] = other;
        }
    }
    subject *s = wpa_arena_alloc(run->arena, sizeof *s);
    *s = (subject){key, wpa_rule_find_meant(name, open)};
    const char *near = s->near ? s->near : wpa_text_nearest(name, open, n_open);
    (void)wpa_rule_report(run, key->span, "I1", s, "%s has no input %s, so it is ignored%s", uses,
                          wpa_rule_quote(run, name, strlen(name)),
                          wpa_rule_hint(near, names, run->arena));
}

static void check_local(wpa_rule_run *run, const wpa_outline_step *step)
{
    const wpa_surroundings *around = run->source->around;
    const char *text = wpa_yaml_text(step->uses.node);
    const wpa_graph_file *file =
        around ? wpa_graph_used(around->graph, &step->uses, run->arena) : NULL;
    const wpa_source *action =
        file && file->kind == WPA_INPUT_ACTION ? wpa_rule_source_at(run, file->path) : NULL;
    bool with_is_open = wpa_yaml_find(step->node, "with") && !step->with;
    if (!action || !action->yaml || action->is_partial || with_is_open) {
        return;
    }
    const wpa_yaml_node *inputs = wpa_yaml_get(action->outline->root, "inputs");
    if ((inputs && inputs->n_pairs > NAMES_MAX) ||
        (step->with && step->with->n_pairs > NAMES_MAX)) {
        return; /* each name is compared with all others */
    }
    for (size_t i = 0; step->with && i < step->with->n_pairs; i++) {
        check_local_given(run, step, action, inputs, step->with->pairs[i].key);
    }
    for (size_t i = 0; wpa_yaml_is(inputs, WPA_YAML_MAPPING) && i < inputs->n_pairs; i++) {
        const wpa_yaml_node *input = wpa_yaml_resolve(inputs->pairs[i].value);
        const char *name = wpa_yaml_text(inputs->pairs[i].key);
        bool is_required = wpa_text_is(wpa_yaml_text(wpa_yaml_get(input, "required")), "true") &&
                           !wpa_yaml_find(input, "default") &&
                           !wpa_yaml_find(input, "deprecationMessage");
        if (name && is_required && !wpa_yaml_find_ci(step->with, name) && !has_computed_key(step)) {
            wpa_finding *finding = wpa_rule_report(
                run, step->uses.span, "I2", NULL, "%s needs input %s, which is not given",
                wpa_rule_quote(run, text, strlen(text)), wpa_rule_quote(run, name, strlen(name)));
            wpa_rule_relate_in(run, finding, action, inputs->pairs[i].key->span, "declared here");
        }
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    for (size_t i = 0; i < o->n_users; i++) {
        const wpa_outline_step *step = o->users[i].step;
        if (step) {
            check_step(run, step);
            check_local(run, step);
        }
    }
    return true;
}

static void repair_value(wpa_rule_run *run, wpa_finding *finding)
{
    const misfit *m = finding->subject;
    if (m->meant) {
        wpa_fix *fix = wpa_rule_fix(run, finding, m->is_spelt ? WPA_FIX_SAFE : WPA_FIX_UNSAFE,
                                    "write %s", m->meant);
        fix->needs = wpa_rule_needs(run, WPA_FACTS_VALUES);
        wpa_rule_edit(run, fix, wpa_yaml_source_span(m->value, 0, m->value->length), "%s",
                      m->meant);
    }
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    if (wpa_text_is(finding->check, "I4")) {
        repair_value(run, finding);
        return;
    }
    const subject *s = finding->subject;
    if (s && s->near) {
        wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_SAFE, "call the input %s", s->near);
        fix->needs = wpa_rule_needs(run, WPA_FACTS_ACTIONS);
        wpa_rule_edit(run, fix, wpa_yaml_source_span(s->key, 0, s->key->length), "%s", s->near);
    }
}

const wpa_rule wpa_rule_action_inputs = {
    .code = "CMP-009",
    .id = "action-inputs",
    .dimension = WPA_DIMENSION_COMPATIBILITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_MEDIUM,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "An action is given an input it does not take, or lacks one it needs",
    .why = "An unknown input is ignored with a warning that nobody reads; a missing one fails the "
           "step.",
    .fix = "Name the input as the action's own file does at that version.",
    .checks = (const char *const[]){"I1", "I2", "I3", "I4", NULL},
    .elsewhere = (const char *const[]){"actionlint/action", NULL},
    .tables = 1U << WPA_FACTS_ACTIONS | 1U << WPA_FACTS_VALUES,
    .declares = WPA_DECLARES_SCRIPT, /* what a step does with its inputs */
    .check = check,
    .repair = repair,
};
