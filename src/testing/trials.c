/* Scripts with stand-ins in the sandbox: what each of them has done there. */
#include "testing/trials.h"

#include <ctype.h>
#include <string.h>

#include <wpa/buf.h>
#include <wpa/file.h>
#include <wpa/map.h>
#include <wpa/text.h>

#include "sandbox/sandbox.h"
#include "testing/around.h"

#define RUN_MAX_BYTES ((size_t)1024 * 1024)
#define FILE_MAX_BYTES ((size_t)64 * 1024)
#define FILES_MAX 200 /* of the repository and of programs, for all scripts together */
#define TRIALS_MS 240000
#define PART_MARK '\036'
#define ENDED_LATE 124 /* by timeout */

/* What a program of the host does in both runs alike: all others are stood in for. */
#define TOOLS                                                                                      \
    "awk base64 basename cat chmod cmp comm cp cut diff dirname env expand expr false find fold "  \
    "grep head join jq ln ls md5sum mkdir mv nl od paste printenv readlink realpath rev rm rmdir " \
    "sed seq sha1sum sha256sum sort split stat tac tail tee touch tr true uname uniq wc xargs"

static const char *const part_names[WPA_TRIAL_PARTS] = {
    [WPA_TRIAL_EXIT] = "exit code",      [WPA_TRIAL_OUTPUT] = "outputs",
    [WPA_TRIAL_ENV] = "variables",       [WPA_TRIAL_PATH] = "search path",
    [WPA_TRIAL_STATE] = "state",         [WPA_TRIAL_SUMMARY] = "summary",
    [WPA_TRIAL_CALLS] = "what it calls", [WPA_TRIAL_FILES] = "files written",
};

const char *wpa_trial_part_name(wpa_trial_part part)
{
    return part_names[part];
}

/* ---- what runs them: "<n>a.run" before, "<n>b.run" after, "<n>c.run" before once more ---- */

static const char driver[] =
    "mkdir -p bin/tools bin/programs\n"
    "set --\n"
    "for t in " TOOLS "; do\n"
    "  for d in /usr/bin /bin; do [ ! -x $d/$t ] || { set -- \"$@\" $d/$t; break; }; done\n"
    "done\n"
    "ln -s \"$@\" bin/tools/\n"
    "part() { printf '\\036%s\\n' $1; head -c 20000; }\n"
    "told() { cat /tmp/told/$1; sed -n \"s/^::$2\\([^:,]*\\)::/\\1$3/p\" /tmp/told/stdout; }\n"
    "for run in *.run; do\n"
    "  name=${run%?.run}\n"
    "  [ ! -e $name.bad ] || continue\n"
    "  rm -rf /tmp/*\n"
    "  mkdir -p /tmp/work /tmp/home /tmp/temp /tmp/told\n"
    "  [ ! -d tree ] || cp -R tree/. /tmp/work/\n"
    "  for f in output env path state summary calls; do : >/tmp/told/$f; done\n"
    "  sh ./$run >/tmp/told/stdout 2>/tmp/told/stderr </dev/null; code=$?\n"
    "  [ $code = 0 ] || case $run in *a.run) : >$name.bad;; esac\n"
    "  { echo $code | part 0\n"
    "    told output 'set-output name=' = | part 1\n"
    "    told env 'set-env name=' = | part 2\n"
    "    told path 'add-path' '' | part 3\n"
    "    told state 'save-state name=' = | part 4\n"
    "    part 5 </tmp/told/summary\n"
    "    part 6 </tmp/told/calls\n"
    "    (cd /tmp/work && find . -type f | LC_ALL=C sort | head -n 300 | while IFS= read -r f; do\n"
    "      printf '%s %s\\n' \"$(sha256sum <\"$f\" | cut -c1-16)\" \"$f\"; done) | part 7\n"
    "  } >${run%.run}.res 2>/dev/null\n"
    "done\n";

/* A program that is not there: it notes how it was called, and is content. */
static const char program[] = "#!/bin/sh\n"
                              "{ printf %s \"${0##*/}\"\n"
                              "  for word; do printf ' [%s]' \"$word\"; done\n"
                              "  echo; } >>/tmp/told/calls\n";

