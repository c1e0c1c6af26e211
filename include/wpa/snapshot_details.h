/*
 * One object in full: what the console is shown where a guardian has opened it. What is true of all
 * of it (times, counts, texts, arrays) is written in wpa/snapshot.h.
 */
#pragma once

#include <wpa/snapshot_rows.h>

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

#define WPA_USES_MAX 200

/** Something that uses, or is used by, this workflow. */
typedef struct wpa_use_row {
    const char *name;  /* "web/release.yml"; of the outside world as it is named */
    const char *ref;   /* as the user names it: "actions/checkout@v4" "./.github/workflows/a.yml" */
    int line;          /* where the user names it; 0 unknown */
    wpa_object object; /* workflow of the fleet; none for the outside world */
    double score;      /* of the workflow, overall; negative: none */
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
    const wpa_use_row *uses, *used_by; /* at most WPA_USES_MAX each */
    size_t n_uses, n_used_by;
    const char *triggers; /* "push, workflow_call"; NULL none known */
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
