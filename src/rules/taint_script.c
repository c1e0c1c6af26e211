/* Taint inside scripts: variables, assignments, what their text reads. */
#include <ctype.h>
#include <string.h>

#include "rules/functions.h"
#include "rules/parameters.h"
#include "rules/taint_internal.h"

#define NAME_MAX_BYTES 128
/* Commands behind "while read" among which the end of its loop is looked for. */
#define LOOP_LOOKAHEAD 64
/* Commands of a pipe whose text "read" gets. */
#define PIPE_MAX_COMMANDS 32
/* Of a here-string of PowerShell, and lines that assign. */
#define HERE_MAX_BYTES 4096
#define LINES_MAX 512

static const wpa_taint none = {WPA_TAINT_NONE, NULL, NULL, {0}, false, NULL, 0};

/* ---- variables ---------------------------------------------------------------------------------
 */

static bool mentions(const char *text, size_t length, const char *name)
{
    size_t n = strlen(name);
    for (size_t i = 0; i + n < length; i++) {
        bool is_start = text[i] == '$';
        size_t at = i + 1 + (size_t)(is_start && text[i + 1] == '{');
        if (is_start && at + n <= length && strncmp(text + at, name, n) == 0 &&
            !(isalnum((unsigned char)text[at + n]) || text[at + n] == '_')) {
            return true;
        }
    }
    return false;
}

/* Has the script tested the variable against a pattern before, and left if it did not fit? */
static bool is_tested(const wpa_script *script, const char *name, size_t at)
{
    if (!script || !strstr(script->text, "exit")) {
        return false;
    }
    for (size_t i = 0; i < script->n_commands; i++) {
        const wpa_shell_command *c = &script->commands[i];
        bool is_test = wpa_text_is(c->name, "[[") && wpa_shell_word_find(c, "=~");
        bool is_grep = wpa_text_is(c->name, "grep") && i > 0 && wpa_text_is(c->before, "|");
        wpa_span span = is_grep ? script->commands[i - 1].span : c->span;
        if ((is_test || is_grep) && c->span.end <= at && span.end > span.start &&
            mentions(script->text + span.start, wpa_span_length(span), name)) {
            return true;
        }
    }
    return false;
}

/* "git check-ref-format --branch "$X" || exit": what is left may be a branch's name. */
static bool is_checked_branch(const wpa_script *script, const char *name, size_t at)
{
    static const char check[] = "check-ref-format";
    bool is_asked = script && wpa_text_find(script->text, script->length, check) &&
                    strstr(script->text, "exit");
    for (size_t i = 0; is_asked && i < script->n_commands; i++) {
        const wpa_shell_command *c = &script->commands[i];
        if (wpa_shell_is(c, "git", check) && wpa_shell_word_find(c, "--branch") &&
            c->span.end <= at &&
            mentions(script->text + c->span.start, wpa_span_length(c->span), name)) {
            return true;
        }
    }
    return false;
}

/* Do words behind the command's name assign as well? */
static bool declares(const wpa_shell_command *c)
{
    static const char *const builtins[] = {"export", "local", "declare", "readonly", "typeset"};
    return wpa_text_index(c->name, builtins, WPA_COUNT(builtins)) >= 0;
}

/* "NAME=value" in a script. */
typedef struct assignment {
    const char *word; /* begins with the name */
    size_t name_length;
    size_t at;    /* where its command begins */
    size_t until; /* where it is forgotten, at the end of a function; 0: nowhere */
    wpa_span value;
    bool is_judged, is_harmless; /* the second once the first is set */
    bool is_open;                /* being traced: what leads back to it adds nothing */
} assignment;

typedef struct assignments {
    assignment *items;
    size_t n, capacity;
} assignments;

static void add_value(wpa_arena *arena, assignments *list, const wpa_shell_command *c,
                      wpa_slice name, wpa_span value)
{
    if (name.length && value.start < value.end) {
        list->items =
            wpa_arena_grow(arena, list->items, list->n, &list->capacity, sizeof *list->items);
        list->items[list->n++] = (assignment){
            .word = name.at, .name_length = name.length, .at = c->span.start, .value = value};
    }
}

static void add_assignment(wpa_arena *arena, assignments *list, const wpa_shell_command *c,
                           const wpa_shell_word *word)
{
    const char *equals = strchr(word->text, '=');
    size_t length = equals ? (size_t)(equals - word->text) : 0;
    wpa_span value = {word->span.start + length + 1, word->span.end};
    length -= length && word->text[length - 1] == '+' ? 1 : 0;
    add_value(arena, list, c, (wpa_slice){word->text, length}, value);
}

