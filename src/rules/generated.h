/* Files that a program writes from something else: a change of them is lost, or refused. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <wpa/span.h>

/**
 * Does the comment at the head of a file say that it is made, or copied, from another one and not
 * to be changed by hand? One that was so once, and says it no longer is, does not count.
 *
 * where  the line that says so, without what stands before its "#".
 */
bool wpa_generated_find(const char *text, size_t size_bytes, wpa_span *where);
