#include "guardian/guardian.h"

#include <string.h>

#include <wpa/text.h>

#include "auth/password.h"
#include "gen/sql.h"
#include "guardian/session.h"

typedef struct new_person {
    const char *name, *role, *hash;
    bool is_first;
} new_person;

typedef struct change {
    const char *name;
    bool is_active;
    const char *hash;     /* NULL: activity changes */
    const char *keep_jti; /* may be NULL */
} change;

bool wpa_guardian_check_name(const char *name, wpa_error *err)
{
    size_t length = name ? strlen(name) : 0;
    size_t good = length ? strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                        "0123456789._@-")
                         : 0;
    if (length == 0 || length > 63 || good != length || strchr("._@-", name[0])) {
        return WPA_FAIL(err, WPA_E_INVALID,
                        "a name is 1 to 63 letters, digits and . _ @ -, and begins with a letter "
                        "or digit");
    }
    return true;
}

bool wpa_guardian_exists(wpa_db *db, bool *exists, wpa_error *err)
{
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_GUARDIAN_EXISTS, NULL, 0, err);
    *exists = rows && wpa_rows_bool(rows, 0, 0);
    return rows != NULL;
}

static bool insert_person(wpa_db *db, void *context, wpa_error *err)
{
    const new_person *person = context;
    if (!wpa_db_run(db, WPA_SQL_GUARDIAN_LOCK, NULL, 0, err)) {
        return false;
    }
    bool exists = false;
    if (person->is_first && !wpa_guardian_exists(db, &exists, err)) {
        return false;
    }
    if (exists) {
        return WPA_FAIL(err, WPA_E_REFUSED, "there is a guardian already: sign in, or ask one");
    }
    const char *params[] = {person->name, person->role};
    WPA_AUTO(wpa_rows) *rows =
        wpa_db_exec(db, WPA_SQL_GUARDIAN_INSERT, params, WPA_COUNT(params), err);
    if (!rows) {
        return err->code != WPA_E_CONFLICT
                   ? false
                   : WPA_FAIL(err, WPA_E_CONFLICT, "the name '%s' is taken", person->name);
    }
    const char *credential[] = {wpa_rows_text(rows, 0, 0), person->hash};
    return wpa_db_run(db, WPA_SQL_GUARDIAN_SET_PASSPHRASE, credential, WPA_COUNT(credential), err);
}

static bool add_person(wpa_db *db, const wpa_actor *actor, const char *name, wpa_role role,
                       const wpa_secret *passphrase, bool is_first, wpa_error *err)
{
    char hash[WPA_PASSWORD_HASH_SIZE];
    if (!wpa_guardian_check_name(name, err) || !wpa_passphrase_check(passphrase, err) ||
        !wpa_password_hash(passphrase, hash, err)) {
        return false;
    }
    new_person person = {
        .name = name, .role = wpa_role_name(role), .hash = hash, .is_first = is_first};
    return wpa_db_transact(db, actor, insert_person, &person, err);
}

bool wpa_guardian_create_first(wpa_db *db, const wpa_actor *where, const char *name,
                               const wpa_secret *passphrase, wpa_error *err)
{
    wpa_actor nobody = *where;
    nobody.principal_id = 0;
    return add_person(db, &nobody, name, WPA_ROLE_GUARDIAN, passphrase, true, err);
}

bool wpa_guardian_add(wpa_db *db, const wpa_actor *actor, const char *name, wpa_role role,
                      const wpa_secret *passphrase, wpa_error *err)
{
    if (!wpa_actor_check(actor, WPA_ACTION_CHANGE_PRINCIPALS, err)) {
        return false;
    }
    if (role == WPA_ROLE_AGENT) {
        return WPA_FAIL(err, WPA_E_REFUSED, "agents are not people and do not sign in");
    }
    return add_person(db, actor, name, role, passphrase, false, err);
}

int64_t wpa_guardian_find(wpa_db *db, const char *name, wpa_error *err)
{
    wpa_error why = {0};
    /* A database folds more letters than we do: it might find the actor whom we take for another.
     */
    const char *asked = wpa_guardian_check_name(name, &why) ? name : "";
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_GUARDIAN_FIND, &asked, 1, err);
    if (!rows) {
        return 0;
    }
    if (wpa_rows_count(rows) == 0) {
        WPA_FAIL(err, WPA_E_NOT_FOUND, "nobody is called '%s' (see wpa guardian list)", name);
        return 0;
    }
    if (wpa_text_is(wpa_rows_text(rows, 0, 2), wpa_role_name(WPA_ROLE_AGENT))) {
        WPA_FAIL(err, WPA_E_REFUSED, "'%s' is an agent, not a person", name);
        return 0;
    }
    return wpa_rows_int(rows, 0, 0);
}

