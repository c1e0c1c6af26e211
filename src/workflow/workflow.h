/*
 * What a workflow, an action file or dependabot.yml says, typed. The model is partial by design: a
 * field of the wrong shape is unknown and listed as a shape fault, its neighbours are read as ever.
 * Everything lives in the arena of the model, and every field knows its YAML node, hence its bytes.
 */
#pragma once

#include <wpa/yaml.h>

#define WPA_MATRIX_MAX_LEGS 1024
/** Jobs read of one workflow; the rest is unknown. */
#define WPA_WORKFLOW_MAX_JOBS 2000

/* ---- building blocks ---- */

/** A scalar field. Absent: node NULL. Wrong shape: is_unknown. */
typedef struct wpa_value {
    const wpa_yaml_node *key; /* NULL for items of lists */
    const wpa_yaml_node
        *node;        /* aliases resolved; NULL if absent, written null, or a broken alias */
    const char *text; /* NULL if absent or unknown */
    bool is_unknown;
    bool has_expression; /* the text holds ${{ */
} wpa_value;

/** A list of scalars, also where one scalar stands for a list of one. */
typedef struct wpa_value_list {
    const wpa_yaml_node *key;
    const wpa_yaml_node *node;
    const wpa_value *items;
    size_t n;
    bool is_unknown; /* also if an item was, or an expression stands for the list */
    bool is_scalar;  /* written as one scalar */
} wpa_value_list;

typedef struct wpa_named {
    const char *name;
    wpa_value value;
} wpa_named;

/** Names to scalars: env, with, secrets, outputs, permissions. */
typedef struct wpa_value_map {
    const wpa_yaml_node *key;
    const wpa_yaml_node *node; /* the mapping, or the scalar that stands for it */
    const wpa_named *items;
    size_t n;
    wpa_value scalar; /* instead of a mapping: an expression, read-all, inherit */
    bool is_unknown;  /* wrong shape, or an expression stands for the whole */
} wpa_value_map;

/** Item by name, NULL if there is none. */
const wpa_named *wpa_value_map_find(const wpa_value_map *map, const char *name);
const wpa_named *wpa_value_map_find_ci(const wpa_value_map *map, const char *name);
bool wpa_value_list_has(const wpa_value_list *list, const char *text);
/** Written, right or wrong. */
bool wpa_value_is_set(const wpa_value *value);
/** 1 true, 0 false, -1 absent, unknown or an expression. */
int wpa_value_bool(const wpa_value *value);
/** Number of a scalar; false if there is none to be had. */
bool wpa_value_number(const wpa_value *value, double *number);

/* ---- uses ---- */

typedef enum wpa_reference_kind {
    WPA_REFERENCE_NONE,       /* no uses */
    WPA_REFERENCE_LOCAL,      /* ./path or $/path */
    WPA_REFERENCE_DOCKER,     /* docker://image */
    WPA_REFERENCE_REPOSITORY, /* owner/repo[/path]@ref */
    WPA_REFERENCE_INVALID     /* none of these, or with an expression in it */
} wpa_reference_kind;

typedef enum wpa_ref_kind {
    WPA_REF_NONE,
    WPA_REF_COMMIT,       /* 40 or 64 hex digits */
    WPA_REF_SHORT_COMMIT, /* 7 to 39 hex digits */
    WPA_REF_VERSION,      /* v1, 1.2, v1.2.3-rc.1 */
    WPA_REF_OTHER         /* a branch, or unknown */
} wpa_ref_kind;

typedef struct wpa_reference {
    wpa_reference_kind kind;
    const wpa_yaml_node *node;
    const char *text; /* as written */
    const char *owner;
    const char *repository; /* without the owner */
    const char *path;       /* inside the repository, "" if none; for local the path with its ./ */
    const char *slug;       /* owner/repository, lower case: the key of tables */
    const char *ref;        /* NULL if there is none */
    wpa_ref_kind ref_kind;
    const char *image;     /* docker: behind docker://, with tag or digest */
    wpa_span ref_span;     /* in the file: the ref behind the @ */
    wpa_span name_span;    /* in the file: what stands before the @ */
    const char *comment;   /* text of a comment behind it on its line, NULL if none ("v4.1.0") */
    wpa_span comment_span; /* from the # */
} wpa_reference;

wpa_ref_kind wpa_ref_kind_of(const char *ref);
/** Parse the value of a uses key; value absent or unknown gives WPA_REFERENCE_NONE. */
wpa_reference wpa_reference_parse(const wpa_value *value, wpa_arena *arena);

/* ---- workflows ---- */

typedef struct wpa_concurrency {
    const wpa_yaml_node *key;
    const wpa_yaml_node *node;
    wpa_value group;
    wpa_value cancel_in_progress;
    wpa_value queue;
    bool is_unknown;
} wpa_concurrency;

