/* The console without a terminal: keys in, scripted engine behind, grid out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <wpa/file.h>

#include "ui/stage.h"

static void test_sign_in(void **state)
{
    stage *s = *state;
    wpa_scripted_start(s->engine, false);
    step(s);
    EXPECT("Passphrase");
    type(s, "wrong");
    press(s, "Enter");
    EXPECT("Wrong name or passphrase.");
    type(s, WPA_SCRIPTED_PASSPHRASE);
    assert_false(shows(s, "correct"));
    press(s, "Enter");
    EXPECT("LIVE  mira guardian");
    EXPECT("Health 87");
    assert_int_equal(s->ui->sign_in.secret.length, 0);
    assert_int_equal(s->ui->sign_in.secret.text[0], 0);
}

static void test_a_browser_is_asked_for_where_there_is_a_provider(void **state)
{
    stage *s = *state;
    wpa_scripted_start(s->engine, false);
    step(s);
    press(s, "F5");
    assert_int_equal(wpa_scripted_count(s->engine, WPA_COMMAND_SIGN_IN_BROWSER), 0);
    wpa_scripted_set_sign_in(s->engine, false, true, NULL);
    step(s);
    EXPECT("F5 by browser");
    press(s, "F5");
    assert_int_equal(wpa_scripted_count(s->engine, WPA_COMMAND_SIGN_IN_BROWSER), 1);
    wpa_scripted_set_sign_in(s->engine, false, true, "BCDF-GHJK");
    step(s);
    EXPECT("BCDF-GHJK");
    type(s, "typed nowhere");
    assert_int_equal(s->ui->sign_in.secret.length, 0);
    press(s, "Esc");
    assert_int_equal(wpa_scripted_count(s->engine, WPA_COMMAND_SIGN_IN_BROWSER), 2);
}

static void test_first_guardian(void **state)
{
    stage *s = *state;
    wpa_scripted_start(s->engine, true);
    step(s);
    EXPECT("create the first one");
    type(s, "a long phrase");
    press(s, "Tab");
    type(s, "another one");
    press(s, "Enter");
    EXPECT("The two passphrases differ.");
    assert_int_equal(wpa_scripted_count(s->engine, WPA_COMMAND_FIRST_GUARDIAN), 0);
    press(s, "Tab"); /* from the button it goes on in the field that differs */
    press(s, "Enter");
    press(s, "Ctrl-U");
    type(s, "a long phrase");
    press(s, "Enter");
    assert_int_equal(wpa_scripted_count(s->engine, WPA_COMMAND_FIRST_GUARDIAN), 1);
    EXPECT("Health 87");
}

/* Rows above may come: the selection stays on its row, and keys act on it. */
static void test_selection_follows_identity(void **state)
{
    stage *s = *state;
    press(s, "j");
    EXPECT("▸  49  ▾1");
    wpa_scripted_add_worst(s->engine);
    step(s);
    EXPECT("▸  49  ▾1");
    press(s, "a");
    assert_int_equal(wpa_scripted_last(s->engine, WPA_COMMAND_ANALYSE).id, 2);
}

static void test_vanished_row_holds_keys(void **state)
{
    stage *s = *state;
    press(s, "3");
    press(s, "j");
    EXPECT("▸ HIGH SEC-001");
    wpa_scripted_fix(s->engine, 99813);
    step(s);
    press(s, "i");
    EXPECT("selection changed, press again");
    pass_time(s, 800);
    press(s, "i");
    EXPECT("Ignore f-99814");
}

static void test_ignore_needs_reason_and_date(void **state)
{
    stage *s = *state;
    press(s, "3");
    press(s, "i");
    press(s, "Enter");
    press(s, "Enter");
    EXPECT("reason is needed");
    type(s, "legacy runner");
    press(s, "Enter");
    press(s, "Ctrl-U");
    type(s, "soon");
    press(s, "Enter");
    EXPECT("is no time");
    press(s, "Ctrl-U");
    type(s, "30d");
    press(s, "Enter");
    assert_int_equal(wpa_scripted_count(s->engine, WPA_COMMAND_IGNORE), 1);
    assert_false(shows(s, "is no time"));
}

