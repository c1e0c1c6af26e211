#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <wpa/buf.h>
#include <wpa/yaml.h>

static const wpa_yaml_doc *parse(wpa_arena *arena, const char *text)
{
    wpa_error err = {0};
    const wpa_yaml_doc *doc = wpa_yaml_parse("t.yml", text, strlen(text), arena, &err);
    assert_non_null(doc);
    return doc;
}

static const char *slice(const wpa_yaml_doc *doc, wpa_span span, wpa_arena *arena)
{
    assert_true(span.start <= span.end && span.end <= doc->size_bytes);
    return wpa_arena_slice(arena, doc->source + span.start, span.end - span.start);
}

static void test_spans_are_byte_exact(void **state)
{
    (void)state;
    static const struct {
        const char *title, *source, *span, *full, *entry, *text;
    } cases[] = {
        {"plain", "k: v\nn: 1\n", "v", "v", "k: v\n", "v"},
        {"trailing comment", "k: v  # c\nn: 1\n", "v", "v", "k: v  # c\n", "v"},
        {"no final newline", "k: v", "v", "v", "k: v", "v"},
        {"single", "k: 'it''s'\n", "'it''s'", "'it''s'", "k: 'it''s'\n", "it's"},
        {"double", "k: \"a\\tb\"\n", "\"a\\tb\"", "\"a\\tb\"", "k: \"a\\tb\"\n", "a\tb"},
        {"empty", "k:  # c\nn: 1\n", "", "", "k:  # c\n", ""},
        {"anchor", "k: &a  v\nn: *a\n", "v", "&a  v", "k: &a  v\n", "v"},
        {"tag", "k: !!str 1\n", "1", "!!str 1", "k: !!str 1\n", "1"},
        {"anchor on nothing", "k: &a\nn: 1\n", "", "&a", "k: &a\n", ""},
        {"literal", "k: |\n  a\n  b\n\n\n# c\nn: 1\n", "|\n  a\n  b", "|\n  a\n  b",
         "k: |\n  a\n  b\n", "a\nb\n"},
        {"literal, header comment", "k: |- # c\n  a\nn: 1\n", "|- # c\n  a", "|- # c\n  a",
         "k: |- # c\n  a\n", "a"},
        {"literal, kept", "k: |+\n  a\n\nn: 1\n", "|+\n  a", "|+\n  a", "k: |+\n  a\n", "a\n\n"},
        {"literal without text", "k: | # c\nn: 1\n", "|", "|", "k: | # c\n", ""},
        {"folded", "k: >\n  a\n  b\n", ">\n  a\n  b", ">\n  a\n  b", "k: >\n  a\n  b\n", "a b\n"},
        {"plain over lines", "k: a\n  b\nn: 1\n", "a\n  b", "a\n  b", "k: a\n  b\n", "a b"},
        {"crlf", "k: v\r\nn: 1\r\n", "v", "v", "k: v\r\n", "v"},
        {"crlf literal", "k: |\r\n  a\r\n  b\r\nn: 1\r\n", "|\r\n  a\r\n  b", "|\r\n  a\r\n  b",
         "k: |\r\n  a\r\n  b\r\n", "a\nb\n"},
        {"bom", "\xef\xbb\xbfk: v\n", "v", "v", "k: v\n", "v"},
        {"non-ASCII before", "# äöü €\nk: 'ä€𝄞'  # x\n", "'ä€𝄞'", "'ä€𝄞'", "k: 'ä€𝄞'  # x\n",
         "ä€𝄞"},
    };
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        const wpa_yaml_doc *doc = parse(arena, cases[i].source);
        const wpa_yaml_node *node = wpa_yaml_get(doc->root, "k");
        assert_non_null(node);
        print_message("%s\n", cases[i].title);
        assert_string_equal(slice(doc, node->span, arena), cases[i].span);
        assert_string_equal(slice(doc, wpa_yaml_full(node), arena), cases[i].full);
        assert_string_equal(slice(doc, wpa_yaml_entry_span(node), arena), cases[i].entry);
        assert_string_equal(node->text, cases[i].text);
    }
}

