/*
 * Where a Guardian was last: view, filters, orders and selections, kept for him and the size of his
 * terminal in the state folder, and taken up again when he signs in (ui.restore: false in
 * console.yaml: they are not).
 */
#include <ctype.h>
#include <string.h>

#include <wpa/buf.h>
#include <wpa/file.h>
#include <wpa/memory.h>

#include "console/ui.h"

#define FILE_MAX_BYTES 65536
#define STILL_US ((int64_t)1000000)     /* behind the last key */
#define AGAIN_US ((int64_t)5 * 1000000) /* while keys come without an end */

/* ---- the file -------------------------------------------------------------------------------- */

/* A wall of screens and a pane of tmux are used for different things. */
static const char *size_class(const wpa_ui *ui)
{
    int rows = ui->grid->rows, cols = ui->grid->cols;
    return rows < 24 || cols < 80    ? "tiny"
           : rows < 40 || cols < 120 ? "small"
           : rows < 60 || cols < 200 ? "medium"
                                     : "large";
}

static const char *path_of(const wpa_ui *ui, wpa_arena *arena, wpa_error *err)
{
    const char *config = ui->options->config, *end = config ? strrchr(config, '/') : NULL;
    const char *folder = config ? end ? wpa_arena_slice(arena, config, (size_t)(end - config)) : "."
                                : wpa_path_state(arena, err);
    WPA_AUTO(wpa_buf) *name = wpa_buf_new(1024);
    for (const char *c = ui->session->name; *c; c++) {
        bool is_plain = isalnum((unsigned char)*c) || *c == '-' || *c == '_';
        wpa_buf_printf(name, is_plain ? "%c" : "%%%02x", (unsigned char)*c);
    }
    return folder && wpa_buf_check(name, "name", err)
               ? wpa_path_join(arena, folder,
                               wpa_arena_printf(arena, "console-%.*s-%s.yaml",
                                                (int)wpa_buf_size(name), wpa_buf_data(name),
                                                size_class(ui)))
               : NULL;
}

/* ---- taking up ------------------------------------------------------------------------------- */

static bool take_list(wpa_rows *rows, const wpa_yaml_node *node, wpa_error *err)
{
    const char *filter = NULL, *sort = NULL, *selected = NULL, *cursor = NULL;
    if (!wpa_yaml_get_text(node, "filter", &filter, err) ||
        !wpa_yaml_get_text(node, "sort", &sort, err) ||
        !wpa_yaml_get_bool(node, "turned", &rows->is_descending, err) ||
        !wpa_yaml_get_text(node, "selected", &selected, err) ||
        !wpa_yaml_get_text(node, "cursor", &cursor, err)) {
        return false;
    }
    int index = sort ? wpa_text_index(sort, wpa_sort_words, WPA_SORT_COUNT) : -1;
    rows->sort = index < 0 ? WPA_SORT_DEFAULT : (wpa_sort)index;
    (void)wpa_text_copy(rows->filter, sizeof rows->filter, filter ? filter : "");
    rows->resumes_at = wpa_object_parse(selected ? selected : "");
    (void)wpa_text_copy(rows->resumes_cursor, sizeof rows->resumes_cursor, cursor ? cursor : "");
    return true;
}

static bool take(wpa_ui *ui, const wpa_yaml_node *root, wpa_error *err)
{
    const char *tab = NULL, *object = NULL;
    int64_t number = 0;
    if (!wpa_yaml_get_text(root, "tab", &tab, err) ||
        !wpa_yaml_get_text(root, "open", &object, err)) {
        return false;
    }
    for (int i = 0; i < WPA_LIST_COUNT; i++) {
        const wpa_yaml_node *list = NULL;
        if (!wpa_yaml_get_mapping(root, wpa_list_words[i], &list, err) ||
            (list && !take_list(&ui->lists[i], list, err))) {
            return false;
        }
    }
    if (tab && wpa_text_to_int(tab, 1, WPA_TABS, &number)) {
        ui->tab = (int)number;
    }
    if (object) {
        wpa_ui_open(ui, wpa_object_parse(object));
    }
    return true;
}