static void test_whole_story(void **state)
{
    stage *s = *state;
    press(s, "3");
    press(s, "Enter");
    EXPECT("text becomes shell code");
    EXPECT("‹1b›[31m");
    press(s, "p");
    EXPECT("p-2219  quote issue title");
    EXPECT("Not tested yet");
    press(s, "t");
    EXPECT("⟳ testing");
    pass_time(s, 2500);
    EXPECT("✓ tested");
    press(s, "A");
    EXPECT("Approve p-2219  quote issue title?");
    press(s, "A");
    press(s, "Enter");
    assert_int_equal(wpa_scripted_count(s->engine, WPA_COMMAND_APPROVE), 0);
    press_key(s, "y", false);
    EXPECT("press it again");
    press(s, "y");
    assert_int_equal(wpa_scripted_count(s->engine, WPA_COMMAND_APPROVE), 1);
    EXPECT("◉ approved");
    press(s, "D");
    EXPECT("stage 1    canary  1 workflow");
    press(s, "y");
    assert_int_equal(wpa_scripted_count(s->engine, WPA_COMMAND_DEPLOY), 1);
    EXPECT("d-1043  p-2219 quote issue title");
    EXPECT("Auto-rollback");
    press(s, "R");
    EXPECT("ROLLING BACK d-1043 in");
    pass_time(s, 3200);
    assert_false(shows(s, "ROLLING BACK d-1043 in"));
    EXPECT("rolling back");
    pass_time(s, 3000);
    EXPECT("rolled_back");
}

static void test_rollback_window(void **state)
{
    stage *s = *state;
    press(s, "5");
    press_key(s, "R", false);
    EXPECT("was not a key press of its own");
    assert_int_equal(wpa_scripted_count(s->engine, WPA_COMMAND_ROLL_BACK), 0);
    press(s, "R");
    EXPECT("ROLLING BACK d-1042 in 3.0 s");
    EXPECT("held: no further workflow is switched      2 workflows return to 3c1f09e");
    press(s, "R");
    press(s, "R");
    assert_int_equal(wpa_scripted_count(s->engine, WPA_COMMAND_ROLL_BACK), 1);
    pass_time(s, 1500);
    EXPECT("ROLLING BACK d-1042 in 1.5 s");
    press(s, "2"); /* other keys still navigate */
    EXPECT("[2 Workflows]");
    EXPECT("ROLLING BACK d-1042");
    press(s, "Esc");
    assert_int_equal(wpa_scripted_count(s->engine, WPA_COMMAND_CANCEL_ROLL_BACK), 1);
    assert_false(shows(s, "ROLLING BACK"));
    pass_time(s, 4000);
    assert_false(shows(s, "ROLLING BACK"));
    press(s, "5");
    press(s, "R");
    press(s, "Enter");
    assert_int_equal(wpa_scripted_count(s->engine, WPA_COMMAND_ROLL_BACK_NOW), 1);
    EXPECT("rolling back");
}

static void test_rollback_needs_live(void **state)
{
    stage *s = *state;
    press(s, "R");
    EXPECT("R needs a live deployment; 5 lists them");
    press(s, "5");
    press(s, "j");
    press(s, "R");
    EXPECT("R needs a live deployment");
    assert_int_equal(wpa_scripted_count(s->engine, WPA_COMMAND_ROLL_BACK), 0);
    press(s, "r");
    EXPECT("Ctrl-R reads again, R rolls back");
}

static void test_hold_and_resume(void **state)
{
    stage *s = *state;
    press(s, "5");
    press(s, "H");
    EXPECT("◉ held");
    press(s, "H");
    EXPECT("▸ baking");
    assert_int_equal(wpa_scripted_count(s->engine, WPA_COMMAND_RESUME), 1);
}

static void test_lost_database(void **state)
{
    stage *s = *state;
    wpa_scripted_lose(s->engine, "connection refused");
    pass_time(s, 2000);
    EXPECT("LOST 2 s");
    EXPECT("DATABASE LOST 2 s ago.  What you see is from 07:42:10Z.  Next try in 3 s");
    EXPECT("try 1   Ctrl-R try now");
    EXPECT("payments/ci.yml");
    press(s, "a");
    EXPECT("nothing can be changed until it is back");
    assert_int_equal(wpa_scripted_count(s->engine, WPA_COMMAND_ANALYSE), 0);
    press(s, "Tab");
    press(s, "R");
    EXPECT("database lost");
    assert_int_equal(wpa_scripted_count(s->engine, WPA_COMMAND_ROLL_BACK), 0);
    wpa_scripted_restore(s->engine);
    step(s);
    EXPECT("LIVE  mira");
}

