/* Inside src/agent only: the engine's parts. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include <wpa/agent.h>

#include "agent/pool.h"
#include "db/embedded.h"
#include "job/job.h"

#define WPA_ENGINE_POOL_MAX 8
#define WPA_ENGINE_WORKERS_MAX 64
#define WPA_ENGINE_COURIERS 2 /* one that hangs must not hold up all notices */

typedef struct wpa_engine_worker {
    pthread_t thread;
    bool is_started;
    wpa_job_worker job;
    wpa_engine *engine;
} wpa_engine_worker;

struct wpa_engine {
    wpa_arena *arena; /* texts; read-only once open */
    wpa_log *log;
    wpa_embedded *embedded; /* NULL: a DSN was given */
    const char *dsn;
    const char *cache_folder;
    const char *codes_key_path; /* NULL: none */
    const char *name;
    char agent_id[40];
    wpa_actor actor;
    bool is_viewer;
    const char *service_role; /* NULL: as the DSN says */
    const char *agent_role, *viewer_role;

    /* Connections for the service calls: one is taken for each call and given back. */
    pthread_mutex_t pool_mutex;
    wpa_db *idle[WPA_ENGINE_POOL_MAX];
    size_t n_idle;

    wpa_heart *heart;
    wpa_engine_worker *workers;
    size_t n_workers;
    atomic_int n_busy;

    /* Workers with nothing to do wait here; the keeper wakes them. */
    pthread_mutex_t wake_mutex;
    pthread_cond_t wake;
    uint64_t wake_count;
    atomic_bool is_draining;

    pthread_t keeper;
    bool is_keeper_started;
    int keeper_fd; /* eventfd: told to stop */

    pthread_t couriers[WPA_ENGINE_COURIERS];
    size_t n_couriers;
    int courier_fd; /* eventfd: told to stop */
};

/** One more connection with a role, for a thread that keeps it. */
wpa_db *wpa_engine_connect(const wpa_engine *engine, const char *role, const char *application,
                           wpa_error *err);
/** Workers look at the queue again. Thread: any. */
void wpa_engine_wake(wpa_engine *engine);

bool wpa_workers_start(wpa_engine *engine, wpa_error *err) WPA_CHECK;
void wpa_workers_stop(wpa_engine *engine);
bool wpa_keeper_start(wpa_engine *engine, wpa_error *err) WPA_CHECK;
void wpa_keeper_stop(wpa_engine *engine);
bool wpa_couriers_start(wpa_engine *engine, wpa_error *err) WPA_CHECK;
void wpa_couriers_stop(wpa_engine *engine);

/** What can do a job of this kind; NULL for an unknown one. */
wpa_job_handler wpa_handler_of(const char *kind);
/** Queues in order of urgency. */
extern const char *const wpa_queues[];
extern const size_t wpa_n_queues;

/**
 * Is the minute that these numbers name one of a schedule's?
 *
 * schedule  "minute hour day month weekday" with *, lists, ranges and steps, as cron.
 */
bool wpa_schedule_matches(const char *schedule, const int minute_parts[5], bool *matches,
                          wpa_error *err) WPA_CHECK;
