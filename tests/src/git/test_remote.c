/* Repositories over the network: git's own server behind HTTP. */
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <wpa/file.h>
#include <wpa/text.h>

#include "git/git.h"
#include "harness/patience.h"

#define MAIN "refs/heads/main"
#define BACKEND "/usr/lib/git-core/git-http-backend"

typedef struct state {
    wpa_arena *arena;
    const char *folder, *cache, *bare, *url;
    pid_t server;
    int port;
    char first[WPA_OID_SIZE];
} state;

static const wpa_git_identity identity = {"wpa", "wpa@example.org", 1767225600};

static wpa_git_edit new_file(state *s, const char *path, const char *text)
{
    wpa_error err = {0};
    char *after = wpa_arena_alloc(s->arena, WPA_OID_SIZE);
    assert_true(wpa_git_blob_id(text, strlen(text), after, &err));
    return (wpa_git_edit){path, NULL, after, text, strlen(text)};
}

static void start_server(state *s)
{
    int ends[2];
    char line[200] = "";
    const char *source = getenv("WPA_SOURCE_DIR");
    assert_non_null(source);
    const char *script = wpa_path_join(s->arena, source, "tests/fixtures/git/git_over_http.py");
    assert_int_equal(pipe(ends), 0);
    s->server = fork();
    assert_true(s->server >= 0);
    if (s->server == 0) {
        (void)dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        execlp("python3", "python3", script, s->folder, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    struct pollfd ready = {.fd = ends[0], .events = POLLIN};
    for (size_t n = 0; n + 1 < sizeof line && strchr(line, '\n') == NULL; n++) {
        assert_int_equal(poll(&ready, 1, WPA_PATIENCE_MS), 1);
        assert_int_equal(read(ends[0], line + n, 1), 1);
    }
    close(ends[0]);
    s->port = (int)strtol(strrchr(line, ':') + 1, NULL, 10);
    assert_true(s->port > 0);
}

static int setup(void **out)
{
    wpa_error err = {0};
    state *s = test_calloc(1, sizeof *s);
    s->arena = wpa_arena_new();
    s->folder = wpa_dir_temp("/tmp/wpa-remote", s->arena, &err);
    assert_non_null(s->folder);
    s->cache = wpa_path_join(s->arena, s->folder, "cache");
    s->bare = wpa_path_join(s->arena, s->folder, "pay.git");
    WPA_AUTO(wpa_git) *git = wpa_git_create(s->bare, "main", &err);
    assert_non_null(git);
    const wpa_git_edit edit = new_file(s, "README.md", "pay\n");
    assert_true(wpa_git_commit_make(git, NULL, &edit, 1, &identity, "First\n", s->first, &err));
    assert_true(wpa_git_ref_swap(git, MAIN, WPA_OID_ZERO, s->first, &err));
    static const char config[] = "[core]\n\tbare = true\n\trepositoryformatversion = 0\n[http]\n"
                                 "\treceivepack = true\n";
    assert_true(wpa_file_replace(wpa_path_join(s->arena, s->bare, "config"), config, strlen(config),
                                 0644, &err));
    start_server(s);
    s->url = wpa_arena_printf(s->arena, "http://127.0.0.1:%d/pay.git", s->port);
    *out = s;
    return 0;
}

static int teardown(void **in)
{
    state *s = *in;
    wpa_error err = {0};
    (void)kill(s->server, SIGTERM);
    (void)waitpid(s->server, NULL, 0);
    assert_true(wpa_dir_remove(s->folder, &err));
    wpa_arena_free(s->arena);
    test_free(s);
    return 0;
}

static wpa_git *reach(state *s)
{
    wpa_error err = {0};
    wpa_git *git = wpa_git_reach(s->url, "main", s->cache, WPA_PATIENCE_MS, &err);
    if (git == NULL) {
        fail_msg("%s: %s", err.context, err.message);
    }
    return git;
}

static void push_is_a_comparison(void **in)
{
    state *s = *in;
    wpa_error err = {0};
    char tip[WPA_OID_SIZE];
    char next[WPA_OID_SIZE];
    char other[WPA_OID_SIZE];
    WPA_AUTO(wpa_git) *git = reach(s);
    assert_true(wpa_git_ref_read(git, MAIN, tip, &err));
    assert_string_equal(tip, s->first);
    assert_true(wpa_git_can_push(git, MAIN, &err));
    const wpa_git_edit edit = new_file(s, "a.txt", "a");
    assert_true(wpa_git_commit_make(git, s->first, &edit, 1, &identity, "A\n", next, &err));
    if (!wpa_git_ref_swap(git, MAIN, s->first, next, &err)) {
        fail_msg("%s", err.message);
    }
    assert_true(wpa_git_ref_refresh(git, MAIN, tip, &err));
    assert_string_equal(tip, next);

    /* Expected the first, but the server is elsewhere: nothing is sent. */
    const wpa_git_edit edit_b = new_file(s, "b.txt", "b");
    assert_true(wpa_git_commit_make(git, s->first, &edit_b, 1, &identity, "B\n", other, &err));
    assert_false(wpa_git_ref_swap(git, MAIN, s->first, other, &err));
    assert_int_equal(err.code, WPA_E_CONFLICT);
    WPA_AUTO(wpa_git) *server = wpa_git_open(s->bare, &err);
    assert_true(wpa_git_ref_read(server, MAIN, tip, &err));
    assert_string_equal(tip, next);
}

/** Of so many bytes, no part of it longer than a file's name may be. */
static const char *long_branch(state *s, size_t length)
{
    char *name = wpa_arena_alloc(s->arena, length + 1);
    memset(name, 'x', length);
    for (size_t i = 200; i < length; i += 200) {
        name[i] = '/';
    }
    return name;
}

static void a_long_name_of_a_branch_is_taken_whole_or_refused(void **in)
{
    state *s = *in;
    wpa_error err = {0};
    char tip[WPA_OID_SIZE], next[WPA_OID_SIZE];
    const char *branch = long_branch(s, WPA_GIT_BRANCH_MAX_BYTES);
    const char *ref = wpa_arena_printf(s->arena, "refs/heads/%s", branch);
    WPA_AUTO(wpa_git) *server = wpa_git_open(s->bare, &err);
    assert_true(wpa_git_ref_swap(server, ref, WPA_OID_ZERO, s->first, &err));
    WPA_AUTO(wpa_git) *git = wpa_git_reach(s->url, branch, s->cache, WPA_PATIENCE_MS, &err);
    if (!git || !wpa_git_ref_read(git, ref, tip, &err)) {
        fail_msg("%s: %s", err.context, err.message);
    }
    assert_string_equal(tip, s->first);
    const wpa_git_edit edit = new_file(s, "long.txt", "x");
    assert_true(wpa_git_commit_make(git, s->first, &edit, 1, &identity, "A\n", next, &err));
    assert_true(wpa_git_ref_swap(git, ref, s->first, next, &err));
    assert_true(wpa_git_ref_read(server, ref, tip, &err));
    assert_string_equal(tip, next);
    branch = long_branch(s, WPA_GIT_BRANCH_MAX_BYTES + 1);
    assert_null(wpa_git_reach(s->url, branch, s->cache, WPA_PATIENCE_MS, &err));
    assert_int_equal(err.code, WPA_E_LIMIT);
}

static void a_hook_says_no(void **in)
{
    state *s = *in;
    wpa_error err = {0};
    char next[WPA_OID_SIZE];
    static const char hook[] = "#!/bin/sh\necho 'the freeze lasts until Monday' >&2\nexit 1\n";
    const char *path = wpa_path_join(s->arena, s->bare, "hooks/pre-receive");
    assert_true(wpa_dir_make(wpa_path_join(s->arena, s->bare, "hooks"), 0755, &err));
    assert_true(wpa_file_replace(path, hook, strlen(hook), 0755, &err));
    assert_int_equal(chmod(path, 0755), 0);
    WPA_AUTO(wpa_git) *git = reach(s);
    const wpa_git_edit edit = new_file(s, "a.txt", "a");
    assert_true(wpa_git_commit_make(git, s->first, &edit, 1, &identity, "A\n", next, &err));
    assert_false(wpa_git_ref_swap(git, MAIN, s->first, next, &err));
    assert_int_equal(err.code, WPA_E_REFUSED);
    assert_non_null(strstr(err.message, "hook declined"));
    assert_non_null(strstr(err.message, "the freeze lasts until Monday"));
}

static void what_others_push_is_seen(void **in)
{
    state *s = *in;
    wpa_error err = {0};
    char tip[WPA_OID_SIZE];
    char next[WPA_OID_SIZE];
    WPA_AUTO(wpa_git) *git = reach(s);
    WPA_AUTO(wpa_git) *server = wpa_git_open(s->bare, &err);
    const wpa_git_edit edit = new_file(s, "a.txt", "a");
    assert_true(wpa_git_commit_make(server, s->first, &edit, 1, &identity, "A\n", next, &err));
    assert_true(wpa_git_ref_swap(server, MAIN, s->first, next, &err));
    assert_true(wpa_git_ref_refresh(git, MAIN, tip, &err));
    assert_string_equal(tip, next);
    assert_true(wpa_git_ref_swap(server, MAIN, next, WPA_OID_ZERO, &err));
    assert_false(wpa_git_ref_refresh(git, MAIN, tip, &err));
    assert_int_equal(err.code, WPA_E_NOT_FOUND);
}

/* An exchange is killed at its deadline, and with its program: in the middle of a write, too. */
static void what_killed_exchanges_left_holds_up_none(void **in)
{
    static const char *const left[] = {"refs/heads/main.lock", "FETCH_HEAD.lock",
                                       "refs/wpa/incoming/1.lock", "refs/wpa/outgoing/1",
                                       "objects/pack/pack_git2_0123456789abcdef"};
    state *s = *in;
    wpa_error err = {0};
    char tip[WPA_OID_SIZE];
    char next[WPA_OID_SIZE];
    WPA_AUTO(wpa_git) *git = reach(s);
    WPA_AUTO(wpa_git) *server = wpa_git_open(s->bare, &err);
    for (size_t i = 0; i < WPA_COUNT(left); i++) {
        const char *path = wpa_path_join(s->arena, wpa_git_path(git), left[i]);
        char *folder = wpa_arena_text(s->arena, path);
        *strrchr(folder, '/') = '\0';
        assert_true(wpa_dir_make(folder, 0700, &err));
        assert_true(wpa_file_replace(path, "", 0, 0600, &err));
    }
    const wpa_git_edit edit = new_file(s, "a.txt", "a");
    assert_true(wpa_git_commit_make(server, s->first, &edit, 1, &identity, "A\n", next, &err));
    assert_true(wpa_git_ref_swap(server, MAIN, s->first, next, &err));
    WPA_AUTO(wpa_git) *again = reach(s);
    assert_true(wpa_git_ref_read(again, MAIN, tip, &err));
    assert_string_equal(tip, next);
    assert_true(wpa_git_ref_swap(again, MAIN, next, s->first, &err));
    for (size_t i = 0; i < WPA_COUNT(left); i++) {
        bool is_there = wpa_path_exists(wpa_path_join(s->arena, wpa_git_path(git), left[i]));
        assert_int_equal(is_there, strcmp(left[i], "FETCH_HEAD.lock") == 0); /* is not used */
    }
}

static void a_mirror_whose_maker_was_killed_is_made(void **in)
{
    state *s = *in;
    wpa_error err = {0};
    WPA_AUTO(wpa_git) *git = reach(s);
    const char *path = wpa_git_path(git);
    assert_true(wpa_dir_remove(wpa_path_join(s->arena, path, "refs"), &err));
    assert_int_equal(unlink(wpa_path_join(s->arena, path, "HEAD")), 0);
    assert_int_equal(unlink(wpa_path_join(s->arena, path, "config")), 0);
    assert_true(wpa_file_replace(wpa_path_join(s->arena, path, "config.lock"), "", 0, 0600, &err));
    WPA_AUTO(wpa_git) *again = reach(s);
    assert_string_equal(wpa_git_path(again), path);
}

static void hosts_that_do_not_answer(void **in)
{
    state *s = *in;
    wpa_error err = {0};
    const char *silent = wpa_arena_printf(s->arena, "http://127.0.0.1:%d/silent/x.git", s->port);
    assert_null(wpa_git_reach(silent, "main", s->cache, 500, &err));
    assert_int_equal(err.code, WPA_E_TIMEOUT);
    const char *none = wpa_arena_printf(s->arena, "http://127.0.0.1:%d/none.git", s->port);
    assert_null(wpa_git_reach(none, "main", s->cache, WPA_PATIENCE_MS, &err));
    assert_int_equal(err.code, WPA_E_UNAVAILABLE);
}

int main(void)
{
    wpa_error err = {0};
    if (access(BACKEND, X_OK) != 0) {
        puts("skipped: no " BACKEND);
        return 77;
    }
    if (!wpa_git_init(&err)) {
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(push_is_a_comparison, setup, teardown),
        cmocka_unit_test_setup_teardown(a_long_name_of_a_branch_is_taken_whole_or_refused, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_hook_says_no, setup, teardown),
        cmocka_unit_test_setup_teardown(what_others_push_is_seen, setup, teardown),
        cmocka_unit_test_setup_teardown(what_killed_exchanges_left_holds_up_none, setup, teardown),
        cmocka_unit_test_setup_teardown(a_mirror_whose_maker_was_killed_is_made, setup, teardown),
        cmocka_unit_test_setup_teardown(hosts_that_do_not_answer, setup, teardown),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    wpa_git_shutdown();
    return failed;
}
