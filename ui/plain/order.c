#include <stdlib.h>
#include <string.h>

#include "console/verbs.h"
#include "plain/plain.h"
#include "views/list_view.h"

/* ---- what is meant ---- */

/* "2" as it was told, "p-7"; none if it is neither. */
static wpa_object object_of(const wpa_plain *plain, const char *text)
{
    wpa_object none = {WPA_OBJECT_NONE, 0};
    size_t length = strspn(text, "0123456789");
    if (length && length < 4 && !text[length]) {
        size_t n = strtoul(text, NULL, 10);
        return n && n <= plain->n_choices ? plain->choices[n - 1] : none;
    }
    return wpa_object_parse(text);
}

/* The row of the list that is open is where the command's thing stands: views look there. */
static void select_row(wpa_ui *ui, wpa_object object)
{
    wpa_page *page = wpa_ui_page(ui);
    const wpa_list_view *view = page->view->list >= 0 ? ui->lists[page->view->list].view : NULL;
    if (page->view->draw != wpa_list_draw || !view) {
        return;
    }
    wpa_cursor *cursor = wpa_list_cursor(page);
    wpa_object_at at = ((const wpa_list_kind *)page->view->data)->table->at;
    for (size_t i = 0; i < view->n_rows; i++) {
        if (wpa_object_is(at(view->rows, i), object)) {
            wpa_cursor_move(cursor, view->rows, view->n_rows, at, (int)i - cursor->index);
            return;
        }
    }
}

/* ---- doing it ---- */

static bool is_known(const wpa_ui *ui, wpa_object object)
{
    return object.kind == WPA_OBJECT_WORKFLOW     ? wpa_ui_workflow(ui, object.id) != NULL
           : object.kind == WPA_OBJECT_FINDING    ? wpa_ui_finding(ui, object.id) != NULL
           : object.kind == WPA_OBJECT_PATCH      ? wpa_ui_patch(ui, object.id) != NULL
           : object.kind == WPA_OBJECT_DEPLOYMENT ? wpa_ui_deployment(ui, object.id) != NULL
                                                  : true;
}

/* The page that is open needs no telling. */
static void remember_page(wpa_plain *plain)
{
    const wpa_ui *ui = plain->ui;
    const wpa_page *page = wpa_ui_page(plain->ui);
    uint64_t request = page->view->list >= 0 ? ui->lists[page->view->list].request_id : 0;
    plain->told = (wpa_plain_page){page->view, page->object, request, plain->told.first};
}

static void act(wpa_plain *plain, wpa_verb verb, wpa_object object)
{
    wpa_ui *ui = plain->ui;
    char id[WPA_SHORT];
    const wpa_detail_view *detail = wpa_ui_detail(ui, object);
    if (!is_known(ui, object) && detail && detail->missing) {
        wpa_plain_say(plain, "error %s", detail->missing);
        (void)wpa_ui_pop(ui);
        remember_page(plain);
        return;
    }
    (void)wpa_text_format(ui->pressed, sizeof ui->pressed, "%s %s", wpa_verb_info_of(verb)->name,
                          wpa_object_text(object, id, sizeof id));
    select_row(ui, object);
    ui->hold_keys_until_us = 0; /* a thing that is named is not a selection that moved */
    ui->acts_on = object;
    wpa_ui_do(ui, verb);
    ui->acts_on = (wpa_object){WPA_OBJECT_NONE, 0};
    ui->pressed[0] = '\0';
    wpa_ui_sync(ui);
}

void wpa_plain_go_on(wpa_plain *plain)
{
    wpa_verb verb = plain->verb;
    plain->verb = WPA_VERB_NONE;
    act(plain, verb, plain->object);
}

/* What is not loaded is read first: its page is opened for that, and not told. */
static void act_when_known(wpa_plain *plain, wpa_verb verb, wpa_object object)
{
    wpa_ui *ui = plain->ui;
    bool needs_object = wpa_verb_info_of(verb)->contexts & wpa_ui_contexts_of(object.kind) ||
                        verb == WPA_VERB_ROLL_BACK;
    if (needs_object && !is_known(ui, object) && wpa_ui_is_live(ui)) {
        wpa_ui_open(ui, object);
        remember_page(plain);
        plain->verb = verb;
        plain->object = object;
        plain->verb_us = ui->local_us;
        return;
    }
    act(plain, verb, object);
}

