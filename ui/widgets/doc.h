/*
 * A page of text that is taller than the screen: drawn at its natural height into a grid of its
 * own, shown through a window that scrolls. Some of its rows may be items that can be selected.
 */
#pragma once

#include "keymap/keymap.h"
#include "widgets/cursor.h"
#include "widgets/draw.h"

#define WPA_DOC_ROWS 900
#define WPA_DOC_ITEMS 400

typedef struct wpa_doc_state {
    int scroll, height, page; /* first row shown, rows in all, rows shown */
    int selected, n_items;
    wpa_object selected_object; /* the selection is this thing, wherever its row is drawn */
    int nth, n_seen;            /* of several items about it, the one that is selected */
    bool is_found;              /* it has been drawn */
    bool is_lost;               /* it was not drawn any more: its neighbour is selected */
    int rows[WPA_DOC_ITEMS];
    wpa_object objects[WPA_DOC_ITEMS];
    bool follows_item; /* the selection moved: bring it into the window */
    char search[128];  /* what / looks for; "" nothing */
    int match;         /* row of the last match, -1 before the first */
    int search_step;   /* 1 or -1: go to the next or previous match when drawn */
    bool has_no_match; /* the last step found none */
} wpa_doc_state;

typedef struct wpa_doc {
    wpa_doc_state *state;
    wpa_canvas canvas; /* draw here, at row, then advance row */
    int row;
    bool is_focused;
} wpa_doc;

/** scratch is resized to the width of canvas. */
wpa_doc wpa_doc_begin(wpa_doc_state *state, wpa_grid *scratch, const wpa_canvas *canvas);
/** The row that comes is an item; true: it is the selected one, and its ▸ is drawn. */
bool wpa_doc_item(wpa_doc *doc, wpa_object object);
/** "label     text", text wrapped. */
void wpa_doc_field(wpa_doc *doc, const char *label, const char *text);
void wpa_doc_fieldf(wpa_doc *doc, const char *label, const char *format, ...) WPA_PRINTF(3, 4);
void wpa_doc_text(wpa_doc *doc, wpa_paint paint, const char *text);
void wpa_doc_textf(wpa_doc *doc, wpa_paint paint, const char *format, ...) WPA_PRINTF(3, 4);
void wpa_doc_rule(wpa_doc *doc, const char *title, const char *right);
/** Select the i-th item. */
void wpa_doc_select(wpa_doc_state *state, int i);
/** Select the first item and scroll to the top. */
void wpa_doc_restart(wpa_doc_state *state);
/** Show the window of it. */
void wpa_doc_end(wpa_doc *doc, const wpa_canvas *canvas);
/** Moves the selection, or scrolls if there are no items; true: the verb was a movement. */
bool wpa_doc_verb(wpa_doc_state *state, wpa_verb verb);
/** Look for text from the top; n and N go on. "" looks for nothing. */
void wpa_doc_search(wpa_doc_state *state, const char *text);
