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

void wpa_ask_key(wpa_ui *ui, const wpa_key *key)
{
    wpa_ask *ask = &ui->ask;
    bool is_ctrl_c = key->code == WPA_KEY_CTRL && key->character == 'c';
    bool is_no = ask->n_fields == 0 && key->code == WPA_KEY_CHAR && key->character == 'n';
    if (key->code == WPA_KEY_ESC || is_ctrl_c || is_no) {
        wpa_ask_close(ui);
    } else if (ask->n_fields) {
        form_key(ui, key);
    } else if (key->code == WPA_KEY_CHAR && key->character == 'y') {
        if (!key->is_alone) {
            (void)WPA_FAIL(&ask->error, WPA_E_REFUSED,
                           "y was not a key press of its own: press it again");
        } else {
            answer(ui);
        }
    }
}

static int draw_fields(wpa_ui *ui, const wpa_canvas *box, int row)
{
    wpa_ask *ask = &ui->ask;
    for (int i = 0; i < ask->n_fields; i++, row++) {
        int col = wpa_putf(box, row, 3, WPA_PAINT_TEXT, "%-10s ", ask->fields[i].label);
        wpa_field_draw(&ask->fields[i].field, box, row, col, box->cols - col - 3, '_',
                       ask->focus == i);
    }
    return row;
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

void wpa_ask_draw(wpa_ui *ui, const wpa_canvas *canvas)
{
    wpa_ask *ask = &ui->ask;
    int width = canvas->cols - 8 > 72   ? 72
                : canvas->cols - 8 < 30 ? canvas->cols
                                        : canvas->cols - 8;
    int body = ask->measure ? ask->measure(ui) : 0;
    int height = 6 + wpa_wrapped_rows(ask->question, width - 6) + ask->n_fields + body;
    int top = (canvas->rows - height) / 2;
    wpa_canvas box =
        wpa_canvas_part(canvas, top < 0 ? 0 : top, (canvas->cols - width) / 2, height, width);
    canvas->grid->cursor_row = -1;
    wpa_box(&box, ask->title);
    int row = wpa_put_wrapped(&box, 2, 3, width - 6, WPA_PAINT_TEXT, ask->question);
    if (ask->draw) {
        (void)ask->draw(ui, &box, row + 1);
        row += body;
    }
    (void)draw_fields(ui, &box, row);
    if (ask->error.code != WPA_OK) {
        (void)wpa_put_fit(&box, box.rows - 3, 3, width - 6, WPA_PAINT_NOTICE_ERROR,
                          ask->error.message);
    }
    draw_answers(ui, &box, box.rows - 2);
    draw_answers(ui, canvas, canvas->rows - 1);
}
