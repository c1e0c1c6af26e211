/* SEC-033: packages named on a command line, whose versions no file of the repository fixes. */
#include <ctype.h>
#include <string.h>

#include "rules/shell_roles.h"
#include "rules/steps.h"

/* One installing command while it is read. */
typedef struct install {
    wpa_rule_run *run;
    const wpa_outline_step *step;
    const wpa_shell_command *command;
    const wpa_fact_installer *row;
    const wpa_shell_word *packages[32];
    size_t n_packages;
    bool has_version;      /* by an option */
    bool is_locked;        /* by an option: a file of the repository decides */
    bool answers_yes;      /* npx -y */
    bool has_named_source; /* the package is named by an option, not by an argument */
    bool has_source;       /* ... and the option stands for all arguments: "--git URL" */
    bool has_commit;       /* --rev */
} install;

/* "a|b" holds text. */
static bool is_choice(const char *choices, wpa_slice text)
{
    for (const char *at = choices; at && *at;) {
        size_t length = strcspn(at, "|");
        if (length == text.length && memcmp(at, text.at, length) == 0) {
            return true;
        }
        at += length + (at[length] == '|');
    }
    return false;
}

static void add_package(install *in, const wpa_shell_word *word)
{
    if (in->n_packages < WPA_COUNT(in->packages)) {
        in->packages[in->n_packages++] = word;
    }
}

/* The name of a variable that a word is nothing but: "$NAME", "${NAME}"; empty: it is not. */
static wpa_slice variable_of(const wpa_shell_word *word)
{
    const char *text = word->text + (word->text[0] == '$') + (word->text[1] == '{');
    size_t length = word->text[0] == '$' ? wpa_text_name_length(text) : 0;
    bool is_whole = text[length] == '\0' || wpa_text_is(text + length, "}");
    return (wpa_slice){text, is_whole ? length : 0};
}

/* "for NAME in a b; do gem install "$NAME"; done": the words of the last loop of that name. */
static void add_values(install *in, const wpa_shell_word *word)
{
    const wpa_script *script = in->step->lexed;
    wpa_slice name = variable_of(word);
    const wpa_shell_command *loop = NULL;
    bool is_asked = name.length && script && script->language == WPA_SCRIPT_POSIX &&
                    in->command >= script->commands &&
                    in->command < script->commands + script->n_commands &&
                    wpa_rule_spend(in->run, script->n_commands);
    for (const wpa_shell_command *c = in->command; is_asked && !loop && c-- > script->commands;) {
        bool is_loop = wpa_text_is(c->name, "for") && c->n_words > c->first + 2 &&
                       wpa_slice_is(name, c->words[c->first + 1].text) &&
                       wpa_text_is(c->words[c->first + 2].text, "in");
        loop = is_loop ? c : NULL;
    }
    for (size_t i = loop ? loop->first + 3 : 0; loop && i < loop->n_words; i++) {
        add_package(in, &loop->words[i]);
    }
}

/* "echo a b | xargs gem install": the words that come down the pipe. */
static void add_piped(install *in)
{
    const wpa_shell_command *c = in->command;
    bool is_xargs = false;
    for (size_t i = 0; i < c->first; i++) {
        is_xargs = is_xargs || wpa_text_is(c->words[i].text, "xargs");
    }
    const wpa_script *script = in->step->lexed;
    bool is_fed = is_xargs && script && c > script->commands &&
                  c < script->commands + script->n_commands && wpa_text_is(c->before, "|") &&
                  wpa_text_is(c[-1].name, "echo");
    for (size_t i = is_fed ? c[-1].first + 1 : 0; is_fed && i < c[-1].n_words; i++) {
        if (c[-1].words[i].text[0] != '-') {
            add_package(in, &c[-1].words[i]);
        }
    }
}

/* "--source path": what is named is a folder. */
static bool is_of_path(const wpa_fact_installer *row, wpa_slice option, const char *value)
{
    return wpa_text_is(row->kind, "pub") && wpa_text_is(value, "path") &&
           (wpa_slice_is(option, "-s") || wpa_slice_is(option, "--source"));
}

/* The package is named by an option: by --git it is, whatever the arguments say. */
static void name_package(install *in, wpa_slice option, const wpa_shell_word *word)
{
    if (is_choice(in->row->from_option, option) && !in->has_source) {
        in->has_source = true;
        in->n_packages = 0;
    }
    in->has_named_source = true;
    add_package(in, word);
}

