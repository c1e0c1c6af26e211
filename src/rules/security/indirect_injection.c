/* SEC-015: a variable keeps text out of the script, and then the script itself runs it. */
#include <ctype.h>
#include <string.h>

#include "rules/code_words.h"
#include "rules/steps.h"
#include "rules/taint.h"

typedef struct subject {
    const wpa_outline_step *step;
    const wpa_shell_word *word;
    wpa_word_reading reading;
} subject;

static bool holds_variable(const wpa_script *script, wpa_span span, bool or_command)
{
    for (size_t i = span.start; i + 1 < span.end; i++) {
        uint8_t context = script->contexts ? script->contexts[i] : (uint8_t)WPA_SHELL_PLAIN;
        bool expands = context != WPA_SHELL_SINGLE && context != WPA_SHELL_COMMENT &&
                       context != WPA_SHELL_HEREDOC_QUOTED;
        if (script->text[i] == '$' && (or_command || script->text[i + 1] != '(') && expands) {
            return true;
        }
    }
    return false;
}

/* "$@" as a command runs what is first among the parameters; the others are its arguments. */
static bool is_all_parameters(const char *text)
{
    static const char *const all[] = {"$@", "$*", "${@}", "${*}"};
    return wpa_text_index(text, all, WPA_COUNT(all)) >= 0;
}

static wpa_taint taint_of(wpa_rule_run *run, const wpa_site *site, const wpa_shell_word *word,
                          wpa_word_reading reading)
{
    if (reading == WPA_WORD_IS_FILE) {
        return wpa_taint_of_file(run, site, word->text, word->span.start);
    }
    return reading == WPA_WORD_IS_COMMAND && is_all_parameters(word->text)
               ? wpa_taint_of_variable(run, site, "1", word->span.start)
               : wpa_taint_of_script(run, site, word->span, WPA_TAINT_TEXT);
}

