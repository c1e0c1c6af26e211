#include "api/kept.h"

#include <string.h>

#include <wpa/clock.h>
#include <wpa/memory.h>
#include <wpa/text.h>

#include "gen/sql.h"

#define PLACES 512
#define ASKED 4096
#define ANSWER_MAX_BYTES ((size_t)256 << 10)
#define ALL_MAX_BYTES ((size_t)16 << 20)
/* Some of an answer depends on the time. Not all of them end at once. */
#define AGE_MS 3000
#define AGE_SPREAD_MS 2000

/* One block for an answer's texts: key, snapshot, body, etag and link behind each other. */
typedef struct place {
    char *key; /* NULL: empty; of the block */
    const char *snapshot, *text, *etag, *link;
    size_t text_bytes, block_bytes;
    int64_t ends_ms;
} place;

struct wpa_api_kept {
    pthread_mutex_t mutex;
    place places[PLACES];
    uint32_t asked[ASKED]; /* hashes of keys, each at its place: asked for before */
    size_t all_bytes;
};

wpa_api_kept *wpa_api_kept_new(void)
{
    wpa_api_kept *kept = wpa_alloc(sizeof *kept);
    (void)pthread_mutex_init(&kept->mutex, NULL);
    return kept;
}

static void empty(wpa_api_kept *kept, place *p)
{
    kept->all_bytes -= p->block_bytes;
    wpa_free(p->key);
    *p = (place){0};
}

void wpa_api_kept_free(wpa_api_kept *kept)
{
    if (!kept) {
        return;
    }
    for (size_t i = 0; i < PLACES; i++) {
        empty(kept, &kept->places[i]);
    }
    (void)pthread_mutex_destroy(&kept->mutex);
    wpa_free(kept);
}

static uint32_t hash_of(const char *key)
{
    uint32_t hash = 2166136261U; /* FNV-1a */
    for (; *key; key++) {
        hash = (hash ^ (unsigned char)*key) * 16777619U;
    }
    return hash;
}

static place *place_of(wpa_api_kept *kept, const char *key)
{
    return &kept->places[hash_of(key) % PLACES];
}

/* ---- finding ------------------------------------------------------------------------------------
 */

/** What is asked for once is not worth keeping, nor asking the database whether it has changed. */
static bool is_worth_it(wpa_api_kept *kept, const char *key)
{
    uint32_t hash = hash_of(key);
    pthread_mutex_lock(&kept->mutex);
    bool is_worth_it = kept->asked[hash % ASKED] == hash;
    kept->asked[hash % ASKED] = hash;
    pthread_mutex_unlock(&kept->mutex);
    return is_worth_it;
}

static bool take(wpa_api_kept *kept, wpa_api_call *call)
{
    wpa_api_request *r = &call->request;
    pthread_mutex_lock(&kept->mutex);
    place *p = place_of(kept, call->kept_key);
    bool is_it = p->key && wpa_text_is(p->key, call->kept_key);
    if (is_it && (!wpa_text_is(p->snapshot, call->snapshot) || wpa_monotonic_ms() >= p->ends_ms)) {
        empty(kept, p);
        is_it = false;
    }
    if (is_it) {
        r->text = wpa_arena_slice(call->arena, p->text, p->text_bytes);
        r->text_bytes = p->text_bytes;
        r->etag = p->etag ? wpa_arena_text(call->arena, p->etag) : NULL;
        r->link = p->link ? wpa_arena_text(call->arena, p->link) : NULL;
        call->kept_key = NULL; /* it is kept already */
    }
    pthread_mutex_unlock(&kept->mutex);
    return is_it;
}

bool wpa_api_kept_find(wpa_api_call *call, wpa_db *db)
{
    wpa_api_request *r = &call->request;
    wpa_error ignored = {0};
    if (!r->route->is_kept || !db) {
        return false;
    }
    const char *key =
        wpa_arena_printf(call->arena, "%s?%s", r->path, wpa_json_dump(r->query, call->arena));
    if (!is_worth_it(call->api->kept, key)) {
        return false;
    }
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(db, WPA_SQL_API_SNAPSHOT, NULL, 0, &ignored);
    if (!rows) {
        return false; /* the handler will say why */
    }
    call->snapshot = wpa_rows_dup(rows, 0, 0, call->arena);
    call->kept_key = key;
    return take(call->api->kept, call);
}

/* ---- keeping ------------------------------------------------------------------------------------
 */

/** Copy a text to *at and move on; NULL stays NULL. */
static const char *append(char **at, const char *text, size_t length)
{
    char *start = *at;
    if (!text) {
        return NULL;
    }
    memcpy(start, text, length);
    start[length] = '\0';
    *at += length + 1;
    return start;
}

static size_t size_of(const char *text)
{
    return text ? strlen(text) + 1 : 0;
}

void wpa_api_kept_put(wpa_api_call *call)
{
    wpa_api_request *r = &call->request;
    wpa_api_kept *kept = call->api->kept;
    if (call->kept_key && r->answer && !r->text) {
        r->text = wpa_json_dump(r->answer, call->arena);
        r->text_bytes = strlen(r->text);
    }
    size_t bytes = r->text_bytes + 1 + size_of(call->kept_key) + size_of(call->snapshot) +
                   size_of(r->etag) + size_of(r->link);
    if (!call->kept_key || !r->text || r->status != 200 || bytes > ANSWER_MAX_BYTES) {
        return;
    }
    char *block = wpa_alloc(bytes), *at = block;
    place made = {.key = block, .block_bytes = bytes, .text_bytes = r->text_bytes};
    (void)append(&at, call->kept_key, strlen(call->kept_key));
    made.snapshot = append(&at, call->snapshot, strlen(call->snapshot));
    made.text = append(&at, r->text, r->text_bytes);
    made.etag = append(&at, r->etag, r->etag ? strlen(r->etag) : 0);
    made.link = append(&at, r->link, r->link ? strlen(r->link) : 0);
    made.ends_ms = wpa_monotonic_ms() + AGE_MS + hash_of(made.key) % AGE_SPREAD_MS;
    pthread_mutex_lock(&kept->mutex);
    place *p = place_of(kept, call->kept_key);
    empty(kept, p);
    for (size_t i = 0; kept->all_bytes + bytes > ALL_MAX_BYTES && i < PLACES; i++) {
        empty(kept, &kept->places[i]);
    }
    kept->all_bytes += bytes;
    *p = made;
    pthread_mutex_unlock(&kept->mutex);
}
