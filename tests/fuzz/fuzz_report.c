/* Reports of test frameworks: counts stay consistent whatever comes in. */
#include <assert.h>

#include "runner/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_error err = {0};
    bool is_known = false;
    wpa_case_report *report = wpa_case_report_new(arena);
    (void)!wpa_case_report_add(report, "fuzz", data, size_bytes, &is_known, &err);
    assert(report->n_cases == report->n_passed + report->n_failed + report->n_skipped);
    return 0;
}
