/* Doing what a verb says, from a key or from the command line. */
#pragma once

#include "console/ui.h"

/** Do it, wherever the guardian is. */
void wpa_ui_do(wpa_ui *ui, wpa_verb verb);
