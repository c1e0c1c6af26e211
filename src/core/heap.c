#include "core/heap.h"

#include <malloc.h>

#define ARENAS 4
#define KEPT_BYTES (1 << 20)

/** What is given back to the system is cleared and mapped anew when it is wanted again, which soon
    it is. */
static void keep_some(void)
{
    (void)mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);
    (void)mallopt(M_TOP_PAD, KEPT_BYTES / 4);
    (void)mallopt(M_MMAP_THRESHOLD, KEPT_BYTES);
}

void wpa_heap_for_requests(void)
{
    (void)mallopt(M_ARENA_MAX, ARENAS);
    keep_some();
}

void wpa_heap_for_blocks(void)
{
    (void)mallopt(M_ARENA_MAX, 1);
    keep_some();
}

void wpa_heap_trim(void)
{
    (void)malloc_trim(KEPT_BYTES);
}
