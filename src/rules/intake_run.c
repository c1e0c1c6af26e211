/* Does a step run what came in: a build, a test, a script of the tree? */
#include <string.h>

#include "facts/commands.h"
#include "rules/intake.h"
#include "rules/own.h"
#include "rules/shell_posix.h"
#include "rules/shell_roles.h"
#include "rules/steps.h"

/* ---- files of the tree ---- */

/* Is this word a path below the folder, or any path of the tree if that is the workspace? */
static bool is_below(const wpa_intake *intake, const char *word)
{
    static const char *const workspace[] = {"$GITHUB_WORKSPACE/",
                                            "${GITHUB_WORKSPACE}/",
                                            "$env:GITHUB_WORKSPACE",
                                            "%GITHUB_WORKSPACE%",
                                            "$PWD/",
                                            "${PWD}/",
                                            "$(pwd)/",
                                            "`pwd`/"};
    const char *folder = intake->folder;
    for (size_t i = 0; i < WPA_COUNT(workspace); i++) {
        word += wpa_text_starts(word, workspace[i]) ? strlen(workspace[i]) : 0;
    }
    bool is_path = word[0] != '/' && word[0] != '-' && word[0] != '$' && word[0] != '~';
    word += wpa_text_starts(word, "./") ? 2 : 0;
    if (!folder || !*folder) {
        return is_path;
    }
    return strstr(word, folder) != NULL;
}

/* Does the list behind "in" hold files of the tree: "tests/\*.sh", or what find and ls tell? */
static bool lists_files(const wpa_intake *intake, const wpa_shell_command *c, size_t i)
{
    static const char *const listings[] = {"$(find ", "$(ls ", "$(git ls-files"};
    for (; i < c->n_words; i++) {
        const char *word = c->words[i].text;
        for (size_t k = 0; k < WPA_COUNT(listings); k++) {
            if (wpa_text_starts(word, listings[k])) {
                return true;
            }
        }
        if (strpbrk(word, "*/.") && is_below(intake, word)) {
            return true;
        }
    }
    return false;
}

#define LOOP_MAX_COMMANDS 256 /* how far behind its head a command is still taken for a loop's */
#define LOOP_HEAD_WORDS 8     /* "do for f in" */

/* Is the word "$f", where "for f in ..." goes through files of the tree? */
static bool is_file_of_loop(const wpa_intake *intake, const wpa_script *script,
                            const wpa_shell_command *c, const char *word)
{
    word += wpa_text_starts(word, "./") ? 2 : 0;
    if (word[0] != '$' || !c->loops) {
        return false;
    }
    word += word[1] == '{' ? 2 : 1;
    size_t length = strcspn(word, "}");
    size_t n = (size_t)(c - script->commands);
    for (size_t back = 1; back <= n && back <= LOOP_MAX_COMMANDS; back++) {
        const wpa_shell_command *loop = c - back;
        for (size_t i = 0; i + 3 < loop->n_words && i < LOOP_HEAD_WORDS; i++) {
            if (wpa_text_is(loop->words[i].text, "for") &&
                wpa_slice_is((wpa_slice){word, length}, loop->words[i + 1].text) &&
                wpa_text_is(loop->words[i + 2].text, "in")) {
                return lists_files(intake, loop, i + 3);
            }
        }
    }
    return false;
}

static bool is_file(const wpa_intake *intake, const wpa_script *script, const wpa_shell_command *c,
                    const char *word)
{
    return is_below(intake, word) || is_file_of_loop(intake, script, c, word);
}

/* ---- scripts of the tree ---- */

static bool is_interpreter(const char *name)
{
    static const char *const interpreters[] = {
        "bash", "sh",     "zsh",    "python",     "python3", "node",    "ruby",    "perl",
        "php",  "source", ".",      "deno",       "bun",     "tsx",     "Rscript", "pwsh",
        "java", "lua",    "elixir", "powershell", "call",    "cscript", "groovy",  "jbang",
        "fish", "dash",   "ksh",    "tclsh",      "expect",  "runghc",  "guile"};
    return wpa_text_index(name, interpreters, WPA_COUNT(interpreters)) >= 0;
}

/* "bash -n x.sh" only reads it. */
static bool only_parses(const wpa_shell_command *c)
{
    return wpa_posix_is_shell(c->name) && wpa_shell_word_find(c, "-n");
}

/* Is what the program is to run told by an option: code, a command or a module? */
static bool has_code(const wpa_shell_command *c)
{
    static const char *const options[] = {"-c", "-e", "-m", "-Command"};
    for (size_t i = 0; i < WPA_COUNT(options); i++) {
        if (wpa_shell_word_find(c, options[i])) {
            return true;
        }
    }
    return false;
}

