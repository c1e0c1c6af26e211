/* What a verification of the audit chain found. */
#pragma once

#include <stdint.h>

typedef struct wpa_audit_report {
    int64_t n_rows, first_seq, last_seq;
    int64_t last_at_us;
    int64_t fault_seq; /* first one that is wrong; 0: sound */
    char fault[16];    /* "hash" "link" "gap" "head" "time"; empty: sound */
    char stored[80], computed[80];
} wpa_audit_report;
