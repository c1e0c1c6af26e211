/*
 * What a callable workflow or an action promises to those who call it, and what of that a new
 * version breaks: the rules of contracts, C301 to C330. Private to src/testing.
 */
#pragma once

#include "workflow/workflow.h"

/** Whom of the callers a change concerns. */
typedef enum wpa_contract_concern {
    WPA_CONTRACT_ALL,
    WPA_CONTRACT_GIVES,  /* those who give the input or secret */
    WPA_CONTRACT_OMITS,  /* those who do not */
    WPA_CONTRACT_READS,  /* those who read the output */
    WPA_CONTRACT_LENDS,  /* those whose job lends less than the level of the scope */
    WPA_CONTRACT_STARTS, /* who starts it with the input: scripts, which are no callers */
    WPA_CONTRACT_SEES    /* those who name the variable */
} wpa_contract_concern;

typedef struct wpa_contract_change {
    const char *rule; /* "C301" */
    bool is_error;    /* whoever it concerns is broken; else it may behave otherwise */
    bool is_secret;   /* name is one; else an input, output or scope */
    wpa_contract_concern concern;
    const char *name;  /* NULL: of the whole */
    const char *value; /* of the input, if it is about one; else NULL */
    int level;         /* of a scope that is asked for, see wpa_contract_level_of */
    const char *text;  /* "input 'x' goes" */
} wpa_contract_change;

/** Can it be started by hand, or by a program, with inputs? */
bool wpa_contract_is_startable(const wpa_model *model);
/** Does another definition use this one: an action, or a workflow that can be called? */
bool wpa_contract_is_callable(const wpa_model *model);
/** What after breaks of what before promised; after NULL: it is not there any more. */
const wpa_contract_change *wpa_contract_compare(const wpa_model *before, const wpa_model *after,
                                                wpa_arena *arena, size_t *n);
/** Level that a job's token has for a scope: 0 none, 1 read, 2 write; -1: nothing says. */
int wpa_contract_level(const wpa_workflow *workflow, const wpa_workflow_job *job,
                       const char *scope);

/** A step or job that uses a definition. */
typedef struct wpa_contract_caller {
    const wpa_model *model;
    const char *text;            /* of its file */
    const wpa_workflow_job *job; /* that calls, or that the step is in; NULL in an action */
    const wpa_step *step;        /* NULL: the job calls */
} wpa_contract_caller;

/** Does the change concern this caller? */
bool wpa_contract_concerns(const wpa_contract_change *change, const wpa_contract_caller *caller,
                           wpa_arena *arena);