/* "cat x.sh |", "sed s/a/b/ x.sh |": what goes on from here is text of a file of the tree. */
static bool hands_on_file(const wpa_intake *intake, const wpa_shell_command *c)
{
    static const char *const readers[] = {"cat", "head", "tail", "tac"};
    static const char *const filters[] = {"sed", "grep", "awk", "jq", "yq"};
    bool is_reader = wpa_text_index(c->name, readers, WPA_COUNT(readers)) >= 0;
    bool is_filter = wpa_text_index(c->name, filters, WPA_COUNT(filters)) >= 0;
    const wpa_shell_word *file =
        is_reader || is_filter ? wpa_shell_argument(c, is_filter ? 1 : 0) : NULL;
    return file && is_below(intake, file->text);
}

/* "find tests |", "git ls-files |": names of files of the tree. */
static bool hands_on_names(const wpa_intake *intake, const wpa_shell_command *c)
{
    const wpa_shell_word *from = wpa_shell_argument(c, 0);
    bool is_listing = wpa_text_is(c->name, "find") || wpa_text_is(c->name, "ls");
    return (is_listing && (!from || is_below(intake, from->text))) ||
           wpa_shell_is(c, "git", "ls-files") || hands_on_file(intake, c);
}

static bool is_called_by_xargs(const wpa_shell_command *c)
{
    for (size_t i = 0; i < c->first; i++) {
        if (wpa_text_is(c->words[i].text, "xargs")) {
            return true;
        }
    }
    return false;
}

#define PIPE_MAX_COMMANDS 32

/* An interpreter without a script takes it, or its name for xargs, from what stands before it. */
static bool is_fed_file(const wpa_intake *intake, const wpa_script *script,
                        const wpa_shell_command *c)
{
    bool takes_names = is_called_by_xargs(c);
    for (size_t i = 0; i < c->n_redirects && !takes_names; i++) {
        const wpa_shell_redirect *r = &c->redirects[i];
        if (wpa_text_is(r->operator, "<") && is_below(intake, r->target.text)) {
            return true;
        }
    }
    size_t n = (size_t)(c - script->commands);
    for (size_t back = 1; back <= n && back <= PIPE_MAX_COMMANDS; back++) {
        const wpa_shell_command *at = c - back + 1;
        if (at->before[0] != '|' || at->before[1] == '|') {
            return false;
        }
        if (takes_names ? hands_on_names(intake, at - 1) : hands_on_file(intake, at - 1)) {
            return true;
        }
    }
    return false;
}

/* eval "$(cat x.sh)", and the same behind "bash -c". */
static bool evaluates_file(const wpa_intake *intake, const wpa_shell_command *c)
{
    static const char *const reads[] = {"$(cat ", "$(<", "`cat "};
    bool is_code = wpa_text_is(c->name, "eval") ||
                   (wpa_posix_is_shell(c->name) && wpa_shell_word_find(c, "-c"));
    for (size_t i = c->first + 1; is_code && i < c->n_words; i++) {
        for (size_t k = 0; k < WPA_COUNT(reads); k++) {
            const char *at = strstr(c->words[i].text, reads[k]);
            at = at ? at + strlen(reads[k]) : NULL;
            if (at && is_below(intake, at + strspn(at, " \"'"))) {
                return true;
            }
        }
    }
    return false;
}

static bool runs_script(const wpa_intake *intake, const wpa_script *script,
                        const wpa_shell_command *c)
{
    const wpa_shell_word *file = wpa_shell_argument(c, 0);
    if (!is_interpreter(c->name) || only_parses(c) || has_code(c)) {
        return false;
    }
    return file && !wpa_text_is(file->text, "/dev/stdin") ? is_file(intake, script, c, file->text)
                                                          : is_fed_file(intake, script, c);
}

static bool runs_file(const wpa_intake *intake, const wpa_script *script,
                      const wpa_shell_command *c)
{
    if (c->n_words <= c->first) {
        return false;
    }
    const char *program = c->words[c->first].text;
    bool is_filter =
        wpa_text_is(c->name, "awk") || wpa_text_is(c->name, "gawk") || wpa_text_is(c->name, "sed");
    if (is_filter) {
        return wpa_shell_word_find(c, "-f") != NULL;
    }
    bool is_script = wpa_text_ends(c->name, ".bat") || wpa_text_ends(c->name, ".cmd") ||
                     wpa_text_ends(c->name, ".ps1");
    return ((is_script || strpbrk(program, "/\\")) && is_below(intake, program)) ||
           is_file_of_loop(intake, script, c, program) || evaluates_file(intake, c) ||
           runs_script(intake, script, c);
}

/* ---- builds ---- */

/* Arguments of a command as the tables take them. */
static size_t arguments_of(const wpa_shell_command *c, const char *words[], size_t max)
{
    size_t n = 0;
    for (size_t i = c->first + 1; i < c->n_words && n < max; i++) {
        words[n++] = c->words[i].text;
    }
    return n;
}

