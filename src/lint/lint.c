#include "lint/lint.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <wpa/memory.h>

#include "lint/cache.h"
#include "lint/grammar.h"

#define THREADS_MAX 16
/* What stands for "bash -e" of the runner: ShellCheck knows then that a failing cd ends it. */
#define LEAD "#!/bin/bash -e\n"

/* Scripts of one tool and dialect, each different one once. */
typedef struct queue {
    const wpa_lint_program *program; /* NULL: none is installed, or none wanted */
    const char *path;
    wpa_lint_job **jobs;
    size_t n_jobs, capacity;
} queue;

typedef struct batch {
    queue *queue;
    size_t first, n;
} batch;

struct wpa_lint {
    wpa_arena *arena; /* of what lasts: programs, notes, the cache */
    wpa_arena *batch; /* of the files that are at work */
    const wpa_settings *settings;
    size_t n_threads;
    bool is_kept; /* answers, for later runs */
    wpa_lint_answers *answers;
    wpa_cache *cache;
    wpa_note *notes;
    size_t n_notes, notes_capacity;
    queue *queues; /* one a program of the table */
    size_t n_queues;
    wpa_map *seen;        /* key -> its job */
    pthread_mutex_t lock; /* of the arenas and notes, the map and the queues */
    batch *batches;
    size_t n_batches, batch_capacity;
    atomic_size_t next;
};

typedef wpa_lint linter;

static void note(linter *l, const char *rule, const char *text)
{
    l->notes = wpa_arena_grow(l->arena, l->notes, l->n_notes, &l->notes_capacity, sizeof *l->notes);
    l->notes[l->n_notes++] = (wpa_note){.rule = rule, .text = text};
}

/* ---- which programs are asked ------------------------------------------------------------------
 */

static const char *const rule_ids[WPA_LINT_TOOL_COUNT] = {"shellcheck", "python-lint",
                                                          "script-syntax"};

static bool is_rule_on(const linter *l, wpa_lint_tool tool)
{
    size_t n;
    const wpa_rule *const *rules = wpa_rules_all(&n);
    for (size_t i = 0; i < n; i++) {
        if (wpa_text_is(rules[i]->id, rule_ids[tool])) {
            return wpa_settings_of(l->settings, rules[i])->toggle != WPA_TOGGLE_OFF &&
                   !l->settings->dimension_off[rules[i]->dimension];
        }
    }
    return false;
}

static const wpa_tool_setting *setting_of(const linter *l, const wpa_lint_program *program)
{
    return program->setting < WPA_TOOL_COUNT ? &l->settings->tools[program->setting] : NULL;
}

/* Has an earlier program of the table taken these scripts? */
static bool is_taken(const linter *l, const wpa_lint_program *program, size_t before)
{
    for (size_t i = 0; i < before; i++) {
        const wpa_lint_program *other = l->queues[i].program;
        if (other && other->tool == program->tool &&
            wpa_text_is(other->dialect, program->dialect)) {
            return true;
        }
    }
    return false;
}

/** The path of a setting is that of one program; Python's scripts may be read by any of four. */
static bool is_named(const wpa_lint_program *program, const char *path)
{
    const char *slash = strrchr(path, '/');
    bool is_ruff = wpa_text_starts(slash ? slash + 1 : path, "ruff");
    if (program->setting == WPA_TOOL_PYFLAKES) {
        return program->tool == WPA_LINT_PYTHON && is_ruff == wpa_text_is(program->name, "ruff");
    }
    return program->setting != WPA_TOOL_BASH || wpa_text_is(program->name, "bash");
}

/** NULL: it is not there, or another is meant. */
static const char *find_program(const linter *l, const wpa_lint_program *program,
                                const wpa_tool_setting *setting)
{
    const char *path = setting ? setting->path : NULL;
    if (path && !is_named(program, path)) {
        return program->tool == WPA_LINT_SYNTAX ? wpa_lint_find(program->name, NULL, l->arena)
                                                : NULL;
    }
    return wpa_lint_find(program->name, path, l->arena);
}

