/* Inside src/api only: the server's parts, and a call on its way through them. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include <wpa/buf.h>

#include "agent/pool.h"
#include "api/route.h"
#include "auth/hash.h"
#include "auth/token.h"
#include "guardian/session.h"

struct MHD_Connection;
struct MHD_Daemon;

/** By what the database knows the caller's token: asked again as long as a call lasts. */
typedef struct wpa_api_caller {
    const char *kind; /* "session", "machine" or "vouched"; NULL: nobody */
    char key[WPA_SHA256_HEX_SIZE];
    int64_t principal_id;
    int64_t ends_at_s; /* of the provider's, Unix time; 0: the database says */
} wpa_api_caller;

typedef enum wpa_call_state {
    WPA_CALL_READING,  /* headers or body are still arriving */
    WPA_CALL_WORKING,  /* with a worker, or waiting for one */
    WPA_CALL_PARKED,   /* until a job has ended */
    WPA_CALL_DONE,     /* the answer is ready, or has gone */
    WPA_CALL_STREAMING /* an event stream */
} wpa_call_state;

/** One call of one connection; made when its headers are there, freed when it is over. */
typedef struct wpa_api_call {
    wpa_api *api;
    struct MHD_Connection *connection;
    wpa_arena *arena;
    wpa_api_request request;
    _Atomic(wpa_call_state) state;
    wpa_buf *upload;
    wpa_buf *written;    /* what the answer's text lies in, if not in the arena */
    size_t upload_bytes; /* that came, kept or not */
    bool is_too_large;
    int64_t started_ms, deadline_ms; /* monotonic; deadline of PARKED */
    wpa_map *headers;                /* of the answer, beyond the usual */
    wpa_session session;             /* of a person's token */
    wpa_api_caller caller;
    bool is_gated; /* who it is, the database says along with the answer (wpa_db_gate_begin) */
    const char *kept_key, *snapshot; /* where the answer is kept, and what it was made from */
    struct wpa_api_call *next;       /* in the queue of workers, or the list of parked ones */
} wpa_api_call;

/** A connection, for telling how long it takes. */
typedef struct wpa_api_peer {
    struct wpa_api_peer *next, *before;
    int fd;
    _Atomic(int64_t)
        reading_since_ms; /* 0: not waiting for a request; may lie ahead, see server.c */
} wpa_api_peer;

typedef struct wpa_api_stream wpa_api_stream;

/** What is the same for all calls: made once, before the first. */
typedef struct wpa_api_document {
    const char *text; /* [size_bytes] */
    size_t size_bytes;
    const char *etag;
} wpa_api_document;

struct wpa_api {
    wpa_engine *engine;
    wpa_api_options options;
    wpa_arena *arena; /* texts; read-only once started */
    wpa_log *log;
    wpa_api_document openapi, docs; /* read-only once started */
    wpa_token_keys *keys;
    struct MHD_Daemon *daemon;
    int port;
    int64_t started_at_us;
    int socket_fd; /* of a unix socket, to be removed; -1 */
    atomic_bool is_stopping;
    atomic_size_t n_calls; /* that are not over: being read, worked on, or answered */

    pthread_mutex_t mutex; /* the queue, the parked, the peers */
    pthread_cond_t work;
    wpa_api_call *first, *last; /* waiting for a worker */
    bool is_closed;             /* no more of them: the workers end with the last one */
    wpa_api_call *parked;
    wpa_api_peer *peers;
    size_t n_working;
    pthread_cond_t
        ready; /* n_ready has grown: workers that have a connection, or cannot have one */
    size_t n_ready;

    pthread_t workers[WPA_API_WORKERS_MAX];
    size_t n_workers;
    pthread_t watcher;
    bool is_watcher_started;
    int watcher_fd; /* eventfd: look again */

    pthread_mutex_t stream_mutex;
    wpa_api_stream *streams;
    size_t n_streams;
    struct wpa_api_limits *limits;
    struct wpa_api_issuer *issuers; /* under mutex */
    struct wpa_api_kept *kept;
    struct wpa_api_figures *windows, *split; /* of GET /metrics */
    atomic_uint_fast64_t n_requests[6];      /* by the first digit of the status; 0: none */
    atomic_uint_fast64_t n_refused_sign_ins, n_held_off;
};

/** Hand a call to the workers; its connection is suspended. False: they have gone. */
bool wpa_api_enqueue(wpa_api_call *call) WPA_CHECK;
/** The answer is ready: the connection goes on. */
void wpa_api_finish(wpa_api_call *call);
/** In which a request must arrive; a connection may be idle twice as long. */
int64_t wpa_api_request_ms(const wpa_api *api);
void *wpa_api_work(void *argument);
void *wpa_api_watch(void *argument);

/** Read the path, the person, query and body; run the handler; never fails, an error is an answer.
 */
void wpa_api_serve(wpa_api_call *call, wpa_db *db);
/** Can it be served here and now, by whoever reads it? */
bool wpa_api_is_immediate(wpa_api_call *call);
/** An answer has been made: for GET /metrics. */
void wpa_api_count(wpa_api_call *call);

/** Describe the interface, for programs and for people, before anybody asks. */
bool wpa_api_documents_make(wpa_api *api, wpa_error *err) WPA_CHECK;

/** problem+json of an error. */
void wpa_api_problem(wpa_api_request *request, const wpa_error *err);
/** Is it among `"a", W/"b"`, or is any meant? What is changed is named by strong ones alone. */
bool wpa_api_etag_is_named(const wpa_api_request *request, const char *list, const char *etag,
                           bool may_be_weak);
int wpa_api_status_of(const wpa_api_request *request, const wpa_error *err);

/** Value of a request header, or NULL. */
const char *wpa_api_header(const wpa_api_call *call, const char *name);
void wpa_api_set_header(wpa_api_call *call, const char *name, const char *value);

/**
 * Who calls: fills actor, is_known, jti. A missing token is no error, a bad one is. Of a call that
 * is_gated it is known, and whether it may, when its first statement has been run.
 */
bool wpa_api_identify(wpa_api_call *call, wpa_db *db, wpa_error *err) WPA_CHECK;
bool wpa_api_may_call(const wpa_api_call *call, wpa_error *err) WPA_CHECK;
/** The same for a token of the provider that vouches for people. */
bool wpa_api_identify_vouched(wpa_api_call *call, wpa_db *reader, const char *token,
                              wpa_error *err) WPA_CHECK;
void wpa_api_issuers_free(wpa_api *api);
/** WPA_E_DENIED with the same words for every bad token; why goes to the log. Returns false. */
bool wpa_api_refuse_token(wpa_api_call *call, const char *why, wpa_error *err);
/** Does the list of scopes, separated by blanks, hold this one? "admin" holds all. */
bool wpa_api_scopes_have(const char *scopes, const char *scope);
/** Address of the caller, behind a proxy that is trusted. */
const char *wpa_api_peer_address(wpa_api_call *call);
