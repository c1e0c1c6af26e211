/* Single values of a workflow, as checks of this folder ask for them. */
#include <string.h>

#include <wpa/text.h>

#include "expr/expr.h"
#include "testing/checks.h"

bool wpa_test_says(const wpa_yaml_node *node, const char *expression)
{
    const char *text = wpa_yaml_text(node);
    if (!text) {
        return false;
    }
    size_t length = strlen(text);
    if (wpa_text_starts(text, "${{") && wpa_text_ends(text, "}}")) {
        text += strlen("${{");
        length -= strlen("${{}}");
    }
    for (; length && strchr(" \t\r\n", *text); text++, length--) {
    }
    for (; length && strchr(" \t\r\n", text[length - 1]); length--) {
    }
    return length == strlen(expression) && memcmp(text, expression, length) == 0;
}

const char *wpa_test_value_text(const wpa_yaml_node *node, wpa_arena *arena)
{
    const char *text = node ? wpa_yaml_text(node) : NULL;
    wpa_yaml_type type = text ? wpa_yaml_scalar_type(node) : WPA_YAML_TEXT;
    if (type != WPA_YAML_INT && type != WPA_YAML_FLOAT) {
        return text;
    }
    const wpa_expr_value number = wpa_expr_number(wpa_expr_text_number(text));
    const char *told = wpa_expr_value_text(&number, arena);
    return told ? told : text;
}
