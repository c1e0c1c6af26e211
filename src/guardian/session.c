#include "guardian/session.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <wpa/clock.h>
#include <wpa/text.h>

#include "auth/hash.h"
#include "auth/password.h"
#include "gen/sql.h"
#include "guardian/code.h"
#include "guardian/guardian.h"
#include "json/json.h"

enum {
    NAME_MAX_BYTES = 256,
    PLACE_MAX_BYTES = 64
};

/* Who is behind a name, as far as the database knows. */
typedef struct person {
    int64_t id; /* 0: nobody */
    char name[64];
    wpa_role role;
    bool is_active;
    char hash[WPA_PASSWORD_HASH_SIZE]; /* empty: none */
} person;

static const char *const read_only_name = "viewer";

/* ---- where from ---- */

void wpa_session_locate(wpa_actor *where)
{
    const char *ssh = getenv("SSH_CONNECTION"); /* "client port server port" */
    size_t length = ssh ? strcspn(ssh, " ") : 0;
    wpa_text_format(where->address, sizeof where->address, "%.*s", length ? (int)length : 5,
                    length ? ssh : "local");
    char tty[64] = "no terminal";
    if (ttyname_r(STDIN_FILENO, tty, sizeof tty) != 0) {
        wpa_text_copy(tty, sizeof tty, "no terminal");
    }
    const char *type = getenv("TERM");
    wpa_text_format(where->user_agent, sizeof where->user_agent, "wpa/%s %s %.40s", WPA_VERSION,
                    tty, type ? type : "");
}

/* ---- sign-in ---- */

static char *hash_key(const char *name, wpa_arena *arena)
{
    uint8_t digest[WPA_SHA256_SIZE];
    char folded[NAME_MAX_BYTES + 1];
    size_t n = 0;
    for (; name[n] && n < NAME_MAX_BYTES; n++) {
        folded[n] = (char)tolower((unsigned char)name[n]);
    }
    wpa_sha256(folded, n, digest);
    return wpa_db_bytes(arena, digest, sizeof digest);
}

static bool can_be_name(const char *name)
{
    wpa_error why = {0};
    return wpa_guardian_check_name(name, &why);
}

/* What cannot be a name is told apart from the keys of other tries: whatever a stranger types there
   counts for sign-ins alone. */
static char *hash_name(const char *name, wpa_arena *arena)
{
    return hash_key(can_be_name(name) ? name : wpa_arena_printf(arena, "?%s", name), arena);
}

static bool refuse_during_pause(wpa_db *db, const char *name_hash, wpa_error *err)
{
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_SIGN_IN_PAUSE, &name_hash, 1, err);
    if (!rows) {
        return false;
    }
    int64_t seconds = wpa_rows_count(rows) ? wpa_rows_int(rows, 0, 0) : 1;
    return WPA_FAIL(err, WPA_E_DENIED, "too many failed tries: next one in %lld s",
                    (long long)seconds);
}

/* Counts the try as failed, before anything is checked. *left: further ones before a pause. */
static bool begin_try(wpa_db *db, const char *name_hash, int64_t *left, int64_t *pause_s,
                      wpa_error *err)
{
    char free_tries[WPA_DB_NUMBER_SIZE], pause[WPA_DB_NUMBER_SIZE], longest[WPA_DB_NUMBER_SIZE];
    const char *params[] = {name_hash, wpa_db_number(WPA_SIGN_IN_FREE_TRIES, free_tries),
                            wpa_db_number(WPA_SIGN_IN_PAUSE_SECONDS, pause),
                            wpa_db_number(WPA_SIGN_IN_MAX_PAUSE_SECONDS, longest)};
    WPA_AUTO(wpa_rows) *rows =
        wpa_db_exec(db, WPA_SQL_SIGN_IN_BEGIN, params, WPA_COUNT(params), err);
    if (!rows) {
        return false;
    }
    if (wpa_rows_count(rows) == 0) {
        return refuse_during_pause(db, name_hash, err);
    }
    *left = WPA_SIGN_IN_FREE_TRIES - wpa_rows_int(rows, 0, 0);
    *pause_s = wpa_rows_int(rows, 0, 1);
    return true;
}

