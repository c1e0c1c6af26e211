#include "agent/engine.h"

#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <wpa/file.h>
#include <wpa/memory.h>
#include <wpa/text.h>

#include "agent/pool.h"
#include "auth/hash.h"
#include "auth/seal.h"
#include "gen/sql.h"

#define DEFAULT_WORKERS_MAX 8

/* ---- connections ------------------------------------------------------------------------------
 */

wpa_db *wpa_engine_connect(const wpa_engine *engine, const char *role, const char *application,
                           wpa_error *err)
{
    wpa_db_options options = {.application = application, .role = role};
    return wpa_db_open_with(engine->dsn, &options, err);
}

wpa_db *wpa_engine_connect_reader(const wpa_engine *engine, wpa_error *err)
{
    /* Our own server lets the role itself log in: such a connection cannot become more again. */
    wpa_db_options options = {.application = "wpa reader"};
    if (engine->embedded) {
        options.login = "wpa_viewer";
    } else {
        options.role = engine->viewer_role;
    }
    return wpa_db_open_with(engine->dsn, &options, err);
}

wpa_db *wpa_engine_connect_as(const wpa_engine *engine, const char *role, const char *application,
                              wpa_error *err)
{
    const char *const there[] = {engine->service_role, engine->agent_role, engine->viewer_role};
    for (size_t i = 0; i < WPA_COUNT(there); i++) {
        if (there[i] && wpa_text_is(there[i], role)) {
            return wpa_engine_connect(engine, role, application, err);
        }
    }
    return wpa_engine_connect(engine, NULL, application, err);
}

wpa_db *wpa_engine_take(wpa_engine *engine, wpa_error *err)
{
    wpa_db *db = NULL;
    (void)pthread_mutex_lock(&engine->pool_mutex);
    if (engine->n_idle > 0) {
        db = engine->idle[--engine->n_idle];
    }
    (void)pthread_mutex_unlock(&engine->pool_mutex);
    if (db) {
        wpa_db_adopt(db);
        wpa_db_look_alive(db);
        return db;
    }
    return engine->is_viewer ? wpa_engine_connect_reader(engine, err)
                             : wpa_engine_connect(engine, engine->service_role, "wpa", err);
}

void wpa_engine_give(wpa_engine *engine, wpa_db *db)
{
    if (!db) {
        return;
    }
    wpa_db_rollback(db);
    (void)pthread_mutex_lock(&engine->pool_mutex);
    if (engine->n_idle < WPA_ENGINE_POOL_MAX && !wpa_db_is_lost(db)) {
        engine->idle[engine->n_idle++] = db;
        db = NULL;
    }
    (void)pthread_mutex_unlock(&engine->pool_mutex);
    wpa_db_close(db);
}

/* ---- opening ----------------------------------------------------------------------------------
 */

typedef struct teller {
    void (*progress)(void *context, const char *step);
    void *context;
} teller;

static void tell(const teller *t, const char *step)
{
    if (t->progress) {
        t->progress(t->context, step);
    }
}

static void tell_embedded(void *context, wpa_embedded_step step)
{
    tell(context, wpa_embedded_step_text(step));
}

/* The only ones to use a database of our own are those of this account: they all find the key. For
   another it must be made (wpa keys codes), and given to all hosts that sign people in. */
static bool find_codes_key(wpa_engine *engine, const char *folder, bool is_made, wpa_error *err)
{
    engine->codes_key_path = wpa_path_join(engine->arena, folder, WPA_ENGINE_CODES_KEY_FILE);
    return !is_made || wpa_seal_make_key(engine->codes_key_path, err);
}

static bool find_database(wpa_engine *engine, const wpa_engine_options *options, teller *t,
                          wpa_error *err)
{
    if (options->dsn) {
        engine->dsn = wpa_arena_text(engine->arena, options->dsn);
        return !options->state_folder || find_codes_key(engine, options->state_folder, false, err);
    }
    const char *folder =
        options->state_folder ? options->state_folder : wpa_path_state(engine->arena, err);
    if (!folder || !find_codes_key(engine, folder, !options->is_viewer, err)) {
        return false;
    }
    wpa_embedded_options embedded = {
        .state_folder = folder, .progress = tell_embedded, .context = t, .log = options->log};
    engine->embedded = wpa_embedded_open(&embedded, err);
    if (!engine->embedded) {
        return false;
    }
    engine->dsn = wpa_embedded_dsn(engine->embedded);
    return true;
}

/** Where the roles could not be made, everything works as the owner: nobody should do so unawares.
 */
static bool find_roles(wpa_engine *engine, wpa_db *db, wpa_error *err)
{
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_AGENT_ROLES, NULL, 0, err);
    if (!rows) {
        return false;
    }
    engine->service_role = wpa_rows_bool(rows, 0, 0) ? "wpa_api" : NULL;
    engine->agent_role = wpa_rows_bool(rows, 0, 1) ? "wpa_agent" : NULL;
    engine->viewer_role = wpa_rows_bool(rows, 0, 2) ? "wpa_viewer" : NULL;
    if (!engine->service_role || !engine->agent_role || !engine->viewer_role) {
        wpa_log_write(engine->log, WPA_LOG_WARN, "database",
                      "'%s' may not become %s: whoever takes over a connection can do all that it "
                      "can; a database made by a user with CREATEROLE has roles with less",
                      wpa_rows_text(rows, 0, 3),
                      !engine->service_role ? "wpa_api"
                      : !engine->agent_role ? "wpa_agent"
                                            : "wpa_viewer");
    }
    return true;
}

