#include "guardian/code.h"

#include <ctype.h>
#include <string.h>

#include <wpa/text.h>

#include "auth/otp.h"
#include "gen/sql.h"
#include "guardian/guardian.h"
#include "guardian/session.h"

enum {
    RECOVERY_BYTES = 10, /* 80 bits: their hashes can be plain ones */
    CODE_MAX_BYTES = 64
};

/* ---- checking -----------------------------------------------------------------------------------
 */

/* Without blanks and dashes, in capitals: as it is typed from paper. */
static void fold(const char *code, char folded[CODE_MAX_BYTES])
{
    size_t n = 0;
    for (; *code && n + 1 < CODE_MAX_BYTES; code++) {
        if (*code != ' ' && *code != '-') {
            folded[n++] = (char)toupper((unsigned char)*code);
        }
    }
    folded[n] = '\0';
}

typedef struct stored {
    wpa_secret *secret; /* NULL: none, or it does not open: */
    wpa_error fault;
    int64_t last_step;
    bool is_there, is_confirmed, is_plain;
} stored;

static void stored_free(stored *at)
{
    wpa_secret_free(at->secret);
}
WPA_DEFINE_AUTO(stored, stored_free);

/* What a sealed secret says it is: whoever can write to the table cannot give somebody his own. */
static const char *describe(int64_t principal_id, wpa_arena *arena)
{
    return wpa_arena_printf(arena, "one-time code of %lld", (long long)principal_id);
}

static bool read_secret(wpa_db *db, const char *key_path, int64_t principal_id, stored *found,
                        wpa_error *err)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    char id[WPA_DB_NUMBER_SIZE];
    size_t size = 0;
    const char *params[] = {wpa_db_number(principal_id, id)};
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_CODE_SECRET, params, 1, err);
    if (!rows || wpa_rows_count(rows) == 0) {
        return rows != NULL;
    }
    uint8_t *bytes = wpa_rows_bytes(rows, 0, 0, arena, &size);
    found->is_there = true;
    found->is_plain = !wpa_rows_bool(rows, 0, 3);
    found->secret = found->is_plain ? wpa_secret_new(bytes, size)
                                    : wpa_unseal(key_path, describe(principal_id, arena), bytes,
                                                 size, &found->fault);
    found->last_step = wpa_rows_int(rows, 0, 1);
    found->is_confirmed = wpa_rows_bool(rows, 0, 2);
    wpa_wipe(bytes, size);
    return true;
}

/* The caller's secret as the table should have it. */
static bool prepare_seal(const stored *found, const char *key_path, int64_t principal_id,
                         wpa_code_proof *proof, wpa_error *err)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    if (!found->secret || !found->is_plain || !wpa_seal_has_key(key_path) ||
        wpa_secret_size(found->secret) != WPA_OTP_SECRET_BYTES) {
        return true;
    }
    const uint8_t *bytes = wpa_secret_bytes(found->secret);
    const uint8_t *sealed =
        wpa_seal(key_path, describe(principal_id, arena), bytes, WPA_OTP_SECRET_BYTES, arena, err);
    if (sealed) {
        memcpy(proof->sealed, sealed, sizeof proof->sealed);
        wpa_sha256(bytes, WPA_OTP_SECRET_BYTES, proof->plain_hash);
        proof->is_to_seal = true;
    }
    return sealed != NULL;
}

bool wpa_code_check(wpa_db *db, const char *key_path, int64_t principal_id, const char *code,
                    int64_t now_s, wpa_code_proof *proof, wpa_error *err)
{
    stored storage = {0};
    WPA_AUTO(stored) *found = &storage;
    char folded[CODE_MAX_BYTES] = "";
    *proof = (wpa_code_proof){0};
    if (!read_secret(db, key_path, principal_id, found, err)) {
        return false;
    }
    fold(code ? code : "", folded);
    proof->is_wanted = found->is_there && found->is_confirmed;
    proof->is_given = folded[0] != '\0';
    if (!proof->is_wanted || !proof->is_given) {
        return true;
    }
    if (strlen(folded) == WPA_OTP_DIGITS) {
        if (!found->secret) {
            *err = found->fault;
            return wpa_error_within(err, "one-time codes");
        }
        proof->step = wpa_otp_step(found->secret, folded, now_s, found->last_step);
        proof->is_good = proof->step > 0;
    } else {
        wpa_sha256(folded, strlen(folded), proof->hash);
        proof->is_good = true; /* whether there is such a one is seen when it is used */
    }
    return !proof->is_good || prepare_seal(found, key_path, principal_id, proof, err);
}

