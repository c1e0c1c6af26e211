#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <wpa/buf.h>

#include "expr/expr.h"

#define TEXT_MAX_BYTES 65536

typedef struct folder {
    wpa_expr_lookup lookup;
    void *context;
    wpa_arena *arena;
    wpa_budget *budget;
    const wpa_expr_reference *references; /* [n_references] of the tree; NULL: not found yet */
    size_t n_references;
} folder;

static wpa_expr_value fold(folder *f, const wpa_expr *node);

/* ---- values ---- */

static wpa_expr_truth truth_of(bool truth)
{
    return truth ? WPA_EXPR_TRUTHY : WPA_EXPR_FALSY;
}

wpa_expr_value wpa_expr_null(void)
{
    return (wpa_expr_value){.type = WPA_EXPR_IS_NULL, .truth = WPA_EXPR_FALSY};
}

wpa_expr_value wpa_expr_bool(bool truth)
{
    return (wpa_expr_value){
        .type = WPA_EXPR_IS_BOOL, .number = truth ? 1 : 0, .truth = truth_of(truth)};
}

wpa_expr_value wpa_expr_number(double number)
{
    bool is_zero = number <= 0 && number >= 0;
    return (wpa_expr_value){.type = WPA_EXPR_IS_NUMBER,
                            .number = number,
                            .truth = truth_of(!is_zero && !isnan(number))};
}

wpa_expr_value wpa_expr_string(const char *text)
{
    return (wpa_expr_value){
        .type = WPA_EXPR_IS_STRING, .text = text, .truth = truth_of(*text != '\0')};
}

wpa_expr_value wpa_expr_unknown(void)
{
    return (wpa_expr_value){0};
}

static bool parse_digits(const char *text, int base, double *number)
{
    const char *digits = base == 16 ? "0123456789abcdefABCDEF" : "01234567";
    if (*text == '\0' || text[strspn(text, digits)] != '\0') {
        return false;
    }
    *number = 0;
    for (; *text; text++) {
        int digit = *text <= '9' ? *text - '0' : (*text | 32) - 'a' + 10;
        *number = *number * base + digit;
    }
    return true;
}

/* Sign, digits with at most one point, exponent: nothing else that strtod would take. */
static bool is_decimal(const char *text)
{
    size_t at = *text == '-' || *text == '+' ? 1 : 0;
    size_t whole = strspn(text + at, "0123456789");
    at += whole;
    size_t fraction = 0;
    if (text[at] == '.') {
        fraction = strspn(text + at + 1, "0123456789");
        at += 1 + fraction;
    }
    if (whole + fraction == 0) {
        return false;
    }
    if (text[at] == 'e' || text[at] == 'E') {
        at += text[at + 1] == '-' || text[at + 1] == '+' ? 2 : 1;
        size_t exponent = strspn(text + at, "0123456789");
        if (exponent == 0) {
            return false;
        }
        at += exponent;
    }
    return text[at] == '\0';
}

double wpa_expr_text_number(const char *text)
{
    char copy[512];
    while (isspace((unsigned char)*text)) {
        text++;
    }
    size_t length = strlen(text);
    while (length > 0 && isspace((unsigned char)text[length - 1])) {
        length--;
    }
    if (length == 0) {
        return 0;
    }
    if (length >= sizeof copy) {
        return (double)NAN;
    }
    memcpy(copy, text, length);
    copy[length] = '\0';
    double number;
    if (copy[0] == '0' && (copy[1] == 'x' || copy[1] == 'o')) {
        return parse_digits(copy + 2, copy[1] == 'x' ? 16 : 8, &number) ? number : (double)NAN;
    }
    if (wpa_text_is(copy, "Infinity") || wpa_text_is(copy, "-Infinity")) {
        return (double)(copy[0] == '-' ? -INFINITY : INFINITY);
    }
    return is_decimal(copy) ? strtod(copy, NULL) : (double)NAN;
}

const char *wpa_expr_value_text(const wpa_expr_value *value, wpa_arena *arena)
{
    switch (value->type) {
    case WPA_EXPR_IS_UNKNOWN:
        return NULL;
    case WPA_EXPR_IS_NULL:
        return "";
    case WPA_EXPR_IS_BOOL:
        return value->number > 0 ? "true" : "false";
    case WPA_EXPR_IS_STRING:
        return value->text;
    case WPA_EXPR_IS_NUMBER:
        break;
    }
    if (isnan(value->number) || isinf(value->number)) {
        return isnan(value->number) ? "NaN" : value->number > 0 ? "Infinity" : "-Infinity";
    }
    double number = value->number <= 0 && value->number >= 0 ? 0 : value->number; /* no -0 */
    return wpa_arena_printf(arena, "%.15G", number);
}

