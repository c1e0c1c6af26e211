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

#include <stdint.h>

#include <wpa/actor.h>
#include <wpa/finding.h>
#include <wpa/queue.h>
#include <wpa/words.h>

#define WPA_UNKNOWN (-1)

/* ---- ids ---------------------------------------------------------------------------------- */

/** The letter of the short id; the value is that letter: w-88 f-12 p-3 d-4 j-5 r-6. */
typedef enum wpa_object_kind {
    WPA_OBJECT_NONE = 0,
    WPA_OBJECT_WORKFLOW = 'w',
    WPA_OBJECT_FINDING = 'f',
    WPA_OBJECT_PATCH = 'p',
    WPA_OBJECT_DEPLOYMENT = 'd',
    WPA_OBJECT_JOB = 'j',
    WPA_OBJECT_RUN = 'r',
    WPA_OBJECT_NOTICE = 'n', /* only inside the console */
    WPA_OBJECT_AUDIT = 'a',  /* id = seq; only inside the console */
    WPA_OBJECT_DESTINATION = 'o',
} wpa_object_kind;

/** Names one thing of the fleet; {WPA_OBJECT_NONE, 0} is no thing. */
typedef struct wpa_object {
    wpa_object_kind kind;
    int64_t id;
} wpa_object;

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

/* ---- scores and counts -------------------------------------------------------------------- */

/** 0 to 100, higher is better; negative: no data (nothing analysed, no runs). */
typedef struct wpa_scores {
    double overall; /* capped, as shown */
    double dimension[WPA_DIMENSION_COUNT];
    double runs; /* run history */
} wpa_scores;

/** A column of counts: one for each severity, and one for kind opportunity of any severity. */
#define WPA_TALLY_OPPORTUNITY WPA_SEVERITY_COUNT
#define WPA_TALLY_COUNT (WPA_SEVERITY_COUNT + 1)

typedef struct wpa_finding_summary {
    int64_t open[WPA_DIMENSION_COUNT][WPA_TALLY_COUNT]; /* open, in_patch and verifying */
    int64_t newest_us[WPA_DIMENSION_COUNT];             /* first_seen of the newest; 0 none */
    int64_t opened_24h[WPA_DIMENSION_COUNT], fixed_24h[WPA_DIMENSION_COUNT];
    int64_t week[WPA_DIMENSION_COUNT][14]; /* opened per half day, oldest first; negative unknown */
    int64_t n_open, n_ignored, n_fixed_30d;
    int64_t n_analysed; /* workflows that were analysed at least once */
} wpa_finding_summary;

/* ---- rows --------------------------------------------------------------------------------- */

typedef enum wpa_run_result {
    WPA_RUN_FAILED,
    WPA_RUN_STOPPED, /* cancelled or skipped */
    WPA_RUN_OK,
} wpa_run_result;

typedef struct wpa_workflow_row {
    int64_t id;
    const char *name;       /* "ledger-api/ci.yml" */
    const char *repository; /* "ledger-api" */
    wpa_scores scores;
    double change_24h;   /* overall now minus then; 0 if unknown */
    int64_t n_findings;  /* open */
    const uint8_t *runs; /* latest runs as wpa_run_result, oldest first, at most 30 */
    size_t n_runs;
    int64_t p95_ms;         /* duration of its runs; negative unknown */
    double runs_per_day;    /* negative unknown */
    int64_t analysed_at_us; /* 0: never */
    const char *error;      /* why it could not be read or analysed; NULL: fine */
    const char *cursor;
} wpa_workflow_row;

typedef struct wpa_finding_row {
    int64_t id;
    wpa_severity severity;
    wpa_kind kind; /* WPA_KIND_OPPORTUNITY is shown as OPP whatever the severity */
    wpa_confidence confidence;
    wpa_dimension dimension;
    wpa_finding_state state;
    const char *code;     /* "SEC-014" */
    const char *rule;     /* "template-injection" */
    const char *workflow; /* "web/release.yml": for a definition, repository/path */
    int64_t workflow_id;
    int line;
    const char *message;
    bool has_fix;
    int64_t patch_id; /* the patch that answers it; 0 none */
    int64_t first_seen_us;
    const char *cursor;
} wpa_finding_row;

/** What has become of one of the four test phases. */
typedef enum wpa_suite_state {
    WPA_SUITE_NOT_RUN, /* never started: no test yet, or an earlier phase failed */
    WPA_SUITE_WAITING, /* its turn comes in the test that is running or queued */
    WPA_SUITE_RUNNING,
    WPA_SUITE_PASSED,
    WPA_SUITE_FAILED,
    WPA_SUITE_ERROR,
} wpa_suite_state;