typedef struct wpa_defaults {
    const wpa_yaml_node *key;
    const wpa_yaml_node *node;
    wpa_value shell;
    wpa_value working_directory;
    bool is_unknown;
} wpa_defaults;

/** An input of workflow_dispatch, workflow_call or an action. */
typedef struct wpa_parameter {
    const char *name;
    const wpa_yaml_node *key;
    const wpa_yaml_node *node;
    wpa_value description;
    wpa_value required;
    wpa_value default_value;
    wpa_value type;
    wpa_value deprecation;
    wpa_value_list options;
    bool is_unknown;
} wpa_parameter;

/** An output of workflow_call or an action; a secret of workflow_call (description, required). */
typedef struct wpa_interface {
    const char *name;
    const wpa_yaml_node *key;
    const wpa_yaml_node *node;
    wpa_value description;
    wpa_value value;
    wpa_value required;
    bool is_unknown;
} wpa_interface;

typedef struct wpa_schedule {
    const wpa_yaml_node *node;
    wpa_value cron;
    wpa_value timezone;
} wpa_schedule;

typedef struct wpa_trigger {
    const char *name;
    const wpa_yaml_node *name_node; /* the key, or the scalar in a list */
    const wpa_yaml_node *node;      /* its filters; NULL if none */
    wpa_value_list types;
    wpa_value_list branches, branches_ignore;
    wpa_value_list tags, tags_ignore;
    wpa_value_list paths, paths_ignore;
    wpa_value_list workflows; /* workflow_run */
    const wpa_schedule *schedules;
    size_t n_schedules;
    const wpa_parameter *inputs;
    size_t n_inputs;
    const wpa_interface *outputs;
    size_t n_outputs;
    const wpa_interface *secrets;
    size_t n_secrets;
    bool is_unknown; /* its filters have the wrong shape */
} wpa_trigger;

typedef struct wpa_container {
    const char *name; /* of a service, NULL for a job's container */
    const wpa_yaml_node *key;
    const wpa_yaml_node *node;
    wpa_value image;
    wpa_value options;
    wpa_value username, password; /* credentials */
    wpa_value_map env;
    wpa_value_list ports, volumes;
    bool is_unknown;
} wpa_container;

typedef struct wpa_matrix_row {
    const char *name;
    const wpa_yaml_node *key;
    const wpa_yaml_node *node;          /* the sequence, or the scalar */
    const wpa_yaml_node *const *values; /* aliases resolved */
    size_t n_values;
    bool is_open; /* values not known: an expression, or the wrong shape */
} wpa_matrix_row;

typedef struct wpa_matrix {
    const wpa_yaml_node *key;
    const wpa_yaml_node *node; /* NULL: no matrix */
    const wpa_matrix_row *rows;
    size_t n_rows;
    const wpa_yaml_node *include_key, *exclude_key;
    const wpa_yaml_node *const *includes; /* mappings */
    size_t n_includes;
    const wpa_yaml_node *const *excludes;
    size_t n_excludes;
    bool is_open;         /* the whole matrix, include or exclude is an expression, or a row is */
    bool is_include_open; /* include is not known */
    bool is_exclude_open;
} wpa_matrix;

typedef struct wpa_strategy {
    const wpa_yaml_node *key;
    const wpa_yaml_node *node;
    wpa_value fail_fast;
    wpa_value max_parallel;
    wpa_matrix matrix;
    bool is_unknown;
} wpa_strategy;

typedef struct wpa_step {
    size_t index; /* in its job or action, from 0 */
    const wpa_yaml_node *node;
    wpa_value id, name;
    wpa_value condition; /* if */
    wpa_value uses_value;
    wpa_reference uses;
    wpa_value run, shell, working_directory;
    wpa_value_map with, env;
    wpa_value timeout_minutes, continue_on_error;
    bool is_unknown; /* not a mapping */
} wpa_step;

typedef struct wpa_workflow_job {
    size_t index; /* in the workflow, from 0 */
    const char *id;
    const wpa_yaml_node *key;
    const wpa_yaml_node *node;
    wpa_value name;
    wpa_value condition; /* if */
    wpa_value_list needs;
    wpa_value_list runs_on; /* labels; unknown if an expression stands for the list */
    wpa_value runner_group; /* runs-on: {group: …} */
    wpa_value_map permissions;
    wpa_value environment; /* its name, however it is written */
    wpa_value environment_url;
    wpa_concurrency concurrency;
    wpa_value_map outputs, env;
    wpa_defaults defaults;
    wpa_strategy strategy;
    const wpa_step *steps;
    size_t n_steps;
    const wpa_yaml_node *steps_key;
    bool has_unknown_steps; /* steps of the wrong shape */
    wpa_value timeout_minutes, continue_on_error;
    wpa_container container; /* node NULL if none */
    const wpa_container *services;
    size_t n_services;
    const wpa_yaml_node *services_key;
    /* a job that calls a workflow */
    wpa_value uses_value;
    wpa_reference uses;
    wpa_value_map with, secrets; /* secrets.scalar.text is "inherit" */
    bool is_unknown;             /* not a mapping */
} wpa_workflow_job;

