/* Hidden characters made visible, into a fixed buffer; shared by error, log and text. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/** Plain ASCII of one line, as most texts are, which is visible as it is? Others may be, too. */
bool wpa_text_is_visible(const char *text, size_t length);

/** Returns the length of the full result; to[size_bytes] holds what fits, cut between characters.
 */
size_t wpa_visible_copy(char *to, size_t size_bytes, const char *text, size_t length,
                        bool keep_lines);
