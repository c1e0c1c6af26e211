/*
 * People whom an OpenID Connect provider vouches for: which one that is (settings of the database,
 * the same for every front end), and which guardian or viewer its tokens stand for. What somebody
 * may do is this database's to say: a token brings a name, never a role.
 */
#pragma once

#include <wpa/actor.h>

#include "auth/issuer.h"
#include "db/db.h"
#include "guardian/session.h"

#define WPA_VOUCHED_KEY_SIZE 32

typedef struct wpa_vouched_settings {
    const char *issuer, *client_id; /* NULL: nobody vouches */
    const char *audience, *claim, *jwks;
    const char *client_secret; /* read by wpa_vouched_read_all alone */
} wpa_vouched_settings;

/** What a token of the issuer was good for. */
typedef struct wpa_vouched {
    wpa_actor actor;
    uint8_t key[WPA_VOUCHED_KEY_SIZE]; /* by which it is revoked */
    int64_t expires_at_s;
} wpa_vouched;

/** The settings into the arena; issuer is NULL where none is set. Any role. */
bool wpa_vouched_read(wpa_db *db, wpa_arena *arena, wpa_vouched_settings *settings,
                      wpa_error *err) WPA_CHECK;
/** With the client secret: role wpa_api. */
bool wpa_vouched_read_all(wpa_db *db, wpa_arena *arena, wpa_vouched_settings *settings,
                          wpa_error *err) WPA_CHECK;
/** An issuer with these settings. Errors WPA_E_REFUSED (none is set), WPA_E_INVALID. */
wpa_issuer *wpa_vouched_issuer(const wpa_vouched_settings *settings, wpa_log *log, wpa_error *err);
/**
 * Replace the settings; issuer NULL: nobody vouches any more.
 *
 * Errors    WPA_E_DENIED (only a guardian), WPA_E_INVALID.
 */
bool wpa_vouched_configure(wpa_db *db, const wpa_actor *actor, const wpa_vouched_settings *settings,
                           wpa_error *err) WPA_CHECK;

/** What an issuer says in a token that it has signed; whom that means is not looked up yet. */
typedef struct wpa_vouched_word {
    const char *issuer;
    wpa_issuer_claims claims;
    uint8_t key[WPA_VOUCHED_KEY_SIZE];
} wpa_vouched_word;

/**
 * Is this bearer token the issuer's? No database is needed, but its keys may have to be waited for.
 *
 * log       receives why a token was refused; may be NULL.
 *
 * Errors    WPA_E_DENIED, with the same words for all causes; WPA_E_UNAVAILABLE (it has given no
 *           keys).
 */
bool wpa_vouched_verify(wpa_issuer *issuer, const char *token, const wpa_actor *where, wpa_log *log,
                        wpa_arena *arena, wpa_vouched_word *word, wpa_error *err) WPA_CHECK;
/**
 * Who shows the token, if this database and nobody's revocation say so. The first token of a person
 * binds him to the issuer's subject, unless he has a passphrase or one-time codes: of those
 * wpa_vouched_bind says whose account it is.
 *
 * Errors    WPA_E_DENIED, with the same words for all causes.
 */
bool wpa_vouched_resume(wpa_db *db, const wpa_vouched_word *word, const wpa_actor *where,
                        wpa_log *log, wpa_vouched *vouched, wpa_error *err) WPA_CHECK;
/**
 * The same with the ID token of a device flow; opens a session of ours of this kind. Whoever is not
 * bound yet is told what a guardian has to do.
 */
bool wpa_vouched_sign_in(wpa_db *db, wpa_issuer *issuer, const char *id_token, const char *nonce,
                         const wpa_actor *where, const char *kind, wpa_log *log,
                         wpa_session *session, wpa_error *err) WPA_CHECK;
/** The token ends now, everywhere. */
bool wpa_vouched_revoke(wpa_db *db, const wpa_vouched *vouched, wpa_error *err) WPA_CHECK;
/**
 * Bind a person to a subject of the issuer that is set.
 *
 * Errors    WPA_E_DENIED, WPA_E_NOT_FOUND, WPA_E_INVALID (no subject), WPA_E_REFUSED (no issuer is
 *           set, he is bound, the subject is somebody else's).
 */
bool wpa_vouched_bind(wpa_db *db, const wpa_actor *actor, const char *name, const char *subject,
                      wpa_error *err) WPA_CHECK;
/**
 * Take away the person's binding, and end his sessions.
 *
 * Errors    WPA_E_DENIED, WPA_E_NOT_FOUND, WPA_E_REFUSED (he is not bound).
 */
bool wpa_vouched_unbind(wpa_db *db, const wpa_actor *actor, const char *name,
                        wpa_error *err) WPA_CHECK;
