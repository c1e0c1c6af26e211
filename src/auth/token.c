#include "auth/token.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jwt.h>

#include <wpa/buf.h>
#include <wpa/file.h>
#include <wpa/memory.h>
#include <wpa/text.h>

#include "auth/hash.h"
#include "auth/jws.h"
#include "auth/key_file.h"
#include "gen/calls_jwt.h"
#include "json/json.h"

enum {
    MAX_KEYS = 16,
    KID_SIZE = 40,
    KEY_BYTES = 32,
    KEY_FILE_MAX_BYTES = 8192,
    VERIFIED = 256
};

/* The one algorithm that our own tokens use; what a header asks for does not count. */
static const char *const algorithm = "HS256";

typedef struct token_key {
    char kid[KID_SIZE];
    wpa_secret *secret;
    int64_t until_s; /* 0: no end yet */
} token_key;

typedef struct key_list {
    token_key keys[MAX_KEYS];
    size_t n;
} key_list;

/* A token that was found good, under the keys as they are: it need not be taken apart again. */
typedef struct verified_token {
    uint8_t digest[WPA_SHA256_SIZE]; /* of the token; the token itself is kept nowhere */
    int64_t from_s, until_s;         /* between them nothing can have changed; 0: no token */
    char subject[64], role[16], jti[WPA_UUID_SIZE];
    int64_t issued_at_s, expires_at_s;
} verified_token;

/* What tells one state of the file from another. */
typedef struct file_state {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec changed_at;
} file_state;

typedef struct key_store {
    pthread_mutex_t mutex;
    char *path;
    key_list list; /* none: the file cannot be used */
    file_state seen;
    wpa_log *log;
    verified_token verified[VERIFIED]; /* each at the place that its digest says */
} key_store;

struct wpa_token_keys {
    key_store *store;
};

/* ---- the key file ------------------------------------------------------------------------------
 */

static void clear_list(key_list *list)
{
    for (size_t i = 0; i < list->n; i++) {
        wpa_secret_free(list->keys[i].secret);
    }
    list->n = 0;
}

void wpa_token_keys_free(wpa_token_keys *keys)
{
    clear_list(&keys->store->list);
    (void)pthread_mutex_destroy(&keys->store->mutex);
    wpa_free(keys->store->path);
    wpa_free(keys->store);
    wpa_free(keys);
}

/* A line with a new random key; the caller wipes it. */
static char *new_key_line(wpa_arena *arena)
{
    uint8_t key[KEY_BYTES], id[8];
    char kid[2 * sizeof id + 1];
    wpa_random_bytes(key, sizeof key);
    wpa_random_bytes(id, sizeof id);
    wpa_hex_encode(id, sizeof id, kid);
    char *encoded = wpa_base64_encode(arena, key, sizeof key, true);
    char *line = wpa_arena_printf(arena, "%s %s %s\n", algorithm, kid, encoded);
    wpa_wipe(key, sizeof key);
    wpa_wipe(encoded, strlen(encoded));
    return line;
}

static bool make_key_file(const char *path, wpa_arena *arena, wpa_error *err)
{
    char *line = new_key_line(arena);
    bool is_made = wpa_key_file_make(path, line, strlen(line), err);
    wpa_wipe(line, strlen(line));
    return is_made;
}

static bool check_key_file(const char *path, file_state *state, wpa_error *err)
{
    struct stat info;
    if (!wpa_key_file_check(path, &info, err)) {
        return false;
    }
    *state = (file_state){info.st_dev, info.st_ino, info.st_size, info.st_mtim};
    return true;
}

/* The next word of a line, cut in place; NULL at its end. */
static char *next_word(char **at)
{
    char *word = *at;
    if (!word || !*word) {
        return NULL;
    }
    char *end = strchr(word, ' ');
    *at = end ? end + 1 : NULL;
    if (end) {
        *end = 0;
    }
    return word;
}

/* "HS256 kid key [until]": cut in place. */
static bool read_key(key_list *list, char *line, wpa_arena *arena)
{
    char *rest = line;
    const char *name = next_word(&rest), *kid = next_word(&rest), *encoded = next_word(&rest);
    const char *until = next_word(&rest);
    wpa_error unread = {0};
    size_t size = 0;
    if (!encoded || rest || list->n == MAX_KEYS || strcmp(name, algorithm) != 0 || !*kid) {
        return false;
    }
    token_key *key = &list->keys[list->n];
    *key = (token_key){0};
    uint8_t *bytes = wpa_base64_decode(arena, encoded, strlen(encoded), true, &size, &unread);
    if (!bytes || !wpa_text_copy(key->kid, sizeof key->kid, kid) ||
        (until && !wpa_text_to_int(until, 1, INT64_MAX, &key->until_s))) {
        return false;
    }
    key->secret = wpa_secret_new(bytes, size);
    list->n++;
    wpa_wipe(bytes, size);
    return size >= KEY_BYTES;
}

