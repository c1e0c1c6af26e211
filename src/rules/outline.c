/* Reading the outline: one walk over the tree. */
#include "rules/outline.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <wpa/map.h>

#include "core/room.h"
#include "expr/expr.h"
#include "rules/outline_internal.h"
#include "rules/shell_roles.h"

typedef struct reader {
    const wpa_yaml_doc *doc;
    wpa_arena *arena;
    wpa_outline *outline;
    wpa_outline_known known;
    wpa_map *scripts; /* place and shell → read_script's, of a file with aliases; else NULL */
    /* What the steps of a job run in if they do not say: the name that the job or the file gives,
       or NULL, and what it stands for, or else what the runner implies. */
    const char *default_shell;
    wpa_outline_shell shell;
} reader;

bool wpa_outline_has_expression(const char *text)
{
    const char *dollar = text ? strchr(text, '$') : NULL; /* few have one */
    return dollar && strstr(dollar, "${{");
}

/** As wpa_yaml_get, of keys that most have not: those are ruled out here, without a call. */
static inline const wpa_yaml_node *get_rare(const wpa_yaml_node *node, const char *key)
{
    bool has_none = node && node->kind == WPA_YAML_MAPPING && !wpa_yaml_may_have(node, key);
    return has_none ? NULL : wpa_yaml_get(node, key);
}

/* Inline, as wpa_yaml_get: the compiler knows the key. */
static inline const wpa_yaml_node *value_at(const wpa_yaml_node *node, const char *key,
                                            wpa_yaml_kind kind)
{
    const wpa_yaml_node *value = get_rare(node, key);
    return value && value->kind == kind ? value : NULL;
}

static inline const wpa_yaml_node *mapping_at(const wpa_yaml_node *node, const char *key)
{
    return value_at(node, key, WPA_YAML_MAPPING);
}

static inline const wpa_yaml_node *scalar_at(const wpa_yaml_node *node, const char *key)
{
    return value_at(node, key, WPA_YAML_SCALAR);
}

/** Of a step or a job; few files have aliases. */
static wpa_outline_uses uses_of(reader *r, const wpa_yaml_node *owner)
{
    wpa_outline_uses uses = wpa_outline_uses_of(&r->known, scalar_at(owner, "uses"));
    if (uses.node) {
        bool may_be_alias = uses.node->doc->n_aliases > 0;
        const wpa_yaml_pair *pair = may_be_alias ? wpa_yaml_find(owner, "uses") : NULL;
        uses.span = pair ? pair->value->span : uses.node->span;
    }
    return uses;
}

/* ---- triggers ----------------------------------------------------------------------------------
 */

static void add_trigger(reader *r, const wpa_yaml_node *node, const wpa_yaml_node *config)
{
    const char *name = wpa_yaml_text(node);
    if (!name) {
        return;
    }
    r->outline->triggers[r->outline->n_triggers++] = (wpa_outline_trigger){
        .name = name,
        .node = node,
        .config = wpa_yaml_resolve(config),
        .event = wpa_facts_event_find(wpa_slice_of(name)),
    };
}

/* How bad each class is: inherited ones are judged as insiders until callers are known. */
static int badness(wpa_fact_trust trust)
{
    return trust == WPA_TRUST_OUTSIDER_PRIVILEGED ? 3 : trust == WPA_TRUST_OUTSIDER ? 2 : 1;
}

static void note_trust(wpa_outline *o, wpa_fact_trust trust)
{
    o->may_be_of_outsiders = o->may_be_of_outsiders || trust != WPA_TRUST_INSIDER;
    o->may_be_privileged = o->may_be_privileged || trust == WPA_TRUST_OUTSIDER_PRIVILEGED ||
                           trust == WPA_TRUST_INHERITED;
}

static void read_triggers(reader *r)
{
    wpa_outline *o = r->outline;
    o->on = wpa_yaml_find(o->root, "on");
    const wpa_yaml_node *on = o->on ? wpa_yaml_resolve(o->on->value) : NULL;
    size_t n = on ? on->n_pairs + on->n_items + 1 : 1;
    o->triggers = wpa_arena_array(r->arena, n, sizeof *o->triggers);
    o->trust = WPA_TRUST_INSIDER;
    if (!on) {
        return;
    }
    if (on->kind == WPA_YAML_SCALAR) {
        add_trigger(r, on, NULL);
    }
    for (size_t i = 0; on->kind == WPA_YAML_SEQUENCE && i < on->n_items; i++) {
        add_trigger(r, on->items[i], NULL);
    }
    for (size_t i = 0; on->kind == WPA_YAML_MAPPING && i < on->n_pairs; i++) {
        add_trigger(r, on->pairs[i].key, on->pairs[i].value);
    }
    for (size_t i = 0; i < o->n_triggers; i++) {
        const wpa_fact_event *event = o->triggers[i].event;
        note_trust(o, event ? event->trust : WPA_TRUST_INSIDER);
        if (event && badness(event->trust) > badness(o->trust)) {
            o->trust = event->trust;
        } else if (event && event->trust == WPA_TRUST_INHERITED && o->n_triggers == 1) {
            o->trust = WPA_TRUST_INHERITED;
        }
    }
}

