#include <string.h>

#include "console/ui.h"

#define TINY_ROWS 14 /* fewer leave out what stands elsewhere, and blank lines */

/* What the form offers, in the order of Tab. */
enum {
    NAME,
    SECRET,
    AGAIN,
    CODE,
    SIGN_IN,
    READ_ONLY
};

static bool is_first(const wpa_ui *ui)
{
    return ui->session && ui->session->state == WPA_SESSION_FIRST_GUARDIAN;
}

static bool has_item(const wpa_ui *ui, int item)
{
    return item == NAME || item == SECRET || item == SIGN_IN || (item == AGAIN && is_first(ui)) ||
           (item == CODE && ui->session && ui->session->needs_code) ||
           (item == READ_ONLY && ui->session && ui->session->can_read_only);
}

wpa_field *wpa_sign_in_field(wpa_ui *ui)
{
    wpa_sign_in *form = &ui->sign_in;
    return form->focus == NAME     ? &form->name
           : form->focus == SECRET ? &form->secret
           : form->focus == AGAIN  ? &form->again
           : form->focus == CODE   ? &form->code
                                   : NULL;
}

const char *wpa_sign_in_label(const wpa_ui *ui)
{
    static const char *const labels[] = {"Guardian", "Passphrase", "Passphrase again",
                                         "One-time code"};
    int focus = ui->sign_in.focus;
    return focus < SIGN_IN ? labels[focus] : "";
}

void wpa_sign_in_open(wpa_ui *ui)
{
    ui->mode = WPA_MODE_SIGN_IN;
    ui->sign_in.is_waiting = false;
    if (!has_item(ui, ui->sign_in.focus)) {
        ui->sign_in.focus = NAME;
    }
    if (ui->session && ui->session->refusal) {
        wpa_error_clear(&ui->sign_in.error);
        (void)WPA_FAIL(&ui->sign_in.error, WPA_E_DENIED, "%s", ui->session->refusal);
    }
    if (!ui->sign_in.name.length && ui->session && ui->session->user) {
        wpa_field_set(&ui->sign_in.name, ui->session->user);
        ui->sign_in.focus = SECRET;
    }
    if (ui->options->is_read_only && ui->session && ui->session->state == WPA_SESSION_SIGNED_OUT &&
        !ui->sign_in.error.code) {
        ui->sign_in.is_waiting =
            wpa_ui_send(ui, wpa_command_new(WPA_COMMAND_SIGN_IN_READ_ONLY)) != 0;
    }
}

static void move_focus(wpa_ui *ui, int by)
{
    do {
        ui->sign_in.focus = (ui->sign_in.focus + by + READ_ONLY + 1) % (READ_ONLY + 1);
    } while (!has_item(ui, ui->sign_in.focus));
}

/* What is typed next goes to the field that has to be other. */
static bool check_form(wpa_ui *ui)
{
    wpa_sign_in *form = &ui->sign_in;
    wpa_error_clear(&form->error);
    if (!form->name.length || !form->secret.length) {
        form->focus = form->name.length ? SECRET : NAME;
        return WPA_FAIL(&form->error, WPA_E_INVALID, "Name and passphrase are both needed.");
    }
    bool is_same = form->secret.length == form->again.length &&
                   memcmp(form->secret.text, form->again.text, form->secret.length) == 0;
    if (is_first(ui) && !is_same) {
        form->focus = AGAIN;
        return WPA_FAIL(&form->error, WPA_E_INVALID, "The two passphrases differ.");
    }
    if (ui->session && ui->session->try_again_us > wpa_ui_clock(ui)) {
        return WPA_FAIL(&form->error, WPA_E_DENIED, "Too many tries: wait for the pause to end.");
    }
    return true;
}

