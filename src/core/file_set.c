#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <wpa/file.h>
#include <wpa/file_set.h>
#include <wpa/text.h>

#define NEW_FILE_MODE 0644
#define NEW_FOLDER_MODE 0755

/* One file on its way. */
typedef struct item {
    const wpa_file_write *write;
    const char *path; /* absolute */
    char *draft;      /* beside it; NULL: not there, or renamed */
    const char *made; /* the first folder that had to be made for it, or NULL */
    mode_t mode;
    bool is_done;
} item;

typedef struct set {
    const char *root; /* without symlinks */
    item *items;      /* [n] */
    size_t n;
    wpa_arena *arena;
} set;

static bool fail_errno(wpa_error *err, const char *verb, const char *path)
{
    return WPA_FAIL(err, WPA_E_IO, "cannot %s '%s': %s", verb, path, wpa_strerror(errno));
}

/** Is the path what it says, without a symlink on the way? */
static bool is_straight(const char *path)
{
    char real[PATH_MAX];
    return realpath(path, real) && wpa_text_is(real, path);
}

static bool check_existing(set *s, item *it, wpa_error *err)
{
    const char *shown = it->write->path;
    struct stat status;
    size_t size_bytes;
    if (lstat(it->path, &status) != 0) {
        return WPA_FAIL(err, WPA_E_CONFLICT, "%s is gone, and nothing was changed", shown);
    }
    if (!S_ISREG(status.st_mode) || !is_straight(it->path)) {
        return WPA_FAIL(err, WPA_E_REFUSED, "%s is a symlink or lies behind one", shown);
    }
    if ((status.st_mode & (S_IWUSR | S_IWGRP | S_IWOTH)) == 0) { /* replacing would go past that */
        return WPA_FAIL(err, WPA_E_REFUSED, "%s is read-only (chmod u+w allows it)", shown);
    }
    it->mode = status.st_mode & 07777;
    const char *now = wpa_file_read(it->path, it->write->before_bytes, s->arena, &size_bytes, err);
    if (!now && err->code != WPA_E_LIMIT) {
        return false;
    }
    if (!now || size_bytes != it->write->before_bytes ||
        memcmp(now, it->write->before, size_bytes) != 0) {
        wpa_error_clear(err);
        return WPA_FAIL(err, WPA_E_CONFLICT, "%s was changed meanwhile", shown);
    }
    return true;
}

/** Folders that are missing are made, where those above them are no symlinks. */
static bool make_folders(set *s, item *it, wpa_error *err)
{
    size_t root_bytes = strlen(s->root);
    for (const char *at = strchr(it->path + root_bytes + 1, '/'); at; at = strchr(at + 1, '/')) {
        const char *folder = wpa_arena_slice(s->arena, it->path, (size_t)(at - it->path));
        if (mkdir(folder, NEW_FOLDER_MODE) == 0) {
            it->made = it->made ? it->made : folder;
        } else if (errno != EEXIST) {
            return fail_errno(err, "make the folder", folder + root_bytes + 1);
        } else if (!wpa_path_is_dir(folder) || !is_straight(folder)) {
            return WPA_FAIL(err, WPA_E_REFUSED, "%s is no folder, or a symlink",
                            folder + root_bytes + 1);
        }
    }
    return true;
}

static bool check_new(set *s, item *it, wpa_error *err)
{
    struct stat status;
    it->mode = NEW_FILE_MODE;
    if (lstat(it->path, &status) == 0) {
        return WPA_FAIL(err, WPA_E_CONFLICT, "%s is there already", it->write->path);
    }
    return make_folders(s, it, err);
}

static bool write_draft(set *s, item *it, wpa_error *err)
{
    const wpa_file_write *w = it->write;
    char *draft = wpa_arena_printf(s->arena, "%s.XXXXXX", it->path);
    int fd = mkostemp(draft, O_CLOEXEC);
    if (fd < 0) {
        return fail_errno(err, "write", w->path);
    }
    it->draft = draft;
    bool is_written = wpa_fd_write_all(fd, w->after, w->after_bytes, err);
    if (is_written && (fchmod(fd, it->mode) != 0 || fsync(fd) != 0)) {
        is_written = fail_errno(err, "write", w->path);
    }
    return (close(fd) == 0 || fail_errno(err, "write", w->path)) && is_written;
}

/** Never over a file that has come meanwhile. */
static bool put_new(const item *it)
{
    if (renameat2(AT_FDCWD, it->draft, AT_FDCWD, it->path, RENAME_NOREPLACE) == 0) {
        return true;
    }
    bool is_unknown = errno == ENOSYS || errno == EINVAL; /* not every file system can */
    return is_unknown && link(it->draft, it->path) == 0 && unlink(it->draft) == 0;
}

static bool put(item *it, wpa_error *err)
{
    bool is_put = it->write->before ? rename(it->draft, it->path) == 0 : put_new(it);
    if (!is_put) {
        return fail_errno(err, "replace", it->write->path);
    }
    it->draft = NULL;
    it->is_done = true;
    return true;
}

/** Everything as it was, as far as that is possible. */
static void take_back(set *s)
{
    for (size_t i = s->n; i-- > 0;) {
        item *it = &s->items[i];
        wpa_error ignored = {0};
        if (!it->write) {
            continue; /* its turn has not come */
        }
        if (it->draft) {
            (void)unlink(it->draft);
        }
        if (it->is_done && it->write->before) {
            (void)!wpa_file_replace(it->path, it->write->before, it->write->before_bytes, it->mode,
                                    &ignored);
        } else if (it->is_done) {
            (void)unlink(it->path);
        }
        const char *folder = it->path ? it->path : "";
        while (it->made && strlen(folder) > strlen(it->made)) { /* only those that are empty go */
            folder = wpa_arena_slice(s->arena, folder, (size_t)(strrchr(folder, '/') - folder));
            (void)rmdir(folder);
        }
    }
}

static bool prepare(set *s, item *it, wpa_error *err)
{
    if (!wpa_path_check_relative(it->write->path, err)) {
        err->code = WPA_E_REFUSED;
        return false;
    }
    it->path = wpa_path_join(s->arena, s->root, it->write->path);
    return (it->write->before ? check_existing(s, it, err) : check_new(s, it, err)) &&
           write_draft(s, it, err);
}

bool wpa_files_write(const char *folder, const wpa_file_write *writes, size_t n, wpa_arena *arena,
                     wpa_error *err)
{
    char root[PATH_MAX];
    if (!realpath(folder, root)) {
        return fail_errno(err, "find", folder);
    }
    set s = {.root = root, .n = n, .arena = arena};
    s.items = wpa_arena_array(arena, n + 1, sizeof *s.items);
    bool ok = true;
    for (size_t i = 0; i < n && ok; i++) {
        s.items[i] = (item){.write = &writes[i], .path = NULL};
        ok = prepare(&s, &s.items[i], err);
    }
    for (size_t i = 0; i < n && ok; i++) {
        ok = put(&s.items[i], err);
    }
    if (!ok) {
        take_back(&s);
    }
    return ok;
}
