/* The kinds of secrets that there are, and what each looks like. Private to src/match. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/** Where a secret stands, and what tells that one may be there. */
typedef enum wpa_secret_place {
    WPA_SECRET_IN_RUN, /* in one run of secret bytes (secret_runs.h) with one of its markers */
    WPA_SECRET_FAR_FROM_NAME, /* in such a run; its marker, in any case, somewhere in front */
    WPA_SECRET_IN_HEADING,    /* in the words of its marker */
    WPA_SECRET_IN_LOGIN,      /* between "://" and "@" */
    WPA_SECRET_BEHIND_NAME    /* the whole of such a run, behind the name of a secret */
} wpa_secret_place;

#define WPA_SECRET_MARKERS_MAX 9
#define WPA_SECRET_VALUE_MIN_BYTES 20 /* of one behind a name */

typedef struct wpa_secret_kind {
    const char *kind;
    /* Of two bytes or more; one must be there for the pattern to be tried at all. */
    const char *markers[WPA_SECRET_MARKERS_MAX];
    wpa_secret_place place;
    size_t least_bytes;  /* of the run, from the marker to the end of the secret, both of them in */
    const char *pattern; /* the secret is group 1 if there is one */
    double least_entropy; /* of the secret, bits a byte; 0: the format says enough */
    bool is_guess;        /* the value looks like one; nothing proves it */
} wpa_secret_kind;

#define WPA_SECRET_KINDS 28
extern const wpa_secret_kind wpa_secret_kinds[WPA_SECRET_KINDS];
