/*
 * Places where a test kills the process: WPA_FAULT names one, and reaching it is a SIGKILL. Only
 * in builds for testing; in a release build there is nothing here to reach.
 */
#pragma once

#ifdef WPA_FAULTS
void wpa_fault(const char *place);
#else
static inline void wpa_fault(const char *place)
{
    (void)place;
}
#endif
