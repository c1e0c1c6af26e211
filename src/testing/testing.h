/* The job that tests a patch: it is loaded, the four phases run, every result is kept at once. */
#pragma once

#include "job/job.h"

/**
 * Job "test", subject "patch:<id>", payload {} or {"all": true} (later phases too when an earlier
 * one failed). Takes the patch from pending over testing to tested or failed, or back to pending
 * when it is stopped.
 */
bool wpa_testing_job(wpa_job_context *context, wpa_error *err);