typedef struct wpa_workflow {
    wpa_value name, run_name;
    const wpa_yaml_node *on_key;
    const wpa_yaml_node *on_node;
    const wpa_trigger *triggers;
    size_t n_triggers;
    bool has_unknown_triggers;
    wpa_value_map permissions; /* permissions.scalar: read-all, write-all */
    wpa_value_map env;
    wpa_defaults defaults;
    wpa_concurrency concurrency;
    const wpa_yaml_node *jobs_key;
    const wpa_yaml_node *jobs_node;
    const wpa_workflow_job *jobs;
    size_t n_jobs;
    bool has_unknown_jobs;
} wpa_workflow;

/* ---- actions ---- */

typedef enum wpa_action_kind {
    WPA_ACTION_UNKNOWN,
    WPA_ACTION_COMPOSITE,
    WPA_ACTION_JAVASCRIPT,
    WPA_ACTION_DOCKER
} wpa_action_kind;

typedef struct wpa_action_file {
    wpa_action_kind kind;
    wpa_value name, description, author;
    const wpa_yaml_node *inputs_key;
    const wpa_parameter *inputs;
    size_t n_inputs;
    const wpa_yaml_node *outputs_key;
    const wpa_interface *outputs;
    size_t n_outputs;
    const wpa_yaml_node *runs_key;
    const wpa_yaml_node *runs_node;
    wpa_value using_value;
    wpa_value main, pre, post, pre_if, post_if;                   /* JavaScript */
    wpa_value image, entrypoint, pre_entrypoint, post_entrypoint; /* Docker */
    wpa_value_list args;
    wpa_value_map env;
    const wpa_yaml_node *steps_key;
    const wpa_step *steps; /* composite */
    size_t n_steps;
    bool has_unknown_steps;
    wpa_value icon, color; /* branding */
} wpa_action_file;

/* ---- dependabot.yml ---- */

typedef struct wpa_dependabot_update {
    const wpa_yaml_node *node;
    wpa_value ecosystem;
    wpa_value directory;
    wpa_value_list directories;
    wpa_value target_branch;
    wpa_value open_pull_requests_limit;
    wpa_value rebase_strategy;
    wpa_value insecure_external_code;
    const wpa_yaml_node *schedule_key, *schedule_node;
    wpa_value interval, day, time, timezone, cronjob;
    const wpa_yaml_node *cooldown_key, *cooldown_node;
    const wpa_yaml_node *groups_key, *groups_node;
    wpa_value_list registries, labels;
    bool is_unknown;
} wpa_dependabot_update;

typedef struct wpa_dependabot {
    wpa_value version;
    const wpa_yaml_node *registries_key, *registries_node;
    const wpa_yaml_node *updates_key;
    const wpa_dependabot_update *updates;
    size_t n_updates;
    bool has_unknown_updates;
} wpa_dependabot;

/* ---- files ---- */

typedef enum wpa_file_kind {
    WPA_FILE_OTHER,
    WPA_FILE_WORKFLOW,
    WPA_FILE_ACTION,
    WPA_FILE_DEPENDABOT
} wpa_file_kind;

/** A field that had the wrong shape. */
typedef struct wpa_shape_fault {
    const wpa_yaml_node *node; /* the value as written */
    const char *expected;      /* "text", "a mapping", "a list of texts" */
} wpa_shape_fault;

typedef struct wpa_model {
    wpa_file_kind kind;
    const char *path;
    const wpa_yaml_doc *doc;
    const wpa_workflow *workflow; /* by kind; the others are NULL */
    const wpa_action_file *action;
    const wpa_dependabot *dependabot;
    const wpa_shape_fault *shape_faults; /* in order of the file */
    size_t n_shape_faults;
} wpa_model;

/** By where a file lies and its name; WPA_FILE_OTHER for what is none of ours. */
wpa_file_kind wpa_file_kind_of(const char *path);

/**
 * Parse a file and read it as what its path says.
 *
 * kind   WPA_FILE_OTHER: find out by the path, and by the content if that says nothing.
 *
 * Returns the model, NULL only if there is no tree.
 * Errors  WPA_E_LIMIT: too large.
 */
