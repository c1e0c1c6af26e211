/*
 * YAML as a tree in which every node knows the bytes it came from, so that an edit can be made on
 * the source. One document a file. What is wrong with the file is a list of diagnostics beside the
 * tree; only a file that is too large gives no tree at all.
 */
#pragma once

#include <stdint.h>

#include <wpa/arena.h>
#include <wpa/span.h>
#include <wpa/text.h>

#define WPA_YAML_MAX_BYTES ((size_t)1024 * 1024)
#define WPA_YAML_MAX_DEPTH 100
#define WPA_YAML_MAX_NODES 200000
#define WPA_YAML_MAX_SCALAR_BYTES ((size_t)256 * 1024)
#define WPA_YAML_MAX_KEY_BYTES 1024
#define WPA_YAML_MAX_DIAGNOSTICS 200
/** What all aliases together may stand for: 10 * nodes + this. */
#define WPA_YAML_MAX_EXPANSION 10000

typedef enum __attribute__((packed)) wpa_yaml_kind {
    WPA_YAML_SCALAR,
    WPA_YAML_MAPPING,
    WPA_YAML_SEQUENCE,
    WPA_YAML_ALIAS
} wpa_yaml_kind;

typedef enum __attribute__((packed)) wpa_yaml_style {
    WPA_YAML_PLAIN,
    WPA_YAML_SINGLE_QUOTED,
    WPA_YAML_DOUBLE_QUOTED,
    WPA_YAML_LITERAL,
    WPA_YAML_FOLDED,
    WPA_YAML_BLOCK,
    WPA_YAML_FLOW
} wpa_yaml_style;

/** What a scalar means to GitHub's reader: only plain ones are more than text (on, yes are text).
 */
typedef enum wpa_yaml_type {
    WPA_YAML_TEXT,
    WPA_YAML_NULL,
    WPA_YAML_BOOL,
    WPA_YAML_INT,
    WPA_YAML_FLOAT
} wpa_yaml_type;

typedef struct wpa_yaml_doc wpa_yaml_doc;
typedef struct wpa_yaml_node wpa_yaml_node;

typedef struct wpa_yaml_pair {
    wpa_yaml_node *key;
    wpa_yaml_node *value;
} wpa_yaml_pair;

/* A file has up to WPA_YAML_MAX_NODES of them, and all the way through the tree is a way through
   their memory. So what one kind alone has shares its place, what hardly any has stands elsewhere,
   and what is looked at first stands together in front. */
struct wpa_yaml_node {
    wpa_yaml_kind kind;
    wpa_yaml_style style;
    bool holds_nul : 1;
    bool is_incomplete : 1;  /* the parser stopped inside it, or left a broken part of it out */
    bool has_properties : 1; /* wpa_yaml_properties */
    /* of a mapping: wpa_yaml_key_bit of each key, all bits where keys may merge; of a scalar that
       is a key: its own; else 0 */
    uint32_t keys;
    /* scalar: decoded, NUL-terminated; may hold NULs, so length counts */
    const char *text;
    uint32_t length;
    uint32_t n_pairs; /* of a mapping, else 0 */
    union {
        wpa_yaml_pair *pairs;  /* in order of the file, merge keys and duplicates included */
        wpa_yaml_node **items; /* of a sequence */
        /* of an alias: NULL if undefined, recursive, or beyond the limit of expansion */
        const wpa_yaml_node *target;
    };
    uint32_t n_items; /* of a sequence, else 0 */
    uint32_t index;   /* among the parent's pairs or items */
    /*
     * The node itself: quotes included, anchor and tag not. A block collection goes from its first
     * child's start to its last child's end; a literal or folded scalar from its header to the end
     * of its last line that is not blank, without the line break.
     */
    wpa_span span;
    const wpa_yaml_doc *doc;
    const wpa_yaml_node *parent; /* NULL for the root */
    const wpa_yaml_node *key;    /* of which this is the value, else NULL */
};

/** Name of the anchor in front of the node; for an alias the one it refers to; NULL: none. */
const char *wpa_yaml_anchor(const wpa_yaml_node *node);
/** The tag in front of the node, NULL if none was written. */
const char *wpa_yaml_tag(const wpa_yaml_node *node);
/** The node with anchor and tag in front. */
wpa_span wpa_yaml_full(const wpa_yaml_node *node);
/** How many aliases refer to the node's anchor. */
size_t wpa_yaml_n_uses(const wpa_yaml_node *node);

