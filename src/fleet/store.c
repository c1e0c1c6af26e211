/* The fleet in the database. */
#include <string.h>

#include <wpa/text.h>

#include "auth/hash.h"
#include "fleet/fleet.h"
#include "gen/sql.h"
#include "job/job.h"

bool wpa_fleet_queue_scan(wpa_db *db, const wpa_actor *actor, int64_t id, const char *name,
                          wpa_error *err)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const wpa_job_spec spec = {
        .kind = "scan",
        .subject = wpa_arena_printf(arena, "repository:%lld", (long long)id),
        .label = wpa_arena_printf(arena, "scan %s", name),
        .priority = 50,
        .requested_by = actor->principal_id,
    };
    return wpa_job_enqueue(db, &spec, NULL, err);
}

static wpa_rows *put(wpa_db *db, const wpa_sql *statement, const wpa_actor *actor,
                     const wpa_repository *repository, wpa_error *err)
{
    char criticality[WPA_DB_NUMBER_SIZE];
    char principal[WPA_DB_NUMBER_SIZE];
    const char *params[] = {
        repository->name,
        repository->url,
        repository->branch,
        repository->owner,
        repository->labels_json,
        wpa_db_number(repository->criticality, criticality),
        repository->test_json,
        repository->integration_json,
        repository->checks_json,
        repository->rollout_json,
        wpa_db_number(actor->principal_id, principal),
    };
    return wpa_db_exec(db, statement, params, WPA_COUNT(params), err);
}

static bool add_one(wpa_db *db, const wpa_actor *actor, const wpa_repository *repository,
                    int64_t *id, wpa_error *err)
{
    WPA_AUTO(wpa_rows) *rows = put(db, WPA_SQL_FLEET_ADD, actor, repository, err);
    if (rows == NULL) {
        return false;
    }
    if (wpa_rows_count(rows) == 0) {
        return WPA_FAIL(err, WPA_E_CONFLICT,
                        "a repository named '%s' is in the fleet already (choose another --name)",
                        repository->name);
    }
    *id = wpa_rows_int(rows, 0, 0);
    return wpa_fleet_queue_scan(db, actor, *id, repository->name, err);
}

bool wpa_fleet_add(wpa_db *db, const wpa_actor *actor, const wpa_repository *repository,
                   int64_t *id, wpa_error *err)
{
    if (!wpa_actor_check(actor, WPA_ACTION_CHANGE_FLEET, err) || !wpa_db_begin(db, actor, err)) {
        return false;
    }
    if (!add_one(db, actor, repository, id, err)) {
        wpa_db_rollback(db);
        return wpa_error_within(err, "add repository");
    }
    return wpa_db_commit(db, err);
}

static bool store_one(wpa_db *db, const wpa_actor *actor, const wpa_repository *repository,
                      wpa_fleet_import *result, wpa_error *err)
{
    WPA_AUTO(wpa_rows) *rows = put(db, WPA_SQL_FLEET_STORE, actor, repository, err);
    if (rows == NULL) {
        return false;
    }
    int64_t id = 0;
    if (wpa_rows_count(rows) > 0) {
        id = wpa_rows_int(rows, 0, 0);
        *(wpa_rows_bool(rows, 0, 1) ? &result->n_added : &result->n_changed) += 1;
    } else {
        const char *params[] = {repository->name};
        WPA_AUTO(wpa_rows) *found = wpa_db_exec(db, WPA_SQL_FLEET_ID, params, 1, err);
        if (found == NULL) {
            return false;
        }
        result->n_unchanged++;
        id = wpa_rows_count(found) > 0 ? wpa_rows_int(found, 0, 0) : 0;
    }
    return id == 0 || wpa_fleet_queue_scan(db, actor, id, repository->name, err);
}