static bool find_person(wpa_db *db, const char *name, person *found, wpa_error *err)
{
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_SIGN_IN_CREDENTIAL, &name, 1, err);
    *found = (person){0};
    if (!rows || wpa_rows_count(rows) == 0) {
        return rows != NULL;
    }
    found->id = wpa_rows_int(rows, 0, 0);
    found->is_active = wpa_rows_bool(rows, 0, 3);
    wpa_text_copy(found->name, sizeof found->name, wpa_rows_text(rows, 0, 1));
    wpa_text_copy(found->hash, sizeof found->hash, wpa_rows_text(rows, 0, 4));
    return wpa_role_parse(wpa_rows_text(rows, 0, 2), &found->role, err);
}

typedef struct audit_line {
    const char *action, *subject, *detail;
} audit_line;

static bool write_audit(wpa_db *db, void *context, wpa_error *err)
{
    const audit_line *line = context;
    const char *params[] = {line->action, line->subject, line->detail};
    return wpa_db_run(db, WPA_SQL_GUARDIAN_AUDIT, params, WPA_COUNT(params), err);
}

/* The name that was typed stays out: it may be a passphrase in the wrong field. */
static bool refuse(wpa_db *db, const wpa_actor *where, const person *found, int64_t left,
                   int64_t pause_s, wpa_error *err)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_actor nobody = *where;
    nobody.principal_id = 0;
    audit_line line = {
        .action = "session.refused",
        .subject = found->id ? wpa_arena_printf(arena, "principal:%lld", (long long)found->id)
                             : "principal:unknown",
        .detail = wpa_arena_printf(arena, "{\"pause_s\":%lld}", (long long)pause_s),
    };
    if (!wpa_db_transact(db, &nobody, write_audit, &line, err)) {
        return false;
    }
    if (left > 0) {
        return WPA_FAIL(err, WPA_E_DENIED,
                        "wrong name, passphrase or code; %lld %s left, then a %d s pause",
                        (long long)left, left == 1 ? "try" : "tries", WPA_SIGN_IN_PAUSE_SECONDS);
    }
    return WPA_FAIL(err, WPA_E_DENIED, "wrong name, passphrase or code; next try in %lld s",
                    (long long)pause_s);
}

typedef struct opening {
    wpa_session *session;
    const char *kind;
    const char *before;         /* jti of the session it takes the place of, or NULL */
    const char *name_hash;      /* NULL: no tries to forget */
    const char *new_hash;       /* NULL: the stored one is good */
    const wpa_code_proof *code; /* used up with it; NULL: none was wanted */
} opening;

/* A process that answers software keeps nobody signed in for long: its tokens travel. */
static int64_t seconds_of(const char *kind)
{
    return wpa_text_is(kind, "api") ? WPA_SESSION_API_SECONDS : WPA_SESSION_SECONDS;
}

