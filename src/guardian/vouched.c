#include "guardian/vouched.h"

#include <string.h>

#include <wpa/clock.h>
#include <wpa/text.h>

#include "auth/hash.h"
#include "auth/token.h"
#include "gen/sql.h"
#include "guardian/guardian.h"
#include "json/json.h"

#define NO_PROVIDER "no OpenID Connect provider is set (see wpa oidc set)"
#define SUBJECT_MAX_BYTES 1024
#define SUBJECT_SHOWN_MAX_BYTES 128
/* A token that ends later is forgotten nevertheless; the issuer's keys do not live as long. */
#define FOREVER_US (INT64_C(10) * 366 * 86400 * 1000000)

/* ---- settings -----------------------------------------------------------------------------------
 */

static const struct {
    const char *key;
    size_t offset;
} rows_of[] = {
    {"oidc_issuer", offsetof(wpa_vouched_settings, issuer)},
    {"oidc_client_id", offsetof(wpa_vouched_settings, client_id)},
    {"oidc_audience", offsetof(wpa_vouched_settings, audience)},
    {"oidc_claim", offsetof(wpa_vouched_settings, claim)},
    {"oidc_jwks", offsetof(wpa_vouched_settings, jwks)},
};

bool wpa_vouched_read(wpa_db *db, wpa_arena *arena, wpa_vouched_settings *settings, wpa_error *err)
{
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_ISSUER_SETTINGS, NULL, 0, err);
    *settings = (wpa_vouched_settings){0};
    if (!rows) {
        return false;
    }
    for (size_t i = 0; i < wpa_rows_count(rows); i++) {
        for (size_t k = 0; k < WPA_COUNT(rows_of); k++) {
            if (wpa_text_is(rows_of[k].key, wpa_rows_text(rows, i, 0))) {
                const char *value = wpa_rows_dup(rows, i, 1, arena);
                memcpy((char *)settings + rows_of[k].offset, &value, sizeof value);
            }
        }
    }
    return true;
}

bool wpa_vouched_read_all(wpa_db *db, wpa_arena *arena, wpa_vouched_settings *settings,
                          wpa_error *err)
{
    if (!wpa_vouched_read(db, arena, settings, err) || !settings->issuer) {
        return err->code == WPA_OK;
    }
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_ISSUER_SECRET, NULL, 0, err);
    if (rows && wpa_rows_count(rows) > 0 && wpa_rows_length(rows, 0, 0) > 0) {
        settings->client_secret = wpa_rows_dup(rows, 0, 0, arena);
    }
    return rows != NULL;
}

wpa_issuer *wpa_vouched_issuer(const wpa_vouched_settings *settings, wpa_log *log, wpa_error *err)
{
    if (!settings->issuer) {
        (void)WPA_FAIL(err, WPA_E_REFUSED, NO_PROVIDER);
        return NULL;
    }
    const wpa_issuer_options options = {
        .url = settings->issuer,
        .client_id = settings->client_id,
        .client_secret = settings->client_secret,
        .audience = settings->audience,
        .claim = settings->claim,
        .jwks = settings->jwks,
        .log = log,
    };
    return wpa_issuer_new(&options, err);
}

static bool write_settings(wpa_db *db, void *context, wpa_error *err)
{
    const wpa_vouched_settings *settings = context;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    for (size_t i = 0; i < WPA_COUNT(rows_of); i++) {
        const char *value = NULL;
        memcpy(&value, (const char *)settings + rows_of[i].offset, sizeof value);
        const char *params[] = {rows_of[i].key, settings->issuer ? value : NULL};
        if (!wpa_db_run(db, WPA_SQL_ISSUER_SETTING_SET, params, WPA_COUNT(params), err)) {
            return false;
        }
    }
    const char *secret = settings->issuer && settings->client_secret ? settings->client_secret : "";
    const char *params[] = {wpa_db_bytes(arena, secret, strlen(secret))};
    return wpa_db_run(db, WPA_SQL_ISSUER_SECRET_SET, params, WPA_COUNT(params), err);
}