static double number_of(const wpa_expr_value *value)
{
    return value->type == WPA_EXPR_IS_STRING ? wpa_expr_text_number(value->text)
           : value->type == WPA_EXPR_IS_NULL ? 0
                                             : value->number;
}

/* ---- comparing ---- */

/* Below, equal or above as -1, 0, 1; 2 if nothing can be said of them (NaN). */
static int compare(const wpa_expr_value *a, const wpa_expr_value *b)
{
    if (a->type == WPA_EXPR_IS_STRING && b->type == WPA_EXPR_IS_STRING) {
        int order = strcasecmp(a->text, b->text);
        return order < 0 ? -1 : order > 0;
    }
    double x = number_of(a), y = number_of(b);
    return isnan(x) || isnan(y) ? 2 : x < y ? -1 : x > y;
}

static wpa_expr_value fold_comparison(folder *f, const wpa_expr *node)
{
    wpa_expr_value a = fold(f, node->args[0]), b = fold(f, node->args[1]);
    if (a.type == WPA_EXPR_IS_UNKNOWN || b.type == WPA_EXPR_IS_UNKNOWN) {
        return wpa_expr_unknown();
    }
    int order = compare(&a, &b);
    bool is_equal = order == 0;
    switch ((int)node->kind) {
    case WPA_EXPR_EQ:
        return wpa_expr_bool(is_equal);
    case WPA_EXPR_NE:
        return wpa_expr_bool(!is_equal);
    case WPA_EXPR_LT:
        return wpa_expr_bool(order == -1);
    case WPA_EXPR_LE:
        return wpa_expr_bool(order == -1 || is_equal);
    case WPA_EXPR_GT:
        return wpa_expr_bool(order == 1);
    default:
        return wpa_expr_bool(order == 1 || is_equal);
    }
}

/*
 * The value is that of one side. Where it is not known which, or what, the truth may still be: if
 * either side of && is false the whole is, and so on.
 */
static wpa_expr_value fold_logic(folder *f, const wpa_expr *node)
{
    wpa_expr_truth decisive = node->kind == WPA_EXPR_AND ? WPA_EXPR_FALSY : WPA_EXPR_TRUTHY;
    wpa_expr_value a = fold(f, node->args[0]);
    if (a.truth == decisive) {
        return a;
    }
    wpa_expr_value b = fold(f, node->args[1]);
    if (a.truth != WPA_EXPR_MAYBE) {
        return b;
    }
    wpa_expr_value unknown = wpa_expr_unknown();
    unknown.truth = b.truth == decisive ? decisive : WPA_EXPR_MAYBE;
    return unknown;
}

/* ---- functions ---- */

typedef wpa_expr_value (*function)(folder *f, const char *const texts[], size_t n);

/* First place of needle in text without regard to case, NULL if none. */
static wpa_expr_value fold_contains(folder *f, const char *const texts[], size_t n)
{
    (void)f;
    (void)n;
    return wpa_expr_bool(strcasestr(texts[0], texts[1]) != NULL);
}

static wpa_expr_value fold_starts(folder *f, const char *const texts[], size_t n)
{
    (void)f;
    (void)n;
    return wpa_expr_bool(strncasecmp(texts[0], texts[1], strlen(texts[1])) == 0);
}

static wpa_expr_value fold_ends(folder *f, const char *const texts[], size_t n)
{
    (void)f;
    (void)n;
    size_t length = strlen(texts[0]), end = strlen(texts[1]);
    return wpa_expr_bool(end <= length && strcasecmp(texts[0] + length - end, texts[1]) == 0);
}

/* {0} … {n}; doubled braces stand for themselves. Anything else is an error at run time: unknown.
 */
