/*
 * The console as the program starts it: an interactive one and the wall. It runs in the caller's
 * thread until it is left, and meets the rest of the program only in the port.
 */
#pragma once

#include <wpa/command.h>

/** The other side of the console: the data thread, or a script in tests. */
typedef struct wpa_console_port {
    void *context;
    /**
     * Ask for something. Takes the command, also when it fails. Never waits: the answer comes to
     * the inbox. Errors: WPA_E_UNAVAILABLE (too many unanswered), WPA_E_CANCELLED (closing).
     * Thread: the console's.
     */
    bool (*submit)(void *context, wpa_command *command, wpa_error *err);
    /** Messages of snapshot.h, pushed by the other side; borrowed. Closed: the console leaves. */
    wpa_queue *inbox;
} wpa_console_port;

typedef enum wpa_choice {
    WPA_CHOICE_AUTO,
    WPA_CHOICE_NO,
    WPA_CHOICE_YES
} wpa_choice;

/** All texts are borrowed for the run; NULL or 0 means the default. */
typedef struct wpa_ui_options {
    const char *theme;  /* name; NULL: console.yaml's, else by the terminal's background */
    const char *color;  /* "never" "16" "256" "true"; NULL: by the environment */
    wpa_choice unicode; /* --unicode, --ascii */
    const char *config; /* path of console.yaml; NULL: in wpa_path_config */
    bool is_read_only;  /* --read-only: asks for WPA_COMMAND_SIGN_IN_READ_ONLY by itself */
    bool reduces_motion;
    bool is_over_ssh; /* Esc is decided after 50 ms instead of 25 */
    const char *tty;  /* NULL: /dev/tty */
    int stop_fd;      /* readable: leave now, cleanly (0: none): main's own signalfd */
} wpa_ui_options;

/**
 * Run the console until the guardian leaves, the inbox closes or a signal says so.
 *
 * Blocks SIGINT, SIGTERM, SIGHUP, SIGWINCH, SIGTSTP and SIGCONT in its thread for the run and reads
 * them from a descriptor: the caller starts other threads with them blocked. The terminal is as
 * found afterwards, after a fatal signal too.
 *
 * Errors    WPA_E_UNAVAILABLE (no terminal, or one that cannot move its cursor), WPA_E_INVALID
 *           (unknown theme or color), WPA_E_IO.
 */
bool wpa_ui_run(const wpa_ui_options *options, wpa_console_port *port, wpa_error *err) WPA_CHECK;

/**
 * The console as lines (for screen readers, dumb terminals, scripts): reads commands from standard
 * input and tells what happens on standard output, without any escape sequence. Ends with "quit",
 * the end of the input, a closed inbox or stop_fd.
 *
 * Errors    WPA_E_INVALID (unknown theme), WPA_E_IO (standard output).
 */
bool wpa_plain_run(const wpa_ui_options *options, wpa_console_port *port, wpa_error *err) WPA_CHECK;

/** The wall display: reads only (it sends nothing but WATCH and REFRESH); same errors. */
bool wpa_wall_run(const wpa_ui_options *options, wpa_console_port *port, wpa_error *err) WPA_CHECK;