static void open(wpa_plain *plain, wpa_object object)
{
    char id[WPA_SHORT];
    wpa_ui *ui = plain->ui;
    if (!wpa_view_of_object(object.kind)) {
        wpa_plain_say(plain, "note %s has no page of its own",
                      wpa_object_text(object, id, sizeof id));
        return;
    }
    wpa_ui_open(ui, object);
    wpa_ui_sync(ui);
    plain->wants_page = true;
}

static void act_on(wpa_plain *plain, wpa_verb verb, const char *rest)
{
    wpa_ui *ui = plain->ui;
    const wpa_page *page = wpa_ui_page(ui);
    const wpa_verb_info *info = wpa_verb_info_of(verb);
    wpa_object object = *rest ? object_of(plain, rest) : page->object;
    bool is_of_page = info->contexts & page->view->contexts && !*rest;
    bool fits = info->contexts & wpa_ui_contexts_of(object.kind);
    if (*rest && object.kind == WPA_OBJECT_NONE) {
        wpa_plain_say(plain, "note '%s' is no number that was told, and no id such as p-7", rest);
    } else if (verb == WPA_VERB_ACKNOWLEDGE && !*rest) {
        act(plain, verb, object);
    } else if (is_of_page && !fits) {
        wpa_ui_do(ui, verb); /* sort, more lines around a place */
        plain->wants_page = true;
    } else if (object.kind == WPA_OBJECT_NONE) {
        wpa_plain_say(plain, "note %s: which one? Type its number or its id behind", info->name);
    } else if (verb == WPA_VERB_OPEN || verb == WPA_VERB_LOG) {
        open(plain, object);
    } else if (!fits && !(info->contexts & WPA_ANYWHERE)) {
        wpa_plain_say(plain, "note %s cannot be done to it: %s", info->name, info->help);
    } else {
        act_when_known(plain, verb, object);
    }
}

/* ---- lines ---- */

static void answer_field(wpa_plain *plain, const char *line)
{
    wpa_ui *ui = plain->ui;
    wpa_ask *ask = &ui->ask;
    wpa_field *field = &ask->fields[ask->focus].field;
    const wpa_key enter = {.code = WPA_KEY_ENTER};
    if (!*line && !field->length) {
        wpa_ask_close(ui);
        wpa_plain_say(plain, "note nothing is done");
        return;
    }
    if (*line) {
        wpa_field_set(field, line);
    }
    wpa_ask_key(ui, &enter);
    if (ui->mode == WPA_MODE_ASK) {
        wpa_plain_tell_ask(plain);
    }
}

static void answer(wpa_plain *plain, const char *line)
{
    wpa_ui *ui = plain->ui;
    const wpa_key yes = {.code = WPA_KEY_CHAR, .character = 'y', .is_alone = true};
    if (ui->ask.n_fields) {
        answer_field(plain, line);
    } else if (wpa_text_is(line, "yes")) {
        wpa_ask_key(ui, &yes);
        if (ui->mode == WPA_MODE_ASK) {
            wpa_plain_tell_ask(plain);
            wpa_plain_say(plain, "error %s", ui->ask.error.message);
        }
    } else {
        wpa_ask_close(ui);
        wpa_plain_say(plain, "note nothing is done");
    }
}

static void fill_form(wpa_plain *plain, char *line)
{
    wpa_ui *ui = plain->ui;
    const wpa_key enter = {.code = WPA_KEY_ENTER}, browser = {.code = WPA_KEY_F5};
    wpa_field *field = wpa_sign_in_field(ui);
    bool is_open = field && !field->is_secret;
    if (is_open && wpa_text_is(line, "read-only") && ui->session && ui->session->can_read_only) {
        wpa_sign_in_read_only(ui);
    } else if (is_open && wpa_text_is(line, "browser") && ui->session && ui->session->can_browse) {
        wpa_sign_in_key(ui, &browser);
    } else if (is_open && wpa_text_is(line, "quit")) {
        plain->is_over = true;
    } else if (field) {
        if (*line || field->is_secret) {
            wpa_field_set(field, line);
        }
        wpa_sign_in_key(ui, &enter);
    }
    plain->is_form_told = false;
}

static void tell_more(wpa_plain *plain)
{
    plain->told.first += WPA_PLAIN_ROWS;
    plain->wants_page = true;
}

