#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <wpa/buf.h>

#include "expr/expr.h"

/* The tree as text: (op a b), names plain, strings in quotes. */
static void put(wpa_buf *buf, const wpa_expr *e)
{
    static const char *const names[] = {
        [WPA_EXPR_MEMBER] = ".", [WPA_EXPR_INDEX] = "[]", [WPA_EXPR_STAR] = "*",
        [WPA_EXPR_NOT] = "!",    [WPA_EXPR_AND] = "&&",   [WPA_EXPR_OR] = "||",
        [WPA_EXPR_EQ] = "==",    [WPA_EXPR_NE] = "!=",    [WPA_EXPR_LT] = "<",
        [WPA_EXPR_LE] = "<=",    [WPA_EXPR_GT] = ">",     [WPA_EXPR_GE] = ">=",
    };
    if (e->kind == WPA_EXPR_NULL) {
        wpa_buf_text(buf, "null");
    } else if (e->kind == WPA_EXPR_BOOL) {
        wpa_buf_text(buf, e->number > 0 ? "true" : "false");
    } else if (e->kind == WPA_EXPR_NUMBER) {
        wpa_buf_printf(buf, "%g", e->number);
    } else if (e->kind == WPA_EXPR_STRING) {
        wpa_buf_printf(buf, "'%s'", e->text);
    } else if (e->kind == WPA_EXPR_NAME) {
        wpa_buf_text(buf, e->text);
    } else {
        wpa_buf_printf(buf, "(%s", e->kind == WPA_EXPR_CALL ? e->text : names[e->kind]);
        for (size_t i = 0; i < e->n_args; i++) {
            wpa_buf_char(buf, ' ');
            put(buf, e->args[i]);
        }
        if (e->kind == WPA_EXPR_MEMBER) {
            wpa_buf_printf(buf, " %s", e->text);
        }
        wpa_buf_char(buf, ')');
    }
}

static void test_expressions_become_trees(void **state)
{
    (void)state;
    static const struct {
        const char *text, *tree;
    } cases[] = {
        {" true ", "true"},
        {"null", "null"},
        {"-0x1F", NULL},
        {"0x1F", "31"},
        {"0o17", "15"},
        {"-1.5e3", "-1500"},
        {".5", "0.5"},
        {"'it''s'", "'it's'"},
        {"github.event.pull_request.title", "(. (. (. github event) pull_request) title)"},
        {"github['event'].x", "(. ([] github 'event') x)"},
        {"a.*.b[0][*]", "(* ([] (. (* a) b) 0))"},
        {"steps.a-b_c.outputs.x", "(. (. (. steps a-b_c) outputs) x)"},
        {"a || b && c == d", "(|| a (&& b (== c d)))"},
        {"a && b || c && d", "(|| (&& a b) (&& c d))"},
        {"a == b != c", "(!= (== a b) c)"},
        {"a < b == c >= d", "(== (< a b) (>= c d))"},
        {"!a.b && !!c", "(&& (! (. a b)) (! (! c)))"},
        {"!(a || b)", "(! (|| a b))"},
        {"contains(github.ref, 'x') || always()", "(|| (contains (. github ref) 'x') (always))"},
        {"fromJSON('[1]')[0].a", "(. ([] (fromJSON '[1]') 0) a)"},
        {"a[b.c]", "([] a (. b c))"},
    };
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        wpa_expr_parsed parsed = wpa_expr_parse(cases[i].text, strlen(cases[i].text), arena);
        print_message("%s\n", cases[i].text);
        if (!cases[i].tree) {
            assert_null(parsed.root);
            continue;
        }
        assert_non_null(parsed.root);
        WPA_AUTO(wpa_buf) *buf = wpa_buf_new(4096);
        put(buf, parsed.root);
        assert_string_equal(wpa_buf_data(buf), cases[i].tree);
    }
}

static void assert_same_tree(const wpa_expr *a, const wpa_expr *b)
{
    assert_int_equal(a->kind, b->kind);
    assert_memory_equal(&a->span, &b->span, sizeof a->span);
    assert_memory_equal(&a->name_span, &b->name_span, sizeof a->name_span);
    assert_string_equal(a->text ? a->text : "", b->text ? b->text : "");
    assert_true(a->number <= b->number && a->number >= b->number);
    assert_int_equal(a->n_args, b->n_args);
    for (size_t i = 0; i < a->n_args; i++) {
        assert_same_tree(a->args[i], b->args[i]);
    }
}

