/* Refreshing facts: from repositories here, over HTTP, out of a mirror's table, and from a server
 * that means harm. */
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <wpa/clock.h>
#include <wpa/file.h>
#include <wpa/text.h>

#include "auth/hash.h"
#include "facts/update.h"
#include "git/git.h"
#include "harness/patience.h"
#include "http/http.h"

#define TODAY "2027-01-15"
#define ONES "1111111111111111111111111111111111111111"
#define TIMEOUT_MS 60000

typedef struct state {
    wpa_arena *arena;
    const char *folder; /* of repositories by owner and name */
    char first[WPA_OID_SIZE], second[WPA_OID_SIZE];
} state;

/* ---- repositories ---- */

static void git(state *s, const char *repo, const char *const words[], size_t n)
{
    const char *argv[16] = {"git",
                            "-C",
                            wpa_path_join(s->arena, s->folder, repo),
                            "-c",
                            "user.name=wpa",
                            "-c",
                            "user.email=wpa@example.org",
                            "-c",
                            "tag.gpgSign=false"};
    memcpy(argv + 9, words, n * sizeof *argv);
    pid_t child = fork();
    if (child == 0) {
        execvp("git", (char *const *)(void *)argv);
        _exit(127);
    }
    int status = -1;
    assert_true(waitpid(child, &status, 0) == child);
    assert_int_equal(status, 0);
}

