/* Guardians and viewers: adding, listing, disabling them, and their passphrases. */
#pragma once

#include <wpa/actor.h>

#include "auth/secret.h"
#include "db/db.h"

typedef struct wpa_principal {
    int64_t id;
    const char *name;
    wpa_role role;
    bool is_active;
    int64_t created_at_us;
    int64_t last_sign_in_at_us; /* 0: never */
    int64_t n_sessions;         /* that stand now */
    bool has_code;              /* is asked for a one-time code as well */
} wpa_principal;

/** May this be somebody's name? 1 to 63 letters, digits and . _ @ -; errors WPA_E_INVALID. */
bool wpa_guardian_check_name(const char *name, wpa_error *err) WPA_CHECK;

/** Id of a person, 0 with *err set: WPA_E_NOT_FOUND, WPA_E_REFUSED (an agent). */
int64_t wpa_guardian_find(wpa_db *db, const char *name, wpa_error *err);
/** Has anybody with the role guardian ever been made? */
bool wpa_guardian_exists(wpa_db *db, bool *exists, wpa_error *err) WPA_CHECK;

/**
 * Make the very first guardian. Of two consoles that try at once, one wins.
 *
 * where     address and user agent, for the audit log; its principal does not count.
 *
 * Errors    WPA_E_REFUSED (there is one already), WPA_E_INVALID (name, passphrase).
 */
bool wpa_guardian_create_first(wpa_db *db, const wpa_actor *where, const char *name,
                               const wpa_secret *passphrase, wpa_error *err) WPA_CHECK;
/** Errors: WPA_E_CONFLICT (the name is taken, in whatever case), WPA_E_INVALID, WPA_E_DENIED. */
bool wpa_guardian_add(wpa_db *db, const wpa_actor *actor, const char *name, wpa_role role,
                      const wpa_secret *passphrase, wpa_error *err) WPA_CHECK;
/**
 * Disable (their sessions end at once) or enable a person.
 *
 * Errors    WPA_E_NOT_FOUND, WPA_E_REFUSED (the last active guardian; an agent), WPA_E_DENIED.
 */
bool wpa_guardian_set_active(wpa_db *db, const wpa_actor *actor, const char *name, bool is_active,
                             wpa_error *err) WPA_CHECK;
/** Is this the name of whoever acts, in whatever case? */
bool wpa_guardian_is_self(const wpa_actor *actor, const char *name);
/**
 * Give a person a new passphrase; all sessions of his but keep_jti (may be NULL) end. Anybody may
 * do it for himself, by the old one: a session that was left open is not enough to take a person
 * over. A guardian may do it for everybody else.
 *
 * old       one's own; NULL for others.
 *
 * Errors    WPA_E_DENIED (the old one is wrong or missing; not a guardian), WPA_E_REFUSED (there is
 *           no old one: another guardian gives it), WPA_E_NOT_FOUND, WPA_E_INVALID, WPA_E_LIMIT
 *           (too many tries).
 */
bool wpa_guardian_set_passphrase(wpa_db *db, const wpa_actor *actor, const char *name,
                                 const wpa_secret *old, const wpa_secret *passphrase,
                                 const char *keep_jti, wpa_error *err) WPA_CHECK;
/** Everybody, agents included, in the order they were made; items[*n] in the arena, or NULL. */
wpa_principal *wpa_guardian_list(wpa_db *db, wpa_arena *arena, size_t *n, wpa_error *err);
