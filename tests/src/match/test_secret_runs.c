#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <wpa/text.h>

#include "match/secret_runs.h"

#define RUNS_MAX 64

typedef struct run_list {
    wpa_span items[RUNS_MAX];
    size_t n;
} run_list;

static void add_run(void *context, wpa_span run)
{
    run_list *list = context;
    assert_true(list->n < RUNS_MAX);
    list->items[list->n++] = run;
}

/** Byte by byte. */
static void list_plainly(const char *text, size_t length, size_t least, run_list *list)
{
    for (size_t at = 0; at < length; at++) {
        size_t start = at;
        while (at < length && wpa_is_secret_byte[(unsigned char)text[at]]) {
            at++;
        }
        if (at - start >= least) {
            add_run(list, (wpa_span){start, at});
        }
    }
}

static void assert_same(const char *text, size_t length, size_t least)
{
    run_list expected = {0}, found = {0};
    list_plainly(text, length, least, &expected);
    wpa_secret_runs_each(text, length, least, add_run, &found);
    assert_int_equal(found.n, expected.n);
    assert_memory_equal(found.items, expected.items, expected.n * sizeof *expected.items);
}

static void knows_the_bytes_of_secrets(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        char text[WPA_SECRET_RUN_MIN_BYTES];
        memset(text, c, sizeof text);
        run_list found = {0};
        wpa_secret_runs_each(text, sizeof text, sizeof text, add_run, &found);
        assert_int_equal(found.n, wpa_is_secret_byte[c]);
    }
}

/* Wherever it stands in a block, of a length about the least one, and with another behind it. */
static void finds_a_run_anywhere(void **state)
{
    (void)state;
    for (size_t least = WPA_SECRET_RUN_MIN_BYTES; least < 70; least++) {
        for (size_t start = 0; start < 130; start++) {
            char text[300];
            memset(text, ' ', sizeof text);
            memset(text + start, 'a', least - 1 + start % 3);
            memset(text + start + least + 2, '_', least - start % 2);
            assert_same(text, start + 2 * least + 2, least);
            assert_same(text, sizeof text, least);
        }
    }
}

static void finds_what_is_as_long_as_the_text(void **state)
{
    (void)state;
    char text[200];
    memset(text, '9', sizeof text);
    for (size_t length = 0; length <= sizeof text; length++) {
        assert_same(text, length, WPA_SECRET_RUN_MIN_BYTES);
        assert_same(text, length, length < 10 ? 10 : length);
        assert_same(text, length, SIZE_MAX);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_the_bytes_of_secrets),
        cmocka_unit_test(finds_a_run_anywhere),
        cmocka_unit_test(finds_what_is_as_long_as_the_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
