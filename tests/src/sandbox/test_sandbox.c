#include <dirent.h>
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

#include "harness/patience.h"
#include "sandbox/sandbox.h"

static char missing[800]; /* why there is no sandbox, empty if there is one */

static void need_sandbox(void)
{
    if (missing[0]) {
        print_message("skipped: %s\n", missing);
        skip();
    }
}

/** Runs a shell script; the shell is the sandbox's own. */
static wpa_sandbox_result *run_script(const char *script, wpa_sandbox_request request,
                                      wpa_arena *arena)
{
    const char *const argv[] = {"/bin/sh", "-c", script, NULL};
    wpa_error err = {0};
    request.argv = argv;
    wpa_sandbox_result *result = wpa_sandbox_run(&request, arena, &err);
    if (!result) {
        print_message("%s\n", err.message);
    }
    assert_non_null(result);
    return result;
}

static const struct {
    const char *title, *script;
    int exit_code;
    const char *out; /* part of the output, NULL: whatever */
} cases[] = {
    {"runs", "echo hello", 0, "hello\n"},
    {"exit code", "exit 7", 7, NULL},
    {"signal", "kill -9 $$", 137, NULL},
    {"ends its group", "kill -9 0", 137, NULL},
    {"not found", "no-such-program", 127, NULL},
    {"ordinary user", "id -u", 0, "1000\n"},
    {"starts in the tree", "pwd", 0, "/repo\n"},
    {"clean environment", "env | grep -c WPA_ || true", 0, "0\n"},
    {"stdin is empty", "wc -c", 0, "0\n"},
    {"no passwords", "cat /etc/shadow 2>/dev/null || echo refused", 0, "refused\n"},
    {"no home", "ls /root /home 2>/dev/null || echo refused", 0, "refused\n"},
    {"no run, no var, no work", "ls /run /var /srv /mnt 2>/dev/null || echo refused", 0,
     "refused\n"},
    {"root is read-only", "touch /x /usr/x /etc/x 2>/dev/null || echo refused", 0, "refused\n"},
    {"tree is writable", "echo 1 > f && cat f", 0, "1\n"},
    {"no other processes", "ls -d /proc/[0-9]* | wc -l | grep -cx '[1-6]'", 0, "1\n"},
    {"no descriptors but three", "ls /proc/self/fd | tr '\\n' ' '", 0, "0 1 2 3 "},
    {"no capabilities", "grep CapEff /proc/self/status", 0, "0000000000000000"},
    {"no new privileges", "grep NoNewPrivs /proc/self/status", 0, "1\n"},
    {"filter is on", "grep '^Seccomp:' /proc/self/status", 0, "2\n"},
    {"no nested namespaces", "unshare -U true 2>/dev/null || echo refused", 0, "refused\n"},
    {"no mounts", "mount -t tmpfs none /tmp 2>/dev/null || echo refused", 0, "refused\n"},
    {"only a loopback", "cat /proc/net/dev | tail -n +3 | cut -d: -f1", 0, "lo\n"},
    {"no devices", "ls /dev | tr '\\n' ' '", 0,
     "fd full null random shm stderr stdin stdout urandom zero "},
    {"no core files", "ulimit -c", 0, "0\n"},
};

static void runs_confined(void **state)
{
    (void)state;
    need_sandbox();
    setenv("WPA_SECRET", "x", 1); // NOLINT(concurrency-mt-unsafe): one thread
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        print_message("%s\n", cases[i].title);
        const wpa_sandbox_result *result =
            run_script(cases[i].script, (wpa_sandbox_request){0}, arena);
        assert_int_equal(WPA_SANDBOX_EXITED, result->end);
        if (cases[i].exit_code != result->exit_code ||
            (cases[i].out && !strstr(result->out.text, cases[i].out))) {
            print_message("code %d, out '%s', err '%s'\n", result->exit_code, result->out.text,
                          result->err.text);
            fail();
        }
    }
}

