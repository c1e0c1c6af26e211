/* Pipes between groups of commands, read from the text between them. */
#include "rules/pipes.h"

#include <string.h>

/* Groups that one command may end: whoever nests more means to be slow. */
#define GROUPS_MAX 4
/* Commands behind it that are looked at. */
#define AHEAD_MAX 300
/* Bytes that brackets may stand apart, for the same reason. */
#define GROUP_REACH ((size_t)4096)

typedef struct reader {
    const wpa_script *script;
    uint8_t context; /* of the text that the command stands in: a quoted script is one too */
    size_t at;
} reader;

static char peek(const reader *r, size_t ahead)
{
    return r->at + ahead < r->script->length ? r->script->text[r->at + ahead] : '\0';
}

static bool is_code(const reader *r, size_t at)
{
    return r->script->contexts[at] == r->context;
}

static void skip(reader *r, const char *letters)
{
    while (peek(r, 0) && strchr(letters, peek(r, 0))) {
        r->at++;
    }
}

/* To the reader's first letter: it may stand lines below its pipe, with comments between. */
static void skip_to_reader(reader *r)
{
    bool is_comment = false;
    do {
        skip(r, " \t\r\n\\");
        is_comment = peek(r, 0) == '#';
        r->at += is_comment ? strcspn(r->script->text + r->at, "\n") : 0;
    } while (is_comment);
}

/* Behind the command's words and redirections. */
static size_t end_of(const wpa_shell_command *c)
{
    size_t end = c->span.end;
    for (size_t i = 0; i < c->n_redirects; i++) {
        size_t target = c->redirects[i].target.span.end;
        end = target > end ? target : end;
    }
    return end;
}

/* Where the bracket that closes at this place opens; SIZE_MAX if that cannot be told. */
static size_t opening(const reader *r, size_t close, char open)
{
    const char *text = r->script->text;
    size_t depth = 0;
    size_t first = close > GROUP_REACH ? close - GROUP_REACH : 0;
    for (size_t at = close + 1; at-- > first;) {
        if (is_code(r, at) && text[at] == text[close]) {
            depth++;
        } else if (is_code(r, at) && text[at] == open && --depth == 0) {
            return at;
        }
    }
    return SIZE_MAX;
}

static size_t closing(const reader *r, size_t open, char close)
{
    const char *text = r->script->text;
    size_t depth = 0, length = r->script->length;
    size_t last = length - open > GROUP_REACH ? open + GROUP_REACH : length;
    for (size_t at = open; at < last; at++) {
        if (is_code(r, at) && text[at] == text[open]) {
            depth++;
        } else if (is_code(r, at) && text[at] == close && --depth == 0) {
            return at;
        }
    }
    return SIZE_MAX;
}

/* "$(", "<(", "x=(": what stands in it goes elsewhere than to the output of the script. */
static bool is_group(const reader *r, size_t open)
{
    return open != SIZE_MAX && (open == 0 || !strchr("$<>=@!?*+", r->script->text[open - 1]));
}

/* Does this word of the shell stand here? */
static bool is_word(const reader *r, size_t at, const char *word)
{
    size_t length = strlen(word);
    const char *text = r->script->text;
    return at + length <= r->script->length && strncmp(text + at, word, length) == 0 &&
           strchr(" \t\r\n;&|)<>", at + length < r->script->length ? text[at + length] : ' ') &&
           (at == 0 || strchr(" \t\r\n;&|(", text[at - 1])) && is_code(r, at);
}

/* Behind the "fi" of the "else" that stands here; SIZE_MAX if that cannot be told. */
static size_t end_of_else(const reader *r)
{
    size_t depth = 1, last = r->script->length;
    last = last - r->at > GROUP_REACH ? r->at + GROUP_REACH : last;
    for (size_t at = r->at; at < last; at++) {
        if (is_word(r, at, "if")) {
            depth++;
        } else if (is_word(r, at, "fi") && --depth == 0) {
            return at + strlen("fi");
        }
    }
    return SIZE_MAX;
}

/* "done < list": what a loop reads makes no difference to what it writes. */
static void skip_input(reader *r)
{
    skip(r, " \t");
    if (peek(r, 0) == '<' && peek(r, 1) != '(') {
        r->at++;
        skip(r, "< \t");
        r->at += strcspn(r->script->text + r->at, " \t\r\n;|&)");
    }
}

