/* A theme and a keymap out of any bytes: an error or a theme, never a crash. */
#include "keymap/keymap.h"
#include "theme/theme.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    wpa_error err = {0};
    wpa_keymap map;
    const char *text = wpa_arena_slice(arena, (const char *)data, size_bytes);
    (void)wpa_theme_parse("fuzz.yaml", text, arena, &err);
    const wpa_yaml_doc *doc = wpa_yaml_parse_strict("fuzz.yaml", data, size_bytes, arena, &err);
    const wpa_yaml_node *keys = doc ? wpa_yaml_get(doc->root, "keys") : NULL;
    wpa_keymap_init(&map);
    if (keys && wpa_yaml_is(keys, WPA_YAML_MAPPING)) {
        (void)!wpa_keymap_apply(&map, keys, &err);
    }
    return 0;
}
