#include "views/list_view.h"

static const wpa_verb hints[] = {WPA_VERB_OPEN,         WPA_VERB_ACKNOWLEDGE, WPA_VERB_MARK,
                                 WPA_VERB_DESTINATIONS, WPA_VERB_FILTER,      WPA_VERB_BACK,
                                 WPA_VERB_NONE};

static void right(wpa_ui *ui, const wpa_list_view *view, char *text, size_t size_bytes)
{
    char n[WPA_SHORT];
    (void)view;
    if (ui->dash) {
        (void)wpa_text_format(text, size_bytes, "%s unread",
                              wpa_count_text(ui->dash->n_notices_unread, n, sizeof n));
    }
}

static const wpa_list_kind kind = {
    .title = "Notices",
    .table = &wpa_notice_table,
    .empty = "No notices.",
    .right = right,
};

static bool verb(wpa_ui *ui, wpa_page *page, wpa_verb verb)
{
    const wpa_notice_row *row = wpa_list_row(ui, page);
    if (verb != WPA_VERB_OPEN && verb != WPA_VERB_MARK) {
        return wpa_list_verb(ui, page, verb);
    }
    if (row && !row->is_read && !ui->session->is_read_only) {
        wpa_command *command = wpa_command_new(WPA_COMMAND_READ_NOTICE);
        command->object = (wpa_object){WPA_OBJECT_NOTICE, row->id};
        (void)wpa_ui_send(ui, command);
    }
    if (verb == WPA_VERB_OPEN && row && row->object.kind != WPA_OBJECT_NONE) {
        wpa_ui_open(ui, row->object);
    }
    return true;
}

const wpa_view wpa_view_notices = {
    .id = "notices",
    .topic = "notices",
    .contexts = WPA_IN_LIST,
    .list = WPA_LIST_NOTICES,
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
