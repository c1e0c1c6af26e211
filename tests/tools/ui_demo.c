/*
 * The console on the scripted engine, to look at it and to drive it in a pseudo-terminal:
 * ui_demo [--wall | --plain] [--first] [--signed-in] [--theme NAME] [--color DEPTH] [--ascii]
 *         [--config FILE]
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include <wpa/clock.h>

#include "harness/scripted.h"

typedef struct clock_thread {
    wpa_scripted *scripted;
    atomic_bool is_over;
} clock_thread;

static void *run_clock(void *context)
{
    clock_thread *clock = context;
    while (!clock->is_over) {
        wpa_sleep_ms(50);
        wpa_scripted_tick(clock->scripted, wpa_now_us());
    }
    return NULL;
}

static void read_options(int argc, char **argv, wpa_ui_options *options, bool *is_wall,
                         bool *is_plain, bool *is_first, bool *is_signed_in)
{
    for (int i = 1; i < argc; i++) {
        const char *next = i + 1 < argc ? argv[i + 1] : NULL;
        *is_plain |= strcmp(argv[i], "--plain") == 0;
        *is_wall |= strcmp(argv[i], "--wall") == 0;
        *is_first |= strcmp(argv[i], "--first") == 0;
        *is_signed_in |= strcmp(argv[i], "--signed-in") == 0;
        if (strcmp(argv[i], "--ascii") == 0) {
            options->unicode = WPA_CHOICE_NO;
        } else if (strcmp(argv[i], "--unicode") == 0) {
            options->unicode = WPA_CHOICE_YES;
        } else if (strcmp(argv[i], "--theme") == 0) {
            options->theme = next;
        } else if (strcmp(argv[i], "--color") == 0) {
            options->color = next;
        } else if (strcmp(argv[i], "--config") == 0) {
            options->config = next;
        }
    }
}

int main(int argc, char **argv)
{
    wpa_ui_options options = {.config = "/nonexistent/console.yaml"};
    bool is_wall = false, is_plain = false, is_first = false, is_signed_in = false;
    read_options(argc, argv, &options, &is_wall, &is_plain, &is_first, &is_signed_in);
    sigset_t all;
    (void)sigfillset(&all);
    wpa_error err = {0};
    WPA_AUTO(wpa_scripted) *scripted = wpa_scripted_new(wpa_now_us());
    clock_thread clock = {.scripted = scripted};
    pthread_t thread;
    sigset_t before;
    (void)pthread_sigmask(SIG_BLOCK, &all, &before);
    if (pthread_create(&thread, NULL, run_clock, &clock) != 0) {
        return 1;
    }
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (is_wall || is_signed_in) {
        wpa_scripted_sign_in(scripted, is_wall ? WPA_ROLE_VIEWER : WPA_ROLE_GUARDIAN);
    } else {
        wpa_scripted_start(scripted, is_first);
    }
    wpa_console_port *port = wpa_scripted_port(scripted);
    bool is_fine = is_wall    ? wpa_wall_run(&options, port, &err)
                   : is_plain ? wpa_plain_run(&options, port, &err)
                              : wpa_ui_run(&options, port, &err);
    clock.is_over = true;
    (void)pthread_join(thread, NULL);
    if (!is_fine) {
        (void)fprintf(stderr, "ui_demo: %s\n", err.message);
    }
    return is_fine ? 0 : 1;
}