static void test_collections_end_with_their_last_child(void **state)
{
    (void)state;
    static const struct {
        const char *title, *source, *span, *entry;
    } cases[] = {
        {"block mapping", "k:\n  a: 1\n  b: 2  # c\n\n# far\nn: 1\n", "a: 1\n  b: 2",
         "k:\n  a: 1\n  b: 2  # c\n"},
        {"block sequence", "k:\n  - a\n  - b\n\nn: 1\n", "- a\n  - b", "k:\n  - a\n  - b\n"},
        {"sequence without indent", "k:\n- a\n- b\nn: 1\n", "- a\n- b", "k:\n- a\n- b\n"},
        {"flow", "k: [a, b ] # c\n", "[a, b ]", "k: [a, b ] # c\n"},
        {"flow mapping over lines", "k: {a: 1,\n  b: 2\n}\nn: 1\n", "{a: 1,\n  b: 2\n}",
         "k: {a: 1,\n  b: 2\n}\n"},
        {"anchored", "k: &x\n  # c\n  a: 1\nn: 1\n", "a: 1", "k: &x\n  # c\n  a: 1\n"},
        {"literal at the end", "k:\n  a: |\n    x\n\n\nn: 1\n", "a: |\n    x",
         "k:\n  a: |\n    x\n"},
        {"no final newline", "k:\n  a:\n    b: c", "a:\n    b: c", "k:\n  a:\n    b: c"},
    };
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        const wpa_yaml_doc *doc = parse(arena, cases[i].source);
        const wpa_yaml_node *node = wpa_yaml_get(doc->root, "k");
        print_message("%s\n", cases[i].title);
        assert_string_equal(slice(doc, node->span, arena), cases[i].span);
        assert_string_equal(slice(doc, wpa_yaml_entry_span(node), arena), cases[i].entry);
    }
}

static void test_items_know_their_dash(void **state)
{
    (void)state;
    static const struct {
        const char *title, *source, *entry;
        size_t item, dash;
    } cases[] = {
        {"first", "- a\n- b\n", "- a\n", 0, 0},
        {"second", "- a # - x\n- b\n", "- b\n", 1, 10},
        {"mapping", "- x: 1\n  y: 2\n- b\n", "- x: 1\n  y: 2\n", 0, 0},
        {"dash above", "-\n  # c - d\n  a\n- b\n", "-\n  # c - d\n  a\n", 0, 0},
        {"empty", "- a\n-\n- c\n", "-\n", 1, 4},
        {"nested", "- - a\n  - b\n", "- - a\n  - b\n", 0, 0},
        {"anchored", "- &x a\n- *x\n", "- &x a\n", 0, 0},
    };
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        const wpa_yaml_doc *doc = parse(arena, cases[i].source);
        const wpa_yaml_node *node = doc->root->items[cases[i].item];
        print_message("%s\n", cases[i].title);
        assert_int_equal(wpa_yaml_dash(node), cases[i].dash);
        assert_string_equal(slice(doc, wpa_yaml_entry_span(node), arena), cases[i].entry);
    }
}

