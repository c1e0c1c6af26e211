/* The files for Prometheus and Grafana name no figure that is not told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <wpa/file.h>
#include <wpa/text.h>

#include "api/metrics.h"
#include "json/json.h"

#define FILE_MAX_BYTES ((size_t)1 << 20)
#define LETTERS "abcdefghijklmnopqrstuvwxyz_"

static char *read_text(const char *name, wpa_arena *arena, size_t *size)
{
    wpa_error err = {0};
    const char *top = getenv("WPA_SOURCE_DIR"); /* NOLINT(concurrency-mt-unsafe): set by ctest */
    const char *path = wpa_path_join(arena, top ? top : ".",
                                     wpa_arena_printf(arena, "src/api/monitoring/%s", name));
    char *text = wpa_file_read(path, FILE_MAX_BYTES, arena, size, &err);
    assert_non_null(text);
    return text;
}

static size_t check_names(const char *text, const char *prefix, wpa_arena *arena)
{
    size_t n = 0;
    for (const char *at = text; (at = strstr(at, prefix)); n++) {
        size_t length = strspn(at, LETTERS);
        const char *name = wpa_arena_slice(arena, at, length);
        if (!wpa_api_metric_is_known(name)) {
            fail_msg("no figure is called %s", name);
        }
        at += length;
    }
    return n;
}

static void test_alerts(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    size_t size;
    assert_true(check_names(read_text("alerts.yml", arena, &size), "wpa_", arena) >= 9);
}

static void test_dashboard(void **state)
{
    (void)state;
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_error err = {0};
    size_t size;
    const char *text = read_text("dashboard.json", arena, &size);
    assert_non_null(wpa_json_parse(text, size, FILE_MAX_BYTES, arena, &err));
    assert_true(check_names(text, "wpa_", arena) >= 15);
    assert_int_equal(check_names(text, "process_", arena), 1);
}

static void test_unknown(void **state)
{
    (void)state;
    assert_true(wpa_api_metric_is_known("wpa_build_info"));
    assert_false(wpa_api_metric_is_known("wpa_mood"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_alerts),
                                       cmocka_unit_test(test_dashboard),
                                       cmocka_unit_test(test_unknown)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
