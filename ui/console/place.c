/*
 * Where each Guardian is: this one tells it, once he has been there for a moment; the dashboard
 * says where the others are, so that two do not decide on one thing without knowing.
 */
#include <string.h>

#include "console/ui.h"

#define SETTLED_US ((int64_t)1000000)
#define AGAIN_US ((int64_t)30 * 1000000) /* he is still there */

static const char deciding[] = "deciding ";

/* "findings", "f-7"; "deciding p-7" while a question about it is open. */
static void put_place(wpa_ui *ui, char *text, size_t size_bytes)
{
    char id[WPA_SHORT];
    const wpa_page *page = wpa_ui_page(ui);
    bool is_asked = ui->mode == WPA_MODE_ASK && ui->ask.object.kind != WPA_OBJECT_NONE;
    wpa_object object = is_asked ? ui->ask.object : page->object;
    (void)wpa_object_text(object, id, sizeof id);
    (void)wpa_text_format(text, size_bytes, "%s%s", is_asked ? deciding : "",
                          *id ? id : page->view->id);
}

static void tell(wpa_ui *ui, const char *place)
{
    wpa_command *command = wpa_command_new(WPA_COMMAND_PLACE);
    command->text = wpa_arena_text(command->arena, place);
    ui->place.told_us = ui->local_us;
    (void)wpa_text_copy(ui->place.told, sizeof ui->place.told, place);
    (void)wpa_ui_send(ui, command);
}

void wpa_place_follow(wpa_ui *ui)
{
    char place[WPA_SHORT];
    if (ui->is_wall || !wpa_ui_is_signed_in(ui) || !wpa_ui_is_live(ui)) {
        ui->place.told[0] = '\0'; /* told anew by whoever comes next, and once it is back */
        return;
    }
    put_place(ui, place, sizeof place);
    if (!wpa_text_is(place, ui->place.now)) {
        (void)wpa_text_copy(ui->place.now, sizeof ui->place.now, place);
        ui->place.since_us = ui->local_us;
    }
    bool is_new = !wpa_text_is(place, ui->place.told);
    bool is_settled = ui->local_us - ui->place.since_us >= SETTLED_US;
    if ((is_new && is_settled) || (!is_new && ui->local_us - ui->place.told_us >= AGAIN_US)) {
        tell(ui, place);
    }
}

wpa_object wpa_place_object(const char *place)
{
    return wpa_object_parse(wpa_text_starts(place, deciding) ? place + strlen(deciding) : place);
}

/* "joe here", "joe decides", "joe, anna here"; "" nobody else. */
static void put_others(const wpa_ui *ui, wpa_object object, char *text, size_t size_bytes)
{
    bool is_decided = false;
    size_t n = 0;
    *text = '\0';
    for (size_t i = 0; ui->dash && i < ui->dash->n_people; i++) {
        const wpa_person_row *it = &ui->dash->people[i];
        bool is_other = ui->session->name && !wpa_text_is(it->name, ui->session->name);
        if (is_other && wpa_object_is(wpa_place_object(it->place), object)) {
            size_t used = strlen(text);
            (void)wpa_text_format(text + used, size_bytes - used, "%s%.24s", n++ ? ", " : "",
                                  it->name);
            is_decided |= wpa_text_starts(it->place, deciding);
        }
    }
    size_t used = strlen(text);
    (void)wpa_text_format(text + used, size_bytes - used, "%s",
                          !n           ? ""
                          : is_decided ? " decides here"
                                       : " here");
}

void wpa_place_draw(wpa_ui *ui, const wpa_canvas *canvas, const wpa_canvas *body)
{
    char text[WPA_MESSAGE_MAX];
    const wpa_page *page = wpa_ui_page(ui);
    bool is_asked = ui->mode == WPA_MODE_ASK && ui->ask.object.kind != WPA_OBJECT_NONE;
    wpa_object object = is_asked ? ui->ask.object : page->object;
    if (object.kind == WPA_OBJECT_NONE) {
        return;
    }
    put_others(ui, object, text, sizeof text);
    bool is_told = !*text || wpa_rule_note(body, 0, text);
    if (!is_told && !ui->message.text[0] && !wpa_ui_is_lost(ui)) { /* the title is full */
        (void)wpa_put_right(canvas, canvas->rows - 2, canvas->cols - 1, WPA_PAINT_CHECK_NEAR, text);
    }
}
