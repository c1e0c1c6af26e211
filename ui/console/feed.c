/* What the console asks of the engine, and what it does with what comes. */
#include "console/ui.h"

/* ---- asking ---------------------------------------------------------------------------------- */

uint64_t wpa_ui_send(wpa_ui *ui, wpa_command *command)
{
    wpa_error err = {0};
    uint64_t id = ++ui->last_request;
    command->request_id = id;
    command->frame = ui->frame;
    command->key = *ui->pressed ? wpa_arena_text(command->arena, ui->pressed) : NULL;
    const char *name = wpa_command_name(command->kind);
    if (!ui->port->submit(ui->port->context, command, &err)) {
        wpa_ui_say_error(ui, name, &err);
        return 0;
    }
    return id;
}

void wpa_ui_watch_list(wpa_ui *ui, wpa_list list, const char *cursor, bool from_end)
{
    wpa_rows *rows = &ui->lists[list];
    wpa_command *command = wpa_command_new(WPA_COMMAND_WATCH_LIST);
    wpa_list_query *query = &command->query;
    query->list = list;
    query->terms = wpa_filter_parse(rows->filter, command->arena, &query->n_terms);
    query->scope = ui->scope;
    query->sort = rows->sort;
    query->is_descending = rows->is_descending;
    query->cursor = cursor ? wpa_arena_text(command->arena, cursor) : NULL;
    query->from_end = from_end;
    query->n_before = cursor || from_end ? 250 : 0;
    query->n_after = from_end ? 0 : 250;
    rows->request_id = wpa_ui_send(ui, command);
    rows->is_asking = rows->request_id != 0;
}

static void unwatch_list(wpa_ui *ui, wpa_list list)
{
    wpa_command *command = wpa_command_new(WPA_COMMAND_WATCH_LIST);
    command->query.list = list;
    ui->lists[list].request_id = 0;
    ui->lists[list].is_asking = false;
    (void)wpa_ui_send(ui, command);
}

static void watch_object(wpa_ui *ui, wpa_object object)
{
    wpa_command *command = wpa_command_new(WPA_COMMAND_WATCH_OBJECT);
    command->object = object;
    ui->watched = object;
    ui->watch_request = wpa_ui_send(ui, command);
    ui->is_watch_open = ui->watch_request != 0 && object.kind != WPA_OBJECT_NONE;
}

static wpa_object wanted_object(wpa_ui *ui)
{
    if (ui->mode == WPA_MODE_ASK && ui->ask.object.kind != WPA_OBJECT_NONE) {
        return ui->ask.object;
    }
    wpa_page *page = wpa_ui_page(ui);
    wpa_object object = page->view->watched ? page->view->watched(ui, page) : wpa_ui_selected(ui);
    return object.kind == WPA_OBJECT_NOTICE ? (wpa_object){WPA_OBJECT_NONE, 0} : object;
}

void wpa_ui_sync(wpa_ui *ui)
{
    if (!wpa_ui_is_signed_in(ui) || ui->is_wall) {
        return;
    }
    int wanted = wpa_ui_page(ui)->view->list;
    for (int list = 0; list < WPA_LIST_COUNT; list++) {
        if (list == wanted && !ui->lists[list].request_id) {
            wpa_ui_watch_list(ui, (wpa_list)list, NULL, false);
        } else if (list != wanted && ui->lists[list].request_id) {
            unwatch_list(ui, (wpa_list)list);
        }
    }
    wpa_object object = wanted_object(ui);
    /* One question at a time: a held arrow key must not queue a hundred of them. */
    if (!wpa_object_is(object, ui->watched) && !ui->is_watch_open) {
        watch_object(ui, object);
    }
}

/* ---- what is loaded -------------------------------------------------------------------------- */

const wpa_detail_view *wpa_ui_detail(const wpa_ui *ui, wpa_object object)
{
    return ui->detail && wpa_object_is(ui->detail->object, object) ? ui->detail : NULL;
}

