/* The wall display: read from four metres, changes nothing whatever is typed. */
#pragma once

#include "console/ui.h"

void wpa_wall_start(wpa_ui *ui);
/** Ctrl-C leaves, Space turns the page, ? says so; all else is ignored. */
void wpa_wall_key(wpa_ui *ui, const wpa_key *key);
void wpa_wall_paint(wpa_ui *ui);
