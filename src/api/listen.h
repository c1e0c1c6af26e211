/* Inside src/api only: the socket that calls come in by. */
#pragma once

#include "api/api.h"

/**
 * Open and bind the socket that the options name, of a path or an address; one that was handed over
 * is taken as it is. The caller closes it, and removes the path. What a server that was killed left
 * in the path's place goes; a server that listens there stays.
 *
 * Returns   the descriptor, or -1 with *err set.
 * Errors    WPA_E_INVALID (no address, a path too long), WPA_E_IO.
 */
int wpa_api_listen(const wpa_api_options *options, wpa_error *err);
/** Port that a socket is bound to; 0: it has none. */
int wpa_api_port_of(int fd);
