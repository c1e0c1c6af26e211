/*
 * The lexer of Python: comments, texts, and calls. A call becomes a command whose name is what is
 * called and whose words are the texts among its arguments; what os.system and subprocess are given
 * becomes the commands that it is.
 */
#include <string.h>

#include "facts/commands.h"
#include "rules/shell_lex.h"
#include "rules/shell_name.h"

#define CALLS_MAX WPA_SHELL_MAX_DEPTH

typedef struct call {
    wpa_shell_gather gather;
    size_t brackets; /* that were open when it began */
    bool has_list;
} call;

typedef struct lexer {
    wpa_script *script;
    wpa_arena *arena;
    uint8_t *contexts;
    const char *text;
    size_t length, at, brackets;
    call calls[CALLS_MAX];
    size_t n_calls;
    wpa_span name; /* the dotted name that was read last, and nothing since */
    bool has_failed;
} lexer;

static char peek(const lexer *l, size_t ahead)
{
    return l->at + ahead < l->length ? l->text[l->at + ahead] : '\0';
}

static bool is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || (unsigned char)c >= 0x80;
}

/* Prefix letters of a text: r, b, u, f, in any mix of two. */
static size_t prefix_length(const lexer *l)
{
    size_t n = 0;
    while (n < 2 && peek(l, n) && strchr("rRbBuUfF", peek(l, n))) {
        n++;
    }
    return peek(l, n) == '"' || peek(l, n) == '\'' ? n : 0;
}

/* A text from its quote on; its bytes are kept as written, escapes too. */
static wpa_shell_word lex_text(lexer *l, bool is_format)
{
    char quote = peek(l, 0);
    bool is_triple = peek(l, 1) == quote && peek(l, 2) == quote;
    size_t start = l->at, width = is_triple ? 3 : 1;
    wpa_shell_word word = {.is_literal = !is_format};
    l->at += width;
    size_t inner = l->at;
    for (;; l->at++) {
        char c = peek(l, 0);
        if (l->at >= l->length || (c == '\n' && !is_triple)) {
            l->has_failed = true;
            return word;
        }
        if (c == '\\') {
            l->at++;
        } else if (c == quote && (!is_triple || (peek(l, 1) == quote && peek(l, 2) == quote))) {
            break;
        }
    }
    word.text = wpa_arena_slice(l->arena, l->text + inner, l->at - inner);
    word.is_literal = word.is_literal && !strstr(word.text, "____");
    word.span = (wpa_span){inner, l->at};
    l->at += width;
    for (size_t i = start; i < l->at; i++) {
        l->contexts[i] = is_format ? WPA_SHELL_DOUBLE : WPA_SHELL_SINGLE;
    }
    return word;
}

/* What runs its first argument: as a shell's line, or as a list of words. */
static bool runs_commands(const char *name)
{
    static const char *const names[] = {"os.system",
                                        "os.popen",
                                        "subprocess.run",
                                        "subprocess.call",
                                        "subprocess.check_call",
                                        "subprocess.check_output",
                                        "subprocess.Popen",
                                        "subprocess.getoutput"};
    return wpa_text_index(name, names, WPA_COUNT(names)) >= 0;
}

/* The words of a list become a command as they are; their spans are exact. */
static void add_list_command(lexer *l, const wpa_shell_command *outer)
{
    wpa_shell_command c = {
        .words = outer->words + 1,
        .n_words = outer->n_words - 1,
        .before = "",
        .after = "",
        .span = {outer->words[1].span.start, outer->words[outer->n_words - 1].span.end},
        .is_nested_script = true,
    };
    wpa_shell_name_find(&c);
    wpa_shell_add(l->script, &c, l->arena);
}

static void add_line_commands(lexer *l, const wpa_shell_word *word)
{
    const wpa_script *inner = wpa_script_read(word->text, strlen(word->text), l->arena);
    for (size_t i = 0; i < inner->n_commands; i++) {
        wpa_shell_command c = inner->commands[i];
        c.is_nested_script = true;
        c.span = word->span;
        for (size_t k = 0; k < c.n_words; k++) {
            c.words[k].span = word->span;
        }
        for (size_t k = 0; k < c.n_redirects; k++) {
            c.redirects[k].target.span = word->span;
            c.redirects[k].body = (wpa_span){0, 0};
        }
        wpa_shell_add(l->script, &c, l->arena);
    }
}

