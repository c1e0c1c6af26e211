/*
 * A connection that has been used: its server has read its catalogues and made its plans, so the
 * first call that it serves takes no longer than the thousandth.
 */
#pragma once

#include "db/db.h"

void wpa_api_warm(wpa_db *db);
