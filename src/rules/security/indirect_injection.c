/* SEC-015: a variable keeps text out of the script, and then the script itself runs it. */
#include <ctype.h>
#include <string.h>

#include "rules/steps.h"
#include "rules/taint.h"

typedef enum way {
    AS_CODE,    /* the word is a program of another interpreter */
    AS_COMMAND, /* it names the program, as people who start a workflow may */
    AS_NUMBER,  /* the shell evaluates it, subscripts with commands in them too */
    AS_OPTION,  /* the word may begin with a dash, or fall apart into several */
} way;

typedef struct subject {
    const wpa_outline_step *step;
    const wpa_shell_word *word;
    way way;
} subject;

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

static bool holds_variable(const wpa_script *script, wpa_span span)
{
    for (size_t i = span.start; i + 1 < span.end; i++) {
        uint8_t context = script->contexts ? script->contexts[i] : (uint8_t)WPA_SHELL_PLAIN;
        bool expands = context != WPA_SHELL_SINGLE && context != WPA_SHELL_COMMENT &&
                       context != WPA_SHELL_HEREDOC_QUOTED;
        if (script->text[i] == '$' && script->text[i + 1] != '(' && expands) {
            return true;
        }
    }
    return false;
}

static void report(wpa_rule_run *run, const wpa_site *site, const char *runner,
                   const wpa_shell_word *word, way how)
{
    const wpa_script *script = site->step->script;
    if (!holds_variable(script, word->span)) {
        return;
    }
    wpa_taint taint = wpa_taint_of_script(run, site, word->span, WPA_TAINT_TEXT);
    bool is_of_people = taint.grade == WPA_TAINT_OF_DISPATCH || taint.grade == WPA_TAINT_OF_CALLER;
    if (!wpa_taint_is_of_outsider(&taint) && !(is_of_people && how == AS_CODE)) {
        return;
    }
    /* Logins and branches do not begin with a dash; what a file holds is seldom meant to be text.
     */
    bool is_free = taint.grade == WPA_TAINT_OF_ARBITRARY && !wpa_text_starts(taint.path, "a file ");
    if ((how == AS_OPTION || how == AS_NUMBER) && !is_free) {
        return;
    }
    subject *s = wpa_arena_alloc(run->arena, sizeof *s);
    *s = (subject){site->step, word, how};
    wpa_finding *finding = wpa_rule_report(
        run, wpa_outline_script_span(site->step, word->span), NULL, s,
        how != AS_OPTION ? "%s reaches code that %s runs: a variable does not keep it apart there"
                         : "%s is split into arguments of %s, and may begin with a dash: it can "
                           "give options",
        wpa_rule_quote(run, taint.path, strlen(taint.path)), runner);
    if (how == AS_OPTION) {
        finding->severity = WPA_SEVERITY_MEDIUM;
        finding->confidence = WPA_CONFIDENCE_LOW;
    } else if (is_of_people || taint.grade == WPA_TAINT_OF_STRUCTURED) {
        finding->severity = WPA_SEVERITY_MEDIUM;
        finding->persona = is_of_people ? WPA_PERSONA_AUDITOR : finding->persona;
    }
    wpa_taint_relate(run, finding, &taint);
}

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

