/* The git adapter on real temporary repositories. */
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <wpa/file.h>
#include <wpa/text.h>

#include "git/git.h"

#define MAIN "refs/heads/main"

typedef struct state {
    wpa_arena *arena;
    char *folder;
    wpa_git *git;
    char first[WPA_OID_SIZE];
} state;

static const wpa_git_identity identity = {"wpa", "wpa@example.org", 1767225600};

static wpa_git_edit edit_of(wpa_arena *arena, const char *path, const char *before,
                            const char *text)
{
    wpa_error err = {0};
    char *after = wpa_arena_alloc(arena, WPA_OID_SIZE);
    assert_true(wpa_git_blob_id(text, strlen(text), after, &err));
    return (wpa_git_edit){path, before, after, text, strlen(text)};
}

static int setup(void **out)
{
    wpa_error err = {0};
    state *s = test_calloc(1, sizeof *s);
    s->arena = wpa_arena_new();
    s->folder = wpa_dir_temp("/tmp/wpa-git", s->arena, &err);
    assert_non_null(s->folder);
    s->git = wpa_git_create(wpa_path_join(s->arena, s->folder, "ledger.git"), "main", &err);
    assert_non_null(s->git);
    const wpa_git_edit edits[] = {
        edit_of(s->arena, "README.md", NULL, "ledger\n"),
        edit_of(s->arena, ".github/workflows/ci.yml", NULL, "on: push\n"),
    };
    assert_true(wpa_git_commit_make(s->git, NULL, edits, 2, &identity, "First\n", s->first, &err));
    assert_true(wpa_git_ref_swap(s->git, MAIN, WPA_OID_ZERO, s->first, &err));
    *out = s;
    return 0;
}

static int teardown(void **in)
{
    state *s = *in;
    wpa_error err = {0};
    wpa_git_close(s->git);
    assert_true(wpa_dir_remove(s->folder, &err));
    wpa_arena_free(s->arena);
    test_free(s);
    return 0;
}

static void reads_what_was_written(void **in)
{
    state *s = *in;
    wpa_error err = {0};
    char tip[WPA_OID_SIZE];
    assert_true(wpa_git_ref_read(s->git, MAIN, tip, &err));
    assert_string_equal(tip, s->first);
    wpa_git_entries all;
    assert_true(wpa_git_tree_list(s->git, tip, "", true, 100, s->arena, &all, &err));
    assert_int_equal(all.n, 2);
    assert_string_equal(all.items[0].path, ".github/workflows/ci.yml");
    size_t size = 0;
    const char *text = wpa_git_blob_read(s->git, all.items[0].oid, 100, s->arena, &size, &err);
    assert_string_equal(text, "on: push\n");
    assert_null(wpa_git_blob_read(s->git, all.items[0].oid, 8, s->arena, &size, &err));
    assert_int_equal(err.code, WPA_E_LIMIT);
    assert_true(wpa_git_tree_list(s->git, tip, ".github/none", false, 100, s->arena, &all, &err));
    assert_int_equal(all.n, 0);
    assert_false(wpa_git_tree_list(s->git, tip, "", true, 1, s->arena, &all, &err));
    assert_int_equal(err.code, WPA_E_LIMIT);
    assert_false(wpa_git_ref_read(s->git, "refs/heads/none", tip, &err));
    assert_int_equal(err.code, WPA_E_NOT_FOUND);
    assert_false(wpa_git_ref_read(s->git, "main", tip, &err));
    assert_int_equal(err.code, WPA_E_INVALID);
}