static bool insert_session(wpa_db *db, void *context, wpa_error *err)
{
    const opening *open = context;
    wpa_session *session = open->session;
    char id[WPA_DB_NUMBER_SIZE], seconds[WPA_DB_NUMBER_SIZE], longest[WPA_DB_NUMBER_SIZE];
    const char *params[] = {session->jti,
                            wpa_db_number(session->actor.principal_id, id),
                            open->kind,
                            wpa_db_number(seconds_of(open->kind), seconds),
                            session->actor.address,
                            session->actor.user_agent,
                            open->before,
                            wpa_db_number(WPA_SESSION_SECONDS, longest)};
    if (open->code && !wpa_code_use(db, session->actor.principal_id, open->code, err)) {
        return false;
    }
    WPA_AUTO(wpa_rows) *rows =
        wpa_db_exec(db, WPA_SQL_SESSION_INSERT, params, WPA_COUNT(params), err);
    if (!rows) {
        return false;
    }
    if (wpa_rows_count(rows) == 0) {
        return open->before ? WPA_FAIL(err, WPA_E_DENIED, "the session has ended; sign in again")
                            : WPA_FAIL(err, WPA_E_DENIED, "'%s' is disabled", session->actor.name);
    }
    session->expires_at_us = wpa_rows_time_us(rows, 0, 0);
    const char *credential[] = {id, open->new_hash};
    if ((open->name_hash && !wpa_db_run(db, WPA_SQL_SIGN_IN_FORGET, &open->name_hash, 1, err)) ||
        (open->new_hash && !wpa_db_run(db, WPA_SQL_GUARDIAN_SET_PASSPHRASE, credential,
                                       WPA_COUNT(credential), err))) {
        return false;
    }
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_json *detail = wpa_json_new_object(arena);
    wpa_json_set_text(detail, "session", session->jti);
    wpa_json_set_text(detail, "kind", open->kind);
    audit_line line = {.action = "session.opened",
                       .subject = wpa_arena_printf(arena, "principal:%s", id),
                       .detail = wpa_json_dump(detail, arena)};
    return write_audit(db, &line, err);
}

static void fill_session(wpa_session *session, const wpa_actor *where, int64_t principal_id,
                         const char *name, wpa_role role)
{
    *session = (wpa_session){.actor = *where};
    session->actor.principal_id = principal_id;
    session->actor.role = role;
    wpa_text_copy(session->actor.name, sizeof session->actor.name, name);
    wpa_uuid_new(session->jti);
}

/* All was right but that nothing was typed into a field that a client may not even show. */
static bool ask_for_code(wpa_db *db, const wpa_actor *where, const person *found, int64_t left,
                         int64_t pause_s, wpa_session *session, wpa_error *err)
{
    (void)refuse(db, where, found, left, pause_s, err);
    if (err->code != WPA_E_DENIED || left <= 0) {
        return false;
    }
    session->needs_code = true;
    wpa_error_clear(err);
    return WPA_FAIL(err, WPA_E_DENIED, "a one-time code is needed as well (field 'code')");
}

/* What comes behind a right passphrase. */
static bool check_rest(wpa_db *db, const person *found, const char *key_path, const char *code,
                       wpa_code_proof *proof, bool *is_missing, bool *is_right, wpa_error *err)
{
    *is_right = false;
    *is_missing = false;
    if (!wpa_code_check(db, key_path, found->id, code, wpa_now_us() / 1000000, proof, err)) {
        return false;
    }
    *is_missing = proof->is_wanted && !proof->is_given;
    *is_right = !proof->is_wanted || proof->is_good;
    return true;
}

bool wpa_session_sign_in(wpa_db *db, const wpa_actor *where, const char *name,
                         const wpa_secret *passphrase, const char *key_path, const char *code,
                         const char *kind, wpa_session *session, wpa_error *err)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const char *name_hash = hash_name(name, arena);
    int64_t left = 0, pause_s = 0;
    person found;
    wpa_code_proof proof = {0};
    bool is_missing = false;
    *session = (wpa_session){.actor = *where};
    if (!can_be_name(name)) {
        name = ""; /* the database might fold it to somebody's, whose tries are counted elsewhere */
    }
    if (!begin_try(db, name_hash, &left, &pause_s, err) || !find_person(db, name, &found, err)) {
        return wpa_error_within(err, "sign in");
    }
    bool is_right = wpa_password_verify(found.id ? found.hash : NULL, passphrase);
    if (is_right && found.is_active &&
        !check_rest(db, &found, key_path, code, &proof, &is_missing, &is_right, err)) {
        return wpa_error_within(err, "sign in");
    }
    if (is_missing) {
        return ask_for_code(db, where, &found, left, pause_s, session, err);
    }
    if (!is_right || !found.is_active) {
        wpa_wipe(&found.hash, sizeof found.hash);
        return refuse(db, where, &found, left, pause_s, err);
    }
    char new_hash[WPA_PASSWORD_HASH_SIZE];
    bool is_outdated = wpa_password_is_outdated(found.hash);
    if (is_outdated && !wpa_password_hash(passphrase, new_hash, err)) {
        return false;
    }
    fill_session(session, where, found.id, found.name, found.role);
    opening open = {.session = session,
                    .kind = kind,
                    .name_hash = name_hash,
                    .new_hash = is_outdated ? new_hash : NULL,
                    .code = proof.is_wanted ? &proof : NULL};
    if (wpa_db_transact(db, &session->actor, insert_session, &open, err)) {
        return true;
    }
    if (err->code != WPA_E_DENIED) {
        return false;
    }
    wpa_error_clear(err); /* somebody else was faster with the same code */
    return refuse(db, where, &found, left, pause_s, err);
}

