/* The tour goes on as what it says is done, and changes nothing of the fleet. */
#include "stage.h"

static void begin(stage *s)
{
    press(s, ":");
    type(s, "tour");
    press(s, "Enter");
}

static void test_from_the_first_step_to_the_last(void **state)
{
    stage *s = *state;
    begin(s);
    EXPECT("TOUR 1 of 10");
    EXPECT("Tab goes to the next one");
    press(s, "j"); /* something else: the step stays */
    EXPECT("TOUR 1 of 10");
    press(s, "Tab");
    EXPECT("TOUR 2 of 10");
    press(s, "2");
    EXPECT("TOUR 3 of 10");
    press(s, "Enter");
    EXPECT("TOUR 4 of 10");
    press(s, "3");
    EXPECT("TOUR 5 of 10");
    press(s, "/");
    type(s, "sev:crit");
    EXPECT("TOUR 5 of 10");
    press(s, "Enter");
    EXPECT("TOUR 6 of 10");
    press(s, "Esc");
    EXPECT("TOUR 7 of 10");
    press(s, "Enter");
    EXPECT("TOUR 8 of 10");
    press(s, "4");
    EXPECT("TOUR 9 of 10");
    press(s, "5");
    EXPECT("TOUR 10 of 10");
    press(s, "?");
    press(s, "Esc");
    assert_false(shows(s, "TOUR"));
    static const wpa_command_kind changes[] = {WPA_COMMAND_CREATE_PATCH, WPA_COMMAND_DEPLOY,
                                               WPA_COMMAND_ROLL_BACK, WPA_COMMAND_APPROVE,
                                               WPA_COMMAND_TEST};
    for (size_t i = 0; i < WPA_COUNT(changes); i++) {
        assert_int_equal(wpa_scripted_count(s->engine, changes[i]), 0);
    }
}

static void test_ended_at_once(void **state)
{
    stage *s = *state;
    begin(s);
    begin(s);
    assert_false(shows(s, "TOUR"));
    EXPECT("the tour is over");
}

static void test_on_a_small_screen(void **state)
{
    stage *s = *state;
    wpa_ui_resize(s->ui, 10, 40);
    step(s);
    begin(s);
    EXPECT("the tour needs 80x24"); /* there it would cover what keys act on */
    wpa_ui_resize(s->ui, 24, 80);
    begin(s);
    EXPECT("TOUR 1 of 10");
    wpa_ui_resize(s->ui, 10, 40);
    step(s);
    assert_false(shows(s, "TOUR"));
    EXPECT("d-1042");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_from_the_first_step_to_the_last, open_signed_in,
                                        close_stage),
        cmocka_unit_test_setup_teardown(test_ended_at_once, open_signed_in, close_stage),
        cmocka_unit_test_setup_teardown(test_on_a_small_screen, open_signed_in, close_stage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
