/*
 * wpa's own PostgreSQL, for real: made, shared, killed and stopped. Run as root, each case runs
 * twice: as root (the server as user postgres) and as an ordinary user.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <wpa/clock.h>
#include <wpa/file.h>
#include <wpa/text.h>

#include "db/embedded.h"
#include "db/server.h"
#include "harness/patience.h"

typedef struct place {
    wpa_arena *arena;
    const char *root, *state, *data;
    unsigned steps_seen;
} place;

typedef struct story {
    void (*tell)(place *);
    bool has_cluster; /* of an earlier start */
} story;

enum {
    ORDINARY_UID = 65534
};

/* In a child, cmocka's jumps would run the parent's cases: abort tells the parent instead. */
#define NEED(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)

static void note_step(void *context, wpa_embedded_step step)
{
    ((place *)context)->steps_seen |= 1U << step;
}

static wpa_embedded *open_it(place *here)
{
    wpa_error err = {0};
    char text[1200];
    wpa_embedded_options options = {
        .state_folder = here->state, .progress = note_step, .context = here};
    here->steps_seen = 0;
    wpa_embedded *embedded = wpa_embedded_open(&options, &err);
    if (!embedded) {
        fprintf(stderr, "%s\n", wpa_error_text(&err, text, sizeof text));
    }
    NEED(embedded);
    return embedded;
}

/* Is there a listener on the socket that the DSN names? */
static bool can_connect(const wpa_embedded *embedded)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *dsn = wpa_embedded_dsn(embedded);
    NEED(wpa_text_starts(dsn, "host='"));
    const char *folder = dsn + strlen("host='");
    NEED(wpa_text_format(address.sun_path, sizeof address.sun_path, "%.*s/.s.PGSQL.5432",
                         (int)strcspn(folder, "'"), folder));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool is_good = connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
    close(fd);
    return is_good;
}

static void tell_first_start_and_keep_data(place *here)
{
    wpa_embedded *embedded = open_it(here);
    NEED(here->steps_seen & (1U << WPA_EMBEDDED_CREATE));
    NEED(can_connect(embedded));
    struct stat made, again;
    NEED(stat(here->data, &made) == 0 && (made.st_mode & 077) == 0);
    NEED(geteuid() != 0 || made.st_uid != 0);
    wpa_embedded_close(embedded);
    NEED(wpa_server_find(here->data) == 0);
    embedded = open_it(here);
    NEED(!(here->steps_seen & (1U << WPA_EMBEDDED_CREATE)));
    NEED(can_connect(embedded));
    NEED(stat(here->data, &again) == 0 && made.st_ino == again.st_ino);
    wpa_embedded_close(embedded);
    NEED(wpa_server_find(here->data) == 0);
}

static void share_between_processes(place *here)
{
    enum {
        N_PROCESSES = 3
    };
    pid_t children[N_PROCESSES];
    for (int i = 0; i < N_PROCESSES; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            wpa_embedded *embedded = open_it(here);
            for (int k = 0; k < 30 * (i + 1); k++) { /* they leave one after the other */
                NEED(can_connect(embedded));
                wpa_sleep_ms(10);
            }
            wpa_embedded_close(embedded);
            _exit(0);
        }
    }
    for (int i = 0; i < N_PROCESSES; i++) {
        int status = 1;
        NEED(waitpid(children[i], &status, 0) == children[i] && status == 0);
    }
    NEED(wpa_server_find(here->data) == 0);
}

static void survive_a_killed_wpa(place *here)
{
    int ready[2];
    NEED(pipe(ready) == 0);
    pid_t child = fork();
    if (child == 0) {
        open_it(here);
        NEED(write(ready[1], "x", 1) == 1);
        pause();
    }
    char byte;
    NEED(read(ready[0], &byte, 1) == 1);
    NEED(kill(child, SIGKILL) == 0);
    NEED(waitpid(child, NULL, 0) == child);
    pid_t server = wpa_server_find(here->data);
    NEED(server != 0);
    wpa_embedded *embedded = open_it(here);
    NEED(wpa_server_find(here->data) == server);
    NEED(can_connect(embedded));
    wpa_embedded_close(embedded);
    NEED(wpa_server_find(here->data) == 0);
}

