/* Inside src/agent only: what a guardian changes of a patch, as part of a transaction. */
#pragma once

#include <wpa/agent.h>

#include "db/db.h"

/** Change what can still be changed of a patch, in the open transaction. if_version: or -1. */
bool wpa_revise_patch(wpa_db *db, int64_t patch_id, int64_t if_version,
                      const wpa_patch_revision *revision, wpa_arena *arena,
                      wpa_error *err) WPA_CHECK;
/** The action that a role needs for it. */
wpa_action wpa_revise_action(const wpa_patch_revision *revision);
