#include "term/pen.h"

#include <string.h>

#include <wpa/text.h>

#define EXTENDED 256   /* a colour named by 38;5;N or 48;5;N */
#define NUMBERS_MAX 16 /* of one sequence */

enum {
    BOLD = 1,
    DIM = 2,
    UNDERLINE = 4,
    REVERSE = 7
};

static const wpa_pen_state nothing = {.fg = WPA_PEN_DEFAULT, .bg = WPA_PEN_DEFAULT};

void wpa_pen_init(wpa_pen *pen, bool can_undo)
{
    *pen = (wpa_pen){.is = nothing, .wanted = nothing, .can_undo = can_undo};
    pen->is.is_unknown = true;
}

void wpa_pen_reset(wpa_pen *pen)
{
    char charset = pen->is.charset;
    pen->is = pen->wanted = nothing;
    pen->is.charset = pen->wanted.charset = charset;
}

/* "38;5;75" or "" between ESC [ and m; false: more numbers than anybody sends, or no numbers. */
static bool read_numbers(const char *text, size_t length, int numbers[NUMBERS_MAX], size_t *n)
{
    int value = 0;
    *n = 0;
    for (size_t i = 0; i <= length; i++) {
        if (i < length && text[i] >= '0' && text[i] <= '9' && value < 1000) {
            value = value * 10 + (text[i] - '0');
        } else if ((i == length || text[i] == ';') && *n < NUMBERS_MAX) {
            numbers[(*n)++] = value;
            value = 0;
        } else {
            return false;
        }
    }
    return true;
}

/* One number that stands by itself; false: not known here. */
static bool take_number(wpa_pen_state *state, int number)
{
    if (number == 0) {
        *state = (wpa_pen_state){
            .fg = WPA_PEN_DEFAULT, .bg = WPA_PEN_DEFAULT, .charset = state->charset};
    } else if (number == BOLD || number == DIM || number == UNDERLINE || number == REVERSE) {
        state->attrs |= 1U << number;
    } else if (number == 22) {
        state->attrs &= ~(1U << BOLD | 1U << DIM);
    } else if (number == 24 || number == 27) {
        state->attrs &= ~(1U << (number - 20));
    } else if (number == 39) {
        state->fg = WPA_PEN_DEFAULT;
    } else if (number == 49) {
        state->bg = WPA_PEN_DEFAULT;
    } else if ((number >= 30 && number <= 37) || (number >= 90 && number <= 97)) {
        state->fg = number;
    } else if ((number >= 40 && number <= 47) || (number >= 100 && number <= 107)) {
        state->bg = number - 10; /* by the number that it has as a foreground */
    } else {
        return false;
    }
    return true;
}

static bool take_numbers(wpa_pen_state *state, const int *numbers, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        bool is_extended = (numbers[i] == 38 || numbers[i] == 48) && i + 2 < n &&
                           numbers[i + 1] == 5 && numbers[i + 2] < EXTENDED;
        if (is_extended) {
            *(numbers[i] == 38 ? &state->fg : &state->bg) = EXTENDED + numbers[i + 2];
            i += 2;
        } else if (!take_number(state, numbers[i])) {
            return false;
        }
    }
    return true;
}

static void add(wpa_buf *out, bool *is_open, const char *text)
{
    wpa_buf_text(out, *is_open ? ";" : "\033[");
    wpa_buf_text(out, text);
    *is_open = true;
}

static void add_color(wpa_buf *out, bool *is_open, int color, bool is_bg)
{
    char text[16];
    int number = is_bg ? 10 : 0;
    if (color >= EXTENDED) {
        (void)wpa_text_format(text, sizeof text, "%d;5;%d", number + 38, color - EXTENDED);
    } else {
        (void)wpa_text_format(text, sizeof text, "%d",
                              number + (color == WPA_PEN_DEFAULT ? 39 : color));
    }
    add(out, is_open, text);
}

/* Attributes that have to go: by their own numbers, or all at once with the colours. */
static void undo(wpa_pen *pen, wpa_buf *out, bool *is_open)
{
    unsigned gone = pen->is.attrs & ~pen->wanted.attrs, weights = 1U << BOLD | 1U << DIM;
    if (pen->is.is_unknown || (gone && !pen->can_undo)) {
        add(out, is_open, "0");
        (void)take_number(&pen->is, 0);
        return;
    }
    if (gone & weights) {
        add(out, is_open, "22");
        pen->is.attrs &= ~weights;
    }
    if (gone & 1U << UNDERLINE) {
        add(out, is_open, "24");
    }
    if (gone & 1U << REVERSE) {
        add(out, is_open, "27");
    }
    pen->is.attrs &= pen->wanted.attrs;
}

