/*
 * Texts with names, in files beside console.yaml: filters (":set filter NAME" keeps the one of the
 * list that is open, "@NAME" stands for it in any filter) and layouts. They are this person's own.
 */
#include <string.h>

#include <wpa/buf.h>
#include <wpa/file.h>

#include "console/ui.h"

#define FILE_MAX_BYTES 262144
#define NAME_MAX_BYTES 32

static const char *path_of(const wpa_ui *ui, const wpa_names *names, wpa_arena *arena,
                           wpa_error *err)
{
    const char *config = ui->options->config, *end = config ? strrchr(config, '/') : NULL;
    const char *folder = config ? end ? wpa_arena_slice(arena, config, (size_t)(end - config)) : "."
                                : wpa_path_config(arena, err);
    return folder ? wpa_path_join(arena, folder, names->file) : NULL;
}

bool wpa_names_takes(const char *name)
{
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-");
    return n > 0 && n <= NAME_MAX_BYTES && !name[n] && !wpa_text_is(name, "mine");
}

const char *wpa_names_find(const wpa_names *names, const char *name)
{
    for (size_t i = 0; i < names->n; i++) {
        if (wpa_text_is(names->items[i].name, name)) {
            return names->items[i].text;
        }
    }
    return NULL;
}

static bool take(wpa_ui *ui, wpa_names *names, const wpa_yaml_pair *pair, wpa_error *err)
{
    const char *name = wpa_yaml_text(pair->key), *text = wpa_yaml_text(pair->value);
    if (!name || !wpa_names_takes(name) || !text) {
        return wpa_yaml_fail(pair->key, err,
                             "a %s is NAME: \"TEXT\", the name of small letters, digits, _ and -",
                             names->what);
    }
    if (names->n == WPA_SAVED_MAX) {
        return wpa_yaml_fail(pair->key, err, "more than %d of them", WPA_SAVED_MAX);
    }
    names->items[names->n].name = wpa_arena_text(ui->arena, name);
    names->items[names->n++].text = wpa_arena_text(ui->arena, text);
    return true;
}

bool wpa_names_read(wpa_ui *ui, wpa_names *names, wpa_error *err)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const char *path = path_of(ui, names, arena, err);
    if (!path || !wpa_path_exists(path)) {
        return path != NULL;
    }
    const wpa_yaml_doc *doc = wpa_yaml_load(path, arena, err);
    names->n = 0;
    for (size_t i = 0; doc && doc->root && i < doc->root->n_pairs; i++) {
        if (!take(ui, names, &doc->root->pairs[i], err)) {
            return false;
        }
    }
    return doc != NULL;
}

void wpa_saved_put_quoted(wpa_buf *buf, const char *text)
{
    wpa_buf_text(buf, "\"");
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c < ' ' || c == 0x7F) {
            wpa_buf_printf(buf, "\\x%02x", c);
        } else {
            wpa_buf_printf(buf, c == '"' || c == '\\' ? "\\%c" : "%c", c);
        }
    }
    wpa_buf_text(buf, "\"\n");
}

static bool write_all(const wpa_ui *ui, const wpa_names *names, wpa_error *err)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const char *path = path_of(ui, names, arena, err);
    if (!path) {
        return false;
    }
    const char *folder = wpa_arena_slice(arena, path, (size_t)(strrchr(path, '/') - path));
    WPA_AUTO(wpa_buf) *buf = wpa_buf_new(FILE_MAX_BYTES);
    wpa_buf_text(buf, names->heading);
    for (size_t i = 0; i < names->n; i++) {
        wpa_buf_printf(buf, "%s: ", names->items[i].name);
        wpa_saved_put_quoted(buf, names->items[i].text);
    }
    return wpa_buf_check(buf, names->file, err) && wpa_dir_make(folder, 0700, err) &&
           wpa_file_replace(path, wpa_buf_data(buf), wpa_buf_size(buf), 0600, err);
}

/* Puts it in the place of the one of this name; without text there is none any more. */
static bool put(wpa_ui *ui, wpa_names *names, const char *name, const char *text, wpa_error *err)
{
    size_t i = 0;
    while (i < names->n && !wpa_text_is(names->items[i].name, name)) {
        i++;
    }
    if (!*text) {
        memmove(&names->items[i], &names->items[i + 1],
                (names->n - i - (i < names->n)) * sizeof names->items[0]);
        names->n -= i < names->n;
        return true;
    }
    if (i == WPA_SAVED_MAX) {
        return WPA_FAIL(err, WPA_E_LIMIT, "there are %d %ss already", WPA_SAVED_MAX, names->what);
    }
    names->n += i == names->n;
    names->items[i].name = wpa_arena_text(ui->arena, name);
    names->items[i].text = wpa_arena_text(ui->arena, text);
    return true;
}

bool wpa_names_put(wpa_ui *ui, wpa_names *names, const char *name, const char *text, wpa_error *err)
{
    return wpa_names_read(ui, names, err) && put(ui, names, name, text, err) &&
           write_all(ui, names, err);
}

static void tell_all(wpa_ui *ui)
{
    char text[WPA_MESSAGE_MAX] = "";
    for (size_t i = 0; i < ui->filters.n; i++) {
        size_t used = strlen(text);
        (void)wpa_text_format(text + used, sizeof text - used, "  @%s", ui->filters.items[i].name);
    }
    wpa_ui_say(ui, WPA_NOTICE_NOTE, *text ? "saved:%s" : "no filter is saved%s", text);
}

void wpa_saved_set(wpa_ui *ui, const char *name)
{
    wpa_error err = {0};
    int list = wpa_ui_page(ui)->view->list;
    if (!*name) {
        tell_all(ui);
        return;
    }
    if (!wpa_names_takes(name)) {
        wpa_ui_say(ui, WPA_NOTICE_NOTE,
                   "'%s' cannot be a name: small letters, digits, _ and -, not mine", name);
        return;
    }
    const char *text = list >= 0 ? ui->lists[list].filter : "";
    bool had = wpa_names_find(&ui->filters, name) != NULL;
    if (list < 0 || (!*text && !had)) {
        wpa_ui_say(ui, WPA_NOTICE_NOTE, "no filter is set here: / sets one");
        return;
    }
    if (!wpa_names_put(ui, &ui->filters, name, text, &err)) {
        wpa_ui_say_error(ui, "filter", &err);
        return;
    }
    wpa_ui_say(ui, WPA_NOTICE_OK, *text ? "@%s is %s" : "@%s is no more%s", name, text);
}
