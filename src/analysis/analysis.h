/*
 * Analysis: all rules over one definition, what came of it as a value, and kept in the database
 * with the age of each finding and the health of the workflow.
 */
#pragma once

#include "git/git.h"
#include "job/job.h"
#include "json/json.h"
#include "rules/engine.h"
#include "score/score.h"

/** In place of a dimension: all of them. */
#define WPA_DIMENSION_ALL WPA_DIMENSION_COUNT

/* ---- without a database -------------------------------------------------------------------------
 */

/** What the rules say of one file, and how healthy that makes it (without the history of runs). */
typedef struct wpa_analysis {
    wpa_result result;
    bool is_valid; /* GitHub can read the file */
    size_t n_jobs;
    wpa_score score;
} wpa_analysis;

/**
 * Analyse bytes. Never fails: what is wrong is in the findings and notes.
 *
 * path      repository-relative; tells the kind (a workflow if it does not).
 * around    what is known of the repository, or NULL; borrowed while the result is used.
 * settings  or NULL: the defaults.
 */
wpa_analysis wpa_analysis_of(const char *path, const void *bytes, size_t size_bytes,
                             const wpa_surroundings *around, const wpa_settings *settings,
                             wpa_arena *arena);
/** The same of a file that is read already. */
wpa_analysis wpa_analysis_of_source(const wpa_source *source, const wpa_settings *settings,
                                    wpa_arena *arena);

/** What a change of one file did: by fingerprint, so that moved lines do not matter. */
typedef struct wpa_analysis_change {
    const wpa_finding **gone; /* [n_gone] open before, not there after */
    size_t n_gone;
    const wpa_finding **new; /* [n_new] open after, not there before */
    size_t n_new;
    double score_change; /* after - before; of a part: see the analyses */
} wpa_analysis_change;

/**
 * Compare two analyses of one file. A finding whose text or place in the structure was changed by
 * the edit alone (same rule and check, as many as before) counts neither as gone nor as new.
 */
wpa_analysis_change wpa_analysis_compare(const wpa_analysis *before, const wpa_analysis *after,
                                         wpa_arena *arena);

/**
 * The repository around a file at a commit, as every analysis out of git sees it: its paths, and
 * settings from its wpa.yml over those of the fleet (those alone if there is none, or none that can
 * be read).
 *
 * repository, owner, branch   borrowed while the result is used; owner may be "".
 * fleet_config                a wpa.yml (default_config.h), or NULL; borrowed likewise.
 */
bool wpa_analysis_look_around(wpa_git *git, const char *repository, const char *owner,
                              const char *branch, const char *commit, const char *fleet_config,
                              wpa_arena *arena, wpa_surroundings *around, wpa_settings **settings,
                              wpa_error *err) WPA_CHECK;

struct wpa_graph_file;

/* ---- with a database ----------------------------------------------------------------------------
 */

typedef struct wpa_analysis_request {
    int64_t workflow_id;
    wpa_dimension dimension; /* or WPA_DIMENSION_ALL */
    int64_t requested_by;    /* principal, 0: nobody */
    const wpa_job *job;      /* under whose lease it runs, or NULL */
} wpa_analysis_request;

typedef struct wpa_analysis_summary {
    int64_t id;
    char uid[40];
    const char *status; /* "new", "resolved", "failed" */
    const char *error;  /* of a failed one: why, for people; else NULL */
    size_t n_issues, n_inefficiencies, n_opportunities; /* open ones in the database */
    size_t n_new, n_fixed;
    wpa_json *metrics;         /* object: score, parts, counts by severity, duration */
    wpa_json *recommendations; /* array of {finding, rule, title, points}, most points first */
} wpa_analysis_summary;

/**
 * Analyse one workflow or definition as it stands in the database (its commit and blob), out of
 * git: notes the analysis as running, then in one transaction stores its findings (new, seen
 * again, reopened, fixed), the workflow's health and the end of the analysis. A file that cannot
 * be read ends it as failed with the reason, which is no error here.
 *
 * git       the repository, open.
 * actor     in whose name it is written.
 *
 * Errors    NOT_FOUND (no such workflow), LEASE_LOST, and the database's.
 */
bool wpa_analysis_run(wpa_db *db, wpa_git *git, const wpa_actor *actor,
                      const wpa_analysis_request *request, wpa_arena *arena,
                      wpa_analysis_summary *summary, wpa_error *err) WPA_CHECK;

/**
 * Ask what other repositories of the fleet use of what these definitions use, and whether they call
 * them: around->fleet. Figures are rounded down to one digit.
 */
bool wpa_analysis_ask_fleet(wpa_db *db, wpa_surroundings *around,
                            const struct wpa_graph_file *const files[], size_t n, wpa_arena *arena,
                            wpa_error *err) WPA_CHECK;

/** Job "analyse", subject "workflow:<id>", payload {"dimension":"all"} or a dimension's name. */
bool wpa_analysis_job(wpa_job_context *context, wpa_error *err);
