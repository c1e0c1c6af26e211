#include "auth/sodium.h"

#include <stdio.h>
#include <stdlib.h>

void wpa_sodium_need(void)
{
    wpa_error err = {0};
    if (!wpa_sodium_open(&err) || sodium_init() < 0) {
        (void)fprintf(stderr, "wpa: %s\n", *err.message ? err.message : "libsodium does not start");
        abort();
    }
}
