/* Deliveries: taken, sent, and what came of them. */
#include <string.h>

#include <wpa/clock.h>
#include <wpa/text.h>

#include "auth/hash.h"
#include "gen/sql.h"
#include "notify/channel.h"

#define FIRST_WAIT_MS INT64_C(2000)
#define LAST_WAIT_MS INT64_C(3600000)
#define DOUBLINGS_MAX 11
#define PASSED_OVER_MS 60000

int64_t wpa_notify_backoff_ms(int tries, int64_t asked_ms)
{
    int doublings = tries < 1 ? 0 : tries - 1 < DOUBLINGS_MAX ? tries - 1 : DOUBLINGS_MAX;
    int64_t wait_ms = FIRST_WAIT_MS << doublings;
    wait_ms = wait_ms < LAST_WAIT_MS ? wait_ms : LAST_WAIT_MS;
    wait_ms = wait_ms * (80 + wpa_random_below(41)) / 100;
    return asked_ms > wait_ms ? asked_ms : wait_ms;
}

/* ---- reading ------------------------------------------------------------------------------------
 */

static const wpa_matter *read_matter(wpa_db *db, const char *id, wpa_arena *arena, wpa_error *err)
{
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_NOTIFY_MATTER, &id, 1, err);
    if (!rows || wpa_rows_count(rows) == 0) {
        return NULL;
    }
    wpa_matter *matter = wpa_arena_alloc(arena, sizeof *matter);
    *matter = (wpa_matter){
        .key = wpa_rows_dup(rows, 0, 0, arena),
        .kind = wpa_rows_dup(rows, 0, 1, arena),
        .severity = wpa_rows_dup(rows, 0, 2, arena),
        .subject = wpa_rows_dup(rows, 0, 3, arena),
        .summary = wpa_rows_dup(rows, 0, 4, arena),
        .repositories = wpa_notify_json_at(rows, 5, arena, err),
        .started_at_us = wpa_rows_time_us(rows, 0, 6),
        .ended_at_us = wpa_rows_time_us(rows, 0, 7),
    };
    return matter->repositories ? matter : NULL;
}

/** Columns as notify_claim gives them. */
static bool read_delivery(wpa_db *db, const wpa_rows *rows, wpa_delivery *d, wpa_error *err)
{
    wpa_arena *arena = d->arena;
    d->id = wpa_rows_int(rows, 0, 0);
    d->token = wpa_rows_int(rows, 0, 1);
    d->uid = wpa_rows_dup(rows, 0, 2, arena);
    d->event = wpa_rows_dup(rows, 0, 3, arena);
    d->severity = wpa_rows_dup(rows, 0, 4, arena);
    d->subject = wpa_rows_dup(rows, 0, 5, arena);
    d->short_name = wpa_rows_dup(rows, 0, 6, arena);
    d->message = wpa_rows_dup(rows, 0, 7, arena);
    d->detail = wpa_notify_json_at(rows, 8, arena, err);
    d->repositories = wpa_notify_json_at(rows, 9, arena, err);
    d->is_over = wpa_rows_bool(rows, 0, 10);
    d->is_test = wpa_rows_bool(rows, 0, 11);
    d->at_us = wpa_rows_time_us(rows, 0, 12);
    d->tries = (int)wpa_rows_int(rows, 0, 13);
    d->destination_id = wpa_rows_int(rows, 0, 14);
    d->destination = wpa_rows_dup(rows, 0, 15, arena);
    d->channel = wpa_rows_dup(rows, 0, 16, arena);
    d->settings = wpa_notify_json_at(rows, 17, arena, err);
    d->secret_reference = wpa_rows_dup(rows, 0, 18, arena);
    d->timeout_ms = wpa_rows_int(rows, 0, 19);
    d->max_tries = (int)wpa_rows_int(rows, 0, 20);
    d->is_private_allowed = wpa_rows_bool(rows, 0, 21);
    d->failures = (int)wpa_rows_int(rows, 0, 23);
    d->is_spent = wpa_rows_bool(rows, 0, 24);
    if (!wpa_rows_is_null(rows, 0, 22)) {
        d->matter = read_matter(db, wpa_rows_text(rows, 0, 22), arena, err);
    }
    return d->detail && d->repositories && d->settings &&
           (d->matter || wpa_rows_is_null(rows, 0, 22));
}

