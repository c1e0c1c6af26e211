/* Shared by condition.c and condition_parse.c alone: the tree of a condition. */
#pragma once

#include "probe/condition.h"

#define WPA_CONDITION_MAX_DEPTH 50

typedef enum wpa_condition_kind {
    WPA_CONDITION_NUMBER,
    WPA_CONDITION_TEXT,
    WPA_CONDITION_TRUTH,
    WPA_CONDITION_NAME,
    WPA_CONDITION_JSON,
    WPA_CONDITION_DELTA,
    WPA_CONDITION_RATIO,
    WPA_CONDITION_LEN,
    WPA_CONDITION_ISNAN,
    WPA_CONDITION_ABS,
    WPA_CONDITION_NOT,
    WPA_CONDITION_MINUS,
    WPA_CONDITION_AND,
    WPA_CONDITION_OR,
    WPA_CONDITION_LESS,
    WPA_CONDITION_LESS_EQUAL,
    WPA_CONDITION_GREATER,
    WPA_CONDITION_GREATER_EQUAL,
    WPA_CONDITION_EQUAL,
    WPA_CONDITION_NOT_EQUAL
} wpa_condition_kind;

typedef struct wpa_condition_node {
    wpa_condition_kind kind;
    double number;     /* of a number; 1 for true */
    const char *text;  /* of a text, a name, a path */
    size_t start, end; /* in the source */
    struct wpa_condition_node *left, *right;
} wpa_condition_node;

struct wpa_condition {
    const char *source;
    const wpa_condition_node *root;
};
