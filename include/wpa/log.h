/*
 * The log: lines of "time level module message" to a descriptor. Owned by main and passed on.
 * Everything is made visible before it is written, so a file's content cannot reach a terminal.
 */
#pragma once

#include <wpa/error.h>

typedef enum wpa_log_level {
    WPA_LOG_ERROR,
    WPA_LOG_WARN,
    WPA_LOG_INFO,
    WPA_LOG_DEBUG
} wpa_log_level;

typedef struct wpa_log wpa_log;

/** Writes to fd, which stays the caller's; threshold is the least urgent level written. */
wpa_log *wpa_log_new(int fd, wpa_log_level threshold);
void wpa_log_free(wpa_log *log);
WPA_DEFINE_AUTO(wpa_log, wpa_log_free);

/** Thread: any. log may be NULL: nothing is written. */
void wpa_log_write(wpa_log *log, wpa_log_level level, const char *module, const char *format, ...)
    WPA_PRINTF(4, 5);
/** An error with its context and origin, at level ERROR. */
void wpa_log_error(wpa_log *log, const char *module, const wpa_error *err);
