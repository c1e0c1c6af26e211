/* Reads any bytes as refreshed tables of facts, with a digest that fits, and looks things up; and
 * as what a forge may answer. */
#include <stdint.h>
#include <string.h>

#include "auth/hash.h"
#include "facts/ask.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *with_head(const char *kind, const uint8_t *data, size_t size, wpa_buf *text)
{
    char digest[WPA_SHA256_HEX_SIZE];
    wpa_buf_printf(text, "wpa.facts/1 %s\ndate 2027-01-15\ndigest %s\n", kind,
                   wpa_sha256_hex(data, size, digest));
    wpa_buf_append(text, data, size);
    return wpa_buf_data(text);
}

static void look_up(void)
{
    static const char *const slugs[] = {"actions/checkout", "acme/deploy", "a/b"};
    for (size_t i = 0; i < WPA_COUNT(slugs); i++) {
        wpa_fact_use use;
        wpa_slice slug = wpa_slice_of(slugs[i]);
        wpa_facts_use_resolve(slug, wpa_slice_of("v4"), (wpa_slice){"", 0}, &use);
        (void)wpa_facts_archived_find(slug);
        for (size_t k = wpa_facts_advisory_of(slug, 0); k < wpa_facts_advisory_count();
             k = wpa_facts_advisory_of(slug, k + 1)) {
            (void)wpa_facts_advisory_affects(wpa_facts_advisory_at(k), slug, wpa_slice_of("v4"),
                                             &use);
        }
        for (size_t k = 0; use.action && k < wpa_facts_major_count(use.action); k++) {
            wpa_fact_major major = wpa_facts_major_at(use.action, k);
            (void)wpa_facts_output_has(&major, slug);
        }
    }
}

/** What is read prints, and is then read again. */
static void go_round(const wpa_told *told, wpa_arena *arena)
{
    WPA_AUTO(wpa_buf) *out = wpa_buf_new(WPA_REFRESHED_MAX_BYTES);
    wpa_told copy = *told;
    wpa_error err = {0};
    if (wpa_told_print(&copy, out, &err) &&
        !wpa_told_parse("again", wpa_buf_data(out), wpa_buf_size(out), "2027-01-15", arena, &err)) {
        __builtin_trap();
    }
}

static void as_answers(const char *text, size_t size, wpa_arena *arena)
{
    wpa_error err = {0};
    wpa_ask_outcome outcome = {0};
    wpa_told told = {.date = "2027-01-15", .advisories_date = "2027-01-15"};
    wpa_told_repo repo = {.name = "a/b", .date = "2027-01-15"};
    wpa_told_action action = {.name = "a/b", .date = "2027-01-15", .tag = "v1.0.0", .major = 1};
    if (wpa_ask_read_advisories(text, size, "2027-01-15", arena, &told, &outcome, &err)) {
        go_round(&told, arena);
    }
    if (wpa_ask_read_repo(text, size, arena, &repo, &err)) {
        go_round(&(wpa_told){.date = "2027-01-15", .repos = &repo, .n_repos = 1}, arena);
    }
    if (wpa_ask_read_action(text, size, arena, &action, &err)) {
        go_round(&(wpa_told){.date = "2027-01-15", .actions = &action, .n_actions = 1}, arena);
    }
    (void)wpa_ask_next_page(text, "http://a", arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    WPA_AUTO(wpa_buf) *tags = wpa_buf_new(size + 256);
    WPA_AUTO(wpa_buf) *forge = wpa_buf_new(size + 256);
    wpa_error err = {0};
    (void)!wpa_refreshed_parse("as it is", (const char *)data, size, "2027-01-15", arena, &err);
    const char *text = with_head("tags", data, size, tags);
    const wpa_refreshed *table =
        wpa_refreshed_parse("table", text, wpa_buf_size(tags), "2027-01-15", arena, &err);
    text = with_head("forge", data, size, forge);
    const wpa_told *told =
        wpa_told_parse("forge", text, wpa_buf_size(forge), "2027-01-15", arena, &err);
    (void)wpa_refreshed_use(table);
    wpa_told_use(told, arena);
    if (table || told) {
        look_up();
    }
    if (told) {
        go_round(told, arena);
    }
    (void)wpa_refreshed_use(NULL);
    wpa_told_use(NULL, NULL);
    as_answers(wpa_arena_slice(arena, (const char *)data, size), size, arena);
    return 0;
}
