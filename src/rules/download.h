/*
 * What a script downloads: from where, whether that is as fixed as a pin, and whether anything
 * checks it.
 */
#pragma once

#include "rules/steps.h"

typedef struct wpa_download {
    const wpa_outline_step *step;
    const wpa_shell_command *fetch;
    const char *url; /* as written, expressions too; NULL: a variable holds it */
} wpa_download;

/** Of the i-th command of the step's script, whose URL may be one that a variable holds. */
wpa_download wpa_download_of(wpa_rule_run *run, const wpa_outline_step *step, size_t i);
/** The URL among the command's words, with the expressions that blanking took; NULL: none is. */
const char *wpa_download_url(wpa_rule_run *run, const wpa_outline_step *step,
                             const wpa_shell_command *c);
/** By a commit, from this repository, or from this machine? */
bool wpa_download_is_fixed(const wpa_rule_run *run, const wpa_download *d);
/**
 * "/v1.28.2/", "-$VERSION": one release, which is not meant to change, though nothing holds it to
 * that.
 */
bool wpa_url_names_version(const char *url);
/** Does the script check a sum or a signature anywhere? */
bool wpa_script_verifies(const wpa_script *script);
