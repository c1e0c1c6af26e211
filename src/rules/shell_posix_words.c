/* Words of bash and sh: quotes, expansions, substitutions. */
#include "rules/shell_posix.h"

typedef wpa_posix_lexer lexer;

const unsigned char wpa_posix_kinds[256] = {
    ['\0'] = WPA_POSIX_ENDS_WORD | WPA_POSIX_IS_GLOB,
    [' '] = WPA_POSIX_ENDS_WORD,
    ['\t'] = WPA_POSIX_ENDS_WORD,
    ['\r'] = WPA_POSIX_ENDS_WORD,
    ['\n'] = WPA_POSIX_ENDS_WORD,
    [';'] = WPA_POSIX_ENDS_WORD,
    ['&'] = WPA_POSIX_ENDS_WORD,
    ['|'] = WPA_POSIX_ENDS_WORD,
    ['('] = WPA_POSIX_ENDS_WORD,
    [')'] = WPA_POSIX_ENDS_WORD,
    ['<'] = WPA_POSIX_ENDS_WORD,
    ['>'] = WPA_POSIX_ENDS_WORD,
    ['\''] = WPA_POSIX_IS_QUOTE | WPA_POSIX_ENDS_SINGLE,
    ['"'] = WPA_POSIX_IS_QUOTE | WPA_POSIX_IS_SPECIAL | WPA_POSIX_ENDS_DOUBLE,
    ['$'] = WPA_POSIX_IS_QUOTE | WPA_POSIX_IS_SPECIAL,
    ['`'] = WPA_POSIX_IS_QUOTE | WPA_POSIX_IS_SPECIAL,
    ['\\'] = WPA_POSIX_IS_QUOTE | WPA_POSIX_IS_SPECIAL | WPA_POSIX_ENDS_DOUBLE,
    ['*'] = WPA_POSIX_IS_GLOB,
    ['?'] = WPA_POSIX_IS_GLOB,
    ['['] = WPA_POSIX_IS_GLOB,
    ['#'] = WPA_POSIX_IS_COMMENT,
    ['_'] = WPA_POSIX_IS_BLANKED,
};

static bool ends_word(char c)
{
    return (wpa_posix_kind(c) & WPA_POSIX_ENDS_WORD) != 0;
}

/** Past bytes that are none of these kinds; which kinds they were. */
static unsigned skip_but(lexer *l, unsigned stops)
{
    const char *text = l->text;
    size_t at = l->at, length = l->length;
    unsigned seen = 0;
    for (unsigned kind; at < length && !((kind = wpa_posix_kind(text[at])) & stops); at++) {
        seen |= kind;
    }
    l->at = at;
    return seen;
}

void wpa_posix_substitution(lexer *l, char end)
{
    if (++l->depth > WPA_SHELL_MAX_DEPTH) {
        wpa_posix_fail(l);
        return;
    }
    unsigned cases = l->cases;
    l->cases = 0;
    wpa_posix_list(l, end);
    l->cases = cases;
    l->depth--;
    if (wpa_posix_peek(l, 0) == end && l->at < l->length) {
        l->at++;
    } else {
        wpa_posix_fail(l);
    }
}

void wpa_posix_arithmetic(lexer *l)
{
    size_t start = l->at, open = 2;
    while (l->at < l->length && open) {
        open += (size_t)(l->text[l->at] == '(');
        open -= (size_t)(l->text[l->at] == ')');
        l->at++;
    }
    wpa_posix_mark(l, start, l->at, WPA_SHELL_ARITHMETIC);
    if (open) {
        wpa_posix_fail(l);
    }
}

static void lex_dollar(lexer *l, wpa_shell_context around);

static void lex_single(lexer *l)
{
    size_t start = ++l->at;
    while (l->at < l->length && l->text[l->at] != '\'') {
        l->at++;
    }
    wpa_posix_mark(l, start, l->at, WPA_SHELL_SINGLE);
    if (l->at == l->length) {
        wpa_posix_fail(l);
        return;
    }
    l->at++;
}

