/* Workers, each with a connection for looking; and the watcher, who waits for the database and the
   clock. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <microhttpd.h>

#include <wpa/clock.h>
#include <wpa/memory.h>
#include <wpa/text.h>

#include "api/events.h"
#include "api/server.h"
#include "api/warm.h"
#include "core/heap.h"
#include "gen/calls_microhttpd.h"
#include "gen/sql.h"

#define TICK_MS 250
#define RECONNECT_MS 1000
#define TRIM_MS 60000
#define NO_CONNECTION UINT64_MAX
#define CALLERS_MS 3000 /* how long a stream may outlast its caller's token */

/* ---- the queue ----------------------------------------------------------------------------------
 */

/** Under the mutex. */
static void append(wpa_api_call *call)
{
    wpa_api *api = call->api;
    call->next = NULL;
    atomic_store(&call->state, WPA_CALL_WORKING);
    *(api->last ? &api->last->next : &api->first) = call;
    api->last = call;
}

bool wpa_api_enqueue(wpa_api_call *call)
{
    wpa_api *api = call->api;
    pthread_mutex_lock(&api->mutex);
    bool is_taken = !api->is_closed;
    if (is_taken) {
        append(call);
    }
    pthread_mutex_unlock(&api->mutex);
    pthread_cond_signal(&api->work); /* whom it wakes finds the mutex free */
    return is_taken;
}

static wpa_api_call *take(wpa_api *api)
{
    pthread_mutex_lock(&api->mutex);
    while (!api->first && !api->is_closed) {
        pthread_cond_wait(&api->work, &api->mutex);
    }
    wpa_api_call *call = api->first;
    if (call) {
        api->first = call->next;
        api->last = api->first ? api->last : NULL;
        api->n_working++;
    }
    pthread_mutex_unlock(&api->mutex);
    return call;
}

void wpa_api_count(wpa_api_call *call)
{
    unsigned digit = (unsigned)call->request.status / 100;
    atomic_fetch_add(&call->api->n_requests[digit < 6 ? digit : 0], 1);
    atomic_fetch_add(&call->api->n_held_off, call->request.status == 429);
}

void wpa_api_finish(wpa_api_call *call)
{
    wpa_api_count(call);
    struct MHD_Connection *connection = call->connection;
    atomic_store(&call->state, WPA_CALL_DONE);
    MHD_resume_connection(connection); /* from here on the call may be gone */
}

static void park(wpa_api_call *call)
{
    wpa_api *api = call->api;
    call->deadline_ms = call->started_ms + call->request.wait_ms;
    pthread_mutex_lock(&api->mutex);
    if (atomic_load(&api->is_stopping)) { /* the watcher may have gone: whoever parks it goes on */
        call->request.is_woken = true;
        call->request.has_job_ended = false;
        append(call);
    } else {
        call->next = api->parked;
        api->parked = call;
    }
    pthread_mutex_unlock(&api->mutex);
    (void)eventfd_write(api->watcher_fd, 1); /* it may have ended meanwhile */
}

static void do_call(wpa_api_call *call, wpa_db *db)
{
    wpa_api *api = call->api;
    wpa_api_serve(call, db);
    wpa_call_state state = atomic_load(&call->state);
    if (state == WPA_CALL_PARKED) {
        park(call);
    } else if (state == WPA_CALL_STREAMING) {
        MHD_resume_connection(call->connection);
    } else {
        wpa_api_finish(call);
    }
    pthread_mutex_lock(&api->mutex);
    api->n_working--;
    pthread_mutex_unlock(&api->mutex);
}

static wpa_db *connect_warm(wpa_api *api)
{
    wpa_error ignored = {0}; /* tried again at the first call */
    wpa_db *db = wpa_engine_connect_reader(api->engine, &ignored);
    if (db) {
        wpa_api_warm(db);
    }
    pthread_mutex_lock(&api->mutex);
    api->n_ready++;
    pthread_cond_broadcast(&api->ready);
    pthread_mutex_unlock(&api->mutex);
    return db;
}

void *wpa_api_work(void *argument)
{
    wpa_api *api = argument;
    wpa_db *db = connect_warm(api);
    wpa_api_call *call;
    while ((call = take(api))) {
        wpa_error err = {0};
        db = db ? db : wpa_engine_connect_reader(api->engine, &err);
        if (db) {
            wpa_db_look_alive(db);
        }
        do_call(call, db); /* without a database too: some answers need none */
        if (db && wpa_db_is_lost(db)) {
            wpa_db_close(db);
            db = NULL;
        }
    }
    wpa_db_close(db);
    return NULL;
}

/* ---- parked calls -------------------------------------------------------------------------------
 */

#define PARKED_MAX 1024

/** Ids of the jobs that are waited for, without repeats worth caring for. */
static size_t list_jobs(wpa_api *api, int64_t ids[PARKED_MAX])
{
    size_t n = 0;
    pthread_mutex_lock(&api->mutex);
    for (const wpa_api_call *call = api->parked; call && n < PARKED_MAX; call = call->next) {
        ids[n++] = call->request.job_id;
    }
    pthread_mutex_unlock(&api->mutex);
    return n;
}

static bool is_among(int64_t id, const wpa_rows *ended)
{
    for (size_t i = 0; ended && i < wpa_rows_count(ended); i++) {
        if (wpa_rows_int(ended, i, 0) == id) {
            return true;
        }
    }
    return false;
}

