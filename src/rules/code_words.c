#include <pthread.h>
#include <string.h>

#include "rules/code_words_internal.h"

/* Commands that take a program as the argument behind an option, or as their first argument. */
static const struct {
    const char *command, *option;
} programs[] = {
    {"bash", "-c"},
    {"sh", "-c"},
    {"zsh", "-c"},
    {"dash", "-c"},
    {"node", "-e"},
    {"node", "-p"},
    {"node", "--eval"},
    {"node", "--print"},
    {"groovy", "-e"},
    {"elixir", "-e"},
    {"julia", "-e"},
    {"nix-shell", "--run"},
    {"nix-shell", "--command"},
    {"cmd", "/c"},
    {"cmd", "/C"},
    {"cmd.exe", "/c"},
    {"cmd.exe", "/C"},
    {"psql", "--command"},
    {"mysql", "--execute"},
    {"python", "-c"},
    {"python3", "-c"},
    {"perl", "-e"},
    {"ruby", "-e"},
    {"php", "-r"},
    {"deno", "eval"},
    {"pwsh", "-c"},
    {"pwsh", "-Command"},
    {"psql", "-c"},
    {"mysql", "-e"},
    {"su", "-c"},
    {"script", "-c"},
    {"git", "-c"},
    {"git", "--exec"},
    {"git", "foreach"},
    {"git", "--msg-filter"},
    {"git", "--tree-filter"},
    {"git", "--index-filter"},
    {"git", "--env-filter"},
    {"rsync", "-e"},
    {"rsync", "--rsh"},
    {"tar", "--to-command"},
    {"tar", "--use-compress-program"},
    {"sg", "-c"},
    {"expect", "-c"},
    {"osascript", "-e"},
    {"powershell", "-c"},
    {"powershell", "-Command"},
    {"Rscript", "-e"},
    {"lua", "-e"},
    {"mongosh", "--eval"},
    {"mongo", "--eval"},
    {"mariadb", "-e"},
    {"bun", "-e"},
    {"bun", "--eval"},
    {"npx", "-c"},
    {"npx", "--call"},
    {"npm", "-c"},
    {"npm", "--call"},
    {"flock", "-c"},
    {"flock", "--command"},
    {"runuser", "-c"},
    {"vagrant", "-c"},
    {"nix", "--expr"},
    {"gdb", "-ex"},
    {"vim", "-c"},
    {"nvim", "-c"},
    {"ex", "-c"},
    {"gcloud", "--command"},
    {"az", "--scripts"},
    {"az", "--inline-script"},
    {"fly", "-C"},
    {"flyctl", "-C"},
    {"R", "-e"},
    {"fish", "-c"},
    {"tsx", "-e"},
    {"ts-node", "-e"},
    {"emacs", "--eval"},
    {"ansible", "-a"},
    {"tar", "--checkpoint-action"},
    {"scala", "-e"},
    {"duckdb", "-c"},
    {"screen", "stuff"},
    {"clickhouse-client", "--query"},
};

/* What may run the text behind "-c", by whatever starts it. */
static const char *const shells[] = {"sh", "bash", "zsh", "dash", "ash", "ksh"};

/* Programs of their own language in the first argument. */
static const char *const languages[] = {"jq",   "yq",   "sed",   "awk",     "gawk",
                                        "mawk", "perl", "watch", "parallel"};

static const char *const splitters[] = {"git",  "gh",    "rm",  "tar", "find", "curl",
                                        "wget", "rsync", "ssh", "scp", "make"};

bool wpa_code_is_shell(const char *word)
{
    const char *slash = strrchr(word, '/');
    return wpa_text_index(slash ? slash + 1 : word, shells, WPA_COUNT(shells)) >= 0;
}

static const wpa_shell_word *word_behind(const wpa_shell_command *c, const char *option)
{
    for (size_t i = c->first + 1; i + 1 < c->n_words; i++) {
        if (wpa_text_is(c->words[i].text, option)) {
            return &c->words[i + 1];
        }
    }
    size_t length = strlen(option);
    for (size_t i = c->first + 1; option[1] == '-' && i < c->n_words; i++) {
        if (strncmp(c->words[i].text, option, length) == 0 && c->words[i].text[length] == '=') {
            return &c->words[i];
        }
    }
    return NULL;
}

