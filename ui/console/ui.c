#include "console/ui.h"

#include <stdio.h>
#include <string.h>

#include <wpa/clock.h>
#include <wpa/memory.h>

#define MESSAGE_US ((int64_t)8 * 1000000)

static bool add_theme(wpa_ui *ui, const char *name, wpa_error *err)
{
    wpa_theme *theme = wpa_theme_load(name, ui->arena, err);
    if (theme && ui->n_themes < WPA_COUNT(ui->themes)) {
        ui->themes[ui->n_themes++] = theme;
    }
    return theme != NULL;
}

static bool load_themes(wpa_ui *ui, wpa_error *err)
{
    const char *wanted = ui->options->theme ? ui->options->theme : ui->config.theme;
    if (!add_theme(ui, "dark", err) || !add_theme(ui, "light", err)) {
        return false;
    }
    for (size_t i = 0; wanted && i < ui->n_themes; i++) {
        if (wpa_theme_find(wanted) &&
            wpa_theme_find(ui->themes[i]->name) == wpa_theme_find(wanted)) {
            ui->theme = i;
            return true;
        }
    }
    if (wanted) {
        if (!add_theme(ui, wanted, err)) {
            return ui->options->theme == NULL; /* of the file: said on the screen, not fatal */
        }
        ui->theme = ui->n_themes - 1;
    }
    return true;
}

static void init_lists(wpa_ui *ui)
{
    for (int i = 0; i < WPA_LIST_COUNT; i++) {
        ui->lists[i].sort = WPA_SORT_DEFAULT;
    }
}

wpa_ui *wpa_ui_new(const wpa_ui_options *options, wpa_console_port *port, const char *terminal,
                   int rows, int cols, wpa_error *err)
{
    wpa_ui *ui = wpa_alloc(sizeof *ui);
    const char *faults[8] = {NULL};
    ui->options = options;
    ui->port = port;
    ui->terminal = terminal;
    ui->arena = wpa_arena_new();
    ui->tab = 1;
    ui->local_us = ui->last_key_us = wpa_now_us();
    ui->is_dirty = ui->theme_changed = true;
    ui->sign_in.secret.is_secret = ui->sign_in.again.is_secret = true;
    ui->grid = wpa_grid_new(rows, cols);
    ui->scratch = wpa_grid_new(1, 1);
    wpa_keymap_init(&ui->keymap);
    init_lists(ui);
    size_t n = wpa_ui_config_read(&ui->config, &ui->keymap, options->config, ui->arena, faults,
                                  WPA_COUNT(faults));
    if (!load_themes(ui, err)) {
        wpa_ui_free(ui);
        return NULL;
    }
    if (n) {
        wpa_ui_say(ui, WPA_NOTICE_ERROR, "%s%s", faults[0], n > 1 ? " (and more)" : "");
    } else if (err->code != WPA_OK) {
        wpa_ui_say_error(ui, "theme", err);
    }
    wpa_error_clear(err);
    wpa_sign_in_open(ui);
    return ui;
}

static void close_page(wpa_ui *ui, wpa_page *page)
{
    if (page->view && page->view->close) {
        page->view->close(ui, page);
    }
    wpa_free(page->state);
    *page = (wpa_page){0};
}

static void close_pages(wpa_ui *ui)
{
    for (int tab = 1; tab <= WPA_TABS; tab++) {
        while (ui->n_pages[tab] > 0) {
            close_page(ui, &ui->pages[tab][--ui->n_pages[tab]]);
        }
    }
}

void wpa_ui_free(wpa_ui *ui)
{
    if (!ui) {
        return;
    }
    close_pages(ui);
    wpa_ask_close(ui);
    wpa_field_clear(&ui->sign_in.secret);
    wpa_field_clear(&ui->sign_in.again);
    wpa_msg *msgs[] = {ui->link_msg, ui->start_msg, ui->session_msg, ui->dash_msg, ui->detail_msg};
    for (size_t i = 0; i < WPA_COUNT(msgs); i++) {
        wpa_msg_free(msgs[i]);
    }
    for (int i = 0; i < WPA_LIST_COUNT; i++) {
        wpa_msg_free(ui->lists[i].msg);
    }
    for (int i = 0; i < ui->n_history; i++) {
        wpa_free(ui->history[i]);
    }
    wpa_free(ui->clipboard);
    wpa_grid_free(ui->grid);
    wpa_grid_free(ui->scratch);
    wpa_arena_free(ui->arena);
    wpa_free(ui);
}