/** Back to the workers with whatever has ended, or has waited long enough. */
static void wake_parked(wpa_api *api, const wpa_rows *ended, bool are_all)
{
    int64_t now_ms = wpa_monotonic_ms();
    bool is_any = false;
    pthread_mutex_lock(&api->mutex);
    for (wpa_api_call **at = &api->parked; *at;) {
        wpa_api_call *call = *at;
        call->request.has_job_ended = is_among(call->request.job_id, ended);
        if (are_all || call->request.has_job_ended || now_ms >= call->deadline_ms) {
            *at = call->next;
            call->request.is_woken = true;
            append(call);
            is_any = true;
        } else {
            at = &call->next;
        }
    }
    pthread_mutex_unlock(&api->mutex);
    if (is_any) {
        pthread_cond_broadcast(&api->work);
    }
}

static void look_at_jobs(wpa_api *api, wpa_db *db)
{
    int64_t ids[PARKED_MAX];
    size_t n = list_jobs(api, ids);
    if (n == 0) {
        return;
    }
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_error err = {0};
    const char *params[] = {wpa_db_array_int(arena, ids, n)};
    WPA_AUTO(wpa_rows) *ended =
        db ? wpa_db_exec(db, WPA_SQL_API_JOBS_ENDED, params, WPA_COUNT(params), &err) : NULL;
    wake_parked(api, ended, false);
}

/* ---- slow peers ---------------------------------------------------------------------------------
 */

/** A request must be there in time, or its connection ends: a byte a second holds nothing. */
static void end_slow_peers(wpa_api *api)
{
    int64_t before = wpa_monotonic_ms() - wpa_api_request_ms(api);
    pthread_mutex_lock(&api->mutex);
    for (wpa_api_peer *peer = api->peers; peer; peer = peer->next) {
        int64_t since_ms = atomic_load(&peer->reading_since_ms);
        if (since_ms && since_ms < before) {
            (void)shutdown(peer->fd, SHUT_RDWR); /* the library closes it */
            atomic_store(&peer->reading_since_ms, 0);
        }
    }
    pthread_mutex_unlock(&api->mutex);
}

/* ---- the watcher --------------------------------------------------------------------------------
 */

static wpa_db *connect_watcher(wpa_api *api)
{
    wpa_error err = {0};
    wpa_db *db = wpa_engine_connect_reader(api->engine, &err);
    if (db && !wpa_db_listen(db, WPA_SQL_DB_LISTEN_CHANGE, &err)) {
        wpa_db_close(db);
        db = NULL;
    }
    return db;
}

static void wait_for_news(wpa_api *api, wpa_db *db)
{
    wpa_error err = {0};
    struct pollfd told = {.fd = api->watcher_fd, .events = POLLIN};
    eventfd_t count;
    if (!db || !wpa_db_wait(db, api->watcher_fd, TICK_MS, &err)) {
        (void)poll(&told, 1, TICK_MS);
    }
    (void)eventfd_read(api->watcher_fd, &count);
}

static void tell_news(wpa_api *api, wpa_db *db)
{
    size_t n;
    do {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        const char *payloads[WPA_API_NEWS_MAX];
        wpa_db_note note;
        for (n = 0; n < WPA_API_NEWS_MAX && db && wpa_db_note_next(db, &note); n++) {
            payloads[n] = wpa_arena_text(arena, note.payload);
        }
        wpa_api_news_tell(api, db, payloads, n);
    } while (n == WPA_API_NEWS_MAX);
}

/** News may have been missed: a lost connection is made anew by whichever query comes next. */
static void tell_if_anew(wpa_api *api, const wpa_db *db, uint64_t *told)
{
    if (db && wpa_db_generation(db) != *told) { /* not while it is away */
        *told = wpa_db_generation(db);
        wpa_api_streams_tell(api, "reset", "{}");
    }
}

void *wpa_api_watch(void *argument)
{
    wpa_api *api = argument;
    wpa_db *db = NULL;
    uint64_t told = NO_CONNECTION;
    int64_t next_try_ms = 0, next_check_ms = 0, next_trim_ms = wpa_monotonic_ms() + TRIM_MS;
    while (!atomic_load(&api->is_stopping)) {
        if (!db && wpa_monotonic_ms() >= next_try_ms) {
            db = connect_watcher(api);
            next_try_ms = wpa_monotonic_ms() + RECONNECT_MS;
        }
        tell_if_anew(api, db, &told);
        wait_for_news(api, db);
        tell_news(api, db);
        look_at_jobs(api, db);
        end_slow_peers(api);
        if (wpa_monotonic_ms() >= next_check_ms) {
            wpa_api_streams_check(api, db);
            next_check_ms = wpa_monotonic_ms() + CALLERS_MS;
        }
        wpa_api_streams_beat(api);
        if (wpa_monotonic_ms() >= next_trim_ms) {
            wpa_heap_trim();
            next_trim_ms = wpa_monotonic_ms() + TRIM_MS;
        }
        if (db && wpa_db_is_lost(db)) {
            wpa_db_close(db);
            db = NULL;
            told = NO_CONNECTION;
        }
    }
    wake_parked(api, NULL, true);
    wpa_db_close(db);
    return NULL;
}
