/* Inside src/feed only: rows of the views (one JSON object each) as the console's structs. */
#pragma once

#include <wpa/snapshot.h>

#include "db/db.h"
#include "json/json.h"

/** A member's text (NULL if it is null), number, or truth. */
const char *wpa_feed_text(const wpa_json *row, const char *key);
int64_t wpa_feed_int(const wpa_json *row, const char *key, int64_t fallback);
double wpa_feed_real(const wpa_json *row, const char *key, double fallback);
bool wpa_feed_bool(const wpa_json *row, const char *key);
/** Index of a member's word in words[n], or fallback. */
int wpa_feed_word(const wpa_json *row, const char *key, const char *const words[], size_t n,
                  int fallback);

/** "patch:12" as an object; {NONE, 0} for what the console cannot open. */
wpa_object wpa_feed_object(const char *subject);
/** Column col of every row, parsed; n receives how many. */
const wpa_json **wpa_feed_parse(const wpa_rows *rows, size_t col, wpa_arena *arena, size_t *n,
                                wpa_error *err);

/** Size of a list's row struct, and how to fill one from its view's row. */
typedef struct wpa_row_kind {
    size_t size_bytes;
    size_t cursor_at; /* offset of its const char *cursor */
    void (*fill)(const wpa_json *row, wpa_arena *arena, void *out);
} wpa_row_kind;

extern const wpa_row_kind wpa_workflow_kind, wpa_finding_kind, wpa_patch_kind, wpa_deployment_kind,
    wpa_audit_kind, wpa_notice_kind, wpa_job_kind, wpa_run_kind, wpa_check_kind, wpa_target_kind,
    wpa_activity_kind, wpa_destination_kind;

/** All rows of a statement whose column 0 is a view's row; NULL with *err set on failure. */
void *wpa_feed_rows(wpa_db *db, const wpa_sql *statement, const char *const params[],
                    size_t n_params, const wpa_row_kind *kind, wpa_arena *arena, size_t *n,
                    wpa_error *err);
