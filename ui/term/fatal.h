/*
 * A crash must not leave the terminal in raw mode on the alternate screen. This is the one place
 * with process-wide state: a signal handler can reach nothing else.
 */
#pragma once

#include <termios.h>

/** From now on a fatal signal puts the terminal back before the process dies of it. */
void wpa_fatal_arm(int fd, const struct termios *saved);
void wpa_fatal_disarm(void);
