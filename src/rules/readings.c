#include "rules/readings.h"

#include <string.h>

#include "rules/expressions.h"
#include "rules/graph.h"
#include "rules/shell.h"

static bool is_name_char(char c)
{
    char lower = (char)(c | 0x20);
    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

bool wpa_readings_find_word(const wpa_yaml_doc *doc, const char *word)
{
    return wpa_yaml_may_hold(doc, word) && wpa_text_find_ci(doc->source, doc->size_bytes, word);
}

bool wpa_readings_find_text(const wpa_yaml_doc *doc, const char *text)
{
    return wpa_yaml_may_hold(doc, text) && wpa_text_seek(doc->source, text);
}

static size_t name_length(const char *at)
{
    size_t length = 0;
    while (is_name_char(at[length])) {
        length++;
    }
    return length;
}

/* A name in lower case, up to what is none, in the arena. */
static const char *read_name(const char *at, wpa_arena *arena)
{
    size_t length = name_length(at);
    char *name = wpa_arena_slice(arena, at, length);
    for (size_t i = 0; i < length; i++) {
        name[i] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] + 'a' - 'A' : name[i]);
    }
    return name;
}

/* What is read of the mapping whose name ends here: a member's name; NULL: maybe all of it. */
static const char *read_member(const char *behind, wpa_arena *arena, bool *is_any)
{
    bool is_quoted = behind[0] == '[' && (behind[1] == '\'' || behind[1] == '"');
    bool is_computed = behind[0] == '[' && !is_quoted;
    const char *next = behind;
    while (*next == ' ') {
        next++;
    }
    bool is_whole = *next == ')' || *next == ',' || !*next; /* toJSON(matrix) */
    bool is_star = behind[0] == '.' && behind[1] == '*';
    *is_any = is_computed || is_whole || is_star;
    return behind[0] == '.' && !is_star ? read_name(behind + 1, arena)
           : is_quoted                  ? read_name(behind + 2, arena)
                                        : NULL;
}

static bool is_start(const wpa_yaml_doc *doc, const char *at)
{
    return at == doc->source || !is_name_char(at[-1]);
}

wpa_readings wpa_readings_of(wpa_rule_run *run, const char *prefix)
{
    const wpa_yaml_doc *doc = run->source->yaml;
    wpa_readings r = {.names = wpa_map_new(run->arena)};
    size_t length = strlen(prefix);
    const char *end = doc->source + doc->size_bytes;
    const char *at = wpa_yaml_may_hold(doc, prefix) ? doc->source : end;
    for (; (at = wpa_text_find_ci(at, (size_t)(end - at), prefix)); at += length) {
        bool is_any = false;
        if (!is_start(doc, at)) {
            continue;
        }
        const char *name = read_member(at + length, run->arena, &is_any);
        r.is_any = r.is_any || is_any;
        if (name) {
            wpa_map_put(r.names, name, r.names);
        }
        r.places =
            wpa_arena_grow(run->arena, r.places, r.n_places, &r.places_capacity, sizeof *r.places);
        r.places[r.n_places++] = at + length;
    }
    return r;
}

const wpa_readings *wpa_readings_once(wpa_rule_run *run, wpa_readings *known, const char *prefix)
{
    if (!known->names) {
        *known = wpa_readings_of(run, prefix);
    }
    return known;
}

/* ---- what expressions tell -------------------------------------------------------------------*/

/* The first bytes of a path, which is in lower case: itself, if that is all of it. */
static const char *begin_of(wpa_rule_run *run, const char *path, size_t length)
{
    return path[length] ? wpa_arena_slice(run->arena, path, length) : path;
}

/* A member by its name and, of one that has outputs, "ID.outputs.NAME". */
static void add_member(wpa_rule_run *run, wpa_map *told, const char *path)
{
    static const char outputs[] = ".outputs.";
    size_t length = name_length(path), end = length + sizeof outputs - 1;
    wpa_map_put(told, begin_of(run, path, length), told);
    if (wpa_text_starts(path + length, outputs) && is_name_char(path[end])) {
        wpa_map_put(told, begin_of(run, path, end + name_length(path + end)), told);
    }
}

/**
 * A chain that stands in the file as its path says, but for the case of letters: so a search of the
 * file finds it too. Blanks and brackets would make it longer.
 */
static bool is_as_written(const wpa_expression *e, const wpa_expr_reference *reference)
{
    return e->place->node->style != WPA_YAML_DOUBLE_QUOTED && !reference->is_computed &&
           wpa_span_length(reference->node->span) == strlen(reference->path);
}

