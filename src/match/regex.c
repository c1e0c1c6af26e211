#include "match/regex.h"

#include <string.h>

#include <wpa/memory.h>
#include <wpa/text.h>

#include "gen/calls_pcre2.h"

/* A million steps by the interpreter; JIT code has its own stack instead of the depth limit. */
#define MATCH_LIMIT 1000000
#define DEPTH_LIMIT 1000
#define HEAP_LIMIT_KIB 20000

struct wpa_regex {
    pcre2_code *code;
    pcre2_match_context *limits;
};

static bool set_limits(wpa_regex *regex)
{
    regex->limits = pcre2_match_context_create(NULL);
    return regex->limits && pcre2_set_match_limit(regex->limits, MATCH_LIMIT) == 0 &&
           pcre2_set_depth_limit(regex->limits, DEPTH_LIMIT) == 0 &&
           pcre2_set_heap_limit(regex->limits, HEAP_LIMIT_KIB) == 0;
}

wpa_regex *wpa_regex_new(const char *pattern, unsigned flags, wpa_error *err)
{
    size_t length = strlen(pattern);
    if (length > WPA_REGEX_MAX_PATTERN_BYTES) {
        WPA_FAIL(err, WPA_E_LIMIT, "pattern of %zu bytes; the limit is %d", length,
                 WPA_REGEX_MAX_PATTERN_BYTES);
        return NULL;
    }
    if (!wpa_pcre2_open(err)) {
        return NULL;
    }
    uint32_t options = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C;
    options |= flags & WPA_REGEX_CASELESS ? PCRE2_CASELESS : 0;
    options |= flags & WPA_REGEX_MULTILINE ? PCRE2_MULTILINE : 0;
    int error_number;
    PCRE2_SIZE at;
    WPA_AUTO(wpa_regex) *regex = wpa_alloc(sizeof *regex);
    regex->code = pcre2_compile((PCRE2_SPTR)pattern, length, options, &error_number, &at, NULL);
    if (!regex->code) {
        PCRE2_UCHAR text[128] = {0};
        (void)pcre2_get_error_message(error_number, text, sizeof text);
        WPA_FAIL(err, WPA_E_INVALID, "pattern '%s': %s at %zu", pattern, (const char *)text,
                 (size_t)at);
        return NULL;
    }
    if (!set_limits(regex)) {
        WPA_FAIL(err, WPA_E_INTERNAL, "limits of a pattern cannot be set");
        return NULL;
    }
    /* Without JIT (a hardened kernel may forbid it) the interpreter gives the same answers. */
    (void)pcre2_jit_compile(regex->code, PCRE2_JIT_COMPLETE);
    return WPA_STEAL(regex);
}

void wpa_regex_free(wpa_regex *regex)
{
    if (regex) {
        pcre2_code_free(regex->code);
        pcre2_match_context_free(regex->limits);
        wpa_free(regex);
    }
}

static void copy_spans(pcre2_match_data *data, int count, wpa_regex_match *match)
{
    const PCRE2_SIZE *offsets = pcre2_get_ovector_pointer(data);
    *match = (wpa_regex_match){0};
    match->n = count < WPA_REGEX_MAX_GROUPS ? (size_t)count : WPA_REGEX_MAX_GROUPS;
    for (size_t i = 0; i < match->n; i++) {
        match->is_set[i] = offsets[2 * i] != PCRE2_UNSET;
        if (match->is_set[i]) {
            match->spans[i] = (wpa_span){offsets[2 * i], offsets[2 * i + 1]};
        }
    }
}

wpa_regex_answer wpa_regex_find(const wpa_regex *regex, const char *text, size_t length,
                                size_t from, wpa_regex_match *match)
{
    if (from > length) {
        return WPA_REGEX_NO;
    }
    pcre2_match_data *data = pcre2_match_data_create(WPA_REGEX_MAX_GROUPS, NULL);
    int count =
        data ? pcre2_match(regex->code, (PCRE2_SPTR)text, length, from, 0, data, regex->limits)
             : PCRE2_ERROR_NOMEMORY;
    if (count >= 0 && match) {
        copy_spans(data, count == 0 ? WPA_REGEX_MAX_GROUPS : count, match);
    }
    pcre2_match_data_free(data);
    return count >= 0                     ? WPA_REGEX_YES
           : count == PCRE2_ERROR_NOMATCH ? WPA_REGEX_NO
                                          : WPA_REGEX_UNDECIDED;
}
