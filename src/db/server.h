/*
 * The programs of PostgreSQL as processes: which are installed, as whom they run, whether a server
 * lives in a data folder. What wpa does with them stands in embedded.h.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include <wpa/arena.h>

#define WPA_SERVER_MIN_MAJOR 15

/** Whom the server runs as. PostgreSQL refuses root, so root's wpa runs it as user postgres. */
typedef struct wpa_server_user {
    bool is_other; /* not the user of this process: change to it before exec */
    uid_t uid;
    gid_t gid;
    gid_t groups[32];
    int n_groups;
} wpa_server_user;

typedef struct wpa_server_programs {
    int major;
    const char *initdb, *postgres; /* absolute paths, in the arena */
} wpa_server_programs;

/** Errors: WPA_E_UNAVAILABLE if root has no user postgres to change to. */
bool wpa_server_user_find(wpa_server_user *user, wpa_error *err) WPA_CHECK;
/** Can that user step into the folder? Asks the kernel, in a child process. */
bool wpa_server_user_can_reach(const wpa_server_user *user, const char *folder);

/**
 * Find the newest PostgreSQL of at least WPA_SERVER_MIN_MAJOR in PATH and the usual folders.
 *
 * major     only this major version (whose data folder exists already), or 0.
 *
 * Errors    WPA_E_UNAVAILABLE, naming what was looked for and how to install it.
 */
bool wpa_server_programs_find(int major, wpa_arena *arena, wpa_server_programs *programs,
                              wpa_error *err) WPA_CHECK;

/**
 * Run a program to its end, in "/" with a clean environment, output appended to a log file.
 *
 * argv      NULL-terminated; argv[0] is an absolute path.
 *
 * Errors    WPA_E_UNAVAILABLE with the last line of its output; WPA_E_IO.
 */
bool wpa_server_run(const wpa_server_user *user, const char *const argv[], const char *log_path,
                    wpa_error *err) WPA_CHECK;
/** As wpa_server_run, but detached in a session of its own; returns its process id, 0 on failure.
 */
pid_t wpa_server_spawn(const wpa_server_user *user, const char *const argv[], const char *log_path,
                       wpa_error *err);

/** Is the process there and not a zombie? */
bool wpa_server_is_alive(pid_t pid);
/** Process id of the postmaster that lives in the data folder, or 0. */
pid_t wpa_server_find(const char *data_folder);
/** Fast stop and wait until it is gone. Errors: WPA_E_TIMEOUT, WPA_E_IO. */
bool wpa_server_stop(const char *data_folder, int64_t timeout_ms, wpa_error *err) WPA_CHECK;
/** Last line of a log that says what went wrong, made visible, in the arena. */
const char *wpa_server_log_tail(const char *log_path, wpa_arena *arena);