typedef struct box {
    const wpa_test_context *context;
    wpa_arena *arena;
    wpa_sandbox_file *files;
    size_t n_files, capacity, n_max;
    wpa_map *placed;  /* paths in the sandbox */
    wpa_map *folders; /* above these */
} box;

/** Is a file there that this path needs as a folder, or the other way round? */
static bool is_blocked(const box *b, const char *path)
{
    bool is = wpa_map_has(b->placed, path) || wpa_map_has(b->folders, path);
    for (const char *slash = strchr(path, '/'); slash && !is; slash = strchr(slash + 1, '/')) {
        is = wpa_map_has(b->placed, wpa_arena_slice(b->arena, path, (size_t)(slash - path)));
    }
    return is;
}

static void put_file(box *b, const char *path, const char *text, size_t size_bytes,
                     bool is_executable)
{
    if (is_blocked(b, path)) {
        return;
    }
    wpa_map_put(b->placed, path, b);
    for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
        wpa_map_put(b->folders, wpa_arena_slice(b->arena, path, (size_t)(slash - path)), b);
    }
    b->files = wpa_arena_grow(b->arena, b->files, b->n_files, &b->capacity, sizeof *b->files);
    b->files[b->n_files++] = (wpa_sandbox_file){.path = path,
                                                .data = (const uint8_t *)text,
                                                .size_bytes = size_bytes,
                                                .is_executable = is_executable};
}

/* ---- programs and files that scripts name ---- */

static bool is_tool(const char *name, wpa_arena *arena)
{
    return strstr(" " TOOLS " ", wpa_arena_printf(arena, " %s ", name)) != NULL;
}

static bool is_program_name(const char *name)
{
    size_t length = strlen(name);
    bool is = length > 0 && length < 64 && isalnum((unsigned char)*name);
    for (size_t i = 0; i < length && is; i++) {
        is = isalnum((unsigned char)name[i]) || strchr("._+-", name[i]);
    }
    return is;
}

static const char *file_of(const box *b, const char *path, size_t *size_bytes)
{
    wpa_error ignored = {0}; /* what cannot be read is not there */
    for (int is_after = 1; is_after >= 0; is_after--) {
        const wpa_surroundings *around = wpa_test_around(b->context, is_after != 0, &ignored);
        const char *text =
            around && wpa_surroundings_has(around, path)
                ? wpa_surroundings_read(around, path, FILE_MAX_BYTES, b->arena, size_bytes)
                : NULL;
        if (text) {
            return text;
        }
    }
    return NULL;
}

static void put_programs(box *b, const wpa_script *script, bool may_follow);

/** A program below the work folder: a script of the repository, or a stand-in. */
static void put_own_program(box *b, const char *path, bool may_follow)
{
    size_t size_bytes = 0;
    const char *text = file_of(b, path, &size_bytes);
    const char *line_end = text ? strchr(text, '\n') : NULL;
    const char *shell = text && wpa_text_starts(text, "#!") ? strstr(text, "sh") : NULL;
    const char *in_box = wpa_arena_printf(b->arena, "tree/%s", path);
    if (shell && line_end && shell < line_end && may_follow) {
        put_file(b, in_box, text, size_bytes, true);
        put_programs(b, wpa_script_read(text, size_bytes, b->arena), false);
    } else {
        put_file(b, in_box, program, strlen(program), true);
    }
}

static void put_program(box *b, const char *word, bool may_follow)
{
    wpa_error err = {0};
    const char *path = wpa_text_starts(word, "./") ? word + 2 : word;
    if (strchr(word, '/')) {
        if (wpa_path_check_relative(path, &err)) {
            put_own_program(b, path, may_follow);
        }
    } else if (is_program_name(word) && !is_tool(word, b->arena)) {
        put_file(b, wpa_arena_printf(b->arena, "bin/programs/%s", word), program, strlen(program),
                 true);
    }
}

/** A file of the repository, if that is what the word names. */
static void put_named(box *b, const wpa_shell_word *word)
{
    wpa_error err = {0};
    size_t size_bytes = 0;
    const char *path = wpa_text_starts(word->text, "./") ? word->text + 2 : word->text;
    bool may_be = word->is_literal && wpa_path_check_relative(path, &err);
    const char *text = may_be ? file_of(b, path, &size_bytes) : NULL;
    if (text) {
        put_file(b, wpa_arena_printf(b->arena, "tree/%s", path), text, size_bytes, false);
    }
}