static wpa_expr_value fold_format(folder *f, const char *const texts[], size_t n)
{
    WPA_AUTO(wpa_buf) *buf = wpa_buf_new(TEXT_MAX_BYTES);
    for (const char *at = texts[0]; *at; at++) {
        if ((*at == '{' || *at == '}') && at[1] == at[0]) {
            wpa_buf_char(buf, *at++);
        } else if (*at == '{') {
            size_t digits = strspn(at + 1, "0123456789");
            size_t index = digits > 0 && digits < 4 ? (size_t)strtoul(at + 1, NULL, 10) : n;
            if (at[1 + digits] != '}' || index + 1 >= n) {
                return wpa_expr_unknown();
            }
            wpa_buf_text(buf, texts[index + 1]);
            at += digits + 1;
        } else if (*at == '}') {
            return wpa_expr_unknown();
        } else {
            wpa_buf_char(buf, *at);
        }
    }
    return wpa_buf_is_full(buf) ? wpa_expr_unknown() : wpa_expr_string(wpa_buf_dup(buf, f->arena));
}

static wpa_expr_value fold_join(folder *f, const char *const texts[], size_t n)
{
    (void)f;
    (void)n;
    return wpa_expr_string(texts[0]); /* of a scalar: itself */
}

/* Objects, arrays and texts that are not empty: whatever is in them, they count as true. */
static wpa_expr_value unknown_but_true(void)
{
    wpa_expr_value value = wpa_expr_unknown();
    value.truth = WPA_EXPR_TRUTHY;
    return value;
}

/* Scalars only; texts with escapes stay unknown. */
static wpa_expr_value fold_from_json(folder *f, const char *const texts[], size_t n)
{
    (void)n;
    const char *text = texts[0];
    size_t length = strlen(text);
    if (wpa_text_is(text, "true") || wpa_text_is(text, "false")) {
        return wpa_expr_bool(*text == 't');
    }
    if (wpa_text_is(text, "null")) {
        return wpa_expr_null();
    }
    if (length >= 2 && text[0] == '"' && text[length - 1] == '"' && !strchr(text, '\\') &&
        strchr(text + 1, '"') == text + length - 1) {
        return wpa_expr_string(wpa_arena_slice(f->arena, text + 1, length - 2));
    }
    if (text[0] == '{' || text[0] == '[') {
        return unknown_but_true();
    }
    bool is_number = (isdigit((unsigned char)text[0]) || text[0] == '-') && is_decimal(text);
    return is_number ? wpa_expr_number(strtod(text, NULL)) : wpa_expr_unknown();
}

static const struct {
    const char *name;
    size_t min_args, max_args;
    function fold;
} functions[] = {
    {"contains", 2, 2, fold_contains}, {"startsWith", 2, 2, fold_starts},
    {"endsWith", 2, 2, fold_ends},     {"format", 1, 64, fold_format},
    {"join", 1, 2, fold_join},         {"fromJSON", 1, 1, fold_from_json},
};

/* Tests and values in turn, and the value for when no test holds; a test that is no boolean fails.
 */
static wpa_expr_value fold_case(folder *f, const wpa_expr *node)
{
    for (size_t i = 0; i + 1 < node->n_args; i += 2) {
        wpa_expr_value test = fold(f, node->args[i]);
        if (test.type != WPA_EXPR_IS_BOOL || i + 2 >= node->n_args) {
            return wpa_expr_unknown();
        }
        if (test.number > 0) {
            return fold(f, node->args[i + 1]);
        }
    }
    return node->n_args ? fold(f, node->args[node->n_args - 1]) : wpa_expr_unknown();
}

static wpa_expr_value fold_call(folder *f, const wpa_expr *node)
{
    const char *texts[64];
    for (size_t i = 0; i < WPA_COUNT(functions); i++) {
        if (!wpa_text_is_ci(node->text, functions[i].name) ||
            node->n_args < functions[i].min_args || node->n_args > functions[i].max_args) {
            continue;
        }
        for (size_t k = 0; k < node->n_args; k++) {
            wpa_expr_value value = fold(f, node->args[k]);
            texts[k] = wpa_expr_value_text(&value, f->arena);
            if (!texts[k]) {
                return wpa_expr_unknown();
            }
        }
        return functions[i].fold(f, texts, node->n_args);
    }
    return wpa_text_is_ci(node->text, "case")     ? fold_case(f, node)
           : wpa_text_is_ci(node->text, "toJSON") ? unknown_but_true()
                                                  : wpa_expr_unknown();
}

/* ---- the tree ---- */

/* What '*' gives is an array, and so is a member of it; a context that is always there an object.
 */
