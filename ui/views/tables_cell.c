#include "views/tables_cell.h"

#include "widgets/format.h"

void wpa_cell_age(const wpa_canvas *cell, int64_t then_us, int64_t now_us)
{
    char text[WPA_SHORT];
    wpa_cell_right(cell, WPA_PAINT_MUTED, wpa_age_text(then_us, now_us, text, sizeof text));
}

void wpa_cell_count(const wpa_canvas *cell, int64_t count)
{
    char text[WPA_SHORT];
    wpa_cell_right(cell, WPA_PAINT_TEXT, wpa_count_text(count, text, sizeof text));
}

void wpa_cell_id(const wpa_canvas *cell, wpa_object_kind kind, int64_t id)
{
    char text[WPA_SHORT];
    wpa_cell_text(cell, WPA_PAINT_TEXT, wpa_object_text((wpa_object){kind, id}, text, sizeof text));
}
