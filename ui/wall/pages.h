/* The pages of the wall, which take turns: rows of a table in pages.c. */
#pragma once

#include "console/ui.h"

typedef struct wpa_wall_page {
    const char *name; /* "overview": in console.yaml */
    void (*draw)(wpa_ui *ui, const wpa_canvas *canvas);
} wpa_wall_page;

/** Those that are chosen and have something to show, in their order; at least one. */
int wpa_wall_pages(const wpa_ui *ui, const wpa_wall_page *pages[WPA_WALL_PAGES]);
/** Is the page of runs chosen? Its rows have to be watched. */
bool wpa_wall_wants_runs(const wpa_ui *ui);