/* A chain of names alone is read in another way than one among other things. */
static void test_chains_are_the_same_trees_wherever_they_stand(void **state)
{
    (void)state;
    static const char *const chains[] = {"github.ref",
                                         " github.event.number\t",
                                         "\n a.b",
                                         "a-b.c_d.e1-",
                                         "_a._b",
                                         "truex.y",
                                         "trues.x.null",
                                         "steps.a.outputs.b ",
                                         "true.x",
                                         "null.a.b",
                                         "Infinity.a",
                                         "a.true",
                                         "a.b.c.d.e.f.g.h.i.j"};
    for (size_t i = 0; i < WPA_COUNT(chains); i++) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        const char *longer = wpa_arena_printf(arena, "%s || z", chains[i]);
        wpa_expr_parsed alone = wpa_expr_parse(chains[i], strlen(chains[i]), arena);
        wpa_expr_parsed among = wpa_expr_parse(longer, strlen(longer), arena);
        print_message("%s\n", chains[i]);
        assert_non_null(alone.root);
        assert_same_tree(alone.root, among.root->args[0]);
        assert_int_equal(alone.kinds & ~among.kinds, 0);
        assert_int_equal(alone.contexts & ~among.contexts, 0);
        assert_true(wpa_expr_may_have(&alone, 1U << alone.root->kind));
    }
}

static void test_faults_name_their_place(void **state)
{
    (void)state;
    static const struct {
        const char *text, *check, *at;
    } cases[] = {
        {"a == \"x\"", "E1", "\""}, {"a ? b", "E1", "?"}, {"a = b", "E2", "="},
        {"a & b", "E2", "&"},       {"a } b", "E3", "}"}, {"a == 'x", "E4", "'x"},
        {"1x", "E5", "1x"},         {"-", "E5", "-"},     {"0xFFFFFFFFFF", "E6", "0xFFFFFFFFFF"},
        {"1e999", "E7", "1e999"},   {"", "E9", ""},       {"a &&", "E9", ""},
        {"a && )", "E9", ")"},      {"f(a", "E10", "("},  {"(a", "E10", "("},
        {"a[0", "E10", "["},        {"a)", "E10", ")"},   {"f(a b)", "E10", "b"},
        {"a.", "E11", "."},         {"a.1", "E11", "1"},  {"a b", "E12", "b"},
        {"'a' 'b'", "E12", "'b'"},
    };
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        wpa_expr_parsed parsed = wpa_expr_parse(cases[i].text, strlen(cases[i].text), arena);
        print_message("%s\n", cases[i].text);
        assert_null(parsed.root);
        assert_non_null(parsed.message);
        assert_string_equal(wpa_expr_fault_check(parsed.fault), cases[i].check);
        assert_string_equal(wpa_arena_slice(arena, cases[i].text + parsed.fault_span.start,
                                            wpa_span_length(parsed.fault_span)),
                            cases[i].at);
    }
}

static void test_limits(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    char text[4096];
    memset(text, '(', sizeof text);
    assert_int_equal(wpa_expr_parse(text, sizeof text, arena).fault, WPA_EXPR_LIMIT);
    memset(text, '!', sizeof text);
    assert_int_equal(wpa_expr_parse(text, sizeof text, arena).fault, WPA_EXPR_LIMIT);
    char *long_text = wpa_arena_alloc(arena, WPA_EXPR_MAX_BYTES + 2);
    memset(long_text, '1', WPA_EXPR_MAX_BYTES + 1);
    assert_int_equal(wpa_expr_parse(long_text, WPA_EXPR_MAX_BYTES + 1, arena).fault,
                     WPA_EXPR_LIMIT);
}