static void test_read_only(void **state)
{
    stage *s = *state;
    wpa_scripted_sign_in(s->engine, WPA_ROLE_VIEWER);
    step(s);
    EXPECT("RO  mira viewer");
    press(s, "a");
    EXPECT("needs the right to analyse");
    press(s, "5");
    press(s, "R");
    EXPECT("needs the right to roll back");
    assert_int_equal(wpa_scripted_count(s->engine, WPA_COMMAND_ANALYSE), 0);
    assert_int_equal(wpa_scripted_count(s->engine, WPA_COMMAND_ROLL_BACK), 0);
    assert_int_equal(wpa_scripted_count(s->engine, WPA_COMMAND_REFUSED), 2);
}

/* A command that names a thing is about it alone, whatever is marked. */
static void test_commands_are_about_what_they_name(void **state)
{
    stage *s = *state;
    press(s, "3");
    press(s, "*");
    EXPECT("12 marked");
    wpa_palette_run(s->ui, "ignore f-99812");
    step(s);
    EXPECT("Ignore f-99812");
    press(s, "Esc");
    press(s, "i");
    EXPECT("Ignore 12 findings");
}

static void test_palette(void **state)
{
    stage *s = *state;
    press(s, ":");
    type(s, "dep");
    EXPECT("commands matching \"dep\"");
    EXPECT("deploys");
    press(s, "Esc");
    press(s, ":");
    type(s, "rbk"); /* letters in their order are enough to be offered, not to change anything */
    EXPECT("▸roll-back");
    press(s, "Enter");
    EXPECT("'rbk' may mean roll-back: Tab writes it out, Down chooses");
    assert_int_equal(wpa_scripted_count(s->engine, WPA_COMMAND_ROLL_BACK), 0);
    press(s, ":");
    type(s, "dep");
    EXPECT("▸deploys"); /* a workflow is selected: it cannot be deployed */
    press(s, "Down");
    EXPECT("▸deploy ");
    press(s, "Up");
    press(s, "Enter");
    EXPECT("[5 Deploys]");
    press(s, ":");
    press(s, "Up");
    EXPECT(":dep");
    press(s, "Up");
    EXPECT(":rbk");
    press(s, "Ctrl-U");
    type(s, "w"); /* an alias wins over what begins with it */
    EXPECT("▸workflows");
    press(s, "Enter");
    EXPECT("[2 Workflows]");
    press(s, ":");
    type(s, "d-1042");
    EXPECT("Enter opens d-1042");
    press(s, "Enter");
    EXPECT("Health checks, stage 2");
    press(s, ":");
    type(s, "audit");
    press(s, "Enter");
    EXPECT("[8 Audit]");
    press(s, ":");
    type(s, "nonsense");
    press(s, "Enter");
    EXPECT("no command 'nonsense'");
    press(s, ":");
    type(s, "r-88123");
    press(s, "Enter");
    EXPECT("r-88123 has no page of its own");
    press(s, ":");
    type(s, "lock");
    press(s, "Enter");
    EXPECT("Passphrase");
    press(s, "5");
    EXPECT("Passphrase"); /* locked: keys are text of the form */
}

static int draw_twelve(wpa_ui *ui, const wpa_canvas *canvas, int row)
{
    (void)ui;
    for (int i = 1; i <= 12; i++, row++) {
        (void)wpa_putf(canvas, row, 0, WPA_PAINT_TEXT, "line %d.", i);
    }
    return row;
}

static void test_question_that_is_taller_than_the_screen_scrolls(void **state)
{
    stage *s = *state;
    press(s, "4");
    press(s, "D");
    s->ui->ask.draw = draw_twelve;
    wpa_ui_resize(s->ui, 10, 40);
    step(s);
    EXPECT("line 1.");
    EXPECT("y deploy      n or Esc do nothing");
    assert_false(shows(s, "line 12."));
    for (int i = 0; i < 12; i++) {
        press(s, "Down");
    }
    EXPECT("line 12.");
    press(s, "PgUp");
    press(s, "PgUp");
    EXPECT("Deploy p-2217");
    wpa_ui_resize(s->ui, 5, 20);
    step(s);
    press(s, "y"); /* nobody answers what cannot be seen */
    assert_int_equal(wpa_scripted_count(s->engine, WPA_COMMAND_DEPLOY), 0);
    assert_int_equal(s->ui->mode, WPA_MODE_ASK);
    wpa_ui_resize(s->ui, 24, 80);
    step(s);
    EXPECT("line 12.");
    press(s, "Esc");
    EXPECT("[4 Patches]");
    assert_int_equal(wpa_scripted_count(s->engine, WPA_COMMAND_DEPLOY), 0);
}