/* What a command is fed by a redirection: a text, or the file's name. */
static wpa_span fed_to(const wpa_shell_command *c)
{
    wpa_span fed = {0, 0};
    for (size_t i = 0; i < c->n_redirects; i++) {
        const wpa_shell_redirect *r = &c->redirects[i];
        bool is_text = wpa_text_is(r->operator, "<<<") || wpa_text_is(r->operator, "<");
        fed = is_text ? r->target.span : *r->operator== '<' ? r->body : fed;
    }
    return fed;
}

/* What "read" gets: its own redirection's, what comes down the pipe, or what the loop is fed that
 * it is the condition of. */
static wpa_span input_of(const wpa_script *script, size_t i)
{
    const wpa_shell_command *c = &script->commands[i];
    wpa_span fed = fed_to(c);
    bool is_piped = !wpa_span_length(fed) && i > 0 && wpa_text_is(c->before, "|");
    for (size_t k = i; is_piped && k > 0 && i - k < PIPE_MAX_COMMANDS; k--) {
        if (!wpa_text_is(script->commands[k].before, "|")) {
            break;
        }
        fed = (wpa_span){script->commands[k - 1].span.start, script->commands[i - 1].span.end};
    }
    for (size_t k = i + 1; k < script->n_commands && k <= i + LOOP_LOOKAHEAD; k++) {
        const wpa_shell_command *end = &script->commands[k];
        if (wpa_span_length(fed) || end->loops < c->loops) {
            break;
        }
        bool is_end = !end->n_words && end->loops == c->loops && end->nested == c->nested;
        fed = is_end ? fed_to(end) : fed;
    }
    return fed;
}

/* "read X", "mapfile -t X": whatever they get is in all of the names. */
static void add_read(wpa_arena *arena, assignments *list, const wpa_script *script, size_t i)
{
    static const char valued[] = "dinNOpstuCc"; /* options with a value of their own */
    const wpa_shell_command *c = &script->commands[i];
    wpa_span value = input_of(script, i);
    for (size_t k = c->first + 1; k < c->n_words && wpa_span_length(value); k++) {
        const char *word = c->words[k].text;
        size_t length = strlen(word);
        if (word[0] == '-') {
            k += length > 1 && strchr(valued, word[length - 1]) && word[length - 1] != 't' ? 1 : 0;
            continue;
        }
        add_value(arena, list, c, (wpa_slice){word, wpa_text_name_length(word)}, value);
    }
}

/* "for X in ...", "printf -v X ...": the words behind the name. */
static void add_words(wpa_arena *arena, assignments *list, const wpa_shell_command *c)
{
    bool is_loop = wpa_text_is(c->name, "for");
    size_t name = c->first + (is_loop ? 1 : 2), first = c->first + 3;
    const char *mark = is_loop ? "in" : "-v";
    if (first < c->n_words && wpa_text_is(c->words[c->first + (is_loop ? 2 : 1)].text, mark)) {
        const char *word = c->words[name].text;
        add_value(arena, list, c, (wpa_slice){word, wpa_text_name_length(word)},
                  (wpa_span){c->words[first].span.start, c->words[c->n_words - 1].span.end});
    }
}

/* "[[ $X =~ fix (.*) ]]": what fits a group that takes anything is in BASH_REMATCH. */
static void add_matched(wpa_arena *arena, assignments *list, const wpa_script *script, size_t i)
{
    static const char name[] = "BASH_REMATCH";
    static const char *const open[] = {".*", ".+", "[^"};
    const wpa_shell_command *c = &script->commands[i];
    for (size_t k = c->first + 2; k < c->n_words; k++) {
        const char *pattern = script->text + c->words[k].span.end;
        size_t length = strcspn(pattern, "\n"); /* its brackets are no words */
        bool is_open = false;
        for (size_t n = 0; n < WPA_COUNT(open) && !is_open; n++) {
            is_open = wpa_text_find(pattern, length, open[n]) != NULL;
        }
        if (wpa_text_is(c->words[k].text, "=~")) {
            wpa_span tested = is_open ? c->words[k - 1].span : (wpa_span){0, 0};
            add_value(arena, list, c, wpa_slice_of(name), tested);
            return;
        }
    }
}

