/* What the tables share: how a column's function looks, and cells of the same kind. */
#pragma once

#include "views/tables.h"

#define CELL(name) static void name(const wpa_canvas *cell, const void *row, int64_t now_us)
#define TABLE(columns_, type, at_)                                                                 \
    {                                                                                              \
        .columns = (columns_), .n_columns = WPA_COUNT(columns_), .row_bytes = sizeof(type),        \
        .at = (at_)                                                                                \
    }

/** How long ago. */
void wpa_cell_age(const wpa_canvas *cell, int64_t then_us, int64_t now_us);
void wpa_cell_count(const wpa_canvas *cell, int64_t count);
/** "w-88". */
void wpa_cell_id(const wpa_canvas *cell, wpa_object_kind kind, int64_t id);