bool wpa_vouched_configure(wpa_db *db, const wpa_actor *actor, const wpa_vouched_settings *settings,
                           wpa_error *err)
{
    wpa_vouched_settings copy = *settings;
    if (!wpa_actor_check(actor, WPA_ACTION_CHANGE_POLICY, err)) {
        return false;
    }
    if (settings->issuer) {
        WPA_AUTO(wpa_issuer) *tried = wpa_vouched_issuer(settings, NULL, err);
        if (!tried) {
            return false;
        }
    }
    return wpa_db_transact(db, actor, write_settings, &copy, err);
}

/* ---- tokens -------------------------------------------------------------------------------------
 */

/* A token without an id is known by what is signed: of one signature of ES256 anybody makes another
   that is as good. */
static void make_key(const wpa_issuer *issuer, const wpa_issuer_claims *claims, const char *token,
                     uint8_t key[WPA_VOUCHED_KEY_SIZE])
{
    const char *url = wpa_issuer_url(issuer), *rest = claims->id ? claims->id : token;
    size_t length = claims->id ? strlen(rest) : (size_t)(strrchr(token, '.') - token);
    const char kind = claims->id ? 'i' : 't';
    wpa_sha256_state state;
    wpa_sha256_init(&state);
    wpa_sha256_update(&state, url, strlen(url) + 1);
    wpa_sha256_update(&state, &kind, 1);
    wpa_sha256_update(&state, rest, length);
    wpa_sha256_final(&state, key);
}

static bool refuse(const wpa_actor *where, const char *why, wpa_log *log, wpa_error *err)
{
    wpa_log_write(log, WPA_LOG_WARN, "session", "token refused: %s (from %s)", why, where->address);
    wpa_error_clear(err);
    return WPA_FAIL(err, WPA_E_DENIED, WPA_TOKEN_REFUSED);
}

typedef struct binding {
    const char *issuer, *subject;
    int64_t principal_id;
} binding;

static bool bind_subject(wpa_db *db, void *context, wpa_error *err)
{
    const binding *wanted = context;
    char id[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wanted->issuer, wanted->subject,
                            wpa_db_number(wanted->principal_id, id)};
    WPA_AUTO(wpa_rows) *rows =
        wpa_db_exec(db, WPA_SQL_VOUCHED_BIND, params, WPA_COUNT(params), err);
    return rows && (wpa_rows_count(rows) > 0 ||
                    WPA_FAIL(err, WPA_E_DENIED, "the subject is somebody else's"));
}

/* The command that a guardian has to give; a subject that a shell might read is not repeated. */
static const char *order_for(const char *name, const char *subject, wpa_arena *arena)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:@-";
    size_t length = strlen(subject);
    bool is_plain =
        length <= SUBJECT_SHOWN_MAX_BYTES && strspn(subject, plain) == length && subject[0] != '-';
    return wpa_arena_printf(arena, "wpa oidc bind %s %s", name, is_plain ? subject : "SUBJECT");
}

typedef struct person {
    const char *why;   /* he is refused; NULL: he is not */
    const char *order; /* the command that would change that, or NULL */
} person;

static const char *why_refused(wpa_rows *rows, const char *subject)
{
    bool is_bound = !wpa_rows_is_null(rows, 0, 3);
    if (wpa_rows_bool(rows, 0, 4)) {
        return "revoked";
    }
    if (is_bound && !wpa_text_is(wpa_rows_text(rows, 0, 3), subject)) {
        return "subject";
    }
    return !is_bound && wpa_rows_bool(rows, 0, 5) ? "not bound" : NULL;
}