/* "-ec", "-lc": the word behind options of a shell of which the last is c; "script -qc" too. */
const wpa_shell_word *wpa_code_of(const wpa_shell_command *c)
{
    bool takes_code =
        wpa_code_is_shell(c->name) || wpa_text_is(c->name, "script") || wpa_text_is(c->name, "ex");
    for (size_t i = c->first + 1; takes_code && i + 1 < c->n_words; i++) {
        const char *option = c->words[i].text;
        size_t length = strlen(option);
        if (option[0] != '-') {
            return NULL;
        }
        if (option[1] != '-' && length > 1 && option[length - 1] == 'c') {
            return &c->words[i + 1];
        }
    }
    return NULL;
}

/* Options of languages that have values of their own, and how many. */
static const struct {
    const char *command, *option;
    size_t n_values;
} valued[] = {
    {"jq", "--arg", 2},    {"jq", "--argjson", 2}, {"jq", "--slurpfile", 2}, {"jq", "--rawfile", 2},
    {"jq", "--indent", 1}, {"jq", "-L", 1},        {"yq", "-o", 1},          {"yq", "-p", 1},
    {"yq", "-I", 1},       {"yq", "--arg", 2},     {"yq", "--argjson", 2},   {"awk", "-v", 1},
    {"awk", "-F", 1},      {"gawk", "-v", 1},      {"gawk", "-F", 1},        {"mawk", "-v", 1},
    {"mawk", "-F", 1},     {"watch", "-n", 1},
};

static size_t n_values_of(const char *command, const char *option)
{
    for (size_t i = 0; i < WPA_COUNT(valued); i++) {
        if (wpa_text_is(valued[i].command, command) && wpa_text_is(valued[i].option, option)) {
            return valued[i].n_values;
        }
    }
    return 0;
}

/* The program of a language among its words: the first that is no option and no option's value;
 * NULL: it stands in a file. */
static const wpa_shell_word *program_of(const wpa_shell_command *c)
{
    static const char *const verbs[] = {"e", "eval", "ea", "eval-all"}; /* of yq */
    for (size_t i = c->first + 1; i < c->n_words; i++) {
        const char *word = c->words[i].text;
        bool is_verb =
            wpa_text_is(c->name, "yq") && wpa_text_index(word, verbs, WPA_COUNT(verbs)) >= 0;
        if (word[0] == '-') {
            if (wpa_text_is(word, "-f") || wpa_text_is(word, "--from-file")) {
                return NULL;
            }
            i += n_values_of(c->name, word);
        } else if (!is_verb) {
            return &c->words[i];
        }
    }
    return NULL;
}

/* Names that take more than text: of variables, and operands of tests. */
static const char *const takers[] = {"declare",  "typeset", "local", "export",
                                     "readonly", "read",    "unset", "let"};
static const char *const testers[] = {"[[", "[", "test", "printf"};

/* Programs that are looked at by their names alone. */
static const char *const named[] = {"trap", "sqlite3", "eval", "hyperfine", "concurrently",
                                    "make", "gmake",   "gh",   "printenv"};

/* Programs of which files are run, and what is fed to them. */
static const char *const interpreters[] = {"python", "python3", "node", "perl", "ruby", "php"};
static const char *const sources[] = {"source", "."};

/* What names that begin with these two letters may be: most commands are in none of the lists. */
static uint8_t beginnings[32 * 32];
static pthread_once_t beginnings_once = PTHREAD_ONCE_INIT;

enum {
    MAY_BE_PROGRAM = 1 << 0,
    MAY_BE_LANGUAGE = 1 << 1,
    MAY_BE_SPLITTER = 1 << 2,
    MAY_BE_TAKER = 1 << 3,
    MAY_BE_NAMED = 1 << 4,
    MAY_BE_RUNNER = 1 << 5
};

static uint8_t *beginning_of(const char *name)
{
    return &beginnings[*name ? (name[0] & 31) * 32 + (name[1] & 31) : 0];
}

static void list_names(uint8_t may_be, const char *const names[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        *beginning_of(names[i]) |= may_be;
    }
}

