/*
 * The tour: a few steps that stand above the view, each until it is done. Nothing in it changes the
 * fleet: of the keys that would, it tells.
 */
#include <string.h>

#include "console/ui.h"

#define COLS_MAX 100
#define LEAST_ROWS 24 /* with less it would cover what keys act on */
#define LEAST_COLS 80

typedef struct tour_step {
    wpa_verb verb;    /* whose key text names as %s */
    const char *text; /* what is seen, and what to press */
    /** Done by something other than the verb; NULL: by the verb. */
    bool (*is_done)(wpa_ui *ui);
} tour_step;

static bool is_on_workflow(wpa_ui *ui)
{
    return wpa_ui_page(ui)->object.kind == WPA_OBJECT_WORKFLOW;
}

static bool is_filtered(wpa_ui *ui)
{
    return ui->mode == WPA_MODE_NORMAL && ui->lists[WPA_LIST_FINDINGS].filter[0];
}

static bool is_on_finding(wpa_ui *ui)
{
    return wpa_ui_page(ui)->object.kind == WPA_OBJECT_FINDING;
}

static const tour_step steps[] = {
    {WPA_VERB_NEXT_PANE,
     "The dashboard: how healthy the fleet is, what is worst, what is changing now, what waits for "
     "you. j and k move within a pane; %s goes to the next one.",
     NULL},
    {WPA_VERB_VIEW_2, "The digits are views. %s lists the workflows, worst first.", NULL},
    {WPA_VERB_OPEN,
     "%s opens what is selected; Esc goes back. A workflow's page tells what its scores come from.",
     is_on_workflow},
    {WPA_VERB_VIEW_3, "%s lists the findings of the whole fleet, most severe first.", NULL},
    {WPA_VERB_FILTER, "%s narrows a list as you type: try sev:crit, and Enter to keep it.",
     is_filtered},
    {WPA_VERB_BACK, "%s lifts the filter again.", NULL},
    {WPA_VERB_OPEN,
     "%s opens a finding: where it is, why it matters, what to do. p makes the patch that mends "
     "it.",
     is_on_finding},
    {WPA_VERB_VIEW_4,
     "%s lists the patches. t tests one in a sandbox; A approves and D deploys it in stages: "
     "capitals change the fleet, and ask first.",
     NULL},
    {WPA_VERB_VIEW_5,
     "%s lists the deployments. R rolls one back at once, without a question; Esc within the "
     "window "
     "cancels that.",
     NULL},
    {WPA_VERB_HELP,
     "%s tells the keys of wherever you are, : takes commands, / filters. This was the tour.",
     NULL},
};

static bool has_room(const wpa_ui *ui)
{
    return ui->grid->rows >= LEAST_ROWS && ui->grid->cols >= LEAST_COLS;
}

void wpa_tour_toggle(wpa_ui *ui)
{
    if (ui->said) {
        wpa_ui_say(ui, WPA_NOTICE_NOTE, "the tour is of the screen; help tells the commands");
        return;
    }
    if (!ui->tour && !has_room(ui)) {
        wpa_ui_say(ui, WPA_NOTICE_NOTE, "the tour needs %dx%d", LEAST_COLS, LEAST_ROWS);
        return;
    }
    ui->tour = ui->tour ? 0 : 1;
    if (ui->tour) {
        wpa_ui_show_tab(ui, 1);
    } else {
        wpa_ui_say(ui, WPA_NOTICE_NOTE, "the tour is over; :tour begins it again");
    }
}

void wpa_tour_follow(wpa_ui *ui)
{
    if (!ui->tour || !wpa_ui_is_signed_in(ui)) {
        return;
    }
    const tour_step *step = &steps[ui->tour - 1];
    bool is_done = step->is_done ? step->is_done(ui) : ui->did == step->verb;
    if (is_done) {
        ui->tour = ui->tour < (int)WPA_COUNT(steps) ? ui->tour + 1 : 0;
        ui->is_dirty = true;
    }
}

int wpa_tour_draw(wpa_ui *ui, const wpa_canvas *canvas, int row)
{
    if (!ui->tour || !has_room(ui)) {
        return row;
    }
    const tour_step *step = &steps[ui->tour - 1];
    char key[32], first[WPA_SHORT];
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    (void)wpa_keymap_key(&ui->keymap, step->verb, key, sizeof key);
    const char *at = strstr(step->text, "%s");
    const char *text = wpa_arena_printf(arena, "%.*s%s%s", (int)(at - step->text), step->text, key,
                                        at + strlen("%s"));
    (void)wpa_text_format(first, sizeof first, "TOUR %d of %zu", ui->tour, WPA_COUNT(steps));
    int width = canvas->cols - 2 < COLS_MAX ? canvas->cols - 2 : COLS_MAX;
    (void)wpa_put(canvas, row, 1, WPA_PAINT_TITLE, first);
    (void)wpa_put_right(canvas, row, canvas->cols - 1, WPA_PAINT_MUTED, ":tour ends it");
    return wpa_put_wrapped(canvas, row + 1, 1, width, WPA_PAINT_FOCUS, text);
}
