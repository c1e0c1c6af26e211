/* The engine's workers: each owns a connection, claims a job, does it, finishes it. */
#include <errno.h>
#include <time.h>
#include <unistd.h>

#include <wpa/clock.h>
#include <wpa/memory.h>

#include "agent/engine.h"
#include "gen/sql.h"

#define POLL_MS 5000
#define RETRY_MS 1000
#define BUSY_MS 200 /* a job is due, but not for us: others are claiming it */

void wpa_engine_wake(wpa_engine *engine)
{
    (void)pthread_mutex_lock(&engine->wake_mutex);
    engine->wake_count++;
    (void)pthread_cond_broadcast(&engine->wake);
    (void)pthread_mutex_unlock(&engine->wake_mutex);
}

static uint64_t wakes_so_far(wpa_engine *engine)
{
    (void)pthread_mutex_lock(&engine->wake_mutex);
    uint64_t count = engine->wake_count;
    (void)pthread_mutex_unlock(&engine->wake_mutex);
    return count;
}

/** Until somebody has woken us since seen, or the time is over: a lost wake-up costs one poll. */
static void wait_for_wake(wpa_engine *engine, uint64_t seen, int64_t timeout_ms)
{
    int64_t end_ms = wpa_monotonic_ms() + timeout_ms;
    struct timespec end = {.tv_sec = end_ms / 1000, .tv_nsec = (long)(end_ms % 1000) * 1000000};
    (void)pthread_mutex_lock(&engine->wake_mutex);
    while (engine->wake_count == seen && !atomic_load(&engine->is_draining) &&
           pthread_cond_timedwait(&engine->wake, &engine->wake_mutex, &end) != ETIMEDOUT) {
    }
    (void)pthread_mutex_unlock(&engine->wake_mutex);
}

/** How long to wait if nobody wakes us: a job that was put off is due at its own time. */
static int64_t idle_ms(wpa_db *db)
{
    wpa_error ignored = {0};
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_AGENT_NEXT_DUE, NULL, 0, &ignored);
    if (!rows || wpa_rows_is_null(rows, 0, 0)) {
        return POLL_MS;
    }
    int64_t due_ms = wpa_rows_int(rows, 0, 0);
    due_ms = due_ms <= 0 ? BUSY_MS : due_ms + 1;
    return due_ms < POLL_MS ? due_ms : POLL_MS;
}

static void *work(void *argument)
{
    wpa_engine_worker *worker = argument;
    wpa_engine *engine = worker->engine;
    bool was_good = true;
    wpa_db_adopt(worker->job.db);
    while (!atomic_load(&engine->is_draining)) {
        wpa_error err = {0};
        bool did_one = false;
        uint64_t seen = wakes_so_far(engine);
        bool is_good = wpa_job_work(&worker->job, &did_one, &err);
        if (!is_good && was_good) {
            wpa_log_error(engine->log, "agent", &err);
        }
        was_good = is_good;
        if (!is_good) {
            wait_for_wake(engine, seen, RETRY_MS);
        } else if (!did_one) {
            wait_for_wake(engine, seen, idle_ms(worker->job.db));
        }
    }
    return NULL;
}

bool wpa_workers_start(wpa_engine *engine, wpa_error *err)
{
    engine->workers = wpa_alloc(engine->n_workers * sizeof *engine->workers);
    for (size_t i = 0; i < engine->n_workers; i++) {
        wpa_engine_worker *worker = &engine->workers[i];
        worker->engine = engine;
        worker->job = (wpa_job_worker){
            .db = wpa_engine_connect(engine, engine->agent_role, "wpa worker", err),
            .actor = &engine->actor,
            .heart = engine->heart,
            .slot = i,
            .owner = wpa_arena_printf(engine->arena, "%s/%ld/%zu", engine->name, (long)getpid(), i),
            .cache_folder = engine->cache_folder,
            .log = engine->log,
            .queues = wpa_queues,
            .n_queues = wpa_n_queues,
            .handler_of = wpa_handler_of,
            .n_busy = &engine->n_busy,
        };
        if (!worker->job.db) {
            return false;
        }
        if (pthread_create(&worker->thread, NULL, work, worker) != 0) {
            return WPA_FAIL(err, WPA_E_INTERNAL, "cannot start a worker");
        }
        worker->is_started = true;
    }
    return true;
}

void wpa_workers_stop(wpa_engine *engine)
{
    for (size_t i = 0; engine->workers && i < engine->n_workers; i++) {
        wpa_engine_worker *worker = &engine->workers[i];
        if (worker->is_started) {
            (void)pthread_join(worker->thread, NULL);
        }
        if (worker->job.db) {
            wpa_db_adopt(worker->job.db);
            wpa_db_close(worker->job.db);
        }
    }
    wpa_free(engine->workers);
    engine->workers = NULL;
}
