/* Parameters of functions in scripts of Python. */
#include <ctype.h>
#include <string.h>

#include "rules/parameters.h"

#define FUNCTIONS_MAX 64
#define PARAMETERS_MAX 16
#define VALUES_MAX 512
#define CALLS_MAX 128 /* of one function */
/* Bytes of the brackets behind a function's name, or of those of a call. */
#define BRACKETS_MAX 2048

typedef struct reader {
    const char *text;
    size_t length;
    const uint8_t *contexts;
    wpa_parameter_values *list;
    wpa_arena *arena;
} reader;

typedef struct function {
    wpa_slice name, parameters[PARAMETERS_MAX];
    size_t n_parameters;
    wpa_span body;
    bool may_be_method; /* it stands in something: what is called on anything may be it */
} function;

static bool is_of_name(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* The bracket that closes the one here, or 0. */
static size_t closing(const reader *r, size_t open)
{
    long depth = 0;
    for (size_t i = open; i < r->length && i - open < BRACKETS_MAX; i++) {
        char c = r->contexts[i] == WPA_SHELL_PLAIN ? r->text[i] : ' ';
        depth += strchr("([{", c) ? 1 : strchr(")]}", c) ? -1 : 0;
        if (depth == 0) {
            return i;
        }
    }
    return 0;
}

/* The next part within brackets, to a comma or their end; *at moves behind it. */
static wpa_span next_part(const reader *r, size_t *at, size_t close)
{
    long depth = 0;
    size_t i = *at;
    for (; i < close; i++) {
        char c = r->contexts[i] == WPA_SHELL_PLAIN ? r->text[i] : ' ';
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

/* The first line from here on that is indented no deeper than the function. */
static size_t end_of_body(const reader *r, size_t line, size_t indent)
{
    while (line < r->length) {
        size_t blanks = strspn(r->text + line, " \t");
        char c = r->text[line + blanks];
        if (blanks <= indent && c && c != '\n' && c != '\r' && c != '#') {
            return line;
        }
        line += strcspn(r->text + line, "\n") + 1;
    }
    return r->length;
}

static void read_parameters(const reader *r, function *f, size_t at, size_t end)
{
    while (at < end && f->n_parameters < PARAMETERS_MAX) {
        wpa_span part = next_part(r, &at, end);
        size_t n = wpa_text_name_length(r->text + part.start);
        bool is_self = n == 4 && wpa_text_starts(r->text + part.start, "self");
        if (n && !is_self) {
            f->parameters[f->n_parameters++] = (wpa_slice){r->text + part.start, n};
        }
    }
}

/* "def name(a, *, b: str = c) -> d:" at the beginning of a line; false: none is. */
static bool read_function(const reader *r, size_t line, function *f)
{
    size_t at = line + strspn(r->text + line, " \t");
    size_t indent = at - line;
    at += wpa_text_starts(r->text + at, "async ") ? 6 : 0;
    size_t name = wpa_text_starts(r->text + at, "def ") ? at + 4 : 0;
    size_t length = name ? wpa_text_name_length(r->text + name) : 0;
    size_t open = name + length;
    size_t close = length && r->text[open] == '(' ? closing(r, open) : 0;
    if (!close) {
        return false;
    }
    *f = (function){.name = {r->text + name, length}, .may_be_method = indent > 0};
    read_parameters(r, f, open + 1, close);
    if (!f->n_parameters) {
        return false;
    }
    size_t next = close + strcspn(r->text + close, "\n") + 1;
    size_t colon = close + 1 + strcspn(r->text + close + 1, ":\n");
    bool is_short = r->text[colon] == ':' && colon + 1 < next &&
                    colon + 1 + strspn(r->text + colon + 1, " \t\r") + 1 < next;
    size_t first = next < r->length ? next : r->length;
    f->body = (wpa_span){close + 1, is_short ? first : end_of_body(r, first, indent)};
    return true;
}

/* "name = lambda a, b: ..." at the beginning of a line; false: none is. */
static bool read_lambda(const reader *r, size_t line, function *f)
{
    static const char mark[] = "lambda ";
    size_t name = line + strspn(r->text + line, " \t");
    size_t length = wpa_text_name_length(r->text + name);
    size_t at = name + length + strspn(r->text + name + length, " ");
    at += length && r->text[at] == '=' ? 1 + strspn(r->text + at + 1, " ") : 0;
    if (!length || !wpa_text_starts(r->text + at, mark)) {
        return false;
    }
    at += strlen(mark);
    size_t colon = at + strcspn(r->text + at, ":\n");
    *f = (function){.name = {r->text + name, length}};
    read_parameters(r, f, at, colon);
    f->body = (wpa_span){colon, colon + strcspn(r->text + colon, "\n")};
    return f->n_parameters > 0;
}

static void add_value(reader *r, const function *f, wpa_slice name, wpa_span value)
{
    wpa_parameter_values *list = r->list;
    if (value.start < value.end && list->n < VALUES_MAX) {
        list->items =
            wpa_arena_grow(r->arena, list->items, list->n, &list->capacity, sizeof *list->items);
        list->items[list->n++] = (wpa_parameter_value){name, f->body, value};
    }
}

/* What stands in the brackets of a call, by position or "name=". */
static void bind(reader *r, const function *f, size_t open)
{
    size_t close = closing(r, open), position = 0;
    for (size_t at = open + 1; at < close;) {
        wpa_span part = next_part(r, &at, close);
        size_t n = wpa_text_name_length(r->text + part.start);
        size_t equals = part.start + n + strspn(r->text + part.start + n, " ");
        bool is_named = n && r->text[equals] == '=' && r->text[equals + 1] != '=';
        for (size_t i = 0; is_named && i < f->n_parameters; i++) {
            if (f->parameters[i].length == n &&
                memcmp(f->parameters[i].at, r->text + part.start, n) == 0) {
                add_value(r, f, f->parameters[i], (wpa_span){equals + 1, part.end});
            }
        }
        if (!is_named && position < f->n_parameters) {
            add_value(r, f, f->parameters[position++], part);
        }
    }
}

static void add_calls(reader *r, const function *f)
{
    const char *end = r->text + r->length;
    size_t n = 0;
    for (const char *at = r->text;
         n < CALLS_MAX && (at = wpa_text_find_slice(at, (size_t)(end - at), f->name)) != NULL;
         at++) {
        size_t from = (size_t)(at - r->text), open = from + f->name.length;
        bool is_call = open < r->length && r->text[open] == '(' && at != f->name.at &&
                       r->contexts[from] == WPA_SHELL_PLAIN &&
                       (from == 0 || !is_of_name(r->text[from - 1])) &&
                       (f->may_be_method || from == 0 || r->text[from - 1] != '.');
        if (is_call) {
            bind(r, f, open);
            n++;
        }
    }
}

wpa_parameter_values wpa_parameter_values_of_python(wpa_rule_run *run, const wpa_outline_step *step,
                                                    wpa_arena *arena)
{
    wpa_parameter_values list = {0};
    const wpa_script *script = step->lexed;
    bool may_have = script && script->is_readable && script->contexts &&
                    (wpa_text_find(script->text, script->length, "def ") ||
                     wpa_text_find(script->text, script->length, "lambda "));
    reader r = {.list = &list, .arena = arena};
    if (may_have) {
        r.text = script->text;
        r.length = script->length;
        r.contexts = script->contexts;
    }
    size_t n = 0;
    for (size_t line = 0; line < r.length && n < FUNCTIONS_MAX;) {
        function f;
        if (r.contexts[line] == WPA_SHELL_PLAIN &&
            (read_function(&r, line, &f) || read_lambda(&r, line, &f)) &&
            wpa_rule_spend(run, r.length)) {
            add_calls(&r, &f);
            n++;
        }
        line += strcspn(r.text + line, "\n") + 1;
    }
    return list;
}
