/* Shared by outline.c and outline_runner.c alone. */
#pragma once

#include "rules/outline.h"

/**
 * Fill in what runs-on says: labels, has_open_labels, is_self_hosted and os.
 *
 * job     with its node; all else of it may still be missing.
 * arena   of the outline, which the labels live as long as.
 */
void wpa_outline_read_runner(wpa_outline_job *job, wpa_arena *arena);
