/* Inside src/feed only: what the makers of details share. */
#pragma once

#include "feed/reader.h"

/** The one row of a statement by id; *row NULL if there is none. */
bool wpa_detail_one(wpa_db *db, const wpa_sql *statement, int64_t id, wpa_arena *arena,
                    const wpa_json **row, wpa_error *err) WPA_CHECK;
/** Rows of a statement by id; NULL with *err set on failure. */
void *wpa_detail_rows(wpa_db *db, const wpa_sql *statement, int64_t id, const wpa_row_kind *kind,
                      wpa_arena *arena, size_t *n, wpa_error *err);
/** What the audit log has of a subject, or of those like a pattern; oldest first. */
const wpa_activity_row *wpa_detail_history(wpa_db *db, const char *subject, const char *like,
                                           wpa_arena *arena, size_t *n, wpa_error *err);
const wpa_comment_row *wpa_detail_comments(wpa_db *db, const char *subject, wpa_arena *arena,
                                           size_t *n, wpa_error *err);
