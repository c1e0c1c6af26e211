/* A pattern, a line feed, a text: as a filter and as a regular expression, in bounded time. */
#include <stdlib.h>
#include <string.h>

#include "match/filter.h"
#include "match/secret.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    static wpa_secret_scanner *scanner; /* compiled once: a run has one process */
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    scanner = scanner ? scanner : wpa_secret_scanner_new();
    wpa_error err = {0};
    char *pattern = wpa_arena_slice(arena, (const char *)data, size_bytes);
    char *line_feed = strchr(pattern, '\n');
    const char *text = line_feed ? line_feed + 1 : "";
    if (line_feed) {
        *line_feed = '\0';
    }
    const char *const patterns[] = {pattern};
    WPA_AUTO(wpa_filter) *filter = wpa_filter_new(patterns, 1, NULL, &err);
    if (filter) {
        (void)wpa_filter_fits(filter, text);
    }
    WPA_AUTO(wpa_regex) *regex = wpa_regex_new(pattern, WPA_REGEX_MULTILINE, &err);
    wpa_regex_match match = {0};
    if (regex && wpa_regex_find(regex, text, strlen(text), 0, &match) == WPA_REGEX_YES &&
        match.spans[0].end > strlen(text)) {
        abort();
    }
    size_t n;
    (void)wpa_secrets_find(scanner, (const char *)data, size_bytes, arena, &n);
    return 0;
}
