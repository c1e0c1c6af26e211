/* Where notices go: rows that people add, change, test and remove. */
#include <string.h>

#include <wpa/text.h>

#include "audit/audit.h"
#include "gen/sql.h"
#include "notify/channel.h"

#define PATTERN_MAX_BYTES 100

static const char *const severities[] = {"info", "warning", "error", "critical"};

/* A destination as it stands, or is about to. */
typedef struct row {
    int64_t id, version;
    const char *name, *channel, *secret, *min_severity;
    const wpa_json *settings, *events, *repositories;
    int64_t timeout_ms, max_tries;
    bool private_addresses, is_enabled;
} row;

static bool is_pattern(const char *text)
{
    size_t length = text ? strlen(text) : 0;
    bool is_right = length > 0 && length <= PATTERN_MAX_BYTES;
    for (const char *c = text; is_right && *c; c++) {
        is_right = (unsigned char)*c > ' ' && *c != 0x7f;
    }
    return is_right;
}

static bool check_patterns(const wpa_json *list, const char *field, size_t min, size_t max,
                           wpa_error *err)
{
    size_t n = wpa_json_count(list);
    bool is_right = n >= min && n <= max;
    for (size_t i = 0; is_right && i < n; i++) {
        is_right = is_pattern(wpa_json_text_of(wpa_json_at(list, i)));
    }
    return is_right || WPA_FAIL(err, WPA_E_INVALID,
                                "field '%s' must be a list of %zu to %zu names, in which * stands "
                                "for any text",
                                field, min, max);
}

static bool check_row(const row *r, wpa_error *err)
{
    const wpa_notify_channel *channel = wpa_notify_channel_find(r->channel, err);
    if (!channel || !wpa_channel_check(channel, r->settings, r->secret != NULL, err) ||
        (r->secret && !wpa_notify_secret_check(r->secret, err)) ||
        !check_patterns(r->events, "events", 1, 50, err) ||
        !check_patterns(r->repositories, "repositories", 0, 200, err)) {
        return false;
    }
    if (wpa_text_index(r->min_severity, severities, WPA_COUNT(severities)) < 0) {
        return WPA_FAIL(err, WPA_E_INVALID,
                        "field 'min_severity' must be one of info, warning, error, critical");
    }
    return true;
}

/** A program of this host is run: what that is is said at a terminal of it. */
static bool check_from(const row *r, wpa_notify_from from, wpa_error *err)
{
    return from == WPA_NOTIFY_FROM_TERMINAL || !wpa_text_is(r->channel, "command") ||
           WPA_FAIL(err, WPA_E_DENIED,
                    "what a command runs is said at a terminal, never over the network: wpa "
                    "notices add, wpa notices change");
}

/** Put what was given over what stands; a secret of "" takes it away. */
static bool read_given(row *r, const wpa_json *given, wpa_error *err)
{
    bool is_read = wpa_json_opt_text(given, "name", &r->name, err) &&
                   wpa_json_opt_object(given, "settings", &r->settings, err) &&
                   wpa_json_opt_text(given, "secret", &r->secret, err) &&
                   wpa_json_opt_array(given, "events", &r->events, err) &&
                   wpa_json_opt_text(given, "min_severity", &r->min_severity, err) &&
                   wpa_json_opt_array(given, "repositories", &r->repositories, err) &&
                   wpa_json_opt_int(given, "timeout_ms", 500, 60000, &r->timeout_ms, err) &&
                   wpa_json_opt_int(given, "max_tries", 1, 50, &r->max_tries, err) &&
                   wpa_json_opt_bool(given, "private_addresses", &r->private_addresses, err) &&
                   wpa_json_opt_bool(given, "is_enabled", &r->is_enabled, err);
    if (is_read && r->secret && !*r->secret) {
        r->secret = NULL;
    }
    return is_read;
}

static const char *array_of(const wpa_json *list, wpa_arena *arena)
{
    size_t n = wpa_json_count(list);
    const char **items = wpa_arena_array(arena, n + 1, sizeof *items);
    for (size_t i = 0; i < n; i++) {
        items[i] = wpa_json_text_of(wpa_json_at(list, i));
    }
    return wpa_db_array(arena, items, n);
}

