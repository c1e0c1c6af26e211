/* What a command opens when it first asks for it. Shared inside cli/ only. */
#pragma once

#include "auth/secret.h"
#include "auth/token.h"
#include "cli/cli.h"
#include "guardian/session.h"

#define WPA_CLI_KEYS_FILE "session.keys" /* in the state folder */

void wpa_cli_session_open(wpa_cli *cli);
/** Gives everything back; the last one to leave stops wpa's own PostgreSQL. */
void wpa_cli_session_close(wpa_cli *cli);

/** What a person was refused by his role, or nobody by a bad token, stands in the audit log. */
void wpa_cli_record_refusal(wpa_cli *cli);

/** SIGINT and SIGTERM arrive here as data from the first call on; -1 on failure. */
int wpa_cli_signal_fd(wpa_cli *cli);
const wpa_token_keys *wpa_cli_token_keys(wpa_cli *cli, wpa_error *err);
/** The file with the key of one-time codes' secrets, once the database is open; it need not be
 * there. */
const char *wpa_cli_codes_key(const wpa_cli *cli);
/** The session that wpa_cli_actor found; NULL with *err set. */
const wpa_session *wpa_cli_session_get(wpa_cli *cli, wpa_error *err);
/** Where the token of wpa login is kept. */
const char *wpa_cli_token_path(wpa_cli *cli, wpa_error *err);
/** Address and user agent of this process; nobody's principal. */
wpa_actor wpa_cli_where(void);

/**
 * A passphrase: from a file (first line; "-" is standard input), or else asked for at the terminal
 * without echo, twice if is_new.
 *
 * path      value of --passphrase-file, or NULL.
 *
 * Errors    WPA_E_UNAVAILABLE (no terminal), WPA_E_INVALID (the two differ), and the file's.
 */
wpa_secret *wpa_cli_ask_passphrase(wpa_cli *cli, const char *prompt, const char *path, bool is_new,
                                   wpa_error *err);
