/*
 * What tells the value of a secret from a text that has its form alone. Private to src/match;
 * wpa_entropy is in secret.h.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/** A path, a version or words are no secret however they are called; a commit id is none either. */
bool wpa_secret_is_harmless(const char *text, size_t length);
/** Is it one that is the same for everyone? */
bool wpa_secret_is_published(const char *text, size_t length);
/** "ghp_", "npm_" + 30 random characters + their CRC-32 as six digits to the base of 62. */
bool wpa_secret_has_wrong_checksum(const char *text, size_t length);