static void list_beginnings(void)
{
    for (size_t i = 0; i < WPA_COUNT(programs); i++) {
        *beginning_of(programs[i].command) |= MAY_BE_PROGRAM;
    }
    list_names(MAY_BE_LANGUAGE, languages, WPA_COUNT(languages));
    list_names(MAY_BE_SPLITTER, splitters, WPA_COUNT(splitters));
    list_names(MAY_BE_TAKER, takers, WPA_COUNT(takers));
    list_names(MAY_BE_TAKER, testers, WPA_COUNT(testers));
    list_names(MAY_BE_NAMED, named, WPA_COUNT(named));
    list_names(MAY_BE_RUNNER, shells, WPA_COUNT(shells));
    list_names(MAY_BE_RUNNER, interpreters, WPA_COUNT(interpreters));
    list_names(MAY_BE_RUNNER, sources, WPA_COUNT(sources));
}

bool wpa_code_is_interpreter(const char *name)
{
    return wpa_text_index(name, interpreters, WPA_COUNT(interpreters)) >= 0;
}

bool wpa_code_is_runner(const char *name)
{
    return (*beginning_of(name) & MAY_BE_RUNNER) &&
           (wpa_text_index(name, sources, WPA_COUNT(sources)) >= 0 || wpa_code_is_shell(name) ||
            wpa_code_is_interpreter(name));
}

/* "git bisect run sh -c "...$X"": what that shell runs, not the program's own option. */
static bool is_of_shell_within(const wpa_shell_command *c, const wpa_shell_word *word)
{
    bool is_it = false;
    for (size_t i = c->first + 1; i + 2 < c->n_words && !is_it; i++) {
        is_it = &c->words[i + 2] == word && wpa_code_is_shell(c->words[i].text);
    }
    return is_it;
}

/* Has it told of a program's text? */
static bool check_programs(const wpa_code_finder *f, const wpa_shell_command *c)
{
    for (size_t i = 0; i < WPA_COUNT(programs); i++) {
        const char *command = programs[i].command;
        bool is_named =
            *c->name == *command && c->name[1] == command[1] && wpa_text_is(c->name, command);
        const wpa_shell_word *word = is_named ? word_behind(c, programs[i].option) : NULL;
        word = word || !is_named || !wpa_text_is(programs[i].option, "-c") ? word : wpa_code_of(c);
        if (word && !is_of_shell_within(c, word)) {
            wpa_code_tell(f, c->name, word, WPA_WORD_IS_CODE);
            return true;
        }
    }
    return false;
}

static void check_named(const wpa_code_finder *f, const wpa_shell_command *c)
{
    if (wpa_text_is(c->name, "trap") && wpa_shell_argument(c, 0)) {
        wpa_code_tell(f, c->name, wpa_shell_argument(c, 0), WPA_WORD_IS_CODE);
    }
    if (wpa_text_is(c->name, "sqlite3") && wpa_shell_argument(c, 1)) {
        wpa_code_tell(f, c->name, wpa_shell_argument(c, 1), WPA_WORD_IS_CODE);
    }
    bool is_eval = wpa_text_is(c->name, "eval") || wpa_text_is(c->name, "hyperfine") ||
                   wpa_text_is(c->name, "concurrently");
    for (size_t i = c->first + 1; is_eval && i < c->n_words; i++) {
        wpa_code_tell(f, c->name, &c->words[i], WPA_WORD_IS_CODE);
    }
}

static void check_language(const wpa_code_finder *f, const wpa_shell_command *c)
{
    if (wpa_text_index(c->name, languages, WPA_COUNT(languages)) >= 0) {
        const wpa_shell_word *word = program_of(c);
        bool is_list = word && wpa_text_is(word->text, ":::"); /* of commands for parallel */
        for (size_t n = is_list ? c->n_words - (size_t)(word - c->words) : word ? 1 : 0; n; n--) {
            wpa_code_tell(f, c->name, word++, WPA_WORD_IS_CODE);
        }
    }
}

/* Bytes of a call in awk that are looked at. */
#define CALL_MAX_BYTES 256

static bool names(wpa_slice text, wpa_slice name)
{
    for (size_t i = 0; i < text.length; i++) {
        size_t length = wpa_text_name_length(text.at + i);
        if (length && length == name.length && memcmp(text.at + i, name.at, length) == 0) {
            return true;
        }
        i += length;
    }
    return false;
}