/* A program and what stands behind it, in the script or behind another program. */
typedef struct deed {
    const char *name;
    const char *const *words;
    size_t n;
} deed;

static bool has_argument(const deed *d, const char *text)
{
    return wpa_text_index(text, d->words, d->n) >= 0;
}

/* "npm install -g x": a package for the whole machine, for which no file of the tree is read. */
static bool is_for_all(const deed *d)
{
    static const char *const managers[] = {"npm", "pnpm", "yarn", "bun", "composer"};
    return wpa_text_index(d->name, managers, WPA_COUNT(managers)) >= 0 &&
           (has_argument(d, "-g") || has_argument(d, "--global") ||
            (d->n && wpa_text_is(d->words[0], "global")));
}

static const char *tree_file_of(const deed *d)
{
    bool only_tells =
        d->n == 1 && (wpa_text_is(d->words[0], "--version") || wpa_text_is(d->words[0], "-v"));
    bool is_without = wpa_text_starts(d->name, "R") && has_argument(d, "--vanilla");
    return only_tells || is_without || is_for_all(d) ? NULL
                                                     : wpa_facts_tree_file(d->name, d->words, d->n);
}

/* Packages of a registry by their names, as against what the project itself says. */
static bool installs_others(const deed *d)
{
    static const char *const named[] = {"pip", "pip3", "apt",  "apt-get", "brew",
                                        "gem", "git",  "gh",   "docker",  "cargo",
                                        "go",  "curl", "wget", "pipx"};
    bool is_pip = d->n > 1 && wpa_text_is(d->words[0], "-m") && wpa_text_starts(d->words[1], "pip");
    bool is_own = has_argument(d, "-r") || has_argument(d, "-e");
    for (size_t i = 0; i < d->n; i++) { /* ".", "./a", ".[b]" */
        is_own = is_own || (d->words[i][0] == '.' && strchr("/[", d->words[i][1]));
    }
    bool is_tool = d->n > 1 && wpa_text_is(d->words[0], "tool"); /* of uv, dotnet */
    return is_for_all(d) ||
           ((is_pip || is_tool || wpa_text_index(d->name, named, WPA_COUNT(named)) >= 0) &&
            !is_own);
}

/* "python -m tox" and the like; what it calls modules Python looks for in the tree first. */
static bool runs_module(const deed *d)
{
    static const char *const others[] = {"pip",       "venv",    "virtualenv", "ensurepip",  "pipx",
                                         "json.tool", "zipfile", "py_compile", "compileall", "site",
                                         "sysconfig", "tarfile", "platform",   "http.server"};
    ptrdiff_t at = wpa_text_starts(d->name, "python") ? wpa_text_index("-m", d->words, d->n) : -1;
    if (at < 0 || (size_t)at + 1 >= d->n) {
        return false;
    }
    const char *module = d->words[at + 1];
    deed inner = {module, d->words + at + 2, d->n - (size_t)at - 2};
    return tree_file_of(&inner) || (wpa_facts_program_known(module) == 0 &&
                                    wpa_text_index(module, others, WPA_COUNT(others)) < 0);
}

static bool builds(const deed *d)
{
    unsigned known = *d->name ? wpa_facts_program_known(d->name) : 0;
    unsigned roles = wpa_facts_command_roles(d->name, known, d->words, d->n);
    return (roles & (WPA_DOES_BUILD | WPA_DOES_TEST)) != 0 ||
           ((roles & WPA_DOES_INSTALL) != 0 && !installs_others(d)) ||
           wpa_text_is(d->name, "make") || wpa_text_is(d->name, "make.exe") ||
           tree_file_of(d) != NULL || runs_module(d);
}

/* Where a container has the workspace, by "-v $PWD:/work"; NULL if the word mounts it nowhere. */
static const char *mount_of(const char *word)
{
    static const char *const places[] = {"PWD", "pwd", "GITHUB_WORKSPACE"};
    bool is_mount = word[0] == '_' && strstr(word, "_:/");
    for (size_t k = 0; k < WPA_COUNT(places); k++) {
        is_mount = is_mount || strstr(word, places[k]);
    }
    const char *colon = is_mount ? strstr(word, ":/") : NULL;
    return colon ? colon + 1 : is_mount ? "" : NULL;
}

/* "sh /work/run.sh", where the workspace is /work. */
static bool runs_mounted(const deed *d, const char *mount)
{
    size_t length = strcspn(mount, ":");
    return length && d->n && is_interpreter(d->name) && strncmp(d->words[0], mount, length) == 0 &&
           d->words[0][length] == '/';
}

