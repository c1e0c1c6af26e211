#include "harness/receiver.h"

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <wpa/clock.h>
#include <wpa/file.h>
#include <wpa/text.h>

#include "harness/patience.h"

enum {
    OUTPUT_MAX_BYTES = 1 << 20,
    LOG_MAX_BYTES = 64 << 20
};

static const char *script_path(const wpa_sample *sample, const char *name)
{
    const char *source = getenv("WPA_SOURCE_DIR"); // NOLINT(concurrency-mt-unsafe)
    assert_non_null(source);
    return wpa_arena_printf(wpa_sample_arena(sample), "%s/tests/harness/%s", source, name);
}

/** In a group of its own, marked as the sample's: it is ended with it. */
static int start(const wpa_sample *sample, const char *command)
{
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        const char *const *env = wpa_sample_env(sample);
        for (size_t i = 0; env[i]; i++) {
            (void)putenv((char *)(uintptr_t)env[i]); // NOLINT(concurrency-mt-unsafe)
        }
        (void)dup2(ends[1], STDOUT_FILENO);
        (void)setpgid(0, 0);
        (void)execl("/bin/bash", "bash", "-c", command, (char *)NULL);
        _exit(127);
    }
    (void)close(ends[1]);
    return ends[0]; /* stays open: it lives as long as this process */
}

wpa_receiver wpa_receiver_start(const wpa_sample *sample, const char *kind, const char *options)
{
    static int n = 0;
    wpa_arena *arena = wpa_sample_arena(sample);
    char line[32] = "";
    wpa_receiver receiver = {
        .sample = sample,
        .log = wpa_arena_printf(arena, "%s/received-%d.log", wpa_sample_folder(sample), ++n)};
    int fd = start(sample, wpa_arena_printf(arena, "exec python3 -B '%s' %s '%s' %s",
                                            script_path(sample, "receiver.py"), kind, receiver.log,
                                            options));
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    for (size_t at = 0; at + 1 < sizeof line && !strchr(line, '\n'); at++) {
        if (poll(&ready, 1, WPA_PATIENCE_MS) != 1 || read(fd, line + at, 1) != 1) {
            fail_msg("the receiver does not start: %s", line);
        }
    }
    receiver.port = (int)strtol(line, NULL, 10);
    assert_true(receiver.port > 0);
    return receiver;
}

char *wpa_test_shell(const wpa_sample *sample, const char *script, ...)
{
    char text[16384];
    va_list arguments;
    va_start(arguments, script);
    int length = vsnprintf(text, sizeof text, script, arguments);
    va_end(arguments);
    assert_in_range(length, 0, sizeof text - 1);
    int ends[2], status = 0;
    size_t size_bytes = 0;
    wpa_error err = {0};
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)dup2(ends[1], STDOUT_FILENO);
        (void)execl("/bin/bash", "bash", "-euo", "pipefail", "-c", text, (char *)NULL);
        _exit(127);
    }
    (void)close(ends[1]);
    char *out =
        wpa_fd_read_all(ends[0], OUTPUT_MAX_BYTES, wpa_sample_arena(sample), &size_bytes, &err);
    (void)close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!out || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        fail_msg("%s: ended with %d: %s", text, status, out ? out : "");
        return NULL;
    }
    out[size_bytes - (size_bytes && out[size_bytes - 1] == '\n')] = '\0';
    return out;
}

char *wpa_receiver_get(const wpa_receiver *receiver, int n, const char *path)
{
    return wpa_test_shell(receiver->sample, "python3 -B '%s' '%s' %d '%s'",
                          script_path(receiver->sample, "received.py"), receiver->log, n, path);
}

int wpa_receiver_count(const wpa_receiver *receiver)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    size_t size_bytes = 0;
    wpa_error err = {0};
    const char *text = wpa_file_read(receiver->log, LOG_MAX_BYTES, arena, &size_bytes, &err);
    if (!text && err.code != WPA_E_NOT_FOUND) {
        fail_msg("%s", err.message);
    }
    int n = 0;
    for (size_t i = 0; text && i < size_bytes; i++) {
        n += text[i] == '\n';
    }
    return n;
}

void wpa_receiver_wait(const wpa_receiver *receiver, int n)
{
    int64_t end_ms = wpa_monotonic_ms() + WPA_PATIENCE_MS;
    while (wpa_receiver_count(receiver) < n) {
        if (wpa_monotonic_ms() > end_ms) {
            fail_msg("%d things arrived, not %d", wpa_receiver_count(receiver), n);
        }
        wpa_sleep_ms(20);
    }
}
