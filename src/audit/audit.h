/*
 * The audit log: a chain of rows, each holding the hash of the one before.
 * Changes of state write themselves by triggers; here are the rest: recomputing the chain outside
 * the database, reading it, and rows for what changes no state (a sign-in, a refused key).
 */
#pragma once

#include <wpa/arena.h>
#include <wpa/audit.h>

#include "db/db.h"

#define WPA_AUDIT_HASH_SIZE 32

/** One row as the chain sees it. */
typedef struct wpa_audit_text {
    int64_t seq, at_us;
    const char *actor, *action, *subject, *detail;
} wpa_audit_text;

/** SHA-256("wpa audit v1"). */
void wpa_audit_genesis(uint8_t hash[WPA_AUDIT_HASH_SIZE]);
/** The hash of a row behind prev: integers and lengths big-endian. */
void wpa_audit_hash(const uint8_t prev[WPA_AUDIT_HASH_SIZE], const wpa_audit_text *row,
                    uint8_t hash[WPA_AUDIT_HASH_SIZE]);

/**
 * Recompute hashes, links, numbering and times of the rows from_seq to to_seq (0, 0: all, and then
 * the head too); stops at the first fault.
 *
 * Returns   true if it could be checked, sound or not: see report->fault_seq.
 */
bool wpa_audit_verify(wpa_db *db, int64_t from_seq, int64_t to_seq, wpa_audit_report *report,
                      wpa_error *err) WPA_CHECK;

/** Append a row in the actor's name; in the caller's transaction if one is open. detail: JSON. */
bool wpa_audit_append(wpa_db *db, const wpa_actor *actor, const char *action, const char *subject,
                      const char *detail, wpa_error *err) WPA_CHECK;

typedef struct wpa_audit_query {
    const char *actor;   /* name of a principal; NULL: any */
    const char *action;  /* "deployment" or "deployment.running"; NULL: any */
    const char *subject; /* "patch:7"; NULL: any */
    int64_t before_seq;  /* 0: from the newest */
    int limit;           /* at most 1,000 */
} wpa_audit_query;

typedef struct wpa_audit_entry {
    wpa_audit_text row;
    const char *who; /* the actor's name, or the actor as stored */
    const char *prev_hex, *hash_hex;
} wpa_audit_entry;

/** Newest first, in the arena. */
bool wpa_audit_read(wpa_db *db, const wpa_audit_query *query, wpa_arena *arena,
                    const wpa_audit_entry **entries, size_t *n, wpa_error *err) WPA_CHECK;
