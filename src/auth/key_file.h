/*
 * Inside src/auth only: files with keys of this account. They are made whole or not at all, and are
 * good only while they belong to us and nobody else may read them.
 */
#pragma once

#include <stddef.h>
#include <sys/stat.h>

#include <wpa/error.h>

/** Make it with this text, unless it is there: of two starters one wins for both. Errors WPA_E_IO.
 */
bool wpa_key_file_make(const char *path, const char *text, size_t size_bytes,
                       wpa_error *err) WPA_CHECK;
/** Errors WPA_E_IO, WPA_E_DENIED (no plain file, another's, open to others). */
bool wpa_key_file_check(const char *path, struct stat *info, wpa_error *err) WPA_CHECK;