/* The piece [from, to) of the decoded text, and the bytes it was written with. */
static void test_decoded_text_leads_back_to_its_source(void **state)
{
    (void)state;
    static const struct {
        const char *title, *source, *decoded, *piece, *written;
    } cases[] = {
        {"plain", "k: a ${{ b }}\n", "a ${{ b }}", "${{ b }}", "${{ b }}"},
        {"single quotes doubled", "k: 'x == ''a'' b'\n", "x == 'a' b", "'a'", "''a''"},
        {"escapes", "k: \"a\\tb\\u00e9c\\x41!\"\n", "a\tbécA!", "\tbécA", "\\tb\\u00e9c\\x41"},
        {"escaped astral", "k: \"\\U0001d11e!\"\n", "𝄞!", "𝄞", "\\U0001d11e"},
        {"escaped quote", "k: \"say \\\"hi\\\" now\"\n", "say \"hi\" now", "\"hi\"", "\\\"hi\\\""},
        {"folded plain", "k: one\n  two\n\n  three\n", "one two\nthree", "two\nthree",
         "two\n\n  three"},
        {"folded double", "k: \"one\n  two \\\n  three\"\n", "one two three", "two three",
         "two \\\n  three"},
        {"folded double, blanks before the break", "k: \"a  \n  b\"\n", "a b", "a b", "a  \n  b"},
        {"literal", "k: |\n  a ${{ x }}\n    b\n\n  c\n", "a ${{ x }}\n  b\n\nc\n", "  b\n\nc",
         "  b\n\n  c"},
        {"literal, first lines blank", "k: |\n\n   \n  a\n", NULL, NULL, NULL},
        {"literal with indicator", "k: |2\n    a\n  b\n", "  a\nb\n", "a\nb", "a\n  b"},
        {"literal, stripped", "k: |-\n  a\n  b\n\n", "a\nb", "b", "b"},
        {"literal, kept", "k: |+\n  a\n\n\nn: 1\n", "a\n\n\n", "\n\n\n", "\n\n\n"},
        {"literal, line of blanks", "k: |\n  a\n     \n  b\n", "a\n   \nb\n", "   \nb", "   \n  b"},
        {"literal crlf", "k: |\r\n  a\r\n  b\r\n", "a\nb\n", "a\nb", "a\r\n  b"},
        {"folded block", "k: >-\n  one\n  two\n\n  three\n", "one two\nthree", "two\nthree",
         "two\n\n  three"},
        {"folded block, more indented", "k: >\n  a\n   b\n  c\n", "a\n b\nc\n", " b\nc", " b\n  c"},
        {"non-ASCII", "# ä\nk: 'ä''€'\n", "ä'€", "'€", "''€"},
        {"flow", "{n: 1, k: 'a ''b'' c'}\n", "a 'b' c", "'b' c", "''b'' c"},
        {"flow plain over lines", "{k: a\n    b c,\n n: 1}\n", "a b c", "b c", "b c"},
        {"anchor before quotes", "k: &a \"x\\ty\"\n", "x\ty", "\ty", "\\ty"},
        {"anchor before a block", "k: &a |\n  x\n  y\n", "x\ny\n", "y", "y"},
        {"single over lines", "k: 'a\n  b ''c''\n\n  d'\n", "a b 'c'\nd", "'c'\nd", "''c''\n\n  d"},
        {"double, escaped break and blanks", "k: \"a\\\n   \\  b\"\n", "a  b", "b", "b"},
        {"double, astral pair by name", "k: \"\\N\\_x\"\n", "\xc2\x85\xc2\xa0x", "x", "x"},
        {"plain crlf", "k: a\r\n  b c\r\n", "a b c", "b c", "b c"},
        {"double crlf", "k: \"a\r\n  b c\"\r\n", "a b c", "b c", "b c"},
        {"folded crlf", "k: >\r\n  a\r\n  b\r\n", "a b\n", "a b", "a\r\n  b"},
        {"folded with indicators", "k: >2-\n    a\n  b\n", "  a\nb", "a\nb", "a\n  b"},
        {"literal, indicator behind the chomp", "k: |-2\n   a\n  b\n", " a\nb", "a\nb", "a\n  b"},
        {"literal, header comment", "k: | # a comment\n  a\n", "a\n", "a", "a"},
        {"literal with tabs", "k: |\n  a\tb\n  \tc\n", "a\tb\n\tc\n", "\tb\n\tc", "\tb\n  \tc"},
        {"bom", "\xef\xbb\xbfk: 'a ''b'\n", "a 'b", "'b", "''b"},
        {"bom and literal", "\xef\xbb\xbfk: |\n  a\n  b\n", "a\nb\n", "a\nb", "a\n  b"},
        {"literal non-ASCII", "k: |\n  ä ${{ x }}\n  €\n", "ä ${{ x }}\n€\n", "${{ x }}\n€",
         "${{ x }}\n  €"},
    };
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        const wpa_yaml_doc *doc = parse(arena, cases[i].source);
        print_message("%s\n", cases[i].title);
        if (!cases[i].decoded) {
            /* A blank line with more blanks than the first line of text is not YAML. */
            assert_true(doc->is_partial);
            continue;
        }
        const wpa_yaml_node *node = wpa_yaml_get(doc->root, "k");
        assert_string_equal(node->text, cases[i].decoded);
        assert_true(wpa_yaml_map_is_exact(wpa_yaml_map_new(node, arena)));
        const char *found = strstr(node->text, cases[i].piece);
        assert_non_null(found);
        size_t from = (size_t)(found - node->text);
        wpa_span span = wpa_yaml_source_span(node, from, from + strlen(cases[i].piece));
        assert_string_equal(slice(doc, span, arena), cases[i].written);
    }
}

