#include "rules/cron.h"

#include <string.h>

static const char *const month_names[] = {"JAN", "FEB", "MAR", "APR", "MAY", "JUN",
                                          "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
static const char *const day_names[] = {"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"};

typedef struct field {
    const char *what;
    int min, max;
    const char *const *names;
    int n_names, first_name;
} field;

static const field fields[] = {
    {"minute", 0, 59, NULL, 0, 0},          {"hour", 0, 23, NULL, 0, 0},
    {"day of month", 1, 31, NULL, 0, 0},    {"month", 1, 12, month_names, 12, 1},
    {"day of week", 0, 6, day_names, 7, 0},
};

/* A number or a name at *at, which moves on; -1 if it is neither, or out of range. */
static int read_value(const field *f, const char **at)
{
    for (int i = 0; i < f->n_names; i++) {
        if (strncasecmp(*at, f->names[i], 3) == 0) {
            *at += 3;
            return f->first_name + i;
        }
    }
    size_t digits = strspn(*at, "0123456789");
    if (digits == 0 || digits > 2) {
        return -1;
    }
    int value = 0;
    for (size_t i = 0; i < digits; i++) {
        value = value * 10 + (*(*at)++ - '0');
    }
    return value >= f->min && value <= f->max ? value : -1;
}

/* "*", "5", "1-5", each with "/step"; false if it is none of these. */
static bool read_part(const field *f, const char **at, uint64_t *bits, bool *is_all)
{
    int from = f->min, to = f->max, step = 1;
    bool is_star = **at == '*', is_range = is_star;
    if (is_star) {
        ++*at;
    } else {
        from = to = read_value(f, at);
        if (from >= 0 && **at == '-') {
            ++*at;
            to = read_value(f, at);
            is_range = true;
        }
    }
    if (from < 0 || to < from) {
        return false;
    }
    if (**at == '/') {
        ++*at;
        size_t digits = strspn(*at, "0123456789");
        if (digits == 0 || digits > 3) {
            return false;
        }
        for (step = 0; digits; digits--) {
            step = step * 10 + (*(*at)++ - '0');
        }
        to = is_range ? to : f->max;
    }
    if (step == 0) {
        return false;
    }
    for (int i = from; i <= to; i += step) {
        *bits |= (uint64_t)1 << i;
    }
    *is_all = *is_all || (is_star && step == 1);
    return true;
}

static bool read_field(const field *f, const char *text, size_t length, uint64_t *bits,
                       bool *is_all)
{
    const char *at = text;
    do {
        if (!read_part(f, &at, bits, is_all)) {
            return false;
        }
    } while (*at == ',' && ++at);
    return at == text + length;
}

static bool fail(wpa_cron *cron, const char *fault, size_t at)
{
    cron->fault = fault;
    cron->fault_at = at;
    return false;
}

bool wpa_cron_parse(const char *text, wpa_cron *cron)
{
    static const char *const faults[] = {
        "the minute must be 0 to 59",
        "the hour must be 0 to 23",
        "the day of month must be 1 to 31",
        "the month must be 1 to 12 or JAN to DEC",
        "the day of week must be 0 to 6 or SUN to SAT",
    };
    static const char blanks[] = " \t\r\n"; /* a block scalar ends with a line break */
    *cron = (wpa_cron){0};
    uint64_t bits[5] = {0};
    bool is_all[5] = {0};
    size_t at = strspn(text, blanks);
    if (text[at] == '@') {
        return fail(cron, "GitHub knows no short forms such as @daily", at);
    }
    for (size_t i = 0; i < WPA_COUNT(fields); i++) {
        size_t length = strcspn(text + at, blanks);
        if (length == 0) {
            return fail(cron, "it has fewer than five fields", at);
        }
        if (!read_field(&fields[i], text + at, length, &bits[i], &is_all[i])) {
            return fail(cron, faults[i], at);
        }
        at += length + strspn(text + at + length, blanks);
    }
    if (text[at]) {
        return fail(cron, "it has more than five fields", at);
    }
    cron->minutes = bits[0];
    cron->hours = (uint32_t)bits[1];
    cron->days = (uint32_t)bits[2];
    cron->months = (uint32_t)bits[3];
    cron->weekdays = (uint32_t)bits[4];
    cron->has_days = !is_all[2];
    cron->has_weekdays = !is_all[4];
    return true;
}

int wpa_cron_per_day(const wpa_cron *cron)
{
    return __builtin_popcountll(cron->minutes) * __builtin_popcount(cron->hours);
}

static bool fires_on(const wpa_cron *cron, int month, int day, int weekday)
{
    bool is_day = cron->days >> day & 1, is_weekday = cron->weekdays >> weekday & 1;
    bool is_fit =
        cron->has_days && cron->has_weekdays ? is_day || is_weekday : is_day && is_weekday;
    return is_fit && (cron->months >> month & 1);
}

/* Do two days that follow each other both fire, in any year? */
static bool has_neighbours(const wpa_cron *cron)
{
    static const int lengths[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    for (int first_weekday = 0; first_weekday < 7; first_weekday++) {
        bool was_fit = false;
        int weekday = first_weekday;
        for (int i = 0; i < 13; i++) { /* over the end of the year */
            int month = i % 12;
            for (int day = 1; day <= lengths[month]; day++, weekday = (weekday + 1) % 7) {
                bool is_fit = fires_on(cron, month + 1, day, weekday);
                if (is_fit && was_fit) {
                    return true;
                }
                was_fit = is_fit;
            }
        }
    }
    return false;
}

int wpa_cron_interval(const wpa_cron *cron)
{
    int first = -1, last = -1, least = 24 * 60;
    for (int i = 0; i < 24 * 60; i++) {
        if (!(cron->hours >> (i / 60) & 1)) {
            i += 59; /* to the next hour */
        } else if (cron->minutes >> (i % 60) & 1) {
            first = first < 0 ? i : first;
            least = last >= 0 && i - last < least ? i - last : least;
            last = i;
        }
    }
    int over_midnight = first + 24 * 60 - last;
    return last >= 0 && over_midnight < least && has_neighbours(cron) ? over_midnight : least;
}

bool wpa_cron_is_possible(const wpa_cron *cron)
{
    static const int lengths[] = {0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (cron->has_weekdays) {
        return true; /* either of day and weekday is enough */
    }
    for (int month = 1; month <= 12; month++) {
        for (int day = 1; day <= lengths[month]; day++) {
            if ((cron->months >> month & 1) && (cron->days >> day & 1)) {
                return true;
            }
        }
    }
    return false;
}
