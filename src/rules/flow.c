#include "rules/flow.h"

#include <ctype.h>
#include <string.h>

#define DEPTH_MAX 50
#define PATH_MAX_BYTES 256

typedef struct reader {
    const char *text;
    size_t length, at;
    unsigned depth;
    wpa_arena *arena;
    bool has_failed;
} reader;

static wpa_flow read_or(reader *r);

static void skip_blanks(reader *r)
{
    while (r->at < r->length && isspace((unsigned char)r->text[r->at])) {
        r->at++;
    }
}

static char peek(reader *r)
{
    skip_blanks(r);
    return r->at < r->length ? r->text[r->at] : '\0';
}

static bool take(reader *r, const char *token)
{
    size_t n = strlen(token);
    skip_blanks(r);
    if (r->length - r->at < n || memcmp(r->text + r->at, token, n) != 0) {
        return false;
    }
    r->at += n;
    return true;
}

static wpa_flow fail(reader *r)
{
    r->has_failed = true;
    r->at = r->length;
    return (wpa_flow){0};
}

static wpa_flow join(wpa_flow a, wpa_flow b)
{
    for (size_t i = 0; i < b.n && a.n < WPA_FLOW_MAX_PATHS; i++) {
        a.paths[a.n++] = b.paths[i];
    }
    return a;
}

static bool is_name_char(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '-';
}

/* 'text' with '' for a quote; *text gets what is inside, as written. */
static bool read_string(reader *r, wpa_slice *text)
{
    size_t start = ++r->at;
    while (r->at < r->length) {
        if (r->text[r->at] != '\'') {
            r->at++;
        } else if (r->at + 1 < r->length && r->text[r->at + 1] == '\'') {
            r->at += 2;
        } else {
            *text = (wpa_slice){r->text + start, r->at++ - start};
            return true;
        }
    }
    return false;
}

static void append(char *path, const char *text, size_t length)
{
    size_t used = strlen(path);
    if (used + length + 1 < PATH_MAX_BYTES) {
        memcpy(path + used, text, length);
        path[used + length] = '\0';
    }
}

/* "[...]": a literal name becomes a member, anything else "*". */
static bool read_index(reader *r, char *path)
{
    wpa_slice name;
    size_t before = r->at;
    if (peek(r) == '\'' && read_string(r, &name) && peek(r) == ']') {
        append(path, ".", 1);
        append(path, name.at, name.length);
    } else {
        r->at = before;
        (void)read_or(r); /* only chooses; it does not become the value */
        append(path, ".*", 2);
    }
    return take(r, "]");
}

/* ".name", ".*", "[...]" behind a value; path is NULL behind a call. */
static bool read_members(reader *r, char *path)
{
    char unused[PATH_MAX_BYTES] = "";
    path = path ? path : unused;
    for (;;) {
        if (take(r, ".")) {
            skip_blanks(r);
            size_t start = r->at;
            if (r->at < r->length && r->text[r->at] == '*') {
                r->at++;
            }
            while (r->at < r->length && is_name_char(r->text[r->at])) {
                r->at++;
            }
            if (r->at == start) {
                return false;
            }
            append(path, ".", 1);
            append(path, r->text + start, r->at - start);
        } else if (take(r, "[")) {
            if (!read_index(r, path)) {
                return false;
            }
        } else {
            return true;
        }
    }
}

static bool is_test(wpa_slice name)
{
    static const char *const tests[] = {"contains", "startsWith", "endsWith", "hashFiles",
                                        "success",  "failure",    "always",   "cancelled"};
    for (size_t i = 0; i < WPA_COUNT(tests); i++) {
        if (wpa_slice_is_ci(name, tests[i])) {
            return true;
        }
    }
    return false;
}

/* "name(" has been read. */
static wpa_flow read_call(reader *r, wpa_slice name)
{
    wpa_flow flow = {0};
    size_t n = 0;
    while (peek(r) != ')' && r->at < r->length) {
        wpa_flow argument = read_or(r);
        bool is_condition = wpa_slice_is_ci(name, "case") && n % 2 == 0 && peek(r) == ',';
        flow = is_test(name) || is_condition ? flow : join(flow, argument);
        n++;
        if (!take(r, ",")) {
            break;
        }
    }
    return take(r, ")") && read_members(r, NULL) ? flow : fail(r);
}