typedef struct wpa_patch_row {
    int64_t id;
    wpa_patch_state state;
    const char *reason; /* of failed: "test_failed"; else NULL */
    const char *name;
    const char *version; /* semantic version of the patch, "1.0.0" */
    wpa_patch_type type;
    wpa_severity severity;
    int64_t n_workflows, n_repositories;
    wpa_suite_state suites[WPA_PHASE_COUNT];
    int64_t n_checks_done, n_checks; /* of the test that is running; negative unknown */
    const char *author;              /* "agent", or a guardian's name */
    int64_t created_at_us, updated_at_us;
    int64_t deployment_id; /* its latest deployment; 0 none */
    bool is_live;          /* that deployment has not ended, or can still be rolled back */
    int stage, n_stages;   /* while under rollout: "approved 2/4"; else 0 */
    const char *cursor;
} wpa_patch_row;

/** A health check as the console shows it, at one moment. */
typedef enum wpa_check_state {
    WPA_CHECK_NONE, /* no data yet */
    WPA_CHECK_OK,
    WPA_CHECK_NEAR, /* within 10 % of the limit */
    WPA_CHECK_OVER,
} wpa_check_state;

typedef struct wpa_check_row {
    const char *name, *kind; /* "api answers", "http" */
    int stage;               /* stage it belongs to, from 1 */
    wpa_check_state state;
    const char *now, *baseline, *limit; /* "98.7 %", "0.4 s", ">= 97.0 %"; NULL = "-" */
    double meter, meter_limit; /* 0 to 1 of the meter's width; meter_limit negative: no meter */
    int hits, hit_limit;       /* "0/3" */
    int64_t n_measured;        /* measurements so far */
    int64_t interval_ms;
    int64_t next_at_us;  /* next measurement; 0: none due */
    const char *message; /* of the last measurement; may be NULL */
} wpa_check_row;

typedef struct wpa_deployment_row {
    int64_t id;
    int64_t patch_id;
    const char *patch; /* name of the patch */
    wpa_deployment_state state;
    const char *reason;  /* of paused, aborted, rolling_back, rolled_back, stuck; else NULL */
    int stage, n_stages; /* current one, from 1; 0 before the first */
    wpa_stage_state stage_state;    /* of the current one */
    const char *stage_label;        /* "canary", "25 %" */
    int64_t n_done, n_total;        /* workflows switched, and in this stage and those before */
    int64_t bake_until_us, bake_ms; /* of the current stage: until_us 0 = not baking yet */
    int64_t bake_left_ms;           /* while paused: what is left; negative otherwise */
    int n_checks_ok, n_checks;      /* of the current stage */
    const wpa_check_row *nearest;   /* check nearest its limit; NULL none */
    int64_t downtime_ms;            /* measured; negative: not measured */
    int64_t n_probes;               /* behind downtime_ms */
    const char *started_by;
    int64_t started_at_us, ended_at_us;
    int64_t updated_at_us;
    bool can_roll_back;      /* R applies: live, or deployed and its claims can be had again */
    int64_t n_switched;      /* workflows switched now: a rollback (still) returns them */
    const char *back_to;     /* first 7 hex digits of the before blobs' digest; may be NULL */
    int64_t rollback_at_us;  /* rollback window is open until then; 0 = no window */
    const char *rollback_by; /* who opened it; NULL = nobody */
    bool is_automatic;       /* rolling_back, rolled_back: no person ordered it */
    int64_t n_back;          /* rolling_back, rolled_back: workflows back so far */
    const char *cursor;
} wpa_deployment_row;

typedef struct wpa_job_row {
    int64_t id;
    wpa_job_state state;
    const char *kind;        /* "analyse", "test", "deploy" */
    const char *what;        /* "analyse 412 workflows", "test p-2211  safety" */
    wpa_object subject;      /* what Enter opens; may be none */
    int64_t n_done, n_total; /* negative unknown */
    int64_t started_at_us;   /* of this attempt; 0 waiting */
    int64_t run_after_us;    /* waiting: not before */
    int64_t finished_at_us;
    int attempt, max_attempts;
    const char *owner; /* agent that has it; NULL waiting */
    const char *error; /* of the last attempt; NULL none */
    const char *cursor;
} wpa_job_row;

