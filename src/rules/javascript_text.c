/* Contexts of JavaScript: quotes, templates, patterns, comments. */
#include "rules/javascript_text.h"

#include <string.h>

/* Templates within templates that are followed. */
#define TEMPLATES_MAX 16

typedef struct marker {
    const char *text;
    size_t length, at;
    uint8_t *contexts;
    char quote;                   /* that is open, or '\0' */
    bool is_in_class;             /* "[/]" of a pattern */
    char last;                    /* of code, blanks left out */
    unsigned open[TEMPLATES_MAX]; /* braces of code within each template */
    size_t n_open;
} marker;

static void put(marker *m, size_t n, uint8_t context)
{
    for (; n && m->at < m->length; n--) {
        m->contexts[m->at++] = context;
    }
}

/* A slash behind these begins a pattern; behind a value it divides. */
static bool may_be_pattern(const marker *m)
{
    return !m->last || strchr("(,=:[!&|?{};>", m->last);
}

static void mark_code(marker *m)
{
    const char *at = m->text + m->at;
    bool is_line = at[0] == '/' && at[1] == '/', is_block = at[0] == '/' && at[1] == '*';
    if (is_line || is_block) {
        const char *end = strstr(at + 2, is_line ? "\n" : "*/");
        size_t length = end ? (size_t)(end - at) + (is_block ? 2 : 0) : strlen(at);
        put(m, length ? length : 1, WPA_SHELL_COMMENT);
        return;
    }
    bool is_quote = strchr("'\"`", *at) || (*at == '/' && may_be_pattern(m));
    bool ends_code = *at == '}' && m->n_open && m->open[m->n_open - 1] == 0;
    if (is_quote || ends_code) {
        m->quote = ends_code ? '`' : *at;
        m->n_open -= ends_code;
        m->is_in_class = false;
        put(m, 1, WPA_SHELL_SINGLE);
        return;
    }
    if (m->n_open) {
        m->open[m->n_open - 1] += *at == '{' ? 1 : 0;
        m->open[m->n_open - 1] -= *at == '}' ? 1 : 0;
    }
    m->last = strchr(" \t\r\n", *at) ? m->last : *at;
    put(m, 1, WPA_SHELL_PLAIN);
}

static void mark_quoted(marker *m)
{
    const char *at = m->text + m->at;
    if (*at == '\\') {
        put(m, 2, WPA_SHELL_SINGLE);
        return;
    }
    if (m->quote == '`' && at[0] == '$' && at[1] == '{' && m->n_open < TEMPLATES_MAX) {
        m->open[m->n_open++] = 0;
        m->quote = '\0';
        m->last = '{';
        put(m, 2, WPA_SHELL_SINGLE);
        return;
    }
    m->is_in_class = m->quote == '/' && (*at == '[' || (m->is_in_class && *at != ']'));
    bool is_end = *at == m->quote && !m->is_in_class;
    if (is_end || (*at == '\n' && m->quote != '`')) {
        m->quote = '\0';
        m->last = ')'; /* a value */
    }
    put(m, 1, WPA_SHELL_SINGLE);
}

const uint8_t *wpa_javascript_contexts(const char *text, size_t length, wpa_arena *arena)
{
    marker m = {.text = text, .length = length, .contexts = wpa_arena_alloc(arena, length + 1)};
    while (m.at < length && text[m.at]) {
        if (m.quote) {
            mark_quoted(&m);
        } else {
            mark_code(&m);
        }
    }
    put(&m, length - m.at, WPA_SHELL_COMMENT);
    return m.contexts;
}

size_t wpa_javascript_closing(const char *text, size_t length, const uint8_t *contexts, size_t open)
{
    long depth = 0;
    for (size_t i = open; i < length; i++) {
        char c = contexts[i] == WPA_SHELL_PLAIN ? text[i] : ' ';
        depth += strchr("([{", c) ? 1 : strchr(")]}", c) ? -1 : 0;
        if (depth == 0) {
            return i;
        }
    }
    return 0;
}
