#include <math.h>
#include <string.h>

#include "core/room.h"
#include "expr/lexer.h"

typedef struct parser {
    wpa_lexer lexer;
    wpa_token token; /* the one to look at */
    size_t depth;
    wpa_arena *arena;
    wpa_expr_parsed out;
} parser;

static wpa_expr *parse_or(parser *p);

static wpa_expr *fail(parser *p, wpa_span span, wpa_expr_fault code, const char *message)
{
    if (p->out.fault == WPA_EXPR_FINE) {
        p->out.fault = code;
        p->out.fault_span = span;
        p->out.message = message;
    }
    return NULL;
}

static bool advance(parser *p)
{
    wpa_lexer_next(&p->lexer, &p->token);
    if (p->token.kind == WPA_TOKEN_FAULT) {
        (void)fail(p, p->token.span, p->token.fault, p->token.message);
        return false;
    }
    return true;
}

static wpa_expr *node_new(parser *p, wpa_expr_kind kind, wpa_span span)
{
    wpa_expr *node = wpa_arena_room(p->arena, sizeof *node);
    *node = (wpa_expr){.kind = kind, .span = span, .name_span = span};
    p->out.kinds |= UINT32_C(1) << kind;
    return node;
}

static void set_args(wpa_expr *node, const wpa_expr *a, const wpa_expr *b)
{
    node->operands[0] = a;
    node->operands[1] = b;
    node->args = node->operands;
    node->n_args = b ? 2 : 1;
}

/* ---- values ---- */

static wpa_expr *parse_arguments(parser *p, wpa_expr *call)
{
    const wpa_expr **args = NULL;
    size_t capacity = 0;
    call->kind = WPA_EXPR_CALL;
    p->out.kinds |= UINT32_C(1) << WPA_EXPR_CALL;
    wpa_span open = p->token.span;
    if (!advance(p)) {
        return NULL;
    }
    while (p->token.kind != WPA_TOKEN_CLOSE) {
        if (call->n_args > 0) {
            if (p->token.kind != WPA_TOKEN_COMMA) {
                return fail(p, p->token.kind == WPA_TOKEN_END ? open : p->token.span,
                            WPA_EXPR_BRACKET, "')' is missing");
            }
            if (!advance(p)) {
                return NULL;
            }
        }
        const wpa_expr *argument = parse_or(p);
        if (!argument) {
            return NULL;
        }
        args = wpa_arena_grow(p->arena, args, call->n_args, &capacity, sizeof(const wpa_expr *));
        args[call->n_args++] = argument;
    }
    call->args = args;
    call->span.end = p->token.span.end;
    return advance(p) ? call : NULL;
}

static wpa_expr *parse_name(parser *p)
{
    static const struct {
        const char *word;
        wpa_expr_kind kind;
        double number;
    } words[] = {
        {"true", WPA_EXPR_BOOL, 1},
        {"false", WPA_EXPR_BOOL, 0},
        {"null", WPA_EXPR_NULL, 0},
        {"NaN", WPA_EXPR_NUMBER, (double)NAN},
        {"Infinity", WPA_EXPR_NUMBER, (double)INFINITY},
    };
    wpa_expr *node = node_new(p, WPA_EXPR_NAME, p->token.span);
    node->text = p->token.text;
    p->out.contexts |= wpa_expr_context_bit(node->text);
    size_t length = wpa_span_length(node->span);
    bool may_be_word = length >= 3 && length <= 8; /* as few names are that have no dot */
    for (size_t i = 0; may_be_word && i < WPA_COUNT(words); i++) {
        if (wpa_text_is(node->text, words[i].word)) {
            node->kind = words[i].kind;
            p->out.kinds |= UINT32_C(1) << node->kind;
            node->number = words[i].number;
        }
    }
    if (!advance(p)) {
        return NULL;
    }
    bool is_call = node->kind == WPA_EXPR_NAME && p->token.kind == WPA_TOKEN_OPEN;
    return is_call ? parse_arguments(p, node) : node;
}

