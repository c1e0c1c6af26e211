/*
 * A world of a test's own for the whole program: the sample fleet with its service, and a state
 * folder with wpa's own PostgreSQL, all below one folder in /tmp. However the test ends, by
 * failing, crashing or being killed, a guard process ends what was started and removes the folder.
 */
#pragma once

#include <sys/types.h>

#include <wpa/arena.h>

#include "harness/term.h"

typedef struct wpa_sample wpa_sample;

#define WPA_SAMPLE_PASSPHRASE "correct horse battery"

/** With an empty database, if there is one to copy (template.sh). Fails the test if it cannot be
 * made. */
wpa_sample *wpa_sample_new(void);
/** Without any: the program makes its own. */
wpa_sample *wpa_sample_new_bare(void);
void wpa_sample_free(wpa_sample *sample);

wpa_arena *wpa_sample_arena(const wpa_sample *sample);
const char *wpa_sample_folder(const wpa_sample *sample);
/** The program under test. */
const char *wpa_sample_program(const wpa_sample *sample);
/** Lines for wpa_tty_start; all that is started with them is ended by wpa_sample_free. */
const char *const *wpa_sample_env(const wpa_sample *sample);

/** The program in a terminal: words separated by blanks. */
wpa_tty *wpa_sample_tty(const wpa_sample *sample, const char *words, int rows, int cols);
/** wpa WORDS; fails unless it ends with this code. Returns what it printed, errors behind. */
char *wpa_sample_wpa(const wpa_sample *sample, int code, const char *words, ...) WPA_PRINTF(3, 4);
/** The same in the background, with "NAME=value" added to its environment (NULL: nothing). */
pid_t wpa_sample_spawn(const wpa_sample *sample, const char *words, const char *env);
/** Make mira the first Guardian, sign her in for the commands, take the fleet in. */
void wpa_sample_import(const wpa_sample *sample, bool has_guardian);

/** git WORDS in a repository of the fleet; without the line feed at its end. */
char *wpa_sample_git(const wpa_sample *sample, const char *repository, const char *words, ...)
    WPA_PRINTF(3, 4);

/** First column of the first row, asked as the owner; "" without rows, NULL without a server. */
char *wpa_sample_sql_try(const wpa_sample *sample, const char *sql);
/** The same; fails without a server or with an error. */
char *wpa_sample_sql(const wpa_sample *sample, const char *sql, ...) WPA_PRINTF(2, 3);
/** Ask again and again until it says so; fails after timeout_ms. */
void wpa_sample_sql_wait(const wpa_sample *sample, const char *wanted, int timeout_ms,
                         const char *sql, ...) WPA_PRINTF(4, 5);
/** Take locks and hold them until wpa_sample_unlock: whoever needs them stands still there. */
typedef struct wpa_sample_lock wpa_sample_lock;
wpa_sample_lock *wpa_sample_lock_take(const wpa_sample *sample, const char *sql);
void wpa_sample_unlock(wpa_sample_lock *lock);

/** The database server's process, 0 if none runs. */
pid_t wpa_sample_server(const wpa_sample *sample);
/** Wait until no server runs; fails after timeout_ms. */
void wpa_sample_server_wait_gone(const wpa_sample *sample, int timeout_ms);
