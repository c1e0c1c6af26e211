/* The functions of expressions: how many arguments of what types, and what comes of them. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <wpa/map.h>

#include "expr/checker.h"
#include "json/json.h"

#define MANY 255
#define NAMES_MAX 32
#define JSON_MAX_ITEMS 1000

/* What a parameter takes; ANY is always taken. */
enum {
    TEXT = 1 << 0, /* string or number */
    LIST = 1 << 1,
    TRUTH = 1 << 2,
    WHATEVER = 1 << 3
};

typedef wpa_typed (*special)(wpa_checker *c, const wpa_expr *call, const wpa_typed *types);

typedef struct function {
    const char *name;
    size_t min_args, max_args;
    unsigned first, rest; /* what the first argument and the others take */
    wpa_type_kind result;
    special finish;  /* more to check; gives the type. May be NULL */
    bool is_limited; /* not allowed everywhere */
} function;

static wpa_typed of_kind(wpa_type_kind kind)
{
    return wpa_typed_of(wpa_type_of(kind));
}

static wpa_typed finish_contains(wpa_checker *c, const wpa_expr *call, const wpa_typed *types);
static wpa_typed finish_format(wpa_checker *c, const wpa_expr *call, const wpa_typed *types);
static wpa_typed finish_from_json(wpa_checker *c, const wpa_expr *call, const wpa_typed *types);
static wpa_typed finish_case(wpa_checker *c, const wpa_expr *call, const wpa_typed *types);

/* clang-format off */
static const function functions[] = {
    {"contains",   2, 2,    TEXT | LIST, WHATEVER, WPA_TYPE_BOOL,   finish_contains,  false},
    {"startsWith", 2, 2,    TEXT,        TEXT,     WPA_TYPE_BOOL,   NULL,             false},
    {"endsWith",   2, 2,    TEXT,        TEXT,     WPA_TYPE_BOOL,   NULL,             false},
    {"format",     1, MANY, TEXT,        WHATEVER, WPA_TYPE_STRING, finish_format,    false},
    {"join",       1, 2,    LIST,        TEXT,     WPA_TYPE_STRING, NULL,             false},
    {"toJSON",     1, 1,    WHATEVER,    WHATEVER, WPA_TYPE_STRING, NULL,             false},
    {"fromJSON",   1, 1,    TEXT,        TEXT,     WPA_TYPE_ANY,    finish_from_json, false},
    {"case",       3, MANY, TRUTH,       WHATEVER, WPA_TYPE_ANY,    finish_case,      false},
    {"hashFiles",  1, MANY, TEXT,        TEXT,     WPA_TYPE_STRING, NULL,             true},
    {"success",    0, MANY, TEXT,        TEXT,     WPA_TYPE_BOOL,   NULL,             true},
    {"failure",    0, MANY, TEXT,        TEXT,     WPA_TYPE_BOOL,   NULL,             true},
    {"always",     0, 0,    TEXT,        TEXT,     WPA_TYPE_BOOL,   NULL,             true},
    {"cancelled",  0, 0,    TEXT,        TEXT,     WPA_TYPE_BOOL,   NULL,             true},
};
/* clang-format on */

/* ---- JSON literals ---- */

static const wpa_type *json_type(const wpa_json *value, wpa_arena *arena)
{
    size_t n = wpa_json_count(value);
    switch (wpa_json_kind_of(value)) {
    case WPA_JSON_NULL:
        return wpa_type_of(WPA_TYPE_NULL);
    case WPA_JSON_BOOL:
        return wpa_type_of(WPA_TYPE_BOOL);
    case WPA_JSON_INT:
    case WPA_JSON_REAL:
        return wpa_type_of(WPA_TYPE_NUMBER);
    case WPA_JSON_TEXT:
        return wpa_type_of(WPA_TYPE_STRING);
    case WPA_JSON_ARRAY: {
        const wpa_type *item = wpa_type_of(n > JSON_MAX_ITEMS ? WPA_TYPE_ANY : WPA_TYPE_NEVER);
        for (size_t i = 0; i < n && i < JSON_MAX_ITEMS; i++) {
            item = wpa_type_merge(item, json_type(wpa_json_at(value, i), arena), arena);
        }
        return wpa_type_array(arena, n ? item : wpa_type_of(WPA_TYPE_ANY));
    }
    case WPA_JSON_OBJECT: {
        wpa_type_builder builder = wpa_type_builder_new(arena);
        for (size_t i = 0; i < n; i++) {
            const wpa_type *type = json_type(wpa_json_at(value, i), arena);
            wpa_type_builder_add(&builder, wpa_json_key_at(value, i), type);
        }
        return wpa_type_builder_end(&builder);
    }
    }
    return wpa_type_of(WPA_TYPE_ANY);
}

