/* What interpreters are fed, by redirections, pipes and other machines, and files that they run. */
#include <string.h>

#include "rules/code_words_internal.h"

/* Is there one of these words behind the command's name? */
static bool has_any(const wpa_shell_command *c, const char *const words[], size_t n)
{
    bool has = false;
    for (size_t i = c->first + 1; i < c->n_words && !has; i++) {
        has = wpa_text_index(c->words[i].text, words, n) >= 0;
    }
    return has;
}

/* Does the command run what it reads? Not if it is given a program, or the name of one. */
static bool interprets_input(const wpa_shell_command *c)
{
    static const char *const stdin_files[] = {"/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"};
    bool is_runner = wpa_code_is_runner(c->name);
    bool is_one = is_runner && (wpa_code_is_shell(c->name) || wpa_code_is_interpreter(c->name));
    if (is_runner && !is_one) {
        return has_any(c, stdin_files, WPA_COUNT(stdin_files)); /* "source /dev/stdin" */
    }
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

/* The first word of the command that ssh is given; n_words if it is given none. */
static size_t remote_command(const wpa_shell_command *c)
{
    size_t i = c->first + 1;
    for (; wpa_text_is(c->name, "sshpass") && i < c->n_words; i++) {
        if (wpa_text_is(c->words[i].text, "ssh")) {
            i++;
            break;
        }
    }
    for (; i < c->n_words && c->words[i].text[0] == '-'; i++) {
        const char *option = c->words[i].text;
        i += option[1] && !option[2] && strchr("bcDEeFIiJLlmOopQRSWw", option[1]) ? 1 : 0;
    }
    return i + 1 < c->n_words ? i + 1 : c->n_words; /* behind the host */
}

static bool is_remote(const wpa_shell_command *c)
{
    return wpa_text_is(c->name, "ssh") || wpa_text_is(c->name, "sshpass");
}

/* "ssh host", "ssh host 'bash -s'", "docker exec -i box sh": a shell that something else starts. */
static bool starts_shell(const wpa_shell_command *c)
{
    static const char *const starters[] = {"docker", "podman", "nerdctl", "kubectl",
                                           "oc",     "lxc",    "chroot",  "vagrant"};
    static const char *const more[] = {"-s", "-", "-e", "-l", "-x", "-ex"};
    size_t last = c->n_words - 1;
    if (!is_remote(c) && wpa_text_index(c->name, starters, WPA_COUNT(starters)) < 0) {
        return false;
    }
    if (is_remote(c) && remote_command(c) == c->n_words) {
        return true;
    }
    while (last > c->first && wpa_text_index(c->words[last].text, more, WPA_COUNT(more)) >= 0) {
        last--;
    }
    const char *word = c->words[last].text;
    char name[8];
    size_t length = strcspn(word, " ");
    bool is_short = last > c->first && length < sizeof name && !strstr(word, " -c");
    memcpy(name, word, is_short ? length : 0);
    name[is_short ? length : 0] = '\0';
    return wpa_code_is_shell(name);
}

/* Programs that run what they are fed unless options give them something else. */
static bool reads_program(const wpa_shell_command *c)
{
    static const char *const names[] = {"psql", "mysql",    "mariadb", "mongosh", "tclsh",
                                        "at",   "parallel", "batch",   "ed",      "expect"};
    static const char *const others[] = {
        "-c", "-e", "-f", "-a", ":::", "--command", "--file", "--execute", "-q", "--eval"};
    bool is_one = wpa_text_index(c->name, names, WPA_COUNT(names)) >= 0;
    bool is_given = wpa_text_is(c->name, "parallel") && wpa_shell_argument(c, 0);
    return is_one && !is_given && !has_any(c, others, WPA_COUNT(others));
}

/* "crontab -", "make -f -": a table of commands, or rules, that comes down a pipe. */
static bool reads_commands(const wpa_shell_command *c)
{
    static const char *const files[] = {"-f-", "--file=-", "--makefile=-"};
    if (wpa_text_is(c->name, "crontab")) {
        return wpa_shell_word_find(c, "-") != NULL;
    }
    bool is_make = wpa_text_is(c->name, "make") || wpa_text_is(c->name, "gmake");
    return is_make && (has_any(c, files, WPA_COUNT(files)) ||
                       (wpa_shell_word_find(c, "-f") && wpa_shell_word_find(c, "-")));
}

/* sed 's/^/date /e', "sed e": each line that is read is run. */
static bool executes_lines(const wpa_shell_command *c)
{
    bool is_sed = wpa_text_is(c->name, "sed") || wpa_text_is(c->name, "gsed");
    const wpa_shell_word *word = is_sed ? wpa_shell_argument(c, 0) : NULL;
    const char *program = word ? word->text : "";
    program += strspn(program, "0123456789$, ");
    if (*program != 's' || !program[1]) {
        return wpa_text_is(program, "e");
    }
    char delimiter = program[1];
    const char *at = program + 2;
    for (size_t n = 0; *at && n < 2; at++) {
        n += *at == delimiter;
        at += *at == '\\' && at[1];
    }
    return memchr(at, 'e', strspn(at, "gpeimIM0123456789")) != NULL;
}

static bool runs_input(const wpa_shell_command *c)
{
    return interprets_input(c) || reads_program(c) || starts_shell(c) || reads_commands(c) ||
           executes_lines(c);
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
    const wpa_shell_word *code = mark && wpa_code_is_shell(c->name) ? wpa_code_of(c) : NULL;
    return code && *mark && strstr(code->text, mark);
}

/* The texts of here-documents and here-strings. */
static void check_fed(const wpa_code_finder *f, const wpa_shell_command *from, const char *runner)
{
    for (size_t i = 0; i < from->n_redirects; i++) {
        const wpa_shell_redirect *r = &from->redirects[i];
        if (wpa_text_is(r->operator, "<<<")) {
            wpa_code_tell(f, runner, &r->target, WPA_WORD_IS_CODE);
        } else if (wpa_text_starts(r->operator, "<<") && wpa_span_length(r->body)) {
            wpa_shell_word *body = wpa_arena_alloc(f->run->arena, sizeof *body);
            *body = (wpa_shell_word){.text = "", .span = r->body};
            wpa_code_tell(f, runner, body, WPA_WORD_IS_CODE);
        }
    }
}

/* Commands behind a substitution among which the one that it stands in is looked for. */
#define OUTER_LOOKAHEAD 32

static const char *const printers[] = {"echo", "printf"};

/* "source <(echo "$X")", "bash <(printf ... "$X")": what is printed is a script's text. */
void wpa_code_visit_printer(const wpa_code_finder *f, size_t i)
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
                       (wpa_code_is_shell(outer->name) || wpa_text_is(outer->name, "source") ||
                        wpa_text_is(outer->name, "."));
        for (size_t w = c->first + 1; is_read && w < c->n_words; w++) {
            wpa_code_tell(f, outer->name, &c->words[w], WPA_WORD_IS_CODE);
        }
        return;
    }
}

