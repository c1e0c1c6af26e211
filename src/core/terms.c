/* The text of a filter, as people type it, to its terms. */
#include <string.h>

#include <wpa/filter.h>
#include <wpa/text.h>

#define TERMS_MAX 32
#define VALUES_MAX 32

static const char *const fields[] = {"sev",   "rule", "cat",   "wf",  "repo", "path",
                                     "state", "age",  "score", "has", "by",   "text"};

typedef struct parser {
    const char *at;
    wpa_arena *arena;
    wpa_filter_term *terms;
    size_t n;
} parser;

static const char *const *one_value(parser *p, const char *from, size_t length)
{
    const char **values = wpa_arena_array(p->arena, 1, sizeof *values);
    values[0] = wpa_arena_slice(p->arena, from, length);
    return values;
}

/* Text up to the closing mark, or to the end while it is still being typed. */
static void enclosed(parser *p, wpa_filter_term *term, char mark, const char *field)
{
    const char *from = ++p->at;
    while (*p->at && *p->at != mark) {
        p->at++;
    }
    term->field = field;
    term->op = ":";
    term->values = one_value(p, from, (size_t)(p->at - from));
    term->n_values = 1;
    term->is_exact = mark == '"';
    p->at += *p->at == mark;
}

/** "@mine": the reader of the terms knows what it stands for. */
static void saved(parser *p, wpa_filter_term *term)
{
    size_t length = strcspn(++p->at, " ");
    term->field = "@";
    term->op = ":";
    term->values = one_value(p, p->at, length);
    term->n_values = 1;
    p->at += length;
}

static const char *read_op(const char *at, size_t *length)
{
    static const char *const ops[] = {"<=", ">=", ":", "=", "<", ">"};
    for (size_t i = 0; i < WPA_COUNT(ops); i++) {
        if (wpa_text_starts(at, ops[i])) {
            *length = strlen(ops[i]);
            return wpa_text_is(ops[i], "=") ? ":" : ops[i];
        }
    }
    return NULL;
}

static void read_values(parser *p, wpa_filter_term *term, const char *end)
{
    const char **values = wpa_arena_array(p->arena, VALUES_MAX, sizeof *values);
    while (p->at < end && term->n_values < VALUES_MAX) {
        const char *from = p->at;
        while (p->at < end && *p->at != ',') {
            p->at++;
        }
        if (p->at > from) {
            values[term->n_values++] = wpa_arena_slice(p->arena, from, (size_t)(p->at - from));
        }
        p->at += p->at < end;
    }
    p->at = end;
    term->values = values;
}

/** Of one of the fields that there are, or as it stands if it looks like a field; NULL: a word. */
static const char *read_field(const parser *p, size_t length, const char *op)
{
    const char *behind = p->at + length;
    if (!op || length == 0) {
        return NULL;
    }
    const char *name = wpa_arena_slice(p->arena, p->at, length);
    int index = wpa_text_index(name, fields, WPA_COUNT(fields));
    bool is_address = wpa_text_starts(behind, "://");
    bool is_name = strspn(name, "abcdefghijklmnopqrstuvwxyz") == length && !is_address;
    return index >= 0 ? fields[index] : is_name ? name : NULL;
}

static void read_term(parser *p, wpa_filter_term *term)
{
    const char *end = p->at + strcspn(p->at, " ");
    size_t name = strcspn(p->at, ":=<> "), op_length = 0;
    const char *op = read_op(p->at + name, &op_length);
    const char *field = read_field(p, name, op);
    if (!field) {
        term->field = "text";
        term->op = ":";
        term->values = one_value(p, p->at, (size_t)(end - p->at));
        term->n_values = 1;
        p->at = end;
        return;
    }
    term->field = field;
    term->op = op;
    p->at += name + op_length;
    read_values(p, term, end);
}

const wpa_filter_term *wpa_filter_parse(const char *text, wpa_arena *arena, size_t *n)
{
    parser p = {.at = text, .arena = arena};
    p.terms = wpa_arena_array(arena, TERMS_MAX, sizeof *p.terms);
    while (*p.at && p.n < TERMS_MAX) {
        if (*p.at == ' ') {
            p.at++;
            continue;
        }
        wpa_filter_term *term = &p.terms[p.n];
        term->at = (size_t)(p.at - text);
        term->is_negated = *p.at == '!';
        p.at += term->is_negated;
        if (*p.at == '"') {
            enclosed(&p, term, '"', "text");
        } else if (*p.at == '~') {
            enclosed(&p, term, '~', "regex");
        } else if (*p.at == '@') {
            saved(&p, term);
        } else {
            read_term(&p, term);
        }
        term->length = (size_t)(p.at - text) - term->at;
        if (term->n_values > 0 && term->values[0][0]) {
            p.n++;
        } else {
            memset(term, 0, sizeof *term); /* "sev:" still being typed is no term */
        }
    }
    *n = p.n;
    return p.terms;
}
