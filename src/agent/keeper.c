/*
 * The keeper: one thread that listens for new jobs, wakes the workers when one is due, takes lapsed
 * jobs back, keeps this agent's record, folds the counts, looks at the schedule and forgets what
 * is old.
 */
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <wpa/clock.h>
#include <wpa/text.h>

#include "agent/engine.h"
#include "auth/hash.h"
#include "gen/sql.h"

#define POLL_MS 5000
#define CHORES_MS 5000
#define CHECK_MS 10000
#define RETRY_MS 1000
#define FORGET_MS 600000
#define FORGET_BATCH 1000 /* as forget_old has it */
#define BUSY_MS 500       /* a job is due, but every worker has one */

typedef struct keeper {
    wpa_engine *engine;
    wpa_db *db;
    int64_t next_chores_ms, next_check_ms, next_forget_ms;
    uint64_t generation;
    bool was_good;
} keeper;

/** ± 20 %, so that many agents do not all come at once. */
static int64_t with_jitter(int64_t ms)
{
    return ms * (80 + wpa_random_below(41)) / 100;
}

static bool keep_record(keeper *k, const char *state, wpa_error *err)
{
    char host[256] = "";
    char pid[WPA_DB_NUMBER_SIZE];
    char capacity[WPA_DB_NUMBER_SIZE];
    char busy[WPA_DB_NUMBER_SIZE];
    (void)gethostname(host, sizeof host - 1);
    const char *params[] = {
        k->engine->agent_id,
        k->engine->name,
        host,
        wpa_db_number(getpid(), pid),
        WPA_VERSION,
        wpa_db_number((int64_t)k->engine->n_workers, capacity),
        wpa_db_number(atomic_load(&k->engine->n_busy), busy),
        state,
    };
    return wpa_db_run(k->db, WPA_SQL_AGENT_KEEP, params, WPA_COUNT(params), err);
}

static bool reap(keeper *k, wpa_error *err)
{
    int64_t n = 0;
    if (!wpa_job_reap(k->db, &n, err)) {
        return false;
    }
    if (n > 0) {
        wpa_log_write(k->engine->log, WPA_LOG_WARN, "agent", "%lld job(s) taken back: lease lapsed",
                      (long long)n);
    }
    return true;
}

/** The schedule's minute: a job of its own, named by the minute, so that one agent does it once. */
static bool look_at_schedule(keeper *k, wpa_error *err)
{
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(k->db, WPA_SQL_AGENT_SCHEDULE, NULL, 0, err);
    if (!rows) {
        return false;
    }
    if (wpa_rows_count(rows) == 0 || wpa_rows_bool(rows, 0, 7)) {
        return true;
    }
    int parts[5];
    bool matches = false;
    for (size_t i = 0; i < WPA_COUNT(parts); i++) {
        parts[i] = (int)wpa_rows_int(rows, 0, 1 + i);
    }
    if (!wpa_schedule_matches(wpa_rows_text(rows, 0, 0), parts, &matches, err)) {
        return wpa_error_within(err, "setting analysis_schedule");
    }
    const wpa_job_spec spec = {.kind = "schedule", .subject = wpa_rows_text(rows, 0, 6)};
    return !matches || wpa_job_enqueue(k->db, &spec, NULL, err);
}

/** What has been over for long; where there is much of it, some with each round of chores. */
static bool forget(keeper *k, wpa_error *err)
{
    if (wpa_monotonic_ms() < k->next_forget_ms) {
        return true;
    }
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(k->db, WPA_SQL_AGENT_FORGET, NULL, 0, err);
    bool is_all = rows && wpa_rows_int(rows, 0, 0) < FORGET_BATCH;
    k->next_forget_ms = is_all ? wpa_monotonic_ms() + with_jitter(FORGET_MS) : 0;
    return rows != NULL;
}

static bool do_chores(keeper *k, wpa_error *err)
{
    return keep_record(k, atomic_load(&k->engine->is_draining) ? "draining" : "active", err) &&
           reap(k, err) && wpa_db_run(k->db, WPA_SQL_AGENT_FOLD, NULL, 0, err) &&
           look_at_schedule(k, err) && forget(k, err);
}