static void same_input_same_commit(void **in)
{
    state *s = *in;
    wpa_error err = {0};
    char before[WPA_OID_SIZE];
    assert_true(wpa_git_blob_id("on: push\n", 9, before, &err));
    const wpa_git_edit edit = edit_of(s->arena, ".github/workflows/ci.yml", before, "on: [push]\n");
    char a[WPA_OID_SIZE];
    char b[WPA_OID_SIZE];
    const char *message = "Change\n\nBody\n\nWpa-Patch: p-1\nWpa-Deployment: d-2\n";
    assert_true(wpa_git_commit_make(s->git, s->first, &edit, 1, &identity, message, a, &err));
    assert_true(wpa_git_commit_make(s->git, s->first, &edit, 1, &identity, message, b, &err));
    assert_string_equal(a, b);

    wpa_git_commit commit;
    assert_true(wpa_git_commit_read(s->git, a, s->arena, &commit, &err));
    assert_string_equal(commit.parent, s->first);
    assert_int_equal(commit.time_s, identity.time_s);
    size_t n = 0;
    const wpa_git_trailer *trailers = wpa_git_trailers(commit.message, s->arena, &n, &err);
    assert_int_equal(n, 2);
    assert_string_equal(wpa_git_trailer_find(trailers, n, "Wpa-Deployment"), "d-2");
    assert_null(wpa_git_trailer_find(trailers, n, "Wpa-None"));

    bool yes = false;
    assert_true(wpa_git_is_ancestor(s->git, s->first, a, &yes, &err) && yes);
    assert_true(wpa_git_is_ancestor(s->git, a, s->first, &yes, &err) && !yes);
    assert_true(wpa_git_is_ancestor(s->git, a, a, &yes, &err) && yes);
    size_t ahead = 0;
    assert_true(wpa_git_count_commits(s->git, s->first, a, &ahead, &err));
    assert_int_equal(ahead, 1);
}

static void a_commit_is_made_again_from_its_object(void **in)
{
    state *s = *in;
    wpa_error err = {0};
    char before[WPA_OID_SIZE];
    assert_true(wpa_git_blob_id("ledger\n", 7, before, &err));
    const wpa_git_edit edit = edit_of(s->arena, "README.md", before, "ledger 2\n");
    char oid[WPA_OID_SIZE];
    assert_true(wpa_git_commit_make(s->git, s->first, &edit, 1, &identity, "R\n", oid, &err));
    size_t size = 0;
    const void *raw = wpa_git_commit_raw(s->git, oid, s->arena, &size, &err);
    assert_non_null(raw);

    /* Elsewhere: the same first commit, and nothing of the second. */
    WPA_AUTO(wpa_git) *other =
        wpa_git_create(wpa_path_join(s->arena, s->folder, "other.git"), "main", &err);
    const wpa_git_edit edits[] = {
        edit_of(s->arena, "README.md", NULL, "ledger\n"),
        edit_of(s->arena, ".github/workflows/ci.yml", NULL, "on: push\n"),
    };
    char first[WPA_OID_SIZE];
    assert_true(wpa_git_commit_make(other, NULL, edits, 2, &identity, "First\n", first, &err));
    assert_string_equal(first, s->first);
    assert_true(wpa_git_commit_restore(other, raw, size, &edit, 1, oid, &err));
    wpa_git_commit commit;
    assert_true(wpa_git_commit_read(other, oid, s->arena, &commit, &err));
    assert_false(wpa_git_commit_restore(other, raw, size, &edit, 1, first, &err));
    assert_int_equal(err.code, WPA_E_INVALID);
    const wpa_git_edit wrong = edit_of(s->arena, "README.md", before, "ledger 3\n");
    assert_false(wpa_git_commit_restore(other, raw, size, &wrong, 1, oid, &err));
    assert_int_equal(err.code, WPA_E_INVALID);
    assert_false(wpa_git_commit_restore(other, "tree", 4, &edit, 1, oid, &err));
}

