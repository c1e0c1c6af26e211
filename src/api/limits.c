#include "api/limits.h"

#include <pthread.h>
#include <string.h>

#include <wpa/memory.h>
#include <wpa/text.h>

/* A bucket an address: so many tries at once, one more each few seconds. The database counts by
   name as well (guardian/session.h), so a forgotten address costs nothing but its own pause. */
#define BURST 20
#define REFILL_MS INT64_C(3000)
#define ADDRESSES_MAX 4096

typedef struct bucket {
    char address[64];
    int64_t full_at_ms; /* when it will hold BURST tries again */
} bucket;

struct wpa_api_limits {
    pthread_mutex_t mutex;
    bucket buckets[ADDRESSES_MAX];
};

wpa_api_limits *wpa_api_limits_new(void)
{
    wpa_api_limits *limits = wpa_alloc(sizeof *limits);
    memset(limits, 0, sizeof *limits);
    (void)pthread_mutex_init(&limits->mutex, NULL);
    return limits;
}

void wpa_api_limits_free(wpa_api_limits *limits)
{
    if (limits) {
        (void)pthread_mutex_destroy(&limits->mutex);
        wpa_free(limits);
    }
}

static size_t place_of(const char *address)
{
    uint32_t hash = 2166136261U; /* FNV-1a */
    for (; *address; address++) {
        hash = (hash ^ (unsigned char)*address) * 16777619U;
    }
    return hash % ADDRESSES_MAX;
}

/** The address's bucket; of two that share a place the one seen last has it. */
static bucket *find(wpa_api_limits *limits, const char *address)
{
    bucket *found = &limits->buckets[place_of(address)];
    if (!wpa_text_is(found->address, address)) {
        memset(found, 0, sizeof *found);
        (void)wpa_text_copy(found->address, sizeof found->address, address);
    }
    return found;
}

/** How long until there is a try; none or less: there is one. */
static int64_t over_ms_of(const bucket *own, int64_t now_ms)
{
    int64_t from_ms = own->full_at_ms > now_ms ? own->full_at_ms : now_ms;
    return from_ms + REFILL_MS - (now_ms + BURST * REFILL_MS);
}

bool wpa_api_limits_take(wpa_api_limits *limits, const char *address, int64_t now_ms,
                         int64_t *wait_s)
{
    pthread_mutex_lock(&limits->mutex);
    bucket *own = find(limits, address);
    int64_t over_ms = over_ms_of(own, now_ms);
    bool is_taken = over_ms <= 0;
    if (is_taken) {
        own->full_at_ms = (own->full_at_ms > now_ms ? own->full_at_ms : now_ms) + REFILL_MS;
    }
    pthread_mutex_unlock(&limits->mutex);
    *wait_s = is_taken ? 0 : (over_ms + 999) / 1000;
    return is_taken;
}

bool wpa_api_limits_has(wpa_api_limits *limits, const char *address, int64_t now_ms)
{
    pthread_mutex_lock(&limits->mutex);
    const bucket *own = &limits->buckets[place_of(address)];
    bool has = !wpa_text_is(own->address, address) || over_ms_of(own, now_ms) <= 0;
    pthread_mutex_unlock(&limits->mutex);
    return has;
}
