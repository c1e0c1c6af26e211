/*
 * The trigger corpus: events made up from what two versions of a workflow wait for, and what each
 * version's triggers and expressions see of them. Private to src/testing.
 */
#pragma once

#include "expr/expr.h"
#include "workflow/workflow.h"

/** Events that are made up at most. */
#define WPA_OCCASIONS_MAX 300

/** Something that happens; NULL is what the event does not have, or nobody can tell. */
typedef struct wpa_occasion {
    const char *event;
    const char *action;        /* opened, published, ... */
    const char *branch, *tag;  /* pushed; of a pull request the base; of a run its head */
    const char *file;          /* the only one that changes */
    const char *cron;          /* of schedule */
    const char *workflow;      /* of workflow_run: its name, … */
    const char *conclusion;    /* … and how it ended */
    const char *input, *value; /* of a dispatch or call: the one that is not at its default */
    bool is_fork;              /* a pull request from another repository */
} wpa_occasion;

typedef struct wpa_occasions {
    const wpa_occasion *items;
    size_t n;
    bool is_cut; /* there would be more */
} wpa_occasions;

/** From both versions; branch: the default one. Either may be NULL. */
wpa_occasions wpa_occasions_of(const wpa_workflow *before, const wpa_workflow *after,
                               const char *branch, wpa_arena *arena);
/** Has the event a base branch; has it any branch that filters can name? */
bool wpa_occasion_has_base(const char *event);
bool wpa_occasion_has_branch(const char *event);
/** "push to 'main' of a.c": for people. */
const char *wpa_occasion_text(const wpa_occasion *occasion, wpa_arena *arena);

typedef enum wpa_occasion_answer {
    WPA_OCCASION_NO,
    WPA_OCCASION_YES,
    WPA_OCCASION_UNKNOWN /* the filters cannot be read, or are too long to be tried */
} wpa_occasion_answer;

/** Does it start the workflow? */
wpa_occasion_answer wpa_occasion_starts(const wpa_occasion *occasion, const wpa_workflow *workflow);
/** Value of a reference, by its path, in a run of the workflow; false if nobody can tell. */
bool wpa_occasion_value(const wpa_occasion *occasion, const wpa_workflow *workflow,
                        const char *path, wpa_arena *arena, wpa_expr_value *value);