/* awk -v x="$X" '... system("echo " x) ...': awk has a shell run it. */
static void check_awk(const wpa_code_finder *f, const wpa_shell_command *c)
{
    size_t n = strlen(c->name);
    bool is_awk = n >= 3 && n <= 4 && wpa_text_is(c->name + n - 3, "awk");
    const wpa_shell_word *program = is_awk ? program_of(c) : NULL;
    const char *at = program ? strstr(program->text, "system(") : NULL;
    wpa_slice call = {at, at ? strcspn(at, ")\n;}") : 0};
    call.length = call.length < CALL_MAX_BYTES ? call.length : CALL_MAX_BYTES;
    for (size_t i = c->first + 1; at && &c->words[i] < program; i++) {
        const char *word = c->words[i].text;
        size_t length = wpa_text_name_length(word);
        if (length && word[length] == '=' && wpa_text_is(c->words[i - 1].text, "-v") &&
            names(call, (wpa_slice){word, length})) {
            wpa_code_tell(f, "a shell", &c->words[i], WPA_WORD_IS_CODE);
        }
    }
}

/* "gh api graphql -f query="... $X ..."": the text is a part of the query. */
static void check_query(const wpa_code_finder *f, const wpa_shell_command *c)
{
    bool is_query = wpa_shell_is(c, "gh", "api") && wpa_shell_word_find(c, "graphql");
    for (size_t i = c->first + 1; is_query && i < c->n_words; i++) {
        if (wpa_text_starts(c->words[i].text, "query=")) {
            wpa_code_tell(f, "the forge", &c->words[i], WPA_WORD_IS_CODE);
        }
    }
}

/* Programs that start the one that is named among their arguments. */
static const char *const carriers[] = {
    "poetry",  "uv",   "pipenv", "hatch", "pdm",      "rye",    "pixi",      "conda",
    "mamba",   "npx",  "pnpm",   "yarn",  "bunx",     "bundle", "docker",    "podman",
    "kubectl", "find", "xargs",  "ssh",   "xvfb-run", "nix",    "micromamba"};

/* "poetry run python -c "...$X"": an interpreter of another language, which those programs start.
 */
static bool starts_interpreter(const wpa_shell_command *c, size_t i)
{
    char option = c->words[i + 1].text[1];
    const char *word = c->words[i].text;
    bool is_option = c->words[i + 1].text[0] == '-' && (option == 'c' || option == 'e') &&
                     !c->words[i + 1].text[2];
    return is_option &&
           (wpa_code_is_interpreter(word) || wpa_text_is(word, "tsx") ||
            wpa_text_is(word, "ts-node")) &&
           wpa_text_index(c->name, carriers, WPA_COUNT(carriers)) >= 0;
}

/* "docker exec x sh -c "...$X"", "find -exec sh -c": a shell somewhere among the arguments. */
static void check_started(const wpa_code_finder *f, const wpa_shell_command *c)
{
    for (size_t i = c->first + 1; i + 2 < c->n_words; i++) {
        const char *option = c->words[i + 1].text;
        size_t length = option[0] == '-' && option[1] != '-' ? strlen(option) : 0;
        bool is_code =
            length > 1 && ((option[length - 1] == 'c' && wpa_code_is_shell(c->words[i].text)) ||
                           starts_interpreter(c, i));
        if (is_code) {
            wpa_code_tell(f, c->words[i].text, &c->words[i + 2], WPA_WORD_IS_CODE);
            return;
        }
    }
}

/* "make NAME=$X" and the like. */
static void check_macros(const wpa_code_finder *f, const wpa_shell_command *c)
{
    bool is_make = wpa_text_is(c->name, "make") || wpa_text_is(c->name, "gmake");
    for (size_t i = c->first + 1; is_make && i < c->n_words; i++) {
        const char *word = c->words[i].text;
        size_t length = wpa_text_name_length(word);
        bool is_macro = length && (word[length] == '=' || strchr(":+?", word[length])) &&
                        strchr(word + length, '$');
        if (is_macro) {
            wpa_code_tell(f, c->name, &c->words[i], WPA_WORD_IS_MACRO);
        }
    }
}