typedef enum wpa_yaml_fault {
    WPA_YAML_FAULT_SYNTAX,          /* Y1: not YAML; the tree lacks the entry it stands in */
    WPA_YAML_FAULT_UNDEFINED_ALIAS, /* Y1 */
    WPA_YAML_FAULT_EMPTY,           /* Y2 */
    WPA_YAML_FAULT_RECURSIVE_ALIAS, /* Y3 */
    WPA_YAML_FAULT_MERGE_KEY,       /* Y4 */
    WPA_YAML_FAULT_TAB,             /* Y5: tab where indentation is wanted */
    WPA_YAML_FAULT_BOM,             /* Y6 */
    WPA_YAML_FAULT_CR_LINE,         /* Y6: lines end with CR alone */
    WPA_YAML_FAULT_SECOND_DOCUMENT, /* Y7 */
    WPA_YAML_FAULT_TAG,             /* Y8: explicit tag that GitHub refuses */
    WPA_YAML_FAULT_LIMIT,           /* Y9: depth, nodes, expansion, scalar or key size */
    WPA_YAML_FAULT_ENCODING,        /* Y10: not UTF-8, or a control character */
    WPA_YAML_FAULT_DUPLICATE_KEY,   /* S1 of the rule schema; related is the first one */
    WPA_YAML_FAULT_REDEFINED_ANCHOR,
    WPA_YAML_FAULT_COUNT
} wpa_yaml_fault;

typedef struct wpa_yaml_diagnostic {
    wpa_yaml_fault fault;
    wpa_span span;
    wpa_span related;
    const char *message; /* one sentence, values made visible */
} wpa_yaml_diagnostic;

typedef struct wpa_yaml_comment {
    wpa_span span;    /* from the # to the end of the line, without the break */
    size_t line;      /* from 1 */
    bool is_own_line; /* nothing but blanks before it */
} wpa_yaml_comment;

/** A place in the bytes, and how many characters stand before it. */
typedef struct wpa_yaml_mark {
    size_t at, n_chars;
} wpa_yaml_mark;

struct wpa_yaml_doc {
    const char *path;   /* for messages */
    const char *source; /* the file's bytes, NUL-terminated */
    size_t size_bytes;
    wpa_yaml_node *root; /* NULL if the file has no node */
    size_t n_nodes;
    bool is_partial; /* part of the file is missing from the tree */
    bool has_bom;
    bool has_crlf;       /* the first line ends with CRLF */
    bool has_odd_breaks; /* that only YAML 1.1 knows: NEL, LS, PS */
    bool is_plain;       /* nothing but printable ASCII and line feeds */
    const size_t *line_starts;
    size_t n_lines;
    const uint32_t *line_hints; /* private: see wpa_yaml_line_of */
    const wpa_yaml_mark *marks; /* [n_marks] one a stretch, if there are long lines; or NULL */
    size_t n_marks;
    const wpa_yaml_comment *comments; /* in order */
    size_t n_comments;
    const wpa_yaml_diagnostic *diagnostics; /* in order of detection */
    size_t n_diagnostics;
    const wpa_yaml_node **anchored; /* nodes with an anchor, in order */
    size_t n_anchored;
    const wpa_yaml_node **aliases; /* that lead to a node, in order */
    size_t n_aliases;
    struct wpa_yaml_grams *grams; /* see wpa_yaml_may_hold */
    wpa_arena *arena;
};

/* ---- reading ---------------------------------------------------------------------------------*/

/**
 * Parse a file. The tree, and a copy of the bytes, live in the arena.
 *
 * path   for messages; copied.
 *
 * Returns the document, with diagnostics for whatever is wrong, or NULL.
 * Errors  WPA_E_LIMIT: more than WPA_YAML_MAX_BYTES.
 */
const wpa_yaml_doc *wpa_yaml_parse(const char *path, const void *data, size_t size_bytes,
                                   wpa_arena *arena, wpa_error *err);

/**
 * For files that must be right (configuration): any fault but a byte-order mark is an error that
 * names file, line and column.
 */
const wpa_yaml_doc *wpa_yaml_parse_strict(const char *path, const void *data, size_t size_bytes,
                                          wpa_arena *arena, wpa_error *err);

/** wpa_file_read, then wpa_yaml_parse_strict. */
const wpa_yaml_doc *wpa_yaml_load(const char *path, wpa_arena *arena, wpa_error *err);

