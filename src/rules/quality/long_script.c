/* QUA-004: a script that has outgrown the workflow. */
#include <string.h>

#include <wpa/buf.h>

#include "expr/expr.h"
#include "rules/extract.h"
#include "rules/site.h"
#include "rules/steps.h"
#include "rules/variables.h"

#define NESTING_MAX 3
/* Of a look at a step, as work. */
#define VISIT_WORK 4
#define BINDINGS_MAX 16
#define NAME_MAX_BYTES 32

/* Those that are not blank. */
static size_t count_lines(const char *text)
{
    size_t n = 0;
    while (*text) {
        while (*text == ' ' || *text == '\t' || *text == '\r') {
            text++;
        }
        n += *text && *text != '\n';
        text = strchrnul(text, '\n');
        text += *text == '\n';
    }
    return n;
}

/* A line's first word, cut at what may follow it. */
static wpa_slice first_word(const char *line)
{
    line += strspn(line, " \t");
    return (wpa_slice){line, strcspn(line, " \t\r\n;(")};
}

static bool is_one_of(wpa_slice word, const char *const words[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (wpa_slice_is(word, words[i])) {
            return true;
        }
    }
    return false;
}

static const char *const opening[] = {"if", "for", "while", "until", "case", "select"};

/* By their first two letters, which hardly any other words begin with. */
static bool may_open(const char *word)
{
    switch (*word) {
    case 'i':
        return word[1] == 'f';
    case 'f':
        return word[1] == 'o';
    case 'w':
        return word[1] == 'h';
    case 'u':
        return word[1] == 'n';
    case 'c':
        return word[1] == 'a';
    case 's':
        return word[1] == 'e';
    default:
        return false;
    }
}

/* Are there more lines that begin with such a word than ifs and loops may stand in each other? */
static bool may_be_deep(const char *text)
{
    size_t n = 0;
    while (*text && n <= NESTING_MAX) {
        while (*text == ' ' || *text == '\t') {
            text++;
        }
        n += may_open(text) && is_one_of(first_word(text), opening, WPA_COUNT(opening));
        text = strchrnul(text, '\n');
        text += *text == '\n';
    }
    return n > NESTING_MAX;
}

/* How deep ifs and loops stand in each other, by the words that lines of a shell begin with. */
static size_t deepest(const char *text)
{
    static const char *const closing[] = {"fi", "done", "esac"};
    size_t depth = 0, most = 0;
    while (*text) {
        size_t length = (size_t)(strchrnul(text, '\n') - text);
        wpa_slice word = first_word(text);
        if (is_one_of(word, opening, WPA_COUNT(opening))) {
            bool is_one_line =
                wpa_text_find(text, length, "; fi") || wpa_text_find(text, length, "; done") ||
                wpa_text_find(text, length, ";done") || wpa_text_find(text, length, ";fi") ||
                wpa_text_find(text, length, "esac");
            depth += is_one_line ? 0 : 1;
            most = depth > most ? depth : most;
        } else if (is_one_of(word, closing, WPA_COUNT(closing)) && depth) {
            depth--;
        }
        text += length + (text[length] == '\n');
    }
    return most;
}

/* No fewer than the script has that are not blank: lines of the file, which are known. */
static size_t lines_at_most(const wpa_yaml_node *run)
{
    bool may_be_more = run->style == WPA_YAML_DOUBLE_QUOTED || run->doc->has_odd_breaks;
    return may_be_more ? SIZE_MAX
                       : wpa_yaml_line_of(run->doc, run->span.end) -
                             wpa_yaml_line_of(run->doc, run->span.start) + 1;
}

