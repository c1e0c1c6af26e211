/* Opening repositories and reading refs. */
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <wpa/clock.h>
#include <wpa/file.h>
#include <wpa/memory.h>
#include <wpa/text.h>

#include "git/internal.h"

#define LOCK_TRIES 20
#define HEAD_MAX_BYTES ((size_t)4096)
#define LINK_MAX_BYTES ((size_t)8192)

bool wpa_git_init(wpa_error *err)
{
    if (!wpa_git2_open(err)) {
        return false;
    }
    int rc = git_libgit2_init();
    if (rc < 0) {
        return wpa_git_fail(rc, err, "start libgit2");
    }
    /* What a repository is must not depend on who asks: no user's or host's configuration. */
    static const int levels[] = {GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_XDG,
                                 GIT_CONFIG_LEVEL_GLOBAL, GIT_CONFIG_LEVEL_PROGRAMDATA};
    for (size_t i = 0; i < WPA_COUNT(levels); i++) {
        rc = git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, levels[i], "/nonexistent");
        if (rc < 0) {
            return wpa_git_fail(rc, err, "leave out the user's git configuration");
        }
    }
    rc = git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 1);
    return rc == 0 || wpa_git_fail(rc, err, "switch fsync on");
}

void wpa_git_shutdown(void)
{
    git_libgit2_shutdown();
}

static wpa_code code_of(int rc, int klass)
{
    switch (rc) {
    case GIT_ENOTFOUND:
        return WPA_E_NOT_FOUND;
    case GIT_EEXISTS:
    case GIT_EMODIFIED:
    case GIT_ENONFASTFORWARD:
        return WPA_E_CONFLICT;
    case GIT_ELOCKED:
        return WPA_E_UNAVAILABLE;
    case GIT_EAUTH:
    case GIT_ECERTIFICATE:
        return WPA_E_DENIED;
    case GIT_EINVALIDSPEC:
        return WPA_E_INVALID;
    default:
        break;
    }
    switch (klass) {
    case GIT_ERROR_NET:
    case GIT_ERROR_SSL:
    case GIT_ERROR_SSH:
    case GIT_ERROR_HTTP:
        return WPA_E_UNAVAILABLE;
    case GIT_ERROR_OS:
        return WPA_E_IO;
    default:
        return WPA_E_INVALID;
    }
}

bool wpa_git_fail(int rc, wpa_error *err, const char *format, ...)
{
    const git_error *last = git_error_last(); /* overwritten by the next call: copied at once */
    char words[512];
    const bool has_words = last != NULL && last->klass != GIT_ERROR_NONE && last->message != NULL;
    wpa_text_copy(words, sizeof words, has_words ? last->message : "no reason given");
    const int klass = has_words ? last->klass : GIT_ERROR_NONE;
    char doing[512];
    va_list values;
    va_start(values, format);
    (void)vsnprintf(doing, sizeof doing, format, values);
    va_end(values);
    return WPA_FAIL(err, code_of(rc, klass), "%s: %s", doing, words);
}

bool wpa_git_oid_parse(const char *hex, git_oid *oid, wpa_error *err)
{
    if (strlen(hex) != GIT_OID_HEXSZ || git_oid_fromstr(oid, hex) != 0) {
        return WPA_FAIL(err, WPA_E_INVALID, "'%s' is no object id (40 hex digits)", hex);
    }
    return true;
}

bool wpa_git_url_is_local(const char *url)
{
    if (wpa_text_starts(url, "file://")) {
        return true;
    }
    /* git's own rule: "host:path" is ssh unless a slash comes before the colon. */
    const char *colon = strchr(url, ':');
    const char *slash = strchr(url, '/');
    return colon == NULL || (slash != NULL && slash < colon);
}

char *wpa_git_url_visible(wpa_arena *arena, const char *url)
{
    char *visible = wpa_text_visible(arena, url, strlen(url), false);
    char *start = strstr(visible, "://");
    if (start == NULL) {
        return visible;
    }
    start += 3;
    char *at = memrchr(start, '@', strcspn(start, "/?#"));
    if (at == NULL) {
        return visible;
    }
    char *colon = memchr(start, ':', (size_t)(at - start));
    if (wpa_text_starts(visible, "http")) { /* where a token may stand for the user */
        return wpa_arena_printf(arena, "%.*s***%s", (int)(start - visible), visible, at);
    }
    if (colon == NULL) {
        return visible;
    }
    *colon = '\0';
    return wpa_arena_printf(arena, "%s:***%s", visible, at);
}