/* Every expression of the value of k, with the bytes of its fence and of one reference. */
static void test_expressions_are_found_with_their_bytes(void **state)
{
    (void)state;
    static const struct {
        const char *title, *source;
        bool is_condition;
        size_t n;
        const char *outer, *reference; /* of the last, in the file */
    } cases[] = {
        {"plain", "k: a ${{ x.y }} b\n", false, 1, "${{ x.y }}", "x.y"},
        {"two", "k: ${{ a }}${{ b.c }}\n", false, 2, "${{ b.c }}", "b.c"},
        {"single quotes", "k: '${{ x[''y''] }}'\n", false, 1, "${{ x[''y''] }}", "x[''y'']"},
        {"escapes", "k: \"\\t${{ x.y }}\"\n", false, 1, "${{ x.y }}", "x.y"},
        {"literal", "k: |\n  one\n  ${{ x.y }} two\n", false, 1, "${{ x.y }}", "x.y"},
        {"folded", "k: >-\n  one\n  ${{ x.y ||\n  z.w }}\n", false, 1, "${{ x.y ||\n  z.w }}",
         "z.w"},
        {"braces in a string", "k: ${{ f('}}', x.y) }}\n", false, 1, "${{ f('}}', x.y) }}", "x.y"},
        {"not closed", "k: a ${{ x.y\n", false, 1, "${{ x.y", NULL},
        {"none", "k: a\n", false, 0, NULL, NULL},
        {"bare condition", "k: x.y == 'a'\n", true, 1, "x.y == 'a'", "x.y"},
        {"fenced condition", "k: ${{ x.y }}\n", true, 1, "${{ x.y }}", "x.y"},
        {"no condition", "k:\n", true, 0, NULL, NULL},
    };
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        wpa_error err = {0};
        const char *source = cases[i].source;
        const wpa_yaml_doc *doc = wpa_yaml_parse("t.yml", source, strlen(source), arena, &err);
        const wpa_yaml_node *node = wpa_yaml_get(doc->root, "k");
        size_t n, n_references;
        const wpa_expr_place *places = cases[i].is_condition
                                           ? wpa_expr_find_condition(node, arena, &n)
                                           : wpa_expr_find(node, arena, &n);
        print_message("%s\n", cases[i].title);
        assert_int_equal(n, cases[i].n);
        if (n == 0) {
            continue;
        }
        const wpa_expr_place *place = &places[n - 1];
        wpa_span outer = wpa_expr_outer_span(place);
        assert_string_equal(wpa_arena_slice(arena, source + outer.start, wpa_span_length(outer)),
                            cases[i].outer);
        const wpa_expr_reference *references =
            wpa_expr_references(place->parsed.root, arena, &n_references);
        if (!cases[i].reference) {
            assert_int_equal(place->parsed.fault, WPA_EXPR_NOT_CLOSED);
            continue;
        }
        wpa_span span = wpa_expr_source_span(place, references[n_references - 1].node->span);
        assert_string_equal(wpa_arena_slice(arena, source + span.start, wpa_span_length(span)),
                            cases[i].reference);
    }
}

static void test_references(void **state)
{
    (void)state;
    static const struct {
        const char *text, *paths;
        bool is_computed; /* the last */
    } cases[] = {
        {"GitHub.Event.issue.TITLE", "github.event.issue.title", false},
        {"github['event']['x'] == needs.a.outputs.b", "github.event.x needs.a.outputs.b", false},
        {"github.event.commits.*.message", "github.event.commits.*.message", false},
        {"matrix[env.X].y", "matrix.[].y env.x", false},
        {"a[b[0]]", "a.[] b.[]", true},
        {"fromJSON(x.y).z", "x.y", false},
        {"success() && 'a.b'", "", false},
    };
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        WPA_AUTO(wpa_buf) *buf = wpa_buf_new(4096);
        wpa_expr_parsed parsed = wpa_expr_parse(cases[i].text, strlen(cases[i].text), arena);
        size_t n;
        const wpa_expr_reference *list = wpa_expr_references(parsed.root, arena, &n);
        for (size_t k = 0; k < n; k++) {
            wpa_buf_printf(buf, "%s%s", k ? " " : "", list[k].path);
        }
        print_message("%s\n", cases[i].text);
        assert_string_equal(wpa_buf_data(buf), cases[i].paths);
        assert_true(n == 0 || list[n - 1].is_computed == cases[i].is_computed);
    }
}

static bool look_up(const char *path, void *context, wpa_expr_value *value)
{
    (void)context;
    if (wpa_text_is(path, "github.event_name")) {
        *value = wpa_expr_string("push");
        return true;
    }
    if (wpa_text_is(path, "matrix.v")) {
        *value = wpa_expr_number(3);
        return true;
    }
    return false;
}