/* What commands put into variables that are no assignments. */
static void add_filled(wpa_arena *arena, assignments *list, const wpa_script *script, size_t i)
{
    static const char *const readers[] = {"read", "mapfile", "readarray"};
    const wpa_shell_command *c = &script->commands[i];
    bool is_posix = script->language == WPA_SCRIPT_POSIX && *c->name;
    if (is_posix && strchr("rm", *c->name) &&
        wpa_text_index(c->name, readers, WPA_COUNT(readers)) >= 0) {
        add_read(arena, list, script, i);
    } else if (is_posix && (wpa_text_is(c->name, "for") || wpa_text_is(c->name, "printf"))) {
        add_words(arena, list, c);
    } else if (is_posix && wpa_text_is(c->name, "[[")) {
        add_matched(arena, list, script, i);
    }
}

/* The end of a value of PowerShell: of its line, or of the here-string that begins on it. */
static size_t end_of_value(const char *text, size_t at)
{
    const char *open = text + at + strspn(text + at, " \t");
    bool is_here = wpa_text_starts(open, "@\"") || wpa_text_starts(open, "@'");
    size_t reach = is_here ? strnlen(open, HERE_MAX_BYTES) : 0;
    const char *close = memmem(open, reach, open[0] && open[1] == '"' ? "\n\"@" : "\n'@", 3);
    return close ? (size_t)(close - text) : at + strcspn(text + at, "\r\n");
}

/* "$name = value", "[string]$name += value" of PowerShell, at the beginning of a line. */
static void add_line(wpa_arena *arena, assignments *list, const char *text, size_t line)
{
    size_t at = line + strspn(text + line, " \t");
    size_t type = text[at] == '[' ? strcspn(text + at, "]\n") : 0;
    at += text[at + type] == ']' ? type + 1 : 0;
    size_t start = at + 1 + (strncasecmp(text + at, "$env:", 5) == 0 ? 4 : 0);
    size_t length = text[at] == '$' ? wpa_text_name_length(text + start) : 0;
    size_t behind = length ? start + length + strspn(text + start + length, " \t+") : 0;
    bool assigns = behind && text[behind] == '=' && text[behind + 1] != '=';
    /* A block is code of the script's own, whatever is given to it. */
    if (assigns && text[behind + 1 + strspn(text + behind + 1, " \t")] != '{') {
        const wpa_shell_command place = {.span = {line, line}};
        add_value(arena, list, &place, (wpa_slice){text + start, length},
                  (wpa_span){behind + 1, end_of_value(text, behind + 1)});
    }
}

static void add_lines(wpa_arena *arena, assignments *list, const char *text)
{
    for (size_t line = 0; text[line] && list->n < LINES_MAX;) {
        add_line(arena, list, text, line);
        line += strcspn(text + line, "\n");
        line += text[line] == '\n';
    }
}

/* What parameters of functions stand for. */
static void add_parameters(wpa_rule_run *run, assignments *list, const wpa_outline_step *step)
{
    wpa_parameter_values given = wpa_parameter_values_of(run, step, run->arena);
    for (size_t i = 0; i < given.n; i++) {
        const wpa_parameter_value *value = &given.items[i];
        const wpa_shell_command place = {.span = {value->body.start, value->body.start}};
        add_value(run->lasting, list, &place, value->name, value->value);
        list->items[list->n - 1].until = value->body.end;
    }
}

/* All of a step's script, gathered once a rule: "NAME=x cmd", "export NAME=x". */
static const assignments *assignments_of(wpa_rule_run *run, const wpa_outline_step *step)
{
    bool is_new;
    assignments *list = wpa_site_keep(run, 'v', step, NULL, sizeof *list, &is_new);
    for (size_t i = 0; is_new && step->script && i < step->script->n_commands; i++) {
        const wpa_shell_command *c = &step->script->commands[i];
        size_t n = declares(c) ? c->n_words : c->first;
        for (size_t k = 0; k < n && k < c->n_words; k++) {
            add_assignment(run->lasting, list, c, &c->words[k]);
        }
        add_filled(run->lasting, list, step->script, i);
    }
    if (is_new && step->shell == WPA_SHELL_PWSH) {
        add_lines(run->lasting, list, step->run->text);
        add_parameters(run, list, step);
    }
    return list;
}

/* PowerShell takes names in any case of letters. */
static bool is_named(const wpa_site *site, const char *word, const char *name, size_t length)
{
    return site->step->shell == WPA_SHELL_PWSH ? strncasecmp(word, name, length) == 0
                                               : memcmp(word, name, length) == 0;
}

