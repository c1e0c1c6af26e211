#include "cli/cli.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <wpa/buf.h>
#include <wpa/clock.h>
#include <wpa/text.h>

#include "cli/options.h"
#include "cli/session.h"
#include "git/git.h"
#include "http/http.h"

enum {
    MAX_COMMANDS = 96
};

int wpa_cli_exit_code(wpa_code code)
{
    static const wpa_exit codes[WPA_CODE_COUNT] = {
        [WPA_OK] = WPA_EXIT_OK,
        [WPA_E_INVALID] = WPA_EXIT_USAGE,
        [WPA_E_NOT_FOUND] = WPA_EXIT_USAGE,
        [WPA_E_DENIED] = WPA_EXIT_REFUSED,
        [WPA_E_REFUSED] = WPA_EXIT_REFUSED,
        [WPA_E_CONFLICT] = WPA_EXIT_CONFLICT,
        [WPA_E_LEASE_LOST] = WPA_EXIT_LEASE_LOST,
        [WPA_E_LIMIT] = WPA_EXIT_USAGE,
        [WPA_E_CANCELLED] = WPA_EXIT_CANCELLED,
        [WPA_E_TIMEOUT] = WPA_EXIT_AGAIN,
        [WPA_E_UNAVAILABLE] = WPA_EXIT_UNAVAILABLE,
        [WPA_E_IO] = WPA_EXIT_IO,
        [WPA_E_INTERNAL] = WPA_EXIT_INTERNAL,
    };
    return (unsigned)code < WPA_CODE_COUNT ? codes[code] : WPA_EXIT_INTERNAL;
}

/* ---- which command ------------------------------------------------------------------------------
 */

/* How many words of argv the name takes up; 0 if it is another one. */
static int match(const char *name, int argc, char *argv[])
{
    int n = 0;
    for (const char *at = name; *at; n++) {
        size_t length = strcspn(at, " ");
        if (n >= argc || strlen(argv[n]) != length || strncmp(argv[n], at, length) != 0) {
            return 0;
        }
        at += length + (at[length] == ' ');
    }
    return n;
}

static const wpa_cli_command *find_command(int argc, char *argv[], int *n_words)
{
    size_t n;
    const wpa_cli_command *const *commands = wpa_cli_commands(&n);
    const wpa_cli_command *found = NULL;
    *n_words = 0;
    for (size_t i = 0; i < n; i++) {
        int words = match(commands[i]->name, argc, argv);
        if (words > *n_words || (argc == 0 && !commands[i]->name[0])) {
            found = commands[i];
            *n_words = words;
        }
    }
    return found;
}

/* "finding" alone: its commands. */
static bool fail_unknown(wpa_arena *arena, const char *word, const char *second, wpa_error *err)
{
    size_t n;
    const wpa_cli_command *const *commands = wpa_cli_commands(&n);
    const char *names[MAX_COMMANDS];
    size_t n_names = 0;
    wpa_buf *family = wpa_buf_new(512);
    for (size_t i = 0; i < n && n_names < MAX_COMMANDS; i++) {
        size_t length = strcspn(commands[i]->name, " ");
        if (length == strlen(word) && strncmp(commands[i]->name, word, length) == 0) {
            wpa_buf_printf(family, "%s%s", wpa_buf_size(family) ? ", " : "",
                           commands[i]->name + length + 1);
        }
        if (commands[i]->name[0]) {
            names[n_names++] = wpa_arena_slice(arena, commands[i]->name, length);
        }
    }
    const char *nearest = wpa_text_nearest(word, names, n_names);
    if (wpa_buf_size(family) > 0) {
        WPA_FAIL(err, WPA_E_INVALID, "wpa %s what%s%s%s? (%s)", word, second ? ": not '" : "",
                 second ? second : "", second ? "'" : "", wpa_buf_data(family));
    } else if (nearest) {
        WPA_FAIL(err, WPA_E_INVALID, "unknown command '%s' (did you mean %s?)", word, nearest);
    } else {
        WPA_FAIL(err, WPA_E_INVALID, "unknown command '%s' (see wpa help)", word);
    }
    wpa_buf_free(family);
    return false;
}

static bool takes_next_word(const char *word, const wpa_cli_option *options, size_t n)
{
    for (size_t i = 0; i < n && wpa_text_starts(word, "--"); i++) {
        if (strcmp(word + 2, options[i].name) == 0) {
            return options[i].kind != WPA_CLI_FLAG && options[i].kind != WPA_CLI_OPTIONAL;
        }
    }
    return false;
}

/*
 * Options may stand before the command: those of every command, as in "wpa --db X queue", and
 * those of the console, which has no name. Returns the index of the first word behind them.
 */
static int skip_options(int argc, char *argv[])
{
    size_t n_common;
    const wpa_cli_option *common = wpa_cli_common_options(&n_common);
    int n_words;
    const wpa_cli_command *console = find_command(0, argv, &n_words);
    int i = 1;
    while (i < argc && argv[i][0] == '-' && argv[i][1] && strcmp(argv[i], "--") != 0) {
        bool takes_next =
            takes_next_word(argv[i], common, n_common) ||
            (console && takes_next_word(argv[i], console->options, console->n_options));
        i += takes_next && i + 1 < argc ? 2 : 1;
    }
    return i;
}