/* ---- sending ------------------------------------------------------------------------------------
 */

static bool send(wpa_delivery *d, wpa_outcome *outcome, wpa_error *err)
{
    if (d->is_spent) { /* what it is may be what ends us */
        return WPA_FAIL(err, WPA_E_UNAVAILABLE, "the agent was lost in the middle of the last try");
    }
    wpa_channel_send sender = wpa_channel_sender(d->channel);
    if (!sender) {
        return WPA_FAIL(err, WPA_E_INTERNAL, "there is no channel '%s'", d->channel);
    }
    WPA_AUTO(wpa_secret) *secret = NULL;
    if (d->secret_reference) {
        secret = wpa_notify_secret_read(d->secret_reference, err);
        d->is_secret_missing = secret == NULL;
        if (!secret) {
            return false;
        }
    }
    d->secret = secret;
    bool is_taken = sender(d, outcome, err);
    d->secret = NULL;
    return is_taken;
}

/* ---- what came of it ----------------------------------------------------------------------------
 */

typedef struct ending {
    const wpa_delivery *delivery;
    const wpa_outcome *outcome;
    const char *error; /* NULL: it was taken */
    bool is_dead;
} ending;

static bool mark_sent(wpa_db *db, void *context, wpa_error *err)
{
    const ending *e = context;
    const wpa_delivery *d = e->delivery;
    char id[WPA_DB_NUMBER_SIZE], token[WPA_DB_NUMBER_SIZE], status[WPA_DB_NUMBER_SIZE],
        latency[WPA_DB_NUMBER_SIZE], repeat[WPA_DB_NUMBER_SIZE], destination[WPA_DB_NUMBER_SIZE];
    bool is_repeated = wpa_text_is(d->channel, "alertmanager");
    const char *params[] = {
        wpa_db_number(d->id, id),
        wpa_db_number(d->token, token),
        wpa_db_number(e->outcome->status, status),
        e->outcome->answer,
        wpa_db_number(e->outcome->latency_ms, latency),
        wpa_db_number(is_repeated ? WPA_NOTIFY_REPEAT_MS : 0, repeat),
    };
    const char *which[] = {wpa_db_number(d->destination_id, destination)};
    return wpa_db_run(db, WPA_SQL_NOTIFY_SENT, params, WPA_COUNT(params), err) &&
           wpa_db_run(db, WPA_SQL_NOTIFY_DESTINATION_WORKS, which, 1, err);
}

/** Given up, it is told, once a minute at most for the same fault, to those that work. */
static bool tell_dead(wpa_db *db, const ending *e, wpa_error *err)
{
    const wpa_delivery *d = e->delivery;
    char destination[WPA_DB_NUMBER_SIZE];
    const char *params[] = {
        wpa_db_number(d->destination_id, destination),
        wpa_arena_printf(d->arena, "notices to '%s' are given up after %d tries: %s",
                         d->destination, d->tries, e->error),
    };
    return wpa_db_run(db, WPA_SQL_NOTIFY_DEAD_NOTICE, params, 2, err);
}

