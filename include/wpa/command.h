/*
 * What the console asks of the other side. A command is made by the console, given away with
 * wpa_console_port.submit, and answered in the inbox under its request_id.
 *
 * Kinds that change something say whose action (wpa_action) they need; the other side checks it
 * (wpa_actor_check) whatever the console believes, and the console greys the key out by
 * wpa_session_view.may. WATCH_LIST and WATCH_OBJECT are answered by WPA_FEED_LIST and
 * WPA_FEED_DETAIL (an error by WPA_FEED_REPLY); all others by exactly one WPA_FEED_REPLY.
 */
#pragma once

#include <wpa/filter.h>

#define WPA_SECRET_MAX_BYTES 1024

typedef enum wpa_command_kind {
    /* session */
    WPA_COMMAND_FIRST_GUARDIAN, /* name, secret: create the first one and sign in as him */
    WPA_COMMAND_SIGN_IN,        /* name, secret; text: one-time code, if one is wanted */
    WPA_COMMAND_SIGN_IN_READ_ONLY,
    WPA_COMMAND_SIGN_IN_BROWSER, /* by a browser elsewhere; text "stop": no more */
    WPA_COMMAND_SIGN_OUT,        /* lock: the session view that follows says SIGNED_OUT */

    /* looking */
    WPA_COMMAND_WATCH_LIST,   /* query: replaces the watch of the same list; limits 0: ends it */
    WPA_COMMAND_WATCH_OBJECT, /* object: replaces the watched object; none: ends it */
    WPA_COMMAND_REFRESH,      /* read everything watched again now; when lost: try now */
    WPA_COMMAND_FIND,         /* text: "w-88", "ledger-api/ci.yml", "ledger-api-ci" -> object */
    WPA_COMMAND_VERIFY_AUDIT, /* recompute the chain; the reply's text tells the outcome */

    /* workflows and findings */
    WPA_COMMAND_ANALYSE,      /* object: a workflow; none: the whole fleet */
    WPA_COMMAND_IGNORE,       /* objects: findings; text: reason; until_us */
    WPA_COMMAND_UNIGNORE,     /* objects */
    WPA_COMMAND_COMMENT,      /* object: finding or patch; text */
    WPA_COMMAND_CREATE_PATCH, /* objects: findings of fixable rules; reply.object: the patch */

    /* patches */
    WPA_COMMAND_TEST,      /* object: patch */
    WPA_COMMAND_STOP_TEST, /* object: patch that is testing */
    WPA_COMMAND_APPROVE,   /* object: patch */
    WPA_COMMAND_WITHDRAW,  /* object: patch; withdraw the approval */
    WPA_COMMAND_REJECT,    /* object: patch; text: reason */
    WPA_COMMAND_WAIVE,     /* object: patch; name: check id; text: reason; until_us */
    WPA_COMMAND_DEPLOY,    /* object: patch; digest: the plan that was shown; -> deployment */

    /* deployments */
    WPA_COMMAND_HOLD,             /* object: deployment */
    WPA_COMMAND_RESUME,           /* object: deployment */
    WPA_COMMAND_PROMOTE,          /* object: deployment; text: reason */
    WPA_COMMAND_CONCLUDE,         /* object: deployment; text: reason; "conclude as is" */
    WPA_COMMAND_ABORT,            /* object: deployment that is planned */
    WPA_COMMAND_ROLL_BACK,        /* object: deployment; delay_ms: window, 0 = at once; text */
    WPA_COMMAND_ROLL_BACK_NOW,    /* object: deployment with an open window */
    WPA_COMMAND_CANCEL_ROLL_BACK, /* object: deployment with an open window */

    /* the rest */
    WPA_COMMAND_ACKNOWLEDGE,       /* object: notice */
    WPA_COMMAND_READ_NOTICE,       /* object: notice; none: all */
    WPA_COMMAND_CANCEL_JOB,        /* object: job */
    WPA_COMMAND_TEST_DESTINATION,  /* object: destination; a notice says what was answered */
    WPA_COMMAND_RETRY_DESTINATION, /* object: destination; what was given up */
    WPA_COMMAND_PLACE,   /* text: what this Guardian looks at or decides, for the others */
    WPA_COMMAND_REFUSED, /* a key that the role may not use was pressed: for the audit log;
                            text: what, object: on what */
    WPA_COMMAND_COUNT
} wpa_command_kind;

/**
 * A window of a list: rows around a row, or from one of the ends.
 *
 * cursor NULL and not from_end: the first n_after + 1 rows. cursor NULL and from_end: the last
 * n_before + 1. Else up to n_before rows before the cursor's row, that row (or where it would be,
 * if it is gone), and up to n_after behind it. Limits: 1,000 each. Both 0: the watch ends.
 */
typedef struct wpa_list_query {
    wpa_list list;
    const wpa_filter_term *terms;
    size_t n_terms;
    wpa_object scope; /* only what belongs to this workflow; none: the whole fleet */
    wpa_sort sort;
    bool is_descending; /* the other way round than the sort's own order */
    const char *cursor; /* from a row of the same list, sort and filter; NULL: an end */
    bool from_end;
    uint32_t n_before, n_after;
} wpa_list_query;

typedef struct wpa_command {
    wpa_command_kind kind;
    uint64_t request_id; /* chosen by the console, never 0, ascending */
    wpa_arena *arena;    /* owns all texts and arrays; freed by wpa_command_free */
    wpa_object object;
    const wpa_object *objects;
    size_t n_objects;
    bool is_matching;   /* IGNORE, CREATE_PATCH: all that match query, objects are left out */
    int64_t n_expected; /* with it: how many these are; refused if they are not */
    const char *name, *text, *digest; /* NULL where the kind has none */
    int64_t until_us, delay_ms;
    wpa_list_query query;
    const char *key; /* key or command that caused it, for the audit log; may be NULL */
    uint64_t frame;  /* number of the painted frame in which it was pressed */
    size_t secret_bytes;
    char secret[WPA_SECRET_MAX_BYTES]; /* passphrase, not terminated; wiped by wpa_command_free */
} wpa_command;

typedef struct wpa_reply_view {
    uint64_t request_id;
    wpa_command_kind kind;
    wpa_error error;   /* code WPA_OK: done */
    wpa_object object; /* what it made or found; may be none */
    const char *text;  /* a sentence for the message line ("p-7 queued for test"); NULL: none */
} wpa_reply_view;

/** A new command with an arena of its own. Never NULL. */
wpa_command *wpa_command_new(wpa_command_kind kind);
/** Wipes the secret and frees everything. NULL is fine. */
void wpa_command_free(wpa_command *command);
WPA_DEFINE_AUTO(wpa_command, wpa_command_free);

/** "sign in", "deploy": what it is called in a message. */
const char *wpa_command_name(wpa_command_kind kind);
/** The action it needs, as wpa_actor_check knows it; WPA_ACTION_READ for looking. */
wpa_action wpa_command_action(wpa_command_kind kind);
