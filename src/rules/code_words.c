#include "rules/code_words.h"

#include <pthread.h>
#include <string.h>

/* Whose words are looked at, and who wants to know. */
typedef struct finder {
    wpa_rule_run *run;
    const wpa_site *site;
    wpa_code_visitor visit;
} finder;

static void tell(const finder *f, const char *runner, const wpa_shell_word *word,
                 wpa_word_reading reading)
{
    f->visit(f->run, f->site, runner, word, reading);
}

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
    {"expect", "-c"},
    {"osascript", "-e"},
    {"powershell", "-c"},
    {"powershell", "-Command"},
    {"Rscript", "-e"},
    {"lua", "-e"},
    {"mongosh", "--eval"},
    {"mongo", "--eval"},
};

/* What runs the text that it is fed, or given behind "-c" by whatever starts it. */
static const char *const shells[] = {"sh", "bash", "zsh", "dash", "ash", "ksh"};
static const char *const interpreters[] = {"python", "python3", "node", "perl", "ruby", "php"};

/* Programs of their own language in the first argument. */
static const char *const languages[] = {"jq",   "yq",   "sed",   "awk",     "gawk",
                                        "mawk", "perl", "watch", "parallel"};

static const char *const splitters[] = {"git",  "gh",   "rm",    "tar", "find",
                                        "curl", "wget", "rsync", "ssh", "scp"};

static bool is_shell(const char *word)
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
    return NULL;
}

/* "-ec", "-lc": the word behind options of a shell of which the last is c. */
static const wpa_shell_word *code_of(const wpa_shell_command *c)
{
    for (size_t i = c->first + 1; is_shell(c->name) && i + 1 < c->n_words; i++) {
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

/* Names that take more than text: of variables, and operands of tests. */
static const char *const takers[] = {"declare",  "typeset", "local", "export",
                                     "readonly", "read",    "unset", "let"};
static const char *const testers[] = {"[[", "[", "test", "printf"};

/* How names of the lists begin, a bit for what they may: most commands are in none. */
static struct {
    uint64_t programs, languages, splitters, takers;
} beginnings;
static pthread_once_t beginnings_once = PTHREAD_ONCE_INIT;

static uint64_t beginning_of(const char *name)
{
    unsigned letters = *name ? (unsigned char)name[0] * 5U + (unsigned char)name[1] : 0;
    return UINT64_C(1) << letters % 64;
}

static uint64_t beginnings_of(const char *const names[], size_t n)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < n; i++) {
        bits |= beginning_of(names[i]);
    }
    return bits;
}

static void list_beginnings(void)
{
    for (size_t i = 0; i < WPA_COUNT(programs); i++) {
        beginnings.programs |= beginning_of(programs[i].command);
    }
    beginnings.languages = beginnings_of(languages, WPA_COUNT(languages));
    beginnings.splitters = beginnings_of(splitters, WPA_COUNT(splitters));
    beginnings.takers =
        beginnings_of(takers, WPA_COUNT(takers)) | beginnings_of(testers, WPA_COUNT(testers));
}

static void check_programs(const finder *f, const wpa_shell_command *c)
{
    bool may_be = (beginnings.programs & beginning_of(c->name)) != 0;
    size_t n_programs = may_be ? WPA_COUNT(programs) : 0;
    for (size_t i = 0; i < n_programs; i++) {
        const char *command = programs[i].command;
        bool is_named =
            *c->name == *command && c->name[1] == command[1] && wpa_text_is(c->name, command);
        const wpa_shell_word *word = is_named ? word_behind(c, programs[i].option) : NULL;
        word = word || !is_named || !wpa_text_is(programs[i].option, "-c") ? word : code_of(c);
        if (word) {
            tell(f, c->name, word, WPA_WORD_IS_CODE);
            return;
        }
    }
    if (wpa_text_is(c->name, "trap") && wpa_shell_argument(c, 0)) {
        tell(f, c->name, wpa_shell_argument(c, 0), WPA_WORD_IS_CODE);
    }
    if (wpa_text_is(c->name, "sqlite3") && wpa_shell_argument(c, 1)) {
        tell(f, c->name, wpa_shell_argument(c, 1), WPA_WORD_IS_CODE);
    }
    bool is_eval = wpa_text_is(c->name, "eval");
    for (size_t i = c->first + 1; is_eval && i < c->n_words; i++) {
        tell(f, c->name, &c->words[i], WPA_WORD_IS_CODE);
    }
    if (beginnings.languages & beginning_of(c->name) &&
        wpa_text_index(c->name, languages, WPA_COUNT(languages)) >= 0) {
        const wpa_shell_word *word = wpa_shell_argument(c, 0);
        if (word) {
            tell(f, c->name, word, WPA_WORD_IS_CODE);
        }
    }
}

