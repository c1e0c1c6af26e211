#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <wpa/buf.h>

#include "xml/xml.h"

static void reads_a_tree(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_error err = {0};
    const char *text = "<?xml version=\"1.0\"?><a x='1' y=\"&lt;\"><b>t<!-- c -->u<![CDATA[<]]></b>"
                       "<c/><b/></a>";
    const wpa_xml *root = wpa_xml_parse(text, strlen(text), arena, &err);
    assert_non_null(root);
    assert_string_equal("a", wpa_xml_name(root));
    assert_string_equal("<", wpa_xml_attribute(root, "y"));
    assert_null(wpa_xml_attribute(root, "z"));
    const wpa_xml *b = wpa_xml_find(root, "b");
    assert_string_equal("tu<", wpa_xml_text(b));
    assert_string_equal("c", wpa_xml_name(wpa_xml_next(b)));
    assert_null(wpa_xml_next(wpa_xml_next(wpa_xml_next(b))));
    assert_null(wpa_xml_find(root, "d"));
    assert_null(wpa_xml_child(b));
}

static const struct {
    const char *title, *text;
    wpa_code code;
} bad[] = {
    {"nothing", "", WPA_E_INVALID},
    {"unclosed", "<a>text<b>", WPA_E_INVALID},
    {"doctype", "<!DOCTYPE a><a/>", WPA_E_INVALID},
    {"entity bomb", "<!DOCTYPE a [<!ENTITY x \"yyyy\"><!ENTITY z \"&x;&x;\">]><a>&z;</a>",
     WPA_E_INVALID},
    {"unknown entity", "<a>&x;</a>", WPA_E_INVALID},
    {"two roots", "<a/><a/>", WPA_E_INVALID},
    {"attribute twice", "<a x='1' x='2'/>", WPA_E_INVALID},
};

static void refuses(void **state)
{
    (void)state;
    for (size_t i = 0; i < WPA_COUNT(bad); i++) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        wpa_error err = {0};
        print_message("%s\n", bad[i].title);
        assert_null(wpa_xml_parse(bad[i].text, strlen(bad[i].text), arena, &err));
        assert_int_equal(bad[i].code, err.code);
        assert_non_null(strstr(err.message, "line 1"));
    }
}

static void limits_depth(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    WPA_AUTO(wpa_buf) *buf = wpa_buf_new(1 << 20);
    wpa_error err = {0};
    for (int i = 0; i < 1000; i++) {
        wpa_buf_text(buf, "<a>x");
    }
    assert_null(wpa_xml_parse(wpa_buf_data(buf), wpa_buf_size(buf), arena, &err));
    assert_int_equal(WPA_E_LIMIT, err.code);
    assert_null(wpa_xml_parse("", WPA_XML_MAX_BYTES + 1, arena, &err));
    assert_int_equal(WPA_E_LIMIT, err.code);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_tree),
        cmocka_unit_test(refuses),
        cmocka_unit_test(limits_depth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