static void test_positions_count_code_points(void **state)
{
    (void)state;
    static const struct {
        const char *source;
        size_t offset, line, column;
    } cases[] = {
        {"a: b\nc: d\n", 5, 2, 1},
        {"a: b\nc: d\n", 8, 2, 4},
        {"ä€: b\n", 5, 1, 3},
        {"a\r\nb", 3, 2, 1},
        {"\xef\xbb\xbf"
         "a: b",
         3, 1, 1},
        {"a\rb", 2, 2, 1},
        {"", 0, 1, 1},
    };
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        const wpa_yaml_doc *doc = parse(arena, cases[i].source);
        wpa_position at = wpa_yaml_position(doc, cases[i].offset);
        assert_int_equal(at.line, cases[i].line);
        assert_int_equal(at.column, cases[i].column);
        assert_int_equal(wpa_yaml_offset(doc, at), cases[i].offset);
    }
}

static void test_comments(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const wpa_yaml_doc *doc = parse(arena, "# one\n"
                                           "a: b#c # two\n"
                                           "c: 'x # no' # three\n"
                                           "d: | # four\n"
                                           "  # no\n"
                                           "  #no\n"
                                           "  # five? no, text\n"
                                           "# six\n"
                                           "e: [a, # seven\n"
                                           "  b]\n"
                                           "f: x#no\n"
                                           "  # eight");
    static const struct {
        const char *text;
        size_t line;
        bool is_own_line;
    } expected[] = {{"# one", 1, true},   {"# two", 2, false}, {"# three", 3, false},
                    {"# four", 4, false}, {"# six", 8, true},  {"# seven", 9, false},
                    {"# eight", 12, true}};
    assert_int_equal(doc->n_comments, WPA_COUNT(expected));
    for (size_t i = 0; i < WPA_COUNT(expected); i++) {
        assert_string_equal(slice(doc, doc->comments[i].span, arena), expected[i].text);
        assert_int_equal(doc->comments[i].line, expected[i].line);
        assert_int_equal(doc->comments[i].is_own_line, expected[i].is_own_line);
    }
}

static void test_faults_are_found_and_the_tree_stays(void **state)
{
    (void)state;
    static const struct {
        const char *title, *source;
        wpa_yaml_fault fault;
        const char *at; /* the faulty text */
        bool is_partial;
        const char *kept; /* a key of the root that must still be there */
    } cases[] = {
        {"duplicate key", "a: 1\nb: 2\na: 3\n", WPA_YAML_FAULT_DUPLICATE_KEY, "a", false, "b"},
        {"undefined alias", "a: *x\n", WPA_YAML_FAULT_UNDEFINED_ALIAS, "*x", false, NULL},
        {"recursive alias", "a: &x\n  b: *x\n", WPA_YAML_FAULT_RECURSIVE_ALIAS, "*x", false, "a"},
        {"merge key", "a: &x {b: 1}\nc:\n  <<: *x\n", WPA_YAML_FAULT_MERGE_KEY, "<<", false, "c"},
        {"second document", "a: 1\n---\nb: 2\n", WPA_YAML_FAULT_SECOND_DOCUMENT, "---", true, "a"},
        {"bom",
         "\xef\xbb\xbf"
         "a: 1\n",
         WPA_YAML_FAULT_BOM, "\xef\xbb\xbf", false, "a"},
        {"cr", "a: 1\rb: 2\r", WPA_YAML_FAULT_CR_LINE, "\r", false, "b"},
        {"tab", "a:\n\tb: 1\n", WPA_YAML_FAULT_TAB, "\t", true, "a"},
        {"tag", "a: !x 1\n", WPA_YAML_FAULT_TAG, "!x ", false, "a"},
        {"quoted number", "a: !!int \"1\"\n", WPA_YAML_FAULT_TAG, "!!int ", false, "a"},
        {"empty", "# nothing\n", WPA_YAML_FAULT_EMPTY, "", false, NULL},
        {"bad UTF-8", "a: 1\nb: x\xffy\n", WPA_YAML_FAULT_ENCODING, "\xff", false, "b"},
        {"control", "a: 1\nb: x\x01y\n", WPA_YAML_FAULT_ENCODING, "\x01", false, "b"},
        {"not YAML", "a: 1\nb: [1, 2\nc: 3\n", WPA_YAML_FAULT_SYNTAX, NULL, true, "c"},
        {"open quote", "a: 1\nb: \"x\n", WPA_YAML_FAULT_SYNTAX, NULL, true, "a"},
        {"anchor twice", "a: &x 1\nb: &x 2\n", WPA_YAML_FAULT_REDEFINED_ANCHOR, "&x", false, "b"},
    };
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        const wpa_yaml_doc *doc = parse(arena, cases[i].source);
        print_message("%s\n", cases[i].title);
        assert_int_equal(doc->n_diagnostics, 1);
        assert_int_equal(doc->diagnostics[0].fault, cases[i].fault);
        assert_true(*doc->diagnostics[0].message != '\0');
        if (cases[i].at) {
            assert_string_equal(slice(doc, doc->diagnostics[0].span, arena), cases[i].at);
        }
        assert_int_equal(doc->is_partial, cases[i].is_partial);
        if (cases[i].kept) {
            assert_non_null(wpa_yaml_find(doc->root, cases[i].kept));
        }
    }
}

