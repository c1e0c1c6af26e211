/* Inside src/job only: what the heartbeat and a worker share about one lease. */
#pragma once

#include <wpa/clock.h>

#include "job/job.h"

bool wpa_lease_is_lost(const wpa_lease *lease);
bool wpa_lease_is_cancelled(const wpa_lease *lease);

/** The worker in the slot holds this job since sent_ms (monotonic, when the claim was sent). */
wpa_lease *wpa_heart_take(wpa_heart *heart, size_t slot, const wpa_job *job, int64_t sent_ms);
void wpa_heart_drop(wpa_heart *heart, size_t slot);