/* An option; returns how many words it takes beyond itself. */
static size_t read_option(install *in, const wpa_shell_word *word, const wpa_shell_word *next)
{
    const wpa_fact_installer *row = in->row;
    size_t length = strcspn(word->text, "=");
    bool has_value = word->text[length] == '=';
    wpa_slice name = {word->text, length};
    size_t taken = has_value ? 0 : 1;
    const char *value = has_value ? word->text + length + 1 : next ? next->text : "";
    in->has_commit = in->has_commit || wpa_slice_is(name, "--rev");
    in->is_locked = in->is_locked || is_of_path(row, name, value);
    if (wpa_fact_list_has(row->lock_options, name)) {
        bool is_file = wpa_text_is(row->kind, "pypi") && !wpa_slice_is(name, "--require-hashes") &&
                       !wpa_slice_is(name, "--no-index");
        in->is_locked = in->is_locked || !is_file;
        return is_file ? taken : 0;
    }
    if (wpa_fact_list_has(row->version_options, name)) {
        in->has_version = true;
        return taken;
    }
    bool names_package = is_choice(row->from_option, name) || is_choice(row->id_option, name) ||
                         is_choice(row->only_option, name);
    if (names_package && !has_value && next) {
        name_package(in, name, next);
        return 1;
    }
    in->answers_yes = in->answers_yes || wpa_slice_is(name, "-y") || wpa_slice_is(name, "--yes");
    return wpa_fact_list_has(row->with_value, name) ? taken : 0;
}

static void read_words(install *in, size_t behind)
{
    const wpa_shell_command *c = in->command;
    bool skips = in->row->skip_first;
    for (size_t i = c->first + 1 + behind; i < c->n_words; i++) {
        const wpa_shell_word *word = &c->words[i];
        const wpa_shell_word *next = i + 1 < c->n_words ? &c->words[i + 1] : NULL;
        if (word->text[0] == '-' && word->text[1]) {
            i += wpa_text_is(word->text, "--") ? 0 : read_option(in, word, next);
            continue;
        }
        if (in->row->only_option || (in->row->single && in->has_named_source)) {
            return; /* what follows is the command to run */
        }
        if (!skips && !in->has_source) {
            add_package(in, word);
            add_values(in, word);
        }
        skips = false;
        if (in->row->single || in->row->second_is_version) {
            in->has_version = in->has_version || (in->row->second_is_version && next &&
                                                  isdigit((unsigned char)next->text[0]));
            return;
        }
    }
}

/* ---- packages ----------------------------------------------------------------------------------
 */

/* cabal names targets of the project as it does packages. */
static bool is_target_of_project(const install *in, const char *package)
{
    static const char *const targets[] = {"all", "exe:", "lib:", "test:", "all:", "flib:"};
    bool is_cabal = wpa_text_is(in->row->kind, "hackage");
    for (size_t i = 0; is_cabal && i < WPA_COUNT(targets); i++) {
        size_t length = strlen(targets[i]);
        bool is_prefix = targets[i][length - 1] == ':';
        if (is_prefix ? wpa_text_starts(package, targets[i]) : wpa_text_is(package, targets[i])) {
            return true;
        }
    }
    const wpa_surroundings *around = is_cabal ? in->run->source->around : NULL;
    if (!around || strpbrk(package, "*?[")) {
        return false;
    }
    const char *file = wpa_arena_printf(in->run->arena, "%s.cabal", package);
    const char *below = wpa_arena_printf(in->run->arena, "**/%s", file);
    return (around->repository && wpa_text_is_ci(around->repository, package)) ||
           (around->has_paths &&
            (wpa_surroundings_has(around, file) || wpa_surroundings_match(around, below)));
}

static bool is_local(const install *in, const char *package)
{
    static const char *const endings[] = {".whl", ".tar.gz", ".tgz",   ".zip",    ".gem", ".deb",
                                          ".rpm", ".apk",    ".nupkg", ".config", ".txt", ".toml"};
    bool has_ending = strchr(package, '.') != NULL; /* as all of them; most names have none */
    for (size_t i = 0; has_ending && i < WPA_COUNT(endings); i++) {
        if (wpa_text_ends(package, endings[i]) && !strstr(package, "://")) {
            return true;
        }
    }
    bool is_path = strchr("./~$*", package[0]) != NULL || wpa_text_starts(package, "file:") ||
                   strchr(package, '\\') != NULL || wpa_text_starts(package, "link:") ||
                   wpa_text_starts(package, "workspace:");
    bool has_slash = strchr(package, '/') && wpa_text_is(in->row->kind, "pypi");
    bool is_script = wpa_text_is(in->row->kind, "deno") && !strchr(package, ':');
    return is_path || is_script || is_target_of_project(in, package) ||
           (has_slash && !strstr(package, "://") && !strstr(package, " @ ")) ||
           (in->row->lock_suffix && wpa_text_ends(package, in->row->lock_suffix));
}