static void put_programs(box *b, const wpa_script *script, bool may_follow)
{
    for (size_t i = 0; i < script->n_commands && b->n_files < b->n_max; i++) {
        const wpa_shell_command *command = &script->commands[i];
        for (size_t k = 0; k < command->n_words && b->n_files < b->n_max; k++) {
            const wpa_shell_word *word = &command->words[k];
            if (k <= command->first && word->is_literal) { /* wrappers are programs, too */
                put_program(b, word->text, may_follow);
            } else {
                put_named(b, word);
            }
        }
        for (size_t k = 0; k < command->n_redirects && b->n_files < b->n_max; k++) {
            if (wpa_text_is(command->redirects[k].operator, "<")) {
                put_named(b, &command->redirects[k].target);
            }
        }
    }
}

/* ---- one run ---- */

/** 'a text' as a word of a shell. */
static void put_word(wpa_buf *out, const char *text)
{
    wpa_buf_char(out, '\'');
    for (; *text; text++) {
        if (*text == '\'') {
            wpa_buf_text(out, "'\\''");
        } else {
            wpa_buf_char(out, *text);
        }
    }
    wpa_buf_char(out, '\'');
}

static const char *shell_of(const wpa_trial *trial)
{
    bool is_bash = trial->step->shell == WPA_SHELL_BASH && trial->step->has_named_shell;
    return trial->step->shell == WPA_SHELL_SH ? "\"$(command -v sh)\" -e"
           : is_bash ? "\"$(command -v bash)\" --noprofile --norc -eo pipefail"
                     : "\"$(command -v bash)\" -e";
}

static bool put_run(box *b, const wpa_trial *trial, const char *name)
{
    static const char *const told[] = {"OUTPUT", "ENV", "PATH", "STATE", "STEP_SUMMARY"};
    static const char *const files[] = {"output", "env", "path", "state", "summary"};
    WPA_AUTO(wpa_buf) *out = wpa_buf_new(RUN_MAX_BYTES);
    wpa_buf_text(out, "cd /tmp/work && mkdir -p ./");
    put_word(out, trial->folder);
    wpa_buf_text(out, " && cd ./");
    put_word(out, trial->folder);
    wpa_buf_text(out, " || exit 126\nexec timeout -k 1 15 env -i HOME=/tmp/home "
                      "PATH=/repo/bin/programs:/repo/bin/tools");
    for (size_t i = 0; i < WPA_COUNT(told); i++) {
        wpa_buf_printf(out, " GITHUB_%s=/tmp/told/%s", told[i], files[i]);
    }
    for (size_t i = 0; i < trial->n_variables; i++) {
        wpa_buf_printf(out, " %s=", trial->variables[i].name);
        put_word(out, trial->variables[i].value);
    }
    wpa_buf_printf(out, " %s /repo/%s.script\n", shell_of(trial), name);
    const char *text = wpa_buf_dup(out, b->arena);
    put_file(b, wpa_arena_printf(b->arena, "%s.run", name), text, strlen(text), false);
    put_file(b, wpa_arena_printf(b->arena, "%s.script", name), trial->script, strlen(trial->script),
             false);
    return !wpa_buf_is_full(out);
}

/* ---- what they did ---- */

/** Split "\036 0 ... \036 1 ..." into its parts. */
static bool read_parts(const wpa_sandbox_result *run, const char *name,
                       const char *parts[WPA_TRIAL_PARTS], wpa_arena *arena)
{
    const wpa_sandbox_file *file = NULL;
    for (size_t i = 0; i < run->n_files && !file; i++) {
        file = wpa_text_is(run->files[i].path, name) ? &run->files[i] : NULL;
    }
    char *text = file ? wpa_arena_slice(arena, (const char *)file->data, file->size_bytes) : NULL;
    for (size_t i = 0; text && i < WPA_TRIAL_PARTS; i++) {
        char *mark = strchr(text, PART_MARK), *begin = mark ? strchr(mark, '\n') : NULL;
        if (!begin || mark[1] != (char)('0' + i)) {
            return false;
        }
        parts[i] = begin + 1;
        text = begin + 1;
    }
    for (size_t i = 0; text && i + 1 < WPA_TRIAL_PARTS; i++) {
        *strchr(parts[i], PART_MARK) = '\0';
    }
    return text != NULL;
}

