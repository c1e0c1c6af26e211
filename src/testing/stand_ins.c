/* One version of a step's script: values that only a run would have are stood in for. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include <wpa/buf.h>
#include <wpa/file.h>
#include <wpa/text.h>

#include "expr/expr.h"
#include "testing/trials.h"

#define TEXT_MAX_BYTES ((size_t)256 * 1024)
#define VARIABLES_MAX 200
#define WORK_FOLDER "/tmp/work"
#define TEMP_FOLDER "/tmp/temp"

/* ---- variables ---- */

static wpa_trial_variable *find_variable(const wpa_trial *trial, const char *name)
{
    for (size_t i = 0; i < trial->n_variables; i++) {
        if (wpa_text_is(trial->variables[i].name, name)) {
            return &trial->variables[i];
        }
    }
    return NULL;
}

static void set_variable(wpa_trial *trial, const char *name, const char *value, wpa_arena *arena)
{
    wpa_trial_variable *old = find_variable(trial, name);
    if (old) {
        old->value = value;
    } else if (trial->n_variables < VARIABLES_MAX) {
        trial->variables = wpa_arena_grow(arena, trial->variables, trial->n_variables,
                                          &trial->capacity, sizeof *trial->variables);
        trial->variables[trial->n_variables++] = (wpa_trial_variable){name, value};
    } else {
        trial->trouble = "it is given too many variables";
    }
}

static bool is_name(const char *text)
{
    bool is = isalpha((unsigned char)*text) || *text == '_';
    for (; *text && is; text++) {
        is = isalnum((unsigned char)*text) || *text == '_';
    }
    return is;
}

/* ---- stand-ins ---- */

static const char *value_of(const char *path, wpa_arena *arena)
{
    char *value = wpa_arena_printf(arena, "value_of_%s", path);
    for (char *c = value; *c; c++) {
        *c = isalnum((unsigned char)*c) ? *c : '_';
    }
    return value;
}

/** Of whatever is no plain name: the same for all that write it so, but for blanks. */
static const char *value_of_expression(const char *text, size_t length, wpa_arena *arena)
{
    uint64_t digest = 14695981039346656037U; /* FNV-1a */
    for (size_t i = 0; i < length; i++) {
        if (!isspace((unsigned char)text[i])) {
            digest = (digest ^ (unsigned char)text[i]) * 1099511628211U;
        }
    }
    return wpa_arena_printf(arena, "value_of_%016llx", (unsigned long long)digest);
}

/** "NAME" of "env.NAME", in its own letters; or NULL. */
static const char *variable_in(const char *text, size_t length, wpa_arena *arena)
{
    static const char prefix[] = "env.";
    char *whole = wpa_arena_slice(arena, text, length);
    whole += strspn(whole, " \t\n");
    whole[strcspn(whole, " \t\n")] = '\0';
    bool is_it = strncasecmp(whole, prefix, strlen(prefix)) == 0 && is_name(whole + strlen(prefix));
    return is_it ? whole + strlen(prefix) : NULL;
}

static const char *stand_in(wpa_trial *trial, const wpa_expr_place *place, const char *text,
                            wpa_arena *arena)
{
    size_t n;
    const char *inner = text + place->inner.start;
    size_t length = wpa_span_length(place->inner);
    const wpa_expr *root = place->parsed.root;
    const wpa_expr_reference *references = wpa_expr_references(root, arena, &n);
    bool is_plain = root && n == 1 && references[0].node == root && !references[0].is_computed;
    const char *variable = is_plain ? variable_in(inner, length, arena) : NULL;
    if (variable) {
        if (!find_variable(trial, variable)) { /* an earlier step may have set it */
            set_variable(trial, variable, value_of(variable, arena), arena);
        }
        const wpa_trial_variable *set = find_variable(trial, variable);
        return set ? set->value : "";
    }
    if (root && root->kind == WPA_EXPR_STRING) {
        return root->text;
    }
    return !is_plain ? value_of_expression(inner, length, arena)
           : wpa_text_is(references[0].path, "github.workspace") ? WORK_FOLDER
           : wpa_text_is(references[0].path, "runner.temp")      ? TEMP_FOLDER
                                                            : value_of(references[0].path, arena);
}

static const char *render(wpa_trial *trial, const wpa_yaml_node *node, wpa_arena *arena)
{
    WPA_AUTO(wpa_buf) *out = wpa_buf_new(TEXT_MAX_BYTES);
    const char *text = wpa_yaml_text(node);
    size_t n = 0, at = 0;
    const wpa_expr_place *places = text ? wpa_expr_find(node, arena, &n) : NULL;
    for (size_t i = 0; i < n; i++) {
        wpa_buf_append(out, text + at, places[i].outer.start - at);
        wpa_buf_text(out, stand_in(trial, &places[i], text, arena));
        at = places[i].outer.end;
    }
    wpa_buf_text(out, text ? text + at : "");
    if (wpa_buf_is_full(out)) {
        trial->trouble = "it is too long";
    }
    return wpa_buf_dup(out, arena);
}

/* ---- what the runner gives ---- */

