/* Parameters of functions in scripts of actions/github-script, and names of loops. */
#include <ctype.h>
#include <string.h>

#include "rules/javascript_text.h"
#include "rules/parameters.h"

#define FUNCTIONS_MAX 64
#define PARAMETERS_MAX 16
#define VALUES_MAX 512
#define CALLS_MAX 128 /* of one function */
/* Bytes of the brackets of parameters, or of those of a call. */
#define BRACKETS_MAX 2048
/* What looking for one function's brackets takes, as work. */
#define BRACKETS_WORK 512
/* Letters of what a method is called on: "context.payload.comment.body.split(' ')". */
#define RECEIVER_MAX 512

typedef struct reader {
    const char *text;
    size_t length;
    const uint8_t *contexts;
    wpa_parameter_values *list;
    wpa_arena *arena;
} reader;

typedef struct parameter {
    wpa_slice name;
    size_t position;
} parameter;

typedef struct function {
    wpa_slice name; /* empty: it has none */
    parameter parameters[PARAMETERS_MAX];
    size_t n_parameters;
    wpa_span body;
    wpa_span given; /* what a method that calls it back hands to a parameter; empty: unknown */
    size_t given_to;
} function;

static bool is_of_name(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '$';
}

static char code_at(const reader *r, size_t at)
{
    char c = at < r->length && r->contexts[at] == WPA_SHELL_PLAIN ? r->text[at] : ' ';
    return c ? c : ' ';
}

/* Behind the last byte before this one that is no blank; 0: there is none. */
static size_t skip_back(const reader *r, size_t at)
{
    while (at > 0 && isspace((unsigned char)r->text[at - 1])) {
        at--;
    }
    return at;
}

static size_t skip(const reader *r, size_t at)
{
    return at + strspn(r->text + at, " \t\r\n");
}

/* The name that ends here; empty if none does. */
static wpa_slice name_before(const reader *r, size_t end)
{
    size_t start = end;
    while (start > 0 && is_of_name(code_at(r, start - 1))) {
        start--;
    }
    return (wpa_slice){r->text + start, end - start};
}

/* The bracket that the one here closes; its own place if none does. */
static size_t opening(const reader *r, size_t close)
{
    long depth = 0;
    for (size_t i = close; close - i < BRACKETS_MAX; i--) {
        char c = code_at(r, i);
        depth += strchr(")]}", c) ? 1 : strchr("([{", c) ? -1 : 0;
        if (depth == 0) {
            return i;
        }
        if (i == 0) {
            break;
        }
    }
    return close;
}

/* The next part within brackets, to a comma or their end; *at moves behind it. */
static wpa_span next_part(const reader *r, size_t *at, size_t close)
{
    long depth = 0;
    size_t i = *at;
    for (; i < close; i++) {
        char c = code_at(r, i);
        depth += strchr("([{", c) ? 1 : strchr(")]}", c) ? -1 : 0;
        if (c == ',' && depth == 0) {
            break;
        }
    }
    wpa_span part = {*at, i};
    while (part.start < i && isspace((unsigned char)r->text[part.start])) {
        part.start++;
    }
    *at = i + 1;
    return part;
}

static void add_parameter(function *f, wpa_slice name, size_t position)
{
    if (name.length && f->n_parameters < PARAMETERS_MAX) {
        f->parameters[f->n_parameters++] = (parameter){name, position};
    }
}

/* "name", "name = default", "...name", "{ name, key: name }", "[name, name]". */
static void read_parameter(const reader *r, function *f, wpa_span part, size_t position)
{
    bool is_pattern = r->text[part.start] == '{' || r->text[part.start] == '[';
    size_t end = is_pattern ? wpa_javascript_closing(r->text, part.end, r->contexts, part.start)
                            : part.start + strcspn(r->text + part.start, "=,)");
    end = end < part.end ? end : part.end;
    for (size_t i = part.start; i < end; i++) {
        size_t n = 0;
        while (i + n < end && is_of_name(code_at(r, i + n))) {
            n++;
        }
        if (n && code_at(r, skip(r, i + n)) != ':') {
            add_parameter(f, (wpa_slice){r->text + i, n}, position);
        }
        i += n;
    }
}