static bool read_list(const char *path, key_list *list, file_state *state, wpa_error *err)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    size_t size = 0;
    *list = (key_list){0};
    char *text = check_key_file(path, state, err)
                     ? wpa_file_read(path, KEY_FILE_MAX_BYTES, arena, &size, err)
                     : NULL;
    if (!text) {
        return false;
    }
    bool is_good = true;
    int number = 1;
    for (char *line = text, *end; is_good && *line; line = end, number++) {
        end = strchrnul(line, '\n');
        end += *end ? 1 : 0;
        if (end[-1] == '\n') {
            end[-1] = 0;
        }
        is_good = read_key(list, line, arena);
    }
    wpa_wipe(text, size);
    if (!is_good || list->n == 0) {
        clear_list(list);
        return WPA_FAIL(err, WPA_E_INVALID, "key file '%s', line %d: expected '%s <kid> <key>'",
                        path, number - (is_good ? 0 : 1), algorithm);
    }
    return true;
}

wpa_token_keys *wpa_token_keys_open(const char *path, wpa_error *err)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    key_list list;
    file_state seen;
    if (!wpa_jwt_open(err) || (!wpa_path_exists(path) && !make_key_file(path, arena, err)) ||
        !read_list(path, &list, &seen, err)) {
        return NULL;
    }
    wpa_token_keys *keys = wpa_alloc(sizeof *keys);
    keys->store = wpa_alloc(sizeof *keys->store);
    *keys->store = (key_store){.path = wpa_strdup(path), .list = list, .seen = seen};
    (void)pthread_mutex_init(&keys->store->mutex, NULL);
    return keys;
}

void wpa_token_keys_set_log(wpa_token_keys *keys, wpa_log *log)
{
    pthread_mutex_lock(&keys->store->mutex);
    keys->store->log = log;
    pthread_mutex_unlock(&keys->store->mutex);
}

static bool is_same(const file_state *a, const file_state *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->changed_at.tv_sec == b->changed_at.tv_sec &&
           a->changed_at.tv_nsec == b->changed_at.tv_nsec;
}

/* With the mutex held. Whoever takes the file away, or finds it open, means that what it said may
   be trusted no more: without it there are no keys, and each token looks whether it is right again.
 */
static void look_again(key_store *store)
{
    wpa_error err = {0};
    file_state now = {0};
    key_list list;
    bool is_checked = check_key_file(store->path, &now, &err);
    if (is_checked && store->list.n > 0 && is_same(&now, &store->seen)) {
        return;
    }
    memset(store->verified, 0, sizeof store->verified);
    bool had_keys = store->list.n > 0;
    bool is_read = is_checked && read_list(store->path, &list, &now, &err);
    clear_list(&store->list);
    if (is_read) {
        store->list = list;
        store->seen = now;
    }
    if (is_read && !had_keys) {
        wpa_log_write(store->log, WPA_LOG_INFO, "auth", "'%s' can be used again", store->path);
    } else if (!is_read && had_keys) {
        (void)wpa_error_within(&err, "no token is taken");
        wpa_log_error(store->log, "auth", &err);
    }
}

/* The keys as they are now, until unlock. */
static const key_list *lock(const wpa_token_keys *keys)
{
    pthread_mutex_lock(&keys->store->mutex);
    look_again(keys->store);
    return &keys->store->list;
}

static void unlock(const wpa_token_keys *keys)
{
    pthread_mutex_unlock(&keys->store->mutex);
}

const wpa_token_key_info *wpa_token_keys_list(const wpa_token_keys *keys, wpa_arena *arena,
                                              size_t *n)
{
    const key_list *list = lock(keys);
    wpa_token_key_info *items = wpa_arena_array(arena, MAX_KEYS, sizeof *items);
    *n = list->n;
    for (size_t i = 0; i < list->n; i++) {
        items[i] = (wpa_token_key_info){.kid = wpa_arena_text(arena, list->keys[i].kid),
                                        .is_signing = i == 0,
                                        .until_s = list->keys[i].until_s};
    }
    unlock(keys);
    return items;
}

/* ---- rotation ---- */