/** A name that another one has is the only conflict that there can be. */
static bool fail_store(const wpa_db *db, const row *r, wpa_error *err)
{
    if (wpa_text_is(wpa_db_sqlstate(db), "23505")) {
        return WPA_FAIL(err, WPA_E_CONFLICT, "there is a destination '%s' already", r->name);
    }
    if (wpa_text_is(wpa_db_sqlstate(db), "23514")) {
        return WPA_FAIL(err, WPA_E_INVALID,
                        "field 'name' must be letters, digits, '.', '_', '-', at most 63: '%s'",
                        r->name);
    }
    return false;
}

/* ---- adding and changing ------------------------------------------------------------------------
 */

typedef struct storing {
    row *row;
    const wpa_actor *actor;
    wpa_arena *arena;
} storing;

static bool insert(wpa_db *db, void *context, wpa_error *err)
{
    const storing *s = context;
    row *r = s->row;
    char timeout[WPA_DB_NUMBER_SIZE], tries[WPA_DB_NUMBER_SIZE], who[WPA_DB_NUMBER_SIZE];
    const char *params[] = {
        r->name,
        r->channel,
        wpa_json_dump(r->settings, s->arena),
        r->secret,
        array_of(r->events, s->arena),
        r->min_severity,
        array_of(r->repositories, s->arena),
        wpa_db_number(r->timeout_ms, timeout),
        wpa_db_number(r->max_tries, tries),
        wpa_db_bool(r->private_addresses),
        wpa_db_bool(r->is_enabled),
        wpa_db_number(s->actor->principal_id, who),
    };
    WPA_AUTO(wpa_rows) *rows =
        wpa_db_exec(db, WPA_SQL_NOTIFY_DESTINATION_ADD, params, WPA_COUNT(params), err);
    r->id = rows ? wpa_rows_int(rows, 0, 0) : 0;
    return rows || fail_store(db, r, err);
}

bool wpa_notify_add(wpa_db *db, const wpa_actor *actor, wpa_notify_from from, const wpa_json *given,
                    wpa_arena *arena, int64_t *id, wpa_error *err)
{
    static const char lasting[] = "[\"alert.*\"]", usual[] = "[\"notice.*\",\"finding.new\"]";
    const char *channel = wpa_json_get_text(given, "channel", err);
    if (!channel || !wpa_json_get_text(given, "name", err) ||
        !wpa_notify_channel_find(channel, err)) {
        return false;
    }
    const char *events = wpa_text_is(channel, "alertmanager") ? lasting : usual;
    row r = {
        .channel = channel,
        .min_severity = "info",
        .settings = wpa_json_new_object(arena),
        .events = wpa_json_parse(events, strlen(events), sizeof usual, arena, err),
        .repositories = wpa_json_new_array(arena),
        .timeout_ms = 10000,
        .max_tries = 12,
        .private_addresses = false,
        .is_enabled = true,
    };
    storing s = {&r, actor, arena};
    bool is_added = wpa_actor_check(actor, WPA_ACTION_CHANGE_POLICY, err) &&
                    check_from(&r, from, err) && read_given(&r, given, err) && check_row(&r, err) &&
                    wpa_db_transact(db, actor, insert, &s, err);
    *id = r.id;
    return is_added;
}

const wpa_json *wpa_notify_json_at(const wpa_rows *rows, size_t col, wpa_arena *arena,
                                   wpa_error *err)
{
    return wpa_json_parse(wpa_rows_text(rows, 0, col), wpa_rows_length(rows, 0, col),
                          WPA_JSON_MAX_BYTES, arena, err);
}

static bool read_row(wpa_db *db, int64_t id, row *r, wpa_arena *arena, wpa_error *err)
{
    char number[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(id, number)};
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_NOTIFY_DESTINATION_GET, params, 1, err);
    if (!rows) {
        return false;
    }
    if (wpa_rows_count(rows) == 0) {
        return WPA_FAIL(err, WPA_E_NOT_FOUND, "there is no such destination");
    }
    *r = (row){
        .id = id,
        .name = wpa_rows_dup(rows, 0, 1, arena),
        .channel = wpa_rows_dup(rows, 0, 2, arena),
        .settings = wpa_notify_json_at(rows, 3, arena, err),
        .secret = wpa_rows_dup(rows, 0, 4, arena),
        .events = wpa_notify_json_at(rows, 5, arena, err),
        .min_severity = wpa_rows_dup(rows, 0, 6, arena),
        .repositories = wpa_notify_json_at(rows, 7, arena, err),
        .timeout_ms = wpa_rows_int(rows, 0, 8),
        .max_tries = wpa_rows_int(rows, 0, 9),
        .private_addresses = wpa_rows_bool(rows, 0, 10),
        .is_enabled = wpa_rows_bool(rows, 0, 11),
        .version = wpa_rows_int(rows, 0, 12),
    };
    return r->settings && r->events && r->repositories;
}