static wpa_expr *parse_group(parser *p)
{
    wpa_span open = p->token.span;
    if (!advance(p)) {
        return NULL;
    }
    wpa_expr *inner = parse_or(p);
    if (!inner) {
        return NULL;
    }
    if (p->token.kind != WPA_TOKEN_CLOSE) {
        return fail(p, p->token.kind == WPA_TOKEN_END ? open : p->token.span, WPA_EXPR_BRACKET,
                    "')' is missing");
    }
    inner->span = (wpa_span){open.start, p->token.span.end};
    return advance(p) ? inner : NULL;
}

static wpa_expr *parse_value(parser *p)
{
    wpa_token token = p->token;
    wpa_expr *node = NULL;
    if (token.kind == WPA_TOKEN_NAME) {
        return parse_name(p);
    }
    if (token.kind == WPA_TOKEN_OPEN) {
        return parse_group(p);
    }
    if (token.kind == WPA_TOKEN_NUMBER || token.kind == WPA_TOKEN_STRING) {
        node = node_new(p, token.kind == WPA_TOKEN_NUMBER ? WPA_EXPR_NUMBER : WPA_EXPR_STRING,
                        token.span);
        node->number = token.number;
        node->text = token.text;
        return advance(p) ? node : NULL;
    }
    return fail(p, token.span, WPA_EXPR_EMPTY,
                token.kind == WPA_TOKEN_END ? "a value is missing at the end"
                                            : "a value is missing before this");
}

/* ---- members and indices ---- */

static wpa_expr *parse_member(parser *p, const wpa_expr *of)
{
    wpa_span dot = p->token.span;
    if (!advance(p)) {
        return NULL;
    }
    if (p->token.kind != WPA_TOKEN_NAME && p->token.kind != WPA_TOKEN_STAR) {
        return fail(p, p->token.kind == WPA_TOKEN_END ? dot : p->token.span, WPA_EXPR_BAD_MEMBER,
                    "behind a dot comes a name or '*'");
    }
    wpa_expr *node = node_new(p, p->token.kind == WPA_TOKEN_STAR ? WPA_EXPR_STAR : WPA_EXPR_MEMBER,
                              (wpa_span){of->span.start, p->token.span.end});
    node->name_span = p->token.span;
    node->text = p->token.text;
    set_args(node, of, NULL);
    return advance(p) ? node : NULL;
}

static wpa_expr *parse_index(parser *p, const wpa_expr *of)
{
    wpa_span open = p->token.span;
    if (!advance(p)) {
        return NULL;
    }
    wpa_expr *node = node_new(p, WPA_EXPR_INDEX, of->span);
    if (p->token.kind == WPA_TOKEN_STAR) {
        node->kind = WPA_EXPR_STAR;
        p->out.kinds |= UINT32_C(1) << WPA_EXPR_STAR;
        set_args(node, of, NULL);
        if (!advance(p)) {
            return NULL;
        }
    } else {
        const wpa_expr *index = parse_or(p);
        if (!index) {
            return NULL;
        }
        set_args(node, of, index);
    }
    if (p->token.kind != WPA_TOKEN_CLOSE_INDEX) {
        return fail(p, p->token.kind == WPA_TOKEN_END ? open : p->token.span, WPA_EXPR_BRACKET,
                    "']' is missing");
    }
    node->span.end = p->token.span.end;
    node->name_span = (wpa_span){open.start, node->span.end};
    return advance(p) ? node : NULL;
}

static wpa_expr *parse_chain(parser *p)
{
    wpa_expr *node = parse_value(p);
    size_t n_links = 0;
    while (node && (p->token.kind == WPA_TOKEN_DOT || p->token.kind == WPA_TOKEN_OPEN_INDEX)) {
        if (++n_links + p->depth > WPA_EXPR_MAX_DEPTH) {
            return fail(p, p->token.span, WPA_EXPR_LIMIT, "the expression is nested too deep");
        }
        node = p->token.kind == WPA_TOKEN_DOT ? parse_member(p, node) : parse_index(p, node);
    }
    return node;
}