static void test_folding_coerces_as_github_does(void **state)
{
    (void)state;
    static const struct {
        const char *text, *value; /* NULL: unknown */
        wpa_expr_truth truth;
    } cases[] = {
        {"1 == '1'", "true", WPA_EXPR_TRUTHY},
        {"'A' == 'a'", "true", WPA_EXPR_TRUTHY},
        {"null == 0", "true", WPA_EXPR_TRUTHY},
        {"'' == 0", "true", WPA_EXPR_TRUTHY},
        {"true == '1'", "true", WPA_EXPR_TRUTHY},
        {"'true' == true", "false", WPA_EXPR_FALSY},
        {"'x' == 0", "false", WPA_EXPR_FALSY},
        {"'x' != 0", "true", WPA_EXPR_TRUTHY},
        {"NaN == NaN", "false", WPA_EXPR_FALSY},
        {"'b' > 'A'", "true", WPA_EXPR_TRUTHY},
        {"'0x10' == 16", "true", WPA_EXPR_TRUTHY},
        {"2 >= 2", "true", WPA_EXPR_TRUTHY},
        {"'a' && 'b'", "b", WPA_EXPR_TRUTHY},
        {"'' || 'b'", "b", WPA_EXPR_TRUTHY},
        {"0 && x", "0", WPA_EXPR_FALSY},
        {"x && false", NULL, WPA_EXPR_FALSY},
        {"x || true", NULL, WPA_EXPR_TRUTHY},
        {"x && true", NULL, WPA_EXPR_MAYBE},
        {"!''", "true", WPA_EXPR_TRUTHY},
        {"!(x && false)", "true", WPA_EXPR_TRUTHY},
        {"!'false'", "false", WPA_EXPR_FALSY},
        {"github.event_name == 'PUSH'", "true", WPA_EXPR_TRUTHY},
        {"matrix.v > 2 && matrix['v'] < 4", "true", WPA_EXPR_TRUTHY},
        {"github.ref", NULL, WPA_EXPR_MAYBE},
        {"contains('Hello', 'ELL')", "true", WPA_EXPR_TRUTHY},
        {"startsWith('Hello', 'he')", "true", WPA_EXPR_TRUTHY},
        {"endsWith('Hello', 'xhello')", "false", WPA_EXPR_FALSY},
        {"format('{0}-{1}{{}}', 'a', 1.50)", "a-1.5{}", WPA_EXPR_TRUTHY},
        {"format('{2}', 'a')", NULL, WPA_EXPR_MAYBE},
        {"fromJSON('true')", "true", WPA_EXPR_TRUTHY},
        {"fromJSON('[1]')", NULL, WPA_EXPR_TRUTHY},
        {"fromJSON('[]') || x", NULL, WPA_EXPR_TRUTHY},
        {"!fromJSON('{}')", "false", WPA_EXPR_FALSY},
        {"toJSON(x)", NULL, WPA_EXPR_TRUTHY},
        {"needs.*.result", NULL, WPA_EXPR_TRUTHY},
        {"needs.*.outputs.x && needs", NULL, WPA_EXPR_TRUTHY},
        {"needs.*.result == 'success'", NULL, WPA_EXPR_MAYBE},
        {"needs.*[0]", NULL, WPA_EXPR_MAYBE},
        {"github.event.pull_request", NULL, WPA_EXPR_MAYBE},
        {"always()", NULL, WPA_EXPR_MAYBE},
        {"1e20", "1E+20", WPA_EXPR_TRUTHY},
        {"-0.0", "0", WPA_EXPR_FALSY},
        {"null", "", WPA_EXPR_FALSY},
    };
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        wpa_expr_parsed parsed = wpa_expr_parse(cases[i].text, strlen(cases[i].text), arena);
        wpa_expr_value value = wpa_expr_fold(parsed.root, look_up, NULL, arena);
        const char *text = wpa_expr_value_text(&value, arena);
        print_message("%s\n", cases[i].text);
        assert_true(wpa_text_is(text, cases[i].value));
        assert_int_equal(value.truth, cases[i].truth);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_expressions_become_trees),
        cmocka_unit_test(test_chains_are_the_same_trees_wherever_they_stand),
        cmocka_unit_test(test_faults_name_their_place),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_expressions_are_found_with_their_bytes),
        cmocka_unit_test(test_references),
        cmocka_unit_test(test_folding_coerces_as_github_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