char *wpa_git_url_name(wpa_arena *arena, const char *url)
{
    size_t end = strlen(url);
    while (end > 0 && url[end - 1] == '/') {
        end--;
    }
    if (end > 5 && strncmp(url + end - 5, "/.git", 5) == 0) {
        end -= 5;
    } else if (end > 4 && strncmp(url + end - 4, ".git", 4) == 0) {
        end -= 4;
    }
    size_t start = end;
    while (start > 0 && url[start - 1] != '/' && url[start - 1] != ':') {
        start--;
    }
    return wpa_arena_slice(arena, url + start, end - start);
}

wpa_git *wpa_git_open_at(const char *path, wpa_error *err)
{
    git_repository *repo = NULL;
    /* open_bare: no owner check and no walk upwards, see the misleading safe.directory error. */
    const int rc = git_repository_open_bare(&repo, path);
    if (rc != 0) {
        wpa_git_fail(rc, err, "open repository '%s'", path);
        if (err->code == WPA_E_NOT_FOUND) {
            WPA_FAIL(err, WPA_E_INVALID, "'%s' is no git repository", path);
        }
        return NULL;
    }
    wpa_git *git = wpa_alloc(sizeof *git);
    git->repo = repo;
    git->path = wpa_strdup(path);
    return git;
}

/** The folder behind a path or file:// URL, without symlinks; NULL with *err set. */
static const char *real_folder(const char *path, wpa_arena *arena, wpa_error *err)
{
    const char *plain = wpa_text_starts(path, "file://") ? path + strlen("file://") : path;
    char *real = realpath(plain, NULL);
    if (real == NULL) {
        WPA_FAIL(err, errno == ENOENT ? WPA_E_NOT_FOUND : WPA_E_IO, "repository '%s': %s", plain,
                 wpa_strerror(errno));
        return NULL;
    }
    const char *folder = wpa_arena_text(arena, real);
    free(real); /* libc's memory */
    return folder;
}

wpa_git *wpa_git_open(const char *path, wpa_error *err)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const char *folder = real_folder(path, arena, err);
    if (folder == NULL) {
        return NULL;
    }
    const char *inner = wpa_path_join(arena, folder, ".git");
    return wpa_git_open_at(wpa_path_is_dir(inner) ? inner : folder, err);
}

/** What "gitdir: FOLDER" in a file names, from the file's own folder on; NULL if it is no such. */
static const char *linked_folder(const char *folder, wpa_arena *arena)
{
    static const char key[] = "gitdir: ";
    wpa_error ignored = {0};
    size_t size_bytes;
    const char *text = wpa_file_read(wpa_path_join(arena, folder, ".git"), LINK_MAX_BYTES, arena,
                                     &size_bytes, &ignored);
    if (text == NULL || !wpa_text_starts(text, key)) {
        return NULL;
    }
    const char *named = text + sizeof key - 1;
    named = wpa_arena_slice(arena, named, strcspn(named, "\r\n"));
    return *named == '/' ? named : wpa_path_join(arena, folder, named);
}

wpa_git *wpa_git_open_to_read(const char *path, wpa_error *err)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const char *folder = real_folder(path, arena, err);
    const char *linked = folder ? linked_folder(folder, arena) : NULL;
    return linked ? wpa_git_open_at(linked, err) : folder ? wpa_git_open(folder, err) : NULL;
}

wpa_git *wpa_git_create(const char *path, const char *branch, wpa_error *err)
{
    git_repository_init_options options = {.version = GIT_REPOSITORY_INIT_OPTIONS_VERSION};
    options.flags =
        GIT_REPOSITORY_INIT_BARE | GIT_REPOSITORY_INIT_MKPATH | GIT_REPOSITORY_INIT_NO_REINIT;
    options.initial_head = branch;
    git_repository *repo = NULL;
    const int rc = git_repository_init_ext(&repo, path, &options);
    if (rc != 0) {
        wpa_git_fail(rc, err, "create repository '%s'", path);
        return NULL;
    }
    wpa_git *git = wpa_alloc(sizeof *git);
    git->repo = repo;
    git->path = wpa_strdup(path);
    return git;
}