const wpa_type *wpa_expr_json_type(const char *text, wpa_arena *arena, const char **why)
{
    wpa_error err = {0};
    const wpa_json *value = wpa_json_parse(text, strlen(text), WPA_EXPR_MAX_BYTES, arena, &err);
    if (value) {
        return json_type(value, arena);
    }
    if (why) {
        *why = wpa_arena_text(arena, err.message);
    }
    /* A key twice, or a number beyond 64 bits, is no fault to GitHub's reader. */
    bool is_tolerated = strstr(err.message, "duplicate") || strstr(err.message, "too big") ||
                        err.code == WPA_E_LIMIT;
    return is_tolerated ? wpa_type_of(WPA_TYPE_ANY) : NULL;
}

static wpa_typed finish_from_json(wpa_checker *c, const wpa_expr *call, const wpa_typed *types)
{
    (void)types;
    const wpa_expr *text = call->args[0];
    if (text->kind != WPA_EXPR_STRING) {
        return of_kind(WPA_TYPE_ANY);
    }
    const char *why = "";
    const wpa_type *type = wpa_expr_json_type(text->text, c->arena, &why);
    if (!type) {
        wpa_checker_problem(c, "E21", call, text->span, "this is not JSON, so fromJSON fails: %s",
                            wpa_text_visible(c->arena, why, strlen(why), false));
        return of_kind(WPA_TYPE_ANY);
    }
    return wpa_typed_of(type);
}

/* ---- single functions ---- */

static bool is_collection(const wpa_type *type)
{
    return type->kind == WPA_TYPE_ARRAY || type->kind == WPA_TYPE_OBJECT;
}

static wpa_typed finish_contains(wpa_checker *c, const wpa_expr *call, const wpa_typed *types)
{
    const wpa_type *in = types[0].whole, *item = types[1].whole;
    if (wpa_type_is_scalar(in) && is_collection(item)) {
        wpa_checker_problem(c, "E18", call, call->args[1]->span,
                            "a string is searched for %s: contains is always false",
                            wpa_type_words(item));
    } else if (in->kind == WPA_TYPE_STRING &&
               (item->kind == WPA_TYPE_BOOL || item->kind == WPA_TYPE_NULL)) {
        wpa_checker_problem(c, "E18", call, call->args[1]->span, "a string is searched for %s",
                            wpa_type_words(item))
            ->is_minor = true;
    }
    return of_kind(WPA_TYPE_BOOL);
}

/** One "{N}" or a fault; moves *at behind it. False: said what is wrong. */
static bool read_placeholder(wpa_checker *c, const wpa_expr *call, const char *text, size_t *at,
                             bool *is_used)
{
    const wpa_expr *format = call->args[0];
    size_t digits = strspn(text + *at + 1, "0123456789");
    size_t index = digits && digits < 4 ? (size_t)strtoul(text + *at + 1, NULL, 10) : MANY + 1;
    if (!digits || text[*at + 1 + digits] != '}') {
        wpa_checker_problem(c, "E20", call, format->span,
                            "format fails: behind '{' comes the number of an argument and '}', "
                            "and a brace itself is doubled");
        return false;
    }
    if (index + 1 >= call->n_args) {
        wpa_checker_problem(c, "E20", call, format->span,
                            "format fails: there is no argument for '{%.*s}'", (int)digits,
                            text + *at + 1);
        *at += digits + 1;
        return true;
    }
    is_used[index] = true;
    *at += digits + 1;
    return true;
}

static void check_placeholders(wpa_checker *c, const wpa_expr *call)
{
    bool is_used[MANY + 1] = {0};
    const char *text = call->args[0]->text;
    for (size_t at = 0; text[at]; at++) {
        bool is_brace = text[at] == '{' || text[at] == '}';
        if (is_brace && text[at + 1] == text[at]) {
            at++;
        } else if (text[at] == '}') {
            wpa_checker_problem(c, "E20", call, call->args[0]->span,
                                "format fails: a '}' that closes nothing is doubled");
            return;
        } else if (text[at] == '{' && !read_placeholder(c, call, text, &at, is_used)) {
            return;
        }
    }
    for (size_t i = 1; i < call->n_args; i++) {
        if (!is_used[i - 1]) {
            wpa_checker_problem(c, "E19", call, call->args[i]->span,
                                "the format has no '{%zu}', so this argument is not used", i - 1);
        }
    }
}

static wpa_typed finish_format(wpa_checker *c, const wpa_expr *call, const wpa_typed *types)
{
    if (call->args[0]->kind == WPA_EXPR_STRING) {
        check_placeholders(c, call);
    }
    for (size_t i = 1; i < call->n_args; i++) {
        if (is_collection(types[i].whole)) {
            wpa_checker_problem(c, "E35", call, call->args[i]->span,
                                "%s becomes the word '%s' in text; toJSON shows what is in it",
                                wpa_type_words(types[i].whole),
                                types[i].whole->kind == WPA_TYPE_ARRAY ? "Array" : "Object");
        }
    }
    return of_kind(WPA_TYPE_STRING);
}