#define GIT(repo, ...)                                                                             \
    git(s, repo, (const char *const[]){__VA_ARGS__},                                               \
        sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static void make_commit(state *s, const char *repo, const char *text, const char *parent,
                        char oid[WPA_OID_SIZE])
{
    static const wpa_git_identity identity = {"wpa", "wpa@example.org", 1767225600};
    wpa_error err = {0};
    char after[WPA_OID_SIZE];
    WPA_AUTO(wpa_git) *opened = wpa_git_open(wpa_path_join(s->arena, s->folder, repo), &err);
    assert_non_null(opened);
    assert_true(wpa_git_blob_id(text, strlen(text), after, &err));
    const wpa_git_edit edit = {wpa_arena_printf(s->arena, "%s.txt", text), NULL, after, text,
                               strlen(text)};
    assert_true(wpa_git_commit_make(opened, parent, &edit, 1, &identity, text, oid, &err));
    assert_true(
        wpa_git_ref_swap(opened, "refs/heads/main", parent ? parent : WPA_OID_ZERO, oid, &err));
}

static void make_repo(state *s, const char *repo)
{
    wpa_error err = {0};
    const char *path = wpa_path_join(s->arena, s->folder, repo);
    assert_true(wpa_dir_make(path, 0755, &err));
    WPA_AUTO(wpa_git) *made = wpa_git_create(path, "main", &err);
    assert_non_null(made);
    make_commit(s, repo, "one", NULL, s->first);
    GIT(repo, "tag", "v1.0.0", s->first);
    make_commit(s, repo, "two", s->first, s->second);
    GIT(repo, "tag", "-a", "-m", "the second", "v1.1.0", s->second);
    GIT(repo, "tag", "v1", s->second);
    GIT(repo, "branch", "dependabot/npm/x", s->first);
    GIT(repo, "branch", "releases/v1", s->first);
}

static int setup(void **out)
{
    wpa_error err = {0};
    state *s = test_calloc(1, sizeof *s);
    s->arena = wpa_arena_new();
    s->folder = wpa_dir_temp("/tmp/wpa-update", s->arena, &err);
    assert_non_null(s->folder);
    make_repo(s, "acme/deploy.git");
    make_repo(s, "acme/plain");
    *out = s;
    return 0;
}

static int teardown(void **in)
{
    state *s = *in;
    wpa_error err = {0};
    assert_true(wpa_dir_remove(s->folder, &err));
    wpa_arena_free(s->arena);
    test_free(s);
    return 0;
}

/* ---- asking ---- */

static const wpa_refreshed *update(state *s, const char *from, const char *const slugs[], size_t n,
                                   const wpa_refreshed *before, const char *today,
                                   wpa_facts_outcome *outcome)
{
    wpa_error err = {0};
    const wpa_facts_request request = {.from = from,
                                       .timeout_ms = TIMEOUT_MS,
                                       .slugs = slugs,
                                       .n_slugs = n,
                                       .before = before,
                                       .today = today};
    if (!wpa_facts_update(&request, s->arena, outcome, &err)) {
        fail_msg("%s: %s", err.context, err.message);
    }
    if (!outcome->table) {
        return NULL;
    }
    const wpa_refreshed *table =
        wpa_refreshed_parse("new", outcome->table, outcome->table_bytes, today, s->arena, &err);
    assert_non_null(table);
    return table;
}

static void assert_ref(const wpa_refreshed *table, const char *slug, const char *name,
                       const char *hex)
{
    wpa_fact_ref ref;
    char text[2 * WPA_COMMIT_BYTES + 1];
    const wpa_fact_repo *repo = wpa_refreshed_repo_find(table, wpa_slice_of(slug));
    assert_non_null(repo);
    bool is_there = wpa_facts_ref_find(repo, wpa_slice_of(name), &ref);
    assert_int_equal(is_there, hex != NULL);
    if (hex) {
        wpa_hex_encode(ref.commit, WPA_COMMIT_BYTES, text);
        assert_string_equal(text, hex);
    }
}

static void assert_whole(state *s, const wpa_refreshed *table, const char *slug)
{
    assert_non_null(table);
    assert_ref(table, slug, "v1.0.0", s->first);
    assert_ref(table, slug, "v1.1.0", s->second); /* the commit, not the tag's own object */
    assert_ref(table, slug, "v1", s->second);
    assert_ref(table, slug, "main", s->second);
    assert_ref(table, slug, "releases/v1", s->first);
    assert_ref(table, slug, "dependabot/npm/x", NULL);
}

static void repositories_of_a_folder(void **in)
{
    state *s = *in;
    wpa_facts_outcome outcome;
    static const char *const slugs[] = {"acme/deploy", "acme/plain", "acme/gone"};
    const wpa_refreshed *table = update(s, s->folder, slugs, 3, NULL, TODAY, &outcome);
    assert_int_equal(outcome.n_refreshed, 2);
    assert_int_equal(outcome.n_faults, 1);
    assert_non_null(strstr(outcome.faults[0], "acme/gone: there is no"));
    assert_whole(s, table, "acme/deploy");
    assert_whole(s, table, "acme/plain");
    assert_string_equal(wpa_refreshed_date(table), TODAY);

    const char *url = wpa_arena_printf(s->arena, "file://%s/", s->folder);
    table = update(s, url, slugs, 3, NULL, TODAY, &outcome);
    assert_int_equal(outcome.n_refreshed, 2);
    assert_whole(s, table, "acme/deploy");
    assert_whole(s, table, "acme/plain");
}

/** What was known stays with its day; a release that moved is told, and so are new tags' days. */
static void a_second_refresh_goes_on_from_the_first(void **in)
{
    state *s = *in;
    wpa_facts_outcome outcome;
    static const char *const slugs[] = {"acme/deploy", "acme/plain"};
    const wpa_refreshed *first = update(s, s->folder, slugs, 2, NULL, TODAY, &outcome);
    assert_int_equal(outcome.n_moved, 0);
    char third[WPA_OID_SIZE];
    make_commit(s, "acme/deploy.git", "three", s->second, third);
    GIT("acme/deploy.git", "tag", "-f", "v1.0.0", third);
    GIT("acme/deploy.git", "tag", "-f", "v1", third);
    GIT("acme/deploy.git", "tag", "v1.2.0", third);
    const wpa_refreshed *second = update(s, s->folder, slugs, 1, first, "2027-02-01", &outcome);
    assert_int_equal(outcome.n_refreshed, 1);
    assert_ref(second, "acme/deploy", "v1.2.0", third);
    assert_whole(s, second, "acme/plain");
    assert_int_equal(outcome.n_moved, 1); /* v1 is meant to move */
    assert_string_equal(outcome.moved[0].tag, "v1.0.0");
    const wpa_fact_repo *deploy = wpa_refreshed_repo_find(second, wpa_slice_of("acme/deploy"));
    const wpa_fact_repo *plain = wpa_refreshed_repo_find(second, wpa_slice_of("acme/plain"));
    assert_string_equal(wpa_facts_repo_date(deploy), "2027-02-01");
    assert_string_equal(wpa_facts_repo_date(plain), TODAY);
    assert_string_equal(wpa_refreshed_seen(deploy, wpa_slice_of("v1.2.0")), "2027-02-01");
    assert_string_equal(wpa_refreshed_seen(deploy, wpa_slice_of("v1.1.0")), TODAY);
    assert_string_equal(wpa_refreshed_date(second), "2027-02-01");
}

static void a_table_is_a_mirror(void **in)
{
    state *s = *in;
    wpa_error err = {0};
    wpa_facts_outcome outcome;
    static const char *const slugs[] = {"acme/deploy", "acme/plain", "acme/gone"};
    (void)update(s, s->folder, slugs, 2, NULL, TODAY, &outcome);
    const char *mirror = wpa_path_join(s->arena, s->folder, "mirror");
    const char *file = wpa_path_join(s->arena, mirror, "tags.txt");
    assert_true(wpa_dir_make(mirror, 0755, &err));
    assert_true(wpa_file_replace(file, outcome.table, outcome.table_bytes, 0644, &err));
    const wpa_refreshed *table = update(s, mirror, slugs, 3, NULL, "2027-03-01", &outcome);
    assert_int_equal(outcome.n_refreshed, 2);
    assert_non_null(strstr(outcome.faults[0], "the mirror does not have it"));
    assert_whole(s, table, "acme/deploy");
    assert_string_equal(wpa_refreshed_date(table), TODAY); /* of the mirror, not of the copy */

    static const char bad[] = "wpa.facts/1 tags\ndate 2027-01-15\ndigest 00\n";
    assert_true(wpa_file_replace(file, bad, strlen(bad), 0644, &err));
    const wpa_facts_request request = {
        .from = mirror, .timeout_ms = TIMEOUT_MS, .slugs = slugs, .n_slugs = 1, .today = TODAY};
    assert_false(wpa_facts_update(&request, s->arena, &outcome, &err));
    assert_int_equal(err.code, WPA_E_INVALID);
    assert_non_null(strstr(err.message, "tags.txt:3: its digest is not that of its content"));
}

static const char *put_mirror(state *s, const char *date, const char *rows)
{
    wpa_error err = {0};
    char digest[WPA_SHA256_HEX_SIZE];
    const char *mirror = wpa_path_join(s->arena, s->folder, "dated");
    const char *text = wpa_arena_printf(s->arena, "wpa.facts/1 tags\ndate %s\ndigest %s\n%s", date,
                                        wpa_sha256_hex(rows, strlen(rows), digest), rows);
    assert_true(wpa_dir_make(mirror, 0755, &err));
    assert_true(wpa_file_replace(wpa_path_join(s->arena, mirror, "tags.txt"), text, strlen(text),
                                 0644, &err));
    return mirror;
}

/** Nothing newer could take the place of what such a mirror says. */
static void a_mirror_of_a_day_to_come_is_refused(void **in)
{
    state *s = *in;
    wpa_error err = {0};
    wpa_facts_outcome outcome;
    static const char *const slugs[] = {"acme/deploy"};
    const char *mirror =
        put_mirror(s, "2999-12-31", "repo acme/deploy 2027-01-15\ntag v1 " ONES "\n");
    const wpa_facts_request request = {
        .from = mirror, .timeout_ms = TIMEOUT_MS, .slugs = slugs, .n_slugs = 1, .today = TODAY};
    assert_false(wpa_facts_update(&request, s->arena, &outcome, &err));
    assert_int_equal(err.code, WPA_E_INVALID);
    assert_non_null(strstr(err.message, "tags.txt:2: the table is of 2999-12-31, a day to come"));
    assert_null(outcome.table);
}

/** Whoever asked yesterday, and did not find a tag, knows better than a mirror that is older. */
static void a_mirror_makes_no_new_tag_old(void **in)
{
    state *s = *in;
    wpa_facts_outcome outcome;
    static const char *const slugs[] = {"acme/deploy"};
    const wpa_refreshed *before = update(s, s->folder, slugs, 1, NULL, TODAY, &outcome);
    const char *mirror = put_mirror(s, "2027-02-01",
                                    "repo acme/deploy 2027-02-01\n"
                                    "tag v1.0.0 " ONES " 1999-01-01\n"
                                    "tag v9.0.0 " ONES " 1999-01-01\n"
                                    "tag v9.1.0 " ONES "\n"
                                    "tag v9.2.0 " ONES " 2027-01-20\n");
    const wpa_refreshed *table = update(s, mirror, slugs, 1, before, "2027-02-01", &outcome);
    const wpa_fact_repo *repo = wpa_refreshed_repo_find(table, wpa_slice_of("acme/deploy"));
    assert_string_equal(wpa_refreshed_seen(repo, wpa_slice_of("v1.0.0")), TODAY);
    assert_string_equal(wpa_refreshed_seen(repo, wpa_slice_of("v9.0.0")), TODAY);
    assert_string_equal(wpa_refreshed_seen(repo, wpa_slice_of("v9.1.0")), TODAY);
    assert_string_equal(wpa_refreshed_seen(repo, wpa_slice_of("v9.2.0")), "2027-01-20");
}

/** Where it is a day later already a mirror is of tomorrow; what is written then can be read. */
static void a_mirror_of_tomorrow_can_be_gone_on_from(void **in)
{
    state *s = *in;
    wpa_facts_outcome outcome;
    static const char *const slugs[] = {"acme/deploy"};
    const char *rows = wpa_arena_printf(
        s->arena, "repo acme/deploy 2027-01-16\ntag v1.0.0 %s 2027-01-16\n", s->first);
    const char *mirror = put_mirror(s, "2027-01-16", rows);
    const wpa_refreshed *before = update(s, mirror, slugs, 1, NULL, TODAY, &outcome);
    const wpa_refreshed *table = update(s, s->folder, slugs, 1, before, TODAY, &outcome);
    assert_whole(s, table, "acme/deploy");
    const wpa_fact_repo *repo = wpa_refreshed_repo_find(table, wpa_slice_of("acme/deploy"));
    assert_string_equal(wpa_facts_repo_date(repo), "2027-01-16");
    assert_string_equal(wpa_refreshed_seen(repo, wpa_slice_of("v1.0.0")), "2027-01-16");
    assert_string_equal(wpa_refreshed_seen(repo, wpa_slice_of("v1.1.0")), TODAY);
}

/* ---- many at once, and one that does not answer ---- */

#define GOOD_ONES 50
#define PLAIN_ONES 30

/* What happens to children, and to their parent before it has closed its end of their pipe. */
static atomic_int crash_signal, fork_pause_ms;

static void in_child(void)
{
    if (atomic_load(&crash_signal)) {
        (void)raise(atomic_load(&crash_signal));
    }
}

static void in_parent(void)
{
    wpa_sleep_ms(atomic_load(&fork_pause_ms));
}

/** A repository here that is opened and never read to its end: nobody writes into its branch. */
static void make_silent(state *s, const char *repo)
{
    wpa_error err = {0};
    const char *path = wpa_path_join(s->arena, s->folder, repo);
    assert_true(wpa_dir_make(path, 0755, &err));
    WPA_AUTO(wpa_git) *made = wpa_git_create(path, "main", &err);
    assert_non_null(made);
    const char *branch = wpa_path_join(s->arena, path, "refs/heads/main");
    assert_int_equal(mkfifo(branch, 0600), 0);
}

static void a_silent_one_spoils_no_other(void **in)
{
    state *s = *in;
    wpa_facts_outcome outcome;
    wpa_error err = {0};
    const char *slugs[GOOD_ONES + 1];
    make_silent(s, "acme/silent.git");
    slugs[GOOD_ONES / 2] = "acme/silent"; /* begun while others are */
    for (size_t i = 0; i < WPA_COUNT(slugs); i++) {
        if (i == GOOD_ONES / 2) {
            continue;
        }
        slugs[i] = wpa_arena_printf(s->arena, "acme/good%zu", i);
        const char *path = wpa_arena_printf(s->arena, "%s/%s.git", s->folder, slugs[i]);
        assert_int_equal(symlink("deploy.git", path), 0);
    }
    wpa_facts_request request = {.from = s->folder,
                                 .timeout_ms = 5000,
                                 .slugs = slugs,
                                 .n_slugs = WPA_COUNT(slugs),
                                 .today = TODAY};
    /* On a busy machine the good ones may need longer: until they have it. */
    for (bool is_enough = false; !is_enough; request.timeout_ms *= 2) {
        atomic_store(&fork_pause_ms, 5);
        int64_t started_ms = wpa_monotonic_ms();
        bool is_done = wpa_facts_update(&request, s->arena, &outcome, &err);
        atomic_store(&fork_pause_ms, 0);
        assert_true(is_done);
        /* asked twice, or it was not silent */
        assert_true(wpa_monotonic_ms() - started_ms >= 2 * request.timeout_ms);
        is_enough = outcome.n_faults == 1 || request.timeout_ms >= WPA_PATIENCE_MS;
    }
    assert_int_equal(outcome.n_faults, 1);
    assert_true(wpa_text_starts(outcome.faults[0], "acme/silent: no answer within "));
    assert_int_equal(outcome.n_refreshed, GOOD_ONES);
}

/** More of them than may be silent before it is held that there is no network at all. */
static void what_its_second_name_finds_is_no_silence(void **in)
{
    state *s = *in;
    wpa_facts_outcome outcome;
    const char *slugs[PLAIN_ONES];
    for (size_t i = 0; i < WPA_COUNT(slugs); i++) {
        slugs[i] = wpa_arena_printf(s->arena, "acme/plain%zu", i);
        const char *path = wpa_arena_printf(s->arena, "%s/%s", s->folder, slugs[i]);
        assert_int_equal(symlink("plain", path), 0);
    }
    const char *url = wpa_arena_printf(s->arena, "file://%s", s->folder);
    (void)update(s, url, slugs, WPA_COUNT(slugs), NULL, TODAY, &outcome);
    assert_int_equal(outcome.n_unasked, 0);
    assert_int_equal(outcome.n_refreshed, PLAIN_ONES);
}

/** It is there without ".git" behind its name, and says nothing: it is not told to be missing. */
static void silence_is_told_of_the_second_name_too(void **in)
{
    state *s = *in;
    wpa_facts_outcome outcome;
    wpa_error err = {0};
    static const char *const slugs[] = {"acme/silent"};
    make_silent(s, "acme/silent");
    const wpa_facts_request request = {.from = wpa_arena_printf(s->arena, "file://%s/", s->folder),
                                       .timeout_ms = 1000,
                                       .slugs = slugs,
                                       .n_slugs = 1,
                                       .today = TODAY};
    assert_true(wpa_facts_update(&request, s->arena, &outcome, &err));
    assert_int_equal(outcome.n_faults, 1);
    assert_true(wpa_text_starts(outcome.faults[0], "acme/silent: no answer within "));
}

/** Seen at once, and for what it is. */
static void a_crash_is_no_silence(void **in)
{
    state *s = *in;
    wpa_facts_outcome outcome;
    wpa_error err = {0};
    static const char *const slugs[] = {"acme/deploy"};
    const wpa_facts_request request = {
        .from = s->folder, .timeout_ms = TIMEOUT_MS, .slugs = slugs, .n_slugs = 1, .today = TODAY};
    atomic_store(&crash_signal, SIGKILL);
    int64_t started_ms = wpa_monotonic_ms();
    bool is_done = wpa_facts_update(&request, s->arena, &outcome, &err);
    atomic_store(&crash_signal, 0);
    assert_true(is_done);
    assert_true(wpa_monotonic_ms() - started_ms < TIMEOUT_MS / 2);
    assert_int_equal(outcome.n_faults, 1);
    assert_string_equal(outcome.faults[0], "acme/deploy: the exchange crashed: signal 9");
}

/* ---- git's own server ---- */

static pid_t start_git_server(state *s, int *port)
{
    int ends[2];
    char line[200] = "";
    const char *source = getenv("WPA_SOURCE_DIR");
    assert_non_null(source);
    const char *script = wpa_path_join(s->arena, source, "tests/fixtures/git/git_over_http.py");
    assert_int_equal(pipe(ends), 0);
    pid_t server = fork();
    if (server == 0) {
        (void)dup2(ends[1], STDOUT_FILENO);
        (void)close(ends[0]);
        (void)close(ends[1]);
        execlp("python3", "python3", script, s->folder, (char *)NULL);
        _exit(127);
    }
    (void)close(ends[1]);
    struct pollfd ready = {.fd = ends[0], .events = POLLIN};
    for (size_t n = 0; n + 1 < sizeof line && strchr(line, '\n') == NULL; n++) {
        assert_int_equal(poll(&ready, 1, TIMEOUT_MS), 1);
        assert_int_equal(read(ends[0], line + n, 1), 1);
    }
    (void)close(ends[0]);
    *port = (int)strtol(strrchr(line, ':') + 1, NULL, 10);
    return server;
}

static void repositories_over_http(void **in)
{
    state *s = *in;
    wpa_facts_outcome outcome;
    int port;
    static const char *const slugs[] = {"acme/deploy", "acme/plain", "acme/gone"};
    pid_t server = start_git_server(s, &port);
    const char *url = wpa_arena_printf(s->arena, "http://127.0.0.1:%d", port);
    const wpa_refreshed *table = update(s, url, slugs, 3, NULL, TODAY, &outcome);
    (void)kill(server, SIGTERM);
    (void)waitpid(server, NULL, 0);
    assert_int_equal(outcome.n_refreshed, 2);
    assert_int_equal(outcome.n_faults, 1);
    assert_whole(s, table, "acme/deploy");
    assert_whole(s, table, "acme/plain");
}

/* ---- a server that means harm ---- */

#define HELLO                                                                                      \
    "HTTP/1.1 200 OK\r\nContent-Type: application/x-git-upload-pack-advertisement\r\n"             \
    "Connection: close\r\n\r\n001e# service=git-upload-pack\n0000"
#define ZEROES "0000000000000000000000000000000000000000"

#define NOT_FOUND "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"

typedef struct bad_server {
    int fd, port;
    const char *answer; /* to whatever is asked but the mirror's table */
    const char *rest;   /* sent behind it without end, or NULL */
    const char *table;  /* the answer to that, or NULL: there is none */
    pthread_t thread;
} bad_server;

static void serve(const bad_server *server, int client)
{
    char request[4096];
    ssize_t n = recv(client, request, sizeof request - 1, 0);
    request[n > 0 ? n : 0] = '\0';
    const char *answer =
        strstr(request, "tags.txt") ? (server->table ? server->table : NOT_FOUND) : server->answer;
    if (send(client, answer, strlen(answer), MSG_NOSIGNAL) < 0 || answer != server->answer) {
        return;
    }
    while (server->rest && send(client, server->rest, strlen(server->rest), MSG_NOSIGNAL) > 0) {
    }
}

static void *serve_all(void *argument)
{
    const bad_server *server = argument;
    int client;
    while ((client = accept(server->fd, NULL, NULL)) >= 0) {
        serve(server, client);
        (void)close(client);
    }
    return NULL;
}

static void start_bad(bad_server *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    server->fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(server->fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(server->fd, 8), 0);
    assert_int_equal(getsockname(server->fd, (struct sockaddr *)&address, &length), 0);
    server->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&server->thread, NULL, serve_all, server), 0);
}

