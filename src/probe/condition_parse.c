/* Conditions of probes, parsed: one function a level of precedence. */
#include <string.h>

#include <wpa/buf.h>
#include <wpa/text.h>

#include "probe/condition_internal.h"

typedef struct parser {
    const char *source;
    size_t at;
    int depth;
    const char *const *names;
    size_t n_names;
    wpa_arena *arena;
    wpa_error *err;
} parser;

static wpa_condition_node *fail_at(const parser *in, size_t at, const char *what)
{
    WPA_FAIL(in->err, WPA_E_INVALID, "column %zu: %s, in condition '%s'", at + 1, what, in->source);
    return NULL;
}

static void skip_blanks(parser *in)
{
    in->at += strspn(in->source + in->at, " \t\r\n");
}

static bool take(parser *in, const char *token)
{
    skip_blanks(in);
    size_t length = strlen(token);
    if (strncmp(in->source + in->at, token, length) != 0) {
        return false;
    }
    in->at += length;
    return true;
}

static wpa_condition_node *new_node(const parser *in, wpa_condition_kind kind, size_t start,
                                    wpa_condition_node *left, wpa_condition_node *right)
{
    wpa_condition_node *made = wpa_arena_alloc(in->arena, sizeof *made);
    *made = (wpa_condition_node){
        .kind = kind, .start = start, .end = in->at, .left = left, .right = right};
    return made;
}

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static wpa_condition_node *parse_or(parser *in);

static wpa_condition_node *parse_number(parser *in)
{
    size_t start = in->at;
    char text[64];
    while (is_name_char(in->source[in->at]) || in->source[in->at] == '.' ||
           ((in->source[in->at] == '-' || in->source[in->at] == '+') &&
            (in->source[in->at - 1] == 'e' || in->source[in->at - 1] == 'E'))) {
        in->at++;
    }
    wpa_text_format(text, sizeof text, "%.*s", (int)(in->at - start), in->source + start);
    wpa_condition_node *made = new_node(in, WPA_CONDITION_NUMBER, start, NULL, NULL);
    return wpa_text_to_double(text, &made->number) ? made : fail_at(in, start, "no number");
}

static wpa_condition_node *parse_text(parser *in)
{
    size_t start = in->at;
    char quote = in->source[in->at++];
    WPA_AUTO(wpa_buf) *text = wpa_buf_new(WPA_CONDITION_MAX_BYTES + 1);
    for (; in->source[in->at] && in->source[in->at] != quote; in->at++) {
        if (in->source[in->at] == '\\' && in->source[in->at + 1]) {
            in->at++;
        }
        wpa_buf_char(text, in->source[in->at]);
    }
    if (!in->source[in->at]) {
        return fail_at(in, start, "the quote is not closed");
    }
    in->at++;
    wpa_condition_node *made = new_node(in, WPA_CONDITION_TEXT, start, NULL, NULL);
    made->text = wpa_buf_dup(text, in->arena);
    return made;
}

/** The one argument of a function. */
static wpa_condition_node *parse_argument(parser *in)
{
    if (!take(in, "(")) {
        return fail_at(in, in->at, "expected '('");
    }
    wpa_condition_node *argument = parse_or(in);
    if (argument && !take(in, ")")) {
        return fail_at(in, in->at, "expected ')'");
    }
    return argument;
}

static wpa_condition_node *parse_call(parser *in, wpa_condition_kind kind, size_t start)
{
    wpa_condition_node *argument = parse_argument(in);
    if (!argument) {
        return NULL;
    }
    if (kind == WPA_CONDITION_JSON && argument->kind != WPA_CONDITION_TEXT) {
        return fail_at(in, start, "json wants a path in quotes");
    }
    wpa_condition_node *made = new_node(in, kind, start, argument, NULL);
    made->text = argument->text;
    return made;
}