static bool is_any(const char *line, const char *const words[], size_t n)
{
    return wpa_text_index(line, words, n) >= 0;
}

/* While a rollback can be cancelled; false: it is another line. */
static bool answer_rollback(wpa_plain *plain, const char *line)
{
    static const char *const cancel[] = {"c", "cancel"}, *const now[] = {"now"};
    if (!wpa_rollback_is_open(plain->ui)) {
        return false;
    }
    return (is_any(line, cancel, WPA_COUNT(cancel)) &&
            wpa_rollback_key(plain->ui, WPA_VERB_BACK)) ||
           (is_any(line, now, WPA_COUNT(now)) && wpa_rollback_key(plain->ui, WPA_VERB_OPEN));
}

/* Pages tell of keys ("p makes the patch"): a letter is a command as well. */
static wpa_verb verb_of(const wpa_plain *plain, const char *name)
{
    wpa_key key = {0};
    bool is_key = name[0] && !name[1] && wpa_key_parse(name, &key);
    if (is_key) {
        return wpa_keymap_find(&plain->ui->keymap, &key, ~0U);
    }
    return wpa_verb_named(wpa_text_is(name, "rollback") ? "roll-back" : name);
}

static void run_command(wpa_plain *plain, char *line)
{
    size_t length = strcspn(line, " ");
    char *rest = line + length + strspn(line + length, " ");
    bool is_analyse_all = wpa_text_is(line, "analyse all");
    bool is_long = length >= WPA_SHORT;
    char name[WPA_SHORT];
    (void)wpa_text_format(name, sizeof name, "%.*s", (int)length, line);
    wpa_verb verb = verb_of(plain, name);
    if (is_long) {
        wpa_plain_say(plain, "note no such command: ? tells them");
    } else if (verb != WPA_VERB_NONE && wpa_verb_info_of(verb)->group == WPA_GROUP_ACT &&
               !is_analyse_all) {
        act_on(plain, verb, rest);
    } else if (is_analyse_all || wpa_palette_has(name)) {
        wpa_palette_run(plain->ui, line);
    } else if (wpa_palette_has(wpa_verb_info_of(verb)->name)) {
        wpa_ui_do(plain->ui, verb);
    } else if (wpa_object_parse(name).kind != WPA_OBJECT_NONE) {
        open(plain, wpa_object_parse(name));
    } else {
        wpa_plain_say(plain, "note no command '%s': ? tells them", name);
    }
}

/* A number, a word of this mode, or a command. */
static void obey(wpa_plain *plain, char *line)
{
    static const char *const leave[] = {"quit", "q", "exit"}, *const help[] = {"?", "help"};
    wpa_object object = object_of(plain, line);
    if (answer_rollback(plain, line)) {
        return;
    }
    if (!*line) {
        plain->wants_page = true;
    } else if (is_any(line, leave, WPA_COUNT(leave))) {
        plain->is_over = true;
    } else if (is_any(line, help, WPA_COUNT(help))) {
        wpa_plain_tell_help(plain);
    } else if (wpa_text_is(line, "more") && wpa_ui_page(plain->ui)->view->list >= 0) {
        tell_more(plain);
    } else if (strspn(line, "0123456789") == strlen(line)) {
        if (object.kind != WPA_OBJECT_NONE) {
            open(plain, object);
        } else {
            wpa_plain_say(plain, "note nothing was told under %s", line);
        }
    } else {
        run_command(plain, line);
    }
}

void wpa_plain_order(wpa_plain *plain, char *line)
{
    wpa_ui *ui = plain->ui;
    bool is_secret =
        ui->mode == WPA_MODE_SIGN_IN && wpa_sign_in_field(ui) && wpa_sign_in_field(ui)->is_secret;
    if (!is_secret) { /* blanks of a passphrase are part of it */
        line += strspn(line, " \t");
        size_t length = strlen(line);
        while (length && strchr(" \t", line[length - 1])) {
            line[--length] = '\0';
        }
    }
    ui->last_key_us = ui->local_us;
    plain->ordered_us = ui->local_us;
    if (ui->mode == WPA_MODE_SIGN_IN) {
        fill_form(plain, line);
    } else if (ui->mode == WPA_MODE_ASK) {
        answer(plain, line);
    } else {
        obey(plain, line);
    }
    wpa_ui_sync(ui);
}
