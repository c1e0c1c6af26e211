#include "core/library.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

#define MAX_CALLS 256

/** dlerror's text belongs to the thread. */
static bool fail(const char *name, wpa_error *err)
{
    const char *why = dlerror(); /* NOLINT(concurrency-mt-unsafe): glibc keeps one a thread */
    return WPA_FAIL(err, WPA_E_UNAVAILABLE, "cannot load %s: %s", name, why ? why : "no reason");
}

static bool open_library(const char *name, const char *const names[], size_t n, void *calls,
                         wpa_error *err)
{
    void *found[MAX_CALLS];
    void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!library) {
        return fail(name, err);
    }
    for (size_t i = 0; i < n; i++) {
        found[i] = dlsym(library, names[i]);
        if (!found[i]) {
            return fail(name, err);
        }
    }
    memcpy(calls, found, n * sizeof *found);
    return true;
}

bool wpa_library_open(const char *name, const char *const names[], size_t n, void *calls,
                      wpa_error *err)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static const void *none;
    if (n == 0 || n > MAX_CALLS) {
        return WPA_FAIL(err, WPA_E_INTERNAL, "%s: %zu functions", name, n);
    }
    (void)pthread_mutex_lock(&lock);
    bool is_open = memcmp(calls, &none, sizeof none) != 0;
    bool ok = is_open || open_library(name, names, n, calls, err);
    (void)pthread_mutex_unlock(&lock);
    return ok;
}
