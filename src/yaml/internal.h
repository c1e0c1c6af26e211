/* Shared inside src/yaml: the steps of parsing a document. */
#pragma once

#include <string.h>

#include <wpa/yaml.h>

#include "core/lanes.h"

/* Bytes of the file that are looked at together: as many are behind its end, all '\0'. */
#define WPA_YAML_BEHIND_BYTES (4 * WPA_LANES)

/** What is to be known of all bytes before they are read. */
typedef struct wpa_yaml_survey {
    size_t n_feeds; /* line feeds */
    bool is_plain;  /* nothing but them and printable ASCII */
} wpa_yaml_survey;
/** Copy a text, with a look at each byte on its way. */
wpa_yaml_survey wpa_yaml_take_over(char *copy, const char *text, size_t length);

/** Characters that YAML allows in a file. */
bool wpa_yaml_is_allowed(uint32_t code_point);
/** Fill what tells lines: line_starts, line_hints, has_crlf, is_plain. */
void wpa_yaml_index_lines(wpa_yaml_doc *doc, wpa_yaml_survey found);
typedef struct wpa_yaml_grams wpa_yaml_grams;
/** Make grams, of the file's bytes. */
void wpa_yaml_index_grams(wpa_yaml_doc *doc);
/**
 * Which bit of 32 is that of each key ([n_pairs], behind the pairs, and filled up to eight): so
 * that a key is found without a look at those before it. For a key that is no scalar it says
 * nothing.
 */
static inline const char *wpa_yaml_key_marks(const wpa_yaml_node *mapping)
{
    return (const char *)(mapping->pairs + mapping->n_pairs);
}

#define WPA_YAML_NO_MARK 0x7f
/** How much room those of so many pairs take. */
static inline size_t wpa_yaml_marks_bytes(size_t n_pairs)
{
    return (n_pairs + sizeof(uint64_t) - 1) & -sizeof(uint64_t);
}

static inline uint8_t wpa_yaml_mark_of(uint32_t bit)
{
    return (uint8_t)__builtin_ctz(bit);
}

/* Fewer are found about as fast by their marks, and an index of each tree that is held takes room.
 */
#define WPA_YAML_INDEX_MIN_PAIRS 256

/** Behind the marks of a mapping of so many: text of the key → its first pair. */
static inline const struct wpa_map **wpa_yaml_key_index(const wpa_yaml_node *mapping)
{
    wpa_yaml_pair *end = mapping->pairs + mapping->n_pairs;
    return (const struct wpa_map **)((char *)end + wpa_yaml_marks_bytes(mapping->n_pairs));
}

/* What stands in front of few nodes: an anchor, a tag. */
typedef struct wpa_yaml_properties {
    const char *anchor; /* name, or NULL */
    const char *tag;    /* as resolved by the parser, or NULL */
    size_t start;       /* of the first of them in the file */
    size_t n_uses;      /* of the anchor, by aliases */
} wpa_yaml_properties;

/* What a node that has_properties is a part of. */
typedef struct wpa_yaml_tagged {
    wpa_yaml_node node;
    wpa_yaml_properties properties;
} wpa_yaml_tagged;

/** Of a node that has_properties. */
static inline wpa_yaml_properties *wpa_yaml_properties_of(wpa_yaml_node *node)
{
    return &((wpa_yaml_tagged *)node)->properties;
}

/**
 * Does GitHub's reader take this node's tag? Of a scalar !!str, and where nothing is quoted those
 * of the other types if the text is one; it does not look at those of mappings and lists.
 */
bool wpa_yaml_tag_is_taken(const wpa_yaml_node *node);

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

typedef enum wpa_yaml_event_kind {
    WPA_YAML_EVENT_NONE,
    WPA_YAML_EVENT_DOCUMENT, /* one begins */
    WPA_YAML_EVENT_SCALAR,
    WPA_YAML_EVENT_ALIAS,
    WPA_YAML_EVENT_MAPPING, /* one begins */
    WPA_YAML_EVENT_SEQUENCE,
    WPA_YAML_EVENT_END, /* of what began last */
} wpa_yaml_event_kind;

/** What a reader of YAML comes by, in order. */
typedef struct wpa_yaml_event {
    wpa_yaml_event_kind kind;
    wpa_yaml_style style;
    bool holds_nul;   /* of a scalar */
    bool is_kept;     /* text has a '\0' behind it, and lives as long as the document */
    bool is_escaped;  /* of one in double quotes: it is not what its bytes say */
    wpa_span span;    /* bytes of the file, properties included */
    const char *text; /* [length], of a scalar */
    size_t length;
    const char *anchor, *tag; /* or NULL; of an alias: what it stands for */
} wpa_yaml_event;

static inline bool wpa_yaml_is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static inline bool wpa_yaml_is_space(char c)
{
    return wpa_yaml_is_blank(c) || c == '\n' || c == '\r';
}
