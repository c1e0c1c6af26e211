#include "rules/python_text.h"

#include <ctype.h>
#include <string.h>

#include <wpa/error.h>

/* A place in a line. */
typedef struct reader {
    const char *at, *end;
} reader;

static char peek(const reader *r)
{
    return r->at < r->end ? *r->at : '\0';
}

static void skip_blanks(reader *r)
{
    while (r->at < r->end && strchr(" \t\r", *r->at)) {
        r->at++;
    }
}

static bool skip_char(reader *r, char c)
{
    bool is_there = peek(r) == c;
    r->at += is_there ? 1 : 0;
    return is_there;
}

/* To the bracket, comma or end that closes what is open here. */
static void skip_value(reader *r)
{
    size_t depth = 0;
    for (; r->at < r->end; r->at++) {
        char c = *r->at;
        if (!depth && (c == ',' || c == ')')) {
            return;
        }
        depth += c == '(' || c == '[' ? 1 : 0;
        depth -= depth && (c == ')' || c == ']') ? 1 : 0;
    }
}

/* "len(x)", "int(x)": a number, whatever x is. */
static bool is_count(const char *text, size_t length)
{
    bool is_call = length > 5 && (memcmp(text, "len(", 4) == 0 || memcmp(text, "int(", 4) == 0);
    reader r = {text + 4, text + length};
    while (is_call && r.at < r.end && *r.at != ')') {
        skip_value(&r);
        r.at += peek(&r) == ',' ? 1 : 0;
    }
    return is_call && r.at + 1 == r.end;
}

/* "x:03d": Python formats nothing but a number so. */
static bool is_formatted_number(const char *text, size_t length)
{
    const char *spec = memrchr(text, ':', length);
    size_t n = spec ? length - (size_t)(spec - text) - 1 : 0;
    for (size_t i = 0; i + 1 < n; i++) {
        if (!strchr("0123456789<>=^+-,._ #", spec[1 + i])) {
            return false;
        }
    }
    return n && strchr("dfFeEgGxXob", spec[n]);
}

/* "{3}", "{len(x)}", "{x:d}" behind its bracket. */
static bool skip_field(reader *r)
{
    const char *close = memchr(r->at, '}', (size_t)(r->end - r->at));
    size_t length = close ? (size_t)(close - r->at) : 0, digits = 0;
    while (digits < length && isdigit((unsigned char)r->at[digits])) {
        digits++;
    }
    bool is_number =
        length && !memchr(r->at, '{', length) &&
        (digits == length || is_count(r->at, length) || is_formatted_number(r->at, length));
    r->at = is_number ? close + 1 : r->at;
    return is_number;
}

/* Does "%" put nothing but numbers into the literal? */
static bool takes_numbers(const char *text, const char *end)
{
    for (; text < end; text++) {
        if (*text == '%') {
            for (text++; text < end && strchr("0123456789.+- #", *text);) {
                text++;
            }
            if (text >= end || !strchr("%diouxXeEfFgG", *text)) {
                return false;
            }
        }
    }
    return true;
}

/* A literal of one line, of which all fields are numbers. */
static bool skip_literal(reader *r)
{
    bool is_format = false, is_raw = false;
    for (size_t i = 0; i < 2 && r->at < r->end && strchr("rRbBuUfF", *r->at); i++, r->at++) {
        is_format = is_format || (*r->at | 0x20) == 'f';
        is_raw = is_raw || (*r->at | 0x20) == 'r';
    }
    char quote = peek(r);
    bool is_long = r->at + 2 < r->end && r->at[1] == quote && r->at[2] == quote;
    if ((quote != '"' && quote != '\'') || is_long) {
        return false;
    }
    for (r->at++; r->at < r->end && *r->at != quote;) {
        char c = *r->at++;
        if (c == '\\') {
            r->at++;
        } else if (is_format && c == '{' && !skip_char(r, '{') && !skip_field(r)) {
            return false;
        }
    }
    return skip_char(r, quote);
}

/* What "%" is given: "3", "len(x)", "(a, b)". */
static bool skip_operand(reader *r)
{
    const char *start = r->at;
    while (r->at < r->end && (isalnum((unsigned char)*r->at) || strchr("_.", *r->at))) {
        r->at++;
    }
    bool is_name = r->at > start;
    if (!skip_char(r, '(')) {
        return is_name;
    }
    do {
        skip_value(r);
    } while (skip_char(r, ','));
    return skip_char(r, ')');
}

/* Literals side by side, or with "+" between them. */
static bool skip_constant(reader *r)
{
    for (bool is_open = true; is_open;) {
        const char *start = r->at;
        if (!skip_literal(r)) {
            return false;
        }
        const char *end = r->at;
        skip_blanks(r);
        if (skip_char(r, '%')) {
            skip_blanks(r);
            if (!takes_numbers(start, end) || !skip_operand(r)) {
                return false;
            }
            skip_blanks(r);
        }
        is_open = skip_char(r, '+') || (peek(r) && strchr("\"'rRbBuUfF", peek(r)));
        skip_blanks(r);
    }
    return true;
}

/* "file=f", "encoding="utf-8"": says nothing of the text. */
static bool skip_keyword(reader *r)
{
    static const char *const names[] = {"file", "flush", "encoding", "errors", "newline"};
    for (size_t i = 0; i < WPA_COUNT(names); i++) {
        size_t length = strlen(names[i]);
        bool is_it = length < (size_t)(r->end - r->at) && r->at[length] == '=' &&
                     memcmp(r->at, names[i], length) == 0;
        if (is_it) {
            r->at += length + 1;
            skip_value(r);
            return true;
        }
    }
    return false;
}

/* The arguments behind the bracket, and nothing behind the one that closes it. */
static bool are_constants(reader *r)
{
    do {
        skip_blanks(r);
        if (!skip_keyword(r) && !skip_constant(r)) {
            return false;
        }
    } while (skip_char(r, ','));
    bool is_closed = skip_char(r, ')');
    skip_blanks(r);
    return is_closed && (r->at == r->end || *r->at == '#');
}

static bool begins_with(const reader *r, const char *word)
{
    size_t length = strlen(word);
    return length <= (size_t)(r->end - r->at) && memcmp(r->at, word, length) == 0;
}

/* One line, without its indentation. */
static bool is_constant_line(reader *r)
{
    static const char *const calls[] = {".write_text(", ".write("};
    size_t length = (size_t)(r->end - r->at);
    if (!length || *r->at == '#') {
        return true;
    }
    if (begins_with(r, "with ")) {
        return memmem(r->at, length, "open(", 5) && r->end[-1] == ':';
    }
    if (begins_with(r, "print(")) {
        r->at += strlen("print(");
        return are_constants(r);
    }
    for (size_t i = 0; i < WPA_COUNT(calls); i++) {
        const char *call = memmem(r->at, length, calls[i], strlen(calls[i]));
        if (call) {
            r->at = call + strlen(calls[i]);
            return are_constants(r);
        }
    }
    return false;
}

bool wpa_python_writes_constant(const char *text, wpa_span lines)
{
    const char *end = text + lines.end;
    for (const char *at = text + lines.start; at < end;) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        reader r = {at, newline ? newline : end};
        skip_blanks(&r);
        while (r.end > r.at && strchr(" \t\r", r.end[-1])) {
            r.end--;
        }
        if (!is_constant_line(&r)) {
            return false;
        }
        at = newline ? newline + 1 : end;
    }
    return true;
}