const wpa_outline_trigger *wpa_outline_trigger_find(const wpa_outline *outline, const char *name)
{
    for (size_t i = 0; i < outline->n_triggers; i++) {
        if (wpa_text_is(outline->triggers[i].name, name)) {
            return &outline->triggers[i];
        }
    }
    return NULL;
}

bool wpa_outline_only_triggers(const wpa_outline *outline, const char *const names[])
{
    for (size_t i = 0; i < outline->n_triggers; i++) {
        if (!wpa_fact_list_has(names, wpa_slice_of(outline->triggers[i].name))) {
            return false;
        }
    }
    return outline->n_triggers > 0;
}

/* ---- steps -------------------------------------------------------------------------------------
 */

static const char *default_shell(const wpa_yaml_node *scope)
{
    return wpa_yaml_text(wpa_yaml_get(mapping_at(mapping_at(scope, "defaults"), "run"), "shell"));
}

/** What the job's steps run in, once for all of them. */
static void read_default_shell(reader *r, const wpa_outline_job *job)
{
    const char *text = default_shell(job->node);
    text = text ? text : default_shell(r->outline->root);
    r->default_shell = text;
    bool is_container = wpa_yaml_find(job->node, "container") != NULL;
    wpa_shell implied = is_container                ? WPA_SHELL_SH
                        : job->os == WPA_OS_WINDOWS ? WPA_SHELL_PWSH
                        : job->os == WPA_OS_UNKNOWN ? WPA_SHELL_UNKNOWN
                                                    : WPA_SHELL_BASH;
    r->shell = text ? wpa_outline_shell_of(text) : (wpa_outline_shell){implied, false};
}

static void read_shell(const reader *r, wpa_outline_step *step)
{
    const char *text = wpa_yaml_text(get_rare(step->node, "shell"));
    step->has_named_shell = text || r->default_shell;
    wpa_outline_shell shell = text ? wpa_outline_shell_of(text) : r->shell;
    step->shell = shell.shell;
    step->is_elsewhere = shell.is_elsewhere;
    if (!step->has_named_shell && step->shell == WPA_SHELL_UNKNOWN && step->run) {
        wpa_fact_os os =
            wpa_outline_os_asked(step->condition, wpa_yaml_get(step->job->node, "runs-on"));
        step->shell = os == WPA_OS_WINDOWS   ? WPA_SHELL_PWSH
                      : os == WPA_OS_UNKNOWN ? WPA_SHELL_UNKNOWN
                                             : WPA_SHELL_BASH;
    }
}

/* Scripts from this size on keep a map: making one for each finding would take their square. So
   do those that are folded, since all of such a scalar is read for one place in it. */
#define MAPPED_MIN_BYTES 2048

/* Does the word stand in the script as it is, but for quotes around it? */
static bool is_verbatim(const wpa_yaml_node *run, const wpa_shell_word *word, size_t length)
{
    size_t written = wpa_span_length(word->span);
    bool is_quoted = written == length + 2;
    return word->span.end <= run->length && (is_quoted || written == length) &&
           memcmp(run->text + word->span.start + is_quoted, word->text, length) == 0;
}

/* What is made of a script. */
typedef struct script {
    const wpa_script *lexed;
    wpa_yaml_places *places;
    wpa_slice *unquoted;
    size_t n_unquoted, unquoted_capacity;
} script;

static void note_word(reader *r, const wpa_yaml_node *run, const wpa_shell_word *word, script *s)
{
    if (word->is_as_written) {
        return; /* as most are: the file's bytes hold it, or the word whose script it is of */
    }
    size_t length = strlen(word->text);
    if (!is_verbatim(run, word, length)) {
        wpa_yaml_add_text(r->doc, word->text, length);
        s->unquoted = wpa_arena_grow(r->arena, s->unquoted, s->n_unquoted, &s->unquoted_capacity,
                                     sizeof *s->unquoted);
        s->unquoted[s->n_unquoted++] = (wpa_slice){word->text, length};
    }
}

