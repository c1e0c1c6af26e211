/* The tool that measures for real. */
#pragma once

#include "deploy/deploy.h"

/** As wpa_deploy_tools.measure: whatever goes wrong is a measurement of result error. */
bool wpa_deploy_measure(wpa_job_context *job, const wpa_measure_request *request, wpa_arena *arena,
                        wpa_measurement *measurement, wpa_error *err) WPA_CHECK;
