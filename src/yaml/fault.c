/* What the faults of a file are called, and which of them are grave. */
#include <wpa/yaml.h>

const char *wpa_yaml_fault_check(wpa_yaml_fault fault)
{
    static const char *const checks[WPA_YAML_FAULT_COUNT] = {
        [WPA_YAML_FAULT_SYNTAX] = "Y1",
        [WPA_YAML_FAULT_UNDEFINED_ALIAS] = "Y1",
        [WPA_YAML_FAULT_EMPTY] = "Y2",
        [WPA_YAML_FAULT_RECURSIVE_ALIAS] = "Y3",
        [WPA_YAML_FAULT_MERGE_KEY] = "Y4",
        [WPA_YAML_FAULT_TAB] = "Y5",
        [WPA_YAML_FAULT_BOM] = "Y6",
        [WPA_YAML_FAULT_CR_LINE] = "Y6",
        [WPA_YAML_FAULT_SECOND_DOCUMENT] = "Y7",
        [WPA_YAML_FAULT_TAG] = "Y8",
        [WPA_YAML_FAULT_LIMIT] = "Y9",
        [WPA_YAML_FAULT_ENCODING] = "Y10",
        [WPA_YAML_FAULT_DUPLICATE_KEY] = "S1",
        [WPA_YAML_FAULT_REDEFINED_ANCHOR] = "Z7",
    };
    return checks[fault];
}

bool wpa_yaml_fault_is_fatal(wpa_yaml_fault fault)
{
    static const bool fatal[WPA_YAML_FAULT_COUNT] = {
        [WPA_YAML_FAULT_SYNTAX] = true,        [WPA_YAML_FAULT_UNDEFINED_ALIAS] = true,
        [WPA_YAML_FAULT_EMPTY] = true,         [WPA_YAML_FAULT_RECURSIVE_ALIAS] = true,
        [WPA_YAML_FAULT_TAB] = true,           [WPA_YAML_FAULT_SECOND_DOCUMENT] = true,
        [WPA_YAML_FAULT_LIMIT] = true,         [WPA_YAML_FAULT_ENCODING] = true,
        [WPA_YAML_FAULT_DUPLICATE_KEY] = true,
    };
    return fatal[fault];
}