/* A job with two steps and another job; the mistake is put into one place of it. */
#define BEFORE "on: push\njobs:\n  a:\n    runs-on: x\n"
#define STEPS "    steps:\n      - run: one\n"
#define AFTER "      - run: two\n  b:\n    runs-on: y\n"

/* What is read of a broken file: "on a.runs-on a.1 b.runs-on", steps by their number. */
static const char *summary(const wpa_yaml_doc *doc, wpa_arena *arena)
{
    WPA_AUTO(wpa_buf) *buf = wpa_buf_new(4096);
    const wpa_yaml_node *jobs = wpa_yaml_get(doc->root, "jobs");
    for (size_t i = 0; jobs && i < jobs->n_pairs; i++) {
        const wpa_yaml_node *job = jobs->pairs[i].value;
        wpa_buf_printf(buf, "%s%s%s(", i ? " " : "", jobs->pairs[i].key->text,
                       job->is_incomplete ? "!" : "");
        for (size_t k = 0; k < job->n_pairs; k++) {
            wpa_buf_printf(buf, "%s%s", k ? " " : "", job->pairs[k].key->text);
        }
        const wpa_yaml_node *steps = wpa_yaml_get(job, "steps");
        for (size_t k = 0; steps && k < steps->n_items; k++) {
            wpa_buf_printf(buf, " %s%s", wpa_yaml_text(wpa_yaml_get(steps->items[k], "run")),
                           steps->items[k]->is_incomplete ? "!" : "");
        }
        wpa_buf_text(buf, ")");
    }
    return wpa_buf_dup(buf, arena);
}

static void test_a_broken_entry_is_read_around(void **state)
{
    (void)state;
    static const struct {
        const char *title, *source;
        size_t n_faults, line; /* of the first */
        const char *read;
    } cases[] = {
        {"nothing broken", BEFORE STEPS AFTER, 0, 0, "a(runs-on steps one two) b(runs-on)"},
        {"key of a job", BEFORE "    name: x: y\n" STEPS AFTER, 1, 5,
         "a!(runs-on steps one two) b(runs-on)"},
        {"open list in a job", BEFORE "    needs: [x\n" STEPS AFTER, 1, 5,
         "a!(runs-on steps one two) b(runs-on)"},
        {"open quote in a job", BEFORE "    name: 'x\n" STEPS AFTER, 1, 5,
         "a!(runs-on steps one two) b(runs-on)"},
        {"tab in a job", BEFORE "\tname: x\n" STEPS AFTER, 1, 5,
         "a!(runs-on steps one two) b(runs-on)"},
        {"key of a step", BEFORE STEPS "      - name: x: y\n        run: three\n" AFTER, 1, 7,
         "a!(runs-on steps one two) b(runs-on)"},
        {"below a key of a step",
         BEFORE STEPS "      - run: three\n        env:\n          A: b: c\n        id: x\n" AFTER,
         1, 9, "a!(runs-on steps one two) b(runs-on)"},
        {"script indented too little",
         BEFORE STEPS "      - run: |\n          three\n    four\n          five\n" AFTER, 1, 9,
         "a!(runs-on steps one two) b(runs-on)"},
        {"item indented otherwise", BEFORE STEPS "     - run: three\n" AFTER, 1, 7,
         "a!(runs-on steps one two) b(runs-on)"},
        {"two mistakes", BEFORE "    name: 'x\n" STEPS "      - run: [x\n" AFTER, 2, 5,
         "a!(runs-on steps one two) b(runs-on)"},
        {"last line", BEFORE STEPS AFTER "    name: \"x\n", 1, 10,
         "a(runs-on steps one two) b!(runs-on)"},
    };
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        const wpa_yaml_doc *doc = parse(arena, cases[i].source);
        print_message("%s\n", cases[i].title);
        assert_int_equal(doc->n_diagnostics, cases[i].n_faults);
        assert_int_equal(doc->is_partial, cases[i].n_faults > 0);
        if (cases[i].n_faults) {
            assert_int_equal(wpa_yaml_line_of(doc, doc->diagnostics[0].span.start), cases[i].line);
        }
        assert_string_equal(summary(doc, arena), cases[i].read);
        assert_string_equal(wpa_yaml_text(wpa_yaml_get(doc->root, "on")), "push");
    }
}