/* The worst that the script gives the variable before this offset. */
static wpa_taint trace_assignments(wpa_tracer *t, const wpa_site *site, const char *name, size_t at,
                                   bool *is_assigned)
{
    const assignments *list = assignments_of(t->run, site->step);
    wpa_taint worst = none;
    size_t length = strlen(name);
    *is_assigned = false;
    for (size_t i = 0; i < list->n; i++) {
        assignment *a = &list->items[i];
        bool is_there = a->at < at && (!a->until || at < a->until);
        if (!is_there || a->name_length != length || !is_named(site, a->word, name, length)) {
            continue;
        }
        *is_assigned = true;
        if (!a->is_judged) {
            a->is_judged = true;
            const wpa_script *script = site->step->script;
            a->is_harmless =
                wpa_taint_is_sanitised(script ? script->text : site->step->run->text, a->value);
        }
        t->is_cut = t->is_cut || a->is_open;
        if (!a->is_harmless && !a->is_open) {
            a->is_open = true;
            wpa_taint taint = wpa_trace_script(t, site, a->value);
            list->items[i].is_open = false;
            worst = wpa_taint_worse(worst, taint);
        }
    }
    return worst;
}

/* "$1", "$@": what calls of the function around it hand over, or "set --" does. */
static wpa_taint trace_positional(wpa_tracer *t, const wpa_site *site, const char *name, size_t at)
{
    wpa_positional given = wpa_positional_of(t->run, site->step, name, at);
    wpa_taint worst = none;
    for (size_t i = 0; i < given.n; i++) {
        if (!wpa_taint_is_sanitised(site->step->script->text, given.spans[i])) {
            worst = wpa_taint_worse(worst, wpa_trace_script(t, site, given.spans[i]));
        }
    }
    return worst;
}

static wpa_taint trace_variable(wpa_tracer *t, const wpa_site *site, const char *name, size_t at)
{
    bool is_assigned;
    const wpa_script *script = site->step->script;
    wpa_trace_memo memo;
    if (!t->left || !wpa_rule_spend(t->run, script ? script->n_commands + 16 : 16)) {
        t->is_cut = true;
        return none;
    }
    const wpa_taint *known = wpa_trace_known(t, site, 'V', at, name, &memo);
    if (known) {
        return *known;
    }
    t->left--;
    bool is_positional = wpa_positional_is(name);
    wpa_taint taint = is_positional ? trace_positional(t, site, name, at)
                                    : trace_assignments(t, site, name, at, &is_assigned);
    if (!is_positional && !is_assigned) {
        taint = wpa_trace_env(t, site, name);
    }
    bool is_refused = taint.grade > WPA_TAINT_UNKNOWN && is_tested(script, name, at);
    taint = is_refused ? none : taint;
    if (taint.grade == WPA_TAINT_OF_ARBITRARY && is_checked_branch(script, name, at)) {
        taint.shape = WPA_TAINT_BRANCH; /* it still holds what a shell reads as code */
    }
    return wpa_trace_keep(t, &memo, taint);
}

wpa_taint wpa_taint_of_variable(wpa_rule_run *run, const wpa_site *site, const char *name,
                                size_t at)
{
    wpa_tracer t = {.run = run, .left = 1000};
    return trace_variable(&t, site, name, at);
}

/* ---- text of scripts ---------------------------------------------------------------------------
 */

/* What all readers of the environment in other languages have in them. */
static bool has_readers(const char *text, wpa_span span)
{
    return wpa_text_find(text + span.start, wpa_span_length(span), "env") != NULL;
}

/* The next place from here on where a variable may be read; the end if there is none. */
static size_t next_read(const char *text, wpa_span span, size_t at, wpa_shell shell,
                        bool has_readers)
{
    bool is_marked = shell != WPA_SHELL_PYTHON && shell != WPA_SHELL_CMD && !has_readers;
    const char *mark = is_marked ? memchr(text + at, '$', span.end - at) : text + at;
    return mark ? (size_t)(mark - text) : span.end;
}

