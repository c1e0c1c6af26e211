/*
 * One-time codes (RFC 6238) as a second thing to be asked for at sign-in: switched on by whoever
 * wants it, taken once each, and codes on paper for the day the telephone is lost.
 *
 * Their secrets lie in the database sealed with the key of a file (auth/seal.h), wherever one is
 * there: key_path, NULL for none. What was there before is sealed when its code is next used. What
 * cannot be opened is asked for nevertheless, and only codes on paper take its place.
 */
#pragma once

#include <wpa/actor.h>

#include "auth/hash.h"
#include "auth/otp.h"
#include "auth/seal.h"
#include "auth/secret.h"
#include "db/db.h"

#define WPA_CODE_RECOVERY_COUNT 10

/** What a code that was typed is worth; used up by wpa_code_use. */
typedef struct wpa_code_proof {
    bool is_wanted; /* the person has switched codes on */
    bool is_given, is_good;
    int64_t step;                  /* of a one-time code, or 0: */
    uint8_t hash[WPA_SHA256_SIZE]; /* of a recovery code */
    bool is_to_seal;               /* with it: */
    uint8_t sealed[WPA_OTP_SECRET_BYTES + WPA_SEAL_EXTRA_BYTES], plain_hash[WPA_SHA256_SIZE];
} wpa_code_proof;

typedef struct wpa_code_secret {
    const char *secret; /* base32, for typing */
    const char *uri;    /* otpauth://..., for a picture */
} wpa_code_secret;

/**
 * Is a code wanted of this person, and is this one good? code NULL or "": none was given.
 *
 * Errors    those of wpa_unseal: the code cannot be checked.
 */
bool wpa_code_check(wpa_db *db, const char *key_path, int64_t principal_id, const char *code,
                    int64_t now_s, wpa_code_proof *proof, wpa_error *err) WPA_CHECK;
/**
 * Take it, so that it is good never again; in the caller's transaction.
 *
 * Errors    WPA_E_DENIED: somebody else was faster, or it is no code at all.
 */
bool wpa_code_use(wpa_db *db, int64_t principal_id, const wpa_code_proof *proof,
                  wpa_error *err) WPA_CHECK;

/**
 * A new secret for the actor himself; it is not asked for until wpa_code_confirm. Shown once.
 *
 * passphrase  his own: a session alone must not be enough to lock its owner out.
 *
 * Errors    WPA_E_DENIED (wrong passphrase, or too many of them: a pause), WPA_E_REFUSED (codes are
 *           switched on already, or he has no passphrase that they would stand beside).
 */
bool wpa_code_enrol(wpa_db *db, const char *key_path, const wpa_actor *actor,
                    const wpa_secret *passphrase, wpa_arena *arena, wpa_code_secret *made,
                    wpa_error *err) WPA_CHECK;
/**
 * Switch codes on for the actor, who shows that he has the secret.
 *
 * recovery  receives WPA_CODE_RECOVERY_COUNT codes in the arena, each good once; only hashes stay.
 *
 * Errors    WPA_E_REFUSED (nothing to confirm), WPA_E_DENIED (wrong code, or too many of them: a
 *           pause).
 */
bool wpa_code_confirm(wpa_db *db, const char *key_path, const wpa_actor *actor, const char *code,
                      int64_t now_s, wpa_arena *arena, const char **recovery,
                      wpa_error *err) WPA_CHECK;
/**
 * Switch codes off: for oneself with a last code, by a guardian for others without.
 *
 * name      NULL or the actor's own: for himself.
 *
 * Errors    WPA_E_DENIED (wrong code, or too many of them: a pause; no guardian), WPA_E_REFUSED
 * (not on), WPA_E_NOT_FOUND.
 */
bool wpa_code_remove(wpa_db *db, const char *key_path, const wpa_actor *actor, const char *name,
                     const char *code, int64_t now_s, wpa_error *err) WPA_CHECK;
