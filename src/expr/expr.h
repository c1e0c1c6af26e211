/*
 * GitHub's expressions: found in scalars, parsed into trees whose nodes know their bytes, folded as
 * far as values are known, and searched for what they refer to.
 */
#pragma once

#include <wpa/yaml.h>

#define WPA_EXPR_MAX_BYTES 21000
#define WPA_EXPR_MAX_DEPTH 50

typedef enum wpa_expr_kind {
    WPA_EXPR_NULL,
    WPA_EXPR_BOOL,
    WPA_EXPR_NUMBER,
    WPA_EXPR_STRING,
    WPA_EXPR_NAME,   /* a context: github */
    WPA_EXPR_MEMBER, /* args[0].name */
    WPA_EXPR_INDEX,  /* args[0][args[1]] */
    WPA_EXPR_STAR,   /* args[0].* or args[0][*] */
    WPA_EXPR_CALL,   /* name(args) */
    WPA_EXPR_NOT,
    WPA_EXPR_AND,
    WPA_EXPR_OR,
    WPA_EXPR_EQ,
    WPA_EXPR_NE,
    WPA_EXPR_LT,
    WPA_EXPR_LE,
    WPA_EXPR_GT,
    WPA_EXPR_GE
} wpa_expr_kind;

typedef struct wpa_expr wpa_expr;
struct wpa_expr {
    wpa_expr_kind kind;
    uint32_t n_args;
    wpa_span span;      /* in the text that was parsed */
    wpa_span name_span; /* of NAME, MEMBER and CALL: the name alone; of operators: the operator */
    const char *text;   /* name; value of a STRING, quotes undone */
    double number;      /* of NUMBER; of BOOL 0 or 1 */
    const wpa_expr *const *args;
    const wpa_expr *operands[2]; /* what args is, but of a CALL */
};

/** What is wrong, with the numbers of the rule expression-syntax. */
typedef enum wpa_expr_fault {
    WPA_EXPR_FINE,
    WPA_EXPR_BAD_CHARACTER, /* E1 */
    WPA_EXPR_LONE_OPERATOR, /* E2: = & | */
    WPA_EXPR_LONE_BRACE,    /* E3 */
    WPA_EXPR_OPEN_STRING,   /* E4 */
    WPA_EXPR_BAD_NUMBER,    /* E5 */
    WPA_EXPR_INTEGER_RANGE, /* E6 */
    WPA_EXPR_FLOAT_RANGE,   /* E7 */
    WPA_EXPR_NOT_CLOSED,    /* E8: no }} */
    WPA_EXPR_EMPTY,         /* E9: nothing where a value is wanted */
    WPA_EXPR_BRACKET,       /* E10: ) or ] missing */
    WPA_EXPR_BAD_MEMBER,    /* E11: behind a dot */
    WPA_EXPR_LEFT_OVER,     /* E12 */
    WPA_EXPR_LIMIT,         /* too long, too deep */
    WPA_EXPR_FAULT_COUNT
} wpa_expr_fault;

typedef struct wpa_expr_parsed {
    const wpa_expr *root; /* NULL if there is a fault */
    wpa_expr_fault fault;
    wpa_span fault_span;        /* in the text that was parsed */
    const char *message;        /* NULL if it is fine */
    uint32_t kinds;             /* 1 << kind of every node, and perhaps of others */
    uint32_t contexts;          /* wpa_expr_context_bit of every context, and perhaps of others */
    struct wpa_expr_memo *memo; /* of wpa_expr_find_again, shared by all that share the tree */
} wpa_expr_parsed;

/** May there be a node of one of these kinds (1 << kind)? */
static inline bool wpa_expr_may_have(const wpa_expr_parsed *parsed, uint32_t kinds)
{
    return (parsed->kinds & kinds) != 0;
}

/** By the first letter of its name, in any case. */
static inline uint32_t wpa_expr_context_bit(const char *name)
{
    return UINT32_C(1) << (*name & 31);
}

/** May it refer to the context of this name? Most refer to one or two. */
static inline bool wpa_expr_may_refer(const wpa_expr_parsed *parsed, const char *context)
{
    return (parsed->contexts & wpa_expr_context_bit(context)) != 0;
}

/** Parse what stands between ${{ and }} (or a whole bare condition). Everything in the arena. */
wpa_expr_parsed wpa_expr_parse(const char *text, size_t length, wpa_arena *arena);

/** "E1" ... "E12", NULL for limits and for what is fine. */
const char *wpa_expr_fault_check(wpa_expr_fault fault);

/* ---- in scalars ---- */

/** One expression of a scalar. Spans of its tree count from inner.start of the decoded text. */
typedef struct wpa_expr_place {
    const wpa_yaml_node *node;
    wpa_span outer; /* in the decoded text: with ${{ and }} */
    wpa_span inner; /* in the decoded text: what was parsed */
    bool is_bare;   /* a condition without fence */
    wpa_expr_parsed parsed;
    wpa_yaml_places *in_file; /* of the scalar */
} wpa_expr_place;

/** Where "${{" stands first in text[length], at or behind from; NULL: nowhere. */
const char *wpa_expr_open(const char *text, size_t length, size_t from);
/**
 * Offset of the }} that ends the expression whose text begins at from; a }} inside a string does
 * not. A string without end must not swallow what follows: then the first }} will do, and the
 * parser tells of the string. SIZE_MAX: none.
 */
