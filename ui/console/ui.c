#include "console/ui.h"

#include <stdio.h>

#include <wpa/clock.h>
#include <wpa/memory.h>

#define MESSAGE_US ((int64_t)8 * 1000000)

/* The place of one of this name, a free one, or the last: a file's name is not the theme's. */
static size_t place_of_theme(const wpa_ui *ui, const wpa_theme *theme)
{
    size_t i = 0;
    while (i < ui->n_themes && !wpa_text_is(ui->themes[i]->name, theme->name)) {
        i++;
    }
    return i < WPA_COUNT(ui->themes) ? i : WPA_COUNT(ui->themes) - 1;
}

bool wpa_ui_load_theme(wpa_ui *ui, const char *name, wpa_error *err)
{
    wpa_theme *theme = wpa_theme_load(name, ui->arena, err);
    if (!theme) {
        return false;
    }
    ui->theme = place_of_theme(ui, theme);
    ui->themes[ui->theme] = theme;
    ui->n_themes = ui->theme < ui->n_themes ? ui->n_themes : ui->theme + 1;
    ui->theme_changed = true;
    return true;
}

static bool load_themes(wpa_ui *ui, wpa_error *err)
{
    const char *wanted = ui->options->theme ? ui->options->theme : ui->config.theme;
    if (!wpa_ui_load_theme(ui, "dark", err) || !wpa_ui_load_theme(ui, "light", err)) {
        return false;
    }
    for (size_t i = 0; i < wpa_n_theme_files; i++) { /* T goes through them behind these two */
        bool is_parent = wpa_text_starts(wpa_theme_files[i].name, "base");
        if (!is_parent && !wpa_ui_load_theme(ui, wpa_theme_files[i].name, err)) {
            return false;
        }
    }
    ui->theme = 0;
    for (size_t i = 0; wanted && i < ui->n_themes; i++) {
        if (wpa_theme_find(wanted) &&
            wpa_theme_find(ui->themes[i]->name) == wpa_theme_find(wanted)) {
            ui->theme = i;
            return true;
        }
    }
    /* One of the file that cannot be had is said on the screen, and not fatal. */
    return !wanted || wpa_ui_load_theme(ui, wanted, err) || !ui->options->theme;
}

static void init_lists(wpa_ui *ui)
{
    for (int i = 0; i < WPA_LIST_COUNT; i++) {
        ui->lists[i].sort = WPA_SORT_DEFAULT;
    }
}