/* $'...' knows backslashes. */
static void lex_ansi(lexer *l)
{
    size_t start = l->at += 2;
    while (l->at < l->length && l->text[l->at] != '\'') {
        l->at += l->text[l->at] == '\\' ? 2 : 1;
    }
    if (l->at >= l->length) {
        wpa_posix_fail(l);
        return;
    }
    wpa_posix_mark(l, start, l->at, WPA_SHELL_SINGLE);
    l->at++;
}

static void lex_double(lexer *l)
{
    l->at++;
    while (l->at < l->length && l->text[l->at] != '"') {
        size_t start = l->at;
        char c = l->text[l->at];
        if (c == '$') {
            lex_dollar(l, WPA_SHELL_DOUBLE);
        } else if (c == '`') {
            l->at++;
            wpa_posix_substitution(l, '`');
        } else {
            l->at += c == '\\' && l->at + 1 < l->length ? 2 : 1;
            (void)skip_but(l, WPA_POSIX_IS_SPECIAL);
            wpa_posix_mark(l, start, l->at, WPA_SHELL_DOUBLE);
        }
    }
    if (l->at >= l->length) {
        wpa_posix_fail(l);
        return;
    }
    l->at++;
}

/* "${" has been read: on to the matching "}". */
static void lex_parameter(lexer *l, wpa_shell_context around)
{
    if (++l->depth > WPA_SHELL_MAX_DEPTH) {
        wpa_posix_fail(l);
        return;
    }
    while (l->at < l->length && l->text[l->at] != '}') {
        size_t start = l->at;
        char c = l->text[l->at];
        if (c == '$') {
            lex_dollar(l, around);
        } else if (c == '"') {
            lex_double(l);
        } else if (c == '\'' && around == WPA_SHELL_PLAIN) {
            lex_single(l);
        } else {
            l->at += c == '\\' && l->at + 1 < l->length ? 2 : 1;
            wpa_posix_mark(l, start, l->at, around);
        }
    }
    l->depth--;
    if (l->at >= l->length) {
        wpa_posix_fail(l);
        return;
    }
    l->at++;
    wpa_posix_mark(l, l->at - 1, l->at, around);
}

static void lex_dollar(lexer *l, wpa_shell_context around)
{
    size_t start = l->at;
    if (wpa_posix_peek(l, 1) != '(' && wpa_posix_peek(l, 1) != '{' &&
        wpa_posix_peek(l, 1) != '\'') {
        l->at++; /* of a plain variable, as most are */
        wpa_posix_mark(l, start, l->at, around);
    } else if (wpa_posix_looks_at(l, "$((")) {
        l->at += 3;
        wpa_posix_arithmetic(l);
    } else if (wpa_posix_looks_at(l, "$(")) {
        l->at += 2;
        wpa_posix_substitution(l, ')');
    } else if (wpa_posix_looks_at(l, "${")) {
        l->at += 2;
        wpa_posix_mark(l, start, l->at, around);
        lex_parameter(l, around);
    } else if (wpa_posix_looks_at(l, "$'") && around == WPA_SHELL_PLAIN) {
        lex_ansi(l);
    } else {
        l->at++;
        wpa_posix_mark(l, start, l->at, around);
    }
}

/* A quote, an expansion, a substitution or an escape; false if none begins here. */
static bool lex_quoted(lexer *l, char c)
{
    if (c == '\'') {
        lex_single(l);
    } else if (c == '"') {
        lex_double(l);
    } else if (c == '$') {
        lex_dollar(l, WPA_SHELL_PLAIN);
    } else if (c == '`') {
        l->at++;
        wpa_posix_substitution(l, '`');
    } else if (c == '\\') {
        l->at += l->at + 1 < l->length ? 2 : 1;
    } else {
        return false;
    }
    return true;
}