/** "Y1" ... "Y10", "S1", "Z7": the check by which rules name a fault. */
const char *wpa_yaml_fault_check(wpa_yaml_fault fault);
/** Does this fault make the tree differ from what the author wrote? */
bool wpa_yaml_fault_is_fatal(wpa_yaml_fault fault);

/* ---- looking things up -----------------------------------------------------------------------*/

/** The node itself, or what it is an alias of; NULL stays NULL, a broken alias gives NULL. */
const wpa_yaml_node *wpa_yaml_resolve(const wpa_yaml_node *node);
/** Is it (after resolving) of this kind? NULL is of none. */
bool wpa_yaml_is(const wpa_yaml_node *node, wpa_yaml_kind kind);
/** Text of a scalar (aliases followed), NULL for anything else, or if it holds a NUL. */
const char *wpa_yaml_text(const wpa_yaml_node *node);
/** One bit of 32 for a key, whatever the case of its letters: most keys that are asked for are not
 * there, and most of those are known not to be by this. */
static inline uint32_t wpa_yaml_key_bit(const char *key, size_t length)
{
    size_t ends = length ? (size_t)(key[0] | 0x20) * 5 + (size_t)(key[length - 1] | 0x20) : 0;
    return (uint32_t)1 << ((length * 7 + ends) & 31);
}

/* A key with what is asked of it first. */
typedef struct wpa_yaml_name {
    const char *text;
    uint32_t length, bit; /* see wpa_yaml_key_bit */
} wpa_yaml_name;

/* Here, since nearly all names are literals: the compiler knows their lengths and bits. */
static inline wpa_yaml_name wpa_yaml_name_of(const char *key)
{
    size_t length = strlen(key);
    return (wpa_yaml_name){key, (uint32_t)length, wpa_yaml_key_bit(key, length)};
}

/** False: the mapping, which is no alias, has no such key. To rule out one of many at once. */
static inline bool wpa_yaml_may_have(const wpa_yaml_node *mapping, const char *key)
{
    return (mapping->keys & wpa_yaml_name_of(key).bit) != 0;
}

const wpa_yaml_pair *wpa_yaml_find_name(const wpa_yaml_node *mapping, wpa_yaml_name name);
const wpa_yaml_node *wpa_yaml_get_name(const wpa_yaml_node *mapping, wpa_yaml_name name);
const wpa_yaml_pair *wpa_yaml_find_name_ci(const wpa_yaml_node *mapping, wpa_yaml_name name);
const wpa_yaml_node *wpa_yaml_get_name_ci(const wpa_yaml_node *mapping, wpa_yaml_name name);

/** Pair by key, NULL if there is none or this is no mapping; aliases and merge keys are followed.
 * Of duplicates the first. */
static inline const wpa_yaml_pair *wpa_yaml_find(const wpa_yaml_node *mapping, const char *key)
{
    return wpa_yaml_find_name(mapping, wpa_yaml_name_of(key));
}

/** Value by key, aliases resolved; NULL as above. */
static inline const wpa_yaml_node *wpa_yaml_get(const wpa_yaml_node *mapping, const char *key)
{
    return wpa_yaml_get_name(mapping, wpa_yaml_name_of(key));
}

/** As wpa_yaml_find without regard to ASCII case. */
static inline const wpa_yaml_pair *wpa_yaml_find_ci(const wpa_yaml_node *mapping, const char *key)
{
    return wpa_yaml_find_name_ci(mapping, wpa_yaml_name_of(key));
}

/** The mapping's pairs with those of merge keys behind its own, keys once, "<<" left out. */
const wpa_yaml_pair *wpa_yaml_pairs_merged(const wpa_yaml_node *mapping, wpa_arena *arena,
                                           size_t *n_pairs);
/** Type of a scalar as YAML 1.2's core schema and the tag say. */
wpa_yaml_type wpa_yaml_scalar_type(const wpa_yaml_node *scalar);
/** Nothing written, or a plain null. */
bool wpa_yaml_is_null(const wpa_yaml_node *node);
/** "jobs.build.steps[2].uses" */
const char *wpa_yaml_path(const wpa_yaml_node *node, wpa_arena *arena);
/** The smallest node whose full span holds the offset; NULL if none. Keys count as nodes. */
const wpa_yaml_node *wpa_yaml_node_at(const wpa_yaml_doc *doc, size_t offset);
/** Index of the first comment on this line (from 1) or behind it; n_comments if there is none. */
size_t wpa_yaml_comment_from(const wpa_yaml_doc *doc, size_t line);
/** Does a comment stand on the node's first line, or on the line above? */
bool wpa_yaml_is_commented(const wpa_yaml_node *node);
/** What a node is, for messages: "text", "a number", "true or false", "a mapping", "a list". */
const char *wpa_yaml_describe(const wpa_yaml_node *node);