static void refs_move_by_comparison_only(void **in)
{
    state *s = *in;
    wpa_error err = {0};
    char next[WPA_OID_SIZE];
    const wpa_git_edit edit = edit_of(s->arena, "new.txt", NULL, "x");
    assert_true(wpa_git_commit_make(s->git, s->first, &edit, 1, &identity, "N\n", next, &err));
    assert_false(wpa_git_ref_swap(s->git, MAIN, WPA_OID_ZERO, next, &err));
    assert_int_equal(err.code, WPA_E_CONFLICT);
    assert_false(wpa_git_ref_swap(s->git, MAIN, next, s->first, &err));
    assert_int_equal(err.code, WPA_E_CONFLICT);
    assert_false(wpa_git_ref_swap(s->git, "refs/heads/gone", s->first, next, &err));
    assert_int_equal(err.code, WPA_E_CONFLICT);
    assert_true(wpa_git_ref_swap(s->git, MAIN, s->first, next, &err));
    char tip[WPA_OID_SIZE];
    assert_true(wpa_git_ref_refresh(s->git, MAIN, tip, &err));
    assert_string_equal(tip, next);
    assert_true(wpa_git_ref_swap(s->git, "refs/heads/x", WPA_OID_ZERO, next, &err));
    assert_false(wpa_git_ref_swap(s->git, "refs/heads/x", s->first, WPA_OID_ZERO, &err));
    assert_true(wpa_git_ref_swap(s->git, "refs/heads/x", next, WPA_OID_ZERO, &err));
    assert_false(wpa_git_ref_read(s->git, "refs/heads/x", tip, &err));
    assert_true(wpa_git_can_push(s->git, MAIN, &err));

    /* A lock that another program holds ends in an answer, not in waiting for ever. */
    const char *lock = wpa_path_join(s->arena, wpa_git_path(s->git), "refs/heads/main.lock");
    assert_true(wpa_file_replace(lock, "", 0, 0644, &err));
    assert_false(wpa_git_ref_swap(s->git, MAIN, next, s->first, &err));
    assert_int_equal(err.code, WPA_E_UNAVAILABLE);
    assert_int_equal(unlink(lock), 0);
}

static void bad_edits_are_refused(void **in)
{
    state *s = *in;
    char before[WPA_OID_SIZE];
    wpa_error err = {0};
    assert_true(wpa_git_blob_id("ledger\n", 7, before, &err));
    wpa_git_edit lie = edit_of(s->arena, "README.md", before, "a");
    lie.bytes = "b";
    const struct {
        wpa_git_edit edit;
        wpa_code code;
    } cases[] = {
        {edit_of(s->arena, "../x", NULL, "x"), WPA_E_INVALID},
        {edit_of(s->arena, "/x", NULL, "x"), WPA_E_INVALID},
        {edit_of(s->arena, ".git/config", NULL, "x"), WPA_E_INVALID},
        {edit_of(s->arena, "a/.GIT/config", NULL, "x"), WPA_E_INVALID},
        {edit_of(s->arena, "a\\b", NULL, "x"), WPA_E_INVALID},
        {edit_of(s->arena, "a\nb", NULL, "x"), WPA_E_INVALID},
        {edit_of(s->arena, "README.md", NULL, "x"), WPA_E_CONFLICT},
        {edit_of(s->arena, "none.md", before, "x"), WPA_E_CONFLICT},
        {edit_of(s->arena, ".github/workflows/ci.yml", before, "x"), WPA_E_CONFLICT},
        {edit_of(s->arena, ".github", before, "x"), WPA_E_REFUSED},
        {lie, WPA_E_INVALID},
        {{.path = "README.md"}, WPA_E_INVALID},
    };
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        char oid[WPA_OID_SIZE];
        wpa_error why = {0};
        if (wpa_git_commit_make(s->git, s->first, &cases[i].edit, 1, &identity, "m\n", oid, &why) ||
            why.code != cases[i].code) {
            fail_msg("case %zu '%s': %s %s", i, cases[i].edit.path, wpa_code_name(why.code),
                     why.message);
        }
    }
}

