/* What the views that are lists have in common: table, strip below or beside it, filter, sort. */
#pragma once

#include "views/tables.h"
#include "views/views.h"

/** A strip with more rows than this stands beside its list, not below it: there is room to wrap. */
#define WPA_STRIP_TALL_ROWS 12

typedef struct wpa_list_kind {
    const char *title;
    const wpa_table *table;
    int strip_rows; /* at 80x24, title rule included; 0: no strip */
    /** Detail of the selected row; detail is NULL until it has come. */
    void (*strip)(wpa_ui *ui, const wpa_canvas *canvas, const void *row,
                  const wpa_detail_view *detail);
    /** Words for an empty list without filter. */
    const char *empty;
    /** Right side of the title rule behind the counts: "live first"; NULL: by the sort. */
    void (*right)(wpa_ui *ui, const wpa_list_view *view, char *text, size_t size_bytes);
    const wpa_sort *sorts; /* WPA_SORT_COUNT at the end */
} wpa_list_kind;

typedef struct wpa_list_state {
    wpa_cursor cursor;
    uint64_t request_id;     /* of the rows shown */
    char marked_filter[512]; /* that all marked rows match, while cursor.marks_all */
    wpa_object marked_scope;
    int goes_to; /* the end that was asked for: 1 the last row, -1 the first, 0 none */
} wpa_list_state;

void wpa_list_open(wpa_ui *ui, wpa_page *page);
void wpa_list_draw(wpa_ui *ui, wpa_page *page, const wpa_canvas *canvas);
bool wpa_list_verb(wpa_ui *ui, wpa_page *page, wpa_verb verb);
wpa_object wpa_list_selected(wpa_ui *ui, wpa_page *page);
void wpa_list_changed(wpa_ui *ui, wpa_page *page);
wpa_cursor *wpa_list_cursor(wpa_page *page);
char *wpa_list_row_text(wpa_ui *ui, wpa_page *page, wpa_arena *arena);
void wpa_list_pick(wpa_ui *ui, wpa_page *page, int pane, int index);
void wpa_list_sort_by(wpa_ui *ui, wpa_page *page, wpa_sort sort);
/** The selected row; NULL none. */
const void *wpa_list_row(const wpa_ui *ui, const wpa_page *page);

#define WPA_LIST_VIEW                                                                              \
    .state_bytes = sizeof(wpa_list_state), .open = wpa_list_open, .draw = wpa_list_draw,           \
    .verb = wpa_list_verb, .selected = wpa_list_selected, .changed = wpa_list_changed,             \
    .cursor = wpa_list_cursor, .row_text = wpa_list_row_text, .pick = wpa_list_pick,               \
    .sort_by = wpa_list_sort_by
