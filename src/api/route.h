/*
 * Routes and requests. A route is one row: what it is called, who may, what it takes, what it
 * answers, and the function that does it. Dispatch, the OpenAPI document, the documentation and
 * the tests walk the same rows.
 */
#pragma once

#include <wpa/map.h>

#include "api/api.h"
#include "api/field.h"
#include "auth/secret.h"
#include "db/db.h"

typedef enum wpa_api_access {
    WPA_API_OPEN,     /* no token */
    WPA_API_READ,     /* a guardian; a viewer where that is allowed */
    WPA_API_GUARDIAN, /* a guardian */
    WPA_API_METRICS,  /* a token of any role, or open by a setting */
    WPA_API_ANYBODY   /* a token of any role: what is about itself alone */
} wpa_api_access;

/** What a handler leaves to be done. */
typedef enum wpa_api_next {
    WPA_API_DONE,   /* answer and status are set */
    WPA_API_FAILED, /* *err is set */
    WPA_API_WAIT    /* call again when job_id has ended, or the wait is over */
} wpa_api_next;

typedef struct wpa_api_request wpa_api_request;
typedef struct wpa_api_route wpa_api_route;

struct wpa_api_route {
    const char *method;
    const char *path; /* below WPA_API_BASE: "/patches/{patch_id}" */
    wpa_api_access access;
    const char
        *scope; /* of machine tokens: "read", "analyse", "patch", "approve", "deploy", "admin" */
    const char *tag; /* group in the documentation */
    const char *summary, *details;
    const wpa_api_field *query, *body, *answer;
    int status;          /* of success; 0: 200 */
    bool is_list;        /* answers {"items": [answer...]} with pages by Link */
    bool may_wait;       /* takes wait=, may answer 202 */
    bool is_query_body;  /* the body's fields may be parameters instead */
    bool is_kept;        /* depends on path, query and the database alone (kept.h) */
    bool is_fixed;       /* the same as long as the server runs */
    bool takes_rest;     /* the last value of its path may hold slashes */
    bool is_immediate;   /* needs neither database nor time: answered before all that wait */
    bool takes_raw;      /* reads the body's bytes itself (raw, raw_bytes) */
    const char *content; /* media type of the answer; NULL: JSON */
    const char *example; /* a call that works on the sample: path and query; NULL: path as it is */
    const char *example_body; /* JSON, or NULL */
    wpa_api_next (*run)(wpa_api_request *request, wpa_error *err);
};

struct wpa_api_request {
    const wpa_api_route *route;
    wpa_arena *arena;
    wpa_api *api;
    wpa_engine *engine;
    wpa_db *db; /* for looking, the worker's own */
    const char *method, *path;
    const char *values[4]; /* of the {…} in the path, decoded */
    const wpa_json *query; /* object: checked values that were given */
    const wpa_json *body;  /* object, or NULL */
    const char *raw;       /* [raw_bytes] as it came, NUL-terminated */
    size_t raw_bytes;
    wpa_actor actor;
    bool is_known;                     /* actor is somebody */
    const char *jti;                   /* session of the token, or NULL */
    const struct wpa_vouched *vouched; /* of a token that the provider made, or NULL */
    const char *scopes;   /* of a machine's token, separated by blanks; NULL: a person's, all */
    const char *if_match; /* as sent: ETags asked for, or NULL */
    const char *if_none_match; /* as it was sent */
    const char *idempotency_key;
    int64_t wait_ms; /* how long the caller will wait */

    struct wpa_api_call *call; /* private */

    /* set by the handler */
    int status;
    wpa_json *answer; /* or text */
    const char *text; /* [text_bytes] in the arena, of the route's content type */
    size_t text_bytes;
    const char *etag;     /* without quotes, or NULL: none */
    const char *location; /* or NULL */
    const char *field;    /* that an error is about, where its words do not say; or NULL */
    const char *link;     /* or NULL */
    int64_t job_id;       /* WAIT: for this one */
    bool is_idempotent;   /* the answer is kept for a repetition, … */
    bool holds_secret;    /* … but not this one: a secret is kept nowhere */
    bool is_stream;       /* an event stream begins */
    bool is_woken;        /* called again: the job has ended, or the wait is over */
    bool has_job_ended;
    void *state; /* the handler's, between its calls; in the arena */
};