static void send_form(wpa_ui *ui)
{
    wpa_sign_in *form = &ui->sign_in;
    if (form->is_waiting || !ui->session || !check_form(ui)) {
        return;
    }
    wpa_command *command =
        wpa_command_new(is_first(ui) ? WPA_COMMAND_FIRST_GUARDIAN : WPA_COMMAND_SIGN_IN);
    command->name = wpa_arena_text(command->arena, form->name.text);
    command->text = has_item(ui, CODE) ? wpa_arena_text(command->arena, form->code.text) : NULL;
    command->secret_bytes = form->secret.length;
    memcpy(command->secret, form->secret.text, form->secret.length);
    form->is_waiting = wpa_ui_send(ui, command) != 0;
    wpa_field_clear(&form->again); /* the passphrase stays until the answer: a code may be wanted */
}

/* ---- by a browser elsewhere ---------------------------------------------------------------------
 */

static bool is_browsing(const wpa_ui *ui)
{
    return ui->session && ui->session->browser_code;
}

static void send_browser(wpa_ui *ui, const char *what)
{
    wpa_sign_in *form = &ui->sign_in;
    if (form->is_waiting || !ui->session || !ui->session->can_browse) {
        return;
    }
    wpa_command *command = wpa_command_new(WPA_COMMAND_SIGN_IN_BROWSER);
    command->text = what ? wpa_arena_text(command->arena, what) : NULL;
    wpa_error_clear(&form->error);
    form->is_waiting = wpa_ui_send(ui, command) != 0;
}

static void draw_browser(wpa_ui *ui, const wpa_canvas *canvas, int row)
{
    int left = canvas->cols / 2 - 30 < 2 ? 2 : canvas->cols / 2 - 30;
    int width = canvas->cols - left - 2;
    (void)wpa_put(canvas, row, left, WPA_PAINT_TEXT, "Type the code");
    (void)wpa_put_fit(canvas, row, left + 14, width - 14, WPA_PAINT_TITLE,
                      ui->session->browser_code);
    row = wpa_put_wrapped(canvas, row + 1, left, width, WPA_PAINT_TEXT,
                          "with a browser, on any device, at");
    row = wpa_put_wrapped(canvas, row, left + 2, width - 2, WPA_PAINT_FOCUS,
                          ui->session->browser_url);
    (void)wpa_put_fit(canvas, row + (canvas->rows >= 20 ? 1 : 0), left, width, WPA_PAINT_MUTED,
                      "Waiting for the browser ...");
}

void wpa_sign_in_read_only(wpa_ui *ui)
{
    if (!ui->sign_in.is_waiting) {
        ui->sign_in.is_waiting =
            wpa_ui_send(ui, wpa_command_new(WPA_COMMAND_SIGN_IN_READ_ONLY)) != 0;
    }
}

static void enter(wpa_ui *ui)
{
    wpa_sign_in *form = &ui->sign_in;
    if (form->focus == READ_ONLY) {
        wpa_sign_in_read_only(ui);
    } else if (form->focus == NAME ||
               (form->focus == SECRET && (has_item(ui, AGAIN) || has_item(ui, CODE)))) {
        move_focus(ui, 1);
    } else {
        send_form(ui);
    }
}

void wpa_sign_in_key(wpa_ui *ui, const wpa_key *key)
{
    wpa_field *field = wpa_sign_in_field(ui);
    bool is_ctrl_c = key->code == WPA_KEY_CTRL && key->character == 'c';
    if (is_ctrl_c) {
        ui->is_quitting = true;
    } else if (key->code == WPA_KEY_F1) {
        wpa_help_open(ui);
    } else if (key->code == WPA_KEY_F2) {
        ui->theme = (ui->theme + 1) % ui->n_themes;
        ui->theme_changed = true;
    } else if (is_browsing(ui)) {
        if (key->code == WPA_KEY_ESC) {
            send_browser(ui, "stop");
        }
    } else if (key->code == WPA_KEY_F5) {
        send_browser(ui, NULL);
    } else if (key->code == WPA_KEY_TAB || key->code == WPA_KEY_DOWN) {
        move_focus(ui, 1);
    } else if (key->code == WPA_KEY_BACK_TAB || key->code == WPA_KEY_UP) {
        move_focus(ui, -1);
    } else if (key->code == WPA_KEY_ENTER) {
        enter(ui);
    } else if (key->code == WPA_KEY_CTRL && key->character == 'l') {
        ui->wants_full = true;
    } else if (key->code == WPA_KEY_CTRL && key->character == 'z') {
        ui->wants_suspend = true;
    } else if (field) {
        (void)wpa_field_key(field, key);
    }
}

