/* Functions of shell scripts: what "$1" and "$@" stand for in them, and outside of them. */
#pragma once

#include "rules/site.h"

/** Bytes of a script whose text a positional parameter stands for. */
typedef struct wpa_positional {
    const wpa_span *spans; /* [n] */
    size_t n;
} wpa_positional;

/** Does a name read from a script name a positional parameter, "1" or "@"? */
bool wpa_positional_is(const char *name);

/**
 * The words that calls of the function around this offset give the parameter; outside of functions
 * what "set --" before it does. Words that may fall apart are the parameters behind them, too.
 *
 * step   with a script of bash or sh.
 * name   "1", "2" ...; "@" is all of them.
 *
 * Returns   in run->arena; none where the script does not tell.
 */
wpa_positional wpa_positional_of(wpa_rule_run *run, const wpa_outline_step *step, const char *name,
                                 size_t at);
