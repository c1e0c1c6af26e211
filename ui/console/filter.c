#include <string.h>

#include "console/ui.h"

#define HELP_ROWS 9 /* rule, four examples, a blank line, fields, words, a blank line */
#define HELP_FROM_ROWS 20
#define TERMS_MAX 1024

static wpa_rows *rows_of(wpa_ui *ui)
{
    int list = wpa_ui_page(ui)->view->list;
    return list >= 0 ? &ui->lists[list] : NULL;
}

static wpa_list list_of(wpa_ui *ui)
{
    return (wpa_list)wpa_ui_page(ui)->view->list;
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

/*
 * "@mine" stands for what this Guardian did or ordered, where the list tells by whom: the author of
 * a patch that was ordered is the engine.
 */
static void expand_mine(const wpa_ui *ui, wpa_list list, wpa_filter_term *term, wpa_arena *arena)
{
    const char *name = ui->session ? ui->session->name : NULL;
    const char *field = wpa_filter_has_field(list, "requester") ? "requester" : "by";
    if (name && wpa_text_is(term->field, "@") && wpa_text_is(term->values[0], "mine") &&
        wpa_filter_has_field(list, field)) {
        term->field = field;
        const char *own = wpa_arena_text(arena, name); /* a command outlives the session */
        term->values = wpa_arena_dup(arena, &own, sizeof own);
        term->is_exact = true;
    }
}

/*
 * What "@name" stands for; NULL: nothing, or it cannot be said in terms that all hold ("not all of
 * these" cannot). What was saved may name @mine, but no other.
 */
static const wpa_filter_term *saved_terms(const wpa_ui *ui, const wpa_filter_term *term,
                                          wpa_arena *arena, size_t *n)
{
    bool is_saved = wpa_text_is(term->field, "@") && term->n_values;
    const char *text = is_saved ? wpa_names_find(&ui->filters, term->values[0]) : NULL;
    const wpa_filter_term *parsed = text ? wpa_filter_parse(text, arena, n) : NULL;
    if (!parsed || *n == 0 || (term->is_negated && *n > 1)) {
        return NULL;
    }
    wpa_filter_term *terms = wpa_arena_dup(arena, parsed, *n * sizeof *terms);
    for (size_t i = 0; i < *n; i++) {
        terms[i].is_negated ^= term->is_negated;
        terms[i].at = term->at; /* all of them were typed here */
        terms[i].length = term->length;
    }
    return terms;
}

const wpa_filter_term *wpa_filter_terms(const wpa_ui *ui, wpa_list list, const char *text,
                                        wpa_arena *arena, size_t *n)
{
    size_t n_parsed = 0;
    const wpa_filter_term *parsed = wpa_filter_parse(text, arena, &n_parsed);
    wpa_filter_term *terms = wpa_arena_array(arena, TERMS_MAX, sizeof *terms);
    *n = 0;
    for (size_t i = 0; i < n_parsed; i++) {
        size_t n_these = 1;
        const wpa_filter_term *these = saved_terms(ui, &parsed[i], arena, &n_these);
        n_these = these ? n_these : 1;
        these = these ? these : &parsed[i];
        for (size_t k = 0; k < n_these && *n < TERMS_MAX; k++) {
            terms[*n] = these[k];
            expand_mine(ui, list, &terms[(*n)++], arena);
        }
    }
    return terms;
}

static void apply_filter(wpa_ui *ui, const char *text)
{
    wpa_rows *rows = rows_of(ui);
    if (wpa_text_is(rows->filter, text)) {
        return;
    }
    wpa_ui_filter_list(ui, list_of(ui), text);
}

/* The prompt closes: what it had told of would be forgotten. */
static void keep_filter(wpa_ui *ui, const wpa_rows *rows)
{
    ui->mode = WPA_MODE_NORMAL;
    bool is_answered = rows->view && (!rows->is_asking || rows->local);
    if (is_answered && rows->view->ignored) {
        wpa_ui_say(ui, WPA_NOTICE_NOTE, "left out, not understood: %s", rows->view->ignored);
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
        keep_filter(ui, rows);
    } else if (key->code == WPA_KEY_ESC || (key->code == WPA_KEY_CTRL && key->character == 'c')) {
        apply_filter(ui, rows->kept_filter);
        ui->mode = WPA_MODE_NORMAL;
    } else if (key->code == WPA_KEY_TAB) {
        wpa_complete(ui, list_of(ui));
        apply_filter(ui, ui->prompt.text);
    } else if (wpa_field_key(&ui->prompt, key)) {
        apply_filter(ui, ui->prompt.text);
    }
}

static void draw_help_box(wpa_ui *ui, const wpa_canvas *canvas, int top)
{
    const wpa_list list = list_of(ui);
    const char *lines[] = {
        "sev:crit,high       severity is one of        age<7d      newer than 7 days",
        "wf:web/*            workflow matches          !rule:QUA-* not this rule",
        "\"exact words\"       in the title              ~regex~     regular expression",
        wpa_filter_has_field(list, "by")
            ? "has:patch           a patch exists            @mine       a saved filter"
        : ui->filters.n ? "has:patch           a patch exists            @NAME       a saved filter"
                        : "has:patch           a patch exists            state:open  state is",
    };
    char text[WPA_FIELD_MAX_BYTES] = "fields:";
    const char *const *fields = wpa_filter_fields(list);
    for (int i = 0; i < HELP_ROWS; i++) {
        wpa_fill(canvas, top + i, 0, canvas->cols, WPA_PAINT_TEXT, ' ');
    }
    wpa_rule(canvas, top, "Filter", "Enter keep   Esc undo   Tab complete   Ctrl-U clear", false);
    for (int i = 0; i < (int)WPA_COUNT(lines); i++) {
        (void)wpa_put(canvas, top + 1 + i, 2, WPA_PAINT_MUTED, lines[i]);
    }
    for (size_t i = 0; fields[i]; i++) {
        size_t used = strlen(text);
        (void)wpa_text_format(text + used, sizeof text - used, " %s", fields[i]);
    }
    (void)wpa_put_fit(canvas, top + 6, 2, canvas->cols - 3, WPA_PAINT_MUTED, text);
    (void)wpa_put_fit(canvas, top + 7, 2, canvas->cols - 3, WPA_PAINT_TEXT,
                      wpa_complete_words(ui, list, text, sizeof text));
}

static void draw_search(wpa_ui *ui, const wpa_canvas *canvas, const wpa_doc_state *doc)
{
    int bottom = canvas->rows - 1;
    wpa_fill(canvas, bottom, 0, canvas->cols, WPA_PAINT_TEXT, ' ');
    (void)wpa_put(canvas, bottom, 1, WPA_PAINT_PROMPT, "/");
    wpa_field_draw(&ui->prompt, canvas, bottom, 2, canvas->cols - 20, 0, true);
    if (doc->has_no_match && ui->prompt.length) {
        (void)wpa_put_right(canvas, bottom, canvas->cols - 1, WPA_PAINT_PROMPT_ERROR, "not found");
    }
}

static void draw_result(wpa_ui *ui, const wpa_rows *rows, const wpa_canvas *canvas, int row)
{
    char n[WPA_SHORT];
    int col = 1;
    if (rows->local) {
        char all[WPA_SHORT];
        col = wpa_putf(canvas, row, col, WPA_PAINT_CHECK_NEAR, "%s of %s loaded rows match",
                       wpa_count_text(rows->view->n_matching, n, sizeof n),
                       wpa_count_text(rows->view->n_all, all, sizeof all));
    } else if (!rows->view || rows->is_asking) {
        (void)wpa_put(canvas, row, col, WPA_PAINT_MUTED, "looking ...");
        return;
    } else {
        col = wpa_putf(canvas, row, col, WPA_PAINT_TEXT, "%s%s match, %d ms",
                       rows->view->is_at_least ? ">=" : "",
                       wpa_count_text(rows->view->n_matching, n, sizeof n),
                       (int)(rows->view->took_us / 1000));
    }
    if (rows->narrows[0] && !rows->local && !rows->view->ignored) {
        (void)wpa_put_fitf(canvas, row, col + 3, canvas->cols - col - 4, WPA_PAINT_MUTED,
                           "without %s", rows->narrows);
    } else if (rows->view->ignored) {
        (void)wpa_put_fitf(canvas, row, col + 3, canvas->cols - col - 4, WPA_PAINT_PROMPT_ERROR,
                           "not understood: %s", rows->view->ignored);
    } else if (canvas->rows < HELP_FROM_ROWS) { /* where there is room, it stands above */
        char words[WPA_FIELD_MAX_BYTES];
        (void)wpa_put_fit(canvas, row, col + 2, canvas->cols - col - 3, WPA_PAINT_MUTED,
                          wpa_complete_words(ui, list_of(ui), words, sizeof words));
    }
}

/* Terms that cannot be meant in this list are underlined as they are typed. */
static void draw_prompt(wpa_ui *ui, const wpa_canvas *canvas, int row)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    size_t n = 0;
    int width = canvas->cols - 3;
    const wpa_list list = list_of(ui);
    const wpa_filter_term *terms = wpa_filter_terms(ui, list, ui->prompt.text, arena, &n);
    (void)wpa_put(canvas, row, 1, WPA_PAINT_PROMPT, "/");
    wpa_field_draw(&ui->prompt, canvas, row, 2, width, 0, true);
    for (size_t i = 0; i < n; i++) {
        if (wpa_filter_fault(list, &terms[i], arena)) {
            wpa_field_flag(&ui->prompt, canvas, row, 2, width, terms[i].at,
                           terms[i].at + terms[i].length, WPA_CELL_UNDERLINE);
        }
    }
}

void wpa_filter_draw(wpa_ui *ui, const wpa_canvas *canvas)
{
    const wpa_rows *rows = rows_of(ui);
    const wpa_doc_state *doc = doc_of(ui);
    int bottom = canvas->rows - 1;
    if (doc) {
        draw_search(ui, canvas, doc);
        return;
    }
    if (!rows) {
        return;
    }
    if (canvas->rows >= HELP_FROM_ROWS) {
        draw_help_box(ui, canvas, bottom - 1 - HELP_ROWS);
    }
    wpa_fill(canvas, bottom - 1, 0, canvas->cols, WPA_PAINT_TEXT, ' ');
    wpa_fill(canvas, bottom, 0, canvas->cols, WPA_PAINT_TEXT, ' ');
    draw_result(ui, rows, canvas, bottom - 1);
    draw_prompt(ui, canvas, bottom);
}
