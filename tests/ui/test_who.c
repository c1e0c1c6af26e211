/* Who else is there: told by each console, seen in titles and by :who. */
#include "ui/stage.h"

static void test_the_others_are_told_where_this_is(void **state)
{
    stage *s = *state;
    pass_time(s, 1100);
    assert_string_equal(wpa_scripted_place(s->engine), "dash");
    assert_int_equal(wpa_scripted_count(s->engine, WPA_COMMAND_PLACE), 1);
    press(s, "3");
    pass_time(s, 500);
    press(s, "4"); /* has not settled: nobody is told of every step */
    pass_time(s, 900);
    assert_string_equal(wpa_scripted_place(s->engine), "dash");
    pass_time(s, 200);
    assert_string_equal(wpa_scripted_place(s->engine), "patches");
    assert_int_equal(wpa_scripted_count(s->engine, WPA_COMMAND_PLACE), 2);
    press(s, "Enter");
    pass_time(s, 1100);
    assert_string_equal(wpa_scripted_place(s->engine), "p-2217");
    press(s, "A");
    pass_time(s, 1100);
    assert_string_equal(wpa_scripted_place(s->engine), "deciding p-2217");
    press(s, "Esc");
    pass_time(s, 1100);
    assert_string_equal(wpa_scripted_place(s->engine), "p-2217");
    size_t n = wpa_scripted_count(s->engine, WPA_COMMAND_PLACE);
    pass_time(s, 31000); /* still there */
    assert_int_equal(wpa_scripted_count(s->engine, WPA_COMMAND_PLACE), n + 1);
    wpa_scripted_lose(s->engine, "refused");
    pass_time(s, 61000);
    assert_int_equal(wpa_scripted_count(s->engine, WPA_COMMAND_PLACE), n + 1);
    wpa_scripted_restore(s->engine);
    pass_time(s, 200);
    assert_int_equal(wpa_scripted_count(s->engine, WPA_COMMAND_PLACE), n + 2);
}

static void test_titles_tell_who_else_is_here(void **state)
{
    stage *s = *state;
    press(s, "4");
    press(s, "j");
    press(s, "Enter");
    EXPECT("── joe here ─");
    wpa_scripted_joe(s->engine, "deciding p-2214");
    step(s);
    EXPECT("── joe decides here ─");
    press(s, "Esc");
    assert_false(shows(s, "joe"));
    press(s, "k");
    press(s, "A");
    assert_false(shows(s, "joe"));
    wpa_scripted_joe(s->engine, "p-2217");
    step(s);
    EXPECT("── joe here ─");
    s->ui->is_ascii = true;
    step(s);
    EXPECT("-- joe here -");
    press(s, "Esc");
    pass_time(s, 9000);
    press(s, "Enter");
    wpa_ui_resize(s->ui, 10, 40); /* no room in the title: above the hints */
    step(s);
    EXPECT("                               joe here\n");
}

static void test_who(void **state)
{
    stage *s = *state;
    pass_time(s, 1100);
    wpa_scripted_joe(s->engine, "d-1042");
    step(s);
    wpa_palette_run(s->ui, "who");
    step(s);
    EXPECT("─ Guardians on line ─");
    EXPECT("▸ joe                     d-1042        guardian  10.2.0.21                12 s");
    EXPECT("  mira (you)              dash          guardian  10.2.0.14                 0 s");
    wpa_ui_resize(s->ui, 10, 40);
    step(s);
    EXPECT("▸ joe               d-1042         12 s");
    wpa_ui_resize(s->ui, 24, 80);
    press(s, "Enter");
    step(s);
    EXPECT("─ d-1042");
    press(s, "Esc");
    EXPECT("Guardians on line");
    press(s, "Esc");
    assert_false(shows(s, "Guardians on line"));
}

#define SIGNED_IN(test) cmocka_unit_test_setup_teardown(test, open_signed_in, close_stage)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SIGNED_IN(test_the_others_are_told_where_this_is),
        SIGNED_IN(test_titles_tell_who_else_is_here),
        SIGNED_IN(test_who),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
