/* The heap of a process with many threads that runs for long. */
#pragma once

/**
 * Few arenas instead of one a thread, so that what one has freed serves the others; and what a
 * request took is kept for the next one instead of being given back to the system each time.
 */
void wpa_heap_for_requests(void);

/** Gives back what lies unused between used pieces, which no release does; some ms of work. */
void wpa_heap_trim(void);
