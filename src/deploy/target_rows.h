/* Rows of a target: its state, and the intent that says what is about to be pushed. */
#pragma once

#include "auth/hash.h"
#include "deploy/run.h"

typedef struct wpa_intent {
    char id[WPA_UUID_SIZE];
    char old_oid[WPA_OID_SIZE];
    char new_oid[WPA_OID_SIZE];
    const char *kind;
    int64_t deployment_id;
    const void *raw;
    size_t raw_bytes;
} wpa_intent;

typedef struct wpa_target_change {
    const wpa_deploy_target *target;
    const char *from, *to, *note;
    const char *base, *applied, *reverted, *observed;
    const wpa_intent *ends; /* an intent that ends with it, or NULL */
    const char *end_state;
    const wpa_intent *begins; /* an intent that begins with it, or NULL */
    const char *via;          /* a state to pass through first, or NULL */
} wpa_target_change;

/** wpa_deploy_work over a wpa_target_change: all of it or nothing (inside a transaction). */
bool wpa_target_write(wpa_deploy_run *run, const void *what, wpa_error *err) WPA_CHECK;
/** Leave the target alone for a while, in a transaction of its own. delay_ms < 0: until told. */
bool wpa_target_wait(wpa_deploy_run *run, const wpa_deploy_target *target, int64_t delay_ms,
                     const char *note, wpa_error *err) WPA_CHECK;
/** The open intent of the target's ref, if *is_there. Errors INTERNAL: another deployment's. */
bool wpa_target_intent(wpa_deploy_run *run, const wpa_deploy_target *target, wpa_intent *open,
                       bool *is_there, wpa_error *err) WPA_CHECK;
