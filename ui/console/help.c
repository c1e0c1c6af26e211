#include <string.h>
#include <strings.h>

#include "console/ui.h"

#define LINES_MAX 160
#define NARROW_COLS 60

typedef struct line {
    const char *heading; /* or a verb */
    wpa_verb verb;
    const char *text; /* or plain text */
} line;

static const struct {
    const char *word, *meaning;
} words[] = {
    {"bake", "time a stage must stay healthy before the next begins"},
    {"blast radius", "everything a change to this thing reaches"},
    {"check", "one measured health value with a baseline and a limit"},
    {"hit", "one measurement in which a check failed"},
    {"hold", "stop switching further workflows; what is switched stays"},
    {"live", "running, held, or done and still able to be rolled back"},
    {"measured downtime", "sum of failed probe intervals, with their resolution"},
    {"stage", "a part of the fleet switched together"},
    {"suite", "one of isolated, integration, safety, compatibility"},
};

void wpa_help_open(wpa_ui *ui)
{
    ui->mode = WPA_MODE_HELP;
    ui->help_scroll = 0;
    wpa_field_clear(&ui->help_search);
}

static bool is_found(const wpa_ui *ui, const char *a, const char *b)
{
    const char *wanted = ui->help_search.text;
    return !*wanted || strcasestr(a, wanted) || strcasestr(b, wanted);
}

static size_t add_group(wpa_ui *ui, wpa_verb_group group, const char *heading, unsigned contexts,
                        line *lines, size_t n)
{
    size_t first = n++;
    lines[first] = (line){.heading = heading};
    for (int i = 1; i < WPA_VERB_COUNT && n + 1 < LINES_MAX; i++) {
        const wpa_verb_info *info = wpa_verb_info_of((wpa_verb)i);
        char keys[WPA_SHORT];
        (void)wpa_keymap_keys(&ui->keymap, (wpa_verb)i, keys, sizeof keys);
        bool is_here = info->contexts & (contexts | WPA_ANYWHERE);
        if (info->group == group && is_here && is_found(ui, info->help, keys)) {
            lines[n++] = (line){.verb = (wpa_verb)i};
        }
    }
    return n == first + 1 ? first : n;
}

static size_t list_lines(wpa_ui *ui, line *lines)
{
    bool is_in = wpa_ui_is_signed_in(ui);
    unsigned contexts = is_in ? wpa_ui_contexts(ui) : 0;
    size_t n = 0;
    n = add_group(ui, WPA_GROUP_ACT, "ACT ON WHAT IS SELECTED", contexts, lines, n);
    n = add_group(ui, WPA_GROUP_MOVE, "MOVE", contexts, lines, n);
    n = add_group(ui, WPA_GROUP_EVERYWHERE, "EVERYWHERE", contexts, lines, n);
    lines[n++] =
        (line){.text = "* R acts at once; Esc within the window cancels. Dim: your role may "
                       "not use it."};
    lines[n++] = (line){.text = "New here? :tour shows around in five minutes."};
    lines[n++] = (line){.heading = "WORDS"};
    for (size_t i = 0; i < WPA_COUNT(words) && n < LINES_MAX; i++) {
        if (is_found(ui, words[i].word, words[i].meaning)) {
            lines[n++] = (line){.heading = words[i].meaning, .text = words[i].word};
        }
    }
    return n;
}

static void close_help(wpa_ui *ui)
{
    ui->mode = wpa_ui_is_signed_in(ui) ? WPA_MODE_NORMAL : WPA_MODE_SIGN_IN;
}

