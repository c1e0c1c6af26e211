#include "cli/session.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <wpa/clock.h>
#include <wpa/file.h>
#include <wpa/text.h>

#include "agent/pool.h"
#include "db/source.h"
#include "gen/sql.h"
#include "guardian/guardian.h"

enum {
    TOKEN_MAX_BYTES = 8192
};

struct wpa_cli_session {
    const char *state;
    const char *database; /* libpq's words for it; NULL: embedded */
    wpa_engine *engine, *workers;
    wpa_db *reader, *db;
    wpa_token_keys *keys;
    wpa_session person;
    bool has_person, is_refused; /* refused: a token was shown that is not taken */
    int signal_fd;               /* -1: signals still end the process */
    sigset_t before;             /* what was blocked until then */
    bool is_stopped;
};

void wpa_cli_session_open(wpa_cli *cli)
{
    cli->session = wpa_arena_alloc(cli->arena, sizeof *cli->session);
    cli->session->signal_fd = -1;
}

void wpa_cli_session_close(wpa_cli *cli)
{
    struct wpa_cli_session *self = cli->session;
    wpa_db_close(self->reader);
    wpa_db_close(self->db);
    if (self->workers) {
        wpa_engine_close(self->workers);
    }
    if (self->engine) {
        wpa_engine_close(self->engine);
    }
    if (self->keys) {
        wpa_token_keys_free(self->keys);
    }
    if (self->signal_fd >= 0) {
        struct signalfd_siginfo seen; /* taken, or it would end us once it is let through */
        while (read(self->signal_fd, &seen, sizeof seen) > 0) {
        }
        close(self->signal_fd);
        pthread_sigmask(SIG_SETMASK, &self->before, NULL);
    }
}

/* ---- signals ------------------------------------------------------------------------------------
 */

int wpa_cli_signal_fd(wpa_cli *cli)
{
    struct wpa_cli_session *self = cli->session;
    if (self->signal_fd < 0) {
        sigset_t mask;
        sigemptyset(&mask);
        sigaddset(&mask, SIGINT);
        sigaddset(&mask, SIGTERM);
        sigaddset(&mask, SIGHUP);
        pthread_sigmask(SIG_BLOCK, &mask, &self->before); /* threads made from now on inherit it */
        self->signal_fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
    }
    return self->signal_fd;
}

bool wpa_cli_pause(wpa_cli *cli, int64_t duration_ms)
{
    struct wpa_cli_session *self = cli->session;
    struct pollfd signals = {.fd = wpa_cli_signal_fd(cli), .events = POLLIN};
    int64_t deadline = wpa_monotonic_ms() + duration_ms;
    while (!self->is_stopped) {
        int64_t left = deadline - wpa_monotonic_ms();
        if (left < 0) {
            return true;
        }
        int n = poll(&signals, 1, left > 3600000 ? 3600000 : (int)left);
        self->is_stopped = n > 0;
        if (n == 0) {
            return true;
        }
    }
    return false;
}

bool wpa_cli_is_stopped(const wpa_cli *cli)
{
    struct wpa_cli_session *self = cli->session;
    struct pollfd signals = {.fd = self->signal_fd, .events = POLLIN};
    self->is_stopped = self->is_stopped || (self->signal_fd >= 0 && poll(&signals, 1, 0) > 0);
    return self->is_stopped;
}

/* ---- database and engine ---- */

const char *wpa_cli_state(wpa_cli *cli, wpa_error *err)
{
    if (!cli->session->state) {
        cli->session->state = wpa_path_state(cli->arena, err);
    }
    return cli->session->state;
}

static void tell_progress(void *context, const char *step)
{
    wpa_cli *cli = context;
    if (isatty(fileno(cli->err)) || wpa_cli_is_given(cli, "verbose")) {
        fprintf(cli->err, "wpa: %s\n", step);
    }
}

wpa_engine *wpa_cli_engine(wpa_cli *cli, wpa_error *err)
{
    struct wpa_cli_session *self = cli->session;
    wpa_db_source source;
    if (self->engine) {
        return self->engine;
    }
    if (!wpa_cli_state(cli, err) ||
        !wpa_db_source_find(wpa_cli_text(cli, "db"), cli->arena, &source, err)) {
        return NULL;
    }
    self->database = source.dsn;
    wpa_engine_options options = {
        .dsn = source.dsn,
        .state_folder = self->state,
        .n_workers = 0,
        .log = cli->log,
        .progress = tell_progress,
        .context = cli,
    };
    wpa_cli_signal_fd(cli);
    self->engine = wpa_engine_open(&options, err);
    if (!self->engine) {
        wpa_error_within(err, "open the database (%s)", source.origin);
    }
    return self->engine;
}

static wpa_db *connect_as(wpa_cli *cli, const char *role, wpa_error *err)
{
    wpa_engine *engine = wpa_cli_engine(cli, err);
    return engine ? wpa_engine_connect_as(engine, role, "wpa cli", err) : NULL;
}

