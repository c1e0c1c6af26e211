/*
 * XML as test and coverage reports use it: elements, attributes, text. Read as hostile input: any
 * DOCTYPE is refused (so there are no entities to blow up), size, depth and count are limited.
 */
#pragma once

#include <stdint.h>

#include <wpa/arena.h>

#define WPA_XML_MAX_BYTES (32U << 20)
#define WPA_XML_MAX_DEPTH 100
#define WPA_XML_MAX_ELEMENTS 1000000

typedef struct wpa_xml wpa_xml;

/**
 * Read one document, text[length], into the arena.
 *
 * Errors    WPA_E_INVALID with line and column (malformed, a DOCTYPE), WPA_E_LIMIT.
 */
const wpa_xml *wpa_xml_parse(const char *text, size_t length, wpa_arena *arena, wpa_error *err);

const char *wpa_xml_name(const wpa_xml *element);
/** NULL if the element has no such attribute. */
const char *wpa_xml_attribute(const wpa_xml *element, const char *name);
/** The text directly inside, of all its pieces, "" if none. */
const char *wpa_xml_text(const wpa_xml *element);
/** First element inside; NULL if none. */
const wpa_xml *wpa_xml_child(const wpa_xml *element);
/** Next element of the same parent; NULL behind the last. */
const wpa_xml *wpa_xml_next(const wpa_xml *element);
/** First element inside that has this name. */
const wpa_xml *wpa_xml_find(const wpa_xml *element, const char *name);