static bool mark_failed(wpa_db *db, void *context, wpa_error *err)
{
    ending *e = context;
    const wpa_delivery *d = e->delivery;
    char id[WPA_DB_NUMBER_SIZE], token[WPA_DB_NUMBER_SIZE], status[WPA_DB_NUMBER_SIZE],
        latency[WPA_DB_NUMBER_SIZE], wait[WPA_DB_NUMBER_SIZE], destination[WPA_DB_NUMBER_SIZE];
    bool is_tried_again = !d->is_test && !e->outcome->is_final && d->tries < d->max_tries;
    int n = d->tries > d->failures + 1 ? d->tries : d->failures + 1;
    (void)wpa_db_number(wpa_notify_backoff_ms(n, e->outcome->retry_after_ms), wait);
    const char *params[] = {
        wpa_db_number(d->id, id),
        wpa_db_number(d->token, token),
        e->error,
        e->outcome->status ? wpa_db_number(e->outcome->status, status) : NULL,
        e->outcome->answer,
        wpa_db_number(e->outcome->latency_ms, latency),
        is_tried_again ? wait : NULL,
    };
    WPA_AUTO(wpa_rows) *rows =
        wpa_db_exec(db, WPA_SQL_NOTIFY_FAILED, params, WPA_COUNT(params), err);
    if (!rows || wpa_rows_count(rows) == 0 || d->is_test) {
        return rows != NULL; /* no row: another courier has it */
    }
    const char *which[] = {wpa_db_number(d->destination_id, destination), wait};
    e->is_dead = wpa_rows_bool(rows, 0, 0);
    return wpa_db_run(db, WPA_SQL_NOTIFY_DESTINATION_FAILS, which, 2, err) &&
           (!e->is_dead || tell_dead(db, e, err));
}

static bool give_back(wpa_db *db, const wpa_delivery *d, wpa_error *err)
{
    char id[WPA_DB_NUMBER_SIZE], token[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(d->id, id), wpa_db_number(d->token, token)};
    return wpa_db_run(db, WPA_SQL_NOTIFY_GIVE_BACK, params, 2, err);
}

/** Send and write down. Fails only if the database does. */
static bool deliver(wpa_db *db, const wpa_actor *actor, wpa_log *log, wpa_delivery *d,
                    wpa_outcome *outcome, wpa_error *why, wpa_error *err)
{
    char text[sizeof why->message + sizeof why->context];
    ending e = {.delivery = d, .outcome = outcome};
    if (send(d, outcome, why)) {
        return wpa_db_transact(db, actor, mark_sent, &e, err);
    }
    if (why->code == WPA_E_CANCELLED) {
        return give_back(db, d, err);
    }
    e.error = wpa_arena_text(d->arena, wpa_error_text(why, text, sizeof text));
    if (!wpa_db_transact(db, actor, mark_failed, &e, err)) {
        return false;
    }
    wpa_log_write(log, e.is_dead ? WPA_LOG_ERROR : WPA_LOG_WARN, "notify", "%s: try %d of %d: %s%s",
                  d->destination, d->tries, d->max_tries, e.error, e.is_dead ? " (given up)" : "");
    return true;
}

/** Ids of the destinations that are passed over now, as a parameter. */
static const char *passed_now(const wpa_courier *courier, wpa_arena *arena)
{
    int64_t ids[WPA_COURIER_PASSED_MAX];
    int64_t now_ms = wpa_monotonic_ms();
    size_t n = 0;
    for (size_t i = 0; i < WPA_COUNT(courier->passed); i++) {
        if (courier->passed[i].until_ms > now_ms) {
            ids[n++] = courier->passed[i].destination_id;
        }
    }
    return wpa_db_array_int(arena, ids, n);
}

/** In the place that is free for the longest. */
static void pass_over(wpa_courier *courier, int64_t destination_id)
{
    size_t place = 0;
    for (size_t i = 0; i < WPA_COUNT(courier->passed); i++) {
        place = courier->passed[i].until_ms < courier->passed[place].until_ms ? i : place;
    }
    courier->passed[place] =
        (wpa_courier_passed){destination_id, wpa_monotonic_ms() + PASSED_OVER_MS};
}

bool wpa_courier_work(wpa_courier *courier, bool *did_one, wpa_error *err)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_delivery d = {
        .arena = arena, .is_stopped = courier->is_stopped, .context = courier->context};
    wpa_outcome outcome = {0};
    wpa_error why = {0}, unread = {0};
    const char *params[] = {passed_now(courier, arena)};
    *did_one = false;
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(courier->db, WPA_SQL_NOTIFY_CLAIM, params, 1, err);
    if (!rows || wpa_rows_count(rows) == 0) {
        return rows != NULL;
    }
    *did_one = true;
    if (!read_delivery(courier->db, rows, &d, &unread) && !d.is_spent) {
        *err = unread;
        return false;
    }
    bool is_done = deliver(courier->db, courier->actor, courier->log, &d, &outcome, &why, err);
    if (is_done && d.is_secret_missing) {
        pass_over(courier, d.destination_id);
    }
    return is_done;
}

