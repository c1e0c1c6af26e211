#include "harness/sample.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <libpq-fe.h>

#include <wpa/clock.h>
#include <wpa/file.h>
#include <wpa/memory.h>
#include <wpa/text.h>

#include "harness/patience.h"

enum {
    MAX_WORDS = 40,
    OUTPUT_MAX_BYTES = 4 << 20,
    ASK_FIRST_MS = 5, /* between two questions to the database: more and more */
    ASK_LAST_MS = 50,
    LEAVE_MS = 15000 /* how long the guard lets programs end by themselves */
};

struct wpa_sample {
    wpa_arena *arena;
    const char *folder, *program, *fleet, *passphrase;
    const char *mark; /* "WPA_SAMPLE=<folder>": in the environment of all that is ours */
    const char *env[16];
    int guard_in;  /* closed, by us or by our end: the guard cleans up */
    int guard_out; /* ends when it has */
};

/* ---- the guard ----------------------------------------------------------------------------------
 */

static size_t read_into(const char *path, char *text, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t n = 0;
    ssize_t got = 1;
    while (fd >= 0 && got > 0 && n + 1 < size) {
        got = read(fd, text + n, size - 1 - n);
        n += got > 0 ? (size_t)got : 0;
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    text[n] = '\0';
    return n;
}

static bool has_mark(pid_t pid, const char *mark)
{
    char path[64], environment[32768];
    (void)snprintf(path, sizeof path, "/proc/%d/environ", (int)pid);
    size_t n = read_into(path, environment, sizeof environment);
    for (size_t at = 0; at < n; at += strlen(environment + at) + 1) {
        if (wpa_text_is(environment + at, mark)) {
            return true;
        }
    }
    return false;
}

/* Signal all processes that carry the mark; how many there are. */
static int signal_marked(const char *mark, int signal_number)
{
    DIR *all = opendir("/proc");
    int n = 0;
    for (struct dirent *one = all ? readdir(all) : NULL; one; one = readdir(all)) {
        pid_t pid = (pid_t)strtol(one->d_name, NULL, 10);
        if (pid > 1 && pid != getpid() && has_mark(pid, mark)) {
            n++;
            (void)kill(pid, SIGCONT);
            (void)kill(pid, signal_number);
        }
    }
    if (all) {
        (void)closedir(all);
    }
    return n;
}

/* From postmaster.pid, if that process really serves this folder. */
static pid_t server_of(const char *folder)
{
    char path[600], text[4096], wanted[512];
    (void)snprintf(wanted, sizeof wanted, "%s/state/wpa/postgres/data", folder);
    (void)snprintf(path, sizeof path, "%s/postmaster.pid", wanted);
    (void)read_into(path, text, sizeof text);
    pid_t pid = (pid_t)strtol(text, NULL, 10);
    if (pid <= 1) {
        return 0;
    }
    (void)snprintf(path, sizeof path, "/proc/%d/cmdline", (int)pid);
    size_t n = read_into(path, text, sizeof text);
    return n && memmem(text, n, wanted, strlen(wanted)) ? pid : 0;
}

static void clean_up(const char *folder, const char *mark)
{
    wpa_error err = {0};
    int64_t end_ms = wpa_monotonic_ms() + LEAVE_MS;
    while (signal_marked(mark, SIGTERM) && wpa_monotonic_ms() < end_ms) {
        wpa_sleep_ms(50);
    }
    (void)signal_marked(mark, SIGKILL);
    for (pid_t server; (server = server_of(folder)) && wpa_monotonic_ms() < end_ms + LEAVE_MS;) {
        (void)kill(server, SIGQUIT); /* at once: nobody needs what it holds */
        wpa_sleep_ms(20);
    }
    for (int i = 0; i < 100 && !wpa_dir_remove(folder, &err); i++) {
        wpa_sleep_ms(50); /* somebody still writes */
        wpa_error_clear(&err);
    }
}

/* Nobody's child, in a session of its own: what ends the test does not end it. */
static void start_guard(wpa_sample *self)
{
    int in[2], out[2];
    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)setsid();
        if (fork() != 0) {
            _exit(0);
        }
        char byte;
        (void)close(in[1]);
        (void)close(out[0]);
        while (read(in[0], &byte, 1) < 0 && errno == EINTR) {
        }
        clean_up(self->folder, self->mark);
        _exit(0);
    }
    (void)waitpid(child, NULL, 0);
    (void)close(in[0]);
    (void)close(out[1]);
    self->guard_in = in[1];
    self->guard_out = out[0];
}

