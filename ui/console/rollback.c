#include <inttypes.h>
#include <string.h>

#include "console/ui.h"

#define DEFAULT_WINDOW_MS 3000

static int64_t window_ms(const wpa_ui *ui)
{
    if (ui->config.rollback_ms >= 0) {
        return ui->config.rollback_ms;
    }
    return ui->session ? ui->session->rollback_delay_ms : DEFAULT_WINDOW_MS;
}

bool wpa_rollback_is_open(const wpa_ui *ui)
{
    return ui->rollback.deployment.kind != WPA_OBJECT_NONE;
}

static void close_window(wpa_ui *ui)
{
    ui->closed_window_us = ui->rollback.until_us;
    memset(&ui->rollback, 0, sizeof ui->rollback);
    ui->is_dirty = true;
}

/* With the database gone nothing can be ordered: what a person can do by hand is all there is. */
static void show_by_hand(wpa_ui *ui, wpa_object object)
{
    const wpa_detail_view *detail = wpa_ui_detail(ui, object);
    const char *commands = detail && !detail->missing ? detail->deployment->by_hand : NULL;
    if (commands) {
        wpa_ui_copy(ui, commands);
        wpa_ui_say(ui, WPA_NOTICE_ERROR,
                   "database lost: the git commands that put it back are copied");
    } else {
        wpa_ui_say(ui, WPA_NOTICE_ERROR,
                   "database lost: nothing can be rolled back until it is back");
    }
}

void wpa_rollback_start(wpa_ui *ui, wpa_object object)
{
    char id[WPA_SHORT];
    const wpa_deployment_row *row =
        object.kind == WPA_OBJECT_DEPLOYMENT ? wpa_ui_deployment(ui, object.id) : NULL;
    if (wpa_rollback_is_open(ui)) {
        return; /* a repeated or held R neither skips the window nor starts another */
    }
    if (!row || !row->can_roll_back) {
        wpa_ui_say(ui, WPA_NOTICE_NOTE, "R needs a live deployment; 5 lists them");
        return;
    }
    if (!wpa_ui_is_live(ui)) {
        show_by_hand(ui, object);
        return;
    }
    if (!wpa_ui_check_change(ui, WPA_VERB_ROLL_BACK, object)) {
        return;
    }
    wpa_command *command = wpa_command_new(WPA_COMMAND_ROLL_BACK);
    command->object = object;
    command->delay_ms = window_ms(ui);
    command->text = "Guardian, key R";
    int64_t delay_ms = command->delay_ms;
    uint64_t request = wpa_ui_send(ui, command);
    if (!request) {
        return;
    }
    ui->rollback = (wpa_rollback){.deployment = object,
                                  .asked_us = wpa_ui_clock(ui),
                                  .until_us = wpa_ui_clock(ui) + delay_ms * 1000,
                                  .is_own = true,
                                  .request_id = request};
    wpa_ui_say(ui, WPA_NOTICE_NOTE, "%s: rollback ordered", wpa_object_text(object, id, sizeof id));
}

static void send_for_window(wpa_ui *ui, wpa_command_kind kind)
{
    wpa_command *command = wpa_command_new(kind);
    command->object = ui->rollback.deployment;
    (void)wpa_ui_send(ui, command);
}

bool wpa_rollback_key(wpa_ui *ui, wpa_verb verb)
{
    if (!wpa_rollback_is_open(ui) || !ui->rollback.is_own || ui->rollback.is_cancelled) {
        return false;
    }
    if (verb == WPA_VERB_BACK) {
        ui->rollback.is_cancelled = true;
        send_for_window(ui, WPA_COMMAND_CANCEL_ROLL_BACK);
        return true;
    }
    if (verb == WPA_VERB_OPEN) {
        send_for_window(ui, WPA_COMMAND_ROLL_BACK_NOW);
        return true;
    }
    return verb == WPA_VERB_ROLL_BACK;
}

void wpa_rollback_reply(wpa_ui *ui, const wpa_reply_view *reply)
{
    char id[WPA_SHORT];
    (void)wpa_object_text(ui->rollback.deployment, id, sizeof id);
    if (reply->error.code != WPA_OK) {
        bool is_order = reply->request_id == ui->rollback.request_id;
        wpa_ui_say_error(ui, wpa_command_name(reply->kind), &reply->error);
        if (is_order || !wpa_rollback_is_open(ui)) {
            close_window(ui);
        } else {
            ui->rollback.is_cancelled = false;
        }
    } else if (reply->kind == WPA_COMMAND_ROLL_BACK) {
        ui->rollback.is_held |= reply->request_id == ui->rollback.request_id;
    } else if (reply->kind == WPA_COMMAND_CANCEL_ROLL_BACK) {
        wpa_ui_say(ui, WPA_NOTICE_OK, "%s: rollback cancelled, the rollout goes on", id);
        close_window(ui);
    } else {
        wpa_ui_say(ui, WPA_NOTICE_NOTE, "rollback of %s started", id);
        close_window(ui);
    }
}

