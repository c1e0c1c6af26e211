#include "theme/theme.h"

#include <math.h>
#include <string.h>

#include <wpa/file.h>
#include <wpa/yaml.h>

#define THEME_MAX_BYTES 65536
#define INHERIT_MAX 4
#define PALETTE_MAX 64

#define PAINT_NAME(name, text) text,
static const char *const role_names[] = {WPA_PAINTS(PAINT_NAME)};

static const char *const color_names[16] = {
    "black",        "red",           "green",       "yellow",         "blue",
    "magenta",      "cyan",          "white",       "bright_black",   "bright_red",
    "bright_green", "bright_yellow", "bright_blue", "bright_magenta", "bright_cyan",
    "bright_white"};

typedef struct color {
    const char *name;
    uint32_t rgb;
    int c256, c16;
} color;

/* What is being read: the parents' palette and roles first, then overridden. */
typedef struct reading {
    wpa_arena *arena;
    color palette[PALETTE_MAX];
    size_t n_palette;
    const char *fg[WPA_PAINT_COUNT], *bg[WPA_PAINT_COUNT];
    unsigned attrs[WPA_PAINT_COUNT], mono[WPA_PAINT_COUNT];
    const char *name;
    int background; /* 0 dark, 1 light, 2 terminal */
} reading;

static double channel(uint32_t value)
{
    double part = (double)value / 255;
    return part <= 0.04045 ? part / 12.92 : pow((part + 0.055) / 1.055, 2.4);
}

static double luminance(uint32_t rgb)
{
    return 0.2126 * channel(rgb >> 16 & 255) + 0.7152 * channel(rgb >> 8 & 255) +
           0.0722 * channel(rgb & 255);
}

/* Source: WCAG 2.1, contrast ratio. */
double wpa_contrast(uint32_t a, uint32_t b)
{
    double one = luminance(a) + 0.05, two = luminance(b) + 0.05;
    return one > two ? one / two : two / one;
}

/* Nearest of the 6x6x6 cube and the grey ramp of 256 colours. */
static int nearest_256(uint32_t rgb)
{
    int best = 16;
    double least = 1e18;
    for (int i = 16; i < 256; i++) {
        static const int steps[] = {0, 95, 135, 175, 215, 255};
        int n = i - 16;
        int r = i < 232 ? steps[n / 36] : 8 + 10 * (i - 232);
        int g = i < 232 ? steps[n / 6 % 6] : r, b = i < 232 ? steps[n % 6] : r;
        double dr = r - (int)(rgb >> 16 & 255), dg = g - (int)(rgb >> 8 & 255);
        double db = b - (int)(rgb & 255), far = dr * dr * 2 + dg * dg * 4 + db * db * 3;
        if (far < least) {
            least = far;
            best = i;
        }
    }
    return best;
}

static color *palette_find(reading *r, const char *name)
{
    for (size_t i = 0; i < r->n_palette; i++) {
        if (wpa_text_is(r->palette[i].name, name)) {
            return &r->palette[i];
        }
    }
    return NULL;
}

static bool read_color(reading *r, const char *name, const wpa_yaml_node *node, wpa_error *err)
{
    static const char *const keys[] = {"true", "256", "16"};
    const char *hex = NULL;
    int64_t c256 = -1;
    int c16 = -1;
    uint8_t bytes[3] = {0};
    if (!wpa_yaml_expect(node, WPA_YAML_MAPPING, err) ||
        !wpa_yaml_check_keys(node, keys, WPA_COUNT(keys), err) ||
        !wpa_yaml_get_text(node, "true", &hex, err) ||
        !wpa_yaml_get_int(node, "256", 0, 255, &c256, err) ||
        !wpa_yaml_get_choice(node, "16", color_names, WPA_COUNT(color_names), &c16, err)) {
        return false;
    }
    if (!hex || hex[0] != '#' || !wpa_hex_decode(hex + 1, bytes, 3)) {
        return wpa_yaml_fail(node, err, "colour '%s' needs true: \"#rrggbb\"", name);
    }
    color *entry = palette_find(r, name);
    if (!entry) {
        if (r->n_palette == PALETTE_MAX) {
            return wpa_yaml_fail(node, err, "more than %d colours", PALETTE_MAX);
        }
        entry = &r->palette[r->n_palette++];
        entry->name = wpa_arena_text(r->arena, name);
    }
    entry->rgb = (uint32_t)bytes[0] << 16 | (uint32_t)bytes[1] << 8 | bytes[2];
    entry->c256 = c256 >= 0 ? (int)c256 : nearest_256(entry->rgb);
    entry->c16 = c16 >= 0 ? c16 : WPA_COLOR_DEFAULT;
    return true;
}

