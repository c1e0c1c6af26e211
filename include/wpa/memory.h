/* Heap memory for owned objects. Out of memory is logged and ends the process. */
#pragma once

#include <stddef.h>

/** Zeroed. Never NULL. Free with wpa_free. */
void *wpa_alloc(size_t size_bytes);
/** As realloc; never NULL. New bytes are not zeroed. */
void *wpa_realloc(void *memory, size_t size_bytes);
char *wpa_strdup(const char *text);
void wpa_free(void *memory);

/**
 * From now on all threads take from one heap. Where most memory comes in arenas' blocks they seldom
 * meet there, and what one of them has let go serves the others. Before there are threads.
 */
void wpa_memory_share(void);
