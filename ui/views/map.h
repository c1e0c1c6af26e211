/*
 * The map: one workflow in the middle, what it uses on its left, who uses it on its right. Drawn as
 * a diagram, or as a table where there is no room for one or it is asked for.
 */
#pragma once

#include "views/detail.h"

#define WPA_MAP_BEFORE_MAX 16

/** Where the selection is. */
typedef enum wpa_map_side {
    WPA_MAP_USES,
    WPA_MAP_CENTRE,
    WPA_MAP_USED_BY,
    WPA_MAP_SIDES
} wpa_map_side;

/** Rows of one side: which is selected, by what it is, and which stands at the top. */
typedef struct wpa_map_column {
    int index, top, n_shown;
    char ref[256]; /* of the selected row, as far as it fits */
    wpa_object object;
    int line;
} wpa_map_column;

typedef struct wpa_map_state {
    wpa_detail_state detail; /* of the table, and the search of both */
    wpa_object centre;
    wpa_object before[WPA_MAP_BEFORE_MAX]; /* centres that Esc goes back to */
    size_t n_before;
    bool is_table, is_drawn_as_table;
    bool is_placed; /* the side that is selected at first has been chosen for this centre */
    wpa_map_side side;
    wpa_map_column columns[WPA_MAP_SIDES];
} wpa_map_state;

/** Rows of a side; the middle has none. */
const wpa_use_row *wpa_map_rows(const wpa_workflow_detail *it, wpa_map_side side, size_t *n);
/** The selected row; NULL: the middle. */
const wpa_use_row *wpa_map_row(const wpa_workflow_detail *it, const wpa_map_state *state);

/** Is there room for the diagram? */
bool wpa_map_fits(const wpa_canvas *canvas);
/** Draw it; the rows that are selected have been brought in line before. (map_draw.c) */
void wpa_map_draw(const wpa_canvas *canvas, const wpa_workflow_detail *it, wpa_map_state *state);