/* "name-1.2.3": the last dash with a digit behind it. */
static const char *version_behind_dash(const char *package)
{
    const char *version = NULL;
    for (const char *at = strchr(package, '-'); at; at = strchr(at + 1, '-')) {
        version = isdigit((unsigned char)at[1]) ? at + 1 : version;
    }
    return version;
}

/* What stands behind the mark of the row, NULL if there is none. */
static const char *version_of(const install *in, const char *package)
{
    if (wpa_text_is(in->row->version_mark, "-")) {
        return version_behind_dash(package);
    }
    const char *scope = strstr(package, ":@"); /* npm:@scope/name */
    package = scope ? scope + 1 : package;
    for (const char *at = in->row->version_mark; at && *at;) {
        size_t length = strcspn(at, "|");
        const char *from = package + 1; /* @scope/name */
        const char *found = *package ? memmem(from, strlen(from), at, length) : NULL;
        if (found) {
            return found + length + (found[length] == '=' ? 1 : 0);
        }
        at += length + (at[length] == '|');
    }
    return NULL;
}

/* "1.2.3", "v1.2.3-rc.1", a commit: no range, no word, not a major alone. */
static bool is_exact(const char *version)
{
    const char *at = version[0] == 'v' ? version + 1 : version;
    size_t n_hex = strspn(at, "0123456789abcdef");
    bool is_commit = n_hex >= 40 && !at[n_hex];
    return is_commit || (isdigit((unsigned char)*at) && strchr(at, '.') && !strchr(at, '*') &&
                         !strchr(at, ' ') && !strstr(at, ".x"));
}

/* To Python "==1" is 1.0.0, and nothing newer. */
static bool is_one_release(const char *package, const char *version)
{
    return is_exact(version) ||
           (strstr(package, "==") && *version && !version[strspn(version, "0123456789")]);
}

static bool has_commit(const char *text)
{
    size_t n = 0; /* digits in a row */
    for (const char *at = text; *at; at++) {
        n = (*at >= '0' && *at <= '9') || (*at >= 'a' && *at <= 'f') ? n + 1 : 0;
        if (n >= 40) {
            return true;
        }
    }
    return false;
}

/* A flake of somebody's own is in no signed collection. */
static bool is_foreign(const install *in, const char *package)
{
    return wpa_text_is(in->row->kind, "nix") && strchr(package, ':');
}

/* Installers that everything else is installed by; bringing them up to date is common advice. */
static bool is_installer_itself(const char *package)
{
    static const char *const names[] = {"pip", "setuptools", "wheel", "bundler", "rubygems-update"};
    return wpa_text_index(package, names, WPA_COUNT(names)) >= 0;
}

/* npx and its kin take what the project has installed, unless told to fetch. */
static bool runs_own(const install *in, const char *version)
{
    bool is_npx = in->row->is_run && wpa_text_is(in->row->kind, "npm") &&
                  !wpa_shell_word_find(in->command, "dlx");
    return is_npx && !version && !in->answers_yes && !in->has_named_source;
}

/* What a command installs is one mistake, however many packages it names: the others are related.
 */
typedef struct install_told {
    wpa_finding *loose; /* no version */
    wpa_finding *fixed; /* a version, but no lockfile; or of less weight */
} install_told;

static void check_package(wpa_rule_run *run, const install *in, const wpa_shell_word *word,
                          install_told *told)
{
    const char *package = word->text;
    const char *version = version_of(in, package);
    bool has_mark_alone = !word->is_literal && version && *package != '$' && *package != '_';
    if ((!word->is_literal && !has_mark_alone && !strpbrk(package, "[")) || !*package ||
        strchr(package, '$') == package || strstr(package, "____") == package ||
        is_local(in, package) || (in->row->needs_mark && !version) || runs_own(in, version)) {
        return;
    }
    bool is_any_of_some = version && strchr(version, '*'); /* "==1.*" */
    bool is_fixed = in->has_version || (has_mark_alone && !is_any_of_some) ||
                    (version && is_one_release(package, version)) || has_commit(package);
    /* "--pre": the newest, and what no release holds yet, is what is asked for */
    bool is_minor = is_fixed || wpa_shell_word_find(in->command, "--pre") ||
                    (in->row->is_signed && !is_foreign(in, package)) ||
                    is_installer_itself(package);
    if (is_minor && !wpa_rule_is_wanted(run, WPA_PERSONA_PEDANTIC)) {
        return;
    }
    const char *shown = wpa_rule_quote(run, package, strlen(package));
    wpa_finding **first = is_minor ? &told->fixed : &told->loose;
    if (*first) {
        wpa_rule_relate(run, *first,
                        wpa_step_span(in->step, in->step->run, word->span.start, word->span.end),
                        "%s too", shown);
        return;
    }
    *first = wpa_rule_report_script(
        run, in->step, word->span, NULL, NULL,
        is_fixed ? "%s is %s outside a lockfile: nothing fixes its contents and what it depends on"
                 : "%s is %s at whatever version is the newest today: none is named",
        shown, in->row->is_run ? "fetched and run" : "installed");
    if (is_minor) {
        (*first)->persona = WPA_PERSONA_PEDANTIC;
    }
}

