#include "core/paged.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <wpa/memory.h>

#include "core/temporary.h"

/* Of pages that files stand behind, those of the program among them, so many may be in use. */
#define RESIDENT_MAX_BYTES ((size_t)18 << 20)
/* How often it is asked how many there are. */
#define ASKED_EVERY 512

typedef struct piece {
    void *memory;
    size_t size_bytes;
} piece;

static struct {
    pthread_mutex_t lock;
    piece *pieces; /* [n] that files stand behind */
    size_t n, capacity;
    atomic_size_t size_bytes; /* of all of them */
    atomic_uint n_asked;
    atomic_bool has_failed; /* then it is not tried again */
} paged = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void *map(int fd, size_t size_bytes)
{
    int flags = fd >= 0 ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS;
    void *memory = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE, flags, fd, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

/* Of an internal error or a limit. */
#define EXIT_CODE 4

/** On some file systems what was set aside is no promise, and a page that has no place on a full
    disk ends the process: it is said why, and nobody is left with a core. */
static void end_without_room(int signal_number)
{
    static const char text[] = "wpa: no room left for temporary files (see TMPDIR), or a file "
                               "shrank while it was read\n";
    (void)signal_number;
    (void)!write(STDERR_FILENO, text, sizeof text - 1);
    _exit(EXIT_CODE);
}

static void watch_room(void)
{
    struct sigaction now;
    bool is_free = sigaction(SIGBUS, NULL, &now) == 0 && now.sa_handler == SIG_DFL;
    if (is_free) { /* else somebody knows better, as a sanitizer does */
        now = (struct sigaction){.sa_handler = end_without_room};
        (void)sigaction(SIGBUS, &now, NULL);
    }
}

/** The room on disk is there before anybody writes: else the first one to write would be killed. */
static void *map_file(size_t size_bytes)
{
    int fd = wpa_temporary_open();
    bool has_room = fd >= 0 && posix_fallocate(fd, 0, (off_t)size_bytes) == 0;
    void *memory = has_room ? map(fd, size_bytes) : NULL;
    if (fd >= 0) {
        (void)close(fd);
    }
    return memory;
}

static void note(void *memory, size_t size_bytes)
{
    watch_room(); /* each time: it costs nothing beside the piece */
    (void)pthread_mutex_lock(&paged.lock);
    if (paged.n == paged.capacity) {
        paged.capacity = paged.capacity ? 2 * paged.capacity : 64;
        paged.pieces = wpa_realloc(paged.pieces, paged.capacity * sizeof *paged.pieces);
    }
    paged.pieces[paged.n++] = (piece){memory, size_bytes};
    (void)atomic_fetch_add(&paged.size_bytes, size_bytes);
    (void)pthread_mutex_unlock(&paged.lock);
}

void *wpa_paged_take(size_t size_bytes)
{
    void *memory = atomic_load(&paged.has_failed) ? NULL : map_file(size_bytes);
    if (memory) {
        note(memory, size_bytes);
        return memory;
    }
    atomic_store(&paged.has_failed, true);
    memory = map(-1, size_bytes);
    if (!memory) {
        (void)fprintf(stderr, "wpa: out of memory (%zu bytes)\n", size_bytes);
        abort();
    }
    return memory;
}

void wpa_paged_give(void *memory, size_t size_bytes)
{
    (void)pthread_mutex_lock(&paged.lock);
    for (size_t i = paged.n; i-- > 0;) { /* what goes came last, as a rule */
        if (paged.pieces[i].memory == memory) {
            paged.pieces[i] = paged.pieces[--paged.n];
            (void)atomic_fetch_sub(&paged.size_bytes, size_bytes);
            break;
        }
    }
    if (paged.n == 0) {
        wpa_free(paged.pieces);
        paged.pieces = NULL;
        paged.capacity = 0;
    }
    (void)pthread_mutex_unlock(&paged.lock);
    (void)munmap(memory, size_bytes);
}

/** Of pages that files stand behind; more than any limit where the system does not say. */
static size_t count_resident(void)
{
    char text[128];
    long page_bytes = sysconf(_SC_PAGESIZE);
    unsigned long n_all, n_resident, n_shared;
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    ssize_t length = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
    if (fd >= 0) {
        (void)close(fd);
    }
    text[length > 0 ? length : 0] = '\0';
    bool is_told = sscanf(text, "%lu %lu %lu", &n_all, &n_resident, &n_shared) == 3; // NOLINT
    return is_told && page_bytes > 0 ? n_shared * (size_t)page_bytes : SIZE_MAX;
}

void wpa_paged_relax(void)
{
    if (atomic_load_explicit(&paged.size_bytes, memory_order_relaxed) == 0 ||
        atomic_fetch_add_explicit(&paged.n_asked, 1, memory_order_relaxed) % ASKED_EVERY != 0 ||
        count_resident() <= RESIDENT_MAX_BYTES) {
        return;
    }
    (void)pthread_mutex_lock(&paged.lock);
    for (size_t i = 0; i < paged.n; i++) { /* what the file has is kept */
        (void)madvise(paged.pieces[i].memory, paged.pieces[i].size_bytes, MADV_DONTNEED);
    }
    (void)pthread_mutex_unlock(&paged.lock);
}