/* Does the command run what it reads? Not if it is given a program, or the name of one. */
static bool runs_input(const wpa_shell_command *c)
{
    bool is_one =
        is_shell(c->name) || wpa_text_index(c->name, interpreters, WPA_COUNT(interpreters)) >= 0;
    for (size_t i = c->first + 1; is_one && i < c->n_words; i++) {
        const char *word = c->words[i].text;
        if (wpa_text_is(word, "-") || wpa_text_is(word, "-s") || wpa_text_is(word, "/dev/stdin")) {
            return true; /* what follows are its arguments */
        }
        if (wpa_text_is(word, "-c") && i + 1 == c->n_words) {
            return true; /* "xargs sh -c": the script is what xargs reads */
        }
        bool is_flag = word[0] == '-' && !strpbrk(word, "cerpm");
        is_one = is_flag;
    }
    return is_one;
}

/* "xargs -I{} sh -c '... {} ...'": what is read is put into the script. */
static bool puts_input(const wpa_shell_command *c)
{
    const char *mark = NULL;
    bool is_xargs = false;
    for (size_t i = 0; i < c->first; i++) {
        const char *word = c->words[i].text;
        is_xargs = is_xargs || wpa_text_is(word, "xargs");
        if (is_xargs && wpa_text_starts(word, "-I")) {
            mark = word[2] ? word + 2 : c->words[i + 1].text;
        }
    }
    const wpa_shell_word *code = mark && is_shell(c->name) ? code_of(c) : NULL;
    return code && *mark && strstr(code->text, mark);
}

/* The texts of here-documents and here-strings. */
static void check_fed(const finder *f, const wpa_shell_command *from, const char *runner)
{
    for (size_t i = 0; i < from->n_redirects; i++) {
        const wpa_shell_redirect *r = &from->redirects[i];
        if (wpa_text_is(r->operator, "<<<")) {
            tell(f, runner, &r->target, WPA_WORD_IS_CODE);
        } else if (wpa_text_starts(r->operator, "<<") && wpa_span_length(r->body)) {
            wpa_shell_word *body = wpa_arena_alloc(f->run->arena, sizeof *body);
            *body = (wpa_shell_word){.text = "", .span = r->body};
            tell(f, runner, body, WPA_WORD_IS_CODE);
        }
    }
}

/* Commands behind a substitution among which the one that it stands in is looked for. */
#define OUTER_LOOKAHEAD 32

static const char *const printers[] = {"echo", "printf"};

/* "source <(echo "$X")", "bash <(printf ... "$X")": what is printed is a script's text. */
static void check_printed(const finder *f, size_t i)
{
    const wpa_script *script = f->site->step->script;
    const wpa_shell_command *c = &script->commands[i];
    bool prints = c->nested && wpa_text_index(c->name, printers, WPA_COUNT(printers)) >= 0 &&
                  !wpa_text_is(c->after, "|");
    for (size_t k = i + 1; prints && k < script->n_commands && k < i + OUTER_LOOKAHEAD; k++) {
        const wpa_shell_command *outer = &script->commands[k];
        if (outer->nested >= c->nested || !wpa_span_contains(outer->span, c->span)) {
            continue;
        }
        const wpa_shell_word *file = wpa_shell_argument(outer, 0);
        bool is_read = file && wpa_text_starts(file->text, "<(") &&
                       (is_shell(outer->name) || wpa_text_is(outer->name, "source") ||
                        wpa_text_is(outer->name, "."));
        for (size_t w = c->first + 1; is_read && w < c->n_words; w++) {
            tell(f, outer->name, &c->words[w], WPA_WORD_IS_CODE);
        }
        return;
    }
}

/* "sh <<< $X", "bash <<EOF" that expands, "echo $X | sh", "gh pr view --jq .body | sh". */
static void check_input(const finder *f, size_t i)
{
    const wpa_shell_command *c = &f->site->step->script->commands[i];
    if (!runs_input(c) && !puts_input(c)) {
        return;
    }
    check_fed(f, c, c->name);
    const wpa_shell_command *from = i && wpa_text_is(c->before, "|") ? c - 1 : NULL;
    if (!from || !wpa_text_is(from->after, "|")) {
        return;
    }
    if (wpa_text_is(from->name, "cat")) {
        check_fed(f, from, c->name);
    }
    if (wpa_text_is(from->name, "jq") || wpa_text_is(from->name, "gh")) {
        wpa_shell_word *all = wpa_arena_alloc(f->run->arena, sizeof *all);
        *all = (wpa_shell_word){.text = "", .span = from->span};
        tell(f, c->name, all, WPA_WORD_IS_PRINTED);
    }
    bool prints = wpa_text_index(from->name, printers, WPA_COUNT(printers)) >= 0;
    for (size_t k = from->first + 1; prints && k < from->n_words; k++) {
        tell(f, c->name, &from->words[k], WPA_WORD_IS_CODE);
    }
}

