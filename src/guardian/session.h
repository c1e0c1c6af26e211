/*
 * Sign-in and sessions. The passphrase is checked here and nowhere else; a session is a row of the
 * database, and a token (auth/token.h) only names it, so that ending it works everywhere at once.
 */
#pragma once

#include <wpa/actor.h>

#include "auth/secret.h"
#include "auth/token.h"
#include "db/db.h"

#define WPA_SESSION_SECONDS INT64_C(43200)    /* twelve hours: of a terminal, and of any in a row */
#define WPA_SESSION_API_SECONDS INT64_C(1800) /* half an hour, renewed by whoever still works */
#define WPA_SIGN_IN_FREE_TRIES 5
#define WPA_SIGN_IN_PAUSE_SECONDS 60
#define WPA_SIGN_IN_MAX_PAUSE_SECONDS 3600

typedef struct wpa_session {
    wpa_actor actor;
    char jti[37];
    int64_t expires_at_us;
    bool needs_code; /* after a refused sign-in: all was right, and a one-time code is wanted too */
} wpa_session;

/**
 * Where this process is used from: SSH client or "local", terminal and its type. Fills address and
 * user_agent, leaves the rest.
 */
void wpa_session_locate(wpa_actor *where);

/**
 * Check a name and passphrase, and the one-time code where one is switched on, and open a session.
 * Costs as much for a name that nobody has.
 *
 * where     address and user agent; its principal does not count.
 * code      one-time or recovery code; NULL or "": none was given.
 * kind      "console", "cli" or "api".
 *
 * Errors    WPA_E_DENIED, with one sentence for all causes that tells the tries left, or how long
 *           the pause lasts; after WPA_SIGN_IN_FREE_TRIES failures a pause, doubling with each
 *           further one, for all consoles together. If nothing but the code is missing,
 *           session->needs_code is set and the sentence says so.
 */
bool wpa_session_sign_in(wpa_db *db, const wpa_actor *where, const char *name,
                         const wpa_secret *passphrase, const char *key_path, const char *code,
                         const char *kind, wpa_session *session, wpa_error *err) WPA_CHECK;
/**
 * Count a try of something that can be guessed, before it is looked at; as sign-ins are counted,
 * under a key that is nobody's name ("code:ann").
 *
 * Errors    WPA_E_DENIED: a pause lasts.
 */
bool wpa_session_begin_try(wpa_db *db, const char *key, wpa_error *err) WPA_CHECK;
/** It was right: the tries before do not count any more. */
bool wpa_session_forget_tries(wpa_db *db, const char *key, wpa_error *err) WPA_CHECK;
/**
 * Is this the passphrase of somebody who has signed in? Asked for before what whoever has got hold
 * of a session must not do. Tries are counted apart from sign-ins, so that he locks nobody out.
 *
 * Errors    WPA_E_DENIED (wrong, or a pause lasts), WPA_E_REFUSED (the person has none).
 */
bool wpa_session_prove(wpa_db *db, const wpa_actor *actor, const wpa_secret *passphrase,
                       wpa_error *err) WPA_CHECK;
/** Open a session of somebody who has been identified by other means; errors WPA_E_DENIED. */
bool wpa_session_open(wpa_db *db, const wpa_actor *actor, const char *kind, wpa_session *session,
                      wpa_error *err) WPA_CHECK;
/** A sign-in that was refused before anybody in particular was meant: into the audit log. */
void wpa_session_record_refusal(wpa_db *db, const wpa_actor *where);
/**
 * Open a session that may only look, as the principal "viewer", made when first wanted.
 *
 * Errors    WPA_E_DENIED: a guardian has disabled "viewer", which is how to forbid this.
 */
bool wpa_session_open_read_only(wpa_db *db, const wpa_actor *where, wpa_session *session,
                                wpa_error *err) WPA_CHECK;

/** Keep what the session's person looks at, for others to see; it tells that he is still there. */
bool wpa_session_place(wpa_db *db, const wpa_session *session, const char *place,
                       wpa_error *err) WPA_CHECK;

/** A token that names the session, in the arena. */
char *wpa_session_token(const wpa_token_keys *keys, const wpa_session *session, wpa_arena *arena,
                        wpa_error *err);
/**
 * The session that a token names, if both still stand; the role is the database's, now.
 *
 * log       receives why a token was refused; may be NULL.
 *
 * Errors    WPA_E_DENIED, with the same words for all causes.
 */
bool wpa_session_resume(wpa_db *db, const wpa_token_keys *keys, const char *token,
                        const wpa_actor *where, wpa_log *log, wpa_session *session,
                        wpa_error *err) WPA_CHECK;
/**
 * The same in two halves, for whoever asks the database other things along with it: what the token
 * claims (session->jti, and the name, which is not known yet), and what WPA_SQL_SESSION_FIND says
 * of that jti.
 */
bool wpa_session_claim(const wpa_token_keys *keys, const char *token, const wpa_actor *where,
                       wpa_log *log, wpa_session *session, wpa_error *err) WPA_CHECK;
bool wpa_session_confirm(const wpa_rows *rows, const wpa_actor *where, wpa_log *log,
                         wpa_session *session, wpa_error *err) WPA_CHECK;
/** Does it still stand? Reads the role anew. Errors WPA_E_DENIED. */
bool wpa_session_check(wpa_db *db, wpa_session *session, wpa_error *err) WPA_CHECK;
/**
 * A new session in place of one that still stands, which ends. The row of them ends
 * WPA_SESSION_SECONDS after the sign-in.
 *
 * Errors    WPA_E_DENIED (it has ended, its time is up, or the person was disabled).
 */
bool wpa_session_renew(wpa_db *db, const wpa_session *before, wpa_session *session,
                       wpa_error *err) WPA_CHECK;
/**
 * End any session by its id: one's own, or as guardian somebody else's. Its token is refused from
 * the next call on, everywhere.
 *
 * Errors    WPA_E_NOT_FOUND (no such session stands), WPA_E_DENIED.
 */
bool wpa_session_revoke(wpa_db *db, const wpa_actor *actor, const char *jti,
                        wpa_error *err) WPA_CHECK;
/** Sign out; a session that has ended is fine. */
bool wpa_session_end(wpa_db *db, const wpa_session *session, wpa_error *err) WPA_CHECK;
