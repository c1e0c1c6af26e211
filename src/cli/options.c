#include "cli/options.h"

#include <assert.h>
#include <getopt.h>
#include <string.h>

#include <wpa/text.h>

enum {
    MAX_OPTIONS = 48,
    FIRST_CODE = 1000 /* codes that getopt_long returns: beyond all letters */
};

typedef struct value {
    const wpa_cli_option *option;
    const char **texts; /* NULL-terminated; a text is NULL if an optional one was left out */
    size_t n, capacity;
    int64_t number; /* of the last INT or DURATION */
} value;

struct wpa_cli_values {
    value items[MAX_OPTIONS];
    size_t n;
};

/* clang-format off */
static const wpa_cli_option common[] = {
    {"db", 0, WPA_CLI_TEXT, "DSN", "use this PostgreSQL instead of the one that is configured"},
    {"verbose", 'v', WPA_CLI_FLAG, NULL, "tell what is being done, on standard error"},
    {"help", 'h', WPA_CLI_FLAG, NULL, "show the command's help"},
};
static const wpa_cli_option json = {"json", 0, WPA_CLI_FLAG, NULL, "print JSON"};
/* clang-format on */

const wpa_cli_option *wpa_cli_common_options(size_t *n)
{
    *n = WPA_COUNT(common);
    return common;
}

/* ---- parsing -----------------------------------------------------------------------------------
 */

static void add_options(struct wpa_cli_values *values, const wpa_cli_option *options, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        assert(values->n < MAX_OPTIONS);
        values->items[values->n++] = (value){.option = &options[i]};
    }
}

static int argument_of(wpa_cli_kind kind)
{
    return kind == WPA_CLI_FLAG
               ? no_argument
               : (kind == WPA_CLI_OPTIONAL ? optional_argument : required_argument);
}

static bool fail_unknown(const struct wpa_cli_values *values, const char *given, wpa_error *err)
{
    const char *names[MAX_OPTIONS];
    for (size_t i = 0; i < values->n; i++) {
        names[i] = values->items[i].option->name;
    }
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const char *name = given + strspn(given, "-");
    const char *bare = wpa_arena_slice(arena, name, strcspn(name, "="));
    const char *nearest = wpa_text_nearest(bare, names, values->n);
    return nearest ? WPA_FAIL(err, WPA_E_INVALID, "unknown option '%s' (did you mean --%s?)", given,
                              nearest)
                   : WPA_FAIL(err, WPA_E_INVALID, "unknown option '%s' (see --help)", given);
}

static bool take_value(wpa_cli *cli, value *item, const char *text, wpa_error *err)
{
    wpa_cli_kind kind = item->option->kind;
    if (kind == WPA_CLI_INT && !wpa_text_to_int(text, 0, INT64_MAX, &item->number)) {
        return WPA_FAIL(err, WPA_E_INVALID, "--%s: '%s' is not a whole number", item->option->name,
                        text);
    }
    if (kind == WPA_CLI_DURATION && !wpa_text_to_duration_ms(text, &item->number)) {
        return WPA_FAIL(err, WPA_E_INVALID,
                        "--%s: '%s' is not a duration (such as 90s, 10m, 2h, 1d)",
                        item->option->name, text);
    }
    size_t n = item->n;
    item->texts = wpa_arena_grow(cli->arena, item->texts, n, &item->capacity, sizeof *item->texts);
    item->texts[item->n++] = text;
    item->texts =
        wpa_arena_grow(cli->arena, item->texts, item->n, &item->capacity, sizeof *item->texts);
    item->texts[item->n] = NULL;
    return true;
}

/* What getopt_long wants to know. */
typedef struct grammar {
    struct option names[MAX_OPTIONS + 1];
    char letters[2 * MAX_OPTIONS + 2];
} grammar;

static void make_grammar(const struct wpa_cli_values *values, grammar *out)
{
    size_t n = 0;
    out->letters[n++] = ':'; /* tell a missing value from an unknown option, and print nothing */
    for (size_t i = 0; i < values->n; i++) {
        const wpa_cli_option *option = values->items[i].option;
        int argument = argument_of(option->kind);
        out->names[i] = (struct option){option->name, argument, NULL, FIRST_CODE + (int)i};
        if (option->letter) {
            out->letters[n++] = option->letter;
            if (argument == required_argument) {
                out->letters[n++] = ':';
            }
        }
    }
}

static value *find_code(struct wpa_cli_values *values, int code)
{
    if (code >= FIRST_CODE) {
        return &values->items[code - FIRST_CODE];
    }
    for (size_t i = 0; i < values->n; i++) {
        if (values->items[i].option->letter == code) {
            return &values->items[i];
        }
    }
    return NULL;
}