typedef struct changing {
    wpa_notify_from from;
    int64_t id, version;
    const wpa_json *given;
    wpa_arena *arena;
} changing;

/** A secret goes where the settings say: whoever sends it elsewhere must know it. */
static bool check_secret_stays(const row *before, const row *after, const wpa_json *given,
                               wpa_arena *arena, wpa_error *err)
{
    bool is_moved =
        !wpa_text_is(wpa_json_dump(before->settings, arena), wpa_json_dump(after->settings, arena));
    return !is_moved || !after->secret || wpa_json_find(given, "secret") ||
           WPA_FAIL(err, WPA_E_INVALID,
                    "field 'secret' must be given again when the settings change");
}

static bool change(wpa_db *db, void *context, wpa_error *err)
{
    const changing *c = context;
    row before, r;
    char id[WPA_DB_NUMBER_SIZE], timeout[WPA_DB_NUMBER_SIZE], tries[WPA_DB_NUMBER_SIZE],
        version[WPA_DB_NUMBER_SIZE];
    if (!read_row(db, c->id, &before, c->arena, err)) {
        return false;
    }
    r = before;
    if (wpa_json_find(c->given, "settings") && !check_from(&r, c->from, err)) {
        return false;
    }
    if (!read_given(&r, c->given, err) || !check_row(&r, err) ||
        !check_secret_stays(&before, &r, c->given, c->arena, err)) {
        return false;
    }
    const char *params[] = {
        wpa_db_number(r.id, id),
        r.name,
        wpa_json_dump(r.settings, c->arena),
        r.secret,
        array_of(r.events, c->arena),
        r.min_severity,
        array_of(r.repositories, c->arena),
        wpa_db_number(r.timeout_ms, timeout),
        wpa_db_number(r.max_tries, tries),
        wpa_db_bool(r.private_addresses),
        wpa_db_bool(r.is_enabled),
        wpa_db_number(c->version, version),
    };
    WPA_AUTO(wpa_rows) *rows =
        wpa_db_exec(db, WPA_SQL_NOTIFY_DESTINATION_CHANGE, params, WPA_COUNT(params), err);
    if (!rows) {
        return fail_store(db, &r, err);
    }
    return wpa_rows_count(rows) > 0 ||
           WPA_FAIL(err, WPA_E_CONFLICT, "the destination was changed meanwhile: it is v%lld now",
                    (long long)r.version);
}

bool wpa_notify_change(wpa_db *db, const wpa_actor *actor, wpa_notify_from from, int64_t id,
                       int64_t version, const wpa_json *given, wpa_arena *arena, wpa_error *err)
{
    changing c = {from, id, version, given, arena};
    if (wpa_json_find(given, "channel")) {
        return WPA_FAIL(err, WPA_E_INVALID, "field 'channel' cannot be changed: add another one");
    }
    return wpa_actor_check(actor, WPA_ACTION_CHANGE_POLICY, err) &&
           wpa_db_transact(db, actor, change, &c, err);
}

/** One statement with an id that must touch a row. */
typedef struct touching {
    const wpa_sql *statement;
    int64_t id;
    const char *missing;
} touching;

static bool touch(wpa_db *db, void *context, wpa_error *err)
{
    const touching *t = context;
    char number[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(t->id, number)};
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, t->statement, params, 1, err);
    return rows && (wpa_rows_count(rows) > 0 || WPA_FAIL(err, WPA_E_NOT_FOUND, "%s", t->missing));
}

bool wpa_notify_remove(wpa_db *db, const wpa_actor *actor, int64_t id, wpa_error *err)
{
    touching t = {WPA_SQL_NOTIFY_DESTINATION_REMOVE, id, "there is no such destination"};
    return wpa_actor_check(actor, WPA_ACTION_CHANGE_POLICY, err) &&
           wpa_db_transact(db, actor, touch, &t, err);
}