void wpa_sign_in_reply(wpa_ui *ui, const wpa_reply_view *reply)
{
    wpa_sign_in *form = &ui->sign_in;
    bool is_code_missing = has_item(ui, CODE) && form->code.length == 0 &&
                           reply->kind == WPA_COMMAND_SIGN_IN && reply->error.code != WPA_OK;
    form->is_waiting = false;
    form->error = reply->error;
    if (is_code_missing) {
        form->focus = CODE;
        wpa_error_clear(&form->error);
        (void)WPA_FAIL(&form->error, WPA_E_DENIED, "A one-time code is needed as well.");
        return;
    }
    wpa_field_clear(&form->secret);
    wpa_field_clear(&form->code);
    if (reply->error.code != WPA_OK) {
        form->focus = form->name.length ? SECRET : NAME;
    }
}

static int left_of(const wpa_canvas *canvas)
{
    return canvas->cols / 2 - 21 < 1 ? 1 : canvas->cols / 2 - 21;
}

static void draw_field(wpa_ui *ui, const wpa_canvas *canvas, int row, int item, const char *label)
{
    wpa_sign_in *form = &ui->sign_in;
    const wpa_field *fields[] = {&form->name, &form->secret, &form->again, &form->code};
    int left = left_of(canvas), at = left + 14, room = canvas->cols - at - 1;
    (void)wpa_put(canvas, row, left, WPA_PAINT_TEXT, label);
    wpa_field_draw(fields[item], canvas, row, at, room < 27 ? room : 27, '_',
                   form->focus == item && !form->is_waiting && ui->mode == WPA_MODE_SIGN_IN);
}

static void draw_button(wpa_ui *ui, const wpa_canvas *canvas, int row, int col, int item,
                        const char *label)
{
    wpa_canvas part = *canvas;
    part.paint = ui->sign_in.focus == item ? WPA_PAINT_SELECTED : -1;
    (void)wpa_putf(&part, row, col, WPA_PAINT_TEXT, "[ %s ]", label);
    if (ui->sign_in.focus == item) {
        wpa_rest_cursor(canvas, row, col);
    }
}

static void draw_facts(wpa_ui *ui, const wpa_canvas *canvas, int row)
{
    int left = left_of(canvas);
    bool is_live = wpa_ui_is_live(ui);
    const char *reason = ui->link && ui->link->reason ? ui->link->reason : "";
    (void)wpa_putf(canvas, row, left, WPA_PAINT_TEXT, "Database    %s",
                   is_live     ? "ok    "
                   : reason[0] ? "lost  "
                               : "wait  ");
    if (is_live && ui->link) {
        (void)wpa_put_fitf(canvas, row, left + 18, canvas->cols - left - 19, WPA_PAINT_MUTED,
                           "%s, %.1f ms", ui->link->database ? ui->link->database : "PostgreSQL",
                           ui->link->latency_ms < 0 ? 0.0 : ui->link->latency_ms);
    } else {
        (void)wpa_put_fit(canvas, row, left + 18, canvas->cols - left - 19,
                          reason[0] ? WPA_PAINT_NOTICE_ERROR : WPA_PAINT_MUTED,
                          reason[0] ? reason : "connecting");
    }
    (void)wpa_putf(canvas, row + 1, left, WPA_PAINT_TEXT, "Terminal    ok    %s",
                   ui->terminal ? ui->terminal : "");
}

