/*
 * The heartbeat. Its thread and the workers share one small table under a mutex that is held for a
 * few instructions only, never during a query; what a worker asks often is atomic.
 */
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <wpa/memory.h>

#include "gen/sql.h"
#include "job/lease.h"

#define RETRY_MS 1000

struct wpa_lease {
    int64_t job_id; /* 0: the slot is free; under the mutex */
    int64_t token;
    _Atomic int64_t deadline_ms; /* monotonic; past it no outside effect is begun */
    _Atomic int64_t renewed_ms;  /* when the last renewal that succeeded was sent */
    atomic_bool is_cancelled;
    const atomic_bool *is_draining;
};

struct wpa_heart {
    pthread_t thread;
    pthread_mutex_t mutex;
    wpa_db *db;
    wpa_log *log;
    int wake_fd; /* written to stop */
    atomic_bool is_stopping;
    atomic_bool is_draining;
    size_t n_slots;
    wpa_lease *slots;
};

bool wpa_lease_is_lost(const wpa_lease *lease)
{
    return wpa_monotonic_ms() > atomic_load(&lease->deadline_ms);
}

bool wpa_lease_is_cancelled(const wpa_lease *lease)
{
    return atomic_load(&lease->is_cancelled) || atomic_load(lease->is_draining);
}

wpa_lease *wpa_heart_take(wpa_heart *heart, size_t slot, const wpa_job *job, int64_t sent_ms)
{
    wpa_lease *lease = &heart->slots[slot];
    (void)pthread_mutex_lock(&heart->mutex);
    lease->job_id = job->id;
    lease->token = job->token;
    atomic_store(&lease->renewed_ms, sent_ms);
    atomic_store(&lease->deadline_ms, sent_ms + WPA_JOB_LEASE_MS - WPA_JOB_MARGIN_MS);
    atomic_store(&lease->is_cancelled, false);
    (void)pthread_mutex_unlock(&heart->mutex);
    return lease;
}

void wpa_heart_drop(wpa_heart *heart, size_t slot)
{
    (void)pthread_mutex_lock(&heart->mutex);
    heart->slots[slot].job_id = 0;
    (void)pthread_mutex_unlock(&heart->mutex);
}

/** How many leases are due, and which: [heart->n_slots] ids and tokens have room for all. */
static size_t find_due(wpa_heart *heart, int64_t now_ms, int64_t ids[], int64_t tokens[])
{
    size_t n = 0;
    (void)pthread_mutex_lock(&heart->mutex);
    for (size_t i = 0; i < heart->n_slots; i++) {
        const wpa_lease *lease = &heart->slots[i];
        if (lease->job_id && now_ms - atomic_load(&lease->renewed_ms) >= WPA_JOB_RENEW_MS) {
            ids[n] = lease->job_id;
            tokens[n++] = lease->token;
        }
    }
    (void)pthread_mutex_unlock(&heart->mutex);
    return n;
}

static void mark_renewed(wpa_heart *heart, int64_t id, int64_t token, int64_t sent_ms,
                         bool is_cancelled)
{
    (void)pthread_mutex_lock(&heart->mutex);
    for (size_t i = 0; i < heart->n_slots; i++) {
        wpa_lease *lease = &heart->slots[i];
        if (lease->job_id == id && lease->token == token) {
            atomic_store(&lease->renewed_ms, sent_ms);
            atomic_store(&lease->deadline_ms, sent_ms + WPA_JOB_LEASE_MS - WPA_JOB_MARGIN_MS);
            atomic_store(&lease->is_cancelled, is_cancelled);
        }
    }
    (void)pthread_mutex_unlock(&heart->mutex);
}

/** What is not renewed now is tried again in a second, until its deadline says that it is lost. */
static bool renew(wpa_heart *heart, wpa_error *err)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    int64_t *ids = wpa_arena_array(arena, heart->n_slots, sizeof *ids);
    int64_t *tokens = wpa_arena_array(arena, heart->n_slots, sizeof *tokens);
    int64_t sent_ms = wpa_monotonic_ms();
    size_t n = find_due(heart, sent_ms, ids, tokens);
    if (n == 0) {
        return true;
    }
    char lease_ms[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_array_int(arena, ids, n), wpa_db_array_int(arena, tokens, n),
                            wpa_db_number(WPA_JOB_LEASE_MS, lease_ms)};
    WPA_AUTO(wpa_rows) *rows =
        wpa_db_exec(heart->db, WPA_SQL_JOB_RENEW, params, WPA_COUNT(params), err);
    for (size_t i = 0; rows && i < wpa_rows_count(rows); i++) {
        mark_renewed(heart, wpa_rows_int(rows, i, 0), wpa_rows_int(rows, i, 1), sent_ms,
                     wpa_rows_bool(rows, i, 2));
    }
    return rows != NULL;
}

static void *beat(void *argument)
{
    wpa_heart *heart = argument;
    bool was_good = true;
    wpa_db_adopt(heart->db);
    while (!atomic_load(&heart->is_stopping)) {
        wpa_error err = {0};
        bool is_good = renew(heart, &err);
        if (!is_good && was_good) {
            wpa_log_error(heart->log, "heartbeat", &err);
        }
        was_good = is_good;
        struct pollfd wake = {.fd = heart->wake_fd, .events = POLLIN};
        (void)poll(&wake, 1, RETRY_MS);
    }
    return NULL;
}

static void free_heart(wpa_heart *heart)
{
    if (heart->wake_fd >= 0) {
        (void)close(heart->wake_fd);
    }
    (void)pthread_mutex_destroy(&heart->mutex);
    wpa_db_close(heart->db);
    wpa_free(heart->slots);
    wpa_free(heart);
}

wpa_heart *wpa_heart_start(const char *dsn, const char *role, size_t n_workers, wpa_log *log,
                           wpa_error *err)
{
    wpa_db_options options = {
        .application = "wpa heartbeat", .role = role, .statement_timeout_ms = RETRY_MS * 5};
    wpa_db *db = wpa_db_open_with(dsn, &options, err);
    if (!db) {
        return NULL;
    }
    wpa_heart *heart = wpa_alloc(sizeof *heart);
    heart->db = db;
    heart->log = log;
    heart->n_slots = n_workers;
    heart->slots = wpa_alloc(n_workers * sizeof *heart->slots + 1);
    for (size_t i = 0; i < n_workers; i++) {
        heart->slots[i].is_draining = &heart->is_draining;
    }
    heart->wake_fd = eventfd(0, EFD_CLOEXEC);
    (void)pthread_mutex_init(&heart->mutex, NULL);
    if (heart->wake_fd < 0 || pthread_create(&heart->thread, NULL, beat, heart) != 0) {
        (void)WPA_FAIL(err, WPA_E_INTERNAL, "cannot start the heartbeat");
        free_heart(heart);
        return NULL;
    }
    return heart;
}

void wpa_heart_drain(wpa_heart *heart)
{
    atomic_store(&heart->is_draining, true);
}

void wpa_heart_stop(wpa_heart *heart)
{
    if (!heart) {
        return;
    }
    atomic_store(&heart->is_stopping, true);
    (void)eventfd_write(heart->wake_fd, 1);
    (void)pthread_join(heart->thread, NULL);
    wpa_db_adopt(heart->db);
    free_heart(heart);
}
