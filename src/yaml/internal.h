/* Shared inside src/yaml: the steps of parsing a document. */
#pragma once

#include <wpa/yaml.h>

/** Characters that YAML allows in a file. */
bool wpa_yaml_is_allowed(uint32_t code_point);
/** Fill line_starts and has_crlf. */
void wpa_yaml_index_lines(wpa_yaml_doc *doc);
/** Fill comments: [n] scalars in order of the file hold no comments. */
void wpa_yaml_index_comments(wpa_yaml_doc *doc, const wpa_span *scalars, size_t n, size_t end);
/** The line break at offset: its length in bytes, 0 if there is none. CR, LF, CRLF. */
size_t wpa_yaml_break_at(const wpa_yaml_doc *doc, size_t offset);

static inline bool wpa_yaml_is_blank(char c)
{
    return c == ' ' || c == '\t';
}
