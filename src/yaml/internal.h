/* Shared inside src/yaml: the steps of parsing a document. */
#pragma once

#include <wpa/yaml.h>

/** Characters that YAML allows in a file. */
bool wpa_yaml_is_allowed(uint32_t code_point);
/** Fill line_starts and has_crlf. */
void wpa_yaml_index_lines(wpa_yaml_doc *doc);
typedef struct wpa_yaml_grams wpa_yaml_grams;
/** Make grams, of the file's bytes. */
void wpa_yaml_index_grams(wpa_yaml_doc *doc);
/** Fill comments: [n] scalars in order of the file hold no comments. */
void wpa_yaml_index_comments(wpa_yaml_doc *doc, const wpa_span *scalars, size_t n, size_t end);
/** The line break at offset: its length in bytes, 0 if there is none. CR, LF, CRLF. */
size_t wpa_yaml_break_at(const wpa_yaml_doc *doc, size_t offset);

/** An entry that cannot be read. */
typedef struct wpa_yaml_broken {
    wpa_span span; /* whole lines; empty if there is nothing */
    size_t indent;
    bool is_item; /* of a list */
} wpa_yaml_broken;

/**
 * What to leave out where the parser failed at this offset. text is the file, with what was left
 * out before as line breaks.
 */
wpa_yaml_broken wpa_yaml_find_broken(const wpa_yaml_doc *doc, const char *text, size_t at);
/** Mark the document, and every node that the entry was a part of, as incomplete. */
void wpa_yaml_mark_broken(wpa_yaml_doc *doc, const wpa_yaml_broken *broken);

static inline bool wpa_yaml_is_blank(char c)
{
    return c == ' ' || c == '\t';
}