/* Which commands are called, and words that quotes and escapes are in: what files are asked for. */
static void note_words(reader *r, const wpa_yaml_node *run, script *s)
{
    for (size_t i = 0; i < s->lexed->n_commands; i++) {
        const wpa_shell_command *c = &s->lexed->commands[i];
        wpa_yaml_add_name(r->doc, c->name);
        for (size_t k = 0; k < c->n_words; k++) {
            note_word(r, run, &c->words[k], s);
        }
        for (size_t k = 0; k < c->n_redirects; k++) {
            note_word(r, run, &c->redirects[k].target, s);
        }
    }
}

static const wpa_script_language languages[] = {
    [WPA_SHELL_BASH] = WPA_SCRIPT_POSIX,    [WPA_SHELL_SH] = WPA_SCRIPT_POSIX,
    [WPA_SHELL_ZSH] = WPA_SCRIPT_POSIX,     [WPA_SHELL_PWSH] = WPA_SCRIPT_PWSH,
    [WPA_SHELL_PYTHON] = WPA_SCRIPT_PYTHON, [WPA_SHELL_CMD] = WPA_SCRIPT_CMD,
    [WPA_SHELL_OTHER] = WPA_SCRIPT_POSIX,   [WPA_SHELL_UNKNOWN] = WPA_SCRIPT_POSIX,
};

static script lex_script(reader *r, const wpa_yaml_node *run, wpa_shell shell)
{
    script s = {0};
    if (run->length >= MAPPED_MIN_BYTES || run->style == WPA_YAML_FOLDED) {
        s.places = wpa_arena_alloc(r->arena, sizeof *s.places);
        *s.places = (wpa_yaml_places){run, r->arena, NULL};
    }
    if (strlen(run->text) == run->length && shell != WPA_SHELL_OTHER) {
        s.lexed = wpa_script_read_as(languages[shell], run->text, run->length, r->arena);
        note_words(r, run, &s);
    }
    return s;
}

#define SCRIPT_KEY_BYTES 32

/* A step under an alias is read wherever the alias stands; its script once. */
static script script_of(reader *r, const wpa_yaml_node *run, wpa_shell shell)
{
    if (!r->scripts) {
        return lex_script(r, run, shell);
    }
    char key[SCRIPT_KEY_BYTES];
    (void)snprintf(key, sizeof key, "%zu %d", run->span.start, (int)shell);
    script *known = wpa_map_get(r->scripts, key);
    if (!known) {
        script read = lex_script(r, run, shell);
        known = wpa_arena_dup(r->arena, &read, sizeof read);
        wpa_map_put(r->scripts, key, known);
    }
    return *known;
}

void wpa_outline_step_take_script(wpa_outline_step *step, const wpa_script *lexed)
{
    bool is_fit = lexed && lexed->is_readable && lexed->language != WPA_SCRIPT_PYTHON;
    step->lexed = lexed;
    step->script = lexed && lexed->language == WPA_SCRIPT_POSIX ? lexed : NULL;
    step->commands = is_fit ? lexed : NULL;
    step->roles = lexed ? lexed->roles : 0;
}

static void read_script(reader *r, wpa_outline_step *step)
{
    if (step->run) {
        script s = script_of(r, step->run, step->shell);
        step->places = s.places;
        step->unquoted = s.unquoted;
        step->n_unquoted = s.n_unquoted;
        wpa_outline_step_take_script(step, s.lexed);
    }
}

static void add_step(reader *r, wpa_outline_job *job, const wpa_yaml_node *node)
{
    wpa_outline_step *step = &job->steps[job->n_steps];
    *step = (wpa_outline_step){
        .job = job,
        .index = job->n_steps++,
        .node = node,
        .id = wpa_yaml_text(get_rare(node, "id")),
        .uses = uses_of(r, node),
        .with = mapping_at(node, "with"),
        .env = mapping_at(node, "env"),
        .condition = scalar_at(node, "if"),
        .run = scalar_at(node, "run"),
    };
    read_shell(r, step);
    read_script(r, step);
}

#define GROUPS_DEPTH_MAX 4

/** The steps of a parallel group, or NULL. */
static const wpa_yaml_node *group_of(const wpa_yaml_node *step, int depth)
{
    const wpa_yaml_node *group = get_rare(step, "parallel");
    return wpa_yaml_is(group, WPA_YAML_SEQUENCE) && depth < GROUPS_DEPTH_MAX ? group : NULL;
}

