#pragma once
/*
 * Hidden files of uploads: from 4.4 on upload-artifact passes over files and folders whose names
 * begin with a dot, unless it is asked for them.
 */
#include "rules/outline.h"

/** Does this upload leave hidden files out, as far as its version is known? */
bool wpa_hidden_is_left_out(const wpa_outline_step *upload);
/** The first line of such a step's "path" that fits nothing but hidden files; empty: none does. */
wpa_slice wpa_hidden_path(const char *paths);
