#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <wpa/command.h>
#include <wpa/text.h>

static void test_every_kind_has_a_row(void **state)
{
    (void)state;
    for (int kind = 0; kind < WPA_COMMAND_COUNT; kind++) {
        assert_non_null(wpa_command_name((wpa_command_kind)kind));
        assert_true(wpa_command_action((wpa_command_kind)kind) < WPA_ACTION_COUNT);
    }
    assert_int_equal(wpa_command_action(WPA_COMMAND_DEPLOY), WPA_ACTION_START_DEPLOYMENT);
}

static void test_new_and_free(void **state)
{
    (void)state;
    WPA_AUTO(wpa_command) *command = wpa_command_new(WPA_COMMAND_REJECT);
    command->text = wpa_arena_text(command->arena, "too wide");
    assert_int_equal(command->kind, WPA_COMMAND_REJECT);
    assert_string_equal(command->text, "too wide");
    wpa_command_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_kind_has_a_row),
                                       cmocka_unit_test(test_new_and_free)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
