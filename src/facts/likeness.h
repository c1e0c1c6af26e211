/* Names of actions as they look to somebody in a hurry. */
#pragma once

#include <wpa/text.h>

#define WPA_SLUG_MAX_BYTES 128

/** Lower case, so that what differs by case alone is the same. False: longer than any slug is. */
bool wpa_slug_fold(wpa_slice slug, char folded[WPA_SLUG_MAX_BYTES]);

/** Of a folded slug: separators gone, look-alikes as one. */
void wpa_slug_blur(const char *folded, char blurred[WPA_SLUG_MAX_BYTES]);

/**
 * Which letters it has, as a set of bits. A letter more, less or in place of another changes one
 * or two of them, letters in another order none: so most names are told apart without reading them.
 */
uint32_t wpa_slug_letters(const char *slug);