/* Who is meant. */
static bool find_person(wpa_db *db, const wpa_vouched_word *word, wpa_arena *arena,
                        wpa_vouched *vouched, person *found, wpa_error *err)
{
    wpa_error bad_name = {0};
    *found = (person){.why = "unknown name"};
    if (!wpa_guardian_check_name(word->claims.name, &bad_name)) {
        return true;
    }
    const char *params[] = {word->issuer, word->claims.name,
                            wpa_db_bytes(arena, word->key, sizeof word->key)};
    WPA_AUTO(wpa_rows) *rows =
        wpa_db_exec(db, WPA_SQL_VOUCHED_FIND, params, WPA_COUNT(params), err);
    if (!rows || wpa_rows_count(rows) == 0) {
        return rows != NULL;
    }
    vouched->actor.principal_id = wpa_rows_int(rows, 0, 0);
    (void)wpa_text_copy(vouched->actor.name, sizeof vouched->actor.name, wpa_rows_text(rows, 0, 1));
    found->why = why_refused(rows, word->claims.subject);
    if (wpa_text_is(found->why, "not bound")) {
        found->order = order_for(vouched->actor.name, word->claims.subject, arena);
        found->why = wpa_arena_printf(arena, "not bound, see %s", found->order);
    }
    if (found->why || !wpa_role_parse(wpa_rows_text(rows, 0, 2), &vouched->actor.role, err)) {
        return found->why != NULL;
    }
    binding wanted = {word->issuer, word->claims.subject, vouched->actor.principal_id};
    bool is_good = !wpa_rows_is_null(rows, 0, 3) ||
                   wpa_db_transact(db, &vouched->actor, bind_subject, &wanted, err);
    if (!is_good && err->code == WPA_E_DENIED) {
        found->why = "subject";
    }
    return is_good || found->why;
}

static bool verify(wpa_issuer *issuer, wpa_issuer_use use, const char *token, const char *nonce,
                   const wpa_actor *where, wpa_log *log, wpa_arena *arena, wpa_vouched_word *word,
                   wpa_error *err)
{
    const char *why = NULL;
    *word = (wpa_vouched_word){.issuer = wpa_arena_text(arena, wpa_issuer_url(issuer))};
    if (!wpa_issuer_verify(issuer, use, token, nonce, wpa_now_us() / 1000000, arena, &word->claims,
                           &why, err)) {
        return err->code != WPA_E_UNAVAILABLE && refuse(where, why, log, err);
    }
    make_key(issuer, &word->claims, token, word->key);
    return true;
}

bool wpa_vouched_verify(wpa_issuer *issuer, const char *token, const wpa_actor *where, wpa_log *log,
                        wpa_arena *arena, wpa_vouched_word *word, wpa_error *err)
{
    return verify(issuer, WPA_ISSUER_BEARER, token, NULL, where, log, arena, word, err);
}

static bool accept(wpa_db *db, const wpa_vouched_word *word, const wpa_actor *where, wpa_log *log,
                   wpa_arena *arena, wpa_vouched *vouched, person *found, wpa_error *err)
{
    *vouched = (wpa_vouched){.actor = *where, .expires_at_s = word->claims.expires_at_s};
    memcpy(vouched->key, word->key, sizeof vouched->key);
    *found = (person){0};
    if (!find_person(db, word, arena, vouched, found, err)) {
        return false;
    }
    if (found->why) {
        *vouched = (wpa_vouched){.actor = *where};
        return refuse(where, found->why, log, err);
    }
    return true;
}

bool wpa_vouched_resume(wpa_db *db, const wpa_vouched_word *word, const wpa_actor *where,
                        wpa_log *log, wpa_vouched *vouched, wpa_error *err)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    person found;
    return accept(db, word, where, log, arena, vouched, &found, err);
}

bool wpa_vouched_sign_in(wpa_db *db, wpa_issuer *issuer, const char *id_token, const char *nonce,
                         const wpa_actor *where, const char *kind, wpa_log *log,
                         wpa_session *session, wpa_error *err)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_vouched_word word;
    wpa_vouched vouched;
    person found = {0};
    if (verify(issuer, WPA_ISSUER_IDENTITY, id_token, nonce, where, log, arena, &word, err) &&
        accept(db, &word, where, log, arena, &vouched, &found, err)) {
        return wpa_session_open(db, &vouched.actor, kind, session, err);
    }
    if (err->code == WPA_E_DENIED) {
        wpa_session_record_refusal(db, where);
    }
    if (found.order) { /* he owns the account: this tells him nothing that he may not know */
        wpa_error_clear(err);
        return WPA_FAIL(err, WPA_E_DENIED,
                        "this account is not bound to '%s' yet; a guardian does that: %s",
                        word.claims.name, found.order);
    }
    return false;
}

