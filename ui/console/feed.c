/* What the console asks of the engine, and what it does with what comes. */
#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "console/ui.h"

/* ---- asking ---------------------------------------------------------------------------------- */

/* Rows and pages answer these; nobody waits for a reply of theirs. */
static bool is_watch(wpa_command_kind kind)
{
    return kind == WPA_COMMAND_WATCH_LIST || kind == WPA_COMMAND_WATCH_OBJECT ||
           kind == WPA_COMMAND_REFRESH;
}

uint64_t wpa_ui_send(wpa_ui *ui, wpa_command *command)
{
    wpa_error err = {0};
    uint64_t id = ++ui->last_request;
    bool is_order = !is_watch(command->kind);
    command->request_id = id;
    command->frame = ui->frame;
    command->key = *ui->pressed ? wpa_arena_text(command->arena, ui->pressed) : NULL;
    const char *name = wpa_command_name(command->kind);
    if (!ui->port->submit(ui->port->context, command, &err)) {
        wpa_ui_say_error(ui, name, &err);
        return 0;
    }
    ui->n_open_orders += is_order;
    return id;
}

void wpa_ui_watch_list(wpa_ui *ui, wpa_list list, const char *cursor, bool from_end)
{
    wpa_rows *rows = &ui->lists[list];
    wpa_command *command = wpa_command_new(WPA_COMMAND_WATCH_LIST);
    wpa_list_query *query = &command->query;
    query->list = list;
    query->terms = wpa_filter_terms(ui, list, rows->filter, command->arena, &query->n_terms);
    query->scope = ui->scope;
    query->sort = rows->sort;
    query->is_descending = rows->is_descending;
    query->cursor = cursor ? wpa_arena_text(command->arena, cursor) : NULL;
    query->from_end = from_end;
    query->n_before = cursor || from_end ? 250 : 0;
    query->n_after = from_end ? 0 : 250;
    rows->request_id = wpa_ui_send(ui, command);
    rows->is_asking = rows->request_id != 0;
    rows->is_late = false;
    rows->narrows[0] = '\0';
}

static void tell_page(wpa_ui *ui)
{
    wpa_page *page = wpa_ui_page(ui);
    if (page->view->changed) {
        page->view->changed(ui, page);
    }
}

void wpa_ui_ask_list(wpa_ui *ui, wpa_list list)
{
    if (ui->lists[list].is_asking) {
        ui->lists[list].is_late = true;
    } else {
        wpa_ui_watch_list(ui, list, NULL, false);
    }
}

void wpa_ui_filter_list(wpa_ui *ui, wpa_list list, const char *filter)
{
    wpa_rows *rows = &ui->lists[list];
    (void)wpa_text_copy(rows->filter, sizeof rows->filter, filter);
    wpa_ui_ask_list(ui, list);
    wpa_loaded_filter(ui, list);
    tell_page(ui);
}

static void unwatch_list(wpa_ui *ui, wpa_list list)
{
    wpa_command *command = wpa_command_new(WPA_COMMAND_WATCH_LIST);
    command->query.list = list;
    ui->lists[list].request_id = 0;
    ui->lists[list].is_asking = ui->lists[list].is_late = false;
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
            char *cursor = ui->lists[list].resumes_cursor;
            wpa_ui_watch_list(ui, (wpa_list)list, *cursor ? cursor : NULL, false);
            *cursor = '\0';
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

/* Every row that has an id begins with it. */
static const void *row_with(const void *rows, size_t n, size_t row_bytes, int64_t id)
{
    for (size_t i = 0; i < n; i++) {
        const char *row = (const char *)rows + i * row_bytes;
        if (*(const int64_t *)(const void *)row == id) {
            return row;
        }
    }
    return NULL;
}
static_assert(offsetof(wpa_deployment_row, id) == 0, "row_with reads it there");
static_assert(offsetof(wpa_patch_row, id) == 0, "row_with reads it there");
static_assert(offsetof(wpa_finding_row, id) == 0, "row_with reads it there");
static_assert(offsetof(wpa_workflow_row, id) == 0, "row_with reads it there");

static const void *listed(const wpa_ui *ui, wpa_list list, size_t row_bytes, int64_t id)
{
    const wpa_list_view *view = ui->lists[list].view;
    return view ? row_with(view->rows, view->n_rows, row_bytes, id) : NULL;
}

static const wpa_detail_view *found_detail(const wpa_ui *ui, wpa_object_kind kind, int64_t id)
{
    const wpa_detail_view *detail = wpa_ui_detail(ui, (wpa_object){kind, id});
    return detail && !detail->missing ? detail : NULL;
}

const wpa_deployment_row *wpa_ui_deployment(const wpa_ui *ui, int64_t id)
{
    const wpa_detail_view *detail = found_detail(ui, WPA_OBJECT_DEPLOYMENT, id);
    const wpa_deployment_row *row = detail ? &detail->deployment->row : NULL;
    if (!row && ui->dash) {
        row = row_with(ui->dash->live, ui->dash->n_live, sizeof *row, id);
    }
    return row ? row : listed(ui, WPA_LIST_DEPLOYMENTS, sizeof *row, id);
}

const wpa_patch_row *wpa_ui_patch(const wpa_ui *ui, int64_t id)
{
    const wpa_detail_view *detail = found_detail(ui, WPA_OBJECT_PATCH, id);
    const wpa_patch_row *row =
        detail ? &detail->patch->row : listed(ui, WPA_LIST_PATCHES, sizeof *row, id);
    if (!row && ui->dash) {
        row = row_with(ui->dash->testing, ui->dash->n_testing, sizeof *row, id);
    }
    return row;
}

const wpa_finding_row *wpa_ui_finding(const wpa_ui *ui, int64_t id)
{
    const wpa_detail_view *detail = found_detail(ui, WPA_OBJECT_FINDING, id);
    return detail ? &detail->finding->row
                  : listed(ui, WPA_LIST_FINDINGS, sizeof(wpa_finding_row), id);
}

const wpa_workflow_row *wpa_ui_workflow(const wpa_ui *ui, int64_t id)
{
    const wpa_detail_view *detail = found_detail(ui, WPA_OBJECT_WORKFLOW, id);
    const wpa_workflow_row *row = detail ? &detail->workflow->row : NULL;
    if (!row && ui->dash) {
        row = row_with(ui->dash->worst, ui->dash->n_worst, sizeof *row, id);
    }
    return row ? row : listed(ui, WPA_LIST_WORKFLOWS, sizeof *row, id);
}

/* ---- what comes ------------------------------------------------------------------------------ */

static void apply_session(wpa_ui *ui, wpa_msg *msg)
{
    bool was_in = wpa_ui_is_signed_in(ui);
    if (was_in && ((const wpa_session_view *)msg->body)->state != WPA_SESSION_SIGNED_IN) {
        wpa_resume_keep(ui);
    }
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
        wpa_resume_take(ui);
        (void)wpa_ui_page(ui);
        wpa_ui_sync(ui);
        return;
    }
    for (int list = 0; was_in && list < WPA_LIST_COUNT; list++) {
        ui->lists[list].request_id = 0;
    }
    ui->watched = (wpa_object){WPA_OBJECT_NONE, 0};
    ui->is_watch_open = false;
    ui->n_open_orders = 0; /* of the one who has left */
    wpa_ask_close(ui);
    wpa_sign_in_open(ui);
}

