#include "expr/lexer.h"

#include <math.h>
#include <string.h>

/* What a byte is in a name. */
enum {
    STARTS_NAME = 1,
    IS_OF_NAME = 2, /* at its start too */
};

#define LETTER (STARTS_NAME | IS_OF_NAME)
#define DIGIT IS_OF_NAME

static const unsigned char kinds[256] = {
    ['a'] = LETTER, ['b'] = LETTER, ['c'] = LETTER, ['d'] = LETTER,     ['e'] = LETTER,
    ['f'] = LETTER, ['g'] = LETTER, ['h'] = LETTER, ['i'] = LETTER,     ['j'] = LETTER,
    ['k'] = LETTER, ['l'] = LETTER, ['m'] = LETTER, ['n'] = LETTER,     ['o'] = LETTER,
    ['p'] = LETTER, ['q'] = LETTER, ['r'] = LETTER, ['s'] = LETTER,     ['t'] = LETTER,
    ['u'] = LETTER, ['v'] = LETTER, ['w'] = LETTER, ['x'] = LETTER,     ['y'] = LETTER,
    ['z'] = LETTER, ['A'] = LETTER, ['B'] = LETTER, ['C'] = LETTER,     ['D'] = LETTER,
    ['E'] = LETTER, ['F'] = LETTER, ['G'] = LETTER, ['H'] = LETTER,     ['I'] = LETTER,
    ['J'] = LETTER, ['K'] = LETTER, ['L'] = LETTER, ['M'] = LETTER,     ['N'] = LETTER,
    ['O'] = LETTER, ['P'] = LETTER, ['Q'] = LETTER, ['R'] = LETTER,     ['S'] = LETTER,
    ['T'] = LETTER, ['U'] = LETTER, ['V'] = LETTER, ['W'] = LETTER,     ['X'] = LETTER,
    ['Y'] = LETTER, ['Z'] = LETTER, ['_'] = LETTER, ['0'] = DIGIT,      ['1'] = DIGIT,
    ['2'] = DIGIT,  ['3'] = DIGIT,  ['4'] = DIGIT,  ['5'] = DIGIT,      ['6'] = DIGIT,
    ['7'] = DIGIT,  ['8'] = DIGIT,  ['9'] = DIGIT,  ['-'] = IS_OF_NAME,
};

