/*
 * What rules ask of a file most, read once and shared by all of them: triggers, jobs, steps, what
 * a step uses, its shell and its script, where a job runs. Lenient: what has a wrong shape is
 * absent here, and the rule schema says so.
 */
#pragma once

#include "facts/facts.h"
#include "rules/shell.h"
#include "rules/source.h"

typedef struct wpa_outline wpa_outline;
typedef struct wpa_outline_job wpa_outline_job;

/** One event under "on". */
typedef struct wpa_outline_trigger {
    const char *name;
    const wpa_yaml_node *node;   /* the key, or the text in "on: push" and "on: [push]" */
    const wpa_yaml_node *config; /* what stands below it, or NULL */
    const wpa_fact_event *event; /* NULL: unknown */
} wpa_outline_trigger;

typedef enum wpa_outline_uses_kind {
    WPA_OUTLINE_NONE,       /* no uses, or one that is no text */
    WPA_OUTLINE_LOCAL,      /* ./dir, $/dir */
    WPA_OUTLINE_DOCKER,     /* docker://image */
    WPA_OUTLINE_REPOSITORY, /* owner/repo[/path]@ref */
    WPA_OUTLINE_UNKNOWN     /* holds an expression, or is none of these */
} wpa_outline_uses_kind;

/* What is asked of each of them stands together in front. */
typedef struct wpa_outline_uses {
    wpa_outline_uses_kind kind;
    uint32_t number; /* from 0: of what the file uses; those of one name and hint have one */
    const wpa_yaml_node *node; /* the value: what an alias stands for, if it is one */
    const wpa_fact_use *fact;  /* what is known of it; NULL unless kind is REPOSITORY */
    wpa_slice slug;            /* owner/repo[/path] */
    wpa_slice ref;
    wpa_slice repo; /* owner/repo */
    wpa_slice owner;
    wpa_span span;      /* where step or job name it: the alias */
    wpa_slice hint;     /* version in the comment on the line, or empty */
    wpa_span comment;   /* that comment from its #, empty if there is none */
    wpa_span slug_span; /* in the file */
    wpa_span ref_span;
} wpa_outline_uses;

typedef enum wpa_shell {
    WPA_SHELL_BASH, /* named, or implied on Linux and macOS */
    WPA_SHELL_SH,
    WPA_SHELL_ZSH,  /* zsh and ksh, which are read as bash is, though they differ in detail */
    WPA_SHELL_PWSH, /* pwsh and powershell */
    WPA_SHELL_PYTHON,
    WPA_SHELL_CMD,
    WPA_SHELL_OTHER,
    WPA_SHELL_UNKNOWN /* an expression, or implied by a runner that cannot be told: often bash */
} wpa_shell;

/* What rules ask of each step of each file stands together in front. */
typedef struct wpa_outline_step {
    const wpa_yaml_node *node;      /* mapping */
    const wpa_yaml_node *run;       /* scalar, or NULL */
    const wpa_yaml_node *with;      /* mapping, or NULL */
    const wpa_yaml_node *env;       /* mapping, or NULL */
    const wpa_yaml_node *condition; /* value of "if", or NULL */
    const wpa_script *lexed;        /* of run in any shell that is read, python too; or NULL */
    const wpa_script *script;       /* of run in bash, sh or an unknown shell; else NULL */
    const wpa_script *commands;     /* lexed that could be read, but no python; or NULL */
    wpa_outline_uses uses;
    const wpa_outline_job *job; /* of a composite action the job that stands for it */
    size_t index;               /* in the job, those of parallel groups in order */
    const char *id;             /* or NULL */
    unsigned roles;             /* of all commands of lexed, see wpa_step_roles */
    wpa_shell shell;            /* of run */
    bool has_named_shell;       /* by the step, its job or its workflow */
    /* Started by another program (WSL, MSYS2, nix develop, docker exec): what the runner's system
       and image have says nothing about what the script finds. */
    bool is_elsewhere;
    wpa_yaml_places *places; /* of a long run, whose places are asked for often; or NULL */
    /* Of lexed: texts of words in which quotes and escapes stand; [n_unquoted]. */
    const wpa_slice *unquoted;
    size_t n_unquoted;
} wpa_outline_step;

/** A label a job may run on: written in runs-on, or a matrix value that runs-on names. */
typedef struct wpa_outline_label {
    const wpa_yaml_node *node; /* scalar */
    const char *text;
    const wpa_fact_runner *runner; /* NULL: not one of GitHub's own */
    bool is_from_matrix;
    size_t set; /* labels of one matrix value are wanted together; 0: written in runs-on itself */
} wpa_outline_label;