static wpa_condition_node *parse_word(parser *in)
{
    static const struct {
        const char *word;
        wpa_condition_kind kind;
    } calls[] = {{"len", WPA_CONDITION_LEN},
                 {"isnan", WPA_CONDITION_ISNAN},
                 {"abs", WPA_CONDITION_ABS},
                 {"json", WPA_CONDITION_JSON}};
    static const struct {
        const char *word;
        wpa_condition_kind kind;
        double number;
    } words[] = {{"true", WPA_CONDITION_TRUTH, 1},
                 {"false", WPA_CONDITION_TRUTH, 0},
                 {"delta", WPA_CONDITION_DELTA, 0},
                 {"ratio", WPA_CONDITION_RATIO, 0}};
    size_t start = in->at;
    while (is_name_char(in->source[in->at])) {
        in->at++;
    }
    const char *word = wpa_arena_slice(in->arena, in->source + start, in->at - start);
    for (size_t i = 0; i < WPA_COUNT(calls); i++) {
        if (wpa_text_is(word, calls[i].word)) {
            return parse_call(in, calls[i].kind, start);
        }
    }
    wpa_condition_node *made = new_node(in, WPA_CONDITION_NAME, start, NULL, NULL);
    made->text = word;
    for (size_t i = 0; i < WPA_COUNT(words); i++) {
        if (wpa_text_is(word, words[i].word)) {
            made->kind = words[i].kind;
            made->number = words[i].number;
            return made;
        }
    }
    if (wpa_text_index(word, in->names, in->n_names) < 0) {
        const char *nearest = wpa_text_nearest(word, in->names, in->n_names);
        return fail_at(
            in, start,
            nearest ? wpa_arena_printf(in->arena, "unknown name (did you mean '%s'?)", nearest)
                    : "unknown name");
    }
    return made;
}

static wpa_condition_node *parse_primary(parser *in)
{
    skip_blanks(in);
    char c = in->source[in->at];
    if (c == '"' || c == '\'') {
        return parse_text(in);
    }
    if (c >= '0' && c <= '9') {
        return parse_number(in);
    }
    if (is_name_char(c)) {
        return parse_word(in);
    }
    if (c == '(') {
        return parse_argument(in);
    }
    return fail_at(in, in->at, c ? "expected a value" : "it ends too early");
}

static wpa_condition_node *parse_unary(parser *in)
{
    skip_blanks(in);
    size_t start = in->at;
    if (++in->depth > WPA_CONDITION_MAX_DEPTH) {
        return fail_at(in, start, "nested too deep");
    }
    bool is_not = in->source[in->at] == '!' && in->source[in->at + 1] != '=' && take(in, "!");
    wpa_condition_node *made = NULL;
    if (is_not || take(in, "-")) {
        wpa_condition_node *operand = parse_unary(in);
        made = operand ? new_node(in, is_not ? WPA_CONDITION_NOT : WPA_CONDITION_MINUS, start,
                                  operand, NULL)
                       : NULL;
    } else {
        made = parse_primary(in);
    }
    in->depth--;
    return made;
}

static wpa_condition_node *parse_comparison(parser *in)
{
    /* Longer signs first. */
    static const struct {
        const char *sign;
        wpa_condition_kind kind;
    } signs[] = {{"<=", WPA_CONDITION_LESS_EQUAL}, {">=", WPA_CONDITION_GREATER_EQUAL},
                 {"==", WPA_CONDITION_EQUAL},      {"!=", WPA_CONDITION_NOT_EQUAL},
                 {"<", WPA_CONDITION_LESS},        {">", WPA_CONDITION_GREATER}};
    wpa_condition_node *left = parse_unary(in);
    for (size_t i = 0; left && i < WPA_COUNT(signs); i++) {
        if (take(in, signs[i].sign)) {
            wpa_condition_node *right = parse_unary(in);
            return right ? new_node(in, signs[i].kind, left->start, left, right) : NULL;
        }
    }
    return left;
}

static wpa_condition_node *parse_and(parser *in)
{
    wpa_condition_node *left = parse_comparison(in);
    while (left && take(in, "&&")) {
        wpa_condition_node *right = parse_comparison(in);
        left = right ? new_node(in, WPA_CONDITION_AND, left->start, left, right) : NULL;
    }
    return left;
}

static wpa_condition_node *parse_or(parser *in)
{
    wpa_condition_node *left = parse_and(in);
    while (left && take(in, "||")) {
        wpa_condition_node *right = parse_and(in);
        left = right ? new_node(in, WPA_CONDITION_OR, left->start, left, right) : NULL;
    }
    return left;
}

const wpa_condition *wpa_condition_parse(const char *text, const char *const names[],
                                         size_t n_names, wpa_arena *arena, wpa_error *err)
{
    if (strlen(text) > WPA_CONDITION_MAX_BYTES) {
        WPA_FAIL(err, WPA_E_LIMIT, "condition of more than %d bytes", WPA_CONDITION_MAX_BYTES);
        return NULL;
    }
    wpa_condition *condition = wpa_arena_alloc(arena, sizeof *condition);
    condition->source = wpa_arena_text(arena, text);
    parser in = {.source = condition->source,
                 .names = names,
                 .n_names = n_names,
                 .arena = arena,
                 .err = err};
    condition->root = parse_or(&in);
    if (condition->root) {
        skip_blanks(&in);
        if (in.source[in.at]) {
            fail_at(&in, in.at, "expected '&&', '||' or the end");
            return NULL;
        }
    }
    return condition->root ? condition : NULL;
}