/* ---- operators ---- */

static wpa_expr *parse_not(parser *p)
{
    if (p->token.kind != WPA_TOKEN_NOT) {
        return parse_chain(p);
    }
    wpa_span operator= p->token.span;
    if (++p->depth > WPA_EXPR_MAX_DEPTH) {
        return fail(p, operator, WPA_EXPR_LIMIT, "the expression is nested too deep");
    }
    const wpa_expr *inner = advance(p) ? parse_not(p) : NULL;
    p->depth--;
    if (!inner) {
        return NULL;
    }
    wpa_expr *node = node_new(p, WPA_EXPR_NOT, (wpa_span){operator.start, inner->span.end});
    node->name_span = operator;
    set_args(node, inner, NULL);
    return node;
}

/* Binary operators by their tokens, and how tightly they bind: from 1, 0 are other tokens. */
static const struct {
    wpa_expr_kind kind;
    int level;
} binary[] = {[WPA_TOKEN_OR] = {WPA_EXPR_OR, 1},   [WPA_TOKEN_AND] = {WPA_EXPR_AND, 2},
              [WPA_TOKEN_EQ] = {WPA_EXPR_EQ, 3},   [WPA_TOKEN_NE] = {WPA_EXPR_NE, 3},
              [WPA_TOKEN_LT] = {WPA_EXPR_LT, 4},   [WPA_TOKEN_LE] = {WPA_EXPR_LE, 4},
              [WPA_TOKEN_GT] = {WPA_EXPR_GT, 4},   [WPA_TOKEN_GE] = {WPA_EXPR_GE, 4},
              [WPA_TOKEN_FAULT] = {WPA_EXPR_OR, 0}};
#define LOOSEST 1

/** Operators of this level and tighter ones. One that follows a tighter one binds all before it. */
static wpa_expr *parse_level(parser *p, int loosest)
{
    wpa_expr *left = parse_not(p);
    size_t n_links = 0; /* of one level */
    for (int level, before = 0; left && (level = binary[p->token.kind].level) >= loosest;) {
        wpa_span operator= p->token.span;
        wpa_expr_kind kind = binary[p->token.kind].kind;
        n_links = level == before ? n_links + 1 : 1;
        before = level;
        if (n_links + p->depth > (size_t)10 * WPA_EXPR_MAX_DEPTH) {
            return fail(p, operator, WPA_EXPR_LIMIT, "the expression is nested too deep");
        }
        const wpa_expr *right = advance(p) ? parse_level(p, level + 1) : NULL;
        if (!right) {
            return NULL;
        }
        wpa_expr *node = node_new(p, kind, (wpa_span){left->span.start, right->span.end});
        node->name_span = operator;
        set_args(node, left, right);
        left = node;
    }
    return left;
}

static wpa_expr *parse_or(parser *p)
{
    if (++p->depth > WPA_EXPR_MAX_DEPTH) {
        return fail(p, p->token.span, WPA_EXPR_LIMIT, "the expression is nested too deep");
    }
    wpa_expr *node = parse_level(p, LOOSEST);
    p->depth--;
    return node;
}

/* ---- chains of names: "github.event.number" is what most expressions are ----------------------*/

#define CHAIN_MAX_NAMES 8
#define CHAIN_MAX_BYTES 120

typedef struct chain {
    wpa_span names[CHAIN_MAX_NAMES];
    size_t n;
} chain;

static size_t skip_blanks(const char *text, size_t length, size_t at)
{
    while (at < length && wpa_lexer_is_blank(text[at])) {
        at++;
    }
    return at;
}

/**
 * Names with a dot before each but the first, and at most blanks around the whole. False: it is
 * something else, or one that the parser looks at more closely. A lone name may be a literal.
 */
static bool read_chain(const char *text, size_t length, chain *out)
{
    size_t at = skip_blanks(text, length, 0);
    for (; out->n < CHAIN_MAX_NAMES; at++) {
        size_t end = wpa_lexer_skip_name(text, length, at);
        if (end == at) {
            return false;
        }
        out->names[out->n++] = (wpa_span){at, end};
        at = end;
        if (at == length || text[at] != '.') {
            break;
        }
    }
    return out->n > 1 && skip_blanks(text, length, at) == length;
}

