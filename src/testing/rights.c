#include "testing/rights.h"

#include <wpa/text.h>

static wpa_test_right_level level_named(const char *text)
{
    return wpa_text_is(text, "write")  ? WPA_TEST_RIGHT_WRITE
           : wpa_text_is(text, "read") ? WPA_TEST_RIGHT_READ
                                       : WPA_TEST_RIGHT_NONE;
}

static wpa_test_right_level level_in(const wpa_yaml_node *permissions, const char *scope)
{
    const char *text = wpa_yaml_text(permissions);
    if (text) {
        return wpa_text_is(text, "read-all") ? WPA_TEST_RIGHT_READ : WPA_TEST_RIGHT_WRITE;
    }
    return level_named(wpa_yaml_text(wpa_yaml_get(permissions, scope)));
}

const wpa_yaml_node *wpa_test_permissions(const wpa_outline *outline, const wpa_yaml_node *job)
{
    const wpa_yaml_node *own = wpa_yaml_get(job, "permissions");
    return own ? own : wpa_yaml_get(outline->root, "permissions");
}

wpa_test_right_level wpa_test_right(const wpa_outline *outline, const wpa_yaml_node *job,
                                    const char *scope)
{
    const wpa_yaml_node *at = wpa_test_permissions(outline, job);
    return at                               ? level_in(at, scope)
           : wpa_text_is(scope, "id-token") ? WPA_TEST_RIGHT_NONE
                                            : WPA_TEST_RIGHT_WRITE;
}