wpa_db *wpa_cli_reader(wpa_cli *cli, wpa_error *err)
{
    if (!cli->session->reader) {
        cli->session->reader = connect_as(cli, "wpa_viewer", err);
    }
    return cli->session->reader;
}

wpa_db *wpa_cli_db(wpa_cli *cli, wpa_error *err)
{
    if (!cli->session->db) {
        cli->session->db = connect_as(cli, "wpa_api", err);
    }
    return cli->session->db;
}

bool wpa_cli_need_workers(wpa_cli *cli, wpa_error *err)
{
    struct wpa_cli_session *self = cli->session;
    wpa_db *reader = wpa_cli_reader(cli, err);
    if (self->workers || !reader) {
        return self->workers != NULL;
    }
    WPA_AUTO(wpa_rows) *rows = wpa_db_exec(reader, WPA_SQL_CLI_AGENTS_ALIVE, NULL, 0, err);
    if (!rows) {
        return false;
    }
    if (wpa_rows_int(rows, 0, 0) > 0) {
        return true;
    }
    wpa_engine_options options = {
        .dsn = wpa_engine_dsn(self->engine),
        .state_folder = self->state,
        .n_workers = -1,
        .log = cli->log,
    };
    self->workers = wpa_engine_open(&options, err);
    return self->workers != NULL;
}

/* ---- the person ---- */

wpa_actor wpa_cli_where(void)
{
    wpa_actor where = {0};
    wpa_session_locate(&where);
    return where;
}

const wpa_token_keys *wpa_cli_token_keys(wpa_cli *cli, wpa_error *err)
{
    const char *state = wpa_cli_state(cli, err);
    if (!cli->session->keys && state) {
        cli->session->keys =
            wpa_token_keys_open(wpa_path_join(cli->arena, state, WPA_CLI_KEYS_FILE), err);
    }
    return cli->session->keys;
}

const char *wpa_cli_codes_key(const wpa_cli *cli)
{
    return cli->session->engine ? wpa_engine_codes_key(cli->session->engine) : NULL;
}

const char *wpa_cli_token_path(wpa_cli *cli, wpa_error *err)
{
    const char *state = wpa_cli_state(cli, err);
    return state ? wpa_path_join(cli->arena, state, "token") : NULL;
}

/* WPA_TOKEN, else what wpa login has left; NULL without an error: neither. */
static const char *find_token(wpa_cli *cli, wpa_error *err)
{
    const char *token = getenv("WPA_TOKEN");
    if (token && *token) {
        return wpa_arena_text(cli->arena, token);
    }
    const char *path = wpa_cli_token_path(cli, err);
    size_t size = 0;
    if (!path || !wpa_path_exists(path)) {
        return NULL;
    }
    char *text = wpa_file_read(path, TOKEN_MAX_BYTES, cli->arena, &size, err);
    if (text) {
        text[strcspn(text, "\r\n")] = 0;
    }
    return text;
}

static bool fail_without_token(wpa_cli *cli, wpa_db *db, wpa_error *err)
{
    bool exists = false;
    if (err->code != WPA_OK || !wpa_guardian_exists(db, &exists, err)) {
        return false;
    }
    (void)cli;
    return exists ? WPA_FAIL(err, WPA_E_DENIED, "nobody is signed in (see wpa login)")
                  : WPA_FAIL(err, WPA_E_DENIED,
                             "there is no guardian yet: make one with wpa guardian add NAME");
}

const wpa_session *wpa_cli_session_get(wpa_cli *cli, wpa_error *err)
{
    struct wpa_cli_session *self = cli->session;
    if (self->has_person) {
        return &self->person;
    }
    wpa_db *db = wpa_cli_db(cli, err);
    const char *token = db ? find_token(cli, err) : NULL;
    if (!token) {
        if (db) {
            fail_without_token(cli, db, err);
        }
        return NULL;
    }
    const wpa_token_keys *keys = wpa_cli_token_keys(cli, err);
    wpa_actor where = wpa_cli_where();
    self->has_person =
        keys && wpa_session_resume(db, keys, token, &where, cli->log, &self->person, err);
    self->is_refused = !self->has_person && err->code == WPA_E_DENIED;
    return self->has_person ? &self->person : NULL;
}

void wpa_cli_record_refusal(wpa_cli *cli)
{
    struct wpa_cli_session *self = cli->session;
    wpa_error err = {0};
    if ((self->has_person || self->is_refused) && self->engine &&
        !wpa_agent_record_refusal(self->engine, &self->person.actor, cli->command->name,
                                  cli->n_operands ? cli->operands[0] : NULL, &err)) {
        wpa_log_error(cli->log, "cli", &err);
    }
}

const wpa_actor *wpa_cli_actor(wpa_cli *cli, wpa_error *err)
{
    const wpa_session *session = wpa_cli_session_get(cli, err);
    return session ? &session->actor : NULL;
}
