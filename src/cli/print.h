/* Rows as JSON values. Shared inside cli/ only. */
#pragma once

#include "cli/cli.h"
#include "json/json.h"

wpa_json *wpa_cli_row_json(const wpa_rows *rows, size_t row, const wpa_cli_column columns[],
                           size_t n_columns, wpa_arena *arena);
wpa_json *wpa_cli_rows_json(const wpa_rows *rows, const wpa_cli_column columns[], size_t n_columns,
                            wpa_arena *arena);