static bool is_collection(const wpa_expr *node)
{
    static const char *const contexts[] = {"github", "env",   "vars", "secrets",
                                           "needs",  "steps", "job",  "runner"};
    while (node->kind == WPA_EXPR_MEMBER) {
        node = node->args[0];
        if (node->kind == WPA_EXPR_NAME) {
            return false;
        }
    }
    bool is_context = false;
    for (size_t i = 0; node->kind == WPA_EXPR_NAME && i < WPA_COUNT(contexts); i++) {
        is_context = is_context || wpa_text_is_ci(node->text, contexts[i]);
    }
    return is_context || node->kind == WPA_EXPR_STAR;
}

static wpa_expr_value fold_reference(folder *f, const wpa_expr *node)
{
    wpa_expr_value value = wpa_expr_unknown();
    size_t n = f->n_references;
    const wpa_expr_reference *list = f->references;
    if (!list && f->lookup) {
        list = wpa_expr_references(node, f->arena, &n);
    }
    for (size_t i = 0; list && i < n; i++) {
        if (list[i].node == node && !list[i].is_computed &&
            !f->lookup(list[i].path, f->context, &value)) {
            value = wpa_expr_unknown();
        }
    }
    bool is_open = value.type == WPA_EXPR_IS_UNKNOWN && value.truth == WPA_EXPR_MAYBE;
    return is_open && is_collection(node) ? unknown_but_true() : value;
}

/* Looking up what a node stands for is most of it. */
#define NODE_WORK 4

static wpa_expr_value fold(folder *f, const wpa_expr *node)
{
    if (!wpa_budget_spend(f->budget, NODE_WORK)) {
        return wpa_expr_unknown();
    }
    switch (node->kind) {
    case WPA_EXPR_NULL:
        return wpa_expr_null();
    case WPA_EXPR_BOOL:
        return wpa_expr_bool(node->number > 0);
    case WPA_EXPR_NUMBER:
        return wpa_expr_number(node->number);
    case WPA_EXPR_STRING:
        return wpa_expr_string(node->text);
    case WPA_EXPR_NAME:
    case WPA_EXPR_MEMBER:
    case WPA_EXPR_INDEX:
    case WPA_EXPR_STAR:
        return fold_reference(f, node);
    case WPA_EXPR_CALL:
        return fold_call(f, node);
    case WPA_EXPR_NOT: {
        wpa_expr_truth truth = fold(f, node->args[0]).truth;
        return truth == WPA_EXPR_MAYBE ? wpa_expr_unknown()
                                       : wpa_expr_bool(truth == WPA_EXPR_FALSY);
    }
    case WPA_EXPR_AND:
    case WPA_EXPR_OR:
        return fold_logic(f, node);
    case WPA_EXPR_EQ:
    case WPA_EXPR_NE:
    case WPA_EXPR_LT:
    case WPA_EXPR_LE:
    case WPA_EXPR_GT:
    case WPA_EXPR_GE:
        return fold_comparison(f, node);
    }
    return wpa_expr_unknown();
}

wpa_expr_truth wpa_expr_truth_of(const wpa_expr_parsed *parsed)
{
    wpa_expr_memo *memo = parsed->memo;
    if (!memo || !memo->has_truth) {
        /* Only functions make texts. */
        bool makes_text = wpa_expr_may_have(parsed, 1U << WPA_EXPR_CALL);
        WPA_AUTO(wpa_arena) *arena = makes_text ? wpa_arena_new() : NULL;
        wpa_expr_truth truth = wpa_expr_fold(parsed->root, NULL, NULL, arena).truth;
        if (!memo) {
            return truth;
        }
        memo->truth = truth;
        memo->has_truth = true;
    }
    return memo->truth;
}

wpa_expr_value wpa_expr_fold(const wpa_expr *root, wpa_expr_lookup lookup, void *context,
                             wpa_arena *arena)
{
    return wpa_expr_fold_again(root, NULL, 0, lookup, context, arena);
}

wpa_expr_value wpa_expr_fold_again(const wpa_expr *part, const wpa_expr_reference *references,
                                   size_t n, wpa_expr_lookup lookup, void *context,
                                   wpa_arena *arena)
{
    folder f = {lookup, context, arena, wpa_arena_budget(arena), references, n};
    return part ? fold(&f, part) : wpa_expr_unknown();
}
