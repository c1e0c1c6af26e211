/* Inside src/feed only: what reads the database and makes messages of it. */
#pragma once

#include <wpa/command.h>

#include "feed/rows.h"

/** What the console has asked to see of one list. */
typedef struct wpa_list_watch {
    uint64_t request_id;
    wpa_arena *arena; /* owns the query; NULL: not watched */
    wpa_list_query query;
    bool is_answered;  /* the rows were sent at least once */
    bool counts_terms; /* the next answer tells what each term of the filter keeps out */
} wpa_list_watch;

/** Each makes one message (kind and body), or NULL with *err set. */
wpa_msg *wpa_feed_dashboard(wpa_db *db, double notify_lag_ms, wpa_error *err);
wpa_msg *wpa_feed_list(wpa_db *db, const wpa_list_watch *watch, wpa_error *err);
/**
 * Ids of all that match the query, at most n_max.
 *
 * Errors  WPA_E_LIMIT (more match), WPA_E_INVALID (a term is not understood: more would match than
 *         is meant), the database's.
 */
int64_t *wpa_feed_matching(wpa_db *db, const wpa_list_query *query, size_t n_max, wpa_arena *arena,
                           size_t *n, wpa_error *err);
wpa_msg *wpa_feed_detail(wpa_db *db, uint64_t request_id, wpa_object object, wpa_error *err);
/** The newest notices that need not be told any more. Their ids are remembered one by one: which is
    given first may be committed last. */
#define WPA_FEED_TOLD_MAX 100
typedef struct wpa_feed_told {
    int64_t ids[WPA_FEED_TOLD_MAX];
    size_t n;
} wpa_feed_told;

/** Whatever stands already counts as told. */
bool wpa_feed_told_begin(wpa_db *db, wpa_feed_told *told, wpa_error *err) WPA_CHECK;
/** Those not told yet, oldest first, one message each, pushed to the inbox. */
bool wpa_feed_notices(wpa_db *db, wpa_feed_told *told, wpa_queue *inbox, wpa_error *err) WPA_CHECK;

/** Parts of a detail: false with *err set; the row missing is no error, *is_found says so. */
typedef bool (*wpa_detail_maker)(wpa_db *db, int64_t id, wpa_arena *arena, wpa_detail_view *view,
                                 bool *is_found, wpa_error *err);
bool wpa_detail_workflow(wpa_db *db, int64_t id, wpa_arena *arena, wpa_detail_view *view,
                         bool *is_found, wpa_error *err) WPA_CHECK;
bool wpa_detail_finding(wpa_db *db, int64_t id, wpa_arena *arena, wpa_detail_view *view,
                        bool *is_found, wpa_error *err) WPA_CHECK;
bool wpa_detail_patch(wpa_db *db, int64_t id, wpa_arena *arena, wpa_detail_view *view,
                      bool *is_found, wpa_error *err) WPA_CHECK;
bool wpa_detail_deployment(wpa_db *db, int64_t id, wpa_arena *arena, wpa_detail_view *view,
                           bool *is_found, wpa_error *err) WPA_CHECK;
bool wpa_detail_audit(wpa_db *db, int64_t id, wpa_arena *arena, wpa_detail_view *view,
                      bool *is_found, wpa_error *err) WPA_CHECK;
bool wpa_detail_job(wpa_db *db, int64_t id, wpa_arena *arena, wpa_detail_view *view, bool *is_found,
                    wpa_error *err) WPA_CHECK;
