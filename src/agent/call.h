/* Inside src/agent only: the frame of a service call. */
#pragma once

#include "agent/engine.h"

/** What a service call does inside its transaction. */
typedef bool (*wpa_call_work)(wpa_db *db, const wpa_actor *actor, void *context, wpa_error *err);

/** Check the role, take a connection, begin as the actor, work, commit, give it back. */
bool wpa_call(wpa_engine *engine, const wpa_actor *actor, wpa_action action, wpa_call_work work,
              void *context, wpa_error *err) WPA_CHECK;

/**
 * One statement in the actor's name that must touch a row.
 *
 * missing   WPA_E_REFUSED with this text if it touched none.
 */
bool wpa_call_one(wpa_db *db, const wpa_sql *statement, const char *const params[], size_t n,
                  const char *missing, wpa_error *err) WPA_CHECK;
