#include "analysis/pool.h"

#include <pthread.h>
#include <stdatomic.h>

#include <wpa/memory.h>

/* Tasks that wait while all threads are busy, besides one for each that was started: each holds a
 * little memory. Who submits works too once that many wait, and brings nothing new until its task
 * is done, however long that is: what waits keeps the others at work meanwhile. */
#define WAITING_MORE 2

/* Something that is shared: an index for each who asks. */
typedef struct share {
    void (*work)(void *context, size_t i);
    void *context;
    size_t n;
    atomic_size_t next;
    size_t n_helpers; /* at work on it, besides its owner; under the pool's lock */
    struct share *beside;
} share;

struct wpa_pool {
    pthread_mutex_t lock;
    pthread_cond_t changed; /* a task or a share came, ended, or all is over */
    pthread_t *threads;     /* [n_started] */
    size_t n_started, n_max;
    wpa_pool_task *first, **last; /* waiting */
    size_t n_waiting;
    share *shares; /* open */
    bool is_over;
};

static void work_through(share *s)
{
    size_t i;
    while ((i = atomic_fetch_add(&s->next, 1)) < s->n) {
        s->work(s->context, i);
    }
}

static void lock(wpa_pool *pool)
{
    (void)pthread_mutex_lock(&pool->lock);
}

static void unlock(wpa_pool *pool)
{
    (void)pthread_mutex_unlock(&pool->lock);
}

/* ---- one thing to do; the lock is held, and let go meanwhile ----------------------------------*/

static bool help(wpa_pool *pool)
{
    share *s = pool->shares;
    while (s && atomic_load(&s->next) >= s->n) {
        s = s->beside;
    }
    if (!s) {
        return false;
    }
    s->n_helpers++;
    unlock(pool);
    work_through(s);
    lock(pool);
    s->n_helpers--;
    (void)pthread_cond_broadcast(&pool->changed);
    return true;
}

static bool run_waiting(wpa_pool *pool)
{
    wpa_pool_task *task = pool->first;
    if (!task) {
        return false;
    }
    pool->first = task->next;
    pool->last = pool->first ? pool->last : &pool->first;
    pool->n_waiting--;
    unlock(pool);
    task->run(task);
    lock(pool);
    task->is_done = true;
    (void)pthread_cond_broadcast(&pool->changed);
    return true;
}

/** What is begun comes first: it holds memory until it is done. */
static bool do_something(wpa_pool *pool)
{
    return help(pool) || run_waiting(pool);
}

static void *serve(void *argument)
{
    wpa_pool *pool = argument;
    lock(pool);
    while (!pool->is_over) {
        if (!do_something(pool)) {
            (void)pthread_cond_wait(&pool->changed, &pool->lock);
        }
    }
    unlock(pool);
    return NULL;
}

/** Those that cannot be started leave their work to the others. */
static void start_threads(wpa_pool *pool)
{
    while (pool->n_started + 1 < pool->n_max) {
        if (pthread_create(&pool->threads[pool->n_started], NULL, serve, pool) != 0) {
            pool->n_max = pool->n_started + 1;
            return;
        }
        pool->n_started++;
    }
}

/* ---- the pool ---------------------------------------------------------------------------------*/

wpa_pool *wpa_pool_new(size_t n_threads)
{
    wpa_pool *pool = wpa_alloc(sizeof *pool);
    (void)pthread_mutex_init(&pool->lock, NULL);
    (void)pthread_cond_init(&pool->changed, NULL);
    pool->n_max = n_threads ? n_threads : 1;
    pool->threads = wpa_alloc(pool->n_max * sizeof *pool->threads);
    pool->last = &pool->first;
    return pool;
}

void wpa_pool_free(wpa_pool *pool)
{
    if (!pool) {
        return;
    }
    lock(pool);
    while (run_waiting(pool)) {
    }
    pool->is_over = true;
    (void)pthread_cond_broadcast(&pool->changed);
    unlock(pool);
    for (size_t i = 0; i < pool->n_started; i++) {
        (void)pthread_join(pool->threads[i], NULL);
    }
    (void)pthread_cond_destroy(&pool->changed);
    (void)pthread_mutex_destroy(&pool->lock);
    wpa_free(pool->threads);
    wpa_free(pool);
}

void wpa_pool_submit(wpa_pool *pool, wpa_pool_task *task)
{
    lock(pool);
    *pool->last = task;
    pool->last = &task->next;
    pool->n_waiting++;
    start_threads(pool);
    (void)pthread_cond_broadcast(&pool->changed);
    size_t max_waiting = pool->n_started ? pool->n_started + WAITING_MORE : 0;
    while (pool->n_waiting > max_waiting && run_waiting(pool)) {
    }
    unlock(pool);
}

bool wpa_pool_is_done(wpa_pool *pool, const wpa_pool_task *task)
{
    lock(pool);
    bool is_done = task->is_done;
    unlock(pool);
    return is_done;
}

void wpa_pool_wait(wpa_pool *pool, const wpa_pool_task *task)
{
    lock(pool);
    while (!task->is_done) {
        if (!do_something(pool) && !task->is_done) {
            (void)pthread_cond_wait(&pool->changed, &pool->lock);
        }
    }
    unlock(pool);
}

static void open_share(wpa_pool *pool, share *s)
{
    lock(pool);
    start_threads(pool);
    s->beside = pool->shares;
    pool->shares = s;
    (void)pthread_cond_broadcast(&pool->changed);
    unlock(pool);
}

static void close_share(wpa_pool *pool, share *s)
{
    lock(pool);
    share **at = &pool->shares;
    while (*at != s) {
        at = &(*at)->beside;
    }
    *at = s->beside;
    while (s->n_helpers) {
        (void)pthread_cond_wait(&pool->changed, &pool->lock);
    }
    unlock(pool);
}

void wpa_pool_each(wpa_pool *pool, size_t n, void (*work)(void *context, size_t i), void *context)
{
    share s = {.work = work, .context = context, .n = n};
    bool is_shared = n > 1 && pool->n_max > 1;
    if (is_shared) {
        open_share(pool, &s);
    }
    work_through(&s);
    if (is_shared) {
        close_share(pool, &s);
    }
}
