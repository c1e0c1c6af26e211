#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <wpa/error.h>
#include <wpa/text.h>
#include <wpa/words.h>

/* The tables are found by enum value, and their words are what the database stores. */
static void test_tables_follow_enums(void **state)
{
    (void)state;
    assert_string_equal(wpa_patch_state_words[WPA_PATCH_ROLLED_BACK], "rolled_back");
    assert_string_equal(wpa_patch_type_words[WPA_PATCH_TYPE_BUG_FIX], "bug_fix");
    assert_string_equal(wpa_phase_words[WPA_PHASE_COMPATIBILITY], "compatibility");
    assert_string_equal(wpa_result_words[WPA_RESULT_ERROR], "error");
    assert_string_equal(wpa_deployment_state_words[WPA_DEPLOYMENT_STUCK], "stuck");
    assert_string_equal(wpa_stage_state_words[WPA_STAGE_REVERTED], "reverted");
    assert_string_equal(wpa_target_state_words[WPA_TARGET_REVERT_BLOCKED], "revert_blocked");
    assert_string_equal(wpa_measure_words[WPA_MEASURE_ERROR], "error");
    assert_string_equal(wpa_job_state_words[WPA_JOB_CANCELLED], "cancelled");
    assert_string_equal(wpa_analysis_state_words[WPA_ANALYSIS_CANCELLED], "cancelled");
    assert_string_equal(wpa_notice_level_words[WPA_NOTICE_ALARM], "alarm");
}

static void test_words_are_found(void **state)
{
    (void)state;
    assert_int_equal(
        wpa_text_index("tested", wpa_patch_state_words, WPA_COUNT(wpa_patch_state_words)),
        WPA_PATCH_TESTED);
    assert_int_equal(wpa_text_index("Tested", wpa_patch_state_words, WPA_PATCH_STATE_COUNT), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_tables_follow_enums),
                                       cmocka_unit_test(test_words_are_found)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