bool wpa_fleet_store(wpa_db *db, const wpa_actor *actor, const wpa_repositories *all,
                     wpa_fleet_import *result, wpa_error *err)
{
    *result = (wpa_fleet_import){0};
    if (!wpa_actor_check(actor, WPA_ACTION_CHANGE_FLEET, err) || !wpa_db_begin(db, actor, err)) {
        return false;
    }
    for (size_t i = 0; i < all->n; i++) {
        if (!store_one(db, actor, &all->items[i], result, err)) {
            wpa_db_rollback(db);
            return wpa_error_within(err, "import repository '%s'", all->items[i].name);
        }
    }
    return wpa_db_commit(db, err);
}

bool wpa_fleet_remove(wpa_db *db, const wpa_actor *actor, const char *name, wpa_error *err)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_repository repository;
    if (!wpa_actor_check(actor, WPA_ACTION_CHANGE_FLEET, err) ||
        !wpa_fleet_find(db, name, arena, &repository, err) || !wpa_db_begin(db, actor, err)) {
        return false;
    }
    char id[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(repository.id, id), "{}"};
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_FLEET_REMOVE, params, 1, err);
    if (rows != NULL && wpa_rows_count(rows) == 0) {
        wpa_db_rollback(db);
        return WPA_FAIL(err, WPA_E_REFUSED,
                        "'%s' is the target of a live deployment; wait for its end", name);
    }
    if (rows == NULL || !wpa_db_run(db, WPA_SQL_FLEET_GONE, params, 2, err)) {
        wpa_db_rollback(db);
        return wpa_error_within(err, "remove '%s'", name);
    }
    return wpa_db_commit(db, err);
}

static void read_row(const wpa_rows *rows, size_t row, wpa_arena *arena, wpa_repository *to)
{
    *to = (wpa_repository){
        .id = wpa_rows_int(rows, row, 0),
        .name = wpa_rows_dup(rows, row, 1, arena),
        .url = wpa_rows_dup(rows, row, 2, arena),
        .branch = wpa_rows_dup(rows, row, 3, arena),
        .owner = wpa_rows_dup(rows, row, 4, arena),
        .criticality = wpa_rows_int(rows, row, 5),
        .labels_json = wpa_rows_dup(rows, row, 6, arena),
        .test_json = wpa_rows_length(rows, row, 7) > 0 ? wpa_rows_dup(rows, row, 7, arena) : "{}",
        .checks_json = wpa_rows_dup(rows, row, 8, arena),
        .rollout_json = wpa_rows_dup(rows, row, 9, arena),
        .integration_json = wpa_rows_dup(rows, row, 10, arena),
        .state = wpa_rows_dup(rows, row, 11, arena),
        .error = wpa_rows_dup(rows, row, 12, arena),
        .head = wpa_rows_dup(rows, row, 13, arena),
        .scanned_at_us = wpa_rows_time_us(rows, row, 14),
        .n_workflows = wpa_rows_int(rows, row, 15),
    };
}

bool wpa_fleet_list(wpa_db *db, wpa_arena *arena, wpa_repositories *all, wpa_error *err)
{
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_FLEET_LIST, NULL, 0, err);
    if (rows == NULL) {
        return false;
    }
    *all = (wpa_repositories){.n = wpa_rows_count(rows), .capacity = wpa_rows_count(rows)};
    all->items = wpa_arena_array(arena, all->n + 1, sizeof *all->items);
    for (size_t i = 0; i < all->n; i++) {
        read_row(rows, i, arena, &all->items[i]);
    }
    return true;
}

/* "88" or, with its letter, "w-88"; 0 for anything else. */
static int64_t short_id(const char *text, const char *letter)
{
    int64_t id = 0;
    const char *digits = wpa_text_starts(text, letter) ? text + 2 : text;
    return wpa_text_to_int(digits, 1, INT64_MAX, &id) ? id : 0;
}

static const char *uid_of(const char *text)
{
    return wpa_uuid_is_valid(text) ? text : NULL;
}

