#include "deploy/fault.h"

#ifdef WPA_FAULTS
#include <signal.h>
#include <stdlib.h>
#include <string.h>

void wpa_fault(const char *place)
{
    const char *wanted = getenv("WPA_FAULT"); /* NOLINT(concurrency-mt-unsafe): nobody sets it */
    if (wanted != NULL && strcmp(wanted, place) == 0) {
        raise(SIGKILL);
    }
}
#else
typedef int wpa_no_faults;
#endif