/* ---- what holds ------------------------------------------------------------------------------ */

int64_t wpa_ui_clock(const wpa_ui *ui)
{
    return ui->local_us + (ui->link ? ui->link->clock_offset_us : 0);
}

int64_t wpa_ui_now(const wpa_ui *ui)
{
    bool is_lost = ui->link && ui->link->state == WPA_LINK_LOST;
    return is_lost ? ui->link->lost_at_us : wpa_ui_clock(ui);
}

bool wpa_ui_is_live(const wpa_ui *ui)
{
    return ui->link && ui->link->state == WPA_LINK_LIVE;
}

bool wpa_ui_may(const wpa_ui *ui, wpa_action action)
{
    return ui->session && ui->session->state == WPA_SESSION_SIGNED_IN &&
           action < WPA_ACTION_COUNT && ui->session->may[action] &&
           (!ui->session->is_read_only || action == WPA_ACTION_READ ||
            action == WPA_ACTION_VERIFY_AUDIT);
}

static bool is_signed_in(const wpa_ui *ui)
{
    return ui->session && ui->session->state == WPA_SESSION_SIGNED_IN;
}

bool wpa_ui_takes_text(const wpa_ui *ui)
{
    return ui->mode == WPA_MODE_SIGN_IN || ui->mode == WPA_MODE_FILTER ||
           ui->mode == WPA_MODE_PALETTE || (ui->mode == WPA_MODE_ASK && ui->ask.n_fields > 0);
}

/* ---- pages ----------------------------------------------------------------------------------- */

static void open_page(wpa_ui *ui, const wpa_view *view, wpa_object object)
{
    wpa_page *page = &ui->pages[ui->tab][ui->n_pages[ui->tab]++];
    *page = (wpa_page){.view = view, .object = object};
    page->state = wpa_alloc(view->state_bytes ? view->state_bytes : 1);
    if (view->open) {
        view->open(ui, page);
    }
    ui->is_dirty = true;
}

wpa_page *wpa_ui_page(wpa_ui *ui)
{
    if (ui->n_pages[ui->tab] == 0) {
        open_page(ui, wpa_view_of_tab(ui->tab), (wpa_object){WPA_OBJECT_NONE, 0});
    }
    return &ui->pages[ui->tab][ui->n_pages[ui->tab] - 1];
}

void wpa_ui_show_tab(wpa_ui *ui, int tab)
{
    if (tab < 1 || tab > WPA_TABS) {
        return;
    }
    if (tab == ui->tab) { /* the key of the tab that is open goes to its root */
        while (wpa_ui_pop(ui)) {
        }
    }
    ui->tab = tab;
    (void)wpa_ui_page(ui);
    wpa_ui_sync(ui);
    ui->is_dirty = true;
}

void wpa_ui_push(wpa_ui *ui, const wpa_view *view, wpa_object object)
{
    wpa_page *page = wpa_ui_page(ui);
    if (!view || (page->view == view && wpa_object_is(page->object, object))) {
        return;
    }
    if (ui->n_pages[ui->tab] == WPA_PAGES_MAX) { /* the deepest is replaced */
        close_page(ui, &ui->pages[ui->tab][--ui->n_pages[ui->tab]]);
    }
    open_page(ui, view, object);
    wpa_ui_sync(ui);
}

bool wpa_ui_pop(wpa_ui *ui)
{
    if (ui->n_pages[ui->tab] <= 1) {
        return false;
    }
    close_page(ui, &ui->pages[ui->tab][--ui->n_pages[ui->tab]]);
    wpa_ui_sync(ui);
    ui->is_dirty = true;
    return true;
}

void wpa_ui_open(wpa_ui *ui, wpa_object object)
{
    const wpa_view *view = wpa_view_of_object(object.kind);
    if (view) {
        wpa_ui_push(ui, view, object);
    }
}

wpa_object wpa_ui_selected(wpa_ui *ui)
{
    wpa_page *page = wpa_ui_page(ui);
    return page->view->selected ? page->view->selected(ui, page) : page->object;
}

const wpa_cursor *wpa_ui_marks(wpa_ui *ui)
{
    wpa_page *page = wpa_ui_page(ui);
    return page->view->cursor ? page->view->cursor(page) : NULL;
}

