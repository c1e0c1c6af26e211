#include "core/heap.h"

#include <malloc.h>

#define ARENAS 4
#define KEPT_BYTES (1 << 20)

void wpa_heap_for_requests(void)
{
    (void)mallopt(M_ARENA_MAX, ARENAS);
    (void)mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);
    (void)mallopt(M_TOP_PAD, KEPT_BYTES / 4);
    (void)mallopt(M_MMAP_THRESHOLD, KEPT_BYTES);
}

void wpa_heap_for_blocks(void)
{
    (void)mallopt(M_ARENA_MAX, 1);
}

void wpa_heap_trim(void)
{
    (void)malloc_trim(KEPT_BYTES);
}
