/* A 64-bit number that changes with the bytes: fast, and no protection against whoever wants two
   texts with the same one. */
#pragma once

#include <stddef.h>
#include <stdint.h>

uint64_t wpa_mix(const void *data, size_t size_bytes);