/* The row tells how long the window is really open, and windows that others opened. */
static void follow_open(wpa_ui *ui)
{
    const wpa_deployment_row *row = wpa_ui_deployment(ui, ui->rollback.deployment.id);
    int64_t now = wpa_ui_clock(ui);
    char id[WPA_SHORT];
    (void)wpa_object_text(ui->rollback.deployment, id, sizeof id);
    if (row && row->rollback_at_us) {
        ui->rollback.is_held = ui->rollback.is_seen = true;
        ui->rollback.until_us = row->rollback_at_us;
    }
    bool has_begun = row && (row->state == WPA_DEPLOYMENT_ROLLING_BACK ||
                             row->state == WPA_DEPLOYMENT_ROLLED_BACK);
    bool is_given_up = row && ui->rollback.is_seen && !row->rollback_at_us && !has_begun;
    if (has_begun) {
        wpa_ui_say(ui, WPA_NOTICE_NOTE, "rollback of %s started", id);
        close_window(ui);
    } else if (is_given_up) {
        close_window(ui);
    } else if (now > ui->rollback.until_us + 30000000) {
        wpa_ui_say(ui, WPA_NOTICE_ERROR, "rollback of %s: the engine has not begun it yet", id);
        close_window(ui);
    }
}

void wpa_rollback_follow(wpa_ui *ui)
{
    if (wpa_rollback_is_open(ui)) {
        follow_open(ui);
        return;
    }
    for (size_t i = 0; ui->dash && i < ui->dash->n_live; i++) {
        const wpa_deployment_row *row = &ui->dash->live[i];
        bool is_waiting = row->rollback_at_us > wpa_ui_clock(ui) &&
                          row->rollback_at_us != ui->closed_window_us &&
                          row->state != WPA_DEPLOYMENT_ROLLING_BACK;
        if (is_waiting) {
            ui->rollback = (wpa_rollback){.deployment = {WPA_OBJECT_DEPLOYMENT, row->id},
                                          .asked_us = wpa_ui_clock(ui),
                                          .until_us = row->rollback_at_us,
                                          .is_held = true};
            const char *me = ui->session ? ui->session->name : NULL;
            ui->rollback.is_own = me && wpa_text_is(row->rollback_by, me);
            (void)wpa_text_copy(ui->rollback.by, sizeof ui->rollback.by,
                                row->rollback_by ? row->rollback_by : "");
            return;
        }
    }
}

static void draw_first_line(wpa_ui *ui, const wpa_canvas *canvas, int row, const char *id)
{
    const wpa_rollback *window = &ui->rollback;
    int64_t left_us = window->until_us - wpa_ui_clock(ui);
    int64_t whole_us = window->until_us - window->asked_us;
    wpa_canvas line = *canvas;
    line.paint = WPA_PAINT_BANNER_ROLLBACK;
    wpa_fill(&line, row, 0, canvas->cols, WPA_PAINT_BANNER_ROLLBACK, ' ');
    int col = left_us > 0 ? wpa_putf(&line, row, 1, WPA_PAINT_TEXT, "ROLLING BACK %s in %.1f s ",
                                     id, (double)left_us / 1e6)
                          : wpa_putf(&line, row, 1, WPA_PAINT_TEXT, "ROLLING BACK %s now     ", id);
    int width = canvas->cols - col - 32;
    if (width > 20) {
        width = 20;
    }
    if (width > 3) {
        wpa_meter(&line, row, col, width,
                  whole_us > 0 && left_us > 0 ? (double)left_us / (double)whole_us : 0, -1,
                  WPA_PAINT_METER_FILL);
        col += width + 2;
    }
    (void)wpa_put(&line, row, col, WPA_PAINT_TEXT,
                  window->is_cancelled ? " cancelling ..."
                  : left_us <= 0       ? " the engine starts it"
                  : window->is_own     ? " Esc cancel   Enter do it now"
                                       : "");
}

int wpa_rollback_draw(wpa_ui *ui, const wpa_canvas *canvas, int row)
{
    if (!wpa_rollback_is_open(ui)) {
        return row;
    }
    const wpa_rollback *window = &ui->rollback;
    char id[WPA_SHORT], n[WPA_SHORT];
    const wpa_deployment_row *deployment = wpa_ui_deployment(ui, window->deployment.id);
    draw_first_line(ui, canvas, row, wpa_object_text(window->deployment, id, sizeof id));
    int col = wpa_put(canvas, row + 1, 1, WPA_PAINT_TEXT,
                      window->is_held ? "held: no further workflow is switched"
                                      : "asking the engine to hold it ...");
    if (deployment) {
        (void)wpa_put_fitf(canvas, row + 1, col + 6, canvas->cols - col - 7, WPA_PAINT_TEXT,
                           "%s workflow%s to %s",
                           wpa_count_text(deployment->n_switched, n, sizeof n),
                           deployment->n_switched == 1 ? " returns" : "s return",
                           deployment->back_to ? deployment->back_to : "what they were");
    }
    if (canvas->rows >= 24) {
        wpa_fill(canvas, row + 2, 0, canvas->cols, WPA_PAINT_RULE, 0x2500);
        return row + 3;
    }
    return row + 2;
}
