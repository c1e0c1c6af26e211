#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness/yaml_twice.h"
#include "yaml/builder.h"

/* Each as it is, cut off, and with a mistake at every place. */
static const struct {
    const char *text;
    bool is_odd; /* left to libyaml */
} texts[] = {
    {"name: CI # c\non:\n  push:\n    branches: [main, 'rel/**', \"a\\\"b\"]\n  pull_request:\n\n"
     "env:\n  A: 'it''s'\n  B: \"\"\n  C:\n",
     false},
    {"jobs:\n  a:\n    steps:\n    - uses: x/y@v1\n      with: {a: 1, b: [2, {c: d}]}\n    - run: "
     "|\n"
     "        echo a\n\n          b  \n        c\n\n    # c\n    - name: z\n  b:\n    needs: a\n",
     false},
    {"---\n# c\na: >-\n  one\n  two\n\n    three\n  four\nb: >+\n  x\n\n\nc: |+\n  y\n\n", false},
    {"- a\n- - b\n  - c: d\n    e: f\n-\n  g\n-\n- h:\n  - i\n  - j\n  k: -1\n", false},
    {"a:\n    b: x y: z\n    c: a#b :d\n    e: ${{ x['y'] }}\n  f: g\n", true},
    {"on:\n  schedule:\n  - cron: '0 0 * * *'\n  workflow_dispatch: {}\nm:\n  [\n    a, # c\n    "
     "b\n  ]\n",
     false},
    {"key with blanks : \"caf\xc3\xa9\" \nother: plain\xe2\x82\xac text\n\n\n   \n# end", false},
    {"a: b\n  c\nd: &x e\nf: *x\n? g\n: h\n", true},
    {"a: one\n  two: three\n", true},
    {"a: b\n\xef\xbb\xbf"
     "c: d\n",
     false}, /* a byte-order mark before a line */
    {"if: a &&\n    b - c\n\n\n  d # e\nrun: x  y\n  - z\n  'q'\nk:\n  l m\n   n\n", false},
    {"a: 'b\n  c  \n\n\n d''e\n'\nf: \"g\\\n   h \\n\n i\\\n\n j\"\nk: [\"l\n m\", 'n\n\n o']\n",
     false},
    {"p: &p\n- a\n- &b c\n- *b\nq: &q # c\n  r: &r |\n    s\n  t: &t [u, v]\nw: *p\n<<: *q\nx: &x "
     "y\n  z\n",
     false},
    {"- &l\n  m: n\n- &m\n\n  # c\n  - o\n- *l\n- p\n  q\n- &n 'r\n  s'\n", false},
    {"a:\n  &b\n  c: d\ne: &f g: h\n", true},
    {"&b\n-: &b\n-", false}, /* an anchor twice, of lists that have just begun */
    {"a: &b\n- d\ne: !t &b\n- f\n", true},
};

/* What mistakes and rare styles are made of. */
static const char *const pieces[] = {"\xef\xbb\xbf",
                                     " ",
                                     "\n",
                                     "\n  ",
                                     "- ",
                                     ": ",
                                     ":",
                                     "#",
                                     " # c",
                                     "'",
                                     "\"",
                                     "|",
                                     "|-",
                                     ">\n",
                                     "[",
                                     "]",
                                     "{",
                                     "}",
                                     ",",
                                     "\\",
                                     "\t",
                                     "---\n",
                                     "...",
                                     "?",
                                     "-",
                                     "&a ",
                                     "*a",
                                     "!t ",
                                     "%",
                                     "''",
                                     "\n\n",
                                     "\n- ",
                                     "|2",
                                     "a: b",
                                     "@",
                                     "\r",
                                     "\x01",
                                     "~",
                                     "<<:",
                                     "\\n",
                                     "\xc2\x85",
                                     "\xe2\x80\xa8",
                                     "\xff",
                                     "\n \n"};

static void expect_same(const char *text, size_t size_bytes)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    if (!wpa_twice_is_same(text, size_bytes, arena)) {
        fail_msg("not as libyaml reads it:\n%.*s", (int)size_bytes, text);
    }
}

static void test_every_text_is_read_as_libyaml_reads_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < WPA_COUNT(texts); i++) {
        expect_same(texts[i].text, strlen(texts[i].text));
    }
}

static void test_broken_at_every_place(void **state)
{
    (void)state;
    char changed[1024];
    for (size_t i = 0; i < WPA_COUNT(texts); i++) {
        const char *text = texts[i].text;
        size_t n = strlen(text);
        for (size_t at = 0; at <= n; at++) {
            expect_same(text, at); /* cut off */
            memcpy(changed, text, at);
            if (at < n) { /* one byte less */
                memcpy(changed + at, text + at + 1, n - at - 1);
                expect_same(changed, n - 1);
            }
            for (size_t k = 0; k < WPA_COUNT(pieces); k++) {
                size_t length = strlen(pieces[k]);
                memcpy(changed + at, pieces[k], length);
                memcpy(changed + at + length, text + at, n - at);
                expect_same(changed, n + length);
            }
        }
    }
}

static bool is_read_quickly(const char *text, wpa_arena *arena)
{
    size_t size_bytes = strlen(text);
    char *source = wpa_arena_array(arena, size_bytes + WPA_YAML_BEHIND_BYTES, 1);
    wpa_yaml_doc doc = {.source = source, .size_bytes = size_bytes, .arena = arena};
    wpa_yaml_index_lines(&doc, wpa_yaml_take_over(source, text, size_bytes));
    wpa_yaml_index_grams(&doc);
    return wpa_yaml_read_quickly(wpa_yaml_builder_new(&doc, arena), source);
}

/* A reader that gives up would pass all of the above. */
static void test_what_most_write_is_not_given_up(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    for (size_t i = 0; i < WPA_COUNT(texts); i++) {
        assert_int_equal(is_read_quickly(texts[i].text, arena), !texts[i].is_odd);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_text_is_read_as_libyaml_reads_it),
        cmocka_unit_test(test_broken_at_every_place),
        cmocka_unit_test(test_what_most_write_is_not_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
