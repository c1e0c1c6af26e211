/*
 * The truth of a condition in every run that there can be: one world for each trigger, activity
 * type, branch of a filter, leg of a matrix and choice of an input that the condition asks about.
 */
#pragma once

#include "rules/expressions.h"
#include "workflow/workflow.h"

typedef struct wpa_worlds wpa_worlds;

/**
 * For one condition of a workflow; NULL if nothing is known of what it asks about, or there would
 * be too many worlds. job is the model of the job around it, or NULL.
 */
const wpa_worlds *wpa_worlds_new(const wpa_workflow *workflow, const wpa_workflow_job *job,
                                 const wpa_expr *condition, bool has_matrix, wpa_arena *arena);
/** What all worlds agree upon; MAYBE if they do not, or one cannot be told. */
wpa_expr_truth wpa_worlds_truth(const wpa_worlds *worlds, const wpa_expr *part);
