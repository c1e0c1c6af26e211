/*
 * Wheel and clicks. They select, open and sort, as keys do: nothing of the fleet can be changed by
 * them. What a click means was noted when the screen was drawn (the grid's zones).
 */
#include <stdlib.h>

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

/* The value of the zone that is there; -1 none. */
static int zone_at(const wpa_ui *ui, int row, int col, wpa_zone_kind kind)
{
    const wpa_zone *zone = wpa_grid_zone(ui->grid, row, col, kind);
    return zone ? zone->value : -1;
}

static void turn_wheel(wpa_ui *ui, const wpa_key *key, bool is_down)
{
    const wpa_key arrow = {.code = is_down ? WPA_KEY_DOWN : WPA_KEY_UP};
    wpa_page *page = ui->mode == WPA_MODE_NORMAL ? wpa_ui_page(ui) : NULL;
    if (page && page->view->roll) {
        page->view->roll(ui, page, zone_at(ui, key->row, key->col, WPA_ZONE_PANE),
                         is_down ? WHEEL_ROWS : -WHEEL_ROWS);
        return;
    }
    for (int i = 0; i < WHEEL_ROWS; i++) {
        if (page) {
            wpa_ui_do(ui, is_down ? WPA_VERB_DOWN : WPA_VERB_UP);
        } else if (ui->mode == WPA_MODE_HELP) {
            wpa_help_key(ui, &arrow);
        } else if (ui->mode == WPA_MODE_ASK && !ui->ask.n_fields) {
            wpa_ask_key(ui, &arrow);
        }
    }
}

/* A click selects what it is on, and gives its pane the keys; another one opens it. */
static void click_row(wpa_ui *ui, int row, int col)
{
    wpa_page *page = wpa_ui_page(ui);
    int pane = zone_at(ui, row, col, WPA_ZONE_PANE), index = zone_at(ui, row, col, WPA_ZONE_ROW);
    bool is_twice = row == ui->pressed_row && ui->local_us - ui->clicked_us < TWICE_US;
    ui->clicked_us = is_twice ? 0 : ui->local_us;
    if (page->view->pick) {
        page->view->pick(ui, page, pane, index);
    } else if (page->view->doc && index >= 0) {
        wpa_doc_select(page->view->doc(page), index);
    }
    if (is_twice && index >= 0) {
        wpa_ui_do(ui, WPA_VERB_OPEN);
    }
}

/* The key of a hint is pressed for the guardian, if it only looks. */
static void click_hint(wpa_ui *ui, wpa_verb verb)
{
    const wpa_verb_info *info = wpa_verb_info_of(verb);
    bool only_looks = !info->is_changing && info->action == WPA_ACTION_READ;
    char key[32];
    if (only_looks) {
        wpa_ui_do(ui, verb);
    } else {
        wpa_ui_say(ui, WPA_NOTICE_NOTE, "%s is pressed on the keyboard: the mouse only looks",
                   wpa_keymap_key(&ui->keymap, verb, key, sizeof key));
    }
}

static void click(wpa_ui *ui, int row, int col)
{
    wpa_page *page = wpa_ui_page(ui);
    int tab = zone_at(ui, row, col, WPA_ZONE_TAB), hint = zone_at(ui, row, col, WPA_ZONE_HINT);
    int sort = zone_at(ui, row, col, WPA_ZONE_COLUMN);
    if (tab > 0) {
        wpa_ui_show_tab(ui, tab);
    } else if (hint > 0) {
        click_hint(ui, (wpa_verb)hint);
    } else if (sort >= 0 && page->view->sort_by) {
        page->view->sort_by(ui, page, (wpa_sort)sort);
    } else {
        click_row(ui, row, col);
    }
}

/* Who drags wants to select text: that is the terminal's, with Shift. */
static void let_go(wpa_ui *ui, const wpa_key *key)
{
    if (key->row != ui->pressed_row || abs(key->col - ui->pressed_col) > 2) {
        wpa_ui_say(ui, WPA_NOTICE_NOTE, "Shift-drag selects text; m turns the mouse off");
    }
}

void wpa_mouse_key(wpa_ui *ui, const wpa_key *key)
{
    if (key->character == WHEEL_UP || key->character == WHEEL_DOWN) {
        turn_wheel(ui, key, key->character == WHEEL_DOWN);
    } else if (key->code == WPA_KEY_MOUSE_LET_GO && key->character == LEFT_BUTTON) {
        let_go(ui, key);
    } else if (key->character == LEFT_BUTTON) {
        if (ui->mode == WPA_MODE_NORMAL && wpa_ui_is_signed_in(ui)) {
            click(ui, key->row, key->col);
        }
        ui->pressed_row = key->row;
        ui->pressed_col = key->col;
    }
}