/* "docker run -v $PWD:/work image make": the workspace is in the container, and what runs there. */
static bool builds_in_container(const deed *d)
{
    const char *mount = NULL;
    for (size_t i = 1; i < d->n; i++) {
        const char *own = mount_of(d->words[i]);
        mount = own ? own : mount;
        deed inner = {d->words[i], d->words + i + 1, d->n - i - 1};
        if (mount && i > 1 && (builds(&inner) || runs_mounted(&inner, mount))) {
            return true;
        }
    }
    return false;
}

/* "find tests -name '*.sh' -exec bash {} ;": what it finds is run. */
static bool runs_found(const wpa_intake *intake, const wpa_shell_command *c)
{
    static const char *const options[] = {"-exec", "-execdir", "-ok", "-okdir"};
    const wpa_shell_word *from = wpa_text_is(c->name, "find") ? wpa_shell_argument(c, 0) : NULL;
    for (size_t i = c->first + 1; from && i + 2 < c->n_words; i++) {
        if (wpa_text_index(c->words[i].text, options, WPA_COUNT(options)) < 0) {
            continue;
        }
        const char *program = c->words[i + 1].text, *words[32];
        size_t n = 0;
        for (size_t k = i + 2; k < c->n_words && n < WPA_COUNT(words); k++) {
            words[n++] = c->words[k].text;
        }
        deed inner = {program, words, n};
        bool is_run = wpa_text_is(program, "{}") ||
                      (is_interpreter(program) && wpa_text_is(words[0], "{}")) || builds(&inner);
        if (is_run && is_below(intake, from->text)) {
            return true;
        }
    }
    return false;
}

static bool builds_tree(const wpa_shell_command *c)
{
    const char *words[32];
    deed d = {c->name, words, arguments_of(c, words, WPA_COUNT(words))};
    bool is_container = wpa_shell_is(c, "docker", "run") || wpa_shell_is(c, "podman", "run");
    return builds(&d) || (is_container && builds_in_container(&d));
}

/* Does the step work in another folder, and speak of this one nowhere? */
static bool is_elsewhere(const wpa_intake *intake, const wpa_outline_step *step)
{
    const char *there = wpa_yaml_text(wpa_yaml_get(step->node, "working-directory"));
    const char *folder = intake->folder;
    return folder && *folder && there && !wpa_outline_has_expression(there) &&
           !strstr(there, folder) && step->run && !strstr(step->run->text, folder);
}

bool wpa_intake_is_run_by(const wpa_intake *intake, const wpa_outline_step *step, wpa_span *span)
{
    bool is_tree = intake->kind == WPA_INTAKE_CHECKOUT;
    if (step->uses.kind == WPA_OUTLINE_LOCAL) {
        *span = step->uses.span;
        return is_below(intake, wpa_yaml_text(step->uses.node));
    }
    if (step->uses.kind == WPA_OUTLINE_REPOSITORY) {
        *span = step->uses.span;
        return is_tree && wpa_outline_uses_trait(step, WPA_TRAIT_TREE_RUNNER);
    }
    if (is_elsewhere(intake, step)) {
        return false;
    }
    const wpa_script *script = wpa_step_commands(step);
    for (size_t i = 0; script && i < script->n_commands; i++) {
        const wpa_shell_command *c = &script->commands[i];
        bool is_behind = step != intake->step ||
                         wpa_outline_script_span(step, c->span).start > intake->span.start;
        if (c->n_words && is_behind &&
            (runs_file(intake, script, c) || runs_found(intake, c) ||
             (is_tree && builds_tree(c)))) {
            *span = wpa_outline_script_span(step, c->span);
            return true;
        }
    }
    return false;
}

const char *wpa_intake_file_at(const wpa_outline_step *step, wpa_span span)
{
    const wpa_script *script = wpa_step_commands(step);
    for (size_t i = 0; script && i < script->n_commands; i++) {
        const wpa_shell_command *c = &script->commands[i];
        if (wpa_outline_script_span(step, c->span).start == span.start) {
            const char *words[32];
            deed d = {c->name, words, arguments_of(c, words, WPA_COUNT(words))};
            return tree_file_of(&d);
        }
    }
    return NULL;
}

#define RUNS_MAX 16 /* steps that are named */

void wpa_intake_relate_runs(wpa_rule_run *run, wpa_finding *finding, const wpa_outline_job *job,
                            const wpa_intake *intake)
{
    wpa_span span;
    for (size_t i = intake->step->index, n = 0; i < job->n_steps && n < RUNS_MAX; i++) {
        if (wpa_intake_is_run_by(intake, &job->steps[i], &span)) {
            const char *file = wpa_intake_file_at(&job->steps[i], span);
            wpa_rule_relate(run, finding, span, file ? "runs it, as told by %s" : "runs it%s",
                            file ? file : "");
            wpa_rule_relate_script(run, finding, job->steps[i].run, span);
            n++;
        }
    }
}
