#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <wpa/file.h>
#include <wpa/memory.h>
#include <wpa/text.h>

#include "sandbox/parts.h"

#define BLOCK 512
#define MAX_LEVELS 128

/* The POSIX ustar header; every field is octal text or a name. */
typedef struct tar_header {
    char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100];
    char magic[6], version[2], owner[32], group[32], device_major[8], device_minor[8];
    char prefix[155], padding[12];
} tar_header;

_Static_assert(sizeof(tar_header) == BLOCK, "a tar header is one block");

typedef struct pack_entry {
    const char *path;
    const char *source; /* host file, NULL: data */
    const char *link;   /* symbolic link's target */
    const uint8_t *data;
    size_t size_bytes;
    char type; /* '0' file, '2' symbolic link, '5' folder */
    bool is_executable;
} pack_entry;

struct sandbox_packer {
    wpa_arena *arena;
    pack_entry *entries;
    size_t n, capacity;
    size_t next;    /* entry whose header comes next */
    int fd;         /* file being sent, or -1 */
    size_t left;    /* bytes of it */
    size_t padding; /* zero bytes behind it */
    bool is_finished;
    uint8_t block[64 * 1024];
    const uint8_t *ready; /* [n_ready] made and not yet taken */
    size_t n_ready;
};

static pack_entry *add_entry(sandbox_packer *packer)
{
    packer->entries = wpa_arena_grow(packer->arena, packer->entries, packer->n, &packer->capacity,
                                     sizeof *packer->entries);
    return &packer->entries[packer->n++];
}

static bool walk(sandbox_packer *packer, const char *folder, const char *prefix, int level,
                 wpa_error *err);