/* ---- programs -----------------------------------------------------------------------------------
 */

/* Words separated by blanks; a word in 'quotes' may hold blanks. Cut in place. */
static void cut(char *line, const char *words[MAX_WORDS + 1], int n)
{
    for (char *at = line; *at && n < MAX_WORDS; n++) {
        char stop = *at == '\'' ? '\'' : ' ';
        at += stop == '\'';
        words[n] = at;
        at += strcspn(at, stop == '\'' ? "'" : " ");
        if (*at) {
            *at++ = '\0';
            at += *at == ' ' && stop == '\'';
        }
    }
    words[n < MAX_WORDS ? n : MAX_WORDS] = NULL;
}

static void exec_it(const wpa_sample *self, const char *const argv[], const char *more, int out)
{
    sigset_t none;
    for (size_t i = 0; self->env[i]; i++) {
        (void)putenv((char *)(uintptr_t)self->env[i]); // NOLINT(concurrency-mt-unsafe)
    }
    if (more) {
        (void)putenv((char *)(uintptr_t)more); // NOLINT(concurrency-mt-unsafe)
    }
    int null = open("/dev/null", O_RDWR);
    (void)dup2(null, STDIN_FILENO);
    (void)dup2(out, STDOUT_FILENO);
    (void)dup2(out, STDERR_FILENO);
    (void)setpgid(0, 0);
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)execvp(argv[0], (char *const *)(uintptr_t)argv);
    (void)dprintf(STDERR_FILENO, "%s: %s\n", argv[0], wpa_strerror(errno));
    _exit(127);
}

static char *run(const wpa_sample *self, const char *const argv[], int *code)
{
    int ends[2], status = 0;
    size_t size = 0;
    wpa_error err = {0};
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        exec_it(self, argv, NULL, ends[1]);
    }
    (void)close(ends[1]);
    char *text = wpa_fd_read_all(ends[0], OUTPUT_MAX_BYTES, self->arena, &size, &err);
    (void)close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    *code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    assert_non_null(text);
    return text;
}

static char *run_must(const wpa_sample *self, const char *const argv[], int wanted)
{
    int code = 0;
    char *text = run(self, argv, &code);
    if (code != wanted) {
        (void)fprintf(stderr, "%s %s ...: ended with %d, not %d\n%s\n", argv[0],
                      argv[1] ? argv[1] : "", code, wanted, text);
        fail();
    }
    return text;
}

static char *format_arguments(const wpa_sample *self, const char *format, va_list arguments)
    WPA_PRINTF(2, 0);
static char *format_arguments(const wpa_sample *self, const char *format, va_list arguments)
{
    char *text = NULL;
    assert_true(vasprintf(&text, format, arguments) >= 0);
    char *copy = wpa_arena_text(self->arena, text);
    free(text); // NOLINT: vasprintf's
    return copy;
}

char *wpa_sample_wpa(const wpa_sample *self, int code, const char *words, ...)
{
    const char *argv[MAX_WORDS + 1] = {self->program};
    va_list arguments;
    va_start(arguments, words);
    cut(format_arguments(self, words, arguments), argv, 1);
    va_end(arguments);
    return run_must(self, argv, code);
}

pid_t wpa_sample_spawn(const wpa_sample *self, const char *words, const char *env)
{
    const char *argv[MAX_WORDS + 1] = {self->program};
    cut(wpa_arena_text(self->arena, words), argv, 1);
    const char *path = wpa_path_join(self->arena, self->folder, "background.log");
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        exec_it(self, argv, env, open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    }
    return child;
}

