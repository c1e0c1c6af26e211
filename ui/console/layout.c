/*
 * Which panes the dashboard has, and in what order: dash.panes of console.yaml, and ":layout" while
 * the console runs. Layouts with names are in layouts.yaml.
 */
#include <string.h>

#include "console/ui.h"

/* In the order of Tab, which is that of the dashboard's own table (views/dash.c). */
const char *const wpa_pane_names[WPA_DASH_PANES] = {
    "workflows", "live", "needs_you", "findings", "queue", "activity", "jobs", "engine",
};

bool wpa_layout_parse(wpa_layout *layout, const char *text, wpa_error *err)
{
    wpa_layout parsed = {.n = 0};
    while (*(text += strspn(text, " "))) {
        char word[WPA_SHORT];
        size_t length = strcspn(text, " ");
        (void)wpa_text_format(word, sizeof word, "%.*s", (int)length, text);
        int pane = wpa_text_index(word, wpa_pane_names, WPA_COUNT(wpa_pane_names));
        if (pane < 0) {
            const char *near = wpa_text_nearest(word, wpa_pane_names, WPA_COUNT(wpa_pane_names));
            return WPA_FAIL(err, WPA_E_INVALID, "there is no pane '%s'%s%s%s", word,
                            near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
        }
        for (int i = 0; i < parsed.n; i++) {
            if (parsed.panes[i] == pane) {
                return WPA_FAIL(err, WPA_E_INVALID, "'%s' stands there twice", word);
            }
        }
        parsed.panes[parsed.n++] = pane;
        text += length;
    }
    *layout = parsed;
    return true;
}

/* "live needs_you", "" for that of the screen's size. */
static const char *text_of(const wpa_layout *layout, char *text, size_t size_bytes)
{
    text[0] = '\0';
    for (int i = 0; i < layout->n; i++) {
        size_t used = strlen(text);
        (void)wpa_text_format(text + used, size_bytes - used, "%s%s", i ? " " : "",
                              wpa_pane_names[layout->panes[i]]);
    }
    return text;
}

static void tell(wpa_ui *ui)
{
    char panes[WPA_MESSAGE_MAX], names[WPA_MESSAGE_MAX] = "";
    for (size_t i = 0; i < ui->layouts.n; i++) {
        size_t used = strlen(names);
        (void)wpa_text_format(names + used, sizeof names - used, "%s %s",
                              i ? "," : "   saved:", ui->layouts.items[i].name);
    }
    (void)text_of(&ui->layout, panes, sizeof panes);
    wpa_ui_say(ui, WPA_NOTICE_NOTE, "layout: %s%s", *panes ? panes : "by the size of the screen",
               names);
}

static void save(wpa_ui *ui, const char *name)
{
    char panes[WPA_MESSAGE_MAX];
    wpa_error err = {0};
    (void)text_of(&ui->layout, panes, sizeof panes);
    bool is_taken = wpa_text_is(name, "default") || wpa_text_is(name, "save") ||
                    wpa_text_index(name, wpa_pane_names, WPA_COUNT(wpa_pane_names)) >= 0;
    if (!wpa_names_takes(name) || is_taken) {
        wpa_ui_say(ui, WPA_NOTICE_NOTE,
                   "'%s' cannot be a name: small letters, digits, _ and -, and no pane's", name);
    } else if (!wpa_names_put(ui, &ui->layouts, name, panes, &err)) {
        wpa_ui_say_error(ui, "layout", &err);
    } else {
        wpa_ui_say(ui, WPA_NOTICE_OK, *panes ? "layout %s is %s" : "layout %s is no more%s", name,
                   panes);
    }
}

void wpa_layout_run(wpa_ui *ui, const char *rest)
{
    const char *saved = wpa_names_find(&ui->layouts, rest);
    wpa_error err = {0};
    if (!*rest) {
        tell(ui);
    } else if (wpa_text_starts(rest, "save ")) {
        save(ui, rest + strlen("save ") + strspn(rest + strlen("save "), " "));
    } else if (wpa_text_is(rest, "default")) {
        ui->layout = (wpa_layout){.n = 0};
        wpa_ui_show_tab(ui, 1);
    } else if (!wpa_layout_parse(&ui->layout, saved ? saved : rest, &err)) {
        wpa_ui_say_error(ui, "layout", &err);
    } else {
        wpa_ui_show_tab(ui, 1);
    }
}
