/*
 * Screens as text, compared with tests/screens/<name>.screen. WPA_UPDATE_SCREENS=1 writes them
 * anew: look at the difference before committing it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <wpa/file.h>

#include "console/ui.h"
#include "harness/scripted.h"
#include "wall/wall.h"

#define START_US ((int64_t)1795333330 * 1000000) /* 2026-11-22T07:42:10Z */

typedef enum beginning {
    SIGNED_IN,
    SIGNED_OUT,
    FIRST_GUARDIAN,
    WALL
} beginning;

typedef struct screen_case {
    const char *name;
    int rows, cols;
    beginning beginning;
    const char *keys[12]; /* "+500" lets so many milliseconds pass; "!lost", "!alarm", "!code",
                             "!browser" */
    bool is_ascii;
} screen_case;

static const screen_case cases[] = {
    {"sign_in", 24, 80, SIGNED_OUT, {NULL}, false},
    {"sign_in_code", 24, 80, SIGNED_OUT, {"!code"}, false},
    {"sign_in_browser", 24, 80, SIGNED_OUT, {"!browser"}, false},
    {"sign_in_browser_40x10", 10, 40, SIGNED_OUT, {"!browser"}, false},
    {"first_guardian", 24, 80, FIRST_GUARDIAN, {NULL}, false},
    {"dash_80x24", 24, 80, SIGNED_IN, {NULL}, false},
    {"dash_120x40", 40, 120, SIGNED_IN, {NULL}, false},
    {"dash_200x60", 60, 200, SIGNED_IN, {NULL}, false},
    {"dash_40x10", 10, 40, SIGNED_IN, {NULL}, false},
    {"dash_ascii", 24, 80, SIGNED_IN, {NULL}, true},
    {"dash_lost", 24, 80, SIGNED_IN, {"!lost", "+14000"}, false},
    {"dash_alarm", 24, 80, SIGNED_IN, {"!alarm"}, false},
    {"dash_20x5", 5, 20, SIGNED_IN, {NULL}, false},
    {"workflows", 24, 80, SIGNED_IN, {"2"}, false},
    {"workflows_120x40", 40, 120, SIGNED_IN, {"2"}, false},
    {"workflow", 24, 80, SIGNED_IN, {"2", "Enter"}, false},
    {"findings", 24, 80, SIGNED_IN, {"3", "Space", "Space"}, false},
    {"findings_40x10", 10, 40, SIGNED_IN, {"3"}, false},
    {"findings_120x40", 40, 120, SIGNED_IN, {"3"}, false},
    {"finding", 24, 80, SIGNED_IN, {"3", "Enter"}, false},
    {"patches", 24, 80, SIGNED_IN, {"4"}, false},
    {"patches_120x40", 40, 120, SIGNED_IN, {"4"}, false},
    {"patch_failed", 24, 80, SIGNED_IN, {"4", "j", "Enter"}, false},
    {"diff", 24, 80, SIGNED_IN, {"4", "d"}, false},
    {"diff_side_by_side", 40, 120, SIGNED_IN, {"4", "d", "|"}, false},
    {"deploy_question", 24, 80, SIGNED_IN, {"4", "D"}, false},
    {"deploy_question_40x10", 10, 40, SIGNED_IN, {"4", "D"}, false},
    {"deploy_question_60x15", 15, 60, SIGNED_IN, {"4", "D", "Down"}, false},
    {"ignore_40x10", 10, 40, SIGNED_IN, {"3", "i", "x"}, false},
    {"sign_in_40x10", 10, 40, SIGNED_OUT, {NULL}, false},
    {"first_guardian_40x10", 10, 40, FIRST_GUARDIAN, {NULL}, false},
    {"help_40x10", 10, 40, SIGNED_IN, {"5", "?"}, false},
    {"palette_40x10", 10, 40, SIGNED_IN, {"4", ":", "d", "e", "Down"}, false},
    {"filter_40x10", 10, 40, SIGNED_IN, {"3", "/", "s", "e", "Tab"}, false},
    {"deploys", 24, 80, SIGNED_IN, {"5"}, false},
    {"deploy", 24, 80, SIGNED_IN, {"5", "Enter"}, false},
    {"deploy_120x40", 40, 120, SIGNED_IN, {"5", "Enter"}, false},
    {"rollback_window", 24, 80, SIGNED_IN, {"5", "R", "+600"}, false},
    {"rollback_running", 24, 80, SIGNED_IN, {"5", "Enter", "R", "+3500"}, false},
    {"map", 24, 80, SIGNED_IN, {"6"}, false},
    {"map_table", 24, 80, SIGNED_IN, {"6", "="}, false},
    {"map_ascii", 24, 80, SIGNED_IN, {"6"}, true},
    {"map_120x40", 40, 120, SIGNED_IN, {"6"}, false},
    {"map_40x10", 10, 40, SIGNED_IN, {"6"}, false},
    {"runs_empty", 24, 80, SIGNED_IN, {"7"}, false},
    {"audit", 24, 80, SIGNED_IN, {"8"}, false},
    {"audit_120x40", 40, 120, SIGNED_IN, {"8"}, false},
    {"destinations", 24, 80, SIGNED_IN, {"O"}, false},
    {"help", 24, 80, SIGNED_IN, {"5", "?"}, false},
    {"palette", 24, 80, SIGNED_IN, {"4", ":", "d", "e", "p"}, false},
    {"filter", 24, 80, SIGNED_IN, {"3", "/", "c", "a", "c", "h", "e"}, false},
    {"filter_values", 24, 80, SIGNED_IN, {"3", "/", "s", "e", "Tab"}, false},
    {"filter_in_the_way",
     24,
     80,
     SIGNED_IN,
     {"3", "/", "o", "k", "Space", "w", "f", ":", "q", "q"},
     false},
    {"wall_160x45", 45, 160, WALL, {NULL}, false},
    {"wall_80x24", 24, 80, WALL, {NULL}, false},
    {"wall_44x15", 15, 44, WALL, {NULL}, false},
};