/* ---- running ------------------------------------------------------------------------------------
 */

void wpa_cli_print_error(const wpa_cli *cli, const wpa_error *err)
{
    char text[sizeof err->message + sizeof err->context + 8];
    fprintf(cli->err, "wpa: %s\n", wpa_error_text(err, text, sizeof text));
}

bool wpa_cli_fail_output(wpa_cli *cli, wpa_error *err)
{
    cli->has_lost_reader = errno == EPIPE;
    return WPA_FAIL(err, WPA_E_IO, "cannot write to standard output: %s", wpa_strerror(errno));
}

static int fail(const wpa_cli *cli, const wpa_error *err)
{
    int (*exit_code)(wpa_code) = cli->command ? cli->command->exit_code : NULL;
    if (!cli->has_lost_reader) {
        wpa_cli_print_error(cli, err);
    }
    return exit_code ? exit_code(err->code) : wpa_cli_exit_code(err->code);
}

static const char *today(wpa_arena *arena)
{
    char text[WPA_TIMESTAMP_SIZE];
    wpa_timestamp_format(wpa_now_us(), text);
    return wpa_arena_slice(arena, text, strlen("YYYY-MM-DD"));
}

static int run(wpa_cli *cli, wpa_error *err)
{
    if (wpa_cli_is_given(cli, "help")) {
        wpa_cli_print_help(cli->out, cli->command);
        return WPA_EXIT_OK;
    }
    /* Before there are threads. */
    if (!cli->command->is_light && !(wpa_git_init(err) && wpa_http_init(err))) {
        return WPA_CLI_FAILED;
    }
    int fd = fileno(cli->err); /* none, if a test keeps what is printed in memory */
    cli->log =
        wpa_log_new(fd >= 0 ? fd : STDERR_FILENO, wpa_cli_is_given(cli, "verbose") ? WPA_LOG_INFO
                                                  : cli->command->logs_warnings    ? WPA_LOG_WARN
                                                                                   : WPA_LOG_ERROR);
    cli->today = today(cli->arena);
    cli->facts = wpa_facts_load(cli->today, cli->arena);
    if (cli->facts.fault && !cli->command->is_light) { /* the light ones say it where it belongs */
        (void)fprintf(cli->err, "wpa: %s\n", cli->facts.fault);
    }
    wpa_cli_session_open(cli);
    int code = cli->command->run(cli, err);
    if (code == WPA_CLI_FAILED && err->code == WPA_E_DENIED) {
        wpa_cli_record_refusal(cli);
    }
    wpa_cli_session_close(cli);
    wpa_facts_unload();
    wpa_log_free(cli->log);
    if (fflush(cli->out) != 0 && code == WPA_EXIT_OK) {
        (void)wpa_cli_fail_output(cli, err);
        code = WPA_CLI_FAILED;
    }
    return code;
}

/* The words of the command's name taken out: what is left begins with the program's name. */
static char **take_words(wpa_arena *arena, int argc, char *argv[], int at, int n_words)
{
    char **rest = wpa_arena_array(arena, (size_t)argc + 1, sizeof *rest);
    int n = 0;
    for (int i = 0; i < argc; i++) {
        if (i < at || i >= at + n_words) {
            rest[n++] = argv[i];
        }
    }
    return rest;
}

int wpa_cli_main(int argc, char *argv[], FILE *in, FILE *out, FILE *err_stream)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_cli cli = {.arena = arena, .in = in, .out = out, .err = err_stream};
    wpa_error err = {0};
    int at = skip_options(argc, argv);
    int n_words = 0;
    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        wpa_cli_print_overview(out);
        return WPA_EXIT_OK;
    }
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        (void)fputs("wpa " WPA_VERSION "\n", out);
        return WPA_EXIT_OK;
    }
    cli.command = find_command(argc - at, argv + at, &n_words);
    if (!cli.command) {
        bool asks = at + 2 == argc &&
                    (strcmp(argv[at + 1], "--help") == 0 || strcmp(argv[at + 1], "-h") == 0);
        if (asks && wpa_cli_print_family(out, argv[at])) {
            return WPA_EXIT_OK;
        }
        if (at >= argc) {
            WPA_FAIL(&err, WPA_E_INVALID, "no command (see wpa help)");
        } else {
            fail_unknown(arena, argv[at], at + 1 < argc ? argv[at + 1] : NULL, &err);
        }
        return fail(&cli, &err);
    }
    char **rest = take_words(arena, argc, argv, at, n_words);
    if (!wpa_cli_parse(&cli, argc - n_words, rest, &err)) {
        return fail(&cli, &err);
    }
    int code = run(&cli, &err);
    return code == WPA_CLI_FAILED ? fail(&cli, &err) : code;
}