/* Where what ends here begins: "context.payload.comment.body.split(' ')". */
static size_t receiver_start(const reader *r, size_t end)
{
    size_t start = end;
    while (start > 0 && end - start < RECEIVER_MAX) {
        char c = code_at(r, start - 1);
        size_t open = strchr(")]", c) ? opening(r, start - 1) : start;
        bool is_part = is_of_name(c) || strchr(".?", c) || open < start - 1 ||
                       (isspace((unsigned char)c) && code_at(r, start) == '.' &&
                        r->contexts[start - 1] == WPA_SHELL_PLAIN);
        if (!is_part) {
            break;
        }
        start = open < start - 1 ? open : start - 1;
    }
    return start;
}

/* Of what the method before this bracket is called on the function gets each part. */
static void read_receiver(const reader *r, function *f, size_t bracket)
{
    static const char *const methods[] = {"forEach", "map",  "flatMap",   "filter", "some",
                                          "every",   "find", "findIndex", "then",   "reduce"};
    wpa_slice method = name_before(r, bracket);
    size_t dot = bracket - method.length;
    bool is_one = false;
    for (size_t i = 0; i < WPA_COUNT(methods) && !is_one; i++) {
        is_one = wpa_slice_is(method, methods[i]);
    }
    if (!is_one || dot < 2 || code_at(r, dot - 1) != '.') {
        return;
    }
    size_t end = skip_back(r, dot - 1), start = receiver_start(r, end);
    f->given = (wpa_span){start, end};
    f->given_to = wpa_slice_is(method, "reduce") ? 1 : 0;
}

/* What a function is called that begins here: "name = ", "name: ", or what it is handed to. */
static void read_name(const reader *r, function *f, size_t start)
{
    size_t at = skip_back(r, start);
    wpa_slice word = name_before(r, at);
    if (wpa_slice_is(word, "async")) {
        at = skip_back(r, at - word.length);
    }
    char c = at ? code_at(r, at - 1) : ' ';
    bool assigns = c == ':' || (c == '=' && at > 1 && !strchr("=!<>", code_at(r, at - 2)));
    if (assigns) {
        f->name = name_before(r, skip_back(r, at - 1));
    } else if (c == '(') {
        read_receiver(r, f, at - 1);
    }
}

static void read_parameters(const reader *r, function *f, size_t open, size_t close)
{
    size_t position = 0;
    for (size_t at = open + 1; at < close; position++) {
        wpa_span part = next_part(r, &at, close);
        if (part.start < part.end) {
            read_parameter(r, f, part, position);
        }
    }
}

/* "{ ... }", or an expression to where it ends. */
static wpa_span body_of(const reader *r, size_t at)
{
    at = skip(r, at);
    if (code_at(r, at) == '{') {
        size_t close = wpa_javascript_closing(r->text, r->length, r->contexts, at);
        return (wpa_span){at, close ? close : r->length};
    }
    size_t i = at;
    for (long depth = 0; i < r->length; i++) {
        char c = code_at(r, i);
        depth += strchr("([{", c) ? 1 : strchr(")]}", c) ? -1 : 0;
        if (depth < 0 || (depth == 0 && strchr(",;\n", c))) {
            break;
        }
    }
    return (wpa_span){at, i};
}

/* "name => ...", "(a, b) => ...": from its arrow. */
static bool read_arrow(const reader *r, size_t arrow, function *f)
{
    size_t end = skip_back(r, arrow), start;
    if (end && code_at(r, end - 1) == ')') {
        start = opening(r, end - 1);
        read_parameters(r, f, start, end - 1);
    } else {
        wpa_slice name = name_before(r, end);
        start = end - name.length;
        add_parameter(f, name, 0);
    }
    read_name(r, f, start);
    f->body = body_of(r, arrow + 2);
    return f->n_parameters > 0;
}

/* "for (const name of values) ...", from the bracket; the name stands for each of the values. */
static bool read_loop(const reader *r, size_t open, function *f)
{
    static const char *const words[] = {"const ", "let ", "var "};
    size_t reach = r->length - open < BRACKETS_MAX ? r->length : open + BRACKETS_MAX;
    size_t close = wpa_javascript_closing(r->text, reach, r->contexts, open);
    size_t at = open + 1;
    for (size_t i = 0; i < WPA_COUNT(words); i++) {
        if (wpa_text_starts(r->text + open + 1, words[i])) {
            at = open + 1 + strlen(words[i]);
        }
    }
    const char *of = close > at ? wpa_text_find(r->text + at, close - at, " of ") : NULL;
    if (!of || at == open + 1) {
        return false;
    }
    size_t end = (size_t)(of - r->text);
    read_parameter(r, f, (wpa_span){at, end}, 0);
    f->given = (wpa_span){end + 4, close};
    f->body = body_of(r, close + 1);
    return f->n_parameters > 0;
}

