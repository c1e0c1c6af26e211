/* An excerpt of the file a finding is in: line numbers, the exact columns underlined. */
#pragma once

#include "console/ui.h"

/**
 * Draw it from row on, in at most rows rows.
 *
 * place    which place is in the middle.
 * context  lines before and behind it.
 *
 * Returns  the row behind.
 */
int wpa_source_draw(const wpa_canvas *canvas, int row, int rows, const wpa_finding_detail *finding,
                    size_t place, int context);