static void test_limits(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_error err = {0};
    size_t size_bytes = WPA_YAML_MAX_BYTES;
    char *text = wpa_arena_alloc(arena, size_bytes + 1);
    memset(text, '[', size_bytes + 1);
    assert_null(wpa_yaml_parse("big.yml", text, size_bytes + 1, arena, &err));
    assert_int_equal(err.code, WPA_E_LIMIT);
    const wpa_yaml_doc *deep = wpa_yaml_parse("deep.yml", text, size_bytes, arena, &err);
    assert_int_equal(deep->diagnostics[0].fault, WPA_YAML_FAULT_LIMIT);
    assert_true(deep->is_partial);

    WPA_AUTO(wpa_buf) *bomb = wpa_buf_new(65536);
    wpa_buf_text(bomb, "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for (int i = 1; i < 12; i++) {
        wpa_buf_printf(bomb, "a%d: &a%d [", i, i);
        for (int k = 0; k < 10; k++) {
            wpa_buf_printf(bomb, "%s*a%d", k ? ", " : "", i - 1);
        }
        wpa_buf_text(bomb, "]\n");
    }
    const wpa_yaml_doc *doc =
        wpa_yaml_parse("bomb.yml", wpa_buf_data(bomb), wpa_buf_size(bomb), arena, &err);
    assert_int_equal(doc->n_diagnostics, 1);
    assert_int_equal(doc->diagnostics[0].fault, WPA_YAML_FAULT_LIMIT);
    assert_null(wpa_yaml_resolve(wpa_yaml_get(doc->root, "a11")->items[9]));
    assert_non_null(wpa_yaml_resolve(wpa_yaml_get(doc->root, "a1")->items[9]));

    memset(text, 'x', WPA_YAML_MAX_SCALAR_BYTES + 1);
    doc = wpa_yaml_parse("scalar.yml", text, WPA_YAML_MAX_SCALAR_BYTES + 1, arena, &err);
    assert_int_equal(doc->diagnostics[0].fault, WPA_YAML_FAULT_LIMIT);
    assert_true(doc->root->is_incomplete);
}

static void test_aliases_and_merges_are_followed(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const wpa_yaml_doc *doc = parse(arena, "base: &b {x: 1, y: 2}\n"
                                           "more: &m {z: 9, x: 8}\n"
                                           "own:\n"
                                           "  <<: [*b, *m]\n"
                                           "  y: 3\n"
                                           "same: *b\n");
    const wpa_yaml_node *own = wpa_yaml_get(doc->root, "own");
    assert_string_equal(wpa_yaml_text(wpa_yaml_get(own, "x")), "1");
    assert_string_equal(wpa_yaml_text(wpa_yaml_get(own, "y")), "3");
    assert_string_equal(wpa_yaml_text(wpa_yaml_get(own, "z")), "9");
    assert_null(wpa_yaml_get(own, "w"));
    size_t n = 0;
    const wpa_yaml_pair *pairs = wpa_yaml_pairs_merged(own, arena, &n);
    assert_int_equal(n, 3);
    assert_string_equal(pairs[0].key->text, "y");
    assert_string_equal(pairs[1].key->text, "x");
    assert_ptr_equal(wpa_yaml_get(doc->root, "same"), wpa_yaml_get(doc->root, "base"));
    assert_int_equal(doc->n_anchored, 2);
    assert_int_equal(wpa_yaml_n_uses(doc->anchored[0]), 2);
}

