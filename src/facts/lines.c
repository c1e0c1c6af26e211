#include "facts/lines.h"

#include <string.h>

#include "facts/refreshed.h"

#define DAY_LENGTH 10
#define GRACE_DAYS 1 /* somewhere it is tomorrow already */

bool wpa_fact_lines_fail(const wpa_fact_lines *lines, wpa_error *err, const char *what)
{
    return WPA_FAIL(err, WPA_E_INVALID, "%s:%zu: %s", lines->name, lines->line, what);
}

bool wpa_fact_lines_next(wpa_fact_lines *lines, wpa_slice *line, wpa_error *err)
{
    const char *stop = memchr(lines->at, '\n', (size_t)(lines->end - lines->at));
    lines->line++;
    if (!stop) {
        return wpa_fact_lines_fail(lines, err, "the file ends in the middle");
    }
    *line = (wpa_slice){lines->at, (size_t)(stop - lines->at)};
    lines->at = stop + 1;
    return true;
}

wpa_slice wpa_fact_lines_word(wpa_slice *line)
{
    const char *blank = line->length ? memchr(line->at, ' ', line->length) : NULL;
    size_t length = blank ? (size_t)(blank - line->at) : line->length;
    wpa_slice word = {line->at, length};
    size_t behind = length + (blank != NULL);
    *line = (wpa_slice){line->at + behind, line->length - behind};
    return word;
}

const char *wpa_fact_lines_keep(const wpa_fact_lines *lines, wpa_slice text)
{
    return wpa_arena_slice(lines->arena, text.at, text.length);
}

const char *wpa_fact_lines_day(const wpa_fact_lines *lines, wpa_slice word)
{
    const char *day = word.length == DAY_LENGTH ? wpa_fact_lines_keep(lines, word) : NULL;
    return wpa_facts_days(day) >= 0 ? day : NULL;
}

bool wpa_fact_lines_commit(wpa_slice hex, uint8_t commit[WPA_COMMIT_BYTES])
{
    char text[2 * WPA_COMMIT_BYTES + 1];
    if (hex.length != sizeof text - 1) {
        return false;
    }
    memcpy(text, hex.at, hex.length);
    text[hex.length] = '\0';
    return wpa_hex_decode(text, commit, WPA_COMMIT_BYTES);
}

static bool read_head(wpa_fact_lines *lines, const char *first_line, wpa_error *err)
{
    wpa_slice line, word;
    if (!wpa_fact_lines_next(lines, &line, err) || !wpa_slice_is(line, first_line)) {
        return wpa_fact_lines_fail(lines, err, "this is no table of facts that this program reads");
    }
    if (!wpa_fact_lines_next(lines, &line, err)) {
        return false;
    }
    word = wpa_fact_lines_word(&line);
    lines->date = wpa_slice_is(word, "date") ? wpa_fact_lines_day(lines, line) : NULL;
    if (!lines->date) {
        return wpa_fact_lines_fail(lines, err, "there is no date");
    }
    if (wpa_facts_days(lines->date) > wpa_facts_days(lines->today) + GRACE_DAYS) {
        return WPA_FAIL(err, WPA_E_INVALID, "%s:%zu: the table is of %s, a day to come",
                        lines->name, lines->line, lines->date);
    }
    if (!wpa_fact_lines_next(lines, &line, err)) {
        return false;
    }
    word = wpa_fact_lines_word(&line);
    (void)wpa_sha256_hex(lines->at, (size_t)(lines->end - lines->at), lines->digest);
    return (wpa_slice_is(word, "digest") && wpa_slice_is(line, lines->digest)) ||
           wpa_fact_lines_fail(lines, err, "its digest is not that of its content");
}

bool wpa_fact_lines_open(wpa_fact_lines *lines, const char *name, const char *text,
                         size_t size_bytes, const char *first_line, const char *today,
                         wpa_arena *arena, wpa_error *err)
{
    *lines = (wpa_fact_lines){
        .name = name, .at = text, .end = text + size_bytes, .today = today, .arena = arena};
    if (size_bytes > WPA_REFRESHED_MAX_BYTES) {
        return WPA_FAIL(err, WPA_E_LIMIT, "%s is larger than %zu bytes", name,
                        WPA_REFRESHED_MAX_BYTES);
    }
    return read_head(lines, first_line, err);
}

bool wpa_fact_lines_print(const char *first_line, const char *date, const wpa_buf *rows,
                          wpa_buf *out, wpa_error *err)
{
    char digest[WPA_SHA256_HEX_SIZE];
    (void)wpa_sha256_hex(wpa_buf_data(rows), wpa_buf_size(rows), digest);
    wpa_buf_printf(out, "%s\ndate %s\ndigest %s\n", first_line, date, digest);
    wpa_buf_append(out, wpa_buf_data(rows), wpa_buf_size(rows));
    return wpa_buf_check(rows, "table of facts", err) && wpa_buf_check(out, "table of facts", err);
}
