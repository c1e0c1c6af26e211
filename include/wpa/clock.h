/* Time: wall clock in microseconds since 1970 UTC, monotonic clock in milliseconds. */
#pragma once

#include <stdint.h>

#include <wpa/error.h>

#define WPA_TIMESTAMP_SIZE 48

int64_t wpa_now_us(void);
int64_t wpa_monotonic_ms(void);
/** "2026-01-02T03:04:05.000006Z" into text[WPA_TIMESTAMP_SIZE]; returns text. */
char *wpa_timestamp_format(int64_t time_us, char *text);
/** Reads the above, and PostgreSQL's "2026-01-02 03:04:05.000006+00" (offset +00 only). */
bool wpa_timestamp_parse(const char *text, int64_t *time_us, wpa_error *err) WPA_CHECK;
/** "12 s", "3 m 12 s", "2 h", "9 d" for people, into text[WPA_TIMESTAMP_SIZE]; returns text. */
char *wpa_duration_format(int64_t duration_ms, char *text);
/** Sleep; wakes early for signals. */
void wpa_sleep_ms(int64_t duration_ms);
