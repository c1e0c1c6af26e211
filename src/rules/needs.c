#include "rules/needs.h"

#include <string.h>
#include <strings.h>

#include <wpa/buf.h>

#include "rules/shell_roles.h"

/* Same scope already there: keep the higher level. */
static void add_scope(wpa_needs *needs, const char *scope)
{
    size_t name = strcspn(scope, ":");
    for (size_t i = 0; i < needs->n; i++) {
        if (strncmp(needs->scopes[i], scope, name + 1) == 0) {
            needs->scopes[i] = wpa_text_ends(scope, "write") ? scope : needs->scopes[i];
            return;
        }
    }
    if (needs->n < WPA_NEEDS_MAX) {
        needs->scopes[needs->n++] = scope;
    } else {
        needs->is_complete = false;
    }
}

static void add_all(wpa_needs *needs, wpa_fact_list scopes)
{
    for (size_t i = 0; scopes[i]; i++) {
        add_scope(needs, scopes[i]);
    }
}

/* Index of the next word that is no option, nor the value of "--repo x"; n_words at the end. */
static size_t next_word(const wpa_shell_command *command, size_t i)
{
    for (i++; i < command->n_words && command->words[i].text[0] == '-'; i++) {
        const char *word = command->words[i].text;
        i += wpa_text_is(word, "--repo") || wpa_text_is(word, "-R") || wpa_text_is(word, "-C");
    }
    return i;
}

/** Windows knows a program by any case, and with its ending. */
static bool is_named(const char *name, const char *program, size_t length)
{
    return wpa_bytes_are_ci(name, program, length) && /* up to where they differ */
           (!name[length] || wpa_text_is_ci(name + length, ".exe"));
}

static bool is_one_of(const char *name, const char *const programs[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        bool may_be = !((*name ^ *programs[i]) & ~0x20); /* before its length is asked for */
        if (may_be && is_named(name, programs[i], strlen(programs[i]))) {
            return true;
        }
    }
    return false;
}

static bool command_begins(const wpa_shell_command *command, const char *words)
{
    for (size_t i = command->first; *words; i = next_word(command, i)) {
        size_t length = strcspn(words, " ");
        const char *word = i == command->first    ? command->name
                           : i < command->n_words ? command->words[i].text
                                                  : "";
        bool is_program = i == command->first && is_named(word, words, length);
        if (!is_program && (strlen(word) != length || memcmp(word, words, length) != 0)) {
            return false;
        }
        words += length + strspn(words + length, " ");
    }
    return true;
}

#define LETTERS 32
#define HARMLESS_MAX 18

/* Programs that never talk to the forge with the job's token, PowerShell's and cmd's too; by the
   lower bits of their first letter, which are the same in both cases. */
static const char *const harmless[LETTERS][HARMLESS_MAX + 1] = {
    ['[' & 31] = {"[", "[["},
    ['a' & 31] = {"awk", "apt-get", "apt", "add-content"},
    ['b' & 31] = {"brew", "bundle", "black"},
    ['c' & 31] = {"cd", "cp", "cat", "cargo", "cmake", "ctest", "chmod", "composer", "cut", "case",
                  "copy-item", "convertfrom-json", "convertto-json", "compress-archive", "copy",
                  "choco", "clang", "cl"},
    ['d' & 31] = {"diff", "dotnet", "del", "dir"},
    ['e' & 31] = {"echo", "export", "exit", "eslint", "else", "elseif", "expand-archive"},
    ['f' & 31] = {"false", "flake8", "find", "for", "foreach-object", "foreach"},
    ['g' & 31] = {"grep", "go", "gradle", "get-item", "get-childitem", "get-content",
                  "get-location", "get-filehash", "get-command"},
    ['h' & 31] = {"head"},
    ['i' & 31] = {"if"},
    ['j' & 31] = {"jq", "join-path"},
    ['l' & 31] = {"ls"},
    ['m' & 31] = {"mkdir", "mv", "mvn", "make", "mypy", "move-item", "measure-object", "move", "md",
                  "msbuild"},
    ['n' & 31] = {"npm", "node", "new-item", "nuget"},
    ['o' & 31] = {"out-file", "out-null", "out-string"},
    ['p' & 31] = {"printf", "pnpm", "pip", "pip3", "pytest", "python", "python3", "php", "poetry",
                  "pwd", "push-location", "pop-location"},
    ['r' & 31] = {"rm", "ruff", "remove-item", "rename-item", "resolve-path", "rem", "rd",
                  "robocopy", "rustup"},
    ['s' & 31] = {"set", "sed", "sleep", "sort", "set-content", "split-path", "set-location",
                  "select-string", "select-object", "sort-object", "start-sleep"},
    ['t' & 31] = {"test", "true", "tail", "tox", "tar", "tsc", "touch", "tee", "tr", "throw",
                  "test-path", "type", "timeout"},
    ['u' & 31] = {"unzip", "uv"},
    ['v' & 31] = {"vcpkg"},
    ['w' & 31] = {"wc", "write-host", "write-output", "write-error", "write-warning",
                  "where-object"},
    ['x' & 31] = {"xcopy"},
    ['y' & 31] = {"yarn"},
    ['z' & 31] = {"zip"},
};

