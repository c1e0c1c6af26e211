/*
 * Memory of which there may be more than should be in use at a time: it lies in files without
 * names, in $TMPDIR, and what nobody looks at for a while goes out of the process. Whoever looks
 * again finds it as it was, at the same place. Any thread.
 */
#pragma once

#include <stddef.h>

/**
 * Zeroed, in whole pages. Never NULL: where no such file can be made, or the disk is full, it is
 * ordinary memory.
 */
void *wpa_paged_take(size_t size_bytes);
/** Give back what was taken, with its size. */
void wpa_paged_give(void *memory, size_t size_bytes);
/** Let go of what is in use, if it has become much. Called every few items of whoever walks over
 * such memory; costs nothing while there is little of it. */
void wpa_paged_relax(void);
