/* The heap of a process with many threads. */
#pragma once

/**
 * Few arenas instead of one a thread, so that what one has freed serves the others; and what a
 * request took is kept for the next one instead of being given back to the system each time.
 */
void wpa_heap_for_requests(void);

/** Gives back what lies unused between used pieces, which no release does; some ms of work. */
void wpa_heap_trim(void);
/**
 * For threads that ask for few and large blocks: one arena for all, so that what one of them has
 * let go of serves the others. Before the first of them.
 */
void wpa_heap_for_blocks(void);