static void check_step(wpa_rule_run *run, const wpa_outline_step *step, size_t max)
{
    const char *text = wpa_yaml_text(step->run);
    /* Most have fewer lines than it takes to be long or deep. */
    size_t n_most = text ? lines_at_most(step->run) : 0;
    if (n_most <= NESTING_MAX && n_most <= max) {
        return;
    }
    size_t n_lines = n_most > max ? count_lines(text) : 0;
    bool may_nest = step->script && step->script->is_readable && may_be_deep(step->script->text);
    size_t depth = may_nest ? deepest(step->script->text) : 0;
    wpa_span at = wpa_yaml_find(step->node, "run")->key->span;
    if (n_lines > max) {
        (void)wpa_rule_report(run, at, NULL, step,
                              "a script of %zu lines: in a file of its own it can be checked, "
                              "tested and run anywhere",
                              n_lines);
    } else if (depth > NESTING_MAX) {
        (void)wpa_rule_report(run, at, NULL, step,
                              "a script with %zu ifs and loops in each other: in a file of its own "
                              "it can be checked and tested",
                              depth);
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    size_t max = (size_t)wpa_rule_option_int(run, "max-lines", 1, 100000, 40);
    for (size_t i = 0; i < o->n_jobs; i++) {
        size_t n = o->jobs[i].n_steps;
        n = n && wpa_rule_spend(run, VISIT_WORK * n) ? n : 0;
        for (size_t k = 0; k < n; k++) {
            check_step(run, &o->jobs[i].steps[k], max);
        }
    }
    return true;
}

/* ---- a file of its own ------------------------------------------------------------------------*/

/* An expression of the script, and the variable that takes its place. */
typedef struct binding {
    const char *value; /* "${{ inputs.x }}" */
    const char *name;
    bool is_bound; /* already, or by the runner */
} binding;

typedef struct moving {
    wpa_rule_run *run;
    const wpa_outline_step *step;
    binding bindings[BINDINGS_MAX];
    size_t n;
} moving;

/* Shells whose scripts can be run from a file as they are. */
static const struct shell_form {
    wpa_shell shell;
    const char *name;   /* as shell: may name it */
    const char *suffix; /* of the file */
    const char *head;   /* first lines, with what the runner would set */
} forms[] = {
    {WPA_SHELL_BASH, "bash", ".sh", "#!/usr/bin/env bash\nset -eo pipefail\n\n"},
    {WPA_SHELL_BASH, NULL, ".sh", "#!/usr/bin/env bash\nset -e\n\n"},
    {WPA_SHELL_SH, "sh", ".sh", "#!/bin/sh\nset -e\n\n"},
    {WPA_SHELL_SH, NULL, ".sh", "#!/bin/sh\nset -e\n\n"},
};

/* As it is written for the step, its job or its workflow; NULL: nowhere. */
static const char *shell_text(const moving *m)
{
    const wpa_yaml_node *places[] = {m->step->job->node, m->run->source->yaml->root};
    const char *text = wpa_yaml_text(wpa_yaml_get(m->step->node, "shell"));
    for (size_t i = 0; i < WPA_COUNT(places) && !text; i++) {
        const wpa_yaml_node *defaults = wpa_yaml_get(places[i], "defaults");
        text = wpa_yaml_text(wpa_yaml_get(wpa_yaml_get(defaults, "run"), "shell"));
    }
    return text;
}

static const struct shell_form *form_of(const moving *m)
{
    const char *text = shell_text(m);
    for (size_t i = 0; i < WPA_COUNT(forms); i++) {
        if (forms[i].shell == m->step->shell && wpa_text_is(forms[i].name, text)) {
            return &forms[i];
        }
    }
    return NULL; /* one with options of its own, or no shell for files */
}

static bool is_name_taken(const moving *m, const char *name)
{
    bool is_taken = m->step->env && wpa_yaml_find_ci(m->step->env, name);
    is_taken = is_taken || strstr(m->step->script->text, name); /* what expressions name is gone */
    for (size_t i = 0; i < m->n; i++) {
        is_taken = is_taken || wpa_text_is(m->bindings[i].name, name);
    }
    return is_taken;
}

/* The step's own variable of this value, or NULL. */
static const char *bound_name(const moving *m, const char *value)
{
    const wpa_yaml_node *env = m->step->env;
    for (size_t i = 0; env && i < env->n_pairs; i++) {
        const char *name = wpa_yaml_text(env->pairs[i].key);
        if (name && wpa_text_is(wpa_yaml_text(env->pairs[i].value), value)) {
            return name;
        }
    }
    return NULL;
}

/* NULL: too many, or nothing that stands on one line. */
static const binding *bind(moving *m, const char *inside)
{
    wpa_arena *arena = m->run->arena;
    const char *value = wpa_arena_printf(arena, "${{ %s }}", inside);
    for (size_t i = 0; i < m->n; i++) {
        if (wpa_text_is(m->bindings[i].value, value)) {
            return &m->bindings[i];
        }
    }
    bool is_awkward = strpbrk(inside, "\"\n\\") || strstr(inside, ": ") || strstr(inside, " #");
    if (m->n == BINDINGS_MAX || is_awkward) {
        return NULL;
    }
    const char *known = wpa_variable_set(inside);
    known = known ? known : bound_name(m, value);
    const char *last = strrchr(inside, '.');
    const char *first = wpa_variable_name(inside, arena);
    if (strpbrk(inside, " (!=&|[")) { /* more than a name */
        first = "VALUE";
    } else if (strlen(first) > NAME_MAX_BYTES && last) {
        first = wpa_variable_name(last + 1, arena);
    }
    const char *name = known ? known : first;
    for (int i = 2; !known && is_name_taken(m, name); i++) {
        name = wpa_arena_printf(arena, "%s_%d", first, i);
    }
    m->bindings[m->n] = (binding){value, name, known != NULL};
    return &m->bindings[m->n++];
}

/* The script with variables in place of expressions; NULL where one would not be expanded. */
static const char *script_text(moving *m)
{
    const char *text = m->step->run->text, *done = text;
    const wpa_script *script = m->step->script;
    wpa_arena *arena = m->run->arena;
    WPA_AUTO(wpa_buf) *buf = wpa_buf_new(WPA_YAML_MAX_SCALAR_BYTES * 2);
    for (const char *open; (open = strstr(done, "${{"));) {
        size_t at = (size_t)(open - text), end = wpa_expr_close(text, m->step->run->length, at + 3);
        const char *close = end == SIZE_MAX ? NULL : text + end;
        wpa_shell_context context =
            script->contexts ? (wpa_shell_context)script->contexts[at] : WPA_SHELL_SINGLE;
        bool is_expanded = context == WPA_SHELL_PLAIN || context == WPA_SHELL_DOUBLE ||
                           context == WPA_SHELL_HEREDOC || context == WPA_SHELL_ARITHMETIC;
        if (close && context == WPA_SHELL_COMMENT) { /* is for people */
            wpa_buf_append(buf, done, (size_t)(close + 2 - done));
            done = close + 2;
            continue;
        }
        bool is_escaped = at && (text[at - 1] == '\\' || text[at - 1] == '$');
        if (!close || !is_expanded || is_escaped) {
            return NULL;
        }
        const char *from = open + 3 + strspn(open + 3, " "), *to = close;
        while (to > from && to[-1] == ' ') {
            to--;
        }
        const binding *b = bind(m, wpa_arena_slice(arena, from, (size_t)(to - from)));
        if (!b) {
            return NULL;
        }
        wpa_buf_append(buf, done, (size_t)(open - done));
        wpa_buf_printf(buf, "${%s}", b->name);
        done = close + 2;
    }
    wpa_buf_text(buf, done);
    return wpa_buf_is_full(buf) ? NULL : wpa_buf_dup(buf, arena);
}

/* The lines under env that are new; each has its own. */
static bool add_env(moving *m, wpa_fix *fix)
{
    const wpa_yaml_node *env = m->step->env;
    const char *lines = "";
    for (size_t i = 0; i < m->n; i++) {
        if (!m->bindings[i].is_bound) {
            lines = wpa_arena_printf(m->run->arena, "%s%s%s: %s\n", lines, env ? "" : "  ",
                                     m->bindings[i].name, m->bindings[i].value);
        }
    }
    if (!*lines) {
        return true;
    }
    if (!env) {
        return wpa_rule_insert_behind(m->run, fix, wpa_yaml_find(m->step->node, "run")->value,
                                      "env:\n%s", lines);
    }
    return env->style == WPA_YAML_BLOCK && env->n_pairs && !wpa_yaml_n_uses(env) &&
           wpa_rule_insert_behind(m->run, fix, env->pairs[env->n_pairs - 1].value, "%s", lines);
}

/* Where files of this definition are found when it runs, and where they stand. */
static bool find_folder(const moving *m, const char **folder, const char **variable)
{
    const wpa_source *source = m->run->source;
    const char *path = wpa_source_identity(source), *slash = strrchr(path, '/');
    if (source->kind == WPA_INPUT_ACTION) {
        *folder = slash ? wpa_arena_slice(m->run->arena, path, (size_t)(slash - path)) : "scripts";
        *variable = slash ? "GITHUB_ACTION_PATH" : "GITHUB_ACTION_PATH/scripts";
        return true;
    }
    *folder = ".github/scripts";
    *variable = "GITHUB_WORKSPACE/.github/scripts";
    return wpa_steps_have_tree(m->step) && !wpa_site_is_for_others(source);
}

/* "Check the pages (${{ matrix.locale }})" is about pages; NULL if less than two words are left. */
static const char *without_expressions(const char *name, wpa_arena *arena)
{
    const char *rest = "";
    for (const char *open = strstr(name, "${{"); open; open = strstr(name, "${{")) {
        const char *close = strstr(open, "}}");
        rest = wpa_arena_printf(arena, "%s%.*s ", rest, (int)(open - name), name);
        name = close ? close + 2 : "";
    }
    rest = wpa_arena_printf(arena, "%s%s", rest, name);
    return strchr(wpa_extract_slug(rest, arena), '-') ? rest : NULL;
}

static const char *file_name(const moving *m)
{
    const char *name = wpa_yaml_text(wpa_yaml_get(m->step->node, "name"));
    name = name && strstr(name, "${{") ? without_expressions(name, m->run->arena) : name;
    name = name ? name : m->step->id;
    const char *job = *m->step->job->id ? m->step->job->id : "step";
    name = name ? name : wpa_arena_printf(m->run->arena, "%s-%zu", job, m->step->index + 1);
    const char *slug = wpa_extract_slug(name, m->run->arena);
    return *slug ? slug : "script";
}

/* Its own first lines may say what the runner would. */
static const char *with_head(const moving *m, const struct shell_form *form, const char *text)
{
    bool has_shebang = wpa_text_starts(text, "#!");
    bool has_options =
        wpa_text_starts(text, "set -e") &&
        (!strstr(form->head, "pipefail") || wpa_text_find(text, strcspn(text, "\n"), "pipefail"));
    const char *head = form->head;
    size_t shebang = strcspn(head, "\n") + 1;
    if (has_shebang) {
        return wpa_arena_printf(m->run->arena, "%.*s%s%s", (int)(strcspn(text, "\n") + 1), text,
                                head + shebang, text + strcspn(text, "\n") + 1);
    }
    return has_options ? wpa_arena_printf(m->run->arena, "%.*s%s", (int)shebang, head, text)
                       : wpa_arena_printf(m->run->arena, "%s%s", head, text);
}

static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    moving m = {.run = run, .step = finding->subject};
    const wpa_outline_step *step = m.step;
    const char *folder, *variable, *text = step->run->text;
    const struct shell_form *form = step->script && step->script->is_readable ? form_of(&m) : NULL;
    bool names_itself =
        strstr(text, "$0") || strstr(text, "BASH_SOURCE") || strstr(text, "BASH_EXECUTION_STRING");
    if (!form || names_itself || step->node->style != WPA_YAML_BLOCK ||
        !find_folder(&m, &folder, &variable)) {
        return;
    }
    const char *path = wpa_rule_free_path(run, folder, file_name(&m), form->suffix);
    const char *script = path ? script_text(&m) : NULL;
    if (!script) {
        return;
    }
    wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "move the script into %s", path);
    const char *base = strrchr(path, '/') + 1;
    const char *file = wpa_arena_printf(run->arena, "$%s/%s", variable, base);
    const char *program = form->shell == WPA_SHELL_SH ? "sh" : "bash";
    const char *call = wpa_arena_printf(run->arena, "%s \"%s\"", program, file);
    bool is_ended = *script && script[strlen(script) - 1] == '\n';
    wpa_rule_create(run, fix, path, "%s%s", with_head(&m, form, script), is_ended ? "" : "\n");
    wpa_rule_edit(run, fix, step->run->span, "%s", call);
    if (!add_env(&m, fix)) {
        fix->n_edits = 0;
    }
}

static const wpa_rule_option options[] = {
    {"max-lines", "40", "lines that are not blank", WPA_OPTION_NUMBER},
    {0},
};

const wpa_rule wpa_rule_long_script = {
    .code = "QUA-004",
    .id = "long-script",
    .dimension = WPA_DIMENSION_QUALITY,
    .kind = WPA_KIND_OPPORTUNITY,
    .severity = WPA_SEVERITY_LOW,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "A script in the workflow is long or deeply nested",
    .why = "Nobody runs it before it is pushed, no editor knows its language, no test reaches it.",
    .fix = "Move it into a file of the repository and call that, with what expressions gave it in "
           "env.",
    .options = options,
    .declares = WPA_DECLARES_SCRIPT | WPA_DECLARES_ENV,
    .check = check,
    .repair = repair,
};
