#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <wpa/clock.h>
#include <wpa/text.h>

#include "sandbox/parts.h"

#define ROOT "/sys/fs/cgroup"
#define PREFIX "wpa-"
#define CPU_PERIOD_US 100000
#define CPUS 2

static bool write_file(const char *folder, const char *name, const char *text)
{
    char path[320];
    if (!wpa_text_format(path, sizeof path, "%s/%s", folder, name)) {
        return false;
    }
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    bool is_written = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    close(fd);
    return is_written;
}

static bool write_number(const char *folder, const char *name, int64_t number)
{
    char text[32];
    wpa_text_format(text, sizeof text, "%" PRId64, number);
    return write_file(folder, name, text);
}

/** Is the controller's own file there? Asked by looking, since versions and mixtures abound. */
static bool has_file(const char *folder, const char *name)
{
    char path[320];
    return wpa_text_format(path, sizeof path, "%s/%s", folder, name) && access(path, W_OK) == 0;
}

/** Groups of threads that were killed before they could remove them; one in use stays: EBUSY. */
static void sweep(const char *parent)
{
    DIR *dir = opendir(parent);
    struct dirent *entry;
    while (dir && (entry = readdir(dir))) { // NOLINT(concurrency-mt-unsafe): the stream is ours
        int64_t thread = 0;
        if (wpa_text_starts(entry->d_name, PREFIX) &&
            wpa_text_to_int(entry->d_name + strlen(PREFIX), 1, INT32_MAX, &thread) &&
            kill((pid_t)thread, 0) != 0 && errno == ESRCH) {
            (void)unlinkat(dirfd(dir), entry->d_name, AT_REMOVEDIR);
        }
    }
    if (dir) {
        closedir(dir);
    }
}

/** Named by the thread, which makes one sandbox at a time. */
static bool make_folder(const char *parent, char *folder, size_t size_bytes)
{
    sweep(parent);
    return wpa_text_format(folder, size_bytes, "%s/" PREFIX "%d", parent, (int)gettid()) &&
           mkdir(folder, 0755) == 0;
}

/** Keep folder as a group of this run if its cgroup.procs can be written. */
static bool join(sandbox_cgroup *group, const char *folder)
{
    char path[320];
    wpa_text_format(path, sizeof path, "%s/cgroup.procs", folder);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || !wpa_text_copy(group->folders[group->n], sizeof group->folders[0], folder)) {
        rmdir(folder);
        if (fd >= 0) {
            close(fd);
        }
        return false;
    }
    group->procs[group->n++] = fd;
    return true;
}

static void make_v2(sandbox_cgroup *group, const wpa_sandbox_limits *limits)
{
    char folder[256], text[64];
    if (!make_folder(ROOT, folder, sizeof folder)) {
        return;
    }
    if (!has_file(folder, "memory.max") && !has_file(folder, "pids.max")) {
        rmdir(folder);
        return;
    }
    group->has_memory = write_number(folder, "memory.max", limits->memory_bytes);
    write_file(folder, "memory.swap.max", "0");
    write_number(folder, "pids.max", limits->processes + 16);
    wpa_text_format(text, sizeof text, "%d %d", CPUS * CPU_PERIOD_US, CPU_PERIOD_US);
    write_file(folder, "cpu.max", text);
    group->has_memory = join(group, folder) && group->has_memory;
}

static void make_v1(sandbox_cgroup *group, const wpa_sandbox_limits *limits)
{
    const struct {
        const char *controller, *file;
        int64_t value;
    } rows[] = {
        {"memory", "memory.limit_in_bytes", limits->memory_bytes},
        {"pids", "pids.max", limits->processes + 16}, /* bubblewrap and the wrapper count too */
        {"cpu", "cpu.cfs_quota_us", (int64_t)CPUS * CPU_PERIOD_US},
    };
    for (size_t i = 0; i < WPA_COUNT(rows); i++) {
        char parent[64], folder[256];
        wpa_text_format(parent, sizeof parent, ROOT "/%s", rows[i].controller);
        if (!make_folder(parent, folder, sizeof folder)) {
            continue;
        }
        if (!write_number(folder, rows[i].file, rows[i].value)) {
            rmdir(folder);
            continue;
        }
        bool is_joined = join(group, folder);
        group->has_memory = group->has_memory || (is_joined && i == 0);
    }
}

void sandbox_cgroup_make(sandbox_cgroup *group, const wpa_sandbox_limits *limits)
{
    struct statfs about;
    memset(group, 0, sizeof *group);
    if (statfs(ROOT, &about) != 0) {
        return;
    }
    if ((unsigned long)about.f_type == CGROUP2_SUPER_MAGIC) {
        make_v2(group, limits);
    } else {
        make_v1(group, limits);
    }
}

void sandbox_cgroup_remove(sandbox_cgroup *group)
{
    for (size_t i = 0; i < group->n; i++) {
        close(group->procs[i]);
        write_file(group->folders[i], "cgroup.kill", "1"); /* version 2 only */
        /* The dead leave their group a moment after they were reaped. */
        for (int round = 0; round < 50 && rmdir(group->folders[i]) != 0 && errno == EBUSY;
             round++) {
            wpa_sleep_ms(4);
        }
    }
    group->n = 0;
}