static bool read_attrs(reading *r, const wpa_yaml_node *node, const char *key, unsigned *attrs,
                       wpa_error *err)
{
    static const char *const names[] = {"bold", "underline", "reverse", "dim"};
    const char *const *texts = NULL;
    size_t n = 0;
    if (!wpa_yaml_get_texts(node, key, r->arena, &texts, &n, err)) {
        return false;
    }
    *attrs = 0;
    for (size_t i = 0; i < n; i++) {
        int bit = wpa_text_index(texts[i], names, WPA_COUNT(names));
        if (bit < 0) {
            return wpa_yaml_fail(wpa_yaml_get(node, key), err,
                                 "attribute '%s' is none of bold, underline, reverse, dim",
                                 texts[i]);
        }
        *attrs |= 1U << bit;
    }
    return true;
}

static int role_index(const wpa_yaml_node *key, wpa_error *err)
{
    const char *name = wpa_yaml_text(key);
    int index = wpa_text_index(name, role_names, WPA_COUNT(role_names));
    if (index < 0) {
        const char *near = wpa_text_nearest(name ? name : "", role_names, WPA_COUNT(role_names));
        (void)wpa_yaml_fail(key, err, "unknown role '%s'%s%s%s", name ? name : "",
                            near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
    }
    return index;
}

static bool check_color(reading *r, const wpa_yaml_node *node, const char *name, wpa_error *err)
{
    if (!name || palette_find(r, name)) {
        return true;
    }
    return wpa_yaml_fail(node, err, "colour '%s' is not in the palette", name);
}

static bool read_role(reading *r, const wpa_yaml_pair *pair, wpa_error *err)
{
    static const char *const keys[] = {"fg", "bg", "attr"};
    int role = role_index(pair->key, err);
    const char *fg = NULL, *bg = NULL;
    if (role < 0 || !wpa_yaml_expect(pair->value, WPA_YAML_MAPPING, err) ||
        !wpa_yaml_check_keys(pair->value, keys, WPA_COUNT(keys), err) ||
        !wpa_yaml_get_text(pair->value, "fg", &fg, err) ||
        !wpa_yaml_get_text(pair->value, "bg", &bg, err) || !check_color(r, pair->value, fg, err) ||
        !check_color(r, pair->value, bg, err)) {
        return false;
    }
    r->fg[role] = wpa_arena_text(r->arena, fg);
    r->bg[role] = wpa_arena_text(r->arena, bg);
    return read_attrs(r, pair->value, "attr", &r->attrs[role], err);
}

static bool read_mono(reading *r, const wpa_yaml_node *mono, wpa_error *err)
{
    for (size_t i = 0; i < mono->n_pairs; i++) {
        int role = role_index(mono->pairs[i].key, err);
        if (role < 0 || !read_attrs(r, mono, role_names[role], &r->mono[role], err)) {
            return false;
        }
    }
    return true;
}

static bool read_file(reading *r, const char *path, const char *text, int depth, wpa_error *err);

static bool read_parent(reading *r, const wpa_yaml_node *root, int depth, wpa_error *err)
{
    const char *parent = NULL;
    if (!wpa_yaml_get_text(root, "inherits", &parent, err) || !parent) {
        return err->code == WPA_OK;
    }
    const wpa_theme_file *file = wpa_theme_find(parent);
    if (!file || depth >= INHERIT_MAX) {
        return wpa_yaml_fail(wpa_yaml_get(root, "inherits"), err, "there is no theme '%s' here",
                             parent);
    }
    return read_file(r, file->name, file->text, depth + 1, err);
}

static bool read_file(reading *r, const char *path, const char *text, int depth, wpa_error *err)
{
    static const char *const keys[] = {"name",    "inherits", "background",
                                       "palette", "roles",    "mono"};
    static const char *const backgrounds[] = {"dark", "light", "terminal"};
    const wpa_yaml_node *palette = NULL, *roles = NULL, *mono = NULL;
    const wpa_yaml_doc *doc = wpa_yaml_parse_strict(path, text, strlen(text), r->arena, err);
    if (!doc || !wpa_yaml_expect(doc->root, WPA_YAML_MAPPING, err) ||
        !wpa_yaml_check_keys(doc->root, keys, WPA_COUNT(keys), err) ||
        !read_parent(r, doc->root, depth, err) ||
        !wpa_yaml_get_text(doc->root, "name", &r->name, err) ||
        !wpa_yaml_get_choice(doc->root, "background", backgrounds, 3, &r->background, err) ||
        !wpa_yaml_get_mapping(doc->root, "palette", &palette, err) ||
        !wpa_yaml_get_mapping(doc->root, "roles", &roles, err) ||
        !wpa_yaml_get_mapping(doc->root, "mono", &mono, err)) {
        return false;
    }
    for (size_t i = 0; palette && i < palette->n_pairs; i++) {
        const char *name = wpa_yaml_text(palette->pairs[i].key);
        if (!name || !read_color(r, name, palette->pairs[i].value, err)) {
            return false;
        }
    }
    for (size_t i = 0; roles && i < roles->n_pairs; i++) {
        if (!read_role(r, &roles->pairs[i], err)) {
            return false;
        }
    }
    return !mono || read_mono(r, mono, err);
}

static void resolve(reading *r, wpa_theme *theme)
{
    const color *ground = palette_find(r, "bg"), *text = palette_find(r, "text");
    bool paints_ground = r->background != 2 && ground;
    theme->background = ground ? ground->rgb : 0;
    theme->is_light = r->background == 1;
    for (int i = 0; i < WPA_PAINT_COUNT; i++) {
        const color *fg = r->fg[i] ? palette_find(r, r->fg[i]) : text;
        const color *bg = r->bg[i] ? palette_find(r, r->bg[i]) : paints_ground ? ground : NULL;
        theme->styles[i] = (wpa_style){
            .fg_256 = fg ? fg->c256 : WPA_COLOR_DEFAULT,
            .bg_256 = bg ? bg->c256 : WPA_COLOR_DEFAULT,
            .fg_16 = fg ? fg->c16 : WPA_COLOR_DEFAULT,
            .bg_16 = bg ? bg->c16 : WPA_COLOR_DEFAULT,
            .fg_true = fg ? fg->rgb : 0,
            .bg_true = bg ? bg->rgb : theme->background,
            .attrs = r->attrs[i],
            .mono_attrs = r->mono[i],
        };
    }
}

/* Text that cannot be read, and states that cannot be told apart, are no theme. */
static bool check_theme(const char *path, const wpa_theme *theme, wpa_error *err)
{
    for (int i = 0; i < WPA_PAINT_COUNT; i++) {
        double contrast = wpa_contrast(theme->styles[i].fg_true, theme->styles[i].bg_true);
        if (contrast < 4.5) {
            return WPA_FAIL(err, WPA_E_INVALID,
                            "%s: role '%s' #%06x on #%06x has a contrast of %.1f, under 4.5", path,
                            role_names[i], theme->styles[i].fg_true, theme->styles[i].bg_true,
                            contrast);
        }
    }
    return true;
}

const wpa_theme_file *wpa_theme_find(const char *name)
{
    if (wpa_text_starts(name, "wpa-")) {
        name += strlen("wpa-");
    }
    for (size_t i = 0; i < wpa_n_theme_files; i++) {
        if (wpa_text_is(wpa_theme_files[i].name, name)) {
            return &wpa_theme_files[i];
        }
    }
    return NULL;
}

wpa_theme *wpa_theme_parse(const char *path, const char *text, wpa_arena *arena, wpa_error *err)
{
    WPA_AUTO(wpa_arena) *scratch = wpa_arena_new();
    reading *r = wpa_arena_alloc(scratch, sizeof *r);
    r->arena = scratch;
    wpa_error_clear(err);
    if (!read_file(r, path, text, 0, err)) {
        (void)wpa_error_within(err, "theme");
        return NULL;
    }
    wpa_theme *theme = wpa_arena_alloc(arena, sizeof *theme);
    theme->name = wpa_arena_text(arena, r->name ? r->name : path);
    resolve(r, theme);
    return check_theme(path, theme, err) ? theme : NULL;
}

wpa_theme *wpa_theme_load(const char *name, wpa_arena *arena, wpa_error *err)
{
    wpa_error ignored = {0};
    const char *folder = wpa_path_config(arena, &ignored);
    if (folder && wpa_path_check_relative(name, err) && !strchr(name, '/')) {
        const char *path = wpa_arena_printf(arena, "%s/themes/%s.yaml", folder, name);
        size_t size_bytes = 0;
        const char *text = wpa_file_read(path, THEME_MAX_BYTES, arena, &size_bytes, &ignored);
        if (text) {
            return wpa_theme_parse(path, text, arena, err);
        }
        if (ignored.code != WPA_E_NOT_FOUND) {
            *err = ignored;
            return NULL;
        }
    }
    const wpa_theme_file *file = wpa_theme_find(name);
    if (!file) {
        (void)WPA_FAIL(err, WPA_E_NOT_FOUND, "there is no theme '%s'", name);
        return NULL;
    }
    return wpa_theme_parse(file->name, file->text, arena, err);
}