static bool revoke(wpa_db *db, void *context, wpa_error *err)
{
    const wpa_vouched *vouched = context;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    char id[WPA_DB_NUMBER_SIZE], until[WPA_TIMESTAMP_SIZE];
    int64_t latest_us = wpa_now_us() + FOREVER_US;
    int64_t end_us =
        vouched->expires_at_s < latest_us / 1000000 ? vouched->expires_at_s * 1000000 : latest_us;
    const char *params[] = {wpa_db_bytes(arena, vouched->key, sizeof vouched->key),
                            wpa_db_number(vouched->actor.principal_id, id),
                            wpa_timestamp_format(end_us, until)};
    return wpa_db_run(db, WPA_SQL_VOUCHED_REVOKE, params, WPA_COUNT(params), err);
}

bool wpa_vouched_revoke(wpa_db *db, const wpa_vouched *vouched, wpa_error *err)
{
    wpa_vouched copy = *vouched;
    return wpa_db_transact(db, &vouched->actor, revoke, &copy, err);
}

typedef struct order {
    const char *name, *subject;
} order;

static bool bind_by_order(wpa_db *db, void *context, wpa_error *err)
{
    const order *wanted = context;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_vouched_settings settings;
    char id[WPA_DB_NUMBER_SIZE];
    if (!wpa_vouched_read(db, arena, &settings, err)) {
        return false;
    }
    if (!settings.issuer) {
        return WPA_FAIL(err, WPA_E_REFUSED, NO_PROVIDER);
    }
    int64_t principal_id = wpa_guardian_find(db, wanted->name, err);
    if (!principal_id) {
        return false;
    }
    const char *params[] = {settings.issuer, wanted->subject, wpa_db_number(principal_id, id)};
    WPA_AUTO(wpa_rows) *rows =
        wpa_db_exec(db, WPA_SQL_VOUCHED_BIND_BY_ORDER, params, WPA_COUNT(params), err);
    return rows &&
           (wpa_rows_count(rows) > 0 ||
            WPA_FAIL(err, WPA_E_REFUSED,
                     "'%s' or the subject is bound already (see wpa oidc unbind)", wanted->name));
}

bool wpa_vouched_bind(wpa_db *db, const wpa_actor *actor, const char *name, const char *subject,
                      wpa_error *err)
{
    order wanted = {name, subject};
    if (!*subject || strlen(subject) > SUBJECT_MAX_BYTES) {
        return WPA_FAIL(err, WPA_E_INVALID, "a subject has between 1 and %d bytes",
                        SUBJECT_MAX_BYTES);
    }
    return wpa_actor_check(actor, WPA_ACTION_CHANGE_PRINCIPALS, err) &&
           wpa_db_transact(db, actor, bind_by_order, &wanted, err);
}

typedef struct unbinding {
    const char *name;
} unbinding;

static bool unbind(wpa_db *db, void *context, wpa_error *err)
{
    const char *name = ((const unbinding *)context)->name;
    char id[WPA_DB_NUMBER_SIZE];
    int64_t principal_id = wpa_guardian_find(db, name, err);
    if (!principal_id) {
        return false;
    }
    const char *params[] = {wpa_db_number(principal_id, id)};
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_VOUCHED_UNBIND, params, 1, err);
    if (!rows) {
        return false;
    }
    if (wpa_rows_count(rows) == 0) {
        return WPA_FAIL(err, WPA_E_REFUSED, "'%s' is bound to no account", name);
    }
    /* Whoever had the account may have opened any of them. */
    const char *all[] = {params[0], NULL};
    return wpa_db_run(db, WPA_SQL_SESSION_END_ALL, all, WPA_COUNT(all), err);
}

bool wpa_vouched_unbind(wpa_db *db, const wpa_actor *actor, const char *name, wpa_error *err)
{
    unbinding wanted = {name};
    return wpa_actor_check(actor, WPA_ACTION_CHANGE_PRINCIPALS, err) &&
           wpa_db_transact(db, actor, unbind, &wanted, err);
}