/* git itself makes what our own functions refuse to write. */
static void run_git(state *s, const char *script)
{
    const char *command = wpa_arena_printf(s->arena, "set -e; cd '%s'; %s", s->folder, script);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

#define AS "git -c user.name=a -c user.email=a@example.org -c init.defaultBranch=main "

static void links_and_submodules_are_recognised(void **in)
{
    state *s = *in;
    wpa_error err = {0};
    run_git(s, AS "init -q work; cd work; mkdir -p sub .github; echo x > file; "
                  "ln -s /etc/passwd out; ln -s ../file sub/in; ln -s ../../x sub/up; "
                  "ln -s in/../../../x sub/round; ln -s /etc .github/workflows; "
                  "printf 'echo hi\\n' > run.sh; chmod +x run.sh; git add -A; "
                  "git update-index --add --cacheinfo "
                  "160000,1111111111111111111111111111111111111111,module; " AS "commit -qm links");
    WPA_AUTO(wpa_git) *git = wpa_git_open(wpa_path_join(s->arena, s->folder, "work"), &err);
    assert_non_null(git);
    assert_true(wpa_git_is_checked_out(git, MAIN));
    assert_false(wpa_git_can_push(git, MAIN, &err));
    assert_int_equal(err.code, WPA_E_REFUSED);
    char tip[WPA_OID_SIZE];
    assert_true(wpa_git_ref_read(git, MAIN, tip, &err));
    wpa_git_entry entry;
    assert_true(wpa_git_tree_find(git, tip, "module", s->arena, &entry, &err));
    assert_int_equal(entry.kind, WPA_GIT_SUBMODULE);
    assert_true(wpa_git_tree_find(git, tip, "run.sh", s->arena, &entry, &err));
    assert_int_equal(entry.kind, WPA_GIT_EXECUTABLE);
    assert_true(wpa_git_tree_find(git, tip, "out", s->arena, &entry, &err));
    assert_int_equal(entry.kind, WPA_GIT_SYMLINK);
    wpa_git_entries none;
    assert_false(
        wpa_git_tree_list(git, tip, ".github/workflows", false, 100, s->arena, &none, &err));
    assert_int_equal(err.code, WPA_E_INVALID);

    const char *target = wpa_path_join(s->arena, s->folder, "export");
    const wpa_git_export_limits limits = {100, 1000};
    size_t n_left_out = 0;
    assert_true(wpa_git_export(git, tip, target, limits, &n_left_out, &err));
    assert_int_equal(n_left_out, 5);
    struct stat info;
    assert_int_equal(lstat(wpa_path_join(s->arena, target, "sub/in"), &info), 0);
    assert_true(S_ISLNK(info.st_mode));
    assert_int_equal(stat(wpa_path_join(s->arena, target, "run.sh"), &info), 0);
    mode_t mask = umask(0);
    (void)umask(mask);
    assert_int_equal(info.st_mode & 0777, 0755 & ~mask);
    assert_int_equal(lstat(wpa_path_join(s->arena, target, "out"), &info), -1);
    assert_false(wpa_git_export(git, tip, wpa_path_join(s->arena, s->folder, "small"),
                                (wpa_git_export_limits){100, 3}, &n_left_out, &err));
    assert_int_equal(err.code, WPA_E_LIMIT);
}

#define MAKE_BLOB "git hash-object -w --stdin"
#define COMMIT_AS(ref) "git update-ref refs/heads/" ref " $(" AS "commit-tree -m x $root)"

/* A tree that names "d" twice, as a link and as a folder with a link in it. */
static void a_link_is_not_made_through_another(void **in)
{
    state *s = *in;
    wpa_error err = {0};
    run_git(
        s, "cd ledger.git; up=$(printf ../../../../out | " MAKE_BLOB "); "
           "over=$(printf ../../../s | " MAKE_BLOB "); file=$(echo x | " MAKE_BLOB "); "
           "s=$(printf '100644 blob %s\tf\n' $file | git mktree); "
           "d=$(printf '120000 blob %s\tx\n' $up | git mktree); "
           "c=$(printf '120000 blob %s\td\n040000 tree %s\td\n' $over $d | git mktree); "
           "b=$(printf '040000 tree %s\tc\n' $c | git mktree); "
           "a=$(printf '040000 tree %s\tb\n' $b | git mktree); "
           "root=$(printf '040000 tree %s\ta\n040000 tree %s\ts\n' $a $s | git mktree); " COMMIT_AS(
               "twice"));
    char tip[WPA_OID_SIZE];
    assert_true(wpa_git_ref_read(s->git, "refs/heads/twice", tip, &err));
    const char *target = wpa_path_join(s->arena, s->folder, "export");
    size_t n_left_out = 0;
    struct stat info;
    assert_false(
        wpa_git_export(s->git, tip, target, (wpa_git_export_limits){100, 1000}, &n_left_out, &err));
    assert_int_equal(err.code, WPA_E_INVALID);
    assert_int_equal(lstat(wpa_path_join(s->arena, target, "s/x"), &info), -1);
}

/* Ten folders in each of ten, twelve levels deep, and not one file. */
static void folders_without_files_have_an_end(void **in)
{
    state *s = *in;
    wpa_error err = {0};
    run_git(s,
            "cd ledger.git; root=$(git mktree </dev/null); "
            "for level in 1 2 3 4 5 6 7 8 9 10 11 12; do root=$(for name in 0 1 2 3 4 5 6 7 8 9; "
            "do printf '040000 tree %s\t%s\n' $root $name; done | git mktree); done; " COMMIT_AS(
                "many"));
    char tip[WPA_OID_SIZE];
    wpa_git_entries all;
    assert_true(wpa_git_ref_read(s->git, "refs/heads/many", tip, &err));
    assert_false(wpa_git_tree_list(s->git, tip, "", true, 1000, s->arena, &all, &err));
    assert_int_equal(err.code, WPA_E_LIMIT);
}

static void branches_of_further_work_trees_stay(void **in)
{
    state *s = *in;
    wpa_error err = {0};
    run_git(s, "git -C ledger.git worktree add -q -b side ../side main");
    assert_true(wpa_git_is_checked_out(s->git, "refs/heads/side"));
    assert_false(wpa_git_is_checked_out(s->git, MAIN));
    assert_false(wpa_git_ref_swap(s->git, "refs/heads/side", s->first, WPA_OID_ZERO, &err));
    assert_int_equal(err.code, WPA_E_REFUSED);
    /* It may be read, and by nobody else be deployed to. */
    const char *side = wpa_path_join(s->arena, s->folder, "side");
    assert_null(wpa_git_open(side, &err));
    assert_int_equal(err.code, WPA_E_INVALID);
    wpa_error_clear(&err);
    WPA_AUTO(wpa_git) *git = wpa_git_open_to_read(side, &err);
    assert_non_null(git);
    assert_string_equal(wpa_git_head_branch(git, s->arena), "side");
    char tip[WPA_OID_SIZE];
    assert_true(wpa_git_revision_find(git, "HEAD", tip, &err));
    assert_true(wpa_git_ref_read(git, MAIN, tip, &err));
    run_git(s, "mkdir -p inner/loop; echo 'gitdir: ../ledger.git' > inner/.git; "
               "echo 'gitdir: .' > inner/loop/.git");
    const char *inner = wpa_path_join(s->arena, s->folder, "inner");
    WPA_AUTO(wpa_git) *module = wpa_git_open_to_read(inner, &err);
    assert_non_null(module);
    assert_true(wpa_git_ref_read(module, MAIN, tip, &err));
    assert_null(wpa_git_open_to_read(wpa_path_join(s->arena, inner, "loop"), &err));
    assert_null(wpa_git_open_to_read(wpa_path_join(s->arena, inner, "none"), &err));
    run_git(s, "rm -r side; git -C ledger.git worktree prune");
    assert_false(wpa_git_is_checked_out(s->git, "refs/heads/side"));
}

static void urls(void **in)
{
    state *s = *in;
    wpa_error err = {0};
    const struct {
        const char *url;
        bool is_local;
        const char *name;
        const char *visible;
    } cases[] = {
        {"/srv/git/ledger-api.git", true, "ledger-api", "/srv/git/ledger-api.git"},
        {"../work/web/", true, "web", "../work/web/"},
        {"file:///srv/x.git", true, "x", "file:///srv/x.git"},
        {"https://me:secret@example.org/a/b.git", false, "b", "https://***@example.org/a/b.git"},
        {"https://example.org:8443/a/b", false, "b", "https://example.org:8443/a/b"},
        {"git@example.org:acme/pay.git", false, "pay", "git@example.org:acme/pay.git"},
        {"https://me:se@cret@example.org/b", false, "b", "https://***@example.org/b"},
        {"https://token@example.org/a/b", false, "b", "https://***@example.org/a/b"},
        {"ssh://me:secret@example.org/b", false, "b", "ssh://me:***@example.org/b"},
        {"ssh://git@example.org/a/b@2", false, "b@2", "ssh://git@example.org/a/b@2"},
        {"/srv/work/.git", true, "work", "/srv/work/.git"},
    };
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        assert_int_equal(wpa_git_url_is_local(cases[i].url), cases[i].is_local);
        assert_string_equal(wpa_git_url_name(s->arena, cases[i].url), cases[i].name);
        assert_string_equal(wpa_git_url_visible(s->arena, cases[i].url), cases[i].visible);
    }
    assert_null(wpa_git_open("/nonexistent/x.git", &err));
    assert_int_equal(err.code, WPA_E_NOT_FOUND);
    assert_null(wpa_git_open("/tmp", &err));
    assert_int_equal(err.code, WPA_E_INVALID);
}

