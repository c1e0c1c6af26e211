#include "probe/downtime.h"

#define GAP_INTERVALS 2

typedef struct walk {
    wpa_downtime *sum;
    size_t capacity;
    wpa_arena *arena;
    wpa_downtime_interval open; /* the failure at hand */
    bool is_down;
} walk;

/** The failure at hand ends at the latest here. */
static void close_interval(walk *at, int64_t until_us)
{
    if (!at->is_down) {
        return;
    }
    wpa_downtime *sum = at->sum;
    at->is_down = false;
    at->open.possible_to_us = until_us;
    sum->certain_us += at->open.certain_to_us - at->open.certain_from_us;
    sum->possible_us += at->open.possible_to_us - at->open.possible_from_us;
    sum->intervals = wpa_arena_grow(at->arena, sum->intervals, sum->n_intervals, &at->capacity,
                                    sizeof *sum->intervals);
    sum->intervals[sum->n_intervals++] = at->open;
}

static void see_failure(walk *at, int64_t now_us, int64_t before_us)
{
    if (!at->is_down) {
        at->is_down = true;
        at->open =
            (wpa_downtime_interval){.certain_from_us = now_us, .possible_from_us = before_us};
    }
    at->open.certain_to_us = now_us;
}

wpa_downtime wpa_downtime_of(const wpa_downtime_row rows[], size_t n_rows, int64_t interval_ms,
                             int64_t from_us, int64_t to_us, wpa_arena *arena)
{
    wpa_downtime sum = {.window_us = to_us > from_us ? to_us - from_us : 0};
    walk at = {.sum = &sum, .arena = arena};
    int64_t gap_us = GAP_INTERVALS * interval_ms * 1000, last_us = from_us, made = 0;
    for (size_t i = 0; i <= n_rows; i++) {
        bool is_end = i == n_rows;
        if (!is_end && rows[i].result != WPA_MEASURED_SUCCESS &&
            rows[i].result != WPA_MEASURED_FAILURE) {
            continue;
        }
        int64_t now_us = is_end ? to_us : rows[i].at_us;
        int64_t before_us = last_us; /* a success, the window's start, or the end of a gap */
        if (now_us - last_us > gap_us) {
            /* Nobody looked: what is known ends at the last probe and begins at this one. */
            sum.unknown_us += now_us - last_us;
            close_interval(&at, last_us);
            before_us = now_us;
        }
        if (is_end) {
            close_interval(&at, now_us);
        } else if (rows[i].result == WPA_MEASURED_FAILURE) {
            see_failure(&at, now_us, before_us);
        } else {
            close_interval(&at, now_us);
        }
        made += !is_end;
        last_us = now_us;
    }
    int64_t due = interval_ms > 0 ? sum.window_us / (interval_ms * 1000) : 0;
    sum.coverage = due > made ? (double)made / (double)due : 1;
    return sum;
}

double wpa_downtime_availability(const wpa_downtime items[], size_t n)
{
    double possible_us = 0, window_us = 0;
    for (size_t i = 0; i < n; i++) {
        possible_us += (double)items[i].possible_us;
        window_us += (double)items[i].window_us;
    }
    return window_us > 0 ? 1 - possible_us / window_us : 1;
}

bool wpa_downtime_is_zero(const wpa_downtime items[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (items[i].possible_us > 0 || items[i].unknown_us > 0 ||
            items[i].coverage < WPA_DOWNTIME_COVERAGE_NEEDED) {
            return false;
        }
    }
    return n > 0;
}
