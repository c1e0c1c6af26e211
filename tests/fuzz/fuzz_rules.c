/* Reads any bytes as a workflow: every rule, every ignore comment, every fix. */
#include <stdint.h>

#include "report/report.h"
#include "rules/fix.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_settings *settings = wpa_settings_new(0, arena);
    settings->persona = WPA_PERSONA_AUDITOR;
    wpa_input_kind kind = wpa_input_of_content(size ? (const char *)data : "", size);
    const wpa_source *source = wpa_source_read(kind, "ci.yml", data, size, NULL, arena);
    wpa_fix_choice choice = {.has_unsafe = true};
    wpa_result before = wpa_rules_run(source, settings, arena);
    wpa_fix_outcome outcome = wpa_rules_fix(source, settings, &choice, arena);
    wpa_report report = {.files = (wpa_result[]){before, outcome.result}, .n_files = 2};
    WPA_AUTO(wpa_buf) *out = wpa_buf_new(WPA_REPORT_MAX_BYTES);
    wpa_formats_all(&(size_t){0})[0].write(&report, out);
    return 0;
}
