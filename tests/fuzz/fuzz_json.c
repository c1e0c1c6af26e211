/* Whatever the parser accepts, its canonical form is accepted too and is its own canonical form. */
#include <assert.h>
#include <string.h>

#include "json/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_error err = {0};
    const wpa_json *value =
        wpa_json_parse((const char *)data, size_bytes, WPA_JSON_MAX_BYTES, arena, &err);
    if (value) {
        const char *first = wpa_json_dump(value, arena);
        value = wpa_json_parse(first, strlen(first), WPA_JSON_MAX_BYTES, arena, &err);
        assert(value && strcmp(first, wpa_json_dump(value, arena)) == 0);
    }
    return 0;
}