/* Why there is no database yet, and what can be done about it; returns the row behind. */
static int draw_failure(wpa_ui *ui, const wpa_canvas *canvas, int row)
{
    int left = canvas->cols / 2 - 30 < 2 ? 2 : canvas->cols / 2 - 30;
    int width = canvas->cols - left - 2;
    int64_t left_us = ui->link->next_try_us - wpa_ui_clock(ui);
    (void)wpa_put(canvas, row++, left, WPA_PAINT_TITLE, "The database cannot be used.");
    row = wpa_put_wrapped(canvas, row, left, width, WPA_PAINT_NOTICE_ERROR, ui->link->reason);
    if (canvas->rows >= 15) {
        row = wpa_put_wrapped(canvas, row + 1, left, width, WPA_PAINT_TEXT,
                              "Is the server running, and is this the address that is meant?  It "
                              "is named by --db, WPA_DB, the PG* variables or 'db' in "
                              "console.yaml; with none of them wpa runs a PostgreSQL of its own.");
        row++;
    }
    int seconds = left_us > 0 ? (int)(left_us / 1000000) + 1 : 0;
    if (row > canvas->rows - 2) {
        row = canvas->rows - 2; /* a long reason gives way: that it goes on is the news */
    }
    wpa_fill(canvas, row, 0, canvas->cols, WPA_PAINT_TEXT, ' ');
    (void)wpa_putf(canvas, row, left, WPA_PAINT_MUTED,
                   seconds ? "Try %d failed, the next in %d s.  Ctrl-C leaves."
                           : "Try %d failed, trying again ...  Ctrl-C leaves.",
                   ui->link->attempt, seconds);
    return row + 1;
}

static bool has_failed(const wpa_ui *ui)
{
    return ui->link && ui->link->reason && !wpa_ui_is_live(ui);
}

static void draw_start(wpa_ui *ui, const wpa_canvas *canvas, int row)
{
    int left = canvas->cols / 2 - 30 < 2 ? 2 : canvas->cols / 2 - 30;
    row = wpa_put_wrapped(canvas, row, left, canvas->cols - left - 2, WPA_PAINT_TEXT,
                          ui->start->title ? ui->start->title : "Starting");
    row++;
    for (size_t i = 0; i < ui->start->n_steps && row < canvas->rows - 3; i++, row++) {
        const wpa_start_step *step = &ui->start->steps[i];
        const char *glyph = step->is_failed    ? "✗"
                            : step->is_done    ? "✓"
                            : step->is_running ? "▸"
                                               : "◌";
        wpa_paint paint = step->is_failed ? WPA_PAINT_STATE_FAILED
                          : step->is_done ? WPA_PAINT_CHECK_OK
                                          : WPA_PAINT_TEXT;
        (void)wpa_put(canvas, row, left + 2, paint, glyph);
        (void)wpa_put_fitf(canvas, row, left + 4, canvas->cols - left - 6, WPA_PAINT_TEXT, "%s%s%s",
                           step->name, step->note ? "  " : "", step->note ? step->note : "");
    }
    if (has_failed(ui)) {
        (void)draw_failure(ui, canvas, row + 1);
    }
}

static void draw_pause(wpa_ui *ui, const wpa_canvas *canvas, int row)
{
    int64_t left_us = ui->session->try_again_us - wpa_ui_clock(ui);
    if (left_us > 0) {
        (void)wpa_putf(canvas, row, 2, WPA_PAINT_CHECK_NEAR, "Next try possible in %d s.",
                       (int)(left_us / 1000000) + 1);
    } else if (ui->sign_in.is_waiting) {
        (void)wpa_put(canvas, row, 2, WPA_PAINT_MUTED, "Checking ...");
    } else if (ui->sign_in.error.code != WPA_OK) {
        char tries[WPA_SHORT] = "";
        if (ui->session->tries_left >= 0) {
            (void)wpa_text_format(tries, sizeof tries, "  %d tries left, then a pause.",
                                  ui->session->tries_left);
        }
        (void)wpa_put_fitf(canvas, row, 2, canvas->cols - 4, WPA_PAINT_NOTICE_ERROR, "%s%s",
                           ui->sign_in.error.message, tries);
    }
}