bool wpa_hook_remove(wpa_db *db, const wpa_actor *actor, int64_t id, wpa_error *err)
{
    touching t = {WPA_SQL_HOOK_REMOVE, id, "there is no such webhook"};
    return wpa_actor_check(actor, WPA_ACTION_CHANGE_POLICY, err) &&
           wpa_db_transact(db, actor, touch, &t, err);
}

bool wpa_notify_find(wpa_db *db, const char *name, int64_t *id, wpa_error *err)
{
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_NOTIFY_DESTINATION_FIND, &name, 1, err);
    if (!rows) {
        return false;
    }
    if (wpa_rows_count(rows) == 0) {
        return WPA_FAIL(err, WPA_E_NOT_FOUND, "there is no destination '%s'", name);
    }
    *id = wpa_rows_int(rows, 0, 0);
    return true;
}

/* ---- orders -------------------------------------------------------------------------------------
 */

typedef struct ordering {
    int64_t id;
    int64_t *job_id;
    const wpa_actor *actor;
} ordering;

/** What a person ordered stands in the audit log, as whatever he changes. */
static bool record(wpa_db *db, const wpa_actor *actor, const char *action, const char *subject,
                   size_t n, wpa_error *err)
{
    char detail[64];
    (void)wpa_text_format(detail, sizeof detail, "{\"n\":%zu}", n);
    return wpa_audit_append(db, actor, action, subject, detail, err);
}

static bool order_test(wpa_db *db, void *context, wpa_error *err)
{
    const ordering *o = context;
    char subject[64];
    (void)wpa_text_format(subject, sizeof subject, "destination:%lld", (long long)o->id);
    const wpa_job_spec spec = {.kind = "notify",
                               .subject = subject,
                               .label = "send a test notice",
                               .max_attempts = 1,
                               .requested_by = o->actor->principal_id};
    return wpa_job_enqueue(db, &spec, o->job_id, err) &&
           record(db, o->actor, "destination.tested", subject, 1, err);
}

bool wpa_notify_order_test(wpa_db *db, const wpa_actor *actor, int64_t id, int64_t *job_id,
                           wpa_error *err)
{
    char name[32];
    ordering o = {id, job_id, actor};
    (void)wpa_text_format(name, sizeof name, "o-%lld", (long long)id);
    return wpa_actor_check(actor, WPA_ACTION_CHANGE_POLICY, err) &&
           wpa_notify_find(db, name, &id, err) && wpa_db_transact(db, actor, order_test, &o, err);
}

typedef struct retrying {
    int64_t delivery_id, destination_id;
    const wpa_actor *actor;
    size_t *n;
} retrying;

static bool record_retry(wpa_db *db, const retrying *r, wpa_error *err)
{
    char subject[64] = "outbox";
    if (r->delivery_id || r->destination_id) {
        (void)wpa_text_format(subject, sizeof subject, "%s:%lld",
                              r->delivery_id ? "outbox" : "destination",
                              (long long)(r->delivery_id ? r->delivery_id : r->destination_id));
    }
    return *r->n == 0 || record(db, r->actor, "destination.retried", subject, *r->n, err);
}

static bool retry(wpa_db *db, void *context, wpa_error *err)
{
    const retrying *r = context;
    char id[WPA_DB_NUMBER_SIZE], destination[WPA_DB_NUMBER_SIZE];
    const char *params[] = {
        r->delivery_id ? wpa_db_number(r->delivery_id, id) : NULL,
        r->destination_id ? wpa_db_number(r->destination_id, destination) : NULL,
    };
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_NOTIFY_RETRY, params, 2, err);
    *r->n = rows ? wpa_rows_count(rows) : 0;
    if (rows && r->delivery_id && *r->n == 0) {
        return WPA_FAIL(err, WPA_E_REFUSED, "there is no such delivery that was given up");
    }
    return rows && record_retry(db, r, err);
}

bool wpa_notify_retry(wpa_db *db, const wpa_actor *actor, int64_t delivery_id,
                      int64_t destination_id, size_t *n, wpa_error *err)
{
    retrying r = {delivery_id, destination_id, actor, n};
    return wpa_actor_check(actor, WPA_ACTION_CONTROL_JOBS, err) &&
           wpa_db_transact(db, actor, retry, &r, err);
}