size_t wpa_expr_close(const char *text, size_t length, size_t from);
/** All expressions of a scalar, in order; one that is not closed is the last. */
wpa_expr_place *wpa_expr_find(const wpa_yaml_node *scalar, wpa_arena *arena, size_t *n);
/**
 * The same for a value of "if": without any fence the whole text is one expression.
 */
wpa_expr_place *wpa_expr_find_condition(const wpa_yaml_node *scalar, wpa_arena *arena, size_t *n);

#define WPA_EXPR_SLOTS 256

/**
 * What was parsed of a file, by its text: about half of all expressions stand in their file more
 * than once, and share one tree. Zeroed at first; as long as the arena of what is found.
 */
typedef struct wpa_expr_known {
    struct wpa_expr_known_text *texts; /* [n] */
    size_t n, capacity;
    uint32_t slots[WPA_EXPR_SLOTS]; /* the last text of each hash, from 1 on; 0: there is none */
} wpa_expr_known;

/** wpa_expr_find, or wpa_expr_find_condition, for all scalars of a file. */
wpa_expr_place *wpa_expr_find_again(const wpa_yaml_node *scalar, bool is_condition,
                                    wpa_expr_known *known, wpa_arena *arena, size_t *n);
/** Bytes of the file for a span of the tree. */
wpa_span wpa_expr_source_span(const wpa_expr_place *place, wpa_span in_tree);
/** The same of all of it, with ${{ and }}. */
wpa_span wpa_expr_outer_span(const wpa_expr_place *place);

/* ---- what it refers to ---- */

/** A chain of members as far as it goes: github.event.pull_request.title */
typedef struct wpa_expr_reference {
    const wpa_expr *node; /* the whole chain */
    const wpa_expr *name; /* its context */
    /* lower case, members by dots, "*" for all of them, "[]" where the index is computed */
    const char *path;
    bool is_computed; /* has an index that is not a literal */
} wpa_expr_reference;

/** Every reference in a tree, by position; NULL root gives none. */
wpa_expr_reference *wpa_expr_references(const wpa_expr *root, wpa_arena *arena, size_t *n);

typedef void (*wpa_expr_visitor)(const wpa_expr *node, const wpa_expr *parent, void *context);
/** Every node, parents first. */
void wpa_expr_walk(const wpa_expr *root, wpa_expr_visitor visit, void *context);

/* ---- folding ---- */

typedef enum wpa_expr_type {
    WPA_EXPR_IS_UNKNOWN,
    WPA_EXPR_IS_NULL,
    WPA_EXPR_IS_BOOL,
    WPA_EXPR_IS_NUMBER,
    WPA_EXPR_IS_STRING
} wpa_expr_type;

typedef enum wpa_expr_truth {
    WPA_EXPR_MAYBE,
    WPA_EXPR_FALSY,
    WPA_EXPR_TRUTHY
} wpa_expr_truth;

typedef struct wpa_expr_value {
    wpa_expr_type type;
    double number;        /* of NUMBER and BOOL */
    const char *text;     /* of STRING */
    wpa_expr_truth truth; /* may be known of an unknown value: x && false */
} wpa_expr_value;

/** What has been found out about a tree. Zeroed at first; filled by whoever finds it out. */
typedef struct wpa_expr_memo {
    const wpa_expr_reference *references; /* [n_references] */
    size_t n_references;
    bool has_references, has_truth;
    wpa_expr_truth truth; /* of it without any knowledge, once has_truth is set */
    size_t n_checked;     /* number of the place where it was checked last, from 1 on; 0: not yet */
    int reach;            /* what that check depended on: see the one who keeps it */
    const void *sound_in; /* where it is a condition that is neither always true nor always false */
    bool is_clear;        /* nothing in it is hidden by the way in which it is written */
    bool is_suspicious;   /* a comparison in it was not meant so at one of its places */
} wpa_expr_memo;

wpa_expr_value wpa_expr_null(void);
wpa_expr_value wpa_expr_bool(bool truth);
wpa_expr_value wpa_expr_number(double number);
/** text is borrowed. */
wpa_expr_value wpa_expr_string(const char *text);
wpa_expr_value wpa_expr_unknown(void);

/** Value of a reference by its path; false if it is not known. */
typedef bool (*wpa_expr_lookup)(const char *path, void *context, wpa_expr_value *value);

/** As far as it can be told; lookup may be NULL. Coerces and compares as GitHub does. */
wpa_expr_value wpa_expr_fold(const wpa_expr *root, wpa_expr_lookup lookup, void *context,
                             wpa_arena *arena);
/**
 * The same of a tree, or of a part of one, that is folded again and again: references[n] are those
 * of the whole tree, as wpa_expr_references tells them.
 */
wpa_expr_value wpa_expr_fold_again(const wpa_expr *part, const wpa_expr_reference *references,
                                   size_t n, wpa_expr_lookup lookup, void *context,
                                   wpa_arena *arena);
/** The truth of all of it, whatever it refers to; found once for all that share the tree. */
wpa_expr_truth wpa_expr_truth_of(const wpa_expr_parsed *parsed);
/** As GitHub puts it into text: null is empty, 1.0 is 1; NULL if unknown. */
const char *wpa_expr_value_text(const wpa_expr_value *value, wpa_arena *arena);
/** As GitHub reads text as a number: "" is 0, "0x1F" 31, "x" NaN. */
double wpa_expr_text_number(const char *text);
