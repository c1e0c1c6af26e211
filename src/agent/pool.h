/* Connections of the engine, for its own calls and for the feed. */
#pragma once

#include <wpa/agent.h>

#include "db/db.h"

#define WPA_ENGINE_CODES_KEY_FILE "codes.key" /* in the state folder */

/** A connection for one service call, owned by the calling thread until given back. */
wpa_db *wpa_engine_take(wpa_engine *engine, wpa_error *err);
/** NULL is fine; an open transaction is rolled back. */
void wpa_engine_give(wpa_engine *engine, wpa_db *db);
/** The file with the key of one-time codes' secrets, for guardian/code.h; it need not be there. */
const char *wpa_engine_codes_key(const wpa_engine *engine);
/** Read-only: as wpa_viewer if the database has it. The caller's, to close. */
wpa_db *wpa_engine_connect_reader(const wpa_engine *engine, wpa_error *err);
/**
 * With a role of the database. Where roles could not be made, which the log was told when the
 * engine was opened, as the DSN's own user; never so because something else went wrong. The
 * caller's, to close.
 */
wpa_db *wpa_engine_connect_as(const wpa_engine *engine, const char *role, const char *application,
                              wpa_error *err);
