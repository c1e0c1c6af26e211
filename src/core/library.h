/*
 * Libraries that few commands need are opened when the first of them does: loading them with
 * everything they want themselves takes longer than checking a file.
 */
#pragma once

#include <stddef.h>

#include <wpa/error.h>

/**
 * Open a library for the life of the process and look its functions up.
 *
 * name      its soname.
 * names     [n] of the functions.
 * calls     [n] of function pointers, all filled or left as they were.
 *
 * Errors    UNAVAILABLE: not installed, or another version than the one built against.
 * Thread    any; the first call does the work, others wait for it.
 */
bool wpa_library_open(const char *name, const char *const names[], size_t n, void *calls,
                      wpa_error *err) WPA_CHECK;
