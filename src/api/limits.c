#include "api/limits.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <string.h>

#include <wpa/memory.h>
#include <wpa/text.h>

#include "auth/hash.h"

/* A bucket a network: so many tries at once, one more each few seconds. The database counts by
   name as well (guardian/session.h), so a forgotten network costs nothing but its own pause. */
#define BURST 20
#define REFILL_MS INT64_C(3000)
#define SETS 1024
#define WAYS 4 /* buckets that a network may have, of its set */
#define SECRET_BYTES 32
#define ID_BYTES 16
#define KEY_MAX_BYTES 128
/* Of IPv6, 64 bits: one customer has as many addresses as he likes in there. */
#define IPV6_NETWORK_BYTES 8

typedef struct bucket {
    uint8_t id[ID_BYTES];
    int64_t full_at_ms; /* when it will hold BURST tries again; 0: nobody's */
} bucket;

struct wpa_api_limits {
    pthread_mutex_t mutex;
    uint8_t secret[SECRET_BYTES]; /* or somebody could choose whose bucket he shares */
    bucket buckets[SETS][WAYS];
};

wpa_api_limits *wpa_api_limits_new(void)
{
    wpa_api_limits *limits = wpa_alloc(sizeof *limits);
    memset(limits, 0, sizeof *limits);
    (void)pthread_mutex_init(&limits->mutex, NULL);
    wpa_random_bytes(limits->secret, sizeof limits->secret);
    return limits;
}

void wpa_api_limits_free(wpa_api_limits *limits)
{
    if (limits) {
        (void)pthread_mutex_destroy(&limits->mutex);
        wpa_free(limits);
    }
}

/* The network that an address belongs to into network[]; what is no address stands for itself. */
static size_t read_network(const char *address, char *network, size_t size)
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff}; /* ::ffff:192.0.2.1 */
    unsigned char number[sizeof(struct in6_addr)];
    char plain[INET6_ADDRSTRLEN];
    size_t length = strcspn(address, "%"); /* fe80::1%eth0 */
    if (length < sizeof plain) {
        memcpy(plain, address, length);
        plain[length] = '\0';
        if (inet_pton(AF_INET6, plain, number) == 1) {
            bool is_mapped = memcmp(number, mapped, sizeof mapped) == 0;
            size_t from = is_mapped ? sizeof mapped : 0;
            size_t n = is_mapped ? sizeof number - sizeof mapped : IPV6_NETWORK_BYTES;
            memcpy(network, number + from, n);
            return n;
        }
        if (inet_pton(AF_INET, plain, number) == 1) {
            memcpy(network, number, sizeof(struct in_addr));
            return sizeof(struct in_addr);
        }
    }
    (void)wpa_text_copy(network, size, address);
    return strlen(network);
}

static void make_id(const wpa_api_limits *limits, const char *what, const char *address,
                    uint8_t mac[WPA_SHA256_SIZE])
{
    char key[KEY_MAX_BYTES];
    (void)wpa_text_copy(key, sizeof key / 2, what);
    size_t n = strlen(key) + 1;
    n += read_network(address, key + n, sizeof key - n);
    wpa_hmac_sha256(limits->secret, sizeof limits->secret, key, n, mac);
}

/** The set of buckets of which one may be the network's, and the one that is; NULL: none is. */
static bucket *search(wpa_api_limits *limits, const uint8_t mac[WPA_SHA256_SIZE], bucket **set)
{
    uint32_t number = 0;
    memcpy(&number, mac + ID_BYTES, sizeof number);
    *set = limits->buckets[number % SETS];
    for (size_t i = 0; i < WAYS; i++) {
        if (memcmp((*set)[i].id, mac, ID_BYTES) == 0) {
            return &(*set)[i];
        }
    }
    return NULL;
}

/** The network's bucket; where all of its set are others', the one that is fullest becomes his. */
static bucket *find(wpa_api_limits *limits, const uint8_t mac[WPA_SHA256_SIZE])
{
    bucket *set = NULL, *found = search(limits, mac, &set);
    if (found) {
        return found;
    }
    found = set;
    for (size_t i = 1; i < WAYS; i++) {
        found = set[i].full_at_ms < found->full_at_ms ? &set[i] : found;
    }
    *found = (bucket){0};
    memcpy(found->id, mac, ID_BYTES);
    return found;
}

/** How long until there is a try; none or less: there is one. */
static int64_t over_ms_of(const bucket *own, int64_t now_ms)
{
    int64_t from_ms = own->full_at_ms > now_ms ? own->full_at_ms : now_ms;
    return from_ms + REFILL_MS - (now_ms + BURST * REFILL_MS);
}

bool wpa_api_limits_take(wpa_api_limits *limits, const char *what, const char *address,
                         int64_t now_ms, int64_t *wait_s)
{
    uint8_t mac[WPA_SHA256_SIZE];
    make_id(limits, what, address, mac);
    pthread_mutex_lock(&limits->mutex);
    bucket *own = find(limits, mac);
    int64_t over_ms = over_ms_of(own, now_ms);
    bool is_taken = over_ms <= 0;
    if (is_taken) {
        own->full_at_ms = (own->full_at_ms > now_ms ? own->full_at_ms : now_ms) + REFILL_MS;
    }
    pthread_mutex_unlock(&limits->mutex);
    *wait_s = is_taken ? 0 : (over_ms + 999) / 1000;
    return is_taken;
}

bool wpa_api_limits_has(wpa_api_limits *limits, const char *what, const char *address,
                        int64_t now_ms)
{
    uint8_t mac[WPA_SHA256_SIZE];
    bucket *set = NULL;
    make_id(limits, what, address, mac);
    pthread_mutex_lock(&limits->mutex);
    const bucket *own = search(limits, mac, &set);
    bool has = !own || over_ms_of(own, now_ms) <= 0;
    pthread_mutex_unlock(&limits->mutex);
    return has;
}
