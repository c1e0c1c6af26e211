/*
 * Keys and what they mean. A verb is what can be asked for; bindings give it keys; help, hints, the
 * command palette and console.yaml all walk the same two tables.
 */
#pragma once

#include <wpa/actor.h>
#include <wpa/yaml.h>

#include "term/keys.h"

typedef enum wpa_verb {
    WPA_VERB_NONE,
    WPA_VERB_DOWN,
    WPA_VERB_UP,
    WPA_VERB_LEFT,
    WPA_VERB_RIGHT,
    WPA_VERB_HALF_DOWN,
    WPA_VERB_HALF_UP,
    WPA_VERB_PAGE_DOWN,
    WPA_VERB_PAGE_UP,
    WPA_VERB_FIRST,
    WPA_VERB_LAST,
    WPA_VERB_NEXT_PANE,
    WPA_VERB_PREVIOUS_PANE,
    WPA_VERB_VIEW_1,
    WPA_VERB_VIEW_2,
    WPA_VERB_VIEW_3,
    WPA_VERB_VIEW_4,
    WPA_VERB_VIEW_5,
    WPA_VERB_VIEW_6,
    WPA_VERB_VIEW_7,
    WPA_VERB_VIEW_8,
    WPA_VERB_OPEN,
    WPA_VERB_BACK,
    WPA_VERB_PREVIOUS_SIBLING,
    WPA_VERB_NEXT_SIBLING,
    WPA_VERB_PREVIOUS_PLACE,
    WPA_VERB_NEXT_PLACE,
    WPA_VERB_FILTER,
    WPA_VERB_NEXT_MATCH,
    WPA_VERB_PREVIOUS_MATCH,
    WPA_VERB_COMMAND,
    WPA_VERB_HELP,
    WPA_VERB_MARK,
    WPA_VERB_MARK_ALL,
    WPA_VERB_SORT,
    WPA_VERB_SORT_TURN,
    WPA_VERB_MORE,
    WPA_VERB_LESS,
    WPA_VERB_TABLE,
    WPA_VERB_ZOOM,
    WPA_VERB_SCOPE,
    WPA_VERB_FREEZE,
    WPA_VERB_DIFF,
    WPA_VERB_LOG,
    WPA_VERB_PATCH,
    WPA_VERB_ANALYSE,
    WPA_VERB_TEST,
    WPA_VERB_IGNORE,
    WPA_VERB_COMMENT,
    WPA_VERB_COPY,
    WPA_VERB_COPY_ROW,
    WPA_VERB_REFRESH,
    WPA_VERB_THEME,
    WPA_VERB_MOUSE,
    WPA_VERB_NOTICES,
    WPA_VERB_JOBS,
    WPA_VERB_DESTINATIONS,
    WPA_VERB_RETRY,
    WPA_VERB_WRAP,
    WPA_VERB_WHITESPACE,
    WPA_VERB_SIDE_BY_SIDE,
    WPA_VERB_APPROVE,
    WPA_VERB_DEPLOY,
    WPA_VERB_HOLD,
    WPA_VERB_ROLL_BACK,
    WPA_VERB_REJECT,
    WPA_VERB_ACKNOWLEDGE,
    WPA_VERB_QUIT,
    WPA_VERB_REPAINT,
    WPA_VERB_INTERRUPT,
    WPA_VERB_SUSPEND,
    WPA_VERB_NOT_REFRESH, /* r: says what R and Ctrl-R are */
    WPA_VERB_COUNT
} wpa_verb;

/** Where a verb means something. A view says which of these it is in at the moment. */
enum {
    WPA_IN_LIST = 1,
    WPA_IN_DETAIL = 2, /* scrolls, has siblings */
    WPA_IN_PANES = 4,  /* more than one pane */
    WPA_IN_SOURCE = 8, /* places or hunks */
    WPA_IN_DIFF = 16,
    WPA_ON_WORKFLOW = 32,
    WPA_ON_FINDING = 64,
    WPA_ON_PATCH = 128,
    WPA_ON_DEPLOYMENT = 256,
    WPA_ON_JOB = 512,
    WPA_ON_NOTICE = 1024,
    WPA_ON_OBJECT = 2048, /* something is selected, whatever it is */
    WPA_ANYWHERE = 4096,
    WPA_ON_DESTINATION = 8192,
    WPA_IN_MAP = 16384,
};

typedef enum wpa_verb_group {
    WPA_GROUP_MOVE,
    WPA_GROUP_ACT,
    WPA_GROUP_EVERYWHERE
} wpa_verb_group;

typedef struct wpa_verb_info {
    const char *name; /* "roll-back": in console.yaml and the palette */
    const char *hint; /* "roll back": in the hint line */
    const char *help; /* in help: what it does, in words */
    wpa_verb_group group;
    unsigned contexts; /* any of them */
    bool is_changing;  /* changes the fleet: wants a lone key press */
    wpa_action action; /* what the role must allow; WPA_ACTION_READ for looking */
} wpa_verb_info;

const wpa_verb_info *wpa_verb_info_of(wpa_verb verb);
/** Its word in the hint line where these contexts hold: what rejects a patch stops a job. */
const char *wpa_verb_hint(wpa_verb verb, unsigned contexts);
/** "roll-back"; WPA_VERB_NONE if there is none of this name. */
wpa_verb wpa_verb_named(const char *name);

#define WPA_BINDINGS_MAX 256

typedef struct wpa_binding {
    wpa_key key;
    wpa_verb verb;
} wpa_binding;

typedef struct wpa_keymap {
    wpa_binding bindings[WPA_BINDINGS_MAX];
    size_t n;
} wpa_keymap;

/** The built-in map. */
void wpa_keymap_init(wpa_keymap *map);
/**
 * Change keys as the mapping "keys:" of console.yaml says: verb name to a key or a list of keys.
 *
 * Errors  WPA_E_INVALID with line and column: unknown verb or key, a key that is never bound, two
 *         verbs on one key in one context, a changing verb on a lower-case letter. The map is
 *         unchanged then.
 */
bool wpa_keymap_apply(wpa_keymap *map, const wpa_yaml_node *keys, wpa_error *err) WPA_CHECK;
/** What this key means where any of contexts holds; WPA_VERB_NONE. */
wpa_verb wpa_keymap_find(const wpa_keymap *map, const wpa_key *key, unsigned contexts);
/** First key of a verb as text, "" if it has none. */
char *wpa_keymap_key(const wpa_keymap *map, wpa_verb verb, char *text, size_t size_bytes);
/** All keys of a verb, blanks between. */
char *wpa_keymap_keys(const wpa_keymap *map, wpa_verb verb, char *text, size_t size_bytes);