static void refuses_the_network(void **state)
{
    (void)state;
    need_sandbox();
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const wpa_sandbox_result *result =
        run_script("bash -c 'exec 3<>/dev/tcp/192.0.2.1/80'", (wpa_sandbox_request){0}, arena);
    assert_int_not_equal(0, result->exit_code);
    assert_non_null(strstr(result->err.text, "unreachable"));
}

static void hides_sockets_and_state(void **state)
{
    (void)state;
    need_sandbox();
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_error err = {0};
    const char *folder = wpa_dir_temp("/tmp/wpa-hidden", arena, &err);
    assert_non_null(folder);
    assert_int_equal(0, chmod(folder, 0777));
    assert_true(wpa_file_replace(wpa_path_join(arena, folder, "state"), "x", 1, 0666, &err));
    const char *script = wpa_arena_printf(arena, "cat %s/state /proc/1/environ", folder);
    const wpa_sandbox_result *result = run_script(script, (wpa_sandbox_request){0}, arena);
    assert_int_not_equal(0, result->exit_code);
    assert_null(strstr(result->out.text, "x"));
    assert_true(wpa_dir_remove(folder, &err));
}

static void limits_hold(void **state)
{
    (void)state;
    need_sandbox();
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_sandbox_request small = {.limits = {.wall_ms = 60000,
                                            .processes = 20,
                                            .memory_bytes = 100 << 20,
                                            .file_bytes = 1 << 20,
                                            .work_bytes = 4 << 20,
                                            .cpu_s = 1}};
    const wpa_sandbox_result *result =
        run_script("bomb() { bomb | bomb & }; bomb; sleep 0.2; echo lived", small, arena);
    assert_int_equal(WPA_SANDBOX_EXITED, result->end);

    result = run_script("head -c 300000000 /dev/zero | tail -c 250000000 | wc -c", small, arena);
    assert_null(strstr(result->out.text, "250000000"));

    result = run_script("head -c 2000000 /dev/zero > f; ls -l f | cut -d' ' -f5", small, arena);
    assert_string_equal("1048576\n", result->out.text);

    result =
        run_script("for i in 1 2 3 4 5 6; do head -c 1000000 /dev/zero > f$i; done", small, arena);
    assert_non_null(strstr(result->err.text, "No space"));

    result = run_script("while :; do :; done", small, arena);
    assert_int_equal(WPA_SANDBOX_EXITED, result->end);
    assert_int_equal(137, result->exit_code);
}

static bool is_cancelled(void *context)
{
    int *calls = context;
    return ++*calls > 2;
}

static void ends_when_told(void **state)
{
    (void)state;
    need_sandbox();
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_sandbox_request request = {.limits = {.wall_ms = 2000}};
    const wpa_sandbox_result *result =
        run_script("echo begun; setsid sleep 100 & sleep 100", request, arena);
    assert_int_equal(WPA_SANDBOX_TIMED_OUT, result->end);
    assert_int_equal(-1, result->exit_code);
    assert_string_equal("begun\n", result->out.text);
    assert_true(result->duration_ms < 50000);

    int calls = 0;
    request = (wpa_sandbox_request){.is_cancelled = is_cancelled, .cancel_context = &calls};
    assert_int_equal(WPA_SANDBOX_CANCELLED, run_script("sleep 100", request, arena)->end);

    request = (wpa_sandbox_request){.limits = {.keep_bytes = 1000}};
    result = run_script("yes", request, arena);
    assert_int_equal(WPA_SANDBOX_FLOODED, result->end);
    assert_int_equal(1000, result->out.size_bytes);

    request = (wpa_sandbox_request){.limits = {.wall_ms = 90000}};
    result = run_script("setsid sleep 100 & nohup sleep 100 & echo left", request, arena);
    assert_int_equal(WPA_SANDBOX_EXITED, result->end);
    assert_true(result->duration_ms < 50000);
}

typedef struct holder {
    int fds[64];
    size_t n;
} holder;