void wpa_resume_take(wpa_ui *ui)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_error err = {0};
    const char *name = ui->session->name;
    bool is_known = !name || wpa_text_is(name, ui->resumed);
    if (ui->is_wall || !ui->config.restores || is_known) {
        return;
    }
    bool is_first = !ui->resumed[0]; /* where somebody else was stays as it is */
    (void)wpa_text_copy(ui->resumed, sizeof ui->resumed, name);
    const char *path = is_first ? path_of(ui, arena, &err) : NULL;
    if (!path || !wpa_path_exists(path)) {
        return;
    }
    const wpa_yaml_doc *doc = wpa_yaml_load(path, arena, &err);
    if (!doc || (doc->root && !take(ui, doc->root, &err))) {
        wpa_ui_say_error(ui, "where you were", &err);
    }
}

/* ---- keeping --------------------------------------------------------------------------------- */

/* What is selected in the list of a tab, and the key of its row. */
static wpa_object selected_in(wpa_ui *ui, int list, const char **cursor)
{
    const wpa_list_view *view = ui->lists[list].view;
    for (int tab = 1; tab <= WPA_TABS; tab++) {
        wpa_page *page = &ui->pages[tab][0];
        if (ui->n_pages[tab] && page->view->list == list && page->view->cursor) {
            const wpa_cursor *at = page->view->cursor(page);
            *cursor = view ? wpa_loaded_row_cursor(view, at->index, at->selected.id) : NULL;
            return at->selected;
        }
    }
    *cursor = ui->lists[list].resumes_cursor; /* not opened yet: where he was the time before */
    return ui->lists[list].resumes_at;
}

static void put_list(wpa_ui *ui, int list, wpa_buf *buf)
{
    const wpa_rows *rows = &ui->lists[list];
    const char *cursor = NULL;
    char id[WPA_SHORT];
    wpa_object selected = selected_in(ui, list, &cursor);
    if (selected.kind == WPA_OBJECT_NONE && !rows->filter[0]) {
        return;
    }
    wpa_buf_printf(
        buf, "%s:\n  sort: %s\n  turned: %s\n  selected: \"%s\"\n  filter: ", wpa_list_words[list],
        wpa_sort_words[rows->sort], rows->is_descending ? "true" : "false",
        wpa_object_text(selected, id, sizeof id));
    wpa_saved_put_quoted(buf, rows->filter);
    wpa_buf_text(buf, "  cursor: ");
    wpa_saved_put_quoted(buf, cursor ? cursor : "");
}

static void put_all(wpa_ui *ui, wpa_buf *buf)
{
    char id[WPA_SHORT];
    const wpa_page *page = wpa_ui_page(ui);
    bool is_own = wpa_view_of_object(page->object.kind) == page->view;
    wpa_buf_text(buf,
                 "# Where the console goes on; ui.restore: false in console.yaml forgets it.\n");
    wpa_buf_printf(buf, "tab: %d\nopen: \"%s\"\n", ui->tab,
                   is_own ? wpa_object_text(page->object, id, sizeof id) : "");
    for (int i = 0; i < WPA_LIST_COUNT; i++) {
        put_list(ui, i, buf);
    }
}

/** Is there somebody whose place is to be kept? */
static bool is_kept(const wpa_ui *ui)
{
    return !ui->is_wall && ui->config.restores && wpa_ui_is_signed_in(ui) && ui->session->name;
}

static void keep(wpa_ui *ui, bool is_leaving)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    WPA_AUTO(wpa_buf) *buf = wpa_buf_new(FILE_MAX_BYTES);
    wpa_error err = {0}; /* who leaves can be told nothing, and nobody else need be */
    const char *path = path_of(ui, arena, &err);
    put_all(ui, buf);
    if (!path || !wpa_buf_check(buf, path, &err)) {
        return;
    }
    char *text = wpa_buf_dup(buf, arena);
    const char *what = wpa_arena_printf(arena, "%s: %s", path, text);
    if (!is_leaving && wpa_text_is(what, ui->kept)) {
        return; /* a write waits for the disk, and keys for the write */
    }
    wpa_free(ui->kept);
    ui->kept = wpa_strdup(what);
    (void)!wpa_file_replace(path, text, wpa_buf_size(buf), 0600, &err);
}

void wpa_resume_keep(wpa_ui *ui)
{
    if (is_kept(ui)) {
        keep(ui, true);
    }
}

void wpa_resume_follow(wpa_ui *ui)
{
    bool is_still = ui->local_us - ui->last_key_us >= STILL_US;
    if (ui->last_key_us == ui->kept_key_us || !is_kept(ui) ||
        (!is_still && ui->local_us - ui->kept_us < AGAIN_US)) {
        return;
    }
    ui->kept_us = ui->local_us;
    ui->kept_key_us = ui->last_key_us;
    keep(ui, false);
}
