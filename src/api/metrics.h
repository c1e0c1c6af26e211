/* Names of the figures that GET /metrics tells. */
#pragma once

#include <stdbool.h>

bool wpa_api_metric_is_known(const char *name);
