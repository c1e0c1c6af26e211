/* Rights of a job's token, as its workflow declares them. Private to src/testing. */
#pragma once

#include "rules/outline.h"

typedef enum wpa_test_right_level {
    WPA_TEST_RIGHT_NONE,
    WPA_TEST_RIGHT_READ,
    WPA_TEST_RIGHT_WRITE
} wpa_test_right_level;

/** The permissions that count for a job: its own, or the workflow's; NULL: nothing is said. */
const wpa_yaml_node *wpa_test_permissions(const wpa_outline *outline, const wpa_yaml_node *job);
/**
 * What the job's token may do in a scope ("contents"). What is not declared is as wide as the forge
 * lets it be; the token for other clouds it gives to nobody who does not ask. job: its mapping.
 */
wpa_test_right_level wpa_test_right(const wpa_outline *outline, const wpa_yaml_node *job,
                                    const char *scope);
