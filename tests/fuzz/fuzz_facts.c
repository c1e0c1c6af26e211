/* Reads any bytes as a refreshed table of facts, with a digest that fits, and looks things up. */
#include <stdint.h>
#include <string.h>

#include "auth/hash.h"
#include "facts/refreshed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    WPA_AUTO(wpa_buf) *text = wpa_buf_new(size + 256);
    wpa_error err = {0};
    char digest[WPA_SHA256_HEX_SIZE];
    (void)!wpa_refreshed_parse("as it is", (const char *)data, size, "2027-01-15", arena, &err);
    wpa_buf_printf(text, "wpa.facts/1 tags\ndate 2027-01-15\ndigest %s\n",
                   wpa_sha256_hex(data, size, digest));
    wpa_buf_append(text, data, size);
    const wpa_refreshed *table = wpa_refreshed_parse("table", wpa_buf_data(text),
                                                     wpa_buf_size(text), "2027-01-15", arena, &err);
    if (table && wpa_refreshed_use(table)) {
        static const char *const slugs[] = {"actions/checkout", "acme/deploy", "a/b"};
        for (size_t i = 0; i < WPA_COUNT(slugs); i++) {
            wpa_fact_use use;
            wpa_facts_use_resolve(wpa_slice_of(slugs[i]), wpa_slice_of("v4"), (wpa_slice){"", 0},
                                  &use);
        }
    }
    (void)wpa_refreshed_use(NULL);
    return 0;
}