static void choose_programs(linter *l)
{
    const wpa_lint_program *programs = wpa_lint_programs(&l->n_queues);
    l->queues = wpa_arena_array(l->arena, l->n_queues, sizeof *l->queues);
    for (size_t i = 0; i < l->n_queues; i++) {
        const wpa_tool_setting *setting = setting_of(l, &programs[i]);
        if (!is_rule_on(l, programs[i].tool) || (setting && setting->is_off) ||
            is_taken(l, &programs[i], i)) {
            continue;
        }
        l->queues[i].path = find_program(l, &programs[i], setting);
        l->queues[i].program = l->queues[i].path ? &programs[i] : NULL;
    }
}

static queue *queue_for(linter *l, wpa_lint_tool tool, const char *dialect)
{
    for (size_t i = 0; i < l->n_queues; i++) {
        const wpa_lint_program *program = l->queues[i].program;
        if (program && program->tool == tool && wpa_text_is(program->dialect, dialect)) {
            return &l->queues[i];
        }
    }
    return NULL;
}

/* ---- collecting --------------------------------------------------------------------------------
 */

static wpa_lint_job *new_job(linter *l, queue *q, const wpa_lint_script *script, const char *key)
{
    wpa_arena *arena = l->batch;
    bool is_led = q->program->tool == WPA_LINT_SHELLCHECK && script->fails_early &&
                  !wpa_text_starts(script->text, "#!");
    wpa_lint_job *job = wpa_arena_alloc(arena, sizeof *job);
    const char *directives =
        q->program->tool == WPA_LINT_SHELLCHECK && script->directives ? script->directives : "";
    *job = (wpa_lint_job){
        .key = wpa_arena_text(arena, key),
        .dialect = q->program->dialect,
        .text = wpa_arena_printf(arena, "%s%s%s", is_led ? LEAD : "", directives, script->text),
        .lead = (is_led ? strlen(LEAD) : 0) + strlen(directives),
        .file = wpa_arena_printf(arena, "s%zu%s", q->n_jobs, q->program->extension),
    };
    job->length = strlen(job->text);
    return job;
}

/* The scripts of one file on their way into the queues. */
typedef struct collector {
    linter *linter;
    wpa_lint_tool tool;
    size_t n_taken, n_left;
} collector;

/** Most scripts are of a grammar that needs no shell to be read. */
static bool is_sound(wpa_lint_tool tool, const wpa_lint_script *script)
{
    bool is_bash = wpa_text_is(script->dialect, "bash");
    return tool == WPA_LINT_SYNTAX && (is_bash || wpa_text_is(script->dialect, "sh")) &&
           wpa_shell_is_sound(script->text, is_bash);
}

static void add_script(void *context, const wpa_lint_script *script)
{
    collector *c = context;
    linter *l = c->linter;
    queue *q = queue_for(l, c->tool, script->dialect);
    if (!q || is_sound(c->tool, script)) {
        return;
    }
    const char *key = wpa_lint_key(c->tool, script, l->batch);
    (void)pthread_mutex_lock(&l->lock);
    bool is_new = !wpa_map_has(l->seen, key);
    c->n_left += is_new && c->n_taken == WPA_LINT_FILE_SCRIPTS;
    if (is_new && c->n_taken < WPA_LINT_FILE_SCRIPTS) {
        c->n_taken++;
        wpa_lint_job *job = new_job(l, q, script, key);
        wpa_map_put(l->seen, job->key, job);
        q->jobs = wpa_arena_grow(l->batch, q->jobs, q->n_jobs, &q->capacity, sizeof *q->jobs);
        q->jobs[q->n_jobs++] = job;
    }
    (void)pthread_mutex_unlock(&l->lock);
}

static bool has_program(const linter *l)
{
    for (size_t i = 0; i < l->n_queues; i++) {
        if (l->queues[i].program) {
            return true;
        }
    }
    return false;
}

static bool has_program_of(const linter *l, wpa_lint_tool tool)
{
    for (size_t i = 0; i < l->n_queues; i++) {
        if (l->queues[i].program && l->queues[i].program->tool == tool) {
            return true;
        }
    }
    return false;
}

static void collect(linter *l, const wpa_source *source)
{
    for (int tool = 0; tool < WPA_LINT_TOOL_COUNT; tool++) {
        if (!has_program_of(l, (wpa_lint_tool)tool)) {
            continue;
        }
        collector c = {.linter = l, .tool = (wpa_lint_tool)tool};
        wpa_lint_each_script(source, c.tool, l->batch, add_script, &c);
        if (c.n_left > 0) {
            note(l, rule_ids[tool],
                 wpa_arena_printf(l->arena, "%zu scripts of %s were not looked at: it has too many",
                                  c.n_left, source->path));
        }
    }
}

