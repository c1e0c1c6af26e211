#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <wpa/file.h>
#include <wpa/text.h>

#include "api/api.h"
#include "cli/commands.h"
#include "cli/session.h"
#include "cli/work.h"
#include "db/source.h"

#define GRACE_MS 10000
#define SYSTEMD_FIRST_FD 3

/* clang-format off */
static const wpa_cli_option options[] = {
    {"listen", 0, WPA_CLI_TEXT, "ADDRESS:PORT", "where to listen (default 127.0.0.1:8000; [::1]:8000)"},
    {"socket", 0, WPA_CLI_TEXT, "PATH", "listen on a unix socket instead"},
    {"tls-cert", 0, WPA_CLI_TEXT, "FILE", "certificate chain (PEM); with --tls-key the server speaks TLS"},
    {"tls-key", 0, WPA_CLI_TEXT, "FILE", "its private key (PEM)"},
    {"trust-proxy", 0, WPA_CLI_LIST, "ADDRESS", "believe X-Forwarded-For of this address (local: by the unix socket); may be repeated"},
    {"open-to-viewers", 0, WPA_CLI_FLAG, NULL, "let the viewer role read"},
    {"open-metrics", 0, WPA_CLI_FLAG, NULL, "let /metrics be read without a token"},
    {"workers", 0, WPA_CLI_INT, "N", "jobs of the engine done in this process (default 2; 0: agents do them)"},
    {"threads", 0, WPA_CLI_INT, "N", "requests served at the same time (default 4)"},
    {"request-seconds", 0, WPA_CLI_INT, "N", "in which a request must have arrived (default 30)"},
};
/* clang-format on */

/** "127.0.0.1:8000", "[::1]:8000", ":8000". */
static bool parse_listen(const char *text, wpa_api_options *api, wpa_arena *arena, wpa_error *err)
{
    const char *colon = strrchr(text, ':');
    int64_t port = 0;
    if (!colon || !wpa_text_to_int(colon + 1, 0, 65535, &port)) {
        return WPA_FAIL(err, WPA_E_INVALID,
                        "--listen '%s': expected ADDRESS:PORT, as 127.0.0.1:8000", text);
    }
    bool has_brackets = *text == '[' && colon > text + 1 && colon[-1] == ']';
    const char *start = text + has_brackets;
    size_t length = (size_t)(colon - start) - has_brackets;
    api->host = length ? wpa_arena_slice(arena, start, length) : "127.0.0.1";
    api->port = (int)port;
    return true;
}

/** A socket that systemd has opened for us (LISTEN_PID, LISTEN_FDS), or -1. */
static int inherited_socket(void)
{
    const char *pid = getenv("LISTEN_PID"); /* NOLINT(concurrency-mt-unsafe): before any thread */
    const char *fds = getenv("LISTEN_FDS"); /* NOLINT(concurrency-mt-unsafe) */
    int64_t number = 0;
    bool is_ours = pid && fds && wpa_text_to_int(pid, 1, INT32_MAX, &number) &&
                   number == (int64_t)getpid() && wpa_text_to_int(fds, 1, 1, &number);
    return is_ours ? SYSTEMD_FIRST_FD : -1;
}

static bool is_address(const char *text)
{
    unsigned char number[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, text, number) == 1 || inet_pton(AF_INET6, text, number) == 1 ||
           wpa_text_is(text, "local"); /* whoever comes through the unix socket */
}