static wpa_flow read_name(reader *r)
{
    size_t start = r->at;
    while (r->at < r->length && is_name_char(r->text[r->at])) {
        r->at++;
    }
    wpa_slice name = {r->text + start, r->at - start};
    static const char *const literals[] = {"true", "false", "null", "NaN", "Infinity"};
    for (size_t i = 0; i < WPA_COUNT(literals); i++) {
        if (wpa_slice_is_ci(name, literals[i])) {
            return (wpa_flow){0};
        }
    }
    if (take(r, "(")) {
        return read_call(r, name);
    }
    char path[PATH_MAX_BYTES] = "";
    append(path, name.at, name.length);
    if (!read_members(r, path)) {
        return fail(r);
    }
    return (wpa_flow){.paths = {wpa_arena_text(r->arena, path)}, .n = 1};
}

static wpa_flow read_primary(reader *r)
{
    wpa_slice text;
    char c = peek(r);
    if (take(r, "(")) {
        wpa_flow flow = read_or(r);
        return take(r, ")") && read_members(r, NULL) ? flow : fail(r);
    }
    if (take(r, "!")) {
        while (take(r, "!")) {
            /* a loop, for there may be thousands; what they turn round is a truth, no text */
        }
        (void)read_primary(r);
        return (wpa_flow){0};
    }
    if (c == '\'') {
        return read_string(r, &text) ? (wpa_flow){0} : fail(r);
    }
    if (isdigit((unsigned char)c) || c == '+' || c == '.' || (c == '-')) {
        r->at++;
        while (r->at < r->length && (is_name_char(r->text[r->at]) || r->text[r->at] == '.')) {
            r->at++;
        }
        return (wpa_flow){0};
    }
    return isalpha((unsigned char)c) || c == '_' ? read_name(r) : fail(r);
}

static wpa_flow read_comparison(reader *r)
{
    static const char *const operators[] = {"==", "!=", "<=", ">=", "<", ">"};
    wpa_flow flow = read_primary(r);
    for (size_t i = 0; i < WPA_COUNT(operators); i++) {
        if (take(r, operators[i])) {
            (void)read_primary(r);
            flow.n = 0;
            i = (size_t)-1; /* and once more */
        }
    }
    return flow;
}

static wpa_flow read_and(reader *r)
{
    wpa_flow flow = read_comparison(r);
    while (take(r, "&&")) {
        flow = read_comparison(r); /* a falsy left side is no text that an attacker chose */
    }
    return flow;
}

static wpa_flow read_or(reader *r)
{
    if (++r->depth > DEPTH_MAX) {
        return fail(r);
    }
    wpa_flow flow = read_and(r);
    while (take(r, "||")) {
        flow = join(flow, read_and(r));
    }
    r->depth--;
    return flow;
}

wpa_flow wpa_flow_read(const char *expression, size_t length, wpa_arena *arena)
{
    reader r = {.text = expression, .length = length, .arena = arena};
    wpa_flow flow = read_or(&r);
    skip_blanks(&r);
    if (r.has_failed || r.at != r.length) {
        return (wpa_flow){0};
    }
    flow.is_readable = true;
    return flow;
}

bool wpa_flow_next_fence(const char *text, size_t length, size_t *at, wpa_span *fence,
                         wpa_span *inside)
{
    const char *open = *at < length ? memmem(text + *at, length - *at, "${{", 3) : NULL;
    if (!open) {
        return false;
    }
    size_t start = (size_t)(open - text), i = start + 3;
    bool is_quoted = false;
    for (; i + 1 < length; i++) {
        is_quoted = is_quoted != (text[i] == '\'');
        if (!is_quoted && text[i] == '}' && text[i + 1] == '}') {
            size_t from = start + 3, to = i;
            while (from < to && isspace((unsigned char)text[from])) {
                from++;
            }
            while (to > from && isspace((unsigned char)text[to - 1])) {
                to--;
            }
            *fence = (wpa_span){start, i + 2};
            *inside = (wpa_span){from, to};
            *at = i + 2;
            return true;
        }
    }
    return false;
}
