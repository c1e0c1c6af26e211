/* What the legs of a job's matrix make of a name. */
#pragma once

#include "rules/outline.h"
#include "workflow/workflow.h"

/** May the job run in more than one leg? */
bool wpa_legs_are_several(const wpa_outline_job *job);
/** Is the text the same in every leg: no expression, or only such as know nothing of the leg? */
bool wpa_legs_share(const char *text, wpa_arena *arena);
/** The first text that two legs make of this one; NULL: none, or it is not known what they make. */
const char *wpa_legs_clash(const wpa_matrix_legs *legs, const char *text, wpa_arena *arena);
/**
 * The first value of matrix.KEY with one of the refused characters, or NULL.
 *
 * n  receives how many values there are; may be NULL.
 */
const wpa_yaml_node *wpa_legs_refused(const wpa_outline_job *job, const char *key,
                                      const char *refused, size_t *n);
/**
 * "-${{ matrix.os }}" for every row of several values; "" where that does not tell the legs apart,
 * or a value holds one of the refused characters.
 */
const char *wpa_legs_suffix(const wpa_outline_job *job, const char *refused, wpa_arena *arena);
