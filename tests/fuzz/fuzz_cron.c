/* Reads any text as a cron line; what could be read keeps what cron.h says of it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <wpa/arena.h>

#include "rules/cron.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

static void require(bool is_so)
{
    if (!is_so) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    const char *text = wpa_arena_slice(arena, (const char *)data, size_bytes);
    wpa_cron cron;
    if (!wpa_cron_parse(text, &cron)) {
        require(cron.fault && cron.fault_at <= strlen(text));
        return 0;
    }
    require(!cron.fault);
    require(cron.minutes && cron.minutes >> 60 == 0 && cron.hours && cron.hours >> 24 == 0);
    require(cron.days && !(cron.days & 1) && cron.months && !(cron.months & 1));
    require(cron.months >> 13 == 0 && cron.weekdays && cron.weekdays >> 7 == 0);
    int a_day = wpa_cron_per_day(&cron), interval_min = wpa_cron_interval(&cron);
    require(a_day >= 1 && interval_min >= 1 && interval_min <= 24 * 60);
    require((int64_t)interval_min * (a_day - 1) < 24 * 60); /* so many fit into a day */
    require(wpa_cron_is_possible(&cron) || !cron.has_weekdays);
    return 0;
}
