/* How long a test waits for what has to come: no load makes it fail, and what comes is waited for
 * no longer than until it is there. */
#pragma once

#define WPA_PATIENCE_MS 120000
