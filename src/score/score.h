/*
 * The health score of a workflow: 0 to 100, from its open findings and its runs, explainable to
 * the hundredth of a point. Pure arithmetic; who calls it brings the numbers.
 */
#pragma once

#include <stdint.h>

#include <wpa/arena.h>
#include <wpa/finding.h>

/** The five dimensions, and behind them the history of runs. */
#define WPA_SCORE_RUNS WPA_DIMENSION_COUNT
#define WPA_SCORE_PARTS (WPA_DIMENSION_COUNT + 1)
/** Fewer completed runs than this say nothing. */
#define WPA_SCORE_MIN_RUNS 5

typedef struct wpa_score_finding {
    int64_t id; /* of the caller; comes back in the explanation */
    const char *rule;
    const char *check; /* or NULL */
    const char *job;   /* job id it stands in, or NULL */
    wpa_dimension dimension;
    wpa_kind kind;
    wpa_severity severity;
    wpa_confidence confidence;
    wpa_persona persona;
    bool is_ignored; /* or baselined, or of a rule that measures runs: not counted */
    double penalty;  /* 0: as severity, confidence and scope say; else this */
} wpa_score_finding;

/** Completed runs on the default branch in the last 30 days; cancelled and skipped left out. */
typedef struct wpa_score_runs {
    int64_t n_runs, n_good;
    int64_t n_commits, n_flaky; /* flaky: the same job both failed and succeeded */
    double p50_now, p50_before; /* duration in any unit; p50_before 0: no earlier data */
} wpa_score_runs;

typedef struct wpa_score_input {
    const wpa_score_finding *findings; /* [n_findings] */
    size_t n_findings;
    size_t n_jobs;              /* of the workflow, 0 if unknown or no workflow */
    const wpa_score_runs *runs; /* NULL: no data */
    bool is_invalid;            /* the file is one that GitHub cannot read */
} wpa_score_input;

typedef struct wpa_score_part {
    bool has_data;
    double weight;
    double penalty; /* sum of the findings' penalties */
    double score;   /* 0 to 100 */
    int64_t lost;   /* of the total, in hundredths of a point */
} wpa_score_part;

/** What one finding costs. */
typedef struct wpa_score_cost {
    int64_t id;
    wpa_dimension dimension;
    double penalty;
    int64_t lost; /* in hundredths of a point */
} wpa_score_cost;

typedef enum wpa_score_cap {
    WPA_SCORE_UNCAPPED,
    WPA_SCORE_CAP_HIGH,     /* an open high security finding: at most 69 */
    WPA_SCORE_CAP_CRITICAL, /* an open critical one: at most 49 */
    WPA_SCORE_CAP_INVALID   /* 0 */
} wpa_score_cap;

typedef struct wpa_score {
    double total;    /* after the cap */
    double uncapped; /* before */
    wpa_score_cap cap;
    char grade;     /* 'A' to 'D', 'F' */
    size_t n_parts; /* with data */
    wpa_score_part parts[WPA_SCORE_PARTS];
    const wpa_score_cost *lines; /* [n_lines], most points lost first */
    size_t n_lines;
    int64_t cap_lost; /* hundredths that the cap takes, a line of its own */
} wpa_score;

/** The lines live in the arena. lost of all parts adds up to 100 - uncapped, in hundredths. */
wpa_score wpa_score_compute(const wpa_score_input *input, wpa_arena *arena);
/** The total if the finding with this id were gone, cap and all. */
double wpa_score_without(const wpa_score_input *input, int64_t id);

char wpa_score_grade(double total);
/** "security", ..., "run history" */
const char *wpa_score_part_name(size_t part);
/** "", "an open high security finding", ...: why the score is no better. */
const char *wpa_score_cap_words(wpa_score_cap cap);

/** A workflow within its repository, or a repository within its group. */
typedef struct wpa_score_member {
    double total;
    int64_t n_runs;  /* for a repository: in 30 days */
    int criticality; /* for a group: 1 to 3 */
} wpa_score_member;

/** Mean weighted by 1 + log10(1 + runs), at most the lowest + 30; n > 0. */
double wpa_score_repository(const wpa_score_member *workflows, size_t n);

typedef struct wpa_score_spread {
    double mean, p10, p50, p90; /* mean weighted by criticality */
} wpa_score_spread;
wpa_score_spread wpa_score_fleet(const wpa_score_member *repositories, size_t n, wpa_arena *arena);