/** Parameter i that the route takes beside its own (limit, cursor, wait); NULL: no more. */
const wpa_api_field *wpa_api_common_field(const wpa_api_route *route, size_t i);

/** All rows, in the order of the documentation. */
const wpa_api_route *const *wpa_api_routes(size_t *n);
/**
 * Row for a method and path below the base; fills values.
 *
 * allowed   receives what the path takes ("GET, HEAD, OPTIONS") if the method is none of them;
 *           NULL if there is no such path.
 */
const wpa_api_route *wpa_api_route_find(const char *method, const char *path, wpa_arena *arena,
                                        const char *values[4], const char **allowed);

/* ---- what handlers share ---- */

/** A query's or the body's member by name; NULL if it is not given. */
const char *wpa_api_query_text(const wpa_api_request *request, const char *name);
const char *wpa_api_body_text(const wpa_api_request *request, const char *name);
/** Of a body that has WPA_API_PASSPHRASE; the caller frees it. */
wpa_secret *wpa_api_body_passphrase(const wpa_api_request *request);
/** "true" or "false" as a parameter of a statement; NULL if it is not given. */
const char *wpa_api_query_flag(const wpa_api_request *request, const char *name);
int64_t wpa_api_query_int(const wpa_api_request *request, const char *name, int64_t fallback);
/** Everything done: answer with this. */
wpa_api_next wpa_api_answer(wpa_api_request *request, wpa_json *answer);
/**
 * "p-2217", "2217" or a UUID, as the i-th value of the path or as a text of its own, as an id of
 * the database. Only a UUID is looked up: whether a number is there is for the caller to see.
 *
 * Errors    WPA_E_NOT_FOUND.
 */
bool wpa_api_id(wpa_api_request *request, size_t i, char letter, int64_t *id,
                wpa_error *err) WPA_CHECK;
bool wpa_api_id_of(wpa_api_request *request, const char *text, char letter, int64_t *id,
                   wpa_error *err) WPA_CHECK;
/** Name of a repository by name, "r-4" or UUID; what is asked for itself if there is none. */
bool wpa_api_repository_name(wpa_api_request *request, const char *text, const char **name,
                             wpa_error *err) WPA_CHECK;
/** Name of the person that the path names by name or UUID; what is asked for if there is none. */
bool wpa_api_principal_name(wpa_api_request *request, const char **name, wpa_error *err) WPA_CHECK;
/**
 * Does If-Match, if given, name the ETag that the answer has so far? For things without a version:
 * show them, ask this, change them. Errors CONFLICT (412).
 */
bool wpa_api_is_as_read(const wpa_api_request *request, wpa_error *err) WPA_CHECK;
/** Value of a request header, or NULL. Only while the handler runs. */
const char *wpa_api_request_header(const wpa_api_request *request, const char *name);
/** A time of the database as RFC 3339 in UTC, null for 0. */
void wpa_api_set_time(wpa_json *object, const char *key, int64_t time_us);

/**
 * A page of a list: the statement takes the cursor's id (or null) and the number of rows as its
 * first two parameters, and gives id and item (JSON text) with the newest id first.
 *
 * params    [n], of which the first two are filled here.
 */
wpa_api_next wpa_api_list(wpa_api_request *request, const wpa_sql *statement, const char *params[],
                          size_t n, wpa_error *err);
/**
 * One thing as the database makes it: the statement's row is version (or null), item (JSON text).
 *
 * missing   WPA_E_NOT_FOUND with this text if there is no row.
 */
wpa_api_next wpa_api_one(wpa_api_request *request, const wpa_sql *statement,
                         const char *const params[], size_t n, const char *missing, wpa_error *err);
/** The version that If-Match names, for calls of the engine that check it; -1: any. */
bool wpa_api_version_wanted(const wpa_api_request *request, int64_t *version,
                            wpa_error *err) WPA_CHECK;
/** Wait for a job, or, when woken, say where its result will be: 202 with this Location. */
wpa_api_next wpa_api_wait_for(wpa_api_request *request, int64_t job_id);
wpa_api_next wpa_api_accepted(wpa_api_request *request, const char *location);