/** Sorted by harm by the sender. */
typedef struct wpa_needs_row {
    wpa_object object; /* what Enter opens */
    const char *verb;  /* "alarm" "triage" "decide" "approve" "review" */
    const char *text;  /* "CRIT untrusted input in web/release.yml" */
    const char *state; /* word of the object's state */
    int64_t since_us;
    const char *who; /* who has it; NULL nobody */
} wpa_needs_row;

typedef struct wpa_activity_row {
    int64_t at_us;
    const char *who; /* "engine" or a name */
    const char *text;
    wpa_object object; /* may be none */
} wpa_activity_row;

typedef struct wpa_notice_row {
    int64_t id;
    int64_t at_us;
    wpa_notice_level level;
    const char *text;  /* "d-1042 rolled back automatically: success rate" */
    wpa_object object; /* what Enter goes to; may be none */
    bool is_read;
    bool is_acknowledged; /* alarm: its strip is gone */
    int count;            /* identical ones joined, at least 1 */
    const char *cursor;
} wpa_notice_row;

/** Where notices go. */
typedef struct wpa_destination_row {
    int64_t id;
    const char *name, *channel;
    const char *state; /* "on", "off", "failing" */
    const char *what;  /* events, and from which severity on */
    int64_t n_waiting, n_dead;
    int64_t last_sent_at_us; /* 0 = never */
    const char *error;       /* while it fails; NULL none */
    const char *cursor;
} wpa_destination_row;

typedef struct wpa_audit_row {
    int64_t seq;
    int64_t at_us;
    const char *who;         /* name of the principal */
    const char *address;     /* NULL = "-" */
    const char *action;      /* "patch.approved" */
    const char *text;        /* the same in words: "patch approved"; NULL: action is shown */
    const char *subject;     /* as stored, "patch:12" */
    wpa_object object;       /* what the subject is; may be none */
    const char *detail;      /* canonical JSON as stored */
    const char *hash, *prev; /* hex */
    const char *cursor;
} wpa_audit_row;

typedef struct wpa_run_row {
    int64_t id;
    const char *workflow;
    wpa_run_result result;
    const char *ended_by; /* job and step that ended it; NULL */
    const char *commit;
    int64_t took_ms, queue_ms;
    int64_t started_at_us;
    const char *cursor;
} wpa_run_row;

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
    const char *ignored; /* filter terms that were not understood; NULL none */
    int64_t took_us;
    /* AUDIT only */
    int64_t chain_verified_to_us; /* last verification found it sound up to then; 0 = never */
    int64_t chain_rows;           /* rows that verification checked */
    const char *chain_fault;      /* what it found wrong; NULL sound or never verified */
} wpa_list_view;

/* ---- details ------------------------------------------------------------------------------ */

typedef struct wpa_comment_row {
    int64_t at_us;
    const char *who, *text;
} wpa_comment_row;

/** One line of the score's explanation; the points add up to 100 - uncapped score. */
typedef struct wpa_score_line {
    const char *text;
    double points;     /* lost */
    wpa_object object; /* finding, or the patch that wins them back; may be none */
} wpa_score_line;

/** Something that uses, or is used by, this workflow. */
typedef struct wpa_use_row {
    const char *name;  /* "actions/checkout v4", "web/release.yml" */
    const char *note;  /* "not pinned", "as job build"; NULL none */
    int line;          /* where the user names it; 0 unknown */
    wpa_object object; /* workflow of the fleet; none for the outside world */
} wpa_use_row;

typedef struct wpa_workflow_detail {
    wpa_workflow_row row;
    const char *url, *branch, *path, *commit; /* commit NULL: none */
    int n_jobs;                               /* negative unknown */
    double uncapped;                          /* overall before caps; negative no data */
    const char *cap;                          /* why it is capped; NULL not capped */
    int n_parts;                              /* "based on n of 6 parts" */
    int64_t tally[WPA_TALLY_COUNT];           /* open findings */
    const wpa_score_line *lines;              /* dearest first */
    size_t n_lines;
    const wpa_finding_row *findings; /* open, worst first, at most 100 */
    size_t n_findings;
    const wpa_patch_row *patches; /* newest first, at most 20 */
    size_t n_patches;
    const wpa_deployment_row *deployments; /* newest first, at most 20 */
    size_t n_deployments;
    const wpa_run_row *runs; /* newest first, at most 30 */
    size_t n_runs;
    const wpa_use_row *uses, *used_by; /* at most 200 each */
    size_t n_uses, n_used_by;
} wpa_workflow_detail;

/** One line of a file, as stored, without its line end. */
typedef struct wpa_source_line {
    int number;
    const char *text;
} wpa_source_line;