/* A release that is fetched as "latest" is an installation without a version. */
static void check_download(wpa_rule_run *run, const wpa_outline_step *step,
                           const wpa_shell_command *c)
{
    for (size_t i = c->first + 1; i < c->n_words; i++) {
        const char *text = c->words[i].text;
        const char *at = strstr(text, "/releases/latest/download/");
        if (at && strstr(text, "://")) {
            (void)wpa_rule_report_script(run, step, c->words[i].span, NULL, NULL,
                                         "%s is whatever release is the newest today",
                                         wpa_rule_quote(run, text, strlen(text)));
        }
    }
}

/* "$PYTHON -m pip ...": whatever the variable names, it is a Python. */
static bool is_interpreter(const wpa_shell_command *c)
{
    size_t at = c->first;
    return at + 2 < c->n_words && !c->words[at].is_literal &&
           wpa_text_is(c->words[at + 1].text, "-m") &&
           (wpa_text_is(c->words[at + 2].text, "pip") ||
            wpa_text_is(c->words[at + 2].text, "pipx"));
}

/* --locked fixes what a package depends on, but not which commit a branch stands at. */
static bool is_of_cargo(const install *in)
{
    return wpa_text_is(in->row->kind, "cargo");
}

static void check_install(wpa_rule_run *run, const wpa_outline_step *step,
                          const wpa_shell_command *c, const wpa_fact_installer *row, size_t behind)
{
    install in = {.run = run, .step = step, .command = c, .row = row};
    install_told told = {0};
    read_words(&in, behind);
    add_piped(&in);
    in.is_locked = in.is_locked && (!in.has_source || in.has_commit || !is_of_cargo(&in));
    for (size_t i = 0; i < in.n_packages && !in.is_locked; i++) {
        check_package(run, &in, in.packages[i], &told);
    }
}

/* False: it installs nothing. */
static bool check_installer(wpa_rule_run *run, const wpa_outline_step *step,
                            const wpa_shell_command *c, const char *program)
{
    const char *words[WPA_SHELL_WORDS_MAX];
    size_t behind = 0, n = wpa_shell_arguments(c, words, WPA_SHELL_WORDS_MAX);
    const wpa_fact_installer *row = wpa_facts_installer_find(program, words, n, &behind);
    if (row) {
        check_install(run, step, c, row, behind);
    }
    return row != NULL;
}

static void check_command(wpa_rule_run *run, const wpa_outline_step *step,
                          const wpa_shell_command *c)
{
    bool is_python = is_interpreter(c);
    bool may_install = is_python || (c->known & WPA_KNOWN_INSTALLER);
    bool installs = may_install && check_installer(run, step, c, is_python ? "python" : c->name);
    if (!installs && (wpa_shell_roles(c) & WPA_DOES_FETCH)) {
        check_download(run, step, c);
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    wpa_rule_each_command(run, check_command);
    return true;
}

const wpa_rule wpa_rule_adhoc_packages = {
    .code = "SEC-033",
    .id = "adhoc-packages",
    .dimension = WPA_DIMENSION_SECURITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_LOW,
    .confidence = WPA_CONFIDENCE_HIGH,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "A package is installed by its name, outside a lockfile",
    .why = "Whatever is published under that name runs in the job, with its token and secrets, the "
           "moment it is published.",
    .fix = "Put it into the project's lockfile and install from there (npm ci, pip install -r with "
           "hashes, cargo install --locked), or at least name an exact version. There is no fix by "
           "machine.",
    .elsewhere = (const char *const[]){"zizmor/adhoc-packages", NULL},
    .tables = 1U << WPA_FACTS_COMMANDS,
    .check = check,
};