static void apply_link(wpa_ui *ui, wpa_msg *msg)
{
    bool was_lost = ui->link && ui->link->state == WPA_LINK_LOST;
    int64_t lost_at_us = was_lost ? ui->link->lost_at_us : 0;
    wpa_msg_free(ui->link_msg);
    ui->link_msg = msg;
    ui->link = msg->body;
    if (ui->link->state == WPA_LINK_LOST && !was_lost) {
        ui->is_watch_open = false;
    }
    if (was_lost && ui->link->state == WPA_LINK_LIVE) {
        wpa_moves_back(ui, lost_at_us);
        wpa_ui_say(ui, WPA_NOTICE_OK, "the database is back");
    }
}

/* Told once for a filter, behind its rows: kept for as long as it is the filter. */
static void keep_narrows(wpa_rows *rows, const wpa_list_view *view)
{
    for (size_t i = 0; i < view->n_without && view->n_matching > 0; i++) {
        char n[WPA_SHORT];
        size_t used = i ? strlen(rows->narrows) : 0;
        (void)wpa_text_format(rows->narrows + used, sizeof rows->narrows - used, "%s%s %s",
                              i ? "  " : "", view->without[i].term,
                              wpa_count_text(view->without[i].n_matching, n, sizeof n));
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
    wpa_moves_take(ui, rows, msg);
    keep_narrows(rows, view);
    rows->is_asking = false;
    if (rows->is_late) {
        wpa_ui_watch_list(ui, view->list, NULL, false);
    }
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
        wpa_moves_taken(ui);
        wpa_ui_sync(ui);
    }
    ui->is_dirty = true;
}

void wpa_ui_settle(wpa_ui *ui)
{
    if (wpa_moves_settle_still(ui)) {
        tell_page(ui);
        ui->is_dirty = true;
    }
    if (ui->back.until_us && ui->local_us >= ui->back.until_us) {
        ui->back.until_us = 0;
        ui->is_dirty = true;
    }
}

/* While the view is frozen, its data is held back: replies, alarms, the link, and rows that were
   asked for since are not. */
static bool is_held_back(const wpa_ui *ui, const wpa_msg *msg)
{
    if (!ui->is_frozen) {
        return false;
    }
    if (msg->kind == WPA_FEED_LIST) {
        const wpa_list_view *view = msg->body;
        return view->list < WPA_LIST_COUNT && !ui->lists[view->list].is_asking;
    }
    return msg->kind == WPA_FEED_DASHBOARD && ui->dash;
}

static void hold_back(wpa_ui *ui, wpa_msg *msg)
{
    ui->n_held_back++;
    if (msg->kind != WPA_FEED_DASHBOARD) {
        wpa_msg_free(msg);
        return;
    }
    wpa_msg_free(ui->held_dash_msg);
    ui->held_dash_msg = msg;
    ui->is_dirty = true;
}

static void apply_dashboard(wpa_ui *ui, wpa_msg *msg)
{
    wpa_msg_free(ui->dash_msg);
    wpa_msg_free(ui->held_dash_msg);
    ui->held_dash_msg = NULL;
    ui->dash_msg = msg;
    ui->dash = msg->body;
    wpa_moves_count(ui);
}

static void apply_reply(wpa_ui *ui, wpa_msg *msg)
{
    const wpa_reply_view *reply = msg->body;
    ui->n_open_orders -= !is_watch(reply->kind) && ui->n_open_orders > 0;
    wpa_ui_reply(ui, reply);
    wpa_msg_free(msg);
}

void wpa_ui_apply(wpa_ui *ui, wpa_msg *msg)
{
    if (msg->kind == WPA_FEED_DASHBOARD) {
        ui->heard_us = ui->local_us;
    }
    if (is_held_back(ui, msg)) {
        hold_back(ui, msg);
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
        apply_dashboard(ui, msg);
        break;
    case WPA_FEED_LIST:
        apply_list(ui, msg);
        break;
    case WPA_FEED_DETAIL:
        apply_detail(ui, msg);
        break;
    case WPA_FEED_REPLY:
        apply_reply(ui, msg);
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
