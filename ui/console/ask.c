#include <string.h>

#include "console/ui.h"

wpa_ask *wpa_ask_open(wpa_ui *ui, const char *title, wpa_command *command)
{
    wpa_ask_close(ui);
    memset(&ui->ask, 0, sizeof ui->ask);
    (void)wpa_text_copy(ui->ask.title, sizeof ui->ask.title, title);
    ui->ask.command = command;
    ui->mode = WPA_MODE_ASK;
    ui->is_dirty = true;
    return &ui->ask;
}

void wpa_ask_field(wpa_ask *ask, const char *label, const char *text, bool is_required)
{
    if (ask->n_fields < WPA_ASK_FIELDS) {
        int i = ask->n_fields++;
        ask->fields[i].label = label;
        ask->fields[i].is_required = is_required;
        wpa_field_set(&ask->fields[i].field, text);
    }
}

void wpa_ask_close(wpa_ui *ui)
{
    wpa_command_free(ui->ask.command);
    ui->ask.command = NULL;
    if (ui->mode == WPA_MODE_ASK) {
        ui->mode = WPA_MODE_NORMAL;
    }
    ui->is_dirty = true;
}

static bool check_fields(wpa_ask *ask)
{
    for (int i = 0; i < ask->n_fields; i++) {
        if (ask->fields[i].is_required && !ask->fields[i].field.length) {
            ask->focus = i;
            return WPA_FAIL(&ask->error, WPA_E_INVALID, "%s is needed", ask->fields[i].label);
        }
    }
    return true;
}

static void answer(wpa_ui *ui)
{
    wpa_ask *ask = &ui->ask;
    wpa_error_clear(&ask->error);
    if (!check_fields(ask) || (ask->fill && !ask->fill(ui, &ask->error))) {
        return;
    }
    (void)wpa_ui_send(ui, WPA_STEAL(ask->command));
    wpa_ask_close(ui);
}

static void form_key(wpa_ui *ui, const wpa_key *key)
{
    wpa_ask *ask = &ui->ask;
    if (key->code == WPA_KEY_ENTER && ask->focus + 1 == ask->n_fields) {
        answer(ui);
    } else if (key->code == WPA_KEY_ENTER || key->code == WPA_KEY_TAB ||
               key->code == WPA_KEY_DOWN) {
        ask->focus = (ask->focus + 1) % ask->n_fields;
    } else if (key->code == WPA_KEY_BACK_TAB || key->code == WPA_KEY_UP) {
        ask->focus = (ask->focus + ask->n_fields - 1) % ask->n_fields;
    } else {
        (void)wpa_field_key(&ask->fields[ask->focus].field, key);
    }
}

/* Looking further changes nothing; letters are left to the answers. */
static wpa_verb scroll_of(const wpa_key *key)
{
    static const struct {
        wpa_key_code code;
        wpa_verb verb;
    } keys[] = {
        {WPA_KEY_DOWN, WPA_VERB_DOWN},
        {WPA_KEY_UP, WPA_VERB_UP},
        {WPA_KEY_PAGE_DOWN, WPA_VERB_PAGE_DOWN},
        {WPA_KEY_PAGE_UP, WPA_VERB_PAGE_UP},
    };
    for (size_t i = 0; i < WPA_COUNT(keys); i++) {
        if (keys[i].code == key->code) {
            return keys[i].verb;
        }
    }
    return WPA_VERB_NONE;
}

void wpa_ask_key(wpa_ui *ui, const wpa_key *key)
{
    wpa_ask *ask = &ui->ask;
    bool is_ctrl_c = key->code == WPA_KEY_CTRL && key->character == 'c';
    bool is_no = ask->n_fields == 0 && key->code == WPA_KEY_CHAR && key->character == 'n';
    if (key->code == WPA_KEY_ESC || is_ctrl_c || is_no) {
        wpa_ask_close(ui);
    } else if (ui->grid->rows < WPA_LEAST_ROWS || ui->grid->cols < WPA_LEAST_COLS) {
        return; /* nobody answers what cannot be seen */
    } else if (ask->n_fields) {
        form_key(ui, key);
    } else if (scroll_of(key) != WPA_VERB_NONE) {
        (void)wpa_doc_verb(&ask->body, scroll_of(key));
    } else if (key->code == WPA_KEY_CHAR && key->character == 'y') {
        if (!key->is_alone) {
            (void)WPA_FAIL(&ask->error, WPA_E_REFUSED,
                           "y was not a key press of its own: press it again");
        } else {
            answer(ui);
        }
    }
}

