#include "match/filter.h"

#include <string.h>

#include <wpa/buf.h>
#include <wpa/memory.h>
#include <wpa/text.h>

struct wpa_filter {
    wpa_regex **patterns;
    bool *is_negative;
    size_t n;
};

/* A pattern on its way to a regular expression. */
typedef struct translation {
    const char *pattern;
    const char *at;
    wpa_buf *out;
    bool can_repeat; /* a single character or a set has just been written */
} translation;

static void put_literal(translation *t, const char *at, size_t length)
{
    if (length == 1 && strchr("\\^$.|?*+()[]{}-/#&~ ", *at)) {
        wpa_buf_char(t->out, '\\');
    }
    wpa_buf_append(t->out, at, length);
    t->can_repeat = true;
}

static bool put_stars(translation *t, wpa_error *err)
{
    size_t n = strspn(t->at, "*");
    if (n > 2) {
        return WPA_FAIL(err, WPA_E_INVALID, "filter '%s': more than two stars", t->pattern);
    }
    bool is_at_part = t->at == t->pattern || t->at[-1] == '/';
    if (n == 1) {
        wpa_buf_text(t->out, "[^/]*");
    } else if (is_at_part && t->at[2] == '/') {
        wpa_buf_text(t->out, "(?:.*/)?");
        n = 3;
    } else {
        wpa_buf_text(t->out, ".*");
    }
    t->at += n;
    t->can_repeat = false;
    return true;
}

static bool put_set(translation *t, wpa_error *err)
{
    const char *end = strchr(t->at, ']');
    if (!end || end == t->at + 1) {
        return WPA_FAIL(err, WPA_E_INVALID, "filter '%s': the set %s", t->pattern,
                        end ? "is empty" : "has no end");
    }
    for (const char *c = t->at + 1; c < end; c++) {
        bool is_range = *c == '-' && c > t->at + 1 && c + 1 < end;
        if (is_range && (unsigned char)c[-1] > (unsigned char)c[1]) {
            return WPA_FAIL(err, WPA_E_INVALID, "filter '%s': the range %c-%c runs backwards",
                            t->pattern, c[-1], c[1]);
        }
    }
    wpa_buf_char(t->out, '[');
    for (const char *c = t->at + 1; c < end; c++) {
        if (strchr("\\^[&~|", *c)) {
            wpa_buf_char(t->out, '\\');
        }
        wpa_buf_char(t->out, *c);
    }
    wpa_buf_char(t->out, ']');
    t->at = end + 1;
    t->can_repeat = true;
    return true;
}

static bool put_repeat(translation *t, wpa_error *err)
{
    if (!t->can_repeat) {
        return WPA_FAIL(err, WPA_E_INVALID, "filter '%s': nothing stands before '%c' to repeat",
                        t->pattern, *t->at);
    }
    wpa_buf_char(t->out, *t->at++);
    t->can_repeat = false;
    return true;
}

static bool put_next(translation *t, wpa_error *err)
{
    switch (*t->at) {
    case '*':
        return put_stars(t, err);
    case '[':
        return put_set(t, err);
    case '?':
    case '+':
        return put_repeat(t, err);
    case '\\':
        if (t->at[1] == '\0') {
            return WPA_FAIL(err, WPA_E_INVALID, "filter '%s': ends with a backslash", t->pattern);
        }
        t->at++;
        break;
    default:
        break;
    }
    size_t length = 0;
    wpa_utf8_next(t->at, strlen(t->at), &length);
    put_literal(t, t->at, length);
    t->at += length;
    return true;
}

static wpa_regex *compile(const char *pattern, wpa_error *err)
{
    if (*pattern == '\0') {
        WPA_FAIL(err, WPA_E_INVALID, "filter '': empty");
        return NULL;
    }
    WPA_AUTO(wpa_buf) *buf = wpa_buf_new(WPA_REGEX_MAX_PATTERN_BYTES);
    translation t = {.pattern = pattern, .at = pattern, .out = buf};
    wpa_buf_text(buf, "\\A(?s:");
    while (*t.at) {
        if (!put_next(&t, err)) {
            return NULL;
        }
    }
    wpa_buf_text(buf, ")\\z");
    return wpa_buf_check(buf, "filter", err) ? wpa_regex_new(wpa_buf_data(buf), 0, err) : NULL;
}

wpa_filter *wpa_filter_new(const char *const patterns[], size_t n, size_t *index, wpa_error *err)
{
    WPA_AUTO(wpa_filter) *filter = wpa_alloc(sizeof *filter);
    filter->patterns = wpa_alloc((n + 1) * sizeof *filter->patterns);
    filter->is_negative = wpa_alloc((n + 1) * sizeof *filter->is_negative);
    for (size_t i = 0; i < n; i++) {
        filter->is_negative[i] = patterns[i][0] == '!';
        filter->patterns[i] = compile(patterns[i] + filter->is_negative[i], err);
        if (!filter->patterns[i]) {
            if (index) {
                *index = i;
            }
            return NULL;
        }
        filter->n++;
    }
    return WPA_STEAL(filter);
}

void wpa_filter_free(wpa_filter *filter)
{
    if (!filter) {
        return;
    }
    for (size_t i = 0; i < filter->n; i++) {
        wpa_regex_free(filter->patterns[i]);
    }
    wpa_free(filter->patterns);
    wpa_free(filter->is_negative);
    wpa_free(filter);
}

wpa_regex_answer wpa_filter_fits(const wpa_filter *filter, const char *text)
{
    size_t length = strlen(text);
    for (size_t i = filter->n; i-- > 0;) {
        wpa_regex_answer answer = wpa_regex_find(filter->patterns[i], text, length, 0, NULL);
        if (answer == WPA_REGEX_UNDECIDED) {
            return answer;
        }
        if (answer == WPA_REGEX_YES) {
            return filter->is_negative[i] ? WPA_REGEX_NO : WPA_REGEX_YES;
        }
    }
    return WPA_REGEX_NO;
}

wpa_regex_answer wpa_filter_fits_any(const wpa_filter *filter, const char *const texts[], size_t n)
{
    wpa_regex_answer any = WPA_REGEX_NO;
    for (size_t i = 0; i < n && any != WPA_REGEX_YES; i++) {
        wpa_regex_answer answer = wpa_filter_fits(filter, texts[i]);
        any = answer == WPA_REGEX_NO ? any : answer;
    }
    return any;
}