/* ---- whether something is there at all -------------------------------------------------------*/

#define WPA_YAML_GRAM 4
/* Which runs of so many bytes the file holds; private to what is below. */
struct wpa_yaml_grams {
    unsigned shift; /* of a hash, so that a place in the filter is left */
    uint64_t bits[];
};

/* Odd, so that no bit of a gram is lost. */
#define WPA_YAML_GRAM_LOW 0x9e37U
#define WPA_YAML_GRAM_HIGH 0x79b5U
#define WPA_YAML_GRAM_FOLD 0x2020U

/**
 * Letters' case folded; other bytes that differ in that bit alone are told apart by nobody. Two
 * products of 16 bits, since that many are made at once of as many bytes as fit a register. The
 * upper bits are those that depend on all of the gram.
 */
static inline uint32_t wpa_yaml_gram_of(const char *text)
{
    uint16_t low, high;
    memcpy(&low, text, sizeof low);
    memcpy(&high, text + sizeof low, sizeof high);
    uint32_t hash = (low | WPA_YAML_GRAM_FOLD) * WPA_YAML_GRAM_LOW +
                    (high | WPA_YAML_GRAM_FOLD) * WPA_YAML_GRAM_HIGH;
    return (hash & 0xffff) << 16;
}

static inline uint64_t wpa_yaml_gram_bit(uint32_t at)
{
    return UINT64_C(1) << at % 64;
}

static inline bool wpa_yaml_has_gram(const wpa_yaml_doc *doc, uint32_t gram)
{
    uint32_t at = gram >> doc->grams->shift;
    return (doc->grams->bits[at / 64] & wpa_yaml_gram_bit(at)) != 0;
}

bool wpa_yaml_may_hold_slice(const wpa_yaml_doc *doc, wpa_slice text);
/**
 * False: neither the file's bytes, nor what was added to them, hold this text anywhere, whatever
 * the case of its letters. Takes a few instructions a byte of the text, however large the file is;
 * texts of less than four bytes are always said to be there.
 */
static inline bool wpa_yaml_may_hold(const wpa_yaml_doc *doc, const char *text)
{
    /* Here, since most are ruled out by how they begin. */
    bool is_short = !text[0] || !text[1] || !text[2] || !text[3];
    return is_short || (wpa_yaml_has_gram(doc, wpa_yaml_gram_of(text)) &&
                        wpa_yaml_may_hold_slice(doc, wpa_slice_of(text)));
}

/** Of a name as a whole. */
uint32_t wpa_yaml_gram_of_name(const char *name);
/** False: no such name was added. */
bool wpa_yaml_may_name(const wpa_yaml_doc *doc, const char *name);
/**
 * What a part of the file means, where that is not what its bytes say (escapes, quotes of a shell):
 * the parser adds what scalars are decoded to. For whoever reads the file, before others see it.
 */
void wpa_yaml_add_text(const wpa_yaml_doc *doc, const char *text, size_t length);
/** A name that may be asked for as a whole, its case included. */
void wpa_yaml_add_name(const wpa_yaml_doc *doc, const char *name);

/* ---- places ----------------------------------------------------------------------------------*/

wpa_position wpa_yaml_position(const wpa_yaml_doc *doc, size_t offset);
/** Offset of a place; past the end of a line gives the line's end. */
size_t wpa_yaml_offset(const wpa_yaml_doc *doc, wpa_position position);
/** Line (from 1) without its break; an empty span behind the last line. */
wpa_span wpa_yaml_line(const wpa_yaml_doc *doc, size_t line);
size_t wpa_yaml_line_of(const wpa_yaml_doc *doc, size_t offset);
/** Offset behind the line break of the line that holds offset. */
size_t wpa_yaml_line_end(const wpa_yaml_doc *doc, size_t offset);

/**
 * The whole entry of which node is the value (key, colon, value) or the item (dash, value) in a
 * block collection: from the start of its first line, or from its key or dash if something else
 * stands before it there, through the break of its last line, trailing comment included, blank
 * lines behind it not. In a flow collection key to value, without commas.
 */