static bool ask(wpa_db *db, const wpa_sql *statement, const char *const params[], size_t n,
                bool *is_done, wpa_error *err)
{
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, statement, params, n, err);
    *is_done = rows && wpa_rows_count(rows) > 0 && wpa_rows_bool(rows, 0, 0);
    return rows != NULL;
}

bool wpa_code_use(wpa_db *db, int64_t principal_id, const wpa_code_proof *proof, wpa_error *err)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    char id[WPA_DB_NUMBER_SIZE], step[WPA_DB_NUMBER_SIZE];
    bool is_used = false;
    const char *params[] = {wpa_db_number(principal_id, id),
                            proof->step ? wpa_db_number(proof->step, step)
                                        : wpa_db_bytes(arena, proof->hash, sizeof proof->hash)};
    const wpa_sql *statement = proof->step ? WPA_SQL_CODE_USE : WPA_SQL_CODE_RECOVER;
    if (!ask(db, statement, params, WPA_COUNT(params), &is_used, err)) {
        return false;
    }
    if (!is_used) {
        return WPA_FAIL(err, WPA_E_DENIED, "wrong code");
    }
    const char *seal[] = {id, wpa_db_bytes(arena, proof->plain_hash, sizeof proof->plain_hash),
                          wpa_db_bytes(arena, proof->sealed, sizeof proof->sealed)};
    return !proof->is_to_seal || ask(db, WPA_SQL_CODE_SEAL, seal, WPA_COUNT(seal), &is_used, err);
}

/* ---- switching on and off -----------------------------------------------------------------------
 */

typedef struct enrolment {
    const wpa_secret *secret;
    const char *key_path;
    int64_t principal_id;
} enrolment;

static bool insert_secret(wpa_db *db, void *context, wpa_error *err)
{
    const enrolment *e = context;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    bool is_made = false, is_sealed = wpa_seal_has_key(e->key_path);
    const uint8_t *kept = wpa_secret_bytes(e->secret);
    size_t size = wpa_secret_size(e->secret);
    if (is_sealed) {
        kept = wpa_seal(e->key_path, describe(e->principal_id, arena), kept, size, arena, err);
        size += WPA_SEAL_EXTRA_BYTES;
    }
    if (!kept) {
        return false;
    }
    char *bytes = wpa_db_bytes(arena, kept, size);
    const char *params[] = {bytes, is_sealed ? "true" : "false"};
    bool is_asked = ask(db, WPA_SQL_CODE_ENROL, params, WPA_COUNT(params), &is_made, err);
    wpa_wipe(bytes, strlen(bytes));
    return is_asked && (is_made || WPA_FAIL(err, WPA_E_REFUSED,
                                            "one-time codes are switched on already (see wpa code "
                                            "off)"));
}

bool wpa_code_enrol(wpa_db *db, const char *key_path, const wpa_actor *actor,
                    const wpa_secret *passphrase, wpa_arena *arena, wpa_code_secret *made,
                    wpa_error *err)
{
    WPA_AUTO(wpa_secret) *secret = wpa_secret_new_random(WPA_OTP_SECRET_BYTES);
    enrolment e = {secret, key_path, actor ? actor->principal_id : 0};
    if (!wpa_actor_check(actor, WPA_ACTION_READ, err) ||
        !wpa_session_prove(db, actor, passphrase, err) ||
        !wpa_db_transact(db, actor, insert_secret, &e, err)) {
        return false;
    }
    made->secret = wpa_base32_encode(arena, wpa_secret_bytes(secret), wpa_secret_size(secret));
    made->uri = wpa_otp_uri(secret, actor->name, arena);
    return true;
}

/* "ABCD-EFGH-IJKL-MNOP"; hash: of it without dashes. */
static const char *new_recovery_code(wpa_arena *arena, const char **hash)
{
    uint8_t random[RECOVERY_BYTES], digest[WPA_SHA256_SIZE];
    wpa_random_bytes(random, sizeof random);
    char *text = wpa_base32_encode(arena, random, sizeof random);
    wpa_sha256(text, strlen(text), digest);
    *hash = wpa_db_bytes(arena, digest, sizeof digest);
    return wpa_arena_printf(arena, "%.4s-%.4s-%.4s-%.4s", text, text + 4, text + 8, text + 12);
}

/* Whoever has got hold of a session has not got the device: he must not find a code by trying. */
static const char *tries_of(const wpa_actor *actor, wpa_arena *arena)
{
    return wpa_arena_printf(arena, "code:%s", actor->name);
}

