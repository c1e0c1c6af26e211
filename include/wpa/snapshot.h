/*
 * What the console is shown: immutable views that the data thread makes out of the database and
 * sends to the console's inbox, one wpa_msg each. The kind of the message says which struct its
 * body is; everything the body points to lives in the arena of the message.
 *
 * For all of them:
 * - *_us is a time in microseconds since 1970 UTC by the DATABASE's clock, 0 = never or not yet.
 *   wpa_link_view tells the difference to this host's clock, so that the console ticks by itself:
 *   nothing has to be sent again only because time has passed.
 * - *_ms is a duration. Counts, durations and scores that are not known or were not measured are
 *   negative (WPA_UNKNOWN) and shown as "-"; 0 always means a measured or counted zero.
 * - Text is NUL-terminated UTF-8 just as the world wrote it: the console makes hidden characters
 *   visible, the sender does not. A text that may be missing says so: NULL then.
 * - Arrays come with their count in n_<name>; an empty one may be NULL.
 */
#pragma once

#include <wpa/snapshot_details.h>
#include <wpa/snapshot_rows.h>

/* ---- messages ----------------------------------------------------------------------------- */

typedef enum wpa_feed_kind {
    WPA_FEED_LINK = 1,  /* wpa_link_view: at once when it changes; also on request */
    WPA_FEED_START,     /* wpa_start_view: while the database is being started */
    WPA_FEED_SESSION,   /* wpa_session_view: first message after start, then when it changes */
    WPA_FEED_DASHBOARD, /* wpa_dashboard_view: after sign-in, then when anything in it changed */
    WPA_FEED_LIST,      /* wpa_list_view: answers WPA_COMMAND_WATCH_LIST, then on change */
    WPA_FEED_DETAIL,    /* wpa_detail_view: answers WPA_COMMAND_WATCH_OBJECT, then on change */
    WPA_FEED_REPLY,     /* wpa_reply_view (command.h): exactly one for each other command */
    WPA_FEED_NOTICE,    /* wpa_notice_row: new since sign-in; the message line, strip or bell */
} wpa_feed_kind;

typedef enum wpa_link_state {
    WPA_LINK_STARTING, /* not connected yet; wpa_start_view may tell more */
    WPA_LINK_LIVE,     /* connected and listening */
    WPA_LINK_LOST      /* was live; what is on the screen is from lost_at_us */
} wpa_link_state;

typedef struct wpa_link_view {
    wpa_link_state state;
    int64_t clock_offset_us; /* database's clock minus this host's */
    int64_t lost_at_us;      /* LOST: when it was last known to be live */
    int64_t next_try_us;     /* LOST: when it tries again; 0 while it is trying */
    int attempt;             /* LOST: tries so far */
    const char *reason;      /* LOST, or STARTING that failed: why; else NULL */
    const char *database;    /* "PostgreSQL 15.20, embedded"; NULL before the first connection */
    double latency_ms;       /* of the last query; negative: none yet */
} wpa_link_view;

/** One step of a first start ("create the cluster", "start the server", "migrate 0003"). */
typedef struct wpa_start_step {
    const char *name;
    bool is_running, is_done, is_failed;
    const char *note; /* "3 of 9", a reason; may be NULL */
} wpa_start_step;

typedef struct wpa_start_view {
    const char *title; /* "First start: making a database of its own in ~/.local/state/wpa" */
    const wpa_start_step *steps;
    size_t n_steps;
} wpa_start_view;

typedef enum wpa_session_state {
    WPA_SESSION_FIRST_GUARDIAN, /* no guardian exists: the form asks to create one */
    WPA_SESSION_SIGNED_OUT,     /* the sign-in form */
    WPA_SESSION_SIGNED_IN,
} wpa_session_state;

typedef struct wpa_session_view {
    wpa_session_state state;
    const char *fleet;          /* name of the fleet, for the top bar */
    const char *host;           /* this host's name */
    const char *user;           /* operating-system account: fills in the name; may be NULL */
    const char *name;           /* SIGNED_IN: the guardian's or viewer's */
    wpa_role role;              /* SIGNED_IN */
    bool is_read_only;          /* SIGNED_IN by Read-only, --read-only, or as a viewer */
    bool can_read_only;         /* SIGNED_OUT: the form offers [ Read-only ] */
    bool may[WPA_ACTION_COUNT]; /* SIGNED_IN: what the role allows (wpa_actor_check) */
    int64_t try_again_us;       /* SIGNED_OUT: wrong passphrases slow down: not before; 0 = now */
    bool needs_code;            /* SIGNED_OUT: all was right, and a one-time code is wanted too */
    bool can_browse;            /* SIGNED_OUT: a browser elsewhere can sign in (OpenID Connect) */
    const char *browser_url;    /* SIGNED_OUT, while that is waited for: open this ... */
    const char *browser_code;   /* ... and type that; NULL otherwise */
    const char *refusal;        /* SIGNED_OUT: why that ended; may be NULL */
    int tries_left;             /* SIGNED_OUT: before the next pause; negative: not told */
    int64_t rollback_delay_ms;  /* length of the window after R: policy, 0 to 10,000 */
} wpa_session_view;