static void draw_fields(wpa_ui *ui, const wpa_canvas *canvas, int row, int left)
{
    wpa_ask *ask = &ui->ask;
    for (int i = 0; i < ask->n_fields; i++, row++) {
        int col = wpa_putf(canvas, row, left, WPA_PAINT_TEXT, "%-10s ", ask->fields[i].label);
        wpa_field_draw(&ask->fields[i].field, canvas, row, col, canvas->cols - col - left, '_',
                       ask->focus == i);
    }
}

static void draw_error(const wpa_ask *ask, const wpa_canvas *canvas, int row, int left)
{
    if (ask->error.code != WPA_OK) {
        (void)wpa_put_fit(canvas, row, left, canvas->cols - 2 * left, WPA_PAINT_NOTICE_ERROR,
                          ask->error.message);
    }
}

static void draw_answers(wpa_ui *ui, const wpa_canvas *box, int row)
{
    wpa_ask *ask = &ui->ask;
    if (ask->n_fields) {
        (void)wpa_put(box, row, 3, WPA_PAINT_TEXT, "Enter do it      Esc do nothing");
        return;
    }
    int col = wpa_put(box, row, 3, WPA_PAINT_KEY, "y ");
    col = wpa_putf(box, row, col, WPA_PAINT_TEXT, "%s      ", ask->yes ? ask->yes : "yes");
    col = wpa_put(box, row, col, WPA_PAINT_KEY, "n");
    col = wpa_put(box, row, col, WPA_PAINT_TEXT, " or ");
    col = wpa_put(box, row, col, WPA_PAINT_KEY, "Esc");
    (void)wpa_put(box, row, col, WPA_PAINT_TEXT, " do nothing");
}

/* The question and what it shows, on a page as wide as canvas: it may be taller than the screen. */
static wpa_doc write_body(wpa_ui *ui, const wpa_canvas *canvas)
{
    wpa_ask *ask = &ui->ask;
    wpa_doc doc = wpa_doc_begin(&ask->body, ui->scratch, canvas);
    doc.row = wpa_put_wrapped(&doc.canvas, 0, 0, canvas->cols, WPA_PAINT_TEXT, ask->question);
    if (ask->draw) {
        doc.row = ask->draw(ui, &doc.canvas, doc.row + (canvas->cols >= WPA_ASK_WIDE_COLS));
    }
    return doc;
}

/* In a box, if all of it fits; false: nothing is drawn. */
static bool draw_boxed(wpa_ui *ui, const wpa_canvas *canvas)
{
    wpa_ask *ask = &ui->ask;
    int width = canvas->cols - 8 > 72 ? 72 : canvas->cols - 8;
    wpa_canvas inside = wpa_canvas_part(canvas, 0, 0, canvas->rows, width - 6);
    if (inside.cols < WPA_ASK_WIDE_COLS) {
        return false;
    }
    wpa_doc doc = write_body(ui, &inside);
    int height = 6 + doc.row + ask->n_fields, top = (canvas->rows - height) / 2;
    if (height > canvas->rows) {
        return false;
    }
    wpa_canvas box = wpa_canvas_part(canvas, top, (canvas->cols - width) / 2, height, width);
    wpa_box(&box, ask->title);
    inside = wpa_canvas_part(&box, 2, 3, doc.row, width - 6);
    wpa_doc_end(&doc, &inside);
    draw_fields(ui, &box, 2 + doc.row, 3);
    draw_error(ask, &box, height - 3, 3);
    draw_answers(ui, &box, height - 2);
    wpa_fill(canvas, canvas->rows - 1, 0, canvas->cols, WPA_PAINT_TEXT, ' ');
    return true;
}

/* Over the whole of a small screen, scrolled with the arrows; what is typed stays in sight. */
static void draw_whole(wpa_ui *ui, const wpa_canvas *canvas)
{
    wpa_ask *ask = &ui->ask;
    int foot = canvas->rows - 1 - ask->n_fields - (ask->error.code != WPA_OK);
    wpa_canvas inside = wpa_canvas_part(canvas, 1, 1, foot - 1, canvas->cols - 2);
    wpa_blank(canvas);
    wpa_rule(canvas, 0, ask->title, NULL, true);
    wpa_doc doc = write_body(ui, &inside);
    wpa_doc_end(&doc, &inside);
    draw_fields(ui, canvas, foot, 1);
    draw_error(ask, canvas, canvas->rows - 2, 1);
}

void wpa_ask_draw(wpa_ui *ui, const wpa_canvas *canvas)
{
    canvas->grid->cursor_row = -1;
    if (!draw_boxed(ui, canvas)) {
        draw_whole(ui, canvas);
    }
    draw_answers(ui, canvas, canvas->rows - 1);
}
