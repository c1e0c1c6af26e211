/*
 * Answers that are kept for the next one who asks the same while the database is the same: many
 * screens that ask for one list each second cost the database one list. An answer is given again
 * only to a call whose snapshot of the database equals the one it was made from, so it is never
 * older than a new one would be; and for some seconds at most, since some of it depends on the
 * time. Only what is asked for a second time is kept.
 */
#pragma once

#include "api/server.h"

typedef struct wpa_api_kept wpa_api_kept;

wpa_api_kept *wpa_api_kept_new(void);
void wpa_api_kept_free(wpa_api_kept *kept);

/** Does the call have its answer now? If not, it remembers the snapshot for wpa_api_kept_put. */
bool wpa_api_kept_find(wpa_api_call *call, wpa_db *db);
/** Keep the answer that was made, if it may be. */
void wpa_api_kept_put(wpa_api_call *call);