static bool is_name_start(char c)
{
    return (kinds[(unsigned char)c] & STARTS_NAME) != 0;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_name_part(char c)
{
    return (kinds[(unsigned char)c] & IS_OF_NAME) != 0;
}

/* As isspace. */
bool wpa_lexer_is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

size_t wpa_lexer_skip_name(const char *text, size_t length, size_t at)
{
    if (at < length && is_name_start(text[at])) {
        do {
            at++;
        } while (at < length && is_name_part(text[at]));
    }
    return at;
}

/** Up to where the lexer is. */
static void take(const wpa_lexer *lexer, wpa_token *token, wpa_token_kind kind, size_t start)
{
    token->kind = kind;
    token->span = (wpa_span){start, lexer->at};
    token->text = NULL;
    token->number = 0;
}

static void fault(const wpa_lexer *lexer, wpa_token *token, wpa_span span, wpa_expr_fault code,
                  const char *message)
{
    span.end = span.end < lexer->length ? span.end : lexer->length;
    *token = (wpa_token){.kind = WPA_TOKEN_FAULT, .span = span, .fault = code, .message = message};
}

static void read_string(wpa_lexer *lexer, wpa_token *token)
{
    size_t start = lexer->at, n = 0;
    const char *rest = lexer->text + start + 1, *end = lexer->text + lexer->length;
    const char *quote = memchr(rest, '\'', (size_t)(end - rest));
    if (quote && (quote + 1 == end || quote[1] != '\'')) { /* as in most: none is doubled */
        lexer->at = (size_t)(quote + 1 - lexer->text);
        take(lexer, token, WPA_TOKEN_STRING, start);
        token->text = wpa_arena_slice(lexer->arena, rest, (size_t)(quote - rest));
        return;
    }
    char *value = wpa_arena_alloc(lexer->arena, lexer->length - start + 1);
    for (size_t at = start + 1; at < lexer->length; at++) {
        bool is_quote = lexer->text[at] == '\'';
        bool is_doubled = is_quote && at + 1 < lexer->length && lexer->text[at + 1] == '\'';
        if (is_quote && !is_doubled) {
            lexer->at = at + 1;
            take(lexer, token, WPA_TOKEN_STRING, start);
            token->text = value;
            return;
        }
        value[n++] = lexer->text[at];
        at += is_doubled;
    }
    fault(lexer, token, (wpa_span){start, lexer->length}, WPA_EXPR_OPEN_STRING,
          "the string has no end");
}

static bool is_boundary(char c)
{
    return wpa_lexer_is_blank(c) || (c && strchr("()[],!<>=&|", c));
}

static void read_number(wpa_lexer *lexer, wpa_token *token)
{
    size_t start = lexer->at, end = start;
    while (end < lexer->length && !is_boundary(lexer->text[end])) {
        end++;
    }
    const char *text = wpa_arena_slice(lexer->arena, lexer->text + start, end - start);
    double number = strlen(text) == end - start ? wpa_expr_text_number(text) : NAN;
    bool has_base = text[0] == '0' && (text[1] == 'x' || text[1] == 'o');
    wpa_span span = {start, end};
    if (isnan(number)) {
        fault(lexer, token, span, WPA_EXPR_BAD_NUMBER, "this is not a number");
    } else if (has_base && number > 2147483647.0) {
        fault(lexer, token, span, WPA_EXPR_INTEGER_RANGE, "the integer is too large");
    } else if (isinf(number) && !strstr(text, "Infinity")) { /* may be written with its sign */
        fault(lexer, token, span, WPA_EXPR_FLOAT_RANGE, "the number is too large");
    } else {
        lexer->at = end;
        take(lexer, token, WPA_TOKEN_NUMBER, start);
        token->number = number;
    }
}

static void read_name(wpa_lexer *lexer, wpa_token *token)
{
    const char *text = lexer->text;
    size_t start = lexer->at, end = wpa_lexer_skip_name(text, lexer->length, start);
    lexer->at = end;
    take(lexer, token, WPA_TOKEN_NAME, start);
    token->text = wpa_arena_slice(lexer->arena, text + start, end - start);
}

/** An operator of one or two characters; FAULT: there is none. */
static wpa_token_kind operator_of(char c, char next, size_t *length)
{
    bool has_equals = next == '=' && (c == '=' || c == '!' || c == '<' || c == '>');
    bool is_doubled = next == c && (c == '&' || c == '|');
    *length = has_equals || is_doubled ? 2 : 1;
    switch (c) {
    case '.':
        return WPA_TOKEN_DOT;
    case '(':
        return WPA_TOKEN_OPEN;
    case ')':
        return WPA_TOKEN_CLOSE;
    case '[':
        return WPA_TOKEN_OPEN_INDEX;
    case ']':
        return WPA_TOKEN_CLOSE_INDEX;
    case ',':
        return WPA_TOKEN_COMMA;
    case '*':
        return WPA_TOKEN_STAR;
    case '!':
        return has_equals ? WPA_TOKEN_NE : WPA_TOKEN_NOT;
    case '<':
        return has_equals ? WPA_TOKEN_LE : WPA_TOKEN_LT;
    case '>':
        return has_equals ? WPA_TOKEN_GE : WPA_TOKEN_GT;
    case '=':
        return has_equals ? WPA_TOKEN_EQ : WPA_TOKEN_FAULT;
    case '&':
        return is_doubled ? WPA_TOKEN_AND : WPA_TOKEN_FAULT;
    case '|':
        return is_doubled ? WPA_TOKEN_OR : WPA_TOKEN_FAULT;
    default:
        return WPA_TOKEN_FAULT;
    }
}

static void refuse(const wpa_lexer *lexer, wpa_token *token, wpa_expr_fault code,
                   const char *message)
{
    fault(lexer, token, (wpa_span){lexer->at, lexer->at + 1}, code, message);
}

static void read_odd(const wpa_lexer *lexer, wpa_token *token)
{
    size_t end = lexer->at;
    switch (lexer->text[lexer->at]) {
    case '=':
        refuse(lexer, token, WPA_EXPR_LONE_OPERATOR, "'=' compares as '=='");
        return;
    case '&':
        refuse(lexer, token, WPA_EXPR_LONE_OPERATOR, "'and' is written '&&'");
        return;
    case '|':
        refuse(lexer, token, WPA_EXPR_LONE_OPERATOR, "'or' is written '||'");
        return;
    case '{':
    case '}':
        refuse(lexer, token, WPA_EXPR_LONE_BRACE, "a brace has no meaning inside an expression");
        return;
    case '"':
        refuse(lexer, token, WPA_EXPR_BAD_CHARACTER, "strings stand in single quotes");
        return;
    default:
        wpa_utf8_next(lexer->text, lexer->length, &end);
        fault(lexer, token, (wpa_span){lexer->at, end}, WPA_EXPR_BAD_CHARACTER,
              "this character has no meaning inside an expression");
    }
}

static void read_operator(wpa_lexer *lexer, char next, wpa_token *token)
{
    size_t start = lexer->at, length;
    wpa_token_kind kind = operator_of(lexer->text[start], next, &length);
    if (kind == WPA_TOKEN_FAULT) {
        read_odd(lexer, token);
        return;
    }
    lexer->at += length;
    take(lexer, token, kind, start);
}

static void read_token(wpa_lexer *lexer, wpa_token *token)
{
    char c = lexer->text[lexer->at];
    char next = lexer->at + 1 < lexer->length ? lexer->text[lexer->at + 1] : '\0';
    bool is_number = is_digit(c) || c == '-' || c == '+' ||
                     (c == '.' && is_digit(next) && !lexer->is_behind_value);
    if (c == '\'') {
        read_string(lexer, token);
    } else if (is_number) {
        read_number(lexer, token);
    } else if (is_name_start(c)) {
        read_name(lexer, token);
    } else {
        read_operator(lexer, next, token);
    }
}

void wpa_lexer_next(wpa_lexer *lexer, wpa_token *token)
{
    while (lexer->at < lexer->length && wpa_lexer_is_blank(lexer->text[lexer->at])) {
        lexer->at++;
    }
    if (lexer->at < lexer->length) {
        read_token(lexer, token);
    } else {
        take(lexer, token, WPA_TOKEN_END, lexer->length);
    }
    lexer->is_behind_value = token->kind == WPA_TOKEN_NAME || token->kind == WPA_TOKEN_CLOSE ||
                             token->kind == WPA_TOKEN_CLOSE_INDEX || token->kind == WPA_TOKEN_STAR;
}
