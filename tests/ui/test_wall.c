/* The wall's pages: which there are, when they turn, and what holds one. */
#include "stage.h"
#include "wall/wall.h"

static void paint(stage *s)
{
    wpa_scripted_tick(s->engine, s->now_us);
    wpa_ui_tick(s->ui, s->now_us);
    (void)wpa_ui_read_inbox(s->ui);
    wpa_wall_paint(s->ui);
}

static void wait_s(stage *s, int seconds)
{
    for (int i = 0; i < seconds; i++) {
        s->now_us += 1000000;
        paint(s);
    }
}

/* The one deployment that has a hit is rolled back. */
static void end_deployment(stage *s)
{
    wpa_error err = {0};
    wpa_command *command = wpa_command_new(WPA_COMMAND_ROLL_BACK_NOW);
    command->object = (wpa_object){WPA_OBJECT_DEPLOYMENT, 1042};
    wpa_console_port *port = wpa_scripted_port(s->engine);
    assert_true(port->submit(port->context, command, &err));
    wait_s(s, 15);
}

/* Nothing holds a page any more. */
static void end_trouble(stage *s)
{
    end_deployment(s);
    wpa_scripted_fix(s->engine, 99812);
    paint(s);
}

static int open_wall(void **state)
{
    (void)open_stage(state);
    stage *s = *state;
    s->ui->is_wall = true;
    wpa_scripted_sign_in(s->engine, WPA_ROLE_VIEWER);
    wpa_ui_tick(s->ui, s->now_us);
    (void)wpa_ui_read_inbox(s->ui);
    wpa_wall_start(s->ui);
    paint(s);
    return 0;
}

static void test_trouble_holds_the_overview(void **state)
{
    stage *s = *state;
    EXPECT("FLEET HEALTH");
    EXPECT("d-1042");
    EXPECT("page 1 of 2 overview, pinned while something is in trouble");
    wait_s(s, 45);
    EXPECT("FLEET HEALTH");
}

/* A critical finding holds it too, until somebody has taken it on. */
static void test_a_critical_finding_holds_the_overview(void **state)
{
    stage *s = *state;
    end_deployment(s);
    wait_s(s, 45);
    EXPECT("f-99812");
    EXPECT("page 1 of 2 overview, pinned until the CRIT finding is taken on");
    wpa_scripted_fix(s->engine, 99812);
    paint(s);
    EXPECT("page 1 of 2 overview, next in");
    wait_s(s, 21);
    EXPECT("page 2 of 2 findings");
}

static void test_pages_take_turns(void **state)
{
    stage *s = *state;
    const wpa_key space = {.code = WPA_KEY_CHAR, .character = ' '};
    end_trouble(s);
    wpa_wall_start(s->ui);
    paint(s);
    EXPECT("page 1 of 2 overview, next in 20 s");
    wait_s(s, 21);
    EXPECT("page 2 of 2 findings");
    EXPECT("Activity");
    wait_s(s, 21);
    EXPECT("page 1 of 2 overview");
    wpa_scripted_set_runs(s->engine, 3); /* now there is something on the third */
    paint(s);
    EXPECT("page 1 of 3 overview");
    wpa_wall_key(s->ui, &space);
    wpa_wall_key(s->ui, &space);
    paint(s);
    EXPECT("page 3 of 3 runs");
    EXPECT("Latest runs");
    EXPECT("r-88123");
}

static void test_chosen_pages(void **state)
{
    stage *s = *state;
    end_trouble(s);
    s->ui->config.wall = (wpa_wall_config){.pages = {1}, .n_pages = 1, .turn_ms = 5000};
    paint(s);
    EXPECT("Activity");
    wait_s(s, 12);
    EXPECT("Activity");
    assert_false(shows(s, "page "));
}

static void test_sizes(void **state)
{
    stage *s = *state;
    static const int sizes[][2] = {{10, 40}, {5, 20}, {1, 1}, {16, 60}, {24, 80}, {60, 200}};
    for (size_t i = 0; i < WPA_COUNT(sizes); i++) {
        wpa_ui_resize(s->ui, sizes[i][0], sizes[i][1]);
        wait_s(s, 1);
        if (sizes[i][0] >= 10) {
            EXPECT("87");
            EXPECT("d-1042");
            EXPECT("f-99812");
        }
    }
}

/* At night all of it is dim, but for an alarm. */
static void test_dim_hours(void **state)
{
    stage *s = *state;
    s->ui->config.wall.dim_from = 7 * 60;
    s->ui->config.wall.dim_to = 8 * 60;
    paint(s);
    for (int i = 0; i < s->ui->grid->cols * s->ui->grid->rows; i++) {
        const wpa_cell *cell = &s->ui->grid->cells[i];
        assert_true(cell->base == ' ' || cell->paint == WPA_PAINT_MUTED);
    }
    wpa_scripted_alarm(s->engine, "d-1042 rolled back");
    paint(s);
    const wpa_cell *alarm = &s->ui->grid->cells[3 * s->ui->grid->cols + 10];
    assert_int_equal(alarm->paint, WPA_PAINT_BANNER_ALARM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_trouble_holds_the_overview, open_wall, close_stage),
        cmocka_unit_test_setup_teardown(test_a_critical_finding_holds_the_overview, open_wall,
                                        close_stage),
        cmocka_unit_test_setup_teardown(test_pages_take_turns, open_wall, close_stage),
        cmocka_unit_test_setup_teardown(test_chosen_pages, open_wall, close_stage),
        cmocka_unit_test_setup_teardown(test_sizes, open_wall, close_stage),
        cmocka_unit_test_setup_teardown(test_dim_hours, open_wall, close_stage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