static void test_what_a_file_cannot_hold_is_told_at_once(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const wpa_yaml_doc *doc = parse(arena, "a: Secrets of the house\n"
                                           "b: \"\\x74oken, \\u0070assword\"\n");
    static const char *const there[] = {"secrets", "SECRETS OF", "the house\nb", "token, p", "xy"};
    static const char *const not_there[] = {"secrets.", "mansion", "token: p", "passwords"};
    for (size_t i = 0; i < WPA_COUNT(there); i++) {
        assert_true(wpa_yaml_may_hold(doc, there[i]));
    }
    for (size_t i = 0; i < WPA_COUNT(not_there); i++) {
        assert_false(wpa_yaml_may_hold(doc, not_there[i]));
    }
    wpa_yaml_add_text(doc, "mansions", strlen("mansion"));
    assert_true(wpa_yaml_may_hold(doc, "mansion"));
    assert_false(wpa_yaml_may_hold(doc, "mansions"));
    assert_false(wpa_yaml_may_name(doc, "docker"));
    wpa_yaml_add_name(doc, "docker");
    assert_true(wpa_yaml_may_name(doc, "docker"));
    assert_false(wpa_yaml_may_name(doc, "Docker"));
    assert_true(wpa_yaml_may_hold(parse(arena, ""), "abc"));
    assert_false(wpa_yaml_may_hold(parse(arena, ""), "abcd"));
}

static void test_types(void **state)
{
    (void)state;
    static const struct {
        const char *source;
        wpa_yaml_type type;
    } cases[] = {
        {"true", WPA_YAML_BOOL},      {"False", WPA_YAML_BOOL}, {"yes", WPA_YAML_TEXT},
        {"on", WPA_YAML_TEXT},        {"~", WPA_YAML_NULL},     {"null", WPA_YAML_NULL},
        {"", WPA_YAML_NULL},          {"''", WPA_YAML_TEXT},    {"12", WPA_YAML_INT},
        {"-3", WPA_YAML_INT},         {"0x1F", WPA_YAML_INT},   {"0o17", WPA_YAML_INT},
        {"010", WPA_YAML_INT},        {"1.10", WPA_YAML_FLOAT}, {"1e3", WPA_YAML_FLOAT},
        {".5", WPA_YAML_FLOAT},       {".inf", WPA_YAML_FLOAT}, {"-.inf", WPA_YAML_FLOAT},
        {".nan", WPA_YAML_FLOAT},     {".", WPA_YAML_TEXT},     {"1e", WPA_YAML_TEXT},
        {"1.2.3", WPA_YAML_TEXT},     {"'12'", WPA_YAML_TEXT},  {"!!str 12", WPA_YAML_TEXT},
        {"!!int '12'", WPA_YAML_INT},
    };
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        const wpa_yaml_doc *doc = parse(arena, wpa_arena_printf(arena, "k: %s\n", cases[i].source));
        print_message("%s\n", cases[i].source);
        assert_int_equal(wpa_yaml_scalar_type(wpa_yaml_get(doc->root, "k")), cases[i].type);
    }
}

static bool read_all(const wpa_yaml_node *root, wpa_error *err)
{
    static const char *const keys[] = {"name", "count", "share", "live", "wait", "mode", "hosts"};
    static const char *const modes[] = {"fast", "slow"};
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const wpa_yaml_node *box = wpa_yaml_need(root, "box", err);
    const char *name = "none";
    const char *const *hosts = NULL;
    int64_t count = 0, wait_ms = 0;
    double share = 0;
    bool is_live = false;
    int mode = 0;
    size_t n_hosts = 0;
    return box && wpa_yaml_check_keys(box, keys, WPA_COUNT(keys), err) &&
           wpa_yaml_get_text(box, "name", &name, err) &&
           wpa_yaml_get_int(box, "count", 1, 10, &count, err) &&
           wpa_yaml_get_double(box, "share", 0, 1, &share, err) &&
           wpa_yaml_get_bool(box, "live", &is_live, err) &&
           wpa_yaml_get_duration_ms(box, "wait", &wait_ms, err) &&
           wpa_yaml_get_choice(box, "mode", modes, WPA_COUNT(modes), &mode, err) &&
           wpa_yaml_get_texts(box, "hosts", arena, &hosts, &n_hosts, err);
}