bool wpa_session_begin_try(wpa_db *db, const char *key, wpa_error *err)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    int64_t left = 0, pause_s = 0;
    return begin_try(db, hash_key(key, arena), &left, &pause_s, err);
}

bool wpa_session_forget_tries(wpa_db *db, const char *key, wpa_error *err)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const char *name_hash = hash_key(key, arena);
    return wpa_db_run(db, WPA_SQL_SIGN_IN_FORGET, &name_hash, 1, err);
}

bool wpa_session_prove(wpa_db *db, const wpa_actor *actor, const wpa_secret *passphrase,
                       wpa_error *err)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const char *key = wpa_arena_printf(arena, "passphrase:%s", actor->name);
    person found;
    if (!wpa_session_begin_try(db, key, err) || !find_person(db, actor->name, &found, err)) {
        return false;
    }
    bool is_right = wpa_password_verify(found.id ? found.hash : NULL, passphrase);
    wpa_wipe(&found.hash, sizeof found.hash);
    if (!found.id) {
        return WPA_FAIL(err, WPA_E_REFUSED,
                        "'%s' has no passphrase (another guardian gives one: wpa guardian passwd "
                        "NAME)",
                        actor->name);
    }
    return is_right && found.id == actor->principal_id && found.is_active
               ? wpa_session_forget_tries(db, key, err)
               : WPA_FAIL(err, WPA_E_DENIED, "wrong passphrase");
}

bool wpa_session_open(wpa_db *db, const wpa_actor *actor, const char *kind, wpa_session *session,
                      wpa_error *err)
{
    fill_session(session, actor, actor->principal_id, actor->name, actor->role);
    opening open = {.session = session, .kind = kind};
    return wpa_db_transact(db, &session->actor, insert_session, &open, err);
}

void wpa_session_record_refusal(wpa_db *db, const wpa_actor *where)
{
    wpa_actor nobody = *where;
    wpa_error ignored = {0}; /* the refusal itself is the answer */
    audit_line line = {.action = "session.refused", .subject = "principal:unknown", .detail = "{}"};
    nobody.principal_id = 0;
    (void)!wpa_db_transact(db, &nobody, write_audit, &line, &ignored);
}

/* Makes the principal if it is not there; two at once make one. */
static bool find_viewer(wpa_db *db, void *context, wpa_error *err)
{
    int64_t *principal_id = context;
    if (!wpa_db_run(db, WPA_SQL_GUARDIAN_LOCK, NULL, 0, err)) {
        return false;
    }
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_GUARDIAN_FIND, &read_only_name, 1, err);
    if (rows && wpa_rows_count(rows) == 0) {
        const char *params[] = {read_only_name, wpa_role_name(WPA_ROLE_VIEWER)};
        wpa_rows_free(rows);
        rows = wpa_db_exec(db, WPA_SQL_GUARDIAN_INSERT, params, WPA_COUNT(params), err);
    } else if (rows && (!wpa_rows_bool(rows, 0, 3) ||
                        !wpa_text_is(wpa_rows_text(rows, 0, 2), wpa_role_name(WPA_ROLE_VIEWER)))) {
        return WPA_FAIL(err, WPA_E_DENIED, "looking without a sign-in is switched off here");
    }
    *principal_id = rows ? wpa_rows_int(rows, 0, 0) : 0;
    return rows != NULL;
}