static void check_programs(wpa_rule_run *run, const wpa_site *site, const wpa_shell_command *c)
{
    for (size_t i = 0; i < WPA_COUNT(programs); i++) {
        bool is_named =
            *c->name == *programs[i].command && wpa_text_is(c->name, programs[i].command);
        const wpa_shell_word *word = is_named ? word_behind(c, programs[i].option) : NULL;
        word = word || !is_named || !wpa_text_is(programs[i].option, "-c") ? word : code_of(c);
        if (word) {
            report(run, site, c->name, word, AS_CODE);
            return;
        }
    }
    if (wpa_text_is(c->name, "trap") && wpa_shell_argument(c, 0)) {
        report(run, site, c->name, wpa_shell_argument(c, 0), AS_CODE);
    }
    if (wpa_text_is(c->name, "sqlite3") && wpa_shell_argument(c, 1)) {
        report(run, site, c->name, wpa_shell_argument(c, 1), AS_CODE);
    }
    bool is_eval = wpa_text_is(c->name, "eval");
    for (size_t i = c->first + 1; is_eval && i < c->n_words; i++) {
        report(run, site, c->name, &c->words[i], AS_CODE);
    }
    if (wpa_text_index(c->name, languages, WPA_COUNT(languages)) >= 0) {
        const wpa_shell_word *word = wpa_shell_argument(c, 0);
        if (word) {
            report(run, site, c->name, word, AS_CODE);
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
static void check_fed(wpa_rule_run *run, const wpa_site *site, const wpa_shell_command *from,
                      const char *runner)
{
    for (size_t i = 0; i < from->n_redirects; i++) {
        const wpa_shell_redirect *r = &from->redirects[i];
        if (wpa_text_is(r->operator, "<<<")) {
            report(run, site, runner, &r->target, AS_CODE);
        } else if (wpa_text_starts(r->operator, "<<") && wpa_span_length(r->body)) {
            wpa_shell_word *body = wpa_arena_alloc(run->arena, sizeof *body);
            *body = (wpa_shell_word){.text = "", .span = r->body};
            report(run, site, runner, body, AS_CODE);
        }
    }
}

/* Commands behind a substitution among which the one that it stands in is looked for. */
#define OUTER_LOOKAHEAD 32

static const char *const printers[] = {"echo", "printf"};

/* "source <(echo "$X")", "bash <(printf ... "$X")": what is printed is a script's text. */
static void check_printed(wpa_rule_run *run, const wpa_site *site, size_t i)
{
    const wpa_script *script = site->step->script;
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
            report(run, site, outer->name, &c->words[w], AS_CODE);
        }
        return;
    }
}

/* "sh <<< $X", "bash <<EOF" that expands, "echo $X | sh". */
static void check_input(wpa_rule_run *run, const wpa_site *site, size_t i)
{
    const wpa_shell_command *c = &site->step->script->commands[i];
    if (!runs_input(c) && !puts_input(c)) {
        return;
    }
    check_fed(run, site, c, c->name);
    const wpa_shell_command *from = i && wpa_text_is(c->before, "|") ? c - 1 : NULL;
    if (!from || !wpa_text_is(from->after, "|")) {
        return;
    }
    if (wpa_text_is(from->name, "cat")) {
        check_fed(run, site, from, c->name);
    }
    bool prints = wpa_text_index(from->name, printers, WPA_COUNT(printers)) >= 0;
    for (size_t k = from->first + 1; prints && k < from->n_words; k++) {
        report(run, site, c->name, &from->words[k], AS_CODE);
    }
}

/* "docker exec x sh -c "...$X"", "find -exec sh -c": a shell somewhere among the arguments. */
static void check_started(wpa_rule_run *run, const wpa_site *site, const wpa_shell_command *c)
{
    for (size_t i = c->first + 1; i + 2 < c->n_words; i++) {
        const char *option = c->words[i + 1].text;
        size_t length = strlen(option);
        bool is_code = option[0] == '-' && option[1] != '-' && length > 1 &&
                       option[length - 1] == 'c' && is_shell(c->words[i].text);
        if (is_code) {
            report(run, site, c->words[i].text, &c->words[i + 2], AS_CODE);
            return;
        }
    }
}

/* "ssh [options] host command": a shell over there reads all the words again, quoted here or not.
 */
static bool check_remote(wpa_rule_run *run, const wpa_site *site, const wpa_shell_command *c)
{
    size_t i = c->first + 1;
    for (; i < c->n_words && c->words[i].text[0] == '-'; i++) {
        const char *option = c->words[i].text;
        i += option[1] && !option[2] && strchr("bcDEeFIiJLlmOopQRSWw", option[1]) ? 1 : 0;
    }
    bool has_command = i + 1 < c->n_words;
    for (i++; i < c->n_words; i++) {
        report(run, site, "the shell over there", &c->words[i], AS_CODE);
    }
    return has_command;
}

static bool is_unquoted(const wpa_script *script, const wpa_shell_word *word)
{
    size_t at = word->span.start;
    return at + 1 < word->span.end && script->text[at] == '$' && script->text[at + 1] != '(' &&
           script->contexts && script->contexts[at] == WPA_SHELL_PLAIN;
}

static void check_options(wpa_rule_run *run, const wpa_site *site, const wpa_shell_command *c)
{
    if (wpa_text_index(c->name, splitters, WPA_COUNT(splitters)) < 0) {
        return;
    }
    for (size_t i = c->first + 1; i < c->n_words; i++) {
        if (wpa_text_is(c->words[i].text, "--")) {
            return;
        }
        if (is_unquoted(site->step->script, &c->words[i])) {
            report(run, site, c->name, &c->words[i], AS_OPTION);
        }
    }
}

static void report_text(wpa_rule_run *run, const wpa_site *site, const wpa_yaml_node *node,
                        wpa_span span, const char *runner, const wpa_taint *taint)
{
    if (!wpa_taint_is_of_outsider(taint)) {
        return;
    }
    wpa_finding *finding =
        wpa_rule_report(run, wpa_step_span(site->step, node, span.start, span.end), NULL, NULL,
                        "%s reaches code that %s runs: a variable does not keep it apart there",
                        wpa_rule_quote(run, taint->path, strlen(taint->path)), runner);
    if (taint->grade == WPA_TAINT_OF_STRUCTURED) {
        finding->severity = WPA_SEVERITY_MEDIUM;
    }
    wpa_taint_relate(run, finding, taint);
}

/* Words of other languages, behind which the rest of the line is run. */
static const struct {
    wpa_shell shell;
    const char *mark;
    const char *also; /* on the same line; or NULL */
    const char *runner;
} line_marks[] = {
    {WPA_SHELL_PWSH, "Invoke-Expression", NULL, "Invoke-Expression"},
    {WPA_SHELL_PWSH, "iex ", NULL, "Invoke-Expression"},
    {WPA_SHELL_PWSH, "[scriptblock]::Create", NULL, "PowerShell"},
    {WPA_SHELL_PWSH, ".ExpandString(", NULL, "PowerShell"},
    {WPA_SHELL_PWSH, "bash -c", NULL, "bash"},
    {WPA_SHELL_PWSH, "cmd /c", NULL, "cmd"},
    {WPA_SHELL_PWSH, "cmd.exe /c", NULL, "cmd"},
    {WPA_SHELL_PYTHON, "exec(", NULL, "Python"},
    {WPA_SHELL_PYTHON, "eval(", NULL, "Python"},
    {WPA_SHELL_PYTHON, "os.system(", NULL, "a shell"},
    {WPA_SHELL_PYTHON, "os.popen(", NULL, "a shell"},
    {WPA_SHELL_PYTHON, "getoutput(", NULL, "a shell"},
    {WPA_SHELL_PYTHON, "subprocess.", "shell=True", "a shell"},
};

static bool is_comment(const char *text, size_t at)
{
    while (at > 0 && text[at - 1] != '\n') {
        at--;
    }
    return text[at + strspn(text + at, " \t")] == '#';
}

static void check_lines(wpa_rule_run *run, const wpa_site *site)
{
    const char *text = site->step->run->text;
    for (size_t i = 0; i < WPA_COUNT(line_marks); i++) {
        const char *mark = line_marks[i].mark;
        bool is_it = line_marks[i].shell == site->step->shell &&
                     wpa_yaml_may_hold(site->step->run->doc, mark);
        for (const char *at = is_it ? strcasestr(text, mark) : NULL; at;
             at = strcasestr(at + 1, mark)) {
            wpa_span span = {(size_t)(at - text), 0};
            span.end = span.start + strcspn(at, "\r\n");
            bool is_whole = at == text || !strchr(WPA_IDENTIFIER, at[-1]);
            bool is_held =
                !line_marks[i].also ||
                memmem(at, wpa_span_length(span), line_marks[i].also, strlen(line_marks[i].also));
            if (is_whole && is_held && !is_comment(text, span.start)) {
                wpa_taint taint = wpa_taint_of_script(run, site, span, WPA_TAINT_TEXT);
                report_text(run, site, site->step->run, span, line_marks[i].runner, &taint);
            }
        }
    }
}

/* cmd puts "%NAME%" into the line before it reads it. */
static void check_cmd(wpa_rule_run *run, const wpa_site *site)
{
    const char *text = site->step->run->text;
    for (const char *at = strchr(text, '%'); at; at = strchr(at + 1, '%')) {
        size_t length = strspn(at + 1, WPA_IDENTIFIER);
        if (length && at[1 + length] == '%') {
            const char *name = wpa_arena_slice(run->arena, at + 1, length);
            wpa_span span = {(size_t)(at - text), (size_t)(at - text) + length + 2};
            wpa_taint taint = wpa_taint_of_variable(run, site, name, span.start);
            report_text(run, site, site->step->run, span, "cmd", &taint);
            at += length + 1;
        }
    }
}

/* Bytes of a call in JavaScript that are looked at. */
#define CALL_MAX_BYTES 2048

/* ---- the script of actions/github-script -------------------------------------------------------
 */

/* The call that begins here, to the bracket that closes it or the end of its line. */
static size_t call_length(const char *text)
{
    size_t line = strcspn(text, "\r\n"), depth = 0;
    for (size_t i = 0; text[i] && i < CALL_MAX_BYTES; i++) {
        depth += text[i] == '(' ? 1 : 0;
        if (text[i] == ')' && depth && --depth == 0) {
            return i + 1;
        }
    }
    return line;
}

/* The word within quotes, as a path or behind a blank: "bash", '/bin/sh', `bash -c ...`. */
static const char *find_word(const char *text, size_t length, const char *word)
{
    const char *end = text + length;
    size_t n = strlen(word);
    for (const char *at = text; (at = memmem(at, (size_t)(end - at), word, n)); at++) {
        bool begins = at > text && strchr("'\"`/ ", at[-1]);
        if (begins && at + n < end && strchr("'\"` ", at[n])) {
            return at;
        }
    }
    return NULL;
}

/* "exec.exec('bash', ['-c', `...`])": what stands behind the option is the only code. */
static size_t code_within(const char *text, size_t length)
{
    static const char *const names[] = {"bash", "sh", "zsh", "pwsh", "powershell", "cmd"};
    static const char *const options[] = {"-c", "-lc", "-ec", "-Command", "/c"};
    const char *shell = NULL;
    for (size_t i = 0; i < WPA_COUNT(names) && !shell; i++) {
        shell = find_word(text, length, names[i]);
    }
    for (size_t i = 0; shell && i < WPA_COUNT(options); i++) {
        const char *at = find_word(shell, length - (size_t)(shell - text), options[i]);
        if (at) {
            return (size_t)(at - text) + strlen(options[i]);
        }
    }
    return length;
}

static void check_javascript(wpa_rule_run *run, const wpa_site *site)
{
    static const struct {
        const char *mark, *also, *runner; /* also: what the script holds */
        bool takes_words;                 /* code is behind the option of a shell alone */
    } marks[] = {
        {"eval(", NULL, "JavaScript", false},
        {"new Function(", NULL, "JavaScript", false},
        {"execSync(", "child_process", "a shell", false},
        {" exec(", "child_process", "a shell", false},
        {".exec(`", "child_process", "a shell", false},
        {"exec.exec(", NULL, "a shell", true},
        {"getExecOutput(", NULL, "a shell", true},
        {"execFileSync(", "child_process", "a shell", true},
        {"spawnSync(", "child_process", "a shell", true},
        {" spawn(", "child_process", "a shell", true},
    };
    const wpa_yaml_node *node = wpa_step_javascript(site->step);
    const char *text = node ? node->text : NULL;
    for (size_t i = 0; text && i < WPA_COUNT(marks); i++) {
        bool is_asked = !marks[i].also || strstr(text, marks[i].also);
        for (const char *at = is_asked ? strstr(text, marks[i].mark) : NULL; at;
             at = strstr(at + 1, marks[i].mark)) {
            size_t length = call_length(at);
            size_t first = marks[i].takes_words ? code_within(at, length) : 0;
            bool is_whole = at == text || !strchr(WPA_IDENTIFIER, at[-1]);
            wpa_taint taint = {0};
            size_t from = (size_t)(at - text);
            if (is_whole && wpa_rule_spend(run, length)) {
                taint = wpa_taint_of_javascript(run, site, node,
                                                (wpa_span){from + first, from + length});
            }
            size_t shown = strcspn(at, "\r\n");
            shown = shown < length ? shown : length;
            report_text(run, site, node, (wpa_span){from, from + shown}, marks[i].runner, &taint);
        }
    }
}

/* ---- what bash evaluates -----------------------------------------------------------------------
 */

static void report_number(wpa_rule_run *run, const wpa_site *site, const wpa_shell_word *word)
{
    report(run, site, "the shell", word, AS_NUMBER);
}

/* Names of variables that commands take as words, and operands of arithmetic tests. */
static void check_names(wpa_rule_run *run, const wpa_site *site, const wpa_shell_command *c)
{
    static const char *const takers[] = {"declare",  "typeset", "local", "export",
                                         "readonly", "read",    "unset", "let"};
    static const char *const operators[] = {"-eq", "-ne", "-lt", "-le", "-gt", "-ge"};
    bool takes_names = wpa_text_index(c->name, takers, WPA_COUNT(takers)) >= 0;
    bool is_test =
        wpa_text_is(c->name, "[[") || wpa_text_is(c->name, "[") || wpa_text_is(c->name, "test");
    for (size_t i = c->first + 1; i < c->n_words; i++) {
        const char *word = c->words[i].text;
        bool is_name = takes_names && (*word == '$' || wpa_text_is(c->name, "let"));
        bool is_behind = i > c->first + 1 && wpa_text_is(c->words[i - 1].text, "-v") &&
                         (is_test || wpa_text_is(c->name, "printf"));
        if (is_name || is_behind) {
            report_number(run, site, &c->words[i]);
        }
        bool is_sum = wpa_text_is(c->name, "[[") && i > c->first + 1 && i + 1 < c->n_words &&
                      wpa_text_index(word, operators, WPA_COUNT(operators)) >= 0;
        if (is_sum) {
            report_number(run, site, &c->words[i - 1]);
            report_number(run, site, &c->words[i + 1]);
        }
    }
}

static void report_variable(wpa_rule_run *run, const wpa_site *site, const char *name,
                            wpa_span place)
{
    wpa_taint taint = wpa_taint_of_variable(run, site, name, place.start);
    if (taint.grade == WPA_TAINT_OF_ARBITRARY && !wpa_text_starts(taint.path, "a file ")) {
        report_text(run, site, site->step->run, place, "the shell", &taint);
    }
}

/* Does a name begin at text[i], with no letter of another one before it? */
static bool begins_name(const char *text, size_t i)
{
    return (isalpha((unsigned char)text[i]) || text[i] == '_') &&
           (i == 0 || !(isalnum((unsigned char)text[i - 1]) || text[i - 1] == '_'));
}

static bool is_expanded(const wpa_script *script, size_t i)
{
    uint8_t context = script->contexts[i];
    return context != WPA_SHELL_SINGLE && context != WPA_SHELL_COMMENT &&
           context != WPA_SHELL_HEREDOC_QUOTED;
}

/* "${X@P}", "${!X}", and names in "$(( ... ))": values that are code, names and sums. */
static void check_expansions(wpa_rule_run *run, const wpa_site *site)
{
    const wpa_script *script = site->step->script;
    const char *text = script->text;
    bool has_sums =
        script->contexts && memchr(script->contexts, WPA_SHELL_ARITHMETIC, script->length);
    for (size_t i = 0; script->contexts && i + 1 < script->length; i++) {
        const char *open = has_sums ? text + i : memchr(text + i, '$', script->length - i);
        if (!open) {
            return;
        }
        i = (size_t)(open - text);
        bool is_open = text[i] == '$' && i + 1 < script->length && text[i + 1] == '{' &&
                       is_expanded(script, i);
        bool is_sum = script->contexts[i] == WPA_SHELL_ARITHMETIC && begins_name(text, i);
        if (!is_open && !is_sum) {
            continue;
        }
        size_t from = is_open ? i + 2 + (size_t)(open[2] == '!') : i;
        size_t length = strspn(text + from, WPA_IDENTIFIER);
        const char *behind = text + from + length;
        bool is_read = length && (!is_open || wpa_text_starts(behind, "@P}") ||
                                  (open[2] == '!' && *behind == '}'));
        if (is_read && memcmp(text + from, "__", length < 2 ? length : 2) != 0) {
            report_variable(run, site, wpa_arena_slice(run->arena, text + from, length),
                            (wpa_span){from, from + length});
            i = from + length - 1;
        }
    }
}

/* A command that is nothing but a variable: "$X", "${X}". */
static bool is_variable(const wpa_shell_word *word)
{
    const char *text = word->text;
    return text[0] == '$' && text[1] != '(' && !strpbrk(text, "/:");
}

/* Commands of which none hold a variable are most of them: they can give nothing away. */
static void check_command(wpa_rule_run *run, const wpa_site *site, size_t i)
{
    const wpa_script *script = site->step->script;
    const wpa_shell_command *c = &script->commands[i];
    bool has_variable = memchr(script->text + c->span.start, '$', wpa_span_length(c->span));
    if (has_variable) {
        check_programs(run, site, c);
    }
    if (c->n_redirects || *c->before == '|') {
        check_input(run, site, i);
    }
    if (!has_variable) {
        return;
    }
    check_printed(run, site, i);
    check_started(run, site, c);
    if (site->step->shell == WPA_SHELL_BASH) {
        check_names(run, site, c);
    }
    bool is_told = wpa_text_is(c->name, "ssh") && check_remote(run, site, c);
    if (!is_told) {
        check_options(run, site, c);
    }
    if (is_variable(&c->words[c->first])) {
        report(run, site, "the shell", &c->words[c->first], AS_COMMAND);
    }
}

static void check_step(wpa_rule_run *run, const wpa_site *site)
{
    if (!site->step->run) {
        check_javascript(run, site);
        return;
    }
    const wpa_script *script = site->step->script;
    check_lines(run, site);
    if (site->step->shell == WPA_SHELL_CMD) {
        check_cmd(run, site);
    }
    if (script && script->is_readable && site->step->shell == WPA_SHELL_BASH) {
        check_expansions(run, site);
    }
    bool has_variables = script && script->is_readable && memchr(script->text, '$', script->length);
    for (size_t i = 0; has_variables && i < script->n_commands; i++) {
        const wpa_shell_command *c = &script->commands[i];
        if (!c->is_nested_script && c->n_words > c->first) {
            check_command(run, site, i);
        }
    }
}

static bool check(wpa_rule_run *run, wpa_error *err)
{
    (void)err;
    const wpa_outline *o = run->source->outline;
    /* Strangers, or people who start it with inputs. */
    if (o->may_be_of_outsiders || wpa_outline_trigger_find(o, "workflow_dispatch")) {
        wpa_site_each_step(run, check_step);
    }
    return true;
}

/* Quotes keep the words together; a dash at the front is for a person to think about. */
static void repair(wpa_rule_run *run, wpa_finding *finding)
{
    const subject *s = finding->subject;
    const wpa_yaml_node *node = s ? s->step->run : NULL;
    bool takes_quotes = node && (node->style == WPA_YAML_LITERAL || node->style == WPA_YAML_FOLDED);
    if (!takes_quotes || s->way != AS_OPTION) {
        return;
    }
    wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "quote it");
    wpa_span span = wpa_outline_script_span(s->step, s->word->span);
    wpa_rule_edit(run, fix, span, "\"%.*s\"", (int)wpa_span_length(span),
                  run->source->yaml->source + span.start);
}

const wpa_rule wpa_rule_indirect_injection = {
    .code = "SEC-015",
    .id = "indirect-injection",
    .dimension = WPA_DIMENSION_SECURITY,
    .kind = WPA_KIND_ISSUE,
    .severity = WPA_SEVERITY_HIGH,
    .confidence = WPA_CONFIDENCE_MEDIUM,
    .persona = WPA_PERSONA_DEFAULT,
    .inputs = WPA_INPUT_WORKFLOW | WPA_INPUT_ACTION,
    .summary = "Text of a stranger reaches a command through a variable and is interpreted there",
    .why = "eval, bash -c, jq and the like read their argument as code; an unquoted variable falls "
           "apart into options.",
    .fix = "Hand it over as data: as an argument of the inner script, jq --arg, in quotes and "
           "behind --.",
    .tables = 1U << WPA_FACTS_EVENTS | 1U << WPA_FACTS_UNTRUSTED,
    .declares = WPA_DECLARES_SCRIPT,
    .check = check,
    .repair = repair,
};