/* ---- asking ------------------------------------------------------------------------------------
 */

static void keep_answer(linter *l, const wpa_lint_job *job);

/* Answers of earlier runs are taken; what is left is to be asked. */
static void take_known(linter *l, queue *q)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    size_t n = 0;
    uint8_t program[WPA_SHA256_SIZE] = {0};
    if (q->n_jobs) {
        wpa_lint_cache_program(q->program, q->path, program);
    }
    for (size_t i = 0; i < q->n_jobs; i++) {
        wpa_lint_job *job = q->jobs[i];
        job->cache_key = wpa_lint_cache_key(program, job, l->batch);
        if (wpa_lint_cache_find(l->cache, job->cache_key, job, arena)) {
            keep_answer(l, job);
        } else {
            q->jobs[n++] = job;
        }
    }
    q->n_jobs = n;
}

static void add_batches(linter *l, queue *q)
{
    take_known(l, q);
    for (size_t i = 0; i < q->n_jobs;) {
        batch b = {.queue = q, .first = i};
        size_t bytes = 0;
        while (i < q->n_jobs && b.n < WPA_LINT_BATCH_SCRIPTS &&
               (b.n == 0 || bytes + q->jobs[i]->length <= WPA_LINT_BATCH_BYTES)) {
            bytes += q->jobs[i++]->length;
            b.n++;
        }
        l->batches = wpa_arena_grow(l->batch, l->batches, l->n_batches, &l->batch_capacity,
                                    sizeof *l->batches);
        l->batches[l->n_batches++] = b;
    }
}

/* The comments out of a batch's arena into that of the tree; the lock is held. */
static void keep_answer(linter *l, const wpa_lint_job *job)
{
    wpa_arena *arena = l->batch;
    bool is_asked_for = job->n_comments || job->key[0] == '0' + WPA_LINT_SHELLCHECK;
    if (!is_asked_for) {
        return; /* only ShellCheck's having said nothing tells anything: see is_suspect */
    }
    wpa_lint_answer *answer = wpa_arena_alloc(arena, sizeof *answer);
    wpa_lint_comment *comments = wpa_arena_array(arena, job->n_comments + 1, sizeof *comments);
    for (size_t i = 0; i < job->n_comments; i++) {
        const wpa_lint_comment *from = &job->comments[i];
        wpa_lint_replacement *replacements =
            wpa_arena_array(arena, from->n_replacements + 1, sizeof *replacements);
        for (size_t k = 0; k < from->n_replacements; k++) {
            replacements[k] = from->replacements[k];
            replacements[k].text = wpa_arena_text(arena, from->replacements[k].text);
        }
        comments[i] = (wpa_lint_comment){
            .span = from->span,
            .code = wpa_arena_text(arena, from->code),
            .level = wpa_arena_text(arena, from->level),
            .message = wpa_arena_text(arena, from->message),
            .replacements = replacements,
            .n_replacements = from->n_replacements,
        };
    }
    *answer = (wpa_lint_answer){comments, job->n_comments};
    wpa_map_put(l->answers->by_script, job->key, answer);
}

static void ask(linter *l, const batch *b, wpa_arena *arena)
{
    const queue *q = b->queue;
    wpa_lint_job **jobs = q->jobs + b->first;
    const char *argv[WPA_LINT_BATCH_SCRIPTS + 32];
    size_t n = 0, size_bytes;
    argv[n++] = q->path;
    for (size_t i = 0; q->program->argv[i]; i++) {
        argv[n++] = q->program->argv[i];
    }
    for (size_t i = 0; i < b->n; i++) {
        argv[n++] = jobs[i]->file;
    }
    argv[n] = NULL;
    wpa_error err = {0};
    const char *output = wpa_lint_call(q->program, argv, jobs, b->n, arena, &size_bytes, &err);
    bool ok = output && q->program->read(output, size_bytes, jobs, b->n, arena);
    (void)pthread_mutex_lock(&l->lock);
    if (!ok) {
        note(l, rule_ids[q->program->tool],
             wpa_arena_printf(l->arena, "%s could not be asked about %zu scripts: %s",
                              q->program->name, b->n,
                              output ? "its answer makes no sense" : err.message));
    }
    for (size_t i = 0; ok && i < b->n; i++) {
        keep_answer(l, jobs[i]);
        wpa_lint_cache_add(l->cache, jobs[i]->cache_key, jobs[i]);
    }
    (void)pthread_mutex_unlock(&l->lock);
    for (size_t i = 0; i < b->n; i++) {
        jobs[i]->comments = NULL; /* they were the batch's */
    }
}