static void stop_bad(bad_server *server)
{
    (void)shutdown(server->fd, SHUT_RDWR);
    (void)pthread_join(server->thread, NULL);
    (void)close(server->fd);
}

static const struct {
    const char *title, *answer, *rest;
} harms[] = {
    {"no git at all", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", NULL},
    {"an error", "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", NULL},
    {"nothing", "", NULL},
    {"a redirect into files",
     "HTTP/1.1 302 F\r\nLocation: file:///etc/\r\nContent-Length: 0\r\n\r\n", NULL},
    {"cut short", HELLO "00ff" ONES, NULL},
    {"a length that is none", HELLO "zzzz" ONES " refs/tags/v1\n", NULL},
    {"no ref", HELLO "0000", NULL},
    {"a ref of no name", HELLO "002d" ONES " \n0000", NULL},
    {"headers without end", "HTTP/1.1 200 OK\r\n", "X-More: 0123456789012345678901234567890\r\n"},
    {"refs without end", HELLO "003c" ONES " refs/tags/v1.0.0\n",
     "003c" ONES " refs/tags/v1.0.0\n"},
};

static void a_hostile_server_gets_nothing_in(void **in)
{
    state *s = *in;
    static const char *const slugs[] = {"acme/deploy"};
    for (size_t i = 0; i < WPA_COUNT(harms); i++) {
        wpa_error err = {0};
        wpa_facts_outcome outcome;
        bad_server server = {.answer = harms[i].answer, .rest = harms[i].rest};
        print_message("%s\n", harms[i].title);
        start_bad(&server);
        const wpa_facts_request request = {
            .from = wpa_arena_printf(s->arena, "http://127.0.0.1:%d", server.port),
            .timeout_ms = 1500,
            .slugs = slugs,
            .n_slugs = 1,
            .today = TODAY};
        int64_t started_ms = wpa_monotonic_ms();
        assert_true(wpa_facts_update(&request, s->arena, &outcome, &err));
        assert_true(wpa_monotonic_ms() - started_ms < TIMEOUT_MS);
        stop_bad(&server);
        assert_null(outcome.table);
        assert_int_equal(outcome.n_faults, 1);
    }
}

static void a_table_may_lie_on_the_web(void **in)
{
    state *s = *in;
    wpa_error err = {0};
    wpa_facts_outcome outcome;
    static const char *const slugs[] = {"acme/deploy"};
    static const char head[] = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";
    (void)update(s, s->folder, slugs, 1, NULL, TODAY, &outcome);
    bad_server server = {.answer = NOT_FOUND};
    server.table = wpa_arena_printf(s->arena, "%s%s", head, outcome.table);
    start_bad(&server);
    const char *url = wpa_arena_printf(s->arena, "http://127.0.0.1:%d/", server.port);
    const wpa_refreshed *table = update(s, url, slugs, 1, NULL, TODAY, &outcome);
    stop_bad(&server);
    assert_whole(s, table, "acme/deploy");

    server.table = wpa_arena_printf(s->arena, "%s%sx", head, outcome.table);
    start_bad(&server);
    url = wpa_arena_printf(s->arena, "http://127.0.0.1:%d", server.port);
    const wpa_facts_request request = {
        .from = url, .timeout_ms = TIMEOUT_MS, .slugs = slugs, .n_slugs = 1, .today = TODAY};
    bool is_taken = wpa_facts_update(&request, s->arena, &outcome, &err);
    stop_bad(&server);
    assert_false(is_taken);
    assert_non_null(strstr(err.message, "/tags.txt:3: its digest is not that of its content"));
}

/** Without a network nothing is asked for longer than it takes to see that. */
static void silence_ends_the_asking(void **in)
{
    state *s = *in;
    wpa_error err = {0};
    wpa_facts_outcome outcome;
    const char *slugs[200];
    for (size_t i = 0; i < WPA_COUNT(slugs); i++) {
        slugs[i] = wpa_arena_printf(s->arena, "acme/a%zu", i);
    }
    const wpa_facts_request request = {.from = "git://127.0.0.1:1",
                                       .timeout_ms = TIMEOUT_MS,
                                       .slugs = slugs,
                                       .n_slugs = WPA_COUNT(slugs),
                                       .today = TODAY};
    assert_true(wpa_facts_update(&request, s->arena, &outcome, &err));
    assert_null(outcome.table);
    assert_true(outcome.n_unasked > 150);
    assert_int_equal(outcome.n_unasked + outcome.n_faults, 200);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(repositories_of_a_folder),
        CASE(a_second_refresh_goes_on_from_the_first),
        CASE(a_table_is_a_mirror),
        CASE(a_mirror_of_a_day_to_come_is_refused),
        CASE(a_mirror_makes_no_new_tag_old),
        CASE(a_mirror_of_tomorrow_can_be_gone_on_from),
        CASE(a_silent_one_spoils_no_other),
        CASE(what_its_second_name_finds_is_no_silence),
        CASE(silence_is_told_of_the_second_name_too),
        CASE(a_crash_is_no_silence),
        CASE(repositories_over_http),
        CASE(a_hostile_server_gets_nothing_in),
        CASE(a_table_may_lie_on_the_web),
        CASE(silence_ends_the_asking),
    };
    wpa_error err = {0};
    if (pthread_atfork(NULL, in_parent, in_child) != 0 || !wpa_git_init(&err) ||
        !wpa_http_init(&err)) {
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