static void tell_printed(const wpa_code_finder *f, const char *runner, const wpa_shell_command *c)
{
    wpa_shell_word *all = wpa_arena_alloc(f->run->arena, sizeof *all);
    *all = (wpa_shell_word){.text = "", .span = c->span};
    wpa_code_tell(f, runner, all, WPA_WORD_IS_PRINTED);
}

/* What the command at the other end of a pipe writes. */
static void check_piped(const wpa_code_finder *f, const char *runner, const wpa_shell_command *from,
                        bool takes_names)
{
    static const char *const fetchers[] = {"jq",   "gh",   "printenv", "envsubst",
                                           "head", "tail", "cat"};
    static const char *const listers[] = {"git", "find", "ls"};
    if (wpa_text_index(from->name, fetchers, WPA_COUNT(fetchers)) >= 0 ||
        (takes_names && wpa_text_index(from->name, listers, WPA_COUNT(listers)) >= 0)) {
        tell_printed(f, runner, from);
    }
    bool prints = wpa_text_index(from->name, printers, WPA_COUNT(printers)) >= 0;
    for (size_t k = from->first + 1; prints && k < from->n_words; k++) {
        wpa_code_tell(f, runner, &from->words[k], WPA_WORD_IS_CODE);
    }
}

/* Commands of a pipe that hand on what they read, more or less as it is. */
static bool hands_on(const wpa_shell_command *c)
{
    static const char *const filters[] = {"cat", "sed", "grep", "head",     "tail",
                                          "tee", "tac", "sort", "envsubst", "unexpand"};
    return wpa_text_index(c->name, filters, WPA_COUNT(filters)) >= 0;
}

#define PIPE_MAX_COMMANDS 16

/* Bytes of a group in front of a pipe, and commands of it, that are looked at. */
#define GROUP_MAX_BYTES 4096
#define GROUP_MAX_COMMANDS 32

