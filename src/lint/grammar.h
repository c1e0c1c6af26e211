/*
 * Scripts whose grammar is certainly in order, so that no shell has to be started to say so. It
 * knows the constructs of everyday scripts and is sure of nothing else: false says nothing about a
 * script but that its shell is to be asked ("bash -n").
 *
 * Grammar: POSIX.1-2017 XCU 2.10, and the manual of bash 5.2, chapter 3.
 */
#pragma once

#include <stdbool.h>

/** Is the shell certain to read this text without complaint? is_bash: or what POSIX alone has. */
bool wpa_shell_is_sound(const char *text, bool is_bash);