static void read_names(wpa_ui *ui)
{
    wpa_error err = {0};
    ui->filters =
        (wpa_names){.file = "filters.yaml",
                    .heading = "# Filters of the console, by :set filter NAME; /@NAME uses one.\n",
                    .what = "filter"};
    ui->layouts = (wpa_names){
        .file = "layouts.yaml",
        .heading = "# Layouts of the dashboard, by :layout save NAME; :layout NAME uses one.\n",
        .what = "layout"};
    wpa_names *all[] = {&ui->filters, &ui->layouts};
    for (size_t i = 0; i < WPA_COUNT(all); i++) {
        if (!wpa_names_read(ui, all[i], &err)) {
            wpa_ui_say_error(ui, all[i]->file, &err);
            wpa_error_clear(&err);
        }
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
    ui->has_mouse = ui->config.mouse == WPA_CHOICE_YES ||
                    (ui->config.mouse == WPA_CHOICE_AUTO && !options->is_over_ssh);
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
    read_names(ui);
    ui->layout = ui->config.dash;
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
    wpa_msg *msgs[] = {ui->link_msg, ui->start_msg,  ui->session_msg,
                       ui->dash_msg, ui->detail_msg, ui->held_dash_msg};
    for (size_t i = 0; i < WPA_COUNT(msgs); i++) {
        wpa_msg_free(msgs[i]);
    }
    for (int i = 0; i < WPA_LIST_COUNT; i++) {
        wpa_msg_free(ui->lists[i].before_msg);
        wpa_msg_free(ui->lists[i].local);
        wpa_msg_free(ui->lists[i].msg);
    }
    for (int i = 0; i < ui->n_history; i++) {
        wpa_free(ui->history[i]);
    }
    wpa_free(ui->clipboard);
    wpa_free(ui->kept);
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
    return wpa_ui_is_lost(ui) ? ui->link->lost_at_us : wpa_ui_clock(ui);
}

bool wpa_ui_is_lost(const wpa_ui *ui)
{
    return ui->link && ui->link->state == WPA_LINK_LOST;
}

bool wpa_ui_is_live(const wpa_ui *ui)
{
    return ui->link && ui->link->state == WPA_LINK_LIVE;
}

const wpa_notice_row *wpa_ui_alarms(const wpa_ui *ui, size_t *n)
{
    const wpa_dashboard_view *dash = ui->held_dash_msg ? ui->held_dash_msg->body : ui->dash;
    *n = dash ? dash->n_alarms : 0;
    return dash ? dash->alarms : NULL;
}

bool wpa_ui_is_signed_in(const wpa_ui *ui)
{
    return ui->session && ui->session->state == WPA_SESSION_SIGNED_IN;
}

bool wpa_ui_may(const wpa_ui *ui, wpa_action action)
{
    return wpa_ui_is_signed_in(ui) && action < WPA_ACTION_COUNT && ui->session->may[action] &&
           (!ui->session->is_read_only || action == WPA_ACTION_READ ||
            action == WPA_ACTION_VERIFY_AUDIT);
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

void wpa_ui_show_map(wpa_ui *ui, wpa_object workflow)
{
    const wpa_view *map = wpa_view_named("map");
    ui->tab = map->tab;
    wpa_ui_push(ui, map, workflow);
    wpa_ui_sync(ui);
    ui->is_dirty = true;
}

wpa_object wpa_ui_selected(wpa_ui *ui)
{
    if (ui->acts_on.kind != WPA_OBJECT_NONE) {
        return ui->acts_on;
    }
    wpa_page *page = wpa_ui_page(ui);
    return page->view->selected ? page->view->selected(ui, page) : page->object;
}

const wpa_cursor *wpa_ui_marks(wpa_ui *ui)
{
    wpa_page *page = wpa_ui_page(ui);
    bool is_named = ui->acts_on.kind != WPA_OBJECT_NONE;
    return page->view->cursor && !is_named ? page->view->cursor(page) : NULL;
}

unsigned wpa_ui_contexts_of(wpa_object_kind kind)
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
    unsigned contexts = 0;
    for (size_t i = 0; i < WPA_COUNT(kinds); i++) {
        contexts |= kinds[i].kind == kind ? kinds[i].context | WPA_ON_OBJECT : 0;
    }
    return contexts;
}

unsigned wpa_ui_contexts(wpa_ui *ui)
{
    return wpa_ui_page(ui)->view->contexts | wpa_ui_contexts_of(wpa_ui_selected(ui).kind);
}

/* ---- messages and time ----------------------------------------------------------------------- */

void wpa_ui_say(wpa_ui *ui, wpa_notice_level level, const char *format, ...)
{
    char text[WPA_MESSAGE_MAX];
    va_list values;
    va_start(values, format);
    (void)vsnprintf(text, sizeof text, format, values);
    va_end(values);
    if (ui->said) {
        ui->said(ui->said_context, level, text);
    }
    bool is_kept = ui->message.text[0] && ui->message.until_us == 0 &&
                   ui->message.level >= WPA_NOTICE_ERROR && level < WPA_NOTICE_ERROR;
    if (is_kept) { /* an error stays until a key */
        ui->n_more_messages++;
        return;
    }
    (void)wpa_text_copy(ui->message.text, sizeof ui->message.text, text);
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
    if (wpa_ui_is_signed_in(ui) && !ui->is_wall && !ui->session->is_read_only &&
        ui->config.lock_ms > 0 && idle_us > ui->config.lock_ms * 1000) {
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
    wpa_ui_settle(ui);
    wpa_place_follow(ui);
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