const wpa_deployment_row *wpa_ui_deployment(const wpa_ui *ui, int64_t id)
{
    const wpa_detail_view *detail = wpa_ui_detail(ui, (wpa_object){WPA_OBJECT_DEPLOYMENT, id});
    if (detail && !detail->missing) {
        return &detail->deployment->row;
    }
    for (size_t i = 0; ui->dash && i < ui->dash->n_live; i++) {
        if (ui->dash->live[i].id == id) {
            return &ui->dash->live[i];
        }
    }
    const wpa_list_view *list = ui->lists[WPA_LIST_DEPLOYMENTS].view;
    for (size_t i = 0; list && i < list->n_rows; i++) {
        if (list->deployments[i].id == id) {
            return &list->deployments[i];
        }
    }
    return NULL;
}

const wpa_patch_row *wpa_ui_patch(const wpa_ui *ui, int64_t id)
{
    const wpa_detail_view *detail = wpa_ui_detail(ui, (wpa_object){WPA_OBJECT_PATCH, id});
    if (detail && !detail->missing) {
        return &detail->patch->row;
    }
    const wpa_list_view *list = ui->lists[WPA_LIST_PATCHES].view;
    for (size_t i = 0; list && i < list->n_rows; i++) {
        if (list->patches[i].id == id) {
            return &list->patches[i];
        }
    }
    for (size_t i = 0; ui->dash && i < ui->dash->n_testing; i++) {
        if (ui->dash->testing[i].id == id) {
            return &ui->dash->testing[i];
        }
    }
    return NULL;
}

const wpa_finding_row *wpa_ui_finding(const wpa_ui *ui, int64_t id)
{
    const wpa_detail_view *detail = wpa_ui_detail(ui, (wpa_object){WPA_OBJECT_FINDING, id});
    if (detail && !detail->missing) {
        return &detail->finding->row;
    }
    const wpa_list_view *list = ui->lists[WPA_LIST_FINDINGS].view;
    for (size_t i = 0; list && i < list->n_rows; i++) {
        if (list->findings[i].id == id) {
            return &list->findings[i];
        }
    }
    return NULL;
}

const wpa_workflow_row *wpa_ui_workflow(const wpa_ui *ui, int64_t id)
{
    const wpa_detail_view *detail = wpa_ui_detail(ui, (wpa_object){WPA_OBJECT_WORKFLOW, id});
    if (detail && !detail->missing) {
        return &detail->workflow->row;
    }
    for (size_t i = 0; ui->dash && i < ui->dash->n_worst; i++) {
        if (ui->dash->worst[i].id == id) {
            return &ui->dash->worst[i];
        }
    }
    const wpa_list_view *list = ui->lists[WPA_LIST_WORKFLOWS].view;
    for (size_t i = 0; list && i < list->n_rows; i++) {
        if (list->workflows[i].id == id) {
            return &list->workflows[i];
        }
    }
    return NULL;
}

/* ---- what comes ------------------------------------------------------------------------------ */

static void tell_page(wpa_ui *ui)
{
    wpa_page *page = wpa_ui_page(ui);
    if (page->view->changed) {
        page->view->changed(ui, page);
    }
}

static void apply_session(wpa_ui *ui, wpa_msg *msg)
{
    bool was_in = wpa_ui_is_signed_in(ui);
    wpa_msg_free(ui->session_msg);
    ui->session_msg = msg;
    ui->session = msg->body;
    if (wpa_ui_is_signed_in(ui)) {
        if (ui->mode == WPA_MODE_SIGN_IN) {
            ui->mode = WPA_MODE_NORMAL;
        }
        wpa_field_clear(&ui->sign_in.secret);
        wpa_field_clear(&ui->sign_in.again);
        wpa_field_clear(&ui->sign_in.code);
        ui->sign_in.is_waiting = false;
        (void)wpa_ui_page(ui);
        wpa_ui_sync(ui);
        return;
    }
    for (int list = 0; was_in && list < WPA_LIST_COUNT; list++) {
        ui->lists[list].request_id = 0;
    }
    ui->watched = (wpa_object){WPA_OBJECT_NONE, 0};
    ui->is_watch_open = false;
    wpa_ask_close(ui);
    wpa_sign_in_open(ui);
}