static void report(wpa_rule_run *run, const wpa_site *site, const char *runner,
                   const wpa_shell_word *word, wpa_word_reading reading)
{
    const wpa_script *script = site->step->script;
    bool is_file = reading == WPA_WORD_IS_FILE;
    if (reading != WPA_WORD_IS_PRINTED && !is_file &&
        !holds_variable(script, word->span, reading == WPA_WORD_IS_CODE)) {
        return;
    }
    wpa_taint taint = taint_of(run, site, word, reading);
    bool is_of_people = taint.grade == WPA_TAINT_OF_DISPATCH || taint.grade == WPA_TAINT_OF_CALLER;
    if (!wpa_taint_is_of_outsider(&taint) && !(is_of_people && reading == WPA_WORD_IS_CODE)) {
        return;
    }
    /* Logins and branches do not begin with a dash; what a file holds is seldom meant to be text.
     */
    bool is_free = taint.grade == WPA_TAINT_OF_ARBITRARY && !wpa_text_starts(taint.path, "a file ");
    bool is_argument = reading == WPA_WORD_IS_OPTION || reading == WPA_WORD_IS_SPLIT ||
                       reading == WPA_WORD_IS_ARGUMENT;
    if ((is_argument || reading == WPA_WORD_IS_NUMBER) && !is_free) {
        return;
    }
    if (reading != WPA_WORD_IS_OPTION && is_argument && !wpa_text_is(taint.shape, "free text")) {
        return; /* a branch has no blanks in it, and begins with no dash */
    }
    if (is_argument && wpa_text_is(taint.shape, WPA_TAINT_BRANCH)) {
        return;
    }
    subject *s = wpa_arena_alloc(run->arena, sizeof *s);
    *s = (subject){site->step, word, reading};
    wpa_finding *finding = wpa_rule_report(
        run, wpa_outline_script_span(site->step, word->span), NULL, s,
        reading == WPA_WORD_IS_NAME
            ? "%s is the name of a variable that %s tells: it can ask for any, secrets too"
        : !is_argument ? "%s reaches code that %s runs: a variable does not keep it apart there"
        : reading == WPA_WORD_IS_OPTION
            ? "%s is split into arguments of %s, and may begin with a dash: it can give options"
        : reading == WPA_WORD_IS_ARGUMENT
            ? "%s is an argument of %s, and may begin with a dash: it can be an option"
            : "%s is split into arguments of %s where it has blanks: it can give options",
        wpa_rule_quote(run, taint.path, strlen(taint.path)), runner);
    if (is_argument) {
        finding->severity = WPA_SEVERITY_MEDIUM;
        finding->confidence = WPA_CONFIDENCE_LOW;
    } else if (is_of_people || taint.grade == WPA_TAINT_OF_STRUCTURED ||
               reading == WPA_WORD_IS_MACRO || reading == WPA_WORD_IS_NAME) {
        finding->severity = WPA_SEVERITY_MEDIUM;
        finding->persona = is_of_people ? WPA_PERSONA_AUDITOR : finding->persona;
    }
    wpa_taint_relate(run, finding, &taint);
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
    {WPA_SHELL_PWSH, "[scriptblock]::Create", NULL, "PowerShell"},
    {WPA_SHELL_PWSH, ".ExpandString(", NULL, "PowerShell"},
    {WPA_SHELL_PWSH, "bash -c", NULL, "bash"},
    {WPA_SHELL_PWSH, "bash -lc", NULL, "bash"},
    {WPA_SHELL_PWSH, "sh -c", NULL, "a shell"},
    {WPA_SHELL_PWSH, "pwsh -c", NULL, "PowerShell"}, /* "-Command" too */
    {WPA_SHELL_PWSH, "powershell -c", NULL, "PowerShell"},
    {WPA_SHELL_PWSH, "Start-Process", "-Command", "PowerShell"},
    {WPA_SHELL_PWSH, "python -c", NULL, "Python"},
    {WPA_SHELL_PWSH, "node -e", NULL, "Node.js"},
    {WPA_SHELL_PWSH, "cmd /c", NULL, "cmd"},
    {WPA_SHELL_PWSH, "cmd.exe /c", NULL, "cmd"},
    {WPA_SHELL_PYTHON, "exec(", NULL, "Python"},
    {WPA_SHELL_PYTHON, "eval(", NULL, "Python"},
    {WPA_SHELL_PYTHON, "os.system(", NULL, "a shell"},
    {WPA_SHELL_PYTHON, "os.popen(", NULL, "a shell"},
    {WPA_SHELL_PYTHON, "getoutput(", NULL, "a shell"},
    {WPA_SHELL_PYTHON, "create_subprocess_shell(", NULL, "a shell"},
    {WPA_SHELL_PYTHON, "subprocess.", "shell=True", "a shell"},
    {WPA_SHELL_PYTHON, "subprocess.", "sh\", \"-c\"", "a shell"},
    {WPA_SHELL_PYTHON, "subprocess.", "sh', '-c'", "a shell"},
    /* Programs of other languages in quotes, which the shell does not look into. */
    {WPA_SHELL_BASH, "os.system(", NULL, "a shell"},
    {WPA_SHELL_BASH, "os.popen(", NULL, "a shell"},
    {WPA_SHELL_BASH, "subprocess.", "shell=True", "a shell"},
    {WPA_SHELL_BASH, "execSync(", NULL, "a shell"},
    {WPA_SHELL_BASH, "child_process.exec(", NULL, "a shell"},
    {WPA_SHELL_BASH, "eval(", NULL, "the program"},
    {WPA_SHELL_BASH, "exec(", NULL, "the program"},
};

/* Bytes of a line behind such a word, or before it, that are looked at. */
#define LINE_MAX_BYTES 2048