static void survive_a_killed_server(place *here)
{
    wpa_embedded *embedded = open_it(here);
    pid_t first = wpa_server_find(here->data);
    NEED(first != 0 && kill(first, SIGKILL) == 0);
    int64_t deadline = wpa_monotonic_ms() + WPA_PATIENCE_MS;
    pid_t second = 0;
    while ((second == 0 || second == first || !can_connect(embedded)) &&
           wpa_monotonic_ms() < deadline) {
        wpa_sleep_ms(10);
        second = wpa_server_find(here->data);
    }
    NEED(second != 0 && second != first);
    NEED(can_connect(embedded));
    wpa_embedded_close(embedded);
    NEED(wpa_server_find(here->data) == 0);
}

static void ignore_a_stale_pid_file(place *here)
{
    wpa_embedded_close(open_it(here));
    char text[64];
    wpa_text_format(text, sizeof text, "%d\n%s\n", (int)getppid(), here->data);
    wpa_error err = {0};
    NEED(wpa_file_replace(wpa_path_join(here->arena, here->data, "postmaster.pid"), text,
                          strlen(text), 0644, &err));
    wpa_embedded *embedded = open_it(here);
    NEED(can_connect(embedded));
    wpa_embedded_close(embedded);
}

static void begin_again_after_half_a_cluster(place *here)
{
    wpa_error err = {0};
    wpa_embedded_close(open_it(here));
    const char *folder = wpa_path_join(here->arena, here->state, "postgres");
    const char *half = wpa_path_join(here->arena, folder, "data.new");
    NEED(wpa_dir_remove(wpa_path_join(here->arena, here->data, "base"), &err));
    NEED(rename(here->data, half) == 0);
    wpa_embedded *embedded = open_it(here);
    NEED(here->steps_seen & (1U << WPA_EMBEDDED_CREATE));
    NEED(can_connect(embedded) && !wpa_path_exists(half));
    wpa_embedded_close(embedded);
}

static void find_a_short_socket_for_a_long_path(place *here)
{
    wpa_error err = {0};
    char *folder = wpa_arena_printf(here->arena, "%s/%0120d", here->root, 7);
    NEED(wpa_dir_make(folder, 0711, &err));
    here->state = folder;
    here->data = wpa_arena_printf(here->arena, "%s/postgres/data", folder);
    wpa_embedded *embedded = open_it(here);
    NEED(can_connect(embedded));
    wpa_embedded_close(embedded);
}

/* A story under way: a child process, as a user, in a folder of its own. */
typedef struct telling {
    place here;
    pid_t child;
} telling;

static void copy_cluster(uid_t uid, const char *state);

static telling begin_as(uid_t uid, const story *told)
{
    wpa_arena *arena = wpa_arena_new();
    wpa_error err = {0};
    char *root = wpa_dir_temp("/tmp/wpa-embedded-", arena, &err);
    assert_non_null(root);
    telling now = {.here = {.arena = arena, .root = root}};
    now.here.state = wpa_path_join(arena, root, "state");
    now.here.data = wpa_path_join(arena, root, "state/postgres/data");
    assert_true(wpa_dir_make(now.here.state, 0700, &err));
    assert_int_equal(chmod(root, 0711), 0);
    if (uid != geteuid()) {
        assert_int_equal(chown(root, uid, uid) | chown(now.here.state, uid, uid), 0);
    }
    if (told->has_cluster) {
        copy_cluster(uid, now.here.state);
    }
    fflush(NULL);
    now.child = fork();
    if (now.child == 0) {
        NEED(uid == geteuid() || (setresgid(uid, uid, uid) == 0 && setresuid(uid, uid, uid) == 0));
        told->tell(&now.here);
        wpa_arena_free(arena); /* or the leak checker of sanitizer builds complains */
        _exit(0);
    }
    return now;
}

