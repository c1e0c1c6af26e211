#include "widgets/field.h"

#include <string.h>

#define DOTS_MAX 16

void wpa_field_clear(wpa_field *field)
{
    bool is_secret = field->is_secret;
    explicit_bzero(field, sizeof *field);
    field->is_secret = is_secret;
}

void wpa_field_set(wpa_field *field, const char *text)
{
    wpa_field_clear(field);
    (void)wpa_text_copy(field->text, sizeof field->text, text ? text : "");
    field->length = field->at = strlen(field->text);
}

static bool is_inside(char byte)
{
    return ((unsigned char)byte & 0xC0) == 0x80; /* not the first byte of a character */
}

static size_t step_back(const wpa_field *field)
{
    size_t at = field->at;
    while (at > 0 && is_inside(field->text[--at])) {
    }
    return at;
}

static size_t step_on(const wpa_field *field)
{
    size_t at = field->at;
    if (at < field->length) {
        at++;
    }
    while (at < field->length && is_inside(field->text[at])) {
        at++;
    }
    return at;
}

static void cut(wpa_field *field, size_t from, size_t to)
{
    memmove(field->text + from, field->text + to, field->length - to);
    explicit_bzero(field->text + field->length - (to - from), to - from);
    field->length -= to - from;
    field->at = from;
}

static void insert(wpa_field *field, uint32_t character)
{
    char bytes[4];
    size_t n = wpa_utf8_encode(character, bytes);
    if (field->length + n >= sizeof field->text) {
        return;
    }
    memmove(field->text + field->at + n, field->text + field->at, field->length - field->at);
    memcpy(field->text + field->at, bytes, n);
    field->length += n;
    field->at += n;
}

static size_t word_start(const wpa_field *field)
{
    size_t at = field->at;
    while (at > 0 && field->text[at - 1] == ' ') {
        at--;
    }
    while (at > 0 && field->text[at - 1] != ' ') {
        at--;
    }
    return at;
}

static bool control_key(wpa_field *field, uint32_t letter)
{
    switch (letter) {
    case 'a':
        field->at = 0;
        return true;
    case 'e':
        field->at = field->length;
        return true;
    case 'u':
        cut(field, 0, field->at);
        return true;
    case 'k':
        cut(field, field->at, field->length);
        return true;
    case 'w':
        cut(field, word_start(field), field->at);
        return true;
    default:
        return false;
    }
}

bool wpa_field_key(wpa_field *field, const wpa_key *key)
{
    if (key->code == WPA_KEY_CHAR) {
        insert(field, key->character);
    } else if (key->code == WPA_KEY_BACKSPACE) {
        cut(field, step_back(field), field->at);
    } else if (key->code == WPA_KEY_DELETE) {
        cut(field, field->at, step_on(field));
    } else if (key->code == WPA_KEY_LEFT) {
        field->at = step_back(field);
    } else if (key->code == WPA_KEY_RIGHT) {
        field->at = step_on(field);
    } else if (key->code == WPA_KEY_HOME) {
        field->at = 0;
    } else if (key->code == WPA_KEY_END) {
        field->at = field->length;
    } else {
        return key->code == WPA_KEY_CTRL && control_key(field, key->character);
    }
    return true;
}

static void draw_secret(const wpa_field *field, const wpa_canvas *part, bool is_focused)
{
    int dots = field->length > DOTS_MAX ? DOTS_MAX : (int)field->length;
    wpa_fill(part, 0, 0, dots, WPA_PAINT_PROMPT, part->is_ascii ? '*' : 0x2219);
    if (is_focused) {
        wpa_rest_cursor(part, 0, dots < part->cols ? dots : part->cols - 1);
    }
}

static int cells_between(const wpa_field *field, size_t from, size_t to)
{
    char text[WPA_FIELD_MAX_BYTES];
    (void)wpa_text_format(text, sizeof text, "%.*s", (int)(to - from), field->text + from);
    return wpa_text_cells(text);
}

/* Text slides so that the cursor stays in sight. */
static size_t first_shown(const wpa_field *field, int cols)
{
    size_t from = 0;
    while (from < field->at && cells_between(field, from, field->at) >= cols) {
        from++;
        while (from < field->at && is_inside(field->text[from])) {
            from++;
        }
    }
    return from;
}

void wpa_field_draw(const wpa_field *field, const wpa_canvas *canvas, int row, int col, int width,
                    uint32_t rest, bool is_focused)
{
    wpa_canvas part = wpa_canvas_part(canvas, row, col, 1, width);
    if (rest) {
        wpa_fill(&part, 0, 0, part.cols, WPA_PAINT_MUTED, rest);
    }
    if (field->is_secret) {
        draw_secret(field, &part, is_focused);
        return;
    }
    size_t from = first_shown(field, part.cols);
    (void)wpa_put(&part, 0, 0, WPA_PAINT_PROMPT, field->text + from);
    if (is_focused) {
        wpa_rest_cursor(&part, 0, cells_between(field, from, field->at));
    }
}

void wpa_field_flag(const wpa_field *field, const wpa_canvas *canvas, int row, int col, int width,
                    size_t from, size_t to, uint16_t flags)
{
    wpa_canvas part = wpa_canvas_part(canvas, row, col, 1, width);
    size_t first = first_shown(field, part.cols);
    from = from < first ? first : from;
    if (from < to) {
        wpa_flag(&part, 0, cells_between(field, first, from), cells_between(field, from, to),
                 flags);
    }
}
