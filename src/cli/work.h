/* What several commands share. Inside cli/ only. */
#pragma once

#include "cli/cli.h"
#include "fleet/fleet.h"

#define WPA_CLI_DEFAULT_LIMIT 100
#define WPA_CLI_DEFAULT_TIMEOUT_MS INT64_C(1800000) /* half an hour */

/* clang-format off */
#define WPA_CLI_OPTION_LIMIT {"limit", 'n', WPA_CLI_INT, "N", "at most so many rows (default 100)"}
#define WPA_CLI_OPTION_REASON {"reason", 'r', WPA_CLI_TEXT, "TEXT", "why, for the audit log"}
#define WPA_CLI_OPTION_WAIT {"wait", 'w', WPA_CLI_FLAG, NULL, "wait until the work is done"}
#define WPA_CLI_OPTION_TIMEOUT {"timeout", 0, WPA_CLI_DURATION, "TIME", "give up waiting after this (default 30m)"}
#define WPA_CLI_OPTION_PASSPHRASE {"passphrase-file", 0, WPA_CLI_TEXT, "FILE", "read the passphrase from a file's first line (-: standard input)"}
/* clang-format on */

/** Rows of a reader's statement; NULL with *err set. */
wpa_rows *wpa_cli_read(wpa_cli *cli, const wpa_sql *statement, const char *const params[], size_t n,
                       wpa_error *err);
/** The row of one thing by its id. Errors WPA_E_NOT_FOUND ("there is no p-17"). */
wpa_rows *wpa_cli_read_one(wpa_cli *cli, const wpa_sql *statement, char letter, int64_t id,
                           wpa_error *err);
/** --limit as a parameter, into text[WPA_DB_NUMBER_SIZE]. */
const char *wpa_cli_limit(const wpa_cli *cli, char *text);
/** Value of an option that names a thing ("--before p-12") as a parameter, or NULL if not given. */
bool wpa_cli_id_option(const wpa_cli *cli, const char *name, char letter, char *text,
                       const char **param, wpa_error *err) WPA_CHECK;

/** All operands from the first on as ids. */
int64_t *wpa_cli_parse_ids(wpa_cli *cli, size_t first, char letter, size_t *n, wpa_error *err);
bool wpa_cli_find_workflow(wpa_cli *cli, const char *name, wpa_workflow_ref *workflow,
                           wpa_error *err) WPA_CHECK;

/**
 * Say that a job was queued or, with --wait, start workers where none are and wait for its end.
 *
 * Returns   an exit code: 0 done or queued, 4 the job gave up; WPA_CLI_FAILED with *err set.
 */
int wpa_cli_finish_job(wpa_cli *cli, int64_t job_id, const char *what, wpa_error *err);
/** Start workers where none are and wait for a job's end; the command has --timeout. */
bool wpa_cli_wait_job(wpa_cli *cli, int64_t job_id, wpa_job_outcome *outcome,
                      wpa_error *err) WPA_CHECK;
/**
 * Wait until no job of these kinds is at work or due, and tell of those that were given up
 * meanwhile.
 *
 * kinds       names, a NULL behind the last.
 * repository  whose jobs are told of; NULL: everybody's.
 *
 * Returns   an exit code: 0 all of them are done, 4 some were given up; WPA_CLI_FAILED with *err
 *           set.
 */
int wpa_cli_wait_idle(wpa_cli *cli, const char *const kinds[], const char *repository,
                      wpa_error *err);
/**
 * Wait until a patch is neither waiting for its test nor in it, say how it stands.
 *
 * Returns   0 tested (or beyond), 4 failed, 5 the test could not be done; WPA_CLI_FAILED.
 */
int wpa_cli_wait_for_test(wpa_cli *cli, int64_t patch_id, wpa_error *err);
/** With --json {"key": value, ...}; else the sentence. */
void wpa_cli_answer(wpa_cli *cli, const char *key, int64_t value, const char *format, ...)
    WPA_PRINTF(4, 5);

/**
 * A record with lists below it: lines and tables, or with --json one object with lists in it.
 * Lives in cli->arena.
 */
typedef struct wpa_cli_book wpa_cli_book;
/** rows: one row. */
wpa_cli_book *wpa_cli_book_new(wpa_cli *cli, const wpa_rows *rows, const wpa_cli_column columns[],
                               size_t n_columns);
/** Add the rows of a statement that takes an id, under a key; empty ones show only in JSON. */
bool wpa_cli_book_add(wpa_cli_book *book, const char *key, const wpa_sql *statement, int64_t id,
                      const wpa_cli_column columns[], size_t n_columns, wpa_error *err) WPA_CHECK;
/** To be called at the end. */
void wpa_cli_book_print(wpa_cli_book *book);
