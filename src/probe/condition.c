#include "probe/condition.h"

#include <math.h>
#include <string.h>

#include <wpa/buf.h>
#include <wpa/text.h>

#include "probe/condition_internal.h"

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

static bool evaluate(evaluation *in, const wpa_condition_node *at, value *result);

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

static bool compare_to_baseline(evaluation *in, const wpa_condition_node *at, value *result)
{
    double now, baseline;
    if (!look_up_number(in, "value", &now) || !look_up_number(in, "baseline", &baseline)) {
        return false;
    }
    if (at->kind == WPA_CONDITION_RATIO && baseline == 0) {
        return WPA_FAIL(in->err, WPA_E_INVALID, "no ratio to a baseline of 0");
    }
    result->kind = VALUE_NUMBER;
    result->number = at->kind == WPA_CONDITION_DELTA ? now - baseline : now / baseline;
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

static bool read_json(evaluation *in, const wpa_condition_node *at, value *result)
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

static bool call(evaluation *in, const wpa_condition_node *at, value *result)
{
    value argument;
    if (!evaluate(in, at->left, &argument)) {
        return false;
    }
    if (at->kind == WPA_CONDITION_LEN && argument.kind == VALUE_TEXT) {
        *result = (value){.kind = VALUE_NUMBER, .number = (double)strlen(argument.text)};
    } else if (at->kind == WPA_CONDITION_LEN && argument.kind == VALUE_LIST) {
        *result = (value){.kind = VALUE_NUMBER, .number = argument.number};
    } else if (at->kind == WPA_CONDITION_ISNAN && argument.kind == VALUE_NUMBER) {
        *result = (value){.kind = VALUE_TRUTH, .number = isnan(argument.number) ? 1 : 0};
    } else if (at->kind == WPA_CONDITION_ABS && argument.kind == VALUE_NUMBER) {
        *result = (value){.kind = VALUE_NUMBER, .number = fabs(argument.number)};
    } else if (at->kind == WPA_CONDITION_MINUS && argument.kind == VALUE_NUMBER) {
        *result = (value){.kind = VALUE_NUMBER, .number = -argument.number};
    } else if (at->kind == WPA_CONDITION_NOT && argument.kind == VALUE_TRUTH) {
        *result = (value){.kind = VALUE_TRUTH, .number = argument.number == 0};
    } else {
        return WPA_FAIL(in->err, WPA_E_INVALID, "the value at column %zu does not fit there",
                        at->left->start + 1);
    }
    return true;
}

static bool join(evaluation *in, const wpa_condition_node *at, value *result)
{
    bool is_or = at->kind == WPA_CONDITION_OR;
    const wpa_condition_node *sides[] = {at->left, at->right};
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
static bool holds(wpa_condition_kind kind, double order)
{
    switch ((int)kind) {
    case WPA_CONDITION_LESS:
        return order < 0;
    case WPA_CONDITION_LESS_EQUAL:
        return order <= 0;
    case WPA_CONDITION_GREATER:
        return order > 0;
    case WPA_CONDITION_GREATER_EQUAL:
        return order >= 0;
    case WPA_CONDITION_EQUAL:
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

static bool compare(evaluation *in, const wpa_condition_node *at, value *result)
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

static bool evaluate(evaluation *in, const wpa_condition_node *at, value *result)
{
    switch (at->kind) {
    case WPA_CONDITION_NUMBER:
        *result = (value){.kind = VALUE_NUMBER, .number = at->number};
        return true;
    case WPA_CONDITION_TEXT:
        *result = (value){.kind = VALUE_TEXT, .text = at->text};
        return true;
    case WPA_CONDITION_TRUTH:
        *result = (value){.kind = VALUE_TRUTH, .number = at->number};
        return true;
    case WPA_CONDITION_NAME:
        return look_up(in, at->text, result);
    case WPA_CONDITION_JSON:
        return read_json(in, at, result);
    case WPA_CONDITION_DELTA:
    case WPA_CONDITION_RATIO:
        return compare_to_baseline(in, at, result);
    case WPA_CONDITION_LEN:
    case WPA_CONDITION_ISNAN:
    case WPA_CONDITION_ABS:
    case WPA_CONDITION_NOT:
    case WPA_CONDITION_MINUS:
        return call(in, at, result);
    case WPA_CONDITION_AND:
    case WPA_CONDITION_OR:
        return join(in, at, result);
    case WPA_CONDITION_LESS:
    case WPA_CONDITION_LESS_EQUAL:
    case WPA_CONDITION_GREATER:
    case WPA_CONDITION_GREATER_EQUAL:
    case WPA_CONDITION_EQUAL:
    case WPA_CONDITION_NOT_EQUAL:
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

static bool is_replaced(wpa_condition_kind kind)
{
    return kind == WPA_CONDITION_NAME || kind == WPA_CONDITION_JSON ||
           kind == WPA_CONDITION_DELTA || kind == WPA_CONDITION_RATIO;
}

/** Source up to and with at, names replaced; *copied is how far the source has been written. */
static void write_node(evaluation *in, const char *source, const wpa_condition_node *at,
                       size_t *copied, wpa_buf *out)
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
