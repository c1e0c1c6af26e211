/*
 * The command line: each command is a row that says its name, options and words, and a function.
 * Dispatch, --help, the manual page and the tests walk the same rows.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>

#include <wpa/agent.h>
#include <wpa/log.h>

#include "db/db.h"
#include "facts/places.h"

#define WPA_CLI_MANY (-1)
/** Returned by a command that failed: *err says why, and is printed. */
#define WPA_CLI_FAILED (-1)

/** Exit codes; wpa check and wpa audit verify have their own. */
typedef enum wpa_exit {
    WPA_EXIT_OK = 0,
    WPA_EXIT_REFUSED = 1,      /* state, role, approval */
    WPA_EXIT_USAGE = 2,        /* wrong words, or a name that nothing has */
    WPA_EXIT_CONFLICT = 3,     /* version, moved ref, claim */
    WPA_EXIT_FAILED = 4,       /* a check failed, or it was rolled back */
    WPA_EXIT_INCONCLUSIVE = 5, /* nobody can say */
    WPA_EXIT_UNAVAILABLE = 6,  /* database */
    WPA_EXIT_LEASE_LOST = 7,
    WPA_EXIT_INTERNAL = 70,
    WPA_EXIT_IO = 74,
    WPA_EXIT_AGAIN = 75,
    WPA_EXIT_CANCELLED = 130
} wpa_exit;

typedef enum wpa_cli_kind {
    WPA_CLI_FLAG,     /* --json */
    WPA_CLI_TEXT,     /* --format sarif */
    WPA_CLI_OPTIONAL, /* --fix or --fix=all */
    WPA_CLI_LIST,     /* --ignore a --ignore b */
    WPA_CLI_INT,      /* --limit 50; not negative */
    WPA_CLI_DURATION  /* --timeout 10m */
} wpa_cli_kind;

typedef struct wpa_cli_option {
    const char *name; /* without dashes */
    char letter;      /* 0: none */
    wpa_cli_kind kind;
    const char *value;   /* what help calls the value: "FILE"; NULL for a flag */
    const char *summary; /* lower case, no full stop */
} wpa_cli_option;

typedef struct wpa_cli wpa_cli;
typedef struct wpa_cli_command wpa_cli_command;

struct wpa_cli_command {
    const char *name;     /* "check", "finding list" */
    const char *operands; /* "PATH..." as in the usage line; "" for none */
    const char *summary;  /* one line, lower case, no full stop */
    const char *details;  /* paragraphs for --help and the manual; may be NULL */
    const wpa_cli_option *options;
    size_t n_options;
    int min_operands, max_operands; /* WPA_CLI_MANY: no limit */
    bool has_json;                  /* takes --json */
    bool logs_warnings;             /* without --verbose too: it serves others, who are told less */
    bool is_light; /* prepares git and the network itself, if ever: that costs more than its work */
    /* The exit code, or WPA_CLI_FAILED with *err set. */
    int (*run)(wpa_cli *cli, wpa_error *err);
    /* Exit code of an error, if this command has codes of its own; NULL: wpa_cli_exit_code. */
    int (*exit_code)(wpa_code code);
};

/** What a run of the program works with; a test gives its own streams. */
struct wpa_cli {
    const wpa_cli_command *command;
    const char *const *operands;
    size_t n_operands;
    wpa_arena *arena; /* for the whole run */
    FILE *in, *out, *err;
    wpa_log *log;
    bool has_lost_reader;            /* "wpa check | head": no mistake to tell of */
    const char *today;               /* "YYYY-MM-DD" in UTC */
    wpa_facts_loaded facts;          /* that were refreshed */
    struct wpa_cli_values *values;   /* options as given */
    struct wpa_cli_session *session; /* database, engine, person: see session.c */
};

/** The whole program: parse, run, print what went wrong. Returns the exit code. */
int wpa_cli_main(int argc, char *argv[], FILE *in, FILE *out, FILE *err);

/** All commands in the order of the help. */
const wpa_cli_command *const *wpa_cli_commands(size_t *n);
int wpa_cli_exit_code(wpa_code code);

/* ---- options, by name; asking for one that the command's row lacks is a mistake (assert) --------
 */

