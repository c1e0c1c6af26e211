/* What steps do with the files of a folder that something was unpacked into. */
#pragma once

#include "rules/outline.h"

/** Is it one file of a fixed name, as far as the text tells? path may be NULL. */
bool wpa_unpacked_is_file(const char *path);
/** Does the step move or pack files, so that others may be right under the folder afterwards? */
bool wpa_unpacked_moves(const wpa_outline_step *step);
/** Does the step read files right under the folder ("dist" of "dist/" and "*.whl")? */
bool wpa_unpacked_reads_flat(const wpa_outline_step *step, const char *folder);