/** The first time it is asked, it opens the other ends of all pipes that we read from. */
static bool hold_pipes(void *context)
{
    holder *held = context;
    DIR *dir = held->n ? NULL : opendir("/proc/self/fd");
    const struct dirent *entry;
    while (dir && held->n < WPA_COUNT(held->fds) && (entry = readdir(dir))) {
        char path[300];
        struct stat about;
        (void)wpa_text_format(path, sizeof path, "/proc/self/fd/%s", entry->d_name);
        if (strtol(entry->d_name, NULL, 10) > STDERR_FILENO && stat(path, &about) == 0 &&
            S_ISFIFO(about.st_mode)) {
            held->fds[held->n++] = open(path, O_WRONLY | O_CLOEXEC | O_NONBLOCK);
        }
    }
    if (dir) {
        closedir(dir);
    }
    return false;
}

/** However it came to be killed: its end is not waited for until its time is over. */
static void one_that_does_not_die_is_given_up(void **state)
{
    (void)state;
    need_sandbox();
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const char *const argv[] = {"yes", NULL};
    wpa_error err = {0};
    holder held = {0};
    const wpa_sandbox_request request = {.argv = argv,
                                         .limits = {.wall_ms = 3600000, .keep_bytes = 1000},
                                         .is_cancelled = hold_pipes,
                                         .cancel_context = &held};
    assert_null(wpa_sandbox_run(&request, arena, &err));
    assert_int_equal(err.code, WPA_E_INTERNAL);
    assert_non_null(strstr(err.message, "did not die"));
    for (size_t i = 0; i < held.n; i++) {
        close(held.fds[i]);
    }
}

/** At whatever point bubblewrap is killed while it sets the sandbox up, nothing of it is left. */
static void ends_before_it_has_begun(void **state)
{
    (void)state;
    need_sandbox();
    for (int wall_ms = 1; wall_ms <= 40; wall_ms++) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        wpa_sandbox_request request = {.limits = {.wall_ms = wall_ms}};
        const wpa_sandbox_result *result = run_script("sleep 100", request, arena);
        assert_int_equal(WPA_SANDBOX_TIMED_OUT, result->end);
        assert_true(result->duration_ms < 50000);
    }
}

static void carries_files(void **state)
{
    (void)state;
    need_sandbox();
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_error err = {0};
    const char *folder = wpa_dir_temp("/tmp/wpa-tree", arena, &err);
    assert_non_null(folder);
    char name[121];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_true(wpa_dir_make(wpa_path_join(arena, folder, "a/b"), 0700, &err));
    assert_true(
        wpa_file_replace(wpa_path_join(arena, folder, "a/b/run.sh"), "echo ran\n", 9, 0700, &err));
    assert_true(wpa_file_replace(wpa_path_join(arena, folder, name), "long", 4, 0600, &err));
    assert_int_equal(0, symlink("/etc/shadow", wpa_path_join(arena, folder, "link")));
    static const uint8_t big[70000];
    const wpa_sandbox_file files[] = {
        {.path = "a/extra", .data = (const uint8_t *)"extra", .size_bytes = 5},
        {.path = "big", .data = big, .size_bytes = sizeof big}};
    static const char *const outputs[] = {"out/*.xml", "link", NULL};
    static const char *const markers[] = {"hunter2-marker", NULL};
    static const char *const environment[] = {"TOKEN=hunter2-marker", NULL};
    wpa_sandbox_request request = {.source = folder,
                                   .files = files,
                                   .n_files = WPA_COUNT(files),
                                   .folder = "a",
                                   .outputs = outputs,
                                   .markers = markers,
                                   .environment = environment};
    const wpa_sandbox_result *result =
        run_script("b/run.sh && cat extra ../n* && wc -c < ../big && mkdir -p ../out/deep && "
                   "echo '<x/>' > ../out/deep/r.xml && echo \"$TOKEN\" > ../out/t.xml",
                   request, arena);
    assert_string_equal("ran\nextralong70000\n", result->out.text);
    assert_int_equal(0, result->exit_code);
    assert_int_equal(2, result->n_files);
    assert_string_equal("out/deep/r.xml", result->files[0].path);
    assert_string_equal("<x/>\n", (const char *)result->files[0].data);
    assert_string_equal("hunter2-marker", result->leak);
    assert_string_equal("out/t.xml", result->leak_where);
    assert_true(access(wpa_path_join(arena, folder, "out"), F_OK) != 0);

    request.limits.output_bytes = 600;
    result = run_script("mkdir ../out && head -c 900 /dev/zero > ../out/a.xml", request, arena);
    assert_int_equal(0, result->n_files);
    assert_true(result->are_files_cut);

    request.limits.work_bytes = 16384;
    const char *const argv[] = {"true", NULL};
    request.argv = argv;
    assert_null(wpa_sandbox_run(&request, arena, &err));
    assert_int_equal(WPA_E_LIMIT, err.code);
    assert_true(wpa_dir_remove(folder, &err));
}