static wpa_typed finish_case(wpa_checker *c, const wpa_expr *call, const wpa_typed *types)
{
    const wpa_type *result = wpa_type_of(WPA_TYPE_NEVER);
    if (call->n_args % 2 == 0) {
        wpa_checker_problem(c, "E22", call, call->name_span,
                            "case takes pairs of test and value and one value more at the end: "
                            "%zu arguments are no such number",
                            (size_t)call->n_args);
        return of_kind(WPA_TYPE_ANY);
    }
    for (size_t i = 0; i < call->n_args; i++) {
        bool is_test = i % 2 == 0 && i + 1 < call->n_args;
        wpa_type_kind kind = types[i].whole->kind;
        if (!is_test) {
            result = wpa_type_merge(result, types[i].whole, c->arena);
        } else if (i > 0 && kind != WPA_TYPE_BOOL && kind != WPA_TYPE_ANY) {
            wpa_checker_problem(c, "E18", call, call->args[i]->span,
                                "case fails: a test must be a boolean, and this is %s",
                                wpa_type_words(types[i].whole));
        }
    }
    return wpa_typed_of(result);
}

/* ---- any function ---- */

static const function *find(const char *name)
{
    for (size_t i = 0; i < WPA_COUNT(functions); i++) {
        if (wpa_text_is_ci(name, functions[i].name)) {
            return &functions[i];
        }
    }
    return NULL;
}

bool wpa_checker_has_function(const char *name)
{
    return find(name) != NULL;
}

static bool is_allowed(const wpa_checker *c, const function *f)
{
    const char *const *names = c->scope->functions;
    bool is_found = !f->is_limited || !names;
    for (; names && *names && !is_found; names++) {
        is_found = wpa_text_is_ci(*names, f->name);
    }
    return is_found;
}

static bool check_count(wpa_checker *c, const wpa_expr *call, const function *f)
{
    /* Only a job's condition may name the jobs that success and failure look at. */
    bool names_jobs = c->scope->key && wpa_text_is(c->scope->key, "jobs.<job_id>.if");
    size_t max = f->is_limited && f->min_args == 0 && !names_jobs ? 0 : f->max_args;
    size_t n = call->n_args;
    if (n >= f->min_args && n <= max) {
        return true;
    }
    if (max == MANY) {
        wpa_checker_problem(c, "E17", call, call->name_span,
                            "%s takes at least %zu arguments, and here are %zu", f->name,
                            f->min_args, n);
    } else if (max == f->min_args) {
        wpa_checker_problem(c, "E17", call, call->name_span,
                            "%s takes %zu argument%s, and here %s %zu", f->name, max,
                            max == 1 ? "" : "s", n == 1 ? "is" : "are", n);
    } else {
        wpa_checker_problem(c, "E17", call, call->name_span,
                            "%s takes %zu to %zu arguments, and here %s %zu", f->name, f->min_args,
                            max, n == 1 ? "is" : "are", n);
    }
    return false;
}

static const char *words_of(unsigned takes)
{
    return takes & TRUTH         ? "a boolean"
           : (takes & LIST) == 0 ? "a string"
           : (takes & TEXT) == 0 ? "an array"
                                 : "a string or an array";
}

static void check_argument(wpa_checker *c, const wpa_expr *call, size_t i, const wpa_type *type,
                           unsigned takes)
{
    bool is_text = type->kind == WPA_TYPE_STRING || type->kind == WPA_TYPE_NUMBER;
    bool fits = takes & WHATEVER || type->kind == WPA_TYPE_ANY || type->kind == WPA_TYPE_NEVER ||
                (takes & TEXT && is_text) || (takes & LIST && type->kind == WPA_TYPE_ARRAY) ||
                (takes & TRUTH && type->kind == WPA_TYPE_BOOL);
    if (!fits) {
        wpa_expr_problem *problem = wpa_checker_problem(
            c, "E18", call, call->args[i]->span, "%s wants %s here, and this is %s", call->text,
            words_of(takes), wpa_type_words(type));
        problem->is_minor = wpa_type_is_scalar(type) && !(takes & TRUTH);
    }
}

static void report_unknown(wpa_checker *c, const wpa_expr *call)
{
    const char *names[NAMES_MAX];
    size_t n = 0;
    for (; n < WPA_COUNT(functions) && n < NAMES_MAX; n++) {
        names[n] = functions[n].name;
    }
    wpa_checker_problem(c, "E15", call, call->name_span, "there is no function %s%s",
                        wpa_checker_quote(c, call->text),
                        wpa_checker_hint(c, call->text, names, n));
}

wpa_typed wpa_checker_call(wpa_checker *c, const wpa_expr *call, const wpa_typed *types)
{
    const function *f = find(call->text);
    if (!f) {
        report_unknown(c, call);
        return of_kind(WPA_TYPE_ANY);
    }
    c->depends_on_key = c->depends_on_key || f->is_limited;
    if (!is_allowed(c, f)) {
        wpa_checker_problem(c, "E16", call, call->name_span,
                            "the function '%s' is not available%s%s%s", f->name,
                            c->scope->key ? " in '" : " here", c->scope->key ? c->scope->key : "",
                            c->scope->key ? "'" : "");
    }
    if (!check_count(c, call, f)) {
        return of_kind(f->result);
    }
    for (size_t i = 0; i < call->n_args; i++) {
        check_argument(c, call, i, types[i].whole, i ? f->rest : f->first);
    }
    return f->finish ? f->finish(c, call, types) : of_kind(f->result);
}