/** A span of a finding: lines and columns from 1, columns in code points, ends exclusive. */
typedef struct wpa_place {
    const char *path; /* NULL: the finding's own file, whose lines are in lines[] */
    int line, column, end_line, end_column;
    const char *label; /* "text becomes shell code"; NULL none */
    bool is_primary;
} wpa_place;

typedef struct wpa_fix_row {
    const char *title;
    bool is_safe; /* false: a person must review */
} wpa_fix_row;

typedef struct wpa_finding_detail {
    wpa_finding_row row;
    const char *repository, *path, *fingerprint;
    const char *commit; /* in which lines[] were read; NULL unknown */
    int64_t last_seen_us;
    const char *ignore_reason; /* NULL: not ignored */
    int64_t ignored_until_us;
    const char *reach;             /* who can trigger it, what it can touch; NULL unknown */
    double score_now, score_fixed; /* of its workflow, by its dimension; negative unknown */
    const wpa_source_line *lines;  /* around the places: at least 20 before and behind, <= 400 */
    size_t n_lines;
    const wpa_place *places; /* primary first */
    size_t n_places;
    const char *why, *todo;   /* sentences of the rule; NULL none */
    const char *help;         /* "wpa explain template-injection" */
    const wpa_fix_row *fixes; /* best first */
    size_t n_fixes;
    const wpa_finding_row *also; /* same rule elsewhere, at most 20 */
    size_t n_also;
    int64_t n_also_all;
    const wpa_patch_row *patch; /* the one that answers it; NULL none */
    const wpa_comment_row *comments;
    size_t n_comments;
    wpa_object previous, next; /* neighbours in the list the guardian came from; may be none */
} wpa_finding_detail;

typedef struct wpa_evidence_row {
    const char *label; /* "expected", "got", "before", "command" */
    const char *text;  /* may have several lines */
} wpa_evidence_row;

typedef struct wpa_patch_check {
    const char *id;   /* "T102" */
    const char *name; /* "the finding is gone, nothing new" */
    wpa_phase phase;
    wpa_check_result result;
    bool is_running; /* result is not there yet */
    bool is_required, is_waivable;
    const char *reason; /* of skipped, fail, error; NULL none */
    const char *waiver; /* who waived it, why, until when; NULL not waived */
    int64_t took_ms;
    const char *workflow; /* target it was about; NULL all */
    const wpa_evidence_row *evidence;
    size_t n_evidence;
} wpa_patch_check;

typedef struct wpa_test_phase {
    wpa_suite_state state;
    int n_passed, n_total; /* checks */
    int64_t took_ms;       /* so far, or in all */
    const char *note;      /* what it shows, or why it did not run; NULL */
} wpa_test_phase;

typedef struct wpa_patch_tests {
    int64_t run; /* attempt, from 1 */
    int64_t started_at_us, finished_at_us;
    wpa_test_phase phases[WPA_PHASE_COUNT];
    const wpa_patch_check *checks; /* by phase, then id */
    size_t n_checks;
    const char *failure; /* likely cause in a sentence; NULL none */
} wpa_patch_tests;

typedef struct wpa_diff_line {
    char kind;              /* ' ', '-', '+' */
    int old_line, new_line; /* 0 on the side where it is not */
    const char *text;
} wpa_diff_line;

typedef struct wpa_diff_hunk {
    const char *header; /* what stands behind the second @@, "job deploy"; NULL none */
    const wpa_diff_line *lines;
    size_t n_lines;
} wpa_diff_hunk;

typedef struct wpa_diff_file {
    const char *repository, *path;
    const char *before, *after; /* blob ids in hex; NULL: new or deleted file */
    const wpa_diff_hunk *hunks;
    size_t n_hunks;
} wpa_diff_file;

typedef struct wpa_plan_stage {
    const char *label;              /* "canary", "25 %" */
    int64_t n_workflows, n_targets; /* in this stage and those before */
    const char *targets;            /* names of the first ones, "docs-site"; NULL */
    int64_t bake_ms;
} wpa_plan_stage;

typedef struct wpa_target_row {
    const char *name; /* repository, or workflow when the target holds one only */
    const char *ref;
    int stage;
    wpa_target_state state;
    const char *base, *applied, *reverted; /* object ids in hex; NULL not yet */
    const char *note;                      /* why it waits, failed or was skipped; NULL */
} wpa_target_row;