/* "name=(" has been read: words until the bracket closes. */
static void lex_array(lexer *l)
{
    while (l->at < l->length && l->text[l->at] != ')') {
        char c = l->text[l->at];
        if (lex_quoted(l, c)) {
            continue;
        }
        if (c == '#' && (wpa_posix_is_blank(l->text[l->at - 1]) || l->text[l->at - 1] == '\n')) {
            while (l->at < l->length && l->text[l->at] != '\n') {
                l->at++;
            }
        } else {
            l->at++;
        }
    }
    if (l->at >= l->length) {
        wpa_posix_fail(l);
        return;
    }
    l->at++;
}

/* One piece of a word; false at its end. */
static bool lex_piece(lexer *l, char end, size_t word_start)
{
    char c = wpa_posix_peek(l, 0);
    if (c == '`' && end == '`') {
        return false;
    }
    if (lex_quoted(l, c)) {
        return true;
    }
    if (c == '(' && l->at > word_start && l->text[l->at - 1] == '=') {
        l->at++;
        lex_array(l);
    } else if (c == '(' && l->at > word_start && strchr("@!?*+", l->text[l->at - 1])) {
        l->at++; /* extended glob */
        lex_array(l);
    } else if ((c == '<' || c == '>') && wpa_posix_peek(l, 1) == '(' && l->at == word_start) {
        l->at += 2;
        wpa_posix_substitution(l, ')');
    } else if (ends_word(c)) {
        return false;
    } else {
        l->at++;
    }
    return true;
}

/* A run of these is a blanked expression. */
#define BLANKED "____"

/** May a word have been read in which an expression was blanked? Few have so much as a "_". */
static bool may_be_blanked(const char *text, unsigned seen)
{
    return (seen & WPA_POSIX_IS_BLANKED) && strstr(text, BLANKED);
}

/** Is it in double quotes as a whole, with no escape in it? Then which kinds of bytes it has. */
static bool is_quoted_once(const char *text, wpa_span span, unsigned *seen)
{
    if (text[span.start] != '"' || wpa_span_length(span) < 2 || text[span.end - 1] != '"') {
        return false;
    }
    size_t at = span.start + 1, end = span.end - 1;
    for (unsigned kind; at < end && !((kind = wpa_posix_kind(text[at])) & WPA_POSIX_ENDS_DOUBLE);
         at++) {
        *seen |= kind;
    }
    return at == end;
}

/* text[span] without quotes and escapes; expansions stay as written. */
static void unquote(lexer *l, wpa_shell_word *word)
{
    wpa_span span = word->span;
    unsigned seen = 0;
    if (is_quoted_once(l->text, span, &seen)) { /* as many are: they come off, and that is all */
        word->text = wpa_arena_slice(l->arena, l->text + span.start + 1, wpa_span_length(span) - 2);
        word->is_as_written = !may_be_blanked(word->text, seen);
        word->is_literal = word->is_as_written && !(seen & WPA_POSIX_IS_SPECIAL);
        return;
    }
    char *out = wpa_arena_slice(l->arena, l->text + span.start, wpa_span_length(span));
    size_t n = 0;
    char quote = '\0';
    bool is_literal = true;
    for (size_t i = span.start; i < span.end; i++) {
        char c = l->text[i];
        unsigned kind = wpa_posix_kind(c);
        if (!(kind & (WPA_POSIX_IS_QUOTE | WPA_POSIX_IS_GLOB))) {
            out[n++] = c;
            continue;
        }
        if (quote == '\'' ? c == '\'' : quote == '"' && c == '"') {
            quote = '\0';
            continue;
        }
        if (!quote && (c == '\'' || c == '"')) {
            quote = c;
            continue;
        }
        if (c == '\\' && quote != '\'' && i + 1 < span.end) {
            i++;
            if (l->text[i] != '\n') {
                out[n++] = l->text[i];
            }
            continue;
        }
        if (quote != '\'' && (c == '$' || c == '`')) {
            is_literal = false;
        }
        if (!quote && (kind & WPA_POSIX_IS_GLOB)) {
            is_literal = false;
        }
        out[n++] = c;
    }
    out[n] = '\0';
    word->text = out;
    word->is_literal = is_literal && !strstr(out, BLANKED);
}

