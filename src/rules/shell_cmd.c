/* The lexer of cmd: lines, quotes, carets, operators. Blocks in brackets are read as their lines.
 */
#include <string.h>
#include <strings.h>

#include "rules/shell_lex.h"

typedef struct lexer {
    const char *text;
    size_t length, at;
    uint8_t *contexts;
    wpa_shell_gather gather;
} lexer;

static char peek(const lexer *l, size_t ahead)
{
    return l->at + ahead < l->length ? l->text[l->at + ahead] : '\0';
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == ',' || c == ';' || c == '=';
}

static void skip_line(lexer *l, bool is_comment)
{
    for (; l->at < l->length && l->text[l->at] != '\n'; l->at++) {
        l->contexts[l->at] = is_comment ? WPA_SHELL_COMMENT : WPA_SHELL_PLAIN;
    }
}

static bool ends_word(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || strchr("&|<>()", c) != NULL;
}

/* Where the word at l->at ends: quotes open and close anywhere in it. */
static size_t word_end(const lexer *l)
{
    bool is_quoted = false;
    size_t i = l->at;
    for (; i < l->length && l->text[i] != '\n'; i++) {
        char c = l->text[i];
        if (c == '"') {
            is_quoted = !is_quoted;
        } else if (!is_quoted && ends_word(c)) {
            break;
        } else if (!is_quoted && c == '^' && i + 1 < l->length && l->text[i + 1] != '\n') {
            i++;
        }
    }
    return i;
}

/* One word with its quotes and carets taken off. */
static wpa_shell_word lex_word(lexer *l)
{
    wpa_shell_word word = {.span = {l->at, word_end(l)}, .is_literal = true};
    size_t n = 0;
    char *out = wpa_arena_alloc(l->gather.arena, wpa_span_length(word.span) + 1);
    bool is_quoted = false;
    for (; l->at < word.span.end; l->at++) {
        char c = l->text[l->at];
        if (c == '"') {
            is_quoted = !is_quoted;
            continue;
        }
        if (!is_quoted && c == '^' && l->at + 1 < word.span.end) {
            c = l->text[++l->at];
        }
        l->contexts[l->at] = is_quoted ? WPA_SHELL_DOUBLE : WPA_SHELL_PLAIN;
        word.is_literal = word.is_literal && c != '%' && c != '!';
        out[n++] = c;
    }
    word.text = out;
    word.is_literal = word.is_literal && !strstr(out, "____");
    return word;
}

static bool is_comment(const lexer *l)
{
    bool is_first = l->gather.n_words == 0;
    bool is_rem = strncasecmp(l->text + l->at, "rem", 3) == 0 &&
                  (is_blank(peek(l, 3)) || peek(l, 3) == '\n' || peek(l, 3) == '\0');
    return is_first && (is_rem || (peek(l, 0) == ':' && peek(l, 1) == ':'));
}

static void lex_redirect(lexer *l)
{
    bool is_double = peek(l, 1) == peek(l, 0);
    const char *operator= peek(l, 0) == '<' ? "<" : is_double ? ">>" : ">";
    l->at += is_double ? 2 : 1;
    if (peek(l, 0) == '&') {
        l->at += 2; /* 2>&1 */
        return;
    }
    while (peek(l, 0) == ' ' || peek(l, 0) == '\t') {
        l->at++;
    }
    wpa_shell_word target = lex_word(l);
    wpa_shell_gather_redirect(&l->gather,
                              (wpa_shell_redirect){.operator= operator, .target = target});
}

static void lex_operator(lexer *l)
{
    char c = peek(l, 0);
    bool is_double = peek(l, 1) == c;
    wpa_shell_gather_end(&l->gather, c == '|' ? (is_double ? "||" : "|") : is_double ? "&&" : ";");
    l->at += is_double ? 2 : 1;
}

/* Words that stand in front of a command and are not part of it: "start "" /wait x" has a title and
 * options too. */
static bool is_prefix(const char *word)
{
    if (!*word || *word == '/') {
        return true;
    }
    static const char *const prefixes[] = {"call", "do", "else", "start"};
    for (size_t i = 0; i < WPA_COUNT(prefixes); i++) {
        if (wpa_text_is_ci(word, prefixes[i])) {
            return true;
        }
    }
    return false;
}

static void take_word(lexer *l)
{
    wpa_shell_word word = lex_word(l);
    bool is_descriptor =
        strlen(word.text) == 1 && word.text[0] >= '0' && word.text[0] <= '9' && peek(l, 0) == '>';
    if (word.span.end == word.span.start) {
        l->at++; /* a stray character */
    } else if (wpa_text_is_ci(word.text, "do")) {
        wpa_shell_gather_end(&l->gather, ";");
    } else if (!is_descriptor && !(l->gather.n_words == 0 && is_prefix(word.text))) {
        wpa_shell_gather_word(&l->gather, word);
    }
}

static void lex_one(lexer *l)
{
    char c = peek(l, 0);
    if (c == '\n') {
        l->at++;
        wpa_shell_gather_end(&l->gather, ";");
    } else if (c == '^' && (peek(l, 1) == '\n' || (peek(l, 1) == '\r' && peek(l, 2) == '\n'))) {
        l->at += peek(l, 1) == '\n' ? 2 : 3;
    } else if (is_blank(c) || (c == '@' && l->gather.n_words == 0)) {
        l->at++;
    } else if (is_comment(l)) {
        skip_line(l, true);
    } else if (c == ':' && l->gather.n_words == 0) {
        skip_line(l, false); /* a label */
    } else if (c == '(' || c == ')') {
        l->at++;
        wpa_shell_gather_end(&l->gather, ";");
    } else if (c == '&' || c == '|') {
        lex_operator(l);
    } else if (c == '<' || c == '>') {
        lex_redirect(l);
    } else {
        take_word(l);
    }
}

bool wpa_shell_lex_cmd(wpa_script *script, uint8_t *contexts, wpa_arena *arena)
{
    lexer l = {.text = script->text, .length = script->length, .contexts = contexts};
    l.gather = (wpa_shell_gather){.script = script, .arena = arena, .before = ""};
    while (l.at < l.length) {
        lex_one(&l);
    }
    wpa_shell_gather_end(&l.gather, "");
    return true;
}
