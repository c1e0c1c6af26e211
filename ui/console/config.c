#include "console/config.h"

#include <string.h>

#include <wpa/console.h>
#include <wpa/file.h>

#define CONFIG_MAX_BYTES 262144

typedef struct reader {
    wpa_config *config;
    wpa_keymap *keymap;
    wpa_arena *arena;
    const char **faults;
    size_t n, max;
} reader;

static bool read_theme(reader *r, const wpa_yaml_node *root, wpa_error *err)
{
    const char *theme = NULL;
    if (!wpa_yaml_get_text(root, "theme", &theme, err)) {
        return false;
    }
    r->config->theme = wpa_text_is(theme, "auto") ? NULL : wpa_arena_text(r->arena, theme);
    return true;
}

static bool read_unicode(reader *r, const wpa_yaml_node *root, wpa_error *err)
{
    static const char *const choices[] = {"auto", "no", "yes"};
    return wpa_yaml_get_choice(root, "unicode", choices, 3, &r->config->unicode, err);
}

static bool read_clock(reader *r, const wpa_yaml_node *root, wpa_error *err)
{
    const char *clock = NULL;
    if (!wpa_yaml_get_text(root, "clock", &clock, err)) {
        return false;
    }
    if (clock && !wpa_text_is(clock, "utc seconds") && !wpa_text_is(clock, "utc minutes")) {
        return wpa_yaml_fail(wpa_yaml_get(root, "clock"), err,
                             "clock: '%s' is neither 'utc seconds' nor 'utc minutes'", clock);
    }
    r->config->has_seconds = !wpa_text_is(clock, "utc minutes");
    return true;
}

static bool read_input(reader *r, const wpa_yaml_node *root, wpa_error *err)
{
    const wpa_yaml_node *input = NULL;
    const char *escdelay = NULL;
    if (!wpa_yaml_get_mapping(root, "input", &input, err)) {
        return false;
    }
    if (!input) {
        return true;
    }
    if (!wpa_yaml_get_text(input, "escdelay", &escdelay, err)) {
        return false;
    }
    return wpa_text_is(escdelay, "auto") ||
           wpa_yaml_get_duration_ms(input, "escdelay", &r->config->esc_ms, err);
}

static bool read_rollback(reader *r, const wpa_yaml_node *root, wpa_error *err)
{
    const wpa_yaml_node *rollback = NULL;
    int64_t window = r->config->rollback_ms;
    if (!wpa_yaml_get_mapping(root, "rollback", &rollback, err) ||
        (rollback && !wpa_yaml_get_duration_ms(rollback, "window", &window, err))) {
        return false;
    }
    if (window > 10000) {
        return wpa_yaml_fail(rollback, err, "rollback.window is at most 10s");
    }
    r->config->rollback_ms = window;
    return true;
}

static bool read_lock(reader *r, const wpa_yaml_node *root, wpa_error *err)
{
    const wpa_yaml_node *lock = NULL;
    return wpa_yaml_get_mapping(root, "lock", &lock, err) &&
           (!lock || wpa_yaml_get_duration_ms(lock, "idle", &r->config->lock_ms, err));
}

static bool read_ui(reader *r, const wpa_yaml_node *root, wpa_error *err)
{
    const wpa_yaml_node *ui = NULL;
    return wpa_yaml_get_mapping(root, "ui", &ui, err) &&
           (!ui || (wpa_yaml_get_bool(ui, "reduce_motion", &r->config->reduces_motion, err) &&
                    wpa_yaml_get_bool(ui, "restore", &r->config->restores, err) &&
                    wpa_yaml_get_int(ui, "live_fps", 1, 10, &r->config->live_fps, err)));
}

static bool read_notify(reader *r, const wpa_yaml_node *root, wpa_error *err)
{
    static const char *const bells[] = {"never", "alarm"};
    const wpa_yaml_node *notify = NULL;
    int bell = r->config->rings;
    if (!wpa_yaml_get_mapping(root, "notify", &notify, err) ||
        (notify && !wpa_yaml_get_choice(notify, "bell", bells, 2, &bell, err))) {
        return false;
    }
    r->config->rings = bell == 1;
    return true;
}

static bool read_pages(reader *r, const wpa_yaml_node *wall, wpa_error *err)
{
    static const char *const names[WPA_WALL_PAGES] = {"overview", "findings", "runs"};
    const char *const *pages = NULL;
    size_t n = 0;
    if (!wpa_yaml_get_texts(wall, "pages", r->arena, &pages, &n, err)) {
        return false;
    }
    int chosen[WPA_WALL_PAGES] = {0};
    for (size_t i = 0; i < n; i++) {
        int page = wpa_text_index(pages[i], names, WPA_COUNT(names));
        if (page < 0 || i == WPA_COUNT(chosen)) {
            return wpa_yaml_fail(wpa_yaml_get(wall, "pages"), err,
                                 "wall.pages are of overview, findings and runs, not '%s'",
                                 pages[i]);
        }
        chosen[i] = page;
    }
    if (n) {
        memcpy(r->config->wall.pages, chosen, sizeof chosen);
        r->config->wall.n_pages = (int)n;
    }
    return true;
}

/* "19:00" as minutes of the day; -1 it is none. */
static int minutes_of(const char *text)
{
    bool is_time =
        strspn(text, "0123456789") == 2 && text[2] == ':' && strspn(text + 3, "0123456789") == 2;
    if (!is_time) {
        return -1;
    }
    int hours = (text[0] - '0') * 10 + text[1] - '0';
    int minutes = (text[3] - '0') * 10 + text[4] - '0';
    return hours < 24 && minutes < 60 ? hours * 60 + minutes : -1;
}

