/* What the parts of analysis share. Private to src/analysis. */
#pragma once

#include "analysis/analysis.h"

#define WPA_ANALYSIS_GONE "the file is not there any more"

/** What is analysed, as the database names it. */
typedef struct wpa_analysis_subject {
    int64_t workflow_id;
    const char *repository, *owner, *url, *branch;
    const char *path, *kind;
    const char *blob_oid, *head_commit;
    const char *error; /* why the scan could not take it, or that it is gone; NULL: fine */
} wpa_analysis_subject;

/** What came of it, in the form that is kept for the next file of the same content. */
typedef struct wpa_analysis_outcome {
    const char *fault; /* the file could not be analysed at all, and why; else NULL */
    bool is_cached;
    bool is_complete; /* every rule ran to its end over the whole file */
    bool is_valid;
    int64_t n_jobs;
    const char *title;
    const wpa_json *triggers, *uses, *rules_done, *findings;
    const wpa_json *fleet_uses;  /* see wpa_analysis_list_uses */
    const wpa_json *fleet_marks; /* see wpa_analysis_list_marks */
    const wpa_json *notes; /* [{rule, text}] what could not be looked at; NULL: nothing said */
    const char *content;   /* [size_bytes] */
    size_t size_bytes;
} wpa_analysis_outcome;

bool wpa_analysis_subject_load(wpa_db *db, int64_t workflow_id, wpa_arena *arena,
                               wpa_analysis_subject *subject, wpa_error *err) WPA_CHECK;
/** Read the file out of git and run the rules, or take what an earlier run over it has left. */
bool wpa_analysis_evaluate(wpa_db *db, wpa_git *git, const wpa_analysis_subject *subject,
                           wpa_arena *arena, wpa_analysis_outcome *outcome,
                           wpa_error *err) WPA_CHECK;
/** Findings, health and the end of the analysis, in the transaction that is open. */
bool wpa_analysis_store(wpa_db *db, const wpa_analysis_request *request,
                        const wpa_analysis_subject *subject, const wpa_analysis_outcome *outcome,
                        int64_t duration_ms, wpa_arena *arena, wpa_analysis_summary *summary,
                        wpa_error *err) WPA_CHECK;
/** Names of the events that start it; none if root is NULL. */
wpa_json *wpa_analysis_list_triggers(const struct wpa_yaml_node *root, wpa_arena *arena);
/** Every value of a key "uses", once, with its line: [{"name", "line"}]; root is not NULL. */
void wpa_analysis_list_named(const struct wpa_yaml_node *root, wpa_json *list, wpa_arena *arena);
/** [[slug, major, places]] what a definition uses of other repositories. */
wpa_json *wpa_analysis_list_uses(const struct wpa_graph_file *file, wpa_arena *arena);
/** The same into the database, in the transaction that is open. */
bool wpa_analysis_store_uses(wpa_db *db, const char *workflow, const wpa_json *uses,
                             wpa_arena *arena, wpa_error *err) WPA_CHECK;

/** A definition of another repository. */
typedef struct wpa_analysis_alike_one {
    const char *repository, *path, *kind, *blob_oid;
} wpa_analysis_alike_one;

typedef struct wpa_analysis_alike {
    wpa_analysis_alike_one *items; /* [n] by repository and path */
    size_t n;
} wpa_analysis_alike;

/** Numbers of which definitions share some if jobs or stretches of steps in them are alike. */
wpa_json *wpa_analysis_list_marks(const struct wpa_graph_file *file, wpa_arena *arena);
/** The same into the database, in the transaction that is open. */
bool wpa_analysis_store_marks(wpa_db *db, const char *workflow, const wpa_json *marks,
                              wpa_arena *arena, wpa_error *err) WPA_CHECK;
/** Definitions of other repositories that share marks; those that share most. */
bool wpa_analysis_ask_alike(wpa_db *db, int64_t workflow_id, const wpa_json *marks,
                            wpa_arena *arena, wpa_analysis_alike *alike, wpa_error *err) WPA_CHECK;
/** What they hold becomes part of around->fleet: a graph a repository. */
bool wpa_analysis_join_alike(wpa_db *db, const wpa_analysis_alike *alike, wpa_surroundings *around,
                             wpa_arena *arena, wpa_error *err) WPA_CHECK;
/** "all", or the dimension's name. */
const char *wpa_analysis_dimension_name(wpa_dimension dimension);