static bool parse_options(wpa_cli *cli, int argc, char *argv[], wpa_error *err)
{
    grammar rules = {0};
    make_grammar(cli->values, &rules);
    optind = 0; /* begin anew, also if getopt_long ran before */
    opterr = 0;
    for (;;) {
        int before = optind ? optind : 1;
        /* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread reads the command line */
        int code = getopt_long(argc, argv, rules.letters, rules.names, NULL);
        if (code == -1) {
            return true;
        }
        if (code == ':') {
            return WPA_FAIL(err, WPA_E_INVALID, "option '%s' needs a value", argv[optind - 1]);
        }
        value *item = code == '?' ? NULL : find_code(cli->values, code);
        if (!item && optopt >= FIRST_CODE) {
            return WPA_FAIL(err, WPA_E_INVALID, "option '%s' takes no value", argv[optind - 1]);
        }
        if (!item) {
            /* Within "-xyz" optind has not moved on yet. */
            return fail_unknown(cli->values, argv[optind > before ? optind - 1 : before], err);
        }
        if (!take_value(cli, item, optarg, err)) {
            return false;
        }
    }
}

static bool check_operands(const wpa_cli *cli, wpa_error *err)
{
    const wpa_cli_command *command = cli->command;
    const char *gap = *command->operands ? " " : "";
    if (cli->n_operands < (size_t)command->min_operands) {
        return WPA_FAIL(err, WPA_E_INVALID, "something is missing (usage: wpa %s [OPTION...]%s%s)",
                        command->name, gap, command->operands);
    }
    if (command->max_operands >= 0 && cli->n_operands > (size_t)command->max_operands) {
        return WPA_FAIL(err, WPA_E_INVALID, "unexpected '%s' (usage: wpa %s [OPTION...]%s%s)",
                        cli->operands[command->max_operands], command->name, gap,
                        command->operands);
    }
    return true;
}

bool wpa_cli_parse(wpa_cli *cli, int argc, char *argv[], wpa_error *err)
{
    cli->values = wpa_arena_alloc(cli->arena, sizeof *cli->values);
    add_options(cli->values, cli->command->options, cli->command->n_options);
    if (cli->command->has_json) {
        add_options(cli->values, &json, 1);
    }
    add_options(cli->values, common, WPA_COUNT(common));
    if (!parse_options(cli, argc, argv, err)) {
        return false;
    }
    /* getopt_long has moved the operands to the end. */
    cli->operands = (const char *const *)(argv + optind);
    cli->n_operands = (size_t)(argc - optind);
    return wpa_cli_is_given(cli, "help") || check_operands(cli, err);
}

/* ---- asking ---- */

static const value *find(const wpa_cli *cli, const char *name)
{
    for (size_t i = 0; i < cli->values->n; i++) {
        if (strcmp(cli->values->items[i].option->name, name) == 0) {
            return &cli->values->items[i];
        }
    }
    assert(false && "an option that the command's row has");
    return NULL;
}

bool wpa_cli_is_given(const wpa_cli *cli, const char *name)
{
    return find(cli, name)->n > 0;
}

const char *wpa_cli_text(const wpa_cli *cli, const char *name)
{
    const value *item = find(cli, name);
    return item->n ? item->texts[item->n - 1] : NULL;
}

const char *const *wpa_cli_texts(const wpa_cli *cli, const char *name, size_t *n)
{
    static const char *const none[] = {NULL};
    const value *item = find(cli, name);
    *n = item->n;
    return item->n ? item->texts : none;
}

int64_t wpa_cli_int(const wpa_cli *cli, const char *name, int64_t fallback)
{
    const value *item = find(cli, name);
    return item->n ? item->number : fallback;
}

int64_t wpa_cli_duration_ms(const wpa_cli *cli, const char *name, int64_t fallback_ms)
{
    return wpa_cli_int(cli, name, fallback_ms);
}

bool wpa_cli_wants_json(const wpa_cli *cli)
{
    return cli->command->has_json && wpa_cli_is_given(cli, "json");
}

bool wpa_cli_parse_id(const char *text, char letter, int64_t *id, wpa_error *err)
{
    const char *digits = text[0] == letter && text[1] == '-' ? text + 2 : text;
    return wpa_text_to_int(digits, 1, INT64_MAX, id) ||
           WPA_FAIL(err, WPA_E_INVALID, "'%s' is not an id such as %c-17", text, letter);
}