static bool is_unquoted(const wpa_script *script, const wpa_shell_word *word)
{
    size_t at = word->span.start;
    return at + 1 < word->span.end && script->text[at] == '$' && script->text[at + 1] != '(' &&
           script->contexts && script->contexts[at] == WPA_SHELL_PLAIN;
}

/* "title=$X": a variable without quotes further on in the word. */
static bool has_unquoted(const wpa_script *script, const wpa_shell_word *word)
{
    for (size_t at = word->span.start; script->contexts && at + 1 < word->span.end; at++) {
        bool is_name = script->text[at] == '$' &&
                       (script->text[at + 1] == '{' || wpa_text_name_length(script->text + at + 1));
        if (is_name && script->contexts[at] == WPA_SHELL_PLAIN) {
            return true;
        }
    }
    return false;
}

/* Programs among the splitters that options make run, write or send something. */
static bool obeys_options(const wpa_shell_command *c)
{
    static const char *const names[] = {"git",   "tar", "find", "curl", "wget",
                                        "rsync", "ssh", "scp",  "make"};
    return wpa_text_index(c->name, names, WPA_COUNT(names)) >= 0;
}

/* A word that is nothing but a variable in quotes, and no option's value: "$X". */
static bool may_be_option(const wpa_script *script, const wpa_shell_command *c, size_t i)
{
    const wpa_shell_word *word = &c->words[i];
    const char *text = word->text + 1 + (word->text[0] == '$' && word->text[1] == '{');
    size_t length = *word->text == '$' ? wpa_text_name_length(text) : 0;
    bool is_whole = length && (!text[length] || wpa_text_is(text + length, "}"));
    return is_whole && script->text[word->span.start] == '"' && c->words[i - 1].text[0] != '-';
}

static void check_options(const wpa_code_finder *f, const wpa_shell_command *c)
{
    if (wpa_text_index(c->name, splitters, WPA_COUNT(splitters)) < 0) {
        return;
    }
    bool obeys = obeys_options(c);
    for (size_t i = c->first + 1; i < c->n_words; i++) {
        if (wpa_text_is(c->words[i].text, "--")) {
            return;
        }
        if (is_unquoted(f->site->step->script, &c->words[i])) {
            wpa_code_tell(f, c->name, &c->words[i], WPA_WORD_IS_OPTION);
        } else if (has_unquoted(f->site->step->script, &c->words[i])) {
            wpa_code_tell(f, c->name, &c->words[i], WPA_WORD_IS_SPLIT);
        } else if (obeys && may_be_option(f->site->step->script, c, i)) {
            wpa_code_tell(f, c->name, &c->words[i], WPA_WORD_IS_ARGUMENT);
        }
    }
}

static void tell_number(const wpa_code_finder *f, const wpa_shell_word *word)
{
    wpa_code_tell(f, "the shell", word, WPA_WORD_IS_NUMBER);
}

/* "declare -n x=$X": what is assigned is the name of another variable. */
static bool makes_references(const wpa_shell_command *c)
{
    const char *option = c->first + 1 < c->n_words ? c->words[c->first + 1].text : "";
    return option[0] == '-' && strchr(option, 'n') && strchr("dlt", *c->name);
}

/* "printenv "$X"": any variable there is, secrets among them. */
static void check_printenv(const wpa_code_finder *f, const wpa_shell_command *c)
{
    const wpa_shell_word *name = wpa_text_is(c->name, "printenv") ? wpa_shell_argument(c, 0) : NULL;
    if (name) {
        wpa_code_tell(f, "printenv", name, WPA_WORD_IS_NAME);
    }
}