typedef struct wpa_patch_detail {
    wpa_patch_row row;
    const char *issue;        /* what it answers, in a sentence */
    const char *description;  /* NULL none */
    const char *rules;        /* "SEC-001, PRF-003" */
    const char *digest;       /* hex */
    const char *requested_by; /* NULL nobody */
    int64_t n_lines_added, n_lines_removed;
    const char *risk;                /* NULL unknown */
    const wpa_finding_row *findings; /* it answers, worst first, at most 100 */
    size_t n_findings;
    int64_t n_findings_all;
    const wpa_patch_tests *report; /* latest; NULL never tested */
    int n_approvals, n_approvals_required;
    const char *approved_by;      /* names; NULL nobody */
    bool needs_explicit_approval; /* D alone does not approve */
    const wpa_plan_stage *plan;
    size_t n_plan;
    int64_t plan_ms;         /* sum of the bakes */
    int n_plan_checks;       /* health checks of the plan */
    const char *plan_note;   /* what rolls it back: "three hits in a row roll it back"; NULL */
    const char *overlaps;    /* live deployment it waits for; NULL none */
    const char *plan_digest; /* DEPLOY sends it back: refused if the plan has changed meanwhile */
    const wpa_diff_file *files;
    size_t n_files;
    const wpa_target_row *targets;
    size_t n_targets;
    const wpa_activity_row *history; /* oldest first */
    size_t n_history;
    const wpa_comment_row *comments;
    size_t n_comments;
} wpa_patch_detail;

typedef struct wpa_stage_row {
    int n; /* from 1 */
    const char *label;
    int64_t n_scope;         /* workflows in this stage and those before */
    int64_t n_done, n_total; /* switched, of n_scope */
    wpa_stage_state state;
    int64_t bake_ms;       /* needed */
    int64_t bake_until_us; /* BAKING: ends then; 0 otherwise */
    int64_t baked_ms;      /* not baking now: how long it has baked; negative: never began */
    int64_t downtime_ms;   /* measured; negative not measured */
    int64_t started_at_us;
} wpa_stage_row;

/** A step of a rollback that is running or over. */
typedef struct wpa_rollback_step {
    const char *name; /* "switch workflows back" */
    bool is_running, is_done, is_failed;
    int64_t n_done, n_total; /* negative: not counted */
    int64_t took_ms;         /* negative: not begun */
} wpa_rollback_step;

/** One measurement that counted against a check. */
typedef struct wpa_hit_row {
    const char *check;
    int64_t at_us;
    const char *value, *limit;
    int hit;             /* which one, from 1 */
    const char *message; /* NULL none */
} wpa_hit_row;

typedef struct wpa_deployment_detail {
    wpa_deployment_row row;
    const wpa_stage_row *stages;
    size_t n_stages;
    const wpa_check_row *checks; /* of the current stage; of the last one when it has ended */
    size_t n_checks;
    int checks_stage;
    /* downtime of the affected workflows; all negative: not measured */
    int64_t downtime_certain_ms, downtime_possible_ms, downtime_unknown_ms;
    int64_t n_probes, n_probes_failed, probe_interval_ms;
    bool is_armed;          /* automatic rollback */
    const char *armed_note; /* what fires it, or why it is not armed */
    /* rollback: requested_at_us 0 = none was ordered */
    int64_t rollback_requested_us, rollback_started_us, rollback_finished_us;
    const char *rollback_reason;
    const wpa_rollback_step *steps;
    size_t n_steps;
    const wpa_hit_row *hits; /* what tripped; oldest first */
    size_t n_hits;
    const wpa_activity_row *events; /* newest first, at most 100 */
    size_t n_events;
    const wpa_target_row *targets; /* at most 500 */
    size_t n_targets;
    const char *by_hand; /* git commands that put the targets back, one a line; NULL none */
} wpa_deployment_detail;

typedef struct wpa_audit_detail {
    wpa_audit_row row;
    bool is_sound; /* this row's hash was recomputed and agrees */
} wpa_audit_detail;

typedef struct wpa_job_detail {
    wpa_job_row row;
    const char *const *log; /* lines, oldest first, at most 500 */
    size_t n_log;
} wpa_job_detail;

typedef struct wpa_detail_view {
    uint64_t request_id; /* of the WATCH_OBJECT it answers, also in later refreshes */
    wpa_object object;
    const char *missing; /* why there is none ("there is no p-77"): the union is empty then */
    union {
        const wpa_workflow_detail *workflow;
        const wpa_finding_detail *finding;
        const wpa_patch_detail *patch;
        const wpa_deployment_detail *deployment;
        const wpa_audit_detail *audit;
        const wpa_job_detail *job;
    };
} wpa_detail_view;
