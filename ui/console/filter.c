#include <string.h>

#include "console/ui.h"

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

static void read_term(parser *p, wpa_filter_term *term)
{
    const char *end = p->at + strcspn(p->at, " ");
    size_t name = strcspn(p->at, ":=<> "), op_length = 0;
    const char *op = read_op(p->at + name, &op_length);
    char field[16] = "";
    (void)wpa_text_format(field, sizeof field, "%.*s", (int)name, p->at);
    int index = op && p->at + name < end ? wpa_text_index(field, fields, WPA_COUNT(fields)) : -1;
    if (index < 0) {
        term->field = "text";
        term->op = ":";
        term->values = one_value(p, p->at, (size_t)(end - p->at));
        term->n_values = 1;
        p->at = end;
        return;
    }
    term->field = fields[index];
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
        term->is_negated = *p.at == '!';
        p.at += term->is_negated;
        if (*p.at == '"') {
            enclosed(&p, term, '"', "text");
        } else if (*p.at == '~') {
            enclosed(&p, term, '~', "regex");
        } else {
            read_term(&p, term);
        }
        p.n += term->n_values > 0 && term->values[0][0];
        if (p.n < TERMS_MAX && !term->n_values) {
            memset(term, 0, sizeof *term); /* "sev:" still being typed is no term */
        }
    }
    *n = p.n;
    return p.terms;
}

static wpa_rows *rows_of(wpa_ui *ui)
{
    int list = wpa_ui_page(ui)->view->list;
    return list >= 0 ? &ui->lists[list] : NULL;
}

static wpa_doc_state *doc_of(wpa_ui *ui)
{
    wpa_page *page = wpa_ui_page(ui);
    return page->view->doc ? page->view->doc(page) : NULL;
}

void wpa_filter_open(wpa_ui *ui)
{
    wpa_rows *rows = rows_of(ui);
    if (doc_of(ui)) {
        ui->mode = WPA_MODE_FILTER;
        wpa_field_set(&ui->prompt, "");
    } else if (rows) {
        ui->mode = WPA_MODE_FILTER;
        (void)wpa_text_copy(rows->kept_filter, sizeof rows->kept_filter, rows->filter);
        wpa_field_set(&ui->prompt, rows->filter);
    }
}

static void apply_filter(wpa_ui *ui, const char *text)
{
    wpa_rows *rows = rows_of(ui);
    if (!wpa_text_is(rows->filter, text)) {
        (void)wpa_text_copy(rows->filter, sizeof rows->filter, text);
        wpa_ui_watch_list(ui, (wpa_list)wpa_ui_page(ui)->view->list, NULL, false);
    }
}

static void search_key(wpa_ui *ui, const wpa_key *key)
{
    if (key->code == WPA_KEY_ENTER) {
        ui->mode = WPA_MODE_NORMAL;
    } else if (key->code == WPA_KEY_ESC || (key->code == WPA_KEY_CTRL && key->character == 'c')) {
        wpa_doc_search(doc_of(ui), "");
        ui->mode = WPA_MODE_NORMAL;
    } else if (wpa_field_key(&ui->prompt, key)) {
        wpa_doc_search(doc_of(ui), ui->prompt.text);
    }
}

void wpa_filter_key(wpa_ui *ui, const wpa_key *key)
{
    wpa_rows *rows = rows_of(ui);
    if (doc_of(ui)) {
        search_key(ui, key);
    } else if (!rows) {
        ui->mode = WPA_MODE_NORMAL;
    } else if (key->code == WPA_KEY_ENTER) {
        ui->mode = WPA_MODE_NORMAL;
    } else if (key->code == WPA_KEY_ESC || (key->code == WPA_KEY_CTRL && key->character == 'c')) {
        apply_filter(ui, rows->kept_filter);
        ui->mode = WPA_MODE_NORMAL;
    } else if (wpa_field_key(&ui->prompt, key)) {
        apply_filter(ui, ui->prompt.text);
    }
}

static void draw_help_box(const wpa_canvas *canvas, int top)
{
    static const char *const lines[] = {
        "sev:crit,high       severity is one of        age<7d      newer than 7 days",
        "wf:web/*            workflow matches          !rule:QUA-* not this rule",
        "\"exact words\"       in the title              ~regex~     regular expression",
        "has:patch           a patch exists            state:open  state is",
        "fields: sev rule cat wf repo path state age score has by text",
    };
    wpa_rule(canvas, top, "Filter", "Enter keep   Esc undo   Ctrl-U clear", false);
    for (int i = 0; i < (int)WPA_COUNT(lines); i++) {
        wpa_fill(canvas, top + 1 + i, 0, canvas->cols, WPA_PAINT_TEXT, ' ');
        (void)wpa_put(canvas, top + 1 + i, 2, WPA_PAINT_MUTED, lines[i]);
    }
}

void wpa_filter_draw(wpa_ui *ui, const wpa_canvas *canvas)
{
    const wpa_rows *rows = rows_of(ui);
    int bottom = canvas->rows - 1;
    wpa_doc_state *doc = doc_of(ui);
    if (doc) {
        wpa_fill(canvas, bottom, 0, canvas->cols, WPA_PAINT_TEXT, ' ');
        (void)wpa_put(canvas, bottom, 1, WPA_PAINT_PROMPT, "/");
        wpa_field_draw(&ui->prompt, canvas, bottom, 2, canvas->cols - 20, 0, true);
        if (doc->has_no_match && ui->prompt.length) {
            (void)wpa_put_right(canvas, bottom, canvas->cols - 1, WPA_PAINT_PROMPT_ERROR,
                                "not found");
        }
        return;
    }
    if (!rows) {
        return;
    }
    if (canvas->rows >= 20) {
        draw_help_box(canvas, bottom - 8);
        wpa_fill(canvas, bottom - 2, 0, canvas->cols, WPA_PAINT_TEXT, ' ');
    }
    wpa_fill(canvas, bottom - 1, 0, canvas->cols, WPA_PAINT_TEXT, ' ');
    wpa_fill(canvas, bottom, 0, canvas->cols, WPA_PAINT_TEXT, ' ');
    char n[WPA_SHORT];
    if (rows->view && !rows->is_asking) {
        int col = wpa_putf(canvas, bottom - 1, 1, WPA_PAINT_TEXT, "%s%s match, %d ms",
                           rows->view->is_at_least ? ">=" : "",
                           wpa_count_text(rows->view->n_matching, n, sizeof n),
                           (int)(rows->view->took_us / 1000));
        if (rows->view->ignored) {
            (void)wpa_put_fitf(canvas, bottom - 1, col + 3, canvas->cols - col - 4,
                               WPA_PAINT_PROMPT_ERROR, "not understood: %s", rows->view->ignored);
        }
    } else {
        (void)wpa_put(canvas, bottom - 1, 1, WPA_PAINT_MUTED, "looking ...");
    }
    (void)wpa_put(canvas, bottom, 1, WPA_PAINT_PROMPT, "/");
    wpa_field_draw(&ui->prompt, canvas, bottom, 2, canvas->cols - 3, 0, true);
}
