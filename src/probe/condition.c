#include "probe/condition.h"

#include <math.h>
#include <string.h>

#include <wpa/buf.h>
#include <wpa/text.h>

#define MAX_DEPTH 50

typedef enum node_kind {
    NODE_NUMBER,
    NODE_TEXT,
    NODE_TRUTH,
    NODE_NAME,
    NODE_JSON,
    NODE_DELTA,
    NODE_RATIO,
    NODE_LEN,
    NODE_ISNAN,
    NODE_ABS,
    NODE_NOT,
    NODE_MINUS,
    NODE_AND,
    NODE_OR,
    NODE_LESS,
    NODE_LESS_EQUAL,
    NODE_GREATER,
    NODE_GREATER_EQUAL,
    NODE_EQUAL,
    NODE_NOT_EQUAL
} node_kind;

typedef struct node {
    node_kind kind;
    double number;     /* of a number; 1 for true */
    const char *text;  /* of a text, a name, a path */
    size_t start, end; /* in the source */
    struct node *left, *right;
} node;

struct wpa_condition {
    const char *source;
    const node *root;
};

/* ---- parsing: one function a level of precedence ---- */

typedef struct parser {
    const char *source;
    size_t at;
    int depth;
    const char *const *names;
    size_t n_names;
    wpa_arena *arena;
    wpa_error *err;
} parser;

static node *fail_at(const parser *in, size_t at, const char *what)
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

static node *new_node(const parser *in, node_kind kind, size_t start, node *left, node *right)
{
    node *made = wpa_arena_alloc(in->arena, sizeof *made);
    *made = (node){.kind = kind, .start = start, .end = in->at, .left = left, .right = right};
    return made;
}

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static node *parse_or(parser *in);

static node *parse_number(parser *in)
{
    size_t start = in->at;
    char text[64];
    while (is_name_char(in->source[in->at]) || in->source[in->at] == '.' ||
           ((in->source[in->at] == '-' || in->source[in->at] == '+') &&
            (in->source[in->at - 1] == 'e' || in->source[in->at - 1] == 'E'))) {
        in->at++;
    }
    wpa_text_format(text, sizeof text, "%.*s", (int)(in->at - start), in->source + start);
    node *made = new_node(in, NODE_NUMBER, start, NULL, NULL);
    return wpa_text_to_double(text, &made->number) ? made : fail_at(in, start, "no number");
}

static node *parse_text(parser *in)
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
    node *made = new_node(in, NODE_TEXT, start, NULL, NULL);
    made->text = wpa_buf_dup(text, in->arena);
    return made;
}

/** The one argument of a function. */
static node *parse_argument(parser *in)
{
    if (!take(in, "(")) {
        return fail_at(in, in->at, "expected '('");
    }
    node *argument = parse_or(in);
    if (argument && !take(in, ")")) {
        return fail_at(in, in->at, "expected ')'");
    }
    return argument;
}

static node *parse_call(parser *in, node_kind kind, size_t start)
{
    node *argument = parse_argument(in);
    if (!argument) {
        return NULL;
    }
    if (kind == NODE_JSON && argument->kind != NODE_TEXT) {
        return fail_at(in, start, "json wants a path in quotes");
    }
    node *made = new_node(in, kind, start, argument, NULL);
    made->text = argument->text;
    return made;
}

