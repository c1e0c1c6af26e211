#include "api/events.h"

#include <string.h>

#include <microhttpd.h>

#include <wpa/clock.h>
#include <wpa/memory.h>
#include <wpa/text.h>

#include "gen/calls_microhttpd.h"
#include "gen/sql.h"

#define STREAM_MAX_BYTES ((size_t)16 << 10)
#define BEAT_MS 15000
#define BLOCK_BYTES 1024
#define RESET "event: reset\ndata: {}\n\n"

/* A client that reads too slowly loses what it has not taken, and is told so. */
struct wpa_api_stream {
    wpa_api_stream *next;
    wpa_api *api;
    struct MHD_Connection *connection;
    char *pending; /* [n_pending], NULL while there is nothing: idle streams stay small */
    size_t n_pending;
    bool is_suspended, has_lost, is_over;
    int64_t last_ms;
    wpa_api_caller caller;
};

/* With the mutex held. */
static void wake(wpa_api_stream *stream)
{
    if (stream->is_suspended) {
        stream->is_suspended = false;
        MHD_resume_connection(stream->connection);
    }
}

/* ---- writing ------------------------------------------------------------------------------------
 */

static void append(wpa_api_stream *stream, const char *text)
{
    size_t length = strlen(text);
    if (stream->n_pending + length > STREAM_MAX_BYTES) {
        stream->has_lost = true;
        return;
    }
    char *grown = wpa_alloc(stream->n_pending + length);
    if (stream->n_pending) {
        memcpy(grown, stream->pending, stream->n_pending);
    }
    memcpy(grown + stream->n_pending, text, length);
    wpa_free(stream->pending);
    stream->pending = grown;
    stream->n_pending += length;
    wake(stream);
}

static void tell_all(wpa_api *api, const char *text)
{
    pthread_mutex_lock(&api->stream_mutex);
    for (wpa_api_stream *stream = api->streams; stream; stream = stream->next) {
        append(stream, text);
        stream->last_ms = wpa_monotonic_ms();
    }
    pthread_mutex_unlock(&api->stream_mutex);
}

void wpa_api_streams_tell(wpa_api *api, const char *event, const char *data)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    tell_all(api, wpa_arena_printf(arena, "event: %s\ndata: %s\n\n", event, data));
}

bool wpa_api_streams_any(wpa_api *api)
{
    pthread_mutex_lock(&api->stream_mutex);
    bool is_any = api->streams != NULL;
    pthread_mutex_unlock(&api->stream_mutex);
    return is_any;
}

void wpa_api_streams_beat(wpa_api *api)
{
    int64_t before = wpa_monotonic_ms() - BEAT_MS;
    pthread_mutex_lock(&api->stream_mutex);
    for (wpa_api_stream *stream = api->streams; stream; stream = stream->next) {
        if (stream->last_ms < before) {
            append(stream, ": ping\n\n");
            stream->last_ms = wpa_monotonic_ms();
        }
    }
    pthread_mutex_unlock(&api->stream_mutex);
}

void wpa_api_streams_end(wpa_api *api)
{
    pthread_mutex_lock(&api->stream_mutex);
    for (wpa_api_stream *stream = api->streams; stream; stream = stream->next) {
        wake(stream);
    }
    pthread_mutex_unlock(&api->stream_mutex);
}

/* ---- whose they are -----------------------------------------------------------------------------
 */

typedef struct callers {
    const char **kinds, **keys;
    int64_t *principals;
    size_t n;
} callers;

static callers list_callers(wpa_api *api, wpa_arena *arena)
{
    pthread_mutex_lock(&api->stream_mutex);
    size_t n = api->n_streams + 1; /* of none, too */
    callers all = {.kinds = wpa_arena_array(arena, n, sizeof *all.kinds),
                   .keys = wpa_arena_array(arena, n, sizeof *all.keys),
                   .principals = wpa_arena_array(arena, n, sizeof *all.principals)};
    for (const wpa_api_stream *stream = api->streams; stream; stream = stream->next) {
        all.kinds[all.n] = stream->caller.kind;
        all.keys[all.n] = wpa_arena_text(arena, stream->caller.key);
        all.principals[all.n++] = stream->caller.principal_id;
    }
    pthread_mutex_unlock(&api->stream_mutex);
    return all;
}

static void end_those_of(wpa_api *api, const wpa_map *gone)
{
    int64_t now_s = wpa_now_us() / 1000000;
    pthread_mutex_lock(&api->stream_mutex);
    for (wpa_api_stream *stream = api->streams; stream; stream = stream->next) {
        bool is_late = stream->caller.ends_at_s && now_s >= stream->caller.ends_at_s;
        if (is_late || wpa_map_get(gone, stream->caller.key)) {
            stream->is_over = true;
            wake(stream);
        }
    }
    pthread_mutex_unlock(&api->stream_mutex);
}

