/* Reads any bytes as the configuration of zizmor. */
#include <stdint.h>

#include "rules/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_error err = {0};
    wpa_settings *settings = wpa_settings_new(0, arena);
    (void)!wpa_config_read_zizmor("zizmor.yml", (const char *)data, size, settings, arena, &err);
    return 0;
}