static bool find_principal(wpa_engine *engine, wpa_db *db, wpa_error *err)
{
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_AGENT_PRINCIPAL, NULL, 0, err);
    if (!rows) {
        return false;
    }
    if (wpa_rows_count(rows) == 0) {
        return WPA_FAIL(err, WPA_E_REFUSED, "the principal 'engine' is not active");
    }
    engine->actor = (wpa_actor){.role = WPA_ROLE_AGENT, .principal_id = wpa_rows_int(rows, 0, 0)};
    (void)wpa_text_copy(engine->actor.name, sizeof engine->actor.name, wpa_rows_text(rows, 0, 1));
    (void)wpa_text_copy(engine->actor.address, sizeof engine->actor.address, engine->name);
    (void)wpa_text_copy(engine->actor.user_agent, sizeof engine->actor.user_agent,
                        "wpa/" WPA_VERSION);
    return true;
}

static bool prepare_database(wpa_engine *engine, teller *t, wpa_error *err)
{
    bool is_looking_only = engine->is_viewer && !engine->embedded;
    WPA_AUTO(wpa_db) *db = wpa_db_open(engine->dsn, "wpa start", err);
    if (!db) {
        return false;
    }
    tell(t, "bring the schema up to date");
    if (!is_looking_only && !wpa_db_migrate(db, engine->log, err)) {
        return false;
    }
    return find_roles(engine, db, err) && find_principal(engine, db, err);
}

static bool find_folders(wpa_engine *engine, const wpa_engine_options *options, wpa_error *err)
{
    engine->cache_folder = options->cache_folder
                               ? wpa_arena_text(engine->arena, options->cache_folder)
                               : wpa_path_cache(engine->arena, err);
    return engine->cache_folder && wpa_dir_make(engine->cache_folder, 0700, err);
}

static size_t count_workers(const wpa_engine_options *options)
{
    if (options->is_viewer) {
        return 0;
    }
    if (options->n_workers >= 0) {
        return options->n_workers < WPA_ENGINE_WORKERS_MAX ? (size_t)options->n_workers
                                                           : WPA_ENGINE_WORKERS_MAX;
    }
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores < 1 ? 1 : cores > DEFAULT_WORKERS_MAX ? DEFAULT_WORKERS_MAX : (size_t)cores;
}

static const char *host_name(wpa_arena *arena)
{
    char name[256] = "localhost";
    (void)gethostname(name, sizeof name - 1);
    return wpa_arena_text(arena, name);
}

static wpa_engine *make(const wpa_engine_options *options)
{
    wpa_engine *engine = wpa_alloc(sizeof *engine);
    engine->arena = wpa_arena_new();
    engine->log = options->log;
    engine->is_viewer = options->is_viewer;
    engine->name =
        options->name ? wpa_arena_text(engine->arena, options->name) : host_name(engine->arena);
    engine->keeper_fd = -1;
    engine->courier_fd = -1;
    wpa_uuid_new(engine->agent_id);
    (void)pthread_mutex_init(&engine->pool_mutex, NULL);
    (void)pthread_mutex_init(&engine->wake_mutex, NULL);
    pthread_condattr_t attributes;
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&engine->wake, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    return engine;
}

static bool start_work(wpa_engine *engine, wpa_error *err)
{
    if (engine->n_workers == 0) {
        return true;
    }
    engine->heart =
        wpa_heart_start(engine->dsn, engine->agent_role, engine->n_workers, engine->log, err);
    return engine->heart && wpa_workers_start(engine, err) && wpa_keeper_start(engine, err) &&
           wpa_couriers_start(engine, err);
}

wpa_engine *wpa_engine_open(const wpa_engine_options *options, wpa_error *err)
{
    teller t = {options->progress, options->context};
    WPA_AUTO(wpa_engine) *engine = make(options);
    engine->n_workers = count_workers(options);
    if (!find_folders(engine, options, err) || !find_database(engine, options, &t, err) ||
        !prepare_database(engine, &t, err)) {
        return NULL;
    }
    tell(&t, "start the engine");
    if (!start_work(engine, err)) {
        return NULL;
    }
    return WPA_STEAL(engine);
}

void wpa_engine_drain(wpa_engine *engine)
{
    atomic_store(&engine->is_draining, true);
    if (engine->heart) {
        wpa_heart_drain(engine->heart);
    }
    wpa_engine_wake(engine);
}

void wpa_engine_close(wpa_engine *engine)
{
    if (!engine) {
        return;
    }
    wpa_engine_drain(engine);
    wpa_couriers_stop(engine);
    wpa_workers_stop(engine);
    wpa_keeper_stop(engine);
    wpa_heart_stop(engine->heart);
    for (size_t i = 0; i < engine->n_idle; i++) {
        wpa_db_adopt(engine->idle[i]);
        wpa_db_close(engine->idle[i]);
    }
    if (engine->embedded) {
        wpa_embedded_close(engine->embedded);
    }
    (void)pthread_mutex_destroy(&engine->pool_mutex);
    (void)pthread_mutex_destroy(&engine->wake_mutex);
    (void)pthread_cond_destroy(&engine->wake);
    wpa_arena_free(engine->arena);
    wpa_free(engine);
}

const char *wpa_engine_dsn(const wpa_engine *engine)
{
    return engine->dsn;
}

const char *wpa_engine_codes_key(const wpa_engine *engine)
{
    return engine->codes_key_path;
}

const wpa_actor *wpa_engine_actor(const wpa_engine *engine)
{
    return &engine->actor;
}

bool wpa_engine_is_embedded(const wpa_engine *engine)
{
    return engine->embedded != NULL;
}