/* A call of Python goes on over lines, to the bracket that closes it. */
static size_t rest_of_call(const char *at, size_t line)
{
    const char *open = memchr(at, '(', line);
    size_t depth = 0;
    for (size_t i = open ? (size_t)(open - at) : LINE_MAX_BYTES; i < LINE_MAX_BYTES && at[i]; i++) {
        depth += at[i] == '(' ? 1 : 0;
        if (at[i] == ')' && --depth == 0) {
            return i + 1 > line ? i + 1 : line;
        }
    }
    return line;
}

static size_t rest_of_line(const char *at)
{
    size_t length = strnlen(at, LINE_MAX_BYTES);
    const char *end = memchr(at, '\n', length);
    length = end ? (size_t)(end - at) : length;
    return length && at[length - 1] == '\r' ? length - 1 : length;
}

/* Does the text stand in quotes that the shell expands nothing in? */
static bool is_kept(const wpa_script *script, size_t at)
{
    uint8_t context = script && script->contexts ? script->contexts[at] : (uint8_t)WPA_SHELL_PLAIN;
    return context == WPA_SHELL_SINGLE || context == WPA_SHELL_HEREDOC_QUOTED;
}

/* May any of it? Most scripts have no such quotes. */
static bool may_be_kept(const wpa_script *script)
{
    const uint8_t *contexts = script ? script->contexts : NULL;
    return contexts && (memchr(contexts, WPA_SHELL_SINGLE, script->length) ||
                        memchr(contexts, WPA_SHELL_HEREDOC_QUOTED, script->length));
}

static bool is_comment(const char *text, size_t at)
{
    while (at > 0 && text[at - 1] != '\n') {
        at--;
    }
    return text[at + strspn(text + at, " \t")] == '#';
}

/* Of each shell, once it is asked for: may the file hold any of its words? */
typedef struct held_marks {
    bool is_known, has_any;
} held_marks;

/** Most files hold none. */
static bool has_line_marks(wpa_rule_run *run, wpa_shell shell)
{
    bool is_new;
    const size_t size = (WPA_SHELL_UNKNOWN + 1) * sizeof(held_marks);
    held_marks *held = wpa_site_keep(run, 'l', run->source, NULL, size, &is_new);
    held += shell;
    for (size_t i = 0; !held->is_known && i < WPA_COUNT(line_marks) && !held->has_any; i++) {
        held->has_any = line_marks[i].shell == shell &&
                        wpa_yaml_may_hold(run->source->yaml, line_marks[i].mark);
    }
    held->is_known = true;
    return held->has_any;
}