/** Past "$" and "${NAME}", if that is what stands here: no more than a variable. */
static bool skip_variable(lexer *l)
{
    char next = wpa_posix_peek(l, 1);
    size_t behind = l->at + 1;
    if (wpa_posix_peek(l, 0) != '$' || next == '(') {
        return false;
    }
    if (next == '{') {
        behind += 1 + wpa_text_name_length(l->text + behind + 1);
        if (behind >= l->length || l->text[behind] != '}') {
            return false;
        }
        behind++;
    }
    l->at = behind;
    return true;
}

/** Past the quotes from here on if all between them stands for itself, variables aside; which kinds
 * of bytes it is. */
static bool skip_quoted(lexer *l, char quote, unsigned *seen)
{
    unsigned stops = quote == '"' ? WPA_POSIX_IS_SPECIAL : WPA_POSIX_ENDS_SINGLE;
    size_t start = l->at++;
    *seen = skip_but(l, stops);
    while (quote == '"' && skip_variable(l)) {
        *seen |= WPA_POSIX_IS_SPECIAL | WPA_POSIX_IS_BLANKED | skip_but(l, stops);
    }
    size_t close = l->at, behind = close + 1;
    bool is_it = close < l->length && l->text[close] == quote &&
                 (behind == l->length || ends_word(l->text[behind]));
    l->at = is_it ? behind : start;
    return is_it;
}

/** A word in quotes as a whole, with no escape or substitution in it: read where it stands. */
static bool read_quoted(lexer *l, wpa_shell_word *word)
{
    size_t start = l->at;
    char quote = wpa_posix_peek(l, 0);
    unsigned seen;
    if ((quote != '"' && quote != '\'') || !skip_quoted(l, quote, &seen)) {
        return false;
    }
    size_t close = l->at - 1;
    bool is_double = quote == '"';
    wpa_posix_mark(l, start + 1, close, is_double ? WPA_SHELL_DOUBLE : WPA_SHELL_SINGLE);
    word->span.end = l->at;
    word->text = l->words + start + 1;
    l->words[close] = '\0'; /* no other word holds the quote */
    word->is_as_written = !may_be_blanked(word->text, seen);
    word->is_literal = word->is_as_written && !(is_double && (seen & WPA_POSIX_IS_SPECIAL));
    return true;
}

wpa_shell_word wpa_posix_word(lexer *l, char end)
{
    wpa_shell_word word = {.span = {l->at, l->at}};
    unsigned seen = skip_but(l, WPA_POSIX_ENDS_WORD | WPA_POSIX_IS_QUOTE);
    bool is_plain = l->at == l->length || (ends_word(l->text[l->at]) && l->text[l->at] != '(');
    if (is_plain && l->at > word.span.start) { /* as most are: there is nothing to undo */
        word.span.end = l->at;
        word.text = l->words + word.span.start;
        l->words[word.span.end] = '\0'; /* no other word holds the byte that has ended this one */
        word.is_as_written = !may_be_blanked(word.text, seen);
        word.is_literal = word.is_as_written && !(seen & WPA_POSIX_IS_GLOB);
        return word;
    }
    if (l->at == word.span.start && read_quoted(l, &word)) {
        return word;
    }
    while (l->at < l->length && lex_piece(l, end, word.span.start)) {
        (void)skip_but(l, WPA_POSIX_ENDS_WORD | WPA_POSIX_IS_QUOTE);
    }
    word.span.end = l->at;
    unquote(l, &word);
    return word;
}