static void add_told(wpa_rule_run *run, wpa_map *told, const wpa_expression *e, wpa_slice context)
{
    size_t n;
    const wpa_expr_reference *list = wpa_expression_references(run, e, &n);
    for (size_t i = 0; i < n; i++) {
        const char *path = list[i].path;
        bool is_member = strncmp(path, context.at, context.length) == 0 &&
                         path[context.length] == '.' && is_name_char(path[context.length + 1]);
        if (is_member && is_as_written(e, &list[i])) {
            add_member(run, told, path + context.length + 1);
        }
    }
}

static const wpa_map *told_once(wpa_rule_run *run, wpa_readings *known, const char *context)
{
    const wpa_expressions *all = run->source->expressions;
    if (known->told) {
        return known->told;
    }
    known->told = wpa_map_new(run->arena);
    for (size_t i = 0; i < all->n; i++) {
        const wpa_expression *e = &all->items[i];
        if (!e->is_again && wpa_expr_may_refer(&e->place->parsed, context)) {
            add_told(run, known->told, e, wpa_slice_of(context));
        }
    }
    return known->told;
}

bool wpa_readings_tell(wpa_rule_run *run, wpa_readings *known, const char *context,
                       const char *name)
{
    return wpa_map_has(told_once(run, known, context), read_name(name, run->arena));
}

bool wpa_readings_tell_output(wpa_rule_run *run, wpa_readings *known, const char *context,
                              const char *id, const char *name)
{
    const wpa_map *told = told_once(run, known, context);
    const char *path = wpa_arena_printf(run->arena, "%s.outputs.%s", read_name(id, run->arena),
                                        read_name(name, run->arena));
    return wpa_map_has(told, path);
}

/* ---- outputs ----------------------------------------------------------------------------------*/

/* "JOB.outputs.NAME", of any job; or of a step. */
static void add_output(wpa_rule_run *run, wpa_readings *r, const char *at)
{
    const char *job = read_name(at, run->arena);
    const char *behind = at + strlen(job);
    if (!*job || strncasecmp(behind, ".outputs", 8) != 0) {
        return;
    }
    bool is_any = false;
    const char *name = read_member(behind + 8, run->arena, &is_any);
    if (name) {
        wpa_map_put(r->names, wpa_arena_printf(run->arena, "%s.%s", job, name), r->names);
    }
    if (is_any) {
        wpa_map_put(r->all_of, job, r->all_of);
    }
}

/* "needs.JOB.outputs.NAME" and the like. */
static void add_outputs(wpa_rule_run *run, const wpa_yaml_doc *doc, wpa_readings *r,
                        const char *prefix)
{
    size_t length = strlen(prefix);
    const char *end = doc->source + doc->size_bytes;
    const char *at = wpa_yaml_may_hold(doc, prefix) ? doc->source : end;
    for (; (at = wpa_text_find_ci(at, (size_t)(end - at), prefix)); at += length) {
        if (is_start(doc, at)) {
            add_output(run, r, at + length);
        }
    }
}

wpa_readings wpa_readings_of_outputs(wpa_rule_run *run, const wpa_yaml_doc *doc)
{
    wpa_readings r = {.names = wpa_map_new(run->arena), .all_of = wpa_map_new(run->arena)};
    r.is_any =
        wpa_readings_find_text(doc, "needs[") || wpa_readings_find_word(doc, "toJSON(needs") ||
        wpa_readings_find_word(doc, "toJson( needs") || wpa_readings_find_text(doc, "needs.*");
    if (!r.is_any) {
        add_outputs(run, doc, &r, "needs.");
        add_outputs(run, doc, &r, "jobs.");
    }
    return r;
}

wpa_readings wpa_readings_of_step_outputs(wpa_rule_run *run, const wpa_readings *steps)
{
    wpa_readings r = {.names = wpa_map_new(run->arena), .all_of = wpa_map_new(run->arena)};
    for (size_t i = 0; i < steps->n_places; i++) {
        if (steps->places[i][0] == '.') {
            add_output(run, &r, steps->places[i] + 1);
        }
    }
    return r;
}

bool wpa_readings_have_output(wpa_rule_run *run, const wpa_readings *r, const char *job,
                              const char *name)
{
    const char *id = read_name(job, run->arena);
    const char *path = wpa_arena_printf(run->arena, "%s.%s", id, read_name(name, run->arena));
    return r->is_any || wpa_map_has(r->all_of, id) || wpa_map_has(r->names, path);
}