static void change_pen(wpa_pen *pen, wpa_buf *out)
{
    const wpa_pen_state *wanted = &pen->wanted;
    bool is_open = false;
    bool is_plain =
        wanted->fg == WPA_PEN_DEFAULT && wanted->bg == WPA_PEN_DEFAULT && !wanted->attrs;
    bool is_plain_now =
        pen->is.fg == WPA_PEN_DEFAULT && pen->is.bg == WPA_PEN_DEFAULT && !pen->is.attrs;
    if (is_plain && (!is_plain_now || pen->is.is_unknown)) {
        wpa_buf_text(out, "\033[m");
        (void)take_number(&pen->is, 0);
        return;
    }
    undo(pen, out, &is_open);
    for (int i = BOLD; i <= REVERSE; i++) {
        if (wanted->attrs & ~pen->is.attrs & 1U << i) {
            add(out, &is_open, (const char[]){(char)('0' + i), '\0'});
        }
    }
    if (wanted->fg != pen->is.fg) {
        add_color(out, &is_open, wanted->fg, false);
    }
    if (wanted->bg != pen->is.bg) {
        add_color(out, &is_open, wanted->bg, true);
    }
    if (is_open) {
        wpa_buf_char(out, 'm');
    }
}

/* Something is drawn or wiped: now the terminal must have the pen for it. */
static void use_pen(wpa_pen *pen, wpa_buf *out)
{
    if (pen->wanted.charset && pen->wanted.charset != pen->is.charset) {
        wpa_buf_text(out, "\033(");
        wpa_buf_char(out, pen->wanted.charset);
    }
    if (!pen->wanted.is_unknown) { /* else all of it has been passed on as it came */
        change_pen(pen, out);
    }
    pen->is = pen->wanted;
}

/* Bytes of the sequence that begins here with an escape. */
static size_t length_of(const char *bytes, size_t n)
{
    if (n < 2) {
        return n;
    }
    if (bytes[1] != '[') {
        return strchr("()*+", bytes[1]) && n > 2 ? 3 : 2;
    }
    size_t length = 2;
    while (length < n && (bytes[length] < 0x40 || bytes[length] > 0x7E)) {
        length++;
    }
    return length < n ? length + 1 : n;
}

/* ESC [ ... m: noted, if all of it is understood, and of a state that is. */
static bool note(wpa_pen *pen, const char *text, size_t length)
{
    int numbers[NUMBERS_MAX];
    size_t n = 0;
    wpa_pen_state wanted = pen->wanted;
    if (!read_numbers(text, length, numbers, &n) || (wanted.is_unknown && numbers[0] != 0) ||
        !take_numbers(&wanted, numbers, n)) {
        return false;
    }
    pen->wanted = wanted;
    return true;
}

static void pass_sequence(wpa_pen *pen, const char *bytes, size_t length, wpa_buf *out)
{
    char last = bytes[length - 1];
    bool is_csi = length > 2 && bytes[1] == '[';
    if (is_csi && last == 'm') {
        if (note(pen, bytes + 2, length - 3)) {
            return;
        }
        use_pen(pen, out);
        pen->is.is_unknown = pen->wanted.is_unknown = true; /* until the next reset */
    } else if (length == 3 && bytes[1] == '(') {
        pen->wanted.charset = last;
        return;
    } else if (!is_csi || !strchr("ABCDGHd", last) || bytes[2] == '?') {
        use_pen(pen, out); /* more than a move of the cursor */
    }
    wpa_buf_append(out, bytes, length);
}

void wpa_pen_pass(wpa_pen *pen, const char *bytes, size_t n, wpa_buf *out)
{
    for (size_t i = 0; i < n;) {
        size_t length = 1;
        if (bytes[i] == '\033') {
            length = length_of(bytes + i, n - i);
            pass_sequence(pen, bytes + i, length, out);
        } else {
            if (!strchr("\r\b\016\017", bytes[i]) || !bytes[i]) {
                use_pen(pen, out);
            }
            wpa_buf_char(out, bytes[i]);
        }
        i += length;
    }
}