/* Where the group begins that ends in front of the pipe: "(date; echo "$X") | sh"; SIZE_MAX: none
 * does. */
static size_t group_before(const wpa_script *script, const wpa_shell_command *c)
{
    size_t at = c->span.start;
    while (at > 0 && strchr(" \t\n|&", script->text[at - 1])) {
        at--;
    }
    char close = at && script->contexts ? script->text[at - 1] : '\0';
    char open = close == ')' ? '(' : '{';
    long depth = 0;
    size_t reach = at < GROUP_MAX_BYTES ? at : GROUP_MAX_BYTES;
    for (size_t n = 1; (close == ')' || close == '}') && n <= reach; n++) {
        bool is_code = script->contexts[at - n] == WPA_SHELL_PLAIN;
        depth += is_code && script->text[at - n] == close ? 1 : 0;
        depth -= is_code && script->text[at - n] == open ? 1 : 0;
        if (depth == 0) {
            return at - n;
        }
    }
    return SIZE_MAX;
}

/* "{ date; echo "$X"; } | sh", "for ...; do echo "$X"; done | sh": each of them prints. */
static void check_group(const wpa_code_finder *f, size_t i)
{
    const wpa_script *script = f->site->step->script;
    const wpa_shell_command *c = &script->commands[i];
    bool is_loop = i > 0 && c[-1].loops > c->loops;
    size_t start = is_loop ? 0 : group_before(script, c);
    for (size_t n = 1; start != SIZE_MAX && n <= i && n < GROUP_MAX_COMMANDS; n++) {
        const wpa_shell_command *part = c - n;
        if (part->span.start < start || (is_loop && part->loops <= c->loops)) {
            break;
        }
        if (!part->is_nested_script && !wpa_text_is(part->after, "|")) {
            check_piped(f, c->name, part, false);
        }
    }
}

/* "sh <<< $X", "bash <<EOF" that expands, "echo $X | sh", "gh pr view --jq .body | sh". */
static void check_input(const wpa_code_finder *f, size_t i)
{
    const wpa_shell_command *c = &f->site->step->script->commands[i];
    bool takes_names = puts_input(c);
    if (c->n_words <= c->first || (!runs_input(c) && !takes_names)) {
        return;
    }
    const wpa_shell_command *from = c;
    check_fed(f, c, c->name);
    if (wpa_text_is(c->before, "|")) {
        check_group(f, i);
    }
    for (size_t n = 0; n < PIPE_MAX_COMMANDS && n < i; n++) {
        if (!wpa_text_is(from->before, "|") || !wpa_text_is(from[-1].after, "|")) {
            break;
        }
        from--;
        if (hands_on(from)) {
            check_fed(f, from, c->name);
        }
        check_piped(f, c->name, from, takes_names);
        if (!hands_on(from)) {
            break;
        }
    }
}

/* "tmux send-keys "...$X" Enter", "tmux new-session -d "...$X"": a shell within another program. */
static void check_typed(const wpa_code_finder *f, const wpa_shell_command *c)
{
    static const char *const typing[] = {"send-keys", "send"};
    static const char *const starting[] = {"new-session",  "new",      "new-window",     "neww",
                                           "split-window", "splitw",   "respawn-window", "respawnw",
                                           "respawn-pane", "respawnp", "run-shell",      "run",
                                           "if-shell",     "if",       "pipe-pane",      "pipep"};
    size_t verb = c->first + 1;
    while (verb < c->n_words && c->words[verb].text[0] == '-') {
        verb += strchr("LSf", c->words[verb].text[1]) ? 2 : 1;
    }
    const char *name = verb < c->n_words ? c->words[verb].text : "";
    bool is_typed = wpa_text_index(name, typing, WPA_COUNT(typing)) >= 0;
    if (!is_typed && wpa_text_index(name, starting, WPA_COUNT(starting)) < 0) {
        return;
    }
    for (size_t i = verb + 1; i < c->n_words; i++) {
        const char *word = c->words[i].text;
        if (word[0] == '-' && word[1] && !word[2]) {
            i += strchr("stncxyFeNlp", word[1]) && !(is_typed && word[1] == 'l') ? 1 : 0;
        } else if (word[0] != '-' && (is_typed || i + 1 == c->n_words)) {
            wpa_code_tell(f, "a shell", &c->words[i], WPA_WORD_IS_CODE);
        }
    }
}