/* Names of variables that commands take as words, and operands of arithmetic tests. */
static void check_names(const wpa_code_finder *f, const wpa_shell_command *c)
{
    static const char *const operators[] = {"-eq", "-ne", "-lt", "-le", "-gt", "-ge"};
    bool takes_names = wpa_text_index(c->name, takers, WPA_COUNT(takers)) >= 0;
    bool is_test =
        wpa_text_is(c->name, "[[") || wpa_text_is(c->name, "[") || wpa_text_is(c->name, "test");
    if (!takes_names && !is_test && !wpa_text_is(c->name, "printf")) {
        return;
    }
    for (size_t i = c->first + 1; i < c->n_words; i++) {
        const char *word = c->words[i].text;
        bool is_name = takes_names && (*word == '$' || wpa_text_is(c->name, "let") ||
                                       (strchr(word, '=') && makes_references(c)));
        bool is_behind = i > c->first + 1 && wpa_text_is(c->words[i - 1].text, "-v") &&
                         (is_test || wpa_text_is(c->name, "printf"));
        if (is_name || is_behind) {
            tell_number(f, &c->words[i]);
        }
        bool is_sum = wpa_text_is(c->name, "[[") && i > c->first + 1 && i + 1 < c->n_words &&
                      wpa_text_index(word, operators, WPA_COUNT(operators)) >= 0;
        if (is_sum) {
            tell_number(f, &c->words[i - 1]);
            tell_number(f, &c->words[i + 1]);
        }
    }
}

/* Commands before it that may stand in the word. */
#define WITHIN_LOOKBACK 8

/* A command that is what another one prints: "$(echo "$X")". */
static bool is_printed(const wpa_script *script, size_t i)
{
    static const char *const printers[] = {"echo", "printf", "jq", "cat", "sed", "tr"};
    const wpa_shell_command *c = &script->commands[i];
    const wpa_shell_word *word = &c->words[c->first];
    bool is_substitution = wpa_text_starts(word->text, "$(") || *word->text == '`';
    bool prints = is_substitution;
    for (size_t n = 1; prints && n <= i && n <= WITHIN_LOOKBACK; n++) {
        const wpa_shell_command *inner = c - n;
        if (!wpa_span_contains(word->span, inner->span)) {
            break;
        }
        prints = wpa_text_index(inner->name, printers, WPA_COUNT(printers)) >= 0;
    }
    return prints && i > 0 && wpa_span_contains(word->span, c[-1].span);
}

/* A command that is nothing but a variable: "$X", "${X}". */
static bool is_variable(const wpa_shell_word *word)
{
    const char *text = word->text;
    return text[0] == '$' && text[1] != '(' && !strpbrk(text, "/:");
}

/* In the order in which they are told of: lists of names that the command's is not in are left out.
 */
static void check_variables(const wpa_code_finder *f, const wpa_shell_command *c, size_t i)
{
    uint8_t may_be = *beginning_of(c->name);
    if (may_be & MAY_BE_NAMED) {
        check_macros(f, c);
        check_query(f, c);
        check_printenv(f, c);
    }
    wpa_code_visit_printer(f, i);
    check_started(f, c);
    wpa_code_visit_assigned(f, c);
    if ((may_be & MAY_BE_TAKER) && f->site->step->shell == WPA_SHELL_BASH) {
        check_names(f, c);
    }
    if (!wpa_code_visit_remote(f, c) && (may_be & MAY_BE_SPLITTER)) {
        check_options(f, c);
    }
    const wpa_shell_word *program = &c->words[c->first];
    if (is_variable(program) || is_printed(f->site->step->script, i)) {
        wpa_code_tell(f, "the shell", program, WPA_WORD_IS_COMMAND);
    }
}

void wpa_code_words_visit(wpa_rule_run *run, const wpa_site *site, size_t i, wpa_code_visitor visit)
{
    const wpa_code_finder finder = {run, site, visit}, *f = &finder;
    const wpa_script *script = f->site->step->script;
    const wpa_shell_command *c = &script->commands[i];
    bool has_variable = memchr(script->text + c->span.start, '$', wpa_span_length(c->span));
    (void)pthread_once(&beginnings_once, list_beginnings);
    uint8_t may_be = has_variable ? *beginning_of(c->name) : 0;
    bool is_told = (may_be & MAY_BE_PROGRAM) && check_programs(f, c);
    if ((may_be & MAY_BE_NAMED) && !is_told) {
        check_named(f, c);
    }
    if ((may_be & MAY_BE_LANGUAGE) && !is_told) {
        check_language(f, c);
        check_awk(f, c);
    }
    wpa_code_visit_input(f, i);
    if (has_variable) {
        check_variables(f, c, i);
    }
}
