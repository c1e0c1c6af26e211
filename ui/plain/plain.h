/*
 * Plain mode: the console as lines. Lists are numbered, choices are typed, each change of state is
 * a line that begins with its level: a screen reader or a braille display follows it, and so does a
 * script. The console's state and rules are those of the screen (console/ui.h); nothing here draws.
 *
 * A command acts on the thing that it names, by id or by the number told last, or on the thing
 * whose page was told: never on a row that nobody has heard of.
 */
#pragma once

#include <termios.h>

#include "console/ui.h"

#define WPA_PLAIN_ROWS 10 /* of a list, told at once */
#define WPA_PLAIN_LIVE 20
#define WPA_PLAIN_LINE 1024

/** What has been told, so that a change is noticed. */
typedef struct wpa_plain_page {
    const wpa_view *view;
    wpa_object object;
    uint64_t request; /* of the rows of a list */
    int first;        /* row of it that was told first */
} wpa_plain_page;

typedef struct wpa_plain_live {
    int64_t id;
    wpa_deployment_state state;
    int stage;
    wpa_stage_state stage_state;
} wpa_plain_live;

typedef struct wpa_plain {
    wpa_ui *ui;
    int in_fd, out_fd;
    struct termios saved; /* of in_fd */
    bool is_terminal, hides_input, has_prompt;
    bool is_over, has_no_reader;
    char input[WPA_PLAIN_LINE * 4]; /* read and not yet obeyed */
    size_t n_input;
    bool is_input_over;

    wpa_object choices[WPA_PLAIN_ROWS];
    size_t n_choices;
    wpa_plain_page told;
    bool wants_page; /* it is to be told once it is there */
    int64_t wanted_us, ordered_us;
    wpa_verb verb; /* waits for what is known of object; WPA_VERB_NONE: nothing waits */
    wpa_object object;
    int64_t verb_us;
    bool is_ask_told, is_rollback_told, is_form_begun, is_form_told, is_lost_told;
    wpa_error form_error;
    const char *browser_code;
    wpa_plain_live live[WPA_PLAIN_LIVE];
    size_t n_live;
    bool knows_live;
} wpa_plain;

/** A line of text, made fit for reading aloud. (tell.c) */
void wpa_plain_say(wpa_plain *plain, const char *format, ...) WPA_PRINTF(2, 3);
/** Without glyphs, rules and bars: for what the screen draws. Lives in the arena. */
char *wpa_plain_words(const char *text, wpa_arena *arena);
/** The page that is open. */
void wpa_plain_tell_page(wpa_plain *plain);
/** Is all of it there that it is about? */
bool wpa_plain_has_page(wpa_plain *plain);
void wpa_plain_tell_help(wpa_plain *plain);
/** The question that is open, or what a form wants next. */
void wpa_plain_tell_ask(wpa_plain *plain);
/** What has changed by itself: link, rollback windows, deployments. */
void wpa_plain_tell_changes(wpa_plain *plain);

/** Do what a line says. (order.c) */
void wpa_plain_order(wpa_plain *plain, char *line);
/** Do what waited for a page, now that it is there. */
void wpa_plain_go_on(wpa_plain *plain);
