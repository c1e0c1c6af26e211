/* Real receivers of notices: processes of their own that write down what arrives (receiver.py). */
#pragma once

#include "harness/sample.h"

typedef struct wpa_receiver {
    const wpa_sample *sample;
    const char *log;
    int port;
} wpa_receiver;

/** kind: "http" or "smtp"; options as receiver.py takes them, separated by blanks. Ends with
 * sample. */
wpa_receiver wpa_receiver_start(const wpa_sample *sample, const char *kind, const char *options);
/** How many things have arrived. */
int wpa_receiver_count(const wpa_receiver *receiver);
/** Wait until n have. */
void wpa_receiver_wait(const wpa_receiver *receiver, int n);
/** Member of the nth thing (from 1): see received.py. */
char *wpa_receiver_get(const wpa_receiver *receiver, int n, const char *path);

/** Output of a bash script, without the line feed at its end; fails unless it ends with 0. */
char *wpa_test_shell(const wpa_sample *sample, const char *script, ...) WPA_PRINTF(2, 3);
