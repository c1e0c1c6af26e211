/* The engine's couriers: threads that deliver notices, each with a connection of its own. */
#include <sys/eventfd.h>
#include <unistd.h>

#include <wpa/clock.h>

#include "agent/engine.h"
#include "auth/hash.h"
#include "gen/sql.h"
#include "notify/notify.h"

#define POLL_MS 5000
#define RETRY_MS 1000
#define CLEAN_MS 600000

static bool is_stopped(void *context)
{
    const wpa_engine *engine = context;
    return atomic_load(&engine->is_draining);
}

/** All that is due; then until something is, or somebody says so. */
static bool turn(wpa_engine *engine, wpa_courier *courier, wpa_error *err)
{
    bool did_one = true;
    int64_t wait_ms = 0;
    wpa_db_note note;
    while (did_one && !is_stopped(engine)) {
        if (!wpa_courier_work(courier, &did_one, err)) {
            return false;
        }
    }
    if (!wpa_courier_idle_ms(courier, POLL_MS, &wait_ms, err)) {
        return false;
    }
    wait_ms = wait_ms * (80 + wpa_random_below(41)) / 100 + 1;
    if (!is_stopped(engine) && !wpa_db_note_next(courier->db, &note) &&
        !wpa_db_wait(courier->db, engine->courier_fd, (int)wait_ms, err)) {
        return false;
    }
    while (wpa_db_note_next(courier->db, &note)) {
    }
    return true;
}

static void *carry(void *argument)
{
    wpa_engine *engine = argument;
    wpa_courier courier = {
        .actor = &engine->actor, .log = engine->log, .is_stopped = is_stopped, .context = engine};
    int64_t next_clean_ms = wpa_monotonic_ms() + CLEAN_MS;
    bool was_good = true;
    while (!is_stopped(engine)) {
        wpa_error err = {0};
        if (!courier.db) {
            courier.db = wpa_engine_connect(engine, engine->agent_role, "wpa courier", &err);
        }
        bool is_good = courier.db && wpa_db_listen(courier.db, WPA_SQL_NOTIFY_LISTEN, &err) &&
                       turn(engine, &courier, &err);
        if (is_good && wpa_monotonic_ms() >= next_clean_ms) {
            next_clean_ms = wpa_monotonic_ms() + CLEAN_MS;
            is_good = wpa_courier_clean(&courier, &err);
        }
        if (!is_good && was_good) {
            wpa_log_error(engine->log, "notify", &err);
        }
        was_good = is_good;
        if (!is_good && !is_stopped(engine)) {
            wpa_sleep_ms(RETRY_MS);
        }
    }
    wpa_db_close(courier.db);
    return NULL;
}

bool wpa_couriers_start(wpa_engine *engine, wpa_error *err)
{
    engine->courier_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (engine->courier_fd < 0) {
        return WPA_FAIL(err, WPA_E_INTERNAL, "cannot start a courier");
    }
    for (; engine->n_couriers < WPA_ENGINE_COURIERS; engine->n_couriers++) {
        if (pthread_create(&engine->couriers[engine->n_couriers], NULL, carry, engine) != 0) {
            return WPA_FAIL(err, WPA_E_INTERNAL, "cannot start a courier");
        }
    }
    return true;
}

void wpa_couriers_stop(wpa_engine *engine)
{
    if (engine->courier_fd >= 0) {
        (void)eventfd_write(engine->courier_fd, 1); /* stays readable: it wakes all of them */
    }
    for (size_t i = 0; i < engine->n_couriers; i++) {
        (void)pthread_join(engine->couriers[i], NULL);
    }
    engine->n_couriers = 0;
    if (engine->courier_fd >= 0) {
        (void)close(engine->courier_fd);
        engine->courier_fd = -1;
    }
}