static bool add_path(sandbox_packer *packer, const char *host, const char *path, int level,
                     wpa_error *err)
{
    struct stat about;
    if (packer->n >= SANDBOX_MAX_FILES) {
        return WPA_FAIL(err, WPA_E_LIMIT, "more than %d files", SANDBOX_MAX_FILES);
    }
    if (lstat(host, &about) != 0) {
        return WPA_FAIL(err, WPA_E_IO, "read '%s': %s", path, wpa_strerror(errno));
    }
    if (S_ISDIR(about.st_mode)) {
        *add_entry(packer) = (pack_entry){.path = path, .type = '5'};
        return walk(packer, host, path, level + 1, err);
    }
    if (S_ISLNK(about.st_mode)) {
        char target[4096];
        ssize_t length = readlink(host, target, sizeof target);
        if (length < 0 || (size_t)length == sizeof target) {
            return WPA_FAIL(err, WPA_E_INVALID, "link '%s' cannot be read", path);
        }
        *add_entry(packer) = (pack_entry){
            .path = path, .link = wpa_arena_slice(packer->arena, target, length), .type = '2'};
        return true;
    }
    if (S_ISREG(about.st_mode)) {
        *add_entry(packer) = (pack_entry){.path = path,
                                          .source = host,
                                          .size_bytes = (size_t)about.st_size,
                                          .is_executable = (about.st_mode & S_IXUSR) != 0,
                                          .type = '0'};
    }
    return true; /* sockets, devices and pipes stay outside */
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool list_folder(const char *folder, wpa_arena *arena, const char ***names, size_t *n,
                        wpa_error *err)
{
    DIR *dir = opendir(folder);
    if (!dir) {
        return WPA_FAIL(err, WPA_E_IO, "read '%s': %s", folder, wpa_strerror(errno));
    }
    size_t capacity = 0;
    struct dirent *entry;
    *names = NULL;
    *n = 0;
    while ((entry = readdir(dir))) { // NOLINT(concurrency-mt-unsafe): the stream is ours alone
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        *names = wpa_arena_grow(arena, *names, *n, &capacity, sizeof **names);
        (*names)[(*n)++] = wpa_arena_text(arena, entry->d_name);
    }
    closedir(dir);
    if (*n > 1) {
        qsort(*names, *n, sizeof **names, compare_names);
    }
    return true;
}

static bool walk(sandbox_packer *packer, const char *folder, const char *prefix, int level,
                 wpa_error *err)
{
    const char **names;
    size_t n;
    if (level > MAX_LEVELS) {
        return WPA_FAIL(err, WPA_E_LIMIT, "folders nested deeper than %d", MAX_LEVELS);
    }
    if (!list_folder(folder, packer->arena, &names, &n, err)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        const char *host = wpa_path_join(packer->arena, folder, names[i]);
        const char *path = prefix ? wpa_path_join(packer->arena, prefix, names[i]) : names[i];
        if (!add_path(packer, host, path, level, err)) {
            return false;
        }
    }
    return true;
}

static bool check_name(const char *path, wpa_error *err)
{
    if (!*path || *path == '/' || strlen(path) > 4096 || strcmp(path, "..") == 0 ||
        strncmp(path, "../", 3) == 0 || strstr(path, "/../") || wpa_text_ends(path, "/..")) {
        return WPA_FAIL(err, WPA_E_INVALID, "path '%s' does not stay inside the sandbox", path);
    }
    return true;
}

sandbox_packer *sandbox_packer_new(const wpa_sandbox_request *request, wpa_arena *arena,
                                   wpa_error *err)
{
    WPA_AUTO(sandbox_packer) *packer = wpa_alloc(sizeof *packer);
    packer->arena = arena;
    packer->fd = -1;
    if (request->source && !walk(packer, request->source, NULL, 0, err)) {
        return NULL;
    }
    for (size_t i = 0; i < request->n_files; i++) {
        const wpa_sandbox_file *file = &request->files[i];
        if (!check_name(file->path, err)) {
            return NULL;
        }
        *add_entry(packer) = (pack_entry){.path = file->path,
                                          .data = file->data,
                                          .size_bytes = file->size_bytes,
                                          .is_executable = file->is_executable,
                                          .type = '0'};
    }
    return WPA_STEAL(packer);
}

void sandbox_packer_free(sandbox_packer *packer)
{
    if (packer->fd >= 0) {
        close(packer->fd);
    }
    wpa_free(packer);
}

static void write_octal(char *field, size_t size_bytes, uint64_t value)
{
    for (size_t i = size_bytes - 1; i-- > 0;) {
        field[i] = (char)('0' + (value & 7U));
        value >>= 3;
    }
    field[size_bytes - 1] = '\0';
}

static unsigned checksum(const tar_header *header)
{
    const uint8_t *bytes = (const uint8_t *)header;
    unsigned sum = 0;
    for (size_t i = 0; i < BLOCK; i++) {
        bool is_own_field = i >= offsetof(tar_header, checksum) && i < offsetof(tar_header, type);
        sum += is_own_field ? ' ' : bytes[i];
    }
    return sum;
}

/** memcpy into a field that need not be terminated when it is full. */
static void write_name(char *field, size_t size_bytes, const char *name)
{
    size_t length = strlen(name);
    memcpy(field, name, length < size_bytes ? length : size_bytes);
}

static size_t add_header(uint8_t *to, const char *name, char type, size_t size_bytes, unsigned mode)
{
    tar_header *header = (tar_header *)(void *)to;
    memset(header, 0, sizeof *header);
    write_name(header->name, sizeof header->name, name);
    write_octal(header->mode, sizeof header->mode, mode);
    write_octal(header->uid, sizeof header->uid, 0);
    write_octal(header->gid, sizeof header->gid, 0);
    write_octal(header->size, sizeof header->size, size_bytes);
    write_octal(header->mtime, sizeof header->mtime, 1);
    header->type = type;
    write_name(header->magic, sizeof header->magic, "ustar ");
    write_name(header->version, sizeof header->version, " ");
    return BLOCK;
}

static void seal_header(uint8_t *to)
{
    tar_header *header = (tar_header *)(void *)to;
    write_octal(header->checksum, 7, checksum(header));
    header->checksum[7] = ' ';
}

static size_t padding_of(size_t size_bytes)
{
    return (BLOCK - size_bytes % BLOCK) % BLOCK;
}

/** GNU's way of saying a name or link longer than its field: a nameless file that holds it. */
static size_t add_long(uint8_t *to, char type, const char *text)
{
    size_t length = strlen(text) + 1;
    add_header(to, "././@LongLink", type, length, 0644);
    seal_header(to);
    memset(to + BLOCK, 0, length + padding_of(length));
    memcpy(to + BLOCK, text, length);
    return BLOCK + length + padding_of(length);
}

static bool start_entry(sandbox_packer *packer, wpa_error *err)
{
    const pack_entry *entry = &packer->entries[packer->next++];
    size_t size_bytes = 0;
    if (strlen(entry->path) >= 100) {
        size_bytes += add_long(packer->block, 'L', entry->path);
    }
    if (entry->link && strlen(entry->link) >= 100) {
        size_bytes += add_long(packer->block + size_bytes, 'K', entry->link);
    }
    uint8_t *at = packer->block + size_bytes;
    unsigned mode = entry->type == '5' || entry->is_executable ? 0755 : 0644;
    size_bytes += add_header(at, entry->path, entry->type, entry->size_bytes, mode);
    write_name(((tar_header *)(void *)at)->link, 100, entry->link ? entry->link : "");
    seal_header(at);
    packer->ready = packer->block;
    packer->n_ready = size_bytes;
    packer->left = entry->size_bytes;
    packer->padding = padding_of(entry->size_bytes);
    if (entry->source) {
        packer->fd = open(entry->source, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (packer->fd < 0) {
            return WPA_FAIL(err, WPA_E_IO, "read '%s': %s", entry->path, wpa_strerror(errno));
        }
    }
    return true;
}

static bool read_more(sandbox_packer *packer, wpa_error *err)
{
    const pack_entry *entry = &packer->entries[packer->next - 1];
    size_t want = packer->left < sizeof packer->block ? packer->left : sizeof packer->block;
    if (!entry->source) {
        packer->ready = entry->data + (entry->size_bytes - packer->left);
        packer->n_ready = packer->left;
        packer->left = 0;
        return true;
    }
    ssize_t got = read(packer->fd, packer->block, want);
    if (got <= 0) {
        return WPA_FAIL(err, WPA_E_IO, "read '%s': %s", entry->path,
                        got < 0 ? wpa_strerror(errno) : "it became shorter");
    }
    packer->ready = packer->block;
    packer->n_ready = (size_t)got;
    packer->left -= (size_t)got;
    return true;
}

bool sandbox_packer_next(sandbox_packer *packer, const uint8_t **data, size_t *size_bytes,
                         wpa_error *err)
{
    while (packer->n_ready == 0 && !packer->is_finished) {
        if (packer->left > 0) {
            if (!read_more(packer, err)) {
                return false;
            }
            continue;
        }
        if (packer->fd >= 0) {
            close(packer->fd);
            packer->fd = -1;
        }
        size_t n_zero = packer->padding;
        packer->padding = 0;
        if (n_zero == 0 && packer->next < packer->n) {
            if (!start_entry(packer, err)) {
                return false;
            }
            continue;
        }
        if (n_zero == 0) {
            packer->is_finished = true;
            n_zero = (size_t)20 * BLOCK; /* two empty blocks end the stream; tar reads by twenty */
        }
        memset(packer->block, 0, n_zero);
        packer->ready = packer->block;
        packer->n_ready = n_zero;
    }
    *data = packer->ready;
    *size_bytes = packer->n_ready;
    return true;
}

void sandbox_packer_advance(sandbox_packer *packer, size_t n)
{
    packer->ready += n;
    packer->n_ready -= n;
}

static bool read_octal(const char *field, size_t size_bytes, uint64_t *value)
{
    *value = 0;
    size_t i = 0;
    while (i < size_bytes && field[i] == ' ') {
        i++;
    }
    for (; i < size_bytes && field[i] >= '0' && field[i] <= '7'; i++) {
        *value = *value * 8 + (uint64_t)(field[i] - '0');
    }
    return i == size_bytes || field[i] == '\0' || field[i] == ' ';
}

/** "./a/b" and "a/b" are the same file. */
static const char *member_name(const tar_header *header, const char *long_name, wpa_arena *arena)
{
    const char *name = long_name;
    if (!name) {
        name = wpa_arena_slice(arena, header->name, strnlen(header->name, sizeof header->name));
    }
    return wpa_text_starts(name, "./") ? name + 2 : name;
}

static void keep_file(const char *name, const uint8_t *data, size_t size_bytes, size_t *capacity,
                      wpa_sandbox_result *result, wpa_arena *arena)
{
    wpa_error ignored = {0};
    if (!check_name(name, &ignored)) {
        return;
    }
    /* NOLINTNEXTLINE(performance-no-int-to-ptr): what is const for readers is ours here */
    wpa_sandbox_file *files = wpa_arena_grow(arena, (void *)(uintptr_t)result->files,
                                             result->n_files, capacity, sizeof *files);
    uint8_t *copy = wpa_arena_alloc(arena, size_bytes + 1); /* a NUL behind, for text */
    memcpy(copy, data, size_bytes);
    files[result->n_files++] =
        (wpa_sandbox_file){.path = name, .data = copy, .size_bytes = size_bytes};
    result->files = files;
}

void sandbox_unpack(const uint8_t *data, size_t size_bytes, const wpa_sandbox_limits *limits,
                    wpa_sandbox_result *result, wpa_arena *arena)
{
    const char *long_name = NULL;
    size_t at = 0, capacity = 0;
    while (size_bytes - at >= BLOCK) {
        const tar_header *header = (const tar_header *)(const void *)(data + at);
        uint64_t length = 0, sum = 0;
        at += BLOCK;
        if (header->name[0] == '\0') {
            return;
        }
        if (!read_octal(header->size, sizeof header->size, &length) ||
            !read_octal(header->checksum, sizeof header->checksum, &sum) ||
            sum != checksum(header) || length > size_bytes - at) {
            result->are_files_cut = true;
            return;
        }
        if (header->type == 'L') {
            long_name = wpa_arena_slice(arena, (const char *)data + at,
                                        strnlen((const char *)data + at, length));
        } else {
            const char *name = member_name(header, long_name, arena);
            long_name = NULL;
            if (header->type == '0' && result->n_files < (size_t)limits->output_files) {
                keep_file(name, data + at, length, &capacity, result, arena);
            } else if (header->type == '0') {
                result->are_files_cut = true;
            }
        }
        size_t step = length + padding_of(length);
        at += step < size_bytes - at ? step : size_bytes - at;
    }
}