static void test_configuration_errors_name_place_field_and_expectation(void **state)
{
    (void)state;
    static const struct {
        const char *source, *message; /* NULL: it is fine */
    } cases[] = {
        {"box: {name: a, count: 3, share: 0.5, live: true, wait: 5m, mode: slow, hosts: [a, b]}\n",
         NULL},
        {"box: {hosts: one, name: }\n", NULL},
        {"box:\n  name: [1]\n", "t.yml:2:9: box.name: expected text, got a list"},
        {"box:\n  count: 11\n",
         "t.yml:2:10: box.count: expected a whole number from 1 to 10, got '11'"},
        {"box:\n  share: big\n", "t.yml:2:10: box.share: expected a number from 0 to 1, got 'big'"},
        {"box:\n  live: yes\n", "t.yml:2:9: box.live: expected true or false, got 'yes'"},
        {"box:\n  wait: soon\n",
         "t.yml:2:9: box.wait: expected a time such as 90s, 10m or 2h, got 'soon'"},
        {"box:\n  mode: fest\n", "t.yml:2:9: box.mode: expected one of fast, slow, got 'fest'"},
        {"box:\n  hosts:\n    - a\n    - {}\n",
         "t.yml:4:7: box.hosts[1]: expected text, got a mapping"},
        {"box:\n  nane: a\n", "t.yml:2:3: box.nane: unknown key 'nane'; did you mean 'name'?"},
        {"bix: 1\n", "t.yml:1:1: missing 'box'"},
    };
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        wpa_error err = {0};
        bool is_read = read_all(parse(arena, cases[i].source)->root, &err);
        if (!is_read) {
            assert_int_equal(err.code, WPA_E_INVALID);
        }
        assert_string_equal(is_read ? "" : err.message, cases[i].message ? cases[i].message : "");
    }
}

static void test_strict_parsing_names_the_place(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_error err = {0};
    const char *text = "a: 1\na: 2\n";
    assert_null(wpa_yaml_parse_strict("x.yml", text, strlen(text), arena, &err));
    assert_string_equal(err.message, "x.yml:2:1: key 'a' is written twice");
    assert_null(wpa_yaml_load("/no/such/file.yml", arena, &err));
    assert_int_equal(err.code, WPA_E_NOT_FOUND);
}

static void test_paths_and_places(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const wpa_yaml_doc *doc = parse(arena, "jobs:\n  build:\n    steps:\n      - uses: a\n");
    const wpa_yaml_node *node =
        wpa_yaml_node_at(doc, strlen("jobs:\n  build:\n    steps:\n      - uses: "));
    assert_string_equal(node->text, "a");
    assert_string_equal(wpa_yaml_path(node, arena), "jobs.build.steps[0].uses");
    assert_int_equal(wpa_yaml_indent(doc, node->span.start), 6);
    assert_null(wpa_yaml_node_at(doc, doc->size_bytes));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spans_are_byte_exact),
        cmocka_unit_test(test_collections_end_with_their_last_child),
        cmocka_unit_test(test_items_know_their_dash),
        cmocka_unit_test(test_decoded_text_leads_back_to_its_source),
        cmocka_unit_test(test_positions_count_code_points),
        cmocka_unit_test(test_comments),
        cmocka_unit_test(test_faults_are_found_and_the_tree_stays),
        cmocka_unit_test(test_a_broken_entry_is_read_around),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_aliases_and_merges_are_followed),
        cmocka_unit_test(test_what_a_file_cannot_hold_is_told_at_once),
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_configuration_errors_name_place_field_and_expectation),
        cmocka_unit_test(test_strict_parsing_names_the_place),
        cmocka_unit_test(test_paths_and_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