static bool read_dim(reader *r, const wpa_yaml_node *wall, wpa_error *err)
{
    const char *dim = NULL;
    if (!wpa_yaml_get_text(wall, "dim", &dim, err) || !dim) {
        return err->code == WPA_OK;
    }
    int from = minutes_of(dim), to = from >= 0 && dim[5] == '-' ? minutes_of(dim + 6) : -1;
    if (to < 0 || dim[11]) {
        return wpa_yaml_fail(wpa_yaml_get(wall, "dim"), err,
                             "wall.dim: '%s' is not two times such as \"19:00-07:00\"", dim);
    }
    r->config->wall.dim_from = from;
    r->config->wall.dim_to = to;
    return true;
}

static bool read_wall(reader *r, const wpa_yaml_node *root, wpa_error *err)
{
    static const char *const known[] = {"pages", "turn", "dim"};
    const wpa_yaml_node *wall = NULL;
    int64_t turn_ms = r->config->wall.turn_ms;
    if (!wpa_yaml_get_mapping(root, "wall", &wall, err) || !wall) {
        return err->code == WPA_OK;
    }
    if (!wpa_yaml_check_keys(wall, known, WPA_COUNT(known), err) ||
        !wpa_yaml_get_duration_ms(wall, "turn", &turn_ms, err)) {
        return false;
    }
    if (turn_ms < 2000) {
        return wpa_yaml_fail(wpa_yaml_get(wall, "turn"), err, "wall.turn is at least 2s");
    }
    r->config->wall.turn_ms = turn_ms;
    return read_pages(r, wall, err) && read_dim(r, wall, err);
}

static bool read_dash(reader *r, const wpa_yaml_node *root, wpa_error *err)
{
    static const char *const known[] = {"panes"};
    const wpa_yaml_node *dash = NULL;
    const char *const *panes = NULL;
    const char *text = "";
    size_t n = 0;
    if (!wpa_yaml_get_mapping(root, "dash", &dash, err) || !dash) {
        return err->code == WPA_OK;
    }
    if (!wpa_yaml_check_keys(dash, known, WPA_COUNT(known), err) ||
        !wpa_yaml_get_texts(dash, "panes", r->arena, &panes, &n, err)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        text = wpa_arena_printf(r->arena, "%s%s%s", text, i ? " " : "", panes[i]);
    }
    wpa_error fault = {0};
    return wpa_layout_parse(&r->config->dash, text, &fault) ||
           wpa_yaml_fail(wpa_yaml_get(dash, "panes"), err, "dash.panes: %s", fault.message);
}

static bool read_mouse(reader *r, const wpa_yaml_node *root, wpa_error *err)
{
    static const char *const choices[] = {"auto", "no", "yes"};
    return wpa_yaml_get_choice(root, "mouse", choices, WPA_COUNT(choices), &r->config->mouse, err);
}

static bool read_keys(reader *r, const wpa_yaml_node *root, wpa_error *err)
{
    const wpa_yaml_node *keys = NULL;
    return wpa_yaml_get_mapping(root, "keys", &keys, err) &&
           (!keys || wpa_keymap_apply(r->keymap, keys, err));
}

/* db is read by every command, and the others say for themselves that they cannot be set. */
static bool read_known(reader *r, const wpa_yaml_node *root, wpa_error *err)
{
    static const char *const known[] = {"db",    "theme",    "unicode", "mouse", "clock",
                                        "input", "rollback", "lock",    "ui",    "notify",
                                        "dash",  "wall",     "keys"};
    (void)r;
    return wpa_yaml_check_keys(root, known, WPA_COUNT(known), err);
}

size_t wpa_ui_config_read(wpa_config *config, wpa_keymap *keymap, const char *path,
                          wpa_arena *arena, const char **faults, size_t max)
{
    static bool (*const readers[])(reader *, const wpa_yaml_node *, wpa_error *) = {
        read_known, read_theme,  read_unicode, read_clock, read_input, read_rollback, read_lock,
        read_ui,    read_notify, read_dash,    read_wall,  read_mouse, read_keys,
    };
    *config = (wpa_config){.has_seconds = true,
                           .restores = true,
                           .rings = true,
                           .lock_ms = (int64_t)15 * 60 * 1000,
                           .rollback_ms = -1,
                           .wall = {.pages = {0, 1, 2}, .n_pages = 3, .turn_ms = 20000},
                           .live_fps = 10};
    reader r = {.config = config, .keymap = keymap, .arena = arena, .faults = faults, .max = max};
    wpa_error err = {0};
    const char *folder = path ? NULL : wpa_path_config(arena, &err);
    path = path ? path : folder ? wpa_path_join(arena, folder, "console.yaml") : NULL;
    if (!path || !wpa_path_exists(path)) {
        return 0;
    }
    const wpa_yaml_doc *doc = wpa_yaml_load(path, arena, &err);
    for (size_t i = 0; doc && doc->root && i < WPA_COUNT(readers); i++) {
        wpa_error_clear(&err);
        if (!readers[i](&r, doc->root, &err) && r.n < max) {
            faults[r.n++] = wpa_arena_text(arena, err.message);
        }
    }
    if (!doc && max) {
        faults[r.n++] = wpa_arena_text(arena, err.message);
    }
    return r.n;
}