/* "function name(a) {", "name(a) {" of a class, from the brace. */
static bool read_block(const reader *r, size_t brace, function *f)
{
    static const char *const keywords[] = {"if", "for", "while", "switch", "catch", "with"};
    size_t end = skip_back(r, brace);
    size_t open = end && code_at(r, end - 1) == ')' ? opening(r, end - 1) : end;
    if (open >= end) {
        return false;
    }
    size_t at = skip_back(r, open);
    wpa_slice name = name_before(r, at);
    for (size_t i = 0; i < WPA_COUNT(keywords); i++) {
        if (wpa_slice_is(name, keywords[i])) {
            return false;
        }
    }
    read_parameters(r, f, open, end - 1);
    if (wpa_slice_is(name, "function") || !name.length) {
        read_name(r, f, at - name.length);
    } else {
        f->name = name;
    }
    f->body = body_of(r, brace);
    return f->n_parameters > 0;
}

static void add_value(reader *r, const function *f, size_t position, wpa_span value)
{
    wpa_parameter_values *list = r->list;
    for (size_t i = 0; i < f->n_parameters && value.start < value.end; i++) {
        if (f->parameters[i].position == position && list->n < VALUES_MAX) {
            list->items = wpa_arena_grow(r->arena, list->items, list->n, &list->capacity,
                                         sizeof *list->items);
            list->items[list->n++] = (wpa_parameter_value){f->parameters[i].name, f->body, value};
        }
    }
}

static void add_calls(reader *r, const function *f)
{
    const char *end = r->text + r->length;
    size_t n = 0;
    for (const char *at = r->text;
         f->name.length && n < CALLS_MAX &&
         (at = wpa_text_find_slice(at, (size_t)(end - at), f->name)) != NULL;
         at++) {
        size_t from = (size_t)(at - r->text), open = from + f->name.length;
        bool is_call = code_at(r, open) == '(' && at != f->name.at &&
                       r->contexts[from] == WPA_SHELL_PLAIN &&
                       (from == 0 || !is_of_name(r->text[from - 1]));
        size_t close = is_call ? wpa_javascript_closing(r->text, r->length, r->contexts, open) : 0;
        size_t position = 0;
        for (size_t part = open + 1; close && part < close; position++) {
            add_value(r, f, position, next_part(r, &part, close));
        }
        n += is_call;
    }
}

/* An arrow, a brace behind a bracket, the bracket of a loop: whatever else it may be. */
static bool begins_function(const reader *r, size_t at)
{
    char c = r->text[at];
    size_t before = c == '{' || c == '(' ? skip_back(r, at) : 0;
    wpa_slice word = c == '(' ? name_before(r, before) : (wpa_slice){NULL, 0};
    return (c == '=' && r->text[at + 1] == '>') || wpa_slice_is(word, "for") ||
           wpa_slice_is(word, "await") || (c == '{' && before && code_at(r, before - 1) == ')');
}

static bool read_function(const reader *r, size_t at, function *f)
{
    *f = (function){0};
    char c = r->text[at];
    return c == '=' ? read_arrow(r, at, f) : c == '{' ? read_block(r, at, f) : read_loop(r, at, f);
}

wpa_parameter_values wpa_parameter_values_of_javascript(wpa_rule_run *run, const char *text,
                                                        size_t length, const uint8_t *contexts,
                                                        wpa_arena *arena)
{
    wpa_parameter_values list = {0};
    reader r = {text, length, contexts, &list, arena};
    size_t n = 0;
    for (size_t at = 0; at < length && n < FUNCTIONS_MAX; at++) {
        function f;
        bool may_be = contexts[at] == WPA_SHELL_PLAIN && begins_function(&r, at);
        if (!may_be) {
            continue;
        }
        if (!wpa_rule_spend(run, BRACKETS_WORK)) {
            break;
        }
        if (read_function(&r, at, &f) && wpa_rule_spend(run, length)) {
            add_calls(&r, &f);
            add_value(&r, &f, f.given_to, f.given);
            n++;
        }
    }
    return list;
}