static void *work(void *context)
{
    linter *l = context;
    size_t i;
    while ((i = atomic_fetch_add(&l->next, 1)) < l->n_batches) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        ask(l, &l->batches[i], arena);
    }
    return NULL;
}

static void ask_all(linter *l, size_t n_threads)
{
    long n_cores = sysconf(_SC_NPROCESSORS_ONLN);
    size_t n = n_threads ? n_threads : n_cores > 0 ? (size_t)n_cores : 1;
    n = n < THREADS_MAX ? n : THREADS_MAX;
    n = n < l->n_batches ? n : l->n_batches;
    pthread_t threads[THREADS_MAX];
    size_t n_started = 0;
    for (; n_started + 1 < n; n_started++) {
        if (pthread_create(&threads[n_started], NULL, work, l) != 0) {
            break;
        }
    }
    (void)work(l);
    for (size_t i = 0; i < n_started; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    l->n_batches = 0;
    atomic_store(&l->next, 0);
}

/* ---- the whole ---------------------------------------------------------------------------------
 */

/* Did ShellCheck stumble over this script? Then the shell itself is asked too. */
static bool is_suspect(const linter *l, const wpa_lint_job *job)
{
    char *key = wpa_arena_text(l->batch, job->key);
    key[0] = (char)('0' + WPA_LINT_SHELLCHECK);
    const wpa_lint_answer *answer = wpa_map_get(l->answers->by_script, key);
    for (size_t i = 0; answer && i < answer->n; i++) {
        const wpa_lint_comment *comment = &answer->comments[i];
        if (wpa_text_is(comment->level, "error") && wpa_text_starts(comment->code, "SC1")) {
            return true;
        }
    }
    return !answer;
}

static void keep_suspects(linter *l, queue *q)
{
    size_t n = 0;
    for (size_t i = 0; i < q->n_jobs; i++) {
        if (is_suspect(l, q->jobs[i])) {
            q->jobs[n++] = q->jobs[i];
        }
    }
    q->n_jobs = n;
}

static bool is_shell(const wpa_lint_program *program)
{
    return wpa_text_is(program->dialect, "bash") || wpa_text_is(program->dialect, "sh");
}

/* Any of those that are asked in each other's place will do: ruff where pyflakes is required. */
static bool is_installed(const linter *l, wpa_tool tool)
{
    size_t n;
    const wpa_lint_program *all = wpa_lint_programs(&n), *first = NULL;
    for (size_t i = 0; i < n; i++) {
        const wpa_lint_program *one = &all[i];
        if (one->setting != tool) {
            continue;
        }
        first = first ? first : one;
        bool serves = one->tool == first->tool && wpa_text_is(one->dialect, first->dialect);
        if (serves && wpa_lint_find(one->name, l->settings->tools[tool].path, l->arena)) {
            return true;
        }
    }
    return false;
}

static bool check_required(const linter *l, wpa_error *err)
{
    for (wpa_tool i = 0; i < WPA_TOOL_COUNT; i++) {
        const wpa_tool_setting *setting = &l->settings->tools[i];
        if ((setting->is_required || setting->path) && !is_installed(l, i)) {
            return WPA_FAIL(err, WPA_E_INVALID, "%s is required by 'tools:' and not installed",
                            setting->path ? setting->path : wpa_tool_names[i]);
        }
    }
    return true;
}

/* One note if a shell's scripts could not be looked at; the other tools are rarer. */
static void note_absent(linter *l)
{
    bool is_wanted =
        is_rule_on(l, WPA_LINT_SHELLCHECK) && !l->settings->tools[WPA_TOOL_SHELLCHECK].is_off;
    if (is_wanted && !queue_for(l, WPA_LINT_SHELLCHECK, "bash")) {
        note(l, rule_ids[WPA_LINT_SHELLCHECK],
             "ShellCheck is not installed: no script was checked by it");
    }
}

static const char *identity_of(linter *l)
{
    const char *all = "";
    for (size_t i = 0; i < l->n_queues; i++) {
        struct stat status;
        const char *path = l->queues[i].program ? l->queues[i].path : NULL;
        if (path && stat(path, &status) == 0) {
            all = wpa_arena_printf(l->arena, "%s%s %lld %lld\n", all, path,
                                   (long long)status.st_size, (long long)status.st_mtime);
        }
    }
    return all;
}

wpa_lint *wpa_lint_open(const wpa_settings *settings, size_t n_threads, bool is_kept,
                        wpa_error *err)
{
    linter *l = wpa_alloc(sizeof *l);
    l->arena = wpa_arena_new();
    l->settings = settings;
    l->n_threads = n_threads;
    l->is_kept = is_kept;
    (void)pthread_mutex_init(&l->lock, NULL);
    if (!check_required(l, err)) {
        wpa_lint_close(l);
        return NULL;
    }
    choose_programs(l);
    note_absent(l);
    return l;
}

void wpa_lint_close(wpa_lint *lint)
{
    if (!lint) {
        return;
    }
    wpa_cache_close(lint->cache);
    (void)pthread_mutex_destroy(&lint->lock);
    wpa_arena_free(lint->arena);
    wpa_free(lint);
}

const char *wpa_lint_programs_asked(wpa_lint *lint)
{
    return identity_of(lint);
}

const wpa_note *wpa_lint_notes(const wpa_lint *lint, size_t *n)
{
    *n = lint->n_notes;
    return lint->notes;
}

static void begin_batch(linter *l)
{
    l->batch = wpa_arena_new();
    l->answers = wpa_arena_alloc(l->batch, sizeof *l->answers);
    l->answers->by_script = wpa_map_new(l->batch);
    l->seen = wpa_map_new(l->batch);
    l->batches = NULL;
    l->n_batches = l->batch_capacity = 0;
    for (size_t i = 0; i < l->n_queues; i++) {
        l->queues[i].jobs = NULL;
        l->queues[i].n_jobs = l->queues[i].capacity = 0;
    }
    l->cache = l->cache ? l->cache : wpa_lint_cache_open(l->is_kept, l->arena);
    if (l->cache) {
        wpa_cache_relax(l->cache);
    }
}

/** The shells themselves are asked last, and about what ShellCheck stumbled over alone. */
static void ask_in_order(linter *l)
{
    bool has_shellcheck = queue_for(l, WPA_LINT_SHELLCHECK, "bash") != NULL;
    for (size_t i = 0; i < l->n_queues; i++) {
        const wpa_lint_program *program = l->queues[i].program;
        if (program && !(program->tool == WPA_LINT_SYNTAX && is_shell(program))) {
            add_batches(l, &l->queues[i]);
        }
    }
    ask_all(l, l->n_threads);
    for (size_t i = 0; i < l->n_queues; i++) {
        const wpa_lint_program *program = l->queues[i].program;
        if (program && program->tool == WPA_LINT_SYNTAX && is_shell(program)) {
            if (has_shellcheck) {
                keep_suspects(l, &l->queues[i]);
            }
            add_batches(l, &l->queues[i]);
        }
    }
    ask_all(l, l->n_threads);
}

/** What is known of a batch goes with its arena. */
static wpa_arena *end_batch(linter *l)
{
    wpa_arena *arena = l->batch;
    l->batch = NULL;
    l->answers = NULL;
    l->seen = NULL;
    return arena;
}

wpa_arena *wpa_lint_batch(wpa_lint *lint, const wpa_lint_file files[], size_t n)
{
    if (!has_program(lint)) {
        return NULL;
    }
    begin_batch(lint);
    for (size_t i = 0; i < n; i++) {
        collect(lint, files[i].source);
    }
    ask_in_order(lint);
    for (size_t i = 0; i < n; i++) {
        wpa_settings *own = wpa_arena_dup(lint->batch, *files[i].settings, sizeof *own);
        own->lint = lint->answers;
        *files[i].settings = own;
    }
    return end_batch(lint);
}
