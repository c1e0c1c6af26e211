/*
 * Notices out, webhooks in. Rows of wpa.destination say where notices go; triggers fill wpa.outbox
 * in the transaction of whatever is told (0017_notices_out.sql); couriers take what is due, deliver
 * it by its channel and write down what came of it. What was taken and not marked is taken again:
 * every delivery arrives at least once, always under the same id.
 */
#pragma once

#include <wpa/actor.h>
#include <wpa/log.h>

#include "db/db.h"
#include "job/job.h"
#include "json/json.h"

/* ---- channels and destinations ------------------------------------------------------------------
 */

typedef enum wpa_notify_type {
    WPA_NOTIFY_URL,
    WPA_NOTIFY_TEXT,   /* one line */
    WPA_NOTIFY_MAIL,   /* mail address */
    WPA_NOTIFY_MAILS,  /* list of them */
    WPA_NOTIFY_ARGV,   /* list of words, the first an absolute path */
    WPA_NOTIFY_LABELS, /* map of names to texts */
    WPA_NOTIFY_FILE,   /* absolute path */
    WPA_NOTIFY_BOOL
} wpa_notify_type;

typedef struct wpa_notify_setting {
    const char *name;
    wpa_notify_type type;
    bool is_required;
    const char *words; /* for people, lower case, no full stop */
} wpa_notify_setting;

typedef struct wpa_notify_channel {
    const char *name;
    const char *words;  /* what it is, for help */
    const char *secret; /* what its secret is; NULL: it has none */
    const wpa_notify_setting *settings;
    size_t n_settings;
} wpa_notify_channel;

/** All channels; NULL behind the last one. */
const wpa_notify_channel *wpa_notify_channel_at(size_t i);
/** Errors INVALID, naming all. */
const wpa_notify_channel *wpa_notify_channel_find(const char *name, wpa_error *err);

typedef enum wpa_notify_from {
    WPA_NOTIFY_FROM_TERMINAL,
    WPA_NOTIFY_FROM_AFAR,
} wpa_notify_from;

/**
 * Take a destination in, or change one, as JSON: name, channel, settings, secret, events,
 * min_severity, repositories, timeout_ms, max_tries, private_addresses, is_enabled. What is left
 * out keeps its value, or gets its default.
 *
 * secret    a reference: "env:WPA_SECRET_NAME" or "file:/etc/wpa/secrets/NAME", read by whoever
 *           delivers.
 * version   the one to be changed; -1: any.
 * from      who may say what a command runs: a person at a terminal, not whoever calls with a
 *           token that may have been caught.
 *
 * Errors    INVALID (names the field), CONFLICT (name taken, version), NOT_FOUND, DENIED (role, a
 *           command from afar).
 */
bool wpa_notify_add(wpa_db *db, const wpa_actor *actor, wpa_notify_from from, const wpa_json *given,
                    wpa_arena *arena, int64_t *id, wpa_error *err) WPA_CHECK;
bool wpa_notify_change(wpa_db *db, const wpa_actor *actor, wpa_notify_from from, int64_t id,
                       int64_t version, const wpa_json *given, wpa_arena *arena,
                       wpa_error *err) WPA_CHECK;
/** What waits for it is cancelled; its history stays. Errors NOT_FOUND, DENIED. */
bool wpa_notify_remove(wpa_db *db, const wpa_actor *actor, int64_t id, wpa_error *err) WPA_CHECK;
/** By name (case does not matter) or "o-3". Errors NOT_FOUND. */
bool wpa_notify_find(wpa_db *db, const char *name, int64_t *id, wpa_error *err) WPA_CHECK;

/**
 * Queue a job that really sends a test. Its result is {"delivery_id": 7, "is_delivered": true};
 * what was answered stands with that delivery.
 */
bool wpa_notify_order_test(wpa_db *db, const wpa_actor *actor, int64_t id, int64_t *job_id,
                           wpa_error *err) WPA_CHECK;
/** Job "notify", subject "destination:<id>". */
bool wpa_notify_test_job(wpa_job_context *context, wpa_error *err);