void wpa_api_streams_check(wpa_api *api, wpa_db *db)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_error err = {0};
    callers all = list_callers(api, arena);
    if (all.n == 0 || !db) {
        return;
    }
    const char *params[] = {wpa_db_array(arena, all.kinds, all.n),
                            wpa_db_array(arena, all.keys, all.n),
                            wpa_db_array_int(arena, all.principals, all.n)};
    WPA_AUTO(wpa_rows) *rows =
        wpa_db_exec(db, WPA_SQL_API_CALLERS_GONE, params, WPA_COUNT(params), &err);
    wpa_map *gone = wpa_map_new(arena);
    for (size_t i = 0; rows && i < wpa_rows_count(rows); i++) {
        wpa_map_put(gone, wpa_rows_dup(rows, i, 0, arena), gone);
    }
    if (rows) {
        end_those_of(api, gone);
    } else if (!wpa_db_is_lost(db)) {
        wpa_log_error(api->log, "api", &err);
    }
}

/* ---- reading, in the library's threads ----------------------------------------------------------
 */

static ssize_t read_stream(void *context, uint64_t at, char *out, size_t max_bytes)
{
    wpa_api_stream *stream = context;
    wpa_api *api = stream->api;
    (void)at;
    ssize_t taken = 0;
    pthread_mutex_lock(&api->stream_mutex);
    if (atomic_load(&api->is_stopping) || stream->is_over) {
        taken = MHD_CONTENT_READER_END_OF_STREAM;
    } else if (stream->n_pending) {
        size_t n = stream->n_pending < max_bytes ? stream->n_pending : max_bytes;
        memcpy(out, stream->pending, n);
        memmove(stream->pending, stream->pending + n, stream->n_pending - n);
        stream->n_pending -= n;
        taken = (ssize_t)n;
        if (stream->n_pending == 0) {
            wpa_free(stream->pending);
            stream->pending = NULL;
            if (stream->has_lost) {
                stream->has_lost = false;
                append(stream, RESET);
            }
        }
    } else {
        stream->is_suspended = true;
        MHD_suspend_connection(stream->connection);
    }
    pthread_mutex_unlock(&api->stream_mutex);
    return taken;
}

static void forget(void *context)
{
    wpa_api_stream *stream = context;
    wpa_api *api = stream->api;
    pthread_mutex_lock(&api->stream_mutex);
    wpa_api_stream **at = &api->streams;
    while (*at && *at != stream) {
        at = &(*at)->next;
    }
    if (*at) {
        *at = stream->next;
        api->n_streams--;
    }
    pthread_mutex_unlock(&api->stream_mutex);
    wpa_free(stream->pending);
    wpa_free(stream);
}

int wpa_api_stream_open(wpa_api_call *call)
{
    wpa_api *api = call->api;
    wpa_api_stream *stream = wpa_alloc(sizeof *stream);
    *stream = (wpa_api_stream){.api = api, .connection = call->connection, .caller = call->caller};
    stream->last_ms = wpa_monotonic_ms();
    atomic_store(&call->state, WPA_CALL_DONE);
    struct MHD_Response *response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_BYTES,
                                                                      read_stream, stream, forget);
    if (!response) {
        wpa_free(stream);
        return MHD_NO;
    }
    pthread_mutex_lock(&api->stream_mutex);
    append(stream, "id: 1\nretry: 2000\n\n");
    if (wpa_api_header(call, "Last-Event-ID")) { /* it was here before, and nobody kept its news */
        append(stream, RESET);
    }
    stream->next = api->streams;
    api->streams = stream;
    api->n_streams++;
    pthread_mutex_unlock(&api->stream_mutex);
    (void)MHD_add_response_header(response, "Content-Type", "text/event-stream");
    (void)MHD_add_response_header(response, "Cache-Control", "no-store");
    (void)MHD_add_response_header(response, "X-Accel-Buffering", "no");
    enum MHD_Result queued = MHD_queue_response(call->connection, MHD_HTTP_OK, response);
    MHD_destroy_response(response);
    return (int)queued;
}

/* ---- the route ----------------------------------------------------------------------------------
 */

static wpa_api_next run(wpa_api_request *request, wpa_error *err)
{
    wpa_api *api = request->api;
    pthread_mutex_lock(&api->stream_mutex);
    bool is_full = api->n_streams >= WPA_API_STREAMS_MAX;
    pthread_mutex_unlock(&api->stream_mutex);
    if (is_full) {
        (void)WPA_FAIL(err, WPA_E_UNAVAILABLE, "%d event streams are open, which is the most",
                       WPA_API_STREAMS_MAX);
        return WPA_API_FAILED;
    }
    request->is_stream = !wpa_text_is(request->method, "HEAD");
    request->text = request->is_stream ? NULL : "";
    return WPA_API_DONE;
}

const wpa_api_route wpa_api_events = {
    .method = "GET",
    .path = "/events",
    .access = WPA_API_READ,
    .scope = "read",
    .tag = "events",
    .summary = "Stream of state changes",
    .details =
        "Server-Sent Events: `change` with {resource, of, id, short_id}: what changed (finding, "
        "patch, stage, job...), and the kind, UUID and short id of the thing to read again (of a "
        "finding, its workflow); null where many changed at once. A row of the audit log has `seq` "
        "instead. `reset` where news may have been missed, as by a client that comes back (with "
        "Last-Event-ID): read again what you show. A comment "
        "comes each 15 seconds where there is nothing to tell. The stream ends with the token that "
        "began it, within seconds: begin another one with the next token.",
    .content = "text/event-stream",
    .run = run,
};
