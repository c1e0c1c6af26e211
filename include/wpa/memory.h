/* Heap memory for owned objects. Out of memory is logged and ends the process. */
#pragma once

#include <stddef.h>

/** Zeroed. Never NULL. Free with wpa_free. */
void *wpa_alloc(size_t size_bytes);
/** As realloc; never NULL. New bytes are not zeroed. */
void *wpa_realloc(void *memory, size_t size_bytes);
char *wpa_strdup(const char *text);
void wpa_free(void *memory);
