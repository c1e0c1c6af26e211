/* Where notices go: what fails, what was given up; t sends a test, x sends again. */
#include <inttypes.h>

#include "views/list_view.h"

static const wpa_verb hints[] = {WPA_VERB_TEST,   WPA_VERB_RETRY, WPA_VERB_NOTICES,
                                 WPA_VERB_FILTER, WPA_VERB_BACK,  WPA_VERB_NONE};

static void strip(wpa_ui *ui, const wpa_canvas *canvas, const void *data,
                  const wpa_detail_view *detail)
{
    const wpa_destination_row *row = data;
    (void)ui;
    (void)detail;
    wpa_rule(canvas, 0, row->name, NULL, false);
    (void)wpa_put_fitf(canvas, 1, 2, canvas->cols - 3, WPA_PAINT_TEXT, "%s: %s", row->channel,
                       row->what);
    if (row->n_dead > 0) {
        (void)wpa_put_fitf(canvas, 2, 2, canvas->cols - 3, WPA_PAINT_NOTICE_ERROR,
                           "%" PRId64 " given up: x sends them again", row->n_dead);
    }
    if (row->error) {
        (void)wpa_put_wrapped(canvas, 3, 2, canvas->cols - 3, WPA_PAINT_NOTICE_ERROR, row->error);
    }
}

static const wpa_list_kind kind = {
    .title = "Where notices go",
    .table = &wpa_destination_table,
    .strip_rows = 6,
    .strip = strip,
    .empty = "Notices stay here: wpa notices add lets them go somewhere.",
};

static bool verb(wpa_ui *ui, wpa_page *page, wpa_verb verb)
{
    const wpa_destination_row *row = wpa_list_row(ui, page);
    if (verb != WPA_VERB_TEST && verb != WPA_VERB_RETRY) {
        return wpa_list_verb(ui, page, verb);
    }
    const wpa_object object = {WPA_OBJECT_DESTINATION, row ? row->id : 0};
    if (row && wpa_ui_check_change(ui, verb, object)) {
        wpa_command *command = wpa_command_new(
            verb == WPA_VERB_TEST ? WPA_COMMAND_TEST_DESTINATION : WPA_COMMAND_RETRY_DESTINATION);
        command->object = object;
        (void)wpa_ui_send(ui, command);
    }
    return true;
}

const wpa_view wpa_view_destinations = {
    .id = "destinations",
    .topic = "notices",
    .contexts = WPA_IN_LIST,
    .list = WPA_LIST_DESTINATIONS,
    .hints = hints,
    .data = &kind,
    .state_bytes = sizeof(wpa_list_state),
    .open = wpa_list_open,
    .draw = wpa_list_draw,
    .verb = verb,
    .selected = wpa_list_selected,
    .changed = wpa_list_changed,
    .cursor = wpa_list_cursor,
    .row_text = wpa_list_row_text,
};
