#include "rules/settings.h"

#include <string.h>

#include <wpa/clock.h>
#include <wpa/text.h>

const char *const wpa_tool_names[WPA_TOOL_COUNT] = {
    [WPA_TOOL_SHELLCHECK] = "shellcheck",
    [WPA_TOOL_PYFLAKES] = "pyflakes",
    [WPA_TOOL_NODE] = "node",
    [WPA_TOOL_PWSH] = "pwsh",
    [WPA_TOOL_BASH] = "bash",
};

wpa_settings *wpa_settings_new(int64_t now_us, wpa_arena *arena)
{
    size_t n_rules;
    (void)wpa_rules_all(&n_rules);
    wpa_settings *settings = wpa_arena_alloc(arena, sizeof *settings);
    settings->rules = wpa_arena_array(arena, n_rules + 1, sizeof *settings->rules);
    settings->fail_on[WPA_KIND_ISSUE] = WPA_SEVERITY_MEDIUM;
    settings->fail_on[WPA_KIND_INEFFICIENCY] = WPA_SEVERITY_COUNT;
    settings->fail_on[WPA_KIND_OPPORTUNITY] = WPA_SEVERITY_COUNT;
    char now[WPA_TIMESTAMP_SIZE];
    wpa_timestamp_format(now_us, now);
    memcpy(settings->today, now, sizeof settings->today - 1);
    return settings;
}

wpa_rule_setting *wpa_settings_of(const wpa_settings *settings, const wpa_rule *rule)
{
    return &settings->rules[wpa_rules_index(rule)];
}