wpa_git *wpa_git_reach(const char *url, const char *branch, const char *cache_dir,
                       int64_t timeout_ms, wpa_error *err)
{
    if (wpa_git_url_is_local(url)) {
        return wpa_git_open(url, err);
    }
    if (strlen(branch) > WPA_GIT_BRANCH_MAX_BYTES) {
        WPA_FAIL(err, WPA_E_LIMIT, "the name of the branch has more than %d bytes",
                 WPA_GIT_BRANCH_MAX_BYTES);
        return NULL;
    }
    WPA_AUTO(wpa_git) *git = wpa_git_mirror_open(url, branch, cache_dir, err);
    if (git == NULL) {
        return NULL;
    }
    git->url = wpa_strdup(url);
    git->branch = wpa_strdup(branch);
    git->timeout_ms = timeout_ms;
    if (!wpa_git_remote_fetch(git, err)) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        wpa_error_within(err, "fetch %s", wpa_git_url_visible(arena, url));
        return NULL;
    }
    return WPA_STEAL(git);
}

void wpa_git_close(wpa_git *git)
{
    if (git != NULL) {
        git_repository_free(git->repo);
        wpa_free(git->path);
        wpa_free(git->url);
        wpa_free(git->branch);
        wpa_free(git);
    }
}

const char *wpa_git_path(const wpa_git *git)
{
    return git->path;
}

char *wpa_git_head_branch(wpa_git *git, wpa_arena *arena)
{
    WPA_AUTO(git_reference) *head = NULL;
    if (git_reference_lookup(&head, git->repo, "HEAD") != 0) {
        return NULL;
    }
    const char *target = git_reference_symbolic_target(head);
    return target != NULL && wpa_text_starts(target, "refs/heads/")
               ? wpa_arena_text(arena, target + strlen("refs/heads/"))
               : NULL;
}

/** In the work tree that belongs to the repository itself. */
static bool is_in_own_work_tree(wpa_git *git, const char *ref)
{
    WPA_AUTO(git_config) *config = NULL;
    int is_bare = 1;
    if (git_repository_config_snapshot(&config, git->repo) != 0 ||
        git_config_get_bool(&is_bare, config, "core.bare") != 0 || is_bare) {
        return false;
    }
    WPA_AUTO(git_reference) *head = NULL;
    if (git_reference_lookup(&head, git->repo, "HEAD") != 0) {
        return false;
    }
    return wpa_text_is(git_reference_symbolic_target(head), ref);
}

/** In one of `git worktree`, which a bare repository can have too: each has a HEAD here. */
static bool is_in_further_work_tree(const wpa_git *git, const char *ref)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const char *folder = wpa_path_join(arena, git->path, "worktrees");
    const char *wanted = wpa_arena_printf(arena, "ref: %s\n", ref);
    DIR *dir = opendir(folder);
    const struct dirent *entry;
    bool is_there = false;
    while (dir && !is_there && (entry = readdir(dir))) { // NOLINT(concurrency-mt-unsafe): ours
        if (entry->d_name[0] == '.') { /* git names none so; ".." would lead to the own HEAD */
            continue;
        }
        wpa_error ignored = {0};
        size_t size_bytes;
        const char *head =
            wpa_path_join(arena, wpa_path_join(arena, folder, entry->d_name), "HEAD");
        is_there =
            wpa_text_is(wpa_file_read(head, HEAD_MAX_BYTES, arena, &size_bytes, &ignored), wanted);
    }
    if (dir) {
        closedir(dir);
    }
    return is_there;
}

bool wpa_git_is_checked_out(wpa_git *git, const char *ref)
{
    return git->url == NULL && (is_in_own_work_tree(git, ref) || is_in_further_work_tree(git, ref));
}

static bool fail_checked_out(const wpa_git *git, const char *ref, wpa_error *err)
{
    return WPA_FAIL(err, WPA_E_REFUSED,
                    "'%s' is checked out in a work tree of '%s' (see git worktree list); check "
                    "out another branch there, or push to a bare repository",
                    ref, git->path);
}