/**
 * Try again what was given up.
 *
 * delivery_id, destination_id   0: any.
 */
bool wpa_notify_retry(wpa_db *db, const wpa_actor *actor, int64_t delivery_id,
                      int64_t destination_id, size_t *n, wpa_error *err) WPA_CHECK;

/* ---- couriers -----------------------------------------------------------------------------------
 */

#define WPA_COURIER_PASSED_MAX 16

/*
 * A destination whose secret this process has not (another host's may): it is passed over for a
 * while, so that whoever has it comes to deliver.
 */
typedef struct wpa_courier_passed {
    int64_t destination_id, until_ms;
} wpa_courier_passed;

typedef struct wpa_courier {
    wpa_db *db;             /* role wpa_agent */
    const wpa_actor *actor; /* the engine's */
    wpa_log *log;
    wpa_courier_passed passed[WPA_COURIER_PASSED_MAX];
    bool (*is_stopped)(void *context); /* asked while a delivery is under way */
    void *context;
} wpa_courier;

/**
 * Take one delivery that is due, if there is one, deliver it, write down what came of it.
 *
 * did_one   whether there was one; then ask again at once.
 *
 * Errors    only of the database: what a receiver does ends in the row.
 */
bool wpa_courier_work(wpa_courier *courier, bool *did_one, wpa_error *err) WPA_CHECK;
/** Milliseconds until a delivery is due, at most max_ms. */
bool wpa_courier_idle_ms(const wpa_courier *courier, int64_t max_ms, int64_t *wait_ms,
                         wpa_error *err) WPA_CHECK;
/** Remove what is old enough to be forgotten. */
bool wpa_courier_clean(const wpa_courier *courier, wpa_error *err) WPA_CHECK;

/** How long to wait after so many tries: doubling from 2 s to an hour, ± 20 %. */
int64_t wpa_notify_backoff_ms(int tries, int64_t asked_ms);

/* ---- secrets ------------------------------------------------------------------------------------
 */

/** Is it a reference? Errors INVALID. */
bool wpa_notify_secret_check(const char *reference, wpa_error *err) WPA_CHECK;
/**
 * The secret that a reference names, without a line feed at its end. Files are taken of
 * /etc/wpa/secrets and of secrets in wpa_path_config alone, wherever links lead.
 *
 * Errors    INVALID, NOT_FOUND (not set, no file), REFUSED (another folder, others may read the
 *           file), LIMIT.
 */
struct wpa_secret *wpa_notify_secret_read(const char *reference, wpa_error *err);

/* ---- webhooks in --------------------------------------------------------------------------------
 */

typedef struct wpa_hook_call {
    const char *event, *delivery, *signature; /* headers; NULL: not sent */
    const char *body;                         /* [body_bytes] as it came */
    size_t body_bytes;
    const wpa_actor *actor; /* whom what follows is done as, with the caller's address */
    wpa_log *log;           /* of secrets that cannot be read; may be NULL */
    /* Asked before anything is read in a body that the fleet's secret has not signed; NULL: yes. */
    bool (*may_be_read)(void *context);
    void *context;
} wpa_hook_call;

/**
 * Check and take in a webhook as GitHub sends it: a push to a followed branch orders a scan, a
 * completed run goes into the run history. A delivery that was taken already answers the same and
 * changes nothing.
 *
 * is_done   whether anything was set going (or had been, by the same delivery).
 *
 * Returns   the answer as JSON: status, reason, ...
 * Errors    DENIED (signature; nothing is said of why), INVALID (headers, body), and the
 * database's.
 */
const wpa_json *wpa_hook_github(wpa_db *db, const wpa_hook_call *call, bool *is_done,
                                wpa_arena *arena, wpa_error *err);

/** Take webhooks of a repository (NULL: the fleet) that are signed with this secret. */
bool wpa_hook_add(wpa_db *db, const wpa_actor *actor, const char *repository, const char *reference,
                  int64_t *id, wpa_error *err) WPA_CHECK;
bool wpa_hook_remove(wpa_db *db, const wpa_actor *actor, int64_t id, wpa_error *err) WPA_CHECK;