wpa_span wpa_yaml_entry_span(const wpa_yaml_node *node);
/** Offset of the dash of an item of a block sequence; node's own start if there is none. */
size_t wpa_yaml_dash(const wpa_yaml_node *node);
/** Blanks before the first character of the line that holds offset. */
size_t wpa_yaml_indent(const wpa_yaml_doc *doc, size_t offset);

/**
 * From a decoded scalar back to the file: the bytes that text[from, to) was written with. An empty
 * range gives an empty span. Escapes, quotes doubled, folds and indentation are taken into account.
 */
wpa_span wpa_yaml_source_span(const wpa_yaml_node *scalar, size_t from, size_t to);

/** The same for many questions about one scalar. */
typedef struct wpa_yaml_map wpa_yaml_map;
const wpa_yaml_map *wpa_yaml_map_new(const wpa_yaml_node *scalar, wpa_arena *arena);
wpa_span wpa_yaml_map_span(const wpa_yaml_map *map, size_t from, size_t to);
/** False if the decoding could not be followed: then every span is the whole scalar. */
bool wpa_yaml_map_is_exact(const wpa_yaml_map *map);

/**
 * The same for a scalar that most likely nobody asks about: the map is made with the first
 * question, in an arena that has not been rewound since then, by the one thread that asks.
 */
typedef struct wpa_yaml_places {
    const wpa_yaml_node *scalar;
    wpa_arena *arena;
    const wpa_yaml_map *map; /* NULL so far */
} wpa_yaml_places;
const wpa_yaml_map *wpa_yaml_places_map(wpa_yaml_places *places);

/* ---- typed reading for configuration files -----------------------------------------------------
 *
 * Each takes a mapping and a key. Absent (or null): returns true and leaves *value alone, so that
 * defaults stand in the struct beforehand. Wrong: WPA_E_INVALID with
 * "fleet.yml:12:9: repositories[2].branch: expected text, got a list".
 */

bool wpa_yaml_fail(const wpa_yaml_node *at, wpa_error *err, const char *format, ...)
    WPA_PRINTF(3, 4);
/** node must be there and of this kind; what names it in the message if it is missing. */
bool wpa_yaml_expect(const wpa_yaml_node *node, wpa_yaml_kind kind, wpa_error *err) WPA_CHECK;
/** A key must be one of known[n]; the message names the nearest. */
bool wpa_yaml_check_key(const wpa_yaml_node *key, const char *const known[], size_t n,
                        wpa_error *err) WPA_CHECK;
/** Every key must be one of known[n]. */
bool wpa_yaml_check_keys(const wpa_yaml_node *mapping, const char *const known[], size_t n,
                         wpa_error *err) WPA_CHECK;
/** The value, which must be there. NULL with "missing 'key'" at the mapping. */
const wpa_yaml_node *wpa_yaml_need(const wpa_yaml_node *mapping, const char *key, wpa_error *err);
bool wpa_yaml_get_text(const wpa_yaml_node *mapping, const char *key, const char **value,
                       wpa_error *err) WPA_CHECK;
bool wpa_yaml_get_bool(const wpa_yaml_node *mapping, const char *key, bool *value,
                       wpa_error *err) WPA_CHECK;
bool wpa_yaml_get_int(const wpa_yaml_node *mapping, const char *key, int64_t min, int64_t max,
                      int64_t *value, wpa_error *err) WPA_CHECK;
bool wpa_yaml_get_double(const wpa_yaml_node *mapping, const char *key, double min, double max,
                         double *value, wpa_error *err) WPA_CHECK;
/** "90s", "10m", "2h". */
bool wpa_yaml_get_duration_ms(const wpa_yaml_node *mapping, const char *key, int64_t *value,
                              wpa_error *err) WPA_CHECK;
/** Index into names[n]. */
bool wpa_yaml_get_choice(const wpa_yaml_node *mapping, const char *key, const char *const names[],
                         size_t n, int *value, wpa_error *err) WPA_CHECK;
/** A list of texts, or one text; the array lives in the arena. */
bool wpa_yaml_get_texts(const wpa_yaml_node *mapping, const char *key, wpa_arena *arena,
                        const char *const **values, size_t *n, wpa_error *err) WPA_CHECK;
/** Value as mapping or sequence; *value NULL if absent. */
bool wpa_yaml_get_mapping(const wpa_yaml_node *mapping, const char *key,
                          const wpa_yaml_node **value, wpa_error *err) WPA_CHECK;
bool wpa_yaml_get_sequence(const wpa_yaml_node *mapping, const char *key,
                           const wpa_yaml_node **value, wpa_error *err) WPA_CHECK;
