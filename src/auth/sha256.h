/* SHA-256 over the instructions that processors have for it, where they do. */
#pragma once

#include "auth/hash.h"

/** Takes in more bytes, as wpa_sha256_update promises. */
void wpa_sha256_add(wpa_sha256_state *state, const void *data, size_t size_bytes);