/* What becomes of the keys before: those whose time is up go, the others get an end. */
static bool write_before(const key_list *list, wpa_buf *text, int64_t now_s, int64_t life_s,
                         wpa_error *err)
{
    size_t n = 1;
    for (size_t i = 0; life_s > 0 && i < list->n; i++) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        const token_key *key = &list->keys[i];
        int64_t until_s = key->until_s ? key->until_s : now_s + life_s;
        if (until_s <= now_s) {
            continue;
        }
        if (++n > MAX_KEYS) {
            return WPA_FAIL(err, WPA_E_LIMIT, "%d keys still verify tokens", MAX_KEYS);
        }
        char *encoded = wpa_base64_encode(arena, wpa_secret_bytes(key->secret),
                                          wpa_secret_size(key->secret), true);
        wpa_buf_printf(text, "%s %s %s %lld\n", algorithm, key->kid, encoded, (long long)until_s);
        wpa_wipe(encoded, strlen(encoded));
    }
    return true;
}

static bool rotate(const char *path, int64_t now_s, int64_t life_s, wpa_error *err)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    WPA_AUTO(wpa_buf) *text = wpa_buf_new(KEY_FILE_MAX_BYTES);
    key_list list = {0};
    file_state seen;
    if (wpa_path_exists(path) && !read_list(path, &list, &seen, err)) {
        return false;
    }
    char *line = new_key_line(arena);
    wpa_buf_text(text, line);
    wpa_wipe(line, strlen(line));
    bool is_good = write_before(&list, text, now_s, life_s, err) &&
                   wpa_buf_check(text, path, err) &&
                   wpa_file_replace(path, wpa_buf_data(text), wpa_buf_size(text), 0600, err);
    clear_list(&list);
    return is_good;
}

bool wpa_token_keys_rotate(const char *path, int64_t now_s, int64_t life_s, wpa_error *err)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const char *slash = strrchr(path, '/');
    const char *folder =
        slash && slash > path ? wpa_arena_slice(arena, path, (size_t)(slash - path)) : "/";
    int fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || flock(fd, LOCK_EX) != 0) { /* of two at once none may lose the other's key */
        (void)WPA_FAIL(err, WPA_E_IO, "cannot lock the folder of '%s': %s", path,
                       wpa_strerror(errno));
        if (fd >= 0) {
            close(fd);
        }
        return false;
    }
    bool is_good = rotate(path, now_s, life_s, err);
    close(fd);
    return is_good;
}

/* ---- issue ---- */

static void free_jwt(jwt_t **jwt)
{
    if (*jwt) {
        jwt_free(*jwt);
    }
}

#define AUTO_JWT __attribute__((cleanup(free_jwt))) jwt_t

char *wpa_token_issue(const wpa_token_keys *keys, const wpa_token_claims *claims, wpa_arena *arena,
                      wpa_error *err)
{
    AUTO_JWT *jwt = NULL;
    wpa_json *payload = wpa_json_new_object(arena);
    wpa_json_set_text(payload, "iss", WPA_TOKEN_ISSUER);
    wpa_json_set_text(payload, "aud", WPA_TOKEN_AUDIENCE);
    wpa_json_set_text(payload, "sub", claims->subject);
    wpa_json_set_text(payload, "role", claims->role);
    wpa_json_set_text(payload, "jti", claims->jti);
    wpa_json_set_int(payload, "iat", claims->issued_at_s);
    wpa_json_set_int(payload, "exp", claims->expires_at_s);
    const key_list *list = lock(keys);
    const token_key *key = &list->keys[0];
    if (list->n == 0) {
        unlock(keys);
        WPA_FAIL(err, WPA_E_UNAVAILABLE, "cannot sign a token: the key file '%s' cannot be used",
                 keys->store->path);
        return NULL;
    }
    bool is_good = jwt_new(&jwt) == 0 &&
                   jwt_add_grants_json(jwt, wpa_json_dump(payload, arena)) == 0 &&
                   jwt_add_header(jwt, "kid", key->kid) == 0 &&
                   jwt_set_alg(jwt, JWT_ALG_HS256, wpa_secret_bytes(key->secret),
                               (int)wpa_secret_size(key->secret)) == 0;
    unlock(keys);
    char *encoded = is_good ? jwt_encode_str(jwt) : NULL;
    if (!encoded) {
        WPA_FAIL(err, WPA_E_INTERNAL, "cannot sign a token: %s", wpa_strerror(errno));
        return NULL;
    }
    char *token = wpa_arena_text(arena, encoded);
    wpa_wipe(encoded, strlen(encoded));
    free(encoded); /* 1.10 has no function of its own for it */
    return token;
}

/* ---- verify ---- */

static const char *check_key(const key_list *list, const wpa_jws *jws, int64_t now_s,
                             int64_t *until_s, wpa_arena *arena)
{
    for (size_t i = 0; jws->kid && i < list->n; i++) {
        const token_key *key = &list->keys[i];
        if (strcmp(key->kid, jws->kid) != 0) {
            continue;
        }
        *until_s = key->until_s;
        return key->until_s && now_s >= key->until_s
                   ? "ended key"
                   : wpa_jws_check_signature(jws, algorithm, wpa_secret_bytes(key->secret),
                                             wpa_secret_size(key->secret), arena);
    }
    return list->n > 0 ? "unknown key" : "no key file";
}