static bool is_harmless(const char *name)
{
    const char *const *programs = harmless[*name & (LETTERS - 1)];
    for (size_t i = 0; programs[i]; i++) {
        if (is_named(name, programs[i], strlen(programs[i]))) {
            return true;
        }
    }
    return false;
}

/** Do the first two letters fit, in any case? Most rows, and most programs, are told apart so. */
static bool may_begin(const char *name, const char *words)
{
    return !((*name ^ *words) & ~0x20) && *name &&
           (words[1] == ' ' || !((name[1] ^ words[1]) & ~0x20));
}

static void add_command(wpa_needs *needs, const wpa_shell_command *command, uint32_t firsts)
{
    size_t n;
    const wpa_fact_need *known = wpa_facts_command_needs(&n);
    bool may_need = (firsts & wpa_fact_first_bit(command->name)) != 0;
    for (size_t i = 0; may_need && i < n; i++) {
        if (may_begin(command->name, known[i].name) && command_begins(command, known[i].name)) {
            add_all(needs, known[i].scopes);
            return;
        }
    }
    needs->is_complete =
        needs->is_complete &&
        (!*command->name || is_named(command->name, "git", 3) || is_harmless(command->name));
}

/* Does gh get a token that is not the job's own, from the innermost env that names one? */
static bool has_other_token(const wpa_outline_step *step)
{
    static const char *const names[] = {"GH_TOKEN", "GITHUB_TOKEN"};
    const wpa_yaml_node *scopes[] = {step->node, step->job->node, step->node->doc->root};
    for (size_t i = 0; i < WPA_COUNT(names); i++) {
        for (size_t k = 0; k < WPA_COUNT(scopes); k++) {
            const char *text =
                wpa_yaml_text(wpa_yaml_get(wpa_yaml_get(scopes[k], "env"), names[i]));
            if (text) {
                return !wpa_text_seek_ci(text, "GITHUB_TOKEN") &&
                       !wpa_text_seek_ci(text, "github.token") && strstr(text, "${{");
            }
        }
    }
    return false;
}

void wpa_needs_add_step(wpa_needs *needs, const wpa_outline_step *step)
{
    if (step->uses.kind != WPA_OUTLINE_NONE) {
        const wpa_fact_need *need = step->uses.fact ? step->uses.fact->need : NULL;
        if (need) {
            add_all(needs, need->scopes);
        } else {
            needs->is_complete = false;
        }
        return;
    }
    const wpa_script *script = wpa_step_commands(step);
    uint32_t firsts = wpa_facts_command_need_firsts();
    needs->is_complete = needs->is_complete && script;
    for (size_t i = 0; script && i < script->n_commands; i++) {
        const wpa_shell_command *command = &script->commands[i];
        if (!is_named(command->name, "gh", 2) || !has_other_token(step)) {
            add_command(needs, command, firsts);
        }
    }
}