typedef struct confirmation {
    const char *key_path, *code;
    int64_t principal_id, now_s;
    const char *const *hashes;
} confirmation;

static bool confirm(wpa_db *db, void *context, wpa_error *err)
{
    const confirmation *c = context;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    stored storage = {0};
    WPA_AUTO(stored) *found = &storage;
    char folded[CODE_MAX_BYTES], number[WPA_DB_NUMBER_SIZE];
    bool is_done = false;
    if (!read_secret(db, c->key_path, c->principal_id, found, err)) {
        return false;
    }
    if (!found->is_there || found->is_confirmed) {
        return WPA_FAIL(err, WPA_E_REFUSED, "there is no code to confirm (see wpa code enrol)");
    }
    if (!found->secret) {
        *err = found->fault;
        return false;
    }
    fold(c->code, folded);
    int64_t step = wpa_otp_step(found->secret, folded, c->now_s, found->last_step);
    if (step == 0) {
        return WPA_FAIL(err, WPA_E_DENIED, "wrong code: does the clock of the device go right?");
    }
    const char *params[] = {wpa_db_number(step, number),
                            wpa_db_array(arena, c->hashes, WPA_CODE_RECOVERY_COUNT)};
    return ask(db, WPA_SQL_CODE_CONFIRM, params, WPA_COUNT(params), &is_done, err) &&
           (is_done || WPA_FAIL(err, WPA_E_CONFLICT, "the code was confirmed meanwhile"));
}

bool wpa_code_confirm(wpa_db *db, const char *key_path, const wpa_actor *actor, const char *code,
                      int64_t now_s, wpa_arena *arena, const char **recovery, wpa_error *err)
{
    const char *hashes[WPA_CODE_RECOVERY_COUNT];
    for (size_t i = 0; i < WPA_CODE_RECOVERY_COUNT; i++) {
        recovery[i] = new_recovery_code(arena, &hashes[i]);
    }
    confirmation c = {key_path, code, actor ? actor->principal_id : 0, now_s, hashes};
    if (!wpa_actor_check(actor, WPA_ACTION_READ, err)) {
        return false;
    }
    const char *key = tries_of(actor, arena);
    return wpa_session_begin_try(db, key, err) && wpa_db_transact(db, actor, confirm, &c, err) &&
           wpa_session_forget_tries(db, key, err);
}

typedef struct removal {
    const char *name; /* NULL: the actor himself */
    const char *key_path, *code;
    int64_t principal_id, now_s;
} removal;

static bool prove_own(wpa_db *db, const removal *r, wpa_error *err)
{
    wpa_code_proof proof;
    if (!wpa_code_check(db, r->key_path, r->principal_id, r->code, r->now_s, &proof, err)) {
        return false;
    }
    if (!proof.is_wanted) {
        return true; /* not confirmed yet, or none: nothing to prove */
    }
    return proof.is_good ? wpa_code_use(db, r->principal_id, &proof, err)
                         : WPA_FAIL(err, WPA_E_DENIED, "wrong code");
}

static bool remove_code(wpa_db *db, void *context, wpa_error *err)
{
    const removal *r = context;
    char id[WPA_DB_NUMBER_SIZE];
    bool is_done = false;
    int64_t principal_id = r->name ? wpa_guardian_find(db, r->name, err) : r->principal_id;
    if (!principal_id || (!r->name && !prove_own(db, r, err))) {
        return false;
    }
    const char *params[] = {wpa_db_number(principal_id, id)};
    return ask(db, WPA_SQL_CODE_REMOVE, params, 1, &is_done, err) &&
           (is_done || WPA_FAIL(err, WPA_E_REFUSED, "one-time codes are not switched on"));
}

bool wpa_code_remove(wpa_db *db, const char *key_path, const wpa_actor *actor, const char *name,
                     const char *code, int64_t now_s, wpa_error *err)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    bool is_own = !name || (actor && wpa_text_is_ci(actor->name, name));
    removal r = {is_own ? NULL : name, key_path, code, actor ? actor->principal_id : 0, now_s};
    if (!wpa_actor_check(actor, is_own ? WPA_ACTION_READ : WPA_ACTION_CHANGE_PRINCIPALS, err)) {
        return false;
    }
    const char *key = tries_of(actor, arena);
    return (!is_own || wpa_session_begin_try(db, key, err)) &&
           wpa_db_transact(db, actor, remove_code, &r, err) &&
           (!is_own || wpa_session_forget_tries(db, key, err));
}
