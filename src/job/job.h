/*
 * Jobs: enqueue, claim, lease, fence, finish. All of it is rows; the database's clock alone decides
 * about lapse, and a token that grows with each grant tells the holder of now from one before.
 *
 * What a worker writes goes into transactions that begin with wpa_job_fence: if the lease was lost
 * meanwhile, nothing of it becomes true. Outside effects (push, request, process) are begun only
 * while wpa_job_check says so.
 */
#pragma once

#include <stdatomic.h>

#include <wpa/arena.h>
#include <wpa/log.h>

#include "db/db.h"

#define WPA_JOB_LEASE_MS 30000
#define WPA_JOB_RENEW_MS 10000
#define WPA_JOB_MARGIN_MS 5000 /* local deadline: this long before the lease can lapse */

typedef struct wpa_job {
    int64_t id;
    const char *kind;    /* "scan" "analyse" "test" "deploy" "check" ...: also its queue */
    const char *subject; /* natural key: "repository:3", "workflow:88", "patch:7", "deployment:4" */
    const char *payload; /* JSON */
    int64_t requested_by; /* principal, 0: nobody */
    int64_t token;
    int attempt, max_attempts;
} wpa_job;

typedef struct wpa_job_spec {
    const char *kind, *subject;
    const char *payload;  /* JSON object, narrows what is done; NULL: {} */
    const char *label;    /* for people: "analyse ledger-api/ci.yml"; NULL: kind and subject */
    int priority;         /* 0 most urgent, default (0 given) 100 */
    int max_attempts;     /* default (0 given) 5 */
    int64_t delay_ms;     /* not before then */
    int64_t requested_by; /* principal, 0: nobody */
} wpa_job_spec;

/**
 * Queue a job; in the caller's transaction if one is open.
 *
 * At most one live job per (kind, subject): if there is one that waits, it is kept and its time
 * moved forward if the new one is sooner; if one runs, it will run once more after it has ended.
 * So an order given while a worker is finishing is never lost. If the two have different payloads,
 * the job gets {}: a payload says to do a part of what the kind does, {} is all of it.
 *
 * id        may be NULL.
 */
bool wpa_job_enqueue(wpa_db *db, const wpa_job_spec *spec, int64_t *id, wpa_error *err) WPA_CHECK;

/** Ask a job to stop: a waiting one ends at once, a running one when its worker looks. */
bool wpa_job_cancel(wpa_db *db, int64_t id, wpa_error *err) WPA_CHECK;

typedef enum wpa_job_ending {
    WPA_JOB_ENDED_NOT, /* still queued or running */
    WPA_JOB_ENDED_DONE,
    WPA_JOB_ENDED_DEAD,
    WPA_JOB_ENDED_CANCELLED
} wpa_job_ending;

typedef struct wpa_job_state_view {
    wpa_job_ending ending;
    char state[16];
    char last_error[512];
    int attempt;
    char result[1024]; /* JSON that the handler left */
} wpa_job_state_view;

/** Where a job stands, live or past. Errors NOT_FOUND. */
bool wpa_job_look(wpa_db *db, int64_t id, wpa_job_state_view *view, wpa_error *err) WPA_CHECK;

/* ---- inside a handler ---------------------------------------------------------------------------
 */

typedef struct wpa_lease wpa_lease; /* what the heartbeat knows of this job */

/** What a handler gets. All of it is borrowed for the call. */
typedef struct wpa_job_context {
    wpa_db *db;               /* the worker's connection, no transaction open */
    const wpa_job *job;       /* */
    const wpa_actor *actor;   /* the engine's principal: for wpa_db_begin */
    wpa_arena *arena;         /* freed when the handler returns */
    wpa_log *log;             /* may be NULL */
    const char *cache_folder; /* clones and scratch work; nothing in it matters */
    wpa_lease *lease;
    /* what the handler decides, by the functions below */
    bool is_again;
    int64_t again_ms;
    const char *result;
} wpa_job_context;

/**
 * Do a job. Returning true ends it as done, or defers it after wpa_job_again. Returning false:
 * LEASE_LOST: leave it alone; CANCELLED: cancelled if that was asked, else given back; REFUSED,
 * DENIED, INVALID, NOT_FOUND, LIMIT: dead, trying again would not help; others: tried again after
 * a growing delay, dead after max_attempts.
 */
typedef bool (*wpa_job_handler)(wpa_job_context *context, wpa_error *err);

/** Lock the job's row against takeover until commit. Errors LEASE_LOST. */
bool wpa_job_fence(wpa_db *db, const wpa_job *job, wpa_error *err) WPA_CHECK;
/** Begin as the engine's principal, fence. */
bool wpa_job_begin(wpa_job_context *context, wpa_error *err) WPA_CHECK;
/** May an outside effect be begun now? Errors LEASE_LOST, CANCELLED (asked, or shutting down). */
bool wpa_job_check(const wpa_job_context *context, wpa_error *err) WPA_CHECK;
/** The same as a claim without reasons, for loops and sandboxes. Thread: any. */
bool wpa_job_should_stop(const wpa_job_context *context);
/** Not finished: run it again after delay_ms; does not count as an attempt. Returns true. */
bool wpa_job_again(wpa_job_context *context, int64_t delay_ms);
/** Leave a JSON result; kept with the job's history. */
void wpa_job_set_result(wpa_job_context *context, const char *json);
/** Progress for people; total negative: unknown; note may be NULL. Not in a transaction of yours.
 */
bool wpa_job_progress(wpa_job_context *context, int64_t done, int64_t total, const char *note,
                      wpa_error *err) WPA_CHECK;

/* ---- for workers --------------------------------------------------------------------------------
 */

/**
 * The heartbeat: a thread of its own on a connection of its own that renews the leases of all
 * workers of this process.
 */
typedef struct wpa_heart wpa_heart;

wpa_heart *wpa_heart_start(const char *dsn, const char *role, size_t n_workers, wpa_log *log,
                           wpa_error *err);
/** Every handler is told to stop (CANCELLED); leases go on until the workers give them back. */
void wpa_heart_drain(wpa_heart *heart);
void wpa_heart_stop(wpa_heart *heart);
WPA_DEFINE_AUTO(wpa_heart, wpa_heart_stop);

typedef struct wpa_job_worker {
    wpa_db *db;
    const wpa_actor *actor;
    wpa_heart *heart;
    size_t slot;       /* 0 … n_workers - 1 */
    const char *owner; /* "host/pid/3" */
    const char *cache_folder;
    wpa_log *log;
    const char *const *queues; /* [n_queues], most urgent first */
    size_t n_queues;
    wpa_job_handler (*handler_of)(const char *kind); /* NULL for an unknown kind */
    atomic_int *n_busy; /* counted up while a job is done; may be NULL */
} wpa_job_worker;

/**
 * Claim one job if there is one, do it, finish it.
 *
 * did_one   whether there was one; then ask again at once.
 *
 * Errors    only of the queue itself (UNAVAILABLE ...): what a handler reports ends in the job.
 */
bool wpa_job_work(wpa_job_worker *worker, bool *did_one, wpa_error *err) WPA_CHECK;
/** Give lapsed jobs back to the queue. */
bool wpa_job_reap(wpa_db *db, int64_t *n_reaped, wpa_error *err) WPA_CHECK;