/* ---- dashboard ---------------------------------------------------------------------------- */

typedef struct wpa_engine_view {
    int n_workers, n_busy;     /* of all agents that are alive */
    int64_t n_queued;          /* jobs ready or waiting */
    double database_ms;        /* of the last query; negative unknown */
    double notify_lag_ms;      /* negative unknown */
    const char *const *agents; /* names of agents that are alive */
    size_t n_agents;
} wpa_engine_view;

/** Everything the dashboard, the top bar and the alarm strip show; also feeds wpa wall. */
typedef struct wpa_dashboard_view {
    int64_t taken_at_us;
    int64_t n_workflows, n_repositories;
    wpa_scores scores;
    double change_24h;
    const double *history; /* overall, one a day, oldest first, at most 90; negative no data */
    size_t n_history;
    const wpa_workflow_row *worst; /* worst first, at most 60 */
    size_t n_worst;
    wpa_finding_summary findings;
    int64_t patches[WPA_PATCH_STATE_COUNT];
    const wpa_patch_row *testing; /* patches being tested, latest first, at most 20 */
    size_t n_testing;
    const wpa_deployment_row *live; /* not ended (planned to stuck), worst first, at most 20 */
    size_t n_live;
    const wpa_needs_row *needs; /* at most 40 */
    size_t n_needs;
    int64_t n_needs_all;
    const wpa_activity_row *activity; /* newest first, at most 40 */
    size_t n_activity;
    const wpa_job_row *jobs; /* running, then waiting, at most 20 */
    size_t n_jobs;
    int64_t n_jobs_running, n_jobs_waiting;
    const wpa_notice_row *alarms; /* not acknowledged, newest first, at most 8 */
    size_t n_alarms;
    int64_t n_notices_unread;
    const wpa_deployment_row *last_rollback; /* latest rolled_back; NULL none */
    wpa_engine_view engine;
    const wpa_person_row *people; /* seen of late, the latest first, at most 40 */
    size_t n_people;
} wpa_dashboard_view;

/* ---- lists -------------------------------------------------------------------------------- */

typedef enum wpa_list {
    WPA_LIST_WORKFLOWS,
    WPA_LIST_FINDINGS,
    WPA_LIST_PATCHES,
    WPA_LIST_DEPLOYMENTS,
    WPA_LIST_AUDIT,
    WPA_LIST_NOTICES,
    WPA_LIST_JOBS,
    WPA_LIST_RUNS,
    WPA_LIST_DESTINATIONS,
    WPA_LIST_COUNT
} wpa_list;

/** WPA_SORT_DEFAULT is the first of each list; a list may not know all others. */
typedef enum wpa_sort {
    WPA_SORT_DEFAULT, /* workflows: score, worst first; findings: severity; patches: attention
                         (tested, failed, testing, approved, pending, deployed, rolled_back, and
                         newest first in each); deployments: live first, then newest; audit,
                         notices, runs: newest; jobs: running, waiting, newest */
    WPA_SORT_NAME,
    WPA_SORT_AGE, /* newest first */
    WPA_SORT_STATE,
    WPA_SORT_SEVERITY,
    WPA_SORT_SCORE,
    WPA_SORT_FINDINGS,
    WPA_SORT_COUNT
} wpa_sort;

/** As the database and the files that the console keeps name them. */
extern const char *const wpa_list_words[WPA_LIST_COUNT];
extern const char *const wpa_sort_words[WPA_SORT_COUNT];

/** How many rows a filter would let through without one of its terms. */
typedef struct wpa_without {
    const char *term; /* "wf:" "!rule:" "cache" */
    int64_t n_matching;
} wpa_without;

typedef struct wpa_list_view {
    uint64_t request_id; /* of the WATCH_LIST it answers, also in later refreshes */
    wpa_list list;
    union {
        const void *rows; /* [n_rows] of the list's row struct, in the order to show */
        const wpa_workflow_row *workflows;
        const wpa_finding_row *findings;
        const wpa_patch_row *patches;
        const wpa_deployment_row *deployments;
        const wpa_audit_row *audit;
        const wpa_notice_row *notices;
        const wpa_job_row *jobs;
        const wpa_run_row *runs;
        const wpa_destination_row *destinations;
    };
    size_t n_rows;
    int64_t position;           /* place of rows[0] among the matching, from 0; negative unknown */
    int64_t n_matching;         /* negative: not counted yet */
    int64_t n_all;              /* without the filter; negative: not counted yet */
    bool is_at_least;           /* n_matching is a lower bound so far: ">=84" */
    bool has_before, has_after; /* more rows outside the window */
    wpa_sort sort;              /* as it is sorted, which may not be what was asked */
    bool is_descending;
    const char *ignored;        /* filter terms that were not understood; NULL none */
    const wpa_without *without; /* of several terms each that keeps rows out: if nothing matches,
                                   else once, behind the rows, if it is told soon */
    size_t n_without;
    int64_t took_us;
    /* AUDIT only */
    int64_t chain_verified_to_us; /* last verification found it sound up to then; 0 = never */
    int64_t chain_rows;           /* rows that verification checked */
    const char *chain_fault;      /* what it found wrong; NULL sound or never verified */
} wpa_list_view;
