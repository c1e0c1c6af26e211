/* `wpa check` and `wpa explain`: the analyser alone, without database or login. */
#pragma once

/** Arguments behind "check". Returns the exit code (0 clean, 1 findings, 2 usage, 3 no or
 * unreadable input, 4 a limit, an internal error, or a fix that could not be written). */
int wpa_cli_check(int argc, char *const argv[]);
/** Arguments behind "explain": the name of one rule. */
int wpa_cli_explain(int argc, char *const argv[]);