void wpa_help_key(wpa_ui *ui, const wpa_key *key)
{
    switch ((int)key->code) {
    case WPA_KEY_DOWN:
        ui->help_scroll++;
        break;
    case WPA_KEY_UP:
        ui->help_scroll--;
        break;
    case WPA_KEY_PAGE_DOWN:
        ui->help_scroll += 10;
        break;
    case WPA_KEY_PAGE_UP:
        ui->help_scroll -= 10;
        break;
    case WPA_KEY_ESC:
    case WPA_KEY_ENTER:
    case WPA_KEY_F1:
        close_help(ui);
        break;
    default:
        if ((key->code == WPA_KEY_CTRL && key->character == 'c') ||
            (key->code == WPA_KEY_CHAR && key->character == '?' && !ui->help_search.length)) {
            close_help(ui);
        } else if (wpa_field_key(&ui->help_search, key)) {
            ui->help_scroll = 0;
        }
    }
    if (ui->help_scroll < 0) {
        ui->help_scroll = 0;
    }
}

static void draw_line(wpa_ui *ui, const wpa_canvas *box, int row, const line *it)
{
    int width = box->cols - 6, at = box->cols < NARROW_COLS ? 14 : 21;
    if (it->verb) {
        char keys[WPA_SHORT];
        const wpa_verb_info *info = wpa_verb_info_of(it->verb);
        bool is_allowed = wpa_ui_may(ui, info->action);
        (void)wpa_put_fit(box, row, 4, at - 5, is_allowed ? WPA_PAINT_KEY : WPA_PAINT_MUTED,
                          wpa_keymap_keys(&ui->keymap, it->verb, keys, sizeof keys));
        (void)wpa_put_fitf(box, row, at, width - at + 3,
                           is_allowed ? WPA_PAINT_TEXT : WPA_PAINT_MUTED, "%s%s", info->help,
                           is_allowed ? "" : "   (your role may not)");
    } else if (it->heading && it->text) {
        (void)wpa_put_fit(box, row, 4, at - 4, WPA_PAINT_KEY, it->text);
        (void)wpa_put_fit(box, row, at, width - at + 3, WPA_PAINT_TEXT, it->heading);
    } else {
        (void)wpa_put_fit(box, row, 3, width, it->heading ? WPA_PAINT_TITLE : WPA_PAINT_MUTED,
                          it->heading ? it->heading : it->text);
    }
}

void wpa_help_draw(wpa_ui *ui, const wpa_canvas *canvas)
{
    line lines[LINES_MAX];
    char title[128];
    size_t n = list_lines(ui, lines);
    int width = canvas->cols - 2 > 96 ? 96 : canvas->cols - 2;
    int top = canvas->rows < 20 ? 0 : 3, most = canvas->rows - top - (top ? 2 : 1);
    int height = most > (int)n + 4 ? (int)n + 4 : most;
    wpa_canvas box = wpa_canvas_part(canvas, top, (canvas->cols - width) / 2, height, width);
    bool is_in = wpa_ui_is_signed_in(ui);
    (void)wpa_text_format(title, sizeof title, "Help: keys for %s",
                          is_in ? wpa_ui_page(ui)->view->topic : "the console");
    canvas->grid->cursor_row = -1;
    wpa_box(&box, title);
    int col = wpa_put(&box, 1, box.cols - 40 < 3 ? 3 : box.cols - 40, WPA_PAINT_MUTED,
                      "type to search: ");
    wpa_field_draw(&ui->help_search, &box, 1, col, box.cols - col - 2, '_', true);
    int shown = height - 3, last = (int)n - shown;
    if (ui->help_scroll > last) {
        ui->help_scroll = last < 0 ? 0 : last;
    }
    for (int i = 0; i < shown && i + ui->help_scroll < (int)n; i++) {
        draw_line(ui, &box, i + 2, &lines[i + ui->help_scroll]);
    }
    wpa_fill(canvas, canvas->rows - 1, 0, canvas->cols, WPA_PAINT_TEXT, ' ');
    (void)wpa_put(canvas, canvas->rows - 1, 1, WPA_PAINT_MUTED,
                  canvas->cols < NARROW_COLS
                      ? "Up Down scroll   Esc close"
                      : "Up Down PgUp PgDn scroll   letters search   Esc close");
}