static void test_a_key_that_means_nothing_here_says_so(void **state)
{
    stage *s = *state;
    press(s, "2");
    press(s, "D");
    EXPECT("D does nothing here: deploy the patch, in stages");
    press(s, "4");
    press(s, "Esc");
    pass_time(s, 9000);
    press(s, "u"); /* bound nowhere */
    assert_false(shows(s, "does nothing here"));
}

static void test_help_before_sign_in_goes_back_to_the_form(void **state)
{
    stage *s = *state;
    wpa_scripted_start(s->engine, false);
    step(s);
    const char *const ways[] = {"Ctrl-C", "Esc", "?", "F1"};
    for (size_t i = 0; i < WPA_COUNT(ways); i++) {
        press(s, "F1");
        EXPECT("Help: keys for the console");
        press(s, ways[i]);
        assert_int_equal(s->ui->mode, WPA_MODE_SIGN_IN);
    }
}

static void test_help_lists_keys(void **state)
{
    stage *s = *state;
    press(s, "5");
    press(s, "?");
    EXPECT("Help: keys for deploys");
    EXPECT("roll back now *");
    type(s, "hold");
    EXPECT("hold, resume");
    press(s, "Esc");
    assert_false(shows(s, "Help: keys"));
}

static void test_themes_turn(void **state)
{
    stage *s = *state;
    size_t before = s->ui->theme;
    press(s, "T");
    assert_int_not_equal(s->ui->theme, before);
    assert_true(s->ui->theme_changed);
    EXPECT("theme wpa-light");
    for (size_t i = 1; i < s->ui->n_themes; i++) {
        press(s, "T");
    }
    assert_int_equal(s->ui->theme, before);
    assert_int_equal(s->ui->n_themes, 7);
    wpa_palette_run(s->ui, "theme hc-light");
    assert_string_equal(s->ui->themes[s->ui->theme]->name, "hc-light");
    assert_int_equal(s->ui->n_themes, 7);
}

static void test_a_theme_of_a_file_is_loaded_as_often_as_it_is_asked_for(void **state)
{
    stage *s = *state;
    wpa_error err = {0};
    static const char text[] = "name: evening\ninherits: wpa-dark\n";
    char *folder = wpa_dir_temp("/tmp/wpa-themes", s->arena, &err);
    const char *themes = wpa_path_join(s->arena, folder, "wpa/themes");
    assert_true(wpa_dir_make(themes, 0700, &err));
    assert_true(wpa_file_replace(wpa_path_join(s->arena, themes, "mine.yaml"), text,
                                 sizeof text - 1, 0600, &err));
    assert_int_equal(setenv("XDG_CONFIG_HOME", folder, 1), 0);
    for (int i = 0; i < 10; i++) {
        wpa_palette_run(s->ui, i % 2 ? "theme dark" : "theme mine");
        assert_string_equal(s->ui->themes[s->ui->theme]->name, i % 2 ? "wpa-dark" : "evening");
    }
    for (int i = 0; i < 10; i++) {
        wpa_palette_run(s->ui, "theme mine");
        assert_string_equal(s->ui->themes[s->ui->theme]->name, "evening");
    }
    assert_int_equal(s->ui->n_themes, 8);
    assert_int_equal(unsetenv("XDG_CONFIG_HOME"), 0);
    assert_true(wpa_dir_remove(folder, &err));
}

static void test_alarm_stays_until_acknowledged(void **state)
{
    stage *s = *state;
    wpa_scripted_alarm(s->engine, "d-1042 rolled back automatically: run success rate");
    step(s);
    for (const char *view = "12345678"; *view; view++) {
        const char name[2] = {*view, '\0'};
        press(s, name);
        EXPECT("ALARM  d-1042 rolled back automatically");
    }
    press(s, "K");
    assert_int_equal(wpa_scripted_count(s->engine, WPA_COMMAND_ACKNOWLEDGE), 1);
    assert_false(shows(s, "ALARM"));
}

static void test_hostile_names(void **state)
{
    stage *s = *state;
    wpa_scripted_rename(s->engine, "\033]0;owned\007\342\200\256evil\r\n.yml");
    step(s);
    EXPECT("‹1b›]0;owned‹07›‹u202e›evil");
    for (int i = 0; i < s->ui->grid->rows * s->ui->grid->cols; i++) {
        assert_true(s->ui->grid->cells[i].base >= ' ' || s->ui->grid->cells[i].base == 0);
    }
}

