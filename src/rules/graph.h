/*
 * What joins the definitions of a repository: which workflow calls which, what starts what, who
 * uses an action. One compact record a file, made once from its tree, so that a graph over
 * thousands of files stays small; whoever needs more of a neighbour reads it with
 * wpa_rule_source_at.
 */
#pragma once

#include "rules/source.h"
#include "rules/stores.h"
#include "rules/values.h"

typedef struct wpa_graph wpa_graph;

typedef struct wpa_graph_trigger {
    const char *name;
    const char *const *workflows; /* NULL-terminated: names under workflow_run; else NULL */
    const char *const *types;     /* NULL-terminated, or NULL */
    const char *const *crons;     /* NULL-terminated: of schedule; else NULL */
} wpa_graph_trigger;

/** A "uses" of a step or of a job. */
typedef struct wpa_graph_use {
    const char *text;       /* as written */
    const char *local_path; /* "./x" and "$/x" without that: "x", no slash behind; else NULL */
    size_t job;             /* index in the file's jobs */
    wpa_span span;          /* of the value in that file */
    int major;              /* of a repository's action as far as it is known, else -1 */
    bool is_call;           /* of a job */
    bool inherits_secrets;
} wpa_graph_use;

typedef struct wpa_graph_job {
    const char *id;
    const char *name;         /* as written, or NULL */
    const char *const *needs; /* NULL-terminated */
    wpa_span key_span;
    unsigned roles;                      /* wpa_command_role bits of what its steps run */
    bool is_open;                        /* runs programs of the project, whose work is not known */
    struct wpa_similarity_job *likeness; /* of its steps; NULL: a call, or none */
} wpa_graph_job;

/** A version that a workflow asks its setup actions for. */
typedef struct wpa_graph_toolchain {
    const struct wpa_fact_runtime *runtime;
    const char *line; /* the release line: "20" of v20.11.1 */
    wpa_span span;
    bool is_leg; /* one of several: of a matrix, or of a list in one input */
} wpa_graph_toolchain;

typedef struct wpa_graph_file {
    const char *path; /* repository-relative */
    wpa_input_kind kind;
    bool is_partial;
    bool is_of_copy;  /* of a project that is copied into this one: its workflows never run here */
    const char *name; /* of the workflow or action, or NULL */
    wpa_span name_span; /* of the value; of the first key if there is no name */
    const wpa_graph_trigger *triggers;
    size_t n_triggers;
    const char *group; /* concurrency group of the workflow as written, or NULL */
    wpa_span group_span;
    bool cancels; /* cancel-in-progress is written there and not false */
    const wpa_graph_job *jobs;
    size_t n_jobs;
    const wpa_graph_use *uses;
    size_t n_uses;
    const wpa_graph_toolchain *toolchains; /* of workflows */
    size_t n_toolchains;
    const wpa_named_value *values; /* of workflows */
    size_t n_values;
    wpa_stores stores;
    const char *const
        *secrets; /* [n_secrets] that a callable workflow names, GITHUB_TOKEN left out */
    size_t n_secrets;
    bool names_more_secrets; /* whose names cannot be told, or that it passes on wholesale */
    uint64_t digest;         /* of its text: private */
} wpa_graph_file;

/** Of a callable workflow the names of secrets that are looked at. */
#define WPA_GRAPH_SECRETS_MAX 32

/** An empty graph; everything in the arena. repository: name for messages, or NULL. */
wpa_graph *wpa_graph_new(const char *repository, wpa_arena *arena);
/** What a file says, for a graph; copies all it keeps. Any thread, with an arena of its own. */
wpa_graph_file *wpa_graph_read(const wpa_source *source, wpa_arena *arena);
/** The same of its jobs alone, and of these but what their steps are like. */
wpa_graph_file *wpa_graph_read_likeness(const wpa_source *source, wpa_arena *arena);
/** Put a record into one graph; its arena lasts as long. */
void wpa_graph_put(wpa_graph *graph, wpa_graph_file *file);
/** Read a file, and put it in. */
void wpa_graph_add(wpa_graph *graph, const wpa_source *source);
/**
 * A graph in which some files are as another one has them, which need not be closed: of what was
 * added to it twice the last counts. Records are shared, so both graphs outlive this one.
 */
