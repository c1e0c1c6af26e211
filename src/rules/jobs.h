/* Jobs of one file by what they need. */
#pragma once

#include "rules/outline.h"
#include "rules/rule.h"

/** A file with more jobs than GitHub starts is not followed: what these say would take too long. */
#define WPA_JOBS_MAX 300

/** Index of the job with this id, without case; n_jobs if there is none. */
size_t wpa_jobs_index(const wpa_outline *outline, const char *id);
/** Mark the jobs that this one needs, over any number of others; itself not, but in a circle. */
void wpa_jobs_mark_needs(const wpa_outline *outline, size_t job, bool *is_before);
/** Edit "needs" so that the job needs one more; no edit if that cannot be done. */
void wpa_jobs_add_need(wpa_rule_run *run, wpa_fix *fix, const wpa_outline_job *job, const char *id);
/** Edit one need out of its job, "needs" itself with the last; need is the text under it. */
void wpa_jobs_drop_need(wpa_rule_run *run, wpa_fix *fix, const wpa_yaml_node *need);