static bool check_ref_name(const char *ref, wpa_error *err)
{
    int is_valid = 0;
    if (!wpa_text_starts(ref, "refs/") || git_reference_name_is_valid(&is_valid, ref) != 0 ||
        !is_valid) {
        return WPA_FAIL(err, WPA_E_INVALID, "'%s' is no full ref name (refs/heads/...)", ref);
    }
    return true;
}

bool wpa_git_ref_read(wpa_git *git, const char *ref, char oid[WPA_OID_SIZE], wpa_error *err)
{
    if (!check_ref_name(ref, err)) {
        return false;
    }
    git_oid id;
    const int rc = git_reference_name_to_id(&id, git->repo, ref);
    if (rc == GIT_ENOTFOUND) {
        return WPA_FAIL(err, WPA_E_NOT_FOUND, "no ref '%s' in '%s'", ref, git->path);
    }
    if (rc != 0) {
        return wpa_git_fail(rc, err, "read ref '%s' in '%s'", ref, git->path);
    }
    git_oid_tostr(oid, WPA_OID_SIZE, &id);
    return true;
}

bool wpa_git_ref_refresh(wpa_git *git, const char *ref, char oid[WPA_OID_SIZE], wpa_error *err)
{
    if (git->url != NULL && !wpa_git_remote_fetch(git, err)) {
        return false;
    }
    return wpa_git_ref_read(git, ref, oid, err);
}

static int swap_once(wpa_git *git, const char *ref, const git_oid *from, const git_oid *to)
{
    WPA_AUTO(git_reference) *made = NULL;
    if (!git_oid_is_zero(to)) {
        const bool creates = git_oid_is_zero(from);
        return git_reference_create_matching(&made, git->repo, ref, to, creates ? 0 : 1, from,
                                             "wpa");
    }
    const int rc = git_reference_lookup(&made, git->repo, ref);
    if (rc != 0) {
        return rc;
    }
    const git_oid *now = git_reference_target(made);
    if (now == NULL || !git_oid_equal(now, from)) {
        return GIT_EMODIFIED;
    }
    return git_reference_delete(made); /* compares with the value just read, under the lock */
}

static bool swap_local(wpa_git *git, const char *ref, const git_oid *from, const git_oid *to,
                       wpa_error *err)
{
    int rc = GIT_ELOCKED;
    for (int i = 0; i < LOCK_TRIES && rc == GIT_ELOCKED; i++) {
        if (i > 0) { /* locks are held for microseconds; the pid spreads those who wait */
            wpa_sleep_ms(5 + (getpid() + i * 7) % 20);
        }
        rc = swap_once(git, ref, from, to);
    }
    if (rc == GIT_EMODIFIED || rc == GIT_ENOTFOUND || rc == GIT_EEXISTS) {
        return WPA_FAIL(err, WPA_E_CONFLICT, "ref '%s' in '%s' has moved meanwhile", ref,
                        git->path);
    }
    return rc == 0 || wpa_git_fail(rc, err, "move ref '%s' in '%s'", ref, git->path);
}

bool wpa_git_ref_swap(wpa_git *git, const char *ref, const char *old_oid, const char *new_oid,
                      wpa_error *err)
{
    git_oid from;
    git_oid to;
    if (!check_ref_name(ref, err) || !wpa_git_oid_parse(old_oid, &from, err) ||
        !wpa_git_oid_parse(new_oid, &to, err)) {
        return false;
    }
    if (git->url != NULL) {
        return wpa_git_remote_push(git, ref, old_oid, new_oid, err);
    }
    if (wpa_git_is_checked_out(git, ref)) {
        return fail_checked_out(git, ref, err);
    }
    return swap_local(git, ref, &from, &to, err);
}

bool wpa_git_can_push(wpa_git *git, const char *ref, wpa_error *err)
{
    if (git->url != NULL) {
        return wpa_git_remote_probe(git, err);
    }
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    if (wpa_git_is_checked_out(git, ref)) {
        return fail_checked_out(git, ref, err);
    }
    static const char *const folders[] = {"objects", "refs/heads"};
    for (size_t i = 0; i < WPA_COUNT(folders); i++) {
        const char *folder = wpa_path_join(arena, git->path, folders[i]);
        if (access(folder, W_OK | X_OK) != 0) {
            return WPA_FAIL(err, WPA_E_REFUSED, "no right to write '%s': %s", folder,
                            wpa_strerror(errno));
        }
    }
    return true;
}