static void add_steps(reader *r, wpa_outline_job *job, const wpa_yaml_node *steps, int depth)
{
    for (size_t i = 0; wpa_yaml_is(steps, WPA_YAML_SEQUENCE) && i < steps->n_items; i++) {
        const wpa_yaml_node *step = wpa_yaml_resolve(steps->items[i]);
        const wpa_yaml_node *group = group_of(step, depth);
        if (group) {
            add_steps(r, job, group, depth + 1);
        } else if (wpa_yaml_is(step, WPA_YAML_MAPPING)) {
            add_step(r, job, step);
        }
    }
}

static size_t count_steps(const wpa_yaml_node *steps, int depth)
{
    size_t n = 0;
    for (size_t i = 0; wpa_yaml_is(steps, WPA_YAML_SEQUENCE) && i < steps->n_items; i++) {
        const wpa_yaml_node *group = group_of(wpa_yaml_resolve(steps->items[i]), depth);
        n += group ? count_steps(group, depth + 1) : 1;
    }
    return n;
}

static void read_steps(reader *r, wpa_outline_job *job)
{
    const wpa_yaml_node *steps = wpa_yaml_get(job->node, "steps");
    size_t n = count_steps(steps, 0);
    read_default_shell(r, job);
    job->steps = n ? wpa_arena_room(r->arena, n * sizeof *job->steps) : NULL;
    add_steps(r, job, steps, 0);
}

/* ---- jobs --------------------------------------------------------------------------------------
 */

/* Behind the name of the context: a member by name or by text, a computed one, or all of them. */
static bool is_own_token(const char *at, const char *end)
{
    static const char own[] = "GITHUB_TOKEN";
    while (at < end && strchr(" \t.['", *at)) {
        at++;
    }
    return (size_t)(end - at) >= sizeof own - 1 && strncasecmp(at, own, sizeof own - 1) == 0;
}

/* Does the text of an expression name one? */
static bool expression_names_secret(const char *at, const char *end)
{
    static const char context[] = "secrets";
    const char *start = at;
    while ((at = wpa_text_find_ci(at, (size_t)(end - at), context))) {
        bool is_name = at == start || strchr(" \t\n([!&|,=", at[-1]);
        at += sizeof context - 1;
        if (is_name && !is_own_token(at, end) && (at == end || strchr(" \t\n.[),", *at))) {
            return true;
        }
    }
    return false;
}

bool wpa_outline_names_secret(const wpa_yaml_node *node)
{
    if (!wpa_yaml_may_hold(node->doc, "secrets")) {
        return false;
    }
    const char *text = node->doc->source + node->span.start;
    size_t length = wpa_span_length(node->span);
    bool may_name = wpa_text_find_ci(text, length, "secrets") != NULL;
    const char *open = may_name ? wpa_expr_open(text, length, 0) : NULL;
    while (open) {
        const char *start = open + 3, *end = text + length;
        const char *close = wpa_text_find(start, (size_t)(end - start), "}}");
        if (!close || expression_names_secret(start, close)) {
            return close != NULL;
        }
        open = wpa_expr_open(text, length, (size_t)(close - text));
    }
    return false;
}

static void read_job(reader *r, wpa_outline_job *job, const wpa_yaml_pair *pair)
{
    *job = (wpa_outline_job){
        .id = wpa_yaml_text(pair->key),
        .key = pair->key,
        .node = wpa_yaml_resolve(pair->value),
    };
    job->condition = scalar_at(job->node, "if");
    job->uses = uses_of(r, job->node);
    job->is_call = wpa_yaml_find(job->node, "uses") != NULL;
    wpa_outline_read_runner(job, r->arena);
    read_steps(r, job);
}

/* A key of a file has no more. */
#define ID_MAX_BYTES 1025

/* In lower case; false if it is too long to be one. */
static bool fold_id(const char *id, char folded[ID_MAX_BYTES])
{
    size_t i = 0;
    for (; id && id[i] && i + 1 < ID_MAX_BYTES; i++) {
        folded[i] = id[i] >= 'A' && id[i] <= 'Z' ? (char)(id[i] + 'a' - 'A') : id[i];
    }
    folded[i] = '\0';
    return id && !id[i];
}

static void read_jobs(reader *r)
{
    const wpa_yaml_node *jobs = mapping_at(r->outline->root, "jobs");
    if (!jobs) {
        return;
    }
    r->outline->jobs = wpa_arena_array(r->arena, jobs->n_pairs + 1, sizeof *r->outline->jobs);
    wpa_map *by_id = wpa_map_new(r->arena);
    for (size_t i = 0; i < jobs->n_pairs; i++) {
        if (wpa_yaml_text(jobs->pairs[i].key) &&
            wpa_yaml_is(jobs->pairs[i].value, WPA_YAML_MAPPING)) {
            wpa_outline_job *job = &r->outline->jobs[r->outline->n_jobs++];
            read_job(r, job, &jobs->pairs[i]);
            char folded[ID_MAX_BYTES];
            if (fold_id(job->id, folded) && !wpa_map_has(by_id, folded)) {
                wpa_map_put(by_id, folded, job);
            }
        }
    }
    r->outline->jobs_by_id = by_id;
}