/* The name of a variable that is read at text[*at]; *at moves behind it. False: none is. */
static bool read_variable(const char *text, size_t length, wpa_shell shell, size_t *at, char *name)
{
    /* Of Python, and of programs that stand in a script of another language. */
    static const char *const readers[] = {
        "process.env.",      "os.environ[\"",    "os.environ['", "os.getenv(\"", "os.getenv('",
        "os.environ.get(\"", "os.environ.get('", "environ[\"",   "environ['",    "environ.get(\"",
        "environ.get('",     "getenv(\"",        "getenv('"};
    size_t i = *at;
    bool is_found = false;
    if (shell == WPA_SHELL_PYTHON || text[i] == 'p' || text[i] == 'o') {
        for (size_t k = 0; k < WPA_COUNT(readers) && !is_found; k++) {
            size_t n = strlen(readers[k]);
            is_found = i + n < length && strncmp(text + i, readers[k], n) == 0;
            i += is_found ? n : 0;
        }
    } else if (shell == WPA_SHELL_CMD) {
        is_found = text[i] == '%' || text[i] == '!';
        i += is_found ? 1 : 0;
    } else if (text[i] == '$') {
        i++;
        i += i < length && text[i] == '{' ? 1 : 0;
        i += shell == WPA_SHELL_PWSH && i + 4 < length && strncasecmp(text + i, "env:", 4) == 0 ? 4
                                                                                                : 0;
        is_found = true;
    }
    size_t n = 0;
    while (is_found && i + n < length && n + 1 < NAME_MAX_BYTES &&
           (isalnum((unsigned char)text[i + n]) || text[i + n] == '_')) {
        name[n] = text[i + n];
        n++;
    }
    if (is_found && !n && i < length && (text[i] == '@' || text[i] == '*') &&
        shell != WPA_SHELL_PWSH && shell != WPA_SHELL_CMD && shell != WPA_SHELL_PYTHON) {
        name[n++] = '@';
    }
    name[n] = '\0';
    if (n) {
        *at = i + n - 1;
    }
    return n > 0;
}

static bool expands_at(const wpa_outline_step *step, size_t at)
{
    bool is_pwsh = step->shell == WPA_SHELL_PWSH && step->lexed && step->lexed->is_readable;
    const wpa_script *script = is_pwsh ? step->lexed : step->script;
    if (!script || !script->contexts || at >= script->length) {
        return true;
    }
    uint8_t context = script->contexts[at];
    return context != WPA_SHELL_SINGLE && context != WPA_SHELL_HEREDOC_QUOTED &&
           context != WPA_SHELL_COMMENT;
}

/* "$([ -n "$X" ] && echo true)": what a test reads nobody gets. */
static bool is_only_asked(const wpa_script *script, size_t at)
{
    static const char *const tests[] = {"[", "[[", "test"};
    for (size_t i = 0; script && script->is_readable && i < script->n_commands; i++) {
        const wpa_shell_command *c = &script->commands[i];
        if (c->nested && !c->is_nested_script && c->span.start <= at && at < c->span.end &&
            wpa_text_index(c->name, tests, WPA_COUNT(tests)) >= 0) {
            return true;
        }
    }
    return false;
}

/* "$(cat "$DIR/version")", "$(crane digest "$IMAGE")": what comes out is what stands in the file,
 * or what the image is, not its name. */
static bool only_names_file(const wpa_shell_command *c, size_t at)
{
    static const char *const readers[] = {"cat",  "head",      "tail",    "tac",   "wc",
                                          "stat", "sha256sum", "sha1sum", "md5sum"};
    bool is_behind = c->first < c->n_words && at >= c->words[c->first].span.end;
    bool is_reader = is_behind && at < c->span.end &&
                     (wpa_text_index(c->name, readers, WPA_COUNT(readers)) >= 0 ||
                      wpa_shell_is(c, "crane", "digest") || wpa_shell_is(c, "skopeo", "inspect"));
    if (!is_reader) {
        return false;
    }
    for (size_t i = c->first + 1; i < c->n_words; i++) {
        if (wpa_span_contains(c->words[i].span, (wpa_span){at, at})) {
            return !wpa_text_starts(c->words[i].text, "<(");
        }
    }
    return false;
}

static bool is_in_file_name(wpa_tracer *t, const wpa_site *site, size_t at)
{
    const wpa_script *script = site->step->script;
    bool is_asked = script && script->is_readable && wpa_rule_spend(t->run, script->n_commands);
    for (size_t i = 0; is_asked && i < script->n_commands; i++) {
        if (!script->commands[i].is_nested_script && only_names_file(&script->commands[i], at)) {
            return true;
        }
    }
    return false;
}

