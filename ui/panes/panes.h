/*
 * The panes of the dashboard. Each is a row of wpa_panes[], in a file of its own; a pane whose rows
 * can be selected says how many there are, what they are, and draws one.
 */
#pragma once

#include "console/ui.h"

typedef struct wpa_pane {
    const char *id; /* "needs_you": in console.yaml */
    const char *title;
    const wpa_verb *hints;
    int head_rows; /* rows above the rows: column titles */
    void (*draw_head)(wpa_ui *ui, const wpa_canvas *canvas); /* may be NULL */
    size_t (*count)(const wpa_ui *ui);                       /* NULL: nothing to select */
    wpa_object (*at)(const void *ui, size_t i);
    void (*draw_row)(wpa_ui *ui, const wpa_canvas *canvas, int row, size_t i, const char *mark,
                     bool is_selected, bool is_focused);
    /** A pane without rows draws itself. */
    void (*draw)(wpa_ui *ui, const wpa_canvas *canvas);
    /** Right side of the title rule. */
    void (*right)(wpa_ui *ui, char *text, size_t size_bytes);
    /** What stands there when there is nothing: why, and what to press. */
    const char *(*empty)(wpa_ui *ui);
} wpa_pane;

extern const wpa_pane wpa_pane_workflows, wpa_pane_live, wpa_pane_live_wide, wpa_pane_findings,
    wpa_pane_queue, wpa_pane_needs_you, wpa_pane_activity, wpa_pane_jobs, wpa_pane_engine;

/** Title rule and content; cursor NULL for a pane without rows. */
void wpa_pane_draw(wpa_ui *ui, const wpa_pane *pane, const wpa_canvas *canvas, wpa_cursor *cursor,
                   bool is_focused);
/** Rows it would like, title rule included. */
int wpa_pane_rows(wpa_ui *ui, const wpa_pane *pane);
/** The health line of the dashboard. */
void wpa_health_draw(wpa_ui *ui, const wpa_canvas *canvas, int row);
/** Findings by category and severity: a head and a row for each. */
void wpa_finding_matrix_draw(wpa_ui *ui, const wpa_canvas *canvas);