bool wpa_session_open_read_only(wpa_db *db, const wpa_actor *where, wpa_session *session,
                                wpa_error *err)
{
    wpa_actor nobody = *where;
    nobody.principal_id = 0;
    int64_t principal_id = 0;
    if (!wpa_db_transact(db, &nobody, find_viewer, &principal_id, err)) {
        return false;
    }
    fill_session(session, where, principal_id, read_only_name, WPA_ROLE_VIEWER);
    opening open = {.session = session, .kind = "console"};
    return wpa_db_transact(db, &session->actor, insert_session, &open, err);
}

/* ---- sessions ---- */

char *wpa_session_token(const wpa_token_keys *keys, const wpa_session *session, wpa_arena *arena,
                        wpa_error *err)
{
    wpa_token_claims claims = {
        .subject = session->actor.name,
        .role = wpa_role_name(session->actor.role),
        .jti = session->jti,
        .issued_at_s = wpa_now_us() / 1000000,
        .expires_at_s = session->expires_at_us / 1000000,
    };
    return wpa_token_issue(keys, &claims, arena, err);
}

static bool session_of_rows(const wpa_rows *rows, wpa_session *session, wpa_error *err)
{
    session->actor.principal_id = wpa_rows_int(rows, 0, 0);
    wpa_text_copy(session->actor.name, sizeof session->actor.name, wpa_rows_text(rows, 0, 1));
    session->expires_at_us = wpa_rows_time_us(rows, 0, 3);
    return wpa_role_parse(wpa_rows_text(rows, 0, 2), &session->actor.role, err);
}

/* The session of session->jti; its actor keeps address and user agent. */
static bool read_session(wpa_db *db, wpa_session *session, bool *stands, wpa_error *err)
{
    const char *jti = session->jti;
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_SESSION_FIND, &jti, 1, err);
    *stands = rows && wpa_rows_count(rows) > 0;
    return *stands ? session_of_rows(rows, session, err) : rows != NULL;
}

bool wpa_session_claim(const wpa_token_keys *keys, const char *token, const wpa_actor *where,
                       wpa_log *log, wpa_session *session, wpa_error *err)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_token_claims claims;
    const char *why = NULL;
    *session = (wpa_session){.actor = *where};
    if (!wpa_token_verify(keys, token, wpa_now_us() / 1000000, arena, &claims, &why, err)) {
        wpa_log_write(log, WPA_LOG_WARN, "session", "token refused: %s (from %s)", why,
                      where->address);
        return false;
    }
    wpa_text_copy(session->jti, sizeof session->jti, claims.jti);
    /* A name that is too long is nobody's, nor is its beginning. */
    if (!wpa_text_copy(session->actor.name, sizeof session->actor.name, claims.subject)) {
        session->actor.name[0] = '\0';
    }
    return true;
}

bool wpa_session_confirm(const wpa_rows *rows, const wpa_actor *where, wpa_log *log,
                         wpa_session *session, wpa_error *err)
{
    const wpa_session claimed = *session;
    bool stands = wpa_rows_count(rows) > 0;
    if (stands && !session_of_rows(rows, session, err)) {
        return false;
    }
    if (!stands || !wpa_text_is(session->actor.name, claimed.actor.name)) {
        wpa_log_write(log, WPA_LOG_WARN, "session", "token refused: %s (from %s)",
                      stands ? "subject" : "session ended", where->address);
        *session = (wpa_session){.actor = *where};
        return WPA_FAIL(err, WPA_E_DENIED, WPA_TOKEN_REFUSED);
    }
    return true;
}

bool wpa_session_resume(wpa_db *db, const wpa_token_keys *keys, const char *token,
                        const wpa_actor *where, wpa_log *log, wpa_session *session, wpa_error *err)
{
    if (!wpa_session_claim(keys, token, where, log, session, err)) {
        return false;
    }
    const char *jti = session->jti;
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_SESSION_FIND, &jti, 1, err);
    return rows && wpa_session_confirm(rows, where, log, session, err);
}