const wpa_graph *wpa_graph_over(const wpa_graph *graph, const wpa_graph *changed, wpa_arena *arena);
/** The same graph, at the expense of a budget: once that is spent it counts no files. */
const wpa_graph *wpa_graph_within(const wpa_graph *graph, wpa_budget *budget, wpa_arena *arena);
/** The same graph, for one reader: asking it anything sets *has_asked. */
const wpa_graph *wpa_graph_traced(const wpa_graph *graph, bool *has_asked, wpa_arena *arena);
/** Once, behind the last add: files are in the order of their paths from then on. */
void wpa_graph_close(wpa_graph *graph);
/**
 * One of this file alone, to find what it repeats of itself: its jobs, and what stretches of their
 * steps are like. Nothing else is known of it.
 */
const wpa_graph *wpa_graph_of_one(const wpa_source *source, wpa_arena *arena);

/** Name for messages, or NULL. */
const char *wpa_graph_repository(const wpa_graph *graph);
size_t wpa_graph_count(const wpa_graph *graph);
const wpa_graph_file *wpa_graph_at(const wpa_graph *graph, size_t i);
const wpa_graph_file *wpa_graph_find(const wpa_graph *graph, const char *path);
/**
 * What the graph says of this file; where it has none, or one of another text, or there is no
 * graph, a record that is made now.
 */
const wpa_graph_file *wpa_graph_own(const wpa_graph *graph, const wpa_source *source,
                                    wpa_arena *arena);
/** "x" of the local use "./x/", "./a/../x" or "$/x", in the arena; NULL for any other use. */
const char *wpa_graph_local_path(const char *text, wpa_arena *arena);
/**
 * File that a local use names: the workflow itself, or action.yml or action.yaml in the folder.
 * NULL if the graph has none.
 */
const wpa_graph_file *wpa_graph_local(const wpa_graph *graph, const char *local_path);
/** What a use of this repository's own names; NULL for any other use, and without a graph. */
const wpa_graph_file *wpa_graph_used(const wpa_graph *graph, const wpa_outline_uses *uses,
                                     wpa_arena *arena);
const wpa_graph_trigger *wpa_graph_trigger_find(const wpa_graph_file *file, const char *name);

/** Workflows of this name, or of this path without a name; by path; known once it is closed. */
const wpa_graph_file *const *wpa_graph_named(const wpa_graph *graph, const char *name, size_t *n);
/** Workflows that wait for this one's runs (workflow_run); likewise. */
const wpa_graph_file *const *wpa_graph_followers(const wpa_graph *graph, const wpa_graph_file *file,
                                                 size_t *n);
/**
 * Has a workflow of this project, other than that at the path self, this name, or a concurrency
 * group that begins with it and "-"? Groups are alike in any case; known once it is closed.
 */
bool wpa_graph_is_taken(const wpa_graph *graph, const char *name, const char *self);
/** Was every file read to its end? */
bool wpa_graph_is_whole(const wpa_graph *graph);

/** One place that uses a definition. */
typedef struct wpa_graph_user {
    const wpa_graph_file *file;
    const wpa_graph_use *use;
} wpa_graph_user;

/** Who uses the definition at this path, by path and place; known once the graph is closed. */
const wpa_graph_user *wpa_graph_users(const wpa_graph *graph, const char *path, size_t *n);
/** How often a major version of an action is used. */
typedef struct wpa_graph_version {
    int major;
    size_t n_uses;
    wpa_graph_user first; /* by path and place */
} wpa_graph_version;

/** Versions of an action that are told apart. */
#define WPA_GRAPH_VERSIONS_MAX 16

/**
 * Versions of an action (owner/repo[/path], without case) that files use, those of copied projects
 * apart, in the order of their first use; of a repository with very many uses those of the first
 * files. Counted once, when the graph is closed: thousands of files may ask.
 */
const wpa_graph_version *wpa_graph_versions_of(const wpa_graph *graph, wpa_slice slug,
                                               bool is_of_copy, size_t *n);
/** A workflow in which a name has one value. */
typedef struct wpa_graph_holder {
    const wpa_graph_file *file;
    const wpa_named_value *value;
} wpa_graph_holder;

/** Workflows that give this name a value, by path; known once the graph is closed. */
const wpa_graph_holder *wpa_graph_values_of(const wpa_graph *graph, const char *name, size_t *n);
/** Is the file the first of its kind in the graph: where what is said once for all stands. */
bool wpa_graph_is_first(const wpa_graph *graph, const wpa_source *source);

struct wpa_similarity_index;
/** Jobs and stretches of steps of all files, whose owners are wpa_graph_file. Never NULL. */
const struct wpa_similarity_index *wpa_graph_similar(const wpa_graph *graph);
