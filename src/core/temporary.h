/* A file without a name, for what one process has no room for in memory. */
#pragma once

/**
 * In $TMPDIR, or in /tmp: it goes with its last descriptor and its last mapping.
 *
 * Returns   a descriptor to read and write, or -1 with errno.
 */
int wpa_temporary_open(void);