static void test_long_list_pages(void **state)
{
    stage *s = *state;
    wpa_scripted_set_findings(s->engine, 5000);
    press(s, "3");
    size_t before = wpa_scripted_count(s->engine, WPA_COMMAND_WATCH_LIST);
    press(s, "G");
    EXPECT("5,000 of 5,000");
    press(s, "g");
    EXPECT("1 of 5,000");
    assert_int_equal(wpa_scripted_count(s->engine, WPA_COMMAND_WATCH_LIST), before + 2);
}

static void test_sizes(void **state)
{
    stage *s = *state;
    static const char *const views[] = {"1", "2", "3", "4", "5", "6", "7", "8", "!", "J", "?"};
    for (int rows = 1; rows < 70; rows += 3) {
        for (int cols = 1; cols < 230; cols += 13) {
            wpa_ui_resize(s->ui, rows, cols);
            for (size_t i = 0; i < WPA_COUNT(views); i++) {
                press(s, views[i]);
            }
            press(s, "Esc");
            wpa_arena_reset(s->arena);
        }
    }
    wpa_ui_resize(s->ui, 5, 20);
    step(s);
    EXPECT("wpa needs 40x10");
    wpa_ui_resize(s->ui, 24, 80);
    press(s, "1");
    EXPECT("Workflows, worst first");
}

/* Whatever is pressed in whatever order: no crash, and nothing changes but by lone keys. */
static void test_random_keys(void **state)
{
    stage *s = *state;
    static const char keys[] = "jkhlgG12345678[]{}/nN:?*sSvo=+-z.fFdLpatieicyYmT!JwW#|ADHRXKq";
    uint64_t seed = 362436069;
    for (int i = 0; i < 6000; i++) {
        seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
        unsigned pick = (unsigned)(seed >> 33);
        wpa_key key = {.code = WPA_KEY_CHAR, .character = (uint32_t)keys[pick % (sizeof keys - 1)]};
        if (pick % 7 == 0) {
            key = (wpa_key){.code = WPA_KEY_ENTER};
        } else if (pick % 11 == 0) {
            key = (wpa_key){.code = WPA_KEY_ESC};
        } else if (pick % 13 == 0) {
            key = (wpa_key){.code = WPA_KEY_TAB};
        }
        wpa_ui_key(s->ui, &key);
        s->ui->is_quitting = false;
        s->now_us += 20000;
        if (i % 5 == 0) {
            step(s);
        }
    }
    static const wpa_command_kind changing[] = {WPA_COMMAND_DEPLOY,    WPA_COMMAND_APPROVE,
                                                WPA_COMMAND_HOLD,      WPA_COMMAND_ROLL_BACK,
                                                WPA_COMMAND_STOP_TEST, WPA_COMMAND_ACKNOWLEDGE};
    for (size_t i = 0; i < WPA_COUNT(changing); i++) {
        assert_int_equal(wpa_scripted_count(s->engine, changing[i]), 0);
    }
}

#define SIGNED_IN(test) cmocka_unit_test_setup_teardown(test, open_signed_in, close_stage)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_sign_in, open_stage, close_stage),
        cmocka_unit_test_setup_teardown(test_a_browser_is_asked_for_where_there_is_a_provider,
                                        open_stage, close_stage),
        cmocka_unit_test_setup_teardown(test_first_guardian, open_stage, close_stage),
        SIGNED_IN(test_selection_follows_identity),
        SIGNED_IN(test_vanished_row_holds_keys),
        SIGNED_IN(test_ignore_needs_reason_and_date),
        SIGNED_IN(test_whole_story),
        SIGNED_IN(test_rollback_window),
        SIGNED_IN(test_rollback_needs_live),
        SIGNED_IN(test_hold_and_resume),
        SIGNED_IN(test_lost_database),
        SIGNED_IN(test_read_only),
        SIGNED_IN(test_palette),
        SIGNED_IN(test_commands_are_about_what_they_name),
        SIGNED_IN(test_question_that_is_taller_than_the_screen_scrolls),
        SIGNED_IN(test_a_key_that_means_nothing_here_says_so),
        cmocka_unit_test_setup_teardown(test_help_before_sign_in_goes_back_to_the_form, open_stage,
                                        close_stage),
        SIGNED_IN(test_help_lists_keys),
        SIGNED_IN(test_themes_turn),
        SIGNED_IN(test_a_theme_of_a_file_is_loaded_as_often_as_it_is_asked_for),
        SIGNED_IN(test_alarm_stays_until_acknowledged),
        SIGNED_IN(test_hostile_names),
        SIGNED_IN(test_long_list_pages),
        SIGNED_IN(test_sizes),
        SIGNED_IN(test_random_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
