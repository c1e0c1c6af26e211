/* Reads any bytes as a baseline, and as a packed result. */
#include <stdint.h>

#include "analysis/baseline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_error err = {0};
    WPA_AUTO(wpa_baseline) *baseline = wpa_baseline_new("2026-01-01");
    (void)!wpa_baseline_parse(baseline, "baseline", (const char *)data, size, &err);
    wpa_result result;
    if (wpa_result_unpack(data, size, "a.yml", "", arena, &result)) {
        wpa_baseline_apply(baseline, "a.yml", &result);
        WPA_AUTO(wpa_buf) *out = wpa_buf_new((size_t)1 << 20);
        wpa_result_pack(&result, true, out);
    }
    return 0;
}
