/*
 * Types of expressions, as far as GitHub has them: scalars, arrays, objects whose members may be
 * all known or not. Types are immutable, live in an arena and are shared freely.
 */
#pragma once

#include <stdint.h>

#include <wpa/arena.h>

#define WPA_TYPE_MAX_MEMBERS 2000
#define WPA_TYPE_MAX_DEPTH 8

typedef enum wpa_type_kind {
    WPA_TYPE_NEVER, /* no value comes here: the part of a value that is both true and null */
    WPA_TYPE_ANY,   /* not known, or one of several */
    WPA_TYPE_NULL,
    WPA_TYPE_BOOL,
    WPA_TYPE_NUMBER,
    WPA_TYPE_STRING,
    WPA_TYPE_ARRAY,
    WPA_TYPE_OBJECT
} wpa_type_kind;

typedef struct wpa_type wpa_type;

typedef struct wpa_type_member {
    const char *name; /* compares without case */
    const wpa_type *type;
} wpa_type_member;

/* More members than that are looked for one by one. */
#define WPA_TYPE_INDEX_MAX 96

/** Where to look for one of many members: numbers from 1 on, 0: there is none. */
typedef struct wpa_type_index {
    uint8_t first[32]; /* by the lower bits of the first letter of its name */
    uint8_t next[WPA_TYPE_INDEX_MAX];
} wpa_type_index;

/** Members of what is large, made when they are first asked for. */
typedef const wpa_type *(*wpa_type_loader)(const char *name, const void *data, wpa_arena *arena);

struct wpa_type {
    wpa_type_kind kind;
    bool is_filter; /* an array that .* made: members are taken of each element */
    /*
     * Of an array its elements. Of an object the type of members that are not listed: NULL if
     * there are none (a strict object), ANY in a loose one, the values of a map.
     */
    const wpa_type *item;
    const wpa_type_member *members; /* [n_members] */
    size_t n_members;
    const wpa_type_member *later; /* [n_later] members that come too late to be seen here */
    size_t n_later;
    wpa_type_loader load; /* not NULL: the members are those of load(name, data) */
    union {
        const char *name;            /* of a lazy one */
        const wpa_type_index *index; /* of the members of another; NULL: there is none */
    };
    const void *data;
    wpa_arena *arena;               /* of a lazy one, for what it loads … */
    const struct wpa_type **loaded; /* … once */
};

/** One of each kind that has no parts. */
extern const wpa_type wpa_type_plain[WPA_TYPE_ARRAY];

/** Of a scalar; also ANY and NEVER. */
static inline const wpa_type *wpa_type_of(wpa_type_kind scalar)
{
    return &wpa_type_plain[scalar < WPA_TYPE_ARRAY ? scalar : WPA_TYPE_ANY];
}
const wpa_type *wpa_type_array(wpa_arena *arena, const wpa_type *item);
const wpa_type *wpa_type_filter(wpa_arena *arena, const wpa_type *item);
/** item NULL: strict. members are borrowed for as long as the type. */
const wpa_type *wpa_type_object(wpa_arena *arena, const wpa_type_member *members, size_t n_members,
                                const wpa_type *item);
/** The same with many members, of which index tells the places; borrowed as well. */
const wpa_type *wpa_type_object_indexed(wpa_arena *arena, const wpa_type_member *members,
                                        size_t n_members, const wpa_type_index *index,
                                        const wpa_type *item);
/** Index the first of the members, at most WPA_TYPE_INDEX_MAX. */
wpa_type_index wpa_type_index_of(const wpa_type_member *members, size_t n_members);
const wpa_type *wpa_type_map(wpa_arena *arena, const wpa_type *item);
/** An object of which any member may be there. */
const wpa_type *wpa_type_loose(void);
/** Two of one loader and one name are the same. data is borrowed for as long as the type. */
const wpa_type *wpa_type_lazy(wpa_arena *arena, wpa_type_loader load, const char *name,
                              const void *data);

/** The type itself, or what a lazy one loads. Never NULL. */
const wpa_type *wpa_type_resolve(const wpa_type *type);
/** Type of a member; NULL if the object has none of that name. */
const wpa_type *wpa_type_member_find(const wpa_type *object, const char *name);
/** Is it an object whose members are all known? */
bool wpa_type_is_strict(const wpa_type *type);
/** What is either the one or the other: ANY unless they have much in common. */
const wpa_type *wpa_type_merge(const wpa_type *a, const wpa_type *b, wpa_arena *arena);
/** The values of an object together; NEVER if it has none. */
const wpa_type *wpa_type_values(const wpa_type *object, wpa_arena *arena);
/** "a string", "an object": for messages. */
const char *wpa_type_words(const wpa_type *type);
bool wpa_type_is(const wpa_type *type, wpa_type_kind kind);
/** Is it bool, number, string or null? */
bool wpa_type_is_scalar(const wpa_type *type);

/** Objects made member by member; of equal names the types are merged. */
typedef struct wpa_type_builder {
    wpa_arena *arena;
    wpa_type_member *members;
    uint32_t *hashes; /* [n] of their names, in lower case */
    size_t n, capacity, hashes_capacity;
    bool is_loose;    /* set by the caller, or by too many members */
    bool keeps_names; /* set by the caller: they live as long as the types, and are not copied */
} wpa_type_builder;

wpa_type_builder wpa_type_builder_new(wpa_arena *arena);
void wpa_type_builder_add(wpa_type_builder *builder, const char *name, const wpa_type *type);
const wpa_type *wpa_type_builder_end(wpa_type_builder *builder);