/* The expressions of the span, but for those in names of files that are read. */
static wpa_taint trace_expressions(wpa_tracer *t, const wpa_site *site, wpa_span span)
{
    wpa_taint worst = none;
    wpa_span fence, inside;
    const wpa_yaml_node *node = site->step->run;
    for (size_t at = span.start; wpa_flow_next_fence(node->text, span.end, &at, &fence, &inside);) {
        wpa_taint taint = wpa_trace_text(t, site, node, fence);
        if (wpa_taint_is_tainted(&taint) && is_in_file_name(t, site, fence.start)) {
            continue;
        }
        worst = wpa_taint_worse(worst, taint);
    }
    return worst;
}

/* "printenv X" within the span. */
static wpa_taint trace_printenv(wpa_tracer *t, const wpa_site *site, wpa_span span)
{
    static const char program[] = "printenv";
    const wpa_script *script = site->step->script;
    wpa_taint worst = none;
    bool is_asked = script && script->is_readable &&
                    wpa_text_find(script->text + span.start, wpa_span_length(span), program) &&
                    wpa_rule_spend(t->run, script->n_commands);
    for (size_t i = 0; is_asked && i < script->n_commands; i++) {
        const wpa_shell_command *c = &script->commands[i];
        bool is_it = wpa_text_is(c->name, program) && wpa_span_contains(span, c->span);
        const wpa_shell_word *name = is_it ? wpa_shell_argument(c, 0) : NULL;
        if (name) {
            wpa_taint taint = trace_variable(t, site, name->text, c->span.start);
            wpa_span at = wpa_site_span(t->run, site->step->run, c->span.start, c->span.end);
            worst = wpa_taint_worse(worst,
                                    wpa_taint_add_hop(t, taint, site->source, at, "printed here"));
        }
    }
    return worst;
}

/*
 * May a command of several words, or a file that one is fed, stand in the span? Not without what
 * comes between them, or escapes that stand for it; most spans are no more than a word.
 */
static bool may_hold_commands(const wpa_script *script, wpa_span span)
{
    size_t i = span.start;
    while (i < span.end && (unsigned char)script->text[i] > ' ' && script->text[i] != '<' &&
           script->text[i] != '\\') {
        i++;
    }
    return i < span.end;
}

wpa_taint wpa_trace_script(wpa_tracer *t, const wpa_site *site, wpa_span span)
{
    const wpa_outline_step *step = site->step;
    const wpa_yaml_node *node = step->run;
    if (!node || span.end > node->length) {
        return none;
    }
    if (t->depth >= WPA_TAINT_MAX_HOPS || !t->left ||
        !wpa_rule_spend(t->run, wpa_span_length(span) * 4)) {
        t->is_cut = true;
        return none;
    }
    t->depth++;
    t->left--;
    wpa_taint worst = trace_expressions(t, site, span);
    bool reads_otherwise = has_readers(node->text, span);
    for (size_t i = span.start; i < span.end; i++) {
        char name[NAME_MAX_BYTES];
        i = next_read(node->text, span, i, step->shell, reads_otherwise);
        size_t start = i;
        if (i == span.end) {
            break;
        }
        bool is_kept = node->text[start] == '$' && !expands_at(step, start);
        if (is_kept || !read_variable(node->text, span.end, step->shell, &i, name)) {
            continue; /* of "${process.env.X}" what stands within is read */
        }
        if (node->text[start] == '$' && wpa_text_starts(node->text + i + 1, "//[^")) {
            continue; /* "${X//[^a-z]/}": what is left is of these letters */
        }
        wpa_taint taint = trace_variable(t, site, name, start);
        if (wpa_taint_is_tainted(&taint) && !is_only_asked(site->step->script, start) &&
            !is_in_file_name(t, site, start)) {
            worst = wpa_taint_worse(
                worst, wpa_taint_add_hop(t, taint, site->source,
                                         wpa_site_span(t->run, node, start, i + 1), "read here"));
        }
    }
    if (step->shell == WPA_SHELL_PYTHON) {
        worst = wpa_taint_worse(worst, wpa_trace_python(t, site, span));
    }
    bool may_ask = step->script && may_hold_commands(step->script, span);
    if (may_ask) {
        worst = wpa_taint_worse(worst, trace_printenv(t, site, span));
    }
    worst = wpa_taint_worse(worst, wpa_trace_disk(t, site, span));
    if (may_ask) {
        worst = wpa_taint_worse(worst, wpa_trace_files(t, site, span));
        worst = wpa_taint_worse(worst, wpa_trace_forge(t, site, span));
        worst = wpa_taint_worse(worst, wpa_trace_event(t, site, span));
    }
    t->depth--;
    return worst;
}
