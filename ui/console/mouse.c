/*
 * Wheel and clicks, once they are asked for (m). They move and open, as the arrows and Enter do:
 * nothing of the fleet can be changed by them.
 */
#include "console/ui.h"
#include "console/verbs.h"

#define WHEEL_ROWS 3
#define TWICE_US ((int64_t)500000)

/* As terminals report them (xterm, SGR 1006). */
enum {
    LEFT_BUTTON = 0,
    WHEEL_UP = 64,
    WHEEL_DOWN = 65
};

void wpa_mouse_toggle(wpa_ui *ui)
{
    ui->has_mouse = !ui->has_mouse;
    wpa_ui_say(ui, WPA_NOTICE_OK,
               ui->has_mouse ? "mouse on: Shift-drag selects text, m turns it off" : "mouse off");
}

static void turn_wheel(wpa_ui *ui, bool is_down)
{
    const wpa_key arrow = {.code = is_down ? WPA_KEY_DOWN : WPA_KEY_UP};
    for (int i = 0; i < WHEEL_ROWS; i++) {
        if (ui->mode == WPA_MODE_NORMAL) {
            wpa_ui_do(ui, is_down ? WPA_VERB_DOWN : WPA_VERB_UP);
        } else if (ui->mode == WPA_MODE_HELP) {
            wpa_help_key(ui, &arrow);
        } else if (ui->mode == WPA_MODE_ASK && !ui->ask.n_fields) {
            wpa_ask_key(ui, &arrow);
        }
    }
}

/* A row of the list that is open: a click selects it, another one opens it. */
static void click_row(wpa_ui *ui, int row)
{
    wpa_page *page = wpa_ui_page(ui);
    const wpa_cursor *cursor = page->view->cursor ? page->view->cursor(page) : NULL;
    if (!cursor || ui->grid->cursor_row < 0) {
        return;
    }
    int by = row - ui->grid->cursor_row; /* the terminal's cursor rests on the selected row */
    int line = cursor->index - cursor->top + by;
    if (line < 0 || line >= cursor->n_shown) {
        return;
    }
    bool is_twice = by == 0 && ui->local_us - ui->clicked_us < TWICE_US;
    ui->clicked_us = ui->local_us;
    if (is_twice) {
        wpa_ui_do(ui, WPA_VERB_OPEN);
    }
    for (int i = 0; i < (by < 0 ? -by : by); i++) {
        wpa_ui_do(ui, by < 0 ? WPA_VERB_UP : WPA_VERB_DOWN);
    }
}

void wpa_mouse_key(wpa_ui *ui, const wpa_key *key)
{
    if (key->character == WHEEL_UP || key->character == WHEEL_DOWN) {
        turn_wheel(ui, key->character == WHEEL_DOWN);
    } else if (key->character == LEFT_BUTTON && ui->mode == WPA_MODE_NORMAL) {
        int tab = wpa_ui_tab_at(ui, key->row, key->col);
        if (tab) {
            wpa_ui_show_tab(ui, tab);
        } else {
            click_row(ui, key->row);
        }
    }
}