/** Variables that the runner sets say the same as the expressions they are named after. */
static void add_defaults(wpa_trial *trial, wpa_arena *arena)
{
    static const char *const names[] = {
        "github.actor",       "github.api_url",    "github.base_ref",   "github.event_name",
        "github.head_ref",    "github.job",        "github.ref",        "github.ref_name",
        "github.ref_type",    "github.repository", "github.run_id",     "github.run_number",
        "github.run_attempt", "github.server_url", "github.sha",        "github.triggering_actor",
        "github.workflow",    "runner.arch",       "runner.os",         "runner.name",
        "github.event_path",  "github.action",     "runner.tool_cache", "github.repository_owner",
    };
    for (size_t i = 0; i < WPA_COUNT(names); i++) {
        char *name = wpa_arena_text(arena, names[i]);
        for (char *c = name; *c; c++) {
            *c = *c == '.' ? '_' : (char)toupper((unsigned char)*c);
        }
        set_variable(trial, name, value_of(names[i], arena), arena);
    }
    set_variable(trial, "GITHUB_WORKSPACE", WORK_FOLDER, arena);
    set_variable(trial, "RUNNER_TEMP", TEMP_FOLDER, arena);
    set_variable(trial, "GITHUB_ACTIONS", "true", arena);
    set_variable(trial, "CI", "true", arena);
}

static void add_environment(wpa_trial *trial, const wpa_yaml_node *env, wpa_arena *arena)
{
    /* The box in which it runs is made of these. */
    static const char *const own[] = {"PATH", "ENV", "BASH_ENV", "LD_PRELOAD", "LD_LIBRARY_PATH"};
    for (size_t i = 0; wpa_yaml_is(env, WPA_YAML_MAPPING) && i < env->n_pairs && i < VARIABLES_MAX;
         i++) {
        const char *name = wpa_yaml_text(env->pairs[i].key);
        if (!name || !is_name(name)) {
            continue;
        }
        if (wpa_text_index(name, own, WPA_COUNT(own)) >= 0) {
            trial->trouble = wpa_arena_printf(arena, "it is given a %s of its own", name);
            continue;
        }
        set_variable(trial, name, render(trial, env->pairs[i].value, arena), arena);
    }
    if (wpa_yaml_is(env, WPA_YAML_MAPPING) && env->n_pairs > VARIABLES_MAX) {
        trial->trouble = "it is given too many variables";
    }
}

static const char *trouble_of(const wpa_outline_step *step)
{
    bool is_shell = step->shell == WPA_SHELL_BASH || step->shell == WPA_SHELL_SH ||
                    step->shell == WPA_SHELL_UNKNOWN;
    return !is_shell                   ? "it is for another shell than bash and sh"
           : step->is_elsewhere        ? "another program starts it somewhere else"
           : !step->script             ? "it cannot be read"
           : step->script->is_readable ? NULL
                                       : "its commands cannot be followed";
}

wpa_trial wpa_trial_of(const wpa_outline *outline, const wpa_outline_step *step, wpa_arena *arena)
{
    wpa_error err = {0};
    wpa_trial trial = {.step = step, .folder = ""};
    const wpa_yaml_node *folder = wpa_yaml_get(step->node, "working-directory");
    add_defaults(&trial, arena);
    add_environment(&trial, wpa_yaml_get(outline->root, "env"), arena);
    add_environment(&trial, wpa_yaml_get(step->job->node, "env"), arena);
    add_environment(&trial, step->env, arena);
    trial.script = render(&trial, step->run, arena);
    if (folder) {
        const char *path = render(&trial, folder, arena);
        path += wpa_text_starts(path, "./") ? 2 : 0;
        trial.folder = path;
        if (*path && !wpa_text_is(path, ".") && !wpa_path_check_relative(path, &err)) {
            trial.trouble = "it starts outside of the work folder";
        }
    }
    trial.trouble = trouble_of(step) ? trouble_of(step) : trial.trouble;
    return trial;
}

static void take_over(wpa_trial *to, const wpa_trial *from, wpa_arena *arena)
{
    for (size_t i = 0; i < from->n_variables; i++) {
        const wpa_trial_variable *one = &from->variables[i];
        bool is_unset = wpa_text_is(one->value, value_of(one->name, arena));
        if (is_unset && !find_variable(to, one->name)) {
            set_variable(to, one->name, one->value, arena);
        }
    }
}

void wpa_trial_share(wpa_trial *one, wpa_trial *other, wpa_arena *arena)
{
    take_over(one, other, arena);
    take_over(other, one, arena);
}

bool wpa_trial_is_same(const wpa_trial *one, const wpa_trial *other)
{
    bool is_same = one->step->shell == other->step->shell &&
                   one->step->has_named_shell == other->step->has_named_shell &&
                   wpa_text_is(one->script, other->script) &&
                   wpa_text_is(one->folder, other->folder) &&
                   one->n_variables == other->n_variables;
    for (size_t i = 0; i < one->n_variables && is_same; i++) {
        const wpa_trial_variable *same = find_variable(other, one->variables[i].name);
        is_same = same && wpa_text_is(same->value, one->variables[i].value);
    }
    return is_same;
}