static node *parse_word(parser *in)
{
    static const struct {
        const char *word;
        node_kind kind;
    } calls[] = {{"len", NODE_LEN}, {"isnan", NODE_ISNAN}, {"abs", NODE_ABS}, {"json", NODE_JSON}};
    static const struct {
        const char *word;
        node_kind kind;
        double number;
    } words[] = {{"true", NODE_TRUTH, 1},
                 {"false", NODE_TRUTH, 0},
                 {"delta", NODE_DELTA, 0},
                 {"ratio", NODE_RATIO, 0}};
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
    node *made = new_node(in, NODE_NAME, start, NULL, NULL);
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

static node *parse_primary(parser *in)
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

static node *parse_unary(parser *in)
{
    skip_blanks(in);
    size_t start = in->at;
    if (++in->depth > MAX_DEPTH) {
        return fail_at(in, start, "nested too deep");
    }
    bool is_not = in->source[in->at] == '!' && in->source[in->at + 1] != '=' && take(in, "!");
    node *made = NULL;
    if (is_not || take(in, "-")) {
        node *operand = parse_unary(in);
        made = operand ? new_node(in, is_not ? NODE_NOT : NODE_MINUS, start, operand, NULL) : NULL;
    } else {
        made = parse_primary(in);
    }
    in->depth--;
    return made;
}

static node *parse_comparison(parser *in)
{
    /* Longer signs first. */
    static const struct {
        const char *sign;
        node_kind kind;
    } signs[] = {{"<=", NODE_LESS_EQUAL}, {">=", NODE_GREATER_EQUAL}, {"==", NODE_EQUAL},
                 {"!=", NODE_NOT_EQUAL},  {"<", NODE_LESS},           {">", NODE_GREATER}};
    node *left = parse_unary(in);
    for (size_t i = 0; left && i < WPA_COUNT(signs); i++) {
        if (take(in, signs[i].sign)) {
            node *right = parse_unary(in);
            return right ? new_node(in, signs[i].kind, left->start, left, right) : NULL;
        }
    }
    return left;
}

static node *parse_and(parser *in)
{
    node *left = parse_comparison(in);
    while (left && take(in, "&&")) {
        node *right = parse_comparison(in);
        left = right ? new_node(in, NODE_AND, left->start, left, right) : NULL;
    }
    return left;
}

static node *parse_or(parser *in)
{
    node *left = parse_and(in);
    while (left && take(in, "||")) {
        node *right = parse_and(in);
        left = right ? new_node(in, NODE_OR, left->start, left, right) : NULL;
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

/* ---- evaluating ---- */

typedef enum value_kind {
    VALUE_NUMBER,
    VALUE_TEXT,
    VALUE_TRUTH,
    VALUE_LIST
} value_kind;

typedef struct value {
    value_kind kind;
    double number; /* of a number, 1 for true, count of a list */
    const char *text;
} value;

typedef struct evaluation {
    const wpa_condition_scope *scope;
    const wpa_json *json; /* once read */
    wpa_arena *arena;
    wpa_error *err;
} evaluation;

static bool evaluate(evaluation *in, const node *at, value *result);

static bool look_up(evaluation *in, const char *name, value *result)
{
    for (size_t i = 0; i < in->scope->n_values; i++) {
        const wpa_condition_value *found = &in->scope->values[i];
        if (wpa_text_is(found->name, name) && !found->is_unknown) {
            *result = (value){.kind = found->text ? VALUE_TEXT : VALUE_NUMBER,
                              .number = found->number,
                              .text = found->text};
            return true;
        }
    }
    return WPA_FAIL(in->err, WPA_E_INVALID, "there is no '%s'", name);
}

static bool look_up_number(evaluation *in, const char *name, double *number)
{
    value found;
    if (!look_up(in, name, &found)) {
        return false;
    }
    *number = found.number;
    return found.kind == VALUE_NUMBER ||
           WPA_FAIL(in->err, WPA_E_INVALID, "'%s' is no number", name);
}

static bool compare_to_baseline(evaluation *in, const node *at, value *result)
{
    double now, baseline;
    if (!look_up_number(in, "value", &now) || !look_up_number(in, "baseline", &baseline)) {
        return false;
    }
    if (at->kind == NODE_RATIO && baseline == 0) {
        return WPA_FAIL(in->err, WPA_E_INVALID, "no ratio to a baseline of 0");
    }
    result->kind = VALUE_NUMBER;
    result->number = at->kind == NODE_DELTA ? now - baseline : now / baseline;
    return true;
}

/** One step of "$.a[0]['b']" at *path, which moves on; NULL if it leads nowhere. */
static const wpa_json *step(const wpa_json *from, const char **path, wpa_arena *arena)
{
    const char *at = *path;
    if (*at == '.') {
        size_t length = strcspn(++at, ".[");
        *path = at + length;
        return length ? wpa_json_find(from, wpa_arena_slice(arena, at, length)) : NULL;
    }
    if (*at != '[') {
        return NULL;
    }
    at++;
    if (*at == '\'' || *at == '"') {
        const char *end = strchr(at + 1, *at);
        if (!end || end[1] != ']') {
            return NULL;
        }
        *path = end + 2;
        return wpa_json_find(from, wpa_arena_slice(arena, at + 1, (size_t)(end - at - 1)));
    }
    int64_t index = 0;
    size_t digits = strcspn(at, "]");
    if (!at[digits] || !wpa_text_to_int(wpa_arena_slice(arena, at, digits), 0, INT32_MAX, &index) ||
        wpa_json_kind_of(from) != WPA_JSON_ARRAY) {
        return NULL;
    }
    *path = at + digits + 1;
    return wpa_json_at(from, (size_t)index);
}

static bool convert_json(evaluation *in, const char *path, const wpa_json *found, value *result)
{
    switch (wpa_json_kind_of(found)) {
    case WPA_JSON_INT:
    case WPA_JSON_REAL:
        *result = (value){.kind = VALUE_NUMBER, .number = wpa_json_real_of(found, 0)};
        return true;
    case WPA_JSON_TEXT:
        *result = (value){.kind = VALUE_TEXT, .text = wpa_json_text_of(found)};
        return true;
    case WPA_JSON_BOOL:
        *result = (value){.kind = VALUE_TRUTH, .number = wpa_json_bool_of(found, false)};
        return true;
    case WPA_JSON_ARRAY:
    case WPA_JSON_OBJECT:
        *result = (value){.kind = VALUE_LIST, .number = (double)wpa_json_count(found)};
        return true;
    case WPA_JSON_NULL:
        break;
    }
    return WPA_FAIL(in->err, WPA_E_INVALID, "nothing at '%s'", path);
}

static bool read_json(evaluation *in, const node *at, value *result)
{
    if (!in->json) {
        if (!in->scope->json) {
            return WPA_FAIL(in->err, WPA_E_INVALID, "there is no JSON to look into");
        }
        in->json = wpa_json_parse(in->scope->json, in->scope->json_bytes, WPA_JSON_MAX_BYTES,
                                  in->arena, in->err);
        if (!in->json) {
            return wpa_error_within(in->err, "read the answer as JSON");
        }
    }
    const char *path = at->text;
    const wpa_json *found = *path == '$' ? in->json : NULL;
    for (path++; found && *path;) {
        found = step(found, &path, in->arena);
    }
    return found ? convert_json(in, at->text, found, result)
                 : WPA_FAIL(in->err, WPA_E_INVALID, "nothing at '%s'", at->text);
}

static bool call(evaluation *in, const node *at, value *result)
{
    value argument;
    if (!evaluate(in, at->left, &argument)) {
        return false;
    }
    if (at->kind == NODE_LEN && argument.kind == VALUE_TEXT) {
        *result = (value){.kind = VALUE_NUMBER, .number = (double)strlen(argument.text)};
    } else if (at->kind == NODE_LEN && argument.kind == VALUE_LIST) {
        *result = (value){.kind = VALUE_NUMBER, .number = argument.number};
    } else if (at->kind == NODE_ISNAN && argument.kind == VALUE_NUMBER) {
        *result = (value){.kind = VALUE_TRUTH, .number = isnan(argument.number) ? 1 : 0};
    } else if (at->kind == NODE_ABS && argument.kind == VALUE_NUMBER) {
        *result = (value){.kind = VALUE_NUMBER, .number = fabs(argument.number)};
    } else if (at->kind == NODE_MINUS && argument.kind == VALUE_NUMBER) {
        *result = (value){.kind = VALUE_NUMBER, .number = -argument.number};
    } else if (at->kind == NODE_NOT && argument.kind == VALUE_TRUTH) {
        *result = (value){.kind = VALUE_TRUTH, .number = argument.number == 0};
    } else {
        return WPA_FAIL(in->err, WPA_E_INVALID, "the value at column %zu does not fit there",
                        at->left->start + 1);
    }
    return true;
}

static bool join(evaluation *in, const node *at, value *result)
{
    bool is_or = at->kind == NODE_OR;
    const node *sides[] = {at->left, at->right};
    for (size_t i = 0; i < 2; i++) {
        if (!evaluate(in, sides[i], result)) {
            return false;
        }
        if (result->kind != VALUE_TRUTH) {
            return WPA_FAIL(in->err, WPA_E_INVALID, "column %zu is neither true nor false",
                            sides[i]->start + 1);
        }
        if ((result->number != 0) == is_or) {
            return true;
        }
    }
    return true;
}

/** The answer of a comparison to what compares as order (< 0, 0, > 0). */
static bool holds(node_kind kind, double order)
{
    switch ((int)kind) {
    case NODE_LESS:
        return order < 0;
    case NODE_LESS_EQUAL:
        return order <= 0;
    case NODE_GREATER:
        return order > 0;
    case NODE_GREATER_EQUAL:
        return order >= 0;
    case NODE_EQUAL:
        return order == 0;
    default:
        return order != 0;
    }
}

static double order_of_numbers(double a, double b)
{
    if (isnan(a) || isnan(b)) {
        return NAN; /* as in arithmetic: only != holds */
    }
    return a < b ? -1 : a > b ? 1 : 0;
}

static bool compare(evaluation *in, const node *at, value *result)
{
    value left, right;
    if (!evaluate(in, at->left, &left) || !evaluate(in, at->right, &right)) {
        return false;
    }
    if (left.kind != right.kind || left.kind == VALUE_LIST) {
        return WPA_FAIL(in->err, WPA_E_INVALID, "column %zu compares values of different kinds",
                        at->start + 1);
    }
    double order = left.kind == VALUE_TEXT ? (double)strcmp(left.text, right.text)
                                           : order_of_numbers(left.number, right.number);
    *result = (value){.kind = VALUE_TRUTH, .number = holds(at->kind, order) ? 1 : 0};
    return true;
}

static bool evaluate(evaluation *in, const node *at, value *result)
{
    switch (at->kind) {
    case NODE_NUMBER:
        *result = (value){.kind = VALUE_NUMBER, .number = at->number};
        return true;
    case NODE_TEXT:
        *result = (value){.kind = VALUE_TEXT, .text = at->text};
        return true;
    case NODE_TRUTH:
        *result = (value){.kind = VALUE_TRUTH, .number = at->number};
        return true;
    case NODE_NAME:
        return look_up(in, at->text, result);
    case NODE_JSON:
        return read_json(in, at, result);
    case NODE_DELTA:
    case NODE_RATIO:
        return compare_to_baseline(in, at, result);
    case NODE_LEN:
    case NODE_ISNAN:
    case NODE_ABS:
    case NODE_NOT:
    case NODE_MINUS:
        return call(in, at, result);
    case NODE_AND:
    case NODE_OR:
        return join(in, at, result);
    case NODE_LESS:
    case NODE_LESS_EQUAL:
    case NODE_GREATER:
    case NODE_GREATER_EQUAL:
    case NODE_EQUAL:
    case NODE_NOT_EQUAL:
        return compare(in, at, result);
    }
    return false;
}

bool wpa_condition_evaluate(const wpa_condition *condition, const wpa_condition_scope *scope,
                            bool *is_true, wpa_error *err)
{
    WPA_AUTO(wpa_arena) *scratch = wpa_arena_new();
    evaluation in = {.scope = scope, .arena = scratch, .err = err};
    value result = {0};
    if (!evaluate(&in, condition->root, &result)) {
        return wpa_error_within(err, "condition '%s'", condition->source);
    }
    if (result.kind != VALUE_TRUTH) {
        return WPA_FAIL(err, WPA_E_INVALID, "condition '%s' is neither true nor false",
                        condition->source);
    }
    *is_true = result.number != 0;
    return true;
}

/* ---- showing ---- */

static void write_value(const value *found, wpa_buf *out)
{
    if (found->kind == VALUE_TEXT) {
        wpa_buf_printf(out, "\"%.60s\"", found->text);
    } else if (found->kind == VALUE_TRUTH) {
        wpa_buf_text(out, found->number != 0 ? "true" : "false");
    } else {
        wpa_buf_printf(out, "%.10g", found->number);
    }
}

static bool is_replaced(node_kind kind)
{
    return kind == NODE_NAME || kind == NODE_JSON || kind == NODE_DELTA || kind == NODE_RATIO;
}

/** Source up to and with at, names replaced; *copied is how far the source has been written. */
static void write_node(evaluation *in, const char *source, const node *at, size_t *copied,
                       wpa_buf *out)
{
    if (is_replaced(at->kind)) {
        value found = {0};
        wpa_error ignored = {0};
        in->err = &ignored;
        wpa_buf_append(out, source + *copied, at->start - *copied);
        if (evaluate(in, at, &found)) {
            write_value(&found, out);
        } else {
            wpa_buf_append(out, source + at->start, at->end - at->start);
        }
        in->err = NULL;
        *copied = at->end;
        return;
    }
    if (at->left) {
        write_node(in, source, at->left, copied, out);
    }
    if (at->right) {
        write_node(in, source, at->right, copied, out);
    }
}

const char *wpa_condition_resolve(const wpa_condition *condition, const wpa_condition_scope *scope,
                                  wpa_arena *arena)
{
    WPA_AUTO(wpa_arena) *scratch = wpa_arena_new();
    WPA_AUTO(wpa_buf) *out = wpa_buf_new((size_t)WPA_CONDITION_MAX_BYTES * 4);
    evaluation in = {.scope = scope, .arena = scratch};
    size_t copied = 0;
    write_node(&in, condition->source, condition->root, &copied, out);
    wpa_buf_text(out, condition->source + copied);
    return wpa_text_visible(arena, wpa_buf_data(out), wpa_buf_size(out), false);
}
