/* What programs of Python write, as far as it stands in them. */
#pragma once

#include <stdbool.h>

#include <wpa/span.h>

/**
 * Is all that these lines write a constant, or numbers within one? They are calls of write,
 * write_text and print, one a line, and a "with open(...) as f:" above them; anything else counts
 * as unknown.
 *
 * text   the program.
 * lines  bytes of it.
 */
bool wpa_python_writes_constant(const char *text, wpa_span lines);