static bool is_word(const char *text, wpa_span name)
{
    static const char *const words[] = {"true", "false", "null", "NaN", "Infinity"};
    wpa_slice slice = {text + name.start, wpa_span_length(name)};
    bool is_one = false;
    for (size_t i = 0; i < WPA_COUNT(words); i++) {
        is_one = is_one || wpa_slice_is(slice, words[i]);
    }
    return is_one;
}

/** The same tree that the parser makes of it. */
static const wpa_expr *make_chain(const char *text, const chain *from, wpa_arena *arena)
{
    size_t start = from->names[0].start;
    char *names = wpa_arena_slice(arena, text + start, from->names[from->n - 1].end - start);
    wpa_expr *nodes = wpa_arena_room(arena, from->n * sizeof *nodes);
    for (size_t i = 0; i < from->n; i++) {
        wpa_span name = from->names[i];
        nodes[i] = (wpa_expr){.kind = i ? WPA_EXPR_MEMBER : WPA_EXPR_NAME,
                              .span = {start, name.end},
                              .name_span = name,
                              .text = names + (name.start - start)};
        names[name.end - start] = '\0'; /* where the dot was */
        if (i) {
            set_args(&nodes[i], &nodes[i - 1], NULL);
        }
    }
    return &nodes[from->n - 1];
}

wpa_expr_parsed wpa_expr_parse(const char *text, size_t length, wpa_arena *arena)
{
    chain names = {.n = 0};
    if (length <= CHAIN_MAX_BYTES && read_chain(text, length, &names) &&
        !is_word(text, names.names[0])) {
        return (wpa_expr_parsed){.root = make_chain(text, &names, arena),
                                 .kinds = 1U << WPA_EXPR_NAME | 1U << WPA_EXPR_MEMBER,
                                 .contexts = wpa_expr_context_bit(text + names.names[0].start)};
    }
    parser p = {.lexer = {.text = text, .length = length, .arena = arena}, .arena = arena};
    if (length > WPA_EXPR_MAX_BYTES) {
        (void)fail(&p, (wpa_span){0, length}, WPA_EXPR_LIMIT, "the expression is too long");
        return p.out;
    }
    const wpa_expr *root = advance(&p) ? parse_or(&p) : NULL;
    if (root && p.token.kind != WPA_TOKEN_END) {
        bool is_bracket = p.token.kind == WPA_TOKEN_CLOSE || p.token.kind == WPA_TOKEN_CLOSE_INDEX;
        (void)fail(&p, p.token.span, is_bracket ? WPA_EXPR_BRACKET : WPA_EXPR_LEFT_OVER,
                   is_bracket ? "this bracket closes nothing"
                              : "the expression has ended before this");
    }
    p.out.root = p.out.fault == WPA_EXPR_FINE ? root : NULL;
    return p.out;
}

const char *wpa_expr_fault_check(wpa_expr_fault fault)
{
    static const char *const checks[WPA_EXPR_FAULT_COUNT] = {
        [WPA_EXPR_BAD_CHARACTER] = "E1", [WPA_EXPR_LONE_OPERATOR] = "E2",
        [WPA_EXPR_LONE_BRACE] = "E3",    [WPA_EXPR_OPEN_STRING] = "E4",
        [WPA_EXPR_BAD_NUMBER] = "E5",    [WPA_EXPR_INTEGER_RANGE] = "E6",
        [WPA_EXPR_FLOAT_RANGE] = "E7",   [WPA_EXPR_NOT_CLOSED] = "E8",
        [WPA_EXPR_EMPTY] = "E9",         [WPA_EXPR_BRACKET] = "E10",
        [WPA_EXPR_BAD_MEMBER] = "E11",   [WPA_EXPR_LEFT_OVER] = "E12",
    };
    return checks[fault];
}