wpa_tty *wpa_sample_tty(const wpa_sample *self, const char *words, int rows, int cols)
{
    wpa_error err = {0};
    const char *argv[MAX_WORDS + 1] = {self->program};
    cut(wpa_arena_text(self->arena, words), argv, 1);
    wpa_tty *tty = wpa_tty_start(argv, self->env, rows, cols, &err);
    assert_non_null(tty);
    return tty;
}

char *wpa_sample_git(const wpa_sample *self, const char *repository, const char *words, ...)
{
    const char *argv[MAX_WORDS + 1] = {
        "git", "-c", "safe.directory=*", "--git-dir",
        wpa_arena_printf(self->arena, "%s/%s.git", self->fleet, repository)};
    va_list arguments;
    va_start(arguments, words);
    cut(format_arguments(self, words, arguments), argv, 5);
    va_end(arguments);
    char *text = run_must(self, argv, 0);
    size_t n = strlen(text);
    text[n - (n && text[n - 1] == '\n')] = '\0';
    return text;
}

/* ---- the world ----------------------------------------------------------------------------------
 */

static const char *need_env(const char *name)
{
    const char *value = getenv(name); // NOLINT(concurrency-mt-unsafe)
    if (!value) {
        fail_msg("%s is not set: run this through ctest", name);
    }
    return value;
}

/* Whatever database or session the caller's environment names is not this test's. */
static void forget_environment(void)
{
    static const char *const names[] = {
        "WPA_DB",     "WPA_TOKEN",  "DATABASE_URL", "PGHOST",     "PGPORT",
        "PGDATABASE", "PGUSER",     "PGSERVICE",    "PGPASSWORD", "SSH_CONNECTION",
        "SSH_TTY",    "SSH_CLIENT", "WPA_FAULT",    "TMUX",       "NO_COLOR",
        "COLUMNS",    "LINES",      "GIT_DIR",      "PGPASSFILE",
    };
    for (size_t i = 0; i < WPA_COUNT(names); i++) {
        (void)unsetenv(names[i]); // NOLINT(concurrency-mt-unsafe)
    }
}

static void fill_env(wpa_sample *self)
{
    size_t n = 0;
    static const char *const folders[] = {"XDG_STATE_HOME=%s/state", "XDG_CONFIG_HOME=%s/config",
                                          "XDG_CACHE_HOME=%s/cache", "HOME=%s",
                                          "XDG_RUNTIME_DIR=%s/run"};
    self->env[n++] = self->mark;
    self->env[n++] = "LANG=C.UTF-8";
    self->env[n++] = "USER=mira"; /* stands in the form already */
    self->env[n++] = "GIT_CONFIG_NOSYSTEM=1";
    for (size_t i = 0; i < WPA_COUNT(folders); i++) {
        const char *value = strchr(folders[i], '%') + 2;
        self->env[n++] =
            wpa_arena_printf(self->arena, "%.*s%s%s", (int)(strchr(folders[i], '%') - folders[i]),
                             folders[i], self->folder, value);
    }
    self->env[n] = NULL;
}

/* The service takes a free port and says which. */
static int start_service(const wpa_sample *self, const char *source)
{
    int ends[2];
    char line[200] = "";
    const char *argv[] = {
        "python3",   "-B", wpa_path_join(self->arena, source, "tests/fleet/service.py"),
        self->fleet, "0",  NULL};
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        exec_it(self, argv, NULL, ends[1]);
    }
    (void)close(ends[1]);
    struct pollfd ready = {.fd = ends[0], .events = POLLIN};
    for (size_t n = 0; n + 1 < sizeof line && !strchr(line, '\n'); n++) {
        if (poll(&ready, 1, WPA_PATIENCE_MS) != 1 || read(ends[0], line + n, 1) != 1) {
            fail_msg("the sample's service does not start: %s", line);
        }
    }
    /* The reading end stays open for it: it lives as long as this process. */
    const char *colon = strrchr(line, ':');
    return colon ? (int)strtol(colon + 1, NULL, 10) : 0;
}