/* "if x; then a; fi | b", "for x in y; do a; done | b" */
static bool leave_compound(reader *r)
{
    static const char *const ends[] = {"fi", "done", "esac"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        if (is_word(r, r->at, ends[i])) {
            r->at += strlen(ends[i]);
            skip_input(r);
            return true;
        }
    }
    size_t end = is_word(r, r->at, "else") || is_word(r, r->at, "elif") ? end_of_else(r) : SIZE_MAX;
    r->at = end != SIZE_MAX ? end : r->at;
    return end != SIZE_MAX;
}

/* To the bracket that ends the group around this place, over what else stands in it. */
static void skip_in_group(reader *r)
{
    const char *text = r->script->text;
    size_t depth = 0, last = r->script->length;
    last = last - r->at > GROUP_REACH ? r->at + GROUP_REACH : last;
    for (size_t at = r->at; at < last; at++) {
        bool is_end = text[at] == ')' || (text[at] == '}' && strchr(" \t\n;", text[at - 1]));
        bool is_start = text[at] == '(' || (text[at] == '{' && strchr(" \t\n", text[at + 1]));
        if (!is_code(r, at) || (!is_end && !is_start)) {
            continue;
        }
        if (is_end && depth == 0) {
            r->at = at;
            return;
        }
        depth += is_start ? 1 : (size_t)-1;
    }
}

/* Go behind the group that the command stands in; false if it stands in none. */
static bool leave_group(reader *r)
{
    skip(r, " \t\r\n;");
    if (peek(r, 0) && strchr("fde", peek(r, 0)) && leave_compound(r)) {
        return true;
    }
    skip_in_group(r);
    char close = peek(r, 0);
    if (close == ')' && is_group(r, opening(r, r->at, '('))) {
        r->at++;
        return true;
    }
    if (close == '}' && opening(r, r->at, '{') != SIZE_MAX) {
        r->at++;
        return true;
    }
    return false;
}

/* Go behind the pipe that follows the command or the groups it ends; false if there is none. */
static bool find_pipe(reader *r)
{
    for (unsigned groups = 0; groups <= GROUPS_MAX; groups++) {
        skip(r, " \t\r");
        if (peek(r, 0) == '|' && peek(r, 1) != '|') {
            r->at += peek(r, 1) == '&' ? 2 : 1;
            skip_to_reader(r);
            return true;
        }
        if (!leave_group(r)) {
            return false;
        }
    }
    return false;
}

/* Where the other end of the pipe, which begins here, ends. */
static size_t end_of_reader(const reader *r)
{
    bool is_subshell = peek(r, 0) == '(' && peek(r, 1) != '(';
    bool is_list = peek(r, 0) == '{' && strchr(" \t\n", peek(r, 1));
    return is_subshell || is_list ? closing(r, r->at, is_list ? '}' : ')') : r->at + 1;
}

/* A command of a nested script of which only the whole is placed: in quotes, or of several words.
 */
static bool has_no_place(const wpa_script *script, size_t i)
{
    const wpa_shell_command *c = &script->commands[i];
    wpa_span next = i + 1 < script->n_commands ? c[1].span : (wpa_span){0, 0};
    return c->is_nested_script && (strchr("\"'", script->text[c->span.start]) ||
                                   (next.start == c->span.start && next.end == c->span.end));
}

bool wpa_shell_pipe(const wpa_script *script, size_t i, wpa_command_range *range)
{
    const wpa_shell_command *c = &script->commands[i];
    if (!script->contexts || c->span.start >= script->length) {
        return false;
    }
    if (has_no_place(script, i)) {
        *range = (wpa_command_range){i + 1, i + 2};
        return i + 1 < script->n_commands && wpa_text_is(c->after, "|");
    }
    reader r = {script, script->contexts[c->span.start], end_of(c)};
    if (!find_pipe(&r)) {
        return false;
    }
    size_t end = end_of_reader(&r);
    *range = (wpa_command_range){0, 0};
    for (size_t k = i + 1; k < script->n_commands && k < i + AHEAD_MAX && end != SIZE_MAX; k++) {
        size_t start = script->commands[k].span.start;
        if (start >= r.at && start < end) {
            range->first = range->last ? range->first : k;
            range->last = k + 1;
        } else if (start >= end && script->commands[k].nested <= c->nested &&
                   !script->commands[k].is_nested_script) {
            break; /* what is nested may be a substitution in a word of the reader */
        }
    }
    return range->last > range->first;
}