/** A query that also says whether this session still listens; on doubt all of it is made anew. */
static bool check_listening(keeper *k, wpa_error *err)
{
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(k->db, WPA_SQL_DB_PING, NULL, 0, err);
    return rows &&
           (wpa_text_is(wpa_rows_text(rows, 0, 0), "wpa_jobs") || wpa_db_reconnect(k->db, err));
}

/** Milliseconds until a waiting job is due; at most one poll. */
static bool next_due_ms(keeper *k, int64_t *wait_ms, wpa_error *err)
{
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(k->db, WPA_SQL_AGENT_NEXT_DUE, NULL, 0, err);
    if (!rows) {
        return false;
    }
    *wait_ms = with_jitter(POLL_MS);
    if (!wpa_rows_is_null(rows, 0, 0)) {
        int64_t due_ms = wpa_rows_int(rows, 0, 0);
        int64_t until_ms = due_ms <= 0 ? BUSY_MS : due_ms + 1;
        *wait_ms = until_ms < *wait_ms ? until_ms : *wait_ms;
    }
    return true;
}

static bool turn(keeper *k, wpa_error *err)
{
    wpa_db_note note;
    int64_t now_ms = wpa_monotonic_ms();
    if (now_ms >= k->next_chores_ms) {
        k->next_chores_ms = now_ms + with_jitter(CHORES_MS);
        if (!do_chores(k, err)) {
            return false;
        }
    }
    if (now_ms >= k->next_check_ms) {
        k->next_check_ms = now_ms + CHECK_MS;
        if (!check_listening(k, err)) {
            return false;
        }
    }
    int64_t wait_ms = 0;
    if (!next_due_ms(k, &wait_ms, err)) {
        return false;
    }
    if (!wpa_db_note_next(k->db, &note) &&
        !wpa_db_wait(k->db, k->engine->keeper_fd, (int)wait_ms, err)) {
        return false;
    }
    while (wpa_db_note_next(k->db, &note)) {
    }
    wpa_engine_wake(k->engine);
    return true;
}

static bool is_told_to_stop(const keeper *k)
{
    eventfd_t value = 0;
    return eventfd_read(k->engine->keeper_fd, &value) == 0;
}

static void *keep(void *argument)
{
    wpa_engine *engine = argument;
    wpa_error err = {0};
    keeper k = {.engine = engine, .was_good = true};
    k.db = wpa_engine_connect(engine, engine->agent_role, "wpa keeper", &err);
    while (!is_told_to_stop(&k)) {
        wpa_error_clear(&err);
        if (!k.db) {
            k.db = wpa_engine_connect(engine, engine->agent_role, "wpa keeper", &err);
        }
        bool is_good = k.db && wpa_db_listen(k.db, WPA_SQL_DB_LISTEN_JOBS, &err) && turn(&k, &err);
        if (!is_good && k.was_good) {
            wpa_log_error(engine->log, "agent", &err);
        } else if (is_good && !k.was_good) {
            wpa_log_write(engine->log, WPA_LOG_INFO, "agent", "the database answers again");
        }
        k.was_good = is_good;
        if (!is_good) {
            wpa_sleep_ms(RETRY_MS);
        }
    }
    if (k.db && !keep_record(&k, "gone", &err)) {
        wpa_log_error(engine->log, "agent", &err);
    }
    wpa_db_close(k.db);
    return NULL;
}

bool wpa_keeper_start(wpa_engine *engine, wpa_error *err)
{
    engine->keeper_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (engine->keeper_fd < 0 || pthread_create(&engine->keeper, NULL, keep, engine) != 0) {
        return WPA_FAIL(err, WPA_E_INTERNAL, "cannot start the engine's keeper");
    }
    engine->is_keeper_started = true;
    return true;
}

void wpa_keeper_stop(wpa_engine *engine)
{
    if (engine->is_keeper_started) {
        (void)eventfd_write(engine->keeper_fd, 1);
        (void)pthread_join(engine->keeper, NULL);
    }
    if (engine->keeper_fd >= 0) {
        (void)close(engine->keeper_fd);
    }
}