typedef struct stage {
    wpa_scripted *engine;
    wpa_ui *ui;
    int64_t now_us;
} stage;

static void step(stage *s)
{
    wpa_scripted_tick(s->engine, s->now_us);
    wpa_ui_tick(s->ui, s->now_us);
    (void)wpa_ui_read_inbox(s->ui);
    if (s->ui->is_wall) {
        wpa_wall_paint(s->ui);
    } else {
        wpa_ui_paint(s->ui);
    }
}

static void play(stage *s, const char *what)
{
    int64_t ms = 0;
    wpa_key key = {0};
    if (what[0] == '+' && wpa_text_to_int(what + 1, 0, 60000, &ms) && ms) {
        for (; ms > 0; ms -= 100) {
            s->now_us += 100000;
            step(s);
        }
    } else if (wpa_text_is(what, "!lost")) {
        wpa_scripted_lose(s->engine, "connection refused, 10.2.0.5:5432");
    } else if (wpa_text_is(what, "!alarm")) {
        wpa_scripted_alarm(s->engine, "d-1042 rolled back automatically: run success rate 94.1 %");
    } else if (wpa_text_is(what, "!code")) {
        wpa_scripted_set_sign_in(s->engine, true, true, NULL);
    } else if (wpa_text_is(what, "!browser")) {
        wpa_scripted_set_sign_in(s->engine, false, true, "BCDF-GHJK");
    } else {
        assert_true(wpa_key_parse(what, &key));
        key.is_alone = true;
        wpa_ui_key(s->ui, &key);
    }
    step(s);
}

static void begin(stage *s, const screen_case *it)
{
    if (it->beginning == SIGNED_OUT || it->beginning == FIRST_GUARDIAN) {
        wpa_scripted_start(s->engine, it->beginning == FIRST_GUARDIAN);
    } else {
        s->ui->is_wall = it->beginning == WALL;
        wpa_scripted_sign_in(s->engine, s->ui->is_wall ? WPA_ROLE_VIEWER : WPA_ROLE_GUARDIAN);
    }
    if (s->ui->is_wall) {
        wpa_wall_start(s->ui);
    }
    step(s);
    step(s);
}

static void compare(const char *name, const char *got, wpa_arena *arena)
{
    wpa_error err = {0};
    const char *source = getenv("WPA_SOURCE_DIR");     // NOLINT(concurrency-mt-unsafe)
    const char *update = getenv("WPA_UPDATE_SCREENS"); // NOLINT(concurrency-mt-unsafe)
    char *path = wpa_arena_printf(arena, "%s/tests/screens/%s.screen", source ? source : ".", name);
    if (update && *update) {
        assert_true(wpa_file_replace(path, got, strlen(got), 0644, &err));
        return;
    }
    size_t size_bytes = 0;
    const char *want = wpa_file_read(path, 1024 * 1024, arena, &size_bytes, &err);
    if (!want || strcmp(want, got) != 0) {
        (void)fprintf(stderr, "%s differs%s\n--- wanted\n%s--- got\n%s", path,
                      want ? "" : " (there is none)", want ? want : "", got);
        fail();
    }
}

static void test_screens(void **state)
{
    (void)state;
    static const wpa_ui_options options = {.config = "/nonexistent/console.yaml", .theme = "dark"};
    for (size_t i = 0; i < WPA_COUNT(cases); i++) {
        WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
        WPA_AUTO(wpa_scripted) *engine = wpa_scripted_new(START_US);
        wpa_error err = {0};
        WPA_AUTO(wpa_ui) *ui =
            wpa_ui_new(&options, wpa_scripted_port(engine), "xterm-256color, 256 colours, UTF-8",
                       cases[i].rows, cases[i].cols, &err);
        assert_non_null(ui);
        ui->is_ascii = cases[i].is_ascii;
        stage s = {.engine = engine, .ui = ui, .now_us = START_US};
        begin(&s, &cases[i]);
        for (size_t k = 0; k < WPA_COUNT(cases[i].keys) && cases[i].keys[k]; k++) {
            play(&s, cases[i].keys[k]);
        }
        const char *got = wpa_grid_text(ui->grid, arena);
        if (cases[i].is_ascii) {
            for (const char *c = got; *c; c++) {
                assert_true((unsigned char)*c < 127);
            }
        }
        compare(cases[i].name, got, arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_screens)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