wpa_sample *wpa_sample_new_bare(void)
{
    wpa_error err = {0};
    const char *source = need_env("WPA_SOURCE_DIR");
    const char *build = need_env("WPA_BUILD_DIR");
    wpa_arena *arena = wpa_arena_new();
    wpa_sample *self = wpa_arena_alloc(arena, sizeof *self);
    forget_environment();
    self->arena = arena;
    self->program = wpa_path_join(arena, build, "wpa");
    self->folder = wpa_dir_temp("/tmp/wpa-e2e", arena, &err);
    assert_non_null(self->folder);
    /* Run by root, the database server is another user's process and must come through. */
    assert_int_equal(chmod(self->folder, 0711), 0);
    assert_true(wpa_dir_make(wpa_path_join(arena, self->folder, "state"), 0711, &err));
    self->fleet = wpa_path_join(arena, self->folder, "fleet");
    self->passphrase = wpa_path_join(arena, self->folder, "passphrase");
    self->mark = wpa_arena_printf(arena, "WPA_SAMPLE=%s", self->folder);
    fill_env(self);
    start_guard(self);
    assert_true(wpa_dir_make(self->fleet, 0755, &err));
    assert_true(wpa_dir_make(wpa_path_join(arena, self->folder, "run"), 0700, &err));
    const char *secret = WPA_SAMPLE_PASSPHRASE "\n";
    assert_true(wpa_file_replace(self->passphrase, secret, strlen(secret), 0600, &err));
    const char *port = wpa_arena_printf(arena, "%d", start_service(self, source));
    const char *argv[] = {"sh", wpa_path_join(arena, source, "tests/fleet/make.sh"), self->fleet,
                          port, NULL};
    (void)run_must(self, argv, 0);
    return self;
}

wpa_sample *wpa_sample_new(void)
{
    wpa_sample *self = wpa_sample_new_bare();
    const char *template = getenv("WPA_TEST_TEMPLATE"); // NOLINT(concurrency-mt-unsafe)
    if (template && wpa_path_exists(template)) {
        const char *argv[] = {"cp", "-a", wpa_path_join(self->arena, template, "state"),
                              self->folder, NULL};
        (void)run_must(self, argv, 0);
    }
    return self;
}

void wpa_sample_free(wpa_sample *self)
{
    char byte;
    if (!self) {
        return;
    }
    (void)close(self->guard_in);
    while (waitpid(-1, NULL, WNOHANG) > 0) {
    }
    while (read(self->guard_out, &byte, 1) < 0 && errno == EINTR) {
    }
    (void)close(self->guard_out);
    while (waitpid(-1, NULL, WNOHANG) > 0) {
    }
    wpa_arena_free(self->arena);
}

wpa_arena *wpa_sample_arena(const wpa_sample *self)
{
    return self->arena;
}

const char *wpa_sample_folder(const wpa_sample *self)
{
    return self->folder;
}

const char *wpa_sample_program(const wpa_sample *self)
{
    return self->program;
}

const char *const *wpa_sample_env(const wpa_sample *self)
{
    return self->env;
}

void wpa_sample_import(const wpa_sample *self, bool has_guardian)
{
    if (!has_guardian) {
        (void)wpa_sample_wpa(self, 0, "guardian add mira --passphrase-file %s", self->passphrase);
    }
    (void)wpa_sample_wpa(self, 0, "login mira --passphrase-file %s", self->passphrase);
    char *said = wpa_sample_wpa(self, 0, "fleet import %s/fleet.yml", self->fleet);
    assert_non_null(strstr(said, "6 added"));
}

/* ---- the database -------------------------------------------------------------------------------
 */

static void ignore_notice(void *context, const PGresult *notice)
{
    (void)context;
    (void)notice;
}