bool wpa_cli_is_given(const wpa_cli *cli, const char *name);
/** Value of the last one given; NULL if none, or an optional value was left out. */
const char *wpa_cli_text(const wpa_cli *cli, const char *name);
/** All values of a list option; NULL-terminated, in the order given. */
const char *const *wpa_cli_texts(const wpa_cli *cli, const char *name, size_t *n);
int64_t wpa_cli_int(const wpa_cli *cli, const char *name, int64_t fallback);
int64_t wpa_cli_duration_ms(const wpa_cli *cli, const char *name, int64_t fallback_ms);
/** --json */
bool wpa_cli_wants_json(const wpa_cli *cli);

/* ---- the database, the engine, the person: opened when first asked for ---- */

/** The state folder, made if missing. */
const char *wpa_cli_state(wpa_cli *cli, wpa_error *err);
/** The engine without workers: connection, migration. */
wpa_engine *wpa_cli_engine(wpa_cli *cli, wpa_error *err);
/** A connection that may only look. */
wpa_db *wpa_cli_reader(wpa_cli *cli, wpa_error *err);
/** A connection of the process that authenticates people (role wpa_api). */
wpa_db *wpa_cli_db(wpa_cli *cli, wpa_error *err);
/** Who has signed in (WPA_TOKEN, or wpa login). Errors WPA_E_DENIED, with the way out. */
const wpa_actor *wpa_cli_actor(wpa_cli *cli, wpa_error *err);
/** Start workers in this process unless an agent is alive that does the work. */
bool wpa_cli_need_workers(wpa_cli *cli, wpa_error *err) WPA_CHECK;
/** Has the user asked to stop (Ctrl-C, SIGTERM)? */
bool wpa_cli_is_stopped(const wpa_cli *cli);
/** Sleep, or until told to stop; false then. */
bool wpa_cli_pause(wpa_cli *cli, int64_t duration_ms);

/* ---- printing ---- */

/** On standard error, as every command's failure is. */
void wpa_cli_print_error(const wpa_cli *cli, const wpa_error *err);
/** WPA_E_IO by errno, of a write to standard output; returns false. */
bool wpa_cli_fail_output(wpa_cli *cli, wpa_error *err);

typedef enum wpa_cli_type {
    WPA_CLI_AS_TEXT,
    WPA_CLI_AS_ID,       /* number, shown with the column's letter: w-88 */
    WPA_CLI_AS_INT,      /* right-aligned */
    WPA_CLI_AS_REAL,     /* one decimal, right-aligned */
    WPA_CLI_AS_BOOL,     /* yes, or nothing */
    WPA_CLI_AS_TIME,     /* timestamptz */
    WPA_CLI_AS_DURATION, /* milliseconds */
    WPA_CLI_AS_JSON      /* only in JSON output */
} wpa_cli_type;

typedef struct wpa_cli_column {
    const char *key;   /* member in JSON */
    const char *title; /* heading; NULL: only in JSON */
    wpa_cli_type type;
    char letter; /* of WPA_CLI_AS_ID */
} wpa_cli_column;

/**
 * Print rows as a table, or with --json as a list of objects. Column i of the rows is columns[i].
 *
 * none      what to say instead of an empty table.
 */
void wpa_cli_print_rows(wpa_cli *cli, const wpa_rows *rows, const wpa_cli_column columns[],
                        size_t n_columns, const char *none);
/** One row as lines "title  value", or with --json as an object. */
void wpa_cli_print_record(wpa_cli *cli, const wpa_rows *rows, size_t row,
                          const wpa_cli_column columns[], size_t n_columns);
/** Text from outside, made visible; lines stay if keep_lines. */
void wpa_cli_print_visible(wpa_cli *cli, const char *text, bool keep_lines);
/** A sentence for people; nothing with --json. */
void wpa_cli_say(wpa_cli *cli, const char *format, ...) WPA_PRINTF(2, 3);

/* ---- reading ---- */

/** "d-17" or "17", "#17" is not one. Errors WPA_E_INVALID. */
bool wpa_cli_parse_id(const char *text, char letter, int64_t *id, wpa_error *err) WPA_CHECK;
/** The names of the commands, help and manual: see help.c. */
void wpa_cli_print_help(FILE *out, const wpa_cli_command *command);
void wpa_cli_print_overview(FILE *out);
/** The commands that begin with a word, as "patch": false if there is none. */
bool wpa_cli_print_family(FILE *out, const char *word);
void wpa_cli_print_manual(FILE *out);
/** Options that every command takes. */
const wpa_cli_option *wpa_cli_common_options(size_t *n);
