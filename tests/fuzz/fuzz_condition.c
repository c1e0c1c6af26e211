/* Conditions of health checks: whatever parses can be evaluated and shown. */
#include <string.h>

#include "probe/condition.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    static const char *const names[] = {"value", "baseline", "body"};
    static const wpa_condition_value values[] = {{.name = "value", .number = 2},
                                                 {.name = "baseline", .number = 0},
                                                 {.name = "body", .text = "[1, {\"a\": \"b\"}]"}};
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_error err = {0};
    bool is_true = false;
    const wpa_condition_scope scope = {.values = values,
                                       .n_values = 3,
                                       .json = values[2].text,
                                       .json_bytes = strlen(values[2].text)};
    const char *text = wpa_arena_slice(arena, (const char *)data, size_bytes);
    const wpa_condition *condition = wpa_condition_parse(text, names, 3, arena, &err);
    if (condition) {
        (void)!wpa_condition_evaluate(condition, &scope, &is_true, &err);
        (void)wpa_condition_resolve(condition, &scope, arena);
    }
    return 0;
}