static const char *compare_runs(const char *const one[], const char *const other[])
{
    for (size_t i = 0; i < WPA_TRIAL_PARTS; i++) {
        if (!wpa_text_is(one[i], other[i])) {
            return "it does something else every time";
        }
    }
    return NULL;
}

static void read_pair(const wpa_sandbox_result *run, wpa_trial_pair *pair, size_t i,
                      wpa_arena *arena)
{
    const char *again[WPA_TRIAL_PARTS];
    if (!read_parts(run, wpa_arena_printf(arena, "%03zua.res", i), pair->was, arena)) {
        pair->trouble = "there was no time for it";
        return;
    }
    int64_t code = 0;
    const char *exit_text =
        wpa_arena_slice(arena, pair->was[WPA_TRIAL_EXIT], strcspn(pair->was[WPA_TRIAL_EXIT], "\n"));
    if (!wpa_text_to_int(exit_text, 0, 255, &code) || code != 0) {
        pair->trouble =
            code == ENDED_LATE || code == 137
                ? "without what it waits for it does not end"
                : wpa_arena_printf(arena, "without what it needs it stops (exit %s)", exit_text);
        return;
    }
    bool are_read = read_parts(run, wpa_arena_printf(arena, "%03zub.res", i), pair->is, arena) &&
                    read_parts(run, wpa_arena_printf(arena, "%03zuc.res", i), again, arena);
    pair->trouble = are_read ? compare_runs(pair->was, again) : "there was no time for it";
}

/** Three runs of each pair. */
static bool put_runs(box *b, const wpa_trial_pair *pairs, size_t n)
{
    static const char letters[] = "abc";
    for (size_t i = 0; i < n; i++) {
        for (const char *letter = letters; *letter; letter++) {
            const wpa_trial *trial = *letter == 'b' ? &pairs[i].after : &pairs[i].before;
            if (!put_run(b, trial, wpa_arena_printf(b->arena, "%03zu%c", i, *letter))) {
                return false;
            }
        }
    }
    return true;
}

static const wpa_sandbox_result *run_box(const box *b, size_t n, wpa_error *err)
{
    static const char *const argv[] = {"/bin/sh", "-c", driver, NULL};
    static const char *const outputs[] = {"*.res", NULL};
    const wpa_sandbox_request request = {
        .argv = argv,
        .files = b->files,
        .n_files = b->n_files,
        .outputs = outputs,
        .limits = {.wall_ms = TRIALS_MS, .output_files = (int64_t)(3 * n)},
        .is_cancelled = b->context->is_cancelled,
        .cancel_context = b->context->context,
    };
    const wpa_sandbox_result *run = wpa_sandbox_run(&request, b->arena, err);
    if (run && run->end == WPA_SANDBOX_CANCELLED) {
        WPA_FAIL(err, WPA_E_CANCELLED, "told to stop");
        return NULL;
    }
    return run;
}

bool wpa_trials_run(const wpa_test_context *context, wpa_trial_pair *pairs, size_t n,
                    wpa_error *err)
{
    box b = {.context = context,
             .arena = context->arena,
             .placed = wpa_map_new(context->arena),
             .folders = wpa_map_new(context->arena)};
    if (!put_runs(&b, pairs, n)) {
        return WPA_FAIL(err, WPA_E_LIMIT, "a script and its variables are too long");
    }
    b.n_max = b.n_files + FILES_MAX;
    for (size_t i = 0; i < n; i++) {
        put_programs(&b, pairs[i].before.step->script, true);
        put_programs(&b, pairs[i].after.step->script, true);
    }
    const wpa_sandbox_result *run = run_box(&b, n, err);
    for (size_t i = 0; run && i < n; i++) {
        read_pair(run, &pairs[i], i, b.arena);
    }
    return run != NULL;
}
