#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <wpa/console.h>
#include <wpa/file.h>
#include <wpa/text.h>
#include <wpa/yaml.h>

#include "cli/commands.h"
#include "cli/session.h"
#include "cli/work.h"
#include "db/source.h"
#include "feed/feed.h"

enum {
    ROLLBACK_DELAY_MS = 3000,
    LOG_MAX_BYTES = 16 << 20
};

/* clang-format off */
#define LOOK_OPTIONS                                                                               \
    {"theme", 0, WPA_CLI_TEXT, "NAME", "dark, light, hc-..., cvd-..., one of your own"},           \
    {"color", 0, WPA_CLI_TEXT, "HOW", "never, 16, 256 or true (default: as the terminal says)"},   \
    {"ascii", 0, WPA_CLI_FLAG, NULL, "draw with ASCII alone"},                                     \
    {"unicode", 0, WPA_CLI_FLAG, NULL, "draw with Unicode, whatever the locale says"},             \
    {"reduced-motion", 0, WPA_CLI_FLAG, NULL, "nothing blinks or moves"},                          \
    {"config", 0, WPA_CLI_TEXT, "FILE", "console.yaml to read instead of the user's own"},         \
    {"fleet", 0, WPA_CLI_TEXT, "NAME", "name of the fleet on the screen (default: the host's)"}

static const wpa_cli_option console_options[] = {
    LOOK_OPTIONS,
    {"plain", 0, WPA_CLI_FLAG, NULL, "lines instead of a screen, for screen readers and scripts (also WPA_PLAIN=1, TERM=dumb)"},
    {"read-only", 0, WPA_CLI_FLAG, NULL, "look around without signing in"},
    {"workers", 0, WPA_CLI_INT, "N", "jobs done by this process at the same time (default: as many as cores, at most 8; 0: none)"},
};
static const wpa_cli_option wall_options[] = {LOOK_OPTIONS};
/* clang-format on */

/* ---- what the console needs to start ---- */

/*
 * Lines instead of a screen: asked for, or the terminal says of itself that it can do no other.
 * Without a terminal nobody is taken to have asked: a job that runs wpa by mistake should fail.
 */
static bool is_plain(const wpa_cli *cli)
{
    const char *plain = getenv("WPA_PLAIN"), *term = getenv("TERM");
    return wpa_cli_is_given(cli, "plain") || wpa_text_is(plain, "1") ||
           (wpa_text_is(term, "dumb") && isatty(STDIN_FILENO));
}

static bool need_terminal(wpa_error *err)
{
    int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 || !isatty(fd)) {
        WPA_FAIL(err, WPA_E_INVALID,
                 "no terminal: the console needs one (wpa --plain reads and writes lines; wpa help "
                 "lists commands that need none)");
    }
    if (fd >= 0) {
        close(fd);
    }
    return err->code == WPA_OK;
}

/* The screen belongs to the console, so the log goes to a file of the state folder. */
static int open_log(wpa_cli *cli, wpa_error *err)
{
    const char *state = wpa_cli_state(cli, err);
    if (!state) {
        return -1;
    }
    const char *path = wpa_path_join(cli->arena, state, "wpa.log");
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        WPA_FAIL(err, WPA_E_IO, "cannot write '%s': %s", path, wpa_strerror(errno));
    } else if (lseek(fd, 0, SEEK_END) > LOG_MAX_BYTES) {
        (void)rename(path, wpa_arena_printf(cli->arena, "%s.1", path)); /* from the next start on */
    }
    return fd;
}

/* rollback.window of console.yaml; the console itself says what else is wrong with that file. */
static int64_t rollback_delay_ms(wpa_cli *cli)
{
    wpa_error unread = {0};
    int64_t delay_ms = ROLLBACK_DELAY_MS;
    const char *path = wpa_cli_text(cli, "config");
    if (!path) {
        const char *folder = wpa_path_config(cli->arena, &unread);
        path = folder ? wpa_path_join(cli->arena, folder, "console.yaml") : NULL;
    }
    const wpa_yaml_doc *doc =
        path && wpa_path_exists(path) ? wpa_yaml_load(path, cli->arena, &unread) : NULL;
    const wpa_yaml_node *section = NULL;
    bool is_read = doc && wpa_yaml_get_mapping(doc->root, "rollback", &section, &unread) &&
                   section && wpa_yaml_get_duration_ms(section, "window", &delay_ms, &unread);
    return is_read && delay_ms >= 0 && delay_ms <= 60000 ? delay_ms : ROLLBACK_DELAY_MS;
}

static wpa_choice choose_unicode(const wpa_cli *cli)
{
    return wpa_cli_is_given(cli, "ascii")     ? WPA_CHOICE_NO
           : wpa_cli_is_given(cli, "unicode") ? WPA_CHOICE_YES
                                              : WPA_CHOICE_AUTO;
}

static wpa_ui_options look(const wpa_cli *cli)
{
    return (wpa_ui_options){
        .theme = wpa_cli_text(cli, "theme"),
        .color = wpa_cli_text(cli, "color"),
        .unicode = choose_unicode(cli),
        .config = wpa_cli_text(cli, "config"),
        .reduces_motion = wpa_cli_is_given(cli, "reduced-motion"),
        .is_over_ssh = getenv("SSH_CONNECTION") != NULL,
    };
}