struct wpa_outline_job {
    const char *id;            /* "" for a composite action */
    const wpa_yaml_node *key;  /* NULL for a composite action */
    const wpa_yaml_node *node; /* mapping; of a composite action its runs */
    const wpa_yaml_node *condition;
    wpa_outline_uses uses; /* of a call; kind NONE for a job with steps */
    bool is_call;
    wpa_outline_step *steps;
    size_t n_steps;
    wpa_outline_label *labels; /* [n_labels] alternatives and sets alike */
    size_t n_labels;
    bool has_open_labels; /* runs-on holds an expression that could not be followed */
    bool is_self_hosted;  /* a label says so, or a runner group is named */
    wpa_fact_os os;       /* UNKNOWN if legs differ or it cannot be told */
};

/** A step or, without one, a job that uses something. */
typedef struct wpa_outline_user {
    const wpa_outline_job *job;
    const wpa_outline_step *step;
    const wpa_outline_uses *uses; /* of the one or the other */
    /* A bit for each of the first actions that steps of the file use, by name, ref and hint; 0 for
       others, and for what is none. */
    uint64_t bit;
} wpa_outline_user;

struct wpa_outline {
    const wpa_yaml_node *root;
    const wpa_yaml_pair *on; /* NULL if there is none */
    wpa_outline_trigger *triggers;
    size_t n_triggers;
    wpa_fact_trust trust; /* the worst of the triggers */
    /* Some trigger may be strangers', or it is left to callers who starts it: else nobody's text
       here is theirs. */
    bool may_be_of_outsiders;
    bool may_be_privileged; /* the same of those that hand strangers power */
    wpa_outline_job *jobs;
    size_t n_jobs;
    const struct wpa_map *jobs_by_id; /* in lower case */
    const wpa_outline_user *users;    /* [n_users] in order, a job before its steps */
    size_t n_users;
};

/** The job of this id, letters' case no matter; NULL if there is none. id may be NULL. */
const wpa_outline_job *wpa_outline_job_find(const wpa_outline *outline, const char *id);
/** Does an expression of the node name a secret other than GITHUB_TOKEN, or all or any of them? */
bool wpa_outline_names_secret(const wpa_yaml_node *node);
/** Of a workflow or an action file; an outline without jobs for anything else. Never NULL. */
const wpa_outline *wpa_outline_read(const wpa_yaml_doc *doc, wpa_input_kind kind, wpa_arena *arena);

const wpa_outline_trigger *wpa_outline_trigger_find(const wpa_outline *outline, const char *name);
/** Is every trigger one of these (NULL-terminated)? False if there is none. */
bool wpa_outline_only_triggers(const wpa_outline *outline, const char *const names[]);
/** Value of an input, names without case; NULL if it is not given. */
static inline const wpa_yaml_node *wpa_outline_with(const wpa_outline_step *step, const char *name)
{
    return wpa_yaml_get_name_ci(step->with, wpa_yaml_name_of(name));
}
/** Its text, or NULL. */
static inline const char *wpa_outline_with_text(const wpa_outline_step *step, const char *name)
{
    return wpa_yaml_text(wpa_outline_with(step, name));
}
/** Does the step use this action (owner/repo[/path], without case), at any version? */
static inline bool wpa_outline_step_uses(const wpa_outline_step *step, const char *slug)
{
    return step->uses.kind == WPA_OUTLINE_REPOSITORY && wpa_slice_is_ci(step->uses.slug, slug);
}
/** Have what was read of the step's script, or of what stands for one; NULL: nothing. */
void wpa_outline_step_take_script(wpa_outline_step *step, const wpa_script *lexed);
/** Fill hint and comment of uses from the comment behind its node. */
void wpa_outline_read_comment(wpa_outline_uses *uses);
/** What a step sets up; NULL: nothing that is known to. */
static inline const struct wpa_fact_runtime *wpa_outline_runtime(const wpa_outline_step *step)
{
    return step->uses.kind == WPA_OUTLINE_REPOSITORY ? step->uses.fact->runtime : NULL;
}
/** Does the step use an action that is known to be of this kind? */
static inline bool wpa_outline_uses_trait(const wpa_outline_step *step, wpa_fact_trait trait)
{
    return step->uses.fact && (step->uses.fact->traits >> trait & 1);
}
/** Major version that the step uses, -1 if it is not known. */
int wpa_outline_major(const wpa_outline_uses *uses);
/** Does the step's script build or test something, as far as its commands tell? */
bool wpa_outline_step_builds(const wpa_outline_step *step);
/**
 * Does the step's script hold the word, in any case of letters: in its text, or in a word of one of
 * its commands or redirections without quotes and escapes? A script without it need not be looked
 * at by what looks for the word in either. False without a script.
 */
bool wpa_outline_script_holds(const wpa_outline_step *step, const char *word);
/** Does text hold "${{"? NULL does not. */
bool wpa_outline_has_expression(const char *text);
/** Bytes of the file for bytes of the step's script. */
wpa_span wpa_outline_script_span(const wpa_outline_step *step, wpa_span in_script);