/* "docker exec x sh -c "...$X"", "find -exec sh -c": a shell somewhere among the arguments. */
static void check_started(const finder *f, const wpa_shell_command *c)
{
    for (size_t i = c->first + 1; i + 2 < c->n_words; i++) {
        const char *option = c->words[i + 1].text;
        size_t length = option[0] == '-' && option[1] != '-' ? strlen(option) : 0;
        bool is_code = length > 1 && option[length - 1] == 'c' && is_shell(c->words[i].text);
        if (is_code) {
            tell(f, c->words[i].text, &c->words[i + 2], WPA_WORD_IS_CODE);
            return;
        }
    }
}

/* "ssh [options] host command": a shell over there reads all the words again, quoted here or not.
 */
static bool check_remote(const finder *f, const wpa_shell_command *c)
{
    size_t i = c->first + 1;
    for (; i < c->n_words && c->words[i].text[0] == '-'; i++) {
        const char *option = c->words[i].text;
        i += option[1] && !option[2] && strchr("bcDEeFIiJLlmOopQRSWw", option[1]) ? 1 : 0;
    }
    bool has_command = i + 1 < c->n_words;
    for (i++; i < c->n_words; i++) {
        tell(f, "the shell over there", &c->words[i], WPA_WORD_IS_CODE);
    }
    return has_command;
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

static void check_options(const finder *f, const wpa_shell_command *c)
{
    if (!(beginnings.splitters & beginning_of(c->name)) ||
        wpa_text_index(c->name, splitters, WPA_COUNT(splitters)) < 0) {
        return;
    }
    for (size_t i = c->first + 1; i < c->n_words; i++) {
        if (wpa_text_is(c->words[i].text, "--")) {
            return;
        }
        if (is_unquoted(f->site->step->script, &c->words[i])) {
            tell(f, c->name, &c->words[i], WPA_WORD_IS_OPTION);
        } else if (has_unquoted(f->site->step->script, &c->words[i])) {
            tell(f, c->name, &c->words[i], WPA_WORD_IS_SPLIT);
        }
    }
}

static void tell_number(const finder *f, const wpa_shell_word *word)
{
    tell(f, "the shell", word, WPA_WORD_IS_NUMBER);
}

/* Names of variables that commands take as words, and operands of arithmetic tests. */
static void check_names(const finder *f, const wpa_shell_command *c)
{
    static const char *const operators[] = {"-eq", "-ne", "-lt", "-le", "-gt", "-ge"};
    if (!(beginnings.takers & beginning_of(c->name))) {
        return;
    }
    bool takes_names = wpa_text_index(c->name, takers, WPA_COUNT(takers)) >= 0;
    bool is_test =
        wpa_text_is(c->name, "[[") || wpa_text_is(c->name, "[") || wpa_text_is(c->name, "test");
    if (!takes_names && !is_test && !wpa_text_is(c->name, "printf")) {
        return;
    }
    for (size_t i = c->first + 1; i < c->n_words; i++) {
        const char *word = c->words[i].text;
        bool is_name = takes_names && (*word == '$' || wpa_text_is(c->name, "let"));
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

/* A command that is nothing but a variable: "$X", "${X}". */
static bool is_variable(const wpa_shell_word *word)
{
    const char *text = word->text;
    return text[0] == '$' && text[1] != '(' && !strpbrk(text, "/:");
}

void wpa_code_words_visit(wpa_rule_run *run, const wpa_site *site, size_t i, wpa_code_visitor visit)
{
    const finder finder_of_command = {run, site, visit}, *f = &finder_of_command;
    const wpa_script *script = f->site->step->script;
    const wpa_shell_command *c = &script->commands[i];
    bool has_variable = memchr(script->text + c->span.start, '$', wpa_span_length(c->span));
    (void)pthread_once(&beginnings_once, list_beginnings);
    if (has_variable) {
        check_programs(f, c);
    }
    if (c->n_redirects || *c->before == '|') {
        check_input(f, i);
    }
    if (!has_variable) {
        return;
    }
    check_printed(f, i);
    check_started(f, c);
    if (f->site->step->shell == WPA_SHELL_BASH) {
        check_names(f, c);
    }
    bool is_told = wpa_text_is(c->name, "ssh") && check_remote(f, c);
    if (!is_told) {
        check_options(f, c);
    }
    if (is_variable(&c->words[c->first])) {
        tell(f, "the shell", &c->words[c->first], WPA_WORD_IS_COMMAND);
    }
}
