#include <stdio.h>
#include <string.h>
#include <time.h>

#include <wpa/clock.h>

int64_t wpa_now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t wpa_monotonic_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

char *wpa_timestamp_format(int64_t time_us, char *text)
{
    int64_t seconds = time_us / 1000000, fraction = time_us % 1000000;
    if (fraction < 0) {
        fraction += 1000000;
        seconds--;
    }
    time_t time = (time_t)seconds;
    struct tm utc = {0};
    (void)gmtime_r(&time, &utc);
    (void)snprintf(text, WPA_TIMESTAMP_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ",
                   (utc.tm_year + 1900) % 10000, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour,
                   utc.tm_min, utc.tm_sec, (int)fraction);
    return text;
}

bool wpa_timestamp_parse(const char *text, int64_t *time_us, wpa_error *err)
{
    struct tm utc = {0};
    const char *rest = strptime(text, "%Y-%m-%d", &utc);
    if (rest && (*rest == 'T' || *rest == ' ')) {
        rest = strptime(rest + 1, "%H:%M:%S", &utc);
    } else {
        rest = NULL;
    }
    int64_t fraction = 0;
    if (rest && *rest == '.') {
        int64_t unit = 100000;
        for (rest++; *rest >= '0' && *rest <= '9'; rest++, unit /= 10) {
            fraction += (*rest - '0') * unit;
        }
    }
    if (!rest ||
        !(strcmp(rest, "Z") == 0 || strcmp(rest, "+00") == 0 || strcmp(rest, "+00:00") == 0)) {
        return WPA_FAIL(err, WPA_E_INVALID, "'%s' is not a time such as 2026-01-02T03:04:05Z",
                        text);
    }
    *time_us = (int64_t)timegm(&utc) * 1000000 + fraction;
    return true;
}

char *wpa_duration_format(int64_t duration_ms, char *text)
{
    int64_t s = duration_ms / 1000;
    if (duration_ms < 10000) {
        (void)snprintf(text, WPA_TIMESTAMP_SIZE, "%.1f s", (double)duration_ms / 1000.0);
    } else if (s < 60) {
        (void)snprintf(text, WPA_TIMESTAMP_SIZE, "%d s", (int)s);
    } else if (s < 3600) {
        (void)snprintf(text, WPA_TIMESTAMP_SIZE, "%d m %02d s", (int)(s / 60), (int)(s % 60));
    } else if (s < 172800) {
        (void)snprintf(text, WPA_TIMESTAMP_SIZE, "%d h %02d m", (int)(s / 3600),
                       (int)(s / 60 % 60));
    } else {
        (void)snprintf(text, WPA_TIMESTAMP_SIZE, "%lld d", (long long)(s / 86400));
    }
    return text;
}

void wpa_sleep_ms(int64_t duration_ms)
{
    struct timespec span = {.tv_sec = duration_ms / 1000, .tv_nsec = duration_ms % 1000 * 1000000};
    (void)nanosleep(&span, NULL);
}
