/*
 * Inside src/api only: a POST with an Idempotency-Key is done once; its repetition gets the answer
 * of the first one, for a day.
 */
#pragma once

#include "api/server.h"

/**
 * Take the key for this call, if it has one.
 *
 * is_answered  true: an earlier call with this key was answered so, and the answer is set.
 *
 * Errors    WPA_E_CONFLICT (the first one still runs), WPA_E_INVALID (the key was used for another
 *           call).
 */
bool wpa_api_idempotency_begin(wpa_api_call *call, bool *is_answered, wpa_error *err) WPA_CHECK;
/**
 * Keep the answer; a failure that may pass (5xx) frees the key again. Of an answer that holds a
 * secret it is kept that there was one.
 */
void wpa_api_idempotency_keep(wpa_api_call *call);