bool wpa_courier_idle_ms(const wpa_courier *courier, int64_t max_ms, int64_t *wait_ms,
                         wpa_error *err)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const char *params[] = {passed_now(courier, arena)};
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(courier->db, WPA_SQL_NOTIFY_NEXT_DUE, params, 1, err);
    *wait_ms = max_ms;
    if (rows && !wpa_rows_is_null(rows, 0, 0)) {
        int64_t due_ms = wpa_rows_int(rows, 0, 0);
        due_ms = due_ms <= 0 ? 200 : due_ms + 1; /* due, but another one is on its way there */
        *wait_ms = due_ms < max_ms ? due_ms : max_ms;
    }
    return rows != NULL;
}

bool wpa_courier_clean(const wpa_courier *courier, wpa_error *err)
{
    return wpa_db_run(courier->db, WPA_SQL_NOTIFY_EXPIRE, NULL, 0, err) &&
           wpa_db_run(courier->db, WPA_SQL_NOTIFY_CLEAN, NULL, 0, err);
}

/* ---- the test -----------------------------------------------------------------------------------
 */

static wpa_rows *make_test_row(wpa_db *db, const char *destination, const char *by, wpa_error *err)
{
    const char *params[] = {destination, "this is a test of wpa's notices", by};
    WPA_AUTO(wpa_rows) *made = wpa_db_exec(db, WPA_SQL_NOTIFY_TEST_ROW, params, 3, err);
    if (!made) {
        return NULL;
    }
    const char *id = wpa_rows_text(made, 0, 0);
    return wpa_db_exec(db, WPA_SQL_NOTIFY_DELIVERY, &id, 1, err);
}

static bool should_stop(void *context)
{
    return wpa_job_should_stop(context);
}

/** Whoever ordered it at a console reads it there. */
static bool tell_test(wpa_db *db, const wpa_delivery *d, const wpa_outcome *outcome,
                      const char *error, wpa_error *err)
{
    char destination[WPA_DB_NUMBER_SIZE];
    const char *params[] = {
        wpa_db_number(d->destination_id, destination),
        error ? "note" : "ok",
        error ? wpa_arena_printf(d->arena, "test of '%s': not taken: %s", d->destination, error)
              : wpa_arena_printf(d->arena, "test of '%s': taken in %lld ms (%d)", d->destination,
                                 (long long)outcome->latency_ms, outcome->status),
    };
    return wpa_db_run(db, WPA_SQL_NOTIFY_TEST_NOTICE, params, WPA_COUNT(params), err);
}

bool wpa_notify_test_job(wpa_job_context *context, wpa_error *err)
{
    const char *subject = context->job->subject;
    const char *number = strchr(subject, ':');
    wpa_delivery d = {.arena = context->arena, .is_stopped = should_stop, .context = context};
    wpa_outcome outcome = {0};
    wpa_error why = {0};
    char by[WPA_DB_NUMBER_SIZE];
    WPA_AUTO(wpa_rows) *rows = make_test_row(context->db, number ? number + 1 : "0",
                                             wpa_db_number(context->job->requested_by, by), err);
    if (!rows || !read_delivery(context->db, rows, &d, err) ||
        !deliver(context->db, context->actor, context->log, &d, &outcome, &why, err)) {
        return false;
    }
    if (why.code == WPA_E_CANCELLED) {
        *err = why;
        return false;
    }
    if (!tell_test(context->db, &d, &outcome, why.code == WPA_OK ? NULL : why.message, err)) {
        return false;
    }
    wpa_job_set_result(context, wpa_arena_printf(context->arena,
                                                 "{\"delivery_id\":%lld,\"is_delivered\":%s}",
                                                 (long long)d.id, wpa_db_bool(why.code == WPA_OK)));
    return true;
}
