/*
 * The fleet: which repositories there are, what was declared about them (fleet.yml), and which
 * workflows stand at the heads of their branches.
 */
#pragma once

#include <wpa/actor.h>

#include "db/db.h"

/*
 * A repository as declared. The members called json are canonical JSON texts, checked (fields:
 * declare.c):
 *
 * test      {} or {"command":["sh","t.sh"],"timeout_ms":60000,"network":false,"env":{},"reports":
 *           {"junit":"r.xml","tap":"-","lcov":"l.info","cobertura":"c.xml"}}; "-" is the output
 * checks    [{"name":"up","kind":"http","interval":"2000ms",...}], each as wpa_probe_check_parse
 *           takes it
 * rollout   {"strategy","bake_ms","max_parallel","checks":["name"],...}, every default filled in
 */
typedef struct wpa_repository {
    int64_t id;
    const char *name;
    const char *url; /* absolute path, or any URL */
    const char *branch;
    const char *owner;
    int64_t criticality; /* 1 to 3 */
    const char *labels_json;
    const char *test_json;
    const char *checks_json;
    const char *rollout_json;
    const char *integration_json;
    const char *state; /* "new", "ok", "error", "removed" */
    const char *error; /* NULL unless state is "error" */
    const char *head;  /* commit of the last scan, or NULL */
    int64_t scanned_at_us;
    int64_t n_workflows;
} wpa_repository;

typedef struct wpa_repositories {
    wpa_repository *items;
    size_t n;
    size_t capacity;
} wpa_repositories;

/** A declaration with nothing but defaults, as `wpa fleet add URL` makes it; name may be NULL. */
bool wpa_fleet_declare(const char *name, const char *url, const char *branch, wpa_arena *arena,
                       wpa_repository *repository, wpa_error *err) WPA_CHECK;
/**
 * Read a fleet.yml. Relative paths in it count from its folder.
 *
 * Errors    INVALID "fleet.yml:12:9: repositories[2].branch: expected text, got a list"; NOT_FOUND,
 *           LIMIT, IO.
 */
bool wpa_fleet_read(const char *path, wpa_arena *arena, wpa_repositories *all,
                    wpa_error *err) WPA_CHECK;

/**
 * Add a repository and order its first scan.
 *
 * Errors    CONFLICT (the name is taken), DENIED, and the database's.
 */
bool wpa_fleet_add(wpa_db *db, const wpa_actor *actor, const wpa_repository *repository,
                   int64_t *id, wpa_error *err) WPA_CHECK;

typedef struct wpa_fleet_import {
    size_t n_added;
    size_t n_changed;
    size_t n_unchanged;
} wpa_fleet_import;

/** Add or change all of them, or none; scans are ordered for all. Removes nothing. */
bool wpa_fleet_store(wpa_db *db, const wpa_actor *actor, const wpa_repositories *all,
                     wpa_fleet_import *result, wpa_error *err) WPA_CHECK;
/**
 * Take a repository out of the fleet; its history stays.
 *
 * Errors    NOT_FOUND, REFUSED (a live deployment has it as target), DENIED.
 */
bool wpa_fleet_remove(wpa_db *db, const wpa_actor *actor, const char *name,
                      wpa_error *err) WPA_CHECK;
/** All that are not removed, by name. */
bool wpa_fleet_list(wpa_db *db, wpa_arena *arena, wpa_repositories *all, wpa_error *err) WPA_CHECK;
/** By name or id ("ledger-api", "4"). Errors NOT_FOUND. */
bool wpa_fleet_find(wpa_db *db, const char *name, wpa_arena *arena, wpa_repository *repository,
                    wpa_error *err) WPA_CHECK;
bool wpa_fleet_get(wpa_db *db, int64_t id, wpa_arena *arena, wpa_repository *repository,
                   wpa_error *err) WPA_CHECK;
/** Order a scan of one (by name), or with NULL of all; *n is how many. */
bool wpa_fleet_order_scan(wpa_db *db, const wpa_actor *actor, const char *name, size_t *n,
                          wpa_error *err) WPA_CHECK;
/** The same for one by its id and name, in the caller's transaction. */
bool wpa_fleet_queue_scan(wpa_db *db, const wpa_actor *actor, int64_t id, const char *name,
                          wpa_error *err) WPA_CHECK;

typedef struct wpa_workflow_ref {
    int64_t id;
    int64_t repository_id;
    const char *name;       /* "ledger-api-ci" */
    const char *slash_name; /* "ledger-api/ci.yml" */
    const char *path;
    const char *kind; /* "workflow", "action", "dependabot" */
    const char *blob;
    const char *head;
} wpa_workflow_ref;

/**
 * A workflow by "ledger-api-ci", "ledger-api/ci.yml", "w-88" or "88".
 *
 * Errors    NOT_FOUND; REFUSED: the name fits more than one; the message lists their slash forms.
 */
bool wpa_fleet_find_workflow(wpa_db *db, const char *name, wpa_arena *arena,
                             wpa_workflow_ref *workflow, wpa_error *err) WPA_CHECK;
