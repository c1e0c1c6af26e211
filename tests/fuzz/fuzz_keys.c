/* Whatever a terminal sends: no overrun, and no lone key out of more than one byte. */
#include <stdlib.h>

#include "term/keys.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    wpa_keys keys;
    wpa_key out[WPA_KEYS_MAX + 1];
    int64_t now_ms = 1000;
    wpa_keys_init(&keys, 25);
    for (size_t at = 0; at < size_bytes;) {
        size_t n = 1 + data[at] % 40; /* how much one read brings, and how long it took to come */
        now_ms += data[at] * 3;
        keys.takes_text = data[at] & 1;
        n = n > size_bytes - at ? size_bytes - at : n;
        (void)wpa_keys_tick(&keys, now_ms, out);
        size_t got = wpa_keys_feed(&keys, (const char *)data + at, n, now_ms, out);
        for (size_t i = 0; i < got; i++) {
            if (got > WPA_KEYS_MAX + 1 || (n > 1 && out[i].is_alone)) {
                abort();
            }
        }
        at += n;
    }
    return 0;
}
