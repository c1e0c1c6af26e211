/* The lexer of PowerShell: commands and their words; blocks and brackets are read as what stands in
 * them. Expressions without a command ("$a = 1") are words too, behind their variable. */
#include <string.h>

#include "rules/shell_lex.h"

typedef struct lexer {
    const char *text;
    size_t length, at;
    uint8_t *contexts;
    wpa_shell_gather gather;
    bool has_failed;
} lexer;

static char peek(const lexer *l, size_t ahead)
{
    return l->at + ahead < l->length ? l->text[l->at + ahead] : '\0';
}

static bool looking_at(const lexer *l, const char *text)
{
    size_t n = strlen(text);
    return l->at + n <= l->length && memcmp(l->text + l->at, text, n) == 0;
}

static void mark(lexer *l, size_t from, size_t to, wpa_shell_context context)
{
    for (size_t i = from; i < to; i++) {
        l->contexts[i] = (uint8_t)context;
    }
}

static void lex_comment(lexer *l)
{
    size_t start = l->at;
    bool is_block = peek(l, 0) == '<';
    const char *close = is_block ? memmem(l->text + l->at, l->length - l->at, "#>", 2)
                                 : memchr(l->text + l->at, '\n', l->length - l->at);
    l->has_failed = l->has_failed || (is_block && !close);
    l->at = close ? (size_t)(close - l->text) + (is_block ? 2 : 0) : l->length;
    mark(l, start, l->at, WPA_SHELL_COMMENT);
}

/* @' ... '@ and @" ... "@: the end stands at the beginning of a line. */
static void lex_here_string(lexer *l)
{
    size_t start = l->at;
    bool is_single = peek(l, 1) == '\'';
    const char *end = is_single ? "\n'@" : "\n\"@";
    const char *close = memmem(l->text + l->at, l->length - l->at, end, 3);
    l->has_failed = l->has_failed || !close;
    l->at = close ? (size_t)(close - l->text) + 3 : l->length;
    mark(l, start, l->at, is_single ? WPA_SHELL_HEREDOC_QUOTED : WPA_SHELL_HEREDOC);
}

/* A quote is doubled within its own kind; a backtick escapes within double quotes. */
static void lex_string(lexer *l)
{
    char quote = peek(l, 0);
    size_t start = l->at++;
    for (;; l->at++) {
        if (l->at >= l->length) {
            l->has_failed = true;
            break;
        }
        char c = l->text[l->at];
        if (c == '`' && quote == '"') {
            l->at++;
        } else if (c == quote && peek(l, 1) == quote) {
            l->at++;
        } else if (c == quote) {
            l->at++;
            break;
        }
    }
    l->at = l->at < l->length ? l->at : l->length;
    mark(l, start, l->at, quote == '"' ? WPA_SHELL_DOUBLE : WPA_SHELL_SINGLE);
}

static bool ends_word(char c)
{
    return c == '\0' || strchr(" \t\r\n;|&(){}<>,", c) != NULL;
}

static bool is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == ':';
}

/* The word without its quotes; variables stay as written. */
static const char *unquote(lexer *l, wpa_span span, bool *is_literal)
{
    char *out = wpa_arena_alloc(l->gather.arena, wpa_span_length(span) + 1);
    size_t n = 0;
    char quote = '\0';
    *is_literal = true;
    for (size_t i = span.start; i < span.end; i++) {
        char c = l->text[i];
        if (quote ? c == quote : c == '"' || c == '\'') {
            bool is_doubled = quote && i + 1 < span.end && l->text[i + 1] == quote;
            if (!is_doubled) {
                quote = quote ? '\0' : c;
                continue;
            }
            i++;
        } else if (c == '`' && quote != '\'' && i + 1 < span.end) {
            c = l->text[++i];
        } else if (c == '$' && quote != '\'') {
            *is_literal = false;
        }
        out[n++] = c;
    }
    *is_literal = *is_literal && !strstr(out, "____");
    return out;
}

static wpa_shell_word lex_word(lexer *l)
{
    wpa_shell_word word = {.span = {l->at, l->at}};
    while (l->at < l->length && !l->has_failed) {
        char c = l->text[l->at];
        if (c == '"' || c == '\'') {
            lex_string(l);
        } else if (c == '`' && l->at + 1 < l->length) {
            l->at += 2;
        } else if (looking_at(l, "${")) {
            const char *close = memchr(l->text + l->at, '}', l->length - l->at);
            l->at = close ? (size_t)(close - l->text) + 1 : l->length;
        } else if (c == '$' && is_name(peek(l, 1))) {
            l->at++;
            while (is_name(peek(l, 0))) {
                l->at++;
            }
        } else if (ends_word(c)) {
            break;
        } else {
            l->at++;
        }
    }
    l->at = l->at < l->length ? l->at : l->length;
    word.span.end = l->at;
    word.text = unquote(l, word.span, &word.is_literal);
    return word;
}