static int wait_for(pid_t child)
{
    int status = 1;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

/* Making a cluster takes longer than all that most stories do with it: one a user is copied. */
static telling clusters[2];

static void start_and_stop(place *here)
{
    wpa_embedded_close(open_it(here));
}

static void copy_cluster(uid_t uid, const char *state)
{
    static const story first = {start_and_stop, false};
    telling *made = &clusters[uid == ORDINARY_UID];
    if (!made->here.root) {
        *made = begin_as(uid, &first);
        assert_int_equal(wait_for(made->child), 0);
    }
    const char *from = wpa_path_join(made->here.arena, made->here.state, ".");
    pid_t child = fork();
    if (child == 0) {
        execlp("cp", "cp", "-a", from, state, (char *)NULL);
        _exit(127);
    }
    assert_int_equal(wait_for(child), 0);
}

static int forget_clusters(void **state)
{
    (void)state;
    wpa_error err = {0};
    bool is_good = true;
    for (size_t i = 0; i < WPA_COUNT(clusters); i++) {
        if (clusters[i].here.root) {
            is_good = wpa_dir_remove(clusters[i].here.root, &err) && is_good;
            wpa_arena_free(clusters[i].here.arena);
        }
    }
    return is_good ? 0 : -1;
}

static bool end(telling *now)
{
    wpa_error err = {0};
    wpa_server_user user;
    int status = wait_for(now->child);
    if (status != 0 && wpa_server_user_find(&user, &err)) {
        bool is_stopped = wpa_server_stop(now->here.data, WPA_PATIENCE_MS, &err);
        (void)is_stopped;
    }
    assert_true(wpa_dir_remove(now->here.root, &err));
    wpa_arena_free(now->here.arena);
    return status == 0;
}

static void run_story(void **state)
{
    const story *told = *state;
    telling own = begin_as(geteuid(), told);
    if (geteuid() == 0) { /* side by side: most of the time is waiting */
        telling ordinary = begin_as(ORDINARY_UID, told);
        assert_true(end(&ordinary));
    }
    assert_true(end(&own));
}

static void test_missing_version_is_named(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_server_programs programs;
    wpa_error err = {0};
    assert_true(wpa_server_programs_find(0, arena, &programs, &err));
    assert_true(programs.major >= WPA_SERVER_MIN_MAJOR);
    assert_false(wpa_server_programs_find(99, arena, &programs, &err));
    assert_int_equal(err.code, WPA_E_UNAVAILABLE);
    assert_non_null(strstr(err.message, "PostgreSQL 99"));
}

static void test_program_that_fails_says_why(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_server_user user;
    wpa_error err = {0};
    assert_true(wpa_server_user_find(&user, &err));
    char *folder = wpa_dir_temp("/tmp/wpa-embedded-", arena, &err);
    const char *log = wpa_path_join(arena, folder, "log");
    const char *const fails[] = {"/bin/sh", "-c", "echo 'error: no \033[1mluck'; exit 3", NULL};
    assert_false(wpa_server_run(&user, fails, log, &err));
    assert_int_equal(err.code, WPA_E_UNAVAILABLE);
    assert_non_null(strstr(err.message, "error: no ‹1b›[1mluck"));
    const char *const missing[] = {"/nonexistent/postgres", NULL};
    assert_int_equal(wpa_server_spawn(&user, missing, log, &err), 0);
    assert_int_equal(err.code, WPA_E_UNAVAILABLE);
    assert_true(wpa_dir_remove(folder, &err));
}

int main(void)
{
    static story stories[] = {
        {tell_first_start_and_keep_data, false},
        {share_between_processes, false}, /* who makes it, and who waits */
        {survive_a_killed_wpa, true},
        {survive_a_killed_server, true},
        {ignore_a_stale_pid_file, true},
        {begin_again_after_half_a_cluster, true},
        {find_a_short_socket_for_a_long_path, false}, /* it lies elsewhere */
    };
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_missing_version_is_named),
        cmocka_unit_test(test_program_that_fails_says_why),
        {"first start, data kept", run_story, NULL, NULL, &stories[0]},
        {"three processes share one server", run_story, NULL, NULL, &stories[1]},
        {"wpa killed", run_story, NULL, NULL, &stories[2]},
        {"server killed", run_story, NULL, NULL, &stories[3]},
        {"stale postmaster.pid", run_story, NULL, NULL, &stories[4]},
        {"half a cluster", run_story, NULL, NULL, &stories[5]},
        {"long path", run_story, NULL, NULL, &stories[6]},
    };
    return cmocka_run_group_tests(tests, NULL, forget_clusters);
}
