/*
 * A tree while it is made of what a reader of YAML comes by; private to src/yaml. Mistakes become
 * diagnostics of the document.
 */
#pragma once

#include <wpa/map.h>

#include "yaml/internal.h"

/** How many mistakes of a file are read around. */
#define WPA_YAML_RECOVERY_MAX 16

/* A collection that is still open. */
typedef struct wpa_yaml_frame {
    wpa_yaml_node *node;
    wpa_yaml_node *key; /* of the pair whose value is awaited */
    size_t weight;      /* nodes in it with aliases expanded */
    bool may_repeat;    /* a key of it may be written twice */
} wpa_yaml_frame;

/* Where the children of the collection of some depth gather until it is closed. */
typedef struct wpa_yaml_lot {
    void *children;
    size_t capacity;
} wpa_yaml_lot;

typedef struct wpa_yaml_anchored {
    wpa_yaml_node *node;
    size_t weight; /* 0 while it is open */
} wpa_yaml_anchored;

typedef struct wpa_yaml_alias_use {
    wpa_yaml_node *node;
    wpa_yaml_anchored *anchor;
    size_t weight;
} wpa_yaml_alias_use;

typedef struct wpa_yaml_builder {
    wpa_yaml_doc *doc;
    wpa_arena *scratch;
    size_t bom;
    bool has_inner_bom; /* a byte-order mark elsewhere, of which libyaml knows what it means */
    const char *text;   /* what is parsed: the file, bad bytes and broken entries blotted out */
    uint32_t *offsets;  /* of each character, NULL if all are ASCII */
    size_t n_chars;
    wpa_yaml_node *spare, *spare_end; /* room for nodes to come */
    wpa_yaml_frame *frames;           /* [WPA_YAML_MAX_DEPTH], depth of them in use */
    wpa_yaml_lot *pairs, *items;      /* [WPA_YAML_MAX_DEPTH], n_lots of them in use */
    size_t depth, n_lots;
    bool is_stopped;
    wpa_map *anchors;
    wpa_yaml_alias_use *aliases;
    size_t n_aliases, aliases_capacity;
    bool tells_comments; /* the reader does; else they are looked for between scalars */
    wpa_span *scalars;
    size_t n_scalars, scalars_capacity;
    wpa_yaml_comment *comments;
    size_t comments_capacity;
    wpa_yaml_diagnostic *diagnostics;
    size_t diagnostics_capacity, anchored_capacity;
    size_t end;                                    /* how far the parser came */
    wpa_yaml_broken broken[WPA_YAML_RECOVERY_MAX]; /* what was left out, in order of detection */
    size_t n_broken;
} wpa_yaml_builder;

/** Of a document with its source; it lives in the arena, and so does what is needed for a while. */
wpa_yaml_builder *wpa_yaml_builder_new(wpa_yaml_doc *doc, wpa_arena *scratch);

void wpa_yaml_report(wpa_yaml_builder *b, wpa_yaml_fault fault, wpa_span span, wpa_span related,
                     const char *format, ...) WPA_PRINTF(5, 6);
/** Read no further: the tree lacks what comes. */
void wpa_yaml_stop(wpa_yaml_builder *b);
/** What comes next in the file; it is not kept. */
void wpa_yaml_build(wpa_yaml_builder *b, const wpa_yaml_event *event);
/** The same, of a scalar. */
void wpa_yaml_build_scalar(wpa_yaml_builder *b, const wpa_yaml_event *event);
/** A collection begins. */
void wpa_yaml_build_start(wpa_yaml_builder *b, wpa_yaml_kind kind, const wpa_yaml_event *event);
/** The innermost collection ends; a flow collection does so at this offset. */
void wpa_yaml_build_end(wpa_yaml_builder *b, size_t flow_end);
/** Whatever is open when the reader stops stays as far as it came. */
void wpa_yaml_close_open(wpa_yaml_builder *b);

/** The next comment of the file. */
void wpa_yaml_add_comment(wpa_yaml_builder *b, wpa_span span, bool is_own_line);
/** Find the comments up to end, where the scalars are known. */
void wpa_yaml_index_comments(wpa_yaml_builder *b, size_t end);

/**
 * A text in the YAML that most write, with its comments; false for any other: then what was built
 * of it is to be forgotten, and libyaml has to read it. No '\0' within the text, and no breaks that
 * only YAML 1.1 knows.
 */
bool wpa_yaml_read_quickly(wpa_yaml_builder *b, const char *text);
/**
 * One pass of libyaml over the text (b->doc->size_bytes, byte-order mark included); false if it
 * ended in a mistake, which is reported and lies at *broken_at.
 */
bool wpa_yaml_read_by_library(wpa_yaml_builder *b, const char *text, size_t *broken_at);