bool wpa_session_check(wpa_db *db, wpa_session *session, wpa_error *err)
{
    bool stands = false;
    return read_session(db, session, &stands, err) &&
           (stands || WPA_FAIL(err, WPA_E_DENIED, "the session has ended; sign in again"));
}

static bool close_session(wpa_db *db, void *context, wpa_error *err)
{
    const wpa_session *session = context;
    const char *jti = session->jti;
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_SESSION_END, &jti, 1, err);
    if (!rows || wpa_rows_count(rows) == 0) {
        return rows != NULL;
    }
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_json *detail = wpa_json_new_object(arena);
    wpa_json_set_text(detail, "session", session->jti);
    audit_line line = {.action = "session.closed",
                       .subject =
                           wpa_arena_printf(arena, "principal:%s", wpa_rows_text(rows, 0, 0)),
                       .detail = wpa_json_dump(detail, arena)};
    return write_audit(db, &line, err);
}

bool wpa_session_place(wpa_db *db, const wpa_session *session, const char *place, wpa_error *err)
{
    char text[PLACE_MAX_BYTES + 1];
    (void)wpa_text_copy(text, sizeof text, place);
    const char *params[] = {session->jti, text};
    return wpa_db_run(db, WPA_SQL_SESSION_PLACE, params, WPA_COUNT(params), err);
}

bool wpa_session_end(wpa_db *db, const wpa_session *session, wpa_error *err)
{
    wpa_session copy = *session;
    return wpa_db_transact(db, &session->actor, close_session, &copy, err);
}

typedef struct revocation {
    const wpa_actor *actor;
    wpa_session session; /* that shall end */
} revocation;

static bool revoke_session(wpa_db *db, void *context, wpa_error *err)
{
    revocation *r = context;
    const char *jti = r->session.jti;
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_SESSION_OWNER, &jti, 1, err);
    if (!rows) {
        return false;
    }
    if (wpa_rows_count(rows) == 0) {
        return WPA_FAIL(err, WPA_E_NOT_FOUND, "there is no such session");
    }
    bool is_own = wpa_rows_int(rows, 0, 0) == r->actor->principal_id;
    wpa_action action = is_own ? WPA_ACTION_READ : WPA_ACTION_CHANGE_PRINCIPALS;
    return wpa_actor_check(r->actor, action, err) && close_session(db, &r->session, err);
}

bool wpa_session_revoke(wpa_db *db, const wpa_actor *actor, const char *jti, wpa_error *err)
{
    revocation r = {.actor = actor};
    if (!wpa_uuid_is_valid(jti) || !wpa_text_copy(r.session.jti, sizeof r.session.jti, jti)) {
        return WPA_FAIL(err, WPA_E_NOT_FOUND, "there is no such session");
    }
    return wpa_actor_check(actor, WPA_ACTION_READ, err) &&
           wpa_db_transact(db, actor, revoke_session, &r, err);
}

typedef struct renewal {
    const wpa_session *before;
    wpa_session *session;
} renewal;

static bool replace_session(wpa_db *db, void *context, wpa_error *err)
{
    const renewal *r = context;
    const char *jti = r->before->jti;
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_SESSION_END, &jti, 1, err);
    if (rows && wpa_rows_count(rows) == 0) {
        return WPA_FAIL(err, WPA_E_DENIED, "the session has ended; sign in again");
    }
    opening open = {.session = r->session, .kind = "api", .before = jti};
    return rows && insert_session(db, &open, err);
}

bool wpa_session_renew(wpa_db *db, const wpa_session *before, wpa_session *session, wpa_error *err)
{
    const wpa_actor *actor = &before->actor;
    fill_session(session, actor, actor->principal_id, actor->name, actor->role);
    renewal r = {before, session};
    return wpa_db_transact(db, actor, replace_session, &r, err);
}