/** Is there a `sleep text`? Not bubblewrap's own line: the command has then not begun. */
static bool is_running(const char *text)
{
    char wanted[64];
    int length = snprintf(wanted, sizeof wanted, "sleep%c%s", 0, text);
    DIR *dir = opendir("/proc");
    assert_non_null(dir);
    bool is_found = false;
    struct dirent *entry;
    while (!is_found && (entry = readdir(dir))) { // NOLINT(concurrency-mt-unsafe): one thread
        char path[300], line[4096] = {0};
        snprintf(path, sizeof path, "/proc/%s/cmdline", entry->d_name);
        FILE *file = fopen(path, "r");
        if (file) {
            size_t n = fread(line, 1, sizeof line - 1, file);
            is_found = n >= (size_t)length && memcmp(line, wanted, (size_t)length) == 0;
            fclose(file);
        }
    }
    closedir(dir);
    return is_found;
}

static bool wait_until(bool is_wanted, const char *text)
{
    int64_t end_ms = wpa_monotonic_ms() + WPA_PATIENCE_MS;
    while (is_running(text) != is_wanted && wpa_monotonic_ms() < end_ms) {
        wpa_sleep_ms(10);
    }
    return is_running(text) == is_wanted;
}

static void dies_with_its_parent(void **state)
{
    (void)state;
    need_sandbox();
    char number[32];
    snprintf(number, sizeof number, "9%d.25", (int)getpid());
    pid_t pid = fork();
    if (pid == 0) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        wpa_error err = {0};
        const char *const argv[] = {"sleep", number, NULL};
        const wpa_sandbox_request request = {.argv = argv};
        (void)!wpa_sandbox_run(&request, arena, &err);
        _exit(0);
    }
    assert_true(wait_until(true, number));
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    assert_true(wait_until(false, number));
}

static void refuses_nonsense(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_error err = {0};
    const char *const argv[] = {"true", NULL};
    const wpa_sandbox_file outside = {.path = "../x", .data = (const uint8_t *)"", .size_bytes = 0};
    wpa_sandbox_request request = {0};
    assert_null(wpa_sandbox_run(&request, arena, &err));
    assert_int_equal(WPA_E_INVALID, err.code);
    request = (wpa_sandbox_request){.argv = argv, .folder = "../.."};
    assert_null(wpa_sandbox_run(&request, arena, &err));
    assert_int_equal(WPA_E_INVALID, err.code);
    request = (wpa_sandbox_request){.argv = argv, .files = &outside, .n_files = 1};
    if (!missing[0]) {
        assert_null(wpa_sandbox_run(&request, arena, &err));
        assert_int_equal(WPA_E_INVALID, err.code);
    }
}

int main(void)
{
    wpa_error err = {0};
    if (!wpa_sandbox_check(&err)) {
        wpa_error_text(&err, missing, sizeof missing);
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_confined),
        cmocka_unit_test(refuses_the_network),
        cmocka_unit_test(hides_sockets_and_state),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(ends_when_told),
        cmocka_unit_test(one_that_does_not_die_is_given_up),
        cmocka_unit_test(carries_files),
        cmocka_unit_test(dies_with_its_parent),
        cmocka_unit_test(refuses_nonsense),
        cmocka_unit_test(ends_before_it_has_begun),
    };
    (void)signal(SIGPIPE, SIG_IGN); /* as main does: what runs inside may end before it has read */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
