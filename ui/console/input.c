#include <string.h>

#include "console/ui.h"
#include "console/verbs.h"

#define TWICE_US ((int64_t)2 * 1000000)

static void interrupt(wpa_ui *ui)
{
    if (ui->local_us - ui->interrupted_us < TWICE_US) {
        ui->is_quitting = true;
        return;
    }
    ui->interrupted_us = ui->local_us;
    wpa_ui_say(ui, WPA_NOTICE_NOTE, "Ctrl-C again within 2 s leaves; q leaves as well");
}

static void next_theme(wpa_ui *ui)
{
    ui->theme = (ui->theme + 1) % ui->n_themes;
    ui->theme_changed = true;
    wpa_ui_say(ui, WPA_NOTICE_OK, "theme %s", ui->themes[ui->theme]->name);
}

static void refresh(wpa_ui *ui)
{
    (void)wpa_ui_send(ui, wpa_command_new(WPA_COMMAND_REFRESH));
}

static void freeze(wpa_ui *ui)
{
    ui->is_frozen = !ui->is_frozen;
    ui->frozen_us = wpa_ui_clock(ui);
    if (!ui->is_frozen) {
        refresh(ui);
    }
    ui->n_held_back = 0;
}

static void scope_to(wpa_ui *ui)
{
    wpa_object object = wpa_ui_selected(ui);
    const wpa_workflow_row *row =
        object.kind == WPA_OBJECT_WORKFLOW ? wpa_ui_workflow(ui, object.id) : NULL;
    if (ui->scope.kind != WPA_OBJECT_NONE) {
        ui->scope = (wpa_object){WPA_OBJECT_NONE, 0};
        wpa_ui_say(ui, WPA_NOTICE_OK, "scope lifted");
    } else if (row) {
        ui->scope = object;
        (void)wpa_text_copy(ui->scope_name, sizeof ui->scope_name, row->name);
    }
    int list = wpa_ui_page(ui)->view->list;
    if (list >= 0) {
        wpa_ui_watch_list(ui, (wpa_list)list, NULL, false);
    }
}

static void go_back(wpa_ui *ui)
{
    wpa_page *page = wpa_ui_page(ui);
    if (page->view->verb && page->view->verb(ui, page, WPA_VERB_BACK)) {
        return;
    }
    if (wpa_ui_pop(ui)) {
        return;
    }
    wpa_rows *rows = page->view->list >= 0 ? &ui->lists[page->view->list] : NULL;
    if (rows && rows->filter[0]) {
        wpa_ui_filter_list(ui, (wpa_list)page->view->list, "");
        wpa_ui_say(ui, WPA_NOTICE_OK, "filter lifted");
    }
}

static void quit(wpa_ui *ui)
{
    if (!wpa_ui_pop(ui)) {
        ui->is_quitting = true;
    }
}

static void open_palette(wpa_ui *ui)
{
    wpa_palette_open(ui, "");
}

static void repaint(wpa_ui *ui)
{
    ui->wants_full = true;
}

static void suspend(wpa_ui *ui)
{
    ui->wants_suspend = true;
}

static void tell_refresh_from_rollback(wpa_ui *ui)
{
    wpa_ui_say(ui, WPA_NOTICE_NOTE, "Ctrl-R reads again, R rolls back");
}

/* What means the same everywhere: something to do, or a view to open. */
static const struct {
    wpa_verb verb;
    void (*run)(wpa_ui *ui);
    const char *view;
} globals[] = {
    {WPA_VERB_BACK, go_back, NULL},
    {WPA_VERB_COMMAND, open_palette, NULL},
    {WPA_VERB_HELP, wpa_help_open, NULL},
    {WPA_VERB_THEME, next_theme, NULL},
    {WPA_VERB_MOUSE, wpa_mouse_toggle, NULL},
    {WPA_VERB_FREEZE, freeze, NULL},
    {WPA_VERB_SCOPE, scope_to, NULL},
    {WPA_VERB_REFRESH, refresh, NULL},
    {WPA_VERB_NOTICES, NULL, "notices"},
    {WPA_VERB_JOBS, NULL, "jobs"},
    {WPA_VERB_DESTINATIONS, NULL, "destinations"},
    {WPA_VERB_QUIT, quit, NULL},
    {WPA_VERB_REPAINT, repaint, NULL},
    {WPA_VERB_INTERRUPT, interrupt, NULL},
    {WPA_VERB_SUSPEND, suspend, NULL},
    {WPA_VERB_NOT_REFRESH, tell_refresh_from_rollback, NULL},
};

