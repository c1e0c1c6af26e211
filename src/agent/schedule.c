/* Schedules as cron writes them: five fields with *, lists, ranges and steps. */
#include <string.h>

#include <wpa/text.h>

#include "agent/engine.h"

static const struct {
    const char *name;
    int min, max;
} fields[5] = {
    {"minute", 0, 59}, {"hour", 0, 23}, {"day", 1, 31}, {"month", 1, 12}, {"weekday", 0, 7},
};

static bool to_int(const char *text, size_t field, int64_t *value, wpa_error *err)
{
    if (!wpa_text_to_int(text, fields[field].min, fields[field].max, value)) {
        return WPA_FAIL(err, WPA_E_INVALID, "%s '%s' is not between %d and %d", fields[field].name,
                        text, fields[field].min, fields[field].max);
    }
    return true;
}

/** "3", "1-5", "*", each with an optional step behind "/". */
static bool term_matches(char *term, size_t field, int value, bool *matches, wpa_error *err)
{
    int64_t low = fields[field].min;
    int64_t high = fields[field].max;
    int64_t step = 1;
    char *rest = term;
    char *range = strsep(&rest, "/");
    if (rest && !wpa_text_to_int(rest, 1, 1000, &step)) {
        return WPA_FAIL(err, WPA_E_INVALID, "step '%s' of the %s", rest, fields[field].name);
    }
    if (strcmp(range, "*") != 0) {
        char *to = range;
        char *from = strsep(&to, "-");
        if (!to_int(from, field, &low, err) || (to && !to_int(to, field, &high, err))) {
            return false;
        }
        high = to || rest ? high : low;
    }
    bool is_sunday = field == 4 && value == 0 && high == 7; /* cron's other Sunday */
    *matches =
        *matches || (value >= low && value <= high && (value - low) % step == 0) || is_sunday;
    return true;
}

static bool field_matches(char *list, size_t field, int value, bool *matches, wpa_error *err)
{
    *matches = false;
    for (char *term = strsep(&list, ","); term; term = strsep(&list, ",")) {
        if (!term_matches(term, field, value, matches, err)) {
            return false;
        }
    }
    return true;
}

bool wpa_schedule_matches(const char *schedule, const int minute_parts[5], bool *matches,
                          wpa_error *err)
{
    char text[256];
    if (!wpa_text_copy(text, sizeof text, schedule)) {
        return WPA_FAIL(err, WPA_E_LIMIT, "a schedule has at most %zu bytes", sizeof text - 1);
    }
    char *rest = text;
    *matches = true;
    for (size_t i = 0; i < WPA_COUNT(fields); i++) {
        char *list = strsep(&rest, " ");
        bool is_in = false;
        if (!list || !list[0]) {
            return WPA_FAIL(err, WPA_E_INVALID, "schedule '%s' has no %s", schedule,
                            fields[i].name);
        }
        if (!field_matches(list, i, minute_parts[i], &is_in, err)) {
            return false;
        }
        *matches = *matches && is_in;
    }
    return true;
}