/* "find . -exec sh -c '... {} ...'": names of files are put into the script. */
static void check_found(const wpa_code_finder *f, const wpa_shell_command *c)
{
    for (size_t i = c->first + 1; i + 2 < c->n_words; i++) {
        if (wpa_code_is_shell(c->words[i].text) && wpa_text_is(c->words[i + 1].text, "-c")) {
            if (strstr(c->words[i + 2].text, "{}")) {
                tell_printed(f, c->words[i].text, c);
            }
            return;
        }
    }
}

/* "bash run.sh", ". ./.env", "./run.sh": the file that is run. */
static void check_file(const wpa_code_finder *f, const wpa_shell_command *c)
{
    static const char *const others[] = {"-c", "-e", "-m", "-n"};
    const wpa_shell_word *program = &c->words[c->first];
    bool is_runner = wpa_code_is_runner(c->name);
    bool is_path = !is_runner && program->text && strchr(program->text, '/');
    const wpa_shell_word *file = is_runner ? wpa_shell_argument(c, 0) : is_path ? program : NULL;
    if (file && !(is_runner && has_any(c, others, WPA_COUNT(others)))) {
        wpa_code_tell(f, is_runner ? c->name : "the shell", file, WPA_WORD_IS_FILE);
    }
}

/* "ssh [options] host command": a shell over there reads all the words again, quoted here or not.
 */
bool wpa_code_visit_remote(const wpa_code_finder *f, const wpa_shell_command *c)
{
    bool is_run = wpa_shell_is(c, "adb", "shell") || wpa_shell_is(c, "heroku", "run");
    size_t i = is_run ? c->first + 2 : is_remote(c) ? remote_command(c) : c->n_words;
    bool has_command = i < c->n_words;
    for (; i < c->n_words; i++) {
        wpa_code_tell(f, "the shell over there", &c->words[i], WPA_WORD_IS_CODE);
    }
    return has_command;
}

void wpa_code_visit_assigned(const wpa_code_finder *f, const wpa_shell_command *c)
{
    static const char *const names[] = {"GIT_SSH_COMMAND=",
                                        "GIT_EDITOR=",
                                        "GIT_SEQUENCE_EDITOR=",
                                        "GIT_PAGER=",
                                        "GIT_EXTERNAL_DIFF=",
                                        "GIT_PROXY_COMMAND=",
                                        "BASH_ENV=",
                                        "PROMPT_COMMAND=",
                                        "EDITOR=",
                                        "VISUAL=",
                                        "PAGER=",
                                        "NODE_OPTIONS="};
    static const char *const settings[] = {"alias.",         "core.sshcommand", "core.editor",
                                           "core.pager",     "core.fsmonitor",  "filter.",
                                           "core.hookspath", "credential."};
    for (size_t i = 0; i < c->first; i++) {
        for (size_t k = 0; strchr("GBPEVN", *c->words[i].text) && k < WPA_COUNT(names); k++) {
            if (wpa_text_starts(c->words[i].text, names[k])) {
                wpa_code_tell(f, c->name, &c->words[i], WPA_WORD_IS_CODE);
            }
        }
    }
    const wpa_shell_word *key = wpa_shell_is(c, "git", "config") ? wpa_shell_argument(c, 1) : NULL;
    const wpa_shell_word *value = key ? wpa_shell_argument(c, 2) : NULL;
    for (size_t k = 0; value && k < WPA_COUNT(settings); k++) {
        if (strncasecmp(key->text, settings[k], strlen(settings[k])) == 0) {
            wpa_code_tell(f, c->name, value, WPA_WORD_IS_CODE);
        }
    }
    for (size_t i = c->first + 1; is_remote(c) && i < c->n_words; i++) {
        const char *word = c->words[i].text + (wpa_text_starts(c->words[i].text, "-o") ? 2 : 0);
        if (strncasecmp(word, "ProxyCommand=", 13) == 0 ||
            strncasecmp(word, "LocalCommand=", 13) == 0) {
            wpa_code_tell(f, c->name, &c->words[i], WPA_WORD_IS_CODE);
        }
    }
}

void wpa_code_visit_input(const wpa_code_finder *f, size_t i)
{
    const wpa_shell_command *c = &f->site->step->script->commands[i];
    if (c->n_redirects || *c->before == '|') {
        check_input(f, i);
    }
    check_file(f, c);
    if (wpa_text_is(c->name, "find")) {
        check_found(f, c);
    }
    if (wpa_text_is(c->name, "tmux")) {
        check_typed(f, c);
    }
}
