/* The console on a stage: keys in, the scripted engine behind, a grid out. Each test file has one.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "console/ui.h"
#include "harness/scripted.h"

#define START_US ((int64_t)1795333330 * 1000000) /* 2026-11-22T07:42:10Z */

typedef struct stage {
    wpa_scripted *engine;
    wpa_ui *ui;
    wpa_arena *arena;
    int64_t now_us;
} stage;

static const wpa_ui_options options = {.config = "/nonexistent/console.yaml", .theme = "dark"};

static inline void step(stage *s)
{
    wpa_scripted_tick(s->engine, s->now_us);
    wpa_ui_tick(s->ui, s->now_us);
    (void)wpa_ui_read_inbox(s->ui);
    wpa_ui_paint(s->ui);
}

static inline void pass_time(stage *s, int64_t ms)
{
    for (; ms > 0; ms -= 100) {
        s->now_us += (ms < 100 ? ms : 100) * 1000;
        step(s);
    }
}

static inline void press_key(stage *s, const char *name, bool is_alone)
{
    wpa_key key = {0};
    assert_true(wpa_key_parse(name, &key));
    key.is_alone = is_alone;
    wpa_ui_key(s->ui, &key);
    step(s);
}

static inline void press(stage *s, const char *name)
{
    press_key(s, name, true);
}

static inline void type(stage *s, const char *text)
{
    for (; *text; text++) {
        const char name[2] = {*text, '\0'};
        press_key(s, *text == ' ' ? "Space" : name, false);
    }
}

static inline const char *screen(stage *s)
{
    return wpa_grid_text(s->ui->grid, s->arena);
}

static inline bool shows(stage *s, const char *text)
{
    return strstr(screen(s), text) != NULL;
}

static inline void expect_at(stage *s, const char *text, int line)
{
    if (!shows(s, text)) {
        (void)fprintf(stderr, "line %d: no '%s' on\n%s", line, text, screen(s));
        fail();
    }
}
#define EXPECT(text) expect_at(s, text, __LINE__)

static inline int open_stage(void **state)
{
    stage *s = calloc(1, sizeof *s); // NOLINT: cmocka's own
    wpa_error err = {0};
    s->now_us = START_US;
    s->arena = wpa_arena_new();
    s->engine = wpa_scripted_new(s->now_us);
    s->ui = wpa_ui_new(&options, wpa_scripted_port(s->engine), "test", 24, 80, &err);
    assert_non_null(s->ui);
    step(s);
    *state = s;
    return 0;
}

static inline int open_signed_in(void **state)
{
    (void)open_stage(state);
    stage *s = *state;
    wpa_scripted_sign_in(s->engine, WPA_ROLE_GUARDIAN);
    step(s);
    step(s);
    return 0;
}

static inline int close_stage(void **state)
{
    stage *s = *state;
    wpa_ui_free(s->ui);
    wpa_scripted_free(s->engine);
    wpa_arena_free(s->arena);
    free(s); // NOLINT: as above
    return 0;
}