/** A listening socket that answers nothing. */
static int open_silent_host(state *s, const char **url)
{
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    assert_int_equal(bind(fd, (struct sockaddr *)&address, length), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    *url = wpa_arena_printf(s->arena, "http://127.0.0.1:%d/x.git", (int)ntohs(address.sin_port));
    return fd;
}

static void *ask_for_refs(void *url)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_error err = {0};
    wpa_git_remote_ref *refs;
    size_t n;
    (void)!wpa_git_remote_refs(url, 4000, 10, arena, &refs, &n, &err);
    return NULL;
}

/* Else whoever waits for the end of such a pipe waits for the network too. */
static void an_exchange_keeps_nothing_open(void **in)
{
    state *s = *in;
    const char *url;
    int ends[2];
    pthread_t thread;
    const int host = open_silent_host(s, &url);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(pthread_create(&thread, NULL, ask_for_refs, wpa_arena_text(s->arena, url)), 0);
    const int caller = accept4(host, NULL, NULL, SOCK_CLOEXEC); /* the child is there */
    assert_true(caller >= 0);
    close(ends[1]);
    struct pollfd closed = {.fd = ends[0], .events = POLLIN};
    assert_int_equal(poll(&closed, 1, 1000), 1);
    assert_true(closed.revents & POLLHUP);
    close(ends[0]);
    close(caller);
    close(host);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

static void a_silent_host_ends_at_the_deadline(void **in)
{
    state *s = *in;
    wpa_error err = {0};
    const char *url;
    const int fd = open_silent_host(s, &url);
    const char *cache = wpa_path_join(s->arena, s->folder, "cache");
    assert_null(wpa_git_reach(url, "main", cache, 300, &err));
    assert_int_equal(err.code, WPA_E_TIMEOUT);
    close(fd);
    assert_null(wpa_git_reach(url, "main", cache, 5000, &err));
    assert_int_equal(err.code, WPA_E_UNAVAILABLE);
    /* Whoever made the mirror was ended in the middle of it. */
    run_git(s, "rm -r cache/*.git/HEAD cache/*.git/refs");
    assert_null(wpa_git_reach(url, "main", cache, 5000, &err));
    assert_int_equal(err.code, WPA_E_UNAVAILABLE);
}

int main(void)
{
    wpa_error err = {0};
    if (!wpa_git_init(&err)) {
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reads_what_was_written, setup, teardown),
        cmocka_unit_test_setup_teardown(same_input_same_commit, setup, teardown),
        cmocka_unit_test_setup_teardown(a_commit_is_made_again_from_its_object, setup, teardown),
        cmocka_unit_test_setup_teardown(refs_move_by_comparison_only, setup, teardown),
        cmocka_unit_test_setup_teardown(bad_edits_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(links_and_submodules_are_recognised, setup, teardown),
        cmocka_unit_test_setup_teardown(a_link_is_not_made_through_another, setup, teardown),
        cmocka_unit_test_setup_teardown(folders_without_files_have_an_end, setup, teardown),
        cmocka_unit_test_setup_teardown(branches_of_further_work_trees_stay, setup, teardown),
        cmocka_unit_test_setup_teardown(urls, setup, teardown),
        cmocka_unit_test_setup_teardown(an_exchange_keeps_nothing_open, setup, teardown),
        cmocka_unit_test_setup_teardown(a_silent_host_ends_at_the_deadline, setup, teardown),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    wpa_git_shutdown();
    return failed;
}
