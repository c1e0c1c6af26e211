#include <stdarg.h>
#include <string.h>

#include <wpa/text.h>
#include <wpa/yaml.h>

#include "testing/check.h"

#define TEXT_MAX_CHARS 2000
#define EVIDENCE_MAX 50

static const char *const phase_names[] = {
    [WPA_TEST_ISOLATED] = "isolated",
    [WPA_TEST_INTEGRATION] = "integration",
    [WPA_TEST_SAFETY] = "safety",
    [WPA_TEST_COMPATIBILITY] = "compatibility",
};
static const char *const result_names[] = {
    [WPA_TEST_PASS] = "pass",       [WPA_TEST_WARN] = "warn",   [WPA_TEST_FAIL] = "fail",
    [WPA_TEST_SKIPPED] = "skipped", [WPA_TEST_ERROR] = "error",
};
/* How much a result outweighs others when one check comes to several. */
static const int weights[] = {
    [WPA_TEST_PASS] = 0,  [WPA_TEST_WARN] = 1, [WPA_TEST_SKIPPED] = 2,
    [WPA_TEST_ERROR] = 3, [WPA_TEST_FAIL] = 4,
};

const char *wpa_test_phase_name(wpa_test_phase_kind phase)
{
    return phase_names[phase];
}

const char *wpa_test_result_name(wpa_test_result result)
{
    return result_names[result];
}

static void worsen(wpa_test_outcome *outcome, wpa_test_result result, wpa_arena *arena,
                   const char *format, va_list values) WPA_PRINTF(4, 0);

static void worsen(wpa_test_outcome *outcome, wpa_test_result result, wpa_arena *arena,
                   const char *format, va_list values)
{
    if (weights[result] <= weights[outcome->result]) {
        return;
    }
    const char *text = wpa_arena_vprintf(arena, format, values);
    const char *visible = wpa_text_visible(arena, text, strlen(text), false);
    outcome->result = result;
    outcome->reason = wpa_text_ellipsis(arena, visible, TEXT_MAX_CHARS);
}

void wpa_test_fail(wpa_test_outcome *outcome, wpa_arena *arena, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    worsen(outcome, WPA_TEST_FAIL, arena, format, values);
    va_end(values);
}

void wpa_test_warn(wpa_test_outcome *outcome, wpa_arena *arena, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    worsen(outcome, WPA_TEST_WARN, arena, format, values);
    va_end(values);
}

void wpa_test_skip_with(wpa_test_outcome *outcome, wpa_test_skip skip, wpa_arena *arena,
                        const char *format, ...)
{
    va_list values;
    va_start(values, format);
    worsen(outcome, WPA_TEST_SKIPPED, arena, format, values);
    va_end(values);
    /* Of several reasons the one that is hardest to allow counts. */
    outcome->skip = skip > outcome->skip ? skip : outcome->skip;
}

wpa_json *wpa_test_evidence(wpa_test_outcome *outcome, wpa_arena *arena, const char *label,
                            const char *text)
{
    /* More than anybody reads is left out; the returned value takes the caller's fields anyway. */
    wpa_json *item = wpa_json_new_object(arena);
    const char *visible = wpa_text_visible(arena, text, strlen(text), true);
    wpa_json_set_text(item, "label", label);
    wpa_json_set_text(item, "text", wpa_text_ellipsis(arena, visible, TEXT_MAX_CHARS));
    if (wpa_json_count(outcome->evidence) < EVIDENCE_MAX) {
        wpa_json_push(outcome->evidence, item);
    }
    return item;
}

wpa_json *wpa_test_evidence_at(wpa_test_outcome *outcome, wpa_arena *arena,
                               const wpa_test_file *file, const wpa_test_image *image,
                               size_t offset, const char *label, const char *text)
{
    bool is_kept = wpa_json_count(outcome->evidence) < EVIDENCE_MAX;
    wpa_json *item = wpa_test_evidence(outcome, arena, label, text);
    int64_t line = 1, column = 1;
    if (!is_kept) {
        return item; /* nobody will see it: the place of each of very many is not looked for */
    }
    for (size_t at = 0; at < offset && at < image->size_bytes;) {
        column++;
        if (wpa_utf8_next(image->bytes, image->size_bytes, &at) == '\n') {
            line++;
            column = 1;
        }
    }
    wpa_json_set_text(item, "file", file->path);
    wpa_json_set_int(item, "line", line);
    wpa_json_set_int(item, "column", column);
    return item;
}

bool wpa_test_is_declared(const wpa_test_context *context, unsigned bit)
{
    return (context->patch->declares & bit) != 0;
}
