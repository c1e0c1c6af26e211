/* libsodium, which is opened when it is first needed. Private to src/auth. */
#pragma once

#include "gen/calls_sodium.h"

/**
 * Before the first of its calls: without it the generator must not be used. It is there wherever
 * wpa was installed; where it is not, the process ends.
 *
 * Thread    any; safe to race.
 */
void wpa_sodium_need(void);