/* ---- running it ---- */

typedef bool (*screen)(const wpa_ui_options *options, wpa_console_port *port, wpa_error *err);

/*
 * All signals that the screen waits for are blocked before there are threads, which inherit that. A
 * thread without the block would swallow a SIGWINCH, whose default is to be ignored.
 */
static void block_signals(wpa_cli *cli)
{
    static const int signals[] = {SIGWINCH, SIGTSTP, SIGCONT};
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < WPA_COUNT(signals); i++) {
        sigaddset(&set, signals[i]);
    }
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    wpa_cli_signal_fd(cli);
}

static bool show(wpa_cli *cli, const wpa_feed_options *feed_options, screen show_it,
                 const wpa_ui_options *options, wpa_error *err)
{
    if (show_it != wpa_plain_run) { /* lines are suspended by the terminal, as a shell's are */
        block_signals(cli);
    }
    WPA_AUTO(wpa_feed) *feed = wpa_feed_open(feed_options, err);
    return feed && show_it(options, wpa_feed_port(feed), err);
}

static int run_screen(wpa_cli *cli, wpa_feed_options *feed_options, screen show_it,
                      const wpa_ui_options *options, wpa_error *err)
{
    wpa_db_source source;
    if ((show_it != wpa_plain_run && !need_terminal(err)) ||
        !wpa_db_source_find(wpa_cli_text(cli, "db"), cli->arena, &source, err)) {
        return WPA_CLI_FAILED;
    }
    int log_fd = open_log(cli, err);
    if (log_fd < 0) {
        return WPA_CLI_FAILED;
    }
    WPA_AUTO(wpa_log) *log =
        wpa_log_new(log_fd, wpa_cli_is_given(cli, "verbose") ? WPA_LOG_DEBUG : WPA_LOG_INFO);
    feed_options->engine.dsn = source.dsn;
    feed_options->engine.state_folder = wpa_cli_state(cli, err);
    feed_options->engine.log = log;
    feed_options->fleet = wpa_cli_text(cli, "fleet");
    bool is_good = show(cli, feed_options, show_it, options, err);
    close(log_fd);
    return is_good ? WPA_EXIT_OK : WPA_CLI_FAILED;
}

static int run_console(wpa_cli *cli, wpa_error *err)
{
    wpa_ui_options options = look(cli);
    options.is_read_only = wpa_cli_is_given(cli, "read-only");
    wpa_feed_options feed_options = {
        .engine = {.n_workers = (int)wpa_cli_int(cli, "workers", -1)},
        .rollback_delay_ms = rollback_delay_ms(cli),
    };
    if (wpa_cli_int(cli, "workers", 0) > 64) {
        WPA_FAIL(err, WPA_E_INVALID, "--workers: at most 64");
        return WPA_CLI_FAILED;
    }
    if (!is_plain(cli)) {
        return run_screen(cli, &feed_options, wpa_ui_run, &options, err);
    }
    options.stop_fd = wpa_cli_signal_fd(cli);
    return run_screen(cli, &feed_options, wpa_plain_run, &options, err);
}

const wpa_cli_command wpa_cli_console = {
    .name = "",
    .operands = "",
    .summary = "open the console: see what is unhealthy, patch it, prove it, deploy it, watch it",
    .details =
        "F1 shows the keys. ':' takes commands, with Tab to complete them: ':tour' shows a "
        "newcomer "
        "around, ':who' lists who else is signed in, ':depends NAME' puts a workflow in the middle "
        "of the map, ':set filter NAME' and ':layout' keep a filter or choose the dashboard's "
        "panes, ':verify' checks the audit log. Without a database named, wpa runs a PostgreSQL of "
        "its own in "
        "its state folder; the last wpa process to leave stops it. With --plain pages are told "
        "as lines and commands are typed as words: a number opens what was told under it, "
        "'deploy p-7' acts on what it names, ? tells the commands.",
    .options = console_options,
    .n_options = WPA_COUNT(console_options),
    .run = run_console,
};

static int run_wall(wpa_cli *cli, wpa_error *err)
{
    wpa_ui_options options = look(cli);
    wpa_feed_options feed_options = {.engine = {.is_viewer = true}, .is_wall = true};
    return run_screen(cli, &feed_options, wpa_wall_run, &options, err);
}

const wpa_cli_command wpa_cli_wall = {
    .name = "wall",
    .operands = "",
    .summary = "show the fleet's health large on a wall, for reading alone",
    .details =
        "Connects as database role wpa_viewer, so that it cannot change anything. Keys: "
        "Space next page, ? help, Ctrl-C ends it; all others do nothing. The pages (overview, "
        "findings, runs) take turns, unless something in trouble holds the first, or a critical "
        "finding that nobody has ignored or made a patch of; wall: in console.yaml chooses them.",
    .options = wall_options,
    .n_options = WPA_COUNT(wall_options),
    .run = run_wall,
};
