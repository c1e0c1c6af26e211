/* Cron lines as GitHub reads them: five fields, names of months and days, no @daily. */
#pragma once

#include <stdint.h>

#include <wpa/text.h>

typedef struct wpa_cron {
    uint64_t minutes; /* bit 0 to 59 */
    uint32_t hours;
    uint32_t days;   /* bit 1 to 31 */
    uint32_t months; /* bit 1 to 12 */
    uint32_t weekdays;
    bool has_days, has_weekdays; /* restricted: not "*" */
    const char *fault;           /* why it cannot be read, or NULL */
    size_t fault_at;             /* offset of the field that is wrong */
} wpa_cron;

/** False with fault set. */
bool wpa_cron_parse(const char *text, wpa_cron *cron);
/** Smallest number of minutes between two firings anywhere in a year; a day if there is one a day.
 */
int wpa_cron_interval(const wpa_cron *cron);
/** Can the days and months ever come together? "30 2" cannot. */
bool wpa_cron_is_possible(const wpa_cron *cron);
/** Firings a day, on days it fires at all. */
int wpa_cron_per_day(const wpa_cron *cron);
