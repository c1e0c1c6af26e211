/* Names of the figures that GET /metrics tells. */
#pragma once

#include <stdbool.h>

/* Of ten thousand repositories, and room to spare. */
#define WPA_API_METRICS_MAX_BYTES ((size_t)64 << 20)

bool wpa_api_metric_is_known(const char *name);