static const char *check_claims(const wpa_jws *jws, int64_t now_s, wpa_token_claims *claims)
{
    const wpa_json *payload = jws->payload;
    if (!wpa_text_is(wpa_json_text_of(wpa_json_find(payload, "iss")), WPA_TOKEN_ISSUER)) {
        return "issuer";
    }
    if (!wpa_jws_is_for(jws, WPA_TOKEN_AUDIENCE)) {
        return "audience";
    }
    claims->subject = wpa_json_text_of(wpa_json_find(payload, "sub"));
    claims->role = wpa_json_text_of(wpa_json_find(payload, "role"));
    claims->jti = wpa_json_text_of(wpa_json_find(payload, "jti"));
    if (!claims->subject || !claims->role || !wpa_uuid_is_valid(claims->jti)) {
        return "identity";
    }
    wpa_jws_times times = {0};
    const char *fault = wpa_jws_check_times(jws, now_s, &times);
    claims->issued_at_s = times.issued_at_s;
    claims->expires_at_s = times.expires_at_s;
    return fault;
}

static verified_token *place_of(key_store *store, const uint8_t digest[WPA_SHA256_SIZE])
{
    return &store->verified[digest[0] % VERIFIED];
}

/* With the mutex held, under keys that were looked at. */
static bool find_verified(key_store *store, const uint8_t digest[WPA_SHA256_SIZE], int64_t now_s,
                          wpa_arena *arena, wpa_token_claims *claims)
{
    const verified_token *found = place_of(store, digest);
    if (now_s < found->from_s || now_s >= found->until_s ||
        !wpa_equal_constant_time(found->digest, digest, WPA_SHA256_SIZE)) {
        return false;
    }
    *claims = (wpa_token_claims){.subject = wpa_arena_text(arena, found->subject),
                                 .role = wpa_arena_text(arena, found->role),
                                 .jti = wpa_arena_text(arena, found->jti),
                                 .issued_at_s = found->issued_at_s,
                                 .expires_at_s = found->expires_at_s};
    return true;
}

/* With the mutex held, under the keys by which it was verified. */
static void keep_verified(key_store *store, const uint8_t digest[WPA_SHA256_SIZE], int64_t now_s,
                          int64_t key_until_s, const wpa_token_claims *claims)
{
    bool ends_first = key_until_s && key_until_s < claims->expires_at_s;
    verified_token made = {.from_s = now_s,
                           .until_s = ends_first ? key_until_s : claims->expires_at_s,
                           .issued_at_s = claims->issued_at_s,
                           .expires_at_s = claims->expires_at_s};
    memcpy(made.digest, digest, sizeof made.digest);
    if (wpa_text_copy(made.subject, sizeof made.subject, claims->subject) &&
        wpa_text_copy(made.role, sizeof made.role, claims->role) &&
        wpa_text_copy(made.jti, sizeof made.jti, claims->jti)) {
        *place_of(store, digest) = made;
    }
}

static const char *verify(const wpa_token_keys *keys, const char *token, int64_t now_s,
                          wpa_arena *arena, wpa_token_claims *claims)
{
    wpa_jws jws;
    uint8_t digest[WPA_SHA256_SIZE];
    int64_t key_until_s = 0;
    wpa_sha256(token, token ? strlen(token) : 0, digest);
    (void)lock(keys);
    bool is_verified = find_verified(keys->store, digest, now_s, arena, claims);
    unlock(keys);
    const char *fault =
        is_verified ? NULL : wpa_jws_read(token, &algorithm, 1, WPA_JWS_PLAIN, arena, &jws);
    if (is_verified || fault) {
        return fault;
    }
    fault = check_key(lock(keys), &jws, now_s, &key_until_s, arena);
    fault = fault ? fault : check_claims(&jws, now_s, claims);
    if (!fault) {
        keep_verified(keys->store, digest, now_s, key_until_s, claims);
    }
    unlock(keys);
    return fault;
}

bool wpa_token_verify(const wpa_token_keys *keys, const char *token, int64_t now_s,
                      wpa_arena *arena, wpa_token_claims *claims, const char **why, wpa_error *err)
{
    *claims = (wpa_token_claims){0};
    const char *fault = verify(keys, token, now_s, arena, claims);
    if (why) {
        *why = fault;
    }
    if (fault) {
        *claims = (wpa_token_claims){0};
        return WPA_FAIL(err, WPA_E_DENIED, WPA_TOKEN_REFUSED);
    }
    return true;
}