bool wpa_readings_have(wpa_rule_run *run, const wpa_readings *r, const char *name)
{
    return r->is_any || wpa_map_has(r->names, read_name(name, run->arena));
}

/* False where what the caller takes of this call cannot be followed. */
static bool add_caller(wpa_rule_run *run, wpa_callers_readings *callers, const wpa_graph_user *user)
{
    const wpa_source *source = wpa_rule_source_at(run, user->file->path);
    if (!user->use->is_call || !source || source->is_partial ||
        user->use->job >= source->outline->n_jobs) {
        return false;
    }
    wpa_readings read = wpa_readings_of_outputs(run, source->yaml);
    callers->jobs[callers->n] = source->outline->jobs[user->use->job].id;
    callers->read[callers->n++] = read;
    return !read.is_any;
}

wpa_callers_readings wpa_readings_of_callers(wpa_rule_run *run)
{
    const wpa_graph *graph = run->source->around ? run->source->around->graph : NULL;
    size_t n = 0;
    const wpa_graph_user *users =
        graph ? wpa_graph_users(graph, wpa_source_identity(run->source), &n) : NULL;
    wpa_callers_readings callers = {.is_any = n == 0 || n > WPA_CALLERS_MAX};
    for (size_t i = 0; i < n && !callers.is_any; i++) {
        callers.is_any = !add_caller(run, &callers, &users[i]);
    }
    return callers;
}

bool wpa_readings_callers_have(wpa_rule_run *run, const wpa_callers_readings *callers,
                               const char *name)
{
    bool has = callers->is_any;
    for (size_t i = 0; i < callers->n && !has; i++) {
        has = wpa_readings_have_output(run, &callers->read[i], callers->jobs[i], name);
    }
    return has;
}

bool wpa_readings_actions_have_row(wpa_rule_run *run, const wpa_outline_job *job, const char *name)
{
    const wpa_surroundings *around = run->source->around;
    const char *row = wpa_arena_printf(run->arena, "matrix.%s", name);
    for (size_t i = 0; i < job->n_steps; i++) {
        const wpa_outline_uses *uses = &job->steps[i].uses;
        if (uses->kind != WPA_OUTLINE_LOCAL) {
            continue;
        }
        const wpa_graph_file *file =
            around ? wpa_graph_used(around->graph, uses, run->arena) : NULL;
        const wpa_source *action = file ? wpa_rule_source_at(run, file->path) : NULL;
        if (!action || !action->yaml || !wpa_rule_spend(run, action->yaml->size_bytes / 16) ||
            wpa_readings_find_word(action->yaml, row) ||
            wpa_readings_find_word(action->yaml, "(matrix") ||
            wpa_readings_find_word(action->yaml, "matrix[")) {
            return true; /* what is not there to be seen may read it */
        }
    }
    return false;
}

/* What the place gives to what it uses. */
static const wpa_yaml_node *given_at(const wpa_source *source, const wpa_graph_use *use)
{
    const wpa_outline *o = source->outline;
    const wpa_outline_job *job = use->job < o->n_jobs ? &o->jobs[use->job] : NULL;
    if (job && use->is_call) {
        return wpa_yaml_get(job->node, "with");
    }
    for (size_t i = 0; job && i < job->n_steps; i++) {
        if (job->steps[i].uses.node && job->steps[i].uses.span.start == use->span.start) {
            return job->steps[i].with;
        }
    }
    return NULL;
}

bool wpa_readings_users_give_words(wpa_rule_run *run, const char *input)
{
    const wpa_graph *graph = run->source->around ? run->source->around->graph : NULL;
    size_t n = 0;
    const wpa_graph_user *users =
        graph ? wpa_graph_users(graph, wpa_source_identity(run->source), &n) : NULL;
    for (size_t i = 0; i < n && i < WPA_CALLERS_MAX; i++) {
        const wpa_source *source = wpa_rule_source_at(run, users[i].file->path);
        size_t work = source && source->yaml ? source->yaml->size_bytes / 64 : 1;
        if (!wpa_rule_spend(run, work)) {
            return true; /* nobody has looked */
        }
        const wpa_yaml_node *with =
            source && source->outline ? given_at(source, users[i].use) : NULL;
        const wpa_yaml_pair *pair = with ? wpa_yaml_find_ci(with, input) : NULL;
        const char *text = pair ? wpa_yaml_text(pair->value) : NULL;
        text = text ? wpa_script_blank(text, strlen(text), run->arena) : "";
        text += strspn(text, " \n");
        if (text[strcspn(text, " \n") + strspn(text + strcspn(text, " \n"), " \n")]) {
            return true;
        }
    }
    return false;
}