unsigned wpa_ui_contexts(wpa_ui *ui)
{
    static const struct {
        wpa_object_kind kind;
        unsigned context;
    } kinds[] = {
        {WPA_OBJECT_WORKFLOW, WPA_ON_WORKFLOW},
        {WPA_OBJECT_FINDING, WPA_ON_FINDING},
        {WPA_OBJECT_PATCH, WPA_ON_PATCH},
        {WPA_OBJECT_DEPLOYMENT, WPA_ON_DEPLOYMENT},
        {WPA_OBJECT_JOB, WPA_ON_JOB},
        {WPA_OBJECT_NOTICE, WPA_ON_NOTICE},
        {WPA_OBJECT_DESTINATION, WPA_ON_DESTINATION},
    };
    wpa_object object = wpa_ui_selected(ui);
    unsigned contexts = wpa_ui_page(ui)->view->contexts;
    for (size_t i = 0; i < WPA_COUNT(kinds); i++) {
        contexts |= kinds[i].kind == object.kind ? kinds[i].context | WPA_ON_OBJECT : 0;
    }
    return contexts;
}

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
    if (!is_signed_in(ui) || ui->is_wall) {
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
    bool was_in = is_signed_in(ui);
    wpa_msg_free(ui->session_msg);
    ui->session_msg = msg;
    ui->session = msg->body;
    if (is_signed_in(ui)) {
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
    if (is_signed_in(ui) && !ui->is_wall) {
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

/* ---- messages and time ----------------------------------------------------------------------- */

void wpa_ui_say(wpa_ui *ui, wpa_notice_level level, const char *format, ...)
{
    bool is_kept = ui->message.text[0] && ui->message.until_us == 0 &&
                   ui->message.level >= WPA_NOTICE_ERROR && level < WPA_NOTICE_ERROR;
    if (is_kept) { /* an error stays until a key */
        ui->n_more_messages++;
        return;
    }
    va_list values;
    va_start(values, format);
    (void)vsnprintf(ui->message.text, sizeof ui->message.text, format, values);
    va_end(values);
    ui->message.level = level;
    ui->message.at_us = wpa_ui_clock(ui);
    ui->message.until_us = level >= WPA_NOTICE_ERROR ? 0 : ui->local_us + MESSAGE_US;
    ui->n_more_messages = 0;
    ui->is_dirty = true;
}

void wpa_ui_say_error(wpa_ui *ui, const char *what, const wpa_error *err)
{
    wpa_ui_say(ui, WPA_NOTICE_ERROR, "%s: %s", what, err->message);
}

void wpa_ui_copy(wpa_ui *ui, const char *text)
{
    wpa_free(ui->clipboard);
    ui->clipboard = wpa_strdup(text);
    wpa_ui_say(ui, WPA_NOTICE_OK, "copied by OSC 52: %s", text);
}

/* An unattended console is locked; deploys and jobs go on. */
static void lock_if_idle(wpa_ui *ui)
{
    int64_t idle_us = ui->local_us - ui->last_key_us;
    if (is_signed_in(ui) && !ui->is_wall && !ui->session->is_read_only && ui->config.lock_ms > 0 &&
        idle_us > ui->config.lock_ms * 1000) {
        ui->last_key_us = ui->local_us;
        (void)wpa_ui_send(ui, wpa_command_new(WPA_COMMAND_SIGN_OUT));
    }
}

void wpa_ui_tick(wpa_ui *ui, int64_t local_us)
{
    int64_t before = ui->local_us;
    ui->local_us = local_us;
    if (ui->message.text[0] && ui->message.until_us && local_us >= ui->message.until_us) {
        ui->message.text[0] = '\0';
        ui->is_dirty = true;
    }
    int64_t step = ui->config.has_seconds ? 1000000 : 60000000;
    if (before / step != local_us / step) {
        ui->is_dirty = true;
    }
    if (wpa_rollback_is_open(ui)) {
        wpa_rollback_follow(ui);
        ui->is_dirty = true;
    }
    lock_if_idle(ui);
}

int wpa_ui_wait_ms(const wpa_ui *ui)
{
    if (wpa_rollback_is_open(ui)) {
        return ui->config.reduces_motion ? 1000 : 100;
    }
    int64_t left_us = 1000000 - ui->local_us % 1000000;
    return (int)(left_us / 1000) + 1;
}

void wpa_ui_resize(wpa_ui *ui, int rows, int cols)
{
    if (rows != ui->grid->rows || cols != ui->grid->cols) {
        wpa_grid_resize(ui->grid, rows, cols);
        ui->is_dirty = true;
    }
}