const wpa_model *wpa_model_parse(const char *path, wpa_file_kind kind, const void *data,
                                 size_t size_bytes, wpa_arena *arena, wpa_error *err);

/** As above for a document that is parsed already. */
const wpa_model *wpa_model_read(const wpa_yaml_doc *doc, wpa_file_kind kind, wpa_arena *arena);
/**
 * What starts a workflow and nothing of what it does: its triggers with names, types, branches,
 * tags and declarations, of inputs default, type and options, of outputs and secrets names. All
 * else is as if not written.
 */
const wpa_workflow *wpa_model_triggers(const wpa_yaml_doc *doc, wpa_arena *arena);
/**
 * The same with its jobs, and how they hang together: id, needs, outputs, services and what they
 * call, as it is written.
 */
const wpa_workflow *wpa_model_frame(const wpa_yaml_doc *doc, wpa_arena *arena);
/** The same of one job by its mapping; id, key and index are not set. */
const wpa_workflow_job *wpa_model_job_frame(const wpa_yaml_node *job, wpa_arena *arena);
/** The same of an action, with its inputs and outputs; its steps are as if not written. */
const wpa_action_file *wpa_model_action_frame(const wpa_yaml_doc *doc, wpa_arena *arena);

/* ---- finding things ---- */

const wpa_trigger *wpa_workflow_trigger(const wpa_workflow *workflow, const char *name);
const wpa_workflow_job *wpa_workflow_job_find(const wpa_workflow *workflow, const char *id);
/** Step by id, without regard to case; NULL if none. */
const wpa_step *wpa_workflow_job_step(const wpa_workflow_job *job, const char *id);
/** For messages: id, else name, else uses, else the first words of the script. */
const char *wpa_step_identity(const wpa_step *step, wpa_arena *arena);
/** Shell as written: of the step, else the job's default, else the workflow's; NULL if none. Any of
 * job and workflow may be NULL. */
const wpa_value *wpa_step_shell(const wpa_step *step, const wpa_workflow_job *job,
                                const wpa_workflow *workflow);

/* ---- matrices ---- */

typedef struct wpa_matrix_leg_value {
    const char *name;
    const wpa_yaml_node *node; /* NULL: not known */
} wpa_matrix_leg_value;

typedef struct wpa_matrix_leg {
    const wpa_matrix_leg_value *values;
    size_t n;
    const wpa_yaml_node *include; /* that appended this leg, NULL if a product of rows */
} wpa_matrix_leg;

typedef struct wpa_matrix_legs {
    const wpa_matrix_leg *legs;
    size_t n;
    bool is_open;      /* there may be others, or values are not known */
    bool is_truncated; /* stopped at WPA_MATRIX_MAX_LEGS, or at too much to compare */
} wpa_matrix_legs;

/** The strategy of a job's mapping alone. */
wpa_strategy wpa_strategy_of(const wpa_yaml_node *job, wpa_arena *arena);
/** Expand as GitHub does: product of the rows, less exclude, with include. No matrix: no legs. */
wpa_matrix_legs wpa_matrix_expand(const wpa_matrix *matrix, wpa_arena *arena);
/** Value by name, NULL if the leg has none or it is not known. */
const wpa_yaml_node *wpa_matrix_leg_get(const wpa_matrix_leg *leg, const char *name);
/**
 * Does what an entry of include or exclude says of a row fit this value of it? Each scalar of the
 * filter is compared by == of expressions with what stands at its place: texts without case, all
 * else as numbers; what the value has more does not matter.
 */
bool wpa_matrix_filter_fits(const wpa_yaml_node *filter, const wpa_yaml_node *value);

/* ---- the graph of needs ---- */

/** The jobs that job needs directly, by position in the workflow; unknown names left out. */
const wpa_workflow_job *const *wpa_workflow_job_needs(const wpa_workflow *workflow,
                                                      const wpa_workflow_job *job, wpa_arena *arena,
                                                      size_t *n);
/** Does job need other, directly or through others? */
bool wpa_workflow_job_depends_on(const wpa_workflow *workflow, const wpa_workflow_job *job,
                                 const wpa_workflow_job *other);

typedef struct wpa_workflow_cycle {
    const wpa_workflow_job *const *jobs; /* each needs the next, the last needs the first */
    size_t n;
} wpa_workflow_cycle;

/** Every cycle of needs once: the shortest through its first job, jobs on a reported one not again.
 */
const wpa_workflow_cycle *wpa_workflow_cycles(const wpa_workflow *workflow, wpa_arena *arena,
                                              size_t *n);
/** Jobs so that each comes after what it needs; those on cycles last. [n_jobs] */
const wpa_workflow_job *const *wpa_workflow_order(const wpa_workflow *workflow, wpa_arena *arena);