static bool end_sessions(wpa_db *db, const char *principal_id, const char *keep_jti, wpa_error *err)
{
    const char *params[] = {principal_id, keep_jti};
    return wpa_db_run(db, WPA_SQL_SESSION_END_ALL, params, WPA_COUNT(params), err);
}

static bool change_person(wpa_db *db, void *context, wpa_error *err)
{
    const change *wanted = context;
    char id[WPA_DB_NUMBER_SIZE];
    if (!wpa_db_run(db, WPA_SQL_GUARDIAN_LOCK, NULL, 0, err)) {
        return false;
    }
    int64_t principal_id = wpa_guardian_find(db, wanted->name, err);
    if (!principal_id) {
        return false;
    }
    wpa_db_number(principal_id, id);
    if (wanted->hash) {
        const char *params[] = {id, wanted->hash};
        return wpa_db_run(db, WPA_SQL_GUARDIAN_SET_PASSPHRASE, params, WPA_COUNT(params), err) &&
               end_sessions(db, id, wanted->keep_jti, err);
    }
    const char *params[] = {id, wpa_db_bool(wanted->is_active)};
    WPA_AUTO(wpa_rows) *rows =
        wpa_db_exec(db, WPA_SQL_GUARDIAN_SET_ACTIVE, params, WPA_COUNT(params), err);
    if (!rows) {
        return false;
    }
    if (wpa_rows_count(rows) == 0) {
        return WPA_FAIL(err, WPA_E_REFUSED, "'%s' is the last active guardian", wanted->name);
    }
    return wanted->is_active || end_sessions(db, id, NULL, err);
}

bool wpa_guardian_set_active(wpa_db *db, const wpa_actor *actor, const char *name, bool is_active,
                             wpa_error *err)
{
    change wanted = {.name = name, .is_active = is_active};
    return wpa_actor_check(actor, WPA_ACTION_CHANGE_PRINCIPALS, err) &&
           wpa_db_transact(db, actor, change_person, &wanted, err);
}

bool wpa_guardian_is_self(const wpa_actor *actor, const char *name)
{
    return actor && wpa_text_is_ci(actor->name, name);
}

static bool prove(wpa_db *db, const wpa_actor *actor, const wpa_secret *old, wpa_error *err)
{
    return old ? wpa_session_prove(db, actor, old, err)
               : WPA_FAIL(err, WPA_E_DENIED, "one's own passphrase is changed by the old one");
}

bool wpa_guardian_set_passphrase(wpa_db *db, const wpa_actor *actor, const char *name,
                                 const wpa_secret *old, const wpa_secret *passphrase,
                                 const char *keep_jti, wpa_error *err)
{
    bool is_own = wpa_guardian_is_self(actor, name);
    wpa_action action = is_own ? WPA_ACTION_READ : WPA_ACTION_CHANGE_PRINCIPALS;
    char hash[WPA_PASSWORD_HASH_SIZE];
    if (!wpa_actor_check(actor, action, err) || !wpa_passphrase_check(passphrase, err) ||
        (is_own && !prove(db, actor, old, err)) || !wpa_password_hash(passphrase, hash, err)) {
        return false;
    }
    change wanted = {.name = name, .hash = hash, .keep_jti = keep_jti};
    return wpa_db_transact(db, actor, change_person, &wanted, err);
}

wpa_principal *wpa_guardian_list(wpa_db *db, wpa_arena *arena, size_t *n, wpa_error *err)
{
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_GUARDIAN_LIST, NULL, 0, err);
    if (!rows) {
        return NULL;
    }
    *n = wpa_rows_count(rows);
    wpa_principal *items = wpa_arena_array(arena, *n + 1, sizeof *items);
    for (size_t i = 0; i < *n; i++) {
        items[i] = (wpa_principal){.id = wpa_rows_int(rows, i, 0),
                                   .name = wpa_rows_dup(rows, i, 1, arena),
                                   .is_active = wpa_rows_bool(rows, i, 3),
                                   .created_at_us = wpa_rows_time_us(rows, i, 4),
                                   .last_sign_in_at_us = wpa_rows_time_us(rows, i, 5),
                                   .n_sessions = wpa_rows_int(rows, i, 6),
                                   .has_code = wpa_rows_bool(rows, i, 7)};
        if (!wpa_role_parse(wpa_rows_text(rows, i, 2), &items[i].role, err)) {
            return NULL;
        }
    }
    return items;
}