static void check_lines(wpa_rule_run *run, const wpa_site *site)
{
    const char *text = site->step->run->text;
    const wpa_shell shell = site->step->shell;
    bool is_bash = shell == WPA_SHELL_BASH;
    bool has_marks = has_line_marks(run, shell) && (!is_bash || may_be_kept(site->step->script));
    const char *end = has_marks ? text + strlen(text) : text;
    for (size_t i = 0; has_marks && i < WPA_COUNT(line_marks); i++) {
        const char *mark = line_marks[i].mark;
        bool is_it = line_marks[i].shell == shell && wpa_yaml_may_hold(site->step->run->doc, mark);
        for (const char *at = is_it ? text : end;
             (at = wpa_text_find_ci(at, (size_t)(end - at), mark)); at++) {
            wpa_span span = {(size_t)(at - text), 0};
            size_t line = rest_of_line(at);
            span.end = span.start + (shell == WPA_SHELL_PYTHON ? rest_of_call(at, line) : line);
            bool is_whole = at == text || *mark == '.' || !strchr(WPA_IDENTIFIER, at[-1]);
            is_whole = is_whole && (!is_bash || is_kept(site->step->script, span.start));
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

/* ---- PowerShell --------------------------------------------------------------------------------
 */

/* "Invoke-Expression $x", and "$x | iex" where what comes down the pipe is run. */
static void check_evaluated(wpa_rule_run *run, const wpa_site *site, const char *name)
{
    const char *text = site->step->run->text, *last = text + strlen(text);
    size_t length = strlen(name);
    const char *line = text, *seen = text;
    for (const char *at = text; (at = wpa_text_find_ci(at, (size_t)(last - at), name));
         at += length) {
        const char *end = memrchr(seen, '\n', (size_t)(at - seen)), *before = at;
        line = end ? end + 1 : line;
        seen = at;
        bool is_whole = (at == text || !strchr(WPA_IDENTIFIER "-.$", at[-1])) &&
                        !strchr(WPA_IDENTIFIER "-.", at[length] ? at[length] : ' ');
        if (!is_whole || line[strspn(line, " \t")] == '#' || !wpa_rule_spend(run, 1024)) {
            continue; /* each is looked at to the end of its line */
        }
        while (before > line && strchr(" \t", before[-1])) {
            before--;
        }
        size_t start = (size_t)(at - text);
        bool is_piped = before > line && before[-1] == '|';
        line = start > LINE_MAX_BYTES && line < at - LINE_MAX_BYTES ? at - LINE_MAX_BYTES : line;
        wpa_span span = {is_piped ? (size_t)(line - text) : start,
                         start + (is_piped ? length : rest_of_line(at))};
        wpa_taint taint = wpa_taint_of_script(run, site, span, WPA_TAINT_TEXT);
        report_text(run, site, site->step->run, span, "Invoke-Expression", &taint);
    }
}

/* "& $env:TOOL", ". "$script"": the word names what is run; its arguments are text. */
static void check_called(wpa_rule_run *run, const wpa_site *site)
{
    const wpa_script *script = site->step->lexed;
    const char *text = site->step->run->text;
    size_t line = 0, length = script && script->is_readable ? script->length : 0;
    for (size_t i = 0; i < length; i++) {
        line = text[i] == '\n' ? i + 1 : line;
        bool may_be = (text[i] == '&' || text[i] == '.') &&
                      script->contexts[i] == WPA_SHELL_PLAIN && strchr(" \t$\"", text[i + 1]);
        size_t before = i, at = i + 1 + (may_be ? strspn(text + i + 1, " \t") : 0);
        while (may_be && before > line && strchr(" \t", text[before - 1])) {
            before--;
        }
        may_be = may_be && (before == line || strchr(";{(=|", text[before - 1]));
        size_t quote = text[at] == '"' ? 1 : 0;
        if (!may_be || text[at + quote] != '$' || (text[i] == '.' && at == i + 1)) {
            continue;
        }
        wpa_span span = {at,
                         at + quote + strcspn(text + at + quote, quote ? "\"\r\n" : " \t;|)\r\n")};
        wpa_taint taint = wpa_taint_of_script(run, site, span, WPA_TAINT_TEXT);
        if (taint.grade == WPA_TAINT_OF_ARBITRARY && !wpa_text_starts(taint.path, "a file ")) {
            report_text(run, site, site->step->run, span, "PowerShell", &taint);
        }
        i = span.end - 1;
    }
}

/* cmd puts "%NAME%" into the line before it reads it. */
static void check_cmd(wpa_rule_run *run, const wpa_site *site)
{
    const char *text = site->step->run->text;
    for (const char *at = strchr(text, '%'); at; at = strchr(at + 1, '%')) {
        size_t length = wpa_text_name_length(at + 1);
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
        {"exec(", "child_process", "a shell", false},
        {"child_process.exec(", "child_process", "a shell", false},
        {".exec(`", "child_process", "a shell", false},
        {"exec.exec(", NULL, "a shell", true},
        {"getExecOutput(", NULL, "a shell", true},
        {"execFileSync(", "child_process", "a shell", true},
        {"spawnSync(", "child_process", "a shell", true},
        {"spawn(", "child_process", "a shell", true},
    };
    const wpa_yaml_node *node = wpa_step_javascript(site->step);
    const char *text = node ? node->text : NULL;
    for (size_t i = 0; text && i < WPA_COUNT(marks); i++) {
        bool is_asked = wpa_yaml_may_hold(node->doc, marks[i].mark) &&
                        (!marks[i].also || strstr(text, marks[i].also));
        for (const char *at = is_asked ? strstr(text, marks[i].mark) : NULL; at;
             at = strstr(at + 1, marks[i].mark)) {
            size_t length = call_length(at);
            size_t first = marks[i].takes_words ? code_within(at, length) : 0;
            /* "pattern.exec(" and "exec.exec(" are other functions. */
            const char *own =
                wpa_text_is(marks[i].mark, "exec(") ? WPA_IDENTIFIER "." : WPA_IDENTIFIER;
            bool is_whole = at == text || !strchr(own, at[-1]);
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
           (i == 0 || !(isalnum((unsigned char)text[i - 1]) || text[i - 1] == '_' ||
                        text[i - 1] == '#')); /* "${#X}" is a length */
}

static bool is_expanded(const wpa_script *script, size_t i)
{
    uint8_t context = script->contexts[i];
    return context != WPA_SHELL_SINGLE && context != WPA_SHELL_COMMENT &&
           context != WPA_SHELL_HEREDOC_QUOTED;
}

/* The first byte of a sum from here on; the end if there is none. */
static size_t next_sum(const wpa_script *script, size_t from)
{
    const uint8_t *sum =
        memchr(script->contexts + from, WPA_SHELL_ARITHMETIC, script->length - from);
    return sum ? (size_t)(sum - script->contexts) : script->length;
}

/* The first '$' from here on that stands before the sum; the sum if there is none. */
static size_t next_expansion(const wpa_script *script, size_t from, size_t sum)
{
    const char *open = memchr(script->text + from, '$', sum - from);
    return open ? (size_t)(open - script->text) : sum;
}

/* Most scripts have neither "@P" nor "{!". */
static bool may_expand(const char *text, size_t length)
{
    const char *end = text + length;
    for (const char *at = text; (at = memchr(at, '@', (size_t)(end - at))); at++) {
        if (at[1] == 'P') {
            return true;
        }
    }
    for (const char *at = text; (at = memchr(at, '!', (size_t)(end - at))); at++) {
        if (at > text && at[-1] == '{') {
            return true;
        }
    }
    return false;
}

/* "${X@P}", "${!X}", and names in "$(( ... ))": values that are code, names and sums. */
static void check_expansions(wpa_rule_run *run, const wpa_site *site)
{
    const wpa_script *script = site->step->script;
    const char *text = script->text;
    size_t sum = script->contexts ? next_sum(script, 0) : 0;
    bool has_any = script->contexts && (sum < script->length || may_expand(text, script->length));
    for (size_t i = 0; has_any && i + 1 < script->length; i++) {
        sum = sum < i ? next_sum(script, i) : sum;
        i = next_expansion(script, i, sum);
        if (i + 1 >= script->length) {
            return;
        }
        bool is_open = text[i] == '$' && text[i + 1] == '{' && is_expanded(script, i);
        bool is_sum = script->contexts[i] == WPA_SHELL_ARITHMETIC && begins_name(text, i);
        if (!is_open && !is_sum) {
            continue;
        }
        size_t from = is_open ? i + 2 + (size_t)(text[i + 2] == '!') : i;
        size_t length = wpa_text_name_length(text + from);
        const char *behind = text + from + length;
        bool is_read = length && (!is_open || wpa_text_starts(behind, "@P}") ||
                                  (text[i + 2] == '!' && *behind == '}'));
        if (is_read && memcmp(text + from, "__", length < 2 ? length : 2) != 0) {
            report_variable(run, site, wpa_arena_slice(run->arena, text + from, length),
                            (wpa_span){from, from + length});
            i = from + length - 1;
        }
    }
}

/* ---- scripts that actions run ------------------------------------------------------------------
 */

/* Is the input a script of a shell, which has the step's environment? */
static bool is_shell_input(const wpa_outline_step *step, const char *input)
{
    static const char *const runners[] = {"nick-fields/retry",
                                          "nick-invision/retry",
                                          "step-security/retry",
                                          "wandalen/wretry.action",
                                          "coactions/setup-xvfb",
                                          "gabrielbb/xvfb-action",
                                          "mathiasvr/command-output",
                                          "azure/cli",
                                          "jarvusinnovations/background-action",
                                          "reactivecircus/android-emulator-runner"};
    bool is_one = wpa_outline_step_uses(step, "appleboy/ssh-action") &&
                  (wpa_outline_with(step, "envs") || wpa_outline_with(step, "allenvs"));
    for (size_t i = 0; i < WPA_COUNT(runners) && !is_one; i++) {
        is_one = wpa_outline_step_uses(step, runners[i]);
    }
    return is_one && wpa_facts_input_is_code(step->uses.slug, wpa_slice_of(input));
}

static void visit_commands(wpa_rule_run *run, const wpa_site *site)
{
    const wpa_script *script = site->step->script;
    for (size_t i = 0; script && script->is_readable && i < script->n_commands; i++) {
        const wpa_shell_command *c = &script->commands[i];
        if (!c->is_nested_script && c->n_words > c->first) {
            wpa_code_words_visit(run, site, i, report);
        }
    }
}

/* What an input's script takes of the memory that stays, as work. */
#define INPUT_WORK 10000

/* As if the step ran the input itself. */
static void check_inputs(wpa_rule_run *run, const wpa_site *site)
{
    const wpa_yaml_node *with = site->step->with;
    for (size_t i = 0; with && i < with->n_pairs; i++) {
        const char *name = wpa_yaml_text(with->pairs[i].key);
        const wpa_yaml_node *value = wpa_yaml_resolve(with->pairs[i].value);
        bool may_be = name && wpa_yaml_is(value, WPA_YAML_SCALAR) && value->text &&
                      memchr(value->text, '$', value->length) &&
                      strlen(value->text) == value->length;
        if (!may_be || !is_shell_input(site->step, name) || !wpa_rule_spend(run, INPUT_WORK)) {
            continue;
        }
        wpa_outline_step *step = wpa_arena_dup(run->lasting, site->step, sizeof *step);
        step->run = value;
        step->shell = WPA_SHELL_BASH;
        step->places = NULL;
        wpa_outline_step_take_script(step,
                                     wpa_script_read(value->text, value->length, run->lasting));
        wpa_site inner = *site;
        inner.step = step;
        visit_commands(run, &inner);
    }
}

static void check_step(wpa_rule_run *run, const wpa_site *site)
{
    if (!site->step->run) {
        check_javascript(run, site);
        check_inputs(run, site);
        return;
    }
    const wpa_script *script = site->step->script;
    check_lines(run, site);
    if (site->step->shell == WPA_SHELL_PWSH) {
        check_evaluated(run, site, "Invoke-Expression");
        check_evaluated(run, site, "iex");
        check_called(run, site);
    }
    if (site->step->shell == WPA_SHELL_CMD) {
        check_cmd(run, site);
    }
    if (script && script->is_readable && site->step->shell == WPA_SHELL_BASH) {
        check_expansions(run, site);
    }
    visit_commands(run, site);
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
    bool is_argument = s && (s->reading == WPA_WORD_IS_OPTION || s->reading == WPA_WORD_IS_SPLIT);
    wpa_span span = is_argument ? wpa_outline_script_span(s->step, s->word->span) : (wpa_span){0};
    const char *text =
        wpa_arena_slice(run->arena, run->source->yaml->source + span.start, wpa_span_length(span));
    if (!takes_quotes || !is_argument || strpbrk(text, "\"'`\\")) {
        return; /* none, or quotes that would end where these begin */
    }
    wpa_fix *fix = wpa_rule_fix(run, finding, WPA_FIX_UNSAFE, "quote it");
    wpa_rule_edit(run, fix, span, "\"%s\"", text);
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