void wpa_needs_add_job(wpa_needs *needs, const wpa_outline_job *job)
{
    needs->is_complete = needs->is_complete && !job->is_call;
    for (size_t i = 0; i < job->n_steps; i++) {
        wpa_needs_add_step(needs, &job->steps[i]);
    }
}

wpa_needs wpa_needs_of(const wpa_outline *outline)
{
    wpa_needs needs = {.is_complete = true};
    for (size_t i = 0; i < outline->n_jobs; i++) {
        wpa_needs_add_job(&needs, &outline->jobs[i]);
    }
    return needs;
}

const char *wpa_needs_text(const wpa_needs *needs, wpa_arena *arena)
{
    WPA_AUTO(wpa_buf) *buf = wpa_buf_new(4096);
    wpa_buf_text(buf, needs->n ? "permissions:" : "permissions: {}");
    for (size_t i = 0; i < needs->n; i++) {
        wpa_buf_printf(buf, "\n  %s", needs->scopes[i]);
    }
    return wpa_buf_dup(buf, arena);
}

/* ---- pushing -----------------------------------------------------------------------------------
 */

/* Actions that push, fetch or release with the credentials that checkout left. */
static const char *const pushing[] = {
    "stefanzweifel/git-auto-commit-action",
    "endbug/add-and-commit",
    "ad-m/github-push-action",
    "peter-evans/create-pull-request",
    "jamesives/github-pages-deploy-action",
    "changesets/action",
    "cycjimmy/semantic-release-action",
    "python-semantic-release/python-semantic-release",
    "relekang/python-semantic-release",
    "tj-actions/changed-files",
    "mathieudutour/github-tag-action",
    "anothrnick/github-tag-action",
    "helm/chart-releaser-action",
    "googleapis/release-please-action",
    "dorny/paths-filter",
    "planetscale/ghcommit-action",
    "repo-sync/pull-request",
    "technote-space/create-pr-action",
    "pascalgn/automerge-action",
    "peaceiris/actions-gh-pages",
    "goreleaser/goreleaser-action",
    "docker://ghcr.io/anothrnick/github-tag-action",
    "crate-ci/committed",
    "wagoid/commitlint-github-action",
    "korthout/backport-action",
    "tibdex/backport",
    "super-linter/super-linter",
    "github/super-linter",
    "release-drafter/release-drafter",
    "lerna-lite/lerna-lite",
};

static const char *const git_network[] = {"push",      "fetch",  "pull",    "clone", "submodule",
                                          "ls-remote", "remote", "subtree", "lfs",   "worktree"};

/* Words that say a script of the project's own may release or push. */
static const char *const release_words[WPA_RELEASE_WORDS] = {
    "release", "publish",  "deploy", "push",      "bump",
    "version", "gh-pages", "tag",    "changelog", "backport"};

wpa_release_words wpa_release_words_of(const wpa_yaml_doc *doc)
{
    wpa_release_words held = {.n = 0};
    for (size_t i = 0; i < WPA_COUNT(release_words); i++) {
        if (wpa_yaml_may_hold(doc, release_words[i])) {
            held.items[held.n++] = wpa_slice_of(release_words[i]);
        }
    }
    return held;
}

static bool names_a_release(const wpa_release_words *words, const char *text, size_t length)
{
    for (size_t i = 0; i < words->n; i++) {
        if (wpa_text_find_slice_ci(text, length, words->items[i])) {
            return true;
        }
    }
    return false;
}

/** Most scripts hold none, neither as they stand nor in the words that quotes are in. */
static bool may_name_a_release(const wpa_outline_step *step, const wpa_release_words *words)
{
    bool may = names_a_release(words, step->run->text, step->run->length);
    for (size_t i = 0; i < step->n_unquoted && !may; i++) {
        may = names_a_release(words, step->unquoted[i].at, step->unquoted[i].length);
    }
    return may;
}

static bool uses_network(const wpa_shell_command *command)
{
    for (size_t i = command->first + 1; i < command->n_words; i++) {
        if (wpa_text_index(command->words[i].text, git_network, WPA_COUNT(git_network)) >= 0) {
            return true;
        }
    }
    return false;
}

