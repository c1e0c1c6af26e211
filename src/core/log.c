#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <wpa/clock.h>
#include <wpa/log.h>
#include <wpa/memory.h>

#include "core/visible.h"

#define LINE_BYTES 2048

struct wpa_log {
    int fd;
    wpa_log_level threshold;
};

static const char *const level_names[] = {"error", "warn", "info", "debug"};

wpa_log *wpa_log_new(int fd, wpa_log_level threshold)
{
    wpa_log *log = wpa_alloc(sizeof *log);
    log->fd = fd;
    log->threshold = threshold;
    return log;
}

void wpa_log_free(wpa_log *log)
{
    wpa_free(log);
}

void wpa_log_write(wpa_log *log, wpa_log_level level, const char *module, const char *format, ...)
{
    if (!log || level > log->threshold) {
        return;
    }
    char raw[LINE_BYTES], line[LINE_BYTES + 128], time[WPA_TIMESTAMP_SIZE];
    va_list values;
    va_start(values, format);
    (void)vsnprintf(raw, sizeof raw, format, values);
    va_end(values);
    int head = snprintf(line, sizeof line, "%s %-5s %s: ", wpa_timestamp_format(wpa_now_us(), time),
                        level_names[level], module);
    size_t used = (size_t)head;
    wpa_visible_copy(line + used, sizeof line - used - 1, raw, strlen(raw), false);
    used = strlen(line);
    line[used++] = '\n';
    /* One write a line, so that threads and processes do not mix theirs. */
    ssize_t written = write(log->fd, line, used);
    (void)written; /* a log that cannot be written must not stop the work */
}

void wpa_log_error(wpa_log *log, const char *module, const wpa_error *err)
{
    char text[sizeof err->message + sizeof err->context];
    const char *file = err->file ? err->file : "?";
    const char *base = strrchr(file, '/');
    wpa_log_write(log, WPA_LOG_ERROR, module, "%s (%s, %s:%d)",
                  wpa_error_text(err, text, sizeof text), wpa_code_name(err->code),
                  base ? base + 1 : file, err->line);
}
