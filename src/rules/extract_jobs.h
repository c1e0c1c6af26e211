/*
 * Taking a job that several workflows have out into a workflow that they call, new or there
 * already.
 */
#pragma once

#include "rules/extract.h"
#include "rules/outline.h"

/** A job, and the file that it stands in. */
typedef struct wpa_extract_copy {
    const wpa_source *source;
    const wpa_outline_job *job;
} wpa_extract_copy;

/**
 * Offer a fix by which these jobs become calls: of one of their workflows, if it has that job alone
 * and may be called, or else of a new one. None where they cannot be one job.
 *
 * copies  [n] the finding's own job first; of the others those that fit come along.
 */
void wpa_extract_jobs(wpa_rule_run *run, wpa_finding *finding, const wpa_extract_copy copies[],
                      size_t n);