static bool read_options(wpa_cli *cli, wpa_api_options *api, wpa_error *err)
{
    const char *state = wpa_cli_state(cli, err);
    const char *listen = wpa_cli_text(cli, "listen");
    if (!state) {
        return false;
    }
    *api = (wpa_api_options){
        .host = "127.0.0.1",
        .port = WPA_API_DEFAULT_PORT,
        .unix_socket = wpa_cli_text(cli, "socket"),
        .listen_fd = inherited_socket(),
        .keys_path = wpa_path_join(cli->arena, state, WPA_CLI_KEYS_FILE),
        .certificate = wpa_cli_text(cli, "tls-cert"),
        .private_key = wpa_cli_text(cli, "tls-key"),
        .n_workers = (int)wpa_cli_int(cli, "threads", 4),
        .request_seconds = wpa_cli_int(cli, "request-seconds", 30),
        .is_open_to_viewers = wpa_cli_is_given(cli, "open-to-viewers"),
        .are_metrics_open = wpa_cli_is_given(cli, "open-metrics"),
        .log = cli->log,
    };
    api->trusted_proxies = wpa_cli_texts(cli, "trust-proxy", &api->n_trusted_proxies);
    for (size_t i = 0; i < api->n_trusted_proxies; i++) {
        if (!is_address(api->trusted_proxies[i])) {
            return WPA_FAIL(err, WPA_E_INVALID,
                            "--trust-proxy '%s': expected an address, as ::1, or local",
                            api->trusted_proxies[i]);
        }
    }
    if (listen && api->unix_socket) {
        return WPA_FAIL(err, WPA_E_INVALID, "--listen and --socket exclude each other");
    }
    if (!api->certificate != !api->private_key) {
        return WPA_FAIL(err, WPA_E_INVALID, "--tls-cert and --tls-key go together");
    }
    if (api->n_workers < 1 || api->n_workers > WPA_API_WORKERS_MAX) {
        return WPA_FAIL(err, WPA_E_INVALID, "--threads: between 1 and %d", WPA_API_WORKERS_MAX);
    }
    if (api->request_seconds < 1 || api->request_seconds > 3600) {
        return WPA_FAIL(err, WPA_E_INVALID, "--request-seconds: between 1 and 3600");
    }
    return !listen || parse_listen(listen, api, cli->arena, err);
}

static void tell_progress(void *context, const char *step)
{
    wpa_cli *cli = context;
    wpa_log_write(cli->log, WPA_LOG_INFO, "serve", "%s", step);
}

static void say_where(wpa_cli *cli, const wpa_api *server, const wpa_api_options *api)
{
    const char *scheme = api->certificate ? "https" : "http";
    if (api->unix_socket) {
        wpa_cli_say(cli, "serving on %s", api->unix_socket);
    } else {
        bool is_v6 = strchr(api->host, ':') != NULL;
        wpa_cli_say(cli, "serving on %s://%s%s%s:%d%s", scheme, is_v6 ? "[" : "", api->host,
                    is_v6 ? "]" : "", wpa_api_port(server), WPA_API_BASE);
    }
    (void)fflush(cli->out);
}

static int run(wpa_cli *cli, wpa_error *err)
{
    wpa_db_source source;
    wpa_api_options api;
    if (!read_options(cli, &api, err) ||
        !wpa_db_source_find(wpa_cli_text(cli, "db"), cli->arena, &source, err)) {
        return WPA_CLI_FAILED;
    }
    wpa_engine_options engine_options = {
        .dsn = source.dsn,
        .state_folder = wpa_cli_state(cli, err),
        .n_workers = (int)wpa_cli_int(cli, "workers", 2),
        .log = cli->log,
        .progress = tell_progress,
        .context = cli,
    };
    wpa_cli_signal_fd(cli);
    WPA_AUTO(wpa_engine) *engine = wpa_engine_open(&engine_options, err);
    if (!engine) {
        wpa_error_within(err, "open the database (%s)", source.origin);
        return WPA_CLI_FAILED;
    }
    wpa_api *server = wpa_api_start(engine, &api, err);
    if (!server) {
        return WPA_CLI_FAILED;
    }
    say_where(cli, server, &api);
    while (wpa_cli_pause(cli, INT32_MAX)) {
    }
    wpa_cli_say(cli, "server stops");
    wpa_api_stop(server, GRACE_MS);
    return WPA_EXIT_OK;
}

const wpa_cli_command wpa_cli_serve = {
    .name = "serve",
    .operands = "",
    .summary = "answer the REST API, until stopped",
    .details = "Listens on 127.0.0.1:8000 unless told otherwise; /docs describes the interface, "
               "/openapi.json is the same for programs. SIGTERM lets the calls at hand end. Under "
               "systemd it takes the socket that is handed over.",
    .options = options,
    .n_options = WPA_COUNT(options),
    .logs_warnings = true,
    .run = run,
};