bool wpa_fleet_find(wpa_db *db, const char *name, wpa_arena *arena, wpa_repository *repository,
                    wpa_error *err)
{
    char number[WPA_DB_NUMBER_SIZE];
    const char *params[] = {name, wpa_db_number(short_id(name, "r-"), number), uid_of(name)};
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_FLEET_FIND, params, WPA_COUNT(params), err);
    if (rows == NULL) {
        return false;
    }
    if (wpa_rows_count(rows) == 0) {
        return WPA_FAIL(err, WPA_E_NOT_FOUND, "no repository '%s' in the fleet (wpa fleet list)",
                        name);
    }
    read_row(rows, 0, arena, repository);
    return true;
}

bool wpa_fleet_get(wpa_db *db, int64_t id, wpa_arena *arena, wpa_repository *repository,
                   wpa_error *err)
{
    char number[WPA_DB_NUMBER_SIZE];
    const char *params[] = {wpa_db_number(id, number)};
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_FLEET_GET, params, 1, err);
    if (rows == NULL) {
        return false;
    }
    if (wpa_rows_count(rows) == 0) {
        return WPA_FAIL(err, WPA_E_NOT_FOUND, "no repository with number %lld", (long long)id);
    }
    read_row(rows, 0, arena, repository);
    return true;
}

bool wpa_fleet_order_scan(wpa_db *db, const wpa_actor *actor, const char *name, size_t *n,
                          wpa_error *err)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_repositories all = {0};
    wpa_repository one;
    *n = 0;
    if (!wpa_actor_check(actor, WPA_ACTION_SCAN_FLEET, err)) {
        return false;
    }
    if (name != NULL) {
        if (!wpa_fleet_find(db, name, arena, &one, err)) {
            return false;
        }
        all = (wpa_repositories){.items = &one, .n = 1};
    } else if (!wpa_fleet_list(db, arena, &all, err)) {
        return false;
    }
    if (!wpa_db_begin(db, actor, err)) {
        return false;
    }
    for (size_t i = 0; i < all.n; i++) {
        if (!wpa_fleet_queue_scan(db, actor, all.items[i].id, all.items[i].name, err)) {
            wpa_db_rollback(db);
            return false;
        }
    }
    *n = all.n;
    return wpa_db_commit(db, err);
}

static bool say_ambiguous(const char *name, const wpa_rows *rows, wpa_error *err)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const char *list = "";
    for (size_t i = 0; i < wpa_rows_count(rows); i++) {
        list =
            wpa_arena_printf(arena, "%s%s%s", list, i > 0 ? " or " : "", wpa_rows_text(rows, i, 3));
    }
    return WPA_FAIL(err, WPA_E_REFUSED, "'%s' fits more than one workflow: say %s", name, list);
}

bool wpa_fleet_find_workflow(wpa_db *db, const char *name, wpa_arena *arena,
                             wpa_workflow_ref *workflow, wpa_error *err)
{
    char number[WPA_DB_NUMBER_SIZE];
    const char *params[] = {name, wpa_db_number(short_id(name, "w-"), number), uid_of(name)};
    WPA_AUTO(wpa_rows) *rows =
        wpa_db_exec(db, WPA_SQL_FLEET_WORKFLOW_FIND, params, WPA_COUNT(params), err);
    if (rows == NULL) {
        return false;
    }
    if (wpa_rows_count(rows) == 0) {
        return WPA_FAIL(err, WPA_E_NOT_FOUND,
                        "no workflow '%s' in the fleet (names are like ledger-api-ci or "
                        "ledger-api/ci.yml)",
                        name);
    }
    if (wpa_rows_count(rows) > 1) {
        return say_ambiguous(name, rows, err);
    }
    *workflow = (wpa_workflow_ref){
        .id = wpa_rows_int(rows, 0, 0),
        .repository_id = wpa_rows_int(rows, 0, 1),
        .name = wpa_rows_dup(rows, 0, 2, arena),
        .slash_name = wpa_rows_dup(rows, 0, 3, arena),
        .path = wpa_rows_dup(rows, 0, 4, arena),
        .kind = wpa_rows_dup(rows, 0, 5, arena),
        .blob = wpa_rows_dup(rows, 0, 6, arena),
        .head = wpa_rows_dup(rows, 0, 7, arena),
    };
    return true;
}