static bool is_for_release(const wpa_shell_command *command, const wpa_release_words *words)
{
    static const char *const quiet[] = {"echo", "printf", "cd", "mkdir",      "cp",          "mv",
                                        "rm",   "cat",    "ls", "export",     "grep",        "sed",
                                        "jq",   "test",   "[",  "write-host", "write-output"};
    if (is_one_of(command->name, quiet, WPA_COUNT(quiet))) {
        return false;
    }
    for (size_t i = command->first; i < command->n_words; i++) {
        const char *word = command->words[i].text;
        if (names_a_release(words, word, strlen(word))) {
            return true;
        }
    }
    return false;
}

bool wpa_needs_action_pushes(const wpa_outline_step *step)
{
    for (size_t i = 0; step->uses.kind == WPA_OUTLINE_REPOSITORY && i < WPA_COUNT(pushing); i++) {
        if (wpa_slice_is_ci(step->uses.slug, pushing[i])) {
            return true;
        }
    }
    return false;
}

bool wpa_needs_git_credentials(const wpa_outline_step *step, const wpa_release_words *words)
{
    if (wpa_needs_action_pushes(step)) {
        return true;
    }
    if (!step->run) {
        return false;
    }
    const wpa_script *script = wpa_step_commands(step);
    bool may_release = may_name_a_release(step, words);
    if (!script) {
        return may_release || strstr(step->run->text, "git ");
    }
    for (size_t i = 0; i < script->n_commands; i++) {
        const wpa_shell_command *c = &script->commands[i];
        if (is_named(c->name, "git", 3) ? uses_network(c)
                                        : may_release && is_for_release(c, words)) {
            return true;
        }
    }
    return false;
}

/* ---- granting ---- */

static bool is_scope(const wpa_yaml_pair *pair, const char *scope)
{
    const char *key = wpa_yaml_text(pair->key);
    size_t length = strcspn(scope, ":");
    return key && strlen(key) == length && strncmp(key, scope, length) == 0;
}

/** What the workflow grants, with the scope, for the job alone. */
static const char *with_scope(const wpa_rule_run *run, const wpa_yaml_node *map, const char *scope)
{
    const char *text = "permissions:";
    for (size_t i = 0; i < map->n_pairs; i++) {
        const char *key = wpa_yaml_text(map->pairs[i].key);
        const char *level = wpa_yaml_text(map->pairs[i].value);
        if (key && level && !is_scope(&map->pairs[i], scope)) {
            text = wpa_arena_printf(run->arena, "%s\n  %s: %s", text, key, level);
        }
    }
    return wpa_arena_printf(run->arena, "%s\n  %s", text, scope);
}

void wpa_needs_grant(wpa_rule_run *run, wpa_fix *fix, const wpa_outline_job *job,
                     const wpa_yaml_node *permissions, const char *scope)
{
    if (!wpa_yaml_is(permissions, WPA_YAML_MAPPING)) {
        return; /* read-all and the like are a decision for all scopes */
    }
    if (permissions->parent != job->node) {
        const wpa_yaml_pair *behind = wpa_yaml_find(job->node, job->is_call ? "uses" : "runs-on");
        if (behind && behind->value->parent == job->node) {
            (void)wpa_rule_insert_behind(run, fix, behind->value, "%s",
                                         with_scope(run, permissions, scope));
        }
        return;
    }
    for (size_t i = 0; i < permissions->n_pairs; i++) {
        if (is_scope(&permissions->pairs[i], scope)) {
            wpa_rule_edit(run, fix, permissions->pairs[i].value->span, "%s",
                          scope + strcspn(scope, ":") + 2);
            return;
        }
    }
    if (permissions->n_pairs && permissions->style == WPA_YAML_FLOW) {
        size_t end = permissions->pairs[permissions->n_pairs - 1].value->span.end;
        wpa_rule_edit(run, fix, (wpa_span){end, end}, ", %s", scope);
    } else if (permissions->n_pairs) {
        (void)wpa_rule_insert_behind(run, fix, permissions->pairs[permissions->n_pairs - 1].value,
                                     "%s", scope);
    } else { /* {} */
        wpa_rule_edit(run, fix, permissions->span, "{%s}", scope);
    }
}