static void open_call(lexer *l)
{
    if (l->n_calls == CALLS_MAX) {
        l->has_failed = true;
        return;
    }
    call *c = &l->calls[l->n_calls++];
    *c = (call){.brackets = l->brackets};
    c->gather = (wpa_shell_gather){.script = l->script, .arena = l->arena, .before = ""};
    wpa_shell_gather_word(&c->gather, (wpa_shell_word){
                                          .text = wpa_arena_slice(l->arena, l->text + l->name.start,
                                                                  wpa_span_length(l->name)),
                                          .span = l->name,
                                          .is_literal = true,
                                      });
}

static void close_call(lexer *l)
{
    call *c = &l->calls[--l->n_calls];
    size_t n = l->script->n_commands;
    wpa_shell_gather_end(&c->gather, ";");
    if (l->script->n_commands == n) {
        return;
    }
    l->script->commands[n].span.end = l->at; /* the bracket too */
    wpa_shell_command outer = l->script->commands[n];
    outer.name = l->script->commands[n].name = outer.words[0].text;
    l->script->commands[n].known = wpa_facts_program_known(outer.name);
    l->script->commands[n].first = 0;
    if (outer.n_words < 2 || !runs_commands(outer.name)) {
        return;
    }
    if (c->has_list) {
        add_list_command(l, &outer);
    } else if (strlen(outer.words[1].text) < l->length) {
        add_line_commands(l, &outer.words[1]);
    }
}

static void lex_bracket(lexer *l)
{
    char c = l->text[l->at++];
    if (strchr("([{", c)) {
        l->brackets++;
        if (c == '(' && wpa_span_length(l->name)) {
            open_call(l);
        } else if (c == '[' && l->n_calls && l->calls[l->n_calls - 1].gather.n_words == 1) {
            l->calls[l->n_calls - 1].has_list = true;
        }
    } else {
        if (l->n_calls && l->calls[l->n_calls - 1].brackets == l->brackets) {
            close_call(l);
        }
        l->brackets -= l->brackets ? 1 : 0;
    }
    l->name = (wpa_span){0, 0};
}

static void lex_name(lexer *l)
{
    size_t start = l->at;
    while (is_name(peek(l, 0))) {
        l->at++;
    }
    l->name = (wpa_span){start, l->at};
}

static void lex_one(lexer *l)
{
    char c = peek(l, 0);
    size_t prefix = prefix_length(l);
    if (c == '"' || c == '\'' || prefix) {
        bool is_format =
            memchr(l->text + l->at, 'f', prefix) || memchr(l->text + l->at, 'F', prefix);
        l->at += prefix;
        wpa_shell_word word = lex_text(l, is_format);
        if (l->n_calls && !l->has_failed) {
            wpa_shell_gather_word(&l->calls[l->n_calls - 1].gather, word);
        }
        l->name = (wpa_span){0, 0};
    } else if (c == '#') {
        for (; l->at < l->length && l->text[l->at] != '\n'; l->at++) {
            l->contexts[l->at] = WPA_SHELL_COMMENT;
        }
    } else if (is_name(c)) {
        lex_name(l);
    } else if (c && strchr("()[]{}", c)) {
        lex_bracket(l);
    } else {
        l->name = c == ' ' ? l->name : (wpa_span){0, 0};
        l->at++;
    }
}

bool wpa_shell_lex_python(wpa_script *script, uint8_t *contexts, wpa_arena *arena)
{
    lexer l = {.script = script, .arena = arena, .text = script->text, .length = script->length};
    l.contexts = contexts;
    while (l.at < l.length && !l.has_failed) {
        lex_one(&l);
    }
    return !l.has_failed && l.n_calls == 0;
}
