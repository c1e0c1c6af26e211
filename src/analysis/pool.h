/*
 * The threads of one analysis. A task is one thread's from its beginning to its end; a thread that
 * has no task helps with what others have opened to be shared.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

typedef struct wpa_pool wpa_pool;

/** A task, embedded in what it works on; the pool borrows it until it is done. */
typedef struct wpa_pool_task {
    void (*run)(struct wpa_pool_task *task);
    bool is_taken, is_done; /* private */
    struct wpa_pool_task *next;
} wpa_pool_task;

/** n_threads is how many work at most, the caller's included; they are started when needed. */
wpa_pool *wpa_pool_new(size_t n_threads);
/** Waits for the tasks that were submitted. */
void wpa_pool_free(wpa_pool *pool);

/**
 * Have a task run: at once where the caller is the only thread; else by the next that is free, and
 * by the caller where too many are waiting.
 */
void wpa_pool_submit(wpa_pool *pool, wpa_pool_task *task);
bool wpa_pool_is_done(wpa_pool *pool, const wpa_pool_task *task);
/** Returns when it is done; works on what is waiting meanwhile. */
void wpa_pool_wait(wpa_pool *pool, const wpa_pool_task *task);

/** work(context, i) for each i < n, by this thread and all that have no task; within a task too. */
void wpa_pool_each(wpa_pool *pool, size_t n, void (*work)(void *context, size_t i), void *context);