const wpa_outline_job *wpa_outline_job_find(const wpa_outline *outline, const char *id)
{
    char folded[ID_MAX_BYTES];
    return outline->jobs_by_id && fold_id(id, folded) ? wpa_map_get(outline->jobs_by_id, folded)
                                                      : NULL;
}

/* The steps of a composite action, as one job without a key. */
static void read_action(reader *r)
{
    const wpa_yaml_node *runs = mapping_at(r->outline->root, "runs");
    if (!runs || !wpa_yaml_is(wpa_yaml_get(runs, "steps"), WPA_YAML_SEQUENCE)) {
        return;
    }
    r->outline->jobs = wpa_arena_array(r->arena, 1, sizeof *r->outline->jobs);
    r->outline->n_jobs = 1;
    wpa_outline_job *job = &r->outline->jobs[0];
    job->id = "";
    job->node = runs;
    read_steps(r, job);
}

static uint64_t bit_of(const wpa_outline_uses *uses)
{
    bool is_numbered = uses->kind == WPA_OUTLINE_REPOSITORY && uses->number < 64;
    return is_numbered && !uses->node->is_incomplete ? (uint64_t)1 << uses->number : 0;
}

static void list_users(reader *r)
{
    wpa_outline *o = r->outline;
    wpa_outline_user *users = NULL;
    size_t capacity = 0;
    for (size_t i = 0; i < o->n_jobs; i++) {
        const wpa_outline_job *job = &o->jobs[i];
        for (size_t k = 0; k <= job->n_steps; k++) {
            const wpa_outline_step *step = k ? &job->steps[k - 1] : NULL;
            const wpa_outline_uses *uses = step ? &step->uses : &job->uses;
            if (uses->kind != WPA_OUTLINE_NONE) {
                users = wpa_arena_grow(r->arena, users, o->n_users, &capacity, sizeof *users);
                users[o->n_users++] = (wpa_outline_user){job, step, uses, step ? bit_of(uses) : 0};
            }
        }
    }
    o->users = users;
}

const wpa_outline *wpa_outline_read(const wpa_yaml_doc *doc, wpa_input_kind kind, wpa_arena *arena)
{
    reader r = {.doc = doc,
                .arena = arena,
                .outline = wpa_arena_alloc(arena, sizeof(wpa_outline)),
                .known = {.arena = arena}};
    r.outline->root = doc ? wpa_yaml_resolve(doc->root) : NULL;
    r.outline->trust = WPA_TRUST_INSIDER;
    r.scripts = doc && doc->n_aliases ? wpa_map_new(arena) : NULL;
    if (kind == WPA_INPUT_WORKFLOW) {
        read_triggers(&r);
        read_jobs(&r);
    } else if (kind == WPA_INPUT_ACTION) {
        r.outline->trust = WPA_TRUST_INHERITED;
        note_trust(r.outline, WPA_TRUST_INHERITED);
        read_action(&r);
    }
    list_users(&r);
    return r.outline;
}

wpa_span wpa_outline_script_span(const wpa_outline_step *step, wpa_span in_script)
{
    return step->places ? wpa_yaml_map_span(wpa_yaml_places_map(step->places), in_script.start,
                                            in_script.end)
                        : wpa_yaml_source_span(step->run, in_script.start, in_script.end);
}

bool wpa_outline_script_holds(const wpa_outline_step *step, const char *word)
{
    if (!step->run || !wpa_yaml_may_hold(step->run->doc, word)) {
        return false;
    }
    wpa_slice sought = wpa_slice_of(word);
    bool holds = wpa_text_find_slice_ci(step->run->text, step->run->length, sought) != NULL;
    for (size_t i = 0; i < step->n_unquoted && !holds; i++) {
        holds = wpa_text_find_slice_ci(step->unquoted[i].at, step->unquoted[i].length, sought);
    }
    return holds;
}

/* ---- what a step does --------------------------------------------------------------------------
 */

bool wpa_outline_step_builds(const wpa_outline_step *step)
{
    return (wpa_step_roles(step) &
            (WPA_DOES_TEST | WPA_DOES_BUILD | WPA_DOES_LINT | WPA_DOES_INSTALL)) != 0;
}