static void apply_link(wpa_ui *ui, wpa_msg *msg)
{
    bool was_lost = ui->link && ui->link->state == WPA_LINK_LOST;
    wpa_msg_free(ui->link_msg);
    ui->link_msg = msg;
    ui->link = msg->body;
    if (ui->link->state == WPA_LINK_LOST && !was_lost) {
        ui->is_watch_open = false;
    }
    if (was_lost && ui->link->state == WPA_LINK_LIVE) {
        wpa_ui_say(ui, WPA_NOTICE_OK, "the database is back");
    }
}

static void apply_list(wpa_ui *ui, wpa_msg *msg)
{
    const wpa_list_view *view = msg->body;
    wpa_rows *rows = view->list < WPA_LIST_COUNT ? &ui->lists[view->list] : NULL;
    if (!rows || view->request_id != rows->request_id) {
        wpa_msg_free(msg); /* an older question's answer */
        return;
    }
    wpa_msg_free(rows->msg);
    rows->msg = msg;
    rows->view = view;
    rows->is_asking = false;
}

static void apply_detail(wpa_ui *ui, wpa_msg *msg)
{
    const wpa_detail_view *view = msg->body;
    if (view->request_id != ui->watch_request) {
        wpa_msg_free(msg);
        return;
    }
    wpa_msg_free(ui->detail_msg);
    ui->detail_msg = msg;
    ui->detail = view;
    ui->is_watch_open = false;
}

static void apply_notice(wpa_ui *ui, const wpa_notice_row *notice)
{
    if (notice->level == WPA_NOTICE_ALARM) {
        ui->wants_bell = ui->config.rings;
    }
    wpa_ui_say(ui, notice->level, "%s", notice->text);
}

static void follow_up(wpa_ui *ui)
{
    if (wpa_ui_is_signed_in(ui) && !ui->is_wall) {
        wpa_rollback_follow(ui);
        tell_page(ui);
        wpa_ui_sync(ui);
    }
    ui->is_dirty = true;
}

/* While the view is frozen, its data is held back: replies, alarms and the link are not. */
static bool is_held_back(wpa_ui *ui, const wpa_msg *msg)
{
    bool is_data = msg->kind == WPA_FEED_DASHBOARD || msg->kind == WPA_FEED_LIST;
    return ui->is_frozen && is_data;
}

void wpa_ui_apply(wpa_ui *ui, wpa_msg *msg)
{
    if (is_held_back(ui, msg)) {
        ui->n_held_back++;
        wpa_msg_free(msg);
        return;
    }
    switch ((wpa_feed_kind)msg->kind) {
    case WPA_FEED_LINK:
        apply_link(ui, msg);
        break;
    case WPA_FEED_START:
        wpa_msg_free(ui->start_msg);
        ui->start_msg = msg;
        ui->start = msg->body;
        break;
    case WPA_FEED_SESSION:
        apply_session(ui, msg);
        break;
    case WPA_FEED_DASHBOARD:
        wpa_msg_free(ui->dash_msg);
        ui->dash_msg = msg;
        ui->dash = msg->body;
        break;
    case WPA_FEED_LIST:
        apply_list(ui, msg);
        break;
    case WPA_FEED_DETAIL:
        apply_detail(ui, msg);
        break;
    case WPA_FEED_REPLY:
        wpa_ui_reply(ui, msg->body);
        wpa_msg_free(msg);
        break;
    case WPA_FEED_NOTICE:
        apply_notice(ui, msg->body);
        wpa_msg_free(msg);
        break;
    }
    follow_up(ui);
}

bool wpa_ui_read_inbox(wpa_ui *ui)
{
    wpa_msg *msg = NULL;
    while ((msg = wpa_queue_pop(ui->port->inbox))) {
        wpa_ui_apply(ui, msg);
    }
    return !wpa_queue_is_closed(ui->port->inbox);
}