static void lex_redirect(lexer *l)
{
    bool is_double = peek(l, 1) == '>';
    l->at += is_double ? 2 : 1;
    if (peek(l, 0) == '&') {
        l->at += 2; /* 2>&1 */
        return;
    }
    while (peek(l, 0) == ' ' || peek(l, 0) == '\t') {
        l->at++;
    }
    wpa_shell_word target = lex_word(l);
    if (wpa_span_length(target.span)) {
        wpa_shell_gather_redirect(
            &l->gather, (wpa_shell_redirect){.operator= is_double ? ">>" : ">", .target = target});
    }
}

static bool is_keyword(const char *word)
{
    static const char *const keywords[] = {"if", "elseif", "else",    "foreach", "for",    "while",
                                           "do", "try",    "catch",   "finally", "switch", "return",
                                           "in", "begin",  "process", "end",     "param",  "until"};
    for (size_t i = 0; i < WPA_COUNT(keywords); i++) {
        if (wpa_text_is_ci(word, keywords[i])) {
            return true;
        }
    }
    return false;
}

static void take_word(lexer *l)
{
    wpa_shell_gather *g = &l->gather;
    wpa_shell_word word = lex_word(l);
    bool is_assigning = g->n_words == 1 && g->words[0].text[0] == '$' &&
                        (wpa_text_is(word.text, "=") || wpa_text_is(word.text, "+="));
    bool is_descriptor = (word.text[0] == '*' || (word.text[0] >= '0' && word.text[0] <= '9')) &&
                         !word.text[1] && peek(l, 0) == '>';
    if (word.span.end == word.span.start) {
        l->at++; /* a comma or other mark that stands alone */
    } else if (is_assigning) {
        g->n_words = 0; /* what is assigned is a command, or words that name none */
    } else if (!is_descriptor && !(g->n_words == 0 && is_keyword(word.text))) {
        wpa_shell_gather_word(g, word);
    }
}

static void lex_operator(lexer *l)
{
    char c = peek(l, 0);
    bool is_double = peek(l, 1) == c;
    bool calls = c == '&' && !is_double && l->gather.n_words == 0; /* & program arguments */
    if (!calls) {
        wpa_shell_gather_end(&l->gather, c == '|'    ? (is_double ? "||" : "|")
                                         : is_double ? "&&"
                                                     : "&");
    }
    l->at += is_double ? 2 : 1;
}

/* A pipe at the end of a line, or at the beginning of the next, goes on. */
static bool continues(const lexer *l)
{
    return l->gather.n_words == 0 && wpa_text_is(l->gather.before, "|");
}

static void lex_one(lexer *l)
{
    char c = peek(l, 0);
    if (c == '\n' || c == ';') {
        l->at++;
        if (!continues(l)) {
            wpa_shell_gather_end(&l->gather, ";");
        }
    } else if (c == '`' && (peek(l, 1) == '\n' || (peek(l, 1) == '\r' && peek(l, 2) == '\n'))) {
        l->at += peek(l, 1) == '\n' ? 2 : 3;
    } else if (c == ' ' || c == '\t' || c == '\r' || c == ',') {
        l->at++;
    } else if (c == '#' || looking_at(l, "<#")) {
        lex_comment(l);
    } else if (looking_at(l, "@'") || looking_at(l, "@\"")) {
        lex_here_string(l);
    } else if (strchr("(){}", c)) {
        l->at++;
        wpa_shell_gather_end(&l->gather, ";");
    } else if (looking_at(l, "$(") || looking_at(l, "@(") || looking_at(l, "@{")) {
        l->at += 2;
        wpa_shell_gather_end(&l->gather, ";");
    } else if (c == '|' || c == '&') {
        lex_operator(l);
    } else if (c == '>') {
        lex_redirect(l);
    } else {
        take_word(l);
    }
}

bool wpa_shell_lex_pwsh(wpa_script *script, uint8_t *contexts, wpa_arena *arena)
{
    lexer l = {.text = script->text, .length = script->length, .contexts = contexts};
    l.gather = (wpa_shell_gather){.script = script, .arena = arena, .before = ""};
    while (l.at < l.length && !l.has_failed) {
        lex_one(&l);
    }
    wpa_shell_gather_end(&l.gather, "");
    return !l.has_failed;
}
