/* Reads any bytes as the SARIF of an analyser. */
#include <stdint.h>

#include "analysis/sarif.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_error err = {0};
    wpa_outside *outside = wpa_outside_new(arena);
    (void)!wpa_outside_read(outside, "fuzz", "/repo", (const char *)data, size, &err);
    wpa_result result = {.path = "a.yml", .findings = wpa_arena_array(arena, 1, sizeof(void *))};
    static const char text[] = "on: push # wpa: ignore[ext/fuzz/x] why\njobs: {}\n";
    const wpa_source *source =
        wpa_source_read(WPA_INPUT_WORKFLOW, "a.yml", text, sizeof text - 1, NULL, arena);
    wpa_outside_apply(outside, "a.yml", source, wpa_settings_new(0, arena), &result, arena);
    return 0;
}