static PGconn *connect_to(const wpa_sample *self, bool must)
{
    char dsn[600];
    (void)snprintf(dsn, sizeof dsn,
                   "host='%s/state/wpa/postgres' port=5432 user=wpa dbname=postgres "
                   "connect_timeout=5 application_name='wpa e2e'",
                   self->folder);
    PGconn *conn = PQconnectdb(dsn);
    if (PQstatus(conn) != CONNECTION_OK) {
        if (must) {
            (void)fputs(PQerrorMessage(conn), stderr);
        }
        PQfinish(conn);
        return NULL;
    }
    (void)PQsetNoticeReceiver(conn, ignore_notice, NULL);
    return conn;
}

static char *ask(const wpa_sample *self, PGconn *conn, const char *sql, bool must)
{
    PGresult *result = PQexec(conn, sql);
    bool is_good =
        PQresultStatus(result) == PGRES_TUPLES_OK || PQresultStatus(result) == PGRES_COMMAND_OK;
    if (!is_good && must) {
        (void)fprintf(stderr, "%s\n%s\n", sql, PQerrorMessage(conn));
    }
    char *text =
        is_good ? wpa_arena_text(self->arena, PQntuples(result) ? PQgetvalue(result, 0, 0) : "")
                : NULL;
    PQclear(result);
    return text;
}

char *wpa_sample_sql_try(const wpa_sample *self, const char *sql)
{
    PGconn *conn = connect_to(self, false);
    char *text = conn ? ask(self, conn, sql, false) : NULL;
    PQfinish(conn);
    return text;
}

char *wpa_sample_sql(const wpa_sample *self, const char *sql, ...)
{
    va_list arguments;
    va_start(arguments, sql);
    char *statement = format_arguments(self, sql, arguments);
    va_end(arguments);
    PGconn *conn = connect_to(self, true);
    char *text = conn ? ask(self, conn, statement, true) : NULL;
    PQfinish(conn);
    assert_non_null(text);
    return text;
}

void wpa_sample_sql_wait(const wpa_sample *self, const char *wanted, int timeout_ms,
                         const char *sql, ...)
{
    va_list arguments;
    va_start(arguments, sql);
    char *statement = format_arguments(self, sql, arguments);
    va_end(arguments);
    int64_t end_ms = wpa_monotonic_ms() + timeout_ms;
    PGconn *conn = NULL;
    char *got = NULL;
    int pause_ms = ASK_FIRST_MS;
    while (!got || !wpa_text_is(got, wanted)) {
        if (wpa_monotonic_ms() > end_ms) {
            PQfinish(conn);
            fail_msg("%s: '%s' after %d ms, not '%s'", statement, got ? got : "(no answer)",
                     timeout_ms, wanted);
        }
        conn = conn ? conn : connect_to(self, false);
        got = conn ? ask(self, conn, statement, false) : NULL;
        if (conn && PQstatus(conn) != CONNECTION_OK) {
            PQfinish(conn);
            conn = NULL;
        }
        wpa_sleep_ms(got && wpa_text_is(got, wanted) ? 0 : pause_ms);
        pause_ms = pause_ms * 2 < ASK_LAST_MS ? pause_ms * 2 : ASK_LAST_MS;
    }
    PQfinish(conn);
}

struct wpa_sample_lock {
    PGconn *conn;
};

wpa_sample_lock *wpa_sample_lock_take(const wpa_sample *self, const char *sql)
{
    wpa_sample_lock *lock = wpa_arena_alloc(self->arena, sizeof *lock);
    lock->conn = connect_to(self, true);
    assert_non_null(lock->conn);
    assert_non_null(ask(self, lock->conn, "BEGIN", true));
    assert_non_null(ask(self, lock->conn, sql, true));
    return lock;
}

void wpa_sample_unlock(wpa_sample_lock *lock)
{
    PQfinish(lock->conn);
    lock->conn = NULL;
}

pid_t wpa_sample_server(const wpa_sample *self)
{
    return server_of(self->folder);
}

void wpa_sample_server_wait_gone(const wpa_sample *self, int timeout_ms)
{
    int64_t end_ms = wpa_monotonic_ms() + timeout_ms;
    while (server_of(self->folder)) {
        if (wpa_monotonic_ms() > end_ms) {
            fail_msg("the database server still runs after %d ms", timeout_ms);
        }
        wpa_sleep_ms(10);
    }
}