static int draw_title(wpa_ui *ui, const wpa_canvas *canvas)
{
    bool is_tiny = canvas->rows < TINY_ROWS;
    int row = canvas->rows >= 20 ? 4 : is_tiny ? 1 : 2, middle = canvas->cols / 2;
    (void)wpa_putf(canvas, row, middle - 16, WPA_PAINT_TITLE, "wpa   Workflow Patch Agent   %s",
                   WPA_VERSION);
    if (is_tiny) { /* the fleet stands in the top line */
        return row + 1;
    }
    if (ui->session) {
        (void)wpa_putf(canvas, row + 1, middle - 16, WPA_PAINT_MUTED, "%s  on  %s",
                       ui->session->fleet ? ui->session->fleet : "",
                       ui->session->host ? ui->session->host : "");
    }
    return row + 3;
}

static int draw_form(wpa_ui *ui, const wpa_canvas *canvas, int row)
{
    int middle = canvas->cols / 2;
    bool is_tiny = canvas->rows < TINY_ROWS;
    if (is_first(ui)) {
        (void)wpa_put(canvas, is_tiny ? row : row - 1, left_of(canvas), WPA_PAINT_FOCUS,
                      "No Guardian yet: create the first one.");
        row++;
    }
    draw_field(ui, canvas, row++, NAME, "Guardian");
    draw_field(ui, canvas, row++, SECRET, "Passphrase");
    if (is_first(ui)) {
        draw_field(ui, canvas, row++, AGAIN, "once more");
    }
    if (has_item(ui, CODE)) {
        draw_field(ui, canvas, row++, CODE, "One-time code");
    }
    row += !is_tiny;
    int at = is_first(ui) && canvas->cols < 60 ? 1 : middle - 14; /* its words are longer */
    draw_button(ui, canvas, row, at, SIGN_IN, is_first(ui) ? "Create and sign in" : "Sign in");
    if (has_item(ui, READ_ONLY)) {
        draw_button(ui, canvas, row, at + (is_first(ui) ? 24 : 14), READ_ONLY, "Read-only");
    }
    return row + 2;
}

/* The keys of the form, as many words as there is room for. */
static void draw_keys(wpa_ui *ui, const wpa_canvas *canvas)
{
    bool can_browse = ui->session && ui->session->can_browse, is_narrow = canvas->cols < 60;
    const char *text = "Tab next  Enter sign in  F1 help  F2 theme  Ctrl-C quit";
    if (is_browsing(ui)) {
        text = is_narrow ? "Esc back  F1 help  Ctrl-C quit"
                         : "Esc back  F1 help  F2 theme  Ctrl-C quit";
    } else if (!ui->session) {
        text = "F2 theme  Ctrl-C quit"; /* no form yet */
    } else if (is_narrow) {
        text =
            can_browse ? "Enter sign in  F5 browser  F1 help" : "Enter sign in  F1 help  F2 theme";
    } else if (can_browse) {
        text = "Tab next  Enter sign in  F5 by browser  F1 help  F2 theme  Ctrl-C quit";
    }
    (void)wpa_put(canvas, canvas->rows - 1, 2, WPA_PAINT_MUTED, text);
}

void wpa_sign_in_draw(wpa_ui *ui, const wpa_canvas *canvas)
{
    int row = draw_title(ui, canvas);
    if (!ui->session && ui->start && ui->start->n_steps) {
        draw_start(ui, canvas, row);
    } else if (!ui->session && has_failed(ui)) {
        (void)draw_failure(ui, canvas, row);
    } else if (!ui->session) {
        draw_facts(ui, canvas, row + 1);
    } else if (is_browsing(ui)) {
        draw_browser(ui, canvas, row + (canvas->rows < TINY_ROWS));
    } else {
        row = draw_form(ui, canvas, row);
        if (row + 5 < canvas->rows - 3) {
            draw_facts(ui, canvas, row);
            (void)wpa_put(canvas, row + 4, left_of(canvas), WPA_PAINT_MUTED,
                          is_first(ui) ? "A passphrase of several words is best.  It cannot be"
                                       : "New here?  Press F1 for help before signing in.");
            if (is_first(ui)) {
                (void)wpa_put(canvas, row + 5, left_of(canvas), WPA_PAINT_MUTED,
                              "read back; 'wpa guardian passwd' sets another one.");
            }
        }
        draw_pause(ui, canvas, canvas->rows - 3);
    }
    draw_keys(ui, canvas);
}
