#include "harness/oidc.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <wpa/buf.h>
#include <wpa/file.h>
#include <wpa/memory.h>
#include <wpa/text.h>

#include "harness/client.h"

#define TEXT_MAX_BYTES ((size_t)1 << 20)

struct wpa_oidc {
    wpa_arena *arena;
    const char *folder, *issuer, *tls_issuer;
    wpa_client client;
    pid_t pid;
};

static bool is_here(const char *program)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const char *path = getenv("PATH"); // NOLINT(concurrency-mt-unsafe)
    for (const char *at = path ? path : ""; *at;) {
        size_t length = strcspn(at, ":");
        if (access(wpa_path_join(arena, wpa_arena_slice(arena, at, length), program), X_OK) == 0) {
            return true;
        }
        at += length + (at[length] == ':');
    }
    return false;
}

void wpa_oidc_need(void)
{
    if (!is_here("python3") || !is_here("openssl")) {
        (void)printf("skipped: no python3 or openssl: there is no provider to sign in with\n");
        exit(77);
    }
}

static void become_provider(const char *script, const char *folder, int out)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)dup2(out, STDOUT_FILENO);
    (void)execlp("python3", "python3", script, folder, (char *)NULL);
    _exit(127);
}

wpa_oidc *wpa_oidc_start(void)
{
    wpa_error err = {0};
    int ends[2];
    wpa_oidc *self = wpa_alloc(sizeof *self);
    *self = (wpa_oidc){.arena = wpa_arena_new()};
    const char *source = getenv("WPA_SOURCE_DIR"); // NOLINT(concurrency-mt-unsafe)
    assert_non_null(source);
    self->folder = wpa_dir_temp("/tmp/wpa-oidc-", self->arena, &err);
    assert_non_null(self->folder);
    const char *script = wpa_path_join(self->arena, source, "tests/harness/oidc.py");
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    self->pid = fork();
    assert_true(self->pid >= 0);
    if (self->pid == 0) {
        become_provider(script, self->folder, ends[1]);
    }
    (void)close(ends[1]);
    char line[32] = "";
    int64_t port = 0, tls_port = 0;
    for (size_t n = 0; n + 1 < sizeof line && read(ends[0], line + n, 1) == 1 && line[n] != '\n';) {
        n++;
    }
    (void)close(ends[0]);
    line[strcspn(line, "\n")] = '\0';
    char *second = strchr(line, ' ');
    assert_non_null(second);
    *second++ = '\0';
    assert_true(wpa_text_to_int(line, 1, 65535, &port));
    assert_true(wpa_text_to_int(second, 1, 65535, &tls_port));
    self->client = (wpa_client){.port = (int)port, .arena = self->arena};
    self->issuer = wpa_arena_printf(self->arena, "http://127.0.0.1:%d", (int)port);
    self->tls_issuer = wpa_arena_printf(self->arena, "https://127.0.0.1:%d", (int)tls_port);
    return self;
}

void wpa_oidc_stop(wpa_oidc *self)
{
    wpa_error err = {0};
    (void)kill(self->pid, SIGKILL);
    (void)waitpid(self->pid, NULL, 0);
    (void)!wpa_dir_remove(self->folder, &err);
    wpa_arena_free(self->arena);
    wpa_free(self);
}

const char *wpa_oidc_issuer(const wpa_oidc *self)
{
    return self->issuer;
}

const char *wpa_oidc_tls_issuer(const wpa_oidc *self)
{
    return self->tls_issuer;
}

const char *wpa_oidc_tls_roots(const wpa_oidc *self)
{
    return wpa_path_join(self->arena, self->folder, "tls.pem");
}

const char *wpa_oidc_tell(wpa_oidc *self, const char *path, const char *json)
{
    wpa_client_answer answer = wpa_client_call(&self->client, "POST", path, json);
    if (answer.status != 200) {
        fail_msg("provider, %s %s: %d %s", path, json, answer.status, answer.body);
    }
    return answer.body;
}

static void write_text(wpa_buf *json, const char *name, const char *text)
{
    wpa_buf_printf(json, "%s\"%s\":\"", wpa_buf_size(json) > 1 ? "," : "", name);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') {
            wpa_buf_char(json, '\\');
        }
        wpa_buf_char(json, *text);
    }
    wpa_buf_char(json, '"');
}

const char *wpa_oidc_mint(wpa_oidc *self, const char *key, const char *header, const char *payload)
{
    WPA_AUTO(wpa_buf) *json = wpa_buf_new(TEXT_MAX_BYTES);
    wpa_buf_char(json, '{');
    write_text(json, "key", key);
    write_text(json, "header", header);
    write_text(json, "payload", payload);
    wpa_buf_char(json, '}');
    const char *answer = wpa_oidc_tell(self, "/mint", wpa_buf_data(json));
    const char *token = strstr(answer, "\": \"");
    assert_non_null(token);
    return wpa_arena_slice(self->arena, token + 4, strcspn(token + 4, "\""));
}
