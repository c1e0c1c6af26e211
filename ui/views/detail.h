/* What the views that show one thing have in common: a page that scrolls, items, siblings. */
#pragma once

#include "views/views.h"
#include "widgets/doc.h"

/** Every detail's state begins with this. */
typedef struct wpa_detail_state {
    wpa_doc_state doc;
    int context; /* lines around a place */
    size_t place;
} wpa_detail_state;

/**
 * The detail of the page's object, or NULL after saying that it is on its way or missing.
 */
const wpa_detail_view *wpa_detail_need(wpa_ui *ui, wpa_page *page, const wpa_canvas *canvas);
/** Show the window of a page with items; holds changing keys off if the selected one has gone. */
void wpa_detail_end(wpa_ui *ui, wpa_doc *doc, const wpa_canvas *canvas);
bool wpa_detail_verb(wpa_ui *ui, wpa_page *page, wpa_verb verb);
/** The selected item if it is a thing, else what the page is about. */
wpa_object wpa_detail_selected(wpa_ui *ui, wpa_page *page);
wpa_object wpa_detail_watched(wpa_ui *ui, wpa_page *page);
wpa_doc_state *wpa_detail_doc(wpa_page *page);
/** Replace the page's object: [ and ]. */
void wpa_detail_go(wpa_ui *ui, wpa_page *page, wpa_object object);
void wpa_ui_detail_comments(wpa_doc *doc, const wpa_comment_row *comments, size_t n,
                            int64_t now_us);
void wpa_detail_activity(wpa_doc *doc, const wpa_activity_row *rows, size_t n, int64_t now_us);