/** False: the view is asked. */
static bool global_verb(wpa_ui *ui, wpa_verb verb)
{
    if (verb >= WPA_VERB_VIEW_1 && verb <= WPA_VERB_VIEW_8) {
        wpa_ui_show_tab(ui, (int)(verb - WPA_VERB_VIEW_1) + 1);
        return true;
    }
    for (size_t i = 0; i < WPA_COUNT(globals); i++) {
        if (globals[i].verb != verb) {
            continue;
        }
        if (globals[i].view) {
            wpa_ui_push(ui, wpa_view_named(globals[i].view), (wpa_object){WPA_OBJECT_NONE, 0});
        } else {
            globals[i].run(ui);
        }
        return true;
    }
    return false;
}

void wpa_ui_do(wpa_ui *ui, wpa_verb verb)
{
    wpa_page *page = wpa_ui_page(ui);
    ui->did = verb;
    if (global_verb(ui, verb)) {
        return;
    }
    if (page->view->verb && page->view->verb(ui, page, verb)) {
        return;
    }
    if (verb == WPA_VERB_FILTER) {
        wpa_filter_open(ui);
        return;
    }
    (void)wpa_ui_act(ui, verb);
}

/* A key that means something, but not for what is selected: silence would look like a hang. */
static void tell_elsewhere(wpa_ui *ui, wpa_verb verb)
{
    if (verb != WPA_VERB_NONE) {
        wpa_ui_say(ui, WPA_NOTICE_NOTE, "%s does nothing here: %s", ui->pressed,
                   wpa_verb_info_of(verb)->help);
    }
}

static void normal_key(wpa_ui *ui, const wpa_key *key)
{
    wpa_verb verb = wpa_keymap_find(&ui->keymap, key, wpa_ui_contexts(ui));
    if (verb == WPA_VERB_NONE) {
        tell_elsewhere(ui, wpa_keymap_find(&ui->keymap, key, ~0U));
    }
    if (wpa_rollback_key(ui, verb)) {
        return;
    }
    if (wpa_verb_info_of(verb)->is_changing && !key->is_alone) {
        wpa_ui_say(ui, WPA_NOTICE_NOTE, "%s was not a key press of its own: press it again",
                   ui->pressed);
        return;
    }
    wpa_ui_do(ui, verb);
}

void wpa_ui_key(wpa_ui *ui, const wpa_key *key)
{
    ui->is_dirty = true;
    ui->did = WPA_VERB_NONE;
    ui->last_key_us = ui->local_us;
    if (key->code == WPA_KEY_PASTE_DROPPED) {
        wpa_ui_say(ui, WPA_NOTICE_NOTE, "pasted text ignored");
        return;
    }
    if (key->code == WPA_KEY_MOUSE || key->code == WPA_KEY_MOUSE_LET_GO) {
        wpa_mouse_key(ui, key);
        wpa_tour_follow(ui);
        wpa_ui_sync(ui);
        return;
    }
    if (key->code == WPA_KEY_BACKGROUND) {
        if (!ui->options->theme && !ui->config.theme && ui->frame < 100) {
            ui->theme = key->character ? 1 : 0;
            ui->theme_changed = true;
        }
        return;
    }
    if (ui->message.text[0] && ui->message.until_us == 0) {
        ui->message.text[0] = '\0'; /* an error stays until a key */
    }
    (void)wpa_key_text(key, ui->pressed, sizeof ui->pressed);
    if (wpa_ui_takes_text(ui)) {
        ui->pressed[0] = '\0'; /* what is typed into a field is nobody's business */
    }
    switch (ui->mode) {
    case WPA_MODE_SIGN_IN:
        wpa_sign_in_key(ui, key);
        break;
    case WPA_MODE_FILTER:
        wpa_filter_key(ui, key);
        break;
    case WPA_MODE_PALETTE:
        wpa_palette_key(ui, key);
        break;
    case WPA_MODE_ASK:
        wpa_ask_key(ui, key);
        break;
    case WPA_MODE_HELP:
        wpa_help_key(ui, key);
        break;
    case WPA_MODE_NORMAL:
        normal_key(ui, key);
        break;
    }
    wpa_tour_follow(ui);
    wpa_ui_sync(ui);
    ui->pressed[0] = '\0';
}
