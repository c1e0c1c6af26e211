/*
 * Rows of lists and what they hold: parts of what the console is shown. What is true of all of it
 * (times, counts, texts, arrays) is written in wpa/snapshot.h.
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

/** A console that somebody is signed in to. */
typedef struct wpa_person_row {
    const char *name;
    wpa_role role;
    const char *place;   /* what is looked at: "findings", "p-7", "deciding p-7"; "" not told yet */
    const char *address; /* where from */
    int64_t seen_at_us;  /* when that was told last */
} wpa_person_row;

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
